"""The chance that customers have left, in one call: a rival for chapters that forecast who leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import ibis.expr.types as ir
import pandas as pd

from workbook.clv.counts import customer_table, merged
from workbook.clv.expectations import alive, expected_purchases
from workbook.clv.fits import fit_purchases
from workbook.history import known_on


def p_alive(
    orders: ir.Table, returns: ir.Table | None, *, as_of: date, read: Callable[[ir.Table], pd.DataFrame],
    horizon_weeks: float = 13.0, model: str = "mbg_nbd",
) -> pd.DataFrame:
    """P(alive) and expected purchases of each customer, fitted on what was known on `as_of`.

    MBG/NBD by default: under BG/NBD nobody who bought once can have left.

    Args:
        read: brings one row a customer into pandas (`run.frame`).

    Returns:
        customer_id, p_alive, expected_purchases (of the next `horizon_weeks`); no rows where too little was bought.
    """
    customers = customer_table(known_on(orders, returns, day=as_of), as_of=as_of)
    fit = fit_purchases(read(merged(customers)), model)
    table = read(customers.select("customer_id", "x", "t_x", "T").order_by("customer_id"))
    if not fit.usable:
        return pd.DataFrame({"customer_id": table["customer_id"].iloc[:0], "p_alive": [], "expected_purchases": []})
    return pd.DataFrame(
        {
            "customer_id": table["customer_id"],
            "p_alive": alive(fit, table),
            "expected_purchases": expected_purchases(fit, table, horizon_weeks),
        }
    )
