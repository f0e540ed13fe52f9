"""Segments: names for groups of scores, by a printed rule in which every customer falls in exactly one.

A score is *low* in the lowest third of its range, *high* in the highest third, *mid* between (of 1 to 5: low 1–2,
mid 3, high 4–5). The value level is that of the mean of the frequency and monetary scores. Who bought on one day
only is apart: one purchase says nothing about a rhythm.
"""

from __future__ import annotations

from functools import reduce
from operator import and_, or_
from typing import Literal, NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.data.engine import few_rows
from workbook.rfm.scores import Thresholds
from workbook.rfm.table import NOT_YET

Level = Literal["low", "mid", "high"]
LEVELS: tuple[Level, ...] = ("low", "mid", "high")


class Segment(NamedTuple):
    """One line of the rule."""

    name: str  # code; `output.words.rfm` has the names for people
    first_time: bool  # those with one purchase day
    recency: tuple[Level, ...]  # of the recency score: high is lately
    value: tuple[Level, ...]  # of the mean of frequency and monetary score


SEGMENTS = (
    Segment("champions", False, ("high",), ("high",)),
    Segment("loyal", False, ("high",), ("mid",)),
    Segment("promising", False, ("high",), ("low",)),
    Segment("slowing", False, ("mid",), ("mid", "high")),
    Segment("occasional", False, ("mid",), ("low",)),
    Segment("at_risk", False, ("low",), ("mid", "high")),
    Segment("hibernating", False, ("low",), ("low",)),
    Segment("new", True, ("high",), LEVELS),
    Segment("second_due", True, ("mid",), LEVELS),
    Segment("one_time_gone", True, ("low",), LEVELS),
)


def assign(scored: ir.Table, edges: Thresholds) -> ir.Table:
    """Adds `segment` to customers with purchase_days, r, f, m."""
    matches = conditions(scored, edges)
    return scored.mutate(segment=ibis.cases(*[(condition, name) for name, condition in matches.items()]))


def conditions(scored: ir.Table, edges: Thresholds) -> dict[str, ir.BooleanValue]:
    """Who falls in each segment; of any customer exactly one is true (a test enumerates all scores)."""
    bins = edges.bins
    recency = _levels(scored.r - 1, max(bins["r"] - 1, 1))
    f_range, m_range = max(bins["f"] - 1, 1), max(bins["m"] - 1, 1)
    value = _levels((scored.f - 1) * m_range + (scored.m - 1) * f_range, 2 * f_range * m_range)
    first_time = scored.purchase_days == 1
    return {
        segment.name: reduce(
            and_,
            [
                first_time if segment.first_time else ~first_time,
                reduce(or_, [recency[level] for level in segment.recency]),
                reduce(or_, [value[level] for level in segment.value]),
            ],
        )
        for segment in SEGMENTS
    }


def _levels(part: ir.IntegerValue, whole: int) -> dict[str, ir.BooleanValue]:
    """Lowest third, middle, highest third of 0 … whole, in whole numbers: no rounding decides."""
    low, high = 3 * part <= whole, 3 * part >= 2 * whole
    return {"low": low, "mid": ~low & ~high, "high": high}


def summary(customers: ir.Table) -> ir.Table:
    """Size and revenue of each segment.

    Args:
        customers: segment, recency_days, frequency, monetary, spend_12m (of buyers).

    Returns:
        segment, customers, customer_share, spend_12m, revenue_share (of the last twelve months), monetary,
        median_recency_days, mean_frequency. Segments without anybody are left out.
    """
    totals = customers.aggregate(all_customers=customers.count(), all_spend=customers.spend_12m.sum().cast("float64"))
    groups = customers.group_by("segment").aggregate(
        customers=customers.count(),
        spend_12m=customers.spend_12m.sum(),
        monetary=customers.monetary.sum(),
        median_recency_days=customers.recency_days.cast("float64").median(),
        mean_frequency=customers.frequency.mean(),
    )
    both = groups.cross_join(totals)
    return both.mutate(
        customer_share=both.customers / both.all_customers,
        revenue_share=both.spend_12m.cast("float64") / both.all_spend.nullif(0),
    ).drop("all_customers", "all_spend")


def movement(customers: ir.Table) -> ir.Table:
    """How many customers went from which segment to which: segment_before (or not_yet), segment, customers."""
    named = customers.mutate(segment_before=customers.segment_before.coalesce(NOT_YET))
    return named.group_by("segment_before", "segment").aggregate(customers=named.count())


def moved_share(customers: ir.Table) -> float | None:
    """Share of those who had bought by the end of the period before who are in another segment now."""
    there = customers.filter(customers.segment_before.notnull())
    moved = (there.segment != there.segment_before).cast("float64")
    return few_rows(there.aggregate(share=moved.mean()))[0]["share"]
