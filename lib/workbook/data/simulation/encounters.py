"""What else passes between the simulated shop and its customers: visits, messages, surveys, complaints, contracts.

Each function returns plain arrays by column name. Times are days since the shop opened, local; a missing
time is nan. A message changes nobody's orders (`Parameters.contact_effect`): whoever clicks orders more anyway.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from workbook.data.simulation import catalog
from workbook.data.simulation.clock import Clock
from workbook.data.simulation.parameters import Parameters
from workbook.data.simulation.population import People
from workbook.data.simulation.purchases import Lines, Orders

Columns = dict[str, np.ndarray]

SALE_CHANNELS = ("app", "web", "wechat", "store")
PAYMENT_METHODS = ("alipay", "wechat_pay", "card", "invoice")
EVENTS = ("visit", "search", "view", "cart", "checkout", "purchase")
DEVICES = ("phone", "app", "desktop", "tablet")
CONTACT_CHANNELS = ("mail", "sms")
OFFERS = ("new arrivals", "10% off", "free shipping", "gift with order")
MODES = ("sms", "mail", "app", "telephone")
QUESTIONS = ("nps", "csat", "product_quality", "delivery", "service")
TOPICS = ("delivery", "quality", "refund", "invoice", "question")
PLANS = ("monthly tea box", "monthly wellness box")
PLAN_CENTS = (12_900, 9_900)
END_REASONS = ("too expensive", "too much tea", "bad delivery", "not said")


class Context(NamedTuple):
    """How and where each order was sold."""

    channel: np.ndarray  # index into SALE_CHANNELS
    payment: np.ndarray  # index into PAYMENT_METHODS


def make_context(parameters: Parameters, people: People, orders: Orders, rng: np.random.Generator) -> Context:
    """Sales channel and means of payment of each order."""
    count = len(orders)
    from_store = np.array([channel.name == "store" for channel in parameters.channels])[people.channel[orders.person]]
    channel = np.where(from_store & (rng.random(count) < 0.7), 3, rng.choice(3, count, p=(0.5, 0.22, 0.28)))
    by_invoice = np.array([persona.on_account for persona in parameters.personas])[people.persona[orders.person]]
    return Context(channel, np.where(by_invoice, 3, rng.choice(3, count, p=(0.55, 0.35, 0.10))))


def make_visits(parameters: Parameters, clock: Clock, people: People, orders: Orders, context: Context, lines: Lines,
                left: np.ndarray, shelf: catalog.Goods, rng: np.random.Generator) -> Columns:
    """Events of the customers whose visits are recorded: one visit before each order, further ones without."""
    bought = np.flatnonzero(people.tracked[orders.person] & (context.channel != 3) & ~orders.guest)
    watched = np.flatnonzero(people.tracked)
    gone = np.where(np.isfinite(left[watched]), left[watched], clock.days)
    gone = np.where(people.prospect[watched], np.minimum(people.born[watched] + 150.0, clock.days), gone)
    end = np.full(len(watched), float(clock.days))
    with_shop = clock.passed(people.persona[watched], people.born[watched], gone)
    after = clock.passed(people.persona[watched], gone, end)
    rate = people.rate[watched]
    some = people.prospect[watched] * 1.5
    here = rng.poisson(parameters.visits_per_order * rate * with_shop + some)
    later = rng.poisson(parameters.visits_after * rate * after * ~people.prospect[watched])

    who = np.concatenate([orders.person[bought], np.repeat(watched, here), np.repeat(watched, later)])
    session_order = np.r_[bought, np.full(here.sum() + later.sum(), -1)]
    begin = np.concatenate([
        orders.at[bought] - rng.uniform(4.0, 40.0, len(bought)) / 1440.0,
        _between(rng, np.repeat(people.born[watched], here), np.repeat(gone, here)),
        _between(rng, np.repeat(gone, later), np.repeat(end, later))])
    idle = here.sum() + later.sum()
    furthest = np.concatenate([np.full(len(bought), 4), rng.choice(4, idle, p=(.35, .42, .16, .07))])
    wanted = np.concatenate([lines.product[np.searchsorted(lines.order, bought)],
                             rng.integers(0, len(shelf.ids), idle)])
    keen = 0.5 + 4.0 * np.minimum(people.rate[who] * 7.0, 0.8)
    views = np.where(furthest >= 1, 1 + rng.poisson(keen), 0)
    searched = rng.random(len(who)) < 0.35
    counts = np.stack([np.ones(len(who), int), searched, views, furthest >= 2, furthest >= 3, furthest >= 4], axis=1)

    session = np.repeat(np.arange(len(who)), counts.sum(axis=1))
    kind = np.repeat(np.tile(np.arange(6), len(who)), counts.ravel())
    step = np.arange(len(session)) - np.searchsorted(session, session)
    product = np.where(kind == 2, rng.integers(0, len(shelf.ids), len(session)), wanted[session])
    product = np.where((kind == 2) & (rng.random(len(session)) < 0.4), wanted[session], product)
    purchase_at = np.concatenate([orders.at[bought], np.zeros(len(who) - len(bought))])
    lasting = np.where(kind == 5, 1.0, counts.sum(axis=1)[session])
    at = begin[session] + np.where(kind == 5, purchase_at[session] - begin[session], step * 3.5 / lasting / 1440.0)
    return {
        "person": who[session], "session": session, "order": session_order[session],
        "event": kind, "at": np.minimum(at, clock.days - 1e-5),
        "product": np.where((kind >= 2) & (kind <= 3), product, -1),
        "term": np.where(kind == 1, rng.integers(0, len(catalog.SEARCH_TERMS), len(session)), -1),
        "source": rng.choice(len(catalog.TRAFFIC_SOURCES), len(who), p=(.28, .22, .16, .12, .12, .06, .04))[session],
        "device": rng.choice(len(DEVICES), len(who), p=(.46, .34, .16, .04))[session],
        "dwell": np.rint(np.exp(rng.normal(3.2, 0.8, len(session)))),
        "known": (rng.random(len(who)) < parameters.logged_in_share)[session],
    }


def _between(rng: np.random.Generator, since: np.ndarray, until: np.ndarray) -> np.ndarray:
    return since + rng.random(len(since)) * np.maximum(until - since, 0.0)


def make_contacts(parameters: Parameters, clock: Clock, people: People, left: np.ndarray,
                  rng: np.random.Generator) -> tuple[Columns, np.ndarray]:
    """One campaign a month to customers who consent; also the day on which each customer unsubscribed (or nan)."""
    stopped, parts = np.full(len(people), np.nan), []
    for month in range(clock.months):
        day = clock.first_of_month(month) + 9.0 + 10.0 / 24.0
        agreed = people.consents_sms if campaign_channel(month) else people.consents
        reachable = agreed & (people.born < day) & np.isnan(stopped)
        who = np.flatnonzero(reachable & (rng.random(len(people)) < parameters.contacted_share))
        count = len(who)
        sent = day + rng.random(count) * 0.1
        arrived = rng.random(count) < 0.97
        gone = np.isfinite(left[who]) & (left[who] < day)
        opened = arrived & (rng.random(count) < people.engagement[who] * np.where(gone, 0.5, 1.0))
        clicked = opened & (rng.random(count) < 0.22)
        leaves = arrived & (rng.random(count) < parameters.unsubscribe_share * (1.0 + 2.0 * gone))
        read = sent + rng.exponential(0.4, count)
        stopped[who[leaves]] = (sent + rng.exponential(0.5, count))[leaves]
        parts.append({
            "person": who, "campaign": np.full(count, month), "sent": sent,
            "delivered": np.where(arrived, sent + 0.001, np.nan), "opened": np.where(opened, read, np.nan),
            "clicked": np.where(clicked, read + 0.002, np.nan), "unsubscribed": np.where(leaves, stopped[who], np.nan),
            "cents": np.full(count, 5 if campaign_channel(month) else 1)})
    names = parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in names}, stopped


def campaign_channel(month: int) -> int:
    """Index into CONTACT_CHANNELS: every third campaign is a text message."""
    return int(month % 3 == 2)


def make_surveys(parameters: Parameters, clock: Clock, people: People, orders: Orders,
                 rng: np.random.Generator) -> tuple[Columns, Columns]:
    """Invitations and answers: a wave each quarter, and a question after some of the orders.

    What a customer answers follows the service they met in the last 180 days; who is unhappy answers more
    often than who is indifferent, and on the telephone everybody is kinder.
    """
    parts = []
    for month in range(3, clock.months + 1, 3):
        day = clock.first_of_month(month) - 8.0
        recent = np.flatnonzero((orders.at < day) & (orders.at >= day - 180.0))
        met = np.bincount(orders.person[recent], minlength=len(people))
        mood = np.bincount(orders.person[recent], orders.service[recent], minlength=len(people)) / np.maximum(met, 1)
        who = np.flatnonzero((met > 0) & (rng.random(len(people)) < parameters.wave_share))
        parts.append((who, np.full(len(who), -1), np.full(len(who), month // 3 - 1), day + rng.random(len(who)),
                      mood[who]))
    asked = np.flatnonzero((rng.random(len(orders)) < parameters.after_order_share) & ~orders.guest)
    asked = asked[orders.at[asked] + 8.0 < clock.days]
    parts.append((orders.person[asked], asked, np.full(len(asked), -1), orders.at[asked] + 7.0, orders.service[asked]))
    person, order, wave, at, mood = (np.concatenate(pieces) for pieces in zip(*parts, strict=True))
    count = len(person)
    mode = rng.choice(len(MODES), count, p=(0.35, 0.25, 0.25, 0.15))
    feeling = parameters.service_on_score * mood + rng.normal(0.0, 0.6, count)
    answers = rng.random(count) < parameters.response_share * np.where(mode == 3, 1.5, 1.0) * (
        0.85 + 0.3 * np.abs(feeling.clip(-2.0, 2.0)))
    invitations = {"person": person, "order": order, "wave": wave, "mode": mode, "at": at}

    given = np.flatnonzero(answers)
    asked_for = np.where(wave[given] >= 0, len(QUESTIONS), 1)
    who = np.repeat(given, asked_for)
    question = np.arange(len(who)) - np.searchsorted(who, who)
    question = np.where(wave[who] >= 0, question, 1)
    level = feeling[who] + 0.3 * (mode[who] == 3) + rng.normal(0.0, 0.35, len(who))
    score = np.where(question == 0, np.rint(8.1 + 1.7 * level).clip(0, 10), np.rint(4.0 + 0.8 * level).clip(1, 5))
    at = np.repeat(at[given] + rng.exponential(1.5, len(given)) + 0.02, asked_for) + question * 20 / 86400.0
    kept = at < clock.days
    return invitations, {"invitation": who[kept], "question": question[kept], "score": score[kept], "at": at[kept]}


def make_tickets(parameters: Parameters, clock: Clock, people: People, orders: Orders,
                 rng: np.random.Generator) -> Columns:
    """Requests and complaints: bad service makes more of them, and slower answers."""
    chance = parameters.ticket_share * np.exp(-parameters.service_on_tickets * orders.service)
    order = np.flatnonzero((rng.random(len(orders)) < np.minimum(chance, 0.8)) & ~orders.guest)
    count, service = len(order), orders.service[order]
    opened = orders.at[order] + 0.5 + rng.exponential(3.0, count)
    answered = opened + np.exp(rng.normal(-2.0, 0.8, count) - 0.3 * service)
    closed = answered + np.exp(rng.normal(0.0, 0.9, count) - 0.2 * service)
    again = rng.random(count) < 0.08 * np.exp(-0.3 * service)
    poor, ordinary = rng.choice(3, count, p=(.5, .3, .2)), rng.choice(5, count, p=(.2, .15, .15, .2, .3))
    topic = np.where(service < -0.5, poor, ordinary)
    columns = {
        "person": orders.person[order], "order": order, "topic": topic, "channel": rng.integers(0, 3, count),
        "opened": opened, "answered": answered, "closed": closed,
        "reopened": np.where(again, closed + rng.exponential(2.0, count), np.nan), "complaint": (topic < 3)}
    for name in ("answered", "closed", "reopened"):
        columns[name] = np.where(columns[name] < clock.days, columns[name], np.nan)
    here = opened < clock.days
    return {name: column[here] for name, column in columns.items()}


def make_subscriptions(parameters: Parameters, clock: Clock, people: People, rng: np.random.Generator) -> Columns:
    """Contracts of a part of the customers: each cancels with their own probability at the end of each month."""
    share = np.array([persona.subscribes for persona in parameters.personas])[people.persona]
    who = np.flatnonzero((rng.random(len(people)) < share) & ~people.prospect)
    started = np.floor(people.born[who]) + 7 + rng.integers(0, 60, len(who))
    who, started = who[started < clock.days], started[started < clock.days]
    theta = rng.beta(parameters.subscription_alpha, parameters.subscription_beta, len(who))
    lasted = rng.geometric(np.maximum(theta, 1e-9))
    ended = started + np.minimum(lasted, 10_000) * 30.0
    return {"person": who, "plan": rng.integers(0, 2, len(who)), "started": started, "theta": theta,
            "months": lasted, "ended": np.where(ended < clock.days, ended, np.nan),
            "reason": rng.integers(0, len(END_REASONS), len(who))}


def make_payments(parameters: Parameters, clock: Clock, people: People, orders: Orders, context: Context,
                  cents: np.ndarray, rng: np.random.Generator) -> Columns:
    """Invoices of the customers who pay on account; late payers pay late, and a few invoices never."""
    order = np.flatnonzero((context.payment == 3) & ~orders.guest)
    late = people.late_payer[orders.person[order]]
    due = np.floor(orders.at[order]) + parameters.payment_days
    paid = due + 0.5 + np.where(late, rng.exponential(parameters.late_days, len(order)),
                                -rng.uniform(0.0, 12.0, len(order)))
    paid = np.where(late & (rng.random(len(order)) < parameters.default_share), np.nan, paid)
    return {"person": orders.person[order], "order": order, "cents": cents[order], "due": due,
            "paid": np.where(paid < clock.days, paid, np.nan)}
