"""The pivot: two dimensions and a measure by choice, as a heat table with true totals and as bars; then the rows.

In a report it is the table of what was chosen beforehand. The shown table is offered as a CSV file whose cells no
spreadsheet takes for formulas.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from html import escape
from typing import Any

import ipywidgets
import matplotlib as mpl
import numpy as np
import pandas as pd
from IPython.display import display

from workbook import pivot
from workbook.data.errors import WorkbookError
from workbook.data.periods import Period
from workbook.data.run import Run
from workbook.history import year_before
from workbook.output import charts, i18n, page
from workbook.output.charts.style import INK, PAPER, SEQUENTIAL
from workbook.output.explore.panel import WIDE, panel
from workbook.output.explore.selection import Watching
from workbook.output.i18n import _
from workbook.output.words import pivot as words

MOST_ROWS = 200  # of a cell
SPANS = ("period", "year", "all")
READABLE = 4.6  # contrast of letters, a little above the 4.5 that WCAG asks
HATCHED = "background:repeating-linear-gradient(-45deg,#f1f1f1 0 5px,#c9cfd6 5px 6px)"
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def explorer(
    run: Run, sources: pivot.Sources, *, rows: str = "region", columns: str = "month", measure: str = "net_revenue",
    span: str = "year", groups: Mapping[str, str] | None = None, selection: Watching | None = None,
) -> Any:  # fmt: skip
    """Choose two dimensions, a measure and a time; in a report, the table and the bars of those given.

    Args:
        sources: what is counted.
        span: "period" (of the run), "year" (up to its end) or "all".
        groups: code of a group of customers → its name.
        selection: customers to count alone; anonymous sales are then left out.
    """
    known = pivot.dimensions(sources)
    rows, columns = (name if name in known else known[place] for place, name in enumerate((rows, columns)))
    table = Shown(run, sources, groups or {}, selection)
    if not page.interactive():
        return table.parts(rows, columns, measure, span)[1]
    choices = {"style": WIDE, "layout": ipywidgets.Layout(width="34em")}
    named = [(words.dimension(name), name) for name in known]
    controls = {
        "rows": ipywidgets.Dropdown(options=named, value=rows, description=_("Down the side"), **choices),
        "columns": ipywidgets.Dropdown(options=named, value=columns, description=_("Across the top"), **choices),
        "measure": ipywidgets.Dropdown(options=[(words.measure(name), name) for name in pivot.MEASURES], value=measure,
                                       description=_("Measure"), **choices),
        "span": ipywidgets.Dropdown(options=[(_span_name(run, name), name) for name in SPANS], value=span,
                                    description=_("Time"), **choices),
    }  # fmt: skip
    drill = Drill(table)

    def draw(rows: str, columns: str, measure: str, span: str) -> list[Any]:
        parts = table.parts(rows, columns, measure, span)
        drill.follow()
        return parts

    return ipywidgets.VBox([panel(draw, controls, height=900, selection=selection), drill.widget])


class Shown:
    """The table of the moment."""

    def __init__(
        self, run: Run, sources: pivot.Sources, groups: Mapping[str, str], selection: Watching | None
    ) -> None:
        self.run, self.sources, self.groups, self.selection = run, sources, groups, selection
        self.found: pivot.Pivot | None = None

    def parts(self, rows: str, columns: str, measure: str, span: str) -> list[Any]:
        """The total in a sentence, the heat table, its bars, what is hidden, and the file."""
        if rows == columns:
            self.found = None
            raise WorkbookError(_("Choose two different dimensions."))
        window, smallest = _window(self.run, span), self.run.settings.privacy.smallest_cell
        counted = pivot.facts(self.chosen, rows, columns, window=window)
        self.found = pivot.pivot(counted, rows=rows, columns=columns, measure=measure, smallest_cell=smallest)
        remarks = [words.hidden(self.found, smallest), words.how_counted(self.found)]
        note = " ".join(remark for remark in remarks if remark)
        return [page.say(words.whole(self.found, window)), heat(self.found, self.groups, note=note),
                download(self.found, self.groups), *bars(self.found, self.groups)]  # fmt: skip

    @property
    def chosen(self) -> pivot.Sources:
        """What is counted: the orders of the selected customers."""
        if self.selection is None:
            return self.sources
        lines = self.sources.lines
        return self.sources._replace(
            orders=self.selection.of(self.sources.orders), lines=None if lines is None else self.selection.of(lines))

    def levels(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """What rows and columns can be looked into: name for people, level."""
        if self.found is None:
            return [], []
        found = self.found
        return tuple(
            [(words.level(name, code, self.groups), code) for code in side]
            for name, side in ((found.rows, found.values.index), (found.columns, found.values.columns)))  # fmt: skip


class Drill:
    """The rows behind a cell: two choices that follow the table, a button, and what it shows."""

    def __init__(self, table: Shown) -> None:
        self.table = table
        shared = {"style": WIDE, "layout": ipywidgets.Layout(width="34em")}
        self.row = ipywidgets.Dropdown(options=[(_("all rows"), "")], description=_("In the row"), **shared)
        self.column = ipywidgets.Dropdown(options=[(_("all columns"), "")], description=_("In the column"), **shared)
        button = ipywidgets.Button(description=_("Show the rows"), layout=ipywidgets.Layout(width="auto"))
        button.add_class("wb-drill")
        button.on_click(lambda _button: self.show())
        self.out = ipywidgets.Output()
        self.out.add_class("wb-rows")
        head = ipywidgets.HTML(f"<h3>{escape(_('What stands behind a cell'))}</h3>")
        self.widget = ipywidgets.VBox([head, self.row, self.column, button, self.out])
        self.widget.add_class("wb-controls")

    def follow(self) -> None:
        """Offer the levels of the table of the moment, and forget the rows of the one before."""
        rows, columns = self.table.levels()
        self.row.options, self.column.options = [(_("all rows"), ""), *rows], [(_("all columns"), ""), *columns]
        self.out.clear_output()

    def show(self) -> None:
        """The first rows of the chosen cell."""
        self.out.clear_output(wait=True)
        with self.out:
            try:
                display(self.listed())
            except WorkbookError as error:
                display(page.warning(str(error)))

    def listed(self) -> page.Fragment:
        """The first rows of the chosen cell as a table."""
        found = self.table.found
        if found is None:
            return page.say(_("There is no table to look into."))
        wanted = pivot.rows_behind(found, row=self.row.value, column=self.column.value)
        rows = self.table.run.peek(wanted, MOST_ROWS)
        rows = rows.assign(channel=[words.level("channel", str(code)) for code in rows["channel"]])
        columns = {
            "ordered_on": (_("Day"), "date"), "order_id": (_("Order"), "text"), "customer_id": (_("Customer"), "text"),
            "channel": _("Channel"), "product_name": _("Product"), "amount": (_("Amount"), "money"),
            "returned_amount": (_("Came back"), "money"), "net_amount": (_("Net amount"), "money"),
        }  # fmt: skip
        if not rows["product_name"].notna().any():
            del columns["product_name"]
        note = _("The first {n}, newest first.").format(n=i18n.number(MOST_ROWS)) if len(rows) == MOST_ROWS else ""
        return page.table(rows, columns=columns, caption=_("Rows behind the cell"), note=note, most=MOST_ROWS)


def _span_name(run: Run, span: str) -> str:
    return {"period": i18n.period(run.period), "year": _("the last twelve months"), "all": _("the whole record")}[span]


def _window(run: Run, span: str) -> Period | None:
    if span == "all":
        return None
    if span == "period":
        return run.period
    return Period(year_before(run.as_of) + timedelta(days=1), run.as_of, run.period.grain)


def heat(found: pivot.Pivot, groups: Mapping[str, str], *, note: str = "") -> page.Fragment:
    """The table with a darker ground for more; totals beside and below, hidden cells hatched."""
    known = found.values.stack().dropna()
    shown = partial(_short, unit=words.UNITS[found.measure], digits=0 if max(known.abs(), default=0) >= 1000 else 2)
    scale = mpl.colors.Normalize(min(known.min(), 0.0), known.max()) if len(known) else mpl.colors.Normalize(0, 1)
    names = [words.level(found.columns, code, groups) for code in found.values.columns]
    heads = "".join(f'<th scope="col" class="wb-num">{escape(name)}</th>' for name in (*names, _("Total")))
    body = []
    for code, row in found.values.iterrows():
        cells = "".join(_cell(value, found.hidden.loc[code, column], shown, scale) for column, value in row.items())
        total = _total(found.row_totals[code], shown)
        name = escape(words.level(found.rows, str(code), groups))
        body.append(f'<tr><th scope="row">{name}</th>{cells}{total}</tr>')
    foot = "".join(_total(value, shown) for value in (*found.column_totals, found.total))
    body.append(f'<tr class="wb-total"><th scope="row">{escape(_("Total"))}</th>{foot}</tr>')
    title = words.title(found)
    html = (
        f'<div class="wb-table wb-heat" role="region" tabindex="0" aria-label="{escape(title)}"><table>'
        f"<caption>{escape(title)}</caption><thead><tr><td>{escape(words.dimension(found.rows))}</td>{heads}</tr>"
        f'</thead><tbody>{"".join(body)}</tbody></table></div>'
        + (f'<p class="wb-note">{escape(note)}</p>' if note else "")
    )
    frame = named(found, groups)
    return page.Fragment(html, f"{title}\n{frame.to_string()}\n{note}")


def _cell(value: float, hidden: bool, shown: Callable[[float], str], scale: Any) -> str:
    if hidden:
        return f'<td class="wb-num wb-hidden" style="{HATCHED}"><span class="unseen">{escape(_("hidden"))}</span></td>'
    if value != value:
        return f'<td class="wb-num">{i18n.NOTHING}</td>'
    ground, ink = _readable(np.array(SEQUENTIAL(scale(value))[:3]))
    colours = f"background:{mpl.colors.to_hex(ground)};color:{ink}"
    return f'<td class="wb-num" style="{colours}">{escape(shown(value))}</td>'


def _readable(ground: np.ndarray) -> tuple[np.ndarray, str]:
    """Dark letters where they can be read; else white ones, on a ground as dark as they need."""
    if charts.contrast(np.array(mpl.colors.to_rgb(INK))) / charts.contrast(ground) >= READABLE:
        return ground, INK
    while charts.contrast(ground) < READABLE:
        ground = ground * 0.98
    return ground, PAPER


def _total(value: float, shown: Callable[[float], str]) -> str:
    text = f'<span class="unseen">{escape(_("hidden"))}</span>' if value != value else escape(shown(value))
    hatched = f' style="{HATCHED}"' if value != value else ""
    return f'<td class="wb-num wb-sum"{hatched}>{text}</td>'


def _short(value: float, *, unit: str, digits: int) -> str:
    if unit == "money":
        return i18n.money(value, digits)
    return i18n.percent(value) if unit == "share" else i18n.number(round(value))


def bars(found: pivot.Pivot, groups: Mapping[str, str]) -> list[Any]:
    """The totals of the rows as bars."""
    rows = pd.DataFrame({
        "name": [words.level(found.rows, code, groups) for code in found.row_totals.index], "value": found.row_totals,
    }).dropna()  # fmt: skip
    if not len(rows):
        return []
    unit = words.UNITS[found.measure]
    title = _("{measure} by {rows}").format(
        measure=words.measure(found.measure), rows=words.dimension(found.rows).lower())
    return [charts.bars(rows, label="name", value="value", unit=unit, title=title,
                        xlabel=words.measure(found.measure))]  # fmt: skip


def named(found: pivot.Pivot, groups: Mapping[str, str]) -> pd.DataFrame:
    """The table with its totals under names for people; hidden values are blank."""
    frame = found.values.assign(**{"": found.row_totals})
    frame.loc[""] = [*found.column_totals, found.total]
    frame.columns = [*(words.level(found.columns, code, groups) for code in found.values.columns), _("Total")]
    frame.index = [*(words.level(found.rows, code, groups) for code in found.values.index), _("Total")]
    return frame


def csv_text(found: pivot.Pivot, groups: Mapping[str, str]) -> str:
    """The shown table as CSV: text that a spreadsheet would take for a formula begins with an apostrophe."""
    frame = named(found, groups)
    rows = io.StringIO()
    writer = csv.writer(rows, lineterminator="\r\n")
    writer.writerow([harmless(text) for text in (words.dimension(found.rows), *frame.columns)])
    for name, values in frame.iterrows():
        writer.writerow([harmless(str(name)), *("" if value != value else round(float(value), 4) for value in values)])
    return rows.getvalue()


def harmless(text: str) -> str:
    """The text, unless a spreadsheet would run it: then behind an apostrophe.

    >>> harmless("=1+1"), harmless("Tea")
    ("'=1+1", 'Tea')
    """
    return f"'{text}" if text.startswith(FORMULA) else text


def download(found: pivot.Pivot, groups: Mapping[str, str]) -> page.Fragment:
    """A link that holds the shown table as a file which Excel opens with the right letters."""
    text = csv_text(found, groups)
    held = base64.b64encode(text.encode("utf-8-sig")).decode()
    name = f"pivot-{found.rows}-{found.columns}-{found.measure}.csv"
    said = _("This table as CSV")
    link = f'<a class="wb-file" download="{name}" href="data:text/csv;base64,{held}">{escape(said)}</a>'
    return page.Fragment(f'<p class="wb-note">{link}</p>', said)
