"""Clustering: measures worked by hand, published figures, the structure test, the rule of numbers, names, identity."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from sklearn.datasets import load_iris
from sklearn.metrics import adjusted_rand_score, silhouette_score

from workbook import clustering
from workbook.clustering import scaling
from workbook.clustering.rule import NO_GROUPS
from workbook.data.engine import connect
from workbook.data.errors import WorkbookError
from workbook.data.settings import Engine

AS_OF = date(2026, 3, 31)
MONEY = pa.decimal128(18, 4)
# customer, day, amount, came back, units, lines, discount, channel
ORDERS = [
    ("a", "2026-01-01", 40, 0, 2, 1, 10, "web"), ("a", "2026-01-11", 60, 30, 4, 2, 0, "app"),
    ("a", "2026-03-02", 20, 0, 3, 3, 0, "web"), ("a", "2026-03-02", 10, 0, 1, 1, 0, "web"),
    ("b", "2026-03-31", 50, 0, 1, 1, 0, None), ("c", "2026-02-01", 10, 10, 1, 1, 0, "web"),
    (None, "2026-02-01", 99, 0, 1, 1, 0, "web"), ("a", "2026-04-02", 999, 0, 9, 9, 0, "app"),
]  # fmt: skip
# order, category, amount, is_return
LINES = [(0, "Tea", 40), (1, "Tea", 30), (1, "Gifts", 30), (2, "Gifts", 20), (3, "Tea", 10), (4, "Gifts", 50),
         (7, "Tea", 999)]  # fmt: skip


def money(values):
    return pa.array([Decimal(str(value)) for value in values], MONEY)


def orders_of(con, make_table):
    customers, days, amounts, back, units, lines, discounts, channels = zip(*ORDERS, strict=True)
    return make_table(con, pa.table({
        "order_id": [f"o{i}" for i in range(len(ORDERS))], "customer_id": pa.array(customers, pa.string()),
        "ordered_on": pa.array([date.fromisoformat(day) for day in days]), "amount": money(amounts),
        "net_amount": money(np.subtract(amounts, back)), "is_return": [False] * len(ORDERS), "units": money(units),
        "lines": list(lines), "discount": money(discounts), "channel": pa.array(channels, pa.string()),
    }))  # fmt: skip


def lines_of(con, make_table):
    places, categories, amounts = zip(*LINES, strict=True)
    return make_table(con, pa.table({
        "order_id": [f"o{i}" for i in places],
        "customer_id": pa.array([ORDERS[i][0] for i in places], pa.string()),
        "ordered_on": pa.array([date.fromisoformat(ORDERS[i][1]) for i in places]), "category": list(categories),
        "amount": money(amounts), "is_return": [False] * len(LINES),
    }))  # fmt: skip


def by_customer(table):
    return {row["customer_id"]: row for row in table.to_pyarrow().to_pylist()}


@pytest.fixture
def duck():
    return connect(Engine(memory="500MB", threads=1))


class TestFeatures:
    def test_a_table_worked_by_hand(self, con, make_table):
        orders, lines = orders_of(con, make_table), lines_of(con, make_table)
        mix = clustering.main_mix(orders, lines, as_of=AS_OF)
        assert mix == clustering.Mix(("Gifts", "Tea"), ("web", "app")), "by amount: Gifts 100, Tea 80; web 70, app 60"
        found = by_customer(clustering.features(orders, as_of=AS_OF, lines=lines, mix=mix))
        assert set(found) == {"a", "b"}, "an order wholly undone and an anonymous one make no customer"
        a = found["a"]
        assert (a["purchase_days"], a["recency_days"]) == (3, 29), "two orders of one day are one purchase"
        assert a["purchases_per_year"] == 6.0, "three days over half a year, as less is not counted"
        assert (a["gap_days"], a["gap_variation"]) == (30.0, pytest.approx(20 / 30)), "gaps of 10 and 50 days"
        assert a["order_value"] == pytest.approx(100 / 3)
        assert (a["units_per_order"], a["lines_per_order"]) == (pytest.approx(10 / 3), pytest.approx(7 / 3))
        assert a["returned_share"] == pytest.approx(30 / 130)
        assert a["discount_share"] == pytest.approx(10 / 140)
        assert (a["category_1"], a["category_2"]) == (pytest.approx(50 / 130), pytest.approx(80 / 130))
        assert (a["channel_1"], a["channel_2"]) == (pytest.approx(70 / 130), pytest.approx(60 / 130))
        assert (found["b"]["gap_days"], found["b"]["category_1"], found["b"]["recency_days"]) == (None, 1.0, 0)

    def test_what_comes_back_later_is_not_taken_off(self, duck, make_table):
        orders = orders_of(duck, make_table)
        returns = make_table(duck, pa.table({"order_id": ["o1"], "returned_on": [date(2026, 2, 20)],
                                             "amount": money([30])}))  # fmt: skip
        then = by_customer(clustering.features(orders, returns, as_of=date(2026, 2, 10)))
        assert (then["a"]["returned_share"], then["a"]["order_value"]) == (0.0, 50.0)
        now = by_customer(clustering.features(orders, returns, as_of=date(2026, 2, 20)))
        assert now["a"]["returned_share"] == pytest.approx(0.3)

    def test_one_category_is_no_mix(self, duck, make_table):
        lines = lines_of(duck, make_table)
        tea = lines.filter(lines.category == "Tea")
        assert clustering.main_mix(orders_of(duck, make_table), tea, as_of=AS_OF).categories == ()

    def test_three_columns_are_enough(self, duck, make_table):
        orders = orders_of(duck, make_table).drop("units", "lines", "discount", "channel")
        found = by_customer(clustering.features(orders, as_of=AS_OF))
        assert found["a"]["units_per_order"] is None and found["a"]["order_value"] == pytest.approx(100 / 3)


class TestReliability:
    def test_halves_are_odd_and_even_purchase_days(self, duck, make_table):
        orders, lines = orders_of(duck, make_table), lines_of(duck, make_table)
        mix = clustering.Mix(("Gifts", "Tea"))
        rows = clustering.halves(orders, as_of=AS_OF, lines=lines, mix=mix).to_pyarrow().to_pylist()
        found = {(row["customer_id"], row["half"]): row for row in rows}
        assert set(found) == {("a", 1), ("a", 2)}, "b bought on one day only"
        assert (found["a", 1]["order_value"], found["a", 2]["order_value"]) == (35.0, 30.0), "(40 + 30) / 2, and 30"
        assert found["a", 1]["category_1"] == pytest.approx(20 / 70) and found["a", 2]["category_1"] == 0.5

    def test_a_habit_is_told_from_chance(self):
        """Halves that share a trait of equal variance correlate by 1/2: stepped up, 2/3 (Spearman 1910, Brown 1910)."""
        rng, n = np.random.default_rng(4), 4_000
        trait = rng.normal(size=n)
        frame = pd.DataFrame({
            "customer_id": np.repeat(np.arange(n), 2), "half": np.tile([1, 2], n),
            "category_1": np.repeat(trait, 2) + rng.normal(size=2 * n), "category_2": rng.normal(size=2 * n),
            "order_value": 5.0,
        })  # fmt: skip
        found = clustering.reliability(frame).set_index("measure")
        assert found.loc["category_1", "reliability"] == pytest.approx(2 / 3, abs=0.03)
        assert found.loc["category_1", "low"] < 2 / 3 < found.loc["category_1", "high"]
        assert found.loc["category_2", "reliability"] < 0.1
        assert np.isnan(found.loc["order_value", "reliability"]), "where all are alike there is nothing to compare"

    def test_few_customers_are_not_judged(self):
        frame = pd.DataFrame({"customer_id": np.repeat(np.arange(49), 2), "half": np.tile([1, 2], 49),
                              "order_value": np.arange(98.0)})  # fmt: skip
        assert clustering.reliability(frame)["reliability"].isna().all()


def customers_frame(n=200, seed=3):
    rng = np.random.default_rng(seed)
    return pd.DataFrame({
        "customer_id": [f"c{i:04d}" for i in range(n)], "purchase_days": rng.integers(1, 9, n),
        "order_value": rng.lognormal(3, 1, n) * rng.choice([1, 1, 1, -0.2], n), "gap_days": rng.exponential(40, n),
        "lines_per_order": 1 + rng.poisson(2, n), "category_1": rng.beta(0.4, 1, n),
        "units_per_order": np.where(rng.random(n) < 0.3, np.nan, rng.poisson(3, n)),
        "spend_12m": rng.exponential(90, n),
    })  # fmt: skip


NAMES = ["order_value", "gap_days", "lines_per_order", "category_1", "units_per_order"]


class TestScaling:
    def test_one_share_by_hand(self):
        """Two purchases, all of one category, where the shop's mean is 1/4: √((2 · 1 + 1/4) / 3) = √0.75."""
        column = scaling.Column("category_1", "share", 0.0, 0.25, 0.5, 0.1, 1.0)
        frame = pd.DataFrame({"category_1": [1.0, 1.0], "purchase_days": [2, 30]})
        found = scaling.apply(frame, scaling.Scaling((column._replace(sd=1.0),)))
        assert found[0, 0] == pytest.approx(np.sqrt(0.75) - 0.5)
        assert found[1, 0] == pytest.approx(np.sqrt(30.25 / 31) - 0.5), "much evidence is hardly drawn to the mean"
        assert scaling.apply(frame, scaling.Scaling((column,)))[0, 0] == 3.0, "cut at three standard deviations"

    def test_the_engine_places_as_memory_does(self, con, make_table):
        frame = customers_frame()
        scale = scaling.fit(frame, NAMES, weights={"gap_days": 0.3})
        fit = clustering.k_means(scaling.apply(frame, scale), 4, rng=np.random.default_rng(1))
        rule = clustering.Rule(clustering.Mix(("Tea",)), scale, tuple(map(tuple, fit.centres.tolist())), ((),) * 4)
        assert clustering.Rule.of_rule(rule.as_rule()) == rule, "JSON keeps it"
        placed = by_customer(clustering.assign(make_table(con, frame), rule))
        numbers = clustering.labels(frame, rule)
        assert [placed[customer]["cluster"] for customer in frame["customer_id"]] == [rule.groups[i] for i in numbers]
        points = scaling.apply(frame, scale)
        far = np.sort(np.linalg.norm(points[:, None] - fit.centres[None], axis=2), axis=1)
        margins = [placed[customer]["margin"] for customer in frame["customer_id"]]
        np.testing.assert_allclose(margins, 1 - far[:, 0] / far[:, 1], atol=1e-6)

    def test_without_groups_nobody_is_placed(self, duck, make_table):
        placed = by_customer(clustering.assign(make_table(duck, customers_frame(5)), NO_GROUPS))
        assert {row["cluster"] for row in placed.values()} == {None}

    def test_what_cannot_tell_customers_apart_is_not_used(self):
        frame = customers_frame().assign(returned_share=0.0, discount_share=np.nan)
        found = scaling.usable(frame, ["returned_share", "discount_share", "order_value", "channel_1"])
        assert found == {"returned_share": "mostly_alike", "discount_share": "mostly_blank", "order_value": "",
                         "channel_1": "missing"}  # fmt: skip

    def test_raw_distances_are_made_of_the_largest_figures(self):
        frame = pd.DataFrame({"order_value": [0.0, 30.0], "gap_days": [0.0, 10.0]})
        found = clustering.raw_shares(frame, ["gap_days", "order_value"])
        assert found.to_dict("records")[0] == {"measure": "order_value", "share": pytest.approx(0.9)}


class TestIris:
    """Fisher's iris: k-means with k = 3 has inertia 78.8514, silhouette 0.5528, adjusted Rand 0.7302 (REFERENCE)."""

    def test_published_figures(self):
        iris = load_iris()
        fit = clustering.k_means(iris.data, 3, rng=np.random.default_rng(1))
        assert fit.inertia == pytest.approx(78.8514, abs=1e-4)
        assert silhouette_score(iris.data, fit.labels) == pytest.approx(0.5528, abs=1e-4)
        assert adjusted_rand_score(iris.target, fit.labels) == pytest.approx(0.7302, abs=1e-4)
        assert np.bincount(fit.labels).tolist() == [62, 50, 38], "the largest group first"

    def test_the_silhouette_prefers_two_and_the_rule_three(self):
        table = clustering.examined(load_iris().data, rng=np.random.default_rng(1), most=5, resamples=20)
        chosen = clustering.choose(table)
        assert chosen.silhouette_k == 2 and chosen.k == 3 and chosen.by == "rule"
        assert clustering.choose(table, fewest=2).k == 2
        assert clustering.choose(table, k=5)[:2] == (5, "reader")

    def test_iris_falls_apart(self):
        found = clustering.structure(load_iris().data, rng=np.random.default_rng(1), references=29, most=4)
        assert found.verdict == "groups" and found.beyond > 0.3


class TestNumber:
    def table(self, rows):
        columns = ["k", "inertia", "silhouette", "silhouette_se", "gap", "gap_se", "stability", "weakest"]
        return pd.DataFrame(rows, columns=columns)

    def test_the_rule_by_hand(self):
        nan = np.nan
        table = self.table([
            (1, 9, nan, nan, 0.1, 0.05, nan, nan), (2, 8, 0.50, 0.01, 0.2, 0.05, 0.99, 0.98),
            (3, 7, 0.30, 0.01, 0.3, 0.05, 0.90, 0.80), (4, 6, 0.29, 0.01, 0.5, 0.05, 0.80, 0.61),
            (5, 5, 0.40, 0.01, 0.6, 0.05, 0.90, 0.55), (6, 4, 0.20, 0.01, 0.7, 0.05, 0.80, 0.70),
        ])  # fmt: skip
        chosen = clustering.choose(table)
        assert chosen.k == 4, "5 has a group that does not come back; 3 and 4 are equal within 0.02, and 4 has more gap"
        assert (chosen.silhouette_k, chosen.stable_k) == (2, 6)
        shaky = table.assign(stability=0.5, weakest=[nan, 0.1, 0.2, 0.5, 0.3, 0.2])
        assert clustering.choose(shaky)[:2] == (4, "nothing_stable")

    def test_the_gap_finds_three_islands(self):
        """Tibshirani, Walther & Hastie 2001, their case of three well separated groups in the plane."""
        rng = np.random.default_rng(2)
        points = np.vstack([rng.normal(middle, 1, size=(25, 2)) for middle in ((0, 0), (0, 5), (5, -3))])
        table = clustering.examined(points, rng=rng, most=6, references=20, resamples=10)
        chosen = clustering.choose(table)
        assert chosen.gap_k == 3 and chosen.k == 3
        assert table.set_index("k").loc[3, "weakest"] > 0.9

    def test_jaccard_by_hand(self):
        found = clustering.jaccard(np.array([0, 0, 0, 1, 1]), np.array([1, 1, 0, 0, 0]), 2)
        np.testing.assert_allclose(found, [[1 / 5, 2 / 3], [2 / 3, 0]])


class TestStructure:
    def draw(self, what, n=300):
        rng = np.random.default_rng(8)
        cloud = rng.normal(size=(n, 4))
        common = rng.normal(size=(n, 1))
        return {
            "cloud": cloud @ np.array([[2, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 1, 0, 3]]),
            "lumpy": np.column_stack([np.where(cloud[:, 0] > 0, 6, 0) + 0.3 * cloud[:, 1], cloud[:, 2]]),
            "skewed": np.exp(0.6 * cloud + 0.5 * common),
            "islands": cloud + 3 * np.eye(4)[rng.integers(3, size=n)] * np.sqrt(2),
            "near": cloud + 2.2 * np.eye(4)[rng.integers(3, size=n)],
        }[what]

    @pytest.mark.parametrize(("what", "verdicts"), [
        ("cloud", {"continuum"}), ("skewed", {"continuum", "single_measures"}), ("lumpy", {"single_measures"}),
        ("islands", {"groups"}), ("near", {"overlapping"}),
    ])  # fmt: skip
    def test_the_verdict(self, what, verdicts):
        found = clustering.structure(self.draw(what), rng=np.random.default_rng(1), references=39, most=4)
        assert found.verdict in verdicts, found.p_values

    def test_references_keep_every_single_measure(self):
        from workbook.clustering.structure import _same_shapes

        points = self.draw("skewed").round(1)
        dealt = _same_shapes(points, np.random.default_rng(1))
        np.testing.assert_array_equal(np.sort(dealt, axis=0), np.sort(points, axis=0))
        near = np.corrcoef(dealt.T)[0, 1]
        assert near == pytest.approx(np.corrcoef(points.T)[0, 1], abs=0.15), "and how they go together"

    def test_too_few_are_not_judged(self):
        found = clustering.structure(self.draw("islands", 49), rng=np.random.default_rng(1))
        assert (found.verdict, found.p_values) == ("too_few", {})


class TestNames:
    def test_no_two_groups_share_a_name(self):
        apart = np.array([[1.0, 0.6, 0.1], [1.1, 0.7, -0.2], [0.1, 0.1, 0.0], [0.2, -0.1, 0.0], [-0.9, -0.8, 0.0]])
        found = clustering.traits(apart, ["order_value", "gap_days", "category_1"])
        assert len(set(found)) == 5
        assert found[0] == ("order_value+", "gap_days+") and found[1][:2] == found[0] and len(found[1]) == 3
        assert found[2] == (clustering.MIDDLE,)
        assert found[4] == ("order_value-", "gap_days-")

    def test_a_small_share_of_a_category_names_nobody(self):
        apart = np.array([[0.6, -2.0, 0.9], [0.0, 2.0, 0.0]])
        found = clustering.traits(apart, ["order_value", "category_1", "category_2"])
        assert found[0] == ("category_2+", "order_value+")


class TestIdentity:
    CENTRES = np.array([[0.0, 0.0], [5.0, 0.0], [0.0, 5.0]])

    def events(self, old, new, old_centres, new_centres):
        found = clustering.match(np.array(old), np.array(new), old_centres=old_centres, new_centres=new_centres)
        return found.heirs, {(row.event, row.group, row.old) for row in found.events.itertuples()}

    def test_a_renumbering_changes_nothing(self):
        heirs, events = self.events([0] * 5 + [1] * 4 + [2] * 3, [2] * 5 + [0] * 4 + [1] * 3, self.CENTRES,
                                    self.CENTRES[[1, 2, 0]])  # fmt: skip
        assert heirs == {2: 0, 0: 1, 1: 2}
        assert {event for event, _new, _old in events} == {"kept"}

    def test_a_group_that_splits(self):
        heirs, events = self.events([0] * 10 + [1] * 5, [0] * 6 + [2] * 4 + [1] * 5, self.CENTRES[:2],
                                    np.array([[0, 0], [5, 0], [1, 1.0]]))  # fmt: skip
        assert heirs == {0: 0, 1: 1} and ("split", 2, 0) in events

    def test_a_group_that_merges(self):
        heirs, events = self.events([0] * 6 + [1] * 4 + [2] * 5, [0] * 10 + [1] * 5, self.CENTRES, self.CENTRES[[0, 2]])
        assert heirs == {0: 0, 1: 2} and ("merge", 0, 1) in events

    def test_births_and_groups_that_scatter(self):
        fresh = self.events([0] * 4 + [1] * 4, [0] * 4 + [1] * 4, self.CENTRES[:2], self.CENTRES)
        assert ("birth", 2, -1) in fresh[1], "a group of customers whom the old fit had not seen"
        gone = self.events([0] * 4 + [1] * 4 + [2] * 4, [0] * 4 + [1] * 4 + [0, 0, 1, 1], self.CENTRES,
                           self.CENTRES[:2])  # fmt: skip
        assert ("gone", -1, 2) in gone[1]

    def test_names_last_and_newborns_get_the_next_letter(self):
        def snapshot(labels, centres):
            index = [f"c{i}" for i in range(len(labels))]
            return clustering.Snapshot(pd.Series(labels, index=index), np.asarray(centres, dtype=float))

        three = snapshot([0] * 6 + [1] * 5 + [2] * 4, self.CENTRES)
        two = snapshot([1] * 6 + [0] * 9, [[4, 1], [0, 0]])
        again = snapshot([0] * 6 + [1] * 5 + [2] * 4, self.CENTRES)
        months = clustering.follow([three, two, again])
        assert months[0].codes == ("a", "b", "c") and months[1].codes == ("b", "a")
        merged = months[1].events[months[1].events["event"] == "merge"]
        assert merged[["group", "old"]].to_numpy().tolist() == [["b", "c"]]
        assert months[2].codes == ("a", "b", "d"), "what came back is a new group: nobody kept its place"


class TestTree:
    def test_planted_rules_are_found(self):
        rng = np.random.default_rng(6)
        frame = pd.DataFrame({"order_value": rng.uniform(0, 100, 600), "gap_days": rng.uniform(0, 60, 600)})
        groups = np.where(frame["order_value"] > 70, 2, np.where(frame["gap_days"] > 30, 1, 0))
        found = clustering.tree_rules(frame, groups, ["order_value", "gap_days"], rng=rng)
        assert found.fidelity > 0.97 and found.low < found.fidelity and found.naive < 0.5
        top = next(leaf for leaf in found.leaves if leaf.group == 2)
        assert top.conditions[0].measure == "order_value" and top.conditions[0].low == pytest.approx(70, abs=3)
        assert sum(leaf.share for leaf in found.leaves) == pytest.approx(1)

    def test_chance_has_no_rules(self):
        rng = np.random.default_rng(6)
        frame = pd.DataFrame({"order_value": rng.uniform(size=600), "gap_days": rng.uniform(size=600)})
        found = clustering.tree_rules(frame, rng.integers(2, size=600), ["order_value", "gap_days"], rng=rng)
        assert found.low < 0.55, "judged on customers that it has not seen"

    def test_too_few_make_no_rules(self):
        rng = np.random.default_rng(1)
        assert clustering.tree_rules(customers_frame(59), np.arange(59) % 2, NAMES, rng=rng) is None


class TestProfile:
    def placed(self, con, make_table):
        frame = pd.DataFrame({
            "customer_id": list("abcdef"), "cluster": ["a", "a", "a", "b", "b", None], "margin": 0.5,
            "spend_12m": [10.0, 20.0, 30.0, 100.0, 40.0, 0.0], "purchase_days": [1, 2, 3, 4, 5, 6],
            "order_value": [1.0, 2.0, 3.0, 4.0, 5.0, np.nan],
        })  # fmt: skip
        return make_table(con, frame)

    def test_sizes_by_hand(self, duck, make_table):
        rows = clustering.sizes(self.placed(duck, make_table)).to_pyarrow().to_pylist()
        found = {row["cluster"]: row for row in rows}
        assert (found["a"]["customers"], found["a"]["customer_share"], found["a"]["revenue_share"]) == (3, 0.5, 0.3)
        spend, inside, share = np.array([10, 20, 30, 100, 40, 0]), np.array([1, 1, 1, 0, 0, 0]), 0.3
        reach = 1.96 * np.sqrt((spend**2 * (inside - share) ** 2).sum()) / spend.sum()
        assert found["a"]["high"] - found["a"]["revenue_share"] == pytest.approx(reach)

    def test_means_end_with_everybody(self, duck, make_table):
        rows = clustering.means(self.placed(duck, make_table), ["order_value"]).to_pyarrow().to_pylist()
        assert [row["order_value"] for row in rows if row["cluster"] in ("a", "b")] == [2.0, 4.5]
        assert any(row["cluster"] is None and row["order_value"] == 3.0 for row in rows)

    def test_who_answers_often_counts_once(self, duck, make_table):
        n = 10
        answers = pd.DataFrame({
            "customer_id": [f"c{i}" for i in range(n)] + ["c0"] * 5 + ["x"], "question": "nps",
            "score": [5.0] * n + [10.0] * 5 + [0.0], "answered_on": pd.Timestamp("2026-03-01"),
        })  # fmt: skip
        people = pd.DataFrame({"customer_id": [f"c{i}" for i in range(n)] + ["x"], "cluster": ["a"] * n + ["b"]})
        answers = make_table(duck, answers)
        answers = answers.mutate(answered_on=answers.answered_on.date())
        rows = clustering.satisfaction(answers, make_table(duck, people), as_of=AS_OF).to_pyarrow().to_pylist()
        found = {row["cluster"]: row for row in rows}
        assert found["a"]["score"] == pytest.approx((9 * 5 + (5 + 50) / 6) / 10), "one mean a customer"
        assert (found["b"]["customers"], found["b"]["score"]) == (1, None), "too few to tell"
        early = clustering.satisfaction(answers, make_table(duck, people), as_of=date(2026, 2, 1))
        assert early.count().to_pyarrow().as_py() == 0

    def test_two_directions(self):
        rng = np.random.default_rng(1)
        points = np.column_stack([3 * rng.normal(size=400), rng.normal(size=400), 0.1 * rng.normal(size=400)])
        found = clustering.two_components(points, np.zeros(400, int), ["x", "y", "z"], rng=rng)
        assert found.shown > 0.98
        strongest = found.directions.set_index("measure")
        assert strongest.loc["x", "x"] == pytest.approx(1, abs=0.01) and abs(strongest.loc["y", "y"]) > 0.99

    def test_agreement_from_counts_is_that_of_the_labels(self):
        rng = np.random.default_rng(2)
        one, other = rng.integers(3, size=300), rng.integers(4, size=300)
        other[:150] = one[:150]
        counts = pd.DataFrame({"one": one, "other": other, "customers": 1})
        counts = counts.groupby(["one", "other"], as_index=False).sum()
        found = clustering.adjusted_rand(counts, one="one", other="other")
        assert found == pytest.approx(adjusted_rand_score(one, other))
        assert clustering.adjusted_rand(counts[counts["one"] == 0], one="one", other="other") is None


class TestOptions:
    @pytest.mark.parametrize("options", [{"k": 1}, {"k": 11}, {"fewest_groups": 9}, {"most_groups": 1}])
    def test_a_number_that_cannot_be_is_refused(self, options):
        with pytest.raises(WorkbookError):
            clustering.checked(clustering.Options(**options))

    def test_a_misspelt_measure_is_refused(self):
        with pytest.raises(WorkbookError, match="order_value"):
            clustering.fitted(customers_frame(), day=AS_OF, options=clustering.Options(measures=("order_valu",)))

    def test_a_reader_may_choose_number_and_measures(self):
        options = clustering.Options(k=5, measures=("order_value", "gap_days"))
        today = clustering.fitted(customers_frame(), day=AS_OF, options=options)
        assert today.rule.scaling.names == ["gap_days", "order_value"] and len(today.rule.groups) == 5
        assert (today.choice.k, today.choice.by) == (5, "reader")
        other = clustering.fitted(customers_frame(), day=AS_OF, options=clustering.Options(leave_out=("gap_days",)))
        assert "gap_days" not in other.rule.scaling.names
        assert other.measures.set_index("measure").loc["gap_days", "why"] == "left_out"

    def test_chance_is_left_out_unless_asked_for(self):
        frame = customers_frame()
        judged = pd.DataFrame({"measure": ["order_value", "gap_days", "lines_per_order"], "n": 150,
                               "reliability": [0.8, 0.6, 0.1], "low": 0.0, "high": 0.9})  # fmt: skip
        used = clustering.fitted(frame, judged, day=AS_OF).measures.set_index("measure")
        assert used.loc["lines_per_order", "why"] == "chance" and not used.loc["lines_per_order", "used"]
        asked = clustering.Options(measures=("lines_per_order", "order_value"))
        assert clustering.fitted(frame, judged, day=AS_OF, options=asked).measures["used"].sum() == 2

    def test_few_customers_or_measures_make_no_groups(self):
        few = clustering.fitted(customers_frame(59), day=AS_OF)
        assert few.rule == NO_GROUPS and few.choice.by == "too_few"
        one = clustering.fitted(customers_frame()[["customer_id", "purchase_days", "gap_days"]], day=AS_OF)
        assert one.rule == NO_GROUPS and clustering.side_by_side(one) == {}

    def test_the_same_day_gives_the_same_groups(self):
        one, other = (clustering.fitted(customers_frame(), day=AS_OF) for _again in range(2))
        assert one.rule == other.rule
        pd.testing.assert_frame_equal(one.table, other.table)


class TestWaysAndWhatIf:
    def test_agreement_of_three_ways(self):
        rng = np.random.default_rng(5)
        frame = customers_frame(300).assign(
            order_value=np.exp(np.repeat([2, 4, 6], 100) + 0.1 * rng.normal(size=300)),
            gap_days=np.exp(np.repeat([4, 1, 4], 100) + 0.1 * rng.normal(size=300)))  # fmt: skip
        today = clustering.fitted(frame, day=AS_OF, options=clustering.Options(measures=("order_value", "gap_days")))
        side = clustering.side_by_side(today)
        assert clustering.agreement(side)["adjusted_rand"].min() > 0.95, "on islands all ways agree"
        assert clustering.ways(side)["groups"].tolist() == [3, 3, 3]
        tried = clustering.what_if(today, today.rule, k=3, names=("order_value", "gap_days"))
        assert tried.alike == pytest.approx(1) and tried.stability > 0.95 and tried.silhouette > 0.7
        assert tried.groups["customer_share"].sum() == pytest.approx(1)
        dense = clustering.what_if(today, today.rule, k=3, names=("order_value", "gap_days"), way="density")
        assert len(dense.groups) == 3 and np.isnan(dense.stability)

    def test_a_number_that_cannot_be_reached_is_told(self):
        today = clustering.fitted(customers_frame(59), day=AS_OF)
        assert clustering.what_if(today, NO_GROUPS, k=4, names=("order_value",)) is None


class TestGroupFitter:
    def test_labels_other_tables_by_the_same_rule(self):
        frame = customers_frame(300)
        label = clustering.group_fitter(4, np.random.default_rng(2))(frame)
        whole = label(frame)
        assert sorted(set(whole.tolist())) == [0, 1, 2, 3]
        np.testing.assert_array_equal(label(frame.iloc[50:80]), whole[50:80])
        again = clustering.group_fitter(4, np.random.default_rng(2))(frame)
        np.testing.assert_array_equal(again(frame), whole)

    def test_fewer_different_customers_make_fewer_groups(self):
        frame = pd.DataFrame({"purchase_days": 1, "order_value": [1.0, 1.0, 9.0], "gap_days": [2.0, 2.0, 5.0]})
        assert len(set(clustering.group_fitter(5, np.random.default_rng(1))(frame)(frame))) == 2
        nothing = frame[["purchase_days"]]
        assert set(clustering.group_fitter(5, np.random.default_rng(1))(nothing)(nothing)) == {0}
