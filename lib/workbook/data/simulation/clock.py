"""The simulated shop's time: days since it opened, the season of each persona, the crisis of service.

A customer orders in operational time at a constant rate; calendar time runs through it slower or
faster with the season. `Clock.advance` turns one into the other, so that each persona's mean rate
over the whole history is the stated one whatever the season.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from workbook.data.simulation.catalog import Occasion, occasions
from workbook.data.simulation.parameters import Parameters


def month_start(start: date, months: int) -> date:
    """First day of the month that lies `months` after the month of `start`."""
    years, month = divmod(start.month - 1 + months, 12)
    return date(start.year + years, month + 1, 1)


@dataclass(frozen=True)
class Clock:
    """Days of the history, and how fast each persona's time runs on them."""

    start: date
    months: int
    days: int  # length of the history, with its tail
    occasions: tuple[Occasion, ...]
    promotion: np.ndarray  # bool a day: a promotion runs
    operational: np.ndarray  # persona × (days + 1): operational days that have passed at each midnight
    arrivals: np.ndarray  # days + 1: share of the customers who have come by each midnight
    crisis: tuple[int, int]  # first day and first day after; equal when there is none

    def day(self, when: date) -> int:
        return (when - self.start).days

    def first_of_month(self, month: int) -> int:
        return self.day(month_start(self.start, month))

    def advance(self, persona: np.ndarray, at: np.ndarray, gap: np.ndarray) -> np.ndarray:
        """The calendar time that lies `gap` operational days after `at`; infinity past the end."""
        reached = np.full(len(at), np.inf)
        grid = np.arange(self.days + 1, dtype=float)
        for number, passed in enumerate(self.operational):
            mine = persona == number
            target = np.interp(at[mine], grid, passed) + gap[mine]
            reached[mine] = np.where(target < passed[-1], np.interp(target, passed, grid), np.inf)
        return reached

    def passed(self, persona: np.ndarray, since: np.ndarray, until: np.ndarray) -> np.ndarray:
        """Operational days between two calendar times."""
        grid = np.arange(self.days + 1, dtype=float)
        lengths = np.zeros(len(since))
        for number, line in enumerate(self.operational):
            mine = persona == number
            lengths[mine] = np.interp(until[mine], grid, line) - np.interp(since[mine], grid, line)
        return np.maximum(lengths, 0.0)


def make_clock(parameters: Parameters, months: int) -> Clock:
    """The time of a shop that keeps records for so many whole months and a tail."""
    start = parameters.start
    days = (month_start(start, months) - start).days + parameters.tail_days
    feasts = tuple(occasions(start.year, (start + timedelta(days)).year)) if parameters.season else ()
    gifts, bargains, promotion = np.ones(days), np.ones(days), np.zeros(days, dtype=bool)
    for occasion in feasts:
        span = slice(max((occasion.start - start).days, 0), max((occasion.end - start).days + 1, 0))
        if occasion.kind == "promotion":
            bargains[span] *= occasion.factor
            promotion[span] = True
        else:
            gifts[span] *= occasion.factor
    speeds = [gifts**persona.gifting * bargains**persona.bargains for persona in parameters.personas]
    operational = [np.concatenate([[0.0], np.cumsum(speed / speed.mean())]) for speed in speeds]
    crowd = (gifts * bargains) ** 0.5 * np.linspace(1.0, parameters.growth, days)
    first, last = ((month_start(start, month) - start).days for month in (
        parameters.crisis_month, parameters.crisis_month + parameters.crisis_months))
    if first >= days:
        first = last = 0
    crowd[first:last] *= 0.8 if last > first else 1.0
    return Clock(start, months, days, feasts, promotion, np.array(operational),
                 np.concatenate([[0.0], np.cumsum(crowd / crowd.sum())]), (first, last))
