"""How long until it happens, when for many it has not happened yet: Kaplan–Meier and the log-rank test.

In: one row per customer or contract with `days` under observation and `ended` (1: the event was seen, 0: still
running, censored). Out: curves with 95 % intervals, and tests. An average over those who ended is not an
expected lifetime: it leaves out all who stayed.

Kaplan–Meier: S(t) is the product over event days u ≤ t of 1 − ended(u) / at_risk(u); its variance is Greenwood's, and
the interval is taken on log(−log S), so that it stays within 0 and 1.

Source: E. L. Kaplan & P. Meier, Nonparametric estimation from incomplete observations, JASA 53, 1958.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from statsmodels.duration.survfunc import survdiff

from workbook.scoring import Estimate, Z

SIGNIFICANT = 0.05
FEWEST_EVENTS = 10  # events per group or covariate below which nothing is said (Peduzzi et al. 1995)


def kaplan_meier(days: np.ndarray, ended: np.ndarray, *, weights: np.ndarray | None = None) -> pd.DataFrame:
    """The share for whom it has not happened yet, day by day.

    Returns:
        day, at_risk, ended, survival, low, high; first row day 0, then the days on which something ended or was
        censored.

    >>> kaplan_meier(np.array([1, 2, 2, 3]), np.array([1, 1, 0, 1]))["survival"].round(3).tolist()
    [1.0, 0.75, 0.5, 0.0]
    """
    days, ended = np.asarray(days, float), np.asarray(ended, float)
    weights = np.ones(len(days)) if weights is None else np.asarray(weights, float)
    day, place = np.unique(days, return_inverse=True)
    events = np.bincount(place, weights * ended, minlength=len(day))
    leaving = np.bincount(place, weights, minlength=len(day))
    at_risk = weights.sum() - np.concatenate([[0.0], np.cumsum(leaving)[:-1]]) if len(day) else np.zeros(0)
    survival = np.cumprod(1 - np.divide(events, at_risk, out=np.zeros_like(events), where=at_risk > 0))
    left = at_risk - events
    greenwood = np.cumsum(np.divide(events, at_risk * left, out=np.zeros_like(events), where=left > 0))
    low, high = _log_log(survival, greenwood)
    curve = pd.DataFrame(
        {"day": day, "at_risk": at_risk, "ended": events, "survival": survival, "low": low, "high": high}
    )
    start = pd.DataFrame([[0.0, weights.sum(), 0.0, 1.0, 1.0, 1.0]], columns=curve.columns)
    return curve if len(day) and day[0] == 0 else pd.concat([start, curve], ignore_index=True)


def _log_log(survival: np.ndarray, greenwood: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The interval on log(−log S); at 1 and at 0 there is no such scale, and both ends are S."""
    low, high = survival.copy(), survival.copy()
    inside = (survival > 0) & (survival < 1)
    log = np.log(survival[inside])
    spread = np.exp(Z * np.sqrt(greenwood[inside]) / np.abs(log))
    low[inside], high[inside] = np.exp(log * spread), np.exp(log / spread)
    return low, high


def curves(
    frame: pd.DataFrame, *, days: str, ended: str, group: str, weights: str | None = None, fewest: int = 30
) -> pd.DataFrame:
    """A curve per group, groups in sorted order; groups of fewer than `fewest` rows are left out."""
    parts = []
    for name, rows in frame.dropna(subset=[group]).groupby(group, sort=True):
        counted = None if weights is None else rows[weights].to_numpy()
        size = len(rows) if counted is None else counted.sum()
        if size >= fewest:
            curve = kaplan_meier(rows[days].to_numpy(), rows[ended].to_numpy(), weights=counted)
            parts.append(curve.assign(group=name))
    columns = ["group", "day", "at_risk", "ended", "survival", "low", "high"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)


def survival_at(curve: pd.DataFrame, day: float) -> Estimate:
    """The curve on one day, with its interval; blank beyond the last day seen."""
    if not len(curve) or day > curve["day"].iloc[-1]:
        return Estimate(math.nan, math.nan, math.nan)
    row = curve[curve["day"] <= day].iloc[-1]
    return Estimate(float(row["survival"]), float(row["low"]), float(row["high"]))


def median(curve: pd.DataFrame) -> Estimate:
    """The first day by which it has happened to half, with its interval; blank where the curve stays above a half."""
    first = [_first_day(curve, name) for name in ("survival", "low", "high")]
    return Estimate(*first)


def _first_day(curve: pd.DataFrame, column: str) -> float:
    reached = curve.loc[curve[column] <= 0.5, "day"]
    return float(reached.iloc[0]) if len(reached) else math.nan


class LogRank(NamedTuple):
    """Whether the groups' curves differ by more than chance."""

    code: str  # differ, alike, or too_few
    chi2: float | None
    degrees: int  # groups − 1
    p_value: float | None
    n: int
    ended: int
    groups: int


def log_rank(frame: pd.DataFrame, *, days: str, ended: str, group: str, fewest: int = 30) -> LogRank:
    """Are the curves of the groups the same? Groups of fewer than `fewest` rows are left out."""
    sizes = frame[group].value_counts()
    kept = frame[frame[group].isin(sizes[sizes >= fewest].index)]
    groups, events = kept[group].nunique(), int(kept[ended].sum())
    if groups < 2 or events < FEWEST_EVENTS * (groups - 1):
        return LogRank("too_few", None, max(groups - 1, 0), None, len(kept), events, groups)
    chi2, p_value = survdiff(
        kept[days].to_numpy(float), kept[ended].to_numpy(int), kept[group].astype(str).to_numpy()
    )
    code = "differ" if p_value < SIGNIFICANT else "alike"
    return LogRank(code, float(chi2), groups - 1, float(p_value), len(kept), events, groups)
