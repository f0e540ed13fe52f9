"""The orders of a period as they stand: what is kept when its figures are told.

In: the tables that cleaning made at the end of the period. Out: one row per order of the period, those included whose
records arrived and were dropped by a rule.

Whether the same records are there is told by their content: file, row and time of arrival are others when an export is
written anew, or the store is built again from the sources.
"""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from workbook.data.periods import Period

NEEDED = ("clean/orders", "clean/marked_lines", "clean/identities", "clean/returns")
COLUMNS = ("key", "order_id", "customer_id", "ordered_on", "kept", "is_return", "amount", "returned_amount",
           "net_amount", "bought_before", "ids", "earlier_rows", "rows", "content", "returns")  # fmt: skip
_CONTENT = ("given_line_no", "customer_id", "ordered_at", "product_id", "quantity", "unit_price", "amount", "discount",
            "status", "original_order_id")  # fmt: skip


def fits(has: Callable[[str], bool]) -> bool:
    """Whether the tables are there that a snapshot is taken of."""
    return all(has(name) for name in NEEDED)


def take(table: Callable[[str], ir.Table], period: Period, *, also: ir.Table | None = None) -> ir.Table:
    """The orders of a period.

    Args:
        table: gives a table of the run by its name.
        also: `order_id` of orders whose records are wanted wherever they are dated: those of an earlier snapshot.

    Returns:
        key (the order's number; of an order without one, its content), order_id, customer_id, ordered_on, kept (whether
        it counts in the period), is_return, amount, returned_amount, net_amount, bought_before (its customer, before
        the period), ids (of the customer), earlier_rows (the customer's records before the period), rows and content
        (of its different records; null where there are none), returns (content of what came back).
    """
    orders, people = table("clean/orders"), table("clean/identities")
    marked = table("clean/marked_lines")
    known = marked.filter(~marked.rule_later)
    own = orders.filter(orders.ordered_on.between(period.start, period.end))
    records = _records(known, _wanted(own, known, period, also))
    told = own.select("order_id", "customer_id", "ordered_on", "is_return", "amount", "returned_amount", "net_amount",
                      kept=ibis.literal(True))  # fmt: skip
    both = records.outer_join(told, "order_id")
    both = both.mutate(order_id=ibis.coalesce(both.order_id, both.order_id_right), kept=both.kept.fill_null(False))
    both = both.drop("order_id_right")
    both = _with(both, _past(orders, period), "customer_id")
    both = _with(both, _ids(people), "customer_id")
    both = _with(both, _earlier(known, people, period), "customer_id")
    both = _with(both, _returned(table("clean/returns")), "order_id")
    filled = both.mutate(
        key=ibis.coalesce(both.unnamed, both.order_id), bought_before=both.bought_before.fill_null(False),
        returns=both.returns.fill_null(""), earlier_rows=both.earlier_rows.fill_null(0))
    return filled.select(*COLUMNS)


def _wanted(own: ir.Table, known: ir.Table, period: Period, also: ir.Table | None) -> ir.Table:
    dated = known.filter(known.ordered_on.between(period.start, period.end))
    ids = [own.select("order_id"), dated.select("order_id"), *([] if also is None else [also.select("order_id")])]
    return ibis.union(*ids, distinct=True)


def _records(known: ir.Table, wanted: ir.Table) -> ir.Table:
    """order_id, rows, content, unnamed: of the different records of each order."""
    lines = known.semi_join(wanted, "order_id")
    text = ibis.literal("|").join([lines[name].cast("string").fill_null("") for name in _CONTENT])
    lines = lines.select("order_id", named=lines.given_order_id.notnull(), line=text).distinct()
    records = lines.group_by("order_id").aggregate(
        rows=lines.count(), named=lines.named.any(),
        content=lines.line.group_concat("\n", order_by=lines.line).hexdigest("md5"))
    placed = records.mutate(place=ibis.row_number().over(ibis.window(group_by="content", order_by="order_id")))
    name = placed.content + ibis.literal("#") + placed.place.cast("string")
    return placed.mutate(unnamed=ibis.ifelse(placed.named, ibis.null("string"), name)).drop("named", "place")


def _past(orders: ir.Table, period: Period) -> ir.Table:
    before = orders.filter(orders.ordered_on < period.start, ~orders.is_return, orders.customer_id.notnull())
    return before.select("customer_id", bought_before=ibis.literal(True)).distinct()


def _ids(people: ir.Table) -> ir.Table:
    return people.group_by("customer_id").aggregate(ids=people.raw_customer_id.nunique())


def _earlier(known: ir.Table, people: ir.Table, period: Period) -> ir.Table:
    """customer_id, earlier_rows: what arrived of the person's ids, dated before the period."""
    before = known.filter(known.ordered_on < period.start).select(raw_id="customer_id")
    owned = before.inner_join(people, before.raw_id == people.raw_customer_id)
    return owned.group_by("customer_id").aggregate(earlier_rows=owned.count())


def _returned(returns: ir.Table) -> ir.Table:
    text = ibis.literal("|").join(
        [returns[name].cast("string").fill_null("") for name in ("document_id", "returned_on", "amount")])
    told = returns.select("order_id", text=text)
    return told.group_by("order_id").aggregate(
        returns=told.text.group_concat("\n", order_by=told.text).hexdigest("md5"))


def _with(table: ir.Table, other: ir.Table, key: str) -> ir.Table:
    joined = table.left_join(other, key)
    return joined.drop(f"{key}_right") if f"{key}_right" in joined.columns else joined
