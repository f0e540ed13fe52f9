"""Clustering of whole shops: simulated ones whose truth is known, a run with its frozen rule, and public data."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.metrics import adjusted_rand_score

from evidence import clustering as evidence
from workbook import clustering
from workbook.data.run import open_run
from workbook.data.simulate import Parameters, simulate


@pytest.fixture(scope="module")
def shop():
    return evidence.records(simulate(1_200, 24, seed=11))


class TestSimulatedShop:
    def test_the_personas_are_found_better_than_by_revenue(self, shop):
        """Over four shops of 3,000 (tests/evidence/clustering.txt) 0.29–0.36 beside 0.06; 0.41–0.52 for who bought
        three times. Here, with fewer customers, a third less is allowed."""
        everybody = evidence.recovery(shop, evidence.MONTH_ENDS[-1])
        known = evidence.recovery(shop, evidence.MONTH_ENDS[-1], least_days=3)
        print(f"adjusted Rand {everybody.groups:.3f} (revenue fifths {everybody.revenue_fifths:.3f}); "
              f"bought three times: {known.groups:.3f} ({known.revenue_fifths:.3f})")  # fmt: skip
        assert everybody.groups > 0.2 and known.groups > 0.3
        assert everybody.groups > 2.5 * everybody.revenue_fifths and known.groups > 2.5 * known.revenue_fifths

    def test_measures_of_chance_are_left_out(self, shop):
        """The simulator draws the channel of an order by lot; the categories follow the persona."""
        measures = evidence.fit(shop, evidence.MONTH_ENDS[-1]).measures.set_index("measure")
        assert measures.loc[["channel_1", "channel_2", "channel_3"], "why"].tolist() == ["chance"] * 3
        assert measures.loc["order_value", "reliability"] > 0.7
        used = measures.index[measures["used"]]
        assert sum(name.startswith("category") for name in used) >= 3

    def test_groups_keep_their_names_over_six_months(self, shop):
        """Fitted anew each month, numbered anew by size, and matched: four groups, no births, no splits, no merges."""
        months = evidence.followed(shop, evidence.MONTH_ENDS, k=4)
        assert len(months) == 6
        assert all(sorted(month.codes) == ["a", "b", "c", "d"] for month in months), [m.codes for m in months]
        assert all(set(month.events["event"]) <= {"kept"} for month in months)

    def test_a_kept_rule_moves_few_customers(self, shop):
        rule = evidence.fit(shop, evidence.MONTH_ENDS[0]).rule
        before, now = (
            clustering.placed(shop.orders, shop.returns, shop.lines, day=day, rule=rule).cache()
            for day in evidence.MONTH_ENDS[-2:]
        )
        assert clustering.moved_share(clustering.remember(now, before)) < 0.1

    def test_a_shop_without_kinds_is_called_a_continuum(self):
        plain = evidence.records(simulate(1_200, 24, seed=12, parameters=Parameters.plain()))
        today = evidence.fit(plain, evidence.MONTH_ENDS[-1])
        found = clustering.structure(today.points, rng=clustering.seeded("structure", today.day), references=39)
        assert found.verdict in {"continuum", "single_measures"} and found.beyond < 0.1
        assert not any(name.startswith("category") for name in today.rule.scaling.names)

    def test_the_structure_test_errs_as_rarely_as_it_says(self):
        """Of 8 clouds at 5 %, more than 3 called structured would have a chance below 0.05 % (binomial)."""
        counts = evidence.verdicts(evidence.cloud, 8, seed=5)
        assert counts.get("groups", 0) + counts.get("overlapping", 0) + counts.get("single_measures", 0) <= 3


def write_shop(folder, tables):
    (folder / "orders.csv").write_text("customer,day,amount\n")
    (folder / "workbook.yaml").write_text(
        "name: A shop\nbase_period: 2026-02\nsources:\n  - {table: orders, path: orders.csv}\n")  # fmt: skip
    for as_of in ("2026-01", "2026-02", "2026-03"):
        run = open_run("05_clustering", settings=str(folder / "workbook.yaml"), as_of=as_of)
        seen = tables.filter(pa.compute.less_equal(tables["ordered_on"], pa.scalar(run.as_of)))
        run.keep("clean/orders", seen)


def two_kinds(n=140):
    """Customers of small regular purchases and of large rare ones."""
    rng = np.random.default_rng(9)
    rows = []
    for i in range(n):
        large = i % 2
        days = np.cumsum(rng.integers(*((20, 60) if large else (4, 12)), size=4 if large else 12))
        rows += [(f"c{i:03d}", date(2025, 10, 1) + pd.Timedelta(days=int(day)).to_pytimedelta(),
                  Decimal(int(np.exp(rng.normal(9 if large else 6, 0.4)))) / 10) for day in days]  # fmt: skip
    customers, days, amounts = zip(*rows, strict=True)
    money = pa.array(amounts, pa.decimal128(18, 4))
    return pa.table({"order_id": [f"o{i}" for i in range(len(rows))], "customer_id": customers, "ordered_on": days,
                     "amount": money, "net_amount": money, "is_return": [False] * len(rows)})  # fmt: skip


class TestRuleInForce:
    @pytest.fixture
    def folder(self, tmp_path):
        write_shop(tmp_path, two_kinds())
        return tmp_path

    def force(self, folder, as_of, **options):
        run = open_run("05_clustering", settings=str(folder / "workbook.yaml"), as_of=as_of)
        orders, chosen = run.table("clean/orders"), clustering.Options(most_groups=4, fewest_groups=2, **options)
        today = clustering.fitted_on(run, orders, day=run.as_of, options=chosen)
        return run, today, clustering.rule_in_force(run, today, orders, options=chosen)

    def test_it_is_fitted_at_the_base_period_and_kept(self, folder):
        _run, _today, later = self.force(folder, "2026-03")
        assert (later.fitted_on, later.provisional, later.by) == (date(2026, 2, 28), False, "rule")
        _run, today, base = self.force(folder, "2026-02")
        assert base.rule == later.rule == today.rule, "the order of back-filling changes nothing"
        _run, _today, early = self.force(folder, "2026-01")
        assert early.provisional and early.fitted_on == date(2026, 1, 31)

    def test_other_options_have_a_rule_of_their_own(self, folder):
        _run, _today, by_rule = self.force(folder, "2026-03")
        _run, _today, by_reader = self.force(folder, "2026-03", k=4)
        assert by_reader.by == "reader" and len(by_reader.rule.groups) == 4
        assert self.force(folder, "2026-03")[2].rule == by_rule.rule

    def test_a_refit_is_told_beside_it(self, folder):
        _run, today, kept = self.force(folder, "2026-03")
        matched = clustering.refit_matched(kept.rule, today)
        assert set(matched.events["event"]) <= set(clustering.EVENTS)
        assert (matched.events["event"] == "kept").sum() >= 2

    def test_findings_of_few_customers_have_a_reason(self, tmp_path):
        write_shop(tmp_path, two_kinds(n=12))
        run, today, kept = self.force(tmp_path, "2026-03")
        assert kept.rule == clustering.NO_GROUPS and kept.provisional
        found = clustering.structure(today.points, rng=run.rng)
        clustering.find_structure(run, found, today)
        nobody = pd.DataFrame(columns=["cluster", "customers"])
        moves = pd.DataFrame(columns=["cluster_before", "cluster", "customers"])
        clustering.find_groups(run, kept, nobody, moves, moved=None, customers=today.customers)
        clustering.find_refit(run, kept, today, None)
        clustering.find_rules(run, None)
        reasons = {name: finding.reason for name, finding in run.findings.items() if finding.value is None}
        assert {"groups", "silhouette", "p_cloud", "moved_share", "refit_agreement", "rules_fidelity"} <= set(reasons)
        assert set(reasons.values()) == {"too_few"} and run.findings["customers"].value == 12


@pytest.mark.needs_public_data
class TestPublicData:
    def test_marketing_campaign(self, public_data):
        """2,240 customers of a shop (Saldanha 2021): its columns are already a table of features."""
        raw = pd.read_csv(public_data("marketing_campaign/marketing_campaign.csv"), sep=";", encoding="utf-8-sig")
        spent, bought = raw.filter(regex="^Mnt"), raw[["NumWebPurchases", "NumCatalogPurchases", "NumStorePurchases"]]
        days = bought.sum(axis=1)
        frame = pd.DataFrame({
            "customer_id": raw["ID"].astype(str), "purchase_days": days, "recency_days": raw["Recency"].astype(float),
            "order_value": spent.sum(axis=1) / days.where(days > 0), "spend_12m": spent.sum(axis=1).astype(float),
            "discount_share": (raw["NumDealsPurchases"] / days.where(days > 0)).clip(0, 1),
            **{f"category_{i}": spent[name] / spent.sum(axis=1) for i, name in enumerate(spent, 1)},
            **{f"channel_{i}": bought[name] / days.where(days > 0) for i, name in enumerate(bought, 1)},
        })[days > 1].reset_index(drop=True)  # fmt: skip
        mix = clustering.Mix(tuple(spent.columns), tuple(bought.columns))
        today = clustering.fitted(frame, mix=mix, day=date(2014, 12, 31))
        found = clustering.structure(today.points, rng=np.random.default_rng(1), references=29, most=4)
        assert len(frame) > 2_000
        assert found.p_values["cloud"] < 0.05 and found.verdict in {"groups", "overlapping"}
        assert 3 <= today.choice.k <= 8 and len({*today.rule.traits}) == today.choice.k
        income = raw.loc[days > 1, "Income"].to_numpy()
        groups = [np.nanmedian(income[today.fit.labels == i]) for i in range(today.choice.k)]
        assert max(groups) > 1.4 * min(groups), "income was not clustered on, and yet differs between the groups"

    def test_online_retail(self, public_data):
        """541,909 lines; the cleaning rule of the reference leaves 4,338 customers."""
        raw = pd.read_csv(public_data("online_retail/online_retail_all.csv.gz"), dtype={"InvoiceNo": "str"})
        raw = raw[raw["CustomerID"].notna() & ~raw["InvoiceNo"].str.startswith("C") & (raw["Quantity"] > 0)
                  & (raw["UnitPrice"] > 0)]  # fmt: skip
        raw["amount"], raw["day"] = raw["Quantity"] * raw["UnitPrice"], pd.to_datetime(raw["InvoiceDate"]).dt.date
        orders = raw.groupby("InvoiceNo").agg(
            customer_id=("CustomerID", "first"), ordered_on=("day", "first"), amount=("amount", "sum"),
            units=("Quantity", "sum"), lines=("amount", "size")).reset_index(names="order_id")  # fmt: skip
        orders["customer_id"] = orders["customer_id"].astype(int).astype(str)
        con = evidence.connect(evidence.Engine(memory="500MB", threads=1))
        table = con.create_table("orders", pa.Table.from_pandas(orders, preserve_index=False))
        table = table.mutate(net_amount=table.amount, is_return=table.amount < 0)
        day = date(2011, 11, 30)
        today = clustering.fitted_on(evidence.Memory(), table, day=day)
        measures = today.measures.set_index("measure")
        assert measures.loc["order_value", "reliability"] > 0.7, "wholesale and retail customers order alike each time"
        placed = clustering.placed(table, day=day, rule=today.rule).to_pandas()
        assert len(placed) == orders.loc[orders["ordered_on"] <= day, "customer_id"].nunique()
        sizes = clustering.sizes(con.create_table("placed", placed)).to_pandas().set_index("cluster")
        ratio = sizes["revenue_share"] / sizes["customer_share"]
        assert ratio.max() > 1.5 and ratio.min() < 0.7, "some groups bring far more than their share of the customers"
        halves = [np.array(placed["cluster"])[placed["customer_id"].str[-1].isin(list(digits))] for digits in
                  ("02468", "13579")]  # fmt: skip
        shares = [pd.Series(half).value_counts(normalize=True).sort_index() for half in halves]
        assert np.abs(shares[0] - shares[1]).max() < 0.06, "halves of the customers fall into the same groups"
        assert adjusted_rand_score(today.fit.labels, clustering.labels(today.frame, today.rule)) == pytest.approx(1)
