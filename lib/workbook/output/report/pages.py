"""The pages of a report, made from what lies in its folder: executed notebooks, findings, run record, comments."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from nbconvert import HTMLExporter

from workbook.data import periods
from workbook.data.findings import Finding, earlier, read_findings
from workbook.data.notebooks import question, title
from workbook.data.periods import Period
from workbook.data.settings import Settings
from workbook.data.store import write_whole
from workbook.output import i18n, page
from workbook.output.report.comments import Comment, note, read_comments
from workbook.output.words import report as words

TRAINING = "training"
HEADLINES = (  # the first of each line that was found is shown
    ("03_profiling.net_revenue", "02_cleaning.net_revenue"),
    ("03_profiling.active_customers", "02_cleaning.customers_kept"),
    ("03_profiling.new_customers",),
    ("03_profiling.second_purchase_rate_90d",),
    ("03_profiling.average_order_value",),
    ("04_rfm.segment_at_risk_customers",),
)


@dataclass(frozen=True)
class Chapter:
    """What the index and the contents say of one chapter."""

    name: str
    title: str
    question: str
    state: str
    sentence: str  # its summary, or why there is none
    seconds: float
    comments: tuple[Comment, ...]

    @property
    def href(self) -> str:
        return f"{self.name}.html"

    @property
    def number(self) -> str:
        return self.name[:2]


def write_pages(folder: Path, settings: Settings) -> None:
    """Write `index.html` and, for each language, an index and a page a chapter."""
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    findings = read_findings(folder / "findings.json")
    period = periods.period_of(record["period"], settings.period)
    before = read_findings(settings.reports_folder / period.previous().label / "findings.json")
    remarks = read_comments(settings, record["period"])
    templates = Environment(
        loader=PackageLoader("workbook.output.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True)
    templates.globals.update(_=i18n._, i18n=i18n, style=Markup(_asset("style.css")))
    for lang in record["languages"]:
        i18n.use(lang, settings.currency)
        shared = {
            "record": record, "lang": lang, "html_language": i18n.HTML_LANGUAGE[lang],
            "period": i18n.period(period), "others": [other for other in record["languages"] if other != lang],
            "partial": not period.is_whole, "until": period.end,
        }
        chapters = [_chapter(outcome, folder / lang, findings, before, remarks) for outcome in record["outcomes"]]
        for chapter in chapters:
            if chapter.state != "absent":
                body = _body(folder / lang / "notebooks" / f"{chapter.name}.ipynb")
                html = templates.get_template("chapter.html").render(
                    **shared, chapter=chapter, chapters=chapters, body=Markup(body.html), contents=body.contents)
                write_whole(folder / lang / chapter.href, _set(html, lang))
        index = templates.get_template("index.html").render(
            **shared, chapters=chapters, cards=_cards(findings, before, period),
            trust=words.trust(findings, record, settings, period), verdict=words.verdict(findings, before, period))
        write_whole(folder / lang / "index.html", _set(index, lang))
    entrance = templates.get_template("entrance.html").render(
        record=record, names=i18n.OWN_NAME, period=record["period"])
    write_whole(folder / "index.html", entrance)


def _set(html: str, lang: str) -> str:
    """The page as a typesetter would leave it: no sign alone at a line's end, no space after a Chinese full stop."""
    html = re.sub(r"(?<=[+\u2212])(?=[¥£€])", "\u2060", html)
    return re.sub(r"(?<=[。；！？]) +(?=[^\s<])", "", html) if lang == "zh" else html


def comment(settings: Settings, label: str, chapter: str, text: str, *, by: str = "") -> Path:
    """Add a comment to a chapter of a rendered period, and write its pages anew; returns the report's first page.

    Raises:
        WorkbookError: when the period has not been rendered, or has no such chapter, or the text is empty.
    """
    note(settings, label, chapter, text, by=by)
    folder = settings.reports_folder / label
    write_pages(folder, settings)
    return folder / "index.html"


def _asset(name: str) -> str:
    return (Path(__file__).parent / "templates" / name).read_text(encoding="utf-8")


def _chapter(
    outcome: dict[str, Any], folder: Path, findings: dict[str, dict[str, Finding]],
    before: dict[str, dict[str, Finding]], remarks: list[Comment],
) -> Chapter:
    name, state = outcome["chapter"], outcome["state"]
    source = folder / "notebooks" / f"{name}.ipynb"
    opening = nbformat.read(source, as_version=4).cells if source.exists() else []
    first = next((cell.source for cell in opening if cell.cell_type == "markdown" and title(cell.source)), "")
    if state == "done":
        sentence = _summary(name, findings.get(name, {}), before.get(name, {}))
    else:
        sentence = words.why_not(state, outcome["error"], outcome["because"])
    own = tuple(remark for remark in remarks if remark.chapter == name)
    return Chapter(name, title(first) or name, question(first), state, sentence, outcome["seconds"], own)


def _summary(name: str, found: dict[str, Finding], before: dict[str, Finding]) -> str:
    """The chapter's own sentence; none where it has no words of its own, or found nothing."""
    speaker = f"workbook.output.words.{name.split('_', 1)[1]}"
    return import_module(speaker).summary(found, before) if found and find_spec(speaker) else ""


def _cards(
    findings: dict[str, dict[str, Finding]], before: dict[str, dict[str, Finding]], period: Period
) -> list[Markup]:
    cards = []
    for choices in HEADLINES:
        for key in choices:
            chapter, name = key.split(".")
            if name in findings.get(chapter, {}):
                then = earlier(name, findings[chapter], before.get(chapter, {}), whole=period.is_whole)
                card = page.figure_card(chapter, name, findings[chapter][name], then, href=f"{chapter}.html")
                cards.append(Markup(card))
                break
    return cards


@dataclass(frozen=True)
class Body:
    """A notebook as HTML without its code, and its headings: (id, text)."""

    html: str
    contents: list[tuple[str, str]]


def _body(path: Path) -> Body:
    if not path.exists():
        return Body("", [])
    exporter = HTMLExporter(template_name="basic", exclude_input=True, exclude_input_prompt=True,
                            exclude_output_prompt=True, exclude_anchor_links=True)
    html, _resources = exporter.from_notebook_node(_for_readers(nbformat.read(path, as_version=4)))
    soup = BeautifulSoup(html, "html.parser")
    for heading in soup.find_all("h1"):
        heading.decompose()  # the page has its own
    for picture in soup.find_all("img"):
        picture["loading"] = "lazy"
    for cell in soup.select("div.cell"):
        if not cell.get_text(strip=True) and not cell.find(["img", "svg"]):
            cell.decompose()
    contents = []
    for number, heading in enumerate(soup.find_all("h2"), start=1):
        heading["id"] = f"section-{number}"
        contents.append((heading["id"], heading.get_text(strip=True)))
    return Body(str(soup), contents)


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
    if any(kind.startswith("image/") or kind in ("text/html", "text/markdown") for kind in output.data):
        return False
    return str(output.data.get("text/plain", "")).lstrip("[(").startswith(("<", "Axes(", "array([<"))
