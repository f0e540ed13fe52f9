"""Views of 03_profiling: small charts side by side, and any two attributes against each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from workbook.output import charts, i18n, page
from workbook.output.explore.panel import WIDE, panel
from workbook.output.explore.selection import Watching
from workbook.output.i18n import _
from workbook.output.words import profiling as words
from workbook.profiling import cross

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from workbook.data.run import Run

MEASURES = ("customers", "residual", "revenue", "value")


def panels(tables: Mapping[str, pd.DataFrame], *, headings: Mapping[str, str], title: str = "", unit: str = "share",
           xlabel: str = "") -> Figure:  # fmt: skip
    """One small bar chart an attribute, two side by side.

    Args:
        tables: attribute → label, value.
        headings: attribute → what stands above its chart.
    """
    rows = [list(tables)[i : i + 2] for i in range(0, len(tables), 2)]
    heights = [1.1 + 0.3 * max(len(tables[name]) for name in row) for row in rows]
    figure = plt.figure(figsize=(charts.WIDTH, sum(heights) + 0.4), layout="constrained")
    figure.suptitle(charts.wrap(title, 68), x=0.012, ha="left", fontsize=12, color=charts.INK)
    grid = figure.add_gridspec(len(rows), 2, height_ratios=heights)
    for place, row in enumerate(rows):
        for column, name in enumerate(row):
            spot = grid[place, column] if len(row) == 2 else grid[place, :]
            ax = charts.bars(tables[name], label="label", value="value", title=headings[name], unit=unit, xlabel=xlabel,
                             ax=figure.add_subplot(spot))  # fmt: skip
            ax.xaxis.set_major_locator(MaxNLocator(3))
    plt.close(figure)
    return figure


def heat(table: cross.Cross, rows: str, columns: str, *, measure: str = "customers") -> Axes:
    """Two attributes against each other as a heat map of one measure."""
    title = words.heading(table, rows, columns)
    labels = {"xlabel": words.attribute(columns), "ylabel": words.attribute(rows)}
    frame = words.readable(getattr(table, measure), rows, columns)
    if measure == "customers":
        return charts.heat(frame, title=title, unit="customers", texts=words.marked(table, rows, columns), **labels)
    if measure == "residual":
        return charts.heat(frame, title=f"{title}: {measure_name(measure)}", centre=0.0, **labels)
    return charts.heat(frame, title=f"{title}: {measure_name(measure)}", unit="money", **labels)


def measure_name(measure: str) -> str:
    """What people call a measure of a table of two attributes."""
    return {
        "customers": _("customers"),
        "residual": _("more or fewer than expected, in standard errors"),
        "revenue": _("net revenue"),
        "value": _("net revenue per customer"),
    }[measure]


def explorer(
    run: Run, profile: ir.Table, attributes: Sequence[str], *, rows: str, columns: str,
    selection: Watching | None = None,
) -> widgets.Widget:  # fmt: skip
    """Choose two attributes and a measure; the heat map answers at once. Small cells stay hidden.

    Args:
        selection: customers to show alone.
    """
    names = [(words.attribute(name), name) for name in attributes]
    row = widgets.Dropdown(options=names, value=rows, description=_("Rows"), style=WIDE)
    column = widgets.Dropdown(options=names, value=columns, description=_("Columns"), style=WIDE)
    measures = widgets.Dropdown(options=[(measure_name(m), m) for m in MEASURES], description=_("Measure"), style=WIDE)

    def draw(rows: str, columns: str, measure: str) -> Iterator[Any]:
        if rows == columns:
            yield page.say(_("Choose two different attributes."))
            return
        shown = profile if selection is None else selection.of(profile)
        counted = run.frame(cross.cells(shown, rows, columns))
        if counted["customers"].sum() < run.settings.privacy.smallest_cell:
            yield page.say(_("Too few customers to show."))
            return
        table = cross.crosstab(counted, smallest_cell=run.settings.privacy.smallest_cell)
        yield heat(table, rows, columns, measure=measure)
        yield page.say(words.how_read(table))

    return panel(draw, {"rows": row, "columns": column, "measure": measures}, height=640, selection=selection)


def weekdays(hours: pd.DataFrame) -> Axes:
    """Orders by weekday, for records that know no time of day."""
    days = hours.groupby("weekday", as_index=False)["orders"].sum()
    table = pd.DataFrame({"day": [i18n.weekday(int(day)) for day in days["weekday"]], "orders": days["orders"]})
    return charts.columns(table, x="day", value="orders", unit="orders", title=_("Orders by weekday"),
                          xlabel=_("Weekday"), ylabel=_("Orders"))  # fmt: skip
