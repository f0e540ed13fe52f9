"""What happened after a forecast: splits, tracking, rivals, the field's traps; and nothing later enters a forecast."""

from datetime import date, timedelta
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from evidence import clv as evidence
from workbook import clv
from workbook.clv.rival import FEATURES

READ = ibis.Table.to_pandas
AS_OF, UNTIL, WEEKS = evidence.CDNOW_AS_OF, evidence.CDNOW_UNTIL, evidence.CDNOW_WEEKS
MONEY = pa.decimal128(18, 4)


@pytest.fixture(scope="module")
def con():
    return evidence.engine()


@pytest.fixture(scope="module")
def orders(con):
    return evidence.cdnow_orders(con)


@pytest.fixture(scope="module")
def history(orders):
    return clv.holdout(orders, None, cut_off=AS_OF, until=UNTIL).order_by("customer_id").to_pandas()


@pytest.fixture(scope="module")
def fit(history):
    return clv.fit_purchases(history)


def shop(make_table, con, rows, back=()):
    """Orders (customer, day, amount) and returns (row of the order, day, amount)."""
    lost = {row: amount for row, _, amount in back}
    orders = pa.table(
        {
            "order_id": [f"o{i}" for i in range(len(rows))],
            "customer_id": [row[0] for row in rows],
            "ordered_on": [date.fromisoformat(row[1]) for row in rows],
            "amount": pa.array([Decimal(row[2]) for row in rows]).cast(MONEY),
            "net_amount": pa.array([Decimal(row[2] - lost.get(i, 0)) for i, row in enumerate(rows)]).cast(MONEY),
            "is_return": [False] * len(rows),
        }
    )
    returns = pa.table(
        {
            "order_id": pa.array([f"o{row}" for row, _, _ in back], pa.string()),
            "returned_on": pa.array([date.fromisoformat(day) for _, day, _ in back], pa.date32()),
            "amount": pa.array([Decimal(amount) for _, _, amount in back], pa.decimal128(38, 4)).cast(MONEY),
        }
    )
    return make_table(con, orders), make_table(con, returns)


class TestHoldout:
    def test_before_and_after_by_hand(self, con, make_table):
        rows = [("a", "2024-01-01", 10), ("a", "2024-01-15", 20), ("a", "2024-02-10", 30), ("a", "2024-02-10", 5),
                ("a", "2024-03-01", 99), ("b", "2024-01-20", 7), ("c", "2024-02-05", 8)]  # fmt: skip
        orders, returns = shop(make_table, con, rows, back=[(1, "2024-02-03", 20), (2, "2024-02-20", 10)])
        table = clv.holdout(orders, returns, cut_off=date(2024, 1, 31), until=date(2024, 2, 29))
        found = READ(table).set_index("customer_id")
        assert sorted(found.index) == ["a", "b"]  # c came later
        assert (found.loc["a", "x"], found.loc["a", "mean_repeat_value"]) == (1, 20)  # not yet returned on that day
        assert tuple(found.loc["a", ["actual_purchases", "actual_spend", "actual_mean_value"]]) == (1, 25, 25)
        assert tuple(found.loc["a", ["purchases_last_year", "spend_last_year"]]) == (2, 30)
        assert tuple(found.loc["b", ["actual_purchases", "actual_spend"]]) == (0, 0)
        assert np.isnan(found.loc["b", "actual_mean_value"])

    def test_splits_take_at_most_half_of_the_record(self):
        as_of = date(2024, 12, 31)
        long = clv.earlier_split(as_of, date(2020, 1, 1), 26)
        assert (long.until, long.weeks, long.cut_off) == (as_of, 26.0, as_of - timedelta(days=182))
        assert clv.earlier_split(as_of, as_of - timedelta(days=140), 26).weeks == 10.0
        assert clv.earlier_split(as_of, as_of - timedelta(days=50), 26).weeks == 0.0

    def test_cdnow_holdout_and_forecast_are_the_published_ones(self, history, fit):
        assert len(history) == 2357
        assert history["actual_purchases"].sum() == 1882
        assert clv.expected_purchases(fit, history, WEEKS).sum() == pytest.approx(1653.4, abs=0.1)


class TestNothingLaterEnters:
    def test_no_forecast_moves_when_the_future_is_deleted_or_altered(self, con, orders):
        """The same record, cut off, and with every later purchase made a hundred times as dear and doubled."""
        later = orders.filter(orders.ordered_on > AS_OF)
        dear = later.mutate(
            net_amount=(later.net_amount * 100).cast("decimal(18, 4)"),
            amount=(later.amount * 100).cast("decimal(18, 4)"),
            customer_id=later.customer_id + "x",
        )
        whole = orders.select(later.columns)
        futures = {
            "as it was": whole,
            "deleted": whole.filter(whole.ordered_on <= AS_OF),
            "altered": whole.union(dear.select(whole.columns)).mutate(
                net_amount=ibis.ifelse(ibis._.ordered_on > AS_OF, ibis._.net_amount * 3, ibis._.net_amount).cast(
                    "decimal(18, 4)"
                )
            ),
        }
        made = {name: self.forecast(con.create_table(f"future_{i}", READ(table), overwrite=True))
                for i, (name, table) in enumerate(futures.items())}  # fmt: skip
        for name in ("deleted", "altered"):
            for one, other in zip(made["as it was"], made[name], strict=True):
                pd.testing.assert_frame_equal(one, other)

    @staticmethod
    def forecast(orders):
        orders = orders.mutate(ordered_on=orders.ordered_on.cast("date"))
        customers = READ(clv.customer_table(orders, as_of=AS_OF).order_by("customer_id"))
        fit, value_fit, rng = clv.fit_purchases(customers), clv.fit_value(customers), np.random.default_rng(1)
        past = clv.backtests(orders, None, as_of=AS_OF, horizon_weeks=WEEKS, read=READ, rng=rng)
        widening = clv.widen(past, horizon_weeks=WEEKS)
        made = clv.forecast(fit, value_fit, customers, horizon_weeks=WEEKS, rng=rng, draws=20, widening=widening)
        rival = clv.boosting(orders, None, as_of=AS_OF, horizon_weeks=WEEKS, read=READ, rng=rng)
        churn = clv.p_alive(orders, None, as_of=AS_OF, read=READ)
        return made.customers, made.totals, past, rival.customers, churn

    def test_returns_of_tomorrow_do_not_move_the_counts_of_today(self, con, make_table):
        rows = [("a", "2024-01-01", 10), ("a", "2024-01-15", 20)]
        orders, returns = shop(make_table, con, rows, back=[(1, "2024-02-03", 20)])
        day = date(2024, 1, 31)
        assert READ(clv.features(orders, returns, as_of=day))["x"].tolist() == [1]
        assert READ(clv.features(orders, returns, as_of=date(2024, 2, 3)))["x"].tolist() == [0]


class TestAfterwards:
    def test_tracking_adds_up_to_the_record(self, orders, fit, history):
        weeks = clv.tracking(orders, None, fit, cut_off=AS_OF, until=UNTIL, read=READ)
        assert len(weeks) == 78 and weeks["week_end"].iloc[-1] == UNTIL
        known = weeks[~weeks["after_cut_off"]]
        assert known["actual"].sum() == 2457 and weeks.loc[weeks["after_cut_off"], "actual"].sum() == 1882
        assert weeks["actual_total"].iloc[-1] == weeks["actual"].sum() == 4339
        assert known["expected"].sum() == pytest.approx(2457, rel=0.02)
        by_age = clv.expected_total(fit, history["T"].to_numpy() + WEEKS).sum()
        assert weeks["expected_total"].iloc[-1] == pytest.approx(by_age, rel=1e-6)

    def test_by_past_frequency(self, history, fit):
        table = clv.by_frequency(fit, history, WEEKS)
        assert table["x"].tolist() == ["0", "1", "2", "3", "4", "5", "6", "7+"]
        assert table["customers"].sum() == 2357 and table["customers"].iloc[0] == 1411
        assert table["customers"] @ table["actual"] == pytest.approx(1882)
        assert table["customers"] @ table["expected"] == pytest.approx(1653.4, abs=0.1)
        assert ((table["low"] < table["actual"]) & (table["actual"] < table["high"])).all()


class TestTraps:
    def test_values_shown_to_the_model_flatter_it(self, history):
        """Trap: 'validated' on the holdout's own values it looks nearly perfect, honestly it beats a constant a bit."""
        errors = clv.value_errors(clv.fit_value(history), history).set_index("way")
        assert errors["rmse"].to_numpy() == pytest.approx([7.88, 29.07, 31.58], abs=0.02)
        assert errors.loc["own_values", "correlation"] == pytest.approx(0.99, abs=0.005)
        assert errors.loc["honest", "correlation"] == pytest.approx(0.42, abs=0.005)

    def test_the_mean_absolute_error_hardly_tells_the_model_from_zero(self, history, fit):
        actual = history["actual_purchases"].to_numpy(float)
        found = clv.forecasts_of_purchases(fit, history, WEEKS)
        assert list(found) == ["model", "past_rate", "last_year", "zero"]
        mean_error = {name: np.abs(forecast - actual).mean() for name, forecast in found.items()}
        assert mean_error["model"] == pytest.approx(0.785, abs=1e-3)
        assert mean_error["zero"] == pytest.approx(0.798, abs=1e-3)
        squared = {name: np.sqrt(((forecast - actual) ** 2).mean()) for name, forecast in found.items()}
        assert squared["model"] < 0.75 * squared["zero"]

    def test_purchases_of_the_past_go_on_in_a_naive_forecast(self, history, fit):
        naive = clv.forecasts_of_purchases(fit, history, WEEKS)["past_rate"]
        assert naive.sum() > 1.5 * 1882  # nobody ever leaves


class TestRival:
    def test_it_learns_from_an_earlier_window_and_covers_everyone(self, orders, history):
        found = clv.boosting(orders, None, as_of=AS_OF, horizon_weeks=WEEKS, read=READ, rng=np.random.default_rng(1))
        assert (found.code, found.n, len(found.customers)) == ("fitted", 2357, 2357)
        assert found.trained_on + timedelta(days=round(found.label_weeks * 7)) == AS_OF
        assert found.label_weeks == pytest.approx(19.43, abs=0.01)  # half of the record, for want of 39 weeks
        forecasts = clv.forecasts_of_purchases(clv.fit_purchases(history), history, WEEKS, found.customers)
        assert list(forecasts)[:2] == ["model", "boosting"]
        assert pd.Series(forecasts["boosting"]).corr(history["actual_purchases"], method="spearman") > 0.3
        assert found.customers["purchases"].sum() == pytest.approx(1882, rel=0.25)

    def test_features_by_hand(self, con, make_table):
        rows = [("a", "2023-01-02", 10), ("a", "2024-01-01", 20), ("a", "2024-01-29", 30), ("b", "2024-01-29", 5)]
        orders, returns = shop(make_table, con, rows)
        found = READ(clv.features(orders, returns, as_of=date(2024, 2, 5))).set_index("customer_id")
        assert list(found.columns) == list(FEATURES)
        a = found.loc["a"]
        assert (a["x"], a["t_x"], a["T"], a["silence_weeks"], a["mean_gap_weeks"]) == (2, 56, 57, 1, 28)
        assert (a["purchases_4w"], a["purchases_13w"], a["purchases_52w"]) == (1, 2, 2)
        assert (a["spend_4w"], a["spend_52w"], a["value_to_date"]) == (30, 50, 60)
        assert np.isnan(found.loc["b", "mean_gap_weeks"])

    def test_a_record_without_an_earlier_window_is_told(self, con, make_table):
        rows = [(f"c{i}", f"2024-01-{1 + i % 28:02}", 5) for i in range(60)]
        orders, returns = shop(make_table, con, rows)
        rng = np.random.default_rng(1)
        short = clv.boosting(orders, returns, as_of=date(2024, 2, 1), horizon_weeks=13, read=READ, rng=rng)
        assert short.code == "no_history" and short.customers.empty
        silent = clv.boosting(orders, returns, as_of=date(2024, 12, 1), horizon_weeks=13, read=READ, rng=rng)
        assert silent.code == "too_few"


class TestForChurn:
    def test_one_call_gives_everyone_a_chance_to_be_alive(self, orders):
        found = clv.p_alive(orders, None, as_of=AS_OF, read=READ)
        assert len(found) == 2357 and found["customer_id"].is_monotonic_increasing
        assert found["p_alive"].between(0, 1).all() and (found["expected_purchases"] > 0).all()
        assert found["p_alive"].mean() == pytest.approx(0.449, abs=1e-3)

    def test_a_tiny_shop_gets_no_rows(self, con, make_table):
        orders, returns = shop(make_table, con, [(f"c{i % 5}", f"2024-01-{1 + i:02}", 5) for i in range(12)])
        found = clv.p_alive(orders, returns, as_of=date(2024, 2, 1), read=READ)
        assert list(found.columns) == ["customer_id", "p_alive", "expected_purchases"] and found.empty
