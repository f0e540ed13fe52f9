"""The ledger and the gates of cleaning as a report keeps them, read back from its folder."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from workbook.cleaning.gates import Gate
from workbook.cleaning.ledger import Line

_LINE: dict[str, Callable[[str], Any]] = {
    "rule": str, "action": str, "table": str, "rows_before": int, "rows_after": int, "rows_flagged": int,
    "customers_before": int, "customers_after": int, "revenue_before": Decimal, "revenue_after": Decimal}
_GATE: dict[str, Callable[[str], Any]] = {
    "gate": str, "table": str, "left": Decimal, "right": Decimal, "tolerance": Decimal, "period": str}


def ledger(folder: Path) -> list[Line]:
    """The steps of cleaning behind a report, in their order; empty where the report has no such table."""
    return [Line(**row) for row in _rows(folder / "tables" / "clean_ledger.csv", _LINE)]


def gates(folder: Path) -> list[Gate]:
    """The totals that had to agree."""
    return [Gate(**row) for row in _rows(folder / "tables" / "clean_gates.csv", _GATE)]


def _rows(file: Path, kinds: dict[str, Callable[[str], Any]]) -> Iterator[dict[str, Any]]:
    if not file.exists():
        return
    with file.open(encoding="utf-8-sig", newline="") as stream:
        for row in csv.DictReader(stream):
            yield {name: _read(row[name], kind) for name, kind in kinds.items()}


def _read(text: str, kind: Callable[[str], Any]) -> Any:
    return text if kind is str else kind(text) if text else None
