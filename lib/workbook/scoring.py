"""How lists are judged: what a list of customers catches, beside naive lists of the same size.

Every way of choosing gives each customer a number; the list is the customers with the highest. What counts is what
the list catches of what happened afterwards: the share of all buyers, and of all their money. A choice is worth its
trouble only if it catches more than the naive choices at the same length, and the interval says by how much.

Where a list ends in the middle of equal numbers, its last places are drawn by lot: each of the tied customers counts
with the chance of being drawn, so that no order of rows decides.

Intervals: bootstrap over customers (each customer's weight is drawn from a Poisson distribution with mean 1),
2.5 % to 97.5 %; shares of a count: Wilson. What is caught is response, not uplift: who would have bought anyway is
caught too (see 07).

Sources: B. Efron & R. Tibshirani, An Introduction to the Bootstrap, 1993; E. B. Wilson, JASA 22, 1927.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from workbook.data.errors import WorkbookError

Z = 1.959963984540054  # 97.5 % quantile of the normal distribution


class Estimate(NamedTuple):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, n: int) -> Estimate:
    """A share with its interval by Wilson's score: right also for few, none or all.

    >>> [round(x, 3) for x in wilson(0, 10)]
    [0.0, 0.0, 0.278]
    """
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan)
    p, z2 = successes / n, Z * Z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Estimate(p, max(0.0, centre - half), min(1.0, centre + half))


class Ranking:
    """Customers sorted by one number, highest first, equal numbers as one group."""

    def __init__(self, numbers: np.ndarray) -> None:
        numbers = np.asarray(numbers, float)
        self.order = np.argsort(-numbers, kind="stable")
        falls = np.flatnonzero(np.diff(numbers[self.order]))
        self.ends = np.append(falls, len(numbers) - 1) if len(numbers) else falls  # last place of each group

    def caught(self, outcome: np.ndarray, weights: np.ndarray, size: float) -> float:
        """Outcome of the first `size` customers, counted by weight."""
        if not len(self.ends):
            return 0.0
        sorted_weights = weights[self.order]
        heads = np.cumsum(sorted_weights)[self.ends]
        gains = np.cumsum(sorted_weights * outcome[self.order])[self.ends]
        last = int(np.searchsorted(heads, size))  # the group in which the list ends
        if last == len(heads):
            return float(gains[-1])
        heads_before, gains_before = (heads[last - 1], gains[last - 1]) if last else (0.0, 0.0)
        width = heads[last] - heads_before
        part = (size - heads_before) / width if width > 0 else 0.0
        return float(gains_before + part * (gains[last] - gains_before))

    def chances(self, size: float) -> np.ndarray:
        """Each customer's chance of a place on a list of `size`.

        >>> Ranking(np.array([3, 1, 1, 2])).chances(3)
        array([1. , 0.5, 0.5, 1. ])
        """
        heads = np.diff(self.ends, prepend=-1)
        taken = np.clip((size - (self.ends + 1 - heads)) / heads, 0, 1)
        chances = np.empty(len(self.order))
        chances[self.order] = np.repeat(taken, heads)
        return chances


def judge(
    rankings: Mapping[str, np.ndarray],
    outcomes: Mapping[str, np.ndarray],
    *,
    share: float,
    rng: np.random.Generator,
    repeats: int = 200,
) -> pd.DataFrame:
    """What each list catches of each outcome, with intervals, and what it catches more than the first list does less.

    Args:
        rankings: name → a number per customer, highest first; the first name is the one on trial.
        outcomes: name → what happened to each customer (1 bought, or money); totals must not be negative.
        share: length of the list, as a share of the customers (0.2: the first fifth).
        repeats: bootstrap draws.

    Returns:
        ranking, outcome, share, low, high (of the outcome's total), lead, lead_low, lead_high: how much more of the
        total the first ranking catches than this one. Blank where the outcome did not happen at all.
    """
    if not 0 < share <= 1:
        raise WorkbookError(f"A list cannot be {share} of the customers.", way_out="Write a share such as 0.2.")
    n = len(next(iter(rankings.values())))
    ranked = {name: Ranking(numbers) for name, numbers in rankings.items()}
    values = {name: np.asarray(outcome, float) for name, outcome in outcomes.items()}
    point = _shares(ranked, values, np.ones(n), share)
    draws = np.stack([_shares(ranked, values, rng.poisson(1.0, n).astype(float), share) for _ in range(repeats)])
    leads = point[:1] - point, draws[:, :1] - draws
    rows = [
        {
            "ranking": ranking,
            "outcome": outcome,
            "share": point[i, j],
            "low": _end(draws[:, i, j], 2.5),
            "high": _end(draws[:, i, j], 97.5),
            "lead": leads[0][i, j],
            "lead_low": _end(leads[1][:, i, j], 2.5),
            "lead_high": _end(leads[1][:, i, j], 97.5),
        }
        for j, outcome in enumerate(values)
        for i, ranking in enumerate(ranked)
    ]
    return pd.DataFrame(rows)


def _shares(
    ranked: Mapping[str, Ranking], outcomes: Mapping[str, np.ndarray], weights: np.ndarray, share: float
) -> np.ndarray:
    """Share of each outcome's total that each list catches: lists down, outcomes across."""
    size = share * weights.sum()
    totals = np.array([weights @ outcome for outcome in outcomes.values()])
    caught = np.array([[ranking.caught(o, weights, size) for o in outcomes.values()] for ranking in ranked.values()])
    return np.where(totals > 0, caught / np.where(totals > 0, totals, 1), np.nan)


def _end(draws: np.ndarray, percentile: float) -> float:
    known = draws[~np.isnan(draws)]
    return float(np.percentile(known, percentile)) if len(known) else math.nan


def curve(ranking: np.ndarray, outcome: np.ndarray, *, points: int = 20) -> pd.DataFrame:
    """Share of the outcome caught by lists of growing length: list_share, caught_share."""
    ranked, outcome = Ranking(ranking), np.asarray(outcome, float)
    ones, total = np.ones(len(outcome)), float(outcome.sum()) or math.nan
    lengths = np.linspace(0, 1, points + 1)
    caught = [ranked.caught(outcome, ones, length * len(outcome)) / total for length in lengths]
    return pd.DataFrame({"list_share": lengths, "caught_share": caught})


def break_even(*, cost: float, value: float | None, margin: float) -> float | None:
    """The response rate from which a letter pays: its cost over the margin of what an answer brings.

    >>> break_even(cost=1.0, value=40.0, margin=0.5)
    0.05
    """
    gain = margin * (value or 0.0)
    return cost / gain if gain > 0 else None
