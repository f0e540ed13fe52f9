"""Shares and ratios of single customers, drawn towards what is usual, so that few cases accuse nobody.

One return out of one order is a share of 100 % and says next to nothing. Everybody's own rate is taken as drawn from
a distribution that all customers together show (empirical Bayes); what is reported of one customer is the rate that
their few cases and this distribution together make likely, and the probability that it lies above a stated limit.

Counts beside an expectation: gamma-Poisson with a mixture of two gammas (most are ordinary, a few are not). Shares of
a number of cases: beta-binomial.

Sources: W. DuMouchel, Bayesian Data Mining in Large Frequency Tables, The American Statistician 53, 1999 (the
mixture); B. Efron, Large-Scale Inference, 2010 (empirical Bayes); J. G. Skellam, JRSS B 10, 1948 (beta-binomial).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import optimize, special, stats

LARGEST = 12.0  # of a parameter's logarithm: beyond it the distribution is a point, and no number moves


class BetaPrior(NamedTuple):
    """How the shares of customers are spread."""

    a: float
    b: float

    @property
    def mean(self) -> float:
        return self.a / (self.a + self.b)

    def expected(self, happened: np.ndarray, cases: np.ndarray) -> np.ndarray:
        """Each one's share, drawn towards the usual one.

        >>> BetaPrior(1, 9).expected(np.array([1, 10]), np.array([1, 10]))
        array([0.18181818, 0.55      ])
        """
        return (self.a + happened) / (self.a + self.b + cases)

    def above(self, share: float, happened: np.ndarray, cases: np.ndarray) -> np.ndarray:
        """The probability that the own share is larger than `share`."""
        return stats.beta.sf(share, self.a + happened, self.b + cases - happened)


def beta_prior(happened: np.ndarray, cases: np.ndarray) -> BetaPrior:
    """By maximum likelihood; equal customers are merged and weighted."""
    k, n, weights = _merged(happened, cases)

    def lost(logs: np.ndarray) -> float:
        a, b = np.exp(logs)
        return -float(weights @ (special.betaln(a + k, b + n - k) - special.betaln(a, b)))

    mean = np.clip((weights @ k + 0.5) / (weights @ n + 1), 1e-4, 1 - 1e-4)
    starts = [np.log([strength * mean, strength * (1 - mean)]) for strength in (1.0, 10.0, 100.0)]
    return BetaPrior(*np.exp(_best(lost, starts)))


class GammaMixture(NamedTuple):
    """How the ratios of observed to expected counts are spread: two gamma distributions (shape, rate)."""

    weight: float  # share of the first
    shape_1: float
    rate_1: float
    shape_2: float
    rate_2: float

    def above(self, ratio: float, observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """The probability that the own ratio is larger than `ratio`."""
        first, second = self._tails(ratio, observed, expected)
        own = self._first(observed, expected)
        return own * first + (1 - own) * second

    def expected_ratio(self, observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """Each one's ratio, drawn towards the usual one."""
        own = self._first(observed, expected)
        means = [(a + observed) / (b + expected) for a, b in self._parts()]
        return own * means[0] + (1 - own) * means[1]

    def _parts(self) -> tuple[tuple[float, float], tuple[float, float]]:
        return (self.shape_1, self.rate_1), (self.shape_2, self.rate_2)

    def _tails(self, ratio: float, observed: np.ndarray, expected: np.ndarray) -> list[np.ndarray]:
        return [stats.gamma.sf(ratio, a + observed, scale=1 / (b + expected)) for a, b in self._parts()]

    def _first(self, observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
        """The probability that a customer belongs to the first of the two."""
        one, two = (_log_negative_binomial(observed, expected, a, b) for a, b in self._parts())
        return special.expit(special.logit(self.weight) + one - two)


def gamma_mixture(observed: np.ndarray, expected: np.ndarray) -> GammaMixture:
    """By maximum likelihood from several starts; the first part is the one with the smaller mean."""
    k, e, weights = _merged(observed, np.round(expected, 4))

    def lost(x: np.ndarray) -> float:
        one = _log_negative_binomial(k, e, *np.exp(x[1:3]))
        two = _log_negative_binomial(k, e, *np.exp(x[3:5]))
        both = np.logaddexp(one - np.logaddexp(0, -x[0]), two - np.logaddexp(0, x[0]))
        return -float(weights @ both)

    starts = [np.array([2.5, *np.log([s, s, 2.0, 2.0 / far])]) for s in (1.0, 5.0) for far in (4.0, 10.0)]
    x = _best(lost, starts)
    parts = sorted([tuple(np.exp(x[1:3])), tuple(np.exp(x[3:5]))], key=lambda part: part[0] / part[1])
    swapped = parts[0] != tuple(np.exp(x[1:3]))
    share = float(np.clip(special.expit(-x[0] if swapped else x[0]), 1e-6, 1 - 1e-6))
    return GammaMixture(share, *map(float, parts[0]), *map(float, parts[1]))


class GammaPrior(NamedTuple):
    """How the rates of customers are spread: events in a unit of time."""

    shape: float
    rate: float

    def fewer(self, seen: np.ndarray, before: np.ndarray, time: np.ndarray, ahead: np.ndarray) -> np.ndarray:
        """The probability of `seen` events or fewer in `ahead`, after `before` events in `time`."""
        return stats.nbinom.cdf(seen, self.shape + before, (self.rate + time) / (self.rate + time + ahead))

    def expected(self, before: np.ndarray, time: np.ndarray) -> np.ndarray:
        """Each one's rate, drawn towards the usual one."""
        return (self.shape + before) / (self.rate + time)


def gamma_prior(events: np.ndarray, time: np.ndarray) -> GammaPrior:
    """By maximum likelihood."""
    k, t, weights = _merged(events, time)
    mean = max(float(weights @ k) / float(weights @ t), 1e-6)

    def lost(logs: np.ndarray) -> float:
        return -float(weights @ _log_negative_binomial(k, t, *np.exp(logs)))

    return GammaPrior(*map(float, np.exp(_best(lost, [np.log([s, s / mean]) for s in (0.5, 2.0, 10.0)]))))


def _log_negative_binomial(k: np.ndarray, exposure: np.ndarray, shape: float, rate: float) -> np.ndarray:
    """Log probability of `k` events where the rate is gamma distributed, but for what does not depend on it."""
    return (special.gammaln(shape + k) - special.gammaln(shape) + shape * np.log(rate / (rate + exposure))
            - k * np.log(rate + exposure))


def _merged(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    pairs, counts = np.unique(np.column_stack([first, second]).astype(float), axis=0, return_counts=True)
    return pairs[:, 0], pairs[:, 1], counts.astype(float)


def _best(lost, starts: list[np.ndarray]) -> np.ndarray:
    bounds = [(-LARGEST, LARGEST)] * len(starts[0])
    found = [optimize.minimize(lost, start, method="L-BFGS-B", bounds=bounds) for start in starts]
    return min(found, key=lambda result: result.fun).x
