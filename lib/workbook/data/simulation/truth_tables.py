"""What a cell was made from: the hidden traits and causes that chapters are tested to find again."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from workbook.data.simulation import encounters, purchases
from workbook.data.simulation.scribe import Scribe, no_trial
from workbook.data.simulation.tables import Number, Words, dates, strings, timestamps


class TruthScribe(Scribe):
    """Writes down the truth of one cell."""

    def customers(self, left: np.ndarray) -> pa.Table:
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
            "is_tracked": people.tracked, "may_be_written_to": people.consents, "may_be_texted": people.consents_sms})

    def orders_table(self) -> pa.Table:
        causes = [cause.name for cause in (*self.parameters.experiments, *self.parameters.actions)]
        return pa.table({
            "order_id": self.order_id, "customer_id": strings(self._customer(self.orders.person)),
            "is_anonymous": self.orders.guest, "service": self.orders.service,
            "ordered_on": dates(self.orders.at, self.clock.start),
            "added_by": strings(Words(self.orders.added, causes))})

    def returns(self, lines: purchases.Lines, back: purchases.Returned) -> pa.Table:
        line = back.line
        return pa.table({
            "return_id": self._return_id(lines, line), "order_id": self._order(lines.order[line]),
            "line_no": lines.line_no[line], "quantity": back.quantity, "amount": back.cents / 100.0,
            "delay_days": back.at - self.orders.at[lines.order[line]],
            "returned_at": timestamps(back.at, self.clock.start), "within_history": back.at < self.clock.days})

    def assignments(self, trials: list[purchases.Trial]) -> pa.Table:
        parts = [pa.table({
            "experiment_id": strings(Words(0 * trial.person, (trial.experiment.name,))).cast(pa.string()),
            "customer_id": strings(self._customer(trial.person)), "is_treated": trial.treated,
            "is_lost": trial.lost}) for trial in trials or [no_trial()]]
        return pa.concat_tables(parts)

    def subscriptions(self, contracts: encounters.Columns) -> pa.Table:
        return pa.table({
            "subscription_id": strings(Number(self.people.number[contracts["person"]] + 1, 8, "S")),
            "cancel_probability": contracts["theta"], "months": contracts["months"]})

