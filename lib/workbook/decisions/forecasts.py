"""What an action is expected to earn, and what that rests on, the strongest first.

1. settled: earlier decisions with the same action and channel that were settled against their control. Pooled, with
   the spread between them (DerSimonian & Laird 1986), as an interval for the next one.
2. given: what the one who decides expects, as money a customer (3.5, or 3.5..8) or as a share of what these customers
   brought in past windows (10%, or 5%..15%). Without a range, the interval goes from nothing to twice as much.
3. churn: the probability of leaving × the share of leavers that a contact keeps × what the customer brought in a past
   window; assumed, as the share is. Interval: from none kept to twice as many. Where the same list was made earlier,
   what is brought is brought down (or up) to what those who stayed on it brought afterwards.
4. campaigns: the matched comparison of earlier campaigns in 07, as a share of the margin in revenue.
5. nothing: then the forecast says so, and the account book still takes the decision.

Amounts are for one customer treated, over the horizon, before the cost of the action; totals after it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from workbook.data.errors import WorkbookError
from workbook.data.findings import Finding
from workbook.decisions.record import Forecast

Z = 1.959963984540054  # 97.5 % quantile of the normal distribution
SAVE_RATE = 0.15  # share of leavers whom a contact keeps: what 08 assumes until an experiment tells it
MOST_LEAVE = 0.05  # share that stays at least: no list is all leavers, and it stands below a fraction
_RANGE = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(%?)\s*(?:\.\.|…)\s*([+-]?\d+(?:\.\d+)?)\s*(%?)\s*")
_ONE = re.compile(r"\s*([+-]?\d+(?:\.\d+)?)\s*(%?)\s*")


class Expected(NamedTuple):
    """An effect for each customer treated."""

    each: np.ndarray | float  # currency; one for each customer of the list, or the same for all
    low: float  # of the mean over customers
    high: float
    evidence: str
    basis: str


def given(text: str, *, mean: float | None) -> Expected:
    """What the one who decides expects.

    Args:
        mean: what one of these customers brought in a past window, for shares of it.

    >>> given("3.5", mean=None)[:3], given("5%..15%", mean=40.0)[:3]
    ((3.5, 0.0, 7.0), (4.0, 2.0, 6.0))
    """
    found = _RANGE.fullmatch(text) or _ONE.fullmatch(text)
    if found is None:
        raise WorkbookError(f"The effect {text!r} is not understood.",
                            way_out="Write money a customer (3.5 or 3.5..8), or a share (10% or 5%..15%).")
    parts = found.groups()
    is_share = "%" in parts
    if is_share and mean is None:
        raise WorkbookError("The effect is a share of what these customers bring, which is not known.",
                            why="The record is shorter than one horizon.", way_out="Write it as money a customer: 3.5")
    unit = (mean or 0.0) / 100 if is_share else 1.0
    if len(parts) == 2:
        effect = float(parts[0]) * unit
        return Expected(effect, min(0.0, 2 * effect), max(0.0, 2 * effect), "assumed", "given")
    low, high = sorted((float(parts[0]) * unit, float(parts[2]) * unit))
    return Expected((low + high) / 2, low, high, "assumed", "given")


def from_churn(
    probability: np.ndarray, before: np.ndarray, *, save_rate: float = SAVE_RATE, afterwards: float | None = None
) -> Expected:
    """What is kept of those who would leave.

    Args:
        probability: of leaving.
        before: what each customer brought in a past window: currency.
        afterwards: what those on such a list brought on average in the window after it, who left included.
    """
    chance, worth = np.nan_to_num(probability), np.clip(np.nan_to_num(before), 0, None)
    if afterwards is not None and worth.mean() > 0:
        staying = max(1 - float(chance.mean()), MOST_LEAVE)
        worth = worth * max(afterwards, 0.0) / staying / worth.mean()
    each = chance * save_rate * worth
    mean = float(each.mean()) if len(each) else 0.0
    return Expected(each, 0.0, 2 * mean, "assumed", "churn")


def from_settled(settlements: pd.DataFrame, *, action: str, channel: str) -> Expected | None:
    """What the same action brought before; None where it was never settled.

    Args:
        settlements: action, channel, status, effect, low, high (currency a customer treated).
    """
    same = settlements[(settlements["status"] == "settled") & (settlements["channel"] == channel)
                       & (settlements["action"].map(plain) == plain(action))]
    same = same[same[["effect", "low", "high"]].notna().all(axis=1) & (same["high"] > same["low"])]
    if same.empty:
        return None
    effect, low, high = pooled(same["effect"].to_numpy(float),
                               ((same["high"] - same["low"]) / (2 * Z)).to_numpy(float))
    return Expected(effect, low, high, "randomised", "settled")


def pooled(effects: np.ndarray, errors: np.ndarray) -> tuple[float, float, float]:
    """The mean effect and the interval in which the next one's truth is expected (95 %, normal).

    >>> pooled(np.array([2.0]), np.array([1.0]))[0]
    2.0
    """
    weights = 1 / errors**2
    fixed = np.average(effects, weights=weights)
    spread = float((weights * (effects - fixed) ** 2).sum())
    scale = weights.sum() - (weights**2).sum() / weights.sum()
    between = max(0.0, (spread - (len(effects) - 1)) / scale) if len(effects) > 1 else 0.0
    weights = 1 / (errors**2 + between)
    mean = float(np.average(effects, weights=weights))
    half = Z * math.sqrt(1 / weights.sum() + between)
    return mean, mean - half, mean + half


def from_campaigns(found: Mapping[str, Finding], *, margin_share: float) -> Expected | None:
    """The matched effect of earlier campaigns on spending (07), as margin."""
    effect = found.get("campaign_effect_spend")
    if effect is None or effect.value is None or effect.low is None or effect.high is None:
        return None
    value, low, high = (float(part) * margin_share for part in (effect.value, effect.low, effect.high))
    return Expected(value, low, high, effect.evidence or "matched", "campaigns")


def plain(action: str) -> str:
    """An action as it is compared with others: without capitals and doubled spaces."""
    return " ".join(action.lower().split())


def forecast(expected: Expected | None, *, treated: np.ndarray, cost: float) -> Forecast:
    """The forecast for those who are treated.

    Args:
        treated: for each customer of the list, whether they are.
        cost: of the action, currency a customer treated.
    """
    n = int(treated.sum())
    if expected is None or n == 0:
        return Forecast(None, None, None, None, None, None, "", "none", "no_effect_known")
    each = np.broadcast_to(np.asarray(expected.each, float), treated.shape)
    mean, whole = float(each[treated].mean()), float(each.mean())
    stretch = mean / whole if whole else 1.0  # the interval is told for the whole list
    low, high = sorted((expected.low * stretch, expected.high * stretch))
    return Forecast(mean, low, high, *(n * (one - cost) for one in (mean, low, high)), expected.evidence,
                    expected.basis)
