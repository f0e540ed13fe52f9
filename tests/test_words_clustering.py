"""What 05_clustering says: every code has a name in both languages, and a sentence claims no more than its figures."""

import re
from datetime import date
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest

from workbook import clustering
from workbook.clustering.rule import NO_GROUPS
from workbook.clustering.scaling import Column, Scaling
from workbook.data.findings import Finding
from workbook.data.metrics import METRICS
from workbook.output import i18n, page
from workbook.output.explore import clustering as explore
from workbook.output.words import clustering as words

MIX = clustering.Mix(("Tea", "Gifts"), ("web", "app"))
SCALE = Scaling(tuple(Column(name, "log", 0.0, 0.0, 0.0, 1.0, 1.0) for name in ("order_value", "category_1")))
RULE = clustering.Rule(MIX, SCALE, ((1.0, 0.0), (-1.0, 1.0)), (("order_value+",), ("order_value-", "category_1+")))


@pytest.fixture(params=["en", "zh"], autouse=True)
def language(request):
    i18n.use(request.param, "EUR")
    i18n.untranslated.clear()
    yield request.param
    assert not i18n.untranslated
    i18n.use("en", "EUR")


@pytest.fixture(scope="module")
def today():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({
        "customer_id": [f"c{i}" for i in range(200)], "purchase_days": 3, "spend_12m": rng.exponential(90, 200),
        "order_value": np.exp(np.repeat([2, 5], 100) + 0.3 * rng.normal(size=200)),
        "gap_days": np.exp(np.tile([1, 4], 100) + 0.3 * rng.normal(size=200)),
    })  # fmt: skip
    return clustering.fitted(frame, day=date(2026, 6, 30), options=clustering.Options(most_groups=5))


def test_every_measure_and_trait_has_a_name():
    names = [*clustering.MEASURES, *MIX.columns]
    assert len({words.measure_name(name, MIX) for name in names}) == len(names)
    traits = [words.trait(f"{name}{sign}", MIX) for name in names for sign in "+-"]
    assert len(set(traits)) == 2 * len(names)
    assert words.trait(clustering.MIDDLE, MIX)
    assert "Gifts" in words.trait("category_2+", MIX)


def test_group_names_begin_with_their_letter():
    names = words.group_names(RULE)
    assert [name[0] for name in names.values()] == ["A", "B"] and len(set(names.values())) == 2
    assert words.group_name(None, RULE) == words.group_name("z", RULE)


def test_every_reason_has_words(today):
    reasons = ["", "missing", "mostly_blank", "mostly_alike", "chance", "not_asked", "left_out", "by_default"]
    assert len({words.why_not(code) for code in reasons}) == len(reasons)
    rows = words.measure_rows(today)
    assert rows["used"].iloc[:2].all() and not rows["used"].iloc[2:].any(), "those used stand first"
    assert all(words.way_name(way) for way in clustering.WAYS)


@pytest.mark.parametrize(("verdict", "said", "gesagt"), [
    ("groups", "There are groups", "存在群体"), ("overlapping", "no borders", "没有边界"),
    ("single_measures", "Only single measures", "单项指标"), ("continuum", "continuum", "连续过渡"),
])  # fmt: skip
def test_the_verdict_in_words(verdict, said, gesagt, language):
    table = pd.DataFrame({"reference": ["cloud", "same_shapes"], "k": 2, "explained": 0.4, "expected": 0.3, "low": 0.2,
                          "high": 0.35})  # fmt: skip
    found = clustering.Structure(verdict, {"cloud": 0.0167, "same_shapes": 0.2}, 0.12, 800, table)
    told = words.structure_said(found)
    assert (said if language == "en" else gesagt) in told and "0.017" in told and "800" in told
    assert len(words.structure_rows(found)) == 3


def test_too_few_are_told_without_a_number_of_groups(language):
    nothing = clustering.Structure("too_few", {}, float("nan"), 12, pd.DataFrame({"reference": [], "k": []}))
    assert "12" in words.structure_said(nothing)
    assert len(words.structure_rows(nothing)) == 0
    few = clustering.fitted(pd.DataFrame({"customer_id": ["a"], "purchase_days": [2], "order_value": [1.0],
                                          "gap_days": [3.0]}), day=date(2026, 6, 30))  # fmt: skip
    kept = clustering.RuleInForce(NO_GROUPS, "too_few", date(2026, 6, 30), True)
    told = [words.measures_said(few), words.choice_said(few.choice, few.table), words.rule_said(kept, few),
            words.sizes_said(pd.DataFrame({"revenue_share": []}), NO_GROUPS), *words.refit_said(None, NO_GROUPS, few),
            words.silhouette_said(pd.DataFrame(), NO_GROUPS), words.rules_said(None), words.crossing_said(None),
            words.ways_said(*[pd.DataFrame(columns=["way", "one", "other", "adjusted_rand"])] * 2),
            words.satisfaction_said(None), words.moved_said(pd.DataFrame(), None, NO_GROUPS)]  # fmt: skip
    assert all(told) and not any("nan" in text for text in told)


def test_the_choice_names_who_chose(today, language):
    by_reader = today.choice._replace(by="reader")
    assert words.choice_said(today.choice, today.table) != words.choice_said(by_reader, today.table)
    nothing = today.choice._replace(by="nothing_stable", stable_k=0)
    assert ("no number" if language == "en" else "没有哪个组数") in words.choice_said(nothing, today.table)


def test_events_are_told(today, language):
    rows = [("kept", 0, 0, 0.9, 50), ("split", 1, 0, 0.6, 20), ("merge", 0, 1, 0.7, 30), ("birth", 1, -1, 0.2, 10),
            ("gone", -1, 1, 0.4, 12)]  # fmt: skip
    matched = clustering.Matching({0: 0}, pd.DataFrame(rows, columns=["event", "group", "old", "share", "customers"]))
    told = words.refit_said(matched, RULE, today)
    assert len(set(told)) == 5
    assert ("Split" if language == "en" else "分裂") in told[1]
    assert words.group_name("b", RULE) in told[2]


def test_rules_are_read_aloud(language):
    leaf = clustering.Leaf((clustering.Condition("order_value", 85.2, None),
                            clustering.Condition("category_1", 0.1, 0.4)), 1, 0.3, 0.9)  # fmt: skip
    rows = words.rule_rows(clustering.TreeRules((leaf,), 0.8, 0.75, 0.85, 0.4, 500), RULE)
    assert rows["group"].tolist() == ["B"]
    assert i18n.money(85, 0) in rows["when"].iat[0] and "40%" in rows["when"].iat[0] and "Tea" in rows["when"].iat[0]
    assert "75.0%" in words.rules_said(clustering.TreeRules((leaf,), 0.8, 0.75, 0.85, 0.4, 500))


def test_a_difference_in_satisfaction_needs_intervals_that_do_not_meet(language):
    rows = pd.DataFrame({"question": "nps", "cluster": ["a", "b"], "customers": 50, "score": [8.0, 6.0],
                         "low": [7.5, 5.5], "high": [8.5, 6.5]})  # fmt: skip
    apart = words.satisfaction_rows(rows, words.question_asked(rows), RULE)
    near = words.satisfaction_rows(rows.assign(high=[8.5, 7.7]), "nps", RULE)
    assert words.satisfaction_said(apart) != words.satisfaction_said(near)
    assert words.group_name("a", RULE) in words.satisfaction_said(apart)
    assert words.question_name("nps") != "nps" and words.question_name("own question") == "own question"


def test_movement_is_ordered_and_told():
    moves = pd.DataFrame({"cluster_before": ["a", "a", "b", None], "cluster": ["a", "b", "b", "a"],
                          "customers": [10, 3, 7, 2]})  # fmt: skip
    matrix = words.movement_matrix(moves, RULE)
    assert matrix.index.tolist()[:2] == ["A", "B"] and matrix.loc["A", "B"] == 3
    assert "3" in words.moved_said(moves, 0.15, RULE) and "15.0%" in words.moved_said(moves, 0.15, RULE)


def test_the_sentence_on_the_index_claims_no_more_than_the_test(language):
    def found(groups, cloud, shapes, beyond):
        values = {"groups": groups, "stands_out_of_cloud": cloud, "stands_out_of_shapes": shapes,
                  "structure_beyond": beyond, "moved_share": 0.02}  # fmt: skip
        return {name: Finding(value, reason="" if value is not None else "too_few") for name, value in values.items()}

    told = [words.summary(found(*case), {}) for case in
            ((4, True, True, 0.3), (4, True, True, 0.1), (4, True, False, 0.0), (4, False, False, 0.0),
             (4, None, None, None), (None, None, None, None))]  # fmt: skip
    assert len(set(told)) == 6
    assert all("2.0%" in text for text in told[:5])


def test_every_group_of_a_rule_has_its_definitions():
    for letter in clustering.LETTERS:
        for what in ("customers", "customers_before", "revenue_share"):
            assert f"05_clustering.group_{letter}_{what}" in METRICS


class TestExplorer:
    def test_the_slider_changes_groups_table_and_picture(self, today, monkeypatch):
        monkeypatch.delenv("WORKBOOK_REPORT", raising=False)
        widget = explore.groups(today, today.rule)
        controls, shown = widget.children[0].children, widget.children[1]
        assert "wb-explored" in shown._dom_classes
        slider, way, measures = controls
        assert slider.value == today.choice.k and set(measures.value) == {"order_value", "gap_days"}
        assert not slider.continuous_update
        tried = [clustering.what_if(today, today.rule, k=k, names=measures.value) for k in (3, 4)]
        assert [len(each.groups) for each in tried] == [3, 4]
        assert explore.sentence(tried[0]) != explore.sentence(tried[1])
        assert len(way.options) == 3

    def test_a_report_gets_a_picture(self, today, monkeypatch):
        monkeypatch.setenv("WORKBOOK_REPORT", "1")
        assert len(explore.groups(today, today.rule).texts) >= 4
        few = today._replace(frame=today.frame.head(10), points=today.points[:10])
        assert isinstance(explore.groups(few, today.rule), page.Fragment)


def test_markdown_states_no_figure_of_the_data():
    notebook = nbformat.read(Path(__file__).parents[1] / "notebooks" / "05_clustering.ipynb", as_version=4)
    text = " ".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert not re.search(r"[¥€$]\s?\d", text)
