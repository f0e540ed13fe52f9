"""Explorer of 05_clustering: the number of groups, the way of finding them and the measures, by slider and choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets

from workbook.clustering import Fitted, Mix, Rule, WhatIf, what_if
from workbook.clustering.what_if import WAYS
from workbook.output import charts, i18n, page
from workbook.output.explore.panel import WIDE, panel
from workbook.output.explore.selection import Watching
from workbook.output.i18n import _
from workbook.output.words import clustering as words


def groups(today: Fitted, rule: Rule, *, selection: Watching | None = None) -> Any:
    """Other groups, tried and not kept; in a report, the map of the number that today's fit chooses.

    Args:
        selection: customers among whom alone groups are sought.
    """
    used = today.measures.loc[today.measures["used"], "measure"].tolist()
    start = today.choice.k or 4
    if not page.interactive():
        tried = what_if(today, rule, k=start, names=used)
        return page.say(_nothing()) if tried is None else picture(tried, today.mix)

    def draw(k: int, way: str, measures: tuple[str, ...]) -> list[Any]:
        among = today if selection is None else today._replace(
            frame=today.frame[selection.inside(today.frame["customer_id"])].reset_index(drop=True))
        tried = what_if(among, rule, k=k, names=measures, way=way)
        if tried is None:
            return [page.say(_nothing())]
        return [page.say(sentence(tried)), table(tried, today.mix), picture(tried, today.mix)]

    return panel(draw, _controls(today, used, start), height=980, selection=selection)


def _controls(today: Fitted, used: list[str], start: int) -> Mapping[str, Any]:
    shared = {"style": WIDE, "layout": ipywidgets.Layout(width="34em")}
    known = today.measures.loc[~today.measures["why"].isin(["missing", "mostly_blank", "mostly_alike"]), "measure"]
    return {
        "k": ipywidgets.IntSlider(value=start, min=2, max=10, continuous_update=False, description=_("Groups"),
                                  **shared),
        "way": ipywidgets.Dropdown(options=[(words.way_name(way), way) for way in WAYS], value="k_means",
                                   description=_("Way"), **shared),
        "measures": ipywidgets.SelectMultiple(
            options=[(words.measure_name(name, today.mix), name) for name in known], value=tuple(used),
            rows=min(10, max(len(known), 1)), description=_("Measures (Ctrl adds)"), **shared),
    }  # fmt: skip


def _nothing() -> str:
    return _("Too few customers or measures for that many groups.")


def sentence(tried: WhatIf) -> str:
    """How clear, how certain and how new the tried groups are."""
    text = _("**{n} groups**: mean silhouette {silhouette}; likeness to the groups in force {alike} (adjusted Rand)."
             ).format(n=i18n.number(len(tried.groups)), silhouette=_two(tried.silhouette), alike=_two(tried.alike))
    if tried.stability == tried.stability:
        text += words.gap() + _("The least certain group comes back with a likeness of {weakest}: {judged}.").format(
            weakest=_two(tried.stability), judged=_("do not build on it") if tried.stability < 0.6 else _("it holds"))
    if tried.unplaced_share:
        text += words.gap() + _("{share} of the customers lie in no group.").format(
            share=i18n.percent(tried.unplaced_share))
    return text


def _two(value: float) -> str:
    return i18n.number(round(value, 2)) if value == value else i18n.NOTHING


def table(tried: WhatIf, mix: Mix) -> page.Fragment:
    """The tried groups with what sets them apart."""
    rows = tried.groups.assign(name=words.tried_names(tried, mix))
    return page.table(rows, columns={
        "name": _("Group"), "customers": (_("Customers"), "number"),
        "customer_share": (_("Share of customers"), "percent"), "revenue_share": (_("Share of revenue"), "percent"),
    })  # fmt: skip


def picture(tried: WhatIf, mix: Mix) -> Any:
    """The customers in two directions, coloured by tried group."""
    names = dict(zip(tried.groups["group"], words.tried_names(tried, mix), strict=True))
    points = tried.map.points.sort_values("group", kind="stable")
    points = points.assign(name=points["group"].map(names), letter=[names[group][0] for group in points["group"]])
    return charts.cloud(
        points, x="x", y="y", group="name", mark="letter",
        arrows=words.arrows(tried.map, mix), title=_("The customers by tried group"),
        xlabel=_("first direction"), ylabel=_("second direction"))
