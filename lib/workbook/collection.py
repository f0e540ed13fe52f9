"""From the declared sources to the raw tables: what arrived, from where, and what could not be read.

Each source is read piece by piece (`data.sources`), its columns renamed to the canonical ones, its
texts typed (`data.parsing`), personal values taken out (`data.privacy`), and written as one Parquet
file per piece. `raw/<table>` is the list of those files. A row with a value that cannot be read goes
to `quarantine/rows` instead; past a declared share of a source the run stops.

A piece whose size and time, or else whose SHA-256, did not change is not read again. What happens to
pieces that overlap, change or disappear is the source's `load`:

============  ============================================  ======================  ===================
load          rows of two pieces with the same key          a changed piece         a piece that is gone
============  ============================================  ======================  ===================
append        all kept (02 flags duplicates)                replaces its own rows   its rows stay
replace_file  all kept (02 flags duplicates)                replaces its own rows   its rows leave
snapshot      only the last piece by name counts            is the new state        the one before counts
upsert        the later piece, then the later row, wins     wins by its new rows    its rows stay
============  ============================================  ======================  ===================

A piece that is byte for byte a copy of another one of its source is read once.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from tqdm.auto import tqdm

from workbook.data import sources
from workbook.data.errors import WorkbookError, nearest
from workbook.data.parsing import MONEY, Manner, Parsed, contradicts, local_dates, parse
from workbook.data.privacy import Pseudonymiser, mask
from workbook.data.schema import ARROW, TABLES, Column, Table
from workbook.data.settings import Settings, Source
from workbook.data.sources import ROW, Piece, Reading
from workbook.data.store import Store, write_whole

MADE_BY = "01_collection"
FILES, QUARANTINE = "collection/files", "quarantine/rows"
FORMAT = 1  # of the parts: a change re-reads everything
READ, UNCHANGED, COPY, GONE_KEPT, GONE, SUPERSEDED = "read", "unchanged", "copy", "gone_kept", "gone", "superseded"
_LIVE = (READ, UNCHANGED, GONE_KEPT)

QUARANTINE_SCHEMA = pa.schema([
    ("source_name", pa.string()), ("source_file", pa.string()), ("source_row", pa.int64()), ("table", pa.string()),
    ("column", pa.string()), ("value_masked", pa.string()), ("reason", pa.string()), ("row_kept", pa.bool_()),
    ("arrived_at", pa.timestamp("us")),
])
FILES_SCHEMA = pa.schema([
    ("source_name", pa.string()), ("file", pa.string()), ("table", pa.string()), ("load", pa.string()),
    ("status", pa.string()), ("bytes", pa.int64()), ("modified_at", pa.timestamp("us")), ("sha256", pa.string()),
    ("encoding", pa.string()), ("delimiter", pa.string()), ("rows_read", pa.int64()), ("rows_kept", pa.int64()),
    ("rows_quarantined", pa.int64()), ("values_rounded", pa.int64()), ("first_at", pa.timestamp("us")),
    ("last_at", pa.timestamp("us")), ("arrived_at", pa.timestamp("us")), ("missing_columns", pa.string()),
    ("part", pa.string()), ("quarantine_part", pa.string()), ("recipe", pa.string()), ("manner", pa.string()),
    ("evidence", pa.string()), ("place", pa.int64()),
])


@dataclass(frozen=True)
class FileRecord:
    """What is known of one piece: a row of `collection/files`."""

    source_name: str
    file: str
    table: str
    load: str
    status: str
    bytes: int = 0
    modified_at: datetime | None = None
    sha256: str = ""
    encoding: str = ""
    delimiter: str = ""
    rows_read: int = 0
    rows_kept: int = 0
    rows_quarantined: int = 0
    values_rounded: int = 0  # values with more than 4 decimals
    first_at: datetime | None = None  # time of the earliest row, UTC
    last_at: datetime | None = None
    arrived_at: datetime | None = None  # when it was last found new or changed
    missing_columns: str = ""  # declared columns that it does not have
    part: str = ""  # its Parquet file in the store
    quarantine_part: str = ""
    recipe: str = ""  # hash of everything declared about it
    manner: str = "{}"  # how the columns were read that only their whole could tell
    evidence: str = "{}"  # what its texts said about them
    place: int = 0  # its place among the pieces of its source


class Collected(NamedTuple):
    """What one collection did."""

    files: list[FileRecord]
    tables: tuple[str, ...]  # raw tables there are now
    read: int  # pieces read
    unchanged: int  # pieces not read again

    @property
    def rows_read(self) -> int:
        return sum(file.rows_read for file in self.files if file.status in _LIVE)


def collect(
    settings: Settings, store: Store, *, now: datetime | None = None, progress: bool = True
) -> Collected:
    """Bring every declared source into the raw tables.

    Args:
        store: where `raw/*`, `quarantine/rows` and `collection/files` are written.
        now: the time of arrival; the clock's when left out.
        progress: show a bar.

    Raises:
        WorkbookError: a source that cannot be read, or too many rows that cannot.
    """
    arrived = (now or datetime.now(UTC)).replace(tzinfo=None)
    known = {(record.source_name, record.file): record for record in _known_files(store)}
    work = _Work(settings, store, arrived, Pseudonymiser.of(settings))
    try:
        with tqdm(total=0, unit="B", unit_scale=True, desc="collecting", disable=not progress, leave=False) as bar:
            records = [record for source in settings.sources for record in _collect_source(source, known, work, bar)]
        _commit(records, known, work)
    except OSError as error:
        raise _disk_refuses(error) from error
    finally:
        work.forget_drafts()
    return Collected(
        records,
        tuple(sorted({record.table for record in records})),
        sum(record.status == READ for record in records),
        sum(record.status == UNCHANGED for record in records),
    )


@dataclass
class _Work:
    """What is shared while one collection runs."""

    settings: Settings
    store: Store
    arrived: datetime
    pseudonymiser: Pseudonymiser
    drafts: list[Path] = field(default_factory=list)  # written, not yet part of a table

    def new_part(self, name: str) -> Path:
        path = self.store.new_file(name)
        self.drafts.append(path)
        return path

    def forget_drafts(self) -> None:
        for path in self.drafts:
            listed = self.store.has(name := str(path.parent.relative_to(self.store.root / "tables"))) and path in (
                self.store.files(name))
            if not listed:
                path.unlink(missing_ok=True)


def _known_files(store: Store) -> list[FileRecord]:
    if not store.has(FILES):
        return []
    tables = [pq.read_table(path) for path in store.files(FILES)]
    return [FileRecord(**row) for table in tables for row in table.to_pylist()]


# --- one source --------------------------------------------------------------------------------


def _collect_source(
    source: Source, known: Mapping[tuple[str, str], FileRecord], work: _Work, bar: tqdm
) -> list[FileRecord]:
    pieces = sources.find(source, work.settings.folder)
    current = pieces[-1:] if source.load == "snapshot" else pieces
    before = {file: record for (name, file), record in known.items() if name == source.label}
    records, to_read, hashes = {}, [], {}
    for place, piece in enumerate(current, start=1):
        kept, sha256 = _kept(piece, before.get(piece.name), source, work)
        original = hashes.get(sha256) if sha256 else None
        if original:
            records[piece.name] = _copy_of(piece, source, sha256, place)
            continue
        hashes[sha256] = piece.name
        if kept:
            records[piece.name] = replace(kept, place=place)
        else:
            to_read.append((place, piece, sha256))
    bar.total += sum(piece.size for _, piece, _ in to_read)
    bar.refresh()
    gone = _gone(source, {piece.name for piece in pieces}, before)
    evidence = _joined([*(r for r in records.values()), *(r for r in gone if r.status == GONE_KEPT)])
    if to_read:
        evidence = _with_first_look(to_read[0][1], source, evidence, work)
    while to_read:
        for place, piece, sha256 in to_read:
            record = _read_piece(piece, source, evidence, place, sha256, before.get(piece.name), work, bar)
            records[piece.name] = record
        evidence = _joined(records.values())
        _refuse_contradictions(source, evidence)
        to_read = [(r.place, p, r.sha256) for p in current if (r := records[p.name]).part and _misread(r, evidence, source)]
    _refuse_lost_columns(source, records.values())
    _refuse_too_many_rejected(source, records.values(), work)
    superseded = [_superseded(piece, source, before.get(piece.name)) for piece in pieces[: len(pieces) - len(current)]]
    return [*sorted(records.values(), key=lambda record: record.place), *gone, *superseded]


def _kept(
    piece: Piece, record: FileRecord | None, source: Source, work: _Work
) -> tuple[FileRecord | None, str]:
    """The record of before where the piece did not change, and the piece's SHA-256."""
    usable = record is not None and record.recipe == _recipe(source, work.settings) and _has_parts(record, work.store)
    stamp = (piece.size, piece.modified)
    if usable and piece.modified and stamp == (record.bytes, record.modified_at) and record.status in _LIVE:
        return replace(record, status=UNCHANGED), record.sha256
    sha256 = sources.fingerprint(piece)
    if usable and sha256 and sha256 == record.sha256 and record.status in _LIVE:
        return replace(record, status=UNCHANGED, modified_at=piece.modified, bytes=piece.size), sha256
    return None, sha256


def _has_parts(record: FileRecord, store: Store) -> bool:
    entry = store.entry(f"raw/{record.table}")
    return not record.part or (entry is not None and (record.part in entry.files or record.load == "upsert"))


def _copy_of(piece: Piece, source: Source, sha256: str, place: int) -> FileRecord:
    return FileRecord(source.label, piece.name, source.table, source.load, COPY, piece.size, piece.modified, sha256,
                      place=place)


def _superseded(piece: Piece, source: Source, record: FileRecord | None) -> FileRecord:
    arrived = record.arrived_at if record else None
    return FileRecord(source.label, piece.name, source.table, source.load, SUPERSEDED, piece.size, piece.modified,
                      arrived_at=arrived)


def _gone(source: Source, names: set[str], before: Mapping[str, FileRecord]) -> list[FileRecord]:
    """The pieces that were read once and are no longer there."""
    stays = source.load in ("append", "upsert")
    return [
        replace(record, status=GONE_KEPT) if stays and record.part else
        replace(record, status=GONE, part="", quarantine_part="")
        for name, record in before.items() if name not in names
    ]


def _recipe(source: Source, settings: Settings) -> str:
    """A hash of everything that decides how a piece is read: a change reads it again."""
    declared = {
        "source": source.model_dump(mode="json", exclude={"max_rejected_share"}),
        "shop": [settings.time_zone, settings.currency, settings.phone_country, settings.privacy.key_id],
        "rates": [rate.model_dump(mode="json") for rate in settings.rates],
        "format": FORMAT,
        "columns": [asdict(column) for column in TABLES[source.table].columns],
    }
    return hashlib.sha256(json.dumps(declared, sort_keys=True, default=str).encode()).hexdigest()[:16]


# --- what only a whole column can tell ---------------------------------------------------------

Evidence = dict[str, set[str]]


def _joined(records: Iterable[FileRecord]) -> Evidence:
    joined: Evidence = {}
    for record in records:
        for column, words in json.loads(record.evidence).items():
            joined.setdefault(column, set()).update(words)
    return joined


def _manner(column: str, evidence: Evidence, source: Source, settings: Settings) -> Manner:
    plain = Manner(settings.time_zone, "", source.decimal_comma, settings.currency)
    return plain.after(evidence.get(column, ()), declared=source.dates)


def _with_first_look(piece: Piece, source: Source, evidence: Evidence, work: _Work) -> Evidence:
    """The evidence, with that of the first block: most columns are settled by it, so that one reading is enough."""
    reading, plan = _open(piece, source, work.settings, int)
    first = next(reading.batches, None)
    look = {column: set(words) for column, words in evidence.items()}
    if first is not None:
        for column, (_, parsed) in _parsed(first, plan, evidence, source, work.settings).items():
            look.setdefault(column, set()).update(parsed.evidence)
    return look


def _misread(record: FileRecord, evidence: Evidence, source: Source) -> bool:
    """Whether the whole source calls for another manner than the one that the piece was read in."""
    own, used = json.loads(record.evidence), json.loads(record.manner)
    for column, words in own.items():
        manner = Manner().after(evidence[column], declared=source.dates)
        if "id.0" in words and used[column]["whole_ids"] != manner.whole_ids:
            return True
        if {"either", "two-digit year"} & set(words) and used[column]["order"] != manner.order:
            return True
    return False


def _refuse_contradictions(source: Source, evidence: Evidence) -> None:
    for column, words in evidence.items():
        code = contradicts(words, declared=source.dates)
        if code:
            what, why = {
                "date_order_mixed": ("has dates written day first and dates written month first",
                                     "A row such as 03/04/2026 could be either."),
                "date_undecidable": ("has dates such as 03/04/2026, and no day above the 12th tells which part is "
                                     "the month", "Guessing would move orders by up to eleven months."),
                "two_digit_year": ("has years of two digits", "11/12/10 can be read in three ways."),
            }[code]
            raise WorkbookError(f"Source {source.label!r}: {column} {what}.", why=why,
                                way_out="Declare `dates: dmy` or `dates: mdy` for this source"
                                        + (" (split it when its files differ)." if code == "date_order_mixed" else "."))
        currencies = sorted(word for word in words if word.startswith(("sign ", "currency ")))
        if "unnamed shop currency" in words and len(currencies) > 1:
            raise WorkbookError(
                f"Source {source.label!r}: {column} is in several currencies ({', '.join(currencies)}).",
                why="Adding them up would be wrong without a word.",
                way_out="Declare the reporting `currency` and the `rates` of the others in workbook.yaml.")


# --- one piece ---------------------------------------------------------------------------------


class _Plan(NamedTuple):
    """How the columns of one piece become canonical ones."""

    table: Table
    theirs: dict[str, tuple[str, ...]]  # our column → their columns, joined by a blank
    missing: tuple[str, ...]  # declared, but not in this piece


def _open(piece: Piece, source: Source, settings: Settings, tick: Callable[[int], object]) -> tuple[Reading, _Plan]:
    plans: list[_Plan] = []

    def wanted(names: list[str]) -> list[str]:
        plans.append(_plan(source, names, piece, settings))
        return list(dict.fromkeys(name for theirs in plans[0].theirs.values() for name in theirs))

    reading = sources.read(piece, source, wanted=wanted, tick=tick)
    _refuse_repeated(reading, plans[0], piece)
    return reading, plans[0]


def _plan(source: Source, names: list[str], piece: Piece, settings: Settings) -> _Plan:
    table = TABLES[source.table]
    by_tidy = {sources.tidy_name(name): name for name in reversed(names)}
    theirs: dict[str, list[str]] = {}
    missing = []
    declared = source.columns if isinstance(source.columns, dict) else {n: n for n in source.columns if n != "-"}
    if not declared:
        declared = {name: column for name in names for column in table.by_name
                    if sources.tidy_name(name) == sources.tidy_name(column)}
    for their, our in declared.items():
        found = their if their in names else by_tidy.get(sources.tidy_name(their))
        if our == "-":
            continue
        if found:
            theirs.setdefault(our, []).append(found)
        else:
            missing.append(their)
    plan = _Plan(table, {our: tuple(columns) for our, columns in theirs.items()}, tuple(missing))
    _refuse_missing(plan, source, names, piece, settings)
    return plan


def _refuse_missing(plan: _Plan, source: Source, names: list[str], piece: Piece, settings: Settings) -> None:
    have = {*plan.theirs, *source.constants}
    needs = [(column,) for column in plan.table.required]
    if plan.table.name == "order_lines":
        needs.append(("amount", "unit_price"))
        if not any(other.table == "orders" for other in settings.sources):
            needs.append(("ordered_at", "ordered_on"))
    if "ordered_on" in have:
        have.add("ordered_at")
    lacking = [" or ".join(choices) for choices in needs if not have & set(choices)]
    if not lacking:
        return
    near = f" Of the declared ones it does not have {', '.join(map(repr, plan.missing))}: " + "; ".join(
        nearest(name, names) for name in plan.missing[:3]) + "." if plan.missing else ""
    cut = " It came as one single column: is the `delimiter` right?" if len(names) == 1 else ""
    raise WorkbookError(
        f"{piece.name} has no column for {', '.join(lacking)} of {plan.table.name}.{near}{cut}",
        why=f"Its columns are: {', '.join(names[:30])}.",
        way_out=f"Name the column in `columns` of source {source.label!r} (theirs: ours).",
    )


def _refuse_repeated(reading: Reading, plan: _Plan, piece: Piece) -> None:
    used = {name for theirs in plan.theirs.values() for name in theirs}
    twice = [name for name in reading.repeated if name in used]
    if twice:
        raise WorkbookError(
            f"{piece.name} has the column {twice[0]!r} more than once.",
            why="Which of them is meant cannot be told.",
            way_out=f'Rename one in the file, or map "{twice[0]} (2)" for the second one.',
        )


def _read_piece(
    piece: Piece, source: Source, evidence: Evidence, place: int, sha256: str, before: FileRecord | None,
    work: _Work, bar: tqdm,
) -> FileRecord:
    """Read a piece into a new part; rows that cannot be read into a quarantine part."""
    bar.set_postfix_str(piece.name[-40:], refresh=False)
    reading, plan = _open(piece, source, work.settings, bar.update)
    tally = _Tally()
    part, rejects = work.new_part(f"raw/{source.table}"), work.new_part(QUARANTINE)
    with (pq.ParquetWriter(part, plan.table.arrow, compression="zstd") as raw,
          pq.ParquetWriter(rejects, QUARANTINE_SCHEMA, compression="zstd") as quarantine):
        for batch in reading.batches:
            good, bad = _typed(batch, plan, evidence, source, piece, tally, work)
            raw.write_table(good)
            if len(bad):
                quarantine.write_table(bad)
        tally.rows_read += len(reading.rejected)
        tally.rejected += len(reading.rejected)
        if reading.rejected:
            quarantine.write_table(_rejected_lines(reading, source, piece, work))
    if not tally.rows_read:
        raise WorkbookError(f"{piece.name} has a header and no rows.",
                            why="That is more often a failed export than a period without records.",
                            way_out="Export it again, or take it out of what `path` names.")
    if not tally.rejected:
        rejects.unlink()
    return FileRecord(
        source.label, piece.name, source.table, source.load, READ, piece.size, piece.modified, sha256,
        reading.encoding, reading.delimiter, tally.rows_read, tally.rows_kept, tally.rejected, tally.rounded,
        tally.first_at, tally.last_at, work.arrived, ", ".join(plan.missing), _relative(part, work.store),
        _relative(rejects, work.store) if tally.rejected else "", _recipe(source, work.settings),
        json.dumps({c: asdict(_manner(c, evidence, source, work.settings)) for c in plan.theirs}),
        json.dumps({column: sorted(words) for column, words in tally.evidence.items()}), place,
    )


def _relative(path: Path, store: Store) -> str:
    return str(path.relative_to(store.root))


@dataclass
class _Tally:
    """What is counted while a piece is read."""

    rows_read: int = 0
    rows_kept: int = 0
    rejected: int = 0
    rounded: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    evidence: Evidence = field(default_factory=dict)

    def saw(self, times: pa.Array) -> None:
        span = pc.min_max(times).as_py()
        if span["min"] is not None:
            self.first_at = min(filter(None, (self.first_at, span["min"])))
            self.last_at = max(filter(None, (self.last_at, span["max"])))


def _rejected_lines(reading: Reading, source: Source, piece: Piece, work: _Work) -> pa.Table:
    return _quarantine(
        pa.array([line.row for line in reading.rejected], pa.int64()), "",
        pa.array([line.detail for line in reading.rejected]),
        pa.array([line.reason for line in reading.rejected]), source, piece, work)


def _quarantine(rows: pa.Array, column: str, masked: pa.Array, reasons: pa.Array, source: Source, piece: Piece,
                work: _Work, *, row_kept: bool = False) -> pa.Table:
    def same(value: Any, kind: pa.DataType) -> pa.Array:
        return pa.repeat(pa.scalar(value, kind), len(rows))

    return pa.table(
        [same(source.label, pa.string()), same(piece.name, pa.string()), rows, same(source.table, pa.string()),
         same(column, pa.string()), masked, reasons, same(row_kept, pa.bool_()), same(work.arrived, pa.timestamp("us"))],
        schema=QUARANTINE_SCHEMA)


# --- one batch ---------------------------------------------------------------------------------


def _parsed(
    batch: pa.RecordBatch, plan: _Plan, evidence: Evidence, source: Source, settings: Settings
) -> dict[str, tuple[pa.Array, Parsed]]:
    """Our column → the texts and what became of them. Personal columns stay text."""
    parsed = {}
    for our, theirs in plan.theirs.items():
        column = plan.table.by_name[our]
        texts = _text_of(batch, theirs, source.values.get(our, {}))
        kind = replace(column, name="personal") if column.personal else column
        parsed[our] = texts, parse(texts, kind, _manner(our, evidence, source, settings))
    for our, value in source.constants.items():
        texts = pa.array([value] * len(batch), pa.string())
        if our not in parsed:
            parsed[our] = texts, parse(texts, plan.table.by_name[our], _manner(our, evidence, source, settings))
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


def _typed(
    batch: pa.RecordBatch, plan: _Plan, evidence: Evidence, source: Source, piece: Piece, tally: _Tally, work: _Work
) -> tuple[pa.Table, pa.Table]:
    """The batch's good rows in the raw table's columns, and its quarantine."""
    parsed = _parsed(batch, plan, evidence, source, work.settings)
    for our, (_, one) in parsed.items():
        if one.evidence:
            tally.evidence.setdefault(our, set()).update(one.evidence)
        if one.rounded is not None:
            tally.rounded += pc.sum(one.rounded).as_py() or 0
    columns = {our: one.values for our, (_, one) in parsed.items()}
    reasons = {our: one.reasons for our, (_, one) in parsed.items() if one.reasons.null_count < len(batch)}
    columns = _derived(columns, plan.table, work.settings)
    columns, foreign = _in_reporting_currency(columns, parsed, plan.table, tally, work.settings)
    reasons |= foreign | _lacking(columns, plan.table, reasons, work.settings)
    table = pa.table(columns) if columns else pa.table({ROW: batch.column(ROW)})
    sealed = work.pseudonymiser.seal(table, plan.table, dates=_birth_order(evidence, source))
    lines = _quarantine_lines(batch.column(ROW), reasons, parsed, plan, source, piece, work, row_kept=False)
    lines += _quarantine_lines(batch.column(ROW), sealed.reasons, parsed, plan, source, piece, work, row_kept=True)
    bad = _any_reason(reasons, len(batch))
    good = _in_schema(sealed.table, batch.column(ROW), plan.table, source, piece, work)
    good = good if bad is None else good.filter(pc.invert(bad))
    tally.rows_read += len(batch)
    tally.rows_kept += len(good)
    tally.rejected += len(batch) - len(good)
    if plan.table.time and ARROW[plan.table.by_name[plan.table.time].type] == pa.timestamp("us"):
        tally.saw(good[plan.table.time])
    return good, pa.concat_tables(lines) if lines else QUARANTINE_SCHEMA.empty_table()


def _birth_order(evidence: Evidence, source: Source) -> str:
    return source.dates


def _any_reason(reasons: Mapping[str, pa.Array], rows: int) -> pa.Array | None:
    bad = None
    for why in reasons.values():
        bad = pc.is_valid(why) if bad is None else pc.or_(bad, pc.is_valid(why))
    return bad


def _quarantine_lines(
    rows: pa.Array, reasons: Mapping[str, pa.Array], parsed: Mapping[str, tuple[pa.Array, Parsed]], plan: _Plan,
    source: Source, piece: Piece, work: _Work, *, row_kept: bool,
) -> list[pa.Table]:
    """One line a value that could not be read; a table with personal columns shows shapes only."""
    lines = []
    for our, why in reasons.items():
        where = pc.is_valid(why)
        texts = pc.filter(parsed[our][0], where).to_pylist() if our in parsed else [None] * pc.sum(where).as_py()
        kind = plan.table.by_name[our].personal or ("value" if plan.table.personal else "")
        masked = pa.array([mask(text, kind) for text in texts], pa.string())
        lines.append(_quarantine(pc.filter(rows, where), our, masked, pc.filter(why, where), source, piece, work,
                                 row_kept=row_kept))
    return lines


def _derived(columns: dict[str, pa.Array], table: Table, settings: Settings) -> dict[str, pa.Array]:
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
        product = pc.cast(pc.round(pc.multiply(columns["quantity"], columns["unit_price"]), 4), MONEY)
        columns["amount"] = pc.coalesce(columns["amount"], product) if "amount" in columns else product
    return columns


def _lacking(columns: Mapping[str, pa.Array], table: Table, reasons: Mapping[str, pa.Array],
             settings: Settings) -> dict[str, pa.Array]:
    """Rows without a value that their table cannot do without."""
    needed = list(table.required)
    if table.name == "order_lines":
        needed += ["amount"]
        needed += [] if any(source.table == "orders" for source in settings.sources) else ["ordered_at"]
    lacking = {}
    for name in needed:
        if name not in columns or not columns[name].null_count:
            continue
        known = reasons.get(name)
        empty = pc.is_null(columns[name])
        why = pc.if_else(empty, "required_missing", pa.scalar(None, pa.string()))
        lacking[name] = why if known is None else pc.coalesce(known, why)
    return lacking


def _in_reporting_currency(
    columns: dict[str, pa.Array], parsed: Mapping[str, tuple[pa.Array, Parsed]], table: Table, tally: _Tally,
    settings: Settings,
) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
    """Foreign amounts at their declared rate; a row in a currency without one has a reason."""
    signs = {our: one.currency for our, (_, one) in parsed.items() if one.currency is not None}
    if settings.currency == "XXX":
        for our in [*signs, *(["currency"] if "currency" in columns else [])]:
            words = tally.evidence.setdefault(our, set())
            words.add("unnamed shop currency")
            if our == "currency":
                words.update(f"currency {code}" for code in pc.unique(columns[our].drop_null()).to_pylist())
        return columns, {}
    named = pc.utf8_upper(columns["currency"]) if "currency" in columns else None
    out, reasons = dict(columns), {}
    for our in [name for name in columns if table.by_name.get(name) and table.by_name[name].unit == "currency"]:
        codes = [code for code in (signs.get(our), named) if code is not None]
        code = pc.coalesce(*codes) if codes else None
        if code is None or not set(pc.unique(code.drop_null()).to_pylist()) - {settings.currency}:
            continue
        out[our], why = _converted(columns[our], code, columns.get(table.local_date), settings)
        if why.null_count < len(why):
            reasons["currency" if named is not None else our] = why
    return out, reasons


def _converted(amounts: pa.Array, codes: pa.Array, days: pa.Array | None,
               settings: Settings) -> tuple[pa.Array, pa.Array]:
    none = pa.scalar(None, pa.string())
    why = pa.nulls(len(amounts), pa.string())
    for code in sorted(set(pc.unique(codes.drop_null()).to_pylist()) - {settings.currency}):
        there = pc.fill_null(pc.equal(codes, code), False)
        rated = pa.array([False] * len(amounts))
        worth = amounts
        for rate in sorted((r for r in settings.rates if r.currency == code), key=lambda r: r.valid_from):
            held = there if days is None or rate.valid_from <= date(1900, 1, 1) else pc.and_(
                there, pc.fill_null(pc.greater_equal(days, pa.scalar(rate.valid_from)), False))
            worth = pc.if_else(held, _times_rate(amounts, rate.rate), worth)
            rated = pc.or_(rated, held)
        unrated = pc.and_(pc.and_(there, pc.invert(rated)), pc.is_valid(amounts))
        why = pc.coalesce(why, pc.if_else(unrated, "currency_without_rate", none))
        amounts = worth
    return amounts, why


def _times_rate(amounts: pa.Array, rate: Decimal) -> pa.Array:
    product = pc.multiply(amounts, pa.scalar(rate.quantize(Decimal("1e-8")), pa.decimal128(18, 8)))
    return pc.cast(pc.round(product, 4), MONEY)


def _in_schema(table: pa.Table, rows: pa.Array, of: Table, source: Source, piece: Piece, work: _Work) -> pa.Table:
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


# --- stopping, and making it so ----------------------------------------------------------------


def _refuse_lost_columns(source: Source, records: Iterable[FileRecord]) -> None:
    lost = [set(filter(None, record.missing_columns.split(", "))) for record in records if record.part]
    nowhere = sorted(set.intersection(*lost)) if lost else []
    if nowhere:
        raise WorkbookError(
            f"Source {source.label!r}: no file has the declared column {nowhere[0]!r}.",
            why="A misspelt column would be empty in every report without a word.",
            way_out="Correct its spelling in `columns`, or take the line out.",
        )


def _refuse_too_many_rejected(source: Source, records: Iterable[FileRecord], work: _Work) -> None:
    live = [record for record in records if record.part]
    read, rejected = (sum(getattr(r, name) for r in live) for name in ("rows_read", "rows_quarantined"))
    if not rejected or rejected <= source.max_rejected_share * read:
        return
    parts = [work.store.locate(r.quarantine_part) for r in live if r.quarantine_part]
    lines = pa.concat_tables([pq.read_table(path) for path in parts])
    lines = lines.filter(pc.invert(lines["row_kept"]))
    counts = Counter(zip(lines["column"].to_pylist(), lines["reason"].to_pylist(), strict=True)).most_common(8)
    first = {(row["column"], row["reason"]): row for row in reversed(lines.to_pylist())}
    told = [f"  {times:,} × {column or 'the row'}: {reason}, first in {first[column, reason]['source_file']} row "
            f"{first[column, reason]['source_row']} ({first[column, reason]['value_masked']})"
            for (column, reason), times in counts]
    raise WorkbookError(
        f"Source {source.label!r}: {rejected:,} of {read:,} rows ({rejected / read:.1%}) cannot be read:\n"
        + "\n".join(told),
        why=f"More than the {source.max_rejected_share:.1%} that max_rejected_share allows; the tables of before are "
            "as they were.",
        way_out="Correct the declaration (dates, decimal_comma, delimiter, columns) or the file; or raise "
                "max_rejected_share for this source.",
    )


def _commit(records: list[FileRecord], known: Mapping[tuple[str, str], FileRecord], work: _Work) -> None:
    """Make the parts the tables. Nothing is written where nothing changed."""
    by_table: dict[str, list[FileRecord]] = {}
    for record in records:
        by_table.setdefault(record.table, []).append(record)
    for table, own in by_table.items():
        _commit_parts(f"raw/{table}", [r.part for r in own if r.part and r.status in _LIVE], work,
                      TABLES[table].arrow)
    _commit_parts(QUARANTINE, [r.quarantine_part for r in records if r.quarantine_part and r.status in _LIVE], work,
                  QUARANTINE_SCHEMA)
    if list(known.values()) != records or not work.store.has(FILES):
        rows = pa.Table.from_pylist([asdict(record) for record in records], schema=FILES_SCHEMA)
        work.store.write(FILES, rows, made_by=MADE_BY)


def _commit_parts(name: str, parts: list[str], work: _Work, schema: pa.Schema) -> None:
    entry = work.store.entry(name)
    paths = [work.store.locate(part) for part in parts]
    if not paths:
        paths = [work.new_part(name)]
        pq.write_table(schema.empty_table(), paths[0])
    if entry is None or list(entry.files) != parts:
        work.store.commit(name, paths, made_by=MADE_BY)


def _disk_refuses(error: OSError) -> WorkbookError:
    return WorkbookError(
        f"The records could not be written: {error}",
        why="The tables of before are still whole; nothing was lost.",
        way_out="Free some disk space, or move the workspace to a larger disk, and run it again.",
    )
