"""What was at risk on an earlier day, by today's rule on what was known then.

The model, the threshold and the terms are today's; the customers and all facts about them are those of the earlier
day. So the difference tells how the customers changed, not how the rule did. Some of the outcomes that the model
learned from lie after that day, so the earlier figure is no forecast of then: the report of that period holds that.

The same date a year before is told where the twelve months before it are on record too, since the value at stake is
the margin of twelve months. It is not aligned to feasts: it is a state on a day, and there are no days to be exchanged.

The lifetime values of then are not kept by a record, so both days are measured by the margin of the twelve months
before, and today's value at risk is carried back in their ratio.
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
import pandas as pd

from workbook.churn.foresight import Money, Trial, Warned, margin_of_a_year
from workbook.churn.rivals import Fitted, predict_batches
from workbook.history import year_before
from workbook.scoring import Z


class Earlier(NamedTuple):
    """Value at risk on an earlier day."""

    value: float | None  # currency
    noise: float | None  # half-width of what chance alone moves the difference, 95 %, customers independent
    customers: int  # listed then
    reason: str = ""  # too_few, not_recomputed, short_record


NO_YEAR = Earlier(None, None, 0, "short_record")
VALUE_DAYS = 365  # over which the value at stake is measured


def year_ago(as_of: date, *, first_on: date | None) -> date | None:
    """The same date a year before; None where the record has no twelve months before it.

    >>> year_ago(date(2026, 6, 30), first_on=date(2024, 6, 30)), year_ago(date(2026, 6, 30), first_on=date(2024, 7, 1))
    (datetime.date(2025, 6, 30), None)
    """
    day = year_before(as_of)
    return day if first_on is not None and first_on <= day - timedelta(days=VALUE_DAYS) else None


def at_risk_earlier(
    trial: Trial, today: pd.DataFrame | None, then: pd.DataFrame | None, found: Money, told: Warned, *,
    margin_share: float,
) -> Earlier:
    """The value at risk of the earlier day, of those whom today's threshold would have listed.

    Args:
        today, then: snapshots of the two days.
        told: today's list; what it comes to is what the earlier day is measured by.
    """
    if not isinstance(trial, Fitted) or today is None or then is None or found.optimum is None:
        return Earlier(None, None, 0, "too_few")
    now, before = (_stakes(trial, rows, found.optimum.threshold, margin_share) for rows in (today, then))
    if not now.sum():
        return Earlier(None, None, int((before > 0).sum()), "not_recomputed")
    scale = float(told.listed["value_at_risk"].sum()) / float(now.sum())
    apart = now.sub(before, fill_value=0.0).to_numpy(float)
    noise = Z * math.sqrt(float((apart**2).sum())) * scale
    return Earlier(float(before.sum()) * scale, noise, int((before > 0).sum()))


def _stakes(trial: Fitted, rows: pd.DataFrame, threshold: float, margin_share: float) -> pd.Series:
    """customer_id → value at risk by the margin of a year; 0 below the threshold."""
    stake = predict_batches(trial.final, rows) * margin_of_a_year(rows, margin_share)
    return pd.Series(np.where(stake >= threshold, stake, 0.0), index=rows["customer_id"].to_numpy())


def reach_of_loss(listed: pd.DataFrame) -> tuple[float, float]:
    """95 % interval of what the listed take along if each leaves with the told probability, one apart from the other.

    Args:
        listed: probability, value (currency).
    """
    chance, value = listed["probability"].to_numpy(float), listed["value"].to_numpy(float)
    mean, half = float((chance * value).sum()), Z * math.sqrt(float((chance * (1 - chance) * value**2).sum()))
    return max(0.0, mean - half), mean + half
