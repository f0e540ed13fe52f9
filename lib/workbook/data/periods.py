"""Weeks, months and quarters of the shop's calendar, and how people write them.

>>> period_of("2011-11").end
datetime.date(2011, 11, 30)
>>> period_of("2011-12-09").label
'2011-12-09'
>>> period_of("1997-09-30").label
'1997-09'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from workbook.data.errors import WorkbookError

Grain = Literal["week", "month", "quarter"]


@dataclass(frozen=True, order=True)
class Period:
    """A stretch of whole days; `end` is inclusive."""

    start: date
    end: date
    grain: Grain

    @property
    def whole(self) -> Period:
        """The whole week, month or quarter that this period lies in."""
        return _containing(self.start, self.grain)

    @property
    def is_whole(self) -> bool:
        return self == self.whole

    @property
    def label(self) -> str:
        """2026-06, 2026-W23, 2026-Q2; a period cut short is called by its last day."""
        if not self.is_whole:
            return self.end.isoformat()
        if self.grain == "week":
            year, week, _ = self.start.isocalendar()
            return f"{year}-W{week:02d}"
        if self.grain == "quarter":
            return f"{self.start.year}-Q{(self.start.month + 2) // 3}"
        return f"{self.start:%Y-%m}"

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    def previous(self) -> Period:
        """The whole period before."""
        return _containing(self.start - timedelta(days=1), self.grain)

    def next(self) -> Period:
        """The whole period after."""
        return _containing(self.whole.end + timedelta(days=1), self.grain)

    def year_ago(self) -> Period:
        """The whole period a year before: the same month or quarter, or 52 weeks back."""
        if self.grain == "week":
            return _containing(self.start - timedelta(weeks=52), "week")
        return _containing(self.start.replace(year=self.start.year - 1, day=1), self.grain)


def _containing(day: date, grain: Grain) -> Period:
    if grain == "week":
        start = day - timedelta(days=day.weekday())
        return Period(start, start + timedelta(days=6), grain)
    first_month = day.month if grain == "month" else day.month - (day.month - 1) % 3
    start = date(day.year, first_month, 1)
    last_month = first_month if grain == "month" else first_month + 2
    following = date(day.year + last_month // 12, last_month % 12 + 1, 1)
    return Period(start, following - timedelta(days=1), grain)


def containing(day: date, grain: Grain = "month") -> Period:
    """The whole period that a day lies in."""
    return _containing(day, grain)


def up_to(day: date, grain: Grain = "month") -> Period:
    """The period of a day, cut short after that day."""
    return Period(_containing(day, grain).start, day, grain)


def last_complete(newest: date, grain: Grain = "month") -> Period:
    """The last period that is over by the newest day on record."""
    current = _containing(newest, grain)
    return current if current.end == newest else current.previous()


def period_of(text: str, grain: Grain = "month") -> Period:
    """The period that a user means: 2026-06, 2026-06-30, 2026-W23, 2026-Q2.

    Raises:
        WorkbookError: when the text is none of these.
    """
    text = text.strip()
    try:
        if match := re.fullmatch(r"(\d{4})-W(\d{1,2})", text):
            return _containing(date.fromisocalendar(int(match[1]), int(match[2]), 1), "week")
        if match := re.fullmatch(r"(\d{4})-Q([1-4])", text):
            return _containing(date(int(match[1]), 3 * int(match[2]), 1), "quarter")
        if match := re.fullmatch(r"(\d{4})-(\d{1,2})", text):
            month = _containing(date(int(match[1]), int(match[2]), 1), "month")
            return month if grain == "month" else up_to(month.end, grain)
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return up_to(date.fromisoformat(text), grain)
    except ValueError as error:
        raise _no_period(text) from error
    raise _no_period(text)


def _no_period(text: str) -> WorkbookError:
    return WorkbookError(
        f"{text!r} is no period.", way_out="Write 2026-06, 2026-06-30, 2026-W23 or 2026-Q2."
    )
