"""The sheets of the chapters' tables: the CSV files of the report, bounded, each cell as what it is."""

from __future__ import annotations

import csv
import math
import re
from datetime import date
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from workbook.data.formulas import as_written
from workbook.output.forms.formats import Formats, text_width
from workbook.output.words import forms as words

MOST_ROWS = 5_000
NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d+)?([eE][+-]?\d+)?")  # no leading zeros, no more digits than Excel keeps
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
LOOKS = {"day": "yyyy-mm-dd"}
HEAD = 2
SIZED = 500  # rows that a column's width is measured on
WIDEST = 72
LONGEST_TEXT = 32_767  # characters of a cell, as Excel allows


class Column(NamedTuple):
    """A column of a table, and how it is shown."""

    name: str
    kind: str  # number, day, truth or text
    look: str  # Excel's format of its cells
    width: float

    @property
    def is_number(self) -> bool:
        return self.kind == "number"


class Table(NamedTuple):
    """A table as it lies in its file."""

    columns: list[str]
    cells: list[list[str]]  # the rows that are shown
    rows: int  # all that the file has

    @property
    def cut(self) -> bool:
        return self.rows > len(self.cells)


def read_csv(path: Path) -> Table:
    """A CSV file of the report; its first rows, and how many there are."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        columns = next(reader, [])
        cells = [[as_written(cell) for cell in row] for row in islice(reader, MOST_ROWS)]
        return Table(columns, cells, len(cells) + sum(1 for _row in reader))


def write_table(sheet: Worksheet, file: str, table: Table, formats: Formats) -> None:
    """Fill a sheet with a table."""
    sheet.write_url(0, 0, f"internal:'{words.front()}'!A1", formats.link, words.back())
    sheet.write_string(1, 0, words.table_note(file, len(table.cells), table.rows), formats.quiet)
    columns = [_column(name, [row[i] for row in table.cells]) for i, name in enumerate(table.columns)]
    for at, column in enumerate(columns):
        sheet.set_column(at, at, column.width)
    head = [{"header": name, "header_format": formats.heads("n" if column.is_number else "a")[0]}
            for name, column in zip(headings(table.columns), columns, strict=True)]
    sheet.add_table(HEAD, 0, HEAD + max(len(table.cells), 1), len(head) - 1,
                    {"columns": head, "name": table_name(sheet.name), "style": "Table Style Light 1"})
    looks = [formats.of(num_format=column.look) if column.is_number
             else formats.of(indent=1, align="left", num_format=column.look) for column in columns]
    for row, cells in enumerate(table.cells, start=HEAD + 1):
        for at, (cell, column, look) in enumerate(zip(cells, columns, looks, strict=True)):
            if cell != "":
                _write(sheet, row, at, cell, column.kind, look)
    sheet.freeze_panes(HEAD + 1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEAD)
    sheet.set_footer("&L&A&R&P / &N")


def headings(names: list[str]) -> list[str]:
    """Headings as a table of Excel must have them: none empty, none twice, whatever their case.

    >>> headings(["name", "Name", ""])
    ['name', 'Name 2', 'column 3']
    """
    said: list[str] = []
    for at, name in enumerate(names, start=1):
        plain = name or f"column {at}"
        said.append(f"{plain} {at}" if plain.casefold() in {one.casefold() for one in said} else plain)
    return said


def table_name(sheet: str) -> str:
    """The name of a sheet's table, in the characters that Excel lets a name have.

    >>> table_name("clean/order lines")
    'table_clean_order_lines'
    """
    return "table_" + re.sub(r"\W", "_", sheet, flags=re.ASCII)


def _write(sheet: Worksheet, row: int, at: int, cell: str, kind: str, look: Format) -> None:
    match kind:
        case "number":
            sheet.write_number(row, at, float(cell), look)
        case "day":
            sheet.write_datetime(row, at, date.fromisoformat(cell), look)
        case "truth":
            sheet.write_boolean(row, at, cell == "true", look)
        case _:
            sheet.write_string(row, at, cell[:LONGEST_TEXT], look)


def _column(name: str, cells: list[str]) -> Column:
    kind = _kind(name, cells)
    look = _look(name, [float(cell) for cell in cells if cell]) if kind == "number" else LOOKS.get(kind, "General")
    seen = [_seen(cell, kind, look) for cell in cells[:SIZED]]
    longest = max([text_width(name) + 2, *map(text_width, seen)])
    return Column(name, kind, look, min(max(longest + 3, 9), WIDEST))


def _seen(cell: str, kind: str, look: str) -> str:
    """A cell about as long as it is shown."""
    if kind != "number" or not cell:
        return cell
    return f"{float(cell):,.{len(look.partition('.')[2])}f}"


def _look(name: str, numbers: list[float]) -> str:
    """Whole numbers whole, parts of one with four places, other numbers with two; a year without a comma."""
    if all(x.is_integer() for x in numbers):
        return "0" if name == "year" or name.endswith("_year") else "#,##0"
    return "0.0000" if all(abs(x) <= 1 for x in numbers) else "#,##0.00"


def _kind(name: str, cells: list[str]) -> str:
    """What a column holds; names of things stay text, whatever they look like."""
    there = [cell for cell in cells if cell]
    if not there or name == "id" or name.endswith("_id"):
        return "text"
    if all(NUMBER.fullmatch(cell) and math.isfinite(float(cell)) for cell in there):
        return "number"
    if all(DAY.fullmatch(cell) for cell in there):
        return "day"
    return "truth" if set(there) <= {"true", "false"} else "text"
