"""Every experiment of the shop, judged in one pass by the same rules.

`clean/assignments`, `clean/outcomes` (or `clean/orders` where an experiment has no recorded outcome yet) go in; one
`Reviewed` an experiment comes out; `record` makes rows of it. The first metric decides; the others are told beside it.

An experiment is finished once everybody has had the whole window; before, it is running. Past ones stay on record:
what was tried and did nothing is what the next idea needs to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir
import pandas as pd

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
from workbook.data.engine import few_rows
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
) -> list[Reviewed]:  # fmt: skip
    """All experiments that had begun by `as_of`, oldest first.

    Args:
        outcome_days: window after the assignment where outcomes are counted from orders.
        first_metric: the metric that decides; an experiment without it is decided by its own first one.
        worthwhile: smallest relative lift that would be worth having.
    """
    listed = list_experiments(assignments, outcomes, as_of=as_of)
    options = {"as_of": as_of, "days": outcome_days, "first": first_metric, "worthwhile": worthwhile, "alpha": alpha}
    return [_reviewed(row, assignments, outcomes, orders, returns, **options) for row in listed.itertuples()]


def _reviewed(
    row, assignments: ir.Table, outcomes: ir.Table | None, orders: ir.Table, returns: ir.Table | None, *, as_of: date,
    days: int, first: str, worthwhile: float, alpha: float,
) -> Reviewed:  # fmt: skip
    name, from_orders = row.experiment_id, not row.metrics
    people = subjects(assignments, name, as_of=as_of).cache()
    days = days if from_orders else max((row.measured_on - row.last_assigned_on).days, 1)
    known = FROM_ORDERS if from_orders else metrics_of(outcomes, name, as_of=as_of)
    metrics = tuple(sorted(known, key=lambda metric: metric.name != first))
    source = (None, orders) if from_orders else (outcomes, orders)
    tables = _tables(people, *source, returns, name, metrics, days=days, as_of=as_of)
    raw = tuple(found for metric in metrics for found in _effects(tables[metric.source], metric, row.control, alpha))
    means = [metric for metric in metrics if metric.kind == "mean" and _comparable(tables[metric.source], row.control)]
    split, wrong = sample_ratio(people), faults(people, outcomes, name, as_of=as_of)
    ripe = maturity(people, days=days, as_of=as_of)
    stops = () if ripe.share >= 1 else _stops(people, orders, returns, row.control, days, as_of, alpha)
    deciding = [effect for effect in raw if effect.metric == metrics[0].name]
    verdict = judge_experiment(
        deciding, split=split, faults=wrong, maturity=ripe, stop=stops, worthwhile=worthwhile)
    phase = "finished" if ripe.share >= 1 else "running"
    return Reviewed(
        name, phase, from_orders, row.started_on, row.measured_on, days, row.customers, row.control, row.arms, metrics,
        people, tables, raw,
        {metric.source: cuped_effects(tables[metric.source], metric=metric.name, control=row.control, alpha=alpha)
         for metric in means},
        {metric.source: cuped_health(tables[metric.source], control=row.control) for metric in means},
        {metric.source: winsorised_effects(tables[metric.source], metric=metric.name, control=row.control, alpha=alpha)
         for metric in means},
        split, wrong, ripe, verdict,
    )  # fmt: skip


def _tables(
    people: ir.Table, outcomes: ir.Table | None, orders: ir.Table, returns: ir.Table | None, name: str,
    metrics: Sequence[Metric], *, days: int, as_of: date,
) -> dict[str, ir.Table]:  # fmt: skip
    sources = dict.fromkeys(metric.source for metric in metrics)
    if outcomes is None:
        return {source: measured_from_orders(people, orders, source, days=days, as_of=as_of, returns=returns).cache()
                for source in sources}
    return {source: measured(people, outcomes, name, source, as_of=as_of).cache() for source in sources}


def _comparable(table: ir.Table, control: str) -> bool:
    """Whether the control arm and another have enough customers to speak of."""
    sizes = {row["arm"]: row["n"] for row in few_rows(table.group_by("arm").aggregate(n=table.count()))}
    return len(sizes) > 1 and min(sizes.values()) >= FEWEST and control in sizes


def _effects(table: ir.Table, metric: Metric, control: str, alpha: float) -> tuple[Effect, ...]:
    return effects(table, metric, control=control, alpha=alpha) if _comparable(table, control) else ()


def _stops(
    people: ir.Table, orders: ir.Table, returns: ir.Table | None, control: str, days: int, as_of: date, alpha: float
) -> tuple[Stop, ...]:
    looks = daily_looks(people, orders, "orders", as_of=as_of, days=days, returns=returns)
    return stopping(sequence(looks, control=control, alpha=alpha))


def example(reviewed: Sequence[Reviewed]) -> Reviewed | None:
    """The experiment to follow by hand: finished, two arms, decided by a mean, the one with most customers."""
    plain = [one for one in reviewed
             if one.main and one.phase == "finished" and len(one.arms) == 2 and one.metrics[0].kind == "mean"]
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
