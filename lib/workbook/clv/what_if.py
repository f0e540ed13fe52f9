"""What customers would be worth under another margin, discount or horizon, and what a budget for new ones buys."""

from __future__ import annotations

import math
from typing import NamedTuple

import pandas as pd

from workbook.clv.fits import Fit
from workbook.clv.forecast import point_forecast
from workbook.clv.value import by_tenth, weeks


class WhatIf(NamedTuple):
    """One position of the sliders."""

    to_come: float | None  # currency, discounted value of today's customers over the horizon
    tenths: pd.DataFrame  # tenth (1 = worth most), customers, each (currency per customer), share (of what is to come)
    new_customer: float | None  # currency: first purchase and expected repeat purchases of a new customer
    budget: float
    cost_each: float
    won: int  # customers whom the budget wins at that cost


def what_if(
    fit: Fit, value_fit: Fit, customers: pd.DataFrame, *, margin: float, yearly_discount: float, horizon_months: float,
    budget: float, cost_each: float,
) -> WhatIf:  # fmt: skip
    """The value of today's customers and of a new one.

    Args:
        customers: of `customer_table`: x, t_x, T, mean_repeat_value, first_value.
        margin: value of one unit of net revenue.
        cost_each: what winning one customer costs; 0 where nobody knows.
    """
    won = math.floor(budget / cost_each) if cost_each > 0 else 0
    if not (fit.usable and value_fit.usable and len(customers)):
        return WhatIf(None, pd.DataFrame(columns=["tenth", "customers", "each", "share"]), None, budget, cost_each, won)
    terms = {"horizon_weeks": weeks(horizon_months), "yearly_discount": yearly_discount, "margin": margin}
    worth = point_forecast(fit, value_fit, customers, **terms)
    again = point_forecast(fit, value_fit, newcomer(), **terms)["clv"].iat[0]
    new_customer = float(margin * customers["first_value"].mean() + again)
    return WhatIf(float(worth["clv"].sum()), by_tenth(worth, "clv"), new_customer, budget, cost_each, won)


def newcomer() -> pd.DataFrame:
    """Somebody who has just bought for the first time."""
    return pd.DataFrame({"customer_id": ["new"], "x": [0], "t_x": [0.0], "T": [0.0], "mean_repeat_value": [math.nan]})
