"""Does it predict? Scores as of an earlier day, set beside what was bought after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.data.engine import few_rows
from workbook.history import known_on
from workbook.rfm.groups import SEGMENTS, assign
from workbook.rfm.scores import score, thresholds, weighted
from workbook.rfm.table import Counted, customer_table
from workbook.scoring import wilson

LAST_MONTH_DAYS = 30
LARGEST = 100_000  # customers on whom lists are judged; of more a sample is drawn


def before_and_after(
    orders: ir.Table,
    returns: ir.Table | None,
    *,
    scored_on: date,
    until: date,
    n_bins: int = 5,
    frequency: Counted = "purchase_days",
    first_time_apart: bool = True,
    weights: Sequence[float] = (1, 1, 1),
) -> ir.Table:
    """Customers as they looked on `scored_on`, with what they bought after it, up to `until`.

    Edges are fitted on that day too: nothing later enters a score.

    Returns:
        the columns of `customer_table`, r, f, m, score, segment; bought (1 or 0), revenue_after (net, currency).
    """
    customers = customer_table(known_on(orders, returns, day=scored_on), as_of=scored_on, frequency=frequency)
    edges = thresholds(customers, n_bins=n_bins, first_time_apart=first_time_apart)
    scored = assign(weighted(score(customers, edges), edges, weights=weights), edges)
    after = orders.filter(orders.customer_id.notnull(), orders.ordered_on > scored_on, orders.ordered_on <= until)
    later = customer_table(after, as_of=until).select(buyer="customer_id", revenue_after="monetary")
    joined = scored.left_join(later, scored.customer_id == later.buyer)
    return joined.mutate(
        bought=joined.buyer.notnull().cast("int64"), revenue_after=joined.revenue_after.coalesce(0)
    ).drop("buyer")


def judged_sample(history: ir.Table, *, largest: int = LARGEST) -> ir.Table:
    """What lists are judged by, in key order; of more than `largest` customers about that many, drawn by their ids."""
    kept = history.select("customer_id", "score", "recency_days", "spend_12m", "bought", "revenue_after")
    customers = few_rows(history.aggregate(customers=history.count()))[0]["customers"]
    if customers > largest:
        place = kept.customer_id.hash().cast("int64").abs() % 1_000_000
        kept = kept.filter(place < int(1_000_000 * largest / customers))
    return kept.order_by("customer_id")


def waiting_lists(history: pd.DataFrame) -> Mapping[str, np.ndarray]:
    """What each way of choosing sorts by, highest first: RFM and its naive rivals."""
    return {
        "rfm": history["score"].to_numpy(float),
        "recency": -history["recency_days"].to_numpy(float),
        "spend_12m": history["spend_12m"].to_numpy(float),
        "bought_last_month": (history["recency_days"] < LAST_MONTH_DAYS).to_numpy(float),
    }


class Response(NamedTuple):
    """Who bought afterwards, of one segment."""

    segment: str
    customers: int
    buyers: int
    rate: float  # share who bought
    low: float  # 95 % interval (Wilson)
    high: float


def response_by_segment(history: ir.Table) -> pd.DataFrame:
    """Share of each segment that bought afterwards, in the order of the rule: segment, customers, buyers, rate, …"""
    counted = history.group_by("segment").aggregate(customers=history.count(), buyers=history.bought.sum())
    rows = {row["segment"]: row for row in few_rows(counted)}
    found = [rows[segment.name] for segment in SEGMENTS if segment.name in rows]
    return pd.DataFrame(
        [
            Response(row["segment"], row["customers"], row["buyers"], *wilson(row["buyers"], row["customers"]))
            for row in found
        ],
        columns=list(Response._fields),
    )


def mean_answer(history: ir.Table) -> float | None:
    """Mean net amount, after the scoring day, of those who bought: what one answer is worth."""
    value = history.revenue_after.cast("float64").mean(where=history.bought == 1)
    return few_rows(history.aggregate(value=value))[0]["value"]
