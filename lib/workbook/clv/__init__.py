"""Customer lifetime value: what customers have brought, and what they will still bring.

Question: what is a customer worth, and what may it cost to win or keep one? Orders go in (`clean/orders`); one row per
customer comes out. Times are in weeks of seven days unless a table says otherwise, money in the reporting currency.

The methods: counts (what the models are made from), bgnbd, mbgnbd, pareto_nbd (how often customers will buy),
gamma_gamma (how much at a time), sbg (subscriptions), fits and maximum (maximum likelihood), expectations, forecast and
worlds (both intervals), widening (past errors), validation, rival, leaving.
"""

from workbook.clv.acquisition import (
    Payback,
    Referrals,
    brought,
    by_age,
    costs,
    payback,
    people,
    recommended,
    referral_totals,
)
from workbook.clv.choice import Chosen, model_in_force
from workbook.clv.contracts import billed_otherwise, monthly_price, survival_curves, tenures_of
from workbook.clv.counts import Facts, customer_table, facts, merge, merged
from workbook.clv.equal_age import at_equal_age, first_months, to_age
from workbook.clv.expectations import alive, expected_purchases, expected_total
from workbook.clv.findings import fit_figures, forecast_figures, subscription_figures, trial_figures, value_figures
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
from workbook.clv.table import LABELS, kept, labelled, look_ahead, outlook
from workbook.clv.trial import Trial, newest_split, trial
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
from workbook.clv.value import Arithmetic, Basis, arithmetic, basis, by_tenth, tenths, value_to_date, weeks
from workbook.clv.what_if import WhatIf, what_if
from workbook.clv.widening import Widening, backtests, widen
from workbook.clv.winning import winning_figures

__all__ = [
    "FEWEST",
    "LABELS",
    "MODELS",
    "Arithmetic",
    "Basis",
    "Chosen",
    "Facts",
    "Fit",
    "Forecast",
    "Independence",
    "Payback",
    "Referrals",
    "Rival",
    "Split",
    "Trial",
    "WhatIf",
    "Widening",
    "alive",
    "arithmetic",
    "at_equal_age",
    "backtests",
    "basis",
    "best",
    "billed_otherwise",
    "boosting",
    "brought",
    "by_age",
    "by_frequency",
    "by_tenth",
    "costs",
    "customer_table",
    "earlier_split",
    "expected_months",
    "expected_purchases",
    "expected_total",
    "expected_value",
    "facts",
    "features",
    "first_months",
    "fit_all",
    "fit_figures",
    "fit_purchases",
    "fit_sbg",
    "fit_value",
    "forecast",
    "forecast_figures",
    "forecasts_of_purchases",
    "forecasts_of_spend",
    "holdout",
    "independence",
    "kept",
    "labelled",
    "log_likelihood_each",
    "look_ahead",
    "merge",
    "merged",
    "model_in_force",
    "monthly_price",
    "newest_split",
    "observed_survival",
    "outlook",
    "p_alive",
    "payback",
    "people",
    "point_forecast",
    "profile",
    "recommended",
    "referral_totals",
    "subscription_figures",
    "survival",
    "survival_curves",
    "tenths",
    "tenures",
    "tenures_of",
    "to_age",
    "tracking",
    "trial",
    "trial_figures",
    "value_errors",
    "value_figures",
    "value_to_date",
    "weeks",
    "what_if",
    "widen",
    "winning_figures",
]
