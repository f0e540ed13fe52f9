"""What campaigns that nobody randomised have done, judged by the strictest of three comparisons.

`clean/contacts` and `clean/orders` go in; one `JudgedCampaign` a campaign comes out, with its code:

| code | meaning |
|---|---|
| no_control | (nearly) everybody was written to: only before and after could be compared, and that is refused |
| too_few | fewer than 30 on one side, or fewer than 30 who bought: nothing is said |
| unbalanced | the matched groups still differ by more than 0.1 standard deviations |
| placebo_failed | the same comparison finds an effect before the campaign, where there is none |
| gain, loss | the effect is beyond chance, also as one of several campaigns (Holm) |
| nothing_seen | it is not |

Outcomes: `bought` (share of customers with a purchase in the window) and `spend` (net amount a customer). The naive
comparisons, those who answered and those written to beside all others, are kept to show how far off they are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.ab_testing.campaigns import Campaign, campaigns_sent, histories
from workbook.ab_testing.differences import differences, is_parallel
from workbook.ab_testing.many import correct
from workbook.ab_testing.matching import (
    FEWEST,
    LIMIT,
    Difference,
    match,
    matched_effect,
    plain_difference,
    pooled,
)

CODES = ("no_control", "too_few", "unbalanced", "placebo_failed", "gain", "loss", "nothing_seen")
CLAIMS = ("gain", "loss", "nothing_seen")  # codes under which an effect is stated


class JudgedCampaign(NamedTuple):
    """One campaign and what each comparison says of it. Effects: share of customers, currency a customer."""

    campaign: Campaign
    code: str
    bought: Difference  # matched
    spend: Difference  # matched
    placebo: Difference  # matched, on the window before: bought
    balance: pd.DataFrame  # of the matching
    dates: dict[int, Difference]  # difference-in-differences of bought: 0 the true date, then the false ones
    parallel: bool  # whether the false dates found nothing
    answered: Difference  # naive: who opened or clicked beside all others, bought
    answered_before: Difference  # the same people in the window before the campaign
    reached: Difference  # naive: those written to beside all others, bought


def judge_campaigns(
    orders: ir.Table, returns: ir.Table | None, contacts: ir.Table, campaigns: ir.Table | None = None, *, as_of: date,
    frame: Callable[[ir.Table], pd.DataFrame], rng: np.random.Generator, days: int = 28, most: int = 4,
) -> list[JudgedCampaign]:  # fmt: skip
    """The latest campaigns whose window is over, oldest first.

    Args:
        frame: brings a table of customers into pandas (`run.frame`).
        days, most: length of the window; campaigns at most.
    """
    sent = campaigns_sent(contacts, campaigns, as_of=as_of, days=days, most=most)
    return _corrected([_tested(orders, returns, contacts, campaign, as_of, frame, rng) for campaign in sent])


def _corrected(tested: list[JudgedCampaign]) -> list[JudgedCampaign]:
    """Of several campaigns that do nothing one will look like more than chance."""
    claimed = {place: one.bought.p_value for place, one in enumerate(tested) if one.code in CLAIMS}
    clear = correct(claimed).set_index("name")["significant"]
    return [one._replace(code="nothing_seen") if one.code in CLAIMS and not clear[place] else one
            for place, one in enumerate(tested)]


def _tested(
    orders: ir.Table, returns: ir.Table | None, contacts: ir.Table, campaign: Campaign, as_of: date,
    frame: Callable[[ir.Table], pd.DataFrame], rng: np.random.Generator,
) -> JudgedCampaign:  # fmt: skip
    days_back = campaign.day - timedelta(days=campaign.days)
    people, earlier = (
        frame(histories(orders, returns, contacts, campaign, as_of=as_of, day=day)) for day in (campaign.day, days_back)
    )
    matched = match(people, rng=rng)
    bought = matched_effect(matched, "bought_0")
    placebo = matched_effect(match(earlier, rng=rng), "bought_0")
    dates = differences(people, "bought", days=campaign.days)
    code = _code(people, bought, placebo, matched.worst, matched.rows["bought_0"].sum())
    return JudgedCampaign(
        campaign, code, bought, matched_effect(matched, "spend_0"), placebo, matched.balance, dates,
        is_parallel(dates), plain_difference(people, "answered", "bought_0"),
        plain_difference(people, "answered", "bought_1"), plain_difference(people, "reached", "bought_0"),
    )  # fmt: skip


def _code(people: pd.DataFrame, effect: Difference, placebo: Difference, worst: float, buyers: float) -> str:
    reached = int(people["reached"].sum())
    if reached >= FEWEST > len(people) - reached:
        return "no_control"
    if min(effect.treated, effect.control) < FEWEST or buyers < FEWEST:
        return "too_few"
    if worst > LIMIT:
        return "unbalanced"
    if placebo.is_beyond_chance:
        return "placebo_failed"
    return "gain" if effect.low > 0 else "loss" if effect.high < 0 else "nothing_seen"


def together(tested: Sequence[JudgedCampaign], comparison: str) -> Difference:
    """One comparison (`bought`, `spend`, `answered` …) over all campaigns of which an effect may be stated."""
    return pooled([getattr(one, comparison) for one in tested if one.code in CLAIMS])


def campaign_rows(tested: Sequence[JudgedCampaign]) -> pd.DataFrame:
    """One row a campaign: campaign, day, days, customers (written to), treated, control, effect, low, high (share who
    bought), placebo, placebo_low, placebo_high, did, did_low, did_high, parallel, naive, worst, code."""
    rows = [
        {
            "campaign": one.campaign.name, "day": pd.Timestamp(one.campaign.day), "days": one.campaign.days,
            "customers": one.campaign.customers, "treated": one.bought.treated, "control": one.bought.control,
            "effect": one.bought.value, "low": one.bought.low, "high": one.bought.high,
            "placebo": one.placebo.value, "placebo_low": one.placebo.low, "placebo_high": one.placebo.high,
            "did": one.dates[0].value, "did_low": one.dates[0].low, "did_high": one.dates[0].high,
            "parallel": one.parallel, "naive": one.answered.value, "code": one.code,
            "worst": float(one.balance["smd_after"].abs().max()) if len(one.balance) else np.nan,
        }
        for one in tested
    ]  # fmt: skip
    columns = ["campaign", "day", "days", "customers", "treated", "control", "effect", "low", "high", "placebo",
               "placebo_low", "placebo_high", "did", "did_low", "did_high", "parallel", "naive", "worst", "code"]
    return pd.DataFrame(rows, columns=columns)
