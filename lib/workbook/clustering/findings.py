"""The named results of 05_clustering.

| finding | unit | meaning |
|---|---|---|
| customers | customers | people with a purchase up to the report date |
| sought_among | customers | those among whom groups were sought today |
| measures_used | number | measures that the groups of the rule in force rest on |
| stands_out_of_cloud, stands_out_of_shapes | flag | whether there is more than a cloud, more than the single measures |
| p_cloud, p_shapes | number | the p-values of the two |
| structure_beyond | share | of what groups without structure leave unexplained, the share explained here |
| explained_share, structureless_share | share | spread that today's groups explain; as many without structure |
| groups, groups_today | number | groups of the rule in force; number that a fit today would choose |
| groups_by_reader | flag | whether a reader chose the number |
| silhouette, stability, weakest_group | number | of today's groups: clearness; how far they come back; the least so |
| rule_from | date | the last day that the fit of the rule saw; rule_provisional: not kept yet |
| group_<letter>_customers, _customers_before | customers | size now; a period ago, by the same rule |
| group_<letter>_revenue_share | share | share of the net revenue of twelve months |
| moved_share | share | of those who had bought a period ago, who are in another group now |
| agreement_mixture, agreement_density | number | adjusted Rand index of k-means with the other ways, today |
| agreement_segments | number | adjusted Rand index with the RFM segments |
| refit_agreement | number | adjusted Rand index of today's fit with the rule in force |
| refit_kept, refit_split, refit_merge, refit_birth, refit_gone | number | what became of the groups in today's fit |
| rules_fidelity, rules_naive | share | customers whom the printed rules place rightly; whom one group for all does |

A result that rests on too little is None, with the reason.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from workbook.clustering.fitting import Fitted
from workbook.clustering.identity import EVENTS, Matching
from workbook.clustering.keeping import RuleInForce
from workbook.clustering.rule import labels
from workbook.clustering.structure import SURE, Structure
from workbook.clustering.tree import TreeRules
from workbook.data.run import Run


def find_structure(run: Run, found: Structure, today: Fitted) -> None:
    """Whether there are groups, and how many today's fit chooses."""
    p = found.p_values
    run.find("sought_among", len(today.frame), unit="customers", n=today.of)
    for name, reference in (("cloud", "cloud"), ("shapes", "same_shapes")):
        known = p.get(reference)
        run.find_known(f"p_{name}", known, "number", n=found.n)
        run.find_known(f"stands_out_of_{name}", None if known is None else known <= SURE, "flag", n=found.n)
    run.find_known("structure_beyond", found.beyond, "share", n=found.n)
    row = found.table[(found.table["reference"] == "same_shapes") & (found.table["k"] == today.choice.k)]
    known = row.iloc[0].to_dict() if len(row) else {}
    run.find_known("explained_share", known.get("explained"), "share", n=found.n)
    run.find_known("structureless_share", known.get("expected"), "share", low=known.get("low"),
                   high=known.get("high"), n=found.n)  # fmt: skip
    chosen = today.table[today.table["k"] == today.choice.k] if today.choice.k else today.table.head(0)
    figures = chosen.iloc[0].to_dict() if len(chosen) else {}
    run.find_known("groups_today", today.choice.k or None, "number", n=len(today.frame))
    for name, column in (("silhouette", "silhouette"), ("stability", "stability"), ("weakest_group", "weakest")):
        run.find_known(name, figures.get(column), "number", n=len(today.frame))


def find_groups(
    run: Run, kept: RuleInForce, sizes: pd.DataFrame, moves: pd.DataFrame, *, moved: float | None, customers: int
) -> None:
    """The rule in force, size and revenue of its groups, also of empty ones, and their sizes a period ago.

    Args:
        sizes: one row a group.
        moves: cluster_before, cluster, customers.
        customers: who bought up to the report date.
    """
    run.find("customers", customers, unit="customers")
    run.find("measures_used", len(kept.rule.scaling.names), unit="number")
    run.find_known("groups", len(kept.rule.groups) or None, "number")
    run.find("groups_by_reader", kept.by == "reader", unit="flag")
    run.find("rule_from", kept.fitted_on.isoformat(), unit="date")
    run.find("rule_provisional", kept.provisional, unit="flag")
    rows, before = sizes.set_index("cluster"), moves.groupby("cluster_before")["customers"].sum()
    for letter in kept.rule.groups:
        row = rows.loc[letter].to_dict() if letter in rows.index else {"customers": 0, "revenue_share": 0.0}
        run.find(f"group_{letter}_customers", int(row["customers"]), unit="customers")
        run.find(f"group_{letter}_customers_before", int(before.get(letter, 0)), unit="customers")
        run.find_known(f"group_{letter}_revenue_share", row["revenue_share"], "share", low=row.get("low"),
                       high=row.get("high"), n=int(row["customers"]))  # fmt: skip
    run.find_known("moved_share", moved if kept.rule.centres else None, "share")


def find_agreement(run: Run, pairs: pd.DataFrame, *, with_segments: float | None) -> None:
    """How far other ways, and the RFM segments, find the same groups."""
    with_k_means = pairs[pairs["one"] == "k_means"].set_index("other")["adjusted_rand"]
    for way in ("mixture", "density"):
        run.find_known(f"agreement_{way}", with_k_means.get(way), "number")
    run.find_known("agreement_segments", with_segments, "number")


def find_refit(run: Run, kept: RuleInForce, today: Fitted, matched: Matching | None) -> None:
    """What a fit today would make of the groups in force."""
    alike = None if matched is None else adjusted_rand_score(labels(today.frame, kept.rule), today.fit.labels)
    run.find_known("refit_agreement", alike, "number", n=len(today.frame))
    for event in EVENTS:
        count = None if matched is None else int((matched.events["event"] == event).sum())
        run.find_known(f"refit_{event}", count, "number")


def find_rules(run: Run, rules: TreeRules | None) -> None:
    """How much of the clustering the printed rules reproduce."""
    known = rules._asdict() if rules else {}
    run.find_known("rules_fidelity", known.get("fidelity"), "share", low=known.get("low"), high=known.get("high"),
                   n=known.get("n"))  # fmt: skip
    run.find_known("rules_naive", known.get("naive"), "share", n=known.get("n"))


def adjusted_rand(counts: pd.DataFrame, *, one: str, other: str) -> float | None:
    """The adjusted Rand index from a table of counts (Hubert & Arabie 1985); None where it is not defined.

    Args:
        counts: the columns `one`, `other`, customers.
    """
    table = counts.pivot_table(index=one, columns=other, values="customers", aggfunc="sum").fillna(0).to_numpy()
    if min(table.shape, default=0) < 2:
        return None

    def pairs(n: np.ndarray) -> float:
        return float((n * (n - 1) / 2).sum())

    both, down, across = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    expected, most = down * across / pairs(np.array([table.sum()])), (down + across) / 2
    return (both - expected) / (most - expected) if most > expected else None
