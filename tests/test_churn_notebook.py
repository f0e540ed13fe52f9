"""08_churn as a page: its steps with too little data, on a tiny shop, and the parts of it that no method owns."""

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import papermill
import pyarrow as pa
import pytest

from evidence.churn import engine
from workbook import churn
from workbook.data.engine import few_rows
from workbook.data.metrics import METRICS
from workbook.data.run import open_run
from workbook.scoring import Estimate

ROOT = Path(__file__).resolve().parents[1]
DAY = date(2026, 6, 30)
MONEY = pa.decimal128(18, 4)
TERMS = churn.Terms(1.0, 10.0, 0.15)


def gaps_table(con, rows):
    """customer, day of purchase."""
    who, on = zip(*rows, strict=True)
    days = pa.table({"customer_id": who, "ordered_on": pa.array(on, pa.date32())})
    return churn.gaps(con.create_table("days", days, overwrite=True), as_of=DAY)


def before(days):
    return DAY - timedelta(days=days)


class TestNaiveRule:
    """Three customers, by hand, and 90 days of silence."""

    ROWS = (("gone", before(400)), ("gone", before(380)), ("back", before(300)), ("back", before(150)),
            ("back", before(50)), ("new", before(10)))

    def test_how_many_silences_ended(self):
        found = churn.silences(gaps_table(engine(), self.ROWS), days=90)
        # Longer than 90 days: gone's 380 (running); back's 150 and 100 (ended).
        assert (found.silences, found.ended, found.silent_now, found.customers) == (3, 2, 1, 3)
        assert found.share == pytest.approx(2 / 3)

    def test_how_long_they_stayed(self):
        stays = few_rows(churn.stays(gaps_table(engine(), self.ROWS), days=90, as_of=DAY))
        assert [(row["customer_id"], row["days"], row["ended"]) for row in stays] == [
            ("back", 300, 0), ("gone", 20, 1), ("new", 10, 0)]

    def test_the_mean_of_who_left_is_no_lifetime(self):
        """Telco-like: two left early, eight stay; the mean of who left is 3, and 80 % are still there."""
        found = churn.tenure(pd.DataFrame({"days": [2, 4] + [50] * 8, "ended": [1, 1] + [0] * 8}))
        assert found.mean_days == 3 and found.still_there.value == pytest.approx(0.9)
        assert churn.tenure(pd.DataFrame({"days": [5], "ended": [0]})).mean_days is None

    def test_the_example_had_been_called_gone(self):
        rows = [*self.ROWS, *[("steady", before(10 * k)) for k in range(5)]]
        rows += [("story", before(day)) for day in (400, 390, 380, 200, 20)]
        assert churn.example(gaps_table(engine(), rows), days=90) == "story"
        assert churn.example(gaps_table(engine(), rows).limit(0), days=90) is None


class TestSubscriptions:
    def test_monthly_churn_by_hand(self, con, make_table):
        began = [date(2026, 1, 1)] * 3 + [date(2026, 5, 15)]
        ended = [date(2026, 5, 10), None, date(2026, 6, 10), None]
        table = make_table(con, pa.table({
            "started_on": pa.array(began, pa.date32()), "ended_on": pa.array(ended, pa.date32())}))
        found = churn.monthly_churn(table, days=[date(2026, 4, 30), date(2026, 5, 31), DAY])
        # April: three run, one ends; May: three run (one is new), one ends.
        assert found.months == 6 and found.value == pytest.approx(2 / 6) and found.running == 2


class TestSaveRate:
    def orders(self, rows):
        who, on = zip(*rows, strict=True)
        return pa.table({
            "order_id": [f"o{i}" for i in range(len(rows))], "customer_id": who,
            "ordered_on": pa.array(on, pa.date32()), "amount": pa.array([Decimal(5)] * len(rows), MONEY),
            "net_amount": pa.array([Decimal(5)] * len(rows), MONEY), "is_return": [False] * len(rows)})  # fmt: skip

    def test_by_hand(self):
        """20 treated of whom 8 leave, 20 controls of whom 16 do: half of the leavers are saved."""
        con, drawn = engine(), date(2026, 1, 1)
        people = [(f"t{i}", "call") for i in range(20)] + [(f"c{i}", "control") for i in range(20)]
        late = [("late", "call")]  # drawn too late to have been watched
        who, arm = zip(*people, *late, strict=True)
        assignments = con.create_table("drawn", pa.table({
            "experiment_id": ["calls"] * 41, "customer_id": who, "arm": arm,
            "assigned_on": pa.array([drawn] * 40 + [date(2026, 6, 1)], pa.date32())}))  # fmt: skip
        stayed = [f"t{i}" for i in range(12)] + [f"c{i}" for i in range(4)]
        rows = [(name, drawn + timedelta(days=30)) for name in stayed]
        rows += [("c9", drawn), ("c8", drawn + timedelta(days=91))]  # neither falls in the 90 days after
        found = churn.saved_by(assignments, con.create_table("o", self.orders(rows)), "calls", horizon_days=90,
                               as_of=DAY)
        assert (found.treated, found.control) == (20, 20)
        assert found.rate.value == pytest.approx(0.5)
        terms = churn.terms(contact_cost=1, offer_cost=2, assumed=0.9, saved=found)
        assert (terms.save_rate, terms.evidence) == (pytest.approx(0.5), "randomised")

    def test_unmeasured_it_is_assumed(self):
        assert churn.terms(contact_cost=1, offer_cost=2, assumed=0.1, saved=None) == churn.Terms(1, 2, 0.1, "assumed")
        nothing = churn.Saved(Estimate(*[float("nan")] * 3), 0, 0)
        assert churn.terms(contact_cost=1, offer_cost=2, assumed=0.1, saved=nothing).evidence == "assumed"
        harmful = churn.Saved(Estimate(-0.2, -0.4, -0.1), 50, 50)
        assert churn.terms(contact_cost=1, offer_cost=2, assumed=0.1, saved=harmful).save_rate == 0


class TestFirstPurchase:
    def rows(self, n, **columns):
        plain = {"days": np.arange(n), "ended": 1, "first_amount": np.arange(1.0, n + 1), "first_channel": None,
                 "first_discount_share": np.nan, "first_units": 1.0, "first_categories": np.nan}
        return pd.DataFrame(plain | columns, index=range(n))

    def test_what_is_unknown_or_constant_stays_out(self):
        assert churn.first_facts(self.rows(50)).covariates == ("log2_first_amount",)
        channels = churn.first_facts(self.rows(50, first_channel=["web", "app"] * 25)).covariates
        assert channels == ("log2_first_amount", "first_channel=web")
        free = churn.first_facts(self.rows(50, first_amount=[0.0] * 10 + [1.0] * 40))
        assert not free.covariates, "an order of nothing has no logarithm: the fact is blank for too many"

    def test_groups_are_channels_or_halves(self):
        halves = churn.start_groups(self.rows(80))
        assert halves["group"].value_counts().to_dict() == {"amount_low": 40, "amount_high": 40}
        channels = churn.start_groups(self.rows(80, first_channel=["web"] * 40 + ["app"] * 35 + ["fax"] * 5))
        assert channels["group"].value_counts().to_dict() == {"web": 40, "app": 35}


@pytest.mark.parametrize("trial", [None, churn.TooFew("too_few", {"train": (10, 2)})])
def test_without_a_forecast_every_step_is_empty(trial):
    rng = np.random.default_rng(1)
    judged = churn.judged(trial, rng=rng)
    money = churn.money(trial, TERMS, margin_share=0.3, rng=rng)
    warned = churn.warned(trial, None, money, margin_share=0.3)
    steady = churn.steadiness(trial, None, rng=rng)
    assert not len(judged) and churn.naive_verdict(judged, ()) is None
    assert money.optimum is None and money.earned is None and not len(money.curve)
    assert not len(churn.kept(warned)) and steady.psi is None
    assert [str(kind) for kind in churn.kept(warned).dtypes[1:4]] == ["float64"] * 3, "an empty table keeps its types"
    assert not any(map(len, (*churn.rival_curves(trial, []), churn.gain(trial, []), churn.calibration(trial),
                             churn.what_matters(trial, rng=rng), churn.fairness(trial, money, {}))))


class TestFittedTrial:
    """Two facts drive who leaves; one of them, the segment's, is not told to the model."""

    @pytest.fixture
    def trial(self):
        frames = [self.customers(seed) for seed in range(4)]
        return churn.fit_all(churn.Snapshots(*frames), kinds=("logistic", "hiatus", "base_rate")), frames[3]

    @staticmethod
    def customers(seed, n=1_200):
        rng = np.random.default_rng(seed)
        silence, east = rng.uniform(0, 100, n), rng.random(n) < 0.5
        chance = 1 / (1 + np.exp(2.0 - 0.04 * silence - 1.5 * east))
        return pd.DataFrame({
            "customer_id": [f"{'e' if at else 'w'}{i:05d}" for i, at in enumerate(east)], "recency_days": silence,
            "tenure_days": rng.uniform(100, 900, n), "spend_12m": rng.gamma(1.0, 400.0, n),
            "churned": (rng.random(n) < chance).astype(int)})  # fmt: skip

    def test_the_list_is_ordered_and_cut_by_value_at_risk(self, trial):
        fitted, today = trial
        money = churn.money(fitted, TERMS, margin_share=0.3, rng=np.random.default_rng(2))
        warned = churn.warned(fitted, today, money, margin_share=0.3)
        rows = warned.everyone
        assert rows["value_at_risk"].is_monotonic_decreasing
        np.testing.assert_allclose(rows["value_at_risk"], rows["probability"] * rows["value"])
        assert (rows["listed"] == (rows["value_at_risk"] >= money.optimum.threshold)).all()
        assert 0 < len(warned.listed) < len(rows) and warned.measured == "margin"
        lifetime = pd.Series(1.0, index=today["customer_id"])
        assert churn.warned(fitted, today, money, margin_share=0.3, lifetime_values=lifetime).measured == "clv"
        table = churn.kept(warned)
        assert table["customer_id"].is_unique and len(table) == len(today)
        assert table["reasons"].str.contains("recency_days:more").any()

    def test_whom_the_model_wrongs_is_told(self, trial):
        fitted, _today = trial
        money = churn.money(fitted, TERMS, margin_share=0.3, rng=np.random.default_rng(2))
        segments = {name: "east" if name[0] == "e" else "west" for name in fitted.test_frame["customer_id"]}
        rows = churn.fairness(fitted, money, segments).set_index("segment")
        assert rows["code"].to_dict() == {"east": "under", "west": "over"}
        assert rows["flagged_share"].between(0, 1).all() and rows["recall"].between(0, 1).all()
        listed = money.stake >= money.optimum.threshold
        east = np.array([name[0] == "e" for name in fitted.test_frame["customer_id"]])
        assert rows.loc["east", "flagged_share"] == pytest.approx(listed[east].mean())

    def test_lifetime_values_and_rivals_that_say_nothing_are_left_out(self):
        assert churn.lifetime_rivals({}) == {}
        blank = pd.DataFrame({"customer_id": ["a"], "p_alive": [np.nan], "expected_purchases": [np.nan]})
        assert churn.lifetime_rivals({"train": blank}) == {}
        assert churn.lifetime_values(None) is None
        assert churn.lifetime_values(pd.DataFrame({"customer_id": ["a"], "clv": [np.nan]})) is None
        told = churn.lifetime_rivals({"test": blank.assign(p_alive=0.25, expected_purchases=1.0)})
        window = churn.Window("test", DAY, DAY)
        assert told["p_alive"](window)["a"] == 0.75
        assert told["expected_purchases"](window)["a"] == pytest.approx(np.exp(-1))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """12 orders of 5 customers, in a workspace of their own: the notebook runs whole."""
    folder = tmp_path_factory.mktemp("tiny")
    (folder / "orders.csv").write_text("order,customer,day,amount\n")
    (folder / "workbook.yaml").write_text(
        "name: Tiny\ncurrency: EUR\nsources:\n  - {table: orders, path: orders.csv}\n")
    run = open_run("08_churn", settings=str(folder / "workbook.yaml"), as_of="2026-06")
    days = [before(13 * i) for i in range(12)]
    amount = pa.array([Decimal(20 + i) for i in range(12)], MONEY)
    run.keep("clean/orders", pa.table({
        "order_id": [f"o{i}" for i in range(12)], "customer_id": [f"c{i % 5}" for i in range(12)],
        "ordered_on": pa.array(days, pa.date32()), "amount": amount, "net_amount": amount,
        "returned_amount": pa.array([Decimal(0)] * 12, MONEY), "is_return": [False] * 12,
        "ordered_at": pa.array([pd.Timestamp(day) for day in days], pa.timestamp("us")),
        "channel": pa.nulls(12, pa.string()), "region": pa.nulls(12, pa.string()),
        "units": pa.nulls(12, pa.float64()), "discount": pa.nulls(12, MONEY),
    }))  # fmt: skip
    run.keep("clean/customers", pa.table({
        "customer_id": [f"c{i}" for i in range(6)], "is_test": [False] * 6,
        "first_seen_on": pa.array([before(300)] * 6, pa.date32()), "region": pa.nulls(6, pa.string()),
        "acquisition_channel": pa.nulls(6, pa.string())}))  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBOOK_REPORT", "1")
        papermill.execute_notebook(
            str(ROOT / "notebooks/08_churn.ipynb"), str(folder / "out.ipynb"), progress_bar=False,
            parameters={"settings": str(folder / "workbook.yaml"), "as_of": "2026-06"})  # fmt: skip
    return folder


def test_a_tiny_shop_gets_sentences_instead_of_numbers(tiny):
    findings = json.loads((tiny / ".workbook/scratch/findings/08_churn.json").read_text())
    known = {key.partition(".")[2]: metric for key, metric in METRICS.items() if key.startswith("08_churn.")}
    assert set(findings) == set(known), "every figure is defined, and every definition is found"
    assert all(finding["unit"] == known[name].unit for name, finding in findings.items())
    for name in ("churn_horizon_days", "auc", "listed_customers", "value_at_risk", "unusual_returners"):
        assert findings[name]["value"] is None and findings[name]["reason"] == "too_few"
    assert findings["exposure_overdue"]["reason"] == "no_payments"
    assert findings["subscriptions_running"]["reason"] == "no_subscriptions"
    assert findings["prospects_known"]["value"] == 1
    run = open_run("08_churn", settings=str(tiny / "workbook.yaml"), as_of="2026-06")
    assert not few_rows(run.table("churn")) and run.has("risk")
