"""The pivot: counted by hand, against pandas, and what is hidden cannot be worked out."""

from collections.abc import Callable
from datetime import date
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbook import pivot, segments
from workbook.data.engine import connect
from workbook.data.errors import WorkbookError
from workbook.data.periods import Period
from workbook.data.settings import Engine
from workbook.pivot import person

MONEY = pa.decimal128(18, 4)
ORDERS = {  # two customers who bought in both channels, one anonymous sale, one return document
    "order_id": ["1", "2", "3", "4", "5", "6"],
    "customer_id": ["a", "a", "b", "b", None, "b"],
    "ordered_on": [date(2026, 5, 30), date(2026, 6, 1), date(2026, 6, 2), date(2026, 6, 8), date(2026, 6, 9),
                   date(2026, 6, 10)],
    "channel": ["web", "app", "web", "app", "web", "web"],
    "region": ["N", "N", "S", "S", None, "S"],
    "is_return": [False, False, False, False, False, True],
    "amount": [100, 50, 30, 20, 10, -7],
    "returned_amount": [40, 0, 0, 5, 0, 0],
    "net_amount": [60, 50, 30, 15, 10, -7],
    "units": [2, 1, 1, 4, 1, -1],
    "cost": [70, 20, None, 10, 5, None],
    "tax": [10, 0, 0, 0, 0, 0],
}  # fmt: skip
LINES = {  # order 1 holds goods of two categories
    "order_id": ["1", "1", "2", "3", "4", "5", "6"],
    "customer_id": ["a", "a", "a", "b", "b", None, "b"],
    "ordered_on": [date(2026, 5, 30)] * 2 + ORDERS["ordered_on"][1:],
    "channel": ["web", "web", "app", "web", "app", "web", "web"],
    "region": ["N", "N", "N", "S", "S", None, "S"],
    "category": ["Tea", "Cups", "Tea", "Tea", "Tea", "Cups", "Tea"],
    "product_name": ["t", "c", "t", "t", "t", "c", "t"],
    "is_return": [False] * 6 + [True],
    "amount": [60, 40, 50, 30, 20, 10, -7],
    "returned_amount": [0, 40, 0, 0, 5, 0, 0],
    "net_amount": [60, 0, 50, 30, 15, 10, -7],
    "quantity": [1, 1, 1, 1, 4, 1, -1],
    "cost": [40, 30, 20, None, 10, 5, None],
}  # fmt: skip
IN_MONEY = dict.fromkeys(("amount", "returned_amount", "net_amount", "units", "quantity", "cost", "tax"), MONEY)


def floats(columns: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Whole numbers of money columns as Arrow casts them to decimals."""
    return {name: [None if x is None else float(x) for x in held] if name in IN_MONEY else held
            for name, held in columns.items()}  # fmt: skip


@pytest.fixture
def sources(con: Any, make_table: Callable[..., ibis.Table]) -> pivot.Sources:
    people = make_table(con, {"customer_id": ["a", "b", "c"], "segment": ["loyal", "new", "new"]})
    return pivot.Sources(make_table(con, floats(ORDERS), IN_MONEY), make_table(con, floats(LINES), IN_MONEY), people)


def table(sources: pivot.Sources, rows: str, columns: str, measure: str, **more: Any) -> pivot.Pivot:
    window = more.pop("window", None)
    counted = pivot.facts(sources, rows, columns, window=window)
    return pivot.pivot(counted, rows=rows, columns=columns, measure=measure, **{"smallest_cell": 1, **more})


@pytest.mark.parametrize(
    ("measure", "web", "app", "whole"),
    [
        ("net_revenue", [60, 23, 10], [50, 15, 0], 158),
        ("orders", [1, 1, 1], [1, 1, 0], 5),
        ("customers", [1, 1, 0], [1, 1, 0], 2),  # a and b bought in both channels, and are two
        ("units", [2, 1, 1], [1, 4, 0], 9),
        ("average_order_value", [60, 23, 10], [50, 15, np.nan], 31.6),
        ("return_share", [0.4, 0, 0], [0, 0.25, np.nan], 45 / 210),
        # (net without tax − cost of what was kept) ÷ net without tax, of orders with a cost: 60 − 6 − 42 of 54 …
        ("margin", [12 / 54, np.nan, 0.5], [0.6, 0.5, np.nan], (12 + 30 + 7.5 + 5) / (54 + 50 + 15 + 10)),
    ],
)
def test_every_measure_is_counted_as_by_hand(
    sources: pivot.Sources, measure: str, web: list[float], app: list[float], whole: float
) -> None:
    found = table(sources, "region", "channel", measure)
    assert list(found.values.index) == ["N", "S", pivot.NOT_STATED]
    assert found.values["web"].to_numpy() == pytest.approx(np.array(web, float), nan_ok=True)
    assert found.values["app"].to_numpy() == pytest.approx(np.array(app, float), nan_ok=True)
    assert found.total == pytest.approx(whole)


def test_a_total_counts_each_customer_and_each_order_once(sources: pivot.Sources) -> None:
    orders = table(sources, "category", "channel", "orders")
    assert orders.values.loc[["Tea", "Cups"], "web"].tolist() == [2, 2]  # order 1 is in both
    assert orders.column_totals["web"] == 3
    assert orders.total == 5
    customers = table(sources, "category", "month", "customers")
    assert customers.row_totals["Tea"] == 2
    assert customers.values.loc["Tea"].tolist() == [1, 2]


def test_what_is_known_of_the_people_is_a_dimension_too(sources: pivot.Sources) -> None:
    found = table(sources, "segment", "channel", "net_revenue", window=Period(date(2026, 6, 1), date(2026, 6, 30),
                                                                              "month"))  # fmt: skip
    assert found.row_totals.to_dict() == {"new": 38, "loyal": 50, pivot.NOT_STATED: 10}


def test_rows_of_a_cell_are_those_that_were_counted(sources: pivot.Sources) -> None:
    found = table(sources, "region", "channel", "net_revenue")
    rows = pivot.rows_behind(found, row="S", column="web").select("order_id", "net_amount").to_pandas()
    assert rows["order_id"].tolist() == ["6", "3"]
    assert float(rows["net_amount"].sum()) == found.values.loc["S", "web"]
    assert int(pivot.rows_behind(found).count().to_pandas()) == 6


def test_rows_of_a_hidden_cell_are_refused(sources: pivot.Sources) -> None:
    found = table(sources, "month", "channel", "net_revenue", smallest_cell=2)
    assert found.hidden.loc["2026-05", "web"]  # a alone
    with pytest.raises(WorkbookError, match="not shown"):
        pivot.rows_behind(found, row="2026-05", column="web")
    with pytest.raises(WorkbookError, match="not shown"):
        pivot.rows_behind(found, row="2026-05")
    with pytest.raises(WorkbookError, match="no level"):
        pivot.rows_behind(found, row="2026-04")


def test_the_customers_of_a_cell_are_a_filter_by_what_is_known_of_them(sources: pivot.Sources) -> None:
    found = table(sources, "segment", "channel", "customers")
    people = sources.people
    assert pivot.whom(found, row="loyal", column="web") == 'segment = "loyal"'
    assert pivot.whom(found, column="web") == "", "a channel belongs to an order"
    held = {level: segments.members(people, segments.parse(pivot.whom(found, row=level))).customer_id.execute().tolist()
            for level in found.values.index}  # fmt: skip
    assert {level: sorted(ids) for level, ids in held.items()} == {"new": ["b", "c"], "loyal": ["a"],
                                                                   pivot.NOT_STATED: []}  # fmt: skip
    hidden = table(sources, "segment", "month", "customers", smallest_cell=2)
    with pytest.raises(WorkbookError, match="not shown"):
        pivot.whom(hidden, row=pivot.OTHERS, column="2026-05")


def test_the_rest_of_the_levels_is_a_filter_too(shop: pd.DataFrame, make_table: Callable[..., ibis.Table]) -> None:
    engine = connect(Engine(memory="1GB", threads=2))
    ids = sorted(shop["customer_id"].unique())
    told = pd.DataFrame({"customer_id": ids, "occupation": [None if i % 7 == 0 else f"o{i % 20:02d}"
                                                            for i in range(len(ids))]})  # fmt: skip
    people = make_table(engine, told)
    found = table(pivot.Sources(make_table(engine, shop), None, people), "occupation", "channel", "customers")
    rest = segments.members(people, segments.parse(pivot.whom(found, row=pivot.OTHERS)))
    assert rest.count().to_pandas() == found.row_totals[pivot.OTHERS] > 0


def test_unknown_dimension_and_measure_name_the_nearest(sources: pivot.Sources) -> None:
    with pytest.raises(WorkbookError, match="region"):
        pivot.facts(sources, "regoin", "channel")
    with pytest.raises(WorkbookError, match="net_revenue"):
        table(sources, "region", "channel", "net_revenu")


@pytest.fixture(scope="module")
def shop() -> pd.DataFrame:
    """4,000 orders of 600 customers over 9 regions, the last ones rare."""
    rng = np.random.default_rng(5)
    n = 4_000
    amount = rng.gamma(2, 50, n).round(2)
    returned = np.where(rng.random(n) < 0.1, amount, 0)
    return pd.DataFrame({
        "order_id": [str(i) for i in range(n)], "customer_id": [f"c{i}" for i in rng.integers(0, 600, n)],
        "ordered_on": pd.to_datetime("2026-01-01") + pd.to_timedelta(rng.integers(0, 180, n), unit="D"),
        "channel": rng.choice(["web", "app", "store"], n, p=[0.6, 0.3, 0.1]),
        "region": rng.choice(list("ABCDEFGHI"), n, p=[0.3, 0.2, 0.2, 0.1, 0.1, 0.07, 0.02, 0.008, 0.002]),
        "is_return": False, "amount": amount, "returned_amount": returned, "net_amount": (amount - returned).round(2),
        "units": rng.integers(1, 5, n).astype(float), "cost": (amount / 2).round(2),
    })  # fmt: skip


def test_it_agrees_with_pandas_on_a_shop(shop: pd.DataFrame, make_table: Callable[..., ibis.Table]) -> None:
    con = ibis.duckdb.connect()
    held = shop.assign(ordered_on=shop["ordered_on"].dt.date)
    sources = pivot.Sources(make_table(con, held, IN_MONEY))
    for measure, column, how in (("net_revenue", "net_amount", "sum"), ("customers", "customer_id", "nunique")):
        found = table(sources, "region", "month", measure, smallest_cell=1)
        expected = held.assign(month=shop["ordered_on"].dt.strftime("%Y-%m")).pivot_table(
            index="region", columns="month", values=column, aggfunc=how, margins=True, fill_value=0)  # fmt: skip
        shown = found.values.sort_index().to_numpy()
        assert shown == pytest.approx(expected.iloc[:-1, :-1].to_numpy(dtype=float))
        assert found.row_totals.sort_index().to_numpy() == pytest.approx(expected["All"].iloc[:-1].to_numpy(float))
        assert found.total == pytest.approx(float(expected.iloc[-1, -1]))


def test_rare_levels_are_put_together_and_their_customers_counted_once(
    shop: pd.DataFrame, make_table: Callable[..., ibis.Table]
) -> None:
    con = ibis.duckdb.connect()
    held = shop.assign(ordered_on=shop["ordered_on"].dt.date)
    found = table(pivot.Sources(make_table(con, held, IN_MONEY)), "region", "month", "customers", most=5)
    kept = list("ABCD") if "D" in found.values.index else [*list("ABC"), "E"]
    assert list(found.values.index)[-1] == pivot.OTHERS
    rest = held[~held["region"].isin(kept)]
    assert len(found.values) == 5
    assert found.row_totals[pivot.OTHERS] == rest["customer_id"].nunique()


def test_no_small_cell_is_shown_nor_left_alone_in_a_sum(
    shop: pd.DataFrame, make_table: Callable[..., ibis.Table]
) -> None:
    con = ibis.duckdb.connect()
    held = shop.assign(ordered_on=shop["ordered_on"].dt.date)
    sources = pivot.Sources(make_table(con, held, IN_MONEY))
    everything = table(sources, "region", "month", "customers", smallest_cell=1).values
    found = table(sources, "region", "month", "net_revenue", smallest_cell=20)
    small = (everything > 0) & (everything < 20)
    common = small.index.intersection(found.hidden.index)
    assert found.hidden.loc[common].to_numpy()[small.loc[common].to_numpy()].all()
    assert found.hidden.to_numpy().any()
    for shown, totals in ((found.values, found.row_totals), (found.values.T, found.column_totals)):
        alone = (shown.isna() & ~np.isnan(totals.to_numpy())[:, None]).sum(axis=1)
        assert not (alone == 1).any()


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_hidden_cells_cannot_be_worked_out_from_any_sum(data: Any) -> None:
    """By elimination: with the shown cells known, no small cell or total is determined by the sums."""
    n_rows, n_columns = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    cells = np.array([[data.draw(st.integers(0, 12)) for _ in range(n_columns)] for _ in range(n_rows)])
    if not cells.sum():
        return
    hidden = pivot.with_totals(cells, rows=cells.sum(axis=1), columns=cells.sum(axis=0), whole=cells.sum(), smallest=5)
    whole = np.block([[cells, cells.sum(axis=1)[:, None]], [cells.sum(axis=0)[None, :], cells.sum()]])
    assert hidden[(whole > 0) & (whole < 5)].all()
    sums = []
    for row in range(n_rows + 1):  # cells of a row less its total are nothing; and of a column
        line = np.zeros(whole.shape)
        line[row, :-1], line[row, -1] = 1, -1
        sums.append(line)
    for column in range(n_columns + 1):
        line = np.zeros(whole.shape)
        line[:-1, column], line[-1, column] = 1, -1
        sums.append(line)
    unknown = np.flatnonzero((hidden & (whole > 0)).ravel())
    equations = np.array([line.ravel()[unknown] for line in sums])
    rank = np.linalg.matrix_rank(equations) if len(unknown) else 0
    for place, cell in enumerate(unknown):
        if 0 < whole.ravel()[cell] < 5:
            alone = np.zeros(len(unknown))
            alone[place] = 1
            assert np.linalg.matrix_rank(np.vstack([equations, alone])) > rank


def test_one_customer_is_told_in_order_and_found_under_a_merged_id(
    con: Any, make_table: Callable[..., ibis.Table]
) -> None:
    day = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 7, 1)]
    orders = make_table(con, {"customer_id": ["a", "a", "a"], "ordered_on": day, "amount": [10.0, 20.0, 30.0],
                              "is_return": [False, False, False], "channel": ["web", "app", "web"]},
                        {"amount": MONEY})  # fmt: skip
    tickets = make_table(con, {
        "customer_id": ["a", "b"], "opened_on": [date(2026, 1, 5)] * 2, "is_complaint": [True, True],
        "topic": ["late", "late"], "closed_at": pa.array([None, None], pa.timestamp("us")),
    })  # fmt: skip
    told = person.happened({"orders": orders, "tickets": tickets}, "a", as_of=date(2026, 6, 30)).to_pandas()
    assert told["kind"].tolist() == ["order", "complaint", "order"]  # nothing of July
    assert int(person.open_complaints(tickets, "a").to_pandas()["complaints"].iloc[0]) == 1
    customers = make_table(con, {"customer_id": ["a", "b", "zz"]})
    identities = make_table(con, {"raw_customer_id": ["a2"], "customer_id": ["a"]})
    assert person.known_as(customers, identities, "a2").to_pandas()["customer_id"].tolist() == ["a"]
    assert person.known_as(customers, identities, "nobody").to_pandas().empty
    assert person.nearest_ids(customers, "zy").to_pandas()["customer_id"].iloc[0] == "zz"


def test_the_last_word_on_consent_counts(con: Any, make_table: Callable[..., ibis.Table]) -> None:
    at = pd.to_datetime(["2026-01-01", "2026-02-01", "2026-01-01"])
    consents = make_table(con, pd.DataFrame({
        "customer_id": ["a", "a", "a"], "purpose": ["mail", "mail", "sms"], "granted": [True, False, True],
        "changed_at": at.astype("datetime64[us]"),
    }))  # fmt: skip
    assert person.withdrawn(consents, "a").to_pandas()["purpose"].tolist() == ["mail"]


def test_customers_follow_each_other_by_what_they_spent(con: Any, make_table: Callable[..., ibis.Table]) -> None:
    people = make_table(con, {"customer_id": ["a", "b", "c", "d"], "spend_12m": [5.0, 9.0, 5.0, 0.0]})
    found = [person.at_place(people, place).to_pandas()["customer_id"].tolist() for place in range(5)]
    assert found == [["b"], ["a"], ["c"], ["d"], []]  # equal ones by id
    places = {name: int(person.place_of(people, name).to_pandas()["place"].iloc[0]) for name in ("b", "c", "d", "x")}
    assert places == {"b": 0, "c": 2, "d": 3, "x": -1}
