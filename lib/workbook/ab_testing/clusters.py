"""What if stores, regions or households were drawn, and customers are counted?

In: one row a customer (arm, cluster_id, value). Out: one `Effect` a treatment arm, whose n are clusters, and how much
the naive standard error understates (`cluster_design`). The mean per customer is sum of values / number of customers
over clusters: a ratio whose two parts vary by cluster, hence the delta method over clusters, with a t distribution of
(clusters − 2) degrees of freedom. With fewer than 20 clusters an arm the interval is itself uncertain, and a code says
so; below 2 there is none.

Sources: A. Deng, U. Knoblich & J. Lu, KDD 2018, section 4; A. C. Cameron & D. L. Miller, Journal of Human Resources 50,
2015 (few clusters); L. Kish, Survey Sampling, 1965 (design effect).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import ibis.expr.types as ir

from workbook.ab_testing.effects import ALPHA, Effect, arm_sums, effect
from workbook.ab_testing.ratios import MOMENTS, ratio_arm
from workbook.data.engine import few_rows

FEWEST = 20  # clusters an arm from which the normal theory is near


class Design(NamedTuple):
    """How the clusters lie."""

    clusters: int
    mean_size: float  # customers a cluster, weighted as the design effect needs it
    icc: float  # share of the variance that lies between clusters (intraclass correlation)
    design_effect: float  # variance of a mean beside that of customers drawn singly: 1 + (mean_size − 1) icc
    naive_understates: float  # factor by which a naive standard error is too small
    code: str  # ok, few_clusters, no_clusters


def cluster_effects(table: ir.Table, *, metric: str, control: str, alpha: float = ALPHA) -> tuple[Effect, ...]:
    """The difference of means per customer when clusters were drawn, one effect a treatment arm.

    Args:
        table: arm, cluster_id, value; one row a customer. A customer without a cluster is a cluster of their own.
    """
    sums = arm_sums(_by_cluster(table), MOMENTS, control=control)
    arms = {name: ratio_arm(found) for name, found in sums.items()}
    names = list(arms)
    return tuple(
        effect(arms[names[0]], arms[name], metric=metric, name=name, method="cluster_delta", alpha=alpha,
               df=float(arms[names[0]].n + arms[name].n - 2))
        for name in names[1:]
    )


def cluster_design(table: ir.Table) -> Design:
    """Size and likeness of the clusters, from the variance between and within them inside each arm.

    Args:
        table: arm, cluster_id, value.
    """
    if "cluster_id" not in table.columns:
        return Design(0, math.nan, math.nan, math.nan, math.nan, "no_clusters")
    inside = table.filter(table.cluster_id.notnull(), table.value.notnull())
    sums = inside.group_by("arm", "cluster_id").aggregate(
        n=inside.count(), total=inside.value.sum(), squares=(inside.value * inside.value).sum())
    facts = few_rows(sums.group_by("arm").aggregate(
        clusters=sums.count(), n=sums.n.sum(), n2=(sums.n.cast("float64") ** 2).sum(), total=sums.total.sum(),
        squares=sums.squares.sum(), of_means=(sums.total**2 / sums.n).sum()).order_by("arm"))
    clusters = sum(row["clusters"] for row in facts)
    customers = sum(row["n"] for row in facts)
    if clusters <= len(facts) or customers <= clusters:
        return Design(clusters, math.nan, math.nan, math.nan, math.nan, "no_clusters")
    between = sum(row["of_means"] - row["total"] ** 2 / row["n"] for row in facts) / (clusters - len(facts))
    within = sum(row["squares"] - row["of_means"] for row in facts) / (customers - clusters)
    anova_size = sum(row["n"] - row["n2"] / row["n"] for row in facts) / (clusters - len(facts))
    spread = between + (anova_size - 1) * within
    icc = max((between - within) / spread, 0.0) if spread > 0 else 0.0
    size = sum(row["n2"] for row in facts) / customers
    inflation = 1 + (size - 1) * icc
    few = min(row["clusters"] for row in facts) < FEWEST
    return Design(clusters, size, icc, inflation, math.sqrt(inflation), "few_clusters" if few else "ok")


def _by_cluster(table: ir.Table) -> ir.Table:
    """Sum of values and number of customers of each cluster, as value and denominator."""
    measured = table.filter(table.value.notnull())
    drawn = measured.mutate(drawn_id=measured.cluster_id.coalesce("customer " + measured.customer_id))
    return drawn.group_by("arm", "drawn_id").aggregate(value=drawn.value.sum(), denominator=drawn.count())
