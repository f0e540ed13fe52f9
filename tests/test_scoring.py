"""Lists judged: worked by hand, ties by lot, intervals that hold their promise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbook.data.errors import WorkbookError
from workbook.scoring import Ranking, break_even, curve, judge, wilson

BOUGHT = np.array([1, 0, 1, 0, 1, 0, 0, 0, 0, 1])


def row(judged, ranking, outcome="buyers"):
    return judged.set_index(["ranking", "outcome"]).loc[(ranking, outcome)]


def test_wilson_as_published():
    """Newcombe 1998, table I: 81/263, 15/148, 0/20, 1/29 (Wilson's score without correction)."""
    assert wilson(81, 263)[1:] == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148)[1:] == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20)[1:] == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29)[1:] == pytest.approx((0.0061, 0.1718), abs=5e-5)
    assert all(math.isnan(x) for x in wilson(0, 0))


def test_caught_by_hand():
    judged = judge(
        {"good": BOUGHT, "bad": -BOUGHT, "order": -np.arange(10)}, {"buyers": BOUGHT},
        share=0.4, rng=np.random.default_rng(1), repeats=20,
    )  # fmt: skip
    assert row(judged, "good")["share"] == 1
    assert row(judged, "bad")["share"] == 0
    assert row(judged, "order")["share"] == 0.5  # customers 0 to 3 hold two of the four
    assert row(judged, "bad")["lead"] == 1
    assert row(judged, "good")[["lead", "lead_low", "lead_high"]].tolist() == [0, 0, 0]


def test_equal_numbers_share_the_last_places():
    nobody_knows = judge({"same": np.zeros(10)}, {"buyers": BOUGHT}, share=0.3, rng=np.random.default_rng(1), repeats=9)
    assert row(nobody_knows, "same")["share"] == pytest.approx(0.3)
    assert Ranking(np.array([5, 1, 1, 1])).chances(2) == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3])


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.floats(0, 40), st.randoms(use_true_random=False))
def test_places_add_up_and_order_decides_nothing(numbers, size, random):
    numbers, size = np.array(numbers), min(size, len(numbers))
    chances = Ranking(numbers).chances(size)
    assert chances.sum() == pytest.approx(size)
    assert (np.diff(chances[np.argsort(numbers)]) >= 0).all(), "a higher number never has the smaller chance"
    order = list(range(len(numbers)))
    random.shuffle(order)
    assert Ranking(numbers[order]).chances(size) == pytest.approx(chances[order])


def test_nothing_happened():
    judged = judge({"a": np.arange(5)}, {"buyers": np.zeros(5)}, share=0.5, rng=np.random.default_rng(1), repeats=5)
    assert row(judged, "a")[["share", "low", "high"]].isna().all()
    assert curve(np.arange(5), np.zeros(5))["caught_share"].isna().all()


def test_one_customer():
    judged = judge({"a": np.array([3])}, {"buyers": np.array([1])}, share=0.2, rng=np.random.default_rng(1), repeats=30)
    assert row(judged, "a")["share"] == pytest.approx(0.2)


def test_a_length_must_be_a_share():
    with pytest.raises(WorkbookError, match="cannot be 20"):
        judge({"a": np.arange(3)}, {"buyers": np.ones(3)}, share=20, rng=np.random.default_rng(1))


def test_same_seed_same_intervals():
    lists, outcomes = {"a": np.arange(10)}, {"buyers": BOUGHT}
    first, second = (judge(lists, outcomes, share=0.3, rng=np.random.default_rng(7), repeats=50) for _ in range(2))
    assert first.equals(second)


def test_intervals_hold_the_truth():
    """The share caught in a very large sample lies in about 95 % of the intervals of small ones."""
    rng = np.random.default_rng(3)

    def draw(n):
        score = rng.normal(size=n)
        return score, (rng.random(n) < 1 / (1 + np.exp(1.5 - score))).astype(float)

    score, bought = draw(400_000)
    truth = Ranking(score).caught(bought, np.ones(len(score)), 0.2 * len(score)) / bought.sum()
    hits = 0
    for _ in range(100):
        score, bought = draw(400)
        found = row(judge({"s": score}, {"buyers": bought}, share=0.2, rng=rng, repeats=120), "s")
        hits += found["low"] <= truth <= found["high"]
    assert 88 <= hits <= 99  # 95 ± three standard errors, cut at 99: wider intervals would say nothing


def test_the_lead_is_judged_in_pairs():
    """Two lists that share most of their luck: the interval of the lead is narrower than either list's own."""
    rng = np.random.default_rng(5)
    truth = rng.normal(size=2000)
    bought = (rng.random(2000) < 1 / (1 + np.exp(1 - truth))).astype(float)
    lists = {"better": truth + rng.normal(scale=0.05, size=2000), "worse": truth + rng.normal(scale=0.3, size=2000)}
    found = row(judge(lists, {"buyers": bought}, share=0.2, rng=rng, repeats=100), "worse")
    assert found["lead_high"] - found["lead_low"] < 0.7 * (found["high"] - found["low"])


def test_curve():
    found = curve(BOUGHT, BOUGHT, points=10)
    assert found["caught_share"].tolist() == pytest.approx([0, 0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1])


def test_break_even():
    assert break_even(cost=0.5, value=None, margin=0.3) is None
    assert break_even(cost=0.5, value=50, margin=0.2) == pytest.approx(0.05)
