"""The comparable days of the year before: feast with feast, promotion with promotion, Monday with Monday.

A feast that moves from January to February makes both months unlike the months a year before. So each day of a period
gets a day of its own a year before, by the first line that fits:

    1  a day of an occasion          the same day of the same occasion, counted from its first day
    2  one of the seven days before  as many days before the same occasion a year before
    3  any other day                 the same weekday 52 weeks back; if that day belonged to an occasion or to the days
                                     before one, or is taken, the nearest same weekday that is free (eight weeks around)

Occasions are those that the shop declares, and are the same by name: years in it do not count ("Easter 2025"), and
where no name is equal, one that shares a telling word ("National Day and Mid-Autumn" with "National Day"). They lie a
year apart, give or take 45 days. What is longer this time than the last has days without a counterpart: line 3 is
theirs. Nothing is known of occasions that nobody declares; then all days are compared by line 3.

Seven days: shoppers buy gifts in the week before a feast, and wait in the week before a promotion.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.data.periods import Period
from workbook.data.settings import Occasion
from workbook.history import known_on

LEAD_IN_DAYS = 7
YEAR_DAYS, TOLERANCE_DAYS = 365, 45  # the Lunar New Year and Ramadan move by less than 31 days from year to year
BACK = timedelta(weeks=52)
WEEKS_AROUND = 8
# Words that many occasions share, and that therefore tell none of them.
COMMON = {"and", "day", "days", "the", "new", "year", "festival", "sale", "sales", "week", "shopping", "holiday", "of"}


class Aligned(NamedTuple):
    """The days of a period and their counterparts."""

    days: Mapping[date, date]  # day → comparable day a year before; each is used once
    occasions: tuple[str, ...]  # names of the occasions by which days were aligned, in order of their days
    days_aligned: int  # days of the period that were aligned by an occasion
    reason: str = ""  # no_calendar, no_occasion; empty where at least one occasion was aligned

    @property
    def first(self) -> date:
        return min(self.days.values())


def align(period: Period, calendar: Sequence[Occasion]) -> Aligned:
    """The comparable days of the year before.

    >>> from workbook.data.periods import period_of
    >>> feasts = [Occasion(name="Spring", start=day) for day in (date(2025, 1, 29), date(2026, 2, 17))]
    >>> align(period_of("2026-02"), feasts).days[date(2026, 2, 17)]
    datetime.date(2025, 1, 29)
    """
    days = [period.start + timedelta(days=n) for n in range(period.days)]
    names: dict[str, None] = {}
    found: dict[date, date] = {}
    for day, then, name in _by_occasion(days, calendar):
        if then not in found.values():
            found[day] = then
            names[name] = None
    by_occasion = len(found)
    special = {day for occasion in calendar for day in (*_lead_in(occasion), *_span(occasion))}
    found |= {day: day - BACK for day in days if day not in found and day - BACK not in special | set(found.values())}
    for day in days:
        if day not in found:
            found[day] = _same_weekday(day, special | set(found.values()))
    reason = "" if names else "no_occasion" if calendar else "no_calendar"
    return Aligned({day: found[day] for day in days}, tuple(names), by_occasion, reason)


def _by_occasion(days: Iterable[date], calendar: Sequence[Occasion]) -> Iterator[tuple[date, date, str]]:
    """Day, counterpart and name of the occasion, for days of occasions first and then for those before them."""
    pairs = [(occasion, before) for occasion in calendar if (before := _year_before(occasion, calendar))]
    wanted, busy = list(days), {day for occasion in calendar for day in _span(occasion)}
    for occasion, before in pairs:
        counterpart = dict(zip(_span(occasion), _span(before), strict=False))
        yield from ((day, counterpart[day], occasion.name) for day in wanted if day in counterpart)
    for occasion, before in pairs:
        counterpart = dict(zip(_lead_in(occasion), _lead_in(before), strict=True))
        for day in wanted:
            if day in counterpart and not {day, counterpart[day]} & busy:
                yield day, counterpart[day], occasion.name


def _span(occasion: Occasion) -> list[date]:
    last = occasion.end or occasion.start
    return [occasion.start + timedelta(days=n) for n in range((last - occasion.start).days + 1)]


def _lead_in(occasion: Occasion) -> list[date]:
    return [occasion.start - timedelta(days=n) for n in range(LEAD_IN_DAYS, 0, -1)]


def _year_before(occasion: Occasion, calendar: Sequence[Occasion]) -> Occasion | None:
    """The same occasion a year before: of the same name, else of one that shares a telling word; the nearest."""
    def apart(other: Occasion) -> int:
        return abs((occasion.start - other.start).days - YEAR_DAYS)

    near = sorted((other for other in calendar if apart(other) <= TOLERANCE_DAYS), key=apart)
    same = [other for other in near if _plain(other.name) == _plain(occasion.name)]
    related = [other for other in near if _words(other.name) & _words(occasion.name)]
    return next(iter(same or related), None)


def _plain(name: str) -> str:
    return " ".join(re.sub(r"\b(19|20)\d\d\b", "", name).casefold().split())


def _words(name: str) -> set[str]:
    return set(re.findall(r"[^\W_]{3,}", _plain(name))) - COMMON


def _same_weekday(day: date, not_these: set[date]) -> date:
    weeks = sorted(range(-WEEKS_AROUND, WEEKS_AROUND + 1), key=lambda n: (abs(n), n))
    candidates = [day - BACK + timedelta(weeks=n) for n in weeks]
    return next((then for then in candidates if then not in not_these), candidates[0])


def comparable_orders(orders: ir.Table, returns: ir.Table | None, aligned: Aligned, *, end: date) -> ir.Table:
    """The orders of the comparable days, each seen as long after it as an order of the period on the day `end`.

    Args:
        orders: `clean/orders`.
        returns: `clean/returns`, so that goods had as long to come back.
        end: the period's last day.
    """
    shifts: dict[timedelta, list[date]] = {}
    for day, then in aligned.days.items():
        shifts.setdefault(day - then, []).append(then)
    parts = [
        known_on(orders.filter(orders.ordered_on.isin(days)), returns, day=end - shift).select(*orders.columns)
        for shift, days in sorted(shifts.items())
    ]
    return ibis.union(*parts) if len(parts) > 1 else parts[0]
