"""Scores: where a customer stands among the others in recency, frequency and monetary value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.data.engine import few_rows
from workbook.data.errors import WorkbookError

MEASURES = {"recency_days": "r", "frequency": "f", "monetary": "m"}  # measure → its score


class Thresholds(NamedTuple):
    """Edges between the score bins, ascending, so that a later period can be scored by the same rule.

    A value equal to an edge belongs below it. Edges repeat where many customers share a value: the bins between
    stay empty.
    """

    recency_days: tuple[float, ...]  # days
    frequency: tuple[float, ...]  # purchase days or orders
    monetary: tuple[float, ...]  # reporting currency

    @property
    def bins(self) -> dict[str, int]:
        """Number of bins by score: {"r": 5, "f": 5, "m": 5}."""
        return {name: len(getattr(self, measure)) + 1 for measure, name in MEASURES.items()}

    def as_rule(self) -> dict[str, list[float]]:
        """As JSON holds it, for `run.freeze`."""
        return {measure: list(edges) for measure, edges in self._asdict().items()}

    @classmethod
    def of_rule(cls, rule: Mapping[str, Any]) -> Thresholds:
        return cls(**{measure: tuple(rule[measure]) for measure in MEASURES})


def thresholds(customers: ir.Table, *, n_bins: int = 5, first_time_apart: bool = False) -> Thresholds:
    """Quantile edges, computed in the engine (linear interpolation, Hyndman & Fan's type 7, as R and NumPy do).

    Args:
        customers: recency_days, frequency, monetary; one row per buyer.
        n_bins: bins per measure.
        first_time_apart: frequency edges from repeat buyers alone, if there are any. Where most people bought once,
            all edges would else be 1, and those who came back could not be told apart.
    """
    if not 2 <= n_bins <= 20:
        raise WorkbookError(f"n_bins is {n_bins}.", way_out="Choose 2 to 20 bins; 5 is usual.")
    shares = [i / n_bins for i in range(1, n_bins)]
    as_float = {measure: customers[measure].cast("float64") for measure in MEASURES}
    wanted = {measure: values.quantile(shares) for measure, values in as_float.items()}
    if first_time_apart:
        wanted["of_repeat_buyers"] = as_float["frequency"].quantile(shares, where=customers.purchase_days > 1)
    row = few_rows(customers.aggregate(**wanted))[0]
    row["frequency"] = row.pop("of_repeat_buyers", None) or row["frequency"]
    return Thresholds(**{name: tuple(map(_tidy, edges or [None] * len(shares))) for name, edges in row.items()})


def _tidy(edge: float | None) -> float:
    """Twelve significant digits: what interpolation adds beyond them would put a value on the wrong side of itself.

    Without any customer the edge is zero.
    """
    return 0.0 if edge is None else float(f"{edge:.12g}")


def own_cuts(
    fitted: Thresholds,
    *,
    recency_days: Sequence[float] = (),
    frequency: Sequence[float] = (),
    monetary: Sequence[float] = (),
) -> Thresholds:
    """The fitted thresholds with those measures replaced for which someone declared cuts of their own."""
    declared = {"recency_days": recency_days, "frequency": frequency, "monetary": monetary}
    for measure, cuts in declared.items():
        if any(high <= low for low, high in pairwise(cuts)):
            raise WorkbookError(
                f"The cuts of {measure} do not rise: {list(cuts)}.", way_out="Write them in rising order, each once."
            )
    return fitted._replace(**{measure: tuple(map(float, cuts)) for measure, cuts in declared.items() if cuts})


def equal_width(customers: ir.Table, *, n_bins: int = 5) -> Thresholds:
    """Edges at equal distances between the smallest and the largest value: the obvious way, and a poor one."""
    ends = customers.aggregate(
        **{f"{measure}_low": customers[measure].min().cast("float64") for measure in MEASURES},
        **{f"{measure}_high": customers[measure].max().cast("float64") for measure in MEASURES},
    )
    row = few_rows(ends)[0]

    def edges(low: float | None, high: float | None) -> tuple[float, ...]:
        return tuple(_tidy((low or 0) + i * ((high or 0) - (low or 0)) / n_bins) for i in range(1, n_bins))

    return Thresholds(**{measure: edges(row[f"{measure}_low"], row[f"{measure}_high"]) for measure in MEASURES})


def score(customers: ir.Table, edges: Thresholds) -> ir.Table:
    """Adds r, f, m: 1 plus the edges below the value; turned round for recency, where little is good."""
    return customers.mutate(
        r=edges.bins["r"] - _edges_below(customers.recency_days, edges.recency_days),
        f=1 + _edges_below(customers.frequency, edges.frequency),
        m=1 + _edges_below(customers.monetary, edges.monetary),
    )


def _edges_below(values: ir.NumericValue, edges: Sequence[float]) -> ir.IntegerValue:
    """How many edges lie below each value."""
    as_float = values.cast("float64")
    return reduce(add, [(as_float > edge).cast("int64") for edge in edges], ibis.literal(0, type="int64"))


def used_bins(scored: ir.Table) -> dict[str, int]:
    """Bins with anybody in them, by score."""
    names = list(MEASURES.values())
    return few_rows(scored.aggregate(**{name: scored[name].nunique() for name in names}))[0]


def weighted(scored: ir.Table, edges: Thresholds, *, weights: Sequence[float] = (1, 1, 1)) -> ir.Table:
    """Adds `score`, 0 to 100: the weighted mean of (score - 1) / (bins - 1) of recency, frequency, monetary value."""
    if len(weights) != 3 or min(weights) < 0 or sum(weights) == 0:
        raise WorkbookError(
            f"The weights are {list(weights)}.",
            way_out="Give three numbers, for recency, frequency and monetary value: none below 0, not all 0.",
        )
    parts = [
        (scored[name] - 1) * (100 * weight / sum(weights) / max(edges.bins[name] - 1, 1))
        for name, weight in zip(MEASURES.values(), weights, strict=True)
    ]
    return scored.mutate(score=reduce(add, parts).cast("float64").round(6))
