"""Features made fit for a linear model: long tails by logarithm, blanks by the median, everything in standard units.

What it was fitted with is part of the model: the same numbers are used on a later day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbook.churn.features import FEATURES

_SKEWED = {feature.name for feature in FEATURES if feature.skewed}
RARE = 0.01  # share of blanks (or of values) below which a column gets no sign "was blank"


@dataclass(frozen=True)
class Preparation:
    """Fitted on the training customers; one column of `transform` per feature, then one per feature with blanks."""

    names: tuple[str, ...]
    skewed: np.ndarray  # bool per feature
    medians: np.ndarray  # after the logarithm
    blanks: tuple[int, ...]  # places of the features whose blanks are a sign of their own
    means: np.ndarray
    scales: np.ndarray

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Standard units: 0 is the mean of the training customers, 1 a standard deviation."""
        return (self._filled(_logged(frame, self.names, self.skewed)) - self.means) / self.scales

    def by_feature(self, columns: np.ndarray) -> np.ndarray:
        """Contributions of the columns, added up by feature: that of a blank belongs to its feature."""
        features = columns[:, : len(self.names)].copy()
        for extra, place in enumerate(self.blanks):
            features[:, place] += columns[:, len(self.names) + extra]
        return features

    def _filled(self, values: np.ndarray) -> np.ndarray:
        missing = np.isnan(values)
        return np.hstack([np.where(missing, self.medians, values), missing[:, list(self.blanks)].astype(float)])


def prepare(frame: pd.DataFrame, names: Sequence[str]) -> Preparation:
    """Fit it on the training customers."""
    skewed = np.array([name in _SKEWED for name in names])
    values = _logged(frame, names, skewed)
    missing = np.isnan(values)
    share = missing.mean(axis=0)
    medians = np.array([np.median(values[~gone, i]) if (~gone).any() else 0.0 for i, gone in enumerate(missing.T)])
    blanks = tuple(np.flatnonzero((share > RARE) & (share < 1 - RARE)).tolist())
    width = len(names) + len(blanks)
    raw = Preparation(tuple(names), skewed, medians, blanks, np.zeros(width), np.ones(width))._filled(values)
    scales = raw.std(axis=0)
    return Preparation(
        tuple(names), skewed, medians, blanks, raw.mean(axis=0), np.where(scales > 0, scales, 1.0)
    )


def _logged(frame: pd.DataFrame, names: Sequence[str], skewed: np.ndarray) -> np.ndarray:
    values = frame[list(names)].to_numpy(float)
    return np.where(skewed, np.sign(values) * np.log1p(np.abs(values)), values)
