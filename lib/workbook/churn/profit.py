"""Whom does it pay to contact? From the probability of leaving to money.

Contacting one customer costs `contact_cost`. Who would have left (probability p) takes the offer and stays with
probability `save_rate`, which saves `value` and costs `offer_cost`; who would have stayed takes the offer too:

    profit = p × save_rate × (value − offer_cost) − (1 − p) × offer_cost − contact_cost

The save rate decides everything and no list can tell it: it is measured by an experiment with a control group, or it
is an assumption and called one.

Lists are cut along a ranking: the probability of leaving; or, where values differ much, the expected profit itself
(`profits` of the probability), whose best threshold is a sum of money near 0. The threshold is chosen
on one window and its earnings are told on a later one. Intervals: bootstrap over customers; the precision of a list:
Wilson.

Source: S. A. Neslin et al., Defection detection, Journal of Marketing Research 43, 2006.
"""

from __future__ import annotations

import math
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from workbook.scoring import Estimate, Z, wilson


class Terms(NamedTuple):
    """What contacting costs and brings."""

    contact_cost: float  # currency, for each customer contacted
    offer_cost: float  # currency, for each customer who takes the offer
    save_rate: float  # share of those contacted who would have left and now stay
    evidence: Literal["assumed", "randomised"] = "assumed"


def save_rate(*, left_treated: int, treated: int, left_control: int, control: int) -> Estimate:
    """Share of leavers that the contact kept, measured on randomised groups: 1 − ratio of the shares who left.

    The interval is taken on the logarithm of the ratio (Katz et al. 1978); negative: contacting drove people away.
    Blank where nobody left in one of the groups.

    >>> [round(x, 3) for x in save_rate(left_treated=80, treated=400, left_control=100, control=400)]
    [0.2, -0.037, 0.383]
    """
    if not (left_treated and left_control and treated and control):
        return Estimate(math.nan, math.nan, math.nan)
    ratio = (left_treated / treated) / (left_control / control)
    spread = Z * math.sqrt(1 / left_treated - 1 / treated + 1 / left_control - 1 / control)
    return Estimate(1 - ratio, 1 - ratio * math.exp(spread), 1 - ratio * math.exp(-spread))


def profits(chance: np.ndarray, value: np.ndarray, terms: Terms) -> np.ndarray:
    """Profit of contacting each customer; `chance` is the probability of leaving, or 1 and 0 for what happened.

    >>> profits(np.array([1, 0]), np.array([100, 100]), Terms(contact_cost=1, offer_cost=5, save_rate=0.2)).tolist()
    [18.0, -6.0]
    """
    chance, value = np.asarray(chance, float), np.asarray(value, float)
    saved = chance * terms.save_rate * (value - terms.offer_cost)
    return saved - (1 - chance) * terms.offer_cost - terms.contact_cost


class _Steps(NamedTuple):
    """Customers from the highest rank number on; a list may end only where the number falls."""

    order: np.ndarray
    ends: np.ndarray
    thresholds: np.ndarray  # the number at each end


def _steps(ranking: np.ndarray) -> _Steps:
    order = np.argsort(-ranking, kind="stable")
    ranked = ranking[order]
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    return _Steps(order, ends, ranked[ends])


def profit_curve(
    ranking: np.ndarray, happened: np.ndarray, value: np.ndarray, terms: Terms, *, points: int = 100
) -> pd.DataFrame:
    """What lists of growing length would have earned.

    Returns:
        threshold (lowest rank number on the list; blank for the empty list), customers, share, profit (currency),
        leavers (on the list). The first row is the empty list.
    """
    ranking, happened = np.asarray(ranking, float), np.asarray(happened, float)
    steps = _steps(ranking)
    earned = np.cumsum(profits(happened, value, terms)[steps.order])[steps.ends]
    told = pd.DataFrame(
        {
            "threshold": np.append(math.nan, steps.thresholds),
            "customers": np.append(0, steps.ends + 1),
            "share": np.append(0, (steps.ends + 1) / len(ranking)),
            "profit": np.append(0.0, earned),
            "leavers": np.append(0.0, np.cumsum(happened[steps.order])[steps.ends]),
        }
    )
    if len(told) <= points:
        return told
    kept = np.unique(np.append(np.linspace(0, len(told) - 1, points).astype(int), told["profit"].argmax()))
    return told.iloc[kept].reset_index(drop=True)


class Optimum(NamedTuple):
    """The list that would have earned most on the window where it is chosen."""

    code: str  # contact_some, contact_all, contact_none
    threshold: float | None  # number of the ranking from which a customer is contacted; None: nobody
    low: float | None  # 95 % interval of the threshold, where at least half of the draws contact somebody
    high: float | None
    customers: int
    share: float  # of all
    profit: float  # currency; chosen as the highest, so flattered: `earned` tells it on another window
    profit_all: float  # of contacting everybody


def best_threshold(
    ranking: np.ndarray,
    happened: np.ndarray,
    value: np.ndarray,
    terms: Terms,
    *,
    rng: np.random.Generator,
    repeats: int = 200,
) -> Optimum:
    """The threshold that earns most, on a window whose outcome is known (the validation window).

    Args:
        ranking: probability of leaving, or expected profit; highest first.
        happened: 1 left, 0 stayed.
        value: currency that is lost with each customer.
    """
    ranking, each = np.asarray(ranking, float), profits(happened, value, terms)
    steps = _steps(ranking)
    best = _best(steps, each[steps.order])
    drawn = [_best(steps, (each * rng.poisson(1.0, len(each)))[steps.order]) for _ in range(repeats)]
    found = [steps.thresholds[place] for place in drawn if place is not None]
    low, high = _ends(np.array(found)) if len(found) >= repeats / 2 else (None, None)
    everybody = float(each.sum())
    if best is None:
        return Optimum("contact_none", None, low, high, 0, 0.0, 0.0, everybody)
    customers = int(steps.ends[best]) + 1
    code = "contact_all" if customers == len(each) else "contact_some"
    profit = float(each[steps.order][:customers].sum())
    return Optimum(
        code, float(steps.thresholds[best]), low, high, customers, customers / len(each), profit, everybody
    )


def _best(steps: _Steps, ranked: np.ndarray) -> int | None:
    """Place of the end at which the list earns most; None where every list loses."""
    earned = np.cumsum(ranked)[steps.ends]
    place = int(earned.argmax())
    return place if earned[place] > 0 else None


class Earned(NamedTuple):
    """What a threshold chosen before would have earned on a later window."""

    customers: int
    share: float
    profit: float  # currency
    profit_low: float  # 95 % interval (bootstrap)
    profit_high: float
    profit_all: float  # of contacting everybody
    lead: float  # profit beyond that of contacting everybody or nobody, whichever is better
    lead_low: float
    lead_high: float
    leavers: int  # on the list
    precision: float  # share of the list who left
    precision_low: float  # Wilson
    precision_high: float
    caught_share: float  # of all who left


def earned(
    threshold: float | None,
    ranking: np.ndarray,
    happened: np.ndarray,
    value: np.ndarray,
    terms: Terms,
    *,
    rng: np.random.Generator,
    repeats: int = 200,
) -> Earned:
    """The list of everybody at or above the threshold, on a window that had no part in choosing it."""
    ranking, happened = np.asarray(ranking, float), np.asarray(happened, float)
    listed = np.zeros(len(happened), bool) if threshold is None else ranking >= threshold
    each = profits(happened, value, terms)
    weights = np.vstack([np.ones(len(each)), rng.poisson(1.0, (repeats, len(each)))])
    mine, everybody = weights @ (each * listed), weights @ each
    lead = mine - np.maximum(everybody, 0)
    n, leavers = int(listed.sum()), int(happened[listed].sum())
    precision, total = wilson(leavers, n), happened.sum()
    return Earned(
        n, n / max(len(each), 1), float(mine[0]), *_ends(mine[1:]), float(everybody[0]), float(lead[0]),
        *_ends(lead[1:]), leavers, *precision, float(leavers / total) if total else math.nan,
    )  # fmt: skip


def _ends(draws: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high)
