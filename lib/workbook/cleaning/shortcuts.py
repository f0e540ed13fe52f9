"""What the usual shortcuts would make of the same records: the rivals beside which 02 shows its own way.

Nothing later in the workbook uses these figures. Sums are of the recorded amounts in the reporting currency; a row that
no rule has looked at yet may be in them.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir

from workbook.data.engine import few_rows


class Step(NamedTuple):
    """What is left after one line of the recipe."""

    code: str  # arrived, positive, named, different
    rows: int
    customers: int
    revenue: float


def recipe(marked: ir.Table, *, as_of: date) -> list[Step]:
    """The recipe of most tutorials, line by line: no negative amounts, no blank customers, no rows alike.

    Args:
        marked: every line that arrived (`clean/marked_lines`); those dated up to `as_of` count.
    """
    known = marked.filter(marked.ordered_on <= as_of)
    positive = known.amount > 0
    named = positive & known.customer_id.notnull()
    different = named & ~known.is_exact_duplicate & ~known.is_repeated_key
    left = {"arrived": known.ordered_on.notnull(), "positive": positive, "named": named, "different": different}
    [seen] = few_rows(known.aggregate(
        **{f"rows_{code}": kept.sum() for code, kept in left.items()},
        **{f"customers_{code}": known.customer_id.nunique(where=kept) for code, kept in left.items()},
        **{f"revenue_{code}": known.amount.sum(where=kept) for code, kept in left.items()}))
    return [Step(code, int(seen[f"rows_{code}"] or 0), int(seen[f"customers_{code}"] or 0),
                 float(seen[f"revenue_{code}"] or 0)) for code in left]


class Booked(NamedTuple):
    """Returns charged to the span of days in which they arrive."""

    amount: float  # money that came back in these days
    earlier: float  # the part of it that undid purchases of before


def booked(returns: ir.Table, *, start: date, end: date) -> Booked:
    """What came back from `start` to `end`, and how much of it was bought before.

    Args:
        returns: matched ones, as `clean/returns`.
    """
    inside = returns.filter(returns.returned_on.between(start, end))
    [seen] = few_rows(inside.aggregate(
        amount=inside.amount.sum(), earlier=inside.amount.sum(where=inside.purchased_on < start)))
    return Booked(float(seen["amount"] or 0), float(seen["earlier"] or 0))


class Buyers(NamedTuple):
    """Buyers, and those who bought on more than one day."""

    buyers: int
    again: int


def by_id_and_person(lines: ir.Table) -> tuple[Buyers, Buyers]:
    """Buyers counted by the id that they came with, and by the person behind it.

    Args:
        lines: clean order lines, with `raw_customer_id` and `customer_id`.
    """
    bought = lines.filter(~lines.is_return, lines.customer_id.notnull())
    return _buyers(bought, "raw_customer_id"), _buyers(bought, "customer_id")


def _buyers(bought: ir.Table, who: str) -> Buyers:
    each = bought.group_by(who).aggregate(days=bought.ordered_on.nunique())
    [seen] = few_rows(each.aggregate(buyers=each.count(), again=(each.days > 1).sum()))
    return Buyers(int(seen["buyers"]), int(seen["again"] or 0))
