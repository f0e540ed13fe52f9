"""The effect of one arm on one metric: what every method of this chapter answers with.

In: counts, means, variances and covariances of each arm, computed in the engine (`arm_sums`): only they leave it.
Out: `Effect`, one a treatment arm.

tea-tasting reads the moments from the engine. The difference and its p-value are Welch's. The relative lift is
difference / control mean with the linear delta method and Welch's degrees of freedom: Var(t/c) = Var(t)/c² +
t² Var(c)/c⁴, an interval symmetric about the lift, as GrowthBook's gbstats reports it. tea-tasting itself gives an
interval of log(t/c), which is lopsided; the two differ where the control mean is uncertain. Where the control mean is
less than two standard errors from zero there is no relative lift: dividing by what may be zero has no spread.

Sources: B. L. Welch, Biometrika 34, 1947; A. Deng, U. Knoblich & J. Lu, Applying the Delta Method in Metric Analytics,
KDD 2018; gbstats 0.8 (GrowthBook).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import ibis.expr.types as ir
import pandas as pd
from scipy import special
from tea_tasting.aggr import Aggregates, read_aggregates

ALPHA = 0.05


class Effect(NamedTuple):
    """What one arm did to one metric, beside the control arm. Intervals hold 1 − alpha."""

    metric: str
    arm: str
    method: str  # welch, two_rates, ratio_delta, cluster_delta, cuped, winsorised
    n_control: int  # customers, or clusters where the method works on them
    n: int
    control: float  # value of the metric
    treatment: float
    difference: float  # treatment − control, in the metric's unit
    low: float
    high: float
    std_error: float  # of the difference
    p_value: float  # of no difference, two-sided
    relative: float  # difference / control; nan where the control mean may be zero
    relative_low: float
    relative_high: float
    relative_p_value: float
    alpha: float
    df: float  # degrees of freedom of the t distribution; inf: normal


class Arm(NamedTuple):
    """One arm's estimate of a metric."""

    value: float
    variance: float  # of one unit, so that the estimate's own is variance / n
    n: int


def arm_sums(table: ir.Table, columns: Sequence[str], *, control: str) -> dict[str, Aggregates]:
    """Count, means, variances and covariances of the columns by arm, control first; rows with a blank are left out.

    Nothing where nobody measured is in the control arm: an effect is a difference from it.

    Args:
        table: arm and the columns, one row a unit of randomisation.
    """
    whole = table.filter(*[table[column].notnull() for column in columns])
    pairs = [(a, b) for place, a in enumerate(columns) for b in columns[place + 1 :]]
    found = read_aggregates(whole, "arm", has_count=True, mean_cols=columns, var_cols=columns, cov_cols=pairs)
    if control not in found:
        return {}
    return {str(arm): found[arm] for arm in sorted(found, key=lambda arm: (arm != control, str(arm)))}


def effects_of(
    arms: Mapping[str, Arm], *, metric: str, method: str, alpha: float = ALPHA, df: float | None = None
) -> tuple[Effect, ...]:
    """The effect of every arm beside the first one."""
    names = list(arms)
    return tuple(effect(arms[names[0]], arms[name], metric=metric, name=name, method=method, alpha=alpha, df=df)
                 for name in names[1:])


def effect(
    control: Arm, treatment: Arm, *, metric: str = "", name: str = "treatment", method: str = "welch",
    alpha: float = ALPHA, df: float | None = None,
) -> Effect:
    """Welch's comparison of two arms, with the relative lift by the delta method.

    Args:
        df: degrees of freedom where they are known otherwise (clusters); Welch's when left out.

    >>> found = effect(Arm(10.0, 4.0, 100), Arm(11.0, 4.0, 100))
    >>> [round(x, 3) for x in (found.difference, found.std_error, found.relative)]
    [1.0, 0.283, 0.1]
    """
    error_c, error_t = _error(control), _error(treatment)
    std_error = math.sqrt(error_c + error_t)
    freedom = welch_df(control, treatment) if df is None else df
    difference = treatment.value - control.value
    low, high, p_value = interval(difference, std_error, freedom, alpha)
    relative = relative_error = math.nan
    if control.value > 0 and control.value >= 2 * math.sqrt(error_c):
        relative = difference / control.value
        relative_error = math.sqrt(error_t + error_c * (treatment.value / control.value) ** 2) / control.value
    relative_low, relative_high, relative_p = interval(relative, relative_error, freedom, alpha)
    return Effect(
        metric, name, method, control.n, treatment.n, control.value, treatment.value, difference, low, high, std_error,
        p_value, relative, relative_low, relative_high, relative_p, alpha, freedom,
    )


def welch_df(control: Arm, treatment: Arm) -> float:
    """Welch's degrees of freedom; nan where nothing varies."""
    if min(control.n, treatment.n) < 2:
        return math.nan
    c, t = _error(control), _error(treatment)
    below = c * c / (control.n - 1) + t * t / (treatment.n - 1)
    return (c + t) ** 2 / below if below > 0 else math.nan


def interval(value: float, std_error: float, df: float, alpha: float) -> tuple[float, float, float]:
    """Low, high and two-sided p-value of zero; nan where there is no spread to judge by."""
    if not (std_error > 0 and df > 0):
        return math.nan, math.nan, math.nan
    quantile, tail = (special.ndtri, special.ndtr) if math.isinf(df) else (
        lambda share: special.stdtrit(df, share), lambda t: special.stdtr(df, t))
    half = -float(quantile(alpha / 2)) * std_error
    return value - half, value + half, float(2 * tail(-abs(value) / std_error))


def as_frame(effects: Iterable[Effect]) -> pd.DataFrame:
    """The effects, one row each, columns as the fields of `Effect`."""
    return pd.DataFrame(list(effects), columns=list(Effect._fields))


def known(value: float | None) -> float:
    """A number of the engine; nan where it has none (the variance of a single row)."""
    return math.nan if value is None else float(value)


def _error(arm: Arm) -> float:
    return arm.variance / arm.n if arm.n > 1 else math.nan
