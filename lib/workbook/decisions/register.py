"""The account book: reports/decisions/<id>/, a folder a decision, there whole or not at all.

    decision.json   what was decided (`record.Decision`)
    list.parquet    customer_id, arm, stratum, before, expected, chosen_by, household
    cancelled.json  only where the list was not used: by whom it was said, why, when

Nothing is ever taken out of it. It lies beside the reports and not in the store, because it cannot be made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd

from workbook.data.errors import WorkbookError, nearest
from workbook.data.settings import Settings
from workbook.data.store import write_whole
from workbook.decisions.record import FORMAT, Decision, as_json, from_json

LIST_COLUMNS = ("customer_id", "arm", "stratum", "before", "expected", "chosen_by", "household")
READABLE = (1, FORMAT)
CONTROL, TREATED = "control", "treated"


def folder_of(settings: Settings, decision_id: str = "") -> Path:
    """The folder of the register, or of one decision; the parts of a shop have no register of their own."""
    whole = settings.model_copy(update={"part": None})
    return whole.reports_folder / "decisions" / decision_id


def registered(settings: Settings, *, as_of: date | None = None) -> tuple[Decision, ...]:
    """All decisions, oldest first; with `as_of` those of lists that were known then."""
    found = [_read(path.parent) for path in folder_of(settings).glob("*/decision.json")]
    known = [decision for decision in found if as_of is None or decision.as_of <= as_of]
    return tuple(sorted(known, key=lambda decision: (decision.as_of, decision.decided_at, decision.id)))


def find(settings: Settings, decision_id: str) -> Decision:
    """The decision of that id.

    Raises:
        WorkbookError: there is none; names the nearest.
    """
    ids = [decision.id for decision in registered(settings)]
    if decision_id not in ids:
        raise WorkbookError(f"There is no decision {decision_id!r}.",
                            way_out=nearest(decision_id, ids) if ids else "`workbook export` makes the first one.")
    return _read(folder_of(settings, decision_id))


def members(settings: Settings, decision_id: str) -> pd.DataFrame:
    """The people of a decision, by customer_id: LIST_COLUMNS; before and expected in currency."""
    people = pd.read_parquet(folder_of(settings, decision_id) / "list.parquet")
    return people if "household" in people.columns else people.assign(household=people["customer_id"])


def fingerprint(settings: Settings, *, as_of: date | None = None) -> str:
    """Changes whenever a decision is registered or cancelled."""
    known = [(decision.id, decision.list_hash, decision.cancelled) for decision in registered(settings, as_of=as_of)]
    return hashlib.sha256(json.dumps(known).encode()).hexdigest()[:16]


def write(settings: Settings, decision: Decision, people: pd.DataFrame, *,
          beside: Callable[[Path], None] | None = None) -> Path:
    """Register a decision; returns its folder.

    Args:
        people: LIST_COLUMNS.
        beside: writes further files, such as those for a CRM, into the folder before it appears.

    Raises:
        WorkbookError: it is registered already.
    """
    target = folder_of(settings, decision.id)
    draft = target.with_name(f".{decision.id}.{uuid.uuid4().hex[:8]}")
    draft.mkdir(parents=True)
    try:
        people[list(LIST_COLUMNS)].to_parquet(draft / "list.parquet", index=False)
        if beside is not None:
            beside(draft)
        write_whole(draft / "decision.json", json.dumps(as_json(decision), ensure_ascii=False, indent=1,
                                                        allow_nan=False))
        try:
            os.rename(draft, target)  # fails where somebody registered it in the meantime
        except OSError as error:
            raise already(decision.id) from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


def already(decision_id: str) -> WorkbookError:
    """The refusal of a second list that is the same as the first."""
    return WorkbookError(
        f"This list was exported already: {decision_id}.",
        why="Sent twice, the same people would be contacted twice, and one effect would be counted as two.",
        way_out="Use that one; --again registers it as a new decision with arms of its own.",
    )


def cancel(settings: Settings, decision_id: str, *, by: str, why: str) -> Decision:
    """Say that an exported list was not used: recorded, nothing is deleted.

    Raises:
        WorkbookError: no such decision, cancelled already, or nobody and no reason named.
    """
    decision = find(settings, decision_id)
    if decision.cancelled:
        raise WorkbookError(f"{decision_id} was cancelled already, by {decision.cancelled_by}.",
                            way_out="A list that is to be used after all is exported again, with --again.")
    if not by.strip() or not why.strip():
        raise WorkbookError("A cancellation says who and why.",
                            way_out=f'workbook cancel {decision_id} --by NAME --why "the mailing was called off"')
    told = {"by": by.strip(), "why": why.strip(), "at": datetime.now(UTC).isoformat(timespec="seconds")}
    write_whole(folder_of(settings, decision_id) / "cancelled.json", json.dumps(told, ensure_ascii=False, indent=1))
    return find(settings, decision_id)


def list_hash(people: pd.DataFrame) -> str:
    """Of customer ids and arms, whatever their order."""
    lines = sorted(people["customer_id"] + "\t" + people["arm"])
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _read(folder: Path) -> Decision:
    record = json.loads((folder / "decision.json").read_text(encoding="utf-8"))
    if record["format"] not in READABLE:
        raise WorkbookError(
            f"{folder / 'decision.json'} was written in format {record['format']}; this version reads {FORMAT}.",
            way_out="Use the version of the workbook that wrote it, or a newer one.")
    told = folder / "cancelled.json"
    return from_json(record, json.loads(told.read_text(encoding="utf-8")) if told.exists() else None)
