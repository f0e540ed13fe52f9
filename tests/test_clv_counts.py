"""What the lifetime models are made from: a table worked by hand, CDNOW as published, and the rules of counting."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from evidence import clv as evidence
from workbook import clv
from workbook.history import known_on

MONEY = pa.decimal128(18, 4)
AS_OF = date(2015, 2, 7)
HAND = [
    ("1", "01-01", 1), ("1", "02-06", 2), ("2", "01-01", 2), ("3", "01-01", 3), ("3", "01-02", 1), ("3", "01-05", 5),
    ("4", "01-16", 6), ("4", "02-02", 3), ("4", "02-05", 3), ("5", "01-16", 3), ("5", "01-17", 1), ("5", "01-18", 8),
    ("6", "02-02", 5),
]  # fmt: skip


def orders_frame(rows):
    """(customer, ISO day, amount[, came back]) → columns of clean/orders."""
    money = [[Decimal(str(row[2])), Decimal(str(row[2])) - Decimal(str(row[3] if len(row) > 3 else 0))] for row in rows]
    return pa.table(
        {
            "order_id": [f"o{i}" for i in range(len(rows))],
            "customer_id": pa.array([row[0] for row in rows], pa.string()),
            "ordered_on": pa.array([date.fromisoformat(row[1]) for row in rows], pa.date32()),
            "amount": pa.array([each[0] for each in money], pa.decimal128(38, 4)).cast(MONEY),
            "net_amount": pa.array([each[1] for each in money], pa.decimal128(38, 4)).cast(MONEY),
            "is_return": [row[2] < 0 for row in rows],
        }
    )


def rows_of(table):
    return {row["customer_id"]: row for row in table.to_pyarrow().to_pylist()}


@pytest.fixture(scope="module")
def duck():
    return evidence.engine()


@pytest.fixture(scope="module")
def cdnow(duck):
    return evidence.cdnow_orders(duck)


def test_the_hand_table_in_days_comes_out_on_both_engines(con, make_table):
    orders = make_table(con, orders_frame([(c, f"2015-{day}", value) for c, day, value in HAND]))
    found = rows_of(clv.customer_table(orders, as_of=AS_OF, unit_days=1))
    counted = {c: (r["x"], r["t_x"], r["T"], r["mean_repeat_value"] or 0) for c, r in found.items()}
    assert counted == {
        "1": (1, 36, 37, 2), "2": (0, 0, 37, 0), "3": (2, 4, 37, 3), "4": (2, 20, 22, 3), "5": (2, 2, 22, 4.5),
        "6": (0, 0, 5, 0),
    }  # fmt: skip
    assert found["2"]["mean_repeat_value"] is None  # unknown, not nothing
    assert (found["4"]["first_value"], found["4"]["value_to_date"]) == (6, 12)


def test_weeks_are_days_divided_by_seven(duck, make_table):
    orders = make_table(duck, orders_frame([("a", "2015-01-01", 1), ("a", "2015-01-08", 1)]))
    row = rows_of(clv.customer_table(orders, as_of=date(2015, 1, 22)))["a"]
    assert (row["t_x"], row["T"]) == (1.0, 3.0)


def test_cdnow_has_the_published_repeat_purchases(cdnow):
    customers = clv.customer_table(cdnow, as_of=evidence.CDNOW_AS_OF).to_pandas()
    facts = clv.facts(customers)
    assert facts[:4] == (2357, 2457, 946, 1411)
    assert facts.mean_repeat_value == pytest.approx(35.078, abs=1e-3)
    assert facts.valued == 946


def test_a_purchase_of_nothing_counts_and_one_wholly_returned_does_not(duck, make_table):
    rows = [
        ("zero", "2015-01-01", 5), ("zero", "2015-01-05", 0), ("zero", "2015-01-09", 4),
        ("undone", "2015-01-01", 5), ("undone", "2015-01-05", 7, 7), ("partly", "2015-01-01", 5),
        ("partly", "2015-01-05", 7, 3), ("document", "2015-01-01", 5), ("document", "2015-01-05", -5),
    ]  # fmt: skip
    found = rows_of(clv.customer_table(make_table(duck, orders_frame(rows)), as_of=AS_OF))
    assert (found["zero"]["x"], found["zero"]["mean_repeat_value"]) == (2, 2.0)
    assert found["undone"]["x"] == 0
    assert (found["partly"]["x"], found["partly"]["mean_repeat_value"]) == (1, 4.0)
    assert (found["document"]["x"], found["document"]["value_to_date"]) == (0, 5.0)


def test_zero_spend_left_out_would_break_the_published_counts(cdnow):
    paid = clv.customer_table(cdnow.filter(cdnow.amount > 0), as_of=evidence.CDNOW_AS_OF).to_pandas()
    assert len(paid) == 2349


def test_a_return_after_the_day_is_unseen(duck, make_table):
    orders = make_table(duck, orders_frame([("a", "2015-01-01", 5), ("a", "2015-01-10", 7, 7)]))
    back = {"order_id": ["o1"], "returned_on": [date(2015, 1, 20)], "amount": pa.array([Decimal(7)]).cast(MONEY)}
    returns = make_table(duck, pa.table(back))
    for day, x in ((date(2015, 1, 15), 1), (date(2015, 1, 25), 0)):
        assert rows_of(clv.customer_table(known_on(orders, returns, day=day), as_of=day))["a"]["x"] == x


def test_equal_customers_are_merged_in_the_engine_as_in_pandas(cdnow):
    table = clv.customer_table(cdnow, as_of=evidence.CDNOW_AS_OF)
    engine, here = clv.merged(table).to_pandas(), clv.merge(table.to_pandas())
    pd.testing.assert_frame_equal(engine, here, check_dtype=False)
    assert engine["customers"].sum() == 2357 > 1.5 * len(engine)


def test_a_fit_on_merged_customers_is_the_fit_on_all():
    rng = np.random.default_rng(3)
    customers = evidence.counts_of(
        evidence.make_shop(rng, "bg_nbd", customers=400, acquired_weeks=4, weeks=40), 40
    )
    whole = pd.concat([customers] * 3)
    merged = clv.merge(whole)
    assert len(merged) < len(whole) / 3
    one, other = clv.fit_purchases(whole), clv.fit_purchases(merged)
    assert one.values == pytest.approx(other.values, rel=1e-9)
    assert one.log_likelihood == pytest.approx(3 * clv.fit_purchases(customers).log_likelihood, rel=1e-9)
