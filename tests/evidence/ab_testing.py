"""A/B testing on experiments whose truth is known: do methods err as rarely as they say, and are verdicts right?

    PYTHONPATH=tests python -m evidence.ab_testing

A/A: two arms of the same customers, many times over; a test at 5 % must cry 5 times in a hundred, within what chance
allows. Customers order at rates of their own (gamma) and spend amounts with a long tail; what they did before goes
together with what they do. Daily looks: 56 days, customers who are all there on the first day or who come day by day.
Shops: the four experiments of the simulator, judged by the verdict from the tables of each shop.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

import ibis
import numpy as np
import pandas as pd
from tea_tasting.aggr import Aggregates

from workbook.ab_testing import cuped, experiments, means, ratios, segment_effects, sequential, split, verdict
from workbook.ab_testing.effects import Arm, Effect, effect
from workbook.ab_testing.many import correct
from workbook.ab_testing.rates import rate_effect
from workbook.data.simulate import Parameters, Shop, simulate

ALPHA = 0.05
SIZES = {"small": (300, 150, 1), "full": (6000, 1000, 12)}  # A/A tests, experiments looked at daily, shops
DAYS = 56
PUBLISHED = {1: 0.050, 2: 0.083, 5: 0.142, 10: 0.193}


def main(size: str = "full") -> None:
    fixed, looked_at, shops = SIZES[size]
    print(f"A/A: false positives at 5 % in {fixed:,} experiments without any effect "
          f"(chance allows {ALPHA - slack(fixed):.4f} to {ALPHA + slack(fixed):.4f})")
    for name, rate in fixed_errors(fixed, seed=1).items():
        print(f"  {name:<34} {rate:.4f}")
    print("Peeking: false positives of a 5 % test at one of several equally spaced looks (theory)")
    for looks, expected in PUBLISHED.items():
        rate = sequential.peeking_error(looks, rng=np.random.default_rng(looks), repeats=50 * fixed)
        print(f"  {looks:>2} looks {rate:.4f} ({expected:.3f})")
    print(f"Daily looks for {DAYS} days: {looked_at:,} experiments without any effect "
          f"(the always-valid result may err in {ALPHA + slack(looked_at):.4f} at most)")
    for name, rates in daily_errors(looked_at, seed=2).items():
        print(f"  {name:<34} always valid {rates['always_valid']:.4f}   daily look at the plain test "
              f"{rates['plain']:.4f}   interval wider on the last day by {rates['wider'] - 1:.0%}")
    print(f"Simulated shops of {CUSTOMERS:,} customers, {shops} of them: verdicts")
    table = verdicts(range(shops))
    for name, found in table.groupby("experiment_id", sort=False):
        print(describe(str(name), found))


def describe(name: str, found: pd.DataFrame) -> str:
    """One line on the verdicts of one experiment."""
    codes = ", ".join(f"{code} {count}" for code, count in found["code"].value_counts().items())
    told = f"  {name:<22} true lift {found['truth'].iloc[0]:.2f}   {codes}"
    if (found["code"] == "refuse").all():
        return told
    whom = "those with one order" if name == "second_order_coupon" else "everybody"
    return (f"{told}   segments differ in {(found['segments'] == 'differs').sum()}   interval of the lift of {whom} "
            f"holds the truth in {int(found['covered'].sum())}")


def slack(n: int, share: float = ALPHA) -> float:
    """Three standard errors of a share in `n` trials."""
    return 3 * math.sqrt(share * (1 - share) / n)


# --- A/A, looked at once -----------------------------------------------------------------------


class Drawn(NamedTuple):
    """One arm of an experiment."""

    orders: np.ndarray
    revenue: np.ndarray
    before: np.ndarray


def draw(rng: np.random.Generator, customers: int) -> Drawn:
    """Customers with a rate of their own before and during the experiment, and amounts with a long tail."""
    rate = rng.gamma(1.0, 0.4, customers)
    orders, before = rng.poisson(rate), rng.poisson(rate)
    level = 100 * np.exp(rng.normal(0, 0.5, customers))
    revenue = rng.gamma(2.0 * np.maximum(orders, 1e-9)) * level / 2
    return Drawn(orders.astype(float), np.where(orders > 0, revenue, 0.0), before.astype(float))


def sums(**columns: np.ndarray) -> Aggregates:
    """The moments of an arm as the engine gives them."""
    names = list(columns)
    cov = np.atleast_2d(np.cov(np.stack(list(columns.values()))))
    return Aggregates(
        len(next(iter(columns.values()))), {name: float(values.mean()) for name, values in columns.items()},
        {name: float(cov[i, i]) for i, name in enumerate(names)},
        {(a, b): float(cov[i, j]) for i, a in enumerate(names) for j, b in enumerate(names) if i < j})


def welch(control: Drawn, treatment: Drawn) -> float:
    return effect(_mean(control.revenue), _mean(treatment.revenue)).p_value


def relative(control: Drawn, treatment: Drawn) -> float:
    return effect(_mean(control.revenue), _mean(treatment.revenue)).relative_p_value


def rates(control: Drawn, treatment: Drawn) -> float:
    counts = [(int((arm.orders > 0).sum()), len(arm.orders)) for arm in (control, treatment)]
    return rate_effect(*counts).p_value


def ratio(control: Drawn, treatment: Drawn) -> float:
    arms = [ratios.ratio_arm(sums(value=arm.revenue, denominator=arm.orders)) for arm in (control, treatment)]
    return effect(*arms).p_value


def clustered(control: Drawn, treatment: Drawn) -> float:
    """The customers live in 30 towns an arm of 5 to 60, and those of a town are alike."""
    arms = []
    for arm, rng in ((control, np.random.default_rng(int(control.revenue.sum()))),
                     (treatment, np.random.default_rng(int(treatment.revenue.sum()) + 1))):
        town = np.repeat(np.arange(30), rng.integers(5, 61, 30))
        value = np.resize(arm.orders, len(town)) + rng.normal(0, 0.5, 30)[town]
        arms.append(ratios.ratio_arm(sums(value=np.bincount(town, value, 30), denominator=np.bincount(town) * 1.0)))
    return effect(*arms, df=58.0).p_value


def adjusted(control: Drawn, treatment: Drawn) -> float:
    return effect(*cuped.adjusted(sums(value=control.orders, before=control.before),
                                  sums(value=treatment.orders, before=treatment.before))).p_value


def winsorised(control: Drawn, treatment: Drawn) -> float:
    together = np.concatenate([control.revenue, treatment.revenue])
    cap = np.quantile(together[together > 0], 0.99)
    return effect(_mean(np.minimum(control.revenue, cap)), _mean(np.minimum(treatment.revenue, cap))).p_value


def holm(control: Drawn, treatment: Drawn) -> float:
    """The smallest adjusted p over four groups of customers."""
    groups = zip(np.split(control.orders, 4), np.split(treatment.orders, 4), strict=True)
    p_values = {str(number): effect(_mean(one), _mean(other)).p_value for number, (one, other) in enumerate(groups)}
    return float(correct(p_values)["adjusted"].min())


METHODS: dict[str, Callable[[Drawn, Drawn], float]] = {
    "Welch (revenue)": welch, "relative lift, delta method": relative, "two rates": rates,
    "ratio, delta method": ratio, "clusters": clustered, "CUPED": adjusted, "winsorised": winsorised,
    "Holm over four groups (any)": holm,
}


def fixed_errors(experiments: int, *, seed: int, customers: int = 1000) -> dict[str, float]:
    """Share of experiments without an effect in which each method finds one."""
    rng = np.random.default_rng(seed)
    cried = dict.fromkeys(METHODS, 0)
    for _ in range(experiments):
        control, treatment = draw(rng, customers), draw(rng, customers)
        for name, method in METHODS.items():
            cried[name] += method(control, treatment) < ALPHA
    return {name: count / experiments for name, count in cried.items()}


# --- A/A, looked at daily ------------------------------------------------------------------------


def daily_errors(experiments: int, *, seed: int) -> dict[str, dict[str, float]]:
    """Share of experiments without an effect that are ever called one under daily looks."""
    rng = np.random.default_rng(seed)
    kinds = {"orders, all there on day 1": (orders_path, False), "orders, coming day by day": (orders_path, True),
             "bought, all there on day 1": (bought_path, False), "revenue, coming day by day": (revenue_path, True)}
    found = {}
    for name, (path, coming) in kinds.items():
        seen = [_looked_at(rng, path, coming) for _ in range(experiments)]
        found[name] = {key: float(np.mean([one[key] for one in seen])) for key in ("always_valid", "plain", "wider")}
    return found


def orders_path(rng: np.random.Generator, customers: int) -> np.ndarray:
    """Orders of each customer on each day: those who order much do so all the time."""
    return rng.poisson(rng.gamma(0.8, 0.05, (customers, 1)), (customers, DAYS)).astype(float)


def bought_path(rng: np.random.Generator, customers: int) -> np.ndarray:
    """1 on the day of the first order: half of the customers have one in the end."""
    return (np.cumsum(rng.random((customers, DAYS)) < 0.012, axis=1).cumsum(axis=1) == 1).astype(float)


def revenue_path(rng: np.random.Generator, customers: int) -> np.ndarray:
    orders = orders_path(rng, customers)
    return orders * 100 * np.exp(rng.normal(0, 0.9, orders.shape))


def _looked_at(rng: np.random.Generator, path: Callable, coming: bool, customers: int = 1000) -> dict[str, float]:
    parts = []
    for arm in ("control", "treatment"):
        daily = path(rng, customers)
        first = rng.integers(0, DAYS, customers) if coming else np.zeros(customers, int)
        daily = np.where(np.arange(DAYS) >= first[:, None], daily, 0.0)
        value = daily.cumsum(axis=1)
        n = (first[:, None] <= np.arange(DAYS)).sum(axis=0)
        mean, squares = value.sum(axis=0) / np.maximum(n, 1), (value**2).sum(axis=0)
        variance = (squares - n * mean**2) / np.maximum(n - 1, 1)
        parts.append(pd.DataFrame({
            "day": range(1, DAYS + 1), "on": [date(2026, 1, 1) + timedelta(days=day) for day in range(DAYS)],
            "arm": arm, "n": n, "mean": mean, "variance": variance, "some": (value > 0).sum(axis=0)}))
    looks = sequential.sequence(pd.concat(parts), control="control")
    last = looks.iloc[-1]
    return {"always_valid": float(looks["excludes_zero"].any()), "plain": float((looks["fixed_p"] < ALPHA).any()),
            "wider": (last["high"] - last["low"]) / (last["fixed_high"] - last["fixed_low"])}


# --- the simulator's experiments ---------------------------------------------------------------------

CUSTOMERS = 20_000
MONTHS = 24


class Records(NamedTuple):
    """A simulated shop's tables as the cleaned ones are."""

    assignments: ibis.Table
    outcomes: ibis.Table
    orders: ibis.Table
    as_of: date


def records(con: Any, shop: Shop, as_of: date) -> Records:
    """The tables in an engine, with the columns that cleaning adds."""
    of = {name: con.create_table(name, shop.tables[name], overwrite=True)
          for name in ("assignments", "outcomes", "orders")}
    orders = of["orders"].mutate(net_amount=of["orders"].amount, is_return=ibis.literal(False))
    drawn = of["assignments"]
    absent = {"exposed_at": "timestamp", "cluster_id": "string"}
    assignments = drawn.mutate(assigned_on=drawn.assigned_at.date(), **{
        name: ibis.null(kind) for name, kind in absent.items() if name not in drawn.columns})
    outcomes = of["outcomes"].mutate(measured_on=of["outcomes"].measured_at.date())
    return Records(assignments, outcomes, orders, as_of)


def judged(
    tables: Records, name: str, metric: str = "orders"
) -> tuple[verdict.Verdict, Effect, segment_effects.Segments]:
    """The verdict on one experiment, the effect on the metric, and the effects by orders before."""
    people = experiments.subjects(tables.assignments, name, as_of=tables.as_of)
    table = experiments.measured(people, tables.outcomes, name, metric, as_of=tables.as_of)
    found = means.mean_effects(table, metric=metric, control="control")
    decided = verdict.judge_experiment(
        found, split=split.sample_ratio(people),
        faults=split.faults(people, tables.outcomes, name, as_of=tables.as_of),
        maturity=split.maturity(people, days=DAYS, as_of=tables.as_of))
    earlier = segment_effects.orders_before(people, tables.orders)
    segments = segment_effects.by_segment(
        table.inner_join(earlier, "customer_id"), metric=metric, control="control", planned=True)
    return decided, found[0], segments


def verdicts(seeds: Iterator[int] | range, customers: int = CUSTOMERS) -> pd.DataFrame:
    """The verdicts on the four experiments in shops of those seeds: seed, experiment_id, truth, code, segments,
    covered (whether the interval of the lift, of those to whom it applies, holds the true one)."""
    rows = []
    parameters = Parameters()
    for seed in seeds:
        shop = simulate(customers, MONTHS, seed=seed, parameters=parameters)
        tables = records(ibis.duckdb.connect(), shop, date(2025, 12, 31))
        for experiment in parameters.experiments:
            decided, found, segments = judged(tables, experiment.name)
            moved = found
            if experiment.applies_to == "one_order":
                moved = segments.effects.set_index("segment").loc[segment_effects.ONE_ORDER]
            rows.append({
                "seed": seed, "experiment_id": experiment.name, "truth": experiment.lift, "code": decided.code,
                "segments": segments.code,
                "covered": bool(moved.relative_low <= experiment.lift <= moved.relative_high)})
    return pd.DataFrame(rows)


def _mean(values: np.ndarray) -> Arm:
    return Arm(float(values.mean()), float(values.var(ddof=1)), len(values))


if __name__ == "__main__":
    main()
