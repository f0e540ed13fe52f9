"""What 07_ab_testing says: names of codes, rows for tables, and sentences that claim no more than the interval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from workbook.ab_testing import Duration, Reviewed, plannable
from workbook.data.findings import Finding
from workbook.output import i18n
from workbook.output.i18n import _

PER_UNIT = "_per_unit"
MONEY = {"revenue", "margin", "revenue_per_order", "revenue_per_unit", "margin_per_unit", "worth"}
RATES = {"bought"}
ARMS = ["arm", "customers", "total", "squares", "buyers"]


def summary(found: Mapping[str, Finding], before: Mapping[str, Finding]) -> str:
    """One sentence for the index: how many experiments were judged and shipped, and what is running."""
    judged = found["experiments_judged"].value
    if not found["experiments_known"].value:
        return _decided(found) or _("No experiment is on record: what works is not known.")
    text = _("{judged} experiments are judged, {shipped} of them to keep; {refused} may not be read, {running} are "
             "running.").format(
        judged=i18n.number(judged), shipped=i18n.number(found["experiments_shipped"].value),
        refused=i18n.number(found["experiments_refused"].value),
        running=i18n.number(found["experiments_running"].value))
    if "experiments_judged" in before and before["experiments_judged"].value is not None:
        text += gap() + _("(A period ago: {n}.)").format(n=i18n.number(before["experiments_judged"].value))
    told = _decided(found)
    return text + gap() + told if told else text


def _decided(found: Mapping[str, Finding]) -> str:
    """What the settled decisions earned; nothing where there is none."""
    earned = found.get("programme_earned")
    if earned is None or earned.value is None:
        return ""
    return _("{n} settled decisions earned {earned}.").format(
        n=i18n.number(found["decisions_settled"].value), earned=span(earned.value, earned.low, earned.high, "money"))


def gap() -> str:
    """What stands between two sentences: nothing in Chinese."""
    return "" if i18n.lang() == "zh" else " "


def metric_name(name: str) -> str:
    """A metric for people; one of the shop's own keeps its name."""
    if name.endswith(PER_UNIT):
        base = name.removesuffix(PER_UNIT)
        return _("Revenue per order") if base == "revenue" else _("{metric} per unit").format(metric=metric_name(base))
    return {
        "orders": _("Orders per customer"), "revenue": _("Revenue per customer"), "margin": _("Margin per customer"),
        "bought": _("Share who bought"), "revenue_per_order": _("Revenue per order"), "spend": _("Net amount"),
    }.get(name, name.replace("_", " "))  # fmt: skip


def metric_unit(name: str, kind: str = "mean") -> str:
    return "money" if name in MONEY else "share" if name in RATES or kind == "rate" else "number"


def arm_name(arm: str) -> str:
    return {"control": _("control"), "treatment": _("treatment")}.get(arm, arm)


def experiment_name(name: str) -> str:
    """The shop's own name of the experiment, without underscores."""
    return _upper(name.replace("_", " "))


def _of_arm(name: str, arm: str) -> str:
    """An experiment, and which of its arms where they have names of their own; a decision by its id in the account."""
    if arm == "treated":
        return name
    return experiment_name(name) + ("" if arm == "treatment" else f" · {arm_name(arm)}")


def phase_name(code: str) -> str:
    return {"running": _("running"), "finished": _("finished")}[code]


def verdict_name(code: str) -> str:
    return {
        "refuse": _("not to be read"), "immature": _("too early"), "ship": _("keep it"), "stop": _("stop it"),
        "continue": _("go on"),
    }[code]  # fmt: skip


def health_name(code: str) -> str:
    return {
        "ok": _("usable"), "weak": _("past explains little"), "unbalanced": _("arms differed before"),
        "no_covariate": _("no past known"),
    }[code]  # fmt: skip


def method_name(code: str) -> str:
    return {"raw": _("as measured"), "cuped": _("with CUPED"), "capped": _("largest capped")}[code]




def fault_name(code: str) -> str:
    return {
        "two_arms": _("in two arms"), "exposed_before_assigned": _("saw it before they were assigned"),
        "never_exposed": _("never saw it"), "no_outcome": _("without an outcome"),
        "outcome_without_arm": _("with an outcome but no arm"),
        "measured_before_assigned": _("measured before they were assigned"),
    }[code]  # fmt: skip


def segment_name(code: str) -> str:
    return {"one_order": _("one order before"), "more_orders": _("two orders or more before"),
            "no_order": _("no order before")}.get(code, code)  # fmt: skip


def missing() -> tuple[str, str]:
    """What is not known without assignments, and how to add them."""
    return (
        _("which change works: no experiment is on record. The planning below and the campaigns need none."),
        _("declare a source for the table `assignments` (experiment, customer, arm, time) in workbook.yaml; results "
          "are then counted from your orders, or taken from `outcomes`."),
    )



def counted(reviewed: Sequence[Reviewed]) -> str:
    """How many experiments are on record, and how many of them run."""
    running = [experiment_name(one.experiment_id) for one in reviewed if one.phase == "running"]
    text = _("**{n} experiments** are on record.").format(n=i18n.number(len(reviewed)))
    if not running:
        return text + gap() + _("All had ended by the report date.")
    return text + gap() + _("Still running on the report date: {names}.").format(names=_(", ").join(running))


def hand_caption(one: Reviewed | None) -> str:
    if one is None:
        return _("Two arms in three sums")
    return _("“{metric}” in {experiment}: two arms in three sums").format(
        metric=metric_name(one.metrics[0].name), experiment=experiment_name(one.experiment_id))


def by_hand(one: Reviewed | None, difference: float, error: float) -> str:
    """That the hand count and the library say the same."""
    if one is None or one.main is None:
        return _("There is no finished experiment of two arms to count by hand.")
    unit = metric_unit(one.main.metric)
    return _("By hand, **{experiment}** changed “{metric}” by **{difference}** ± {margin}. The library says the same: "
             "between {low} and {high}.").format(
        experiment=experiment_name(one.experiment_id), metric=metric_name(one.main.metric),
        difference=signed(difference, unit), margin=size(1.96 * error, unit), low=signed(one.main.low, unit),
        high=signed(one.main.high, unit))


def size(x: float, unit: str) -> str:
    """How much, in the metric's unit; shares in points."""
    if unit == "share":
        return _("{points} points").format(points=i18n.number(round(100 * x, 1), 1))
    if unit == "number" and 0 < x < 0.0005:
        return _("less than 0.001")
    return i18n.money(x) if unit == "money" else i18n.number(x, 3)


def signed(x: float, unit: str) -> str:
    """A difference with its sign; shares in points."""
    if x is None or math.isnan(x):
        return i18n.NOTHING
    return ("+" if x > 0 else "−" if x < 0 else "") + size(abs(x), unit)


def span(value: float, low: float, high: float, unit: str) -> str:
    """A difference with its interval for a table: +0.12 (0.02 to 0.22)."""
    if value is None or math.isnan(value):
        return i18n.NOTHING
    if math.isnan(low):
        return signed(value, unit)
    if unit == "share":
        return _("{value} ({low} to {high}) points").format(
            value=_points(value), low=_points(low), high=_points(high))
    return _("{value} ({low} to {high})").format(value=signed(value, unit), low=signed(low, unit),
                                                 high=signed(high, unit))


def _points(x: float) -> str:
    return ("+" if x > 0 else "−" if x < 0 else "") + i18n.number(abs(round(100 * x, 1)), 1)


def lift(value: float, low: float, high: float) -> str:
    """A relative change with its interval."""
    if value is None or math.isnan(value):
        return i18n.NOTHING
    return _("{value} ({low} to {high})").format(value=i18n.change(value), low=i18n.change(low), high=i18n.change(high))


def arm_rows(arms: pd.DataFrame) -> pd.DataFrame:
    """The arms with names; per customer assigned, and per buyer."""
    buyers = arms["buyers"].where(arms["buyers"] > 0)
    return arms.assign(
        name=[arm_name(arm) for arm in arms["arm"]], mean=arms["total"] / arms["customers"],
        per_buyer=arms["total"] / buyers, share=arms["buyers"] / arms["customers"])


def among_buyers(arms: pd.DataFrame) -> str:
    """How the comparison of buyers alone differs from that of everybody assigned."""
    if len(arms) != 2 or not (arms["buyers"] > 0).all():
        return _("Without an experiment there are no arms to compare wrongly.")
    each, bought = arms["total"] / arms["customers"], arms["total"] / arms["buyers"]
    return _("Among buyers alone the treatment looks like **{buyers}**; among all who were assigned it is "
             "**{everybody}**.").format(buyers=i18n.change(bought.iat[1] / bought.iat[0] - 1),
                                        everybody=i18n.change(each.iat[1] / each.iat[0] - 1))


def peeking(curve: pd.DataFrame) -> str:
    """What looking often does to a test that allows one look."""
    last = curve.iloc[-1]
    text = _("Looked at once, one useless change in twenty is called a success. Looked at {n} times, **{share}** are.")
    return text.format(n=i18n.number(int(last["looks"])), share=i18n.percent(last["false_alarms"], 0))


def plan_rows(plans: pd.DataFrame) -> pd.DataFrame:
    """Plans with names of the metrics and means in their units."""
    return plans.assign(
        name=[metric_name(name) for name in plans["metric"]],
        level=[_level(x, metric_unit(name, kind)) for x, name, kind
               in zip(plans["mean"], plans["metric"], plans["kind"], strict=True)],
        per_arm=np.ceil(plans["per_arm"].astype(float)), per_arm_cuped=np.ceil(plans["per_arm_cuped"].astype(float)),
        days_total=plans["days_total"].astype(float))


def plan_caption(relative: float, power: float) -> str:
    return _("What it takes to see {relative} with a chance of {power}").format(
        relative=i18n.change(relative, 0), power=i18n.percent(power, 0))


def curve_names(baselines: pd.DataFrame) -> dict[str, str]:
    """The metrics that can be planned with, named, for a picture of lines."""
    return {name: metric_name(name) for name in plannable(baselines)}


def _level(x: float, unit: str) -> str:
    return i18n.percent(x) if unit == "share" else i18n.money(x) if unit == "money" else i18n.number(x, 3)


def nothing_to_plan_with() -> str:
    return _("Fewer than 30 customers had bought before, or nothing varied: an experiment cannot be planned from this "
             "record.")


def four_weeks(chances: Mapping[str, float], per_arm: float, *, relative: float, power: float) -> str:
    """How often an experiment of four weeks, as one usually takes, would find what is sought."""
    known = [chance for chance in chances.values() if not math.isnan(chance)]
    if not known:
        return _("Too little is on record to say what four weeks would show.")
    best = max(known)
    text = _("Four weeks bring {n} customers an arm. If the change truly did {relative}, such an experiment would show "
             "it in **{low} to {high}** of cases, by the metric.").format(
        n=i18n.number(math.floor(per_arm)), relative=i18n.change(relative, 0), low=i18n.percent(min(known), 0),
        high=i18n.percent(best, 0))
    if best >= power:
        return text + gap() + _("On the surest metric that is enough.")
    return text + gap() + _("On the surest metric it would still miss {missed}, and a change that works would be "
                            "dropped.").format(missed=i18n.percent(1 - best, 0))


def planned(plans: pd.DataFrame, *, relative: float, power: float) -> str:
    """What the first metric needs."""
    if not len(plans):
        return nothing_to_plan_with()
    first = plans.sort_values("per_arm").iloc[0]
    text = _("To see a change of {relative} with a chance of {power}, “{metric}” needs the fewest: **{n} customers per "
             "arm**.").format(relative=i18n.change(relative, 0), power=i18n.percent(power, 0),
                              metric=metric_name(first["metric"]), n=i18n.number(math.ceil(first["per_arm"])))
    if pd.isna(first["days_total"]) and first["per_arm"] <= first["customers"] / 2:
        return text + gap() + _("So many do not come in three months by themselves, but there are enough if all who "
                                "have bought take part at once, as when they are written to.")
    if pd.isna(first["days_total"]):
        return text + gap() + _("So many do not come in three months, nor have so many ever bought: test a bolder "
                                "change, or measure something that varies less.")
    return text + gap() + _("With the customers who come, the result is there after **{days} days**.").format(
        days=i18n.number(int(first["days_total"])))


def plan(needed: Duration, *, relative: float, power: float, days: int, per_arm: float, smallest: float) -> str:
    """What the plan of the moment needs and can see."""
    if math.isnan(needed.per_arm):
        text = _("An effect of {relative} is impossible for this metric.").format(relative=i18n.change(relative, 0))
    else:
        text = _("To see {relative} with a chance of {power}: **{n} customers per arm**").format(
            relative=i18n.change(relative, 0), power=i18n.percent(power, 0), n=i18n.number(math.ceil(needed.per_arm)))
        text += _(", which takes **{days} days** with the outcome's window.").format(
            days=i18n.number(needed.days_total)) if needed.days_total else _(", more than come in the days looked at.")
    if math.isnan(smallest):
        return text + gap() + _("In {days} days come {n} an arm: too few for any effect.").format(
            days=i18n.number(days), n=i18n.number(math.floor(per_arm)))
    return text + gap() + _("In {days} days come {n} an arm: enough for an effect of **{smallest}** or more.").format(
        days=i18n.number(days), n=i18n.number(math.floor(per_arm)), smallest=i18n.change(smallest, 0))


def health_rows(reviewed: Sequence[Reviewed]) -> pd.DataFrame:
    """One row an experiment: what it was, the split, and how ripe its outcomes are."""
    rows = [
        {
            "name": experiment_name(one.experiment_id), "phase": phase_name(one.phase),
            "started_on": pd.Timestamp(one.started_on), "customers": one.customers,
            "split": " : ".join(i18n.number(n) for n in one.split.arms["customers"]),
            "p": _chance(one.split.p_value), "broken": _("broken") if one.split.broken else _("as planned"),
            "mature": one.maturity.share,
        }
        for one in reviewed
    ]  # fmt: skip
    columns = ["name", "phase", "started_on", "customers", "split", "p", "broken", "mature"]
    return pd.DataFrame(rows, columns=columns)


def _chance(p: float) -> str:
    """A p-value: below a thousandth as that."""
    if p is None or math.isnan(p):
        return i18n.NOTHING
    return _("under 0.001") if p < 0.001 else i18n.number(p, 3)


def health(reviewed: Sequence[Reviewed]) -> list[str]:
    """What is wrong with each experiment's assignment; one sentence where nothing is."""
    told = []
    for one in reviewed:
        name = experiment_name(one.experiment_id)
        if one.split.broken:
            told.append(_("**{experiment}**: the arms have not the planned sizes (chance {p}). Somebody is missing in "
                          "one arm only, so its figures are not read.").format(
                experiment=name, p=_chance(one.split.p_value)))
        wrong = one.faults[(one.faults["customers"] > 0) & (one.faults["code"] != "never_exposed")]
        told += [
            _("**{experiment}**: {n} customers ({share}) {fault}.").format(
                experiment=name, n=i18n.number(row.customers), share=i18n.percent(row.share),
                fault=fault_name(row.code))
            for row in wrong.itertuples()
        ]
        if one.design is not None:
            wider = i18n.number(one.design.naive_understates, 1)
            told.append(_("**{experiment}**: {n} clusters were drawn, not customers; the interval is {times} times as "
                          "wide as if customers had been.").format(
                experiment=name, n=i18n.number(one.design.clusters), times=wider))
        if one.phase == "running":
            told.append(_("**{experiment}** is running: {share} of its customers have had the whole window; all will "
                          "have by {day}.").format(experiment=name, share=i18n.percent(one.maturity.share),
                                                   day=i18n.date(one.maturity.mature_on)))
    if reviewed and not told:
        told.append(_("All splits are as planned, and nobody was assigned or measured wrongly."))
    return told


def sequential(one: Reviewed | None, stops: Sequence[Any]) -> str:
    """When the focused experiment could have been stopped, honestly and by peeking."""
    if one is None or not len(stops):
        return _("No experiment has had enough orders for a daily look yet.")
    stop, name = stops[0], experiment_name(one.experiment_id)
    if stop.code == "not_yet":
        text = _("**{experiment}**: at no daily look so far does the always-valid interval exclude zero.")
    elif stop.code == "effect_down":
        text = _("**{experiment}**: from day {day} on the always-valid interval lay below zero; it could have been "
                 "stopped then.")
    elif stop.code == "too_small":
        text = _("**{experiment}**: from day {day} on the always-valid interval left no room for a worthwhile effect.")
    else:
        text = _("**{experiment}**: from day {day} on the always-valid interval lay above zero; it could have been "
                 "stopped then, and the result would hold.")
    text = text.format(experiment=name, day=i18n.number(stop.day) if stop.day else "")
    if stop.day_peeking is not None:
        told = _("Somebody who looks daily at the ordinary interval would have called it on day {day}.")
        text += gap() + told.format(day=i18n.number(stop.day_peeking))
    return text


def sequence_title(one: Reviewed | None) -> str:
    return _("{experiment}: effect by day, with the interval that holds at every look").format(
        experiment=experiment_name(one.experiment_id) if one else "")


def bayes(one: Reviewed | None, reading: Any) -> str:
    """Chance to win and expected loss of the first metric."""
    if one is None or reading is None:
        return _("There is no result to read in this way.")
    unit = metric_unit(one.main.metric)
    return _("**{experiment}**: the chance that the treatment is better is **{chance}**. Keeping it if it is not would "
             "cost {ship} a customer on average, leaving it if it is {stay}. **Not protected from peeking:** looked at "
             "daily, this chance passes 95 % far too often.").format(
        experiment=experiment_name(one.experiment_id), chance=i18n.percent(reading.chance_to_win),
        ship=size(reading.expected_loss_ship, unit), stay=size(reading.expected_loss_stay, unit))


def result_rows(record: pd.DataFrame) -> pd.DataFrame:
    """All metrics and arms: difference and relative lift with intervals; refused experiments are marked."""
    rows = record[record["verdict"] != "refuse"] if len(record) else record
    return pd.DataFrame(
        [
            {
                "name": _of_arm(row.experiment_id, row.arm), "metric": metric_name(row.metric),
                "control": _level(row.control, metric_unit(row.metric, row.kind)),
                "difference": span(row.difference, row.low, row.high, metric_unit(row.metric, row.kind)),
                "relative": lift(row.relative, row.relative_low, row.relative_high),
            }
            for row in rows.itertuples()
        ],
        columns=["name", "metric", "control", "difference", "relative"],
    )


def lift_rows(record: pd.DataFrame) -> pd.DataFrame:
    """The deciding metric of each experiment that may be read, for the picture."""
    rows = record[(record["verdict"] != "refuse") & record["is_first"].astype(bool) & record["relative"].notna()]
    names = [_("{experiment}: {metric}").format(experiment=_of_arm(row.experiment_id, row.arm),
                                                metric=metric_name(row.metric)) for row in rows.itertuples()]
    return rows.assign(name=names)


def refused(reviewed: Sequence[Reviewed]) -> str:
    """Which experiments are left out of tables of results."""
    names = [experiment_name(one.experiment_id) for one in reviewed if one.verdict.code == "refuse"]
    if not reviewed:
        return _("No experiment is on record.")
    if not names:
        return _("No experiment had to be left out.")
    return _("Left out, since their assignment is faulty: {names}.").format(names=_(", ").join(names))


def method_rows(record: pd.DataFrame) -> pd.DataFrame:
    """The same difference three ways, as text: measured, with CUPED, with the largest values capped."""
    rows = record[(record["verdict"] != "refuse") & (record["kind"] == "mean")]
    shown = []
    for row in rows.itertuples():
        unit = metric_unit(row.metric, row.kind)
        shown.append({
            "name": _of_arm(row.experiment_id, row.arm), "metric": metric_name(row.metric),
            "raw": span(row.difference, row.low, row.high, unit),
            "cuped": span(row.cuped_difference, row.cuped_low, row.cuped_high, unit),
            "capped": span(row.capped_difference, row.capped_low, row.capped_high, unit),
        })  # fmt: skip
    return pd.DataFrame(shown, columns=["name", "metric", "raw", "cuped", "capped"])


def cuped(reviewed: Sequence[Reviewed]) -> list[str]:
    """What CUPED saves in each experiment, or why it may not be used."""
    told = []
    for one in reviewed:
        if one.verdict.code == "refuse":
            continue
        for source, health in one.health.items():
            head = _("**{experiment}**, {metric}: {health}").format(
                experiment=experiment_name(one.experiment_id), metric=metric_name(source),
                health=health_name(health.code))
            saved = _("; as good as {share} more customers").format(
                share=i18n.percent(1 / health.variance_ratio - 1, 0)) if health.code in ("ok", "weak") else ""
            told.append(head + saved + _("."))
    return told


def tails(reviewed: Sequence[Reviewed]) -> str:
    """How much of the money lies above the cap, where it is most."""
    found = [(one, source, capped) for one in reviewed for source, capped in one.winsorised.items()
             if one.verdict.code != "refuse" and capped.capped]
    if not found:
        return _("No value had to be capped.")
    one, source, most = max(found, key=lambda item: item[2].share_of_total)
    return _("Most lies above the cap in **{experiment}**, {metric}: {n} customers have more than {cap}, and {share} "
             "of the total lies above it.").format(
        experiment=experiment_name(one.experiment_id), metric=metric_name(source), n=i18n.number(most.capped),
        cap=_level(most.cap, metric_unit(source)), share=i18n.percent(most.share_of_total))


def several_rows(record: pd.DataFrame, corrected: pd.DataFrame) -> pd.DataFrame:
    """Raw and corrected chances of each metric of each experiment that may be read."""
    rows = record[record["verdict"] != "refuse"].reset_index(drop=True)
    return pd.DataFrame({
        "name": [_of_arm(name, arm) for name, arm in zip(rows["experiment_id"], rows["arm"], strict=True)],
        "metric": [metric_name(name) for name in rows["metric"]],
        "p": [_chance(p) for p in rows["p_value"]], "holm": [_chance(p) for p in rows["adjusted_p"]],
        "bh": [_chance(p) for p in corrected["adjusted"]],
    })  # fmt: skip


def several(record: pd.DataFrame, corrected: pd.DataFrame, *, alpha: float = 0.05) -> str:
    """How many findings are left once their number is taken into account."""
    rows = record[record["verdict"] != "refuse"]
    if not len(rows):
        return _("No result is there to be corrected.")
    return _("Of {n} comparisons **{raw}** look like more than chance by themselves, **{holm}** with Holm within each "
             "experiment, **{bh}** with Benjamini–Hochberg over all.").format(
        n=i18n.number(len(rows)), raw=i18n.number(int((rows["p_value"] < alpha).sum())),
        holm=i18n.number(int((rows["adjusted_p"] < alpha).sum())),
        bh=i18n.number(int(corrected["significant"].sum())))


def segment_rows(segments: pd.DataFrame) -> pd.DataFrame:
    """Each segment twice: its own effect, and the one pulled towards the common effect."""
    rows = []
    for row in segments.itertuples():
        name = segment_name(str(row.segment))
        rows.append({"name": name, "value": row.difference, "low": row.low, "high": row.high})
        rows.append({"name": _("{segment}, shrunken").format(segment=name), "value": row.shrunken,
                     "low": row.shrunken_low, "high": row.shrunken_high})
    return pd.DataFrame(rows, columns=["name", "value", "low", "high"]).dropna(subset=["value"], ignore_index=True)


def segment_table(one: Reviewed, segments: pd.DataFrame) -> pd.DataFrame:
    """One row a segment: customers, its own effect, the shrunken one, and the chance corrected for several."""
    unit = metric_unit(one.metrics[0].name, one.metrics[0].kind)
    return pd.DataFrame(
        [
            {"name": segment_name(str(row.segment)), "customers": row.n_control + row.n,
             "own": span(row.difference, row.low, row.high, unit), "p": _chance(row.adjusted_p),
             "shrunken": span(row.shrunken, row.shrunken_low, row.shrunken_high, unit)}
            for row in segments.itertuples()
        ],
        columns=["name", "customers", "own", "p", "shrunken"],
    )  # fmt: skip


def segment_caption(one: Reviewed) -> str:
    return _("{experiment}: effect on “{metric}” by purchases before the assignment").format(
        experiment=experiment_name(one.experiment_id), metric=metric_name(one.metrics[0].name))


def segment_title(one: Reviewed | None) -> str:
    return _("{experiment}: effect by purchases before, as measured and shrunken").format(
        experiment=experiment_name(one.experiment_id) if one else "")


def uplift_title(one: Reviewed | None) -> str:
    return _("{experiment}: gain when the first customers by predicted effect are treated").format(
        experiment=experiment_name(one.experiment_id) if one else "")


def segments(one: Reviewed | None, found: Any) -> str:
    """Whether segments differ, or somebody is fishing."""
    if one is None:
        return _("No experiment is on record.")
    if found is None or found.code == "too_few":
        return _("There are too few customers in the segments to compare effects.")
    name, p = experiment_name(one.experiment_id), _chance(found.p_value)
    if found.code == "differs":
        best = found.effects.loc[found.effects["difference"].idxmax()]
        return _("**{experiment}**: the effect differs between segments (chance {p}); it is largest for “{segment}”.")\
            .format(experiment=name, p=p, segment=segment_name(str(best["segment"])))
    if found.code == "fishing":
        return _("**{experiment}**: single segments look significant, but nothing shows that segments differ (chance "
                 "{p}), and they were not planned. Reading one out is fishing: plan a new experiment for it.").format(
            experiment=name, p=p)
    return _("**{experiment}**: nothing shows that the effect differs between segments (chance {p}); the shrunken "
             "values lie near the common one.").format(experiment=name, p=p)


def uplift_curve(curve: pd.DataFrame) -> pd.DataFrame:
    """One row a share: what each ranking gains, drawing lots, and the interval of the doubly robust one (low, high)."""
    wide = curve.pivot(index="share", columns="method", values="gain")
    own = curve[curve["method"] == "doubly_robust"].set_index("share")
    return wide.assign(random=own["random"], low=own["low"], high=own["high"]).reset_index()


def uplift(one: Reviewed | None, found: Any) -> str:
    """Whether it pays to choose whom to treat."""
    if one is None or found is None:
        return _("There is no experiment to learn from whom to treat.")
    name = experiment_name(one.experiment_id)
    if found.code == "too_small" and (found.smallest_n is None or found.smallest_n > 20 * found.n):
        return _("**{experiment}** has {n} customers: far too few to learn whom to treat from an effect of this size.")\
            .format(experiment=name, n=i18n.number(found.n))
    if found.code == "too_small":
        return _("**{experiment}** has {n} customers: too few to learn whom to treat (at least {needed}).").format(
            experiment=name, n=i18n.number(found.n), needed=i18n.number(found.smallest_n))
    first = found.qini.iloc[0]
    qini = span(first["qini"], first["low"], first["high"], metric_unit(one.metrics[0].name, one.metrics[0].kind))
    if found.code == "targets":
        return _("**{experiment}**: choosing whom to treat beats drawing lots: the Qini value is {qini}, above zero.")\
            .format(experiment=name, qini=qini)
    return _("**{experiment}**: no better than drawing lots: the Qini value is {qini}, which includes zero. Treat "
             "everybody or nobody.").format(experiment=name, qini=qini)


def reason(code: str) -> str:
    """Why a verdict is what it is."""
    return {
        "split_broken": _("the arms have not the planned sizes"),
        "two_arms": _("too many customers are in two arms"),
        "exposed_before_assigned": _("too many saw it before they were assigned"),
        "measured_before_assigned": _("too many were measured before they were assigned"),
        "no_outcome": _("no outcome is known yet"),
        "too_few": _("too few to compute an interval"),
        "not_mature": _("not everybody has had the whole window"),
        "better": _("the interval lies above zero"),
        "worse": _("the interval lies below zero"),
        "too_small": _("what it can bring is too small to be worth having"),
        "decided_early": _("the always-valid interval has decided"),
        "undecided": _("the interval includes zero"),
        "out_of_reach": _("only an experiment several times as large could find what is sought"),
    }[code]


def verdict_rows(reviewed: Sequence[Reviewed], worth: Mapping[str, Any]) -> pd.DataFrame:
    """One row an experiment: what to do, why, and what it is worth a year."""
    rows = []
    for one in reviewed:
        money = worth.get(one.experiment_id)
        rows.append({
            "name": experiment_name(one.experiment_id), "phase": phase_name(one.phase),
            "started_on": pd.Timestamp(one.started_on), "verdict": verdict_name(one.verdict.code),
            "effect": lift(one.main.relative, one.main.relative_low, one.main.relative_high)
            if one.main and one.verdict.code != "refuse" else i18n.NOTHING,
            "why": _("; ").join(reason(code) for code in one.verdict.reasons),
            "worth": _("{value} ({low} to {high})").format(
                value=i18n.money(money.value, 0), low=i18n.money(money.low, 0), high=i18n.money(money.high, 0))
            if money else i18n.NOTHING,
        })  # fmt: skip
    return pd.DataFrame(rows, columns=["name", "phase", "started_on", "verdict", "effect", "why", "worth"])


def verdicts(reviewed: Sequence[Reviewed]) -> list[str]:
    """The verdict on each experiment in a sentence."""
    return [_verdict(one) for one in reviewed]


def _verdict(one: Reviewed) -> str:
    name, code = experiment_name(one.experiment_id), one.verdict.code
    effect = lift(one.main.relative, one.main.relative_low, one.main.relative_high) if one.main else i18n.NOTHING
    metric = metric_name(one.main.metric) if one.main else ""
    why = _("; ").join(reason(item) for item in one.verdict.reasons)
    if code == "refuse":
        return _("**{experiment}: not to be read.** {why}. Repair the assignment and run it again.").format(
            experiment=name, why=_upper(why))
    if code == "immature":
        return _("**{experiment}: too early.** {why}.").format(experiment=name, why=_upper(why))
    if one.main is None:
        text = _("**{experiment}: {verdict}.** {why}.").format(
            experiment=name, verdict=verdict_name(code), why=_upper(why))
    elif code == "ship":
        text = _("**{experiment}: keep it.** {metric} {effect}: {why}.")
    elif code == "stop":
        text = _("**{experiment}: stop it.** {metric} {effect}: {why}.")
    else:
        text = _("**{experiment}: go on.** {metric} {effect}: {why}.")
    text = text.format(experiment=name, metric=metric, effect=effect, why=why)
    if one.verdict.days_more:
        text += gap() + _("About {days} more days.").format(days=i18n.number(one.verdict.days_more))
    if one.verdict.customers_more:
        text += gap() + _("About {n} more customers would decide it.").format(
            n=i18n.number(one.verdict.customers_more))
    return text


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def worth(found: Mapping[str, Any]) -> str:
    """How the worth of a year was made: shrunk and decayed."""
    if not found:
        return _("No experiment to keep has an effect on money, so no worth is stated.")
    naive, value = sum(one.naive for one in found.values()), sum(one.value for one in found.values())
    return _("Multiplied out naively, what is kept would bring {naive} a year. Shrunk for the luck of winners and with "
             "effects that fade, it is **{value}**.").format(naive=i18n.money(naive, 0), value=i18n.money(value, 0))
