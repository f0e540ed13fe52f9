"""What the customer programme earned, and how good its forecasts were.

In: all `Settlement`s of a date. Out: sums over everything that was settled, good or bad: none is left out for its
result, so that no winner's curse is in them. Each decision drew its own control by chance, so the errors are
independent, and half widths of intervals add as squares. What cannot be judged has a cost and no known effect: it is
told apart, not counted as zero.

A forecast agrees with its outcome when the two differ by no more than both intervals together allow: half widths again
added as squares, each on the side that faces the other. The bias is what all forecasts together came to: outcome /
forecast, over the treated; above 1 they were too low.

Source of the interval of a share: E. B. Wilson, Journal of the American Statistical Association 22, 1927.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple

import pandas as pd

from workbook.ab_testing.effects import Effect
from workbook.ab_testing.settlement import Settlement, in_total
from workbook.scoring import wilson

FEWEST_FORECASTS = 5  # below which nothing is said of how good the forecasts are
ACCOUNT = ["quarter", "action", "decisions", "treated", "cost", "earned", "low", "high"]


class Sum(NamedTuple):
    """An amount with its 95 % interval; nan where nothing is in it."""

    value: float
    low: float
    high: float
    n: int  # treated customers
    decisions: int


class Calibration(NamedTuple):
    """How good the forecasts were."""

    forecasts: int  # settled decisions that had one
    inside: int  # of them, those that agree with their outcome
    share: float
    share_low: float
    share_high: float
    ratio: float  # outcome / forecast, all together
    ratio_low: float
    ratio_high: float
    code: str  # ok, too_few, none


class Programme(NamedTuple):
    """Everything decided so far, in one account."""

    settled: tuple[Settlement, ...]  # window over, and judged
    now: tuple[Settlement, ...]  # of these, the windows that ended in this period
    running: tuple[Settlement, ...]
    unjudged: tuple[Settlement, ...]
    cancelled: tuple[Settlement, ...]
    revenue: Sum  # incremental, before the cost of the actions
    margin: Sum  # the same; nan where the cost of orders is not known
    earned: Sum  # after the cost of the actions
    earned_now: Sum
    cost: float
    calibration: Calibration


def programme(settlements: Sequence[Settlement], *, period_start: date) -> Programme:
    """The account of all decisions.

    Args:
        period_start: first day of the period that the report is about.
    """
    parts = {status: tuple(one for one in settlements if one.status == status)
             for status in ("settled", "running", "refused", "cancelled")}
    settled = parts["settled"]
    now = tuple(one for one in settled if one.decision.ends_on >= period_start)
    return Programme(
        settled, now, parts["running"], parts["refused"], parts["cancelled"],
        revenue=added(settled, lambda one: in_total(one.revenue)),
        margin=added(settled, lambda one: in_total(one.margin)),
        earned=added(settled, lambda one: one.earned), earned_now=added(now, lambda one: one.earned),
        cost=sum(one.cost for one in settled), calibration=calibration(settled))


def added(settlements: Iterable[Settlement], amount: Callable[[Settlement], tuple[float, float, float]]) -> Sum:
    """The sum of independent amounts, with its interval."""
    rows = [(*amount(one), one.treated) for one in settlements]
    if not rows or any(math.isnan(row[0]) for row in rows):
        return Sum(math.nan, math.nan, math.nan, 0, 0)
    total = sum(row[0] for row in rows)
    below, above = math.hypot(*[row[0] - row[1] for row in rows]), math.hypot(*[row[2] - row[0] for row in rows])
    return Sum(total, total - below, total + above, sum(row[3] for row in rows), len(rows))


def agrees(one: Settlement) -> bool | None:
    """Whether forecast and outcome differ by no more than both intervals allow; None without a forecast."""
    forecast, found = one.decision.forecast, one.main
    if forecast.effect is None or found is None or math.isnan(found.low):
        return None
    apart = found.difference - forecast.effect
    facing = _or_else(forecast.high, forecast.effect) if apart > 0 else _or_else(forecast.low, forecast.effect)
    mine = found.difference - found.low if apart > 0 else found.high - found.difference
    return abs(apart) <= math.hypot(facing - forecast.effect, mine)


def calibration(settled: Sequence[Settlement]) -> Calibration:
    """Share of forecasts that agree with their outcome, and outcome / forecast over all of them."""
    foretold = [one for one in settled if agrees(one) is not None]
    inside = sum(bool(agrees(one)) for one in foretold)
    if not foretold:
        return Calibration(0, 0, *[math.nan] * 6, "none")
    outcome = added(foretold, lambda one: in_total(one.main))
    forecast = sum(_or_else(one.decision.forecast.effect, 0.0) * _effect(one).n for one in foretold)
    ratio = [part / forecast if forecast > 0 else math.nan for part in outcome[:3]]
    code = "ok" if len(foretold) >= FEWEST_FORECASTS else "too_few"
    return Calibration(len(foretold), inside, *wilson(inside, len(foretold)), *ratio, code)


def account(settled: Sequence[Settlement]) -> pd.DataFrame:
    """The settled decisions by quarter (in which their window ended) and action.

    Returns:
        quarter (such as 2026-Q2), action, decisions, treated, cost, earned, low, high (currency, after the cost).
    """
    groups: dict[tuple[str, str], list[Settlement]] = {}
    for one in settled:
        groups.setdefault((_quarter(one.decision.ends_on), one.decision.action.strip()), []).append(one)
    rows = [_row(key, found) for key, found in sorted(groups.items())]
    return pd.DataFrame(rows, columns=ACCOUNT)


def _row(key: tuple[str, str], found: Sequence[Settlement]) -> tuple:
    earned = added(found, lambda one: one.earned)
    return (*key, len(found), earned.n, sum(one.cost for one in found), *earned[:3])


def _quarter(day: date) -> str:
    return f"{day.year}-Q{(day.month + 2) // 3}"


def _effect(one: Settlement) -> Effect:
    assert one.main is not None  # whoever is settled has an effect
    return one.main


def _or_else(value: float | None, other: float) -> float:
    return other if value is None else value
