"""Curves of a probability against what happened: precision and recall, ROC, lift and gain.

Numbers with intervals come from `scoring.judge_probabilities`; these are the pictures. Equal probabilities stand or
fall together, so that no order of rows shows.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbook.scoring import curve

MOST_POINTS = 200


def pr_curve(probabilities: np.ndarray, happened: np.ndarray) -> pd.DataFrame:
    """threshold, recall (share of the events on the list), precision (share of the list to whom it happened)."""
    hits, flagged, threshold = _counts(probabilities, happened)
    found = pd.DataFrame(
        {"threshold": threshold, "recall": hits / max(hits[-1], 1), "precision": hits / np.maximum(flagged, 1)}
    )
    return _thinned(found)


def roc_curve(probabilities: np.ndarray, happened: np.ndarray) -> pd.DataFrame:
    """false_positive_rate, true_positive_rate; from 0, 0 to 1, 1."""
    hits, flagged, _ = _counts(probabilities, happened)
    misses = flagged - hits
    found = pd.DataFrame(
        {
            "false_positive_rate": np.concatenate([[0.0], misses / max(misses[-1], 1)]),
            "true_positive_rate": np.concatenate([[0.0], hits / max(hits[-1], 1)]),
        }
    )
    return _thinned(found)


def lift_and_gain(probabilities: np.ndarray, happened: np.ndarray, *, groups: int = 10) -> pd.DataFrame:
    """list_share, caught_share (of the events: gain), lift (caught_share / list_share), the likeliest first."""
    caught = curve(np.asarray(probabilities, float), np.asarray(happened, float), points=groups).iloc[1:]
    return caught.assign(lift=caught["caught_share"] / caught["list_share"]).reset_index(drop=True)


def _counts(probabilities: np.ndarray, happened: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At each different probability, highest first: events and customers at least as likely, and the probability."""
    probabilities, happened = np.asarray(probabilities, float), np.asarray(happened, float)
    order = np.argsort(-probabilities, kind="stable")
    ranked = probabilities[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    return np.cumsum(happened[order])[ends], ends + 1.0, ranked[ends]


def _thinned(points: pd.DataFrame) -> pd.DataFrame:
    """At most 200 points, the first and the last among them."""
    if len(points) <= MOST_POINTS:
        return points
    return points.iloc[np.linspace(0, len(points) - 1, MOST_POINTS).astype(int)].reset_index(drop=True)
