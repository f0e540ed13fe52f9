"""The stage of every customer, by a rule on three dates.

Looking back from the report date, the first line that fits is the customer's stage, so that each is in exactly one:

    prospect    on record, no order document yet
    lost        last purchase more than `lost_days` ago
    dormant     last purchase more than `active_days` ago
    new         first purchase at most `new_days` ago
    returning   came back within `active_days` after a silence of more than `active_days`
    active      everyone else who bought within `active_days`

Someone of whom there are only return documents bought before the records begin; that is then the last purchase known.

Stages of an earlier date come from the same records with everything later left out. Buying is seen by day; without a
contract nobody tells the shop that they have left, so "dormant" and "lost" are conventions. `bought_after`
checks them: what share of each stage bought again in the days that followed.

The check's interval is Wilson's (`scoring`).
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import pandas as pd

from workbook.data.errors import WorkbookError
from workbook.scoring import Estimate, wilson

STAGES = ("prospect", "new", "active", "returning", "dormant", "lost")


class Rule(NamedTuple):
    """Where one stage ends and the next begins, in days before the report date."""

    new_days: int = 90  # since the first purchase
    active_days: int = 90  # since the last purchase
    lost_days: int = 365  # since the last purchase


DEFAULT = Rule()


def checked(rule: Rule) -> Rule:
    """The rule itself.

    Raises:
        WorkbookError: when its thresholds cross, so that a stage could never be reached.
    """
    if not 0 < rule.new_days <= rule.active_days < rule.lost_days:
        raise WorkbookError(
            f"The lifecycle thresholds {rule.new_days}, {rule.active_days}, {rule.lost_days} days are out of order.",
            why="A customer would fall into no stage, or a stage would stay empty for ever.",
            way_out="Set new_days ≤ active_days < lost_days in chapters: 03_profiling of workbook.yaml.",
        )
    return rule


def stages(customers: ir.Table, orders: ir.Table, *, as_of: date, rule: Rule = DEFAULT) -> ir.Table:
    """The stage of each customer on record by the end of `as_of`.

    Args:
        customers: customer_id, first_seen_on (may be empty: then known all along).
        orders: `clean/orders`.

    Returns:
        customer_id, lifecycle, first_ordered_on, last_ordered_on, recency_days, silence_days (days without a purchase
        before the first one of the last `active_days`), orders.
    """
    rule = checked(rule)
    opening = as_of - timedelta(days=rule.active_days)  # the last day that is not recent
    known = orders.filter(orders.customer_id.notnull() & (orders.ordered_on <= as_of))
    bought, recent = ~known.is_return, known.ordered_on >= opening
    dates = known.group_by("customer_id").agg(
        first_ordered_on=known.ordered_on.min(where=bought),
        last_ordered_on=known.ordered_on.max(where=bought),
        back_on=known.ordered_on.min(where=bought & recent),
        before_on=known.ordered_on.max(where=bought & ~recent),
        orders=bought.sum(),
        documents=known.count(),
    )
    seen = customers.filter(customers.first_seen_on.isnull() | (customers.first_seen_on <= as_of)).select("customer_id")
    people = seen.union(dates.select("customer_id"), distinct=True)
    joined = people.left_join(dates, "customer_id").drop("customer_id_right")
    today = ibis.literal(as_of)
    before_records = orders.ordered_on.min().as_scalar() - ibis.interval(days=1)
    last = ibis.ifelse(joined.documents > 0, ibis.coalesce(joined.last_ordered_on, before_records), None)
    joined = joined.mutate(
        recency_days=today.delta(last, unit="day"),
        age_days=today.delta(joined.first_ordered_on, unit="day"),
        silence_days=joined.back_on.delta(joined.before_on, unit="day"),
    )
    stage = ibis.cases(
        (joined.recency_days.isnull(), "prospect"),
        (joined.recency_days > rule.lost_days, "lost"),
        (joined.recency_days > rule.active_days, "dormant"),
        (joined.age_days <= rule.new_days, "new"),
        (joined.silence_days > rule.active_days, "returning"),
        else_="active",
    )
    return joined.mutate(lifecycle=stage, orders=ibis.coalesce(joined.orders, 0)).select(
        "customer_id", "lifecycle", "first_ordered_on", "last_ordered_on", "recency_days", "silence_days", "orders"
    )


def sizes(staged: ir.Table) -> ir.Table:
    """lifecycle, customers: how many are in each stage that anyone is in."""
    return staged.group_by("lifecycle").agg(customers=staged.count())


def movement(profile: ir.Table) -> ir.Table:
    """lifecycle_before (empty for those not on record then), lifecycle, customers."""
    return profile.group_by("lifecycle_before", "lifecycle").agg(customers=profile.count())


def bought_after(staged: ir.Table, orders: ir.Table, *, start: date, end: date) -> ir.Table:
    """Does the stage foretell? Of each stage, how many bought from `start` to `end`.

    Args:
        staged: stages as of the day before `start`.

    Returns:
        lifecycle, customers, buyers.
    """
    later = orders.filter(
        ~orders.is_return & orders.customer_id.notnull() & orders.ordered_on.between(start, end)
    )
    buyers = later.select(buyer_id=later.customer_id).distinct()
    joined = staged.left_join(buyers, staged.customer_id == buyers.buyer_id)
    return joined.group_by("lifecycle").agg(customers=joined.count(), buyers=joined.buyer_id.count())


def shares(checked: pd.DataFrame, *, smallest_sample: int) -> pd.DataFrame:
    """lifecycle, share, low, high of what `bought_after` gives, for stages with enough customers."""
    enough = in_order(checked)
    enough = enough[enough["customers"] >= smallest_sample]
    told = [wilson(int(row.buyers), int(row.customers)) for row in enough.itertuples()]
    return enough.assign(**{name: [getattr(share, name) for share in told] for name in Estimate._fields}).rename(
        columns={"value": "share"}
    )


def in_order(sized: pd.DataFrame) -> pd.DataFrame:
    """Every stage once, in the order of a customer's life; empty ones have no customers."""
    return sized.set_index("lifecycle").reindex(STAGES).fillna(0).rename_axis("lifecycle").reset_index()


def second_purchases(orders: ir.Table, *, as_of: date, days: int = 90, cohort_days: int = 365) -> ir.Table:
    """One row: first-time buyers whose `days` are over by `as_of`, and how many bought on another day within them.

    Returns:
        customers (first purchase in the `cohort_days` before), repeaters.
    """
    return counted(first_time_buyers(orders, as_of=as_of, days=days, cohort_days=cohort_days))


def cohort(as_of: date, *, days: int = 90, cohort_days: int = 365) -> tuple[date, date]:
    """The first and the last day of a first purchase whose `days` are over by `as_of`."""
    newest = as_of - timedelta(days=days)
    return newest - timedelta(days=cohort_days - 1), newest


def first_time_buyers(
    orders: ir.Table, *, as_of: date, days: int = 90, cohort_days: int = 365, on: Collection[date] = ()
) -> ir.Table:
    """customer_id, again: the customers of `second_purchases`, and whether each bought another day within `days`.

    Args:
        on: of first purchases on these very days, in place of the `cohort` of `as_of`.
    """
    bought = orders.filter(~orders.is_return & orders.customer_id.notnull())
    first = bought.group_by("customer_id").agg(first_ordered_on=bought.ordered_on.min())
    began = first.first_ordered_on
    wanted = began.isin(list(on)) if on else began.between(*cohort(as_of, days=days, cohort_days=cohort_days))
    joined = bought.inner_join(first.filter(wanted), "customer_id")
    gap = joined.ordered_on.delta(joined.first_ordered_on, unit="day")
    return joined.group_by("customer_id").agg(again=gap.between(1, days).any())


def counted(buyers: ir.Table) -> ir.Table:
    """One row: customers, repeaters."""
    return buyers.agg(customers=buyers.count(), repeaters=buyers.again.cast("int64").sum())


def counted_each(buyers: ir.Table) -> ir.Table:
    """customer, firsts (1), again (0 or 1), as floats."""
    return buyers.select(customer="customer_id", firsts=ibis.literal(1.0), again=buyers.again.cast("float64"))
