"""How forecasts of an amount are judged: how much in all, how far off, and in the right order?

In: for each forecast a number per customer (purchases, money), and what really came, in the same order of customers.
The forecast on trial comes first; its naive rivals follow. Four measures, as each is blind to something:

    bias        total forecast / total that came, minus 1: is the sum right that the plan is made of?
    rmse        root of the mean squared error, in the unit of the amount: heavy buyers weigh most
    gini        normalised Gini: 1 = customers in the order of what they bought, 0 = no better than by lot
    top_share   what the forecast's first tenth brought, of all that came

The mean absolute error is missing on purpose: it is smallest at the median, which is zero where most customers buy
nothing. On CDNOW it is .785 for BG/NBD and .798 for "nobody buys anything".

Of a few hundred customers the interval of the RMSE is too narrow where single heavy buyers weigh most: the bootstrap
cannot draw whom it has not seen (tests/evidence/scoring.txt). That of its lead is so too; judge few customers by the
Gini, whose intervals hold.

A forecast may not have seen what came. A value model checked on the values that it was fitted to looks perfect.

Sources: E. W. Frees, G. Meyers & A. D. Cummings, Insurance ratemaking and a Gini index, 2014; Kaggle, Claim
Prediction Challenge, 2011 (the normalised Gini's usual form); intervals: see `intervals`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy import special

from workbook.data.errors import WorkbookError
from workbook.scoring.intervals import Measured, Weighing, bootstrap, ratio
from workbook.scoring.lists import Ranking, top_shares

MEASURES = ("bias", "rmse", "gini", "top_share")
LEADS = {"gini": 1, "top_share": 1, "rmse": -1}  # measure → whether more (1) or less (-1) of it is better


def judge_forecasts(
    forecasts: Mapping[str, np.ndarray],
    actual: np.ndarray,
    *,
    rng: np.random.Generator,
    top: float = 0.1,
    repeats: int = 200,
) -> pd.DataFrame:
    """Every forecast beside the others; the first one is on trial.

    Args:
        forecasts: name → an amount per customer, fitted without anything of `actual`.
        actual: what came, per customer.
        top: length of the list behind `top_share`, as a share of the customers.
        repeats: bootstrap draws.

    Returns:
        forecast, n, buyers (customers with an actual above zero), total, actual_total; bias, rmse, gini, top_share,
        each with _low and _high; lead_gini, lead_top_share, lead_rmse with _low and _high: how much better the first
        forecast is than this one. Blank where nothing came at all.
    """
    amounts, came = checked(forecasts, actual)
    if not 0 < top <= 1:
        raise WorkbookError(f"A list cannot be {top} of the customers.", way_out="Write a share such as 0.1.")
    measured = bootstrap(lambda rows: _weighing(amounts[:, rows], came[rows], top), len(came), rng=rng, repeats=repeats)
    facts = {
        "n": len(came), "buyers": int((came > 0).sum()), "total": amounts.sum(axis=1), "actual_total": came.sum(),
    }  # fmt: skip
    return pd.DataFrame({"forecast": list(forecasts), **facts, **told(measured, MEASURES, LEADS)})


def checked(predictions: Mapping[str, np.ndarray], actual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predictions (a row each) and what came, as floats.

    Raises:
        WorkbookError: a customer without a prediction: left out or taken as zero, it would favour someone.
    """
    came = np.asarray(actual, float)
    for name, numbers in predictions.items():
        missing = len(came) - int(np.isfinite(np.asarray(numbers, float)).sum())
        if missing or len(numbers) != len(came):
            raise WorkbookError(
                f"The prediction {name!r} has {len(numbers)} numbers for {len(came)} customers, {missing} unusable.",
                why="Predictions are compared on the same customers.",
                way_out="Give each customer a finite number, or judge those alone for whom all predictions have one.",
            )
    return np.stack([np.asarray(numbers, float) for numbers in predictions.values()]), came


def told(measured: Measured, names: tuple[str, ...], leads: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Columns of measures (predictions × measures) with their intervals, then of the leads."""
    columns: dict[str, np.ndarray] = {}
    for prefix, found in (("", measured), ("lead_", measured.leads)):
        for at, name in enumerate(names):
            if prefix and name not in leads:
                continue
            sign = leads[name] if prefix else 1
            one = Measured(sign * found.point[:, at] + 0.0, sign * found.draws[:, at] + 0.0)  # no minus before a zero
            columns[prefix + name] = one.point
            columns[f"{prefix}{name}_low"], columns[f"{prefix}{name}_high"] = one.ends
    return columns


def _weighing(amounts: np.ndarray, came: np.ndarray, top: float) -> Weighing:
    rankings, ideal = [Ranking(row) for row in amounts], Ranking(came)
    errors = (amounts - came) ** 2

    def measures(weights: np.ndarray) -> np.ndarray:
        gains, n = weights * came[:, None], weights.sum(axis=0)
        best = gini_of(ideal.sums(weights), ideal.sums(gains))
        bias = ratio(amounts @ weights, gains.sum(axis=0)) - 1
        rmse = np.sqrt(ratio(errors @ weights, n))
        ranked = [(ranking.sums(weights), ranking.sums(gains)) for ranking in rankings]
        gini = [ratio(gini_of(heads, gained), best) for heads, gained in ranked]
        return np.stack([bias, rmse, gini, [top_shares(heads, gained, top) for heads, gained in ranked]], axis=1)

    return measures


def gini_of(heads: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Twice the area between the curve of gains and the diagonal, from groups of customers, best first."""
    total = heads.sum(axis=0)
    middle = np.cumsum(heads, axis=0) - heads / 2
    return 1 - 2 * ratio((gains * middle).sum(axis=0), total * gains.sum(axis=0))


def normalised_gini(forecast: np.ndarray, actual: np.ndarray) -> float:
    """How well a forecast orders customers by what came: 1 = perfectly, 0 = as by lot, below 0 = the wrong way.

    The Gini index of what came along the forecast's order, divided by that along its own. Equal forecasts share what
    they caught. Blank where nothing came, or the same from everybody.

    >>> normalised_gini(np.array([3, 2, 1]), np.array([5, 0, 1]))
    0.8
    """
    amounts, came = checked({"forecast": forecast}, actual)
    return round(float(_weighing(amounts, came, 1.0)(np.ones((len(came), 1)))[0, 2, 0]), 12)


def calibration(forecast: np.ndarray, actual: np.ndarray, *, groups: int = 10) -> pd.DataFrame:
    """Forecast and actual means of equal groups of customers, the highest forecasts first.

    Equal forecasts stand in one group, so that there may be fewer groups than asked for.

    Returns:
        group (1 = highest forecasts), n, forecast_mean, actual_mean, low, high (95 % interval of the actual mean, by
        Student's t; blank where a group's customers are all alike, as their spread is unknown).
    """
    amounts, came = checked({"forecast": forecast}, actual)
    frame = pd.DataFrame({"group": grouped(amounts[0], groups), "forecast": amounts[0], "actual": came})
    found = frame.groupby("group").agg(
        n=("actual", "size"), forecast_mean=("forecast", "mean"), actual_mean=("actual", "mean"),
        spread=("actual", "std"),
    ).reset_index()  # fmt: skip
    known = found["spread"] > 0
    half = (special.stdtrit((found["n"] - 1).clip(lower=1), 0.975) * found["spread"] / np.sqrt(found["n"])).where(known)
    return found.assign(low=found["actual_mean"] - half, high=found["actual_mean"] + half).drop(columns="spread")


def grouped(numbers: np.ndarray, groups: int) -> np.ndarray:
    """Each customer's group, 1 = the highest numbers: equal groups, but equal numbers are never parted.

    >>> grouped(np.array([9, 5, 5, 5, 1, 0]), 3).tolist()
    [1, 2, 2, 2, 3, 3]
    """
    middle = Ranking(numbers).middles() / max(len(numbers), 1)
    return 1 + np.minimum((middle * groups).astype(int), groups - 1)
