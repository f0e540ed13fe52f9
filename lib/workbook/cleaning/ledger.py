"""The ledger: what each cleaning step did to rows, customers and revenue, to the last decimal.

One row a step, in order. The row after a step is the row before the next one, so that the whole adds up by itself.
Revenue is the sum of the recorded amounts, returns and cancellations with their minus sign; the last step nets
refunds that came as documents of their own.

Out: `step`, `rule`, `action` (keep, flag, drop; cut = dated after the report; merge, net), `table`, `rows_before`,
`rows_after`, `rows_flagged`, `customers_before`, `customers_after`, `revenue_before`, `revenue_after`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from workbook.data.engine import few_rows

SCHEMA = pa.schema([
    ("step", pa.int64()), ("rule", pa.string()), ("action", pa.string()), ("table", pa.string()),
    ("rows_before", pa.int64()), ("rows_after", pa.int64()), ("rows_flagged", pa.int64()),
    ("customers_before", pa.int64()), ("customers_after", pa.int64()),
    ("revenue_before", pa.decimal128(18, 4)), ("revenue_after", pa.decimal128(18, 4)),
])  # fmt: skip
MONEY = Decimal("0.0001")
NOTHING = Decimal(0)


@dataclass(frozen=True)
class State:
    """A table at one moment."""

    rows: int
    customers: int
    revenue: Decimal


@dataclass(frozen=True)
class Line:
    """One step of the ledger."""

    rule: str
    action: str
    table: str
    rows_before: int
    rows_after: int
    rows_flagged: int
    customers_before: int | None
    customers_after: int | None
    revenue_before: Decimal | None
    revenue_after: Decimal | None

    @property
    def rows_removed(self) -> int:
        return self.rows_before - self.rows_after


def line(rule: str, action: str, table: str, before: State, after: State, *, flagged: int = 0) -> Line:
    """A step between two states."""
    return Line(rule, action, table, before.rows, after.rows, flagged, before.customers, after.customers,
                before.revenue, after.revenue)  # fmt: skip


def of_rules(marked: ir.Table, steps: Sequence[str], actions: Mapping[str, str], *, table: str) -> list[Line]:
    """The ledger of one pass: each step removes the rows whose `removed_by` is its name.

    Args:
        marked: rows with `removed_by`, `rule_<step>`, `customer_id`, `amount`.
        steps: the rules in order.
    """
    last = len(steps)
    place = ibis.coalesce(
        *(ibis.ifelse(marked.removed_by == name, i, None) for i, name in enumerate(steps)), ibis.literal(last))
    placed = marked.mutate(gone_at=place.cast("int64"))
    flags = {f"flag_{i}": (placed[f"rule_{name}"] & (placed.gone_at >= i)).sum() for i, name in enumerate(steps)}
    by_step = few_rows(placed.group_by("gone_at").aggregate(
        rows=placed.count(), revenue=placed.amount.sum(), **flags))
    seen = placed.filter(placed.customer_id.notnull()).group_by("customer_id").aggregate(last=placed.gone_at.max())
    leaving = {r["last"]: r["customers"] for r in few_rows(seen.group_by("last").aggregate(customers=seen.count()))}

    def state(step: int) -> State:
        left = [r for r in by_step if r["gone_at"] >= step]
        return State(sum(r["rows"] for r in left), sum(n for at, n in leaving.items() if at >= step),
                     sum((r["revenue"] for r in left), Decimal(0)).quantize(MONEY))

    def flagged(step: int) -> int:
        return sum(r[f"flag_{step}"] or 0 for r in by_step)

    return [
        line(name, actions[name], table, state(i), state(i + 1), flagged=flagged(i)) for i, name in enumerate(steps)
    ]


def state_of(rows: ir.Table, amount: str = "amount") -> State:
    """Rows, customers and revenue of a table of lines."""
    seen = few_rows(rows.aggregate(
        rows=rows.count(), customers=rows.customer_id.nunique(), revenue=rows[amount].sum()))[0]
    return State(seen["rows"], seen["customers"], (seen["revenue"] or Decimal(0)).quantize(MONEY))


def table_of(lines: Sequence[Line]) -> pa.Table:
    """The ledger as a table."""
    return pa.Table.from_pylist([{"step": i, **asdict(entry)} for i, entry in enumerate(lines)], schema=SCHEMA)
