"""Figures by period, the table of customers, the shop's clock, visits."""

import datetime as dt
import gzip
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from workbook.data.engine import few_rows
from workbook.data.periods import period_of
from workbook.profiling import activity, behaviour, customers, figures, times
from workbook.profiling.lifecycle import Rule

MONEY = pa.decimal128(18, 4)
# Monthly active customers, December 2010 to December 2011 (nine days), under the published cleaning rule.
PUBLISHED = [885, 741, 758, 974, 856, 1056, 991, 949, 935, 1266, 1364, 1664, 615]


def money(*values: Any) -> pa.Array:
    return pa.array([None if x is None else Decimal(str(x)) for x in values], MONEY)


@pytest.fixture
def orders(con: Any, make_table: Callable[..., Any]) -> ibis.Table:
    days = ["2026-04-30", "2026-05-02", "2026-05-31", "2026-06-10", "2026-06-20", "2026-06-21", "2026-06-25"]
    return make_table(con, {
        "order_id": list("1234567"),
        "customer_id": ["a", "a", "b", "b", "c", None, "a"],
        "ordered_on": [dt.date.fromisoformat(day) for day in days],
        "ordered_at": [dt.datetime.fromisoformat(f"{day}T22:30:00") for day in days],
        "is_return": [False] * 6 + [True],
        "units": money(1, 2, 3, 4, 5, 6, -1), "amount": money(10, 20, 30, 40, 50, 60, -5),
        "net_amount": money(10, 20, 25, 40, 50, 60, -5), "returned_amount": money(0, 0, 5, 0, 0, 0, 0),
        "discount": money(None, 1, None, None, 2, None, None), "tax": money(*[None] * 7),
        "cost": money(None, None, None, 10, 25, 30, None),
        "channel": ["web", "web", "store", "store", "web", "store", "web"], "payment_method": ["card"] * 7,
        "region": ["N", "N", "S", "S", None, "S", "N"], "country": ["UK"] * 7,
    })  # fmt: skip


def test_by_period(orders: ibis.Table) -> None:
    rows = activity.by_period(orders, grain="month").order_by("period").to_pyarrow().to_pylist()
    assert [tuple(row.values())[1:] for row in rows] == [
        (1, 1, 10, 10, 10, 1), (2, 2, 50, 45, 45, 1), (2, 3, 150, 145, 85, 1)]  # fmt: skip


def test_history_shows_empty_periods_as_zero(orders: ibis.Table) -> None:
    figures = activity.by_period(orders.filter(orders.ordered_on != dt.date(2026, 5, 2)), grain="month").to_pandas()
    figures = figures[figures["customers"] > 1]
    table = activity.history(figures.assign(period=pd.to_datetime(figures["period"])), period_of("2026-08"))
    assert table["customers"].tolist() == [2, 0, 0] and table["new_customers"].tolist() == [1, 0, 0]
    only = activity.history(figures.iloc[:0], period_of("2026-08"))
    assert only["orders"].tolist() == [0]


def test_totals_keep_known_and_anonymous_apart(orders: ibis.Table) -> None:
    [row] = few_rows(activity.totals(activity.within(orders, period_of("2026-06"))))
    assert row == {
        "customers": 2, "orders": 2, "all_orders": 3, "units": 9, "all_units": 15, "discount": 2, "amount": 90,
        "net": 85, "all_amount": 150, "all_net": 145, "anonymous_net": 60,
        "largest": 60,
    }  # fmt: skip
    [nothing] = few_rows(activity.totals(activity.within(orders, period_of("2026-01"))))
    assert set(nothing.values()) == {0} or nothing["orders"] in (0, None)


def test_margin_of_what_was_kept(orders: ibis.Table) -> None:
    [row] = few_rows(activity.margin(activity.within(orders, period_of("2026-06"))))
    assert row == {"net_of_tax": 150, "cost": 65, "covered_net": 150, "all_net": 150, "orders": 3}


def test_a_quantity_that_contradicts_the_money_is_not_believed(
    con: Any, make_table: Callable[..., Any], orders: ibis.Table
) -> None:
    lines = make_table(con, {
        "order_id": ["4", "4", "5", "5", "7"], "quantity": money(888, 2, 3, 4, -1),
        "unit_price": money(10, 10, 10, 10, 5), "amount": money(30, 10, 15, 0, -5), "cost": money(1776, 4, 6, 8, None),
    })  # fmt: skip
    rows = activity.believable(lines).order_by("order_id", "amount").to_pyarrow().to_pylist()
    assert [(row["quantity"], row["cost"]) for row in rows] == [(2, 4), (3, 6), (4, 8), (3, 6), (-1, None)]
    billed = orders.mutate(units=ibis.ifelse(orders.order_id == "4", 890, orders.units.cast("int64")))
    both = activity.with_believable_lines(billed, lines).order_by("order_id").to_pyarrow().to_pylist()
    assert [row["units"] for row in both] == [1, 2, 3, 5, 5, 6, -1]
    assert [row["cost"] for row in both] == [None, None, None, -1760, 25, 30, None]


def test_a_period_cut_short_is_compared_with_as_many_days() -> None:
    assert activity.compared_with(period_of("2011-12-09")).end == dt.date(2011, 11, 9)
    assert activity.compared_with(period_of("2011-12")) == period_of("2011-11")
    assert activity.compared_with(period_of("2026-03-30")).end == dt.date(2026, 2, 28)


def test_shop_clock_follows_summer_time(con: Any, make_table: Callable[..., Any]) -> None:
    """London: 23:30 UTC is 23:30 in winter and 0:30 of the next day in summer; the clock changes at 1:00 UTC."""
    moments = ["2026-01-04T23:30", "2026-07-05T23:30", "2026-03-29T00:59:59", "2026-03-29T01:00", "2026-10-25T01:00"]
    table = make_table(con, {"n": list(range(5)), "ordered_at": [dt.datetime.fromisoformat(m) for m in moments]})
    zone = ZoneInfo("Europe/London")
    clocked = times.on_shop_clock(table, zone, start=dt.date(2026, 1, 1), end=dt.date(2026, 12, 31))
    rows = clocked.order_by("n").to_pyarrow().to_pylist()
    assert [(row["weekday"], row["hour"], row["second_of_day"] % 3600) for row in rows] == [
        (6, 23, 1800), (0, 0, 1800), (6, 0, 3599), (6, 2, 0), (6, 1, 0)]  # fmt: skip
    assert [row["daypart"] for row in rows] == ["evening", "night", "night", "night", "night"]


def test_shop_clock_agrees_with_the_zone(con: Any, make_table: Callable[..., Any]) -> None:
    moments = pd.date_range("2024-01-01 00:17", "2026-12-31", freq="37h").to_pydatetime().tolist()
    for name in ("America/New_York", "Asia/Shanghai", "Asia/Kolkata"):
        zone = ZoneInfo(name)
        table = make_table(con, {"n": list(range(len(moments))), "ordered_at": moments})
        clocked = times.on_shop_clock(table, zone, start=dt.date(2024, 1, 1), end=dt.date(2026, 12, 31))
        local = [moment.replace(tzinfo=dt.UTC).astimezone(zone) for moment in moments]
        rows = clocked.order_by("n").select("weekday", "hour").to_pyarrow().to_pylist()
        assert [(row["weekday"], row["hour"]) for row in rows] == [(m.weekday(), m.hour) for m in local], name


def test_midnights_are_no_times(con: Any, make_table: Callable[..., Any]) -> None:
    for hour, timed in ((0, 0), (9, 1)):
        table = make_table(con, {"ordered_at": [dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 2, hour)]})
        clocked = times.on_shop_clock(table, ZoneInfo("UTC"), start=dt.date(2026, 1, 1), end=dt.date(2026, 1, 2))
        assert times.knows_time_of_day(clocked).to_pyarrow().to_pylist() == [{"timed": timed}]


def people(con: Any, make_table: Callable[..., Any]) -> ibis.Table:
    names = [name for name in customers.DECLARED if name != "gender"]
    return make_table(con, {
        "customer_id": ["a", "b", "c", "p"], "first_seen_on": [dt.date(2026, 1, 1)] * 4,
        "birth_year": pa.array([2008, 2001, None, 1950], pa.int64()), "gender": ["f", "m", None, "f"],
        **{name: pa.nulls(4, pa.string()) for name in names},
    })  # fmt: skip


def test_one_row_a_customer(con: Any, make_table: Callable[..., Any], orders: ibis.Table) -> None:
    lines = make_table(con, {
        "order_id": list("12234"), "customer_id": ["a", "a", "a", "b", "b"], "is_return": [False] * 5,
        "is_product": [True, True, True, True, False], "category": ["tea", "pots", "pots", "tea", "postage"],
    })  # fmt: skip
    table = customers.profile(
        people(con, make_table), orders, as_of=dt.date(2026, 6, 30),
        before=dt.date(2026, 5, 31), rule=Rule(60, 90, 365), zone=ZoneInfo("Asia/Shanghai"),
        window_days=31, lines=lines,
    )  # fmt: skip
    rows = {row.pop("customer_id"): row for row in table.to_pyarrow().to_pylist()}
    assert {name: row["lifecycle"] for name, row in rows.items()} == {
        "a": "active", "b": "new", "c": "new", "p": "prospect"}  # fmt: skip
    assert [rows[c]["lifecycle_before"] for c in "abcp"] == ["new", "new", "prospect", "prospect"]
    assert (rows["a"]["orders"], rows["a"]["revenue_total"], rows["a"]["net_revenue_total"]) == (2, 30, 25)
    assert (rows["b"]["orders_window"], rows["b"]["revenue"], rows["b"]["net_revenue"]) == (2, 70, 65)
    assert (rows["a"]["orders_window"], rows["a"]["net_revenue"]) == (0, -5), "the return of June is all there is"
    assert (rows["p"]["orders"], rows["p"]["net_revenue"], rows["p"]["average_order_value"]) == (0, 0, None)
    assert [rows[c]["age_band"] for c in "abcp"] == ["18-24", "25-34", None, "65-"]
    assert [rows[c]["channel"] for c in "abcp"] == ["web", "store", "web", None]
    assert [rows[c]["category"] for c in "abcp"] == ["pots", "tea", None, None], "postage is nobody's favourite"
    assert [rows[c]["region"] for c in "abcp"] == ["N", "S", None, None], "where nobody declared one: delivered to"
    assert [rows[c]["daypart"] for c in "abcp"] == ["morning", "morning", "morning", None], "22:30 UTC is 6:30"


def test_ties_go_to_the_first_in_the_alphabet(con: Any, make_table: Callable[..., Any]) -> None:
    table = make_table(con, {"customer_id": ["a", "a", "b", "b", "b"], "channel": ["web", "app", "web", None, None]})
    rows = customers.mainly(table, "channel").order_by("customer_id").to_pyarrow().to_pylist()
    assert rows == [{"customer_id": "a", "channel": "app"}, {"customer_id": "b", "channel": "web"}]


def test_visits(con: Any, make_table: Callable[..., Any]) -> None:
    events = make_table(con, {
        "session_id": ["s", "s", "s", None, None, "t"], "customer_id": [None, "a", "a", "b", "b", None],
        "visitor_id": ["v", "v", "v", "w", "w", "x"], "event": ["visit", "view", "purchase", "visit", "view", "visit"],
        "occurred_on": [dt.date(2026, 6, 1)] * 5 + [dt.date(2026, 5, 1)],
        "dwell_seconds": [60.0, 120.0, None, 30.0, None, 10.0], "device": ["phone"] * 6, "traffic_source": ["ads"] * 6,
    })  # fmt: skip
    visited = behaviour.visits(events)
    june = period_of("2026-06")
    [row] = behaviour.summary(visited, june).to_pyarrow().to_pylist()
    assert row == {"visits": 2, "visitors": 2, "identified": 2, "buying": 1, "clicks": 3, "dwell_mean": 1.75,
                   "dwell_median": 1.75}  # fmt: skip
    each = behaviour.by_customer(visited, june).order_by("customer_id").to_pyarrow().to_pylist()
    assert [tuple(row.values()) for row in each] == [("a", 1, 2, 3.0), ("b", 1, 1, 0.5)]


def test_monthly_active_customers_as_published(public_data: Callable[[str], Path]) -> None:
    """Online Retail under the rule of REFERENCE: a known customer, no cancellation, quantity and price above zero."""
    with gzip.open(public_data("online_retail/online_retail_all.csv.gz"), "rt") as file:
        rows = pd.read_csv(file, dtype={"InvoiceNo": str, "CustomerID": str}, parse_dates=["InvoiceDate"])
    rows = rows[rows["CustomerID"].notna() & ~rows["InvoiceNo"].str.startswith("C")]
    rows = rows[(rows["Quantity"] > 0) & (rows["UnitPrice"] > 0)]
    rows["amount"] = rows["Quantity"] * rows["UnitPrice"]
    each = rows.groupby("InvoiceNo").agg(
        customer_id=("CustomerID", "first"), at=("InvoiceDate", "first"), amount=("amount", "sum")
    )
    orders = ibis.memtable(pd.DataFrame({
        "order_id": each.index, "customer_id": each["customer_id"], "ordered_on": each["at"].dt.date,
        "amount": each["amount"], "net_amount": each["amount"], "is_return": False}))  # fmt: skip
    figures = activity.by_period(orders, grain="month").to_pandas()
    table = activity.history(figures, period_of("2011-12-09"))
    assert table["customers"].astype(int).tolist() == PUBLISHED
    assert table["new_customers"].sum() == 4338


def test_the_period_before_is_found_under_its_own_names() -> None:
    row = {"customers": 4, "orders": 5, "all_orders": 6, "all_units": 9, "all_amount": 120, "all_net": 90, "net": 80}
    costs = {"orders": 2, "net_of_tax": 50.0, "cost": 30.0}
    told = figures.of_headlines(row, costs, new_customers=1, suffix="before", reason="no_previous")
    found = {figure.name: figure.value for figure in told}
    assert found == {
        "active_customers_before": 4, "new_customers_before": 1, "orders_before": 6, "net_revenue_before": 90,
        "average_order_value_before": 15.0, "margin_before": 0.4,
    }  # fmt: skip
    nobody = row | {"all_orders": 0}
    empty = figures.of_headlines(nobody, {"orders": 0}, new_customers=0, suffix="before", reason="no_previous")
    assert {(figure.value, figure.reason) for figure in empty} == {(None, "no_previous")}
