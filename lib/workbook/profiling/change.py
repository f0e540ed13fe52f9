"""The period beside the one before it and beside the comparable days of the year before, with what chance moves.

Each side is a table of orders as they looked equally long after: the period on the report date, the earlier ones on the
day that lies as far behind theirs. The figures of a side are those of `figures`; what lies between two sides by chance
alone is told by `comparison.noise`, customer by customer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import ibis.expr.types as ir

from workbook.comparison import noise
from workbook.comparison.alignment import Aligned, align, comparable_orders
from workbook.data.engine import few_rows
from workbook.data.findings import Figure
from workbook.data.periods import Period
from workbook.data.settings import Occasion, Settings
from workbook.history import year_before
from workbook.profiling import activity, lifecycle
from workbook.profiling.figures import HEADLINES, of_headlines, of_second_purchases

SECOND = "second_purchase_rate_90d"


class Side(NamedTuple):
    """One of the periods that stand beside each other."""

    orders: ir.Table  # as they looked then
    figures: Mapping[str, Figure]  # HEADLINES
    costs: Mapping[str, Any]  # the row of `activity.margin`
    known: bool  # whether the record has this period, and anybody bought in it


class Sides(NamedTuple):
    """The period, the one before, the comparable days of the year before, and the same dates of it."""

    now: Side
    before: Side
    year_ago: Side
    plain: Side  # the same month, whatever feasts lie in it: the naive rival of year_ago
    aligned: Aligned


def sides(orders: ir.Table, returns: ir.Table | None, period: Period, before: Period, settings: Settings) -> Sides:
    """The periods to be compared; a year before counts only where the record reaches back to its first day.

    Args:
        orders, returns: `clean/orders` and `clean/returns`, as known at the end of the period.
        before: the period before (of a period that is not over, as many days).
    """
    first = activity.first_purchases(orders)
    [known] = few_rows(orders.agg(since=orders.ordered_on.min()))
    aligned = align(period, settings.calendar)
    same = _same_dates(period)

    def within(then: Period) -> tuple[ir.Table, ir.Table]:
        seen = activity.within(activity.as_seen_by(orders, returns, then.end), then)
        return seen, activity.within(first, then, day="first_ordered_on")

    year = comparable_orders(orders, returns, aligned, end=period.end)
    newcomers = first.filter(first.first_ordered_on.isin(list(aligned.days.values())))
    since = known["since"] or period.end
    return Sides(
        _side(activity.within(orders, period), activity.within(first, period, day="first_ordered_on"), "no_orders"),
        _side(*within(before), "no_previous"),
        _side(year, newcomers, "no_year_ago", reaches=since <= aligned.first),
        _side(*within(same), "no_year_ago", reaches=since <= same.start),
        aligned,
    )


def _same_dates(period: Period) -> Period:
    """The same month, quarter or week a year before; of a period that is not over, as many days."""
    whole = period.year_ago()
    return whole if period.is_whole else Period(whole.start, min(whole.end, year_before(period.end)), period.grain)


def _side(orders: ir.Table, newcomers: ir.Table, reason: str, *, reaches: bool = True) -> Side:
    [row], [costs] = few_rows(activity.totals(orders)), few_rows(activity.margin(orders))
    [new] = few_rows(newcomers.agg(customers=newcomers.count()))
    known = bool(reaches and row["all_orders"])
    seen = row if known else {**row, "all_orders": 0}
    found = of_headlines(seen, costs, new_customers=new["customers"], suffix="", reason=reason)
    return Side(orders, {figure.name.rstrip("_"): figure for figure in found}, costs, known)


def of_sides(beside: Sides, *, smallest_sample: int) -> Iterator[Figure]:
    """Every headline figure of the earlier sides, and the reach of chance to each."""
    yield from _named(beside.before, "before")
    yield from _named(beside.year_ago, "year_ago")
    yield beside.plain.figures["net_revenue"]._replace(name="net_revenue_plain_year_ago")
    yield from _noises(beside.now, beside.before, "noise", smallest_sample)
    yield from _noises(beside.now, beside.year_ago, "year_noise", smallest_sample)
    yield from of_margins(beside.now, beside.before)
    names = " · ".join(beside.aligned.occasions)
    yield Figure("occasions_aligned", names or None, "text", n=beside.aligned.days_aligned or None,
                 reason=beside.aligned.reason)  # fmt: skip


def of_margins(now: Side, before: Side) -> Iterator[Figure]:
    """The margin in money, and its change as what revenue and what the rate did, each at the mean of the other.

    That is the Shapley value of two factors: the parts add up, and no order of explaining is preferred.
    """
    sold, earned = zip(*(_earned(side) for side in (before, now)), strict=True)
    reasons = ["no_cost" if side.known else side.figures["margin"].reason for side in (before, now)]
    yield Figure("margin_amount", earned[1], "money", reason="" if earned[1] is not None else reasons[1])
    yield Figure("margin_amount_before", earned[0], "money", reason="" if earned[0] is not None else reasons[0])
    parts: tuple[float | None, float | None] = (None, None)
    missing = next((reason for amount, reason in zip(earned, reasons, strict=True) if amount is None), "")
    if not missing:
        rates = [amount / base for amount, base in zip(earned, sold, strict=True)]
        parts = (sold[1] - sold[0]) * sum(rates) / 2, (rates[1] - rates[0]) * sum(sold) / 2
    yield Figure("margin_change_revenue", parts[0], "money", reason=missing)
    yield Figure("margin_change_rate", parts[1], "money", reason=missing)


def _earned(side: Side) -> tuple[float | None, float | None]:
    """Net revenue without tax of orders with a known cost, and what is left of it; None where there is nothing."""
    sold = side.costs["net_of_tax"]
    if not side.known or not side.costs["orders"] or not sold or sold <= 0:
        return None, None
    return float(sold), float(sold - side.costs["cost"])


def _named(side: Side, suffix: str) -> Iterator[Figure]:
    for name in HEADLINES:
        yield side.figures[name]._replace(name=f"{name}_{suffix}")


def _noises(now: Side, then: Side, suffix: str, smallest_sample: int) -> Iterator[Figure]:
    """Half-widths of the range in which chance alone moves the difference of each figure."""
    if not (now.known and then.known):
        missing = (then if now.known else now).figures
        yield from (missing[name]._replace(name=f"{name}_{suffix}") for name in HEADLINES)
        return
    found = noise.reach(
        noise.brought(now.orders), noise.brought(then.orders), sums=("net", "buyers", "orders"),
        quotients={"average_order_value": ("net", "orders"), "margin": ("profit", "taxless")})
    newcomers = (int(side.figures["new_customers"].value) for side in (now, then))
    widths = {
        **found.half_widths, "net_revenue": found.half_widths["net"], "active_customers": found.half_widths["buyers"],
        "new_customers": noise.of_newcomers(*newcomers),
    }
    few = found.customers < smallest_sample
    for name in HEADLINES:
        unknown = next((side.figures[name].reason for side in (now, then) if side.figures[name].value is None), "")
        value = None if few or unknown else widths[name]
        reason = "" if value is not None else unknown or "too_few"
        yield Figure(f"{name}_{suffix}", value, now.figures[name].unit, n=found.customers, reason=reason)


def of_second_purchases_then(
    orders: ir.Table, *, as_of: date, before: date, calendar: Sequence[Occasion], smallest_sample: int
) -> Iterator[Figure]:
    """The second-purchase rate today, on the last day of the period before, and a year before; the reach of chance.

    A year before means: of first purchases on the comparable days of the year before, feast by feast. Each is followed
    for 90 days, today's as well as those.
    """
    first, last = lifecycle.cohort(as_of)
    aligned = align(Period(first, last, "month"), calendar)
    [record] = few_rows(orders.agg(since=orders.ordered_on.min()))
    reaches = (record["since"] or as_of) <= aligned.first
    each = {
        "": lifecycle.first_time_buyers(orders, as_of=as_of),
        "before": lifecycle.first_time_buyers(orders, as_of=before),
        "year_ago": lifecycle.first_time_buyers(orders, as_of=as_of, on=aligned.days.values()),
    }
    rates = {}
    for name, buyers in each.items():
        [row] = few_rows(lifecycle.counted(buyers))
        rates[name] = of_second_purchases(row, smallest_sample=smallest_sample)
        if name == "year_ago" and not reaches:
            rates[name] = Figure(SECOND, None, "share", reason="short_record")
        yield rates[name]._replace(name=f"{SECOND}_{name}".rstrip("_"))
    for name, suffix in (("before", "noise"), ("year_ago", "year_noise")):
        missing = rates[""].reason or rates[name].reason
        sample = [lifecycle.counted_each(each[side]) for side in ("", name)]
        share = {SECOND: ("again", "firsts")}
        width = None if missing else noise.reach(*sample, quotients=share).half_widths[SECOND]
        yield Figure(f"{SECOND}_{suffix}", width, "share", reason="" if width is not None else missing or "too_few")
