"""Forecasts beside what came: one line of outcomes, an upright interval for each period that was foretold."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from workbook.output import i18n
from workbook.output.charts.canvas import canvas, describe, nothing_to_draw
from workbook.output.charts.scales import as_text, floats, labelled, scaled_axis, thin_ticks, tick_text
from workbook.output.charts.style import BLUE, PAPER, VERMILION, dark
from workbook.output.i18n import _


def ahead(
    table: pd.DataFrame, *, x: str, came: str, said: str, low: str, high: str, title: str = "", ylabel: str = "",
    unit: str = "number", ax: Axes | None = None,
) -> Axes:
    """What came as a line, what had been said as diamonds with their intervals; the last row may not have come yet.

    Args:
        table: one row a period, in order; `said`, `low` and `high` are blank where nothing was foretold.
        x: column of periods (dates).
    """
    ax = canvas(ax, title, 3.8)
    if not len(table):
        return nothing_to_draw(ax, title)
    at, outcome, told = np.arange(len(table)), floats(table, came), floats(table, said)
    below, above = floats(table, low), floats(table, high)
    known = ~np.isnan(told)
    ax.vlines(at[known], below[known], above[known], color=VERMILION, linewidth=5, alpha=0.28)
    ax.plot(at[known], told[known], color=VERMILION, linestyle="", marker="D", markersize=5, markerfacecolor=PAPER,
            label=as_text(_("foretold, with the range in which 95 of 100 should lie")))
    ax.plot(at, outcome, color=BLUE, marker="o", markersize=4, label=as_text(_("what came")))
    facts = []
    if known.any() and known[-1]:
        value = labelled(told[-1], unit)
        ax.annotate(value, (at[-1], told[-1]), xytext=(9, 0), textcoords="offset points", va="center",
                    color=dark(VERMILION), annotation_clip=False)
        facts.append(_("{period}: {value} foretold, {low} to {high}").format(
            period=tick_text(table[x].iloc[-1]), value=value, low=labelled(below[-1], unit),
            high=labelled(above[-1], unit)))
    held = known & ~np.isnan(outcome)
    inside = int(((below <= outcome) & (outcome <= above))[held].sum())
    if held.any():
        facts.append(_("{inside} of {n} past forecasts held what came").format(
            inside=i18n.number(inside), n=i18n.number(int(held.sum()))))
    thin_ticks(ax, at, [tick_text(value) for value in table[x]], width=76)
    scaled_axis(ax.yaxis, unit, ylabel, ticks=5)
    ax.set_ylim(bottom=min(0.0, float(np.nanmin([*outcome, *below]))))
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, frameon=False)
    ax.grid(axis="y")
    describe(ax, _("Forecasts and outcomes"), title, facts)
    return ax
