"""The numbered notebooks as files: what each asks, needs and makes.

A notebook says it itself: the title and the question in its first cell, the tables in its metadata
(`{"workbook": {"needs": ["clean/orders"], "optional": ["clean/events"], "makes": ["rfm"]}}`).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any, NamedTuple

from workbook.data.errors import WorkbookError


class Notebook(NamedTuple):
    """One notebook, as it describes itself."""

    name: str  # 04_rfm
    path: Path
    opening: str  # its first cell: title, question, what it is good for
    needs: tuple[str, ...]  # tables without which it cannot run
    optional: tuple[str, ...]  # tables that switch on more of it
    makes: tuple[str, ...]


def notebooks_folder() -> Path:
    """The folder of the notebooks: WORKBOOK_NOTEBOOKS, or beside the library."""
    named = os.environ.get("WORKBOOK_NOTEBOOKS")
    folder = Path(named) if named else Path(__file__).resolve().parents[3] / "notebooks"
    if not folder.is_dir():
        raise WorkbookError(
            f"There is no folder of notebooks at {folder}.",
            why="The library was installed without the project around it.",
            way_out="Work in a clone of the project, or name the folder in WORKBOOK_NOTEBOOKS.",
        )
    return folder


def read_notebooks(folder: Path | None = None) -> list[Notebook]:
    """All numbered notebooks of a folder, by number."""
    return [read_notebook(path) for path in sorted((folder or notebooks_folder()).glob("[0-9][0-9]_*.ipynb"))]


def read_notebook(path: Path) -> Notebook:
    """What one notebook says of itself."""
    notebook = _read(path)
    first = _source(notebook["cells"][0]) if notebook["cells"] else ""
    tables = notebook["metadata"].get("workbook", {})
    needs, optional, makes = (tuple(tables.get(key, ())) for key in ("needs", "optional", "makes"))
    return Notebook(path.stem, path, first, needs, optional, makes)


def code_cells(path: Path) -> list[str]:
    """The code of a notebook, cell by cell."""
    return [_source(cell) for cell in _read(path)["cells"] if cell["cell_type"] == "code"]


def _read(path: Path) -> dict[str, Any]:
    """A notebook of version 4 as it lies in its file: importing nbformat takes longer than all else a command does.

    Raises:
        WorkbookError: it is none.
    """
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise _no_notebook(path, str(error)) from error
    if not isinstance(read, dict) or not {"cells", "metadata"} <= read.keys():
        raise _no_notebook(path, "cells or metadata are missing; up to version 3 they were elsewhere")
    return read


def _no_notebook(path: Path, why: str) -> WorkbookError:
    return WorkbookError(f"{path} is no notebook of version 4: {why}.",
                         why="A save may have been cut off, or a merge left its marks in it.",
                         way_out=f"Take it back from the project (git checkout {path.name}), or save it in JupyterLab.")


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])  # one text, or a list of its lines


def title(cell: str) -> str:
    """The heading of a first cell.

    >>> title("# RFM\\n\\n**Whom should we write to?**")
    'RFM'
    """
    found = re.search(r"^# +(.+)$", cell, flags=re.MULTILINE)
    return found[1].strip() if found else ""


def question(cell: str) -> str:
    """The first question of a cell, in any of its languages, without its marks.

    >>> question("# RFM\\n\\n**Whom should we write to?** A letter costs money.")
    'Whom should we write to?'
    """
    body = re.sub(r"^#+ .*$", "", cell, flags=re.MULTILINE)
    plain = re.sub(r"[*_>`]", "", re.sub(r"\*\*[^*?？]*[:：]\*\*", "", body))
    found = re.search(r"(?:^|(?<=[.!。！]\s)|(?<=[。！]))[^.!。！\n]*[?？]", plain.strip(), flags=re.MULTILINE)
    return " ".join(found[0].split()) if found else ""


def in_order(notebooks: list[Notebook]) -> list[Notebook]:
    """The notebooks so that each comes after those that make what it needs, otherwise by number.

    Raises:
        WorkbookError: when two notebooks need each other's tables.
    """
    by_name = {notebook.name: notebook for notebook in notebooks}
    graph = {
        notebook.name: makers_of((*notebook.needs, *notebook.optional), notebooks) - {notebook.name}
        for notebook in notebooks
    }
    sorter = TopologicalSorter(graph)
    try:
        sorter.prepare()
    except CycleError as error:
        raise WorkbookError(
            f"These notebooks need each other's tables: {' → '.join(error.args[1])}.",
            way_out="Take one table out of the metadata (needs, optional) of one of them.",
        ) from None
    ordered: list[Notebook] = []
    ready = sorted(sorter.get_ready())
    while ready:
        name = ready.pop(0)
        ordered.append(by_name[name])
        sorter.done(name)
        ready = sorted([*ready, *sorter.get_ready()])
    return ordered


def makers_of(tables: Iterable[str], notebooks: list[Notebook]) -> set[str]:
    """The names of the notebooks that make these tables."""
    makers = {table: notebook.name for notebook in notebooks for table in notebook.makes}
    return {maker for table in tables if (maker := _maker(table, makers))}


def _maker(table: str, makers: dict[str, str]) -> str:
    """Who makes a table: by its name, or by a pattern such as `raw/*`."""
    folder, _, _ = table.partition("/")
    return makers.get(table) or makers.get(f"{folder}/*", "")
