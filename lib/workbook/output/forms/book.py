"""The whole report of a language as one HTML page, to be printed: page one, contents, every chapter.

It is put together from the pages that readers see, so that a printed report says what they say.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bs4 import BeautifulSoup, Tag

from workbook.data import periods
from workbook.data.settings import Settings
from workbook.output import i18n
from workbook.output.charts.style import packaged_font
from workbook.output.words import forms as words

STYLE = Path(__file__).with_name("print.css")
SHORT_TABLE = 16  # rows; one that is no longer stays on one page
LONG = ("table", "img", "svg", "section")  # what takes much of a page
REFERS = ("aria-labelledby", "aria-describedby", "aria-controls", "for", "headers")


@dataclass(frozen=True)
class Entry:
    """A line of the contents."""

    place: str  # id of the heading
    text: str
    level: int  # 1 a chapter, 2 a section of it


@dataclass(frozen=True)
class Book:
    """A report ready to be printed."""

    lang: str
    title: str  # shop and period
    body: str
    contents: tuple[Entry, ...]
    style: str

    def html(self, numbers: dict[str, int] | None = None) -> str:
        """The page; `numbers` are the page numbers of the contents, by place; a printer may fill them in itself."""
        return (
            f'<!DOCTYPE html>\n<html lang="{i18n.HTML_LANGUAGE[self.lang]}"><head><meta charset="utf-8">'
            f"<title>{escape(self.title)}</title><style>{self.style}</style></head><body>"
            f"{self.body.replace(CONTENTS, _contents(self.contents, numbers))}</body></html>"
        )


CONTENTS = "<!-- contents -->"


def bind(folder: Path, settings: Settings, lang: str) -> Book:
    """Put the pages of a report together.

    Args:
        folder: the report, its pages written.
    """
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    i18n.use(lang, settings.currency)
    title = words.title(record["shop"], periods.period_of(record["period"], settings.period))
    names = [o["chapter"] for o in record["outcomes"] if (folder / lang / f"{o['chapter']}.html").exists()]
    first = _read(folder / lang / "index.html")
    parts = [("index", first.find("main")), *((name, _read(folder / lang / f"{name}.html").main) for name in names)]
    for name, part in parts:
        _make_own(part, name, names)
    index, *chapters = [part.decode_contents() for _name, part in parts]
    opened = f'<section class="book-first index"><p class="book-shop">{escape(title)}</p>{index}</section>{CONTENTS}'
    bound = "".join(f'<section class="book-chapter">{chapter}</section>' for chapter in chapters)
    entries = tuple(entry for name, part in parts[1:] for entry in _entries(name, part))
    return Book(lang, title, opened + bound, entries, _style(first, title))


def _read(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def _make_own(part: Tag, name: str, names: list[str]) -> None:
    """Ids that no other chapter has; links that lead into the book, or nowhere; pictures that load at once."""
    for cell in part.select("[id^='cell-id=']"):
        del cell["id"]
    for tag in part.find_all(id=True):
        tag["id"] = f"{name}-{tag['id']}"
    for tag in part.find_all(True):
        for attribute in REFERS:
            if tag.get(attribute):
                listed = tag[attribute] if isinstance(tag[attribute], list) else str(tag[attribute]).split()
                tag[attribute] = " ".join(f"{name}-{place}" for place in listed)
    for heading in part.find_all("h1", limit=1):
        heading["id"] = name
    for link in part.find_all("a", href=True):
        _lead(link, name, names)
    for picture in part.find_all("img"):
        picture.attrs.pop("loading", None)
    for chapters in part.select(".chapters"):
        begins = chapters.find_previous_sibling("h2") or chapters
        begins["class"] = ["book-list", *begins.get("class", [])]
    if name != "index":
        _keep_end_together(part)
    for box in part.select(".wb-table[tabindex]"):
        del box["tabindex"]
    for table in part.find_all("table"):
        if len(table.find_all("tr")) <= SHORT_TABLE:
            table["class"] = "book-short"


def _keep_end_together(part: Tag) -> None:
    """A short last section with what stands before it: two lines of their own would leave a page empty."""
    heading = next(iter(part.find_all("h2")[-1:]), None)
    before = heading.find_previous_sibling() if heading is not None else None
    if not isinstance(before, Tag):
        return
    rest = [before, *before.find_next_siblings()]
    if any(tag.name in LONG or tag.find(LONG) for tag in rest):
        return
    end = Tag(name="div", attrs={"class": "book-end"})
    before.insert_before(end)
    for tag in rest:
        end.append(tag.extract())


def _lead(link: Tag, name: str, names: list[str]) -> None:
    page, _hash, place = str(link["href"]).partition("#")
    if re.match(r"[a-z]+:", page):
        return
    target = page.removesuffix(".html") or name
    if target in {"index", *names} and page == Path(page).name:
        link["href"] = f"#{target}-{place}" if place else f"#{target}"
    else:
        link.unwrap()  # a file beside the report, which the printed one does not have


def _entries(name: str, part: Tag) -> list[Entry]:
    head = part.find("h1")
    sections = [heading for heading in part.find_all("h2") if heading.get("id")]
    return [Entry(name, _plain(head), 1), *(Entry(str(h["id"]), _plain(h), 2) for h in sections)]


def _plain(tag: Tag | None) -> str:
    return " ".join(tag.get_text(" ", strip=True).split()) if tag else ""


def _contents(entries: tuple[Entry, ...], numbers: dict[str, int] | None) -> str:
    """Chapters, and under each its sections; a printer that counts by itself gets no numbers."""
    lines = []
    for entry in entries:
        number = "" if numbers is None else f'<span class="book-page">{numbers.get(entry.place, 0) or "…"}</span>'
        lines.append(f'<li class="book-level-{entry.level}"><a href="#{entry.place}">'
                     f'<span class="book-text">{escape(entry.text)}</span>{number}</a></li>')
    return (f'<nav class="book-contents" aria-label="{escape(words.contents())}">'
            f'<h1 id="contents">{escape(words.contents())}</h1><ol>{"".join(lines)}</ol></nav>')


def _style(page: BeautifulSoup, title: str) -> str:
    """The pages' own style, and what paper needs; the packaged Chinese face where the machine has none."""
    own = "\n".join(tag.get_text() for tag in page.find_all("style"))
    font = packaged_font()
    face = f'@font-face {{ font-family: "Workbook Chinese"; src: url("{font.as_uri()}"); }}\n' if font else ""
    title = title.replace("\\", "").replace('"', "”").replace("\n", " ").replace("<", "‹")
    return f'{face}{own}\n{STYLE.read_text(encoding="utf-8")}\n@page {{ @bottom-left {{ content: "{title}"; }} }}'
