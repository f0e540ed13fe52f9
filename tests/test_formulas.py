"""Cells of CSV files that a spreadsheet would run."""

import csv
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbook.data.formulas import as_written, harmless, harmless_texts


@pytest.mark.parametrize("text", ["=1+1", "+49", "-5 %", "@x", "\t=1", "\r=1", "\n=1", "＝1", "＠x"])
def test_a_cell_that_runs_gets_an_apostrophe(text: str) -> None:
    assert harmless(text) == f"'{text}"


@given(st.text(alphabet="=+-@＝'\t\r\n a1") | st.text())
def test_every_text_comes_back_and_none_runs(text: str) -> None:
    assert as_written(harmless(text)) == text
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))


def test_a_file_of_ours_holds_texts_harmless_and_numbers_untouched(tmp_path: Path) -> None:
    texts = ["=cmd|' /C calc'!A0", "-1", "a;b", None, "+1 \"quoted\"", "'t Hart"]
    file = tmp_path / "table.csv"
    with duckdb.connect() as con:
        table = con.from_df(pd.DataFrame({"odd \"name\"": texts, "n": [-1.5, -2, 0, 1, 2, 3]}))
        harmless_texts(table).write_csv(str(file))
    with file.open(encoding="utf-8", newline="") as opened:
        head, *rows = csv.reader(opened)
    assert head == ["odd \"name\"", "n"]
    assert [float(row[1]) for row in rows] == [-1.5, -2, 0, 1, 2, 3]
    assert [row[0] for row in rows] == [harmless(text or "") for text in texts]
    assert [as_written(row[0]) for row in rows] == [text or "" for text in texts]
