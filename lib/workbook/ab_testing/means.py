"""Is the mean different? Absolute difference (Welch) and relative lift (delta method).

In: one row a customer (customer_id, arm, value). Out: one `Effect` a treatment arm. The engine computes the moments,
however many rows there are. Difference and p-value equal `Mean` of tea-tasting; for the relative lift see `effects`.
"""

from __future__ import annotations

import ibis.expr.types as ir

from workbook.ab_testing.effects import ALPHA, Arm, Effect, arm_sums, effect, effects_of, known


def mean_effects(table: ir.Table, *, metric: str, control: str, alpha: float = ALPHA) -> tuple[Effect, ...]:
    """The difference of means of `value`, one effect a treatment arm.

    Args:
        table: arm, value; a customer without a value is left out.
    """
    sums = arm_sums(table, ["value"], control=control)
    arms = {name: Arm(found.mean("value"), known(found.var("value")), found.count()) for name, found in sums.items()}
    return effects_of(arms, metric=metric, method="welch", alpha=alpha)


def mean_effect_from_sums(
    control: tuple[float, float, int], treatment: tuple[float, float, int], *, metric: str = "", alpha: float = ALPHA
) -> Effect:
    """The same from (sum, sum of squares, customers) of each arm.

    >>> found = mean_effect_from_sums((20.0, 220.0, 2), (24.0, 300.0, 2))
    >>> found.control, found.treatment, found.difference
    (10.0, 12.0, 2.0)
    """
    return effect(arm_from_sums(*control), arm_from_sums(*treatment), metric=metric, alpha=alpha)


def arm_from_sums(total: float, squares: float, n: int) -> Arm:
    """An arm from its sum, its sum of squares and its size."""
    return Arm(total / n, (squares - total * total / n) / (n - 1), n)

