"""Where a picture is drawn: its frame and title, its text alternative, and how a notebook shows it."""

from __future__ import annotations

import io
import textwrap
import unicodedata
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from IPython.core.getipython import get_ipython
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from workbook.output import i18n
from workbook.output.charts.style import DPI, INK, QUIET, TALLEST, WIDTH, house_style
from workbook.output.i18n import _


def canvas(ax: Axes | None, title: str, height: float) -> Axes:
    """The axes to draw on, in house style; a new picture when none is given."""
    mpl.rcParams.update(house_style())
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
    mpl.rcParams.update(house_style())
    return list(plt.figure(figsize=(1.3 * WIDTH, height), layout="constrained").subplots(1, n))


def _teach_notebook() -> None:
    """Have a notebook store pictures small, sharp and with their text alternative."""
    shell = get_ipython()
    formatter = shell and shell.display_formatter.formatters.get("image/png")
    if formatter:
        formatter.for_type(Figure, png)


def png(figure: Figure) -> tuple[bytes, dict[str, Any]]:
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


def describe(ax: Axes, kind: str, title: str, facts: Sequence[str], *, most: int = 8) -> None:
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


def nothing_to_draw(ax: Axes, title: str) -> Axes:
    if len(ax.figure.axes) == 1:  # no empty sheet where a sentence will do
        ax.figure.set_figheight(1.1)
    ax.set_axis_off()
    ax.text(0.5, 0.5, _("Nothing to draw: no rows."), ha="center", va="center", color=QUIET, transform=ax.transAxes)
    describe(ax, _("Empty chart"), title, [])
    return ax
