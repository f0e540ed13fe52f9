"""Means, rates, ratios, clusters, tails: figures that are known from elsewhere, and tables worked by hand."""

import math

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import scipy.stats
import tea_tasting as tt

from workbook import ab_testing as ab

# Figures of gbstats 0.8 (GrowthBook, tests/test_stats.py): sum, sum of squares, users.
CONTROL, TREATMENT = (1396.87, 52377.9767, 3407), (2422.7, 134698.29, 3461)


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    """Two arms of 400 and 500 customers with orders, revenue and what they did before."""
    rng = np.random.default_rng(3)
    arm = np.repeat(["control", "treatment"], [400, 500])
    rate = rng.gamma(1.0, 0.8, 900)
    orders = rng.poisson(rate * np.where(arm == "treatment", 1.3, 1.0)).astype(float)
    return pd.DataFrame({
        "customer_id": [f"{number:04}" for number in range(900)], "arm": arm,
        "cluster_id": [None] * 900, "denominator": orders,
        "value": orders * rng.lognormal(4, 0.6, 900), "before": rng.poisson(rate).astype(float),
    })


def test_the_relative_lift_is_that_of_gbstats():
    found = ab.mean_effect_from_sums(CONTROL, TREATMENT)
    assert round(found.relative, 5) == 0.70732
    assert (round(found.relative_low, 5), round(found.relative_high, 5)) == (-0.03526, 1.44989)
    assert round(found.relative_p_value, 5) == 0.06191


def test_the_absolute_difference_is_that_of_gbstats():
    found = ab.mean_effect_from_sums(CONTROL, TREATMENT)
    assert round(found.difference, 5) == 0.29
    assert (round(found.low, 5), round(found.high, 5)) == (0.04538, 0.53462)
    assert round(found.p_value, 5) == 0.02016


def test_two_rates_have_the_three_classical_p_values():
    """40 of 100 against 50 of 100: statsmodels and scipy agree with R's prop.test and fisher.test."""
    found = ab.rate_tests((40, 100), (50, 100))
    assert found.z == pytest.approx(1.421338, abs=5e-7)
    assert found.p_value == pytest.approx(0.1552185, abs=5e-8)
    assert found.chi2 == pytest.approx(2.020202, abs=5e-7)
    assert found.chi2_p == pytest.approx(found.p_value, abs=1e-12)
    assert found.fisher_p == pytest.approx(0.2007076, abs=5e-8)


def test_the_interval_of_two_rates_is_newcombes():
    """Newcombe 1998, table II, method 10: 56/70 against 48/80 gives .0524 to .3339."""
    found = ab.rate_effect((48, 80), (56, 70))
    assert (found.low, found.high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_a_rate_of_nobody_has_an_interval_but_no_p_value():
    found = ab.rate_effect((0, 50), (0, 50))
    assert math.isnan(found.p_value)
    assert found.low < 0 < found.high


def test_effects_in_the_engine_are_those_of_tea_tasting(con, make_table, customers):
    table = make_table(con, customers, {"cluster_id": pa.string()})
    pairs = [(ab.mean_effects, tt.Mean("value")), (ab.ratio_effects, tt.RatioOfMeans("value", "denominator")),
             (ab.cuped_effects, tt.Mean("value", "before"))]
    for method, rival in pairs:
        (found,) = method(table, metric="revenue", control="control")
        theirs = tt.Experiment(metric=rival, variant="arm").analyze(customers, control="control")["metric"]
        assert (found.n_control, found.n) == (400, 500)
        assert found.difference == pytest.approx(theirs.effect_size, rel=1e-9)
        assert found.low == pytest.approx(theirs.effect_size_ci_lower, rel=1e-9)
        assert found.p_value == pytest.approx(theirs.pvalue, rel=1e-7)


def test_welch_by_hand(duck, make_table):
    table = make_table(duck, {"arm": ["control"] * 3 + ["b"] * 3, "value": [1.0, 2.0, 3.0, 3.0, 4.0, 8.0]})
    (found,) = ab.mean_effects(table, metric="m", control="control")
    assert (found.control, found.treatment, found.difference) == (2.0, 5.0, 3.0)
    assert found.std_error == pytest.approx(math.sqrt(1 / 3 + 7 / 3))
    assert found.df == pytest.approx((8 / 3) ** 2 / ((1 / 3) ** 2 / 2 + (7 / 3) ** 2 / 2))
    assert found.p_value == pytest.approx(scipy.stats.ttest_ind([3, 4, 8], [1, 2, 3], equal_var=False).pvalue)
    assert found.relative == 1.5


def test_several_arms_are_each_compared_with_control(duck, make_table):
    table = make_table(duck, {"arm": ["z", "z", "a", "a", "b", "b"], "value": [1.0, 3.0, 2.0, 4.0, 5.0, 7.0]})
    found = ab.mean_effects(table, metric="m", control="z")
    assert [(one.arm, one.difference) for one in found] == [("a", 1.0), ("b", 4.0)]


def test_a_control_mean_near_zero_has_no_relative_lift():
    found = ab.mean_effect_from_sums((0.1, 100.0, 100), (50.0, 150.0, 100))
    assert math.isnan(found.relative) and math.isnan(found.relative_low)
    assert found.low > 0


def test_who_has_no_value_is_left_out_and_nothing_fails_where_nobody_is_left(duck, make_table):
    some = make_table(duck, {"arm": ["control", "control", "b", "b"], "value": [1.0, None, 3.0, 5.0]})
    (found,) = ab.mean_effects(some, metric="m", control="control")
    assert (found.n_control, found.n, found.difference) == (1, 2, 3.0)
    assert math.isnan(found.p_value)
    nobody = some.filter(some.arm == "b")
    assert ab.mean_effects(nobody, metric="m", control="control") == ()
    assert ab.mean_effects(nobody.limit(0), metric="m", control="control") == ()
    assert ab.rate_effects(nobody.limit(0), metric="m", control="control") == ()


def test_a_ratio_counts_customers_and_not_orders(duck, make_table):
    """Two customers an arm, many orders each: the interval rests on two, however many orders they place."""
    table = make_table(duck, {"arm": ["control"] * 2 + ["b"] * 2, "value": [100.0, 900.0, 400.0, 1600.0],
                              "denominator": [10.0, 30.0, 10.0, 30.0]})
    (found,) = ab.ratio_effects(table, metric="m", control="control")
    assert (found.control, found.treatment) == (25.0, 50.0)
    # by hand: residuals value − ratio × denominator are ∓150 (control) and ∓100; variance / mean(denominator)² / 2
    assert found.std_error == pytest.approx(math.sqrt((2 * 150**2 + 2 * 100**2) / 20**2 / 2))


def test_an_arm_without_any_order_has_no_ratio(duck, make_table):
    table = make_table(duck, {"arm": ["control"] * 2 + ["b"] * 2, "value": [0.0] * 2 + [1.0, 2.0],
                              "denominator": [0.0] * 2 + [1.0, 1.0]})
    (found,) = ab.ratio_effects(table, metric="m", control="control")
    assert math.isnan(found.difference) and math.isnan(found.p_value)


# --- clusters ------------------------------------------------------------------------------------


def test_customers_drawn_by_store_are_judged_by_store(con, make_table):
    """Stores that differ: the naive test sees 800 customers, the right one 16 stores."""
    rng = np.random.default_rng(1)
    store = np.repeat(np.arange(16), 50)
    value = rng.normal(10, 1, 800) + rng.normal(0, 2, 16)[store]
    table = make_table(con, pd.DataFrame({
        "customer_id": [str(n) for n in range(800)], "arm": np.where(store % 2, "treatment", "control"),
        "cluster_id": [f"s{one}" for one in store], "value": value}))
    (naive,) = ab.mean_effects(table, metric="m", control="control")
    (right,) = ab.cluster_effects(table, metric="m", control="control")
    means = [value[store == one].mean() for one in range(16)]  # equal stores: the t test of their means
    expected = scipy.stats.ttest_ind(means[1::2], means[::2])
    assert (right.n_control, right.n, right.df) == (8, 8, 14)
    assert right.difference == pytest.approx(naive.difference)
    assert right.p_value == pytest.approx(expected.pvalue, rel=1e-9)
    design = ab.cluster_design(table)
    assert (design.clusters, design.mean_size, design.code) == (16, 50.0, "few_clusters")
    assert design.icc == pytest.approx(0.8, abs=0.15)  # true: 4 / (4 + 1)
    assert right.std_error / naive.std_error == pytest.approx(design.naive_understates, rel=0.1)


def test_customers_drawn_singly_are_clusters_of_their_own(duck, make_table, customers):
    table = make_table(duck, customers, {"cluster_id": pa.string()})
    (singly,) = ab.cluster_effects(table, metric="m", control="control")
    (plain,) = ab.mean_effects(table, metric="m", control="control")
    assert singly.std_error == pytest.approx(plain.std_error)
    assert ab.cluster_design(table).code == "no_clusters"


# --- tails ------------------------------------------------------------------------------------------


def test_capping_takes_off_what_lies_above_a_cap_common_to_both_arms(duck, make_table):
    table = make_table(duck, {"arm": ["control"] * 5 + ["b"] * 5,
                              "value": [0.0, 10.0, 20.0, 30.0, 40.0, 0.0, 10.0, 20.0, 30.0, 1000.0]})
    found = ab.winsorised_effects(table, metric="m", control="control", share=0.5)
    assert found.cap == 25.0  # median of 10 10 20 20 30 30 40 1000
    assert found.capped == 4
    assert found.share_of_total == pytest.approx((5 + 15 + 5 + 975) / 1160)
    (effect,) = found.effects
    assert (effect.method, effect.control, effect.treatment) == ("winsorised", 16.0, 16.0)


def test_nothing_is_capped_where_nobody_bought(duck, make_table):
    table = make_table(duck, {"arm": ["control"] * 2 + ["b"] * 2, "value": [0.0] * 4})
    found = ab.winsorised_effects(table, metric="m", control="control")
    assert math.isnan(found.cap) and found.capped == 0 and found.effects[0].difference == 0


# --- many -------------------------------------------------------------------------------------------


def test_holm_and_benjamini_hochberg_of_six_p_values():
    """As R's p.adjust and statsmodels compute them."""
    raw = dict(zip("abcdef", [0.005, 0.06, 0.007, 0.04, 0.01, 0.03], strict=True))
    assert ab.correct(raw)["adjusted"].round(6).tolist() == [0.03, 0.09, 0.035, 0.09, 0.04, 0.09]
    assert ab.correct(raw, method="bh")["adjusted"].round(6).tolist() == [0.02, 0.06, 0.02, 0.048, 0.02, 0.045]


def test_a_test_without_a_p_value_does_not_count():
    found = ab.correct({"a": 0.04, "b": math.nan})
    assert found["adjusted"].tolist()[0] == 0.04
    assert found["significant"].tolist() == [True, False]
    assert ab.correct({})["adjusted"].tolist() == []
