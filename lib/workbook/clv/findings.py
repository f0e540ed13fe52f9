"""The named results of 06_clv.

Of the two intervals each has its own figures: `expected_<purchases, spend>` carries the interval of what will really
be bought, `mean_<purchases, spend>` that of the expectation. Parameters are those of fits on everything up to the
report date; times in weeks. A result that rests on too little is None, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from workbook.clv.acquisition import Referrals
from workbook.clv.choice import Chosen
from workbook.clv.counts import Facts
from workbook.clv.fits import FEWEST, Fit
from workbook.clv.gamma_gamma import Independence
from workbook.clv.trial import Trial, naive
from workbook.clv.value import Arithmetic, Basis
from workbook.clv.widening import Widening
from workbook.data.findings import Evidence, Figure, known
from workbook.scoring import verdict

SHORT = {"bg_nbd": "bgnbd", "mbg_nbd": "mbgnbd", "pareto_nbd": "paretonbd", "gamma_gamma": "gamma_gamma", "sbg": "sbg"}
UNITS = {"bgnbd_alpha": "weeks", "gamma_gamma_v": "money"}  # the others are numbers


def value_figures(
    facts: Facts, rule: Basis, napkin: Arithmetic, customers: pd.DataFrame, costs: pd.DataFrame, paid: pd.DataFrame,
    referred: Referrals | None,
) -> Iterator[Figure]:  # fmt: skip
    """What came, what winning customers cost, what recommendations brought.

    Args:
        customers: value_to_date.
        costs: customers, cost.
        paid: of `payback`.
    """
    total = float(customers["value_to_date"].sum())
    told = costs[costs["cost"].notna()]
    won, spent = int(told["customers"].sum()), float(told["cost"].sum())
    yield Figure("customers", facts.customers, "customers")
    yield Figure("repeat_purchases", facts.repeat_purchases, "number", n=facts.customers)
    yield Figure("one_time_customers", facts.one_time, "customers", n=facts.customers)
    yield Figure("value_basis", rule.code, "text")
    yield Figure("margin_share", rule.share, "share", evidence="assumed" if rule.code == "assumed" else "")
    enough = napkin.customers >= FEWEST
    yield known("arithmetic_value", napkin.value if enough else None, "money", n=napkin.customers, evidence="assumed")
    yield Figure("value_to_date", total, "money", n=facts.customers)
    each = spent / won if won and spent else None
    yield known("acquisition_cost", each, "money", n=won, reason="no_costs")
    channels = len(paid) or None
    back = int(paid["months_high"].notna().sum()) if channels else None
    yield known("channels_with_costs", len(paid), "number")
    yield known("channels_paid_back", back, "number", reason="no_costs", evidence="observed")
    brought = referred.value_to_date if referred else None
    yield known("referral_value", brought, "money", n=referred.bought if referred else None, reason="no_referrals",
                evidence="observed")


def fit_figures(fits: Mapping[str, Fit], value_fit: Fit, chosen: Chosen, free: Independence) -> Iterator[Figure]:
    """Parameters and heights of the likelihoods, and the model in force."""
    yield from _parameters(fits["bg_nbd"])
    for code, fit in fits.items():
        height = fit.log_likelihood if fit.usable else None
        yield known(f"{SHORT[code]}_log_likelihood", height, "number", n=fit.customers)
    yield from _parameters(value_fit)
    height = value_fit.log_likelihood if value_fit.usable else None
    yield known("gamma_gamma_log_likelihood", height, "number", n=value_fit.customers)
    correlation = None if free.code == "too_few" else free.correlation
    yield known("value_correlation", correlation, "number", low=free.low, high=free.high, n=free.n)
    yield Figure("model", chosen.model, "text")
    yield Figure("model_chosen_on", chosen.chosen_on.isoformat(), "date")
    yield Figure("model_provisional", chosen.provisional or chosen.reason == "declared", "flag")


def _parameters(fit: Fit) -> Iterator[Figure]:
    for row in fit.table().itertuples():
        name = f"{SHORT[fit.model]}_{row.parameter}"
        value = row.value if fit.usable else None
        yield known(name, value, UNITS.get(name, "number"), low=row.low, high=row.high, n=fit.customers)


def trial_figures(trial: Trial, tests: pd.DataFrame, wider: Widening) -> Iterator[Figure]:
    """How the forecast of an earlier day did, and how many such forecasts kept what they promised."""
    yield Figure("tested_from", trial.split.cut_off.isoformat(), "date", n=trial.customers)
    yield known("tested_weeks", float(trial.split.weeks) or None, "number")
    for outcome, judged in (("purchases", trial.purchases), ("spend", trial.spend)):
        row = judged.iloc[0] if len(judged) else None
        for measure, unit in (("bias", "share"), ("gini", "number"), ("top_share", "share")):
            yield _measured(f"tested_{outcome}_{measure}", row, measure, unit, n=trial.customers)
        code = verdict(naive(judged), measure="gini").code if len(judged) else "too_few"
        yield known(f"tested_{outcome}_verdict", None if code == "too_few" else code, "text", evidence="observed")
    inside = int(tests["inside"].sum()) if len(tests) else None
    yield Figure("earlier_forecasts", len(tests), "number")
    yield known("earlier_forecasts_inside", inside, "number", n=len(tests), reason="no_history")
    factor = None if wider.code == "no_history" else float(wider.factor)
    yield known("widening_factor", factor, "number", n=len(tests), reason="no_history")


def _measured(name: str, row: pd.Series | None, measure: str, unit: str, *, n: int) -> Figure:
    if row is None:
        return known(name, None, unit, n=n)
    return known(name, float(row[measure]), unit, low=row[f"{measure}_low"], high=row[f"{measure}_high"], n=n,
                 evidence="observed")


def forecast_figures(
    totals: pd.DataFrame, rule: Basis, *, horizon_months: float, new_customer: float | None
) -> Iterator[Figure]:
    """What is still to come, with both intervals; what the best tenth holds; what a new customer is worth.

    Args:
        totals: of a forecast: by, group, customers, the expectations, and both intervals of each.
    """
    grade: Evidence = "assumed" if rule.code == "assumed" else "observed"
    every = totals[totals["by"] == "all"]
    row = every.iloc[0] if len(every) else None
    yield Figure("horizon_months", horizon_months, "number")
    for measure, unit in (("purchases", "number"), ("spend", "money")):
        yield _ends(f"expected_{measure}", row, f"expected_{measure}", measure, unit, "observed")
        yield _ends(f"mean_{measure}", row, f"expected_{measure}", f"expected_{measure}", unit, "observed")
    yield _ends("lifetime_value", row, "clv", "clv", "money", grade)
    best = totals[(totals["by"] == "tenth") & (totals["group"] == 1)]
    first = best.iloc[0] if len(best) and row is not None and row["clv"] > 0 else None
    n = int(first["customers"]) if first is not None else None
    each = {end: float(first[f"clv{end}"]) / n for end in ("", "_low", "_high")} if first is not None else {}
    yield known("best_tenth_value", each.get(""), "money", low=each.get("_low"), high=each.get("_high"), n=n,
                evidence=grade)
    share = float(first["clv"] / row["clv"]) if first is not None else None
    yield known("best_tenth_share", share, "share", n=n, evidence=grade)
    yield known("new_customer_value", new_customer, "money", evidence=grade)


def _ends(name: str, row: pd.Series | None, value: str, interval: str, unit: str, evidence: Evidence) -> Figure:
    if row is None:
        return known(name, None, unit)
    return known(name, float(row[value]), unit, low=row[f"{interval}_low"], high=row[f"{interval}_high"],
                 n=int(row["customers"]), evidence=evidence)


def subscription_figures(fit: Fit | None, months: float | None) -> Iterator[Figure]:
    """How long subscriptions last."""
    reason = "no_subscriptions" if fit is None else "too_few"
    usable = fit is not None and fit.usable
    for name in ("alpha", "beta"):
        yield known(f"sbg_{name}", fit.value(name) if usable else None, "number", reason=reason)
    yield known("subscription_months", months if usable else None, "number", n=fit.customers if fit else None,
                reason=reason, evidence="observed")
