"""Value classes: who is worth much, who could be, and who is neither.

high       net amount of the last twelve months above the cut: what the top fifth of buyers spent at the base period
potential  not high, but visits and clicks at least as often as the typical high-value customer who visited did at the
           base period (median): people who buy little or not yet, and are interested
low        the others
unknown    not high, and no source tells of visits and clicks

Visits are sessions (days, where a source has no sessions); clicks are everything done on a visit beyond arriving,
and clicks on messages. Both are counted over the `days` before the report date.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.data.engine import few_rows

CLASSES = ("high", "potential", "low", "unknown")
LEAST = 1  # visit and click: nobody without any is called interested


class ValueCuts(NamedTuple):
    """Above `spend`: high. From `visits` and `clicks` on: potential."""

    spend: float  # currency, of twelve months
    visits: float | None  # None: no source tells
    clicks: float | None

    def as_rule(self) -> dict[str, float | None]:
        return dict(self._asdict())

    @classmethod
    def of_rule(cls, rule: Mapping[str, Any]) -> ValueCuts:
        return cls(rule["spend"], rule["visits"], rule["clicks"])


def activity(
    events: ir.Table | None, contacts: ir.Table | None = None, *, as_of: date, days: int = 90
) -> ir.Table | None:
    """Visits and clicks of each known customer in the last `days`; None when no source tells of visits.

    Args:
        events: customer_id, event, session_id, occurred_on; rows flagged is_duplicate, where there are any, are left
            out.
        contacts: customer_id, clicked_at.

    Returns:
        customer_id, visits, clicks; a customer who did nothing has no row.
    """
    if events is None:
        return None
    start = as_of - timedelta(days=days)
    if "is_duplicate" in events.columns:
        events = events.filter(~events.is_duplicate.coalesce(False))
    seen = events.filter(events.customer_id.notnull(), events.occurred_on > start, events.occurred_on <= as_of)
    visit = seen.session_id.coalesce(seen.occurred_on.cast("string"))
    parts = seen.group_by("customer_id").aggregate(
        visits=visit.nunique(), clicks=(seen.event != "visit").cast("int64").sum()
    )
    if contacts is not None:
        clicked = contacts.mutate(clicked_on=contacts.clicked_at.date())
        clicked = clicked.filter(
            clicked.customer_id.notnull(), clicked.clicked_on > start, clicked.clicked_on <= as_of
        )
        messages = clicked.group_by("customer_id").aggregate(visits=ibis.literal(0, "int64"), clicks=clicked.count())
        parts = parts.union(messages.select(parts.columns))
    return parts.group_by("customer_id").aggregate(visits=parts.visits.sum(), clicks=parts.clicks.sum())


def value_cuts(customers: ir.Table, seen: ir.Table | None, *, high_share: float = 0.2) -> ValueCuts:
    """The cut of spending that the top `high_share` of buyers are above, and what those do in the typical case."""
    spend = customers.spend_12m.cast("float64").quantile(1 - high_share)
    cut = few_rows(customers.aggregate(cut=spend))[0]["cut"]
    cut = 0.0 if cut is None else max(float(f"{cut:.12g}"), 0.0)
    if seen is None:
        return ValueCuts(cut, None, None)
    high = customers.filter(customers.spend_12m.cast("float64") > cut)
    active = high.inner_join(seen, "customer_id")
    came = active.filter(active.visits > 0)
    typical = came.aggregate(
        visits=came.visits.cast("float64").median(), clicks=came.clicks.cast("float64").median()
    )
    row = few_rows(typical)[0]
    return ValueCuts(cut, max(row["visits"] or 0.0, LEAST), max(row["clicks"] or 0.0, LEAST))


def classify(people: ir.Table, seen: ir.Table | None, cuts: ValueCuts) -> ir.Table:
    """Adds visits, clicks and value_class to people, bought or not (their spend_12m may be blank)."""
    high = people.spend_12m.cast("float64").coalesce(0.0) > cuts.spend
    if seen is None or cuts.visits is None or cuts.clicks is None:
        none = ibis.null("int64")
        return people.mutate(visits=none, clicks=none, value_class=ibis.ifelse(high, "high", "unknown"))
    acts = seen.rename(active_id="customer_id")
    joined = people.left_join(acts, people.customer_id == acts.active_id).drop("active_id")
    joined = joined.mutate(visits=joined.visits.coalesce(0), clicks=joined.clicks.coalesce(0))
    high = joined.spend_12m.cast("float64").coalesce(0.0) > cuts.spend
    interested = (joined.visits >= cuts.visits) & (joined.clicks >= cuts.clicks)
    return joined.mutate(value_class=ibis.cases((high, "high"), (interested, "potential"), else_="low"))


def class_summary(people: ir.Table) -> ir.Table:
    """Size and revenue of each class: value_class, customers, without_purchase, spend_12m, revenue_share."""
    totals = people.aggregate(all_spend=people.spend_12m.sum().cast("float64"))
    groups = people.group_by("value_class").aggregate(
        customers=people.count(),
        without_purchase=(people.purchase_days == 0).cast("int64").sum(),
        spend_12m=people.spend_12m.sum(),
    )
    both = groups.cross_join(totals)
    return both.mutate(revenue_share=both.spend_12m.cast("float64") / both.all_spend.nullif(0)).drop("all_spend")
