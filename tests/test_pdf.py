"""The printed report, by both printers, read back: contents, footers, links, pictures and rows in one piece."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pypdf
import pytest
from bs4 import BeautifulSoup

from small_report import PICTURES, SHOP, TALL_ROWS, write_report
from workbook.data.errors import WorkbookError
from workbook.data.settings import Settings
from workbook.output import forms, i18n
from workbook.output.forms import book, pdf
from workbook.output.forms import chromium as chromium_printer
from workbook.output.forms.book import bind

CHAPTERS = ("03_profiling", "04_rfm")
TITLES = {"en": "Contents", "zh": "目录"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return write_report(tmp_path_factory.mktemp("printed"))


class Printed(NamedTuple):
    """A report printed and read back."""

    lang: str
    reader: pypdf.PdfReader
    pages: list[str]  # the text of each


@pytest.fixture(scope="module", params=["chromium-zh", "weasyprint-en"])
def printed(request: pytest.FixtureRequest, settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Printed:
    name, lang = request.param.split("-")
    if name == "chromium":
        program = request.getfixturevalue("chromium")
        printer: pdf.Printer = lambda book, file: chromium_printer.print_book(book, file, program)  # noqa: E731
    else:
        if find_spec("weasyprint") is None:
            pytest.skip("WeasyPrint is not installed")
        from workbook.output.forms.weasyprint import print_book as printer
    file = tmp_path_factory.mktemp(name) / "report.pdf"
    pdf.write_pdf(forms.find_report(settings), settings, lang, file, printer=printer)
    reader = pypdf.PdfReader(file)
    return Printed(lang, reader, [page.extract_text() for page in reader.pages])


def outline(printed: Printed) -> dict[str, int]:
    """The page, from 1, of each chapter in the document's outline."""
    own = [entry for entry in printed.reader.outline if not isinstance(entry, list)]
    return {str(entry.title): printed.reader.get_destination_page_number(entry) + 1 for entry in own}


def test_the_contents_name_the_page_that_each_heading_is_on(printed: Printed, settings: Settings) -> None:
    entries = bind(forms.find_report(settings), settings, printed.lang).contents
    assert len(entries) == len(CHAPTERS) * (PICTURES + 2)
    listed = next(page for page in printed.pages if TITLES[printed.lang] in page)
    for entry in entries:
        line = next(line for line in listed.splitlines() if re.match(re.escape(entry.text) + r"\W*\d+$", line.strip()))
        page = int(re.search(r"(\d+)$", line.strip())[1])  # type: ignore[index]
        first = printed.pages.index(listed) + 1  # page after the contents
        shown = [number for number, text in enumerate(printed.pages, start=1)
                 if number > first and closed(entry.text) in [closed(line) for line in text.splitlines()]]
        assert shown[0] == page, line
        if entry.level == 1:
            assert {closed(title): at for title, at in outline(printed).items()}[closed(entry.text)] == page


def closed(text: str) -> str:
    """The text without spaces, which printers set as they like."""
    return re.sub(r"\s", "", text)


def test_every_page_has_its_number_and_the_period(printed: Printed) -> None:
    n = len(printed.pages)
    assert n > 8
    period = {"en": "June 2026", "zh": "2026年6月"}[printed.lang]
    for number, text in enumerate(printed.pages, start=1):
        assert f"{number} / {n}" in text
        assert f"{SHOP} · {period}" in text


def test_the_outline_lists_page_one_contents_and_chapters(printed: Printed) -> None:
    found = outline(printed)
    assert list(found.values()) == sorted(found.values()) and len(found) == 2 + len(CHAPTERS)
    assert next(iter(found.values())) == 1


def test_the_document_is_tagged_in_its_language(printed: Printed) -> None:
    root: Any = printed.reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and "/StructTreeRoot" in root
    assert str(root["/Lang"]) == i18n.HTML_LANGUAGE[printed.lang]


def test_links_lead_to_places_inside(printed: Printed) -> None:
    links = [link.get_object() for page in printed.reader.pages for link in page.get("/Annots", [])]
    inside = [link for link in links if "/URI" not in link.get("/A", {})]
    assert len(inside) >= len(CHAPTERS) * (PICTURES + 2)
    assert not [link for link in links if str(link.get("/A", {}).get("/URI", "")).startswith("file:")]


def test_each_picture_is_drawn_once_and_within_its_page(printed: Printed) -> None:
    drawn: Counter[str] = Counter()
    for number, page in enumerate(printed.reader.pages):
        height = float(page.mediabox.height)

        def note(operator: bytes, operands: Any, matrix: list[float], _text: Any, page: Any = page,
                 number: int = number, height: float = height) -> None:
            if operator != b"Do":
                return
            thing = page["/Resources"]["/XObject"][operands[0]]
            if thing["/Subtype"] == "/Image" and thing["/Width"] > 300:
                bottom, top = sorted((matrix[5], matrix[5] + matrix[3]))
                assert round(bottom) >= 0 and round(top) <= height, f"a picture leaves page {number + 1}"
                drawn[str(number)] += 1

        page.extract_text(visitor_operand_before=note)
    assert drawn.total() == PICTURES * len(CHAPTERS)


def test_no_row_of_a_table_is_cut(printed: Printed) -> None:
    where = {token: number for number, text in enumerate(printed.pages)
             for token in re.findall(r"\d\d_\w+?row\d+[az]", re.sub(r"\s", "", text))}
    cut = [f"{chapter}row{n}" for chapter in CHAPTERS for n in range(TALL_ROWS)
           if where[f"{chapter}row{n}a"] != where[f"{chapter}row{n}z"]]
    assert cut == []
    assert len({where[f"{CHAPTERS[0]}row{n}a"] for n in range(TALL_ROWS)}) > 1, "the table fits one page: nothing shown"


def test_text_can_be_read_out_in_its_language(printed: Printed) -> None:
    said = {"en": "What the customers did, told at length.", "zh": "客户做了什么，这里细细说来。"}[printed.lang]
    text = re.sub(r"\s+", "" if printed.lang == "zh" else " ", "".join(printed.pages))
    assert text.count(said) > 100


# --- what there is to print with -------------------------------------------------------------------


def test_places_are_read_from_the_tree_of_pages() -> None:
    objects = [
        b"<</Type /Page>>", b"<</Type /Page>>", b"<</Type /Page>>", b"<</Type /Pages\n/Kids [3 0 R 1 0 R]>>",
        b"<</Type /Pages\n/Kids [2 0 R 4 0 R]>>",
        b"<</a [1 0 R /XYZ 0 10 0]\n/b#2Dc [2 0 R /XYZ 0 1 0]\n/d [3 0 R /XYZ 0 1 0]>>",
        b"<</Type /Catalog\n/Pages 5 0 R\n/Dests 6 0 R>>",
    ]
    written = b"".join(b"%d 0 obj\n%s\nendobj\n" % (number, body) for number, body in enumerate(objects, start=1))
    assert chromium_printer.pages_of(b"%PDF-1.4\n" + written) == {"a": 3, "b-c": 1, "d": 2}


def test_without_a_printer_the_error_names_both_ways_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(chromium_printer.NAMED, str(tmp_path / "none"))
    monkeypatch.setattr(pdf, "find_spec", lambda name: None)
    with pytest.raises(WorkbookError, match="Nothing here can print") as told:
        pdf.find_printer()
    assert "Chromium" in told.value.way_out and "WeasyPrint" in told.value.way_out


def test_an_old_chromium_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                        program: Callable[..., Path]) -> None:
    monkeypatch.setenv(chromium_printer.NAMED, str(program("echo Chromium 130.0.1")))
    assert chromium_printer.find() is None
    monkeypatch.setenv(chromium_printer.NAMED, str(program("echo Chromium 131.0.1")))
    assert chromium_printer.find() is not None


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., Path]:
    """`program("echo Chromium 140")`: a script that stands in for a browser."""

    def write(script: str) -> Path:
        file = tmp_path / "chromium"
        file.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        file.chmod(0o755)
        return file

    return write


def test_a_form_that_fails_leaves_the_report_and_the_other_forms(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, program: Callable[..., Path],
) -> None:
    folder = forms.find_report(settings)
    pages = {path: path.read_bytes() for path in folder.rglob("*.html")}
    monkeypatch.setenv(chromium_printer.NAMED, str(program("echo Chromium 140.0; echo no display >&2")))
    attempts = forms.add(folder, settings, forms.FORMS)
    assert [(attempt.form, attempt.ok) for attempt in attempts] == [
        ("pdf", False), ("pdf", False), ("excel", True), ("excel", True)]
    assert "no display" in attempts[0].error
    assert not list(folder.rglob("*.pdf")) and len(list(folder.rglob("*.xlsx"))) == 2
    assert not [path for path in pages if not path.exists()]
    assert forms.there(folder) == ("excel",)


def test_a_report_that_is_not_there_is_told(settings: Settings) -> None:
    assert forms.find_report(settings).name == "2026-06"
    assert forms.find_report(settings, "2026-05").name == "2026-05"
    with pytest.raises(WorkbookError, match="2026-07"):
        forms.find_report(settings, "2026-07")


def test_links_of_the_book_lead_into_it_or_nowhere(settings: Settings) -> None:
    from bs4 import BeautifulSoup

    soup = BeautifulSoup(bind(forms.find_report(settings), settings, "en").html({}), "html.parser")
    ids = [tag["id"] for tag in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    inside = [str(link["href"]) for link in soup.find_all("a", href=True)]
    assert [href for href in inside if href.startswith("#") and href[1:] not in ids] == []
    assert [href for href in inside if not href.startswith(("#", "http"))] == []
    assert soup.find_all("img") and not soup.find_all("img", loading=True)
    assert book.CONTENTS not in str(soup)


def test_pages_lead_to_the_forms_that_there_are(settings: Settings) -> None:
    from bs4 import BeautifulSoup

    folder = forms.find_report(settings, "2026-05")
    forms.add(folder, settings, ["excel"])
    for name in ("en/index.html", "zh/04_rfm.html", "en/figures/04_rfm.html"):
        path = folder / name
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        named = [str(link["href"]) for link in soup.select("header nav a")]
        leading = [path.parent / href for href in named if href.endswith((".xlsx", ".pdf"))]
        assert [target.name for target in leading if target.exists()] == ["report.xlsx"] == [x.name for x in leading]


@pytest.mark.parametrize(("end", "kept"), [("<p>Next: clusters</p>", True), ("<p>x</p><table></table>", False)])
def test_a_short_last_section_stays_with_the_one_before_it(end: str, kept: bool) -> None:
    html = f"<article><h2>Ideas</h2><p>a</p><h2>Sources</h2><ul><li>b</li></ul><h2>Up next</h2>{end}</article>"
    part = BeautifulSoup(html, "html.parser")
    book._keep_end_together(part)
    together = part.select_one(".book-end")
    assert (together is not None) == kept
    assert part.get_text() == BeautifulSoup(html, "html.parser").get_text()
    if together is not None:
        assert [tag.name for tag in together.find_all(True, recursive=False)] == ["ul", "h2", "p"]
