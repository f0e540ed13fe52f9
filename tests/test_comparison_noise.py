"""How far chance alone moves a difference: counted by hand on five customers, and on shops where nothing changed."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from math import sqrt
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from evidence.comparison import KINDS, called
from workbook.comparison import noise
from workbook.scoring import Z

MONEY = pa.decimal128(18, 4)


def customers(rows: dict[str, tuple[float, float]]) -> ibis.Table:
    return ibis.memtable(pd.DataFrame(
        [(name, float(net), float(orders)) for name, (net, orders) in rows.items()],
        columns=["customer", "net", "orders"]))  # fmt: skip


def test_a_sum_moves_by_the_root_of_the_squares_of_what_each_customer_changed() -> None:
    """a brought 30 more, b the same, c left with 40, d came with 10: 900 + 0 + 1600 + 100."""
    now = customers({"a": (80, 2), "b": (20, 1), "d": (10, 1)})
    then = customers({"a": (50, 1), "b": (20, 1), "c": (40, 2)})
    found = noise.reach(now, then, sums=("net", "orders"))
    assert found.customers == 4
    assert found.half_widths["net"] == pytest.approx(Z * sqrt(2600))
    assert found.half_widths["orders"] == pytest.approx(Z * sqrt(1 + 4 + 1))


def test_a_quotient_moves_by_what_each_customer_pulls_it_away_from_the_rest() -> None:
    """Now 110/4 = 27.5, then 110/4 too. Of a: (80 − 27.5·2)/(4 − 2) − (50 − 27.5)/(4 − 1) = 12.5 − 7.5 = 5."""
    now = customers({"a": (80, 2), "b": (20, 1), "d": (10, 1)})
    then = customers({"a": (50, 1), "b": (20, 1), "c": (40, 2)})
    found = noise.reach(now, then, quotients={"each": ("net", "orders")}).half_widths["each"]
    squares = [5.0, 0.0, (40 - 55) / 2, (10 - 27.5) / 3]
    assert found == pytest.approx(Z * sqrt(sum(x * x for x in squares)))


def test_a_quotient_of_nothing_has_no_reach() -> None:
    none = noise.reach(customers({"a": (5, 0)}), customers({"a": (5, 1)}), quotients={"each": ("net", "orders")})
    assert none.half_widths == {"each": None}


def test_orders_of_one_customer_are_one_and_sales_to_nobody_stand_alone(
    con: Any, make_table: Callable[..., Any]
) -> None:
    """Of a: 10 whole, and 30 of which a third came back and the rest of the cost stays; two sales without a name."""
    def money(*values: Any) -> pa.Array:
        return pa.array([None if value is None else Decimal(value) for value in values], MONEY)

    orders = make_table(con, {
        "order_id": ["1", "2", "3", "4", "5"], "customer_id": ["a", "a", None, None, "b"],
        "is_return": [False, False, False, False, True], "ordered_on": [dt.date(2026, 6, 1)] * 5,
        "amount": money(10, 30, 7, 8, -4), "net_amount": money(10, 20, 7, 8, -4),
        "tax": money(None, 3, None, None, None), "cost": money(6, 15, None, 4, None),
    })  # fmt: skip
    rows = noise.brought(orders).order_by("customer").to_pyarrow().to_pylist()
    told = {row.pop("customer"): row for row in rows}
    assert told["customer a"] == pytest.approx({"net": 30, "orders": 2, "buyers": 1, "taxless": 28, "profit": 12})
    assert told["customer b"] == pytest.approx({"net": -4, "orders": 0, "buyers": 0, "taxless": 0, "profit": 0})
    assert told["order 3"]["net"] == 7 and told["order 4"]["profit"] == 4 and told["order 4"]["buyers"] == 0


def test_newcomers_of_two_periods_are_two_poisson_counts() -> None:
    assert noise.of_newcomers(60, 40) == pytest.approx(19.6, abs=0.01)


def test_where_nothing_changed_about_one_shop_in_twenty_is_said_to_have_changed() -> None:
    """40 shops: more than 7 false calls would come by chance once in a thousand times; naive calls are most of them."""
    rates = called(KINDS["small shop"], 40, seed=3)
    for figure in ("net_revenue", "active_customers", "orders", "average_order_value", "margin"):
        assert rates[figure] <= 7 / 40, figure
    assert rates["naive net_revenue"] > 0.5
