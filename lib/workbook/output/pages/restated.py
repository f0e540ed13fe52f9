"""What the first page shows of a restatement and of the approvals: `restatement.json` in the reader's language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from workbook.data.publications import Edition, approvals
from workbook.data.settings import Settings
from workbook.output.cards import metric_name
from workbook.output.pages.bridge import Bridge, drawn
from workbook.output.words import restatement as words

FILE = "restatement.json"
PROFILE = "03_profiling"  # whose figures are split
MOST_FIGURES = 40


class Row(NamedTuple):
    """A line of the table: a cause and its part of each figure, or a total."""

    name: str
    cells: list[str]
    told: str = ""  # what the cause stands for and how many orders it changed; empty: a total
    examples: tuple[str, ...] = ()


class Restated(NamedTuple):
    """All that the page says of it."""

    title: str
    lead: str
    since: str
    note: str
    columns: list[str]
    rows: list[Row]
    picture: Bridge | None
    figures_title: str
    figures: list[tuple[str, str, str]]  # name, then, now


class Approval(NamedTuple):
    """What stands beside the period. `state` is draft, approved or changed."""

    text: str
    state: str
    history: list[tuple[str, str]]  # approved by … on …, comment; the last first


def restated(folder: Path) -> Restated | None:
    """The restatement of a report, in the language in use; None where the figures are as told."""
    file = folder / FILE
    if not file.exists():
        return None
    record: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    against, split = record["against"], record["split"]
    figures = [
        (metric_name(one["chapter"], one["name"]), *words.moved(one["then"], one["now"], one["unit"]))
        for one in record["figures"]]
    told = words.other_figures(len(figures)) if figures else ""
    plain = Restated(words.title(), words.no_orders(), words.since(against), "", [], [], None, told,
                     figures[:MOST_FIGURES])
    if split is None:
        return plain
    measures = [measure for measure in split["measures"] if measure["parts"]]
    if not measures:
        return plain._replace(lead=words.only_figures(code_changed=record["code_changed"]))
    money = split["measures"][0]
    return plain._replace(
        lead=words.lead(against, Decimal(money["then"]), Decimal(money["now"])),
        columns=[metric_name(PROFILE, measure["name"]) for measure in measures], rows=_rows(measures, split, against),
        picture=_picture(money, against))


def _rows(measures: list[dict[str, Any]], split: Mapping[str, Any], against: Mapping[str, str]) -> list[Row]:
    totals = {side: [words.exact(Decimal(measure[side]), measure["unit"]) for measure in measures]
              for side in ("then", "now")}  # fmt: skip
    changed = {cause["cause"]: cause for cause in split["causes"]}
    codes = dict.fromkeys([*changed, *(code for measure in measures for code in measure["parts"])])
    parts = [
        Row(words.cause(code),
            [words.part(Decimal(measure["parts"].get(code, "0")), measure["unit"]) for measure in measures],
            *_orders(code, changed.get(code))) for code in codes]
    return [Row(words.then_row(against), totals["then"]), *parts, Row(words.now_row(), totals["now"])]


def _orders(code: str, cause: Mapping[str, Any] | None) -> tuple[str, tuple[str, ...]]:
    shown = tuple(cause["examples"]) if cause else ()
    return words.told(code, cause["orders"] if cause else 0, len(shown)), shown


def _picture(money: Mapping[str, Any], against: Mapping[str, str]) -> Bridge | None:
    """Net revenue as told, part by part, to what it is now."""
    if not money["parts"]:
        return None
    parts = {code: float(part) for code, part in money["parts"].items()}
    return drawn(
        metric_name(PROFILE, "net_revenue"), ["then", *parts, "now"],
        [words.then_row(against), *(words.cause(code) for code in parts), words.now_row()],
        [float(money["then"]), *parts.values(), float(money["now"])])


def approval(settings: Settings, label: str, folder: Path) -> Approval:
    """Whether a report is a draft, approved, or has changed since; in the language in use."""
    editions = approvals(settings, label)
    if not editions:
        return Approval(words.draft(), "draft", [])
    last = editions[-1]
    told = [(words.approved(one.by, one.at), one.comment) for one in reversed(editions)]
    if _differs(folder, last):
        return Approval(words.approval_of_others(last.by, last.at), "changed", told)
    return Approval(words.approved(last.by, last.at), "approved", told)


def _differs(folder: Path, edition: Edition) -> bool:
    """Whether the report is restated against that approval."""
    file = folder / FILE
    return file.exists() and json.loads(file.read_text(encoding="utf-8"))["against"]["at"] == edition.at
