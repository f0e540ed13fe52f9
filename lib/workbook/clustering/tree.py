"""The groups as rules that can be said aloud: a shallow tree, and how much of the clustering it reproduces.

The tree is grown on seven tenths of the customers and judged on the others: fidelity is the share of those whom its
rules put into the group that the clustering put them into, beside the share that naming the largest group for everybody
would reach. Source: Breiman, Friedman, Olshen & Stone 1984 (CART).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.tree import DecisionTreeClassifier

from workbook.scoring import wilson

DEPTH = 4  # questions at most
GROWN_ON = 0.7  # share of the customers
FEWEST = 60  # customers below which no rules are told


class Condition(NamedTuple):
    """low < measure <= high; None where that side is open."""

    measure: str
    low: float | None
    high: float | None


class Leaf(NamedTuple):
    """One line of the rules."""

    conditions: tuple[Condition, ...]
    group: int
    share: float  # of the customers it was judged on
    right: float  # share of those who really are in that group; nan where it held nobody


class TreeRules(NamedTuple):
    """The rules and how faithful they are, on customers that the tree has not seen."""

    leaves: tuple[Leaf, ...]  # the most customers first
    fidelity: float
    low: float  # 95 % interval (Wilson)
    high: float
    naive: float  # share of the largest group
    n: int  # customers it was judged on


def tree_rules(
    frame: pd.DataFrame, labels: np.ndarray, names: Sequence[str], *, rng: np.random.Generator, leaves: int = 0
) -> TreeRules | None:
    """Rules on the measures as people know them, not on the common scale; None for too few customers.

    Args:
        leaves: rules at most; 0: three more than there are groups.
    """
    if len(labels) < FEWEST or len(set(labels)) < 2:
        return None
    raw = frame[list(names)].astype(float)
    raw = raw.fillna(raw.median())
    order = rng.permutation(len(raw))
    grown, judged = np.split(order, [int(GROWN_ON * len(order))])
    model = DecisionTreeClassifier(
        max_depth=DEPTH, max_leaf_nodes=leaves or len(set(labels)) + 3, min_samples_leaf=max(5, len(grown) // 50),
        random_state=0,
    ).fit(raw.to_numpy()[grown], labels[grown])  # fmt: skip
    told, true = model.predict(raw.to_numpy()[judged]), labels[judged]
    share = wilson(int((told == true).sum()), len(judged))
    at = model.apply(raw.to_numpy()[judged])
    found = [
        Leaf(conditions, group, float(np.mean(at == leaf)), float(np.mean(true[at == leaf] == group)) if leaf in at
             else float("nan"))
        for leaf, conditions, group in _paths(model, names)
    ]  # fmt: skip
    found.sort(key=lambda leaf: (-leaf.share, leaf.conditions[0].measure))
    naive = float(np.bincount(true).max() / len(true))
    return TreeRules(tuple(found), share.value, share.low, share.high, naive, len(judged))


def _paths(model: DecisionTreeClassifier, names: Sequence[str]) -> list[tuple[int, tuple[Condition, ...], int]]:
    """Each leaf with the ends of every measure asked for on the way down."""
    tree, found = model.tree_, []
    waiting: list[tuple[int, dict[str, tuple[float | None, float | None]]]] = [(0, {})]
    while waiting:
        node, ends = waiting.pop()
        if tree.children_left[node] < 0:
            group = int(model.classes_[tree.value[node][0].argmax()])
            found.append((node, tuple(Condition(name, *sides) for name, sides in ends.items()), group))
            continue
        name, cut = names[tree.feature[node]], float(f"{tree.threshold[node]:.6g}")
        low, high = ends.get(name, (None, None))
        waiting.append((tree.children_left[node], ends | {name: (low, cut)}))
        waiting.append((tree.children_right[node], ends | {name: (cut, high)}))
    return found
