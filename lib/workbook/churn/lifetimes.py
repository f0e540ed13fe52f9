"""One row per customer or contract: how long until it happened, and what was known when the clock began.

For survival curves by group and Cox models (`survival`). Columns beside `days` and `ended` are those of the first
purchase day, or of the contract's first day: nothing later is among them, as a covariate from later would foretell the
event by knowing it.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from workbook.churn.gaps import gaps
from workbook.churn.record import Record
from workbook.history import is_purchase, known_on


def second_purchase(record: Record, *, as_of: date) -> ir.Table:
    """From the first purchase day to the second.

    Returns:
        customer_id, started_on, days, ended (1: bought again by `as_of`); of the first day: first_amount (currency,
        before returns), first_discount_share, first_units, first_categories, first_channel, first_region,
        first_month (1–12). Blank where no source tells.
    """
    first = gaps(record.purchases(as_of), as_of=as_of).filter(lambda gap: gap.number == 1)
    first = first.select("customer_id", "started_on", days="gap_days", ended="returned")
    known = known_on(record.orders, record.returns, day=as_of)
    known = known.filter(is_purchase(known))
    mine = first.inner_join(
        known, [first.customer_id == known.customer_id, first.started_on == known.ordered_on], rname="{name}_order"
    )
    amount, discount = mine.amount.sum().cast("float64"), _sum(mine, "discount")
    met = mine.group_by("customer_id").aggregate(
        first_amount=amount,
        first_discount_share=ibis.ifelse(amount + discount > 0, discount / (amount + discount), None),
        first_units=_sum(mine, "units"),
        first_channel=_one(mine, "channel"),
        first_region=_one(mine, "region"),
    )
    joined = _with(first, met)
    if record.order_lines is not None:
        joined = _with(joined, _first_categories(first, record.order_lines))
    else:
        joined = joined.mutate(first_categories=ibis.null("float64"))
    return joined.mutate(first_month=joined.started_on.month().cast("int64")).order_by("customer_id")


def contracts(subscriptions: ir.Table, *, as_of: date) -> ir.Table:
    """From the first day of a contract to its last.

    Returns:
        subscription_id, customer_id, plan, started_on, days, ended (1: ended by `as_of`), price (currency),
        billing_months, started_month (1–12).
    """
    begun = subscriptions.filter(subscriptions.started_on <= as_of)
    today = ibis.literal(as_of)
    over = (begun.ended_on <= today).coalesce(False)
    until = ibis.ifelse(over, begun.ended_on, today)
    return begun.select(
        "subscription_id", "customer_id", "plan", "started_on",
        days=until.delta(begun.started_on, unit="day").cast("int64"),
        ended=over.cast("int64"),
        price=begun.price.cast("float64"),
        billing_months=begun.billing_months.cast("float64"),
        started_month=begun.started_on.month().cast("int64"),
    ).order_by("subscription_id")  # fmt: skip


def _first_categories(first: ir.Table, lines: ir.Table) -> ir.Table:
    sold = lines.filter(~lines.is_return.coalesce(False), lines.customer_id.notnull())
    sold = sold.select(who="customer_id", day="ordered_on", category="category")
    mine = first.inner_join(sold, [first.customer_id == sold.who, first.started_on == sold.day])
    return mine.group_by("customer_id").aggregate(first_categories=mine.category.nunique().cast("float64"))


def _with(table: ir.Table, facts: ir.Table) -> ir.Table:
    """The table with the facts of each customer beside it."""
    facts = facts.rename(facts_of="customer_id")
    return table.left_join(facts, table.customer_id == facts.facts_of).drop("facts_of")


def _sum(table: ir.Table, column: str) -> ir.Value:
    return table[column].sum().cast("float64") if column in table.columns else ibis.null("float64")


def _one(table: ir.Table, column: str) -> ir.Value:
    """One of the day's values, always the same one."""
    return table[column].min() if column in table.columns else ibis.null("string")
