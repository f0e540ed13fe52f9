"""Explorer of 04_rfm: bins, weights and cuts by slider over segments, a list and who has which scores."""

from __future__ import annotations

from typing import Any

import ibis.expr.types as ir
import ipywidgets

from workbook.data.run import Run
from workbook.output import charts, i18n, page
from workbook.output.explore.heat import Heat, Picked
from workbook.output.explore.panel import WIDE, panel
from workbook.output.explore.selection import Watching
from workbook.output.i18n import _
from workbook.output.words import rfm as words
from workbook.rfm import Thresholds, WhatIf, cell_filter, what_if


def scores(
    run: Run, people: ir.Table, *, edges: Thresholds, list_share: float = 0.2, selection: Watching | None = None
) -> Any:
    """Sliders for bins, weights and cuts over segments and a list; in a report, the picture of the rule in force.

    Args:
        people: the kept table `rfm`; people without a purchase are left out.
        edges: the cuts in force, where the sliders of own cuts begin.
        selection: customers to show alone, scored by the cuts of everybody; a click on a cell of the scores chooses
            its customers.
    """
    buyers = people.filter(people.purchase_days > 0).cache()
    if not page.interactive():
        return picture(what_if(buyers, list_share=list_share))

    def draw(
        n_bins: int, weight_r: float, weight_f: float, weight_m: float, share: float, own: bool,
        recency_days: tuple[float, float], frequency: tuple[float, float], monetary: tuple[float, float],
    ) -> list[Any]:  # fmt: skip
        cuts = {"recency_days": recency_days, "frequency": frequency, "monetary": monetary} if own else None
        shown = buyers if selection is None else selection.of(buyers)
        tried = what_if(shown, n_bins=n_bins, cuts=cuts, weights=(weight_r, weight_f, weight_m), list_share=share,
                        cut_by=buyers)  # fmt: skip
        if selection is None:
            return [page.say(sentence(tried, share)), sizes(tried), picture(tried)]
        cells.tried = tried
        return [page.say(sentence(tried, share)), sizes(tried), cells.table()]

    cells = None if selection is None else Cells(selection)
    beside = [] if cells is None else [cells.picked.widget]
    return panel(draw, _controls(edges, list_share), height=900, beside=beside, selection=selection)


class Cells:
    """Customers by recency score and frequency score; those of a cell are chosen by a click on it."""

    def __init__(self, selection: Watching) -> None:
        self.selection, self.tried = selection, None
        self.picked = Picked(self.choose)

    def table(self) -> page.Fragment:
        """The cells of the rule of the moment."""
        grid = self.tried.grid
        rows = [_("recency {score}").format(score=score) for score in grid.index]
        columns = [_("frequency {score}").format(score=score) for score in grid.columns]
        table = Heat(grid, rows=rows, columns=columns, shown=i18n.number, sink=self.picked.sink)
        title = _("Customers by recency score and frequency score")
        note = _("Scores rise from 1. Click a number to look at these customers in every view.")
        return page.Fragment(table.html(title, "", note), f"{title}\n{grid}")

    def choose(self, row: int | None, column: int | None) -> None:
        """Look at the customers of the cell at this place, in all views."""
        grid = self.tried.grid
        if row is None or column is None or row >= len(grid.index) or column >= len(grid.columns):
            return  # of a table that has changed meanwhile
        r, f = int(grid.index[row]), int(grid.columns[column])
        self.selection.choose(cell_filter(self.tried.edges, r=r, f=f),
                              _("recency score {r}, frequency score {f}").format(r=r, f=f))  # fmt: skip


def _controls(edges: Thresholds, list_share: float) -> dict[str, Any]:
    """The sliders by the name of the argument that they move."""
    shared = {"continuous_update": False, "style": WIDE, "layout": ipywidgets.Layout(width="34em")}
    weights = {
        f"weight_{score}": ipywidgets.FloatSlider(
            value=1, min=0, max=5, step=0.5, readout_format=".1f",
            description=_("Weight of {measure}").format(measure=words.measure_name(measure)), **shared)
        for measure, score in (("recency_days", "r"), ("frequency", "f"), ("monetary", "m"))
    }  # fmt: skip
    cuts = {
        measure: ipywidgets.FloatRangeSlider(
            value=(values[0], max(values[-1], values[0] + 1)), min=0, max=max(2 * values[-1], values[0] + 2),
            step=1, readout_format=".0f",
            description=_("Cuts: {measure}").format(measure=words.measure_name(measure)), **shared)
        for measure, values in edges._asdict().items()
    }  # fmt: skip
    return {
        "n_bins": ipywidgets.IntSlider(value=5, min=2, max=10, description=_("Bins per measure"), **shared),
        **weights,
        "share": ipywidgets.FloatSlider(
            value=list_share, min=0.05, max=0.5, step=0.05, readout_format=".0%", description=_("Length of the list"),
            **shared,
        ),
        "own": ipywidgets.Checkbox(value=False, description=_("Use the cuts below instead of bins"), indent=False),
        **cuts,
    }


def sentence(tried: WhatIf, share: float) -> str:
    """What the list of the moment holds."""
    if not tried.listed:
        return _("Nobody has bought yet: there is nothing to score.")
    return _("The first {share} by score are **{customers} customers**; they brought **{revenue}** of the net revenue "
             "of twelve months.").format(share=i18n.percent(share, 0), customers=i18n.number(round(tried.listed)),
                                         revenue=i18n.percent(tried.listed_revenue_share))


def sizes(tried: WhatIf) -> page.Fragment:
    """The segments by the rule of the moment."""
    rows = tried.segments.assign(name=[words.segment_name(code) for code in tried.segments["segment"]])
    return page.table(rows, columns={
        "name": _("Segment"), "customers": (_("Customers"), "number"),
        "customer_share": (_("Share of customers"), "percent"), "revenue_share": (_("Share of revenue"), "percent"),
        "listed": (_("On the list"), "number"),
    })  # fmt: skip


def picture(tried: WhatIf) -> Any:
    """Customers by recency and frequency score, by the rule of the moment; hatched: nobody."""
    return charts.heat(tried.grid, unit="customers", title=_("Customers by recency score and frequency score"),
                       xlabel=_("frequency score"), ylabel=_("recency score"))
