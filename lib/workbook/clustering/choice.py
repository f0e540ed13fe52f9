"""How many groups: three questions asked of every number, and a rule that anybody may overrule.

silhouette  are members nearer to their own group than to the next? (Rousseeuw 1987; mean over members, -1 to 1)
gap         is the fit better than on points spread evenly over the same box? (Tibshirani, Walther & Hastie 2001; the
            box is turned along the principal components)
stability   do the groups come back when customers are drawn anew? (Hennig 2007: mean Jaccard likeness of each group to
            its nearest in bootstrap fits; from 0.75 on a group is stable, below 0.6 it should not be believed)

The rule: of the numbers from `fewest` up at which every group comes back (Jaccard at least 0.6) and all together are
stable (mean at least 0.75), the largest silhouette; numbers within two standard errors of it count as equal, and of
those the largest gap is taken. Where no number is stable: the number whose weakest group comes back most.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import silhouette_samples

from workbook.clustering.fits import k_means, nearest

STABLE, DOUBTFUL = 0.75, 0.6  # Jaccard, Hennig 2007
EXAMINED = ["k", "inertia", "silhouette", "silhouette_se", "gap", "gap_se", "stability", "weakest"]
LARGEST_PICTURE = 1_500  # points whose silhouette is worked out: it compares every pair


class Choice(NamedTuple):
    """How many groups, and why."""

    k: int
    by: str  # "rule"; "nothing_stable": the least bad; "reader": overruled
    silhouette_k: int  # what each question alone would choose
    gap_k: int
    stable_k: int  # the largest stable number; 0 where none is


def examined(
    points: np.ndarray, *, rng: np.random.Generator, most: int = 8, references: int = 15, resamples: int = 40
) -> pd.DataFrame:
    """Every number of groups from 1 to `most`.

    Returns:
        k, inertia, silhouette, silhouette_se, gap, gap_se, stability (mean Jaccard over groups), weakest (of the group
        that comes back least). For k = 1 only inertia and gap.
    """
    most = min(most, len(np.unique(points.round(9), axis=0)) - 1)
    fits = {k: k_means(points, k, rng=rng) for k in range(1, most + 1)}
    gaps = gap(points, [fit.inertia for fit in fits.values()], rng=rng, references=references)
    some = rng.permutation(len(points))[:LARGEST_PICTURE]
    rows = []
    for k, fit in fits.items():
        row = {"k": k, "inertia": fit.inertia, **gaps.loc[k].to_dict()}
        if k > 1:
            each = silhouette_samples(points[some], fit.labels[some]) if len(set(fit.labels[some])) > 1 else np.zeros(1)
            jaccard = stability(points, fit.labels, k, rng=rng, resamples=resamples)
            row |= {"silhouette": each.mean(), "silhouette_se": each.std() / np.sqrt(len(each)),
                    "stability": jaccard.mean(), "weakest": jaccard.min()}  # fmt: skip
        rows.append(row)
    return pd.DataFrame(rows, columns=EXAMINED)


def gap(points: np.ndarray, inertias: list[float], *, rng: np.random.Generator, references: int = 10) -> pd.DataFrame:
    """gap = mean of ln W over the references - ln W of the data; gap_se = its sd × √(1 + 1 / references).

    Args:
        inertias: W of the data for k = 1, 2 …
    """
    middle = points.mean(axis=0)
    turned = np.linalg.svd(points - middle, full_matrices=False)[2]
    rotated = (points - middle) @ turned.T
    low, high = rotated.min(axis=0), rotated.max(axis=0)
    drawn = np.empty((references, len(inertias)))
    for i in range(references):
        box = rng.uniform(low, high, size=rotated.shape)
        drawn[i] = [np.log(k_means(box, k, rng=rng, starts=2).inertia) for k in range(1, len(inertias) + 1)]
    index = pd.RangeIndex(1, len(inertias) + 1, name="k")
    se = drawn.std(axis=0) * np.sqrt(1 + 1 / references)
    return pd.DataFrame({"gap": drawn.mean(axis=0) - np.log(inertias), "gap_se": se}, index=index)


def stability(
    points: np.ndarray, labels: np.ndarray, k: int, *, rng: np.random.Generator, resamples: int = 20
) -> np.ndarray:
    """Mean Jaccard likeness of each group to its nearest in fits on customers drawn with replacement."""
    found = np.zeros(k)
    for _draw in range(resamples):
        drawn = rng.integers(len(points), size=len(points))
        again = nearest(points, k_means(points[drawn], k, rng=rng, starts=2).centres)
        found += jaccard(labels, again, k).max(axis=1)
    return found / resamples


def jaccard(one: np.ndarray, other: np.ndarray, k: int) -> np.ndarray:
    """Members in both over members in either: groups of `one` down, of `other` across."""
    both = np.zeros((k, max(k, int(other.max()) + 1)))
    np.add.at(both, (one, other), 1)
    either = both.sum(axis=1, keepdims=True) + both.sum(axis=0, keepdims=True) - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def choose(table: pd.DataFrame, *, k: int = 0, fewest: int = 3) -> Choice:
    """The number of groups by the rule, or the reader's.

    Args:
        table: as `examined` returns it.
        k: 0 asks the rule.
        fewest: two groups are a cut, not a segmentation; 2 where you want it.
    """
    known = table[table["silhouette"].notna()].set_index("k")
    if known.empty:
        return Choice(1, "rule", 1, 1, 0)
    held = known[(known["weakest"] >= DOUBTFUL) & (known["stability"] >= STABLE)]
    alone = (int(known["silhouette"].idxmax()), gap_k(table), int(held.index.max()) if len(held) else 0)
    if k:
        return Choice(k, "reader", *alone)
    wanted = known[known.index >= min(fewest, known.index.max())]
    stable = held[held.index.isin(wanted.index)]
    if stable.empty:
        return Choice(int(wanted["weakest"].idxmax()), "nothing_stable", *alone)
    best = stable.loc[stable["silhouette"].idxmax()]
    equal = stable[stable["silhouette"] >= best["silhouette"] - 2 * best["silhouette_se"]]
    return Choice(int(equal["gap"].idxmax()), "rule", *alone)


def gap_k(table: pd.DataFrame) -> int:
    """The first number whose gap is at least the next one's less its standard error (Tibshirani et al. 2001)."""
    gaps, errors = table["gap"].to_numpy(), table["gap_se"].to_numpy()
    enough = np.flatnonzero(gaps[:-1] >= gaps[1:] - errors[1:])
    return int(table["k"].iloc[enough[0] if len(enough) else -1])
