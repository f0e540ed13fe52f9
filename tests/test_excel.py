"""The Excel workbook of a report, read back: values as values, charts as charts, and nothing that runs."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from excel_faults import faults
from small_report import FINDINGS, RUNS, SHOP, write_report
from workbook.cli import app
from workbook.data.settings import Settings
from workbook.output import forms
from workbook.output.forms import table_sheets
from workbook.output.forms.excel import write_excel


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return write_report(tmp_path_factory.mktemp("reported"))


@pytest.fixture
def written(settings: Settings, tmp_path: Path) -> Callable[[str], Path]:
    """`written("en")`: the workbook of a language."""

    def write(lang: str, name: str = "report.xlsx") -> Path:
        write_excel(forms.find_report(settings), settings, lang, tmp_path / name)
        return tmp_path / name

    return write


def rows(file: Path, sheet: str) -> list[list[object]]:
    return CalamineWorkbook.from_path(str(file)).get_sheet_by_name(sheet).to_python(skip_empty_area=False)


def xml(file: Path, pattern: str) -> dict[str, str]:
    with zipfile.ZipFile(file) as parts:
        return {name: parts.read(name).decode() for name in parts.namelist() if re.fullmatch(pattern, name)}


def test_the_front_sheet_says_what_page_one_says(written: Callable[[str], Path]) -> None:
    front = rows(written("en"), "Report")
    assert front[0][0] == f"{SHOP} · June 2026"
    assert "¥109,300" in str(front[1][0]) and "\u2060" not in "".join(str(cell) for row in front for cell in row)
    revenue = next(row for row in front if row[0] == "Net revenue")
    assert revenue[1:3] == [109299.69, 88289.8] and revenue[3] == pytest.approx(0.23797, abs=1e-5)
    assert revenue[6] == 95000
    again = next(row for row in front if row[0] == "Second purchase within 90 days")
    assert again[1] == 0.466372657 and again[7] == "between 43.4% and 49.9%"
    assert again[2:4] == [0.466372657, 0]  # a change in points is a number too
    assert next(row for row in front if row[0] == "Margin")[1] == "too few to tell"
    assert {"03 Chapter 03", "04 Chapter 04", "Over time", "rfm"} <= {str(row[0]) for row in front}


def test_a_chapter_has_each_finding_with_unit_interval_evidence_and_definition(written: Callable[[str], Path]) -> None:
    table = rows(written("en"), "04 Chapter 04")
    head = table[3][:9]
    assert head == ["Figure", "Value", "Unit", "Lower end (95 %)", "Upper end (95 %)", "Rests on", "Evidence",
                    "Definition", "Key"]
    found = {str(row[8]).removeprefix("04_rfm."): row for row in table[4:] if row[8]}
    assert found.keys() == FINDINGS["04_rfm"].keys()
    lead = found["lead_over_recency_buyers"]
    assert lead[1] == -0.0276 and lead[3:7] == [-0.05, -0.01, 400, "Observed"] and len(str(lead[7])) > 20
    assert found["cuts_from"][1] == date(2025, 6, 30)
    assert found["cuts_provisional"][1] == "no"


def test_both_languages_have_the_same_numbers(written: Callable[..., Path]) -> None:
    english, chinese = written("en", "en.xlsx"), written("zh", "zh.xlsx")
    for sheet, other in (("Report", "报告"), ("04 Chapter 04", "04 第04章"), ("rfm", "rfm")):
        one, two = rows(english, sheet), rows(chinese, other)
        assert [[x for x in row if isinstance(x, float)] for row in one] == [
            [x for x in row if isinstance(x, float)] for row in two]
    said = [str(row[0]) for row in rows(chinese, "报告")]
    assert {"净销售额", "核心指标"} <= {*said} and not {"Figure", "Net revenue"} & {*said}


def test_excel_opens_it_without_a_repair(written: Callable[..., Path]) -> None:
    assert [faults(written(lang, f"{lang}.xlsx")) for lang in ("en", "zh")] == [[], []]


def test_equal_input_makes_equal_bytes(written: Callable[..., Path]) -> None:
    assert written("zh", "one.xlsx").read_bytes() == written("zh", "two.xlsx").read_bytes()


def test_text_never_becomes_a_formula(written: Callable[[str], Path]) -> None:
    file = written("en")
    sheets = xml(file, r"xl/worksheets/sheet\d+\.xml")
    assert len(sheets) == 5 and not [name for name, text in sheets.items() if "<f>" in text or "<f " in text]
    table = rows(file, "rfm")
    assert tuple(str(row[1]) for row in table[3:]) == RUNS
    assert [row[2] for row in table[3:]] == [-1.5 * n for n in range(len(RUNS))]
    assert [row[0] for row in table[3:]] == [f"{n:08d}" for n in range(len(RUNS))]
    assert table[3][4] == date(2026, 6, 1) and table[3][3] is True
    cuts = next(row for row in rows(file, "04 Chapter 04") if row[8] == "04_rfm.cuts_monetary")
    assert cuts[1] == "=98; 194"


def test_charts_are_of_excel_itself_and_stand_on_the_cells(written: Callable[[str], Path]) -> None:
    file = written("en")
    charts = "".join(xml(file, r"xl/charts/chart\d+\.xml").values())
    assert not xml(file, r"xl/media/.*")
    first = 4 + len(FINDINGS["04_rfm"]) + 4  # below the table's heading, its rows, two empty rows and a heading
    assert f"'04 Chapter 04'!$A${first}:$A${first + 1}" in charts and "'Over time'!$B$3:$B$4" in charts
    assert charts.count("<c:catAx>") == charts.count("<c:valAx>") == len(xml(file, r"xl/charts/.*"))
    drawings = "".join(xml(file, r"xl/drawings/drawing\d+\.xml").values())
    assert drawings.count("descr=") == drawings.count("<xdr:graphicFrame") == len(xml(file, r"xl/charts/.*"))
    members = [row for row in rows(file, "04 Chapter 04") if row[0] in ("Champions", "At risk")]
    assert [row[1:3] for row in members] == [[0.557, ""], [0.105, ""], [332, 290], [561, 540]]


def test_all_published_periods_stand_in_order(written: Callable[[str], Path]) -> None:
    table = rows(written("en"), "Over time")
    assert [(row[0], row[1]) for row in table[2:4]] == [("May 2026", 88289.8), ("June 2026", 109299.69)]


def test_sheets_are_ready_to_be_worked_with_and_printed(written: Callable[[str], Path]) -> None:
    file = written("en")
    sheets = [text for name, text in sorted(xml(file, r"xl/worksheets/sheet\d+\.xml").items())]
    assert all("<pageSetup" in text and ("fitToHeight" in text or 'scale="' in text) for text in sheets)
    assert all('state="frozen"' in text for text in sheets[1:])
    assert all("<autoFilter" in text for text in xml(file, r"xl/tables/.*").values())
    looks = xml(file, "xl/styles.xml")["xl/styles.xml"]
    assert 'formatCode="0.0%"' in looks and 'formatCode="&quot;¥&quot;#,##0.00"' in looks


def test_a_table_that_is_cut_says_so(written: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_sheets, "MOST_ROWS", 3)
    table = rows(written("en"), "rfm")
    assert table[1][0] == f"The first 3 of {len(RUNS)} rows; all of them lie in tables/rfm.csv."
    assert len(table) == 6


def test_the_command_writes_the_workbooks_of_a_period(settings: Settings) -> None:
    said = CliRunner().invoke(app, ["excel", "2026-05", "--settings", str(settings.file)])
    assert said.exit_code == 0, said.output
    assert [lang for lang in ("en", "zh") if (settings.reports_folder / "2026-05" / lang / "report.xlsx").exists()] == [
        "en", "zh"]
    assert not list((settings.reports_folder / "2026-06").rglob("*.xlsx"))
