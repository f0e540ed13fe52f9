"""Campaigns that nobody randomised: who was written to, and what everybody did before and afterwards.

Question: what would those written to have bought anyway? One row per message goes in (`clean/contacts`); one row per
customer who had bought before the first message comes out, for `matching` and `differences`:

| column | unit | meaning |
|---|---|---|
| customer_id | | the customer |
| reached, answered | | whether the campaign wrote to them; whether they opened or clicked it, which was their choice |
| purchase_days, year_days | days | with a purchase, ever and in the last year, before the first message |
| last_days | days | with a purchase in the window just before |
| monetary | currency | net amount before the first message, as known then |
| recency_days, age_days | days | since the last and the first purchase |
| messages | number | of other campaigns, in the half year before |
| bought_0, spend_0 | share, currency | whether they bought in the window after the first message, and for how much |
| bought_1, spend_1 … | share, currency | the same in the windows before it, each as long; 1 is the last one before |

The window ends before the next campaign begins, so that it is not credited with the next one's customers.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.data.engine import few_rows
from workbook.history import is_purchase, known_on

EARLIER = 4  # windows before the message: one to start from and three false dates
MESSAGE_DAYS = 182  # days in which earlier messages tell who can be written to
SHORTEST = 7  # days; a shorter window tells nothing of a purchase


class Campaign(NamedTuple):
    """One campaign whose window is over."""

    code: str  # its id; the month of its messages where they name none
    name: str  # its name where `campaigns` knows it, else the code
    day: date  # of its first message
    days: int  # length of the window that is judged, the first day included
    customers: int  # written to

    @property
    def last_day(self) -> date:
        return self.day + timedelta(days=self.days - 1)


def campaigns_sent(
    contacts: ir.Table, campaigns: ir.Table | None, *, as_of: date, days: int = 28, most: int = 4
) -> list[Campaign]:
    """The latest campaigns whose window was over by `as_of`, oldest first.

    Args:
        days: length of the window after the first message; shorter where the next campaign began earlier.
        most: campaigns at most.
    """
    sent = _coded(contacts, as_of)
    found = sent.group_by("code").aggregate(day=sent.sent_on.min(), customers=sent.customer_id.nunique())
    rows = few_rows(found.order_by(found.day.desc(), "code").limit(most + 12))[::-1]
    names = _names(campaigns, [row["code"] for row in rows])
    kept = []
    for i, row in enumerate(rows):
        later = [other["day"] for other in rows[i + 1 :] if other["day"] > row["day"]]
        length = min([days, *((day - row["day"]).days for day in later)])
        made = Campaign(row["code"], names.get(row["code"]) or row["code"], row["day"], length, row["customers"])
        if length >= SHORTEST and made.last_day <= as_of:
            kept.append(made)
    return kept[-most:]


def _coded(contacts: ir.Table, as_of: date) -> ir.Table:
    """Messages that went out by `as_of`: customer, campaign, day, whether opened or clicked."""
    sent = contacts.filter(contacts.sent_on <= as_of, contacts.customer_id.notnull())
    answers = [(sent[name].date() <= as_of).coalesce(False) for name in ("opened_at", "clicked_at")
               if name in sent.columns]
    answered = ibis.or_(*answers) if answers else ibis.literal(False)
    month = sent.sent_on.strftime("%Y-%m")
    code = sent.campaign_id.coalesce(month) if "campaign_id" in sent.columns else month
    return sent.select("customer_id", "sent_on", code=code, answered=answered)


def _names(campaigns: ir.Table | None, codes: list[str]) -> dict[str, str | None]:
    if campaigns is None or "campaign_name" not in campaigns.columns:
        return {}
    known = campaigns.filter(campaigns.campaign_id.isin(codes)).select("campaign_id", "campaign_name").distinct()
    return {row["campaign_id"]: row["campaign_name"] for row in few_rows(known.order_by("campaign_id"))}


def histories(
    orders: ir.Table, returns: ir.Table | None, contacts: ir.Table, campaign: Campaign, *, as_of: date, day: date
) -> ir.Table:
    """What each customer had done before `day`, and did in the window from `day` on; see the module's table.

    Args:
        day: the first day of the campaign; or an earlier one, for the same customers at a date when nothing was sent.
    """
    known = known_on(orders, returns, day=day - timedelta(days=1))
    past = _past(known.filter(known.customer_id.notnull(), is_purchase(known)), day, campaign.days)
    after = orders.filter(
        orders.ordered_on.between(day, day + timedelta(days=campaign.days - 1)), is_purchase(orders),
        orders.customer_id.notnull(),
    )  # fmt: skip
    after = after.group_by("customer_id").aggregate(spend_0=after.net_amount.sum().cast("float64"))
    people = past.left_join(after, "customer_id").drop("customer_id_right")
    people = people.left_join(_messages(contacts, campaign, as_of, day), "customer_id").drop("customer_id_right")
    return people.mutate(
        bought_0=people.spend_0.notnull().cast("float64"), spend_0=people.spend_0.coalesce(0.0),
        reached=people.reached.coalesce(False), answered=people.answered.coalesce(False),
        messages=people.messages.coalesce(0),
    ).order_by("customer_id")  # fmt: skip


def _past(bought: ir.Table, day: date, days: int) -> ir.Table:
    """One row a customer: what was bought before `day`, and in each of the windows before it."""
    lines = bought.mutate(back=ibis.literal(day).delta(bought.ordered_on, unit="day"))
    sums = {
        "purchase_days": lines.ordered_on.nunique(),
        "year_days": lines.ordered_on.nunique(where=lines.back <= 365),
        "last_days": lines.ordered_on.nunique(where=lines.back <= days),
        "monetary": lines.net_amount.sum().cast("float64"),
        "recency_days": lines.back.min(),
        "age_days": lines.back.max(),
    }
    for k in range(1, EARLIER + 1):
        inside = (lines.back > (k - 1) * days) & (lines.back <= k * days)
        sums[f"bought_{k}"] = (inside.sum() > 0).cast("float64")
        sums[f"spend_{k}"] = ibis.ifelse(inside, lines.net_amount, 0).sum().cast("float64")
    return lines.group_by("customer_id").aggregate(**sums)


def _messages(contacts: ir.Table, campaign: Campaign, as_of: date, day: date) -> ir.Table:
    """One row a customer who was ever written to: whether by this campaign, answered, and how often before."""
    sent = _coded(contacts, as_of)
    mine = sent.code == campaign.code
    before = sent.sent_on.between(day - timedelta(days=MESSAGE_DAYS), day - timedelta(days=1))
    return sent.group_by("customer_id").aggregate(
        reached=mine.any(), answered=(mine & sent.answered).any(), messages=(before & ~mine).sum())
