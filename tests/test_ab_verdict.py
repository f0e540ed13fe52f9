"""Verdicts, worth, segments: rules by hand, and the simulated experiments judged rightly."""

import math
from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from evidence.ab_testing import verdicts
from workbook import ab_testing as ab
from workbook.ab_testing.effects import Arm, effect
from workbook.ab_testing.segment_effects import dersimonian_laird
from workbook.ab_testing.split import FAULTS, SERIOUS, Maturity

EVEN = ab.sample_ratio_of({"control": 500, "treatment": 500})
NO_FAULTS = pd.DataFrame({"code": FAULTS, "customers": 0, "share": 0.0, "checked": True,
                          "serious": [code in SERIOUS for code in FAULTS]})  # fmt: skip
RIPE = Maturity(28, 1000, 1000, 1.0, date(2026, 1, 1), date(2026, 1, 29), 0)
UNRIPE = Maturity(28, 1000, 400, 0.4, date(2026, 1, 9), date(2026, 2, 6), 12)


@pytest.fixture(scope="module")
def duck():
    return ibis.duckdb.connect()


def of(difference: float, error: float = 0.1, arm: str = "treatment") -> ab.Effect:
    """An effect on a control mean of 1 with that standard error."""
    variance = error**2 / 2 * 500
    return effect(Arm(1.0, variance, 500), Arm(1.0 + difference, variance, 500), metric="orders", name=arm)


def judge(found, **changes) -> ab.Verdict:
    facts = {"split": EVEN, "faults": NO_FAULTS, "maturity": RIPE} | changes
    return ab.judge_experiment(found, **facts)


def test_a_clear_gain_is_shipped_and_a_clear_loss_stopped():
    assert judge(of(0.3))[:3] == ("ship", ("better",), "treatment")
    assert judge(of(-0.3))[:2] == ("stop", ("worse",))
    assert judge(of(0.3)).evidence == "randomised"


def test_a_broken_split_is_refused_whatever_the_effect():
    broken = ab.sample_ratio_of({"control": 600, "treatment": 400})
    found = judge(of(0.9), split=broken)
    assert (found.code, found.reasons, found.effect) == ("refuse", ("split_broken",), None)


def test_faults_of_one_percent_are_refused_and_fewer_or_milder_are_not():
    def with_fault(code: str, share: float) -> pd.DataFrame:
        return NO_FAULTS.assign(share=np.where(NO_FAULTS["code"] == code, share, 0.0))

    assert judge(of(0.3), faults=with_fault("two_arms", 0.01)).reasons == ("two_arms",)
    assert judge(of(0.3), faults=with_fault("two_arms", 0.009)).code == "ship"
    assert judge(of(0.3), faults=with_fault("never_exposed", 0.5)).code == "ship"


def test_before_the_window_is_over_only_an_always_valid_result_decides():
    assert judge(of(0.9), maturity=UNRIPE)[:2] == ("immature", ("not_mature",))
    assert judge(of(0.9), maturity=UNRIPE).days_more == 12
    waiting = ab.Stop("treatment", "not_yet", None, None, 3)
    assert judge(of(0.9), maturity=UNRIPE, stop=waiting)[:2] == ("continue", ("undecided", "not_mature"))
    assert judge(of(0.9), maturity=UNRIPE, stop=waiting).days_more == 12
    for code, expected, why in (("effect_up", "ship", "better"), ("effect_down", "stop", "worse"),
                                ("too_small", "stop", "too_small")):
        stop = ab.Stop("treatment", code, 9, date(2026, 1, 9), 3)
        assert judge((), maturity=UNRIPE, stop=(stop,))[:2] == (expected, (why, "decided_early"))


def test_without_outcomes_nothing_is_decided():
    assert judge(())[:2] == judge(None)[:2] == ("immature", ("no_outcome",))
    still = effect(Arm(0.0, 0.0, 500), Arm(0.0, 0.0, 500))
    assert judge(still)[:2] == ("immature", ("too_few",))
    nobody = Maturity(28, 0, 0, math.nan, None, None, 0)
    assert judge((), maturity=nobody).code == "immature"


def test_how_long_to_go_on_is_the_sample_that_finds_what_is_looked_for():
    """A lift of 10 % at a standard error of 4.5 % needs (2.8 × .045 / .1)² = 1.59 times the customers."""
    found = judge(of(0.05, error=0.045), customers_a_day=50)
    assert (found.code, found.customers_more) == ("continue", math.ceil(0.5895 * 1000))
    assert found.days_more == math.ceil(590 / 50) + 28
    assert judge(of(0.05, error=0.045)).days_more is None
    assert judge(of(0.05, error=0.1))[:2] == ("stop", ("undecided", "out_of_reach"))  # 7.8 times
    assert judge(of(0.01, error=0.03))[:2] == ("stop", ("undecided", "too_small"))  # it would have been seen


def test_a_gain_below_what_is_worthwhile_is_not_shipped():
    assert judge(of(0.03, error=0.01), worthwhile=0.1)[:2] == ("stop", ("too_small",))
    assert judge(of(0.09, error=0.01), worthwhile=0.1).code == "ship"  # may be worthwhile
    assert judge(of(0.03, error=0.01)).code == "ship"


def test_of_several_arms_the_better_one_counts_after_holm():
    assert judge([of(0.25, arm="a"), of(0.4, arm="b")]).arm == "b"
    alone, among = of(0.21, arm="a"), [of(0.21, arm="a"), of(0.0, arm="b"), of(0.0, arm="c")]
    assert alone.p_value < 0.05 < 3 * alone.p_value
    assert judge(alone).code == "ship" and judge(among).code != "ship"


# --- worth a year ------------------------------------------------------------------------------------


def test_the_worth_of_a_year_by_hand():
    """Prior .1 and standard error .1 keep one half; half of the effect lost in a year leaves .5 / ln 2 on average."""
    found = ab.worth_a_year(of(0.2, error=0.1), customers=1000, days=73, unit_value=40, margin_share=0.25, cost=100)
    scale = 1000 * 5 * 40 * 0.25
    assert found.naive == pytest.approx(scale * 0.2 - 100)
    assert (found.shrinkage, found.decay_factor) == (pytest.approx(0.5), pytest.approx(0.5 / math.log(2)))
    assert found.value == pytest.approx(scale * 0.1 * 0.5 / math.log(2) - 100)
    half = scale * 0.5 / math.log(2) * 1.959964 * math.sqrt(0.5) * 0.1
    assert (found.low, found.high) == (pytest.approx(found.value - half), pytest.approx(found.value + half))
    assert (found.prior_relative_sd, found.prior_source) == (0.1, "default")


def test_shrinking_undoes_the_winners_curse():
    """Experiments that were shipped because they looked good: unshrunk they promise twice what they bring."""
    rng = np.random.default_rng(1)
    true = rng.normal(0, 0.1, 4000)
    seen = true + rng.normal(0, 0.1, 4000)
    shipped = seen > 0.196
    worth = [ab.worth_a_year(of(one, 0.1), customers=365, days=365, decay_a_year=0.0) for one in seen[shipped]]
    brought = 365 * true[shipped].mean()
    assert np.mean([one.naive for one in worth]) > 1.7 * brought
    assert np.mean([one.value for one in worth]) == pytest.approx(brought, rel=0.1)
    covered = [one.low <= 365 * truth <= one.high for one, truth in zip(worth, true[shipped], strict=True)]
    assert np.mean(covered) == pytest.approx(0.95, abs=3 * math.sqrt(0.05 * 0.95 / len(covered)))


def test_the_shops_own_prior_takes_the_noise_off():
    rng = np.random.default_rng(2)
    past = [of(one, 0.1) for one in rng.normal(0, 0.2, 400) + rng.normal(0, 0.1, 400)]
    assert ab.own_prior(past) == pytest.approx(0.2, rel=0.1)
    assert ab.own_prior([of(0.0, 0.1)] * 6) == 0.0
    assert ab.own_prior(past[:4]) is None


# --- segments ----------------------------------------------------------------------------------------


def test_the_pooling_of_two_effects_by_hand():
    """0 and 2 with variance 1: Q = 2, τ² = (2 − 1) / (2 − 1) = 1."""
    assert dersimonian_laird(np.array([0.0, 2.0]), np.array([1.0, 1.0])) == (2.0, 1.0)


def segmented(duck, make_table, lifts: dict[str, float], base: float = 2.0, n: int = 1500, seed: int = 1):
    rng = np.random.default_rng(seed)
    parts = []
    for name, lift in lifts.items():
        treated = np.arange(n) % 2 == 1
        value = rng.poisson(base * np.where(treated, 1 + lift, 1.0)).astype(float)
        parts.append(pd.DataFrame({"segment": name, "arm": np.where(treated, "treatment", "control"), "value": value}))
    return make_table(duck, pd.concat(parts, ignore_index=True))


def test_segments_with_one_lift_are_pulled_together(duck, make_table):
    found = ab.by_segment(segmented(duck, make_table, {"a": 0.1, "b": 0.1, "c": 0.1}), metric="m", control="control")
    assert found.code == "alike" and found.scale == "relative"
    assert found.overall_low < 0.1 < found.overall_high
    spread = found.effects["difference"].std()
    assert found.effects["shrunken"].std() < spread


def test_a_segment_that_differs_is_found_and_keeps_its_effect(duck, make_table):
    found = ab.by_segment(segmented(duck, make_table, {"a": 0.0, "b": 0.5}), metric="m", control="control")
    rows = found.effects.set_index("segment")
    assert found.code == "differs" and found.p_value < 0.001
    assert rows.loc["b", "shrunken"] == pytest.approx(1.0, abs=0.25)
    assert rows.loc["a", "shrunken"] == pytest.approx(0.0, abs=0.25)


def test_one_lift_on_different_habits_is_no_difference(duck, make_table):
    rare = segmented(duck, make_table, {"rare": 0.4}, base=0.3, n=4000)
    often = segmented(duck, make_table, {"often": 0.4}, base=3.0, n=4000)
    found = ab.by_segment(rare.union(often), metric="m", control="control")
    assert found.code == "alike"  # though in orders the second gains ten times as many
    assert found.effects["difference"].max() > 5 * found.effects["difference"].min()


def test_twenty_segments_without_an_effect_are_fishing(duck, make_table):
    table = segmented(duck, make_table, {f"s{number:02}": 0.0 for number in range(20)}, n=400, seed=9)
    found = ab.by_segment(table, metric="m", control="control")
    assert (found.effects["p_value"] < 0.05).any()  # one in twenty, as expected
    assert (found.effects["adjusted_p"] > 0.05).all()
    assert found.code == "fishing"
    assert ab.by_segment(table, metric="m", control="control", planned=True).code == "alike"
    assert (found.effects["shrunken"].abs() < found.effects["difference"].abs().max() / 3).all()


def test_cutting_customers_in_many_ways_costs_evidence(duck, make_table):
    table = segmented(duck, make_table, {"a": 0.0, "b": 0.12}, seed=9)
    once = ab.by_segment(table, metric="m", control="control")
    assert 0.001 < once.p_value < 0.05 and once.code == "differs"
    assert ab.by_segment(table, metric="m", control="control", tried=50).code != "differs"


def test_small_segments_are_left_out_and_one_alone_says_nothing(duck, make_table):
    table = segmented(duck, make_table, {"a": 0.1, "b": 0.1}, n=58)
    assert ab.by_segment(table, metric="m", control="control").code == "too_few"
    assert len(ab.by_segment(table, metric="m", control="control", fewest=29).effects) == 2
    assert ab.by_segment(table.limit(0), metric="m", control="control").code == "too_few"


# --- the simulator's four experiments ---------------------------------------------------------------


def test_the_simulated_experiments_are_judged_rightly():
    """One shop of 8,000 customers; larger ones are in evidence/ab_testing.txt."""
    found = verdicts(range(1), customers=8000).set_index("experiment_id")
    assert found.loc["free_gift_wrapping", "code"] == "ship" and found.loc["free_gift_wrapping", "covered"]
    assert found.loc["new_home_page", "code"] in ("stop", "continue") and found.loc["new_home_page", "covered"]
    assert found.loc["short_checkout", "code"] == "refuse"
    assert found.loc["second_order_coupon", "segments"] == "differs" and found.loc["second_order_coupon", "covered"]
    assert found.loc[["free_gift_wrapping", "new_home_page"], "segments"].tolist() == ["alike", "alike"]
