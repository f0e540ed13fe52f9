"""What a usual shortcut of reading would leave of the same rows: rows with any blank dropped.

The rows of one raw table go in, one small row comes out. Nothing later in the workbook uses it: it is the rival beside
which 01 shows its own way.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import and_

import ibis
import ibis.expr.types as ir


def complete(rows: ir.Table, columns: Sequence[str]) -> ir.Table:
    """What `dropna()` would keep: one row with `rows`, `complete`, `revenue`, `complete_revenue`.

    Args:
        rows: sales, with `amount`.
        columns: those that count; a column that no source brings is blank everywhere and must not be among them.
    """
    full = reduce(and_, [rows[name].notnull() for name in columns], ibis.literal(True))
    return rows.aggregate(
        rows=rows.count(), complete=full.sum(), revenue=rows.amount.sum(),
        complete_revenue=rows.amount.sum(where=full))
