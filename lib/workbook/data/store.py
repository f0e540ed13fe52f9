"""Named tables of Parquet files, written whole or not at all, with a manifest entry each.

A table is one manifest file that lists its Parquet files. A write puts new files beside the old
ones and then replaces the manifest in one step, so that a reader sees the old table or the new one
and a killed run leaves the old one whole. A store may lie over another: it reads through to the
one below and writes only to itself, until `publish` moves its tables down. While that is under way, decided by a
journal (see `journal`), the one below reads through to what is coming: all its tables change in one moment.
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from ibis.backends import BaseBackend

from workbook import __version__
from workbook.data.errors import WorkbookError

FORMAT = 1
JOURNAL = "publishing.json"  # names the stage that is being published; see `journal`
Data = ir.Table | pd.DataFrame | pa.Table | pa.RecordBatchReader


@dataclass(frozen=True)
class Entry:
    """What the manifest says of one table."""

    name: str
    files: tuple[str, ...]  # relative to the store
    rows: int
    schema: dict[str, str]  # column → type
    content: str  # hash of the rows, whatever their order
    made_by: str
    made_at: str  # ISO time, UTC
    parameters: dict[str, Any] = field(default_factory=dict)
    code_version: str = ""
    key: tuple[str, ...] = ()


class Store:
    """The tables under one folder, over those of another one if given.

    Args:
        root: where this store writes.
        below: a store to read through to.
        through: beginnings of the names that are looked for there; all when left out. Documents always are.
    """

    def __init__(self, root: Path, below: Store | None = None, *, through: Sequence[str] = ("",)) -> None:
        self.root, self.below, self.through = Path(root), below, tuple(through)
        self._check_format()

    def has(self, name: str) -> bool:
        return self.entry(name) is not None

    def entry(self, name: str) -> Entry | None:
        """The newest manifest entry of that name, in this store or the one below."""
        own = self._own_entry(name)
        under = self.below.entry(name) if self.below and name.startswith(self.through) else None
        if own and under:
            return max(own, under, key=lambda entry: entry.made_at)
        return own or under

    def names(self) -> list[str]:
        own = {
            str(path.relative_to(folder).with_suffix(""))
            for folder in self._folders("manifest") for path in folder.rglob("*.json")}
        under = (name for name in self.below.names() if name.startswith(self.through)) if self.below else ()
        return sorted(own | set(under))

    def files(self, name: str) -> list[Path]:
        """The Parquet files of a table.

        Raises:
            WorkbookError: when there is no such table.
        """
        entry = self.entry(name)
        if entry is None:
            raise WorkbookError(f"The table {name} has not been made yet.", way_out=_command_that_makes(name))
        return [self.locate(file) for file in entry.files]

    def read(self, name: str, con: BaseBackend) -> ir.Table:
        """The table as an expression of the engine."""
        paths = [str(path) for path in self.files(name)]
        return con.read_parquet(paths if con.name == "duckdb" else _spark_glob(paths))

    def write(
        self,
        name: str,
        data: Data,
        *,
        con: BaseBackend | None = None,
        made_by: str,
        key: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Write a whole table.

        Raises:
            WorkbookError: when `key` is not unique, or the disk refuses.
        """
        file = self.new_file(name)
        try:
            _write_parquet(data, file, con, key)
            return self.commit(name, [file], made_by=made_by, key=key, parameters=parameters)
        except OSError as error:
            raise _disk_refuses(name, error) from error
        except duckdb.IOException as error:
            raise _disk_refuses(name, error) from error
        finally:
            self._forget_unlisted(name)

    def new_file(self, name: str) -> Path:
        """A path for a new Parquet file of that table; nothing sees it before `commit`."""
        folder = self.root / "tables" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{uuid.uuid4().hex[:12]}.parquet"

    def commit(
        self,
        name: str,
        files: Iterable[Path],
        *,
        made_by: str,
        key: Sequence[str] = (),
        parameters: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Make these Parquet files the table: files of before that are not among them are removed."""
        paths = [Path(file) for file in files]
        rows, content, schema = _measure(paths, key, name)
        entry = Entry(
            name=name,
            files=tuple(self._relative(path) for path in paths),
            rows=rows,
            schema=schema,
            content=content,
            made_by=made_by,
            made_at=datetime.now(UTC).isoformat(timespec="microseconds"),
            parameters=dict(parameters or {}),
            code_version=__version__,
            key=tuple(key),
        )
        manifest = self._manifests / f"{name}.json"
        write_whole(manifest, json.dumps(asdict(entry), ensure_ascii=False, indent=1, default=str))
        self._forget_unlisted(name)
        return entry

    def drop(self, name: str) -> None:
        """Forget a table of this store; one below is untouched."""
        (self._manifests / f"{name}.json").unlink(missing_ok=True)
        shutil.rmtree(self.root / "tables" / name, ignore_errors=True)

    def locate(self, file: str) -> Path:
        """Where a listed file lies: here, or in the store below."""
        for folder in self._folders():
            if (folder / file).exists():
                return folder / file
        return self.root / file if self.below is None else self.below.locate(file)

    def publish(self) -> list[str]:
        """Move every table and document of this store into the one below; returns the tables' names."""
        if self.below is None:
            raise ValueError("this store lies over no other")
        manifests = {
            str(path.relative_to(self._manifests).with_suffix("")): path
            for path in sorted(self._manifests.rglob("*.json"))}
        for name in manifests:
            for file in self._own_entry(name).files:
                if (self.root / file).exists():
                    target = self.below.root / file
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.move(self.root / file, target)
        for name, path in manifests.items():
            write_whole(self.below._manifests / f"{name}.json", path.read_text(encoding="utf-8"))
        for document in sorted((self.root / "documents").rglob("*.json")):
            target = self.below.root / document.relative_to(self.root)
            write_whole(target, document.read_text(encoding="utf-8"))
        for name in manifests:
            self.below._forget_unlisted(name)
        shutil.rmtree(self.root)
        return list(manifests)

    def keep_document(self, name: str, content: Any) -> None:
        """A small JSON document: frozen rules, saved segments."""
        write_whole(self.root / "documents" / f"{name}.json", json.dumps(content, ensure_ascii=False, indent=1))

    def document(self, name: str) -> Any | None:
        """The document of that name, or None."""
        for folder in self._folders("documents"):
            if (text := _text(folder / f"{name}.json")) is not None:
                return json.loads(text)
        return self.below.document(name) if self.below else None

    def forget_document(self, name: str) -> None:
        """Remove a document of this store; one below is untouched."""
        (self.root / "documents" / f"{name}.json").unlink(missing_ok=True)

    def document_names(self, folder: str) -> list[str]:
        own = {f"{folder}/{path.stem}" for place in self._folders("documents", folder) for path in place.glob("*.json")}
        return sorted(own | set(self.below.document_names(folder) if self.below else ()))

    @property
    def _manifests(self) -> Path:
        return self.root / "manifest"

    def _folders(self, *inside: str) -> list[Path]:
        """Where to look: in the stage that is being published into this store, if there is one, then here."""
        journal = _text(self.root / JOURNAL)
        coming = json.loads(journal)["stage"] if journal else ""
        return [folder.joinpath(*inside) for folder in ([self.root / coming] if coming else []) + [self.root]]

    def _own_entry(self, name: str) -> Entry | None:
        for folder in self._folders("manifest"):
            if (text := _text(folder / f"{name}.json")) is not None:
                record = json.loads(text)
                return Entry(**{**record, "files": tuple(record["files"]), "key": tuple(record["key"])})
        return None

    def _relative(self, path: Path) -> str:
        store: Store | None = self
        while store is not None:
            if path.is_relative_to(store.root):
                return str(path.relative_to(store.root))
            store = store.below
        raise ValueError(f"{path} lies in no folder of this store")

    def _forget_unlisted(self, name: str) -> None:
        entry = self._own_entry(name)
        listed = set(entry.files) if entry else set()
        for path in (self.root / "tables" / name).glob("*.parquet"):
            if str(path.relative_to(self.root)) in listed:
                continue
            if path.is_dir():  # Spark writes a folder of parts
                shutil.rmtree(path)
            else:
                path.unlink()

    def _check_format(self) -> None:
        mark = self.root / "FORMAT"
        if not mark.exists():
            self.root.mkdir(parents=True, exist_ok=True)
            write_whole(mark, str(FORMAT))
        elif mark.read_text().strip() != str(FORMAT):
            raise WorkbookError(
                f"{self.root} was written in store format {mark.read_text().strip()}; this version reads {FORMAT}.",
                why="A store of another format would be misread.",
                way_out="Delete the folder: everything in it is rebuilt from the sources.",
            )


def write_whole(path: Path, text: str) -> None:
    """Write a file so that it is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        with draft.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _text(path: Path) -> str | None:
    """What stands in a file; None where there is none, or no more."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


def _write_parquet(data: Data, file: Path, con: BaseBackend | None, key: Sequence[str]) -> None:
    if isinstance(data, ir.Table):
        ordered = data.order_by(list(key)) if key else data
        backend = con or ibis.get_backend(data)
        backend.to_parquet(ordered, file, **({"compression": "zstd"} if backend.name == "duckdb" else {}))
        return
    if isinstance(data, pd.DataFrame):
        data = pa.Table.from_pandas(data, preserve_index=False)
    if isinstance(data, pa.Table):
        pq.write_table(data, file, compression="zstd")
        return
    with pq.ParquetWriter(file, data.schema, compression="zstd") as writer:
        for batch in data:
            writer.write_batch(batch)


def _measure(paths: Sequence[Path], key: Sequence[str], name: str) -> tuple[int, str, dict[str, str]]:
    """Rows, order-free content hash and schema; refuses a key that is not unique."""
    if not paths:
        return 0, "empty", {}
    with duckdb.connect() as con:
        con.execute("SET preserve_insertion_order = false")
        table = con.read_parquet([str(path) for path in paths], union_by_name=True)
        schema = {column: str(kind) for column, kind in zip(table.columns, table.types, strict=True)}
        rows, content = _rows_and_hash(table)
        if key:
            names = ", ".join(f'"{column}"' for column in key)
            twice = table.aggregate(f"{names}, count(*) AS times", names).filter("times > 1").limit(1).fetchone()
            if twice:
                raise WorkbookError(
                    f"The table {name} has {twice[-1]} rows with {dict(zip(key, twice[:-1], strict=True))}.",
                    why="Its key must be unique: a join on it would count those rows several times.",
                    way_out="Look at those rows in the source; keep one of them or correct the key.",
                )
    return rows, content, schema


def _rows_and_hash(table: duckdb.DuckDBPyRelation) -> tuple[int, str]:
    columns = ", ".join(f'"{column}"' for column in sorted(table.columns))
    rows, total = table.aggregate(f"count(*), sum(hash({columns})::HUGEINT)").fetchone()
    return rows, f"{(total or 0) % 2**64:016x}"


def _spark_glob(paths: Sequence[str]) -> str:
    """Ibis hands Spark one string: several files become alternatives of one glob."""
    if len(paths) == 1:
        return paths[0]
    folder = os.path.commonpath(paths)
    return f"{folder}/{{{','.join(os.path.relpath(path, folder) for path in paths)}}}"


def _disk_refuses(name: str, error: Exception) -> WorkbookError:
    return WorkbookError(
        f"The table {name} could not be written: {error}",
        why="The table of before is still whole; nothing was lost.",
        way_out="Free some disk space, or move the workspace to a larger disk, and run it again.",
    )


def _command_that_makes(name: str) -> str:
    layer = name.rpartition("/")[0].split("/")[-1]
    chapter = {"raw": "01", "collection": "01", "quarantine": "01", "clean": "02"}.get(layer)
    return f"workbook render --only {chapter}" if chapter else "workbook render (it runs every chapter in order)"
