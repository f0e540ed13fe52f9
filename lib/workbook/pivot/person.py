"""One customer: what happened to them, row by row, under which ids they are known, and who comes before and after.

Tables hold ids that the shop gave, or pseudonyms; nothing personal is stored, so that nothing personal can be shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import ibis
import ibis.expr.types as ir

KINDS = ("order", "return", "message", "visit", "ticket", "complaint")
_DAYS = {"returns": "returned_on", "contacts": "sent_on", "tickets": "opened_on", "events": "occurred_on"}
MONEY = "decimal(18,4)"


def happened(tables: Mapping[str, ir.Table], customer_id: str, *, as_of: date) -> ir.Table:
    """What is on record of one customer, the oldest first: day, kind (one of KINDS), amount (currency), what.

    Args:
        tables: clean tables by name: orders, and those of returns, contacts, tickets and events that there are. Of
            events each day with a visit is one row.
    """
    found = [_orders(tables["orders"], customer_id)]
    known = {name: tables[name].filter(tables[name].customer_id == customer_id) for name in _DAYS if name in tables}
    if "returns" in known:
        rows = known["returns"]
        found.append(_rows(rows, rows.returned_on, "return", rows.amount, ibis.null("string")))
    if "contacts" in known:
        rows = known["contacts"]
        found.append(_rows(rows, rows.sent_on, "message", ibis.null(MONEY), rows.channel))
    if "tickets" in known:
        rows = known["tickets"]
        kind = ibis.ifelse(rows.is_complaint.coalesce(False), "complaint", "ticket")
        found.append(_rows(rows, rows.opened_on, kind, ibis.null(MONEY), rows.topic))
    if "events" in known:
        rows = known["events"].select("occurred_on").distinct()
        found.append(_rows(rows, rows.occurred_on, "visit", ibis.null(MONEY), ibis.null("string")))
    together = ibis.union(*found) if len(found) > 1 else found[0]
    return together.filter(together.day.notnull() & (together.day <= as_of)).order_by("day", "kind", "amount", "what")


def _orders(orders: ir.Table, customer_id: str) -> ir.Table:
    theirs = orders.filter((orders.customer_id == customer_id) & ~orders.is_return)
    return _rows(theirs, theirs.ordered_on, "order", theirs.amount, theirs.channel)


def _rows(table: ir.Table, day: ir.Value, kind: ir.Value | str, amount: ir.Value, what: ir.Value) -> ir.Table:
    kind = ibis.literal(kind) if isinstance(kind, str) else kind
    return table.select(day=day.cast("date"), kind=kind.cast("string"), amount=amount.cast(MONEY),
                        what=what.cast("string"))  # fmt: skip


def known_as(customers: ir.Table, identities: ir.Table | None, asked: str) -> ir.Table:
    """customer_id: the customer of that id, or into whom the id was merged; no row where nobody has it."""
    own = customers.filter(customers.customer_id == asked).select("customer_id")
    if identities is None:
        return own.distinct()
    merged = identities.filter(identities.raw_customer_id == asked).select("customer_id")
    return ibis.union(own, merged, distinct=True)


def nearest_ids(customers: ir.Table, asked: str) -> ir.Table:
    """customer_id, steps: by the letters to change from the id that was asked for."""
    table = customers.select("customer_id").distinct()
    table = table.mutate(steps=table.customer_id.levenshtein(asked))
    return table.order_by("steps", "customer_id")


def open_complaints(tickets: ir.Table, customer_id: str) -> ir.Table:
    """One row: complaints of the customer that are not closed."""
    theirs = tickets.filter((tickets.customer_id == customer_id) & tickets.is_complaint.coalesce(False))
    return theirs.aggregate(complaints=theirs.closed_at.isnull().sum().coalesce(0))


def withdrawn(consents: ir.Table, customer_id: str) -> ir.Table:
    """purpose: those for which the customer's last word was no."""
    theirs = consents.filter(consents.customer_id == customer_id)
    last = theirs.group_by("purpose").aggregate(granted=theirs.granted.argmax(theirs.changed_at))
    return last.filter(~last.granted).select("purpose").order_by("purpose")


def ranked(people: ir.Table) -> ir.Table:
    """The customers by net amount of twelve months, most first; equal ones by id."""
    return people.order_by(people.spend_12m.desc(), people.customer_id)


def at_place(people: ir.Table, place: int) -> ir.Table:
    """customer_id: of the customer at this place of `ranked`, counted from 0."""
    return ranked(people.select("customer_id", "spend_12m")).limit(1, offset=place).select("customer_id")


def place_of(people: ir.Table, customer_id: str) -> ir.Table:
    """One row: the place of the customer in `ranked`, counted from 0; -1 for one who is not among these."""
    table = people.select("customer_id", "spend_12m")
    own = table.filter(table.customer_id == customer_id).select(own_id=table.customer_id, own_spend=table.spend_12m)
    both = table.cross_join(own)
    ahead = (both.spend_12m > both.own_spend) | ((both.spend_12m == both.own_spend) & (both.customer_id < both.own_id))
    return both.aggregate(place=ahead.cast("int64").sum().coalesce(-1))
