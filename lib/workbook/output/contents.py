"""The table of notebooks in README.md, made of what the notebooks say of themselves.

    python -m workbook.output.contents README.md notebooks
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from workbook.data.notebooks import Notebook, question, read_notebooks

BEGIN, END = "<!-- notebooks: made by `make readme` -->", "<!-- end of notebooks -->"


def table(notebooks: Iterable[Notebook]) -> str:
    """A Markdown table: the notebook, its question, what it needs, what it makes."""
    rows = [
        f"| [{book.name}](notebooks/{book.path.name}) | {question(book.opening)} "
        f"| {_names(book.needs)} | {_names(book.makes)} |"
        for book in notebooks
    ]
    return "\n".join(["| notebook | question | needs | makes |", "|---|---|---|---|", *rows])


def _names(tables: Iterable[str]) -> str:
    return ", ".join(f"`{table}`" for table in tables) or "–"


def refreshed(text: str, notebooks: Iterable[Notebook]) -> str:
    """The text with the table between its two marks made anew."""
    if BEGIN not in text or END not in text:
        raise ValueError(f"the text has no place for the table: {BEGIN} … {END}")
    made = f"{BEGIN}\n\n{table(notebooks)}\n\n{END}"
    return re.sub(f"{re.escape(BEGIN)}.*?{re.escape(END)}", lambda _match: made, text, flags=re.DOTALL)


if __name__ == "__main__":
    readme, folder = map(Path, sys.argv[1:3])
    readme.write_text(refreshed(readme.read_text(encoding="utf-8"), read_notebooks(folder)), encoding="utf-8")
