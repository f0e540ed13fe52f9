"""What was told of a period, beside what a render finds now: kept when it is the first, explained when it differs.

The explanation lies in the report's folder, `restatement.json`, as codes and numbers; `words.restatement` says it.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
from ibis.backends import BaseBackend

from workbook import restatement
from workbook.data.engine import connect, few_rows
from workbook.data.errors import WorkbookError, nearest
from workbook.data.findings import Finding
from workbook.data.notebooks import read_notebooks
from workbook.data.periods import Period, period_of
from workbook.data.publications import (
    Edition,
    Made,
    approvals,
    first_edition,
    folder_of,
    keep_approval,
    keep_first,
    snapshot_of,
    told,
)
from workbook.data.settings import Engine, Settings
from workbook.data.store import Store, write_whole
from workbook.output import forms
from workbook.output.pages.report import write_pages
from workbook.output.pages.restated import FILE, PROFILE
from workbook.output.report.work import SAME_FLOAT, is_good
from workbook.restatement import Changed, Restatement

READS_AND_CLEANS = ("raw/*", "clean/*")
OF_CODE = ("library", "notebook", "versions")  # parts of what a chapter is made from that are the workbook's own
ARRIVING = ("00_start_here", "01_collection", "02_cleaning")  # they count what is on record today, also of later dates


class Telling:
    """A period as its tables stand, beside what was told of it before."""

    def __init__(self, settings: Settings, period: Period, tables: Store) -> None:
        self.settings, self.period, self.store = settings, period, tables

    def explain(self, draft: Path) -> None:
        """Write into a report's folder, before its pages are made, how it differs from what was told, and why."""
        there = self.settings.reports_folder / self.period.label
        if first_edition(self.settings, self.period.label) is None and is_good(there):
            keep_first(self.settings, made(there, self.rules))  # rendered before publications were kept
        (draft / FILE).unlink(missing_ok=True)  # that of the report which a single chapter completes
        edition = told(self.settings, self.period.label)
        explained = self._explained(edition, made(draft, self.rules)) if edition and is_good(draft) else None
        if explained is not None:
            write_whole(draft / FILE, json.dumps(explained, ensure_ascii=False, indent=1))

    def publish(self, folder: Path) -> None:
        """Keep what this good report says for the first time, and the orders that it rests on."""
        edition = first_edition(self.settings, self.period.label)
        if edition is None or not edition.findings.keys() - {*ARRIVING}:
            self.keep_orders(snapshot_of(self.settings, self.period.label))
        keep_first(self.settings, made(folder, self.rules))

    def keep_orders(self, file: Path) -> None:
        """Write the orders as they stand, if they have been cleaned."""
        if not self._has_orders:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f".{file.name}.{os.getpid()}")
        self.con.to_parquet(restatement.take(self.table, self.period), draft)
        draft.replace(file)

    @cached_property
    def con(self) -> BaseBackend:
        """One period's orders are small: DuckDB reads them, whatever engine made them."""
        declared = self.settings.engine
        return connect(Engine(memory=declared.memory, threads=declared.threads))

    def table(self, name: str) -> ir.Table:
        full = name if name.startswith("raw/") else f"{self.period.end.isoformat()}/{name}"
        files = [str(path / "*.parquet" if path.is_dir() else path) for path in self.store.files(full)]
        return self.con.read_parquet(files, union_by_name=True)

    @property
    def _has_orders(self) -> bool:
        return restatement.fits(lambda name: self.store.has(f"{self.period.end.isoformat()}/{name}"))

    @cached_property
    def rules(self) -> dict[str, str]:
        """Hashes of what is declared about reading and cleaning, and of the records of returns."""
        declared = self.settings
        sources = [source.model_dump_json(exclude={"path", "url"}) for source in declared.sources]
        rates = [rate.model_dump_json() for rate in declared.rates]
        cleaning = declared.cleaning
        return {
            "reading": _hash([*sources, *rates, declared.currency, declared.time_zone]),
            "cleaning": _hash([cleaning.model_dump_json(), str(declared.chapters.get("02_cleaning"))]),
            "identities": _hash([str(cleaning.rules.get("identity")), str(cleaning.largest_identity)]),
            "returns": _hash([str(cleaning.rules.get("returns")), str(cleaning.return_age_days)]),
            "raw_returns": self._raw_returns() if self._has_orders else "",
        }

    def _raw_returns(self) -> str:
        """How many returns are on record up to the period's end, and how much they come to."""
        lines = self.table("clean/marked_lines")
        minus = lines.filter(~lines.rule_later, lines.amount < 0).select("row_id", "amount")
        found = few_rows(minus.aggregate(n=minus.count(), amount=minus.amount.sum()))
        if self.store.has("raw/returns"):
            rows = self.table("raw/returns")
            rows = rows.filter(rows.returned_on.isnull() | (rows.returned_on <= self.period.end))
            found += few_rows(rows.aggregate(n=rows.count(), amount=rows.amount.sum()))
        return _hash([str(found)])

    def _explained(self, edition: Edition, now: Made) -> dict[str, Any] | None:
        """What differs from what was told, and why; None where nothing does."""
        figures = _differing(edition.findings, now.findings)
        split = self._split(edition, now) if self._has_orders and edition.orders.exists() else None
        if not figures and not (split and (split.causes or any(measure.change for measure in split.measures))):
            return None
        return {
            "against": {"kind": "approved" if edition.by else "published", "at": edition.at, "by": edition.by,
                        "version": edition.version},
            "version": now.version,
            "code_changed": _code_changed(edition, now, list(now.made_from)),
            "split": split and _plain(split),
            "figures": figures,
        }

    def _split(self, edition: Edition, now: Made) -> Restatement:
        own = [notebook.name for notebook in read_notebooks() if {*notebook.makes} & {*READS_AND_CLEANS}]
        changed = _changed(edition, now, code=_code_changed(edition, now, own))
        then = self.con.read_parquet(edition.orders)
        orders = restatement.compared(then, restatement.take(self.table, self.period, also=then), changed).cache()
        redefined = _code_changed(edition, now, [*own, PROFILE])
        found = now.findings.get(PROFILE, {})
        return restatement.restated(
            orders, told={name: one.value for name, one in edition.findings.get(PROFILE, {}).items()},
            found={name: one["value"] for name, one in found.items()}, redefined="code" if redefined else "other")


def made(folder: Path, rules: dict[str, str]) -> Made:
    """What the report of that folder says, and what it was made from."""
    record: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    findings = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    first = next(iter(record["languages"]), "en")
    return Made(record["period"], record["version"], findings, record.get("made_from", {}).get(first, {}), rules)


def approve(settings: Settings, label: str, *, by: str, comment: str = "") -> int:
    """Keep what the report of a period says now as approved, and write its pages anew; the place in its history.

    Raises:
        WorkbookError: when the period has not been rendered whole, or nobody is named.
    """
    folder = settings.reports_folder / label
    if not is_good(folder):
        rendered = [path.parent.name for path in settings.reports_folder.glob("[0-9]*/run.json")]
        raise WorkbookError(f"There is no whole report of {label}.",
                            way_out=nearest(label, rendered) if rendered else f"workbook render --as-of {label}")
    if not by.strip():
        raise WorkbookError("An approval needs a name.", way_out=f"workbook approve {label} --by NAME")
    telling = Telling(settings, period_of(label, settings.period), Store(settings.store_folder))
    place = len(approvals(settings, label)) + 1
    telling.keep_orders(folder_of(settings) / f"{label}.approved-{place}.parquet")
    keep_approval(settings, made(folder, telling.rules), by=by.strip(), comment=comment.strip())
    (folder / FILE).unlink(missing_ok=True)
    write_pages(folder, settings)
    forms.renew(folder, settings)
    return place


def _changed(edition: Edition, now: Made, *, code: bool) -> Changed:
    def differs(name: str) -> bool:
        return edition.rules.get(name) != now.rules.get(name)

    return Changed(
        reading=differs("reading"), rules=differs("reading") or differs("cleaning"),
        identity_rules=differs("identities"), return_rules=differs("returns"), raw_returns=differs("raw_returns"),
        code=code)


def _code_changed(edition: Edition, now: Made, chapters: list[str]) -> bool:
    """Whether the workbook's own part of what these chapters are made from is another."""
    def own(made_from: Mapping[str, Any], chapter: str) -> list[Any]:
        parts = made_from.get(chapter) or {}
        return [parts.get(name) for name in OF_CODE]

    return any(own(edition.made_from, chapter) != own(now.made_from, chapter)
               for chapter in chapters if edition.made_from.get(chapter) and now.made_from.get(chapter))


def _differing(then: Mapping[str, Mapping[str, Finding]], now: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Figures that are others than told, but those that are split: chapter, name, unit, then and now."""
    return [
        {"chapter": chapter, "name": name, "unit": record["unit"], "then": before.value, "now": record["value"]}
        for chapter, found in now.items() if chapter not in ARRIVING
        for name, record in found.items()
        if not (chapter == PROFILE and name in restatement.MEASURES)
        and (before := then.get(chapter, {}).get(name)) is not None and not _same(before.value, record["value"])]


def _same(one: Any, other: Any) -> bool:
    both = isinstance(one, float) and isinstance(other, float)
    return math.isclose(one, other, rel_tol=SAME_FLOAT) if both else one == other


def _plain(split: Restatement) -> dict[str, Any]:
    """As JSON holds it; exact amounts as text."""
    return {
        "measures": [{"name": measure.name, "unit": measure.unit, "then": str(measure.then), "now": str(measure.now),
                      "parts": {cause: str(part) for cause, part in measure.parts.items()}}
                     for measure in split.measures],
        "causes": [cause._asdict() for cause in split.causes],
    }


def _hash(texts: list[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
