"""What happened after a forecast, beside it: honest, because the forecast saw nothing of it.

A cut-off day parts the record. Counts and values are taken as they were known on that day (`history.known_on`); what
was bought after it, up to `until`, is only compared. Purchases are days with a purchase, as in the counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook.clv import gamma_gamma
from workbook.clv.counts import DAYS_A_WEEK, counted
from workbook.clv.expectations import expected_purchases, expected_total
from workbook.clv.fits import Fit
from workbook.history import known_on, purchase_days, year_before
from workbook.scoring import Z

Read = Callable[[ir.Table], pd.DataFrame]
WEEKS_A_YEAR = 365.2425 / DAYS_A_WEEK
SHORTEST_RECORD = 8  # weeks that may be parted into a known and a later half
TRACKED = ("week", "week_end", "after_cut_off", "actual", "expected", "actual_total", "expected_total")


def first_day_of(orders: ir.Table, read: Read) -> date | None:
    """The first day with an order of a known customer; None without any."""
    found = read(orders.filter(orders.customer_id.notnull()).aggregate(first=orders.ordered_on.min()))["first"][0]
    return None if pd.isna(found) else pd.Timestamp(found).date()


def holdout(
    orders: ir.Table, returns: ir.Table | None, *, cut_off: date, until: date, unit_days: int = DAYS_A_WEEK
) -> ir.Table:
    """Customers as known on `cut_off`, and what they bought after it up to `until`.

    Returns:
        the columns of `customer_table`; purchases_last_year, spend_last_year (before the cut-off); actual_purchases,
        actual_spend, actual_mean_value (blank where nothing was bought).
    """
    before = purchase_days(known_on(orders, returns, day=cut_off), as_of=cut_off)
    customers = counted(before, as_of=cut_off, unit_days=unit_days)
    lately = before.filter(before.ordered_on > year_before(cut_off))
    last_year = lately.group_by(customer_last_year="customer_id").aggregate(
        purchases_last_year=lately.count(), spend_last_year=lately.net_amount.sum().cast("float64")
    )
    known = purchase_days(known_on(orders, returns, day=until), as_of=until)
    after = known.filter(known.ordered_on > cut_off)
    bought = after.group_by(customer_after="customer_id").aggregate(
        actual_purchases=after.count(), actual_spend=after.net_amount.sum().cast("float64")
    )
    joined = customers.left_join(last_year, customers.customer_id == last_year.customer_last_year)
    joined = joined.left_join(bought, joined.customer_id == bought.customer_after)
    return joined.select(
        *customers.columns,
        purchases_last_year=joined.purchases_last_year.coalesce(0),
        spend_last_year=joined.spend_last_year.coalesce(0.0),
        actual_purchases=joined.actual_purchases.coalesce(0),
        actual_spend=joined.actual_spend.coalesce(0.0),
        actual_mean_value=joined.actual_spend / joined.actual_purchases,
    )


class Split(NamedTuple):
    """Where the known record is parted, so that its end can be forecast from its beginning."""

    cut_off: date
    until: date
    weeks: float  # after the cut-off


def earlier_split(as_of: date, first_day: date, horizon_weeks: float) -> Split:
    """The newest split whose later part is as long as the horizon, and at most half of the record.

    A record of less than eight weeks is not parted: weeks is 0.

    >>> earlier_split(date(2024, 3, 31), date(2024, 1, 1), 52)
    Split(cut_off=datetime.date(2024, 2, 15), until=datetime.date(2024, 3, 31), weeks=6.428571428571429)
    """
    known = (as_of - first_day).days
    days = min(round(horizon_weeks * DAYS_A_WEEK), known // 2) if known >= SHORTEST_RECORD * DAYS_A_WEEK else 0
    return Split(as_of - timedelta(days=days), as_of, days / DAYS_A_WEEK)


def tracking(
    orders: ir.Table, returns: ir.Table | None, fit: Fit, *, cut_off: date, until: date, read: Read
) -> pd.DataFrame:
    """Repeat purchases week by week, expected and real, of those whose first purchase was up to the cut-off.

    Returns:
        week (1 is the first of the record), week_end, after_cut_off, actual, expected (of the week), actual_total,
        expected_total (running sums).
    """
    if not fit.usable:
        return pd.DataFrame(columns=list(TRACKED))
    days = purchase_days(known_on(orders, returns, day=until), as_of=until)
    known = purchase_days(known_on(orders, returns, day=cut_off), as_of=cut_off)
    firsts = known.group_by("customer_id").aggregate(first_ordered_on=known.ordered_on.min())
    starts = read(firsts.group_by("first_ordered_on").aggregate(customers=firsts.count()).order_by("first_ordered_on"))
    theirs = days.inner_join(firsts, "customer_id")
    again = theirs.filter(theirs.ordered_on > theirs.first_ordered_on)
    bought = read(again.group_by("ordered_on").aggregate(purchases=again.count()).order_by("ordered_on"))
    return _by_week(starts, bought, fit, cut_off, until)


def _by_week(
    starts: pd.DataFrame, bought: pd.DataFrame, fit: Fit, cut_off: date, until: date
) -> pd.DataFrame:
    first_days = pd.to_datetime(starts["first_ordered_on"]).to_numpy().astype("datetime64[D]")
    if not len(first_days):
        return pd.DataFrame(columns=list(TRACKED))
    origin = first_days.min()
    weeks = math.ceil(((np.datetime64(until) - origin).astype(int) + 1) / DAYS_A_WEEK)
    ends = np.minimum(origin + np.arange(1, weeks + 1) * DAYS_A_WEEK - 1, np.datetime64(until))
    ages = np.maximum((ends[:, None] - first_days[None, :]).astype(int), 0) / DAYS_A_WEEK
    ages_known, which = np.unique(ages, return_inverse=True)
    expected = expected_total(fit, ages_known)[which].reshape(ages.shape) @ starts["customers"].to_numpy(float)
    on = pd.to_datetime(bought["ordered_on"]).to_numpy().astype("datetime64[D]")
    sums = np.concatenate([[0.0], np.cumsum(bought["purchases"].to_numpy(float))])
    actual = sums[np.searchsorted(on, ends, side="right")]
    return pd.DataFrame(
        {
            "week": np.arange(1, weeks + 1),
            "week_end": [end.astype(object) for end in ends],
            "after_cut_off": ends > np.datetime64(cut_off),
            "actual": np.diff(actual, prepend=0.0),
            "expected": np.diff(expected, prepend=0.0),
            "actual_total": actual,
            "expected_total": expected,
        }
    )


def by_frequency(fit: Fit, history: pd.DataFrame, weeks: float, *, most: int = 7) -> pd.DataFrame:
    """Mean purchases after the cut-off by the number of repeat purchases before it, expected and real.

    Returns:
        x ("0" … "7+"), customers, actual, expected, low, high (95 % interval of the actual mean; blank for one).
    """
    if not fit.usable or not len(history):
        return pd.DataFrame(columns=["x", "customers", "actual", "expected", "low", "high"])
    frame = pd.DataFrame(
        {
            "x": np.minimum(history["x"].to_numpy(int), most),
            "actual": history["actual_purchases"].to_numpy(float),
            "expected": expected_purchases(fit, history, weeks),
        }
    )
    grouped = frame.groupby("x")
    table = grouped[["actual", "expected"]].mean()
    table.insert(0, "customers", grouped.size())
    half = Z * grouped["actual"].std(ddof=1) / np.sqrt(table["customers"])
    table["low"], table["high"] = (table["actual"] - half).clip(lower=0), table["actual"] + half
    table = table.reset_index()
    table["x"] = [f"{x}+" if x == most else str(x) for x in table["x"]]
    return table


def forecasts_of_purchases(
    fit: Fit, history: pd.DataFrame, weeks: float, rival: pd.DataFrame | None = None
) -> dict[str, np.ndarray]:
    """Forecasts of each customer's purchases, the model first (where it is usable), then its rivals.

    Args:
        rival: customer_id, purchases, for the same customers (`rival.boosting`).
    """
    ages = np.maximum(history["T"].to_numpy(float) * fit.unit_days / DAYS_A_WEEK, 1.0)
    found = {"model": expected_purchases(fit, history, weeks)} if fit.usable else {}
    if rival is not None:
        found["boosting"] = _matched(rival, history, "purchases")
    found["past_rate"] = history["x"].to_numpy(float) / ages * weeks
    found["last_year"] = history["purchases_last_year"].to_numpy(float) * _year_share(ages, weeks)
    found["zero"] = np.zeros(len(history))
    return found


def forecasts_of_spend(
    fit: Fit, value_fit: Fit, history: pd.DataFrame, weeks: float, rival: pd.DataFrame | None = None
) -> dict[str, np.ndarray]:
    """Forecasts of each customer's spend (currency), the model first (where it is usable), then its rivals.

    past_rate: what repeat purchases brought, per week since the first. last_year: spend of twelve months, per week.
    constant: the mean of past_rate for everyone.
    """
    ages = np.maximum(history["T"].to_numpy(float) * fit.unit_days / DAYS_A_WEEK, 1.0)
    found = {}
    if fit.usable and value_fit.usable:
        found["model"] = expected_purchases(fit, history, weeks) * gamma_gamma.expected_value(value_fit, history)
    if rival is not None:
        found["boosting"] = _matched(rival, history, "spend")
    rate = (history["value_to_date"] - history["first_value"]).to_numpy(float) / ages * weeks
    found["past_rate"] = rate
    found["last_year"] = history["spend_last_year"].to_numpy(float) * _year_share(ages, weeks)
    found["constant"] = np.full(len(history), float(rate.mean()) if len(rate) else 0.0)
    found["zero"] = np.zeros(len(history))
    return found


def _year_share(ages: np.ndarray, weeks: float) -> np.ndarray:
    """What a forecast of `weeks` is of the time over which last year's purchases were made."""
    return weeks / np.minimum(np.maximum(ages, weeks), WEEKS_A_YEAR)


def _matched(rival: pd.DataFrame, history: pd.DataFrame, column: str) -> np.ndarray:
    return rival.set_index("customer_id")[column].reindex(history["customer_id"]).fillna(0.0).to_numpy(float)


def value_errors(value_fit: Fit, history: pd.DataFrame) -> pd.DataFrame:
    """Forecasts of the mean value of a purchase after the cut-off, of those who bought after it.

    `own_values` is the mistake that flatters: the model is shown the very values that it is to forecast. `constant` is
    what the model expects of somebody of whom nothing is known.

    Returns:
        way (own_values, honest, constant), rmse (currency), correlation (blank for a constant).
    """
    buyers = history[history["actual_purchases"] > 0]
    actual = buyers["actual_mean_value"].to_numpy(float)
    own = pd.DataFrame({"x": buyers["actual_purchases"], "mean_repeat_value": actual})
    nothing = pd.DataFrame({"x": np.zeros(len(buyers)), "mean_repeat_value": np.full(len(buyers), np.nan)})
    rows = []
    for way, shown in (("own_values", own), ("honest", buyers), ("constant", nothing)):
        forecast = gamma_gamma.expected_value(value_fit, shown)
        known = len(buyers) > 2 and np.ptp(forecast) > 0 and np.ptp(actual) > 0
        rows.append(
            {
                "way": way,
                "rmse": float(np.sqrt(np.mean((forecast - actual) ** 2))) if len(buyers) else math.nan,
                "correlation": float(np.corrcoef(forecast, actual)[0, 1]) if known else math.nan,
            }
        )
    return pd.DataFrame(rows)
