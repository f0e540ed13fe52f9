"""The record as every chapter reads it: what counts as a purchase, and what was known on an earlier day.

A prediction is tested by going back: the orders up to a day, less what had come back by then. Chapters that look
back share these definitions, so that 04, 06 and 08 speak of the same purchases.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

import ibis
import ibis.expr.types as ir

from workbook.data.errors import WorkbookError

OrderMetric = Literal["orders", "revenue", "margin", "bought"]
ORDER_METRICS: tuple[OrderMetric, ...] = ("orders", "revenue", "margin", "bought")


def is_purchase(orders: ir.Table) -> ir.BooleanValue:
    """Not a return document, and not undone by returns; an order of nothing counts."""
    undone = (orders.amount > 0) & (orders.net_amount <= 0)
    return ~orders.is_return.coalesce(False) & (orders.amount >= 0) & ~undone


def year_before(day: date) -> date:
    """The same day a year before; 28 February for the 29th."""
    return day.replace(year=day.year - 1, day=28 if (day.month, day.day) == (2, 29) else day.day)


def known_on(orders: ir.Table, returns: ir.Table | None, *, day: date) -> ir.Table:
    """The orders as they stood at the end of `day`: what came back only later is not yet taken off.

    Args:
        orders: clean/orders: order_id, ordered_on, net_amount.
        returns: clean/returns: order_id, returned_on, amount (positive). Without it the net amount is today's.
    """
    seen = orders.filter(orders.ordered_on <= day)
    if returns is None:
        return seen
    later = returns.filter(returns.returned_on > day, returns.order_id.notnull())
    later = later.group_by(returned_order="order_id").aggregate(came_back_later=later.amount.sum())
    joined = seen.left_join(later, seen.order_id == later.returned_order)
    return joined.mutate(
        net_amount=(joined.net_amount + joined.came_back_later.coalesce(0)).cast("decimal(18, 4)")
    ).drop("returned_order", "came_back_later")


def purchase_days(orders: ir.Table, *, as_of: date) -> ir.Table:
    """One row per customer and day with a purchase, up to and including `as_of`: orders of one day are one decision.

    Args:
        orders: customer_id, ordered_on (date), amount, net_amount (currency), is_return; `cost` where known.

    Returns:
        customer_id, ordered_on, orders (purchases of that day), net_amount, cost (both in currency; cost is blank where
        that of any order is unknown).
    """
    bought = orders.filter(orders.customer_id.notnull(), orders.ordered_on <= as_of, is_purchase(orders))
    sums = {"orders": bought.count(), "net_amount": bought.net_amount.sum().cast("decimal(18, 4)")}
    if "cost" in bought.columns:
        whole = bought.cost.isnull().sum() == 0
        sums["cost"] = ibis.ifelse(whole, bought.cost.sum(), None).cast("decimal(18, 4)")
    return bought.group_by("customer_id", "ordered_on").aggregate(**sums)


def order_worth(orders: ir.Table, metric: OrderMetric) -> ir.FloatingValue:
    """What one purchase adds to a metric.

    Raises:
        WorkbookError: margin asked of orders without costs.
    """
    if metric in ("orders", "bought"):
        return ibis.literal(1.0)
    if metric == "revenue":
        return orders.net_amount.cast("float64")
    if "cost" not in orders.columns:
        raise WorkbookError("The margin of orders was asked for, but their cost is not known.",
                            way_out="Add products with their cost, or judge by revenue.")
    kept = (orders.net_amount / orders.amount.nullif(0)).cast("float64").coalesce(1.0)
    return orders.net_amount.cast("float64") - orders.cost.cast("float64").coalesce(0.0) * kept
