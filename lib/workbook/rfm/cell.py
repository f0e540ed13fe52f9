"""A cell of recency score by frequency score, as a filter of `segments`: who is in it, by the cuts of a rule."""

from __future__ import annotations

from collections.abc import Sequence

from workbook.rfm.scores import Thresholds


def cell_filter(edges: Thresholds, *, r: int, f: int) -> str:
    """The buyers with these two scores.

    >>> cell_filter(Thresholds((30, 90), (1,), (50,)), r=2, f=2)
    'purchase_days > 0 and recency_days > 30 and recency_days <= 90 and frequency > 1'
    """
    bins = edges.bins["r"]
    return " and ".join([
        "purchase_days > 0", *_between("recency_days", edges.recency_days, bins - r),
        *_between("frequency", edges.frequency, f - 1),
    ])  # fmt: skip


def _between(column: str, edges: Sequence[float], below: int) -> list[str]:
    """Above the edges below, and at most the next one."""
    over = [f"{column} > {_plain(edges[below - 1])}"] if below > 0 else []
    return over + ([f"{column} <= {_plain(edges[below])}"] if below < len(edges) else [])


def _plain(edge: float) -> str:
    """Without an exponent, which no filter reads."""
    return f"{edge:.12f}".rstrip("0").rstrip(".")
