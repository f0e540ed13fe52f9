"""Uplift: a known effect by customer is found, and noise is not called one."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workbook import ab_testing as ab
from workbook.ab_testing.uplift import doubly_robust

COLUMNS = ["x", "y", "z"]


def drawn(n: int, lift: float, everyone: float = 0.0, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray]:
    """Only customers with x above 0 are moved, by `lift`; y decides who buys anyway."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, 3))
    treated = rng.random(n) < 0.5
    rate = 0.4 * np.exp(0.6 * features[:, 1]) + treated * (everyone + lift * (features[:, 0] > 0))
    return pd.DataFrame(features, columns=COLUMNS).assign(value=rng.poisson(rate).astype(float)), treated


def judge(frame: pd.DataFrame, treated: np.ndarray) -> ab.Uplift:
    return ab.judge_uplift(frame, treated=treated, features=COLUMNS, treated_share=0.5, rng=np.random.default_rng(2))


def test_psi_by_hand():
    """Treated with 2 orders where the models say 0.5 and 1.5: 1 + 0.5 / 0.25 = 3."""
    found = doubly_robust(np.array([2.0, 2.0]), np.array([True, False]), np.array([0.5] * 2), np.array([1.5] * 2), 0.25)
    assert found.tolist() == [3.0, 1.0 - 1.5 / 0.75]


def test_who_is_moved_is_found_again():
    found = judge(*drawn(8000, 0.5))
    assert found.code == "targets"
    assert found.ate_low < 0.25 < found.ate_high
    rows = found.qini.set_index("method")
    # the best ranking gains .25 from the first half of the customers: Qini = .25 / 4
    assert rows.loc["doubly_robust", "low"] < 0.0625 < rows.loc["doubly_robust", "high"] + 0.01
    groups = found.groups[found.groups["method"] == "doubly_robust"].set_index("group")
    assert groups.loc[1, "effect"] > 0.35 and abs(groups.loc[4, "effect"]) < 0.15


def test_the_curve_ends_where_everybody_is_targeted():
    found = judge(*drawn(4000, 0.5))
    ends = found.curve[found.curve["share"] == 1.0]
    assert ends["gain"].to_numpy() == pytest.approx([found.ate] * 2)
    assert ends["random"].to_numpy() == pytest.approx([found.ate] * 2)
    assert (found.curve.loc[found.curve["share"] == 0.0, "gain"] == 0).all()
    assert ((found.scores > 0) & (found.scores < 1)).all().all()


def test_an_effect_that_is_the_same_for_all_gives_nobody_to_target():
    found = judge(*drawn(8000, 0.0, everyone=0.3))
    assert found.code == "no_better_than_random"
    assert found.ate_low < 0.3 < found.ate_high
    assert found.smallest_n < 8000


def test_a_small_sample_is_called_so():
    assert judge(*drawn(1200, 0.1, seed=3)).code == "too_small"
    tiny = judge(*drawn(300, 0.5))
    assert (tiny.code, tiny.smallest_n, len(tiny.curve)) == ("too_small", None, 0)
    nobody = judge(pd.DataFrame(columns=[*COLUMNS, "value"], dtype=float), np.empty(0, bool))
    assert (nobody.code, nobody.n) == ("too_small", 0)


def test_noise_is_seldom_called_a_target():
    """The code may err on one side only, 2.5 % of the time: of 12 shops more than 2 do so once in 300 (binomial)."""
    called = [judge(*drawn(1000, 0.0, seed=seed)).code == "targets" for seed in range(12)]
    assert sum(called) <= 2


def test_the_interval_of_the_average_effect_holds_the_truth():
    inside = []
    for seed in range(12):
        found = judge(*drawn(1000, 0.4, seed=100 + seed))
        inside.append(found.ate_low <= 0.2 <= found.ate_high)
    assert sum(inside) >= 9  # binomial(12, .95) is below that once in 400


def test_the_same_rows_and_seed_give_the_same_answer():
    frame, treated = drawn(2000, 0.5)
    assert judge(frame, treated).qini.equals(judge(frame, treated).qini)


def test_features_lie_before_the_assignment(make_table):
    con = ibis.duckdb.connect()
    people = make_table(con, pd.DataFrame({
        "customer_id": ["a", "b"], "arm": ["control", "treatment"], "cluster_id": None, "arms": 1,
        "assigned_at": pd.Timestamp(2026, 1, 10, 8), "assigned_on": date(2026, 1, 10)}), {"cluster_id": pa.string()})
    days = [date(2025, 9, 1), date(2026, 1, 1), date(2026, 1, 10), date(2026, 2, 1)]

    def orders(amounts: list[float]) -> ibis.Table:
        return make_table(con, pd.DataFrame({
            "order_id": list("1234"), "customer_id": "a", "ordered_on": days, "amount": amounts, "net_amount": amounts,
            "is_return": False}))

    def found(amounts: list[float]) -> list[dict]:
        return ab.features(people, orders(amounts)).order_by("customer_id").to_pyarrow().to_pylist()

    (row, blank) = found([10.0, 30.0, 500.0, 900.0])
    assert row == {"customer_id": "a", "orders": 2, "spend": 40, "mean_order": 20, "recency_days": 9, "age_days": 131,
                   "orders_90d": 1}
    assert (blank["orders"], blank["recency_days"], blank["mean_order"]) == (0, None, None)
    assert found([10.0, 30.0, 1.0, 2.0]) == [row, blank]  # what comes later moves no feature
