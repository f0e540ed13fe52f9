"""The data dictionary in words: `schema` as Markdown, a heading and a table of columns for each canonical table.

`python -m workbook.data.dictionary data/sample/README.md` writes it between the two marks of that file.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from workbook.data.errors import WorkbookError
from workbook.data.schema import LINEAGE, TABLES, Column, Table

BEGIN, END = "<!-- dictionary: generated from data/schema.py -->", "<!-- end of dictionary -->"


def dictionary() -> str:
    """Every canonical table, column by column."""
    lineage = ", ".join(f"`{column.name}` ({column.meaning[0].lower()}{column.meaning[1:]})" for column in LINEAGE)
    return "\n\n".join([*map(_section, TABLES.values()), f"Every stored row also has {lineage}."])


def _section(table: Table) -> str:
    switches_on = f" Switches on: {table.switches_on}." if table.switches_on else ""
    rows = ["| column | type | meaning | |", "|---|---|---|---|", *map(_row, table.columns)]
    return f"### {table.name}\n\nOne row: {table.row}.{switches_on}\n\n" + "\n".join(rows)


def _row(column: Column) -> str:
    kind = f"{column.type}, {column.unit}" if column.unit else column.type
    return f"| `{column.name}` | {kind} | {column.meaning} | {'; '.join(_remarks(column))} |"


def _remarks(column: Column) -> Iterable[str]:
    if column.required:
        yield "required"
    if column.key:
        yield "key"
    if column.personal:
        kept = f", kept as {', '.join(f'`{name}`' for name in column.becomes)}" if column.becomes else ", not kept"
        yield f"personal ({column.personal.replace('_', ' ')}){kept}"


def with_dictionary(text: str) -> str:
    """The text with the dictionary between its two marks.

    Raises:
        WorkbookError: when a mark is missing.
    """
    if BEGIN not in text or END not in text:
        raise WorkbookError("The file has no place for the data dictionary.",
                            way_out=f"Write the lines {BEGIN} and {END} where it belongs.")
    return text[:text.index(BEGIN)] + f"{BEGIN}\n\n{dictionary()}\n\n" + text[text.index(END):]


if __name__ == "__main__":
    for name in sys.argv[1:]:
        Path(name).write_text(with_dictionary(Path(name).read_text(encoding="utf-8")), encoding="utf-8")
