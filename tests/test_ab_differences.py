"""Difference-in-differences: the true date, false dates, and groups that move apart by themselves."""

import numpy as np
import pandas as pd
import pytest

from workbook.ab_testing import differences, is_parallel
from workbook.ab_testing.campaigns import EARLIER

DAYS = 28


def panel(rng, n=800, effect=0.0, drift=0.0, level=0.0):
    """Customers over five windows, newest 0: those reached differ by `level` and move apart by `drift` a window."""
    reached = rng.random(n) < 0.4
    person = rng.normal(5, 2, n) + level * reached
    season = rng.normal(0, 3, EARLIER + 1)
    windows = {
        f"spend_{k}": person + season[k] + drift * (EARLIER - k) * reached + effect * reached * (k == 0)
        + rng.normal(0, 2, n)
        for k in range(EARLIER + 1)
    }  # fmt: skip
    return pd.DataFrame({"customer_id": range(n), "reached": reached, "age_days": 1000, **windows})


def test_by_hand():
    """a: 10 after a mean of 4; b, not written to: 5 after 4. Six less one is five."""
    frame = pd.DataFrame({
        "customer_id": list("abcd"), "reached": [True, False, True, False], "age_days": 200,
        "spend_0": [10.0, 5, 10, 5], "spend_1": [4.0, 4, 4, 4], "spend_2": [3.0, 4, 3, 4], "spend_3": [5.0, 4, 5, 4],
        "spend_4": [4.0, 4, 4, 4],
    })  # fmt: skip
    found = differences(frame, "spend", days=DAYS)
    assert found[0].value == pytest.approx(5)
    assert found[1].value == pytest.approx(4 - (3 + 5 + 4) / 3), "the first false date: 4 after 3, 5, 4"
    assert list(found) == [0, 1, 2, 3]


def test_who_came_lately_takes_no_part():
    frame = panel(np.random.default_rng(1)).assign(age_days=lambda rows: np.where(rows["customer_id"] < 500, 200, 60))
    found = differences(frame, "spend", days=DAYS)[0]
    assert found.treated + found.control == 500


def test_a_known_effect_is_covered_and_false_dates_find_nothing():
    """200 panels, effect 1, groups of different level, a season common to both: 95 % and 5 % within three errors."""
    rng = np.random.default_rng(2)
    found = [differences(panel(rng, effect=1.0, level=3.0), "spend", days=DAYS) for _ in range(200)]
    covered = np.mean([effects[0].low <= 1 <= effects[0].high for effects in found])
    assert 0.904 <= covered <= 0.996
    assert np.mean([not is_parallel(effects) for effects in found]) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_groups_that_move_apart_by_themselves_are_told():
    rng = np.random.default_rng(3)
    told = [not is_parallel(differences(panel(rng, drift=0.5), "spend", days=DAYS)) for _ in range(40)]
    assert np.mean(told) > 0.9


def test_before_and_after_alone_would_call_the_season_an_effect():
    """What is refused, and why: without others every season is an effect."""
    rng = np.random.default_rng(4)
    frame = panel(rng)
    changes = (frame["spend_0"] - frame["spend_1"])[frame["reached"]]
    error = changes.std() / np.sqrt(len(changes))
    assert abs(changes.mean()) > 4 * error, "no effect, and yet a change"
    found = differences(frame, "spend", days=DAYS)[0]
    assert found.low < 0 < found.high


def test_nobody_to_compare_with_is_not_parallel():
    frame = panel(np.random.default_rng(5)).assign(reached=True)
    found = differences(frame, "spend", days=DAYS)
    assert np.isnan(found[0].value) and not is_parallel(found)
