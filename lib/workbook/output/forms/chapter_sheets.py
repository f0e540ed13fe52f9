"""The sheet of a chapter: its findings as a table, and beside them the families of figures as Excel's own charts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from xlsxwriter import Workbook
from xlsxwriter.utility import xl_range_abs
from xlsxwriter.worksheet import Worksheet

from workbook.data.findings import Finding
from workbook.data.metrics import METRICS
from workbook.output import i18n
from workbook.output.forms.formats import ACCENT, Formats, number_format
from workbook.output.forms.report import Said
from workbook.output.i18n import _
from workbook.output.page import metric_name, shown
from workbook.output.words import forms as words

HEAD = 3  # the row of the table's header
WIDTHS = (44, 15, 12, 13, 13, 10, 13, 70, 30)
BESIDE = len(WIDTHS) + 1  # the first column of the charts' figures
CHART_ROWS = 20


class Family(NamedTuple):
    """Findings that are read together, one for each member of a whole."""

    pattern: str  # of their names; the member is its group
    before: bool = False  # whether each has a finding of the period before


FAMILIES = (
    Family(r"change_(\w+)"), Family(r"lifecycle_(\w+)"), Family(r"quality_(\w+)"),
    Family(r"segment_(\w+)_revenue_share"), Family(r"segment_(\w+)_customers", before=True), Family(r"response_(\w+)"),
    Family(r"group_(\w)_revenue_share"), Family(r"group_(\w)_customers", before=True),
    Family(r"scorecard_(\w+)_captured"), Family(r"roll_rate_(\w+)"),
)


def write_chapter(
    workbook: Workbook, sheet: Worksheet, said: Said, findings: Mapping[str, Finding], formats: Formats,
) -> None:
    """Fill the sheet of a chapter."""
    for column, width in enumerate(WIDTHS):
        sheet.set_column(column, column, width)
    sheet.write_string(0, 0, said.title, formats.title)
    sheet.set_row(0, 26)
    sheet.write_string(1, 0, said.sentence, formats.of())
    sheet.write_url(2, 0, f"internal:'{words.front()}'!A1", formats.link, words.back())
    _table(sheet, said.chapter, findings, formats)
    row = HEAD
    for family in FAMILIES:
        row = _family(workbook, sheet, row, said.chapter, family, findings, formats)
    sheet.freeze_panes(HEAD + 1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(HEAD)
    sheet.print_area(0, 0, HEAD + len(findings), len(WIDTHS) - 1)
    sheet.set_footer("&L&A&R&P / &N")


def _table(sheet: Worksheet, chapter: str, findings: Mapping[str, Finding], formats: Formats) -> None:
    columns = [{"header": text, "header_format": formats.head} for text in words.finding_columns()]
    sheet.add_table(HEAD, 0, HEAD + len(findings), len(columns) - 1, {
        "columns": columns, "name": f"findings_{chapter[:2]}", "style": "Table Style Light 1"})
    for row, (name, finding) in enumerate(findings.items(), start=HEAD + 1):
        metric = METRICS.get(f"{chapter}.{name}")
        sheet.write_string(row, 0, metric_name(chapter, name), formats.text)
        formats.value(sheet, row, 1, shown(finding) if finding.value is None else finding.value, finding.unit)
        sheet.write_string(row, 2, words.unit(finding.unit), formats.text)
        formats.value(sheet, row, 3, finding.low, finding.unit)
        formats.value(sheet, row, 4, finding.high, finding.unit)
        formats.value(sheet, row, 5, finding.n, "rows")
        sheet.write_string(row, 6, words.grade(finding.evidence), formats.text)
        sheet.write_string(row, 7, _(metric.definition) if metric else "", formats.note)
        sheet.write_string(row, 8, f"{chapter}.{name}", formats.note)


def _family(
    workbook: Workbook, sheet: Worksheet, row: int, chapter: str, family: Family, findings: Mapping[str, Finding],
    formats: Formats,
) -> int:
    """A small table of the family's figures and a chart of it; returns the row below. Nothing for fewer than two."""
    names = [name for name, finding in findings.items()
             if re.fullmatch(family.pattern, name) and not name.endswith("_before") and _is_number(finding.value)]
    if len(names) < 2:
        return row
    title, labels = common(names, [metric_name(chapter, name) for name in names])
    unit = findings[names[0]].unit
    series = [words.now(), *([words.before()] if family.before else [])]
    for column, text in enumerate([title, *series], start=BESIDE):
        sheet.write_string(row, column, text, formats.head)
    for at, (name, label) in enumerate(zip(names, labels, strict=True), start=row + 1):
        sheet.write_string(at, BESIDE, label, formats.text)
        formats.value(sheet, at, BESIDE + 1, findings[name].value, unit)
        if family.before and f"{name}_before" in findings:
            formats.value(sheet, at, BESIDE + 2, findings[f"{name}_before"].value, unit)
    sheet.set_column(BESIDE, BESIDE, 30)
    sheet.set_column(BESIDE + 1, BESIDE + 2, 13)
    last = row + len(names)
    chart = workbook.add_chart({"type": "bar"})
    for place, text in enumerate(series, start=1):
        chart.add_series({
            "name": text, "categories": f"='{sheet.name}'!{xl_range_abs(row + 1, BESIDE, last, BESIDE)}",
            "values": f"='{sheet.name}'!{xl_range_abs(row + 1, BESIDE + place, last, BESIDE + place)}",
            "fill": {"color": ACCENT} if place == 1 else {"none": True},
            "border": {"color": ACCENT}, "gap": 60,
            "data_labels": {"value": True, "num_format": number_format(unit, findings[names[0]].value)},
        })
    chart.set_title({"name": title, "name_font": {"size": 12}})
    chart.set_y_axis({"reverse": True, "label_position": "low"})
    chart.set_x_axis({"num_format": number_format(unit, 1000), "major_gridlines": {"visible": False},
                      "name": words.unit(unit)})
    if len(series) == 1:
        chart.set_legend({"none": True})
    chart.set_size({"width": 620, "height": max(CHART_ROWS, 2 + len(names) * 2) * 20})
    alternative = i18n.NOTHING if not labels else f"{title}: {', '.join(labels)}"
    sheet.insert_chart(row, BESIDE + 4, chart, {"description": alternative})
    return row + max(CHART_ROWS, 2 + len(names) * 2) + 2


def common(names: list[str], titles: list[str]) -> tuple[str, list[str]]:
    """What all titles share, and what each has of its own.

    >>> common(["a", "b"], ["Stage: new", "Stage: lost"])
    ('Stage', ['new', 'lost'])
    >>> common(["a", "b"], ["Loyal: share of revenue", "New: share of revenue"])
    ('share of revenue', ['Loyal', 'New'])
    """
    start = _to_edge(titles)
    rest = [title[len(start):] for title in titles]
    end = _to_edge([title[::-1] for title in rest])[::-1]
    own = [title[:len(title) - len(end)] for title in rest]
    shared = " ".join(part.strip(" :：,，") for part in (start, end) if part.strip(" :：,，"))
    if not shared or not all(text.strip() for text in own):
        return names[0].replace("_", " "), titles
    return shared, [text.strip(" :：,，") for text in own]


def _to_edge(titles: list[str]) -> str:
    """What the titles begin with alike, up to its last separator, so that no word is cut."""
    alike = 0
    while len({title[:alike + 1] for title in titles}) == 1 and alike < len(titles[0]):
        alike += 1
    found = re.match(r".*[ :：,，]", titles[0][:alike])
    return found.group() if found else ""


def _is_number(x: object) -> bool:
    return isinstance(x, int | float) and not isinstance(x, bool)
