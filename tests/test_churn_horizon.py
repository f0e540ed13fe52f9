"""What leaving means: gaps by hand, the horizon's rule on counts that can be checked, and a simulated truth."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from evidence import churn as evidence
from workbook import churn
from workbook.data.engine import connect
from workbook.data.settings import Engine

ENGINE = connect(Engine(url="duckdb", memory="500MB", threads=1))
AS_OF = date(2026, 6, 30)


def rows_of(table):
    return table.to_pyarrow().to_pylist()


def days_table(rows):
    """(customer, ISO day) → purchase days."""
    return pa.table({
        "customer_id": pa.array([row[0] for row in rows], pa.string()),
        "ordered_on": pa.array([date.fromisoformat(row[1]) for row in rows], pa.date32()),
    })  # fmt: skip


def orders_table(name, rows, **columns):
    """(order, customer, ISO day, amount) and further columns → clean/orders in the engine."""
    frame = pd.DataFrame(rows, columns=["order_id", "customer_id", "ordered_on", "amount"]).assign(**columns)
    frame = frame.assign(ordered_on=pd.to_datetime(frame["ordered_on"]).dt.date, net_amount=frame["amount"])
    frame = frame.assign(is_return=frame["amount"] < 0)
    return ENGINE.create_table(name, pa.Table.from_pandas(frame, preserve_index=False), overwrite=True)


def counts_of(rows):
    """(past, gap_days, returned, gaps): counts, dealt out to the buckets as evenly as they go."""
    made = []
    for past, gap_days, returned, gaps in rows:
        dealt = [gaps // 20 + (bucket < gaps % 20) for bucket in range(20)]
        made += [(b, past, gap_days, returned, n, n * (1 - returned)) for b, n in enumerate(dealt) if n]
    return pd.DataFrame(made, columns=["bucket", "past", "gap_days", "returned", "gaps", "open"])


class TestGaps:
    def test_by_hand(self, con, make_table):
        table = make_table(con, days_table([("a", "2026-06-01"), ("a", "2026-06-11"), ("b", "2026-06-30"),
                                            ("a", "2026-06-12"), ("b", "2026-07-02")]))  # fmt: skip
        found = {(r["customer_id"], r["number"]): (r["gap_days"], r["returned"])
                 for r in rows_of(churn.gaps(table, as_of=AS_OF))}  # fmt: skip
        assert found == {("a", 1): (10, 1), ("a", 2): (1, 1), ("a", 3): (18, 0), ("b", 1): (0, 0)}

    def test_counts_add_up_whatever_the_bucket(self, con, make_table):
        rows = [(f"c{i:02d}", str(date(2026, 1, 1) + timedelta(days=3 * k))) for i in range(12) for k in range(i + 1)]
        counted = pd.DataFrame(rows_of(churn.gap_counts(churn.gaps(make_table(con, days_table(rows)), as_of=AS_OF))))
        assert counted["bucket"].between(0, 19).all()
        totals = counted.groupby("past")[["gaps", "open"]].sum()
        # 12 customers made a first purchase, 11 a second, 10 + 9 a third and fourth, 8 … 4 the next, 3 … 1 the rest
        assert totals["gaps"].to_dict() == {"1": 12, "2": 11, "3-4": 19, "5-9": 30, "10+": 6}
        assert totals["open"].to_dict() == {"1": 1, "2": 1, "3-4": 2, "5-9": 5, "10+": 3}


class TestHorizon:
    def test_the_rule_by_hand(self):
        """100 gaps, 80 completed. No gap is cut off early, so 80 % ever return; 64 of them, by day 20, are 80 %."""
        counts = counts_of([("1", 10, 1, 40), ("1", 20, 1, 24), ("1", 30, 1, 16), ("1", 100, 0, 20)])
        found = churn.horizon(counts, rng=np.random.default_rng(0), fewest=50)
        assert (found.days, found.rule_days, found.source) == (20, 20, "rule")
        assert found.ever_return == pytest.approx(0.8)
        assert churn.horizon(counts, share=0.81, rng=np.random.default_rng(0), fewest=50).days == 30

    def test_completed_gaps_alone_are_too_short(self):
        """Half of the customers came 15 days ago: they could complete short gaps only. Kaplan–Meier weighs the late."""
        counts = counts_of([("1", 10, 1, 100), ("1", 15, 0, 100), ("1", 90, 1, 50), ("1", 200, 0, 50)])
        found = churn.horizon(counts, share=0.65, rng=np.random.default_rng(0))
        # S(10) = 2/3, S(90) = 2/3 × 1/2: 2/3 ever return, half of them by day 10
        assert found.ever_return == pytest.approx(2 / 3)
        assert (found.naive_days, found.rule_days) == (10, 90)

    def test_groups_are_mixed_by_todays_customers(self):
        """Bought once: 100 of 190 return, all on day 50; twice: 100 of 110, all on day 5. Open: 90 and 10."""
        counts = counts_of([("1", 50, 1, 100), ("1", 99, 0, 90), ("2", 5, 1, 100), ("2", 99, 0, 10)])
        found = churn.horizon(counts, rng=np.random.default_rng(0))
        early, late = 0.1 * 100 / 110, 0.9 * 100 / 190
        assert found.ever_return == pytest.approx(early + late)
        assert found.days == 50
        assert churn.horizon(counts, share=0.15, rng=np.random.default_rng(0)).days == 5
        assert found.by_number["days"].tolist() == [50, 5]
        assert found.by_number["customers"].tolist() == [90, 10]

    def test_a_declared_horizon_wins_and_a_short_record_caps(self):
        counts = counts_of([("1", 10, 1, 100), ("1", 40, 1, 100), ("1", 100, 0, 50)])
        rng = np.random.default_rng(0)
        declared = churn.horizon(counts, declared=60, rng=rng)
        assert (declared.days, declared.rule_days, declared.source) == (60, 40, "declared")
        capped = churn.horizon(counts, longest=30, rng=rng)
        assert (capped.days, capped.rule_days, capped.source) == (30, 40, "capped")

    def test_too_few_returns_give_no_number(self):
        counts = counts_of([("1", 10, 1, 20), ("1", 100, 0, 50)])
        found = churn.horizon(counts, rng=np.random.default_rng(0))
        assert (found.days, found.low, found.reason, found.returns) == (None, None, "too_few", 20)
        assert churn.horizon(counts, declared=60, rng=np.random.default_rng(0)).days == 60

    def test_a_small_group_of_loyal_customers_does_not_cut_the_span(self):
        """Twenty gaps of ten loyal customers, half of them just begun, do not say how long the others were watched."""
        loyal = [("10+", 4, 1, 10), ("10+", 5, 0, 10)]
        counts = counts_of([("1", 10, 1, 100), ("1", 60, 1, 40), ("1", 300, 0, 60), *loyal])
        found = churn.horizon(counts, rng=np.random.default_rng(0))
        assert found.span_days >= 60 and found.days == 60

    def test_the_simulated_rhythm_is_found_and_the_naive_quantile_is_too_short(self):
        """Exponential gaps of mean 60 days: 80 % of those who return do so by 60 × ln 5 = 96.6 days."""
        found = evidence.horizon_trial(evidence.SIZES["small"], gap_days=60, seed=3)
        truth = 60 * np.log(5)
        assert found.rule_days == pytest.approx(truth, abs=6)
        assert found.low - 1 <= truth <= found.high + 1  # whole days
        assert found.naive_days < found.low


class TestMeaning:
    ROWS = (("o1", "a", "2026-05-01", 10.0), ("o2", "b", "2026-05-01", 10.0), ("o3", "c", "2024-05-01", 10.0))

    def subscriptions(self, customers):
        frame = pd.DataFrame({"customer_id": customers, "started_on": date(2026, 1, 1), "ended_on": None})
        table = pa.Table.from_pandas(frame, preserve_index=False)
        types = {"customer_id": pa.string(), "started_on": pa.date32(), "ended_on": pa.date32()}
        return ENGINE.create_table("held", table.cast(pa.schema(list(types.items()))), overwrite=True)

    def test_a_shop_of_contracts_is_contractual(self):
        orders = orders_table("meaning", self.ROWS)
        record = churn.Record(orders, subscriptions=self.subscriptions(["a", "z"]))
        assert churn.means(record, as_of=AS_OF) == ("contractual", 2, 2, 0.5)
        before = churn.means(record, as_of=date(2025, 12, 31))
        assert (before.code, before.holders) == ("no_purchase", 0)

    def test_without_subscriptions_it_is_silence(self):
        assert churn.means(churn.Record(orders_table("meaning", self.ROWS)), as_of=AS_OF).code == "no_purchase"


class TestWindows:
    @pytest.mark.parametrize("days", [14, 60, 128, 220])
    def test_labels_end_a_gap_before_the_next_scoring_day(self, days):
        train, validation, test, today = churn.windows(first_on=date(2024, 1, 1), as_of=AS_OF, horizon_days=days)
        assert [w.name for w in (train, validation, test, today)] == ["train", "validation", "test", "today"]
        for earlier, later in ((train, validation), (validation, test)):
            assert (later.scored_on - earlier.until).days == 14
        assert test.until == AS_OF == today.scored_on
        assert (train.scored_on - date(2024, 1, 1)).days >= days

    def test_a_record_that_is_too_short_has_none(self):
        longest = churn.longest_horizon(first_on=date(2024, 1, 1), as_of=AS_OF)
        assert churn.windows(first_on=date(2024, 1, 1), as_of=AS_OF, horizon_days=longest)
        assert churn.windows(first_on=date(2024, 1, 1), as_of=AS_OF, horizon_days=longest + 1) == ()
        assert churn.longest_horizon(first_on=AS_OF, as_of=AS_OF) == 0


class TestLifetimes:
    def test_the_second_purchase_with_what_the_first_day_told(self):
        orders = orders_table(
            "second",
            [("1", "a", "2026-01-01", 30.0), ("2", "a", "2026-01-01", 10.0), ("3", "a", "2026-02-10", 99.0),
             ("4", "b", "2026-06-20", 50.0), ("5", "b", "2026-07-10", 5.0)],
            discount=[10.0, 0.0, 0.0, 0.0, 0.0], channel=["web", "app", "app", "app", "app"],
        )  # fmt: skip
        found = rows_of(churn.second_purchase(churn.Record(orders), as_of=AS_OF))
        told = [(r["customer_id"], r["days"], r["ended"], r["first_amount"], r["first_channel"]) for r in found]
        assert told == [("a", 40, 1, 40.0, "app"), ("b", 10, 0, 50.0, "app")]
        assert found[0]["first_discount_share"] == pytest.approx(0.2)
        assert (found[0]["first_month"], found[1]["first_month"]) == (1, 6)

    def test_a_contract_that_ends_after_the_report_date_still_runs(self):
        frame = pa.table({
            "subscription_id": ["s1", "s2", "s3"], "customer_id": ["a", "b", "c"], "plan": ["tea"] * 3,
            "started_on": pa.array([date(2026, 6, 1), date(2026, 6, 10), date(2026, 7, 1)], pa.date32()),
            "ended_on": pa.array([date(2026, 6, 21), date(2026, 7, 5), None], pa.date32()),
            "price": [99.0] * 3, "billing_months": [1] * 3,
        })  # fmt: skip
        found = rows_of(churn.contracts(ENGINE.create_table("subs", frame, overwrite=True), as_of=AS_OF))
        assert [(r["subscription_id"], r["days"], r["ended"]) for r in found] == [("s1", 20, 1), ("s2", 20, 0)]


class TestTinyShop:
    """Twelve orders of five customers, and none at all: every step answers, none with a number."""

    ROWS = tuple((f"o{i}", f"c{i % 5}", f"2026-{1 + i % 6:02d}-{1 + i:02d}", 10.0 + i) for i in range(12))

    @pytest.mark.parametrize("rows", [ROWS, ROWS[:1], ()])
    def test_too_few_for_a_horizon_a_test_or_a_model(self, rows):
        orders = orders_table("tiny", self.ROWS)
        record = churn.Record(orders.filter(orders.order_id.isin([row[0] for row in rows])))
        span = churn.record_span(record, as_of=AS_OF)
        assert span.buyers == min(5, len(rows)) and (span.first_on is None) == (not rows)
        counts = pd.DataFrame(rows_of(churn.gap_counts(churn.gaps(record.purchases(AS_OF), as_of=AS_OF))),
                              columns=["bucket", "past", "gap_days", "returned", "gaps", "open"])  # fmt: skip
        found = churn.horizon(counts, rng=np.random.default_rng(0))
        assert (found.days, found.reason, found.gaps) == (None, "too_few", len(rows))
        assert churn.horizon(counts, declared=30, rng=np.random.default_rng(0)).days == 30
        assert churn.means(record, as_of=AS_OF).code == "no_purchase"
        lives = pd.DataFrame(rows_of(churn.second_purchase(record, as_of=AS_OF)),
                             columns=list(churn.second_purchase(record, as_of=AS_OF).columns))  # fmt: skip
        assert churn.log_rank(lives, days="days", ended="ended", group="first_month").code == "too_few"
        assert churn.cox(lives, days="days", ended="ended", covariates=["first_amount"]).code == "too_few"
        assert churn.curves(lives, days="days", ended="ended", group="first_month").empty
