"""The code of an offer, as customers enter it with their orders: who used it, whether the message was theirs or not.

An order may carry several codes with commas, semicolons, bars or blanks between them; capitals do not matter.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from workbook.data.engine import few_rows
from workbook.data.run import Run
from workbook.history import known_on

COLUMN = "discount_code"


def entered(orders: ir.Table) -> ir.StringValue:
    """The codes of each order as one text, a comma before and after each; blank where none was entered.

    Where the shop's records have no such column, it is blank everywhere.
    """
    if COLUMN not in orders.columns:
        return ibis.null("string")
    return ibis.literal(",") + orders[COLUMN].upper().re_replace(r"[\s,;|]+", ",") + ","


def has(told: ir.StringValue, code: ir.StringValue) -> ir.BooleanValue:
    """Whether a code is among those entered; no code is in none."""
    return (told.contains(ibis.literal(",") + code.strip().upper() + ",") & (code != "")).coalesce(False)


def used_before(run: Run, code: str) -> bool:
    """Whether somebody ordered with the code by the report date: it is then no code of this list alone."""
    orders = known_on(run.table("clean/orders"), None, day=run.as_of)
    told = orders.select(entered=entered(orders))
    (row,) = few_rows(told.aggregate(orders=told.count(where=has(told.entered, ibis.literal(code)))))
    return bool(row["orders"])
