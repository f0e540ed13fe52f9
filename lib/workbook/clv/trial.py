"""The forecasts put to the test: fitted on what an earlier day knew, judged by what came after it.

Everything is made again as of the cut-off: counts, both fits, and the rivals. The arithmetic (average order × orders a
year) and gradient boosting compete beside the naive forecasts, on purchases and on money.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from workbook import scoring
from workbook.clv.fits import FEWEST, Fit, fit_purchases
from workbook.clv.gamma_gamma import fit_value
from workbook.clv.rival import boosting
from workbook.clv.validation import (
    Split,
    by_frequency,
    earlier_split,
    forecasts_of_purchases,
    forecasts_of_spend,
    holdout,
    tracking,
    value_errors,
)
from workbook.clv.value import WEEKS_A_MONTH, arithmetic
from workbook.history import known_on

REPEATS = 100  # bootstrap draws of the judgement: two digits of an interval's ends


class Trial(NamedTuple):
    """What came of a forecast made on an earlier day. Tables are empty where the history is too short."""

    split: Split
    customers: int
    fit: Fit  # as of the cut-off
    tracking: pd.DataFrame  # week, week_end, after_cut_off, actual, expected, actual_total, expected_total
    by_frequency: pd.DataFrame  # x, customers, actual, expected, low, high
    purchases: pd.DataFrame  # of scoring.judge_forecasts, the model first
    spend: pd.DataFrame  # the same for net revenue
    calibration: pd.DataFrame  # of scoring.calibration, of net revenue
    value_errors: pd.DataFrame  # way, rmse, correlation


def trial(
    orders: ir.Table,
    returns: ir.Table | None,
    split: Split,
    *,
    model: str,
    read: Callable[[ir.Table], pd.DataFrame],
    rng: np.random.Generator,
) -> Trial:
    """Fit as of `split.cut_off` and judge by what was bought from then to `split.until`.

    Args:
        orders: clean/orders up to the report date.
        returns: clean/returns, so that what came back after the cut-off is not yet taken off.
        model: of the repeat purchases.
        read: brings a customer table into pandas.
    """
    then = known_on(orders, returns, day=split.cut_off)
    history = read(holdout(orders, returns, cut_off=split.cut_off, until=split.until).order_by("customer_id"))
    fit, value_fit = fit_purchases(history, model), fit_value(history)
    nothing = pd.DataFrame()
    if not split.weeks or not fit.usable or not value_fit.usable or len(history) < FEWEST:
        return Trial(split, len(history), fit, nothing, nothing, nothing, nothing, nothing, nothing)
    machine = boosting(orders, returns, as_of=split.cut_off, horizon_weeks=split.weeks, read=read, rng=rng)
    rival = machine.customers if machine.code == "fitted" else None
    napkin = arithmetic(then, as_of=split.cut_off, years=split.weeks / (12 * WEEKS_A_MONTH))
    bought, spent = history["actual_purchases"].to_numpy(float), history["actual_spend"].to_numpy(float)
    purchases = forecasts_of_purchases(fit, history, split.weeks, rival)
    spend = forecasts_of_spend(fit, value_fit, history, split.weeks, rival)
    if napkin.value is not None:
        spend["arithmetic"] = np.full(len(history), napkin.value)
        purchases["arithmetic"] = np.full(len(history), napkin.value / napkin.mean_order if napkin.mean_order else 0.0)
    return Trial(
        split, len(history), fit,
        tracking(orders, returns, fit, cut_off=split.cut_off, until=split.until, read=read),
        by_frequency(fit, history, split.weeks),
        scoring.judge_forecasts(purchases, bought, rng=rng, repeats=REPEATS),
        scoring.judge_forecasts(spend, spent, rng=rng, repeats=REPEATS),
        scoring.calibration(spend["model"], spent),
        value_errors(value_fit, history),
    )  # fmt: skip


def naive(judged: pd.DataFrame) -> pd.DataFrame:
    """The model and its naive rivals, without the machine."""
    return judged[judged["forecast"] != "boosting"].reset_index(drop=True)


def newest_split(customers: pd.DataFrame, *, as_of: date, horizon_weeks: float) -> Split:
    """Where the known history is cut: nothing is held back where there is nobody.

    Args:
        customers: first_ordered_on.
    """
    if not len(customers):
        return Split(as_of, as_of, 0.0)
    return earlier_split(as_of, customers["first_ordered_on"].min().date(), horizon_weeks)
