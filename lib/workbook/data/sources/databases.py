"""Tables and queries of SQLite and PostgreSQL: read only, columns and filter pushed down, streamed."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from workbook.data.errors import WorkbookError
from workbook.data.settings import Source, secret
from workbook.data.sources.delimited import csv_batches
from workbook.data.sources.layout import Layout
from workbook.data.sources.piece import ROW, ROWS_AT_A_TIME, Piece, Reading
from workbook.data.sources.streams import file_of


def _select(source: Source, names: Sequence[str] | None, *, as_text: bool) -> str:
    """The query with its columns and filter, so that the database sends no more than is needed."""
    inner = f"({source.query.rstrip().rstrip(';')}) AS q" if source.query else _quoted_table(source.from_table)
    columns = (
        "*"
        if names is None
        else ", ".join(
            f"CAST({_quoted(name)} AS TEXT) AS {_quoted(name)}" if as_text else _quoted(name) for name in names
        )
    )
    return f"SELECT {columns} FROM {inner}" + (f" WHERE {source.where}" if source.where else "")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted_table(name: str) -> str:
    return ".".join(_quoted(part) for part in name.split("."))


def read_sqlite(piece: Piece, source: Source, choose: Callable[[list[str]], list[str]]) -> Reading:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(piece.path))}?mode=ro", uri=True)

    try:
        with closing(connect()) as con:
            head = con.execute(_select(source, None, as_text=False) + " LIMIT 0")
            names = [column[0] for column in head.description]
            tables = []
    except sqlite3.Error as error:
        with closing(connect()) as con:
            tables = [name for (name,) in con.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
        raise _query_refused(piece, error, tables) from error
    chosen = choose(names)
    return Reading(names, _sqlite_batches(connect, _select(source, chosen, as_text=True), chosen, piece), "", "sql")


def _sqlite_batches(
    connect: Callable[[], sqlite3.Connection], query: str, chosen: list[str], piece: Piece
) -> Iterator[pa.RecordBatch]:
    row = 1
    try:
        with closing(connect()) as con:
            cursor = con.execute(query)
            while rows := cursor.fetchmany(ROWS_AT_A_TIME):
                columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
                numbers = pa.array(np.arange(row, row + len(rows)), pa.int64())
                yield pa.RecordBatch.from_arrays([*columns, numbers], names=[*chosen, ROW])
                row += len(rows)
    except sqlite3.Error as error:
        raise _query_refused(piece, error, []) from error


def _query_refused(piece: Piece, error: Exception, tables: list[str]) -> WorkbookError:
    return WorkbookError(
        f"{piece.name}: the database says: {str(error).strip()}",
        way_out=f"Correct the query; its tables are {', '.join(tables)}."
        if tables
        else "Correct `query`, `from_table` or `where`, and check that the file is whole.",
    )


def read_postgres(piece: Piece, source: Source, choose: Callable[[list[str]], list[str]]) -> Reading:
    con = _postgres(piece, source)
    try:
        head = con.execute(_select(source, None, as_text=False) + " LIMIT 0")
        names = [column.name for column in head.description]
    except _postgres_error() as error:
        con.close()
        raise _query_refused(piece, error, []) from error
    chosen = choose(names)
    reading = Reading(names, iter(()), "utf-8", "sql")
    query = _select(source, chosen, as_text=False)
    stream = file_of(_copied(con, f"COPY ({query}) TO STDOUT WITH (FORMAT csv)", piece))
    reading.batches = _counted(csv_batches(stream, reading, ",", Layout(chosen, (), 0, 0), chosen, piece))
    return reading


def _postgres_error() -> type[Exception]:
    import psycopg

    return psycopg.Error


def _postgres(piece: Piece, source: Source) -> Any:
    try:
        import psycopg  # an extra: absent from a plain install
    except ImportError as error:
        raise WorkbookError(
            f"Source {source.label!r} is PostgreSQL, but psycopg is not installed.",
            way_out="pip install 'customer-workbook[postgres]'",
        ) from error
    try:
        con = psycopg.connect(secret(source.url), connect_timeout=10, options="-c datestyle=ISO -c timezone=UTC")
    except psycopg.OperationalError as error:
        reason = re.sub(r"password=\S+", "password=…", str(error).strip().splitlines()[0])
        raise WorkbookError(
            f"Source {source.label!r}: {piece.name.partition('#')[0]} does not answer: {reason}",
            why="Nothing was read from it; what was collected before is kept as it is.",
            way_out="Check that the server runs, the address and the password's environment variable, and try again.",
        ) from None
    con.read_only = True
    return con


def _copied(con: Any, query: str, piece: Piece) -> Iterator[bytes]:
    """The result as CSV, streamed by the server."""
    try:
        with con, con.cursor() as cursor, cursor.copy(query) as copy:
            for block in copy:
                yield bytes(block)
    except _postgres_error() as error:
        raise _query_refused(piece, error, []) from error


def _counted(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Rows of the result in place of lines of its text, in which a value may have several."""
    row = 1
    for batch in batches:
        numbers = pa.array(np.arange(row, row + len(batch)), pa.int64())
        yield batch.set_column(batch.schema.get_field_index(ROW), ROW, numbers)
        row += len(batch)
