"""What 08_churn says: every code has a name in both languages, and a sentence claims no more than its interval."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from workbook import churn
from workbook.churn import Cox, Horizon, LogRank, Meaning, Monthly, Optimum, Silences, Tenure, TooFew, Warned, Window
from workbook.churn.late_payers import AGES
from workbook.churn.prospects import Outlook
from workbook.data.findings import Finding
from workbook.output import i18n
from workbook.output.words import churn as words
from workbook.scoring import Estimate, Verdict

NAN = float("nan")
NONE = Estimate(NAN, NAN, NAN)


@pytest.fixture(params=["en", "zh"], autouse=True)
def language(request):
    i18n.use(request.param, "EUR")
    i18n.untranslated.clear()
    yield request.param
    assert not i18n.untranslated
    i18n.use("en", "EUR")


def horizon(**changes):
    facts = {
        "days": 128, "low": 120.2, "high": 135.7, "rule_days": 128, "naive_days": 93.0, "source": "rule", "share": 0.8,
        "ever_return": 0.79, "span_days": 700, "gaps": 900, "returns": 700, "by_number": pd.DataFrame(),
        "curves": pd.DataFrame(), "reason": "",
    }  # fmt: skip
    return Horizon(**(facts | changes))


def test_every_code_has_a_name_of_its_own():
    features = [words.feature_name(feature.name) for feature in churn.FEATURES]
    assert len(set(features)) == len(churn.FEATURES)
    sources = {feature.source for feature in churn.FEATURES}
    assert len({words.source_name(source) for source in sources}) == len(sources)
    rivals = [*churn.RIVALS, "p_alive", "expected_purchases"]
    assert len({words.rival_name(code) for code in rivals}) == len(rivals)
    assert len({words.past_name(code) for code in churn.PAST}) == len(churn.PAST)
    assert len({words.risk_reason(code) for code in churn.RISK_REASONS}) == len(churn.RISK_REASONS)
    assert len({words.age_name(age) for age in AGES}) == len(AGES)
    assert len({words.window_name(name) for name in ("train", "validation", "test", "today")}) == 4


def test_a_reason_is_no_cause(language):
    assert words.reason("recency_days", "more").startswith(words.feature_name("recency_days"))
    told = {words.reason("spend_90", side) for side in ("more", "less", "equal", "unknown")}
    assert len(told) == 4
    assert not any(word in text for text in told for word in ("because", "因为"))


def test_the_obvious_rule_is_told_with_its_errors(language):
    found = Silences(90, 3_293, 1_438, 0.437, 0.42, 0.454, 1_855, 2_560)
    assert "43.7%" in words.naive(found) and "1,855" in words.naive(found)
    assert "90" in words.naive(Silences(90, 0, 0, NAN, NAN, NAN, 0, 5))
    left = Tenure(180.0, Estimate(0.57, 0.5, 0.63), 243, 148, pd.DataFrame())
    assert "180" in words.tenure(left) and "57.0%" in words.tenure(left)
    assert "57" not in words.tenure(left._replace(still_there=NONE)), "no share where the curve does not reach"
    assert "180" not in words.tenure(Tenure(None, NONE, 3, 0, pd.DataFrame()))


def test_the_example_is_read_by_its_own_gaps():
    story = pd.DataFrame({"returned": [1, 1, 0], "gap_days": [10, 200, 30]})
    assert "200" in words.by_hand(story, 90) and "90" in words.by_hand(story, 90)
    assert "90" not in words.by_hand(story.head(1), 90), "a gap of ten days contradicts no rule"
    once, nobody = words.by_hand(story.tail(1), 90), words.by_hand(story.head(0), 90)
    assert once != nobody


@pytest.mark.parametrize("code", ["contractual", "no_purchase"])
def test_meaning(code):
    assert words.meaning(Meaning(code, 95, 1_580, 0.6)) != words.meaning(Meaning("no_purchase", 0, 10, 0.0))
    assert "60.0%" in words.meaning(Meaning(code, 95, 1_580, 0.6))


def test_horizon_says_where_it_comes_from():
    assert "128" in words.horizon(horizon()) and "93" in words.horizon(horizon())
    assert "120" in words.horizon(horizon()) and "136" in words.horizon(horizon())
    capped = words.horizon(horizon(days=61, source="capped"))
    declared = words.horizon(horizon(days=61, source="declared"))
    assert "61" in capped and "61" in declared and capped != declared
    none = dict.fromkeys(("low", "high", "rule_days", "naive_days", "ever_return"))
    assert "horizon_days" in words.horizon(horizon(days=None, reason="too_few", **none))
    assert "45" in words.horizon(horizon(days=45, source="declared", **none))


def test_log_rank_and_cox(language):
    differ = words.log_rank(LogRank("differ", 11.5, 3, 0.0002, 900, 500, 4))
    assert words.p_value(0.0002) in differ and words.p_value(0.04) == "0.040"
    assert differ != words.log_rank(LogRank("alike", 11.5, 3, 0.2, 900, 500, 4))
    assert words.log_rank(LogRank("too_few", None, 0, None, 3, 1, 1))
    table = pd.DataFrame({
        "covariate": ["log2_first_amount", "first_channel=web"], "hazard_ratio": [1.1, 0.9], "low": [1.01, 0.8],
        "high": [1.2, 1.1], "proportional": [True, False], "direction": ["sooner", "unclear"]})  # fmt: skip
    rows = words.cox_rows(table)
    assert rows["name"].str.contains("web").tolist() == [False, True] and rows["check"].nunique() == 2
    said = words.cox(Cox("breaks", table, 900, 500, 9.0, 0.001))
    assert rows["name"].iat[0] in said and rows["name"].iat[1] not in said, "what is unclear is not claimed"
    assert "**" in said and "**" not in words.cox(Cox("holds", table, 900, 500, 1.0, 0.7))
    assert words.cox(Cox("too_few", table.head(0), 3, 1, None, None))


def test_subscriptions():
    monthly = Monthly(0.071, 0.052, 0.096, 500, 95)
    text = words.subscriptions(Estimate(0.371, 0.3, 0.44), Estimate(240, 210, 330), monthly, 243)
    assert all(figure in text for figure in ("37.1%", "240", "7.1%"))
    young = words.subscriptions(NONE, NONE, monthly, 4)
    assert "nan" not in young.lower() and "4" in young
    assert words.subscriptions(NONE, NONE, None, 0) != young
    curve = pd.DataFrame({"day": np.arange(900.0), "survival": 0.5})
    assert words.contract_curve(curve)["day"].iat[-1] == 899 and not len(words.contract_curve(curve.head(0)))


def test_windows_are_drawn_one_after_the_other():
    rows = words.window_rows([Window("train", date(2026, 1, 31), date(2026, 4, 30))], 30)
    assert rows["to"].iat[0] < rows["from"].iat[1], "what is foretold begins the day after"
    assert words.window_rows((), 30).empty


def test_whether_there_is_enough():
    windows = [Window("train", date(2026, 1, 1), date(2026, 2, 1))]
    few = words.outlook(TooFew("too_few", {"train": (50, 3)}), windows, 90)
    assert "50" in few and "3" in few
    assert "29" in words.outlook(None, (), 29)


@pytest.mark.parametrize(("code", "bold"), [("earns", True), ("ties", True), ("too_few", False)])
def test_verdict(code, bold):
    found = Verdict(code, "hiatus", 0.1, 0.05, 0.15, "auc", 800)
    assert ("**" in words.verdict(found)) == bold
    assert (words.rival_name("hiatus") in words.verdict(found)) == bold
    assert words.verdict(None)


def optimum(code, **changes):
    facts = {"code": code, "threshold": 48.0, "low": 21.0, "high": 59.0, "customers": 400, "share": 0.52,
             "profit": 900.0, "profit_all": 100.0}
    return Optimum(**(facts | changes))


def earned(**changes):
    facts = {"customers": 433, "share": 0.5, "profit": 2_808.0, "profit_low": 1_598.0, "profit_high": 3_939.0,
             "profit_all": 2_100.0, "lead": 635.0, "lead_low": 120.0, "lead_high": 900.0, "leavers": 169,
             "precision": 0.39, "precision_low": 0.346, "precision_high": 0.437, "caught_share": 0.4}
    return churn.Earned(**(facts | changes))


def test_profit_is_claimed_only_beyond_chance():
    said = {words.optimum(optimum(code)) for code in ("contact_some", "contact_all", "contact_none")}
    assert len(said | {words.optimum(None)}) == 4
    assert "21" not in words.optimum(optimum("contact_some", low=None, high=None))
    sure, unsure = words.earned(earned()), words.earned(earned(lead_low=-5.0))
    assert "635" in sure and "635" not in unsure
    assert words.earned(earned(customers=0)) != words.earned(None)


def test_terms_tell_an_assumption_from_a_measurement():
    assumed = words.terms(churn.Terms(1.0, 10.0, 0.15))
    saved = churn.Saved(Estimate(0.15, 0.05, 0.25), 400, 500)
    measured = words.terms(churn.Terms(1.0, 10.0, 0.15, "randomised"), saved)
    assert "900" in measured and "25.0%" in measured
    assert "15.0%" in assumed and "**" in assumed and "**" not in measured


def warned(n, *, measured="clv"):
    rows = pd.DataFrame({
        "customer_id": ["a", "b"], "probability": [0.9, 0.2], "value": [10.0, 5.0], "value_at_risk": [9.0, 1.0],
        "reason_1": ["recency_days", None], "direction_1": ["more", None], "reason_2": ["spend_90", None],
        "direction_2": ["less", None], "reason_3": [None, None], "direction_3": [None, None]})  # fmt: skip
    return Warned(rows.assign(listed=False), rows.head(n), measured)


def test_the_list():
    rows = words.list_rows(warned(2).listed)
    assert words.reason("recency_days", "more") in rows["reasons"].iat[0]
    assert words.feature_name("recency_days") not in rows["reasons"].iat[1], "who is listed without a reason is told so"
    assert "39.0%" in words.listing(warned(2), earned()) and "39.0%" not in words.listing(warned(2), None)
    assert words.listing(warned(2), None) != words.listing(warned(2, measured="margin"), None)
    assert words.listing(warned(0), None) != words.listing(warned(0)._replace(everyone=pd.DataFrame()), None)


def test_steadiness_and_fairness():
    drift = pd.DataFrame({"feature": ["spend_90", "tenure_days"], "psi": [0.4, 0.01], "code": ["shifted", "stable"]})
    assert words.feature_name("spend_90") in words.stability(0.3, drift)
    assert words.feature_name("tenure_days") not in words.stability(0.3, drift)
    assert len({words.stability(psi, drift) for psi in (None, 0.01, 0.2, 0.5)}) == 4
    rows = pd.DataFrame({"segment": ["east", "west", "tiny"], "n": [90, 100, 3], "code": ["over", "fair", "too_few"]})
    shown = words.fairness_rows(rows)
    assert shown["name"].tolist() == ["west", "east"], "the largest first, the tiny one left out"
    assert "east" in words.fairness(shown) and "west" not in words.fairness(shown)
    assert words.fairness(shown[shown["code"] == "fair"]) != words.fairness(shown.head(0))


def test_risks_are_said_with_care(language):
    ages = pd.DataFrame({"age": list(AGES), "invoices": [1, 0, 0, 1], "customers": [1, 0, 0, 1],
                         "amount": [100.0, 0, 0, 300.0], "share": [0.25, 0, 0, 0.75]})
    rolls = pd.DataFrame({"age": list(AGES), "invoices": [50, 9, 10, 0], "rolled": [5, 9, 1, 0],
                          "share": [0.1, 1.0, 0.1, NAN], "low": 0.0, "high": 1.0})
    shown = words.ageing_rows(ages, rolls)
    assert shown["rolled"].isna().tolist() == [False, True, False, True], "below ten followed nothing is said"
    assert "75.0%" in words.ageing(ages) and "75" not in words.ageing(ages.assign(amount=0.0))
    payers = pd.DataFrame({"is_late": [True, *[False] * 29], "open_amount": 40.0})
    assert "30" in words.payers(payers) and words.payers(payers.head(3)) != words.payers(payers)
    returners = pd.DataFrame({"customer_id": ["a", "b"], "lines": [1, 20], "returned": [1, 9], "expected": [0.1, 1.0],
                              "returned_amount": [10.0, 90.0], "unusual_probability": [0.3, 0.99],
                              "is_unusual": [False, True]})
    assert "90.0%" in words.returners(returners)
    assert not any(word in words.returners(returners).lower() for word in ("fraud", "abuse", "欺诈", "滥用"))
    assert words.returner_rows(returners)["customer_id"].tolist() == ["b", "a"]
    assert words.returners(returners.head(1)) != words.returners(returners.assign(unusual_probability=NAN))
    drops = pd.DataFrame({"dropped": [True, False], "missing_amount": [70.0, 0.0]})
    assert "70" in words.drops(drops) and "70" not in words.drops(drops.tail(1))
    assert words.drops(drops.head(0))
    queue = words.risk_rows(pd.DataFrame({"reasons": ["late_payer sudden_drop", ""], "score": [90.0, 80.0]}))
    assert len(queue) == 1 and words.risk_reason("sudden_drop") in queue["told"].iat[0]


def test_prospects():
    today = pd.DataFrame({"customer_id": ["a"]})
    few = words.prospects(Outlook("too_few", {}, np.zeros(3), today, 4, 5), 1)
    learned = words.prospects(Outlook("learned", {}, np.zeros(3), today, 40, 50), 1)
    assert "4" in few and "50" in learned
    assert words.prospects(Outlook("too_few", {}, np.zeros(0), today.head(0), 0, 0), 0) not in (few, learned)
    assert words.prospect_verdict(None) != words.prospect_verdict(
        Verdict("earns", "most_visits", 0.1, 0.05, 0.15, "auc", 800))


def test_summary_for_the_index():
    found = {"churn_horizon_days": Finding(128, "days"), "listed_customers": Finding(459, "customers"),
             "value_at_risk": Finding(68_305.0, "money")}
    assert "459" in words.summary(found, {}) and "400" not in words.summary(found, {})
    assert "400" in words.summary(found, {"listed_customers": Finding(400, "customers")})
    nothing = Finding(None, "customers", reason="too_few")
    texts = {words.summary(found, {}), words.summary(found | {"listed_customers": nothing}, {}),
             words.summary(found | {"churn_horizon_days": nothing}, {})}
    assert len(texts) == 3


def test_curves_are_thinned_to_their_last_day():
    days = np.arange(1_000.0)
    curves = pd.DataFrame({"group": "1", "day": days, "survival": 1 - days / 2_000, "low": 0.1, "high": 0.9})
    shown = words.return_curves(curves, 700)
    assert len(shown) <= 202 and shown["day"].max() == 700
    assert shown["returned"].iat[-1] == pytest.approx(0.35)
    assert shown["returned_low"].iat[0] == pytest.approx(0.1) and shown["returned_high"].iat[0] == pytest.approx(0.9)
