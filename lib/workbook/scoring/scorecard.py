"""The segmentation scorecard: several ways of dividing the same customers, on four questions.

    accuracy          does the group tell what a customer will bring? normalised Gini of the groups' means (`gini`);
                      share of the variance between customers that those means explain (`explained`). Out of time: a
                      group's mean is that of the period before the test, scaled to the level of the test period. Ways
                      whose groups keep their names from fit to fit are fitted for it as of then.
    interpretability  can the groups be said in words? A decision tree with two leaves a group tells new customers their
                      group (`fidelity`: share it gets right); conditions it needs for nine of ten (`conditions`).
    stability         do the groups come back? Adjusted Rand index between the groups and those of fits on customers
                      drawn with replacement (`refitted`); share of customers who were in the same group one period
                      earlier (`kept`), which also falls when customers really change.
    benefit           what a list of equal length catches of the revenue, groups in the order of their means in the
                      period before (`captured`); how much more than the best naive list (`over_naive`).

Three days part the record: earlier – cut-off – end, one period between each. All ways have the same number of groups
and are fitted before the cut-off: those that learn on (earlier, what came up to the cut-off), the others on the
customers as known at the cut-off. What came after the cut-off is only compared. Ways that are aimed at revenue win the
first question by construction; whether that is worth anything is the last question's business.

Intervals: bootstrap over customers (`intervals`), the same draws for all ways; of `refitted` the range of the refits.
On each question a way is `level` with the best one if zero lies in the interval of the best one's lead; of two equally
good ways one is set behind by chance on 5 to 8 cards of a hundred (tests/evidence/scoring.txt).

Sources: L. Hubert & P. Arabie, Comparing partitions, 1985 (adjusted Rand); C. Hennig, Cluster-wise assessment of
cluster stability, 2007 (refits); M. Wedel & W. Kamakura, Market Segmentation, 2000 (what a segmentation must do).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.scoring.answers import (
    CAPTURED,
    ORDER,
    Period,
    Shown,
    fitted,
    in_words,
    kept,
    labelled_before,
    means,
    refitted,
    rows,
)
from workbook.scoring.groupings import Assign, Grouping, known, numbers
from workbook.scoring.intervals import Measured, bootstrap, ends
from workbook.scoring.verdicts import FEWEST

QUESTIONS = {"accuracy": "gini", "interpretability": "fidelity", "stability": "refitted", "benefit": "captured"}
MEASURES = {
    "gini": "accuracy", "explained": "accuracy", "fidelity": "interpretability", "refitted": "stability",
    "kept": "stability", "captured": "benefit", "over_naive": "benefit",
}  # fmt: skip
LARGEST = 4_000  # customers; of more, so many are drawn
PER_GROUP = 20  # customers there must be for each group


class Days(NamedTuple):
    """Where the record is parted: one period before the cut-off, and one after it."""

    earlier: date  # the last day on which ways that learn saw customers
    cut_off: date  # the last day that any way saw
    end: date  # the last day of the test
    weeks: float  # of each period


def parted(as_of: date, first_days: pd.Series, horizon_weeks: float) -> Days:
    """The newest test as long as the horizon, and at most a third of the record.

    Args:
        first_days: the day of each customer's first purchase.

    >>> parted(date(2024, 3, 31), pd.Series([date(2024, 1, 1), date(2024, 2, 2)]), 52)[:2]
    (datetime.date(2024, 1, 31), datetime.date(2024, 3, 1))
    """
    oldest = pd.to_datetime(first_days).min()
    record = 0 if pd.isna(oldest) else (pd.Timestamp(as_of) - oldest).days
    length = timedelta(days=max(min(round(7 * horizon_weeks), record // 3), 1))
    return Days(as_of - 2 * length, as_of - length, as_of, length.days / 7)


def joined(first: ir.Table, *others: ir.Table) -> ir.Table:
    """Tables of customers side by side, in key order; of columns with the same name the first one's stays."""
    for other in others:
        more = [name for name in other.columns if name not in first.columns]
        first = first.inner_join(other.select("customer_id", *more), "customer_id")
    return first.order_by("customer_id")


class Scorecard(NamedTuple):
    """The four questions, answered for every way; empty tables where there are too few customers."""

    table: pd.DataFrame  # question, measure, grouping, value, low, high, level (with the best)
    groups: pd.DataFrame  # grouping, groups, largest_share, conditions (blank: not within MOST_CONDITIONS), aimed
    n: int  # customers
    buyers: int  # of these, with revenue in the test period
    n_groups: int  # that every way was asked for
    naive: str  # the naive list that caught most; empty where nothing was judged
    naive_captured: float
    code: str  # "" or too_few

    def level(self, question: str) -> list[str]:
        """The ways that lead on a question: the best one and those that cannot be told from it."""
        main = self.table[(self.table["measure"] == QUESTIONS[question]) & self.table["level"].astype(bool)]
        return main["grouping"].tolist()


def compare(
    groupings: Mapping[str, Grouping],
    naive: Mapping[str, str],
    *,
    before: Period,
    now: Period,
    n_groups: int = 10,
    rules_from: Sequence[str],
    rng: np.random.Generator,
    list_share: float = 0.2,
    refits: int = 12,
    repeats: int = 200,
) -> Scorecard:
    """Every way of grouping on the four questions.

    Args:
        groupings: name → a way.
        naive: name → the column by which a naive list is sorted, highest first; with a minus before it lowest first.
        before: customers one period before the cut-off, and what they brought up to it.
        now: customers at the cut-off, and what they brought after it: the test.
        n_groups: of every way; as many as a way finds that has its own number.
        rules_from: columns that rules in words may use, as far as they are there.
        list_share: length of the list behind `captured`, as a share of the customers.
        refits: fits on customers drawn with replacement.
        repeats: bootstrap draws of all other intervals.
    """
    before, now = _sampled(before, now, rng)
    n, buyers = len(now.came), int((now.came > 0).sum())
    rarest = min(buyers, int((before.came > 0).sum()))
    if min(n, len(before.came)) < PER_GROUP * n_groups or rarest < FEWEST:
        return Scorecard(_table([]), _shapes({}, {}, groupings), n, buyers, n_groups, "", np.nan, "too_few")
    n_groups, rules = _rules(groupings, before, now, n_groups, rng)
    names, labels = list(rules), {name: np.asarray(rule(now.customers)) for name, rule in rules.items()}
    tested, columns = rng.permutation(n) >= n // 2, numbers(now.customers, known(now.customers, rules_from))
    words = {name: in_words(columns, found, tested, n_groups) for name, found in labels.items()}
    was = {name: labelled_before(groupings[name], rule, before, n_groups, rng) for name, rule in rules.items()}
    shown = Shown(
        forecasts=np.stack([means(was[name], before, found) for name, found in labels.items()]),
        lists=np.stack([_sorted_by(now.customers, column) for column in naive.values()]),
        right=np.stack([right for right, _conditions in words.values()]) * tested, tested=tested * 1.0,
        kept=np.stack([kept(was[name], before, now, found) for name, found in labels.items()]),
        came=now.came, list_share=list_share,
    )  # fmt: skip
    measured = bootstrap(shown.weighing, n, rng=rng, repeats=repeats)
    again = refitted({name: groupings[name] for name in names}, labels, before, now, n_groups, rng, refits)
    caught = measured.point[CAPTURED, len(names) :]
    best = int(np.argmax(caught))
    table = _table([*_by_customers(names, measured, best), *_by_measure("refitted", names, again)])
    conditions = {name: conditions for name, (_right, conditions) in words.items()}
    return Scorecard(
        table, _shapes(labels, conditions, groupings), n, buyers, n_groups, list(naive)[best], float(caught[best]), ""
    )


def _sampled(before: Period, now: Period, rng: np.random.Generator) -> tuple[Period, Period]:
    """At most `LARGEST` customers of now, and those of them who were known before."""
    if len(now.came) > LARGEST:
        now = rows(now, np.sort(rng.choice(len(now.came), LARGEST, replace=False)))
        before = rows(before, np.flatnonzero(before.customers["customer_id"].isin(now.customers["customer_id"])))
    return before, now


def _rules(
    groupings: Mapping[str, Grouping], before: Period, now: Period, n_groups: int, rng: np.random.Generator
) -> tuple[int, dict[str, Assign]]:
    """The number of groups, and the ways that could be fitted with that many."""
    for way in groupings.values():
        if way.own_number and (rule := fitted(way, before, now, n_groups, rng)) is not None:
            n_groups = max(2, len(np.unique(rule(now.customers))))
    rules = {name: fitted(way, before, now, n_groups, rng) for name, way in groupings.items()}
    return n_groups, {name: rule for name, rule in rules.items() if rule is not None}


def _sorted_by(customers: pd.DataFrame, column: str) -> np.ndarray:
    return -customers[column[1:]].to_numpy(float) if column[0] == "-" else customers[column].to_numpy(float)


def _by_customers(names: Sequence[str], measured: Measured, best_naive: int) -> list[dict[str, object]]:
    """Rows of everything that the bootstrap over customers measures."""
    found: list[dict[str, object]] = []
    for place, measure in enumerate(ORDER):
        one = Measured(measured.point[place, : len(names)], measured.draws[place, : len(names)])
        found += _by_measure(measure, names, one)
    caught = Measured(measured.point[CAPTURED], measured.draws[CAPTURED])
    naive = len(names) + best_naive
    over = Measured(caught.point - caught.point[naive], caught.draws - caught.draws[naive])
    return found + _by_measure("over_naive", names, Measured(over.point[: len(names)], over.draws[: len(names)]))


def _by_measure(measure: str, names: Sequence[str], found: Measured) -> list[dict[str, object]]:
    """One row a way; level with the best where zero lies in the interval of the best one's lead."""
    low, high = found.ends
    points = np.nan_to_num(found.point, nan=-np.inf)
    lead_low, _lead_high = ends(found.draws[np.argmax(points)] - found.draws)
    level = (lead_low <= 0) & np.isfinite(points)
    return [
        {"question": MEASURES[measure], "measure": measure, "grouping": name, "value": float(found.point[i]),
         "low": float(low[i]), "high": float(high[i]), "level": bool(level[i])}
        for i, name in enumerate(names)
    ]  # fmt: skip


def _table(found: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    columns = ["question", "measure", "grouping", "value", "low", "high", "level"]
    table = pd.DataFrame(found, columns=columns)
    order = {measure: place for place, measure in enumerate(MEASURES)}
    return table.sort_values("measure", key=lambda measure: measure.map(order), kind="stable").reset_index(drop=True)


def _shapes(
    labels: Mapping[str, np.ndarray], conditions: Mapping[str, float], groupings: Mapping[str, Grouping]
) -> pd.DataFrame:
    shapes = []
    for name, found in labels.items():
        sizes = pd.Series(found).value_counts()
        shapes.append((name, len(sizes), float(sizes.iloc[0] / len(found)), conditions[name], groupings[name].aimed))
    return pd.DataFrame(shapes, columns=["grouping", "groups", "largest_share", "conditions", "aimed"])
