"""One cell of the simulated shop: a fixed number of customers with everything they do, and the truth of it.

A cell draws from generators of its own, spawned from the seed by its number and by topic, so that neither the
order of the cells nor how many are made at a time changes anything, and a new topic leaves the others alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbook.data.simulation import catalog, encounters, purchases
from workbook.data.simulation.catalog import CATEGORIES, REGIONS
from workbook.data.simulation.clock import Clock, month_start
from workbook.data.simulation.parameters import Parameters
from workbook.data.simulation.population import People, make_people
from workbook.data.simulation.tables import Number, Words, dates, running, strings, table, timestamps

CELL = 8_000  # customers that are drawn together; part of the truth: another number is another shop
_TOPICS = ("people", "orders", "trials", "lines", "returns", "context", "visits", "contacts", "surveys", "tickets",
           "subscriptions", "payments", "names")
_PINYIN = ("wang", "li", "zhang", "liu", "chen", "yang", "zhao", "huang", "zhou", "wu", "xu", "sun", "hu", "zhu",
           "gao", "lin", "he", "guo", "ma", "luo")
FREE_SHIPPING_CENTS = 4_900  # orders below pay SHIPPING_CENTS
SHIPPING_CENTS = 1_000
MEMBER_LEVELS = {"basic": 0.0, "silver": 500.0, "gold": 2_000.0}  # CNY spent so far


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

    scribe = _Scribe(parameters, clock, people, orders, context, shelf)
    tables = {
        "customers": scribe.customers(),
        "customer_attributes": scribe.attributes(cents),
        "orders": scribe.orders_table(lines, cents),
        "order_lines": scribe.lines_table(lines),
        "returns": scribe.returns_table(lines, back),
        "payments": scribe.payments(invoices),
        "subscriptions": scribe.subscriptions(contracts),
        "events": scribe.events(visits),
        "contacts": scribe.contacts(contacts),
        "consents": scribe.consents(stopped),
        "referrals": scribe.referrals(),
        "assignments": scribe.assignments(trials),
        "outcomes": scribe.outcomes(trials, cents),
        "survey_invitations": scribe.invitations(invitations),
        "survey_answers": scribe.answers(invitations, answers),
        "tickets": scribe.tickets(tickets),
    }
    truth = {
        "customers": scribe.truth_customers(left),
        "orders": scribe.truth_orders(),
        "returns": scribe.truth_returns(lines, back),
        "assignments": scribe.truth_assignments(trials),
        "subscriptions": scribe.truth_subscriptions(contracts),
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


class _Scribe:
    """Writes the arrays of one cell down as canonical tables."""

    def __init__(self, parameters: Parameters, clock: Clock, people: People, orders: purchases.Orders,
                 context: encounters.Context, shelf: catalog.Goods) -> None:
        self.parameters, self.clock, self.people, self.orders = parameters, clock, people, orders
        self.context, self.shelf = context, shelf
        minutes = np.floor(orders.at * 1440.0).astype(np.int64)
        self.order_number = (3 * 10**17 + minutes * 10**10 + people.number[orders.person].astype(np.int64) * 1000
                             + orders.sequence)
        self.order_id = strings(Number(self.order_number))

    def _table(self, name: str, /, **columns: object) -> pa.Table:
        return table(name, columns, self.clock.start)  # type: ignore[arg-type]

    def _customer(self, person: np.ndarray, missing: np.ndarray | None = None) -> Number:
        return Number(self.people.number[person] + 1, 8, missing=missing)

    def _order(self, order: np.ndarray) -> pa.Array:
        return self.order_id.take(pa.array(order, mask=order < 0))

    def customers(self) -> pa.Table:
        people = self.people
        names = tuple(surname + given for surname in catalog.SURNAMES for given in catalog.GIVEN)
        name = people.digits % len(names)
        streets = tuple(f"{official}{city}{street}" if official[:-1] != city else f"{official}{street}"
                        for _, _, official, city, _ in REGIONS for street in catalog.STREETS)
        house = strings(Number(people.digits // 7 % 300 + 1))
        street = strings(Words(people.region * len(catalog.STREETS) + people.digits // 11 % 10, streets))
        occupations = tuple(dict.fromkeys(o for p in self.parameters.personas for o in p.occupations))
        lookup = np.array([[occupations.index(p.occupations[k % len(p.occupations)]) for k in range(12)]
                           for p in self.parameters.personas])
        new_year = (people.birth_year - 1970).astype("datetime64[Y]").astype("datetime64[D]")
        born_on = pa.array((new_year + people.birth_day - 1).astype("datetime64[D]")).cast(pa.string())
        on_account = np.array([persona.on_account for persona in self.parameters.personas])[people.persona]
        mail = pc.binary_join_element_wise(
            strings(Words(name // len(catalog.GIVEN), _PINYIN)).cast(pa.string()),
            strings(Number(people.number + 1)), pa.scalar("@example.com"), "")
        return self._table(
            "customers", customer_id=self._customer(np.arange(len(people))),
            kind=Words(on_account.astype(int), ("person", "account")), name=Words(name, names),
            phone=Number(19_900_000_000 + people.number), mail=mail,
            address=pc.binary_join_element_wise(street.cast(pa.string()), house, pa.scalar("号"), ""),
            birth_date=born_on, gender=Words(people.woman.astype(int), ("male", "female")),
            education=Words(people.education, catalog.EDUCATION),
            occupation=Words(lookup[people.persona, people.occupation], occupations),
            income_band=Words(people.income, catalog.INCOME_BANDS),
            region=Words(people.region, [region[0] for region in REGIONS]),
            city=Words(people.region, [region[3] for region in REGIONS]), country=Words(0 * people.region, ("China",)),
            acquisition_channel=Words(people.channel, [channel.name for channel in self.parameters.channels]),
            registered_at=np.maximum(people.born - 0.01, 0.0))

    def attributes(self, cents: np.ndarray) -> pa.Table:
        """The member level of each customer, from the day after the order with which they reached it."""
        orders = self.orders
        spent = np.cumsum(np.where(orders.guest, 0, cents))
        before_mine = np.concatenate([[0], spent])[np.searchsorted(orders.person, orders.person)]
        known = np.flatnonzero(~self.people.prospect)
        who, level, since = [known], [np.zeros(len(known), int)], [self.people.born[known]]
        for number, threshold in enumerate(MEMBER_LEVELS.values()):
            reached = np.flatnonzero(spent - before_mine >= threshold * 100)
            _, first = np.unique(orders.person[reached], return_index=True)
            if number:
                who.append(orders.person[reached[first]])
                level.append(np.full(len(first), number))
                since.append(orders.at[reached[first]] + 1.0)
        person, value, day = np.concatenate(who), np.concatenate(level), np.floor(np.concatenate(since))
        order = np.lexsort((value, day, person))
        person, value, day = person[order], value[order], day[order]
        highest = np.r_[(np.diff(person) != 0) | (np.diff(day) != 0), True][:len(person)]  # of each day
        person, value, day = person[highest], value[highest], day[highest]
        return self._table(
            "customer_attributes", customer_id=self._customer(person), attribute=Words(0 * person, ("member_level",)),
            value=Words(value, tuple(MEMBER_LEVELS)), valid_from=day)

    def _order_context(self, order: np.ndarray) -> dict[str, object]:
        orders, person = self.orders, self.orders.person[order]
        return {
            "customer_id": self._customer(person, orders.guest[order]),
            "channel": Words(self.context.channel[order], encounters.SALE_CHANNELS),
            "payment_method": Words(self.context.payment[order], encounters.PAYMENT_METHODS),
            "region": Words(self.people.region[person], [region[0] for region in REGIONS]),
            "country": Words(0 * order, ("China",)), "status": Words(0 * order, ("completed",)),
        }

    def orders_table(self, lines: purchases.Lines, cents: np.ndarray) -> pa.Table:
        count, every = len(self.orders), np.arange(len(self.orders))
        off = (lines.list_cents - lines.unit_cents) * lines.quantity
        return self._table(
            "orders", order_id=self.order_id, ordered_at=self.orders.at, ordered_on=self.orders.at, amount=cents,
            quantity=np.bincount(lines.order, lines.quantity, minlength=count) * 100,
            discount=np.bincount(lines.order, off, minlength=count).astype(np.int64),
            cost=np.bincount(lines.order, self._cost(lines), minlength=count).astype(np.int64),
            shipping=np.where(cents < FREE_SHIPPING_CENTS, SHIPPING_CENTS, 0), **self._order_context(every))

    def _cost(self, lines: purchases.Lines) -> np.ndarray:
        return unit_cost_cents(self.shelf, lines.product,
                               self.orders.at[lines.order] >= self.clock.day(catalog.PRICE_RISE)) * lines.quantity

    def lines_table(self, lines: purchases.Lines) -> pa.Table:
        at = self.orders.at[lines.order]
        return self._table(
            "order_lines", order_id=self._order(lines.order), line_no=lines.line_no, ordered_at=at, ordered_on=at,
            product_id=Words(lines.product, self.shelf.ids), product_name=Words(lines.product, self.shelf.names),
            category=Words(self.shelf.category[lines.product], CATEGORIES), quantity=lines.quantity * 100,
            unit_price=lines.unit_cents, amount=lines.unit_cents * lines.quantity,
            discount=(lines.list_cents - lines.unit_cents) * lines.quantity, cost=self._cost(lines),
            **self._order_context(lines.order))

    def returns_table(self, lines: purchases.Lines, back: purchases.Returned) -> pa.Table:
        here = np.flatnonzero(back.at < self.clock.days)
        line = back.line[here]
        order = lines.order[line]
        poor = (self.orders.service[order] < -1.0).astype(int)
        return self._table(
            "returns", return_id=self._return_id(lines, line), order_id=self._order(order), line_no=lines.line_no[line],
            product_id=Words(lines.product[line], self.shelf.ids), quantity=back.quantity[here] * 100,
            amount=back.cents[here], returned_at=back.at[here],
            reason=Words(np.where(poor == 1, 0, 1 + line % 3), ("late or damaged", "not as described", "changed mind",
                                                                "wrong item")))

    def _return_id(self, lines: purchases.Lines, line: np.ndarray) -> pa.Array:
        return pc.binary_join_element_wise("R", self._order(lines.order[line]), strings(Number(lines.line_no[line], 2)),
                                           "")

    def payments(self, invoices: encounters.Columns) -> pa.Table:
        paid = ~np.isnan(invoices["paid"])
        return self._table(
            "payments", payment_id=Number(self.order_number[invoices["order"]], prefix="P"),
            order_id=self._order(invoices["order"]), customer_id=self._customer(invoices["person"]),
            amount=invoices["cents"], due_on=invoices["due"], paid_at=invoices["paid"],
            method=Words(0 * invoices["order"], ("invoice",)), status=Words(paid.astype(int), ("open", "paid")))

    def subscriptions(self, contracts: encounters.Columns) -> pa.Table:
        ended = ~np.isnan(contracts["ended"])
        return self._table(
            "subscriptions", subscription_id=Number(self.people.number[contracts["person"]] + 1, 8, "S"),
            customer_id=self._customer(contracts["person"]), plan=Words(contracts["plan"], encounters.PLANS),
            started_on=contracts["started"], ended_on=contracts["ended"],
            price=np.array(encounters.PLAN_CENTS)[contracts["plan"]], billing_months=np.ones(len(ended), int),
            end_reason=Words(np.where(ended, contracts["reason"], -1), encounters.END_REASONS))

    def events(self, visits: encounters.Columns) -> pa.Table:
        person, kind = visits["person"], visits["event"]
        number = self.people.number[person].astype(np.int64)
        place = running(person)
        starts = np.flatnonzero(np.r_[True, np.diff(visits["session"]) != 0]) if len(person) else np.empty(0, int)
        session = running(person[starts])[visits["session"]] if len(person) else place
        pages = ("/", "/search", *(f"/p/{code}" for code in self.shelf.ids), "/cart", "/checkout", "/paid")
        after = 2 + len(self.shelf.ids)
        page = np.select([kind <= 1, kind == 2], [kind, 2 + visits["product"]], after + kind - 3)
        return self._table(
            "events", event_id=Number(number * 10**5 + place, 13, "E"),
            customer_id=self._customer(person, ~visits["known"]), visitor_id=Number(number * 7919 % 10**9, 9, "V"),
            session_id=Number(number * 10**4 + session, 12, "W"), event=Words(kind, encounters.EVENTS),
            occurred_at=visits["at"], page=Words(page, pages), product_id=Words(visits["product"], self.shelf.ids),
            search_term=Words(visits["term"], catalog.SEARCH_TERMS),
            traffic_source=Words(visits["source"], catalog.TRAFFIC_SOURCES),
            device=Words(visits["device"], encounters.DEVICES), dwell_seconds=visits["dwell"])

    def contacts(self, contacts: encounters.Columns) -> pa.Table:
        month = contacts["campaign"]
        number = self.people.number[contacts["person"]].astype(np.int64)
        return self._table(
            "contacts", contact_id=Number(month * 10**8 + number + 1, 11, "M"),
            customer_id=self._customer(contacts["person"]), campaign_id=Words(month, campaign_ids(self.clock)),
            channel=Words((month % 3 == 2).astype(int), encounters.CONTACT_CHANNELS),
            offer=Words(month % len(encounters.OFFERS), encounters.OFFERS), sent_at=contacts["sent"],
            delivered_at=contacts["delivered"], opened_at=contacts["opened"], clicked_at=contacts["clicked"],
            unsubscribed_at=contacts["unsubscribed"], cost=contacts["cents"])

    def consents(self, stopped: np.ndarray) -> pa.Table:
        people = self.people
        given, withdrawn = np.flatnonzero(people.consents), np.flatnonzero(~np.isnan(stopped))
        who = np.concatenate([given, withdrawn])
        return self._table(
            "consents", customer_id=self._customer(who), purpose=Words(0 * who, ("mail",)),
            granted=np.arange(len(who)) < len(given),
            changed_at=np.concatenate([people.born[given], stopped[withdrawn]]))

    def referrals(self) -> pa.Table:
        brought = np.flatnonzero((self.people.referrer >= 0) & ~self.people.prospect)
        return self._table(
            "referrals", referrer_id=Number(self.people.referrer[brought] + 1, 8), referred_id=self._customer(brought),
            referred_at=self.people.born[brought], reward=np.full(len(brought), 2_000))

    def assignments(self, trials: list[purchases.Trial]) -> pa.Table:
        parts = [self._arms(trial, ~trial.lost) for trial in trials]
        return pa.concat_tables(parts) if parts else self._arms(_no_trial(), np.empty(0, bool))

    def _arms(self, trial: purchases.Trial, shown: np.ndarray) -> pa.Table:
        person, treated = trial.person[shown], trial.treated[shown]
        share = trial.experiment.treated_share
        return self._table(
            "assignments", experiment_id=Words(0 * person, (trial.experiment.name,)),
            customer_id=self._customer(person), arm=Words(treated.astype(int), ("control", "treatment")),
            assigned_at=trial.at[shown],
            planned_share=np.where(treated, share, 1.0 - share))

    def outcomes(self, trials: list[purchases.Trial], cents: np.ndarray) -> pa.Table:
        parts = [part for trial in trials for part in self._measured(trial, cents)]
        return pa.concat_tables(parts) if parts else next(iter(self._measured(_no_trial(), cents)))

    def _measured(self, trial: purchases.Trial, cents: np.ndarray) -> list[pa.Table]:
        """Orders and revenue of each assigned customer while the experiment ran, and as long before."""
        orders, days, size = self.orders, trial.experiment.days, len(self.people)
        known = ~orders.guest
        during = known & (orders.at >= trial.start) & (orders.at < trial.end)
        before = known & (orders.at >= trial.start - days) & (orders.at < trial.start)
        counts = [np.bincount(orders.person[when], minlength=size) for when in (during, before)]
        money = [np.bincount(orders.person[when], cents[when] / 100.0, minlength=size) for when in (during, before)]
        person = trial.person[~trial.lost]
        return [
            self._table(
                "outcomes", experiment_id=Words(0 * person, (trial.experiment.name,)),
                customer_id=self._customer(person), metric=Words(0 * person, (metric,)),
                value=values[0][person].astype(float), denominator=below[person].astype(float),
                before=values[1][person].astype(float), measured_at=np.full(len(person), float(trial.end)))
            for metric, values, below in (("orders", counts, np.ones(size)), ("revenue", money, counts[0]))]

    def invitations(self, asked: encounters.Columns) -> pa.Table:
        wave = asked["wave"]
        quarterly = (wave >= 0).astype(int)
        return self._table(
            "survey_invitations", invitation_id=self._invitation(asked),
            survey_id=Words(quarterly, ("after_order", "quarterly")), customer_id=self._customer(asked["person"]),
            wave=Words(wave, wave_names(self.clock)), mode=Words(asked["mode"], encounters.MODES),
            invited_at=asked["at"], order_id=self._order(asked["order"]))

    def _invitation(self, asked: encounters.Columns) -> pa.Array:
        number = self.people.number[asked["person"]].astype(np.int64)
        return strings(Number(number * 10**4 + running(asked["person"]), 12, "Q"))

    def answers(self, asked: encounters.Columns, given: encounters.Columns) -> pa.Table:
        mine = given["invitation"]
        invitation = self._invitation(asked).take(pa.array(mine))
        wave = asked["wave"][mine]
        return self._table(
            "survey_answers",
            answer_id=pc.binary_join_element_wise(invitation, strings(Number(given["question"])), "-"),
            invitation_id=invitation, survey_id=Words((wave >= 0).astype(int), ("after_order", "quarterly")),
            customer_id=self._customer(asked["person"][mine]), wave=Words(wave, wave_names(self.clock)),
            mode=Words(asked["mode"][mine], encounters.MODES),
            question=Words(given["question"], encounters.QUESTIONS), score=given["score"], answered_at=given["at"])

    def tickets(self, tickets: encounters.Columns) -> pa.Table:
        return self._table(
            "tickets", ticket_id=Number(self.order_number[tickets["order"]], prefix="T"),
            customer_id=self._customer(tickets["person"]), order_id=self._order(tickets["order"]),
            topic=Words(tickets["topic"], encounters.TOPICS),
            channel=Words(tickets["channel"], ("telephone", "mail", "chat")), opened_at=tickets["opened"],
            first_response_at=tickets["answered"], closed_at=tickets["closed"], reopened_at=tickets["reopened"],
            is_complaint=tickets["complaint"])

    def truth_customers(self, left: np.ndarray) -> pa.Table:
        people, start = self.people, self.clock.start
        lost = np.where(np.isinf(left), np.nan, left)
        service = np.bincount(self.orders.person, self.orders.service, minlength=len(people))
        met = np.bincount(self.orders.person, minlength=len(people))
        names = [persona.name for persona in self.parameters.personas]
        return pa.table({
            "customer_id": strings(self._customer(np.arange(len(people)))),
            "persona": strings(Words(people.persona, names)),
            "is_prospect": people.prospect, "rate_per_week": people.rate * 7.0, "dropout_probability": people.dropout,
            "first_order_at": timestamps(np.where(people.prospect, np.nan, people.born), start),
            "left_at": timestamps(lost, start), "alive_at_end": np.isinf(left), "mean_spend": people.mean_spend,
            "orders": met, "mean_service": pa.array(service / np.maximum(met, 1), mask=met == 0),
            "is_abuser": people.abuser, "is_late_payer": people.late_payer, "engagement": people.engagement,
            "is_tracked": people.tracked, "may_be_written_to": people.consents})

    def truth_orders(self) -> pa.Table:
        trials = [experiment.name for experiment in self.parameters.experiments]
        return pa.table({
            "order_id": self.order_id, "customer_id": strings(self._customer(self.orders.person)),
            "is_anonymous": self.orders.guest, "service": self.orders.service,
            "ordered_on": dates(self.orders.at, self.clock.start),
            "added_by": strings(Words(self.orders.added, trials))})

    def truth_returns(self, lines: purchases.Lines, back: purchases.Returned) -> pa.Table:
        line = back.line
        return pa.table({
            "return_id": self._return_id(lines, line), "order_id": self._order(lines.order[line]),
            "line_no": lines.line_no[line], "quantity": back.quantity, "amount": back.cents / 100.0,
            "delay_days": back.at - self.orders.at[lines.order[line]],
            "returned_at": timestamps(back.at, self.clock.start), "within_history": back.at < self.clock.days})

    def truth_assignments(self, trials: list[purchases.Trial]) -> pa.Table:
        parts = [pa.table({
            "experiment_id": strings(Words(0 * trial.person, (trial.experiment.name,))).cast(pa.string()),
            "customer_id": strings(self._customer(trial.person)), "is_treated": trial.treated,
            "is_lost": trial.lost}) for trial in trials or [_no_trial()]]
        return pa.concat_tables(parts)

    def truth_subscriptions(self, contracts: encounters.Columns) -> pa.Table:
        return pa.table({
            "subscription_id": strings(Number(self.people.number[contracts["person"]] + 1, 8, "S")),
            "cancel_probability": contracts["theta"], "months": contracts["months"]})


def _no_trial() -> purchases.Trial:
    none = np.empty(0, int)
    return purchases.Trial(purchases.Experiment("", 0, 0.0), none, none.astype(bool), none.astype(bool),
                           none.astype(float), 0.0, 0.0)


def unit_cost_cents(shelf: catalog.Goods, product: np.ndarray, risen: np.ndarray) -> np.ndarray:
    """What one unit of each product costs the shop, before and after the price rise of tea."""
    category = shelf.category[product]
    dearer = np.where((category == 0) & risen, catalog.COST_RISE_FACTOR, 1.0)
    return np.rint(shelf.price[product] * (1.0 - catalog.MARGIN[category]) * 100.0 * dearer).astype(np.int64)


def campaign_ids(clock: Clock) -> list[str]:
    """Campaign ids by month of the history."""
    return [f"K{month_start(clock.start, month):%Y%m}" for month in range(clock.months)]


def wave_names(clock: Clock) -> list[str]:
    """Names of the quarterly survey waves."""
    days = [month_start(clock.start, month - 1) for month in range(3, clock.months + 1, 3)]
    return [f"{day.year}-Q{(day.month + 2) // 3}" for day in days]
