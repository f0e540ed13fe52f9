"""How a figure came about: the queries that each cell of a notebook ran, and the cell that found each figure.

Kept while a report is rendered, as an output of the notebook's last cell that no page shows: so it stays with the
executed notebook wherever that is copied. Its form, under the type `KIND`:

    found: {"net_revenue": [9, 4]}           the number of the cell that found the figure, and the line in it
    cells: {"9": [0, 4]}                     the queries that a cell ran, as places in
    queries: ["SELECT …", …]                 each query once, with the names of the store's tables
"""

from __future__ import annotations

import builtins
import sys
from collections import defaultdict
from typing import Any

import ibis
import ibis.expr.types as ir

KIND = "application/vnd.workbook.provenance+json"


class Provenance:
    """What has been asked and found so far in one kernel."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[int, int]] = {}
        self._cells: dict[int, dict[str, None]] = defaultdict(dict)  # a query once a cell, in order
        self._tables: dict[str, str] = {}  # the engine's name of a table → the store's

    def listen(self) -> None:
        """Note every query that the engine is asked from now on."""
        ibis.options.verbose = True
        ibis.options.verbose_log = self._asked

    def reads(self, table: ir.Table, name: str) -> ir.Table:
        """The same table; queries will call it by the store's name."""
        self._tables[table.get_name()] = name
        return table

    def finds(self, name: str) -> None:
        """The figure is found by the line that runs now."""
        self.found[name] = (_running_cell(), _running_line())

    def told(self) -> dict[str, Any]:
        """Everything noted, as JSON can hold it."""
        every = dict.fromkeys(query for asked in self._cells.values() for query in asked)
        queries = {query: n for n, query in enumerate(every)}
        return {
            "found": self.found,
            "cells": {str(cell): [queries[query] for query in asked] for cell, asked in self._cells.items()},
            "queries": [self._by_name(query) for query in queries],
        }

    def _asked(self, query: str) -> None:
        self._cells[_running_cell()][query] = None

    def _by_name(self, query: str) -> str:
        for engine_name, name in self._tables.items():
            query = query.replace(engine_name, name)
        return query


def _running_cell() -> int:
    """The number that IPython shows for the cell that runs; 0 outside a notebook.

    By the list of inputs, which holds the running one: `execution_count` already counts the next in some versions.
    """
    shell = _shell()
    return 0 if shell is None else len(shell.user_ns["_ih"]) - 1


def _running_line() -> int:
    """The line of that cell, whatever functions it is in the midst of; 0 outside a notebook."""
    shell = _shell()
    frame = sys._getframe() if shell is not None else None
    while frame is not None:
        if frame.f_code.co_name == "<module>" and frame.f_globals is shell.user_ns:
            return frame.f_lineno
        frame = frame.f_back
    return 0


def _shell() -> Any:
    """The IPython shell that runs this notebook, or None."""
    return getattr(builtins, "get_ipython", lambda: None)()
