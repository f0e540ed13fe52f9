"""Matched customers: those written to beside others made alike in what they had bought before.

Question: did the campaign do anything? `campaigns.histories` goes in, one row per customer; an effect on those
written to comes out, with its interval, the balance of the two groups before and after matching, and a placebo.

1. Exact strata: bands of recency and of purchase days, and whether they had been written to before.
2. Within a stratum each customer written to gets the `neighbours` nearest others by the propensity to be written to
   (logistic regression on the logged history), with replacement, none farther than `caliper` standard deviations.
3. The difference is that of a regression on the matched customers, weighted as often as they were used, on what still
   differs: the mean over those written to. Interval: heteroscedasticity-consistent, each customer counted once.
4. Placebo: the same on an earlier window in which nothing was sent. An effect there shows that the groups differ in
   something unseen, and then nothing is claimed.

A standardised difference is that of the means over the standard deviation of those written to; 0.1 is the usual limit.

Sources: P. R. Rosenbaum & D. B. Rubin, Biometrika 70, 1983; D. E. Ho, K. Imai, G. King & E. A. Stuart, Political
Analysis 15, 2007 (regression after matching); P. C. Austin, Pharmaceutical Statistics 10, 2011 (caliper 0.2).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from workbook.scoring import Z

FEATURES = ("purchase_days", "year_days", "last_days", "monetary", "recency_days", "age_days", "messages")
CALIPER = 0.2  # standard deviations of the propensity's log odds (Austin 2011)
LIMIT = 0.1  # standardised difference above which groups are not alike
FEWEST = 30  # customers in each group, and buyers, below which nothing is said
MOST_FITTED = 200_000  # customers on whom the propensity is fitted; all are scored
RECENCY_BANDS = (30, 90, 180, 365)  # days
FREQUENCY_BANDS = (1, 3, 9)  # purchase days


class Difference(NamedTuple):
    """A difference between those written to and others, with its 95 % interval; NaN where there was nothing."""

    value: float
    low: float
    high: float
    treated: int
    control: int
    influence: pd.Series  # customer_id → what each contributes to the error, for effects over several campaigns

    @property
    def is_beyond_chance(self) -> bool:
        return self.low > 0 or self.high < 0

    @property
    def p_value(self) -> float:
        """The chance of so large a difference where there is none; nan without an interval."""
        error = (self.high - self.low) / (2 * Z)
        return math.erfc(abs(self.value) / error / math.sqrt(2)) if error > 0 else math.nan


class Matched(NamedTuple):
    """The customers that are compared."""

    rows: pd.DataFrame  # the frame's columns, and `weight`: 1 for those written to, others as often as used
    balance: pd.DataFrame  # feature, treated, before, after (means), smd_before, smd_after
    left_out: int  # written to, but nobody was alike

    @property
    def treated(self) -> int:
        return int(self.rows["reached"].sum())

    @property
    def control(self) -> int:
        return len(self.rows) - self.treated

    @property
    def worst(self) -> float:
        """The largest standardised difference that is left."""
        return float(self.balance["smd_after"].abs().max()) if len(self.balance) else math.nan


def match(
    frame: pd.DataFrame, *, features: Sequence[str] = FEATURES, neighbours: int = 5, rng: np.random.Generator
) -> Matched:
    """Each customer written to with their nearest others of the same stratum.

    Args:
        frame: `reached` (whether written to), the features and outcomes; sorted, so that equal data match equally.
        neighbours: others for each of those written to.
    """
    frame = frame.reset_index(drop=True)
    reached = frame["reached"].to_numpy(bool)
    if not reached.any() or reached.all():
        return Matched(frame.head(0).assign(weight=0.0), _no_balance(), int(reached.sum()))
    score = _log_odds(_logged(frame, features), reached, rng)
    width = CALIPER * (float(score.std()) or 1.0)
    weight = np.zeros(len(frame))
    for places in frame.groupby(_strata(frame), sort=True).indices.values():
        _give_weights(weight, score, reached, np.asarray(places), neighbours, width)
    rows = frame.assign(weight=weight)[weight > 0].reset_index(drop=True)
    left_out = int((reached & (weight == 0)).sum())
    return Matched(rows, _balance(frame, rows, features), left_out)


def _logged(frame: pd.DataFrame, features: Sequence[str]) -> np.ndarray:
    """The features on a scale without long tails, standardised."""
    values = frame[list(features)].to_numpy(float)
    values = np.sign(values) * np.log1p(np.abs(values))
    spread = values.std(axis=0)
    return (values - values.mean(axis=0)) / np.where(spread > 0, spread, 1)


def _log_odds(values: np.ndarray, reached: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    fitted = rng.permutation(len(values))[:MOST_FITTED] if len(values) > MOST_FITTED else np.arange(len(values))
    if len(set(reached[fitted])) < 2:
        return np.zeros(len(values))
    return LogisticRegression(C=10.0, max_iter=500).fit(values[fitted], reached[fitted]).decision_function(values)


def _strata(frame: pd.DataFrame) -> np.ndarray:
    recency = np.searchsorted(RECENCY_BANDS, frame["recency_days"].to_numpy(float))
    frequency = np.searchsorted(FREQUENCY_BANDS, frame["purchase_days"].to_numpy(float))
    return 100 * recency + 10 * frequency + (frame["messages"].to_numpy(float) > 0)


def _give_weights(
    weight: np.ndarray, score: np.ndarray, reached: np.ndarray, places: np.ndarray, neighbours: int, width: float
) -> None:
    """Within one stratum: 1 to each of those written to who has others near, shared out among these others."""
    mine, others = places[reached[places]], places[~reached[places]]
    if not len(mine) or not len(others):
        return
    others = others[np.argsort(score[others], kind="stable")]
    sorted_scores = score[others]
    at = np.searchsorted(sorted_scores, score[mine])
    near = at[:, None] + np.arange(-neighbours, neighbours)[None, :]
    inside = (near >= 0) & (near < len(others))
    near = np.clip(near, 0, len(others) - 1)
    far = np.where(inside, np.abs(sorted_scores[near] - score[mine][:, None]), np.inf)
    best = np.argsort(far, axis=1, kind="stable")[:, :neighbours]
    taken = np.take_along_axis(far, best, axis=1) <= width
    count = taken.sum(axis=1)
    weight[mine[count > 0]] = 1.0
    shares = taken / np.maximum(count, 1)[:, None]
    np.add.at(weight, others[np.take_along_axis(near, best, axis=1)[taken]], shares[taken])


def _no_balance() -> pd.DataFrame:
    return pd.DataFrame(columns=["feature", "treated", "before", "after", "smd_before", "smd_after"])


def _balance(frame: pd.DataFrame, rows: pd.DataFrame, features: Sequence[str]) -> pd.DataFrame:
    """Means of each feature before and after matching, and their standardised differences."""
    found = []
    reached, matched = frame[frame["reached"]], rows[rows["reached"]]
    others, control = frame[~frame["reached"]], rows[~rows["reached"]]
    for name in features:
        spread = float(reached[name].std(ddof=1)) or math.nan
        after = float(np.average(control[name], weights=control["weight"])) if len(control) else math.nan
        found.append({
            "feature": name, "treated": reached[name].mean(), "before": others[name].mean(), "after": after,
            "smd_before": (reached[name].mean() - others[name].mean()) / spread,
            "smd_after": (matched[name].mean() - after) / spread,
        })  # fmt: skip
    return pd.DataFrame(found)


def matched_effect(matched: Matched, outcome: str, *, features: Sequence[str] = FEATURES) -> Difference:
    """What the campaign added to `outcome` of those written to, by regression on the matched customers."""
    rows = matched.rows
    if matched.treated < 2 or matched.control < 2:
        return _nothing(matched.treated, matched.control)
    reached, weight = rows["reached"].to_numpy(float), rows["weight"].to_numpy(float)
    values = _logged(rows, features)
    centred = values - values[reached > 0].mean(axis=0)
    design = np.column_stack([np.ones(len(rows)), reached, centred, reached[:, None] * centred])
    outcomes = rows[outcome].to_numpy(float)
    inverse = np.linalg.pinv(design.T @ (weight[:, None] * design))
    left = outcomes - design @ (inverse @ (design.T @ (weight * outcomes)))
    spare = len(rows) / max(len(rows) - design.shape[1], 1)  # degrees of freedom that the regression took
    value = float((inverse @ (design.T @ (weight * outcomes)))[1])
    influence = pd.Series((design @ inverse[1]) * weight * left * math.sqrt(spare), index=rows["customer_id"])
    return _difference(value, influence, matched.treated, matched.control)


def plain_difference(frame: pd.DataFrame, group: str, outcome: str) -> Difference:
    """The plain difference of means between who is in `group` and who is not: what a naive comparison says."""
    inside = frame[group].to_numpy(bool)
    values = frame[outcome].to_numpy(float)
    sizes = int(inside.sum()), int((~inside).sum())
    if min(sizes) < 2:
        return _nothing(*sizes)
    means = values[inside].mean(), values[~inside].mean()
    parts = np.where(inside, (values - means[0]) / sizes[0], -(values - means[1]) / sizes[1])
    return _difference(float(means[0] - means[1]), pd.Series(parts, index=frame["customer_id"]), *sizes)


def pooled(effects: Sequence[Difference]) -> Difference:
    """The mean effect over several campaigns, weighted by those written to; a customer of several counts as one."""
    known = [effect for effect in effects if not math.isnan(effect.value)]
    if not known:
        return _nothing(0, 0)
    shares = np.array([effect.treated for effect in known], float)
    shares /= shares.sum()
    value = float(shares @ [effect.value for effect in known])
    influence = pd.concat([share * effect.influence for share, effect in zip(shares, known, strict=True)])
    treated, control = (sum(getattr(effect, side) for effect in known) for side in ("treated", "control"))
    return _difference(value, influence.groupby(level=0).sum(), treated, control)


def _difference(value: float, influence: pd.Series, treated: int, control: int) -> Difference:
    half = Z * math.sqrt(float((influence.to_numpy() ** 2).sum()))
    return Difference(value, value - half, value + half, treated, control, influence)


def _nothing(treated: int, control: int) -> Difference:
    return Difference(math.nan, math.nan, math.nan, treated, control, pd.Series(dtype=float))
