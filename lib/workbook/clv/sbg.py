"""Shifted beta-geometric: how long subscriptions last, when every subscriber has a chance of their own to leave.

The chance not to renew is beta distributed over subscribers (alpha, beta). The first month is always paid, so that
after t renewals are left

    S(t) = B(alpha, beta + t) / B(alpha, beta)     and     P(T = t) = B(alpha + 1, beta + t − 1) / B(alpha, beta)

leave at the t-th. The share who renew rises with the tenure, because those who leave easily are gone: no customer
became more loyal.

Source: P. S. Fader & B. G. S. Hardie, How to Project Customer Retention, Journal of Interactive Marketing 21, 2007.
"""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.special import betaln, digamma

from workbook.clv.fits import FEWEST, Fit, as_fit, too_few
from workbook.clv.maximum import maximise

NAMES = ("alpha", "beta")
STARTS = ((1.0, 1.0), (0.5, 5.0), (5.0, 20.0))
DAYS_A_MONTH = 30


def tenures(subscriptions: ir.Table, *, as_of: date) -> ir.Table:
    """Subscriptions by the months that they had begun on the report date.

    Args:
        subscriptions: clean/subscriptions: started_on, ended_on (the last day; blank while it runs).

    Returns:
        tenure_months (months begun, the first is 1), churned (1: ended at the end of it; 0: still runs), customers.
    """
    begun = subscriptions.filter(subscriptions.started_on <= as_of)
    ended = begun.ended_on.notnull() & (begun.ended_on <= as_of)
    last = ibis.ifelse(ended, begun.ended_on, ibis.literal(as_of))
    whole = (last.year() - begun.started_on.year()) * 12 + last.month() - begun.started_on.month()
    whole = whole - (last.day() < begun.started_on.day()).cast("int64")
    each = begun.select(
        tenure_months=ibis.greatest(whole, 0).cast("int64") + 1, churned=ended.fill_null(False).cast("int64")
    )
    grouped = each.group_by("tenure_months", "churned").aggregate(customers=each.count())
    return grouped.order_by("tenure_months", "churned")


def log_likelihood(
    values: np.ndarray, tenure: np.ndarray, churned: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Of each subscription, and its derivatives by the logarithms of the parameters."""
    alpha, beta = values
    renewals = tenure - 1.0
    left = alpha + churned
    each = betaln(left, beta + renewals) - betaln(alpha, beta)
    joint = digamma(left + beta + renewals) - digamma(alpha + beta)
    slopes = np.stack([digamma(left) - digamma(alpha) - joint, digamma(beta + renewals) - digamma(beta) - joint])
    return each, slopes * np.asarray(values)[:, None]


def fit_sbg(table: pd.DataFrame) -> Fit:
    """The shifted beta-geometric by maximum likelihood.

    Args:
        table: tenure_months, churned, customers (`tenures`).
    """
    people = int(table["customers"].sum())
    weights = table["customers"].to_numpy(float)
    tenure, churned = table["tenure_months"].to_numpy(float), table["churned"].to_numpy(float)
    if people < FEWEST or weights @ churned < FEWEST:
        return too_few("sbg", NAMES, ("", ""), customers=people, unit_days=DAYS_A_MONTH)

    def objective(place: np.ndarray) -> tuple[float, np.ndarray]:
        each, slopes = log_likelihood(np.exp(place), tenure, churned)
        return float(weights @ each), slopes @ weights

    found = maximise(objective, [np.log(start) for start in STARTS])
    return as_fit(
        "sbg", NAMES, ("", ""), found, shift=np.zeros(2), log_likelihood=found.height, customers=people,
        distinct=len(table), unit_days=DAYS_A_MONTH, starts=len(STARTS),
    )  # fmt: skip


def survival(fit: Fit, months: np.ndarray) -> np.ndarray:
    """The share still there after so many renewals."""
    alpha, beta = fit.values
    return np.exp(betaln(alpha, beta + np.asarray(months, float)) - betaln(alpha, beta))


def observed_survival(table: pd.DataFrame) -> pd.DataFrame:
    """What the record shows, running subscriptions counted as long as they were seen (Kaplan-Meier).

    Returns:
        tenure_months, at_risk (came to that renewal), ended (did not renew), survival (share left after it).
    """
    churned = table["churned"].to_numpy() == 1
    tenure, weights = table["tenure_months"].to_numpy(), table["customers"].to_numpy(float)
    rows, left = [], 1.0
    for month in range(1, int(tenure.max(initial=0)) + 1):
        at_risk = weights[np.where(churned, tenure >= month, tenure > month)].sum()
        if at_risk == 0:
            break
        ended = weights[churned & (tenure == month)].sum()
        left *= 1 - ended / at_risk
        rows.append({"tenure_months": month, "at_risk": int(at_risk), "ended": int(ended), "survival": left})
    return pd.DataFrame(rows, columns=["tenure_months", "at_risk", "ended", "survival"])


def expected_months(fit: Fit, *, tenure: int = 0, months: int = 60, yearly_discount: float = 0.0) -> float:
    """Expected further paid months within the next `months`, of one who has paid `tenure` and still runs.

    Each is discounted from now; for a subscriber to be won (`tenure` 0) the first payment is certain.
    """
    ahead = np.arange(1, months + 1)
    seen = survival(fit, np.array([max(tenure - 1, 0)]))[0]
    paid = survival(fit, tenure + ahead - 1.0) / seen
    return float(paid @ (1 + yearly_discount) ** (-(ahead - 1.0 if tenure == 0 else ahead) / 12.0))
