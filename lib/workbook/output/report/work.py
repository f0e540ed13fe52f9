"""The notebooks of one render, in all its languages: which run, which are kept, and what came of each."""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from workbook.data.engine import SIDE_BY_SIDE
from workbook.data.errors import WorkbookError
from workbook.data.notebooks import Notebook, makers_of
from workbook.data.periods import Period
from workbook.data.run import PART, RECALL, STAGE, last_complete_period
from workbook.data.secrecy import told
from workbook.data.settings import Settings
from workbook.data.store import Store, write_whole
from workbook.output.kernels import environment, measured, warm_kernels
from workbook.output.pages.report import prepare
from workbook.output.report import asked, reuse
from workbook.output.report.execution import Outcome, execute, mask_errors
from workbook.output.report.resume import Attempt
from workbook.output.report.schedule import side_by_side

REPORTING = "WORKBOOK_REPORT"
SAME_FLOAT = 1e-6  # relative; far below what any page shows, and above what the order of additions moves in a fit
AT_ONCE = min(os.cpu_count() or 1, 4)  # notebooks side by side: each holds a shop's customers in memory
# The same for every notebook, whoever runs beside it: with the threads the last digits of a fit would change.
FITTING_THREADS = max(1, (os.cpu_count() or 1) // AT_ONCE)
Tell = Callable[[str, Outcome | None], None]  # called with "lang/chapter" before (None) and after a chapter


def is_good(folder: Path) -> bool:
    file = folder / "run.json"
    if not file.exists():
        return False
    states = {outcome["state"] for outcome in json.loads(file.read_text("utf-8"))["outcomes"]}
    return not states & {"failed", "skipped"}


class Before:
    """The report of the same period that is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        record = json.loads((folder / "run.json").read_text("utf-8"))
        self.made_from: dict[str, dict[str, reuse.Parts | None]] = record.get("made_from", {})
        self.findings = json.loads((folder / "findings.json").read_text("utf-8"))

    def give(self, notebook: Notebook, lang: str, draft: Path, stage: Store, day: date | None) -> bool:
        """Take a chapter over into the draft, if all of it is there: its executed notebook, findings and tables."""
        executed = Path(lang) / "notebooks" / f"{notebook.name}.ipynb"
        there = {name.removeprefix(f"{day}/") for name in stage.names()}
        lacking = [made for made in notebook.makes if not any(fnmatch(name, made) for name in there)]
        if not (self.folder / executed).exists() or lacking:
            return False
        (draft / executed).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(self.folder / executed, draft / executed)
        if notebook.name in self.findings:
            found = json.dumps(self.findings[notebook.name], ensure_ascii=False, indent=1)
            write_whole(stage.root / "findings" / f"{notebook.name}.json", found)
        return True


def has_orders(stage: Store) -> bool:
    return stage.has("raw/orders") or stage.has("raw/order_lines")


class Work:
    """The notebooks of one render in all its languages: what each comes after, and what came of it."""

    def __init__(
        self, settings: Settings, notebooks: list[Notebook], languages: Sequence[str], attempt: Attempt,
        period: Period | None, tell: Tell, *, force: bool,
    ) -> None:
        self.settings, self.attempt, self.period, self.tell = settings, attempt, period, tell
        self.stage, self.draft = attempt.stage, attempt.draft
        self.notebooks = {notebook.name: notebook for notebook in notebooks}
        self.languages, self.force = languages, force
        self.states: dict[tuple[str, str], Outcome] = {}
        self._read: dict[Path, Before | None] = {}  # reports that are there, read once a render
        self.findings: dict[str, dict[str, str]] = {lang: {} for lang in languages}
        self.made_from: dict[str, dict[str, reuse.Parts | None]] = {lang: {} for lang in languages}
        self.beside = ThreadPoolExecutor(1)  # does ahead what does not wait for a notebook, while others run
        self.ahead: list[Future[None]] = []

    def after(self) -> dict[tuple[str, str], set[tuple[str, str]]]:
        """(language, chapter) → what must be done before: its makers, and the first language's run of it."""
        first, every = self.languages[0], list(self.notebooks.values())
        graph = {}
        for lang in self.languages:
            for notebook in every:
                makers = makers_of((*notebook.needs, *notebook.optional), every) - {notebook.name}
                before = {(first, maker) for maker in makers} if lang == first else {(first, notebook.name)}
                graph[lang, notebook.name] = before
        return graph

    def run(self, task: tuple[str, str], sharing: int) -> Outcome:
        """One notebook in one language, on its share of the cores."""
        lang, name = task
        notebook = self.notebooks[name]
        outcome = self._blocked(notebook)
        if outcome is None:
            outcome = self._reused_or_executed(notebook, lang, sharing)
        outcome = replace(outcome, error=told(outcome.error, self.settings))
        if outcome.state == "done":
            self.attempt.note(lang, outcome, self.made_from[lang][name])
            self.ahead.append(self.beside.submit(prepare, self._executed_at(lang, notebook)))
        self.states[task] = outcome
        self.tell(f"{lang}/{name}", outcome)
        found = self.stage.root / "findings" / f"{name}.json"
        if found.exists():  # before another language writes its own there
            self.findings[lang][name] = found.read_text("utf-8")
        if outcome.state == "done" and "raw/*" in notebook.makes:
            self._settle_period()
        return outcome

    def _settle_period(self) -> None:
        """Once all that arrived has been collected, it is known which period can be reported on."""
        if self.period is None:
            self.period = last_complete_period(self.stage, self.settings)
        elif not self.settings.part:
            asked.refuse_outside(self.period, self.stage, self.settings)

    def _reused_or_executed(self, notebook: Notebook, lang: str, sharing: int) -> Outcome:
        parameters = {"settings": str(self.settings.file), "as_of": _as_of(self.period), "lang": lang}
        parameters |= self.settings.chapters.get(notebook.name, {})
        now = reuse.parts(notebook, lang, parameters, settings=self.settings, store=self.stage, period=self.period)
        self.made_from[lang][notebook.name] = now
        resumed = None if self.force else self.attempt.done(lang, notebook, now)
        if resumed is not None:
            return resumed
        if lang == self.languages[0]:
            self.attempt.forget(notebook.name)
        before = self._report_before()
        changed = reuse.changed(before and before.made_from.get(lang, {}).get(notebook.name), now)
        if before and not changed and not self.force and before.give(notebook, lang, self.draft, self.stage, self._day):
            return Outcome(notebook.name, "done", kept=True)
        self.tell(f"{lang}/{notebook.name}", None)
        outcome = self._executed(notebook, lang, parameters, sharing)
        if now is not None:
            self.made_from[lang][notebook.name] = now | {"frozen": reuse.frozen(notebook, self.stage)}
        return replace(outcome, changed=changed)

    @property
    def _day(self) -> date | None:
        return self.period.end if self.period else None

    def _report_before(self) -> Before | None:
        """The good report of this period that is there; where the period is not known yet, of what it was last time."""
        period = self.period
        if period is None:
            period = last_complete_period(self.stage, self.settings) if has_orders(self.stage) else None
        folder = self.settings.reports_folder / period.label if period else None
        if folder and folder not in self._read:
            self._read[folder] = Before(folder) if is_good(folder) else None
        return self._read[folder] if folder else None

    def _executed(self, notebook: Notebook, lang: str, parameters: dict[str, Any], sharing: int) -> Outcome:
        first = self.states.get((self.languages[0], notebook.name))
        recalled = lang != self.languages[0] and first is not None and first.state == "done"
        own = {SIDE_BY_SIDE: str(sharing), RECALL: str(int(recalled))}
        target = self._executed_at(lang, notebook)
        own["OMP_NUM_THREADS"] = os.environ.get("OMP_NUM_THREADS", str(FITTING_THREADS))
        with environment(**own), measured() as peaks:
            outcome = execute(notebook, target, parameters)
        if outcome.state == "failed" and target.exists():
            mask_errors(target, self.settings)
        return replace(outcome, peak_mb=max(peaks, default=0))

    def _executed_at(self, lang: str, notebook: Notebook) -> Path:
        return self.draft / lang / "notebooks" / f"{notebook.name}.ipynb"

    def _blocked(self, notebook: Notebook) -> Outcome | None:
        """The outcome of a chapter that lacks what a failed one makes."""
        failed = {name for (_, name), outcome in self.states.items() if outcome.state in ("failed", "skipped")}
        because = tuple(sorted(makers_of(notebook.needs, list(self.notebooks.values())) & failed))
        return Outcome(notebook.name, "skipped", because=because) if because else None

    def done(self) -> tuple[list[Outcome], Period]:
        """Everything run or taken over: one outcome a chapter, in the order of the notebooks, and the period."""
        if self.period is not None and not any("raw/*" in notebook.makes for notebook in self.notebooks.values()):
            self._settle_period()
        forked = warm_kernels(list(self.notebooks.values()))
        with _staying(), _reporting(self.stage, self.settings), forked, self.beside:
            self.ahead.append(self.beside.submit(reuse.look_ahead, list(self.notebooks.values())))
            side_by_side(self.after(), self.run, at_once=AT_ONCE)
        for task in self.ahead:
            task.result()
        _agree(self.findings)
        outcomes: list[Outcome] = []
        for lang in self.languages:
            outcomes = _together(outcomes, [self.states[lang, name] for name in self.notebooks])
        if self.period is None:
            first = next(outcome for outcome in outcomes if outcome.state == "failed")
            raise WorkbookError(f"{first.chapter} failed: {first.error}",
                                why="Without orders there is no last complete period to report on.",
                                way_out="Mend what it names, or name the period: workbook render --as-of 2026-06.")
        return outcomes, self.period


def _as_of(period: Period | None) -> str:
    return "" if period is None else period.label if period.is_whole else period.end.isoformat()


def _together(before: list[Outcome], now: list[Outcome]) -> list[Outcome]:
    """One outcome a chapter over the languages: the worse state, the sum of the time."""
    if not before:
        return now
    worse = {"done": 0, "skipped": 1, "failed": 2}
    both = zip(before, now, strict=True)
    return [
        Outcome(a.chapter, max(a.state, b.state, key=worse.__getitem__), a.seconds + b.seconds, a.error or b.error,
                a.because or b.because, tuple(dict.fromkeys([*a.changed, *b.changed])), a.kept and b.kept,
                a.resumed and b.resumed, max(a.peak_mb, b.peak_mb))
        for a, b in both
    ]


def _agree(findings: dict[str, dict[str, str]]) -> None:
    """The languages must have found the same, to the last digit that a page can show."""
    (first, reference), *others = findings.items()
    for lang, found in others:
        differing = [
            figure for name in sorted(reference) for figure in _differing(name, reference[name], found.get(name))]
        if differing:
            raise WorkbookError(
                f"These figures are others in {lang} than in {first}: {', '.join(differing[:8])}.",
                why="A figure may not depend on the reader's language.",
                way_out="Look for a random draw without the run's generator, or for text that enters a calculation.")


def _differing(chapter: str, one: str, other: str | None) -> list[str]:
    """The figures of a chapter that two languages found differently."""
    ours, theirs = json.loads(one), json.loads(other or "{}")
    return [
        f"{chapter}.{name}" for name in sorted({*ours, *theirs})
        if not _same(ours.get(name, {}), theirs.get(name, {}))]


def _same(ours: dict[str, Any], theirs: dict[str, Any]) -> bool:
    """Equal, but for the last bits of floats: an engine with several threads adds in another order each time."""
    return ours.keys() == theirs.keys() and all(_close(value, theirs[key]) for key, value in ours.items())


def _close(one: Any, other: Any) -> bool:
    both = isinstance(one, float) and isinstance(other, float)
    return math.isclose(one, other, rel_tol=SAME_FLOAT) if both else one == other


@contextmanager
def _staying() -> Iterator[None]:
    """papermill changes the folder of the process for each notebook; side by side they change it back in any order."""
    here = Path.cwd()
    try:
        yield
    finally:
        os.chdir(here)


@contextmanager
def _reporting(stage: Store, settings: Settings) -> Iterator[None]:
    """Kernels started inside write to the stage, draw for a page, and see the part of the shop that it is about."""
    own = {STAGE: str(stage.root), REPORTING: "1", **({PART: json.dumps(settings.part)} if settings.part else {})}
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
