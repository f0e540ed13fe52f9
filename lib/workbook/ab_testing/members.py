"""What the people of each registered decision did: the treated, and the control that was set apart by chance.

In: the lists of the decisions (customer_id, arm, before; see `workbook.decisions`), clean/orders, clean/returns,
clean/contacts, clean/identities, clean/customers. Out: one row a decision and person, sorted by both:

| column | unit | meaning |
|---|---|---|
| decision_id, customer_id | | the person as they are known now: ids of a list may have been merged since |
| arm | | treated, control; whoever is now in both has arms 2, and is compared in neither |
| household | | as it was drawn: whole, or each customer one of their own |
| orders, revenue, margin | number, currency | in the window so far, net of the returns known by `as_of` |
| coded_orders, coded_revenue | number, currency | of these, placed with the decision's code |
| code_known | bool | whether any order of the shop is on record with a code since the window began |
| before | currency | what the list itself holds: the decision's metric in past windows of the same length |
| earlier_revenue, earlier_margin | currency | in the window of the same length that ended when the list was made |
| contacted | bool | had a message of the decision in the window |
| shared | bool | shares an account with somebody of the other arm |

A list's id that nobody has any more (erased) has no row: `settlement` counts what is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import pandas as pd

from workbook.data.engine import few_rows, settled
from workbook.decisions import Decision
from workbook.decisions.codes import entered, has
from workbook.history import is_purchase, known_on, order_worth

TREATED, CONTROL = "treated", "control"
Frame = Callable[[ir.Table], pd.DataFrame]
_KEYS = ("decision_id", "customer_id")
COLUMNS = [*_KEYS, "arm", "arms", "household", "before", "orders", "revenue", "margin", "coded_orders",
           "coded_revenue", "earlier_revenue", "earlier_margin", "contacted", "shared", "code_known"]


def begun(registered: Sequence[Decision], *, as_of: date) -> list[Decision]:
    """The decisions whose window has begun; also of those cancelled, as messages may be on record all the same."""
    return [one for one in registered if one.starts_on <= as_of]


def seen_until(decision: Decision, *, as_of: date) -> date:
    """The last day of the window that is seen."""
    return min(decision.ends_on, as_of)


def behaviour(
    registered: Sequence[Decision], members: Callable[[str], pd.DataFrame], orders: ir.Table, *, as_of: date,
    frame: Frame, returns: ir.Table | None = None, contacts: ir.Table | None = None, identities: ir.Table | None = None,
    customers: ir.Table | None = None,
) -> pd.DataFrame:  # fmt: skip
    """One row a decision and person; empty when no window has begun.

    Args:
        members: a decision's id → its list.
        frame: brings a table of customers into pandas (`run.frame`).
    """
    decided = begun(registered, as_of=as_of)
    if not decided:
        return pd.DataFrame(columns=COLUMNS)
    people = settled(_people(decided, members, identities, orders, as_of=as_of))
    found = frame(_with_orders(people, orders, returns, as_of=as_of))
    found["contacted"] = _marked(found, _contacted(people, contacts), frame)
    found["shared"] = _marked(found, _shared(people, customers), frame)
    newest = _newest_code(orders, as_of=as_of)
    found["code_known"] = found["decision_id"].map({
        one.id: bool(one.code) and newest is not None and newest >= one.starts_on for one in decided})
    return found.sort_values(list(_KEYS), ignore_index=True)[COLUMNS]


def _people(
    decided: Sequence[Decision], members: Callable[[str], pd.DataFrame], identities: ir.Table | None, orders: ir.Table,
    *, as_of: date,
) -> ir.Table:  # fmt: skip
    """Everybody on the lists under the id of today, with the window of their decision."""
    listed = pd.concat([_listed(one, members(one.id), as_of=as_of) for one in decided], ignore_index=True)
    table = ibis.memtable(listed)
    if identities is None:  # whoever never ordered is on no order, and counts all the same
        ids = orders.filter(orders.customer_id.notnull()).select(raw_customer_id="customer_id").distinct()
        joined = table.left_join(ids, table.listed_id == ids.raw_customer_id).mutate(now=table.listed_id)
    else:
        ids = identities.select("raw_customer_id", now="customer_id")
        joined = table.inner_join(ids, table.listed_id == ids.raw_customer_id)
    return joined.group_by("decision_id", customer_id="now").aggregate(
        arm=joined.arm.min(), arms=joined.arm.nunique(), before=joined.before.sum(),
        since=joined.since.min(), decided_on=joined.decided_on.min(), starts_on=joined.starts_on.min(),
        until=joined.until.max(), channel=joined.channel.min(), offer=joined.offer.min(), code=joined.code.min(),
        cancelled=joined.cancelled.max(),
        household=joined.household.min())


def _listed(decision: Decision, members: pd.DataFrame, *, as_of: date) -> pd.DataFrame:
    """One list with what the engine needs to know of its decision."""
    return pd.DataFrame({
        "decision_id": decision.id, "listed_id": members["customer_id"].astype(str), "arm": members["arm"].astype(str),
        "before": members["before"].astype(float), "starts_on": decision.starts_on, "decided_on": decision.as_of,
        "since": decision.as_of - timedelta(days=decision.horizon_days - 1),
        "until": seen_until(decision, as_of=as_of), "channel": decision.channel, "offer": decision.offer,
        "code": decision.code, "cancelled": bool(decision.cancelled),
        "household": members.get("household", members["customer_id"]).astype(str)})


def _with_orders(people: ir.Table, orders: ir.Table, returns: ir.Table | None, *, as_of: date) -> ir.Table:
    bought = _purchases(orders, returns, as_of=as_of)
    joined = people.left_join(bought, [
        people.customer_id == bought.buyer, bought.ordered_on >= people.since, bought.ordered_on <= people.until])
    after, earlier = joined.ordered_on >= joined.starts_on, joined.ordered_on <= joined.decided_on
    coded = after & has(joined.entered, joined.code)
    return joined.group_by(*_KEYS, "arm", "arms", "household", "before").aggregate(
        orders=joined.buyer.count(where=after), coded_orders=joined.buyer.count(where=coded),
        coded_revenue=joined.revenue.sum(where=coded).coalesce(0.0),
        **{name: joined[name].sum(where=after).coalesce(0.0) for name in ("revenue", "margin")},
        **{f"earlier_{name}": joined[name].sum(where=earlier).coalesce(0.0) for name in ("revenue", "margin")})


def _contacted(people: ir.Table, contacts: ir.Table | None) -> ir.Table | None:
    """Who had a message of their decision in its window: by the campaign's id, or by its channel and offer."""
    if contacts is None:
        return None
    sent = contacts.filter(contacts.customer_id.notnull()).select(
        to="customer_id", sent_on="sent_on", campaign_id="campaign_id", by="channel", what="offer")
    joined = people.inner_join(sent, [
        people.customer_id == sent.to, sent.sent_on >= people.starts_on, sent.sent_on <= people.until])
    same_offer = (joined.what == joined.offer) & (joined.offer != "") & (joined.by == joined.channel)
    same_offer &= ~joined.cancelled  # that of the decision that took its place
    mine = (joined.campaign_id == joined.decision_id) | same_offer
    return joined.filter(mine).select(*_KEYS).distinct()


def _shared(people: ir.Table, customers: ir.Table | None) -> ir.Table | None:
    """Who has an account together with somebody of the other arm."""
    if customers is None or "account_id" not in customers.columns:
        return None
    named = customers.filter(customers.account_id.notnull()).select("customer_id", "account_id")
    joined = people.inner_join(named, "customer_id")
    both = joined.group_by("decision_id", "account_id").aggregate(arms_here=joined.arm.nunique())
    both = both.filter(both.arms_here > 1)
    return joined.semi_join(both, ["decision_id", "account_id"]).select(*_KEYS).distinct()


def _newest_code(orders: ir.Table, *, as_of: date) -> date | None:
    """The last day on which anybody ordered with any code."""
    seen = orders.filter(orders.ordered_on <= as_of)
    told = seen.select("ordered_on", entered=entered(seen))
    (row,) = few_rows(told.aggregate(newest=told.ordered_on.max(where=told.entered.notnull())))
    return row["newest"] if row["newest"] is None else pd.Timestamp(row["newest"]).date()


def _marked(found: pd.DataFrame, some: ir.Table | None, frame: Frame) -> pd.Series:
    """Which of the rows are among some of them."""
    if some is None:
        return pd.Series(False, index=found.index)
    among = pd.MultiIndex.from_frame(frame(some)[list(_KEYS)])
    return pd.Series(pd.MultiIndex.from_frame(found[list(_KEYS)]).isin(among), index=found.index)


def elsewhere(
    registered: Sequence[Decision], members: Callable[[str], pd.DataFrame], *, as_of: date
) -> dict[str, tuple[int, int]]:
    """Of each decision, how many of its treated and of its control another decision treats within its window."""
    lists = {one.id: members(one.id) for one in registered}
    reached = {one.id: set(lists[one.id].loc[lists[one.id]["arm"] == TREATED, "customer_id"])
               for one in registered if not one.cancelled and one.starts_on <= as_of}
    found = {}
    for one in registered:
        others = [reached[other.id] for other in registered if other.id != one.id and other.id in reached
                  and other.starts_on <= one.ends_on and other.ends_on >= one.starts_on]
        people = lists[one.id]
        arms = people.loc[people["customer_id"].isin(set().union(*others)), "arm"].value_counts()
        found[one.id] = (int(arms.get(TREATED, 0)), int(arms.get(CONTROL, 0)))
    return found


def everybody_else(
    registered: Sequence[Decision], people: pd.DataFrame, orders: ir.Table, *, as_of: date,
    returns: ir.Table | None = None,
) -> pd.DataFrame:  # fmt: skip
    """All customers who had bought by the day of each decision and are on no list of it: whom the naive comparison
    takes for a control.

    Args:
        people: rows of `behaviour`.

    Returns:
        decision_id, customers, revenue, margin (in the window so far, together).
    """
    decided = begun(registered, as_of=as_of)
    if not decided:
        return pd.DataFrame(columns=["decision_id", "customers", "revenue", "margin"])
    windows = ibis.memtable(pd.DataFrame({
        "decision_id": [one.id for one in decided], "decided_on": [one.as_of for one in decided],
        "starts_on": [one.starts_on for one in decided],
        "until": [seen_until(one, as_of=as_of) for one in decided]}))
    bought = _purchases(orders, returns, as_of=as_of)
    first = bought.group_by(customer_id="buyer").aggregate(first_on=bought.ordered_on.min())
    there = windows.inner_join(first, first.first_on <= windows.decided_on)
    there = there.anti_join(ibis.memtable(people[list(_KEYS)].astype(str)), _KEYS)
    joined = there.left_join(bought, [
        there.customer_id == bought.buyer, bought.ordered_on >= there.starts_on, bought.ordered_on <= there.until])
    sums = joined.group_by("decision_id").aggregate(
        customers=joined.customer_id.nunique(),
        **{name: joined[name].sum().coalesce(0.0) for name in ("revenue", "margin")})
    return pd.DataFrame(few_rows(sums.order_by("decision_id")), columns=sums.columns)


def _purchases(orders: ir.Table, returns: ir.Table | None, *, as_of: date) -> ir.Table:
    """Purchases as they stood at the end of `as_of`: buyer, ordered_on, revenue, margin (blank without costs), and the
    codes entered."""
    known = known_on(orders, returns, day=as_of)
    bought = known.filter(known.customer_id.notnull(), is_purchase(known))
    margin = order_worth(bought, "margin") if "cost" in bought.columns else ibis.null("float64")
    return bought.select(
        buyer="customer_id", ordered_on="ordered_on", revenue=order_worth(bought, "revenue"), margin=margin,
        entered=entered(bought))
