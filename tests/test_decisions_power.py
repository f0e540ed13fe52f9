"""Who is held out, and what that can show: published figures, a simulated truth, arms that anybody can draw again."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestIndPower

from workbook.decisions import draw, layers, needed, past, smallest_effect
from workbook.decisions.power import BLIND_SHARE, chosen_share, judge, usual

IDS = [f"customer {number}" for number in range(1000)]


def test_the_same_decision_draws_the_same_control_whatever_the_order_of_the_rows() -> None:
    strata = [number % 3 for number in range(1000)]
    held = draw(IDS, decision_id="d", salt="1", share=0.3, strata=strata)
    order = np.random.default_rng(1).permutation(1000)
    mixed = [strata[at] for at in order]
    shuffled = draw([IDS[at] for at in order], decision_id="d", salt="1", share=0.3, strata=mixed)
    assert (shuffled == held[order]).all()
    assert held.sum() == 300


@pytest.mark.parametrize(("decision", "salt"), [("e", "1"), ("d", "2")])
def test_another_decision_or_salt_draws_another_control(decision: str, salt: str) -> None:
    first, second = (draw(IDS, decision_id=d, salt=s, share=0.5) for d, s in (("d", "1"), (decision, salt)))
    # Of 1,000 customers 500 agree by chance; with a standard deviation of 16, five of them leave 1 in 3 million.
    assert abs((first == second).sum() - 500) < 80


def test_each_layer_is_held_out_alike_and_the_whole_is_the_share_rounded() -> None:
    strata = np.array([0] * 7 + [1] * 11 + [2] * 5)
    held = draw(IDS[:23], decision_id="d", salt="1", share=0.3, strata=strata)
    assert held.sum() == 7  # 6.9
    for layer, size in ((0, 7), (1, 11), (2, 5)):
        assert abs(held[strata == layer].sum() - 0.3 * size) < 1


def test_the_draw_favours_nobody() -> None:
    held = sum(draw(IDS[:50], decision_id=f"decision {n}", salt="1", share=0.3).astype(int) for n in range(2000))
    # Each of 50 is expected in 600 of 2,000 draws; as each draw holds out 15, chi-squared has 49 degrees of freedom.
    fit = ((held - 600) ** 2).sum() / (2000 * 0.3 * 0.7) * 49 / 50
    assert stats.chi2.sf(fit, 49) > 1e-4


def test_layers_need_a_past_that_tells_something() -> None:
    before = np.array([0.0] * 40 + [float(n) for n in range(1, 161)])
    assert np.unique(layers(before, correlation=0.5), return_counts=True)[1].tolist() == [40, 40, 40, 40, 40]
    assert set(layers(before, correlation=0.05)) == {0} == set(layers(before[:50], correlation=0.9))
    assert set(layers(before, correlation=None)) == {0}


def test_the_smallest_effect_is_that_of_cohen() -> None:
    """J. Cohen, A power primer, 1992, table 2: 64 an arm find 0.50, 393 find 0.20, 26 find 0.80 (80 %, at 5 %)."""
    for arm, d in ((64, 0.50), (393, 0.20), (26, 0.80)):
        assert smallest_effect(sd=1.0, treated=arm, control=arm) == pytest.approx(d, abs=0.01)


@pytest.mark.parametrize(("treated", "control"), [(900, 100), (70, 30), (500, 500), (31, 5)])
def test_unequal_arms_see_what_statsmodels_says(treated: int, control: int) -> None:
    theirs = TTestIndPower().solve_power(nobs1=control, ratio=treated / control, alpha=0.05, power=0.8)
    assert smallest_effect(sd=7.0, treated=treated, control=control) == pytest.approx(7.0 * theirs, rel=1e-4)


def test_the_declared_power_holds_on_spending_that_is_simulated() -> None:
    """Most buy nothing, some a lot; an effect of the declared size is found in 80 % of 1,500 shops (binomial)."""
    rng = np.random.default_rng(7)
    shops, treated, control = 1500, 700, 300

    def spending(customers: int) -> np.ndarray:
        return rng.binomial(1, 0.4, (shops, customers)) * rng.lognormal(3.5, 0.6, (shops, customers))

    sd = spending(4000)[:100].std(ddof=1)
    effect = smallest_effect(sd=sd, treated=treated, control=control)
    found = stats.ttest_ind(spending(treated) + effect, spending(control), axis=1).pvalue < 0.05
    low, high = stats.binom.ppf([0.001, 0.999], shops, 0.8)
    assert low <= found.sum() <= high
    nothing = stats.ttest_ind(spending(treated), spending(control), axis=1).pvalue < 0.05
    low, high = stats.binom.ppf([0.001, 0.999], shops, 0.05)
    assert low <= nothing.sum() <= high


def test_so_many_customers_are_needed_and_not_fewer() -> None:
    wanted = needed(sd=10.0, effect=2.0, share=0.3)
    control = round(wanted * 0.3)
    assert smallest_effect(sd=10.0, treated=wanted - control, control=control) <= 2.0
    fewer = round(0.95 * wanted)
    control = round(fewer * 0.3)
    assert smallest_effect(sd=10.0, treated=fewer - control, control=control) > 2.0
    assert needed(sd=10.0, effect=0.0, share=0.3) is None


def test_past_windows_worked_by_hand() -> None:
    values = np.array([[10.0, 20.0], [30.0, 40.0], [20.0, math.nan]])
    known = past(values)
    assert known is not None
    assert known.mean == pytest.approx(24.0)  # (10 + 30 + 20 + 20 + 40) / 5
    # Variances within windows: 100 of three, 200 of two: (3 · 100 + 2 · 200) / 5 = 140.
    assert known.sd == pytest.approx(math.sqrt(140))
    assert usual(values).tolist() == [15.0, 35.0, 20.0]
    assert past(np.array([[5.0]])) is None


def test_the_smallest_share_that_shows_the_effect_is_held_out() -> None:
    known = past(np.random.default_rng(1).normal(50, 10, (5000, 2)))
    shares = [chosen_share(known, 2000, effect=effect) for effect in (5.0, 2.0, 1.3)]
    assert shares == sorted(shares) and shares[0] == 0.1 and shares[-1] > 0.1
    assert judge(known, treated=1800, control=200, effect=5.0).judgeable
    assert chosen_share(known, 2000, effect=0.1) == BLIND_SHARE


def test_a_list_that_cannot_show_its_effect_says_so_and_how_many_would() -> None:
    known = past(np.random.default_rng(1).normal(50, 10, (500, 2)))
    seen = judge(known, treated=70, control=30, effect=1.0)
    assert not seen.judgeable and seen.smallest_effect > 1.0 and seen.needed > 100
    assert not judge(known, treated=300, control=20, effect=100.0).judgeable  # an arm of 20
    unknown = judge(None, treated=700, control=300, effect=1.0)
    assert not unknown.judgeable and unknown.smallest_effect is None
