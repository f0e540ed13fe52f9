"""A/B testing: what works, and what it is worth.

Question: which change do we keep? Assignments of customers to arms (`clean/assignments`), what they did
(`clean/orders`, `clean/outcomes`) and messages that nobody randomised (`clean/contacts`) go in; one row per
experiment, metric and arm comes out (`experiments`), and for each campaign what may be said of it.

Each module says its own question, tables and sources.
"""

from workbook.ab_testing.campaigns import Campaign, campaigns_sent, histories
from workbook.ab_testing.differences import differences, is_parallel
from workbook.ab_testing.matching import (
    Difference,
    Matched,
    match,
    matched_effect,
    plain_difference,
    pooled,
)
from workbook.ab_testing.unrandomised import CLAIMS, Tested, campaign_rows, judge_campaigns, together

__all__ = [
    "CLAIMS",
    "Campaign",
    "Difference",
    "Matched",
    "Tested",
    "campaign_rows",
    "campaigns_sent",
    "differences",
    "histories",
    "is_parallel",
    "judge_campaigns",
    "match",
    "matched_effect",
    "plain_difference",
    "pooled",
    "together",
]
