"""From orders and lines to one row per customer: how somebody buys, and what for.

Everything is as known on the day: a return that came later is not taken off, a later order is unseen. Shares are left
as they are here; that one order says little about a mix is the business of `scaling`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Literal, NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.data.engine import few_rows, settled
from workbook.history import is_purchase, known_on, year_before

SUMMED = ("amount", "net_amount", "units", "lines", "discount")
LEAST_YEARS = 0.5  # a customer of last week who bought once does not buy 52 times a year
Group = Literal["rhythm", "value", "care", "mix"]
Kind = Literal["log", "signed_log", "share", "plain"]


class Measure(NamedTuple):
    """One column of the feature table."""

    name: str
    group: Group
    kind: Kind  # how `scaling` tames its tail
    unit: str


KNOWN = (
    Measure("recency_days", "rhythm", "log", "days"),
    Measure("purchases_per_year", "rhythm", "log", "number"),
    Measure("gap_days", "rhythm", "log", "days"),
    Measure("gap_variation", "rhythm", "log", "number"),
    Measure("order_value", "value", "signed_log", "money"),
    Measure("units_per_order", "value", "signed_log", "number"),
    Measure("lines_per_order", "value", "log", "number"),
    Measure("returned_share", "care", "share", "share"),
    Measure("discount_share", "care", "share", "share"),
)
MEASURES = tuple(measure.name for measure in KNOWN)  # those that need no list of categories or channels
GROUPS: tuple[Group, ...] = ("rhythm", "value", "care", "mix")


class Mix(NamedTuple):
    """The categories and channels whose shares are measured, the largest first: column `category_1` is the first."""

    categories: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, str]:
        """Column → category or channel."""
        named = {f"category_{i}": name for i, name in enumerate(self.categories, start=1)}
        return named | {f"channel_{i}": name for i, name in enumerate(self.channels, start=1)}


NO_MIX = Mix()


def measure(name: str) -> Measure:
    """What is known of a column of the feature table."""
    known = {each.name: each for each in KNOWN}
    return known.get(name, Measure(name, "mix", "share", "share"))


def main_mix(
    orders: ir.Table, lines: ir.Table | None, *, as_of: date, most_categories: int = 6, most_channels: int = 3
) -> Mix:
    """The categories that most is spent on and the channels most used, where there is more than one of them."""
    channels = _largest(orders.filter(orders.ordered_on <= as_of, is_purchase(orders)), "channel", most_channels)
    categories = () if lines is None else _largest(bought_lines(lines, as_of), "category", most_categories)
    return Mix(categories, channels)


def _largest(rows: ir.Table, column: str, most: int) -> tuple[str, ...]:
    """Names by amount; none where all rows have the same or none."""
    if column not in rows.columns:
        return ()
    known = rows.filter(rows[column].notnull(), rows.customer_id.notnull())
    sums = known.group_by(name=known[column]).aggregate(amount=known.amount.sum())
    found = few_rows(sums.filter(sums.amount > 0).order_by(sums.amount.desc(), "name").limit(most))
    return tuple(row["name"] for row in found) if len(found) > 1 else ()


def bought_lines(lines: ir.Table, as_of: date) -> ir.Table:
    """What was bought, goods only, at the amount of the purchase."""
    bought = lines.filter(lines.customer_id.notnull(), lines.ordered_on <= as_of, lines.amount > 0)
    for flag in ("is_return", "is_duplicate"):
        if flag in bought.columns:
            bought = bought.filter(~bought[flag].coalesce(False))
    return bought.filter(bought.is_product.coalesce(True)) if "is_product" in bought.columns else bought


def features(
    orders: ir.Table, returns: ir.Table | None = None, *, as_of: date, lines: ir.Table | None = None, mix: Mix = NO_MIX
) -> ir.Table:
    """Behaviour and value of each customer who bought up to and including `as_of`.

    Args:
        orders: clean/orders; units, lines, discount, channel where known.
        returns: clean/returns, so that what came back after `as_of` is not seen.
        lines: clean/order_lines, for the shares of `mix.categories`.
        mix: see `main_mix`; without it no shares of categories and channels.

    Returns:
        customer_id; purchase_days; recency_days; purchases_per_year (purchase days a year since the first, counting at
        least half a year); gap_days (mean days between purchases, of two or more); gap_variation (standard deviation
        over mean of those days, of three purchases or more; 1 is as irregular as chance); order_value (net, a purchase
        day); units_per_order, lines_per_order (a purchase day); returned_share, discount_share (of the amount before
        them); category_<n>, channel_<n> (of what was spent); net_amount, spend_12m (currency). Blank: not known.
    """
    seen = known_on(orders, returns, day=as_of)
    bought = seen.filter(seen.customer_id.notnull(), is_purchase(seen))
    days = settled(per_day(bought))
    table = _behaviour(days, as_of).left_join(_gaps(days), "customer_id").drop("customer_id_right")
    parts = [shares(bought, "channel", mix.channels)] if mix.channels else []
    if lines is not None and mix.categories:
        parts.append(shares(bought_lines(lines, as_of), "category", mix.categories))
    for part in parts:
        table = table.left_join(part, "customer_id").drop("customer_id_right")
    return table.mutate(purchase_days=table.purchase_days.cast("int64"))


def per_day(bought: ir.Table) -> ir.Table:
    """customer_id, ordered_on, and the sums of that day as floats."""
    columns = {name: name for name in ("units", "lines", "discount") if name in bought.columns}
    sums = {name: bought[name].cast("float64").sum() for name in columns}
    blank = {name: ibis.null("float64") for name in ("units", "lines", "discount") if name not in columns}
    days = bought.group_by("customer_id", "ordered_on").aggregate(
        amount=bought.amount.cast("float64").sum(), net_amount=bought.net_amount.cast("float64").sum(), **sums
    )
    return days.mutate(**blank) if blank else days


def _behaviour(days: ir.Table, as_of: date) -> ir.Table:
    by = days.group_by("customer_id")
    sums = by.aggregate(
        first=days.ordered_on.min(), last=days.ordered_on.max(), purchase_days=days.count(),
        net_amount=days.net_amount.sum(),
        spend_12m=days.net_amount.sum(where=days.ordered_on > year_before(as_of)).coalesce(0.0),
    )  # fmt: skip
    today = ibis.literal(as_of)
    years = ibis.greatest((today.delta(sums["first"], unit="day") + 1) / 365.25, LEAST_YEARS)
    rhythm = sums.select(
        "customer_id", "purchase_days",
        recency_days=today.delta(sums["last"], unit="day").cast("float64"),
        purchases_per_year=sums.purchase_days / years,
        net_amount=sums.net_amount, spend_12m=sums.spend_12m,
    )  # fmt: skip
    return rhythm.inner_join(worth(by, days), "customer_id")


def worth(by: Any, days: ir.Table) -> ir.Table:
    """Value and care of each group of days: what a purchase day is like."""
    sums = by.aggregate(n=days.count(), **{name: days[name].sum() for name in SUMMED})
    gross = (sums.amount + sums.discount).nullif(0)
    return sums.mutate(
        order_value=sums.net_amount / sums.n,
        units_per_order=sums.units / sums.n,
        lines_per_order=sums.lines / sums.n,
        returned_share=((sums.amount - sums.net_amount) / sums.amount.nullif(0)).clip(0, 1),
        discount_share=(sums.discount / gross).clip(0, 1),
    ).drop("n", *SUMMED)


def _gaps(days: ir.Table) -> ir.Table:
    """customer_id, gap_days, gap_variation; blank below two and three purchase days."""
    before = days.ordered_on.lag().over(ibis.window(group_by="customer_id", order_by="ordered_on"))
    gaps = days.mutate(gap=days.ordered_on.delta(before, unit="day").cast("float64"))
    found = gaps.group_by("customer_id").aggregate(n=gaps.gap.count(), mean=gaps.gap.mean(), sd=gaps.gap.std(how="pop"))
    return found.select(
        "customer_id", gap_days=found["mean"],
        gap_variation=ibis.ifelse(found.n >= 2, found.sd / found["mean"], None),
    )  # fmt: skip


def shares(rows: ir.Table, column: str, names: Sequence[str], by: Sequence[str] = ("customer_id",)) -> ir.Table:
    """The share of each name in what was spent: <column>_1, <column>_2 …"""
    amount, columns = rows.amount.cast("float64"), {f"{column}_{i}": name for i, name in enumerate(names, start=1)}
    sums = rows.group_by(*by).aggregate(
        whole=amount.sum(), **{key: amount.sum(where=rows[column] == name) for key, name in columns.items()}
    )
    return sums.select(*by, **{key: sums[key].coalesce(0.0) / sums.whole.nullif(0) for key in columns})
