"""What if the bins, weights or cuts were others? Segments and a list by rules that are tried, not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.data.engine import few_rows
from workbook.rfm.groups import SEGMENTS, assign
from workbook.rfm.scores import Thresholds, own_cuts, score, thresholds, used_bins, weighted


class WhatIf(NamedTuple):
    """What a tried rule gives."""

    edges: Thresholds
    used: dict[str, int]  # bins with anybody in them, by score
    segments: pd.DataFrame  # segment, customers, customer_share, revenue_share, listed, in the order of the rule
    grid: pd.DataFrame  # customers by recency score (down, best first) and frequency score (across)
    listed: float  # customers on the list
    listed_revenue_share: float  # of the net revenue of twelve months


def what_if(
    buyers: ir.Table,
    *,
    n_bins: int = 5,
    cuts: Mapping[str, Sequence[float]] | None = None,
    weights: Sequence[float] = (1, 1, 1),
    list_share: float = 0.2,
    first_time_apart: bool = True,
    cut_by: ir.Table | None = None,
) -> WhatIf:
    """Score, name and list the buyers by a rule of the moment.

    Args:
        cuts: own cuts by measure; quantile edges where none are given.
        list_share: length of the list, best weighted scores first; its last places are shared by equal scores.
        cut_by: the customers whose quantiles are the cuts; the buyers themselves when left out.
    """
    cut_by = buyers if cut_by is None else cut_by
    edges = own_cuts(thresholds(cut_by, n_bins=n_bins, first_time_apart=first_time_apart), **(cuts or {}))
    scored = assign(weighted(score(buyers, edges), edges, weights=weights), edges)
    groups = scored.group_by("segment", "score").aggregate(
        customers=scored.count(), spend=scored.spend_12m.sum().cast("float64")
    )
    cells = pd.DataFrame(few_rows(groups), columns=list(groups.columns))
    cells = cells.sort_values(["score", "segment"], ascending=[False, True], ignore_index=True)
    chance = _chance_of_a_place(cells, list_share)
    cells = cells.assign(listed=chance * cells["customers"], listed_spend=chance * cells["spend"])
    spend = float(cells["spend"].sum()) or np.nan
    sums = cells.groupby("segment")[["customers", "spend", "listed"]].sum()
    sums = sums.reindex([segment.name for segment in SEGMENTS if segment.name in sums.index]).reset_index()
    return WhatIf(
        edges,
        used_bins(scored),
        pd.DataFrame({
            "segment": sums["segment"], "customers": sums["customers"],
            "customer_share": sums["customers"] / max(sums["customers"].sum(), 1),
            "revenue_share": sums["spend"] / spend, "listed": sums["listed"].round(),
        }),
        _grid(scored, edges),
        float(cells["listed"].sum()),
        float(cells["listed_spend"].sum() / spend),
    )  # fmt: skip


def _grid(scored: ir.Table, edges: Thresholds) -> pd.DataFrame:
    counts = scored.group_by("r", "f").aggregate(customers=scored.count())
    cells = pd.DataFrame(few_rows(counts), columns=list(counts.columns))
    wide = cells.pivot_table(index="r", columns="f", values="customers", aggfunc="sum")
    return wide.reindex(index=range(edges.bins["r"], 0, -1), columns=range(1, edges.bins["f"] + 1))


def _chance_of_a_place(cells: pd.DataFrame, list_share: float) -> pd.Series:
    """Of each group of equal score: the share of it that the list takes."""
    heads = cells.groupby("score", sort=False)["customers"].sum()
    before = heads.cumsum() - heads
    return ((list_share * heads.sum() - before) / heads).clip(0, 1).reindex(cells["score"]).reset_index(drop=True)
