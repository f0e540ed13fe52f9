"""One tree, or a sum of boosted ones, with the exact share of every feature in a prediction.

A tree's score is the root's value plus the steps on the way to the leaf; each step is the work of the feature that was
asked there. See `models`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.tree import DecisionTreeClassifier

from workbook.churn.models import Model, Setting


@dataclass(frozen=True)
class Nodes:
    """One tree as arrays, a place per node. A leaf has left = -1."""

    feature: np.ndarray
    threshold: np.ndarray
    blank_left: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray  # of the training customers in the node


@dataclass(frozen=True)
class Trees:
    """One decision tree, or a sum of boosted ones."""

    name: str
    names: tuple[str, ...]
    base: float
    trees: tuple[Nodes, ...]
    estimator: Any
    logistic: bool  # the score is log-odds
    precision: type  # in which the estimator compares values with thresholds

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        return self.estimator.predict_proba(frame[list(self.names)].to_numpy(float))[:, 1]

    def score(self, frame: pd.DataFrame) -> np.ndarray:
        values = frame[list(self.names)].to_numpy(float)
        return self.estimator.decision_function(values) if self.logistic else self.predict(frame)

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[list(self.names)].to_numpy(self.precision)
        steps = np.zeros(values.shape)
        for tree in self.trees:
            _walk(tree, values, steps)
        return pd.DataFrame(steps, columns=list(self.names), index=frame.index)


def _walk(tree: Nodes, values: np.ndarray, steps: np.ndarray) -> None:
    """Adds to `steps` what each question on the way to the leaf changed."""
    node, going = np.zeros(len(values), int), np.arange(len(values))
    while len(going := going[tree.left[node[going]] >= 0]):
        at = node[going]
        asked = tree.feature[at]
        value = values[going, asked]
        goes_left = np.where(np.isnan(value), tree.blank_left[at], value <= tree.threshold[at])
        onward = np.where(goes_left, tree.left[at], tree.right[at])
        steps[going, asked] += tree.value[onward] - tree.value[at]
        node[going] = onward


def fit_tree(frame: pd.DataFrame, names: tuple[str, ...], setting: Setting, seed: int) -> Model:
    """One tree of few leaves, which can be read."""
    smallest = max(20, len(frame) // 100)
    tree = DecisionTreeClassifier(
        max_leaf_nodes=int(setting["leaves"]), min_samples_leaf=smallest, random_state=seed
    ).fit(frame[list(names)].to_numpy(float), frame["churned"])
    inner = tree.tree_
    share = inner.value[:, 0, 1] / inner.value[:, 0, :].sum(axis=1)
    nodes = Nodes(
        inner.feature, inner.threshold, inner.missing_go_to_left.astype(bool), inner.children_left,
        inner.children_right, share,
    )  # fmt: skip
    return Trees("tree", names, float(share[0]), (nodes,), tree, logistic=False, precision=np.float32)


def fit_boosting(frame: pd.DataFrame, names: tuple[str, ...], setting: Setting, seed: int) -> Model:
    """Gradient boosting on histograms."""
    boosted = HistGradientBoostingClassifier(
        learning_rate=setting["rate"], max_iter=int(setting["trees"]), max_leaf_nodes=int(setting["leaves"]),
        min_samples_leaf=max(20, len(frame) // 100), l2_regularization=1.0, early_stopping=False, random_state=seed,
    ).fit(frame[list(names)].to_numpy(float), frame["churned"])  # fmt: skip
    trees = tuple(_boosted_nodes(stage[0].nodes) for stage in boosted._predictors)
    base = float(np.ravel(boosted._baseline_prediction)[0]) + sum(float(tree.value[0]) for tree in trees)
    return Trees("gradient_boosting", names, base, trees, boosted, logistic=True, precision=np.float64)


def _boosted_nodes(nodes: np.ndarray) -> Nodes:
    """Inner nodes get the mean of their leaves, by training customers: scikit-learn keeps the leaves' values only."""
    left, right = nodes["left"].astype(int), nodes["right"].astype(int)
    left[nodes["is_leaf"].astype(bool)] = -1
    counts, values = nodes["count"].astype(float), nodes["value"].astype(float)
    for place in range(len(nodes) - 1, -1, -1):  # children stand behind their parent
        if left[place] >= 0:
            both = [left[place], right[place]]
            values[place] = counts[both] @ values[both] / counts[both].sum()
    return Nodes(
        nodes["feature_idx"].astype(int), nodes["num_threshold"].astype(float),
        nodes["missing_go_to_left"].astype(bool), left, right, values,
    )  # fmt: skip
