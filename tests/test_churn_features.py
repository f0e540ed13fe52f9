"""Features as of a day: one customer by hand, a future that is altered without moving one number, labels after it."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from evidence import churn as evidence
from workbook import churn
from workbook.data.simulate import Parameters, simulate

MONEY = pa.decimal128(18, 4)
DAY = date(2025, 6, 30)
WINDOW = churn.Window("test", DAY, DAY + timedelta(days=90))


def orders_table(rows, discount=0.0, units=1.0):
    """(order, customer, ISO day, amount, net amount now) → clean/orders."""
    def money(values):
        return pa.array([Decimal(str(value)) for value in values], pa.decimal128(38, 4)).cast(MONEY)

    return pa.table({
        "order_id": [row[0] for row in rows], "customer_id": pa.array([row[1] for row in rows], pa.string()),
        "ordered_on": pa.array([date.fromisoformat(row[2]) for row in rows], pa.date32()),
        "amount": money([row[3] for row in rows]), "net_amount": money([row[4] for row in rows]),
        "is_return": [row[3] < 0 for row in rows], "discount": money([discount] * len(rows)),
        "units": money([units] * len(rows)),
    })  # fmt: skip


def rows_of(table, key="customer_id"):
    return {row[key]: row for row in table.to_pyarrow().to_pylist()}


# a: three days; the last order came back after the scoring day. b: silent for long. c: comes later. d: returned before.
HAND = [
    ("o1", "a", "2025-01-01", 100, 100), ("o2", "a", "2025-03-02", 40, 40), ("o3", "a", "2025-05-31", 60, 0),
    ("o4", "b", "2024-09-01", 10, 10), ("o5", "c", "2025-07-05", 10, 10), ("o6", "d", "2025-06-20", 30, 0),
    ("o7", "a", "2025-09-28", 5, 5), ("o8", "e", "2025-06-30", 20, 20), ("o9", "e", "2025-09-29", 20, 20),
]  # fmt: skip
BACK = [("o3", "a", "2025-07-20", 60), ("o6", "d", "2025-06-25", 30)]


def returns_table(rows):
    return pa.table({
        "order_id": [row[0] for row in rows], "customer_id": [row[1] for row in rows],
        "returned_on": pa.array([date.fromisoformat(row[2]) for row in rows], pa.date32()),
        "amount": pa.array([Decimal(row[3]) for row in rows], pa.decimal128(38, 4)).cast(MONEY),
    })  # fmt: skip


class TestByHand:
    def test_what_was_known_of_one_customer(self, con, make_table):
        record = churn.Record(make_table(con, orders_table(HAND, discount=10)), returns=make_table(
            con, returns_table(BACK)))  # fmt: skip
        found = rows_of(churn.features(record, scored_on=DAY, active_days=90))
        assert set(found) == {"a", "e"}  # b is silent for longer, c has not come yet, d gave everything back
        a = found["a"]
        assert (a["recency_days"], a["tenure_days"], a["purchase_days"], a["purchase_days_90"]) == (30, 180, 3, 1)
        assert a["mean_gap_days"] == 75
        assert a["gap_spread"] == pytest.approx(np.std([60, 90], ddof=1) / 75)
        assert a["recency_over_gap"] == pytest.approx(0.4)
        assert (a["mean_value"], a["last_value"]) == (pytest.approx(200 / 3), 60)  # o3 had not come back yet
        # 90 days: from 2 April on; the 90 before: from 2 January on
        assert (a["spend_90"], a["spend_12m"], a["spend_change"]) == (60, 200, 60 - 40)
        assert a["discount_share"] == pytest.approx(30 / 230)
        assert (a["returns_365"], a["returned_share"]) == (0, 0)
        assert (found["e"]["mean_gap_days"], found["e"]["gap_spread"]) == (None, None)

    def test_labels_lie_strictly_after_the_day_and_within_the_window(self, make_table):
        con = evidence.engine()  # the same steps as above, which ran on both engines
        record = churn.Record(make_table(con, orders_table(HAND)), returns=make_table(con, returns_table(BACK)))
        # 90 days after 30 June is 28 September: a comes back on the last day, e a day too late
        assert set(rows_of(churn.labels(record, window=WINDOW))) == {"a", "c"}
        told = rows_of(churn.snapshot(record, WINDOW, active_days=90))
        assert {customer: row["churned"] for customer, row in told.items()} == {"a": 0, "e": 1}
        today = churn.snapshot(record, WINDOW._replace(name="today"), active_days=90)
        assert "churned" not in today.columns


@pytest.fixture(scope="module")
def shop():
    """A small shop with every table, and its records as they are known after the whole history."""
    con = evidence.engine()
    record = evidence.record_of(simulate(700, 22, seed=11, parameters=Parameters()), con)
    return con, record


def altered(con, record, day=DAY):
    """The same shop with another future: everything dated after the day is changed, added or taken away."""
    after = f"DATE '{day}'"
    late = f"TIMESTAMP '{day + timedelta(days=1)}'"
    changes = {
        # half of what was left of each order comes back in the future
        "orders": f"""SELECT * REPLACE (
                CASE WHEN ordered_on > {after} THEN customer_id || 'x' ELSE customer_id END AS customer_id,
                CASE WHEN ordered_on > {after} THEN amount * 7 ELSE amount END AS amount,
                CAST(amount - COALESCE((SELECT SUM(r.amount) FROM new_returns r WHERE r.order_id = o.order_id), 0)
                    AS DECIMAL(18, 4)) AS net_amount) FROM clean_orders o""",
        "returns": "SELECT * FROM new_returns",
        "order_lines": f"""SELECT * REPLACE (CASE WHEN ordered_on > {after} THEN 'new' ELSE category END AS category)
            FROM clean_order_lines""",
        "events": f"SELECT * FROM clean_events WHERE occurred_on <= {after}",
        "contacts": f"""SELECT * REPLACE (
                CASE WHEN opened_at < {late} - INTERVAL 1 DAY THEN opened_at ELSE {late} END AS opened_at,
                CASE WHEN clicked_at < {late} - INTERVAL 1 DAY THEN clicked_at ELSE {late} END AS clicked_at,
                CASE WHEN unsubscribed_at < {late} - INTERVAL 1 DAY THEN unsubscribed_at ELSE {late} END
                    AS unsubscribed_at) FROM clean_contacts""",
        "tickets": f"""SELECT * REPLACE (CASE WHEN first_response_at < {late} - INTERVAL 1 DAY THEN first_response_at
                ELSE {late} + INTERVAL 100 DAY END AS first_response_at) FROM clean_tickets
            UNION ALL SELECT * REPLACE ({after} + 1 AS opened_on, NOT is_complaint AS is_complaint)
            FROM clean_tickets""",
        "payments": f"""SELECT * REPLACE (CASE WHEN paid_at < {late} - INTERVAL 1 DAY THEN paid_at
                ELSE {late} END AS paid_at) FROM clean_payments
            UNION ALL SELECT * REPLACE ({after} + 1 AS due_on) FROM clean_payments""",
        "subscriptions": f"""SELECT * REPLACE (CASE WHEN ended_on <= {after} THEN ended_on
                ELSE {after} + 1 END AS ended_on) FROM clean_subscriptions""",
    }  # fmt: skip
    con.raw_sql(f"""CREATE OR REPLACE TABLE new_returns AS SELECT * FROM clean_returns WHERE returned_on <= {after}
        UNION ALL BY NAME SELECT order_id, customer_id, {after} + 1 AS returned_on, CAST(ROUND((amount - COALESCE((
            SELECT SUM(r.amount) FROM clean_returns r WHERE r.order_id = o.order_id AND r.returned_on <= {after}), 0))
            / 2, 2) AS DECIMAL(18, 4)) AS amount FROM clean_orders o WHERE ordered_on <= {after}""")
    for name, text in changes.items():
        con.raw_sql(f"CREATE OR REPLACE TABLE altered_{name} AS {text}")
    return churn.Record(**{name: con.table(f"altered_{name}") for name in record._fields})


class TestNoLeak:
    def test_another_future_moves_no_feature(self, shop):
        """Later orders, returns, visits, openings, answers, payments and cancellations: not one number changes."""
        con, record = shop
        before = evidence.frame_of(churn.features(record, scored_on=DAY, active_days=180).order_by("customer_id"))
        other = altered(con, record)
        after = evidence.frame_of(churn.features(other, scored_on=DAY, active_days=180).order_by("customer_id"))
        assert len(before) > 150 and set(churn.feature_names(record)) == {f.name for f in churn.FEATURES}
        pd.testing.assert_frame_equal(before, after, check_exact=False, rtol=1e-12)

    def test_the_other_future_does_move_the_features_of_a_later_day(self, shop):
        """Else the test above would prove nothing: each source's columns differ once the future has come."""
        con, record = shop
        later = DAY + timedelta(days=120)
        tables = [
            evidence.frame_of(churn.features(each, scored_on=later, active_days=600).order_by("customer_id"))
            for each in (record, altered(con, record))
        ]
        both = tables[0].merge(tables[1], on="customer_id", suffixes=("", "_other"))
        moved = {
            feature.source
            for feature in churn.FEATURES
            if not np.allclose(both[feature.name], both[f"{feature.name}_other"], equal_nan=True)
        }
        assert moved == {feature.source for feature in churn.FEATURES}

    def test_labels_do_not_see_beyond_their_window(self, shop):
        con, record = shop
        other = altered(con, record, WINDOW.until)
        known, again = (
            evidence.frame_of(churn.labels(each, window=WINDOW).order_by("customer_id")) for each in (record, other)
        )
        pd.testing.assert_frame_equal(known, again)
        renewed, still = (
            evidence.frame_of(churn.labels(each, window=WINDOW, kind="contractual").order_by("customer_id"))
            for each in (record, other)
        )
        pd.testing.assert_frame_equal(renewed, still)
        assert len(known) > 100 and len(renewed) > 10

    def test_attributes_known_only_as_of_now_stay_out(self, shop):
        con, record = shop
        customers, attributes = con.table("raw_customers"), con.table("raw_customer_attributes")
        out = churn.excluded(customers, attributes)
        assert {"customers.region", "customers.birth_date", "customer_attributes.value"} <= set(out)
        names = set(churn.feature_names(record))
        assert not names & {name.split(".")[1] for name in out}
        assert churn.excluded(None, None) == ()


class TestShape:
    def test_an_absent_source_has_no_columns(self, shop):
        _, record = shop
        bare = churn.Record(record.orders.select("order_id", "customer_id", "ordered_on", "amount", "net_amount",
                                                 "is_return"))  # fmt: skip
        found = churn.features(bare, scored_on=DAY, active_days=90)
        assert found.columns == ("customer_id", *churn.feature_names(bare))
        assert {f.source for f in churn.FEATURES if f.name in found.columns} == {"orders"}
        assert evidence.frame_of(found)["discount_share"].isna().all()

    def test_who_is_absent_from_a_source_has_nothing_there_but_a_blank_mean(self, shop):
        _, record = shop
        frame = evidence.frame_of(churn.features(record, scored_on=DAY, active_days=180))
        quiet = frame[frame["tickets_365"] == 0]
        assert len(quiet) and quiet["response_hours"].isna().all()
        assert not frame[["visits_30", "clicks_180", "returns_365", "has_contract", "open_overdue"]].isna().any().any()

    def test_a_large_window_is_sampled_but_today_is_not(self, shop):
        _, record = shop
        whole = evidence.frame_of(churn.snapshot(record, WINDOW, active_days=180))
        part = evidence.frame_of(churn.snapshot(record, WINDOW, active_days=180, largest=100))
        assert whole["customer_id"].is_monotonic_increasing
        assert 60 <= len(part) <= 140  # about 100, drawn by the ids
        assert part.merge(whole).shape[0] == len(part)  # the same numbers
        today = evidence.frame_of(churn.snapshot(record, WINDOW._replace(name="today"), active_days=180, largest=100))
        assert len(today) == len(whole)

    def test_holders_of_a_contract_leave_when_it_ends(self, shop):
        con, record = shop
        frame = evidence.frame_of(churn.snapshot(record, WINDOW, active_days=90, kind="contractual"))
        contracts = evidence.frame_of(con.table("clean_subscriptions"))
        last = contracts["ended_on"].fillna(pd.Timestamp("2099-01-01").date())
        holds = [
            set(contracts.loc[(contracts["started_on"] <= day) & (last > day), "customer_id"])
            for day in (WINDOW.scored_on, WINDOW.until)
        ]
        assert set(frame["customer_id"]) == holds[0] and len(frame) > 10
        assert set(frame.loc[frame["churned"] == 1, "customer_id"]) == holds[0] - holds[1]
        assert (frame["has_contract"] == 1).all() and 0 < frame["churned"].mean() < 1
