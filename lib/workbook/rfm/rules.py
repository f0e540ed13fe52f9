"""Rules that keep: edges and value cuts are fitted once, at the base period, and hold from then on.

Were they fitted anew each month, a customer could change segment because the others did; and a trend of segment
sizes would always be flat. The refit is shown beside, so that one sees when the rule has aged.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir

from workbook.data.engine import few_rows
from workbook.data.run import Run
from workbook.history import known_on
from workbook.rfm.groups import assign
from workbook.rfm.scores import Thresholds, score, thresholds
from workbook.rfm.table import Counted, customer_table
from workbook.rfm.value import ValueCuts, activity, value_cuts


class CutsInForce(NamedTuple):
    """The edges that score this period."""

    edges: Thresholds
    fitted_on: date  # the last day that the fit saw
    provisional: bool  # True: not kept, because this run lies before the base period or nobody had bought by then


class ValueRule(NamedTuple):
    """The cuts that sort this period's people into value classes."""

    cuts: ValueCuts
    fitted_on: date
    provisional: bool


class _NobodyYetError(Exception):
    """No purchase up to the base period: nothing to fit a rule on."""


def cuts_in_force(
    run: Run,
    orders: ir.Table,
    returns: ir.Table | None,
    *,
    n_bins: int = 5,
    frequency: Counted = "purchase_days",
    first_time_apart: bool = True,
) -> CutsInForce:
    """The frozen edges for these options; fitted at the base period when they are asked for the first time."""

    def buyers(day: date) -> ir.Table:
        return customer_table(_known(run, orders, returns, day), as_of=day, frequency=frequency)

    def fit(day: date) -> dict[str, list[float]]:
        if _nobody(buyers(day)):
            raise _NobodyYetError
        return thresholds(buyers(day), n_bins=n_bins, first_time_apart=first_time_apart).as_rule()

    try:
        frozen = run.freeze(f"rfm_cuts-{n_bins}-{frequency}{'-apart' if first_time_apart else ''}", fit)
    except _NobodyYetError:
        edges = thresholds(buyers(run.as_of), n_bins=n_bins, first_time_apart=first_time_apart)
        return CutsInForce(edges, run.as_of, True)
    fitted_on = run.as_of if frozen.provisional else frozen.base.end
    return CutsInForce(Thresholds.of_rule(frozen.rule), fitted_on, frozen.provisional)


def value_rule_in_force(
    run: Run,
    orders: ir.Table,
    returns: ir.Table | None,
    *,
    events: ir.Table | None = None,
    contacts: ir.Table | None = None,
    high_share: float = 0.2,
    activity_days: int = 90,
) -> ValueRule:
    """The frozen value cuts; those of visits and clicks are a rule of their own, as events may arrive later."""

    def cuts(day: date) -> ValueCuts:
        buyers = customer_table(_known(run, orders, returns, day), as_of=day)
        if _nobody(buyers):
            raise _NobodyYetError
        seen = (run.as_cleaned(day, f"clean/{name}", table) for name, table in (
            ("events", events), ("contacts", contacts)))
        return value_cuts(buyers, activity(*seen, as_of=day, days=activity_days), high_share=high_share)

    name = f"rfm_value-{high_share:g}" + (f"-visits-{activity_days}" if events is not None else "")
    try:
        frozen = run.freeze(name, lambda day: cuts(day).as_rule())
    except _NobodyYetError:
        buyers = customer_table(orders, as_of=run.as_of)
        seen = activity(events, contacts, as_of=run.as_of, days=activity_days)
        return ValueRule(value_cuts(buyers, seen, high_share=high_share), run.as_of, True)
    fitted_on = run.as_of if frozen.provisional else frozen.base.end
    return ValueRule(ValueCuts.of_rule(frozen.rule), fitted_on, frozen.provisional)


def remember(
    scored: ir.Table,
    orders: ir.Table,
    returns: ir.Table | None,
    *,
    day: date,
    edges: Thresholds,
    frequency: Counted = "purchase_days",
) -> ir.Table:
    """Adds `segment_before`: the segment at the end of `day` by the same edges, with what was known then."""
    earlier = customer_table(known_on(orders, returns, day=day), as_of=day, frequency=frequency)
    named = assign(score(earlier, edges), edges).select(earlier_id="customer_id", segment_before="segment")
    return scored.left_join(named, scored.customer_id == named.earlier_id).drop("earlier_id")


def _known(run: Run, orders: ir.Table, returns: ir.Table | None, day: date) -> ir.Table:
    """The orders as known at the end of a day; two ids that turned out later to be one person are still two."""
    then = run.as_cleaned(day, "clean/orders", orders), run.as_cleaned(day, "clean/returns", returns)
    return known_on(*then, day=day)


def _nobody(customers: ir.Table) -> bool:
    return few_rows(customers.aggregate(customers=customers.count()))[0]["customers"] == 0
