"""What stands behind a cell of the pivot: picked in the table or in two lists, then its rows or its customers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import ipywidgets
from IPython.display import display

from workbook import pivot
from workbook.data.errors import WorkbookError
from workbook.data.run import Run
from workbook.output import i18n, page
from workbook.output.explore.heat import Picked
from workbook.output.explore.panel import WIDE
from workbook.output.explore.selection import Watching
from workbook.output.i18n import _
from workbook.output.words import pivot as words

MOST_ROWS = 200  # of a cell


class Drill:
    """Two lists that follow the table, a cell picked in it, buttons, and what they show."""

    def __init__(self, run: Run, selection: Watching | None) -> None:
        """`selection`: what the customers of a cell become, at a button."""
        self.run, self.selection, self.found = run, selection, None
        self.names: tuple[Sequence[str], Sequence[str]] = ([], [])
        self.picked = Picked(self.pick)
        shared = {"style": WIDE, "layout": ipywidgets.Layout(width="34em")}
        self.row = ipywidgets.Dropdown(options=[(_("all rows"), "")], description=_("In the row"), **shared)
        self.column = ipywidgets.Dropdown(options=[(_("all columns"), "")], description=_("In the column"), **shared)
        buttons = [_button(_("Show the rows"), "wb-drill", self.show)]
        if selection is not None:
            buttons.append(_button(_("Look at these customers"), "wb-look", self.choose))
        self.out = ipywidgets.Output()
        self.out.add_class("wb-rows")
        head = ipywidgets.HTML(f"<h3>{escape(_('What stands behind a cell'))}</h3>"
                               f"<p>{escape(_('Click a number of the table, or choose here.'))}</p>")  # fmt: skip
        self.widget = ipywidgets.VBox(
            [head, self.row, self.column, ipywidgets.HBox(buttons), self.out, self.picked.widget])
        self.widget.add_class("wb-controls")

    def follow(self, found: pivot.Pivot | None, names: tuple[Sequence[str], Sequence[str]]) -> None:
        """Offer the levels of the table of the moment, and forget the rows of the one before."""
        self.found, self.names = found, names
        rows, columns = self._levels()
        self.row.options = [(_("all rows"), ""), *zip(names[0], rows, strict=True)]
        self.column.options = [(_("all columns"), ""), *zip(names[1], columns, strict=True)]
        self.out.clear_output()

    def pick(self, row: int | None, column: int | None) -> None:
        """Show the rows of the cell at this place of the table."""
        for place, side, levels in ((row, self.row, self._levels()[0]), (column, self.column, self._levels()[1])):
            if place is not None and place >= len(levels):
                return  # of a table that has changed meanwhile
            side.value = "" if place is None else levels[place]
        self.show()

    def _levels(self) -> tuple[list[str], list[str]]:
        return ([], []) if self.found is None else (list(self.found.values.index), list(self.found.values.columns))

    def show(self) -> None:
        """The first rows of the chosen cell."""
        self._tell(self.listed)

    def choose(self) -> None:
        """Look at the customers of the chosen cell, in every view."""
        self._tell(self._chosen)

    def _chosen(self) -> page.Fragment:
        if self.found is None:
            return page.say(_("There is no table to look into."))
        sentence = pivot.whom(self.found, row=self.row.value, column=self.column.value)
        if not sentence:
            return page.warning(_("A day, a channel or a product belongs to an order, not to a customer: choose a row "
                                  "or column by what is known of customers, such as their segment."))  # fmt: skip
        sides = zip((self.found.rows, self.found.columns), (self.row, self.column), strict=True)
        called = " · ".join(side.label for name, side in sides if name in pivot.OF_PEOPLE and side.value)
        self.selection.choose(sentence, called)
        return page.say(_("All views show these customers now: {name}.").format(name=called))

    def _tell(self, make: Callable[[], Any]) -> None:
        self.out.clear_output(wait=True)
        with self.out:
            try:
                display(make())
            except WorkbookError as error:
                display(page.warning(str(error)))

    def listed(self) -> page.Fragment:
        """The first rows of the chosen cell as a table."""
        if self.found is None:
            return page.say(_("There is no table to look into."))
        wanted = pivot.rows_behind(self.found, row=self.row.value, column=self.column.value)
        rows = self.run.peek(wanted, MOST_ROWS)
        rows = rows.assign(channel=[words.level("channel", str(code)) for code in rows["channel"]])
        columns = {
            "ordered_on": (_("Day"), "date"), "order_id": (_("Order"), "text"), "customer_id": (_("Customer"), "text"),
            "channel": _("Channel"), "product_name": _("Product"), "amount": (_("Amount"), "money"),
            "returned_amount": (_("Came back"), "money"), "net_amount": (_("Net amount"), "money"),
        }  # fmt: skip
        if not rows["product_name"].notna().any():
            del columns["product_name"]
        note = _("The first {n}, newest first.").format(n=i18n.number(MOST_ROWS)) if len(rows) == MOST_ROWS else ""
        caption = _("Rows behind {row}, {column}").format(row=self.row.label, column=self.column.label)
        return page.table(rows, columns=columns, caption=caption, note=note, most=MOST_ROWS)


def _button(text: str, mark: str, act: Callable[[], None]) -> ipywidgets.Button:
    made = ipywidgets.Button(description=text, layout=ipywidgets.Layout(width="auto"))
    made.add_class(mark)
    made.on_click(lambda _button: act())
    return made
