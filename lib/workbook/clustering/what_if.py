"""What if there were more groups, or others measures made them? Groups that are tried, not kept."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from workbook.clustering import fits, scaling
from workbook.clustering.choice import stability
from workbook.clustering.fitting import FEWEST, Fitted, seeded
from workbook.clustering.names import LETTERS, differences, traits
from workbook.clustering.profile import Map, silhouettes, two_components
from workbook.clustering.rule import Rule, labels

WAYS = ("k_means", "mixture", "density")
RESAMPLES = 10


class WhatIf(NamedTuple):
    """What a tried way of grouping gives."""

    groups: pd.DataFrame  # group, traits (codes), customers, customer_share, revenue_share
    unplaced_share: float  # of the customers: density leaves some in no group
    silhouette: float
    stability: float  # of the group that comes back least; nan for ways other than k-means
    alike: float  # adjusted Rand index with the groups in force; nan without any
    map: Map


def found_by(way: str, points: np.ndarray, k: int, *, rng: np.random.Generator) -> np.ndarray:
    """The groups of one of `WAYS`."""
    if way == "k_means":
        return fits.k_means(points, k, rng=rng).labels
    return fits.mixture(points, k, rng=rng) if way == "mixture" else fits.density(points)


def side_by_side(today: Fitted) -> dict[str, np.ndarray]:
    """The groups of today's customers by all ways; empty where no number of groups was chosen."""
    if today.choice.k < 2:
        return {}
    others = {way: found_by(way, today.points, today.choice.k, rng=seeded(way, today.day)) for way in WAYS[1:]}
    return {"k_means": today.fit.labels, **others}


def what_if(today: Fitted, rule: Rule, *, k: int, names: Sequence[str], way: str = "k_means") -> WhatIf | None:
    """Group today's customers by other measures, another number or another way; None where that cannot be done."""
    frame, rng = today.frame, seeded("what if", today.day)
    names = [name for name in names if not scaling.usable(frame, [name])[name]]
    if len(frame) < FEWEST or not names:
        return None
    weights = dict(zip(today.measures["measure"], today.measures["weight"], strict=True))
    scale = scaling.fit(frame, names, weights=weights)
    points = scaling.apply(frame, scale)
    if len(np.unique(points.round(9), axis=0)) <= k:
        return None
    groups = found_by(way, points, k, rng=rng)
    numbers = [int(group) for group in np.unique(groups) if group != fits.NOISE]
    inside = groups != fits.NOISE
    centres = np.array([points[groups == group].mean(axis=0) for group in numbers]).reshape(-1, len(names))
    spend = float(frame["spend_12m"].sum()) or np.nan
    table = pd.DataFrame({
        "group": numbers, "traits": list(traits(differences(centres, scale), names)),
        "customers": [int((groups == group).sum()) for group in numbers],
        "customer_share": [float((groups == group).mean()) for group in numbers],
        "revenue_share": [float(frame.loc[groups == group, "spend_12m"].sum()) / spend for group in numbers],
    })  # fmt: skip
    borders = silhouettes(points[inside], groups[inside], rng=rng)["silhouette"]
    held = float(stability(points, groups, k, rng=rng, resamples=RESAMPLES).min()) if way == "k_means" else np.nan
    in_force = adjusted_rand_score(labels(frame, rule), groups) if rule.centres else np.nan
    return WhatIf(table, float(1 - inside.mean()), float(borders.mean()), held, float(in_force),
                  two_components(points[inside], groups[inside], names, rng=rng))  # fmt: skip


def letters(table: pd.DataFrame) -> list[str]:
    """A letter for each tried group."""
    return [LETTERS[i] if i < len(LETTERS) else str(i + 1) for i in range(len(table))]
