"""Rows that arrived twice: the same key, or every column the same.

A row is only *removed* as a duplicate where its table declares a unique key and the key columns arrived: two rows
alike without a key may be two purchases. With a key, alike in every column: the later arrival is a repeat. Alike in
the key alone: where the source is declared `upsert` the newest arrival supersedes the others, else all are kept and
told.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import ibis
import ibis.expr.types as ir

_ABSENT = "∅"


def content(table: ir.Table, columns: Sequence[str]) -> ir.StringValue:
    """All these columns as one text: equal exactly where the columns are equal."""
    parts = [table[name].cast("string").fill_null(_ABSENT) for name in columns]
    return ibis.literal("␟").join(parts)


def mark(
    table: ir.Table, *, row: str, key: Sequence[str], arrived: ir.BooleanValue, columns: Sequence[str],
    upserted: Collection[str],
) -> ir.Table:
    """Rows with `is_exact_duplicate`, `is_repeated_key`, `is_superseded`, `is_conflicting_key`.

    Only rows that share their content or key with another one are ordered and compared; the rest pass by.

    Args:
        row: column with the row's own name.
        key: the table's unique key.
        arrived: whether the key columns arrived on this row.
        columns: what makes two rows alike.
        upserted: names of the sources whose newest arrival wins.
    """
    facts = table.select(
        row, "source_name", "source_file", "source_row", "arrived_at",
        alike=content(table, columns), same_key=ibis.ifelse(arrived, content(table, key), None))
    return table.left_join(_verdicts(facts, row=row, upserted=upserted), row).mutate(
        **{name: ibis._[name].fill_null(False)
           for name in ("is_exact_duplicate", "is_repeated_key", "is_superseded", "is_conflicting_key")}
    ).drop(f"{row}_right")


def _verdicts(facts: ir.Table, *, row: str, upserted: Collection[str]) -> ir.Table:
    subject = facts.mutate(subject=ibis.coalesce(facts.same_key, facts.alike))
    subject = subject.mutate(bucket=subject.subject.hash())
    shared = subject.group_by("bucket").aggregate(times=subject.count()).filter(ibis._.times > 1)
    some = subject.semi_join(shared, "bucket")
    earlier = [some.arrived_at, some.source_name, some.source_file, some.source_row]
    later = [some.arrived_at.desc(), some.source_name.desc(), some.source_file.desc(), some.source_row.desc()]
    alike = ibis.window(group_by=["subject", "alike"], order_by=earlier)
    together, newest_first = ibis.window(group_by="subject"), ibis.window(group_by="subject", order_by=later)
    placed = some.mutate(
        repeat=ibis.row_number().over(alike) > 0,
        has_key=some.same_key.notnull(),
        differs=some.alike.min().over(together) != some.alike.max().over(together),
        older=ibis.row_number().over(newest_first) > 0,
        upserted=some.source_name.isin(list(upserted)) if upserted else ibis.literal(False),
    )
    replaced = placed.differs & placed.upserted
    return placed.select(
        row,
        is_exact_duplicate=placed.repeat & ~placed.has_key,
        is_repeated_key=placed.repeat & placed.has_key & ~replaced,
        is_superseded=replaced & placed.older,
        is_conflicting_key=placed.differs & ~placed.upserted & ~placed.repeat,
    )
