"""Churn: who is about to leave, what the shop loses, and whom it is worth calling.

Besides, what else may go wrong with a customer: late payment, unusual returns, a sudden drop (`risk_table`); and who
has never bought but looks like those who soon did (`prospects`).
"""

from workbook.churn.drops import FALSE_SHARE, RECENT_DAYS, judge_drops, rhythms
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
from workbook.churn.prospects import FACTS, Outlook, Sources, learn, listed, prospects_on
from workbook.churn.prospects import Windows as ProspectWindows
from workbook.churn.returners import FAR, FEWEST_RETURNS, judge_returners, returned
from workbook.churn.risk import REASONS as RISK_REASONS
from workbook.churn.risk import risk_table

__all__ = [
    "AGES",
    "FACTS",
    "FALSE_SHARE",
    "FAR",
    "FEWEST_INVOICES",
    "FEWEST_PAYERS",
    "FEWEST_RETURNS",
    "GRACE",
    "OFTEN",
    "RECENT_DAYS",
    "RISK_REASONS",
    "Outlook",
    "ProspectWindows",
    "Sources",
    "ageing",
    "invoices",
    "judge_drops",
    "judge_payers",
    "judge_returners",
    "learn",
    "listed",
    "month_ends",
    "payers",
    "prospects_on",
    "returned",
    "rhythms",
    "risk_table",
    "roll_rates",
]
