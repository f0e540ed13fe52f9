"""Profit: sums by hand, the threshold that theory names, and save rates whose intervals hold what they say."""

import math

import numpy as np
import pytest
from scipy import stats

from workbook import churn

TERMS = churn.Terms(contact_cost=1.0, offer_cost=5.0, save_rate=0.2)
# four customers: probability, left, value
P, LEFT, VALUE = np.array([0.9, 0.6, 0.6, 0.1]), np.array([1, 0, 1, 0]), np.array([100.0, 50, 10, 200])


class TestByHand:
    def test_profit_of_each_customer(self):
        # left: 0.2 × (value − 5) − 1; stayed: −5 − 1
        assert churn.profits(LEFT, VALUE, TERMS).tolist() == [18.0, -6.0, 0.0, -6.0]
        assert churn.profits(np.array([0.5]), np.array([100.0]), TERMS)[0] == pytest.approx(0.5 * 18 - 0.5 * 6)

    def test_a_list_ends_only_where_the_probability_falls(self):
        found = churn.profit_curve(P, LEFT, VALUE, TERMS)
        assert found["customers"].tolist() == [0, 1, 3, 4]
        assert found["profit"].tolist() == [0.0, 18.0, 12.0, 6.0]
        assert found["leavers"].tolist() == [0, 1, 2, 2]
        assert math.isnan(found["threshold"].iloc[0]) and found["threshold"].tolist()[1:] == [0.9, 0.6, 0.1]

    def test_the_best_threshold_and_what_it_earns(self):
        best = churn.best_threshold(P, LEFT, VALUE, TERMS, rng=np.random.default_rng(0))
        assert (best.code, best.threshold, best.customers, best.profit) == ("contact_some", 0.9, 1, 18.0)
        assert best.profit_all == 6.0
        earned = churn.earned(0.6, P, LEFT, VALUE, TERMS, rng=np.random.default_rng(0))
        assert (earned.customers, earned.leavers, earned.profit, earned.caught_share) == (3, 2, 12.0, 1.0)
        assert earned.precision == pytest.approx(2 / 3)
        assert earned.precision_low == pytest.approx(0.2077, abs=1e-4)  # Wilson, 2 of 3
        assert earned.lead == 6.0  # beyond contacting everybody

    def test_where_contacting_costs_more_than_it_saves_nobody_is_contacted(self):
        dear = TERMS._replace(contact_cost=50.0)
        best = churn.best_threshold(P, LEFT, VALUE, dear, rng=np.random.default_rng(0))
        assert (best.code, best.threshold, best.customers, best.profit) == ("contact_none", None, 0, 0.0)
        nobody = churn.earned(None, P, LEFT, VALUE, dear, rng=np.random.default_rng(0))
        assert (nobody.customers, nobody.profit, nobody.caught_share) == (0, 0.0, 0.0)
        assert math.isnan(nobody.precision)

    def test_a_gift_to_everybody_is_contact_all(self):
        free = churn.Terms(contact_cost=0.0, offer_cost=0.0, save_rate=0.5)
        best = churn.best_threshold(P, LEFT, VALUE, free, rng=np.random.default_rng(0))
        assert (best.code, best.customers) == ("contact_some", 3)  # the last one adds nothing
        left = churn.best_threshold(P, np.ones(4), VALUE, free, rng=np.random.default_rng(0))
        assert (left.code, left.customers, left.profit) == ("contact_all", 4, left.profit_all)


class TestTheory:
    def draw(self, n, seed):
        rng = np.random.default_rng(seed)
        chance = rng.beta(2, 3, n)
        return chance, (rng.random(n) < chance).astype(int), np.full(n, 100.0)

    def test_with_right_probabilities_the_threshold_is_where_profit_is_zero(self):
        """p × 0.2 × 95 = (1 − p) × 5 + 1, so p = 6 / 24 = 0.25; 20,000 customers, flat near the top."""
        chance, left, value = self.draw(20_000, 1)
        best = churn.best_threshold(chance, left, value, TERMS, rng=np.random.default_rng(0))
        assert best.threshold == pytest.approx(0.25, abs=0.05)
        assert best.low <= 0.25 <= best.high

    def test_expected_profit_as_the_ranking_has_its_threshold_near_zero(self):
        """Where values differ, lists by expected profit earn more than lists by probability."""
        rng = np.random.default_rng(2)
        chance, left, _ = self.draw(20_000, 3)
        value = rng.lognormal(3.5, 1.2, len(chance))
        expected = churn.profits(chance, value, TERMS)
        by_profit = churn.best_threshold(expected, left, value, TERMS, rng=rng)
        by_chance = churn.best_threshold(chance, left, value, TERMS, rng=rng)
        assert by_profit.threshold == pytest.approx(0.0, abs=1.0)
        assert by_profit.profit > 1.2 * by_chance.profit

    def test_the_earnings_interval_holds_the_truth(self):
        """100 windows of 500: held 95 % of the time; below the 0.05 % quantile of the binomial would be a fault."""
        listed = lambda chance: chance >= 0.25  # noqa: E731
        chance, _, value = self.draw(400_000, 4)
        truth = 500 * np.mean(churn.profits(chance, value, TERMS) * listed(chance))
        held = 0
        for seed in range(100):
            chance, left, value = self.draw(500, 100 + seed)
            found = churn.earned(0.25, chance, left, value, TERMS, rng=np.random.default_rng(seed))
            held += found.profit_low <= truth <= found.profit_high
        assert held >= stats.binom.ppf(0.0005, 100, 0.95)


class TestSaveRate:
    def test_by_hand(self):
        found = churn.save_rate(left_treated=80, treated=400, left_control=100, control=400)
        spread = 1.959964 * math.sqrt(1 / 80 - 1 / 400 + 1 / 100 - 1 / 400)
        assert found.value == pytest.approx(0.2)
        assert found.low == pytest.approx(1 - 0.8 * math.exp(spread), abs=1e-6)
        assert found.high == pytest.approx(1 - 0.8 * math.exp(-spread), abs=1e-6)
        assert math.isnan(churn.save_rate(left_treated=0, treated=10, left_control=5, control=10).value)

    def test_the_interval_holds_the_truth(self):
        """400 experiments, a true save rate of 0.25 at 40 % leavers, 300 customers an arm."""
        rng, held = np.random.default_rng(5), 0
        for _ in range(400):
            found = churn.save_rate(left_treated=int(rng.binomial(300, 0.3)), treated=300,
                                    left_control=int(rng.binomial(300, 0.4)), control=300)  # fmt: skip
            held += found.low <= 0.25 <= found.high
        assert held >= stats.binom.ppf(0.0005, 400, 0.95)
