"""What is counted: one row an order, or a line where goods are asked for, with the two dimensions beside it.

The dimensions come from the orders (region, channel …), their day (month, weekday), their lines (category, product)
and the people who ordered (segment, group, age …). Where nobody has said it, or the sale is anonymous, the level is
`(not stated)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.data.errors import WorkbookError, nearest
from workbook.data.periods import Period

NOT_STATED = "(not stated)"
OTHERS = "(others)"
OF_ORDERS = ("channel", "payment_method", "region", "country")
OF_LINES = ("category", "product")
OF_DAYS = ("year", "quarter", "month", "weekday")
OF_PEOPLE = ("segment", "value_class", "cluster", "lifecycle", "acquisition_channel", "age_band", "gender", "education",
             "occupation", "income_band")  # fmt: skip
ORDERED = (*OF_DAYS, "age_band")  # kept in their own order; the others come largest first
MONEY = "decimal(18,4)"


class Sources(NamedTuple):
    """The tables that are counted."""

    orders: ir.Table  # clean/orders
    lines: ir.Table | None = None  # clean/order_lines
    people: ir.Table | None = None  # of `joined`: one row a customer


def joined(tables: Mapping[str, tuple[ir.Table, Sequence[str]]], everyone: ir.Table) -> ir.Table:
    """One row a customer: what each table of customers says of them, blank where it does not know them.

    Args:
        tables: any name → a table with customer_id, and which of its columns to take; of a column that two tables
            have, the first one's.
        everyone: customer_id of all who are to be in it, once each.
    """
    found = everyone.select("customer_id")
    for table, columns in tables.values():
        wanted = [name for name in columns if name in table.columns and name not in found.columns]
        if wanted:
            right = table.select("customer_id", *wanted)
            found = found.left_join(right, "customer_id").drop("customer_id_right")
    return found


def dimensions(sources: Sources) -> list[str]:
    """The dimensions that these tables know."""
    known = [name for name in OF_ORDERS if name in sources.orders.columns]
    if sources.lines is not None:
        known += [name for name in OF_LINES if _column(name) in sources.lines.columns]
    known += list(OF_DAYS)
    if sources.people is not None:
        known += [name for name in OF_PEOPLE if name in sources.people.columns]
    return known


def facts(sources: Sources, rows: str, columns: str, *, window: Period | None = None) -> ir.Table:
    """What is counted, with its level in both dimensions.

    Returns:
        row, column (text), order_id, customer_id (blank: anonymous), ordered_on, is_return, amount, returned_amount,
        net_amount, units, cost, tax (currency; blank where not known), and product_name of lines.

    Raises:
        WorkbookError: a dimension that the tables do not know.
    """
    known = dimensions(sources)
    for name in (rows, columns):
        if name not in known:
            raise WorkbookError(f"There is no dimension {name!r}.", way_out=nearest(name, known))
    table = _counted(sources, by_line=bool({rows, columns} & set(OF_LINES)))
    if window is not None:
        table = table.filter(table.ordered_on.between(window.start, window.end))
    asked = [name for name in dict.fromkeys((rows, columns)) if name in OF_PEOPLE]
    if asked:
        told = sources.people.select("customer_id", **{f"of_{name}": sources.people[name] for name in asked})
        table = table.left_join(told, "customer_id").drop("customer_id_right")
    return table.mutate(row=_level(table, rows), column=_level(table, columns))


def _counted(sources: Sources, *, by_line: bool) -> ir.Table:
    """Orders or lines in the same columns."""
    orders = sources.orders
    if not by_line:
        return orders.select(
            *_shared(orders), "units", "cost", product_name=ibis.null("string"),
            tax=orders.tax.cast("float64") if "tax" in orders.columns else ibis.null("float64"))  # fmt: skip
    lines = sources.lines
    taken = lines.select(
        *_shared(lines), "cost", "product_name", *[name for name in ("category",) if name in lines.columns],
        product=lines.product_name, units=lines.quantity)  # fmt: skip
    if "tax" not in orders.columns:
        return taken.mutate(tax=ibis.null("float64"))
    share = orders.select("order_id", tax_share=orders.tax.cast("float64") / orders.amount.cast("float64").nullif(0.0))
    both = taken.left_join(share, "order_id").drop("order_id_right")
    return both.mutate(tax=both.tax_share * both.amount.cast("float64")).drop("tax_share")


def _shared(table: ir.Table) -> list[str]:
    found = ["order_id", "customer_id", "ordered_on", "is_return", "amount", "returned_amount", "net_amount"]
    return found + [name for name in OF_ORDERS if name in table.columns]


def _column(name: str) -> str:
    return "product_name" if name == "product" else name


def _level(table: ir.Table, name: str) -> ir.StringValue:
    day = table.ordered_on
    if name in OF_DAYS:
        return {
            "year": day.year().cast("string"),
            "quarter": day.year().cast("string") + "-Q" + day.quarter().cast("string"),
            "month": day.year().cast("string") + "-" + day.month().cast("string").lpad(2, "0"),
            "weekday": day.day_of_week.index().cast("string"),
        }[name]
    column = table[f"of_{name}" if name in OF_PEOPLE else name]
    return ibis.coalesce(column.cast("string"), NOT_STATED)
