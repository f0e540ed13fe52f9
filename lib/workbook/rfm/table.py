"""From orders to one row per customer: recency, frequency, monetary value as of a day."""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple, get_args

import ibis
import ibis.expr.types as ir

from workbook.data.engine import few_rows
from workbook.data.errors import WorkbookError, nearest
from workbook.history import is_purchase, year_before

NOT_YET = "not_yet"  # known, but without a purchase
Counted = Literal["purchase_days", "orders"]


def customer_table(orders: ir.Table, *, as_of: date, frequency: Counted = "purchase_days") -> ir.Table:
    """Recency, frequency and monetary value of each customer who bought, up to and including `as_of`.

    Args:
        orders: customer_id, ordered_on (date), amount, net_amount (currency), is_return.
        as_of: the last day that is seen; recency counts back from it.
        frequency: what is counted: days with a purchase, or orders.

    Returns:
        customer_id, first_ordered_on, last_ordered_on, recency_days, frequency, purchase_days, orders, monetary,
        first_day_amount, spend_12m.
    """
    if frequency not in get_args(Counted):
        raise WorkbookError(
            f"frequency counts {frequency!r}, which is not known.", way_out=nearest(frequency, get_args(Counted))
        )
    seen = orders.filter(orders.customer_id.notnull(), orders.ordered_on <= as_of)
    days = seen.group_by("customer_id", "ordered_on").aggregate(
        net=seen.net_amount.sum(), bought=seen.count(where=is_purchase(seen))
    )
    bought = days.bought > 0
    customers = days.group_by("customer_id").aggregate(
        first_ordered_on=days.ordered_on.min(where=bought),
        last_ordered_on=days.ordered_on.max(where=bought),
        purchase_days=days.count(where=bought),
        orders=days.bought.sum(),
        monetary=days.net.sum(),
        first_day_amount=days.net.argmin(days.ordered_on, where=bought),
        spend_12m=days.net.sum(where=days.ordered_on > year_before(as_of)).coalesce(0),
    )
    customers = customers.filter(customers.purchase_days > 0)
    return customers.select(
        "customer_id",
        "first_ordered_on",
        "last_ordered_on",
        recency_days=ibis.literal(as_of).delta(customers.last_ordered_on, unit="day"),
        frequency=customers[frequency],
        purchase_days=customers.purchase_days,
        orders=customers.orders,
        **{name: customers[name].cast("decimal(18, 4)") for name in ("monetary", "first_day_amount", "spend_12m")},
    )


class Repeats(NamedTuple):
    """How much of the buying is repeat buying."""

    customers: int  # with a purchase
    repeat_purchase_days: int  # purchase days after each one's first
    repeaters: int  # customers with any
    mean_repeat_value: float | None  # currency: mean over repeaters of the mean net amount of such a day


def repeats(customers: ir.Table) -> Repeats:
    """Customers and their repeat purchases.

    The value of one repeater is (monetary - first_day_amount) / (purchase_days - 1).
    """
    again = customers.purchase_days > 1
    per_day = (customers.monetary - customers.first_day_amount).cast("float64") / ibis.ifelse(
        again, customers.purchase_days - 1, None
    )
    row = customers.aggregate(
        customers=customers.count(),
        repeat_purchase_days=(customers.purchase_days - 1).sum().coalesce(0),
        repeaters=again.cast("int64").sum().coalesce(0),
        mean_repeat_value=per_day.mean().round(8),  # parallel sums of floats differ in their last digits
    )
    return Repeats(**few_rows(row)[0])


def everyone(buyers: ir.Table, customers: ir.Table) -> ir.Table:
    """Buyers, and below them the known people who have not bought: counts 0, dates and scores blank.

    Args:
        buyers: one row per buyer, with segment.
        customers: clean/customers: customer_id, is_test (test accounts are left out).
    """
    known = customers.filter(~customers.is_test.coalesce(False)).select("customer_id").distinct()
    waiting = known.anti_join(buyers, "customer_id")
    blank = {name: ibis.null(kind) for name, kind in buyers.schema().items() if name != "customer_id"}
    zero = {
        name: ibis.literal(0).cast(buyers.schema()[name])
        for name in ("frequency", "purchase_days", "orders", "monetary", "first_day_amount", "spend_12m")
    }
    filled = waiting.mutate(**{**blank, **zero, "segment": ibis.literal(NOT_YET)})
    return buyers.union(filled.select(buyers.columns))
