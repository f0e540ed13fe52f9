"""How far two periods lie apart by chance alone.

Customers are independent of each other; the orders of one customer are not. So a figure's difference is added up
customer by customer, and its variance is the sum of the squares of what each customer contributes to it:

    sums, counts       d = what the customer brought in one period less what in the other
    quotients R = A/B  d = (a₁ − R₁ b₁)/(B₁ − b₁) − (a₀ − R₀ b₀)/(B₀ − b₀): by how much the customer pulls the quotient
                       away from what it is without (jackknife)

Where nothing changed, the regular customer's d is zero on average, and those who come and go are a Poisson stream whose
sum has just this variance (compound Poisson); for customers who either bought or not it is McNemar's test. The
half-width is 1.96 times its root. A sale to nobody known counts as a customer of its own.

The half-width holds chance in who buys when. Seasons, feasts, the length of a month and whatever moves many customers
at once are no chance: against the period before they are in the difference and not in its noise. Where a few
wholesalers carry the shop, the range of the margin is too narrow: there 10 of 100 unchanged margins are called changed.

Sources: Q. McNemar, Note on the sampling error of the difference between correlated proportions, 1947; K.-Y. Liang &
S. L. Zeger, Longitudinal data analysis using generalized linear models, 1986 (sums over independent people); R. G.
Miller, The jackknife: a review, 1974. How often it cries where nothing changed: tests/evidence/comparison.txt.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.data.engine import few_rows
from workbook.scoring import Z

Quotients = Mapping[str, tuple[str, str]]


class Reach(NamedTuple):
    """How far chance alone moves the difference between two periods, 95 %."""

    customers: int  # in either period
    half_widths: Mapping[str, float | None]  # in the figure's unit; None where there is nothing to divide by


def brought(orders: ir.Table) -> ir.Table:
    """One row per customer, and per sale to nobody known.

    Args:
        orders: of a period, as they are to be seen: order_id, customer_id, is_return, amount, net_amount, tax, cost.

    Returns:
        customer; net, orders, buyers (1: known, and bought); taxless and profit (net revenue without tax, and what is
        left of it after the cost of the goods, of orders with a known cost), as floats.
    """
    bought, known = ~orders.is_return, orders.customer_id.notnull()
    amount, net = orders.amount.cast("float64"), orders.net_amount.cast("float64")
    kept = ibis.ifelse(amount == 0, ibis.literal(1.0), net / amount.nullif(0.0))
    taxless = net - kept * ibis.coalesce(orders.tax.cast("float64"), ibis.literal(0.0))
    priced = bought & orders.cost.notnull()
    own = ibis.literal("order ") + orders.order_id.cast("string")
    rows = orders.mutate(
        customer=ibis.coalesce(ibis.literal("customer ") + orders.customer_id.cast("string"), own),
        net=net, bought=bought.cast("float64"), known=(bought & known).cast("float64"),
        taxless=ibis.ifelse(priced, taxless, 0.0),
        profit=ibis.ifelse(priced, taxless - kept * orders.cost.cast("float64"), 0.0),
    )
    return rows.group_by("customer").agg(
        net=rows.net.sum(), orders=rows.bought.sum(), buyers=rows.known.max(), taxless=rows.taxless.sum(),
        profit=rows.profit.sum(),
    )


def reach(now: ir.Table, then: ir.Table, *, sums: Sequence[str] = (), quotients: Quotients | None = None) -> Reach:
    """Half-widths of the range in which chance alone moves the difference of sums and of quotients.

    Args:
        now, then: customer, and columns as floats; one row per customer.
        sums: columns.
        quotients: name → (column above, column below).
    """
    wanted = dict(quotients or {})
    columns = list(dict.fromkeys([*sums, *(column for pair in wanted.values() for column in pair)]))
    each = _both(now, then, columns)
    [row] = few_rows(each.agg(
        customers=each.count(),
        **{f"square_{name}": ((each[f"{name}_0"] - each[f"{name}_1"]) ** 2).sum() for name in sums},
        **{f"sum_{name}_{side}": each[f"{name}_{side}"].sum() for name in columns for side in (0, 1)},
    ))
    widths: dict[str, float | None] = {name: Z * math.sqrt(row[f"square_{name}"] or 0.0) for name in sums}
    totals = {name: tuple(row[f"sum_{name}_{side}"] or 0.0 for side in (0, 1)) for name in columns}
    usable = {name: pair for name, pair in wanted.items() if min(totals[pair[1]]) > 0}
    pulls = {name: _pull(each, *pair, totals) for name, pair in usable.items()}
    [squares] = few_rows(each.agg(**{name: (pull**2).sum() for name, pull in pulls.items()})) if pulls else [{}]
    widths |= {name: Z * math.sqrt(squares[name]) if name in usable else None for name in wanted}
    return Reach(int(row["customers"]), widths)


def _both(now: ir.Table, then: ir.Table, columns: Sequence[str]) -> ir.Table:
    """A row per customer of either table: each column as of `now` (_0) and of `then` (_1)."""
    sides = [
        table.select("customer", **{f"{name}_{own}": table[name] if own == side else ibis.literal(0.0)
                                    for own in (0, 1) for name in columns})
        for side, table in enumerate((now, then))
    ]
    both = ibis.union(*sides)
    return both.group_by("customer").agg(
        **{f"{name}_{side}": both[f"{name}_{side}"].sum() for name in columns for side in (0, 1)})


def _pull(each: ir.Table, over: str, under: str, totals: Mapping[str, tuple[float, float]]) -> ir.FloatingValue:
    """What each customer contributes to the difference of a quotient; of an only customer nothing is known."""
    sides = []
    for side in (0, 1):
        top, bottom = each[f"{over}_{side}"], each[f"{under}_{side}"]
        rest = ibis.literal(totals[under][side]) - bottom
        apart = top - bottom * (totals[over][side] / totals[under][side])
        sides.append(ibis.ifelse(rest > 0, apart / rest.nullif(0.0), 0.0))
    return sides[0] - sides[1]


def of_newcomers(now: int, then: int) -> float:
    """Half-width for first purchases: nobody buys for the first time twice, so both counts are Poisson."""
    return Z * math.sqrt(now + then)
