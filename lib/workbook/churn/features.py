"""What was known of each customer at the end of a day, as numbers; and what happened strictly after it.

One row per customer scored. Features come from dated records alone, each cut at the scoring day: orders less what had
come back by then, visits, messages opened by then, tickets answered by then, invoices unpaid then, contracts running
then. Attributes that are only known as of now (region, age, income: `excluded`) stay out, since today's value may
itself follow from leaving. Who is one person is taken as known now, too: merged accounts share their past. Times
without a local date are cut a day early, so that no time zone lets the next day in.

A source that is absent has no columns. Where it is there, who does not appear in it has 0 times, and a blank where
there is nothing to average.

Everything is computed in the engine, one pass over each table.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Literal, NamedTuple

import ibis.expr.types as ir

from workbook.churn.facts import TOLD
from workbook.churn.record import Record, running
from workbook.churn.windows import Window
from workbook.data.engine import few_rows
from workbook.history import is_purchase, known_on

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
    """What is only known as of now, of anybody, and enters no model: `customers.region`, `customer_attributes`, ….

    Attributes with a first day of validity could be dated, and are left out all the same: who holds a level on a day
    is told by the purchases that earned it.
    """
    ids = ("customer_id", "account_id", "phone_hash", "mail_hash", "first_seen_on", "is_test", "registered_at")
    names = [] if customers is None else [name for name in customers.columns if name not in ids]
    told = few_rows(customers.aggregate(**{name: customers[name].count() for name in names}))[0] if names else {}
    dated = () if attributes is None else ("customer_attributes.value",)
    return (*(f"customers.{name}" for name in names if told[name]), *dated)


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
    for source, told in TOLD.items():
        if getattr(record, source) is not None:
            facts = told(record, day).rename(facts_of="customer_id")
            joined = joined.left_join(facts, joined.customer_id == facts.facts_of).drop("facts_of")
    names = feature_names(record)
    # the last digits of a sum tell in which order the engine added: two runs must find the same
    columns = {name: joined[name].cast("float64").round(9) for name in names}
    counted = {name: columns[name].coalesce(0.0) for name in names if name in _COUNTED}
    return joined.select("customer_id", **(columns | counted))


def matrix_columns(columns: Iterable[str]) -> list[str]:
    """The features among the columns of a table, in their order."""
    present = set(columns)
    return [feature.name for feature in FEATURES if feature.name in present]
