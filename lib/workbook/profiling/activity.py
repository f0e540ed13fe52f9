"""The shop's figures by period: who bought, how often, for how much.

Orders go in, one row each (`clean/orders`); one row a period comes out. A purchase is an order that is not a return
document. Money that came back is taken off the period of its purchase; a return that matches no purchase is taken off
the period in which it arrived.

Two periods are compared at equal return age: each as it looked on its own last day. The latest period has had
less time to see goods come back, and would look better than it is beside an older one.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from workbook.data.periods import Grain, Period, containing
from workbook.profiling.cross import NOT_STATED

UNIT = {"week": "W", "month": "M", "quarter": "Q"}
MONEY = "decimal(18,4)"
TYPING_ERROR = 5  # times too much or too little: beyond any discount that a line forgets to mention
FIGURES = ("customers", "orders", "revenue", "net_revenue", "identified_net_revenue", "new_customers")


def purchases(orders: ir.Table) -> ir.Table:
    """Orders that are not return documents."""
    return orders.filter(~orders.is_return)


def within(table: ir.Table, period: Period, *, day: str = "ordered_on") -> ir.Table:
    """The rows of a period."""
    return table.filter(table[day].between(period.start, period.end))


def compared_with(period: Period) -> Period:
    """The period before; of a period that is not over, as many days of it."""
    before = period.previous()
    if period.is_whole:
        return before
    return Period(before.start, min(before.end, before.start + timedelta(days=period.days - 1)), period.grain)


def as_seen_by(orders: ir.Table, returns: ir.Table | None, day: date) -> ir.Table:
    """Orders with only those returns taken off that had arrived by `day`."""
    if returns is None:
        return orders
    seen = returns.filter(returns.returned_on.isnull() | (returns.returned_on <= day))
    seen = seen.group_by("order_id").agg(seen_amount=seen.amount.sum().cast(MONEY))
    joined = orders.left_join(seen, "order_id")
    returned = ibis.coalesce(joined.seen_amount, ibis.literal(Decimal(0)).cast(MONEY))
    joined = joined.mutate(returned_amount=returned, net_amount=(joined.amount - returned).cast(MONEY))
    return joined.select(*orders.columns)


def contradictory(lines: ir.Table) -> ir.BooleanColumn:
    """Lines whose quantity times price is more than five times what they came to, or less than a fifth."""
    stated = (lines.quantity.cast("float64") * lines.unit_price.cast("float64")).abs()
    amount = lines.amount.cast("float64").abs()
    wrong = (stated > TYPING_ERROR * amount) | (stated * TYPING_ERROR < amount)
    return ibis.coalesce((amount > 0) & (stated > 0) & wrong, False)


def believable(lines: ir.Table) -> ir.Table:
    """Order lines with a quantity that contradicts price and amount replaced by amount ÷ price, its cost in proportion.

    Money is left as it stands: the amount is what was paid.
    """
    wrong = contradictory(lines)
    units = (lines.amount.cast("float64") / lines.unit_price.cast("float64").nullif(0.0)).round(0)
    cost = lines.cost.cast("float64") * units / lines.quantity.cast("float64").nullif(0.0)
    return lines.mutate(
        quantity=ibis.ifelse(wrong, units.cast(MONEY), lines.quantity.cast(MONEY)),
        cost=ibis.ifelse(wrong, cost.cast(MONEY), lines.cost.cast(MONEY)),
    )


def with_believable_lines(orders: ir.Table, lines: ir.Table) -> ir.Table:
    """Orders with units and cost less what contradictory lines state in excess."""
    both = believable(lines.mutate(wrong=contradictory(lines), stated=lines.quantity, stated_cost=lines.cost))
    excess = both.filter(both.wrong).group_by("order_id").agg(
        excess_units=(ibis._.stated.cast(MONEY) - ibis._.quantity).sum(),
        excess_cost=(ibis._.stated_cost.cast(MONEY) - ibis._.cost).sum(),
    )
    joined = orders.left_join(excess, "order_id")
    zero = ibis.literal(Decimal(0)).cast(MONEY)
    joined = joined.mutate(
        units=(joined.units.cast(MONEY) - ibis.coalesce(joined.excess_units.cast(MONEY), zero)).cast(MONEY),
        cost=(joined.cost.cast(MONEY) - ibis.coalesce(joined.excess_cost.cast(MONEY), zero)).cast(MONEY),
    )
    return joined.select(*orders.columns)


def totals(orders: ir.Table) -> ir.Table:
    """One row: the sums of these orders, of known customers and of anonymous sales.

    Returns:
        customers, orders (known customers'), all_orders, units, discount, amount, net (known customers'), all_amount,
        all_net, anonymous_net, largest (amount of the largest order).
    """
    bought, known = ~orders.is_return, orders.customer_id.notnull()
    zero = ibis.literal(Decimal(0)).cast(MONEY)

    def money(column: ir.Column, where: Any) -> ir.Scalar:
        return ibis.coalesce(ibis.coalesce(column, zero).sum(where=where), zero)

    return orders.agg(
        customers=orders.customer_id.nunique(where=bought),
        orders=(bought & known).sum(),
        all_orders=bought.sum(),
        units=money(orders.units.cast(MONEY), bought & known),
        all_units=money(orders.units.cast(MONEY), bought),
        discount=money(orders.discount, bought & known),
        amount=money(orders.amount, bought & known),
        net=money(orders.net_amount, known),
        all_amount=money(orders.amount, bought),
        all_net=money(orders.net_amount, None),
        anonymous_net=money(orders.net_amount, ~known),
        largest=ibis.coalesce(orders.amount.max(where=bought), zero),
    )


def first_purchases(orders: ir.Table) -> ir.Table:
    """customer_id, first_ordered_on: the day of each customer's first purchase on record."""
    bought = purchases(orders)
    bought = bought.filter(bought.customer_id.notnull())
    return bought.group_by("customer_id").agg(first_ordered_on=bought.ordered_on.min())


def newcomers(orders: ir.Table, period: Period) -> ir.Table:
    """One row: customers whose first purchase on record lies in the period."""
    return within(first_purchases(orders), period, day="first_ordered_on").agg(customers=ibis._.count())


def by_period(orders: ir.Table, *, grain: Grain) -> ir.Table:
    """One row a period in which something happened.

    Returns:
        period (its first day), customers (who bought), orders, revenue (before returns), net_revenue,
        identified_net_revenue, new_customers (first purchase on record).
    """
    orders = orders.mutate(period=orders.ordered_on.truncate(UNIT[grain]))
    bought, known = ~orders.is_return, orders.customer_id.notnull()
    figures = orders.group_by("period").agg(
        customers=orders.customer_id.nunique(where=bought),
        orders=bought.sum(),
        revenue=orders.amount.sum(where=bought),
        net_revenue=orders.net_amount.sum(),
        identified_net_revenue=orders.net_amount.sum(where=known),
    )
    first = first_purchases(orders)
    first = first.mutate(first_period=first.first_ordered_on.truncate(UNIT[grain]))
    new = first.group_by("first_period").agg(new_customers=first.count())
    joined = figures.left_join(new, figures.period == new.first_period)
    return joined.select("period", *FIGURES)


def history(figures: pd.DataFrame, period: Period, *, most: int = 24) -> pd.DataFrame:
    """The last periods in order, one row each; a period in which nothing happened is a row of zeros."""
    starts = [period.start]
    first = figures["period"].min() if len(figures) else pd.Timestamp(period.start)
    while len(starts) < most and starts[0] > pd.Timestamp(first).date():
        starts.insert(0, containing(starts[0] - timedelta(days=1), period.grain).start)
    frame = pd.DataFrame({"period": pd.to_datetime(starts)})
    known = figures.assign(period=pd.to_datetime(figures["period"]).astype(frame["period"].dtype))
    known[list(FIGURES)] = known[list(FIGURES)].astype(float)
    return frame.merge(known, on="period", how="left").fillna(dict.fromkeys(FIGURES, 0.0)).assign(
        returning_customers=lambda rows: rows["customers"] - rows["new_customers"]
    )


def by_level(orders: ir.Table, column: str) -> ir.Table:
    """What each level of a column of the orders (channel, region …) sold.

    Returns:
        level, customers (different known ones, and every anonymous sale as one more), orders, revenue (net).
    """
    stated = orders.mutate(level=ibis.coalesce(orders[column], NOT_STATED))
    bought = ~stated.is_return
    return stated.group_by("level").agg(
        customers=stated.customer_id.nunique(where=bought) + (bought & stated.customer_id.isnull()).sum(),
        orders=bought.sum(),
        revenue=stated.net_amount.cast("float64").sum(),
    )


def margin(orders: ir.Table) -> ir.Table:
    """One row: what is left of net revenue without tax, of the orders whose cost is known.

    Goods that came back are taken to be sold again at full worth: their cost is taken off in the share of the money.

    Returns:
        net_of_tax, cost, covered_net (net revenue of orders with a cost), all_net (of all purchases), orders.
    """
    bought = purchases(orders)
    zero = ibis.literal(0.0)
    amount, net = bought.amount.cast("float64"), bought.net_amount.cast("float64")
    kept = ibis.ifelse(amount == 0, ibis.literal(1.0), net / amount.nullif(0.0))
    known = bought.cost.notnull()
    return bought.agg(
        net_of_tax=(net - kept * ibis.coalesce(bought.tax.cast("float64"), zero)).sum(where=known),
        cost=(kept * bought.cost.cast("float64")).sum(where=known),
        covered_net=net.sum(where=known),
        all_net=net.sum(),
        orders=known.sum(),
    )
