"""What happened when: a lane for each kind of thing, a mark for each time."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from workbook.output import i18n
from workbook.output.charts.canvas import canvas, describe, nothing_to_draw, wrap
from workbook.output.charts.scales import as_text, floats, labelled
from workbook.output.charts.style import BLUE, GREEN, INK, PURPLE, QUIET, SKY, VERMILION
from workbook.output.i18n import _

MARKS = (("o", BLUE), ("v", VERMILION), ("|", QUIET), ("s", SKY), ("D", PURPLE), ("^", GREEN))


def moments(
    table: pd.DataFrame, *, day: str, lane: str, amount: str, until: Any, title: str = "", unit: str = "money",
    ax: Axes | None = None,
) -> Axes:  # fmt: skip
    """A lane a kind, in the order in which the kinds come; marks with an amount are larger, the largest is labelled.

    Args:
        until: the last day on the axis.
    """
    lanes = list(dict.fromkeys(table[lane]))
    ax = canvas(ax, title, 1.5 + 0.5 * len(lanes))
    if not len(table):
        return nothing_to_draw(ax, title)
    days, sizes, facts = mpl.dates.date2num(pd.to_datetime(table[day])), floats(table, amount), []
    most = np.nanmax(np.abs(sizes)) if np.isfinite(sizes).any() else 1.0
    for place, name in enumerate(lanes):
        own = (table[lane] == name).to_numpy()
        shape, colour = MARKS[place % len(MARKS)]
        area = np.where(np.isnan(sizes[own]), 40.0, 30 + 190 * np.abs(np.nan_to_num(sizes[own])) / (most or 1.0))
        ax.axhline(place, color="#E8ECF0", linewidth=1, zorder=0)
        ax.scatter(days[own], np.full(own.sum(), place), s=area, marker=shape, color=colour, alpha=0.75,
                   linewidth=1.4 if shape == "|" else 0)  # fmt: skip
        known = np.where(own & np.isfinite(sizes))[0]
        if len(known):
            largest = known[np.abs(sizes[known]).argmax()]
            ax.annotate(labelled(sizes[largest], unit), (days[largest], place), xytext=(0, 11), ha="center",
                        textcoords="offset points", fontsize=8.5, color=INK)  # fmt: skip
        facts.append(f"{name} {i18n.number(int(own.sum()))}")
    ax.set_yticks(np.arange(len(lanes)), [wrap(as_text(name), 20) for name in lanes])
    ax.set_ylim(len(lanes) - 0.4, -0.75)
    first, last = min(days), mpl.dates.date2num(pd.Timestamp(until))
    room = max((last - first) * 0.04, 3)
    ax.set_xlim(first - room, last + room)
    places = np.linspace(first, last, 5 if last - first > 120 else 3)
    ax.set_xticks(places, [i18n.month(mpl.dates.num2date(x).date(), short=True) for x in places])
    ax.tick_params(axis="y", labelcolor=INK)
    ax.spines["left"].set_visible(False)
    describe(ax, _("Timeline"), title, facts)
    return ax
