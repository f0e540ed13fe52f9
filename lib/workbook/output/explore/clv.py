"""The explorer of 06_clv: margin, discount, horizon and a budget by slider, over what customers are worth."""

from __future__ import annotations

from typing import Any

import ipywidgets
import pandas as pd

from workbook.clv.fits import Fit
from workbook.clv.what_if import WhatIf, what_if
from workbook.output import charts, page
from workbook.output.explore.panel import WIDE, panel
from workbook.output.explore.selection import Watching
from workbook.output.i18n import _
from workbook.output.words import clv as words


def worth(
    fit: Fit, value_fit: Fit, customers: pd.DataFrame, *, margin: float, yearly_discount: float, horizon_months: int,
    cost_each: float, selection: Watching | None = None,
) -> Any:  # fmt: skip
    """Sliders over what customers are worth and what a budget wins; in a report, the picture of the page's own terms.

    Args:
        fit, value_fit: of purchases and of their value.
        customers: the counts that the models are made from.
        cost_each: what winning one customer has cost so far; 0 where nobody knows.
        selection: customers whose value is to be shown alone; the fits stay those of everybody.
    """
    budget = default_budget(customers)

    def draw(**moved: float) -> list[Any]:
        of = customers if selection is None else customers[selection.inside(customers["customer_id"])]
        tried = what_if(fit, value_fit, of, **moved)
        return [page.say(words.budget(tried)), table(tried), picture(tried)]

    if not page.interactive():
        tried = what_if(fit, value_fit, customers, margin=margin, yearly_discount=yearly_discount,
                        horizon_months=horizon_months, budget=budget, cost_each=cost_each)  # fmt: skip
        return picture(tried)
    controls = _controls(margin, yearly_discount, horizon_months, budget, cost_each)
    return panel(draw, controls, height=820, selection=selection)


def default_budget(customers: pd.DataFrame) -> float:
    """A round sum of the order of a hundred first purchases."""
    spent = 100 * float(customers["first_value"].mean()) if len(customers) else 0.0
    return float(f"{spent:.1g}") if spent > 0 else 1000.0


def _controls(
    margin: float, yearly_discount: float, horizon_months: int, budget: float, cost_each: float
) -> dict[str, Any]:
    """The sliders by the name of the argument that they move."""
    shared = {"continuous_update": False, "style": WIDE, "layout": ipywidgets.Layout(width="34em")}
    dearest = 5 * cost_each if cost_each > 0 else budget / 10
    return {
        "margin": ipywidgets.FloatSlider(
            value=margin, min=0, max=1, step=0.01, readout_format=".0%", description=_("Margin"), **shared),
        "yearly_discount": ipywidgets.FloatSlider(
            value=yearly_discount, min=0, max=0.5, step=0.01, readout_format=".0%", description=_("Discount a year"),
            **shared),
        "horizon_months": ipywidgets.IntSlider(
            value=horizon_months, min=1, max=60, description=_("Horizon, months"), **shared),
        "budget": ipywidgets.FloatSlider(
            value=budget, min=0, max=5 * budget, step=budget / 20, readout_format=",.0f",
            description=_("Budget for new customers"), **shared),
        "cost_each": ipywidgets.FloatSlider(
            value=cost_each, min=0, max=dearest, step=dearest / 250,
            readout_format=",.2f", description=_("Cost of one new customer"), **shared),
    }  # fmt: skip


def table(tried: WhatIf) -> page.Fragment:
    """What each tenth of today's customers is worth."""
    rows = tried.tenths.assign(name=[words.group_name("tenth", n) for n in tried.tenths["tenth"]])
    return page.table(rows, columns={
        "name": _("Customers by value"), "customers": (_("Customers"), "number"),
        "each": (_("Each is worth"), "money"), "share": (_("Share of what is to come"), "percent"),
    })  # fmt: skip


def picture(tried: WhatIf) -> Any:
    """The value of a customer of each tenth."""
    return charts.columns(
        tried.tenths, x="tenth", value="each", unit="money", title=_("What a customer of each tenth is still worth"),
        xlabel=_("tenth of the customers, 1 = worth most"), ylabel=_("value per customer"))
