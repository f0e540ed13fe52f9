"""What each customer will buy: expected purchases, spend and discounted value, with two intervals that differ.

**For the expectation** (`expected_purchases_low`, `clv_low` …): how far the expected value itself may be off, because
the parameters were estimated. It narrows as customers are added.

**For what will really be bought** (`purchases_low`, `spend_low`, `clv_drawn_low` …): the same, and the chance in what a
customer does. It stays wide for one customer and narrows for a total.

Both are widened, where `widening` says that past forecasts were further off than the model thought: all rates are then
multiplied by one common error, drawn so that the total has the spread that past totals had. The interval for the
expectation is by the delta method in the logarithms of the parameters; the other one from drawn worlds, in each of
which parameters, the common error, and every customer's rate, leaving, purchases and their amounts are drawn. Totals
add up the customers of one world, so that they are right for groups too.

CLV is `margin` × spend, discounted by `yearly_discount` from the report date. With m(t) the expected purchases up to t,
the discounted number is the integral of e^(-δt) dm(t), by parts: e^(-δh) m(h) + δ ∫ e^(-δt) m(t) dt, by five nodes.

Sources: P. S. Fader, B. G. S. Hardie & K. L. Lee, RFM and CLV, 2005 (discounting expected purchases); B. Efron &
R. Tibshirani, An Introduction to the Bootstrap, 1993 (prediction by drawn worlds).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from workbook.clv import gamma_gamma
from workbook.clv.expectations import alive, expected_purchases, in_units
from workbook.clv.fits import Fit
from workbook.clv.widening import Widening
from workbook.clv.worlds import BATCH, Worlds, balanced, draw_all, speeds
from workbook.data.errors import WorkbookError
from workbook.scoring import Z

WEEKS_A_YEAR = 365.2425 / 7
TENTHS = 10
MEASURES = (("expected_purchases", "purchases"), ("expected_spend", "spend"), ("clv", "clv_drawn"))
POINTS = ("p_alive", "expected_purchases", "value_per_purchase", "expected_spend", "clv")
ENDS = tuple(f"{name}_{end}" for both in MEASURES for name in both for end in ("low", "high"))
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(5)


class Forecast(NamedTuple):
    """The forecast of every customer, and of groups of them."""

    customers: pd.DataFrame  # one row a customer, in the order given
    totals: pd.DataFrame  # one row a group
    horizon_weeks: float
    yearly_discount: float
    margin: float  # share of spend that is earned
    draws: int
    widening: Widening | None


def point_forecast(
    fit: Fit, value_fit: Fit | None, customers: pd.DataFrame, *, horizon_weeks: float, yearly_discount: float = 0.10,
    margin: float = 1.0,
) -> pd.DataFrame:
    """The expectations alone, without intervals: quick enough for a slider.

    Args:
        fit: of the purchases; everything is blank if it is not usable.
        value_fit: gamma-gamma; None or not usable leaves money blank.
        customers: customer_id, x, t_x, T (in the unit of `fit`), mean_repeat_value.

    Returns:
        customer_id, p_alive, expected_purchases, value_per_purchase, expected_spend, clv.
    """
    if horizon_weeks <= 0:
        raise WorkbookError(f"A horizon of {horizon_weeks} weeks is none.", way_out="Give a number above 0.")
    if not fit.usable or not len(customers):
        return pd.DataFrame({"customer_id": customers["customer_id"].to_numpy(), **dict.fromkeys(POINTS, np.nan)})
    bought = expected_purchases(fit, customers, horizon_weeks)
    value = _value(value_fit, customers)
    return pd.DataFrame(
        {
            "customer_id": customers["customer_id"].to_numpy(),
            "p_alive": alive(fit, customers),
            "expected_purchases": bought,
            "value_per_purchase": value,
            "expected_spend": bought * value,
            "clv": _discounted(fit, customers, bought, horizon_weeks, yearly_discount) * value * margin,
        }
    )


def forecast(
    fit: Fit,
    value_fit: Fit | None,
    customers: pd.DataFrame,
    *,
    horizon_weeks: float,
    yearly_discount: float = 0.10,
    margin: float = 1.0,
    rng: np.random.Generator,
    draws: int = 200,
    widening: Widening | None = None,
    groups: Mapping[str, np.ndarray] | None = None,
    batch: int = BATCH,
) -> Forecast:
    """Expectations with both intervals, of each customer and of groups.

    Args:
        customers: as for `point_forecast`.
        draws: worlds drawn for what will really be bought.
        groups: name → a label per customer (segment, channel, cohort); blank labels are left out of the totals.

    Returns:
        customers: the columns of `point_forecast`; expected_purchases_low/_high, expected_spend_low/_high,
        clv_low/_high (for the expectation); purchases_low/_high, spend_low/_high, clv_drawn_low/_drawn_high (really
        bought).
        totals: by ("all", "tenth": 1 = the highest clv, or a name of `groups`), group, customers; expected_purchases,
        expected_spend, clv and the same ends as for customers.
    """
    points = point_forecast(
        fit, value_fit, customers, horizon_weeks=horizon_weeks, yearly_discount=yearly_discount, margin=margin
    )
    if not fit.usable or not len(customers):
        blank = points.assign(**dict.fromkeys(ENDS, np.nan))
        none = pd.DataFrame(columns=["by", "group", "customers", *(name for name, _ in MEASURES), *ENDS])
        return Forecast(blank, none, horizon_weeks, yearly_discount, margin, draws, widening)
    common = widening.sd if widening else 0.0
    slopes = _log_slopes(fit, value_fit, customers, horizon_weeks)
    labels = _labels(points, groups or {})
    worlds = Worlds(fit, value_fit, rng, draws)
    if common:
        worlds.faster = speeds(fit, customers, horizon_weeks, common * balanced(rng, draws))
    t = float(in_units(fit, horizon_weeks))
    drawn, sums = draw_all(worlds, customers, _clv_per_spend(points), labels, t, batch)
    whole = _with_intervals(points, slopes, worlds, common, drawn)
    return Forecast(
        whole, _totals(whole, labels, slopes, worlds, common, sums), horizon_weeks, yearly_discount, margin, draws,
        widening,
    )  # fmt: skip


def _value(value_fit: Fit | None, customers: pd.DataFrame) -> np.ndarray:
    if value_fit is None or not value_fit.usable:
        return np.full(len(customers), np.nan)
    return gamma_gamma.expected_value(value_fit, customers)


def _discounted(fit: Fit, customers: pd.DataFrame, bought: np.ndarray, weeks: float, yearly: float) -> np.ndarray:
    """Expected purchases, each discounted to the report date."""
    rate = math.log1p(yearly) / WEEKS_A_YEAR
    if rate == 0:
        return bought
    total = math.exp(-rate * weeks) * bought
    for node, weight in zip(_NODES, _WEIGHTS, strict=True):
        t = weeks * (node + 1) / 2
        total = total + rate * weeks / 2 * weight * math.exp(-rate * t) * expected_purchases(fit, customers, t)
    return total


def _log_slopes(
    fit: Fit, value_fit: Fit | None, customers: pd.DataFrame, weeks: float, step: float = 1e-3
) -> tuple[np.ndarray, np.ndarray]:
    """Relative change of each customer's expected purchases, and value, by the logarithm of each parameter."""
    bought = []
    for i in range(len(fit.values)):
        ends = [expected_purchases(_moved(fit, i, way * step), customers, weeks) for way in (1, -1)]
        bought.append(_log_ratio(*ends) / (2 * step))
    value = np.zeros((3, len(customers)))
    if value_fit is not None and value_fit.usable:
        x, mean = gamma_gamma.seen_values(customers)
        for i in range(3):
            ends = [gamma_gamma.mean_value(_moved(value_fit, i, way * step).values, x, mean) for way in (1, -1)]
            value[i] = _log_ratio(*ends) / (2 * step)
    return np.stack(bought), value


def _moved(fit: Fit, index: int, by: float) -> Fit:
    values = fit.values.copy()
    values[index] *= math.exp(by)
    return fit._replace(values=values)


def _log_ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """ln(above / below); 0 where both vanish."""
    known = (above > 0) & (below > 0)
    return np.log(np.where(known, above, 1.0) / np.where(known, below, 1.0))


def _labels(points: pd.DataFrame, groups: Mapping[str, np.ndarray]) -> dict[str, tuple[np.ndarray, list]]:
    """Name → a group number per customer (-1: none), and the groups. Tenths by clv, by purchases where it is blank."""
    worth = points["clv"].to_numpy() if points["clv"].notna().all() else points["expected_purchases"].to_numpy()
    places = np.empty(len(worth), int)
    places[np.argsort(-worth, kind="stable")] = np.arange(len(worth))
    tenth = places * TENTHS // max(len(worth), 1) + 1
    found = {"all": np.full(len(worth), "all", object), "tenth": tenth, **groups}
    labels = {}
    for name, given in found.items():
        codes, names = pd.factorize(np.asarray(given), sort=True)
        labels[name] = (codes, list(names))
    return labels


def _clv_per_spend(points: pd.DataFrame) -> np.ndarray:
    """Discount and margin on the expected spend, by which drawn spend is turned into CLV."""
    spend = points["expected_spend"].to_numpy()
    return np.divide(points["clv"].to_numpy(), spend, out=np.zeros(len(spend)), where=np.nan_to_num(spend) > 0)


def _with_intervals(
    points: pd.DataFrame, slopes: tuple[np.ndarray, np.ndarray], worlds: Worlds, common: float, ends: np.ndarray
) -> pd.DataFrame:
    bought, value = slopes
    buying = np.einsum("in,ij,jn->n", bought, worlds.covariance, bought) + common**2
    money = buying + np.einsum("in,ij,jn->n", value, worlds.value_covariance, value)
    to_clv = _clv_per_spend(points)
    new = points.copy()
    for name, variance in (("expected_purchases", buying), ("expected_spend", money), ("clv", money)):
        half = Z * np.sqrt(np.maximum(variance, 0.0))
        new[f"{name}_low"], new[f"{name}_high"] = points[name] * np.exp(-half), points[name] * np.exp(half)
    # What is bought is never surer than its expectation: a few hundred worlds may fall short of a wide common error.
    new["purchases_low"] = np.minimum(ends[0], np.ceil(new["expected_purchases_low"]))
    new["purchases_high"] = np.maximum(ends[1], np.floor(new["expected_purchases_high"]))
    buyers = new["purchases_high"] > 0
    new["spend_low"] = np.minimum(ends[2], new["expected_spend_low"])
    new["spend_high"] = np.where(buyers, np.maximum(ends[3], new["expected_spend_high"]), ends[3])
    new["clv_drawn_low"], new["clv_drawn_high"] = new["spend_low"] * to_clv, new["spend_high"] * to_clv
    return new


def _totals(
    whole: pd.DataFrame, labels: dict[str, tuple[np.ndarray, list]], slopes: tuple[np.ndarray, np.ndarray],
    worlds: Worlds, common: float, sums: dict[str, np.ndarray],
) -> pd.DataFrame:
    rows = []
    for by, (codes, groups) in labels.items():
        for number, group in enumerate(groups):
            members = np.flatnonzero(codes == number)
            row = {"by": by, "group": group, "customers": len(members)}
            for k, (expectation, real) in enumerate(MEASURES):
                expected = whole[expectation].to_numpy()[members]
                variance = _variance(expected, slopes, members, worlds, common, money=real != "purchases")
                half, total = Z * math.sqrt(variance), float(expected.sum())
                low, high = total * math.exp(-half), total * math.exp(half)
                row[expectation], row[f"{expectation}_low"], row[f"{expectation}_high"] = total, low, high
                drawn = sums[by][k, number] if real == "purchases" or worlds.money else np.full(2, np.nan)
                ends = np.quantile(drawn, (0.025, 0.975))
                row[f"{real}_low"], row[f"{real}_high"] = np.minimum(ends[0], low), np.maximum(ends[1], high)
            rows.append(row)
    return pd.DataFrame(rows)


def _variance(
    expected: np.ndarray, slopes: tuple[np.ndarray, np.ndarray], members: np.ndarray, worlds: Worlds, common: float, *,
    money: bool,
) -> float:
    """Of the logarithm of a total: the customers' slopes weighted by what is expected of them."""
    total = float(expected.sum())
    if not total > 0:
        return common**2
    bought = slopes[0][:, members] @ expected / total
    variance = float(bought @ worlds.covariance @ bought) + common**2
    if money and worlds.money:
        value = slopes[1][:, members] @ expected / total
        variance += float(value @ worlds.value_covariance @ value)
    return variance
