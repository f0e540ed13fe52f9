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
from workbook.churn.features import FEATURES, Feature, excluded, feature_names, features, labels, snapshot
from workbook.churn.gaps import PAST, gap_counts, gaps
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
from workbook.churn.profit import Earned, Optimum, Terms, best_threshold, earned, profit_curve, profits, save_rate
from workbook.churn.prospects import FACTS, Outlook, Sources, learn, listed, prospects_on
from workbook.churn.prospects import Windows as ProspectWindows
from workbook.churn.reasons import early_warning, importance, reasons
from workbook.churn.record import Record, Span, record_span
from workbook.churn.returners import FAR, FEWEST_RETURNS, judge_returners, returned
from workbook.churn.risk import REASONS as RISK_REASONS
from workbook.churn.risk import risk_table
from workbook.churn.rivals import EXPLAINED, NAIVE, RIVALS, Fitted, Snapshots, TooFew, fit_all, predict_batches
from workbook.churn.stability import by_segment, drift, drift_code, over_time, psi, score_psi
from workbook.churn.survival import (
    Cox,
    LogRank,
    cox,
    curves,
    indicators,
    kaplan_meier,
    log_rank,
    median,
    residual_trend,
    survival_at,
)
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
    "OFTEN",
    "PAST",
    "RECENT_DAYS",
    "RISK_REASONS",
    "RIVALS",
    "Cox",
    "Earned",
    "Feature",
    "Fitted",
    "Horizon",
    "LogRank",
    "Meaning",
    "Model",
    "Optimum",
    "Outlook",
    "ProspectWindows",
    "Record",
    "Snapshots",
    "Sources",
    "Span",
    "Terms",
    "TooFew",
    "Window",
    "ageing",
    "best_threshold",
    "by_segment",
    "contracts",
    "cox",
    "curves",
    "drift",
    "drift_code",
    "early_warning",
    "earned",
    "excluded",
    "feature_names",
    "features",
    "fit_all",
    "gap_counts",
    "gaps",
    "horizon",
    "importance",
    "indicators",
    "invoices",
    "judge_drops",
    "judge_payers",
    "judge_returners",
    "kaplan_meier",
    "labels",
    "learn",
    "lift_and_gain",
    "listed",
    "log_rank",
    "longest_horizon",
    "means",
    "median",
    "month_ends",
    "over_time",
    "payers",
    "pr_curve",
    "predict_batches",
    "profit_curve",
    "profits",
    "prospects_on",
    "psi",
    "reasons",
    "record_span",
    "residual_trend",
    "returned",
    "rhythms",
    "risk_table",
    "roc_curve",
    "roll_rates",
    "save_rate",
    "score_psi",
    "second_purchase",
    "snapshot",
    "survival_at",
    "windows",
]
