"""An executed notebook as a reader sees it: HTML without code, its headings as contents, its cards as of now."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter
from nbformat import v4

from workbook.data.provenance import KIND
from workbook.output.pages.reachable import make_reachable

TRAINING = "training"
Card = Callable[[str, str], str | None]  # chapter, finding → its card, or None to leave the notebook's own
_prepared: dict[tuple[Path, int], BeautifulSoup] = {}  # notebooks read ahead; each is used up by its page


@dataclass(frozen=True)
class Body:
    """A notebook as HTML without its code, and its headings: (id, text)."""

    html: str
    contents: list[tuple[str, str]]
    anchors: tuple[str, ...] = ()  # chapter.finding of each card that can be linked to


def body_of(path: Path, card: Card) -> Body:
    """The notebook's page.

    Args:
        card: makes each card anew, since what it is compared with may be found later in the notebook, or published
            after it ran.
    """
    if not path.exists():
        return Body("", [])
    soup = _prepared.pop(_edition(path), None) or _read(path)
    anchors = _renew_cards(soup, card)
    make_reachable(soup)
    contents = []
    for number, heading in enumerate(soup.find_all("h2"), start=1):
        heading["id"] = f"section-{number}"
        contents.append((heading["id"], heading.get_text(strip=True)))
    return Body(str(soup), contents, anchors)


def read_ahead(path: Path) -> None:
    """Read a notebook ahead, while others still run: `body_of` then has its cards alone to make."""
    _prepared[_edition(path)] = _read(path)


def _edition(path: Path) -> tuple[Path, int]:
    """A notebook as it stands: a later run of it writes another."""
    return path, path.stat().st_mtime_ns


def _read(path: Path) -> BeautifulSoup:
    """The notebook as a page's tree, its cards as the notebook left them."""
    html, _resources = _exporter().from_notebook_node(_for_readers(executed(path)))
    soup = BeautifulSoup(html, "html.parser")
    for heading in soup.find_all("h1"):
        heading.decompose()  # the page has its own
    for picture in soup.find_all("img"):
        picture["loading"] = "lazy"
    for cell in soup.find_all("div", class_="cell"):
        if not cell.get_text(strip=True) and not cell.find(["img", "svg"]):
            cell.decompose()
    return soup


def executed(path: Path) -> nbformat.NotebookNode:
    """A notebook that a render has run: papermill wrote it, so that it need not be checked against the format again."""
    return v4.reads(path.read_text(encoding="utf-8"))


@cache
def _exporter() -> HTMLExporter:
    """One for all pages: it compiles its templates when it is first used."""
    return HTMLExporter(template_name="basic", exclude_input=True, exclude_input_prompt=True,
                        exclude_output_prompt=True, exclude_anchor_links=True, optimistic_validation=True)


def _renew_cards(soup: BeautifulSoup, card: Card) -> tuple[str, ...]:
    """Each card made anew; the first of each figure gets the id that other pages link to."""
    known: dict[str, None] = {}
    for old in soup.find_all("div", attrs={"data-figure": True}):
        key = str(old["data-figure"])
        made = card(*key.split(".", 1))
        fresh = BeautifulSoup(made, "html.parser").find() if made else None
        if fresh is not None:
            old.replace_with(fresh)
        if key not in known:
            (fresh or old)["id"] = key
        known[key] = None
    return tuple(known)


def _for_readers(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Without the training cells, papermill's own marks and the console names of pictures."""
    cells = []
    for cell in notebook.cells:
        tags = set(cell.metadata.get("tags", ()))
        if tags & {TRAINING, "papermill-error-cell-tag"}:
            continue
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_console_only(output)]
        cells.append(cell)
    notebook.cells = cells
    return notebook


def _is_console_only(output: nbformat.NotebookNode) -> bool:
    """The repr of an Axes or a widget: only a console or a live notebook can use it."""
    if output.output_type == "error":
        return True  # told at the head of the page
    if output.output_type not in ("execute_result", "display_data"):
        return False
    if KIND in output.data:
        return True  # where figures come from: on the page behind them
    if any(kind.startswith("image/") or kind in ("text/html", "text/markdown") for kind in output.data):
        return False
    return str(output.data.get("text/plain", "")).lstrip("[(").startswith(("<", "Axes(", "array([<"))


def typeset(html: str, lang: str) -> str:
    """The page as a typesetter would leave it: no sign alone at a line's end, no space after a Chinese full stop."""
    html = re.sub(r"(?<=[+\u2212])(?=[¥£€])", "\u2060", html)
    return re.sub(r"(?<=[。；！？]) +(?=[^\s<])", "", html) if lang == "zh" else html
