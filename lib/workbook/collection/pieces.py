"""One source: which of its pieces are new or changed, and each of those read into a part of the raw table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pyarrow.parquet as pq

from workbook.collection.evidence import Evidence, joined, manner_of, misread, refuse_contradictions
from workbook.collection.mapping import open_piece
from workbook.collection.parts import keep_arrivals, refuse_lost_columns, refuse_too_many_rejected
from workbook.collection.pipeline import Behind, ahead
from workbook.collection.records import (
    COPY,
    FORMAT,
    GONE,
    GONE_KEPT,
    LIVE,
    QUARANTINE,
    QUARANTINE_SCHEMA,
    READ,
    SUPERSEDED,
    UNCHANGED,
    FileRecord,
    home_of,
)
from workbook.collection.rows import Tally, parsed_columns, rejected_lines, typed
from workbook.collection.work import Work
from workbook.data import sources
from workbook.data.errors import WorkbookError
from workbook.data.privacy import names_people
from workbook.data.schema import TABLES
from workbook.data.settings import Source
from workbook.data.sources import Piece
from workbook.data.store import Store


def collect_source(source: Source, known: Sequence[FileRecord], work: Work) -> list[FileRecord]:
    """The records of all pieces of a source, those read that are new or changed.

    Args:
        known: the records of the collection before.

    Raises:
        WorkbookError: when the source cannot be read, or not as it is declared.
    """
    pieces = sources.find(source, work.settings.folder)
    current = pieces[-1:] if source.load == "snapshot" else pieces
    own = [record for record in known if (record.source_name, record.table) == (source.label, source.table)]
    before = {record.file: record for record in own}
    records, to_read = _sorted_out(current, before, source, work)
    gone = _gone(source, {piece.name for piece in pieces}, before)
    work.bar.total += sum(piece.size for _, piece, _ in to_read)
    evidence = joined([*records.values(), *(record for record in gone if record.status == GONE_KEPT)])
    if to_read:
        evidence = _with_first_look(to_read[0][1], source, evidence, work)
    while to_read:
        for place, piece, sha256 in to_read:
            records[piece.name] = _read(piece, source, evidence, place, sha256, before, work)
        evidence = joined([*records.values(), *(record for record in gone if record.status == GONE_KEPT)])
        refuse_contradictions(source, evidence)
        again = {name for name, record in records.items() if record.part and misread(record, evidence, source)}
        to_read = [(records[p.name].place, p, records[p.name].sha256) for p in current if p.name in again]
    refuse_lost_columns(source, records.values())
    refuse_too_many_rejected(source, records.values(), work.store)
    superseded = [_set_aside(piece, source, SUPERSEDED) for piece in pieces[: len(pieces) - len(current)]]
    return [*superseded, *sorted(records.values(), key=lambda record: record.place), *gone]


def _sorted_out(
    current: list[Piece], before: Mapping[str, FileRecord], source: Source, work: Work
) -> tuple[dict[str, FileRecord], list[tuple[int, Piece, str]]]:
    """Pieces that need no reading, with their record; and those to read: place, piece, SHA-256."""
    records: dict[str, FileRecord] = {}
    to_read, seen = [], set()
    for place, piece in enumerate(current, start=1):
        kept, sha256 = _kept(piece, before.get(piece.name), source, work)
        if sha256 and sha256 in seen:
            records[piece.name] = _set_aside(piece, source, COPY, sha256=sha256, place=place)
            continue
        seen.add(sha256)
        if kept:
            records[piece.name] = replace(kept, place=place)
        else:
            to_read.append((place, piece, sha256))
    return records, to_read


def _kept(piece: Piece, record: FileRecord | None, source: Source, work: Work) -> tuple[FileRecord | None, str]:
    """The record of before where the piece did not change, and the piece's SHA-256."""
    if record is None or record.recipe != recipe_of(source, work) or not _has_parts(record, work.store):
        return None, sources.fingerprint(piece)
    stamp = (piece.size, piece.modified)
    if piece.modified and stamp == (record.bytes, record.modified_at):
        return replace(record, status=UNCHANGED), record.sha256
    sha256 = sources.fingerprint(piece)
    if sha256 and sha256 == record.sha256:
        return replace(record, status=UNCHANGED, modified_at=piece.modified, bytes=piece.size), sha256
    return None, sha256


def _has_parts(record: FileRecord, store: Store) -> bool:
    """Whether what was read from the piece is still in the store."""
    if record.status not in LIVE:
        return False
    homes = [(home_of(record), record.part), (QUARANTINE, record.quarantine_part)]
    return all(not part or ((entry := store.entry(name)) and part in entry.files) for name, part in homes)


def _set_aside(piece: Piece, source: Source, status: str, *, sha256: str = "", place: int = 0) -> FileRecord:
    return FileRecord(source.label, piece.name, source.table, source.load, status, piece.size, piece.modified, sha256,
                      place=place)


def _gone(source: Source, names: set[str], before: Mapping[str, FileRecord]) -> list[FileRecord]:
    """The pieces that were read once and are no longer there."""
    stays = source.load in ("append", "upsert")
    return [
        replace(record, status=GONE_KEPT) if stays and record.part
        else replace(record, status=GONE, part="", quarantine_part="")
        for name, record in before.items() if name not in names
    ]


def recipe_of(source: Source, work: Work) -> str:
    """A hash of everything that decides how a piece is read: a change reads it again."""
    settings = work.settings
    declared = {
        "source": source.model_dump(mode="json", exclude={"max_rejected_share"}),
        "shop": [settings.time_zone, settings.currency, settings.phone_country],
        "pseudonyms": work.pseudonymiser.stamp if names_people(TABLES[source.table]) else (),
        "rates": [rate.model_dump(mode="json") for rate in settings.rates],
        "with orders": "orders" in work.tables,
        "columns": [asdict(column) for column in TABLES[source.table].columns],
        "format": FORMAT,
    }
    return hashlib.sha256(json.dumps(declared, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _with_first_look(piece: Piece, source: Source, evidence: Evidence, work: Work) -> Evidence:
    """The evidence with that of the first block, which settles most columns: one reading is then enough."""
    reading, plan = open_piece(piece, source, work.tables)
    first = next(reading.batches, None)
    look = {column: set(words) for column, words in evidence.items()}
    if first is not None:
        for column, (_, parsed) in parsed_columns(first, plan, evidence, source, work.settings).items():
            look.setdefault(column, set()).update(parsed.evidence)
    return look


def _read(
    piece: Piece, source: Source, evidence: Evidence, place: int, sha256: str, before: Mapping[str, FileRecord],
    work: Work,
) -> FileRecord:
    """Read a piece into a new part, and what cannot be read into a part of the quarantine."""
    work.bar.set_postfix_str(piece.name[-40:], refresh=False)
    reading, plan = open_piece(piece, source, work.tables, tick=work.bar.update)
    tally = Tally()
    shape = FileRecord(source.label, piece.name, source.table, source.load, READ)
    part, rejects = work.new_part(home_of(shape)), work.new_part(QUARANTINE)
    with (Behind(pq.ParquetWriter(part, plan.table.arrow, compression="zstd")) as raw,
          pq.ParquetWriter(rejects, QUARANTINE_SCHEMA, compression="zstd") as quarantine):
        for batch in ahead(reading.batches):
            good, bad = typed(batch, plan, evidence, source, piece, tally, work)
            raw.write(good)
            if len(bad):
                quarantine.write_table(bad)
        if reading.rejected:
            quarantine.write_table(rejected_lines(reading, source, piece, tally, work))
    if not tally.rows_read:
        raise WorkbookError(f"{piece.name} has a header and no rows.",
                            why="That is more often a failed export than a period without records.",
                            way_out="Export it again, or take it out of what `path` names.")
    if not tally.lines:
        rejects.unlink()
    part = keep_arrivals(part, sha256, shape, before, work)
    return replace(
        shape, bytes=piece.size, modified_at=piece.modified, sha256=sha256, encoding=reading.encoding,
        delimiter=reading.delimiter, rows_read=tally.rows_read, rows_kept=tally.rows_kept,
        rows_quarantined=tally.rejected, values_rounded=tally.rounded, first_at=tally.first_at, last_at=tally.last_at,
        arrived_at=work.arrived, missing_columns=", ".join(plan.missing), part=_relative(part, work.store),
        quarantine_part=_relative(rejects, work.store) if tally.lines else "",
        recipe=recipe_of(source, work), place=place,
        manner=json.dumps({ours: asdict(manner_of(ours, evidence, source, work.settings)) for ours in plan.ours}),
        evidence=json.dumps({ours: sorted(words) for ours, words in tally.evidence.items()}),
    )


def _relative(path: Path, store: Store) -> str:
    return str(path.relative_to(store.root))
