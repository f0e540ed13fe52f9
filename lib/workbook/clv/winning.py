"""What winning a customer cost in a period: money spent on channels in it, by the customers who first bought in it.

The plainest of acquisition costs, and the one that page one can compare from period to period. Spending of this month
may win customers of the next one, so a single month swings; chapter 06 sets costs of quarters against what comes back.
The money is known; how many came is chance: their number is taken as Poisson.

A year before means the comparable days of the year before, feast by feast (`comparison.alignment`), where spending is
told by the day. What is told by the month cannot be cut into days: then it is the same month by the calendar.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import ibis.expr.types as ir

from workbook.comparison.alignment import align
from workbook.data.engine import few_rows
from workbook.data.findings import Figure
from workbook.data.periods import Period
from workbook.data.settings import Occasion
from workbook.scoring import Z

NAME = "acquisition_cost_per_customer"
FEWEST = 10  # first-time buyers below which no reach of chance is given


class Won(NamedTuple):
    """What was spent on some days, and whom it won."""

    spent: float | None  # currency; None where no spending of those days is on record
    customers: int  # first purchases
    reason: str = ""  # no_costs, no_new_customers, partial, no_year_ago

    @property
    def each(self) -> float | None:
        return None if self.reason else self.spent / self.customers

    @property
    def spread(self) -> float:
        """Standard error of the cost of one, from the number of those who came."""
        return self.spent / self.customers**1.5


def won(orders: ir.Table, spending: ir.Table | None, days: Collection[date]) -> Won:
    """Spending and first-time buyers of some days.

    Args:
        orders: clean/orders; first purchases are the first on record.
        spending: clean/channel_costs: spent_on, cost; a row may tell of a day or, by its first day, of a month.
    """
    bought = orders.filter(~orders.is_return, orders.customer_id.notnull())
    first = bought.group_by("customer_id").aggregate(day=bought.ordered_on.min())
    [came] = few_rows(first.aggregate(n=first.day.isin(list(days)).sum()))
    customers = int(came["n"] or 0)
    if spending is None:
        return Won(None, customers, "no_costs")
    own = spending.filter(spending.spent_on.isin(list(days)))
    [told] = few_rows(own.aggregate(spent=own.cost.cast("float64").sum(), rows=own.count()))
    reason = "no_costs" if not told["rows"] else "" if customers else "no_new_customers"
    return Won(float(told["spent"] or 0.0), customers, reason)


def by_month(spending: ir.Table | None) -> bool:
    """Whether spending is told by the month: every row of it dated the first."""
    if spending is None:
        return False
    [days] = few_rows(spending.aggregate(daily=(spending.spent_on.day() != 1).sum()))
    return not days["daily"]


def winning_figures(
    orders: ir.Table, spending: ir.Table | None, period: Period, calendar: Sequence[Occasion] = ()
) -> Iterator[Figure]:
    """The cost of one new customer now, a period before and a year before, and the reach of chance to each.

    Besides, under `…_year_basis`, what a year before means: `aligned_days`, or `same_dates`.
    """
    monthly = by_month(spending)
    cut = monthly and (not period.is_whole or period.grain == "week")
    now = won(orders, spending, _days(period))
    now = now._replace(reason="partial") if cut else now
    year = _days(period.year_ago()) if monthly else list(align(period, calendar).days.values())
    before, year_ago = (_earlier(orders, spending, period, days) for days in (_days(period.previous()), year))
    [record] = few_rows(orders.aggregate(since=orders.ordered_on.min()))
    if not year_ago.reason and (record["since"] or period.end) > min(year):
        year_ago = year_ago._replace(reason="no_year_ago")
    reach = Z * now.spread if not now.reason else 0.0
    ends = (max(0.0, now.each - reach), now.each + reach) if not now.reason else (None, None)
    yield Figure(NAME, now.each, "money", *ends, now.customers, now.reason)
    for then, suffix, noise in ((before, "before", "noise"), (year_ago, "year_ago", "year_noise")):
        yield Figure(f"{NAME}_{suffix}", then.each, "money", n=then.customers, reason=then.reason)
        missing = now.reason or then.reason or ("too_few" if min(now.customers, then.customers) < FEWEST else "")
        half = None if missing else Z * math.hypot(now.spread, then.spread)
        yield Figure(f"{NAME}_{noise}", half, "money", n=now.customers + then.customers, reason=missing)
    basis = "" if year_ago.reason else "same_dates" if monthly else "aligned_days"
    yield Figure(f"{NAME}_year_basis", basis or None, "text", reason=year_ago.reason)


def _earlier(orders: ir.Table, spending: ir.Table | None, period: Period, days: Collection[date]) -> Won:
    """An earlier stretch; a period that is not over is compared with none."""
    then = won(orders, spending, days)
    return then if period.is_whole else then._replace(reason=then.reason or "partial")


def _days(period: Period) -> list[date]:
    return [period.start + timedelta(days=n) for n in range(period.days)]
