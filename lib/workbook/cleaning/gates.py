"""Gates: equalities that must hold before any chapter may work with the clean tables.

Each compares two sides that were counted in different ways: rows that arrived against rows kept and removed, order
totals against line totals, what is left after netting against what was recorded, and the totals that finance
declared. A gate that fails stops the run, after the ledger and clean/gates are written, and names both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from workbook.data.engine import few_rows
from workbook.data.errors import WorkbookError
from workbook.data.periods import Grain, Period, period_of
from workbook.data.schema import TABLES
from workbook.data.settings import ControlTotal

SCHEMA = pa.schema([
    ("gate", pa.string()), ("table", pa.string()), ("period", pa.string()), ("left", pa.decimal128(18, 4)),
    ("right", pa.decimal128(18, 4)), ("difference", pa.decimal128(18, 4)), ("tolerance", pa.decimal128(18, 4)),
    ("passed", pa.bool_()),
])  # fmt: skip
_PLACES = Decimal("0.0001")
MEASURES = {
    "revenue": lambda t: t.amount.sum(),
    "net_revenue": lambda t: (t.net_amount if "net_amount" in t.columns else t.amount).sum(),
    "rows": lambda t: t.count(),
    "orders": lambda t: t.order_id.nunique(),
    "customers": lambda t: t.customer_id.nunique(),
}


@dataclass(frozen=True)
class Gate:
    """One equality: `left` should be `right`."""

    gate: str
    table: str
    left: Decimal
    right: Decimal
    tolerance: Decimal = Decimal(0)  # in the unit of the two sides
    period: str = ""

    @property
    def difference(self) -> Decimal:
        return self.left - self.right

    @property
    def passed(self) -> bool:
        return abs(self.difference) <= self.tolerance


def gate(name: str, table: str, left: object, right: object, *, tolerance: object = 0, period: str = "") -> Gate:
    """A gate of any two numbers; nothing counts as 0.

    >>> gate("rows", "orders", 5, 4, tolerance=1).passed, gate("rows", "orders", 5, None).passed
    (True, False)
    """
    sides = [Decimal(str(x or 0)).quantize(_PLACES) for x in (left, right, tolerance)]
    return Gate(name, table, *sides, period=period)


def control(
    totals: Sequence[ControlTotal], table_of: Callable[[str, str], ir.Table | None], *, as_of: Period, grain: Grain
) -> list[Gate]:
    """A gate for each declared total whose period is over.

    Args:
        table_of: takes the rule (`raw` or `clean`) and the table's name, and gives the table.
    """
    found = []
    for total in totals:
        table = table_of(total.rule, total.table)
        if table is None:
            raise WorkbookError(
                f"control_totals: there is no table {total.rule}/{total.table} to hold against {total.value}.",
                why=f"A total of {total.measure} was declared for {total.period}.",
                way_out="Name a table that arrives, or take the total out of the settings.",
            )
        span = None if total.period == "all" else period_of(total.period, grain)
        if span is not None and span.end > as_of.end:
            continue
        if span is not None:
            day = table[TABLES[total.table].local_date]
            table = table.filter(day.between(ibis.literal(span.start), ibis.literal(span.end)))
        met = few_rows(table.aggregate(met=MEASURES[total.measure](table)))[0]["met"]
        allowed = abs(total.value) * total.tolerance
        found.append(gate(
            f"control_{total.measure}", f"{total.rule}/{total.table}", met, total.value, tolerance=allowed,
            period=total.period))  # fmt: skip
    return found


def table_of(gates: Sequence[Gate]) -> pa.Table:
    """The gates as a table."""
    rows = [{**asdict(g), "difference": g.difference, "passed": g.passed} for g in gates]
    return pa.Table.from_pylist([{name: row[name] for name in SCHEMA.names} for row in rows], schema=SCHEMA)


def refuse(gates: Sequence[Gate]) -> None:
    """Stop the run where a gate failed.

    Raises:
        WorkbookError: names every failed gate with both sides.
    """
    failed = [g for g in gates if not g.passed]
    if not failed:
        return
    sides = "\n".join(
        f"  {g.gate} of {g.table}{' in ' + g.period if g.period else ''}: {g.left.normalize():,f} against "
        f"{g.right.normalize():,f}, off by {g.difference.normalize():,f}, allowed {g.tolerance.normalize():,f}"
        for g in failed
    )
    raise WorkbookError(
        f"{len(failed)} of {len(gates)} gates of 02_cleaning failed:\n{sides}",
        why="A report on records that do not add up would be wrong somewhere, and nobody could say where.",
        way_out="clean/ledger and clean/gates are written: compare them with the sources. Correct the source, the "
                "mapping or the declared total; a wider tolerance is a decision for finance.",
    )
