"""Text that a spreadsheet would take for a formula, and how a CSV file of ours keeps it harmless.

A cell that begins with = + - @ (also in full width), a tab or the end of a line is run by spreadsheets when they open
a CSV file, whoever wrote it: a product's name, a search term. In text columns such a cell gets one apostrophe in front,
and so does a cell that begins with an apostrophe. Whoever reads the file with a program takes one leading apostrophe
away and has what was there. Numbers, dates and truth values are not text and stay as they are.

Source: OWASP, CSV Injection, https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import re

import duckdb

BEGINNINGS = "=+\\-@＝＋－＠\t\r\n'"
_RUNS = re.compile(f"[{BEGINNINGS}]")


def harmless(text: str) -> str:
    """The text as a CSV cell that no spreadsheet runs.

    >>> harmless("=1+1"), harmless("-5 % off"), harmless("'t Hart"), harmless("tea")
    ("'=1+1", "'-5 % off", "''t Hart", 'tea')
    """
    return f"'{text}" if _RUNS.match(text) else text


def as_written(cell: str) -> str:
    """The text that `harmless` was given.

    >>> as_written("'=1+1"), as_written("''t Hart"), as_written("tea")
    ('=1+1', "'t Hart", 'tea')
    """
    return cell.removeprefix("'")


def harmless_texts(table: duckdb.DuckDBPyRelation) -> duckdb.DuckDBPyRelation:
    """The table with its text columns harmless."""
    pattern = f"^[{BEGINNINGS}]".replace("'", "''")
    columns = []
    for name, kind in zip(table.columns, table.types, strict=True):
        quoted = '"' + name.replace('"', '""') + '"'
        runs = f"CASE WHEN regexp_matches({quoted}, '{pattern}') THEN chr(39) || {quoted} ELSE {quoted} END AS {quoted}"
        columns.append(runs if str(kind) == "VARCHAR" else quoted)
    return table.project(", ".join(columns))
