"""One decision as the account book keeps it: who decided what for whom, what it was expected to earn, and how it will
be judged. Free of language; amounts in the reporting currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

FORMAT = 2  # 1 knew neither codes nor households
CHANNELS = ("mail", "sms", "app", "call", "post")
# Why somebody on the list is not contacted, in the order in which one who has several reasons is counted.
REASONS = ("duplicate", "closed", "no_consent", "no_profiling", "unsubscribed", "open_complaint", "recently_contacted",
           "held_out")


class Forecast(NamedTuple):
    """What the action is expected to bring within its horizon."""

    effect: float | None  # currency for each customer treated, before the cost of the action; None: not known
    low: float | None
    high: float | None
    total: float | None  # currency earned by all treated, after the cost of the action
    total_low: float | None
    total_high: float | None
    evidence: str  # randomised, matched, assumed; "" where there is none
    basis: str  # settled, given, churn, campaigns, none
    reason: str = ""  # why there is no effect


class Power(NamedTuple):
    """What the two arms together can see."""

    mean: float | None  # of the metric, for each customer of the list and window of the horizon's length; past windows
    sd: float | None  # standard deviation of one customer's metric in such a window
    windows: int  # past windows that it is known from
    correlation: float | None  # of a customer's metric in one window with what was usual before
    smallest_effect: float | None  # currency a customer that is found in four of five cases (two-sided, 5 %)
    expected: float | None  # the effect a customer that it is held against: the forecast's, else a bold one
    needed: int | None  # customers, both arms together, that would see the expected effect at this share
    judgeable: bool  # whether the smallest effect is not above the expected one
    basis: str = "own_past"  # afterwards: of those on the same list earlier, in the window after it; else own_past, ""
    design_effect: float = 1.0  # variance of a mean, households drawn whole, beside that of customers drawn singly


class Price(NamedTuple):
    """Who would pay less than customers who are equal to them (same segment and class of value)."""

    favoured: int  # customers of the treated arm, who get the price
    equal_without: int  # equal customers who do not get it, the control included
    groups: int  # groups of equals that the price divides
    loyal_without: int  # of the equal ones: champions and loyal customers
    bought_lately: int  # favoured customers who paid the plain price within the last 30 days
    personal: tuple[str, ...]  # facts such as gender in which favoured and equals differ by more than chance


@dataclass(frozen=True)
class Decision:
    """One action for one list, registered."""

    id: str
    owner: str  # who decided
    decided_at: str  # ISO time, UTC
    action: str
    offer: str
    channel: str
    cost_per_person: float  # currency
    list_name: str  # as it was asked for: churn, segment:at_risk, …
    list_kind: str  # churn, segment, cluster, risk, saved, where
    table: str  # table of customers that the rule reads
    rule: str  # filter sentence
    period: str
    as_of: date  # last day that the list knows
    starts_on: date  # first day on which the action works
    horizon_days: int
    metric: str  # margin where costs of orders are known, else revenue
    asked: int  # customers on the list
    removed: Mapping[str, int]  # reason → customers, each counted once
    overlaps: Mapping[str, int]  # reason → customers, whatever else keeps them off
    not_checked: tuple[str, ...]  # reasons of which nothing is known
    treated: int
    control: int
    control_share: float  # as drawn
    salt: str
    strata: int  # layers within which the control was drawn
    forecast: Forecast
    power: Power
    price: Price | None  # None where the offer is no price
    warnings: tuple[str, ...]
    code_version: str
    list_hash: str  # of customer ids and arms
    key: tuple[int, str, str]  # version of normal forms, id and fingerprint of the key behind the pseudonyms
    request: str  # hash of what was asked for: the same request gives the same arms
    code: str = ""  # that a customer enters for the offer; "": it needs none
    treated_households: int = 0  # drawn whole; 0: in format 1 customers were drawn one by one
    control_households: int = 0
    cancelled: str = ""  # ISO time, "" while it stands
    cancelled_by: str = ""
    cancelled_why: str = ""
    format: int = FORMAT

    @property
    def ends_on(self) -> date:
        """The last day on which orders count."""
        return self.starts_on + timedelta(days=self.horizon_days - 1)

    @property
    def eligible(self) -> int:
        return self.treated + self.control

    @property
    def cost(self) -> float:
        """What the action costs: currency."""
        return self.cost_per_person * self.treated

    @property
    def has_households(self) -> bool:
        """Whether several customers of one household are in it."""
        return 0 < self.treated_households + self.control_households < self.eligible

    def ripe_on(self, day: date) -> bool:
        """Whether the horizon is over at the end of that day."""
        return day >= self.ends_on


def as_json(decision: Decision) -> dict[str, Any]:
    """The record as JSON holds it, without what a later cancellation says."""
    record = asdict(decision)
    for name in ("cancelled", "cancelled_by", "cancelled_why"):
        record.pop(name)
    for name in ("forecast", "power", "price"):
        part = getattr(decision, name)
        record[name] = None if part is None else part._asdict()
    return record | {"as_of": decision.as_of.isoformat(), "starts_on": decision.starts_on.isoformat()}


def from_json(record: Mapping[str, Any], cancelled: Mapping[str, str] | None = None) -> Decision:
    """The decision of a record, and of its cancellation if there was one."""
    told = cancelled or {"at": "", "by": "", "why": ""}
    price = record["price"]
    return Decision(**{
        **record,
        "as_of": date.fromisoformat(record["as_of"]), "starts_on": date.fromisoformat(record["starts_on"]),
        "forecast": Forecast(**record["forecast"]), "power": Power(**record["power"]),
        "price": None if price is None else Price(**price | {"personal": tuple(price["personal"])}),
        **{name: tuple(record[name]) for name in ("not_checked", "warnings", "key")},
        "cancelled": told["at"], "cancelled_by": told["by"], "cancelled_why": told["why"],
    })  # fmt: skip
