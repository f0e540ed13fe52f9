"""Visits, messages, surveys, tickets and experiments, as canonical tables."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbook.data.simulation import catalog, encounters, purchases
from workbook.data.simulation.clock import Clock, month_start
from workbook.data.simulation.scribe import Scribe, no_trial
from workbook.data.simulation.tables import Number, Words, plain, running, strings


class EncounterScribe(Scribe):
    """Writes down what passes between the shop and its customers beside the orders."""

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

    def contacts(self, contacts: encounters.Columns, messages: encounters.Columns) -> pa.Table:
        """The newsletters, and the messages of actions where there are any."""
        newsletters = self._newsletters(contacts)
        return pa.concat_tables([plain(newsletters), plain(self._messages(messages))]) if messages else newsletters

    def _messages(self, messages: encounters.Columns) -> pa.Table:
        which, actions = messages["campaign"], self.parameters.actions
        number = self.people.number[messages["person"]].astype(np.int64)
        words = {column: Words(which, [getattr(action, name) for action in actions])
                 for column, name in (("campaign_id", "name"), ("channel", "channel"), ("offer", "offer"))}
        return self._table(
            "contacts", contact_id=Number(which * 10**8 + number + 1, 11, "A"),
            customer_id=self._customer(messages["person"]), sent_at=messages["sent"],
            delivered_at=messages["delivered"], opened_at=messages["opened"], clicked_at=messages["clicked"],
            unsubscribed_at=messages["unsubscribed"], cost=messages["cents"], **words)

    def _newsletters(self, contacts: encounters.Columns) -> pa.Table:
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
        """Consents given at registration; who unsubscribes withdraws all of them."""
        people, left = self.people, ~np.isnan(stopped)
        each = [np.flatnonzero(mask) for mask in (people.consents, people.consents_sms, people.consents & left,
                                                  people.consents_sms & left)]
        who = np.concatenate(each)
        part = np.repeat(np.arange(4), [len(found) for found in each])
        return self._table(
            "consents", customer_id=self._customer(who), purpose=Words(part % 2, encounters.CONTACT_CHANNELS),
            granted=part < 2, changed_at=np.where(part < 2, people.born[who], stopped[who]))

    def assignments(self, trials: list[purchases.Trial]) -> pa.Table:
        parts = [self._arms(trial, ~trial.lost) for trial in trials]
        return pa.concat_tables(parts) if parts else self._arms(no_trial(), np.empty(0, bool))

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
        return pa.concat_tables(parts) if parts else next(iter(self._measured(no_trial(), cents)))

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


def campaign_ids(clock: Clock) -> list[str]:
    """Campaign ids by month of the history."""
    return [f"K{month_start(clock.start, month):%Y%m}" for month in range(clock.months)]


def wave_names(clock: Clock) -> list[str]:
    """Names of the quarterly survey waves."""
    days = [month_start(clock.start, month - 1) for month in range(3, clock.months + 1, 3)]
    return [f"{day.year}-Q{(day.month + 2) // 3}" for day in days]
