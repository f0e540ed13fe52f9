"""Values on axes and beside marks: as text, with their unit, and as numbers to draw."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import Formatter, MaxNLocator

from workbook.output import i18n
from workbook.output.charts.canvas import _wide, wrap
from workbook.output.charts.style import QUIET


def as_text(value: Any) -> str:
    """A label as plain text: `$` in a product name starts no formula."""
    return str(value).replace("$", r"\$")


def labelled(value: Any, unit: str) -> str:
    return i18n.NOTHING if pd.isna(value) else as_text(i18n.compact(value, unit))


class UnitFormatter(Formatter):
    """Tick labels in a unit, with as many decimals as it takes to tell neighbours apart."""

    def __init__(self, unit: str) -> None:
        self.unit = unit

    def __call__(self, x: float, pos: int | None = None) -> str:
        return as_text(i18n.compact(round(x, 10), self.unit))

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        for extra in range(4):
            labels = [as_text(self._written(round(x, 10), extra)) for x in values]
            if len(set(labels)) == len(labels):
                break
        return labels

    def _written(self, x: float, extra: int) -> str:
        return i18n.percent(x, extra) if self.unit in {"share", "percent"} else i18n.compact(x, self.unit, extra)


def scaled_axis(axis: Any, unit: str, name: str, *, ticks: int = 6) -> None:
    axis.set_major_formatter(UnitFormatter(unit))
    axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10], integer=unit in COUNTED))
    axis.set_label_text(as_text(name_with_unit(name, unit)))


COUNTED = {"rows", "customers", "orders", "lines", "files", "units", "products", "returns"}


def name_with_unit(name: str, unit: str) -> str:
    word = "%" if unit in {"share", "percent"} else i18n.unit_name(unit)
    if not word or (name and word.lower() in name.lower()):
        return name
    return f"{name} ({word})" if name else word


def floats(table: pd.DataFrame, column: str | None) -> np.ndarray | None:
    return None if column is None else pd.to_numeric(table[column], errors="coerce").astype(float).to_numpy()


def whiskers(values: np.ndarray, low: np.ndarray | None, high: np.ndarray | None) -> np.ndarray | None:
    if low is None or high is None:
        return None
    return np.clip(np.vstack([values - low, high - values]), 0, None)


def bar_colours(table: pd.DataFrame, label: str, highlight: Sequence[Any] | None, colour: str) -> list[str]:
    if highlight is None:
        return [colour] * len(table)
    return [colour if name in set(highlight) else "#A9B4C0" for name in table[label]]


def zero_line(ax: Axes, values: np.ndarray, *, vertical: bool) -> None:
    if np.nanmin(values) < 0 < np.nanmax(values):
        (ax.axvline if vertical else ax.axhline)(0, color=QUIET, linewidth=0.8)


def tick_text(x: Any) -> str:
    """A period or class under an axis: the first of a month is written as that month."""
    if isinstance(x, pd.Timestamp) or hasattr(x, "isocalendar"):
        return i18n.month(x, short=True) if x.day == 1 else i18n.date(x)
    if isinstance(x, float) and x.is_integer():
        return str(int(x))
    return as_text(x)


def thin_ticks(ax: Axes, at: np.ndarray, names: Sequence[str], *, width: int = 88) -> None:
    """As many names as fit; the last one always."""
    longest = max(max(sum(map(_wide, part)) for part in name.split("\n")) for name in names) + 2
    step = max(1, int(np.ceil(len(names) * longest / width)))
    if step > 1 and len(names) <= 8:
        names, step = [wrap(name, max(4, width // len(names) - 2)) for name in names], 1
    keep = [i for i in range(len(names)) if (len(names) - 1 - i) % step == 0]
    ax.set_xticks(at[keep], [names[i] for i in keep])
