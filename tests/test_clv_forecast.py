"""Forecasts: what a row means, both intervals and their coverage, widening by past errors, groups, batches."""

import math
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest

from evidence import clv as evidence
from workbook import clv
from workbook.clv.widening import cut_offs
from workbook.data.errors import WorkbookError

READ = ibis.Table.to_pandas
WEEKS = evidence.CDNOW_WEEKS


@pytest.fixture(scope="module")
def orders():
    return evidence.cdnow_orders(evidence.engine())


@pytest.fixture(scope="module")
def history(orders):
    table = clv.holdout(orders, None, cut_off=evidence.CDNOW_AS_OF, until=evidence.CDNOW_UNTIL)
    return table.order_by("customer_id").to_pandas()


@pytest.fixture(scope="module")
def fits(history):
    return clv.fit_purchases(history), clv.fit_value(history)


@pytest.fixture(scope="module")
def made(history, fits):
    groups = {"bought": np.where(history["x"] > 0, "again", None), "half": np.arange(len(history)) % 2}
    return clv.forecast(*fits, history, horizon_weeks=WEEKS, rng=np.random.default_rng(1), groups=groups, margin=0.5)


class TestRows:
    def test_clv_is_margin_times_discounted_spend(self, history, fits):
        """By small steps: what is expected of each week, discounted to the report date."""
        found = clv.point_forecast(*fits, history, horizon_weeks=52, yearly_discount=0.15, margin=0.4)
        ends = np.arange(0, 53)
        running = np.stack([clv.expected_purchases(fits[0], history, max(t, 1e-9)) for t in ends])
        discount = 1.15 ** (-(ends[1:] - 0.5) * 7 / 365.2425)
        by_steps = 0.4 * found["value_per_purchase"] * (discount @ np.diff(running, axis=0))
        assert found["clv"].to_numpy() == pytest.approx(by_steps, rel=1e-4)
        assert found["expected_spend"].to_numpy() == pytest.approx(
            found["expected_purchases"] * found["value_per_purchase"]
        )

    def test_no_discount_and_full_margin_leave_the_spend(self, history, fits):
        found = clv.point_forecast(*fits, history, horizon_weeks=20, yearly_discount=0.0)
        assert found["clv"].to_numpy() == pytest.approx(found["expected_spend"].to_numpy())

    def test_without_values_money_is_blank_and_purchases_are_not(self, history, fits):
        found = clv.forecast(fits[0], None, history, horizon_weeks=9, rng=np.random.default_rng(1), draws=20)
        assert found.customers[["clv", "spend_low", "expected_spend_high"]].isna().all().all()
        assert found.customers["expected_purchases_high"].notna().all()
        assert found.totals.loc[0, "purchases_high"] > 0 and math.isnan(found.totals.loc[0, "clv_drawn_low"])

    def test_a_fit_that_is_not_usable_gives_blanks(self, history):
        few = clv.fit_purchases(history.head(5))
        found = clv.forecast(few, None, history, horizon_weeks=9, rng=np.random.default_rng(1))
        assert len(found.customers) == len(history) and found.customers.drop(columns="customer_id").isna().all().all()
        assert found.totals.empty

    def test_a_horizon_of_nothing_is_refused(self, history, fits):
        with pytest.raises(WorkbookError, match="0 weeks"):
            clv.point_forecast(*fits, history, horizon_weeks=0)

    def test_the_same_seed_gives_the_same_forecast_and_batches_the_same_expectations(self, history, fits):
        few = history.head(300)
        one, again, parts = (
            clv.forecast(*fits, few, horizon_weeks=9, rng=np.random.default_rng(3), draws=50, batch=batch)
            for batch in (1000, 1000, 70)
        )
        pd.testing.assert_frame_equal(one.customers, again.customers)
        pd.testing.assert_frame_equal(one.totals, again.totals)
        points = ["expected_purchases", "clv", "clv_low", "expected_spend_high"]
        pd.testing.assert_frame_equal(one.customers[points], parts.customers[points])
        assert parts.totals.loc[0, "purchases_high"] == pytest.approx(one.totals.loc[0, "purchases_high"], rel=0.15)


class TestIntervals:
    def test_what_is_really_bought_is_less_sure_than_the_expectation(self, made):
        total = made.totals.iloc[0]
        assert total["purchases_low"] < total["expected_purchases_low"]
        assert total["purchases_high"] > total["expected_purchases_high"]
        rows = made.customers
        width = rows["purchases_high"] - rows["purchases_low"]
        assert (width > rows["expected_purchases_high"] - rows["expected_purchases_low"]).mean() > 0.9
        assert (rows["purchases_low"] % 1 == 0).all()  # purchases are whole

    def test_the_interval_for_the_expectation_is_that_of_drawn_parameters(self, history, fits):
        """The delta method against 400 draws of the parameters."""
        fit, rng = fits[0], np.random.default_rng(4)
        found = clv.forecast(fit, None, history, horizon_weeks=WEEKS, rng=rng, draws=5).totals.iloc[0]
        logs = rng.multivariate_normal(np.log(fit.values), fit.covariance, 400)
        merged = clv.merge(history)
        totals = [
            merged["customers"] @ clv.expected_purchases(fit._replace(values=np.exp(values)), merged, WEEKS)
            for values in logs
        ]
        low, high = np.quantile(totals, (0.025, 0.975))
        assert found["expected_purchases_low"] == pytest.approx(low, rel=0.03)
        assert found["expected_purchases_high"] == pytest.approx(high, rel=0.03)

    def test_groups_add_up_and_blank_labels_are_left_out(self, made, history):
        totals = made.totals.set_index(["by", "group"])
        everyone = totals.loc[("all", "all")]
        for by in ("tenth", "half"):
            assert totals.loc[by, "clv"].sum() == pytest.approx(everyone["clv"])
            assert totals.loc[by, "customers"].sum() == len(history)
        assert list(totals.loc["bought"].index) == ["again"]
        assert totals.loc[("bought", "again"), "customers"] == 946
        assert totals.loc["tenth", "clv"].is_monotonic_decreasing
        spread = totals["purchases_high"] - totals["purchases_low"]
        assert spread["half"].max() < spread[("all", "all")] < spread["half"].sum()

    def test_on_cdnow_the_parameter_interval_misses_the_holdout_and_the_widened_one_holds_it(
        self, orders, history, fits
    ):
        """1,882 purchases in 39 weeks; 1,653.4 were expected. Earlier windows of 1997 say how far off to expect."""
        assert history["actual_purchases"].sum() == 1882
        rng = np.random.default_rng(1)
        past = clv.backtests(orders, None, as_of=evidence.CDNOW_AS_OF, horizon_weeks=WEEKS, read=READ, rng=rng)
        assert len(past) == 3 and (past["cut_off"] < evidence.CDNOW_AS_OF).all()
        widening = clv.widen(past, horizon_weeks=WEEKS)
        assert widening.code == "widened" and widening.factor > 1.2
        plain, wide = (
            clv.forecast(*fits, history, horizon_weeks=WEEKS, rng=rng, draws=400, widening=used).totals.iloc[0]
            for used in (None, widening)
        )
        assert plain["expected_purchases"] == pytest.approx(1653.4, abs=0.1)
        assert plain["expected_purchases_high"] < 1882
        assert wide["purchases_low"] < 1882 < wide["purchases_high"]
        assert wide["expected_purchases_low"] < plain["expected_purchases_low"]

    def test_single_customers_of_cdnow_lie_within_their_own_interval(self, made, history):
        inside = (history["actual_purchases"] >= made.customers["purchases_low"]) & (
            history["actual_purchases"] <= made.customers["purchases_high"]
        )
        assert 0.95 < inside.mean() < 0.99  # whole numbers: a little more than 95 %
        spent = (history["actual_spend"] >= made.customers["spend_low"]) & (
            history["actual_spend"] <= made.customers["spend_high"]
        )
        assert 0.94 < spent.mean() < 0.99


class TestCoverage:
    """Many simulated shops; bounds are those that a binomial number leaves with a chance of 1 in 1,000."""

    def test_both_intervals_hold_where_the_model_holds(self):
        n = 16
        outcomes = evidence.shops("bg_nbd", n=n, seed=5, customers=700)
        low, _ = evidence.bounds(n)
        for name in ("expectation", "bought", "spent"):
            assert sum(getattr(outcome, name) for outcome in outcomes) >= low, name
        assert np.mean([outcome.each_bought for outcome in outcomes]) > 0.95
        assert np.mean([outcome.each_spent for outcome in outcomes]) > 0.945

    def test_a_season_breaks_the_plain_interval_and_past_errors_mend_it(self):
        n = 12
        outcomes = evidence.shops("bg_nbd", n=n, seed=6, strength=0.6, backtest=True, customers=700)
        low, _ = evidence.bounds(n)
        assert sum(outcome.bought for outcome in outcomes) < low
        assert sum(outcome.widened_bought for outcome in outcomes) >= low
        assert sum(outcome.widened_spent for outcome in outcomes) >= low


class TestWidening:
    def test_errors_as_large_as_the_model_thought_widen_nothing(self):
        past = pd.DataFrame({"log_ratio": [0.1, -0.05], "own_error": [0.1, 0.1], "tested_weeks": [13.0, 13.0]})
        assert clv.widen(past, horizon_weeks=13)[:3] == ("not_needed", 0.0, 0.0)

    def test_one_window_is_no_history(self):
        past = pd.DataFrame({"log_ratio": [0.9], "own_error": [0.1], "tested_weeks": [13.0]})
        assert clv.widen(past, horizon_weeks=13).code == "no_history"

    def test_extra_error_by_hand(self):
        """mean of 0.09 and 0.09, less 0.01, is 0.08; four times the time, twice the error; t with 2: 4.303 / 1.96."""
        past = pd.DataFrame({"log_ratio": [0.3, -0.3], "own_error": [0.1, 0.1], "tested_weeks": [13.0, 13.0]})
        found = clv.widen(past, horizon_weeks=52)
        assert found.extra_sd == pytest.approx(2 * math.sqrt(0.08))
        assert found.sd == pytest.approx(found.extra_sd * 4.302653 / 1.959964, rel=1e-6)
        assert found.factor == pytest.approx(math.sqrt(1 + found.sd**2 / 0.01))

    def test_a_wider_total_is_wider_by_the_common_error(self, history, fits):
        widening = clv.Widening("widened", 0.2, 0.2, 9, 13.0, 2.0)
        plain, wide = (
            clv.forecast(*fits, history, horizon_weeks=WEEKS, rng=np.random.default_rng(7), draws=400, widening=used)
            for used in (None, widening)
        )
        for name in ("purchases", "expected_purchases"):
            ends = [(each.totals.loc[0, f"{name}_low"], each.totals.loc[0, f"{name}_high"]) for each in (plain, wide)]
            before, after = (math.log(high / low) / (2 * 1.96) for low, high in ends)
            assert after == pytest.approx(math.hypot(before, 0.2), rel=0.08)

    @pytest.mark.filterwarnings("error::RuntimeWarning")
    @pytest.mark.parametrize("model", ["bg_nbd", "pareto_nbd"])
    def test_after_large_past_errors_what_is_bought_is_still_less_sure_than_its_expectation(self, history, model):
        widening = clv.Widening("widened", 1.0, 1.2, 3, 13.0, 10.0)
        fit, value_fit = clv.fit_purchases(history, model), clv.fit_value(history)
        rng = np.random.default_rng(8)
        made = clv.forecast(fit, value_fit, history, horizon_weeks=WEEKS, rng=rng, draws=50, widening=widening)
        for expected, real in (("expected_purchases", "purchases"), ("expected_spend", "spend"), ("clv", "clv_drawn")):
            assert (made.totals[f"{real}_low"] <= made.totals[f"{expected}_low"]).all()
            assert (made.totals[f"{real}_high"] >= made.totals[f"{expected}_high"]).all()
        rows = made.customers
        assert (rows["purchases_high"] >= np.floor(rows["expected_purchases_high"])).all()

    def test_earlier_days_leave_room_before_and_after(self):
        as_of, first = date(2024, 12, 31), date(2022, 1, 1)
        for horizon in (13, 52, 200):
            found = cut_offs(first, as_of, horizon)
            assert 2 <= len(found) <= 6
            for cut_off, weeks in found:
                assert cut_off + timedelta(days=round(weeks * 7)) <= as_of
                assert (cut_off - first).days >= weeks * 7 - 1
        assert cut_offs(as_of - timedelta(days=70), as_of, 13) == []
        assert cut_offs(None, as_of, 13) == []
