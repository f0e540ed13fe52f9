"""What 04_rfm says: every code has a name in both languages, and a sentence claims no more than its interval."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from workbook.data.findings import Finding
from workbook.output import i18n
from workbook.output.words import rfm as words
from workbook.rfm import CLASSES, MEASURES, NOT_YET, SEGMENTS, CutsInForce, Thresholds, ValueCuts
from workbook.rfm.table import Repeats

EDGES = Thresholds((10.0, 20.0, 30.0, 40.0), (1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.0, 8.0))


@pytest.fixture(params=["en", "zh"], autouse=True)
def language(request):
    i18n.use(request.param, "EUR")
    i18n.untranslated.clear()
    yield request.param
    assert not i18n.untranslated
    i18n.use("en", "EUR")


def judged(lead, low, high):
    """RFM and one rival, in both outcomes."""
    rows = [("rfm", 0.5, 0.4, 0.6, 0, 0, 0), ("recency", 0.5 - lead, 0.3, 0.5, lead, low, high)]
    columns = ["ranking", "share", "low", "high", "lead", "lead_low", "lead_high"]
    frames = [pd.DataFrame(rows, columns=columns).assign(outcome=name) for name in ("buyers", "revenue")]
    return pd.concat(frames, ignore_index=True)


def test_every_code_has_a_name():
    names = [words.segment_name(segment.name) for segment in SEGMENTS] + [words.segment_name(NOT_YET)]
    assert len(set(names)) == len(SEGMENTS) + 1
    assert words.segment_name(None) == words.segment_name(NOT_YET)
    assert len({words.class_name(code) for code in CLASSES}) == len(CLASSES)
    assert all(words.measure_name(m) and words.measure_axis(m) and words.measure_unit(m) for m in MEASURES)


def test_the_printed_rule_has_a_line_a_segment():
    rows = words.rule_rows(EDGES).set_index("segment")
    assert len(rows) == len(SEGMENTS)
    assert rows.loc[words.segment_name("champions"), "recency"] == "4–5"
    assert rows.loc[words.segment_name("slowing"), "recency"] == "3"
    two = words.rule_rows(Thresholds((1.0,), (1.0,), (1.0,))).set_index("segment")
    assert two.loc[words.segment_name("slowing"), "recency"] == i18n.NOTHING, "two bins have no middle"


def test_cuts_between_the_scores():
    rows = words.cut_rows(CutsInForce(EDGES, date(2026, 6, 30), False), EDGES)
    assert len(rows) == 12
    assert rows["between"].iat[0][0] == "4" and rows["between"].iat[0][-1] == "5", "few days are the best score"
    assert rows["between"].iat[4][0] == "1" and rows["cut"].iat[8] == i18n.money(5)


@pytest.mark.parametrize(("lead", "low", "high", "said", "gesagt"), [
    (0.05, 0.01, 0.09, "5.0 points more than", "多 5.0 个百分点"),
    (-0.05, -0.09, -0.01, "points **less** than", "**少** 5.0 个百分点"),
    (0.05, -0.01, 0.09, "no difference beyond chance", "差异不超出偶然"),
])  # fmt: skip
def test_a_lead_is_claimed_only_beyond_chance(lead, low, high, said, gesagt, language):
    text = words.verdict(judged(lead, low, high), share=0.2, n=500, buyers=100, of=500)
    assert (said if language == "en" else gesagt) in text
    assert i18n.percent(0.5) in text


def test_too_few_are_not_judged():
    assert "29" in words.verdict(judged(0.1, 0, 0.2), share=0.2, n=500, buyers=29, of=500)
    assert len(words.judged_rows(judged(0.1, 0, 0.2), n=500, buyers=29)) == 0
    assert len(words.judged_rows(judged(0.1, 0, 0.2), n=500, buyers=30)) == 4


def test_a_sample_is_told():
    text = words.verdict(judged(0.1, 0.05, 0.2), share=0.2, n=100_000, buyers=9000, of=2_000_000)
    assert i18n.number(100_000) in text and i18n.number(2_000_000) in text


def test_bins_really_used():
    assert "3" in words.bins_used({"r": 5, "f": 3, "m": 5}, EDGES)
    assert words.bins_used({"r": 5, "f": 5, "m": 5}, EDGES) != words.bins_used({"r": 5, "f": 3, "m": 5}, EDGES)


def test_what_pays():
    rows = pd.DataFrame({"segment": ["champions", "new"], "rate": [0.5, 0.05], "low": [0.4, 0.01], "high": [0.6, 0.09]})
    text = words.paying(rows, 0.04)
    assert words.segment_name("champions") in text and words.segment_name("new") not in text
    assert words.paying(rows, 0.9) and words.paying(rows, None) and words.paying(rows.head(0), 0.1)


def test_nobody_and_few():
    assert words.repeaters(Repeats(0, 0, 0, None)) != words.repeaters(Repeats(5, 0, 0, None))
    assert words.top_segment(pd.DataFrame({"segment": [], "revenue_share": []}))
    assert words.moved(pd.DataFrame({"segment_before": [], "segment": [], "customers": []}), None)
    assert words.naive(pd.DataFrame({"score": [5, 1], "r": [0, 0], "f": [0, 0], "m": [0, 0]}))
    assert words.by_hand(pd.DataFrame(), pd.DataFrame())
    assert words.class_rule(ValueCuts(10.0, None, None), 90) in words.class_rule(ValueCuts(10.0, 2, 3), 90)


def test_movement_is_told_in_flows():
    moves = pd.DataFrame({
        "segment_before": ["champions", "at_risk", NOT_YET, "loyal"], "segment": ["at_risk", "loyal", "new", "loyal"],
        "customers": [3, 4, 5, 6],
    })  # fmt: skip
    text = words.moved(moves, 7 / 13)
    assert all(figure in text for figure in ("3", "4", "5", i18n.percent(7 / 13)))
    matrix = words.movement_matrix(moves)
    assert matrix.columns.tolist() == [words.segment_name(code) for code in ("loyal", "at_risk", "new")]
    assert np.nansum(matrix.to_numpy()) == 18


def test_the_sentence_of_the_index():
    found = {"customers": Finding(100), "segment_champions_customers": Finding(10),
             "segment_champions_revenue_share": Finding(0.5), "segment_at_risk_customers": Finding(7)}  # fmt: skip
    assert i18n.percent(0.5) in words.summary(found, {})
    assert "12" in words.summary(found, {"segment_at_risk_customers": Finding(12)})
    assert words.summary(found | {"customers": Finding(0)}, {})


def test_a_saved_filter_that_no_longer_fits_stays_in_the_table():
    rows = words.saved_rows({"East": "There is no such column."}, {"East": "region = East"})
    assert "no such column" in rows["filter"].iat[0]
