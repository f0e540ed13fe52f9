"""One part of a shop, by region, channel, brand …: its clean tables, from those of the whole.

| the dimension is a column of | then the part is |
|---|---|
| orders (region, channel, country …) | the orders with that value, their lines and returns |
| order lines or products (category, brand …) | the lines with that value; an order is what it has of them |
| customers (kind, acquisition_channel, industry …) | all that these customers did |

Customers of a part are those who bought in it, and those whose own record names it; of tables without an order
(events, messages, requests, answers) it has their rows. What cannot be divided is left out: acquisition costs, returns
without a purchase, visits of nobody known. Net revenue of all parts adds up to the whole; customers do not, as one may
buy in two parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibis
import ibis.expr.types as ir

from workbook.cleaning import orders as of_orders
from workbook.data.engine import few_rows
from workbook.data.errors import WorkbookError, nearest
from workbook.data.run import Run
from workbook.data.settings import Part
from workbook.data.store import Store

MADE_BY = "02_cleaning"
MOST_PARTS = 200
OF_ORDERS = ("region", "channel", "shop", "country", "payment_method", "campaign_id")
OF_LINES = ("category", "product_id")
OF_PRODUCTS = ("brand",)
OF_CUSTOMERS = ("kind", "acquisition_channel", "city", "gender", "industry", "owner")
DIMENSIONS = (*OF_ORDERS, *OF_LINES, *OF_PRODUCTS, *OF_CUSTOMERS)
SALES = ("orders", "order_lines", "returns", "customers")
WHOLE = ("products", "campaigns")  # of no part, and needed by each
UNDIVIDED = ("channel_costs", "unmatched_returns", "identities", "removed", "marked_lines", "ledger", "gates",
             "quality")


def values(run: Run, dimension: str) -> list[dict[str, Any]]:
    """The parts of a shop: value (None: not said), customers, net_amount (currency); what brought most first.

    Raises:
        WorkbookError: a dimension that the records do not have, or one with too many values to be told apart.
    """
    lines = _with(run, dimension)
    found = lines.group_by(value=lines[dimension]).aggregate(
        customers=lines.customer_id.nunique(), net_amount=lines.net_amount.sum())
    rows = few_rows(found.order_by(ibis.desc("net_amount"), "value"))
    if not any(row["value"] is not None for row in rows):
        raise WorkbookError(f"No order says anything of {dimension}.",
                            way_out=f"Map a column of a source to it, or divide by another: {', '.join(DIMENSIONS)}.")
    if len(rows) > MOST_PARTS:
        raise WorkbookError(f"{dimension} has {len(rows)} values: too many for a report each.",
                            way_out=f"Name one: --by {dimension}={rows[0]['value']}")
    return rows


def keep_part(run: Run, part: Part, store: Store) -> None:
    """Write a part's clean tables into its own store.

    Args:
        run: opened on the whole shop.
        store: of the part.
    """
    lines = _with(run, part.dimension)
    own = lines.filter(_is(lines[part.dimension], part.value))
    tables = dict(_sales(run, part, own))
    people = tables["customers"].select("customer_id")
    tables |= dict(_others(run, people))
    for name, table in tables.items():
        store.write(f"{run.as_of.isoformat()}/clean/{name}", table, con=run.con, made_by=MADE_BY,
                    parameters={"as_of": str(run.as_of), part.dimension: part.name})


def _with(run: Run, dimension: str) -> ir.Table:
    """Clean lines with the dimension as a column."""
    lines = run.table("clean/order_lines")
    if dimension in (*OF_ORDERS, *OF_LINES):
        return lines
    if dimension in OF_PRODUCTS and run.has("clean/products"):
        return _joined(lines, run.table("clean/products"), "product_id", dimension)
    if dimension in OF_CUSTOMERS:
        return _joined(lines, run.table("clean/customers"), "customer_id", dimension)
    raise WorkbookError(f"A shop cannot be divided by {dimension!r}.", way_out=nearest(dimension, DIMENSIONS))


def _joined(lines: ir.Table, table: ir.Table, key: str, dimension: str) -> ir.Table:
    """A product or customer may be on record several times: the largest value stands for it, the same in every run."""
    told = table.group_by(key).aggregate(**{dimension: table[dimension].max()})
    return lines.left_join(told, key).drop(f"{key}_right")


def _is(column: ir.Value, value: str | None) -> ir.BooleanValue:
    return column.isnull() if value is None else column == value


def _sales(run: Run, part: Part, own: ir.Table) -> Iterator[tuple[str, ir.Table]]:
    lines = own.select(*run.table("clean/order_lines").columns)
    whole = run.table("clean/orders")
    cut = part.dimension in (*OF_LINES, *OF_PRODUCTS)  # an order may lie in several parts
    yield "order_lines", lines
    yield "orders", of_orders.from_lines(lines, None) if cut else whole.semi_join(lines, "order_id")
    if run.has("clean/returns"):
        returns = run.table("clean/returns")
        yield "returns", returns.semi_join(lines, returns.purchase_id == lines.row_id)
    customers = run.table("clean/customers")
    bought = lines.filter(lines.customer_id.notnull()).select("customer_id").distinct()
    buyers = customers.semi_join(bought, "customer_id")
    if part.value is not None and part.dimension in customers.columns:
        named = customers.filter(customers[part.dimension] == part.value).anti_join(bought, "customer_id")
        buyers = ibis.union(buyers, named)
    yield "customers", buyers


def _others(run: Run, people: ir.Table) -> Iterator[tuple[str, ir.Table]]:
    """Tables of what customers did beside buying."""
    prefix = f"{run.as_of.isoformat()}/clean/"
    names = [name.removeprefix(prefix) for name in run.store.names() if name.startswith(prefix)]
    for name in names:
        if name in (*SALES, *UNDIVIDED):
            continue
        table = run.table(f"clean/{name}")
        if name in WHOLE:
            yield name, table
        elif "customer_id" in table.columns:
            yield name, table.semi_join(people, "customer_id")
        elif "referred_id" in table.columns:
            yield name, table.semi_join(people, table.referred_id == people.customer_id)
