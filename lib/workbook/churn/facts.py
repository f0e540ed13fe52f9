"""What each source tells of each customer by the end of a day: the columns of `features`, one function per table.

Every function takes the record and the day and returns customer_id with its columns, computed in the engine in one
pass; a row that is dated later, or whose later part (a first answer, a payment) is, never enters.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir

from workbook.churn.record import Record
from workbook.history import year_before


def _once(table: ir.Table) -> ir.Table:
    """Without rows that cleaning flagged as copies of others."""
    return table.filter(~table.is_duplicate.coalesce(False)) if "is_duplicate" in table.columns else table


def _since(day: date, days: int) -> date:
    """The last day that is older than the last so many days."""
    return day - timedelta(days=days)


def _of_orders(record: Record, day: date) -> ir.Table:
    """Rhythm and money of the purchase days, and what the orders themselves tell."""
    bought = record.purchases(day)
    before = bought.ordered_on.lag().over(ibis.window(group_by="customer_id", order_by="ordered_on"))
    bought = bought.mutate(net=bought.net_amount.cast("float64"), gap=bought.ordered_on.delta(before, unit="day"))
    on, net, today = bought.ordered_on, bought.net, ibis.literal(day)
    facts = bought.group_by("customer_id").aggregate(
        recency_days=today.delta(on.max(), unit="day"),
        tenure_days=today.delta(on.min(), unit="day"),
        purchase_days=bought.count(),
        purchase_days_90=(on > _since(day, 90)).sum(),
        purchase_days_365=(on > _since(day, 365)).sum(),
        mean_gap_days=bought.gap.mean(),
        gap_deviation=bought.gap.cast("float64").std(how="sample"),
        mean_value=net.mean(),
        last_value=net.argmax(on),
        spend_90=net.sum(where=on > _since(day, 90)).coalesce(0),
        spend_12m=net.sum(where=on > year_before(day)).coalesce(0),
        spend_before=net.sum(where=(on <= _since(day, 90)) & (on > _since(day, 180))).coalesce(0),
    )
    facts = facts.mutate(
        gap_spread=ibis.ifelse(facts.purchase_days > 2, facts.gap_deviation / facts.mean_gap_days, None),
        recency_over_gap=facts.recency_days / facts.mean_gap_days,
        spend_change=facts.spend_90 - facts.spend_before,
    ).drop("gap_deviation", "spend_before")
    known = record.orders.filter(record.orders.ordered_on <= day)
    known = known.filter(~known.is_return.coalesce(False), known.amount >= 0, known.customer_id.notnull())
    known = known.mutate(
        paid=known.amount.cast("float64"), less=_float(known, "discount"), number=_float(known, "units")
    )
    amount, discount = known.paid.sum(), known.less.sum()
    more = known.group_by("customer_id").aggregate(
        discount_share=ibis.ifelse(amount + discount > 0, discount / (amount + discount), None),
        mean_units=known.number.mean(),
    )
    more = more.rename(more_of="customer_id")
    return facts.left_join(more, facts.customer_id == more.more_of).drop("more_of")


def _of_lines(record: Record, day: date) -> ir.Table:
    lines = record.order_lines
    sold = lines.filter(lines.customer_id.notnull(), lines.ordered_on <= day, ~lines.is_return.coalesce(False))
    return sold.group_by("customer_id").aggregate(
        categories=sold.category.nunique(), products=sold.product_id.nunique()
    )


def _of_returns(record: Record, day: date) -> ir.Table:
    back = record.returns
    back = back.filter(back.customer_id.notnull(), back.returned_on <= day)
    returned = back.group_by("customer_id").aggregate(
        returns_365=(back.returned_on > _since(day, 365)).sum(), returned=back.amount.cast("float64").sum()
    )
    orders = record.orders
    bought = orders.filter(orders.customer_id.notnull(), orders.ordered_on <= day, ~orders.is_return.coalesce(False))
    totals = bought.group_by(buyer="customer_id").aggregate(total=bought.amount.cast("float64").sum())
    both = totals.left_join(returned, totals.buyer == returned.customer_id)
    share = ibis.ifelse(both.total > 0, both.returned.coalesce(0.0) / both.total, None)
    return both.select(customer_id="buyer", returns_365="returns_365", returned_share=share)


def _of_events(record: Record, day: date) -> ir.Table:
    seen = _once(record.events)
    seen = seen.filter(seen.customer_id.notnull(), seen.occurred_on <= day)
    on, what = seen.occurred_on, seen.event
    last_90 = on > _since(day, 90)
    return seen.group_by("customer_id").aggregate(
        visits_30=on.nunique(where=on > _since(day, 30)),
        visits_90=on.nunique(where=last_90),
        views_90=(last_90 & (what == "view")).sum(),
        carts_90=(last_90 & what.isin(["cart", "checkout"])).sum(),
        days_since_visit=ibis.literal(day).delta(on.max(), unit="day"),
    )


def _of_contacts(record: Record, day: date) -> ir.Table:
    sent = _once(record.contacts)
    sent = sent.filter(sent.customer_id.notnull(), sent.sent_on <= day)
    recent = sent.sent_on > _since(day, 180)
    contacts = recent.sum()
    opened = (recent & _by(sent.opened_at, day)).sum()
    return sent.group_by("customer_id").aggregate(
        contacts_180=contacts,
        opened_share_180=ibis.ifelse(contacts > 0, opened / contacts, None),
        clicks_180=(recent & _by(sent.clicked_at, day)).sum(),
        unsubscribed=_by(sent.unsubscribed_at, day).max(),
    )


def _of_tickets(record: Record, day: date) -> ir.Table:
    asked = _once(record.tickets)
    asked = asked.filter(
        asked.customer_id.notnull(), asked.opened_on <= day, asked.opened_on > _since(day, 365)
    )
    waited = (asked.first_response_at.epoch_seconds() - asked.opened_at.epoch_seconds()) / 3600.0
    return asked.group_by("customer_id").aggregate(
        tickets_365=asked.count(),
        complaints_365=asked.is_complaint.coalesce(False).sum(),
        response_hours=waited.mean(where=_by(asked.first_response_at, day)),
    )


def _of_payments(record: Record, day: date) -> ir.Table:
    due = _once(record.payments)
    due = due.filter(due.customer_id.notnull(), due.due_on <= day)
    unpaid, late = ~_by(due.paid_at, day), due.paid_at.cast("date") > due.due_on
    return due.group_by("customer_id").aggregate(
        open_overdue=due.amount.cast("float64").sum(where=unpaid).coalesce(0),
        late_share=(unpaid | late).cast("float64").mean(),
    )


def _of_subscriptions(record: Record, day: date) -> ir.Table:
    held = _once(record.subscriptions)
    held = held.filter(held.started_on <= day)
    over = (held.ended_on <= day).coalesce(False)
    return held.group_by("customer_id").aggregate(
        has_contract=(~over).max(),
        contract_days=ibis.literal(day).delta(held.started_on.min(where=~over), unit="day"),
        contract_ended=over.max(),
    )


TOLD: dict[str, Callable[[Record, date], ir.Table]] = {
    "orders": _of_orders,
    "order_lines": _of_lines,
    "returns": _of_returns,
    "events": _of_events,
    "contacts": _of_contacts,
    "tickets": _of_tickets,
    "payments": _of_payments,
    "subscriptions": _of_subscriptions,
}


def _by(moment: ir.TimestampValue, day: date) -> ir.BooleanValue:
    """It had happened by the end of the day, in whatever time zone: a UTC time before that day began."""
    return (moment < ibis.timestamp(day.isoformat())).coalesce(False)


def _float(table: ir.Table, column: str) -> ir.FloatingValue:
    return table[column].cast("float64") if column in table.columns else ibis.null("float64")
