"""One way to join controls with a table and a picture, without flicker and without charts drawn twice."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from workbook.data.errors import WorkbookError
from workbook.output import charts, page
from workbook.output.explore.selection import Observable, Watching
from workbook.output.i18n import _

WIDE = {"description_width": "14em"}
CHOSEN = "_chosen"  # name of the selection among the controls
SERVED = "WORKBOOK_SERVE_SETTINGS"  # set in the kernel of `workbook serve`


def panel(
    draw: Callable[..., Iterable[Any]], controls: Mapping[str, Any], *, height: int, beside: Iterable[Any] = (),
    selection: Watching | None = None, watched: Mapping[str, Observable] | None = None,
) -> ipywidgets.Widget:  # fmt: skip
    """Controls above what they show.

    Args:
        draw: takes the controls' values by name; returns what to show: fragments of a page, and axes.
        controls: name of an argument → widget; set continuous_update=False, so that a drag asks once.
        height: of the shown part in pixels, fixed, so that the page below does not jump.
        beside: further widgets under the controls, such as buttons.
        selection: of customers; when it changes, all is drawn anew, and nothing where it holds nobody.
        watched: name of an argument → what else it follows, out of sight.
    """

    def show(**values: Any) -> None:
        chosen = values.pop(CHOSEN, None)
        if chosen is not None and selection.narrows and not chosen.customers:
            display(page.say(_("Nobody is in the selection: choose others above, or clear it.")))
            return
        try:
            with plt.ioff():  # else Jupyter shows the figure as well, and from another thread while it is being drawn
                parts = list(draw(**values))
        except WorkbookError as error:
            parts = [page.warning(str(error))]
        _display(parts)

    followed = {**controls, **(watched or {}), **({} if selection is None else {CHOSEN: selection})}
    shown = ipywidgets.interactive_output(show, followed)
    shown.layout = ipywidgets.Layout(height=f"{height}px", overflow="auto")
    shown.add_class("wb-explored")
    rows = ipywidgets.VBox([*controls.values(), *beside])
    rows.add_class("wb-controls")
    return ipywidgets.VBox([rows, shown])


def shown_in(place: ipywidgets.Output, parts: Sequence[Any]) -> None:
    """Put fragments and axes in the place of what was there."""
    place.clear_output(wait=bool(parts))  # nothing comes that would clear it, where there are none
    with place:
        _display(parts)


def _display(parts: Iterable[Any]) -> None:
    plt.close("all")  # no longer pyplot's, and still whole
    for part in parts:
        display(_with_words(part.figure) if isinstance(part, Axes) else part)


def _with_words(figure: Figure) -> Figure | page.Fragment:
    """The picture; on the served page with its text alternative, which JupyterLab's way of showing pictures drops."""
    if SERVED not in os.environ:
        return figure
    drawn, told = charts.png(figure)
    held = base64.b64encode(drawn).decode()
    html = f'<img src="data:image/png;base64,{held}" alt="{escape(told["alt"])}" width="{told["width"]}">'
    return page.Fragment(html, told["alt"])
