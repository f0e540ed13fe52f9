"""Forms as part of a render: made with the report, told when they fail, made anew with it."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from workbook.cli import app
from workbook.data.formulas import as_written
from workbook.data.settings import load_settings
from workbook.output import report
from workbook.output.forms.chromium import NAMED

SETTINGS = """
name: Corner shop
languages: [zh]
forms: [pdf, excel]
sources: [{table: orders, path: orders.csv, columns: {a: order_id, b: amount, c: ordered_at}}]
"""


def test_a_render_makes_the_forms_and_outlives_one_that_fails(
    book: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    book("11_first", "run.keep('first', pa.table({'word': ['=1+1', 'tea'], 'n': [-1, 2]}))\n"
                     "run.find('x', 2, unit='rows')", makes=["first"])
    shop = tmp_path / "shop" / "workbook.yaml"
    shop.parent.mkdir()
    shop.write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "browser").write_text("#!/bin/sh\necho Chromium 140.0; echo it crashed >&2; exit 1\n", encoding="utf-8")
    (tmp_path / "browser").chmod(0o755)
    monkeypatch.setenv(NAMED, str(tmp_path / "browser"))

    said = CliRunner().invoke(app, ["render", "--as-of", "2026-06", "--settings", str(shop)])
    folder = shop.parent / "reports" / "2026-06"
    assert said.exit_code == 1 and "it crashed" in said.output and "The report itself is whole" in said.output
    assert (folder / "index.html").exists() and not list(folder.rglob("*.pdf"))
    with (folder / "tables" / "first.csv").open(encoding="utf-8", newline="") as file:
        cells = [row for row in csv.reader(file)][1:]
    assert cells == [["'=1+1", "-1"], ["tea", "2"]] and as_written(cells[0][0]) == "=1+1"
    sheets = CalamineWorkbook.from_path(str(folder / "zh" / "report.xlsx"))
    assert [row[0] for row in sheets.get_sheet_by_name("first").to_python()[3:]] == ["=1+1", "tea"]

    (folder / "zh" / "report.xlsx").unlink()
    again = report.render(shop, as_of="2026-06")
    assert again.unchanged and [(attempt.form, attempt.ok) for attempt in again.forms] == [
        ("pdf", False), ("excel", True)]

    before = (folder / "zh" / "report.xlsx").stat().st_mtime_ns
    report.comment(load_settings(shop), "2026-06", "11", "Well done")
    assert (folder / "zh" / "report.xlsx").stat().st_mtime_ns > before
