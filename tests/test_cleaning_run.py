"""Cleaning as a whole: published figures, several tables at once, and shops in which hardly anything happened."""

import shutil
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from raw_tables import cleaning_of
from workbook import cleaning, collection
from workbook.cleaning import figures, gates, quality, returning, shortcuts
from workbook.data.engine import few_rows
from workbook.data.errors import WorkbookError
from workbook.data.run import Run, open_run

SETTINGS = Path(__file__).parent / "settings" / "online_retail_published.yaml"


def order(day: int, amount: float, customer: str | None = "c", month: int = 6, **more: Any) -> dict[str, Any]:
    return {"ordered_at": datetime(2026, month, day, 9), "amount": amount, "customer_id": customer, **more}


def found(run: Run, cleaned: cleaning.Cleaned) -> dict[str, Any]:
    revenue, delays = run.frame(returning.by_day(cleaned.lines)), run.frame(returning.by_delay(cleaned.returns))
    come = returning.to_come(revenue, delays, as_of=run.as_of)
    for figure in figures.of(cleaned, come):
        run.find(**figure._asdict())
    return {name: finding.value for name, finding in run.findings.items()}


# --- published figures ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def online_retail(public_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    public_data("online_retail/online_retail_all.csv.gz")
    folder = tmp_path_factory.mktemp("online_retail")
    shutil.copy(SETTINGS, folder / "workbook.yaml")
    first = open_run("01_collection", settings=str(folder / "workbook.yaml"), as_of="2011-12")
    collection.collect(first.settings, first.store, progress=False)
    return folder


def test_the_published_rule_gives_the_published_figures(online_retail: Path) -> None:
    """397,884 rows, 4,338 customers, 8,911,407.904: printed in most analyses of Online Retail, and recomputed."""
    run = open_run("02_cleaning", settings=str(online_retail / "workbook.yaml"), as_of="2011-12")
    cleaned = cleaning.clean(run)
    named = found(run, cleaned)
    assert (named["rows_read"], named["rows_kept"], named["customers_kept"]) == (541_909, 397_884, 4_338)
    assert named["revenue_kept"] == 8_911_407.904
    lines = cleaned.lines
    assert few_rows(lines.aggregate(n=(~lines.is_product).sum(), twice=lines.is_duplicate.sum()))[0] == {
        "n": 1_547 + 79, "twice": 397_884 - 392_692}, "1,547 by their codes, and 79 of next-day carriage"  # fmt: skip


def test_the_defaults_remove_nothing_and_say_what_they_met(online_retail: Path) -> None:
    declared = yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))
    del declared["cleaning"]
    (online_retail / "defaults.yaml").write_text(yaml.safe_dump(declared), encoding="utf-8")
    run = open_run("02_cleaning", settings=str(online_retail / "defaults.yaml"), as_of="2011-12")
    cleaned = cleaning.clean(run)
    flagged = {rule: cleaned.step(rule).rows_flagged for rule in (
        "missing_customer", "exact_duplicate", "cancellation", "nonpositive_price")}  # fmt: skip
    assert flagged == {"missing_customer": 135_080, "exact_duplicate": 5_268, "cancellation": 9_288,
                       "nonpositive_price": 2_517}  # fmt: skip
    assert cleaned.step("returns").revenue_after == Decimal("9747747.9340"), "netting moves money, it loses none"
    assert found(run, cleaned)["rows_kept"] == 541_909
    recipe = {step.code: step.rows for step in shortcuts.recipe(run.table("clean/marked_lines"), as_of=run.as_of)}
    assert recipe == {"arrived": 541_909, "positive": 530_104, "named": 397_884, "different": 392_692}, "as published"
    giant = cleaned.returns.filter(cleaned.returns.document_id == "C581484")
    assert [row["order_id"] for row in few_rows(giant)] == ["581483"], "80,995 birds, sent back in twelve minutes"


def test_the_defaults_do_not_move_cdnow(public_data: Callable[[str], Path], tmp_path: Path) -> None:
    """2,357 customers, 2,457 repeat days, 946 repeaters, mean repeat value 35.08 (Fader, Hardie and Lee 2005)."""
    source = {"name": "cdnow", "table": "orders", "path": str(public_data("cdnow/CDNOW_sample.txt")), "header": False,
              "columns": ["-", "customer_id", "ordered_at", "quantity", "amount"]}  # fmt: skip
    settings = tmp_path / "workbook.yaml"
    settings.write_text(yaml.safe_dump({"name": "CDNOW", "sources": [source]}), encoding="utf-8")
    first = open_run("01_collection", settings=str(settings), as_of="1997-09-30")
    collection.collect(first.settings, first.store, progress=False)
    whole = open_run("02_cleaning", settings=str(settings), as_of="1998-06-30")
    made = cleaning.clean(whole)
    assert (made.step("exact_duplicate").rows_flagged, made.step("zero_amount").rows_flagged) == (21, 8)
    run = open_run("02_cleaning", settings=str(settings), as_of="1997-09-30")
    orders = run.frame(cleaning.clean(run).orders)
    days = orders.groupby(["customer_id", "ordered_on"], as_index=False)["net_amount"].sum()
    repeat = days[days["ordered_on"] > days.groupby("customer_id")["ordered_on"].transform("min")]
    assert (days["customer_id"].nunique(), len(repeat), repeat["customer_id"].nunique()) == (2_357, 2_457, 946)
    assert repeat.groupby("customer_id")["net_amount"].mean().mean() == pytest.approx(35.078, abs=1e-3)


# --- several tables at once -----------------------------------------------------------------------


def test_what_happens_after_the_report_is_not_yet_known(tmp_path: Path) -> None:
    run = cleaning_of(tmp_path, {
        "orders": [order(1, 10, order_id="A", delivered_at=datetime(2026, 7, 2)), order(2, 7, month=7, order_id="B")],
        "returns": [{"order_id": "A", "amount": 4, "returned_at": datetime(2026, 7, 3)}],
        "customers": [{"customer_id": "c"}, {"customer_id": "new", "registered_at": datetime(2026, 7, 1)}],
        "contacts": [{"customer_id": "c", "sent_at": datetime(2026, 6, 30), "opened_at": datetime(2026, 7, 1)},
                     {"customer_id": "c", "sent_at": datetime(2026, 7, 1)}],
        "subscriptions": [{"subscription_id": "1", "customer_id": "c", "started_on": date(2026, 1, 1),
                           "ended_on": date(2026, 7, 9), "end_reason": "price"}],
    })  # fmt: skip
    cleaned = cleaning.clean(run)
    (only,) = few_rows(cleaned.orders)
    assert (only["order_id"], only["net_amount"], only["delivered_at"]) == ("A", 10, None)
    assert [row["customer_id"] for row in few_rows(cleaned.customers)] == ["c"]
    (contact,) = few_rows(run.table("clean/contacts"))
    assert contact["opened_at"] is None and contact["arrived_at"] == datetime(2026, 7, 5)
    (contract,) = few_rows(run.table("clean/subscriptions"))
    assert (contract["ended_on"], contract["end_reason"]) == (None, None)
    later = cleaning_of(tmp_path, {}, as_of="2026-07")
    assert sorted(float(row["net_amount"]) for row in few_rows(cleaning.clean(later).orders)) == [6.0, 7.0]


def test_one_person_orders_under_two_ids(tmp_path: Path) -> None:
    run = cleaning_of(tmp_path, {
        "orders": [order(1, 10, "old"), order(2, 5, "new"), order(3, 1, None)],
        "customers": [{"customer_id": "old", "phone_hash": "t"}, {"customer_id": "new", "phone_hash": "t"}],
        "contacts": [{"customer_id": "new", "sent_at": datetime(2026, 6, 1)}],
    })  # fmt: skip
    cleaned = cleaning.clean(run)
    named = found(run, cleaned)
    assert (named["ids_kept"], named["customers_kept"], named["merged_ids"]) == (2, 1, 1)
    assert named["identified_revenue_share"] == 15 / 16
    assert {row["customer_id"] for row in few_rows(cleaned.orders)} == {"old", None}
    assert {row["raw_customer_id"] for row in few_rows(cleaned.lines)} == {"old", "new", None}, "the way back"
    assert few_rows(run.table("clean/contacts"))[0]["customer_id"] == "old"
    apart = cleaning_of(tmp_path, {}, cleaning={"rules": {"identity": "keep"}})
    assert {row["customer_id"] for row in few_rows(cleaning.clean(apart).orders)} == {"old", "new", None}


def test_the_whole_of_it_on_spark(spark_session: Any, tmp_path: Path) -> None:
    run = cleaning_of(tmp_path, {
        "orders": [order(1, 10, "old", order_id="A"), order(2, 5, "new", order_id="B"), order(3, 1, None, order_id="C"),
                   order(5, -5, "new", order_id="D")],
        "customers": [{"customer_id": "old", "phone_hash": "t"}, {"customer_id": "new", "phone_hash": "t"}],
        "returns": [{"return_id": "1", "order_id": "A", "amount": 4, "returned_at": datetime(2026, 6, 4)}],
        "tickets": [{"ticket_id": "1", "opened_at": datetime(2026, 6, 1)}] * 2,
    }, engine={"url": "spark", "memory": "1GB", "threads": 2})  # fmt: skip
    cleaned = cleaning.clean(run)
    orders = {row["order_id"]: (row["customer_id"], row["net_amount"]) for row in few_rows(cleaned.orders)}
    assert orders == {"A": ("old", 6), "B": ("old", 0), "C": (None, 1)}
    assert all(gate.passed for gate in cleaned.gates)


def test_a_ledger_line_for_repeats_in_other_tables(tmp_path: Path) -> None:
    row = {"ticket_id": "1", "opened_at": datetime(2026, 6, 1)}
    run = cleaning_of(tmp_path, {"orders": [order(1, 10)], "tickets": [row, row, row | {"topic": "delivery"}]})
    lines = {(entry.table, entry.rule): entry for entry in cleaning.clean(run).ledger}
    assert lines["tickets", "repeated_key"].rows_removed == 1
    kept = few_rows(run.table("clean/tickets"))
    assert sorted(r["is_duplicate"] for r in kept) == [True, True], "which of the two is right is not ours to say"


# --- gates ----------------------------------------------------------------------------------------


def test_a_total_of_finance_that_is_not_met_stops_the_run(tmp_path: Path) -> None:
    total = {"period": "2026-06", "measure": "revenue", "table": "orders", "value": "100", "tolerance": "0.01"}
    tables = {"orders": [order(1, 60), order(2, 39.5), order(2, 999, month=5)]}
    cleaning.clean(cleaning_of(tmp_path, tables, control_totals=[total]))
    strict = cleaning_of(tmp_path, {}, control_totals=[total | {"tolerance": "0.001"}])
    with pytest.raises(WorkbookError, match=r"control_revenue of raw/orders in 2026-06: 99\.5 against 100, off by -0"):
        cleaning.clean(strict)
    written = {row["gate"]: row["passed"] for row in few_rows(strict.table("clean/gates"))}
    assert written["control_revenue"] is False and written["rows_accounted"] is True
    assert strict.has("clean/ledger"), "whoever looks for the difference finds the ledger"
    cleaning.clean(cleaning_of(tmp_path, {}, control_totals=[total | {"period": "2026-07"}]))  # not over yet: not asked


def test_order_documents_that_disagree_with_their_lines_stop_the_run(tmp_path: Path) -> None:
    line = {"order_id": "A", "product_id": "p", "quantity": 1, "unit_price": 90}
    with pytest.raises(WorkbookError, match="documents_match_lines of orders: 100 against 90"):
        cleaning.clean(cleaning_of(tmp_path, {"orders": [order(1, 100, order_id="A")], "order_lines": [line]}))


def test_a_gate_says_both_sides() -> None:
    good, bad = gates.gate("rows", "orders", 5, 5), gates.gate("order_totals", "orders", "10.5", 10, tolerance="0.4")
    gates.refuse([good])
    with pytest.raises(WorkbookError, match=r"1 of 2 gates .*\n  order_totals of orders: 10\.5 against 10, off by 0"):
        gates.refuse([good, bad])


# --- shops in which hardly anything happened ------------------------------------------------------


def test_nothing_left_is_said(tmp_path: Path) -> None:
    run = cleaning_of(tmp_path, {"orders": [order(1, 10, month=7), order(2, 10, month=7)]})
    with pytest.raises(WorkbookError, match=r"No order is left up to 2026-06-30 of 2 rows that arrived \(later: 2\)"):
        cleaning.clean(run)


def test_all_dates_in_the_future(tmp_path: Path) -> None:
    run = cleaning_of(tmp_path, {"orders": [{"ordered_at": datetime(2031, 1, 1), "amount": 1}]}, as_of="2031-01")
    with pytest.raises(WorkbookError, match="impossible_date: 1"):
        cleaning.clean(run)


def test_no_orders_collected(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="No orders have been collected"):
        cleaning.clean(cleaning_of(tmp_path, {"tickets": [{"ticket_id": "1", "opened_at": datetime(2026, 6, 1)}]}))


def test_a_period_in_which_nothing_happened_and_one_customer_only(tmp_path: Path) -> None:
    run = cleaning_of(tmp_path, {"orders": [order(1, 10, month=4)]})
    named = found(run, cleaning.clean(run))
    assert (named["rows_kept"], named["customers_kept"], named["revenue_kept"]) == (1, 1, 10)
    assert (named["returns_to_come"], run.findings["returns_to_come"].reason) == (None, "too_few")
    assert named["gates_passed"] == named["gates_total"] == 6


# --- quality, and returns still to come -----------------------------------------------------------


def test_quality_by_hand(tmp_path: Path) -> None:
    """4 rows of 30 days' period: half of the products named, one row dated 1900, two alike, the newest 15 days old."""
    rows = [{"order_id": "A", "ordered_at": datetime(2026, 6, 15), "product_id": p, "quantity": 2, "unit_price": 3,
             "amount": a} for p, a in (("p", 6), (None, 6), (None, 7))]  # fmt: skip
    rows.append(rows[0] | {"ordered_at": datetime(1900, 1, 1)})
    cleaned = cleaning.clean(cleaning_of(tmp_path, {"order_lines": rows}))
    (row,) = cleaned.quality.to_dict("records")
    # order_id, ordered_at, ordered_on, quantity, unit_price and amount are full, product_id is half full
    assert row["completeness"] == pytest.approx((6 * 4 + 2) / 28)
    assert (row["validity"], row["uniqueness"], row["consistency"], row["timeliness"]) == (0.75, 1.0, 0.75, 0.5)
    assert row["score"] == pytest.approx(np.mean([row[d] for d in quality.DIMENSIONS]))


def test_the_share_back_is_corrected_for_young_orders() -> None:
    """Half of all returns take 1 day, half take 3; the order of yesterday has shown only the first half."""
    as_of = date(2026, 1, 10)
    delays = pd.DataFrame({"purchased_on": pd.to_datetime(["2026-01-01"] * 2 + ["2026-01-09"]), "delay_days": [1, 3, 1],
                           "amount": [50.0, 50.0, 50.0], "squares": [2500.0] * 3, "returns": [1] * 3})  # fmt: skip
    back = returning.share_back(delays, as_of=as_of)
    assert back[[0, 1, 2, 3, 9]].tolist() == [0, 0.5, 0.5, 1, 1]


def test_returns_to_come_are_found_again() -> None:
    """10 % of sales come back, after 15 days on average; what is open at the end lies in the interval of most shops."""
    rng, as_of, hits, errors = np.random.default_rng(7), date(2026, 6, 29), 0, []
    days = pd.date_range("2026-01-01", "2026-06-29")
    for _shop in range(60):
        sold = np.repeat(np.arange(len(days)), 40)
        returned = sold[rng.random(len(sold)) < 0.1]
        wait = 1 + rng.geometric(1 / 15, len(returned))
        size = rng.gamma(4, 25, len(returned))
        seen = returned + wait <= len(days) - 1
        delays = pd.DataFrame({"purchased_on": days[returned[seen]], "delay_days": wait[seen], "amount": size[seen],
                               "squares": size[seen] ** 2, "returns": 1})  # fmt: skip
        revenue = pd.DataFrame({"ordered_on": days, "revenue": 40 * 100.0})
        come = returning.to_come(revenue, delays, as_of=as_of)
        assert come is not None
        hits += come.low <= size[~seen].sum() <= come.high
        errors.append(come.expected / size[~seen].sum() - 1)
    assert hits >= 51, "95 % of 60 is 57; below 51 has a chance of 0.2 %"
    assert abs(np.mean(errors)) < 0.06


def test_periods_stand_at_equal_age() -> None:
    revenue = pd.DataFrame({"ordered_on": pd.to_datetime(["2026-04-30", "2026-05-10", "2026-06-20"]), "revenue": 100.0})
    delays = pd.DataFrame({"purchased_on": pd.to_datetime(["2026-04-30", "2026-05-10", "2026-05-10", "2026-06-20"]),
                           "delay_days": [5, 31, 3, 2], "amount": [10.0, 20.0, 4.0, 7.0], "squares": 1.0, "returns": 1})
    table = returning.by_period(revenue, delays, as_of=date(2026, 6, 30), grain="month", age_days=30)
    assert table["period"].tolist() == ["2026-04", "2026-05", "2026-06"]
    assert table["share_at_close"].tolist() == [0.0, 0.04, 0.07]
    assert table["share_at_age"].tolist()[:2] == [0.1, 0.04] and np.isnan(table["share_at_age"][2])
    assert table["returned_share"].tolist() == [0.1, 0.24, 0.07]
    assert table["share_expected"].isna().all(), "three returns foretell nothing"
