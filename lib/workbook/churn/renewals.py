"""Subscriptions: what share of the running ones ends in a month, and what a save was worth in an experiment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.churn.profit import save_rate
from workbook.data.engine import few_rows
from workbook.history import is_purchase
from workbook.scoring import Estimate, wilson

CONTROL = "control"


class Monthly(NamedTuple):
    """The share of running subscriptions that ended within a month, months pooled."""

    value: float
    low: float  # 95 % interval (Wilson)
    high: float
    months: int  # subscription-months that were looked at
    running: int  # subscriptions that run on the last day


def monthly_churn(subscriptions: ir.Table, *, days: Sequence[date]) -> Monthly:
    """Of those that ran at the end of one month, the share that had ended by the end of the next.

    Args:
        subscriptions: started_on, ended_on (blank while it runs).
        days: ends of months, rising.
    """
    sums = {}
    for i, (begin, end) in enumerate(pairwise(days)):
        ran = _running(subscriptions, begin)
        sums |= {f"ran_{i}": _count(ran), f"ended_{i}": _count(ran & ~_running(subscriptions, end))}
    sums["running"] = _count(_running(subscriptions, days[-1]))
    row = few_rows(subscriptions.aggregate(**sums))[0]
    ran, ended = (sum(int(row[f"{name}_{i}"] or 0) for i in range(len(days) - 1)) for name in ("ran", "ended"))
    return Monthly(*wilson(ended, ran), ran, int(row["running"] or 0))


def _running(contracts: ir.Table, day: date) -> ir.BooleanValue:
    begun = contracts.started_on <= ibis.literal(day)
    return begun & (contracts.ended_on.isnull() | (contracts.ended_on > ibis.literal(day)))


def _count(condition: ir.BooleanValue) -> ir.IntegerScalar:
    return condition.fill_null(False).cast("int64").sum()


class Saved(NamedTuple):
    """What an experiment says of the share that a contact saves."""

    rate: Estimate  # 1 − share who left when contacted / share who left without
    treated: int
    control: int


def saved_by(
    assignments: ir.Table, orders: ir.Table, experiment: str, *, horizon_days: int, as_of: date
) -> Saved:
    """Measured by an experiment whose treated arms got the contact: who did not buy in the horizon after it has left.

    Only who has been watched for the whole horizon counts. The arm named `control` is the one without.

    Args:
        assignments: experiment_id, customer_id, arm, assigned_on.
    """
    end = ibis.literal(as_of - timedelta(days=horizon_days))
    drawn = assignments.filter(assignments.experiment_id == experiment, assignments.assigned_on <= end)
    bought = orders.filter(is_purchase(orders), orders.customer_id.notnull(), orders.ordered_on <= ibis.literal(as_of))
    bought = bought.select(buyer="customer_id", ordered_on="ordered_on")
    joined = drawn.left_join(bought, drawn.customer_id == bought.buyer)
    ago = joined.ordered_on.delta(joined.assigned_on, unit="day")
    back = joined.group_by("customer_id", "arm").aggregate(stayed=ago.between(1, horizon_days).fill_null(False).max())
    arms = back.group_by(contacted=back.arm != CONTROL).aggregate(n=back.count(), left=(~back.stayed).sum())
    found = {bool(row["contacted"]): (int(row["n"]), int(row["left"])) for row in few_rows(arms)}
    (treated, left_treated), (control, left_control) = found.get(True, (0, 0)), found.get(False, (0, 0))
    rate = save_rate(left_treated=left_treated, treated=treated, left_control=left_control, control=control)
    return Saved(rate, treated, control)
