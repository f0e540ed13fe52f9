"""How far two periods lie apart by chance alone.

Customers are independent of each other; the orders of one customer are not. So a figure's difference is added up
customer by customer, and its variance is the sum of the squares of what each customer contributes to it:

    sums, counts       d = what the customer brought in one period less what in the other
    quotients R = A/B  d = (a₁ − R₁ b₁)/B₁ − (a₀ − R₀ b₀)/B₀, the quotient's linear part (delta method)

Where nothing changed, the regular customer's d is zero on average, and those who come and go are a Poisson stream whose
sum has just this variance (compound Poisson); for customers who either bought or not it is McNemar's test. The
half-width is 1.96 times its root. A sale to nobody known counts as a customer of its own.

The half-width holds chance in who buys when. Seasons, feasts, the length of a month and whatever moves many customers
at once are no chance: against the period before they are in the difference and not in its noise.

Sources: Q. McNemar, Note on the sampling error of the difference between correlated proportions, 1947; K.-Y. Liang &
S. L. Zeger, Longitudinal data analysis using generalized linear models, 1986 (sums over independent people); W. G.
Cochran, Sampling Techniques, 1977 (ratios). How often it cries where nothing changed: tests/evidence/comparison.txt.
"""

from __future__ import annotations

import math
from itertools import combinations_with_replacement
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np

from workbook.data.engine import few_rows
from workbook.scoring import Z

BROUGHT = ("net", "orders", "buyers", "taxless", "profit")


class Moments(NamedTuple):
    """What the customers of two periods brought: sums, and sums of products, over customers."""

    columns: tuple[str, ...]
    customers: int  # in either period
    sums: np.ndarray  # columns of the later period, then of the earlier one
    products: np.ndarray  # sums of products, both ways

    def difference(self, column: str) -> float:
        """Half-width of the range in which chance alone moves a sum."""
        return self._half_width(self._unit(column, 0) - self._unit(column, 1))

    def quotient(self, over: str, under: str) -> float | None:
        """The same for a quotient of two sums; None where there is nothing to divide by."""
        parts = [self._linear(over, under, side) for side in (0, 1)]
        return None if any(part is None for part in parts) else self._half_width(parts[0] - parts[1])

    def _unit(self, column: str, side: int) -> np.ndarray:
        weights = np.zeros(2 * len(self.columns))
        weights[self.columns.index(column) + side * len(self.columns)] = 1.0
        return weights

    def _linear(self, over: str, under: str, side: int) -> np.ndarray | None:
        top, bottom = self._unit(over, side), self._unit(under, side)
        below = float(bottom @ self.sums)
        return None if below <= 0 else (top - float(top @ self.sums) / below * bottom) / below

    def _half_width(self, weights: np.ndarray) -> float:
        return Z * math.sqrt(max(0.0, float(weights @ self.products @ weights)))


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


def moments(now: ir.Table, then: ir.Table, columns: tuple[str, ...] = BROUGHT) -> Moments:
    """Sums and sums of products of two tables with a row per customer, in one pass of the engine.

    Args:
        now, then: customer, and the columns as floats.
    """
    sides = [
        table.select("customer", **{f"{name}_{own}": table[name] if own == side else ibis.literal(0.0)
                                    for own in (0, 1) for name in columns})
        for side, table in enumerate((now, then))
    ]
    names = [f"{name}_{side}" for side in (0, 1) for name in columns]
    both = ibis.union(*sides)
    each = both.group_by("customer").agg(**{name: both[name].sum() for name in names})
    pairs = list(combinations_with_replacement(range(len(names)), 2))
    products = {f"product_{i}_{j}": (each[names[i]] * each[names[j]]).sum() for i, j in pairs}
    [row] = few_rows(each.agg(customers=each.count(), **{name: each[name].sum() for name in names}, **products))
    matrix = np.zeros((len(names), len(names)))
    for i, j in pairs:
        matrix[i, j] = matrix[j, i] = row[f"product_{i}_{j}"] or 0.0
    return Moments(columns, int(row["customers"]), np.array([row[name] or 0.0 for name in names]), matrix)


def of_newcomers(now: int, then: int) -> float:
    """Half-width for first purchases: nobody buys for the first time twice, so both counts are Poisson."""
    return Z * math.sqrt(now + then)
