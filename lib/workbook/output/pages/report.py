"""The pages of a report, made from what lies in its folder: executed notebooks, findings, run record, comments."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from workbook.data import periods
from workbook.data.findings import read_findings
from workbook.data.notebooks import question, title
from workbook.data.periods import Period
from workbook.data.publications import first_published
from workbook.data.settings import Settings
from workbook.data.store import write_whole
from workbook.output import cards, forms, i18n
from workbook.output.pages import advice, bridge, figures, trends, verdict
from workbook.output.pages.body import Body, body_of, executed, read_ahead, typeset
from workbook.output.pages.comments import Comment, note, read_comments
from workbook.output.pages.frame import templates
from workbook.output.pages.headlines import Reading, headline_cards
from workbook.output.pages.key_figures import key_figures
from workbook.output.pages.parts import write_parts
from workbook.output.pages.restated import approval, restated
from workbook.output.pages.summaries import speaker, summary
from workbook.output.words import advice as advice_words
from workbook.output.words import bridge as bridge_words
from workbook.output.words import report as words


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


def prepare(notebook: Path) -> None:
    """Do ahead what takes longest of an executed notebook's page, while other notebooks run."""
    read_ahead(notebook)
    speaker(notebook.stem)


def write_pages(folder: Path, settings: Settings) -> None:
    """Write `index.html` and, for each language, an index and a page a chapter; then the list of all periods."""
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    reading = _reading(folder, settings, record)
    period = periods.period_of(record["period"], settings.period)
    made, seen = templates(), figures.behind(folder, settings, record)
    for lang in record["languages"]:
        i18n.use(lang, settings.currency)
        _write_language(folder, record, reading, period, made, lang, seen)
    entrance = made.get_template("entrance.html").render(
        record=record, names=i18n.OWN_NAME, period=record["period"], page="{}/index.html")
    write_whole(folder / "index.html", entrance)
    if folder == settings.reports_folder / record["period"]:  # a draft is listed when it is published
        trends.write_list(settings)


def _reading(folder: Path, settings: Settings, record: dict[str, Any]) -> Reading:
    period = periods.period_of(record["period"], settings.period)
    states = {outcome["chapter"]: outcome["state"] for outcome in record["outcomes"]}
    return Reading(read_findings(folder / "findings.json"), first_published(settings, period.previous().label), states,
                   settings, period.is_whole, first_published(settings, period.year_ago().label))


def _write_language(
    folder: Path, record: dict[str, Any], reading: Reading, period: Period, made: Environment, lang: str,
    seen: figures.Behind,
) -> None:
    shared = {
        "record": record, "lang": lang, "html_language": i18n.HTML_LANGUAGE[lang], "period": i18n.period(period),
        "others": [other for other in record["languages"] if other != lang], "partial": not period.is_whole,
        "until": period.end, "all_periods": f"../../{lang}.html", "written": forms.files(folder / lang),
        "whole": _whole(reading.settings, record, lang),
        "approval": approval(reading.settings, record["period"], folder), "restated": restated(folder),
    }
    divided = write_parts(folder, reading.settings, made, shared)
    remarks = read_comments(reading.settings, record["period"])
    chapters = [_chapter(outcome, folder / lang, reading, remarks) for outcome in record["outcomes"]]
    bodies = {
        chapter.name: body_of(folder / lang / "notebooks" / f"{chapter.name}.ipynb", _renewed(reading))
        for chapter in chapters if chapter.state != "absent"}
    told = shared | figures.cleaning(seen)
    keys = {name: {} if body.anchors else key_figures(reading, name) for name, body in bodies.items()}
    for chapter in chapters:
        if chapter.name in bodies:
            body = bodies[chapter.name]
            html = made.get_template("chapter.html").render(
                **shared, chapter=chapter, chapters=chapters, body=Markup(body.html), contents=body.contents,
                cards=list(keys[chapter.name].values()))
            write_whole(folder / lang / chapter.href, typeset(html, lang))
            found = reading.findings.get(chapter.name, {})
            figures.write_figures(chapter.name, chapter.title, found, seen, made, told, period)
    first = made.get_template("index.html").render(
        **shared, chapters=chapters, divided=divided,
        **_page_one(reading._replace(anchors=_anchors(bodies, keys)), record, period))
    write_whole(folder / lang / "index.html", typeset(first, lang))


def _whole(settings: Settings, record: dict[str, Any], lang: str) -> str:
    """From a part's page to the report of the whole shop; "" where this is the whole."""
    return f"../../../../../{record['period']}/{lang}/index.html" if settings.part else ""


def _page_one(reading: Reading, record: dict[str, Any], period: Period) -> dict[str, Any]:
    """What the first page shows above its chapters."""
    found = reading.findings.get("03_profiling", {})
    ends = (i18n.period(period.previous()), i18n.period(period))
    bridges = [] if not period.is_whole else [
        one for one in (bridge.revenue(found, *ends), bridge.margin(found, *ends)) if one]
    return {
        "verdict": verdict.sentence(reading, period), "cards": headline_cards(reading), "bridges": bridges,
        "no_bridge": bridge.not_there(bridges, reading), "steps": advice.next_steps(reading),
        "earned": advice.earned(reading), "outlook": advice.outlook(reading, i18n.period(period.next()), ends[1]),
        "trust": words.trust(reading.findings, record, reading.settings, period), "ahead": advice_words,
        "about_bridges": bridge_words,
    }


def _renewed(reading: Reading) -> Any:
    def card(chapter: str, name: str) -> str | None:
        finding = reading.of(chapter, name)
        if finding is None:
            return None
        return cards.figure_card(chapter, name, finding, reading.company(chapter, name), behind=True)

    return card


def _anchors(bodies: dict[str, Body], keys: dict[str, dict[str, Markup]]) -> frozenset[str]:
    of_bodies = (anchor for body in bodies.values() for anchor in body.anchors)
    return frozenset([*of_bodies, *(key for found in keys.values() for key in found)])


def comment(settings: Settings, label: str, chapter: str, text: str, *, by: str = "") -> Path:
    """Add a comment to a chapter of a rendered period, and write its pages anew; returns the report's first page.

    Raises:
        WorkbookError: when the period has not been rendered, or has no such chapter, or the text is empty.
    """
    note(settings, label, chapter, text, by=by)
    folder = settings.reports_folder / label
    write_pages(folder, settings)
    forms.renew(folder, settings)
    trends.write_list(settings)
    return folder / "index.html"


def _chapter(outcome: dict[str, Any], folder: Path, reading: Reading, remarks: list[Comment]) -> Chapter:
    name, state = outcome["chapter"], outcome["state"]
    source = folder / "notebooks" / f"{name}.ipynb"
    opening = executed(source).cells if source.exists() else []
    first = next((cell.source for cell in opening if cell.cell_type == "markdown" and title(cell.source)), "")
    missing = words.why_not(state, outcome["error"], outcome["because"])
    sentence = summary(name, reading) if state == "done" else missing
    own = tuple(remark for remark in remarks if remark.chapter == name)
    return Chapter(name, title(first) or name, question(first), state, sentence, outcome["seconds"], own)
