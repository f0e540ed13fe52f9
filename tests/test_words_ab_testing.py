"""What 07_ab_testing says: every code has a name in both languages, and a sentence claims no more than its interval."""

import math
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from workbook.ab_testing import Campaign, Design, Difference, Duration, JudgedCampaign, Metric
from workbook.ab_testing.effects import Arm, effect
from workbook.ab_testing.matching import FEATURES
from workbook.ab_testing.record import RECORD
from workbook.ab_testing.sequential import Stop
from workbook.ab_testing.split import FAULTS, Maturity, sample_ratio_of
from workbook.ab_testing.unrandomised import CODES
from workbook.ab_testing.verdict import REASONS, Verdict, Worth
from workbook.data.findings import Finding
from workbook.output import i18n
from workbook.output.words import ab_testing as words
from workbook.output.words import campaigns


@pytest.fixture(params=["en", "zh"], autouse=True)
def language(request):
    i18n.use(request.param, "EUR")
    i18n.untranslated.clear()
    yield request.param
    assert not i18n.untranslated
    i18n.use("en", "EUR")


def difference(value, low, high, n=100):
    return Difference(value, low, high, n, n, pd.Series(dtype=float))


def reviewed(code="ship", reasons=("better",), main=True, **more):
    """One experiment, as far as words read it."""
    found = effect(Arm(10.0, 4.0, 100), Arm(11.0, 4.0, 100), metric="orders")
    facts = {
        "experiment_id": "free_gift", "metrics": (Metric("orders", "orders", "mean"),),
        "phase": "finished", "main": found if main else None, "customers": 200,
        "verdict": Verdict(code, reasons, "treatment", found, None, None), "started_on": date(2026, 3, 1),
        "split": sample_ratio_of({"control": 100, "treatment": 100}),
        "faults": pd.DataFrame({"code": FAULTS, "customers": 0, "share": 0.0}),
        "design": None, "maturity": Maturity(28, 200, 200, 1.0, date(2026, 3, 1), date(2026, 3, 29), 0),
    }  # fmt: skip
    return SimpleNamespace(**(facts | more))


def campaign_of(code, *, parallel=True):
    nothing = difference(0.0, -0.1, 0.1)
    balance = pd.DataFrame({"feature": FEATURES, "treated": 1.0, "before": 2.0, "after": 1.0, "smd_before": -0.8,
                            "smd_after": 0.04})  # fmt: skip
    letter = Campaign("k", "May letter", date(2026, 5, 10), 28, 400)
    return JudgedCampaign(letter, code, nothing, nothing, nothing, balance,
                  {0: nothing, 1: nothing}, parallel, nothing, nothing, nothing)


def test_every_code_has_a_name():
    for name, codes in (
        (words.reason, REASONS), (words.fault_name, FAULTS), (campaigns.campaign_code, CODES),
        (campaigns.feature_name, FEATURES), (words.verdict_name, ("refuse", "immature", "ship", "stop", "continue")),
        (words.health_name, ("ok", "weak", "unbalanced", "no_covariate")),
        (words.segment_name, ("one_order", "more_orders", "no_order")), (words.phase_name, ("running", "finished")),
    ):  # fmt: skip
        assert len({name(code) for code in codes}) == len(codes)
    assert words.metric_name("stars") == "stars" and "stars" in words.metric_name("stars_per_unit")
    assert words.experiment_name("free_gift") == "Free gift" and words.arm_name("blue") == "blue"


def test_differences_carry_sign_and_unit():
    assert words.signed(0.031, "share") in ("+3.1 points", "+3.1 个百分点")
    assert words.signed(-2, "money").startswith("−") and words.signed(math.nan, "number") == i18n.NOTHING
    assert "+3.1" in words.span(0.031, -0.01, 0.07, "share") and "−1.0" in words.span(0.031, -0.01, 0.07, "share")
    assert words.span(math.nan, 0, 0, "number") == i18n.NOTHING == words.lift(math.nan, 0, 0)


@pytest.mark.parametrize(("code", "en", "zh"), [
    ("ship", "keep it", "保留"), ("stop", "stop it", "停止"), ("continue", "go on", "继续"),
    ("immature", "too early", "为时过早"), ("refuse", "not to be read", "不能读"),
])  # fmt: skip
def test_the_verdict_in_words(code, en, zh, language):
    (text,) = words.verdicts([reviewed(code)])
    assert (en if language == "en" else zh) in text and "Free gift" in text
    assert ("+10.0%" in text) == (code not in ("refuse", "immature")), "a refused effect is not told"


def test_a_verdict_before_the_window_is_over_names_no_effect(language):
    (text,) = words.verdicts([reviewed("ship", ("better", "decided_early"), main=False)])
    assert "%" not in text and words.reason("decided_early") in text
    verdict = Verdict("continue", ("undecided",), "treatment", None, 12, 345)
    (text,) = words.verdicts([reviewed(verdict=verdict)])
    assert "12" in text and "345" in text


def test_health_tells_what_is_wrong_and_nothing_else():
    assert len(words.health([reviewed()])) == 1
    broken = reviewed(split=sample_ratio_of({"control": 1000, "treatment": 700}))
    faulty = reviewed(faults=pd.DataFrame({"code": ["two_arms"], "customers": [7], "share": [0.035]}))
    told = words.health([broken, faulty, reviewed(phase="running")])
    assert len(told) == 3 and "3.5%" in told[1] and i18n.date(date(2026, 3, 29)) in told[2]
    drawn = reviewed(design=Design(40, 25.0, 0.05, 2.2, 1.5, "ok"))
    assert "40" in words.health([drawn])[0] and "1.5" in words.health([drawn])[0] and words.health([]) == []
    rows = words.health_rows([broken])
    assert rows["split"].iat[0] == "1,000 : 700" and rows["p"].iat[0] in ("under 0.001", "低于 0.001")


@pytest.mark.parametrize("code", ["not_yet", "effect_up", "effect_down", "too_small"])
def test_when_it_could_have_been_stopped(code):
    day = None if code == "not_yet" else 17
    text = words.sequential(reviewed(), [Stop("treatment", code, day, None, 9)])
    assert ("17" in text) == (day is not None) and "9" in text
    assert words.sequential(None, []) == words.sequential(reviewed(), ())


def test_the_bayesian_reading_is_marked(language):
    reading = SimpleNamespace(chance_to_win=0.91, expected_loss_ship=0.0001, expected_loss_stay=0.2)
    text = words.bayes(reviewed(), reading)
    assert "91.0%" in text and ("Not protected from peeking" if language == "en" else "不防偷看") in text
    assert words.bayes(None, None)


@pytest.mark.parametrize("code", ["differs", "fishing", "alike", "too_few"])
def test_segments(code, language):
    effects = pd.DataFrame({"segment": ["one_order", "more_orders"], "difference": [0.3, 0.1], "low": [0.1, -0.1],
                            "high": [0.5, 0.3], "shrunken": [0.25, np.nan], "shrunken_low": 0.1, "shrunken_high": 0.4,
                            "n": 60, "n_control": 61, "adjusted_p": 0.004})
    text = words.segments(reviewed(), SimpleNamespace(code=code, p_value=0.004, effects=effects))
    assert (words.segment_name("one_order") in text) == (code == "differs")
    assert (("fishing" if language == "en" else "钓鱼") in text) == (code == "fishing")
    assert len(words.segment_rows(effects)) == 3, "what could not be shrunken is left out"
    table = words.segment_table(reviewed(), effects)
    assert table["customers"].tolist() == [121, 121] and "+0.300" in table["own"].iat[0] and words.segments(None, None)


@pytest.mark.parametrize("code", ["targets", "no_better_than_random", "too_small"])
def test_uplift(code):
    qini = pd.DataFrame({"qini": [0.031], "low": [0.01], "high": [0.05]})
    text = words.uplift(reviewed(), SimpleNamespace(code=code, n=300, smallest_n=1200, qini=qini))
    assert ("1,200" in text) == (code == "too_small") and ("0.031" in text) == (code != "too_small")
    beyond = words.uplift(reviewed(), SimpleNamespace(code=code, n=300, smallest_n=900_000, qini=qini))
    assert "900,000" not in beyond and words.uplift(None, None)


def test_the_plan():
    enough = words.plan(Duration(812.3, 20, 48, "ok"), relative=0.1, power=0.8, days=28, per_arm=500, smallest=0.12)
    assert all(part in enough for part in ("813", "48", "12%", "500"))
    never = words.plan(Duration(math.nan, None, None, "too_long"), relative=3.0, power=0.8, days=1, per_arm=1.5,
                       smallest=math.nan)
    assert "300%" in never and "1" in never
    assert words.planned(pd.DataFrame(), relative=0.1, power=0.8) == words.nothing_to_plan_with()


def test_what_is_needed_and_whether_so_many_there_are():
    plans = pd.DataFrame({"metric": ["orders"], "per_arm": [800.2], "days_total": [60], "customers": [5000]})
    said = [words.planned(plans.assign(**changes), relative=0.1, power=0.8)
            for changes in ({}, {"days_total": math.nan}, {"days_total": math.nan, "customers": 900})]
    assert all("801" in text for text in said) and len(set(said)) == 3 and "60" in said[0]


def test_among_buyers_and_by_hand():
    arms = pd.DataFrame({"arm": ["control", "treatment"], "customers": [100, 100], "total": [50.0, 60.0],
                         "squares": [60.0, 70.0], "buyers": [20, 30]})  # fmt: skip
    assert "−20.0%" in words.among_buyers(arms) and "+20.0%" in words.among_buyers(arms)
    assert words.arm_rows(arms)["per_buyer"].tolist() == [2.5, 2.0]
    empty = pd.DataFrame(columns=words.ARMS, dtype=float)
    assert words.among_buyers(empty) and words.by_hand(None, 0, 0) and words.hand_caption(None)
    assert "+1" in words.by_hand(reviewed(), 1.0, 0.28)


def test_worth_tells_the_naive_figure_too():
    worth = {"a": Worth(100.0, 50, 150, 400.0, 0.5, 0.7, 0.1, "default")}
    assert "400" in words.worth(worth) and "100" in words.worth(worth) and words.worth({})
    row = words.verdict_rows([reviewed(experiment_id="a")], worth).iloc[0]
    assert "100" in row["worth"] and words.verdict_rows([], {}).empty


def test_several_and_results_leave_out_what_is_refused():
    row = dict.fromkeys(RECORD, 0.5) | {"experiment_id": "a", "metric": "orders", "kind": "mean", "arm": "treatment",
                                        "verdict": "ship", "is_first": True, "p_value": 0.01, "adjusted_p": 0.2}
    record = pd.DataFrame([row, row | {"experiment_id": "b", "verdict": "refuse"}])
    assert len(words.result_rows(record)) == len(words.method_rows(record)) == len(words.lift_rows(record)) == 1
    screened = pd.DataFrame({"adjusted": [0.04], "significant": [True]})
    assert len(words.several_rows(record, screened)) == 1
    text = words.several(record, screened)
    assert "**1**" in text and "**0**" in text
    empty = pd.DataFrame(columns=RECORD)
    assert words.several(empty, screened) and words.lift_rows(empty).empty and words.method_rows(empty).empty


def test_the_sentence_of_the_index():
    names = ("experiments_known", "experiments_judged", "experiments_shipped", "experiments_refused",
             "experiments_running")  # fmt: skip
    found = dict(zip(names, map(Finding, (9, 5, 3, 2, 1)), strict=True))
    text = words.summary(found, {"experiments_judged": Finding(4)})
    assert all(n in text for n in "54321")
    assert words.summary(found | {"experiments_known": Finding(0)}, {}) != text


class TestCampaigns:
    def test_an_effect_is_claimed_only_beyond_chance(self):
        small = {"bought": difference(0.01, -0.01, 0.03), "spend": difference(2.0, -1, 5)}
        large = small | {"bought": difference(0.05, 0.03, 0.07)}
        none = {name: difference(math.nan, math.nan, math.nan) for name in small}
        texts = [campaigns.campaigns([campaign_of("nothing_seen")], compared) for compared in (small, large, none)]
        assert len({text[-12:] for text in texts}) == 3 and "+5.0" in texts[1]

    def test_the_naive_difference_is_put_beside_the_time_before(self, language):
        compared = {"answered": difference(0.08, 0.05, 0.11), "answered_before": difference(0.09, 0.06, 0.12)}
        text = campaigns.naive(compared)
        assert "+8.0" in text and "+9.0" in text and ("before it is sent" if language == "en" else "发出之前") in text
        unclear = campaigns.naive(compared | {"answered_before": difference(0.01, -0.06, 0.08)})
        assert len(unclear) < len(text)

    def test_before_and_after_is_refused_with_its_reasons(self, language):
        text = campaigns.no_before_and_after()
        assert all(word in text for word in (("season", "growth", "mean") if language == "en" else ("季节", "回落")))

    def test_rows(self):
        rows = pd.DataFrame([{
            "campaign": "May", "day": pd.Timestamp("2026-05-10"), "customers": 4, "effect": 0.02, "low": 0.0,
            "high": 0.04, "placebo": 0.0, "placebo_low": -0.1, "placebo_high": 0.1, "did": 0.01, "did_low": 0.0,
            "did_high": 0.02, "parallel": False, "code": "placebo_failed",
        }])  # fmt: skip
        shown = campaigns.campaign_table(rows).iloc[0]
        assert shown["code"] == campaigns.campaign_code("placebo_failed") and shown["did"] != shown["matched"]
        assert len(campaigns.balance_rows([campaign_of("gain")])) == len(FEATURES) and campaigns.balance_rows([]).empty
        assert "0.80" in campaigns.balance([campaign_of("gain")]) and campaigns.balance([])
        compared = {name: difference(0.1, 0.0, 0.2) for name in campaigns.COMPARISONS}
        assert len(campaigns.compared_rows(compared)) == 5
