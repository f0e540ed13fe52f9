"""The metric dictionary: every figure that a report shows has one definition, version and owner.

The definitions lie in `metrics/`, in English, a file a chapter; a figure's key is `chapter.finding`.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

FOLDER = Path(__file__).with_name("metrics")


class Metric(NamedTuple):
    """One figure of the report."""

    key: str  # chapter.finding: 02_cleaning.rows_kept
    name: str  # what people call it
    definition: str  # what is counted, and what not
    unit: str  # rows, customers, orders, money, share, days, number, date, text …
    version: int  # raised when the definition changes
    owner: str  # the role that answers for it


@cache
def load() -> dict[str, Metric]:
    """All metrics by key, in the order of the chapters and of each file."""
    chapters = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.yaml"))}
    return {
        f"{chapter}.{name}": Metric(
            f"{chapter}.{name}", entry["name"], " ".join(entry["definition"].split()), entry["unit"],
            entry.get("version", 1), entry.get("owner", "analyst"))
        for chapter, entries in chapters.items()
        for name, entry in entries.items()
    }


METRICS = load()
