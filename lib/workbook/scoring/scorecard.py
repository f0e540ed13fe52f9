"""The segmentation scorecard: several ways of dividing the same customers, on four questions.

    accuracy          does the group tell what a customer will bring? normalised Gini of the groups' means (`gini`);
                      share of the variance between customers that those means explain (`explained`). Out of time: a
                      group's mean is that of the period before the test, scaled to the level of the test period.
    interpretability  can the groups be said in words? A decision tree with two leaves a group tells new customers their
                      group (`fidelity`: share it gets right); conditions it needs for nine of ten (`conditions`).
    stability         do the groups come back? Adjusted Rand index between the groups and those of fits on customers
                      drawn with replacement (`refitted`); share of customers whom the same rule put into the same group
                      one period earlier (`kept`), which also falls when customers really change.
    benefit           what a list of equal length catches of the revenue, groups in the order of their means in the
                      period before (`captured`); how much more than the best naive list (`over_naive`).

Three days part the record: earlier – cut-off – end, one period between each. All ways have the same number of groups
and are fitted before the cut-off: those that learn on (earlier, what came up to the cut-off), the others on the
customers as known at the cut-off. What came after the cut-off is only compared. Ways that are aimed at revenue win the
first question by construction; whether that is worth anything is the last question's business.

Intervals: bootstrap over customers (`intervals`), the same draws for all ways; of `refitted` the range of the refits.
On each question a way is `level` with the best one if zero lies in the interval of the best one's lead.

Sources: L. Hubert & P. Arabie, Comparing partitions, 1985 (adjusted Rand); C. Hennig, Cluster-wise assessment of
cluster stability, 2007 (refits); M. Wedel & W. Kamakura, Market Segmentation, 2000 (what a segmentation must do).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score
from sklearn.tree import DecisionTreeClassifier

from workbook.scoring.forecasts import gini_of
from workbook.scoring.groupings import Assign, Grouping, numbers
from workbook.scoring.intervals import Measured, Weighing, bootstrap, ends, ratio
from workbook.scoring.lists import Ranking, top_shares
from workbook.scoring.verdicts import FEWEST

QUESTIONS = {"accuracy": "gini", "interpretability": "fidelity", "stability": "refitted", "benefit": "captured"}
MEASURES = {
    "gini": "accuracy", "explained": "accuracy", "fidelity": "interpretability", "refitted": "stability",
    "kept": "stability", "captured": "benefit", "over_naive": "benefit",
}  # fmt: skip
ORDER = ("gini", "explained", "fidelity", "kept", "captured")  # as the bootstrap over customers returns them
CAPTURED = ORDER.index("captured")
LARGEST = 4_000  # customers; of more, so many are drawn
PER_GROUP = 20  # customers there must be for each group
ENOUGH = 0.9  # of the customers, whose group the rules must tell
MOST_CONDITIONS = 40


class Period(NamedTuple):
    """Customers as known on a day, and what each brought in the period after it."""

    customers: pd.DataFrame  # customer_id and all columns that the groupings need
    came: np.ndarray  # currency, in the order of the customers


class Scorecard(NamedTuple):
    """The four questions, answered for every way; empty tables where there are too few customers."""

    table: pd.DataFrame  # question, measure, grouping, value, low, high, level (with the best)
    groups: pd.DataFrame  # grouping, groups, largest_share, conditions (blank: not within MOST_CONDITIONS), aimed
    n: int  # customers
    buyers: int  # of these, with revenue in the test period
    n_groups: int
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
    n_groups: int,
    rules_from: Sequence[str],
    rng: np.random.Generator,
    list_share: float = 0.2,
    refits: int = 12,
    repeats: int = 200,
) -> Scorecard:
    """Every way of grouping on the four questions.

    Args:
        groupings: name → a way.
        naive: name → the column by which a naive list is sorted, highest first.
        before: customers one period before the cut-off, and what they brought up to it.
        now: customers at the cut-off, and what they brought after it: the test.
        n_groups: of every way.
        rules_from: columns that rules in words may use.
        list_share: length of the list behind `captured`, as a share of the customers.
        refits: fits on customers drawn with replacement.
        repeats: bootstrap draws of all other intervals.
    """
    before, now = _sampled(before, now, rng)
    n, buyers = len(now.came), int((now.came > 0).sum())
    rarest = min(buyers, int((before.came > 0).sum()))
    if n_groups < 2 or min(n, len(before.came)) < PER_GROUP * n_groups or rarest < FEWEST:
        return Scorecard(_table([]), _shapes({}, {}, groupings), n, buyers, n_groups, "", np.nan, "too_few")
    rules = {name: _fitted(way, before, now, n_groups, rng) for name, way in groupings.items()}
    known = {name: rule for name, rule in rules.items() if rule is not None}
    labels = {name: np.asarray(rule(now.customers)) for name, rule in known.items()}
    tested = rng.permutation(n) >= n // 2
    words = {name: _in_words(numbers(now.customers, rules_from), found, tested, n_groups)
             for name, found in labels.items()}  # fmt: skip
    shown = _Shown(
        forecasts=np.stack([_means(known[name], before, found) for name, found in labels.items()]),
        lists=np.stack([now.customers[column].to_numpy(float) for column in naive.values()]),
        right=np.stack([right for right, _conditions in words.values()]) * tested, tested=tested * 1.0,
        kept=np.stack([_kept(known[name], before, now, found) for name, found in labels.items()]),
        came=now.came, list_share=list_share,
    )  # fmt: skip
    measured = bootstrap(shown.weighing, n, rng=rng, repeats=repeats)
    again = _refitted({name: groupings[name] for name in known}, labels, before, now, n_groups, rng, refits)
    caught = measured.point[CAPTURED, len(known) :]
    best = int(np.argmax(caught))
    table = _table([*_by_customers(list(known), measured, best), *_by_measure("refitted", list(known), again)])
    conditions = {name: conditions for name, (_right, conditions) in words.items()}
    return Scorecard(
        table, _shapes(labels, conditions, groupings), n, buyers, n_groups, list(naive)[best], float(caught[best]), ""
    )


def _sampled(before: Period, now: Period, rng: np.random.Generator) -> tuple[Period, Period]:
    """At most `LARGEST` customers of now, and those of them who were known before."""
    if len(now.came) > LARGEST:
        now = _rows(now, np.sort(rng.choice(len(now.came), LARGEST, replace=False)))
        before = _rows(before, np.flatnonzero(before.customers["customer_id"].isin(now.customers["customer_id"])))
    return before, now


def _rows(period: Period, places: np.ndarray) -> Period:
    return Period(period.customers.iloc[places].reset_index(drop=True), period.came[places])


def _fitted(
    way: Grouping, before: Period, now: Period, n_groups: int, rng: np.random.Generator
) -> Assign | None:
    """Nothing of what came after the cut-off is handed over."""
    if way.learns:
        return way.fit(before.customers, before.came, n_groups, rng)
    return way.fit(now.customers, None, n_groups, rng)


def _means(rule: Assign, before: Period, labels: np.ndarray) -> np.ndarray:
    """What the group of each customer brought on average in the period before; of an empty group, the mean of all."""
    means = pd.Series(before.came).groupby(np.asarray(rule(before.customers))).mean()
    return pd.Series(labels).map(means).fillna(before.came.mean()).to_numpy(float)


def _kept(rule: Assign, before: Period, now: Period, labels: np.ndarray) -> np.ndarray:
    """1 where the rule gave the same group one period earlier, 0 where another; blank for who was not known then."""
    earlier = pd.Series(np.asarray(rule(before.customers)), index=before.customers["customer_id"].to_numpy())
    was = earlier.reindex(now.customers["customer_id"].to_numpy())
    return np.where(was.isna(), np.nan, was.to_numpy() == labels)


def _in_words(
    columns: np.ndarray, labels: np.ndarray, tested: np.ndarray, n_groups: int
) -> tuple[np.ndarray, float]:
    """Whether rules learnt on the other half tell each customer's group; the conditions that tell nine of ten."""
    right = _told(columns, labels, tested, 2 * n_groups)
    for conditions in range(1, MOST_CONDITIONS + 1):
        if _told(columns, labels, tested, conditions + 1)[tested].mean() >= ENOUGH:
            return right, float(conditions)
    return right, np.nan


def _told(columns: np.ndarray, labels: np.ndarray, tested: np.ndarray, leaves: int) -> np.ndarray:
    tree = DecisionTreeClassifier(max_leaf_nodes=leaves, random_state=0).fit(columns[~tested], labels[~tested])
    return (tree.predict(columns) == labels) * 1.0


class _Shown(NamedTuple):
    """What is measured of each customer: ways down, customers across."""

    forecasts: np.ndarray  # what the customer's group brought in the period before
    lists: np.ndarray  # the numbers behind the naive lists
    right: np.ndarray  # 1 where the rules tell the group, among the tested
    tested: np.ndarray  # 1 for the half on which the rules are tested
    kept: np.ndarray  # 1 same group one period earlier, 0 another, blank unknown then
    came: np.ndarray
    list_share: float

    def weighing(self, rows: np.ndarray) -> Weighing:
        """Measures (in the order of `ORDER`) of each way, then of each naive list (captured alone)."""
        forecasts, came = self.forecasts[:, rows], self.came[rows]
        rankings = [Ranking(numbers) for numbers in (*forecasts, *self.lists[:, rows])]
        ways, ideal = len(forecasts), Ranking(came)
        known = ~np.isnan(self.kept[:, rows]) * 1.0
        kept = np.nan_to_num(self.kept[:, rows])
        right, tested = self.right[:, rows], self.tested[rows]

        def measures(weights: np.ndarray) -> np.ndarray:
            gains = weights * came[:, None]
            ranked = [(ranking.sums(weights), ranking.sums(gains)) for ranking in rankings]
            best = gini_of(ideal.sums(weights), ideal.sums(gains))
            found = np.full((len(ORDER), len(rankings), weights.shape[1]), np.nan)
            found[0, :ways] = [ratio(gini_of(heads, gained), best) for heads, gained in ranked[:ways]]
            found[1, :ways] = _explained(forecasts, came, weights)
            found[2, :ways] = ratio(right @ weights, np.broadcast_to(tested @ weights, (ways, weights.shape[1])))
            found[3, :ways] = ratio(kept @ weights, known @ weights)
            found[CAPTURED] = [top_shares(heads, gained, self.list_share) for heads, gained in ranked]
            return found

        return measures


def _explained(forecasts: np.ndarray, came: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """1 - squared misses of the forecasts, scaled to what came in all, over squared distances from the mean of all."""
    n, total = weights.sum(axis=0), came @ weights
    scale = ratio(total, forecasts @ weights)
    misses = (came**2) @ weights - 2 * scale * ((forecasts * came) @ weights) + scale**2 * (forecasts**2 @ weights)
    apart = (came**2) @ weights - ratio(total**2, n)
    return 1 - ratio(misses, np.broadcast_to(apart, misses.shape))


def _refitted(
    ways: Mapping[str, Grouping], labels: Mapping[str, np.ndarray], before: Period, now: Period, n_groups: int,
    rng: np.random.Generator, refits: int,
) -> Measured:  # fmt: skip
    """Likeness of each way's groups to those of fits on customers drawn with replacement, the same for all ways."""
    likeness = np.full((len(ways), refits), np.nan)
    for draw in range(refits):
        drawn_before = _rows(before, rng.integers(len(before.came), size=len(before.came)))
        drawn_now = _rows(now, rng.integers(len(now.came), size=len(now.came)))
        for place, (name, way) in enumerate(ways.items()):
            rule = _fitted(way, drawn_before, drawn_now, n_groups, rng)
            if rule is not None:
                likeness[place, draw] = adjusted_rand_score(labels[name], rule(now.customers))
    point = np.array([row[~np.isnan(row)].mean() if not np.isnan(row).all() else np.nan for row in likeness])
    return Measured(point, likeness)


def _by_customers(names: Sequence[str], measured: Measured, best_naive: int) -> list[dict[str, object]]:
    """Rows of everything that the bootstrap over customers measures."""
    rows: list[dict[str, object]] = []
    for place, measure in enumerate(ORDER):
        one = Measured(measured.point[place, : len(names)], measured.draws[place, : len(names)])
        rows += _by_measure(measure, names, one)
    caught = Measured(measured.point[CAPTURED], measured.draws[CAPTURED])
    naive = len(names) + best_naive
    over = Measured(caught.point - caught.point[naive], caught.draws - caught.draws[naive])
    return rows + _by_measure("over_naive", names, Measured(over.point[: len(names)], over.draws[: len(names)]))


def _by_measure(measure: str, names: Sequence[str], found: Measured) -> list[dict[str, object]]:
    """One row a way; level with the best where zero lies in the interval of the best one's lead."""
    low, high = found.ends
    known = np.nan_to_num(found.point, nan=-np.inf)
    leader = int(np.argmax(known))
    lead_low, _lead_high = ends(found.draws[leader] - found.draws)
    level = (lead_low <= 0) & np.isfinite(known)
    return [
        {"question": MEASURES[measure], "measure": measure, "grouping": name, "value": float(found.point[i]),
         "low": float(low[i]), "high": float(high[i]), "level": bool(level[i])}
        for i, name in enumerate(names)
    ]  # fmt: skip


def _table(rows: Sequence[Mapping[str, object]]) -> pd.DataFrame:
    columns = ["question", "measure", "grouping", "value", "low", "high", "level"]
    table = pd.DataFrame(rows, columns=columns)
    order = {measure: place for place, measure in enumerate(MEASURES)}
    return table.sort_values("measure", key=lambda measure: measure.map(order), kind="stable").reset_index(drop=True)


def _shapes(
    labels: Mapping[str, np.ndarray], conditions: Mapping[str, float], groupings: Mapping[str, Grouping]
) -> pd.DataFrame:
    rows = []
    for name, found in labels.items():
        sizes = pd.Series(found).value_counts()
        rows.append((name, len(sizes), float(sizes.iloc[0] / len(found)), conditions[name], groupings[name].aimed))
    return pd.DataFrame(rows, columns=["grouping", "groups", "largest_share", "conditions", "aimed"])
