"""What sets a group apart, as codes: `order_value+ category_2+`; `output.words.clustering` has the words.

A measure stands out in a group whose centre lies at least half a standard deviation from the mean of all. The two that
stand out most make the name; where two groups would share a name, the next measure joins. A large share of one category
or channel says more than a small one, so of a mix only what is large is named, unless nothing else is left.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbook.clustering.features import measure
from workbook.clustering.scaling import Scaling

STANDS_OUT = 0.5  # standard deviations: a medium difference (Cohen 1988)
IN_A_NAME = 2  # measures
LETTERS = tuple("abcdefghij")  # the groups of a rule, the largest at the base period first
MIDDLE = "middle"  # a group that no measure sets apart


def differences(centres: np.ndarray, scaling: Scaling) -> np.ndarray:
    """Groups by measures in standard deviations from the mean of all, without the weights."""
    weights = np.array([column.weight for column in scaling.columns])
    return np.divide(centres, weights, out=np.zeros_like(centres), where=weights > 0)


def traits(apart: np.ndarray, names: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Of each group the measures that name it, with `+` or `-`: no two groups the same.

    >>> traits(np.array([[1.0, 0.6], [-1.0, 0.1]]), ["order_value", "category_1"])
    (('order_value+', 'category_1+'), ('order_value-',))
    """
    ranked = [_ranked(row, names) for row in apart]
    taken: list[tuple[str, ...]] = []
    for strong, weak in ranked:
        length = min(IN_A_NAME, len(strong))
        name = tuple(strong[:length])
        rest = [*strong[length:], *weak]
        while rest and (name or (MIDDLE,)) in taken:
            name, rest = (*name, rest[0]), rest[1:]
        taken.append(name or (MIDDLE,))
    return tuple(taken)


def _ranked(row: np.ndarray, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Codes of the measures that stand out, and of the others, each the furthest first."""
    order = sorted(range(len(names)), key=lambda i: (-abs(round(float(row[i]), 9)), i))
    codes = [(i, f"{names[i]}{'+' if row[i] >= 0 else '-'}") for i in order]
    small_part = {i for i, _code in codes if measure(names[i]).group == "mix" and row[i] < 0}
    strong = [code for i, code in codes if abs(row[i]) >= STANDS_OUT and i not in small_part]
    return strong, [code for _i, code in codes if code not in strong]
