"""Publishing in one step: killed before any of its file operations, a run leaves the old or comes to the new."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbook.data import journal
from workbook.data.journal import Move, alone, finish, publish
from workbook.data.store import JOURNAL, Store, write_whole

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")

WRITES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "shutil.move", "os.truncate", "os.link"}
OLD, NEW = pa.table({"n": [1]}), pa.table({"n": [2, 3]})


def workspace(folder: Path) -> Path:
    """A store with the tables a, b and kept, a report of June; a stage with a, b and d, and a draft of June."""
    store = Store(folder / ".workbook")
    for name in ("a", "b", "kept"):
        store.write(name, OLD, made_by="x")
    store.keep_document("frozen/cuts", {"rule": 1})
    stage = Store(folder / ".workbook" / "stage-1", store)
    for name in ("a", "b", "2026-06-30/d"):
        stage.write(name, NEW, made_by="x")
    stage.keep_document("frozen/cuts", {"rule": 2})
    for place, content in (("2026-06", "old"), (".draft-1", "new"), ("2026-06.failed", "broken")):
        for name in ("run.json", "en/index.html", "en/04.html"):
            write_whole(folder / "reports" / place / name, content)
    write_whole(folder / "reports" / ".draft-1" / "zh" / "index.html", "new")
    return folder


def decide(folder: Path) -> None:
    """Publish the stage and the draft."""
    reports, store = folder / "reports", folder / ".workbook"
    publish(store, Store(store / "stage-1", Store(store)), [Move(reports / ".draft-1", reports / "2026-06")],
            gone=[reports / "2026-06.failed"])


def state(folder: Path) -> dict[str, str]:
    """All that a reader can see: tables by content, documents, the report."""
    store = Store(folder / ".workbook")
    seen = {name: store.entry(name).content for name in store.names()}
    seen |= {f"{name} rows": str(len(pa.concat_tables(map(read, store.files(name))))) for name in store.names()}
    seen["cuts"] = str(store.document("frozen/cuts"))
    reports = folder / "reports"
    return seen | {str(p.relative_to(reports)): p.read_text() for p in sorted(reports.rglob("*")) if p.is_file()}


def read(path: Path) -> pa.Table:
    return pq.read_table(path)


def left(folder: Path) -> list[str]:
    """What a run leaves that no reader wants: drafts, stages, journals, files without their name, unlisted ones."""
    store = Store(folder / ".workbook")
    listed = {path for name in store.names() for path in store.files(name)}
    hidden = [path for path in folder.rglob("*") if path.name.startswith((".draft", ".old", ".p", "stage-", JOURNAL))]
    return sorted(str(path) for path in [*hidden, *(set(store.root.rglob("*.parquet")) - listed)])


def killed_at(step: int, work: Callable[[], None]) -> bool:
    """Do it in a child that is killed before its n-th operation on files; whether it came to that."""
    child = os.fork()
    if child == 0:
        count = 0

        def watch(event: str, arguments: tuple) -> None:
            nonlocal count
            if event in WRITES or (event == "open" and isinstance(arguments[1], str) and arguments[1][0] in "wax"):
                count += 1
                if count == step:
                    os.kill(os.getpid(), signal.SIGKILL)

        code = 1
        try:
            sys.addaudithook(watch)
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0, "the child failed"
        return False
    return True


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return workspace(tmp_path_factory.mktemp("template"))


@pytest.fixture
def fresh(template: Path, tmp_path: Path) -> Callable[[], Path]:
    """`fresh()` is the workspace as it was before anything was published."""

    def make() -> Path:
        shutil.rmtree(tmp_path / "shop", ignore_errors=True)
        return Path(shutil.copytree(template, tmp_path / "shop"))

    return make


@pytest.fixture(params=["exchanged", "renamed twice"])
def manner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways in which a folder takes another's place."""
    if request.param == "renamed twice":
        monkeypatch.setattr(journal, "exchange", lambda _one, _other: False)
    return request.param


def seen_by_readers(folder: Path) -> tuple[dict[str, str], str]:
    """The tables that a reader finds, and the report, while nothing has been finished."""
    store = Store(folder / ".workbook")
    tables = {name: store.entry(name).content for name in store.names()} | {"cuts": str(store.document("frozen/cuts"))}
    assert all(path.exists() for name in store.names() for path in store.files(name)), "a listed file is there"
    report = folder / "reports" / "2026-06" / "run.json"
    return tables, report.read_text() if report.exists() else "none"


def test_killed_before_any_operation_it_comes_out_old_or_new_and_nothing_is_left(
    fresh: Callable[[], Path], manner: str
) -> None:
    folder = fresh()
    (old_tables, _), old = seen_by_readers(folder), state(folder)
    decide(folder)
    (new_tables, _), new = seen_by_readers(folder), state(folder)
    assert new != old and "2026-06.failed/run.json" not in new and new["2026-06/zh/index.html"] == "new"
    assert left(folder) == []
    step, outcomes, reports = 1, [], set()
    while killed_at(step, partial(decide, fresh())):
        tables, report = seen_by_readers(folder)
        assert tables in (old_tables, new_tables), f"killed before operation {step}, some tables are new and others not"
        reports.add(report)
        decided = (folder / ".workbook" / JOURNAL).exists() or tables == new_tables
        with alone(folder / ".workbook", "the next command"):
            after = state(folder)
        assert (tables == new_tables) == decided, f"before operation {step}"
        if decided:
            assert after == new and left(folder) == [], f"killed before operation {step}"
        else:
            assert {name: text for name, text in after.items() if not name.startswith(".draft")} == {
                name: text for name, text in old.items() if not name.startswith(".draft")}
        outcomes.append(decided)
        step += 1
    assert outcomes == sorted(outcomes), "first all old, then all new"
    assert outcomes.count(False) >= 3 and outcomes.count(True) >= 20
    assert reports == ({"old", "new"} if manner == "exchanged" else {"old", "new", "none"})


def test_whoever_finishes_may_be_killed_too(fresh: Callable[[], Path], manner: str) -> None:
    folder = fresh()
    decide(folder)
    new = state(folder)
    for first in (12, 30):
        step = 1
        while True:
            folder = fresh()
            assert killed_at(first, partial(decide, folder))
            if not killed_at(step, partial(finish, folder / ".workbook")):
                break
            finish(folder / ".workbook")
            assert state(folder) == new and left(folder) == []
            step += 4
        assert step > 4


def test_readers_always_find_a_report_while_it_is_replaced_again_and_again(tmp_path: Path) -> None:
    """Where names can be exchanged in one step, which is what the system of this test offers."""
    reports, store = tmp_path / "reports", tmp_path / ".workbook"
    Store(store)
    write_whole(reports / "2026-06" / "run.json", "0")
    if not journal.exchange(reports / "2026-06", _made(reports / "probe")):
        pytest.skip("this file system cannot exchange two names")
    missing, stop = [], threading.Event()

    def look() -> None:
        while not stop.is_set():
            if not (reports / "2026-06").is_dir():
                missing.append(1)

    reader = threading.Thread(target=look)
    reader.start()
    for n in range(60):
        write_whole(reports / ".draft-1" / "run.json", str(n + 1))
        publish(store, None, [Move(reports / ".draft-1", reports / "2026-06")])
    stop.set()
    reader.join()
    assert not missing and (reports / "2026-06" / "run.json").read_text() == "60"


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_files_without_their_name_are_swept_and_others_stay(fresh: Callable[[], Path]) -> None:
    store = fresh() / ".workbook"
    for name in (".FORMAT.0a1b2c3d", "manifest/.a.json.0a1b2c3d", "documents/frozen/.cuts.json.ffffffff"):
        (store / name).write_text("half")
    for name in (".keep.me", "manifest/.gitkeep", "notes.0a1b2c3d"):
        (store / name).write_text("somebody's")
    with alone(store, "the next command"):
        there = {path.name for path in store.rglob("*") if path.is_file()}
    assert {".keep.me", ".gitkeep", "notes.0a1b2c3d"} <= there
    assert not {".FORMAT.0a1b2c3d", ".a.json.0a1b2c3d", ".cuts.json.ffffffff"} & there


def test_a_first_report_and_a_failed_attempt_publish_no_table(fresh: Callable[[], Path]) -> None:
    folder = fresh()
    before = state(folder)
    publish(folder / ".workbook", None, [Move(folder / "reports" / ".draft-1", folder / "reports" / "2026-07")])
    after = state(folder)
    assert after["2026-07/run.json"] == "new" and after["2026-06/run.json"] == "old"
    assert {name: after[name] for name in ("a", "b", "kept", "cuts")} == {
        name: before[name] for name in ("a", "b", "kept", "cuts")}
