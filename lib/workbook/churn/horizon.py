"""How long must a customer be silent before we call it leaving? The horizon H, from the record itself.

Without a contract nobody says goodbye, so churn is "no purchase in H days" and H has to be defended. For each number
of past purchases the Kaplan–Meier curve of the gap to the next purchase tells which share has returned by day t, open
gaps counted as what they are. The curves are mixed by who the customers are today (many bought once), and

    H = the first day by which `share` of those who ever return have returned,

"ever" within the span to which every large group still has 30 gaps that could be watched so long (the share of gaps
not cut off by the report date before day t, by the same estimator with the roles exchanged, times their number). The
naive rival takes the same quantile of the completed gaps; long gaps have had less chance to be completed, so it is too
short.

The interval: bootstrap over groups of customers drawn by their ids, so that a customer's gaps stay together.
"""

from __future__ import annotations

import math
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from workbook.churn.gaps import BUCKETS, PAST
from workbook.churn.record import Record, running
from workbook.churn.survival import curves
from workbook.data.engine import few_rows
from workbook.history import year_before

SMALLEST_WATCHED = 30  # gaps watched long enough behind the last day that is still believed
LARGE_GROUP = 0.05  # share of the customers from which a group limits the span, if it has gaps enough
ENOUGH_GAPS = 10 * SMALLEST_WATCHED
REPEATS = 200


class Horizon(NamedTuple):
    """The horizon and what it rests on. `days` is None where too few have returned (`reason`)."""

    days: int | None
    low: float | None  # 95 % interval of the rule's H
    high: float | None
    rule_days: int | None  # by the rule, whatever was declared
    naive_days: float | None  # the same quantile of the completed gaps only
    source: str  # rule, declared, or capped (the record is too short for the rule's H)
    share: float  # of those who ever return
    ever_return: float | None  # share who return within the span
    span_days: int  # the days over which "ever" is seen
    gaps: int
    returns: int  # gaps completed
    by_number: pd.DataFrame  # past, customers, gaps, returns, ever_return, days, naive_days, low, high
    curves: pd.DataFrame  # group (= past), day, at_risk, ended, survival, low, high
    reason: str = ""  # too_few


def horizon(
    counts: pd.DataFrame,
    *,
    share: float = 0.8,
    declared: int | None = None,
    longest: int | None = None,
    rng: np.random.Generator,
    fewest: int = 100,
) -> Horizon:
    """H by the rule, or as declared.

    Args:
        counts: `gap_counts`, in pandas.
        share: of those who ever return, how many must have returned by H.
        declared: H by decision; the rule's is still told.
        longest: most days that the record can be tested on (`longest_horizon`).
        fewest: completed gaps below which nothing is said, unless H was declared.
    """
    counts = counts.astype({"gaps": float, "open": float})
    shown = curves(counts, days="gap_days", ended="returned", group="past", weights="gaps")
    returns = int(counts.loc[counts["returned"] == 1, "gaps"].sum())
    facts = {"share": share, "gaps": int(counts["gaps"].sum()), "returns": returns, "curves": shown}
    if returns < fewest:
        by_number = pd.DataFrame(columns=_BY_NUMBER)
        source = "declared" if declared else "rule"
        none = dict.fromkeys(("low", "high", "rule_days", "naive_days", "ever_return"))
        reason = "" if declared else "too_few"
        return Horizon(days=declared, source=source, span_days=0, by_number=by_number, reason=reason, **none, **facts)
    cube = _Cube(counts)
    once = np.ones((1, BUCKETS))
    span = cube.span()
    curve = cube.mixed(once, span)[0]
    rule = int(_quantile_days(curve[None], share)[0])
    draws = cube.draws(rng)
    drawn = _quantile_days(cube.mixed(draws, span), share)
    days, source = (declared, "declared") if declared else (rule, "rule")
    if longest is not None and days > longest:
        days, source = longest, "capped"
    return Horizon(
        days=days, low=float(np.percentile(drawn, 2.5)), high=float(np.percentile(drawn, 97.5)), rule_days=rule,
        naive_days=_naive(counts, share), source=source, ever_return=float(1 - curve[-1]), span_days=span,
        by_number=_by_number(cube, counts, share, draws), **facts,
    )  # fmt: skip


_BY_NUMBER = ["past", "customers", "gaps", "returns", "ever_return", "days", "naive_days", "low", "high"]


class _Cube:
    """The counts as arrays: group × bucket × day."""

    def __init__(self, counts: pd.DataFrame) -> None:
        self.groups = [past for past in PAST if (counts["past"] == past).any()]
        last = int(counts["gap_days"].max())
        shape = (len(self.groups), BUCKETS, last + 1)
        place = counts["past"].map({past: i for i, past in enumerate(self.groups)}).to_numpy()
        where = (place, counts["bucket"].to_numpy(int), counts["gap_days"].to_numpy(int))
        self.leaving, self.events, self.open = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        np.add.at(self.leaving, where, counts["gaps"].to_numpy())
        np.add.at(self.events, where, counts["gaps"].to_numpy() * counts["returned"].to_numpy())
        np.add.at(self.open, where, counts["open"].to_numpy())

    def customers(self) -> np.ndarray:
        """Customers by group today: those whose gap is open."""
        return self.open.sum(axis=(1, 2))

    def draws(self, rng: np.random.Generator) -> np.ndarray:
        """How often each bucket that holds customers is drawn: draws down, buckets across."""
        held = self.open.sum(axis=(0, 2)) > 0
        return rng.multinomial(held.sum(), held / held.sum(), REPEATS)

    def at_risk(self, group: int, weights: np.ndarray) -> np.ndarray:
        return _still(weights @ self.leaving[group])

    def span(self) -> int:
        """The last day to which enough gaps of every large group were watched; of all together where none is large."""
        customers = self.customers()
        large = (customers >= LARGE_GROUP * customers.sum()) & (self.leaving.sum(axis=(1, 2)) >= ENOUGH_GAPS)
        ends = [self.believed(group) for group in np.flatnonzero(large)]
        return min(ends) if ends else _watched(self.leaving.sum(axis=(0, 1)), self.events.sum(axis=(0, 1)))

    def believed(self, group: int) -> int:
        """The same for one group."""
        return _watched(self.leaving[group].sum(axis=0), self.events[group].sum(axis=0))

    def survival(self, group: int, weights: np.ndarray, span: int) -> np.ndarray:
        """Kaplan–Meier on each day 0 … span: draws down, days across."""
        risk = self.at_risk(group, weights)[:, : span + 1]
        events = (weights @ self.events[group])[:, : span + 1]
        return np.cumprod(1 - np.divide(events, risk, out=np.zeros_like(risk), where=risk > 0), axis=1)

    def mixed(self, weights: np.ndarray, span: int) -> np.ndarray:
        """The groups' curves, mixed by today's customers."""
        sizes = np.stack([weights @ self.open[group].sum(axis=1) for group in range(len(self.groups))])
        parts = np.stack([self.survival(group, weights, span) for group in range(len(self.groups))])
        return (parts * (sizes / sizes.sum(axis=0))[:, :, None]).sum(axis=0)


def _still(leaving: np.ndarray) -> np.ndarray:
    """Gaps that have neither ended nor been cut off before each day (last axis)."""
    return np.flip(np.cumsum(np.flip(leaving, axis=-1), axis=-1), axis=-1)


def _watched(leaving: np.ndarray, events: np.ndarray) -> int:
    """The last day to which 30 gaps were watched, or would have been had they not ended before."""
    risk, cut = _still(leaving), leaving - events
    uncut = np.cumprod(1 - np.divide(cut, risk, out=np.zeros_like(risk), where=risk > 0))
    return int(np.flatnonzero(uncut * leaving.sum() >= SMALLEST_WATCHED).max(initial=0))


def _quantile_days(survival: np.ndarray, share: float) -> np.ndarray:
    """First day by which `share` of those who ever return have returned; blank where nobody does."""
    returned = 1 - survival
    ever = returned[:, -1:]
    days = (returned >= share * ever - 1e-12).argmax(axis=1).astype(float)
    return np.where(ever[:, 0] > 0, days, math.nan)


def _naive(counts: pd.DataFrame, share: float) -> float:
    """The quantile of the gaps that were completed."""
    done = counts[counts["returned"] == 1].groupby("gap_days")["gaps"].sum().sort_index()
    return float(done.index[(done.cumsum() >= share * done.sum()).argmax()]) if len(done) else math.nan


def _by_number(cube: _Cube, counts: pd.DataFrame, share: float, draws: np.ndarray) -> pd.DataFrame:
    """The same for each number of past purchases; blank where fewer than 30 returned."""
    once, rows = np.ones((1, BUCKETS)), []
    for group, past in enumerate(cube.groups):
        mine = counts[counts["past"] == past]
        returns = int(mine.loc[mine["returned"] == 1, "gaps"].sum())
        row = [past, int(cube.customers()[group]), int(mine["gaps"].sum()), returns]
        if returns < SMALLEST_WATCHED:
            rows.append([*row, *[math.nan] * 5])
            continue
        span = cube.believed(group)
        curve = cube.survival(group, once, span)
        drawn = _quantile_days(cube.survival(group, draws, span), share)
        ends = np.nanpercentile(drawn, [2.5, 97.5])
        rows.append([*row, 1 - curve[0, -1], _quantile_days(curve, share)[0], _naive(mine, share), *ends])
    return pd.DataFrame(rows, columns=_BY_NUMBER)


class Meaning(NamedTuple):
    """What leaving means in this shop."""

    code: str  # contractual: most buyers hold a contract, whose end is the event; else no_purchase
    holders: int  # customers with a running contract
    buyers_12m: int  # customers who bought in the last twelve months
    share: float  # of these, holding a contract


CONTRACTUAL = 0.5  # share of the year's buyers from which the contract's end is what counts


def means(record: Record, *, as_of: date) -> Meaning:
    """Contract or habit: which event is called churn here."""
    bought = record.purchases(as_of)
    buyers = bought.filter(bought.ordered_on > year_before(as_of)).select("customer_id").distinct()
    n = few_rows(buyers.aggregate(n=buyers.count()))[0]["n"]
    if record.subscriptions is None:
        return Meaning("no_purchase", 0, n, 0.0)
    held = running(record, day=as_of)
    counted = held.aggregate(n=held.count())
    both = held.semi_join(buyers, "customer_id")
    of_these = few_rows(both.aggregate(n=both.count()))[0]["n"]
    share = of_these / n if n else 0.0
    return Meaning("contractual" if share >= CONTRACTUAL else "no_purchase", few_rows(counted)[0]["n"], n, share)
