"""How good each table arrived: five shares and their mean.

- completeness: share of cells that hold a value, over the required columns and those of which any value arrived
- validity: share of rows that could be read and are dated possibly: 1 − (quarantined + impossible) / (rows +
  quarantined)
- uniqueness: share of rows that repeat no other one
- consistency: share of checks met: amount = quantity × unit price (to a hundredth), customer known to the customer
  table; blank where there is nothing to compare
- timeliness: 1 − days from the newest row to the report date / days of the period, not below 0; only for tables that
  a running shop adds to in every period; a row of costs by month counts to the end of its month
- score: the mean of those that are known

The five are the usual dimensions of data quality; the formulas are the workbook's own, and only comparable with
themselves.

Source: Wang and Strong, Journal of Management Information Systems, 1996 (dimensions).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd

from workbook.cleaning.sales import complete
from workbook.data.engine import few_rows
from workbook.data.schema import LINEAGE, TABLES

DIMENSIONS = ("completeness", "validity", "uniqueness", "consistency", "timeliness")
STEADY = ("orders", "order_lines", "returns", "payments", "events", "contacts", "channel_costs", "tickets",
          "survey_invitations", "survey_answers", "mentions", "loyalty", "panel")  # fmt: skip
_LINEAGE = {column.name for column in LINEAGE}


def measure(
    table: ir.Table, name: str, *, customers: ir.Table | None, quarantined: int, repeats: int, as_of: date,
    period_days: int, first_possible: date,
) -> dict[str, Any]:
    """One table's row of clean/quality.

    Args:
        table: the raw table.
        customers: raw customers, to look ids up.
        quarantined: rows of this table in quarantine.
        repeats: rows of this table that repeat another one.
    """
    table = complete(table, name)
    columns = [c.name for c in TABLES[name].stored if c.name not in _LINEAGE and not c.name.endswith("_hash")]
    counts = {f"has_{column}": table[column].count() for column in columns}
    extra = _consistent(table, name) | _dated(table, name, as_of, first_possible)
    seen = few_rows(table.aggregate(rows=table.count(), **counts, **extra))[0]
    rows = seen["rows"]
    if not rows:
        return _scored(name, 0, {})
    arrived = [c for c in columns if seen[f"has_{c}"] or c in TABLES[name].required]
    checks = [(seen["prices_met"], seen["prices"])] if seen.get("prices") else []
    if customers is not None and name != "customers" and "customer_id" in columns and seen["has_customer_id"]:
        checks.append((_known(table, customers), seen["has_customer_id"]))
    total = sum(of for _met, of in checks)
    return _scored(name, rows, {
        "completeness": sum(seen[f"has_{c}"] for c in arrived) / (rows * len(arrived)),
        "validity": 1 - (quarantined + (seen.get("impossible") or 0)) / (rows + quarantined),
        "uniqueness": 1 - repeats / rows,
        "consistency": sum(met for met, _of in checks) / total if total else None,
        "timeliness": _timely(seen.get("newest"), as_of, period_days) if name in STEADY else None,
    })


def frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """All tables' rows, the worst first."""
    table = pd.DataFrame(rows, columns=["table", "rows", *DIMENSIONS, "score"])
    table[[*DIMENSIONS, "score"]] = table[[*DIMENSIONS, "score"]].astype(float)
    return table.sort_values(["score", "table"], ignore_index=True)


def _scored(name: str, rows: int, shares: Mapping[str, float | None]) -> dict[str, Any]:
    known = [share for share in shares.values() if share is not None]
    score = sum(known) / len(known) if known else None
    return {"table": name, "rows": rows, **{d: shares.get(d) for d in DIMENSIONS}, "score": score}


def _consistent(table: ir.Table, name: str) -> dict[str, ir.Value]:
    if name != "order_lines":
        return {}
    all_three = table.amount.notnull() & table.quantity.notnull() & table.unit_price.notnull()
    away = (table.amount.cast("float64") - table.quantity.cast("float64") * table.unit_price.cast("float64")).abs()
    return {"prices": all_three.sum(), "prices_met": (all_three & (away <= 0.01)).sum()}


def _dated(table: ir.Table, name: str, as_of: date, first_possible: date) -> dict[str, ir.Value]:
    column = TABLES[name].local_date
    if not column:
        return {}
    day = table[column]
    wrong = (day < ibis.literal(first_possible)) | (day > table.arrived_at.date() + ibis.interval(days=1))
    if name == "payments":  # what is due may lie ahead
        wrong = day < ibis.literal(first_possible)
    newest = day.max(where=day <= ibis.literal(as_of))
    if name == "channel_costs":
        newest = (day.truncate("M") + ibis.interval(months=1) - ibis.interval(days=1)).max(where=day <= as_of)
    return {"impossible": wrong.fill_null(False).sum(), "newest": newest}


def _known(table: ir.Table, customers: ir.Table) -> int:
    known = table.semi_join(customers, "customer_id")
    return few_rows(known.aggregate(rows=known.count()))[0]["rows"]


def _timely(newest: date | None, as_of: date, period_days: int) -> float | None:
    return None if newest is None else min(1.0, max(0.0, 1 - (as_of - newest).days / period_days))
