"""A run that is killed at any of many points: the next one goes on where it stopped and comes to the same."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from workbook.data.settings import load_settings
from workbook.data.store import Store
from workbook.output import report
from workbook.output.delivery.log import lines
from workbook.output.delivery.status import status

pytestmark = [pytest.mark.slow,
              pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked for in /proc")]

SETTINGS = """
name: Corner shop
currency: EUR
sources: [{table: orders, path: orders.csv, columns: {a: order_id, b: amount, c: ordered_at}}]
"""
# A run in a process group of its own, which kills the group when it is about to give a file its name.
LAUNCHER = """
import os, signal, sys
wanted = os.environ["KILL_AT"]

def watch(event, arguments):
    if event == "os.rename" and wanted and wanted in str(arguments[1]):
        os.killpg(0, signal.SIGKILL)

sys.addaudithook(watch)
from workbook.output import report
report.render(sys.argv[1], as_of="2026-06")
"""
# A chapter kills the run that started it, and its process group, when a file asks for that; it works on all the same.
DEADLY = """
import os, signal
asked = os.environ["WORKBOOK_STAGE"] + "/../../kill-" + run.chapter[:2]
if os.path.exists(asked):
    os.remove(asked)
    os.killpg(int(os.environ["TRIAL_GROUP"]), signal.SIGKILL)
    while True:
        pass
"""
FIRST = f"""
run.keep("first", pa.table({{"n": run.rng.integers(0, 1000, 500)}}))
run.freeze("cut", lambda day: {{"cut": int(run.rng.integers(0, 100))}})
{DEADLY}
run.find("sum", int(run.table("first").n.sum().execute()))
"""
SECOND = f"""
first = run.table("first")
run.keep("second", first.mutate(m=first.n * 2))
{DEADLY}
run.find("sum", int(run.table("second").m.sum().execute()))
"""
THIRD = "second = run.table('second')\nrun.keep('third', second.filter(second.m > 500))\nrun.find('sum', 1)"


@pytest.fixture
def shops(book: Callable[..., None], tmp_path: Path) -> Callable[[str], Path]:
    """`shops("name")` is the settings file of a new workspace; all have the same three chapters."""
    book("11_first", FIRST, makes=["first"])
    book("12_second", SECOND, needs=["first"], makes=["second"])
    book("13_third", THIRD, needs=["second"], makes=["third"])

    def make(name: str) -> Path:
        file = tmp_path / name / "workbook.yaml"
        file.parent.mkdir()
        file.write_text(SETTINGS, encoding="utf-8")
        (file.parent / "orders.csv").write_text("a,b,c\n", encoding="utf-8")
        return file

    return make


def result(file: Path) -> dict[str, object]:
    """What a run is there for: its tables by content, its rules, its findings."""
    store = Store(file.parent / ".workbook")
    tables = {name: store.entry(name).content for name in store.names()}
    rules = {name: store.document(name) for name in store.document_names("frozen")}
    findings = (file.parent / "reports" / "2026-06" / "findings.json").read_text(encoding="utf-8")
    return {"tables": tables, "rules": rules, "findings": json.loads(findings)}


def leftovers(file: Path) -> list[str]:
    store, reports = file.parent / ".workbook", file.parent / "reports"
    wanted = {"FORMAT", "documents", "lock", "log", "manifest", "tables"}
    odd = [path for path in store.iterdir() if path.name not in wanted]
    odd += [path for path in reports.rglob("*") if path.name.startswith(".")]
    files = {str(path) for name in Store(store).names() for path in Store(store).files(name)}
    return [str(path) for path in odd] + sorted({str(path) for path in store.rglob("*.parquet")} - files)


def processes(marker: str) -> list[str]:
    """Processes that were started, directly or not, with the marker in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            environment, state = (folder / "environ").read_bytes(), (folder / "stat").read_text().rpartition(")")[2]
        except OSError:
            continue  # it ended meanwhile, or is somebody else's
        if marker.encode() in environment and state.split()[0] != "Z":
            found.append(folder.name)
    return found


def kill_a_run(file: Path, *, at: str = "", after: float = 0.0) -> bool:
    """Start a run and have it killed, with its process group; whether it came to that. Nobody may be left.

    Args:
        at: when it is about to give a file a name that holds this.
        after: so many seconds after it has begun.
    """
    begun, marker = runs_begun(file), f"WORKBOOK_TRIAL_{uuid.uuid4().hex}"
    run = subprocess.Popen(
        [sys.executable, "-c", "import os; os.environ['TRIAL_GROUP'] = str(os.getpid())\n" + LAUNCHER, str(file)],
        env=os.environ | {"KILL_AT": at, marker: "1"}, start_new_session=True, cwd=file.parent,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if after:
        while runs_begun(file) == begun and run.poll() is None:
            time.sleep(0.05)
        time.sleep(after)
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
    run.wait(timeout=300)
    until = time.monotonic() + 10
    while (there := processes(marker)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not there, f"processes {there} outlived the run"
    assert run.returncode in (0, -signal.SIGKILL)
    return run.returncode != 0


def runs_begun(file: Path) -> int:
    return sum(line["event"] == "run_started" for line in lines(load_settings(file)))


def executed(file: Path) -> list[str]:
    """Run again; the chapters that were executed."""
    began: list[str] = []
    rendered = report.render(file, as_of="2026-06", tell=lambda step, o: began.append(step) if o is None else None)
    assert rendered.ok, [outcome.error for outcome in rendered.outcomes]
    assert rendered.folder.name == "2026-06"
    assert [outcome.resumed for outcome in rendered.outcomes] == [
        f"en/{outcome.chapter}" not in began and not rendered.unchanged for outcome in rendered.outcomes]
    return began


POINTS = {
    # where it is killed: (a name about to be given, or a file that has the chapter's kernel do it, what runs again)
    "in the first chapter, its table kept and its rule frozen": ("kill-11", ["11", "12", "13"]),
    "in the second chapter, its table kept": ("kill-12", ["12", "13"]),
    "after the last chapter": ("/run.json", []),
    "before it is decided to publish": ("publishing.json", []),
    "before the last manifest": ("manifest/2026-06-30/third.json", []),
}


_undisturbed: dict[str, object] = {}  # what a run comes to that nobody kills; made once


def undisturbed(shops: Callable[[str], Path]) -> dict[str, object]:
    if not _undisturbed:
        file = shops("undisturbed")
        assert [step[3:5] for step in executed(file)] == ["11", "12", "13"]
        _undisturbed.update(result(file))
    return _undisturbed


@pytest.mark.parametrize("where", POINTS)
def test_a_run_killed_at_any_point_goes_on_and_comes_to_the_same(shops: Callable[[str], Path], where: str) -> None:
    at, again = POINTS[where]
    file = shops("killed")
    by_kernel = at.startswith("kill-")
    if by_kernel:
        (file.parent / at).touch()
    assert kill_a_run(file, at="" if by_kernel else at), "it was not killed"
    told = status(load_settings(file))
    assert told["runs"][-1]["state"] == "killed" and told["unfinished"] and told["running"] is None
    assert [step[3:5] for step in executed(file)] == again
    assert result(file) == undisturbed(shops)
    assert leftovers(file) == []


def test_a_run_killed_at_random_times_again_and_again_comes_to_the_same(shops: Callable[[str], Path]) -> None:
    rng, file = random.Random(4), shops("random")
    for _ in range(2):
        kill_a_run(file, after=rng.uniform(0.1, 6))
    executed(file)
    assert result(file) == undisturbed(shops)
    assert leftovers(file) == []


def test_what_a_killed_run_was_not_asked_for_is_cleared_away(shops: Callable[[str], Path]) -> None:
    file = shops("other")
    (file.parent / "kill-12").touch()
    assert kill_a_run(file)
    assert leftovers(file)
    rendered = report.render(file, as_of="2026-05")
    assert rendered.ok and rendered.folder.name == "2026-05"
    assert leftovers(file) == []
    store = Store(file.parent / ".workbook")
    assert {name.split("/")[0] for name in store.names()} == {"2026-05-31"}
