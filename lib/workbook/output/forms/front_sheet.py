"""The front sheet: verdict, headline figures, trust, and the list of sheets."""

from __future__ import annotations

from typing import Any

from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from workbook.data.findings import Finding, earlier
from workbook.data.settings import Settings
from workbook.output.forms.formats import QUIET, Formats, points_change, relative_change
from workbook.output.forms.report import Report, Sheet
from workbook.output.page import metric_name, shown
from workbook.output.words import forms as words

HEADLINES = (  # the first of each line that was found
    ("03_profiling.net_revenue", "02_cleaning.net_revenue"), ("03_profiling.margin",),
    ("03_profiling.active_customers", "02_cleaning.customers_kept"), ("03_profiling.new_customers",),
    ("06_clv.acquisition_cost_per_customer",), ("03_profiling.second_purchase_rate_90d",),
    ("03_profiling.average_order_value",), ("08_churn.value_at_risk",), ("10_satisfaction.satisfaction",),
)
WIDTHS = (34, 17, 17, 17, 17, 19, 17, 30)
HEADS = "tnnnnnna"  # text or numbers, by column
CHANGE, POINTS = "change", "points"  # units of their own here: a change has a sign
Cell = tuple[Any, str]


def write_front(
    sheet: Worksheet, report: Report, settings: Settings, formats: Formats, sheets: list[Sheet],
) -> None:
    """Fill the front sheet."""
    for column, width in enumerate(WIDTHS):
        sheet.set_column(column, column, width)
    sheet.hide_gridlines(2)
    sheet.write_string(0, 0, report.title, formats.title)
    sheet.set_row(0, 28)
    _across(sheet, 1, 0, report.verdict, formats, formats.of(font_size=12, text_wrap=True), larger=1.25)
    row = _headlines(sheet, 3, report, settings, formats)
    row = _trust(sheet, row + 1, report, formats)
    _sheets(sheet, row + 1, sheets, formats)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&R&P / &N")


def _headlines(sheet: Worksheet, row: int, report: Report, settings: Settings, formats: Formats) -> int:
    sheet.write_string(row, 0, words.headlines(), formats.heading)
    for column, (text, look) in enumerate(zip(words.headline_columns(), formats.heads(HEADS), strict=True)):
        sheet.write_string(row + 1, column, text, look)
    row += 2
    for choices in HEADLINES:
        key = next((key for key in choices if _has(report, key)), "")
        if not key:
            continue
        chapter, name = key.split(".")
        _headline(sheet, row, chapter, name, report, settings, formats)
        row += 1
    return row


def _has(report: Report, key: str) -> bool:
    chapter, name = key.split(".")
    return name in report.findings.get(chapter, {})


def _headline(
    sheet: Worksheet, row: int, chapter: str, name: str, report: Report, settings: Settings, formats: Formats,
) -> None:
    """A figure beside the period before, the year before and its target; what is not known stays empty."""
    found = report.findings[chapter]
    now = found[name]
    before = earlier(name, found, report.before.get(chapter, {}), whole=report.period.is_whole)
    year_ago = found.get(f"{name}_year_ago")
    target = settings.targets.get(name)
    place = next((said.sheet for said in report.said if said.chapter == chapter), "")
    label = metric_name(chapter, name)
    if place:
        sheet.write_url(row, 0, f"internal:'{place}'!A1", formats.link, label)
    else:
        sheet.write_string(row, 0, label, formats.text)
    values: list[Cell] = [
        (shown(now) if now.value is None else now.value, now.unit), *_beside(now, before), *_beside(now, year_ago),
        (None if target is None else float(target), now.unit),
    ]
    for column, (value, unit) in enumerate(values, start=1):
        _value(sheet, row, column, value, unit, formats)
    sheet.write_string(row, len(values) + 1, words.interval(now), formats.of(font_color=QUIET, indent=1, align="left"))


def _value(sheet: Worksheet, row: int, column: int, value: Any, unit: str, formats: Formats) -> None:
    if unit in (CHANGE, POINTS) and value is not None:
        look = relative_change() if unit == CHANGE else points_change(words.points_of())
        sheet.write_number(row, column, value, formats.of(num_format=look, align="right"))
    else:
        formats.value(sheet, row, column, value, unit)


def _beside(now: Finding, then: Finding | None) -> tuple[Cell, Cell]:
    """The value to compare with, and the change: relative, or in points where it is a share itself."""
    if then is None or not _is_number(then.value) or not _is_number(now.value):
        return (None, ""), (None, "")
    if now.unit == "share":
        return (then.value, "share"), (round(100 * (now.value - then.value), 1), POINTS)  # type: ignore[operator]
    return (then.value, now.unit), ((now.value / then.value - 1) if then.value else None, CHANGE)  # type: ignore


def _is_number(x: object) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)


def _trust(sheet: Worksheet, row: int, report: Report, formats: Formats) -> int:
    sheet.write_string(row, 0, words.trust(), formats.heading)
    for item in report.trust:
        row += 1
        sheet.write_string(row, 0, item.name, formats.text)
        sheet.write_string(row, 1, item.value, formats.of(bold=True, text_wrap=True))
        sheet.write_string(row, 2, item.note, formats.quiet)
    return row + 1


def _sheets(sheet: Worksheet, row: int, sheets: list[Sheet], formats: Formats) -> None:
    sheet.write_string(row, 0, words.sheets(), formats.heading)
    for entry in sheets:
        row += 1
        sheet.write_url(row, 0, f"internal:'{entry.name}'!A1", formats.link, entry.name)
        _across(sheet, row, 1, entry.about, formats, formats.note)


def _across(
    sheet: Worksheet, row: int, first: int, text: str, formats: Formats, look: Format, *, larger: float = 1.0,
) -> None:
    """A sentence over all columns from the first, in as many lines as it needs; `larger` than the letters of a cell."""
    sheet.merge_range(row, first, row, len(WIDTHS) - 1, "", look)
    sheet.write_string(row, first, text, look)
    sheet.set_row(row, larger * formats.height([(text, sum(WIDTHS[first:]) / larger)]))
