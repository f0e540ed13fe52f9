"""The named results of profiling: values ready to be found, with units, intervals, and reasons where there is none.

What each means is told in the package's docstring and in the metric dictionary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from workbook.comparison.forecast import Forecast
from workbook.data.findings import Figure
from workbook.profiling import concentration
from workbook.profiling.bridge import Split
from workbook.scoring import wilson

PARTS = ("customers", "orders_per_customer", "basket", "units", "price", "mix", "price_and_mix", "basket_size",
         "discount", "returns", "anonymous")  # fmt: skip
HEADLINES = ("net_revenue", "active_customers", "new_customers", "orders", "average_order_value", "margin")
OF_VALUES = ("value_mean", "value_median", "gini", "top20_share")


def _ratio(name: str, over: Any, under: Any, unit: str, *, n: int | None = None, reason: str = "no_orders") -> Figure:
    """A quotient, or the reason why there is none."""
    if not under:
        return Figure(name, None, unit, reason=reason)
    return Figure(name, float(over) / float(under), unit, n=n)


def of_activity(row: Mapping[str, Any], *, new_customers: int) -> Iterator[Figure]:
    """The period's figures from one row of `activity.totals`."""
    customers, orders = int(row["customers"] or 0), int(row["all_orders"] or 0)
    yield Figure("active_customers", customers, "customers")
    yield Figure("new_customers", new_customers, "customers")
    yield Figure("returning_customers", customers - new_customers, "customers")
    yield Figure("orders", orders, "orders")
    unknown = bool(orders) and not row["all_units"]
    units = None if unknown else row["all_units"]
    yield Figure("units", units, "units", n=orders, reason="no_units" if unknown else "")
    yield Figure("revenue", row["all_amount"], "money", n=orders)
    yield Figure("net_revenue", row["all_net"], "money", n=orders)
    yield _ratio("average_order_value", row["all_net"], orders, "money", n=orders)
    yield _ratio("orders_per_customer", row["orders"] or 0, customers, "number", n=customers)
    yield _ratio("identified_share", row["net"], row["all_net"], "share", n=orders)


def of_headlines(
    row: Mapping[str, Any], costs: Mapping[str, Any], *, new_customers: int, suffix: str, reason: str
) -> Iterator[Figure]:
    """The headline figures of an earlier period, each with its suffix; none where nobody bought in it."""
    for figure in (*of_activity(row, new_customers=new_customers), of_margin(costs)):
        if figure.name in HEADLINES and not row["all_orders"]:
            yield Figure(f"{figure.name}_{suffix}", None, figure.unit, reason=reason)
        elif figure.name in HEADLINES:
            yield figure._replace(name=f"{figure.name}_{suffix}")


def of_margin(row: Mapping[str, Any]) -> Figure:
    """The margin from one row of `activity.margin`."""
    if not row["orders"]:
        return Figure("margin", None, "share", reason="no_cost")
    return _ratio("margin", row["net_of_tax"] - row["cost"], row["net_of_tax"], "share", n=int(row["orders"]))


def of_lifecycle(sized: pd.DataFrame) -> Iterator[Figure]:
    """Customers of each stage, and all who ever bought."""
    sizes = dict(zip(sized["lifecycle"], sized["customers"].astype(int), strict=True))
    yield Figure("customers", sum(sizes.values()) - sizes["prospect"], "customers")
    yield Figure("prospects", sizes["prospect"], "customers")
    for stage, size in sizes.items():
        if stage != "prospect":
            yield Figure(f"lifecycle_{stage}", size, "customers")


def of_second_purchases(row: Mapping[str, Any], *, smallest_sample: int) -> Figure:
    """The second-purchase rate from one row of `lifecycle.second_purchases`."""
    n = int(row["customers"] or 0)
    if n < smallest_sample:
        return Figure("second_purchase_rate_90d", None, "share", n=n, reason="too_few")
    share = wilson(int(row["repeaters"]), n)
    return Figure("second_purchase_rate_90d", share.value, "share", share.low, share.high, n)


def of_values(values: np.ndarray, *, rng: np.random.Generator, smallest_sample: int) -> Iterator[Figure]:
    """Mean, median, Gini coefficient and share of the best, of the customers who bought in the window."""
    n = len(values)
    if n < smallest_sample or not concentration.floored(values).sum():
        for name, unit in zip(OF_VALUES, ("money", "money", "number", "share"), strict=True):
            yield Figure(name, None, unit, n=n, reason="too_few")
        return
    spread = concentration.spread(values)
    gini, top = concentration.with_interval(values, rng=rng)
    yield Figure("value_mean", spread.mean, "money", n=n)
    yield Figure("value_median", spread.median, "money", n=n)
    yield Figure("gini", *_with_unit(gini, "number"), n=n)
    yield Figure("top20_share", *_with_unit(top, "share"), n=n)


def _with_unit(interval: concentration.Interval, unit: str) -> tuple[float, str, float, float]:
    return interval.value, unit, interval.low, interval.high


def of_change(split: Split | None, *, whole: bool = True) -> Iterator[Figure]:
    """The change in net revenue and its parts; each part under its own name. A period that is not over has none."""
    if split is None:
        yield Figure("revenue_change", None, "money", reason="no_previous" if whole else "partial")
        return
    yield Figure("revenue_change", split.change, "money")
    parts = {**split.parts, "basket": split.basket}
    for name in PARTS:
        if name in parts:
            yield Figure(f"change_{name}", parts[name], "money")


def of_visits(row: Mapping[str, Any] | None) -> Iterator[Figure]:
    """What happened on the web site, from one row of `behaviour.summary`; None where no events arrived."""
    units = {"visits": "visits", "visitors": "visitors", "dwell_minutes_median": "minutes"}
    if row is None:
        yield from (Figure(name, None, unit, reason="no_events") for name, unit in units.items())
        return
    yield Figure("visits", int(row["visits"]), units["visits"])
    yield Figure("visitors", int(row["visitors"]), units["visitors"])
    median = row["dwell_median"]
    unknown = median is None or median != median
    yield Figure("dwell_minutes_median", None if unknown else median, units["dwell_minutes_median"],
                 n=int(row["visits"]), reason="not_timed" if unknown else "")  # fmt: skip


def of_forecast(ahead: Forecast, last: Forecast, held: Sequence[bool]) -> Iterator[Figure]:
    """What is expected of the next period, what was expected of this one, and how often past intervals held."""
    claim = {"n": ahead.n or None, "reason": ahead.reason}
    yield Figure("next_net_revenue", ahead.value, "money", ahead.low, ahead.high, **claim, evidence="observed")
    yield Figure("next_net_revenue_rule", ahead.rule or None, "text", **claim)
    yield Figure("next_net_revenue_naive", ahead.naive, "money", **claim, evidence="observed")
    yield Figure("forecast_error", ahead.error, "share", **claim)
    yield Figure("forecast_error_naive", ahead.naive_error, "share", **claim)
    yield Figure("last_forecast_net_revenue", last.value, "money", last.low, last.high, last.n or None, last.reason,
                 "observed")  # fmt: skip
    if held:
        share = wilson(sum(held), len(held))
        yield Figure("forecast_coverage", share.value, "share", share.low, share.high, len(held))
    else:
        yield Figure("forecast_coverage", None, "share", reason=ahead.reason or "too_short")
