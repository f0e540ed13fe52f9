"""Whom the action may reach: the list without those who must not, should not or need not be contacted.

In: the list's customer ids and the clean tables of the report date. Out: for each customer the reasons that keep them
off. Somebody with several reasons is counted under the first of `record.REASONS`, and in the overlaps under each.

- duplicate: another on the list is the same person, or is reached at the same number or address; the first id stays.
- closed: the account is closed or blocked, or a test.
- no_consent: the newest word on the channel's purpose is not a yes. Where the shop keeps no consents, or none for
  this channel, nothing is taken out for it, and that is said.
- no_profiling: objected to being sorted by what they bought (GDPR article 21; PIPL article 24).
- unsubscribed: from messages of the channel, without a newer consent.
- open_complaint: complained, and the matter is not closed.
- recently_contacted: had a message within `recent_days`, or is on the list of another action that began then.
- held_out: is in the control of a decision whose horizon is still running, which a message would spoil.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import ibis.expr.types as ir
import pandas as pd

from workbook.data.run import Run
from workbook.decisions.record import REASONS, Decision

PURPOSES = {"mail": ("mail", "email", "e-mail"), "sms": ("sms", "text"), "app": ("app", "push"),
            "call": ("calls", "call", "phone", "telephone"), "post": ("post", "letter", "letters")}
PROFILING = ("profiling",)
GONE = ("closed", "blocked", "deleted", "inactive")
_ADDRESS = {"mail": ("mail_hash",), "sms": ("phone_hash",), "call": ("phone_hash",), "app": (),
            "post": ("phone_hash", "mail_hash")}


class Audience(NamedTuple):
    """The list, sorted out."""

    reasons: pd.DataFrame  # a row a customer, a truth value a reason; index customer_id
    not_checked: tuple[str, ...]  # reasons of which the shop's records say nothing

    @property
    def first(self) -> pd.Series:
        """The reason that each customer is counted under; blank: may be contacted."""
        return self.reasons.idxmax(axis=1).where(self.reasons.any(axis=1), "")

    @property
    def removed(self) -> dict[str, int]:
        counts = self.first.value_counts()
        return {reason: int(counts[reason]) for reason in REASONS if reason in counts.index}

    @property
    def overlaps(self) -> dict[str, int]:
        """Customers whom each reason keeps off, whatever else does."""
        counts = self.reasons.sum()
        return {reason: int(counts[reason]) for reason in REASONS if counts[reason]}

    @property
    def eligible(self) -> list[str]:
        return sorted(self.first.index[self.first == ""])


def sort_out(
    run: Run, ids: Sequence[str], *, channel: str, starts_on: date, recent_days: int, earlier: Iterable[Decision],
    members: Mapping[str, pd.DataFrame],
) -> Audience:
    """Why each of the list's customers may not be contacted.

    Args:
        earlier: decisions that stand.
        members: id of a decision → its people.
    """
    index = pd.Index(sorted(set(ids)), name="customer_id")
    end = end_of(run.as_of, run.settings.zone)
    since = starts_on - timedelta(days=recent_days)
    consents, contacts = _table(run, "consents"), _table(run, "contacts")
    earlier = list(earlier)
    given, unknown = _consented(run, consents, PURPOSES[channel], end)
    found: dict[str, set[str] | None] = {
        "duplicate": _duplicates(run, index, channel),
        "closed": _closed(run),
        "no_consent": None if unknown else set(index) - given,
        "no_profiling": _objected(run, consents, end),
        "unsubscribed": _unsubscribed(run, contacts, consents, channel, end),
        "open_complaint": _complaining(run, _table(run, "tickets"), end),
        "recently_contacted": _contacted(run, contacts, since, end) | _on_other_lists(earlier, members, since),
        "held_out": _held_out(earlier, members, starts_on),
    }
    reasons = pd.DataFrame({reason: index.isin(list(found[reason] or ())) for reason in REASONS}, index=index)
    blind = [reason for reason in REASONS if found[reason] is None]
    return Audience(reasons, tuple(blind + (["recently_contacted"] if contacts is None else [])))


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """The moment, in UTC, at which a day of the shop is over."""
    midnight = datetime.combine(day + timedelta(days=1), time(), zone)
    return midnight.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)


def _table(run: Run, name: str) -> ir.Table | None:
    return run.table(f"clean/{name}") if run.has(f"clean/{name}") else None


def _ids(run: Run, table: ir.Table) -> set[str]:
    return set(run.frame(table.select("customer_id").distinct())["customer_id"])


def _newest_word(consents: ir.Table, purposes: Sequence[str], end: datetime) -> ir.Table:
    """customer_id, granted, changed_at: the newest word on these purposes; of two at one moment the no counts."""
    said = consents.filter(consents.purpose.lower().isin(purposes), consents.changed_at < end)
    newest = said.group_by("customer_id").aggregate(newest=said.changed_at.max())
    last = said.inner_join(newest, "customer_id").filter(lambda both: both.changed_at == both.newest)
    return last.group_by("customer_id").aggregate(granted=last.granted.all(), changed_at=last.newest.max())


def _consented(run: Run, consents: ir.Table | None, purposes: Sequence[str], end: datetime) -> tuple[set[str], bool]:
    """Who said yes; and whether the shop keeps no consents for such messages."""
    if consents is None:
        return set(), True
    words = run.frame(_newest_word(consents, purposes, end))
    return set(words.loc[words["granted"], "customer_id"]), words.empty


def _objected(run: Run, consents: ir.Table | None, end: datetime) -> set[str] | None:
    if consents is None:
        return None
    words = run.frame(_newest_word(consents, PROFILING, end))
    return set(words.loc[~words["granted"].astype(bool), "customer_id"])


def _unsubscribed(
    run: Run, contacts: ir.Table | None, consents: ir.Table | None, channel: str, end: datetime
) -> set[str] | None:
    if contacts is None:
        return None
    left = contacts.filter(contacts.unsubscribed_at.notnull(), contacts.unsubscribed_at < end,
                           contacts.channel.isnull() | (contacts.channel == channel))
    left = run.frame(left.group_by("customer_id").aggregate(left_at=left.unsubscribed_at.max()))
    if consents is None or left.empty:
        return set(left["customer_id"])
    words = run.frame(_newest_word(consents, PURPOSES[channel], end))
    again = words[words["granted"].astype(bool)].set_index("customer_id")["changed_at"]
    came_back = left["customer_id"].map(again) > left["left_at"]
    return set(left.loc[~came_back, "customer_id"])


def _complaining(run: Run, tickets: ir.Table | None, end: datetime) -> set[str] | None:
    if tickets is None:
        return None
    opened = tickets.filter(tickets.is_complaint.coalesce(False), tickets.opened_at < end)
    open_still = opened.closed_at.isnull() | (opened.closed_at >= end)
    if "reopened_at" in tickets.columns:
        open_still |= (opened.reopened_at < end) & (opened.reopened_at > opened.closed_at)
    return _ids(run, opened.filter(open_still.coalesce(False)))


def _contacted(run: Run, contacts: ir.Table | None, since: date, end: datetime) -> set[str]:
    if contacts is None:
        return set()
    return _ids(run, contacts.filter(contacts.sent_on >= since, contacts.sent_at < end))


def _on_other_lists(earlier: Iterable[Decision], members: Mapping[str, pd.DataFrame], since: date) -> set[str]:
    lately = [members[one.id] for one in earlier if one.starts_on >= since]
    return {name for people in lately for name in people.loc[people["arm"] == "treated", "customer_id"]}


def _held_out(earlier: Iterable[Decision], members: Mapping[str, pd.DataFrame], starts_on: date) -> set[str]:
    running = [members[one.id] for one in earlier if one.ends_on >= starts_on]
    return {name for people in running for name in people.loc[people["arm"] == "control", "customer_id"]}


def _closed(run: Run) -> set[str]:
    customers = _table(run, "customers")
    if customers is None:
        return set()
    gone = customers.status.lower().isin(GONE).coalesce(False)
    return _ids(run, customers.filter(gone | customers.is_test.coalesce(False)))


def _duplicates(run: Run, index: pd.Index, channel: str) -> set[str]:
    """All ids but the first of one person, or of one number or address that the channel uses."""
    rows = pd.DataFrame({"customer_id": index, "person": _persons(run, index)})
    customers = _table(run, "customers")
    columns = ["person", *[name for name in _ADDRESS[channel] if customers is not None and name in customers.columns]]
    if len(columns) > 1:
        known = run.frame(customers.select("customer_id", *columns[1:]))
        rows = rows.merge(known, on="customer_id", how="left")
    twice = [rows[rows[column].notna()].duplicated(column) for column in columns]
    return {name for one in twice for name in rows.loc[one[one].index, "customer_id"]}


def _persons(run: Run, index: pd.Index) -> list[str]:
    """The person behind each id, by the identities that cleaning merged."""
    identities = _table(run, "identities")
    if identities is None:
        return list(index)
    merged = run.frame(identities.select("raw_customer_id", "customer_id")).set_index("raw_customer_id")["customer_id"]
    return [merged.get(name, name) for name in index]
