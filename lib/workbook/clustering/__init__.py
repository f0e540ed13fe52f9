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
from workbook.clustering.fits import agreement, density, k_means, mixture, nearest, ways
from workbook.clustering.fitting import BY_DEFAULT, Fitted, Options, checked, fitted, fitted_on, sampled, seeded
from workbook.clustering.grouping import group_fitter
from workbook.clustering.names import LETTERS, traits
from workbook.clustering.reliability import halves, reliability
from workbook.clustering.rule import NO_GROUPS, Rule, assign, labels
from workbook.clustering.structure import Structure, structure

__all__ = [
    "BY_DEFAULT",
    "GROUPS",
    "KNOWN",
    "LETTERS",
    "MEASURES",
    "NO_GROUPS",
    "Choice",
    "Fitted",
    "Mix",
    "Options",
    "Rule",
    "Structure",
    "agreement",
    "assign",
    "checked",
    "choose",
    "density",
    "examined",
    "features",
    "fitted",
    "fitted_on",
    "gap",
    "group_fitter",
    "halves",
    "jaccard",
    "k_means",
    "labels",
    "main_mix",
    "measure",
    "mixture",
    "nearest",
    "reliability",
    "sampled",
    "seeded",
    "stability",
    "structure",
    "traits",
    "ways",
]
