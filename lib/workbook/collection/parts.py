"""The parts of the raw tables: when a row arrived first, which row of several wins, and making parts the table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from ibis.backends import BaseBackend

from workbook.collection.records import (
    FILES,
    FILES_SCHEMA,
    LIVE,
    MADE_BY,
    QUARANTINE,
    QUARANTINE_SCHEMA,
    FileRecord,
    home_of,
    rows_of,
)
from workbook.collection.work import Work
from workbook.data.engine import connect
from workbook.data.errors import WorkbookError
from workbook.data.schema import LINEAGE, TABLES
from workbook.data.settings import Engine, Source
from workbook.data.store import Store

_LINEAGE = frozenset(column.name for column in LINEAGE)


def keep_arrivals(
    part: Path, sha256: str, shape: FileRecord, before: Mapping[str, FileRecord], work: Work
) -> Path:
    """The part with the earlier arrival of each row that was there before.

    Where the bytes are the same (the declaration changed), a row is known by its place in the file;
    else by its content, whatever its place.
    """
    old = [before[shape.file]] if shape.file in before else []
    if shape.load == "snapshot":
        old = [record for record in before.values() if record.status in LIVE]
    paths = [path for record in old if record.part and (path := work.store.locate(record.part)).exists()]
    if not paths:
        return part
    with_arrivals = work.new_part(home_of(shape))
    con = _on_this_machine(work)
    new, was = con.read_parquet(str(part)), con.read_parquet([str(path) for path in paths], union_by_name=True)
    same_bytes = len(old) == 1 and sha256 and old[0].sha256 == sha256
    mark = _place if same_bytes else _content
    known = was.mutate(mark=mark(was)).group_by("mark").aggregate(first=lambda t: t.arrived_at.min())
    new = new.mutate(mark=mark(new)).left_join(known, "mark")
    rows = new.mutate(arrived_at=ibis.coalesce(new.first, new.arrived_at)).order_by("source_row")
    con.to_parquet(rows.select(*TABLES[shape.table].arrow.names), with_arrivals, compression="zstd")
    con.disconnect()
    part.unlink()
    return with_arrivals


def _place(rows: ir.Table) -> ir.Value:
    return rows.source_row


def _content(rows: ir.Table) -> ir.Value:
    """A hash of everything that a row says, lineage apart."""
    texts = [rows[name].cast("string").fill_null("␀") for name in rows.columns if name not in _LINEAGE]
    return ibis.literal("␟").join(texts).hash()


def _on_this_machine(work: Work) -> BaseBackend:
    """The parts are files of this machine: DuckDB puts them together, whatever engine the chapters use."""
    engine = work.settings.engine
    return connect(Engine(memory=engine.memory, threads=engine.threads), spill=work.store.root / "spill")


def merged(records: Sequence[FileRecord], work: Work) -> Path:
    """One part out of those of an upsert source: of the rows with one key the latest stays.

    Later is the piece that comes later by name, then the row further down. A row without its key is kept.
    """
    table = TABLES[records[0].table]
    con = _on_this_machine(work)
    rows = con.read_parquet([str(work.store.locate(record.part)) for record in records], union_by_name=True)
    places = ibis.memtable({"source_file": [r.file for r in records], "place": [r.place for r in records]})
    rows = rows.mutate(content=_content(rows)).inner_join(places, "source_file")
    rows = rows.select(*table.arrow.names, "content", "place")
    keys = [name for name in table.key if any(name in record.columns_read for record in records)]
    lacks_key = ibis.or_(*(rows[name].isnull() for name in keys))
    same = ibis.window(group_by=keys, order_by=[ibis.desc("place"), ibis.desc("source_row")])
    as_said_before = ibis.window(group_by=[*keys, "content"])
    rows = rows.mutate(rank=ibis.row_number().over(same), arrived_at=rows.arrived_at.min().over(as_said_before))
    rows = rows.filter((rows["rank"] == 0) | lacks_key).order_by("place", "source_row")
    path = work.new_part(f"raw/{table.name}")
    con.to_parquet(rows.select(*table.arrow.names), path, compression="zstd")
    con.disconnect()
    return path


# --- stopping ----------------------------------------------------------------------------------


def refuse_lost_columns(source: Source, records: Iterable[FileRecord]) -> None:
    """A declared column that no file has is misspelt."""
    lost = [set(filter(None, record.missing_columns.split(", "))) for record in records if record.part]
    nowhere = sorted(set.intersection(*lost)) if lost else []
    if nowhere:
        raise WorkbookError(
            f"Source {source.label!r}: no file has the declared column {nowhere[0]!r}.",
            why="A misspelt column would be empty in every report without a word.",
            way_out="Correct its spelling in `columns`, or take the line out.",
        )


def refuse_too_many_rejected(source: Source, records: Iterable[FileRecord], store: Store) -> None:
    """Past the declared share the run stops, with the reasons counted."""
    live = [record for record in records if record.part]
    read, rejected = (sum(getattr(record, name) for record in live) for name in ("rows_read", "rows_quarantined"))
    if not rejected or rejected <= source.max_rejected_share * read:
        return
    raise WorkbookError(
        f"Source {source.label!r}: {rejected:,} of {read:,} rows ({rejected / read:.1%}) cannot be read:\n"
        + "\n".join(_counted(live, store)),
        why=f"max_rejected_share allows {source.max_rejected_share:.1%}; the tables of before are as they were.",
        way_out="Correct the declaration (dates, decimal_comma, delimiter, columns) or the file; or raise "
                "max_rejected_share of this source.",
    )


def _counted(records: Sequence[FileRecord], store: Store, *, most: int = 8) -> list[str]:
    """Reasons with how often and where first, block by block."""
    counts: Counter[tuple[str, str]] = Counter()
    first: dict[tuple[str, str], str] = {}
    for record in records:
        if not record.quarantine_part:
            continue
        for batch in pq.ParquetFile(store.locate(record.quarantine_part)).iter_batches():
            lines = batch.filter(pc.invert(batch["row_kept"]))
            for line in lines.to_pylist():
                code = line["column"], line["reason"]
                counts[code] += 1
                first.setdefault(code, f"{line['source_file']} row {line['source_row']} ({line['value_masked']})")
    return [f"  {times:,} × {code[0] or 'the row'}: {code[1]}, first in {first[code]}"
            for code, times in counts.most_common(most)]


# --- making it so ------------------------------------------------------------------------------


def commit(records: list[FileRecord], before: Sequence[FileRecord], work: Work) -> None:
    """Make the parts the tables. Nothing is written where nothing changed."""
    live = [record for record in records if record.part and record.status in LIVE]
    # A table whose source is no longer declared becomes empty.
    for table in dict.fromkeys(record.table for record in [*records, *before]):
        own = [record for record in live if record.table == table]
        paths = [work.store.locate(record.part) for record in own if record.load != "upsert"]
        upserts: dict[str, list[FileRecord]] = {}
        for record in own:
            if record.load == "upsert":
                upserts.setdefault(record.source_name, []).append(record)
        paths += [_merged_part(of_source, work) for of_source in upserts.values()]
        _make(f"raw/{table}", paths, work, TABLES[table].arrow, [record.part for record in own])
    rejects = [record.quarantine_part for record in live if record.quarantine_part]
    _make(QUARANTINE, [work.store.locate(part) for part in rejects], work, QUARANTINE_SCHEMA, rejects)
    if list(before) != records or not work.store.has(FILES):
        work.store.write(FILES, rows_of(records, FILES_SCHEMA), made_by=MADE_BY)


def _merged_part(records: Sequence[FileRecord], work: Work) -> Path:
    """The merged part of an upsert source: the one of before where none of its pieces changed."""
    home, parts = home_of(records[0]), [record.part for record in records]
    entry = work.store.entry(home)
    if entry is not None and list(entry.files) == parts and entry.parameters.get("merged"):
        before = work.store.locate(entry.parameters["merged"])
        if before.exists():
            return before
    path = merged(records, work)
    work.store.commit(home, [work.store.locate(part) for part in parts], made_by=MADE_BY,
                      parameters={"merged": str(path.relative_to(work.store.root))})
    return path


def _make(name: str, paths: list[Path], work: Work, schema: pa.Schema, parts: list[str]) -> None:
    entry = work.store.entry(name)
    if entry is not None and entry.parameters.get("parts") == parts:
        return
    if not paths:
        paths = [work.new_part(name)]
        pq.write_table(schema.empty_table(), paths[0])
    work.store.commit(name, paths, made_by=MADE_BY, parameters={"parts": parts})


def disk_refuses(error: Exception) -> WorkbookError:
    return WorkbookError(
        f"The records could not be written: {error}",
        why="The tables of before are still whole; nothing was lost.",
        way_out="Free some disk space, or move the workspace to a larger disk, and run it again.",
    )
