"""Workbooks that Excel opens, however odd their tables; and the checker of that, which finds each fault."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from xlsxwriter import Workbook

from excel_faults import faults
from workbook.output.forms.excel import TEXT_STAYS_TEXT
from workbook.output.forms.formats import Formats
from workbook.output.forms.table_sheets import LONGEST_TEXT, Table, write_table

SHEET, TABLE, BOOK = "xl/worksheets/sheet1.xml", "xl/tables/table1.xml", "xl/workbook.xml"


@pytest.mark.filterwarnings("error")
def test_odd_tables_still_make_a_workbook_that_opens(tmp_path: Path) -> None:
    """Headings twice or empty, texts too long, control characters, numbers that are none."""
    odd = Table(["name", "Name", "", "value"],
                [["long " * 10_000, "\x00\x0b bell \x07", "\ufffe", "1e999"], ["=1+1", "'x", "-2+3", "1e999"]], 2)
    file = tmp_path / "odd.xlsx"
    with Workbook(str(file), TEXT_STAYS_TEXT) as workbook:
        write_table(workbook.add_worksheet("clean-odd table"), "odd.csv", odd, Formats(workbook))
    assert faults(file) == []
    _link, _note, heads, first, second = CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0).to_python()
    assert heads == ["name", "Name 2", "column 3", "value"]
    assert len(str(first[0])) == LONGEST_TEXT and second == ["=1+1", "'x", "-2+3", "1e999"]


@pytest.mark.parametrize(("part", "old", "new", "fault"), [
    (BOOK, 'name="second"', 'name="FIRST"', "sheet twice: first"),
    (BOOK, 'name="second"', f'name="{"s" * 32}"', f"sheet's name: {'s' * 32}"),
    (BOOK, 'name="second"', 'name="a/b"', "sheet's name: a/b"),
    (BOOK, 'name="two"', 'name="ONE"', "defined name twice: one "),
    (TABLE, 'displayName="left"', 'displayName="right"', "table twice: right"),
    (TABLE, 'displayName="left"', 'displayName="A1"', "table's name: A1"),
    (TABLE, 'displayName="left"', 'displayName="a b"', "table's name: a b"),
    (TABLE, 'name="b"', 'name="A"', "heading of left twice: a"),
    (TABLE, 'ref="A1:B3"', 'ref="A1:B1"', "table without a row: left"),
    (SHEET, '<v>7</v>', "<f>1+6</f><v>7</v>", "formula, error or no number: C1"),
    (SHEET, '<v>7</v>', "<v>nan</v>", "formula, error or no number: C1"),
    (SHEET, 'r="C1"', 'r="C1048577"', "cell beyond the sheet: C1048577"),
    (SHEET, 'ht="30"', 'ht="410"', "row too tall: 9"),
    ("xl/sharedStrings.xml", "tea", "t" * (LONGEST_TEXT + 1), f"text of {LONGEST_TEXT + 1} characters"),
])
def test_each_thing_that_excel_refuses_is_found(tmp_path: Path, part: str, old: str, new: str, fault: str) -> None:
    good, bad = tmp_path / "good.xlsx", tmp_path / "bad.xlsx"
    with Workbook(str(good)) as workbook:
        for sheet, table in (("first", "left"), ("second", "right")):
            workbook.add_worksheet(sheet).add_table(
                0, 0, 2, 1, {"name": table, "columns": [{"header": "a"}, {"header": "b"}]})
        first = workbook.worksheets()[0]
        first.write_number(0, 2, 7)
        first.write_string(1, 2, "tea")
        first.set_row(8, 30)
        workbook.define_name("one", "=first!$A$1")
        workbook.define_name("two", "=first!$A$2")
    assert faults(good) == []
    with zipfile.ZipFile(good) as whole, zipfile.ZipFile(bad, "w") as broken:
        for name in whole.namelist():
            text = whole.read(name).decode()
            assert name != part or old in text
            broken.writestr(name, text.replace(old, new) if name == part else text)
    assert faults(bad) == [fault]
