"""The clustering as one way of segmenting among others, for the scorecard of chapter 06."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from workbook.clustering import scaling
from workbook.clustering.features import MEASURES
from workbook.clustering.fits import k_means, nearest
from workbook.clustering.fitting import BY_DEFAULT

Labels = Callable[[pd.DataFrame], np.ndarray]


def group_fitter(n_groups: int, rng: np.random.Generator) -> Callable[[pd.DataFrame], Labels]:
    """Fits `n_groups` groups on one table of features and labels any other by the same rule.

    The measures are those used by default, and every share of a mix, as far as the fitted table knows them. Where it
    holds fewer different customers than `n_groups`, there are fewer groups.

    >>> frame = pd.DataFrame({"purchase_days": 1, "order_value": [1, 2, 90, 91], "units_per_order": [1, 1, 7, 8]})
    >>> label = group_fitter(2, np.random.default_rng(1))(frame)
    >>> label(frame).tolist()
    [0, 0, 1, 1]
    """

    def fit(frame: pd.DataFrame) -> Labels:
        asked = [name for name in frame.columns if name in BY_DEFAULT or _is_mix(name)]
        names = [name for name, fault in scaling.usable(frame, asked).items() if not fault]
        scale = scaling.fit(frame, names)
        points = scaling.apply(frame, scale)
        k = min(n_groups, len(np.unique(points.round(9), axis=0))) if names else 1
        if k < 2:
            return lambda table: np.zeros(len(table), dtype=int)
        centres = k_means(points, k, rng=rng).centres
        return lambda table: nearest(scaling.apply(table, scale), centres)

    return fit


def _is_mix(name: str) -> bool:
    return name not in MEASURES and name.startswith(("category_", "channel_"))
