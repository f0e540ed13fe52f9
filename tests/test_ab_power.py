"""Sample size and duration from the shop's own variance."""

import math
from datetime import date
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workbook import ab_testing as ab
from workbook.data.errors import WorkbookError

MONEY = pa.decimal128(18, 4)
AS_OF = date(2026, 1, 31)


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


def baseline(kind: str = "mean", mean: float = 10.0, variance: float = 25.0, correlation: float = math.nan):
    return ab.Baseline("m", kind, mean, variance, 1000, correlation, 28)


@pytest.mark.parametrize(("d", "expected"), [(0.5, 63.77), (0.2, 393.41)])
def test_sample_sizes_of_means_are_those_of_statsmodels(d, expected):
    """Cohen 1988, table 2.4.1 (64 and 393 an arm); statsmodels `TTestIndPower`."""
    assert round(ab.sample_size_mean(d), 2) == expected


@pytest.mark.parametrize(("first", "second", "expected"), [(0.10, 0.12, 3834.60), (0.05, 0.055, 31217.42)])
def test_sample_sizes_of_rates_are_those_of_statsmodels(first, second, expected):
    """Arcsine transform; statsmodels `NormalIndPower` with `proportion_effectsize`."""
    assert round(ab.sample_size_rate(first, second), 2) == expected


def test_a_baseline_gives_the_same_sizes():
    assert ab.sample_size(baseline(), difference=2.5) == pytest.approx(ab.sample_size_mean(0.5))
    assert ab.sample_size(baseline(), relative=0.1) == pytest.approx(ab.sample_size_mean(0.2))
    assert ab.sample_size(baseline("rate", 0.1, 0.09), relative=0.2) == pytest.approx(ab.sample_size_rate(0.1, 0.12))


def test_cuped_saves_what_the_window_before_explains():
    plain, saving = (ab.sample_size(baseline(correlation=0.6), relative=0.02, cuped=cuped) for cuped in (False, True))
    assert saving / plain == pytest.approx(1 - 0.36, abs=0.001)


@pytest.mark.parametrize("kind", ["mean", "ratio", "rate"])
def test_the_detectable_effect_is_found_with_the_power_asked_for(kind):
    shop = baseline(kind, 0.2 if kind == "rate" else 10.0, 0.16 if kind == "rate" else 25.0)
    found = ab.minimum_detectable(shop, per_arm=500)
    assert ab.sample_size(shop, difference=found.difference) == pytest.approx(500, rel=1e-4)
    assert ab.power_of(shop, relative=found.relative, per_arm=500) == pytest.approx(0.8, abs=1e-4)


def test_the_power_of_a_simulated_experiment_is_the_power_computed():
    rng = np.random.default_rng(1)
    shop = baseline(mean=1.0, variance=1.0)
    per_arm, repeats = 100, 3000
    control, treatment = rng.poisson(1.0, (repeats, per_arm)), rng.poisson(1.35, (repeats, per_arm))
    error = np.sqrt((control.var(axis=1, ddof=1) + treatment.var(axis=1, ddof=1)) / per_arm)
    found = (np.abs(treatment.mean(axis=1) - control.mean(axis=1)) / error > 1.972).mean()
    expected = ab.power_of(shop._replace(variance=(1.0 + 1.35) / 2), relative=0.35, per_arm=per_arm)
    assert found == pytest.approx(expected, abs=3 * math.sqrt(0.25 / repeats))


def test_power_curves_rise_and_nothing_is_found_of_nothing():
    curve = ab.power_curve(baseline(), per_arm=200, relatives=[0.0, 0.05, 0.1, 0.2])
    assert curve["power"].iloc[0] == 0.05
    assert curve["power"].is_monotonic_increasing
    with pytest.raises(WorkbookError, match="effect of nothing"):
        ab.sample_size(baseline(), relative=0.0)
    with pytest.raises(WorkbookError, match="not clear"):
        ab.sample_size(baseline())


def test_a_metric_that_never_varied_plans_nothing():
    still = baseline(variance=0.0)
    assert math.isnan(ab.sample_size(still, relative=0.1))
    assert math.isnan(ab.minimum_detectable(still, per_arm=100).relative)
    assert math.isnan(ab.power_of(still, relative=0.1, per_arm=100))
    assert ab.duration(math.nan, ab.at_once(50), days=28).code == "too_few"


# customer, day, amount: a and b had bought before January, c comes in January only, d bought in November only
ORDERS = [("a", "2025-12-20", 10), ("a", "2026-01-10", 30), ("a", "2026-01-20", 50), ("b", "2025-12-24", 20),
          ("c", "2026-01-15", 99), ("d", "2025-11-11", 40), ("a", "2026-02-05", 77)]  # fmt: skip


def orders_of(con, make_table, rows=ORDERS):
    return make_table(con, pd.DataFrame({
        "order_id": [str(n) for n in range(len(rows))], "customer_id": [row[0] for row in rows],
        "ordered_on": pd.to_datetime([row[1] for row in rows]).date, "amount": [Decimal(row[2]) for row in rows],
        "net_amount": [Decimal(row[2]) for row in rows], "is_return": False}), {"amount": MONEY, "net_amount": MONEY})


def test_the_shops_own_variance_is_of_customers_known_before_the_window(con, make_table):
    found = ab.baselines(orders_of(con, make_table), days=31, as_of=AS_OF).set_index("metric")
    assert found["customers"].eq(3).all()  # a, b, d: c came in the window, and February is not seen
    assert found.loc["orders", "mean"] == pytest.approx(2 / 3)
    assert found.loc["orders", "variance"] == pytest.approx(np.var([2, 0, 0], ddof=1))
    assert found.loc["revenue", "mean"] == pytest.approx(80 / 3)
    assert found.loc["bought", "mean"] == pytest.approx(1 / 3)
    assert found.loc["revenue_per_order", "mean"] == pytest.approx(40)
    assert found.loc["orders", "correlation"] == pytest.approx(np.corrcoef([2, 0, 0], [1, 1, 0])[0, 1])


def test_traffic_counts_different_customers(duck, make_table):
    found = ab.traffic(orders_of(duck, make_table), as_of=AS_OF, days=31)
    assert len(found) == 31
    assert found.set_index("day")["customers"].loc[[9, 10, 15, 20, 31]].tolist() == [0, 1, 2, 2, 2]


def test_a_shop_without_customers_plans_nothing(duck, make_table):
    empty = orders_of(duck, make_table).limit(0)
    assert len(ab.baselines(empty, days=28, as_of=AS_OF)) == 0
    assert ab.traffic(empty, as_of=AS_OF, days=7)["customers"].tolist() == [0] * 7


def test_the_duration_is_until_enough_have_come_and_had_their_window():
    traffic = pd.DataFrame({"day": [1, 2, 3, 4], "customers": [10, 25, 40, 60]})
    assert ab.duration(20, traffic, days=28)[1:] == (3, 31, "ok")
    assert ab.duration(20, traffic, days=28, arms=3)[1:] == (4, 32, "ok")
    assert ab.duration(20, traffic, days=28, share=0.5)[1:] == (None, None, "too_long")
    assert ab.duration(20, ab.at_once(60), days=28).days_to_fill == 1


def test_the_detectable_effect_falls_as_customers_come():
    curve = ab.detectable_curve(baseline(), pd.DataFrame({"day": [1, 2, 3], "customers": [8, 200, 800]}))
    assert curve["per_arm"].tolist() == [4.0, 100.0, 400.0]
    assert math.isnan(curve["relative"].iloc[0])
    assert curve["relative"].iloc[2] == pytest.approx(curve["relative"].iloc[1] / 2, rel=0.02)
