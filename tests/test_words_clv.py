"""What 06_clv says: every code has words in both languages, the two intervals are told apart, and nothing is claimed
beyond its interval."""

import math
from datetime import date

import numpy as np
import pandas as pd
import pytest

from workbook.clv import acquisition, choice, fits, gamma_gamma, validation, value, widening
from workbook.clv.what_if import WhatIf
from workbook.data.findings import Finding
from workbook.output import i18n
from workbook.output.words import clv as words

DAY = date(2026, 6, 30)


@pytest.fixture(params=["en", "zh"], autouse=True)
def language(request):
    i18n.use(request.param, "EUR")
    i18n.untranslated.clear()
    yield request.param
    assert not i18n.untranslated
    i18n.use("en", "EUR")


def fit(model="bg_nbd", height=-100.0, codes=("converged",)):
    names = ("p", "q", "v") if model == "gamma_gamma" else ("r", "alpha", "a", "b")
    units = ("", "", "currency") if model == "gamma_gamma" else ("", "weeks", "", "")
    blank = np.arange(1.0, len(names) + 1)
    return fits.Fit(model, names, units, blank, blank, blank, blank, np.eye(len(names)), height, 50, 40, 7, codes, 3)


def judged(lead=(0.1, 0.05, 0.15), machine=(0.1, 0.05, 0.15)):
    """The model, a machine and a naive rival."""
    rows = [("model", 0.5, 0, 0, 0), ("boosting", 0.4, *machine), ("past_rate", 0.4, *lead)]
    frame = pd.DataFrame(rows, columns=["forecast", "gini", "lead_gini", "lead_gini_low", "lead_gini_high"])
    same = {f"lead_rmse{end}": frame[f"lead_gini{end}"] for end in ("", "_low", "_high")}
    return frame.assign(n=500, buyers=200, rmse=1.0, bias=0.05, bias_low=-0.01, bias_high=0.1, **same)


def totals():
    """All customers, and ten tenths of which the first is worth half."""
    rows = [("all", "all", 100, 200.0)] + [("tenth", i, 10, 100.0 if i == 1 else 100 / 9) for i in range(1, 11)]
    frame = pd.DataFrame(rows, columns=["by", "group", "customers", "clv"])
    for measure in ("expected_purchases", "expected_spend"):
        frame[measure] = frame["clv"] * 10
    for name, half in (("clv", 0.1), ("expected_purchases", 0.1), ("expected_spend", 0.1)):
        frame[f"{name}_low"], frame[f"{name}_high"] = frame[name] * (1 - half), frame[name] * (1 + half)
    for name in ("purchases", "spend"):
        frame[f"{name}_low"], frame[f"{name}_high"] = frame["clv"] * 7, frame["clv"] * 14
    return frame


class TestValue:
    def test_each_meaning_of_value_is_told_apart(self):
        told = {words.basis(value.Basis(code, 0.3, 0.9)) for code in ("margin", "assumed", "revenue")}
        assert len(told) == 3 and all(i18n.percent(0.9) in text for text in told)
        assert words.value_axis(value.Basis("margin", 0.3, 1)) != words.value_axis(value.Basis("revenue", 1, 0))

    def test_the_arithmetic_and_its_faults(self):
        napkin = value.Arithmetic(60, 100, 20.0, 1.5, 3.0, 90.0, 25.0)
        assert i18n.money(90) in words.arithmetic(napkin)
        assert len(words.arithmetic_misleads(napkin)) == 3
        assert i18n.number(40) in words.arithmetic_misleads(napkin)[0]
        few = words.arithmetic(napkin._replace(customers=5))
        assert few.startswith(words.arithmetic(napkin)) and few != words.arithmetic(napkin)
        assert words.arithmetic(napkin._replace(value=None)) != words.arithmetic(napkin)

    def test_value_to_date_names_the_first_tenth(self):
        told = words.value_to_date(pd.DataFrame({"value_to_date": [90.0] + [10.0] * 9}))
        assert i18n.percent(0.5, 0) in told and i18n.money(10) in told
        assert words.value_to_date(pd.DataFrame({"value_to_date": []}))


class TestAcquisition:
    def rows(self, months, low, high):
        return pd.DataFrame([acquisition.Payback("douyin", 50, 500.0, 10.0, months, low, high, 24)])

    @pytest.mark.parametrize(("months", "low", "high"), [
        (0, 0, 0), (3, 1, 6), (3, 1, math.nan), (math.nan, math.nan, math.nan), (math.nan, 12, math.nan),
    ])  # fmt: skip
    def test_each_state_of_payback_has_words(self, months, low, high):
        shown = words.payback_rows(self.rows(months, low, high))
        assert shown["back"].iat[0] and shown["name"].iat[0] != "douyin"
        assert words.payback(self.rows(months, low, high))

    def test_surely_only_where_the_lower_end_covers_the_cost(self):
        sure, unsure = words.payback(self.rows(3, 1, 6)), words.payback(self.rows(3, 1, math.nan))
        name = words.group_name("channel", "douyin")
        assert name in sure and name not in unsure

    def test_costs_and_their_absence(self):
        costs = pd.DataFrame({"channel": ["a"], "cohort": [DAY], "customers": [10], "cost": [50.0]})
        assert i18n.money(5) in words.costs(costs)
        assert words.costs(costs.assign(cost=None)) == words.costs(costs.head(0))

    @pytest.mark.parametrize(("other", "beyond"), [(8.0, False), (2.0, True)])
    def test_recommended_customers_differ_only_beyond_chance(self, other, beyond, language):
        ages = pd.DataFrame({"group": ["others", "referred"], "age_months": 6, "value": [other, 9.0],
                             "low": [other - 1, 7.0], "high": [other + 1, 11.0]})  # fmt: skip
        told = words.referred_or_not(ages, 6)
        chance = {"en": "not beyond chance", "zh": "不超出偶然"}[language]
        assert (chance in told) != beyond
        assert words.referred_or_not(ages.head(1), 6) != told

    def test_referrals(self):
        found = acquisition.Referrals(2, 3, 2, 500.0, 40.0)
        assert i18n.money(500, 0) in words.referrals(found)
        assert words.referrals(found._replace(referred=0)) != words.referrals(found)

    def test_ages_by_column_and_by_row(self):
        ages = pd.DataFrame({"group": ["douyin", "douyin", "store"], "age_months": [0, 6, 0], "value": [1.0, 2, 3]})
        wide, names = words.age_lines(ages, "channel")
        assert wide["age_months"].tolist() == [0, 6] and set(names) == {"douyin", "store"}
        matrix = words.age_matrix(ages.assign(group=date(2026, 4, 1)).head(2), "cohort")
        assert matrix.shape == (1, 2) and "2026" in matrix.index[0]


class TestModels:
    def test_every_code_of_a_fit_has_words(self):
        codes = ("converged", "flat", "at_bound", "disagreeing_starts", "not_converged", "too_few", "no_mean")
        rows = words.fit_summary_rows({"bg_nbd": fit(), "mbg_nbd": fit("mbg_nbd", codes=codes)})
        assert len(rows) == 2 and pd.isna(rows["log_likelihood"].iat[1]) and rows["told"].str.len().gt(0).all()

    def test_parameters_carry_their_unit(self, language):
        rows = words.fit_rows({"bg_nbd": fit(), "gamma_gamma": fit("gamma_gamma")})
        assert rows["unit"].tolist() == ["", {"en": "weeks", "zh": "周"}[language], "", "", "", "", "€"]
        assert rows["model"].tolist() == ["BG/NBD", "", "", "", "Gamma-Gamma", "", ""]

    @pytest.mark.parametrize("reason", ["best", "declared", "too_few"])
    def test_the_choice_is_explained(self, reason):
        found = choice.Chosen("mbg_nbd", DAY, reason, False)
        close = {"bg_nbd": fit(height=-100.0), "mbg_nbd": fit("mbg_nbd", height=-99.5)}
        far = close | {"bg_nbd": fit(height=-120.0)}
        assert words.chosen(found, close).startswith(words.chosen(found, far))
        assert len(words.chosen(found, close)) > len(words.chosen(found, far)), "a tie is told"
        unusable = far | {"mbg_nbd": fit("mbg_nbd", codes=("too_few",))}
        assert words.chosen(found, unusable) != words.chosen(found, far)

    def test_bg_nbd_shows_no_p_alive_for_one_purchase(self):
        assert "BG/NBD" in words.alive_rule("bg_nbd") and "100%" in words.alive_rule("bg_nbd")
        assert "100%" not in words.alive_rule("mbg_nbd")

    @pytest.mark.parametrize("code", ["holds", "doubtful", "too_few"])
    def test_independence_has_words(self, code):
        assert words.independence(gamma_gamma.Independence(50, 0.1, 0.0, 0.2, 0.15, code))

    def test_one_customer_in_words(self):
        row = pd.DataFrame({"x": [3], "t_x": [65.1], "T": [95.0], "mean_repeat_value": [20.0]})
        assert "65.1" in words.counted(row) and i18n.money(20) in words.counted(row)
        assert i18n.money(20) not in words.counted(row.assign(mean_repeat_value=None))
        assert words.counted(row.head(0))


class TestForecasts:
    def test_the_verdict_is_against_naive_rivals_and_the_machine_stands_apart(self):
        good = words.verdicts(judged(), "mbg_nbd")
        better_machine = words.verdicts(judged(machine=(-0.1, -0.2, -0.05)), "mbg_nbd")
        assert good[0] != words.verdicts(judged(lead=(-0.1, -0.2, -0.05)), "mbg_nbd")[0]
        assert good[:2] == better_machine[:2], "the machine is no naive rival"
        assert good[2] != better_machine[2]
        assert len(words.verdicts(judged().iloc[[0, 2]], "mbg_nbd")) == 3, "without the machine nothing is said of it"

    def test_untested_forecasts_are_called_so(self):
        assert words.verdicts(pd.DataFrame(), "bg_nbd") == [words.no_split()]
        assert list(words.judged_rows(pd.DataFrame(), "bg_nbd").columns) == ["name"]

    def test_every_forecast_has_a_name_of_its_own(self):
        names = words.forecast_names("bg_nbd")
        assert len(set(names.values())) == len(names) == 7

    def test_tracking(self):
        rows = pd.DataFrame({
            "week": [1, 2, 3], "week_end": [date(2026, 1, 7), date(2026, 1, 14), date(2026, 1, 16)],
            "after_cut_off": [False, True, True], "actual": [5, 10, 10], "expected": [6, 8.0, 8.0],
        })  # fmt: skip
        assert i18n.change(-0.2) in words.tracked(rows)
        assert len(words.whole_weeks(rows)) == 2, "a week of two days would look like a fall"
        assert list(words.cut_mark(rows)) == [1]
        assert words.tracked(rows.head(1)) == words.tracked(pd.DataFrame()) and words.cut_mark(pd.DataFrame()) == {}

    def test_misses_by_frequency_are_named(self):
        rows = pd.DataFrame({"x": ["0", "7+"], "expected": [1.0, 5.0], "low": [0.5, 6.0], "high": [1.5, 8.0]})
        assert "7+" in words.by_frequency(rows) and "7+" not in words.by_frequency(rows.head(1))
        assert words.by_frequency(rows.head(0))

    def test_own_values_flatter(self):
        errors = pd.DataFrame({"way": ["own_values", "honest", "constant"], "rmse": [7.89, 29.07, 31.58],
                               "correlation": [0.99, 0.42, math.nan]})  # fmt: skip
        assert i18n.money(29.07) in words.own_values(errors)
        assert words.own_values(pd.DataFrame()) == words.own_values(errors.assign(rmse=math.nan))

    def test_the_test_says_what_it_saw(self):
        parts = validation.Split(DAY, date(2026, 12, 31), 26.3)
        assert i18n.date(DAY) in words.split(parts, 500)


class TestIntervals:
    def test_the_two_intervals_answer_two_questions(self):
        told = words.two_intervals(totals(), 12)
        assert len(told) == 3
        assert i18n.money(1800, 0) in told[1] and i18n.money(2200, 0) in told[1], "of the expectation"
        assert i18n.money(1400, 0) in told[2] and i18n.money(2800, 0) in told[2], "of what will really be bought"
        assert words.two_intervals(totals().head(0), 12) == [words.nothing_to_come()]
        assert words.total_rows(totals())["low"].tolist() == [1800, 1400, 1800, 1400]

    @pytest.mark.parametrize("code", ["widened", "not_needed", "no_history"])
    def test_past_forecasts_decide_the_width(self, code):
        tests = pd.DataFrame({"forecast_purchases": [11.0, 9], "actual_purchases": [10, 0], "inside": [True, False]})
        found = widening.Widening(code, 0.2, 0.3, 2, 26.0, 2.5)
        told = words.widening(found, tests)
        assert ("2.5" in told) == (code == "widened")
        rows = words.backtest_rows(tests)
        assert rows["change"].iat[0] == pytest.approx(0.1) and np.isnan(rows["change"].iat[1])
        assert rows["held"].nunique() == 2 and len(words.backtest_rows(tests.head(0))) == 0


    @pytest.mark.parametrize(("bias", "low", "high"), [(0.05, -0.01, 0.1), (-0.28, -0.34, -0.21), (0.3, 0.2, 0.4)])
    def test_how_such_a_forecast_did_is_told_with_it(self, bias, low, high):
        trial = judged().assign(bias=bias, bias_low=low, bias_high=high)
        plain, wider = (widening.Widening(code, 0.0, 0.0, 3, 26.0, 1.0) for code in ("not_needed", "widened"))
        told = words.how_it_did(trial, plain)
        assert i18n.change(bias) in told and ("**" in told) == (low > 0 or high < 0)
        assert words.how_it_did(trial, wider).startswith(told) and words.how_it_did(trial, wider) != told
        assert words.how_it_did(pd.DataFrame(), wider)


class TestWorth:
    def test_the_best_tenth(self):
        told = words.tenths(totals())
        assert i18n.money(10) in told and i18n.percent(0.5, 0) in told and i18n.percent(5 / 18, 0) in told
        assert words.tenths(totals().head(1)) == words.nothing_to_come()
        assert words.each(totals(), "tenth")["low"].iat[0] == pytest.approx(9)

    def test_a_lead_within_the_intervals_is_said_to_be_one(self):
        rows = pd.DataFrame({"group": ["douyin", "store"], "to_come": [5.0, 4.0], "to_come_low": [4.5, 3.0],
                             "to_come_high": [5.5, 4.6]})  # fmt: skip
        unsure = words.best_group(rows, "channel")
        sure = words.best_group(rows.assign(to_come_high=4.2), "channel")
        assert words.group_name("channel", "store") in unsure and words.group_name("channel", "store") not in sure
        assert words.best_group(rows.head(0), "channel")

    def test_groups_have_names_and_intervals_in_one_column(self):
        rows = pd.DataFrame({"group": ["champions"], "low": [5.0], "high": [1234.0]})
        shown = words.with_between(rows, "segment", "low", "high")
        assert shown["name"].iat[0] != "champions" and i18n.money(1234, 0) in shown["between"].iat[0]
        assert len({words.life_caption(by, 24) for by in ("channel", "cohort")}) == 2

    def test_times_the_cost(self):
        rows = pd.DataFrame({"group": ["douyin", "store"], "times": [5.0, 1.5]})
        assert "1.5" in words.times_over(rows, 24)
        assert words.times_over(rows.assign(times=math.nan), 24)

    def test_subscriptions(self):
        assert i18n.money(75) in words.survived(fit("sbg"), 7.5, 12, 10.0)
        assert i18n.money(75) not in words.survived(fit("sbg"), 7.5, 12, None)
        assert words.survived(fit("sbg", codes=("too_few",)), math.nan, 12, None)

    @pytest.mark.parametrize(("value_each", "word", "wort"), [(30.0, "more", "多"), (10.0, "less", "少")])
    def test_a_budget_comes_back_or_not(self, value_each, word, wort, language):
        found = WhatIf(1000.0, pd.DataFrame(), value_each, 200.0, 20.0, 10)
        assert (word if language == "en" else wort) in words.budget(found)
        assert i18n.money(100, 0) in words.budget(found)
        assert words.budget(found._replace(new_customer=None)) == words.nothing_to_come()
        assert words.budget(found._replace(won=0)) in words.budget(found)


def test_the_sentence_of_the_index():
    found = {"expected_spend": Finding(1000.0, low=900.0, high=1200.0), "horizon_months": Finding(12),
             "best_tenth_share": Finding(0.59)}  # fmt: skip
    text = words.summary(found, {})
    assert i18n.money(1200, 0) in text and i18n.percent(0.59, 0) in text
    assert i18n.money(777, 0) in words.summary(found, {"expected_spend": Finding(777.0)})
    assert words.summary(found | {"expected_spend": Finding(None, reason="too_few")}, {}) != text
