"""Everybody can read the report: axe-core's rules, the keyboard, pictures in words, no network, and paper.

The pages are those of the report that WORKBOOK_RENDERED names, or of a small one made here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from small_report import write_report
from workbook.data.settings import Settings, load_settings
from workbook.output.forms.book import bind

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = (1280, 390)
REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered report."""
    made = os.environ.get("WORKBOOK_RENDERED")
    return Path(made) if made else write_report(tmp_path_factory.mktemp("seen")).reports_folder / "2026-06"


@pytest.fixture(scope="module")
def settings(folder: Path) -> Settings:
    own = folder.parents[1] / "workbook.yaml"
    return load_settings(own if own.exists() else REPOSITORY / "workbook.yaml")


def pages(folder: Path, lang: str) -> Iterator[Path]:
    """Every page of a language: first page, chapters, what lies behind their figures, and the list of periods."""
    yield from sorted((folder / lang).rglob("*.html"))
    yield from sorted(folder.parent.glob(f"{lang}.html"))


@pytest.fixture
def open_page(same_browser: Any) -> Iterator[Any]:
    """`open_page(path, width)`: a page in a browser that has no network; asking for anything else is noted."""
    context = same_browser.new_context(offline=True)
    opened = context.new_page()
    asked: list[str] = []
    opened.on("request", lambda request: asked.append(request.url[:80]) if not _is_here(request.url) else None)

    def show(path: Path, width: int = 1280) -> Any:
        opened.set_viewport_size({"width": width, "height": 900})
        opened.goto(path.as_uri())
        return opened

    yield show
    context.close()
    assert asked == []


def _is_here(url: str) -> bool:
    return url.startswith(("file:", "data:", "about:"))


# What follows the first of many alike says nothing new, and axe looks at each cell.
REPEATED = """document.querySelectorAll(
    "tbody tr:nth-child(n+6), .entry:nth-of-type(n+8), .way:nth-of-type(n+6)").forEach(
    e => { if (!e.querySelector("[id]") && !e.id.startsWith("way")) e.remove(); })"""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_axe_finds_no_violation_of_wcag(lang: str, folder: Path, open_page: Any) -> None:
    """Each page in both languages; at one width in the first, at the other in the second, turn and turn about."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed").Axe()
    faults = []
    for number, path in enumerate(pages(folder, lang)):
        width = WIDTHS[(number + (lang == "zh")) % 2]
        opened = open_page(path, width)
        opened.evaluate(REPEATED)
        found = axe.run(opened, options={"runOnly": RULES, "resultTypes": ["violations"]}).response
        faults += [f"{lang}/{path.name} at {width}: {fault['id']}, {fault['nodes'][0]['html'][:120]}"
                   for fault in found["violations"]]
    assert faults == []


def test_axe_finds_a_fault_that_is_put_in(folder: Path, open_page: Any) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-core is not installed").Axe()
    opened = open_page(folder / "en" / "index.html")
    opened.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"data:,\"><p "
                    "style=\"color:#bbb\">pale</p>')")
    found = axe.run(opened, options={"runOnly": RULES, "resultTypes": ["violations"]}).response["violations"]
    assert {fault["id"] for fault in found} == {"image-alt", "color-contrast"}


SCROLLING = """[...document.querySelectorAll("main *")].filter(e => e.scrollWidth > e.clientWidth + 1
    && ["auto", "scroll"].includes(getComputedStyle(e).overflowX))"""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_what_scrolls_sideways_on_a_telephone_is_reached_by_the_keyboard(
    lang: str, folder: Path, open_page: Any,
) -> None:
    boxes = 0
    for path in pages(folder, lang):
        opened = open_page(path, 390)
        assert opened.evaluate("document.documentElement.scrollWidth") <= 390, path.name
        out_of_reach = opened.evaluate(f"{SCROLLING}.filter(e => e.tabIndex < 0).map(e => e.outerHTML.slice(0, 80))")
        assert out_of_reach == [], path.name
        boxes += opened.evaluate(f"{SCROLLING}.length")
    assert boxes > 3


def test_a_wide_picture_scrolls_under_the_arrow_keys(folder: Path, open_page: Any) -> None:
    opened = open_page(folder / "en" / "03_profiling.html", 390)
    opened.evaluate(f"{SCROLLING}[0].focus()")
    opened.keyboard.press("ArrowRight")
    opened.wait_for_function(f"{SCROLLING}[0].scrollLeft > 0", timeout=5000)


def test_the_first_key_leads_past_the_head_of_the_page(folder: Path, open_page: Any) -> None:
    opened = open_page(folder / "zh" / "index.html")
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.getBoundingClientRect().left >= 0")
    opened.keyboard.press("Enter")
    assert opened.evaluate("document.querySelector('main' + location.hash) !== null && location.hash !== ''")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_picture_shows_without_a_network(lang: str, folder: Path, open_page: Any) -> None:
    shown = 0
    for path in pages(folder, lang):
        widths = open_page(path).evaluate("""Promise.all([...document.images].map(
            async i => { i.loading = "eager"; await i.decode(); return i.naturalWidth; }))""")
        assert all(width > 100 for width in widths), path.name
        shown += len(widths)
    assert shown >= 10


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_pictures_are_told_from_their_data(lang: str, folder: Path) -> None:
    """What it shows, and figures, in the page's language."""
    for path in pages(folder, lang):
        soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        told = [str(image.get("alt", "")) for image in soup.find_all("img")]
        assert [text for text in told if not re.search(r"\d", text)] == [], path.name
        assert [text for text in told if (lang == "zh") != bool(re.search(r"[\u4e00-\u9fff]", text))] == [], path.name
        drawings = soup.select("main svg:not([aria-hidden=true])")
        assert [str(svg)[:80] for svg in drawings if not (svg.get("aria-label") or svg.find("title"))] == [], path.name


TOO_WIDE = """[...document.querySelectorAll("body *")].filter(e => !e.closest(".unseen")
    && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""
PAPER = 672  # the width of an A4 page between its margins, in CSS pixels


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_wider_than_the_paper(lang: str, folder: Path, settings: Settings, same_browser: Any) -> None:
    opened = same_browser.new_page(viewport={"width": PAPER, "height": 900})
    opened.emulate_media(media="print")
    opened.set_content(bind(folder, settings, lang).html({}))
    assert opened.evaluate("document.images.length") >= 10
    assert opened.evaluate(TOO_WIDE) == []
    opened.evaluate("document.querySelector('table').style.width = '900px'")
    opened.evaluate("document.querySelector('table').style.maxWidth = 'none'")
    assert opened.evaluate(TOO_WIDE) != []
