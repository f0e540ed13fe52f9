"""A return undoes the latest earlier purchase that has something left: by hand, and against a stack kept in Python."""

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbook.cleaning.pairing import pair
from workbook.data.engine import few_rows

MONEY = pa.decimal128(18, 4)
Event = tuple[str, int, int, str]  # id, time, weight, key


def table(con: Any, make_table: Callable[..., ibis.Table], events: list[Event]) -> ibis.Table:
    ids, times, weights, keys = (list(column) for column in zip(*events, strict=True)) if events else ([], [], [], [])
    typed = {
        "id": pa.array(ids, pa.string()),
        "at": pa.array(times, pa.int64()),
        "weight": pa.array([Decimal(weight) for weight in weights], MONEY),
        "key": pa.array(keys, pa.string()),
    }
    return make_table(con, typed)


def pairs(con: Any, make_table: Callable[..., ibis.Table], bought: list[Event], undone: list[Event]) -> dict:
    found = pair(table(con, make_table, bought), table(con, make_table, undone), key=["key"])
    return {(row["purchase_id"], row["undoing_id"]): int(row["weight"]) for row in few_rows(found)}


def by_stack(bought: list[Event], undone: list[Event]) -> dict[tuple[str, str], int]:
    """The same with a stack a key."""
    events = sorted([(at, 0, id_, w, k) for id_, at, w, k in bought] + [(at, 1, id_, w, k) for id_, at, w, k in undone])
    stacks: dict[str, list[list[Any]]] = defaultdict(list)
    found: dict[tuple[str, str], int] = defaultdict(int)
    for _at, undoes, id_, weight, key in events:
        if not undoes:
            stacks[key].append([id_, weight])
            continue
        while weight and stacks[key]:
            top = stacks[key][-1]
            taken = min(weight, top[1])
            found[top[0], id_] += taken
            weight, top[1] = weight - taken, top[1] - taken
            if not top[1]:
                stacks[key].pop()
    return dict(found)


def test_latest_purchase_first_then_the_one_before(con: Any, make_table: Callable[..., ibis.Table]) -> None:
    bought = [("p1", 1, 10, "a"), ("p2", 2, 2, "a"), ("p3", 9, 5, "a"), ("q", 1, 7, "b")]
    undone = [("early", 0, 1, "a"), ("r1", 3, 3, "a"), ("r2", 4, 20, "a"), ("other", 5, 1, "c")]
    assert pairs(con, make_table, bought, undone) == {("p2", "r1"): 2, ("p1", "r1"): 1, ("p1", "r2"): 9}


def test_a_return_on_the_minute_of_its_purchase_counts(con: Any, make_table: Callable[..., ibis.Table]) -> None:
    assert pairs(con, make_table, [("p", 1, 4, "a")], [("r", 1, 1, "a")]) == {("p", "r"): 1}


@pytest.mark.parametrize("con", ["duckdb"], indirect=True)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_same_as_a_stack(con: Any, make_table: Callable[..., ibis.Table], data: st.DataObject) -> None:
    event = st.tuples(st.integers(0, 12), st.integers(1, 5), st.sampled_from("ab"))
    bought = [(f"p{i:02}", *e) for i, e in enumerate(data.draw(st.lists(event, min_size=1, max_size=12)))]
    undone = [(f"r{i:02}", *e) for i, e in enumerate(data.draw(st.lists(event, min_size=1, max_size=12)))]
    found = pairs(con, make_table, bought, undone)
    assert found == by_stack(bought, undone)
    for id_, _at, weight, _key in bought:
        assert sum(w for (p, _r), w in found.items() if p == id_) <= weight
