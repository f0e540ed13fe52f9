"""When the simulated customers order, when they leave, what they take and what comes back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbook.data.simulation import catalog
from workbook.data.simulation.clock import Clock
from workbook.data.simulation.parameters import Experiment, Parameters
from workbook.data.simulation.population import People


@dataclass
class Orders:
    """One array entry an order, by customer and time."""

    person: np.ndarray  # position in the cell's People
    sequence: np.ndarray  # 0 for the customer's first
    at: np.ndarray  # days since the shop opened, local
    service: np.ndarray  # quality met, in standard deviations
    value: np.ndarray  # CNY that the customer is ready to pay, gamma-gamma
    promoted: np.ndarray  # a promotion ran
    guest: np.ndarray  # bought without saying who
    added: np.ndarray  # number of the experiment, or after these of the action, that caused it; −1 for none

    def __len__(self) -> int:
        return len(self.person)


@dataclass
class Lines:
    """One array entry a line, by order."""

    order: np.ndarray  # position in Orders
    line_no: np.ndarray
    product: np.ndarray
    quantity: np.ndarray
    unit_cents: np.ndarray  # price paid for one unit
    list_cents: np.ndarray  # list price of one unit on that day


@dataclass
class Returned:
    """One array entry a line that comes back, some of them after the end of the history."""

    line: np.ndarray  # position in Lines
    turn: np.ndarray  # the same when it was drawn, before any action: the reason follows from it
    quantity: np.ndarray
    cents: np.ndarray
    at: np.ndarray


@dataclass
class Trial:
    """One experiment: who was put where, and what they did before and during it."""

    experiment: Experiment
    person: np.ndarray
    treated: np.ndarray
    lost: np.ndarray  # the record of the assignment is missing
    at: np.ndarray
    start: float
    end: float


def make_orders(
    parameters: Parameters, clock: Clock, people: People, rng: np.random.Generator
) -> tuple[Orders, np.ndarray]:
    """Each customer's orders, and the day on which they left (infinity: still with the shop).

    Round by round: all who are still there order, meet a service and stay or leave by it.
    """
    here = np.flatnonzero(~people.prospect)
    at, left = people.born[here], np.full(len(people), np.inf)
    left[people.prospect] = np.nan
    rounds: list[tuple[np.ndarray, ...]] = []
    for sequence in range(parameters.longest_history):
        if sequence > 0 and not len(here):
            break
        service = _service(parameters, clock, people, here, at, rng)
        hazard = np.exp(-parameters.service_on_dropout * service)
        leaves = rng.random(len(here)) < 1.0 - (1.0 - people.dropout[here]) ** hazard
        leaves &= parameters.leaves_after_first or sequence > 0
        left[here[leaves]] = at[leaves]
        rounds.append((here, np.full(len(here), sequence), at, service))
        here, at = here[~leaves], at[~leaves]
        at = clock.advance(people.persona[here], at, rng.exponential(1.0, len(here)) / people.rate[here])
        here, at = here[at < clock.days], at[at < clock.days]
    person, sequence, when, service = (np.concatenate(parts) for parts in zip(*rounds, strict=True))
    orders = with_values(parameters, clock, people, rng, person, when, service, np.full(len(person), -1))
    last = np.full(len(people), -np.inf)
    np.maximum.at(last, orders.person, orders.at)
    return orders, np.where(np.isfinite(left), last, left)


def _service(parameters: Parameters, clock: Clock, people: People, who: np.ndarray, at: np.ndarray,
             rng: np.random.Generator) -> np.ndarray:
    hit = np.isin([region[0] for region in catalog.REGIONS], parameters.crisis_regions)[people.region[who]]
    during = (at >= clock.crisis[0]) & (at < clock.crisis[1])
    return rng.normal(0.0, 1.0, len(who)) - during * parameters.crisis_depth * (1.0 + hit)


def with_values(parameters: Parameters, clock: Clock, people: People, rng: np.random.Generator, person: np.ndarray,
                at: np.ndarray, service: np.ndarray, added: np.ndarray) -> Orders:
    """Orders of these customers at these times, with the hour and the value that each comes to."""
    day = np.minimum(at.astype(int), clock.days - 1)
    order = np.lexsort((day + (hour := _hour(rng, len(person))) / 24.0, person))
    person, service, added, day = person[order], service[order], added[order], day[order]
    return Orders(
        person=person, sequence=np.arange(len(person)) - np.searchsorted(person, person), at=day + hour[order] / 24.0,
        service=service, value=rng.gamma(parameters.spend_p, people.spend_scale[person]),
        promoted=clock.promotion[day], guest=rng.random(len(person)) < parameters.guest_share, added=added)


def _hour(rng: np.random.Generator, count: int) -> np.ndarray:
    """Hour of the day: lunch and, more, the evening."""
    evening = rng.random(count) < 0.6
    return np.clip(np.where(evening, rng.normal(20.5, 1.6, count), rng.normal(12.5, 2.6, count)), 6.0, 23.99)


def make_trials(
    parameters: Parameters, clock: Clock, people: People, orders: Orders, left: np.ndarray, rng: np.random.Generator
) -> tuple[list[Trial], Orders]:
    """Draw the arms of each experiment and add the orders that its true effect causes.

    While the experiment runs a treated customer who is still with the shop orders at rate × (1 + lift):
    the orders that are already there and an independent Poisson process at rate × lift.
    """
    trials, extra = [], [[np.empty(0, int), np.empty(0), np.empty(0, int)]]
    for number, experiment in enumerate(parameters.experiments):
        start = clock.first_of_month(experiment.month)
        if start < 0 or start + experiment.days > clock.days:
            continue
        earlier = np.bincount(orders.person[orders.at < start], minlength=len(people))
        person = np.flatnonzero(earlier > 0)
        treated = rng.random(len(person)) < experiment.treated_share
        cold = 2.0 * (1.0 - people.engagement[person].clip(0.0, 1.0))
        lost = treated & (rng.random(len(person)) < np.minimum(experiment.lost_share * cold, 1.0))
        trials.append(Trial(experiment, person, treated, lost, start + rng.random(len(person)) * 0.3, start,
                            start + experiment.days))
        applies = treated & ((earlier[person] == 1) | (experiment.applies_to == "all"))
        whom = person[applies]
        until = np.minimum(np.where(np.isnan(left[whom]), start, left[whom]), start + experiment.days)
        span = np.maximum(until - start, 0.0)
        length = clock.passed(people.persona[whom], np.full(len(whom), float(start)), start + span)
        caused = rng.poisson(experiment.lift * people.rate[whom] * length)
        again = np.repeat(np.arange(len(whom)), caused)
        extra.append([whom[again], start + rng.random(len(again)) * span[again], np.full(len(again), number)])
    person, at, added = (np.concatenate(parts) for parts in zip(*extra, strict=True))
    if not len(person):
        return trials, orders
    more = with_values(parameters, clock, people, rng, person, at, rng.normal(0.0, 1.0, len(person)), added)
    return trials, _merged(orders, more)


def _merged(orders: Orders, more: Orders) -> Orders:
    columns = {name: np.concatenate([getattr(orders, name), getattr(more, name)]) for name in vars(orders)}
    order = np.lexsort((columns["at"], columns["person"]))
    merged = Orders(**{name: column[order] for name, column in columns.items()})
    merged.sequence = np.arange(len(merged)) - np.searchsorted(merged.person, merged.person)
    return merged


def make_lines(parameters: Parameters, clock: Clock, people: People, orders: Orders, shelf: catalog.Goods,
               rng: np.random.Generator) -> Lines:
    """Share each order's value out over products whose list price is a little above it.

    The difference to the list price is the discount; while a promotion runs there is a further one.
    """
    extra = np.array([persona.extra_lines for persona in parameters.personas])[people.persona[orders.person]]
    lines = np.minimum(1 + rng.poisson(extra), 12)
    order = np.repeat(np.arange(len(orders)), lines)
    line_no = np.arange(len(order)) - np.repeat(np.cumsum(lines) - lines, lines)
    portion = rng.gamma(3.0, 1.0, len(order))
    portion /= np.bincount(order, portion, minlength=len(orders))[order]
    target = orders.value[order] * portion

    edges = np.cumsum([np.array(p.categories) / sum(p.categories) for p in parameters.personas], axis=1)
    draw = rng.random(len(order))
    category = (draw[:, None] > edges[people.persona[orders.person[order]]]).sum(axis=1).clip(max=len(edges[0]) - 1)
    leading = np.repeat(category[line_no == 0], lines)
    joins = (line_no > 0) & (rng.random(len(order)) < parameters.companion_share)
    category = np.where(joins, np.array(catalog.COMPANION)[leading], category)

    dearer = np.where((category == 0) & (orders.at[order] >= clock.day(catalog.PRICE_RISE)),
                      catalog.PRICE_RISE_FACTOR, 1.0)
    quantity = np.maximum(rng.choice([1, 1, 1, 1, 1, 2, 2, 3], len(order)),
                          np.ceil(target / (shelf.price[shelf.last[category]] * dearer))).astype(int)
    key = shelf.category * 1e7 + shelf.price
    product = np.searchsorted(key, category * 1e7 + target / quantity / dearer) + (rng.random(len(order)) < 0.06)
    product = np.clip(product, shelf.first[category], shelf.last[category])
    listed = np.rint(shelf.price[product] * dearer * 100.0).astype(np.int64)
    paid = np.maximum(target / quantity * 100.0, np.maximum(listed * parameters.lowest_price_share, 1.0))
    paid = np.rint(paid * (1.0 - parameters.promotion_discount * orders.promoted[order])).astype(np.int64)
    return Lines(order=order, line_no=line_no + 1, product=product, quantity=quantity,
                 unit_cents=np.minimum(paid, listed), list_cents=listed)


def make_returns(parameters: Parameters, people: People, orders: Orders, lines: Lines, shelf: catalog.Goods,
                 rng: np.random.Generator) -> Returned:
    """Lines that come back: which, how many units and when."""
    person = orders.person[lines.order]
    chance = (parameters.return_share * catalog.RETURN_FACTOR[shelf.category[lines.product]]
              * np.array([persona.returns for persona in parameters.personas])[people.persona[person]]
              * np.where(people.abuser[person], parameters.abuser_returns, 1.0)
              * np.exp(-parameters.service_on_returns * orders.service[lines.order]))
    back = np.flatnonzero(rng.random(len(chance)) < np.minimum(chance, 0.9))
    whole = lines.quantity[back]
    partial = (whole > 1) & (rng.random(len(back)) < parameters.partial_share)
    quantity = np.where(partial, 1 + (rng.random(len(back)) * (whole - 1)).astype(int), whole)
    delay = 1.0 + rng.gamma(parameters.return_shape, parameters.return_scale, len(back))
    return Returned(line=back, turn=back, quantity=quantity, cents=quantity * lines.unit_cents[back],
                    at=orders.at[lines.order[back]] + delay)
