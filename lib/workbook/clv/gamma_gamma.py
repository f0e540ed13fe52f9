"""Gamma-Gamma: what a purchase of a customer is worth, from the mean of those seen.

The value of a purchase is gamma distributed with shape p and the customer's own rate, and the rates are gamma
distributed over customers (shape q, scale parameter v in currency). Of a customer with x repeat purchases of mean z:

    log-likelihood  lnΓ(px+q) − lnΓ(px) − lnΓ(q) + q ln v + (px−1) ln z + px ln x − (px+q) ln(v + xz)
    expected value  p (v + xz) / (px + q − 1)

The model supposes that value and frequency are independent; `independence` measures it.

Source: P. S. Fader & B. G. S. Hardie, The Gamma-Gamma Model of Monetary Value, 2013.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import digamma, gammaln
from scipy.stats import rankdata

from workbook.clv.counts import DAYS_A_WEEK
from workbook.clv.fits import FEWEST, Fit, as_fit, too_few
from workbook.clv.maximum import maximise
from workbook.scoring import Z

NAMES, UNITS = ("p", "q", "v"), ("", "", "currency")
STARTS = ((2.0, 2.0, 1.0), (6.0, 4.0, 0.5), (1.0, 3.0, 3.0))
LARGEST = 200_000  # repeaters on whom the fit is made; of more a sample is drawn
DOUBTFUL = 0.2  # a correlation that may lie beyond this is no independence


def log_likelihood(values: np.ndarray, x: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each repeater with a positive mean, and its derivatives by the logarithms of the parameters."""
    p, q, v = values
    log_mean, log_x, whole = np.log(mean), np.log(x), v + x * mean
    px = p * x
    each = gammaln(px + q) - gammaln(px) - gammaln(q) + q * np.log(v) - log_mean
    each += px * (log_mean + log_x) - (px + q) * np.log(whole)
    joint = digamma(px + q)
    slopes = np.stack(
        [
            px * (joint - digamma(px) + log_mean + log_x - np.log(whole)),
            q * (joint - digamma(q) + np.log(v) - np.log(whole)),
            q - v * (px + q) / whole,
        ]
    )
    return each, slopes


def fit_value(customers: pd.DataFrame) -> Fit:
    """Gamma-Gamma by maximum likelihood on repeaters with a positive mean.

    Args:
        customers: x, mean_repeat_value (currency).
    """
    values = customers["mean_repeat_value"].to_numpy(float)
    chosen = customers[(customers["x"].to_numpy() > 0) & (np.nan_to_num(values) > 0)]
    people = len(chosen)
    if people < FEWEST:
        return too_few("gamma_gamma", NAMES, UNITS, customers=people, unit_days=DAYS_A_WEEK)
    share = min(1.0, LARGEST / people)
    if share < 1:
        chosen = chosen.sample(LARGEST, random_state=0)
    x, mean = chosen["x"].to_numpy(float), chosen["mean_repeat_value"].to_numpy(float)
    scale = float(mean.mean())

    def objective(place: np.ndarray) -> tuple[float, np.ndarray]:
        each, slopes = log_likelihood(np.exp(place), x, mean / scale)
        return float(each.sum()), slopes.sum(axis=1)

    found = maximise(objective, [np.log(start) for start in STARTS])
    return as_fit(
        "gamma_gamma", NAMES, UNITS, found, shift=np.array([0.0, 0.0, math.log(scale)]),
        log_likelihood=found.height - len(x) * math.log(scale), customers=people, distinct=len(x),
        unit_days=DAYS_A_WEEK, starts=len(STARTS), share=share,
        more_codes=("no_mean",) if found.log_values[1] <= 0 else (),
    )  # fmt: skip


def expected_value(fit: Fit, customers: pd.DataFrame) -> np.ndarray:
    """The expected value of one purchase of each customer, in currency; that of a new one where none was repeated."""
    return mean_value(fit.values, *seen_values(customers))


def seen_values(customers: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Repeat purchases, and their mean where there are any: below 0 counts as 0."""
    x = customers["x"].to_numpy(float)
    return x, np.where(x > 0, np.maximum(np.nan_to_num(customers["mean_repeat_value"].to_numpy(float)), 0.0), 0.0)


def mean_value(values: np.ndarray, x: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """p (v + xz) / (px + q − 1)."""
    p, q, v = values
    return p * (v + x * mean) / (p * x + q - 1.0)


def draw_spend(
    values: np.ndarray, x: np.ndarray, mean: np.ndarray, bought: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """What `bought` purchases of each customer come to, drawn."""
    p, q, v = values
    buyers = np.flatnonzero(bought)
    spend = np.zeros(len(bought))
    rate = rng.standard_gamma(p * x[buyers] + q) / (v + x[buyers] * mean[buyers])
    spend[buyers] = rng.standard_gamma(p * bought[buyers]) / rate
    return spend


class Independence(NamedTuple):
    """Whether those who buy often spend more, or less, at a time."""

    n: int  # repeaters with a positive mean
    correlation: float  # of repeat purchases and their mean value
    low: float  # 95 % interval (Fisher's z)
    high: float
    rank_correlation: float  # Spearman's
    code: str  # holds: the whole interval within ± 0.2; doubtful; too_few


def independence(customers: pd.DataFrame) -> Independence:
    """The correlation of x and mean_repeat_value over repeaters, which Gamma-Gamma supposes to be 0."""
    x, mean = seen_values(customers)
    x, mean = x[mean > 0], mean[mean > 0]
    n = len(x)
    if n < FEWEST or np.ptp(x) == 0 or np.ptp(mean) == 0:
        return Independence(n, math.nan, math.nan, math.nan, math.nan, "too_few")
    correlation = float(np.corrcoef(x, mean)[0, 1])
    middle, half = math.atanh(min(max(correlation, -0.999999), 0.999999)), Z / math.sqrt(n - 3)
    low, high = math.tanh(middle - half), math.tanh(middle + half)
    ranks = float(np.corrcoef(rankdata(x), rankdata(mean))[0, 1])
    code = "holds" if low > -DOUBTFUL and high < DOUBTFUL else "doubtful"
    return Independence(n, correlation, low, high, ranks, code)
