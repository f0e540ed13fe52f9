"""What every trial of a prediction says: its measures, how to read them, and whether a model earns its place."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from workbook.output import i18n
from workbook.output.i18n import _
from workbook.scoring import Verdict

SHARES = {"top_share"}  # measures whose differences are percentage points
DIGITS = {"gini": 3, "auc": 3, "average_precision": 3, "brier": 4, "log_loss": 4, "top_lift": 2}


def measure_name(measure: str) -> str:
    """A measure for people, as the head of a column."""
    return {
        "bias": _("Total bias"),
        "rmse": _("RMSE"),
        "gini": _("Normalised Gini"),
        "top_share": _("Caught by the first tenth"),
        "auc": _("AUC"),
        "average_precision": _("Average precision"),
        "brier": _("Brier score"),
        "log_loss": _("Log loss"),
        "top_lift": _("Lift of the first tenth"),
    }[measure]


def reading(measure: str) -> str:
    """How to read a measure: one sentence."""
    return {
        "bias": _("Total bias: by how much the forecasts add up to more (+) or less (−) than what came."),
        "rmse": _("RMSE: root of the mean squared miss per customer; heavy buyers weigh most; less is better."),
        "gini": _("Normalised Gini: 1 puts customers in the order of what they bought, 0 is no better than drawing "
                  "lots."),
        "top_share": _("Caught by the first tenth: what the customers with the highest forecasts brought, of all."),
        "auc": _("AUC: the chance that one to whom it happened ranks above one to whom it did not; 0.5 is drawing "
                 "lots."),
        "average_precision": _("Average precision: the mean hit rate of lists of growing length; drawing lots gives "
                               "the share to whom it happened."),
        "brier": _("Brier score: mean squared distance of the probability from what happened; less is better."),
        "log_loss": _("Log loss: punishes being sure and wrong; less is better."),
        "top_lift": _("Lift of the first tenth: how many times the average rate the customers ranked first have."),
    }[measure]


def rows(judged: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Judged predictions with a column `name` for people; a blank stays where a measure does not apply."""
    return judged.assign(name=judged.iloc[:, 0].map(lambda code: names.get(code, code)))


def columns(judged: pd.DataFrame) -> dict[str, tuple[str, str]]:
    """Headings of a table of `rows`: the measures that the trial has."""
    kinds = {"bias": "change", "rmse": "number", "top_share": "percent", "top_lift": "number"}
    own = {m: (measure_name(m), kinds.get(m, "decimal")) for m in ("bias", "rmse", "top_share", *DIGITS) if m in judged}
    return {"name": (_("Prediction"), "text"), **own}


def verdict(v: Verdict, names: Mapping[str, str]) -> str:
    """Whether the model earns its place beside the best naive rival.

    Args:
        names: rival → its name for people.
    """
    if v.code == "too_few":
        return _("Too little happened to the {n} customers in the test period: whether the model earns its place "
                 "cannot be told.").format(n=i18n.number(v.n))
    text = {
        "earns": _("**The model earns its place:** its {measure} is better than that of the best naive rival, "
                   "“{rival}”, by {lead} (between {low} and {high})."),
        "ties": _("**The model does not earn its place:** by {measure} it cannot be told from the best naive rival, "
                  "“{rival}” (lead {lead}, between {low} and {high}). The simple rule will do."),
        "loses": _("**The model does not earn its place:** by {measure} the naive rival “{rival}” is better (lead of "
                   "the model {lead}, between {low} and {high})."),
    }[v.code]
    return text.format(
        measure=measure_name(v.measure), rival=names.get(v.rival, v.rival), lead=difference(v.lead, v.measure),
        low=difference(v.low, v.measure), high=difference(v.high, v.measure),
    )  # fmt: skip


def difference(x: float, measure: str) -> str:
    """A difference between two values of a measure; of shares in percentage points."""
    if measure in SHARES:
        return _("{points} points").format(points=i18n.number(100 * x, 1))
    return i18n.number(x, DIGITS.get(measure))
