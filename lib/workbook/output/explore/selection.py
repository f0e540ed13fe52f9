"""Which customers are looked at: one choice that all explorers of a page share.

A selection is a filter sentence of `segments` over the table of customers, or nothing: everybody. An explorer that is
given one shows the chosen customers alone, and draws anew when the choice changes. One that is out of sight waits: it
draws when it is shown again. A view in which the choice was made goes on showing everybody, so that one can choose
again: it filters the others.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import ibis.expr.types as ir
import pandas as pd

from workbook import segments
from workbook.data.run import Run


class Chosen(NamedTuple):
    """A choice of customers."""

    sentence: str  # of a filter; empty: everybody
    name: str  # for people; empty: the sentence is its name
    customers: int
    of: int
    by: str = ""  # the view in which it was made; empty: above all of them

    @property
    def called(self) -> str:
        """What people call it."""
        return self.name or self.sentence


class Observable:
    """A value that can be watched in the way of controls (`observe(…, "value")`)."""

    def __init__(self, value: Any) -> None:
        self.value = value
        self._watchers: list[Callable[[Any], None]] = []

    def observe(self, watcher: Callable[[Any], None], names: Any = "value") -> None:
        """Call `watcher` with every new value."""
        self._watchers.append(watcher)

    def tell(self, value: Any) -> None:
        """Take a new value; nothing happens where it is the old one."""
        if value == self.value:
            return
        self.value = value
        for watcher in self._watchers:
            watcher({"new": value})


class Selection(Observable):
    """The choice of a page, and the filters that were saved to choose from."""

    def __init__(self, run: Run, people: ir.Table) -> None:
        """`people`: one row a customer, with the columns that filters may name."""
        self.run, self.people = run, people
        self.saved = Observable(segments.saved(run))  # name → sentence
        of = int(run.frame(people.aggregate(n=people.count()))["n"].iloc[0])
        super().__init__(Chosen("", "", of, of))

    @cached_property
    def everyone(self) -> Chosen:
        """The choice of everybody."""
        return Chosen("", "", self.value.of, self.value.of)

    def choose(self, sentence: str, name: str = "", *, by: str = "") -> None:
        """Look at those for whom the filter holds; an empty sentence: at everybody.

        Args:
            by: the view that chooses.

        Raises:
            WorkbookError: a filter that is not understood, or does not fit the customers' columns.
        """
        sentence = sentence.strip()
        if not sentence:
            self.tell(self.everyone)
            return
        size = segments.size(self.people, segments.parse(sentence))
        self.tell(Chosen(sentence, name, size.customers, self.value.of, by))

    @property
    def narrows(self) -> bool:
        """Whether fewer than everybody are shown."""
        return bool(self.value.sentence)

    def of(self, table: ir.Table) -> ir.Table:
        """The rows of the chosen customers, of a table with customer_id."""
        return table.semi_join(self._members, "customer_id") if self.narrows else table

    def inside(self, customers: pd.Series) -> pd.Series:
        """For each customer id whether it is chosen."""
        if not self.narrows:
            return pd.Series(True, index=customers.index)
        return customers.isin(self.run.frame(self._members)["customer_id"])

    @property
    def _members(self) -> ir.Table:
        return segments.members(self.people, segments.parse(self.value.sentence)).select("customer_id")


class Watched(Observable):
    """A selection as one view of a page sees it: it follows while the view is in sight, and catches up when it is."""

    def __init__(self, selection: Selection, view: str = "") -> None:
        """`view`: its name, by which it knows a choice of its own."""
        super().__init__(selection.value)
        self.selection, self.view, self.in_sight = selection, view, True
        self.saved = selection.saved
        selection.observe(lambda change: self._follow(change["new"]) if self.in_sight else None)

    def show(self, in_sight: bool) -> None:
        """Say whether the view is in sight."""
        self.in_sight = in_sight
        if in_sight:
            self._follow(self.selection.value)

    def choose(self, sentence: str, name: str = "") -> None:
        """See `Selection.choose`; this view goes on showing everybody."""
        self.selection.choose(sentence, name, by=self.view)

    @property
    def narrows(self) -> bool:
        """Whether this view shows fewer than everybody."""
        return self._shown(self.value) != ""

    def of(self, table: ir.Table) -> ir.Table:
        """See `Selection.of`."""
        return self.selection.of(table) if self.narrows else table

    def inside(self, customers: pd.Series) -> pd.Series:
        """See `Selection.inside`."""
        return self.selection.inside(customers) if self.narrows else pd.Series(True, index=customers.index)

    def _follow(self, chosen: Chosen) -> None:
        """Take the choice; whoever watches is told where other customers are shown by it."""
        if self._shown(chosen) == self._shown(self.value):
            self.value = chosen
        else:
            self.tell(chosen)

    def _shown(self, chosen: Chosen) -> str:
        """The filter that this view applies."""
        return "" if self.view and chosen.by == self.view else chosen.sentence


Watching = Selection | Watched
