"""What was known of each customer at the end of a day, as numbers; and what happened strictly after it.

One row per customer scored. Features come from dated records alone, each cut at the scoring day: orders less what had
come back by then, visits, messages opened by then, tickets answered by then, invoices unpaid then, contracts running
then. Attributes that are only known as of now (region, age, income: `excluded`) stay out, since today's value may
itself follow from leaving. Times without a local date are cut a day early, so that no time zone lets the next day in.

A source that is absent has no columns. Where it is there, who does not appear in it has 0 times, and a blank where
there is nothing to average.

Everything is computed in the engine, one pass over each table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Literal, NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.churn.record import Record, running
from workbook.churn.windows import Window
from workbook.data.engine import few_rows
from workbook.history import is_purchase, known_on, year_before

Kind = Literal["no_purchase", "contractual"]
LARGEST = 200_000  # customers of a window on whom models are trained and judged; of more a sample is drawn


class Feature(NamedTuple):
    """One column of what is known."""

    name: str
    source: str  # the table that it needs
    unit: str  # days, times, currency, share, units, hours, ratio, or yes (1 or 0)
    skewed: bool = False  # long tail: linear models take its logarithm


FEATURES = (
    Feature("recency_days", "orders", "days", True),  # since the last purchase day
    Feature("tenure_days", "orders", "days"),  # since the first
    Feature("purchase_days", "orders", "days", True),  # with a purchase, ever
    Feature("purchase_days_90", "orders", "days", True),  # of the last 90
    Feature("purchase_days_365", "orders", "days", True),  # of the last 365
    Feature("mean_gap_days", "orders", "days", True),  # between purchase days; blank after one
    Feature("gap_spread", "orders", "ratio"),  # standard deviation of the gaps over their mean; blank below two gaps
    Feature("recency_over_gap", "orders", "ratio", True),  # silence in units of the customer's own rhythm
    Feature("mean_value", "orders", "currency", True),  # net amount of a purchase day
    Feature("last_value", "orders", "currency", True),  # of the last one
    Feature("spend_90", "orders", "currency", True),
    Feature("spend_12m", "orders", "currency", True),
    Feature("spend_change", "orders", "currency", True),  # last 90 days less the 90 before
    Feature("discount_share", "orders", "share"),  # of the list price, over all purchases
    Feature("mean_units", "orders", "units", True),  # of an order
    Feature("categories", "order_lines", "times"),  # different ones bought
    Feature("products", "order_lines", "times", True),
    Feature("returns_365", "returns", "times", True),
    Feature("returned_share", "returns", "share"),  # of the amount ever bought
    Feature("visits_30", "events", "days", True),  # days with a visit
    Feature("visits_90", "events", "days", True),
    Feature("views_90", "events", "times", True),  # products looked at
    Feature("carts_90", "events", "times", True),  # carts and checkouts
    Feature("days_since_visit", "events", "days", True),  # blank where none was ever seen
    Feature("contacts_180", "contacts", "times", True),  # messages sent
    Feature("opened_share_180", "contacts", "share"),
    Feature("clicks_180", "contacts", "times", True),
    Feature("unsubscribed", "contacts", "yes"),
    Feature("tickets_365", "tickets", "times", True),
    Feature("complaints_365", "tickets", "times", True),
    Feature("response_hours", "tickets", "hours", True),  # until the first answer, of a year; blank without one
    Feature("open_overdue", "payments", "currency", True),
    Feature("late_share", "payments", "share"),  # of the invoices that had fallen due
    Feature("has_contract", "subscriptions", "yes"),
    Feature("contract_days", "subscriptions", "days", True),  # since the first day of the oldest running contract
    Feature("contract_ended", "subscriptions", "yes"),  # any contract that had ended
)
_COUNTED = {f.name for f in FEATURES if f.unit in ("times", "yes") or f.name.startswith(("visits_", "open_overdue"))}


def feature_names(record: Record) -> tuple[str, ...]:
    """The features that these tables allow."""
    return tuple(feature.name for feature in FEATURES if feature.source in record.sources)


def excluded(customers: ir.Table | None, attributes: ir.Table | None) -> tuple[str, ...]:
    """What is only known as of now and therefore enters no model: `customers.region`, `customer_attributes`, ….

    Attributes with a first day of validity could be dated, and are left out all the same: who holds a level on a day
    is told by the purchases that earned it.
    """
    ids = ("customer_id", "account_id", "phone_hash", "mail_hash", "first_seen_on", "is_test", "registered_at")
    plain = [] if customers is None else [f"customers.{name}" for name in customers.columns if name not in ids]
    return tuple(plain) + (() if attributes is None else ("customer_attributes.value",))


def features(record: Record, *, scored_on: date, active_days: int, kind: Kind = "no_purchase") -> ir.Table:
    """What was known at the end of `scored_on` of the customers who count as active then.

    Args:
        active_days: who bought within so many days is active (the horizon: who was silent longer has left already).
        kind: with `contractual` the holders of a contract running that day are scored, whenever they last bought.

    Returns:
        customer_id and `feature_names(record)`, floats.
    """
    return _features(record, scored_on, _active(record, scored_on, active_days, kind))


def labels(record: Record, *, window: Window, kind: Kind = "no_purchase") -> ir.Table:
    """customer_id of who stayed: bought after `scored_on` up to `until` as known then; or still holds a contract."""
    if kind == "contractual":
        return running(record, day=window.until)
    known = known_on(record.orders, record.returns, day=window.until)
    later = known.filter(known.ordered_on > window.scored_on, is_purchase(known), known.customer_id.notnull())
    return later.select("customer_id").distinct()


def snapshot(
    record: Record, window: Window, *, active_days: int, kind: Kind = "no_purchase", largest: int = LARGEST
) -> ir.Table:
    """Features and, but for today's window, `churned` (1 did not come back, 0 did), in the order of customer_id.

    Of more than `largest` active customers about that many, drawn by their ids; of today's all.
    """
    active = _active(record, window.scored_on, active_days, kind)
    today = window.name == "today"
    told = _features(record, window.scored_on, active if today else _sample(active, largest))
    if today:
        return told.order_by("customer_id")
    stayed = labels(record, window=window, kind=kind).rename(stayed="customer_id")
    joined = told.left_join(stayed, told.customer_id == stayed.stayed)
    return joined.mutate(churned=joined.stayed.isnull().cast("int64")).drop("stayed").order_by("customer_id")


def _active(record: Record, day: date, active_days: int, kind: Kind) -> ir.Table:
    if kind == "contractual":
        return running(record, day=day)
    bought = record.purchases(day)
    return bought.filter(bought.ordered_on > day - timedelta(days=active_days)).select("customer_id").distinct()


def _sample(people: ir.Table, largest: int) -> ir.Table:
    n = few_rows(people.aggregate(n=people.count()))[0]["n"]
    if n <= largest:
        return people
    place = people.customer_id.hash().cast("int64").abs() % 1_000_000
    return people.filter(place < int(1_000_000 * largest / n))


def _features(record: Record, day: date, people: ir.Table) -> ir.Table:
    """The people with everything that is known of them on that day."""
    joined = people
    for source, told in _TOLD.items():
        if getattr(record, source) is not None:
            facts = told(record, day).rename(facts_of="customer_id")
            joined = joined.left_join(facts, joined.customer_id == facts.facts_of).drop("facts_of")
    names = feature_names(record)
    columns = {name: joined[name].cast("float64") for name in names}
    counted = {name: columns[name].coalesce(0.0) for name in names if name in _COUNTED}
    return joined.select("customer_id", **(columns | counted))


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


_TOLD: dict[str, Callable[[Record, date], ir.Table]] = {
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


def matrix_columns(columns: Iterable[str]) -> list[str]:
    """The features among the columns of a table, in their order."""
    present = set(columns)
    return [feature.name for feature in FEATURES if feature.name in present]
