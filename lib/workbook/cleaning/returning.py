"""Returns at equal age, and the returns still to come.

The latest orders have had less time to come back: their low return rate is partly just youth. Two figures compare
periods fairly: what had come back at each period's own end, and what came back within a fixed number of days (blank
while an order of the period is younger than that).

What is still to come follows from past delays. A delay is only seen if it is shorter than the age of its order
(right truncation), so the share F(d) that is back after d days is estimated from above, like Kaplan and Meier but
in reverse: the chance that a return that is back by day d came on day d itself, among orders old enough to show it.

    F(d) = product over u > d of (1 − back on day u / back by day u), orders of age u or more

The rate at which money comes back in the end is what came back, divided by what of each day's revenue was due to be
back by now (sum of revenue × F(age)); what is to come is that rate × sum of revenue × (1 − F(age)) (the Cape Cod
method of claims reserving). The interval takes returns as a compound Poisson process; it counts the chance in the
number and size of returns, not a change of habits. Delays longer than the oldest order's age cannot be known.

Source: Lagakos, Barraj and De Gruttola, Biometrika 1988 (reverse hazard); Bühlmann and Straub 1983 (Cape Cod).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.data import periods
from workbook.data.periods import Grain

FEWEST = 30  # returns below which nothing is foretold


class ToCome(NamedTuple):
    """Money that is still expected to come back for orders placed so far."""

    expected: float  # reporting currency
    low: float  # 95 % interval
    high: float
    rate: float  # share of revenue that comes back in the end
    seen_share: float  # share of all returns, past and expected, that are back by now
    returns: int  # returns that the estimate rests on


def by_day(lines: ir.Table) -> ir.Table:
    """Revenue a day: `ordered_on`, `revenue`, of lines that are no returns themselves."""
    sold = lines.filter(~lines.is_return)
    return sold.group_by("ordered_on").aggregate(revenue=sold.amount.sum()).order_by("ordered_on")


def by_delay(returns: ir.Table) -> ir.Table:
    """Money back by day of purchase and delay: `purchased_on`, `delay_days`, `amount`, `squares`, `returns`."""
    amount = returns.amount.cast("float64")
    by = ("purchased_on", "delay_days")  # in order: floats added in another order end in other digits
    return returns.group_by(*by).aggregate(
        amount=returns.amount.sum(), squares=(amount * amount).sum(), returns=returns.count()).order_by(*by)


def share_back(delays: pd.DataFrame, *, as_of: date) -> np.ndarray:
    """F(d) for d = 0 … the oldest age: the share of returned money that is back d days after the purchase.

    Args:
        delays: as `by_delay`.
    """
    age = _days(as_of, delays["purchased_on"])
    longest = int(age.max())
    delay, amount = delays["delay_days"].to_numpy(int), delays["amount"].to_numpy(float)
    back = np.ones(longest + 1)
    on_day = np.bincount(delay, weights=amount, minlength=longest + 1)
    # Of money with delay u or less, the part whose order is at least u old: delay ≤ u ≤ age.
    enters, leaves = (np.bincount(x, weights=amount, minlength=longest + 2) for x in (delay, age + 1))
    at_risk = np.cumsum(enters - leaves)[: longest + 1]
    chance = np.divide(on_day, at_risk, out=np.zeros_like(on_day), where=at_risk > 1e-9)
    back[:-1] = np.cumprod((1 - chance[1:])[::-1])[::-1]
    return back.clip(0, 1)


def to_come(revenue: pd.DataFrame, delays: pd.DataFrame, *, as_of: date) -> ToCome | None:
    """The returns still to come, or None below 30 returns after the day of purchase.

    What comes back on the day of purchase has all been seen, so that only later returns foretell anything.
    """
    later = delays[delays["delay_days"] > 0]
    returns = int(later["returns"].sum())
    if returns < FEWEST:
        return None
    due, open_ = _due_and_open(revenue, later, as_of)
    seen, all_seen = float(later["amount"].sum()), float(delays["amount"].sum())
    rate = seen / due.sum()
    expected = rate * open_.sum()
    piece = float(later["squares"].sum()) / seen  # money a return, weighted by itself
    spread = 1.96 * np.sqrt(piece * expected + expected**2 * piece / seen)
    at_once = (all_seen - seen) / float(revenue["revenue"].sum())
    return ToCome(
        expected, max(expected - spread, 0.0), expected + spread, at_once + rate, all_seen / (all_seen + expected),
        returns)


def _due_and_open(revenue: pd.DataFrame, later: pd.DataFrame, as_of: date) -> tuple[np.ndarray, np.ndarray]:
    """Of each day's revenue: the part whose returns are due by now, and the part whose returns are not."""
    back = share_back(later, as_of=as_of)
    age = _days(as_of, revenue["ordered_on"]).clip(max=len(back) - 1)
    sold = revenue["revenue"].to_numpy(float)
    return sold * back[age], sold * (1 - back[age])


def by_period(
    revenue: pd.DataFrame, delays: pd.DataFrame, *, as_of: date, grain: Grain, age_days: int
) -> pd.DataFrame:
    """Every period at equal return age.

    Returns:
        `period`, `start`, `revenue`, `returned`, `returned_share` (so far), `share_at_close` (back by the period's
        own end), `share_at_age` (within `age_days`; blank while an order is younger), `share_expected` (in the end;
        blank below 30 returns).
    """
    of_revenue = _periods(revenue["ordered_on"], grain)
    table = revenue.assign(period=of_revenue).groupby("period")["revenue"].sum().to_frame()
    bounds = {p: (p.start, min(p.end, as_of)) for p in table.index}
    if len(delays):
        back = delays.assign(period=_periods(delays["purchased_on"], grain))
        end = pd.to_datetime(back["period"].map(lambda p: bounds.get(p, (p.start, min(p.end, as_of)))[1]))
        returned_on = back["purchased_on"] + pd.to_timedelta(back["delay_days"], unit="D")
        back["at_close"] = back["amount"].where(returned_on <= end, 0.0)
        back["at_age"] = back["amount"].where(back["delay_days"] <= age_days, 0.0)
        table = table.join(back.groupby("period")[["amount", "at_close", "at_age"]].sum())
    table = table.reindex(columns=["revenue", "amount", "at_close", "at_age"]).fillna(0.0)
    aged = np.array([bounds[p][1] + timedelta(days=age_days) <= as_of for p in table.index])
    shares = table[["amount", "at_close", "at_age"]].div(table["revenue"].where(table["revenue"] > 0), axis=0)
    shares.loc[~aged, "at_age"] = np.nan
    return pd.DataFrame({
        "period": [p.label for p in table.index], "start": [p.start for p in table.index],
        "revenue": table["revenue"].to_numpy(), "returned": table["amount"].to_numpy(),
        "returned_share": shares["amount"].to_numpy(), "share_at_close": shares["at_close"].to_numpy(),
        "share_at_age": shares["at_age"].to_numpy(),
        "share_expected": _in_the_end(revenue, of_revenue, table, delays, as_of),
    }).sort_values("start", ignore_index=True)  # fmt: skip


def _in_the_end(
    revenue: pd.DataFrame, of_revenue: list[periods.Period], table: pd.DataFrame, delays: pd.DataFrame, as_of: date
) -> np.ndarray:
    """What came back and what is still expected, as a share of the period's revenue."""
    if to_come(revenue, delays, as_of=as_of) is None:
        return np.full(len(table), np.nan)
    later = delays[delays["delay_days"] > 0]
    rate = later["amount"].sum() / _due_and_open(revenue, later, as_of)[0].sum()
    open_ = revenue.assign(period=of_revenue, open=_due_and_open(revenue, later, as_of)[1]).groupby("period")["open"]
    total = table["amount"] + rate * open_.sum().reindex(table.index)
    return (total / table["revenue"].where(table["revenue"] > 0)).to_numpy()


def _periods(days: pd.Series, grain: Grain) -> list[periods.Period]:
    known = {day: periods.containing(day.date(), grain) for day in days.unique()}
    return [known[day] for day in days]


def _days(as_of: date, days: pd.Series) -> np.ndarray:
    return (pd.Timestamp(as_of) - days).dt.days.to_numpy()
