"""What goes with an earlier event: Cox's hazard ratios, and whether they hold over time.

In: one row per customer or contract with `days` under observation, `ended` (1: the event was seen, 0: censored) and
covariates as known when the clock began. Out: hazard ratios with 95 % intervals and the check.

Hazard of one customer = common hazard × exp(Σ coefficient × covariate), by statsmodels with Efron's ties. It assumes
that each ratio stays the same over time. The check is that of Grambsch & Therneau: at each event the scaled Schoenfeld
residual, d × V × (covariate − its mean among those at risk) with d events and covariance V, estimates how far the
coefficient on that day lies from the fitted one; a trend of the residuals over time breaks the assumption.

Sources: D. R. Cox, JRSS B 34, 1972; P. Grambsch & T. Therneau, Proportional hazards tests and diagnostics based on
weighted residuals, Biometrika 81, 1994.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.duration.hazard_regression import PHReg, PHRegResults
from statsmodels.tools.sm_exceptions import ConvergenceWarning

from workbook.churn.survival import FEWEST_EVENTS, SIGNIFICANT, kaplan_meier
from workbook.scoring import Z

FEWEST_OF_A_SIDE = 5  # events with a 0/1 covariate at 0, and at 1, below which its ratio may run to infinity
FEWEST_DAYS = 3  # different days with an event, below which nothing can be said about time
ENDLESS = 10.0  # a coefficient of one standard deviation from which the likelihood is taken to have no top
LARGEST = 50_000  # rows of a Cox model; of more a sample is drawn


class Cox(NamedTuple):
    """Hazard ratios, and whether they stay the same over time."""

    code: str  # holds: no ratio changes beyond chance; breaks: at least one does; too_few, also if no fit is found
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
    names, events = _varying(rows, ended, covariates), int(rows[ended].sum())
    enough = events >= fewest_events * max(len(names), 1) and _event_days(rows, days, ended) >= FEWEST_DAYS
    found = _fit(rows, days, ended, names) if names and enough else None
    if found is None:
        return Cox("too_few", pd.DataFrame(columns=_COX_COLUMNS), len(rows), events, None, None)
    fitted, scale = found
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
    """The picture of the check: day, scaled_residual (coefficient of that day), smooth (running mean of 15 %).

    No rows where `cox` leaves the covariate out or finds no fit.
    """
    rows = _usable(frame, days, ended, covariates)
    names = _varying(rows, ended, covariates)
    enough = covariate in names and _event_days(rows, days, ended) >= FEWEST_DAYS
    found = _fit(rows, days, ended, names) if enough else None
    if found is None:
        return pd.DataFrame(columns=["day", "scaled_residual", "smooth"])
    fitted, scale = found
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


def _event_days(rows: pd.DataFrame, days: str, ended: str) -> int:
    return int(rows.loc[rows[ended] == 1, days].nunique())


def _varying(rows: pd.DataFrame, ended: str, covariates: Sequence[str]) -> list[str]:
    """The covariates that say something: not constant, no sum of those before them, events on both sides of a 0/1."""
    kept: list[str] = []
    for name in covariates:
        tried = rows[[*kept, name]].to_numpy()
        spread = tried.std(axis=0) if len(tried) else np.zeros(1)
        if spread[-1] == 0 or _one_sided(rows[name], rows[ended]):
            continue
        if np.linalg.matrix_rank((tried - tried.mean(axis=0)) / spread) == len(spread):
            kept.append(name)
    return kept


def _one_sided(values: pd.Series, ended: pd.Series) -> bool:
    if not values.isin([0, 1]).all():
        return False
    return min(ended[values == 0].sum(), ended[values == 1].sum()) < FEWEST_OF_A_SIDE


def _fit(rows: pd.DataFrame, days: str, ended: str, names: list[str]) -> tuple[PHRegResults, np.ndarray] | None:
    """The model on covariates in standard deviations, and these: money and shares would else not converge together.

    None where the likelihood has no top: some covariate tells the order of the events without a fault.
    """
    covariates = rows[names].to_numpy()
    scale = covariates.std(axis=0)
    model = PHReg(rows[days].to_numpy(), covariates / scale, status=rows[ended].to_numpy(), ties="efron")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # each of them means that there is no top
        try:
            fitted = model.fit(disp=False)
            found = np.isfinite(fitted.bse).all() and np.abs(fitted.params).max() < ENDLESS
        except (ConvergenceWarning, RuntimeWarning, np.linalg.LinAlgError):
            return None
    return (fitted, scale) if found else None


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
