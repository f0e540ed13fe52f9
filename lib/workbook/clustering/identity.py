"""Is this still the same group? Groups of two fits, matched by the customers they share and by their centres.

A fit numbers its groups as it likes. Two groups are alike by the Jaccard share of their customers (those seen in both
fits) and by how near their centres lie; the pairs are chosen together so that the sum of likeness is largest (Kuhn
1955, the Hungarian method). A pair counts as the same group if most customers of either are in both. What is left over
is told:
    split   a new group most of whose customers come from one old group that lives on
    merge   an old group most of whose customers are now in one group that is another's heir
    birth   a new group that no old one accounts for
    gone    an old group whose customers went several ways
Source: the events of evolving clusters after Spiliopoulou, Ntoutsi, Theodoridis & Schult 2006 (MONIC).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from string import ascii_lowercase
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from workbook.clustering.fitting import Fitted
from workbook.clustering.rule import Rule, labels
from workbook.clustering.scaling import apply

MOST = 0.5  # of the customers of a group
BY_CUSTOMERS = 2 / 3  # of the likeness; the rest by the centres
EVENTS = ("kept", "split", "merge", "birth", "gone")


class Matching(NamedTuple):
    """Which new group is which old one, and what happened to the others."""

    heirs: dict[int, int]  # new → old
    events: pd.DataFrame  # event, group (new; -1), old (-1), share (of customers in both, or of the smaller), customers


def match(
    old: np.ndarray, new: np.ndarray, *, old_centres: np.ndarray, new_centres: np.ndarray
) -> Matching:
    """Match the groups of two fits.

    Args:
        old, new: groups of the same customers, numbered from 0.
        old_centres, new_centres: on one common scale.
    """
    both = np.zeros((len(old_centres), len(new_centres)))
    np.add.at(both, (old, new), 1)
    of_old, of_new = both.sum(axis=1, keepdims=True), both.sum(axis=0, keepdims=True)
    jaccard = both / np.maximum(of_old + of_new - both, 1)
    apart = np.linalg.norm(old_centres[:, None, :] - new_centres[None, :, :], axis=2)
    likeness = BY_CUSTOMERS * jaccard + (1 - BY_CUSTOMERS) / (1 + apart)
    held = np.maximum(both / np.maximum(of_old, 1), both / np.maximum(of_new, 1))
    pairs = zip(*linear_sum_assignment(-likeness.round(9)), strict=True)
    heirs = {int(b): int(a) for a, b in pairs if held[a, b] > MOST}
    rows = [("kept", b, a, jaccard[a, b], of_new[0, b]) for b, a in sorted(heirs.items())]
    for b in sorted(set(range(len(new_centres))) - set(heirs)):
        share = both[:, b] / max(of_new[0, b], 1)
        a = int(share.argmax())
        event = "split" if share[a] > MOST and a in heirs.values() else "birth"
        rows.append((event, b, a if event == "split" else -1, share[a], of_new[0, b]))
    for a in sorted(set(range(len(old_centres))) - set(heirs.values())):
        share = both[a] / max(of_old[a, 0], 1)
        b = int(share.argmax())
        event = "merge" if share[b] > MOST and b in heirs else "gone"
        rows.append((event, b if event == "merge" else -1, a, share[b], of_old[a, 0]))
    events = pd.DataFrame(rows, columns=["event", "group", "old", "share", "customers"])
    return Matching(heirs, events.astype({"share": float, "customers": int}))


def refit_matched(rule: Rule, today: Fitted) -> Matching | None:
    """The groups of today's fit against those of the rule in force; None where either has none."""
    if not rule.centres or not today.rule.centres:
        return None
    points = apply(today.frame, rule.scaling)  # one scale for both: that of the rule in force
    new = today.fit.labels
    centres = np.array([points[new == group].mean(axis=0) for group in range(len(today.rule.centres))])
    return match(labels(today.frame, rule), new, old_centres=np.array(rule.centres), new_centres=centres)


class Snapshot(NamedTuple):
    """The groups of one period."""

    labels: pd.Series  # customer_id → group, numbered from 0
    centres: np.ndarray  # on a scale common to all snapshots


class Followed(NamedTuple):
    """The groups of one period under names that last."""

    codes: tuple[str, ...]  # of each group: a letter that it keeps while it lives; a newborn gets the next free one
    events: pd.DataFrame  # as `match` has them, with codes in place of numbers ("" for none); empty at the beginning


def follow(snapshots: Sequence[Snapshot]) -> list[Followed]:
    """Names that last over refits of successive periods."""
    codes = tuple(ascii_lowercase[: len(snapshots[0].centres)])
    used, found = len(codes), [Followed(codes, _coded(pd.DataFrame(columns=["event", "group", "old"]), (), ()))]
    for before, now in pairwise(snapshots):
        shared = before.labels.index.intersection(now.labels.index)
        matched = match(before.labels[shared].to_numpy(), now.labels[shared].to_numpy(),
                        old_centres=before.centres, new_centres=now.centres)  # fmt: skip
        named = []
        for group in range(len(now.centres)):
            heir = group in matched.heirs
            named.append(codes[matched.heirs[group]] if heir else ascii_lowercase[used])
            used += not heir
        found.append(Followed(tuple(named), _coded(matched.events, codes, named)))
        codes = tuple(named)
    return found


def _coded(events: pd.DataFrame, old: Sequence[str], new: Sequence[str]) -> pd.DataFrame:
    return events.assign(group=[new[i] if i >= 0 else "" for i in events["group"]],
                         old=[old[i] if i >= 0 else "" for i in events["old"]])  # fmt: skip
