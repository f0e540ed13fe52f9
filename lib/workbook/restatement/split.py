"""The figures of a period, cause by cause from what was told to what is found now."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.data.engine import few_rows
from workbook.restatement.causes import CAUSES

MONEY = "decimal(18, 4)"
CENT = Decimal("0.0001")
MEASURES = {"net_revenue": "money", "orders": "orders", "active_customers": "customers", "new_customers": "customers",
            "average_order_value": "money"}  # fmt: skip
EXAMPLES = 10
_CHANGES = ("cause_here", "cause_returned", "cause_customer", "cause_before")


class Measure(NamedTuple):
    """One figure: what was told, what is found now, and the part of each cause."""

    name: str
    unit: str
    then: Decimal
    now: Decimal
    parts: dict[str, Decimal]  # cause → part; they add up to now − then

    @property
    def change(self) -> Decimal:
        return self.now - self.then


class Cause(NamedTuple):
    """The orders that a cause changed."""

    cause: str
    orders: int
    examples: list[str]  # order numbers, those first that move the most money


class Restatement(NamedTuple):
    """Why the period differs: figures in the order of `MEASURES`, causes in the order in which they are applied."""

    measures: list[Measure]
    causes: list[Cause]


def restated(
    orders: ir.Table, *, told: Mapping[str, Any], found: Mapping[str, Any], redefined: str = "code"
) -> Restatement:
    """The split of every measure.

    Args:
        orders: as `causes.compared` returns.
        told: measure → the figure as it was told, where it was.
        found: measure → the figure as it is found now.
        redefined: the cause of what a figure moved beyond its orders: `code`, or `other` where the code is the same.
    """
    states = _states(orders)
    measures = []
    for name, unit in MEASURES.items():
        values = [state[name] for state in states]
        steps = dict(zip(CAUSES, (after - before for before, after in pairwise(values)), strict=True))
        then, now = _exact(told.get(name), values[0]), _exact(found.get(name), values[-1])
        steps[redefined] += (now - values[-1]) - (then - values[0])
        measures.append(Measure(name, unit, then, now, {cause: part for cause, part in steps.items() if part}))
    return Restatement(measures, _causes(orders))


def _exact(value: Any, otherwise: Decimal) -> Decimal:
    return otherwise if value is None else Decimal(str(value)).quantize(CENT)


def _states(orders: ir.Table) -> list[dict[str, Decimal]]:
    """The measures as told, and after each cause."""
    aggregates: dict[str, ir.Scalar] = {}
    for place in range(len(CAUSES) + 1):
        done = CAUSES[:place]
        here = _at(orders, "here", "cause_here", done)
        bought = here & ~_at(orders, "is_return", "cause_here", done)
        customer = _at(orders, "customer_id", "cause_customer", done)
        past = _at(orders, "bought_before", "cause_before", done)
        zero = ibis.literal(Decimal(0)).cast(MONEY)
        amount = _at(orders, "amount", "cause_here", done).fill_null(zero)
        back = _at(orders, "returned", "cause_returned", done).fill_null(zero)
        aggregates |= {
            f"net_{place}": (amount - back).cast(MONEY).sum(where=here),
            f"orders_{place}": bought.sum(),
            f"active_{place}": customer.nunique(where=bought),
            f"known_{place}": customer.nunique(where=bought & past),
        }
    (row,) = few_rows(orders.aggregate(**aggregates))
    return [_measures(row, place) for place in range(len(CAUSES) + 1)]


def _at(orders: ir.Table, name: str, cause: str, done: tuple[str, ...]) -> Any:
    """What a column says once these causes are applied; an order that is on one side only has one value."""
    own = orders[cause].isin(done) if done else ibis.literal(False)
    there = orders.then_here & orders.now_here
    either = ibis.ifelse(orders.now_here, orders[f"now_{name}"], orders[f"then_{name}"])
    moved = ibis.ifelse(own, orders[f"now_{name}"], orders[f"then_{name}"])
    return moved if name == "here" else ibis.ifelse(there, moved, either)


def _measures(row: Mapping[str, Any], place: int) -> dict[str, Decimal]:
    net, orders, active, known = (Decimal(row[f"{name}_{place}"] or 0) for name in ("net", "orders", "active", "known"))
    worth = (net / orders).quantize(CENT) if orders else Decimal(0)
    return {"net_revenue": net, "orders": orders, "active_customers": active, "new_customers": active - known,
            "average_order_value": worth}  # fmt: skip


def _causes(orders: ir.Table) -> list[Cause]:
    """How many orders each cause changed, and which move the most."""
    zero = ibis.literal(Decimal(0)).cast(MONEY)
    net = {
        side: ibis.ifelse(orders[f"{side}_here"], orders[f"{side}_amount"] - orders[f"{side}_returned"], zero)
        for side in ("then", "now")}
    sized = orders.mutate(moved=(net["now"].fill_null(zero) - net["then"].fill_null(zero)).abs())
    found = []
    for cause in CAUSES:
        own = sized.filter(ibis.or_(*(sized[name] == cause for name in _CHANGES)))
        (count,) = few_rows(own.aggregate(orders=own.count()))
        if count["orders"]:
            shown = own.order_by(own.moved.desc(), own.order_id).select("order_id").limit(EXAMPLES)
            found.append(Cause(cause, count["orders"], [row["order_id"] for row in few_rows(shown)]))
    return found
