"""The pivot: two dimensions and a measure by choice, as a heat table with true totals and as bars; then the rows.

In a report it is the table of what was chosen beforehand. The shown table is offered as a CSV file whose cells no
spreadsheet takes for formulas.
"""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from html import escape
from typing import Any

import ipywidgets
import pandas as pd

from workbook import pivot
from workbook.data.errors import WorkbookError
from workbook.data.periods import Period
from workbook.data.run import Run
from workbook.history import year_before
from workbook.output import charts, i18n, page
from workbook.output.explore.drill import Drill
from workbook.output.explore.heat import Heat, Totals
from workbook.output.explore.panel import WIDE, panel, shown_in
from workbook.output.explore.selection import Watching
from workbook.output.i18n import _
from workbook.output.words import pivot as words

SPANS = ("period", "year", "all")
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
    groups = groups or {}

    def count(rows: str, columns: str, measure: str, span: str) -> pivot.Pivot:
        if rows == columns:
            raise WorkbookError(_("Choose two different dimensions."))
        counted = pivot.facts(_among(sources, selection), rows, columns, window=_window(run, span))
        smallest = run.settings.privacy.smallest_cell
        return pivot.pivot(counted, rows=rows, columns=columns, measure=measure, smallest_cell=smallest)

    if not page.interactive():
        return heat(run, count(rows, columns, measure, span), groups)
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
    drill, below = Drill(run, selection), ipywidgets.Output()
    below.add_class("wb-bars")

    def draw(rows: str, columns: str, measure: str, span: str) -> list[Any]:
        found = None
        try:
            found = count(rows, columns, measure, span)
            return [page.say(words.whole(found, _window(run, span))), heat(run, found, groups, sink=drill.picked.sink),
                    download(found, groups)]  # fmt: skip
        finally:
            drill.follow(found, ([], []) if found is None else names(found, groups))
            shown_in(below, [] if found is None else bars(found, groups))

    return ipywidgets.VBox([panel(draw, controls, height=560, selection=selection), drill.widget, below])


def _among(sources: pivot.Sources, selection: Watching | None) -> pivot.Sources:
    """What is counted: the orders of the selected customers."""
    if selection is None:
        return sources
    lines = None if sources.lines is None else selection.of(sources.lines)
    return sources._replace(orders=selection.of(sources.orders), lines=lines)


def _span_name(run: Run, span: str) -> str:
    return {"period": i18n.period(run.period), "year": _("the last twelve months"), "all": _("the whole record")}[span]


def _window(run: Run, span: str) -> Period | None:
    if span == "all":
        return None
    if span == "period":
        return run.period
    return Period(year_before(run.as_of) + timedelta(days=1), run.as_of, run.period.grain)


def heat(run: Run, found: pivot.Pivot, groups: Mapping[str, str], *, sink: str = "") -> page.Fragment:
    """The table with a darker ground for more; totals beside and below, hidden cells hatched.

    Args:
        sink: of a `Picked`, where cells can be picked.
    """
    remarks = words.hidden(found, run.settings.privacy.smallest_cell), words.how_counted(found)
    note, title = " ".join(filter(None, remarks)), words.title(found)
    largest = max(found.values.stack().dropna().abs(), default=0)
    shown = partial(_short, unit=words.UNITS[found.measure], digits=0 if largest >= 1000 else 2)
    rows, columns = names(found, groups)
    table = Heat(found.values, rows=rows, columns=columns, shown=shown, hidden=found.hidden, sink=sink,
                 totals=Totals(found.row_totals, found.column_totals, found.total))  # fmt: skip
    text = f"{title}\n{named(found, groups).to_string()}\n{note}"
    return page.Fragment(table.html(title, words.dimension(found.rows), note), text)


def names(found: pivot.Pivot, groups: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """What people call the rows and the columns."""
    return tuple(
        [words.level(name, str(code), groups) for code in side]
        for name, side in ((found.rows, found.values.index), (found.columns, found.values.columns)))  # fmt: skip


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
    rows, columns = names(found, groups)
    frame.columns, frame.index = [*columns, _("Total")], [*rows, _("Total")]
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
