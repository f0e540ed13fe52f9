"""Does the model still fit, and does it fit everybody? Drift between windows, and the same judgement by segment.

PSI, the population stability index: Σ (actual − expected) × ln(actual / expected) over the shares of groups that were
cut on the earlier customers. Below 0.1 stable, below 0.25 moving, from there on shifted: a convention of credit
scoring, not a test.

By segment: a segment whose share of leavers lies outside what the probabilities foretell is foretold too high or too
low; whom the list then passes over or bothers differs by segment. Of twenty segments one lies outside by chance, so
that a single flag is a question and not yet a fault. Intervals: Wilson.

Source: N. Siddiqi, Credit risk scorecards, 2006 (PSI); M. Hardt, E. Price & N. Srebro, Equality of opportunity in
supervised learning, 2016 (recall by group).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbook.scoring import Estimate, judge_probabilities, wilson

STABLE, MOVING = 0.1, 0.25
SMALLEST_SHARE = 1e-4  # an empty group would make the index infinite


def psi(expected: Sequence[float], actual: Sequence[float]) -> float:
    """From the shares of the same groups, earlier and now.

    >>> round(psi([.1, .2, .3, .25, .15], [.15, .25, .25, .2, .15]), 7)
    0.0517037
    """
    before = np.maximum(np.asarray(expected, float), SMALLEST_SHARE)
    now = np.maximum(np.asarray(actual, float), SMALLEST_SHARE)
    return float(((now - before) * np.log(now / before)).sum())


def score_psi(before: np.ndarray, after: np.ndarray, *, groups: int = 10) -> float:
    """PSI of any number between two sets of customers; groups are tenths of the earlier set, blanks a group."""
    before, after = np.asarray(before, float), np.asarray(after, float)
    known = before[~np.isnan(before)]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, groups + 1)[1:-1])) if len(known) else np.zeros(0)
    return psi(_shares(before, edges), _shares(after, edges))


def _shares(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    places = np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="left"))
    return np.bincount(places, minlength=len(edges) + 2) / max(len(values), 1)


def drift(before: pd.DataFrame, after: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """feature, psi, code (stable, moving, shifted): how far each feature's distribution has moved; most first."""
    rows = [(name, score_psi(before[name].to_numpy(float), after[name].to_numpy(float))) for name in names]
    found = pd.DataFrame(rows, columns=["feature", "psi"])
    found["code"] = [drift_code(value) for value in found["psi"]]
    return found.sort_values(["psi", "feature"], ascending=[False, True], ignore_index=True)


def drift_code(value: float) -> str:
    """stable, moving, or shifted."""
    return "stable" if value < STABLE else "moving" if value < MOVING else "shifted"


def over_time(
    predictions: Mapping[str, tuple[np.ndarray, np.ndarray]], *, rng: np.random.Generator
) -> pd.DataFrame:
    """Window by window: window, n, churned, auc, low, high, forecast_mean, share (who left), share_low, share_high.

    Args:
        predictions: window → probabilities and what happened, of models that had not seen that window.
    """
    rows = []
    for window, (probabilities, happened) in predictions.items():
        judged = judge_probabilities({"model": probabilities}, happened, rng=rng).iloc[0]
        n, left = len(happened), int(np.sum(happened))
        share = wilson(left, n)
        rows.append((window, n, left, judged["auc"], judged["auc_low"], judged["auc_high"],
                     float(np.mean(probabilities)), *share))  # fmt: skip
    names = ["window", "n", "churned", "auc", "low", "high", "forecast_mean", "share", "share_low", "share_high"]
    return pd.DataFrame(rows, columns=names)


_BLANK = Estimate(math.nan, math.nan, math.nan)


def by_segment(
    probabilities: np.ndarray,
    happened: np.ndarray,
    segment: Sequence[str],
    *,
    threshold: float | None,
    fewest: int = 50,
) -> pd.DataFrame:
    """The same model, segment by segment, on a window it was not fitted on.

    Returns:
        segment, n, churned, code (fair; over: foretold above the interval of what happened; under; too_few),
        forecast_mean, share, share_low, share_high (who left), flagged_share (on the list), precision (of the list who
        left), recall (of those who left, on the list), both with _low and _high. Blank where too few.
    """
    rows = []
    data = pd.DataFrame({"p": probabilities, "left": happened, "segment": segment}).dropna(subset=["segment"])
    data["listed"] = data["p"] >= (math.inf if threshold is None else threshold)
    for name, part in data.groupby("segment", sort=True):
        n, left = len(part), int(part["left"].sum())
        if n < fewest:
            rows.append((name, n, left, "too_few", math.nan, *_BLANK, math.nan, *_BLANK, *_BLANK))
            continue
        share, mean, caught = wilson(left, n), float(part["p"].mean()), int(part.loc[part["listed"], "left"].sum())
        code = "over" if mean > share.high else "under" if mean < share.low else "fair"
        listed = int(part["listed"].sum())
        rows.append((name, n, left, code, mean, *share, listed / n, *wilson(caught, listed), *wilson(caught, left)))
    told = ["share", "share_low", "share_high", "flagged_share", "precision", "precision_low", "precision_high",
            "recall", "recall_low", "recall_high"]  # fmt: skip
    return pd.DataFrame(rows, columns=["segment", "n", "churned", "code", "forecast_mean", *told])
