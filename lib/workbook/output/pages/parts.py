"""The page of a shop's parts: their figures of one period beside each other, and whether they add up to the whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment

from workbook.data.findings import Finding, read_findings
from workbook.data.settings import Settings
from workbook.data.store import write_whole
from workbook.output.pages.body import typeset
from workbook.output.words import parts as words

COLUMNS = ("net_revenue", "active_customers", "new_customers", "average_order_value", "second_purchase_rate_90d")
CHAPTER = "03_profiling"


class Row(NamedTuple):
    """One part on the page of all."""

    name: str
    href: str
    figures: tuple[str, ...]


def write_parts(folder: Path, settings: Settings, made: Environment, shared: dict[str, Any]) -> list[tuple[str, str]]:
    """A page for each dimension that this period has reports of parts by; (its name, its file), for the index."""
    label = shared["record"]["period"]
    whole = read_findings(folder / "findings.json").get(CHAPTER, {})
    pages = []
    for place in sorted((settings.reports_folder / "by").glob("*")) if settings.part is None else ():
        rows = list(_rows(place, label, shared["lang"]))
        if not rows:
            continue
        file = f"by-{place.name}.html"
        html = made.get_template("parts.html").render(
            **shared, file=file, dimension=words.dimension(place.name), rows=[row for _name, row, _found in rows],
            headings=words.headings(CHAPTER, COLUMNS), of_whole=words.figures(whole, COLUMNS),
            adds_up=words.adds_up([found for _name, _row, found in rows], whole))
        write_whole(folder / shared["lang"] / file, typeset(html, shared["lang"]))
        pages.append((words.dimension(place.name), file))
    return pages


def _rows(place: Path, label: str, lang: str) -> Iterator[tuple[str, Row, dict[str, Finding]]]:
    """The parts of a dimension that have a report of this period, what brought most first."""
    known = []
    for folder in place.iterdir():
        report = folder / label
        if (report / lang / "index.html").exists():
            record = json.loads((report / "run.json").read_text(encoding="utf-8"))
            found = read_findings(report / "findings.json").get(CHAPTER, {})
            name = record["shop"].rpartition(" · ")[2]
            href = f"../../by/{place.name}/{folder.name}/{label}/{lang}/index.html"
            known.append((name, Row(words.part(name), href, words.figures(found, COLUMNS)), found))
    yield from sorted(known, key=lambda one: (-_worth(one[2]), one[0]))


def _worth(found: dict[str, Finding]) -> float:
    finding = found.get("net_revenue")
    return float(finding.value) if finding is not None and finding.value is not None else 0.0
