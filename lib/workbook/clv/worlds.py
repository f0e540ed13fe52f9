"""Worlds that could be: in each the parameters, a common error, and what every customer does are drawn.

Quantiles over the worlds are intervals for what will really be bought, of a customer and of any group: the customers of
one world are added up. Customers are drawn in batches, so that memory is bounded.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from scipy.special import ndtri

from workbook.clv import gamma_gamma
from workbook.clv.expectations import in_units
from workbook.clv.fits import Fit, known_model

BATCH = 20_000  # customers drawn at a time: bounds the memory


def speeds(fit: Fit, customers: pd.DataFrame, weeks: float, errors: np.ndarray) -> np.ndarray:
    """By what all rates must be multiplied so that the total is off by each error (a logarithm).

    Who buys faster also leaves sooner, so that rates must change by more than the total.
    """
    few = customers if len(customers) <= BATCH else customers.sample(BATCH, random_state=0)
    model, t = known_model(fit.model), float(in_units(fit, weeks))
    data = [few[name].to_numpy(float) for name in ("x", "t_x", "T")]
    logs = np.linspace(-4, 4, 17)
    totals = [model.faster(fit.values, *data, t, math.exp(log)).sum() for log in logs]
    return np.exp(np.interp(errors, np.log(totals) - math.log(totals[len(logs) // 2]), logs))


class Worlds:
    """Parameters and the common error of every drawn world; covariances for the delta method."""

    def __init__(self, fit: Fit, value_fit: Fit | None, rng: np.random.Generator, draws: int) -> None:
        self.fit, self.value_fit, self.rng, self.draws = fit, value_fit, rng, draws
        self.money = value_fit is not None and value_fit.usable
        self.purchases = _drawn_values(fit, rng, draws)
        self.values = _drawn_values(value_fit, rng, draws) if self.money else None
        self.faster = np.ones(draws)  # what the common error multiplies every rate by
        self.covariance = fit.covariance
        self.value_covariance = value_fit.covariance if self.money else np.zeros((3, 3))

    def drawn(self, data: list[np.ndarray], t: float) -> tuple[np.ndarray, np.ndarray]:
        """Purchases and spend (0 without values) of the next `t`: worlds × customers.

        Args:
            data: x, t_x, T, mean repeat value (0 without one).
        """
        *counts, mean = data
        model = known_model(self.fit.model)
        bought = np.zeros((self.draws, len(mean)), np.float32)
        spend = np.zeros_like(bought)
        for w in range(self.draws):
            found = model.draw(self.purchases[w], *counts, t, self.rng, float(self.faster[w]))
            bought[w] = found
            if self.values is not None:
                spend[w] = gamma_gamma.draw_spend(self.values[w], counts[0], mean, found, self.rng)
        return bought, spend


def _drawn_values(fit: Fit, rng: np.random.Generator, draws: int) -> np.ndarray:
    """Parameters drawn from the normal distribution of their logarithms."""
    spread, turn = np.linalg.eigh(fit.covariance)
    noise = rng.standard_normal((draws, len(fit.values)))
    return fit.values * np.exp(noise * np.sqrt(np.maximum(spread, 0.0)) @ turn.T)


def balanced(rng: np.random.Generator, draws: int) -> np.ndarray:
    """Normal quantiles in random order: the common error has its right spread also in few worlds."""
    return rng.permutation(ndtri((np.arange(draws) + 0.5) / draws))


def draw_all(
    worlds: Worlds, customers: pd.DataFrame, to_clv: np.ndarray, labels: dict[str, tuple[np.ndarray, list]], t: float,
    batch: int,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Ends of what each customer buys and spends, and the sums of every group in every world.

    Returns:
        4 × customers: purchases low and high, spend low and high; name → measure (3) × group × world.
    """
    n = len(customers)
    data = [customers[name].to_numpy(float) for name in ("x", "t_x", "T")]
    data.append(gamma_gamma.seen_values(customers)[1])
    sums = {name: np.zeros((3, len(groups), worlds.draws)) for name, (_, groups) in labels.items()}
    ends = np.full((4, n), np.nan)
    for start in range(0, n, batch):
        part = slice(start, min(start + batch, n))
        bought, spend = worlds.drawn([column[part] for column in data], t)
        earned = spend * to_clv[part].astype(np.float32)
        for name, (codes, groups) in labels.items():
            inside = _members(codes[part], len(groups))
            for measure, drawn in enumerate((bought, spend, earned)):
                sums[name][measure] += (drawn @ inside).T
        ends[0:2, part] = np.quantile(bought, (0.025, 0.975), axis=0, method="inverted_cdf")
        if worlds.money:
            ends[2:4, part] = np.quantile(spend, (0.025, 0.975), axis=0)
    return ends, sums


def _members(codes: np.ndarray, groups: int) -> np.ndarray:
    """Customers × groups: 1 where the customer belongs to the group."""
    return (codes[:, None] == np.arange(groups)).astype(np.float32)
