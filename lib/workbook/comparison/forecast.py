"""What the next period brings, by the rule that did best on this shop's own past.

A shop has 12 to 30 months on record: too few for a model with many parameters. In the M competitions simple rules held
their own on such series, and means of several did better than most single ones. Six rules compete; each sees only what
was known before the period that it foretells:

    last_period    as the last period, day for day: the naive rival
    recent_mean    as the mean of the last three
    drift          as the last period, and by as much further as the record moved from period to period on average
    year_ago       as the comparable days of the year before (`alignment`)
    aligned_trend  as these, times how the last three periods compare with their own comparable days
    combined       halfway between recent_mean and aligned_trend (geometric mean)

Each rule foretells every past period from those before it (rolling origin). The rule with the smallest squared error of
logarithms over its last twelve trials is taken, measured against the naive rival on the same periods, as rules need
records of different length; it replaces the naive rival only if it is better by a twentieth, and after six trials. The
95 % interval comes from those errors, by Student's t; it assumes that the shop goes on changing as it has changed, and
knows nothing of plans. A record of fewer than six errors foretells nothing, nor does one whose range would reach from
less than a third to more than three times the forecast.

The same rule at an earlier day is the forecast of then: nothing that came later enters it, in whatever order reports
are made.

Sources: S. Makridakis & M. Hibon, The M3-Competition, International Journal of Forecasting 16, 2000; S. Makridakis,
E. Spiliotis & V. Assimakopoulos, The M4 Competition, International Journal of Forecasting 36, 2020; L. J. Tashman,
Out-of-sample tests of forecasting accuracy, International Journal of Forecasting 16, 2000 (rolling origin);
R. J. Hyndman & A. B. Koehler, Another look at measures of forecast accuracy, 2006 (errors against a naive rival's).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import special

from workbook.comparison.alignment import align
from workbook.comparison.daily import Record
from workbook.data.periods import Period
from workbook.data.settings import Occasion

NAIVE = "last_period"
RULES = (NAIVE, "recent_mean", "drift", "year_ago", "aligned_trend", "combined")
FEWEST = 6  # errors
RECENT = 3  # periods
TRIALS = 12  # newest errors of a rule that count
WIDEST = 3.0  # times the forecast: a range that reaches further says nothing that anybody could plan by
LEAD = 0.95  # of the naive rival's error: what is less is better


class Forecast(NamedTuple):
    """What is expected of a period, or the code of why nothing is."""

    value: float | None = None
    low: float | None = None  # 95 % interval
    high: float | None = None
    n: int = 0  # past forecasts whose errors make the interval
    rule: str = ""
    naive: float | None = None  # what the naive rival says
    error: float | None = None  # mean absolute error of the rule, as a share of what came
    naive_error: float | None = None  # the same of the naive rival, on the same periods
    reason: str = ""  # too_short, no_sales, partial, too_wide


class Trials(NamedTuple):
    """What every rule said of every period and of the one after the last, from the periods before it."""

    periods: Sequence[Period]  # one more than totals
    said: np.ndarray  # rules × periods, in currency; blank where a rule had too little to go by
    came: np.ndarray  # currency; one shorter


def trials(record: Record, calendar: Sequence[Occasion]) -> Trials:
    """Every rule on every period."""
    ahead = record.periods[-1].next()
    periods = (*record.periods, ahead)
    year_ago = [record.total_of(list(align(period, calendar).days.values())) for period in periods]
    known = np.array([math.nan if total is None else total for total in year_ago])
    days = np.array([period.days for period in periods], float)
    columns = [_said(record.totals[:at], days[: at + 1], known[: at + 1]) for at in range(len(periods))]
    return Trials(periods, np.array(columns).T, record.totals)


def _said(totals: np.ndarray, days: np.ndarray, year_ago: np.ndarray) -> list[float]:
    """What the rules say of the period after `totals`; `days` and `year_ago` know that period too."""
    n = len(totals)
    each = totals / days[:n]
    last = each[-1] if n else math.nan
    mean = totals[-RECENT:].sum() / days[:n][-RECENT:].sum() if n >= RECENT else math.nan
    drift = last + (each[-1] - each[0]) / (n - 1) if n > RECENT else math.nan
    base = year_ago[:n][-RECENT:].sum() if n >= RECENT else math.nan
    trend = totals[-RECENT:].sum() / base if base > 0 else math.nan
    recent, aligned = mean * days[n], year_ago[n] * trend
    combined = math.sqrt(recent * aligned) if recent > 0 and aligned > 0 else math.nan
    return [last * days[n], recent, drift * days[n], year_ago[n], aligned, combined]


def foretell(tried: Trials, at: int) -> Forecast:
    """What would have been said of period `at`, from the periods before it."""
    if at and tried.came[at - 1] <= 0:
        return Forecast(reason="no_sales")
    errors = _errors(tried, at)
    counted = np.isfinite(errors)
    if counted[0].sum() < FEWEST:
        return Forecast(reason="too_short")
    best = min(range(len(RULES)), key=lambda rule: _against_naive(errors, tried, rule, at))
    own = _newest(errors[best])
    if not tried.said[best, at] > 0:
        return Forecast(reason="no_sales")
    spread = math.sqrt(np.mean(errors[best, own] ** 2)) * math.sqrt(1 + 1 / len(own))
    reach = float(special.stdtrit(len(own), 0.975)) * spread
    if reach > math.log(WIDEST):
        return Forecast(reason="too_wide")
    value = float(tried.said[best, at])
    missed = np.abs(tried.said[:, own] / tried.came[own] - 1).mean(axis=1)
    return Forecast(
        value, value * math.exp(-reach), value * math.exp(reach), len(own), RULES[best], float(tried.said[0, at]),
        float(missed[best]), float(missed[0]),
    )


def _errors(tried: Trials, at: int) -> np.ndarray:
    """Logarithms of what came over what was said, of the periods before `at`; blank where there is none."""
    said, came = tried.said[:, :at], tried.came[:at]
    usable = (said > 0) & (came > 0)
    return np.where(usable, np.log(np.where(usable, came, 1.0) / np.where(usable, said, 1.0)), math.nan)


def _newest(errors: np.ndarray) -> np.ndarray:
    return np.flatnonzero(np.isfinite(errors))[-TRIALS:]


def _against_naive(errors: np.ndarray, tried: Trials, rule: int, at: int) -> float:
    """The rule's squared error as a share of the naive rival's on the same periods; no number where it cannot stand."""
    own = _newest(errors[rule])
    own = own[np.isfinite(errors[0, own])]
    if rule == 0:
        return LEAD**2
    if len(own) < FEWEST or not tried.said[rule, at] > 0:
        return math.inf
    naive = float((errors[0, own] ** 2).sum())
    return float((errors[rule, own] ** 2).sum()) / naive if naive else math.inf


class Outlook(NamedTuple):
    """What is expected after a period, what had been expected of it, and how past forecasts did."""

    ahead: Forecast
    last: Forecast
    past: pd.DataFrame  # `looking_back`


def outlook(record: Record, calendar: Sequence[Occasion], *, period: Period) -> Outlook:
    """What can be foretold at the end of `period`, the last of the record; nothing of a period that is not over."""
    if not period.is_whole or not record.periods:
        none = Forecast(reason="too_short" if period.is_whole else "partial")
        return Outlook(none, none, looking_back(Trials((), np.empty((len(RULES), 0)), np.array([]))))
    tried = trials(record, calendar)
    n = len(record.periods)
    return Outlook(foretell(tried, n), foretell(tried, n - 1), looking_back(tried))


def looking_back(tried: Trials) -> pd.DataFrame:
    """Past forecasts beside what came: period (first day), came, said, low, high, held, rule; blank where none."""
    rows = []
    for at, came in enumerate(tried.came):
        told = foretell(tried, at)
        held = None if told.value is None else bool(told.low <= came <= told.high)
        rows.append((tried.periods[at].start, came, told.value, told.low, told.high, held, told.rule))
    table = pd.DataFrame(rows, columns=["period", "came", "said", "low", "high", "held", "rule"])
    return table.astype({"said": float, "low": float, "high": float})


def with_next(past: pd.DataFrame, told: Forecast, ahead: Period, *, most: int = 24) -> pd.DataFrame:
    """The newest rows of `looking_back`, and one more for the period that has not come."""
    row = {"period": ahead.start, "came": np.nan, "said": told.value, "low": told.low, "high": told.high}
    following = pd.DataFrame([row]).astype({name: float for name in ("came", "said", "low", "high")})
    return pd.concat([past[list(row)].tail(most), following], ignore_index=True)
