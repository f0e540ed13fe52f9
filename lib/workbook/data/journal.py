"""Publishing in one step, whatever happens: what is to become visible is written down first, then done.

    stage (tables)  ─┐
    draft (a report) ┼─ publishing.json ── tables moved, folders swapped, drafts removed ── publishing.json deleted
    what is to go   ─┘        ↑
                     here it is decided

A run that is killed before `publishing.json` is there has published nothing. One that is killed after it has decided:
whoever opens the workspace next finishes it (`finish`), and each step can be done again. From the decision on a store
reads its tables through the stage, so that all of them change in one moment.

A folder takes another's place by exchanging the two names, where the system can do that in one step (Linux, macOS);
elsewhere, and on file systems that cannot, by two renames, between which no folder has the name: only there a reader
may miss it, for the time of one system call. That the right one ends up there does not depend on it: the journal does.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from workbook.data.lock import locked
from workbook.data.store import JOURNAL, Store, write_whole

EXCHANGE = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS
HERE = -100  # AT_FDCWD
UNNAMED = ".*." + "[0-9a-f]" * 8  # a file that was being written, and had not yet got its name
MARK = "run.json"  # a report's record: tells a new folder from the old one


class Move(NamedTuple):
    """A folder that takes the place of another."""

    source: Path
    target: Path


@contextmanager
def alone(
    store: Path, command: str, *, wait: bool = False, tell: Callable[[str], None] = lambda _sentence: None
) -> Iterator[None]:
    """Work in a workspace, with its lock, after what a killed run had decided is finished. See `lock.locked`.

    Raises:
        Busy: when another process works there and `wait` is not asked for.
    """
    with locked(store, command, wait=wait, tell=tell):
        finish(store)
        for path in [*store.glob(UNNAMED), *(store / "manifest").rglob(UNNAMED), *(store / "documents").rglob(UNNAMED)]:
            path.unlink()
        yield


def publish(store: Path, stage: Store | None, moves: Iterable[Move] = (), gone: Iterable[Path] = ()) -> None:
    """Make a run visible, as one step.

    Args:
        store: the folder of the store.
        stage: its tables and documents go into the store; None: no table is published.
        moves: folders or files that take their place.
        gone: folders or files that are to be there no more.
    """
    base = store.parent
    moves = list(moves)
    for folder in [*([stage.root] if stage else []), *(move.source for move in moves)]:
        _settle(folder)
    record = {
        "stage": stage.root.name if stage else "",
        "moves": [[os.path.relpath(m.source, base), os.path.relpath(m.target, base), _mark(m.source)] for m in moves],
        "gone": [os.path.relpath(path, base) for path in gone],
    }
    write_whole(store / JOURNAL, json.dumps(record))
    _settle_folder(store)
    finish(store)


def finish(store: Path) -> bool:
    """Do what a killed run had decided and not finished; whether there was such a thing. Needs the lock."""
    file = store / JOURNAL
    if not file.exists():
        return False
    record = json.loads(file.read_text(encoding="utf-8"))
    base = store.parent
    if record["stage"] and (store / record["stage"]).exists():
        Store(store / record["stage"], Store(store)).publish()
    for source, target, mark in record["moves"]:
        _move(base / source, base / target, mark)
    for path in record["gone"]:
        _remove(base / path)
    file.unlink()
    if record["stage"]:
        _remove(store / record["stage"])
    return True


def _move(source: Path, target: Path, mark: str) -> None:
    """Put `source` in the place of `target`; again, after any step of it, comes to the same."""
    aside = target.with_name(f".old-{target.name}")
    if source.exists() and not (mark and _mark(target) == mark):
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_file():
            source.replace(target)
        elif not target.exists():
            source.rename(target)
        elif not exchange(source, target):
            _remove(aside)
            target.rename(aside)
            source.rename(target)
    _remove(source)
    _remove(aside)


def exchange(one: Path, other: Path) -> bool:
    """Let two folders change names in one step; False where the system cannot."""
    library = ctypes.CDLL(None, use_errno=True) if sys.platform != "win32" else None
    first, second = os.fsencode(one), os.fsencode(other)
    if hasattr(library, "renameat2"):
        return library.renameat2(HERE, first, HERE, second, EXCHANGE) == 0
    if hasattr(library, "renamex_np"):
        return library.renamex_np(first, second, EXCHANGE) == 0
    return False


def _mark(folder: Path) -> str:
    file = folder / MARK
    return hashlib.sha256(file.read_bytes()).hexdigest() if folder.is_dir() and file.exists() else ""


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _settle(folder: Path) -> None:
    """Have the disk itself hold what lies in a folder: the journal must not outlive it in a power cut."""
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            _settle_folder(path)
        else:
            with path.open("rb") as stream:
                os.fsync(stream.fileno())


def _settle_folder(folder: Path) -> None:
    if sys.platform != "win32":  # there a folder cannot be opened
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
