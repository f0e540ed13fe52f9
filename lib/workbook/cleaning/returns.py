"""Returns and cancellations, netted against the purchase that they undo.

A return says which order it undoes (a row of `returns`, or a document with `original_order_id`), or it does not (a
negative line, a cancelling invoice). Those that say are taken from that order: from the line they name, else from
the product, else from the order as a whole, in money. The others are matched by customer, product and price: first
to the latest earlier purchase of the very same quantity, then, in parts if need be, to the latest earlier ones with
something left (`pairing`). A return never precedes its purchase. What finds no purchase stays a negative line of
its own and is listed.

In: clean lines before netting, and the raw `returns`. Out: `Netted`.

What this approximates: a customer who bought the same thing at the same price several times and sends one back is
taken to send back the latest. The money is the same either way; the delay is then the shortest one possible.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.cleaning.pairing import pair
from workbook.cleaning.sales import MONEY, complete, row_id
from workbook.data.engine import settled

_ZERO = ibis.literal(0).cast(MONEY)
_NOTHING = ibis.literal("0.0010").cast(MONEY)  # what rounding to four decimals may leave of a return in parts
_BY_ORDER = (("line", ("order_id", "line_no")), ("product", ("order_id", "product_id")), ("order", ("order_id",)))
_BY_CUSTOMER = ("customer_id", "product_id", "unit_price")


class Netted(NamedTuple):
    """Lines after netting."""

    lines: ir.Table  # purchases with what came back; returns without a purchase, as negative lines
    returns: ir.Table  # one row per part of a purchase that came back: how much, when, after how many days
    unmatched: ir.Table  # what came back and found no purchase, with the reason as a code


def net(lines: ir.Table, returns: ir.Table | None, *, age_days: int) -> Netted:
    """Net what came back.

    Args:
        lines: kept lines with `row_id`, the columns of `sales.LINE` and `is_product`.
        returns: raw returns up to the report date, or None.
        age_days: the equal return age at which periods are compared.
    """
    bought = _purchases(lines)
    undone = settled(_undoings(lines, returns))
    told = settled(_tell(_match(bought, undone), bought, undone))
    return Netted(_net_lines(lines, told, age_days), told, _unmatched(undone, told, bought))


def unnetted(lines: ir.Table) -> ir.Table:
    """Lines as recorded, in the columns of netted ones: nothing came back, a return is a negative line."""
    return lines.mutate(
        is_return=lines.amount < 0, returned_quantity=_ZERO, returned_amount=_ZERO, returned_amount_30d=_ZERO,
        net_amount=lines.amount)


def _purchases(lines: ir.Table) -> ir.Table:
    """What can be undone: lines that brought money. A line without a quantity is one piece at its amount."""
    sold = lines.filter(lines.amount > 0)
    counted = ibis.coalesce(sold.quantity, ibis.literal(1).cast(MONEY))
    return sold.select(
        "order_id", "line_no", "customer_id", "ordered_on", "amount", id="row_id", quantity=counted,
        product_id=sold.product_id.fill_null(""), unit_price=ibis.ifelse(
            sold.quantity.isnull(), sold.amount, sold.unit_price),
        at=ibis.coalesce(sold.ordered_at, sold.ordered_on.cast("timestamp(6)")))


def _undoings(lines: ir.Table, returns: ir.Table | None) -> ir.Table:
    """What came back, from either place, with positive amounts."""
    minus = lines.filter(lines.amount < 0)
    documents = minus.select(
        id="row_id", origin=ibis.literal("order_lines"), document_id="order_id", named_order=minus.original_order_id,
        line_no=ibis.null("int64"), customer_id="customer_id", product_id=minus.product_id.fill_null(""),
        is_product="is_product", quantity=ibis.coalesce(-minus.quantity, ibis.literal(1).cast(MONEY)),
        unit_price=ibis.ifelse(minus.quantity.isnull(), -minus.amount, minus.unit_price), amount=-minus.amount,
        at=ibis.coalesce(minus.ordered_at, minus.ordered_on.cast("timestamp(6)")), returned_on="ordered_on")
    if returns is None:
        return documents
    returns = complete(returns, "returns").filter(ibis._.amount > 0)
    rows = returns.select(
        id=row_id(returns), origin=ibis.literal("returns"), document_id="return_id", named_order="order_id",
        line_no="line_no", customer_id=ibis.null("string"), product_id=returns.product_id.fill_null(""),
        is_product=ibis.literal(True), quantity="quantity", unit_price=ibis.null(MONEY), amount="amount",
        at="returned_at", returned_on="returned_on")
    return ibis.union(documents.select(*rows.columns), rows)


def _match(bought: ir.Table, undone: ir.Table) -> ir.Table:
    """All matches: `purchase_id`, `undoing_id`, `quantity`, `amount`, `how`."""
    named = undone.filter(undone.named_order.notnull()).mutate(order_id=undone.named_order)
    named = settled(named.mutate(at=named.returned_on.cast("timestamp(6)")))
    by_day = settled(bought.semi_join(named, "order_id").mutate(at=ibis._.ordered_on.cast("timestamp(6)")))
    found: list[ir.Table] = []
    for how, key in _BY_ORDER:
        open_returns = _left(named, found, "undoing_id", "amount").filter(_says(how))
        pairs = pair(
            _left(by_day, found, "purchase_id", "amount"), open_returns, key=key)
        found.append(settled(_in_units(pairs, by_day, how)))
    free = undone.filter(undone.customer_id.notnull() & (undone.quantity > 0) & (undone.unit_price > 0))
    # A return that its order has taken is done: at another price its units would seem to be left over.
    taken = ibis.union(*found)
    free = free.anti_join(taken, free.id == taken.undoing_id)
    free = settled(free.mutate(weight=free.quantity, pieces=free.quantity))
    candidates = settled(bought.semi_join(free, list(_BY_CUSTOMER)))
    whole = _left(candidates, found, "purchase_id", "quantity").filter(ibis._.weight == ibis._.quantity)
    whole = whole.mutate(pieces=whole.quantity, weight=ibis.literal(1).cast(MONEY))
    one = pair(whole, free.mutate(weight=ibis.literal(1).cast(MONEY)), key=(*_BY_CUSTOMER, "pieces"))
    same = one.inner_join(free.select("quantity", undoing_id="id"), "undoing_id")
    found.append(settled(
        _in_money(same.select("purchase_id", "undoing_id", weight="quantity"), free, "same quantity")))
    rest = pair(
        _left(candidates, found, "purchase_id", "quantity"), _left(free, found, "undoing_id", "quantity"),
        key=_BY_CUSTOMER)
    found.append(_in_money(rest, free, "same price"))
    return ibis.union(*found)


def _says(how: str) -> ir.Deferred:
    """Whether a return names what it is looked for by; one that names nothing more is taken from the whole order."""
    line, product = ibis._.line_no.notnull(), ibis._.product_id != ""
    return {"line": line, "product": product, "order": ~line & ~product}[how]


def _left(rows: ir.Table, found: Sequence[ir.Table], side: str, measure: str) -> ir.Table:
    """Rows with `weight`: what the matches found so far have left of the measure; used up ones are gone."""
    if not found:
        return rows.mutate(weight=rows[measure])
    matches = ibis.union(*found) if len(found) > 1 else found[0]
    used = matches.group_by(matched_id=side).aggregate(used=matches[measure].sum().cast(MONEY))
    joined = rows.left_join(used, rows.id == used.matched_id)
    left = joined.mutate(weight=(joined[measure] - ibis.coalesce(joined.used, _ZERO)).cast(MONEY))
    return left.filter(left.weight > 0).drop("matched_id", "used")


def _in_units(pairs: ir.Table, bought: ir.Table, how: str) -> ir.Table:
    """Money matches, with the units that they are at the price paid."""
    paid = bought.select("quantity", purchase_id="id", paid="amount")
    joined = pairs.inner_join(paid, "purchase_id")
    units = joined.quantity.cast("float64") * joined.weight.cast("float64") / joined.paid.cast("float64")
    return joined.select(
        "purchase_id", "undoing_id", quantity=units.round(4).cast(MONEY), amount=joined.weight.cast(MONEY),
        how=ibis.literal(how))


def _in_money(pairs: ir.Table, undone: ir.Table, how: str) -> ir.Table:
    """Matches in units, with the money given back for them."""
    given = undone.select(undoing_id="id", units="quantity", given="amount")
    joined = pairs.inner_join(given, "undoing_id")
    part = joined.given.cast("float64") * joined.weight.cast("float64") / joined.units.cast("float64")
    whole = joined.weight == joined.units
    return joined.select(
        "purchase_id", "undoing_id", quantity=joined.weight.cast(MONEY),
        amount=ibis.ifelse(whole, joined.given, part.round(4).cast(MONEY)).cast(MONEY), how=ibis.literal(how))


def _tell(matches: ir.Table, bought: ir.Table, undone: ir.Table) -> ir.Table:
    purchase = bought.select(
        "order_id", "line_no", "product_id", "customer_id", purchase_id="id", purchased_on="ordered_on")
    back = undone.select("origin", "document_id", "returned_on", undoing_id="id")
    joined = matches.inner_join(purchase, "purchase_id").inner_join(back, "undoing_id")
    return joined.select(
        "purchase_id", "undoing_id", "origin", "document_id", "order_id", "line_no", "customer_id",
        "quantity", "amount", "returned_on", "purchased_on", "how", product_id=joined.product_id.nullif(""),
        delay_days=joined.returned_on.delta(joined.purchased_on, unit="day").cast("int64"))


def _net_lines(lines: ir.Table, told: ir.Table, age_days: int) -> ir.Table:
    """Purchases less what came back; of returns, what found no purchase."""
    early = ibis.ifelse(told.delay_days <= age_days, told.amount, _ZERO)
    bought = told.group_by(matched_id="purchase_id").aggregate(
        back_quantity=told.quantity.sum().cast(MONEY), back_amount=told.amount.sum().cast(MONEY),
        back_early=early.sum().cast(MONEY))
    undone = told.filter(told.origin == "order_lines").group_by(matched_id="undoing_id").aggregate(
        back_quantity=ibis._.quantity.sum().cast(MONEY), back_amount=ibis._.amount.sum().cast(MONEY),
        back_early=ibis._.amount.max().cast(MONEY))
    both = ibis.union(bought, undone)
    joined = lines.left_join(both, lines.row_id == both.matched_id)
    filled = joined.mutate(**{
        name: joined[name].fill_null(_ZERO) for name in ("back_quantity", "back_amount", "back_early")})
    is_return = filled.amount < 0
    rest_amount = (filled.amount + filled.back_amount).cast(MONEY)
    rest_quantity = _in_proportion(filled.quantity, rest_amount, filled.amount)
    used_up = is_return & (rest_amount > -_NOTHING)
    netted = filled.mutate(
        is_return=is_return, used_up=used_up,
        amount=ibis.ifelse(is_return, rest_amount, filled.amount).cast(MONEY),
        quantity=ibis.ifelse(is_return, rest_quantity, filled.quantity).cast(MONEY),
        returned_quantity=ibis.ifelse(is_return, _ZERO, filled.back_quantity).cast(MONEY),
        returned_amount=ibis.ifelse(is_return, _ZERO, ibis.least(filled.back_amount, filled.amount)).cast(MONEY),
        returned_amount_30d=ibis.ifelse(is_return, _ZERO, ibis.least(filled.back_early, filled.amount)).cast(MONEY),
    )
    left = netted.filter(~netted.used_up)
    return left.mutate(net_amount=(left.amount - left.returned_amount).cast(MONEY)).drop(
        "matched_id", "back_quantity", "back_amount", "back_early", "used_up")


def _in_proportion(quantity: ir.DecimalValue, part: ir.DecimalValue, whole: ir.DecimalValue) -> ir.DecimalValue:
    size = whole.nullif(_ZERO).cast("float64")
    return (quantity.cast("float64") * part.cast("float64") / size).round(4).cast(MONEY)


def _unmatched(undone: ir.Table, told: ir.Table, bought: ir.Table) -> ir.Table:
    used = told.group_by(matched_id="undoing_id").aggregate(back_amount=told.amount.sum().cast(MONEY))
    orders = bought.select("order_id").distinct().select(known_order="order_id")
    joined = undone.left_join(used, undone.id == used.matched_id)
    joined = joined.left_join(orders, joined.named_order == orders.known_order)
    left = (joined.amount - joined.back_amount.fill_null(_ZERO)).cast(MONEY)
    rest = joined.mutate(
        amount=left, quantity=_in_proportion(joined.quantity, left, joined.amount),
        reason=ibis.cases(
            (joined.back_amount.notnull(), "more_than_bought"),
            (joined.named_order.notnull() & joined.known_order.isnull(), "order_not_found"),
            (~joined.is_product, "not_goods"),
            (joined.named_order.isnull() & joined.customer_id.isnull(), "no_customer"),
            else_="no_earlier_purchase"),
    )
    return rest.filter(rest.amount > _NOTHING).select(
        "id", "origin", "document_id", "named_order", "customer_id", "quantity", "amount", "returned_on", "reason",
        product_id=rest.product_id.nullif(""))
