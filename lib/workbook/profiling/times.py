"""When people buy: hour and weekday on the shop's own clock.

Times are stored in UTC. The shop's clock differs by an offset that changes twice a year in many zones; each order gets
the offset of its own moment, so that an evening order stays an evening order in summer and winter.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

DAYPARTS = ("night", "morning", "afternoon", "evening")  # from 0, 6, 12 and 18 o'clock


def offsets(zone: ZoneInfo, *, start: date, end: date) -> list[tuple[datetime, int]]:
    """When the zone's offset changes, in UTC, with the seconds that hold from then on.

    >>> offsets(ZoneInfo("Asia/Shanghai"), start=date(2025, 1, 1), end=date(2025, 12, 31))
    [(datetime.datetime(2024, 12, 31, 0, 0, tzinfo=datetime.timezone.utc), 28800)]
    """

    def seconds(moment: datetime) -> int:
        return int(moment.astimezone(zone).utcoffset().total_seconds())

    first = datetime(start.year, start.month, start.day, tzinfo=UTC) - timedelta(days=1)
    found = [(first, seconds(first))]
    for day in range((end - start).days + 3):
        midnight = first + timedelta(days=day)
        if seconds(midnight) != found[-1][1]:
            day_before, old = midnight - timedelta(days=1), found[-1][1]
            moments = [day_before + timedelta(minutes=minute) for minute in range(24 * 60 + 1)]
            at = bisect_left([seconds(moment) != old for moment in moments], True)
            found.append((moments[at], seconds(midnight)))
    return found


def on_shop_clock(orders: ir.Table, zone: ZoneInfo, *, start: date, end: date) -> ir.Table:
    """Orders with weekday (0 Monday … 6 Sunday), hour (0 … 23), second_of_day and daypart on the shop's clock."""
    changes = offsets(zone, start=start, end=end)
    seconds = orders.ordered_at.epoch_seconds().cast("int64")
    offset = ibis.literal(changes[0][1]).cast("int64")
    for moment, value in changes[1:]:
        offset = ibis.ifelse(seconds >= int(moment.timestamp()), ibis.literal(value).cast("int64"), offset)
    clocked = orders.mutate(clock=seconds + offset)
    second_of_day = clocked.clock % 86_400
    hour = (second_of_day - second_of_day % 3_600) / 3_600
    hour = hour.cast("int64")
    day = ((clocked.clock - second_of_day) / 86_400).cast("int64")
    part = ibis.cases((hour < 6, "night"), (hour < 12, "morning"), (hour < 18, "afternoon"), else_="evening")
    return clocked.mutate(
        weekday=(day + 3) % 7,  # 1 January 1970 was a Thursday
        hour=hour,
        second_of_day=second_of_day,
        daypart=ibis.ifelse(orders.ordered_at.isnull(), ibis.null("string"), part),
    ).drop("clock")


def by_hour(clocked: ir.Table) -> ir.Table:
    """weekday, hour, orders, net_revenue."""
    return clocked.group_by("weekday", "hour").agg(orders=clocked.count(), net_revenue=clocked.net_amount.sum())


def knows_time_of_day(clocked: ir.Table) -> ir.Table:
    """One row: timed (orders that are not at midnight sharp); zero means that the records hold dates only."""
    return clocked.agg(timed=(clocked.second_of_day != 0).sum())
