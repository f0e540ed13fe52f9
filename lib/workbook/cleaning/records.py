"""Every other table: cut at the report date, repeats removed, ids resolved.

A row dated after the report is not yet known. A time stamp inside a known row that lies later (a message opened
after the report, a contract ended later) is not known either and becomes blank. Where the table declares a key and
it arrived, repeats are removed; of rows that share the key alone, the newest arrival stays where the source is
loaded as `upsert` or `snapshot`, else all stay and are told.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from workbook.cleaning import duplicates
from workbook.cleaning.identities import resolve
from workbook.cleaning.sales import complete, row_id
from workbook.data.engine import few_rows
from workbook.data.schema import LINEAGE, TABLES

PEOPLE = ("customer_id", "referrer_id", "referred_id")  # columns that name a customer
_ENDS = {"subscriptions": {"ended_on": ("end_reason",)}}  # dates that may lie ahead: column → what is known with it
_SINCE = {"customers": "registered_at"}  # what dates a row where the table has no time of its own
_LINEAGE = tuple(column.name for column in LINEAGE)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The first moment after a day of the shop's, in UTC.

    >>> end_of(date(2026, 6, 30), ZoneInfo("Asia/Shanghai"))
    datetime.datetime(2026, 6, 30, 16, 0)
    """
    return datetime.combine(day + timedelta(days=1), time(), zone).astimezone(UTC).replace(tzinfo=None)


def known(table: ir.Table, name: str, *, as_of: date, zone: ZoneInfo) -> ir.Table:
    """Rows of a raw table that were there at the report date, with what happened later left blank."""
    end = ibis.literal(end_of(as_of, zone)).cast("timestamp(6)")
    table = complete(table, name)
    definition = TABLES[name]
    if definition.local_date:
        day = table[definition.local_date]
        table = table.filter(day.isnull() | (day <= ibis.literal(as_of)))
    elif name in _SINCE:
        since = table[_SINCE[name]]
        table = table.filter(since.isnull() | (since < end))
    own = {definition.time, _SINCE.get(name), "arrived_at"}
    later = [c.name for c in definition.stored if c.type == "timestamp" and c.name not in own]
    table = table.mutate(**{c: ibis.ifelse(table[c] < end, table[c], None) for c in later}) if later else table
    for column, told_with in _ENDS.get(name, {}).items():
        past = table[column] <= ibis.literal(as_of)
        table = table.mutate(**{c: ibis.ifelse(past, table[c], None) for c in (column, *told_with)})
    return table


def has_key(table: ir.Table, name: str) -> bool:
    """Whether the unique key that the table declares arrived with any row."""
    key = _needed(name)
    return bool(key) and few_rows(table.aggregate(any=_arrived(table, key).any()))[0]["any"] is True


def _needed(name: str) -> tuple[str, ...]:
    """Key columns that a row must have for its key to count: the required ones, else all."""
    definition = TABLES[name]
    return tuple(column for column in definition.key if column in definition.required) or definition.key


def _arrived(table: ir.Table, key: Sequence[str]) -> ir.BooleanValue:
    return ibis.and_(*(table[column].notnull() for column in key))


def marked(table: ir.Table, name: str, *, replaced: Collection[str]) -> ir.Table:
    """Rows with the verdicts of `duplicates`.

    Args:
        table: as `known` returns.
        replaced: names of the sources whose newest arrival wins.
    """
    columns = [column.name for column in TABLES[name].stored if column.name not in _LINEAGE]
    return duplicates.mark(
        table.mutate(row_id=row_id(table)), row="row_id", key=TABLES[name].key, columns=columns,
        arrived=_arrived(table, _needed(name)), upserted=replaced)


def tidy(table: ir.Table, *, drop_repeats: bool, merged: ir.Table | None) -> ir.Table:
    """Marked rows without repeats, ids resolved; a row that shares its key is told by `is_duplicate`."""
    gone = table.is_superseded | (table.is_repeated_key if drop_repeats else ibis.literal(False))
    kept = table.filter(~gone).mutate(is_duplicate=ibis._.is_conflicting_key)
    return with_people(kept, merged).drop(
        "row_id", "is_exact_duplicate", "is_repeated_key", "is_superseded", "is_conflicting_key")


def with_people(table: ir.Table, merged: ir.Table | None) -> ir.Table:
    """The table with every column that names a customer resolved to the person."""
    if merged is None:
        return table
    for column in PEOPLE:
        if column in table.columns:
            table = resolve(table, merged, column)
    return table
