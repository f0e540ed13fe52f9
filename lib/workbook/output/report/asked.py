"""Can the orders on record tell of the period that was asked for?

A period that begins after the newest order, or that was over before the first, has a report of nothing: it is refused
before a chapter reckons with it. One that has begun and is not over has one, which grows; that is told.
"""

from __future__ import annotations

from datetime import date

from workbook.data.errors import WorkbookError
from workbook.data.periods import Period, last_complete, period_of
from workbook.data.run import days_on_record
from workbook.data.settings import Settings
from workbook.data.store import Store


def refuse_outside(period: Period, store: Store, settings: Settings) -> None:
    """Refuse a period in which no order can lie.

    Raises:
        WorkbookError: it lies before the first order on record, or after the newest; the last that is over is named.
    """
    days = _days(store, settings)
    if days is None or (period.start <= days[1] and period.end >= days[0]):
        return
    where = "after the newest" if period.start > days[1] else "before the first"
    raise WorkbookError(
        f"{period.label} lies {where} order on record.", why=f"Orders lie between {days[0]} and {days[1]}.",
        way_out=f"The last period that is over: --as-of {last_complete(days[1], settings.period).label}")


def unfinished(label: str, settings: Settings) -> date | None:
    """The newest day with an order, where a whole period was reported on that is not over by then."""
    period, days = period_of(label, settings.period), _days(Store(settings.store_folder), settings)
    return days[1] if days and period.is_whole and period.start <= days[1] < period.end else None


def _days(store: Store, settings: Settings) -> tuple[date, date] | None:
    if not (store.has("raw/orders") or store.has("raw/order_lines")):
        return None
    return days_on_record(store, since=settings.cleaning.first_possible_date)
