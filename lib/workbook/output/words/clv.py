"""What 06_clv says: names of models and forecasts, and sentences that claim no more than their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from workbook import scoring
from workbook.clv.acquisition import Referrals
from workbook.clv.choice import Chosen
from workbook.clv.fits import FEWEST
from workbook.clv.trial import naive
from workbook.clv.value import Arithmetic, Basis
from workbook.data.findings import Figure, Finding
from workbook.output import i18n
from workbook.output.i18n import _, ngettext
from workbook.output.words import levels
from workbook.output.words import rfm as rfm_words
from workbook.output.words import scoring as scoring_words


def summary(found: Mapping[str, Finding], before: Mapping[str, Finding]) -> str:
    """One sentence for the index: what is still to come, and how much of it hangs on the best tenth."""
    total = found.get("expected_spend")
    if total is None or total.value is None:
        return _("Too few repeat purchases to say what is still to come.")
    text = _("The customers of today will probably buy for {total} in the next {months} months (between {low} and "
             "{high}); {share} of their value lies in the best tenth.").format(
        total=_round_money(total.value), low=_round_money(total.low), high=_round_money(total.high),
        months=i18n.number(found["horizon_months"].value), share=i18n.percent(found["best_tenth_share"].value, 0))
    then = before.get("expected_spend")
    if then is not None and then.value is not None:
        text += _gap() + _("(A period ago: {n}.)").format(n=_round_money(then.value))
    return text


def _gap() -> str:
    """What stands between two sentences: nothing in Chinese."""
    return "" if i18n.lang() == "zh" else " "


def _round_money(x: float) -> str:
    return i18n.money(x, 0)


def model_name(code: str) -> str:
    """A model for people."""
    return {"bg_nbd": "BG/NBD", "mbg_nbd": "MBG/NBD", "pareto_nbd": "Pareto/NBD", "gamma_gamma": "Gamma-Gamma",
            "sbg": "sBG"}[code]


def forecast_names(model: str) -> dict[str, str]:
    """Forecasts that compete, code → name."""
    return {
        "model": model_name(model), "boosting": _("Gradient boosting"), "past_rate": _("Own past rate goes on"),
        "last_year": _("As much as in the last year"), "constant": _("Everybody the same"), "zero": _("Nobody buys"),
        "arithmetic": _("The arithmetic"),
    }  # fmt: skip


def group_name(by: str, code: Any) -> str:
    """A group of customers: a segment of 04, a channel, a quarter, a tenth."""
    if by == "segment":
        return rfm_words.segment_name(code)
    if by == "cohort":
        return _("Q{quarter} {year}").format(quarter=(code.month + 2) // 3, year=code.year)
    if by == "tenth":
        return _("Tenth {n}").format(n=code)
    return levels.known().get(code, code)


def named(rows: pd.DataFrame, by: str) -> pd.DataFrame:
    """Rows of groups with a column `name` for people."""
    return rows.assign(name=[group_name(by, code) for code in rows["group"]])


def with_between(rows: pd.DataFrame, by: str, low: str, high: str) -> pd.DataFrame:
    """Rows of groups with names, and the two ends of an interval in one column `between`."""
    ends = zip(rows[low], rows[high], strict=True)
    return named(rows, by).assign(between=[f"{_short_money(a)}–{_short_money(b)}" for a, b in ends])


def _short_money(x: float) -> str:
    return i18n.money(x, 0 if abs(x) >= 100 else 1 if abs(x) >= 10 else 2)


# --- value to date ---------------------------------------------------------------------------------


def basis(rule: Basis) -> str:
    """What value means on this page."""
    known, share = i18n.percent(rule.known_share), i18n.percent(rule.share)
    return {
        "margin": _("On this page value means **margin**: the net amount less the cost of the goods that stayed. Costs "
                    "are recorded for {known} of the sales; {share} of net revenue is margin."),
        "assumed": _("On this page value means **margin by a declared share**: {share} of the net revenue stays. That "
                     "is assumed: recorded costs cover {known} of the sales."),
        "revenue": _("On this page value means **revenue**: costs are recorded for {known} of the sales, too few for a "
                     "margin. Read every amount as sales, not as gain."),
    }[rule.code].format(known=known, share=share)


def value_axis(rule: Basis) -> str:
    """What an axis of value counts."""
    return _("revenue per customer") if rule.code == "revenue" else _("margin per customer")


def arithmetic(a: Arithmetic) -> str:
    """The formula with its figures."""
    if a.value is None:
        return _("Nobody bought in the last twelve months: the formula has nothing to multiply.")
    text = _("{order} a purchase × {times} purchases a year × {years} years = **{value}** per customer.").format(
        order=i18n.money(a.mean_order, 2), times=i18n.number(a.orders_a_year, 2), years=i18n.number(a.years),
        value=i18n.money(a.value))
    if a.customers >= FEWEST:
        return text
    return text + _gap() + _("That rests on {n} customers only and says nothing.").format(n=i18n.number(a.customers))


def arithmetic_misleads(a: Arithmetic) -> list[str]:
    """What is wrong with it, with figures."""
    told = [
        _("It looks at the {customers} who bought in the last twelve months. The other {gone} of {everyone} customers "
          "bought nothing, and the formula does not see them: it is an average of the survivors.").format(
            customers=i18n.number(a.customers), gone=i18n.number(a.everyone - a.customers),
            everyone=i18n.number(a.everyone)),
        _("The years are a guess, and the result grows with the guess. It counts sales and not margin, and money of "
          "the last year as if it came today."),
    ]
    if a.value and a.typical is not None:
        told.insert(1, _("It gives everybody the same. The typical customer (the median) has brought {typical} of "
                         "revenue so far.").format(typical=i18n.money(a.typical)))
    return told


def value_to_date(customers: pd.DataFrame) -> str:
    """What everybody has brought, and how unevenly."""
    values = np.sort(customers["value_to_date"].to_numpy(float))[::-1]
    if not len(values):
        return _("Nobody has bought yet: there is nothing to add up.")
    total, first = values.sum(), values[: max(1, round(len(values) / 10))].sum()
    text = _("{n} customers have brought **{total}** so far, {mean} on average and {median} in the middle.").format(
        n=i18n.number(len(values)), total=_round_money(total), mean=i18n.money(values.mean()),
        median=i18n.money(float(np.median(values))))
    if total > 0 and len(values) >= 10:
        text += _gap() + _("The first tenth brought {share} of it.").format(share=i18n.percent(first / total, 0))
    return text


# --- acquisition -------------------------------------------------------------------------------------


def costs(costs: pd.DataFrame) -> str:
    """What winning customers cost in all."""
    known = costs[costs["cost"].notna()]
    customers, spent = known["customers"].sum(), known["cost"].sum()
    if not customers or not spent:
        return _("No cost of winning customers is recorded, so the value below has nothing to be set against.")
    return _("{spent} were spent to win {customers} customers: **{each}** each.").format(
        spent=_round_money(spent), customers=i18n.number(int(customers)), each=i18n.money(spent / customers))


def payback_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """Channels with the time until their cost came back, in words; the quickest first."""
    ordered = rows.sort_values(["months", "group"], ignore_index=True)
    back = [_months_range(row) for row in ordered.itertuples()]
    return named(ordered, "channel").assign(back=back)


def _months_range(row: Any) -> str:
    if math.isnan(row.months):
        return _("not within {n} months").format(n=row.oldest)
    if math.isnan(row.months_high):
        return _("{months} (at least {low})").format(months=_age(row.months), low=_age(row.months_low))
    if row.months_low == row.months_high:
        return _age(row.months)
    return _("{months} ({low} to {high})").format(
        months=_age(row.months), low=_age(row.months_low), high=_age(row.months_high))


def _age(months: float) -> str:
    if months == 0:
        return _("first purchase day")
    return _("{n} months").format(n=i18n.number(months)) if months != 1 else _("1 month")


def payback(rows: pd.DataFrame) -> str:
    """Which channels have paid back, surely, and which not."""
    if not len(rows):
        return _("No channel has both a known cost and enough customers to say when its cost came back.")
    sure = rows[rows["months_high"].notna()].sort_values("months_high")
    told = []
    if len(sure):
        told.append(_("The cost has surely come back through {channels}.").format(
            channels=_(", ").join(group_name("channel", code) for code in sure["group"])))
    never = rows[rows["months"].isna()]
    if len(never):
        told.append(_("It has not come back yet through {channels}: what is still to come, below, decides.").format(
            channels=_(", ").join(group_name("channel", code) for code in never["group"])))
    if not told:
        told.append(_("The cost seems to have come back everywhere, but the intervals leave room for doubt."))
    return _gap().join(told)


def age_lines(ages: pd.DataFrame, by: str) -> tuple[pd.DataFrame, dict[str, str]]:
    """One row an age and one column a group, for a chart of lines; column → name."""
    wide = ages.pivot_table(index="age_months", columns="group", values="value").reset_index()
    return wide, {code: group_name(by, code) for code in wide.columns if code != "age_months"}


def age_matrix(ages: pd.DataFrame, by: str) -> pd.DataFrame:
    """Groups down, ages across, mean values; blank where a group is not that old."""
    table = ages.pivot_table(index="group", columns="age_months", values="value")
    return table.rename(index=lambda code: group_name(by, code))


def referrals(r: Referrals) -> str:
    """What recommendations brought."""
    if not r.referred:
        return _("Nobody has been recommended yet.")
    return _("{referrers} customers recommended {referred} people, of whom {bought} have bought and brought "
             "**{value}** so far; {reward} of rewards were paid.").format(
        referrers=i18n.number(r.referrers), referred=i18n.number(r.referred), bought=i18n.number(r.bought),
        value=_round_money(r.value_to_date), reward=_round_money(r.reward))


def referred_or_not(ages: pd.DataFrame, age: int) -> str:
    """Referred customers beside the others at one age; a difference only where the intervals part."""
    rows = ages[ages["age_months"] == age].set_index("group")
    if not {"referred", "others"} <= set(rows.index):
        return _("There are too few recommended customers of that age to compare them with the others.")
    one, other = rows.loc["referred"], rows.loc["others"]
    text = _("{n} months after the first purchase a recommended customer has brought {one} (between {low} and {high}), "
             "another one {other} (between {low_2} and {high_2}).").format(
        n=age, one=i18n.money(one["value"]), low=i18n.money(one["low"]), high=i18n.money(one["high"]),
        other=i18n.money(other["value"]), low_2=i18n.money(other["low"]), high_2=i18n.money(other["high"]))
    half = math.hypot(one["high"] - one["value"], other["high"] - other["value"])
    gap = one["value"] - other["value"]
    if abs(gap) <= half:
        return text + _gap() + _("The difference is not beyond chance.")
    return text + _gap() + _("The difference is beyond chance; whether the recommendation makes it, nobody knows: "
                             "good customers have friends like themselves.")


# --- models --------------------------------------------------------------------------------------------


def facts(f: Any) -> str:
    """How much there is to fit."""
    if not f.customers:
        return _("Nobody has bought yet: there is nothing to fit.")
    return _("**{customers} customers**, {one_time} of them with a single purchase day; {repeats} repeat purchases by "
             "{repeaters} customers within {weeks} weeks.").format(
        customers=i18n.number(f.customers), one_time=i18n.number(f.one_time), repeats=i18n.number(f.repeat_purchases),
        repeaters=i18n.number(f.repeaters), weeks=i18n.number(f.history_weeks, 0))


def counted(row: pd.DataFrame) -> str:
    """One customer's counts in words."""
    if not len(row):
        return _("There is no customer to show.")
    one = row.iloc[0]
    text = _("This customer came back on **{x} days**; the last one lies **{t_x} weeks** after the first purchase, "
             "which is **{T} weeks** ago.").format(
        x=i18n.number(int(one["x"])), t_x=i18n.number(one["t_x"], 1), T=i18n.number(one["T"], 1))
    if not pd.isna(one["mean_repeat_value"]):
        text += _gap() + _("A repeat purchase came to {value} on average.").format(
            value=i18n.money(one["mean_repeat_value"]))
    return text


def fit_rows(fits: Mapping[str, Any]) -> pd.DataFrame:
    """Parameters of all fits, one row each, with the model named on its first row."""
    parts = []
    for code, fit in fits.items():
        table = fit.table()
        unit = {"weeks": _("weeks"), "days": _("days"), "currency": i18n.currency_sign() or _("money"),
                "months": _("months")}
        name = [model_name(code)] + [""] * (len(table) - 1)
        parts.append(table.assign(model=name, unit=[unit.get(u, "") for u in table["unit"]]))
    return pd.concat(parts, ignore_index=True)


def fit_summary_rows(fits: Mapping[str, Any]) -> pd.DataFrame:
    """One row a model: log-likelihood, customers, how the search ended."""
    return pd.DataFrame([
        {"model": model_name(code), "log_likelihood": fit.log_likelihood if fit.usable else None,
         "customers": fit.customers, "told": _("; ").join(_convergence(c) for c in fit.codes)}
        for code, fit in fits.items()
    ])  # fmt: skip


def _convergence(code: str) -> str:
    return {
        "converged": _("found"),
        "flat": _("flat near the optimum: intervals by profile"),
        "at_bound": _("a parameter ran to the edge of what is possible"),
        "disagreeing_starts": _("different starts end in different places"),
        "not_converged": _("no optimum found: not used"),
        "too_few": _("too few customers or repeat purchases"),
        "no_mean": _("the value of a new customer has no mean: not used"),
    }[code]


def chosen(c: Chosen, fits: Mapping[str, Any]) -> str:
    """Which model speaks from here on, and whether it stands on its feet."""
    why = {
        "best": _("**{model}** fitted best at the end of {day} and is kept, so that a trend is no change of model."),
        "declared": _("**{model}** is declared in the parameters."),
        "too_few": _("**{model}**: at the end of {day} there was too little to choose by."),
    }[c.reason]
    text = why.format(model=model_name(c.model), day=i18n.date(c.chosen_on))
    if not fits[c.model].usable:
        return text + _gap() + _("It cannot be fitted today: the forecasts below stay empty.")
    others = [fit.log_likelihood for code, fit in fits.items() if code != c.model and fit.usable]
    if others and abs(max(others) - fits[c.model].log_likelihood) < 2:
        text += _gap() + _("Its likelihood and that of the next differ by less than two: the data do not tell them "
                           "apart.")
    return text


def alive_rule(model: str) -> str:
    """What P(alive) may be used for."""
    text = _("P(alive) belongs to its model: the same customers have quite different ones under another model, so "
             "they are compared within {model} only.").format(model=model_name(model))
    if model == "bg_nbd":
        text += _gap() + _("BG/NBD gives 100% to everybody who bought once, whatever time has passed; for them nothing "
                           "is shown.")
    return text


def independence(i: Any) -> str:
    """Whether frequency and value go together, which Gamma-Gamma does not allow for."""
    if i.code == "too_few":
        return _("Too few repeat customers to test whether purchases and their value go together.")
    text = {
        "holds": _("Frequency and value per purchase hardly go together (correlation {r}, between {low} and {high}; of "
                   "ranks {rank}): the assumption of Gamma-Gamma holds."),
        "doubtful": _("**Frequency and value per purchase go together** (correlation {r}, between {low} and {high}; of "
                      "ranks {rank}): Gamma-Gamma assumes that they do not, so the value of the most frequent "
                      "customers is off; the test below shows by how much."),
    }[i.code]
    return text.format(r=i18n.number(i.correlation, 2), low=i18n.number(i.low, 2), high=i18n.number(i.high, 2),
                       rank=i18n.number(i.rank_correlation, 2))


# --- does it predict? ------------------------------------------------------------------------------------


def split(parts: Any, customers: int) -> str:
    """What the test sees and what it is judged by."""
    return _("Fitted on what was known at the end of **{day}** ({customers} customers); judged by the {weeks} weeks "
             "after it, up to {until}.").format(
        day=i18n.date(parts.cut_off), customers=i18n.number(customers), weeks=i18n.number(parts.weeks, 0),
        until=i18n.date(parts.until))


def no_split() -> str:
    return _("The history is too short to hold back a part of it: the forecasts below are untested.")


def whole_weeks(rows: pd.DataFrame) -> pd.DataFrame:
    """The weeks without a last one that is not over."""
    if len(rows) < 2 or (rows["week_end"].iloc[-1] - rows["week_end"].iloc[-2]).days == 7:
        return rows
    return rows.iloc[:-1]


def tracked(rows: pd.DataFrame) -> str:
    """Expected and actual repeat purchases after the cut-off."""
    after = rows[rows["after_cut_off"].astype(bool)] if len(rows) else rows
    if not len(after) or not after["actual"].sum():
        return _("Nothing was bought again after the cut-off, so there is nothing to follow.")
    expected, actual = after["expected"].sum(), after["actual"].sum()
    text = _("After the cut-off the model expected {expected} repeat purchases and {actual} came: **{change}**.")
    return text.format(
        expected=i18n.number(expected, 0), actual=i18n.number(actual, 0), change=i18n.change(expected / actual - 1))


def cut_mark(rows: pd.DataFrame) -> dict[Any, str]:
    """The last week that the fit saw, to be marked in a chart."""
    before = rows[~rows["after_cut_off"].astype(bool)] if len(rows) else rows
    return {before["week"].iloc[-1]: _("cut-off")} if len(before) else {}


def by_frequency(rows: pd.DataFrame) -> str:
    """Where the conditional expectation misses."""
    if not len(rows):
        return _("There is nothing to compare by past frequency.")
    missed = rows[(rows["expected"] < rows["low"]) | (rows["expected"] > rows["high"])]
    if not len(missed):
        return _("Every forecast lies within the interval of what came.")
    return _("Outside the interval of what came: customers with {groups} repeat purchases.").format(
        groups=_(", ").join(str(x) for x in missed["x"]))


def judged_rows(judged: pd.DataFrame, model: str) -> pd.DataFrame:
    """Judged forecasts with their names; none where nothing could be tested."""
    if not len(judged):
        return pd.DataFrame(columns=["name"])
    return scoring_words.rows(judged, forecast_names(model))


def verdicts(judged: pd.DataFrame, model: str) -> list[str]:
    """Whether the model earns its place, by order and by the best tenth; and how far the sum is off."""
    if not len(judged):
        return [no_split()]
    names, own = forecast_names(model), judged.iloc[0]
    sums = _("The sum of the forecasts was off by {bias} (between {low} and {high} by the chance of who the customers "
             "are).").format(bias=i18n.change(own["bias"]), low=i18n.change(own["bias_low"]),
                             high=i18n.change(own["bias_high"]))
    return [scoring_words.verdict(scoring.verdict(naive(judged), measure=measure), names)
            for measure in ("gini", "rmse")] + [*_beside_machine(judged), sums]


def _beside_machine(judged: pd.DataFrame) -> list[str]:
    """How the model stands beside gradient boosting, which is no naive rival; nothing where that was not fitted."""
    machine = judged[judged["forecast"] == "boosting"]
    if not len(machine):
        return []
    row = machine.iloc[0]
    if row["lead_gini_low"] > 0:
        return [_("Gradient boosting, which learned from an earlier window, puts customers in a worse order.")]
    if row["lead_gini_high"] < 0:
        return [_("Gradient boosting, which learned from an earlier window, puts customers in a **better order** than "
                  "the model: for a list, ask it.")]
    return [_("Gradient boosting, which learned from an earlier window, puts customers in no better order beyond "
              "chance.")]


def own_values(errors: pd.DataFrame) -> str:
    """Why a value model must not see the values that it is judged by."""
    rows = errors.set_index("way") if len(errors) else errors
    if not len(errors) or rows["rmse"].isna().any():
        return _("Too few customers bought again after the cut-off to test the value of a purchase.")
    text = _("Judged by the very values that it was given, Gamma-Gamma looks splendid: it misses by {own} and the "
             "correlation is {own_r}. On values that it has not seen it misses by **{honest}** (correlation "
             "{honest_r}), a constant by {constant}.")
    return text.format(
        own=i18n.money(rows.loc["own_values", "rmse"]), own_r=i18n.number(rows.loc["own_values", "correlation"], 2),
        honest=i18n.money(rows.loc["honest", "rmse"]), honest_r=i18n.number(rows.loc["honest", "correlation"], 2),
        constant=i18n.money(rows.loc["constant", "rmse"]))


# --- intervals -------------------------------------------------------------------------------------------


def backtest_rows(tests: pd.DataFrame) -> pd.DataFrame:
    """Earlier forecasts and what came, with the miss and whether the model's own interval held."""
    if not len(tests):
        return tests.assign(change=[], held=[])
    miss = tests["forecast_purchases"] / tests["actual_purchases"].where(tests["actual_purchases"] > 0) - 1
    return tests.assign(change=miss, held=[_("yes") if inside else _("no") for inside in tests["inside"]])


def widening(w: Any, tests: pd.DataFrame) -> str:
    """How past forecasts did, and what follows for the intervals."""
    if w.code == "no_history":
        return _("The history is too short to repeat the forecast on earlier days: the intervals are those of the "
                 "model alone, and such intervals are usually too narrow.")
    text = _("On {n} earlier days the same forecast was made, as known then; in {inside} of them what came lay within "
             "the interval that the model states for itself.").format(
        n=i18n.number(len(tests)), inside=i18n.number(int(tests["inside"].sum())))
    if w.code == "not_needed":
        return text + _gap() + _("Its errors were no larger than it says, so the intervals stay as they are.")
    return text + _gap() + _("Both intervals are therefore widened: that of the total is **{factor} times** as wide as "
                             "the model's own.").format(factor=i18n.number(w.factor, 1))


def two_intervals(totals: pd.DataFrame, months: float) -> list[str]:
    """The two intervals of the total, each with the question that it answers."""
    every = totals[totals["by"] == "all"]
    if not len(every):
        return [nothing_to_come()]
    row = every.iloc[0]
    return [
        _("Expected in the next {months} months: **{purchases} purchases** and **{spend}** of net revenue.").format(
            months=i18n.number(months), purchases=i18n.number(row.expected_purchases, 0),
            spend=_round_money(row.expected_spend)),
        _("*How well is that expectation known?* Between {low} and {high}. This is the interval for comparing groups "
          "and for the mean of many such years.").format(
            low=_round_money(row.expected_spend_low), high=_round_money(row.expected_spend_high)),
        _("*What will really be bought?* Between {low} and {high}. This is the interval for a budget: customers do not "
          "buy their expectation.").format(low=_round_money(row.spend_low), high=_round_money(row.spend_high)),
    ]


def how_it_did(judged: pd.DataFrame, wider: Any) -> str:
    """What the test says of a forecast of money like this one: how far its sum was off, and whether that is chance."""
    if not len(judged):
        return _("No forecast of money like this one could be tested on the past.")
    own = judged.iloc[0]
    off, low, high = (i18n.change(own[f"bias{end}"]) for end in ("", "_low", "_high"))
    if own["bias_low"] <= 0 <= own["bias_high"]:
        text = _("On the test above the sum of such a forecast was off by {off}, which may be chance (between {low} "
                 "and {high}).")
    elif own["bias"] < 0:
        text = _("**On the test above the sum of such a forecast was too low:** off by {off} (between {low} and "
                 "{high}). Read the figures with that in mind.")
    else:
        text = _("**On the test above the sum of such a forecast was too high:** off by {off} (between {low} and "
                 "{high}). Read the figures with that in mind.")
    text = text.format(off=off, low=low, high=high)
    if wider.code == "widened":
        text += _gap() + _("The intervals have been widened for errors of past forecasts of purchases; an error in "
                           "what a purchase comes to is not in them.")
    return text


def total_rows(totals: pd.DataFrame) -> pd.DataFrame:
    """Both intervals of purchases and revenue, one row a measure and question."""
    every = totals[totals["by"] == "all"]
    rows = []
    for row in every.itertuples():
        for measure, kind in (("purchases", _("Purchases")), ("spend", _("Net revenue"))):
            value = getattr(row, f"expected_{measure}")
            rows += [
                {"measure": kind, "question": _("the expectation"), "value": value,
                 "low": getattr(row, f"expected_{measure}_low"), "high": getattr(row, f"expected_{measure}_high")},
                {"measure": "", "question": _("what will really be bought"), "value": value,
                 "low": getattr(row, f"{measure}_low"), "high": getattr(row, f"{measure}_high")},
            ]  # fmt: skip
    return pd.DataFrame(rows, columns=["measure", "question", "value", "low", "high"])


# --- worth ------------------------------------------------------------------------------------------------


def nothing_to_come() -> str:
    return _("Too few repeat purchases: what is still to come cannot be said with any confidence.")


def each(totals: pd.DataFrame, by: str) -> pd.DataFrame:
    """CLV per customer of each group with the interval of the expectation: group, customers, each, low, high."""
    rows = totals[totals["by"] == by]
    per = {name: rows[column] / rows["customers"] for name, column in
           (("each", "clv"), ("low", "clv_low"), ("high", "clv_high"))}
    return rows[["group", "customers"]].assign(**per).sort_values("group", ignore_index=True)


def tenths(totals: pd.DataFrame) -> str:
    """What the best tenth is worth, and what the lower half is."""
    rows = totals[totals["by"] == "tenth"].sort_values("group")
    every = rows["clv"].sum() if len(rows) else 0
    if not every > 0:
        return nothing_to_come()
    best = rows.iloc[0]
    lower = rows.loc[rows["group"].astype(int) > 5, "clv"].sum()
    return _("A customer of the best tenth is worth **{each}** over the horizon; that tenth holds **{share}** of all "
             "that is still to come, the lower half {lower}.").format(
        each=i18n.money(best["clv"] / best["customers"]), share=i18n.percent(best["clv"] / every, 0),
        lower=i18n.percent(lower / every, 0))


def best_group(rows: pd.DataFrame, by: str) -> str:
    """The group with most to come, and whether it is surely ahead of the next."""
    if not len(rows):
        return _("No group is large enough to be told apart.")
    first = rows.iloc[0]
    text = _("Most is still to come from a customer in “{group}”: {each} on average (between {low} and {high}).")
    text = text.format(
        group=group_name(by, first["group"]), each=i18n.money(first["to_come"]),
        low=i18n.money(first["to_come_low"]), high=i18n.money(first["to_come_high"]))
    if len(rows) > 1 and first["to_come_low"] <= rows.iloc[1]["to_come_high"]:
        text += _gap() + _("Its lead over “{next}” is within the intervals.").format(
            next=group_name(by, rows.iloc[1]["group"]))
    return text


def life_caption(by: str, months: int) -> str:
    """What a table of equal age shows."""
    text = {"channel": _("The first {n} months of a customer, by channel"),
            "cohort": _("The first {n} months of a customer, by quarter of the first purchase")}[by]
    return text.format(n=i18n.number(months))


def times_over(rows: pd.DataFrame, months: int) -> str:
    """Which channels earn their cost at equal age."""
    known = rows[rows["times"].notna()]
    if not len(known):
        return _("Without a cost of winning customers nothing can be said about what a channel earns in the end.")
    best, worst = known.loc[known["times"].idxmax()], known.loc[known["times"].idxmin()]
    text = _("Over the first {months} months of a customer, what came and what is still to come, “{best}” brings "
             "{times} times what winning one cost; least does “{worst}”: {least} times.")
    return text.format(
        months=i18n.number(months), best=group_name("channel", best["group"]), times=i18n.number(best["times"], 1),
        worst=group_name("channel", worst["group"]), least=i18n.number(worst["times"], 1))


def survived(fit: Any, months: float, horizon: float, price: float | None, *, others: int = 0) -> str:
    """What a new subscription still brings; and how many are left out, as they are not billed by the month."""
    left_out = ngettext(
        "{n} subscription is not billed by the month and is left out: it can end only when its longer period does.",
        "{n} subscriptions are not billed by the month and are left out: they can end only when a longer period does.",
        others).format(n=i18n.number(others))  # fmt: skip
    told = _survived(fit, months, horizon, price)
    return told + _gap() + left_out if others else told


def _survived(fit: Any, months: float, horizon: float, price: float | None) -> str:
    if not fit.usable:
        return _("Too few subscriptions have run or ended to say how long they last.")
    text = _("A new subscription is expected to be paid for in **{months}** of the next {horizon} months.").format(
        months=i18n.number(months, 1), horizon=i18n.number(horizon))
    if price:
        text += _gap() + _("At {price} a month that is {value} of revenue.").format(
            price=i18n.money(price), value=i18n.money(months * price))
    return text


# --- the explorer --------------------------------------------------------------------------------------------


def budget(found: Any) -> str:
    """What a budget for winning customers buys, and whether it comes back."""
    if found.new_customer is None:
        return nothing_to_come()
    text = _("Today's customers are still worth **{total}** over the horizon. A new one is worth **{value}**: so much "
             "may winning one cost at most.")
    text = text.format(total=_round_money(found.to_come), value=i18n.money(found.new_customer))
    if not found.won:
        return text
    gain = found.won * found.new_customer - found.budget
    template = (
        _("{budget} win {won} customers at {cost} each, who bring {brought}: **{gain} more** than was spent.")
        if gain >= 0 else
        _("{budget} win {won} customers at {cost} each, who bring {brought}: **{gain} less** than was spent.")
    )
    return text + _gap() + template.format(
        budget=_round_money(found.budget), won=i18n.number(found.won), cost=i18n.money(found.cost_each),
        brought=_round_money(found.won * found.new_customer), gain=_round_money(abs(gain)))


def cost_in_period(found: Sequence[Figure]) -> str:
    """What a new customer cost in the period, beside the one before and the year before."""
    told = {figure.name.removeprefix("acquisition_cost_per_customer").lstrip("_"): figure for figure in found}
    now = told[""]
    if now.value is None:
        return {
            "no_costs": _("What a new customer cost in this period is not known: no spending on channels is on record "
                          "for it."),
            "no_new_customers": _("Nobody bought for the first time in this period: what was spent won nobody yet."),
            "partial": _("The period is not over: spending that is told by the month cannot be cut into days."),
        }[now.reason]  # fmt: skip
    text = _("A new customer cost **{cost}** in this period (between {low} and {high}; {n} came).").format(
        cost=i18n.money(now.value), low=i18n.money(now.low), high=i18n.money(now.high), n=i18n.number(now.n))
    by_dates = told["year_basis"].value == "same_dates"
    year_before = _("A year before it was {cost}: {judged}.") if by_dates else _(
        "On the comparable days a year before it was {cost}: {judged}.")
    parts = [text]
    for suffix, noise, sentence in (
        ("before", "noise", _("In the period before it was {cost}: {judged}.")),
        ("year_ago", "year_noise", year_before),
    ):
        then, reach = told[suffix].value, told[noise].value
        if then is not None and reach is not None:
            judged = _("more than chance lies between") if abs(now.value - then) > reach else _(
                "no more than chance lies between")
            parts.append(sentence.format(cost=i18n.money(then), judged=judged))
    if by_dates:
        parts.append(_("Spending is told by the month and cannot be cut into days: a year before means the same dates "
                       "by the calendar, whatever feasts and promotions lie in them."))
    return ("" if i18n.lang() == "zh" else " ").join(parts)
