"""The judging of predictions put to the test: do intervals and verdicts hold what they promise?

    PYTHONPATH=tests python -m evidence.scoring

Customers with a known rate of buying are drawn, many samples of them. How often do the 95 % intervals of a forecast's
measures, and of its lead over a rival, hold the values that a very large sample has? How often does a model "earn its
place" that is no better than its rival, or than the best of three? And one that is better? On the scorecard: how often
are two ways of grouping set apart that are equally good?
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import binom

from workbook.scoring import judge_forecasts, judge_probabilities, verdict
from workbook.scoring.groupings import Grouping, unaided
from workbook.scoring.scorecard import Period, compare

SIZES = {"small": 80, "full": 1_000}  # samples of customers
LARGE = 1_000_000  # customers whose measures stand for the truth
MEASURES = ("bias", "rmse", "gini", "top_share", "lead_gini", "lead_rmse")
OF_CHANCES = ("auc", "average_precision", "brier", "top_lift", "lead_auc", "lead_average_precision")
Noise = Mapping[str, float]  # forecast → standard deviation of the logarithm of its error


class Customers(NamedTuple):
    """Drawn customers: what is forecast, and what came."""

    forecasts: dict[str, np.ndarray]
    came: np.ndarray  # currency, heavy-tailed
    chances: dict[str, np.ndarray]
    bought: np.ndarray  # 1 or 0


def drawn(n: int, noise: Noise, rng: np.random.Generator) -> Customers:
    """Purchases by a gamma rate of each customer's own, each of a gamma value; forecasts know the rate, blurred."""
    rate = rng.gamma(0.7, 1.0, n)
    came = rng.gamma(2.0 * np.maximum(count := rng.poisson(rate), 1e-12), 20.0) * (count > 0)
    blurred = {name: rate * np.exp(rng.normal(0, sd, n) - sd**2 / 2) for name, sd in noise.items()}
    forecasts = {name: 40.0 * each for name, each in blurred.items()}
    chances = {name: 1 - np.exp(-each) for name, each in blurred.items()}
    return Customers(forecasts, came, chances, (count > 0) * 1.0)


def held(samples: int, n: int, rng: np.random.Generator) -> dict[str, int]:
    """Of each measure, in how many samples its interval holds the truth."""
    noise = {"model": 0.3, "rival": 0.6}
    large = drawn(LARGE, noise, rng)
    truths = _judged(large, rng, repeats=1)
    hits: Counter[str] = Counter(dict.fromkeys(truths, 0))
    for _ in range(samples):
        for (measure, truth), (low, high) in zip(
            truths.items(), _judged(drawn(n, noise, rng), rng, repeats=200, ends=True).values(), strict=True
        ):
            hits[measure] += low <= truth <= high
    return dict(hits)


def _judged(people: Customers, rng: np.random.Generator, *, repeats: int, ends: bool = False) -> dict:
    """Measures of the model; leads over the rival."""
    found = {}
    amounts = judge_forecasts(people.forecasts, people.came, rng=rng, repeats=repeats)
    chances = judge_probabilities(people.chances, people.bought, rng=rng, repeats=repeats)
    for judged, measures in ((amounts, MEASURES), (chances, OF_CHANCES)):
        for measure in measures:
            row = judged.iloc[1 if measure.startswith("lead_") else 0]
            found[measure] = (row[f"{measure}_low"], row[f"{measure}_high"]) if ends else row[measure]
    return found


def verdicts(samples: int, n: int, noise: Noise, rng: np.random.Generator, measure: str = "gini") -> Counter[str]:
    """How the first forecast fares against the others."""
    codes: Counter[str] = Counter()
    for _ in range(samples):
        people = drawn(n, noise, rng)
        codes[verdict(judge_forecasts(people.forecasts, people.came, rng=rng, repeats=200), measure=measure).code] += 1
    return codes


def set_apart(samples: int, n: int, blurs: Mapping[str, float], rng: np.random.Generator) -> Counter[str]:
    """On how many cards each question sets the second way of grouping behind the first, or the first behind it."""
    apart: Counter[str] = Counter()
    for _ in range(samples):
        before, now = _period(n, blurs, rng), _period(n, blurs, rng)
        card = compare(
            {name: parts(name) for name in blurs}, {"none": "none"}, before=before, now=now, n_groups=5,
            rules_from=[*blurs], rng=rng, refits=2, repeats=200,
        )  # fmt: skip
        for question in ("accuracy", "benefit"):
            apart[question] += len(card.level(question)) == 1
            apart[f"{question}: {'+'.join(card.level(question))}"] += 1
    return apart


def _period(n: int, blurs: Mapping[str, float], rng: np.random.Generator) -> Period:
    people = drawn(n, blurs, rng)
    ids = pd.Series(np.arange(n).astype(str), name="customer_id")
    return Period(pd.DataFrame(people.forecasts).assign(customer_id=ids, none=0.0), people.came)


def parts(column: str) -> Grouping:
    """Equal parts by one column."""

    def fitter(n_groups: int, _rng: np.random.Generator) -> Callable[[pd.DataFrame], Callable]:
        def fit(customers: pd.DataFrame) -> Callable[[pd.DataFrame], np.ndarray]:
            cuts = np.quantile(customers[column], np.arange(1, n_groups) / n_groups)
            return lambda others: np.searchsorted(cuts, others[column])

        return fit

    return unaided(fitter)


def slack(samples: int, share: float, *, sure: float = 0.999) -> int:
    """More events than this in `samples` would be a once-in-a-thousand surprise at `share`."""
    return int(binom.ppf(sure, samples, share))


def main(size: str = "full") -> None:
    samples, begun = SIZES[size], time.perf_counter()
    rng = np.random.default_rng(3)
    print(f"{samples} samples each; a share of them is known to ± {200 * (0.05 * 0.95 / samples) ** 0.5:.1f} points\n")
    print("Intervals of 95 % that held the truth (%), by customers in the sample")
    by_size = {n: held(samples, n, rng) for n in (200, 1_000)}
    for measure in by_size[200]:
        shares = [f"{n:>7,}: {100 * hits[measure] / samples:5.1f}" for n, hits in by_size.items()]
        print(f"  {measure:24}" + "".join(shares))
    print("\nVerdicts by normalised Gini, 500 customers (%)")
    cases = {
        "as good as its rival": {"model": 0.5, "a": 0.5},
        "as good as three rivals": {"model": 0.5, "a": 0.5, "b": 0.5, "c": 0.5},
        "a little better": {"model": 0.5, "a": 0.7},
        "much better": {"model": 0.2, "a": 0.8},
        "worse": {"model": 0.8, "a": 0.5},
    }
    for name, noise in cases.items():
        codes = verdicts(samples, 500, noise, rng)
        shares = [f"{code} {100 * codes[code] / samples:5.1f}" for code in ("earns", "ties", "loses")]
        print(f"  {name:24}" + "  ".join(shares))
    cards = samples // 4
    print(f"\nScorecards with one leader (%), two ways of grouping 500 customers, {cards} cards")
    for name, blurs in {"equally good": {"a": 0.5, "b": 0.5}, "one much worse": {"a": 0.3, "b": 1.5}}.items():
        apart = set_apart(cards, 500, blurs, rng)
        print(f"  {name:24}" + "  ".join(f"{q} {100 * apart[q] / cards:5.1f}" for q in ("accuracy", "benefit")))
    print(f"\n{time.perf_counter() - begun:.0f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
