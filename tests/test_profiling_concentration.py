"""How unequally revenue is spread."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbook.profiling import concentration

amounts = st.lists(st.integers(0, 10_000), min_size=1, max_size=60).filter(any).map(lambda x: np.array(x, dtype=float))


def test_by_hand() -> None:
    """1, 2, 3, 4: mean difference of all pairs 1.25, over twice the mean 5."""
    x = np.array([4.0, 1.0, 3.0, 2.0])
    assert concentration.gini(x) == pytest.approx(0.25)
    assert concentration.top_share(x, top=0.25) == pytest.approx(0.4)
    assert concentration.top_share(x, top=0.125) == pytest.approx(0.2), "a customer at the border counts in part"


@settings(deadline=None)
@given(x=amounts)
def test_same_as_the_mean_difference_of_all_pairs(x: np.ndarray) -> None:
    pairs = np.abs(x[:, None] - x[None, :]).mean()
    assert concentration.gini(x) == pytest.approx(pairs / (2 * x.mean()), abs=1e-12)


@settings(deadline=None)
@given(x=amounts)
def test_lorenz_curve_lies_below_equality_and_rises(x: np.ndarray) -> None:
    curve = concentration.lorenz(x)
    assert (curve["revenue"] <= curve["customers"] + 1e-12).all()
    assert (curve["revenue"].diff().dropna() >= -1e-12).all()
    assert curve["revenue"].iloc[-1] == pytest.approx(1)
    assert concentration.top_share(x, top=0.2) >= 0.2 - 1e-12


@settings(deadline=None)
@given(x=amounts, factor=st.integers(1, 50))
def test_currency_does_not_matter(x: np.ndarray, factor: int) -> None:
    assert concentration.gini(x * factor) == pytest.approx(concentration.gini(x))


def test_pareto_of_eighty_twenty() -> None:
    """A Pareto tail with shape log 5 / log 4 gives the best 20 % exactly 80 %, and Gini 1 / (2 × shape − 1)."""
    shape = np.log(5) / np.log(4)
    held = 1 - (1 - np.linspace(0, 1, 100_001)) ** (1 - 1 / shape)
    x = np.diff(held)  # what each of 100,000 customers has, if they follow the curve
    assert concentration.top_share(x) == pytest.approx(0.8, abs=1e-9)
    assert concentration.gini(x) == pytest.approx(1 / (2 * shape - 1), abs=1e-4)


def test_debts_count_as_zero() -> None:
    assert concentration.gini(np.array([-5.0, 0.0, 0.0, 1.0])) == pytest.approx(0.75)
    assert concentration.spread(np.array([-5.0, 0.0, 3.0])).negative == 1


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    """Exponential values have a Gini coefficient of one half. 95 % of 100 intervals, with room for chance."""
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(100):
        gini, top = concentration.with_interval(rng.exponential(size=400), rng=rng)
        assert gini.low < gini.value < gini.high and top.low < top.value < top.high
        hits += gini.low <= 0.5 <= gini.high
    assert 87 <= hits <= 100


def test_a_resample_of_everyone_once_is_the_sample() -> None:
    x = concentration.floored(np.array([3.0, 1.0, 8.0, 0.0]))
    gini, top = concentration._resampled(x, np.ones(4), 0.2)
    assert (gini, top) == pytest.approx((concentration.gini(x), concentration.top_share(x)))


def test_histograms_hold_everyone_once() -> None:
    x = np.random.default_rng(0).lognormal(3, 1, 500)
    for table in (concentration.on_log_scale(x), concentration.on_plain_scale(x)):
        assert table["count"].sum() == 500
        assert (table["right"].iloc[:-1].to_numpy() == table["left"].iloc[1:].to_numpy()).all()
    assert concentration.on_log_scale(np.array([5.0]))["count"].sum() == 1
    assert not len(concentration.on_log_scale(np.array([0.0, -1.0])))


def test_mean_beside_median() -> None:
    spread = concentration.spread(np.array([1.0, 1.0, 1.0, 97.0]))
    assert (spread.mean, spread.median, spread.above_mean, spread.largest) == (25, 1, 0.25, 97)
