"""The front sheet: verdict, headline figures, trust, and the list of sheets."""

from __future__ import annotations

from typing import Any

from xlsxwriter.worksheet import Worksheet

from workbook.data.findings import Finding, earlier
from workbook.data.settings import Settings
from workbook.output.forms.formats import Formats
from workbook.output.forms.report import Report, Sheet
from workbook.output.page import metric_name, shown
from workbook.output.words import forms as words

HEADLINES = (  # the first of each line that was found
    ("03_profiling.net_revenue", "02_cleaning.net_revenue"), ("03_profiling.margin",),
    ("03_profiling.active_customers", "02_cleaning.customers_kept"), ("03_profiling.new_customers",),
    ("06_clv.acquisition_cost_per_customer",), ("03_profiling.second_purchase_rate_90d",),
    ("03_profiling.average_order_value",), ("08_churn.value_at_risk",), ("10_satisfaction.satisfaction",),
)
WIDTHS = (34, 17, 17, 17, 17, 17, 17, 30)
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
    sheet.merge_range(1, 0, 1, 7, "", formats.of(font_size=12, text_wrap=True))
    sheet.write_string(1, 0, report.verdict, formats.of(font_size=12, text_wrap=True))
    sheet.set_row(1, 36)
    row = _headlines(sheet, 3, report, settings, formats)
    row = _trust(sheet, row + 1, report, formats)
    _sheets(sheet, row + 1, sheets, formats)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&R&P / &N")


def _headlines(sheet: Worksheet, row: int, report: Report, settings: Settings, formats: Formats) -> int:
    sheet.write_string(row, 0, words.headlines(), formats.heading)
    for column, text in enumerate(words.headline_columns()):
        sheet.write_string(row + 1, column, text, formats.head)
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
        formats.value(sheet, row, column, value, unit)
    sheet.write_string(row, len(values) + 1, words.interval(now), formats.note)


def _beside(now: Finding, then: Finding | None) -> tuple[Cell, Cell]:
    """The value to compare with, and the change: relative, or in points where it is a share itself."""
    if then is None or not _is_number(then.value) or not _is_number(now.value):
        return (None, ""), (None, "")
    if now.unit == "share":
        return (then.value, "share"), (words.points(now.value - then.value), "text")  # type: ignore[operator]
    return (then.value, now.unit), ((now.value / then.value - 1) if then.value else None, "share")  # type: ignore


def _is_number(x: object) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)


def _trust(sheet: Worksheet, row: int, report: Report, formats: Formats) -> int:
    sheet.write_string(row, 0, words.trust(), formats.heading)
    for item in report.trust:
        row += 1
        sheet.write_string(row, 0, item.name, formats.text)
        sheet.write_string(row, 1, item.value, formats.of(bold=True, text_wrap=True))
        sheet.write_string(row, 2, item.note, formats.of(font_color="#55616E"))
    return row + 1


def _sheets(sheet: Worksheet, row: int, sheets: list[Sheet], formats: Formats) -> None:
    sheet.write_string(row, 0, words.sheets(), formats.heading)
    for entry in sheets:
        row += 1
        sheet.write_url(row, 0, f"internal:'{entry.name}'!A1", formats.link, entry.name)
        sheet.write_string(row, 1, entry.about, formats.of(font_color="#55616E"))
