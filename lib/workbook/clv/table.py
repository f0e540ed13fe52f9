"""The kept table `clv`: one row per customer, what they did, brought, will probably buy, and are worth.

customer_id; x, t_x, T (counts of the models, in weeks), mean_repeat_value; channel, cohort, segment; revenue_to_date,
value_to_date; p_alive (share; blank where the model knows none); expected_purchases, expected_spend and clv with
`_low`, `_high`: the interval of the expectation; purchases_low, spend_low, clv_drawn_low (and _high): of what will
really be bought; tenth (1 = worth most). Money in the reporting currency; forecasts are blank where too little is
known to make any.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbook.clv.fits import FEWEST, Fit
from workbook.clv.forecast import Forecast, forecast
from workbook.clv.value import tenths
from workbook.clv.widening import Widening

LABELS = ("segment", "channel", "cohort")
FORECASTS = (
    "p_alive", "expected_purchases", "value_per_purchase", "expected_spend", "clv",
    *(f"{name}_{end}" for name in ("expected_purchases", "expected_spend", "clv", "purchases", "spend", "clv_drawn")
      for end in ("low", "high")),
)  # fmt: skip


def labelled(history: pd.DataFrame, brought: pd.DataFrame, segments: pd.DataFrame | None = None) -> pd.DataFrame:
    """The counts of the models with what is known beside, in the order of `history`.

    Args:
        history: of `customer_table`.
        brought: customer_id, channel, cohort, revenue_to_date, value_to_date.
        segments: customer_id, segment (of 04); blank where it has not been made.
    """
    beside = brought[["customer_id", "channel", "cohort", "revenue_to_date", "value_to_date"]]
    known = history.drop(columns="value_to_date").merge(beside, on="customer_id", how="left")
    known["cohort"] = pd.Series([day.date() for day in known["cohort"]], index=known.index, dtype="object")
    if segments is None:
        return known.assign(segment=pd.Series([None] * len(known), index=known.index, dtype="object"))
    return known.merge(segments, on="customer_id", how="left")


def look_ahead(
    fit: Fit, value_fit: Fit, known: pd.DataFrame, *, horizon_weeks: float, yearly_discount: float, margin: float,
    rng: np.random.Generator, widening: Widening,
) -> Forecast:  # fmt: skip
    """The forecast of everybody and of their groups; blank, without totals, where a model cannot be used."""
    if fit.usable and value_fit.usable:
        return forecast(
            fit, value_fit, known, horizon_weeks=horizon_weeks, yearly_discount=yearly_discount, margin=margin, rng=rng,
            widening=widening, groups={name: known[name].to_numpy(object) for name in LABELS},
        )  # fmt: skip
    blank = pd.DataFrame({name: np.full(len(known), np.nan) for name in FORECASTS})
    customers = known[["customer_id"]].reset_index(drop=True).join(blank)
    totals = pd.DataFrame(columns=["by", "group", "customers", *FORECASTS])
    return Forecast(customers, totals, horizon_weeks, yearly_discount, margin, 0, widening)


def outlook(known: pd.DataFrame, totals: pd.DataFrame, *, by: str) -> pd.DataFrame:
    """Groups of customers: what they brought and what is still to come.

    Args:
        known: one row each: the column `by`, value_to_date (currency).
        totals: of a forecast, by the same groups: by, group, customers, clv, clv_low, clv_high.

    Returns:
        group, customers, value_to_date, to_come, to_come_low, to_come_high (currency per customer; the interval is that
        of the expectation), share (of what is still to come, all groups together); most to come first. Groups below
        30 customers are left out.
    """
    rows = totals[totals["by"] == by]
    so_far, every = known.groupby(by)["value_to_date"].mean().to_dict(), rows["clv"].sum()
    rows = rows[rows["customers"] >= FEWEST]
    found = rows[["group", "customers"]].assign(
        value_to_date=rows["group"].map(so_far).astype(float),
        to_come=rows["clv"] / rows["customers"],
        to_come_low=rows["clv_low"] / rows["customers"],
        to_come_high=rows["clv_high"] / rows["customers"],
        share=rows["clv"] / every,
    )
    return found.sort_values("to_come", ascending=False, ignore_index=True)


def kept(known: pd.DataFrame, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Counts, value to date, forecasts and tenth of each customer.

    Args:
        known: of `labelled`.
        forecasts: the customers of a forecast, one row each.
    """
    first = ["customer_id", *LABELS, "x", "t_x", "T", "mean_repeat_value", "revenue_to_date", "value_to_date"]
    table = known[first].merge(forecasts, on="customer_id", how="left")
    told = table["clv"].notna().all() and len(table)
    return table.assign(tenth=tenths(table, "clv") if told else pd.array([pd.NA] * len(table), dtype="Int64"))
