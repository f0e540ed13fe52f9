"""Rules that keep: the groups of the base period hold until somebody declares another one.

The refit of each period stands beside the rule in force, so that one sees when the rule has aged.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.clustering.features import features
from workbook.clustering.fitting import DEFAULTS, Fitted, Options, fitted_on
from workbook.clustering.rule import Rule, assign, labels
from workbook.clustering.scaling import apply
from workbook.data.engine import few_rows
from workbook.data.run import Run


class RuleInForce(NamedTuple):
    """The rule that places this period's customers."""

    rule: Rule
    by: str  # who chose the number of groups: rule, nothing_stable, reader, too_few
    fitted_on: date  # the last day that the fit saw
    provisional: bool  # True: not kept, because this run lies before the base period or there were too few by then


class _NothingYetError(Exception):
    """Too few customers up to the base period: nothing to fit a rule on."""


def rule_in_force(
    run: Run, today: Fitted, orders: ir.Table, returns: ir.Table | None = None, lines: ir.Table | None = None, *,
    options: Options = DEFAULTS,
) -> RuleInForce:
    """The frozen rule for these options; fitted at the base period when it is asked for the first time."""

    def known_then(day: date) -> Iterator[ir.Table | None]:
        today_known = {"orders": orders, "returns": returns, "order_lines": lines}
        return (run.as_cleaned(day, f"clean/{name}", table) for name, table in today_known.items())

    def fit(day: date) -> dict[str, Any]:
        found = today if day == today.day else fitted_on(run, *known_then(day), day=day, options=options)
        if not found.rule.centres:
            raise _NothingYetError
        return found.rule.as_rule() | {"by": found.choice.by}

    try:
        frozen = run.freeze(options.code, fit)
    except _NothingYetError:
        return RuleInForce(today.rule, today.choice.by, run.as_of, True)
    fitted_until = run.as_of if frozen.provisional else frozen.base.end
    return RuleInForce(Rule.of_rule(frozen.rule), frozen.rule["by"], fitted_until, frozen.provisional)


def placed(
    orders: ir.Table, returns: ir.Table | None = None, lines: ir.Table | None = None, *, day: date, rule: Rule
) -> ir.Table:
    """Everybody who had bought by the end of `day`, as known then: the measures, cluster and margin."""
    return assign(features(orders, returns, as_of=day, lines=lines, mix=rule.mix), rule)


def remember(customers: ir.Table, before: ir.Table) -> ir.Table:
    """Adds `cluster_before`, from a table that `placed` made for an earlier day."""
    earlier = before.select(earlier_id="customer_id", cluster_before="cluster")
    return customers.left_join(earlier, customers.customer_id == earlier.earlier_id).drop("earlier_id")


class Seen(NamedTuple):
    """Customers of a table in memory as the rule sees them."""

    points: np.ndarray  # on the rule's scale
    labels: np.ndarray  # number of the group


def seen_by(rule: Rule, frame: pd.DataFrame) -> Seen:
    """The groups in force of some customers; nobody where there are none."""
    if not rule.centres:
        return Seen(np.empty((0, 0)), np.empty(0, dtype=int))
    return Seen(apply(frame, rule.scaling), labels(frame, rule))


def movement(customers: ir.Table) -> ir.Table:
    """How many went from which group to which: cluster_before (blank: had not bought), cluster, customers."""
    return customers.group_by("cluster_before", "cluster").aggregate(customers=customers.count())


def moved_share(customers: ir.Table) -> float | None:
    """Share of those who had bought by the end of the period before who are in another group now."""
    there = customers.filter(customers.cluster_before.notnull())
    moved = (there.cluster != there.cluster_before).cast("float64")
    return few_rows(there.aggregate(share=moved.mean()))[0]["share"]
