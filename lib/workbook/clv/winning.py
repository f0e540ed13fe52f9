"""What winning a customer cost in a period: money spent on channels in it, by the customers who first bought in it.

The plainest of acquisition costs, and the one that page one can compare from period to period. Spending of this month
may win customers of the next one, so a single month swings; chapter 06 sets costs of quarters against what comes back.
The money is known; how many came is chance: their number is taken as Poisson.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import ibis.expr.types as ir

from workbook.data.engine import few_rows
from workbook.data.findings import Figure
from workbook.data.periods import Period
from workbook.scoring import Z

NAME = "acquisition_cost_per_customer"
FEWEST = 10  # first-time buyers below which no reach of chance is given


class Won(NamedTuple):
    """What was spent in a period, and whom it won."""

    spent: float | None  # currency; None where no spending of that period is on record
    customers: int  # first purchases
    reason: str = ""  # no_costs, no_new_customers, partial

    @property
    def each(self) -> float | None:
        return None if self.reason else self.spent / self.customers

    @property
    def spread(self) -> float:
        """Standard error of the cost of one, from the number of those who came."""
        return self.spent / self.customers**1.5


def won(orders: ir.Table, spending: ir.Table | None, period: Period) -> Won:
    """Spending and first-time buyers of one period.

    Args:
        orders: clean/orders; first purchases are the first on record.
        spending: clean/channel_costs: spent_on, cost; a row may tell of a day or, by its first day, of a month.
    """
    bought = orders.filter(~orders.is_return, orders.customer_id.notnull())
    first = bought.group_by("customer_id").aggregate(day=bought.ordered_on.min())
    [came] = few_rows(first.aggregate(n=first.day.between(period.start, period.end).sum()))
    if spending is None:
        return Won(None, int(came["n"] or 0), "no_costs")
    own = spending.filter(spending.spent_on.between(period.start, period.end))
    [told] = few_rows(own.aggregate(spent=own.cost.cast("float64").sum(), rows=own.count()))
    [days] = few_rows(spending.aggregate(daily=(spending.spent_on.day() != 1).sum()))
    by_month = not days["daily"]
    if by_month and (not period.is_whole or period.grain == "week"):
        return Won(None, int(came["n"] or 0), "partial")  # a month's money cannot be cut into days
    customers = int(came["n"] or 0)
    reason = "no_costs" if not told["rows"] else "" if customers else "no_new_customers"
    return Won(float(told["spent"] or 0.0), customers, reason)


def winning_figures(orders: ir.Table, spending: ir.Table | None, period: Period) -> Iterator[Figure]:
    """The cost of one new customer now, a period before and a year before, and the reach of chance to each."""
    now, before, year_ago = (won(orders, spending, p) for p in (period, period.previous(), period.year_ago()))
    reach = Z * now.spread if not now.reason else 0.0
    ends = (max(0.0, now.each - reach), now.each + reach) if not now.reason else (None, None)
    yield Figure(NAME, now.each, "money", *ends, now.customers, now.reason)
    for then, suffix, noise in ((before, "before", "noise"), (year_ago, "year_ago", "year_noise")):
        yield Figure(f"{NAME}_{suffix}", then.each, "money", n=then.customers, reason=then.reason)
        missing = now.reason or then.reason or ("too_few" if min(now.customers, then.customers) < FEWEST else "")
        half = None if missing else Z * math.hypot(now.spread, then.spread)
        yield Figure(f"{NAME}_{noise}", half, "money", n=now.customers + then.customers, reason=missing)
