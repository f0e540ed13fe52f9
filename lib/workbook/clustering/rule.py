"""The rule that keeps: scale, centres and names, fitted once at the base period and frozen.

From then on a customer changes group by what the customer does, not because the others moved. Scoring is arithmetic in
the engine, the same on a thousand customers and on a hundred million: no row leaves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.clustering import scaling as scales
from workbook.clustering.features import Mix
from workbook.clustering.fits import nearest
from workbook.clustering.names import LETTERS, differences
from workbook.clustering.scaling import Scaling


class Rule(NamedTuple):
    """Who belongs where. Without centres there are no groups: too few customers or measures to find any."""

    mix: Mix
    scaling: Scaling
    centres: tuple[tuple[float, ...], ...]  # groups by measures, on the common scale; the largest group first
    traits: tuple[tuple[str, ...], ...]  # what sets each group apart, as codes

    @property
    def groups(self) -> tuple[str, ...]:
        """The groups' codes: a, b, c …"""
        return LETTERS[: len(self.centres)]

    @property
    def apart(self) -> pd.DataFrame:
        """Groups down, measures across: standard deviations between a group's centre and the mean of all."""
        found = differences(np.array(self.centres).reshape(len(self.centres), len(self.scaling.names)), self.scaling)
        return pd.DataFrame(found, index=list(self.groups), columns=self.scaling.names)

    def as_rule(self) -> dict[str, Any]:
        """As JSON holds it, for `run.freeze`."""
        return {
            "categories": list(self.mix.categories), "channels": list(self.mix.channels),
            "scaling": self.scaling.as_rule(), "centres": [list(centre) for centre in self.centres],
            "traits": [list(codes) for codes in self.traits],
        }  # fmt: skip

    @classmethod
    def of_rule(cls, rule: Mapping[str, Any]) -> Rule:
        return cls(
            Mix(tuple(rule["categories"]), tuple(rule["channels"])), Scaling.of_rule(rule["scaling"]),
            tuple(map(tuple, rule["centres"])), tuple(map(tuple, rule["traits"])),
        )  # fmt: skip


NO_GROUPS = Rule(Mix(), Scaling(()), (), ())


def labels(frame: pd.DataFrame, rule: Rule) -> np.ndarray:
    """The number of each customer's group, for tables in memory."""
    return nearest(scales.apply(frame, rule.scaling), np.array(rule.centres))


def assign(customers: ir.Table, rule: Rule) -> ir.Table:
    """Adds `cluster`, the group of the nearest centre, and `margin`, in the engine.

    Args:
        customers: the measures of the rule and purchase_days.

    Returns:
        the table with cluster (a, b …; blank without groups) and margin: 1 - distance to the own centre / distance to
        the next; 0 on the border between two groups, near 1 at the heart of one.
    """
    if len(rule.centres) < 2:
        only = ibis.literal("a") if rule.centres else ibis.null("string")
        return customers.mutate(cluster=only, margin=ibis.null("float64"))
    placed = customers.mutate(
        **{f"at_{name}": value for name, value in scales.expressions(customers, rule.scaling).items()}
    )
    far = {
        f"to_{group}": sum(
            (placed[f"at_{name}"] - centre) * (placed[f"at_{name}"] - centre)
            for name, centre in zip(rule.scaling.names, rule.centres[i], strict=True)
        ).round(9)
        for i, group in enumerate(rule.groups)
    }
    placed = placed.mutate(**far)
    own = ibis.least(*(placed[name] for name in far))
    placed = placed.mutate(
        own=own, cluster=ibis.cases(*[(placed[f"to_{group}"] == own, group) for group in rule.groups])
    )
    others = [ibis.ifelse(placed.cluster == group, float("inf"), placed[f"to_{group}"]) for group in rule.groups]
    margin = 1 - (placed.own / ibis.least(*others).nullif(0)).sqrt()
    return placed.mutate(margin=margin.coalesce(0.0)).select(*customers.columns, "cluster", "margin")
