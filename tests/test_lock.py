"""One run at a time: who holds the lock is told, whoever died does not hold it, and readers need none."""

from __future__ import annotations

import errno
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbook.cli import app
from workbook.data import lock
from workbook.data.lock import Busy, holder, locked

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are killed as POSIX does")
HOLDER = """
import sys, time
from pathlib import Path
from workbook.data import lock
if sys.argv[2] == "file":
    def none(_number):
        raise OSError(95, "Operation not supported")
    lock._flock = none
with lock.locked(Path(sys.argv[1]), "workbook render --as-of 2026-06"):
    print("held", flush=True)
    time.sleep(float(sys.argv[3]))
"""


@pytest.fixture(params=["flock", "file"])
def manner(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the kernel's lock, and on a file system that has none."""

    def refuses(_number: int) -> bool:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    if request.param == "file":
        monkeypatch.setattr(lock, "_flock", refuses)
    return request.param


@pytest.fixture
def held(tmp_path: Path, manner: str) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`held(60)` is a process that holds the lock of tmp_path for so many seconds."""
    started: list[subprocess.Popen[str]] = []

    def start(seconds: float = 60) -> subprocess.Popen[str]:
        process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path / ".workbook"), manner, str(seconds)],
                                   stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_second_run_is_told_who_works_there(held: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    first = held()
    with pytest.raises(Busy) as refused, locked(tmp_path / ".workbook", "mine"):
        pass
    told = str(refused.value)
    assert f"process {first.pid} on {platform.node()}" in told and "workbook render --as-of 2026-06" in told
    assert "--wait" in told and refused.value.exit_code == 75
    assert holder(tmp_path / ".workbook").pid == first.pid


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_whoever_died_holds_nothing(held: Callable[..., subprocess.Popen[str]], tmp_path: Path, how: int) -> None:
    first = held()
    first.send_signal(how)
    first.wait()
    assert holder(tmp_path / ".workbook") is None, "what it wrote is still there, and is not believed"
    with locked(tmp_path / ".workbook", "mine"):
        assert holder(tmp_path / ".workbook").pid == os.getpid()
    assert holder(tmp_path / ".workbook") is None


def test_who_waits_says_so_once_and_gets_it(held: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    first = held(2)
    told: list[str] = []
    began = time.monotonic()
    with locked(tmp_path / ".workbook", "mine", wait=True, tell=told.append):
        assert time.monotonic() - began > 0.5
    assert len(told) == 1 and f"process {first.pid}" in told[0]


def test_a_process_may_take_its_own_lock_again(tmp_path: Path, manner: str) -> None:
    with locked(tmp_path, "outer"):
        with locked(tmp_path, "inner"):
            pass
        assert holder(tmp_path).command == "outer", "still held"
    assert holder(tmp_path) is None


def test_a_number_that_was_given_to_another_process_since_is_not_the_holder(tmp_path: Path, manner: str) -> None:
    """The holder died, and its number is now that of a process which began at another time: this one."""
    record = {"pid": os.getpid(), "host": platform.node(), "since": "2026-01-01", "command": "x", "born": "1"}
    (tmp_path / ("lock.held" if manner == "file" else "lock")).write_text(json.dumps(record))
    assert holder(tmp_path) is None
    with locked(tmp_path, "mine"):
        assert holder(tmp_path).command == "mine"


def test_a_holder_on_another_machine_is_believed_where_only_a_file_stands_for_the_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_number: int) -> bool:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(lock, "_flock", refuses)
    record = {"pid": 1, "host": "elsewhere", "since": "2026-01-01", "command": "x", "born": ""}
    (tmp_path / "lock.held").write_text(json.dumps(record))
    with pytest.raises(Busy, match=r"on elsewhere since 2026-01-01.*(?s:.)*delete"), locked(tmp_path, "mine"):
        pass


def test_other_errors_of_the_disk_are_not_taken_for_a_missing_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_number: int) -> bool:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(lock, "_flock", broken)
    with pytest.raises(OSError, match="Input/output"), locked(tmp_path, "mine"):
        pass


@pytest.mark.parametrize("manner", ["flock"], indirect=True)  # the command under test finds the kernel's lock
def test_the_command_exits_with_the_code_for_try_again_and_readers_go_on(
    held: Callable[..., subprocess.Popen[str]], tmp_path: Path, book: Callable[..., None]
) -> None:
    book("11_one")
    (tmp_path / "workbook.yaml").write_text(
        "name: Shop\nsources: [{table: orders, path: o.csv, columns: {a: order_id, b: amount, c: ordered_at}}]\n")
    first = held()
    ran = subprocess.run([str(Path(sys.executable).with_name("workbook")), "render", "--as-of", "2026-06"],
                         cwd=tmp_path, capture_output=True, text=True)
    assert ran.returncode == 75 and f"process {first.pid}" in ran.stderr and "Traceback" not in ran.stderr
    told = CliRunner().invoke(app, ["status", "--json", "--settings", str(tmp_path)])
    assert told.exit_code == 0 and json.loads(told.output)["running"]["pid"] == first.pid
