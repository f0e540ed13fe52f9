"""How many customers, how many days, and how small an effect can be seen?

In: a metric's mean and variance per customer, from the shop's own orders (`baselines`), and how many different
customers come by day (`traffic`). Out: customers per arm, days, smallest effect that would be found.

Means and ratios: two-sided t test of equal arms (noncentral t; ratios with the delta method's variance). Rates: Cohen's
h, the difference of arcsines, as statsmodels does. With CUPED the variance is multiplied by 1 − ρ². Relative effects
are turned into differences at the baseline's mean.

Sources: J. Cohen, Statistical Power Analysis, 1988; statsmodels 0.15 (`TTestIndPower`, `NormalIndPower`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import scipy.optimize
import scipy.stats
from statsmodels.stats.power import NormalIndPower, TTestIndPower
from statsmodels.stats.proportion import proportion_effectsize
from tea_tasting.aggr import read_aggregates

from workbook.ab_testing.effects import ALPHA, known
from workbook.data.engine import few_rows
from workbook.data.errors import WorkbookError
from workbook.history import is_purchase, known_on

POWER = 0.8
SMALLEST_ARM = 10.0  # customers; below, no normal theory holds


class Baseline(NamedTuple):
    """A metric as it is without any experiment, per customer and window."""

    metric: str  # bought, orders, revenue, revenue_per_order
    kind: str  # rate, mean, ratio
    mean: float
    variance: float  # of one customer's value; of a ratio: of one customer's part in it
    customers: int
    correlation: float  # with the window before: what CUPED can use
    days: int  # length of the window


class Detectable(NamedTuple):
    """The smallest effect that is found with the power asked for."""

    difference: float  # in the metric's unit
    relative: float


class Duration(NamedTuple):
    """How long an experiment takes."""

    per_arm: float  # customers needed
    days_to_fill: int | None  # until so many have come; None: longer than was looked back
    days_total: int | None  # with the window of the outcome
    code: str  # ok, too_long, too_few (the metric never varied: nothing to plan with)


def baselines(orders: ir.Table, *, days: int, as_of: date, returns: ir.Table | None = None) -> pd.DataFrame:
    """What customers did in the last `days` days, among those who had bought before: the metrics' means and variances.

    Returns:
        One row a metric with the fields of `Baseline`; no rows where fewer than two customers had bought before.
    """
    table = _two_windows(orders, returns, days=days, as_of=as_of)
    columns = ["orders", "revenue", "bought", "orders_before", "revenue_before", "bought_before"]
    pairs = [(a, b) for place, a in enumerate(columns) for b in columns[place + 1 :]]
    sums = read_aggregates(table, None, has_count=True, mean_cols=columns, var_cols=columns, cov_cols=pairs)
    if sums.count() < 2:
        return pd.DataFrame(columns=list(Baseline._fields))
    rows = [
        Baseline(name, kind, float(sums.mean(name)), known(sums.var(name)), sums.count(),
                 _correlation(sums.cov(name, f"{name}_before"), sums.var(name), sums.var(f"{name}_before")), days)
        for name, kind in (("bought", "rate"), ("orders", "mean"), ("revenue", "mean"))
    ]
    if sums.mean("orders") > 0:
        variance = max(sums.ratio_var("revenue", "orders"), 0.0)
        rows.append(Baseline("revenue_per_order", "ratio", sums.mean("revenue") / sums.mean("orders"), variance,
                             sums.count(), math.nan, days))
    return pd.DataFrame(rows, columns=list(Baseline._fields))


def traffic(orders: ir.Table, *, as_of: date, days: int = 91) -> pd.DataFrame:
    """How many different customers ordered up to each of the last `days` days: those an experiment would have met.

    Returns:
        day (1 to `days`), customers (cumulated).
    """
    first = as_of - timedelta(days=days)
    recent = orders.filter(orders.customer_id.notnull(), orders.ordered_on > first, orders.ordered_on <= as_of,
                           is_purchase(orders))
    met = recent.group_by("customer_id").aggregate(on=recent.ordered_on.min())
    found = {row["on"]: row["customers"] for row in few_rows(met.group_by("on").aggregate(customers=met.count()))}
    new = [found.get(first + timedelta(days=day), 0) for day in range(1, days + 1)]
    return pd.DataFrame({"day": range(1, days + 1), "customers": np.cumsum(new)})


def at_once(customers: int, *, days: int = 91) -> pd.DataFrame:
    """The traffic of an experiment on customers who are all known from the first day on, as when they are written to.

    Returns:
        day, customers.
    """
    return pd.DataFrame({"day": range(1, days + 1), "customers": customers})


def sample_size(
    baseline: Baseline, *, relative: float | None = None, difference: float | None = None, power: float = POWER,
    alpha: float = ALPHA, cuped: bool = False,
) -> float:
    """Customers per arm so that an effect of that size is found with that power; nan where the metric never varied.

    Args:
        relative: the effect as a share of the mean; or `difference`, in the metric's unit.
        cuped: take off what the window before explains.
    """
    change = _difference(baseline, relative, difference)
    if baseline.kind == "rate":
        if not 0 < baseline.mean < 1 or not 0 < baseline.mean + change < 1:
            return math.nan
        raw = sample_size_rate(baseline.mean, baseline.mean + change, power=power, alpha=alpha)
        return raw * _left(baseline, cuped)
    sd = math.sqrt(baseline.variance * _left(baseline, cuped))
    return sample_size_mean(change / sd, power=power, alpha=alpha) if sd > 0 else math.nan


def sample_size_mean(d: float, *, power: float = POWER, alpha: float = ALPHA) -> float:
    """Customers per arm for a difference of `d` standard deviations.

    >>> round(sample_size_mean(0.5), 2)
    63.77
    """
    _must_differ(d)
    if TTestIndPower().power(min(abs(d), 2.0), SMALLEST_ARM, alpha) >= power and abs(d) >= 2:
        return SMALLEST_ARM
    return float(TTestIndPower().solve_power(abs(d), power=power, alpha=alpha))


def sample_size_rate(first: float, second: float, *, power: float = POWER, alpha: float = ALPHA) -> float:
    """Customers per arm to tell two rates apart.

    >>> round(sample_size_rate(0.10, 0.12), 2)
    3834.6
    """
    _must_differ(second - first)
    return float(NormalIndPower().solve_power(proportion_effectsize(second, first), power=power, alpha=alpha))


def minimum_detectable(
    baseline: Baseline, *, per_arm: float, power: float = POWER, alpha: float = ALPHA, cuped: bool = False
) -> Detectable:
    """The smallest increase that so many customers per arm show; nan where there are too few, or nothing varied."""
    if per_arm < SMALLEST_ARM or not baseline.variance > 0:
        return Detectable(math.nan, math.nan)
    if baseline.kind == "rate":
        n = per_arm / _left(baseline, cuped)
        h = _smallest(lambda size: NormalIndPower().power(size, n, alpha), n, power, alpha)
        angle = math.asin(math.sqrt(baseline.mean)) + h / 2
        difference = math.sin(angle) ** 2 - baseline.mean if angle < math.pi / 2 else math.nan
    else:
        d = _smallest(lambda size: TTestIndPower().power(size, per_arm, alpha), per_arm, power, alpha)
        difference = d * math.sqrt(baseline.variance * _left(baseline, cuped))
    return Detectable(difference, difference / baseline.mean if baseline.mean > 0 else math.nan)


def power_of(
    baseline: Baseline, *, relative: float, per_arm: float, alpha: float = ALPHA, cuped: bool = False
) -> float:
    """The chance that so many customers per arm show an effect of that size."""
    change = _difference(baseline, relative, None)
    if baseline.kind == "rate":
        if not 0 < baseline.mean < 1:
            return math.nan
        h = proportion_effectsize(min(baseline.mean + change, 1.0), baseline.mean)
        return float(NormalIndPower().power(h, per_arm / _left(baseline, cuped), alpha))
    sd = math.sqrt(baseline.variance * _left(baseline, cuped))
    return float(TTestIndPower().power(change / sd, per_arm, alpha)) if sd > 0 else math.nan


def power_curve(
    baseline: Baseline, *, per_arm: float, relatives: Sequence[float], alpha: float = ALPHA, cuped: bool = False
) -> pd.DataFrame:
    """The power over effects of several sizes: relative, power."""
    found = [power_of(baseline, relative=one, per_arm=per_arm, alpha=alpha, cuped=cuped) if one else alpha
             for one in relatives]
    return pd.DataFrame({"relative": list(relatives), "power": found})


def detectable_curve(
    baseline: Baseline, traffic: pd.DataFrame, *, arms: int = 2, share: float = 1.0, power: float = POWER,
    alpha: float = ALPHA, cuped: bool = False,
) -> pd.DataFrame:
    """The smallest effect found when customers are drawn for so many days: day, per_arm, difference, relative.

    Args:
        share: part of the customers who are drawn at all.
    """
    rows = []
    for day, customers in zip(traffic["day"], traffic["customers"], strict=True):
        per_arm = customers * share / arms
        found = minimum_detectable(baseline, per_arm=per_arm, power=power, alpha=alpha, cuped=cuped)
        rows.append((int(day), per_arm, *found))
    return pd.DataFrame(rows, columns=["day", "per_arm", "difference", "relative"])


def duration(per_arm: float, traffic: pd.DataFrame, *, days: int, arms: int = 2, share: float = 1.0) -> Duration:
    """Days until so many customers per arm have come, and until the last of them has had a window of `days` days."""
    if math.isnan(per_arm):
        return Duration(per_arm, None, None, "too_few")
    enough = traffic.loc[traffic["customers"] * share / arms >= per_arm, "day"]
    if not len(enough):
        return Duration(per_arm, None, None, "too_long")
    return Duration(per_arm, int(enough.iloc[0]), int(enough.iloc[0]) + days, "ok")


def _smallest(power_at: Callable[[float], float], n: float, power: float, alpha: float) -> float:
    """The effect size at which the power is reached, sought around the normal approximation."""
    near = (scipy.stats.norm.isf(alpha / 2) + scipy.stats.norm.ppf(power)) * math.sqrt(2 / n)
    return float(scipy.optimize.brentq(lambda size: power_at(size) - power, 0.5 * near, 2 * near))


def _two_windows(orders: ir.Table, returns: ir.Table | None, *, days: int, as_of: date) -> ir.Table:
    """One row a customer who had bought before the last window: orders, revenue, bought in it and in the one before."""
    seen = known_on(orders, returns, day=as_of)
    bought = seen.filter(seen.customer_id.notnull(), is_purchase(seen))
    start, before = as_of - timedelta(days=days), as_of - timedelta(days=2 * days)
    bought = bought.select("customer_id", "ordered_on", worth=bought.net_amount.cast("float64"))
    last = bought.ordered_on > start
    previous = ~last & (bought.ordered_on > before)
    sums = bought.group_by("customer_id").aggregate(
        first=bought.ordered_on.min(), orders=last.cast("float64").sum(), orders_before=previous.cast("float64").sum(),
        revenue=bought.worth.sum(where=last).coalesce(0.0),
        revenue_before=bought.worth.sum(where=previous).coalesce(0.0),
    )  # fmt: skip
    known_before = sums.filter(sums.first <= ibis.literal(start))
    return known_before.mutate(bought=(known_before.orders > 0).cast("float64"),
                               bought_before=(known_before.orders_before > 0).cast("float64"))


def _difference(baseline: Baseline, relative: float | None, difference: float | None) -> float:
    if (relative is None) == (difference is None):
        raise WorkbookError("The size of the effect is not clear.",
                            way_out="Give either the relative effect (0.05) or the difference, not both.")
    return float(difference) if relative is None else relative * baseline.mean


def _left(baseline: Baseline, cuped: bool) -> float:
    """The share of the variance that CUPED leaves."""
    return 1 - baseline.correlation**2 if cuped and not math.isnan(baseline.correlation) else 1.0


def _correlation(covariance: float | None, first: float | None, second: float | None) -> float:
    spread = known(first) * known(second)
    return known(covariance) / math.sqrt(spread) if spread > 0 else math.nan


def _must_differ(change: float) -> None:
    if not abs(change) > 0:
        raise WorkbookError("No number of customers finds an effect of nothing.",
                            way_out="Name the smallest effect that would be worth having, such as 0.05.")
