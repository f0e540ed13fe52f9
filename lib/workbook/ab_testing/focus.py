"""One experiment looked into: day by day, by segment, and customer by customer.

`review.Reviewed` goes in, or None where a shop has no experiment; then nothing comes out, and nothing fails. The same
where clusters were drawn: these methods count customers as drawn singly.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.ab_testing.review import Reviewed
from workbook.ab_testing.segment_effects import Segments, by_segment, orders_before
from workbook.ab_testing.sequential import daily_looks, sequence
from workbook.ab_testing.uplift import Uplift, features, judge_uplift
from workbook.history import ORDER_METRICS


def watched(
    one: Reviewed | None, orders: ir.Table, returns: ir.Table | None, *, as_of: date, alpha: float = 0.05
) -> pd.DataFrame:
    """The running interval of the first metric that orders tell (else of orders), on the arm of the verdict.

    Returns:
        The columns of `sequential.sequence`; no rows before there is enough, or without an experiment.
    """
    if one is None or one.design is not None:
        return pd.DataFrame(columns=["day", "on", "arm", "difference", "low", "high", "fixed_low", "fixed_high"])
    metric = next((known.source for known in one.metrics if known.source in ORDER_METRICS), "orders")
    looks = daily_looks(one.people, orders, metric, as_of=as_of, days=one.days, returns=returns)
    path = sequence(looks, control=one.control, alpha=alpha)
    return path[path["enough"] & (path["arm"] == _arm(one))].reset_index(drop=True)


def by_history(one: Reviewed | None, orders: ir.Table, *, alpha: float = 0.05) -> Segments | None:
    """The effect on the first metric, by what customers had bought before they were assigned."""
    if one is None or not one.metrics or one.design is not None:
        return None
    known = orders_before(one.people, orders).select("customer_id", "segment")
    table = one.tables[one.metrics[0].source].inner_join(known, "customer_id")
    return by_segment(table, metric=one.metrics[0].name, control=one.control, arm=_arm(one), alpha=alpha)


def targeting(
    one: Reviewed | None, orders: ir.Table, *, frame: Callable[[ir.Table], pd.DataFrame], rng: np.random.Generator
) -> Uplift | None:
    """Whom to treat, learned from the first metric of a readable experiment.

    Args:
        frame: brings a table of customers into pandas (`run.frame`).
    """
    if one is None or one.main is None or one.design is not None or one.verdict.code == "refuse":
        return None
    table = one.tables[one.metrics[0].source]
    table = table.filter(table.arm.isin([one.control, _arm(one)]))
    known = table.select("customer_id", "arm", "value").inner_join(features(one.people, orders), "customer_id")
    rows = frame(known.order_by("customer_id"))
    return judge_uplift(rows, treated=(rows["arm"] != one.control).to_numpy(), rng=rng)


def _arm(one: Reviewed) -> str:
    """The arm of the verdict, else the first that is not control."""
    return one.verdict.arm or next((arm for arm in one.arms if arm != one.control), one.control)
