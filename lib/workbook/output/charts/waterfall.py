"""From one total to another, step by step."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from workbook.output import i18n
from workbook.output.charts.canvas import canvas, describe, nothing_to_draw, wrap
from workbook.output.charts.scales import as_text, floats, labelled, scaled_axis
from workbook.output.charts.style import BLUE, INK, QUIET, VERMILION
from workbook.output.i18n import _


def waterfall(
    table: pd.DataFrame, *, label: str, value: str, kind: str = "kind", title: str = "", xlabel: str = "",
    ylabel: str = "", unit: str = "number", ax: Axes | None = None,
) -> Axes:
    """How one total becomes another, step by step, from top to bottom.

    Args:
        table: one row a step; the column `kind` says "total" (the bar stands on the axis) or "change".
    """
    ax = canvas(ax, title, 1.3 + 0.36 * len(table))
    if not len(table):
        return nothing_to_draw(ax, title)
    values, at = floats(table, value), np.arange(len(table))
    is_total = (table[kind] == "total").to_numpy()
    starts, ends = _steps(values, is_total)
    floor = _floor(starts, ends, is_total)
    shown_starts = np.where(is_total, floor, starts)
    colours = np.where(is_total, "#7C8896", np.where(values < 0, VERMILION, BLUE))
    ax.barh(at, ends - shown_starts, left=shown_starts, color=list(colours), height=0.66)
    for i in range(len(table) - 1):
        ax.plot([ends[i]] * 2, [i - 0.33, i + 1.33], color=QUIET, linewidth=0.7)
    texts = [_step(v, unit, signed=not total) for v, total in zip(values, is_total, strict=True)]
    beside = {"xytext": (5, 0), "textcoords": "offset points", "va": "center", "fontsize": 9.5, "color": INK}
    for place, right, text in zip(at, np.maximum(shown_starts, ends), texts, strict=True):
        ax.annotate(text, (right, place), **beside)
    high = max(starts.max(), ends.max())
    ax.set_xlim(floor, high + 0.2 * ((high - floor) or 1))
    ax.set_yticks(at, [wrap(as_text(name), 34) for name in table[label]])
    ax.invert_yaxis()
    scaled_axis(ax.xaxis, unit, xlabel)
    if floor > 0:
        ax.annotate(_("The axis begins at {value}.").format(value=labelled(floor, unit)), (1, 0), (0, -30),
                    xycoords="axes fraction", textcoords="offset points", ha="right", va="top", fontsize=8.5,
                    color=QUIET)
    ax.set_ylabel(ylabel)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", labelcolor=INK)
    describe(ax, _("Waterfall chart"), title, [f"{n} {t}" for n, t in zip(table[label], texts, strict=True)], most=16)
    return ax


def _step(value: float, unit: str, *, signed: bool) -> str:
    """A step in full, so that the steps can be added up by eye."""
    full = i18n.quantity(round(value) if abs(value) >= 1000 else value, unit)
    return as_text(f"+{full}" if signed and value > 0 else full)


def _steps(values: np.ndarray, is_total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each bar begins and ends: a total at its value, a change from where the last one ended."""
    starts, ends, here = np.zeros(len(values)), np.zeros(len(values)), 0.0
    for i, (value, total) in enumerate(zip(values, is_total, strict=True)):
        starts[i], here = (0.0, value) if total else (here, here + value)
        ends[i] = here
    return starts, ends


def _floor(starts: np.ndarray, ends: np.ndarray, is_total: np.ndarray) -> float:
    """Where the axis begins: at zero, unless small steps between large totals would vanish; then said below it."""
    moving = np.concatenate([ends, starts[~is_total]])
    low, high = float(moving.min()), float(moving.max())
    if low <= 0 or (high - low) > 0.25 * high:
        return min(0.0, low)
    unit = 10 ** np.floor(np.log10(high - low)) if high > low else high
    return max(0.0, float(np.floor((low - 0.6 * (high - low)) / unit) * unit)) if high > low else 0.0
