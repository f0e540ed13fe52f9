"""Campaigns that nobody randomised: known truths are covered, naive comparisons are not, faults are told."""

from datetime import date, timedelta
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workbook.ab_testing import (
    Campaign,
    campaigns_sent,
    histories,
    judge_campaigns,
    match,
    matched_effect,
    plain_difference,
    pooled,
    together,
)
from workbook.ab_testing.matching import FEATURES
from workbook.ab_testing.unrandomised import CLAIMS, campaign_rows
from workbook.data.simulate import Parameters, simulate

AS_OF = date(2026, 6, 30)
MONEY = pa.decimal128(18, 4)


def chosen(rng, n=600, effect=0.5, unseen=0.0):
    """Customers who are written to the more likely the more they bought: history drives both.

    `unseen` adds a cause of both that no feature shows.
    """
    days = rng.negative_binomial(1, 0.25, n) + 1
    recency = np.clip(rng.exponential(400 / days), 1, 800).round()
    hidden = rng.normal(0, 1, n)
    drive = 0.9 * np.log(days) - 0.4 * np.log(recency)
    reached = rng.random(n) < 1 / (1 + np.exp(-(drive - np.median(drive) - 0.6 + unseen * hidden)))
    frame = pd.DataFrame({
        "customer_id": [f"c{i:05d}" for i in range(n)], "reached": reached, "purchase_days": days,
        "year_days": rng.binomial(days, 0.6), "last_days": rng.binomial(days, 0.1), "monetary": days * 50.0,
        "recency_days": recency, "age_days": recency + 30 * (days - 1), "messages": 0,
    })  # fmt: skip
    spend = 2 * drive + unseen * hidden + effect * reached + rng.normal(0, 1, n)
    return frame.assign(spend_0=spend)


class TestMatched:
    def test_an_effect_that_history_hides_is_found_again(self):
        """200 small shops, true effect 0.5: the interval covers it about as often as it says, the naive one does not.

        Bounds: 95 % of 200 draws, three standard errors: 0.904. The interval may be wider than needed, not narrower.
        """
        rng = np.random.default_rng(3)
        found, naive = [], []
        for _ in range(200):
            frame = chosen(rng)
            found.append(matched_effect(match(frame, rng=rng), "spend_0"))
            naive.append(plain_difference(frame, "reached", "spend_0"))
        covered = np.mean([effect.low <= 0.5 <= effect.high for effect in found])
        assert covered >= 0.904
        assert np.mean([effect.value for effect in found]) == pytest.approx(0.5, abs=0.04)
        assert np.mean([effect.low <= 0.5 <= effect.high for effect in naive]) < 0.01
        width = np.mean([effect.high - effect.low for effect in found])
        assert width < 4.6 * np.std([effect.value for effect in found]), "no wider than a sixth beyond what is needed"

    def test_balance_is_better_after_than_before(self):
        rng = np.random.default_rng(4)
        matched = match(chosen(rng, 4000), rng=rng)
        before, after = matched.balance["smd_before"].abs(), matched.balance["smd_after"].abs()
        assert before.max() > 0.5 and after.max() == matched.worst < 0.1
        assert set(matched.balance["feature"]) == set(FEATURES)

    def test_what_no_feature_shows_stays_in_the_effect(self):
        """Matching is no experiment: an unseen cause of both is taken for an effect."""
        rng = np.random.default_rng(5)
        effect = matched_effect(match(chosen(rng, 4000, effect=0.0, unseen=1.0), rng=rng), "spend_0")
        assert effect.low > 0.3

    def test_by_hand(self):
        """Two written to, each with one other exactly alike: 10 − 7 and 4 − 3, mean 2."""
        alike = {"purchase_days": [1, 5, 1, 5, 1], "recency_days": [10, 10, 10, 10, 700], "reached": [1, 1, 0, 0, 0]}
        frame = pd.DataFrame({"customer_id": list("abcde"), **alike, "spend_0": [10.0, 4, 7, 3, 99]})
        frame["reached"] = frame["reached"].astype(bool)
        frame = frame.assign(messages=0)
        matched = match(frame, features=("purchase_days", "recency_days"), rng=np.random.default_rng(1))
        assert matched.rows["customer_id"].tolist() == list("abcd"), "e is in another stratum"
        assert matched.rows["weight"].tolist() == [1, 1, 1, 1]
        effect = matched_effect(matched, "spend_0", features=("purchase_days",))
        assert effect.value == pytest.approx(2)

    def test_others_are_shared_out(self):
        """Each of those written to hands out weight one: the weights of the others add up to their number."""
        rng = np.random.default_rng(6)
        matched = match(chosen(rng, 1500), rng=rng)
        weights = matched.rows.groupby("reached")["weight"].sum()
        assert weights[False] == pytest.approx(weights[True]) and weights[True] == matched.treated
        assert matched.left_out < 0.2 * matched.treated

    @pytest.mark.parametrize("everybody", [True, False])
    def test_one_group_alone_is_no_comparison(self, everybody):
        rng = np.random.default_rng(7)
        matched = match(chosen(rng, 50).assign(reached=everybody), rng=rng)
        assert matched.treated == 0 and np.isnan(matched_effect(matched, "spend_0").value)


def test_plain_difference_is_that_of_welch():
    frame = pd.DataFrame({"customer_id": list("abcdef"), "group": [True] * 3 + [False] * 3, "y": [1, 2, 6, 0, 1, 2.0]})
    found = plain_difference(frame, "group", "y")
    error = np.sqrt(np.var([1, 2, 6]) / 3 + np.var([0, 1, 2]) / 3)
    assert found.value == pytest.approx(2) and found.high - 2 == pytest.approx(1.959964 * error)


def test_a_customer_of_two_campaigns_counts_once():
    """The same data twice say no more than once; twice as many customers do."""
    rng = np.random.default_rng(8)
    frame = pd.DataFrame({"customer_id": range(200), "group": rng.random(200) < 0.5, "y": rng.normal(size=200)})
    once = plain_difference(frame, "group", "y")
    others = once._replace(influence=once.influence.rename(lambda i: i + 500))
    again, more = pooled([once, once]), pooled([once, others])
    assert (again.low, again.high) == pytest.approx((once.low, once.high))
    assert more.high - more.low == pytest.approx((once.high - once.low) / np.sqrt(2))


@pytest.fixture(scope="module")
def shop():
    """A simulated shop whose messages do nothing, though who opens them buys more."""
    made = simulate(12_000, 30, seed=5, parameters=Parameters(experiments=()))
    con = ibis.duckdb.connect(threads=1)
    orders = con.create_table("orders", made.tables["orders"])
    orders = orders.mutate(net_amount=orders.amount, is_return=ibis.literal(False)).cache()
    contacts = con.create_table("contacts", made.tables["contacts"])
    return orders, contacts.mutate(sent_on=(contacts.sent_at + ibis.interval(hours=8)).date())


@pytest.fixture(scope="module")
def tested(shop):
    orders, contacts = shop
    frame = ibis.expr.types.Table.to_pandas
    return judge_campaigns(orders, None, contacts, as_of=AS_OF, frame=frame, rng=np.random.default_rng(1))


class TestSimulatedMessages:
    def test_messages_that_do_nothing_are_found_to_do_nothing(self, tested):
        assert len(tested) == 4 and sum(one.code == "nothing_seen" for one in tested) >= 3
        effect, placebo = together(tested, "bought"), together(tested, "placebo")
        assert effect.low < 0 < effect.high and effect.high - effect.low < 0.03
        assert placebo.low < 0 < placebo.high
        spend = together(tested, "spend")
        assert spend.low < 0 < spend.high

    def test_the_naive_comparison_sees_a_large_effect(self, tested):
        naive, before = together(tested, "answered"), together(tested, "answered_before")
        assert naive.low > 0.03, "who opens a message buys more"
        assert before.low > 0.03, "and did so before it was sent"

    def test_differences_agree_and_dates_without_a_campaign_find_nothing(self, tested):
        assert sum(one.parallel for one in tested) >= 3
        assert sum(one.dates[0].low < 0 < one.dates[0].high for one in tested) >= 3

    def test_one_row_a_campaign(self, tested):
        rows = campaign_rows(tested)
        assert rows["day"].is_monotonic_increasing and (rows["days"] == 28).all()
        assert (rows["worst"] < 0.1).all() and rows["code"].isin(CLAIMS).sum() >= 3
        assert campaign_rows([]).columns.tolist() == rows.columns.tolist()

    def test_messages_that_work_are_found_to_work(self, shop):
        """The same shop, with one more order after the message for each fifth customer who got it."""
        orders, contacts = shop
        last = contacts.filter(contacts.sent_on.between(date(2026, 5, 1), date(2026, 5, 31)))
        caused = orders.inner_join(last.filter(last.contact_id.right(1).isin(["1", "6"])).select("customer_id"),
                                   "customer_id").group_by("customer_id").aggregate(order_id=orders.order_id.min())
        extra = orders.semi_join(caused, "order_id").mutate(ordered_on=ibis.literal(date(2026, 5, 20)))
        more = orders.union(extra)
        (tested,) = judge_campaigns(
            more, None, contacts, as_of=AS_OF, frame=ibis.expr.types.Table.to_pandas, rng=np.random.default_rng(1),
            most=1,
        )  # fmt: skip
        assert tested.code == "gain" and tested.bought.low < 0.18 < tested.bought.high, "a fifth less who buy anyway"


class TestRefusals:
    def judged(self, reached, *, bought_before=0.0):
        """One campaign on 400 made customers, of whom `reached` were written to."""
        rng = np.random.default_rng(9)
        names = [f"c{i:03d}" for i in range(400)]
        rows = [(name, date(2026, 1, 1) + timedelta(days=int(rng.integers(0, 100)))) for name in names]
        rows += [(name, date(2026, 5, 8)) for name in names[:reached] if rng.random() < bought_before]
        rows += [(name, date(2026, 5, 25)) for name in names if rng.random() < 0.2]
        con = ibis.duckdb.connect(threads=1)
        orders = con.create_table("orders", pa.table({
            "order_id": [f"o{i}" for i in range(len(rows))], "customer_id": [row[0] for row in rows],
            "ordered_on": pa.array([row[1] for row in rows]), "amount": pa.array([Decimal(20)] * len(rows), MONEY),
            "net_amount": pa.array([Decimal(20)] * len(rows), MONEY), "is_return": [False] * len(rows),
        }))  # fmt: skip
        contacts = con.create_table("contacts", pa.table({
            "contact_id": names[:reached], "customer_id": names[:reached], "campaign_id": ["k"] * reached,
            "sent_on": pa.array([date(2026, 5, 10)] * reached, pa.date32()),
        }))  # fmt: skip
        found = judge_campaigns(orders, None, contacts, as_of=AS_OF, frame=ibis.expr.types.Table.to_pandas,
                                rng=np.random.default_rng(2))
        return found[0]

    def test_everybody_written_to_leaves_only_before_and_after(self):
        assert self.judged(400).code == "no_control"

    def test_few_are_not_judged(self):
        assert self.judged(20).code == "too_few"

    def test_alike_groups_are_judged(self):
        assert self.judged(200).code in CLAIMS

    def test_an_effect_before_the_campaign_refuses_it(self):
        """Those written to had all bought two days before, in a window in which nothing was sent."""
        assert self.judged(200, bought_before=0.5).code in {"placebo_failed", "unbalanced"}


class TestHistories:
    def test_by_hand(self, con, make_table):
        """Campaign on 10 May, window of 28 days; a return of 20 May is not known before it."""
        orders = make_table(con, pa.table({
            "order_id": ["1", "2", "3", "4", "5"], "customer_id": ["a", "a", "a", "b", "n"],
            "ordered_on": pa.array([date(2026, 1, 10), date(2026, 5, 1), date(2026, 5, 12), date(2026, 4, 1),
                                    date(2026, 5, 20)]),
            "amount": pa.array([Decimal(10), Decimal(20), Decimal(30), Decimal(40), Decimal(50)], MONEY),
            "net_amount": pa.array([Decimal(10), Decimal(5), Decimal(30), Decimal(40), Decimal(50)], MONEY),
            "is_return": [False] * 5,
        }))  # fmt: skip
        returns = make_table(con, pa.table({
            "order_id": ["2"], "returned_on": pa.array([date(2026, 5, 20)]), "amount": pa.array([Decimal(15)], MONEY)}))
        contacts = make_table(con, pa.table({
            "customer_id": ["a", "b", "a"], "campaign_id": ["k", None, "j"],
            "sent_on": pa.array([date(2026, 5, 10), date(2026, 4, 10), date(2026, 1, 1)]),
            "opened_at": pa.array([None, pd.Timestamp("2026-04-11"), None], pa.timestamp("us")),
        }))  # fmt: skip
        campaign = Campaign("k", "k", date(2026, 5, 10), 28, 1)
        found = histories(orders, returns, contacts, campaign, as_of=AS_OF, day=campaign.day).to_pandas()
        a, b = (found.set_index("customer_id").loc[name] for name in "ab")
        assert len(found) == 2, "who first bought afterwards has no history"
        assert (a["purchase_days"], a["monetary"], a["recency_days"], a["age_days"]) == (2, 30, 9, 120)
        assert (a["bought_1"], a["spend_1"], a["bought_2"], a["bought_0"], a["spend_0"]) == (1, 20, 0, 1, 30)
        assert a["reached"] and not b["reached"] and not a["answered"] and (a["messages"], b["messages"]) == (1, 1)
        assert (b["bought_0"], b["spend_0"], b["bought_2"]) == (0, 0, 1)

    def test_a_window_ends_before_the_next_campaign(self, con, make_table):
        contacts = make_table(con, pa.table({
            "customer_id": ["a", "b", "c", "d"], "campaign_id": ["k1", "k2", "k3", None],
            "sent_on": pa.array([date(2026, 5, 1), date(2026, 5, 11), date(2026, 6, 25), date(2026, 3, 1)]),
        }))  # fmt: skip
        found = campaigns_sent(contacts, None, as_of=AS_OF, days=28)
        assert [(one.code, one.days) for one in found] == [("2026-03", 28), ("k1", 10), ("k2", 28)], "k3 is not over"
