"""Which customer is looked up: typed by id, chosen from the first of a selection, or stepped to, one after another."""

from __future__ import annotations

from html import escape
from typing import NamedTuple

import ibis.expr.types as ir
import ipywidgets

from workbook.data.run import Run
from workbook.output.explore.panel import WIDE
from workbook.output.explore.selection import Observable, Watching
from workbook.output.i18n import _
from workbook.output.words import look_up as words
from workbook.pivot import person

OFFERED = 50  # customers in the list


class Now(NamedTuple):
    """Who is looked up, and among whom."""

    customer_id: str
    called: str  # the selection's name; empty: everybody
    customers: int


class Steps:
    """The controls of the look-up.

    They begin with the first customer of the selection. When the selection changes, a customer who was stepped to
    gives way to the first of the new one; one whose id was typed stays.
    """

    def __init__(self, run: Run, people: ir.Table, selection: Watching | None) -> None:
        self.run, self.people, self.selection = run, people, selection
        self.typed, self.quiet = False, False
        shared = {"style": WIDE, "layout": ipywidgets.Layout(width="34em")}
        self.asked = ipywidgets.Text(description=_("Customer id"), continuous_update=False, **shared)
        self.offered = ipywidgets.Dropdown(description=_("or one of the first"), **shared)
        self.back, self.on = (ipywidgets.Button(description=text, layout=ipywidgets.Layout(width="auto"))
                              for text in (_("Previous customer"), _("Next customer")))  # fmt: skip
        self.told = ipywidgets.HTML()
        for widget, mark in ((self.asked, "wb-id"), (self.offered, "wb-offered"), (self.back, "wb-previous"),
                             (self.on, "wb-next"), (self.told, "wb-place")):  # fmt: skip
            widget.add_class(mark)
        self.widgets = [self.asked, self.offered, ipywidgets.HBox([self.back, self.on, self.told])]
        self.now = Observable(Now("", "", 0))
        self.follow()
        self.asked.observe(lambda change: self._unless_quiet(change["new"].strip(), typed=True), "value")
        self.offered.observe(lambda change: self._unless_quiet(change["new"], typed=False), "value")
        self.back.on_click(lambda _button: self.step(-1))
        self.on.on_click(lambda _button: self.step(1))
        if selection is not None:
            selection.observe(lambda _change: self.follow())

    @property
    def among(self) -> ir.Table:
        """The customers to step through."""
        return self.people if self.selection is None else self.selection.of(self.people)

    def follow(self) -> None:
        """Offer the customers of the selection of the moment, and go to its first, unless an id was typed."""
        first = self.run.peek(person.ranked(self.among), OFFERED)
        segments = first["segment"] if "segment" in first else [None] * len(first)
        named = [(words.offered(row.customer_id, segment if segment == segment else None, float(row.spend_12m)),
                  row.customer_id) for row, segment in zip(first.itertuples(), segments, strict=True)]  # fmt: skip
        self.quiet = True
        self.offered.options = [(_("choose …"), ""), *named]
        self.quiet = False
        shown = self.now.value.customer_id
        stays = shown and (self.typed or self.place(shown) >= 0)
        self.go(shown if stays else named[0][1] if named else "", typed=self.typed)

    def place(self, customer_id: str) -> int:
        """Of a customer among those to step through, counted from 0; -1: not among them."""
        return int(self.run.peek(person.place_of(self.among, customer_id), 1)["place"].iloc[0])

    def step(self, by: int) -> None:
        """To the customer so many places on; from outside, to the first."""
        at = self.place(self.now.value.customer_id)
        found = self.run.peek(person.at_place(self.among, at + by if at >= 0 else 0), 1)["customer_id"].tolist()
        if found:
            self.go(str(found[0]), typed=False)

    def go(self, customer_id: str, *, typed: bool) -> None:
        """Look this customer up; the controls say who it is and where they stand."""
        self.typed = typed and bool(customer_id)
        customers, at = self._customers(), self.place(customer_id)
        self.quiet = True
        self.asked.value = customer_id
        self.offered.value = customer_id if customer_id in [value for _name, value in self.offered.options] else ""
        self.quiet = False
        self.back.disabled, self.on.disabled = at <= 0, at + 1 >= customers
        self.told.value = f'<p role="status">{escape(words.place(at, customers))}</p>'
        called = self.selection.value.called if self.selection is not None and self.selection.narrows else ""
        self.now.tell(Now(customer_id, called, customers))

    def _customers(self) -> int:
        if self.selection is None or not self.selection.narrows:
            return int(self.run.peek(self.people.aggregate(n=self.people.count()), 1)["n"].iloc[0])
        return int(self.selection.value.customers)

    def _unless_quiet(self, customer_id: str, *, typed: bool) -> None:
        if not self.quiet and (customer_id or typed):
            self.go(customer_id, typed=typed)
