"""What an experiment in this shop would need: customers, days, and the smallest effect that it could see.

The shop's own means and variances (`power.baselines`) and its own flow of customers (`power.traffic`) go in; one row a
metric comes out:

| column | unit | meaning |
|---|---|---|
| metric, kind | | as in `baselines` |
| per_arm, per_arm_cuped | customers | needed in each of two arms; the same with CUPED |
| days_total | days | until the result: enrolment and window; blank when longer than was looked back |
| smallest | share | the smallest relative effect that the enrolment of `days` days would show |
| smallest_all | share | the same when all who have bought take part at once, as when they are written to |
"""

from __future__ import annotations

import math

import pandas as pd

from workbook.ab_testing.power import Baseline, detectable_curve, duration, minimum_detectable, sample_size

FEWEST = 30  # customers on whom a variance may rest
COLUMNS = ["metric", "kind", "mean", "sd", "correlation", "customers", "per_arm", "per_arm_cuped", "days_total",
           "smallest", "smallest_all"]  # fmt: skip


def is_plannable(baseline: Baseline) -> bool:
    """Whether there are enough customers, and the metric varies at all."""
    return baseline.customers >= FEWEST and baseline.variance > 0 and baseline.mean > 0


def plannable(baselines: pd.DataFrame) -> dict[str, Baseline]:
    """The metrics that can be planned with, by name."""
    rows = [Baseline(**row) for row in baselines.to_dict("records")]
    return {row.metric: row for row in rows if is_plannable(row)}


def plans(
    baselines: pd.DataFrame, traffic: pd.DataFrame, *, relative: float, days: int = 28, power: float = 0.8,
    alpha: float = 0.05,
) -> pd.DataFrame:  # fmt: skip
    """One row a metric that can be planned with."""
    per_arm = float(traffic.loc[traffic["day"] <= days, "customers"].max()) / 2 if len(traffic) else 0.0
    rows = []
    for name, base in plannable(baselines).items():
        needed = sample_size(base, relative=relative, power=power, alpha=alpha)
        has_past = not math.isnan(base.correlation)
        rows.append({
            "metric": name, "kind": base.kind, "mean": base.mean, "sd": math.sqrt(base.variance),
            "correlation": base.correlation, "customers": base.customers, "per_arm": needed,
            "per_arm_cuped": sample_size(base, relative=relative, power=power, alpha=alpha, cuped=True)
            if has_past else math.nan,
            "days_total": duration(needed, traffic, days=base.days).days_total,
            "smallest": minimum_detectable(base, per_arm=per_arm, power=power, alpha=alpha).relative,
            "smallest_all": minimum_detectable(base, per_arm=base.customers / 2, power=power, alpha=alpha).relative,
        })  # fmt: skip
    return pd.DataFrame(rows, columns=COLUMNS)


def detectable_curves(
    baselines: pd.DataFrame, traffic: pd.DataFrame, *, power: float = 0.8, alpha: float = 0.05, step: int = 7
) -> pd.DataFrame:
    """The smallest relative effect on each metric by days of enrolment, two arms: day, and a column a metric."""
    weekly = traffic[traffic["day"] % step == 0]
    found = pd.DataFrame({"day": weekly["day"].to_numpy()})
    for name, base in plannable(baselines).items():
        curve = detectable_curve(base, weekly, power=power, alpha=alpha)
        found[name] = curve["relative"].to_numpy()
    return found.dropna(how="all", subset=found.columns.difference(["day"])).reset_index(drop=True)
