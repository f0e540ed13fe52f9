"""Which experiments there are, who was in which arm, and what each customer did.

In: clean/assignments (experiment_id, customer_id, arm, assigned_at, assigned_on, exposed_at, planned_share,
cluster_id), clean/outcomes (experiment_id, customer_id, metric, value, denominator, before, measured_on) where the shop
keeps them, else clean/orders. Out: one row a customer, which every method of this chapter takes:

| column | unit | meaning |
|---|---|---|
| customer_id, arm, cluster_id | | who, where; cluster_id blank where customers were drawn singly |
| assigned_at, assigned_on | UTC, date | the first assignment counts |
| value | of the metric | what the customer did afterwards |
| denominator | of the metric | below a ratio; 1 where there is none |
| before | of the metric | the same before the experiment; blank when not known |

Customers who were put into several arms are in none of the tables of effects: `split.faults` counts them. Nothing that
was assigned or measured after `as_of` is seen.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import pandas as pd

from workbook.ab_testing.effects import ALPHA, Effect
from workbook.ab_testing.means import mean_effects
from workbook.ab_testing.rates import rate_effects
from workbook.ab_testing.ratios import ratio_effects
from workbook.data.engine import few_rows
from workbook.history import OrderMetric, is_purchase, known_on, order_worth

CONTROL_NAMES = ("control", "a", "off", "holdout", "baseline", "none")
PER_UNIT = "_per_unit"


class Metric(NamedTuple):
    """One figure by which the arms are compared."""

    name: str
    source: str  # the outcome it is made of
    kind: str  # mean (per customer), rate (share of customers), ratio (sum / sum)


def list_experiments(assignments: ir.Table, outcomes: ir.Table | None = None, *, as_of: date) -> pd.DataFrame:
    """One row an experiment, oldest first.

    Returns:
        experiment_id, arms (tuple, the control arm first), control, customers, started_on, last_assigned_on (dates),
        has_clusters, has_exposure, metrics (tuple of outcomes), measured_on (last day of measurement, or None),
        planned_days (days from the first assignment to that day, or None).
    """
    seen = assignments.filter(assignments.assigned_on <= as_of)
    facts = few_rows(seen.group_by("experiment_id").aggregate(
        customers=seen.customer_id.nunique(), started_on=seen.assigned_on.min(),
        last_assigned_on=seen.assigned_on.max(), clusters=seen.cluster_id.count(), exposed=seen.exposed_at.count(),
    ))  # fmt: skip
    arms = few_rows(seen.select("experiment_id", "arm").distinct())
    measured = _measured_metrics(outcomes, as_of=as_of)
    rows = [_described(fact, [row["arm"] for row in arms if row["experiment_id"] == fact["experiment_id"]], measured)
            for fact in sorted(facts, key=lambda fact: (fact["started_on"], fact["experiment_id"]))]
    columns = ["experiment_id", "arms", "control", "customers", "started_on", "last_assigned_on", "has_clusters",
               "has_exposure", "metrics", "measured_on", "planned_days"]
    return pd.DataFrame(rows, columns=columns, dtype="object")


def control_of(arms: Iterable[str]) -> str:
    """The arm that is compared with: the one so named, else the first in the alphabet.

    >>> control_of(["treatment", "control"]), control_of(["B", "A"]), control_of(["new", "blue"])
    ('control', 'A', 'blue')
    """
    names = sorted(arms)
    return min(names, key=lambda arm: CONTROL_NAMES.index(arm.lower()) if arm.lower() in CONTROL_NAMES else 99)


def subjects(assignments: ir.Table, experiment_id: str, *, as_of: date) -> ir.Table:
    """One row a customer of the experiment: first arm, when, and in how many arms they were put.

    Returns:
        customer_id, arm, assigned_at, assigned_on, exposed_at (first), cluster_id, planned_share, arms (1; 2: several).
    """
    seen = assignments.filter(assignments.experiment_id == experiment_id, assignments.assigned_on <= as_of)
    return seen.group_by("customer_id").aggregate(
        arm=seen.arm.argmin(seen.assigned_at), assigned_at=seen.assigned_at.min(), assigned_on=seen.assigned_on.min(),
        exposed_at=seen.exposed_at.min(), cluster_id=seen.cluster_id.min(), planned_share=seen.planned_share.min(),
        arms=ibis.ifelse(seen.arm.min() == seen.arm.max(), 1, 2),
    )


def of_one_arm(people: ir.Table) -> ir.Table:
    """The subjects who may be compared."""
    return people.filter(people.arms == 1).select("customer_id", "arm", "cluster_id", "assigned_at", "assigned_on")


def measured(people: ir.Table, outcomes: ir.Table, experiment_id: str, metric: str, *, as_of: date) -> ir.Table:
    """Subjects with the outcome that the shop recorded for them; who has none is left out (see `split.faults`)."""
    known = outcomes.filter(
        outcomes.experiment_id == experiment_id, outcomes.metric == metric,
        outcomes.measured_on.isnull() | (outcomes.measured_on <= as_of),
    )
    known = known.group_by("customer_id").aggregate(
        value=known.value.argmax(known.measured_at).coalesce(known.value.max()),
        denominator=known.denominator.argmax(known.measured_at).coalesce(known.denominator.max()),
        before=known.before.max(),
    )
    return of_one_arm(people).inner_join(known, "customer_id")


def measured_from_orders(
    people: ir.Table, orders: ir.Table, metric: OrderMetric, *, days: int, as_of: date, returns: ir.Table | None = None
) -> ir.Table:
    """Subjects with what they ordered within `days` after their assignment, and as long before it.

    Only who was assigned so long ago that the days are over: others would count as people who did not buy. Orders of
    the day of assignment that lie before it are in neither window.
    """
    known = known_on(orders, returns, day=as_of)
    bought = known.filter(known.customer_id.notnull(), is_purchase(known))
    bought = bought.select("customer_id", "ordered_at", "ordered_on", worth=order_worth(bought, metric))
    ripe = of_one_arm(people)
    ripe = ripe.filter(ibis.literal(as_of) >= ripe.assigned_on + ibis.interval(days=days))
    joined = ripe.left_join(bought, "customer_id")
    span = joined.ordered_on.delta(joined.assigned_on, unit="day")
    after = (joined.ordered_at >= joined.assigned_at) & (span < days)
    earlier = (span < 0) & (span >= -days)
    keys = ("customer_id", "arm", "cluster_id", "assigned_at", "assigned_on")
    sums = joined.group_by(*keys).aggregate(
        value=joined.worth.sum(where=after).coalesce(0.0), before=joined.worth.sum(where=earlier).coalesce(0.0),
        orders=joined.worth.count(where=after),
    )
    if metric == "bought":
        return sums.select(*keys, value=(sums.value > 0).cast("float64"), denominator=ibis.literal(1.0),
                           before=(sums.before > 0).cast("float64"))
    below = ibis.literal(1.0) if metric == "orders" else sums.orders.cast("float64")
    return sums.select(*keys, "value", "before", denominator=below)


def metrics_of(outcomes: ir.Table, experiment_id: str, *, as_of: date) -> tuple[Metric, ...]:
    """The figures that the recorded outcomes give: a rate where all values are 0 or 1, else a mean per customer; and
    where the denominator varies, the ratio beside it (`<metric>_per_unit`)."""
    known = outcomes.filter(
        outcomes.experiment_id == experiment_id, outcomes.measured_on.isnull() | (outcomes.measured_on <= as_of))
    rows = few_rows(known.group_by("metric").aggregate(
        plain=(known.value.isin([0.0, 1.0])).all(), lowest=known.denominator.min(), highest=known.denominator.max(),
    ).order_by("metric"))  # fmt: skip
    found = []
    for row in rows:
        found.append(Metric(row["metric"], row["metric"], "rate" if row["plain"] else "mean"))
        if row["lowest"] is not None and row["lowest"] != row["highest"]:
            found.append(Metric(row["metric"] + PER_UNIT, row["metric"], "ratio"))
    return tuple(found)


def effects(table: ir.Table, metric: Metric, *, control: str, alpha: float = ALPHA) -> tuple[Effect, ...]:
    """The metric compared by the method of its kind, one effect a treatment arm."""
    by_kind = {"mean": mean_effects, "rate": rate_effects, "ratio": ratio_effects}
    return by_kind[metric.kind](table, metric=metric.name, control=control, alpha=alpha)


def _measured_metrics(outcomes: ir.Table | None, *, as_of: date) -> dict[str, list[dict]]:
    if outcomes is None:
        return {}
    known = outcomes.filter(outcomes.measured_on.isnull() | (outcomes.measured_on <= as_of))
    rows = few_rows(known.group_by("experiment_id", "metric").aggregate(measured_on=known.measured_on.max()))
    found: dict[str, list[dict]] = {}
    for row in sorted(rows, key=lambda row: (row["experiment_id"], row["metric"])):
        found.setdefault(row["experiment_id"], []).append(row)
    return found


def _described(fact: dict, arms: list[str], measured: dict[str, list[dict]]) -> dict:
    rows = measured.get(fact["experiment_id"], [])
    days = [row["measured_on"] for row in rows if row["measured_on"] is not None]
    last = max(days, default=None)
    control = control_of(arms)
    return {
        "experiment_id": fact["experiment_id"], "arms": (control, *sorted(set(arms) - {control})), "control": control,
        "customers": fact["customers"], "started_on": fact["started_on"], "last_assigned_on": fact["last_assigned_on"],
        "has_clusters": fact["clusters"] > 0, "has_exposure": fact["exposed"] > 0,
        "metrics": tuple(row["metric"] for row in rows), "measured_on": last,
        "planned_days": (last - fact["started_on"]).days if last else None,
    }
