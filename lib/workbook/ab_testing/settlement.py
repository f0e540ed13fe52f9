"""What did a decision earn? The treated beside the control that was set apart before anything was sent.

In: the registered decisions (see `workbook.decisions`), their lists, clean/orders. Out: one `Settlement` a decision.

    effect     mean of the treated − mean of the control, in the window, currency a treated customer; both arms as drawn
    earned     effect × treated − cost a person × treated

Orders of the window count net of what had come back by `as_of`. What each customer brought in a window of the same
length *before* the decision is taken off (CUPED) where it tells something of the window after; the list itself keeps
it, so that nothing done since can move it. A window that is not over is settled for its days so far, and says so.

Where households were drawn whole, the intervals are those of households: each brings the sum of what its people did,
and a mean a customer is a ratio of two sums (delta method, as in `ratios`). `plain` keeps beside it the interval that
takes customers for independent, which is too narrow when those of one household buy alike.

The chance that it paid is that of an effect above the cost a person, by the same t distribution as the interval, with
nothing assumed beforehand.

Verdicts: earned, lost (the interval of what was earned lies above, below zero), not_distinguishable, not_over,
cannot_be_judged (no control, a broken one, or fewer than 30 in an arm), cancelled. A cancelled decision of which
messages are on record was carried out, and is settled like any other: none leaves the account for how it went.

Sources: R. Kohavi, D. Tang & Y. Xu, Trustworthy Online Controlled Experiments, 2020; A. Deng et al., WSDM 2013 (CUPED);
A. Deng, U. Knoblich & J. Lu, KDD 2018, section 4 (units drawn in groups).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import special

from workbook.ab_testing.cuped import WEAK
from workbook.ab_testing.effects import Arm, Effect, effect
from workbook.ab_testing.integrity import Integrity, broken, integrity
from workbook.ab_testing.members import CONTROL, TREATED, Frame, behaviour, elsewhere, everybody_else, seen_until
from workbook.decisions import Decision
from workbook.decisions.outcomes import metric_of

FEWEST = 30  # people, or households that were drawn whole, in an arm, below which the interval is not to be trusted
VERDICTS = ("earned", "lost", "not_distinguishable", "not_over", "cannot_be_judged", "cancelled")


class Naive(NamedTuple):
    """What two comparisons without the control say, currency a treated customer: not effects."""

    before_after: float  # the treated in the window, less the same people in the window before
    everybody_else: float  # the treated, less all other customers


class Settlement(NamedTuple):
    """One decision and what it did, as far as it may be said."""

    decision: Decision
    verdict: str  # one of VERDICTS
    reasons: tuple[str, ...]  # why it cannot be judged: no_control, too_few, no_orders, control_contacted, …
    days: int  # of the window that are over
    treated: int  # people who are compared
    control: int
    revenue: Effect | None  # a treated customer, before the cost of the action
    margin: Effect | None  # None where the cost of orders is not known
    cost: float  # of the action: currency
    chance_paid: float  # that the effect is above the cost a person; nan: not known
    integrity: Integrity | None  # None: the window has not begun
    naive: Naive
    plain: Effect | None = None  # of `main`, as if customers had been drawn one by one
    households: int = 0  # that are compared; 0: nothing is
    elsewhere: tuple[int, int] = (0, 0)  # of the treated, of the control: whom another action reached in the window

    @property
    def status(self) -> str:
        """running, settled, refused or cancelled: as the table `settlements` keeps it."""
        return {"not_over": "running", "cannot_be_judged": "refused", "cancelled": "cancelled"}.get(
            self.verdict, "settled")

    @property
    def main(self) -> Effect | None:
        """The effect by which it is judged."""
        return self.margin if self.decision.metric == "margin" and self.margin is not None else self.revenue

    @property
    def earned(self) -> tuple[float, float, float]:
        """What it earned after its cost, with the interval: currency, all treated together."""
        return tuple(part - self.cost for part in in_total(self.main))  # type: ignore[return-value]


def in_total(found: Effect | None) -> tuple[float, float, float]:
    """An effect of all treated together, with its interval; nan where it is not known."""
    if found is None:
        return math.nan, math.nan, math.nan
    return found.difference * found.n, found.low * found.n, found.high * found.n


def settle(
    registered: Sequence[Decision], members: Callable[[str], pd.DataFrame], orders: ir.Table, *, as_of: date,
    frame: Frame, returns: ir.Table | None = None, contacts: ir.Table | None = None, identities: ir.Table | None = None,
    customers: ir.Table | None = None,
) -> list[Settlement]:  # fmt: skip
    """Every decision known at `as_of`, oldest first.

    Args:
        registered: only decisions of lists that were known at `as_of`.
        members: a decision's id → its list: customer_id, arm, before.
        frame: brings a table of customers into pandas (`run.frame`).
    """
    busy = elsewhere(registered, members, as_of=as_of)
    people = behaviour(registered, members, orders, as_of=as_of, frame=frame, returns=returns, contacts=contacts,
                       identities=identities, customers=customers)
    others = everybody_else(registered, people, orders, as_of=as_of, returns=returns).set_index("decision_id")
    has_cost = metric_of(orders) == "margin"
    return [_settled(one, people[people["decision_id"] == one.id], others, as_of=as_of, has_cost=has_cost,
                     contacts_known=contacts is not None)._replace(elsewhere=busy[one.id])
            for one in registered]


def _settled(decision: Decision, people: pd.DataFrame, others: pd.DataFrame, *, as_of: date, has_cost: bool,
             contacts_known: bool) -> Settlement:
    if decision.starts_on > as_of or (decision.cancelled and not people["contacted"].any()):
        return _without_figures(decision)
    found = integrity(decision, people, contacts_known=contacts_known)
    compared = people[people["arms"] == 1]
    revenue = compare(compared, "revenue")
    margin = compare(compared, "margin") if has_cost else None
    main = margin if decision.metric == "margin" and margin is not None else revenue
    singly = compared.assign(household=compared["customer_id"])
    homes = compared.groupby("arm")["household"].nunique()
    cost = decision.cost_per_person * decision.treated
    reasons = (*_too_little(main, homes.min()), *broken(found, decision))
    return Settlement(
        decision, verdict_of(main, reasons, cost=cost, is_over=decision.ripe_on(as_of)), reasons,
        (seen_until(decision, as_of=as_of) - decision.starts_on).days + 1,
        int((compared["arm"] == TREATED).sum()), int((compared["arm"] == CONTROL).sum()), revenue, margin, cost,
        chance_above(main, decision.cost_per_person), found, _naive(decision, compared, others, has_cost=has_cost),
        compare(singly, main.metric) if main is not None else None, int(homes.sum()),
    )


def _without_figures(decision: Decision) -> Settlement:
    verdict = "cancelled" if decision.cancelled else "not_over"
    cost = 0.0 if decision.cancelled else decision.cost
    return Settlement(decision, verdict, (), 0, 0, 0, None, None, cost, math.nan, None, Naive(math.nan, math.nan))


def compare(people: pd.DataFrame, metric: str) -> Effect | None:
    """Treated beside control; None where an arm has fewer than two households.

    Args:
        people: arm, household, before, and the metric; one row a person.
    """
    values, method = _without_the_past(people[metric].to_numpy(float), people["before"].to_numpy(float))
    inside = {arm: people["arm"].to_numpy() == arm for arm in (CONTROL, TREATED)}
    homes = {arm: pd.factorize(people["household"][mask])[0] for arm, mask in inside.items()}
    if min(len(np.unique(home)) for home in homes.values()) < 2:
        return None
    control, treated = (_mean(values[inside[arm]], home) for arm, home in homes.items())
    found = effect(control, treated, metric=metric, name=TREATED, method=method)
    return found._replace(n_control=len(homes[CONTROL]), n=len(homes[TREATED]))


def _mean(values: np.ndarray, home: np.ndarray) -> Arm:
    """The mean a customer and, by the delta method, the variance of one household's part in it.

    Args:
        home: the number of each customer's household, from 0 on.
    """
    total, size = np.bincount(home, values), np.bincount(home)
    mean = values.mean()
    return Arm(float(mean), float((total - mean * size).var(ddof=1) / size.mean() ** 2), len(size))


def _without_the_past(values: np.ndarray, before: np.ndarray) -> tuple[np.ndarray, str]:
    """The values less what the window before explains of them, where that is worth taking off."""
    if len(values) < FEWEST or np.isnan(before).any() or not (np.ptp(before) > 0 and np.ptp(values) > 0):
        return values, "welch"
    together = np.cov(values, before)
    if together[0, 1] ** 2 < WEAK * together[0, 0] * together[1, 1]:
        return values, "welch"
    return values - together[0, 1] / together[1, 1] * (before - before.mean()), "cuped"


def _too_little(found: Effect | None, homes: int) -> tuple[str, ...]:
    if found is None:
        return ("no_control",)
    if homes < FEWEST:
        return ("too_few",)
    return ("no_orders",) if math.isnan(found.low) else ()


def verdict_of(found: Effect | None, reasons: Sequence[str], *, cost: float, is_over: bool) -> str:
    """What may be said of a decision."""
    if not is_over:
        return "not_over"
    if reasons or found is None:
        return "cannot_be_judged"
    low, high = found.low * found.n - cost, found.high * found.n - cost
    return "earned" if low > 0 else "lost" if high < 0 else "not_distinguishable"


def chance_above(found: Effect | None, threshold: float) -> float:
    """The chance that the effect lies above a threshold, such as the cost a person."""
    if found is None or not found.std_error > 0:
        return math.nan
    return float(special.stdtr(found.df, (found.difference - threshold) / found.std_error))


def _naive(decision: Decision, people: pd.DataFrame, others: pd.DataFrame, *, has_cost: bool) -> Naive:
    """The two comparisons that need no control."""
    metric = "margin" if decision.metric == "margin" and has_cost else "revenue"
    treated = people[people["arm"] == TREATED]
    if not len(treated):
        return Naive(math.nan, math.nan)
    mean, earlier = float(treated[metric].mean()), float(treated[f"earlier_{metric}"].mean())
    if decision.id not in others.index:
        return Naive(mean - earlier, math.nan)
    rest = others.loc[decision.id]
    return Naive(mean - earlier, mean - float(rest[metric] / rest["customers"]))
