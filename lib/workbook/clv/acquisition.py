"""What customers cost to win, what they bring at equal age, and when their cost has come back.

Groups of customers are compared at equal age only: an old group had more time to buy than a young one. At an age of
m months stand the customers who first bought at least m months ago, with what each brought up to that age; the curve
ends where fewer than `FEWEST` are that old. A month is 30.4375 days. Costs are shared by those who first bought in
the quarter of the spending; registrations without a purchase win nobody.

In: clean/orders, clean/customers, clean/channel_costs, clean/referrals; out: tables by channel or by quarter.

Source: P. D. Berger & N. I. Nasr, Customer lifetime value: marketing models and applications, 1998 (acquisition cost
apart from what comes after it).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Literal, NamedTuple

import ibis
import ibis.expr.types as ir
import pandas as pd

from workbook.clv.value import MONEY, Basis, with_value
from workbook.data.engine import few_rows
from workbook.scoring import Z

MONTH_DAYS = 30.4375
AGES = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 18, 21, 24)  # months since the first purchase
FEWEST = 30  # customers of an age below which a group is not shown at it
By = Literal["channel", "cohort"]


def people(values: ir.Table, customers: ir.Table) -> ir.Table:
    """Customers with the channel that brought them and the quarter of their first purchase.

    Args:
        values: one row per customer who bought: customer_id, first_ordered_on, …
        customers: clean/customers: customer_id, acquisition_channel, acquisition_cost.

    Returns:
        the columns of `values`; channel (blank where nobody knows), cohort (first day of the quarter), own_cost
        (currency; what winning this very customer cost, where recorded).
    """
    known = customers.group_by(known_id="customer_id").aggregate(
        channel=customers.acquisition_channel.max(), own_cost=customers.acquisition_cost.max()
    )
    joined = values.left_join(known, values.customer_id == known.known_id).drop("known_id")
    return joined.mutate(cohort=joined.first_ordered_on.truncate("Q").cast("date"))


def costs(people: ir.Table, spending: ir.Table | None, *, as_of: date) -> pd.DataFrame:
    """What each channel cost in each quarter: channel, cohort, customers, cost (currency; blank where unknown).

    Args:
        people: of `people`.
        spending: clean/channel_costs: channel, spent_on, cost. It comes first; costs recorded with the customers fill
            in for channels without any.
    """
    told = people.filter(people.channel.notnull())
    told = told.group_by("channel", "cohort").aggregate(
        customers=told.count(), own=told.own_cost.sum(), recorded=told.own_cost.count()
    )
    won = pd.DataFrame(few_rows(told), columns=["channel", "cohort", "customers", "own", "recorded"])
    spent = pd.DataFrame(_spent(spending, as_of), columns=["channel", "cohort", "spent"])
    both = won.merge(spent, on=["channel", "cohort"], how="outer")
    both["customers"] = both["customers"].fillna(0).astype("int64")
    own = both["own"].where(both["recorded"] == both["customers"])
    listed = both["channel"].isin(set(spent["channel"]))
    both["cost"] = own.astype(float).where(~listed, both["spent"].astype(float).fillna(0.0))
    return both.sort_values(["channel", "cohort"], ignore_index=True)[["channel", "cohort", "customers", "cost"]]


def _spent(spending: ir.Table | None, as_of: date) -> list[dict[str, object]]:
    if spending is None:
        return []
    seen = spending.filter(spending.spent_on <= as_of)
    quarter = seen.spent_on.truncate("Q").cast("date")
    return few_rows(seen.group_by("channel", cohort=quarter).aggregate(spent=seen.cost.sum()))


def by_age(
    orders: ir.Table, people: ir.Table, *, as_of: date, rule: Basis, by: By | str, ages: Sequence[int] = AGES
) -> pd.DataFrame:
    """Mean value per customer up to each age, of the customers of each group who have reached it.

    Args:
        orders: clean/orders.
        people: customer_id, first_ordered_on and the column `by`.

    Returns:
        group, age_months, customers, value, low, high (currency per customer; 95 % interval of the mean), in order.
    """
    sold = with_value(orders, rule)
    sold = sold.filter(sold.ordered_on <= as_of).select(buyer="customer_id", day="ordered_on", value="value")
    named = people.filter(people[by].notnull()).select("customer_id", "first_ordered_on", group=by)
    joined = named.inner_join(sold, named.customer_id == sold.buyer)
    age, limits = joined.day.delta(joined.first_ordered_on, unit="day"), {m: round(m * MONTH_DAYS) for m in ages}
    each = joined.group_by("group", "customer_id", "first_ordered_on").aggregate(
        **{f"up_to_{m}": joined.value.sum(where=age <= days).coalesce(0) for m, days in limits.items()}
    )
    tenure = ibis.literal(as_of).delta(each.first_ordered_on, unit="day")
    sums = {}
    for m, days in limits.items():
        brought, old = each[f"up_to_{m}"], tenure >= days
        sums |= {
            f"n_{m}": each.count(where=old),
            f"sum_{m}": brought.sum(where=old),
            f"square_{m}": (brought.cast("float64") ** 2).round(4).cast("decimal(30, 4)").sum(where=old),
        }
    rows = few_rows(each.group_by("group").aggregate(**sums).order_by("group"))
    found = [_mean(row["group"], m, *(row[f"{name}_{m}"] for name in ("n", "sum", "square"))) for row in rows
             for m in ages]
    return pd.DataFrame([row for row in found if row.customers >= FEWEST], columns=list(AtAge._fields))


class AtAge(NamedTuple):
    """What a group's customers had brought at an age."""

    group: str
    age_months: int
    customers: int  # who have reached that age
    value: float  # currency, mean per customer
    low: float  # 95 % interval of the mean
    high: float


def _mean(group: str, age: int, n: int, total: float | None, squares: float | None) -> AtAge:
    if n < 2:
        return AtAge(group, age, n, math.nan, math.nan, math.nan)
    mean = float(total or 0) / n
    spread = max(0.0, (float(squares or 0) - n * mean * mean) / (n - 1))
    half = Z * math.sqrt(spread / n)
    return AtAge(group, age, n, mean, mean - half, mean + half)


class Payback(NamedTuple):
    """When a group's cost has come back."""

    group: str
    customers: int
    cost: float  # currency, all
    cost_per_customer: float
    months: float  # first age at which the mean value covers the cost; blank where it has not yet
    months_low: float  # at the earliest: by the upper end of the interval
    months_high: float  # surely: by the lower end
    oldest: int  # last age seen, in months


def payback(ages: pd.DataFrame, costs: pd.DataFrame, *, by: By | str = "channel") -> pd.DataFrame:
    """The age at which the mean value per customer covers what one customer cost.

    Args:
        ages: of `by_age`, by the same groups.
        costs: of `costs`; groups without a known cost or without customers are left out.
    """
    known = costs[costs["cost"].notna()].groupby(by, as_index=False)[["customers", "cost"]].sum()
    rows = []
    for group, customers, cost in known[[by, "customers", "cost"]].itertuples(index=False):
        seen = ages[ages["group"] == group]
        if customers < FEWEST or not len(seen):
            continue
        each = cost / customers
        firsts = [_first(seen, column, each) for column in ("value", "high", "low")]
        rows.append(Payback(group, int(customers), float(cost), each, *firsts, int(seen["age_months"].max())))
    return pd.DataFrame(rows, columns=list(Payback._fields))


def _first(seen: pd.DataFrame, column: str, cost: float) -> float:
    covered = seen.loc[seen[column] >= cost, "age_months"]
    return float(covered.min()) if len(covered) else math.nan


def recommended(people: ir.Table, referrals: ir.Table | None, *, as_of: date) -> ir.Table:
    """Customers with `group`: `referred`, or `others`; blank where no source tells of recommendations."""
    if referrals is None:
        return people.mutate(group=ibis.null("string"))
    seen = referrals.filter(referrals.referred_on.isnull() | (referrals.referred_on <= as_of))
    came = seen.select(came_id="referred_id").distinct()
    joined = people.left_join(came, people.customer_id == came.came_id)
    return joined.mutate(group=ibis.ifelse(joined.came_id.notnull(), "referred", "others")).drop("came_id")


class Referrals(NamedTuple):
    """What recommendations brought, counted apart: it is part of the referred customers' own value."""

    referrers: int
    referred: int  # people who came
    bought: int  # of these, who have bought
    value_to_date: float  # currency, of those who bought
    reward: float  # currency paid to the referrers


def brought(referrals: ir.Table, values: ir.Table, *, as_of: date) -> ir.Table:
    """One row per referrer: customer_id, referred, referred_buyers, value_brought, reward (both in currency).

    Args:
        referrals: clean/referrals: referrer_id, referred_id, referred_on, reward.
        values: customer_id, value_to_date.
    """
    seen = referrals.filter(referrals.referred_on.isnull() | (referrals.referred_on <= as_of))
    once = seen.group_by("referred_id").aggregate(referrer_id=seen.referrer_id.min(), reward=seen.reward.sum())
    buyers = values.select(buyer="customer_id", value="value_to_date")
    joined = once.left_join(buyers, once.referred_id == buyers.buyer)
    return joined.group_by(customer_id="referrer_id").aggregate(
        referred=joined.count(),
        referred_buyers=joined.buyer.count(),
        value_brought=joined.value.sum().coalesce(0).cast(MONEY),
        reward=joined.reward.sum().coalesce(0).cast(MONEY),
    )


def referral_totals(referrers: ir.Table) -> Referrals:
    """All referrers together."""
    row = few_rows(
        referrers.aggregate(
            referrers=referrers.count(),
            referred=referrers.referred.sum().coalesce(0),
            bought=referrers.referred_buyers.sum().coalesce(0),
            value_to_date=referrers.value_brought.sum().coalesce(0),
            reward=referrers.reward.sum().coalesce(0),
        )
    )[0]
    return Referrals(**row | {name: float(row[name]) for name in ("value_to_date", "reward")})
