"""Explorer of 07_ab_testing: effect, power, share and days by slider → customers, days, smallest effect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd

from workbook.ab_testing import (
    Baseline,
    Duration,
    at_once,
    duration,
    minimum_detectable,
    plannable,
    power_curve,
    sample_size,
)
from workbook.output import charts, i18n, page
from workbook.output.explore.panel import WIDE, panel
from workbook.output.explore.selection import Watching
from workbook.output.i18n import _
from workbook.output.words import ab_testing as words

STEPS = 24  # points of the power curve
FARTHEST = 2.0  # relative effect at which the curve ends at the latest
ROWS = (0.5, 0.75, 1.0, 1.5, 2.0)  # sizes of the effect in the table, beside the one asked for


def planning(
    baselines: pd.DataFrame, traffic: pd.DataFrame, *, relative: float = 0.1, power: float = 0.8, alpha: float = 0.05,
    metric: str = "orders", selection: Watching | None = None,
    among: Callable[[], tuple[pd.DataFrame, pd.DataFrame]] | None = None,
) -> Any:  # fmt: skip
    """Sliders over the plan of an experiment; in a report, the picture of the plan in the parameters.

    Args:
        baselines: of `ab_testing.baselines`; without a row there is nothing to plan with, and that is said.
        traffic: of `ab_testing.traffic`.
        selection: customers with whom alone the experiment would be made; needs `among`.
        among: makes both tables of the selection of the moment.
    """
    known = plannable(baselines)
    if not known:
        return page.say(words.nothing_to_plan_with())
    first = metric if metric in known else next(iter(known))
    longest = int(traffic["day"].max())
    if not page.interactive():
        return picture(known[first], traffic, relative, power, 1.0, min(28, longest), alpha)

    def draw(relative: float, power: float, share: float, days: int, metric: str, everybody: bool) -> list[Any]:
        known_now, comers = known, traffic
        if selection is not None and selection.value.sentence and among is not None:
            baselines, comers = among()
            known_now = plannable(baselines)
        if metric not in known_now:
            return [page.say(words.nothing_to_plan_with())]
        who = at_once(known_now[metric].customers, days=longest) if everybody else comers
        plan = known_now[metric], who, relative, power, share, days, alpha
        return [page.say(sentence(*plan)), sizes(*plan), picture(*plan)]

    return panel(draw, _controls(known, first, relative, power, longest), height=760, selection=selection)


def _controls(known: dict[str, Baseline], first: str, relative: float, power: float, longest: int) -> dict[str, Any]:
    """The sliders by the name of the argument that they move."""
    shared = {"continuous_update": False, "style": WIDE, "layout": ipywidgets.Layout(width="36em")}
    return {
        "relative": ipywidgets.FloatSlider(
            value=relative, min=0.01, max=1.0, step=0.01, readout_format=".0%", description=_("Effect to be found"),
            **shared),
        "power": ipywidgets.FloatSlider(
            value=power, min=0.5, max=0.95, step=0.05, readout_format=".0%", description=_("Power"), **shared),
        "share": ipywidgets.FloatSlider(
            value=1.0, min=0.1, max=1.0, step=0.1, readout_format=".0%", description=_("Customers taking part"),
            **shared),
        "days": ipywidgets.IntSlider(
            value=min(28, longest), min=1, max=longest, description=_("Days of enrolment"), **shared),
        "metric": ipywidgets.Dropdown(
            options=[(words.metric_name(name), name) for name in known], value=first, description=_("Metric"),
            style=WIDE, layout=shared["layout"]),
        "everybody": ipywidgets.Checkbox(
            value=False, description=_("All who have bought take part from the first day on"), indent=False,
            layout=shared["layout"]),
    }  # fmt: skip


def enrolled(traffic: pd.DataFrame, share: float, days: int) -> float:
    """Customers per arm of two after so many days."""
    return float(traffic.loc[traffic["day"] <= days, "customers"].max()) * share / 2


def planned(
    baseline: Baseline, traffic: pd.DataFrame, relative: float, power: float, share: float, alpha: float
) -> Duration:
    """Customers and days for one effect."""
    size = sample_size(baseline, relative=relative, power=power, alpha=alpha)
    return duration(size, traffic, days=baseline.days, share=share)


def sentence(
    baseline: Baseline, traffic: pd.DataFrame, relative: float, power: float, share: float, days: int, alpha: float
) -> str:
    """What the plan of the moment needs and can see."""
    needed = planned(baseline, traffic, relative, power, share, alpha)
    per_arm = enrolled(traffic, share, days)
    found = minimum_detectable(baseline, per_arm=per_arm, power=power, alpha=alpha)
    return words.plan(needed, relative=relative, power=power, days=days, per_arm=per_arm, smallest=found.relative)


def sizes(
    baseline: Baseline, traffic: pd.DataFrame, relative: float, power: float, share: float, days: int, alpha: float
) -> page.Fragment:
    """What smaller and larger effects would need."""
    rows = []
    for size in (relative * factor for factor in ROWS):
        needed = planned(baseline, traffic, size, power, share, alpha)
        seen = power_curve(baseline, per_arm=max(enrolled(traffic, share, days), 2), relatives=[size], alpha=alpha)
        rows.append({"relative": size, "per_arm": np.ceil(needed.per_arm), "fill": needed.days_to_fill,
                     "total": needed.days_total, "power": seen["power"].iat[0]})
    return page.table(pd.DataFrame(rows).astype(float), columns={
        "relative": (_("Effect"), "change"), "per_arm": (_("Customers per arm"), "number"),
        "fill": (_("Days of enrolment"), "number"), "total": (_("Days until the result"), "number"),
        "power": (_("Power within the days above"), "percent"),
    })  # fmt: skip


def picture(
    baseline: Baseline, traffic: pd.DataFrame, relative: float, power: float, share: float, days: int, alpha: float
) -> Any:
    """Power over the size of the effect, as far as it is nearly sure to be seen, for the customers of so many days."""
    per_arm = max(enrolled(traffic, share, days), 2)
    sure = minimum_detectable(baseline, per_arm=per_arm, power=0.95, alpha=alpha).relative
    reach = np.linspace(0, max(2 * relative, 0.1, min(np.nan_to_num(sure), FARTHEST)), STEPS + 1)[1:]
    curve = power_curve(baseline, per_arm=per_arm, relatives=reach, alpha=alpha)
    title = _("{metric}: chance to see an effect after {days} days of enrolment").format(
        metric=words.metric_name(baseline.metric), days=i18n.number(days))
    return charts.lines(curve, x="relative", y="power", unit="share", x_unit="share", title=title, ylabel=_("power"),
                        xlabel=_("true effect, % of the mean"), marks={relative: _("effect to be found")})
