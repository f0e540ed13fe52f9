"""Which cells of a table to hide, so that a few people cannot be worked out from it.

A cell is too small with at least one and fewer than `smallest` people. It is hidden, and so are further cells until
none of the small ones can be worked out from totals: each hidden cell lies on a loop of hidden cells, around which
people could be shifted one by one without changing a total. An empty cell protects nothing: nobody can be shifted out
of it. This protects one table by itself; two tables of the same people, laid side by side, can still tell more.

Source: L. H. Cox, Suppression methodology and statistical disclosure control, 1980.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

FREE = 1e-6  # cost of a cell that is hidden already


def suppressed(counts: np.ndarray, *, smallest: int) -> np.ndarray | None:
    """Which cells to hide so that no count below `smallest` can be worked out from the totals, which are all shown.

    Returns None where no choice of cells protects them all.
    """
    counts = np.asarray(counts)
    if counts.sum() < smallest:
        return np.ones(counts.shape, dtype=bool)
    hidden = (counts > 0) & (counts < smallest)
    if 1 in counts.shape:
        return hidden if not hidden.any() else None
    return _looped(counts, hidden, counts.astype(float))


def with_totals(cells: np.ndarray, *, rows: np.ndarray, columns: np.ndarray, whole: float, smallest: int) -> np.ndarray:
    """Which cells and totals to hide, where totals may be hidden too: the last row and column are theirs.

    A total is hidden only where no cell can do it: it costs more than all cells together. Where nobody else is in a
    table than a few, everything goes.

    Args:
        cells: people of each cell. One person may be in several: the totals count each once, and are no sums of cells.

    >>> with_totals(np.array([[9, 2], [8, 7]]), rows=[11, 15], columns=[17, 9], whole=26, smallest=5).astype(int)
    array([[1, 1, 0],
           [1, 1, 0],
           [0, 0, 0]])
    """
    counts = np.block([[np.asarray(cells), np.asarray(rows)[:, None]], [np.asarray(columns)[None, :], whole]])
    costs = counts.astype(float)
    costs[-1, :] += counts.sum()
    costs[:, -1] += counts.sum()
    hidden = _looped(counts, (counts > 0) & (counts < smallest), costs)
    if hidden is None:
        raise ValueError("a cell with people lies in a row or column without any: the totals do not belong to it")
    return hidden


def _looped(counts: np.ndarray, hidden: np.ndarray, costs: np.ndarray) -> np.ndarray | None:
    """The small cells, and for each a loop of hidden cells through it; None where there is none."""
    hidden = hidden.copy()
    for row, column in np.argwhere(hidden):
        loop = _cheapest_loop(counts, hidden, costs, row, column)
        if loop is None:
            return None
        for place in loop:
            hidden[place] = True
    return hidden


def _cheapest_loop(
    counts: np.ndarray, hidden: np.ndarray, costs: np.ndarray, row: int, column: int
) -> list[tuple[int, int]] | None:
    """Cells that close a loop through this one: a path from its row to its column along cells with people in them.

    A cell links its row to its column; one already hidden costs next to nothing, another what `costs` says.
    """
    weights = np.where(counts > 0, np.where(hidden, FREE, costs), 0.0)
    weights[row, column] = 0.0
    n_rows, n_columns = counts.shape
    links = np.zeros((n_rows + n_columns, n_rows + n_columns))
    links[:n_rows, n_rows:] = weights
    distance, came_from = dijkstra(csr_array(links), directed=False, indices=row, return_predecessors=True)
    here = n_rows + column
    if not np.isfinite(distance[here]):
        return None
    loop = []
    while here != row:
        before = int(came_from[here])
        loop.append((min(here, before), max(here, before) - n_rows))
        here = before
    return loop
