"""Tables as fields of colour: heat maps and silhouettes."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from workbook.output import i18n
from workbook.output.charts.canvas import _wide, canvas, describe, nothing_to_draw, wrap
from workbook.output.charts.scales import as_text, floats, labelled, scaled_axis, tick_text
from workbook.output.charts.style import DIVERGING, INK, PAPER, QUIET, SEQUENTIAL, contrast, many_colours
from workbook.output.i18n import _


def heat(
    matrix: pd.DataFrame, *, title: str = "", xlabel: str = "", ylabel: str = "", unit: str = "number",
    centre: float | None = None, texts: pd.DataFrame | None = None, ax: Axes | None = None,
) -> Axes:
    """A table as colours with its values written in; empty cells are hatched (suppressed or never seen).

    Args:
        matrix: rows and columns named as they are to be read.
        centre: the value of no difference; colours then run both ways from it.
        texts: what to write instead of the values (e.g. value and ▲ where it is unusual).
    """
    ax = canvas(ax, title, 1.5 + 0.36 * len(matrix))
    values = matrix.astype(float).to_numpy()
    if not values.size or np.isnan(values).all():
        return nothing_to_draw(ax, title)
    reach = np.nanmax(np.abs(values - (centre or 0))) or 1.0
    if centre is None:
        colours, limits = SEQUENTIAL, (min(0.0, np.nanmin(values)), np.nanmax(values))
    else:
        colours, limits = DIVERGING, (centre - reach, centre + reach)
    ax.set_facecolor("#F1F1F1")
    ax.pcolormesh(values, cmap=colours, vmin=limits[0], vmax=limits[1], edgecolor=PAPER, linewidth=1.5)
    scale = mpl.colors.Normalize(*limits)
    small = 9.5 if values.shape[1] <= 9 else 8.5 if values.shape[1] <= 14 else 7.5
    for (row, column), value in np.ndenumerate(values):
        if np.isnan(value):
            empty = {"fill": False, "hatch": "////", "edgecolor": "#C9CFD6", "linewidth": 0}
            ax.add_patch(mpl.patches.Rectangle((column, row), 1, 1, **empty))
            continue
        dark = contrast(np.array(colours(scale(value))[:3])) > 3.9  # from there on white reads better than ink
        text = labelled(value, unit) if texts is None else as_text(texts.iat[row, column])
        if values.shape[1] <= 24:
            ink = PAPER if dark else INK
            ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=ink, fontsize=small)
    names = [wrap(tick_text(c), 12) for c in matrix.columns]
    ax.set_xticks(np.arange(values.shape[1]) + 0.5, names)
    if max(sum(map(_wide, part)) for name in names for part in name.split("\n")) * values.shape[1] > 84:
        ax.tick_params(axis="x", rotation=35 if values.shape[1] <= 24 else 90)
    ax.set_yticks(np.arange(values.shape[0]) + 0.5, [wrap(tick_text(i), 28) for i in matrix.index])
    ax.tick_params(labelcolor=INK)
    ax.invert_yaxis()
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    for side in ax.spines.values():
        side.set_visible(False)
    best = np.unravel_index(np.nanargmax(values), values.shape)
    fact = _("{rows} by {columns} cells, highest {value} at {row}, {column}").format(
        rows=values.shape[0], columns=values.shape[1], value=labelled(values[best], unit), row=matrix.index[best[0]],
        column=matrix.columns[best[1]])
    describe(ax, _("Heat map"), title, [fact])
    return ax


def silhouettes(
    table: pd.DataFrame, *, group: str, value: str, title: str = "", xlabel: str = "", ax: Axes | None = None
) -> Axes:
    """One thin bar a member, by group; the dashed line is the mean of all.

    Args:
        table: rows in the order of the groups, in each the largest value first.
    """
    ax = canvas(ax, title, 4.6)
    if not len(table):
        return nothing_to_draw(ax, title)
    groups, values, facts = list(dict.fromkeys(table[group])), floats(table, value), []
    pause, begin, places = max(4, len(table) // 40), 0, []
    for name, colour in zip(groups, many_colours(len(groups)), strict=True):
        own = values[(table[group] == name).to_numpy()]
        at = np.arange(begin, begin + len(own))
        ax.fill_betweenx(at, 0, own, color=colour, alpha=0.8, linewidth=0, step="mid")
        middling = i18n.number(round(float(own.mean()), 2))
        places.append((begin + len(own) / 2, f"{wrap(as_text(name), 30)}\n{middling}"))
        facts.append(f"{name} {middling}")
        begin += len(own) + pause
    mean = float(values.mean())
    ax.axvline(mean, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    ax.annotate(_("mean {value}").format(value=i18n.number(round(mean, 2))), (mean, 1.01), ha="left", va="bottom",
                xycoords=("data", "axes fraction"), fontsize=9, color=QUIET)
    ax.axvline(0, color=QUIET, linewidth=0.8)
    ax.set_yticks(*zip(*places, strict=True))
    ax.invert_yaxis()
    scaled_axis(ax.xaxis, "number", xlabel)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", labelcolor=INK)
    describe(ax, _("Silhouette chart"), title, facts)
    return ax
