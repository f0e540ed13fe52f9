"""Difference-in-differences: how much more those written to changed than the others did, with false dates as a test.

Question: did the campaign do anything, if the two groups would otherwise have moved alike? `campaigns.histories` goes
in; one row per date comes out: the true one, and earlier dates on which nothing was sent.

A customer's change is the window after the date less the mean of the windows before it. The effect is the mean change
of those written to less that of the others. It rests on parallel trends, which the false dates test: an effect where
there can be none (5 %, by Bonferroni over the dates) shows that the groups move apart by themselves, and then nothing
is claimed. Only customers take part who had bought before all windows, so that nobody's first order is a change.

A comparison of before and after without others is refused: season, trend and the return to the mean of who was just
active would all be called an effect.

Sources: O. Ashenfelter & D. Card, Review of Economics and Statistics 67, 1985; M. Bertrand, E. Duflo & S. Mullainathan,
Quarterly Journal of Economics 119, 2004 (one change a customer instead of many rows).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from workbook.ab_testing.campaigns import EARLIER
from workbook.ab_testing.matching import Difference, plain_difference


def differences(frame: pd.DataFrame, outcome: str, *, days: int) -> dict[int, Difference]:
    """Date → effect: 0 is the true date, 1, 2 … lie that many windows before it.

    Args:
        frame: of `campaigns.histories`; outcome is `spend` or `bought`.
        days: length of a window.
    """
    there = frame[frame["age_days"] > EARLIER * days]
    return {date: plain_difference(_changes(there, outcome, date), "reached", "change") for date in range(EARLIER)}


def _changes(frame: pd.DataFrame, outcome: str, date: int) -> pd.DataFrame:
    before = [f"{outcome}_{k}" for k in range(date + 1, EARLIER + 1)]
    return frame.assign(change=frame[f"{outcome}_{date}"] - frame[before].mean(axis=1))


def is_parallel(effects: dict[int, Difference], *, level: float = 0.05) -> bool:
    """Whether the groups moved alike on the false dates."""
    false = [effect for date, effect in effects.items() if date > 0 and np.isfinite(effect.value)]
    if not false:
        return False
    limit = stats.norm.ppf(1 - level / (2 * len(false)))
    errors = [(effect.high - effect.low) / (2 * stats.norm.ppf(0.975)) for effect in false]
    return all(abs(effect.value) <= limit * error for effect, error in zip(false, errors, strict=True))
