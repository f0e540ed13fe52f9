"""Groups of points, found in three ways: k-means, a Gaussian mixture, and density (HDBSCAN).

Sources: Lloyd 1982 and Arthur & Vassilvitskii 2007 (k-means++); McLachlan & Peel 2000 (mixtures); Campello, Moulavi &
Sander 2013 (HDBSCAN); Hubert & Arabie 1985 (the adjusted Rand index: 1 the same groups, 0 as alike as chance makes).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from threadpoolctl import ThreadpoolController

from workbook.clustering.scaling import DIGITS

STARTS = 10  # of k-means; the best is kept
MANY = 50_000  # points from which a fit gains more from several threads than they lose by waiting for each other
NOISE = -1  # label of a point that HDBSCAN leaves in no group
SMALLEST_SHARE = 0.03  # of the points: HDBSCAN's smallest group


class KMeansFit(NamedTuple):
    """The groups that k-means found, the largest first."""

    labels: np.ndarray  # 0 … k - 1
    centres: np.ndarray  # groups by measures
    inertia: float  # sum of squared distances to the centres


def k_means(points: np.ndarray, k: int, *, rng: np.random.Generator, starts: int = STARTS) -> KMeansFit:
    """The best of several starts; groups numbered by size, so that equal data give equal numbers."""
    with _threads().limit(limits=1 if len(points) < MANY else None, user_api="openmp"):
        fitted = KMeans(k, n_init=starts, random_state=int(rng.integers(2**31))).fit(points)
    sizes = np.bincount(fitted.labels_, minlength=k)
    order = sorted(range(k), key=lambda i: (-sizes[i], *np.round(fitted.cluster_centers_[i], 6)))
    rank = np.argsort(order)
    return KMeansFit(rank[fitted.labels_], fitted.cluster_centers_[order].round(DIGITS), float(fitted.inertia_))


@cache
def _threads() -> ThreadpoolController:
    """Looked up once: to search the loaded libraries takes longer than a small fit."""
    return ThreadpoolController()


def nearest(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """The nearest centre of each point; the first of equals."""
    squared = np.column_stack([((points - centre) ** 2).sum(axis=1) for centre in centres])
    return squared.round(9).argmin(axis=1)


def mixture(points: np.ndarray, k: int, *, rng: np.random.Generator) -> np.ndarray:
    """Groups as ellipsoids of their own size and direction; each point in the likeliest.

    The covariances get a hundredth of the mean variance added: where many points are equal in one measure, an
    ellipsoid would else shrink to a disc of boundless density.
    """
    ridge = 0.01 * float(points.var(axis=0).mean()) or 1e-6
    model = GaussianMixture(k, n_init=2, reg_covar=ridge, random_state=int(rng.integers(2**31)))
    return model.fit(points).predict(points)


def density(points: np.ndarray) -> np.ndarray:
    """Groups as places where points lie dense, however many there are; -1 where they are thin."""
    smallest = max(5, round(SMALLEST_SHARE * len(points)))
    return HDBSCAN(min_cluster_size=smallest, min_samples=5, copy=True).fit_predict(points)


class Way(NamedTuple):
    """One way of finding groups."""

    way: str  # k_means, mixture, density
    groups: int
    unplaced_share: float  # share of points in no group
    largest_share: float  # share of points in the largest group


def ways(labels: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """What each way found: way, groups, unplaced_share, largest_share."""
    rows = []
    for way, found in labels.items():
        placed = found[found != NOISE]
        sizes = np.bincount(placed) if len(placed) else np.array([0])
        rows.append(Way(way, int((sizes > 0).sum()), float(np.mean(found == NOISE)), float(sizes.max() / len(found))))
    return pd.DataFrame(rows, columns=list(Way._fields))


def agreement(labels: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """The adjusted Rand index of each pair: one, other, adjusted_rand."""
    rows = [(a, b, float(adjusted_rand_score(labels[a], labels[b]))) for a, b in combinations(labels, 2)]
    return pd.DataFrame(rows, columns=["one", "other", "adjusted_rand"])
