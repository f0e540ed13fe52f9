"""Subscriptions beside their model: the price of a month, and the share still running, observed and modelled."""

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
    """Subscriptions by months begun and whether they ended; no rows where no source tells of any."""
    if subscriptions is None:
        return NO_TENURES
    return pd.DataFrame(few_rows(tenures(subscriptions, as_of=as_of)), columns=list(NO_TENURES.columns)).astype("int64")


def monthly_price(subscriptions: ir.Table | None, *, as_of: date) -> float | None:
    """Mean price of a month over subscriptions begun up to the report date (currency); None where no price is known."""
    if subscriptions is None:
        return None
    begun = subscriptions.filter(subscriptions.started_on <= as_of)
    month = begun.price.cast("float64") / ibis.coalesce(begun.billing_months, 1)
    found = few_rows(begun.aggregate(price=month.mean().round(6)))[0]["price"]
    return None if found is None else float(found)


def survival_curves(fit: Fit, table: pd.DataFrame) -> pd.DataFrame:
    """Share still subscribed by completed months: tenure_months, at_risk, observed, model (blank where not fitted)."""
    seen = observed_survival(table)
    seen = seen[seen["at_risk"] >= FEWEST_AT_RISK]
    months = seen["tenure_months"].to_numpy(float)
    model = survival(fit, months) if fit.usable else np.full(len(months), np.nan)
    return seen[["tenure_months", "at_risk"]].assign(observed=seen["survival"], model=model).reset_index(drop=True)
