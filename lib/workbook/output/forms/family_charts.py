"""The families of a chapter's figures, under its table: the members side by side, and Excel's own chart of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from xlsxwriter import Workbook
from xlsxwriter.chart import Chart
from xlsxwriter.utility import xl_range_abs
from xlsxwriter.worksheet import Worksheet

from workbook.data.findings import Finding
from workbook.output.forms.formats import ACCENT, Formats, number_format
from workbook.output.page import metric_name
from workbook.output.words import forms as words

CHART_ROWS, ROW_PIXELS, CHART_WIDTH = 16, 20, 680
BESIDE = 3  # the column at which a chart begins: label, value and value before stand in front of it


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


class Members(NamedTuple):
    """The members of a family that this report has."""

    title: str
    unit: str
    labels: list[str]
    values: list[float]
    before: list[float | None]  # empty where the family has none


def found(chapter: str, findings: Mapping[str, Finding]) -> list[Members]:
    """The families of a chapter with two members or more."""
    every = (_members(chapter, family, findings) for family in FAMILIES)
    return [members for members in every if members is not None]


def _members(chapter: str, family: Family, findings: Mapping[str, Finding]) -> Members | None:
    names = [name for name, finding in findings.items()
             if re.fullmatch(family.pattern, name) and not name.endswith("_before") and _number(finding) is not None]
    if len(names) < 2:
        return None
    title, labels = common(names, [metric_name(chapter, name) for name in names])
    before = [_number(findings.get(f"{name}_before")) for name in names] if family.before else []
    return Members(title, findings[names[0]].unit, labels, [_number(findings[name]) or 0.0 for name in names],
                   before if any(value is not None for value in before) else [])


def write_families(
    workbook: Workbook, sheet: Worksheet, row: int, families: list[Members], formats: Formats, *, rows_a_page: int,
) -> None:
    """Write the families one under another from a row on; on paper each stays whole, beginning on a page of their own.

    Args:
        rows_a_page: that fit on a printed page.
    """
    breaks, top = [row], row
    for members in families:
        if row > top and row + rows_of(members) - top > rows_a_page:
            breaks.append(row)
            top = row
        _write(workbook, sheet, row, members, formats)
        row += rows_of(members) + 2
    if families:
        sheet.set_h_pagebreaks(breaks)


def rows_of(members: Members) -> int:
    """The rows that a family's table and chart take."""
    return max(CHART_ROWS, 5 + len(members.labels) * (2 if members.before else 1))


def _write(workbook: Workbook, sheet: Worksheet, row: int, members: Members, formats: Formats) -> None:
    """A small table of the members and a chart beside it."""
    series = [words.now(), *([words.before()] if members.before else [])]
    heads = formats.heads("t" + "n" * len(series))
    for column, (text, look) in enumerate(zip([members.title, *series], heads, strict=True)):
        sheet.write_string(row, column, text, look)
    for at, label in enumerate(members.labels):
        sheet.write_string(row + 1 + at, 0, label, formats.of())
        formats.value(sheet, row + 1 + at, 1, members.values[at], members.unit)
        if members.before:
            formats.value(sheet, row + 1 + at, 2, members.before[at], members.unit)
    chart = _chart(workbook, sheet, row, members, series)
    chart.set_size({"width": CHART_WIDTH, "height": rows_of(members) * ROW_PIXELS})
    sheet.insert_chart(row, BESIDE, chart, {"description": f"{members.title}: {', '.join(members.labels)}",
                                            "x_offset": 14, "y_offset": 2})


def _chart(workbook: Workbook, sheet: Worksheet, row: int, members: Members, series: list[str]) -> Chart:
    last = row + len(members.labels)
    look = number_format(members.unit, members.values[0])
    chart = workbook.add_chart({"type": "bar"})
    for place, text in enumerate(series, start=1):
        chart.add_series({
            "name": text, "categories": f"='{sheet.name}'!{xl_range_abs(row + 1, 0, last, 0)}",
            "values": f"='{sheet.name}'!{xl_range_abs(row + 1, place, last, place)}",
            "fill": {"color": ACCENT} if place == 1 else {"color": "#FFFFFF"},
            "border": {"color": ACCENT}, "gap": 60, "data_labels": {"value": True, "num_format": look},
        })
    chart.set_title({"name": members.title, "name_font": {"size": 12}})
    chart.set_y_axis({"reverse": True, "label_position": "low", "major_tick_mark": "none"})
    chart.set_x_axis({"num_format": number_format(members.unit, 1000), "major_gridlines": {"visible": False},
                      "name": words.unit(members.unit), "name_font": {"bold": False}, "label_position": "high",
                      "line": {"none": True}, "major_tick_mark": "none"})
    if len(series) == 1:
        chart.set_legend({"none": True})
    else:
        chart.set_legend({"position": "top"})
    return chart


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


def _number(finding: Finding | None) -> float | None:
    value = finding.value if finding is not None else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
