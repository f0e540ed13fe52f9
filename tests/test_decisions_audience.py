"""Who may be contacted: a small table worked by hand for each reason that keeps somebody off a list."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from shops import complaint, message, run_of, write_shop, yes
from workbook.decisions import REASONS, sort_out
from workbook.decisions.audience import Audience

START = date(2026, 7, 1)


def sorted_out(folder: Path, ids: list[str], tables: dict[str, list[dict[str, Any]]], *, channel: str = "mail",
               recent_days: int = 14) -> Audience:
    run = run_of(write_shop(folder, tables))
    return sort_out(run, ids, channel=channel, starts_on=START, recent_days=recent_days, earlier=[], members={})


def kept_off(audience: Audience, reason: str) -> list[str]:
    return sorted(audience.reasons.index[audience.reasons[reason]])


def test_the_newest_word_on_a_channel_counts_and_silence_is_no_consent(tmp_path: Path) -> None:
    consents = [
        yes("again", when="2026-01-01"), yes("again", when="2026-02-01", granted=False),
        yes("again", when="2026-03-01"),
        yes("no", when="2026-01-01"), yes("no", when="2026-02-01", granted=False),
        yes("texts", purpose="sms"), yes("later", when="2026-07-01"), yes("last_minute", when="2026-06-30T23:59:59"),
        yes("torn", when="2026-01-01"), yes("torn", when="2026-01-01", granted=False),
    ]
    ids = ["again", "no", "texts", "later", "last_minute", "torn", "silent"]
    audience = sorted_out(tmp_path, ids, {"clean/consents": consents})
    assert kept_off(audience, "no_consent") == ["later", "no", "silent", "texts", "torn"]
    assert audience.eligible == ["again", "last_minute"]


def test_without_a_record_of_consents_nobody_is_taken_out_for_it_and_it_is_said(tmp_path: Path) -> None:
    nothing = sorted_out(tmp_path / "nothing", ["a", "b"], {})
    assert nothing.eligible == ["a", "b"]
    assert set(nothing.not_checked) == {"no_consent", "no_profiling", "unsubscribed", "open_complaint",
                                        "recently_contacted"}
    post = sorted_out(tmp_path / "post", ["a", "b"], {"clean/consents": [yes("a")]}, channel="post")
    assert post.eligible == ["a", "b"] and "no_consent" in post.not_checked and "no_profiling" not in post.not_checked


def test_who_objects_to_profiling_is_on_no_list_made_by_it(tmp_path: Path) -> None:
    consents = [yes("a"), yes("b"), yes("b", purpose="profiling", granted=False)]
    assert kept_off(sorted_out(tmp_path, ["a", "b"], {"clean/consents": consents}), "no_profiling") == ["b"]


def test_who_unsubscribed_is_left_alone_until_a_newer_consent(tmp_path: Path) -> None:
    contacts = [
        message("left", "2026-02-01", unsubscribed="2026-02-02"),
        message("back", "2026-02-01", unsubscribed="2026-02-02"),
        message("from_texts", "2026-02-01", channel="sms", unsubscribed="2026-02-02"),
        message("later", "2026-06-01", unsubscribed="2026-07-02"), message("stays", "2026-02-01"),
    ]
    consents = [yes(name) for name in ("left", "from_texts", "later", "stays")] + [yes("back", when="2026-03-01")]
    ids = ["left", "back", "from_texts", "later", "stays"]
    audience = sorted_out(tmp_path, ids, {"clean/contacts": contacts, "clean/consents": consents})
    assert kept_off(audience, "unsubscribed") == ["left"]


def test_a_message_within_the_days_of_peace_keeps_off_and_one_before_does_not(tmp_path: Path) -> None:
    contacts = [message("day_13", "2026-06-18"), message("day_14", "2026-06-17"), message("day_15", "2026-06-16")]
    ids = ["day_13", "day_14", "day_15"]
    assert kept_off(sorted_out(tmp_path, ids, {"clean/contacts": contacts}), "recently_contacted") == ids[:2]


def test_an_open_complaint_keeps_off_until_it_is_closed_by_the_report_date(tmp_path: Path) -> None:
    tickets = [
        complaint("open", "2026-06-01"), complaint("closed", "2026-06-01", "2026-06-05"),
        complaint("closed_later", "2026-06-01", "2026-07-02"), complaint("question", "2026-06-01", real=False),
        complaint("again", "2026-06-01", "2026-06-05", reopened="2026-06-10"), complaint("not_yet", "2026-07-02"),
        complaint("settled_twice", "2026-06-01", "2026-06-20", reopened="2026-06-10"),
    ]
    ids = [ticket["customer_id"] for ticket in tickets]
    assert kept_off(sorted_out(tmp_path, ids, {"clean/tickets": tickets}), "open_complaint") == [
        "again", "closed_later", "open"]


def test_one_person_and_one_address_are_contacted_once(tmp_path: Path) -> None:
    customers = [{"customer_id": name, "mail_hash": mail, "phone_hash": phone} for name, mail, phone in [
        ("a", "m1", "p1"), ("b", "m1", None), ("c", "m2", "p1"), ("d", None, None), ("e", None, None)]]
    identities = pd.DataFrame([("a", "a"), ("d", "d"), ("old", "d")], columns=["raw_customer_id", "customer_id"])
    run = run_of(write_shop(tmp_path, {"clean/customers": customers}))
    run.store.write("2026-06-30/clean/identities", identities, made_by="tests")
    ids = ["a", "b", "c", "d", "e", "old"]

    def twice(channel: str) -> list[str]:
        return kept_off(sort_out(run, ids, channel=channel, starts_on=START, recent_days=0, earlier=[], members={}),
                        "duplicate")

    assert twice("mail") == ["b", "old"]  # same address as a; the same person as d
    assert twice("sms") == ["c", "old"]  # same number as a
    assert twice("app") == ["old"]


def test_closed_and_test_accounts_are_not_contacted(tmp_path: Path) -> None:
    customers = [{"customer_id": "a", "status": "Closed"}, {"customer_id": "b", "status": "active"},
                 {"customer_id": "c", "is_test": True}, {"customer_id": "d"}]
    assert kept_off(sorted_out(tmp_path, list("abcd"), {"clean/customers": customers}), "closed") == ["a", "c"]


def test_each_customer_is_counted_once_and_the_overlaps_are_told(tmp_path: Path) -> None:
    tables = {
        "clean/consents": [yes("a", granted=False), yes("b"), yes("c")],
        "clean/contacts": [message("a", "2026-06-25", unsubscribed="2026-06-26"), message("b", "2026-06-25")],
        "clean/tickets": [complaint("a", "2026-06-01"), complaint("b", "2026-06-01")],
    }
    audience = sorted_out(tmp_path, ["a", "b", "c", "d"], tables)
    assert audience.removed == {"no_consent": 2, "open_complaint": 1}  # a and d; b
    assert audience.overlaps == {"no_consent": 2, "unsubscribed": 1, "open_complaint": 2, "recently_contacted": 2}
    assert audience.eligible == ["c"]
    assert sum(audience.removed.values()) + len(audience.eligible) == 4


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_has_words(reason: str) -> None:
    from workbook.output import i18n
    from workbook.output.words.decisions import reason_name

    english = reason_name(reason)
    i18n.use("zh", "EUR")
    assert reason_name(reason) != english
