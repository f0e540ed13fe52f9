"""The people behind the orders: one row each, whether a customer record arrived or only an order with their id.

Of several records of one id the newest counts. Of several ids of one person the person's own id leads, and what it
leaves open is taken from the others.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

import ibis
import ibis.expr.types as ir

from workbook.cleaning.sales import ENGINE_TYPE, complete, newest
from workbook.data.schema import LINEAGE, TABLES

_LINEAGE = tuple(column.name for column in LINEAGE)
ATTRIBUTES = tuple(
    column.name for column in TABLES["customers"].stored if column.name not in ("customer_id", *_LINEAGE))


def people(
    orders: ir.Table, records: ir.Table | None, *, merged: ir.Table | None = None, test_customers: Collection[str] = (),
    as_of: date, youngest: int, oldest: int, blank_ages: bool = True,
) -> ir.Table:
    """One row a person; every customer of the orders is among them.

    Args:
        orders: clean orders.
        records: raw customers up to the report date, or None.
        merged: `raw_customer_id`, `customer_id` of ids that belong to another one.
        test_customers: declared test accounts.
        youngest: years; a birth year that makes a customer younger is impossible.
        oldest: years; a birth year that makes a customer older is impossible.
        blank_ages: whether an impossible birth year becomes unknown.
    """
    named = orders.filter(orders.customer_id.notnull())
    buyers = named.group_by("customer_id").aggregate(first_order_on=named.ordered_on.min())
    if records is None:
        known = buyers.mutate(**{
            column.name: ibis.null(ENGINE_TYPE[column.type]) for column in TABLES["customers"].stored
            if column.name in ATTRIBUTES})
    else:
        known = _with_buyers(_one_each(complete(records, "customers"), merged), buyers)
    known = known.mutate(
        first_seen_on=ibis.least(*(ibis.coalesce(a, b) for a, b in (
            (known.registered_at.date(), known.first_order_on), (known.first_order_on, known.registered_at.date())))),
        is_test=known.customer_id.isin(list(test_customers)) if test_customers else ibis.literal(False),
    ).drop("first_order_on")
    if blank_ages:
        known = known.mutate(birth_year=ibis.ifelse(
            impossible_age(known.birth_year, as_of=as_of, youngest=youngest, oldest=oldest), None, known.birth_year))
    return known.select("customer_id", "account_id", "first_seen_on", "is_test",
                        *(name for name in ATTRIBUTES if name != "account_id"))


def impossible_age(birth_year: ir.IntegerValue, *, as_of: date, youngest: int, oldest: int) -> ir.BooleanValue:
    """Whether nobody born in that year could be a customer now."""
    return (birth_year > as_of.year - youngest) | (birth_year < as_of.year - oldest)




def _one_each(records: ir.Table, merged: ir.Table | None) -> ir.Table:
    one = newest(records.filter(records.customer_id.notnull()), "customer_id").select("customer_id", *ATTRIBUTES)
    if merged is None:
        return one
    named = merged.select(other_id="raw_customer_id", person="customer_id")
    others = one.inner_join(named, one.customer_id == named.other_id)
    filled = others.group_by("person").aggregate(**{f"other_{name}": others[name].max() for name in ATTRIBUTES})
    led = one.anti_join(merged, one.customer_id == merged.raw_customer_id)
    every = led.outer_join(filled, led.customer_id == filled.person)
    return every.select(
        customer_id=ibis.coalesce(every.customer_id, every.person),
        **{name: ibis.coalesce(every[name], every[f"other_{name}"]) for name in ATTRIBUTES},
    ).view()  # a further join would otherwise be merged into this one and lose the coalesced id


def _with_buyers(known: ir.Table, buyers: ir.Table) -> ir.Table:
    both = known.outer_join(buyers, "customer_id")
    return both.mutate(customer_id=ibis.coalesce(both.customer_id, both.customer_id_right)).drop("customer_id_right")
