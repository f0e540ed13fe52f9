"""Orders from their lines, and customers from whoever ordered or registered.

An order's amount is the sum of its lines; what only the order document says (discount, tax, shipping, coupon) is
taken from it. `returned_amount_30d` counts only what came back within the return age (30 days unless declared), so
that young and old orders can be compared.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from workbook.cleaning.sales import MONEY, complete, newest

_CONTEXT = ("channel", "shop", "payment_method", "region", "country", "status", "campaign_id", "discount_code")
_DOCUMENT = ("discount", "coupon", "platform_subsidy", "tax", "shipping", "cost",
             "paid_at", "shipped_at", "delivered_at")


def from_lines(lines: ir.Table, documents: ir.Table | None) -> ir.Table:
    """One row an order.

    Args:
        lines: clean order lines, netted.
        documents: raw orders up to the report date, where they arrived.
    """
    table = lines.group_by("order_id").aggregate(
        customer_id=lines.customer_id.min(),
        ordered_at=lines.ordered_at.min(),
        ordered_on=lines.ordered_on.min(),
        units=lines.quantity.sum().cast(MONEY),
        lines=lines.count(),
        amount=lines.amount.sum().cast(MONEY),
        returned_amount=lines.returned_amount.sum().cast(MONEY),
        returned_amount_30d=lines.returned_amount_30d.sum().cast(MONEY),
        net_amount=lines.net_amount.sum().cast(MONEY),
        line_discount=lines.discount.sum().cast(MONEY),
        line_cost=lines.cost.sum().cast(MONEY),
        is_return=lines.is_return.all(),
        is_outlier=lines.is_outlier.any(),
        **{name: lines[name].min() for name in _CONTEXT},
    )
    if documents is None:
        said = {name: ibis.null(MONEY) for name in ("coupon", "platform_subsidy", "tax", "shipping")}
        dated = {name: ibis.null("timestamp(6)") for name in ("paid_at", "shipped_at", "delivered_at")}
        return table.rename(discount="line_discount", cost="line_cost").mutate(**said, **dated)
    documents = complete(documents, "orders")
    one = newest(documents.filter(documents.order_id.notnull()), "order_id").select(
        "order_id", **{f"document_{name}": ibis._[name] for name in _DOCUMENT})
    joined = table.left_join(one, "order_id").drop("order_id_right")
    told = {name: joined[f"document_{name}"] for name in _DOCUMENT if name not in ("discount", "cost")}
    return joined.mutate(
        discount=ibis.coalesce(joined.document_discount, joined.line_discount),
        cost=ibis.coalesce(joined.line_cost, joined.document_cost),
        **told,
    ).drop("line_discount", "line_cost", *(f"document_{name}" for name in _DOCUMENT))
