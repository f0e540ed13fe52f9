"""Who pays late: open invoices by age, how debts grow older from month to month, and what to trust whom with.

One row a payment due goes in (`clean/payments`: customer_id, payment_id, due_on, paid_at, amount, status); clean tables
hold what was due up to the report date. An invoice is late when it is paid, or still open, more than `GRACE` days after
the day on which it was due.

Out come: the open invoices by age; roll rates (of the invoices open and so old at the end of a month, the share still
open a month later); and one row a customer with invoices, the share expected to be late (beta-binomial over all
customers, so that one late invoice accuses nobody), the probability that more than `OFTEN` are, and a suggested limit.

The limit is a rule of thumb that the page calls assumed: `LIMIT_MONTHS` months of what the customer was billed in the
last year, times the share expected to be paid in time; nothing while an invoice is more than 90 days overdue; no limit
is suggested on fewer than `FEWEST_INVOICES` invoices.

Source for ageing and roll rates: R. Anderson, The Credit Scoring Toolkit, 2007.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import reduce
from itertools import pairwise
from operator import add
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.churn.shrinkage import beta_prior
from workbook.data.engine import few_rows
from workbook.scoring import wilson

AGES = {"1-30": (1, 30), "31-60": (31, 60), "61-90": (61, 90), "over_90": (91, None)}  # days overdue
GRACE = 7  # days after the due day within which nobody is called late
OFTEN = 1 / 3  # of the invoices: who pays more than this share late is called a late payer
SURE = 0.9  # probability from which the page says so
FEWEST_INVOICES = 5  # below it no limit is suggested
FEWEST_PAYERS = 20  # customers with invoices below which nothing is said about single ones
LIMIT_MONTHS = 2


def invoices(payments: ir.Table, *, zone: ZoneInfo) -> ir.Table:
    """Every invoice: customer_id, payment_id, amount (currency), due_on, paid_on (shop's day; blank while open)."""
    if "is_duplicate" in payments.columns:
        payments = payments.filter(~payments.is_duplicate.coalesce(False))
    owed = payments.filter(payments.customer_id.notnull(), payments.due_on.notnull(), payments.amount > 0)
    owed = owed.filter(owed.status.coalesce("open") != "refunded")
    paid_on = (owed.paid_at + _ahead(zone)).date()
    return owed.select("customer_id", "payment_id", "amount", "due_on", paid_on=paid_on)


def _ahead(zone: ZoneInfo) -> ir.IntervalScalar:
    """How far the shop's clock is ahead of UTC, in winter: a payment of the last hour may move by a day."""
    offset = datetime.combine(date(2026, 1, 15), time(12), zone).utcoffset() or timedelta()
    return ibis.interval(seconds=int(offset.total_seconds()))


def ageing(owed: ir.Table, *, as_of: date) -> pd.DataFrame:
    """Open invoices by age on that day, youngest first: age (code), invoices, customers, amount (currency), share."""
    still = owed.filter(_open(owed, as_of)).mutate(age=_age(owed, as_of)).filter(lambda t: t.age.notnull())
    counted = still.group_by("age").aggregate(
        invoices=still.count(), customers=still.customer_id.nunique(), amount=still.amount.sum().cast("float64")
    )
    rows = pd.DataFrame(few_rows(counted), columns=["age", "invoices", "customers", "amount"]).set_index("age")
    rows = rows.reindex(list(AGES)).fillna(0).reset_index()
    rows = rows.astype({"invoices": int, "customers": int, "amount": float})
    return rows.assign(share=rows["amount"] / (rows["amount"].sum() or np.nan))


def _open(owed: ir.Table, day: date) -> ir.BooleanValue:
    return (owed.due_on < ibis.literal(day)) & (owed.paid_on.isnull() | (owed.paid_on > ibis.literal(day)))


def _overdue(owed: ir.Table, day: date) -> ir.IntegerValue:
    return ibis.literal(day).delta(owed.due_on, unit="day")


def _age(owed: ir.Table, day: date) -> ir.StringValue:
    late = _overdue(owed, day)
    edges = [(late.between(low, high or 10**6), name) for name, (low, high) in AGES.items()]
    return ibis.cases(*edges, else_=ibis.null("string"))


def month_ends(as_of: date, months: int) -> tuple[date, ...]:
    """The report date and the ends of the months before it, oldest first.

    >>> [str(day) for day in month_ends(date(2026, 3, 31), 2)]
    ['2026-01-31', '2026-02-28', '2026-03-31']
    """
    ends = [as_of]
    first = as_of.replace(day=1)
    for _number in range(months):
        last = first - timedelta(days=1)
        ends.append(last)
        first = last.replace(day=1)
    return tuple(reversed(ends)) if as_of.day == monthrange(as_of.year, as_of.month)[1] else tuple(reversed(ends[1:]))


def roll_rates(owed: ir.Table, *, days: Sequence[date]) -> pd.DataFrame:
    """Of the invoices that were open and so old on a month's end, the share still open on the next, all months pooled.

    Counted in one pass. An invoice is counted once a month for which it is open, and intervals take these as
    independent: they are a little too narrow where one customer has many.

    Returns:
        age, invoices (invoice-months), rolled, share, low, high (Wilson), youngest first.
    """
    pairs = list(pairwise(days))
    sums = {}
    for i, (low, high) in enumerate(AGES.values()):
        there = [_open(owed, day) & _overdue(owed, day).between(low, high or 10**6) for day, _after in pairs]
        rolled = [was & _open(owed, after) for was, (_day, after) in zip(there, pairs, strict=True)]
        sums |= {f"there_{i}": _sum(there), f"rolled_{i}": _sum(rolled)}
    counted = few_rows(owed.aggregate(**sums))[0]
    rows = [
        (name, int(counted[f"there_{i}"] or 0), int(counted[f"rolled_{i}"] or 0)) for i, name in enumerate(AGES)
    ]
    return pd.DataFrame(
        [{"age": name, "invoices": n, "rolled": k, **wilson(k, n)._asdict()} for name, n, k in rows]
    ).rename(columns={"value": "share"})


def _sum(conditions: Sequence[ir.BooleanValue]) -> ir.IntegerValue:
    return reduce(add, (condition.fill_null(False).cast("int64") for condition in conditions)).sum()


def payers(owed: ir.Table, *, as_of: date, grace: int = GRACE) -> ir.Table:
    """One row a customer with an invoice that has had its `grace` days.

    Returns:
        customer_id, invoices (of those), late, mean_delay_days (of the paid ones), open_amount (overdue, currency),
        overdue_days (of the oldest open one), billed_12m (currency).
    """
    ripe = (owed.due_on <= ibis.literal(as_of - timedelta(days=grace))).fill_null(False)
    late = (owed.paid_on.isnull() | (_days(owed.paid_on, owed.due_on) > grace)) & ripe
    still = _open(owed, as_of)
    year = owed.due_on > ibis.literal(as_of - timedelta(days=365))
    counted = owed.group_by("customer_id").aggregate(
        invoices=ripe.cast("int64").sum(), late=late.cast("int64").sum(),
        mean_delay_days=_days(owed.paid_on, owed.due_on).cast("float64").mean(),
        open_amount=owed.amount.sum(where=still).coalesce(0).cast("float64"),
        overdue_days=_overdue(owed, as_of).max(where=still).coalesce(0),
        billed_12m=owed.amount.sum(where=year).coalesce(0).cast("float64"),
    )
    return counted.filter(counted.invoices > 0).order_by("customer_id")


def _days(later: ir.DateValue, earlier: ir.DateValue) -> ir.IntegerValue:
    return later.delta(earlier, unit="day")


def judge_payers(rows: pd.DataFrame) -> pd.DataFrame:
    """`payers` with late_expected (share), late_probability (that more than `OFTEN` are late), is_late, limit.

    limit is in currency, blank on fewer than `FEWEST_INVOICES` invoices. With fewer than `FEWEST_PAYERS` customers
    nobody is judged: the columns are blank, and nobody is late.
    """
    if len(rows) < FEWEST_PAYERS:
        return rows.assign(late_expected=np.nan, late_probability=np.nan, is_late=False, limit=np.nan)
    late, n = rows["late"].to_numpy(float), rows["invoices"].to_numpy(float)
    prior = beta_prior(late, n)
    expected, sure = prior.expected(late, n), prior.above(OFTEN, late, n)
    limit = LIMIT_MONTHS / 12 * rows["billed_12m"] * (1 - expected)
    limit = limit.where(rows["overdue_days"] <= 90, 0.0).where(rows["invoices"] >= FEWEST_INVOICES)
    return rows.assign(late_expected=expected, late_probability=sure, is_late=sure >= SURE, limit=limit.round(-1))
