"""The sheet of a chapter: its findings as a table, and under it the families of figures as Excel's own charts."""

from __future__ import annotations

from collections.abc import Mapping

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from workbook.data.findings import Finding
from workbook.data.metrics import METRICS
from workbook.output.forms import family_charts
from workbook.output.forms.formats import Formats, text_width
from workbook.output.forms.report import Said
from workbook.output.i18n import _
from workbook.output.page import metric_name, shown
from workbook.output.words import forms as words

HEAD = 3  # the row of the table's header
WIDTHS = (44, 18, 14, 17, 17, 11, 14, 62)
HEADS = "tnannnatt"  # text or numbers, by column
LONGEST_KEY = 60
PAPER_WIDTH, PAPER_HEIGHT = 900, 620  # pixels of an A4 page on its side within its margins, some to spare


def write_chapter(
    workbook: Workbook, sheet: Worksheet, said: Said, findings: Mapping[str, Finding], formats: Formats,
) -> None:
    """Fill the sheet of a chapter."""
    keys = max((text_width(f"{said.chapter}.{name}") for name in findings), default=0)
    widths = [*WIDTHS, min(keys + 3, LONGEST_KEY)]
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.write_string(0, 0, said.title, formats.title)
    sheet.set_row(0, 28)
    sheet.write_string(1, 0, said.sentence, formats.of())
    sheet.write_url(2, 0, f"internal:'{words.front()}'!A1", formats.link, words.back())
    _table(sheet, said.chapter, findings, formats)
    families = family_charts.found(said.chapter, findings)
    below = HEAD + len(findings) + 3
    if families:
        sheet.write_url(2, 1, f"internal:'{sheet.name}'!A{below + 1}", formats.link, words.charts_below(len(families)))
    scale = int(100 * PAPER_WIDTH / sum(7 * width + 5 for width in widths))
    family_charts.write_families(workbook, sheet, below, families, formats,
                                 rows_a_page=int(100 * PAPER_HEIGHT / scale / family_charts.ROW_PIXELS))
    sheet.freeze_panes(HEAD + 1, 1)
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.6)
    sheet.set_print_scale(scale)  # by which all columns fit; "fit to page" would overrule the breaks between charts
    sheet.repeat_rows(HEAD)
    sheet.set_footer("&L&A&R&P / &N")


def _table(sheet: Worksheet, chapter: str, findings: Mapping[str, Finding], formats: Formats) -> None:
    columns = [{"header": text, "header_format": look}
               for text, look in zip(words.finding_columns(), formats.heads(HEADS), strict=True)]
    sheet.add_table(HEAD, 0, HEAD + len(findings), len(columns) - 1, {
        "columns": columns, "name": f"findings_{chapter[:2]}", "style": "Table Style Light 1"})
    sheet.set_row(HEAD, formats.height(zip(words.finding_columns(), WIDTHS, strict=False)))
    for row, (name, finding) in enumerate(findings.items(), start=HEAD + 1):
        _finding(sheet, row, chapter, name, finding, formats)


def _finding(sheet: Worksheet, row: int, chapter: str, name: str, finding: Finding, formats: Formats) -> None:
    metric = METRICS.get(f"{chapter}.{name}")
    label, about = metric_name(chapter, name), _(metric.definition) if metric else ""
    value = shown(finding) if finding.value is None else finding.value
    sheet.write_string(row, 0, label, formats.text)
    formats.value(sheet, row, 1, value, finding.unit)
    sheet.write_string(row, 2, words.unit(finding.unit), formats.after_number)
    formats.value(sheet, row, 3, finding.low, finding.unit)
    formats.value(sheet, row, 4, finding.high, finding.unit)
    formats.value(sheet, row, 5, finding.n, "rows")
    sheet.write_string(row, 6, words.grade(finding.evidence), formats.after_number)
    sheet.write_string(row, 7, about, formats.note)
    sheet.write_string(row, 8, f"{chapter}.{name}", formats.quiet)
    written = value if isinstance(value, str) and finding.unit != "date" else ""
    sheet.set_row(row, formats.height([(label, WIDTHS[0]), (written, WIDTHS[1]), (about, WIDTHS[7])]))
