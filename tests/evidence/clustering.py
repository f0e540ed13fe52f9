"""Clustering on shops whose truth is known: are the personas found, is a continuum called one, do names last?

    PYTHONPATH=tests python -m evidence.clustering > tests/evidence/clustering.txt
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

import ibis
import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from workbook import clustering
from workbook.data.engine import connect
from workbook.data.settings import Engine
from workbook.data.simulate import Parameters, Shop, simulate

MONTH_ENDS = [date(2025, 7, 31), date(2025, 8, 31), date(2025, 9, 30), date(2025, 10, 31), date(2025, 11, 30),
              date(2025, 12, 31)]  # fmt: skip


class Records(NamedTuple):
    """A simulated shop's records with the columns that cleaning would give them."""

    orders: ibis.Table
    lines: ibis.Table
    returns: ibis.Table
    persona: pd.Series  # customer_id → persona


def records(shop: Shop) -> Records:
    """The records in an engine of their own."""
    con = connect(Engine(memory="1GB", threads=1))
    raw, lines, came = (con.create_table(f"made_{name}", shop.tables[name])
                        for name in ("orders", "order_lines", "returns"))
    came = came.mutate(returned_on=came.returned_at.date())
    back = came.group_by("order_id").aggregate(back=came.amount.sum())
    held = lines.group_by("order_id").aggregate(lines=lines.count())
    orders = raw.left_join(back, "order_id").drop("order_id_right").left_join(held, "order_id").drop("order_id_right")
    orders = orders.mutate(
        net_amount=(orders.amount - orders.back.coalesce(0)).cast("decimal(18, 4)"), is_return=ibis.literal(False),
        units=orders.quantity,
    )  # fmt: skip
    truth = shop.truth["customers"].to_pandas().set_index("customer_id")["persona"]
    return Records(orders.cache(), lines, came, truth)


class Memory:
    """What `fitted_on` asks of a run, without a store."""

    def frame(self, table: ibis.Table) -> pd.DataFrame:
        return table.to_pandas()


def fit(shop: Records, day: date, **options: Any) -> clustering.Fitted:
    return clustering.fitted_on(Memory(), shop.orders, shop.returns, shop.lines, day=day,  # type: ignore[arg-type]
                                options=clustering.Options(**options))  # fmt: skip


class Recovery(NamedTuple):
    """Adjusted Rand index with the true personas."""

    customers: int
    groups: float
    revenue_fifths: float  # the naive split: five equal parts by revenue
    k: int


def recovery(shop: Records, day: date, *, k: int = 0, least_days: int = 1) -> Recovery:
    """How far the groups are the personas, beside a naive split of the same customers."""
    today = fit(shop, day, k=k)
    placed = clustering.placed(shop.orders, shop.returns, shop.lines, day=day, rule=today.rule).to_pandas()
    placed = placed[placed["purchase_days"] >= least_days]
    truth = shop.persona[placed["customer_id"]].to_numpy().astype(str)
    fifths = pd.qcut(placed["net_amount"].rank(method="first"), 5, labels=False)
    return Recovery(len(placed), adjusted_rand_score(truth, placed["cluster"]), adjusted_rand_score(truth, fifths),
                    today.choice.k)  # fmt: skip


def followed(shop: Records, days: list[date], *, k: int = 0) -> list[clustering.Followed]:
    """Refits of successive months under names that last; centres on the scale of the first month."""
    snapshots, scale = [], None
    for day in days:
        today = fit(shop, day, k=k, most_groups=max(k, 3)) if k else fit(shop, day)
        scale = scale or today.rule.scaling
        placed = clustering.placed(shop.orders, shop.returns, shop.lines, day=day, rule=today.rule).to_pandas()
        numbers = placed["cluster"].map({code: i for i, code in enumerate(today.rule.groups)})
        points = clustering.scaled(placed, scale)
        centres = np.array([points[numbers == i].mean(axis=0) for i in range(len(today.rule.groups))])
        snapshots.append(clustering.Snapshot(pd.Series(numbers.to_numpy(), index=placed["customer_id"]), centres))
    return clustering.follow(snapshots)


def verdicts(draw: Callable[[np.random.Generator], np.ndarray], n: int, seed: int) -> dict[str, int]:
    """Verdicts of the structure test on `n` draws."""
    found: dict[str, int] = {}
    for i in range(n):
        rng = np.random.default_rng([seed, i])
        verdict = clustering.structure(draw(rng), rng=rng, references=39, most=4).verdict
        found[verdict] = found.get(verdict, 0) + 1
    return found


def cloud(rng: np.random.Generator) -> np.ndarray:
    """A correlated normal cloud."""
    return rng.normal(size=(250, 4)) @ rng.normal(size=(4, 4))


def skewed(rng: np.random.Generator) -> np.ndarray:
    """Long tails tied by one common cause: no groups, but no cloud either."""
    return np.exp(rng.normal(size=(250, 1)) * 0.5 + rng.normal(size=(250, 4)) * 0.6)


def islands(rng: np.random.Generator) -> np.ndarray:
    """Three groups four standard deviations apart."""
    return rng.normal(size=(250, 4)) + np.eye(4)[rng.integers(3, size=250)] * 4 / np.sqrt(2)


def main(size: str = "full") -> None:
    customers, seeds, draws = (3_000, 4, 60) if size == "full" else (1_000, 1, 6)
    print(f"Personas found again: adjusted Rand index with the truth, {customers:,} customers, 24 months")
    print("seed  customers        k  groups  revenue fifths")
    shops = [records(simulate(customers, 24, seed=seed)) for seed in range(1, seeds + 1)]
    for seed, shop in enumerate(shops, 1):
        for least, label in ((1, "all"), (3, "3 purchases +")):
            for k in (0, 6):
                found = recovery(shop, MONTH_ENDS[-1], k=k, least_days=least)
                print(f"{seed:4}  {label:13} {found.k:4}  {found.groups:6.3f}  {found.revenue_fifths:14.3f}")
    print("\nShops without personas: the verdict, and the measures used")
    for seed in range(1, seeds + 1):
        plain = records(simulate(customers, 24, seed=seed, parameters=Parameters.plain()))
        today = fit(plain, MONTH_ENDS[-1])
        found = clustering.structure(today.points, rng=clustering.seeded("structure", today.day))
        used = ", ".join(today.measures.loc[today.measures["used"], "measure"])
        print(f"{seed:4}  {found.verdict}, beyond {found.beyond:.3f}: {used}")
    print(f"\nThe structure test on {draws} draws of 250 customers each")
    for draw in (cloud, skewed, islands):
        counts = verdicts(draw, draws, seed=3)
        print(f"  {draw.__name__:8} " + ", ".join(f"{verdict} {n}" for verdict, n in sorted(counts.items())))
    print("\nNames that last: six months, fitted anew each month with the same number of groups, and by the rule")
    for k in (4, 0):
        for seed, shop in enumerate(shops, 1):
            codes = ["".join(month.codes) for month in followed(shop, MONTH_ENDS, k=k)]
            print(f"{seed:4}  k {k or 'rule'}: {' '.join(codes)}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "full")
