"""The sheets of the chapters' tables: the CSV files of the report, bounded, each cell as what it is."""

from __future__ import annotations

import csv
import re
from datetime import date
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from xlsxwriter.worksheet import Worksheet

from workbook.data.formulas import as_written
from workbook.output.forms.formats import Formats
from workbook.output.words import forms as words

MOST_ROWS = 5_000
NUMBER = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d+)?([eE][+-]?\d+)?")  # no leading zeros, no more digits than Excel keeps
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
HEAD = 2


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
    sheet.write_string(1, 0, words.table_note(file, len(table.cells), table.rows), formats.of(font_color="#55616E"))
    kinds = [_kind(name, [row[i] for row in table.cells]) for i, name in enumerate(table.columns)]
    for column, name in enumerate(table.columns):
        longest = max([len(name), *(_width(row[column]) for row in table.cells[:200])])
        sheet.set_column(column, column, min(max(longest + 3, 9), 40))
    head = [{"header": name, "header_format": formats.of(bold=True, bottom=1)} for name in table.columns]
    name = "table_" + re.sub(r"\W", "_", sheet.name, flags=re.ASCII)
    sheet.add_table(HEAD, 0, HEAD + max(len(table.cells), 1), len(head) - 1,
                    {"columns": head, "name": name, "style": "Table Style Light 1"})
    looks = {"text": formats.of(), "day": formats.of(num_format="yyyy-mm-dd"), "number": formats.of(),
             "share": formats.of(num_format="0.0000")}
    for row, cells in enumerate(table.cells, start=HEAD + 1):
        for column, cell in enumerate(cells):
            if cell == "":
                continue
            match kinds[column]:
                case "number":
                    sheet.write_number(row, column, float(cell), looks["number"])
                case "day":
                    sheet.write_datetime(row, column, date.fromisoformat(cell), looks["day"])
                case "truth":
                    sheet.write_boolean(row, column, cell == "true", looks["text"])
                case _:
                    sheet.write_string(row, column, cell, looks["text"])
    sheet.freeze_panes(HEAD + 1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEAD)
    sheet.set_footer("&L&A&R&P / &N")


def _kind(name: str, cells: list[str]) -> str:
    """What a column holds; names of things stay text, whatever they look like."""
    there = [cell for cell in cells if cell]
    if not there or name == "id" or name.endswith("_id"):
        return "text"
    if all(NUMBER.fullmatch(cell) for cell in there):
        return "number"
    if all(DAY.fullmatch(cell) for cell in there):
        return "day"
    return "truth" if set(there) <= {"true", "false"} else "text"


def _width(text: str) -> int:
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)
