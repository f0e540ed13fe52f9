"""Sheets of Excel and other spreadsheets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, time, timedelta
from fnmatch import fnmatch
from itertools import chain, islice
from pathlib import Path
from typing import Any

from workbook.data.errors import WorkbookError
from workbook.data.settings import Source
from workbook.data.sources.layout import layout_of
from workbook.data.sources.piece import Piece, Reading, broken, row_batches


def sheets_of(path: Path, source: Source) -> list[str]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        names = CalamineWorkbook.from_path(str(path)).sheet_names
    except CalamineError as error:
        raise broken(path.name, error) from error
    if not source.sheet:
        return names[:1]
    chosen = [name for name in names if fnmatch(name, source.sheet)]
    if not chosen:
        raise WorkbookError(
            f"{path.name} has no sheet {source.sheet!r}; it has {', '.join(names)}.",
            way_out='Correct `sheet`; "*" reads every sheet.',
        )
    return chosen


def read_excel(piece: Piece, source: Source, choose: Callable[[list[str]], list[str]]) -> Reading:
    from python_calamine import CalamineWorkbook

    sheet = CalamineWorkbook.from_path(str(piece.path)).get_sheet_by_name(piece.sheet)
    texts = ([_cell_text(cell) for cell in row] for row in sheet.iter_rows())
    rows = _with_merged(texts, sheet.merged_cell_ranges or (), (sheet.start or (0, 0))[1])
    head = list(islice(rows, 100))
    layout = layout_of(head, source, piece)
    reading = Reading(layout.names, iter(()), "excel", "", repeated=layout.repeated)
    body = ((i, row) for i, row in enumerate(chain(head, rows), start=1) if i > layout.first_row)
    reading.batches = row_batches(body, layout.names, choose(layout.names))
    return reading


def _cell_text(cell: Any) -> str:
    """A cell as text: whole numbers without .0; past 15 digits as Excel itself shows them."""
    match cell:
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case float() if abs(cell) >= 1e15:
            return f"{cell:.2E}"
        case datetime():
            return cell.isoformat(" ")
        case date() | time() | timedelta():
            return str(cell)
        case bool():
            return "true" if cell else "false"
        case _:
            return str(cell)


def _with_merged(
    rows: Iterable[list[str]], merged: Iterable[tuple[tuple[int, int], tuple[int, int]]], first_column: int
) -> Iterator[list[str]]:
    """A value merged over several rows belongs to each of them; one merged over columns stays where it stands."""
    begins: dict[int, list[tuple[int, int]]] = {}  # row → (column, last row) of what is merged from there
    for (top, left), (bottom, right) in merged:
        if left == right and bottom > top:
            begins.setdefault(top, []).append((left - first_column, bottom))
    lasting: dict[int, tuple[int, str]] = {}  # column → last row, value
    for i, row in enumerate(rows):
        for column, (last, value) in list(lasting.items()):
            if i > last:
                del lasting[column]
            else:
                row[column] = row[column] or value
        for column, last in begins.get(i, ()):
            lasting[column] = (last, row[column])
        yield row
