"""What moved net revenue since the period before, split so that the parts add up exactly.

Net revenue of known customers is a product:

    customers × orders per customer × units per order × list price per unit × discount factor × returns factor

List price per unit is the average over products: prices weighted by the *mix*, each product's share of the units. All
factors change at once, so how much of the change is whose? Changing them one after another gives an answer that
depends on the order. The **Shapley value** takes the mean over all orders: symmetric, and it adds up. Units, price,
mix, discount and returns together make the basket; they are treated as one block (the **Owen value**, Shapley with
blocks), so that the split into customers, orders and basket is the same whether the basket is opened or not.

A product sold in one period only has no price to compare: it counts wholly as mix. Sales to nobody known have no
customers to count and are a part of their own. Sums are exact (fractions of decimals), rounded once at the end.

Sources: L. S. Shapley, A value for n-person games, 1953; G. Owen, Values of games with a priori unions, 1977.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from itertools import chain, combinations
from math import factorial
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.data.engine import few_rows
from workbook.data.periods import Period
from workbook.profiling.activity import as_seen_by, totals, within

BASKET = ("units", "price", "mix", "discount", "returns")  # one block; without lines: units, price
CENT = Decimal("0.0001")

Value = Callable[[frozenset[str]], Fraction]


class Side(NamedTuple):
    """One period's sums, of known customers unless said otherwise."""

    customers: int
    orders: int
    units: Fraction
    listed: Fraction  # money before discounts
    amount: Fraction  # money after discounts
    net: Fraction  # money after discounts and returns
    anonymous: Fraction  # net revenue of anonymous sales


class Crossed(NamedTuple):
    """Average list price per unit when one period's mix meets the other's prices."""

    mix_before_price_after: Fraction
    mix_after_price_before: Fraction


class Split(NamedTuple):
    """Net revenue of two periods and what lies between them."""

    before: Decimal
    after: Decimal
    parts: dict[str, Decimal]  # factor → money, in the order to be read; they add up to after − before

    @property
    def change(self) -> Decimal:
        return self.after - self.before

    @property
    def basket(self) -> Decimal:
        """What the parts of the basket come to together."""
        inside = {*BASKET, "price_and_mix", "basket_size"}
        return sum((part for name, part in self.parts.items() if name in inside), Decimal(0))


def owen(value: Value, blocks: Sequence[Sequence[str]]) -> dict[str, Fraction]:
    """Each player's mean contribution over all orders in which every block stays together.

    With one player a block this is the Shapley value.

    >>> owen(lambda changed: Fraction(3 if "a" in changed else 2) * (5 if "b" in changed else 4), [["a"], ["b"]])
    {'a': Fraction(9, 2), 'b': Fraction(5, 2)}
    """
    shares: dict[str, Fraction] = {}
    for own in blocks:
        others = [tuple(block) for block in blocks if block is not own]
        for player in own:
            rest = [mate for mate in own if mate != player]
            gains = (
                _weight(len(outside), len(others))
                * _weight(len(inside), len(rest))
                * _gain(value, player, outside, inside)
                for outside in _subsets(others)
                for inside in _subsets(rest)
            )
            shares[player] = sum(gains, Fraction(0))
    return shares


def _gain(value: Value, player: str, outside: Sequence[Sequence[str]], inside: Sequence[str]) -> Fraction:
    before = frozenset(chain(*outside, inside))
    return value(before | {player}) - value(before)


def _weight(chosen: int, n: int) -> Fraction:
    """Share of the orders of n + 1 things in which just these `chosen` come before a given one."""
    return Fraction(factorial(chosen) * factorial(n - chosen), factorial(n + 1))


def _subsets(items: Sequence[Any]) -> chain:
    return chain.from_iterable(combinations(items, size) for size in range(len(items) + 1))


def split(before: Side, after: Side, crossed: Crossed | None = None) -> Split | None:
    """The parts of the change in net revenue, or None where a period has nothing to divide by.

    Args:
        crossed: prices under the other period's mix; without it price and mix stay one part.
    """
    if not all(side.customers and side.orders and side.listed > 0 and side.amount > 0 for side in (before, after)):
        return None
    factors, blocks = _factors(before, after, crossed)
    shares = owen(_revenue(factors, before, after, crossed), blocks)
    shares["anonymous"] = after.anonymous - before.anonymous
    return Split(_decimal(before.net + before.anonymous), _decimal(after.net + after.anonymous), _rounded(shares))


Factors = dict[str, tuple[Fraction, Fraction]]


def _factors(before: Side, after: Side, crossed: Crossed | None) -> tuple[Factors, list[list[str]]]:
    def ratio(over: str, under: str) -> tuple[Fraction, Fraction]:
        return tuple(Fraction(getattr(side, over)) / Fraction(getattr(side, under)) for side in (before, after))

    factors: Factors = {
        "customers": (Fraction(before.customers), Fraction(after.customers)),
        "orders_per_customer": ratio("orders", "customers"),
    }
    if not (before.units > 0 and after.units > 0):
        factors["basket_size"] = ratio("listed", "orders")
    else:
        factors["units"] = ratio("units", "orders")
        if crossed is None:
            factors["price_and_mix"] = ratio("listed", "units")
    factors |= {"discount": ratio("amount", "listed"), "returns": ratio("net", "amount")}
    basket = [name for name in factors if name not in ("customers", "orders_per_customer")]
    if "units" in factors and crossed is not None:
        basket[1:1] = ["price", "mix"]
    return factors, [["customers"], ["orders_per_customer"], basket]


def _revenue(factors: Factors, before: Side, after: Side, crossed: Crossed | None) -> Value:
    """Net revenue if only the named factors had changed."""

    def value(changed: frozenset[str]) -> Fraction:
        product = Fraction(1)
        for name, (old, new) in factors.items():
            product *= new if name in changed else old
        if "units" in factors and crossed is not None:
            product *= _price(before, after, crossed, mix="mix" in changed, price="price" in changed)
        return product

    return value


def _price(before: Side, after: Side, crossed: Crossed, *, mix: bool, price: bool) -> Fraction:
    if mix and price:
        return after.listed / after.units
    if mix:
        return crossed.mix_after_price_before
    return crossed.mix_before_price_after if price else before.listed / before.units


def _rounded(shares: Mapping[str, Fraction]) -> dict[str, Decimal]:
    """Four decimals each; what rounding leaves over goes to the largest part, so that the sum stays exact."""
    parts = {name: _decimal(share) for name, share in shares.items()}
    largest = max(parts, key=lambda name: abs(parts[name]))
    parts[largest] += _decimal(sum(shares.values(), Fraction(0))) - sum(parts.values(), Decimal(0))
    return parts


def _decimal(x: Fraction) -> Decimal:
    return (Decimal(x.numerator) / Decimal(x.denominator)).quantize(CENT, rounding=ROUND_HALF_EVEN)


def side(orders: ir.Table, period: Period, *, returns: ir.Table | None = None, lines: ir.Table | None = None) -> Side:
    """A period's sums as they looked on its last day."""
    own = as_seen_by(within(orders, period), returns, period.end)
    [row] = few_rows(totals(own))
    units, listed = Fraction(row["units"]), Fraction(row["amount"]) + Fraction(row["discount"])
    if lines is not None:
        products = priced(orders, lines, period)
        [sums] = few_rows(products.agg(units=products.units.sum(), listed=products.listed.sum()))
        units, listed = Fraction(sums["units"] or 0), Fraction(sums["listed"] or 0)
    return Side(
        row["customers"], row["orders"], units, listed, Fraction(row["amount"]), Fraction(row["net"]),
        Fraction(row["anonymous_net"]),
    )  # fmt: skip


def priced(orders: ir.Table, lines: ir.Table, period: Period) -> ir.Table:
    """What known customers bought in a period, one row a product.

    An order's discount is laid on its lines in proportion to their amounts.

    Returns:
        product, units, listed (money before discount).
    """
    own = within(orders, period)
    own = own.filter(~own.is_return & own.customer_id.notnull())
    rate = ibis.coalesce(own.discount.cast("float64") / own.amount.cast("float64").nullif(0.0), 0.0)
    own = own.select(order_key=own.order_id, discount_rate=rate)
    joined = lines.inner_join(own, lines.order_id == own.order_key)
    listed = joined.amount + (joined.amount.cast("float64") * joined.discount_rate).cast("decimal(18,4)")
    joined = joined.mutate(
        product=ibis.coalesce(joined.product_id, joined.product_name, ""), listed_amount=listed.cast("decimal(18,4)")
    )
    return joined.group_by("product").agg(
        units=joined.quantity.cast("decimal(18,4)").sum(), listed=joined.listed_amount.sum()
    )


def crossed(before: ir.Table, after: ir.Table, old: Side, new: Side) -> Crossed | None:
    """Average prices with mix and prices of different periods, from two tables of `priced`."""
    if not (old.units > 0 and new.units > 0):
        return None
    [row] = few_rows(_crossed_sums(before, after))
    lost, gained = Fraction(row["only_before"] or 0), Fraction(row["only_after"] or 0)
    return Crossed(
        (Fraction(row["before_at_after"] or 0) + lost) / old.units,
        (Fraction(row["after_at_before"] or 0) + gained) / new.units,
    )


def _crossed_sums(before: ir.Table, after: ir.Table) -> ir.Table:
    """One row of money: each period's units at the other's prices; products that cannot be compared at their own."""
    old = before.select(product=before.product, old_units=before.units, old_listed=before.listed)
    new = after.select(new_product=after.product, new_units=after.units, new_listed=after.listed)
    both = old.outer_join(new, old.product == new.new_product)
    comparable = ibis.coalesce(both.old_units > 0, False) & ibis.coalesce(both.new_units > 0, False)
    f = {name: both[name].cast("float64") for name in ("old_units", "old_listed", "new_units", "new_listed")}
    return both.agg(
        before_at_after=(f["old_units"] * f["new_listed"] / f["new_units"].nullif(0.0)).sum(where=comparable),
        after_at_before=(f["new_units"] * f["old_listed"] / f["old_units"].nullif(0.0)).sum(where=comparable),
        only_before=f["old_listed"].sum(where=~comparable),
        only_after=f["new_listed"].sum(where=~comparable),
    )


class Sides(NamedTuple):
    """What `split` takes."""

    before: Side
    after: Side
    crossed: Crossed | None


def sides(
    orders: ir.Table, period: Period, before: Period, *, returns: ir.Table | None = None, lines: ir.Table | None = None
) -> Sides:
    """The sums of two periods, each as it looked on its own last day.

    Args:
        returns: `clean/returns`, so that both periods are seen at equal return age.
        lines: `clean/order_lines`; without them, or where they name no product, price and mix stay together.
    """
    old, new = (side(orders, p, returns=returns, lines=lines) for p in (before, period))
    if lines is None:
        return Sides(old, new, None)
    if not (old.listed > 0 and new.listed > 0 and names_products(lines)):
        return sides(orders, period, before, returns=returns)
    return Sides(old, new, crossed(priced(orders, lines, before), priced(orders, lines, period), old, new))


def names_products(lines: ir.Table) -> bool:
    """Whether any line says what was bought."""
    [named] = few_rows(lines.agg(n=lines.product_id.count() + lines.product_name.count()))
    return bool(named["n"])


def one_after_another(before: Side, after: Side, order: Sequence[str]) -> dict[str, Decimal]:
    """The obvious split: change customers, orders and basket in this order. Another order gives other answers."""
    basket = tuple(Fraction(s.net) / s.orders for s in (before, after))
    factors: Factors = {
        "customers": (Fraction(before.customers), Fraction(after.customers)),
        "orders_per_customer": tuple(Fraction(s.orders, s.customers) for s in (before, after)),
        "basket": basket,
    }
    value = _revenue(factors, before, after, None)
    done, parts = frozenset[str](), {}
    for name in order:
        parts[name] = _decimal(value(done | {name}) - value(done))
        done |= {name}
    return parts
