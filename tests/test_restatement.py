"""Why a period differs from what was told of it: each cause alone, all of them together, and always adding up."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from raw_tables import cleaning_of
from workbook import cleaning, restatement
from workbook.data.periods import period_of
from workbook.restatement import Changed, Restatement

JUNE = period_of("2026-06")
NOTHING = Changed(False, False, False, False, False, False)
Rows = list[dict[str, Any]]


def order(number: str, day: int, amount: float, customer: str, month: int = 6, **more: Any) -> dict[str, Any]:
    return {"order_id": number, "ordered_at": datetime(2026, month, day, 9), "amount": amount,
            "customer_id": customer} | more  # fmt: skip


def back(number: str, amount: float, day: int) -> dict[str, Any]:
    return {"return_id": f"r{number}", "order_id": number, "returned_at": datetime(2026, 6, day, 9), "amount": amount}


BEFORE: Rows = [
    order("1", 3, 100, "ann", month=5),
    order("2", 2, 10, "ann"),
    order("3", 3, 20.5, "bob"),
    order("4", 4, 30, "cid"),
    order("5", 5, 40, "dan"),
    order("6", 6, 50, "eve"),
]


class Told:
    """The orders of June as they are cleaned out of raw rows, and as they were the time before."""

    def __init__(self, folder: Path, kept: Path | None = None) -> None:
        self.folder, self.kept = folder, kept or folder / "kept.parquet"

    def run(self, tables: Mapping[str, Rows], **declared: Any) -> Any:
        run = cleaning_of(self.folder, tables, **declared)
        cleaning.clean(run)
        return run

    def tell(self, tables: Mapping[str, Rows], **declared: Any) -> None:
        run = self.run(tables, **declared)
        run.con.to_parquet(restatement.take(run.table, JUNE), self.kept)

    def now(self, tables: Mapping[str, Rows], changed: Changed = NOTHING, **declared: Any) -> Restatement:
        return self.restated(self.run(tables, **declared), changed)

    def restated(self, run: Any, changed: Changed = NOTHING, **figures: Mapping[str, float]) -> Restatement:
        then = run.con.read_parquet(self.kept)
        both = restatement.compared(then, restatement.take(run.table, JUNE, also=then), changed)
        return restatement.restated(both, **({"told": {}, "found": {}} | figures))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """June as it was first told: five orders, 150.50, of five customers, four of them new."""
    shop = Told(tmp_path_factory.mktemp("told"))
    shop.tell({"orders": BEFORE})
    return shop.kept


@pytest.fixture
def told(tmp_path: Path, kept: Path) -> Told:
    return Told(tmp_path, kept)


def parts(found: Restatement) -> dict[str, dict[str, float]]:
    """measure → cause → part; each measure adds up."""
    for measure in found.measures:
        assert sum(measure.parts.values(), Decimal(0)) == measure.change, measure
    return {measure.name: {cause: float(part) for cause, part in measure.parts.items()}
            for measure in found.measures if measure.parts}  # fmt: skip


def orders_of(found: Restatement) -> dict[str, list[str]]:
    assert all(cause.orders == len(cause.examples) for cause in found.causes)
    return {cause.cause: cause.examples for cause in found.causes}


def without(*numbers: str) -> Rows:
    return [row for row in BEFORE if row["order_id"] not in numbers]


def test_nothing_changed_nothing_is_restated(told: Told) -> None:
    found = told.now({"orders": BEFORE})
    assert parts(found) == {} and found.causes == []
    assert {m.name: float(m.now) for m in found.measures} == {
        "net_revenue": 150.5, "orders": 5, "active_customers": 5, "new_customers": 4, "average_order_value": 30.1}


def test_the_same_records_in_another_file_and_order_are_no_restatement(told: Told) -> None:
    moved = [row | {"source_file": "again.csv", "arrived_at": datetime(2026, 9, 1)} for row in reversed(BEFORE)]
    assert told.now({"orders": [*moved, BEFORE[3] | {"source_file": "twice.csv"}]}).causes == []


def test_orders_without_a_number_are_known_by_their_content(tmp_path: Path) -> None:
    shop, rows = Told(tmp_path), [{**row, "order_id": None} for row in [*BEFORE, BEFORE[1]]]
    shop.tell({"orders": rows})
    late = {**order("", 30, 7, "fay"), "order_id": None}
    found = shop.now({"orders": [late, *reversed(rows)]})
    assert parts(found)["net_revenue"] == {"late": 7}
    assert [cause.orders for cause in found.causes] == [1]


def test_late_data(told: Told) -> None:
    run = told.run({"orders": [*BEFORE, order("7", 30, 60, "fay"), order("8", 30, 5, "bob")]})
    found = told.restated(run)
    assert parts(found) == {
        "net_revenue": {"late": 65}, "orders": {"late": 2}, "active_customers": {"late": 1},
        "new_customers": {"late": 1}, "average_order_value": {"late": 0.6857}}  # fmt: skip
    assert orders_of(found) == {"late": ["7", "8"]}
    redefined = told.restated(run, told={"net_revenue": 150.5}, found={"net_revenue": 205.25})
    assert parts(redefined)["net_revenue"] == {"late": 65, "code": -10.25}, "what no order explains is its definition"


def test_a_late_order_of_an_earlier_month_makes_a_new_customer_an_old_one(told: Told) -> None:
    found = told.now({"orders": [*BEFORE, order("0", 1, 60, "bob", month=5)]})
    assert parts(found) == {"new_customers": {"late": -1}}


def test_a_corrected_record_is_late_data_and_one_that_is_gone_deleted_or_erased(told: Told) -> None:
    found = told.now({"orders": [*without("2", "3", "4"), order("2", 2, 14.5, "ann")]})
    assert parts(found)["net_revenue"] == {"erased": -50.5, "late": 4.5}
    assert orders_of(found) == {"erased": ["4", "3"], "late": ["2"]}


def test_returns(told: Told) -> None:
    found = told.now({"orders": BEFORE, "returns": [back("5", 15, 20)]}, NOTHING._replace(raw_returns=True))
    assert parts(found)["net_revenue"] == {"returns": -15} and orders_of(found) == {"returns": ["5"]}


def test_a_cancelling_document_that_arrives_is_a_return_whether_it_finds_its_purchase_or_not(told: Told) -> None:
    minus = [order("C9", 21, -7, "eve"), order("C10", 22, -40, "dan", original_order_id="5")]
    found = told.now({"orders": [*BEFORE, *minus]}, NOTHING._replace(raw_returns=True))
    assert parts(found)["net_revenue"] == {"returns": -47} and "orders" not in parts(found)


def test_merged_identities(told: Told) -> None:
    people = [{"customer_id": name, "phone_hash": mark} for name, mark in (("bob", "x"), ("cid", "x"), ("eve", "y"),
                                                                          ("ann", "y"))]  # fmt: skip
    found = told.now({"orders": BEFORE, "customers": people})
    assert parts(found) == {"active_customers": {"identities": -2}, "new_customers": {"identities": -2}}
    assert set(orders_of(found)["identities"]) == {"4", "6"}, "bob is seen first and keeps his number, as does ann"


def test_a_changed_rule_another_code_version_and_what_nothing_explains(told: Told) -> None:
    """The same records: what is declared has dropped them, or else the library."""
    run = told.run({"orders": BEFORE}, cleaning={"test_customers": ["eve"]})
    for cause, changed in {"rules": NOTHING._replace(rules=True, code=True), "code": NOTHING._replace(code=True),
                           "other": NOTHING}.items():  # fmt: skip
        found = told.restated(run, changed)
        assert parts(found)["net_revenue"] == {cause: -50} and orders_of(found) == {cause: ["6"]}


def test_all_causes_together_add_up_to_the_last_decimal(told: Told) -> None:
    tables = {
        "orders": [*without("3"), order("7", 30, 60.0001, "fay"), order("0", 9, 1, "dan", month=5)],
        "returns": [back("5", 15.3333, 20)],
        "customers": [{"customer_id": name, "phone_hash": "x"} for name in ("ann", "cid")],
    }
    changed = NOTHING._replace(rules=True, raw_returns=True)
    found = told.now(tables, changed, cleaning={"test_customers": ["eve"]})
    assert parts(found) == {
        "net_revenue": {"erased": -20.5, "late": 60.0001, "returns": -15.3333, "rules": -50},
        "orders": {"erased": -1, "late": 1, "rules": -1},
        "active_customers": {"erased": -1, "late": 1, "identities": -1, "rules": -1},
        "new_customers": {"erased": -1, "identities": -1, "rules": -1},
        "average_order_value": parts(found)["average_order_value"],
    }
    assert orders_of(found) == {"erased": ["3"], "late": ["7", "5"], "returns": ["5"], "identities": ["4"],
                                "rules": ["6"]}  # fmt: skip
    assert [m.now for m in found.measures][:2] == [Decimal("124.6668"), 4]


def test_any_change_adds_up(tmp_path: Path) -> None:
    """Orders that differ at random in everything that may: every measure's parts are its change, exactly."""
    draw, shop = random.Random(7), Told(tmp_path)
    people = [{"customer_id": f"c{n}", "phone_hash": f"p{draw.randrange(25)}"} for n in range(30)]
    rows = [order(str(n), draw.randint(1, 30), draw.randint(1, 9999) / 100, f"c{draw.randrange(30)}",
                  month=draw.choice((4, 5, 6, 6))) for n in range(120)]  # fmt: skip
    shop.tell({"orders": draw.sample(rows, 100), "customers": people[:10]})
    returns = [back(str(n), 1.25, 29) for n in draw.sample(range(120), 40)]
    found = shop.now({"orders": draw.sample(rows, 100), "customers": people, "returns": returns},
                     Changed(False, True, False, False, True, False), cleaning={"test_customers": ["c3", "c4"]})
    assert {"erased", "late", "returns", "identities", "rules"} <= {cause.cause for cause in found.causes}
    assert set(parts(found)) == set(restatement.MEASURES)
