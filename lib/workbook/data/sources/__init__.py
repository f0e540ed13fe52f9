"""Any declared source as record batches of text, with the row of the file that each came from.

A declared source falls into pieces: a file, a member of a zip, a sheet, a database table. A piece
is read as a stream; at no time is more than a few blocks of it in memory. Every value arrives as
the text that was written (`parsing` types it), beside `source_row`: the line that an editor or a
spreadsheet shows (a header is line 1), for databases the row of the result. A line that does not
fit its file (too many or too few fields) is not fatal: it is listed in `Reading.rejected`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from workbook.data.settings import Source
from workbook.data.sources.databases import read_postgres, read_sqlite
from workbook.data.sources.delimited import read_text
from workbook.data.sources.excel import read_excel
from workbook.data.sources.layout import find_delimiter, tidy_name
from workbook.data.sources.piece import ROW, Kind, Piece, Reading, Rejected
from workbook.data.sources.places import find
from workbook.data.sources.streams import find_encoding, fingerprint
from workbook.data.sources.structured import read_json_lines, read_parquet

__all__ = [
    "ROW",
    "Kind",
    "Piece",
    "Reading",
    "Rejected",
    "find",
    "find_delimiter",
    "find_encoding",
    "fingerprint",
    "read",
    "tidy_name",
    "time_of_reading",
]


def read(
    piece: Piece,
    source: Source,
    *,
    wanted: Callable[[list[str]], list[str]] | None = None,
    tick: Callable[[int], object] = int,
) -> Reading:
    """Open a piece.

    Args:
        wanted: takes the names found and returns those to read; all of them when left out.
        tick: told how many bytes of a text piece were taken, as they are.

    Raises:
        WorkbookError: an empty, damaged, misdeclared or unreachable piece.
    """
    choose = wanted or list
    match piece.kind:
        case "text":
            return read_text(piece, source, choose, tick)
        case "excel":
            return read_excel(piece, source, choose)
        case "jsonl":
            return read_json_lines(piece, source, choose)
        case "parquet":
            return read_parquet(piece, choose)
        case "sqlite":
            return read_sqlite(piece, source, choose)
        case _:
            return read_postgres(piece, source, choose)


def time_of_reading() -> datetime:
    """Now, in UTC: the one clock of the collection."""
    return datetime.now(UTC).replace(tzinfo=None)
