"""Are there groups at all? The customers beside customers without groups.

k-means divides anything into k parts, also a cloud without any. So the share of the spread that k groups explain is set
beside that of structureless customers, drawn many times:
    cloud        normally distributed with the same means and covariances (Liu, Hayes, Nobel & Marron 2008, SigClust)
    same_shapes  every measure with exactly the values that it has, tied to the others by the same correlations of
                 normal scores (a Gaussian copula): what single measures and their correlations make, and nothing more
The test takes the number of groups at which the customers stand out most, in standard deviations of the references,
and does the same with every reference beside the others: p counts how many reach as far, itself included.

Verdict: `groups` where the customers stand out from both; `single_measures` where only from the cloud: what looks like
groups is the shape of single measures, such as having bought once; else `continuum`: the groups are a convenient cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri

from workbook.clustering.fits import k_means

REFERENCES = ("cloud", "same_shapes")
SURE = 0.05
LARGEST = 1_000  # points that are looked at
FEWEST = 50  # points below which nothing is said


class Structure(NamedTuple):
    """Whether there are groups."""

    verdict: str  # groups, single_measures, continuum, too_few
    p_values: dict[str, float]  # by reference
    n: int  # points looked at
    table: pd.DataFrame  # reference, k, explained, expected, low, high: share of the spread


def structure(
    points: np.ndarray, *, rng: np.random.Generator, references: int = 59, most: int = 6
) -> Structure:
    """The test. With 59 references the smallest p is 1/60."""
    points = points[rng.permutation(len(points))[:LARGEST]]
    most = min(most, len(np.unique(points.round(9), axis=0)) - 1)
    if len(points) < FEWEST or most < 2:
        return Structure("too_few", {}, len(points), pd.DataFrame(columns=["reference", "k", "explained", "expected"]))
    seen = _explained(points, most, rng)
    tables, p_values = [], {}
    for name, draw in (("cloud", _cloud), ("same_shapes", _same_shapes)):
        drawn = np.array([_explained(reference, most, rng) for reference in _draws(points, draw, references, rng)])
        p_values[name] = _p_value(seen, drawn)
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        tables.append(pd.DataFrame({
            "reference": name, "k": range(2, most + 1), "explained": seen, "expected": drawn.mean(axis=0), "low": low,
            "high": high,
        }))  # fmt: skip
    return Structure(_verdict(p_values), p_values, len(points), pd.concat(tables, ignore_index=True))


def _verdict(p_values: dict[str, float]) -> str:
    if p_values["cloud"] > SURE:
        return "continuum"
    return "groups" if p_values["same_shapes"] <= SURE else "single_measures"


def _explained(points: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    """1 - W(k) / W(1) for k = 2 … most."""
    whole = float(((points - points.mean(axis=0)) ** 2).sum())
    return np.array([1 - k_means(points, k, rng=rng, starts=3).inertia / whole for k in range(2, most + 1)])


def _p_value(seen: np.ndarray, drawn: np.ndarray) -> float:
    """Of the largest distance from the references' mean over all k; each reference measured by all references."""
    spread = np.maximum(drawn.std(axis=0), 1e-12)
    reach = ((seen - drawn.mean(axis=0)) / spread).max()
    reaches = ((drawn - drawn.mean(axis=0)) / spread).max(axis=1)
    return float((1 + (reaches >= reach).sum()) / (1 + len(drawn)))


def _draws(
    points: np.ndarray, draw: Callable[..., np.ndarray], references: int, rng: np.random.Generator
) -> list[np.ndarray]:
    return [draw(points, rng) for _draw in range(references)]


def _cloud(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A normal cloud by way of the principal components, which also serves where a measure repeats another."""
    middle = points.mean(axis=0)
    _left, size, turned = np.linalg.svd(points - middle, full_matrices=False)
    return middle + rng.standard_normal((len(points), len(size))) * (size / np.sqrt(len(points) - 1)) @ turned


def _same_shapes(points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The values of every measure dealt out anew, in the order of a normal cloud of the same correlation."""
    n = len(points)
    jitter = rng.random(points.shape)  # equal values take their ranks by lot
    ranks = np.empty(points.shape)
    for column in range(points.shape[1]):
        ranks[np.lexsort((jitter[:, column], points[:, column])), column] = np.arange(1, n + 1)
    order = _cloud(ndtri(ranks / (n + 1)), rng).argsort(axis=0).argsort(axis=0)
    return np.take_along_axis(np.sort(points, axis=0), order, axis=0)
