"""Groups of customers over the same first months of their lives: what came up to that age, and what is still to come.

An old group has had its months, a young one has most of them before it. Added up to one age, both can be set beside
each other and beside what winning a customer cost: for each customer the value brought up to that age, and where they
are not that old yet, the expected value of the weeks that are missing. Nothing is discounted: half of it came already.

The interval of a group's mean holds the chance of who its customers are, and how well the expectation is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.clv.acquisition import FEWEST, MONTH_DAYS
from workbook.clv.fits import Fit
from workbook.clv.forecast import point_forecast
from workbook.clv.value import MONEY, Basis, weeks, with_value
from workbook.scoring import Z


def to_age(orders: ir.Table, people: ir.Table, *, as_of: date, rule: Basis, months: int) -> ir.Table:
    """What each customer brought up to an age: customer_id, came (currency).

    Args:
        people: customer_id, first_ordered_on.
    """
    sold = with_value(orders, rule)
    sold = sold.filter(sold.ordered_on <= as_of).select(buyer="customer_id", day="ordered_on", value="value")
    joined = people.select("customer_id", "first_ordered_on").inner_join(sold, people.customer_id == sold.buyer)
    young = joined.day.delta(joined.first_ordered_on, unit="day") <= round(months * MONTH_DAYS)
    brought = joined.value.sum(where=young).coalesce(0).cast(MONEY)
    return joined.group_by("customer_id").aggregate(came=brought).order_by("customer_id")


def first_months(fit: Fit, value_fit: Fit, known: pd.DataFrame, *, months: int, margin: float) -> pd.DataFrame:
    """The same customers with `rest`: the value expected until they reach that age (currency; 0 for who has).

    Args:
        known: customer_id, x, t_x, T, mean_repeat_value, came.
        margin: value of one unit of net revenue.
    """
    missing = np.maximum(np.round(weeks(months) - known["T"].to_numpy(float)), 0.0)
    rest = np.zeros(len(known))
    if not (fit.usable and value_fit.usable):
        return known.assign(rest=np.nan)
    for ahead in np.unique(missing[missing > 0]):
        young = missing == ahead
        terms = {"horizon_weeks": float(ahead), "yearly_discount": 0.0, "margin": margin}
        rest[young] = point_forecast(fit, value_fit, known[young], **terms)["clv"]
    return known.assign(rest=rest)


def at_equal_age(life: pd.DataFrame, totals: pd.DataFrame, *, by: str, costs: pd.DataFrame) -> pd.DataFrame:
    """Groups of customers over their first months, beside what they cost.

    Args:
        life: of `first_months`, with the column `by`.
        totals: of a forecast, by the same groups: by, group, customers, clv, clv_low, clv_high.
        costs: of `acquisition.costs`.

    Returns:
        group, customers, to_come (CLV per customer over the forecast's horizon), to_come_low, to_come_high; came, rest,
        whole, low, high (per customer, up to the age), cost (per customer), times (whole over cost), share (of the CLV
        of all groups). Groups below 30 customers are left out; most to come first.
    """
    rows = totals[totals["by"] == by]
    clv = rows["clv"].sum()
    rows = rows[rows["customers"] >= FEWEST].sort_values("clv", ascending=False)
    each = life.assign(whole=life["came"] + life["rest"]).groupby(by)
    mean, spread = each[["came", "rest", "whole"]].mean(), each["whole"].std()
    known = per_customer(costs, by)
    found = []
    for row in rows.itertuples():
        here, n = mean.loc[row.group], int(row.customers)
        unsure = here["rest"] * (row.clv_high / row.clv - 1) if row.clv > 0 else 0.0
        half = float(np.hypot(Z * spread[row.group] / np.sqrt(n), unsure))
        found.append({
            "group": row.group, "customers": n, "to_come": row.clv / n, "to_come_low": row.clv_low / n,
            "to_come_high": row.clv_high / n, "came": here["came"], "rest": here["rest"], "whole": here["whole"],
            "low": here["whole"] - half, "high": here["whole"] + half, "cost": known.get(row.group, np.nan),
            "share": row.clv / clv,
        })  # fmt: skip
    columns = ["group", "customers", "to_come", "to_come_low", "to_come_high", "came", "rest", "whole", "low", "high",
               "cost", "share"]
    table = pd.DataFrame(found, columns=columns).sort_values("to_come", ascending=False, ignore_index=True)
    return table.assign(times=table["whole"] / table["cost"].astype(float).where(table["cost"].astype(float) > 0))


def per_customer(costs: pd.DataFrame, by: str) -> Mapping[object, float]:
    """What winning one customer of a group cost, of the groups whose cost is known."""
    known = costs[costs["cost"].notna()].groupby(by)[["customers", "cost"]].sum()
    known = known[known["customers"] > 0]
    return (known["cost"] / known["customers"]).to_dict()
