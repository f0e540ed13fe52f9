"""The headline figures of all periods that were published up to this one, and charts of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_range_abs
from xlsxwriter.worksheet import Worksheet

from workbook.data import periods
from workbook.data.findings import Finding
from workbook.data.periods import Period
from workbook.data.publications import first_published
from workbook.data.settings import Settings
from workbook.output import i18n
from workbook.output.forms.formats import ACCENT, RULE, Formats, number_format
from workbook.output.forms.report import Report
from workbook.output.page import metric_name
from workbook.output.words import forms as words

FIGURES = ("net_revenue", "active_customers", "new_customers", "orders", "average_order_value", "margin",
           "second_purchase_rate_90d")
CHAPTER = "03_profiling"
COLUMN = 20  # digits; the button of a filter hides three of them


class Published(NamedTuple):
    """The figures of one period."""

    period: Period
    found: Mapping[str, Finding]


def published(settings: Settings, report: Report) -> list[Published]:
    """The periods up to this one that have a report, oldest first, each as first published."""
    every = []
    for file in settings.reports_folder.glob("[0-9]*/run.json"):
        if file.parent.name.startswith(".") or file.parent.suffix == ".failed":
            continue
        period = periods.period_of(json.loads(file.read_text(encoding="utf-8"))["period"], settings.period)
        if period.end < report.period.end and period.is_whole:
            every.append(Published(period, first_published(settings, period.label).get(CHAPTER, {})))
    here = Published(report.period, report.findings.get(CHAPTER, {}))
    return sorted([*every, here], key=lambda one: one.period.end)


def write_trend(workbook: Workbook, sheet: Worksheet, trend: list[Published], formats: Formats) -> None:
    """A row a period, a column a figure, and a line chart of each."""
    shown = [name for name in FIGURES if any(_number(one, name) is not None for one in trend)]
    sheet.write_url(0, 0, f"internal:'{words.front()}'!A1", formats.link, words.back())
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, len(shown), COLUMN)
    titles = [metric_name(CHAPTER, name) for name in shown]
    heads = formats.heads("t" + "n" * len(shown))
    for column, (text, look) in enumerate(zip([words.period(), *titles], heads, strict=True)):
        sheet.write_string(1, column, text, look)
    sheet.set_row(1, formats.height((text, COLUMN - 3) for text in titles))
    for row, one in enumerate(trend, start=2):
        sheet.write_string(row, 0, i18n.period(one.period), formats.text)
        for column, name in enumerate(shown, start=1):
            value = _number(one, name)
            formats.value(sheet, row, column, value, one.found[name].unit if name in one.found else "")
    last = 1 + len(trend)
    for place, name in enumerate(shown):
        unit = next(one.found[name].unit for one in trend if name in one.found)
        chart = workbook.add_chart({"type": "line"})
        chart.add_series({
            "name": f"='{sheet.name}'!{xl_range_abs(1, place + 1, 1, place + 1)}",
            "categories": f"='{sheet.name}'!{xl_range_abs(2, 0, last, 0)}",
            "values": f"='{sheet.name}'!{xl_range_abs(2, place + 1, last, place + 1)}",
            "line": {"color": ACCENT}, "marker": {"type": "circle", "fill": {"color": ACCENT}},
        })
        title = metric_name(CHAPTER, name)
        chart.set_title({"name": title, "name_font": {"size": 12}})
        every = [value for one in trend if (value := _number(one, name)) is not None]
        chart.set_y_axis({"num_format": number_format(unit, 1000), "name": words.unit(unit),
                          "name_font": {"bold": False}, "major_gridlines": {"visible": True, "line": {"color": RULE}},
                          **({"min": 0} if min(every) >= 0 else {})})
        chart.set_x_axis({"name": words.period(), "name_font": {"bold": False}})
        chart.set_legend({"none": True})
        chart.set_size({"width": 690, "height": 300})
        sheet.insert_chart(last + 2 + 16 * (place // 2), 5 * (place % 2), chart, {"description": title})
    sheet.freeze_panes(2, 1)
    sheet.autofilter(1, 0, last, len(shown))
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&R&P / &N")


def _number(one: Published, name: str) -> float | None:
    value = one.found[name].value if name in one.found else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
