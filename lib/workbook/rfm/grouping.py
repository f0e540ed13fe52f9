"""The segments as one way of grouping among others, for the scorecard of chapter 06."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import product

import ibis
import numpy as np
import pandas as pd

from workbook.data.engine import few_rows
from workbook.rfm.groups import assign
from workbook.rfm.scores import MEASURES, Thresholds

Labels = Callable[[pd.DataFrame], np.ndarray]


def group_fitter(n_groups: int, rng: np.random.Generator) -> Callable[[pd.DataFrame], Labels]:
    """Fits the cuts on one table of customers and names the segment of any other's by the same cuts.

    The printed rule decides how many segments there are, not `n_groups`: other ways are given as many groups as there
    are segments with customers. Nothing is drawn.

    >>> people = {"recency_days": [1, 80, 300], "frequency": [9, 2, 1], "monetary": [90, 9, 1]}
    >>> table = pd.DataFrame(people).assign(purchase_days=[9, 2, 1])
    >>> group_fitter(2, np.random.default_rng(1))(table)(table).tolist()
    ['champions', 'occasional', 'one_time_gone']
    """

    def fit(customers: pd.DataFrame) -> Labels:
        edges = _edges(customers)
        return lambda others: _labels(others, edges)

    return fit


def _edges(customers: pd.DataFrame, n_bins: int = 5) -> Thresholds:
    """As `thresholds(first_time_apart=True)` computes them in the engine."""
    shares = np.arange(1, n_bins) / n_bins
    found = {measure: customers[measure].to_numpy(float) for measure in MEASURES}
    again = found["frequency"][customers["purchase_days"].to_numpy() > 1]
    found["frequency"] = again if len(again) else found["frequency"]
    return Thresholds(
        **{name: tuple(float(f"{edge:.12g}") for edge in np.quantile(each, shares)) for name, each in found.items()}
    )


def _scores(customers: pd.DataFrame, edges: Thresholds) -> np.ndarray:
    recency, frequency, monetary = (
        np.searchsorted(getattr(edges, measure), customers[measure].to_numpy(float)) for measure in MEASURES
    )
    return np.column_stack([edges.bins["r"] - recency, 1 + frequency, 1 + monetary])


@cache
def _segments(bins: tuple[int, int, int]) -> dict[tuple[int, ...], str]:
    """The printed rule asked once for every possible row: (first time or not, r, f, m) → segment."""
    edges = Thresholds(*((0.0,) * (n - 1) for n in bins))
    rows = product((1, 2), *(range(1, n + 1) for n in bins))
    table = ibis.memtable(pd.DataFrame(rows, columns=["purchase_days", *edges.bins]))
    named = few_rows(assign(table, edges))
    return {(row["purchase_days"], row["r"], row["f"], row["m"]): row["segment"] for row in named}


def _labels(customers: pd.DataFrame, edges: Thresholds) -> np.ndarray:
    segments = _segments(tuple(edges.bins.values()))
    days = np.minimum(customers["purchase_days"].to_numpy(), 2)
    keys = np.column_stack([days, _scores(customers, edges)])
    return np.array([segments[tuple(int(part) for part in key)] for key in keys])
