"""What arrived, how fresh and how complete it is: figures and small tables over the raw tables.

Tables of the engine go in, small ones come out. Sales are counted on `raw/orders` where it arrived,
else on `raw/order_lines`; a row without an order id is an order of its own. A sale without a customer
is an anonymous one: in the revenue, in no customer's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.collection.records import GONE, LIVE, FileRecord
from workbook.data.engine import few_rows
from workbook.data.schema import LINEAGE, TABLES

_LINEAGE = {column.name for column in LINEAGE}


class Sales(NamedTuple):
    """The sales among the collected rows, nothing cleaned."""

    orders: int  # different order ids, and rows without one; cancellations included
    customers: int  # different customers named
    products: int  # different products named
    revenue: Decimal  # sum of the amounts, cancellations and returns taken off
    identified: Decimal  # the part of it that names a customer
    first_on: date | None  # the shop's local dates
    last_on: date | None  # newest that is not later than its own arrival
    in_future: int  # rows dated after the day they arrived

    @property
    def identified_share(self) -> float | None:
        return float(self.identified / self.revenue) if self.revenue else None


def sales(tables: Mapping[str, ir.Table]) -> Sales:
    """Count the sales.

    Args:
        tables: `orders` and `order_lines`, those of them that arrived.
    """
    if not tables:
        return Sales(0, 0, 0, Decimal(0), Decimal(0), None, None, 0)
    main = tables["orders"] if "orders" in tables else tables["order_lines"]
    seen = main.ordered_on <= main.arrived_at.cast("date") + ibis.interval(days=1)
    totals = main.aggregate(
        orders=main.order_id.nunique() + main.order_id.isnull().sum(),
        customers=main.customer_id.nunique(),
        revenue=main.amount.sum(),
        identified=main.amount.sum(where=main.customer_id.notnull()),
        first_on=main.ordered_on.min(),
        last_on=main.ordered_on.max(where=seen),
        in_future=(~seen).sum(),
    )
    (found,) = few_rows(totals)
    products = 0
    if "order_lines" in tables:
        (named,) = few_rows(tables["order_lines"].aggregate(products=lambda t: t.product_id.nunique()))
        products = named["products"]
    return Sales(
        found["orders"] or 0, found["customers"], products, found["revenue"] or Decimal(0),
        found["identified"] or Decimal(0), found["first_on"], found["last_on"], found["in_future"] or 0,
    )


def rows_by_month(tables: Mapping[str, ir.Table], *, first: date) -> ir.Table:
    """source_name, month, rows, newest (day of the last one): of the tables whose rows have a time.

    Rows dated before the day `first` or after the day of their arrival are mistyped or plans, and would stretch the
    months over a century; 02 tells of the impossible ones.
    """
    counted = []
    for name, rows in tables.items():
        day = TABLES[name].local_date
        if day:
            month = rows[day].cast("date").truncate("M")
            possible = rows[day].cast("date").between(first, rows.arrived_at.cast("date") + ibis.interval(days=1))
            dated = rows.filter(possible).group_by(source_name=rows.source_name, month=month)
            counted.append(dated.aggregate(rows=ibis._.count(), newest=ibis._[day].cast("date").max()))
    return ibis.union(*counted) if len(counted) > 1 else counted[0]


def filled(name: str, rows: ir.Table) -> list[dict[str, object]]:
    """One row a column that arrived: table, column, share of the rows in which it is filled.

    A column that no row fills did not arrive and is left out.
    """
    columns = [column.name for column in TABLES[name].stored if column.name not in _LINEAGE]
    (counts,) = few_rows(rows.aggregate(rows=rows.count(), **{column: rows[column].count() for column in columns}))
    total = counts["rows"]
    return [{"table": name, "column": column, "share": counts[column] / total}
            for column in columns if total and counts[column]]


def by_reason(quarantine: ir.Table) -> ir.Table:
    """source_name, column, reason, row_kept, values: most frequent first."""
    grouped = quarantine.group_by("source_name", "column", "reason", "row_kept").aggregate(values=ibis._.count())
    return grouped.order_by(ibis.desc("values"), "source_name", "column", "reason")


class SourceState(NamedTuple):
    """One source as it stands after a collection."""

    source_name: str
    table: str
    load: str
    files: int  # pieces that count
    copies: int  # pieces that are byte for byte another one
    gone: int  # pieces read once that are no longer there
    encodings: tuple[str, ...]
    rows_read: int
    rows_kept: int
    rows_quarantined: int
    values_rounded: int
    first_on: date | None  # of its rows; the shop's local dates
    last_on: date | None


def by_source(records: Iterable[FileRecord]) -> list[SourceState]:
    """One row a source, in the order of the settings."""
    groups: dict[str, list[FileRecord]] = {}
    for record in records:
        groups.setdefault(record.source_name, []).append(record)
    return [_state(own) for own in groups.values()]


def _state(records: list[FileRecord]) -> SourceState:
    live = [record for record in records if record.status in LIVE]
    firsts = [record.first_at for record in live if record.first_at]
    lasts = [record.last_at for record in live if record.last_at]
    return SourceState(
        records[0].source_name, records[0].table, records[0].load, len(live),
        sum(record.status == "copy" for record in records), sum(record.status.startswith(GONE) for record in records),
        tuple(sorted({record.encoding for record in live if record.encoding})),
        sum(record.rows_read for record in live), sum(record.rows_kept for record in live),
        sum(record.rows_quarantined for record in live), sum(record.values_rounded for record in live),
        min(firsts).date() if firsts else None, max(lasts).date() if lasts else None,
    )
