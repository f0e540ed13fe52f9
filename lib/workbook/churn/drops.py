"""Who suddenly buys far less than their own rhythm: told early, and so that chance alone is rarely called a drop.

A customer's own rate is estimated from the purchase days before the last `recent_days`, drawn towards everybody's
(gamma-Poisson). What they bought since is set beside what that rate leads to expect, a negative binomial count. Only
customers with `FEWEST_REPEATS` purchase days after the first, who had not already fallen silent by their own rhythm,
are looked at: who left long ago has not dropped *suddenly*.

A quiet season is nobody's drop: the expectation is multiplied by what the customers looked at bought together, beside
what their rates led to expect of them together (never by more than 1). Many customers are tested at once: the list is
cut so that at most `FALSE_SHARE` of those on it are expected to be there by chance (Benjamini and Hochberg).

Sources: A. S. C. Ehrenberg, Repeat-Buying, 1988 (negative binomial counts); Y. Benjamini & Y. Hochberg, JRSS B 57,
1995; D. C. Schmittlein, D. G. Morrison & R. Colombo, Management Science 33, 1987 (silence against the own rate).
"""

from __future__ import annotations

from datetime import date, timedelta

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from workbook.churn.shrinkage import gamma_prior

RECENT_DAYS = 90
FEWEST_REPEATS = 4  # purchase days after the first and before the recent days
SILENT = 2.0  # own mean gaps without a purchase, after which somebody had fallen silent before
FALSE_SHARE = 0.1
FEWEST_CUSTOMERS = 30  # looked at, below which nothing is said


def rhythms(days: ir.Table, *, as_of: date, recent_days: int = RECENT_DAYS) -> ir.Table:
    """One row a customer who bought before the recent days.

    Args:
        days: `history.purchase_days`: customer_id, ordered_on, net_amount.

    Returns:
        customer_id, repeats (purchase days after the first, before the recent days), days_before (from the first
        purchase to the recent days), quiet_before (days without a purchase when these began), recent (purchase days
        since), mean_value (net amount of a purchase day, currency).
    """
    begin = ibis.literal(as_of - timedelta(days=recent_days))
    known = days.filter(days.ordered_on <= ibis.literal(as_of))
    before = known.ordered_on <= begin
    counted = known.group_by("customer_id").aggregate(
        first=known.ordered_on.min(), last=known.ordered_on.max(where=before), bought=before.cast("int64").sum(),
        recent=(~before).cast("int64").sum(), mean_value=known.net_amount.mean().cast("float64"),
    )
    counted = counted.filter(counted.bought > 0)
    return counted.select(
        "customer_id", repeats=counted.bought - 1, days_before=begin.delta(counted["first"], unit="day"),
        quiet_before=begin.delta(counted["last"], unit="day"), recent="recent", mean_value="mean_value",
    ).order_by("customer_id")


def judge_drops(rows: pd.DataFrame, *, recent_days: int = RECENT_DAYS) -> pd.DataFrame:
    """Those of `rhythms` who are looked at, with expected, shop_factor, p_value, q_value, missing_amount, dropped.

    Returns:
        the rows of customers looked at; expected (purchase days in the recent days), p_value (of so few or fewer),
        q_value (the share of chance among all with a q_value so small), missing_amount (currency: purchase days that
        did not happen, at the own mean value), dropped. No rows where fewer than `FEWEST_CUSTOMERS` are looked at.
    """
    everyone = rows[rows["days_before"] > 0]
    gap = everyone["days_before"] / everyone["repeats"].clip(lower=1)
    seen = everyone[(everyone["repeats"] >= FEWEST_REPEATS) & (everyone["quiet_before"] <= SILENT * gap)]
    if len(seen) < FEWEST_CUSTOMERS:
        empty = dict.fromkeys(("expected", "shop_factor", "p_value", "q_value", "missing_amount"), np.nan)
        return seen.head(0).assign(**empty, dropped=False)
    prior = gamma_prior(everyone["repeats"].to_numpy(float), everyone["days_before"].to_numpy(float))
    before, time, recent = (seen[name].to_numpy(float) for name in ("repeats", "days_before", "recent"))
    own = recent_days * prior.expected(before, time)
    factor = min(1.0, recent.sum() / own.sum())
    p = prior.fewer(recent, before, time, np.full(len(seen), factor * recent_days))
    q = false_discovery_control(p)
    missing = (factor * own - recent).clip(min=0) * seen["mean_value"].clip(lower=0)
    judged = seen.assign(expected=factor * own, shop_factor=factor, p_value=p, q_value=q, missing_amount=missing,
                         dropped=q <= FALSE_SHARE)
    return judged.sort_values(["p_value", "customer_id"], ignore_index=True)
