"""What the lifetime models are made from: how often, how lately, how long, and how much, per customer.

`x` counts repeat purchases (purchase days after the first), `t_x` is the time from the first purchase to the last
one, `T` the time from the first purchase to the report date, both in units of `unit_days` days. `t_x` counts from the
first purchase; `recency_days` of 04 counts back from the report date.

Which purchases count: those of `history.is_purchase`. A purchase of amount 0 counts; one wholly returned does not; one
partly returned counts with what was kept. A return document whose purchase is unknown changes no count and no value.
Gamma-Gamma is fitted on repeaters whose mean repeat value is above 0.

Source: P. S. Fader & B. G. S. Hardie, Creating an RFM Summary Using Excel, 2008.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.history import purchase_days

DAYS_A_WEEK = 7


def customer_table(orders: ir.Table, *, as_of: date, unit_days: int = DAYS_A_WEEK) -> ir.Table:
    """Repeat purchases, their times and their value of each customer who bought, up to and including `as_of`.

    Args:
        orders: customer_id, ordered_on (date), amount, net_amount (currency), is_return; as known on `as_of`
            (`history.known_on`).
        unit_days: days in the unit of `t_x` and `T`.

    Returns:
        customer_id, x, t_x, T, mean_repeat_value (blank without a repeat purchase), first_value, value_to_date
        (currency), first_ordered_on, last_ordered_on.
    """
    return counted(purchase_days(orders, as_of=as_of), as_of=as_of, unit_days=unit_days)


def counted(days: ir.Table, *, as_of: date, unit_days: int = DAYS_A_WEEK) -> ir.Table:
    """The same from purchase days up to `as_of`: customer_id, ordered_on, net_amount."""
    each = days.group_by("customer_id").aggregate(
        first_ordered_on=days.ordered_on.min(),
        last_ordered_on=days.ordered_on.max(),
        days=days.count(),
        value=days.net_amount.sum(),
        first=days.net_amount.argmin(days.ordered_on),
    )
    x = each.days - 1
    life = each.last_ordered_on.delta(each.first_ordered_on, unit="day")
    age = ibis.literal(as_of).delta(each.first_ordered_on, unit="day")
    return each.select(
        "customer_id",
        x=x.cast("int64"),
        t_x=life.cast("float64") / unit_days,
        T=age.cast("float64") / unit_days,
        mean_repeat_value=(each.value - each["first"]).cast("float64") / ibis.ifelse(x > 0, x, None),
        first_value=each["first"].cast("float64"),
        value_to_date=each.value.cast("float64"),
        first_ordered_on=each.first_ordered_on,
        last_ordered_on=each.last_ordered_on,
    )


def merged(customers: ir.Table) -> ir.Table:
    """Customers with equal counts once, counted in the engine: x, t_x, T, customers."""
    return customers.group_by("x", "t_x", "T").aggregate(customers=customers.count()).order_by("x", "t_x", "T")


def merge(customers: pd.DataFrame) -> pd.DataFrame:
    """Customers with equal counts once: x, t_x, T, customers.

    >>> merge(pd.DataFrame({"x": [0, 2, 0], "t_x": [0.0, 1.5, 0.0], "T": [9.0, 4.0, 9.0]}))["customers"].tolist()
    [2, 1]
    """
    if "customers" in customers:
        return customers.groupby(["x", "t_x", "T"], as_index=False)["customers"].sum()
    return customers.groupby(["x", "t_x", "T"]).size().rename("customers").reset_index()


class Facts(NamedTuple):
    """What the models have to learn from."""

    customers: int  # with a purchase
    repeat_purchases: int  # purchase days after each one's first
    repeaters: int  # customers with any
    one_time: int  # customers with none
    mean_repeat_value: float | None  # currency: mean over repeaters of their mean repeat value
    valued: int  # repeaters with a positive mean, on whom Gamma-Gamma is fitted
    history_weeks: float  # from the first purchase of anyone to the report date


def facts(customers: pd.DataFrame, *, unit_days: int = DAYS_A_WEEK) -> Facts:
    """The counts of the chapter's first table, from x, T and mean_repeat_value."""
    again = customers["x"].to_numpy() > 0
    values = customers.loc[again, "mean_repeat_value"].to_numpy(float)
    return Facts(
        customers=len(customers),
        repeat_purchases=int(customers["x"].sum()),
        repeaters=int(again.sum()),
        one_time=int((~again).sum()),
        mean_repeat_value=float(np.mean(values)) if len(values) else None,
        valued=int((values > 0).sum()),
        history_weeks=float(customers["T"].max()) * unit_days / DAYS_A_WEEK if len(customers) else 0.0,
    )
