"""Are there groups at all? The customers beside customers without groups.

k-means divides anything into k parts, also a cloud without any. So the share of the spread that k groups explain is set
beside that of structureless customers, drawn many times:
    cloud        normally distributed with the same means and covariances (Liu, Hayes, Nobel & Marron 2008, SigClust)
    same_shapes  every measure with exactly the values that it has, tied to the others by the same correlations of
                 normal scores (a Gaussian copula): what single measures and their correlations make, and nothing more
The test takes the number of groups at which the customers stand out most, in standard deviations of the references,
and does the same with every reference beside the others: p counts how many reach as far, itself included.

Many customers make any trace of structure certain, so its size counts too: of what k groups leave unexplained among the
structureless, the share that they do explain here (`beyond`).

Verdict: `groups` where the customers stand out from both and beyond reaches 0.15; `overlapping` where it does not:
there is structure, but no borders; `single_measures` where they stand out only from the cloud: what looks like groups
is the shape of single measures, such as having bought once; else `continuum`: the groups are a convenient cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import ndtri

from workbook.clustering.fits import k_means

REFERENCES = ("cloud", "same_shapes")
COLUMNS = ["reference", "k", "explained", "expected", "low", "high"]
SURE = 0.05
MATERIAL = 0.15  # of `beyond`: three normal groups reach 0.10 at 3 standard deviations apart, 0.24 at 4; iris 0.48
LARGEST = 1_000  # points that are looked at
FEWEST = 50  # points below which nothing is said


class Structure(NamedTuple):
    """Whether there are groups."""

    verdict: str  # groups, overlapping, single_measures, continuum, too_few
    p_values: dict[str, float]  # by reference
    beyond: float  # of what groups of the same single measures leave unexplained, the share explained here
    n: int  # points looked at
    table: pd.DataFrame  # reference, k, explained, expected, low, high: share of the spread


def structure(
    points: np.ndarray, *, rng: np.random.Generator, references: int = 59, most: int = 6
) -> Structure:
    """The test. With 59 references the smallest p is 1/60."""
    points = points[rng.permutation(len(points))[:LARGEST]]
    most = min(most, len(np.unique(points.round(9), axis=0)) - 1)
    if len(points) < FEWEST or most < 2:
        return Structure("too_few", {}, float("nan"), len(points), pd.DataFrame(columns=COLUMNS))
    seen = _explained(points, most, rng)
    tables, p_values, beyond = [], {}, 0.0
    for name, draw in (("cloud", _cloud), ("same_shapes", _same_shapes)):
        drawn = np.array([_explained(reference, most, rng) for reference in _draws(points, draw, references, rng)])
        p_values[name] = _p_value(seen, drawn)
        beyond = float((1 - (1 - seen) / (1 - drawn.mean(axis=0))).max())  # the last reference: the stricter one
        low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
        tables.append(pd.DataFrame({
            "reference": name, "k": range(2, most + 1), "explained": seen, "expected": drawn.mean(axis=0), "low": low,
            "high": high,
        }))  # fmt: skip
    verdict = _verdict(p_values, beyond)
    return Structure(verdict, p_values, beyond, len(points), pd.concat(tables, ignore_index=True))


def _verdict(p_values: dict[str, float], beyond: float) -> str:
    if p_values["cloud"] > SURE:
        return "continuum"
    if p_values["same_shapes"] > SURE:
        return "single_measures"
    return "groups" if beyond >= MATERIAL else "overlapping"


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
