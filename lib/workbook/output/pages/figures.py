"""The page behind a chapter's figures: of each its definition, what made it, the ledger, control totals, its history.

It lies in `figures/` beside the chapters' pages; a figure's place on it has the figure's name as its id.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment
from markupsafe import Markup

from workbook.cleaning.gates import Gate
from workbook.cleaning.ledger import Line
from workbook.data import periods
from workbook.data.findings import Finding
from workbook.data.metrics import METRICS
from workbook.data.publications import first_published, published_labels
from workbook.data.settings import Settings
from workbook.data.store import write_whole
from workbook.output import cards, i18n, page
from workbook.output.i18n import _
from workbook.output.pages import ledgers
from workbook.output.pages.body import typeset
from workbook.output.pages.origins import Origins, origins
from workbook.output.words import cleaning as cleaning_words
from workbook.output.words import figures as words

FOLDER = "figures"
Found = Mapping[str, Mapping[str, Finding]]
History = Sequence[tuple[periods.Period, Found]]  # every published period, oldest first


class Entry(NamedTuple):
    """One figure."""

    id: str
    name: str
    value: str
    rests: str
    grade: Markup  # of its evidence, where it claims a cause or a future
    definition: str
    facts: str
    control: str
    history: tuple[tuple[str, str, bool], ...]  # period, value, whether it is the period of this report
    way: int | None  # place among the ways of `Origins`


class Behind(NamedTuple):
    """What the pages of all chapters and languages are made from."""

    origins: Mapping[str, Origins]
    history: History
    ledger: Sequence[Line]
    gates: Sequence[Gate]
    folder: Path


def behind(folder: Path, settings: Settings, record: Mapping[str, Any]) -> Behind:
    """Read what the report's folder and the periods before tell."""
    made = {
        outcome["chapter"]: origins(
            folder / lang / "notebooks" / f"{outcome['chapter']}.ipynb" for lang in record["languages"])
        for outcome in record["outcomes"] if outcome["state"] != "absent"}
    published = sorted(
        (periods.period_of(label, settings.period), label) for label in published_labels(settings)
        if label != record["period"])
    history = [(period, first_published(settings, label)) for period, label in published]
    return Behind(made, history, ledgers.ledger(folder), ledgers.gates(folder), folder)


def cleaning(seen: Behind) -> dict[str, str]:
    """What all figures rest on, in the language in use: the ledger of the records, and the totals that had to agree."""
    sales = seen.ledger[0].table if seen.ledger else ""
    columns = {"rule": _("Rule"), "action": _("What was done"), "met": (_("Rows met"), "number"),
               "rows": (_("Rows left"), "number"), "revenue": (_("Revenue left"), "money")}
    gates = page.table(cleaning_words.gate_rows(seen.gates), columns={
        "gate": _("Gate"), "left": _("Left"), "right": _("Right"), "passed": _("Passed")}).html if seen.gates else ""
    ledger = page.table(cleaning_words.ledger_rows(seen.ledger, sales), columns=columns).html
    return {"ledger_said": words.ledger(seen.ledger), "ledger": ledger, "gates": gates}


def write_figures(
    chapter: str, title: str, found: Mapping[str, Finding], seen: Behind, made: Environment, shared: Mapping[str, Any],
    period: periods.Period,
) -> None:
    """Write a chapter's page of figures in the language in use; `shared` has what `cleaning` tells."""
    own = seen.origins.get(chapter, origins(()))
    entries = [
        _entry(chapter, name, finding, own, seen.gates, seen.history, period) for name, finding in found.items()]
    html = made.get_template("figures.html").render(
        **shared, chapter=chapter, title=title, entries=entries, ways=own.ways, queries=own.queries)
    target = seen.folder / shared["lang"] / FOLDER
    write_whole(target / f"{chapter}.html", typeset(html, shared["lang"]))


def _entry(
    chapter: str, name: str, finding: Finding, own: Origins, gates: Sequence[Any], history: History,
    period: periods.Period,
) -> Entry:
    metric = METRICS.get(f"{chapter}.{name}")
    told = [(i18n.period(then), words.value(found[chapter][name]), False)
            for then, found in history if name in found.get(chapter, {})]
    told.append((i18n.period(period), words.value(finding), True))
    return Entry(
        name, page.metric_name(chapter, name), words.value(finding), words.rests(finding),
        Markup(cards.badge(finding.evidence)) if finding.evidence else Markup(""),
        _(metric.definition) if metric else "", words.facts(chapter, name), words.control(name, gates, period.label),
        tuple(told), own.way_of.get(name))
