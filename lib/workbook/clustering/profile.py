"""Who the groups are: sizes, revenue, measures, satisfaction, and how they lie to each other."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from sklearn.metrics import silhouette_samples

from workbook.clustering import scaling
from workbook.clustering.rule import Rule

LARGEST_PICTURE = 1_200  # points drawn and compared pair by pair
FEWEST_ANSWERS = 10  # customers, below which a group's answers are not told


def sizes(customers: ir.Table) -> ir.Table:
    """Size and revenue of each group.

    Args:
        customers: cluster, margin, spend_12m, purchase_days.

    Returns:
        cluster, customers, customer_share, spend_12m (currency), revenue_share with low and high (95 %, delta method
        for a ratio over customers), purchase_days (mean), margin (mean: how clearly its customers belong to it).
    """
    spend = customers.spend_12m.cast("float64")
    totals = customers.aggregate(n=customers.count(), whole=spend.sum(), squares=(spend * spend).sum())
    groups = customers.group_by("cluster").aggregate(
        customers=customers.count(), spend_12m=spend.sum(), own_squares=(spend * spend).sum(),
        purchase_days=customers.purchase_days.mean(), margin=customers.margin.mean(),
    )  # fmt: skip
    both = groups.cross_join(totals)
    share = both.spend_12m / both.whole.nullif(0)
    variance = (both.own_squares * (1 - 2 * share) + share * share * both.squares) / (both.whole * both.whole).nullif(0)
    both = both.mutate(revenue_share=share, reach=1.96 * ibis.greatest(variance, 0.0).sqrt())
    return both.select(
        "cluster", "customers", "spend_12m", "revenue_share", "purchase_days", "margin",
        customer_share=both.customers / both.n,
        low=ibis.greatest(both.revenue_share - both.reach, 0.0), high=ibis.least(both.revenue_share + both.reach, 1.0),
    ).order_by("cluster")  # fmt: skip


def means(customers: ir.Table, names: list[str]) -> ir.Table:
    """The mean of each measure by group, in its own unit, one row a group and a last one with cluster blank for all."""
    if not names:
        return customers.select("cluster").limit(0)
    wanted = {name: customers[name].cast("float64").mean() for name in names}
    each = customers.group_by("cluster").aggregate(**wanted)
    whole = customers.aggregate(**wanted).mutate(cluster=ibis.null("string")).select(each.columns)
    return each.union(whole).order_by(ibis.asc("cluster", nulls_first=False))


def apart_now(customers: ir.Table, rule: Rule) -> ir.Table:
    """Groups by measures as `rule.apart` has them, of the customers of this period: cluster and the measures."""
    placed = customers.select("cluster", **scaling.expressions(customers, rule.scaling))
    weights = {column.name: column.weight for column in rule.scaling.columns}
    each = {name: placed[name].mean() / weights[name] for name in rule.scaling.names}
    return placed.group_by("cluster").aggregate(**each).order_by("cluster")


def silhouettes(points: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> pd.DataFrame:
    """One row a customer: group, silhouette; by group, the clearest first. Of many customers a sample."""
    some = np.sort(rng.permutation(len(points))[:LARGEST_PICTURE])
    points, labels = points[some], labels[some]
    if len(set(labels)) < 2:
        return pd.DataFrame({"group": [], "silhouette": []})
    table = pd.DataFrame({"group": labels, "silhouette": silhouette_samples(points, labels)})
    return table.sort_values(["group", "silhouette"], ascending=[True, False], ignore_index=True)


class Map(NamedTuple):
    """The customers in the two directions in which they differ most."""

    points: pd.DataFrame  # group, x, y
    shown: float  # share of the spread that the two directions hold
    directions: pd.DataFrame  # measure, x, y: the correlation of a measure with each direction


def two_components(
    points: np.ndarray, labels: np.ndarray, names: list[str], *, rng: np.random.Generator
) -> Map:
    """Principal components (Pearson 1901); the sign makes the strongest measure of a direction point upward."""
    if len(points) < 2:
        return Map(pd.DataFrame({"group": [], "x": [], "y": []}), 0.0, pd.DataFrame({"measure": [], "x": [], "y": []}))
    centred = points - points.mean(axis=0)
    _left, size, turned = np.linalg.svd(centred, full_matrices=False)
    if len(turned) < 2:  # one measure only: the second direction holds nothing
        turned = np.vstack([turned, np.zeros_like(turned)])
    turned = turned[:2]
    turned = turned * np.sign([row[np.abs(row).argmax()] or 1.0 for row in turned])[:, None]
    at = centred @ turned.T
    spread = centred.std(axis=0)[:, None] * at.std(axis=0)
    together = centred.T @ at / len(at)
    ties = np.divide(together, spread, out=np.zeros_like(together), where=spread > 0)
    some = np.sort(rng.permutation(len(points))[:LARGEST_PICTURE])
    return Map(
        pd.DataFrame({"group": labels[some], "x": at[some, 0], "y": at[some, 1]}),
        float((size[:2] ** 2).sum() / (size**2).sum()),
        pd.DataFrame({"measure": names, "x": ties[:, 0], "y": ties[:, 1]}),
    )


def satisfaction(answers: ir.Table, customers: ir.Table, *, as_of: date) -> ir.Table:
    """What the groups' customers answered, one mean a customer and question: who answers often counts once.

    Args:
        answers: clean/survey_answers: customer_id, question, score, answered_on.
        customers: customer_id, cluster.

    Returns:
        question, cluster, customers (who answered), score, low, high (95 %); score blank below 10 customers.
    """
    told = answers.filter(answers.answered_on <= as_of, answers.score.notnull(), answers.customer_id.notnull())
    if "is_duplicate" in told.columns:
        told = told.filter(~told.is_duplicate.coalesce(False))
    each = told.group_by("customer_id", "question").aggregate(score=told.score.mean())
    members = customers.filter(customers.cluster.notnull()).select("customer_id", "cluster")
    both = each.inner_join(members, "customer_id")
    found = both.group_by("question", "cluster").aggregate(
        customers=both.count(), mean=both.score.mean(), sd=both.score.std(how="sample")
    )
    enough = found.customers >= FEWEST_ANSWERS
    reach = 1.96 * found.sd / found.customers.cast("float64").sqrt()
    ends = {"score": found["mean"], "low": found["mean"] - reach, "high": found["mean"] + reach}
    return found.select(
        "question", "cluster", "customers", **{name: ibis.ifelse(enough, end, None) for name, end in ends.items()}
    ).order_by("question", "cluster")


def crossed(customers: ir.Table, segments: ir.Table) -> ir.Table:
    """How the groups lie across segments drawn otherwise: segment, cluster, customers.

    Args:
        segments: customer_id, segment.
    """
    both = customers.inner_join(segments.select("customer_id", "segment"), "customer_id")
    return both.group_by("segment", "cluster").aggregate(customers=both.count()).order_by("segment", "cluster")
