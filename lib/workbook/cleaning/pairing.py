"""Which purchase does a return undo? The latest earlier one that still has something left to undo.

Purchases and returns of one key (say: customer, product and price) in time order are a stack: a purchase puts units
on it, a return takes the topmost ones off. The height of the stack after each event is a running sum that cannot
fall below zero; a purchase owns the stretch of height that it added, a return the stretch that it took away. Cut at
every height that occurs, each stretch goes up and down in turn, so a return's partner is the event just before it
on the same stretch. Running sums within a key and joins within a key are all it takes: it works in any engine, and
many keys side by side.

Returns of nothing (before any purchase, or more than was bought) find no partner.
"""

from __future__ import annotations

from collections.abc import Sequence

import ibis
import ibis.expr.types as ir

from workbook.cleaning.sales import MONEY


def pair(purchases: ir.Table, undoings: ir.Table, *, key: Sequence[str]) -> ir.Table:
    """What each return undoes.

    Args:
        purchases: `id`, `at`, `weight` (what can be undone, above zero) and the key's columns, none of them null.
        undoings: the same for what is undone.
        key: the columns that purchase and return must share.

    Returns:
        `purchase_id`, `undoing_id`, `weight`: part of the purchase that this return undoes.
    """
    columns = ("id", "at", "weight", *key)
    wanted = purchases.semi_join(undoings, list(key))
    events = ibis.union(
        wanted.select(*columns, is_undoing=ibis.literal(False)),
        undoings.select(*columns, is_undoing=ibis.literal(True)),
    )
    stretches = _stretches(_heights(events, key), key)
    place = ibis.window(group_by=[*key, "floor"], order_by=["at", "is_undoing", "id"])
    partners = stretches.mutate(purchase_id=stretches.id.lag(1).over(place))
    met = partners.filter(partners.is_undoing & partners.purchase_id.notnull())
    return met.group_by("purchase_id", undoing_id="id").aggregate(weight=met.length.sum().cast(MONEY))


def _heights(events: ir.Table, key: Sequence[str]) -> ir.Table:
    """Each event with the height of the stack before (`low` for a purchase) and after it; empty events are gone."""
    zero = ibis.literal(0).cast(MONEY)
    running = ibis.cumulative_window(group_by=list(key), order_by=["at", "is_undoing", "id"])
    in_order = ibis.window(group_by=list(key), order_by=["at", "is_undoing", "id"])
    signed = events.mutate(change=ibis.ifelse(events.is_undoing, -events.weight, events.weight))
    summed = signed.mutate(total=signed.change.sum().over(running))
    lowest = summed.mutate(lowest=summed.total.min().over(running))
    after = lowest.mutate(after=(lowest.total - ibis.least(lowest.lowest, zero)).cast(MONEY))
    both = after.mutate(before=after.after.lag(1).over(in_order).fill_null(zero))
    spans = both.mutate(low=ibis.least(both.before, both.after), high=ibis.greatest(both.before, both.after))
    return spans.filter(spans.high > spans.low).select(*key, "id", "at", "is_undoing", "low", "high")


def _stretches(spans: ir.Table, key: Sequence[str]) -> ir.Table:
    """Each event cut at every height that any event of its key begins or ends at."""
    cuts = ibis.union(
        spans.select(*key, floor="low"), spans.select(*key, floor="high"), distinct=True)
    upward = ibis.window(group_by=list(key), order_by="floor")
    steps = cuts.mutate(length=cuts.floor.lead(1).over(upward) - cuts.floor).filter(ibis._.length.notnull())
    steps = steps.rename({f"of_{name}": name for name in key})
    same_key = [spans[name] == steps[f"of_{name}"] for name in key]
    return spans.inner_join(steps, [*same_key, steps.floor >= spans.low, steps.floor < spans.high])
