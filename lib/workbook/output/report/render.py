"""One render: the notebooks in order of what each needs, then the pages, then all of it published at once."""

from __future__ import annotations

import codecs
import json
import os
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from workbook import __version__
from workbook.data import periods
from workbook.data.errors import WorkbookError, nearest
from workbook.data.formulas import harmless_texts
from workbook.data.journal import Move, alone, publish
from workbook.data.notebooks import Notebook, in_order, makers_of, read_notebooks
from workbook.data.periods import Period
from workbook.data.publications import first_edition
from workbook.data.run import last_complete_period, published
from workbook.data.settings import Settings, load_settings
from workbook.data.store import Store, write_whole
from workbook.output import forms
from workbook.output.delivery.log import RunLog
from workbook.output.pages.report import write_pages
from workbook.output.pages.trends import write_list
from workbook.output.report import reuse
from workbook.output.report.execution import Outcome, check_options
from workbook.output.report.freshness import fingerprint, same_report
from workbook.output.report.parts import of_part
from workbook.output.report.restatements import Telling
from workbook.output.report.resume import Attempt, begin
from workbook.output.report.work import Tell, Work, has_orders, is_good

MOST_ROWS_IN_CSV = 100_000


class Rendered(NamedTuple):
    """What a render made."""

    folder: Path  # where the attempt lies
    index: Path  # the page to open first
    outcomes: list[Outcome]
    kept: Path | None  # the last good report, when this attempt did not replace it
    unchanged: bool = False  # nothing it is made from changed, so that it was not made again
    forms: tuple[forms.Attempt, ...] = ()  # what was made beside the pages, and what could not be

    @property
    def ok(self) -> bool:
        return all(outcome.state == "done" for outcome in self.outcomes)

    @property
    def state(self) -> str:
        """done, failed, or unchanged."""
        return "unchanged" if self.unchanged else "done" if self.ok else "failed"


def render(
    settings: str | Path = "workbook.yaml",
    *,
    as_of: str = "",
    only: str = "",
    lang: str = "",
    force: bool = False,
    tell: Tell = lambda _step, _outcome: None,
    wait: bool = False,
) -> Rendered:
    """Run the notebooks and write the report of one period, alone in the workspace.

    What a killed run had decided to publish is finished first, and what it had done is taken up.

    Args:
        as_of: a period or a day; empty: the last complete period before the newest order.
        only: one chapter, by number or name; what it needs and is not there is run too.
        lang: one language; empty: all that the settings name.
        force: render also when nothing has changed since.
        tell: told before and after each chapter.
        wait: wait for another run in the same workspace, instead of refusing.

    Raises:
        Busy: another run works in the workspace.
        WorkbookError: settings, options, chapter or period are not known; the languages disagree on a figure.
    """
    declared = load_settings(settings)
    asked = {"as_of": as_of, "only": only}
    command = " ".join(["workbook render", *(f"--{name.replace('_', '-')} {it}" for name, it in asked.items() if it)])
    with alone(declared.store_folder, command, wait=wait, tell=lambda sentence: tell(sentence, None)):
        log, began = RunLog(declared), time.perf_counter()
        log.begin(command=command, languages=lang or list(declared.languages))
        try:
            rendered = _rendered(declared, asked, lang, _logged(tell, log), force=force)
        except BaseException as error:
            log.write("run_failed", error=f"{type(error).__name__}: {error}", seconds=_since(began))
            raise
        log.write("run_finished", period=rendered.folder.name.removesuffix(".failed"), state=rendered.state,
                  failed=[outcome.chapter for outcome in rendered.outcomes if outcome.state == "failed"],
                  seconds=_since(began))
        return rendered


def render_part(
    settings: Settings, period: Period, *, lang: str = "", force: bool = False,
    tell: Tell = lambda _step, _outcome: None,
) -> Rendered:
    """Write the report of a part of the shop, whose clean tables are there; see `parts.cut`."""
    as_of = period.label if period.is_whole else period.end.isoformat()
    with alone(settings.store_folder, f"workbook render --by {settings.part.dimension}={settings.part.name}"):
        return _rendered(settings, {"as_of": as_of, "only": ""}, lang, tell, force=force)


def _rendered(settings: Settings, asked: dict[str, str], lang: str, tell: Tell, *, force: bool) -> Rendered:
    as_of, only = asked["as_of"], asked["only"]
    notebooks = in_order(read_notebooks())
    check_options(notebooks, settings.chapters)
    notebooks = of_part(notebooks) if settings.part else notebooks
    languages = (lang,) if lang else settings.languages
    period = periods.period_of(as_of, settings.period) if as_of else None
    digest = fingerprint(settings, as_of, only, *languages)
    made = None if force else same_report(settings, digest)
    if made is not None and not reuse.is_behind(settings, made):
        _keep_what_a_killed_run_did_not(settings, made)
        return _as_it_is(made)._replace(forms=tuple(forms.add(made, settings, settings.forms, missing=True)))
    attempt = begin(settings, os.getpid(), asked, anew=force)
    stage, draft = attempt.stage, attempt.draft
    try:
        if period is None and only and has_orders(stage):
            period = last_complete_period(stage, settings)
        chosen = _chosen(notebooks, only, stage, period)
        work = Work(settings, chosen, languages, attempt, period, tell, force=force)
        outcomes, period = work.done()
        folder = settings.reports_folder / period.label
        if only and is_good(folder):
            _complete_from(folder, draft)
        _write_findings(stage, draft)
        _write_run(draft, settings, period, languages, notebooks, outcomes, digest, work.made_from)
        _write_tables(stage, draft, notebooks, period)
        told = Telling(settings, period, stage)
        told.explain(draft)
        write_pages(draft, settings)
        extra = forms.add(draft, settings, dict.fromkeys((*settings.forms, *forms.there(folder))))
        rendered = _publish(settings, attempt, folder, outcomes)._replace(forms=tuple(extra))
        told.publish(rendered.folder) if rendered.ok else None
        write_list(settings)
    except Exception:
        attempt.clear()
        raise
    attempt.clear()  # not after an interruption: as after a kill, the next run takes it up
    return rendered


def _keep_what_a_killed_run_did_not(settings: Settings, folder: Path) -> None:
    """A run may be killed between publishing a report and noting it as the first of its period, or in the list."""
    if first_edition(settings, folder.name) is None and is_good(folder):
        Telling(settings, periods.period_of(folder.name, settings.period), published(settings)).publish(folder)
        write_list(settings)


def _logged(tell: Tell, log: RunLog) -> Tell:
    """Tell, and write it down."""

    def both(step: str, outcome: Outcome | None) -> None:
        lang, _, chapter = step.partition("/")
        if outcome is None:
            log.write("chapter_started", chapter=chapter, lang=lang)
        else:
            log.write("chapter_ended", chapter=chapter, lang=lang, state=_how(outcome),
                      seconds=round(outcome.seconds, 2), because=outcome.changed or outcome.because,
                      error=outcome.error, peak_mb=outcome.peak_mb or None)
        tell(step, outcome)

    return both


def _how(outcome: Outcome) -> str:
    return "kept" if outcome.kept else "resumed" if outcome.resumed else outcome.state


def _since(began: float) -> float:
    return round(time.perf_counter() - began, 2)


def _as_it_is(folder: Path) -> Rendered:
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    outcomes = [_outcome(outcome) for outcome in record["outcomes"]]
    done = [outcome for outcome in outcomes if outcome.state != "absent"]
    return Rendered(folder, folder / "index.html", done, None, unchanged=True)


def _outcome(record: dict[str, Any]) -> Outcome:
    return Outcome(**{name: tuple(value) if isinstance(value, list) else value for name, value in record.items()})


def _chosen(notebooks: list[Notebook], only: str, stage: Store, period: Period | None) -> list[Notebook]:
    """All notebooks; or one and those that make what it needs and is not there."""
    if not only:
        return notebooks
    wanted = next((n for n in notebooks if n.name == only or n.name.startswith(f"{only}_")), None)
    if wanted is None:
        raise WorkbookError(f"There is no chapter {only!r}: {nearest(only, [n.name for n in notebooks])}.",
                            way_out="Name it by its number, such as --only 04.")
    there = {name.removeprefix(f"{period.end.isoformat()}/") for name in stage.names()} if period else set()
    names, waiting = {wanted.name}, [wanted]
    while waiting:
        lacking = [table for table in waiting.pop().needs if not _is_there(table, there)]
        makers = [n for n in notebooks if n.name in makers_of(lacking, notebooks) and n.name not in names]
        names |= {maker.name for maker in makers}
        waiting += makers
    return [notebook for notebook in notebooks if notebook.name in names]


def _is_there(table: str, there: set[str]) -> bool:
    return any(name.startswith(table[:-1]) for name in there) if table.endswith("*") else table in there


def _write_findings(stage: Store, draft: Path) -> None:
    """The findings of this run; chapters that were not run keep those of the report before."""
    file = draft / "findings.json"
    found = json.loads(file.read_text("utf-8")) if file.exists() else {}
    for path in sorted((stage.root / "findings").glob("*.json")):
        found[path.stem] = json.loads(path.read_text("utf-8"))
    write_whole(file, json.dumps(dict(sorted(found.items())), ensure_ascii=False, indent=1, allow_nan=False))


def _write_run(
    draft: Path, settings: Settings, period: Period, languages: Sequence[str], notebooks: list[Notebook],
    outcomes: list[Outcome], digest: str, made_from: dict[str, dict[str, reuse.Parts | None]],
) -> None:
    """What the pages are made from, beside the notebooks and findings."""
    good = all(outcome.state == "done" for outcome in outcomes)
    file = draft / "run.json"
    before = json.loads(file.read_text("utf-8")) if file.exists() else {"outcomes": [], "languages": []}
    run = {outcome["chapter"]: outcome for outcome in before["outcomes"] if outcome["state"] != "absent"}
    run |= {outcome.chapter: asdict(outcome) for outcome in outcomes}
    record = {
        "shop": settings.name,
        "period": period.label,
        "as_of": period.end.isoformat(),
        "rendered_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": __version__,
        "engine": settings.engine.url,
        "fingerprint": digest if good else "",
        "compared_with": reuse.compared_with(settings, period),
        "languages": [lang for lang in ("en", "zh") if lang in {*languages, *before["languages"]}],
        "made_from": {
            lang: before.get("made_from", {}).get(lang, {}) | made_from.get(lang, {}) for lang in ("en", "zh")},
        "outcomes": [run.get(n.name, asdict(Outcome(n.name, "absent"))) for n in sorted(notebooks)],
    }
    write_whole(file, json.dumps(record, ensure_ascii=False, indent=1))


def _write_tables(stage: Store, draft: Path, notebooks: list[Notebook], period: Period) -> None:
    """The chapters' own tables as CSV for whoever wants to go on: one row a customer or fewer, never events."""
    folder = draft / "tables"
    folder.mkdir(exist_ok=True)
    own = {table for notebook in notebooks for table in notebook.makes if not table.endswith("*")}
    ledgers = {"clean/ledger", "clean/quality", "clean/gates", "clean/unmatched_returns"}
    prefix = f"{period.end.isoformat()}/"
    for name in stage.names():
        table = name.removeprefix(prefix)
        if name == table or table not in own | ledgers or stage.entry(name).rows > MOST_ROWS_IN_CSV:
            continue
        with duckdb.connect() as con:
            files = [str(path) for path in stage.files(name)]
            file = folder / f"{table.replace('/', '_')}.csv"
            harmless_texts(con.read_parquet(files)).write_csv(str(file))
        file.write_bytes(codecs.BOM_UTF8 + file.read_bytes())  # by which a spreadsheet knows that it is UTF-8


def _complete_from(folder: Path, draft: Path) -> None:
    """Take what this render did not make from the report that is there."""
    for path in folder.rglob("*"):
        target = draft / path.relative_to(folder)
        made_anew = path.suffix == ".html" or path.name in forms.NAMES.values()
        if path.is_file() and not made_anew and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)


def _publish(settings: Settings, attempt: Attempt, folder: Path, outcomes: list[Outcome]) -> Rendered:
    """Put the draft in its place, and the tables into the store, in one step.

    A failed attempt publishes no table and leaves a good report where it is.
    """
    ok = all(outcome.state == "done" for outcome in outcomes)
    keep = not ok and is_good(folder)
    failed = folder.with_name(f"{folder.name}.failed")
    target = failed if keep else folder
    publish(settings.store_folder, attempt.stage if ok else None, [Move(attempt.draft, target)],
            gone=[failed] if ok else [])
    return Rendered(target, target / "index.html", outcomes, folder if keep else None)
