"""Is a rate different, such as the share of customers who bought?

In: one row a customer (arm, value; a value above 0 counts), or counts. Out: one `Effect` a treatment arm, or the three
classical tests side by side. The test pools the two rates, as the hypothesis says that they are one; the interval does
not, and is Newcombe's (from Wilson's intervals of each rate), which stays right for rates near 0 and 1. The relative
lift has the delta method of `effects`.

Sources: R. G. Newcombe, Statistics in Medicine 17, 1998 (method 10); statsmodels 0.15 (`proportions_ztest`).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import ibis.expr.types as ir
import scipy.stats
from statsmodels.stats.proportion import proportion_confint, proportions_ztest

from workbook.ab_testing.effects import ALPHA, Arm, Effect, arm_sums, effect


class RateTests(NamedTuple):
    """Two shares compared in three ways."""

    difference: float  # second minus first
    low: float  # 95 % of the difference, Newcombe
    high: float
    z: float  # with the pooled rate
    p_value: float
    chi2: float  # without a correction for continuity: z²
    chi2_p: float
    fisher_p: float  # exact, for small counts


def rate_effects(table: ir.Table, *, metric: str, control: str, alpha: float = ALPHA) -> tuple[Effect, ...]:
    """The difference of the shares of customers with a value above 0, one effect a treatment arm.

    Args:
        table: arm, value; one row a customer.
    """
    happened = table.filter(table.value.notnull()).select("arm", value=(table.value > 0).cast("float64"))
    arms = {name: (round(found.mean("value") * found.count()), found.count())
            for name, found in arm_sums(happened, ["value"], control=control).items()}
    names = list(arms)
    return tuple(rate_effect(arms[names[0]], arms[name], metric=metric, name=name, alpha=alpha) for name in names[1:])


def rate_effect(
    control: tuple[int, int], treatment: tuple[int, int], *, metric: str = "", name: str = "treatment",
    alpha: float = ALPHA,
) -> Effect:
    """The effect from (those to whom it happened, customers) of each arm."""
    found = effect(_arm(*control), _arm(*treatment), metric=metric, name=name, method="two_rates", alpha=alpha,
                   df=math.inf)
    _, p_value = _ztest(control, treatment)
    low, high = newcombe(control, treatment, alpha=alpha)
    return found._replace(low=low, high=high, p_value=p_value)


def rate_tests(control: tuple[int, int], treatment: tuple[int, int]) -> RateTests:
    """The z test, the chi-square test and Fisher's exact test of two shares.

    >>> found = rate_tests((40, 100), (50, 100))
    >>> round(found.z, 6), round(found.p_value, 7), round(found.fisher_p, 7)
    (1.421338, 0.1552185, 0.2007076)
    """
    (x_control, n_control), (x, n) = control, treatment
    z, p_value = _ztest(control, treatment)
    table = [[x_control, n_control - x_control], [x, n - x]]
    fisher = scipy.stats.fisher_exact(table).pvalue
    return RateTests(x / n - x_control / n_control, *newcombe(control, treatment), z, p_value, z * z,
                     float(scipy.stats.chi2.sf(z * z, 1)), float(fisher))


def newcombe(control: tuple[int, int], treatment: tuple[int, int], *, alpha: float = ALPHA) -> tuple[float, float]:
    """The interval of the difference of two shares: the squared distances to Wilson's ends add up."""
    (x_control, n_control), (x, n) = control, treatment
    low_c, high_c = proportion_confint(x_control, n_control, alpha, method="wilson")
    low_t, high_t = proportion_confint(x, n, alpha, method="wilson")
    share_c, share_t = x_control / n_control, x / n
    difference = share_t - share_c
    return (float(difference - math.hypot(share_t - low_t, high_c - share_c)),
            float(difference + math.hypot(high_t - share_t, share_c - low_c)))


def _arm(x: int, n: int) -> Arm:
    return Arm(x / n, x / n * (1 - x / n), n)


def _ztest(control: tuple[int, int], treatment: tuple[int, int]) -> tuple[float, float]:
    """z and p; nan where it happened to nobody or to all."""
    happened, everyone = control[0] + treatment[0], control[1] + treatment[1]
    if happened in (0, everyone):
        return math.nan, math.nan
    z, p_value = proportions_ztest([treatment[0], control[0]], [treatment[1], control[1]])
    return float(z), float(p_value)
