"""The lines of a notebook that a figure is made of: its own statement, and those that made what it uses.

A statement uses the names that it loads and makes those that it binds; walking back from the statement that found a
figure, the last one before that made each name belongs to it, and so on. Left out are imports, which name the library,
and the path of the settings. What a statement changes in place (`entries.append(row)`) counts as made by it too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import nbformat


class Statement(NamedTuple):
    """One statement of a notebook at the outermost level."""

    cell: int  # its number, as IPython counts executed cells
    first_line: int
    last_line: int
    code: str
    makes: frozenset[str]
    uses: frozenset[str]


def statements(notebook: nbformat.NotebookNode) -> list[Statement]:
    """Every statement of the executed code cells, in order; imports are not among them."""
    return [
        statement for cell in notebook.cells
        if cell.cell_type == "code" and cell.execution_count
        for statement in _statements(cell.source, cell.execution_count)
    ]


def _statements(source: str, number: int) -> Iterator[Statement]:
    code = "\n".join("" if line.startswith(("%", "!")) else line for line in source.splitlines())
    for node in ast.parse(code).body:
        if isinstance(node, ast.Import | ast.ImportFrom) or set(_made(node)) == {"settings"}:
            continue
        lines = code.splitlines()[node.lineno - 1 : node.end_lineno]
        yield Statement(number, node.lineno, node.end_lineno or node.lineno, "\n".join(lines),
                        frozenset(_made(node)), frozenset(_used(node)))


def _made(node: ast.stmt) -> Iterator[str]:
    """Names that a statement binds, or whose object it calls a method of on a line of its own."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
            yield part.id
        elif isinstance(part, ast.FunctionDef):
            yield part.name
        elif isinstance(part, ast.Subscript | ast.Attribute) and isinstance(part.ctx, ast.Store):
            yield from _roots(part)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _grows(node.value.func):
        yield from _roots(node.value.func)


def _grows(function: ast.expr) -> bool:
    return isinstance(function, ast.Attribute) and function.attr in ("append", "extend", "update", "add", "insert")


def _roots(part: ast.expr) -> Iterator[str]:
    while isinstance(part, ast.Attribute | ast.Subscript):
        part = part.value
    if isinstance(part, ast.Name):
        yield part.id


def _used(node: ast.stmt) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load):
            yield part.id


def at(every: Sequence[Statement], cell: int, line: int) -> int | None:
    """The place of the statement that a line of a cell belongs to."""
    places = [i for i, s in enumerate(every) if s.cell == cell and s.first_line <= line <= s.last_line]
    return places[0] if places else None


def behind(every: Sequence[Statement], place: int) -> list[int]:
    """The places of a statement and of all that made what it uses, in order."""
    wanted, waiting = {place}, [place]
    while waiting:
        now = waiting.pop()
        for name in every[now].uses:
            for maker in _makers(every, name, before=now):
                if maker not in wanted:
                    wanted.add(maker)
                    waiting.append(maker)
    return sorted(wanted)


def _makers(every: Sequence[Statement], name: str, *, before: int) -> Iterator[int]:
    """The last statement that binds a name afresh, and those after it that change it in place."""
    for place in range(before - 1, -1, -1):
        if name in every[place].makes:
            yield place
            if name not in every[place].uses:
                return


def cells(every: Sequence[Statement], places: Iterable[int]) -> list[int]:
    """The numbers of the cells that statements stand in, in order."""
    return sorted({every[place].cell for place in places})
