"""Comparisons on shops whose truth is known: how often is a change called where nothing changed, and do ranges hold?

    PYTHONPATH=tests python -m evidence.comparison

Shops where nothing changes: customers come as a Poisson stream, stay for a random time, buy at rates of their own
(gamma) and spend amounts with a long tail; some shops live on a few wholesalers. The last two months of such a shop are
compared. A range that holds 95 times in 100 calls a change in 5 of 100 shops; the naive rival calls every difference of
more than five per cent a change.

Forecasts: monthly series of known make (steady, trending, seasonal, wandering), 30 months each; the last month is
foretold from the 29 before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

import ibis
import numpy as np
import pandas as pd

from workbook.comparison import noise
from workbook.comparison.daily import Record
from workbook.comparison.forecast import foretell, trials
from workbook.data.periods import Period, period_of

FIGURES = ("net_revenue", "active_customers", "orders", "average_order_value", "margin")
SIZES = {"small": (150, 100), "full": (250, 300)}  # shops, series a kind
NAIVE = 0.05
Series = Callable[[np.random.Generator, int], np.ndarray]


class Kind(NamedTuple):
    """A shop in which nothing changes."""

    customers: int  # who come within a month, on average
    months: float  # mean stay
    rate: float  # orders a month while there
    tail: float  # standard deviation of the logarithm of amounts
    wholesalers: int  # who buy ten times as often and ten times as much, and stay


KINDS = {
    "small shop": Kind(15, 6.0, 0.5, 0.8, 0),
    "long tail": Kind(60, 6.0, 0.5, 1.3, 0),
    "one purchase each": Kind(100, 0.5, 0.3, 0.8, 0),
    "few wholesalers": Kind(30, 6.0, 0.5, 0.8, 8),
}


def main(size: str = "full") -> None:
    shops, series = SIZES[size]
    print(f"Changes called in {shops:,} shops where nothing changed (chance allows {_slack(shops)})")
    for name, kind in KINDS.items():
        rates = called(kind, shops, seed=len(name))
        print(f"  {name}", flush=True)
        for figure in FIGURES:
            print(f"    {figure:<22} {rates[figure]:.3f}   called by “more than 5 %” {rates['naive ' + figure]:.3f}")
    print(f"Ranges of forecasts of {series:,} series a kind: how many held (meant: 0.95), and how wide")
    for name, make in MADE.items():
        held, width, better = forecasts(make, series, seed=len(name))
        print(f"  {name:<22} held {held:.3f}   half-width {width:.0%}   error / naive error {better:.2f}")


def _slack(n: int) -> str:
    reach = 1.96 * math.sqrt(0.05 * 0.95 / n)
    return f"{0.05 - reach:.3f} to {0.05 + reach:.3f}"


def called(kind: Kind, shops: int, *, seed: int) -> dict[str, float]:
    """Share of the shops in which each figure is said to have changed, by the noise and by the naive rule."""
    rng = np.random.default_rng(seed)
    votes: dict[str, list[bool]] = {}
    for _shop in range(shops):
        for name, changed in _verdicts(*two_months(kind, rng)):
            votes.setdefault(name, []).append(changed)
    return {name: float(np.mean(told)) for name, told in votes.items()}


def two_months(kind: Kind, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The orders of two neighbouring months of one shop."""
    window = 2.0 + 8 * kind.months  # months; after so long nobody of the first is left
    n = rng.poisson(kind.customers * window)
    start, stay = rng.uniform(2 - window, 2, n), rng.exponential(kind.months, n)
    rate, level = rng.gamma(2.0, kind.rate / 2.0, n), rng.normal(0, 0.5, n)
    big = kind.wholesalers
    start, stay = np.r_[start, np.full(big, -9.0)], np.r_[stay, np.full(big, 99.0)]
    rate, level = np.r_[rate, np.full(big, 10 * kind.rate)], np.r_[level, np.full(big, math.log(10))]
    months = []
    for month in (0.0, 1.0):
        there = np.clip(np.minimum(start + stay, month + 1) - np.maximum(start, month), 0, 1)
        first = ((start >= month) & (start < month + 1)).astype(int)  # everybody buys on the day of coming
        orders = rng.poisson(rate * there) + first
        who = np.repeat(np.arange(len(start)), orders)
        amount = np.exp(rng.normal(4 + level[who], kind.tail))
        months.append(pd.DataFrame({
            "order_id": [f"{month:.0f}-{i}" for i in range(len(who))], "customer_id": [f"c{i}" for i in who],
            "is_return": False, "amount": amount, "net_amount": amount, "tax": 0.0,
            "cost": amount * rng.uniform(0.5, 0.9, len(who)),
        }))  # fmt: skip
    return months[0], months[1]


def _verdicts(before: pd.DataFrame, now: pd.DataFrame) -> Iterator[tuple[str, bool]]:
    sides = [noise.brought(ibis.memtable(frame)) for frame in (now, before)]
    found = noise.reach(*sides, sums=("net", "buyers", "orders"), quotients={
        "average_order_value": ("net", "orders"), "margin": ("profit", "taxless")})  # fmt: skip
    widths = found.half_widths | {
        "net_revenue": found.half_widths["net"], "active_customers": found.half_widths["buyers"]}
    later, earlier = (_figures(frame) for frame in (now, before))
    for name in FIGURES:
        yield name, abs(later[name] - earlier[name]) > widths[name]
        yield f"naive {name}", abs(later[name] / earlier[name] - 1) > NAIVE


def _figures(orders: pd.DataFrame) -> dict[str, float]:
    net, n = orders["net_amount"].sum(), len(orders)
    return {"net_revenue": net, "active_customers": orders["customer_id"].nunique(), "orders": n,
            "average_order_value": net / n, "margin": 1 - orders["cost"].sum() / net}  # fmt: skip


def _steady(rng: np.random.Generator, n: int) -> np.ndarray:
    return 100 * np.exp(rng.normal(0, 0.1, n))


def _trending(rng: np.random.Generator, n: int) -> np.ndarray:
    return 100 * np.exp(rng.normal(0.02, 0.02) * np.arange(n) + rng.normal(0, 0.1, n))


def _seasonal(rng: np.random.Generator, n: int) -> np.ndarray:
    season = rng.normal(0, 0.3, 12)[np.arange(n) % 12]
    return 100 * np.exp(season + rng.normal(0, 0.08, n))


def _wandering(rng: np.random.Generator, n: int) -> np.ndarray:
    return 100 * np.exp(np.cumsum(rng.normal(0, 0.1, n)))


MADE: dict[str, Series] = {
    "steady": _steady, "trending": _trending, "seasonal": _seasonal, "wandering": _wandering,
}  # fmt: skip


def forecasts(make: Series, n: int, *, seed: int, months: int = 30) -> tuple[float, float, float]:
    """Share of the ranges that held, their median half-width as a share, and the error against the naive rival's."""
    rng = np.random.default_rng(seed)
    held, width, errors, naive = [], [], [], []
    for _series in range(n):
        totals = make(rng, months)
        told = foretell(trials(as_record(totals), ()), months - 1)
        held.append(told.low <= totals[-1] <= told.high)
        width.append((told.high - told.low) / 2 / told.value)
        errors.append(abs(math.log(totals[-1] / told.value)))
        naive.append(abs(math.log(totals[-1] / told.naive)))
    return float(np.mean(held)), float(np.median(width)), float(np.mean(errors) / np.mean(naive))


def as_record(totals: np.ndarray, first: str = "2023-01") -> Record:
    """A shop that sells as much on every day of a month; totals are those of a month of 30 days."""
    periods: list[Period] = [period_of(first)]
    while len(periods) < len(totals):
        periods.append(periods[-1].next())
    by_day: dict[date, float] = {}
    for period, total in zip(periods, totals, strict=True):
        by_day |= {period.start + timedelta(days=d): float(total) / period.days for d in range(period.days)}
    return Record(tuple(periods), np.asarray(totals, float), by_day, periods[0].start)


if __name__ == "__main__":
    main()
