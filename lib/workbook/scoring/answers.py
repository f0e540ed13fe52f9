"""What each question of the scorecard measures of every customer, and of every way of grouping.

Everything is said with a weight for each customer, so that one bootstrap serves all measures and ways in pairs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score
from sklearn.tree import DecisionTreeClassifier

from workbook.scoring.forecasts import gini_of
from workbook.scoring.groupings import Assign, Grouping
from workbook.scoring.intervals import Measured, Weighing, ratio
from workbook.scoring.lists import Ranking, top_shares

ORDER = ("gini", "explained", "fidelity", "kept", "captured")  # as the bootstrap over customers returns them
CAPTURED = ORDER.index("captured")
ENOUGH = 0.9  # of the customers, whose group the rules must tell
MOST_CONDITIONS = 40


class Period(NamedTuple):
    """Customers as known on a day, and what each brought in the period after it."""

    customers: pd.DataFrame  # customer_id and all columns that the groupings need
    came: np.ndarray  # currency, in the order of the customers

    @classmethod
    def of(cls, frame: pd.DataFrame, came: str) -> Period:
        """From one table; the columns of what happened afterwards (actual_…) are not handed on."""
        later = [name for name in frame.columns if name.startswith("actual_") or name == came]
        return cls(frame.drop(columns=later), frame[came].to_numpy(float))


def rows(period: Period, places: np.ndarray) -> Period:
    return Period(period.customers.iloc[places].reset_index(drop=True), period.came[places])


def fitted(
    way: Grouping, before: Period, now: Period, n_groups: int, rng: np.random.Generator
) -> Assign | None:
    """Nothing of what came after the cut-off is handed over."""
    if way.learns:
        return way.fit(before.customers, before.came, n_groups, rng)
    return way.fit(now.customers, None, n_groups, rng)


def labelled_before(
    way: Grouping, rule: Assign, before: Period, n_groups: int, rng: np.random.Generator
) -> np.ndarray:
    """Groups one period earlier: by the rule of then where names stay the same from fit to fit, else by today's."""
    then = way.fit(before.customers, None, n_groups, rng) if way.comparable else rule
    return np.asarray((then or rule)(before.customers))


def means(was: np.ndarray, before: Period, labels: np.ndarray) -> np.ndarray:
    """What the group of each customer brought on average in the period before; of an empty group, the mean of all."""
    means = pd.Series(before.came).groupby(was).mean()
    return pd.Series(labels).map(means).fillna(before.came.mean()).to_numpy(float)


def kept(was: np.ndarray, before: Period, now: Period, labels: np.ndarray) -> np.ndarray:
    """1 for who was in the same group one period earlier, 0 in another; blank for who was not known then."""
    earlier = pd.Series(was, index=before.customers["customer_id"].to_numpy())
    found = earlier.reindex(now.customers["customer_id"].to_numpy())
    return np.where(found.isna(), np.nan, found.to_numpy() == labels)


def in_words(
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


class Shown(NamedTuple):
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


def refitted(
    ways: Mapping[str, Grouping], labels: Mapping[str, np.ndarray], before: Period, now: Period, n_groups: int,
    rng: np.random.Generator, refits: int,
) -> Measured:  # fmt: skip
    """Likeness of each way's groups to those of fits on customers drawn with replacement, the same for all ways."""
    likeness = np.full((len(ways), refits), np.nan)
    for draw in range(refits):
        drawn_before = rows(before, rng.integers(len(before.came), size=len(before.came)))
        drawn_now = rows(now, rng.integers(len(now.came), size=len(now.came)))
        for place, (name, way) in enumerate(ways.items()):
            rule = fitted(way, drawn_before, drawn_now, n_groups, rng)
            if rule is not None:
                likeness[place, draw] = adjusted_rand_score(labels[name], rule(now.customers))
    point = np.array([row[~np.isnan(row)].mean() if not np.isnan(row).all() else np.nan for row in likeness])
    return Measured(point, likeness)
