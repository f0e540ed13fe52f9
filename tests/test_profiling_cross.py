"""Two attributes against each other: what is unusual, and what is hidden."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from statsmodels.stats.contingency_tables import Table

from workbook.profiling import cross

counts = st.integers(2, 5).flatmap(
    lambda columns: st.lists(
        st.lists(st.one_of(st.integers(0, 9), st.integers(0, 80)), min_size=columns, max_size=columns),
        min_size=2, max_size=6,
    )
).map(np.array)  # fmt: skip


def counted(table: np.ndarray) -> pd.DataFrame:
    rows = [(f"r{i}", f"c{j}", n, float(n)) for (i, j), n in np.ndenumerate(table) if n]
    return pd.DataFrame(rows, columns=["row", "column", "customers", "revenue"])


def range_of(shown: pd.DataFrame, totals: tuple[np.ndarray, np.ndarray], at: tuple[int, int]) -> tuple[float, float]:
    """What a reader who knows all totals can say of one hidden cell: solved as two linear programmes."""
    hidden = [tuple(place) for place in np.argwhere(shown.isna().to_numpy())]
    known = shown.fillna(0).to_numpy()
    lines = [(axis, i) for axis in (0, 1) for i in range(shown.shape[axis])]
    equal = np.array([[float(place[axis] == i) for place in hidden] for axis, i in lines])
    left = [totals[axis][i] - (known[i] if axis == 0 else known[:, i]).sum() for axis, i in lines]
    goal = np.array([float(place == at) for place in hidden])
    ends = [linprog(sign * goal, A_eq=equal, b_eq=left, bounds=(0, None)) for sign in (1, -1)]
    return ends[0].fun, -ends[1].fun


@settings(max_examples=150, deadline=None)
@given(table=counts.filter(lambda t: t.sum() >= 5))
def test_no_small_count_can_be_worked_out_from_the_totals(table: np.ndarray) -> None:
    result = cross.crosstab(counted(table), smallest_cell=5)
    shown = result.customers
    assert not ((shown > 0) & (shown < 5)).any().any()
    assert result.hidden == shown.isna().to_numpy().sum()
    rows, columns = _totals(result, table)
    assert (rows >= 5).all() and (columns >= 5).all(), "a total below the size would tell as much as a cell"
    for place in np.argwhere(shown.isna().to_numpy()):
        low, high = range_of(shown, (rows, columns), tuple(place))
        assert high - low >= 1 - 1e-6, f"cell {place} must be {low}"


def _totals(result: cross.Cross, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column totals of the table as it is shown, from the full counts: levels may have been put together."""
    whole = cross.crosstab(counted(table), smallest_cell=5)
    assert whole.n == table.sum()
    pivoted, revenue = cross._pivoted(counted(table), 5, 8)
    while cross.suppressed(pivoted.to_numpy(), smallest=5) is None:
        pivoted, revenue = cross._smaller(pivoted, revenue)
    assert pivoted.shape == result.customers.shape
    return pivoted.sum(axis=1).to_numpy(), pivoted.sum(axis=0).to_numpy()


def test_primary_suppression_alone_would_tell() -> None:
    """One small cell in a table: three more are hidden, or a subtraction would give it away."""
    table = np.array([[3, 20, 30], [40, 50, 60], [25, 9, 70]])
    hidden = cross.suppressed(table, smallest=5)
    assert hidden is not None
    assert hidden.sum() == 4 and hidden[0, 0]
    assert hidden.tolist() == [[True, True, False], [False, False, False], [True, True, False]], "the cheapest loop"


def test_what_cannot_be_protected_is_put_together() -> None:
    """Two blocks without a link: every hidden cell could be worked out."""
    table = np.array([[3, 0], [0, 9], [6, 0]])
    assert cross.suppressed(table, smallest=5) is None
    result = cross.crosstab(counted(table), smallest_cell=5)
    assert result.n == 18 and not ((result.customers > 0) & (result.customers < 5)).any().any()


def test_fewer_customers_than_a_cell_show_nothing() -> None:
    result = cross.crosstab(counted(np.array([[1, 0], [0, 2]])), smallest_cell=5)
    assert result.customers.isna().all().all() and result.hidden == result.customers.size


@settings(deadline=None)
@given(table=counts.filter(lambda t: (t.sum(axis=0) > 0).all() and (t.sum(axis=1) > 0).all()))
def test_residuals_agree_with_statsmodels(table: np.ndarray) -> None:
    ours, expected = cross.residuals(table)
    theirs = Table(table.astype(float), shift_zeros=False)
    assert expected == pytest.approx(theirs.fittedvalues)
    assert ours == pytest.approx(theirs.standardized_resids, nan_ok=True)


def test_independent_attributes_rarely_look_unusual() -> None:
    """The chance of any false alarm in a 4 × 5 table stays near the stated 5 %."""
    rng, alarms = np.random.default_rng(5), 0
    for _ in range(300):
        pairs = pd.DataFrame({"row": rng.choice(list("abcd"), 800), "column": rng.choice(list("vwxyz"), 800)})
        table = pairs.groupby(["row", "column"], as_index=False).size().rename(columns={"size": "customers"})
        alarms += bool(cross.crosstab(table.assign(revenue=0.0), smallest_cell=5).unusual.to_numpy().any())
    assert 2 <= alarms <= 30


def test_a_planted_preference_is_found() -> None:
    table = np.full((3, 3), 100)
    table[1, 2] = 170
    found = cross.crosstab(counted(table), smallest_cell=5).found
    assert found.loc[0, ["row", "column"]].tolist() == ["r1", "c2"]
    assert found.loc[0, "residual"] == pytest.approx(3.928, abs=1e-3)


def test_small_levels_are_put_together() -> None:
    counts = pd.Series({"a": 40, "b": 30, "c": 7, "d": 3, "e": 1, cross.NOT_STATED: 9})
    assert cross.grouped(counts, smallest=5) == {
        "a": "a", "b": "b", "c": cross.OTHERS, "d": cross.OTHERS, "e": cross.OTHERS,
        cross.NOT_STATED: cross.NOT_STATED,
    }, "d and e come to four: the smallest shown level joins them"
    table = cross.one_way(
        pd.DataFrame({"level": counts.index, "customers": counts.values, "revenue": 10.0 * counts.values}), smallest=5
    )
    assert table["level"].tolist() == ["a", "b", cross.OTHERS, cross.NOT_STATED]
    assert table["customers"].tolist() == [40, 30, 11, 9] and (table["value"] == 10).all()
    assert table["share"].sum() == pytest.approx(1)


def test_small_bands_join_their_neighbours() -> None:
    bands = pd.Series({"18-24": 40, "-17": 2, "25-34": 3, "35-44": 30, "45-": 4, cross.NOT_STATED: 3})
    assert cross.grouped(bands, smallest=5) == {
        "-17": "-24", "18-24": "-24", "25-34": "25-", "35-44": "25-", "45-": "25-"
    }, "three who have not stated it are left out"  # fmt: skip


def test_at_most_so_many_levels() -> None:
    counts = pd.Series({f"l{i}": 100 - i for i in range(20)})
    shown = cross.grouped(counts, smallest=5, most=8)
    assert len(set(shown.values())) == 8 and shown["l6"] == "l6" and shown["l7"] == cross.OTHERS


def test_cells_count_every_customer_once(con: Any, make_table: Callable[..., Any]) -> None:
    profile = make_table(con, {
        "gender": ["f", "f", "m", None], "region": ["N", "S", "N", "N"], "net_revenue": [1.0, 2.0, 4.0, 8.0],
    })  # fmt: skip
    rows = cross.cells(profile, "gender", "region").order_by("row", "column").to_pyarrow().to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        (cross.NOT_STATED, "N", 1, 8.0), ("f", "N", 1, 1.0), ("f", "S", 1, 2.0), ("m", "N", 1, 4.0)]  # fmt: skip
    one = cross.levels(profile, "region").order_by("level").to_pyarrow().to_pylist()
    assert [tuple(row.values()) for row in one] == [("N", 3, 13.0), ("S", 1, 2.0)]
