"""Lifetime models put to the test on shops whose truth is known, and on CDNOW.

    PYTHONPATH=tests python -m evidence.clv

How often do intervals hold what they promise (95 %)? For the parameters, for the expectation, and for what is really
bought, of totals and of single customers; on shops where the model holds, and on shops that break it with a season and
promotions, with and without widening by past errors.
"""

from __future__ import annotations

import importlib.metadata
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa
from scipy.stats import binom

from workbook import clv
from workbook.clv.fits import MODELS
from workbook.data.engine import connect
from workbook.data.settings import Engine
from workbook.data.simulate import simulate

MONEY = pa.decimal128(18, 4)
CDNOW_AS_OF, CDNOW_UNTIL, CDNOW_WEEKS = date(1997, 9, 30), date(1998, 6, 30), 39
START = date(2022, 1, 1)
TRUTH = {  # time in weeks, value in currency
    "bg_nbd": (0.6, 6.0, 0.8, 3.0), "mbg_nbd": (0.6, 6.0, 0.8, 3.0), "pareto_nbd": (0.6, 6.0, 0.6, 12.0),
    "gamma_gamma": (6.0, 4.0, 16.0),
}  # fmt: skip
KNOWN, HORIZON = 104, 26  # weeks of the record that are fitted on, and weeks that are forecast
STORIES = (  # title, model, strength of season and promotions
    ("BG/NBD holds", "bg_nbd", 0.0), ("MBG/NBD holds", "mbg_nbd", 0.0), ("Pareto/NBD holds", "pareto_nbd", 0.0),
    ("Season and promotions break BG/NBD", "bg_nbd", 0.3), ("A strong season breaks BG/NBD", "bg_nbd", 0.6),
)  # fmt: skip
SIZES = {"small": 16, "full": 80}  # shops


def engine() -> ibis.BaseBackend:
    return connect(Engine(memory="1GB", threads=1))


def orders_of(con: Any, name: str, customer: np.ndarray, day: np.ndarray, value: np.ndarray) -> ir.Table:
    """clean/orders as the lifetime models read it."""
    amount = pa.array(np.round(value, 2)).cast(MONEY)
    columns = {
        "order_id": pa.array(np.arange(len(day)).astype(str)), "customer_id": pa.array(customer.astype(str)),
        "ordered_on": pa.array(day.astype("datetime64[D]")), "amount": amount, "net_amount": amount,
        "is_return": pa.array(np.zeros(len(day), bool)),
    }  # fmt: skip
    return con.create_table(name, pa.table(columns), overwrite=True)


def cdnow_orders(con: Any) -> ir.Table:
    """The CDNOW sample, a tenth of the customers of early 1997; from the package `lifetimes`, which is not imported."""
    files = importlib.metadata.files("lifetimes") or []
    path = next(Path(str(file.locate())) for file in files if file.name == "CDNOW_sample.txt")
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    days = np.array([f"{row[2][:4]}-{row[2][4:6]}-{row[2][6:]}" for row in rows])
    return orders_of(con, "cdnow", np.array([row[1] for row in rows]), days, np.array([float(row[4]) for row in rows]))


@dataclass(frozen=True)
class Made:
    """A simulated shop's purchases, one row each, and everyone's first day; days are counted from START."""

    customer: np.ndarray
    time: np.ndarray  # days, with their parts
    value: np.ndarray


def season(rng: np.random.Generator, days: int, *, strength: float) -> np.ndarray:
    """How much the shop sells on each day beside the average: a yearly wave, and promotions of two weeks at random."""
    t = np.arange(days)
    wave = 1 + strength * np.sin(2 * np.pi * (t / 365.25 + rng.random()))
    for start in rng.choice(days, max(1, days // 60), replace=False):
        wave[start : start + 14] *= 1 + 2 * strength * rng.random()
    return wave


def make_shop(
    rng: np.random.Generator, model: str, *, customers: int, acquired_weeks: int, weeks: int, strength: float = 0.0
) -> Made:
    """Purchases drawn by the model's own story; `strength` breaks it by a season and promotions."""
    days = weeks * 7
    first = rng.random(customers) * acquired_weeks * 7
    r, alpha, third, fourth = TRUTH[model]
    rate = rng.gamma(r, 1 / alpha, customers) / 7
    clock = np.concatenate([[0.0], np.cumsum(season(rng, days, strength=strength) if strength else np.ones(days))])
    calendar = np.arange(days + 1.0)
    if model == "pareto_nbd":
        end = first + rng.exponential(1 / np.maximum(rng.gamma(third, 1 / fourth, customers), 1e-12)) * 7
        leaves = np.zeros(customers)
    else:
        end, leaves = np.full(customers, np.inf), rng.beta(third, fourth, customers)
    who, when = np.arange(customers), first.copy()
    found = [(who, when)]
    if model == "mbg_nbd":
        stays = rng.random(customers) >= leaves
        who, when = who[stays], when[stays]
    while len(who):
        ahead = np.interp(when, calendar, clock) + rng.exponential(1 / rate[who])
        when = np.interp(ahead, clock, calendar, right=np.inf)
        there = when < np.minimum(end[who], days)
        who, when = who[there], when[there]
        found.append((who, when))
        stays = rng.random(len(who)) >= leaves[who]
        who, when = who[stays], when[stays]
    customer, time_of = (np.concatenate([part[i] for part in found]) for i in (0, 1))
    p, q, v = TRUTH["gamma_gamma"]
    spending = rng.gamma(q, 1 / v, customers)
    return Made(customer, time_of, rng.gamma(p, 1.0, len(customer)) / spending[customer])


def shop_orders(con: Any, made: Made) -> ir.Table:
    return orders_of(con, "made", made.customer, np.datetime64(START) + made.time.astype(int), made.value)


class Outcome(NamedTuple):
    """What the intervals of one shop held."""

    parameters: tuple[bool, ...]  # of r, alpha, …: is the truth within the interval?
    expectation: bool  # is the expected total by the true parameters within the interval for the expectation?
    bought: bool  # is the real total within the interval for what is bought?
    spent: bool
    widened_bought: bool  # the same, widened by past errors
    widened_spent: bool
    each_bought: float  # share of customers whose purchases are within their own interval
    each_spent: float
    each_widened: float
    log_ratio: float  # ln actual / expected total


def one_shop(
    con: Any, rng: np.random.Generator, model: str, *, strength: float, backtest: bool, customers: int
) -> Outcome:
    """Simulate by the model's story, fit on two years, forecast 26 weeks, and look."""
    made = make_shop(rng, model, customers=customers, acquired_weeks=78, weeks=KNOWN + HORIZON, strength=strength)
    return judged(shop_orders(con, made), rng, model, start=START, truth=TRUTH[model], backtest=backtest)


def judged(
    orders: ir.Table, rng: np.random.Generator, model: str, *, start: date, truth: Sequence[float] | None,
    backtest: bool,
) -> Outcome:
    """Fit on the first weeks of a record, forecast those after, and look. Without a truth nothing is said of it."""
    as_of = start + timedelta(days=KNOWN * 7 - 1)
    until = as_of + timedelta(days=HORIZON * 7)
    history = clv.holdout(orders, None, cut_off=as_of, until=until).order_by("customer_id").to_pandas()
    fit, value_fit = clv.fit_purchases(history, model), clv.fit_value(history)
    read = ibis.Table.to_pandas
    past = clv.backtests(orders, None, as_of=as_of, horizon_weeks=HORIZON, read=read, rng=rng, model=model) \
        if backtest else pd.DataFrame(columns=["log_ratio", "own_error", "tested_weeks"])  # fmt: skip
    plain, wide = (
        clv.forecast(fit, value_fit, history, horizon_weeks=HORIZON, rng=rng, draws=200, widening=widening)
        for widening in (None, clv.widen(past, horizon_weeks=HORIZON))
    )
    bought, spent = history["actual_purchases"].to_numpy(float), history["actual_spend"].to_numpy(float)
    totals, widened = plain.totals.iloc[0], wide.totals.iloc[0]
    true = np.full(4, np.nan) if truth is None else np.array(truth)
    expected = float(clv.expected_purchases(fit._replace(values=true), history, HORIZON).sum()) if truth else np.nan
    return Outcome(
        tuple((fit.low <= true) & (true <= fit.high)),
        totals["expected_purchases_low"] <= expected <= totals["expected_purchases_high"],
        totals["purchases_low"] <= bought.sum() <= totals["purchases_high"],
        totals["spend_low"] <= spent.sum() <= totals["spend_high"],
        widened["purchases_low"] <= bought.sum() <= widened["purchases_high"],
        widened["spend_low"] <= spent.sum() <= widened["spend_high"],
        _within(bought, plain.customers, "purchases"),
        _within(spent, plain.customers, "spend"),
        _within(bought, wide.customers, "purchases"),
        float(np.log(bought.sum() / totals["expected_purchases"])),
    )


def whole_shops(*, n: int, seed: int) -> list[Outcome]:
    """Shops of the simulator with all that it has: personas, season, promotions, experiments, a crisis of service."""
    con, rng, outcomes = engine(), np.random.default_rng(seed), []
    for number in range(n):
        shop = simulate(2000, 30, seed=seed + number)
        rows = shop.tables["orders"].select(["customer_id", "ordered_on", "amount"]).to_pandas().dropna()
        columns = (rows[name].to_numpy() for name in ("customer_id", "ordered_on"))
        orders = orders_of(con, "whole", *columns, rows["amount"].to_numpy(float))
        start = shop.facts["parameters"]["start"]
        outcomes.append(judged(orders, rng, "mbg_nbd", start=start, truth=None, backtest=True))
    return outcomes


def _within(actual: np.ndarray, customers: pd.DataFrame, measure: str) -> float:
    low, high = customers[f"{measure}_low"].to_numpy(), customers[f"{measure}_high"].to_numpy()
    return float(np.mean((low <= actual) & (actual <= high)))


def shops(
    model: str, *, n: int, seed: int, strength: float = 0.0, backtest: bool = False, customers: int = 1500
) -> list[Outcome]:
    """Outcomes of n shops, one after another from one seed."""
    con, rng = engine(), np.random.default_rng(seed)
    return [one_shop(con, rng, model, strength=strength, backtest=backtest, customers=customers) for _ in range(n)]


def bounds(n: int, share: float = 0.95, chance: float = 1e-3) -> tuple[int, int]:
    """Counts of n between which a binomial variable of this share lies but for a chance of 0.001 on either side."""
    return int(binom.ppf(chance, n, share)), int(binom.ppf(1 - chance, n, share))


def parameter_lines(model: str, *, n: int, seed: int, by_day: bool) -> Iterator[str]:
    """Median estimate and coverage of each parameter: counted to the moment, as the model has it, or by day."""
    rng, names = np.random.default_rng(seed), MODELS[model].names
    truth, found, held = np.array(TRUTH[model]), [], []
    for _ in range(n):
        made = make_shop(rng, model, customers=3000, acquired_weeks=52, weeks=104)
        fit = clv.fit_purchases(counts_of(made, 104, by_day=by_day), model)
        found.append(np.log(fit.values / truth))
        held.append((fit.low <= truth) & (truth <= fit.high))
    logs, low, high = np.array(found), *bounds(n)
    for k, name in enumerate(names):
        median, inside = truth[k] * np.exp(np.median(logs[:, k])), int(np.sum(held, axis=0)[k])
        yield (
            f"    {name:6} truth {truth[k]:7.3f}  median estimate {median:7.3f}  "
            f"within its 95 % interval in {inside} of {n} shops (expected {low} to {high})"
        )


def counts_of(made: Made, weeks: int, *, by_day: bool = True) -> pd.DataFrame:
    """x, t_x, T of every customer at the end of so many weeks, without an engine.

    Purchases of one day are one, as everywhere in the workbook, unless they are counted to the moment.
    """
    end = weeks * 7 - 1 if by_day else weeks * 7
    seen = pd.DataFrame({"customer_id": made.customer, "day": np.floor(made.time) if by_day else made.time})
    seen = seen[seen["day"] <= end].drop_duplicates()
    each = seen.groupby("customer_id")["day"].agg(["min", "max", "size"])
    return pd.DataFrame(
        {"x": each["size"] - 1, "t_x": (each["max"] - each["min"]) / 7, "T": (end - each["min"]) / 7}
    ).reset_index()


def coverage_lines(title: str, outcomes: list[Outcome], *, known: bool = True) -> Iterator[str]:
    """What the intervals held; of the expectation where the truth is known."""
    n = len(outcomes)
    low, high = bounds(n)
    yield f"{title}: {n} shops; of 95 % intervals {low} to {high} should hold"
    for label, name in (
        *((("expectation of the total, parameters only", "expectation"),) if known else ()),
        ("purchases really made, plain", "bought"),
        ("money really spent, plain", "spent"),
        ("purchases really made, widened by past errors", "widened_bought"),
        ("money really spent, widened by past errors", "widened_spent"),
    ):
        yield f"    {label:48} {sum(getattr(o, name) for o in outcomes):4} of {n}"
    for label, name in (
        ("single customers, purchases, plain", "each_bought"),
        ("single customers, money, plain", "each_spent"),
        ("single customers, purchases, widened", "each_widened"),
    ):
        yield f"    {label:48} {np.mean([getattr(o, name) for o in outcomes]):6.1%} of customers"
    errors = np.array([o.log_ratio for o in outcomes])
    yield f"    error of the total: mean {errors.mean():+.3f}, standard deviation {errors.std(ddof=1):.3f} (logarithms)"


def cdnow_lines(seed: int = 1) -> Iterator[str]:
    """The holdout of CDNOW: 1,882 purchases."""
    con, read = engine(), ibis.Table.to_pandas
    orders = cdnow_orders(con)
    history = clv.holdout(orders, None, cut_off=CDNOW_AS_OF, until=CDNOW_UNTIL).order_by("customer_id").to_pandas()
    actual = int(history["actual_purchases"].sum())
    yield f"CDNOW, {CDNOW_WEEKS} weeks after {CDNOW_AS_OF}: {actual:,} purchases"
    value_fit = clv.fit_value(history)
    for model in MODELS:
        rng = np.random.default_rng(seed)
        fit = clv.fit_purchases(history, model)
        past = clv.backtests(
            orders, None, as_of=CDNOW_AS_OF, horizon_weeks=CDNOW_WEEKS, read=read, rng=rng, model=model
        )
        widening = clv.widen(past, horizon_weeks=CDNOW_WEEKS)
        for label, used in (("plain", None), (f"widened × {widening.factor:.2f}", widening)):
            found = clv.forecast(fit, value_fit, history, horizon_weeks=CDNOW_WEEKS, rng=rng, draws=1000, widening=used)
            total = found.totals.iloc[0]
            yield (
                f"    {model:10} {label:14} expected {total['expected_purchases']:7,.1f}; "
                f"expectation {_interval(total, 'expected_purchases', actual)}; "
                f"really bought {_interval(total, 'purchases', actual)}"
            )
        tests = (f"{row.cut_off} {row.log_ratio:+.3f} (own {row.own_error:.3f})" for row in past.itertuples())
        errors = ", ".join(tests)
        yield f"               past errors over {widening.tested_weeks:.1f} weeks: {errors}"


def _interval(total: pd.Series, name: str, actual: int) -> str:
    low, high = total[f"{name}_low"], total[f"{name}_high"]
    return f"{low:,.0f} to {high:,.0f} ({'holds' if low <= actual <= high else 'misses'} it)"


def whole_lines(n: int) -> Iterator[str]:
    """Shops that no model made."""
    title = "Whole shops of the simulator (season, promotions, personas, a crisis), MBG/NBD"
    return coverage_lines(title, whole_shops(n=n, seed=100), known=False)


def main(size: str = "full") -> None:
    """Print everything."""
    n, began = SIZES[size], time.perf_counter()
    for line in cdnow_lines():
        print(line)
    for model, by_day in (*((model, False) for model in MODELS), ("bg_nbd", True)):
        print(f"{model}, purchases counted {'by day, so that two of one day are one' if by_day else 'to the moment'}")
        for line in parameter_lines(model, n=n, seed=11, by_day=by_day):
            print(line, flush=True)
    for title, model, strength in STORIES:
        shops_of_this = n if title == STORIES[0][0] else n // 2
        for line in coverage_lines(title, shops(model, n=shops_of_this, seed=7, strength=strength, backtest=True)):
            print(line, flush=True)
    for line in whole_lines(n // 2):
        print(line)
    print(f"{size} size: {time.perf_counter() - began:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
