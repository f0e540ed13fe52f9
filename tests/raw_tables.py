"""Records as they arrived, written by hand into a store: a few rows a raw table, and a run of 02_cleaning on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from workbook.data.run import Run, open_run
from workbook.data.schema import TABLES

ARRIVED = datetime(2026, 7, 5)
Rows = Sequence[Mapping[str, Any]]


def cleaning_of(folder: Path, tables: Mapping[str, Rows], *, as_of: str = "2026-06", **declared: Any) -> Run:
    """A run of 02_cleaning on raw tables of these rows; those of an earlier call stay.

    Args:
        declared: settings beside the name and the sources.
    """
    source = {"name": "s", "table": "orders", "path": "orders.csv"}
    settings = folder / "workbook.yaml"
    settings.write_text(yaml.safe_dump({"name": "shop", "sources": [source], **declared}), encoding="utf-8")
    first = open_run("01_collection", settings=str(settings), as_of=as_of)
    for name, rows in tables.items():
        first.keep(f"raw/{name}", _raw(name, rows))
    return open_run("02_cleaning", settings=str(settings), as_of=as_of)


def _raw(name: str, rows: Rows) -> pa.Table:
    """Rows of a raw table, each from a line of a file; a day follows from its time."""
    table, records = TABLES[name], []
    decimals = {column.name for column in table.columns if column.type == "decimal"}
    for number, given in enumerate(rows, start=2):
        row = {"source_name": "s", "source_file": f"{name}.csv", "source_row": number, "arrived_at": ARRIVED} | given
        if table.time.endswith("_at") and row.get(table.time):
            row.setdefault(table.local_date, row[table.time].date())
        records.append({c: Decimal(str(v)) if c in decimals and v is not None else v for c, v in row.items()})
    return pa.Table.from_pylist(records, schema=table.arrow)
