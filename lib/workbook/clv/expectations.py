"""What a fitted purchase model expects of each customer, and of a new one; all blank where the fit is not usable."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbook.clv.counts import DAYS_A_WEEK
from workbook.clv.fits import Fit, known_model

BATCH = 20_000  # customers whose nodes are held at a time


def in_units(fit: Fit, weeks: float | np.ndarray) -> np.ndarray:
    """Weeks in the unit of time of the fit."""
    return np.asarray(weeks, float) * DAYS_A_WEEK / fit.unit_days


def alive(fit: Fit, customers: pd.DataFrame) -> np.ndarray:
    """The chance that each customer has not left for good.

    Blank for one-time buyers under BG/NBD, which cannot know (it would say 1). Not comparable between models.

    Args:
        customers: x, t_x, T in the unit of the fit.
    """
    if not fit.usable:
        return np.full(len(customers), np.nan)
    x, t_x, T = (customers[name].to_numpy(float) for name in ("x", "t_x", "T"))
    model = known_model(fit.model)
    parts = [
        model.alive(fit.values, x[i : i + BATCH], t_x[i : i + BATCH], T[i : i + BATCH]) for i in range(0, len(x), BATCH)
    ]
    chances = np.concatenate(parts) if parts else np.empty(0)
    return np.where(x > 0, chances, np.nan) if fit.model == "bg_nbd" else chances


def expected_purchases(fit: Fit, customers: pd.DataFrame, weeks: float) -> np.ndarray:
    """Expected purchases (days with a purchase) of each customer in the next `weeks`."""
    if not fit.usable:
        return np.full(len(customers), np.nan)
    x, t_x, T = (customers[name].to_numpy(float) for name in ("x", "t_x", "T"))
    model, t = known_model(fit.model), float(in_units(fit, weeks))
    parts = [
        model.expected(fit.values, x[i : i + BATCH], t_x[i : i + BATCH], T[i : i + BATCH], t)
        for i in range(0, len(x), BATCH)
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def expected_total(fit: Fit, weeks: float | np.ndarray) -> np.ndarray:
    """Expected repeat purchases of a new customer within `weeks` of the first one: E[X(t)]."""
    if not fit.usable:
        return np.full(np.shape(weeks), np.nan)
    return known_model(fit.model).total(fit.values, in_units(fit, weeks))
