"""Churn: who is about to leave, what the shop loses, and whom it is worth calling.

Question: whom do we lose, and does it pay to do something about it? In: the clean tables in one hand (`Record`). Out,
in this order: what leaving means here (`means`, `horizon` from the censored gaps between purchases); curves of how long
until it happens, with tests (`kaplan_meier`, `log_rank`, `cox`); what was known of each customer on a day (`snapshot`:
customer_id, the columns of `FEATURES` with their units, churned 1 or 0), on days in time order (`windows`); rivals
fitted, chosen and judged on later windows (`fit_all`); the threshold that earns most (`best_threshold`, `earned`, in
currency); reasons with exact shares and the early-warning list (`reasons`, `early_warning`); drift and fairness
(`drift`, `by_segment`). Probabilities are always those of leaving.

Besides, what else may go wrong with a customer: late payment, unusual returns, a sudden drop (`risk_table`); and who
has never bought but looks like those who soon did (`prospects`).

Churn without a contract is no purchase within H days, among those who bought within the H days before; with contracts
it is the end of the contract. Sources: in the modules.
"""

from workbook.churn.drops import FALSE_SHARE, RECENT_DAYS, judge_drops, rhythms
from workbook.churn.earlier import NO_YEAR, Earlier, at_risk_earlier, year_ago
from workbook.churn.features import FEATURES, Feature, excluded, feature_names, features, labels, snapshot
from workbook.churn.findings import (
    find_definition,
    find_earlier,
    find_foresight,
    find_prospects,
    find_risk,
    find_subscriptions,
)
from workbook.churn.first_purchase import first_facts, start_groups
from workbook.churn.foresight import (
    Money,
    Steadiness,
    Warned,
    calibration,
    fairness,
    gain,
    judged,
    kept,
    lifetime_rivals,
    lifetime_values,
    money,
    naive_verdict,
    reason_codes,
    rival_curves,
    segments_of,
    steadiness,
    terms,
    warned,
    what_matters,
)
from workbook.churn.gaps import PAST, gap_counts, gaps
from workbook.churn.hazards import Cox, cox, indicators, residual_trend
from workbook.churn.horizon import Horizon, Meaning, horizon, means
from workbook.churn.judging import lift_and_gain, pr_curve, roc_curve
from workbook.churn.late_payers import (
    AGES,
    FEWEST_INVOICES,
    FEWEST_PAYERS,
    GRACE,
    OFTEN,
    ageing,
    invoices,
    judge_payers,
    month_ends,
    payers,
    roll_rates,
)
from workbook.churn.lifetimes import contracts, second_purchase
from workbook.churn.models import Model
from workbook.churn.naive import Silences, Tenure, example, silences, stays, tenure
from workbook.churn.profit import Earned, Optimum, Terms, best_threshold, earned, profit_curve, profits, save_rate
from workbook.churn.prospects import FACTS, Outlook, Sources, learn, prospect_list, prospects_on
from workbook.churn.prospects import Windows as ProspectWindows
from workbook.churn.reasons import early_warning, importance, reasons
from workbook.churn.record import Record, Span, record_span
from workbook.churn.renewals import Monthly, Saved, monthly_churn, saved_by
from workbook.churn.returners import FAR, FEWEST_RETURNS, judge_returners, returned
from workbook.churn.risk import REASONS as RISK_REASONS
from workbook.churn.risk import risk_table
from workbook.churn.rivals import (
    EXPLAINED,
    NAIVE,
    RIVALS,
    Fitted,
    Snapshots,
    TooFew,
    fit_all,
    predict_batches,
    score_in_parts,
)
from workbook.churn.stability import by_segment, drift, drift_code, over_time, psi, score_psi
from workbook.churn.survival import LogRank, curves, kaplan_meier, log_rank, median, survival_at
from workbook.churn.windows import Window, longest_horizon, windows

__all__ = [
    "AGES",
    "EXPLAINED",
    "FACTS",
    "FALSE_SHARE",
    "FAR",
    "FEATURES",
    "FEWEST_INVOICES",
    "FEWEST_PAYERS",
    "FEWEST_RETURNS",
    "GRACE",
    "NAIVE",
    "NO_YEAR",
    "OFTEN",
    "PAST",
    "RECENT_DAYS",
    "RISK_REASONS",
    "RIVALS",
    "Cox",
    "Earlier",
    "Earned",
    "Feature",
    "Fitted",
    "Horizon",
    "LogRank",
    "Meaning",
    "Model",
    "Money",
    "Monthly",
    "Optimum",
    "Outlook",
    "ProspectWindows",
    "Record",
    "Saved",
    "Silences",
    "Snapshots",
    "Sources",
    "Span",
    "Steadiness",
    "Tenure",
    "Terms",
    "TooFew",
    "Warned",
    "Window",
    "ageing",
    "at_risk_earlier",
    "best_threshold",
    "by_segment",
    "calibration",
    "contracts",
    "cox",
    "curves",
    "drift",
    "drift_code",
    "early_warning",
    "earned",
    "example",
    "excluded",
    "fairness",
    "feature_names",
    "features",
    "find_definition",
    "find_earlier",
    "find_foresight",
    "find_prospects",
    "find_risk",
    "find_subscriptions",
    "first_facts",
    "fit_all",
    "gain",
    "gap_counts",
    "gaps",
    "horizon",
    "importance",
    "indicators",
    "invoices",
    "judge_drops",
    "judge_payers",
    "judge_returners",
    "judged",
    "kaplan_meier",
    "kept",
    "labels",
    "learn",
    "lifetime_rivals",
    "lifetime_values",
    "lift_and_gain",
    "log_rank",
    "longest_horizon",
    "means",
    "median",
    "money",
    "month_ends",
    "monthly_churn",
    "naive_verdict",
    "over_time",
    "payers",
    "pr_curve",
    "predict_batches",
    "profit_curve",
    "profits",
    "prospect_list",
    "prospects_on",
    "psi",
    "reason_codes",
    "reasons",
    "record_span",
    "residual_trend",
    "returned",
    "rhythms",
    "risk_table",
    "rival_curves",
    "roc_curve",
    "roll_rates",
    "save_rate",
    "saved_by",
    "score_in_parts",
    "score_psi",
    "second_purchase",
    "segments_of",
    "silences",
    "snapshot",
    "start_groups",
    "stays",
    "steadiness",
    "survival_at",
    "tenure",
    "terms",
    "warned",
    "what_matters",
    "windows",
    "year_ago",
]
