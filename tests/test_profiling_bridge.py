"""The split of the change in net revenue: symmetric, and exact to the last digit."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from statistics import mean
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbook.data.periods import period_of
from workbook.profiling import bridge
from workbook.profiling.bridge import Crossed, Side

MONEY = pa.decimal128(18, 4)
JUNE, MAY = period_of("2026-06"), period_of("2026-05")
BLOCKS = [["customers"], ["orders_per_customer"], ["units", "price", "mix", "discount", "returns"]]


def side(customers: int = 10, orders: int = 20, units: int = 40, listed: int = 400, amount: int = 400, net: int = 400,
         anonymous: int = 0) -> Side:  # fmt: skip
    return Side(customers, orders, *map(Fraction, (units, listed, amount, net, anonymous)))


def by_all_orders(value: bridge.Value, blocks: list[list[str]]) -> dict[str, Fraction]:
    """The definition itself: the mean gain over every order of the players in which blocks stay together."""
    players = [name for block in blocks for name in block]
    gains: dict[str, list[Fraction]] = {name: [] for name in players}
    for order in permutations(players):
        together = all(
            max(map(order.index, block)) - min(map(order.index, block)) == len(block) - 1 for block in blocks
        )
        for place, name in enumerate(order if together else ()):
            before = frozenset(order[:place])
            gains[name].append(value(before | {name}) - value(before))
    return {name: Fraction(sum(values), len(values)) for name, values in gains.items()}


whole = st.integers(1, 1000)
sides = st.builds(
    lambda c, o, u, listed, off, back, anonymous: side(
        c, c + o, u, listed * 10, listed * 10 - off, listed * 10 - off - back, anonymous
    ),
    whole, st.integers(0, 999), whole, whole, st.integers(0, 9), st.integers(0, 2000), st.integers(-500, 500),
)  # fmt: skip
crossings = st.builds(lambda a, b: Crossed(Fraction(a, 7), Fraction(b, 3)), whole, whole)


@settings(deadline=None)
@given(before=sides, after=sides, crossed=crossings)
def test_parts_add_up_to_the_last_digit(before: Side, after: Side, crossed: Crossed) -> None:
    for given_crossed in (crossed, None):
        split = bridge.split(before, after, given_crossed)
        assert split is not None
        assert split.before == Decimal(int(before.net + before.anonymous))
        assert sum(split.parts.values()) == split.change == split.after - split.before


def test_same_as_the_mean_over_all_orders() -> None:
    before, after = side(10, 20, 40, 400, 380, 350), side(13, 22, 39, 470, 450, 431)
    crossed = Crossed(Fraction(21, 2), Fraction(23, 2))
    factors, blocks = bridge._factors(before, after, crossed)
    assert blocks == BLOCKS
    value = bridge._revenue(factors, before, after, crossed)
    assert bridge.owen(value, blocks) == by_all_orders(value, blocks)


def test_one_player_a_block_is_the_shapley_value() -> None:
    """Shapley's own glove game: one left glove, two right ones; a pair is worth one."""

    def pairs(have: frozenset[str]) -> Fraction:
        return Fraction(min("left" in have, len(have - {"left"})))

    shares = bridge.owen(pairs, [["left"], ["right"], ["other right"]])
    assert shares == {"left": Fraction(2, 3), "right": Fraction(1, 6), "other right": Fraction(1, 6)}


def test_two_factors_by_hand() -> None:
    """10 customers at 40 become 12 at 50: customers 2 × 45, the rest 11 × 10."""
    split = bridge.split(side(), side(customers=12, orders=24, units=48, listed=600, amount=600, net=600))
    assert split is not None
    assert split.parts["customers"] == 90
    assert split.parts["price_and_mix"] == 110
    assert split.parts["orders_per_customer"] == split.parts["units"] == split.parts["returns"] == 0
    assert split.basket == 110


@settings(deadline=None)
@given(before=sides, after=sides, crossed=crossings)
def test_opening_the_basket_moves_nothing_else(before: Side, after: Side, crossed: Crossed) -> None:
    open_, shut = bridge.split(before, after, crossed), bridge.split(before, after)
    assert open_ is not None and shut is not None
    for name in ("customers", "orders_per_customer", "anonymous"):
        assert abs(open_.parts[name] - shut.parts[name]) <= Decimal("0.0010"), "but for rounding"


@settings(deadline=None)
@given(before=sides, after=sides, crossed=crossings)
def test_symmetric_in_time(before: Side, after: Side, crossed: Crossed) -> None:
    there = bridge.split(before, after, crossed)
    back = bridge.split(after, before, Crossed(crossed.mix_after_price_before, crossed.mix_before_price_after))
    assert there is not None and back is not None
    assert all(abs(there.parts[name] + back.parts[name]) <= Decimal("0.0020") for name in there.parts)


def test_one_after_another_depends_on_the_order() -> None:
    before, after = side(), side(12, 30, 60, 600, 600, 600)
    first = bridge.one_after_another(before, after, ("customers", "orders_per_customer", "basket"))
    last = bridge.one_after_another(before, after, ("basket", "orders_per_customer", "customers"))
    assert sum(first.values()) == sum(last.values()) == 200
    assert first["customers"] == 80 and last["customers"] == 100


@pytest.mark.parametrize("empty", [side(0, 0, 0, 0, 0, 0), side(amount=0, net=0)])
def test_nothing_to_divide_by(empty: Side) -> None:
    assert bridge.split(empty, side()) is None
    assert bridge.split(side(), empty) is None


def test_orders_without_units_keep_a_whole_basket() -> None:
    split = bridge.split(side(units=0), side(units=0, listed=500, amount=500, net=500))
    assert split is not None
    assert split.parts == {"customers": 0, "orders_per_customer": 0, "basket_size": 100, "discount": 0, "returns": 0,
                           "anonymous": 0}  # fmt: skip


def orders_of(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    """(order, customer, day, units, amount, net amount, discount, is return)"""
    names = ("order_id", "customer_id", "ordered_on", "units", "amount", "net_amount", "discount", "is_return")
    columns: dict[str, Any] = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    for name in ("units", "amount", "net_amount", "discount"):
        columns[name] = pa.array([None if x is None else Decimal(x) for x in columns[name]], MONEY)
    columns["returned_amount"] = pa.array([Decimal(0)] * len(rows), MONEY)
    return columns


def lines_of(rows: list[tuple[str, str, int, str]]) -> dict[str, Any]:
    """(order, product, quantity, amount)"""
    order, product, quantity, amount = map(list, zip(*rows, strict=True))
    return {
        "order_id": order, "product_id": product, "product_name": product,
        "quantity": pa.array(map(Decimal, quantity), MONEY), "amount": pa.array(map(Decimal, amount), MONEY),
    }  # fmt: skip


@pytest.fixture
def change(con: Any, make_table: Callable[..., Any]) -> Callable[..., bridge.Split | None]:
    def of(orders: list[tuple[Any, ...]], lines: list[Any] | None = None, returns: dict[str, Any] | None = None) -> Any:
        sides = bridge.sides(
            make_table(con, orders_of(orders)), JUNE, MAY,
            lines=None if lines is None else make_table(con, lines_of(lines)),
            returns=None if returns is None else make_table(con, returns),
        )  # fmt: skip
        return bridge.split(*sides)

    return of


def test_a_price_rise_is_price(change: Callable[..., bridge.Split]) -> None:
    days = dt.date(2026, 5, 3), dt.date(2026, 6, 3)
    orders = [("m", "a", days[0], "4", "40", "40", None, False), ("j", "a", days[1], "4", "44", "44", None, False)]
    split = change(orders, [("m", "tea", 4, "40"), ("j", "tea", 4, "44")])
    assert split.parts.pop("price") == 4
    assert set(split.parts.values()) == {0}


def test_dearer_goods_at_old_prices_are_mix(change: Callable[..., bridge.Split]) -> None:
    days = dt.date(2026, 5, 3), dt.date(2026, 6, 3)
    orders = [("m", "a", days[0], "4", "40", "40", None, False), ("j", "a", days[1], "4", "60", "60", None, False)]
    lines = [("m", "tea", 3, "15"), ("m", "pot", 1, "25"), ("j", "tea", 2, "10"), ("j", "pot", 2, "50")]
    split = change(orders, lines)
    assert split.parts["mix"] == 20 and split.parts["price"] == 0
    new_product = change(orders, [("m", "tea", 4, "40"), ("j", "pot", 4, "60")])
    assert new_product.parts["mix"] == 20 and new_product.parts["price"] == 0, "nothing to compare the price with"


def test_lines_that_name_no_product_cannot_tell_price_from_mix(con: Any, make_table: Callable[..., Any]) -> None:
    days = dt.date(2026, 5, 3), dt.date(2026, 6, 3)
    orders = [("m", "a", days[0], "4", "40", "40", None, False), ("j", "a", days[1], "4", "44", "44", None, False)]
    lines = lines_of([("m", "", 4, "40"), ("j", "", 4, "44")])
    lines["product_id"] = lines["product_name"] = pa.nulls(2, pa.string())
    sides = bridge.sides(make_table(con, orders_of(orders)), JUNE, MAY, lines=make_table(con, lines))
    split = bridge.split(*sides)
    assert split is not None
    assert split.parts["price_and_mix"] == 4 and "price" not in split.parts


def test_discount_returns_and_anonymous_sales_are_parts(change: Callable[..., bridge.Split]) -> None:
    may, june = dt.date(2026, 5, 3), dt.date(2026, 6, 3)
    lines = [("m", "tea", 4, "40"), ("j", "tea", 4, "40")]
    with_discount = [("m", "a", may, "4", "40", "40", "0", False), ("j", "a", june, "4", "36", "36", "4", False)]
    split = change(with_discount, [("m", "tea", 4, "40"), ("j", "tea", 4, "36")])
    assert split.parts["discount"] == -4 and split.parts["price"] == 0
    with_return = [("m", "a", may, "4", "40", "40", None, False), ("j", "a", june, "4", "40", "30", None, False),
                   ("back", "a", june, "-1", "-10", "-10", None, True)]  # fmt: skip
    split = change(with_return, lines)
    assert split.parts["returns"] == -20 and split.after == 20
    with_anonymous = [("m", "a", may, "4", "40", "40", None, False), ("j", "a", june, "4", "40", "40", None, False),
                      ("till", None, june, "1", "7", "7", None, False)]  # fmt: skip
    split = change(with_anonymous, lines)
    assert split.parts["anonymous"] == 7 and split.change == 7


def test_each_period_as_it_looked_on_its_own_last_day(change: Callable[..., bridge.Split]) -> None:
    """May's goods that came back in June were not back yet at the end of May."""
    orders = [("m", "a", dt.date(2026, 5, 30), "4", "40", "30", None, False),
              ("j", "a", dt.date(2026, 6, 30), "4", "40", "40", None, False)]  # fmt: skip
    returns = {"order_id": ["m"], "amount": pa.array([Decimal(10)], MONEY), "returned_on": [dt.date(2026, 6, 5)]}
    assert change(orders, returns=returns).before == 40
    returns["returned_on"] = [dt.date(2026, 5, 31)]
    assert change(orders, returns=returns).before == 30


def test_mean_is_not_what_the_library_calls() -> None:
    """The brute force above is independent of `owen`'s weights: two players by hand."""
    value = {frozenset(): 0, frozenset("a"): 1, frozenset("b"): 3, frozenset("ab"): 10}
    shares = by_all_orders(lambda s: Fraction(value[s]), [["a"], ["b"]])
    assert shares["a"] == mean([1, 7]) and shares["b"] == mean([3, 9])
