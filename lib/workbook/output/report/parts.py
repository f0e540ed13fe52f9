"""A report a part of the shop, by region, channel, brand …, beside that of the whole.

A part is a shop of its own: its clean tables are cut out of those of the whole, and the chapters from 03 on run on
them. Rules that were fitted and are kept (scores, groups) are those of the whole, so that parts can be compared. Its
reports lie in `reports/by/<dimension>/<value>/`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment

from workbook.cleaning import part as cutting
from workbook.data.errors import WorkbookError, nearest
from workbook.data.findings import Finding, read_findings
from workbook.data.notebooks import Notebook
from workbook.data.periods import Period
from workbook.data.run import Run, published
from workbook.data.settings import Part, Settings
from workbook.data.store import Store, write_whole
from workbook.output.report.body import typeset
from workbook.output.words import parts as words

OF_THE_WHOLE = ("raw/*", "clean/*")  # who makes these reads the records of all parts
COLUMNS = ("net_revenue", "active_customers", "new_customers", "average_order_value", "second_purchase_rate_90d")
CHAPTER = "03_profiling"


class Chosen(NamedTuple):
    """The parts to be reported on, and those that are too small."""

    parts: list[Part]
    small: list[Part]


class Row(NamedTuple):
    """One part on the page of all."""

    name: str
    href: str
    figures: tuple[str, ...]


def of_part(notebooks: Sequence[Notebook]) -> list[Notebook]:
    """The notebooks that a part has a report of: those that read clean tables."""
    return [notebook for notebook in notebooks if notebook.needs and not _of_the_whole(notebook)]


def _of_the_whole(notebook: Notebook) -> bool:
    return any(fnmatch(made, pattern) for made in notebook.makes for pattern in OF_THE_WHOLE)


def choose(settings: Settings, by: str, period: Period) -> Chosen:
    """What `--by region` or `--by region=East` means for the records of a period.

    Raises:
        WorkbookError: no such dimension, or no such value.
    """
    dimension, _, wanted = by.partition("=")
    found = cutting.values(_whole(settings, period), dimension)
    parts = {row["value"]: Part(dimension, row["value"]) for row in found}
    if wanted and wanted not in parts:
        raise WorkbookError(f"There is no {dimension} {wanted!r} in the orders.",
                            way_out=nearest(wanted, [value for value in parts if value]))
    large = [row["value"] for row in found if row["customers"] >= settings.privacy.smallest_cell]
    chosen = [wanted] if wanted else large
    return Chosen([parts[value] for value in chosen], [parts[value] for value in parts if value not in large])


def cut(settings: Settings, part: Part, period: Period) -> Settings:
    """Write a part's clean tables of a period; the settings under which its notebooks run."""
    own = settings.of_part(part)
    cutting.keep_part(_whole(settings, period), part, published(own))
    return own


def _whole(settings: Settings, period: Period) -> Run:
    return Run(cutting.MADE_BY, settings, Store(settings.store_folder), as_of=period.end.isoformat(), lang="en")


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
