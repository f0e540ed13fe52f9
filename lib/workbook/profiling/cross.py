"""Any two attributes of customers against each other: counts, revenue, value, and which cells are unusual.

One row per customer goes in; a table of rows × columns comes out. Every customer is in exactly one cell, so the counts
are independent and can be tested. A cell's **adjusted residual** is

    (observed − expected) / √(expected · (1 − row share) · (1 − column share))

with the expected count of independence; it is about standard normal when the attributes have nothing to do with
each other. Many cells are looked at, so a cell is called unusual only beyond the Bonferroni limit, and only where at
least five customers were expected.

Cells with fewer customers than `smallest_cell` are hidden, and so are further cells until none of them can be worked
out from the row and column totals (`pivot.suppression` says how, and what that does not protect from). Rare levels of
an attribute are put together first.

Source: S. J. Haberman, The analysis of residuals in cross-classified tables, 1973.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.stats import norm

from workbook.pivot import NOT_STATED, OTHERS, suppressed

BAND = re.compile(r"\d*-\d*")
LAST = (OTHERS, NOT_STATED)
LEAST_EXPECTED = 5.0  # below, the normal approximation of a residual is not trusted (Cochran 1954)


class Cross(NamedTuple):
    """A table of two attributes; hidden cells are empty in every frame."""

    customers: pd.DataFrame
    revenue: pd.DataFrame  # net revenue in the window
    value: pd.DataFrame  # net revenue per customer in the window
    expected: pd.DataFrame  # customers to be expected if the attributes had nothing to do with each other
    residual: pd.DataFrame  # adjusted residual of the count
    unusual: pd.DataFrame  # whether the residual is beyond the limit
    limit: float  # Bonferroni limit of the absolute residual
    tested: int  # cells looked at
    hidden: int  # cells hidden, because few or to protect the few
    n: int  # customers in the table

    @property
    def found(self) -> pd.DataFrame:
        """The unusual cells, the most unusual first: row, column, customers, residual."""
        at, counts, residual = np.argwhere(self.unusual.to_numpy()), self.customers, self.residual
        rows = [(counts.index[i], counts.columns[j], counts.iat[i, j], residual.iat[i, j]) for i, j in at]
        cells = pd.DataFrame(rows, columns=["row", "column", "customers", "residual"])
        return cells.sort_values("residual", key=abs, ascending=False, ignore_index=True, kind="stable")


def cells(profile: ir.Table, rows: str, columns: str, *, value: str = "net_revenue") -> ir.Table:
    """row, column, customers, revenue: one row a pair of levels that someone has."""
    stated = {
        "row": ibis.coalesce(profile[rows].cast("string"), NOT_STATED),
        "column": ibis.coalesce(profile[columns].cast("string"), NOT_STATED),
    }
    paired = profile.mutate(**stated)
    return paired.group_by("row", "column").agg(customers=paired.count(), revenue=paired[value].cast("float64").sum())


def levels(profile: ir.Table, attribute: str, *, value: str = "net_revenue") -> ir.Table:
    """level, customers, revenue: one row a level of one attribute."""
    stated = profile.mutate(level=ibis.coalesce(profile[attribute].cast("string"), NOT_STATED))
    return stated.group_by("level").agg(customers=stated.count(), revenue=stated[value].cast("float64").sum())


def grouped(counts: pd.Series, *, smallest: int, most: int = 8) -> dict[str, str]:
    """Under which name each level is shown, so that no group shown is too small.

    Rare levels are put together as others, small bands of a scale (`18-24`) with their smaller neighbour. Where too few
    have not stated it, they are left out.

    Args:
        counts: level → customers.
    """
    if NOT_STATED in counts.index and counts[NOT_STATED] < smallest:
        counts = counts.drop(labels=NOT_STATED)
    named = counts.drop(labels=list(LAST), errors="ignore")
    if len(named) and all(BAND.fullmatch(level) for level in named.index):
        return _neighbours(named, smallest) | {level: level for level in counts.index if level not in named.index}
    ranked = named.sort_values(ascending=False, kind="stable")
    fits = len(ranked) <= most
    kept = [level for place, (level, n) in enumerate(ranked.items()) if n >= smallest and (fits or place < most - 1)]
    if NOT_STATED in counts.index:
        kept.append(NOT_STATED)
    by_size = sorted(kept, key=lambda level: counts[level])
    while by_size and 0 < counts.drop(labels=kept).sum() < smallest:
        kept.remove(by_size.pop(0))
    return {level: level if level in kept else OTHERS for level in counts.index}


def _neighbours(bands: pd.Series, smallest: int) -> dict[str, str]:
    """Bands of a scale, each too small one joined with the smaller of its neighbours: `18-24` and `25-34`: `18-34`."""
    joined = [([band], int(bands[band])) for band in sorted(bands.index, key=_lower_end)]
    while len(joined) > 1 and min(n for _members, n in joined) < smallest:
        at = min(range(len(joined)), key=lambda place: joined[place][1])
        beside = min((i for i in (at - 1, at + 1) if 0 <= i < len(joined)), key=lambda place: joined[place][1])
        first, second = sorted((at, beside))
        joined[first : second + 1] = [(joined[first][0] + joined[second][0], joined[first][1] + joined[second][1])]
    names = {}
    for members, _n in joined:
        name = f"{members[0].partition('-')[0]}-{members[-1].partition('-')[2]}"
        names |= dict.fromkeys(members, name)
    return names


def _lower_end(band: str) -> int:
    return int(band.partition("-")[0] or -1)


def one_way(counted: pd.DataFrame, *, smallest: int, most: int = 8) -> pd.DataFrame:
    """level, customers, revenue, value, share: levels too small to show put together, the largest first."""
    shown = grouped(counted.set_index("level")["customers"], smallest=smallest, most=most)
    table = counted.assign(level=counted["level"].map(shown)).dropna(subset="level")
    table = table.groupby("level", as_index=False)[["customers", "revenue"]].sum()
    table = table[table["customers"] >= smallest]
    n = table["customers"].sum()
    table = table.assign(value=table["revenue"] / table["customers"], share=table["customers"] / n)
    order = table.assign(last=table["level"].isin(LAST)).sort_values(["last", "customers"], ascending=[True, False])
    return order.drop(columns="last").reset_index(drop=True)


def pair(known: Sequence[str], *, rows: str, columns: str) -> tuple[str, str] | None:
    """Two attributes to show: those asked for, or else the first that are known; None with fewer than two."""
    wanted = [name for name in (rows, columns) if name in known]
    found = list(dict.fromkeys([*wanted, *known]))
    return (found[0], found[1]) if len(found) > 1 else None


def crosstab(counted: pd.DataFrame, *, smallest_cell: int, most_levels: int = 8, level: float = 0.05) -> Cross:
    """The table of two attributes, small cells hidden.

    Args:
        counted: what `cells` gives.
        level: chance of calling any cell unusual when the attributes are independent.
    """
    counts, revenue = _pivoted(counted, smallest_cell, most_levels)
    hidden = suppressed(counts.to_numpy(), smallest=smallest_cell)
    while hidden is None:
        counts, revenue = _smaller(counts, revenue)
        hidden = suppressed(counts.to_numpy(), smallest=smallest_cell)
    residual, expected = residuals(counts.to_numpy())
    tested = residual.size
    limit = float(norm.isf(level / (2 * tested))) if tested else 0.0

    def frame(values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, index=counts.index, columns=counts.columns)

    unusual = (np.abs(np.nan_to_num(residual)) > limit) & (expected >= LEAST_EXPECTED) & ~hidden
    shown = frame(np.where(hidden, np.nan, counts.to_numpy(dtype=float)))
    money = frame(np.where(hidden, np.nan, revenue.to_numpy(dtype=float)))
    return Cross(
        customers=shown, revenue=money, value=money / shown.where(shown > 0),
        expected=frame(np.where(hidden, np.nan, expected)), residual=frame(np.where(hidden, np.nan, residual)),
        unusual=frame(unusual), limit=limit, tested=tested, hidden=int(hidden.sum()), n=int(counts.to_numpy().sum()),
    )  # fmt: skip


def _pivoted(counted: pd.DataFrame, smallest: int, most: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    table = counted.copy()
    for axis in ("row", "column"):
        shown = grouped(table.groupby(axis)["customers"].sum(), smallest=smallest, most=most)
        table[axis] = table[axis].map(shown)
    table = table.dropna(subset=["row", "column"])
    both = table.groupby(["row", "column"])[["customers", "revenue"]].sum().unstack(fill_value=0)
    frames = []
    for measure in ("customers", "revenue"):
        frame = both[measure]
        frames.append(frame.loc[sorted(frame.index, key=_last), sorted(frame.columns, key=_last)])
    return frames[0], frames[1]


def _last(level: str) -> tuple[bool, str]:
    return level in LAST, level


def _smaller(counts: pd.DataFrame, revenue: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table with its two smallest rows put together (or columns, when it is wider than long)."""
    if counts.shape[1] > counts.shape[0]:
        turned = _smaller(counts.T, revenue.T)
        return turned[0].T, turned[1].T
    least = list(counts.sum(axis=1).sort_values(kind="stable").index[:2])
    names = np.array([OTHERS if level in least else level for level in counts.index], dtype=object)
    merged = [frame.groupby(names, sort=False).sum() for frame in (counts, revenue)]
    order = sorted(merged[0].index, key=_last)
    return merged[0].loc[order], merged[1].loc[order]


def residuals(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Adjusted residuals, and the counts expected of independent attributes."""
    counts = np.asarray(counts, dtype=float)
    n = counts.sum()
    rows, columns = counts.sum(axis=1, keepdims=True), counts.sum(axis=0, keepdims=True)
    expected = rows @ columns / n if n else np.zeros_like(counts)
    spread = np.sqrt(expected * (1 - rows / n) * (1 - columns / n)) if n else expected
    with np.errstate(divide="ignore", invalid="ignore"):
        residual = (counts - expected) / spread
    return np.where(spread > 0, residual, np.nan), expected
