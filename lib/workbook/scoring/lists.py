"""How lists are judged: what a list of customers catches, beside naive lists of the same size.

Every way of choosing gives each customer a number; the list is the customers with the highest. What counts is what
the list catches of what happened afterwards: the share of all buyers, and of all their money. A choice is worth its
trouble only if it catches more than the naive choices at the same length, and the interval says by how much.

Where a list ends in the middle of equal numbers, its last places are drawn by lot: each of the tied customers counts
with the chance of being drawn, so that no order of rows decides.

Intervals: bootstrap over customers (each customer's weight is drawn from a Poisson distribution with mean 1),
2.5 % to 97.5 %. What is caught is response, not uplift: who would have bought anyway is caught too (see 07).

Source: B. Efron & R. Tibshirani, An Introduction to the Bootstrap, 1993.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from workbook.data.errors import WorkbookError
from workbook.scoring.intervals import ratio


class Ranking:
    """Customers sorted by one number, highest first, equal numbers as one group."""

    def __init__(self, numbers: np.ndarray) -> None:
        numbers = np.asarray(numbers, float)
        self.order = np.argsort(-numbers, kind="stable")
        falls = np.flatnonzero(np.diff(numbers[self.order]))
        self.ends = np.append(falls, len(numbers) - 1) if len(numbers) else falls  # last place of each group

    def sums(self, of_customers: np.ndarray) -> np.ndarray:
        """What the groups of equal numbers hold, highest group first, of columns with a row per customer.

        >>> Ranking(np.array([3, 1, 1, 2])).sums(np.array([[10.0], [20.0], [30.0], [40.0]])).ravel()
        array([10., 40., 50.])
        """
        ordered = of_customers[self.order]
        if len(self.ends) == len(self.order):
            return ordered
        return np.add.reduceat(ordered, np.append(0, self.ends[:-1] + 1), axis=0)

    def middles(self) -> np.ndarray:
        """How many customers stand before the middle of each customer's group of equal numbers.

        >>> Ranking(np.array([3, 1, 1, 2])).middles()
        array([0.5, 3. , 3. , 1.5])
        """
        heads = np.diff(self.ends, prepend=-1)
        middles = np.empty(len(self.order))
        middles[self.order] = np.repeat(self.ends + 1 - heads / 2, heads)
        return middles

    def caught(self, outcome: np.ndarray, weights: np.ndarray, size: float) -> float:
        """Outcome of the first `size` customers, counted by weight."""
        if not len(self.ends):
            return 0.0
        sorted_weights = weights[self.order]
        heads = np.cumsum(sorted_weights)[self.ends]
        gains = np.cumsum(sorted_weights * outcome[self.order])[self.ends]
        last = int(np.searchsorted(heads, size))  # the group in which the list ends
        if last == len(heads):
            return float(gains[-1])
        heads_before, gains_before = (heads[last - 1], gains[last - 1]) if last else (0.0, 0.0)
        width = heads[last] - heads_before
        part = (size - heads_before) / width if width > 0 else 0.0
        return float(gains_before + part * (gains[last] - gains_before))

    def chances(self, size: float) -> np.ndarray:
        """Each customer's chance of a place on a list of `size`.

        >>> Ranking(np.array([3, 1, 1, 2])).chances(3)
        array([1. , 0.5, 0.5, 1. ])
        """
        heads = np.diff(self.ends, prepend=-1)
        taken = np.clip((size - (self.ends + 1 - heads)) / heads, 0, 1)
        chances = np.empty(len(self.order))
        chances[self.order] = np.repeat(taken, heads)
        return chances


def judge(
    rankings: Mapping[str, np.ndarray],
    outcomes: Mapping[str, np.ndarray],
    *,
    share: float,
    rng: np.random.Generator,
    repeats: int = 200,
) -> pd.DataFrame:
    """What each list catches of each outcome, with intervals, and what it catches more than the first list does less.

    Args:
        rankings: name → a number per customer, highest first; the first name is the one on trial.
        outcomes: name → what happened to each customer (1 bought, or money); totals must not be negative.
        share: length of the list, as a share of the customers (0.2: the first fifth).
        repeats: bootstrap draws.

    Returns:
        ranking, outcome, share, low, high (of the outcome's total), lead, lead_low, lead_high: how much more of the
        total the first ranking catches than this one. Blank where the outcome did not happen at all.
    """
    if not 0 < share <= 1:
        raise WorkbookError(f"A list cannot be {share} of the customers.", way_out="Write a share such as 0.2.")
    n = len(next(iter(rankings.values())))
    ranked = {name: Ranking(numbers) for name, numbers in rankings.items()}
    values = {name: np.asarray(outcome, float) for name, outcome in outcomes.items()}
    point = _shares(ranked, values, np.ones(n), share)
    draws = np.stack([_shares(ranked, values, rng.poisson(1.0, n).astype(float), share) for _ in range(repeats)])
    leads = point[:1] - point, draws[:, :1] - draws
    rows = [
        {
            "ranking": ranking,
            "outcome": outcome,
            "share": point[i, j],
            "low": _end(draws[:, i, j], 2.5),
            "high": _end(draws[:, i, j], 97.5),
            "lead": leads[0][i, j],
            "lead_low": _end(leads[1][:, i, j], 2.5),
            "lead_high": _end(leads[1][:, i, j], 97.5),
        }
        for j, outcome in enumerate(values)
        for i, ranking in enumerate(ranked)
    ]
    return pd.DataFrame(rows)


def _shares(
    ranked: Mapping[str, Ranking], outcomes: Mapping[str, np.ndarray], weights: np.ndarray, share: float
) -> np.ndarray:
    """Share of each outcome's total that each list catches: lists down, outcomes across."""
    size = share * weights.sum()
    totals = np.array([weights @ outcome for outcome in outcomes.values()])
    caught = np.array([[ranking.caught(o, weights, size) for o in outcomes.values()] for ranking in ranked.values()])
    return np.where(totals > 0, caught / np.where(totals > 0, totals, 1), np.nan)


def _end(draws: np.ndarray, percentile: float) -> float:
    known = draws[~np.isnan(draws)]
    return float(np.percentile(known, percentile)) if len(known) else math.nan


def curve(ranking: np.ndarray, outcome: np.ndarray, *, points: int = 20) -> pd.DataFrame:
    """Share of the outcome caught by lists of growing length: list_share, caught_share."""
    ranked, outcome = Ranking(ranking), np.asarray(outcome, float)
    ones, total = np.ones(len(outcome)), float(outcome.sum()) or math.nan
    lengths = np.linspace(0, 1, points + 1)
    caught = [ranked.caught(outcome, ones, length * len(outcome)) / total for length in lengths]
    return pd.DataFrame({"list_share": lengths, "caught_share": caught})


def break_even(*, cost: float, value: float | None, margin: float) -> float | None:
    """The response rate from which a letter pays: its cost over the margin of what an answer brings.

    >>> break_even(cost=1.0, value=40.0, margin=0.5)
    0.05
    """
    gain = margin * (value or 0.0)
    return cost / gain if gain > 0 else None


def top_shares(heads: np.ndarray, gains: np.ndarray, top: float) -> np.ndarray:
    """Share of all gains that the first `top` of the heads hold; the group in which the list ends counts in part.

    Args:
        heads, gains: weights and weighted outcomes of the groups (groups × draws), as `Ranking.sums` gives them.
    """
    size = top * heads.sum(axis=0)
    ranks = np.cumsum(heads, axis=0)
    longest = int((ranks < size).sum(axis=0).max(initial=0)) + 1  # no list reaches beyond this group
    taken = np.clip((size - ranks[:longest] + heads[:longest]) / np.maximum(heads[:longest], 1e-300), 0, 1)
    return ratio((gains[:longest] * taken).sum(axis=0), gains.sum(axis=0))
