"""One batch of a piece: its good rows in the columns of the raw table, and what goes to quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from workbook.collection.currencies import in_reporting_currency
from workbook.collection.evidence import Evidence, manner_of
from workbook.collection.mapping import Plan
from workbook.collection.records import QUARANTINE_SCHEMA
from workbook.collection.work import Work
from workbook.data.parsing import Parsed, as_money, local_dates, parse
from workbook.data.privacy import mask
from workbook.data.schema import Table
from workbook.data.settings import Settings, Source
from workbook.data.sources import ROW, Piece, Reading


@dataclass
class Tally:
    """What is counted while a piece is read."""

    rows_read: int = 0
    rows_kept: int = 0
    rejected: int = 0  # rows in quarantine
    lines: int = 0  # lines of the quarantine: values, and rows that could not be taken apart
    rounded: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    evidence: Evidence = field(default_factory=dict)

    def saw(self, days: pa.Array) -> None:
        """Widen the span of time by these rows."""
        span = pc.min_max(pc.cast(days, pa.timestamp("us"))).as_py()
        if span["min"] is not None:
            self.first_at = min(filter(None, (self.first_at, span["min"])))
            self.last_at = max(filter(None, (self.last_at, span["max"])))


def parsed_columns(
    batch: pa.RecordBatch, plan: Plan, evidence: Evidence, source: Source, settings: Settings
) -> dict[str, tuple[pa.Array, Parsed]]:
    """Our column → the texts and what became of them. Personal columns stay text."""
    parsed = {}
    for our, theirs in plan.theirs.items():
        column = plan.table.by_name[our]
        texts = _text_of(batch, theirs, source.values.get(our, {}))
        kind = replace(column, name="personal") if column.personal else column
        parsed[our] = texts, parse(texts, kind, manner_of(our, evidence, source, settings))
    for our, value in source.constants.items():
        texts = pa.array([value] * len(batch), pa.string())
        if our not in parsed:
            parsed[our] = texts, parse(texts, plan.table.by_name[our], manner_of(our, evidence, source, settings))
    return parsed


def _text_of(batch: pa.RecordBatch, theirs: tuple[str, ...], values: Mapping[str, str]) -> pa.Array:
    texts = batch.column(theirs[0])
    if len(theirs) > 1:
        parts = [pc.utf8_trim_whitespace(pc.fill_null(batch.column(name), "")) for name in theirs]
        texts = pc.utf8_trim_whitespace(pc.binary_join_element_wise(*parts, " "))
    if not values:
        return texts
    coded = texts.dictionary_encode()
    meant = [None if text is None else values.get(text.strip(), text) for text in coded.dictionary.to_pylist()]
    return pa.array(meant, pa.string()).take(coded.indices)


def typed(
    batch: pa.RecordBatch, plan: Plan, evidence: Evidence, source: Source, piece: Piece, tally: Tally, work: Work
) -> tuple[pa.Table, pa.Table]:
    """The batch's good rows in the raw table's columns, and its quarantine."""
    parsed = parsed_columns(batch, plan, evidence, source, work.settings)
    for our, (_, one) in parsed.items():
        if one.evidence:
            tally.evidence.setdefault(our, set()).update(one.evidence)
        if one.rounded is not None:
            tally.rounded += pc.sum(one.rounded).as_py() or 0
    columns = {our: one.values for our, (_, one) in parsed.items()}
    reasons = {our: one.reasons for our, (_, one) in parsed.items() if one.reasons.null_count < len(batch)}
    columns = _derived(columns, plan.table, tally, work.settings)
    columns, foreign = in_reporting_currency(columns, parsed, plan.table, tally.evidence, work.settings)
    for our, why in foreign.items():
        reasons[our] = pc.coalesce(reasons[our], why) if our in reasons else why
    reasons |= _lacking(columns, plan.table, reasons, work.tables)
    table = pa.table(columns) if columns else pa.table({ROW: batch.column(ROW)})
    sealed = work.pseudonymiser.seal(table, plan.table, dates=source.dates)
    lines = _quarantine_lines(batch.column(ROW), reasons, parsed, plan, source, piece, work, row_kept=False)
    lines += _quarantine_lines(batch.column(ROW), sealed.reasons, parsed, plan, source, piece, work, row_kept=True)
    bad = _any_reason(reasons)
    good = _in_schema(sealed.table, batch.column(ROW), plan.table, source, piece, work)
    good = good if bad is None else good.filter(pc.invert(bad))
    tally.rows_read += len(batch)
    tally.rows_kept += len(good)
    tally.rejected += len(batch) - len(good)
    tally.lines += sum(map(len, lines))
    if plan.table.local_date:
        tally.saw(good[plan.table.local_date])
    return good, pa.concat_tables(lines) if lines else QUARANTINE_SCHEMA.empty_table()


def _any_reason(reasons: Mapping[str, pa.Array]) -> pa.Array | None:
    """Rows with a value that could not be read; None where there is none."""
    bad = None
    for why in reasons.values():
        bad = pc.is_valid(why) if bad is None else pc.or_(bad, pc.is_valid(why))
    return bad


def _quarantine_lines(
    rows: pa.Array, reasons: Mapping[str, pa.Array], parsed: Mapping[str, tuple[pa.Array, Parsed]], plan: Plan,
    source: Source, piece: Piece, work: Work, *, row_kept: bool,
) -> list[pa.Table]:
    """One line a value that could not be read; a table with personal columns shows shapes only."""
    lines = []
    for our, why in reasons.items():
        where = pc.is_valid(why)
        texts = pc.filter(parsed[our][0], where).to_pylist() if our in parsed else [None] * pc.sum(where).as_py()
        kind = plan.table.by_name[our].personal or ("value" if plan.table.personal else "")
        masked = pa.array([mask(text, kind or _kind_of(text)) for text in texts], pa.string())
        lines.append(quarantine_rows(pc.filter(rows, where), our, masked, pc.filter(why, where), source, piece, work,
                                 row_kept=row_kept))
    return lines


def _kind_of(text: str | None) -> str:
    """What stands where a number or date should may be a name: of words only the shape is shown."""
    letters = [letter for letter in text or "" if letter.isalpha()]
    return "value" if len(letters) > 3 or any(not letter.isascii() for letter in letters) else ""


def rejected_lines(reading: Reading, source: Source, piece: Piece, tally: Tally, work: Work) -> pa.Table:
    """The lines that could not be taken apart."""
    tally.rows_read += len(reading.rejected)
    tally.rejected += len(reading.rejected)
    tally.lines += len(reading.rejected)
    return quarantine_rows(
        pa.array([line.row for line in reading.rejected], pa.int64()), "",
        pa.array([line.detail for line in reading.rejected]),
        pa.array([line.reason for line in reading.rejected]), source, piece, work)


def quarantine_rows(rows: pa.Array, column: str, masked: pa.Array, reasons: pa.Array, source: Source, piece: Piece,
                work: Work, *, row_kept: bool = False) -> pa.Table:
    def same(value: Any, kind: pa.DataType) -> pa.Array:
        return pa.repeat(pa.scalar(value, kind), len(rows))

    text, kept, arrived = pa.string(), same(row_kept, pa.bool_()), same(work.arrived, pa.timestamp("us"))
    return pa.table(
        [same(source.label, text), same(piece.name, text), rows, same(source.table, text), same(column, text), masked,
         reasons, kept, arrived], schema=QUARANTINE_SCHEMA)


def _derived(
    columns: dict[str, pa.Array], table: Table, tally: Tally, settings: Settings
) -> dict[str, pa.Array]:
    """The local date of a time and the other way round; the amount of a line from quantity and price."""
    columns = dict(columns)
    at, on = table.time, table.local_date
    if at in columns and on != at:
        columns[on] = local_dates(columns[at], settings.time_zone)
    elif on in columns and on != at and at in table.by_name:
        midnight = pc.assume_timezone(pc.cast(columns[on], pa.timestamp("us")), settings.time_zone,
                                      ambiguous="earliest", nonexistent="latest")
        columns[at] = pc.cast(pc.cast(midnight, pa.timestamp("us", "UTC")), pa.timestamp("us"))
    if table.name == "order_lines" and {"quantity", "unit_price"} <= set(columns):
        product, rounded = as_money(pc.multiply(columns["quantity"], columns["unit_price"]))
        tally.rounded += 0 if "amount" in columns else rounded
        columns["amount"] = pc.coalesce(columns["amount"], product) if "amount" in columns else product
    return columns


def _lacking(columns: Mapping[str, pa.Array], table: Table, reasons: Mapping[str, pa.Array],
             tables: frozenset[str]) -> dict[str, pa.Array]:
    """Rows without a value that their table cannot do without."""
    needed = list(table.required)
    if table.name == "order_lines":
        needed += ["amount"]
        needed += [] if "orders" in tables else ["ordered_at"]
    lacking = {}
    for name in needed:
        if name not in columns or not columns[name].null_count:
            continue
        known = reasons.get(name)
        empty = pc.is_null(columns[name])
        why = pc.if_else(empty, "required_missing", pa.scalar(None, pa.string()))
        lacking[name] = why if known is None else pc.coalesce(known, why)
    return lacking


def _in_schema(table: pa.Table, rows: pa.Array, of: Table, source: Source, piece: Piece, work: Work) -> pa.Table:
    """All columns of the raw table in their order; what did not arrive is null."""
    lineage = {"source_name": source.label, "source_file": piece.name, "arrived_at": work.arrived}
    out = []
    for name, kind in zip(of.arrow.names, of.arrow.types, strict=True):
        if name == ROW:
            out.append(rows)
        elif name in lineage:
            out.append(pa.repeat(pa.scalar(lineage[name], kind), len(rows)))
        else:
            out.append(pc.cast(table[name], kind) if name in table.column_names else pa.nulls(len(rows), kind))
    return pa.table(out, schema=of.arrow)
