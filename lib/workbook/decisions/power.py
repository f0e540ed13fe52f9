"""What can a list teach? The smallest effect that its arms would show, and how many to hold out.

The metric of one customer in the coming horizon varies about as it did in past windows of the same length: of those who
were on the same list earlier, where reports of then are in the store, else of the list's own customers. A two-sided
t test at 5 % finds an effect of the smallest size in four of five cases (noncentral t with unequal arms). Holding out
costs what the held out would have earned; the share is the smallest at which the expected effect would be seen.

Sources: J. Cohen, Statistical Power Analysis, 1988; statsmodels 0.15 (`TTestIndPower`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import optimize, stats

from workbook.decisions.record import Power

POWER, ALPHA = 0.8, 0.05
SHARES = tuple(round(0.1 + 0.05 * step, 2) for step in range(9))  # 10 % to 50 % of the list
# Where nothing is expected to be seen: 30 % held out give 84 % of the information of one half (s · (1 − s)).
BLIND_SHARE = 0.3
# Where no effect is known, a list must at least show one that changes what these customers bring by one half.
BOLD = 0.5
FEWEST = 4  # customers in an arm, below which no effect is called visible
SMALLEST_ARM = 30  # customers; settlement calls no smaller arm a fair one


class Past(NamedTuple):
    """The metric of the list's customers in past windows of the horizon's length."""

    mean: float  # currency, a customer and window
    sd: float  # currency, within windows
    windows: int
    basis: str  # afterwards: of those on the same list earlier, in the window after it; own_past: of today's customers
    correlation: float | None  # of a customer's window with what was usual before; None: one window, or no variation
    design_effect: float = 1.0  # see `design_effect`

    @property
    def spread(self) -> float:
        """The standard deviation that as many customers, drawn one by one, would need for the same interval."""
        return self.sd * math.sqrt(self.design_effect)


def past(values: np.ndarray, afterwards: Sequence[np.ndarray] = ()) -> Past | None:
    """Mean and spread of past windows; None without two customers and a window.

    Args:
        values: customers × windows, the newest first; blank before a customer was known.
        afterwards: of the same list made earlier, what its customers brought in the window that followed; goes before.
    """
    known = ~np.isnan(values)
    own = [values[known[:, at], at] for at in range(values.shape[1])]
    usable = [window for window in afterwards or own if len(window) > 1]
    if not usable:
        return None
    mean = float(np.mean(np.concatenate(usable)))
    sd = math.sqrt(np.average([window.var(ddof=1) for window in usable], weights=[len(window) for window in usable]))
    return Past(mean, sd, len(usable), "afterwards" if afterwards else "own_past", _correlation(values))


def _correlation(values: np.ndarray) -> float | None:
    """Of a window with what was usual before it: of the newest one in which these customers differ at all."""
    for at in range(values.shape[1] - 1):
        now, before = values[:, at], usual(values[:, at + 1 :])
        both = ~(np.isnan(now) | np.isnan(values[:, at + 1]))
        if both.sum() > 2 and now[both].std() > 0 and before[both].std() > 0:
            return float(np.corrcoef(now[both], before[both])[0, 1])
    return None


def design_effect(values: np.ndarray, homes: Sequence[str]) -> float:
    """By how much drawing households whole widens the variance of a mean; 1 where it does not.

    The squared sums of households' deviations beside the squared deviations of their customers: what the
    cluster-robust variance is to the plain one (L. Kish, Survey Sampling, 1965).

    Args:
        values: customers × windows; blank before a customer was known.

    >>> design_effect(np.array([[1.0], [1.0], [3.0], [3.0]]), ["a", "a", "b", "b"])
    2.0
    """
    if len(set(homes)) == len(homes):
        return 1.0
    seen = ~np.isnan(values)
    means = np.where(seen, values, 0.0).sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
    off = np.where(seen, values - means, 0.0)
    singly = float((off**2).sum())
    whole = pd.DataFrame(off).groupby(np.asarray(homes)).sum().to_numpy()
    return max(float((whole**2).sum()) / singly, 1.0) if singly > 0 else 1.0


def usual(values: np.ndarray) -> np.ndarray:
    """What each customer brought in a window on average, of those windows in which they were known; 0 without one.

    >>> usual(np.array([[2.0, 4.0], [3.0, math.nan]])).tolist()
    [3.0, 3.0]
    """
    seen = ~np.isnan(values)
    return np.where(seen, values, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)


def smallest_effect(*, sd: float, treated: int, control: int, power: float = POWER, alpha: float = ALPHA) -> float:
    """The difference of means that the arms show with the power asked for, in the unit of `sd`.

    Infinite where an arm is too small for any.

    >>> round(smallest_effect(sd=1.0, treated=64, control=64), 2)
    0.5
    """
    if min(treated, control) < FEWEST:
        return math.inf
    scale = math.sqrt(1 / treated + 1 / control)
    freedom = treated + control - 2
    edge = stats.t.ppf(1 - alpha / 2, freedom)

    def missing(shift: float) -> float:
        wrong_side = stats.nct.cdf(-edge, freedom, shift)  # next to nothing for large shifts, where scipy says NaN
        return float(stats.nct.sf(edge, freedom, shift) + np.nan_to_num(wrong_side)) - power

    return float(optimize.brentq(missing, 1e-9, edge + 5.0)) * scale * sd


def needed(*, sd: float, effect: float, share: float) -> int | None:
    """Customers in both arms that would show the effect; None where no number does."""
    if effect <= 0 or sd <= 0:
        return None
    low = high = math.ceil(SMALLEST_ARM / min(share, 1 - share))
    while _seen(sd, high, share) > effect:
        high *= 2
        if high > 10**9:
            return None
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if _seen(sd, middle, share) <= effect else (middle + 1, high)
    return high


def _seen(sd: float, customers: int, share: float) -> float:
    control = round(customers * share)
    return smallest_effect(sd=sd, treated=customers - control, control=control)


def chosen_share(known: Past | None, customers: int, *, effect: float | None, homes: int | None = None) -> float:
    """The smallest share held out at which the expected effect would be seen; BLIND_SHARE where none is enough.

    Args:
        homes: households, drawn whole; None: as many as customers.
    """
    expected = expected_effect(known, effect)
    if known is None or expected is None:
        return BLIND_SHARE
    seen = (share for share in SHARES if _enough(known.spread, customers, share, expected, homes or customers))
    return next(seen, BLIND_SHARE)


def _enough(sd: float, customers: int, share: float, expected: float, homes: int) -> bool:
    control = round(customers * share)
    big_enough = homes * min(share, 1 - share) >= SMALLEST_ARM
    return big_enough and smallest_effect(sd=sd, treated=customers - control, control=control) <= expected


def expected_effect(known: Past | None, effect: float | None) -> float | None:
    """The effect that the arms must show: the forecast's, else a bold one; None where neither is known."""
    if effect is not None and effect > 0:
        return effect
    return BOLD * known.mean if known is not None and known.mean > 0 else None


def judge(
    known: Past | None, *, treated: int, control: int, effect: float | None, smallest: int | None = None
) -> Power:  # fmt: skip
    """What these arms can see.

    Args:
        smallest: households in the smaller arm; None: as many as customers.
    """
    expected = expected_effect(known, effect)
    if known is None:
        return Power(None, None, 0, None, None, expected, None, False, "")
    seen = smallest_effect(sd=known.spread, treated=treated, control=control)
    homes = min(treated, control) if smallest is None else smallest
    share = control / max(treated + control, 1)
    enough = expected is not None and homes >= SMALLEST_ARM and seen <= expected
    wanted = needed(sd=known.spread, effect=expected, share=share) if expected is not None and 0 < share < 1 else None
    return Power(known.mean, known.sd, known.windows, known.correlation, None if math.isinf(seen) else seen, expected,
                 wanted, enough, known.basis, known.design_effect)
