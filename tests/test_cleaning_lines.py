"""Order lines from what arrived: either table, product rows as of the day, repeats, rules and their ledger."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbook.cleaning import ledger, rules, sales
from workbook.data.engine import few_rows
from workbook.data.errors import WorkbookError
from workbook.data.schema import TABLES
from workbook.data.settings import Cleaning

Make = Callable[..., ibis.Table]
on_duckdb = pytest.mark.parametrize("con", ["duckdb"], indirect=True)
AS_OF = date(2026, 6, 30)


def raw(con: Any, make_table: Make, name: str, rows: list[Mapping[str, Any]]) -> ibis.Table:
    """A raw table: what a row leaves out is null; the local date follows from the time."""
    table, records = TABLES[name], []
    for number, given_row in enumerate(rows, start=2):
        row = {"source_name": name, "source_file": "f.csv", "source_row": number, "arrived_at": datetime(2026, 7, 5)}
        row |= given_row
        if table.time.endswith("_at") and row.get(table.time):
            row.setdefault(table.local_date, row[table.time].date())
        decimals = {c.name for c in table.columns if c.type == "decimal"}
        records.append({c: Decimal(str(v)) if c in decimals and v is not None else v for c, v in row.items()})
    return make_table(con, pa.Table.from_pylist(records, schema=table.arrow))


def line(**more: Any) -> dict[str, Any]:
    return {"order_id": "A", "ordered_at": datetime(2026, 1, 1), "customer_id": "c", "product_id": "p",
            "quantity": 1, "unit_price": 2, **more}  # fmt: skip


def marked(lines: ibis.Table, declared: Cleaning | None = None, upserted: set[str] | None = None) -> ibis.Table:
    declared = declared or Cleaning()
    checked = sales.with_verdicts(lines, upserted=upserted or set())
    if "declared_product" not in checked.columns:
        checked = checked.mutate(declared_product=ibis.null("boolean"))
    return rules.mark(checked, rules.Known(declared, AS_OF, fence=None), rules.actions(declared.rules))


def met(table: ibis.Table, rule: str) -> list[int]:
    """Source rows that a rule meets."""
    return sorted(row["source_row"] for row in few_rows(table.filter(table[f"rule_{rule}"])))


# --- either table ---------------------------------------------------------------------------------


def test_lines_take_what_they_lack_from_their_order(con: Any, make_table: Make) -> None:
    lines = raw(con, make_table, "order_lines", [
        {"order_id": "A", "product_id": "p", "quantity": 3, "unit_price": 1.333},
        {"order_id": "A", "product_id": "q", "amount": 5, "quantity": 2, "channel": "app"},
    ])  # fmt: skip
    orders = raw(con, make_table, "orders", [
        {"order_id": "A", "ordered_at": datetime(2026, 1, 1), "amount": 8.999, "customer_id": "c", "channel": "web"},
        {"order_id": "A", "ordered_at": datetime(2026, 1, 1), "amount": 8.999, "customer_id": "c", "channel": "web"},
        {"order_id": "B", "ordered_at": datetime(2026, 1, 2), "amount": 7, "customer_id": "d"},
    ])  # fmt: skip
    found = few_rows(sales.lines({"order_lines": lines, "orders": orders}.get).order_by("order_id", "product_id"))
    facts = [(r["order_id"], r["product_id"], float(r["amount"]), r["customer_id"], r["channel"]) for r in found]
    assert facts == [
        ("A", "p", 3.999, "c", "web"), ("A", "q", 5.0, "c", "app"), ("B", None, 7.0, "d", None)]  # fmt: skip
    assert [float(r["unit_price"]) for r in found] == [1.333, 2.5, 7.0]


@on_duckdb
def test_without_an_order_number_each_row_is_an_order(con: Any, make_table: Make) -> None:
    row = {"ordered_at": datetime(2026, 1, 1), "amount": 5, "customer_id": "c"}
    table = sales.lines({"orders": raw(con, make_table, "orders", [row, row])}.get)
    assert sorted(r["order_id"] for r in few_rows(table)) == ["orders/f.csv:2", "orders/f.csv:3"]
    assert met(marked(table), "exact_duplicate") == [3], "told, and kept"
    assert [r["removed_by"] for r in few_rows(marked(table))] == [None, None]


def test_products_with_several_rows_do_not_multiply_lines(con: Any, make_table: Make) -> None:
    lines = sales.lines({"order_lines": raw(con, make_table, "order_lines", [
        line(ordered_at=datetime(2025, 12, 1)), line(ordered_at=datetime(2026, 2, 1)),
        line(ordered_at=datetime(2026, 3, 1)), line(product_id="unknown"), line(product_id=None),
    ])}.get)  # fmt: skip
    products = raw(con, make_table, "products", [
        {"product_id": "p", "product_name": "old", "cost": 1, "valid_from": date(2026, 1, 1)},
        {"product_id": "p", "product_name": "new", "cost": 2, "valid_from": date(2026, 3, 1)},
        {"product_id": "p", "product_name": "newer of one day", "cost": 3, "valid_from": date(2026, 3, 1)},
        {"product_id": "z", "product_name": "z"}, {"product_id": "z", "product_name": "z again"},
    ])  # fmt: skip
    found = few_rows(sales.with_products(lines, products).order_by("source_row"))
    assert [r["product_name"] for r in found] == ["old", "old", "newer of one day", None, None]
    assert [r["cost"] for r in found] == [1, 1, 3, None, None]


# --- repeats --------------------------------------------------------------------------------------


def test_only_a_key_makes_two_like_lines_one(con: Any, make_table: Make) -> None:
    rows = [line(), line(), line(line_no=1), line(line_no=1), line(line_no=1, quantity=9)]
    table = marked(sales.lines({"order_lines": raw(con, make_table, "order_lines", rows)}.get))
    assert met(table, "exact_duplicate") == [3]
    assert met(table, "repeated_key") == [5]
    assert met(table, "conflicting_key") == [4, 6]
    assert [r["source_row"] for r in few_rows(table.filter(table.removed_by.notnull()))] == [5]


def test_the_newest_arrival_wins_where_declared(con: Any, make_table: Make) -> None:
    rows = [line(line_no=1, quantity=q, arrived_at=datetime(2026, 7, day)) for day, q in ((1, 1), (3, 2), (2, 1))]
    table = sales.lines({"order_lines": raw(con, make_table, "order_lines", rows)}.get)
    left = marked(table, upserted={"order_lines"})
    left = left.filter(left.removed_by.isnull())
    assert [r["quantity"] for r in few_rows(left)] == [2]


# --- rules ----------------------------------------------------------------------------------------

ROWS = [
    line(),  # 2: nothing wrong
    line(customer_id=None),
    line(order_id="C12", quantity=-1),
    line(unit_price=0),
    line(product_id="POST"),
    line(product_id="x", product_name="Next day CARRIAGE"),
    line(product_id="y", product_name="Black carriage clock"),
    line(ordered_at=datetime(2026, 7, 1)),  # 9: after the report
    line(ordered_at=datetime(2027, 7, 1)),  # 10: after its arrival
    line(ordered_at=datetime(1899, 7, 1)),
    line(ordered_at=None),
    line(customer_id="tester"),
    line(status="交易关闭"),
    line(product_id="z", product_name="运费"),
]
EXPECTED = {
    "missing_customer": [3], "cancellation": [4], "nonpositive_quantity": [4], "nonpositive_price": [5],
    "zero_amount": [5], "non_product": [6, 7, 15], "later": [9, 10], "impossible_date": [10, 11], "no_date": [12],
    "test_account": [13], "cancelled_status": [14], "exact_duplicate": [], "repeated_key": [], "outlier": [],
}  # fmt: skip


def test_each_rule_meets_its_rows(con: Any, make_table: Make) -> None:
    table = sales.lines({"order_lines": raw(con, make_table, "order_lines", ROWS)}.get)
    found = marked(table, Cleaning(test_customers=("tester",)))
    assert {rule: met(found, rule) for rule in EXPECTED} == EXPECTED
    gone = {r["source_row"]: r["removed_by"] for r in few_rows(found) if r["removed_by"]}
    assert gone == {9: "later", 10: "impossible_date", 11: "impossible_date", 12: "no_date", 13: "test_account",
                    14: "cancelled_status"}  # fmt: skip


def test_the_ledger_adds_up_line_by_line(con: Any, make_table: Make) -> None:
    declared = Cleaning(rules={"missing_customer": "drop", "cancellation": "drop"}, test_customers=("tester",))
    table = marked(sales.lines({"order_lines": raw(con, make_table, "order_lines", ROWS)}.get), declared)
    names = [rule.name for rule in rules.RULES]
    lines = ledger.of_rules(table, names, rules.actions(declared.rules), table="order_lines")
    by_rule = {entry.rule: entry for entry in lines}
    assert [entry.rule for entry in lines] == names
    for before, after in pairwise(lines):
        assert (before.rows_after, before.customers_after, before.revenue_after) == (
            after.rows_before, after.customers_before, after.revenue_before)  # fmt: skip
    assert (lines[0].rows_before, lines[-1].rows_after) == (14, 6)
    assert (lines[0].customers_before, lines[-1].customers_after) == (2, 1)
    assert by_rule["cancellation"].revenue_before - by_rule["cancellation"].revenue_after == -2
    assert (by_rule["nonpositive_quantity"].rows_flagged, by_rule["nonpositive_price"].rows_flagged) == (0, 1)
    kept = ledger.state_of(table.filter(table.removed_by.isnull()))
    assert kept == ledger.State(lines[-1].rows_after, lines[-1].customers_after, lines[-1].revenue_after)


@on_duckdb
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_kept_and_removed_are_all_and_more_dropping_keeps_less(con: Any, make_table: Make, data: st.DataObject) -> None:
    rows = [ROWS[i] for i in data.draw(st.lists(st.integers(0, len(ROWS) - 1), min_size=1, max_size=12))]
    names = st.sampled_from([rule.name for rule in rules.RULES if rule.name != rules.LATER])
    chosen = data.draw(st.dictionaries(names, st.sampled_from(["keep", "flag", "drop"])))
    table = sales.lines({"order_lines": raw(con, make_table, "order_lines", rows)}.get)
    found = few_rows(marked(table, Cleaning(rules=chosen)))
    assert len(found) == len(rows)
    kept = {r["row_id"] for r in found if r["removed_by"] is None}
    stricter = chosen | {data.draw(names): "drop"}
    kept_by_stricter = {r["row_id"] for r in few_rows(marked(table, Cleaning(rules=stricter))) if not r["removed_by"]}
    assert kept_by_stricter <= kept


def test_a_misspelt_rule_is_refused() -> None:
    with pytest.raises(WorkbookError, match="did you mean 'missing_customer'"):
        rules.actions({"mising_customer": "drop"})
    with pytest.raises(WorkbookError, match="no rule"):
        rules.actions({rules.LATER: "keep"})


def test_the_fence_moves_with_the_middle_and_not_with_one_giant(con: Any, make_table: Make) -> None:
    amounts = [10, 20, 40, 80] * 6
    rows = [line(order_id=str(i), amount=a) for i, a in enumerate(amounts)]
    first = rules.fence(sales.lines({"order_lines": raw(con, make_table, "order_lines", rows)}.get))
    rows[0] = line(order_id="0", amount=1_000_000)
    second = rules.fence(sales.lines({"order_lines": raw(con, make_table, "order_lines", rows)}.get))
    assert first is not None and second is not None
    assert 80 < first <= second < 10_000
    assert rules.fence(sales.lines({"order_lines": raw(con, make_table, "order_lines", rows[:19])}.get)) is None
