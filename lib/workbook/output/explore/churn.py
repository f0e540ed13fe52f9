"""Explorer of 08_churn: what a contact and an offer cost, whom they save, how long the list is → what it earns."""

from __future__ import annotations

from typing import Any

import ipywidgets
import numpy as np
import pandas as pd

from workbook import churn
from workbook.churn import Money, Terms
from workbook.output import charts, i18n, page
from workbook.output.explore.panel import WIDE, panel
from workbook.output.explore.selection import Watching
from workbook.output.i18n import _
from workbook.scoring import wilson


def profit(
    found: Money, today: np.ndarray, *, list_share: float = 0.2, judged_ids: pd.Series | None = None,
    today_ids: pd.Series | None = None, selection: Watching | None = None,
) -> Any:  # fmt: skip
    """Sliders for costs, save rate and length of the list; in a report, the picture at the declared costs.

    Args:
        found: the trial on the window that judges.
        today: today's values at risk, for the size of the list.
        judged_ids, today_ids: whose rows these are; needed with `selection`, the customers to show alone.
    """
    if not page.interactive() or not len(found.happened):
        return picture(found.curve, found.by_risk, list_share)

    def draw(contact_cost: float, offer_cost: float, save_rate: float, share: float) -> list[Any]:
        terms = Terms(contact_cost, offer_cost, save_rate)
        trial, now = found, today
        if selection is not None:
            trial, now = _among(found, selection.inside(judged_ids)), today[selection.inside(today_ids).to_numpy()]
        if not len(trial.happened):
            return [page.say(_("None of these customers was in the trial: there is nothing to learn from."))]
        by_value, by_risk = (
            churn.profit_curve(ranking, trial.happened, trial.value, terms, points=200)
            for ranking in (trial.stake, trial.probabilities))
        rows = lists(by_value, now, share)
        return [page.say(sentence(rows)), table(rows), picture(by_value, by_risk, share)]

    return panel(draw, _controls(found.terms, list_share), height=820, selection=selection)


def _among(found: Money, inside: pd.Series) -> Money:
    """The trial on some of its customers."""
    kept = inside.to_numpy()
    return found._replace(stake=found.stake[kept], probabilities=found.probabilities[kept],
                          happened=found.happened[kept], value=found.value[kept])  # fmt: skip


def _controls(terms: Terms, list_share: float) -> dict[str, Any]:
    shared = {"continuous_update": False, "style": WIDE, "layout": ipywidgets.Layout(width="34em")}
    most = max(20.0, 4 * max(terms.contact_cost, terms.offer_cost))
    cost = {"min": 0, "max": most, "step": most / 80, "readout_format": ".2f", **shared}
    return {
        "contact_cost": ipywidgets.FloatSlider(value=terms.contact_cost, description=_("Cost of a contact"), **cost),
        "offer_cost": ipywidgets.FloatSlider(value=terms.offer_cost, description=_("Cost of an offer taken"), **cost),
        "save_rate": ipywidgets.FloatSlider(
            value=terms.save_rate, min=0, max=0.5, step=0.01, readout_format=".0%",
            description=_("Share of leavers saved"), **shared),
        "share": ipywidgets.FloatSlider(
            value=list_share, min=0.02, max=1, step=0.02, readout_format=".0%", description=_("Length of the list"),
            **shared),
    }  # fmt: skip


def lists(curve: pd.DataFrame, today: np.ndarray, share: float) -> pd.DataFrame:
    """The list of this length and the one that would have earned most.

    Returns:
        name, share, threshold, today (customers at or above it now), precision, low, high, profit.
    """
    rows = []
    full = curve[curve["customers"] > 0]
    own = full.loc[(full["share"] - share).abs().idxmin()]
    best = curve.loc[curve["profit"].idxmax()]
    for name, row in ((_("Your list"), own), (_("The list that earned most"), best)):
        precision = wilson(int(row["leavers"]), int(row["customers"]))
        listed = int((today >= row["threshold"]).sum()) if row["customers"] else 0
        rows.append({"name": name, "share": row["share"], "threshold": row["threshold"], "today": listed,
                     "precision": precision.value, "low": precision.low, "high": precision.high,
                     "profit": row["profit"]})
    return pd.DataFrame(rows)


def sentence(rows: pd.DataFrame) -> str:
    """What the list of the moment holds, and what would have been better."""
    own, best = rows.iloc[0], rows.iloc[1]
    if best["profit"] <= 0:
        return _("At these costs **no list earns anything**: what is saved does not pay for what is spent.")
    return _("Today this list holds **{today} customers**; {precision} of such a list left. It would have earned "
             "{profit}; the best length {best}.").format(
        today=i18n.number(own["today"]), precision=i18n.percent(own["precision"]), profit=i18n.money(own["profit"]),
        best=i18n.money(best["profit"]))


def table(rows: pd.DataFrame) -> page.Fragment:
    return page.table(rows, columns={
        "name": _("List"), "share": (_("Length"), "percent"), "threshold": (_("At risk from"), "money"),
        "today": (_("Customers today"), "number"), "precision": (_("Leave, of the list"), "percent"),
        "profit": (_("Profit in the trial"), "money"),
    })  # fmt: skip


def picture(by_value: pd.DataFrame, by_risk: pd.DataFrame, list_share: float) -> Any:
    """Profit by length of the list in two orders, with the best length and the list of the moment."""
    title = _("Profit by length of the list, in the third window")
    if not len(by_value):
        return charts.bands(by_value, x="share", y="profit", group="group", title=title)
    best = float(by_value.loc[by_value["profit"].idxmax(), "share"])
    marks = {best: _("earned most")}
    if abs(best - list_share) > 0.06:
        marks[list_share] = _("your list")
    drawn = pd.concat([by_value.assign(group=_("most value at risk first")),
                       by_risk.assign(group=_("highest risk first"))])
    return charts.bands(
        drawn, x="share", y="profit", group="group", title=title, xlabel=_("share of the active customers contacted"),
        ylabel=_("profit"), unit="money", x_unit="share", reference=0.0, reference_name="", marks=marks)
