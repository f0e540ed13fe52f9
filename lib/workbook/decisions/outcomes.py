"""What the list's customers brought in past windows as long as the horizon, the newest first."""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.data.engine import few_rows
from workbook.data.run import Run
from workbook.history import OrderMetric, is_purchase, known_on, order_worth

MOST_WINDOWS = 4


def metric_of(orders: ir.Table) -> OrderMetric:
    """Margin where the cost of what was bought is known for at least one order in two, else revenue."""
    if "cost" not in orders.columns:
        return "revenue"
    (row,) = few_rows(orders.aggregate(known=orders.cost.count(), all=orders.count()))
    return "margin" if row["known"] * 2 >= max(row["all"], 1) else "revenue"


def past_windows(run: Run, ids: pd.Series, *, metric: OrderMetric, days: int) -> pd.DataFrame:
    """The metric in each past window.

    Args:
        ids: customer ids, in the order wanted.

    Returns:
        One row a customer, one column a window (0 ends on the report date); blank before the customer's first order.
        No column where the record is shorter than one window.
    """
    orders = known_on(run.table("clean/orders"), run.table("clean/returns") if run.has("clean/returns") else None,
                      day=run.as_of)
    bought = orders.filter(orders.customer_id.notnull(), is_purchase(orders))
    windows = _whole_windows(bought, as_of=run.as_of, days=days)
    if not windows:
        return pd.DataFrame(index=pd.Index(ids, name="customer_id"))
    back = ibis.literal(run.as_of).delta(bought.ordered_on, unit="day")
    worth = bought.select("customer_id", "ordered_on", worth=order_worth(bought, metric),
                          window=(back / days).floor().cast("int64"))
    wanted = worth.inner_join(ibis.memtable({"customer_id": list(ids)}, schema={"customer_id": "string"}),
                              "customer_id")
    sums = run.frame(wanted.group_by("customer_id", "window").aggregate(
        worth=wanted.worth.sum(), first_on=wanted.ordered_on.min()))
    table = sums[sums["window"] < windows].pivot(index="customer_id", columns="window", values="worth")
    table = table.reindex(index=pd.Index(ids, name="customer_id"), columns=range(windows)).fillna(0.0)
    first = sums.groupby("customer_id")["first_on"].min().reindex(table.index)
    for window in range(windows):
        end = pd.Timestamp(run.as_of - timedelta(days=days * window))
        unknown = ~(first <= end)
        table.loc[unknown, window] = 0.0 if window == 0 else np.nan  # nobody's newest window is unknown: it was empty
    return table


def _whole_windows(bought: ir.Table, *, as_of: date, days: int) -> int:
    (row,) = few_rows(bought.aggregate(first=bought.ordered_on.min()))
    covered = (as_of - row["first"]).days + 1 if row["first"] else 0
    return min(covered // days, MOST_WINDOWS)
