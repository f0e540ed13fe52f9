"""The house style of pictures: one function per chart kind.

Each takes a finished table (rows sorted as they are to be read), computes nothing, and returns the Axes. Titles and
labels arrive translated. `unit` ("money", "share", "number", "customers", "days" …) formats values and names the axis.
Values are labelled at their place before a legend is asked for; intervals are drawn wherever `low` and `high` are
given; the palette is Okabe and Ito's (2008), told apart by colour-blind eyes too. Every picture carries a text
alternative made from its data.
"""

from __future__ import annotations

import io
import textwrap
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.core.getipython import get_ipython
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import Formatter, MaxNLocator
from PIL import Image

from workbook.output import i18n
from workbook.output.i18n import _

BLUE, VERMILION, GREEN, PURPLE, SKY, AMBER = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"
PALETTE = (BLUE, VERMILION, GREEN, PURPLE, SKY, AMBER)
INK, QUIET, FAINT, PAPER = "#1F2933", "#5F6B7A", "#DDE2E8", "#FFFFFF"
WIDTH, TALLEST = 7.0, 9.0  # inches
DPI = 160
SEQUENTIAL = LinearSegmentedColormap.from_list("workbook", ["#F3F7FA", "#9CC7E0", BLUE, "#003E63"])
DIVERGING = LinearSegmentedColormap.from_list(
    "workbook_diverging", ["#A84300", "#F0B48C", "#F7F7F7", "#8FC1DE", "#004F7C"])
CHINESE_FONTS = (  # simplified faces, best first; the Japanese ones draw 直 and 骨 differently
    "Noto Sans CJK SC", "Source Han Sans SC", "Source Han Sans CN", "Noto Sans SC", "PingFang SC", "Microsoft YaHei",
    "Hiragino Sans GB", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei",
)


@cache
def fonts() -> tuple[str, ...]:
    """Font families to draw with: the best Chinese face of this system or else the packaged one, then DejaVu."""
    known = {font.name for font in font_manager.fontManager.ttflist}
    for name in CHINESE_FONTS:
        if name in known:
            return (name, "DejaVu Sans")
    packaged = packaged_font()
    if packaged is None:
        return ("DejaVu Sans",)
    font_manager.fontManager.addfont(str(packaged))
    return (font_manager.FontProperties(fname=str(packaged)).get_name(), "DejaVu Sans")


def packaged_font() -> Path | None:
    """Noto Sans SC from the package `pylopdf-fonts-zh-cn`, when that is installed."""
    spec = find_spec("pylopdf_fonts_zh_cn")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).with_name("NotoSansSC-Regular.otf")


def _style() -> dict[str, Any]:
    return {
        "font.family": list(fonts()), "font.size": 10, "axes.titlesize": 12, "axes.labelsize": 9.5,
        "xtick.labelsize": 9.5, "ytick.labelsize": 9.5, "text.color": INK, "axes.labelcolor": QUIET,
        "xtick.color": QUIET, "ytick.color": QUIET, "axes.edgecolor": "#B8C0CA", "axes.linewidth": 0.8,
        "axes.spines.top": False, "axes.spines.right": False, "axes.grid": False, "grid.color": FAINT,
        "grid.linewidth": 0.7, "axes.axisbelow": True, "axes.prop_cycle": mpl.cycler(color=PALETTE),
        "figure.facecolor": PAPER, "axes.facecolor": PAPER, "lines.linewidth": 2, "lines.solid_capstyle": "round",
        "hatch.linewidth": 0.5, "xtick.major.size": 0, "ytick.major.size": 0, "legend.frameon": False,
    }


def _canvas(ax: Axes | None, title: str, height: float) -> Axes:
    """The axes to draw on, in house style; a new picture when none is given."""
    mpl.rcParams.update(_style())
    if ax is None:
        figure = plt.figure(figsize=(WIDTH, min(height, TALLEST)), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
        ax = figure.add_subplot()
        if title:
            figure.suptitle(wrap(title, 68), x=0.012, ha="left", fontsize=12, color=INK)
    elif title:
        ax.set_title(wrap(title, 40), loc="left", color=INK, fontsize=11)
    _teach_notebook()  # after the first picture: making it installs Jupyter's own way of storing pictures
    return ax


def side_by_side(n: int, *, height: float = 2.9) -> list[Axes]:
    """Axes for `n` small pictures that are read together; give one to each chart as `ax`."""
    mpl.rcParams.update(_style())
    return list(plt.figure(figsize=(1.3 * WIDTH, height), layout="constrained").subplots(1, n))


def _teach_notebook() -> None:
    """Have a notebook store pictures small, sharp and with their text alternative."""
    shell = get_ipython()
    formatter = shell and shell.display_formatter.formatters.get("image/png")
    if formatter:
        formatter.for_type(Figure, _png)


def _png(figure: Figure) -> tuple[bytes, dict[str, Any]]:
    drawn, small = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=DPI)
    with Image.open(drawn) as image:
        width, height = image.size
        image.convert("RGB").quantize(128, dither=Image.Dither.NONE).save(small, format="png", optimize=True)
    return small.getvalue(), {"alt": alt_text(figure), "width": width * 100 // DPI, "height": height * 100 // DPI}


def alt_text(figure: Figure | Axes) -> str:
    """What a picture shows, in words."""
    axes = figure.axes if isinstance(figure, Figure) else [figure]
    return " ".join(text for text in (getattr(ax, "workbook_alt", "") for ax in axes) if text)


def _describe(ax: Axes, kind: str, title: str, facts: Sequence[str], *, most: int = 8) -> None:
    shown = [" ".join(fact.split()) for fact in facts[:most]]
    rest = len(facts) - len(shown)
    if rest:
        shown.append(_("and {n} more").format(n=i18n.number(rest)))
    colon, semicolon, stop = (": ", "; ", ". ") if i18n.lang() == "en" else ("：", "；", "。")
    parts = [f"{title}{colon}{kind}" if title else kind, semicolon.join(shown)]
    ax.workbook_alt = "".join(part + stop for part in parts if part).strip()  # type: ignore[attr-defined]


def wrap(text: str, width: int) -> str:
    """Text broken into lines by the width it takes: a Chinese character counts two."""
    if sum(_wide(c) for c in text) <= width:
        return text
    if not any(_wide(c) == 2 for c in text):
        return "\n".join(textwrap.wrap(text, width))
    lines, line, used = [], "", 0
    for char in text:
        if used + _wide(char) > width:
            lines, line, used = [*lines, line], "", 0
        line, used = line + char, used + _wide(char)
    return "\n".join([*lines, line])


def _wide(char: str) -> int:
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _text(value: Any) -> str:
    """A label as plain text: `$` in a product name starts no formula."""
    return str(value).replace("$", r"\$")


def _label(value: Any, unit: str) -> str:
    return i18n.NOTHING if pd.isna(value) else _text(i18n.compact(value, unit))


class UnitFormatter(Formatter):
    """Tick labels in a unit, with as many decimals as it takes to tell neighbours apart."""

    def __init__(self, unit: str) -> None:
        self.unit = unit

    def __call__(self, x: float, pos: int | None = None) -> str:
        return _text(i18n.compact(round(x, 10), self.unit))

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        for extra in range(4):
            labels = [_text(self._written(round(x, 10), extra)) for x in values]
            if len(set(labels)) == len(labels):
                break
        return labels

    def _written(self, x: float, extra: int) -> str:
        return i18n.percent(x, extra) if self.unit in {"share", "percent"} else i18n.compact(x, self.unit, extra)


def _axis(axis: Any, unit: str, name: str, *, ticks: int = 6) -> None:
    axis.set_major_formatter(UnitFormatter(unit))
    axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 2.5, 5, 10], integer=unit in COUNTED))
    axis.set_label_text(_text(_with_unit(name, unit)))


COUNTED = {"rows", "customers", "orders", "lines", "files", "units", "products", "returns"}


def _with_unit(name: str, unit: str) -> str:
    word = "%" if unit in {"share", "percent"} else i18n.unit_name(unit)
    if not word or (name and word.lower() in name.lower()):
        return name
    return f"{name} ({word})" if name else word


def _floats(table: pd.DataFrame, column: str | None) -> np.ndarray | None:
    return None if column is None else pd.to_numeric(table[column], errors="coerce").astype(float).to_numpy()


def _whiskers(values: np.ndarray, low: np.ndarray | None, high: np.ndarray | None) -> np.ndarray | None:
    if low is None or high is None:
        return None
    return np.clip(np.vstack([values - low, high - values]), 0, None)


def _colours(table: pd.DataFrame, label: str, highlight: Sequence[Any] | None, colour: str) -> list[str]:
    if highlight is None:
        return [colour] * len(table)
    return [colour if name in set(highlight) else "#A9B4C0" for name in table[label]]


def _nothing(ax: Axes, title: str) -> Axes:
    if len(ax.figure.axes) == 1:  # no empty sheet where a sentence will do
        ax.figure.set_figheight(1.1)
    ax.set_axis_off()
    ax.text(0.5, 0.5, _("Nothing to draw: no rows."), ha="center", va="center", color=QUIET, transform=ax.transAxes)
    _describe(ax, _("Empty chart"), title, [])
    return ax


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
    ax = _canvas(ax, title, 1.2 + 0.34 * len(table))
    if not len(table):
        return _nothing(ax, title)
    values, at = _floats(table, value), np.arange(len(table))
    errors = _whiskers(values, _floats(table, low), _floats(table, high))
    ax.barh(at, values, color=_colours(table, label, highlight, colour), height=0.68, xerr=errors,
            error_kw={"ecolor": INK, "elinewidth": 1, "capsize": 2.5})
    ax.set_yticks(at, [wrap(_text(name), 34) for name in table[label]])
    ax.invert_yaxis()
    texts = [_label(x, unit) for x in table[value]]
    ends = values if errors is None else values + np.where(values < 0, -errors[0], errors[1])
    _at_bar_ends(ax, at, np.nan_to_num(ends), texts)
    _axis(ax.xaxis, unit, xlabel)
    ax.set_ylabel(ylabel)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", labelcolor=INK)
    _zero_line(ax, values, vertical=True)
    _describe(ax, _("Bar chart"), title, [f"{n} {t}" for n, t in zip(table[label], texts, strict=True)])
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


def _zero_line(ax: Axes, values: np.ndarray, *, vertical: bool) -> None:
    if np.nanmin(values) < 0 < np.nanmax(values):
        (ax.axvline if vertical else ax.axhline)(0, color=QUIET, linewidth=0.8)


def columns(
    table: pd.DataFrame, *, x: str, value: str, title: str = "", xlabel: str = "", ylabel: str = "",
    unit: str = "number", low: str | None = None, high: str | None = None, partial: bool = False,
    highlight: Sequence[Any] | None = None, colour: str = BLUE, ax: Axes | None = None,
) -> Axes:
    """Upright columns in the order of `x`: periods, scores, classes. `partial` marks the last as incomplete."""
    ax = _canvas(ax, title, 3.5)
    if not len(table):
        return _nothing(ax, title)
    values, at = _floats(table, value), np.arange(len(table))
    errors = _whiskers(values, _floats(table, low), _floats(table, high))
    drawn = ax.bar(at, values, color=_colours(table, x, highlight, colour), width=0.72, yerr=errors,
                   error_kw={"ecolor": INK, "elinewidth": 1, "capsize": 2.5})
    names = [_tick(name) for name in table[x]]
    texts = [_label(v, unit) for v in table[value]]
    if partial:
        drawn[-1].set(facecolor=PAPER, edgecolor=colour, hatch="////", linewidth=1)
        names[-1] = f"{names[-1]}\n{_('incomplete')}"
    if len(table) <= 12:
        top = values if errors is None else values + errors[1]
        for place, end, text in zip(at, np.nan_to_num(top), texts, strict=True):
            ax.annotate(text, (place, end), xytext=(0, 3 if end >= 0 else -3), textcoords="offset points",
                        ha="center", va="bottom" if end >= 0 else "top", fontsize=9, color=INK)
        ax.margins(y=0.12)
    _thin_ticks(ax, at, names)
    _axis(ax.yaxis, unit, ylabel, ticks=5)
    ax.set_xlabel(xlabel)
    ax.grid(axis="y")
    _zero_line(ax, values, vertical=False)
    _describe(ax, _("Column chart"), title, [f"{n} {t}" for n, t in zip(map(str, names), texts, strict=True)], most=14)
    return ax


def _tick(x: Any) -> str:
    """A period or class under an axis: the first of a month is written as that month."""
    if isinstance(x, pd.Timestamp) or hasattr(x, "isocalendar"):
        return i18n.month(x, short=True) if x.day == 1 else i18n.date(x)
    if isinstance(x, float) and x.is_integer():
        return str(int(x))
    return _text(x)


def _thin_ticks(ax: Axes, at: np.ndarray, names: Sequence[str], *, width: int = 88) -> None:
    """As many names as fit; the last one always."""
    longest = max(max(sum(map(_wide, part)) for part in name.split("\n")) for name in names) + 2
    step = max(1, int(np.ceil(len(names) * longest / width)))
    if step > 1 and len(names) <= 8:
        names, step = [wrap(name, max(4, width // len(names) - 2)) for name in names], 1
    keep = [i for i in range(len(names)) if (len(names) - 1 - i) % step == 0]
    ax.set_xticks(at[keep], [names[i] for i in keep])


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
    ax = _canvas(ax, title, 3.6)
    if not len(table):
        return _nothing(ax, title)
    series = {y: ""} if isinstance(y, str) else dict(y)
    counted = pd.api.types.is_numeric_dtype(table[x])
    at = table[x].astype(float).to_numpy() if counted else np.arange(len(table))
    if low and high:
        ax.fill_between(at, _floats(table, low), _floats(table, high), color=BLUE, alpha=0.16, linewidth=0)
    ends, facts = [], []
    looks = zip(_many_colours(len(series)), _dashes(len(series)), strict=True)
    for (column, name), (colour, dash) in zip(series.items(), looks, strict=True):
        values = _floats(table, column)
        until = len(values) - 1 if partial and len(values) > 1 else len(values)
        ax.plot(at[:until], values[:until], color=colour, linestyle=dash, marker="o" if len(values) <= 16 else "",
                markersize=4)
        if until < len(values):
            ax.plot(at[-2:], values[-2:], color=colour, linestyle=(0, (1, 2)))
            ax.plot(at[-1:], values[-1:], color=colour, marker="o", markersize=5, markerfacecolor=PAPER)
        known = np.flatnonzero(~np.isnan(values))
        if len(known):
            ends.append((at[known[-1]], values[known[-1]], _end_label(name, values[known[-1]], unit), colour))
            first, last = _label(values[known[0]], unit), _label(values[known[-1]], unit)
            fact = _("{name} from {first} to {last}")
            facts.append(fact.format(name=name or ylabel or column, first=first, last=last))
    if counted and x_unit:
        _axis(ax.xaxis, x_unit, "", ticks=8)
        ax.set_xlim(at.min(), at.max())
    elif counted:
        ax.xaxis.set_major_locator(MaxNLocator(8, integer=bool((at == at.round()).all())))
    else:
        names = [_tick(value) for value in table[x]]
        if partial:
            names[-1] = f"{names[-1]}\n{_('incomplete')}"
        _thin_ticks(ax, at, names, width=76)
    for place, name in (marks or {}).items():
        here = float(place) if counted else float(list(table[x]).index(place))
        ax.axvline(here, color=QUIET, linewidth=0.9, linestyle=(0, (3, 3)))
        ax.annotate(_text(name), (here, 1), xycoords=("data", "axes fraction"), xytext=(3, -2),
                    textcoords="offset points", va="top", fontsize=8.5, color=QUIET)
    _axis(ax.yaxis, unit, ylabel, ticks=5)
    if from_zero:
        _begin_at_zero(ax)
    _name_ends(ax, ends)
    ax.set_xlabel(xlabel)
    ax.grid(axis="y")
    _describe(ax, _("Line chart"), title, facts)
    return ax


def _begin_at_zero(ax: Axes) -> None:
    bottom, top = ax.get_ylim()
    drawn = (float(value) for line in ax.lines for value in line.get_ydata())
    lowest = min((value for value in drawn if not np.isnan(value)), default=0)
    if bottom > 0 or bottom < 0 <= lowest:
        ax.set_ylim(0, top)


def _end_label(name: str, value: float, unit: str) -> str:
    return f"{_text(name)} {_label(value, unit)}".strip()


def _many_colours(n: int) -> list[str]:
    return [PALETTE[i % len(PALETTE)] for i in range(n)]


def _dashes(n: int) -> list[Any]:
    """Line styles beside colours, so that colour alone tells nothing apart."""
    styles: list[Any] = ["-", (0, (5, 2)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)), "-", (0, (5, 2))]
    return [styles[i % len(styles)] for i in range(n)]


def _name_ends(ax: Axes, ends: Sequence[tuple[float, float, str, str]]) -> None:
    """Names at the right ends of lines, pushed apart where they would overlap."""
    bottom, top = ax.get_ylim()
    gap = 0.075 * (top - bottom)
    placed: list[float] = []
    for place, value, text, colour in sorted(ends, key=lambda end: end[1]):
        height = max(value, placed[-1] + gap) if placed else value
        placed.append(height)
        ax.annotate(text, (place, height), xytext=(8, 0), textcoords="offset points", va="center", color=_dark(colour),
                    fontsize=9.5, annotation_clip=False)


def _dark(colour: str) -> str:
    """The colour, darkened until it can be read on white (contrast 4.5:1)."""
    rgb = np.array(to_rgb(colour))
    while _contrast(rgb) < 4.5:
        rgb = rgb * 0.94
    return mpl.colors.to_hex(rgb)


def _contrast(rgb: np.ndarray) -> float:
    """Contrast against white, as WCAG 2 defines it."""
    linear = np.where(rgb <= 0.03928, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return 1.05 / (float(linear @ [0.2126, 0.7152, 0.0722]) + 0.05)


def waterfall(
    table: pd.DataFrame, *, label: str, value: str, kind: str = "kind", title: str = "", xlabel: str = "",
    ylabel: str = "", unit: str = "number", ax: Axes | None = None,
) -> Axes:
    """How one total becomes another, step by step, from top to bottom.

    Args:
        table: one row a step; the column `kind` says "total" (the bar stands on the axis) or "change".
    """
    ax = _canvas(ax, title, 1.3 + 0.36 * len(table))
    if not len(table):
        return _nothing(ax, title)
    values, at = _floats(table, value), np.arange(len(table))
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
    ax.set_yticks(at, [wrap(_text(name), 34) for name in table[label]])
    ax.invert_yaxis()
    _axis(ax.xaxis, unit, xlabel)
    if floor > 0:
        ax.annotate(_("The axis begins at {value}.").format(value=_label(floor, unit)), (1, 0), (0, -30),
                    xycoords="axes fraction", textcoords="offset points", ha="right", va="top", fontsize=8.5,
                    color=QUIET)
    ax.set_ylabel(ylabel)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", labelcolor=INK)
    _describe(ax, _("Waterfall chart"), title, [f"{n} {t}" for n, t in zip(table[label], texts, strict=True)], most=16)
    return ax


def _step(value: float, unit: str, *, signed: bool) -> str:
    """A step in full, so that the steps can be added up by eye."""
    full = i18n.quantity(round(value) if abs(value) >= 1000 else value, unit)
    return _text(f"+{full}" if signed and value > 0 else full)


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


def histogram(
    table: pd.DataFrame, *, left: str = "left", right: str = "right", count: str = "count", title: str = "",
    xlabel: str = "", ylabel: str = "", unit: str = "number", count_unit: str = "customers",
    marks: Mapping[str, float] | None = None, log_x: bool = False, ax: Axes | None = None,
) -> Axes:
    """Counts in bins with stated edges; `marks` draws named values (median, cuts) as thin lines."""
    ax = _canvas(ax, title, 3.4)
    if not len(table):
        return _nothing(ax, title)
    lefts, rights, counts = (_floats(table, c) for c in (left, right, count))
    ax.bar(lefts, counts, width=rights - lefts, align="edge", color=BLUE, edgecolor=PAPER, linewidth=0.6)
    top = float(np.nanmax(counts)) or 1.0
    named = sorted((marks or {}).items(), key=lambda item: item[1])
    for i, (name, place) in enumerate(named):
        height = top * (1.17 - 0.085 * (i % 3))
        ax.plot([place, place], [0, height], color=INK, linewidth=1, linestyle=(0, (4, 2)))
        ax.annotate(f"{_text(name)} {_label(place, unit)}", (place, height), xytext=(4, 0), va="top", fontsize=9,
                    textcoords="offset points", color=INK, bbox={"facecolor": PAPER, "linewidth": 0, "pad": 1})
    ax.set_ylim(0, top * (1.2 if named else 1.05))
    if log_x:
        ax.set_xscale("log")
    _axis(ax.yaxis, count_unit, ylabel, ticks=5)
    ax.xaxis.set_major_formatter(UnitFormatter(unit))
    ax.set_xlabel(_text(_with_unit(xlabel, unit)))
    ax.grid(axis="y")
    most = int(np.nanargmax(counts))
    facts = [_("most between {low} and {high}: {n}").format(
        low=_label(lefts[most], unit), high=_label(rights[most], unit), n=_label(counts[most], count_unit))]
    _describe(ax, _("Histogram"), title, facts + [f"{name} {_label(place, unit)}" for name, place in named])
    return ax


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
    ax = _canvas(ax, title, 1.5 + 0.36 * len(matrix))
    values = matrix.astype(float).to_numpy()
    if not values.size or np.isnan(values).all():
        return _nothing(ax, title)
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
        dark = _contrast(np.array(colours(scale(value))[:3])) > 3.9  # from there on white reads better than ink
        text = _label(value, unit) if texts is None else _text(texts.iat[row, column])
        if values.shape[1] <= 24:
            ink = PAPER if dark else INK
            ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", color=ink, fontsize=small)
    names = [wrap(_tick(c), 12) for c in matrix.columns]
    ax.set_xticks(np.arange(values.shape[1]) + 0.5, names)
    if max(sum(map(_wide, part)) for name in names for part in name.split("\n")) * values.shape[1] > 84:
        ax.tick_params(axis="x", rotation=35 if values.shape[1] <= 24 else 90)
    ax.set_yticks(np.arange(values.shape[0]) + 0.5, [wrap(_tick(i), 28) for i in matrix.index])
    ax.tick_params(labelcolor=INK)
    ax.invert_yaxis()
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    for side in ax.spines.values():
        side.set_visible(False)
    best = np.unravel_index(np.nanargmax(values), values.shape)
    fact = _("{rows} by {columns} cells, highest {value} at {row}, {column}").format(
        rows=values.shape[0], columns=values.shape[1], value=_label(values[best], unit), row=matrix.index[best[0]],
        column=matrix.columns[best[1]])
    _describe(ax, _("Heat map"), title, [fact])
    return ax


def lorenz(
    table: pd.DataFrame, *, x: str, y: str, title: str = "", xlabel: str = "", ylabel: str = "",
    mark: tuple[float, float] | None = None, note: str = "", ax: Axes | None = None,
) -> Axes:
    """Concentration: cumulative share `y` held by the share `x`, with the line of equality; `mark` names one point."""
    ax = _canvas(ax, title, 4.0)
    if not len(table):
        return _nothing(ax, title)
    across, up = _floats(table, x), _floats(table, y)
    ax.plot([0, 1], [0, 1], color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    ax.annotate(_("everyone the same"), (0.5, 0.5), xytext=(6, -10), textcoords="offset points", color=QUIET,
                fontsize=9)
    ax.plot(across, up, color=BLUE)
    ax.fill_between(across, up, across, color=BLUE, alpha=0.1, linewidth=0)
    facts = []
    if mark:
        ax.plot(*mark, marker="o", color=VERMILION, markersize=7)
        point = _("{share} → {of}").format(share=i18n.percent(mark[0], 0), of=i18n.percent(mark[1], 0))
        ax.annotate(f"{_text(note)} {point}".strip(), mark, xytext=(9, -4), textcoords="offset points", va="top",
                    color=INK)
        facts = [f"{note} {point}".strip()]
    _axis(ax.xaxis, "share", xlabel)
    _axis(ax.yaxis, "share", ylabel)
    ax.set(xlim=(0, 1), ylim=(0, 1.01))
    ax.grid()
    _describe(ax, _("Lorenz curve"), title, facts)
    return ax


def dots(
    table: pd.DataFrame, *, label: str, value: str, low: str | None = None, high: str | None = None, title: str = "",
    xlabel: str = "", ylabel: str = "", unit: str = "number", reference: float | None = None, reference_name: str = "",
    group: str | None = None, ax: Axes | None = None,
) -> Axes:
    """Estimates with their intervals, one row each; `reference` draws a line to compare with (zero, break-even)."""
    ax = _canvas(ax, title, 1.3 + 0.4 * len(table))
    if not len(table):
        return _nothing(ax, title)
    values, at = _floats(table, value), np.arange(len(table))
    lows, highs = _floats(table, low), _floats(table, high)
    groups = list(dict.fromkeys(table[group])) if group else [None]
    colours = dict(zip(groups, _many_colours(len(groups)), strict=True))
    shapes = dict(zip(groups, "osD^vP" * (1 + len(groups) // 6), strict=False))
    texts = []
    for i in at:
        key = table[group].iat[i] if group else None
        if lows is not None and highs is not None:
            ax.plot([lows[i], highs[i]], [i, i], color=colours[key], linewidth=2.2, alpha=0.55)
        ax.plot(values[i], i, marker=shapes[key], color=colours[key], markersize=7.5, linestyle="")
        texts.append(_label(values[i], unit))
        ax.annotate(texts[-1], (values[i], i), xytext=(0, 8), textcoords="offset points", ha="center", fontsize=9,
                    color=INK, bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 0.6, "alpha": 0.8})
    if reference is not None:
        ax.axvline(reference, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
        ax.annotate(_text(reference_name), (reference, -0.75), xytext=(4, 0), textcoords="offset points", color=QUIET,
                    fontsize=9, va="center", annotation_clip=False)
    if group:
        handles = [ax.plot([], [], marker=shapes[g], color=colours[g], linestyle="", label=_text(g))[0] for g in groups]
        ax.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, -0.16), ncols=3, borderaxespad=0)
    ax.set_yticks(at, [wrap(_text(name), 34) for name in table[label]])
    ax.set_ylim(len(table) - 0.4, -0.9)
    _axis(ax.xaxis, unit, xlabel)
    ax.set_ylabel(ylabel)
    ax.margins(x=0.08)
    ax.grid(axis="y")
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", labelcolor=INK)
    _describe(ax, _("Dot chart"), title, [f"{n} {t}" for n, t in zip(table[label], texts, strict=True)])
    return ax


def scatter(
    table: pd.DataFrame, *, x: str, y: str, title: str = "", xlabel: str = "", ylabel: str = "", unit: str = "number",
    x_unit: str = "number", size: str | None = None, label: str | None = None, log: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Points in two dimensions; `size` scales their area, `label` names each (for up to about fifteen)."""
    ax = _canvas(ax, title, 4.2)
    if not len(table):
        return _nothing(ax, title)
    across, up, weights = _floats(table, x), _floats(table, y), _floats(table, size)
    areas = 26.0 if weights is None else 40 + 900 * np.nan_to_num(weights) / (np.nanmax(weights) or 1)
    few = len(table) <= 200
    ax.scatter(across, up, s=areas, color=BLUE, alpha=0.75 if few else 0.3, edgecolor=PAPER, linewidth=0.6)
    if log:
        ax.set(xscale="log", yscale="log")
    for place, (h, v) in enumerate(zip(across, up, strict=True) if label else ()):
        ax.annotate(_text(table[label].iat[place]), (h, v), xytext=(7, 6), textcoords="offset points", fontsize=9,
                    color=INK)
    for axis, kind, name in ((ax.xaxis, x_unit, xlabel), (ax.yaxis, unit, ylabel)):
        axis.set_major_formatter(UnitFormatter(kind))
        axis.set_label_text(_text(_with_unit(name, kind)))
    ax.grid()
    ax.margins(0.1)
    facts = [_("{n} points").format(n=i18n.number(len(table)))]
    if label:
        points = zip(table[label], across, up, strict=True)
        facts += [f"{n}: {_label(h, x_unit)}, {_label(v, unit)}" for n, h, v in points]
    _describe(ax, _("Scatter chart"), title, facts)
    return ax


def stacked(
    table: pd.DataFrame, *, label: str, parts: Mapping[str, str], title: str = "", xlabel: str = "", ylabel: str = "",
    unit: str = "share", ax: Axes | None = None,
) -> Axes:
    """Horizontal bars made of parts, e.g. shares that add to the whole; `parts` is {column: name}, at most six."""
    ax = _canvas(ax, title, 1.7 + 0.4 * len(table))
    if not len(table):
        return _nothing(ax, title)
    at, left = np.arange(len(table)), np.zeros(len(table))
    total = float(sum(np.nan_to_num(_floats(table, part)) for part in parts).max()) or 1.0
    for (part, name), colour in zip(parts.items(), _many_colours(len(parts)), strict=True):
        values = np.nan_to_num(_floats(table, part))
        ax.barh(at, values, left=left, color=colour, height=0.68, edgecolor=PAPER, linewidth=1, label=_text(name))
        ink = PAPER if _contrast(np.array(to_rgb(colour))) > 3.6 else INK
        for place in at[values > 0.07 * total]:
            ax.text(left[place] + values[place] / 2, place, _label(values[place], unit), ha="center", va="center",
                    color=ink, fontsize=9)
        left = left + values
    ax.set_yticks(at, [wrap(_text(name), 34) for name in table[label]])
    ax.invert_yaxis()
    _axis(ax.xaxis, unit, xlabel)
    ax.set_xlim(0, total)
    ax.set_ylabel(ylabel)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", labelcolor=INK)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(4, len(parts)), borderaxespad=0, handlelength=1)
    facts = [
        f"{n}: " + ", ".join(f"{name} {_label(table[part].iat[i], unit)}" for part, name in parts.items())
        for i, n in enumerate(table[label])
    ]
    _describe(ax, _("Stacked bar chart"), title, facts)
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
    ax = _canvas(ax, title, 3.8)
    if not len(table):
        return _nothing(ax, title)
    groups, facts = list(dict.fromkeys(table[group])), []
    for name, colour, dash in zip(groups, _many_colours(len(groups)), _dashes(len(groups)), strict=True):
        rows = table[table[group] == name]
        across, up = _floats(rows, x), _floats(rows, y)
        drawn = {"drawstyle": "steps-post"} if steps else {}
        ax.plot(across, up, color=colour, linestyle=dash, label=_text(name), **drawn)
        if low and high:
            ax.fill_between(across, _floats(rows, low), _floats(rows, high), color=colour, alpha=0.14, linewidth=0,
                            step="post" if steps else None)
        known = up[~np.isnan(up)]
        if len(known):
            fact = _("{name} from {first} to {last}")
            facts.append(fact.format(name=name, first=_label(known[0], unit), last=_label(known[-1], unit)))
    if diagonal:
        ends = [0.0, float(np.nanmax(table[[x, y]].to_numpy(float)))]
        ax.plot(ends, ends, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    if reference is not None:
        ax.axhline(reference, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
        ax.annotate(_text(reference_name), (1, reference), xycoords=("axes fraction", "data"), xytext=(-3, 3),
                    textcoords="offset points", ha="right", color=QUIET, fontsize=8.5)
    for place, name in (marks or {}).items():
        ax.axvline(place, color=QUIET, linewidth=0.9, linestyle=(0, (3, 3)))
        ax.annotate(_text(name), (place, 1), xycoords=("data", "axes fraction"), xytext=(3, -2),
                    textcoords="offset points", va="top", fontsize=8.5, color=QUIET)
    _axis(ax.xaxis, x_unit, xlabel)
    _axis(ax.yaxis, unit, ylabel, ticks=5)
    if np.nanmin(_floats(table, y)) >= 0:
        ax.set_ylim(bottom=0)
    if len(groups) > 1:
        beside = {"loc": "center left", "bbox_to_anchor": (1.0, 0.5), "borderaxespad": 0.4, "handlelength": 1.6}
        ax.legend(**beside)
    ax.grid()
    _describe(ax, _("Line chart"), title, facts)
    return ax


def spans(
    table: pd.DataFrame, *, label: str, start: str, end: str, kind: str, title: str = "", xlabel: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Stretches of time, one row a label: what is looked at, and what is foretold; `kind` gives the colour."""
    ax = _canvas(ax, title, 1.7 + 0.42 * table[label].nunique())
    if not len(table):
        return _nothing(ax, title)
    labels, kinds = list(dict.fromkeys(table[label])), list(dict.fromkeys(table[kind]))
    colours = dict(zip(kinds, _many_colours(len(kinds)), strict=True))
    begins, ends = (mpl.dates.date2num(pd.to_datetime(table[column])) for column in (start, end))
    facts = []
    for i, (begin, stop) in enumerate(zip(begins, ends, strict=True)):
        of = table[kind].iat[i]
        first = not any(table[kind].iloc[:i] == of)
        ax.barh(labels.index(table[label].iat[i]), stop - begin, left=begin, color=colours[of], height=0.5,
                alpha=0.85, hatch="" if kinds.index(of) == 0 else "////", edgecolor=PAPER,
                label=_text(of) if first else None)
        days = (i18n.date(table[column].iat[i]) for column in (start, end))
        facts.append(f"{table[label].iat[i]}, {of}: {' – '.join(days)}")
    ax.set_yticks(np.arange(len(labels)), [wrap(_text(name), 34) for name in labels])
    ax.invert_yaxis()
    places = mpl.dates.date2num(pd.date_range(mpl.dates.num2date(min(begins)), mpl.dates.num2date(max(ends)), 5))
    ax.set_xticks(places, [i18n.month(mpl.dates.num2date(place).date(), short=True) for place in places])
    ax.set_xlabel(xlabel)
    ax.tick_params(axis="y", labelcolor=INK)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(4, len(kinds)), borderaxespad=0, handlelength=1.6)
    _describe(ax, _("Timeline"), title, facts)
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
    ax = _canvas(ax, title, 5.6)
    if not len(table):
        return _nothing(ax, title)
    groups, facts = list(dict.fromkeys(table[group])), []
    shapes, middles = "osD^vP" * (1 + len(groups) // 6), []
    for name, colour, shape in zip(groups, _many_colours(len(groups)), shapes, strict=False):
        points = table[table[group] == name]
        ax.scatter(points[x], points[y], s=13, marker=shape, color=colour, alpha=0.45, linewidth=0)
        ax.plot([], [], marker=shape, color=colour, linestyle="", label=wrap(_text(name), 44))
        middles.append((points[mark].iat[0], float(points[x].median()), float(points[y].median()), colour))
        facts.append(_("{name}: {n} points").format(name=name, n=i18n.number(len(points))))
    white = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.2, "alpha": 0.85}
    reach = 0.9 * min(np.abs(_floats(table, column)).max() for column in (x, y))
    for row in (arrows if arrows is not None else table.head(0)).itertuples():
        ax.annotate("", (reach * row.x, reach * row.y), (0, 0),
                    arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 0.9})
        ax.text(1.06 * reach * row.x, 1.06 * reach * row.y, _text(row.name), fontsize=8.5, color=INK, ha="center",
                va="center", bbox=white)
    for name, across, up, colour in middles:
        ax.text(across, up, _text(name), fontsize=12, color=_dark(colour), ha="center", va="center",
                bbox=white | {"edgecolor": _dark(colour), "linewidth": 1})
    for axis, name in ((ax.xaxis, xlabel), (ax.yaxis, ylabel)):
        axis.set_major_formatter(UnitFormatter("number"))
        axis.set_label_text(_text(name))
    ax.legend(loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2, borderaxespad=0)
    ax.grid()
    _describe(ax, _("Map of points"), title, facts)
    return ax


def snake(
    table: pd.DataFrame, *, label: str, series: Mapping[str, str], title: str = "", xlabel: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Profiles: one line a series winding down the rows of `label`; zero is the average of all.

    Args:
        series: column → name, at most ten.
    """
    ax = _canvas(ax, title, 1.9 + 0.36 * len(table))
    if not len(table) or not series:
        return _nothing(ax, title)
    at, facts, shapes = np.arange(len(table)), [], "osD^vP" * 2
    looks = zip(_many_colours(len(series)), _dashes(len(series)), shapes, strict=False)
    for (column, name), (colour, dash, shape) in zip(series.items(), looks, strict=True):
        values = _floats(table, column)
        ax.plot(values, at, color=colour, linestyle=dash, marker=shape, markersize=5, linewidth=1.6, label=_text(name))
        most = int(np.nanargmax(np.abs(values)))
        facts.append(f"{name}: {table[label].iat[most]} {_label(values[most], 'number')}")
    ax.axvline(0, color=QUIET, linewidth=0.8)
    ax.set_yticks(at, [wrap(_text(name), 34) for name in table[label]])
    ax.invert_yaxis()
    _axis(ax.xaxis, "number", xlabel)
    ax.grid(axis="y")
    ax.tick_params(axis="y", labelcolor=INK)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=min(10, len(series)), borderaxespad=0, handlelength=2)
    _describe(ax, _("Profile chart"), title, facts)
    return ax


def silhouettes(
    table: pd.DataFrame, *, group: str, value: str, title: str = "", xlabel: str = "", ax: Axes | None = None
) -> Axes:
    """One thin bar a member, by group; the dashed line is the mean of all.

    Args:
        table: rows in the order of the groups, in each the largest value first.
    """
    ax = _canvas(ax, title, 4.6)
    if not len(table):
        return _nothing(ax, title)
    groups, values, facts = list(dict.fromkeys(table[group])), _floats(table, value), []
    pause, begin, places = max(4, len(table) // 40), 0, []
    for name, colour in zip(groups, _many_colours(len(groups)), strict=True):
        own = values[(table[group] == name).to_numpy()]
        at = np.arange(begin, begin + len(own))
        ax.fill_betweenx(at, 0, own, color=colour, alpha=0.8, linewidth=0, step="mid")
        middling = i18n.number(round(float(own.mean()), 2))
        places.append((begin + len(own) / 2, f"{wrap(_text(name), 30)}\n{middling}"))
        facts.append(f"{name} {middling}")
        begin += len(own) + pause
    mean = float(values.mean())
    ax.axvline(mean, color=QUIET, linewidth=1, linestyle=(0, (4, 3)))
    ax.annotate(_("mean {value}").format(value=i18n.number(round(mean, 2))), (mean, 1.01), ha="left", va="bottom",
                xycoords=("data", "axes fraction"), fontsize=9, color=QUIET)
    ax.axvline(0, color=QUIET, linewidth=0.8)
    ax.set_yticks(*zip(*places, strict=True))
    ax.invert_yaxis()
    _axis(ax.xaxis, "number", xlabel)
    ax.spines["left"].set_visible(False)
    ax.tick_params(axis="y", labelcolor=INK)
    _describe(ax, _("Silhouette chart"), title, facts)
    return ax


def panels(
    table: pd.DataFrame, *, panel: str, label: str, value: str, low: str, high: str, unit: str = "number",
    title: str = "",
) -> Axes:
    """Estimates with their intervals in small pictures of one scale, two a row; the first one's axes."""
    mpl.rcParams.update(_style())
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
        _nothing(axes[0], title)
    _teach_notebook()
    return axes[0]
