"""What 07 makes of a shop: every experiment judged in one pass, kept with its grade, and named results."""

import math
from datetime import date

import ibis
import numpy as np
import pytest

from workbook import ab_testing as ab
from workbook.ab_testing.record import RECORD
from workbook.ab_testing.worths import worths
from workbook.data.errors import WorkbookError
from workbook.data.metrics import METRICS
from workbook.data.simulate import simulate

AS_OF = date(2026, 6, 30)
DURING = date(2025, 11, 30)  # second_order_coupon began on the first and runs for 56 days


@pytest.fixture(scope="module")
def shop():
    """A simulated shop with four experiments: one works, one does not, one is broken, one works for a segment."""
    made = simulate(6_000, 30, seed=1)
    con = ibis.duckdb.connect(threads=1)
    names = ("orders", "assignments", "outcomes", "contacts")
    tables = {name: con.create_table(name, made.tables[name]) for name in names}
    orders = tables["orders"].mutate(net_amount=tables["orders"].amount, is_return=ibis.literal(False)).cache()
    assignments = tables["assignments"].mutate(
        assigned_on=(tables["assignments"].assigned_at + ibis.interval(hours=8)).date(),
        exposed_at=ibis.null("timestamp"), cluster_id=ibis.null("string"))
    measured_on = (tables["outcomes"].measured_at + ibis.interval(hours=8)).date()
    outcomes = tables["outcomes"].mutate(measured_on=measured_on)
    contacts = tables["contacts"].mutate(sent_on=(tables["contacts"].sent_at + ibis.interval(hours=8)).date())
    return orders, assignments, outcomes, contacts


@pytest.fixture(scope="module")
def reviewed(shop):
    orders, assignments, outcomes, _contacts = shop
    return ab.review(assignments, outcomes, orders, as_of=AS_OF)


@pytest.fixture(scope="module")
def tested(shop):
    orders, _assignments, _outcomes, contacts = shop
    frame = ibis.expr.types.Table.to_pandas
    return ab.judge_campaigns(orders, None, contacts, as_of=AS_OF, frame=frame, rng=np.random.default_rng(1), most=2)


def named(reviewed, name):
    return next(one for one in reviewed if one.experiment_id == name)


class TestReview:
    def test_each_experiment_is_judged_rightly(self, reviewed):
        codes = {one.experiment_id: one.verdict.code for one in reviewed}
        assert codes == {"free_gift_wrapping": "ship", "new_home_page": "stop", "short_checkout": "refuse",
                         "second_order_coupon": "ship"}
        gift, page = named(reviewed, "free_gift_wrapping").main, named(reviewed, "new_home_page").main
        assert gift.relative_low < 0.60 < gift.relative_high, "the true lift"
        assert page.low < 0 < page.high
        assert named(reviewed, "short_checkout").split.broken

    def test_the_segment_for_which_it_works_is_found(self, reviewed, shop):
        found = ab.by_history(named(reviewed, "second_order_coupon"), shop[0])
        effects = found.effects.set_index("segment")
        assert found.code == "differs" and effects["difference"].idxmax() == "one_order"
        assert effects.loc["one_order", "low"] > 0

    def test_a_running_experiment_is_decided_by_daily_looks_alone(self, shop):
        orders, assignments, outcomes, _contacts = shop
        reviewed = ab.review(assignments, outcomes, orders, as_of=DURING)
        one = named(reviewed, "second_order_coupon")
        assert (one.phase, one.from_orders, one.maturity.share, one.main) == ("running", True, 0, None)
        assert one.verdict.code == "ship" and "decided_early" in one.verdict.reasons
        early = named(ab.review(assignments, outcomes, orders, as_of=date(2025, 11, 4)), "second_order_coupon")
        assert early.verdict.code == "continue" and early.verdict.days_more == 53
        assert ab.to_watch(reviewed).experiment_id == "second_order_coupon"
        path = ab.watched(one, orders, None, as_of=DURING)
        assert len(path) and (path["high"] - path["low"] > path["fixed_high"] - path["fixed_low"]).all()

    def test_before_the_first_there_is_none(self, shop):
        orders, assignments, outcomes, _contacts = shop
        assert ab.review(assignments, outcomes, orders, as_of=date(2024, 12, 31)) == []

    def test_without_outcomes_they_are_counted_from_orders(self, shop, reviewed):
        orders, assignments, _outcomes, _contacts = shop
        counted = named(ab.review(assignments, None, orders, as_of=AS_OF, outcome_days=56), "free_gift_wrapping")
        recorded = named(reviewed, "free_gift_wrapping")
        assert counted.from_orders and counted.main.metric == "orders" and counted.verdict.code == "ship"
        assert counted.main.difference == pytest.approx(recorded.main.difference, abs=0.03)

    def test_odd_records_are_judged_too(self, shop):
        """Outcomes without a day of measurement; an experiment of which only one arm is on record."""
        orders, assignments, outcomes, _contacts = shop
        undated = outcomes.mutate(measured_on=ibis.null("date"), measured_at=ibis.null("timestamp"))
        gift = named(ab.review(assignments, undated, orders, as_of=AS_OF), "free_gift_wrapping")
        assert gift.verdict.code == "ship" and gift.days == 56
        treated = assignments.filter(assignments.arm == "treatment")
        for one in ab.review(treated, outcomes, orders, as_of=AS_OF):
            assert one.main is None and one.verdict.code == "immature" and ab.record([one]).empty

    def test_drawn_by_store_their_number_counts(self, shop):
        """The same customers, but each of 40 clusters is whole in one arm: no method that counts single draws."""
        orders, assignments, outcomes, _contacts = shop
        store = assignments.customer_id.right(2).cast("int64") % 40
        drawn = assignments.mutate(cluster_id="store " + store.cast("string"),
                                   arm=ibis.ifelse(store % 2 == 0, "control", "treatment"), planned_share=0.5)
        one = named(ab.review(drawn, outcomes, orders, as_of=AS_OF), "new_home_page")
        assert one.main.method == "cluster_delta" and one.main.n + one.main.n_control == one.design.clusters == 40
        assert one.split.arms["customers"].sum() == 40, "stores were drawn"
        assert not one.cuped and ab.by_history(one, orders) is None and ab.watched(one, orders, None, as_of=AS_OF).empty
        assert ab.targeting(one, orders, frame=None, rng=None) is None and ab.example([one]) is None

    def test_by_hand_the_same(self, reviewed):
        one = ab.example(reviewed)
        arms = ab.arm_totals(one).to_pandas()
        mean = arms["total"] / arms["customers"]
        error2 = (arms["squares"] / arms["customers"] - mean**2) / (arms["customers"] - 1)
        assert arms["arm"].tolist() == ["control", "treatment"]
        assert mean[1] - mean[0] == pytest.approx(one.main.difference)
        assert math.sqrt(error2.sum()) == pytest.approx(one.main.std_error)

    def test_the_one_in_focus(self, reviewed):
        assert ab.in_focus(reviewed).experiment_id == "second_order_coupon"
        assert ab.in_focus(reviewed, "short_checkout").verdict.code == "refuse"
        assert ab.in_focus([]) is None and ab.example([]) is None and ab.to_watch([]) is None
        with pytest.raises(WorkbookError, match="short_checkout"):
            ab.in_focus(reviewed, "shrt_checkout")


class TestRecord:
    def test_one_row_an_experiment_metric_and_arm(self, reviewed):
        rows = ab.record(reviewed)
        assert rows.columns.tolist() == RECORD and not rows.duplicated(["experiment_id", "metric", "arm"]).any()
        assert rows.groupby("experiment_id")["is_first"].sum().eq(1).all()
        assert (rows["adjusted_p"] >= rows["p_value"] - 1e-12).all()
        ratio = rows[rows["kind"] == "ratio"]
        assert len(ratio) and ratio["cuped_low"].isna().all()
        assert rows[rows["kind"] == "mean"]["cuped_low"].notna().all()

    def test_kept_with_its_grade(self, reviewed, tested):
        table = ab.kept(ab.record(reviewed), tested)
        assert set(table["evidence"].to_pylist()) == {"randomised", "matched"}
        assert table["evidence"].to_pylist().count("matched") == len(tested)
        assert table.num_rows == len(ab.record(reviewed)) + len(tested)
        assert str(table.schema.field("started_on").type) == "date32[day]"

    def test_a_shop_without_any_keeps_an_empty_table(self):
        table = ab.kept(ab.record([]), [])
        assert table.num_rows == 0 and table.column_names == RECORD


class TestWorth:
    def test_money_that_was_measured_counts_and_winners_are_shrunk(self, reviewed):
        found = worths(reviewed, order_value=200.0, margin_share=0.3)
        assert set(found) == {"free_gift_wrapping", "second_order_coupon"}
        for one in found.values():
            assert one.low < one.value < one.high and abs(one.value) < abs(one.naive)
        double = worths(reviewed, order_value=200.0, margin_share=0.6)["free_gift_wrapping"]
        assert double.value == pytest.approx(2 * found["free_gift_wrapping"].value)
        other = worths(reviewed, order_value=9_999.0, margin_share=0.3)["free_gift_wrapping"]
        assert other.value == pytest.approx(found["free_gift_wrapping"].value), "revenue was measured"

    def test_orders_are_worth_an_order_each(self, reviewed):
        one = named(reviewed, "free_gift_wrapping")
        orders = one._replace(effects=tuple(e for e in one.effects if e.metric == "orders"), health={}, cuped={})
        cheap, dear = (worths([orders], order_value=value)[one.experiment_id].naive for value in (10.0, 30.0))
        assert dear == pytest.approx(3 * cheap)
        assert cheap == pytest.approx(10 * one.main.difference * one.customers * 365 / one.days)


def test_figures_have_definitions_and_units(reviewed, tested, shop):
    baselines = ab.baselines(shop[0], days=56, as_of=AS_OF)
    plans = ab.plans(baselines, ab.traffic(shop[0], as_of=AS_OF), relative=0.1)
    worth = worths(reviewed, order_value=200.0)
    figures = [*ab.experiment_figures(reviewed, worth), *ab.campaign_figures(tested),
               *ab.planning_figures(plans, metric="orders")]
    empty = [*ab.experiment_figures([], {}), *ab.campaign_figures([]),
             *ab.planning_figures(plans.head(0), metric="orders")]
    assert [figure.name for figure in figures] == [figure.name for figure in empty]
    for figure in (*figures, *empty):
        assert METRICS[f"07_ab_testing.{figure.name}"].unit == figure.unit
        assert figure.value is not None or figure.reason
    found = {figure.name: figure for figure in figures}
    assert (found["experiments_judged"].value, found["experiments_refused"].value) == (3, 1)
    assert found["best_experiment_lift"].evidence == "randomised" and found["campaign_effect"].evidence == "matched"
    assert found["best_experiment_lift"].low < 0.60 < found["best_experiment_lift"].high
    assert found["campaign_effect"].low < 0 < found["campaign_effect"].high


class TestPlans:
    def test_more_customers_see_smaller_effects(self, shop):
        baselines, traffic = ab.baselines(shop[0], days=56, as_of=AS_OF), ab.traffic(shop[0], as_of=AS_OF)
        curves = ab.detectable_curves(baselines, traffic)
        assert curves["day"].tolist() == list(range(7, 92, 7))
        assert curves["orders"].is_monotonic_decreasing
        small, large = (ab.plans(baselines, traffic, relative=effect) for effect in (0.1, 0.5))
        assert (small["per_arm"] > large["per_arm"]).all()
        assert (small["per_arm_cuped"].dropna() < small["per_arm"][small["per_arm_cuped"].notna()]).all()

    def test_too_few_to_plan_with(self, shop):
        few = shop[0].filter(shop[0].customer_id.isin([f"{i}" for i in range(5)]))
        baselines, traffic = ab.baselines(few, days=56, as_of=AS_OF), ab.traffic(few, as_of=AS_OF)
        assert len(ab.plans(baselines, traffic, relative=0.1)) == 0 and ab.plannable(baselines) == {}
        assert len(ab.detectable_curves(baselines, traffic)) == 0
