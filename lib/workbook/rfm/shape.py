"""The shape of a measure, and one customer to begin with."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pandas as pd

from workbook.data.engine import few_rows
from workbook.rfm.scores import MEASURES, Thresholds


def example(orders: ir.Table, *, purchases: int = 4) -> str:
    """A customer whose row can be worked out by hand: about four orders, nothing returned; "" where there is none."""
    known = orders.filter(orders.customer_id.notnull())
    each = known.group_by("customer_id").aggregate(orders=known.count(), least=known.net_amount.min())
    plain = each.filter(each.least > 0)
    nearest = few_rows(plain.order_by((plain.orders - purchases).abs(), plain.customer_id).limit(1))
    return nearest[0]["customer_id"] if nearest else ""


def histogram(customers: ir.Table, measure: str, *, n: int = 20) -> pd.DataFrame:
    """Customers in `n` bins of equal width, counted in the engine: left, right, count."""
    values = customers.select(value=customers[measure].cast("float64"))
    ends = few_rows(values.aggregate(low=values.value.min(), high=values.value.max()))[0]
    if ends["low"] is None:
        return pd.DataFrame({"left": [], "right": [], "count": []})
    low, width = ends["low"], (ends["high"] - ends["low"]) / n or 1.0
    placed = values.mutate(bin=ibis.least(((values.value - low) / width).floor().cast("int64"), n - 1))
    counted = few_rows(placed.group_by("bin").aggregate(count=placed.count()))
    counts = {row["bin"]: row["count"] for row in counted}
    lefts = [low + i * width for i in range(n)]
    return pd.DataFrame(
        {"left": lefts, "right": [left + width for left in lefts], "count": [counts.get(i, 0) for i in range(n)]}
    )


def bin_sizes(scored: ir.Table, edges: Thresholds) -> pd.DataFrame:
    """Customers by score: one row a score from the best down, one column a measure (r, f, m)."""
    top = max(edges.bins.values())
    columns = {}
    for name in MEASURES.values():
        rows = few_rows(scored.group_by(name).aggregate(count=scored.count()))
        counts = {row[name]: row["count"] for row in rows}
        columns[name] = [counts.get(score, 0) if score <= edges.bins[name] else None for score in range(top, 0, -1)]
    return pd.DataFrame({"score": range(top, 0, -1), **columns})


def with_attributes(people: ir.Table, customers: ir.Table) -> ir.Table:
    """The RFM table with what clean/customers knows beside it: the table on which segments are built."""
    more = [c for c in customers.columns if c not in people.columns and c not in ("is_test",) and "_hash" not in c]
    beside = customers.select(known_id="customer_id", **{name: customers[name] for name in more})
    return people.left_join(beside, people.customer_id == beside.known_id).drop("known_id")
