"""Do a few very large orders decide? The effect with the largest values capped, beside the raw one.

In: one row a customer (arm, value). Out: effects on min(value, cap), with the cap, how many customers it touches and
how much of the total lies above it. The cap is a quantile of all arms together: a cap of each arm's own would move with
the treatment. The capped mean answers another question (the effect on all but the largest); where the two disagree,
a few customers decide, and they are to be looked at by name.

Source: J. W. Tukey, The Future of Data Analysis, Annals of Mathematical Statistics 33, 1962 (winsorising).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import ibis.expr.types as ir

from workbook.ab_testing.effects import ALPHA, Effect
from workbook.ab_testing.means import mean_effects
from workbook.data.engine import few_rows


class Winsorised(NamedTuple):
    """Effects without the largest values, and what was capped."""

    effects: tuple[Effect, ...]
    cap: float  # in the metric's unit
    capped: int  # customers with more than that
    share_of_total: float  # part of the sum of all values that lies above the cap


def winsorised_effects(
    table: ir.Table, *, metric: str, control: str, share: float = 0.99, alpha: float = ALPHA
) -> Winsorised:
    """The difference of capped means, one effect a treatment arm.

    Args:
        table: arm, value; one row a customer.
        share: part of the values that are above 0 which stay below the cap. (Of all values, 0.99 would often be 0.)
    """
    some = table.filter(table.value > 0)
    cap = few_rows(some.aggregate(cap=some.value.cast("float64").quantile(share)))[0]["cap"]
    if cap is None:
        return Winsorised(mean_effects(table, metric=metric, control=control, alpha=alpha), math.nan, 0, 0.0)
    above = (table.value - cap).clip(lower=0)
    facts = few_rows(table.aggregate(
        capped=(table.value > cap).cast("int64").sum(), above=above.sum(), total=table.value.sum()))[0]
    effects = mean_effects(table.mutate(value=table.value.clip(upper=cap)), metric=metric, control=control, alpha=alpha)
    return Winsorised(
        tuple(one._replace(method="winsorised") for one in effects), float(cap), facts["capped"],
        facts["above"] / facts["total"] if facts["total"] else 0.0)
