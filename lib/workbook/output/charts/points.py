"""Estimates and customers as points: dots with intervals, panels of them, scatter, cloud and profile lines."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from workbook.output import i18n
from workbook.output.charts.canvas import _teach_notebook, canvas, describe, nothing_to_draw, wrap
from workbook.output.charts.scales import UnitFormatter, as_text, floats, labelled, name_with_unit, scaled_axis
from workbook.output.charts.style import (
    BLUE,
    INK,
    PAPER,
    QUIET,
    TALLEST,
    WIDTH,
    dark,
    dashes,
    house_style,
    many_colours,
)
from workbook.output.i18n import _


def dots(
    table: pd.DataFrame, *, label: str, value: str, low: str | None = None, high: str | None = None, title: str = "",
    xlabel: str = "", ylabel: str = "", unit: str = "number", reference: float | None = None, reference_name: str = "",
    group: str | None = None, ax: Axes | None = None,
) -> Axes:
    """Estimates with their intervals, one row each; `reference` draws a line to compare with (zero, break-even)."""
    ax = canvas(ax, title, 1.3 + 0.4 * len(table))
    if not len(table):
        return nothing_to_draw(ax, title)
    values, at = floats(table, value), np.arange(len(table))
    lows, highs = floats(table, low), floats(table, high)
    groups = list(dict.fromkeys(table[group])) if group else [None]
    colours = dict(zip(groups, many_colours(len(groups)), strict=True))
    shapes = dict(zip(groups, "osD^vP" * (1 + len(groups) // 6), strict=False))
    texts = []
    for i in at:
        key = table[group].iat[i] if group else None
        if lows is not None and highs is not None:
            ax.plot([lows[i], highs[i]], [i, i], color=colours[key], linewidth=2.2, alpha=0.55)
        ax.plot(values[i], i, marker=shapes[key], color=colours[key], markersize=7.5, linestyle="")
        texts.append(labelled(values[i], unit))
        ax.annotate(texts[-1], (values[i], i), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=9,
                    color=INK, bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.6, "alpha": 0.8})
    if reference is not None:
        ax.axvline(reference, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
        ax.annotate(as_text(reference_name), (reference, -0.75), xytext=(4, 0), textcoords="offset points", color=QUIET,
                    fontsize=9, va="center", annotation_clip=False)
    if group:
        handles = [
            ax.plot([], [], marker=shapes[g], color=colours[g], linestyle="", label=as_text(g))[0] for g in groups]
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, -0.16), ncols=3, borderaxespad=0)
    ax.set_yticks(at, [wrap(as_text(name), 34) for name in table[label]])
    ax.set_ylim(len(table) - 0.4, -0.9)
    scaled_axis(ax.xaxis, unit, xlabel)
    ax.set_ylabel(ylabel)
    ax.margins(x=0.08)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", labelcolor=INK)
    describe(ax, _("Dot chart"), title, [f"{n} {t}" for n, t in zip(table[label], texts, strict=True)])
    return ax


def scatter(
    table: pd.DataFrame, *, x: str, y: str, title: str = "", xlabel: str = "", ylabel: str = "", unit: str = "number",
    x_unit: str = "number", size: str | None = None, label: str | None = None, log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Points in two dimensions; `size` scales their area, `label` names each (for up to about fifteen)."""
    ax = canvas(ax, title, 4.2)
    if not len(table):
        return nothing_to_draw(ax, title)
    across, up, weights = floats(table, x), floats(table, y), floats(table, size)
    areas = 26.0 if weights is None else 40 + 900 * np.nan_to_num(weights) / (np.nanmax(weights) or 1)
    few = len(table) <= 200
    ax.scatter(across, up, s=areas, color=BLUE, alpha=0.75 if few else 0.3, edgecolor=PAPER, linewidth=0.6)
    if log:
        ax.set(xscale="log", yscale="log")
    for place, (h, v) in enumerate(zip(across, up, strict=True) if label else ()):
        ax.annotate(as_text(table[label].iat[place]), (h, v), xytext=(7, 6), textcoords="offset points", fontsize=9,
                    color=INK)
    for axis, kind, name in ((ax.xaxis, x_unit, xlabel), (ax.yaxis, unit, ylabel)):
        axis.set_major_formatter(UnitFormatter(kind))
        axis.set_label_text(as_text(name_with_unit(name, kind)))
    ax.grid()
    ax.margins(0.1)
    facts = [_("{n} points").format(n=i18n.number(len(table)))]
    if label:
        points = zip(table[label], across, up, strict=True)
        facts += [f"{n}: {labelled(h, x_unit)}, {labelled(v, unit)}" for n, h, v in points]
    describe(ax, _("Scatter chart"), title, facts)
    return ax


def cloud(
    table: pd.DataFrame, *, x: str, y: str, group: str, mark: str, arrows: pd.DataFrame | None = None,
    title: str = "", xlabel: str = "", ylabel: str = "", ax: Axes | None = None,
) -> Axes:
    """Many points in two dimensions, coloured by group, each group marked at its middle and named below.

    Args:
        group: column of the group's name; groups in the order in which they first appear.
        mark: column of a letter or so for the group, to stand at its middle.
        arrows: name, x, y: directions to draw from the middle, at most 1 long.
    """
    ax = canvas(ax, title, 5.6)
    if not len(table):
        return nothing_to_draw(ax, title)
    groups, facts = list(dict.fromkeys(table[group])), []
    shapes, middles = "osD^vP" * (1 + len(groups) // 6), []
    for name, colour, shape in zip(groups, many_colours(len(groups)), shapes, strict=False):
        points = table[table[group] == name]
        ax.scatter(points[x], points[y], s=13, marker=shape, color=colour, alpha=0.45, linewidth=0)
        ax.plot([], [], marker=shape, color=colour, linestyle="", label=wrap(as_text(name), 44))
        middles.append((points[mark].iat[0], float(points[x].median()), float(points[y].median()), colour))
        facts.append(_("{name}: {n} points").format(name=name, n=i18n.number(len(points))))
    white = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.2, "alpha": 0.85}
    reach = 0.9 * min(np.abs(floats(table, column)).max() for column in (x, y))
    for row in (arrows if arrows is not None else table.head(0)).itertuples():
        ax.annotate("", (reach * row.x, reach * row.y), (0, 0),
                    arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 0.9})
        ax.text(1.06 * reach * row.x, 1.06 * reach * row.y, as_text(row.name), fontsize=8.5, color=INK, ha="center",
                va="center", bbox=white)
    for name, across, up, colour in middles:
        ax.text(across, up, as_text(name), fontsize=12, color=dark(colour), ha="center", va="center",
                bbox=white | {"edgecolor": dark(colour), "linewidth": 1})
    for axis, name in ((ax.xaxis, xlabel), (ax.yaxis, ylabel)):
        axis.set_major_formatter(UnitFormatter("number"))
        axis.set_label_text(as_text(name))
    ax.legend(loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2, borderaxespad=0)
    ax.grid()
    describe(ax, _("Map of points"), title, facts)
    return ax


def snake(
    table: pd.DataFrame, *, label: str, series: Mapping[str, str], title: str = "", xlabel: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Profiles: one line a series winding down the rows of `label`; zero is the average of all.

    Args:
        series: column → name, at most ten.
    """
    ax = canvas(ax, title, 1.9 + 0.36 * len(table))
    if not len(table) or not series:
        return nothing_to_draw(ax, title)
    at, facts, shapes = np.arange(len(table)), [], "osD^vP" * 2
    looks = zip(many_colours(len(series)), dashes(len(series)), shapes, strict=False)
    for (column, name), (colour, dash, shape) in zip(series.items(), looks, strict=True):
        values = floats(table, column)
        ax.plot(values, at, color=colour, linestyle=dash, marker=shape, markersize=5, linewidth=1.6,
                label=as_text(name))
        most = int(np.nanargmax(np.abs(values)))
        facts.append(f"{name}: {table[label].iat[most]} {labelled(values[most], 'number')}")
    ax.axvline(0, color=QUIET, linewidth=0.8)
    ax.set_yticks(at, [wrap(as_text(name), 34) for name in table[label]])
    ax.invert_yaxis()
    scaled_axis(ax.xaxis, "number", xlabel)
    ax.grid(axis="y")
    ax.tick_params(axis="y", labelcolor=INK)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(10, len(series)), borderaxespad=0, handlelength=2)
    describe(ax, _("Profile chart"), title, facts)
    return ax


def panels(
    table: pd.DataFrame, *, panel: str, label: str, value: str, low: str, high: str, unit: str = "number",
    title: str = "",
) -> Axes:
    """Estimates with their intervals in small pictures of one scale, two a row; the first one's axes."""
    mpl.rcParams.update(house_style())
    names = list(dict.fromkeys(table[panel]))
    down = max(1, -(-len(names) // 2))
    tallest = max((table[panel] == name).sum() for name in names) if names else 1
    figure = plt.figure(figsize=(WIDTH, min(0.6 + down * (0.9 + 0.42 * tallest), TALLEST)), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.12)
    axes = figure.subplots(down, 2 if len(names) > 1 else 1, sharex=True, squeeze=False).ravel()
    if title:
        figure.suptitle(title, x=0.012, ha="left", fontsize=12, color=INK)
    for ax, name in zip(axes, names, strict=False):
        dots(table[table[panel] == name], label=label, value=value, low=low, high=high, unit=unit, title=name, ax=ax)
        ax.set_title(wrap(name, 27), loc="left", color=INK, fontsize=11)
        ax.set_xlabel("")
    for ax in axes[len(names) :]:
        ax.set_axis_off()
    if not names:
        nothing_to_draw(axes[0], title)
    _teach_notebook()
    return axes[0]
