"""Net revenue day by day, each period as it looked on its own last day.

So the newest period, whose goods had least time to come back, stands beside its predecessors as an equal, and what was
known of a period at its end does not depend on when one looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.data.periods import Grain, Period, containing

UNIT = {"week": "W", "month": "M", "quarter": "Q"}
OPENING_DAYS = 3  # a shop that is closed on the first of January is on record from the second or third


def net_by_day(orders: ir.Table, returns: ir.Table | None, *, grain: Grain, until: date) -> ir.Table:
    """ordered_on, net_revenue: of each day's orders, less what had come back by the end of the period of the order.

    Args:
        orders: `clean/orders`.
        returns: `clean/returns`; without it the net amount is today's.
    """
    seen = orders.filter(orders.ordered_on <= until)
    if returns is None:
        return seen.group_by("ordered_on").agg(net_revenue=seen.net_amount.cast("float64").sum())
    own = seen.select(returned_order="order_id", period=seen.ordered_on.truncate(UNIT[grain]))
    back = returns.filter(returns.returned_on.notnull()).inner_join(own, returns.order_id == own.returned_order)
    back = back.filter(back.returned_on.truncate(UNIT[grain]) > back.period)
    later = back.group_by("returned_order").agg(came_back_later=back.amount.cast("float64").sum())
    joined = seen.left_join(later, seen.order_id == later.returned_order)
    net = joined.net_amount.cast("float64") + joined.came_back_later.fill_null(0.0)
    return joined.mutate(net=net).group_by("ordered_on").agg(net_revenue=lambda rows: rows.net.sum())


class Record(NamedTuple):
    """A shop's past, whole periods in order."""

    periods: Sequence[Period]
    totals: np.ndarray  # net revenue of each period
    by_day: dict[date, float]  # days without a sale are left out
    first: date  # first day of the first whole period

    def cut(self, n: int) -> Record:
        """What was on record after the first `n` periods."""
        end = self.periods[n - 1].end if n else self.first
        return Record(self.periods[:n], self.totals[:n], {d: x for d, x in self.by_day.items() if d <= end}, self.first)

    def total_of(self, days: Sequence[date]) -> float | None:
        """Net revenue of some days; None where one lies outside the record."""
        if not self.periods or min(days) < self.first or max(days) > self.periods[-1].end:
            return None
        return sum(self.by_day.get(day, 0.0) for day in days)


def record(daily: pd.DataFrame, last: Period) -> Record:
    """The whole periods from the first on record to `last`.

    Args:
        daily: ordered_on, net_revenue.
    """
    by_day = {pd.Timestamp(row.ordered_on).date(): float(row.net_revenue) for row in daily.itertuples()}
    if not by_day:
        return Record((), np.array([]), {}, last.start)
    opened = min(by_day)
    period = containing(opened, last.grain)
    if opened >= period.start + timedelta(days=OPENING_DAYS):
        period = period.next()  # it began in the middle of one
    periods = []
    while period <= last:
        periods.append(period)
        period = period.next()
    first = periods[0].start if periods else last.start
    totals = [sum(by_day.get(p.start + timedelta(days=n), 0.0) for n in range(p.days)) for p in periods]
    return Record(tuple(periods), np.array(totals), by_day, first)
