"""What a killed run had done: the next one that is asked for the same takes it up, instead of starting anew.

A run notes each chapter beside its tables as soon as it is done: how it went, what it was made from and for which
period. Whoever begins next, alone in the workspace, finds the stage and the draft of a dead run. Asked for the same,
it goes on in them, after taking out what was only half made; a chapter done there is kept when it would be made from
the same now. Asked for something else, or with nothing to go on from, it clears them away.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

from workbook.data.notebooks import Notebook
from workbook.data.run import published
from workbook.data.settings import Settings
from workbook.data.store import Store, write_whole
from workbook.output.report import reuse
from workbook.output.report.execution import Outcome
from workbook.output.report.freshness import sources_state

ASKED = "asked.json"


class Done(NamedTuple):
    """A chapter in one language that a killed run had done."""

    outcome: Outcome
    parts: reuse.Parts | None


class Attempt:
    """One run's stage and draft, and what is done in them already.

    Args:
        root: the folder of the stage.
        draft: the folder of the report that is being made.
        below: the store that the stage lies over.
    """

    def __init__(self, root: Path, draft: Path, below: Store) -> None:
        self.draft = draft
        self.stage = Store(root, below)

    @property
    def notes(self) -> Path:
        return self.stage.root / "progress"

    def note(self, lang: str, outcome: Outcome, parts: reuse.Parts | None) -> None:
        """Write down that a chapter is done."""
        record = {"outcome": asdict(outcome), "parts": parts}
        write_whole(self.notes / lang / f"{outcome.chapter}.json", json.dumps(record, ensure_ascii=False))

    def done(self, lang: str, notebook: Notebook, now: reuse.Parts | None) -> Outcome | None:
        """How a chapter went in the killed run, if it would come out the same now and all of it is there."""
        noted = self._noted(lang, notebook.name)
        executed = self.draft / lang / "notebooks" / f"{notebook.name}.ipynb"
        if noted is None or not executed.exists() or now is None or reuse.changed(noted.parts, now):
            return None
        return replace(noted.outcome, resumed=True)

    def forget(self, chapter: str) -> None:
        """Take out what the killed run made of a chapter that is made again."""
        own = Store(self.stage.root)
        for name in own.names():
            entry = own.entry(name)
            if entry is not None and entry.made_by == chapter:
                own.drop(name)
        for file in self.notes.glob(f"*/{chapter}.json"):
            file.unlink()

    def clear(self) -> None:
        """Remove stage and draft."""
        shutil.rmtree(self.draft, ignore_errors=True)
        shutil.rmtree(self.stage.root, ignore_errors=True)

    def chapters(self) -> dict[str, set[str]]:
        """Chapter → languages in which it is done."""
        found: dict[str, set[str]] = {}
        for file in sorted(self.notes.glob("*/*.json")):
            found.setdefault(file.stem, set()).add(file.parent.name)
        return found

    def _noted(self, lang: str, chapter: str) -> Done | None:
        file = self.notes / lang / f"{chapter}.json"
        if not file.exists():
            return None
        record = json.loads(file.read_text(encoding="utf-8"))
        outcome = {name: tuple(v) if isinstance(v, list) else v for name, v in record["outcome"].items()}
        return Done(Outcome(**outcome), record["parts"])


def begin(settings: Settings, number: int, asked: dict[str, str], *, anew: bool) -> Attempt:
    """The stage and the draft of a run, with what a killed one had done when it was asked for the same.

    Args:
        number: of this process; stage and draft are called by it.
        asked: what this run is asked for.
        anew: take nothing up.
    """
    store, reports = settings.store_folder, settings.reports_folder
    stage, draft = store / f"stage-{number}", reports / f".draft-{number}"
    taken = None if anew else next((left for left in _left(store) if _asked(left) == asked), None)
    old = taken and reports / f".draft-{taken.name.removeprefix('stage-')}"
    for folder in [*_left(store), *reports.glob(".draft-*"), *reports.glob(".old-*")]:
        if folder not in (taken, old):
            shutil.rmtree(folder)
    if taken and taken != stage:  # whoever of the killed run still writes for a moment does not find it any more
        taken.rename(stage)
    if taken and old.exists() and old != draft:
        old.rename(draft)
    attempt = Attempt(stage, draft, published(settings))
    if taken:
        _take_out_halves(attempt, settings)
    sources = {"sources": sources_state(settings)}
    write_whole(attempt.notes / ASKED, json.dumps(asked | sources))
    return attempt


def _left(store: Path) -> list[Path]:
    """Stages of dead runs: whoever holds the lock knows that no other lives."""
    return sorted(store.glob("stage-*"), key=lambda path: path.stat().st_mtime, reverse=True)


def _asked(stage: Path) -> dict[str, str] | None:
    record = _record(stage)
    return {name: value for name, value in record.items() if name != "sources"} if record else None


def _record(stage: Path) -> dict[str, str]:
    file = stage / "progress" / ASKED
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def _take_out_halves(attempt: Attempt, settings: Settings) -> None:
    """Only what chapters left that were done stays; what was collected, only when the sources are still the same."""
    root, done = attempt.stage.root, attempt.chapters()
    sources = sources_state(settings)
    own = Store(root)
    if not sources or sources != _record(root).get("sources"):
        for chapter in {own.entry(name).made_by for name in own.names() if name.startswith(("raw/", "collection/"))}:
            attempt.forget(chapter)
            done.pop(chapter, None)
    for name in own.names():
        if own.entry(name).made_by not in done:
            own.drop(name)
    for path in (root / "documents").rglob("*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        maker = record.get("made_by") if isinstance(record, dict) else None
        if not done or (maker is not None and maker not in done):
            path.unlink()
    for path in (root / "findings").glob("*.json"):
        if path.stem not in done:
            path.unlink()
    shutil.rmtree(root / "spill", ignore_errors=True)
    for path in _half_made(attempt.draft, done):
        path.unlink()


def _half_made(draft: Path, done: dict[str, set[str]]) -> Iterator[Path]:
    """The files of a draft but the executed notebooks of chapters that were done in that language."""
    for path in sorted(draft.rglob("*")):
        lang, *inside = path.relative_to(draft).parts
        whole = inside[:1] == ["notebooks"] and path.suffix == ".ipynb" and lang in done.get(path.stem, ())
        if path.is_file() and not whole:
            yield path
