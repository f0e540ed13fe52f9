"""The other risks of 08_churn against a known truth: late payers, abusers of returns, and customers who really left.

    PYTHONPATH=tests python -m evidence.risk

Each rule stands beside the naive one: mean delay of the paid invoices above the days of grace; plain share of returned
lines above twice the shop's; half of the own rate or less in the recent days. Precision is the share
of those named who are what they are named; recall the share of those who are, who are named; AUC judges the number
behind the rule, wherever the rule cuts.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from evidence.churn import engine, frame_of, last_day, record_of
from workbook import churn
from workbook.data.simulate import Parameters, Shop, simulate
from workbook.scoring import area_under

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Size(NamedTuple):
    """How long the simulations run."""

    customers: int
    months: int
    repeats: int


SIZES = {"small": Size(3_000, 24, 60), "full": Size(20_000, 30, 400)}


class Hits(NamedTuple):
    """How well a rule names, and how well its number ranks."""

    named: int
    right: int
    there: int  # who should be named
    auc: float  # chance that one who should be named ranks above one who should not

    @property
    def precision(self) -> float:
        return self.right / self.named if self.named else float("nan")

    @property
    def recall(self) -> float:
        return self.right / self.there if self.there else float("nan")


def hits(named: pd.Series, number: pd.Series, true: pd.Series) -> Hits:
    """All by customer_id: who is named, by which number (blank: the smallest), and who should be."""
    right = int((named & true).sum())
    ranked = area_under(number.fillna(number.min()).to_numpy(float), true.to_numpy(float))
    return Hits(int(named.sum()), right, int(true.sum()), ranked)


def crowded(**changes: object) -> Parameters:
    """A shop with more business customers and more abusers than usual, so that there is something to count."""
    plain = Parameters()
    people = tuple(replace(p, share=0.5) if p.on_account else p for p in plain.personas)
    return replace(plain, personas=people, abuser_share=0.04, **changes)  # type: ignore[arg-type]


def truth_of(shop: Shop) -> pd.DataFrame:
    return shop.truth["customers"].to_pandas().set_index("customer_id")


def late_trial(shop: Shop, day: date) -> tuple[Hits, Hits]:
    """The rule of `judge_payers` and that of the mean delay, among customers who were judged."""
    con = engine()
    owed = churn.invoices(record_of(shop, con).payments, zone=SHANGHAI)
    owed = owed.filter(owed.due_on <= day).mutate(paid_on=(owed.paid_on > day).ifelse(None, owed.paid_on))
    rows = churn.judge_payers(frame_of(churn.payers(owed, as_of=day))).set_index("customer_id")
    true, delay = truth_of(shop)["is_late_payer"].reindex(rows.index), rows["mean_delay_days"]
    return hits(rows["is_late"], rows["late_expected"], true), hits(delay > churn.GRACE, delay, true)


def returns_trial(shop: Shop, day: date) -> tuple[Hits, Hits]:
    """The rule of `judge_returners` and that of the plain share."""
    con = engine()
    record = record_of(shop, con)
    con.raw_sql("""CREATE OR REPLACE TABLE lines AS SELECT l.*, COALESCE(r.back, 0) AS returned_amount
        FROM clean_order_lines l LEFT JOIN (SELECT order_id, line_no, SUM(amount) AS back FROM raw_returns
        GROUP BY ALL) r USING (order_id, line_no)""")
    rows = churn.judge_returners(frame_of(churn.returned(record.orders, con.table("lines"), as_of=day)))
    rows = rows.set_index("customer_id")
    true = truth_of(shop)["is_abuser"].reindex(rows.index)
    share, usual = rows["returned"] / rows["lines"], rows["returned"].sum() / rows["lines"].sum()
    return hits(rows["is_unusual"], rows["ratio"], true), hits(share > churn.FAR * usual, share, true)


def busy() -> Parameters:
    """A plain shop of frequent buyers, of whom some leave after every order."""
    return Parameters.plain(rate_r=6.0, rate_alpha=8.0, dropout_a=1.0, dropout_b=60.0)


def drops_trial(shop: Shop, day: date) -> tuple[Hits, Hits]:
    """The rule of `judge_drops` and that of plain silence, among those whom it looks at."""
    con = engine()
    rhythms = frame_of(churn.rhythms(record_of(shop, con).purchases(day), as_of=day))
    rows = churn.judge_drops(rhythms).set_index("customer_id")
    left = truth_of(shop)["left_at"].reindex(rows.index)
    gone = left.notna() & (left <= pd.Timestamp(day))
    silent = rows["recent"] <= rows["expected"] / 2
    return hits(rows["dropped"], -rows["p_value"], gone), hits(silent, -rows["recent"], gone)


def false_alarms(repeats: int, *, customers: int = 300, seed: int = 4, quiet: float = 1.0) -> int:
    """In how many shops anybody is named, though everybody keeps their rate (or all slow down alike: `quiet`)."""
    rng = np.random.default_rng(seed)
    named = 0
    for _shop in range(repeats):
        rate, days = rng.gamma(3.0, 0.01, customers), rng.integers(120, 600, customers)
        before = rng.poisson(rate * days)
        recent = rng.poisson(quiet * rate * churn.RECENT_DAYS)
        gap = rng.exponential(1 / rate)
        rows = pd.DataFrame({
            "customer_id": [f"c{i:04d}" for i in range(customers)], "repeats": before, "days_before": days,
            "quiet_before": np.minimum(gap, days).astype(int), "recent": recent, "mean_value": 10.0,
        })  # fmt: skip
        named += int(churn.judge_drops(rows)["dropped"].any())
    return named


def main(size: str = "full") -> None:
    chosen = SIZES[size]
    day = last_day(chosen.months)
    shop = simulate(chosen.customers, chosen.months, 3, crowded())
    print(f"{chosen.customers:,} customers, {chosen.months} months")
    for name, trial, of in (("late payers", late_trial, shop), ("abusers of returns", returns_trial, shop),
                            ("left lately", drops_trial, simulate(chosen.customers, chosen.months, 8, busy()))):
        for rule, found in zip(("ours", "naive"), trial(of, day), strict=True):
            print(f"{name:20} {rule:6} named {found.named:5} right {found.right:5} of {found.there:5}   "
                  f"precision {found.precision:.3f}   recall {found.recall:.3f}   AUC {found.auc:.3f}")
    for quiet in (1.0, 0.6):
        alarms = false_alarms(chosen.repeats, quiet=quiet)
        print(f"nobody dropped, all at {quiet:.0%} of their rate: anybody named in {alarms} of {chosen.repeats} shops "
              f"(stated: at most {churn.FALSE_SHARE:.0%})")


if __name__ == "__main__":
    main()
