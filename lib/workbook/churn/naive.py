"""The obvious definition of leaving, and how often it was wrong: silence of so many days, and the mean of who left.

Whoever was silent for 90 days "has left": but the long silences of the past can be looked up, and many ended. And the
mean tenure of those who left is no expected lifetime, as everybody who stayed is left out of it.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir
import pandas as pd

from workbook.churn.survival import kaplan_meier, survival_at
from workbook.data.engine import few_rows
from workbook.scoring import Estimate, wilson


def example(gapped: ir.Table, *, days: int) -> str | None:
    """A customer whose story shows it: silent for more than `days`, back again, and not long ago; else any with gaps.

    Args:
        gapped: `gaps`.
    """
    long = (gapped.gap_days > days) & (gapped.returned == 1)
    people = gapped.group_by("customer_id").aggregate(
        gaps=gapped.count(), long=long.cast("int64").sum(),
        quiet=gapped.gap_days.max(where=gapped.returned == 0),
    )
    telling = (people.long > 0) & people.gaps.between(4, 8) & (people.quiet <= days)
    best = people.mutate(telling=telling.cast("int64")).order_by(
        lambda t: t.telling.desc(), lambda t: (t.long > 0).cast("int64").desc(),
        lambda t: (t.gaps - 5).abs(), "customer_id")
    rows = few_rows(best.limit(1))
    return rows[0]["customer_id"] if rows else None


class Silences(NamedTuple):
    """What became of everybody who was ever silent for so many days."""

    days: int
    silences: int  # that lasted so long
    ended: int  # of these, by a purchase, up to the report date
    share: float  # ended; more will end after the report date
    low: float  # 95 % interval (Wilson)
    high: float
    silent_now: int  # customers
    customers: int


def silences(gapped: ir.Table, *, days: int) -> Silences:
    """How many silences of more than `days` ended with a purchase."""
    long = gapped.gap_days > days
    row = few_rows(gapped.aggregate(
        silences=long.cast("int64").sum(), ended=(long & (gapped.returned == 1)).cast("int64").sum(),
        silent_now=(long & (gapped.returned == 0)).cast("int64").sum(),
        customers=(gapped.returned == 0).cast("int64").sum(),
    ))[0]
    counts = {name: int(value or 0) for name, value in row.items()}
    return Silences(days, counts["silences"], counts["ended"], *wilson(counts["ended"], counts["silences"]),
                    counts["silent_now"], counts["customers"])


def stays(gapped: ir.Table, *, days: int, as_of: date) -> ir.Table:
    """How long customers stayed, as far as is known: from the first purchase day to the last.

    Returns:
        customer_id, days (to the last purchase of who has been silent for more than `days`, else to the report date),
        ended (1: silent so long).
    """
    people = gapped.group_by("customer_id").aggregate(
        first=gapped.started_on.min(), last=gapped.started_on.max(),
        quiet=gapped.gap_days.max(where=gapped.returned == 0),
        span=gapped.gap_days.sum(),
    )
    ended = people.quiet > days
    stayed = people.span - ended.ifelse(people.quiet, 0)
    return people.select("customer_id", days=stayed, ended=ended.cast("int64")).order_by("customer_id")


class Tenure(NamedTuple):
    """The mean of who left, beside what the curve of everybody says at that day."""

    mean_days: float | None  # mean tenure of those who left; None where nobody did
    still_there: Estimate  # share of all still there after so many days (Kaplan–Meier)
    n: int
    ended: int
    curve: pd.DataFrame  # day, at_risk, ended, survival, low, high


def tenure(lifetimes: pd.DataFrame) -> Tenure:
    """The mean tenure of those who left, and the share of everybody who is still there after so long.

    Args:
        lifetimes: days, ended (1 left, 0 still there).
    """
    nan = float("nan")
    left = lifetimes[lifetimes["ended"] == 1]
    if not len(left):
        return Tenure(None, Estimate(nan, nan, nan), len(lifetimes), 0, pd.DataFrame())
    curve = kaplan_meier(lifetimes["days"], lifetimes["ended"])
    mean = float(left["days"].mean())
    return Tenure(mean, survival_at(curve, mean), len(lifetimes), len(left), curve)
