"""BG/NBD: customers buy at their own rate until, after one of their purchases, they leave unseen.

Rates are gamma distributed (shape r, scale parameter alpha in time units), the probability to leave after a purchase
beta distributed (a, b). The likelihood of x repeat purchases, the last at t_x, observed for T:

    Γ(r+x) α^r / Γ(r) · B(a, b+x) / B(a, b) · [ (α+T)^-(r+x)  +  a / (b+x−1) · (α+t_x)^-(r+x)  if x > 0 ]

MBG/NBD lets customers leave after the first purchase too: the same with one more chance to leave. `Geometric` is
both; `extra` is 0 or 1. Everything is computed in logs, so that 1,000 purchases by one customer are safe.

Expected purchases are means of [1 − (1 + p t / (α+T))^-(r+x)] / p over the beta distribution of the probability p,
taken with the Gaussian nodes of that distribution: the published 2F1 forms are the same mean, and break down for
frequent buyers.

Sources: P. S. Fader, B. G. S. Hardie & K. L. Lee, "Counting Your Customers" the Easy Way, Marketing Science 24, 2005;
E. P. Batislam, M. Denizel & A. Filiztekin, Empirical validation and comparison of models for customer base analysis,
IJRM 24, 2007; G. H. Golub & J. H. Welsch, Calculation of Gauss quadrature rules, 1969.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, digamma, gammaln

NODES = 24  # of the Gaussian rule; 12 already agree with 2F1 to nine digits on CDNOW


@dataclass(frozen=True)
class Geometric:
    """BG/NBD (`extra` 0) or MBG/NBD (`extra` 1). Parameters are r, alpha, a, b; times in the unit of alpha."""

    name: str
    extra: int
    names: tuple[str, ...] = ("r", "alpha", "a", "b")
    in_time: tuple[bool, ...] = (False, True, False, False)  # which parameters are times
    starts: tuple[tuple[float, ...], ...] = ((0.5, 0.5, 1.0, 2.5), (1.5, 1.0, 0.3, 3.0), (0.1, 0.1, 2.0, 2.0))

    def log_likelihood(
        self, values: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of each customer, and its derivatives by the logarithms of the parameters (4 × customers)."""
        r, alpha, a, b = values
        which = x.astype(np.int64)
        kinds = np.arange(which.max(initial=0) + 1.0)  # functions of x alone are computed once a count
        late = b + kinds + self.extra - 1.0
        start = gammaln(r + kinds) - gammaln(r) + r * np.log(alpha)
        start += gammaln(a) + gammaln(late + 1) - gammaln(a + late + 1) - betaln(a, b)
        log_end, log_last = np.log(alpha + T), np.log(alpha + t_x)
        rate = r + x
        safe = np.where(late > 0, late, 1.0)
        left = np.where((kinds > 0) | (self.extra > 0), np.log(a) - np.log(safe), -np.inf)[which] - rate * log_last
        stayed = -rate * log_end
        both = np.logaddexp(stayed, left)
        alive = np.exp(stayed - both)
        gone = 1.0 - alive
        both_ab = digamma(a + b) - digamma(a + late + 1)
        slopes = np.stack(
            [
                (digamma(r + kinds) - digamma(r) + np.log(alpha))[which] - alive * log_end - gone * log_last,
                r / alpha - rate * (alive / (alpha + T) + gone / (alpha + t_x)),
                both_ab[which] + gone / a,
                (both_ab + digamma(late + 1) - digamma(b))[which] - gone / safe[which],
            ]
        )
        return start[which] + both, slopes * np.asarray(values)[:, None]

    def alive(self, values: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """The chance that a customer has not left yet; 1 for one-time buyers under BG/NBD, who cannot have."""
        r, alpha, a, b = values
        late = b + x + self.extra - 1.0
        can_leave = (x > 0) | (self.extra > 0)
        odds = np.log(a) - np.log(np.where(can_leave, late, 1.0)) + (r + x) * (np.log(alpha + T) - np.log(alpha + t_x))
        return np.where(can_leave, 1.0 / (1.0 + np.exp(np.minimum(odds, 700.0))), 1.0)

    def if_alive(self, values: np.ndarray, x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Expected purchases of the next `t` of a customer who has not left."""
        r, alpha, a, b = values
        counts = x.astype(np.int64)
        kinds = np.flatnonzero(np.bincount(counts))
        which = np.searchsorted(kinds, counts)
        rules = [beta_rule(a, b + k + self.extra) for k in kinds]
        nodes, weights = (np.stack([rule[i] for rule in rules])[which] for i in (0, 1))
        shape = (r + x)[:, None]
        bought = -np.expm1(-shape * np.log1p(nodes * (t / (alpha + T))[:, None])) / nodes
        return (weights * bought).sum(axis=1)

    def expected(self, values: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Expected purchases of the next `t`, given what was seen."""
        return self.alive(values, x, t_x, T) * self.if_alive(values, x, T, t)

    def faster(
        self, values: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float, speed: float
    ) -> np.ndarray:
        """Expected purchases of the next `t` if from now on everyone bought `speed` times as fast (and left sooner)."""
        return self.expected(values, x, t_x, T, t * speed)

    def total(self, values: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Expected repeat purchases of a new customer within `t`: E[X(t)]."""
        r, alpha, a, b = values
        nodes, weights = beta_rule(a, b + self.extra)
        stays = b / (a + b) if self.extra else 1.0
        bought = -np.expm1(-r * np.log1p(nodes * np.asarray(t, float)[..., None] / alpha)) / nodes
        return stays * (weights * bought).sum(axis=-1)

    def draw(
        self, values: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float, rng: np.random.Generator,
        faster: float = 1.0,
    ) -> np.ndarray:
        """Purchases of the next `t`, drawn: as many as the rate gives, but none after the one with which one leaves.

        Args:
            faster: multiplies every rate.
        """
        r, alpha, a, b = values
        wanted = rng.poisson(rng.standard_gamma(r + x) * (faster * t / (alpha + T)))
        wanted[rng.random(len(x)) >= self.alive(values, x, t_x, T)] = 0
        buyers = np.flatnonzero(wanted)
        leaves = np.clip(rng.beta(a, b + x[buyers] + self.extra), 1e-12, 1.0)
        wanted[buyers] = np.minimum(wanted[buyers], rng.geometric(leaves))
        return wanted


def beta_rule(a: float, b: float, nodes: int = NODES) -> tuple[np.ndarray, np.ndarray]:
    """Nodes in (0, 1) and weights (sum 1) with which polynomials of a beta(a, b) variable have their exact mean.

    >>> p, w = beta_rule(2.0, 3.0)
    >>> round(float(w @ p), 12), round(float(w @ p**2), 12)
    (0.4, 0.2)
    """
    k = np.arange(nodes, dtype=float)
    shifted = 2 * k + a + b - 2
    middle = np.empty(nodes)
    middle[0] = a / (a + b)
    middle[1:] = 0.5 + (a - b) * (a + b - 2) / (2 * shifted[1:] * (shifted[1:] + 2))
    k, shifted = k[1:], shifted[1:]
    side = np.empty(nodes - 1)
    side[0] = a * b / ((a + b) ** 2 * (a + b + 1))
    k, shifted = k[1:], shifted[1:]
    top = k * (k + a - 1) * (k + b - 1) * (k + a + b - 2)
    side[1:] = top / (shifted**2 * (shifted + 1) * (shifted - 1))
    matrix = np.diag(middle) + np.diag(np.sqrt(side), 1) + np.diag(np.sqrt(side), -1)
    values, vectors = np.linalg.eigh(matrix)
    return np.clip(values, 1e-15, 1.0), vectors[0] ** 2


BG_NBD = Geometric("bg_nbd", extra=0)
