"""RFM: a table worked by hand, published figures, properties of scores and thresholds, and the segments' rule."""

from datetime import date, timedelta
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbook import history, rfm
from workbook.data.engine import connect
from workbook.data.errors import WorkbookError
from workbook.data.settings import Engine

MONEY = pa.decimal128(18, 4)
AS_OF = date(2015, 2, 7)
# REFERENCE of the lifetime models' hand table: id: (date, value) …
HAND = [
    ("1", "01-01", 1), ("1", "02-06", 2), ("2", "01-01", 2), ("3", "01-01", 3), ("3", "01-02", 1), ("3", "01-05", 5),
    ("4", "01-16", 6), ("4", "02-02", 3), ("4", "02-05", 3), ("5", "01-16", 3), ("5", "01-17", 1), ("5", "01-18", 8),
    ("6", "02-02", 5),
]  # fmt: skip


def orders_frame(rows):
    """(customer, ISO day, amount[, returned]) → columns of clean/orders."""
    return pa.table(
        {
            "order_id": [f"o{i}" for i in range(len(rows))],
            "customer_id": pa.array([row[0] for row in rows], pa.string()),
            "ordered_on": pa.array([date.fromisoformat(row[1]) for row in rows], pa.date32()),
            "amount": pa.array([Decimal(str(row[2])) for row in rows], pa.decimal128(38, 4)).cast(MONEY),
            "net_amount": pa.array(
                [Decimal(str(row[2])) - Decimal(str(row[3] if len(row) > 3 else 0)) for row in rows],
                pa.decimal128(38, 4),
            ).cast(MONEY),
            "is_return": [row[2] < 0 for row in rows],
        }
    )


def rows_of(table, key="customer_id"):
    return {row[key]: row for row in table.to_pyarrow().to_pylist()}


def hand_orders(con, make_table):
    return make_table(con, orders_frame([(c, f"2015-{day}", value) for c, day, value in HAND]))


class TestTable:
    def test_hand_table(self, con, make_table):
        found = rows_of(rfm.customer_table(hand_orders(con, make_table), as_of=AS_OF))
        assert {c: (r["recency_days"], r["frequency"], r["monetary"]) for c, r in found.items()} == {
            "1": (1, 2, 3), "2": (37, 1, 2), "3": (33, 3, 9), "4": (2, 3, 12), "5": (20, 3, 12), "6": (5, 1, 5),
        }  # fmt: skip
        assert found["4"]["first_day_amount"] == 6
        facts = rfm.repeats(rfm.customer_table(hand_orders(con, make_table), as_of=AS_OF))
        assert facts[:3] == (6, 7, 4)
        assert facts.mean_repeat_value == pytest.approx((2 + 3 + 3 + 4.5) / 4)

    def test_what_comes_later_is_unseen(self, con, make_table):
        found = rows_of(rfm.customer_table(hand_orders(con, make_table), as_of=date(2015, 1, 31)))
        assert set(found) == {"1", "2", "3", "4", "5"}
        assert (found["1"]["frequency"], found["1"]["recency_days"]) == (1, 30)

    def test_orders_of_one_day_are_one_purchase_day(self, con, make_table):
        orders = make_table(con, orders_frame([("a", "2015-01-01", 2), ("a", "2015-01-01", 3), ("a", "2015-01-03", 4)]))
        assert rows_of(rfm.customer_table(orders, as_of=AS_OF))["a"]["frequency"] == 2
        assert rows_of(rfm.customer_table(orders, as_of=AS_OF, frequency="orders"))["a"]["frequency"] == 3
        assert rows_of(rfm.customer_table(orders, as_of=AS_OF))["a"]["first_day_amount"] == 5

    def test_a_misspelt_count_is_refused(self, con, make_table):
        with pytest.raises(WorkbookError, match="purchase_days"):
            rfm.customer_table(hand_orders(con, make_table), as_of=AS_OF, frequency="purchase_day")

    def test_returns(self, con, make_table):
        orders = make_table(
            con,
            orders_frame([
                ("part", "2015-01-01", 10, 4), ("part", "2015-02-01", 8, 8), ("undone", "2015-01-01", 10, 10),
                ("refund", "2015-01-01", 10), ("refund", "2015-02-01", -3), ("only_refund", "2015-02-01", -3),
                ("nothing", "2015-01-01", 0), (None, "2015-01-01", 99),
            ]),
        )  # fmt: skip
        found = rows_of(rfm.customer_table(orders, as_of=AS_OF))
        assert set(found) == {"part", "refund", "nothing"}, "undone, unknown and anonymous purchases are no customers"
        assert (found["part"]["frequency"], found["part"]["recency_days"], found["part"]["monetary"]) == (1, 37, 6)
        assert (found["refund"]["frequency"], found["refund"]["monetary"]) == (1, 7)
        assert (found["nothing"]["frequency"], found["nothing"]["monetary"]) == (1, 0)

    def test_as_known_on_an_earlier_day(self, con, make_table):
        orders = make_table(con, orders_frame([("a", "2015-01-01", 10, 7), ("a", "2015-01-20", 5)]))
        returns = make_table(
            con,
            pa.table({
                "order_id": ["o0", "o0"], "returned_on": [date(2015, 1, 5), date(2015, 2, 1)],
                "amount": pa.array([Decimal(3), Decimal(4)], MONEY),
            }),
        )  # fmt: skip

        def net(day, known=returns):
            return rows_of(history.known_on(orders, known, day=day), "order_id")["o0"]["net_amount"]

        assert [net(date(2015, 1, d)) for d in (4, 5, 31)] == [10, 7, 7]
        assert net(date(2015, 2, 1)) == 3
        assert net(date(2015, 1, 4), None) == 3
        assert history.known_on(orders, returns, day=date(2015, 1, 4)).count().to_pyarrow().as_py() == 1

    def test_twelve_months(self, con, make_table):
        orders = make_table(con, orders_frame([("a", "2014-02-07", 1), ("a", "2014-02-08", 2), ("a", "2015-02-07", 4)]))
        assert rows_of(rfm.customer_table(orders, as_of=AS_OF))["a"]["spend_12m"] == 6

    def test_people_without_a_purchase(self, con, make_table):
        orders = make_table(con, orders_frame([("a", "2015-01-01", 2)]))
        customers = make_table(
            con, {"customer_id": ["a", "b", "t"], "is_test": pa.array([None, False, True], pa.bool_())}
        )
        buyers = scored(rfm.customer_table(orders, as_of=AS_OF))
        found = rows_of(rfm.everyone(buyers, customers))
        assert set(found) == {"a", "b"}
        assert found["b"]["segment"] == rfm.NOT_YET
        assert (found["b"]["frequency"], found["b"]["recency_days"], found["b"]["r"]) == (0, None, None)


def scored(customers, n_bins=5):
    edges = rfm.thresholds(customers, n_bins=n_bins)
    return rfm.assign(rfm.weighted(rfm.score(customers, edges), edges), edges)


class TestPublishedFigures:
    def test_cdnow_sample(self, public_data):
        """Fader, Hardie & Lee 2005: calibration ends 1997-09-30; the mean repeat value is recomputed (35.078)."""
        rows = [line.split() for line in public_data("cdnow/CDNOW_sample.txt").read_text().splitlines()]
        orders = orders_frame([(r[1], f"{r[2][:4]}-{r[2][4:6]}-{r[2][6:]}", float(r[4])) for r in rows])
        con = connect(Engine(memory="500MB", threads=1))
        customers = rfm.customer_table(con.create_table("orders", orders), as_of=date(1997, 9, 30))
        facts = rfm.repeats(customers)
        assert facts[:3] == (2357, 2457, 946)
        assert facts.mean_repeat_value == pytest.approx(35.078, abs=1e-3)

    def test_cuts_of_the_r_package(self, repository):
        """R package rfm, `rfm_data_orders` as of 2006-12-31: it prints quantile + 1, the first value above the cut."""
        frame = pd.read_csv(repository / "tests/published/rfm_data_orders.csv.gz", dtype={"customer_id": "str"})
        assert (len(frame), frame.revenue.sum()) == (4906, 464_158)
        rows = list(frame.itertuples(index=False, name=None))
        con = connect(Engine(memory="500MB", threads=1))
        orders = con.create_table("orders", orders_frame(rows))
        customers = rfm.customer_table(orders, as_of=date(2006, 12, 31), frequency="orders")
        edges = rfm.thresholds(customers, n_bins=5)
        assert customers.count().to_pyarrow().as_py() == 995
        assert [edge + 1 for edge in edges.recency_days] == pytest.approx([115, 181, 297.4, 482])
        assert [edge + 1 for edge in edges.frequency] == pytest.approx([4, 5, 6, 8])
        assert [edge + 1 for edge in edges.monetary] == pytest.approx([255.8, 382, 506.4, 666])


def measures(con, make_table, recency, frequency, monetary):
    return make_table(
        con,
        pa.table({
            "customer_id": pa.array([f"c{i:03d}" for i in range(len(recency))], pa.string()),
            "recency_days": pa.array(recency, pa.int64()),
            "frequency": pa.array(frequency, pa.int64()),
            "purchase_days": pa.array(frequency, pa.int64()),
            "monetary": pa.array([Decimal(str(x)) for x in monetary], pa.decimal128(38, 4)).cast(MONEY),
            "spend_12m": pa.array([Decimal(str(x)) for x in monetary], pa.decimal128(38, 4)).cast(MONEY),
        }),
    )  # fmt: skip


class TestScores:
    def test_five_bins_of_ten_customers(self, con, make_table):
        table = measures(con, make_table, range(10), range(1, 11), [x * 10 for x in range(10)])
        edges = rfm.thresholds(table)
        assert edges.recency_days == pytest.approx((1.8, 3.6, 5.4, 7.2))
        found = rfm.score(table, edges).order_by("customer_id").to_pyarrow()
        assert found["r"].to_pylist() == [5, 5, 4, 4, 3, 3, 2, 2, 1, 1]
        assert found["f"].to_pylist() == found["m"].to_pylist() == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]

    def test_equal_frequency_scores_alike(self, con, make_table):
        """A quantile rank would deal five customers who all bought once the scores 1 to 5."""
        table = measures(con, make_table, [10, 20, 30, 40, 50], [1] * 5, [5, 6, 7, 8, 9])
        found = rfm.score(table, rfm.thresholds(table))
        assert set(found.to_pyarrow()["f"].to_pylist()) == {1}
        assert rfm.used_bins(found) == {"r": 5, "f": 1, "m": 5}

    def test_bins_between_ties_stay_empty(self, con, make_table):
        table = measures(con, make_table, range(10), [1] * 7 + [2, 3, 9], range(10))
        found = rfm.score(table, rfm.thresholds(table)).order_by("customer_id").to_pyarrow()
        assert found["f"].to_pylist() == [1] * 7 + [4, 5, 5]

    def test_repeat_buyers_alone_make_the_frequency_edges(self, con, make_table):
        table = measures(con, make_table, range(10), [1] * 5 + [2, 3, 4, 5, 6], range(10))
        apart = rfm.thresholds(table, first_time_apart=True)
        assert apart.frequency == pytest.approx((2.8, 3.6, 4.4, 5.2))
        found = rfm.score(table, apart).order_by("customer_id").to_pyarrow()
        assert found["f"].to_pylist() == [1] * 6 + [2, 3, 4, 5]

    def test_where_nobody_came_back_the_frequency_edges_are_everybodys(self, con, make_table):
        table = measures(con, make_table, [1, 2, 3], [1, 1, 1], [5, 6, 7])
        assert rfm.thresholds(table, first_time_apart=True).frequency == (1.0,) * 4

    def test_interpolation_puts_no_value_above_itself(self, con, make_table):
        """0.7 × 10 is a hair more than 7 in floating point, 0.29 × 100 a hair less than 29."""
        for n_bins, n in ((10, 11), (20, 21), (7, 8), (20, 101)):
            values = [x / 10 for x in range(n)]
            table = measures(con, make_table, range(n), range(1, n + 1), values)
            edges = rfm.thresholds(table, n_bins=n_bins)
            step = (n - 1) / n_bins
            on_a_value = [i * step for i in range(1, n_bins) if float(i * step).is_integer()]
            assert [e for e in edges.recency_days if e.is_integer()] == on_a_value

    def test_one_customer_only(self, con, make_table):
        table = measures(con, make_table, [3], [1], [7])
        row = scored(table).to_pyarrow().to_pylist()[0]
        assert (row["r"], row["f"], row["m"], row["segment"]) == (5, 1, 1, "new")
        assert rfm.used_bins(scored(table)) == {"r": 1, "f": 1, "m": 1}

    def test_nobody(self, con, make_table):
        table = measures(con, make_table, [], [], [])
        assert rfm.thresholds(table) == rfm.Thresholds((0.0,) * 4, (0.0,) * 4, (0.0,) * 4)
        assert scored(table).count().to_pyarrow().as_py() == 0
        assert rfm.summary(scored(table)).count().to_pyarrow().as_py() == 0

    def test_equal_width_bins_leave_nearly_everyone_in_the_lowest(self, con, make_table):
        table = measures(con, make_table, range(10), range(1, 11), [1, 2, 3, 4, 5, 6, 7, 8, 9, 1000])
        found = rfm.score(table, rfm.equal_width(table)).order_by("customer_id").to_pyarrow()
        assert found["m"].to_pylist() == [1] * 9 + [5]

    def test_own_cuts(self, con, make_table):
        table = measures(con, make_table, [10, 30, 31, 400], [1, 2, 3, 4], [1, 2, 3, 4])
        edges = rfm.own_cuts(rfm.thresholds(table), recency_days=[30, 90])
        assert edges.recency_days == (30.0, 90.0)
        assert edges.bins == {"r": 3, "f": 5, "m": 5}
        assert rfm.score(table, edges).order_by("customer_id").to_pyarrow()["r"].to_pylist() == [3, 3, 2, 1]
        with pytest.raises(WorkbookError, match="do not rise"):
            rfm.own_cuts(edges, monetary=[10, 10])
        with pytest.raises(WorkbookError, match="n_bins"):
            rfm.thresholds(table, n_bins=1)

    def test_a_rule_survives_json(self):
        edges = rfm.Thresholds((1.5, 2.0), (1.0,), (0.1, 33.3333333333))
        assert rfm.Thresholds.of_rule(edges.as_rule()) == edges

    def test_weights(self, con, make_table):
        table = measures(con, make_table, [0, 10, 20, 30, 40], [1, 2, 3, 4, 5], [50, 40, 30, 20, 10])
        edges = rfm.thresholds(table)
        found = rfm.weighted(rfm.score(table, edges), edges, weights=[1, 0, 0]).order_by("customer_id")
        assert found.to_pyarrow()["score"].to_pylist() == [100, 75, 50, 25, 0]
        even = rfm.weighted(rfm.score(table, edges), edges).order_by("customer_id").to_pyarrow()["score"].to_pylist()
        assert even == pytest.approx([200 / 3, 175 / 3, 50, 125 / 3, 100 / 3], abs=1e-5)
        with pytest.raises(WorkbookError, match="weights"):
            rfm.weighted(rfm.score(table, edges), edges, weights=[0, 0, 0])


ENGINE = connect(Engine(memory="500MB", threads=1))
amounts = st.integers(min_value=-500, max_value=100_000)
people = st.lists(
    st.tuples(st.integers(0, 1000), st.integers(1, 40), amounts), min_size=1, max_size=60
)  # recency, frequency, monetary


def in_memory(rows, scale=1, order=None):
    rows = [rows[i] for i in order] if order is not None else rows
    names = [f"c{i:03d}" for i in (order if order is not None else range(len(rows)))]
    frame = pa.table({
        "customer_id": names,
        "recency_days": pa.array([r[0] for r in rows], pa.int64()),
        "frequency": pa.array([r[1] for r in rows], pa.int64()),
        "purchase_days": pa.array([r[1] for r in rows], pa.int64()),
        "monetary": pa.array([Decimal(r[2]) * scale / 100 for r in rows], pa.decimal128(38, 4)).cast(MONEY),
    })  # fmt: skip
    return ENGINE.create_table("people", frame, overwrite=True)


def scores_of(table, n_bins):
    found = rfm.score(table, rfm.thresholds(table, n_bins=n_bins)).order_by("customer_id").to_pyarrow()
    return list(zip(*[found[name].to_pylist() for name in ("r", "f", "m")], strict=True))


class TestProperties:
    @settings(max_examples=60, deadline=None)
    @given(people, st.integers(2, 10))
    def test_scores(self, rows, n_bins):
        found = scores_of(in_memory(rows), n_bins)
        assert all(1 <= value <= n_bins for triple in found for value in triple)
        for (a, x), (b, y) in ((p, q) for p in zip(rows, found, strict=True) for q in zip(rows, found, strict=True)):
            assert (a[0] <= b[0]) <= (x[0] >= y[0]), "who bought later never scores lower"
            assert (a[1] <= b[1]) <= (x[1] <= y[1])
            assert (a[2] <= b[2]) <= (x[2] <= y[2])

    @settings(max_examples=40, deadline=None)
    @given(people, st.integers(2, 10))
    def test_thresholds_rise_between_the_extremes(self, rows, n_bins):
        edges = rfm.thresholds(in_memory(rows), n_bins=n_bins)
        values = {"recency_days": 0, "frequency": 1, "monetary": 2}
        for measure, cuts in edges._asdict().items():
            column = [row[values[measure]] / (100 if measure == "monetary" else 1) for row in rows]
            assert list(cuts) == sorted(cuts)
            assert min(column) <= cuts[0] and cuts[-1] <= max(column)

    @settings(max_examples=40, deadline=None)
    @given(people, st.integers(2, 10), st.randoms(use_true_random=False))
    def test_the_order_of_rows_decides_nothing(self, rows, n_bins, random):
        before = scores_of(in_memory(rows), n_bins)
        order = list(range(len(rows)))
        random.shuffle(order)
        assert scores_of(in_memory(rows, order=order), n_bins) == before

    @settings(max_examples=40, deadline=None)
    @given(people, st.integers(2, 10), st.sampled_from([2, 7, 100, 131]))
    def test_another_currency_changes_no_score(self, rows, n_bins, scale):
        assert scores_of(in_memory(rows, scale=scale), n_bins) == scores_of(in_memory(rows), n_bins)


class TestSegments:
    @pytest.mark.parametrize("bins", [(5, 5, 5), (2, 2, 2), (3, 5, 4), (10, 3, 7)])
    def test_every_customer_is_in_exactly_one(self, con, make_table, bins):
        from workbook.rfm.groups import conditions

        edges = rfm.Thresholds(*[tuple(float(i) for i in range(n - 1)) for n in bins])
        triples = [
            (days, r, f, m)
            for days in (1, 2) for r in range(1, bins[0] + 1) for f in range(1, bins[1] + 1)
            for m in range(1, bins[2] + 1)
        ]  # fmt: skip
        table = make_table(
            con, {name: [t[i] for t in triples] for i, name in enumerate(("purchase_days", "r", "f", "m"))}
        )
        flags = table.mutate(**{name: held.cast("int64") for name, held in conditions(table, edges).items()})
        names = [segment.name for segment in rfm.SEGMENTS]
        found = rfm.assign(flags, edges).to_pyarrow().to_pylist()
        assert all(sum(row[name] for name in names) == 1 for row in found)
        assert all(row[row["segment"]] == 1 for row in found)
        assert bins == (2, 2, 2) or {row["segment"] for row in found} >= {"champions", "hibernating", "new"}

    def test_the_printed_rule_at_five_bins(self, con, make_table):
        edges = rfm.Thresholds((1.0,) * 4, (1.0,) * 4, (1.0,) * 4)
        cases = {
            (2, 5, 5, 5): "champions", (2, 4, 4, 4): "champions", (9, 5, 4, 3): "loyal", (2, 4, 1, 2): "promising",
            (2, 3, 5, 5): "slowing", (2, 3, 2, 2): "occasional", (2, 2, 5, 5): "at_risk", (2, 1, 1, 1): "hibernating",
            (1, 5, 1, 5): "new", (1, 3, 1, 1): "second_due", (1, 2, 1, 5): "one_time_gone",
        }  # fmt: skip
        table = make_table(
            con, {name: [key[i] for key in cases] for i, name in enumerate(("purchase_days", "r", "f", "m"))}
        )
        found = {
            (row["purchase_days"], row["r"], row["f"], row["m"]): row["segment"]
            for row in rfm.assign(table, edges).to_pyarrow().to_pylist()
        }
        assert found == cases

    def test_summary_and_movement(self, con, make_table):
        table = make_table(con, pa.table({
            "segment": ["new", "new", "loyal", "loyal"], "segment_before": [None, "new", "new", "loyal"],
            "recency_days": [1, 3, 10, 20], "frequency": [1, 1, 4, 6], "monetary": [1.0, 1.0, 5.0, 5.0],
            "spend_12m": [1.0, 1.0, 3.0, 5.0],
        }))  # fmt: skip
        found = rows_of(rfm.summary(table), "segment")
        assert found["loyal"]["customer_share"] == 0.5
        assert found["loyal"]["revenue_share"] == pytest.approx(0.8)
        assert found["new"]["median_recency_days"] == 2
        moves = {(r["segment_before"], r["segment"]): r["customers"]
                 for r in rfm.movement(table).to_pyarrow().to_pylist()}
        assert moves == {("not_yet", "new"): 1, ("new", "new"): 1, ("new", "loyal"): 1, ("loyal", "loyal"): 1}
        assert rfm.moved_share(table) == pytest.approx(1 / 3)


def events_table(con, make_table, rows):
    return make_table(con, pa.table({
        "customer_id": pa.array([r[0] for r in rows], pa.string()), "event": [r[1] for r in rows],
        "session_id": pa.array([r[2] for r in rows], pa.string()),
        "occurred_on": pa.array([date.fromisoformat(r[3]) for r in rows], pa.date32()),
    }))  # fmt: skip


class TestValueClasses:
    def test_visits_and_clicks(self, con, make_table):
        events = events_table(con, make_table, [
            ("a", "visit", "s1", "2015-02-01"), ("a", "view", "s1", "2015-02-01"), ("a", "cart", "s2", "2015-02-02"),
            ("b", "view", None, "2015-02-01"), ("b", "view", None, "2015-02-01"), ("a", "view", "s0", "2014-01-01"),
            ("a", "view", "s9", "2015-03-01"), (None, "view", "s5", "2015-02-01"),
        ])  # fmt: skip
        found = rows_of(rfm.activity(events, as_of=AS_OF, days=30))
        assert {c: (r["visits"], r["clicks"]) for c, r in found.items()} == {"a": (2, 2), "b": (1, 2)}
        contacts = make_table(con, pa.table({
            "customer_id": ["a", "c", "c"],
            "clicked_at": pa.array([pd.Timestamp("2015-02-03 10:00"), pd.Timestamp("2015-02-04"), None],
                                   pa.timestamp("us")),
        }))  # fmt: skip
        found = rows_of(rfm.activity(events, contacts, as_of=AS_OF, days=30))
        assert {c: (r["visits"], r["clicks"]) for c, r in found.items()} == {"a": (2, 3), "b": (1, 2), "c": (0, 1)}

    def test_classes(self, con, make_table):
        buyers = make_table(con, {"customer_id": list("abcde"), "spend_12m": [10.0, 20.0, 30.0, 40.0, 500.0]})
        seen = make_table(con, {"customer_id": ["a", "e", "x"], "visits": [6, 4, 9], "clicks": [9, 8, 7]})
        cuts = rfm.value_cuts(buyers, seen, high_share=0.2)
        assert cuts == (pytest.approx(132), 4, 8), "of e alone: a and x are not of high value"
        people = make_table(con, pa.table({
            "customer_id": list("abcdex"), "spend_12m": pa.array([10.0, 20, 30, 40, 500, None], pa.float64()),
        }))  # fmt: skip
        found = {c: r["value_class"] for c, r in rows_of(rfm.classify(people, seen, cuts)).items()}
        assert found == {"a": "potential", "b": "low", "c": "low", "d": "low", "e": "high", "x": "low"}

    def test_without_events_potential_is_not_guessed(self, con, make_table):
        buyers = make_table(con, {"customer_id": list("abcde"), "spend_12m": [10.0, 20.0, 30.0, 40.0, 500.0]})
        cuts = rfm.value_cuts(buyers, rfm.activity(None, as_of=AS_OF))
        assert cuts.visits is None
        found = rows_of(rfm.classify(buyers, None, cuts))
        assert [found[c]["value_class"] for c in "abcde"] == ["unknown"] * 4 + ["high"]
        assert found["a"]["visits"] is None

    def test_nobody_without_a_visit_is_interested(self, con, make_table):
        buyers = make_table(con, {"customer_id": list("abcde"), "spend_12m": [1.0, 2.0, 3.0, 4.0, 5.0]})
        seen = make_table(con, {"customer_id": ["z"], "visits": [1], "clicks": [1]})
        cuts = rfm.value_cuts(buyers, seen)
        assert (cuts.visits, cuts.clicks) == (1, 1)
        assert rows_of(rfm.classify(buyers, seen, cuts))["a"]["value_class"] == "low"


class TestForesight:
    def test_nothing_later_enters_a_score(self, con, make_table):
        rows = [(f"c{i}", f"2015-01-{1 + i:02d}", 10 + i) for i in range(20)] + [("c3", "2015-02-03", 7, 2)]
        orders = make_table(con, orders_frame(rows))
        history = rows_of(rfm.before_and_after(orders, None, scored_on=date(2015, 1, 31), until=AS_OF))
        without = rows_of(rfm.customer_table(orders, as_of=date(2015, 1, 31)))
        assert {c: r["monetary"] for c, r in history.items()} == {c: r["monetary"] for c, r in without.items()}
        assert {c for c, r in history.items() if r["bought"]} == {"c3"}
        assert history["c3"]["revenue_after"] == 5
        assert history["c4"]["revenue_after"] == 0

    def test_a_large_shop_is_judged_on_a_sample(self, con, make_table):
        history = make_table(con, {
            "customer_id": [f"c{i}" for i in range(4000)], "score": [1.0] * 4000, "recency_days": [1] * 4000,
            "spend_12m": [1.0] * 4000, "bought": [1] * 4000, "revenue_after": [1.0] * 4000,
        })  # fmt: skip
        drawn = rfm.judged_sample(history, largest=1000).to_pyarrow()["customer_id"].to_pylist()
        assert 900 < len(drawn) < 1100, "about a thousand (standard error 27)"
        assert drawn == sorted(drawn)
        assert rfm.judged_sample(history).count().to_pyarrow().as_py() == 4000

    def test_response(self, con, make_table):
        history = make_table(con, {"segment": ["new"] * 4 + ["loyal"] * 2, "bought": [1, 0, 0, 0, 1, 1],
                                   "revenue_after": [3.0, 0, 0, 0, 5.0, 7.0]})  # fmt: skip
        found = rfm.response_by_segment(history).set_index("segment")
        assert found.index.tolist() == ["loyal", "new"]
        assert found.loc["new", ["customers", "buyers", "rate"]].tolist() == [4, 1, 0.25]
        assert found.loc["loyal", "low"] < 1
        assert rfm.mean_answer(history) == 5

    def test_lists(self):
        history = pd.DataFrame({"score": [90.0, 10], "recency_days": [40, 3], "spend_12m": [9.0, 1]})
        lists = rfm.waiting_lists(history)
        assert {name: int(np.argmax(values)) for name, values in lists.items()} == {
            "rfm": 0, "recency": 1, "spend_12m": 0, "bought_last_month": 1,
        }  # fmt: skip

    def test_a_simulated_truth_is_found(self):
        """Customers with a constant rate of buying: RFM must catch more than chance, and not all of it."""
        rng = np.random.default_rng(4)
        start, days = date(2020, 1, 1), 360
        rates = rng.gamma(0.6, 0.02, 600)
        rows = [
            (f"c{i}", (start + timedelta(days=int(d))).isoformat(), 10)
            for i, rate in enumerate(rates)
            for d in np.flatnonzero(rng.random(days) < rate)
        ]
        orders = ENGINE.create_table("simulated", orders_frame(rows), overwrite=True)
        history = rfm.before_and_after(
            orders, None, scored_on=start + timedelta(days=270), until=start + timedelta(days=days)
        ).to_pandas()
        from workbook.scoring import judge

        judged = judge(rfm.waiting_lists(history), {"buyers": history["bought"]}, share=0.3, rng=rng, repeats=100)
        rfm_row = judged.set_index("ranking").loc["rfm"]
        assert 0.4 < rfm_row["low"] < rfm_row["share"] < rfm_row["high"] < 1


def test_ibis_quantile_is_the_one_of_numpy():
    values = [0.0, 1.0, 5.0, 7.0, 100.0]
    table = ibis.memtable({"x": values})
    for p in (0.2, 0.4, 0.6, 0.8):
        assert ENGINE.to_pyarrow(table.x.quantile(p)).as_py() == pytest.approx(np.quantile(values, p))
