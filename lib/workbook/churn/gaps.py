"""The gaps between purchases, with those that still run.

A gap runs from one purchase day of a customer to the next; the last one of each customer is still open on the report
date and says only that it is longer than that: it is censored. Leaving the open gaps out, as averages of "days between
purchases" do, leaves out the long ones.

In: purchase days (`history.purchase_days`). Out: one row per gap, and their counts for survival curves; both stay in
the engine, and the counts are bounded by days × groups whatever the number of customers.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

PAST = ("1", "2", "3-4", "5-9", "10+")  # purchase days before the gap: habits differ most among the first few
BUCKETS = 20  # groups of customers drawn by their ids, for intervals that keep a customer's gaps together


def gaps(purchases: ir.Table, *, as_of: date) -> ir.Table:
    """One row per gap.

    Args:
        purchases: customer_id, ordered_on; one row per customer and day.

    Returns:
        customer_id, number (1: the gap after the first purchase day), started_on, gap_days (to the next purchase day,
        or to `as_of` where none has come yet), returned (1, or 0 for an open gap).
    """
    order = ibis.window(group_by="customer_id", order_by="ordered_on")
    bought = purchases.filter(purchases.ordered_on <= as_of)
    bought = bought.select(
        "customer_id",
        number=ibis.row_number().over(order) + 1,
        started_on="ordered_on",
        next_on=bought.ordered_on.lead().over(order),
    )
    end = bought.next_on.coalesce(ibis.literal(as_of))
    return bought.select(
        "customer_id",
        number=bought.number.cast("int64"),
        started_on=bought.started_on,
        gap_days=end.delta(bought.started_on, unit="day").cast("int64"),
        returned=bought.next_on.notnull().cast("int64"),
    )


def gap_counts(gapped: ir.Table) -> ir.Table:
    """The gaps counted: bucket, past (one of `PAST`), gap_days, returned, gaps, open (gaps that still run)."""
    number = gapped.number
    past = ibis.cases(
        (number == 1, PAST[0]), (number == 2, PAST[1]), (number <= 4, PAST[2]), (number <= 9, PAST[3]), else_=PAST[4]
    )
    bucket = (gapped.customer_id.hash().cast("int64") % BUCKETS + BUCKETS) % BUCKETS
    told = gapped.mutate(past=past, bucket=bucket)
    counted = told.group_by("bucket", "past", "gap_days", "returned").aggregate(
        gaps=told.count(), open=(told.returned == 0).sum()
    )
    return counted.order_by("bucket", "past", "gap_days", "returned")
