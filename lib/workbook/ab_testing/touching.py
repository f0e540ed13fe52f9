"""Which decisions of the whole shop have customers of one of its parts on their lists.

A decision is settled for the shop as a whole, never within a part. Its control was drawn for the whole list, and who is
a customer of a part is known from where they bought, also after the message: a treated customer whom the action brought
to a region would count there, their like in the control would not, and the arms would no longer differ in nothing else.

In: the registered decisions, their lists, clean/customers of the part. Out: how many of each arm are customers of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir
import pandas as pd

from workbook.ab_testing.book import programme_figures
from workbook.ab_testing.members import CONTROL, TREATED, Frame
from workbook.ab_testing.programme import programme
from workbook.data.findings import Figure
from workbook.decisions import Decision


class Touched(NamedTuple):
    """A decision with customers of the part on its list."""

    decision: Decision
    treated: int  # of them, customers of the part
    control: int


def touching(
    registered: Sequence[Decision], members: Callable[[str], pd.DataFrame], customers: ir.Table, *, frame: Frame
) -> list[Touched]:
    """The decisions whose list has customers of the part, oldest first.

    Args:
        members: a decision's id → its list: customer_id, arm.
        customers: of the part.
    """
    here = set(frame(customers.select("customer_id").distinct())["customer_id"]) if registered else set()
    found = []
    for one in registered:
        people = members(one.id)
        arms = people.loc[people["customer_id"].isin(here), "arm"].value_counts()
        if len(arms):
            found.append(Touched(one, int(arms.get(TREATED, 0)), int(arms.get(CONTROL, 0))))
    return found


def part_figures(touched: Sequence[Touched]) -> list[Figure]:
    """The account's named results in the report of a part: how many decisions touch it; the rest is told of all."""
    of_all = programme_figures(programme([], period_start=date.max), [])
    return [Figure("decisions_registered", len(touched), "number") if one.name == "decisions_registered"
            else Figure(one.name, None, one.unit, reason="of_the_whole") for one in of_all]
