"""Is a measure a trait of the customer, or the chance of one basket? Odd purchases against even ones.

Each customer with two purchases or more is measured twice: on the first, third, fifth … purchase day and on the second,
fourth … A measure that is a habit says the same twice; one that is chance does not, and as part of a clustering it only
adds noise. The correlation of the halves is stepped up to the whole record (Spearman 1910; Brown 1910): 2r / (1 + r).
Measures of rhythm cannot be halved in this way and are not judged.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.clustering.features import NO_MIX, Mix, bought_lines, measure, per_day, shares, worth
from workbook.data.engine import settled
from workbook.history import is_purchase, known_on

LEAST = 0.2  # reliability below which a measure is left out, unless it is asked for by name
FEWEST = 50  # customers with two purchases, below which nothing is judged


def halves(
    orders: ir.Table, returns: ir.Table | None = None, *, as_of: date, lines: ir.Table | None = None, mix: Mix = NO_MIX
) -> ir.Table:
    """Two rows per customer who bought on two days or more: the measures of odd and of even purchase days.

    Returns:
        customer_id, half (1, 2), the measures of `features` without those of rhythm.
    """
    seen = known_on(orders, returns, day=as_of)
    bought = seen.filter(seen.customer_id.notnull(), is_purchase(seen))
    days = per_day(bought)
    number = ibis.row_number().over(ibis.window(group_by="customer_id", order_by="ordered_on"))
    days = settled(days.mutate(half=number % 2 + 1))
    key = days.select("customer_id", "ordered_on", "half")
    table = worth(days.group_by("customer_id", "half"), days)
    for column, names, rows in (("channel", mix.channels, bought), ("category", mix.categories, lines)):
        if rows is None or not names:
            continue
        rows = bought_lines(rows, as_of) if column == "category" else rows
        halved = rows.inner_join(key, ["customer_id", "ordered_on"])
        part = shares(halved, column, names, by=("customer_id", "half"))
        table = table.left_join(part, ["customer_id", "half"]).drop("customer_id_right", "half_right")
    twice = days.group_by("customer_id").aggregate(purchase_days=days.count())
    return table.inner_join(twice.filter(twice.purchase_days > 1).select("customer_id"), "customer_id")


def reliability(frame: pd.DataFrame) -> pd.DataFrame:
    """How alike the halves are.

    Args:
        frame: as `halves` returns it, a sample will do.

    Returns:
        measure, n (customers with both halves known), reliability (1: the halves agree; 0: chance), low, high (95 %,
        Fisher's z); blank below 50 customers or where all are alike.
    """
    names = [name for name in frame.columns if name not in ("customer_id", "half")]
    wide = frame.pivot(index="customer_id", columns="half", values=names)
    return pd.DataFrame([{"measure": name, **_agreement(wide[name], name)} for name in names])


def _agreement(halves_of_one: pd.DataFrame, name: str) -> dict[str, float]:
    known = halves_of_one.dropna().to_numpy(dtype=float)
    if measure(name).kind != "share":
        known = np.sign(known) * np.log1p(np.abs(known))
    if len(known) < FEWEST or np.ptp(known, axis=0).min() < 1e-12:
        return {"n": len(known), "reliability": np.nan, "low": np.nan, "high": np.nan}
    r = min(float(np.corrcoef(known.T)[0, 1]), 1 - 1e-12)
    reach = 1.96 / np.sqrt(len(known) - 3)
    ends = np.tanh([np.arctanh(r) - reach, np.arctanh(r) + reach])
    found = [2 * x / (1 + x) for x in np.clip([r, *ends], 0, 1)]
    return {"n": len(known), **dict(zip(("reliability", "low", "high"), found, strict=True))}
