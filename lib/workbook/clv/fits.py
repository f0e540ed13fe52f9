"""Fits of the purchase models, with what must be told about them: whether they converged, how sure they are.

Time is scaled to the mean age, equal customers are merged and weighted, and the search (`maximum`) begins from several
places. The log-likelihood is told in the unit of time that is declared: in days it is lower by Σx·ln 7 than in weeks.

Codes of a fit: `converged`; `flat` (a parameter is known to no better than a factor of ten either way);
`at_bound` (the search ended at the edge of what is allowed: the likelihood wants 0 or infinity);
`disagreeing_starts` (searches from other places ended at other heights); `not_converged`; `too_few`;
`no_mean` (gamma-gamma with q at or below 1: the value of a new customer has no mean).

Sources: the models' own papers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from workbook.clv.bgnbd import BG_NBD, Geometric
from workbook.clv.counts import DAYS_A_WEEK, merge
from workbook.clv.maximum import FALL, Objective, Optimum, information, maximise, profile_height
from workbook.clv.mbgnbd import MBG_NBD
from workbook.clv.pareto_nbd import PARETO_NBD, ParetoNbd
from workbook.data.errors import WorkbookError, nearest

Model = Geometric | ParetoNbd
MODELS: Mapping[str, Model] = {model.name: model for model in (BG_NBD, MBG_NBD, PARETO_NBD)}
FEWEST = 30  # customers, and repeat purchases, below which nothing is fitted
LARGEST = 200_000  # merged rows on which a fit is made; of more a sample of the customers is drawn
STARTING_ROWS = 5_000  # on which the starting places are compared


class Fit(NamedTuple):
    """Parameters by maximum likelihood."""

    model: str  # bg_nbd, mbg_nbd, pareto_nbd, gamma_gamma, sbg
    names: tuple[str, ...]
    units: tuple[str, ...]  # of each parameter: "", weeks, days, units (of unit_days) or currency
    values: np.ndarray
    standard_errors: np.ndarray  # by the observed information
    low: np.ndarray  # 95 % interval
    high: np.ndarray
    covariance: np.ndarray  # of the logarithms of the parameters
    log_likelihood: float  # in the unit of time that is declared
    customers: int
    distinct: int  # rows after equal customers were merged
    unit_days: int  # days in the unit of time
    codes: tuple[str, ...]
    starts: int  # places from which the search began

    @property
    def usable(self) -> bool:
        """There is an optimum, and it means something."""
        return not {"too_few", "not_converged", "no_mean"} & set(self.codes)

    def value(self, name: str) -> float:
        return float(self.values[self.names.index(name)])

    def table(self) -> pd.DataFrame:
        """One row a parameter: parameter, value, standard_error, low, high, unit."""
        return pd.DataFrame(
            {
                "parameter": self.names, "value": self.values, "standard_error": self.standard_errors,
                "low": self.low, "high": self.high, "unit": self.units,
            }
        )  # fmt: skip


def too_few(model: str, names: Sequence[str], units: Sequence[str], *, customers: int, unit_days: int) -> Fit:
    """A fit that was not made."""
    blank = np.full(len(names), np.nan)
    return Fit(
        model, tuple(names), tuple(units), blank, blank, blank, blank, np.full((len(names),) * 2, np.nan),
        float("nan"), customers, 0, unit_days, ("too_few",), 0,
    )  # fmt: skip


def known_model(name: str) -> Model:
    if name not in MODELS:
        raise WorkbookError(f"There is no purchase model {name!r}.", way_out=nearest(name, MODELS))
    return MODELS[name]


def log_likelihood_each(model: str, values: np.ndarray, customers: pd.DataFrame) -> np.ndarray:
    """The log-likelihood of each customer (x, t_x, T in the unit of the parameters)."""
    return known_model(model).log_likelihood(np.asarray(values, float), *_arrays(customers))[0]


def _arrays(customers: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x, t_x, T = (customers[name].to_numpy(float) for name in ("x", "t_x", "T"))
    return x, t_x, T


def purchase_objective(model: Model, customers: pd.DataFrame, scale: float) -> Objective:
    """The log-likelihood of merged customers as a function of the logarithms, times divided by `scale`."""
    x, t_x, T = _arrays(customers)
    weights = customers["customers"].to_numpy(float)
    t_x, T = t_x / scale, T / scale

    def objective(place: np.ndarray) -> tuple[float, np.ndarray]:
        each, slopes = model.log_likelihood(np.exp(place), x, t_x, T)
        return float(weights @ each), slopes @ weights

    return objective


def fit_purchases(
    customers: pd.DataFrame, model: str = "bg_nbd", *, unit_days: int = DAYS_A_WEEK, largest: int = LARGEST,
    with_profile: bool = True,
) -> Fit:
    """BG/NBD, MBG/NBD or Pareto/NBD by maximum likelihood.

    Args:
        customers: x, t_x, T in units of `unit_days` days; `customers` where equal ones are merged already.
        largest: merged rows; of more, about as large a share of the customers is drawn (seeded) and stands for all.
        with_profile: see `maximise`; without it a flat fit is quicker.
    """
    kind = known_model(model)
    time = {1: "days", DAYS_A_WEEK: "weeks"}.get(unit_days, "units")
    units = tuple(time if timed else "" for timed in kind.in_time)
    rows = merge(customers)
    people = int(rows["customers"].sum())
    repeats = int((rows["x"] * rows["customers"]).sum())
    if people < FEWEST or repeats < FEWEST:
        return too_few(model, kind.names, units, customers=people, unit_days=unit_days)
    distinct, share = len(rows), 1.0
    if distinct > largest:
        rows = _thinned(rows, largest / distinct)
        share = float(rows["customers"].sum()) / people
    scale = float(np.average(rows["T"], weights=rows["customers"])) or 1.0
    objective = purchase_objective(kind, rows, scale)
    quick = None
    if len(rows) > 2 * STARTING_ROWS:
        quick = purchase_objective(kind, _thinned(rows, STARTING_ROWS / len(rows)), scale)
    found = maximise(objective, [np.log(start) for start in kind.starts], quick=quick, with_profile=with_profile)
    shift = np.where(kind.in_time, np.log(scale), 0.0)
    bought = float((rows["x"] * rows["customers"]).sum())
    return as_fit(
        model, kind.names, units, found, shift=shift, log_likelihood=found.height - bought * np.log(scale),
        customers=people, distinct=distinct, unit_days=unit_days, starts=len(kind.starts), share=share,
    )  # fmt: skip


def _thinned(rows: pd.DataFrame, share: float) -> pd.DataFrame:
    """A random share of the customers (seeded), merged as they are."""
    drawn = np.random.default_rng(0).binomial(rows["customers"].to_numpy(int), min(share, 1.0))
    return rows.assign(customers=drawn)[drawn > 0]


def as_fit(
    model: str, names: Sequence[str], units: Sequence[str], found: Optimum, *, shift: np.ndarray,
    log_likelihood: float, customers: int, distinct: int, unit_days: int, starts: int, share: float = 1.0,
    more_codes: Sequence[str] = (),
) -> Fit:
    """The optimum in the units of the data. `share`: of the customers that were fitted on (a sample stands for all)."""
    values = np.exp(found.log_values + shift)
    deviation = np.sqrt(np.maximum(np.diag(found.covariance), 0.0))
    with np.errstate(over="ignore"):
        low, high = np.exp(found.low + shift), np.exp(found.high + shift)
    return Fit(
        model, tuple(names), tuple(units), values, values * deviation, low, high, found.covariance,
        log_likelihood / share, customers, distinct, unit_days, (*found.codes, *more_codes), starts,
    )  # fmt: skip


def fit_all(customers: pd.DataFrame, *, unit_days: int = DAYS_A_WEEK) -> dict[str, Fit]:
    """All three models on the same customers."""
    rows = merge(customers)
    return {name: fit_purchases(rows, name, unit_days=unit_days) for name in MODELS}


def best(fits: Mapping[str, Fit]) -> str | None:
    """The usable model with the highest likelihood; all have four parameters. None where none is usable."""
    usable = {name: fit.log_likelihood for name, fit in fits.items() if fit.usable}
    return max(usable, key=lambda name: usable[name]) if usable else None


def profile(fit: Fit, customers: pd.DataFrame, name: str, *, points: int = 21) -> pd.DataFrame:
    """How the best log-likelihood falls as one parameter is held elsewhere.

    Returns:
        value, log_likelihood_drop (0 at the optimum), inside (within 1.92: the 95 % interval).
    """
    if name not in fit.names:
        raise WorkbookError(f"{fit.model} has no parameter {name!r}.", way_out=nearest(name, fit.names))
    index, place = fit.names.index(name), np.log(fit.values)
    objective = purchase_objective(known_model(fit.model), merge(customers), 1.0)
    top, bend = objective(place)[0], information(objective, place)
    deviation = min(float(np.sqrt(fit.covariance[index, index])), 2.0)
    grid = place[index] + np.linspace(-3, 3, points) * deviation
    drops = [max(top - profile_height(objective, place, bend, index, fixed), 0.0) for fixed in grid]
    return pd.DataFrame({"value": np.exp(grid), "log_likelihood_drop": drops, "inside": np.array(drops) <= FALL})
