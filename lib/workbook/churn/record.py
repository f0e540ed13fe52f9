"""The records that churn is read from, in one hand, and the time that they cover."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir

from workbook.data.engine import few_rows
from workbook.history import known_on, purchase_days


class Record(NamedTuple):
    """The clean tables that churn can use; None where no source tells."""

    orders: ir.Table
    order_lines: ir.Table | None = None
    returns: ir.Table | None = None
    events: ir.Table | None = None
    contacts: ir.Table | None = None
    tickets: ir.Table | None = None
    payments: ir.Table | None = None
    subscriptions: ir.Table | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the tables that are there."""
        return tuple(name for name in self._fields if getattr(self, name) is not None)

    def purchases(self, day: date) -> ir.Table:
        """customer_id, ordered_on, orders, net_amount (currency): the purchase days up to `day`, as known then."""
        orders = self.orders.drop("cost") if "cost" in self.orders.columns else self.orders
        return purchase_days(known_on(orders, self.returns, day=day), as_of=day)


class Span(NamedTuple):
    """The time that the record covers."""

    first_on: date | None  # first purchase day; None where nobody has bought
    last_on: date | None
    days: int  # from the first purchase day to the report date, both counted
    buyers: int


def record_span(record: Record, *, as_of: date) -> Span:
    """The days from the first purchase on, and how many customers bought."""
    bought = record.purchases(as_of)
    row = few_rows(
        bought.aggregate(first=bought.ordered_on.min(), last=bought.ordered_on.max(), n=bought.customer_id.nunique())
    )[0]
    days = (as_of - row["first"]).days + 1 if row["first"] else 0
    return Span(row["first"], row["last"], days, row["n"])


def running(record: Record, *, day: date) -> ir.Table:
    """customer_id: who holds a contract at the end of `day`, as it was known then."""
    contracts = record.subscriptions
    begun = contracts.started_on <= day
    still = contracts.ended_on.isnull() | (contracts.ended_on > day)
    return contracts.filter(begun & still).select("customer_id").distinct()
