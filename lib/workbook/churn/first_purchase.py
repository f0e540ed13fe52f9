"""What is known of a first purchase, made ready for curves and for a Cox model of the second.

In: `second_purchase` in pandas. Facts that no source tells, or that are blank for many, stay out: a model drops every
row with a blank.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from workbook.churn.hazards import indicators

KNOWN = 0.9  # share of customers for whom a fact must be known
LARGE_GROUP = 30
HALVES = ("amount_low", "amount_high")  # codes, where no channel is known


class Facts(NamedTuple):
    """A table for `cox`: days, ended and the covariates."""

    frame: pd.DataFrame
    covariates: tuple[str, ...]


def first_facts(rows: pd.DataFrame) -> Facts:
    """log2_first_amount (1 more: twice the amount), discount share, units, categories, channel as 0 and 1."""
    amount = rows["first_amount"].astype(float)
    made = rows[["days", "ended"]].assign(log2_first_amount=np.log2(amount.where(amount > 0)))
    for name in ("first_discount_share", "first_units", "first_categories"):
        made[name] = rows[name].astype(float)
    if _known(rows["first_channel"]):
        made = made.join(indicators(rows, "first_channel", most=4))
    covariates = tuple(name for name in made.columns if name not in ("days", "ended") and _known(made[name]))
    return Facts(made, covariates)


def _known(values: pd.Series) -> bool:
    return bool(len(values)) and values.notna().mean() >= KNOWN and values.nunique() > 1


def start_groups(rows: pd.DataFrame, *, most: int = 5) -> pd.DataFrame:
    """`rows` with `group`: the channel of the first purchase; else whether its amount was above the median.

    Only groups of 30 customers or more, the largest first and at most `most` of them; the others are blank.
    """
    sizes = rows["first_channel"].dropna().value_counts()
    large = sorted(sizes[sizes >= LARGE_GROUP].index, key=lambda name: (-sizes[name], name))[:most]
    if len(large) >= 2:
        return rows.assign(group=rows["first_channel"].where(rows["first_channel"].isin(large)))
    amount = rows["first_amount"].astype(float)
    halves = np.where(amount > amount.median(), HALVES[1], HALVES[0])
    return rows.assign(group=pd.Series(halves, index=rows.index).where(amount.notna()))
