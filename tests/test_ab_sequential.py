"""Daily looks: what was known on each day, an interval valid at all of them, and the day of stopping."""

import math
from datetime import date, timedelta
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.optimize import minimize_scalar

from evidence.ab_testing import DAYS, PUBLISHED, daily_errors, slack
from workbook import ab_testing as ab
from workbook.ab_testing.sequential import half_width, tuning

MONEY = pa.decimal128(18, 4)


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


def people_of(con, make_table):
    """Two customers an arm; d comes a day later."""
    rows = [("a", "control", 1), ("b", "control", 1), ("c", "treatment", 1), ("d", "treatment", 2)]
    return make_table(con, pd.DataFrame({
        "customer_id": [row[0] for row in rows], "arm": [row[1] for row in rows], "cluster_id": None,
        "assigned_at": [pd.Timestamp(2026, 1, row[2], 8) for row in rows],
        "assigned_on": [date(2026, 1, row[2]) for row in rows], "arms": 1}), {"cluster_id": pa.string()})


def orders_of(con, make_table):
    rows = [("a", 1, 9, 10), ("a", 3, 9, 20), ("a", 3, 10, 5), ("c", 1, 7, 99), ("c", 4, 9, 30), ("d", 4, 9, 40)]
    return make_table(con, pd.DataFrame({
        "order_id": [str(n) for n in range(len(rows))], "customer_id": [row[0] for row in rows],
        "ordered_at": [pd.Timestamp(2026, 1, row[1], row[2]) for row in rows],
        "ordered_on": [date(2026, 1, row[1]) for row in rows], "amount": [Decimal(row[3]) for row in rows],
        "net_amount": [Decimal(row[3]) for row in rows], "is_return": False,
    }), dict.fromkeys(("amount", "net_amount"), MONEY))


def test_a_look_holds_what_was_known_by_that_day(con, make_table):
    people, orders = people_of(con, make_table), orders_of(con, make_table)
    looks = ab.daily_looks(people, orders, "revenue", as_of=date(2026, 1, 31), days=3)
    by = looks.set_index(["arm", "day"])
    assert sorted(set(looks["day"])) == [1, 2, 3, 4]  # until the window of d is over
    assert by.loc["control", "n"].tolist() == [2, 2, 2, 2]
    assert by.loc["treatment", "n"].tolist() == [1, 1 + 1, 2, 2]
    assert by.loc["control", "mean"].tolist() == [5.0, 5.0, 17.5, 17.5]  # a: 10, then 35; b: nothing
    assert by.loc[("control", 3), "variance"] == pytest.approx(np.var([35, 0], ddof=1))
    assert by.loc["treatment", "mean"].tolist() == [0.0, 0.0, 0.0, 20.0]  # c's order of day 4 is past its window
    assert by.loc["control", "some"].tolist() == [1, 1, 1, 1]


def test_the_last_look_is_the_fixed_horizon_result(duck, make_table):
    people, orders = people_of(duck, make_table), orders_of(duck, make_table)
    for metric in ("orders", "bought", "revenue"):
        looks = ab.daily_looks(people, orders, metric, as_of=date(2026, 1, 31), days=3)
        last = looks[looks["day"] == 4].set_index("arm")["mean"]
        table = ab.measured_from_orders(people, orders, metric, days=3, as_of=date(2026, 1, 31))
        (found,) = ab.mean_effects(table, metric=metric, control="control")
        assert (last["control"], last["treatment"]) == (found.control, found.treatment)


def test_looks_end_with_the_report(duck, make_table):
    people, orders = people_of(duck, make_table), orders_of(duck, make_table)
    assert ab.daily_looks(people, orders, "orders", as_of=date(2026, 1, 2), days=30)["day"].max() == 2
    nobody = ab.daily_looks(people.limit(0), orders, "orders", as_of=date(2026, 1, 2), days=30)
    assert len(nobody) == 0 and len(ab.sequence(nobody, control="control")) == 0


# --- the bound ----------------------------------------------------------------------------------------


def test_the_bound_is_the_normal_mixture_of_robbins():
    """Howard et al. 2021, equation 14: sqrt((V + ρ) log((V + ρ) / (ρ α²))) over sqrt(V)."""
    v, rho = np.array([0.5, 1.0, 40.0]), 0.3
    expected = np.sqrt((v + rho) * np.log((v + rho) / (rho * 0.05**2))) / np.sqrt(v)
    assert half_width(v, rho) == pytest.approx(expected)


def test_the_tuning_is_narrowest_at_the_planned_end():
    best = minimize_scalar(lambda rho: half_width(np.array([7.0]), rho)[0], bounds=(0.01, 7), method="bounded")
    assert tuning(7.0) == pytest.approx(best.x, rel=1e-3)


def looks_of(difference: float, days: int = DAYS, n: int = 1000, variance: float = 0.04) -> pd.DataFrame:
    """Outcomes that grow day by day, with a steady difference a day."""
    day = np.arange(1, days + 1)
    arms = [pd.DataFrame({"day": day, "on": [date(2026, 1, 1) + timedelta(days=int(d) - 1) for d in day], "arm": arm,
                          "n": n, "mean": day * (0.03 + more), "variance": day * variance, "some": 100})
            for arm, more in (("control", 0.0), ("treatment", difference))]
    return pd.concat(arms, ignore_index=True)


def test_an_effect_is_found_on_the_day_on_which_the_interval_leaves_zero():
    path = ab.sequence(looks_of(0.004), control="control")
    (stop,) = ab.stopping(path)
    first = path[path["excludes_zero"]].iloc[0]
    assert (stop.code, stop.day, stop.on) == ("effect_up", first["day"], first["on"])
    assert first["low"] > 0 and path[path["day"] < stop.day]["low"].max() <= 0
    assert stop.day_peeking < stop.day
    assert (path["p_value"].diff().dropna() <= 0).all()  # it never rises
    assert ((path["p_value"] < 0.05) == (path["day"] >= stop.day)).all()


def test_a_loss_is_found_too_and_no_effect_is_not():
    assert ab.stopping(ab.sequence(looks_of(-0.004), control="control"))[0].code == "effect_down"
    (none,) = ab.stopping(ab.sequence(looks_of(0.0), control="control"))
    assert (none.code, none.day, none.day_peeking) == ("not_yet", None, None)


def test_what_cannot_reach_what_is_worthwhile_is_stopped():
    path = ab.sequence(looks_of(0.0), control="control")
    (stop,) = ab.stopping(path, worthwhile=0.9)
    assert stop.code == "too_small"
    assert path.set_index("day").loc[stop.day, "high"] < 0.9


def test_the_always_valid_interval_is_wider_than_a_single_look():
    last = ab.sequence(looks_of(0.0), control="control").iloc[-1]
    ratio = (last["high"] - last["low"]) / (last["fixed_high"] - last["fixed_low"])
    assert ratio == pytest.approx(half_width(np.array([1.0]), tuning(1.0))[0] / 1.95996, rel=0.01)
    assert 1.5 < ratio < 1.6


def test_the_tuning_may_come_from_before_the_experiment():
    """The variance of the whole window, known beforehand: 56 days × .04."""
    early = ab.sequence(looks_of(0.0, days=14), control="control", planned_days=56)
    known = ab.sequence(looks_of(0.0, days=14), control="control", prior_variance=56 * 0.04)
    assert early["high"].to_numpy() == pytest.approx(known["high"].to_numpy(), rel=1e-3)
    late = ab.sequence(looks_of(0.0, days=14), control="control")
    assert late["high"].iloc[-1] < known["high"].iloc[-1]  # tuned for an earlier end


def test_looks_with_too_few_customers_are_not_judged():
    looks = looks_of(0.004)
    looks.loc[looks["day"] <= 10, "some"] = 24
    path = ab.sequence(looks, control="control")
    assert path.loc[path["day"] <= 10, "low"].isna().all() and not path.loc[path["day"] <= 10, "enough"].any()
    assert path.loc[path["day"] > 10, "low"].notna().all()


# --- how often it errs ------------------------------------------------------------------------------


@pytest.mark.parametrize(("looks", "expected"), PUBLISHED.items())
def test_peeking_errs_as_often_as_armitage_and_others_computed(looks, expected):
    """Armitage, McPherson & Rowe 1969, table 2."""
    found = ab.peeking_error(looks, rng=np.random.default_rng(looks), repeats=20_000)
    assert found == pytest.approx(expected, abs=slack(20_000, expected) + 0.0005)


def test_daily_looks_at_nothing_rarely_find_something():
    errors = daily_errors(60, seed=4)
    for rates in errors.values():
        assert rates["always_valid"] <= 0.05 + slack(60)
    assert np.mean([rates["plain"] for rates in errors.values()]) > 0.15  # what daily looks do to the plain test


def test_a_reading_by_chance_says_that_it_is_not_protected():
    found = ab.reading(ab.mean_effect_from_sums((0.0, 99.0, 100), (20.0, 103.0, 100)))
    assert found.protected_from_peeking is False
    assert found.chance_to_win == pytest.approx(0.9213, abs=1e-3)  # z = .2 / sqrt(.02)
    assert found.expected_loss_stay - found.expected_loss_ship == pytest.approx(0.2)
    draws = np.random.default_rng(1).normal(0.2, math.sqrt(0.02), 200_000)
    assert found.expected_loss_ship == pytest.approx(np.maximum(-draws, 0).mean(), rel=0.05)
