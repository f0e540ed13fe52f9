"""A table of numbers with a darker ground for more, whose cells may be picked by a click or by the keyboard.

Each cell that may be picked is a button in a true table, so that headings are read out with it. Its place is written
into a hidden control (`Picked`), by which the kernel hears of it; where scripts are not run, the table is read only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, NamedTuple

import ipywidgets
import matplotlib as mpl
import numpy as np
import pandas as pd

from workbook.output import charts, i18n
from workbook.output.charts.style import INK, PAPER, SEQUENTIAL
from workbook.output.i18n import _

READABLE = 4.6  # contrast of letters, a little above the 4.5 that WCAG asks
HATCHED = "background:repeating-linear-gradient(-45deg,#f1f1f1 0 5px,#c9cfd6 5px 6px)"
TELL = (  # the place of the button into the control, as if typed there; the button stays marked
    "const b=event.target.closest('[data-cell]'),i=b&&document.querySelector('.SINK input');"
    "if(i){this.querySelectorAll('[aria-pressed]').forEach(e=>e.removeAttribute('aria-pressed'));"
    "b.setAttribute('aria-pressed','true');i.value=b.dataset.cell;"
    "i.dispatchEvent(new Event('change',{bubbles:true}))}"
)
LOOK = (  # a button looks like its cell
    "<style>.wb-heat [data-cell]{all:unset;box-sizing:border-box;width:100%;cursor:pointer}"
    ".wb-heat [data-cell]:hover{text-decoration:underline}"
    ".wb-heat [data-cell]:focus-visible,.wb-heat [aria-pressed]"
    "{outline:2px solid currentColor;outline-offset:2px}</style>"
)


class Totals(NamedTuple):
    """What stands beside and below a table; blank where hidden."""

    rows: pd.Series
    columns: pd.Series
    whole: float


class Picked:
    """The place of the cell that was picked last, out of sight."""

    def __init__(self, tell: Callable[[int | None, int | None], Any]) -> None:
        """`tell` takes row and column, counted from 0; None for a whole column or row."""
        self.tell = tell
        self.widget = ipywidgets.Text(continuous_update=False, layout=ipywidgets.Layout(display="none"))
        self.sink = f"wb-picked-{self.widget.model_id}"
        self.widget.add_class(self.sink)
        self.widget.observe(lambda change: self._take(change["new"]), "value")

    def _take(self, place: str) -> None:
        if not place:
            return
        self.widget.value = ""  # so that the same cell can be picked again
        row, _comma, column = place.partition(",")
        self.tell(_number(row), _number(column))


def _number(text: str) -> int | None:
    return int(text) if text.isdigit() else None


class Heat:
    """A table of numbers."""

    def __init__(
        self, values: pd.DataFrame, *, rows: Sequence[str], columns: Sequence[str], shown: Callable[[float], str],
        hidden: pd.DataFrame | None = None, totals: Totals | None = None, sink: str = "",
    ) -> None:  # fmt: skip
        """What is in it.

        Args:
            rows, columns: names for people.
            shown: a number as people read it.
            hidden: whether a cell is hidden, hatched then; it cannot be picked.
            totals: of each row and column, which can be picked as a whole then.
            sink: of a `Picked`; nothing can be picked where left out.
        """
        known = values.stack().dropna()
        self.values, self.rows, self.columns, self.shown = values, list(rows), list(columns), shown
        self.hidden = np.zeros(values.shape, dtype=bool) if hidden is None else hidden.to_numpy()
        self.totals, self.sink = totals, sink
        self.scale = mpl.colors.Normalize(min(known.min(), 0.0), known.max()) if len(known) else mpl.colors.Normalize()

    def html(self, title: str, corner: str, note: str = "") -> str:
        """The table under its title, with a line below it.

        Args:
            corner: what the names at the side are.
        """
        hears = f' onclick="{escape(TELL.replace("SINK", self.sink))}"' if self.sink else ""
        look = LOOK if self.sink else ""
        below = f'<p class="wb-note">{escape(note)}</p>' if note else ""
        return (
            f'{look}<div class="wb-table wb-heat" role="region" tabindex="0" aria-label="{escape(title)}"{hears}>'
            "<table>"
            f"<caption>{escape(title)}</caption><thead><tr><td>{escape(corner)}</td>{self._heads()}</tr></thead>"
            f"<tbody>{''.join(map(self._line, range(len(self.rows))))}{self._foot()}</tbody></table></div>{below}"
        )

    def _heads(self) -> str:
        sums = [None] * len(self.columns) if self.totals is None else self.totals.columns
        heads = [self._button(name, f",{place}" if _there(total) else "")
                 for place, (name, total) in enumerate(zip(self.columns, sums, strict=True))]  # fmt: skip
        heads += [] if self.totals is None else [escape(_("Total"))]
        return "".join(f'<th scope="col" class="wb-num">{head}</th>' for head in heads)

    def _line(self, row: int) -> str:
        total = None if self.totals is None else self.totals.rows.iloc[row]
        head = self._button(self.rows[row], f"{row}," if _there(total) else "")
        cells = "".join(self._cell(row, column) for column in range(len(self.columns)))
        return f'<tr><th scope="row">{head}</th>{cells}{"" if self.totals is None else self._total(total)}</tr>'

    def _cell(self, row: int, column: int) -> str:
        value = self.values.iat[row, column]
        if self.hidden[row, column]:
            return f'<td class="wb-num wb-hidden" style="{HATCHED}">{_unseen()}</td>'
        if value != value:
            return f'<td class="wb-num">{i18n.NOTHING}</td>'
        ground, ink = _readable(np.array(SEQUENTIAL(self.scale(value))[:3]))
        colours = f"background:{mpl.colors.to_hex(ground)};color:{ink}"
        held = self._button(self.shown(value), f"{row},{column}", f"{self.rows[row]} · {self.columns[column]}")
        return f'<td class="wb-num" style="{colours}">{held}</td>'

    def _button(self, text: str, place: str, title: str = "") -> str:
        """The text; where it can be picked, as a button."""
        if not (self.sink and place):
            return escape(text)
        told = f' title="{escape(title)}"' if title else ""
        return f'<button type="button" data-cell="{place}"{told}>{escape(text)}</button>'

    def _foot(self) -> str:
        if self.totals is None:
            return ""
        cells = "".join(map(self._total, (*self.totals.columns, self.totals.whole)))
        return f'<tr class="wb-total"><th scope="row">{escape(_("Total"))}</th>{cells}</tr>'

    def _total(self, value: float) -> str:
        if _there(value):
            return f'<td class="wb-num wb-sum">{escape(self.shown(value))}</td>'
        return f'<td class="wb-num wb-sum" style="{HATCHED}">{_unseen()}</td>'


def _there(value: float | None) -> bool:
    return value is not None and value == value


def _unseen() -> str:
    return f'<span class="unseen">{escape(_("hidden"))}</span>'


def _readable(ground: np.ndarray) -> tuple[np.ndarray, str]:
    """Dark letters where they can be read; else white ones, on a ground as dark as they need."""
    if charts.contrast(np.array(mpl.colors.to_rgb(INK))) / charts.contrast(ground) >= READABLE:
        return ground, INK
    while charts.contrast(ground) < READABLE:
        ground = ground * 0.98
    return ground, PAPER
