"""Who is held out: a random control that anybody can draw again.

Each customer gets a number from a hash of salt, decision and customer id; the lowest numbers are the control. So the
arms follow from the list alone: not from the order of its rows, the machine or the time. Within layers of customers
with a similar past the same share is held out, which narrows the interval when the past tells something of the future.
A household is drawn as one: whoever is held out would else read the letter at the kitchen table.

Source: R. Kohavi, D. Tang & Y. Xu, Trustworthy Online Controlled Experiments, 2020, chapter 4 (hashing into arms);
W. G. Cochran, Sampling Techniques, 1977, chapter 5 (strata).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

LAYERS = 4  # of customers with some past spending, beside one of those without
FEWEST_TO_LAYER = 100  # customers; below, layers of a few leave no room for chance
TELLING = 0.1  # correlation of past with later spending from which layers are worth having


def numbers(ids: Sequence[str], *, decision_id: str, salt: str) -> np.ndarray:
    """One number for each customer, from 0 to 2⁶⁴ − 1, as if drawn."""
    head = hashlib.sha256(f"{salt}\0{decision_id}\0".encode())

    def of(customer_id: str) -> int:
        one = head.copy()
        one.update(customer_id.encode())
        return int.from_bytes(one.digest()[:8], "big")

    return np.fromiter(map(of, ids), np.uint64, len(ids))


def draw(
    ids: Sequence[str], *, decision_id: str, salt: str, share: float, strata: Sequence[int] | None = None,
    households: Sequence[str] | None = None,
) -> np.ndarray:  # fmt: skip
    """Whether each customer is in the control.

    Args:
        share: of the households, held out in each layer; what does not divide evenly is carried to the next layer, so
            that the whole control is the share rounded to one household.
        strata: the layer of each customer, one and the same within a household; none: one layer.
        households: the name of each customer's; none: everybody is one.

    >>> draw(["a", "b", "c", "d"], decision_id="d", salt="1", share=0.5).sum()
    np.int64(2)
    """
    if households is not None:
        homes, first, home = np.unique(np.asarray(households, dtype=str), return_index=True, return_inverse=True)
        inside = None if strata is None else np.asarray(strata)[first]
        return draw(list(homes), decision_id=decision_id, salt=salt, share=share, strata=inside)[home]
    names = np.asarray(ids, dtype=object)
    layers = np.zeros(len(names), int) if strata is None else np.asarray(strata, int)
    drawn = numbers(list(names), decision_id=decision_id, salt=salt)
    order = sorted(range(len(names)), key=lambda at: (layers[at], drawn[at], names[at]))
    held = np.zeros(len(names), bool)
    done = 0
    for layer in np.unique(layers):
        inside = [at for at in order if layers[at] == layer] if strata is not None else order
        upto = _rounded(share * (done + len(inside))) - _rounded(share * done)
        held[inside[:upto]] = True
        done += len(inside)
    return held


def _rounded(customers: float) -> int:
    return int(np.floor(customers + 0.5 + 1e-9))


def layers(before: np.ndarray, *, correlation: float | None) -> np.ndarray:
    """The layer of each customer by what they brought before: 0 nothing, then quarters of those who brought something.

    All in one layer where the list is short or the past tells little.
    """
    one = np.zeros(len(before), int)
    if len(before) < FEWEST_TO_LAYER or correlation is None or correlation < TELLING:
        return one
    some = before > 0
    edges = np.quantile(before[some], np.linspace(0, 1, LAYERS + 1)[1:-1]) if some.any() else np.empty(0)
    return np.where(some, 1 + np.searchsorted(edges, before, side="left"), 0)
