"""How long until it happens, when for many it has not happened yet: Kaplan–Meier, log-rank and Cox.

In: one row per customer or contract with `days` under observation and `ended` (1: the event was seen, 0: still
running, censored). Out: curves with 95 % intervals, tests and hazard ratios. An average over those who ended is not an
expected lifetime: it leaves out all who stayed.

Kaplan–Meier: S(t) is the product over event days u ≤ t of 1 − ended(u) / at_risk(u); its variance is Greenwood's, and
the interval is taken on log(−log S), so that it stays within 0 and 1.

Cox: hazard of one customer = common hazard × exp(Σ coefficient × covariate), by statsmodels with Efron's ties. It
assumes that each ratio stays the same over time. The check is that of Grambsch & Therneau: at each event the scaled
Schoenfeld residual, d × V × (covariate − its mean among those at risk) with d events and covariance V, estimates how
far the coefficient on that day lies from the fitted one; a trend of the residuals over time breaks the assumption.

Sources: E. L. Kaplan & P. Meier, JASA 53, 1958; D. R. Cox, JRSS B 34, 1972; P. Grambsch & T. Therneau, Proportional
hazards tests and diagnostics based on weighted residuals, Biometrika 81, 1994.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.duration.hazard_regression import PHReg, PHRegResults
from statsmodels.duration.survfunc import survdiff

from workbook.scoring import Estimate, Z

SIGNIFICANT = 0.05
FEWEST_EVENTS = 10  # events per covariate below which a Cox model says nothing (Peduzzi et al. 1995)
LARGEST = 50_000  # rows of a Cox model; of more a sample is drawn


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


class Cox(NamedTuple):
    """Hazard ratios, and whether they stay the same over time."""

    code: str  # holds: no ratio changes beyond chance; breaks: at least one does; too_few
    table: pd.DataFrame  # covariate, hazard_ratio, low, high, p_value, ph_chi2, ph_p_value, proportional, direction
    n: int
    ended: int
    chi2_global: float | None
    p_value_global: float | None  # of all covariates together


_COX_COLUMNS = [
    "covariate", "hazard_ratio", "low", "high", "p_value", "ph_chi2", "ph_p_value", "proportional", "direction",
]  # fmt: skip


def cox(
    frame: pd.DataFrame, *, days: str, ended: str, covariates: Sequence[str], fewest_events: int = FEWEST_EVENTS
) -> Cox:
    """What goes with an earlier event, and whether proportional hazards hold.

    Rows with a blank covariate are left out, covariates that never vary too. A covariate is told to break the
    assumption by its own test, Holm's correction over all of them.
    """
    rows = _usable(frame, days, ended, covariates)
    names, events = _varying(rows, covariates), int(rows[ended].sum())
    if not names or events < fewest_events * len(names):
        return Cox("too_few", pd.DataFrame(columns=_COX_COLUMNS), len(rows), events, None, None)
    fitted, scale = _fit(rows, days, ended, names)
    chi2, p_each, chi2_all, p_all = _proportionality(fitted)
    coefficient, spread = fitted.params / scale, Z * fitted.bse / scale
    table = pd.DataFrame(
        {
            "covariate": names,
            "hazard_ratio": np.exp(coefficient),
            "low": np.exp(coefficient - spread),
            "high": np.exp(coefficient + spread),
            "p_value": fitted.pvalues,
            "ph_chi2": chi2,
            "ph_p_value": p_each,
            "proportional": _holm(p_each) >= SIGNIFICANT,
        }
    )
    table["direction"] = np.select([table["low"] > 1, table["high"] < 1], ["sooner", "later"], "unclear")
    code = "holds" if p_all >= SIGNIFICANT and table["proportional"].all() else "breaks"
    return Cox(code, table[_COX_COLUMNS], len(rows), events, chi2_all, p_all)


def residual_trend(
    frame: pd.DataFrame, *, days: str, ended: str, covariates: Sequence[str], covariate: str
) -> pd.DataFrame:
    """The picture of the check: day, scaled_residual (coefficient of that day), smooth (running mean of 15 %)."""
    rows = _usable(frame, days, ended, covariates)
    names = _varying(rows, covariates)
    fitted, scale = _fit(rows, days, ended, names)
    day, scaled = _scaled_residuals(fitted)
    order = np.argsort(day, kind="stable")
    shown = pd.DataFrame({"day": day[order], "scaled_residual": (scaled / scale)[order, names.index(covariate)]})
    width = max(3, int(0.15 * len(shown)))
    return shown.assign(smooth=shown["scaled_residual"].rolling(width, center=True, min_periods=width // 2).mean())


def indicators(frame: pd.DataFrame, column: str, *, most: int = 5) -> pd.DataFrame:
    """0/1 columns `column=value` of the most frequent values; the most frequent of all is the base and has none.

    The base is told in `.attrs["base"]`. Blank values and rare ones are 0 everywhere, like the base.
    """
    counts = frame[column].dropna().astype(str).value_counts()
    ranked = sorted(counts.index, key=lambda value: (-counts[value], value))[:most]
    made = pd.DataFrame(
        {f"{column}={value}": (frame[column] == value).astype(float) for value in ranked[1:]}, index=frame.index
    )
    made.attrs["base"] = ranked[0] if ranked else ""
    return made


def _usable(frame: pd.DataFrame, days: str, ended: str, covariates: Sequence[str]) -> pd.DataFrame:
    """Complete rows; of more than `LARGEST` every so-many-th, which keeps the order of the frame."""
    rows = frame[[days, ended, *covariates]].dropna().astype(float)
    return rows.iloc[:: -(-len(rows) // LARGEST)] if len(rows) > LARGEST else rows


def _varying(rows: pd.DataFrame, covariates: Sequence[str]) -> list[str]:
    """The covariates that say something: neither constant nor a sum of those before them."""
    kept: list[str] = []
    for name in covariates:
        tried = rows[[*kept, name]].to_numpy()
        spread = tried.std(axis=0) if len(tried) else np.zeros(1)
        if spread[-1] > 0 and np.linalg.matrix_rank((tried - tried.mean(axis=0)) / spread) == len(spread):
            kept.append(name)
    return kept


def _fit(rows: pd.DataFrame, days: str, ended: str, names: list[str]) -> tuple[PHRegResults, np.ndarray]:
    """The model on covariates in standard deviations, and these: money and shares would else not converge together."""
    covariates = rows[names].to_numpy()
    scale = covariates.std(axis=0)
    model = PHReg(rows[days].to_numpy(), covariates / scale, status=rows[ended].to_numpy(), ties="efron")
    return model.fit(disp=False), scale


def _scaled_residuals(fitted: PHRegResults) -> tuple[np.ndarray, np.ndarray]:
    """Day of each event and its scaled Schoenfeld residual: coefficient + d × V × residual."""
    raw = fitted.schoenfeld_residuals
    seen = ~np.isnan(raw).any(axis=1)
    residuals = raw[seen] - raw[seen].mean(axis=0)  # statsmodels takes Breslow's means at ties: off zero by a constant
    return fitted.model.endog[seen], fitted.params + len(residuals) * residuals @ fitted.cov_params()


def _proportionality(fitted: PHRegResults) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Tests against a trend over time, which is counted on 1 − the Kaplan–Meier curve: χ² and p, each and all."""
    day, scaled = _scaled_residuals(fitted)
    curve = kaplan_meier(fitted.model.endog, fitted.model.status)
    before = np.searchsorted(curve["day"].to_numpy(), day, side="left") - 1  # the curve just before the event
    trend = 1 - curve["survival"].to_numpy()[np.maximum(before, 0)]
    trend -= trend.mean()
    covariance, events = fitted.cov_params(), len(day)
    slope = trend @ (scaled - fitted.params)
    spread = events * (trend @ trend)
    chi2 = slope**2 / (np.diag(covariance) * spread)
    chi2_all = float(slope @ np.linalg.solve(covariance, slope) / spread)
    return chi2, stats.chi2.sf(chi2, 1), chi2_all, float(stats.chi2.sf(chi2_all, len(slope)))


def _holm(p_values: np.ndarray) -> np.ndarray:
    """p-values corrected for looking at several at once."""
    order = np.argsort(p_values)
    raised = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1))
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(raised, 1)
    return corrected
