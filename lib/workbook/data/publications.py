"""What was said of a period when it was first published, and what people approved since.

Kept beside the reports, in `reports/published/`, since the store may be deleted and built anew from the sources:

| file | holds |
|---|---|
| `<label>.json` | the findings as first published, chapter by chapter, and what they were made from |
| `<label>.parquet` | the orders of the period as they were then: see `restatement.snapshot` |
| `<label>.approvals.json` | who approved the period and when, each with the findings as approved |
| `<label>.approved-<n>.parquet` | the orders at the n-th approval |

A later period compares with what was first published; a period that comes out differently is restated against what
was approved, else first published.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbook.data.findings import Finding, read_findings
from workbook.data.settings import Settings
from workbook.data.store import write_whole

Findings = dict[str, dict[str, Finding]]
Records = dict[str, dict[str, Any]]  # as findings.json holds them


@dataclass(frozen=True)
class Edition:
    """The figures of a period as somebody was told them: at the first publication, or at an approval."""

    at: str  # ISO time, UTC
    version: str  # of the workbook
    findings: Findings
    made_from: dict[str, dict[str, str] | None]  # chapter → part → hash
    rules: dict[str, str]  # what was declared about cleaning: hash of all of it, of identities, of returns that came
    orders: Path  # the snapshot of its orders; it may not be there
    by: str = ""  # who approved it; empty: the first publication
    comment: str = ""


@dataclass(frozen=True)
class Made:
    """A good report, ready to be kept: what `run.json` and `findings.json` of its folder hold."""

    label: str
    version: str
    findings: Records
    made_from: dict[str, dict[str, str] | None]
    rules: dict[str, str] = field(default_factory=dict)


def folder_of(settings: Settings) -> Path:
    return settings.reports_folder / "published"


def snapshot_of(settings: Settings, label: str) -> Path:
    """Where the orders of a period lie as they were when it was first published."""
    return folder_of(settings) / f"{label}.parquet"


def first_published(settings: Settings, label: str) -> Findings:
    """The findings of a period as first published; of one rendered before they were kept, those of its report."""
    first = first_edition(settings, label)
    return first.findings if first else read_findings(settings.reports_folder / label / "findings.json")


def first_edition(settings: Settings, label: str) -> Edition | None:
    """What was first published of a period, or None."""
    record = _read(folder_of(settings) / f"{label}.json")
    if record is None:
        return None
    chapters: Mapping[str, Any] = record["chapters"]
    found = {
        name: _findings(kept["findings"] | {added: one["finding"] for added, one in kept["added"].items()})
        for name, kept in chapters.items()}
    return Edition(record["published_at"], record["version"], found,
                   {name: kept["made_from"] for name, kept in chapters.items()}, record["rules"],
                   snapshot_of(settings, label))


def approvals(settings: Settings, label: str) -> list[Edition]:
    """Every approval of a period, oldest first; empty: it is a draft."""
    folder = folder_of(settings)
    records = _read(folder / f"{label}.approvals.json") or []
    return [
        Edition(record["at"], record["version"], {name: _findings(own) for name, own in record["findings"].items()},
                record["made_from"], record["rules"], folder / f"{label}.approved-{number}.parquet", record["by"],
                record["comment"])
        for number, record in enumerate(records, start=1)]


def told(settings: Settings, label: str) -> Edition | None:
    """The figures that a changed period is restated against: the last approved, else the first published."""
    return next(reversed(approvals(settings, label)), None) or first_edition(settings, label)


def published_labels(settings: Settings) -> list[str]:
    """The periods that were published, in order of their labels."""
    return sorted(path.stem for path in folder_of(settings).glob("*.json") if not path.stem.endswith(".approvals"))


def keep_first(settings: Settings, made: Made) -> bool:
    """Keep what is published for the first time: the period, a chapter of it, or a figure; whether there was any."""
    file = folder_of(settings) / f"{made.label}.json"
    now = _now()
    record = _read(file) or {
        "period": made.label, "published_at": now, "version": made.version, "rules": made.rules, "chapters": {}}
    before = json.dumps(record)
    for chapter, findings in made.findings.items():
        fresh = {"published_at": now, "made_from": made.made_from.get(chapter), "findings": findings, "added": {}}
        kept = record["chapters"].setdefault(chapter, fresh)
        known = kept["findings"].keys() | kept["added"].keys()
        kept["added"] |= {name: {"at": now, "finding": finding}
                          for name, finding in findings.items() if name not in known}
    if json.dumps(record) == before:
        return False
    _write(file, record)
    return True


def keep_approval(settings: Settings, made: Made, *, by: str, comment: str) -> int:
    """Record who approved what a report says now; its place in the history, from 1."""
    file = folder_of(settings) / f"{made.label}.approvals.json"
    records = [*(_read(file) or []), asdict(made) | {"by": by, "comment": comment, "at": _now()}]
    _write(file, records)
    return len(records)


def _findings(records: Mapping[str, Any]) -> dict[str, Finding]:
    return {name: Finding(**record) for name, record in records.items()}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _read(file: Path) -> Any | None:
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def _write(file: Path, record: Any) -> None:
    write_whole(file, json.dumps(record, ensure_ascii=False, indent=1, allow_nan=False))
