"""May we look every day? A result that is valid at every look, and the day on which it could have been stopped.

In: subjects and orders. `daily_looks`: what was known of each arm at the end of each day, computed in the engine.
`sequence`: for each look the difference with an always-valid interval beside the one that a single look would have.

A fixed-horizon test that is looked at daily calls one experiment in four a success though nothing works. The normal
mixture of Robbins bounds the whole path instead: the sum process S with variance V leaves ± sqrt((V + ρ)(log((V + ρ) /
ρ) + 2 log(1/α))) on any day at all with probability α at most. Here S is n × difference and V its estimated variance
(an asymptotic confidence sequence), so that customers who arrive and outcomes that grow are one clock. Where what a
customer does on different days goes together, the path moves less than the bound allows (Slepian), and errors are rarer
than α; the price of looking is an interval that is wider by somewhat more than half on the last day.
First purchases go the other way, a little: tests/evidence/ab_testing.txt shows errors far below α for them as well.

ρ decides where the interval is narrowest: `tuning` sets it for the planned end. It must not come from the outcomes by
arm; it is set from the customers assigned and the spread of the same figure before the experiment, else of all arms
together at the first look that has enough. Looks before 25 customers with a value in each arm are not judged: the
normal approximation does not hold there.

Sources: H. Robbins, Annals of Mathematical Statistics 41, 1970; S. R. Howard, A. Ramdas, J. McAuliffe & J. Sekhon,
Time-uniform, nonparametric, nonasymptotic confidence sequences, Annals of Statistics 49, 2021 (tuning: section 3.5);
I. Waudby-Smith, D. Arbour, R. Sinha, E. H. Kennedy & A. Ramdas, Time-uniform central limit theory, 2021; R. Johari,
P. Koomen, L. Pekelis & D. Walsh, Peeking at A/B tests, KDD 2017; P. Armitage, C. K. McPherson & B. C. Rowe, JRSS A 132,
1969 (repeated looks).
"""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import scipy.special
import scipy.stats

from workbook.ab_testing.effects import ALPHA
from workbook.ab_testing.experiments import of_one_arm
from workbook.data.engine import few_rows
from workbook.history import OrderMetric, is_purchase, known_on, order_worth

FEWEST = 25  # customers of each arm with a value other than 0
LONGEST = 400  # looks


class Stop(NamedTuple):
    """When the experiment could have been stopped, and why."""

    arm: str
    code: str  # effect_up, effect_down, too_small (cannot reach what is worthwhile), not_yet
    day: int | None  # of the experiment, from 1
    on: date | None
    day_peeking: int | None  # first day on which a daily look at the fixed-horizon test would have cried success


def daily_looks(
    people: ir.Table, orders: ir.Table, metric: OrderMetric, *, as_of: date, days: int, returns: ir.Table | None = None
) -> pd.DataFrame:
    """Customers, mean and variance of each arm at the end of each day of the experiment.

    A customer's value is what they did since their assignment, for `days` days at most; the last look is the day on
    which the last window ends, or `as_of`.

    Returns:
        day (from 1), on (date), arm, n (assigned so far), mean, variance (per customer), some (customers with a value).
    """
    steps = _steps(people, orders, metric, as_of=as_of, days=days, returns=returns)
    changes = pd.DataFrame(few_rows(steps, limit=LONGEST * 100), columns=["arm", "on", "total", "squares", "some"])
    inside = of_one_arm(people)
    arrivals = pd.DataFrame(
        few_rows(inside.group_by("arm", on=inside.assigned_on).aggregate(n=inside.count()), limit=LONGEST * 100),
        columns=["arm", "on", "n"])
    columns = ["day", "on", "arm", "n", "mean", "variance", "some"]
    if not len(arrivals):
        return pd.DataFrame(columns=columns)
    first = min(arrivals["on"])
    last = min(max(arrivals["on"]) + timedelta(days=days - 1), as_of, first + timedelta(days=LONGEST - 1))
    calendar = [first + timedelta(days=day) for day in range((last - first).days + 1)]
    parts = [_looks_of(arm, changes, arrivals, calendar) for arm in sorted(set(arrivals["arm"]))]
    return pd.concat(parts, ignore_index=True)[columns]


def sequence(
    looks: pd.DataFrame, *, control: str, alpha: float = ALPHA, prior_variance: float | None = None,
    planned_days: int | None = None,
) -> pd.DataFrame:
    """Each arm's difference from control at each look, with both kinds of interval.

    Args:
        looks: of `daily_looks`.
        prior_variance: of a customer's value over the whole window, from before the experiment; it sets the tuning.
        planned_days: looks until the planned end; the looks given when left out.

    Returns:
        day, on, arm, n_control, n, difference, low, high (always valid), p_value (always valid: it never rises),
        fixed_low, fixed_high, fixed_p (what a single look would say), enough (judged at all), excludes_zero. Before
        there is enough, the intervals are blank.
    """
    base = looks[looks["arm"] == control].set_index("day")
    parts = [_against(base, part.set_index("day"), str(arm), alpha, prior_variance, planned_days)
             for arm, part in looks[looks["arm"] != control].groupby("arm")]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=_SEQUENCE)


def stopping(sequence: pd.DataFrame, *, worthwhile: float = 0.0) -> tuple[Stop, ...]:
    """For each arm the first day on which it could have been stopped.

    Args:
        worthwhile: difference below which the change is not worth having; above 0, an interval that lies below it
            stops the experiment as well.
    """
    return tuple(_stop(str(arm), part, worthwhile) for arm, part in sequence.groupby("arm"))


def half_width(time: np.ndarray, rho: float, alpha: float = ALPHA) -> np.ndarray:
    """The bound on |S| / sqrt(V) at V = `time`, valid at all times together.

    >>> round(float(half_width(np.array([1.0]), 0.12)[0]), 2)
    3.04
    """
    time = np.asarray(time, float)
    return np.sqrt((1 + rho / time) * (np.log1p(time / rho) + 2 * math.log(1 / alpha)))


def tuning(planned_time: float, alpha: float = ALPHA) -> float:
    """The ρ for which the interval is narrowest at V = `planned_time`.

    >>> round(tuning(1.0), 3)
    0.122
    """
    return planned_time / float(-scipy.special.lambertw(-(alpha**2) / math.e, -1).real - 1)


def peeking_error(
    looks: int, *, rng: np.random.Generator, alpha: float = ALPHA, repeats: int = 20_000
) -> float:
    """How often an experiment without any effect looks significant at one of so many equally spaced looks."""
    paths = np.cumsum(rng.standard_normal((repeats, looks)), axis=1) / np.sqrt(np.arange(1, looks + 1))
    return float((np.abs(paths).max(axis=1) > scipy.stats.norm.isf(alpha / 2)).mean())


_SEQUENCE = ["day", "on", "arm", "n_control", "n", "difference", "low", "high", "p_value", "fixed_low", "fixed_high",
             "fixed_p", "enough", "excludes_zero"]  # fmt: skip


def _against(
    base: pd.DataFrame, part: pd.DataFrame, arm: str, alpha: float, prior_variance: float | None, planned: int | None
) -> pd.DataFrame:
    both = base.merge(part, left_index=True, right_index=True, suffixes=("_control", ""))
    error2 = (both["variance_control"] / both["n_control"] + both["variance"] / both["n"]).to_numpy()
    enough = ((both["some_control"] >= FEWEST) & (both["some"] >= FEWEST)).to_numpy() & (error2 > 0)
    difference = (both["mean"] - both["mean_control"]).to_numpy()
    found = pd.DataFrame({"day": both.index, "on": both["on"].to_numpy(), "arm": arm,
                          "n_control": both["n_control"].to_numpy(), "n": both["n"].to_numpy(),
                          "difference": difference})
    customers = (both["n_control"] + both["n"]).to_numpy(float)
    error = np.sqrt(np.where(enough, error2, np.nan))
    z = difference / error
    time = (customers * error) ** 2
    rho = tuning(_planned_time(both, time, enough, prior_variance, planned), alpha)
    bound = half_width(time, rho, alpha) * error
    fixed = scipy.stats.norm.isf(alpha / 2) * error
    found["low"], found["high"] = difference - bound, difference + bound
    found["p_value"] = np.fmin.accumulate(_p_values(z, time, rho))
    found["fixed_low"], found["fixed_high"] = difference - fixed, difference + fixed
    found["fixed_p"] = 2 * scipy.stats.norm.sf(np.abs(z))
    found["enough"] = enough
    found["excludes_zero"] = enough & (np.abs(difference) > bound)
    return found[_SEQUENCE]


def _p_values(z: np.ndarray, time: np.ndarray, rho: float) -> np.ndarray:
    """The smallest alpha at which the bound would have been crossed at that look: 1 / the mixture likelihood ratio."""
    log_ratio = z**2 / (2 * (1 + rho / time)) - np.log1p(time / rho) / 2
    return np.minimum(np.exp(-log_ratio), 1.0)


def _planned_time(
    both: pd.DataFrame, time: np.ndarray, enough: np.ndarray, prior_variance: float | None, planned: int | None
) -> float:
    """V at the planned end, from nothing that tells the arms apart."""
    last = both.iloc[-1]
    customers = last["n_control"] + last["n"]
    share = last["n"] / customers
    if prior_variance:
        return customers * prior_variance / (share * (1 - share))
    if not enough.any():
        return 1.0
    first = int(np.argmax(enough))  # the first look that is judged; V grows with the days and the customers
    return float(time[first] * max(planned or 0, len(both)) / (first + 1))


def _stop(arm: str, part: pd.DataFrame, worthwhile: float) -> Stop:
    part = part[part["enough"]]
    up, down = part["low"] > 0, part["high"] < 0
    small = (part["high"] < worthwhile) & ~down if worthwhile > 0 else np.zeros(len(part), bool)
    naive = part.loc[(part["fixed_p"] < ALPHA), "day"]
    peeking = int(naive.iloc[0]) if len(naive) else None
    stops = np.flatnonzero(up | down | small)
    if not len(stops):
        return Stop(arm, "not_yet", None, None, peeking)
    row = part.iloc[stops[0]]
    code = "effect_up" if row["low"] > 0 else "effect_down" if row["high"] < 0 else "too_small"
    return Stop(arm, code, int(row["day"]), row["on"], peeking)


def _looks_of(arm: str, changes: pd.DataFrame, arrivals: pd.DataFrame, calendar: list[date]) -> pd.DataFrame:
    mine = changes[changes["arm"] == arm].set_index("on")[["total", "squares", "some"]].astype(float)
    come = arrivals[arrivals["arm"] == arm].set_index("on")["n"]
    sums = mine.reindex(calendar).fillna(0.0).cumsum()
    n = come.reindex(calendar).fillna(0).cumsum().to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):  # days before the arm's first customer: blank
        mean = sums["total"].to_numpy() / n
        variance = np.where(n > 1, (sums["squares"].to_numpy() - n * mean**2) / (n - 1), np.nan)
    return pd.DataFrame({
        "day": range(1, len(calendar) + 1), "on": calendar, "arm": arm, "n": n.astype(int), "mean": mean,
        "variance": np.maximum(variance, 0.0), "some": sums["some"].round().astype(int).to_numpy(),
    })


def _steps(
    people: ir.Table, orders: ir.Table, metric: OrderMetric, *, as_of: date, days: int, returns: ir.Table | None
) -> ir.Table:
    """By arm and day: how much sum, sum of squares and number of customers with a value rise."""
    inside = of_one_arm(people)
    known = known_on(orders, returns, day=as_of)
    bought = known.filter(known.customer_id.notnull(), is_purchase(known))
    bought = bought.select("customer_id", "ordered_at", "ordered_on", worth=order_worth(bought, metric))
    done = inside.inner_join(bought, "customer_id")
    done = done.filter(done.ordered_at >= done.assigned_at,
                       done.ordered_on.delta(done.assigned_on, unit="day") < days)
    daily = done.group_by("customer_id", "arm", on="ordered_on").aggregate(worth=done.worth.sum())
    path = ibis.window(group_by="customer_id", order_by="on", preceding=None, following=0)
    after = daily.worth.sum().over(path)
    path_of = daily.mutate(after=after, place=ibis.row_number().over(path))
    if metric == "bought":
        firsts = path_of.filter(path_of.place == 0)
        return firsts.group_by("arm", "on").aggregate(
            total=firsts.count().cast("float64"), squares=firsts.count().cast("float64"), some=firsts.count())
    before = path_of.after - path_of.worth
    return path_of.group_by("arm", "on").aggregate(
        total=path_of.worth.sum(), squares=(path_of.after**2 - before**2).sum(),
        some=(path_of.place == 0).cast("int64").sum())
