"""Which experiments there are, who was where, what they did, and whether the arms may be compared."""

import math
from datetime import date, datetime
from decimal import Decimal

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from workbook import ab_testing as ab
from workbook.ab_testing.split import FAULTS
from workbook.data.errors import WorkbookError

AS_OF = date(2026, 3, 31)
MONEY = pa.decimal128(18, 4)
TYPES = {"exposed_at": pa.timestamp("us"), "cluster_id": pa.string(), "planned_share": pa.float64(),
         "assigned_at": pa.timestamp("us")}


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


def moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


# customer, arm, assigned_at, exposed_at
ASSIGNED = [
    ("a", "control", "2026-01-01T08:00", "2026-01-01T09:00"),
    ("b", "treatment", "2026-01-01T08:00", "2026-01-01T07:00"),  # exposed before the draw
    ("c", "treatment", "2026-01-02T08:00", ""),  # never exposed
    ("c", "treatment", "2026-01-05T08:00", ""),
    ("d", "control", "2026-01-03T08:00", "2026-01-03T08:00"),
    ("d", "treatment", "2026-01-09T08:00", "2026-01-09T08:00"),  # in both arms
    ("e", "treatment", "2026-04-01T08:00", ""),  # after the report
]


def assignments_of(con, make_table, rows=ASSIGNED, share=0.5):
    return make_table(con, pd.DataFrame({
        "experiment_id": "x", "customer_id": [row[0] for row in rows], "arm": [row[1] for row in rows],
        "assigned_at": [moment(row[2]) for row in rows], "assigned_on": [moment(row[2]).date() for row in rows],
        "exposed_at": [moment(row[3]) for row in rows], "planned_share": share, "cluster_id": None}), TYPES)


def outcomes_of(con, make_table):
    rows = [("a", "revenue", 10.0, 1.0, "2026-02-01"), ("b", "revenue", 30.0, 2.0, "2025-12-31"),
            ("z", "revenue", 5.0, 1.0, "2026-02-01"), ("a", "bought", 1.0, 1.0, "2026-02-01"),
            ("c", "revenue", 7.0, 1.0, "2026-04-02")]  # fmt: skip
    return make_table(con, pd.DataFrame({
        "experiment_id": "x", "customer_id": [row[0] for row in rows], "metric": [row[1] for row in rows],
        "value": [row[2] for row in rows], "denominator": [row[3] for row in rows], "before": 1.0,
        "measured_at": [moment(row[4]) for row in rows], "measured_on": [moment(row[4]).date() for row in rows]}))


def test_the_list_of_experiments_says_what_is_on_record(duck, make_table):
    found = ab.list_experiments(assignments_of(duck, make_table), outcomes_of(duck, make_table), as_of=AS_OF)
    (row,) = found.to_dict("records")
    assert (row["experiment_id"], row["arms"], row["control"], row["customers"]) == (
        "x", ("control", "treatment"), "control", 4)
    assert (row["started_on"], row["last_assigned_on"]) == (date(2026, 1, 1), date(2026, 1, 9))
    assert (row["has_clusters"], row["has_exposure"], row["metrics"]) == (False, True, ("bought", "revenue"))
    assert (row["measured_on"], row["planned_days"]) == (date(2026, 2, 1), 31)
    before = ab.list_experiments(assignments_of(duck, make_table), None, as_of=date(2025, 12, 31))
    assert len(before) == 0 and list(before.columns) == list(found.columns)


def test_the_metrics_of_an_experiment_follow_from_its_values(duck, make_table):
    found = ab.metrics_of(outcomes_of(duck, make_table), "x", as_of=AS_OF)
    assert [(one.name, one.kind) for one in found] == [
        ("bought", "rate"), ("revenue", "mean"), ("revenue_per_unit", "ratio")]


def test_the_first_arm_counts_and_who_is_in_two_is_compared_with_nobody(con, make_table):
    people = ab.subjects(assignments_of(con, make_table), "x", as_of=AS_OF)
    rows = people.order_by("customer_id").to_pyarrow().to_pylist()
    assert [(row["customer_id"], row["arm"], row["arms"]) for row in rows] == [
        ("a", "control", 1), ("b", "treatment", 1), ("c", "treatment", 1), ("d", "control", 2)]
    measured = ab.measured(people, outcomes_of(con, make_table), "x", "revenue", as_of=AS_OF)
    assert sorted(measured.customer_id.to_pyarrow().to_pylist()) == ["a", "b"]
    found = ab.faults(people, outcomes_of(con, make_table), "x", as_of=AS_OF).set_index("code")
    assert found["customers"].to_dict() == {
        "two_arms": 1, "exposed_before_assigned": 1, "never_exposed": 1, "no_outcome": 2, "outcome_without_arm": 1,
        "measured_before_assigned": 1}
    assert found.loc["two_arms", "share"] == 0.25
    assert found["checked"].all()


def test_what_was_not_recorded_is_not_called_faultless(duck, make_table):
    unexposed = [(who, arm, at, "") for who, arm, at, _ in ASSIGNED]
    people = ab.subjects(assignments_of(duck, make_table, unexposed), "x", as_of=AS_OF)
    found = ab.faults(people, None, "x", as_of=AS_OF)
    assert found["code"].tolist() == list(FAULTS)
    assert found.loc[found["checked"], "code"].tolist() == ["two_arms"]


# --- what they ordered ------------------------------------------------------------------------------


def orders_of(con, make_table):
    rows = [  # customer, ordered_at, amount, net, cost
        ("a", "2025-12-25T10:00", 40, 40, 10),  # seven days before
        ("a", "2026-01-01T07:00", 90, 90, 10),  # the same day, before the draw: in neither window
        ("a", "2026-01-01T10:00", 20, 20, 5),
        ("a", "2026-01-10T10:00", 30, 15, 20),  # half of it came back
        ("a", "2026-01-11T10:00", 70, 70, 10),  # the window of ten days is over
        ("b", "2026-01-03T10:00", 50, 0, 10),  # wholly returned: no purchase
        ("z", "2026-01-03T10:00", 99, 99, 10),  # not in the experiment
    ]
    return make_table(con, pd.DataFrame({
        "order_id": [str(n) for n in range(len(rows))], "customer_id": [row[0] for row in rows],
        "ordered_at": [moment(row[1]) for row in rows], "ordered_on": [moment(row[1]).date() for row in rows],
        "amount": [Decimal(row[2]) for row in rows], "net_amount": [Decimal(row[3]) for row in rows],
        "cost": [Decimal(row[4]) for row in rows], "is_return": False,
    }), dict.fromkeys(("amount", "net_amount", "cost"), MONEY))


@pytest.mark.parametrize(("metric", "value", "before", "denominator"), [
    ("orders", 2.0, 1.0, 1.0), ("revenue", 35.0, 40.0, 2.0), ("margin", 20.0, 30.0, 2.0), ("bought", 1.0, 1.0, 1.0)])
def test_what_was_ordered_after_and_before_the_assignment(duck, make_table, metric, value, before, denominator):
    people = ab.subjects(assignments_of(duck, make_table), "x", as_of=AS_OF)
    table = ab.measured_from_orders(people, orders_of(duck, make_table), metric, days=10, as_of=AS_OF)
    rows = {row["customer_id"]: row for row in table.to_pyarrow().to_pylist()}
    assert set(rows) == {"a", "b", "c"}
    assert (rows["a"]["value"], rows["a"]["before"], rows["a"]["denominator"]) == (value, before, denominator)
    assert (rows["b"]["value"], rows["c"]["value"]) == (0.0, 0.0)


def test_only_who_has_had_the_whole_window_is_measured(con, make_table):
    people = ab.subjects(assignments_of(con, make_table), "x", as_of=date(2026, 1, 11))
    table = ab.measured_from_orders(people, orders_of(con, make_table), "orders", days=10, as_of=date(2026, 1, 11))
    assert sorted(table.customer_id.to_pyarrow().to_pylist()) == ["a", "b"]  # c: assigned on 2 January
    found = ab.maturity(people, days=10, as_of=date(2026, 1, 11))
    assert (found.customers, found.mature, found.share) == (4, 2, 0.5)
    assert (found.mature_on, found.days_left) == (date(2026, 1, 13), 2)


def test_a_margin_without_costs_is_refused(duck, make_table):
    people = ab.subjects(assignments_of(duck, make_table), "x", as_of=AS_OF)
    with pytest.raises(WorkbookError, match="cost is not known"):
        ab.measured_from_orders(people, orders_of(duck, make_table).drop("cost"), "margin", days=10, as_of=AS_OF)


# --- sample ratio ---------------------------------------------------------------------------------


def test_the_sample_ratio_of_the_book():
    """Kohavi, Tang & Xu 2020, chapter 21: 821,588 users against 815,482, planned half and half."""
    found = ab.sample_ratio_of({"control": 821_588, "treatment": 815_482})
    assert round(found.chi2, 4) == 22.7744
    assert found.p_value == pytest.approx(1.82e-6, abs=5e-9)
    assert found.broken


def test_a_planned_share_is_what_the_arms_are_held_against(duck, make_table):
    rows = [(f"c{n}", "control" if n < 90 else "treatment", "2026-01-01T08:00", "") for n in range(100)]
    even = ab.sample_ratio(ab.subjects(assignments_of(duck, make_table, rows), "x", as_of=AS_OF))
    assert even.broken and even.chi2 == pytest.approx(64.0)
    shares = [0.9 if row[1] == "control" else 0.1 for row in rows]
    planned = ab.sample_ratio(ab.subjects(assignments_of(duck, make_table, rows, shares), "x", as_of=AS_OF))
    assert planned.chi2 == pytest.approx(0.0) and not planned.broken
    assert planned.arms["planned_share"].tolist() == pytest.approx([0.9, 0.1])


def test_three_arms_have_two_degrees_of_freedom():
    found = ab.sample_ratio_of({"a": 100, "b": 110, "c": 90}, {"a": 1, "b": 1, "c": 1})
    assert (found.df, found.chi2) == (2, 2.0)


def test_one_arm_has_no_ratio(duck, make_table):
    people = ab.subjects(assignments_of(duck, make_table), "x", as_of=AS_OF)
    assert math.isnan(ab.sample_ratio(people.filter(people.arm == "control")).p_value)
    nobody = ab.sample_ratio(people.limit(0))
    assert math.isnan(nobody.p_value) and not nobody.broken and len(nobody.arms) == 0
    assert ab.maturity(people.limit(0), days=10, as_of=AS_OF).mature_on is None
