"""One run at a time in a workspace: who works there, since when, and with which command.

The lock is the kernel's own (`flock`) on `.workbook/lock`: it ends with the process that holds it, however that ends,
so that none is ever left behind. What stands in the file tells others who holds it. Where the file system offers no
such lock (some network drives, Windows), a file that only one process can create stands for it; it is taken over from
a process of this machine that has died. The limit there: whether a process of another machine has died cannot be
seen, so its file must be deleted by hand; and of two that take over the same dead one in the same instant, the second
looks again before it believes to have it. Readers take no lock.
"""

from __future__ import annotations

import errno
import json
import os
import platform
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from workbook.data.errors import WorkbookError

if sys.platform != "win32":
    import fcntl

LOOK_AGAIN = 0.5  # seconds between two looks of somebody who waits
NO_FLOCK = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
Tell = Callable[[str], None]


class Holder(NamedTuple):
    """Who holds the lock."""

    pid: int
    host: str
    since: str  # ISO time, UTC
    command: str
    born: str = ""  # when the process began, by the kernel's count: tells it from a later one of the same number

    @property
    def sentence(self) -> str:
        return f"process {self.pid} on {self.host} since {self.since}: {self.command}"

    @property
    def has_died(self) -> bool:
        """Whether it is known to have died; of another machine's process that is never known."""
        return self.host == platform.node() and not _lives(self.pid, self.born)


class Busy(WorkbookError):
    """Somebody else works in the workspace; told apart from other refusals by its exit code, EX_TEMPFAIL."""

    exit_code = 75

    def __init__(self, holder: Holder | None, file: Path) -> None:
        who = holder.sentence if holder else "a process that has not told its name yet"
        elsewhere = holder is not None and holder.host != platform.node()
        super().__init__(
            f"Another run works in {file.parent.parent}: {who}.",
            why="Two runs at once would publish into each other.",
            way_out="Try again later, or let --wait wait for it."
            + (f" If that machine is gone, delete {file}." if elsewhere else ""))
        self.holder = holder


_held: dict[Path, int] = {}  # locks of this process → how often they are held


@contextmanager
def locked(store: Path, command: str, *, wait: bool = False, tell: Tell = lambda _sentence: None) -> Iterator[None]:
    """Hold the lock of a workspace; within one process it may be taken again.

    Args:
        store: the folder of the store, `.workbook`.
        command: what others are told that is done here.
        wait: wait until whoever holds it has ended.
        tell: told whom it waits for.

    Raises:
        Busy: when another process holds it and `wait` is not asked for.
    """
    file = store.resolve() / "lock"
    if file in _held:
        _held[file] += 1
        try:
            yield
        finally:
            _held[file] -= 1
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    free = _taken(file, command, wait=wait, tell=tell)
    _held[file] = 1
    try:
        yield
    finally:
        del _held[file]
        free()


def holder(store: Path) -> Holder | None:
    """Who works in the workspace now, as far as can be seen; looking stops nobody."""
    found = [_read(store / "lock"), _read(store / "lock.held")]
    return next((one for one in found if one is not None and not one.has_died), None)


def _taken(file: Path, command: str, *, wait: bool, tell: Tell) -> Callable[[], None]:
    """Take the lock; returns what frees it."""
    told = False
    while True:
        free = _try(file, command)
        if free is not None:
            return free
        who = holder(file.parent)
        if not wait:
            raise Busy(who, file)
        if not told:
            tell(f"Waiting for {who.sentence if who else 'another run'} …")
            told = True
        time.sleep(LOOK_AGAIN)


def _try(file: Path, command: str) -> Callable[[], None] | None:
    me = Holder(os.getpid(), platform.node(), datetime.now(UTC).isoformat(timespec="seconds"), command,
                _born(os.getpid()))
    number = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        has_it = _flock(number)
    except OSError as error:
        os.close(number)
        if error.errno not in NO_FLOCK:
            raise
        return _try_file(file.with_name("lock.held"), me)
    if not has_it:
        os.close(number)
        return None
    os.ftruncate(number, 0)
    os.pwrite(number, json.dumps(me._asdict()).encode(), 0)

    def free() -> None:
        os.ftruncate(number, 0)
        os.close(number)

    return free


def _flock(number: int) -> bool:
    """Whether the kernel gives the lock.

    Raises:
        OSError: where there is no such lock.
    """
    if sys.platform == "win32":
        raise OSError(errno.ENOSYS, "no flock")
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _try_file(file: Path, me: Holder) -> Callable[[], None] | None:
    """Create the file that stands for the lock, after putting aside that of a dead process."""
    there = _read(file)
    if there is not None and there.has_died:
        aside = file.with_name(f"{file.name}.{uuid.uuid4().hex[:8]}")
        with suppress(FileNotFoundError):  # another one was quicker
            file.rename(aside)
            if _read(aside) != there:  # and has it already: give it back
                aside.replace(file)
            aside.unlink(missing_ok=True)
    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    except FileExistsError:
        return None
    with os.fdopen(number, "w", encoding="utf-8") as stream:
        json.dump(me._asdict(), stream)
    return (lambda: file.unlink(missing_ok=True)) if _read(file) == me else None


def _read(file: Path) -> Holder | None:
    """Who says in the file to hold the lock; None when nobody does, or just now writes it."""
    try:
        return Holder(**json.loads(file.read_text(encoding="utf-8")))
    except (FileNotFoundError, json.JSONDecodeError, TypeError):
        return None


def _lives(pid: int, born: str) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    now = _born(pid)
    return not (born and now) or born == now


def _born(pid: int) -> str:
    """When a process began, in ticks since the machine did; "" where that cannot be read, or it has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return ""
    return "ended" if fields[0] == "Z" else fields[19]
