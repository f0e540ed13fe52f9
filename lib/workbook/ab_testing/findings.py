"""The named results of 07_ab_testing.

| finding | unit | meaning |
|---|---|---|
| experiments_known, experiments_running | number | experiments that had begun by the report date; not yet over |
| experiments_judged | number | finished ones that may be read |
| experiments_refused | number | those whose assignment is faulty, so that no figure is read |
| experiments_shipped, experiments_stopped | number | verdicts |
| best_experiment_lift | share | relative lift of the one to keep with the surest effect; randomised |
| worth_a_year | money | of all experiments to keep: shrunk, decayed; randomised, times assumed margin and decay |
| worth_a_year_naive | money | the same multiplied out |
| campaigns_judged | number | campaigns without a random draw of which an effect is stated |
| campaign_effect, campaign_effect_spend | share, money | of being written to, over these; matched |
| campaign_placebo | share | the same comparison before the campaigns; matched |
| campaign_naive_difference | share | who opened or clicked beside all others; observed |
| campaign_naive_before | share | the same people before the campaigns; observed |
| needed_per_arm, needed_per_arm_cuped | customers | for the effect that planning starts from, on the first metric |
| minimum_detectable_effect | share | smallest relative effect when all who have bought take part; assumed |

A result that rests on too little has no value and the reason `too_few`; without experiments or messages the reason is
`not_recorded`; where no experiment is to be kept, `none`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from workbook.ab_testing.effects import Effect
from workbook.ab_testing.matching import Difference
from workbook.ab_testing.review import Reviewed
from workbook.ab_testing.unrandomised import CLAIMS, JudgedCampaign, together
from workbook.ab_testing.verdict import Worth
from workbook.data.findings import Evidence, Figure


def experiment_figures(reviewed: Sequence[Reviewed], worth: Mapping[str, Worth]) -> list[Figure]:
    """Counts of verdicts, the surest lift, and what is kept is worth."""
    codes = [one.verdict.code for one in reviewed]
    running = sum(one.phase == "running" for one in reviewed)
    judged = sum(one.phase == "finished" and one.main is not None and one.verdict.code != "refuse" for one in reviewed)
    return [
        Figure("experiments_known", len(reviewed), "number"),
        Figure("experiments_running", running, "number"),
        Figure("experiments_judged", judged, "number"),
        Figure("experiments_refused", codes.count("refuse"), "number"),
        Figure("experiments_shipped", codes.count("ship"), "number"),
        Figure("experiments_stopped", codes.count("stop"), "number"),
        _best_lift(reviewed),
        *_worth(reviewed, worth),
    ]


def _best_lift(reviewed: Sequence[Reviewed]) -> Figure:
    """Of the experiments to keep the one with the smallest p-value: the largest effect is often the luckiest."""
    name = "best_experiment_lift"
    kept = [one.main for one in reviewed if one.verdict.code == "ship" and one.main and _known(one.main)]
    if not kept:
        return Figure(name, None, "share", reason=_why_none(reviewed))
    best = min(kept, key=lambda effect: effect.p_value)
    return Figure(name, best.relative, "share", best.relative_low, best.relative_high, best.n + best.n_control,
                  evidence="randomised")


def _known(effect: Effect) -> bool:
    return not math.isnan(effect.relative) and not math.isnan(effect.relative_low)


def _why_none(reviewed: Sequence[Reviewed]) -> str:
    return "none" if reviewed else "not_recorded"


def _worth(reviewed: Sequence[Reviewed], worth: Mapping[str, Worth]) -> list[Figure]:
    """The sum over the experiments to keep; their errors are independent, so half widths add as squares."""
    found = [one for one in worth.values() if not math.isnan(one.value)]
    if not found:
        return [Figure(name, None, "money", reason=_why_none(reviewed))
                for name in ("worth_a_year", "worth_a_year_naive")]
    value, half = sum(one.value for one in found), math.hypot(*[(one.high - one.low) / 2 for one in found])
    return [
        Figure("worth_a_year", value, "money", value - half, value + half, evidence="randomised"),
        Figure("worth_a_year_naive", sum(one.naive for one in found), "money", evidence="assumed"),
    ]


def campaign_figures(tested: Sequence[JudgedCampaign]) -> list[Figure]:
    """What being written to did, matched; and what naive comparisons say."""
    stated = sum(one.code in CLAIMS for one in tested)
    compared: list[tuple[str, str, str, Evidence]] = [
        ("campaign_effect", "bought", "share", "matched"),
        ("campaign_effect_spend", "spend", "money", "matched"),
        ("campaign_placebo", "placebo", "share", "matched"),
        ("campaign_naive_difference", "answered", "share", "observed"),
        ("campaign_naive_before", "answered_before", "share", "observed"),
    ]
    reason = "too_few" if tested else "not_recorded"
    figures = [Figure("campaigns_judged", stated, "number")]
    for name, comparison, unit, evidence in compared:
        figures.append(_difference(name, together(tested, comparison), unit, evidence, reason))
    return figures


def _difference(name: str, found: Difference, unit: str, evidence: Evidence, reason: str) -> Figure:
    if math.isnan(found.value):
        return Figure(name, None, unit, reason=reason)
    return Figure(name, found.value, unit, found.low, found.high, found.treated, evidence=evidence)


def planning_figures(plans: pd.DataFrame, *, metric: str) -> list[Figure]:
    """What the first metric needs; of the first that can be planned with where the shop's own cannot."""
    rows = pd.concat([plans[plans["metric"] == metric], plans])
    row = rows.iloc[0] if len(rows) else {}
    units = {"needed_per_arm": ("per_arm", "customers"), "needed_per_arm_cuped": ("per_arm_cuped", "customers"),
             "minimum_detectable_effect": ("smallest_all", "share")}  # fmt: skip
    return [_planned(name, row.get(column), unit, row.get("customers")) for name, (column, unit) in units.items()]


def _planned(name: str, value: float | None, unit: str, customers: float | None) -> Figure:
    if value is None or math.isnan(value):
        return Figure(name, None, unit, reason="too_few")
    shown = math.ceil(value) if unit == "customers" else value
    return Figure(name, shown, unit, n=int(customers or 0), evidence="assumed")
