"""The chance to win, and what a wrong decision would cost: a Bayesian reading of an effect.

In: an `Effect`. Out: chance that the treatment is better, and expected loss of either decision in the metric's unit.
The effect's likelihood is normal; the prior is flat, or normal around no effect.

**Not protected from peeking.** A flat prior says the same of a result that was looked at once and of one that was
looked at until it pleased: stopping at "95 % chance to win" under daily looks errs as often as a daily p-value does. A
result that is looked at while it runs is `sequential`'s.

Sources: C. Stucchio, Bayesian A/B Testing at VWO, 2015 (expected loss); A. Deng, J. Lu & S. Chen, Continuous monitoring
of A/B tests without pain, DSAA 2016 (what a right prior would protect).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import scipy.stats

from workbook.ab_testing.effects import Effect


class Reading(NamedTuple):
    """An effect in the words of chance."""

    chance_to_win: float  # that the treatment is better than the control
    expected_loss_ship: float  # per customer, if it is shipped: mean of what is lost where it is worse
    expected_loss_stay: float  # per customer, if it is not: mean of what is forgone where it is better
    protected_from_peeking: bool  # always False


def reading(effect: Effect, *, prior_sd: float = math.inf) -> Reading:
    """Chance to win and expected losses.

    Args:
        prior_sd: standard deviation of true differences around none, in the metric's unit; flat when left out.
    """
    mean, sd = posterior(effect.difference, effect.std_error, prior_sd)
    if not sd > 0:
        return Reading(math.nan, math.nan, math.nan, False)
    spread, z = scipy.stats.norm, mean / sd
    win = float(spread.cdf(z))
    stay = float(sd * spread.pdf(z) + mean * win)
    return Reading(win, stay - mean, stay, False)


def posterior(difference: float, std_error: float, prior_sd: float) -> tuple[float, float]:
    """Mean and standard deviation of the true difference when such differences lie around 0 by `prior_sd`.

    >>> [round(x, 3) for x in posterior(2.0, 1.0, 1.0)]
    [1.0, 0.707]
    """
    if math.isinf(prior_sd) or not std_error > 0:
        return difference, std_error
    kept = prior_sd**2 / (prior_sd**2 + std_error**2)
    return kept * difference, math.sqrt(kept) * std_error
