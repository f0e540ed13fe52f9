"""The named results of 08_churn; names and units never change, a result that rests on too little is None.

| finding | unit | meaning |
|---|---|---|
| churn_horizon_days | days | silence after which a customer has left; churn_horizon_source: rule, declared, capped |
| ever_return | share | silences that end with a purchase, within the span that the record shows |
| naive_returned_share | share | silences longer than the naive days that ended with a purchase all the same |
| second_purchase_share | share | first-time buyers who bought again within the horizon (Kaplan–Meier) |
| subscriptions_running, _monthly_churn, _year_share | number, share | running contracts; ended in a month; run a year |
| churn_rate | share | active customers who left in the window that judges |
| active_customers, listed_customers | customers | scored today; value at risk at or above the threshold |
| value_at_risk | money | of those listed: probability of leaving times the value |
| value_at_risk_before, _noise | money | by the same rule on what was known a period ago; what chance moves since |
| value_at_risk_year_ago, _year_noise | money | the same, on the same date a year before |
| chosen_model, value_measured | text | which model; clv, or the margin of twelve months |
| auc, average_precision, brier | number | of the chosen model on the window that judges |
| lead_over_<hiatus, p_alive> | number | AUC beyond that rival's |
| threshold | money | value at risk from which contacting pays |
| expected_precision | share | of the list, on the window that judges |
| profit_expected, profit_lead | money | what the list would have earned there; beyond contacting everybody or nobody |
| score_psi | number | how far the scores have moved since that window |
| exposure_overdue, exposure_over_90 | money | open invoices; older than 90 days |
| roll_rate_<1_30, 31_60, 61_90, over_90> | share | open invoices of that age that are open a month later |
| late_payers, unusual_returners, sudden_drops | customers | by rules that few cases do not meet |
| prospects_known, prospects_listed | customers | known and not bought; of these on the list |
| prospects_auc | number | of the model of prospects on its later window |
"""

from __future__ import annotations

import pandas as pd

from workbook.churn.drops import FEWEST_CUSTOMERS
from workbook.churn.earlier import Earlier, reach_of_loss
from workbook.churn.foresight import Money, Steadiness, Warned
from workbook.churn.horizon import Horizon
from workbook.churn.late_payers import AGES, FEWEST_PAYERS
from workbook.churn.naive import Silences
from workbook.churn.prospects import Outlook
from workbook.churn.renewals import Monthly
from workbook.data.run import Run
from workbook.scoring import Estimate, wilson

FEWEST = 30


def find_definition(run: Run, found: Horizon, naive: Silences, again: Estimate, *, buyers: int) -> None:
    """What leaving means here, and how often the naive rule was wrong."""
    days = {"low": found.low, "high": found.high} if found.source == "rule" else {}
    run.find_known("churn_horizon_days", found.days, "days", n=found.gaps, **days)
    run.find_known("churn_horizon_source", found.source if found.days is not None else None, "text")
    run.find_known("ever_return", found.ever_return, "share", n=found.gaps)
    enough = naive.share if naive.silences >= FEWEST else None
    run.find_known("naive_returned_share", enough, "share", low=naive.low, high=naive.high, n=naive.silences,
                   evidence="observed")
    run.find_known("second_purchase_share", again.value, "share", low=again.low, high=again.high, n=buyers,
                   evidence="observed")


def find_subscriptions(run: Run, monthly: Monthly | None, year: Estimate, *, n: int) -> None:
    """Contracts; `no_subscriptions` where no source tells of any."""
    if monthly is None:
        for name, unit in (("running", "number"), ("monthly_churn", "share"), ("year_share", "share")):
            run.find(f"subscriptions_{name}", None, unit=unit, reason="no_subscriptions")
        return
    run.find("subscriptions_running", monthly.running, unit="number")
    share = monthly.value if monthly.months >= FEWEST else None
    run.find_known("subscriptions_monthly_churn", share, "share", low=monthly.low, high=monthly.high, n=monthly.months,
                   evidence="observed")
    run.find_known("subscriptions_year_share", year.value, "share", low=year.low, high=year.high, n=n,
                   evidence="observed")


def find_foresight(
    run: Run, judged: pd.DataFrame, found: Money, warned: Warned, steady: Steadiness, *, active: int | None
) -> None:
    """Whether leaving was foretold, what the list would have earned, and who is on it today."""
    rows = judged.set_index("prediction")
    best = rows.iloc[0] if len(rows) else pd.Series(dtype=float)
    n = int(best["n"]) if len(rows) else None
    run.find_known("active_customers", active, "customers")
    run.find_known("chosen_model", rows.index[0] if len(rows) else None, "text")
    rate = wilson(int(best["events"]), n) if n else None
    ends = {"low": rate.low, "high": rate.high} if rate else {}
    run.find_known("churn_rate", rate.value if rate else None, "share", n=n, evidence="observed", **ends)
    for name in ("auc", "average_precision", "brier"):
        run.find_known(name, best.get(name), "number", low=best.get(f"{name}_low"), high=best.get(f"{name}_high"), n=n,
                       evidence="observed")
    for rival in ("hiatus", "p_alive"):
        row = rows.loc[rival] if rival in rows.index and rival != rows.index[0] else pd.Series(dtype=float)
        run.find_known(f"lead_over_{rival}", row.get("lead_auc"), "number", low=row.get("lead_auc_low"),
                       high=row.get("lead_auc_high"), n=n, evidence="observed")
    _find_list(run, found, warned)
    run.find_known("score_psi", steady.psi, "number", n=active)


def _find_list(run: Run, found: Money, warned: Warned) -> None:
    best, later, foretold = found.optimum, found.earned, found.optimum is not None
    threshold = {"low": best.low, "high": best.high} if best else {}
    run.find_known("threshold", best.threshold if best else None, "money", reason="contact_none" if best else "too_few",
                   evidence="assumed", **threshold)
    run.find_known("listed_customers", len(warned.listed) if foretold else None, "customers", evidence="assumed")
    at_risk = float(warned.listed["value_at_risk"].sum()) if foretold else None
    reach = dict(zip(("low", "high"), reach_of_loss(warned.listed), strict=True)) if foretold else {}
    run.find_known("value_at_risk", at_risk, "money", n=len(warned.listed), evidence="assumed", **reach)
    run.find_known("value_measured", warned.measured if foretold else None, "text")
    listed = later if later and later.customers else None
    ends = {"low": listed.precision_low, "high": listed.precision_high} if listed else {}
    run.find_known("expected_precision", listed.precision if listed else None, "share",
                   n=later.customers if later else None, evidence="observed", **ends)
    earned = {"low": later.profit_low, "high": later.profit_high} if later else {}
    run.find_known("profit_expected", later.profit if later else None, "money", evidence="assumed", **earned)
    lead = {"low": later.lead_low, "high": later.lead_high} if later else {}
    run.find_known("profit_lead", later.lead if later else None, "money", evidence="assumed", **lead)


def find_earlier(run: Run, before: Earlier, year: Earlier) -> None:
    """The value at risk on the last day of the period before and a year before, and what chance moves since."""
    for then, name, noise in ((before, "before", "noise"), (year, "year_ago", "year_noise")):
        run.find_known(f"value_at_risk_{name}", then.value, "money", n=then.customers, reason=then.reason,
                       evidence="assumed")
        run.find_known(f"value_at_risk_{noise}", then.noise, "money", n=then.customers, reason=then.reason)


def find_risk(
    run: Run, ages: pd.DataFrame | None, rolls: pd.DataFrame | None, payers: pd.DataFrame | None,
    returners: pd.DataFrame, drops: pd.DataFrame,
) -> None:
    """Late payment, returns, drops; what no source tells has the reason `no_payments`."""
    if ages is None or rolls is None or payers is None:
        for name in ("exposure_overdue", "exposure_over_90"):
            run.find(name, None, unit="money", reason="no_payments")
        for age in AGES:
            run.find(_roll_name(age), None, unit="share", reason="no_payments")
        run.find("late_payers", None, unit="customers", reason="no_payments")
    else:
        run.find("exposure_overdue", float(ages["amount"].sum()), unit="money", n=int(ages["invoices"].sum()))
        old = ages.set_index("age").loc["over_90"]
        run.find("exposure_over_90", float(old["amount"]), unit="money", n=int(old["invoices"]))
        for row in rolls.itertuples():
            share = row.share if row.invoices >= FEWEST else None
            run.find_known(_roll_name(row.age), share, "share", low=row.low, high=row.high, n=row.invoices,
                           evidence="observed")
        late = int(payers["is_late"].sum()) if len(payers) >= FEWEST_PAYERS else None
        run.find_known("late_payers", late, "customers", n=len(payers))
    known = returners["unusual_probability"].notna().any()
    run.find_known("unusual_returners", int(returners["is_unusual"].sum()) if known else None, "customers",
                   n=len(returners))
    dropped = int(drops["dropped"].sum()) if len(drops) >= FEWEST_CUSTOMERS else None
    run.find_known("sudden_drops", dropped, "customers", n=len(drops))


def _roll_name(age: str) -> str:
    return f"roll_rate_{age.replace('-', '_')}"


def find_prospects(run: Run, outlook: Outlook, judged: pd.DataFrame, *, listed: int) -> None:
    """Who has not bought yet, how many are listed, and whether the model of them can be trusted."""
    run.find("prospects_known", len(outlook.today), unit="customers")
    run.find("prospects_listed", listed, unit="customers", evidence="observed" if len(judged) else "assumed")
    best = judged.iloc[0] if len(judged) else pd.Series(dtype=float)
    run.find_known("prospects_auc", best.get("auc"), "number", low=best.get("auc_low"), high=best.get("auc_high"),
                   n=len(outlook.happened), evidence="observed")
