"""What readers noted beside a chapter: kept beside the reports, so that a new render finds it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from workbook.data.errors import WorkbookError, nearest
from workbook.data.settings import Settings
from workbook.data.store import write_whole


class Comment(NamedTuple):
    """One remark of a reader."""

    chapter: str
    text: str
    by: str
    at: str  # ISO time, UTC


def read_comments(settings: Settings, label: str) -> list[Comment]:
    """The comments of a period, oldest first."""
    file = _file(settings, label)
    return [Comment(**record) for record in json.loads(file.read_text(encoding="utf-8"))] if file.exists() else []


def note(settings: Settings, label: str, chapter: str, text: str, *, by: str = "") -> None:
    """Add a comment to a chapter of a rendered period.

    Raises:
        WorkbookError: when the period has not been rendered, or has no such chapter, or the text is empty.
    """
    folder = settings.reports_folder / label
    if not (folder / "run.json").exists():
        rendered = [path.parent.name for path in settings.reports_folder.glob("[0-9]*/run.json")]
        raise WorkbookError(f"There is no report of {label}.",
                            way_out=nearest(label, rendered) if rendered else f"workbook render --as-of {label}")
    chapters = [outcome["chapter"] for outcome in json.loads((folder / "run.json").read_text("utf-8"))["outcomes"]]
    full = next((name for name in chapters if name == chapter or name.startswith(f"{chapter}_")), None)
    if full is None:
        raise WorkbookError(f"The report has no chapter {chapter!r}: {nearest(chapter, chapters)}.",
                            way_out="Name it by its number or as its notebook is called.")
    if not text.strip():
        raise WorkbookError("The comment is empty.", way_out=f'workbook comment {label} {full} "…"')
    noted = [*read_comments(settings, label), Comment(full, text, by, datetime.now(UTC).isoformat(timespec="seconds"))]
    records = [remark._asdict() for remark in noted]
    write_whole(_file(settings, label), json.dumps(records, ensure_ascii=False, indent=1))


def _file(settings: Settings, label: str) -> Path:
    return settings.reports_folder / "comments" / f"{label}.json"
