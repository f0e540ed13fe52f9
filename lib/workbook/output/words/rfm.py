"""What 04_rfm says: names of segments and classes, the printed rule, and sentences made of computed values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from workbook.data.findings import Finding
from workbook.output import i18n
from workbook.output.i18n import _
from workbook.rfm import MEASURES, NOT_YET, SEGMENTS, CutsInForce, Thresholds, ValueCuts
from workbook.rfm.findings import FEWEST
from workbook.rfm.table import Repeats

SCORE_OF = {score: measure for measure, score in MEASURES.items()}


def summary(found: Mapping[str, Finding], before: Mapping[str, Finding]) -> str:
    """One sentence for the index: the best segment, and how many valuable customers have gone quiet."""
    if not found["customers"].value:
        return _("Nobody has bought yet.")
    share, revenue = found["segment_champions_customers"], found["segment_champions_revenue_share"]
    risk = found["segment_at_risk_customers"]
    text = _("{best} customers are champions and bring {revenue} of the year's revenue; {risk} valuable ones have gone "
             "quiet.").format(best=i18n.number(share.value), revenue=i18n.quantity(revenue.value, "share"),
                              risk=i18n.number(risk.value))
    if "segment_at_risk_customers" in before and before["segment_at_risk_customers"].value is not None:
        text += _gap() + _("(A period ago: {n}.)").format(n=i18n.number(before["segment_at_risk_customers"].value))
    return text


def _gap() -> str:
    """What stands between two sentences: nothing in Chinese."""
    return "" if i18n.lang() == "zh" else " "


def segment_name(code: str | None) -> str:
    """A segment for people."""
    names = {
        "champions": _("Champions"),
        "loyal": _("Loyal"),
        "promising": _("Promising"),
        "slowing": _("Slowing down"),
        "occasional": _("Occasional"),
        "at_risk": _("At risk"),
        "hibernating": _("Hibernating"),
        "new": _("New"),
        "second_due": _("Second due"),
        "one_time_gone": _("Once only"),
        NOT_YET: _("Not yet bought"),
    }
    return names[code or NOT_YET]


def advice(code: str) -> str:
    """What to do about a segment."""
    return {
        "champions": _("thank, show news first, no discount"),
        "loyal": _("offer more of what they like"),
        "promising": _("widen: a second category"),
        "slowing": _("remind before the rhythm is lost"),
        "occasional": _("write at their season, cheaply"),
        "at_risk": _("win back: call, ask, offer"),
        "hibernating": _("one last letter, then let go"),
        "new": _("welcome, explain, ask for a review"),
        "second_due": _("a reason for the second purchase"),
        "one_time_gone": _("leave alone unless it costs nothing"),
        NOT_YET: _("invite to a first purchase"),
    }[code]


def class_name(code: str) -> str:
    return {"high": _("High value"), "potential": _("Potential"), "low": _("Low value"),
            "unknown": _("Not high (interest unknown)")}[code]


def list_name(code: str) -> str:
    return {"rfm": _("RFM score"), "recency": _("Recency alone"), "spend_12m": _("Spending of 12 months"),
            "bought_last_month": _("Bought in the last 30 days")}[code]


def outcome_name(code: str) -> str:
    return {"buyers": _("of the buyers"), "revenue": _("of the revenue")}[code]


def measure_name(measure: str) -> str:
    return {"recency_days": _("Recency"), "frequency": _("Frequency"), "monetary": _("Monetary value")}[measure]


def measure_unit(measure: str) -> str:
    """What a measure counts, for axes; money writes its own sign."""
    return {"recency_days": "days", "frequency": "number", "monetary": "money"}[measure]


def measure_axis(measure: str) -> str:
    return {"recency_days": _("since the last purchase"), "frequency": _("purchase days"),
            "monetary": _("net amount")}[measure]


def _edge(measure: str, value: float) -> str:
    return i18n.money(value) if measure == "monetary" else i18n.number(value)


def by_hand(hand: pd.DataFrame, library: pd.DataFrame) -> str:
    """That the count by hand and the library's row say the same."""
    if not len(hand):
        return _("There is no customer with a plain history to count by hand.")
    return _("By hand: **{recency} days** ago, on **{frequency} days**, **{monetary}** in all. The library says: "
             "{recency_2} days, {frequency_2} days, {monetary_2}.").format(
        recency=i18n.number(hand["recency_days"].iat[0]), frequency=i18n.number(hand["purchase_days"].iat[0]),
        monetary=i18n.money(hand["monetary"].iat[0]), recency_2=i18n.number(library["recency_days"].iat[0]),
        frequency_2=i18n.number(library["purchase_days"].iat[0]), monetary_2=i18n.money(library["monetary"].iat[0]))


def repeaters(facts: Repeats) -> str:
    """How many came back, and what a repeat purchase day is worth."""
    if not facts.customers:
        return _("Nobody has bought yet: there is nothing to score.")
    share = i18n.percent(facts.repeaters / facts.customers)
    text = _("**{customers} customers** have bought; **{share}** of them on more than one day.").format(
        customers=i18n.number(facts.customers), share=share)
    if facts.repeaters:
        text += _gap() + _("A repeat purchase day brings {value} on average.").format(
            value=i18n.money(facts.mean_repeat_value))
    if facts.customers < FEWEST:
        text += _gap() + _("With so few customers the scores below say little.")
    return text


def cut_rows(cuts: CutsInForce, today: Thresholds) -> pd.DataFrame:
    """One row a cut: between which scores it stands, the cut in force and what it would be if fitted today."""
    rows = []
    for measure, score in MEASURES.items():
        edges, fresh = getattr(cuts.edges, measure), getattr(today, measure)
        bins = len(edges) + 1
        for i, edge in enumerate(edges):
            between = (bins - i - 1, bins - i) if score == "r" else (i + 1, i + 2)
            now = _edge(measure, fresh[i]) if len(fresh) == len(edges) else i18n.NOTHING
            rows.append({
                "measure": measure_name(measure) if i == 0 else "",
                "between": _("{low} and {high}").format(low=between[0], high=between[1]),
                "cut": _edge(measure, edge), "today": now,
            })  # fmt: skip
    return pd.DataFrame(rows, columns=["measure", "between", "cut", "today"])


def cuts_from(cuts: CutsInForce, own: Sequence[str], moved: float | None) -> str:
    """Since when the cuts hold, which are one's own, and what a refit would move."""
    if cuts.provisional:
        text = _("The cuts were fitted on {day} for this page only: the base period, at which they will be kept, has "
                 "no purchases or lies later.")
    else:
        text = _("The cuts were fitted at the end of {day} and are kept, so that a customer changes segment only by "
                 "what the customer does.")
    text = text.format(day=i18n.date(cuts.fitted_on))
    if own:
        text += _gap() + _("Cuts of your own: {measures}.").format(
            measures=_(", ").join(measure_name(measure) for measure in own))
    if moved is not None:
        text += _gap() + _("If they were fitted anew today, {share} of the customers would change segment.").format(
            share=i18n.percent(moved))
    return text


def bins_used(used: Mapping[str, int], edges: Thresholds) -> str:
    """How many of the bins asked for hold anybody."""
    fewer = [name for name, bins in used.items() if bins < edges.bins[name]]
    if not fewer:
        return _("All bins of all three measures are really used.")
    told = _(", ").join(
        _("{measure} {used} of {asked}").format(measure=measure_name(SCORE_OF[name]), used=used[name],
                                                asked=edges.bins[name]) for name in fewer)
    text = _("Customers with equal values score alike, so fewer bins than asked for are used: {told}.")
    return text.format(told=told)


def naive(sizes: pd.DataFrame) -> str:
    """How full the lowest bin of equal width is."""
    total = sizes["m"].sum()
    if not total:
        return _("There is nobody to score yet.")
    return _("With bins of equal width, **{share}** of the customers share the lowest monetary score: one large "
             "customer sets the scale for all.").format(share=i18n.percent(sizes["m"].iat[-1] / total))


def rule_rows(edges: Thresholds) -> pd.DataFrame:
    """The rule, printed: purchase days, levels of recency and value, what to do; one row a segment."""
    return pd.DataFrame(
        [
            {"segment": segment_name(segment.name),
             "days": _("one day") if segment.first_time else _("two days or more"),
             "recency": _levels(segment.recency, edges.bins["r"]),
             "value": _any_level(segment.value),
             "advice": advice(segment.name)}
            for segment in SEGMENTS
        ],
        columns=["segment", "days", "recency", "value", "advice"],
    )


def _levels(levels: Sequence[str], bins: int) -> str:
    """The recency scores of these levels: thirds of the range, in whole numbers."""
    parts = {"low": [], "mid": [], "high": []}
    for score in range(1, bins + 1):
        level = "low" if 3 * (score - 1) <= bins - 1 else "high" if 3 * (score - 1) >= 2 * (bins - 1) else "mid"
        parts[level].append(score)
    scores = [score for level in levels for score in parts[level]]
    return i18n.NOTHING if not scores else f"{scores[0]}–{scores[-1]}" if len(scores) > 1 else str(scores[0])


def _any_level(levels: Sequence[str]) -> str:
    if len(levels) == 3:
        return _("any")
    return _(" or ").join({"low": _("low"), "mid": _("middle"), "high": _("high")}[level] for level in levels)


def segment_rows(summary: pd.DataFrame) -> pd.DataFrame:
    """The segments' sizes with names, in the order of the rule."""
    order = {segment.name: i for i, segment in enumerate(SEGMENTS)}
    rows = summary.sort_values("segment", key=lambda codes: codes.map(order), ignore_index=True)
    return rows.assign(name=[segment_name(code) for code in rows["segment"]])


def top_segment(summary: pd.DataFrame) -> str:
    """The segment that brings most: its share of customers and of revenue."""
    if not len(summary) or not summary["revenue_share"].notna().any():
        return _("Nothing was bought in the last twelve months.")
    top = summary.loc[summary["revenue_share"].idxmax()]
    return _("**{segment}** are {customers} of the customers and bring {revenue} of the net revenue of the last twelve "
             "months.").format(segment=segment_name(top["segment"]), customers=i18n.percent(top["customer_share"]),
                               revenue=i18n.percent(top["revenue_share"]))


def movement_matrix(moves: pd.DataFrame) -> pd.DataFrame:
    """Segments a period ago down, segments now across, with names, in the order of the rule."""
    order = [*[segment.name for segment in SEGMENTS], NOT_YET]
    table = moves.pivot_table(index="segment_before", columns="segment", values="customers", aggfunc="sum")
    down, across = ([code for code in order if code in codes] for codes in (table.index, table.columns))
    return table.reindex(index=down, columns=across).rename(index=segment_name, columns=segment_name)


def moved(moves: pd.DataFrame, share: float | None) -> str:
    """How many changed segment, and the flows that matter."""
    if share is None:
        return _("Nobody had bought by the end of the period before: there is no movement yet.")
    quiet = ("at_risk", "hibernating", "one_time_gone")
    there = moves[moves["segment_before"] != NOT_YET]
    lost = there[~there["segment_before"].isin(quiet) & there["segment"].isin(quiet)]["customers"].sum()
    back = there[there["segment_before"].isin(quiet) & ~there["segment"].isin(quiet)]["customers"].sum()
    won = moves[(moves["segment_before"] == NOT_YET) & (moves["segment"] != NOT_YET)]["customers"].sum()
    return _("**{share}** of those who had bought a period ago are in another segment now: {lost} went quiet, {back} "
             "came back from silence; {won} bought for the first time.").format(
        share=i18n.percent(share), lost=i18n.number(lost), back=i18n.number(back), won=i18n.number(won))


def class_rule(cuts: ValueCuts, days: int) -> str:
    """The rule of the value classes with its figures."""
    text = _("High value: more than **{spend}** net in twelve months.").format(spend=i18n.money(cuts.spend))
    if cuts.visits is None:
        return text
    return text + _gap() + _("Potential: not high, but at least **{visits} visits** and **{clicks} clicks** in {days} "
                          "days, as the typical customer of high value who visits. Low: the others.").format(
        visits=i18n.number(cuts.visits), clicks=i18n.number(cuts.clicks), days=i18n.number(days))


def class_rows(classes: pd.DataFrame) -> pd.DataFrame:
    order = {"high": 0, "potential": 1, "low": 2, "unknown": 3}
    rows = classes.sort_values("value_class", key=lambda codes: codes.map(order), ignore_index=True)
    return rows.assign(name=[class_name(code) for code in rows["value_class"]])


def judged_rows(judged: pd.DataFrame, *, n: int, buyers: int) -> pd.DataFrame:
    """One row a list and outcome, named; none where there is too little to judge by."""
    enough = judged if n >= FEWEST and buyers >= FEWEST else judged.head(0)
    return enough.assign(name=enough["ranking"].map(list_name), group=enough["outcome"].map(outcome_name))


def verdict(judged: pd.DataFrame, *, share: float, n: int, buyers: int, of: int) -> str:
    """Whether the RFM list catches more buyers than naive lists of the same length; said only if there is enough.

    Args:
        n, of: customers on whom the lists are judged, and how many there are; fewer are a sample.
    """
    if n < FEWEST or buyers < FEWEST:
        return _("Only {buyers} of {n} customers bought after the scoring day: too few to judge a list.").format(
            buyers=i18n.number(buyers), n=i18n.number(n))
    of_buyers, of_revenue = (judged[judged["outcome"] == name].set_index("ranking") for name in ("buyers", "revenue"))
    own = of_buyers.loc["rfm"]
    text = _("The first {share} by RFM score caught **{caught}** of the buyers (between {low} and {high}); a list "
             "drawn by lot would catch {share}. Beside naive lists of the same length: {leads}.").format(
        share=i18n.percent(share, 0), caught=i18n.percent(own["share"]), low=i18n.percent(own["low"]),
        high=i18n.percent(own["high"]), leads=_leads(of_buyers))
    if n < of:
        text += _gap() + _("Judged on a sample: {n} of {all} customers.").format(n=i18n.number(n), all=i18n.number(of))
    if of_revenue["share"].isna().any():
        return text
    return text + _gap() + _("Of the revenue it caught **{caught}**: {leads}.").format(
        caught=i18n.percent(of_revenue.loc["rfm", "share"]), leads=_leads(of_revenue))


def _leads(rows: pd.DataFrame) -> str:
    """The lead over each rival, where it is more than chance."""
    return _("; ").join(_lead(code, rows.loc[code]) for code in rows.index if code != "rfm")


def _lead(code: str, row: pd.Series) -> str:
    points, rival = i18n.number(abs(round(100 * row["lead"], 1)), 1), list_name(code)
    if row["lead_low"] > 0:
        return _("{points} points more than “{rival}”").format(points=points, rival=rival)
    if row["lead_high"] < 0:
        return _("{points} points **less** than “{rival}”").format(points=points, rival=rival)
    return _("no difference beyond chance from “{rival}”").format(rival=rival)


def paying(response: pd.DataFrame, break_even: float | None) -> str:
    """Which segments answered above the break-even rate, at most."""
    if break_even is None or not len(response):
        return _("Nobody bought after the scoring day, so there is no answer to weigh against the cost of a letter.")
    sure = [segment_name(row.segment) for row in response.itertuples() if row.low > break_even]
    text = _("A letter pays from a response of **{rate}** on, if every answer came from the letter.").format(
        rate=i18n.percent(break_even))
    if sure:
        return text + _gap() + _(
            "Surely above it: {segments}. But these customers bought without a letter: what a letter adds, only an "
            "experiment tells.").format(segments=_(", ").join(sure))
    return text + _gap() + _("No segment is surely above it.")


def saved_rows(sizes: Mapping[str, Any], sentences: Mapping[str, str]) -> pd.DataFrame:
    """Saved segments: name, filter, size, share, spending; or why a filter no longer fits."""
    rows = [
        {"name": name, "filter": f"{sentences[name]} ({size})"} if isinstance(size, str)
        else {"name": name, "filter": sentences[name], "customers": size.customers, "share": size.share,
              "spend": size.spend_12m}
        for name, size in sizes.items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["name", "filter", "customers", "share", "spend"])


def overlap_rows(overlaps: Mapping[str, Any]) -> pd.DataFrame:
    """One row a saved segment: only in the filter, in both, only in the saved one."""
    return pd.DataFrame([{"name": name, **overlap._asdict()} for name, overlap in overlaps.items()],
                        columns=["name", "only_first", "both", "only_second"])
