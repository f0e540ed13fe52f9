"""What 07_ab_testing says of the registered decisions: what each earned, and the account."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from workbook.ab_testing import Calibration, Programme, Settlement, Sum, agrees
from workbook.output import i18n
from workbook.output.i18n import _, ngettext
from workbook.output.words.ab_testing import gap, signed, span

MOST_DRAWN = 8  # decisions in the picture


def none_registered() -> tuple[str, str]:
    """What is not known without a registered decision, and how to begin."""
    return (
        _("what your decisions earn: no list has left this workbook as a decision yet."),
        _("`workbook export churn --action \"call\" --owner NAME --cost 2.50` takes out who must not be contacted, "
          "sets a random control apart and registers the decision; each report from then on says here what it earned."),
    )


def names(settlements: Sequence[Settlement]) -> dict[str, str]:
    """A name for each decision: its action and period, and the end of its id where several would be called the same."""
    short = {one.decision.id: _("{action} ({period})").format(action=one.decision.action.strip(),
                                                             period=one.decision.period) for one in settlements}
    several = Counter(short.values())
    return {key: name if several[name] == 1 else f"{name} · {key.rsplit('-', 1)[-1]}" for key, name in short.items()}


def verdict_name(code: str) -> str:
    return {
        "earned": _("earned money"), "lost": _("lost money"),
        "not_distinguishable": _("not distinguishable from nothing"),
        "not_over": _("not over yet"), "cannot_be_judged": _("cannot be judged"), "cancelled": _("cancelled"),
    }[code]  # fmt: skip


def reason_name(code: str) -> str:
    return {
        "no_control": _("there is no control"), "too_few": _("fewer than 30 people in an arm"),
        "no_orders": _("nobody in either arm bought"),
        "control_contacted": _("more than a tenth of the control was contacted too"),
        "control_used_code": _("more than a tenth of the control had the message or used the offer's code"),
        "split_broken": _("people are missing in one arm only"),
    }[code]  # fmt: skip


def counted(settlements: Sequence[Settlement], found: Programme) -> str:
    """How many decisions are on record, and how far they are."""
    n = len(settlements)
    if not n:
        return _("No decision is in the account book yet; the section on decisions says how to begin.")
    text = ngettext("**{n} decision** is in the account book", "**{n} decisions** are in the account book", n).format(
        n=i18n.number(n))
    parts = [
        (found.settled, _("{n} settled")), (found.running, _("{n} not over yet")),
        (found.unjudged, _("{n} over, but not to be judged")), (found.cancelled, _("{n} cancelled")),
    ]  # fmt: skip
    told = [words.format(n=i18n.number(len(part))) for part, words in parts if part]
    return text + _(": {states}.").format(states=_(", ").join(told))


def naive_rows(settlements: Sequence[Settlement]) -> pd.DataFrame:
    """Two comparisons without the control, and the one with it: currency a treated customer."""
    called = names(settlements)
    rows = [{
        "name": called[one.decision.id], "before_after": one.naive.before_after,
        "everybody_else": one.naive.everybody_else, "control": one.main.difference if one.main else math.nan,
    } for one in reversed(settlements) if one.status == "settled"]
    return pd.DataFrame(rows, columns=["name", "before_after", "everybody_else", "control"])


def naive(settlements: Sequence[Settlement]) -> str:
    """How far the naive comparisons are from the one with the control."""
    kept = [one for one in settlements if one.status == "settled" and one.main]
    if not kept:
        return _("No decision is settled yet, so that there is nothing to compare wrongly.")
    apart = {name: sum(not one.main.low <= getattr(one.naive, name) <= one.main.high for one in kept)
             for name in ("before_after", "everybody_else")}
    return _("Of {n} settled decisions, before and after lies outside the interval of the true comparison in "
             "**{before_after}**, the treated beside everybody else in **{everybody_else}**.").format(
        n=i18n.number(len(kept)), **{name: i18n.number(count) for name, count in apart.items()})


def effect_rows(settlements: Sequence[Settlement]) -> pd.DataFrame:
    """The latest decisions with a figure, for the picture: outcome with its interval, and below it the forecast."""
    called = names(settlements)
    drawn = [one for one in settlements if one.main and not math.isnan(one.main.low)
             and one.status in ("settled", "running")][-MOST_DRAWN:]
    rows = []
    for one in reversed(drawn):
        name = called[one.decision.id]
        outcome = _("outcome") if one.status == "settled" else _("so far, not over yet")
        rows.append({"name": name, "value": one.main.difference, "low": one.main.low, "high": one.main.high,
                     "what": outcome})
        forecast = one.decision.forecast
        if forecast.effect is not None and one.status == "settled":
            rows.append({"name": _("{decision}, forecast").format(decision=name), "value": forecast.effect,
                         "low": _or(forecast.low, forecast.effect), "high": _or(forecast.high, forecast.effect),
                         "what": _("forecast")})
    return pd.DataFrame(rows, columns=["name", "value", "low", "high", "what"])


def decision_rows(settlements: Sequence[Settlement]) -> pd.DataFrame:
    """One row a decision, newest first: how many, effect, what it earned, forecast, verdict."""
    called = names(settlements)
    return pd.DataFrame(
        [{
            "name": called[one.decision.id], "id": one.decision.id, "owner": one.decision.owner,
            "ends_on": pd.Timestamp(one.decision.ends_on),
            "arms": f"{i18n.number(one.treated or one.decision.treated)} : "
                    f"{i18n.number(one.control or one.decision.control)}",
            "effect": span(one.main.difference, one.main.low, one.main.high, "money") if is_shown(one)
            else i18n.NOTHING,
            "earned": _earned(one) if is_shown(one) else i18n.NOTHING,
            "paid": _chance(one.chance_paid) if is_shown(one) else i18n.NOTHING,
            "forecast": _forecast(one), "verdict": verdict_name(one.verdict),
        } for one in reversed(settlements)],
        columns=["name", "id", "owner", "ends_on", "arms", "effect", "earned", "paid", "forecast", "verdict"],
    )  # fmt: skip


def is_shown(one: Settlement) -> bool:
    """Whether a figure is shown: not of what cannot be judged, nor where there is no interval."""
    return one.main is not None and not math.isnan(one.main.low) and one.status in ("settled", "running")


def _chance(x: float) -> str:
    """A chance in whole per cent, never all or nothing: an interval leaves room."""
    if x > 0.99:
        return _("over {share}").format(share=i18n.percent(0.99, 0))
    return _("under {share}").format(share=i18n.percent(0.01, 0)) if x < 0.01 else i18n.percent(x, 0)


def _earned(one: Settlement) -> str:
    return span(*one.earned, "money")


def _forecast(one: Settlement) -> str:
    """The forecast, and whether the outcome agrees with it."""
    told = one.decision.forecast
    if told.effect is None:
        return _("none")
    agreed = agrees(one) if one.status == "settled" else None
    if agreed is None:
        return signed(told.effect, "money")
    if agreed:
        return _("{forecast}, agrees").format(forecast=signed(told.effect, "money"))
    low = one.main is not None and one.main.difference > told.effect
    text = _("{forecast}, was too low") if low else _("{forecast}, was too high")
    return text.format(forecast=signed(told.effect, "money"))


def metric_note(settlements: Sequence[Settlement]) -> str:
    """What the money is counted in."""
    if any(one.main is not None and one.main.metric == "revenue" for one in settlements):
        return _("Effects are revenue a treated customer where the cost of the goods is not known, else margin; earned "
                 "is the effect on all treated, less what the action cost.")
    return _("Effects are margin a treated customer; earned is the effect on all treated, less what the action cost.")


def verdicts(settlements: Sequence[Settlement]) -> list[str]:
    """A sentence on each of the latest decisions, newest first."""
    called = names(settlements)
    return [_verdict(one, called[one.decision.id]) for one in list(reversed(settlements))[:MOST_DRAWN]]


def _verdict(one: Settlement, name: str) -> str:
    if one.status == "cancelled":
        return _("**{decision}**: cancelled; nothing is counted for it.").format(decision=name)
    if one.status == "refused":
        why = _("; ").join(reason_name(code) for code in one.reasons)
        return _("**{decision}**: cannot be judged: {why}. It cost {cost}; what it brought is not known.").format(
            decision=name, why=why, cost=i18n.money(one.cost))
    if one.status == "running":
        return _running(one, name)
    text = {
        "earned": _("**{decision}** earned **{earned}** after its cost of {cost}; the chance that it paid is "
                    "{chance}."),
        "lost": _("**{decision}** lost money: **{earned}** after its cost of {cost}; the chance that it paid is "
                  "{chance}."),
        "not_distinguishable": _("**{decision}** is not distinguishable from earning nothing: {earned} after its cost "
                                 "of {cost}; the chance that it paid is {chance}."),
    }[one.verdict]
    return text.format(decision=name, earned=_earned(one), cost=i18n.money(one.cost),
                       chance=_chance(one.chance_paid))


def _running(one: Settlement, name: str) -> str:
    if not one.days:
        return _("**{decision}** begins on {day}.").format(decision=name, day=i18n.date(one.decision.starts_on))
    text = _("**{decision}** is not over yet: {days} of {all} days; it will be settled with the report that sees "
             "{day}.").format(decision=name, days=i18n.number(one.days), all=i18n.number(one.decision.horizon_days),
                              day=i18n.date(one.decision.ends_on))
    if not is_shown(one):
        return text
    return text + gap() + _("So far {earned} after the whole cost; that is no verdict.").format(earned=_earned(one))


def account_rows(account: pd.DataFrame) -> pd.DataFrame:
    """The account by quarter and action, newest first."""
    rows = account.iloc[::-1].reset_index(drop=True)
    earned = [span(row.earned, row.low, row.high, "money") for row in rows.itertuples()]
    return rows.assign(earned_text=earned)


def programme(found: Programme) -> str:
    """What the whole programme earned."""
    if not found.settled:
        return _("No decision is settled yet: what the programme earns is not known.")
    text = _("All {n} settled decisions together earned **{earned}** after a cost of {cost}.").format(
        n=i18n.number(len(found.settled)), earned=_sum(found.earned), cost=i18n.money(found.cost))
    if found.earned.low <= 0 <= found.earned.high:
        text += gap() + _("That is not distinguishable from nothing.")
    if found.now:
        text += gap() + _("Those that ended in this period: {earned}.").format(earned=_sum(found.earned_now))
    if found.unjudged:
        lost = sum(one.cost for one in found.unjudged)
        text += gap() + _("A further {cost} went to decisions that cannot be judged.").format(cost=i18n.money(lost))
    return text


def _sum(found: Sum) -> str:
    return span(found.value, found.low, found.high, "money")


def calibration(found: Calibration) -> str:
    """How good the forecasts were, or that there are too few to say."""
    if found.code == "none":
        return _("No settled decision had a forecast: how good the advice was cannot be said.")
    if found.code == "too_few":
        return _("{inside} of {n} forecasts agree with their outcome: too few to say how good the advice is.").format(
            inside=i18n.number(found.inside), n=i18n.number(found.forecasts))
    text = _("**{inside} of {n} forecasts** agree with their outcome ({share}; {low} to {high}).").format(
        inside=i18n.number(found.inside), n=i18n.number(found.forecasts), share=i18n.percent(found.share, 0),
        low=i18n.percent(found.share_low, 0), high=i18n.percent(found.share_high, 0))
    if math.isnan(found.ratio):
        return text
    ratio = _("All together brought **{ratio}** times what was forecast ({low} to {high})").format(
        ratio=i18n.number(found.ratio, 2), low=i18n.number(found.ratio_low, 2), high=i18n.number(found.ratio_high, 2))
    if found.ratio_low > 1:
        return text + gap() + ratio + _(": forecasts were too low.")
    if found.ratio_high < 1:
        return text + gap() + ratio + _(": forecasts were too high.")
    return text + gap() + ratio + _(": no bias can be seen.")


def _or(value: float | None, other: float) -> float:
    return other if value is None else value
