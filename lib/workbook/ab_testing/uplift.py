"""Whom should we target? The effect by customer, from what was known before the experiment, and whether it helps.

In: one row a customer with the arm, the value and features that lie before the assignment (`features`). Out: for two
ways of ranking customers by predicted effect, what targeting the first share of them gains beside targeting as many at
random (Qini), with intervals, and a code.

`two_models` fits the value apart in each arm and subtracts: errors of both add up, and the models spend themselves on
who buys, not on whom it moves. `doubly_robust` (DR-learner) fits the effect itself, on
ψ = μ₁ − μ₀ + A (Y − μ₁)/e − (1 − A)(Y − μ₀)/(1 − e), whose mean is the effect whatever the models μ are worth, as the
share e of the treated is known. Everybody is ranked by models that have not seen them: three folds; inside the other
two, ψ of one half comes from models of the other. Rankings are judged by ψ with models of the other folds.

Gain at share s: Σ ψ of the first s·n customers / n. Qini: the mean over s of gain(s) − s × gain(1); 0 at random.
Intervals: bootstrap over customers (Poisson weights); they hold the rankings as fitted.

| code | meaning |
|---|---|
| targets | the doubly robust ranking beats random: the interval of its Qini lies above 0 |
| no_better_than_random | it does not, though there were customers enough |
| too_small | it does not, and there were fewer customers than it takes to see a clear one (`smallest_n`) |

`smallest_n`: customers with which a ranking that finds all of the average effect in the better half (Qini = a quarter
of it) is seen with 80 % power, by the spread found here.

Sources: N. J. Radcliffe, Using control groups to target on predicted lift, 2007 (Qini); E. H. Kennedy, Electronic
Journal of Statistics 17, 2023 (DR-learner); S. Yadlowsky et al., Evaluating treatment prioritization rules, JASA 2024;
S. R. Künzel et al., PNAS 116, 2019 (two models: T-learner).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.stats import norm, rankdata
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from workbook.ab_testing.experiments import of_one_arm
from workbook.history import is_purchase

FEWEST = 200  # customers in each arm, below which no model is fitted
FEWEST_VALUES = 20  # customers in each arm with a value other than 0
METHODS = ("doubly_robust", "two_models")
FEATURES = ("orders", "spend", "mean_order", "recency_days", "age_days", "orders_90d")
GROUPS = 4
POINTS = 21  # of the curve
MANY = 100_000  # customers from which the models are fitted on several cores


class Uplift(NamedTuple):
    """What ranking customers by predicted effect is worth."""

    n: int
    treated_share: float
    ate: float  # average effect, doubly robust, in the metric's unit
    ate_low: float
    ate_high: float
    qini: pd.DataFrame  # method, qini, low, high; and lead: doubly robust minus this, lead_low, lead_high
    curve: pd.DataFrame  # method, share, gain (per customer), low, high, random
    groups: pd.DataFrame  # method, group (1 = highest predicted), n, effect, low, high
    scores: pd.DataFrame  # rank of each customer by method, 0 to 1 (highest), in the order of the rows
    smallest_n: int | None
    code: str  # targets, no_better_than_random, too_small


def features(people: ir.Table, orders: ir.Table) -> ir.Table:
    """What each subject had done before the day of the assignment; nothing of that day or later enters.

    Returns:
        customer_id, orders, spend (net, currency), mean_order, recency_days and age_days (to the assignment; blank for
        who had not bought), orders_90d.
    """
    inside = of_one_arm(people)
    bought = orders.filter(orders.customer_id.notnull(), is_purchase(orders))
    bought = bought.select("customer_id", "ordered_on", worth="amount")  # summed as decimals: the same on every run
    joined = inside.left_join(bought, "customer_id")
    ago = joined.assigned_on.delta(joined.ordered_on, unit="day")
    earlier = ago > 0
    sums = joined.group_by("customer_id").aggregate(
        orders=earlier.cast("float64").sum().coalesce(0.0),
        spend=joined.worth.sum(where=earlier).cast("float64").coalesce(0.0),
        recency_days=ago.min(where=earlier).cast("float64"), age_days=ago.max(where=earlier).cast("float64"),
        orders_90d=(earlier & (ago <= 90)).cast("float64").sum().coalesce(0.0),
    )  # fmt: skip
    return sums.mutate(mean_order=sums.spend / ibis.ifelse(sums.orders > 0, sums.orders, None))


def judge_uplift(
    frame: pd.DataFrame, *, treated: np.ndarray, value: str = "value", features: Sequence[str] = FEATURES,
    treated_share: float | None = None, rng: np.random.Generator, folds: int = 3, repeats: int = 200,
    alpha: float = 0.05,
) -> Uplift:
    """Fit both rankings and judge them on customers that they have not seen.

    Args:
        frame: one row a customer with `value` and the features; blanks in features are allowed.
        treated: whether each row was treated.
        treated_share: as planned; what is found when left out.
    """
    y, a = frame[value].to_numpy(float), np.asarray(treated, bool)
    share = float(a.mean()) if treated_share is None and len(a) else treated_share or math.nan
    if min(a.sum(), (~a).sum()) < FEWEST or min(np.count_nonzero(y[a]), np.count_nonzero(y[~a])) < FEWEST_VALUES:
        return _nothing(len(y), share)
    # Threads cost more than they bring on so few rows, and on a busy machine they wait for each other.
    with threadpool_limits(1 if len(y) < MANY else None, user_api="openmp"):
        ranks, psi = _fitted(frame[list(features)].to_numpy(float), y, a, share, rng, folds)
    z = float(norm.isf(alpha / 2))
    ate, error = float(psi.mean()), float(psi.std(ddof=1) / math.sqrt(len(psi)))
    paths = _paths(ranks, psi, rng, repeats)
    qini = _qini_table(paths, alpha)
    first = qini.iloc[0]
    spread = (first["high"] - first["low"]) / (2 * z)
    clear = abs(ate) / 4  # all of the effect in the better half
    smallest = math.ceil(len(y) * ((z + norm.ppf(0.8)) * spread / clear) ** 2) if clear > 0 else None
    enough = smallest is not None and len(y) >= smallest
    code = "targets" if first["low"] > 0 else "no_better_than_random" if enough else "too_small"
    return Uplift(
        len(y), share, ate, ate - z * error, ate + z * error, qini, _curve_table(paths, alpha),
        pd.concat([_groups(method, rank, psi, z) for method, rank in ranks.items()], ignore_index=True),
        pd.DataFrame(ranks), smallest, code,
    )


def doubly_robust(y: np.ndarray, a: np.ndarray, mu0: np.ndarray, mu1: np.ndarray, share: float) -> np.ndarray:
    """ψ of each customer: its mean is the average effect.

    >>> doubly_robust(np.array([2.0, 1.0]), np.array([True, False]), np.zeros(2), np.zeros(2), 0.5).tolist()
    [4.0, -2.0]
    """
    return mu1 - mu0 + np.where(a, (y - mu1) / share, -(y - mu0) / (1 - share))


def _fitted(
    x: np.ndarray, y: np.ndarray, a: np.ndarray, share: float, rng: np.random.Generator, folds: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Ranks by method and ψ, each from models of the other folds."""
    fold = _dealt(a, folds, rng)
    ranks = {method: np.empty(len(y)) for method in METHODS}
    psi = np.empty(len(y))
    for number in range(folds):
        out, rest = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        mu0, mu1 = _two_models(x[rest], y[rest], a[rest], x[out])
        psi[out] = doubly_robust(y[out], a[out], mu0, mu1, share)
        halves = _dealt(a[rest], 2, rng)
        inner = np.empty(len(rest))
        for half in range(2):
            here, there = rest[halves == half], rest[halves != half]
            inner[halves == half] = doubly_robust(y[here], a[here], *_two_models(x[there], y[there], a[there], x[here]),
                                                  share)
        predicted = {"doubly_robust": _model().fit(x[rest], inner).predict(x[out]), "two_models": mu1 - mu0}
        for method, score in predicted.items():  # models of different folds are not on one scale: ranks inside the fold
            ranks[method][out] = (rankdata(np.round(score, 9)) - 0.5) / len(out)
    return ranks, psi


def _two_models(x: np.ndarray, y: np.ndarray, a: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return _model().fit(x[~a], y[~a]).predict(at), _model().fit(x[a], y[a]).predict(at)


def _model() -> HistGradientBoostingRegressor:
    """Small and slow to learn: effects are weak beside what they are buried in."""
    return HistGradientBoostingRegressor(
        max_iter=40, learning_rate=0.08, max_leaf_nodes=4, min_samples_leaf=40, l2_regularization=5.0,
        early_stopping=False, random_state=0)


def _dealt(a: np.ndarray, parts: int, rng: np.random.Generator) -> np.ndarray:
    """A part for each customer, with both arms shared out evenly."""
    part = np.empty(len(a), int)
    for side in (a, ~a):
        part[side] = rng.permutation(np.arange(side.sum()) % parts)
    return part


class _Path:
    """One ranking, sorted once; customers of equal rank count by their mean."""

    def __init__(self, rank: np.ndarray, psi: np.ndarray) -> None:
        self.order = np.argsort(-rank, kind="stable")
        self.ends = np.append(np.flatnonzero(np.diff(rank[self.order])), len(rank) - 1)
        self.psi = psi[self.order]

    def gains(self, weights: np.ndarray) -> np.ndarray:
        """Gain per customer at each of the points."""
        sorted_weights = weights[self.order]
        heads = np.concatenate([[0.0], np.cumsum(sorted_weights)[self.ends]])
        gains = np.concatenate([[0.0], np.cumsum(sorted_weights * self.psi)[self.ends]])
        return np.interp(np.linspace(0, 1, POINTS) * heads[-1], heads, gains) / heads[-1]


def _paths(
    ranks: dict[str, np.ndarray], psi: np.ndarray, rng: np.random.Generator, repeats: int
) -> dict[str, np.ndarray]:
    """The curve of each ranking: as found in the first row, then of each draw, the same draws for all rankings."""
    sorted_once = {method: _Path(rank, psi) for method, rank in ranks.items()}
    found = {method: [path.gains(np.ones(len(psi)))] for method, path in sorted_once.items()}
    for _ in range(repeats):
        weights = rng.poisson(1.0, len(psi)).astype(float)
        for method, path in sorted_once.items():
            found[method].append(path.gains(weights))
    return {method: np.stack(curves) for method, curves in found.items()}


def _area(curves: np.ndarray) -> np.ndarray:
    """Qini of each curve: mean height over the straight line to its end."""
    over = curves - np.linspace(0, 1, POINTS) * curves[:, -1:]
    return np.trapezoid(over, dx=1 / (POINTS - 1), axis=1)


def _qini_table(paths: dict[str, np.ndarray], alpha: float) -> pd.DataFrame:
    areas = {method: _area(curves) for method, curves in paths.items()}
    first = areas[METHODS[0]]
    rows = []
    for method, area in areas.items():
        low, high = np.quantile(area[1:], [alpha / 2, 1 - alpha / 2])
        lead_low, lead_high = np.quantile((first - area)[1:], [alpha / 2, 1 - alpha / 2])
        rows.append((method, area[0], low, high, first[0] - area[0], lead_low, lead_high))
    return pd.DataFrame(rows, columns=["method", "qini", "low", "high", "lead", "lead_low", "lead_high"])


def _curve_table(paths: dict[str, np.ndarray], alpha: float) -> pd.DataFrame:
    shares = np.linspace(0, 1, POINTS)
    parts = []
    for method, curves in paths.items():
        low, high = np.quantile(curves[1:], [alpha / 2, 1 - alpha / 2], axis=0)
        parts.append(pd.DataFrame({"method": method, "share": shares, "gain": curves[0], "low": low, "high": high,
                                   "random": shares * curves[0, -1]}))
    return pd.concat(parts, ignore_index=True)


def _groups(method: str, rank: np.ndarray, psi: np.ndarray, z: float) -> pd.DataFrame:
    """The effect in groups of customers by predicted effect."""
    group = GROUPS - np.minimum((rank * GROUPS).astype(int), GROUPS - 1)
    rows = []
    for number in range(1, GROUPS + 1):
        mine = psi[group == number]
        if len(mine) > 1:
            half = z * mine.std(ddof=1) / math.sqrt(len(mine))
            rows.append((method, number, len(mine), mine.mean(), mine.mean() - half, mine.mean() + half))
    return pd.DataFrame(rows, columns=["method", "group", "n", "effect", "low", "high"])


def _nothing(n: int, share: float) -> Uplift:
    none = math.nan
    return Uplift(
        n, share, none, none, none,
        pd.DataFrame(columns=["method", "qini", "low", "high", "lead", "lead_low", "lead_high"]),
        pd.DataFrame(columns=["method", "share", "gain", "low", "high", "random"]),
        pd.DataFrame(columns=["method", "group", "n", "effect", "low", "high"]),
        pd.DataFrame(columns=list(METHODS)), None, "too_small")
