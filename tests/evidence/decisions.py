"""The account of decisions on shops whose truth is known: does the interval hold the truth as often as it says?

    PYTHONPATH=tests python -m evidence.decisions

Each shop is simulated twice from the same seed: with the action and without it. The difference, customer by customer,
is what the action did to each of the treated: the truth. The list is drawn as `workbook export` draws it (salted hash,
layers of what customers brought before), the treated get the action, the control does not, and the shop's orders go
through the same settlement as in a report. Two lists: the best customers of the last 60 days, and those who have gone
quiet; each with actions that do something, and with one that does nothing.

The naive rivals: the same treated customers before and after; and the treated beside everybody else.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import ibis
import numpy as np
import pandas as pd
from scipy import stats

from workbook.ab_testing.members import TREATED
from workbook.ab_testing.programme import agrees, programme
from workbook.ab_testing.settlement import Settlement, settle
from workbook.data.simulate import Action, Parameters, Shop, simulate
from workbook.decisions.draws import draw, layers
from workbook.decisions.record import Decision, Forecast, Power

CUSTOMERS, MONTHS, AS_OF, DAYS = 1_500, 18, date(2025, 3, 31), 60
SEEN_ON = AS_OF + timedelta(days=DAYS)
CHINA = pd.Timedelta(hours=8)
COST = 2.0  # currency a person
SHARE = 0.3  # held out
ACTIONS = {
    "nothing": {},
    "half as many orders again": {"rate": 1.5},
    "baskets larger by a quarter": {"basket": 1.25},
    "every sixth who left comes back": {"comes_back": 1 / 6},
    "a third fewer orders": {"rate": 2 / 3},
}
LISTS = ("best", "quiet")
SIZES = {"small": 8, "full": 30}  # shops for each list and action


class Trial(NamedTuple):
    """One settled decision beside its truth."""

    settlement: Settlement
    truth: float  # of the decision's metric: mean over the treated of with − without
    truth_revenue: float


def main(size: str = "full") -> None:
    shops = SIZES[size]
    print(f"{shops} shops of {CUSTOMERS:,} customers for each line; lists of customers at {AS_OF}, {SHARE:.0%} held "
          f"out, window of {DAYS} days. 95 % of intervals are to hold the truth.")
    kept = []
    for which in LISTS:
        for name in ACTIONS:
            trials = list(settled(which, name, range(shops)))
            kept += trials
            print(line(f"{which}: {name}", trials))
    print(line("all", kept))
    print("The share that naive comparisons call right (truth inside the same width around them), and their bias:")
    for which in LISTS:
        print(naive_line(which, [trial for trial in kept if trial.settlement.decision.list_name == which]))
    print(verdict_line(kept))


def line(name: str, trials: list[Trial]) -> str:
    """One line: how often the intervals hold the truth, how wide they are, and how far off their middle is."""
    held, held_revenue = sum(map(holds, trials)), sum(map(holds_revenue, trials))
    low, high = bounds(len(trials))
    found = [trial.settlement.main for trial in trials]
    off = np.mean([one.difference - trial.truth for one, trial in zip(found, trials, strict=True)])
    wide = np.mean([(one.high - one.low) / 2 for one in found])
    truth = np.mean([trial.truth for trial in trials])
    treated = np.mean([one.n for one in found])
    return (f"  {name:<42} {held / len(trials):.3f} of {len(trials)} (chance allows {low / len(trials):.3f} to "
            f"{high / len(trials):.3f}); revenue {held_revenue / len(trials):.3f}; truth {truth:+.2f}, off by "
            f"{off:+.2f}, ± {wide:.2f} a person, {treated:.0f} treated")


def naive_line(which: str, trials: list[Trial]) -> str:
    """How wrong the two naive comparisons are, on the decisions whose control tells the truth."""
    told = []
    for name in ("before_after", "everybody_else"):
        off = [getattr(trial.settlement.naive, name) - trial.truth for trial in trials]
        right = np.mean([abs(apart) <= half(trial) for apart, trial in zip(off, trials, strict=True)])
        told.append(f"{name} {right:.3f} right, off by {np.mean(off):+.2f}")
    control = np.mean([trial.settlement.main.difference - trial.truth for trial in trials])
    return f"  {which:<8} {'; '.join(told)}; against the control {np.mean(list(map(holds, trials))):.3f} right, " \
           f"off by {control:+.2f}"


def verdict_line(trials: list[Trial]) -> str:
    """Which verdicts were given to actions that do nothing, and how good forecasts of nothing are."""
    nothing = [trial for trial in trials if trial.settlement.decision.action == "nothing"]
    wrong = sum(trial.settlement.verdict == "earned" for trial in nothing)
    inside = sum(bool(agrees(trial.settlement)) for trial in trials)
    account = programme([trial.settlement for trial in trials], period_start=AS_OF)
    truth = sum(trial.truth * trial.settlement.treated - trial.settlement.cost for trial in trials)
    value, low, high = account.earned[:3]
    return (f"Actions that do nothing and cost {COST:g} a person were said to have earned in {wrong} of "
            f"{len(nothing)}. Forecasts of the true effect agree with the outcome in {inside / len(trials):.3f}.\n"
            f"All together earned {value:,.0f} ({low:,.0f} to {high:,.0f}); in truth {truth:,.0f}.")


def bounds(n: int, share: float = 0.95) -> tuple[int, int]:
    """Between how many of n an interval of that share lies in 99.9 % of cases."""
    return int(stats.binom.ppf(0.0005, n, share)), int(stats.binom.ppf(0.9995, n, share))


def holds(trial: Trial) -> bool:
    return trial.settlement.main.low <= trial.truth <= trial.settlement.main.high


def holds_revenue(trial: Trial) -> bool:
    return trial.settlement.revenue.low <= trial.truth_revenue <= trial.settlement.revenue.high


def half(trial: Trial) -> float:
    return (trial.settlement.main.high - trial.settlement.main.low) / 2


def settled(which: str, action: str, seeds: range) -> Iterator[Trial]:
    """One decision in each of the shops, settled at the end of its window."""
    for seed in (start + 1_000 * list(ACTIONS).index(action) for start in seeds):
        base = recorded(simulate(CUSTOMERS, MONTHS, seed, parameters()))
        people = drawn(base["orders"], which, salt=str(seed))
        decision = registered(people, which, action)
        treated = tuple(people.loc[people["arm"] == TREATED, "customer_id"])
        done = Action(decision.id, decision.starts_on, treated, days=DAYS, cost=COST, **ACTIONS[action])
        shop = recorded(simulate(CUSTOMERS, MONTHS, seed, parameters(done)))
        truth = brought(shop["orders"], treated) - brought(base["orders"], treated)
        forecast = decision.forecast._replace(effect=truth["margin"], low=truth["margin"], high=truth["margin"])
        told = Decision(**vars(decision) | {"forecast": forecast})
        con = ibis.duckdb.connect(threads=1)
        tables = {name: con.create_table(name, frame) for name, frame in shop.items()}
        (found,) = settle([told], {decision.id: people}.__getitem__, tables["orders"], as_of=SEEN_ON,
                          returns=tables["returns"], contacts=tables["contacts"], frame=ibis.Table.to_pandas)
        yield Trial(found, truth["margin"], truth["revenue"])


def brought(orders: pd.DataFrame, customers: tuple[str, ...]) -> pd.Series:
    """Margin and revenue of each of these customers in the window, on average: counted here, not by the library."""
    inside = orders[orders["customer_id"].isin(customers) & (orders["ordered_on"] > pd.Timestamp(AS_OF))
                    & (orders["ordered_on"] <= pd.Timestamp(SEEN_ON))]
    kept = inside["net_amount"] / inside["amount"]
    return pd.Series({"margin": (inside["net_amount"] - inside["cost"] * kept).sum(),
                      "revenue": inside["net_amount"].sum()}) / len(customers)


def parameters(*actions: Action) -> Parameters:
    return Parameters(actions=actions, experiments=(), tracked_share=0.0, guest_share=0.0)


def recorded(shop: Shop) -> dict[str, pd.DataFrame]:
    """Orders, returns and contacts of a simulated shop as 02 keeps them."""
    tables = {name: shop.tables[name].to_pandas() for name in ("orders", "returns", "contacts")}
    orders, returns, contacts = tables.values()
    returns["returned_on"] = (returns["returned_at"] + CHINA).dt.normalize()
    returns["amount"] = returns["amount"].astype(float)
    returns = returns[returns["returned_on"] <= pd.Timestamp(SEEN_ON)]
    back = returns.groupby("order_id")["amount"].sum().reindex(orders["order_id"]).fillna(0.0).to_numpy()
    amount = orders["amount"].astype(float)
    orders = pd.DataFrame({
        "order_id": orders["order_id"], "customer_id": orders["customer_id"], "amount": amount,
        "ordered_on": pd.to_datetime(orders["ordered_on"]), "net_amount": (amount - back).round(4),
        "cost": orders["cost"].astype(float), "is_return": False,
        **({"discount_code": orders["discount_code"]} if "discount_code" in orders else {})})
    contacts["sent_on"] = (contacts["sent_at"] + CHINA).dt.normalize()
    return {"orders": orders, "returns": returns[["order_id", "returned_on", "amount"]],
            "contacts": contacts[["customer_id", "campaign_id", "channel", "offer", "sent_on"]]}


def drawn(orders: pd.DataFrame, which: str, *, salt: str) -> pd.DataFrame:
    """A list with its arms, as the register keeps it: the best of the last 60 days, or those gone quiet."""
    first = AS_OF - timedelta(days=DAYS - 1)
    orders = orders[(orders["ordered_on"] <= pd.Timestamp(AS_OF)) & orders["customer_id"].notna()].copy()
    orders["margin"] = orders["net_amount"] - orders["cost"] * orders["net_amount"] / orders["amount"]
    last, times = orders.groupby("customer_id")["ordered_on"].max(), orders.groupby("customer_id").size()
    before = orders[orders["ordered_on"] >= pd.Timestamp(first)].groupby("customer_id")["margin"].sum()
    people = pd.DataFrame({"last": last, "times": times}).join(before.rename("before")).fillna({"before": 0.0})
    if which == "best":
        people = people[people["before"] > 0]
    else:
        people = people[(people["before"] == 0) & (people["last"] >= pd.Timestamp(AS_OF - timedelta(days=365)))]
    people = people.reset_index().sort_values("customer_id", ignore_index=True)
    stratum = layers(people["before"].to_numpy(), correlation=0.3)
    held = draw(list(people["customer_id"]), decision_id=which, salt=salt, share=SHARE, strata=list(stratum))
    return people[["customer_id", "before"]].assign(arm=np.where(held, "control", TREATED))


def registered(people: pd.DataFrame, which: str, action: str) -> Decision:
    """A decision as `workbook export` registers it."""
    treated = int((people["arm"] == TREATED).sum())
    return Decision(
        id=f"2025-03-{which}", owner="evidence", decided_at="2025-04-01T01:00:00+00:00", action=action, offer="",
        channel="mail", cost_per_person=COST, list_name=which, list_kind="where", table="customers", rule=which,
        period="2025-03", as_of=AS_OF, starts_on=AS_OF + timedelta(days=1), horizon_days=DAYS, metric="margin",
        asked=len(people), removed={}, overlaps={}, not_checked=(), treated=treated, control=len(people) - treated,
        control_share=SHARE, salt="1", strata=1, forecast=Forecast(0.0, 0.0, 0.0, None, None, None, "assumed", "given"),
        power=Power(None, None, 0, None, None, None, None, False), price=None, warnings=(), code_version="",
        list_hash="", key=(1, "", ""), request="")


if __name__ == "__main__":
    main()
