"""One cell of the simulated shop: a fixed number of customers with everything they do, and the truth of it.

A cell draws from generators of its own, spawned from the seed by its number and by topic, so that neither the
order of the cells nor how many are made at a time changes anything, and a new topic leaves the others alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from workbook.data.simulation import actions, catalog, encounters, purchases
from workbook.data.simulation.clock import Clock
from workbook.data.simulation.encounter_tables import EncounterScribe
from workbook.data.simulation.parameters import Parameters
from workbook.data.simulation.population import People, make_people
from workbook.data.simulation.sales_tables import FREE_SHIPPING_CENTS, SHIPPING_CENTS, SalesScribe
from workbook.data.simulation.truth_tables import TruthScribe

CELL = 8_000  # customers that are drawn together; part of the truth: another number is another shop
_TOPICS = ("people", "orders", "trials", "lines", "returns", "context", "visits", "contacts", "surveys", "tickets",
           "subscriptions", "payments", "names")


@dataclass(frozen=True)
class Cell:
    """The canonical tables of some customers, their truth, and what adds up to the shop's totals."""

    tables: dict[str, pa.Table]
    truth: dict[str, pa.Table]
    totals: dict[str, np.ndarray]  # by month: orders, cents, returned cents; customers won by month and channel


def make_cell(parameters: Parameters, clock: Clock, seed: int, number: int, customers: int) -> Cell:
    """Simulate cell `number` of a shop with so many customers in all."""
    rng = {topic: np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(number, place)))
           for place, topic in enumerate(_TOPICS)}
    first, shelf = number * CELL, catalog.goods()
    people = make_people(parameters, clock, rng["people"], first, min(CELL, customers - first))
    orders, left = purchases.make_orders(parameters, clock, people, rng["orders"])
    trials, orders = purchases.make_trials(parameters, clock, people, orders, left, rng["trials"])
    orders = actions.bigger_baskets(parameters, clock, people, orders)
    lines = purchases.make_lines(parameters, clock, people, orders, shelf, rng["lines"])
    back = purchases.make_returns(parameters, people, orders, lines, shelf, rng["returns"])
    context = encounters.make_context(parameters, people, orders, rng["context"])
    contacts, stopped = encounters.make_contacts(parameters, clock, people, left, rng["contacts"])
    invitations, answers = encounters.make_surveys(parameters, clock, people, orders, rng["surveys"])
    tickets = encounters.make_tickets(parameters, clock, people, orders, rng["tickets"])
    contracts = encounters.make_subscriptions(parameters, clock, people, rng["subscriptions"])
    cents = np.bincount(lines.order, lines.quantity * lines.unit_cents, minlength=len(orders)).astype(np.int64)
    invoices = encounters.make_payments(parameters, clock, people, orders, context, cents, rng["payments"])
    visits = encounters.make_visits(parameters, clock, people, orders, context, lines, left, shelf, rng["visits"])
    own = np.random.SeedSequence(seed, spawn_key=(number, len(_TOPICS)))
    if parameters.actions:
        found = actions.Bought(orders, lines, back, context, invoices)
        (orders, lines, back, context, invoices), place = actions.with_actions(
            parameters, clock, people, left, shelf, found, own)
        invitations, answers = actions.surveys_moved(invitations, answers, place)
        tickets, visits = actions.moved(tickets, place), actions.visits_moved(visits, place)
        cents = np.bincount(lines.order, lines.quantity * lines.unit_cents, minlength=len(orders)).astype(np.int64)

    sales, met, known = (scribe(parameters, clock, people, orders, context, shelf)
                         for scribe in (SalesScribe, EncounterScribe, TruthScribe))
    tables = {
        "customers": sales.customers(),
        "customer_attributes": sales.attributes(cents),
        "orders": sales.orders_table(lines, cents),
        "order_lines": sales.lines_table(lines),
        "returns": sales.returns_table(lines, back),
        "payments": sales.payments(invoices),
        "subscriptions": sales.subscriptions(contracts),
        "events": met.events(visits),
        "contacts": met.contacts(contacts, actions.messages(parameters, clock, people, own)),
        "consents": met.consents(stopped),
        "referrals": sales.referrals(),
        "assignments": met.assignments(trials),
        "outcomes": met.outcomes(trials, cents),
        "survey_invitations": met.invitations(invitations),
        "survey_answers": met.answers(invitations, answers),
        "tickets": met.tickets(tickets),
    }
    truth = {
        "customers": known.customers(left),
        "orders": known.orders_table(),
        "returns": known.returns(lines, back),
        "assignments": known.assignments(trials),
        "subscriptions": known.subscriptions(contracts),
    }
    return Cell(tables, truth, _totals(parameters, clock, people, orders, lines, back, cents))


def _totals(parameters: Parameters, clock: Clock, people: People, orders: purchases.Orders, lines: purchases.Lines,
            back: purchases.Returned, cents: np.ndarray) -> dict[str, np.ndarray]:
    edges = np.array([clock.first_of_month(month) for month in range(1, clock.months + 1)])
    width = clock.months + 1  # the tail counts as a month of its own
    month, born = (np.searchsorted(edges, np.floor(at), side="right") for at in (orders.at, people.born))
    returned = np.searchsorted(edges, np.floor(back.at), side="right")
    inside = back.at < clock.days
    won = born * len(parameters.channels) + people.channel
    postage = np.where(cents < FREE_SHIPPING_CENTS, SHIPPING_CENTS, 0)
    return {
        "orders": np.bincount(month, minlength=width),
        "cents": np.bincount(month, cents, minlength=width).astype(np.int64),
        "shipping_cents": np.bincount(month, postage, minlength=width).astype(np.int64),
        "returned_cents": np.bincount(returned[inside], back.cents[inside], minlength=width).astype(np.int64),
        "won": np.bincount(won[~people.prospect], minlength=width * len(parameters.channels)),
    }
