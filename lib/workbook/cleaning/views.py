"""Small tables that show what cleaning met: rows alike, returns by the way they were matched, groups of ids."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir


def alike(lines: ir.Table) -> ir.Table:
    """Lines that repeat others of their order, those most often repeated first: one row a group, with `rows`."""
    repeated = lines.filter(lines.is_duplicate).select("order_id", "product_id", "quantity", "amount").distinct()
    key = ["order_id", "product_id", "quantity", "amount"]
    groups = lines.semi_join(repeated, key).group_by(*key).aggregate(
        product_name=ibis._.product_name.max(), rows=ibis._.count())
    return groups.order_by(groups.rows.desc(), groups.amount.desc(), "order_id", "product_id")


def repeats(lines: ir.Table) -> ir.Table:
    """One row: what dropping every flagged repeat would take: `amount`, `orders`."""
    flagged = lines.filter(lines.is_duplicate)
    return flagged.aggregate(amount=flagged.amount.sum(), orders=flagged.order_id.nunique())


def has_line_key(marked: ir.Table) -> ir.Table:
    """One row: whether any line came with its table's unique key (`has_key`)."""
    numbered = marked.given_line_no.notnull() | (marked.origin == "orders")
    return marked.aggregate(has_key=(marked.given_order_id.notnull() & numbered).any())


def undone(lines: ir.Table) -> ir.Table:
    """One row: `returned` money, and `customers` whose every purchase came back."""
    sold = lines.filter(~lines.is_return)
    bought = sold.filter(sold.customer_id.notnull()).group_by("customer_id").aggregate(
        amount=ibis._.amount.sum(), net=ibis._.net_amount.sum())
    nobody = bought.aggregate(customers=((bought.amount > 0) & (bought.net == 0)).sum())
    return sold.aggregate(returned=sold.returned_amount.sum()).cross_join(nobody)


def by_how(returns: ir.Table) -> ir.Table:
    """Matches and money by the way in which the purchase was found."""
    table = returns.group_by("how").aggregate(matches=ibis._.count(), amount=ibis._.amount.sum())
    return table.order_by(table.amount.desc(), "how")


def by_reason(unmatched: ir.Table) -> ir.Table:
    """Returns without a purchase, by reason."""
    table = unmatched.group_by("reason").aggregate(rows=ibis._.count(), amount=ibis._.amount.sum())
    return table.order_by(table.amount.desc(), "reason")


def clusters(identities: ir.Table) -> ir.Table:
    """Ids that belong together or were refused, by what they share."""
    some = identities.filter(identities.status != "single")
    table = some.group_by("status", "reason").aggregate(
        people=(1 / some.ids).sum().round().cast("int64"), ids=some.count(), largest=some.ids.max())
    return table.order_by("status", table.ids.desc(), "reason")
