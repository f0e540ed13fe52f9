"""Measures made comparable: tails drawn in, thin evidence drawn to the shop's average, one scale for all.

A measure enters as
    log         ln(1 + x)
    signed_log  sign(x) ln(1 + |x|): net amounts can be negative
    share       √((n x + m) / (n + 1)): as though the customer had made one more purchase with the shop's mean share m,
                so that one order does not make anybody a friend of one category; the root makes shares comparable
                (Hellinger 1909; Legendre & Gallagher 2001)
    plain       x
then minus its mean, over its standard deviation, cut at ±3 so that no single customer draws a group, times the root of
its weight: its reliability, where that is known. Blank values stand at the median of those known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.clustering.features import measure

CUT = 3.0  # standard deviations
LEAST_KNOWN = 0.5  # share of customers of whom a measure must be known
MOST_ALIKE = 0.95  # share of customers with one and the same value, above which a measure tells nobody apart
DIGITS = 10  # of what a rule keeps: what adding in another order changes lies beyond them


class Column(NamedTuple):
    """How one measure is brought to the common scale."""

    name: str
    kind: str
    fill: float  # in place of blank: the median of those known
    prior: float  # mean of a share; 0 for the others
    mean: float  # of the transformed values
    sd: float
    weight: float


class Scaling(NamedTuple):
    """The frozen scale: what `fit` saw decides, not the period to which it is applied."""

    columns: tuple[Column, ...]

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    def as_rule(self) -> list[list[Any]]:
        return [list(column) for column in self.columns]

    @classmethod
    def of_rule(cls, rule: Sequence[Sequence[Any]]) -> Scaling:
        return cls(tuple(Column(*column) for column in rule))


def raw_shares(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """What distances between customers would be made of without a common scale: measure, share of the variance."""
    spread = frame[list(names)].astype(float).var()
    table = (spread / (spread.sum() or 1.0)).rename("share").rename_axis("measure").reset_index()
    return table.sort_values(["share", "measure"], ascending=[False, True], ignore_index=True)


def usable(frame: pd.DataFrame, asked: Sequence[str]) -> dict[str, str]:
    """Each measure asked for → "" if it can be used, else why not: missing, mostly_blank, mostly_alike."""
    return {name: _fault(frame, name) for name in asked}


def _fault(frame: pd.DataFrame, name: str) -> str:
    if name not in frame.columns:
        return "missing"
    values = frame[name].dropna()
    if len(values) < max(LEAST_KNOWN * len(frame), 2):
        return "mostly_blank"
    return "mostly_alike" if values.value_counts(normalize=True).iloc[0] > MOST_ALIKE else ""


def fit(frame: pd.DataFrame, names: Sequence[str], *, weights: Mapping[str, float] | None = None) -> Scaling:
    """The scale of these customers.

    Args:
        frame: the named measures and purchase_days; a sample will do.
        weights: how much a measure counts; 1 where none is given.
    """
    columns = []
    for name in names:
        kind, values = measure(name).kind, frame[name].astype(float)
        fill = _kept(values.median())
        prior = _kept(values.mean()) if kind == "share" else 0.0
        moved = _transform(values.fillna(fill).to_numpy(), frame["purchase_days"].to_numpy(), kind, prior)
        weight = _kept(np.sqrt((weights or {}).get(name, 1.0)))
        columns.append(Column(name, kind, fill, prior, _kept(moved.mean()), _kept(moved.std()) or 1.0, weight))
    return Scaling(tuple(columns))


def _kept(value: float) -> float:
    return round(float(value), DIGITS)


def _transform(values: np.ndarray, n: np.ndarray, kind: str, prior: float) -> np.ndarray:
    match kind:
        case "log":
            return np.log1p(values)
        case "signed_log":
            return np.sign(values) * np.log1p(np.abs(values))
        case "share":
            return np.sqrt((n * values + prior) / (n + 1))
    return values


def apply(frame: pd.DataFrame, scaling: Scaling) -> np.ndarray:
    """Customers by measures on the common scale."""
    n = frame["purchase_days"].to_numpy() if "purchase_days" in frame else np.ones(len(frame))
    parts = []
    for column in scaling.columns:
        values = frame[column.name].astype(float).fillna(column.fill).to_numpy()
        moved = (_transform(values, n, column.kind, column.prior) - column.mean) / column.sd
        parts.append(column.weight * np.clip(moved, -CUT, CUT))
    return np.column_stack(parts) if parts else np.empty((len(frame), 0))


def expressions(table: ir.Table, scaling: Scaling) -> dict[str, ir.FloatingValue]:
    """The same in the engine: measure → expression on the common scale."""
    found = {}
    for column in scaling.columns:
        x = table[column.name].cast("float64").coalesce(column.fill)
        if column.kind == "log":
            x = (1 + x).ln()
        elif column.kind == "signed_log":
            x = x.sign() * (1 + x.abs()).ln()
        elif column.kind == "share":
            x = ((table.purchase_days * x + column.prior) / (table.purchase_days + 1)).sqrt()
        scaled = (x - column.mean) / column.sd
        found[column.name] = ibis.greatest(ibis.least(scaled, CUT), -CUT) * column.weight
    return found
