"""What is known of each piece that was read: the rows of `collection/files`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from workbook.data.store import Store

MADE_BY = "01_collection"
FILES, QUARANTINE = "collection/files", "quarantine/rows"
FORMAT = 2  # of the parts: a change re-reads everything
# What became of a piece: read now, not read again, a copy of another one, no longer there (its rows stay, or leave),
# or an older snapshot.
READ, UNCHANGED, COPY, GONE_KEPT, GONE, SUPERSEDED = "read", "unchanged", "copy", "gone_kept", "gone", "superseded"
LIVE = (READ, UNCHANGED, GONE_KEPT)

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
    first_at: datetime | None = None  # local day of the earliest row, at midnight
    last_at: datetime | None = None
    arrived_at: datetime | None = None  # when it was last found new or changed
    missing_columns: str = ""  # declared columns that it does not have
    part: str = ""  # its Parquet file in the store
    quarantine_part: str = ""
    recipe: str = ""  # hash of everything declared about it
    manner: str = "{}"  # how the columns were read that only their whole could tell
    evidence: str = "{}"  # what its texts said about them
    place: int = 0  # its place among the pieces of its source

    @property
    def columns_read(self) -> frozenset[str]:
        """Our columns that the piece has."""
        return frozenset(json.loads(self.manner))


def known_files(store: Store) -> list[FileRecord]:
    if not store.has(FILES):
        return []
    tables = [pq.read_table(path) for path in store.files(FILES)]
    return [FileRecord(**row) for table in tables for row in table.to_pylist()]


def rows_of(records: Iterable[FileRecord], schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([asdict(record) for record in records], schema=schema)


def home_of(record: FileRecord) -> str:
    """The table in the store that lists the part of a piece: the pieces of an upsert source are merged from there."""
    if record.load != "upsert":
        return f"raw/{record.table}"
    return "collection/upserts/" + hashlib.sha256(record.source_name.encode()).hexdigest()[:8]
