"""A rival without a theory: gradient boosting, trained on an earlier window of the same record.

It may see no more than the model does: features as known on an earlier day, labels what was bought between that day and
the report date. What it learnt there is applied to the features of the report date and scaled to the horizon.

Source: J. H. Friedman, Greedy Function Approximation: A Gradient Boosting Machine, Annals of Statistics 29, 2001.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor

from workbook.clv.counts import DAYS_A_WEEK, counted
from workbook.clv.fits import FEWEST
from workbook.clv.validation import first_day_of
from workbook.history import known_on, purchase_days

Read = Callable[[ir.Table], pd.DataFrame]
WINDOWS = (4, 13, 26, 52)  # weeks before the day, over which purchases and spend are added up
SHORTEST_LABEL = 4.0  # weeks
FEATURES = (
    "x", "t_x", "T", "silence_weeks", "mean_gap_weeks", "mean_repeat_value", "first_value", "value_to_date",
    *(f"purchases_{weeks}w" for weeks in WINDOWS), *(f"spend_{weeks}w" for weeks in WINDOWS),
)  # fmt: skip


class Rival(NamedTuple):
    """What the boosting expects of each customer."""

    customers: pd.DataFrame  # customer_id, purchases, spend (currency) over the horizon
    label_weeks: float  # length of the window from which it learnt
    trained_on: date | None  # the day of the features that it learnt from
    n: int  # customers it learnt from
    code: str  # fitted; too_few: customers or buyers; no_history: no earlier window


def features(orders: ir.Table, returns: ir.Table | None, *, as_of: date) -> ir.Table:
    """What was known of each customer on a day, times in weeks: customer_id and `FEATURES`."""
    days = purchase_days(known_on(orders, returns, day=as_of), as_of=as_of)
    since = ibis.literal(as_of).delta(days.ordered_on, unit="day")
    sums = {}
    for weeks in WINDOWS:
        recent = since < weeks * DAYS_A_WEEK
        sums[f"purchases_{weeks}w"] = recent.cast("int64").sum()
        sums[f"spend_{weeks}w"] = ibis.ifelse(recent, days.net_amount, 0).sum().cast("float64")
    lately = days.group_by(customer_lately="customer_id").aggregate(**sums)
    customers = counted(days, as_of=as_of)
    joined = customers.inner_join(lately, customers.customer_id == lately.customer_lately)
    return joined.mutate(
        silence_weeks=joined["T"] - joined.t_x,
        mean_gap_weeks=joined.t_x / ibis.ifelse(joined.x > 0, joined.x, None),
    ).select("customer_id", *FEATURES)


def boosting(
    orders: ir.Table, returns: ir.Table | None, *, as_of: date, horizon_weeks: float, read: Read,
    rng: np.random.Generator, largest: int = 100_000,
) -> Rival:
    """Expected purchases and spend of each customer after `as_of`, learnt from an earlier window before it.

    Args:
        read: brings one row a customer into pandas (`run.frame`).
        largest: customers from whom it learns; of more a sample is drawn.
    """
    nobody = pd.DataFrame({"customer_id": [], "purchases": [], "spend": []})
    first = first_day_of(orders, read)
    days = min(round(horizon_weeks * DAYS_A_WEEK), (as_of - first).days // 2) if first else 0
    if days < SHORTEST_LABEL * DAYS_A_WEEK:
        return Rival(nobody, days / DAYS_A_WEEK, None, 0, "no_history")
    earlier = as_of - timedelta(days=days)
    learnt = read(_labelled(orders, returns, earlier, as_of).order_by("customer_id"))
    if len(learnt) > largest:
        learnt = learnt.iloc[np.sort(rng.choice(len(learnt), largest, replace=False))]
    if len(learnt) < FEWEST or (learnt["bought"] > 0).sum() < FEWEST:
        return Rival(nobody, days / DAYS_A_WEEK, earlier, len(learnt), "too_few")
    now = read(features(orders, returns, as_of=as_of).order_by("customer_id"))
    seed, longer = int(rng.integers(2**31)), horizon_weeks * DAYS_A_WEEK / days
    found = {
        column: longer * _learn(learnt, learnt[label].clip(lower=0), seed).predict(_matrix(now))
        for column, label in (("purchases", "bought"), ("spend", "spent"))
    }
    customers = pd.DataFrame({"customer_id": now["customer_id"], **found})
    return Rival(customers, days / DAYS_A_WEEK, earlier, len(learnt), "fitted")


def _labelled(orders: ir.Table, returns: ir.Table | None, earlier: date, as_of: date) -> ir.Table:
    """Features of the earlier day, and what was bought from then to the report date, as known on that."""
    known = purchase_days(known_on(orders, returns, day=as_of), as_of=as_of)
    after = known.filter(known.ordered_on > earlier)
    labels = after.group_by(customer_after="customer_id").aggregate(
        bought=after.count(), spent=after.net_amount.sum().cast("float64")
    )
    then = features(orders, returns, as_of=earlier)
    joined = then.left_join(labels, then.customer_id == labels.customer_after)
    return joined.mutate(bought=joined.bought.coalesce(0), spent=joined.spent.coalesce(0.0)).drop("customer_after")


def _matrix(customers: pd.DataFrame) -> np.ndarray:
    return customers[list(FEATURES)].to_numpy(float)


def _learn(learnt: pd.DataFrame, label: pd.Series, seed: int) -> HistGradientBoostingRegressor:
    """Poisson loss: forecasts stay positive and their total is that of the labels."""
    model = HistGradientBoostingRegressor(
        loss="poisson", learning_rate=0.06, max_iter=120, max_leaf_nodes=15, min_samples_leaf=30, l2_regularization=1.0,
        early_stopping=False, random_state=seed,
    )  # fmt: skip
    return model.fit(_matrix(learnt), label.to_numpy(float))
