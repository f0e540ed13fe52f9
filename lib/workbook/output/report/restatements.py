"""What was told of a period, beside what a render finds now: kept when it is the first, explained when it differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workbook.data.periods import Period
from workbook.data.publications import Made, first_edition, keep_first
from workbook.data.settings import Settings
from workbook.data.store import Store
from workbook.output.report.work import is_good


class Telling:
    """One render of a period beside what was told of it before.

    Args:
        stage: the tables of this render.
        draft: its folder, with `run.json` and `findings.json`.
    """

    def __init__(self, settings: Settings, period: Period, stage: Store, draft: Path) -> None:
        self.settings, self.period = settings, period
        there = settings.reports_folder / period.label
        if first_edition(settings, period.label) is None and is_good(there):
            keep_first(settings, made(there))  # rendered before publications were kept

    def publish(self, folder: Path) -> None:
        """Keep what this good report says for the first time."""
        keep_first(self.settings, made(folder))


def made(folder: Path) -> Made:
    """What the report of that folder says, and what it was made from."""
    record: dict[str, Any] = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    findings = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    first = next(iter(record["languages"]), "en")
    made_from = record.get("made_from", {}).get(first, {})
    return Made(record["period"], record["version"], findings, made_from)
