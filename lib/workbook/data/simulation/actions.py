"""Actions with a known effect: what a shop does to chosen customers on one day, and what that changes.

Everything else is drawn first, from the generators it is always drawn from; what an action adds comes from a generator
of its own, by its name. So the same seed with and without an action is the same shop up to that day, and for
everybody who is not treated also after it: the difference of the two is the action's true effect on each treated
customer (both of their potential outcomes).

Orders that an action adds do not make the customer leave, and neither survey nor complaint follows them.
"""

from __future__ import annotations

import zlib
from typing import NamedTuple

import numpy as np

from workbook.data.simulation import catalog, encounters, purchases
from workbook.data.simulation.clock import Clock
from workbook.data.simulation.parameters import Action, Parameters
from workbook.data.simulation.population import People
from workbook.data.simulation.purchases import Lines, Orders, Returned

FIRST_SEQUENCE = 900  # of an order that an action adds: order numbers leave room for 1,000 orders of a customer
HOUR = 10.0 / 24.0  # the message goes out at ten


class Bought(NamedTuple):
    """Orders with everything that hangs on them."""

    orders: Orders
    lines: Lines
    back: Returned
    context: encounters.Context
    invoices: encounters.Columns


class Window(NamedTuple):
    """When and on whom one action works, within a cell."""

    person: np.ndarray  # of this cell, on whom it works
    start: float
    end: float

    def holds(self, orders: Orders) -> np.ndarray:
        """Which orders they placed while it works."""
        return np.isin(orders.person, self.person) & (orders.at >= self.start) & (orders.at < self.end)


def window(action: Action, clock: Clock, people: People) -> Window:
    """The treated of this cell and whom they passed the offer to, and the days on which the action works; nobody when
    they lie outside the history."""
    return _window((*action.customers, *action.passed_to), action, clock, people)


def _window(customers: tuple[str, ...], action: Action, clock: Clock, people: People) -> Window:
    day = clock.day(action.day)
    number = np.array([int(customer) - 1 for customer in customers if customer.isdecimal()], dtype=np.int64)
    mine = np.flatnonzero(np.isin(people.number, number))
    inside = 0 <= day < clock.days
    return Window(mine if inside else mine[:0], float(day), float(min(day + action.days, clock.days)))


def bigger_baskets(parameters: Parameters, clock: Clock, people: People, orders: Orders) -> Orders:
    """The orders of the treated with the value that they have under the actions; the others as they are."""
    for action in parameters.actions:
        if action.basket != 1.0:
            orders.value = np.where(window(action, clock, people).holds(orders), orders.value * action.basket,
                                    orders.value)
    return orders


def not_placed(parameters: Parameters, clock: Clock, people: People, orders: Orders,
               seed: np.random.SeedSequence) -> np.ndarray:
    """Which orders the treated do not place, because an action lowers their rate."""
    lost = np.zeros(len(orders), bool)
    for action in parameters.actions:
        if action.rate < 1.0:
            drawn = _generator(seed, f"{action.name} less").random(len(orders))
            lost |= window(action, clock, people).holds(orders) & (drawn >= action.rate)
    return lost


def added_orders(parameters: Parameters, clock: Clock, people: People, left: np.ndarray,
                 seed: np.random.SeedSequence) -> Orders:
    """The orders that the actions cause: more of those who are still there, and of some who had left one."""
    parts = [_orders_of(number, action, parameters, clock, people, left, _generator(seed, action.name))
             for number, action in enumerate(parameters.actions, start=len(parameters.experiments))]
    columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in vars(parts[0])}
    order = np.lexsort((columns["at"], columns["person"]))
    added = Orders(**{name: column[order] for name, column in columns.items()})
    added.sequence = FIRST_SEQUENCE + np.arange(len(added)) - np.searchsorted(added.person, added.person)
    return added


def _orders_of(number: int, action: Action, parameters: Parameters, clock: Clock, people: People, left: np.ndarray,
               rng: np.random.Generator) -> Orders:
    whom, start, end = window(action, clock, people)
    gone = np.nan_to_num(left[whom], nan=-np.inf)  # a prospect is nobody's customer yet
    until = np.clip(gone, start, end)
    length = clock.passed(people.persona[whom], np.full(len(whom), start), until)
    caused = rng.poisson(np.maximum(action.rate - 1.0, 0.0) * people.rate[whom] * length)
    again = np.repeat(np.arange(len(whom)), caused)
    at = start + rng.random(len(again)) * (until - start)[again]
    back = np.flatnonzero((rng.random(len(whom)) < action.comes_back) & np.isfinite(gone) & (gone < start))
    at = np.concatenate([at, start + rng.random(len(back)) * (end - start)])
    person = np.concatenate([whom[again], whom[back]])
    made = purchases.with_values(parameters, clock, people, rng, person, at, rng.normal(0.0, 1.0, len(person)),
                                 np.full(len(person), number))
    made.value = made.value * action.basket
    return made


def with_actions(parameters: Parameters, clock: Clock, people: People, left: np.ndarray, shelf: catalog.Goods,
                 found: Bought, seed: np.random.SeedSequence) -> tuple[Bought, np.ndarray]:
    """What is bought under the actions, and where each order has gone (−1: it is not placed)."""
    rng = _generator(seed, "added")
    orders = added_orders(parameters, clock, people, left, seed)
    lines = purchases.make_lines(parameters, clock, people, orders, shelf, rng)
    back = purchases.make_returns(parameters, people, orders, lines, shelf, rng)
    context = encounters.make_context(parameters, people, orders, rng)
    cents = np.bincount(lines.order, lines.quantity * lines.unit_cents, minlength=len(orders)).astype(np.int64)
    invoices = encounters.make_payments(parameters, clock, people, orders, context, cents, rng)
    lost = not_placed(parameters, clock, people, found.orders, seed)
    return _merged(found, Bought(orders, lines, back, context, invoices), lost)


def _merged(found: Bought, more: Bought, lost: np.ndarray) -> tuple[Bought, np.ndarray]:
    """Both as one, by customer and time, without what is lost."""
    first = len(found.orders)
    columns = {name: np.concatenate([getattr(found.orders, name), getattr(more.orders, name)])
               for name in vars(found.orders)}
    order = np.lexsort((columns["at"], columns["person"]))
    order = order[~np.concatenate([lost, np.zeros(len(more.orders), bool)])[order]]
    place = np.full(first + len(more.orders), -1)
    place[order] = np.arange(len(order))
    orders = Orders(**{name: column[order] for name, column in columns.items()})
    lines, line_place = _merged_lines(found.lines, more.lines, first, place)
    back = {name: np.concatenate([getattr(found.back, name), getattr(more.back, name)]) for name in vars(found.back)}
    back["line"] = line_place[np.concatenate([found.back.line, len(found.lines.order) + more.back.line])]
    back = {name: column[back["line"] >= 0] for name, column in back.items()}
    context = encounters.Context(*(np.concatenate(both)[order]
                                   for both in zip(found.context, more.context, strict=True)))
    shifted = {**more.invoices, "order": more.invoices["order"] + first}
    both = {name: np.concatenate([found.invoices[name], shifted[name]]) for name in shifted}
    return Bought(orders, lines, Returned(**back), context, moved(both, place)), place[:first]


def _merged_lines(found: Lines, more: Lines, first: int, place: np.ndarray) -> tuple[Lines, np.ndarray]:
    columns = {name: np.concatenate([getattr(found, name), getattr(more, name)]) for name in vars(found)}
    columns["order"] = place[np.concatenate([found.order, more.order + first])]
    order = np.lexsort((columns["line_no"], columns["order"]))
    order = order[columns["order"][order] >= 0]
    line_place = np.full(len(columns["order"]), -1)
    line_place[order] = np.arange(len(order))
    return Lines(**{name: column[order] for name, column in columns.items()}), line_place


def moved(columns: encounters.Columns, place: np.ndarray) -> encounters.Columns:
    """Rows that name an order (−1: none), with its new place; without those whose order is not placed."""
    named = columns["order"] >= 0
    order = np.where(named, place[columns["order"]], -1)
    kept = ~named | (order >= 0)
    return {name: column[kept] for name, column in (columns | {"order": order}).items()}


def surveys_moved(asked: encounters.Columns, given: encounters.Columns,
                  place: np.ndarray) -> tuple[encounters.Columns, encounters.Columns]:
    """Invitations and answers with the new places of their orders, without those about an order that is not placed."""
    kept = (asked["order"] < 0) | (place[asked["order"]] >= 0)
    row = np.where(kept, np.cumsum(kept) - 1, -1)[given["invitation"]]
    answered = {name: column[row >= 0] for name, column in (given | {"invitation": row}).items()}
    return moved(asked, place), answered


def visits_moved(visits: encounters.Columns, place: np.ndarray) -> encounters.Columns:
    """Visits without those that ended in an order that is not placed; sessions numbered anew."""
    found = moved(visits, place)
    return found | {"session": np.unique(found["session"], return_inverse=True)[1]}


def codes(parameters: Parameters, clock: Clock, people: People, orders: Orders) -> np.ndarray:
    """The action whose code each order was placed with, the later one where two have one; −1: no code."""
    found = np.full(len(orders), -1)
    for number, action in enumerate(parameters.actions):
        if action.code:
            found[window(action, clock, people).holds(orders)] = number
    return found


def messages(parameters: Parameters, clock: Clock, people: People,
             seed: np.random.SeedSequence) -> encounters.Columns:
    """One message of each action to each of its treated; `campaign` is the place of the action."""
    parts = []
    for number, action in enumerate(parameters.actions):
        whom, start, _ = _window(action.customers, action, clock, people)
        rng = _generator(seed, f"{action.name} messages")
        sent = start + HOUR + rng.random(len(whom)) * 0.02
        opened = rng.random(len(whom)) < people.engagement[whom]
        clicked = opened & (rng.random(len(whom)) < 0.22)
        read = sent + rng.exponential(0.4, len(whom))
        parts.append({
            "person": whom, "campaign": np.full(len(whom), number), "sent": sent, "delivered": sent + 0.001,
            "opened": np.where(opened & (read < clock.days), read, np.nan),
            "clicked": np.where(clicked & (read + 0.002 < clock.days), read + 0.002, np.nan),
            "unsubscribed": np.full(len(whom), np.nan),
            "cents": np.full(len(whom), round(action.cost * 100))})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {}


def _generator(seed: np.random.SeedSequence, name: str) -> np.random.Generator:
    key = (*seed.spawn_key, zlib.crc32(name.encode()))
    return np.random.default_rng(np.random.SeedSequence(seed.entropy, spawn_key=key))
