"""Customer lifetime value: what customers have brought, and what they will still bring.

Question: what is a customer worth, and what may it cost to win or keep one? Orders go in (`clean/orders`); one row per
customer comes out. Times are in weeks of seven days unless a table says otherwise, money in the reporting currency.

The methods: counts (what the models are made from), bgnbd, mbgnbd, pareto_nbd (how often customers will buy),
gamma_gamma (how much at a time), sbg (subscriptions), fits (maximum likelihood), expectations, forecast (both
intervals), widening (past errors), validation, rival.
"""

from workbook.clv.counts import Facts, customer_table, facts, merge, merged
from workbook.clv.expectations import alive, expected_purchases, expected_total
from workbook.clv.fits import (
    FEWEST,
    MODELS,
    Fit,
    best,
    fit_all,
    fit_purchases,
    log_likelihood_each,
    profile,
)
from workbook.clv.gamma_gamma import Independence, expected_value, fit_value, independence

__all__ = [
    "FEWEST",
    "MODELS",
    "Facts",
    "Fit",
    "Independence",
    "alive",
    "best",
    "customer_table",
    "expected_purchases",
    "expected_total",
    "expected_value",
    "facts",
    "fit_all",
    "fit_purchases",
    "fit_value",
    "independence",
    "log_likelihood_each",
    "merge",
    "merged",
    "profile",
]
