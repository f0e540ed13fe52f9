"""What the scorecard says: leaders, ties, ways left out, in both languages; figures under fixed names."""

import datetime as dt
import math

import numpy as np
import pandas as pd
import pytest

from workbook.data.metrics import METRICS
from workbook.output import i18n
from workbook.output.words import scorecard as words
from workbook.scoring.findings import WAYS, scorecard_figures
from workbook.scoring.scorecard import MEASURES, QUESTIONS, Days, Scorecard

DAYS = Days(dt.date(2025, 12, 31), dt.date(2026, 3, 31), dt.date(2026, 6, 30), 13.0)
COLUMNS = ["question", "measure", "grouping", "value", "low", "high", "level"]
ALL = ["accuracy", "interpretability", "stability", "benefit"]


def card(leads: dict[str, list[str]], ways: tuple[str, ...] = WAYS, over: float = -0.1) -> Scorecard:
    """A finished card on which those named lead each question."""
    values = {measure: (0.5, 0.4, 0.6) for measure in MEASURES} | {"over_naive": (over, over - 0.01, over + 0.01)}
    rows = [
        (question, measure, way, *values[measure], way in leads[question])
        for measure, question in MEASURES.items() for way in ways
    ]  # fmt: skip
    groups = pd.DataFrame(
        {"grouping": ways, "groups": 10, "largest_share": 0.25, "conditions": [7.0, *[np.nan] * (len(ways) - 1)],
         "aimed": [way in ("tree", "clv") for way in ways]}
    )  # fmt: skip
    return Scorecard(pd.DataFrame(rows, columns=COLUMNS), groups, 2000, 600, 10, "spend_12m", 0.7, "")


def everywhere(ways: list[str]) -> dict[str, list[str]]:
    return {question: list(ways) for question in ALL}


def none() -> Scorecard:
    groups = pd.DataFrame(columns=["grouping", "groups", "largest_share", "conditions", "aimed"])
    return Scorecard(pd.DataFrame(columns=COLUMNS), groups, 5, 2, 10, "", math.nan, "too_few")


def test_one_leader_everywhere_is_named():
    told = words.said(card(everywhere(["rfm"])), WAYS)
    assert told[0] == "**Accuracy:** “RFM segments” leads."
    assert told[-1] == "**“RFM segments” leads on every question**, or cannot be told from the leader."


def test_no_single_winner_is_invented():
    told = words.said(card(everywhere(["rfm", "clv"])), WAYS)
    assert told[1] == "**Interpretability:** “RFM segments” and “Equal parts by CLV” lead, and cannot be told apart."
    assert "nothing here says which of them is better" in told[-1]
    leads = {"accuracy": ["clv"], "interpretability": ["tree"], "stability": ["rfm"], "benefit": ["clv"]}
    split = words.said(card(leads), WAYS)
    assert split[-1].startswith("**No way leads on all four questions:**")
    same = words.said(card(everywhere(list(WAYS))), WAYS)
    assert same[0] == "**Accuracy:** the ways cannot be told apart."


def test_a_win_by_construction_is_told_as_one():
    leads = {"accuracy": ["clv"], "interpretability": ["rfm"], "stability": ["rfm"], "benefit": ["rfm"]}
    assert "had to win here" in words.said(card(leads), WAYS)[0]
    assert "had to win here" not in words.said(card(leads | {"accuracy": ["rfm", "clv"]}), WAYS)[0]


@pytest.mark.parametrize(("over", "text"), [(0.1, "caught more."), (-0.1, "caught less."), (0.0, "No segmentation")])
def test_the_naive_list_is_named_beside_them(over, text):
    told = words.said(card(everywhere(["rfm"]), over=over), WAYS)[4]
    assert told.startswith("The best naive list, “Spending of 12 months”, catches 70%.") and text in told


def test_a_way_left_out_is_told():
    told = words.said(card(everywhere(["rfm"]), ways=("rfm", "clusters", "tree")), WAYS)
    assert told[-1] == "Could not be fitted on this record, and left out: “Equal parts by CLV”."


def test_the_table_has_a_row_a_measure_and_stars_only_leaders_of_main_measures():
    shown = words.rows(card(everywhere(["rfm"])))
    assert list(shown.columns) == ["question", "measure", *WAYS] and len(shown) == 9
    assert shown["rfm"].str.contains("★").sum() == 4 and shown["tree"].str.contains("★").sum() == 0
    assert shown["rfm"][0] == f"0.50 (0.40{words.TO}0.60)\u00a0★"
    assert shown["clusters"][3] == "more than 40" and shown["rfm"][3] == "7"
    assert shown["question"].tolist()[:3] == ["Accuracy", "", "Interpretability"]


def test_too_few_says_so_and_shows_no_number_of_a_measure():
    assert "too few" in words.basis(none(), DAYS)
    assert words.said(none(), WAYS) == [] and words.rows(none()).empty and words.picture(none()).empty
    figures = list(scorecard_figures(none()))
    assert all(figure.value is None and figure.reason == "too_few" for figure in figures)


def test_every_figure_is_defined_and_carries_its_evidence():
    full, part = card(everywhere(["rfm"])), card(everywhere(["rfm"]), ways=("rfm",))
    figures = list(scorecard_figures(full))
    assert [f.name for f in figures] == [f.name for f in scorecard_figures(part)] == [
        f.name for f in scorecard_figures(none())]  # fmt: skip
    assert all(METRICS[f"06_clv.{figure.name}"].unit == figure.unit for figure in figures)
    assert all(figure.evidence == "observed" for figure in figures[1:])
    assert {f.reason for f in scorecard_figures(part) if "_clv_" in f.name} == {"not_fitted"}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_everything_is_said_in_both_languages(lang):
    i18n.use(lang, "CNY")
    i18n.untranslated.clear()
    for leads in (["rfm"], ["tree"], ["rfm", "clusters", "tree"], list(WAYS)):
        for over in (-0.1, 0.0, 0.1):
            full = card(everywhere(leads), over=over, ways=WAYS)
            words.said(full, [*WAYS, "clv"]), words.rows(full), words.columns(full), words.picture(full)
    words.said(card({**everywhere(["rfm"]), "benefit": ["clv"]}, ways=("rfm", "clv")), WAYS)
    words.basis(full, DAYS), words.basis(none(), DAYS)
    assert [words.list_name(code) for code in ("spend_12m", "recency", "value_to_date")]
    assert set(QUESTIONS) == set(ALL)
    assert not i18n.untranslated
