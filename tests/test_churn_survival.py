"""Survival: published curves and tests, equality with statsmodels, and intervals that hold what they say."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from evidence import churn as evidence
from workbook import churn

# Remission of leukaemia in weeks: E. J. Freireich et al., Blood 21, 1963; figures below as printed by Stata's manual
# (sts list) and by D. Kleinbaum & M. Klein, Survival analysis, 2012, chapters 2 and 3.
TREATED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
CENSORED = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
# Ovarian cancer (J. Edmonson et al., 1979; R package survival): days, death, age, ECOG performance.
OVARIAN = [
    (59, 1, 72.3315, 1), (115, 1, 74.4932, 1), (156, 1, 66.4658, 2), (421, 0, 53.3644, 1), (431, 1, 50.3397, 1),
    (448, 0, 56.4301, 2), (464, 1, 56.9370, 2), (475, 1, 59.8548, 2), (477, 0, 64.1753, 1), (563, 1, 55.1781, 2),
    (638, 1, 56.7562, 2), (744, 0, 50.1096, 1), (769, 0, 59.6301, 2), (770, 0, 57.0521, 1), (803, 0, 39.2712, 1),
    (855, 0, 43.1233, 2), (1040, 0, 38.8932, 2), (1106, 0, 44.6000, 1), (1129, 0, 53.9068, 1), (1206, 0, 44.2055, 1),
    (1227, 0, 59.5890, 2), (268, 1, 74.5041, 2), (329, 1, 43.1370, 1), (353, 1, 63.2192, 2), (365, 1, 64.4247, 1),
    (377, 0, 58.3096, 1),
]  # fmt: skip


def leukaemia():
    return pd.DataFrame({
        "weeks": [*TREATED, *CENSORED, *PLACEBO],
        "ended": [1] * len(TREATED) + [0] * len(CENSORED) + [1] * len(PLACEBO),
        "arm": ["6-MP"] * 21 + ["placebo"] * 21,
        "placebo": [0.0] * 21 + [1.0] * 21,
    })  # fmt: skip


def telco(public_data):
    frame = pd.read_csv(public_data("telco_churn/Telco-Customer-Churn.csv"))
    return frame.assign(ended=(frame["Churn"] == "Yes").astype(int))


class TestKaplanMeier:
    def test_the_published_curve_of_the_leukaemia_patients(self):
        curve = churn.kaplan_meier(np.array(TREATED + CENSORED), np.array([1] * 9 + [0] * 12))
        found = [churn.survival_at(curve, week) for week in (6, 7, 10, 13, 16, 22, 23)]
        assert [round(x.value, 4) for x in found] == [0.8571, 0.8067, 0.7529, 0.6902, 0.6275, 0.5378, 0.4482]
        assert [round(x.low, 4) for x in found] == [0.6197, 0.5631, 0.5032, 0.4316, 0.3675, 0.2678, 0.1881]
        assert [round(x.high, 4) for x in found] == [0.9516, 0.9228, 0.8894, 0.8491, 0.8049, 0.7468, 0.6801]
        assert churn.median(curve).value == 23

    def test_it_equals_statsmodels_on_ties_and_censored_days(self):
        rng = np.random.default_rng(2)
        days, ended = rng.integers(1, 30, 400), rng.integers(0, 2, 400)
        theirs = SurvfuncRight(days, ended)
        mine = churn.kaplan_meier(days, ended).set_index("day").loc[theirs.surv_times]
        assert mine["survival"].to_numpy() == pytest.approx(theirs.surv_prob, abs=1e-12)
        assert mine["at_risk"].to_numpy() == pytest.approx(theirs.n_risk)
        p, inside = theirs.surv_prob, theirs.surv_prob > 0
        spread = np.exp(1.959963984540054 * theirs.surv_prob_se[inside] / (p[inside] * np.abs(np.log(p[inside]))))
        assert mine["low"].to_numpy()[inside] == pytest.approx(p[inside] ** spread, abs=1e-12)

    def test_weights_count_like_repeated_rows(self):
        days, ended, times = np.array([1, 2, 2, 5]), np.array([1, 0, 1, 1]), np.array([3, 1, 2, 4])
        weighted = churn.kaplan_meier(days, ended, weights=times)
        repeated = churn.kaplan_meier(np.repeat(days, times), np.repeat(ended, times))
        pd.testing.assert_frame_equal(weighted, repeated)

    def test_nothing_is_said_beyond_the_last_day_seen(self):
        curve = churn.kaplan_meier(np.array([3, 5]), np.array([1, 0]))
        assert churn.survival_at(curve, 5).value == 0.5
        assert math.isnan(churn.survival_at(curve, 6).value)
        assert math.isnan(churn.median(churn.kaplan_meier(np.array([3, 5, 9]), np.array([1, 0, 0]))).value)

    def test_small_groups_have_no_curve(self):
        frame = pd.DataFrame({"d": range(40), "e": 1, "g": ["a"] * 35 + ["b"] * 5})
        assert set(churn.curves(frame, days="d", ended="e", group="g")["group"]) == {"a"}

    def test_the_published_curve_of_the_telephone_customers(self, public_data):
        """Recomputed twice; months under contract of 7,043 customers, 1,869 of whom left."""
        frame = telco(public_data)
        assert (len(frame), frame["ended"].sum()) == (7043, 1869)
        curve = churn.kaplan_meier(frame["tenure"].to_numpy(), frame["ended"].to_numpy())
        found = [round(churn.survival_at(curve, month).value, 6) for month in (1, 12, 24, 36, 48, 60, 72)]
        assert found == [0.945961, 0.843200, 0.788736, 0.748545, 0.708840, 0.664404, 0.592790]

    def test_churn_of_the_telephone_customers_by_contract(self, public_data):
        frame = telco(public_data)
        share = frame.groupby("Contract")["ended"].mean().mul(100).round(2).to_dict()
        assert share == {"Month-to-month": 42.71, "One year": 11.27, "Two year": 2.83}
        tested = churn.log_rank(frame, days="tenure", ended="ended", group="Contract")
        assert (tested.code, tested.degrees, tested.n, tested.ended) == ("differ", 2, 7043, 1869)
        assert frame.loc[frame["ended"] == 1, "tenure"].mean() == pytest.approx(17.98, abs=0.005)

    def test_the_interval_holds_the_truth_as_often_as_it_says(self):
        """60 samples: fewer than the 0.05 % quantile of a binomial distribution with 95 % would be a fault."""
        assert evidence.curve_covers(60) >= stats.binom.ppf(0.0005, 60, 0.95)


class TestLogRank:
    def test_the_published_test_of_the_leukaemia_trial(self):
        found = churn.log_rank(leukaemia(), days="weeks", ended="ended", group="arm", fewest=20)
        assert found.chi2 == pytest.approx(16.79, abs=0.005)
        assert (found.code, found.degrees, found.groups) == ("differ", 1, 2)

    def test_equal_groups_are_alike_and_few_are_too_few(self):
        frame = pd.concat([leukaemia().head(21).assign(arm=arm) for arm in "ab"])
        assert churn.log_rank(frame, days="weeks", ended="ended", group="arm").code == "too_few"
        more = pd.concat([frame] * 3)
        assert churn.log_rank(more, days="weeks", ended="ended", group="arm").code == "alike"
        one = churn.log_rank(more.assign(arm="a"), days="weeks", ended="ended", group="arm")
        assert (one.code, one.chi2) == ("too_few", None)


@pytest.mark.filterwarnings("error")
class TestCox:
    def test_the_published_hazard_ratio_of_the_leukaemia_trial(self):
        """R: coxph(Surv(weeks, ended) ~ placebo), Efron's ties: coefficient 1.5721, standard error 0.4124."""
        found = churn.cox(leukaemia(), days="weeks", ended="ended", covariates=["placebo"])
        row = found.table.iloc[0]
        assert np.log(row["hazard_ratio"]) == pytest.approx(1.5721, abs=5e-5)
        assert np.log(row["high"] / row["hazard_ratio"]) / 1.959964 == pytest.approx(0.4124, abs=5e-5)
        assert (found.code, row["direction"], row["proportional"]) == ("holds", "sooner", True)

    def test_the_published_check_of_proportional_hazards(self):
        """R's cox.zph (survival 2.x) on its help page's example: age 0.856, ECOG 2.545, global 3.195."""
        frame = pd.DataFrame(OVARIAN, columns=["days", "death", "age", "ecog"])
        found = churn.cox(frame, days="days", ended="death", covariates=["age", "ecog"], fewest_events=5)
        assert found.table["ph_chi2"].to_numpy() == pytest.approx([0.856, 2.545], abs=5e-4)
        assert found.table["ph_p_value"].to_numpy() == pytest.approx([0.355, 0.111], abs=5e-4)
        assert (found.chi2_global, found.p_value_global) == pytest.approx((3.195, 0.202), abs=5e-4)

    def test_an_effect_that_turns_round_is_told_and_one_that_holds_is_not(self):
        """By chance at most 5 % (Holm over two covariates): above the 99.95 % quantile would be a fault."""
        assert evidence.proportional_alarms(25, changing=False) <= stats.binom.ppf(0.9995, 25, 0.05)
        assert evidence.proportional_alarms(10, changing=True) >= 9

    def test_ten_events_a_covariate_are_needed(self):
        frame = pd.DataFrame(OVARIAN, columns=["days", "death", "age", "ecog"])
        found = churn.cox(frame, days="days", ended="death", covariates=["age", "ecog"])
        assert (found.code, found.ended, len(found.table)) == ("too_few", 12, 0)

    def test_constant_and_repeated_covariates_are_left_out(self):
        frame = leukaemia().assign(same=1.0, treated=lambda f: 1 - f["placebo"])
        found = churn.cox(frame, days="weeks", ended="ended", covariates=["same", "placebo", "treated"])
        assert found.table["covariate"].tolist() == ["placebo"]

    def test_a_covariate_without_events_on_one_side_is_left_out(self):
        frame = leukaemia().assign(rare=[1.0] * 4 + [0.0] * 38)  # four events only
        found = churn.cox(frame, days="weeks", ended="ended", covariates=["placebo", "rare"])
        assert found.table["covariate"].tolist() == ["placebo"]
        shown = churn.residual_trend(
            frame, days="weeks", ended="ended", covariates=["placebo", "rare"], covariate="rare"
        )
        assert shown.empty

    def test_a_covariate_that_knows_the_order_of_the_events_has_no_ratio(self):
        """Its likelihood grows without end: no number, and no warning either."""
        frame = pd.DataFrame({"days": np.arange(1.0, 41), "ended": 1, "knows": -np.arange(1.0, 41) ** 3})
        found = churn.cox(frame, days="days", ended="ended", covariates=["knows"])
        assert (found.code, len(found.table)) == ("too_few", 0)
        one_day = frame.assign(days=1.0, knows=np.resize([1.0, 2.0, 4.0], 40))
        assert churn.cox(one_day, days="days", ended="ended", covariates=["knows"]).code == "too_few"

    def test_the_unit_of_a_covariate_changes_only_the_unit_of_its_ratio(self):
        frame = leukaemia().assign(cents=lambda f: f["placebo"] * 100_000)
        plain = churn.cox(frame, days="weeks", ended="ended", covariates=["placebo"]).table.iloc[0]
        scaled = churn.cox(frame, days="weeks", ended="ended", covariates=["cents"]).table.iloc[0]
        assert np.log(scaled["hazard_ratio"]) * 100_000 == pytest.approx(np.log(plain["hazard_ratio"]), rel=1e-6)
        assert scaled["ph_chi2"] == pytest.approx(plain["ph_chi2"], rel=1e-6)

    def test_the_residuals_of_the_picture_average_to_the_coefficient(self):
        found = churn.cox(leukaemia(), days="weeks", ended="ended", covariates=["placebo"]).table.iloc[0]
        shown = churn.residual_trend(
            leukaemia(), days="weeks", ended="ended", covariates=["placebo"], covariate="placebo"
        )
        assert len(shown) == 30 and shown["day"].is_monotonic_increasing
        assert shown["scaled_residual"].mean() == pytest.approx(np.log(found["hazard_ratio"]), abs=1e-9)

    def test_indicators_leave_the_most_frequent_value_as_the_base(self):
        frame = pd.DataFrame({"channel": ["web", "app", "web", None, "shop", "app", "web"]})
        made = churn.indicators(frame, "channel")
        assert made.attrs["base"] == "web"
        assert made.columns.tolist() == ["channel=app", "channel=shop"]
        assert made["channel=app"].tolist() == [0, 1, 0, 0, 0, 1, 0]
