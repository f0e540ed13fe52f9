"""Who looked behind the pseudonyms: reports/decisions/audit.jsonl, to which lines are only added.

A line says who, under which account of the machine, when, which decision, which columns and how many customers; never
a value. Attempts that were refused are there too. Each line carries the SHA-256 of the one before, so that a line
that was changed or taken out later is seen (`broken_at`).
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import socket
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from workbook.data.errors import WorkbookError
from workbook.data.settings import Settings
from workbook.decisions.register import folder_of

if sys.platform != "win32":
    import fcntl
    import pwd

FIRST = "0" * 64


def audit_file(settings: Settings) -> Path:
    return folder_of(settings) / "audit.jsonl"


def account() -> str:
    """The account that the kernel knows the user by: what USER and LOGNAME say, anybody can set."""
    if sys.platform == "win32":
        return getpass.getuser()
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container may run under a number without a name
        return str(os.getuid())


def refuse_without_right(settings: Settings, *, by: str, decision_id: str, columns: Sequence[str]) -> None:
    """Let through who is named in the settings and is logged in by the account that stands beside the name.

    Raises:
        WorkbookError: anybody else; the attempt is written down.
    """
    allowed = settings.privacy.reveal
    if by in allowed and allowed[by] == account():
        return
    note(settings, "refused", by=by, decision_id=decision_id, columns=columns, customers=0)
    what = f"{by!r} has no right to see names and numbers" if by not in allowed else (
        f"{by!r} has the right, but is not who is logged in on this machine")
    raise WorkbookError(
        f"{what}. The attempt is in the audit log.",
        why="The settings name who may look behind the pseudonyms, and the account each one works under.",
        way_out="Whoever is responsible for data protection adds the name under privacy: reveal: {NAME: account} "
                "in workbook.yaml.")


def note(settings: Settings, event: str, *, by: str, decision_id: str, columns: Sequence[str], customers: int) -> None:
    """Add a line: event is refused, asked, revealed or failed."""
    path = audit_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    number = os.open(path, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o640)
    with os.fdopen(number, "r+b", buffering=0) as stream:
        if sys.platform != "win32":
            fcntl.flock(stream, fcntl.LOCK_EX)
        lines = stream.readall().splitlines()
        previous = hashlib.sha256(lines[-1]).hexdigest() if lines else FIRST
        line = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "event": event, "by": by, "account": account(),
                "machine": socket.gethostname(), "decision": decision_id, "columns": list(columns),
                "customers": customers, "previous": previous}
        stream.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
        os.fsync(stream.fileno())


def broken_at(settings: Settings) -> int | None:
    """The number of the first line that does not follow from the one before; None where all do."""
    path = audit_file(settings)
    previous = FIRST
    for number, line in enumerate(path.read_bytes().splitlines() if path.exists() else [], start=1):
        if json.loads(line)["previous"] != previous:
            return number
        previous = hashlib.sha256(line).hexdigest()
    return None
