"""One row per customer: who they are, their stage, what they bought, and where and how they mainly buy.

Attributes of `clean/customers` are as known now: they describe, and must not feed a model that looks back. Everything
else is as of the report date. "Mainly" is the level with most purchases of that customer, ties to the first in the
alphabet; so each customer has one, and tables of customers count everybody once. A region or country that nobody
declared is the one mainly delivered to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from workbook.data.periods import Period
from workbook.profiling import behaviour, times
from workbook.profiling.lifecycle import Rule, stages

DECLARED = ("gender", "education", "occupation", "income_band", "region", "city", "country", "acquisition_channel")
PERSONAL = ("age_band", "gender", "education", "occupation", "income_band", "acquisition_channel")
PLACES = ("region", "country", "channel", "payment_method")
MAINLY = ("channel", "payment_method", "category", "daypart")
# What can be crossed with what; a city has too many levels, and few people each.
ATTRIBUTES = ("lifecycle", "gender", "age_band", "education", "occupation", "income_band", "region", "country",
              "acquisition_channel", *MAINLY)  # fmt: skip


def age_band(birth_year: ir.Column, *, year: int, edges: Sequence[int]) -> ir.Column:
    """`-17`, `18-24`, … `65-`: age reached in that year; empty where the year of birth is not known."""
    age = ibis.literal(year) - birth_year
    bands = [(age < edges[0], f"-{edges[0] - 1}")]
    bands += [(age < high, f"{low}-{high - 1}") for low, high in pairwise(edges)]
    return ibis.cases((birth_year.isnull(), ibis.null("string")), *bands, else_=f"{edges[-1]}-")


def mainly(bought: ir.Table, column: str) -> ir.Table:
    """customer_id and the level of `column` with most of the customer's rows."""
    stated = bought.filter(bought[column].notnull())
    counted = stated.group_by("customer_id", column).agg(times=stated.count())
    most = counted.group_by("customer_id").agg(most_times=counted.times.max())
    best = counted.inner_join(most, "customer_id").filter(lambda row: row.times == row.most_times)
    return best.group_by("customer_id").agg(**{column: best[column].min()})


def bought_by(orders: ir.Table, window: Period) -> ir.Table:
    """customer_id, orders, revenue, returned_amount, net_revenue to date and in the window (…_window)."""
    known = orders.filter(orders.customer_id.notnull())
    bought, recent = ~known.is_return, known.ordered_on.between(window.start, window.end)
    return known.group_by("customer_id").agg(
        revenue_total=known.amount.sum(where=bought),
        net_revenue_total=known.net_amount.sum(),
        orders_window=(bought & recent).sum(),
        revenue=known.amount.sum(where=bought & recent),
        net_revenue=known.net_amount.sum(where=recent),
    )


def profile(
    customers: ir.Table,
    orders: ir.Table,
    *,
    as_of: date,
    before: date,
    rule: Rule,
    zone: ZoneInfo,
    window_days: int = 365,
    age_edges: Sequence[int] = (18, 25, 35, 45, 55, 65),
    lines: ir.Table | None = None,
    events: ir.Table | None = None,
    events_days: int = 90,
) -> ir.Table:
    """One row per customer on record.

    Returns:
        customer_id, lifecycle, lifecycle_before (at the end of `before`), first_ordered_on, last_ordered_on,
        recency_days, orders (to date), revenue_total and net_revenue_total (to date), orders_window, revenue and
        net_revenue (last `window_days`), average_order_value, age_band and what was declared, and the main channel,
        payment_method, category and daypart; with events also visits, clicks and dwell_minutes of the last
        `events_days`.
    """
    window = last_days(as_of, window_days)
    staged = stages(customers, orders, as_of=as_of, rule=rule)
    earlier = stages(customers, orders, as_of=before, rule=rule)
    staged = _joined(staged, earlier.select("customer_id", lifecycle_before="lifecycle"))
    declared = customers.select(
        "customer_id", *DECLARED, age_band=age_band(customers.birth_year, year=as_of.year, edges=age_edges)
    )
    table = _joined(_joined(staged, declared), bought_by(orders, window))
    zero = ibis.literal(0).cast("decimal(18,4)")
    money = {name: ibis.coalesce(table[name].cast("decimal(18,4)"), zero)
             for name in ("revenue_total", "net_revenue_total", "revenue", "net_revenue")}  # fmt: skip
    table = table.mutate(**money, orders_window=ibis.coalesce(table.orders_window, 0))
    table = table.mutate(
        average_order_value=table.net_revenue_total.cast("float64") / table.orders.nullif(0).cast("float64")
    )
    for habit in _habits(orders, lines, zone=zone, as_of=as_of):
        table = _joined(table, habit)
    table = table.mutate(
        region=ibis.coalesce(table.region, table.main_region), country=ibis.coalesce(table.country, table.main_country)
    ).drop("main_region", "main_country")
    if events is not None:
        done = behaviour.by_customer(behaviour.visits(events), last_days(as_of, events_days))
        table = _joined(table, done)
        table = table.mutate(**{name: ibis.coalesce(table[name], 0) for name in ("visits", "clicks", "dwell_minutes")})
    return table.drop("silence_days")


def last_days(as_of: date, days: int) -> Period:
    """The days up to and including the report date."""
    return Period(as_of - timedelta(days=days - 1), as_of, "month")


def stated(table: ir.Table, attributes: Sequence[str] = ATTRIBUTES) -> ir.Table:
    """One row: for each attribute, how many customers have it stated (its name) and its levels (its name + _levels)."""
    return table.agg(
        **{name: table[name].count() for name in attributes},
        **{f"{name}_levels": table[name].nunique() for name in attributes},
    )


def telling(counts: Mapping[str, int], attributes: Sequence[str] = ATTRIBUTES, *, least: int) -> list[str]:
    """The attributes that tell customers apart: two levels or more, stated for at least so many customers."""
    return [name for name in attributes if counts[name] >= least and counts[f"{name}_levels"] > 1]


def somebody(table: ir.Table, *, orders: int = 4) -> ir.Table:
    """One customer to follow by hand: the first by id of those with so many orders, or with the most."""
    bought = table.filter(table.orders > 0)
    return bought.order_by((bought.orders - orders).abs(), bought.customer_id).limit(1)


def _habits(orders: ir.Table, lines: ir.Table | None, *, zone: ZoneInfo, as_of: date) -> list[ir.Table]:
    bought = orders.filter(~orders.is_return & orders.customer_id.notnull())
    # Records older than the earliest offset keep that offset: no shop's hour of 1990 decides anything today.
    clocked = times.on_shop_clock(bought, zone, start=as_of - timedelta(days=3650), end=as_of)
    habits = [mainly(clocked, name) for name in ("channel", "payment_method", "daypart")]
    habits += [mainly(bought, name).rename({f"main_{name}": name}) for name in ("region", "country")]
    if lines is not None:
        goods = lines.filter(~lines.is_return & lines.customer_id.notnull() & lines.is_product)
        habits.append(mainly(goods, "category"))
    return habits


def _joined(left: ir.Table, right: ir.Table) -> ir.Table:
    joined = left.left_join(right, "customer_id")
    return joined.select(*left.columns, *[name for name in right.columns if name != "customer_id"])
