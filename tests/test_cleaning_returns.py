"""Returns are netted against the purchase that they undo, and money is neither made nor lost."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbook.cleaning import returns, sales
from workbook.data.engine import few_rows
from workbook.data.schema import TABLES

MONEY = pa.decimal128(18, 4)
Make = Callable[..., ibis.Table]
# Every test of this file plans a dozen joins: two of them run on Spark as well, the rest on DuckDB.
on_duckdb = pytest.mark.parametrize("con", ["duckdb"], indirect=True)


def raw(con: Any, make_table: Make, name: str, rows: list[Mapping[str, Any]]) -> ibis.Table:
    """A raw table: what a row leaves out is null; the local date follows from the time."""
    table = TABLES[name]
    records = []
    for number, given_row in enumerate(rows, start=2):
        row = {"source_name": name, "source_file": "f.csv", "source_row": number, "arrived_at": datetime(2030, 1, 1)}
        row |= given_row
        if table.time.endswith("_at") and row.get(table.time):
            row.setdefault(table.local_date, row[table.time].date())
        records.append({column: Decimal(str(value)) if pa.types.is_decimal(table.arrow.field(column).type) and
                        value is not None else value for column, value in row.items()})
    return make_table(con, pa.Table.from_pylist(records, schema=table.arrow))


def clean_lines(con: Any, make_table: Make, rows: list[Mapping[str, Any]]) -> ibis.Table:
    table = sales.lines({"order_lines": raw(con, make_table, "order_lines", rows)}.get)
    return table.select("row_id", *sales.LINE, is_product=ibis.literal(True))


def line(order: str, day: int, quantity: float, price: float, **more: Any) -> dict[str, Any]:
    return {"order_id": order, "ordered_at": datetime(2026, 1, day, 12), "customer_id": "c", "product_id": "p",
            "quantity": quantity, "unit_price": price, **more}  # fmt: skip


def net(con: Any, make_table: Make, rows: list, came_back: list | None = None) -> returns.Netted:
    back = None if came_back is None else raw(con, make_table, "returns", came_back)
    return returns.net(clean_lines(con, make_table, rows), back, age_days=30)


def by_order(netted: returns.Netted) -> dict[str, float]:
    return {row["order_id"]: float(row["net_amount"]) for row in few_rows(netted.lines)}


def test_a_cancelling_document_undoes_the_purchase_of_that_quantity(con: Any, make_table: Make) -> None:
    """January's ten come back, although two were bought since."""
    found = net(con, make_table, [line("A", 1, 10, 2.5), line("B", 5, 2, 2.5), line("CA", 9, -10, 2.5)])
    assert by_order(found) == {"A": 0.0, "B": 5.0}
    (told,) = few_rows(found.returns)
    assert (told["order_id"], told["document_id"], told["how"]) == ("A", "CA", "same quantity")
    assert (told["amount"], told["delay_days"]) == (Decimal("25.0000"), 8)
    assert few_rows(found.unmatched) == []


@on_duckdb
def test_part_of_a_purchase_comes_back(con: Any, make_table: Make) -> None:
    found = net(con, make_table, [line("A", 1, 10, 2.5), line("CA", 9, -3, 2.5), line("CB", 20, -9, 2.5)])
    assert by_order(found) == {"A": 0.0, "CB": -5.0}
    rest = next(row for row in few_rows(found.lines) if row["order_id"] == "CB")
    assert (rest["is_return"], rest["quantity"]) == (True, Decimal("-2.0000"))
    (open_,) = few_rows(found.unmatched)
    assert (open_["amount"], open_["reason"]) == (Decimal("5.0000"), "more_than_bought")


@on_duckdb
def test_a_return_never_precedes_its_purchase(con: Any, make_table: Make) -> None:
    found = net(con, make_table, [line("CA", 1, -1, 4), line("A", 2, 1, 4)])
    assert by_order(found) == {"CA": -4.0, "A": 4.0}
    assert few_rows(found.unmatched)[0]["reason"] == "no_earlier_purchase"


@on_duckdb
def test_another_price_or_customer_is_no_match(con: Any, make_table: Make) -> None:
    rows = [line("A", 1, 1, 4), line("CA", 3, -1, 4.5), line("CB", 3, -1, 4, customer_id="d"),
            line("CC", 3, -1, 4, customer_id=None)]  # fmt: skip
    found = net(con, make_table, rows)
    assert by_order(found) == {"A": 4.0, "CA": -4.5, "CB": -4.0, "CC": -4.0}
    assert {row["document_id"]: row["reason"] for row in few_rows(found.unmatched)} == {
        "CA": "no_earlier_purchase", "CB": "no_earlier_purchase", "CC": "no_customer"}  # fmt: skip


@on_duckdb
def test_an_anonymous_return_that_names_its_order_is_matched(con: Any, make_table: Make) -> None:
    rows = [line("A", 1, 2, 4, customer_id=None), line("R", 3, -1, 4, customer_id=None, original_order_id="A")]
    assert by_order(net(con, make_table, rows)) == {"A": 4.0}


def test_the_returns_table_names_order_and_line(con: Any, make_table: Make) -> None:
    rows = [line("A", 1, 1, 4, line_no=1), line("A", 1, 3, 4, line_no=2, product_id="q"), line("B", 1, 1, 9)]
    back = [
        {"return_id": "r1", "order_id": "A", "line_no": 2, "amount": 8, "returned_at": datetime(2026, 3, 1)},
        {"return_id": "r2", "order_id": "B", "amount": 30, "returned_at": datetime(2026, 1, 4)},
        {"return_id": "r3", "order_id": "Z", "amount": 5, "returned_at": datetime(2026, 1, 4)},
    ]
    found = net(con, make_table, rows, back)
    lines = {(row["order_id"], row["product_id"]): row for row in few_rows(found.lines)}
    assert lines["A", "p"]["net_amount"] == 4
    second = lines["A", "q"]
    assert (second["returned_amount"], second["returned_quantity"]) == (8, 2)
    assert second["returned_amount_30d"] == 0, "it came back after 59 days"
    assert (lines["B", "p"]["net_amount"], lines["B", "p"]["returned_amount_30d"]) == (0, 9)
    assert {row["document_id"]: (row["amount"], row["reason"]) for row in few_rows(found.unmatched)} == {
        "r2": (21, "more_than_bought"), "r3": (5, "order_not_found")}  # fmt: skip


@on_duckdb
def test_an_order_without_lines_or_quantity_is_one_piece(con: Any, make_table: Make) -> None:
    orders = raw(con, make_table, "orders", [
        {"ordered_at": datetime(2026, 1, 1), "customer_id": "c", "amount": 20},
        {"ordered_at": datetime(2026, 1, 2), "customer_id": "c", "amount": 30},
        {"ordered_at": datetime(2026, 1, 3), "customer_id": "c", "amount": -20},
    ])  # fmt: skip
    lines = sales.lines({"orders": orders}.get).select("row_id", *sales.LINE, is_product=ibis.literal(True))
    found = returns.net(lines, None, age_days=30)
    assert sorted(float(row["net_amount"]) for row in few_rows(found.lines)) == [0.0, 30.0]


@on_duckdb
def test_day_of_purchase_and_day_thirty_count_as_early(con: Any, make_table: Make) -> None:
    back = [{"return_id": str(i), "order_id": "A", "amount": 1, "returned_at": at} for i, at in enumerate(
        [datetime(2026, 1, 1), datetime(2026, 1, 31), datetime(2026, 2, 1)])]  # fmt: skip
    (row,) = few_rows(net(con, make_table, [line("A", 1, 10, 1)], back).lines)
    assert (row["returned_amount"], row["returned_amount_30d"]) == (3, 2)


@on_duckdb
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_money_is_neither_made_nor_lost(con: Any, make_table: Make, data: st.DataObject) -> None:
    entry = st.tuples(st.integers(1, 28), st.integers(-4, 4).filter(bool), st.sampled_from([1.25, 3.333]),
                      st.sampled_from(["c", "d", None]), st.sampled_from([None, "o0", "o1"]))  # fmt: skip
    drawn = data.draw(st.lists(entry, min_size=1, max_size=14))
    rows = [line(f"o{i}", day, units, price, customer_id=who, original_order_id=original if units < 0 else None)
            for i, (day, units, price, who, original) in enumerate(drawn)]  # fmt: skip
    found = net(con, make_table, rows)
    recorded = sum(Decimal(str(row["quantity"])) * Decimal(str(row["unit_price"])) for row in rows)
    lines = few_rows(found.lines)
    assert sum(row["net_amount"] for row in lines) == recorded
    for row in lines:
        assert row["is_return"] == (row["amount"] < 0)
        assert 0 <= row["returned_amount"] <= max(row["amount"], 0), "nothing falls below zero"
        assert row["is_return"] or 0 <= row["returned_quantity"] <= row["quantity"]
    back = [row for row in few_rows(found.returns)]
    assert sum(row["returned_amount"] for row in lines) == sum(row["amount"] for row in back)
    assert all(row["delay_days"] >= 0 for row in back)
    open_amount = sum((row["amount"] for row in few_rows(found.unmatched)), Decimal(0))
    assert open_amount == -sum((row["amount"] for row in lines if row["is_return"]), Decimal(0))


@on_duckdb
def test_matching_by_the_day_holds_over_months(con: Any, make_table: Make) -> None:
    rows = [line("A", 1, 1, 4), line("CA", 1, -1, 4, ordered_at=datetime(2026, 3, 15, 9))]
    (told,) = few_rows(net(con, make_table, rows).returns)
    assert (told["purchased_on"], told["returned_on"], told["delay_days"]) == (
        date(2026, 1, 1), date(2026, 3, 15), 73)  # fmt: skip
