"""Pareto/NBD: customers buy at their own rate until they leave, unseen, at any time.

Rates are gamma distributed (r, alpha), the rates of leaving too (s, beta); alpha and beta are times. The likelihood of
x repeat purchases, the last at t_x, observed for T, is the sum of "still there" and "left at τ after t_x":

    Γ(r+x)/Γ(r) α^r β^s · [ (α+T)^-(r+x) (β+T)^-s  +  s ∫ (α+τ)^-(r+x) (β+τ)^-(s+1) dτ  from t_x to T ]

The integral is usually written as a difference of two 2F1, which cancels. Here it is taken by Gauss-Legendre nodes in
log(c+τ), c being alpha or beta, whichever lets the integrand fall faster: its decay becomes exponential and is resolved
up to a thousand purchases and more; all derivatives are integrals with the same nodes. Verified against 2F1 and
against adaptive quadrature (tests).

Sources: D. C. Schmittlein, D. G. Morrison & R. Colombo, Counting Your Customers, Management Science 33, 1987;
P. S. Fader & B. G. S. Hardie, A Note on Deriving the Pareto/NBD Model and Related Expressions, 2005.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import digamma, gammaln

NODES, WEIGHTS = np.polynomial.legendre.leggauss(32)
DECAY = 50.0  # natural logarithms over which either factor of the integrand is followed: the rest is nothing
ROWS = 20_000  # customers whose nodes are held at a time


@dataclass(frozen=True)
class ParetoNbd:
    """Parameters are r, alpha, s, beta; times in the unit of alpha and beta."""

    name: str = "pareto_nbd"
    names: tuple[str, ...] = ("r", "alpha", "s", "beta")
    in_time: tuple[bool, ...] = (False, True, False, True)
    starts: tuple[tuple[float, ...], ...] = ((0.7, 0.4, 0.6, 0.4), (1.5, 1.0, 1.5, 2.0), (0.3, 0.1, 0.3, 0.1))

    def log_likelihood(
        self, values: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of each customer, and its derivatives by the logarithms of the parameters (4 × customers)."""
        parts = [
            _likelihood(values, x[i : i + ROWS], t_x[i : i + ROWS], T[i : i + ROWS]) for i in range(0, len(x), ROWS)
        ]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts], axis=1)

    def alive(self, values: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray) -> np.ndarray:
        """The chance that a customer has not left yet."""
        r, alpha, s, beta = values
        parts = [
            _left(values, x[i : i + ROWS], t_x[i : i + ROWS], T[i : i + ROWS])[0] for i in range(0, len(x), ROWS)
        ]
        odds = np.log(s) + np.concatenate(parts) + (r + x) * np.log(alpha + T) + s * np.log(beta + T)
        return 1.0 / (1.0 + np.exp(np.minimum(odds, 700.0)))

    def if_alive(self, values: np.ndarray, x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Expected purchases of the next `t` of a customer who has not left."""
        r, alpha, s, beta = values
        return (r + x) / (alpha + T) * (beta + T) * _mean_stay(s, np.log1p(t / (beta + T)))

    def expected(self, values: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float) -> np.ndarray:
        """Expected purchases of the next `t`, given what was seen."""
        return self.alive(values, x, t_x, T) * self.if_alive(values, x, T, t)

    def faster(
        self, values: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float, speed: float
    ) -> np.ndarray:
        """Expected purchases of the next `t` if from now on everyone bought `speed` times as fast."""
        return speed * self.expected(values, x, t_x, T, t)

    def total(self, values: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Expected repeat purchases of a new customer within `t`: E[X(t)]."""
        r, alpha, s, beta = values
        return r * beta / alpha * _mean_stay(s, np.log1p(np.asarray(t, float) / beta))

    def draw(
        self, values: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray, t: float, rng: np.random.Generator,
        faster: float = 1.0,
    ) -> np.ndarray:
        """Purchases of the next `t`, drawn. `faster` multiplies every rate."""
        r, alpha, s, beta = values
        there = rng.random(len(x)) < self.alive(values, x, t_x, T)
        leaving = np.maximum(rng.standard_gamma(s, len(x)) / (beta + T), 1e-9 / t)  # slower ones stay anyway
        stay = np.minimum(rng.standard_exponential(len(x)) / leaving, t)
        return rng.poisson(np.where(there, rng.standard_gamma(r + x) / (alpha + T) * faster * stay, 0.0))


def _mean_stay(s: float, log_growth: np.ndarray) -> np.ndarray:
    """[1 − growth^-(s−1)] / (s − 1), and its limit ln(growth) at s = 1."""
    z = (s - 1.0) * log_growth
    small = np.abs(z) < 1e-8
    return log_growth * np.where(small, 1.0 - z / 2, -np.expm1(-z) / np.where(small, 1.0, z))


def _left(
    values: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logarithm of the integral over the times of leaving; those times; and the share of each in the integral."""
    r, alpha, s, beta = values
    c = np.where((r + x) / (alpha + t_x) > (s + 1) / (beta + t_x), alpha, beta)
    by_rate = (alpha + t_x) * np.expm1(np.minimum(DECAY / (r + x), 700.0))
    by_leaving = (beta + t_x) * np.expm1(min(DECAY / (s + 1), 700.0))
    width = np.log1p(np.minimum(T - t_x, np.minimum(by_rate, by_leaving)) / (c + t_x))
    w = (0.5 * width)[:, None] * (NODES + 1.0)
    first = (c + t_x)[:, None]
    tau = t_x[:, None] + first * np.expm1(w)
    height = -(r + x)[:, None] * np.log(alpha + tau) - (s + 1) * np.log(beta + tau) + w + np.log(first)
    top = height.max(axis=1, keepdims=True)
    mass = WEIGHTS * np.exp(height - top)
    whole = mass.sum(axis=1)
    with np.errstate(divide="ignore"):  # nobody can have left in no time: log 0
        return top[:, 0] + np.log(0.5 * width * whole), tau, mass / whole[:, None]


def _likelihood(
    values: np.ndarray, x: np.ndarray, t_x: np.ndarray, T: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    r, alpha, s, beta = values
    integral, tau, share = _left(values, x, t_x, T)
    start = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
    stayed = -(r + x) * np.log(alpha + T) - s * np.log(beta + T)
    left = np.log(s) + integral
    both = np.logaddexp(stayed, left)
    alive = np.exp(stayed - both)
    gone = 1.0 - alive
    slopes = np.stack(
        [
            digamma(r + x) - digamma(r) + np.log(alpha)
            - alive * np.log(alpha + T) - gone * (share * np.log(alpha + tau)).sum(axis=1),
            r / alpha - (r + x) * (alive / (alpha + T) + gone * (share / (alpha + tau)).sum(axis=1)),
            np.log(beta) - alive * np.log(beta + T) + gone * (1 / s - (share * np.log(beta + tau)).sum(axis=1)),
            s / beta - s * alive / (beta + T) - (s + 1) * gone * (share / (beta + tau)).sum(axis=1),
        ]
    )  # fmt: skip
    return start + both, slopes * np.asarray(values)[:, None]


PARETO_NBD = ParetoNbd()
