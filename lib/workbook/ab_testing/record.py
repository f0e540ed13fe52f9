"""The record of what was tried: one row an experiment, metric and arm, and one a campaign; kept as `experiments`.

Reviewed experiments and judged campaigns go in. The former carry the grade "randomised", the latter "matched". Rows of
a refused experiment are kept, but not to be read. p-values are corrected within each experiment (Holm).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
import pyarrow as pa

from workbook.ab_testing.effects import Effect
from workbook.ab_testing.many import correct
from workbook.ab_testing.review import Reviewed
from workbook.ab_testing.unrandomised import JudgedCampaign

_TEXT = ("experiment_id", "phase", "metric", "kind", "arm", "verdict", "evidence")
_DATES = ("started_on", "ended_on")
_COUNTS = ("days", "n_control", "n")


def record(reviewed: Sequence[Reviewed]) -> pd.DataFrame:
    """One row an experiment, metric and arm.

    Returns:
        experiment_id, phase, started_on, ended_on, days, metric, kind, is_first, arm, n_control, n, control, treatment,
        difference, low, high, p_value, relative, relative_low, relative_high, adjusted_p (Holm, within the
        experiment), cuped_difference, cuped_low, cuped_high, capped_difference, capped_low, capped_high, verdict,
        evidence. Rows of a refused experiment are kept: their figures are not to be read.
    """
    frames = [_rows(one) for one in reviewed if one.effects]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=RECORD)


def _rows(one: Reviewed) -> pd.DataFrame:
    kinds = {metric.name: metric for metric in one.metrics}
    names = [f"{effect.metric}/{effect.arm}" for effect in one.effects]
    adjusted = correct(dict(zip(names, [effect.p_value for effect in one.effects], strict=True)))["adjusted"]
    rows = [
        {
            "experiment_id": one.experiment_id, "phase": one.phase, "started_on": one.started_on,
            "ended_on": one.ended_on, "days": one.days, "metric": effect.metric, "kind": kinds[effect.metric].kind,
            "is_first": effect.metric == one.metrics[0].name, "arm": effect.arm, "n_control": effect.n_control,
            "n": effect.n, "control": effect.control, "treatment": effect.treatment, "difference": effect.difference,
            "low": effect.low, "high": effect.high, "p_value": effect.p_value, "relative": effect.relative,
            "relative_low": effect.relative_low, "relative_high": effect.relative_high, "adjusted_p": adjusted[place],
            **_beside("cuped", one.cuped.get(effect.metric, ()), effect.arm),
            **_beside("capped", one.winsorised[effect.metric].effects if effect.metric in one.winsorised else (),
                      effect.arm),
            "verdict": one.verdict.code, "evidence": "randomised",
        }
        for place, effect in enumerate(one.effects)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=RECORD)


def _beside(name: str, found: Sequence[Effect], arm: str) -> dict[str, float]:
    """The same effect by another method, where there is one."""
    mine = next((effect for effect in found if effect.arm == arm), None)
    parts = (mine.difference, mine.low, mine.high) if mine else (math.nan,) * 3
    return dict(zip((f"{name}_difference", f"{name}_low", f"{name}_high"), parts, strict=True))


RECORD = [
    "experiment_id", "phase", "started_on", "ended_on", "days", "metric", "kind", "is_first", "arm", "n_control", "n",
    "control", "treatment", "difference", "low", "high", "p_value", "relative", "relative_low", "relative_high",
    "adjusted_p", "cuped_difference", "cuped_low", "cuped_high", "capped_difference", "capped_low", "capped_high",
    "verdict", "evidence",
]  # fmt: skip


def kept(record: pd.DataFrame, tested: Sequence[JudgedCampaign]) -> pa.Table:
    """The rows of `record` and one a campaign, with the types of the store."""
    campaigns = pd.DataFrame([_campaign_row(one) for one in tested], columns=RECORD)
    parts = [part for part in (record, campaigns) if len(part)]
    rows = pd.concat(parts, ignore_index=True) if parts else record.astype(object)
    return pa.Table.from_pandas(rows[RECORD], schema=_schema(), preserve_index=False)


def _campaign_row(one: JudgedCampaign) -> dict:
    effect = one.bought
    known = {
        "experiment_id": one.campaign.code, "phase": "finished", "started_on": one.campaign.day,
        "ended_on": one.campaign.last_day, "days": one.campaign.days, "metric": "bought", "kind": "rate",
        "is_first": True, "arm": "written_to", "n_control": effect.control, "n": effect.treated,
        "difference": effect.value, "low": effect.low, "high": effect.high, "verdict": one.code, "evidence": "matched",
    }  # fmt: skip
    return dict.fromkeys(RECORD, math.nan) | known


def _schema() -> pa.Schema:
    kinds = {"is_first": pa.bool_()} | dict.fromkeys(_TEXT, pa.string()) | dict.fromkeys(_DATES, pa.date32())
    kinds |= dict.fromkeys(_COUNTS, pa.int64())
    return pa.schema([(name, kinds.get(name, pa.float64())) for name in RECORD])
