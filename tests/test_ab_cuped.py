"""CUPED: the variance it leaves, and the health of its covariate."""

import math

import ibis
import numpy as np
import pandas as pd
import pytest

from evidence.ab_testing import ALPHA, METHODS, fixed_errors, slack
from workbook import ab_testing as ab


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


def drawn(rho: float = 0.7, n: int = 2000, effect: float = 0.0, shift: float = 0.0, seed: int = 1) -> pd.DataFrame:
    """Values that correlate with what was before by `rho`; `shift` moves the covariate of the treated."""
    rng = np.random.default_rng(seed)
    treated = np.arange(n) % 2 == 1
    before = rng.normal(10, 1, n)
    value = 5 + rho * (before - 10) + math.sqrt(1 - rho**2) * rng.normal(0, 1, n) + effect * treated
    return pd.DataFrame({"customer_id": [str(k) for k in range(n)], "arm": np.where(treated, "treatment", "control"),
                         "value": value, "before": before + shift * treated})


def test_the_adjusted_variance_is_exactly_one_minus_rho_squared(duck, make_table):
    frame = drawn()
    health = ab.cuped_health(make_table(duck, frame), control="control")
    rho = np.corrcoef(frame["value"], frame["before"])[0, 1]
    theta = np.cov(frame["value"], frame["before"])[0, 1] / frame["before"].var()
    adjusted = frame["value"] - theta * (frame["before"] - frame["before"].mean())
    assert health.correlation == pytest.approx(rho, rel=1e-12)
    assert health.variance_ratio == pytest.approx(adjusted.var() / frame["value"].var(), rel=1e-12)
    assert health.variance_ratio == pytest.approx(1 - rho**2, rel=1e-12)


def test_the_effect_is_that_of_the_adjusted_values(duck, make_table):
    frame = drawn(effect=0.1)
    table = make_table(duck, frame)
    theta = np.cov(frame["value"], frame["before"])[0, 1] / frame["before"].var()
    by_hand = make_table(duck, frame.assign(value=frame["value"] - theta * (frame["before"] - frame["before"].mean())))
    (cuped,), (hand,) = ab.cuped_effects(table, metric="m", control="control"), ab.mean_effects(
        by_hand, metric="m", control="control")
    assert cuped.difference == pytest.approx(hand.difference, rel=1e-9)
    assert (cuped.low, cuped.high) == pytest.approx((hand.low, hand.high), rel=1e-9)


def test_the_interval_is_narrower_by_the_root_of_what_is_left(duck, make_table):
    table = make_table(duck, drawn(rho=0.8, effect=0.2))
    (raw,), (cuped,) = (method(table, metric="m", control="control") for method in (ab.mean_effects, ab.cuped_effects))
    assert cuped.std_error / raw.std_error == pytest.approx(0.6, abs=0.03)
    assert cuped.low < 0.2 < cuped.high


def test_a_healthy_covariate_is_called_so_and_a_weak_one_too(duck, make_table):
    assert ab.cuped_health(make_table(duck, drawn()), control="control").code == "ok"
    weak = ab.cuped_health(make_table(duck, drawn(rho=0.1)), control="control")
    assert weak.code == "weak" and weak.variance_ratio > 0.95


def test_a_covariate_that_the_treatment_moved_is_found_out(duck, make_table):
    """Measured after the assignment, the covariate holds the effect and takes it away."""
    table = make_table(duck, drawn(effect=0.5, shift=0.5))
    health = ab.cuped_health(table, control="control")
    (cuped,) = ab.cuped_effects(table, metric="m", control="control")
    assert health.code == "unbalanced" and health.balance_difference == pytest.approx(0.5, abs=0.1)
    assert abs(cuped.difference) < 0.3  # half of the effect and more is gone


def test_the_balance_of_several_arms_counts_their_number(duck, make_table):
    frame = drawn(shift=0.15)
    third = drawn(seed=2).assign(arm="third", customer_id=lambda rows: "t" + rows["customer_id"])
    both = ab.cuped_health(make_table(duck, pd.concat([frame, third])), control="control")
    one = ab.cuped_health(make_table(duck, frame), control="control")
    assert both.balance_difference == pytest.approx(one.balance_difference)
    assert both.balance_p == pytest.approx(2 * one.balance_p)


def test_a_missing_covariate_adjusts_nothing_and_nothing_fails(duck, make_table):
    blank = drawn().assign(before=math.nan)
    table = make_table(duck, blank).mutate(before=ibis.null("float64"))
    health = ab.cuped_health(table, control="control")
    assert (health.code, health.variance_ratio, health.share_missing) == ("no_covariate", 1.0, 1.0)
    assert ab.cuped_effects(table, metric="m", control="control") == ()
    still = make_table(duck, drawn().assign(before=1.0))
    assert ab.cuped_health(still, control="control").code == "no_covariate"
    (same,) = ab.cuped_effects(still, metric="m", control="control")
    (raw,) = ab.mean_effects(still, metric="m", control="control")
    assert same.difference == pytest.approx(raw.difference)
    some = make_table(duck, drawn()).mutate(before=ibis.ifelse(ibis._.customer_id < "5", ibis._.before, None))
    assert ab.cuped_health(some, control="control").share_missing == pytest.approx(0.2775)


def test_an_arm_of_one_customer_is_not_adjusted(duck, make_table):
    few = make_table(duck, {"arm": ["control", "control", "b"], "value": [1.0, 2.0, 3.0], "before": [1.0, 2.0, 3.0]})
    assert ab.cuped_effects(few, metric="m", control="control") == ()
    assert ab.cuped_effects(few, metric="m", control="b") == ()
    assert ab.cuped_health(few, control="control").code == "no_covariate"


@pytest.fixture(scope="module")
def errors() -> dict[str, float]:
    return fixed_errors(400, seed=7)


@pytest.mark.parametrize("method", METHODS)
def test_without_an_effect_a_method_cries_five_times_in_a_hundred(errors, method):
    """Within three standard errors of 400 trials; the full size is in evidence/ab_testing.txt."""
    assert errors[method] == pytest.approx(ALPHA, abs=slack(400))
