"""Is a ratio different, such as revenue per order, when customers were drawn and not orders?

In: one row a customer (arm, value, denominator). Out: one `Effect` a treatment arm; the metric is sum of values / sum
of denominators. Orders of one customer are alike, so that they are no sample of their own: the delta method carries
the customer's spread into the ratio, Var(v/d) = (Var v − 2 R Cov(v, d) + R² Var d) / mean(d)². Customers with a
denominator of 0 stay in, with 0 above and below.

A ratio can rise because its denominator falls: read it beside the mean of what stands above.

Source: A. Deng, U. Knoblich & J. Lu, Applying the Delta Method in Metric Analytics, KDD 2018; equals `RatioOfMeans` of
tea-tasting.
"""

from __future__ import annotations

import math

import ibis.expr.types as ir
from tea_tasting.aggr import Aggregates

from workbook.ab_testing.effects import ALPHA, Arm, Effect, arm_sums, effects_of

MOMENTS = ("value", "denominator")


def ratio_effects(table: ir.Table, *, metric: str, control: str, alpha: float = ALPHA) -> tuple[Effect, ...]:
    """The difference of sum(value) / sum(denominator), one effect a treatment arm.

    Args:
        table: arm, value, denominator; one row a customer.
    """
    sums = arm_sums(table, MOMENTS, control=control)
    arms = {name: ratio_arm(found) for name, found in sums.items()}
    return effects_of(arms, metric=metric, method="ratio_delta", alpha=alpha)


def ratio_arm(sums: Aggregates) -> Arm:
    """The ratio of an arm and the variance of one unit's part in it; nan where nothing stands below."""
    if not sums.mean("denominator") or sums.count() < 2:
        return Arm(math.nan, math.nan, sums.count())
    return Arm(sums.mean("value") / sums.mean("denominator"), max(sums.ratio_var(*MOMENTS), 0.0), sums.count())
