"""Probabilities judged: equal to scikit-learn, ties by lot, and a verdict only where enough happened."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from workbook.scoring import area_under, judge_probabilities, reliability, verdict, wilson
from workbook.scoring.probabilities import _weighing


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


@given(st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, 4)), min_size=2, max_size=50))
def test_measures_equal_scikit_learns_under_any_weights_and_ties(people):
    numbers, happened, weights = (np.array(column) for column in zip(*people, strict=True))
    probabilities, events = numbers / 6, happened.astype(float)
    auc, precision, brier, loss, _lift = _weighing(probabilities[None], events)(weights[:, None].astype(float))[0, :, 0]
    if not (weights @ events and weights @ (1 - events)):
        assert np.isnan(auc)
        return
    assert auc == pytest.approx(roc_auc_score(events, probabilities, sample_weight=weights))
    assert precision == pytest.approx(average_precision_score(events, probabilities, sample_weight=weights))
    assert brier == pytest.approx(brier_score_loss(events, probabilities, sample_weight=weights))
    assert loss == pytest.approx(log_loss(events, probabilities, sample_weight=weights))


def test_the_area_of_one_prediction_is_scikit_learns_ties_by_half():
    numbers, happened = np.array([3, 1, 1, 2]), np.array([1, 1, 0, 0])
    assert area_under(numbers, happened) == pytest.approx((2 + 0 + 0.5) / 4)  # pairs in order, of four
    assert area_under(numbers, happened) == pytest.approx(roc_auc_score(happened, numbers))
    assert np.isnan(area_under(numbers, np.ones(4)))


def test_ten_customers_by_hand():
    happened = np.array([1, 1, 0, 0, 0, 0, 0, 0, 0, 0])
    found = judge_probabilities(
        {"sure": happened * 0.9 + 0.05, "same": np.full(10, 0.2)}, happened, rng=rng(), repeats=50
    ).set_index("prediction")
    assert found.loc["sure", ["n", "events", "auc", "average_precision", "top_lift"]].tolist() == [10, 2, 1, 1, 5]
    assert found.loc["sure", "brier"] == pytest.approx(0.05**2)
    assert found.loc["sure", "log_loss"] == pytest.approx(-np.log(0.95))
    assert found.loc["same", ["auc", "average_precision", "top_lift"]].tolist() == pytest.approx([0.5, 0.2, 1])
    assert found.loc["same", "brier"] == pytest.approx(0.16)
    assert found.loc["same", "lead_brier"] == pytest.approx(0.16 - 0.0025)
    assert found.loc["same", "lead_auc"] == pytest.approx(0.5)


def test_a_rival_that_is_no_probability_is_ranked_only():
    happened = rng().integers(0, 2, 100)
    found = judge_probabilities({"m": happened * 0.5, "days": 100 * happened}, happened, rng=rng(), repeats=20).iloc[1]
    assert found["auc"] == 1
    assert found[["brier", "brier_low", "log_loss", "lead_brier"]].isna().all()


def test_a_prediction_that_was_sure_and_wrong_has_a_finite_loss():
    found = judge_probabilities({"m": np.array([0.0, 1.0])}, np.array([1, 0]), rng=rng(), repeats=5).iloc[0]
    assert found["log_loss"] == pytest.approx(log_loss([1, 0], [0.0, 1.0]))


def test_it_happened_to_nobody():
    found = judge_probabilities({"m": np.array([0.1, 0.2])}, np.zeros(2), rng=rng(), repeats=5).iloc[0]
    assert found[["auc", "average_precision", "top_lift", "auc_low"]].isna().all()
    assert found["brier"] == pytest.approx(0.025)


def _people(draw: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    chance = draw.beta(1, 3, n)
    return chance, (draw.random(n) < chance).astype(float)


def test_intervals_hold_the_truth():
    """AUC of a very large sample lies in about 95 % of the intervals of small ones."""
    draw = np.random.default_rng(4)
    chance, happened = _people(draw, 400_000)
    truth, hits = roc_auc_score(happened, chance), 0
    for _ in range(150):
        chance, happened = _people(draw, 300)
        found = judge_probabilities({"m": chance}, happened, rng=draw, repeats=150).iloc[0]
        hits += found["auc_low"] <= truth <= found["auc_high"]
    assert 134 <= hits < 150  # 142.5 ± three standard errors of a binomial


def test_reliability_by_hand():
    found = reliability(np.array([0.9, 0.9, 0.1, 0.1, 0.1]), np.array([1, 0, 0, 0, 0]), groups=2)
    assert found[["group", "n", "forecast_mean", "share"]].to_numpy().tolist() == [
        [1, 2, pytest.approx(0.9), 0.5], [2, 3, pytest.approx(0.1), 0]]  # fmt: skip
    assert found.loc[0, ["low", "high"]].tolist() == pytest.approx(wilson(1, 2)[1:])


def test_true_probabilities_lie_in_the_intervals_of_reliability():
    found = reliability(*_people(rng(), 20_000))
    inside = (found["low"] <= found["forecast_mean"]) & (found["forecast_mean"] <= found["high"])
    assert len(found) == 10 and inside.sum() >= 8  # fewer than 8 of 10 by chance: once in a hundred


@pytest.mark.parametrize("measure", ["auc", "average_precision", "brier", "log_loss", "top_lift"])
def test_the_truth_earns_its_place_by_every_measure(measure):
    chance, happened = _people(rng(), 2_000)
    noise = rng().random(2_000)
    found = verdict(judge_probabilities({"m": chance, "noise": noise}, happened, rng=rng()), measure=measure)
    assert (found.code, found.rival, found.measure) == ("earns", "noise", measure)
    turned = judge_probabilities({"m": noise, "truth": chance}, happened, rng=rng())
    assert verdict(turned, measure=measure).code == "loses"


def test_few_who_stayed_get_no_verdict_either():
    happened = np.ones(200)
    happened[:20] = 0
    judged = judge_probabilities({"m": happened, "same": happened * 0}, happened, rng=rng(), repeats=20)
    assert verdict(judged, measure="auc").code == "too_few"
    assert verdict(judged, measure="auc", fewest=20).code == "earns"
