"""What 07 keeps of the registered decisions: the table `settlements`, rows of `experiments`, and named results.

`settlements` has one row a decision: decision_id, owner, action, channel, list_kind, metric, starts_on, ends_on,
days (of the window that are over), status (running, settled, cancelled, refused), verdict, reasons, treated, control,
effect, low, high (currency a treated customer, before the cost), revenue and margin (the same, each with its interval),
cost, total, total_low, total_high (currency, after the cost), chance_paid, forecast_effect, forecast_low,
forecast_high, inside (forecast and outcome agree), contaminated (of the control, who were contacted), coded (of the
control, who ordered with the offer's code), coded_orders, coded_revenue (currency), not_contacted, both_arms, gone,
households (compared), plain_low, plain_high (the interval if customers had been drawn one by one), settled_on.
Whatever is not known is blank.

| finding | unit | meaning |
|---|---|---|
| decisions_registered, decisions_running, decisions_cancelled | number | known at the report date; window not over |
| decisions_settled, decisions_settled_now | number | window over and judged; of these, ended in this period |
| decisions_earned, decisions_lost, decisions_undecided | number | verdicts of these |
| decisions_unjudged | number | window over, without a fair control |
| programme_revenue, programme_margin | money | incremental, before the cost of the actions; randomised |
| programme_earned, programme_earned_now | money | after it; randomised |
| programme_cost, programme_cost_unjudged | money | of what is settled; of what cannot be judged |
| decisions_forecast_inside | share | of forecasts that agree with the outcome |
| decisions_forecast_ratio | number | outcome / forecast, all together |
| control_contacted, control_used_code, treated_not_contacted | customers | what breaks it, in all windows begun |
| control_code_revenue | money | of the orders that the control placed with an offer's code |
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from workbook.ab_testing.effects import Effect
from workbook.ab_testing.many import correct
from workbook.ab_testing.programme import Calibration, Programme, Sum, agrees
from workbook.ab_testing.record import RECORD
from workbook.ab_testing.settlement import Settlement
from workbook.data.findings import Figure
from workbook.decisions import Decision

_TEXT = ("decision_id", "owner", "action", "channel", "list_kind", "metric", "status", "verdict", "reasons")
_DATES = ("starts_on", "ends_on", "settled_on")
_COUNTS = ("days", "treated", "control", "contaminated", "coded", "coded_orders", "not_contacted", "both_arms", "gone",
           "households")
_ENDS = ("", "_low", "_high")
SETTLEMENTS = [
    "decision_id", "owner", "action", "channel", "list_kind", "metric", "starts_on", "ends_on", "days", "status",
    "verdict", "reasons", "treated", "control", "effect", "low", "high",
    *[f"{name}{end}" for name in ("revenue", "margin") for end in _ENDS], "cost", "total", "total_low", "total_high",
    "chance_paid", "forecast_effect", "forecast_low", "forecast_high", "inside", "contaminated", "coded",
    "coded_orders", "coded_revenue", "not_contacted", "both_arms", "gone", "households", "plain_low", "plain_high",
    "settled_on",
]  # fmt: skip


def settlements_table(settlements: Sequence[Settlement]) -> pa.Table:
    """One row a decision, with the types of the store."""
    rows = pd.DataFrame([_row(one) for one in settlements], columns=SETTLEMENTS).astype(object)
    kinds = {"inside": pa.bool_()} | dict.fromkeys(_TEXT, pa.string()) | dict.fromkeys(_DATES, pa.date32())
    kinds |= dict.fromkeys(_COUNTS, pa.int64())
    schema = pa.schema([(name, kinds.get(name, pa.float64())) for name in SETTLEMENTS])
    return pa.Table.from_pandas(rows, schema=schema, preserve_index=False)


def _row(one: Settlement) -> dict[str, Any]:
    decision, found, forecast = one.decision, one.integrity, one.decision.forecast
    return {
        **{name: getattr(decision, name) for name in ("owner", "action", "channel", "list_kind", "metric", "starts_on",
                                                      "ends_on")},
        "decision_id": decision.id, "days": one.days, "status": one.status, "verdict": one.verdict,
        "reasons": " ".join(one.reasons), "treated": one.treated, "control": one.control,
        **_ends("", one.main, first="effect"), **_ends("revenue", one.revenue), **_ends("margin", one.margin),
        "cost": one.cost, **dict(zip(("total", "total_low", "total_high"), map(_blank, one.earned), strict=True)),
        "chance_paid": _blank(one.chance_paid), "forecast_effect": forecast.effect, "forecast_low": forecast.low,
        "forecast_high": forecast.high, "inside": agrees(one) if one.status == "settled" else None,
        "contaminated": found and found.control_contacted, "not_contacted": found and found.not_contacted,
        "coded": found and found.control_coded, "coded_orders": found and found.coded_orders,
        "coded_revenue": found and found.coded_revenue, "households": one.households or None,
        "plain_low": _blank(one.plain.low) if one.plain else None,
        "plain_high": _blank(one.plain.high) if one.plain else None,
        "both_arms": found and found.both_arms, "gone": found and found.gone,
        "settled_on": decision.ends_on if one.status in ("settled", "refused") else None,
    }  # fmt: skip


def _ends(name: str, found: Effect | None, *, first: str = "") -> dict[str, float | None]:
    """An effect and its interval under the columns of one name."""
    columns = [first or name, *(f"{name}{end}" if name else end.removeprefix("_") for end in _ENDS[1:])]
    values = (found.difference, found.low, found.high) if found else (math.nan,) * 3
    return dict(zip(columns, map(_blank, values), strict=True))


def _blank(value: float) -> float | None:
    return None if math.isnan(value) else value


def of_others(table: ir.Table | None, column: str, registered: Sequence[Decision]) -> ir.Table | None:
    """The rows that belong to no registered decision, so that none is judged twice: here, and by what was imported."""
    if table is None or not registered:
        return table
    mine = table[column].isin([one.id for one in registered])
    return table.filter(~mine.coalesce(False))


def beside(record: pd.DataFrame, settlements: Sequence[Settlement]) -> pd.DataFrame:
    """The record of experiments with the decisions whose window is over: one list of everything randomised."""
    parts = [part for part in (record, as_experiments(settlements)) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else record


def as_experiments(settlements: Sequence[Settlement]) -> pd.DataFrame:
    """The decisions whose window is over as rows of `record`: experiments whose arms the register drew."""
    rows = []
    for one in settlements:
        found = [effect for effect in (one.margin, one.revenue) if effect is not None]
        if one.status in ("settled", "refused") and found:
            adjusted = correct({effect.metric: effect.p_value for effect in found})["adjusted"]
            rows += [_experiment(one, *pair) for pair in zip(found, adjusted, strict=True)]
    return pd.DataFrame(rows, columns=RECORD)


def _experiment(one: Settlement, found: Effect, adjusted_p: float) -> dict[str, Any]:
    known = {name: getattr(found, name) for name in ("metric", "n_control", "n", "control", "treatment", "difference",
                                                     "low", "high", "p_value", "relative", "relative_low",
                                                     "relative_high")}  # fmt: skip
    return dict.fromkeys(RECORD, math.nan) | known | {
        "experiment_id": one.decision.id, "phase": "finished", "started_on": one.decision.starts_on,
        "ended_on": one.decision.ends_on, "days": one.decision.horizon_days, "kind": "mean",
        "is_first": found is one.main, "arm": found.arm, "adjusted_p": adjusted_p,
        "verdict": "refuse" if one.status == "refused" else one.verdict, "evidence": "randomised",
    }  # fmt: skip


def programme_figures(found: Programme, settlements: Sequence[Settlement]) -> list[Figure]:
    """The account of decisions, named."""
    why = "none" if not settlements else "cannot_be_judged" if found.unjudged else "not_over"
    now = why if not found.settled else "none_ended"
    verdicts = [one.verdict for one in found.settled]
    return [
        Figure("decisions_registered", len(settlements), "number"),
        Figure("decisions_running", len(found.running), "number"),
        Figure("decisions_cancelled", len(found.cancelled), "number"),
        Figure("decisions_settled", len(found.settled), "number"),
        Figure("decisions_settled_now", len(found.now), "number"),
        Figure("decisions_earned", verdicts.count("earned"), "number"),
        Figure("decisions_lost", verdicts.count("lost"), "number"),
        Figure("decisions_undecided", verdicts.count("not_distinguishable"), "number"),
        Figure("decisions_unjudged", len(found.unjudged), "number"),
        _money("programme_revenue", found.revenue, why),
        _money("programme_margin", found.margin, "no_cost" if found.settled else why),
        _money("programme_earned", found.earned, why),
        _money("programme_earned_now", found.earned_now, now),
        Figure("programme_cost", found.cost, "money", n=sum(one.treated for one in found.settled)),
        Figure("programme_cost_unjudged", sum((one.cost for one in found.unjudged), 0.0), "money"),
        *_forecasts(found.calibration),
        *_broken(settlements),
    ]


def _money(name: str, found: Sum, reason: str) -> Figure:
    if math.isnan(found.value):
        return Figure(name, None, "money", reason=reason)
    return Figure(name, found.value, "money", found.low, found.high, found.n, evidence="randomised")


def _forecasts(found: Calibration) -> list[Figure]:
    """How good the forecasts were; from too few there is no figure."""
    names = (("decisions_forecast_inside", "share"), ("decisions_forecast_ratio", "number"))
    if found.code != "ok":
        return [Figure(name, None, unit, n=found.forecasts, reason="too_few" if found.forecasts else "none")
                for name, unit in names]
    inside = Figure("decisions_forecast_inside", found.share, "share", found.share_low, found.share_high,
                    found.forecasts)
    if math.isnan(found.ratio):
        return [inside, Figure("decisions_forecast_ratio", None, "number", n=found.forecasts, reason="none")]
    return [inside, Figure("decisions_forecast_ratio", found.ratio, "number", found.ratio_low, found.ratio_high,
                           found.forecasts)]


def _broken(settlements: Sequence[Settlement]) -> list[Figure]:
    """What breaks the comparison, over all windows that have begun."""
    begun = [one.integrity for one in settlements if one.integrity is not None]
    reason = "not_recorded" if settlements else "none"
    fields = {"control_contacted": ("control_contacted", "customers"),
              "treated_not_contacted": ("not_contacted", "customers"),
              "control_used_code": ("control_coded", "customers"), "control_code_revenue": ("coded_revenue", "money")}
    figures = []
    for name, (field, unit) in fields.items():
        told = [value for one in begun if (value := getattr(one, field)) is not None]
        figures.append(Figure(name, sum(told), unit) if told else Figure(name, None, unit, reason=reason))
    return figures
