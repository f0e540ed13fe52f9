"""May the arms be compared at all? The split, the faults of assignment, and whether outcomes are ripe.

In: subjects (see `experiments`), outcomes. Out: a test of the sizes of the arms (sample-ratio mismatch), counts of
faults by code, and how many customers have had their whole window.

A split that is off by more than chance (p < 0.001) means that customers were lost or added in one arm only. They are
seldom like the others, so that the arms differ before anything was done: no figure of the experiment may be read.

Sources: A. Fabijan et al., Diagnosing Sample Ratio Mismatch in Online Controlled Experiments, KDD 2019; R. Kohavi,
D. Tang & Y. Xu, Trustworthy Online Controlled Experiments, 2020, chapters 3 and 21.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import pandas as pd
import scipy.stats

from workbook.data.engine import few_rows

BROKEN = 0.001  # strict, because it is asked of every experiment and stops it
SERIOUS_SHARE = 0.01  # of the customers with a fault, above which the experiment is not read
FAULTS = ("two_arms", "exposed_before_assigned", "never_exposed", "no_outcome", "outcome_without_arm",
          "measured_before_assigned")  # fmt: skip
SERIOUS = ("two_arms", "exposed_before_assigned", "measured_before_assigned")


class SampleRatio(NamedTuple):
    """Whether the arms have the sizes that were planned."""

    chi2: float
    df: int
    p_value: float
    broken: bool  # p < 0.001
    arms: pd.DataFrame  # arm, customers, expected, share, planned_share


class Maturity(NamedTuple):
    """How many customers have had their whole window."""

    days: int  # length of the window
    customers: int
    mature: int
    share: float
    last_assigned_on: date | None
    mature_on: date | None  # the day at whose end everybody assigned so far will have had it
    days_left: int  # until then


def sample_ratio(people: ir.Table) -> SampleRatio:
    """The sizes of the arms against `planned_share`; equal shares where it is blank anywhere."""
    rows = few_rows(people.group_by("arm").aggregate(
        customers=people.count(), planned=people.planned_share.mean(), blank=people.planned_share.isnull().any(),
    ).order_by("arm"))  # fmt: skip
    told = bool(rows) and not any(row["blank"] for row in rows)
    planned = {row["arm"]: row["planned"] for row in rows} if told else None
    return sample_ratio_of({row["arm"]: row["customers"] for row in rows}, planned)


def sample_ratio_of(counts: Mapping[str, int], planned: Mapping[str, float] | None = None) -> SampleRatio:
    """The same from counts.

    >>> found = sample_ratio_of({"control": 821_588, "treatment": 815_482})
    >>> round(found.chi2, 4), found.broken
    (22.7744, True)
    """
    table = pd.DataFrame({"arm": list(counts), "customers": list(counts.values())})
    weights = pd.Series([1.0 if planned is None else float(planned[arm]) for arm in counts], dtype=float)
    table["planned_share"] = weights / weights.sum()
    table["expected"] = table["planned_share"] * table["customers"].sum()
    table["share"] = table["customers"] / table["customers"].sum()
    table = table[["arm", "customers", "expected", "share", "planned_share"]]
    if len(table) < 2 or not (table["expected"] > 0).all():
        return SampleRatio(math.nan, max(len(table) - 1, 0), math.nan, False, table)
    chi2 = float(((table["customers"] - table["expected"]) ** 2 / table["expected"]).sum())
    p_value = float(scipy.stats.chi2.sf(chi2, len(table) - 1))
    return SampleRatio(chi2, len(table) - 1, p_value, p_value < BROKEN, table)


def faults(people: ir.Table, outcomes: ir.Table | None, experiment_id: str, *, as_of: date) -> pd.DataFrame:
    """How often an assignment or an outcome cannot be right.

    Returns:
        code (each of `FAULTS`), customers, share (of the subjects), checked (False: nothing was recorded that tells),
        serious (the kind that forbids to read the figures from a share of 1 %).
    """
    counts = _assignment_faults(people) | _outcome_faults(people, outcomes, experiment_id, as_of=as_of)
    everyone = counts.pop("everyone")
    return pd.DataFrame({
        "code": FAULTS,
        "customers": [counts.get(code) or 0 for code in FAULTS],
        "share": [(counts.get(code) or 0) / everyone if everyone else math.nan for code in FAULTS],
        "checked": [counts.get(code) is not None for code in FAULTS],
        "serious": [code in SERIOUS for code in FAULTS],
    })


def maturity(people: ir.Table, *, days: int, as_of: date) -> Maturity:
    """How many subjects were assigned at least `days` before the end of `as_of`."""
    ripe = ibis.literal(as_of) >= people.assigned_on + ibis.interval(days=days)
    row = few_rows(people.aggregate(
        customers=people.count(), mature=ripe.cast("int64").sum().coalesce(0), last=people.assigned_on.max()))[0]
    last = row["last"]
    share = row["mature"] / row["customers"] if row["customers"] else math.nan
    ready = last + timedelta(days=days) if last else None
    left = max((ready - as_of).days, 0) if ready else 0
    return Maturity(days, row["customers"], row["mature"], share, last, ready, left)


def _assignment_faults(people: ir.Table) -> dict[str, int | None]:
    row = few_rows(people.aggregate(
        everyone=people.count(), exposed=people.exposed_at.count(),
        two_arms=(people.arms > 1).cast("int64").sum().coalesce(0),
        early=(people.exposed_at < people.assigned_at).cast("int64").sum().coalesce(0),
    ))[0]  # fmt: skip
    told = row["exposed"] > 0
    return {
        "everyone": row["everyone"], "two_arms": row["two_arms"],
        "exposed_before_assigned": row["early"] if told else None,
        "never_exposed": row["everyone"] - row["exposed"] if told else None,
    }


def _outcome_faults(
    people: ir.Table, outcomes: ir.Table | None, experiment_id: str, *, as_of: date
) -> dict[str, int | None]:
    codes = ("no_outcome", "outcome_without_arm", "measured_before_assigned")
    if outcomes is None:
        return dict.fromkeys(codes)
    known = outcomes.filter(outcomes.experiment_id == experiment_id,
                            outcomes.measured_on.isnull() | (outcomes.measured_on <= as_of))
    last = known.group_by(measured_id="customer_id").aggregate(measured_on=known.measured_on.max())
    assigned = people.select("customer_id", "assigned_on")
    both = assigned.outer_join(last, assigned.customer_id == last.measured_id)
    without, stray = both.measured_id.isnull(), both.customer_id.isnull()
    row = few_rows(both.aggregate(
        measured=both.measured_id.count(), no_outcome=without.cast("int64").sum().coalesce(0),
        outcome_without_arm=stray.cast("int64").sum().coalesce(0),
        measured_before_assigned=(both.measured_on < both.assigned_on).cast("int64").sum().coalesce(0),
    ))[0]  # fmt: skip
    return {code: row[code] for code in codes} if row["measured"] else dict.fromkeys(codes)
