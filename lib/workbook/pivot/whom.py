"""The customers of a cell as a filter of `segments`: by what is known of them, not by what they ordered when and where.
"""

from __future__ import annotations

from workbook.pivot.counting import Pivot, refuse_hidden
from workbook.pivot.facts import NOT_STATED, OF_PEOPLE, OTHERS


def whom(found: Pivot, *, row: str = "", column: str = "") -> str:
    """The filter; empty where neither level belongs to customers.

    Raises:
        WorkbookError: a cell that is hidden, or that the table does not have.
    """
    refuse_hidden(found, row, column)
    sides = (found.rows, row, found.values.index), (found.columns, column, found.values.columns)
    return " and ".join(_holding(name, level, list(levels)) for name, level, levels in sides
                        if level and name in OF_PEOPLE)  # fmt: skip


def _holding(name: str, level: str, levels: list[str]) -> str:
    if level == NOT_STATED:
        return f"{name} is empty"
    if level != OTHERS:
        return f"{name} = {_quoted(level)}"
    named = ", ".join(_quoted(other) for other in levels if other not in (OTHERS, NOT_STATED))
    return f"{name} is not empty and {name} not in ({named})" if named else f"{name} is not empty"


def _quoted(level: str) -> str:
    """A level as a filter writes it.

    >>> _quoted("at_risk"), _quoted('6" pots')
    ('"at_risk"', '\\'6" pots\\'')
    """
    return f"'{level}'" if '"' in level else f'"{level}"'
