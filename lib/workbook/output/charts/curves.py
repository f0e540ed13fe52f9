"""Amounts along an ordered axis: lines, curves with their bands, and Lorenz curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from workbook.output import i18n
from workbook.output.charts.canvas import canvas, describe, nothing_to_draw
from workbook.output.charts.scales import as_text, floats, labelled, scaled_axis, thin_ticks, tick_text
from workbook.output.charts.style import BLUE, INK, PAPER, QUIET, VERMILION, dark, dashes, many_colours
from workbook.output.i18n import _


def lines(
    table: pd.DataFrame, *, x: str, y: str | Mapping[str, str], title: str = "", xlabel: str = "", ylabel: str = "",
    unit: str = "number", low: str | None = None, high: str | None = None, partial: bool = False,
    from_zero: bool = True, marks: Mapping[Any, str] | None = None, x_unit: str = "", ax: Axes | None = None,
) -> Axes:
    """Lines over time or another ordered `x`, each named at its end.

    Args:
        table: one row a point, in order.
        x: column of periods (dates), numbers or ordered names.
        y: column, or {column: name} for several lines.
        low, high: columns of a band, for a single line.
        partial: whether the last point is an incomplete period: drawn hollow, its line broken.
        from_zero: whether the value axis begins at zero.
        marks: events to mark with a thin upright line, x value → name.
        x_unit: unit of a numeric `x`, such as "share": the axis then ends where the lines do.
    """
    ax = canvas(ax, title, 3.6)
    if not len(table):
        return nothing_to_draw(ax, title)
    series = {y: ""} if isinstance(y, str) else dict(y)
    counted = pd.api.types.is_numeric_dtype(table[x])
    at = table[x].astype(float).to_numpy() if counted else np.arange(len(table))
    if low and high:
        ax.fill_between(at, floats(table, low), floats(table, high), color=BLUE, alpha=0.16, linewidth=0)
    ends, facts = [], []
    looks = zip(many_colours(len(series)), dashes(len(series)), strict=True)
    for (column, name), (colour, dash) in zip(series.items(), looks, strict=True):
        values = floats(table, column)
        until = len(values) - 1 if partial and len(values) > 1 else len(values)
        ax.plot(at[:until], values[:until], color=colour, linestyle=dash, marker="o" if len(values) <= 16 else "",
                markersize=4)
        if until < len(values):
            ax.plot(at[-2:], values[-2:], color=colour, linestyle=(0, (1, 2)))
            ax.plot(at[-1:], values[-1:], color=colour, marker="o", markersize=5, markerfacecolor=PAPER)
        known = np.flatnonzero(~np.isnan(values))
        if len(known):
            ends.append((at[known[-1]], values[known[-1]], _end_label(name, values[known[-1]], unit), colour))
            first, last = labelled(values[known[0]], unit), labelled(values[known[-1]], unit)
            fact = _("{name} from {first} to {last}")
            facts.append(fact.format(name=name or ylabel or column, first=first, last=last))
    if counted and x_unit:
        scaled_axis(ax.xaxis, x_unit, "", ticks=8)
        ax.set_xlim(at.min(), at.max())
    elif counted:
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=bool((at == at.round()).all())))
    else:
        names = [tick_text(value) for value in table[x]]
        if partial:
            names[-1] = f"{names[-1]}\n{_('incomplete')}"
        thin_ticks(ax, at, names, width=76)
    for place, name in (marks or {}).items():
        here = float(place) if counted else float(list(table[x]).index(place))
        ax.axvline(here, color=QUIET, linewidth=0.9, linestyle=(0, (3, 3)))
        ax.annotate(as_text(name), (here, 1), xycoords=("data", "axes fraction"), xytext=(3, -2),
                    textcoords="offset points", va="top", fontsize=8.5, color=QUIET)
    scaled_axis(ax.yaxis, unit, ylabel, ticks=5)
    if from_zero:
        _begin_at_zero(ax)
    _name_ends(ax, ends)
    ax.set_xlabel(xlabel)
    ax.grid(axis="y")
    describe(ax, _("Line chart"), title, facts)
    return ax


def _begin_at_zero(ax: Axes) -> None:
    bottom, top = ax.get_ylim()
    drawn = (float(value) for line in ax.lines for value in line.get_ydata())
    lowest = min((value for value in drawn if not np.isnan(value)), default=0)
    if bottom > 0 or bottom < 0 <= lowest:
        ax.set_ylim(0, top)


def _end_label(name: str, value: float, unit: str) -> str:
    return f"{as_text(name)} {labelled(value, unit)}".strip()


def _name_ends(ax: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Names at the right ends of lines, pushed apart where they would overlap."""
    bottom, top = ax.get_ylim()
    gap = 0.075 * (top - bottom)
    placed: list[float] = []
    for place, value, text, colour in sorted(ends, key=lambda end: end[1]):
        height = max(value, placed[-1] + gap) if placed else value
        placed.append(height)
        ax.annotate(text, (place, height), xytext=(8, 0), textcoords="offset points", va="center", color=dark(colour),
                    fontsize=9.5, annotation_clip=False)


def lorenz(
    table: pd.DataFrame, *, x: str, y: str, title: str = "", xlabel: str = "", ylabel: str = "",
    mark: tuple[float, float] | None = None, note: str = "", ax: Axes | None = None,
) -> Axes:
    """Concentration: cumulative share `y` held by the share `x`, with the line of equality; `mark` names one point."""
    ax = canvas(ax, title, 4.0)
    if not len(table):
        return nothing_to_draw(ax, title)
    across, up = floats(table, x), floats(table, y)
    ax.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    ax.annotate(_("everyone the same"), (0.5, 0.5), xytext=(6, -10), textcoords="offset points", color=QUIET,
                fontsize=9)
    ax.plot(across, up, color=BLUE)
    ax.fill_between(across, up, across, color=BLUE, alpha=0.1, linewidth=0)
    facts = []
    if mark:
        ax.plot(*mark, marker="o", color=VERMILION, markersize=7)
        point = _("{share} → {of}").format(share=i18n.percent(mark[0], 0), of=i18n.percent(mark[1], 0))
        ax.annotate(f"{as_text(note)} {point}".strip(), mark, xytext=(9, -4), textcoords="offset points", va="top",
                    color=INK)
        facts = [f"{note} {point}".strip()]
    scaled_axis(ax.xaxis, "share", xlabel)
    scaled_axis(ax.yaxis, "share", ylabel)
    ax.set(xlim=(0, 1), ylim=(0, 1.01))
    ax.grid()
    describe(ax, _("Lorenz curve"), title, facts)
    return ax


def bands(
    table: pd.DataFrame, *, x: str, y: str, group: str, low: str | None = None, high: str | None = None,
    title: str = "", xlabel: str = "", ylabel: str = "", unit: str = "share", x_unit: str = "days",
    steps: bool = False, diagonal: bool = False, reference: float | None = None, reference_name: str = "",
    marks: Mapping[float, str] | None = None, ax: Axes | None = None,
) -> Axes:
    """Curves of several groups over a number, each with its band: survival, precision and recall, calibration.

    Args:
        table: one row a point, in long form; the groups in the order in which they are to be named.
        x, y, group: columns; at most six groups.
        low, high: columns of the interval.
        steps: whether a value holds until the next one (survival curves).
        diagonal: whether to draw the line on which both are equal.
        reference: a height to compare with.
        marks: places on the axis to mark with a thin upright line, x → name.
    """
    ax = canvas(ax, title, 3.8)
    if not len(table):
        return nothing_to_draw(ax, title)
    groups, facts = list(dict.fromkeys(table[group])), []
    for name, colour, dash in zip(groups, many_colours(len(groups)), dashes(len(groups)), strict=True):
        rows = table[table[group] == name]
        across, up = floats(rows, x), floats(rows, y)
        drawn = {"drawstyle": "steps-post"} if steps else {}
        ax.plot(across, up, color=colour, linestyle=dash, label=as_text(name), **drawn)
        if low and high:
            ax.fill_between(across, floats(rows, low), floats(rows, high), color=colour, alpha=0.14, linewidth=0,
                            step="post" if steps else None)
        known = up[~np.isnan(up)]
        if len(known):
            fact = _("{name} from {first} to {last}")
            facts.append(fact.format(name=name, first=labelled(known[0], unit), last=labelled(known[-1], unit)))
    if diagonal:
        ends = [0.0, float(np.nanmax(table[[x, y]].to_numpy(float)))]
        ax.plot(ends, ends, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    if reference is not None:
        ax.axhline(reference, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
        ax.annotate(as_text(reference_name), (1, reference), xycoords=("axes fraction", "data"), xytext=(-3, 3),
                    textcoords="offset points", ha="right", color=QUIET, fontsize=8.5)
    for place, name in (marks or {}).items():
        ax.axvline(place, color=QUIET, linewidth=0.9, linestyle=(0, (3, 3)))
        ax.annotate(as_text(name), (place, 1), xycoords=("data", "axes fraction"), xytext=(3, -2),
                    textcoords="offset points", va="top", fontsize=8.5, color=QUIET)
    scaled_axis(ax.xaxis, x_unit, xlabel)
    scaled_axis(ax.yaxis, unit, ylabel, ticks=5)
    if np.nanmin(floats(table, y)) >= 0:
        ax.set_ylim(bottom=0)
    if len(groups) > 1:
        beside = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "borderaxespad": 0.4, "handlelength": 1.6}
        ax.legend(**beside)
    ax.grid()
    describe(ax, _("Line chart"), title, facts)
    return ax
