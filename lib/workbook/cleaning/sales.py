"""From what arrived to one uniform table of order lines.

Orders, order lines, or both may arrive. Lines take what they lack (customer, time, channel …) from their order; an
order without lines is one line without a product; without an order number each row is an order, called by its file
and row. Products are looked up as they were on the day of the order, one row each, so that no join multiplies lines.

In: the raw tables. Out: one row per line with the columns of `LINE`, a `row_id` that is unique and stable, and the
lineage.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

import ibis
import ibis.expr.types as ir

from workbook.cleaning import duplicates
from workbook.data.schema import LINEAGE, TABLES

MONEY = "decimal(18, 4)"
ENGINE_TYPE = {"string": "string", "int": "int64", "decimal": MONEY, "float": "float64", "bool": "boolean",
               "date": "date", "timestamp": "timestamp(6)"}
CONTEXT = ("customer_id", "channel", "shop", "payment_method", "region", "country", "status", "campaign_id",
           "discount_code")
LINE = ("order_id", "line_no", "customer_id", "ordered_at", "ordered_on", "product_id", "product_name", "category",
        "quantity", "unit_price", "amount", "discount", "cost", "original_order_id", *CONTEXT[1:])
GIVEN = ("given_order_id", "given_line_no", *LINE[2:])  # as it arrived: what makes two lines alike
LINEAGE_COLUMNS = tuple(column.name for column in LINEAGE)


def complete(table: ir.Table, name: str) -> ir.Table:
    """The raw table with every column of its definition, in its type; a column that did not arrive is null."""
    return table.select(**{
        column.name: table[column.name].cast(ENGINE_TYPE[column.type])
        if column.name in table.columns
        else ibis.null(ENGINE_TYPE[column.type])
        for column in TABLES[name].stored
    })


def row_id(table: ir.Table) -> ir.StringValue:
    """Source, file and row as one name: the same on every run."""
    file = table.source_name.fill_null("") + "/" + table.source_file.fill_null("")
    return file + ":" + table.source_row.cast("string")


def newest(table: ir.Table, *key: str) -> ir.Table:
    """One row a key: the one that arrived last, and within a file the lowest on the page."""
    latest = ibis.window(
        group_by=key, order_by=[table.arrived_at.desc(), table.source_file.desc(), table.source_row.desc()])
    return table.mutate(place=ibis.row_number().over(latest)).filter(ibis._.place == 0).drop("place")


def lines(raw: Callable[[str], ir.Table | None]) -> ir.Table:
    """All order lines that arrived, from either table.

    Args:
        raw: gives a raw table by its canonical name, or None where it did not arrive.
    """
    orders, order_lines = raw("orders"), raw("order_lines")
    if order_lines is None:
        return _priced(_from_orders(complete(orders, "orders")))
    order_lines = complete(order_lines, "order_lines").mutate(origin=ibis.literal("order_lines"))
    if orders is None:
        return _priced(order_lines)
    orders = complete(orders, "orders")
    alone = orders.anti_join(order_lines.filter(order_lines.order_id.notnull()), "order_id")
    both = ibis.union(_in_context(order_lines, orders).select(*_ARRIVING), _from_orders(alone).select(*_ARRIVING))
    return _priced(both)


_ARRIVING = (*LINE, "origin", *LINEAGE_COLUMNS)


def _from_orders(orders: ir.Table) -> ir.Table:
    missing = {"product_id": "string", "product_name": "string", "category": "string", "unit_price": MONEY}
    return orders.mutate(
        origin=ibis.literal("orders"),
        line_no=ibis.null("int64"),
        **{name: ibis.null(kind) for name, kind in missing.items()},
    )


def _in_context(order_lines: ir.Table, orders: ir.Table) -> ir.Table:
    """Lines with what they lack from their order; one order row an id, so that lines stay as many as they are."""
    lacking = (*CONTEXT, "ordered_at", "ordered_on", "original_order_id")
    one = newest(orders.filter(orders.order_id.notnull()), "order_id").select(
        "order_id", **{f"of_order_{name}": ibis._[name] for name in lacking})
    joined = order_lines.left_join(one, "order_id")
    return joined.mutate(**{name: ibis.coalesce(joined[name], joined[f"of_order_{name}"]) for name in lacking})


def _priced(arrived: ir.Table) -> ir.Table:
    """Amounts, prices, order numbers and row names filled in where they follow from the rest."""
    table = arrived.mutate(
        amount=ibis.coalesce(arrived.amount, _product(arrived.quantity, arrived.unit_price)),
        given_order_id=arrived.order_id,
        given_line_no=arrived.line_no,
        row_id=row_id(arrived),
    )
    units = table.quantity.nullif(ibis.literal(0).cast(MONEY))
    price = (table.amount.cast("float64") / units.cast("float64")).round(4).cast(MONEY)
    return table.mutate(
        order_id=ibis.coalesce(table.order_id, table.row_id),
        line_no=ibis.coalesce(table.line_no, table.source_row),
        unit_price=ibis.coalesce(table.unit_price, price, table.amount),
        amount=table.amount.fill_null(ibis.literal(0).cast(MONEY)),
    ).select(*LINE, "origin", "given_order_id", "given_line_no", "row_id", *LINEAGE_COLUMNS)


def _product(left: ir.DecimalValue, right: ir.DecimalValue) -> ir.DecimalValue:
    """Ibis calls the product of two decimals as wide as its factors and would leave the plain cast out."""
    return (left * right).cast("decimal(38, 8)").cast(MONEY)


def with_products(lines: ir.Table, products: ir.Table | None) -> ir.Table:
    """Lines with name, category and cost of their product as of the day, and whether it is goods at all.

    A product may have several rows, each valid from a day on; a line meets the one of its day (before the first
    day: the first). The row without a day counts from the beginning.
    """
    if products is None:
        return lines.mutate(declared_product=ibis.null("boolean"))
    spans = validity(complete(products, "products"))
    facts = spans.select(
        "from_day", "until_day", product_key=ibis._.product_id, known_name=ibis._.product_name,
        known_category=ibis._.category, unit_cost=ibis._.cost, declared_product=ibis._.is_product)
    day = lines.ordered_on
    joined = lines.left_join(
        facts,
        [lines.product_id == facts.product_key, day >= facts.from_day, day < facts.until_day],
    )
    return joined.mutate(
        product_name=ibis.coalesce(joined.product_name, joined.known_name),
        category=ibis.coalesce(joined.category, joined.known_category),
        cost=ibis.coalesce(joined.cost, _product(joined.unit_cost, joined.quantity)),
    ).drop("from_day", "until_day", "product_key", "known_name", "known_category", "unit_cost")


def validity(products: ir.Table) -> ir.Table:
    """Products with the days from which (`from_day`) and before which (`until_day`) each row holds, without overlap."""
    beginning, end = ibis.date("0001-01-01"), ibis.date("9999-12-31")
    dated = products.mutate(valid_from=ibis.coalesce(products.valid_from, beginning))
    once = newest(dated, "product_id", "valid_from")
    order = ibis.window(group_by="product_id", order_by="valid_from")
    return once.mutate(
        from_day=ibis.ifelse(ibis.row_number().over(order) == 0, beginning, once.valid_from),
        until_day=ibis.coalesce(once.valid_from.lead(1).over(order), end),
    )



def with_verdicts(lines: ir.Table, *, upserted: Collection[str]) -> ir.Table:
    """Lines with the verdicts of `duplicates`: an order line's key is order and line number, an order's its number."""
    whole_order = lines.origin == "orders"
    return duplicates.mark(
        lines, row="row_id", key=("order_id", "given_line_no"), columns=GIVEN, upserted=upserted,
        arrived=lines.given_order_id.notnull() & (whole_order | lines.given_line_no.notnull()))
