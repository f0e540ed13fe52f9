"""What headers may mean, in English and Chinese: the lists of `synonyms.yaml`, and how two names are compared."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from workbook.data.schema import TABLES

_SYNONYMS = Path(__file__).parent / "synonyms.yaml"


def meanings(theirs: str, table: str) -> list[tuple[str, str, float]]:
    """(our column, header or pattern, place in the list) that a header may mean."""
    exact, patterns = _vocabulary(table)
    bare = re.sub(r"[(（\[].*?[)）\]]", "", theirs) or theirs  # 实付金额(元), Total (GBP)
    found = [(ours, "header", rank) for ours, rank in exact.get(plain(theirs)) or exact.get(plain(bare), ())]
    found += [(ours, "pattern", rank) for pattern, ours, rank in patterns if re.search(pattern, words(bare))]
    return found


def may_name_a_person(theirs: str) -> bool:
    """Whether a header sounds like personal data, so that its values are not shown."""
    told = any(TABLES["customers"].by_name[ours].personal for ours, _, _ in meanings(theirs, "customers"))
    return told or re.search(word_lists()["hints"]["personal"], words(theirs)) is not None


def words(header: str) -> str:
    """InvoiceNo, invoice_no and "Invoice No." as `invoice no`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", unicodedata.normalize("NFKC", header))
    return " ".join(re.findall(r"\w+", spaced.replace("_", " "))).lower()


def plain(header: str) -> str:
    """The words of a header as one, in which headers are compared."""
    return words(header).replace(" ", "")


@cache
def word_lists() -> dict[str, Any]:
    """What `synonyms.yaml` holds."""
    return yaml.safe_load(_SYNONYMS.read_text(encoding="utf-8"))


@cache
def _vocabulary(table: str) -> tuple[dict[str, list[tuple[str, float]]], list[tuple[re.Pattern[str], str, float]]]:
    """Plain header → (our column, rank), and patterns. A table's own names come before those for any table."""
    exact: dict[str, list[tuple[str, float]]] = {}
    patterns = []
    columns = TABLES[table].by_name
    for level, part in enumerate((word_lists().get(table, {}), word_lists()["any"])):
        for ours, names in part.items():
            if ours not in columns:
                continue
            for place, name in enumerate(names):
                rank = min(0.2 * level + place * 0.005, 0.45)
                if str(name).startswith("~"):
                    patterns.append((re.compile(name[1:]), ours, rank))
                else:
                    exact.setdefault(plain(str(name)), []).append((ours, rank))
    for name in columns:  # our own names always hold
        exact.setdefault(plain(name), []).append((name, -0.1))
    return exact, patterns
