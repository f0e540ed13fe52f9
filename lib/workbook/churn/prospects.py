"""Prospects: who has never bought, but does what people did who bought soon afterwards.

Registration, visits and messages as of a day go in; what is only known as of now (region, age) stays out, since it may
have been filled in by the purchase. A model learns from people who were prospects on an earlier day, and what they
did after it; it is judged on a later day, in time order, beside the naive lists (most visits, newest registration).

    train: looked at two horizons ago, first purchases of the horizon after it
    test:  looked at one horizon ago, first purchases since
    today: looked at on the report date; the model is fitted on train and test

Where fewer than `FEWEST_BUYERS` prospects bought in either window nothing is learned, and the list is the naive one.

Source: D. W. Hosmer & S. Lemeshow, Applied Logistic Regression, 1989.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from workbook.data.engine import few_rows
from workbook.history import is_purchase, known_on

FACTS = ("registered_days", "visits_30", "visits_90", "views_90", "carts_90", "quiet_days", "opened_90", "clicked_90")
FEWEST_BUYERS = 30  # prospects who bought within a window, below which nothing is learned or judged
NEVER = 999  # quiet_days of who has never visited
LARGEST = 200_000  # prospects brought into memory; of more a sample is drawn by their ids


class Sources(NamedTuple):
    """The clean tables that tell of prospects; None where absent."""

    customers: ir.Table
    orders: ir.Table
    returns: ir.Table | None
    events: ir.Table | None
    contacts: ir.Table | None
    zone: ZoneInfo


def prospects_on(sources: Sources, *, day: date, horizon_days: int | None = None) -> ir.Table:
    """Who was known on `day` and had not bought, with what they had done by then.

    Returns:
        customer_id, registered_days (days since the first trace), visits_30, visits_90, views_90, carts_90 (carts and
        checkouts), quiet_days (since the last visit; 999: never), opened_90, clicked_90 (messages); with
        `horizon_days` also bought: 1 where the first purchase came within so many days after `day`, else 0.
    """
    people = sources.customers
    people = people.filter(~people.is_test.coalesce(False), people.first_seen_on <= ibis.literal(day))
    then = known_on(sources.orders, sources.returns, day=day)
    people = people.anti_join(then.filter(is_purchase(then)), "customer_id")
    table = people.select(
        "customer_id", registered_days=ibis.literal(day).delta(people.first_seen_on, unit="day"))
    for part in (_visits(sources.events, day), _messages(sources.contacts, day, sources.zone)):
        names = [name for name in part.columns if name != "customer_id"] if part is not None else []
        table = table.left_join(part, "customer_id").drop("customer_id_right") if part is not None else table
        table = table.mutate(**{name: table[name].coalesce(_NOTHING.get(name, 0)) for name in names})
    missing = {name: ibis.literal(_NOTHING.get(name, 0)) for name in FACTS if name not in table.columns}
    table = table.mutate(**missing)
    table = _bounded(table.select("customer_id", **{name: table[name].cast("float64") for name in FACTS}))
    if horizon_days is not None:
        buyers = _buyers(sources.orders, after=day, until=day + timedelta(days=horizon_days))
        joined = table.left_join(buyers, "customer_id").drop("customer_id_right")
        table = joined.mutate(bought=joined.bought.coalesce(0))
    return table.order_by("customer_id")


def _buyers(orders: ir.Table, *, after: date, until: date) -> ir.Table:
    """Who bought on the days between: customer_id, bought (1)."""
    then = orders.filter(
        is_purchase(orders), orders.customer_id.notnull(), orders.ordered_on > ibis.literal(after),
        orders.ordered_on <= ibis.literal(until),
    )
    return then.group_by("customer_id").aggregate(bought=then.amount.notnull().cast("int64").max())


_NOTHING = {"quiet_days": NEVER}


def _visits(events: ir.Table | None, day: date) -> ir.Table | None:
    if events is None:
        return None
    if "is_duplicate" in events.columns:
        events = events.filter(~events.is_duplicate.coalesce(False))
    seen = events.filter(events.customer_id.notnull(), events.occurred_on <= ibis.literal(day))
    ago = ibis.literal(day).delta(seen.occurred_on, unit="day")
    visit = seen.session_id.coalesce(seen.occurred_on.cast("string"))
    lately = ago < 90
    return seen.group_by("customer_id").aggregate(
        visits_30=visit.nunique(where=ago < 30), visits_90=visit.nunique(where=lately),
        views_90=(lately & (seen.event == "view")).cast("int64").sum(),
        carts_90=(lately & seen.event.isin(["cart", "checkout"])).cast("int64").sum(), quiet_days=ago.min(),
    )


def _messages(contacts: ir.Table | None, day: date, zone: ZoneInfo) -> ir.Table | None:
    if contacts is None:
        return None
    first, end = (
        ibis.literal(datetime.combine(d + timedelta(days=1), time(), zone).astimezone(ZoneInfo("UTC"))
                     .replace(tzinfo=None)).cast("timestamp(6)")
        for d in (day - timedelta(days=90), day)
    )
    sent = contacts.filter(contacts.customer_id.notnull(), contacts.sent_at >= first, contacts.sent_at < end)
    return sent.group_by("customer_id").aggregate(
        opened_90=(sent.opened_at < end).fill_null(False).cast("int64").sum(),
        clicked_90=(sent.clicked_at < end).fill_null(False).cast("int64").sum(),
    )


def _bounded(table: ir.Table) -> ir.Table:
    """All of them, or of more than `LARGEST` about that many, drawn by their ids."""
    n = few_rows(table.aggregate(n=table.count()))[0]["n"]
    if n <= LARGEST:
        return table
    return table.filter(table.customer_id.hash().cast("int64").abs() % 1_000_000 < int(1_000_000 * LARGEST / n))


class Windows(NamedTuple):
    """The prospects of three days, in time order."""

    train: pd.DataFrame
    test: pd.DataFrame
    today: pd.DataFrame


class Outlook(NamedTuple):
    """Whom to expect, and how well that was foretold before."""

    code: Literal["learned", "too_few"]
    rivals: dict[str, np.ndarray]  # name → number per row of the test window, the model first; empty if too few
    happened: np.ndarray  # of the test window
    today: pd.DataFrame  # customer_id, FACTS, probability (blank if too few), rank; best first
    buyers_train: int
    buyers_test: int


def learn(windows: Windows) -> Outlook:
    """A logistic regression on logarithms of the facts, and its naive rivals on the later window."""
    buyers = [int(frame["bought"].sum()) for frame in windows[:2]]
    happened = windows.test["bought"].to_numpy(int)
    if min(buyers) < FEWEST_BUYERS:
        naive = ["visits_90", "carts_90", "views_90", "clicked_90", "customer_id"]
        today = windows.today.assign(probability=np.nan).sort_values(
            naive, ascending=[False] * 4 + [True], ignore_index=True)
        return Outlook("too_few", {}, happened, today, *buyers)
    rivals = {
        "model": _chances(_fitted([windows.train]), windows.test),
        "most_visits": windows.test["visits_90"].to_numpy(float),
        "newest": -windows.test["registered_days"].to_numpy(float),
    }
    chances = _chances(_fitted(windows[:2]), windows.today)
    today = windows.today.assign(probability=chances).sort_values(
        ["probability", "customer_id"], ascending=[False, True], ignore_index=True)
    return Outlook("learned", rivals, happened, today, *buyers)


def _fitted(frames: Sequence[pd.DataFrame]) -> Pipeline:
    rows = pd.concat(frames)
    model = make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), LogisticRegression(max_iter=1000))
    return model.fit(rows[list(FACTS)].to_numpy(float), rows["bought"].to_numpy(int))


def _chances(model: Pipeline, rows: pd.DataFrame) -> np.ndarray:
    return model.predict_proba(rows[list(FACTS)].to_numpy(float))[:, 1] if len(rows) else np.array([])


def prospect_list(outlook: Outlook, *, most: int) -> pd.DataFrame:
    """Whom to write to first: at most `most`; under the naive rule only who has visited lately."""
    today = outlook.today
    if outlook.code == "too_few":
        today = today[today["visits_90"] > 0]
    return today.head(most)
