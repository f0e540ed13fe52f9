"""Does a model earn its place? Only if it beats the best of its naive rivals, and not by luck."""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import pandas as pd

from workbook.scoring import forecasts, probabilities

Code = Literal["earns", "ties", "loses", "too_few"]
FEWEST = 30  # customers, and buyers or events among them, below which no prediction is judged
DIRECTIONS = {**probabilities.LEADS, **forecasts.LEADS}  # measure → 1 where more of it is better, -1 where less is


class Verdict(NamedTuple):
    """What came of a trial against the best naive rival."""

    code: Code
    rival: str  # the best of the rivals by this measure; empty where nothing was judged
    lead: float  # how much better the model is, in the measure's unit; blank where nothing was judged
    low: float  # 95 % interval of the lead
    high: float
    measure: str
    n: int  # customers


def verdict(judged: pd.DataFrame, *, measure: str, fewest: int = FEWEST) -> Verdict:
    """The model (first row) against the best of its rivals (the other rows), by the interval of its lead.

    Args:
        judged: from `judge_forecasts` or `judge_probabilities`, with at least one rival.
        measure: one that leads are told for: gini, top_share, rmse; auc, average_precision, brier, log_loss, top_lift.
        fewest: customers, and buyers (or events, and customers without one), below which nothing is said.

    Returns:
        earns: the whole interval of the lead lies above zero; loses: below it; ties: zero lies inside.
    """
    name, rivals = judged.columns[0], judged.iloc[1:].dropna(subset=[f"lead_{measure}_low"])
    n = int(judged["n"].iloc[0])
    if not len(rivals) or _cases(judged.iloc[0]) < fewest:
        return Verdict("too_few", "", math.nan, math.nan, math.nan, measure, n)
    best = rivals.loc[(DIRECTIONS[measure] * rivals[measure]).idxmax()]
    low, high = float(best[f"lead_{measure}_low"]), float(best[f"lead_{measure}_high"])
    code: Code = "earns" if low > 0 else "loses" if high < 0 else "ties"
    return Verdict(code, str(best[name]), float(best[f"lead_{measure}"]), low, high, measure, n)


def _cases(trial: pd.Series) -> int:
    """The rarest thing that the trial rests on."""
    if "events" in trial:
        return int(min(trial["events"], trial["n"] - trial["events"]))
    return int(trial["buyers"])
