"""Every experiment of the shop, judged in one pass by the same rules.

`clean/assignments`, `clean/outcomes` (or `clean/orders` where an experiment has no recorded outcome yet) go in; one
`Reviewed` an experiment comes out; `record` makes rows of it. The first metric decides; the others are told beside it.

Where stores or regions were drawn instead of customers, their number counts: effects are those of `clusters`, the split
is that of the clusters, and what treats customers as drawn singly (CUPED, daily looks, segments, uplift) is left out.

An experiment is finished once everybody has had the whole window; before, it is running. Past ones stay on record: what
was tried and did nothing is what the next idea needs to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir
import pandas as pd

from workbook.ab_testing.clusters import Design, cluster_design, cluster_effects
from workbook.ab_testing.cuped import CupedHealth, cuped_effects, cuped_health
from workbook.ab_testing.effects import Effect
from workbook.ab_testing.experiments import (
    Metric,
    effects,
    list_experiments,
    measured,
    measured_from_orders,
    metrics_of,
    subjects,
)
from workbook.ab_testing.sequential import Stop, daily_looks, sequence, stopping
from workbook.ab_testing.split import Maturity, SampleRatio, faults, maturity, sample_ratio
from workbook.ab_testing.tails import Winsorised, winsorised_effects
from workbook.ab_testing.verdict import Verdict, judge_experiment
from workbook.data.engine import few_rows, settled
from workbook.data.errors import WorkbookError

FROM_ORDERS = (Metric("orders", "orders", "mean"), Metric("bought", "bought", "rate"),
               Metric("revenue", "revenue", "mean"), Metric("revenue_per_unit", "revenue", "ratio"))
FEWEST = 30  # customers in an arm, below which no interval is shown


class Reviewed(NamedTuple):
    """One experiment and what may be said of it."""

    experiment_id: str
    phase: str  # running, finished
    from_orders: bool  # whether outcomes were counted from orders, as none are recorded yet
    started_on: date
    ended_on: date | None  # last day of measurement, once there is one
    days: int  # length of the window in which outcomes count
    customers: int
    control: str
    arms: tuple[str, ...]
    metrics: tuple[Metric, ...]  # the first decides
    people: ir.Table  # subjects
    tables: dict[str, ir.Table]  # source of a metric → customers with value, denominator, before
    effects: tuple[Effect, ...]  # of each metric and arm, raw
    cuped: dict[str, tuple[Effect, ...]]  # source of a mean → adjusted effects
    health: dict[str, CupedHealth]
    winsorised: dict[str, Winsorised]
    design: Design | None  # how much wider intervals are where clusters were drawn; None: customers were
    split: SampleRatio
    faults: pd.DataFrame
    maturity: Maturity
    verdict: Verdict

    @property
    def main(self) -> Effect | None:
        """The effect that decides: of the first metric, on the arm of the verdict."""
        decides = [effect for effect in self.effects if effect.metric == self.metrics[0].name]
        return next((effect for effect in decides if effect.arm == self.verdict.arm), (*decides, None)[0])


def review(
    assignments: ir.Table, outcomes: ir.Table | None, orders: ir.Table, returns: ir.Table | None = None, *,
    as_of: date, outcome_days: int = 56, first_metric: str = "orders", worthwhile: float = 0.0, alpha: float = 0.05,
    customers_a_day: float | None = None,
) -> list[Reviewed]:  # fmt: skip
    """All experiments that had begun by `as_of`, oldest first.

    Args:
        outcome_days: window after the assignment where outcomes are counted from orders, or have no day.
        first_metric: the metric that decides; an experiment without it is decided by its own first one.
        worthwhile: smallest relative lift that would be worth having.
        customers_a_day: how many come, to say how long a larger sample would take.
    """
    listed = list_experiments(assignments, outcomes, as_of=as_of)
    options = {"as_of": as_of, "days": outcome_days, "first": first_metric, "worthwhile": worthwhile, "alpha": alpha,
               "customers_a_day": customers_a_day}
    return [_reviewed(row, assignments, outcomes, orders, returns, **options) for row in listed.itertuples()]


def _reviewed(
    row, assignments: ir.Table, outcomes: ir.Table | None, orders: ir.Table, returns: ir.Table | None, *, as_of: date,
    days: int, first: str, worthwhile: float, alpha: float, customers_a_day: float | None,
) -> Reviewed:  # fmt: skip
    name, from_orders = row.experiment_id, not row.metrics
    people = settled(subjects(assignments, name, as_of=as_of))
    if row.measured_on is not None:
        days = max((row.measured_on - row.last_assigned_on).days, 1)
    known = FROM_ORDERS if from_orders else metrics_of(outcomes, name, as_of=as_of)
    metrics = tuple(sorted((metric for metric in known if metric.kind != "ratio" or not row.has_clusters),
                           key=lambda metric: metric.name != first))
    source = (None, orders) if from_orders else (outcomes, orders)
    tables = _tables(people, *source, returns, name, metrics, days=days, as_of=as_of)
    raw = tuple(found for metric in metrics
                for found in _effects(tables[metric.source], metric, row.control, alpha, row.has_clusters))
    means = [metric for metric in metrics if metric.kind == "mean" and not row.has_clusters]
    split, wrong = sample_ratio(_drawn(people, row.has_clusters)), faults(people, outcomes, name, as_of=as_of)
    ripe = maturity(people, days=days, as_of=as_of)
    looked = ripe.share < 1 and not row.has_clusters
    stops = _stops(people, orders, returns, row.control, days, as_of, alpha) if looked else ()
    deciding = [effect for effect in raw if effect.metric == metrics[0].name]
    verdict = judge_experiment(
        deciding, split=split, faults=wrong, maturity=ripe, stop=stops, worthwhile=worthwhile,
        customers_a_day=customers_a_day)
    design = cluster_design(tables[metrics[0].source]) if row.has_clusters and metrics else None
    phase = "finished" if ripe.share >= 1 else "running"
    return Reviewed(
        name, phase, from_orders, row.started_on, row.measured_on, days, row.customers, row.control, row.arms, metrics,
        people, tables, raw, *_other_ways(means, tables, row.control, alpha),
        design, split, wrong, ripe, verdict,
    )  # fmt: skip


def _other_ways(
    means: Sequence[Metric], tables: dict[str, ir.Table], control: str, alpha: float
) -> tuple[dict[str, tuple[Effect, ...]], dict[str, CupedHealth], dict[str, Winsorised]]:
    """By source of a mean: its effects with CUPED, the health of that, and effects with the largest values capped."""
    cuped, health, capped = {}, {}, {}
    for metric in means:
        table, same = tables[metric.source], {"control": control, "alpha": alpha}
        if _comparable(table, control):
            cuped[metric.source] = cuped_effects(table, metric=metric.name, **same)
            health[metric.source] = cuped_health(table, control=control)
            capped[metric.source] = winsorised_effects(table, metric=metric.name, **same)
    return cuped, health, capped


def _tables(
    people: ir.Table, outcomes: ir.Table | None, orders: ir.Table, returns: ir.Table | None, name: str,
    metrics: Sequence[Metric], *, days: int, as_of: date,
) -> dict[str, ir.Table]:  # fmt: skip
    sources = dict.fromkeys(metric.source for metric in metrics)
    if outcomes is None:
        return {source: settled(measured_from_orders(people, orders, source, days=days, as_of=as_of, returns=returns))
                for source in sources}
    return {source: settled(measured(people, outcomes, name, source, as_of=as_of)) for source in sources}


def _drawn(people: ir.Table, by_cluster: bool) -> ir.Table:
    """One row for each that was drawn: a customer, or a cluster."""
    if not by_cluster:
        return people
    return people.group_by("arm", "cluster_id").aggregate(planned_share=people.planned_share.mean())


def _comparable(table: ir.Table, control: str) -> bool:
    """Whether the control arm and another have enough customers to speak of."""
    sizes = {row["arm"]: row["n"] for row in few_rows(table.group_by("arm").aggregate(n=table.count()))}
    return len(sizes) > 1 and min(sizes.values()) >= FEWEST and control in sizes


def _effects(table: ir.Table, metric: Metric, control: str, alpha: float, by_cluster: bool) -> tuple[Effect, ...]:
    if not _comparable(table, control):
        return ()
    if by_cluster:
        return cluster_effects(table, metric=metric.name, control=control, alpha=alpha)
    return effects(table, metric, control=control, alpha=alpha)


def _stops(
    people: ir.Table, orders: ir.Table, returns: ir.Table | None, control: str, days: int, as_of: date, alpha: float
) -> tuple[Stop, ...]:
    looks = daily_looks(people, orders, "orders", as_of=as_of, days=days, returns=returns)
    return stopping(sequence(looks, control=control, alpha=alpha))


def example(reviewed: Sequence[Reviewed]) -> Reviewed | None:
    """The experiment to follow by hand: finished, two arms, decided by a mean, the one with most customers."""
    plain = [one for one in reviewed if one.main and one.phase == "finished" and len(one.arms) == 2
             and one.metrics[0].kind == "mean" and one.design is None]
    sound = [one for one in plain if one.verdict.code != "refuse"] or plain
    return max(sound, key=lambda one: (one.customers, one.experiment_id), default=None)


def in_focus(reviewed: Sequence[Reviewed], name: str = "") -> Reviewed | None:
    """The experiment that is looked into: the named one; else the latest that may be read.

    Raises:
        WorkbookError: no experiment has that name.
    """
    named = [one for one in reviewed if one.experiment_id == name]
    if name and reviewed and not named:
        raise WorkbookError(f"There is no experiment {name!r}.",
                            way_out="Write one of: " + ", ".join(one.experiment_id for one in reviewed))
    sound = [one for one in reviewed if one.main and one.verdict.code != "refuse"]
    return (named or sound[-1:] or list(reviewed[-1:]) or [None])[0]


def to_watch(reviewed: Sequence[Reviewed], name: str = "") -> Reviewed | None:
    """The experiment to look at day by day: the named one; else the latest that is running; else that in focus."""
    running = [one for one in reviewed if one.phase == "running" and one.verdict.code != "refuse"]
    return running[-1] if running and not name else in_focus(reviewed, name)


def arm_totals(one: Reviewed) -> ir.Table:
    """The first metric by arm, control first: customers, total, squares (their sum), buyers (value above zero)."""
    table = one.tables[one.metrics[0].source]
    sums = table.group_by("arm").aggregate(
        customers=table.count(), total=table.value.sum(), squares=(table.value**2).sum(),
        buyers=(table.value > 0).cast("int64").sum())
    return sums.order_by((sums.arm != one.control).cast("int64"), "arm")
