"""Customer lifetime value: what customers have brought, and what they will still bring.

Question: what is a customer worth, and what may it cost to win or keep one? Orders go in (`clean/orders`); one row per
customer comes out. Times are in weeks of seven days unless a table says otherwise, money in the reporting currency.

The methods: counts (what the models are made from), bgnbd, mbgnbd, pareto_nbd (how often customers will buy),
gamma_gamma (how much at a time), sbg (subscriptions), fits (maximum likelihood), expectations, forecast (both
intervals), widening (past errors), validation, rival, leaving.
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
from workbook.clv.forecast import Forecast, forecast, point_forecast
from workbook.clv.gamma_gamma import Independence, expected_value, fit_value, independence
from workbook.clv.leaving import p_alive
from workbook.clv.rival import Rival, boosting, features
from workbook.clv.sbg import expected_months, fit_sbg, observed_survival, survival, tenures
from workbook.clv.validation import (
    Split,
    by_frequency,
    earlier_split,
    forecasts_of_purchases,
    forecasts_of_spend,
    holdout,
    tracking,
    value_errors,
)
from workbook.clv.widening import Widening, backtests, widen

__all__ = [
    "FEWEST",
    "MODELS",
    "Facts",
    "Fit",
    "Forecast",
    "Independence",
    "Rival",
    "Split",
    "Widening",
    "alive",
    "backtests",
    "best",
    "boosting",
    "by_frequency",
    "customer_table",
    "earlier_split",
    "expected_months",
    "expected_purchases",
    "expected_total",
    "expected_value",
    "facts",
    "features",
    "fit_all",
    "fit_purchases",
    "fit_sbg",
    "fit_value",
    "forecast",
    "forecasts_of_purchases",
    "forecasts_of_spend",
    "holdout",
    "independence",
    "log_likelihood_each",
    "merge",
    "merged",
    "observed_survival",
    "p_alive",
    "point_forecast",
    "profile",
    "survival",
    "tenures",
    "tracking",
    "value_errors",
    "widen",
]
