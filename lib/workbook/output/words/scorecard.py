"""What the segmentation scorecard says: the four questions, their measures, and who leads where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from workbook.output import i18n
from workbook.output.i18n import _
from workbook.scoring.answers import MOST_CONDITIONS
from workbook.scoring.scorecard import QUESTIONS, Days, Scorecard

LEADER = "★"
TO = "\u00a0–\u2060\u00a0"  # between the ends of an interval, which stay on one line
SHARES = {"explained", "fidelity", "kept", "captured"}
ROWS = {  # of the table
    "accuracy": ("gini", "explained"), "interpretability": ("fidelity", "conditions"),
    "stability": ("refitted", "kept"), "benefit": ("captured", "over_naive"), "size": ("largest",),
}  # fmt: skip


def way_name(code: str) -> str:
    """A way of grouping for people."""
    return {"rfm": _("RFM segments"), "clusters": _("Clusters"), "tree": _("Revenue tree"),
            "clv": _("Equal parts by CLV")}[code]


def list_name(code: str) -> str:
    """A naive list."""
    return {"spend_12m": _("Spending of 12 months"), "recency": _("Recency alone"),
            "value_to_date": _("Spending to date")}[code]


def question_name(question: str) -> str:
    return {"accuracy": _("Accuracy"), "interpretability": _("Interpretability"), "stability": _("Stability"),
            "benefit": _("Benefit"), "size": _("Size")}[question]


def measure_name(measure: str, share: float = 0.2) -> str:
    """What a row of the table holds."""
    return {
        "gini": _("order of customers by the group's mean (normalised Gini)"),
        "explained": _("share of the differences in revenue explained"),
        "fidelity": _("customers whose group short rules tell rightly"),
        "conditions": _("conditions that tell nine of ten"),
        "refitted": _("likeness of the groups when fitted anew (adjusted Rand index)"),
        "kept": _("customers in the same group a period earlier"),
        "captured": _("revenue caught by the first {share} of customers").format(share=i18n.percent(share, 0)),
        "over_naive": _("percentage points more than the best naive list"),
        "largest": _("customers in the largest group"),
    }[measure]


def basis(card: Scorecard, days: Days) -> str:
    """On whom and when the ways were tested."""
    if card.code:
        return _("Of {n} customers known by {day}, {buyers} bought in the test period: too few to set segmentations "
                 "side by side.").format(
            n=i18n.number(card.n), day=i18n.date(days.cut_off), buyers=i18n.number(card.buyers))
    text = _("**{n} customers, {groups} groups each.** All ways were fitted on what was known by {day}; tested on what "
             "came from then to {end}, when {buyers} of them bought.")
    return text.format(n=i18n.number(card.n), groups=i18n.number(card.n_groups), day=i18n.date(days.cut_off),
                       end=i18n.date(days.end), buyers=i18n.number(card.buyers))


def rows(card: Scorecard, share: float = 0.2) -> pd.DataFrame:
    """The table for people: a row a measure, a column a way; each value with its interval, leaders starred."""
    shapes = card.groups.set_index("grouping")
    cells = {row.measure: {} for row in card.table.itertuples()}
    for row in card.table.itertuples():
        cells[row.measure][row.grouping] = _cell(row)
    cells["conditions"] = shapes["conditions"].map(_conditions).to_dict()
    cells["largest"] = shapes["largest_share"].map(lambda x: i18n.percent(x, 0)).to_dict()
    shown = [
        {"question": question_name(question) if place == 0 else "", "measure": measure_name(measure, share),
         **cells.get(measure, {})}
        for question, measures in ROWS.items() for place, measure in enumerate(measures)
    ]  # fmt: skip
    return pd.DataFrame(shown, columns=["question", "measure", *shapes.index]).head(len(shown) if len(shapes) else 0)


def columns(card: Scorecard) -> dict[str, tuple[str, str]]:
    ways = {way: (way_name(way), "text") for way in card.groups["grouping"]}
    return {"question": (_("Question"), "text"), "measure": (_("Measure"), "text"), **ways}


def _cell(row: Any) -> str:
    low, high = (_value(x, row.measure) for x in (row.low, row.high))
    star = f"\u00a0{LEADER}" if row.measure in QUESTIONS.values() and row.level else ""
    return f"{_value(row.value, row.measure)} ({low}{TO}{high}){star}"


def _value(x: float, measure: str) -> str:
    if measure == "over_naive":
        points = round(100 * x, 1)
        return ("+" if points > 0 else "") + i18n.number(points, 1)
    return i18n.percent(x, 0) if measure in SHARES else i18n.number(x, 2)


def _conditions(x: float) -> str:
    return _("more than {n}").format(n=i18n.number(MOST_CONDITIONS)) if i18n.is_nothing(x) else i18n.number(x)


def picture(card: Scorecard, share: float = 0.2) -> pd.DataFrame:
    """The main measure of each question, one panel a question: panel, name, value, low, high."""
    main = card.table[card.table["measure"].isin(QUESTIONS.values())]
    panels = {
        "accuracy": _("Accuracy: normalised Gini"),
        "interpretability": _("Interpretability: told by short rules"),
        "stability": _("Stability: likeness when fitted anew"),
        "benefit": _("Benefit: revenue caught by the first {share}").format(share=i18n.percent(share, 0)),
    }
    return main.assign(panel=main["question"].map(panels), name=[way_name(way) for way in main["grouping"]])


def said(card: Scorecard, ways: Sequence[str]) -> list[str]:
    """Who leads on each question, whether anybody leads on all, and what is left out.

    Args:
        ways: all that were asked for.
    """
    if card.code:
        return []
    aimed = [way for way, is_aimed in zip(card.groups["grouping"], card.groups["aimed"], strict=True) if is_aimed]
    told = [_leads(card, question) for question in QUESTIONS]
    if aimed and set(card.level("accuracy")) <= set(aimed):
        told[0] += _gap() + _("Made to sort customers by revenue, {names} had to win here; whether it pays is asked "
                              "last.").format(names=_named(aimed))
    absent = [way for way in ways if way not in set(card.groups["grouping"])]
    left_out = [_("Could not be fitted on this record, and left out: {names}.").format(names=_named(absent))]
    return [*told, _against_naive(card), _overall(card), *(left_out if absent else [])]


def _leads(card: Scorecard, question: str) -> str:
    leaders = card.level(question)
    if len(leaders) == len(card.groups):
        return _("**{question}:** the ways cannot be told apart.").format(question=question_name(question))
    if len(leaders) == 1:
        return _("**{question}:** {name} leads.").format(question=question_name(question), name=_named(leaders))
    return _("**{question}:** {names} lead, and cannot be told apart.").format(
        question=question_name(question), names=_named(leaders))


def _against_naive(card: Scorecard) -> str:
    over = card.table[card.table["measure"] == "over_naive"]
    more, less = over.loc[over["low"] > 0, "grouping"].tolist(), over.loc[over["high"] < 0, "grouping"].tolist()
    text = _("The best naive list, “{naive}”, catches {captured}.").format(
        naive=list_name(card.naive), captured=i18n.percent(card.naive_captured, 0))
    if more:
        text += _gap() + _("Beyond chance, {names} caught more.").format(names=_named(more))
    else:
        text += _gap() + _("No segmentation caught more than that beyond chance.")
    return text + (_gap() + _("{names} caught less.").format(names=_named(less)) if less else "")


def _overall(card: Scorecard) -> str:
    everywhere = [w for w in card.groups["grouping"] if all(w in card.level(question) for question in QUESTIONS)]
    if not everywhere:
        return _("**No way leads on all four questions:** choose by what the groups are for. Rules that people must "
                 "remember want the second and third question, a mailing list the last.")
    if len(everywhere) == 1:
        return _("**{name} leads on every question**, or cannot be told from the leader.").format(
            name=_named(everywhere))
    return _("**{names} are among the leaders on every question**; nothing here says which of them is better.").format(
        names=_named(everywhere))


def _named(codes: Sequence[str]) -> str:
    names = [f"“{way_name(code)}”" for code in codes]
    return _(" and ").join([_(", ").join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)


def _gap() -> str:
    """What stands between two sentences: nothing in Chinese."""
    return "" if i18n.lang() == "zh" else " "
