"""Train, validation, test, today: scoring days in time order, each with its labels strictly after it.

    |—— history ——| train: H days | gap | validation: H days | gap | test: H days | today

A window's labels end before the next window's scoring day, so that a model could really have been made in time. The
gap leaves room for records and returns that arrive late.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple


class Window(NamedTuple):
    """A day on which customers are scored, and the last day of what is foretold."""

    name: str  # train, validation, test, today
    scored_on: date
    until: date


def windows(*, first_on: date, as_of: date, horizon_days: int, gap_days: int = 14) -> tuple[Window, ...]:
    """The four windows; none where the record is too short: before training as long a history again is needed.

    >>> [str(w.scored_on) for w in windows(first_on=date(2024, 1, 1), as_of=date(2026, 6, 30), horizon_days=90)]
    ['2025-09-05', '2025-12-18', '2026-04-01', '2026-06-30']
    """
    if horizon_days > longest_horizon(first_on=first_on, as_of=as_of, gap_days=gap_days):
        return ()
    ahead, step = timedelta(days=horizon_days), timedelta(days=horizon_days + gap_days)
    test = as_of - ahead
    days = {"train": test - 2 * step, "validation": test - step, "test": test, "today": as_of}
    return tuple(Window(name, day, day + ahead) for name, day in days.items())


def longest_horizon(*, first_on: date, as_of: date, gap_days: int = 14) -> int:
    """The longest horizon that leaves three windows and as long a history before them.

    >>> longest_horizon(first_on=date(2024, 1, 1), as_of=date(2026, 6, 30))
    220
    """
    return max(0, ((as_of - first_on).days - 2 * gap_days) // 4)
