"""Where the figures of a chapter come from: the lines that made each, and the queries that these asked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import nbformat

from workbook.data.provenance import KIND
from workbook.output.pages import slices
from workbook.output.pages.body import executed

_CLAUSES = re.compile(
    r"(?<=\S) (?=(?:FROM|WHERE|GROUP BY|ORDER BY|HAVING|LIMIT|LEFT OUTER JOIN|INNER JOIN|UNION ALL)\b)")


class Way(NamedTuple):
    """How one or more figures were made: the statements by cell, and the queries that those cells asked."""

    number: int
    code: tuple[tuple[int, str], ...]  # number of the cell, its lines
    queries: tuple[int, ...]  # places in `Origins.queries`


class Origins(NamedTuple):
    """The ways of one chapter, and its queries."""

    ways: tuple[Way, ...]
    way_of: Mapping[str, int]  # figure → place in `ways`
    queries: tuple[str, ...]


NOTHING = Origins((), {}, ())


def origins(paths: Iterable[Path]) -> Origins:
    """What the executed notebooks of one chapter tell, one a language; the one that asked most is believed.

    A second language reads what the first one made, and asks less.
    """
    told = [(notebook, found) for path in paths if path.exists()
            for notebook in [executed(path)] if (found := _provenance(notebook))]
    if not told:
        return NOTHING
    notebook, found = max(told, key=lambda pair: len(pair[1]["queries"]))
    every = slices.statements(notebook)
    places = {name: slices.at(every, cell, line) for name, (cell, line) in found["found"].items()}
    known = dict.fromkeys(place for place in places.values() if place is not None)
    ways = tuple(_way(number, every, place, found) for number, place in enumerate(known))
    number_of = {place: number for number, place in enumerate(known)}
    way_of = {name: number_of[place] for name, place in places.items() if place is not None}
    return Origins(ways, way_of, tuple(_in_lines(query) for query in found["queries"]))


def _provenance(notebook: nbformat.NotebookNode) -> dict[str, Any] | None:
    for cell in reversed(notebook.cells):
        for output in cell.get("outputs", ()):
            if KIND in output.get("data", {}):
                return output.data[KIND]
    return None


def _way(number: int, every: list[slices.Statement], place: int, found: dict[str, Any]) -> Way:
    behind = slices.behind(every, place)
    cells = slices.cells(every, behind)
    code = tuple((cell, "\n".join(every[i].code for i in behind if every[i].cell == cell)) for cell in cells)
    asked = dict.fromkeys(query for cell in cells for query in found["cells"].get(str(cell), ()))
    return Way(number, code, tuple(asked))


def _in_lines(query: str) -> str:
    """A query with a line a clause, as it was sent but for the breaks."""
    return _CLAUSES.sub("\n", query)
