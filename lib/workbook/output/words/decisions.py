"""What a decision says of itself: who was taken out and why, who is held out, what can be seen, what is expected."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from workbook.data.periods import Period
from workbook.decisions import Decision, Forecast, Power, Price
from workbook.output import i18n
from workbook.output.i18n import _, ngettext

NOT_ASKED = ("no_consent", "no_profiling", "unsubscribed")  # reasons for which a form that is not personal remains


def reason_name(code: str) -> str:
    """Why somebody on the list is not contacted."""
    return {
        "duplicate": _("the same person or the same number twice"),
        "closed": _("account closed, blocked or a test"),
        "no_consent": _("no consent to this channel"),
        "no_profiling": _("objected to being sorted by what they bought"),
        "unsubscribed": _("unsubscribed"),
        "open_complaint": _("a complaint is still open"),
        "recently_contacted": _("contacted recently, or on another list that begins now"),
        "held_out": _("in the control of another running decision"),
    }[code]


def channel_name(code: str) -> str:
    return {"mail": _("by mail"), "sms": _("by text message"), "app": _("in the app"), "call": _("by telephone"),
            "post": _("by post")}[code]


def told(decision: Decision) -> list[str]:
    """Everything that whoever decides should know, a sentence or two each."""
    parts = [headline(decision), taken_out(decision), *not_checked(decision.not_checked),
             alternative(decision.removed), control(decision), power(decision.power, decision.horizon_days),
             *code(decision), forecast(decision), *price(decision.price)]
    return [part for part in parts if part]


def headline(decision: Decision) -> str:
    """What, for whom, by which rule, of which period."""
    return _("{action} {channel}, decided by {owner}: list {name} of {period} ({table}: {rule}), "
             "{n} customers.").format(
        action=decision.action, channel=channel_name(decision.channel), owner=decision.owner, name=decision.list_name,
        period=decision.period, table=decision.table, rule=decision.rule, n=i18n.number(decision.asked))


def taken_out(decision: Decision) -> str:
    """Counts per reason, each customer once; and where several reasons met."""
    if not decision.removed:
        return _("Nobody had to be taken out.")
    counts = _(", ").join(f"{reason_name(code)} {i18n.number(n)}" for code, n in decision.removed.items())
    text = _("Taken out: {n} ({counts}).").format(n=i18n.number(sum(decision.removed.values())), counts=counts)
    more = {code: n - decision.removed.get(code, 0) for code, n in decision.overlaps.items()}
    several = _(", ").join(f"{reason_name(code)} {i18n.number(n)}" for code, n in more.items() if n)
    if several:
        text += _gap() + _("Counted under an earlier reason, and these too: {several}.").format(several=several)
    return text


def not_checked(reasons: Sequence[str]) -> list[str]:
    """What the shop's records say nothing about."""
    sentences = {
        "no_consent": _("No consent to this channel is on record for anybody: nobody was taken out for lack of one. "
                        "Whether it is needed has to be settled elsewhere."),
        "no_profiling": _("No consents are on record: who objected to being sorted by what they bought is not known."),
        "unsubscribed": _("No messages are on record: who has unsubscribed is not known."),
        "recently_contacted": _("No messages are on record: who was contacted recently is known from other lists "
                                "only."),
        "open_complaint": _("No tickets are on record: open complaints are not known."),
    }
    return [sentences[code] for code in reasons if code in sentences]


def alternative(removed: Mapping[str, int]) -> str:
    """What remains for those who may not be addressed in person."""
    n = sum(removed.get(code, 0) for code in NOT_ASKED)
    if not n:
        return ""
    return ngettext(
        "{n} customer may not be addressed in person. What remains is not personal: a message on the site that "
        "everybody sees, a leaflet in every parcel, a poster.",
        "{n} customers may not be addressed in person. What remains is not personal: a message on the site that "
        "everybody sees, a leaflet in every parcel, a poster.", n).format(n=i18n.number(n))


def control(decision: Decision) -> str:
    """Who is held out, how they were drawn, and what that costs."""
    text = _("{treated} are contacted, {control} ({share}) are held out by chance: without them nobody could tell what "
             "would have happened anyway.").format(
        treated=i18n.number(decision.treated), control=i18n.number(decision.control),
        share=i18n.percent(decision.control_share, 0))
    if decision.has_households:
        homes = decision.treated_households + decision.control_households
        text += _gap() + _("Whoever shares an account, a number or an address is in the same arm: {people} people in "
                           "{households} households.").format(
            people=i18n.number(decision.eligible), households=i18n.number(homes))
    each = decision.forecast.effect
    if each is None or each <= decision.cost_per_person:
        return text
    lost = (each - decision.cost_per_person) * decision.control
    return text + _gap() + _("If the forecast is right, holding them out costs {lost} this time; it buys knowing "
                             "whether the action is worth repeating.").format(lost=i18n.money(lost))


def code(decision: Decision) -> list[str]:
    """What is known by the offer's code, and what is not without one."""
    if not decision.code:
        return [_("The offer has no code (--code): orders of people who got hold of it without a message will not be "
                  "known.")] if decision.offer else []
    told = _("Orders with the code {code} will tell who used the offer, also of those held out.").format(
        code=decision.code)
    if "code_in_use" not in decision.warnings:
        return [told]
    return [told, _("**The code {code} was used before:** whoever is held out may know it from elsewhere, and the "
                    "action will seem to do less than it does. A code of its own shows more.").format(
        code=decision.code)]


def power(seen: Power, horizon_days: int) -> str:
    """The smallest effect that the list can show."""
    if seen.smallest_effect is None:
        return _("How much these customers vary is not known: the record is shorter than {days} days, or an arm is too "
                 "small. The list cannot be judged alone.").format(days=horizon_days)
    past = {
        "afterwards": _("In the {days} days after such a list was made, a customer on it brought {mean} on average "
                        "(standard deviation {sd})."),
        "own_past": _("In {days} days of the past these customers brought {mean} each on average (standard deviation "
                      "{sd}); as they were chosen by their past, they may go on differently."),
    }[seen.basis].format(days=horizon_days, mean=i18n.money(seen.mean), sd=i18n.money(seen.sd))
    text = past + _gap() + _("In four of five cases the list shows an effect of {smallest} a customer or more.").format(
        smallest=i18n.money(seen.smallest_effect))
    if seen.judgeable or seen.expected is None:
        return text
    text += _gap() + _("That is more than the {expected} to be expected: **the list is too small to learn from "
                       "alone.**").format(expected=i18n.money(seen.expected))
    if seen.needed:
        text += _gap() + _("About {n} customers would be enough.").format(n=i18n.number(seen.needed))
    return text


def forecast(decision: Decision) -> str:
    """What is expected, and on what ground."""
    guess: Forecast = decision.forecast
    if guess.total is None:
        return _("What the action brings is not known: nothing like it was ever settled, and no effect was stated. It "
                 "pays from {cost} a customer.").format(cost=i18n.money(decision.cost_per_person))
    ground = {
        "settled": _("from settled decisions with the same action"),
        "given": _("as whoever decides assumes"),
        "churn": _("assumed: the risk of leaving, times the share of leavers that a contact keeps, times what these "
                   "customers bring"),
        "campaigns": _("from the matched comparison of earlier campaigns"),
    }[guess.basis]
    return _("Expected after the action's cost: {total} ({low} to {high}); {ground}.").format(
        total=i18n.money(guess.total), low=i18n.money(guess.total_low), high=i18n.money(guess.total_high),
        ground=ground)


def price(divided: Price | None) -> list[str]:
    """Who pays more than their equals, as a data-protection officer and a consumer lawyer would ask."""
    if divided is None or not divided.equal_without:
        return []
    told = [
        _("**Prices between customers:** {favoured} would pay less, {without} of the same segments and classes of "
          "value would not (the control among them), {loyal} of these champions or loyal.").format(
            favoured=i18n.number(divided.favoured), without=i18n.number(divided.equal_without),
            loyal=i18n.number(divided.loyal_without)),
        _("{n} of those favoured paid the plain price within the last 30 days.").format(
            n=i18n.number(divided.bought_lately)),
        _("Ask before it is sent: is the difference fair to explain to a customer who finds out, is a price made for "
          "one person called so (EU: Directive 2011/83, article 6; China: Personal Information Protection Law, article "
          "24), and could everybody who asks have it?"),
    ]
    if divided.personal:
        facts = _(", ").join(fact_name(code) for code in divided.personal)
        told.insert(2, _("Those favoured differ from their equals in: {facts}. Look at whether that is wanted.").format(
            facts=facts))
    return told


def fact_name(code: str) -> str:
    """A personal fact in which two groups differ."""
    return {"gender": _("gender"), "age_band": _("age"), "region": _("region"), "occupation": _("occupation"),
            "income_band": _("income"), "education": _("education")}[code]


def state(decision: Decision) -> str:
    return _("cancelled") if decision.cancelled else _("registered")


def rows(decisions: Sequence[Decision]) -> pd.DataFrame:
    """The account book, newest first: id, period, action, list, owner, treated, control, expected, state."""
    return pd.DataFrame(
        [{"id": one.id, "period": one.period, "action": one.action, "list": one.list_name, "owner": one.owner,
          "treated": one.treated, "control": one.control, "expected": one.forecast.total, "state": state(one)}
         for one in reversed(decisions)],
        columns=["id", "period", "action", "list", "owner", "treated", "control", "expected", "state"])


def plain_list(name: str, rule: str, period: Period, customers: int) -> str:
    """What goes along with a list that is no decision yet: rule, period, count."""
    told = _("{name}: {n} customers of {period}, by the rule: {rule}. A list to look at; to contact anybody on it, "
             "write `workbook export \"saved:{name}\" …`, which takes out who may not be contacted and holds out a "
             "control.")
    return told.format(name=name, n=i18n.number(customers), period=i18n.period(period), rule=rule.strip()) + "\n"


def _gap() -> str:
    """What stands between two sentences: nothing in Chinese."""
    return "" if i18n.lang() == "zh" else " "
