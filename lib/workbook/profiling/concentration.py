"""How unequally revenue is spread over customers: Lorenz curve, Gini coefficient, share of the best.

One number a customer goes in (net revenue in a window, of those who bought in it). A customer whose returns outweigh
their purchases counts as zero: shares of a total make no sense with debts in it; how many there are is told.

Gini = Σ (2i − n − 1) xᵢ / (n Σ xᵢ), x ascending, i from 1 to n: 0 when all are equal, near 1 when one has everything.
The interval comes from a bootstrap over customers: percentiles of the coefficient in samples drawn with replacement.

Sources: C. Gini, Variabilità e mutabilità, 1912; M. O. Lorenz, Methods of measuring the concentration of wealth, 1905;
B. Efron, Bootstrap methods: another look at the jackknife, 1979.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
WORK = 20_000_000  # values drawn by all resamples together, to bound the time


class Interval(NamedTuple):
    """An estimate with its 95 % interval."""

    value: float
    low: float
    high: float


class Spread(NamedTuple):
    """How long the tail is."""

    mean: float
    median: float
    above_mean: float  # share of customers above the mean
    quantiles: dict[float, float]  # probability → value
    largest: float
    negative: int  # customers whose returns outweigh their purchases


def floored(values: np.ndarray) -> np.ndarray:
    """Values in ascending order, debts counted as zero."""
    return np.sort(np.clip(np.asarray(values, dtype=float), 0.0, None))


def gini(values: np.ndarray) -> float:
    """Gini coefficient of the values.

    >>> gini(np.array([1.0, 1.0, 1.0, 1.0])), gini(np.array([0.0, 0.0, 0.0, 1.0]))
    (0.0, 0.75)
    """
    x = floored(values)
    return float(((2 * np.arange(1, len(x) + 1) - len(x) - 1) * x).sum() / (len(x) * x.sum()))


def top_share(values: np.ndarray, *, top: float = 0.2) -> float:
    """Share of the sum that the largest `top` of the values hold; a customer at the border counts in part.

    >>> top_share(np.array([1.0, 1.0, 1.0, 1.0, 6.0]))
    0.6
    """
    x = floored(values)
    held = np.concatenate([[0.0], x.cumsum() / x.sum()])
    return float(1 - np.interp(1 - top, np.linspace(0, 1, len(held)), held))


def lorenz(values: np.ndarray, *, points: int = 101) -> pd.DataFrame:
    """The curve, poorest first: customers (cumulative share), revenue (cumulative share they hold)."""
    x = floored(values)
    across = np.linspace(0, 1, points)
    held = np.concatenate([[0.0], x.cumsum() / x.sum()])
    return pd.DataFrame({"customers": across, "revenue": np.interp(across, np.linspace(0, 1, len(held)), held)})


def with_interval(values: np.ndarray, *, rng: np.random.Generator, top: float = 0.2) -> tuple[Interval, Interval]:
    """Gini coefficient and the share of the best, each with a bootstrap interval."""
    x = floored(values)
    draws = int(np.clip(WORK // len(x), 100, 1000))
    each = np.full(len(x), 1 / len(x))
    drawn = np.array([_resampled(x, rng.multinomial(len(x), each), top) for _ in range(draws)])
    low, high = np.nanquantile(drawn, [0.025, 0.975], axis=0)
    best = Interval(top_share(x, top=top), float(low[1]), float(high[1]))
    return Interval(gini(x), float(low[0]), float(high[0])), best


def _resampled(x: np.ndarray, times: np.ndarray, top: float) -> tuple[float, float]:
    """Gini and top share of a sample in which the sorted values come up so many times; no sorting again."""
    if not (times * x).sum():
        return np.nan, np.nan
    people = np.concatenate([[0.0], times.cumsum() / times.sum()])
    held = np.concatenate([[0.0], (times * x).cumsum() / (times * x).sum()])
    area = float((np.diff(people) * (held[1:] + held[:-1])).sum() / 2)
    return 1 - 2 * area, float(1 - np.interp(1 - top, people, held))


def spread(values: np.ndarray) -> Spread:
    """Mean, median and quantiles: what a mean alone hides."""
    x = np.asarray(values, dtype=float)
    return Spread(
        mean=float(x.mean()),
        median=float(np.median(x)),
        above_mean=float((x > x.mean()).mean()),
        quantiles={p: float(q) for p, q in zip(QUANTILES, np.quantile(x, QUANTILES), strict=True)},
        largest=float(x.max()),
        negative=int((x < 0).sum()),
    )


def on_log_scale(values: np.ndarray, *, bins: int = 24) -> pd.DataFrame:
    """Histogram with edges at equal ratios: left, right, count. Values at or below zero are left out."""
    x = np.asarray(values, dtype=float)
    x = x[x > 0]
    if not len(x):
        return pd.DataFrame({"left": [], "right": [], "count": []})
    edges = np.geomspace(x.min() * 0.999, max(x.max() * 1.001, x.min() * 1.01), bins + 1)
    return _binned(x, edges)


def on_plain_scale(values: np.ndarray, *, bins: int = 24) -> pd.DataFrame:
    """Histogram with edges at equal distances: left, right, count."""
    x = np.asarray(values, dtype=float)
    return _binned(x, np.histogram_bin_edges(x, bins=bins))


def _binned(x: np.ndarray, edges: np.ndarray) -> pd.DataFrame:
    counts, _ = np.histogram(x, bins=edges)
    return pd.DataFrame({"left": edges[:-1], "right": edges[1:], "count": counts})
