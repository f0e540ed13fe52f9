"""Two dimensions against each other and one measure in the cells, counted so that totals are true.

A customer who bought in two cells counts once in each and once in the total: totals are counted on the whole, never
summed from cells. Rates and means of a total are those of the whole too. Rare levels of a dimension are put together
as others; cells behind which fewer people stand than may be shown are hidden (`suppression`). An anonymous sale counts
as one person there, and as no customer.

    net revenue           what was paid, less what came back
    orders                that are no return documents
    customers             different known ones who bought
    average order value   net revenue ÷ orders
    margin                (net revenue without tax − cost) ÷ net revenue without tax, where the cost is known
    units                 sold
    return share          money given back ÷ money paid
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.data.engine import few_rows
from workbook.data.errors import WorkbookError, nearest
from workbook.pivot.facts import NOT_STATED, ORDERED, OTHERS
from workbook.pivot.suppression import with_totals

ADDED = ("net_revenue", "orders", "units")  # of which a cell that nobody is in has none, that is 0
MEASURES = (*ADDED, "customers", "average_order_value", "margin", "return_share")
MOST = 12  # levels of a dimension, further ones are put together
LAST = (OTHERS, NOT_STATED)


class Pivot(NamedTuple):
    """A table of two dimensions; hidden values are blank."""

    rows: str  # dimension down the side
    columns: str  # dimension across
    measure: str
    values: pd.DataFrame  # levels × levels
    row_totals: pd.Series
    column_totals: pd.Series
    total: float
    hidden: pd.DataFrame  # whether a cell is hidden
    hidden_totals: int  # totals hidden
    facts: ir.Table  # what was counted, with the levels of the table in `row` and `column`


def pivot(
    facts: ir.Table, *, rows: str, columns: str, measure: str = "net_revenue", smallest_cell: int, most: int = MOST
) -> Pivot:
    """The table of one measure.

    Args:
        facts: of `facts`, for the same dimensions.
        smallest_cell: people behind a cell below which it is hidden.

    Raises:
        WorkbookError: an unknown measure.
    """
    if measure not in MEASURES:
        raise WorkbookError(f"There is no measure {measure!r}.", way_out=nearest(measure, MEASURES))
    facts = _few_levels(_few_levels(facts, "row", rows, smallest_cell, most), "column", columns, smallest_cell, most)
    cells, down, across, [whole] = (
        few_rows(facts.group_by(*by).aggregate(**_sums(facts)) if by else facts.aggregate(**_sums(facts)))
        for by in (("row", "column"), ("row",), ("column",), ()))  # fmt: skip
    index = _in_order({row["row"]: row["people"] for row in down}, rows)
    heads = _in_order({row["column"]: row["people"] for row in across}, columns)

    def table(name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
        return _table(cells, index, heads, name), _line(down, "row", index, name), \
            _line(across, "column", heads, name), _of(whole, name)

    people = table("people")
    hidden = with_totals(np.nan_to_num(people[0]), rows=people[1], columns=people[2], whole=people[3],
                         smallest=smallest_cell) if index else np.zeros((1, 1), dtype=bool)
    inner, side, foot, corner = table(measure)
    return Pivot(
        rows, columns, measure,
        pd.DataFrame(np.where(hidden[:-1, :-1], np.nan, inner), index=index, columns=heads),
        pd.Series(np.where(hidden[:-1, -1], np.nan, side), index=index, dtype=float),
        pd.Series(np.where(hidden[-1, :-1], np.nan, foot), index=heads, dtype=float),
        float("nan") if hidden[-1, -1] else corner,
        pd.DataFrame(hidden[:-1, :-1], index=index, columns=heads),
        int(hidden[-1, :].sum() + hidden[:-1, -1].sum()), facts,
    )  # fmt: skip


def rows_behind(found: Pivot, *, row: str = "", column: str = "") -> ir.Table:
    """What was counted in a cell, the newest first; with a level left out, in a whole row, column or table.

    Raises:
        WorkbookError: a cell that is hidden, or that the table does not have.
    """
    refuse_hidden(found, row, column)
    table = found.facts
    kept = [table[name] == level for name, level in (("row", row), ("column", column)) if level]
    table = table.filter(*kept) if kept else table
    return table.order_by(table.ordered_on.desc(), "order_id", "net_amount")


def refuse_hidden(found: Pivot, row: str, column: str) -> None:
    """Nothing, or a WorkbookError: of a cell that is hidden, or that the table does not have."""
    for level, levels in ((row, found.values.index), (column, found.values.columns)):
        if level and level not in levels:
            raise WorkbookError(f"The table has no level {level!r}.", way_out=nearest(level, levels))
    if _is_hidden(found, row, column):
        raise WorkbookError(
            "These rows are not shown.", why="They belong to few people, or would give away the few in another cell.",
            way_out="Choose a larger cell, a whole row, or a longer time.")  # fmt: skip


def _is_hidden(found: Pivot, row: str, column: str) -> bool:
    if row and column:
        return bool(found.hidden.loc[row, column])
    total = found.row_totals[row] if row else found.column_totals[column] if column else found.total
    whole = found.hidden_totals > 0 and bool(np.isnan(total))
    return whole


def _few_levels(facts: ir.Table, side: str, name: str, smallest: int, most: int) -> ir.Table:
    """The facts with rare levels of one side put together, unless the dimension has an order of its own."""
    if name in ORDERED:
        return facts
    counted = facts.group_by(side).aggregate(people=_people(facts))
    people = {row[side]: row["people"] for row in few_rows(counted, limit=100_000)}
    named = sorted((level for level in people if level not in LAST), key=lambda level: (-people[level], level))
    kept = [level for level in named if people[level] >= smallest]
    if len(kept) < len(named) or len(kept) > most:
        kept = kept[: most - 1]
    if len(kept) >= len(named) - 1:  # one alone under the name of others is no better hidden than under its own
        return facts
    return facts.mutate(**{side: ibis.ifelse(facts[side].isin([*kept, NOT_STATED]), facts[side], OTHERS)})


def _people(facts: ir.Table) -> ir.IntegerScalar:
    """Known customers, and every anonymous document as one more, whether bought or given back."""
    return facts.customer_id.nunique() + facts.order_id.nunique(where=facts.customer_id.isnull())


def _sums(facts: ir.Table) -> dict[str, Any]:
    bought, known = ~facts.is_return, facts.cost.notnull() & ~facts.is_return
    amount, net = facts.amount.cast("float64"), facts.net_amount.cast("float64")
    kept = ibis.ifelse(amount == 0, ibis.literal(1.0), net / amount.nullif(0.0))
    of_tax = net - kept * ibis.coalesce(facts.tax, ibis.literal(0.0))
    return {
        "people": _people(facts),
        "customers": facts.customer_id.nunique(where=bought),
        "orders": facts.order_id.nunique(where=bought),
        "net_revenue": facts.net_amount.sum(),
        "units": facts.units.sum(where=bought),
        "paid": facts.amount.sum(where=bought),
        "returned": facts.returned_amount.sum(where=bought),
        "net_of_tax": of_tax.sum(where=known),
        "cost": (kept * facts.cost.cast("float64")).sum(where=known),
    }


def _of(row: Mapping[str, Any], name: str) -> float:
    """A measure from sums; blank where it has no meaning."""
    told = {key: float(value) for key, value in row.items() if value is not None and key not in ("row", "column")}
    if name not in ("average_order_value", "margin", "return_share"):
        return told.get(name, 0.0)
    above, below = {
        "average_order_value": (told.get("net_revenue"), told.get("orders")),
        "margin": (told.get("net_of_tax", 0.0) - told.get("cost", 0.0), told.get("net_of_tax")),
        "return_share": (told.get("returned", 0.0), told.get("paid")),
    }[name]
    return above / below if below and above is not None else float("nan")


def _table(cells: list[dict[str, Any]], index: list[str], heads: list[str], name: str) -> np.ndarray:
    empty = 0.0 if name in (*ADDED, "customers", "people") else np.nan
    values = np.full((len(index), len(heads)), empty)
    at_row, at_column = ({level: place for place, level in enumerate(side)} for side in (index, heads))
    for row in cells:
        values[at_row[row["row"]], at_column[row["column"]]] = _of(row, name)
    return values


def _line(rows: list[dict[str, Any]], side: str, levels: list[str], name: str) -> np.ndarray:
    told = {row[side]: _of(row, name) for row in rows}
    return np.array([told[level] for level in levels], dtype=float)


def _in_order(people: Mapping[str, int], dimension: str) -> list[str]:
    """Levels as a reader looks for them: by time or age, else the most people first; the rest last."""
    if dimension == "age_band":
        return sorted(people, key=lambda level: (level in LAST, int(level.partition("-")[0] or -1)
                                                 if level not in LAST else 0))  # fmt: skip
    if dimension in ORDERED:
        return sorted(people, key=lambda level: (level in LAST, level))
    return sorted(people, key=lambda level: (level in LAST, level == NOT_STATED, -people[level], level))
