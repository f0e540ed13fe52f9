"""What customers have brought so far, and the arithmetic that most shops stop at.

Value is margin where the costs of the goods are known, else margin by a declared share, else revenue; which of the
three it is, `Basis` says. Goods that came back are back on the shelf: of an order's cost as much counts as of its
amount stayed. An order of nothing (a gift) costs what its goods cost. A return document whose purchase is unknown
lowers the value of its customer and is no purchase.

In: clean/orders. Out, one row per customer with a purchase: customer_id, first_ordered_on, last_ordered_on,
purchase_days, revenue_to_date, value_to_date (both in currency).
"""

from __future__ import annotations

from datetime import date
from typing import Literal, NamedTuple

import ibis
import ibis.expr.types as ir
import pandas as pd

from workbook.data.engine import few_rows
from workbook.history import is_purchase, year_before

MONEY = "decimal(18, 4)"
ENOUGH_COSTS = 0.8  # share of sales whose cost must be known before value means margin
TENTHS = 10
WEEKS_A_MONTH = 365.25 / 7 / 12


class Basis(NamedTuple):
    """What the value of a sale is."""

    code: Literal["margin", "assumed", "revenue"]  # from recorded costs; by a declared share; sales themselves
    share: float  # value of one unit of net revenue: 1 where value is revenue
    known_share: float  # share of the sales whose cost is recorded


def basis(orders: ir.Table, *, as_of: date, declared: float = 0.0) -> Basis:
    """Margin where the costs of most sales are recorded, else by the declared share, else revenue.

    Args:
        orders: ordered_on, amount, net_amount, cost (currency; cost blank where unknown).
        declared: share of a net amount that stays after the cost of the goods; 0 where nobody knows.
    """
    sold = orders.filter(orders.ordered_on <= as_of, orders.customer_id.notnull(), orders.amount > 0)
    known = sold.cost.notnull()
    row = few_rows(
        sold.aggregate(
            sales=sold.amount.sum(),
            known=sold.amount.sum(where=known),
            net=sold.net_amount.sum(where=known),
            kept=(sold.net_amount.cast("float64") - _kept_cost(sold)).round(4).cast(MONEY).sum(where=known),
        )
    )[0]
    share = float(row["known"] or 0) / float(row["sales"]) if row["sales"] else 0.0
    if share >= ENOUGH_COSTS and row["net"]:
        return Basis("margin", float(row["kept"]) / float(row["net"]), share)
    return Basis("assumed", declared, share) if declared > 0 else Basis("revenue", 1.0, share)


def _kept_cost(orders: ir.Table) -> ir.FloatingValue:
    """Cost of the goods that stayed with the customer."""
    stayed = orders.net_amount.cast("float64") / orders.amount.nullif(0).cast("float64")
    return orders.cost.cast("float64") * stayed.coalesce(1.0)


def with_value(orders: ir.Table, rule: Basis) -> ir.Table:
    """Orders with `value` (currency); where a single cost is unknown, its net amount times the mean share."""
    net = orders.net_amount.cast("float64")
    value = net * rule.share
    if rule.code == "margin":
        value = ibis.coalesce(net - _kept_cost(orders), value)
    return orders.mutate(value=value.round(4).cast(MONEY))


def value_to_date(orders: ir.Table, *, as_of: date, rule: Basis) -> ir.Table:
    """One row per customer with a purchase up to and including `as_of`: what they have brought."""
    seen = with_value(orders, rule)
    seen = seen.filter(seen.customer_id.notnull(), seen.ordered_on <= as_of)
    bought = is_purchase(seen)
    customers = seen.group_by("customer_id").aggregate(
        first_ordered_on=seen.ordered_on.min(where=bought),
        last_ordered_on=seen.ordered_on.max(where=bought),
        purchase_days=seen.ordered_on.nunique(where=bought),
        revenue_to_date=seen.net_amount.sum().cast(MONEY),
        value_to_date=seen.value.sum().cast(MONEY),
    )
    return customers.filter(customers.purchase_days > 0)


class Arithmetic(NamedTuple):
    """Average order × orders a year × years, as a napkin has it."""

    customers: int  # who bought in the last twelve months: the only ones whom it sees
    everyone: int  # who have ever bought
    mean_order: float | None  # currency, net amount of a purchase day of the last twelve months
    orders_a_year: float | None  # purchase days per customer who bought in these months
    years: float  # assumed
    value: float | None  # currency of revenue per customer over those years
    typical: float | None  # median of what everyone has brought in revenue so far


def arithmetic(orders: ir.Table, *, as_of: date, years: float) -> Arithmetic:
    """The usual formula on the last twelve months; blank where nobody bought in them."""
    seen = orders.filter(orders.customer_id.notnull(), orders.ordered_on <= as_of, is_purchase(orders))
    recent = seen.ordered_on > year_before(as_of)
    customers = seen.group_by("customer_id").aggregate(
        days=seen.ordered_on.nunique(where=recent),
        net=seen.net_amount.sum(where=recent).coalesce(0),
        ever=seen.net_amount.sum(),
    )
    row = few_rows(
        customers.aggregate(
            customers=(customers.days > 0).cast("int64").sum().coalesce(0),
            everyone=customers.count(),
            days=customers.days.sum().coalesce(0),
            net=customers.net.sum().coalesce(0),
            typical=customers.ever.cast("float64").quantile(0.5),
        )
    )[0]
    if not row["days"]:
        return Arithmetic(0, row["everyone"], None, None, years, None, row["typical"])
    mean_order, orders_a_year = float(row["net"]) / row["days"], row["days"] / row["customers"]
    value = mean_order * orders_a_year * years
    return Arithmetic(row["customers"], row["everyone"], mean_order, orders_a_year, years, value, row["typical"])


def tenths(customers: pd.DataFrame, column: str) -> pd.Series:
    """1 (worth most) to 10 of each customer by `column`; equal values share the tenth in which the first of them falls.

    >>> tenths(pd.DataFrame({"clv": [5.0, 1.0, 1.0, 9.0]}), "clv").tolist()
    [3, 6, 6, 1]
    """
    place = customers[column].rank(method="min", ascending=False) - 1
    return (TENTHS * place // max(len(customers), 1) + 1).astype("int64")


def by_tenth(customers: pd.DataFrame, column: str) -> pd.DataFrame:
    """What a customer of each tenth counts for: tenth (1 = most), customers, each (mean), share (of the sum)."""
    rows = customers.assign(tenth=tenths(customers, column)).groupby("tenth")[column].agg(["count", "mean", "sum"])
    rows = rows.rename(columns={"count": "customers", "mean": "each"}).reset_index()
    return rows.assign(share=rows["sum"] / rows["sum"].sum()).drop(columns="sum")


def weeks(months: float) -> float:
    """Months as weeks, the models' unit of time."""
    return months * WEEKS_A_MONTH
