"""What customers brought in windows as long as the horizon.

`past_windows` are those of the list's own customers before the report date. They were chosen by just that past, so
that they need not go on like it: who is new bought by definition, who is at risk did not. Where the same list was made
by earlier reports, `afterwards` tells what those on it brought in the window that followed, which is what will be
compared.
"""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.data.engine import few_rows
from workbook.data.errors import WorkbookError
from workbook.data.periods import up_to
from workbook.data.run import Run
from workbook.decisions.lists import Rule, people
from workbook.history import OrderMetric, is_purchase, known_on, order_worth

MOST_WINDOWS = 4
MOST_EARLIER = 3  # earlier lists, the newest first
FEWEST_ON_IT = 20  # customers on an earlier list, below which it tells nothing


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
    bought = _bought(run)
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


def afterwards(run: Run, asked: Rule, *, metric: OrderMetric, days: int) -> list[np.ndarray]:
    """What those on the same list brought in the window after it, for each earlier report whose window is over."""
    found = []
    for day in _earlier_reports(run, asked, days=days):
        then = Run(run.chapter, run.settings, run.store, as_of=up_to(day, run.settings.period).label, lang=run.lang)
        try:
            ids = run.frame(people(then, asked).select("customer_id"))["customer_id"]
        except WorkbookError:  # the table of then lacks a column that the rule names: it made no such list
            continue
        if len(ids) >= FEWEST_ON_IT:
            found.append(_in_window(run, ids, after=day, metric=metric, days=days))
    return found


def _earlier_reports(run: Run, asked: Rule, *, days: int) -> list[date]:
    """Report dates of which the store has the table of the rule, and the window is over; windows do not overlap."""
    ends = sorted((date.fromisoformat(name.split("/")[0]) for name in run.store.names()
                   if name.endswith(f"/{asked.table}") and name[:1].isdigit()), reverse=True)
    chosen: list[date] = []
    for day in ends:
        if day + timedelta(days=days) <= (chosen[-1] if chosen else run.as_of) and len(chosen) < MOST_EARLIER:
            chosen.append(day)
    return chosen


def _in_window(run: Run, ids: pd.Series, *, after: date, metric: OrderMetric, days: int) -> np.ndarray:
    bought = _bought(run)
    inside = bought.filter(bought.ordered_on > after, bought.ordered_on <= after + timedelta(days=days))
    worth = inside.select("customer_id", worth=order_worth(inside, metric))
    sums = run.frame(worth.group_by("customer_id").aggregate(worth=worth.worth.sum())).set_index("customer_id")["worth"]
    return sums.reindex(ids).fillna(0.0).to_numpy(float)


def _bought(run: Run) -> ir.Table:
    returns = run.table("clean/returns") if run.has("clean/returns") else None
    orders = known_on(run.table("clean/orders"), returns, day=run.as_of)
    return orders.filter(orders.customer_id.notnull(), is_purchase(orders))


def _whole_windows(bought: ir.Table, *, as_of: date, days: int) -> int:
    (row,) = few_rows(bought.aggregate(first=bought.ordered_on.min()))
    covered = (as_of - row["first"]).days + 1 if row["first"] else 0
    return min(covered // days, MOST_WINDOWS)
