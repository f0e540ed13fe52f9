"""Stages of customers: one each, by a rule on dates."""

import datetime as dt
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workbook.data.errors import WorkbookError
from workbook.profiling import lifecycle
from workbook.profiling.lifecycle import Rule

AS_OF = dt.date(2026, 6, 30)
RULE = Rule(new_days=60, active_days=90, lost_days=365)


def day(ago: int) -> dt.date:
    return AS_OF - dt.timedelta(days=ago)


def tables(con: Any, make_table: Callable[..., Any], bought: dict[str, list[int]], seen: dict[str, dt.date | None],
           returned: dict[str, int] | None = None) -> tuple[Any, Any]:  # fmt: skip
    rows = [(customer, day(ago), False) for customer, days in bought.items() for ago in days]
    rows += [(customer, day(ago), True) for customer, ago in (returned or {}).items()] + [(None, day(1), False)]
    orders = pd.DataFrame(rows, columns=["customer_id", "ordered_on", "is_return"])
    first_seen_on = pa.array(seen.values(), pa.date32())
    customers = pa.table({"customer_id": pa.array(seen, pa.string()), "first_seen_on": first_seen_on})
    return make_table(con, customers), make_table(con, orders)


def staged(con: Any, make_table: Callable[..., Any], bought: dict[str, list[int]], *, as_of: dt.date = AS_OF,
           seen: dict[str, dt.date | None] | None = None,
           returned: dict[str, int] | None = None) -> dict[str, str]:  # fmt: skip
    known = dict.fromkeys(bought, day(999)) if seen is None else seen
    table = lifecycle.stages(*tables(con, make_table, bought, known, returned), as_of=as_of, rule=RULE)
    rows = table.to_pyarrow().to_pylist()
    assert len({row["customer_id"] for row in rows}) == len(rows), "each customer is in one stage"
    return {row["customer_id"]: row["lifecycle"] for row in rows}


def test_by_hand(con: Any, make_table: Callable[..., Any]) -> None:
    bought = {
        "first today": [0], "first 60 days ago": [60], "first 61 days ago": [61],
        "every month": [400, 370, 95, 61, 30], "silent 90 days": [95, 5], "silent 91 days": [96, 5],
        "90 days ago": [90], "91 days ago": [91], "365 days ago": [365], "366 days ago": [366], "never": [],
    }  # fmt: skip
    assert staged(con, make_table, bought) == {
        "first today": "new", "first 60 days ago": "new", "first 61 days ago": "active", "every month": "active",
        "silent 90 days": "active", "silent 91 days": "returning", "90 days ago": "active", "91 days ago": "dormant",
        "365 days ago": "dormant", "366 days ago": "lost", "never": "prospect",
    }  # fmt: skip


def test_an_earlier_date_sees_nothing_later(con: Any, make_table: Callable[..., Any]) -> None:
    seen = {"came in June": day(20), "known for long": day(900), "no date": None}
    bought = {"came in June": [20], "known for long": [200, 10], "no date": []}
    assert staged(con, make_table, bought, seen=seen) == {
        "came in June": "new", "known for long": "returning", "no date": "prospect"}  # fmt: skip
    before = staged(con, make_table, bought, seen=seen, as_of=day(30))
    assert before == {"known for long": "dormant", "no date": "prospect"}


def test_returns_and_anonymous_sales_make_nobody_active(con: Any, make_table: Callable[..., Any]) -> None:
    assert staged(con, make_table, {"a": [200]}, returned={"a": 3}) == {"a": "dormant"}


def test_only_returns_on_record_mean_a_purchase_before_it_begins(con: Any, make_table: Callable[..., Any]) -> None:
    assert staged(con, make_table, {"a": [200], "b": []}, returned={"b": 3}) == {"a": "dormant", "b": "dormant"}
    assert staged(con, make_table, {"a": [365], "b": []}, returned={"b": 3})["b"] == "lost"


def test_same_as_reading_every_history_in_turn(con: Any, make_table: Callable[..., Any]) -> None:
    """An independent coding that walks through each customer's days."""
    rng = np.random.default_rng(3)
    bought = {f"c{i}": sorted(rng.integers(0, 500, rng.integers(0, 7)).tolist(), reverse=True) for i in range(400)}

    def walk(ages: list[int]) -> str:
        if not ages:
            return "prospect"
        if ages[-1] > RULE.active_days:
            return "lost" if ages[-1] > RULE.lost_days else "dormant"
        if ages[0] <= RULE.new_days:
            return "new"
        came_back = [a - b > RULE.active_days and b <= RULE.active_days for a, b in pairwise(ages)]
        return "returning" if any(came_back) else "active"

    found = staged(con, make_table, bought)
    assert found == {customer: walk(ages) for customer, ages in bought.items()}
    assert set(found.values()) == set(lifecycle.STAGES)


def test_movement_counts_everybody_once(con: Any, make_table: Callable[..., Any]) -> None:
    bought = {"a": [200, 10], "b": [10], "c": [40]}
    customers, orders = tables(con, make_table, bought, dict.fromkeys(bought, day(10)) | {"a": day(300), "c": day(41)})
    now, before = (lifecycle.stages(customers, orders, as_of=d, rule=RULE) for d in (AS_OF, day(30)))
    both = now.left_join(before.select("customer_id", lifecycle_before="lifecycle"), "customer_id")
    moved = {(row["lifecycle_before"], row["lifecycle"]): row["customers"]
             for row in lifecycle.movement(both).to_pyarrow().to_pylist()}  # fmt: skip
    assert moved == {("dormant", "returning"): 1, (None, "new"): 1, ("new", "new"): 1}


def test_bought_after(con: Any, make_table: Callable[..., Any]) -> None:
    customers, orders = tables(con, make_table, {"a": [100, 10], "b": [100], "c": [300, 5]}, {})
    earlier = lifecycle.stages(customers, orders, as_of=day(90), rule=RULE)
    after = lifecycle.bought_after(earlier, orders, start=day(89), end=AS_OF).order_by("lifecycle")
    assert [tuple(row.values()) for row in after.to_pyarrow().to_pylist()] == [("dormant", 1, 1), ("new", 2, 1)]


def test_second_purchases(con: Any, make_table: Callable[..., Any]) -> None:
    bought = {
        "same day": [200, 200], "next day": [200, 199], "after 90 days": [200, 110], "after 91 days": [200, 109],
        "not over yet": [89, 80], "just over": [90], "before the cohort": [456, 455], "oldest of the cohort": [454],
    }  # fmt: skip
    _customers, orders = tables(con, make_table, bought, {})
    [row] = lifecycle.second_purchases(orders, as_of=AS_OF).to_pyarrow().to_pylist()
    assert row == {"customers": 6, "repeaters": 2}


@pytest.mark.parametrize("rule", [Rule(91, 90, 365), Rule(30, 400, 365), Rule(0, 90, 365)])
def test_crossed_thresholds_are_refused(rule: Rule) -> None:
    with pytest.raises(WorkbookError, match="new_days ≤ active_days < lost_days"):
        lifecycle.checked(rule)


def test_every_stage_is_listed() -> None:
    sized = lifecycle.in_order(pd.DataFrame({"lifecycle": ["lost", "new"], "customers": [2, 1]}))
    assert sized["customers"].tolist() == [0, 1, 0, 0, 0, 2]
