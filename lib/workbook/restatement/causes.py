"""Which order differs from what was told, in what, and why."""

from __future__ import annotations

from typing import NamedTuple

import ibis
import ibis.expr.types as ir

CAUSES = ("erased", "late", "returns", "identities", "rules", "code", "other")  # in the order in which they are applied
_SIDES = ("then", "now")


class Changed(NamedTuple):
    """What differs between the making of the figures told and that of today's."""

    reading: bool  # how the sources are read: columns, values, rates
    rules: bool  # anything declared about reading or cleaning
    identity_rules: bool  # how ids are taken together
    return_rules: bool  # how returns are netted
    raw_returns: bool  # the records of returns
    code: bool  # the library that reads and cleans


def compared(then: ir.Table, now: ir.Table, changed: Changed) -> ir.Table:
    """One row per order on either side, with the cause of each difference ("" where there is none).

    Args:
        then: `snapshot.take` as it was kept.
        now: the same today, its `also` being the orders of `then`.

    Returns:
        order_id, and for each side (then_, now_) here, is_return, amount, returned, customer_id, bought_before; the
        causes cause_here (it counts, or its amount is another), cause_returned, cause_customer, cause_before.
    """
    told, found = _side(then, "then"), _side(now, "now")
    both = told.outer_join(found, told.then_key == found.now_key)
    both = both.mutate(
        order_id=ibis.coalesce(both.now_order_id, both.then_order_id),
        **{f"{side}_{flag}": both[f"{side}_{flag}"].fill_null(False)
           for side in _SIDES for flag in ("here", "is_return", "bought_before")})
    both = both.mutate(cause_here=_of_order(both, changed))
    both = both.mutate(cause_customer=_of_customer(both, changed), cause_returned=_of_returns(both, changed))
    return both.mutate(cause_before=_of_past(both, changed))


def _side(table: ir.Table, side: str) -> ir.Table:
    return table.select(
        key="key", order_id="order_id", here="kept", is_return="is_return", amount="amount",
        returned="returned_amount", customer_id="customer_id", bought_before="bought_before", ids="ids",
        earlier_rows="earlier_rows", rows="rows", content="content", returns="returns",
    ).rename(f"{side}_{{name}}")


def _differ(both: ir.Table, *names: str) -> ir.BooleanValue:
    return ibis.or_(*(~both[f"then_{name}"].identical_to(both[f"now_{name}"]) for name in names))


def _unexplained(changed: Changed) -> str:
    return "rules" if changed.rules else "code" if changed.code else "other"


def _of_order(both: ir.Table, changed: Changed) -> ir.StringValue:
    """Why an order counts, or no longer does, or at another amount."""
    returning = both.then_is_return | both.now_is_return
    arrived = ibis.ifelse(returning, "returns", "late")
    rewritten = both.then_rows == both.now_rows if changed.reading else ibis.literal(False)
    return ibis.cases(
        (~_differ(both, "here") & ~(both.now_here & _differ(both, "amount", "is_return")), ""),
        (both.then_rows.isnull(), arrived),
        (both.now_rows.isnull(), "erased"),
        (_differ(both, "content") & rewritten, "rules"),
        (_differ(both, "content") & (both.now_rows < both.then_rows), "erased"),
        (_differ(both, "content"), arrived),
        (returning, "rules" if changed.return_rules else "returns"),
        else_=_unexplained(changed),
    )


def _of_returns(both: ir.Table, changed: Changed) -> ir.StringValue:
    cause = "returns" if changed.raw_returns else _unexplained(changed)
    return ibis.cases(
        (~(both.then_here & both.now_here) | ~_differ(both, "returned"), ""),
        (_differ(both, "returns"), cause),
        ((both.cause_here != "") & (both.cause_here != "other"), both.cause_here),
        else_=_unexplained(changed),
    )


def _of_customer(both: ir.Table, changed: Changed) -> ir.StringValue:
    return ibis.cases(
        (~(both.then_here & both.now_here) | ~_differ(both, "customer_id"), ""),
        (_differ(both, "content"), "rules" if changed.reading else "late"),
        else_="rules" if changed.identity_rules else "identities",
    )


def _of_past(both: ir.Table, changed: Changed) -> ir.StringValue:
    """Why the customer of an order counts as having bought before the period, or no longer does."""
    return ibis.cases(
        (~(both.then_here & both.now_here) | ~_differ(both, "bought_before"), ""),
        (both.cause_customer != "", both.cause_customer),
        (_differ(both, "ids"), "rules" if changed.identity_rules else "identities"),
        (both.now_earlier_rows > both.then_earlier_rows, "late"),
        (both.now_earlier_rows < both.then_earlier_rows, "erased"),
        else_=_unexplained(changed),
    )
