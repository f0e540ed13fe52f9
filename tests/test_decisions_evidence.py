"""Settled decisions beside the truth of simulated shops: a small part of tests/evidence/decisions.py."""

import numpy as np
import pytest

from evidence import decisions as evidence

SHOPS = range(6)


@pytest.fixture(scope="module")
def trials() -> dict[str, list[evidence.Trial]]:
    """Each list with an action that works and with one that does nothing."""
    return {which: [trial for action in ("nothing", "half as many orders again")
                    for trial in evidence.settled(which, action, SHOPS)] for which in evidence.LISTS}


def test_intervals_hold_the_truth_as_often_as_stated(trials: dict[str, list[evidence.Trial]]) -> None:
    every = [trial for kept in trials.values() for trial in kept]
    low, high = evidence.bounds(len(every))
    assert low <= sum(map(evidence.holds, every)) <= high
    assert low <= sum(map(evidence.holds_revenue, every)) <= high


def test_an_action_that_does_nothing_has_a_truth_of_nothing(trials: dict[str, list[evidence.Trial]]) -> None:
    for kept in trials.values():
        nothing = [trial for trial in kept if trial.settlement.decision.action == "nothing"]
        assert len(nothing) == len(SHOPS) and all(trial.truth == 0 for trial in nothing)
        assert sum(trial.settlement.verdict == "earned" for trial in nothing) <= 2


@pytest.mark.parametrize(("which", "rival", "sign"), [
    ("best", "before_after", -1), ("quiet", "before_after", 1), ("best", "everybody_else", 1),
    ("quiet", "everybody_else", -1)])
def test_the_naive_comparisons_are_wrong_in_the_way_that_the_list_was_chosen(
    trials: dict[str, list[evidence.Trial]], which: str, rival: str, sign: int
) -> None:
    """The best return to the mean and fall; the quiet return to it and rise; both differ from everybody else."""
    kept = trials[which]
    off = np.array([getattr(trial.settlement.naive, rival) - trial.truth for trial in kept])
    fair = np.array([trial.settlement.main.difference - trial.truth for trial in kept])
    assert sign * off.mean() > 4 * off.std(ddof=1) / np.sqrt(len(off)), "far off, always to the same side"
    assert abs(fair.mean()) < 4 * fair.std(ddof=1) / np.sqrt(len(fair)), "against the control: about right"
    right = sum(abs(one) <= evidence.half(trial) for one, trial in zip(off, kept, strict=True))
    assert right < sum(map(evidence.holds, kept)) / 2
