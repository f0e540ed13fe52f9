"""Several metrics, arms or segments at once: one in twenty looks significant by chance.

In: p-values by name. Out: the same adjusted. Holm bounds the chance of any false alarm (use it for decisions);
Benjamini–Hochberg bounds the expected share of false ones among the alarms (use it for screening).

Sources: S. Holm, Scandinavian Journal of Statistics 6, 1979; Y. Benjamini & Y. Hochberg, JRSS B 57, 1995.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control


def correct(
    p_values: Mapping[str, float], *, method: Literal["holm", "bh"] = "holm", alpha: float = 0.05
) -> pd.DataFrame:
    """Adjusted p-values in the order given; a test without a p-value (nan) stays without and does not count.

    Returns:
        name, p_value, adjusted, significant.

    >>> correct({"a": 0.01, "b": 0.04, "c": 0.03})["adjusted"].tolist()
    [0.03, 0.06, 0.06]
    """
    raw = np.array(list(p_values.values()), float)
    judged = ~np.isnan(raw)
    adjusted = np.full(len(raw), np.nan)
    if judged.any():
        adjusted[judged] = holm(raw[judged]) if method == "holm" else false_discovery_control(raw[judged])
    return pd.DataFrame({"name": list(p_values), "p_value": raw, "adjusted": adjusted, "significant": adjusted < alpha})


def holm(p_values: np.ndarray) -> np.ndarray:
    """The smallest p times their number, the next times one less, and so on, never falling; 1 at most.

    >>> holm(np.array([0.04, 0.01])).tolist()
    [0.04, 0.02]
    """
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.maximum.accumulate(p_values[order] * np.arange(len(p_values), 0, -1)).clip(max=1.0)
    return adjusted
