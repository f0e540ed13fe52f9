"""Recency, frequency, monetary value: who bought lately, often, and much.

Question: whom should we write to? One row per order goes in (`clean/orders`); one row per customer comes out (`rfm`):

| column | unit | meaning |
|---|---|---|
| customer_id | | the customer |
| first_ordered_on, last_ordered_on | date | first and last purchase day; blank for people who have not bought |
| recency_days | days | counts back from `as_of` to the last purchase day; `clv` counts from the first: `t_x` |
| frequency | days or orders | days with a purchase (default: orders of one day are one decision to buy); or orders |
| purchase_days, orders | days, orders | both counts, whichever is scored |
| monetary | currency | net amount of everything bought: returns are taken off, also those whose purchase is unknown |
| first_day_amount | currency | net amount of the first purchase day |
| spend_12m | currency | net amount of the last twelve months |
| r, f, m | score | 1 (worst) to the number of bins (best), also for recency |
| score | 0–100 | weighted mean of the three scores, for lists of any length |
| segment | code | one of `SEGMENTS`, or `not_yet` for people who have not bought |
| segment_before | code | the same at the end of the period before, as known then; blank for who had not bought |
| visits, clicks | times | of the last `activity_days`; blank when no source tells |
| value_class | code | high, potential, low; or unknown |

A purchase is an order of a known customer that was not wholly returned; orders of nothing (amount 0) count. A return
document without its purchase lowers `monetary` and is no purchase. Quantile edges are computed in the engine and then
compared: equal values always score the same, so that fewer bins than asked for may really be used.

Findings of 04_rfm: see `workbook.rfm.findings`.

Sources: A. M. Hughes, Strategic Database Marketing, 1994; P. S. Fader, B. G. S. Hardie & K. L. Lee, RFM and CLV, 2005
(how recency is counted there); the R package rfm 0.3.0 (its example's cuts are a test).
"""

from workbook.rfm.cell import cell_filter
from workbook.rfm.findings import (
    find_classes,
    find_foresight,
    find_segments,
    find_table,
    find_thresholds,
)
from workbook.rfm.foresight import before_and_after, judged_sample, mean_answer, response_by_segment, waiting_lists
from workbook.rfm.grouping import group_fitter
from workbook.rfm.groups import NOT_YET, SEGMENTS, Level, Segment, assign, moved_share, movement, summary
from workbook.rfm.rules import CutsInForce, ValueRule, cuts_in_force, remember, value_rule_in_force
from workbook.rfm.scores import (
    MEASURES,
    Thresholds,
    equal_width,
    own_cuts,
    score,
    thresholds,
    used_bins,
    weighted,
)
from workbook.rfm.shape import bin_sizes, example, histogram, with_attributes
from workbook.rfm.table import customer_table, everyone, repeats
from workbook.rfm.value import CLASSES, ValueCuts, activity, class_summary, classify, value_cuts
from workbook.rfm.what_if import WhatIf, what_if

__all__ = [
    "CLASSES",
    "MEASURES",
    "NOT_YET",
    "SEGMENTS",
    "CutsInForce",
    "Level",
    "Segment",
    "Thresholds",
    "ValueCuts",
    "ValueRule",
    "WhatIf",
    "activity",
    "assign",
    "before_and_after",
    "bin_sizes",
    "cell_filter",
    "class_summary",
    "classify",
    "customer_table",
    "cuts_in_force",
    "equal_width",
    "everyone",
    "example",
    "find_classes",
    "find_foresight",
    "find_segments",
    "find_table",
    "find_thresholds",
    "group_fitter",
    "histogram",
    "judged_sample",
    "mean_answer",
    "moved_share",
    "movement",
    "own_cuts",
    "remember",
    "repeats",
    "response_by_segment",
    "score",
    "summary",
    "thresholds",
    "used_bins",
    "value_cuts",
    "value_rule_in_force",
    "waiting_lists",
    "weighted",
    "what_if",
    "with_attributes",
]
