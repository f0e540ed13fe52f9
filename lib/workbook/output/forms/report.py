"""What the sheets of the Excel workbook are made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bs4 import Tag

from workbook.data.findings import Finding
from workbook.data.periods import Period

LONGEST_NAME = 31  # characters of a sheet's name, as Excel allows


class Said(NamedTuple):
    """What a chapter's page says at its head."""

    chapter: str
    title: str
    sentence: str

    @property
    def sheet(self) -> str:
        """The name of its sheet: the number and the first words of the title."""
        first = re.split(r"[:：,，?？]", self.title)[0]
        return re.sub(r"[\[\]:*?/\\']", " ", f"{self.chapter[:2]} {first}")[:LONGEST_NAME].strip()


class Sheet(NamedTuple):
    """A line of the list of sheets."""

    name: str
    about: str


class Trust(NamedTuple):
    """An item of the trust strip, as page one says it."""

    name: str
    value: str
    note: str


@dataclass(frozen=True)
class Report:
    """A rendered report in one language."""

    shop: str
    title: str
    period: Period
    verdict: str
    trust: tuple[Trust, ...]
    said: tuple[Said, ...]
    findings: Mapping[str, Mapping[str, Finding]]
    before: Mapping[str, Mapping[str, Finding]]  # those of the period before, as first published
    tables: tuple[Path, ...]  # CSV files


def trust_of(page: Tag) -> tuple[Trust, ...]:
    """The trust strip of page one."""
    items = []
    for item in page.select("dl.trust > div"):
        texts = [item.select_one(part) for part in ("dt", "dd strong", "dd span")]
        items.append(Trust(*(" ".join(text.get_text(" ", strip=True).split()) if text else "" for text in texts)))
    return tuple(items)
