"""The log of runs: a line of JSON for everything that happens to a report, without secrets or personal values.

    {"at": "…", "run": "20260701T050000-4711", "event": "run_started", "command": …, "versions": {…}}
    {"at": "…", "run": …, "event": "chapter_started", "chapter": "04_rfm", "lang": "en"}
    {"at": "…", "run": …, "event": "chapter_ended", "chapter": …, "state": "done", "seconds": 3.1, "because": ["first"],
     "peak_mb": 412}
    {"at": "…", "run": …, "event": "run_finished", "period": "2026-06", "state": "done", "seconds": 98.2}
    {"at": "…", "run": …, "event": "notified", "channel": "mail", "state": "sent"}

It lies in `.workbook/log/runs.jsonl`: it tells of this machine's runs, is of no use to a reader of reports, and is no
loss when the store is built anew. It holds at most two files of `LARGEST` bytes and one run.
"""

from __future__ import annotations

import json
import os
import platform
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from workbook import __version__
from workbook.data.secrecy import told
from workbook.data.settings import Settings

LARGEST = 1_000_000  # bytes; some 5,000 chapters


class RunLog:
    """The lines of one run."""

    def __init__(self, settings: Settings, run: str = "") -> None:
        self.settings = settings
        self.file = file_of(settings)
        self.run = run or f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{os.getpid()}"
        self._one_at_a_time = threading.Lock()

    def begin(self, **facts: Any) -> None:
        """The first line, in a new file when the old one has grown."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        if self.file.exists() and self.file.stat().st_size > LARGEST:
            self.file.replace(self.file.with_name("runs.1.jsonl"))
        self._end_the_last_line()
        versions = {"workbook": __version__, "python": platform.python_version(), "duckdb": duckdb.__version__}
        self.write("run_started", pid=os.getpid(), host=platform.node(), versions=versions, **facts)

    def write(self, event: str, **facts: Any) -> None:
        """One line; texts are masked, and what is empty is left out."""
        kept = {name: self._masked(value) for name, value in facts.items() if value not in (None, "", (), [], {})}
        line = {"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "run": self.run, "event": event} | kept
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self._one_at_a_time, self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line, ensure_ascii=False) + "\n")

    def _end_the_last_line(self) -> None:
        """A killed run may have left half of one."""
        if self.file.exists() and not self.file.read_bytes().endswith(b"\n"):
            with self.file.open("a", encoding="utf-8") as stream:
                stream.write("\n")

    def _masked(self, value: Any) -> Any:
        if isinstance(value, str):
            return told(value, self.settings)
        if isinstance(value, list | tuple):
            return [self._masked(item) for item in value]
        return value


def file_of(settings: Settings) -> Path:
    return settings.store_folder / "log" / "runs.jsonl"


def lines(settings: Settings) -> Iterator[dict[str, Any]]:
    """Every line there is, oldest first; one that a killed run left unfinished is passed over."""
    file = file_of(settings)
    for path in (file.with_name("runs.1.jsonl"), file):
        for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
            if line.startswith("{") and line.endswith("}"):
                yield json.loads(line)
