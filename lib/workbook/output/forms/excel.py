"""The report of a language as one Excel workbook: a front sheet, a sheet a chapter, and the chapters' tables.

Equal input makes equal bytes: the document bears the report's date, not the day on which it was written.
"""

from __future__ import annotations

import json
import os
from datetime import datetime, time
from pathlib import Path

from bs4 import BeautifulSoup, Tag
from xlsxwriter import Workbook

from workbook.data import periods
from workbook.data.findings import read_findings
from workbook.data.publications import first_published
from workbook.data.settings import Settings
from workbook.output import i18n
from workbook.output.forms.chapter_sheets import write_chapter
from workbook.output.forms.formats import Formats
from workbook.output.forms.front_sheet import write_front
from workbook.output.forms.report import Report, Said, Sheet, trust_of
from workbook.output.forms.table_sheets import read_csv, write_table
from workbook.output.forms.trend_sheet import published, write_trend
from workbook.output.words import forms as words

JOINER = "\u2060"  # spreadsheets draw it as a bar
TEXT_STAYS_TEXT = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}


def write_excel(folder: Path, settings: Settings, lang: str, file: Path) -> None:
    """Write the workbook of a rendered report in one of its languages."""
    i18n.use(lang, settings.currency)
    report = gather(folder, settings, lang)
    draft = file.with_name(f".{file.name}")
    try:
        with Workbook(str(draft), {**TEXT_STAYS_TEXT, "in_memory": True}) as workbook:
            workbook.set_properties({"title": report.title, "author": report.shop, "comments": words.made_by(),
                                     "created": datetime.combine(report.period.end, time(12))})
            _write_sheets(workbook, report, settings)
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def gather(folder: Path, settings: Settings, lang: str) -> Report:
    """What the sheets are made of: findings, tables, and the sentences of the pages."""
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    period = periods.period_of(record["period"], settings.period)
    front = _main(folder / lang / "index.html")
    said = [
        Said(outcome["chapter"], _heading(page), _text(page.select_one("p.verdict, .wb-warning")))
        for outcome in record["outcomes"]
        if (folder / lang / f"{outcome['chapter']}.html").exists()
        and (page := _main(folder / lang / f"{outcome['chapter']}.html"))
    ]
    tables = tuple(sorted((folder / "tables").glob("*.csv")))
    return Report(record["shop"], words.title(record["shop"], period), period, _text(front.select_one(".verdict")),
                  trust_of(front), tuple(said), read_findings(folder / "findings.json"),
                  first_published(settings, period.previous().label), tables)


def _main(path: Path) -> Tag:
    main = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").find("main")
    if not isinstance(main, Tag):
        raise ValueError(f"{path} has no main part")
    return main


def _heading(page: Tag) -> str:
    for number in page.select("h1 .number"):
        number.decompose()
    return _text(page.find("h1"))


def _text(tag: object) -> str:
    """The words of a tag, without the joiners that keep a sign and its number on one line of a page."""
    return " ".join(tag.get_text(" ", strip=True).replace(JOINER, "").split()) if isinstance(tag, Tag) else ""


def _write_sheets(workbook: Workbook, report: Report, settings: Settings) -> None:
    """Front first, so that it is the one that opens; its list of sheets needs the names of all others."""
    formats = Formats(workbook)
    trend = published(settings, report)
    read = [(path, read_csv(path)) for path in report.tables]
    tables = [(path, table) for path, table in read if table.rows]
    chapters = [said for said in report.said if report.findings.get(said.chapter)]
    sheets = [
        *([Sheet(words.trend(), words.trend_about(len(trend)))] if len(trend) > 1 else []),
        *(Sheet(said.sheet, said.sentence or said.title) for said in chapters),
        *(Sheet(path.stem[:31], words.table_about(table.rows, table.cut)) for path, table in tables),
    ]
    write_front(workbook.add_worksheet(words.front()), report, settings, formats, sheets)
    if len(trend) > 1:
        write_trend(workbook, workbook.add_worksheet(words.trend()), trend, formats)
    for said in chapters:
        write_chapter(workbook, workbook.add_worksheet(said.sheet), said, report.findings[said.chapter], formats)
    for path, table in tables:
        write_table(workbook.add_worksheet(path.stem[:31]), path.name, table, formats)
