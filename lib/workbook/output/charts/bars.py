"""Amounts as lengths: bars, columns, stacked shares, histograms, stretches of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from workbook.output import i18n
from workbook.output.charts.canvas import canvas, describe, nothing_to_draw, wrap
from workbook.output.charts.scales import (
    UnitFormatter,
    as_text,
    bar_colours,
    floats,
    labelled,
    name_with_unit,
    scaled_axis,
    thin_ticks,
    tick_text,
    whiskers,
    zero_line,
)
from workbook.output.charts.style import BLUE, INK, PAPER, contrast, many_colours
from workbook.output.i18n import _


def bars(
    table: pd.DataFrame, *, label: str, value: str, title: str = "", xlabel: str = "", ylabel: str = "",
    unit: str = "number", low: str | None = None, high: str | None = None, highlight: Sequence[Any] | None = None,
    colour: str = BLUE, ax: Axes | None = None,
) -> Axes:
    """Horizontal bars, first row on top, each labelled with its value; for names and rankings.

    Args:
        table: one row a bar.
        label, value: columns of the name and the length.
        low, high: columns of an interval to draw.
        highlight: labels to keep in colour; the others turn grey.
    """
    ax = canvas(ax, title, 1.2 + 0.34 * len(table))
    if not len(table):
        return nothing_to_draw(ax, title)
    values, at = floats(table, value), np.arange(len(table))
    errors = whiskers(values, floats(table, low), floats(table, high))
    ax.barh(at, values, color=bar_colours(table, label, highlight, colour), height=0.68, xerr=errors,
            error_kw={"ecolor": INK, "elinewidth": 1, "capsize": 2.5})
    ax.set_yticks(at, [wrap(as_text(name), 34) for name in table[label]])
    ax.invert_yaxis()
    texts = [labelled(x, unit) for x in table[value]]
    ends = values if errors is None else values + np.where(values < 0, -errors[0], errors[1])
    _at_bar_ends(ax, at, np.nan_to_num(ends), texts)
    scaled_axis(ax.xaxis, unit, xlabel)
    ax.set_ylabel(ylabel)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", labelcolor=INK)
    zero_line(ax, values, vertical=True)
    describe(ax, _("Bar chart"), title, [f"{n} {t}" for n, t in zip(table[label], texts, strict=True)])
    return ax


def _at_bar_ends(ax: Axes, at: np.ndarray, ends: np.ndarray, texts: Sequence[str]) -> None:
    """Values beside their bars, with room made for the longest."""
    for place, end, text in zip(at, ends, texts, strict=True):
        ax.annotate(text, (end, place), xytext=(4 if end >= 0 else -4, 0), textcoords="offset points", va="center",
                    ha="left" if end >= 0 else "right", fontsize=9.5, color=INK)
    room = 0.018 * max(len(text) for text in texts) + 0.02
    low, high = min(0.0, float(ends.min())), max(0.0, float(ends.max()))
    span = (high - low) or 1.0
    ax.set_xlim(low - (span * room if low < 0 else 0), high + (span * room if high > 0 or low == high else 0))


def columns(
    table: pd.DataFrame, *, x: str, value: str, title: str = "", xlabel: str = "", ylabel: str = "",
    unit: str = "number", low: str | None = None, high: str | None = None, partial: bool = False,
    highlight: Sequence[Any] | None = None, colour: str = BLUE, ax: Axes | None = None,
) -> Axes:
    """Upright columns in the order of `x`: periods, scores, classes. `partial` marks the last as incomplete."""
    ax = canvas(ax, title, 3.5)
    if not len(table):
        return nothing_to_draw(ax, title)
    values, at = floats(table, value), np.arange(len(table))
    errors = whiskers(values, floats(table, low), floats(table, high))
    drawn = ax.bar(at, values, color=bar_colours(table, x, highlight, colour), width=0.72, yerr=errors,
                   error_kw={"ecolor": INK, "elinewidth": 1, "capsize": 2.5})
    names = [tick_text(name) for name in table[x]]
    texts = [labelled(v, unit) for v in table[value]]
    if partial:
        drawn[-1].set(facecolor=PAPER, edgecolor=colour, hatch="////", linewidth=1)
        names[-1] = f"{names[-1]}\n{_('incomplete')}"
    if len(table) <= 12:
        top = values if errors is None else values + errors[1]
        for place, end, text in zip(at, np.nan_to_num(top), texts, strict=True):
            ax.annotate(text, (place, end), xytext=(0, 3 if end >= 0 else -3), textcoords="offset points",
                        ha="center", va="bottom" if end >= 0 else "top", fontsize=9, color=INK)
        ax.margins(y=0.12)
    thin_ticks(ax, at, names)
    scaled_axis(ax.yaxis, unit, ylabel, ticks=5)
    ax.set_xlabel(xlabel)
    ax.grid(axis="y")
    zero_line(ax, values, vertical=False)
    describe(ax, _("Column chart"), title, [f"{n} {t}" for n, t in zip(map(str, names), texts, strict=True)], most=14)
    return ax


def histogram(
    table: pd.DataFrame, *, left: str = "left", right: str = "right", count: str = "count", title: str = "",
    xlabel: str = "", ylabel: str = "", unit: str = "number", count_unit: str = "customers",
    marks: Mapping[str, float] | None = None, log_x: bool = False, ax: Axes | None = None,
) -> Axes:
    """Counts in bins with stated edges; `marks` draws named values (median, cuts) as thin lines."""
    ax = canvas(ax, title, 3.4)
    if not len(table):
        return nothing_to_draw(ax, title)
    lefts, rights, counts = (floats(table, c) for c in (left, right, count))
    ax.bar(lefts, counts, width=rights - lefts, align="edge", color=BLUE, edgecolor=PAPER, linewidth=0.6)
    top = float(np.nanmax(counts)) or 1.0
    named = sorted((marks or {}).items(), key=lambda item: item[1])
    for i, (name, place) in enumerate(named):
        height = top * (1.17 - 0.085 * (i % 3))
        ax.plot([place, place], [0, height], color=INK, linewidth=1, linestyle=(0, (4, 2)))
        ax.annotate(f"{as_text(name)} {labelled(place, unit)}", (place, height), xytext=(4, 0), va="top", fontsize=9,
                    textcoords="offset points", color=INK, bbox={"facecolor": PAPER, "linewidth": 0, "pad": 1})
    ax.set_ylim(0, top * (1.2 if named else 1.05))
    if log_x:
        ax.set_xscale("log")
    scaled_axis(ax.yaxis, count_unit, ylabel, ticks=5)
    ax.xaxis.set_major_formatter(UnitFormatter(unit))
    ax.set_xlabel(as_text(name_with_unit(xlabel, unit)))
    ax.grid(axis="y")
    most = int(np.nanargmax(counts))
    facts = [_("most between {low} and {high}: {n}").format(
        low=labelled(lefts[most], unit), high=labelled(rights[most], unit), n=labelled(counts[most], count_unit))]
    describe(ax, _("Histogram"), title, facts + [f"{name} {labelled(place, unit)}" for name, place in named])
    return ax


def stacked(
    table: pd.DataFrame, *, label: str, parts: Mapping[str, str], title: str = "", xlabel: str = "", ylabel: str = "",
    unit: str = "share", ax: Axes | None = None,
) -> Axes:
    """Horizontal bars made of parts, e.g. shares that add to the whole; `parts` is {column: name}, at most six."""
    ax = canvas(ax, title, 1.7 + 0.4 * len(table))
    if not len(table):
        return nothing_to_draw(ax, title)
    at, left = np.arange(len(table)), np.zeros(len(table))
    total = float(sum(np.nan_to_num(floats(table, part)) for part in parts).max()) or 1.0
    for (part, name), colour in zip(parts.items(), many_colours(len(parts)), strict=True):
        values = np.nan_to_num(floats(table, part))
        ax.barh(at, values, left=left, color=colour, height=0.68, edgecolor=PAPER, linewidth=1, label=as_text(name))
        ink = PAPER if contrast(np.array(to_rgb(colour))) > 3.6 else INK
        for place in at[values > 0.07 * total]:
            ax.text(left[place] + values[place] / 2, place, labelled(values[place], unit), ha="center", va="center",
                    color=ink, fontsize=9)
        left = left + values
    ax.set_yticks(at, [wrap(as_text(name), 34) for name in table[label]])
    ax.invert_yaxis()
    scaled_axis(ax.xaxis, unit, xlabel)
    ax.set_xlim(0, total)
    ax.set_ylabel(ylabel)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", labelcolor=INK)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(4, len(parts)), borderaxespad=0, handlelength=1)
    facts = [
        f"{n}: " + ", ".join(f"{name} {labelled(table[part].iat[i], unit)}" for part, name in parts.items())
        for i, n in enumerate(table[label])
    ]
    describe(ax, _("Stacked bar chart"), title, facts)
    return ax


def spans(
    table: pd.DataFrame, *, label: str, start: str, end: str, kind: str, title: str = "", xlabel: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Stretches of time, one row a label: what is looked at, and what is foretold; `kind` gives the colour."""
    ax = canvas(ax, title, 1.7 + 0.42 * table[label].nunique())
    if not len(table):
        return nothing_to_draw(ax, title)
    labels, kinds = list(dict.fromkeys(table[label])), list(dict.fromkeys(table[kind]))
    colours = dict(zip(kinds, many_colours(len(kinds)), strict=True))
    begins, ends = (mpl.dates.date2num(pd.to_datetime(table[column])) for column in (start, end))
    facts = []
    for i, (begin, stop) in enumerate(zip(begins, ends, strict=True)):
        of = table[kind].iat[i]
        first = not any(table[kind].iloc[:i] == of)
        ax.barh(labels.index(table[label].iat[i]), stop - begin, left=begin, color=colours[of], height=0.5,
                alpha=0.85, hatch="" if kinds.index(of) == 0 else "////", edgecolor=PAPER,
                label=as_text(of) if first else None)
        days = (i18n.date(table[column].iat[i]) for column in (start, end))
        facts.append(f"{table[label].iat[i]}, {of}: {' – '.join(days)}")
    ax.set_yticks(np.arange(len(labels)), [wrap(as_text(name), 34) for name in labels])
    ax.invert_yaxis()
    places = mpl.dates.date2num(pd.date_range(mpl.dates.num2date(min(begins)), mpl.dates.num2date(max(ends)), 5))
    ax.set_xticks(places, [i18n.month(mpl.dates.num2date(place).date(), short=True) for place in places])
    ax.set_xlabel(xlabel)
    ax.tick_params(axis="y", labelcolor=INK)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(4, len(kinds)), borderaxespad=0, handlelength=1.6)
    describe(ax, _("Timeline"), title, facts)
    return ax
