"""Subscriptions beside their model: the price of a month, and the share still running, observed and modelled.

Those billed by the month only. Who pays for a quarter or a year can leave but once in that time: in months, such a
tenure would look loyal for eleven of them.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.clv.fits import Fit
from workbook.clv.sbg import observed_survival, survival, tenures
from workbook.data.engine import few_rows

NO_TENURES = pd.DataFrame({"tenure_months": [], "churned": [], "customers": []}, dtype="int64")
FEWEST_AT_RISK = 10  # subscriptions below which an observed share is not drawn


def tenures_of(subscriptions: ir.Table | None, *, as_of: date) -> pd.DataFrame:
    """Subscriptions billed by the month, by months begun and whether they ended; no rows where none is known."""
    if subscriptions is None:
        return NO_TENURES
    rows = few_rows(tenures(subscriptions.filter(_monthly(subscriptions)), as_of=as_of))
    return pd.DataFrame(rows, columns=list(NO_TENURES.columns)).astype("int64")


def billed_otherwise(subscriptions: ir.Table | None, *, as_of: date) -> int:
    """Subscriptions that are not billed by the month: they can only end when a longer period does."""
    if subscriptions is None:
        return 0
    others = subscriptions.filter(subscriptions.started_on <= as_of, ~_monthly(subscriptions))
    return int(few_rows(others.aggregate(n=others.count()))[0]["n"])


def _monthly(subscriptions: ir.Table) -> ir.BooleanColumn:
    return ibis.coalesce(subscriptions.billing_months, 1) == 1


def monthly_price(subscriptions: ir.Table | None, *, as_of: date) -> float | None:
    """Mean price of subscriptions billed by the month that had begun by the report date; None where none is known."""
    if subscriptions is None:
        return None
    begun = subscriptions.filter(subscriptions.started_on <= as_of, _monthly(subscriptions))
    found = few_rows(begun.aggregate(price=begun.price.cast("float64").mean().round(6)))[0]["price"]
    return None if found is None else float(found)


def survival_curves(fit: Fit, table: pd.DataFrame) -> pd.DataFrame:
    """Share still subscribed by completed months: tenure_months, at_risk, observed, model (blank where not fitted)."""
    seen = observed_survival(table)
    seen = seen[seen["at_risk"] >= FEWEST_AT_RISK]
    months = seen["tenure_months"].to_numpy(float)
    model = survival(fit, months) if fit.usable else np.full(len(months), np.nan)
    return seen[["tenure_months", "at_risk"]].assign(observed=seen["survival"], model=model).reset_index(drop=True)
