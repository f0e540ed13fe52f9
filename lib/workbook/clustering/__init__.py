"""Clustering: are there natural groups of customers, and who are they?

Question: are there kinds of customers beyond the cells that somebody drew? One row per order and line goes in
(`clean/orders`, `clean/order_lines`, `clean/returns`); one row per customer who bought comes out (`clusters`):

| column | unit | meaning |
|---|---|---|
| customer_id | | the customer |
| cluster | code | a, b, c …: the group of the nearest centre of the rule in force; blank where no groups were sought |
| margin | 0 to 1 | 1 - distance to the own centre / distance to the next: 0 on a border, near 1 at a heart |
| cluster_before | code | the group at the end of the period before, as known then; blank for who had not bought |
| purchase_days | days | days with a purchase |
| recency_days … channel_<n> | | the measures, see `workbook.clustering.features` |
| net_amount, spend_12m | currency | of everything bought; of the last twelve months |

A group is the nearest of some centres: a convenient description, and more than that only where `structure` says so.
Scale, centres and names are fitted at the base period and frozen (`keeping`); satisfaction scores describe the
groups and never make them, as only those who answer have any.

Findings of 05_clustering: see `workbook.clustering.findings`.

Sources: each module names its own; M. Wedel & W. A. Kamakura, Market Segmentation, 2000; C. Hennig, Cluster-wise
assessment of cluster stability, 2007; S. Dolnicar, B. Grün & F. Leisch, Market Segmentation Analysis, 2018 (natural,
reproducible and constructive segmentation).
"""

from workbook.clustering.choice import Choice, choose, examined, gap, jaccard, stability
from workbook.clustering.features import GROUPS, KNOWN, MEASURES, Mix, features, main_mix, measure
from workbook.clustering.findings import (
    adjusted_rand,
    find_agreement,
    find_groups,
    find_refit,
    find_rules,
    find_structure,
)
from workbook.clustering.fits import NOISE, agreement, density, k_means, mixture, nearest, ways
from workbook.clustering.fitting import BY_DEFAULT, Fitted, Options, checked, fitted, fitted_on, sampled, seeded
from workbook.clustering.grouping import group_fitter
from workbook.clustering.identity import EVENTS, Followed, Matching, Snapshot, follow, match, refit_matched
from workbook.clustering.keeping import (
    RuleInForce,
    moved_share,
    movement,
    placed,
    remember,
    rule_in_force,
    seen_by,
)
from workbook.clustering.names import LETTERS, MIDDLE, differences, traits
from workbook.clustering.profile import (
    Map,
    apart_now,
    crossed,
    means,
    satisfaction,
    silhouettes,
    sizes,
    two_components,
)
from workbook.clustering.reliability import halves, reliability
from workbook.clustering.rule import NO_GROUPS, Rule, assign, labels
from workbook.clustering.scaling import apply as scaled
from workbook.clustering.scaling import raw_shares
from workbook.clustering.structure import REFERENCES, Structure, structure
from workbook.clustering.tree import Condition, Leaf, TreeRules, tree_rules
from workbook.clustering.what_if import WAYS, WhatIf, letters, side_by_side, what_if

__all__ = [
    "BY_DEFAULT",
    "EVENTS",
    "GROUPS",
    "KNOWN",
    "LETTERS",
    "MEASURES",
    "MIDDLE",
    "NOISE",
    "NO_GROUPS",
    "REFERENCES",
    "WAYS",
    "Choice",
    "Condition",
    "Fitted",
    "Followed",
    "Leaf",
    "Map",
    "Matching",
    "Mix",
    "Options",
    "Rule",
    "RuleInForce",
    "Snapshot",
    "Structure",
    "TreeRules",
    "WhatIf",
    "adjusted_rand",
    "agreement",
    "apart_now",
    "assign",
    "checked",
    "choose",
    "crossed",
    "density",
    "differences",
    "examined",
    "features",
    "find_agreement",
    "find_groups",
    "find_refit",
    "find_rules",
    "find_structure",
    "fitted",
    "fitted_on",
    "follow",
    "gap",
    "group_fitter",
    "halves",
    "jaccard",
    "k_means",
    "labels",
    "letters",
    "main_mix",
    "match",
    "means",
    "measure",
    "mixture",
    "moved_share",
    "movement",
    "nearest",
    "placed",
    "raw_shares",
    "refit_matched",
    "reliability",
    "remember",
    "rule_in_force",
    "sampled",
    "satisfaction",
    "scaled",
    "seeded",
    "seen_by",
    "side_by_side",
    "silhouettes",
    "sizes",
    "stability",
    "structure",
    "traits",
    "tree_rules",
    "two_components",
    "ways",
    "what_if",
]
