"""Who sends back far more than others who bought the same kind of thing, said so that small counts accuse nobody.

Order lines go in; where there are none, orders. Each line that is old enough to have come back counts, with what is
usual for its category and quarter: the expected number of returned lines of a customer. The ratio of returned to
expected is drawn towards the usual one (gamma-Poisson with two kinds of customers), and a customer is called unusual
only where the probability that their own ratio is above `FAR` is at least `SURE`. Unusual is not dishonest: sizes that
do not fit, parcels that break, a gift list.

Source: W. DuMouchel, Bayesian Data Mining in Large Frequency Tables, The American Statistician 53, 1999.
"""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.churn.shrinkage import gamma_mixture

RIPE_DAYS = 30  # a line younger than this may still come back, and is not counted
FAR = 2.0  # times what is usual
SURE = 0.9  # probability of being above it, from which a customer is called unusual
FEWEST_RETURNS = 30  # returned lines of the shop, below which nobody is judged
FEWEST_CELL = 200  # lines of a category and quarter, below which the whole category tells what is usual


def returned(orders: ir.Table, lines: ir.Table | None, *, as_of: date) -> ir.Table:
    """One row a customer with a line that is old enough.

    Args:
        orders: clean/orders: customer_id, ordered_on, amount, net_amount, returned_amount, is_return.
        lines: clean/order_lines: customer_id, ordered_on, category, amount, returned_amount, is_return, or None.

    Returns:
        customer_id, lines (orders, where there are no lines), returned (of these), expected (as many as is usual for
        their categories and quarters), returned_amount (currency).
    """
    bought = _bought(orders, lines).filter(lambda t: t.ordered_on <= ibis.literal(as_of - timedelta(days=RIPE_DAYS)))
    usual = _usual(bought)
    joined = bought.left_join(usual, ["category", "quarter"])
    counted = joined.group_by("customer_id").aggregate(
        lines=joined.count(), returned=joined.came_back.sum(), expected=joined.usual.sum(),
        returned_amount=joined.returned_amount.sum().cast("float64"),
    )
    return counted.order_by("customer_id")


def _bought(orders: ir.Table, lines: ir.Table | None) -> ir.Table:
    """customer_id, ordered_on, category, quarter, came_back (1 or 0), returned_amount: a row a line."""
    if lines is None:
        rows = orders.filter(~orders.is_return.coalesce(False), orders.amount > 0)
    else:
        goods = lines.is_product.coalesce(True) if "is_product" in lines.columns else ibis.literal(True)
        rows = lines.filter(~lines.is_return.coalesce(False), lines.amount > 0, goods)
    known = rows.filter(rows.customer_id.notnull())
    quarter = known.ordered_on.year() * 4 + known.ordered_on.quarter()
    return known.select(
        "customer_id", "ordered_on", category=ibis.literal("") if lines is None else known.category.coalesce(""),
        quarter=quarter.cast("int64"), came_back=(known.returned_amount > 0).fill_null(False).cast("int64"),
        returned_amount=known.returned_amount.coalesce(0),
    )


def _usual(bought: ir.Table) -> ir.Table:
    """The share that comes back, by category and quarter: category, quarter, usual."""
    cells = bought.group_by("category", "quarter").aggregate(n=bought.count(), back=bought.came_back.sum())
    whole = cells.group_by("category").aggregate(all_n=cells.n.sum(), all_back=cells.back.sum())
    joined = cells.inner_join(whole, "category")
    enough = joined.n >= FEWEST_CELL
    share = ibis.ifelse(enough, joined.back / joined.n, joined.all_back / joined.all_n)
    return joined.select("category", "quarter", usual=share.cast("float64"))


def judge_returners(rows: pd.DataFrame) -> pd.DataFrame:
    """`returned` with ratio (returned to usual, drawn towards 1), unusual_probability, is_unusual.

    Where the shop has fewer than `FEWEST_RETURNS` returned lines nobody is judged: blank, and nobody is unusual.
    """
    if rows["returned"].sum() < FEWEST_RETURNS:
        return rows.assign(ratio=np.nan, unusual_probability=np.nan, is_unusual=False)
    known = rows["expected"].to_numpy(float) > 0
    ratio, sure = np.ones(len(rows)), np.zeros(len(rows))
    k, e = (rows[name].to_numpy(float)[known] for name in ("returned", "expected"))
    mixture = gamma_mixture(k, e)
    ratio[known], sure[known] = mixture.expected_ratio(k, e), mixture.above(FAR, k, e)
    return rows.assign(ratio=ratio, unusual_probability=sure, is_unusual=sure >= SURE)
