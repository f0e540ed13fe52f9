"""Does it work for some and not for others? Effects by segment, pulled together by as much as they do not differ.

In: one row a customer (arm, value, segment). Out: each segment's effect as measured, with Holm's p-value, and shrunken
toward the common one; a test of whether segments differ at all; and a code.

The question is whether the **lift** differs: a lift of 10 % is more money among those who buy more, without working
any better for them. So y_k = log(treatment_k / control_k), with the delta method's variance v_k = se_t²/t² + se_c²/c²;
where a mean may be zero, y_k is the difference itself (`scale`). They are drawn around a common y by variance τ²
(DerSimonian–Laird): Q = Σ w_k (y_k − ȳ)², w_k = 1/v_k; τ² = max(0, (Q − (K − 1)) / (Σw − Σw²/Σw)); μ = Σ y_k/(v_k + τ²)
/ Σ 1/(v_k + τ²). Shrunken: B_k y_k + (1 − B_k) μ with B_k = τ²/(τ² + v_k), variance B_k v_k + (1 − B_k)² Var(μ); given
back in the metric's unit at the segment's own control mean.

Whoever looks at enough segments finds one that "works". A segment's own p-value is no evidence that it differs from the
others: that is the heterogeneity test's, times the number of ways in which the customers were cut.

| code | meaning |
|---|---|
| differs | the segments differ more than chance allows |
| alike | nothing shows that they do |
| fishing | a single segment looks significant, but neither the whole nor the difference between segments is |
| too_few | fewer than two segments with enough customers |

Sources: R. DerSimonian & N. Laird, Controlled Clinical Trials 7, 1986; C. N. Morris, JASA 78, 1983 (shrinkage); W. G.
Cochran, Biometrics 10, 1954 (Q).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import scipy.stats

from workbook.ab_testing.effects import ALPHA, Arm, Effect, effect, known
from workbook.ab_testing.experiments import of_one_arm
from workbook.ab_testing.many import correct
from workbook.data.engine import few_rows
from workbook.history import is_purchase

FEWEST = 30  # customers of a segment in each arm
ONE_ORDER, MORE_ORDERS, NO_ORDER = "one_order", "more_orders", "no_order"


class Segments(NamedTuple):
    """The effects by segment and what they say together."""

    effects: pd.DataFrame  # segment, n_control, n, control, treatment, difference, low, high, p_value, adjusted_p,
    # relative, relative_low, relative_high, shrunken, shrunken_low, shrunken_high (the metric's unit, as difference)
    scale: str  # relative: the lift is pooled; absolute: the difference, as a mean may be zero
    overall: float  # common effect: a relative lift, or in the metric's unit
    overall_low: float
    overall_high: float
    tau: float  # spread of the true effects, of log(treatment / control) or in the metric's unit
    q: float
    df: int
    p_value: float  # of no difference between segments
    code: str  # differs, alike, fishing, too_few


def by_segment(
    table: ir.Table, *, metric: str, control: str, arm: str | None = None, segment: str = "segment", tried: int = 1,
    planned: bool = False, fewest: int = FEWEST, alpha: float = ALPHA,
) -> Segments:
    """The effect in each segment.

    Args:
        table: arm, value and the segment's column; one row a customer.
        arm: the treatment; where left out, the arms other than control together.
        tried: ways in which the customers were cut, this one included.
        planned: whether these segments were named before the experiment; then nothing is fishing.
    """
    found = _effects(table, metric, control, arm, segment, fewest, alpha)
    frame = pd.DataFrame(found, columns=["segment", "error_c", "error_t", *Effect._fields])
    frame["adjusted_p"] = correct(dict(zip(frame["segment"], frame["p_value"], strict=True)))["adjusted"]
    if len(frame) < 2:
        nothing = math.nan
        shrunken = frame.assign(shrunken=nothing, shrunken_low=nothing, shrunken_high=nothing)
        return Segments(shrunken[_COLUMNS], "relative", *[nothing] * 5, 0, nothing, "too_few")
    return _pooled(frame, tried, planned, alpha)


def orders_before(people: ir.Table, orders: ir.Table) -> ir.Table:
    """Subjects with their orders before the assignment.

    Returns:
        customer_id, orders_before, segment (no_order, one_order, more_orders).
    """
    inside = of_one_arm(people)
    bought = orders.filter(orders.customer_id.notnull(), is_purchase(orders)).select("customer_id", "ordered_at")
    joined = inside.left_join(bought, "customer_id")
    counted = joined.group_by("customer_id").aggregate(
        orders_before=(joined.ordered_at < joined.assigned_at).cast("int64").sum().coalesce(0))
    return counted.mutate(segment=ibis.cases(
        (counted.orders_before == 0, NO_ORDER), (counted.orders_before == 1, ONE_ORDER), else_=MORE_ORDERS))


_COLUMNS = ["segment", "n_control", "n", "control", "treatment", "difference", "low", "high", "p_value", "adjusted_p",
            "relative", "relative_low", "relative_high", "shrunken", "shrunken_low", "shrunken_high"]  # fmt: skip


def _effects(
    table: ir.Table, metric: str, control: str, arm: str | None, segment: str, fewest: int, alpha: float
) -> list[tuple]:
    inside = table.filter(table.value.notnull(), table[segment].notnull())
    if arm is not None:
        inside = inside.filter(inside.arm.isin([control, arm]))
    inside = inside.mutate(side=ibis.ifelse(inside.arm == control, "control", "treatment"))
    rows = few_rows(inside.group_by(of=inside[segment].cast("string"), side="side").aggregate(
        n=inside.count(), mean=inside.value.mean(), variance=inside.value.cast("float64").var(how="sample")))
    sides = {(row["of"], row["side"]): Arm(row["mean"], known(row["variance"]), row["n"]) for row in rows}
    found = []
    for name in sorted({name for name, _ in sides}):
        pair = [sides.get((name, side)) for side in ("control", "treatment")]
        if all(one is not None and one.n >= fewest and one.variance > 0 for one in pair):
            errors = [math.sqrt(one.variance / one.n) for one in pair]
            found.append((name, *errors, *effect(*pair, metric=metric, name=arm or "treatment", alpha=alpha)))
    return found


def _pooled(frame: pd.DataFrame, tried: int, planned: bool, alpha: float) -> Segments:
    relative = bool(frame["relative"].notna().all() and (frame["treatment"] > 0).all())
    y, v = _log_ratios(frame) if relative else (frame["difference"].to_numpy(), frame["std_error"].to_numpy() ** 2)
    q, tau2 = dersimonian_laird(y, v)
    weights = 1 / (v + tau2)
    overall, spread = float((weights * y).sum() / weights.sum()), float(1 / weights.sum())
    kept = tau2 / (tau2 + v)
    shrunken, z = kept * y + (1 - kept) * overall, float(scipy.stats.norm.isf(alpha / 2))
    half = z * np.sqrt(kept * v + (1 - kept) ** 2 * spread)
    control = frame["control"].to_numpy()
    ends = [control * np.expm1(end) if relative else end for end in (shrunken, shrunken - half, shrunken + half)]
    frame = frame.assign(**dict(zip(_COLUMNS[-3:], ends, strict=True)))
    p_value = float(scipy.stats.chi2.sf(q, len(y) - 1))
    common = [overall, overall - z * math.sqrt(spread), overall + z * math.sqrt(spread)]
    code = _code(frame, common, p_value, tried, planned, alpha)
    common = [float(np.expm1(end)) for end in common] if relative else common
    return Segments(frame[_COLUMNS], "relative" if relative else "absolute", common[0], common[1], common[2],
                    math.sqrt(tau2), q, len(y) - 1, p_value, code)


def _log_ratios(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """log(treatment / control) of each segment and its variance."""
    control, treatment = frame["control"].to_numpy(), frame["treatment"].to_numpy()
    parts = (frame["error_t"].to_numpy() / treatment) ** 2 + (frame["error_c"].to_numpy() / control) ** 2
    return np.log(treatment / control), parts


def _code(
    frame: pd.DataFrame, common: list[float], p_value: float, tried: int, planned: bool, alpha: float
) -> str:
    if min(p_value * tried, 1.0) < alpha:
        return "differs"
    looks_like = (frame["p_value"] < alpha).any() or p_value < alpha
    return "fishing" if looks_like and not planned and common[1] <= 0 <= common[2] else "alike"


def dersimonian_laird(effects: np.ndarray, variances: np.ndarray) -> tuple[float, float]:
    """Cochran's Q and the variance between the true effects.

    >>> [round(x, 3) for x in dersimonian_laird(np.array([0.0, 2.0]), np.array([1.0, 1.0]))]
    [2.0, 1.0]
    """
    weights = 1 / variances
    common = (weights * effects).sum() / weights.sum()
    q = float((weights * (effects - common) ** 2).sum())
    room = weights.sum() - (weights**2).sum() / weights.sum()
    return q, float(max(0.0, (q - (len(effects) - 1)) / room)) if room > 0 else 0.0
