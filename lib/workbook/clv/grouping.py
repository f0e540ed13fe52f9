"""The expected value as one way of grouping among others, for the scorecard: equal parts of the customers by it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from workbook.clv.fits import fit_purchases
from workbook.clv.forecast import point_forecast
from workbook.clv.gamma_gamma import fit_value

Number = Callable[[pd.DataFrame], np.ndarray]


def value_fitter(horizon_weeks: float, *, model: str = "bg_nbd") -> Callable[[pd.DataFrame], Number | None]:
    """Fits purchases and values on one table of customers and gives any other customers their discounted value.

    None where the fit cannot be used. The tables hold customer_id, x, t_x, T (weeks), mean_repeat_value.
    """

    def fit(customers: pd.DataFrame) -> Number | None:
        purchases, values = fit_purchases(customers, model, with_profile=False), fit_value(customers)
        if not (purchases.usable and values.usable):
            return None
        return lambda others: point_forecast(purchases, values, others, horizon_weeks=horizon_weeks)["clv"].to_numpy()

    return fit
