"""Late payers, unusual returns, sudden drops: by hand, by formula, and against a shop whose truth is known."""

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy import stats

from evidence import risk as evidence
from workbook import churn
from workbook.churn import shrinkage
from workbook.data.engine import few_rows
from workbook.data.simulate import simulate

MONEY = pa.decimal128(18, 4)
DAY = date(2026, 6, 30)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def payments(rows):
    """customer, due, paid (or None), amount; paid at noon of Shanghai."""
    who, due, paid, amount = zip(*rows, strict=True)
    at = [None if day is None else pd.Timestamp(day) + pd.Timedelta(hours=4) for day in paid]
    return pa.table({
        "payment_id": [f"p{i}" for i in range(len(rows))], "customer_id": pa.array(who, pa.string()),
        "due_on": pa.array(due, pa.date32()), "paid_at": pa.array(at, pa.timestamp("us")),
        "amount": pa.array([Decimal(a) for a in amount], MONEY), "status": pa.array(["x"] * len(rows)),
    })  # fmt: skip


ROWS = [
    ("a", date(2026, 6, 10), None, 100),  # 20 days overdue
    ("a", date(2026, 4, 25), None, 200),  # 66 days
    ("a", date(2025, 12, 1), date(2025, 12, 5), 50),  # 4 days late: within grace
    ("b", date(2026, 1, 1), None, 400),  # 180 days
    ("b", date(2026, 5, 1), date(2026, 5, 20), 70),  # 19 days late
    ("c", date(2026, 6, 30), None, 10),  # due today: not overdue, and not yet judged
]


@pytest.fixture
def owed(con, make_table):
    return churn.invoices(make_table(con, payments(ROWS)), zone=SHANGHAI)


class TestLatePayers:
    def test_open_invoices_by_age_by_hand(self, owed):
        rows = churn.ageing(owed, as_of=DAY).set_index("age")
        assert rows["amount"].to_dict() == {"1-30": 100, "31-60": 0, "61-90": 200, "over_90": 400}
        assert rows["customers"].tolist() == [1, 0, 1, 1]
        assert rows["share"].round(4).tolist() == [round(x / 700, 4) for x in (100, 0, 200, 400)]

    def test_customers_by_hand(self, owed):
        rows = pd.DataFrame(few_rows(churn.payers(owed, as_of=DAY))).set_index("customer_id")
        assert rows["invoices"].to_dict() == {"a": 3, "b": 2}, "c's only invoice has not had its days of grace"
        assert rows["late"].to_dict() == {"a": 2, "b": 2}
        assert rows["open_amount"].to_dict() == {"a": 300, "b": 400}
        assert rows["overdue_days"].to_dict() == {"a": 66, "b": 180}
        assert rows["mean_delay_days"].to_dict() == {"a": 4, "b": 19}

    def test_roll_rates_by_hand(self):
        """End of April: a's of 25 April is 5 days overdue and still open at the end of May."""
        owed = churn.invoices(evidence.engine().create_table("owed", payments(ROWS)), zone=SHANGHAI)
        rolls = churn.roll_rates(owed, days=[date(2026, 4, 30), date(2026, 5, 31), DAY]).set_index("age")
        # End of May: a's of 25 April (36 days) and b's of January (150); b's of 1 May was paid on the 20th.
        assert rolls["invoices"].to_dict() == {"1-30": 1, "31-60": 1, "61-90": 0, "over_90": 2}
        assert rolls["rolled"].to_dict() == {"1-30": 1, "31-60": 1, "61-90": 0, "over_90": 2}
        assert rolls.loc["over_90", "low"] == pytest.approx(0.3424, abs=1e-4), "Wilson, 2 of 2"

    def test_month_ends_leave_an_incomplete_month_out(self):
        assert churn.month_ends(date(2026, 3, 15), 2) == (date(2026, 1, 31), date(2026, 2, 28))

    def test_a_payment_of_the_small_hours_belongs_to_the_day_of_the_shop(self):
        """20:00 UTC is four in the morning of the next day in Shanghai."""
        con = evidence.engine()
        late = payments([("a", date(2026, 6, 1), date(2026, 6, 1), 5)])
        late = late.set_column(3, "paid_at", pa.array([pd.Timestamp("2026-06-01 20:00")], pa.timestamp("us")))
        paid = few_rows(churn.invoices(con.create_table("late", late), zone=SHANGHAI))[0]["paid_on"]
        assert paid == date(2026, 6, 2)

    def test_one_late_invoice_accuses_nobody(self):
        rows = pd.DataFrame({"customer_id": [f"c{i}" for i in range(100)], "invoices": [10] * 98 + [1, 10],
                             "late": [0] * 90 + [1] * 8 + [1, 9], "mean_delay_days": 0.0, "open_amount": 0.0,
                             "overdue_days": 0, "billed_12m": 1200.0})
        judged = churn.judge_payers(rows).set_index("customer_id")
        assert not judged.loc["c98", "is_late"] and judged.loc["c99", "is_late"]
        assert judged["is_late"].sum() == 1
        assert judged.loc["c98", "late_expected"] < 0.7, "1 of 1 is drawn towards the usual"
        assert np.isnan(judged.loc["c98", "limit"]), "no limit on one invoice"
        assert judged.loc["c0", "limit"] == 200 > 3 * judged.loc["c99", "limit"], "two months of 1,200 a year"

    def test_few_customers_are_not_judged(self):
        rows = pd.DataFrame({"customer_id": ["a"], "invoices": [9], "late": [9], "mean_delay_days": [50.0],
                             "open_amount": [0.0], "overdue_days": [0], "billed_12m": [100.0]})
        judged = churn.judge_payers(rows)
        assert not judged["is_late"].any() and judged["late_expected"].isna().all()


class TestShrinkage:
    def test_beta_prior_is_found_again(self):
        rng = np.random.default_rng(1)
        n = rng.integers(1, 30, 20_000)
        prior = shrinkage.beta_prior(rng.binomial(n, rng.beta(2.0, 8.0, len(n))), n)
        assert prior.a == pytest.approx(2.0, rel=0.1) and prior.b == pytest.approx(8.0, rel=0.1)

    def test_gamma_prior_is_found_again(self):
        rng = np.random.default_rng(2)
        time = rng.uniform(50, 500, 20_000)
        prior = shrinkage.gamma_prior(rng.poisson(rng.gamma(1.5, 1 / 40, len(time)) * time), np.round(time))
        assert prior.shape == pytest.approx(1.5, rel=0.1) and prior.rate == pytest.approx(40, rel=0.1)

    def test_mixture_tells_the_few_from_the_many(self):
        """4 % have eight times the usual rate: the mixture's means and weight come back."""
        rng = np.random.default_rng(3)
        expected, odd = rng.uniform(0.5, 6, 20_000), rng.random(20_000) < 0.04
        ratio = np.where(odd, rng.gamma(80, 0.1, 20_000), rng.gamma(20, 0.05, 20_000))
        mixture = shrinkage.gamma_mixture(rng.poisson(ratio * expected), expected)
        assert mixture.weight == pytest.approx(0.96, abs=0.01)
        assert mixture.shape_1 / mixture.rate_1 == pytest.approx(1.0, abs=0.05)
        assert mixture.shape_2 / mixture.rate_2 == pytest.approx(8.0, rel=0.1)

    def test_posterior_of_one_gamma_is_the_textbook_s(self):
        """Gamma(2, 2) and 3 seen where 1 was expected: gamma(5, 3)."""
        one = shrinkage.GammaMixture(0.5, 2, 2, 2, 2)
        k, e = np.array([3.0]), np.array([1.0])
        assert one.expected_ratio(k, e)[0] == pytest.approx(5 / 3)
        assert one.above(2.0, k, e)[0] == pytest.approx(stats.gamma.sf(2, 5, scale=1 / 3))


class TestReturners:
    def test_expectation_is_that_of_category_and_quarter(self, con, make_table, monkeypatch):
        monkeypatch.setattr("workbook.churn.returners.FEWEST_CELL", 2)
        rows = [("a", "tea", 1), ("a", "tea", 0), ("b", "pots", 1), ("b", "pots", 1), ("c", "tea", 0), ("c", "tea", 0)]
        who, category, back = zip(*rows, strict=True)
        lines = make_table(con, pa.table({
            "customer_id": who, "category": category, "ordered_on": pa.array([date(2026, 1, 10)] * 6),
            "amount": pa.array([Decimal(10)] * 6, MONEY), "is_return": [False] * 6,
            "returned_amount": pa.array([Decimal(10 * b) for b in back], MONEY),
        }))  # fmt: skip
        found = pd.DataFrame(few_rows(churn.returned(lines, lines, as_of=DAY))).set_index("customer_id")
        assert found["expected"].to_dict() == {"a": 0.5, "b": 2.0, "c": 0.5}
        assert found["returned"].to_dict() == {"a": 1, "b": 2, "c": 0}
        early = few_rows(churn.returned(lines, lines, as_of=date(2026, 1, 20)))
        assert not early, "what is ten days old may still come back"

    def test_one_return_of_one_order_accuses_nobody(self):
        rng = np.random.default_rng(5)
        lines = rng.integers(1, 20, 2_000)
        rows = pd.DataFrame({"customer_id": np.arange(2_000).astype(str), "lines": lines, "expected": 0.06 * lines,
                             "returned": rng.binomial(lines, 0.06), "returned_amount": 1.0})
        rows.loc[0, ["lines", "returned", "expected"]] = [1, 1, 0.06]
        rows.loc[1, ["lines", "returned", "expected"]] = [20, 14, 1.2]
        judged = churn.judge_returners(rows)
        assert judged["is_unusual"].tolist()[:2] == [False, True] and judged["is_unusual"].sum() == 1

    def test_a_shop_without_returns_judges_nobody(self):
        rows = pd.DataFrame({"customer_id": ["a"], "lines": [5], "returned": [0], "expected": [0.0],
                             "returned_amount": [0.0]})
        judged = churn.judge_returners(rows)
        assert not judged["is_unusual"].any() and judged["unusual_probability"].isna().all()


class TestDrops:
    def test_rhythm_by_hand(self, make_table):
        con = evidence.engine()
        days = [date(2026, 1, 1), date(2026, 2, 1), date(2026, 4, 1), date(2026, 5, 1)]
        table = make_table(con, pa.table({
            "customer_id": ["a"] * 4, "ordered_on": pa.array(days),
            "net_amount": pa.array([Decimal(x) for x in (10, 20, 30, 40)], MONEY),
        }))  # fmt: skip
        (row,) = few_rows(churn.rhythms(table, as_of=DAY, recent_days=90))
        # The recent days begin after 1 April 2026.
        assert (row["repeats"], row["days_before"], row["quiet_before"], row["recent"]) == (2, 90, 0, 1)
        assert row["mean_value"] == 25

    def test_predictive_count_is_negative_binomial(self):
        """Gamma(1, 10): after 4 events in 90 days, none in 100 with probability ((10 + 90) / (10 + 190)) ** 5."""
        prior = shrinkage.GammaPrior(1.0, 10.0)
        p = prior.fewer(np.array([0.0]), np.array([4.0]), np.array([90.0]), np.array([100.0]))
        assert p[0] == pytest.approx(0.5**5)

    @pytest.mark.parametrize("quiet", [1.0, 0.6])
    def test_nobody_dropped_and_hardly_a_shop_names_anybody(self, quiet):
        """Stated: at most 10 % of such shops; a quiet season for all is nobody's drop."""
        repeats = 60
        most = stats.binom.ppf(0.999, repeats, churn.FALSE_SHARE)
        assert evidence.false_alarms(repeats, quiet=quiet) <= most

    def test_a_weekly_buyer_who_stops_is_named(self):
        rng = np.random.default_rng(6)
        rate = rng.gamma(2.0, 0.02, 200)
        rows = pd.DataFrame({"customer_id": [f"c{i:03d}" for i in range(200)], "repeats": rng.poisson(360 * rate),
                             "days_before": 360, "quiet_before": 5, "recent": rng.poisson(90 * rate),
                             "mean_value": 10.0})
        rows.loc[7, ["repeats", "recent"]] = [52, 0]
        judged = churn.judge_drops(rows)
        assert judged.loc[judged["dropped"], "customer_id"].tolist() == ["c007"]
        assert judged["missing_amount"].iat[0] == pytest.approx(10 * judged["expected"].iat[0])

    def test_who_was_silent_before_is_not_looked_at(self):
        rows = pd.DataFrame({"customer_id": [f"c{i}" for i in range(60)], "repeats": 10, "days_before": 300,
                             "quiet_before": [200] + [5] * 59, "recent": 2, "mean_value": 1.0})
        assert "c0" not in set(churn.judge_drops(rows)["customer_id"])


def test_the_score_joins_what_is_known():
    payers = pd.DataFrame({"customer_id": ["a"], "late_probability": [0.5], "open_amount": [9.0], "overdue_days": [100],
                           "limit": [0.0], "is_late": [False]})
    returners = pd.DataFrame({"customer_id": ["a", "b"], "unusual_probability": [0.5, 0.95], "returned": [1, 9],
                              "lines": [2, 10], "is_unusual": [False, True]})
    drops = churn.judge_drops(pd.DataFrame({name: [] for name in (
        "customer_id", "repeats", "days_before", "quiet_before", "recent", "mean_value")}))
    table = churn.risk_table(payers, returners, drops).set_index("customer_id")
    assert table["score"].to_dict() == {"b": 95.0, "a": 75.0}
    assert table["reasons"].to_dict() == {"b": "unusual_returns", "a": "long_overdue"}
    assert not len(churn.risk_table(None, returners.head(0), drops))


@pytest.fixture(scope="module")
def shop():
    return simulate(2_000, 18, 3, evidence.crowded())


class TestTruth:
    """The simulated shop: named are hardly ever wrong ones, and more surely right than by the naive rule."""

    def test_late_payers(self, shop):
        ours, naive = evidence.late_trial(shop, evidence.last_day(18))
        assert ours.named >= 40 and ours.precision >= 0.95
        assert ours.auc >= naive.auc - 0.02 and ours.auc > 0.85

    def test_abusers_of_returns(self, shop):
        ours, naive = evidence.returns_trial(shop, evidence.last_day(18))
        assert ours.named >= 3 and ours.precision >= 0.8
        assert naive.precision < 0.4, "most of those with a large plain share bought little and sent one thing back"
        assert ours.auc >= naive.auc - 0.02

    def test_drops(self):
        shop = simulate(1_200, 18, 8, evidence.busy())
        ours, naive = evidence.drops_trial(shop, evidence.last_day(18))
        assert ours.named >= 5 and ours.precision >= 0.85 > naive.precision
