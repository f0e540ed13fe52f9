"""What follows from an experiment: ship, stop, or go on and how long; and what it is worth a year.

In: the effects of the metric that decides (one an arm), the split, the faults, the maturity, and for a running
experiment what daily looks allow. Out: a code with reasons, and money with an interval.

| code | when |
|---|---|
| refuse | the split is broken, or faults of assignment touch 1 % of the customers: no figure may be read |
| immature | outcomes are not there yet, and nobody may decide before they are |
| ship | the arm is better (Holm over the arms), and may be better by what is worthwhile |
| stop | it is worse, or cannot be better by what is worthwhile, or only a sample over three times as large could tell |
| continue | running, and daily looks have not decided; or finished, undecided, and such a sample is within reach |

To go on after the planned end is to look twice: the next reading is `sequential`'s.

Worth a year: effect × customers × windows in a year × money of one unit × margin, less the cost. Of experiments that
were shipped because they looked good, the effect is overstated (winner's curse); it is shrunk toward nothing by a prior
on true relative lifts, N(0, prior²), estimated from the shop's own past experiments where there are five, else assumed
(a tenth: most ideas do little). Novelty wears off: the effect falls exponentially, and by `decay_a_year` within a year.

Sources: R. Kohavi, D. Tang & Y. Xu, Trustworthy Online Controlled Experiments, 2020 (chapters 1 and 23); M. R. Lee &
M. Shen, Winner's Curse, KDD 2018; E. M. Azevedo et al., A/B Testing with Fat Tails, JPE 2020.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import scipy.stats

from workbook.ab_testing.bayes import posterior
from workbook.ab_testing.effects import Effect
from workbook.ab_testing.many import correct
from workbook.ab_testing.power import POWER
from workbook.ab_testing.sequential import Stop
from workbook.ab_testing.split import SERIOUS_SHARE, Maturity, SampleRatio

WORTHWHILE = 0.1  # relative lift that is looked for where the shop names none
FARTHEST = 3.0  # times the sample so far, beyond which going on is no advice
DEFAULT_PRIOR = 0.1  # standard deviation of true relative lifts, where too few experiments tell
FEWEST_PAST = 5  # experiments from which the shop's own prior is estimated


class Verdict(NamedTuple):
    """What to do, and why."""

    code: str  # refuse, immature, ship, stop, continue
    reasons: tuple[str, ...]  # codes: see `REASONS`
    arm: str  # the arm that decides; "" where there is none
    effect: Effect | None
    days_more: int | None  # until it can be decided; None: not known, or nothing to wait for
    customers_more: int | None  # of all arms, where a larger sample is needed
    evidence: str = "randomised"


REASONS = ("split_broken", "two_arms", "exposed_before_assigned", "measured_before_assigned", "no_outcome", "too_few",
           "not_mature", "better", "worse", "too_small", "decided_early", "undecided", "out_of_reach")  # fmt: skip


class Worth(NamedTuple):
    """What an effect brings in a year."""

    value: float  # money, shrunk and decayed, less the cost
    low: float
    high: float
    naive: float  # neither shrunk nor decayed
    shrinkage: float  # share of the effect that is kept: 1 nothing is taken off
    decay_factor: float  # mean effect over the year beside the effect at its start
    prior_relative_sd: float
    prior_source: str  # own, default


def judge_experiment(
    effects: Sequence[Effect] | Effect | None, *, split: SampleRatio, faults: pd.DataFrame, maturity: Maturity,
    stop: Stop | Sequence[Stop] | None = None, worthwhile: float = 0.0, customers_a_day: float | None = None,
) -> Verdict:
    """Ship, stop, or go on.

    Args:
        effects: of the metric that decides, one an arm; higher must be better.
        stop: what daily looks allow; for an experiment that is still running.
        worthwhile: smallest relative lift worth having. At 0 any is, and going on is judged by a lift of `WORTHWHILE`.
        customers_a_day: how many come, to say how long a larger sample takes.
    """
    broken = _broken(split, faults)
    found = [effects] if isinstance(effects, Effect) else list(effects or ())
    if broken:
        return Verdict("refuse", broken, "", None, None, None)
    if maturity.share < 1 or not maturity.customers:
        return _running(found, maturity, [stop] if isinstance(stop, Stop) else list(stop or ()))
    if not found:
        return Verdict("immature", ("no_outcome",), "", None, None, None)
    judged = [one for one in found if not math.isnan(one.p_value)]
    if not judged:
        return Verdict("immature", ("too_few",), found[0].arm, found[0], None, None)
    return _finished(judged, worthwhile, customers_a_day, maturity.days)


def worth_a_year(
    effect: Effect, *, customers: float, days: int, unit_value: float = 1.0, margin_share: float = 1.0,
    prior_relative_sd: float | None = None, decay_a_year: float = 0.5, cost: float = 0.0,
) -> Worth:
    """Money of a year, shrunk for the winner's curse and decayed.

    Args:
        customers: to whom the change will apply.
        days: window in which the effect was measured; the year has 365 / days of them.
        unit_value: money of one unit of the metric (1 for revenue; of orders: what one comes to).
        margin_share: of that money, what is left after costs.
        prior_relative_sd: of true relative lifts (`own_prior`); the default is assumed.
        decay_a_year: share of the effect that is lost within a year, 0 (none) to below 1.
        cost: money of a year that the change itself costs.
    """
    prior = DEFAULT_PRIOR if prior_relative_sd is None else prior_relative_sd
    mean, sd = posterior(effect.difference, effect.std_error, prior * abs(effect.control))
    scale = customers * 365 / days * unit_value * margin_share
    rate = -math.log1p(-decay_a_year)
    decay = (1 - math.exp(-rate)) / rate if rate > 0 else 1.0
    half = float(scipy.stats.norm.isf(effect.alpha / 2)) * sd
    low, value, high = sorted(scale * decay * one - cost for one in (mean - half, mean, mean + half))
    return Worth(value, low, high, scale * effect.difference - cost,
                 mean / effect.difference if effect.difference else math.nan, decay, prior,
                 "default" if prior_relative_sd is None else "own")


def own_prior(effects: Sequence[Effect]) -> float | None:
    """The spread of true relative lifts in the shop's past experiments, noise taken off; None below five.

    Method of moments: the mean square of the lifts less the mean square of their standard errors, 0 at least.
    """
    known = [one for one in effects if not math.isnan(one.relative)]
    if len(known) < FEWEST_PAST:
        return None
    errors = [(one.relative_high - one.relative_low) / 2 / scipy.stats.t(one.df).isf(one.alpha / 2) for one in known]
    return float(math.sqrt(max(np.mean([one.relative**2 for one in known]) - np.mean(np.square(errors)), 0.0)))


def _broken(split: SampleRatio, faults: pd.DataFrame) -> tuple[str, ...]:
    serious = faults.loc[faults["serious"] & (faults["share"] >= SERIOUS_SHARE), "code"]
    return (*(("split_broken",) if split.broken else ()), *serious)


def _running(found: list[Effect], maturity: Maturity, stops: list[Stop]) -> Verdict:
    """Before everybody has had the window only an always-valid result decides."""
    left = maturity.days_left or None
    beside = {one.arm: one for one in found}
    for code, wanted in (("ship", ("effect_up",)), ("stop", ("effect_down", "too_small"))):
        for stop in stops:
            if stop.code in wanted:
                why = {"effect_up": "better", "effect_down": "worse", "too_small": "too_small"}[stop.code]
                return Verdict(code, (why, "decided_early"), stop.arm, beside.get(stop.arm), None, None)
    if stops:
        return Verdict("continue", ("undecided", "not_mature"), stops[0].arm, beside.get(stops[0].arm), left, None)
    return Verdict("immature", ("not_mature",), "", None, left, None)


def _finished(judged: list[Effect], worthwhile: float, customers_a_day: float | None, days: int) -> Verdict:
    adjusted = correct({one.arm: one.p_value for one in judged}, alpha=judged[0].alpha)
    clear = dict(zip(adjusted["name"], adjusted["significant"], strict=True))
    best = max(judged, key=lambda one: (bool(clear[one.arm]) and one.difference > 0, one.difference))
    least = worthwhile * best.control
    if clear[best.arm] and best.difference > 0 and best.high > least:
        return Verdict("ship", ("better",), best.arm, best, None, None)
    if clear[best.arm] and best.difference < 0:
        return Verdict("stop", ("worse",), best.arm, best, None, None)
    if best.high <= least:
        return Verdict("stop", ("too_small",), best.arm, best, None, None)
    return _undecided(best, (worthwhile or WORTHWHILE) * best.control, customers_a_day, days)


def _undecided(effect: Effect, sought: float, customers_a_day: float | None, days: int) -> Verdict:
    """Whether a larger sample would find the effect that is looked for."""
    reach = scipy.stats.norm.isf(effect.alpha / 2) + scipy.stats.norm.ppf(POWER)
    factor = (reach * effect.std_error / sought) ** 2 if sought > 0 else math.inf
    if factor <= 1:
        return Verdict("stop", ("undecided", "too_small"), effect.arm, effect, None, None)
    if factor > FARTHEST:
        return Verdict("stop", ("undecided", "out_of_reach"), effect.arm, effect, None, None)
    more = math.ceil((factor - 1) * (effect.n + effect.n_control))
    wait = math.ceil(more / customers_a_day) + days if customers_a_day else None
    return Verdict("continue", ("undecided",), effect.arm, effect, wait, more)
