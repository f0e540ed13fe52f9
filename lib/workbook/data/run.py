"""What a notebook opens: the tables, parameters and named results of one chapter at one date.

Interactive runs write to a scratch overlay that reads through to the store. A render sets
`WORKBOOK_STAGE` to the overlay that it publishes when the report is whole.
"""

from __future__ import annotations

import json
import os
import pickle
import platform
import shutil
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
from ibis.backends import BaseBackend
from IPython.display import display

from workbook import __version__
from workbook.data import periods
from workbook.data.engine import connect
from workbook.data.errors import WorkbookError
from workbook.data.findings import Evidence, Finding, known, plain, write_findings
from workbook.data.notebooks import notebooks_folder, read_notebook
from workbook.data.periods import Period
from workbook.data.provenance import KIND, Provenance
from workbook.data.publications import first_published
from workbook.data.settings import Part, Settings, load_settings
from workbook.data.store import Data, Store

STAGE = "WORKBOOK_STAGE"
PART = "WORKBOOK_PART"  # [dimension, value] of the part of the shop that a report is about
RECALL = "WORKBOOK_RECALL"  # set for the further languages of a report: what the first one made is read, not made again
Made = TypeVar("Made")
Table = TypeVar("Table", ir.Table, ir.Table | None)
_ANY_DATE = ("raw/", "quarantine/", "collection/")  # tables that know no as_of


@dataclass(frozen=True)
class Frozen:
    """A rule fitted once and kept."""

    rule: dict[str, Any]
    base: Period  # the period at whose end it was fitted
    provisional: bool  # True when this run lies before the base period, so that nothing was kept


class Run:
    """One chapter at one date. Made by `open_run`."""

    def __init__(self, chapter: str, settings: Settings, store: Store, *, as_of: str, lang: str) -> None:
        self.chapter, self.settings, self.store, self.lang = chapter, settings, store, lang
        self.findings: dict[str, Finding] = {}
        self._asked_for = as_of
        self.rng = np.random.default_rng(zlib.crc32(chapter.encode()))
        self.provenance = Provenance()
        if STAGE in os.environ:
            self.provenance.listen()

    @cached_property
    def con(self) -> BaseBackend:
        spill = self.store.root / "spill"
        return connect(self.settings.engine, spill=spill)

    @cached_property
    def period(self) -> Period:
        """The period that the run reports on; its end is the last day that is seen."""
        if self._asked_for:
            return periods.period_of(self._asked_for, self.settings.period)
        return last_complete_period(self.store, self.settings)

    @property
    def as_of(self) -> date:
        return self.period.end

    @property
    def read(self) -> dict[str, int]:
        """Rows of each table that the notebook says it reads and that is there; the raw tables for 01."""
        notebook = read_notebook(notebooks_folder() / f"{self.chapter}.ipynb")
        patterns = (*notebook.needs, *notebook.optional) or ("raw/*",)
        there = {name.removeprefix(f"{self.as_of.isoformat()}/"): name for name in self.store.names()}
        return {
            name: self.store.entry(full).rows
            for name, full in there.items()
            if any(fnmatch(name, pattern) for pattern in patterns)
        }

    @property
    def versions(self) -> dict[str, str]:
        """Versions of the workbook, of Python and of the engine."""
        return {"workbook": __version__, "python": platform.python_version(), self.con.name: str(self.con.version)}

    def has(self, name: str) -> bool:
        return self.store.has(self._full(name))

    def table(self, name: str) -> ir.Table:
        """A named table as an expression of the engine."""
        return self.provenance.reads(self.store.read(self._full(name), self.con), name)

    def keep(self, name: str, table: Data, *, key: Sequence[str] = ()) -> ir.Table:
        """Write a named table whole and read it back; a further language of a report reads that of the first."""
        if os.environ.get(RECALL) == "1" and self.has(name):
            return self.table(name)
        parameters = {} if name.startswith(_ANY_DATE) else {"as_of": str(self.as_of)}
        self.store.write(
            self._full(name), table, con=self.con, made_by=self.chapter, key=key, parameters=parameters
        )
        return self.table(name)

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """A slow result in memory: made once a report, whatever the number of its languages.

        Args:
            name: the chapter's own name for it.
            make: takes nothing; returns what can be pickled, so no expression of the engine. It may draw from `rng`,
                which goes on from the same state in every language.
        """
        stage = os.environ.get(STAGE)
        file = self.store.root / "once" / self.chapter / f"{name}.pickle"
        if stage and os.environ.get(RECALL) == "1" and file.exists():
            made, self.rng.bit_generator.state = pickle.loads(file.read_bytes())
            return made
        made = make()
        if stage:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(pickle.dumps((made, self.rng.bit_generator.state)))
        return made

    def peek(self, table: ir.Table, limit: int = 10) -> pd.DataFrame:
        """A few rows to look at, at most 1,000."""
        return _to_pandas(table.limit(min(limit, 1000)))

    def frame(self, table: ir.Table, *, limit: int = 5_000_000) -> pd.DataFrame:
        """A table of customers, or smaller, in pandas; decimals become floats.

        Raises:
            WorkbookError: past `limit` rows, which do not belong in memory.
        """
        frame = _to_pandas(table.limit(limit + 1))
        if len(frame) > limit:
            raise WorkbookError(
                f"More than {limit:,} rows were asked into memory by {self.chapter}.",
                way_out="Aggregate in the engine first, or work on a stated sample.",
            )
        return frame

    def find(
        self,
        name: str,
        value: Any,
        *,
        unit: str = "",
        low: Any = None,
        high: Any = None,
        n: int | None = None,
        reason: str = "",
        evidence: str = "",
    ) -> Finding:
        """Name a result. A value of None needs a reason, such as `too_few`; a claim of cause or future its evidence."""
        if name in self.findings:
            raise ValueError(f"{self.chapter} found {name!r} twice")
        if value is None and not reason:
            raise ValueError(f"{name!r} has no value and no reason why")
        finding = Finding(plain(value), unit, plain(low), plain(high), None if n is None else int(n), reason, evidence)
        self.findings[name] = finding
        self.provenance.finds(name)
        return finding

    def find_known(
        self, name: str, value: Any, unit: str, *, low: float | None = None, high: float | None = None,
        n: int | None = None, reason: str = "too_few", evidence: Evidence | str = "",
    ) -> Finding:
        """Name a result that may rest on too little: its value, or the reason why there is none."""
        return self.find(
            **known(name, value, unit, low=low, high=high, n=n, reason=reason, evidence=evidence)._asdict())

    def previous(self, name: str, chapter: str = "") -> Finding | None:
        """The same finding in the report of the period before, as first published."""
        told = first_published(self.settings, self.period.previous().label)
        return told.get(chapter or self.chapter, {}).get(name)

    def freeze(self, name: str, fit: Callable[[date], dict[str, Any]]) -> Frozen:
        """A rule fitted on what was known at the end of the base period, and kept from then on.

        Args:
            fit: takes the last day to be seen and returns the rule, as JSON can hold it.
        """
        base = self.base_period
        if base.end > self.as_of:  # also when it was fitted since: the order of back-filling changes nothing
            return Frozen(self.once(f"frozen-{name}", lambda: fit(self.as_of)), self.period, provisional=True)
        kept = self.store.document(f"frozen/{name}")
        if kept is None or kept["base"] != base.label:  # another base period was declared: a refit
            kept = {"rule": fit(base.end), "base": base.label, "made_by": self.chapter}
            self.store.keep_document(f"frozen/{name}", kept)
        return Frozen(kept["rule"], base, provisional=False)

    def as_cleaned(self, day: date, name: str, now: Table) -> Table:
        """A clean table as it was made for an earlier day, where it was; else `now`, which knows of later merges."""
        full = f"{day.isoformat()}/{name}"
        known = day != self.as_of and self.store.has(full)
        return self.provenance.reads(self.store.read(full, self.con), name) if known else now

    def close(self) -> pd.DataFrame:
        """Write the findings; returns them, one row each (value, unit, low, high, n, reason)."""
        write_findings(self.store.root / "findings" / f"{self.chapter}.json", self.findings)
        if STAGE in os.environ:
            display({KIND: self.provenance.told()}, raw=True)
        return pd.DataFrame.from_dict(
            {name: vars(finding) for name, finding in self.findings.items()}, orient="index", dtype="object"
        )

    @cached_property
    def base_period(self) -> Period:
        """The period at whose end rules are fitted: the declared one, else the last complete one at the first run."""
        if self.settings.base_period:
            return periods.period_of(self.settings.base_period, self.settings.period)
        first = self.store.document("frozen/base_period")
        if first is None:
            first = {"base": self._newest_period.label}
            self.store.keep_document("frozen/base_period", first)
        return periods.period_of(first["base"], self.settings.period)

    @property
    def _newest_period(self) -> Period:
        """The last complete one on record, so that it does not matter which period is rendered first."""
        known = any(self.store.has(name) for name in ("raw/orders", "raw/order_lines"))
        return last_complete_period(self.store, self.settings) if known else self.period

    def _full(self, name: str) -> str:
        return name if name.startswith(_ANY_DATE) else f"{self.as_of.isoformat()}/{name}"


def open_run(chapter: str, *, settings: str = "workbook.yaml", as_of: str = "", lang: str = "en") -> Run:
    """Open a chapter's run.

    Args:
        chapter: the notebook's name without its ending, such as `04_rfm`.
        settings: path of the settings file; a relative one is looked for here and in the folders above.
        as_of: a period or a day (`2026-06`, `2026-06-30`); empty: the last complete period on record.
        lang: `en` or `zh`.
    """
    declared = load_settings(settings)
    if PART in os.environ:
        declared = declared.of_part(Part(*json.loads(os.environ[PART])))
    return Run(chapter, declared, open_store(declared), as_of=as_of, lang=lang)


def published(settings: Settings) -> Store:
    """The shop's published tables; a part of a shop has its own, and reads through to what was collected for all."""
    if settings.part is None:
        return Store(settings.store_folder)
    whole = Store(settings.model_copy(update={"part": None}).store_folder)
    return Store(settings.store_folder, whole, through=_ANY_DATE)


def open_store(settings: Settings) -> Store:
    """The shop's store under the overlay of this run: a render's stage, or the analyst's scratch."""
    below = published(settings)
    stage = os.environ.get(STAGE)
    return Store(Path(stage) if stage else settings.store_folder / "scratch", below)


def forget_scratch(settings: Settings) -> None:
    """Throw away what interactive runs wrote."""
    shutil.rmtree(settings.store_folder / "scratch", ignore_errors=True)


def last_complete_period(store: Store, settings: Settings) -> Period:
    """The last period that is over by the newest order that is not dated after its arrival."""
    return periods.last_complete(days_on_record(store)[1], settings.period)


def days_on_record(store: Store, *, since: date = date.min) -> tuple[date, date]:
    """The first day with an order, and the newest with one that is not dated after its arrival.

    Args:
        since: the first day that is possible; what is dated before it is mistyped.
    """
    seen = [days for name in ("raw/orders", "raw/order_lines") if store.has(name)
            for days in _first_and_newest(store, name, since)]
    if not seen:
        raise WorkbookError(
            "No order with a possible date has been collected yet.",
            why="Without one there is no last complete period to report on.",
            way_out="Run 01_collection first and look at its quarantine; or name a period with --as-of 2026-06.",
        )
    return min(first for first, _ in seen), max(newest for _, newest in seen)


def _first_and_newest(store: Store, name: str, since: date) -> list[tuple[date, date]]:
    with duckdb.connect() as con:
        orders = con.read_parquet([str(path) for path in store.files(name)], union_by_name=True)
        possible = orders.filter(f"ordered_on <= arrived_at::DATE + 1 AND ordered_on >= '{since:%Y-%m-%d}'")
        first, newest = possible.aggregate("min(ordered_on), max(ordered_on)").fetchone()
    return [(first, newest)] if newest else []


def _to_pandas(table: ir.Table) -> pd.DataFrame:
    """Through Arrow, so that decimals become floats and dates keep a date type."""
    arrow = table.to_pyarrow()
    fields = [pa.field(f.name, pa.float64()) if pa.types.is_decimal(f.type) else f for f in arrow.schema]
    return arrow.cast(pa.schema(fields)).to_pandas(date_as_object=False)
