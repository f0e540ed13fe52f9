"""What 05_clustering says: names of measures and groups, rules, and sentences made of computed values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from workbook.clustering import (
    MIDDLE,
    Choice,
    Condition,
    Fitted,
    Map,
    Matching,
    Mix,
    Rule,
    RuleInForce,
    Structure,
    TreeRules,
    WhatIf,
    letters,
    measure,
)
from workbook.clustering.fitting import FEWEST
from workbook.clustering.structure import MATERIAL
from workbook.data.findings import Finding
from workbook.output import i18n
from workbook.output.i18n import _

ALIKE = 0.5  # adjusted Rand index from which two ways are said to find much the same


def summary(found: Mapping[str, Finding], before: Mapping[str, Finding]) -> str:
    """One sentence for the index: how many groups, how sure, and who moved."""
    if found["groups"].value is None:
        return _("Too few customers to look for groups yet.")
    text = _("{n} groups of customers; {sure}.").format(n=i18n.number(found["groups"].value), sure=_sure(found))
    if found["moved_share"].value is not None:
        text += gap() + _("{share} of the customers changed group since the period before.").format(
            share=i18n.percent(found["moved_share"].value))
    return text


def _sure(found: Mapping[str, Finding]) -> str:
    cloud, shapes = found["stands_out_of_cloud"].value, found["stands_out_of_shapes"].value
    if cloud is None:
        return _("whether they exist cannot be told yet")
    if not cloud:
        return _("a convenient cut, as the customers form a continuum")
    if not shapes:
        return _("no more than single measures show")
    beyond = found["structure_beyond"].value
    return _("kinds that run into one another") if beyond < MATERIAL else _("clearly apart")


def gap() -> str:
    """What stands between two sentences: nothing in Chinese."""
    return "" if i18n.lang() == "zh" else " "


def _comma() -> str:
    return "、" if i18n.lang() == "zh" else ", "


def measure_name(name: str, mix: Mix) -> str:
    """A column of the feature table for people; of a mix the category or channel itself."""
    if name in mix.columns:
        of = mix.columns[name]
        return _("Share of {name}").format(name=of) if name.startswith("category") else _("Share by {name}").format(
            name=of)
    return {
        "recency_days": _("Days since the last purchase"),
        "purchases_per_year": _("Purchases a year"),
        "gap_days": _("Days between purchases"),
        "gap_variation": _("Irregularity of purchases"),
        "order_value": _("Value of a purchase"),
        "units_per_order": _("Units a purchase"),
        "lines_per_order": _("Lines a purchase"),
        "returned_share": _("Share returned"),
        "discount_share": _("Share of discount"),
    }[name]


def trait(code: str, mix: Mix) -> str:
    """One thing that sets a group apart: `order_value+` → large purchases."""
    if code == MIDDLE:
        return _("average in everything")
    name, much = code[:-1], code.endswith("+")
    if name in mix.columns:
        of = mix.columns[name]
        if name.startswith("category"):
            return (_("more {name}") if much else _("less {name}")).format(name=of)
        return (_("often by {name}") if much else _("rarely by {name}")).format(name=of)
    high, low = {
        "recency_days": (_("not seen for long"), _("seen lately")),
        "purchases_per_year": (_("many purchases a year"), _("few purchases a year")),
        "gap_days": (_("buy at long intervals"), _("buy at short intervals")),
        "gap_variation": (_("irregular"), _("regular")),
        "order_value": (_("large purchases"), _("small purchases")),
        "units_per_order": (_("many units"), _("few units")),
        "lines_per_order": (_("many different items"), _("few different items")),
        "returned_share": (_("return much"), _("return little")),
        "discount_share": (_("buy at a discount"), _("pay the full price")),
    }[name]
    return high if much else low


def letter(code: str) -> str:
    return code.upper()


def group_name(code: str | None, rule: Rule) -> str:
    """A group for people: its letter and what sets it apart."""
    if code is None or code not in rule.groups:
        return _("Not yet bought")
    told = _comma().join(trait(one, rule.mix) for one in rule.traits[rule.groups.index(code)])
    return f"{letter(code)} · {told}"


def group_names(rule: Rule) -> dict[str, str]:
    """Code → name of each group."""
    return {code: group_name(code, rule) for code in rule.groups}


def why_not(code: str) -> str:
    """Why a measure is not used; "" where it is."""
    return {
        "": _("used"),
        "missing": _("not known here"),
        "mostly_blank": _("known of too few"),
        "mostly_alike": _("nearly the same for all"),
        "chance": _("chance: halves do not agree"),
        "not_asked": _("not asked for"),
        "left_out": _("left out by you"),
        "by_default": _("only when asked for"),
    }[code]


def measure_rows(today: Fitted) -> pd.DataFrame:
    """One row a measure: name, how far known, reliability, whether used; those used first."""
    rows = today.measures.sort_values(["used", "weight"], ascending=False, kind="stable")
    rows = rows[rows["why"] != "missing"]
    return rows.assign(
        name=[measure_name(name, today.mix) for name in rows["measure"]], told=rows["why"].map(why_not),
    ).reset_index(drop=True)  # fmt: skip


def measures_said(today: Fitted) -> str:
    """What the groups rest on, and what was left out as chance."""
    used, chance = (today.measures.loc[today.measures["why"] == why, "measure"] for why in ("", "chance"))
    if not len(used):
        return _("No measure is known of enough customers to look for groups.")
    if len(today.frame) < FEWEST:
        return _("Only {n} customers bought often enough to look for groups among them; it takes {fewest}.").format(
            n=i18n.number(len(today.frame)), fewest=FEWEST)
    text = _("Groups are sought among **{n} customers** by {count} measures: {names}.").format(
        n=i18n.number(len(today.frame)), count=i18n.number(len(used)),
        names=_comma().join(measure_name(name, today.mix) for name in used))
    if len(today.frame) < today.of:
        text += gap() + _("They are a sample of {of}, drawn by their ids.").format(of=i18n.number(today.of))
    if len(chance):
        text += gap() + _("Left out as chance: {names}.").format(
            names=_comma().join(measure_name(name, today.mix) for name in chance))
    return text


def raw_said(shares: pd.DataFrame, mix: Mix) -> str:
    """Which measure alone would make the groups."""
    if not len(shares):
        return _("No measure is known of enough customers to look for groups.")
    top = shares.iloc[0]
    return _("Taken as they stand, {share} of what sets two customers apart is “{measure}”: its figures are simply the "
             "largest. Change the currency, and the groups change.").format(
        share=i18n.percent(top["share"]), measure=measure_name(top["measure"], mix))


def structure_said(found: Structure) -> str:
    """The verdict in words, with its figures."""
    if found.verdict == "too_few":
        return _("With {n} customers nobody can tell groups from chance: no groups are sought.").format(
            n=i18n.number(found.n))
    verdict = {
        "groups": _("**There are groups**: the customers fall apart, clearly more than chance and than their single "
                    "measures explain."),
        "overlapping": _("**There is structure, but no borders**: the customers differ in kind more than chance "
                         "explains, yet the kinds run into one another. Groups describe regions; at their edges they "
                         "are a convention."),
        "single_measures": _("**Only single measures are lumpy**: what looks like groups is what each measure shows by "
                             "itself. A cut on one measure would do nearly as well."),
        "continuum": _("**A continuum**: the customers do not fall apart more than a cloud without groups does. The "
                       "groups below are a convenient cut, as a map is cut into sheets."),
    }[found.verdict]
    p = {name: i18n.number(round(value, 3)) for name, value in found.p_values.items()}
    return verdict + gap() + _("Chance that structureless customers look as grouped: {cloud} against a cloud, "
                                "{shapes} against the same single measures ({n} customers looked at). Of what groups "
                                "leave unexplained there, they explain {beyond} here; from {material} on they are "
                                "called groups.").format(
        cloud=p["cloud"], shapes=p["same_shapes"], n=i18n.number(found.n), beyond=i18n.percent(max(found.beyond, 0)),
        material=i18n.percent(MATERIAL, 0))


def structure_rows(found: Structure) -> pd.DataFrame:
    """Share of the spread that k groups explain: of the customers, and without groups with its band."""
    if not len(found.table):
        return pd.DataFrame({"k": [], "share": [], "low": [], "high": [], "name": []})
    shapes = found.table[found.table["reference"] == "same_shapes"]
    cloud = found.table[found.table["reference"] == "cloud"]
    parts = [
        shapes.assign(share=shapes["explained"], low=shapes["explained"], high=shapes["explained"],
                      name=_("these customers")),
        shapes.assign(share=shapes["expected"], name=_("same measures, no groups")),
        cloud.assign(share=cloud["expected"], name=_("a cloud")),
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)[["k", "share", "low", "high", "name"]]


def choice_said(choice: Choice, table: pd.DataFrame) -> str:
    """How many groups a fit of today makes, and why."""
    if not choice.k:
        return _("Too few customers or measures: no number of groups is chosen.")
    held = _("stability holds up to {n}").format(n=choice.stable_k) if choice.stable_k else _(
        "no number of groups is stable")
    asked = _("Asked alone, the silhouette prefers {silhouette} groups and the gap {gap}; {held}.").format(
        silhouette=choice.silhouette_k, gap=choice.gap_k, held=held)
    row = table[table["k"] == choice.k]
    weakest = i18n.number(round(float(row["weakest"].iat[0]), 2)) if len(row) and choice.k > 1 else i18n.NOTHING
    chosen = {
        "rule": _("The rule takes **{k} groups**; the least certain of them comes back with a likeness of {weakest}."),
        "reader": _("You asked for **{k} groups**; the least certain of them comes back with a likeness of {weakest}."),
        "nothing_stable": _("The rule takes **{k} groups** as the least bad; the least certain of them comes back with "
                            "a likeness of {weakest} only."),
        "too_few": "",
    }[choice.by].format(k=choice.k, weakest=weakest)
    return chosen + gap() + asked


def rule_said(kept: RuleInForce, today: Fitted) -> str:
    """Since when the rule holds."""
    if not kept.rule.centres:
        return _("There is no rule yet: too few customers, or too few measures, to seek groups.")
    if kept.provisional:
        return _("The groups were fitted on {day} for this page only: the base period, at which they will be kept, had "
                 "too few customers or lies later.").format(day=i18n.date(kept.fitted_on))
    return _("The **{n} groups in force** were fitted at the end of {day} and are kept: a customer changes group only "
             "by what the customer does. A fit today would make {today}.").format(
        n=i18n.number(len(kept.rule.groups)), day=i18n.date(kept.fitted_on), today=i18n.number(today.choice.k))


def size_rows(sizes: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """The groups with names, the most revenue first."""
    rows = sizes.assign(name=[group_name(code, rule) for code in sizes["cluster"]])
    return rows.sort_values(["revenue_share", "cluster"], ascending=[False, True], ignore_index=True)


def sizes_said(sizes: pd.DataFrame, rule: Rule) -> str:
    """The group that brings most, and how clearly customers belong to their groups."""
    known = sizes[sizes["revenue_share"].notna()]
    if not rule.centres or not len(known):
        return _("There are no groups to compare.")
    top = known.loc[known["revenue_share"].idxmax()]
    return _("**{name}** are {customers} of the customers and bring {revenue} of the net revenue of twelve months "
             "(between {low} and {high}).").format(
        name=group_name(top["cluster"], rule), customers=i18n.percent(top["customer_share"]),
        revenue=i18n.percent(top["revenue_share"]), low=i18n.percent(top["low"]), high=i18n.percent(top["high"]))


def apart_matrix(apart: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Measures down, groups across, for a heat map.

    Args:
        apart: cluster and the measures, in standard deviations.
    """
    table = apart.set_index("cluster")[rule.scaling.names].T
    return table.rename(index=lambda name: measure_name(name, rule.mix), columns=letter)


def profile_lines(apart: pd.DataFrame, rule: Rule) -> tuple[pd.DataFrame, dict[str, str]]:
    """One row a measure, one column a group; and the columns' names."""
    table = apart.set_index("cluster")[rule.scaling.names].T
    table = table.assign(measure=[measure_name(name, rule.mix) for name in table.index]).reset_index(drop=True)
    return table, {code: letter(code) for code in rule.groups if code in table.columns}


def mean_rows(means: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """One row a measure in its own unit: a text for each group and for all."""
    columns = {**{code: letter(code) for code in rule.groups}}
    rows = means.assign(cluster=means["cluster"].fillna("all")).set_index("cluster")
    table = [
        {"measure": measure_name(name, rule.mix), **{code: _value(name, rows[name].get(code)) for code in columns},
         "all": _value(name, rows[name].get("all"))}
        for name in rule.scaling.names
    ]  # fmt: skip
    return pd.DataFrame(table, columns=["measure", *columns, "all"])


def _value(name: str, value: Any) -> str:
    if value is None or pd.isna(value):
        return i18n.NOTHING
    unit = measure(name).unit
    if unit == "share":
        return i18n.percent(value, 0)
    return i18n.money(value, 0) if unit == "money" else i18n.number(float(value), 1 if abs(value) < 20 else 0)


def named(table: pd.DataFrame, rule: Rule, column: str = "group") -> pd.DataFrame:
    """Adds name and letter of the group whose number stands in `column`."""
    codes = [rule.groups[int(i)] for i in table[column]]
    return table.assign(name=[group_name(code, rule) for code in codes], letter=[letter(code) for code in codes])


def silhouette_said(table: pd.DataFrame, rule: Rule) -> str:
    """How clearly the groups lie apart: the mean, and the share nearer to another group."""
    if not len(table):
        return _("There are no groups to compare.")
    mean, wrong = float(table["silhouette"].mean()), float((table["silhouette"] < 0).mean())
    strength = (_("a strong structure") if mean > 0.7 else _("a reasonable structure") if mean > 0.5
                else _("a weak structure") if mean > 0.25 else _("no clear borders"))
    return _("The mean silhouette is {mean}: {strength} by the usual reading. {wrong} of the customers lie nearer to "
             "another group than to their own.").format(
        mean=i18n.number(round(mean, 2)), strength=strength, wrong=i18n.percent(wrong))


def map_said(found: Map) -> str:
    return _("The picture holds {share} of the spread; groups that overlap here may lie apart in the rest.").format(
        share=i18n.percent(found.shown, 0))


def arrows(found: Map, mix: Mix, most: int = 5) -> pd.DataFrame:
    """The measures that the two directions are made of, the strongest first: name, x, y."""
    strength = np.hypot(found.directions["x"], found.directions["y"])
    rows = found.directions.loc[strength.sort_values(ascending=False, kind="stable").index[:most]]
    return rows.assign(name=[measure_name(name, mix) for name in rows["measure"]])[["name", "x", "y"]]


def tried_names(tried: WhatIf, mix: Mix) -> list[str]:
    """Names of groups that are tried: a letter and what sets each apart."""
    told = [_comma().join(trait(one, mix) for one in codes) for codes in tried.groups["traits"]]
    return [f"{letter(code)} · {text}" for code, text in zip(letters(tried.groups), told, strict=True)]


def way_name(code: str) -> str:
    return {"k_means": _("k-means"), "mixture": _("Gaussian mixture"), "density": _("HDBSCAN (density)")}[code]


def way_rows(ways: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """One row a way of finding groups, with its agreement with k-means."""
    alike = pairs[pairs["one"] == "k_means"].set_index("other")["adjusted_rand"]
    return ways.assign(name=ways["way"].map(way_name), alike=[alike.get(way, np.nan) for way in ways["way"]])


def ways_said(ways: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Whether other ways find the same."""
    rows = way_rows(ways, pairs).set_index("way")
    if not len(rows):
        return _("There are no groups to compare.")
    mixture, dense = rows.loc["mixture"], rows.loc["density"]
    alike = _("much the same groups") if mixture["alike"] >= ALIKE else _("other groups")
    text = _("A Gaussian mixture finds {alike} (adjusted Rand {value}; 1 is the same, 0 is chance).").format(
        alike=alike, value=i18n.number(round(float(mixture["alike"]), 2)))
    if dense["groups"] == 0:
        return text + gap() + _("HDBSCAN sees no dense islands at all: customers lie spread out, without gaps between "
                                 "groups.")
    return text + gap() + _("HDBSCAN sees {n} dense islands and leaves {share} of the customers in none.").format(
        n=i18n.number(dense["groups"]), share=i18n.percent(dense["unplaced_share"]))


def movement_matrix(moves: pd.DataFrame, rule: Rule) -> pd.DataFrame:
    """Groups a period ago down, groups now across."""
    table = moves.assign(cluster_before=moves["cluster_before"].fillna("new"))
    table = table.pivot_table(index="cluster_before", columns="cluster", values="customers", aggfunc="sum")
    down = [code for code in (*rule.groups, "new") if code in table.index]
    across = [code for code in rule.groups if code in table.columns]
    return table.reindex(index=down, columns=across).rename(
        index=lambda code: _("new") if code == "new" else letter(code), columns=letter)


def moved_said(moves: pd.DataFrame, share: float | None, rule: Rule) -> str:
    """How many changed group, and the largest stream."""
    if share is None or not rule.centres:
        return _("Nobody had bought by the end of the period before: there is no movement yet.")
    there = moves[moves["cluster_before"].notna()]
    fresh = int(moves.loc[moves["cluster_before"].isna(), "customers"].sum())
    text = _("**{share}** of those who had bought a period ago are in another group now; {n} bought for the first "
             "time.").format(share=i18n.percent(share), n=i18n.number(fresh))
    streams = there[there["cluster_before"] != there["cluster"]].sort_values(
        ["customers", "cluster_before", "cluster"], ascending=[False, True, True])
    if not len(streams):
        return text
    top = streams.iloc[0]
    return text + gap() + _("The largest stream: {n} from {old} to {new}.").format(
        n=i18n.number(top["customers"]), old=letter(top["cluster_before"]), new=letter(top["cluster"]))


def refit_said(matched: Matching | None, rule: Rule, today: Fitted) -> list[str]:
    """What a fit of today would make of the groups in force, one sentence an event."""
    if matched is None:
        return [_("There are no groups to compare.")]
    return [_event(row, rule, today) for row in matched.events.itertuples()]


def _event(row: Any, rule: Rule, today: Fitted) -> str:
    old = group_name(rule.groups[row.old], rule) if row.old >= 0 else ""
    new = _comma().join(trait(code, today.mix) for code in today.rule.traits[row.group]) if row.group >= 0 else ""
    share, n = i18n.percent(row.share, 0), i18n.number(row.customers)
    return {
        "kept": _("**{old}** lives on as “{new}”: {share} of the customers of either are in both."),
        "split": _("**Split**: “{new}” ({n} customers) would break away; {share} of it comes from {old}."),
        "merge": _("**Merged**: {old} would be taken up by “{new}”, with {share} of its customers."),
        "birth": _("**Born**: “{new}” ({n} customers) is accounted for by no group in force."),
        "gone": _("**Gone**: the customers of {old} would go several ways; most, {share}, to one group."),
    }[row.event].format(old=old, new=new, share=share, n=n)


def rule_rows(rules: TreeRules | None, rule: Rule) -> pd.DataFrame:
    """The printed rules: if, then, share of the customers, how many rightly."""
    rows = [
        {"when": _("; ").join(_condition(one, rule.mix) for one in leaf.conditions),
         "group": letter(rule.groups[leaf.group]), "share": leaf.share, "right": leaf.right}
        for leaf in (rules.leaves if rules else ())
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["when", "group", "share", "right"])


def _condition(one: Condition, mix: Mix) -> str:
    name = measure_name(one.measure, mix)
    low, high = (i18n.NOTHING if end is None else _cut(one.measure, end) for end in (one.low, one.high))
    if one.low is None:
        return _("{measure} at most {high}").format(measure=name, high=high)
    if one.high is None:
        return _("{measure} over {low}").format(measure=name, low=low)
    return _("{measure} over {low}, at most {high}").format(measure=name, low=low, high=high)


def _cut(name: str, value: float) -> str:
    unit = measure(name).unit
    if unit == "share":
        return i18n.percent(value, 0)
    return i18n.money(value, 0) if unit == "money" else i18n.number(round(value, 1))


def rules_said(rules: TreeRules | None) -> str:
    """How much of the clustering the rules reproduce."""
    if rules is None:
        return _("There are too few customers to tell rules.")
    return _("These rules put **{fidelity}** of customers that they have not seen into the right group (between {low} "
             "and {high}); naming the largest group for everybody would reach {naive}.").format(
        fidelity=i18n.percent(rules.fidelity), low=i18n.percent(rules.low), high=i18n.percent(rules.high),
        naive=i18n.percent(rules.naive))


def satisfaction_rows(answers: pd.DataFrame, question: str, rule: Rule) -> pd.DataFrame:
    """One question's rows with names, groups in their order."""
    rows = answers[(answers["question"] == question) & answers["score"].notna()]
    return rows.assign(name=[group_name(code, rule) for code in rows["cluster"]]).reset_index(drop=True)


def question_asked(answers: pd.DataFrame) -> str:
    """The question that most customers answered: the recommendation score where it was asked, else the most asked."""
    asked = answers[answers["score"].notna()].groupby("question")["customers"].sum().sort_index()
    return "" if asked.empty else "nps" if "nps" in asked.index else str(asked.idxmax())


def question_name(code: str) -> str:
    """A question of the survey for people; its code where it is the shop's own."""
    known = {"nps": _("would recommend, 0 to 10"), "csat": _("content with the order, 1 to 5"),
             "service": _("service, 1 to 5"), "delivery": _("delivery, 1 to 5"),
             "product_quality": _("quality of the goods, 1 to 5")}
    return known.get(code, code)


def satisfaction_said(rows: pd.DataFrame | None) -> str:
    """Whether any two groups surely differ."""
    if rows is None:
        return _("Without a survey the groups are known by what they buy alone.")
    if len(rows) < 2:
        return _("Too few customers of these groups answered to compare them.")
    best, worst = rows.loc[rows["score"].idxmax()], rows.loc[rows["score"].idxmin()]
    if best["low"] > worst["high"]:
        return _("{best} are surely more content than {worst}: their intervals do not meet.").format(
            best=best["name"], worst=worst["name"])
    return _("The groups do not surely differ in what they answered: all intervals meet.")


def crossing_matrix(crossed: pd.DataFrame, rule: Rule, segments: Mapping[str, str]) -> pd.DataFrame:
    """RFM segments down, groups across: the share of a segment that lies in each group.

    Args:
        segments: code → name, in the order of the rows.
    """
    table = crossed.pivot_table(index="segment", columns="cluster", values="customers", aggfunc="sum").fillna(0)
    table = table.reindex(index=[code for code in segments if code in table.index],
                          columns=[code for code in rule.groups if code in table.columns])  # fmt: skip
    return table.div(table.sum(axis=1), axis=0).rename(index=dict(segments), columns=letter)


def crossing_said(alike: float | None) -> str:
    """Whether the groups say something else than the RFM segments."""
    if alike is None:
        return _("There is nothing to set beside the groups.")
    if alike >= ALIKE:
        return _("The groups say much the same as the RFM segments (adjusted Rand {value}).").format(
            value=i18n.number(round(alike, 2)))
    return _("The groups cut across the RFM segments (adjusted Rand {value}): RFM tells *when* to write, the groups "
             "*what about*.").format(value=i18n.number(round(alike, 2)))
