"""Many periods in one call: every whole one from a first to a last, in order, each as a render of its own makes it.

What is there and unchanged is passed over, so that a call that was interrupted goes on where it stopped. A period that
fails is told, and the rest goes on. What arrived is collected once, and all periods share the nursery of kernels.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from workbook.collection import COLLECTED, collect
from workbook.data import periods
from workbook.data.errors import WorkbookError
from workbook.data.journal import alone
from workbook.data.notebooks import Notebook, in_order, read_notebooks
from workbook.data.periods import Period
from workbook.data.run import days_on_record
from workbook.data.settings import Settings, load_settings
from workbook.data.store import Store
from workbook.output.kernels import warm_kernels
from workbook.output.report import reuse
from workbook.output.report.render import Rendered, render
from workbook.output.report.work import Tell

COLLECTS = "raw/*"


@dataclass(frozen=True)
class Filled:
    """What became of one period. `state` is rendered, unchanged or failed."""

    period: Period
    state: str
    seconds: float
    reason: str  # why it was passed over or rendered again, or how it failed
    index: Path | None = None  # its first page

    @property
    def label(self) -> str:
        return self.period.label


class Plan(NamedTuple):
    """Which periods are to be filled."""

    periods: list[Period]
    left_out: Period | None  # a period that is not over, and was not asked for by its last day
    newest: date | None  # the newest day with an order


def back_fill(
    settings: str | Path = "workbook.yaml",
    *,
    first: str = "",
    last: str = "",
    lang: str = "",
    force: bool = False,
    planned: Callable[[Plan], None] = lambda _plan: None,
    tell: Tell = lambda _step, _outcome: None,
    ended: Callable[[Filled], None] = lambda _filled: None,
) -> list[Filled]:
    """Render every whole period from the first to the last, then the one after it where it compares with the last.

    Args:
        first: a period, or a day in it; empty: the first on record.
        last: a period, or the last day of one that is not over; empty: the last that is over.
        force: render also what has not changed.
        planned: told once which periods will be filled; what is rendered again beside them is not among these.
        tell: told before and after each chapter.
        ended: told after each period.

    Raises:
        WorkbookError: settings or period are not known, the last lies before the first, nothing has been collected.
    """
    declared = load_settings(settings)
    notebooks = in_order(read_notebooks())
    plan = _plan(declared, notebooks, first, last)
    planned(plan)
    filled: list[Filled] = []
    with warm_kernels(notebooks), _collected_once():
        for period in plan.periods:
            filled.append(_fill(declared.file, period, "", lang=lang, force=force, tell=tell))
            ended(filled[-1])
        after = behind(declared, declared.reports_folder / plan.periods[-1].label)
        if after:
            reason, period = f"it compares with {plan.periods[-1].label}", periods.period_of(after, declared.period)
            filled.append(_fill(declared.file, period, reason, lang=lang, force=False, tell=tell))
            ended(filled[-1])
    return filled


def behind(settings: Settings, folder: Path) -> str:
    """The period after a rendered one, where it was rendered when less was published to compare with; else empty."""
    label = periods.period_of(folder.name, settings.period).next().label
    return label if reuse.is_behind(settings, settings.reports_folder / label) else ""


def _plan(settings: Settings, notebooks: list[Notebook], first: str, last: str) -> Plan:
    """The whole periods between two; the one that the last day cuts short only where a day was asked for."""
    grain = settings.period
    named = [periods.period_of(text, grain).whole for text in (first, last) if text]  # before all is read
    if named != sorted(named):
        raise WorkbookError(f"{last} lies before {first}.", way_out="Write --from FIRST --to LAST.")
    collects = any(COLLECTS in notebook.makes for notebook in notebooks)
    seen = _collected(settings) if collects else None
    if seen is None and not (first and last):
        raise WorkbookError("Which periods are to be filled cannot be told from the record.",
                            way_out="Name both ends: workbook render --from 2025-01 --to 2026-06")
    oldest = periods.period_of(first, grain).whole if first else periods.containing(seen[0], grain)
    newest = periods.period_of(last, grain) if last else periods.last_complete(seen[1], grain)
    if newest.start < oldest.start:
        raise WorkbookError(
            f"The last period that is over by the newest order on record, {newest.label}, lies before {oldest.label}.",
            way_out=f"Write --from {newest.label}, or an earlier one.")
    wanted = list(_between(oldest, newest))
    over = [period for period in wanted if seen is None or period.end <= seen[1] or not period.is_whole]
    there = [period for period in over if seen is None or period.end >= seen[0]]
    if not there:
        raise WorkbookError(
            f"No period from {oldest.label} to {newest.label} is over by the newest order on record.",
            why="" if seen is None else f"Orders lie between {seen[0]} and {seen[1]}.",
            way_out=f"Name an earlier one; or one that is not over by its last day: --to {seen[1] if seen else 'DAY'}")
    return Plan(there, wanted[len(over)] if len(over) < len(wanted) else None, seen[1] if seen else None)


def _between(first: Period, last: Period) -> Iterator[Period]:
    period = first
    while period.start < last.start:
        yield period
        period = period.next()
    yield last


def _collected(settings: Settings) -> tuple[date, date]:
    """The first and the newest day with an order, after what is new has been collected."""
    with alone(settings.store_folder, "workbook render --from"):
        store = Store(settings.store_folder)
        collect(settings, store, progress=True)
    return days_on_record(store, since=settings.cleaning.first_possible_date)


@contextmanager
def _collected_once() -> Iterator[None]:
    """Notebooks that run inside collect nothing more."""
    os.environ[COLLECTED] = "1"
    try:
        yield
    finally:
        del os.environ[COLLECTED]


def _fill(settings: Path, period: Period, reason: str, *, lang: str, force: bool, tell: Tell) -> Filled:
    """One period; its settings by their whole path, since notebooks that ran may leave this process in their folder."""
    began = time.perf_counter()
    try:
        rendered = render(settings, as_of=period.label, lang=lang, force=force, tell=tell)
    except WorkbookError as error:
        return Filled(period, "failed", time.perf_counter() - began, str(error).splitlines()[0])
    state = "unchanged" if rendered.unchanged else "rendered" if rendered.ok else "failed"
    return Filled(period, state, time.perf_counter() - began, _reason(rendered) or reason, rendered.index)


def _reason(rendered: Rendered) -> str:
    if rendered.unchanged:
        return "nothing it is made from has changed"
    return "; ".join(f"{one.chapter}: {one.error}" for one in rendered.outcomes if one.state == "failed")
