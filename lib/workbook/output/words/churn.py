"""What 08_churn says: names of features, rivals and reasons, and sentences made of computed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd

from workbook import churn
from workbook.data.findings import Finding
from workbook.data.periods import Period
from workbook.output import i18n
from workbook.output.i18n import _
from workbook.output.words import levels, scoring

MOST_POINTS = 150  # of a drawn curve


def _gap() -> str:
    """What stands between two sentences: nothing in Chinese."""
    return "" if i18n.lang() == "zh" else " "


def _join(*sentences: str) -> str:
    return _gap().join(sentence for sentence in sentences if sentence)


def _between(low: float | None, high: float | None, unit: str) -> str:
    return _("between {low} and {high}").format(low=i18n.quantity(low, unit), high=i18n.quantity(high, unit))


def summary(found: Mapping[str, Finding], before: Mapping[str, Finding]) -> str:
    """One sentence for the index: whom to call, and what is at risk."""
    if found["churn_horizon_days"].value is None:
        return _("Too few purchases were repeated to say after which silence a customer has left.")
    if found["listed_customers"].value is None:
        return _("The record is too short, or too few customers left, to foretell who leaves.")
    text = _("{n} customers are worth contacting before they leave; {value} is at risk with them.").format(
        n=i18n.number(found["listed_customers"].value), value=i18n.quantity(found["value_at_risk"].value, "money"))
    then = before.get("listed_customers")
    if then is not None and then.value is not None:
        text = _join(text, _("(A period ago: {n}.)").format(n=i18n.number(then.value)))
    return text


# --- names -----------------------------------------------------------------------------------------


def feature_name(code: str) -> str:
    """What a model is told, for people."""
    return {
        "recency_days": _("Days since the last purchase"),
        "tenure_days": _("Days since the first purchase"),
        "purchase_days": _("Purchase days so far"),
        "purchase_days_90": _("Purchase days of 90 days"),
        "purchase_days_365": _("Purchase days of a year"),
        "mean_gap_days": _("Mean gap between purchases"),
        "gap_spread": _("Unevenness of the gaps"),
        "recency_over_gap": _("Silence beside the own rhythm"),
        "mean_value": _("Mean value of a purchase day"),
        "last_value": _("Value of the last purchase"),
        "spend_90": _("Spending of 90 days"),
        "spend_12m": _("Spending of twelve months"),
        "spend_change": _("Change of spending"),
        "discount_share": _("Share of discount"),
        "mean_units": _("Units of an order"),
        "categories": _("Categories bought"),
        "products": _("Products bought"),
        "returns_365": _("Returns of a year"),
        "returned_share": _("Share sent back"),
        "visits_30": _("Visits of 30 days"),
        "visits_90": _("Visits of 90 days"),
        "views_90": _("Products looked at in 90 days"),
        "carts_90": _("Carts of 90 days"),
        "days_since_visit": _("Days since the last visit"),
        "contacts_180": _("Messages received in 180 days"),
        "opened_share_180": _("Share of messages opened"),
        "clicks_180": _("Messages clicked in 180 days"),
        "unsubscribed": _("Unsubscribed"),
        "tickets_365": _("Service requests of a year"),
        "complaints_365": _("Complaints of a year"),
        "response_hours": _("Hours until the service answered"),
        "open_overdue": _("Overdue amount"),
        "late_share": _("Share of invoices paid late"),
        "has_contract": _("Holds a subscription"),
        "contract_days": _("Days of the subscription"),
        "contract_ended": _("Has ended a subscription"),
    }[code]


def source_name(code: str) -> str:
    return {
        "orders": _("Order records"), "order_lines": _("Order lines"), "returns": _("Returns"), "events": _("Visits"),
        "contacts": _("Messages"), "tickets": _("Service"), "payments": _("Payments"),
        "subscriptions": _("Subscriptions"),
    }[code]


def rival_names() -> dict[str, str]:
    """Every way to foretell who leaves, for people."""
    return {
        "gradient_boosting": _("Gradient boosting"),
        "logistic": _("Logistic regression"),
        "tree": _("Decision tree"),
        "svm_linear": _("Support vectors, linear"),
        "svm_kernel": _("Support vectors, curved"),
        "hiatus": _("Longest silence first"),
        "base_rate": _("The same for everyone"),
        "p_alive": _("P(alive) of chapter 06"),
        "expected_purchases": _("Purchases expected by chapter 06"),
    }


def rival_name(code: str) -> str:
    return rival_names()[code]


def past_name(code: str) -> str:
    """How often somebody had bought when the gap began."""
    return {"1": _("1 purchase"), "2": _("2 purchases"), "3-4": _("3–4 purchases"), "5-9": _("5–9 purchases"),
            "10+": _("10 or more")}[code]


def window_name(code: str) -> str:
    return {"train": _("Learning"), "validation": _("Choosing"), "test": _("Judging"), "today": _("Today")}[code]


def reason(code: str, direction: str) -> str:
    """One reason: what stands out, and to which side; associated with leaving, no cause."""
    name = feature_name(code)
    said = {"more": _("{feature}: high"), "less": _("{feature}: low"), "unknown": _("{feature}: unknown"),
            "equal": _("{feature}: as usual")}  # fmt: skip
    return said[direction].format(feature=name)


def risk_reason(code: str) -> str:
    return {"late_payer": _("often pays late"), "long_overdue": _("invoice overdue for more than 90 days"),
            "unusual_returns": _("unusually many returns"), "sudden_drop": _("buys far less than before")}[code]


def age_name(code: str) -> str:
    return {"1-30": _("1–30 days"), "31-60": _("31–60 days"), "61-90": _("61–90 days"),
            "over_90": _("more than 90 days")}[code]


def prospect_rivals() -> dict[str, str]:
    return {"most_visits": _("Most visits"), "newest": _("Newest registration"), "model": _("Model")}


# --- definition ------------------------------------------------------------------------------------


def by_hand(theirs: pd.DataFrame, days: int) -> str:
    """The longest silence of the example, and that the naive rule had called it leaving."""
    if not len(theirs):
        return _("Nobody has bought yet: there is no story to follow.")
    gaps = theirs.loc[theirs["returned"] == 1, "gap_days"]
    if not len(gaps):
        return _("This customer has bought once: one purchase has no rhythm.")
    longest = int(gaps.max())
    text = _("The longest silence that ended lasted **{longest} days**, the typical one {median}.").format(
        longest=i18n.number(longest), median=i18n.number(float(gaps.median()), 0))
    if longest > days:
        text = _join(text, _("By the rule of {days} days this customer had left; then came the next order.").format(
            days=i18n.number(days)))
    return text


def naive(found: Any) -> str:
    """How often the naive rule was wrong."""
    if not found.silences:
        return _("Nobody has been silent for {days} days yet.").format(days=i18n.number(found.days))
    return _("By this rule **{silent}** of {customers} customers have left. But of the {silences} silences on record "
             "that lasted so long, **{share}** ended with a purchase ({between}), and more will: the latest have had "
             "little time.").format(
        silent=i18n.number(found.silent_now), customers=i18n.number(found.customers),
        silences=i18n.number(found.silences), share=i18n.percent(found.share),
        between=_between(found.low, found.high, "share"))


def tenure(found: Any) -> str:
    """The mean of who left, beside everybody's curve."""
    if found.mean_days is None:
        return _("Nobody has left yet, so that there is no mean of those who left.")
    text = _("Those who left had stayed **{mean} days** on average.").format(mean=i18n.number(found.mean_days, 0))
    if found.still_there.value != found.still_there.value:
        return text
    return _join(text, _("Of everybody, **{share}** ({between}) are still there after so long: who stays is missing "
                         "from the mean.").format(share=i18n.percent(found.still_there.value),
                                                  between=_between(*found.still_there[1:], "share")))


def meaning(found: Any) -> str:
    """Which event is called churn here."""
    if found.code == "contractual":
        return _("**{share}** of those who bought in the last twelve months hold a subscription: here leaving means "
                 "that the contract ends.").format(share=i18n.percent(found.share))
    if found.holders:
        return _("**{share}** of those who bought in the last twelve months hold a subscription: too few for the "
                 "contract to be what counts. Here leaving means a silence that is too long; subscriptions are looked "
                 "at apart.").format(share=i18n.percent(found.share))
    return _("There are no contracts here: leaving means a silence that is too long.")


def horizon(found: Any) -> str:
    """After which silence a customer has left, and why."""
    if found.days is None:
        return _("Only {returns} silences ended with a purchase: too few to say after which silence a customer has "
                 "left. Declare `horizon_days` to go on.").format(returns=i18n.number(found.returns))
    if found.rule_days is None:
        return _("A customer has left after **{days} days** without a purchase, as declared: too few silences have "
                 "ended for the record to say.").format(days=i18n.number(found.days))
    text = _("By then {share} of those who ever return have returned: **{days} days** ({between}).").format(
        share=i18n.percent(found.share, 0), days=i18n.number(found.rule_days),
        between=_between(round(found.low), round(found.high), "days"))
    if found.source == "declared":
        text = _join(text, _("Declared are {days} days, which is what this page uses.").format(
            days=i18n.number(found.days)))
    if found.source == "capped":
        text = _join(text, _("The record is too short to test so long a horizon: this page uses {days} days.").format(
            days=i18n.number(found.days)))
    return _join(text, _("From the finished gaps alone it would be {naive} days: the long ones had less chance to "
                         "finish.").format(naive=i18n.number(found.naive_days, 0)))


def horizon_rows(by_number: pd.DataFrame) -> pd.DataFrame:
    """The same by number of past purchases, named."""
    days = {name: by_number[name].astype(float).round() for name in ("days", "low", "high", "naive_days")}
    return by_number.assign(name=[past_name(code) for code in by_number["past"]], **days)


def return_curves(curves: pd.DataFrame, span_days: int) -> pd.DataFrame:
    """Share who have returned by day, by number of past purchases; thinned, within the span."""
    seen = curves[curves["day"] <= span_days] if span_days else curves
    order = {code: place for place, code in enumerate(churn.PAST)}
    seen = thinned(seen.sort_values("group", key=lambda codes: codes.map(order), kind="stable"), "group")
    return seen.assign(name=[past_name(code) for code in seen["group"]], returned=1 - seen["survival"],
                       returned_low=1 - seen["high"], returned_high=1 - seen["low"])


def thinned(curves: pd.DataFrame, group: str, most: int = MOST_POINTS) -> pd.DataFrame:
    """At most so many points a curve, the last one always."""
    parts = [rows.iloc[sorted({*range(0, len(rows), max(1, len(rows) // most)), len(rows) - 1})]
             for _name, rows in curves.groupby(group, sort=False)]
    return pd.concat(parts) if parts else curves


# --- survival --------------------------------------------------------------------------------------


def start_curves(curves: pd.DataFrame, last: int) -> pd.DataFrame:
    """Share who have bought again, by group of the first purchase."""
    seen = thinned(curves[curves["day"] <= last], "group")
    return seen.assign(name=[start_name(code) for code in seen["group"]], returned=1 - seen["survival"],
                       returned_low=1 - seen["high"], returned_high=1 - seen["low"])


def start_name(code: str) -> str:
    """The group of a first purchase; a channel is shown as the shop writes it."""
    return {"amount_low": _("smaller first purchase"), "amount_high": _("larger first purchase")}.get(code, code)


def log_rank(found: Any) -> str:
    """Whether the curves differ by more than chance."""
    if found.code == "too_few":
        return _("Too few customers or second purchases to compare groups.")
    facts = {"chi2": i18n.number(found.chi2, 1), "degrees": found.degrees, "p": p_value(found.p_value)}
    if found.code == "differ":
        return _("The curves differ by more than chance (log-rank: χ² {chi2}, {degrees} degrees of freedom, "
                 "p {p}).").format(**facts)
    return _("No difference beyond chance between the curves (log-rank: χ² {chi2}, {degrees} degrees of freedom, "
             "p {p}).").format(**facts)


def p_value(p: float) -> str:
    return _("below 0.001") if p < 0.001 else i18n.number(p, 3)


def covariate_name(code: str) -> str:
    """A fact of the first purchase."""
    column, _equals, value = code.partition("=")
    if value:
        return {"first_channel": _("First channel: {value}"), "first_region": _("First region: {value}")}[
            column].format(value=value)
    return {
        "log2_first_amount": _("First amount twice as large"),
        "first_discount_share": _("Discount of the first purchase (0 → 100 %)"),
        "first_units": _("One more unit in the first purchase"),
        "first_categories": _("One more category in the first purchase"),
    }[code]


def cox_rows(table: pd.DataFrame) -> pd.DataFrame:
    """Hazard ratios with names, the clearest first."""
    rows = table.assign(name=[covariate_name(code) for code in table["covariate"]])
    return rows.assign(check=[_("holds") if ok else _("changes with time") for ok in rows["proportional"]])


def cox(found: Any) -> str:
    """What goes with buying again sooner or later, and whether the model's assumption holds."""
    if found.code == "too_few":
        return _("Too few second purchases for a Cox model.")
    sooner = [covariate_name(row.covariate) for row in found.table.itertuples() if row.direction == "sooner"]
    later = [covariate_name(row.covariate) for row in found.table.itertuples() if row.direction == "later"]
    parts = []
    if sooner:
        parts.append(_("Goes with buying again sooner: {names}.").format(names=_(", ").join(sooner)))
    if later:
        parts.append(_("Goes with buying again later: {names}.").format(names=_(", ").join(later)))
    if not parts:
        parts.append(_("None of these facts of the first purchase goes with a second one beyond chance."))
    if found.code == "breaks":
        parts.append(_("The assumption that a ratio stays the same over time **does not hold** for all of them (p "
                       "{p}): where the table says so, read the ratio as an average.").format(
            p=p_value(found.p_value_global)))
    else:
        parts.append(_("The assumption that a ratio stays the same over time is not contradicted (p {p}).").format(
            p=p_value(found.p_value_global)))
    return _join(*parts)


def contract_curve(curve: pd.DataFrame) -> pd.DataFrame:
    """Share of the subscriptions that still run after so many days."""
    return thinned(curve.assign(group=""), "group") if len(curve) else curve


def subscriptions(after: Any, median: Any, monthly: Any, n: int) -> str:
    """How long subscriptions last, and what share ends in a month."""
    if monthly is None:
        return _("Without subscriptions there is nothing to say here.")
    text = _("Of {n} subscriptions, **{share}** ({between}) run for a year or longer.").format(
        n=i18n.number(n), share=i18n.percent(after.value), between=_between(*after[1:], "share"))
    if after.value != after.value:
        text = _("{n} subscriptions are on record; none has been watched for a year yet.").format(n=i18n.number(n))
    if median.value == median.value:
        text = _join(text, _("Half of them end within {days} days.").format(days=i18n.number(median.value, 0)))
    return _join(text, _("In the last months **{share}** ({between}) of the running ones ended in a month.").format(
        share=i18n.percent(monthly.value), between=_between(monthly.low, monthly.high, "share")))


# --- features, windows, rivals ----------------------------------------------------------------------


def window_rows(windows: Sequence[Any], horizon_days: int) -> pd.DataFrame:
    """The stretches of time of each window: what is known, and what is foretold."""
    rows = []
    for window in windows:
        name, ahead = window_name(window.name), timedelta(days=1)
        rows.append({"name": name, "from": window.scored_on - timedelta(days=horizon_days), "to": window.scored_on,
                     "kind": _("active customers bought in these days")})
        rows.append({"name": name, "from": window.scored_on + ahead, "to": window.until,
                     "kind": _("who does not buy in these days has left")})
    return pd.DataFrame(rows, columns=["name", "from", "to", "kind"])


def feature_rows(names: Sequence[str]) -> pd.DataFrame:
    """What the models are told, by source: source, features, names."""
    there = [feature for feature in churn.FEATURES if feature.name in set(names)]
    sources = dict.fromkeys(feature.source for feature in there)
    return pd.DataFrame([
        {"source": source_name(source), "features": len(mine), "names": _(", ").join(mine)}
        for source in sources
        for mine in [[feature_name(feature.name) for feature in there if feature.source == source]]
    ], columns=["source", "features", "names"])  # fmt: skip


def left_out(columns: Sequence[str]) -> str:
    """What is known only as of now, and stays out."""
    if not columns:
        return _("Nothing had to be left out: every fact is dated.")
    return _("{n} columns of the customer file are left out, since only today's value is known: today's value may "
             "itself follow from leaving.").format(n=i18n.number(len(columns)))


def outlook(trial: Any, windows: Sequence[Any], longest: int) -> str:
    """Whether there is enough to learn from; else why not."""
    if not windows:
        return _("The record is too short for learning, choosing and judging in time order (a horizon of {days} "
                 "days at most). No list is made.").format(days=i18n.number(longest))
    told = _("; ").join(
        _("{window}: {left} of {n}").format(window=window_name(name), left=i18n.number(left), n=i18n.number(n))
        for name, (n, left) in trial.events.items())
    text = _("Who left, of the active customers — {told}.").format(told=told)
    if isinstance(trial, churn.TooFew):
        return _join(text, _("That is too few, who left or who stayed, to learn from and to be judged by. No list is "
                             "made."))
    return _join(text, _("Chosen on the second window: **{model}**. The third window judges it.").format(
        model=rival_name(trial.chosen)))


def judged_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Every rival with its name, the best first."""
    empty = {name: pd.Series(dtype=float) for name in _MEASURES if name not in rows}
    rows = rows.assign(**empty).sort_values("auc", ascending=False, kind="stable", ignore_index=True)
    return rows.assign(name=[rival_name(code) for code in rows["prediction"]])


_MEASURES = ("auc", "auc_low", "auc_high", "average_precision", "brier")


def shown_rivals(trial: Any) -> list[str]:
    """Whose curves are drawn: the chosen model and the simple rules, so that a picture stays readable."""
    if not hasattr(trial, "chosen"):
        return []
    others = [name for name in ("hiatus", "p_alive", "expected_purchases") if name in trial.predictions]
    return [trial.chosen, *others]


def named(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(name=[rival_name(code) for code in rows["rival"]])


def verdict(found: Any) -> str:
    """Whether the model earns its place."""
    if found is None:
        return _("Nothing could be judged.")
    return scoring.verdict(found, rival_names())


def share_caught(gain: pd.DataFrame, list_share: float) -> str:
    """What the first part of the list catches."""
    if not len(gain):
        return _("Without a forecast there is no list to weigh.")
    row = gain.loc[(gain["list_share"] - list_share).abs().idxmin()]
    return _("The first {list} by risk hold **{caught}** of all who then left: {lift} times as many as a list drawn by "
             "lot.").format(list=i18n.percent(row["list_share"], 0), caught=i18n.percent(row["caught_share"]),
                            lift=i18n.number(row["lift"], 2))


# --- profit, list ------------------------------------------------------------------------------------


def terms(found: Any, saved: Any = None) -> str:
    """What the profit rests on; `saved` is what an experiment measured."""
    text = _("A contact costs {contact}, an accepted offer {offer}; of those who would leave, {save} stay because of "
             "it.").format(contact=i18n.money(found.contact_cost, 2), offer=i18n.money(found.offer_cost, 2),
                           save=i18n.percent(found.save_rate))
    if found.evidence == "randomised":
        return _join(text, _("The last figure was measured by an experiment on {n} customers ({between}).").format(
            n=i18n.number(saved.treated + saved.control), between=_between(*saved.rate[1:], "share")))
    return _join(text, _("**These are assumptions:** set your own in the parameters; only an experiment (07) can "
                         "measure the last one."))


def optimum(found: Any) -> str:
    """From which risk on contacting pays, as chosen on the second window."""
    if found is None:
        return _("Without a forecast there is no list, and no profit to choose it by.")
    if found.code == "contact_none":
        return _("**Contacting nobody is best** at these costs: what is saved does not pay for what is spent.")
    if found.code == "contact_all":
        return _("At these costs it pays to contact everybody.")
    text = _("It pays to contact customers with at least **{threshold}** at risk").format(
        threshold=i18n.money(found.threshold))
    if found.low is not None:
        text += _(" ({between})").format(between=_between(found.low, found.high, "money"))
    return text + _(": {share} of the active customers of the second window, on which this was chosen.").format(
        share=i18n.percent(found.share, 0))


def earned(found: Any) -> str:
    """What the threshold would have earned on the window that judges."""
    if found is None:
        return _("Nothing could be judged.")
    if not found.customers:
        return _("On the window that judges nobody is contacted, and nothing is earned or lost.")
    text = _("On the window that judges, which had no part in the choice, the list would have had {n} customers, of "
             "whom **{precision}** left ({between}), and earned **{profit}** ({money}).").format(
        n=i18n.number(found.customers), precision=i18n.percent(found.precision),
        between=_between(found.precision_low, found.precision_high, "share"), profit=i18n.money(found.profit),
        money=_between(found.profit_low, found.profit_high, "money"))
    if found.lead_low > 0:
        return _join(text, _("That is {lead} more than contacting everybody or nobody.").format(
            lead=i18n.money(found.lead)))
    return _join(text, _("Beyond chance that is not more than contacting everybody or nobody would have earned."))


def importance_rows(table: pd.DataFrame, most: int = 10) -> pd.DataFrame:
    """The facts that matter most, the loss in hundredths of AUC."""
    rows = table.head(most)
    hundredths = {name: 100 * rows[name].astype(float) for name in ("drop_auc", "low", "high")}
    return rows.assign(name=[feature_name(code) for code in rows["feature"]], **hundredths)


def list_rows(listed: pd.DataFrame, most: int = 10) -> pd.DataFrame:
    """The head of the early-warning list, reasons in words."""
    rows = listed.head(most)
    told = []
    for row in rows.to_dict("records"):
        codes = [(row[f"reason_{i}"], row[f"direction_{i}"]) for i in (1, 2, 3)]
        said = [reason(code, side) for code, side in codes if isinstance(code, str) and side != "equal"]
        told.append(_("; ").join(said) or _("nothing stands out: listed for the value"))
    return rows.assign(reasons=told)


def listing(found: Any, earned: Any) -> str:
    """Size and value of the list, and what precision to expect."""
    if not len(found.everyone):
        return _("There is no list without a forecast.")
    if not len(found.listed):
        return _("Nobody is on the list: contacting does not pay for anyone at these costs.")
    text = _("**{n} of {of}** active customers are on the list; **{value}** is at risk with them.").format(
        n=i18n.number(len(found.listed)), of=i18n.number(len(found.everyone)),
        value=i18n.money(found.listed["value_at_risk"].sum()))
    text = _join(text, _("A customer's value is what chapter 06 still expects of them.") if found.measured == "clv" else
                 _("A customer's value is the margin of the last twelve months: chapter 06 has not been run."))
    if earned is None or not earned.customers:
        return text
    return _join(text, _("Expect {precision} of them to leave if nobody does anything ({between}).").format(
        precision=i18n.percent(earned.precision),
        between=_between(earned.precision_low, earned.precision_high, "share")))


def _beside_chance(now: float, earlier: Any) -> str:
    return _("more than chance alone would do") if abs(now - earlier.value) > earlier.noise else _(
        "no more than chance alone would do")


def at_risk_earlier(found: Any, earlier: Any, before: Period) -> str:
    """Whether more is at risk than a period ago."""
    if earlier.value is None:
        return {
            "too_few": _("What was at risk a period ago cannot be told: there is no forecast."),
            "not_recomputed": _("What was at risk a period ago cannot be told: today's rule lists nobody by the margin "
                                "of twelve months, which is all that is known of then."),
        }[earlier.reason]  # fmt: skip
    now = float(found.listed["value_at_risk"].sum())
    return _("By the same rule {then} was at risk at the end of {before}; today it is **{now}**: {judged}.").format(
        then=i18n.money(earlier.value), before=i18n.period(before), now=i18n.money(now),
        judged=_beside_chance(now, earlier))


def at_risk_a_year_ago(found: Any, earlier: Any, then: date | None) -> str:
    """Whether more is at risk than on the same date a year before, and why it is not aligned to feasts."""
    if then is None:
        return _("What was at risk a year ago cannot be told: the record has less than twelve months before that day, "
                 "and the value at stake is the margin of twelve months.")  # fmt: skip
    if earlier.value is None:
        return {
            "too_few": _("What was at risk a year ago cannot be told: there is no forecast."),
            "not_recomputed": _("What was at risk a year ago cannot be told: today's rule lists nobody by the margin "
                                "of twelve months, which is all that is known of then."),
        }[earlier.reason]  # fmt: skip
    now = float(found.listed["value_at_risk"].sum())
    text = _("By the same rule {then} was at risk on {day}, a year before; today it is **{now}**: {judged}. This is a "
             "state on a day and no sum of days, so that no feast can be aligned: both dates are the same.")
    return text.format(
        then=i18n.money(earlier.value), day=i18n.date(then), now=i18n.money(now), judged=_beside_chance(now, earlier))


def window_table(rows: pd.DataFrame) -> pd.DataFrame:
    """The windows by name; without any the columns stay."""
    empty = {name: pd.Series(dtype=float) for name in ("share", "forecast_mean", "n", "auc", "low", "high")
             if name not in rows}
    return rows.assign(name=[window_name(code) for code in rows["window"]], **empty)


def fairness_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Segments large enough to be looked at, the largest first, by the names that people give them."""
    empty = {name: pd.Series(dtype=float) for name in ("flagged_share", "recall") if name not in rows}
    kept = rows.assign(**empty)[rows["code"] != "too_few"]
    names = [levels.known().get(segment, segment) for segment in kept["segment"]]
    return kept.assign(name=names).sort_values("n", ascending=False, ignore_index=True)


def stability(psi: float | None, moved: pd.DataFrame) -> str:
    """Whether today's customers are like those of the window that judged."""
    if psi is None:
        return _("Without a forecast there is nothing that could move.")
    text = _("The scores have moved by a PSI of {psi}").format(psi=i18n.number(psi, 3))
    text += _(": hardly at all.") if psi < 0.1 else _(": noticeably.") if psi < 0.25 else _(
        ": a lot. Trust the list less.")
    shifted = [feature_name(code) for code in moved.loc[moved["code"] == "shifted", "feature"]]
    if not shifted:
        return _join(text, _("No feature has shifted."))
    return _join(text, _("Shifted: {names}.").format(names=_(", ").join(shifted[:5])))


def fairness(rows: pd.DataFrame) -> str:
    """Segments for which the forecast is too high or too low."""
    over = list(rows.loc[rows["code"] == "over", "name"])
    under = list(rows.loc[rows["code"] == "under", "name"])
    if not len(rows) or (rows["code"] == "too_few").all():
        return _("No segment is large enough to be looked at apart.")
    if not over and not under:
        return _("In every segment that is large enough, the forecast lies inside the interval of what happened.")
    parts = []
    if over:
        parts.append(_("The forecast is too high for {names}.").format(names=_(", ").join(over)))
    if under:
        parts.append(_("The forecast is too low for {names}.").format(names=_(", ").join(under)))
    return _join(*parts)


# --- risk -------------------------------------------------------------------------------------------


def ageing_rows(ages: pd.DataFrame, rolls: pd.DataFrame) -> pd.DataFrame:
    """Open invoices by age, and the share still open a month later, where at least ten were followed."""
    followed = rolls[rolls["invoices"] >= 10][["age", "share", "low", "high"]].rename(columns={"share": "rolled"})
    rows = ages.merge(followed, on="age", how="left")
    return rows.assign(name=[age_name(code) for code in rows["age"]])


def no_payments() -> str:
    return _("Without invoices nothing is said about who pays late.")


def ageing(rows: pd.DataFrame) -> str:
    """What is open, and how much of it for long."""
    total = float(rows["amount"].sum())
    if not total:
        return _("No invoice is overdue.")
    old = float(rows.loc[rows["age"] == "over_90", "amount"].sum())
    return _("**{total}** is overdue, in {n} invoices; {share} of it for more than 90 days.").format(
        total=i18n.money(total), n=i18n.number(rows["invoices"].sum()), share=i18n.percent(old / total))


def payers(rows: pd.DataFrame) -> str:
    """Who often pays late."""
    if len(rows) < churn.FEWEST_PAYERS:
        return _("Only {n} customers have had invoices: too few to say who pays late.").format(n=i18n.number(len(rows)))
    late = rows[rows["is_late"]]
    return _("Of {n} customers with invoices, **{late}** surely pay more than a third of them late; they owe {open} "
             "that is overdue. A limit is suggested only from {fewest} invoices on.").format(
        n=i18n.number(len(rows)), late=i18n.number(len(late)), open=i18n.money(late["open_amount"].sum()),
        fewest=churn.FEWEST_INVOICES)


def returners(rows: pd.DataFrame) -> str:
    """Who returns unusually much, with care."""
    if rows["unusual_probability"].isna().all():
        return _("Things sent back: {n}. That is too few to say what is unusual.").format(
            n=i18n.number(rows["returned"].sum()))
    unusual = rows[rows["is_unusual"]]
    if not len(unusual):
        return _("Nobody surely sends back more than twice what is usual for what they buy.")
    whole = rows["returned_amount"].sum()
    return _("**{n} customers** surely send back more than twice what is usual for what they buy; {share} of the money "
             "given back went to them. Unusual is not dishonest: look before you speak.").format(
        n=i18n.number(len(unusual)), share=i18n.percent(unusual["returned_amount"].sum() / whole if whole else 0))


def drops(rows: pd.DataFrame) -> str:
    """Who suddenly buys less."""
    if not len(rows):
        return _("Too few customers with a rhythm of their own to see sudden drops.")
    dropped = rows[rows["dropped"]]
    text = _("{n} customers had a rhythm and kept it until then.").format(n=i18n.number(len(rows)))
    if not len(dropped):
        return _join(text, _("Nobody's recent purchases are so few that chance does not explain them: with so many "
                             "looked at, a few quiet ones are expected."))
    return _join(text, _("**{n}** now buy so much less that chance hardly explains it; together they would have bought "
                         "for {money} more.").format(n=i18n.number(len(dropped)),
                                                     money=i18n.money(dropped["missing_amount"].sum())))


def risk_rows(table: pd.DataFrame, most: int = 10) -> pd.DataFrame:
    """Those with a reason, highest score first, reasons in words."""
    rows = table[table["reasons"] != ""].head(most)
    return rows.assign(told=[_("; ").join(risk_reason(code) for code in codes.split()) for codes in rows["reasons"]])


def returner_rows(rows: pd.DataFrame, most: int = 10) -> pd.DataFrame:
    """The largest plain shares, beside what they are drawn towards: why a share alone accuses the wrong people."""
    told = rows[rows["returned"] > 0].assign(share=rows["returned"] / rows["lines"])
    return told.sort_values(["unusual_probability", "share", "customer_id"], ascending=[False, False, True]).head(most)


# --- prospects --------------------------------------------------------------------------------------


def prospects(outlook: Any, listed: int) -> str:
    """Whom of those who never bought to write to, and on what ground."""
    if not len(outlook.today):
        return _("Nobody is known who has not bought yet.")
    if outlook.code == "too_few":
        return _("Of the prospects of earlier windows {train} and {test} bought: too few to learn who will. The list "
                 "below is the naive one, most visits first ({n} customers); whether visits foretell a purchase here "
                 "is not known.").format(train=i18n.number(outlook.buyers_train),
                                         test=i18n.number(outlook.buyers_test), n=i18n.number(listed))
    return _("Learned from {train} prospects who bought, judged on {test} later ones; {n} are listed.").format(
        train=i18n.number(outlook.buyers_train), test=i18n.number(outlook.buyers_test), n=i18n.number(listed))


def prospect_verdict(found: Any) -> str:
    """Whether the model of prospects earns its place."""
    if found is None:
        return _("No model was made of them, so there is none to judge.")
    return scoring.verdict(found, prospect_rivals())
