"""What 07_ab_testing says of campaigns that nobody randomised: what they claim naively, and what is left of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pandas as pd

from workbook.ab_testing import CLAIMS, Difference, JudgedCampaign
from workbook.output import i18n
from workbook.output.i18n import _
from workbook.output.words.ab_testing import gap, signed, span

COMPARISONS = ("answered", "answered_before", "reached", "bought", "placebo", "spend")


def no_messages() -> tuple[str, str]:
    """What is not known without contacts, and how to add them."""
    return (_("what your campaigns did: no message is on record, or no campaign's window is over."),
            _("declare a source for the table `contacts` (customer, campaign, time sent) in workbook.yaml."))


def campaign_code(code: str) -> str:
    return {
        "no_control": _("nobody left to compare with"), "too_few": _("too few"),
        "unbalanced": _("groups not alike"), "placebo_failed": _("placebo failed"), "gain": _("gain"),
        "loss": _("loss"), "nothing_seen": _("no effect seen"),
    }[code]  # fmt: skip


def feature_name(name: str) -> str:
    return {
        "purchase_days": _("Purchase days"), "year_days": _("Purchase days in a year"),
        "last_days": _("Purchase days in the last window"), "monetary": _("Net amount so far"),
        "recency_days": _("Days since the last purchase"), "age_days": _("Days since the first purchase"),
        "messages": _("Messages in half a year"),
    }[name]  # fmt: skip


def compared_rows(compared: Mapping[str, Difference]) -> pd.DataFrame:
    """Naive and matched comparisons over all campaigns, for the picture."""
    names = {
        "answered": _("who opened or clicked, beside all others"),
        "answered_before": _("the same people, before the message"),
        "reached": _("who was written to, beside all others"),
        "bought": _("who was written to, matched"),
        "placebo": _("matched, before the message (placebo)"),
    }
    rows = [{"name": names[code], "value": compared[code].value, "low": compared[code].low,
             "high": compared[code].high} for code in names if not math.isnan(compared[code].value)]
    return pd.DataFrame(rows, columns=["name", "value", "low", "high"])


def naive(compared: Mapping[str, Difference]) -> str:
    """What comparing those who answered says, and what it says of a time when nothing was sent."""
    answered, before = compared["answered"], compared["answered_before"]
    if math.isnan(answered.value) or math.isnan(before.value):
        return _("Nobody is on record who opened or clicked.")
    text = _("Among those who opened or clicked a message the share of buyers differs from that of all others by "
             "**{after}** in the weeks after it, and by {before} in the weeks *before* it.").format(
        after=signed(answered.value, "share"), before=signed(before.value, "share"))
    if before.low > 0:
        return text + gap() + _("A message cannot work before it is sent: who opens is a better customer anyway.")
    return text


def no_before_and_after() -> str:
    """Why a plain comparison of before and after is refused."""
    return _("A plain comparison of the weeks before and after is not made here, for any campaign: the season, a "
             "promotion, growth, and the return to the mean of who was just active would all be called an effect. "
             "Without somebody who was *not* written to, nothing can be said.")


def campaign_table(rows: pd.DataFrame) -> pd.DataFrame:
    """One row a campaign: matched effect, placebo, difference-in-differences, as text; what may be said."""
    shown = []
    for row in rows.itertuples():
        trend = span(row.did, row.did_low, row.did_high, "share")
        shown.append({
            "name": row.campaign, "day": row.day, "customers": row.customers,
            "matched": span(row.effect, row.low, row.high, "share"),
            "placebo": span(row.placebo, row.placebo_low, row.placebo_high, "share"),
            "did": trend if row.parallel else _("{effect}, not parallel").format(effect=trend),
            "code": campaign_code(row.code),
        })  # fmt: skip
    return pd.DataFrame(shown, columns=["name", "day", "customers", "matched", "placebo", "did", "code"])


def balance_rows(tested: Sequence[JudgedCampaign]) -> pd.DataFrame:
    """The balance of the latest campaign, with the features' names."""
    columns = ["name", "treated", "before", "after", "smd_before", "smd_after"]
    if not tested:
        return pd.DataFrame(columns=columns)
    table = tested[-1].balance
    return table.assign(name=[feature_name(name) for name in table["feature"]])[columns]


def balance(tested: Sequence[JudgedCampaign]) -> str:
    """How far apart the groups were, and are."""
    if not tested or not len(tested[-1].balance):
        return _("There was nobody to match.")
    table = tested[-1].balance
    return _("Before matching the groups were up to **{before}** standard deviations apart, afterwards **{after}**; "
             "0.1 is the usual limit.").format(before=i18n.number(table["smd_before"].abs().max(), 2),
                                           after=i18n.number(table["smd_after"].abs().max(), 2))


def campaigns(tested: Sequence[JudgedCampaign], compared: Mapping[str, Difference]) -> str:
    """What the campaigns did, over all of which something may be said."""
    effect, spend = compared["bought"], compared["spend"]
    if math.isnan(effect.value):
        return _("Of no campaign may an effect be stated.")
    between = _("between {low} and {high}").format(low=signed(effect.low, "share"), high=signed(effect.high, "share"))
    head = _("Over {n} campaigns, being written to changed the share who bought by **{effect}** ({between}) "
             "and the net amount by {spend} a customer.").format(
        n=i18n.number(sum(one.code in CLAIMS for one in tested)), effect=signed(effect.value, "share"), between=between,
        spend=signed(spend.value, "money"))
    if effect.is_beyond_chance:
        return head + gap() + _("That is beyond chance, if the groups are alike in what is not on record too.")
    return head + gap() + _("That is no more than chance: nothing shows that these messages sell.")
