"""CUPED: the same effect from fewer customers, by taking off what was known before.

In: one row a customer (arm, value, before). Out: one `Effect` a treatment arm on value − θ (before − mean before), with
θ = Cov(value, before) / Var(before) over both arms together. The adjusted variance is exactly 1 − ρ² of the raw one.

The covariate must lie before the assignment: one that the treatment can move takes the effect away, and no spread
tells. The health check looks at what can be seen: whether it is there, whether it correlates, and whether the arms were
alike in it before anything was done; if not, the split is at fault and no adjustment repairs it.

Source: A. Deng, Y. Xu, R. Kohavi & T. Walker, Improving the Sensitivity of Online Controlled Experiments by Utilizing
Pre-Experiment Data, WSDM 2013; equals `Mean(value, covariate)` of tea-tasting.
"""

from __future__ import annotations

import math
from functools import reduce
from operator import add
from typing import NamedTuple

import ibis.expr.types as ir
from tea_tasting.aggr import Aggregates

from workbook.ab_testing.effects import ALPHA, Arm, Effect, arm_sums, effect, known
from workbook.data.engine import few_rows

WEAK = 0.05  # ρ² below which there is next to nothing to gain
UNBALANCED = 0.001  # p-value of the covariate, as for a sample ratio
_COLUMNS = ("value", "before")


class CupedHealth(NamedTuple):
    """Whether the covariate may be used, and what it brings."""

    correlation: float  # of value and before, arms together
    variance_ratio: float  # adjusted variance / raw variance = 1 − ρ²
    share_missing: float  # customers without a value before
    balance_difference: float  # treatment − control before the experiment, of the arm with the smallest p
    balance_p: float  # smallest p-value over the arms, times the arms compared
    code: str  # ok, weak, unbalanced, no_covariate


def cuped_effects(table: ir.Table, *, metric: str, control: str, alpha: float = ALPHA) -> tuple[Effect, ...]:
    """The difference of adjusted means, one effect a treatment arm.

    Args:
        table: arm, value, before; customers without one of the two are left out, in all arms alike.
    """
    sums = {name: arm for name, arm in arm_sums(table, _COLUMNS, control=control).items() if arm.count() > 1}
    names = list(sums) if control in sums else []
    return tuple(effect(*adjusted(sums[names[0]], sums[name]), metric=metric, name=name, method="cuped", alpha=alpha)
                 for name in names[1:])


def adjusted(control: Aggregates, treatment: Aggregates) -> tuple[Arm, Arm]:
    """Both arms after the covariate is taken off."""
    together = control + treatment
    theta = _theta(together)
    return tuple(Arm(
        arm.mean("value") - theta * (arm.mean("before") - together.mean("before")),
        known(arm.var("value")) + theta**2 * known(arm.var("before")) - 2 * theta * known(arm.cov(*_COLUMNS)),
        arm.count(),
    ) for arm in (control, treatment))  # type: ignore[return-value]


def cuped_health(table: ir.Table, *, control: str) -> CupedHealth:
    """Correlation, gain and balance of the covariate.

    Args:
        table: arm, value, before.
    """
    missing = _share_missing(table)
    if not missing < 1:
        return CupedHealth(math.nan, 1.0, missing, math.nan, math.nan, "no_covariate")
    sums = arm_sums(table, _COLUMNS, control=control)
    together = reduce(add, sums.values()) if len(sums) > 1 and min(arm.count() for arm in sums.values()) > 1 else None
    spread = together.var("value") * together.var("before") if together else 0.0
    if together is None or not spread > 0:
        return CupedHealth(math.nan, 1.0, missing, math.nan, math.nan, "no_covariate")
    rho = together.cov(*_COLUMNS) / math.sqrt(spread)
    difference, p_value = _balance(sums)
    code = "unbalanced" if p_value < UNBALANCED else "weak" if rho * rho < WEAK else "ok"
    return CupedHealth(rho, 1 - rho * rho, missing, difference, p_value, code)


def _balance(sums: dict[str, Aggregates]) -> tuple[float, float]:
    """The arm that was most unlike the control before: its difference, and p (Bonferroni over the arms)."""
    arms = {name: Arm(arm.mean("before"), known(arm.var("before")), arm.count()) for name, arm in sums.items()}
    base, *others = arms.values()
    found = [effect(base, arm) for arm in others]
    judged = [one for one in found if not math.isnan(one.p_value)]
    if not judged:
        return math.nan, math.nan
    worst = min(judged, key=lambda one: one.p_value)
    return worst.difference, min(worst.p_value * len(found), 1.0)


def _theta(together: Aggregates) -> float:
    return together.cov(*_COLUMNS) / together.var("before") if together.var("before") else 0.0


def _share_missing(table: ir.Table) -> float:
    row = few_rows(table.aggregate(n=table.count(), there=table.before.count()))[0]
    return 1 - row["there"] / row["n"] if row["n"] else 1.0
