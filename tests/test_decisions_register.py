"""A list becomes a decision: lists, forecasts, the account book, and what the same request does a second time."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from shops import AS_OF, many, message, order, run_of, segment, write_shop, yes
from workbook import decisions, segments
from workbook.data.errors import WorkbookError
from workbook.data.findings import Finding
from workbook.data.settings import Settings
from workbook.decisions import Request, forecasts, lists, power, prices
from workbook.decisions.outcomes import afterwards, metric_of, past_windows

CALL = Request("segment:loyal", "call", "Ana", 2.0, effect="4")


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    return write_shop(tmp_path / "shop", many(400))


def test_a_decision_says_who_what_when_for_whom_and_against_whom(shop: Settings) -> None:
    made = decisions.export(shop, CALL, as_of="2026-06")
    (kept,) = decisions.registered(shop)
    assert kept == made
    assert (kept.owner, kept.action, kept.period, kept.as_of) == ("Ana", "call", "2026-06", AS_OF)
    assert (kept.starts_on, kept.ends_on) == (date(2026, 7, 1), date(2026, 9, 28))
    assert (kept.table, kept.rule, kept.metric) == ("rfm", 'segment = "loyal"', "margin")
    people = decisions.members(shop, kept.id)
    assert (people["arm"].value_counts().to_dict(), kept.asked) == (
        {"treated": kept.treated, "control": kept.control}, 399 + 1)
    assert set(people["chosen_by"]) == {'rfm: segment = "loyal"'}
    assert kept.list_hash == decisions.list_hash(people.sample(frac=1, random_state=1))
    assert kept.power.judgeable and kept.control_share == pytest.approx(0.1) and "cannot_be_judged" not in kept.warnings
    assert kept.ripe_on(date(2026, 9, 28)) and not kept.ripe_on(date(2026, 9, 27))
    assert kept.forecast.total == pytest.approx((4 - 2) * kept.treated)


def test_the_same_request_in_another_workspace_draws_the_same_arms(shop: Settings, tmp_path: Path) -> None:
    tables = many(400)
    turned = write_shop(tmp_path / "turned", {name: rows[::-1] for name, rows in tables.items()})
    first, second = (decisions.export(one, CALL, as_of="2026-06") for one in (shop, turned))
    assert first.id == second.id
    pd.testing.assert_frame_equal(decisions.members(shop, first.id), decisions.members(turned, second.id))


def test_a_second_identical_export_is_refused_with_the_first_ones_id_or_made_again(shop: Settings) -> None:
    first = decisions.export(shop, CALL, as_of="2026-06")
    with pytest.raises(WorkbookError, match=first.id):
        decisions.export(shop, replace(CALL, owner="Bea", cost_per_person=9.0), as_of="2026-06")
    again = decisions.export(shop, replace(CALL, again=True), as_of="2026-06")
    assert again.id == f"{first.id}-2" and len(decisions.registered(shop)) == 2
    held = decisions.members(shop, first.id).query("arm == 'control'")["customer_id"]
    assert again.removed == {"held_out": first.control}
    assert not set(held) & set(decisions.members(shop, again.id)["customer_id"])


def test_another_action_leaves_the_first_ones_people_in_peace_until_it_is_cancelled(shop: Settings) -> None:
    first = decisions.export(shop, CALL, as_of="2026-06")
    letter = replace(CALL, action="letter", channel="mail")
    with pytest.raises(WorkbookError, match="0 may be contacted"):
        decisions.export(shop, letter, as_of="2026-06")
    decisions.cancel(shop, first.id, by="Ana", why="the telephone was down")
    assert decisions.export(shop, letter, as_of="2026-06").treated > 0


def test_a_control_is_not_touched_while_its_horizon_runs(shop: Settings) -> None:
    first = decisions.export(shop, CALL, as_of="2026-06")
    later = replace(CALL, action="letter", starts_on=date(2026, 9, 28))
    second = decisions.export(shop, later, as_of="2026-06")
    assert second.removed == {"held_out": first.control}
    free = replace(CALL, action="visit", starts_on=date(2027, 1, 10))
    assert decisions.export(shop, free, as_of="2026-06").removed == {}


def test_a_cancellation_says_who_and_why_and_deletes_nothing(shop: Settings) -> None:
    first = decisions.export(shop, CALL, as_of="2026-06")
    before = decisions.fingerprint(shop)
    with pytest.raises(WorkbookError, match="who and why"):
        decisions.cancel(shop, first.id, by=" ", why="x")
    cancelled = decisions.cancel(shop, first.id, by="Bea", why="called off")
    assert (cancelled.cancelled_by, cancelled.cancelled_why, bool(cancelled.cancelled)) == ("Bea", "called off", True)
    assert decisions.fingerprint(shop) != before and len(decisions.members(shop, first.id)) == first.eligible
    with pytest.raises(WorkbookError, match="already, by Bea"):
        decisions.cancel(shop, first.id, by="Ana", why="again")
    with pytest.raises(WorkbookError, match="did you mean"):
        decisions.find(shop, first.id[:-1])


def test_a_list_too_small_to_learn_from_is_exported_only_when_asked_for_and_is_marked(tmp_path: Path) -> None:
    small = write_shop(tmp_path, many(60))
    with pytest.raises(WorkbookError, match="too small to learn from"):
        decisions.export(small, replace(CALL, effect="1"), as_of="2026-06")
    assert decisions.registered(small) == ()
    made = decisions.export(small, replace(CALL, effect="1", anyway=True), as_of="2026-06")
    assert "cannot_be_judged" in made.warnings and not made.power.judgeable and made.control == 18


def test_a_decision_is_in_the_book_whole_or_not_at_all(shop: Settings) -> None:
    def broken(folder: Path, *_told: object) -> None:
        (folder / "half").write_text("x")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        decisions.export(shop, CALL, as_of="2026-06", beside=broken)
    assert decisions.registered(shop) == () and list(decisions.folder_of(shop).iterdir()) == []


def test_of_two_at_once_one_is_registered(shop: Settings) -> None:
    told: list[str] = []

    def ask() -> None:
        try:
            told.append(decisions.export(shop, CALL, as_of="2026-06").id)
        except WorkbookError as error:
            told.append(error.what.split(":")[0])

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (one,) = decisions.registered(shop)
    assert sorted(told) == sorted([one.id, "This list was exported already"])


def test_a_past_period_knows_only_the_decisions_of_its_time(shop: Settings) -> None:
    decisions.export(shop, CALL, as_of="2026-06")
    assert decisions.registered(shop, as_of=date(2026, 6, 29)) == ()
    assert len(decisions.registered(shop, as_of=AS_OF)) == 1


def test_the_control_a_user_asks_for_is_between_a_tenth_and_a_half(shop: Settings) -> None:
    assert decisions.export(shop, replace(CALL, control_share=0.5), as_of="2026-06").control == 200
    with pytest.raises(WorkbookError, match="control of 60%"):
        decisions.export(shop, replace(CALL, control_share=0.6), as_of="2026-06")


def test_a_list_of_nobody_of_one_or_of_one_household_is_refused_and_says_why(tmp_path: Path) -> None:
    tables = many(40)
    tables["rfm"][0]["segment"], tables["rfm"][1]["segment"], tables["rfm"][2]["segment"] = "new", "lost", "lost"
    for row in tables["clean/customers"][1:3]:
        row["account_id"] = "home"
    shop = write_shop(tmp_path, tables)
    for listed, told in (("where:recency_days > 999", "Nobody is on the list"),
                         ("segment:new", "none is left to compare"), ("segment:lost", "leaves one arm empty")):
        with pytest.raises(WorkbookError, match=told):
            decisions.export(shop, replace(CALL, list_name=listed, anyway=True), as_of="2026-06")
    with pytest.raises(WorkbookError, match=r"control of 10% leaves one arm empty"):
        tiny = write_shop(tmp_path / "tiny", many(4))
        decisions.export(tiny, replace(CALL, control_share=0.1, anyway=True), as_of="2026-06")
    assert decisions.registered(shop) == ()


def test_a_list_of_whom_nobody_may_be_contacted_says_what_took_them_out(tmp_path: Path) -> None:
    tables = many(40)
    tables["clean/consents"] = [yes("c0000", granted=False)]
    with pytest.raises(WorkbookError, match="Of the 40 customers of segment:loyal, 0 may be contacted") as error:
        decisions.export(write_shop(tmp_path, tables), CALL, as_of="2026-06")
    assert "40 no_consent" in error.value.why and "not personal" in error.value.way_out


def test_an_action_does_not_begin_before_its_list_is_over(shop: Settings) -> None:
    with pytest.raises(WorkbookError, match="knows what was bought up to 2026-06-30"):
        decisions.export(shop, replace(CALL, starts_on=date(2026, 6, 30)), as_of="2026-06")


def test_lists_are_rules_that_can_be_asked_again(tmp_path: Path) -> None:
    shop = write_shop(tmp_path, {
        "rfm": [segment("a"), segment("b", "at_risk"), segment("c", "new")],
        "churn": [{"customer_id": name, "probability": p, "value": 10.0, "value_at_risk": 10 * p, "listed": p > 0.4}
                  for name, p in (("a", 0.5), ("b", 0.3))],
        "clusters": [{"customer_id": "a", "cluster": "x"}, {"customer_id": "c", "cluster": "y"}],
        "risk": [{"customer_id": "a", "reasons": ""}, {"customer_id": "b", "reasons": "late_payer long_overdue"}],
    })
    run = run_of(shop)
    run.store.keep_document("segments/old friends", {"filter": "segment in (loyal, at_risk)", "saved_for": "x"})
    wanted = {"churn": "a", "segment:at_risk": "b", "cluster:y": "c", "risk": "b", "risk:long_overdue": "b",
              "saved:old friends": "ab", 'where:"cluster is not empty and segment = new"': "c",
              "where:probability < 0.4": "b", 'where:segment = "new"': "c", 'where:"segment = "new""': "c"}
    for name, ids in wanted.items():
        found = lists.people(run, lists.rule(run, name)).to_pyarrow()["customer_id"].to_pylist()
        assert "".join(sorted(found)) == ids, name
        assert segments.parse(lists.rule(run, name).sentence)
    for wrong in ("churn:x", "segment", "segment:at_rsk", "cluster:z", "saved:nobody", "risk:thief", "everybody"):
        with pytest.raises(WorkbookError):
            lists.rule(run, wrong)


def test_a_list_of_a_period_without_a_report_names_the_command_that_makes_it(shop: Settings) -> None:
    with pytest.raises(WorkbookError, match="workbook render --as-of 2026-05"):
        decisions.export(shop, CALL, as_of="2026-05")
    with pytest.raises(WorkbookError, match="list churn"):
        decisions.export(shop, replace(CALL, list_name="churn"), as_of="2026-06")


def test_past_windows_are_counted_back_from_the_report_date(tmp_path: Path) -> None:
    shop = write_shop(tmp_path, {"clean/orders": [
        order("a", "2026-06-30", 10, cost=4), order("a", "2026-06-21", 7, cost=0), order("a", "2026-06-20", 5, cost=1),
        order("b", "2026-06-11", 8, cost=2), order("b", "2026-05-30", 99, cost=9),
        order("c", "2026-06-25", 3, cost=1)]})
    run = run_of(shop)
    table = past_windows(run, pd.Series(["c", "a", "b", "d"]), metric="margin", days=10)
    assert list(table.index) == ["c", "a", "b", "d"]
    assert table[0].tolist() == [2, 13, 0, 0]  # 21 to 30 June
    # 11 to 20 June: c is not known yet, d never was.
    assert table[1].fillna(-1).tolist() == [-1, 4, 6, -1]
    assert table.shape[1] == 3  # 32 days on record
    assert metric_of(run.table("clean/orders")) == "margin"
    assert past_windows(run, pd.Series(["a"]), metric="margin", days=40).shape == (1, 0)


def test_what_those_on_the_same_list_did_afterwards_goes_before_the_past_that_chose_them(tmp_path: Path) -> None:
    """Thirty new customers in March: each had bought once, for 40; of the ten days after, one in three for 30."""
    ids = [f"c{number:02}" for number in range(30)]
    orders = [order(one, "2026-03-31", 40, cost=0) for one in ids]
    orders += [order(one, "2026-04-10", 30, cost=0) for one in ids[::3]]
    orders += [order(one, "2026-04-11", 500, cost=0) for one in ids]
    shop = write_shop(tmp_path, {"clean/orders": orders, "rfm": [segment("z", "new")]})
    run = run_of(shop)
    asked = lists.rule(run, "segment:new")
    assert afterwards(run, asked, metric="margin", days=10) == []
    for day in ("2026-03-31", "2026-06-25"):  # ten days after the second are not over
        run.store.write(f"{day}/rfm", pd.DataFrame([segment(one, "new") for one in ids]), made_by="tests")
    (values,) = afterwards(run, asked, metric="margin", days=10)
    assert sorted(values) == [0.0] * 20 + [30.0] * 10
    known = power.past(np.full((30, 1), 40.0), [values])
    assert (known.mean, known.basis, known.windows) == (pytest.approx(10), "afterwards", 1)
    assert known.sd == pytest.approx(np.sqrt(30 / 29 * 200))  # 30² · ⅓ · ⅔, over n − 1
    with_columns = lists.rule(run, "where:spend_12m > 1 and not_there = 3")
    assert afterwards(run, with_columns, metric="margin", days=10) == []


def test_a_given_effect_is_money_or_a_share_with_or_without_a_range() -> None:
    assert forecasts.given("3.5..8", mean=None)[:3] == (5.75, 3.5, 8.0)
    assert forecasts.given("10%", mean=50.0)[:3] == (5.0, 0.0, 10.0)
    for wrong in ("much", "5%"):
        with pytest.raises(WorkbookError):
            forecasts.given(wrong, mean=None)


def test_a_forecast_of_the_call_list_is_risk_times_save_rate_times_what_the_customer_brings() -> None:
    expected = forecasts.from_churn(np.array([0.5, 0.2]), np.array([100.0, 40.0]), save_rate=0.1)
    assert expected.each.tolist() == pytest.approx([5.0, 0.8])
    # 70 were brought on average, but 26 a customer after an earlier list, of whom 35 % left: 40 by each who stayed.
    shrunk = forecasts.from_churn(np.array([0.5, 0.2]), np.array([100.0, 40.0]), save_rate=0.1, afterwards=26.0)
    assert shrunk.each.tolist() == pytest.approx([5.0 * 4 / 7, 0.8 * 4 / 7])
    made = forecasts.forecast(expected, treated=np.array([True, False]), cost=2.0)
    assert (made.effect, made.low, made.high, made.total) == (5.0, 0.0, pytest.approx(10.0), 3.0)
    assert (made.evidence, made.basis) == ("assumed", "churn")


def test_settled_decisions_of_the_same_action_become_the_forecast() -> None:
    rows = [("Call", "mail", "settled", 4.0, 2.0, 6.0), ("call ", "mail", "settled", 6.0, 4.0, 8.0),
            ("call", "sms", "settled", 90.0, 80.0, 99.0), ("call", "mail", "running", 50.0, 40.0, 60.0)]
    table = pd.DataFrame(rows, columns=["action", "channel", "status", "effect", "low", "high"])
    found = forecasts.from_settled(table, action="CALL", channel="mail")
    # Equal errors of 1.0204; they differ by 2, so Q = 2 / 1.0412 = 1.92 and the spread between is (Q − 1) · 1.0412.
    assert found.each == pytest.approx(5.0) and found.evidence == "randomised"
    between = 2 - 1.0204**2
    assert found.high - 5 == pytest.approx(1.96 * np.sqrt((1.0204**2 + between) / 2 + between), rel=1e-3)
    assert forecasts.from_settled(table, action="visit", channel="mail") is None


def test_earlier_campaigns_are_a_forecast_where_nothing_stronger_is_known(shop: Settings) -> None:
    effect = Finding(6.0, "money", 2.0, 10.0, evidence="matched")
    found = forecasts.from_campaigns({"campaign_effect_spend": effect}, margin_share=0.5)
    assert (found.each, found.low, found.high, found.evidence) == (3.0, 1.0, 5.0, "matched")
    assert forecasts.from_campaigns({}, margin_share=0.5) is None
    silent = decisions.export(shop, replace(CALL, effect="", anyway=True), as_of="2026-06")
    assert silent.forecast.effect is None and silent.forecast.reason == "no_effect_known"


def test_settlements_in_the_store_go_before_what_is_assumed(shop: Settings) -> None:
    run_of(shop).store.write(f"{AS_OF}/settlements", pd.DataFrame(
        [("call", "mail", "settled", 9.0, 7.0, 11.0)],
        columns=["action", "channel", "status", "effect", "low", "high"]), made_by="tests")
    made = decisions.export(shop, CALL, as_of="2026-06")
    assert (made.forecast.evidence, made.forecast.basis) == ("randomised", "settled")
    assert (made.forecast.low, made.forecast.effect, made.forecast.high) == pytest.approx((7, 9, 11))


def test_a_price_for_some_is_flagged_with_those_who_pay_more(tmp_path: Path) -> None:
    tables = many(400)
    tables["rfm"] += [segment("silver", "loyal", "low"), segment("other", "champions", "high")]
    tables["clean/consents"] += [yes("silver"), yes("other")]
    tables["clean/contacts"] += [message("silver", "2026-06-29")]
    shop = write_shop(tmp_path, tables)
    plain = decisions.export(shop, CALL, as_of="2026-06")
    assert plain.price is None and "price_difference" not in plain.warnings
    decisions.cancel(shop, plain.id, by="Ana", why="a price instead")
    made = decisions.export(shop, replace(CALL, action="coupon", offer="10% off"), as_of="2026-06")
    assert made.price is not None and "price_difference" in made.warnings
    # All 400 are loyal of high value and bought within the last 30 days; nobody of silver's class is treated.
    assert made.price.favoured == made.treated == made.price.bought_lately
    assert made.price.equal_without == made.control == made.price.loyal_without and made.price.groups == 1
    assert made.removed == {"recently_contacted": 1} and prices.is_price("满300减30") and not prices.is_price("tea")


def test_the_record_is_json_that_another_program_reads(shop: Settings) -> None:
    made = decisions.export(shop, CALL, as_of="2026-06")
    record = json.loads((decisions.folder_of(shop, made.id) / "decision.json").read_text(encoding="utf-8"))
    assert record["forecast"]["total"] == made.forecast.total and record["as_of"] == "2026-06-30"
    assert {"salt", "request", "code_version", "removed", "overlaps", "power", "key", "list_hash"} <= record.keys()
