"""Reasons, the early-warning list, drift and fairness: small tables by hand, and models whose cause is known."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from workbook import churn
from workbook.churn import models

FRAME = pd.DataFrame({
    "customer_id": ["a", "b", "c", "d"], "recency_days": [100.0, 10.0, 60.0, np.nan],
    "purchase_days": [1.0, 9.0, 4.0, 4.0], "spend_12m": [50.0, 900.0, 200.0, 10.0],
})  # fmt: skip


class Told:
    """A model whose contributions are given."""

    name, names, base = "told", ("recency_days", "purchase_days", "spend_12m"), 0.0

    def predict(self, frame):
        return 1 / (1 + np.exp(-self.score(frame)))

    def score(self, frame):
        return self.contributions(frame).sum(axis=1).to_numpy()

    def contributions(self, frame):
        silence = frame["recency_days"].fillna(0)
        return pd.DataFrame({
            "recency_days": (silence - 50) / 50, "purchase_days": (4 - frame["purchase_days"]) / 2, "spend_12m": 0.0,
        }, index=frame.index)  # fmt: skip


class Silent(Told):
    def contributions(self, frame):
        return None


class TestReasons:
    def test_the_largest_contributions_towards_leaving_come_first(self):
        found = churn.reasons(Told(), FRAME, typical=FRAME)
        assert found["reason_1"].tolist() == ["purchase_days", None, "recency_days", None]
        assert found["reason_2"].tolist() == ["recency_days", None, None, None]
        assert found["direction_1"].tolist() == ["less", None, "equal", None]  # the median silence is 60 days
        assert found.loc[0, ["direction_2", "value_2"]].tolist() == ["more", 100.0]
        assert found["contribution_1"].tolist() == pytest.approx([1.5, np.nan, 0.2, np.nan], nan_ok=True)
        assert found["reason_3"].isna().all()

    def test_a_blank_value_is_told_as_unknown(self):
        class Blank(Told):
            def contributions(self, frame):
                parts = super().contributions(frame)
                return parts.assign(recency_days=np.where(frame["recency_days"].isna(), 2.0, -1.0))

        found = churn.reasons(Blank(), FRAME, typical=FRAME, most=1)
        assert found.loc[3, ["reason_1", "direction_1"]].tolist() == ["recency_days", "unknown"]

    def test_a_model_without_exact_contributions_gives_no_reasons(self):
        found = churn.reasons(Silent(), FRAME, typical=FRAME)
        assert found[["reason_1", "reason_2", "reason_3"]].isna().all().all()

    def test_shuffling_the_cause_costs_and_shuffling_noise_does_not(self):
        rng = np.random.default_rng(1)
        frame = pd.DataFrame({name: rng.normal(size=1500) for name in ("recency_days", "categories", "products")})
        chance = 1 / (1 + np.exp(-2 * frame["recency_days"]))
        frame["churned"] = (rng.random(1500) < chance).astype(int)
        model = models.fit_logistic(frame, ("recency_days", "categories", "products"), {"C": 1.0}, 0)
        found = churn.importance(model, frame, frame["churned"].to_numpy(), rng=rng).set_index("feature")
        assert found.index[0] == "recency_days"
        # nothing is left of the ranking once the only cause is shuffled
        whole = roc_auc_score(frame["churned"], model.predict(frame))
        assert found.loc["recency_days", "drop_auc"] == pytest.approx(whole - 0.5, abs=0.05)
        assert found.loc[["categories", "products"], "drop_auc"].abs().max() < 0.01


class TestEarlyWarning:
    def listed(self, **more):
        told = churn.reasons(Told(), FRAME, typical=FRAME)
        return churn.early_warning(FRAME, np.array([0.9, 0.2, 0.6, 0.6]), told=told, **more)

    def test_the_most_value_at_risk_comes_first(self):
        found = self.listed(threshold=0.2)
        assert found["customer_id"].tolist() == ["b", "c", "a", "d"]
        assert found["value_at_risk"].tolist() == pytest.approx([180, 120, 45, 6])
        assert found["reason_1"].tolist()[1:3] == ["recency_days", "purchase_days"]

    def test_the_threshold_sets_its_size_and_none_empties_it(self):
        assert self.listed(threshold=0.6)["customer_id"].tolist() == ["c", "a", "d"]
        assert self.listed().empty
        ranked = self.listed(threshold=1.0, ranking=np.array([5.0, 1.0, 0.5, -3.0]))
        assert set(ranked["customer_id"]) == {"a", "b"}

    def test_value_comes_from_another_chapter_where_it_is_given(self):
        found = self.listed(threshold=0.6, value=pd.Series({"a": 10.0, "c": -5.0}))
        assert found["customer_id"].tolist() == ["a", "c", "d"]
        assert found["value_at_risk"].tolist() == pytest.approx([9.0, 0.0, 0.0])  # no value at stake below nothing


class TestCurves:
    def test_they_equal_scikit_learn(self):
        rng = np.random.default_rng(3)
        told, left = np.round(rng.random(300), 2), rng.integers(0, 2, 300)
        roc, pr = churn.roc_curve(told, left), churn.pr_curve(told, left)
        area = np.trapezoid(roc["true_positive_rate"], roc["false_positive_rate"])
        assert area == pytest.approx(roc_auc_score(left, told))
        steps = np.diff(np.append(0, pr["recall"])) @ pr["precision"]
        assert steps == pytest.approx(average_precision_score(left, told))
        precision, recall, _ = precision_recall_curve(left, told)
        assert pr["precision"].iloc[-1] == pytest.approx(left.mean()) == precision[recall == 1][0]

    def test_lift_by_hand(self):
        found = churn.lift_and_gain(np.array([4, 3, 2, 1]), np.array([1, 1, 0, 0]), groups=4)
        assert found["caught_share"].tolist() == [0.5, 1.0, 1.0, 1.0]
        assert found["lift"].tolist() == pytest.approx([2.0, 2.0, 4 / 3, 1.0])


class TestStability:
    def test_the_recomputed_population_stability_index(self):
        found = churn.psi([0.1, 0.2, 0.3, 0.25, 0.15], [0.15, 0.25, 0.25, 0.2, 0.15])
        assert found == pytest.approx(0.0517037, abs=5e-8)
        assert churn.psi([0.5, 0.5], [0.5, 0.5]) == 0

    def test_the_same_customers_do_not_drift_and_others_do(self):
        rng = np.random.default_rng(4)
        before = pd.DataFrame({"recency_days": rng.normal(0, 1, 2000), "products": rng.normal(0, 1, 2000)})
        after = pd.DataFrame({"recency_days": rng.normal(0, 1, 2000), "products": rng.normal(1, 1, 2000)})
        found = churn.drift(before, after, ["recency_days", "products"]).set_index("feature")["code"]
        assert found.to_dict() == {"products": "shifted", "recency_days": "stable"}

    def test_blanks_are_a_group_of_their_own(self):
        before = np.array([1.0, 2.0, 3.0, 4.0, np.nan, np.nan])
        assert churn.score_psi(before, before) == pytest.approx(0)
        assert churn.score_psi(before, np.array([1.0, 2.0, 3.0, 4.0])) > 0.25

    def test_auc_window_by_window(self):
        rng = np.random.default_rng(5)
        chance = rng.random(500)
        left = (rng.random(500) < chance).astype(int)
        found = churn.over_time({"earlier": (chance, left), "later": (rng.random(500), left)}, rng=rng)
        assert found["auc"].tolist() == pytest.approx([roc_auc_score(left, chance), 0.5], abs=0.08)
        assert (found["low"] <= found["auc"]).all() and (found["auc"] <= found["high"]).all()


class TestFairness:
    def test_a_segment_that_is_foretold_too_high_is_told(self):
        """East: 30 of 100 left and 60 were foretold; West: as foretold; North: 10 customers."""
        told = np.concatenate([np.full(100, 0.6), np.full(100, 0.3), np.full(10, 0.3)])
        left = np.concatenate([[1] * 30 + [0] * 70, [1] * 30 + [0] * 70, [0] * 10])
        region = ["East"] * 100 + ["West"] * 100 + ["North"] * 10
        found = churn.by_segment(told, left, region, threshold=0.5).set_index("segment")
        assert found["code"].to_dict() == {"East": "over", "North": "too_few", "West": "fair"}
        assert found.loc["East", ["flagged_share", "precision", "recall"]].tolist() == pytest.approx([1, 0.3, 1])
        assert found.loc["West", ["flagged_share", "recall"]].tolist() == [0, 0]
        assert found.loc["East", ["share_low", "share_high"]].tolist() == pytest.approx([0.2189, 0.3959], abs=1e-4)
        assert np.isnan(found.loc["North", "share"])
