"""A piece of a source, and a piece being read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, NamedTuple

import pyarrow as pa

from workbook.data.errors import WorkbookError

Kind = Literal["text", "excel", "jsonl", "parquet", "sqlite", "postgres"]
ROW = "source_row"
ROWS_AT_A_TIME = 20_000  # rows handed on at a time where there are no blocks


class Rejected(NamedTuple):
    """A line that could not be taken apart."""

    row: int
    reason: str
    detail: str  # holds no value of the line


@dataclass(frozen=True)
class Piece:
    """What is read as one: a file, a member of a zip, a sheet, a table."""

    name: str  # as reports call it: orders.csv.gz, days.zip!2011-01-16.csv, book.xlsx#March
    kind: Kind
    path: Path | None = None
    member: str = ""
    sheet: str = ""
    size: int = 0  # bytes
    modified: datetime | None = None  # UTC; None where nothing tells


@dataclass
class Reading:
    """A piece being read."""

    columns: list[str]  # the names found; `column_1` … where there was no header
    batches: Iterator[pa.RecordBatch]  # text columns, and source_row
    encoding: str = ""
    delimiter: str = ""
    rejected: list[Rejected] = field(default_factory=list)  # grows while the batches are drawn
    repeated: tuple[str, ...] = ()  # names that the header has more than once


def row_batches(
    rows: Iterable[tuple[int, Sequence[str | None]]], names: list[str], chosen: list[str]
) -> Iterator[pa.RecordBatch]:
    """Numbered rows of text as batches; rows that hold nothing are left out."""
    places = [names.index(name) for name in chosen]
    numbers: list[int] = []
    kept: list[Sequence[str | None]] = []

    def batch() -> pa.RecordBatch:
        columns = [
            pa.array([row[place] if place < len(row) else None for row in kept], pa.string()) for place in places
        ]
        return pa.RecordBatch.from_arrays([*columns, pa.array(numbers, pa.int64())], names=[*chosen, ROW])

    for number, row in rows:
        if not any(row):
            continue
        numbers.append(number)
        kept.append(row)
        if len(kept) == ROWS_AT_A_TIME:
            yield batch()
            numbers, kept = [], []
    if kept:
        yield batch()


def broken(name: str, error: Exception) -> WorkbookError:
    return WorkbookError(
        f"{name} is damaged or was cut off: {error}.",
        why="Reading only its first part would look like a month with few sales.",
        way_out="Copy or download the file again; nothing of it was taken.",
    )


def empty(piece: Piece) -> WorkbookError:
    return WorkbookError(
        f"{piece.name} is empty.",
        why="An empty file is more often a failed export than a period without records.",
        way_out="Export it again, or take it out of the folder that `path` names.",
    )
