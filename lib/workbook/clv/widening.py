"""How far past forecasts were off, and how much wider today's intervals must be for it.

A model knows only the errors that it can imagine: parameters and chance. Seasons, promotions and new products move
totals too. So the same model is fitted at earlier days of the record, its forecast of the total is set beside what was
bought, and what the errors have more than the model thought is added to every interval, as one error common to all
customers:

    extra² = mean(log_ratio²) − mean(own_error²), at least 0; × horizon / tested weeks where the horizon is longer

The second moment, not the spread, is taken: a bias that lasts is an error too. With few windows the normal quantile
becomes that of t with as many degrees of freedom. Errors are supposed to grow with the square root of the time.

Source: S. Makridakis, R. J. Hyndman & F. Petropoulos, Forecasting in social settings, IJF 36, 2020 (intervals that
come from the model alone are too narrow).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.stats import t as student

from workbook.clv.counts import DAYS_A_WEEK
from workbook.clv.expectations import expected_purchases, in_units
from workbook.clv.fits import FEWEST, Fit, fit_purchases, known_model
from workbook.clv.validation import first_day_of, holdout
from workbook.scoring import Z

Read = Callable[[ir.Table], pd.DataFrame]
FEWEST_WINDOWS = 2
SHORTEST_BEFORE, SHORTEST_AFTER = 8.0, 4.0  # weeks
SAMPLE = 20_000  # customers drawn to know the chance in a total
WORLDS = 100
COLUMNS = (
    "cut_off", "tested_weeks", "customers", "forecast_purchases", "actual_purchases", "log_ratio", "own_error", "inside"
)  # fmt: skip


class Widening(NamedTuple):
    """What past errors add to the intervals."""

    code: str  # widened; not_needed: past errors were what the model thought; no_history: fewer than two windows
    extra_sd: float  # of the logarithm of the total, at the horizon
    sd: float  # the same, as a normal deviation with the 95 % ends that t has with so few windows
    windows: int
    tested_weeks: float
    factor: float  # half-width of the total's interval, widened ÷ as the model has it


def backtests(
    orders: ir.Table,
    returns: ir.Table | None,
    *,
    as_of: date,
    horizon_weeks: float,
    read: Read,
    rng: np.random.Generator,
    model: str = "bg_nbd",
    most: int = 6,
    first_day: date | None = None,
) -> pd.DataFrame:
    """Forecasts of the total as they would have been made on earlier days, beside what was bought then.

    Args:
        read: brings merged customers into pandas (`run.frame`).
        most: earlier days at most, evenly spaced.
        first_day: of the record; found in the orders when absent.

    Returns:
        One row an earlier day: cut_off, tested_weeks, customers, forecast_purchases, actual_purchases, log_ratio (ln
        actual / forecast), own_error (standard deviation of it that the model states), inside (within its interval).
    """
    rows = []
    first = first_day or first_day_of(orders, read)
    for cut_off, weeks in cut_offs(first, as_of, horizon_weeks, most=most):
        until = cut_off + timedelta(days=round(weeks * DAYS_A_WEEK))
        history = holdout(orders, returns, cut_off=cut_off, until=until)
        together = history.group_by("x", "t_x", "T").aggregate(
            customers=history.count(), actual_purchases=history.actual_purchases.sum()
        )
        row = _tested(read(together.order_by("x", "t_x", "T")), model, weeks, rng)
        if row:
            rows.append({"cut_off": cut_off, "tested_weeks": weeks, **row})
    return pd.DataFrame(rows, columns=list(COLUMNS))


def cut_offs(
    first: date | None, as_of: date, horizon_weeks: float, *, most: int = 6
) -> list[tuple[date, float]]:
    """Earlier days from which the record can be forecast, the oldest first, each with the weeks to test.

    The test is as long as the horizon where that leaves as much before it; else a third of the record. Days are as far
    apart as the test is long where that gives three of them, else half as far.
    """
    if first is None:
        return []
    days = (as_of - first).days
    tested = min(round(horizon_weeks * DAYS_A_WEEK), days // 3)
    earliest = max(round(SHORTEST_BEFORE * DAYS_A_WEEK), tested)
    if tested < SHORTEST_AFTER * DAYS_A_WEEK:
        return []
    room = days - tested - earliest
    step = tested if room >= 2 * tested else max(tested // 2, DAYS_A_WEEK)
    count = min(most, room // step + 1) if room >= 0 else 0
    return [(as_of - timedelta(days=tested + step * k), tested / DAYS_A_WEEK) for k in reversed(range(count))]


def _tested(history: pd.DataFrame, model: str, weeks: float, rng: np.random.Generator) -> dict | None:
    actual = float(history["actual_purchases"].sum()) if len(history) else 0.0
    fit = fit_purchases(history, model, with_profile=False)
    if not fit.usable or actual < FEWEST:
        return None
    total = float(history["customers"] @ expected_purchases(fit, history, weeks))
    error = own_error(fit, history, weeks, rng)
    log_ratio = math.log(actual / total)
    return {
        "customers": int(history["customers"].sum()), "forecast_purchases": total, "actual_purchases": actual,
        "log_ratio": log_ratio, "own_error": error, "inside": abs(log_ratio) <= Z * error,
    }  # fmt: skip


def own_error(fit: Fit, history: pd.DataFrame, weeks: float, rng: np.random.Generator) -> float:
    """Standard deviation of ln(actual / forecast) of the total, as the model itself has it: parameters and chance."""
    weights = history["customers"].to_numpy(float)
    total = float(weights @ expected_purchases(fit, history, weeks))
    slopes = []
    for i in range(len(fit.values)):
        values = fit.values.copy()
        values[i] *= math.exp(1e-3)
        moved = float(weights @ expected_purchases(fit._replace(values=values), history, weeks))
        slopes.append(math.log(moved / total) / 1e-3)
    parameters = float(np.array(slopes) @ fit.covariance @ np.array(slopes))
    return math.sqrt(parameters + _chance(fit, history, weeks, rng) / total**2)


def _chance(fit: Fit, history: pd.DataFrame, weeks: float, rng: np.random.Generator) -> float:
    """Variance of the total by chance: the sum over customers of the variance of what each buys."""
    weights = history["customers"].to_numpy(float)
    people = weights.sum()
    n = int(min(people, SAMPLE))
    places = np.searchsorted(np.cumsum(weights), (np.arange(n) + 0.5) * people / n)
    x, t_x, T = (history[name].to_numpy(float)[places] for name in ("x", "t_x", "T"))
    t, model = float(in_units(fit, weeks)), known_model(fit.model)
    drawn = np.stack([model.draw(fit.values, x, t_x, T, t, rng) for _ in range(WORLDS)])
    return float(drawn.var(axis=0, ddof=1).sum()) * people / n


def widen(tested: pd.DataFrame, *, horizon_weeks: float) -> Widening:
    """What the past errors add to intervals at this horizon.

    >>> past = pd.DataFrame({"log_ratio": [0.3, -0.3], "own_error": [0.1, 0.1], "tested_weeks": [13.0, 13.0]})
    >>> found = widen(past, horizon_weeks=13)
    >>> found.code, round(found.extra_sd**2, 6)
    ('widened', 0.08)
    """
    windows = len(tested)
    if windows < FEWEST_WINDOWS:
        return Widening("no_history", 0.0, 0.0, windows, math.nan, 1.0)
    weeks = float(tested["tested_weeks"].mean())
    own = float((tested["own_error"] ** 2).mean())
    extra = float((tested["log_ratio"] ** 2).mean()) - own
    if extra <= 0:
        return Widening("not_needed", 0.0, 0.0, windows, weeks, 1.0)
    extra *= max(1.0, horizon_weeks / weeks)
    sd = math.sqrt(extra) * float(student.ppf(0.975, windows)) / Z
    return Widening("widened", math.sqrt(extra), sd, windows, weeks, math.sqrt(1 + sd**2 / own))
