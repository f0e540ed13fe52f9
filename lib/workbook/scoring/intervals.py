"""95 % intervals: Wilson's for a share, the bootstrap over customers for everything else.

The bootstrap gives each customer a weight from a Poisson distribution with mean 1 and measures again, many times; all
predictions see the same weights, so that the lead of one over another is judged in pairs. Of more than `LARGEST`
customers the draws are made on a sample of that many, and their spread is narrowed by the root of the sample's share.

Sources: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927;
B. Efron & R. Tibshirani, An Introduction to the Bootstrap, 1993; N. Chamandy and others, Estimating uncertainty for
massive data streams, 2012 (Poisson weights).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

Z = 1.959963984540054  # 97.5 % quantile of the normal distribution
LARGEST = 50_000  # customers whose weights are drawn
_CELLS = 2_500_000  # weights held in memory at once


class Estimate(NamedTuple):
    """A value with its 95 % interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, n: int) -> Estimate:
    """A share with its interval by Wilson's score: right also for few, none or all. Of nobody: not a number.

    >>> [round(x, 3) for x in wilson(0, 10)]
    [0.0, 0.0, 0.278]
    """
    if n == 0:
        return Estimate(math.nan, math.nan, math.nan)
    p, z2 = successes / n, Z * Z
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Estimate(p, max(0.0, centre - half), min(1.0, centre + half))


class Measured(NamedTuple):
    """Measures of everybody, and of every draw (last axis)."""

    point: np.ndarray
    draws: np.ndarray

    @property
    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of each measure's interval; blank where no draw could be measured."""
        return ends(self.draws)

    @property
    def leads(self) -> Measured:
        """The first row minus each row, draw by draw."""
        return Measured(self.point[:1] - self.point, self.draws[:1] - self.draws)


Weighing = Callable[[np.ndarray], np.ndarray]  # weights (customers × draws) → measures (…, draws)


def bootstrap(of: Callable[[np.ndarray], Weighing], n: int, *, rng: np.random.Generator, repeats: int) -> Measured:
    """Measures `n` customers as they are, and again under `repeats` draws of weights.

    Args:
        of: the places of some customers → how their weights become measures.
    """
    everybody = np.arange(n)
    whole = of(everybody)
    point = whole(np.ones((n, 1)))[..., 0]
    if n <= LARGEST:
        return Measured(point, _drawn(whole, n, rng, repeats))
    sample = of(np.sort(rng.choice(n, LARGEST, replace=False)))
    centre = sample(np.ones((LARGEST, 1)))
    spread = (_drawn(sample, LARGEST, rng, repeats) - centre) * math.sqrt(LARGEST / n)
    return Measured(point, point[..., None] + spread)


def _drawn(measured: Weighing, n: int, rng: np.random.Generator, repeats: int) -> np.ndarray:
    """Measures of all draws, made in batches that bound the memory."""
    size = max(1, _CELLS // max(n, 1))
    batches = [min(size, repeats - start) for start in range(0, repeats, size)]
    return np.concatenate([measured(rng.poisson(1.0, (n, batch)).astype(float)) for batch in batches], axis=-1)


def ends(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 2.5 % and 97.5 % percentiles along the last axis, of the draws that are known; blank where none is."""
    known = ~np.isnan(draws)
    filled = np.where(known.any(axis=-1, keepdims=True), draws, 0.0)
    low, high = np.nanpercentile(filled, [2.5, 97.5], axis=-1)
    unknown = ~known.any(axis=-1)
    return np.where(unknown, np.nan, low), np.where(unknown, np.nan, high)


def ratio(top: np.ndarray, bottom: np.ndarray) -> np.ndarray:
    """Division that is blank where the lower number is not positive."""
    positive = bottom > 0
    return np.where(positive, top / np.where(positive, bottom, 1.0), np.nan)
