"""The forecast of the next period: rules by hand, ranges that hold, and nothing of what came later."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evidence.comparison import MADE, as_record, forecasts
from workbook.comparison.daily import net_by_day, record
from workbook.comparison.forecast import RULES, foretell, looking_back, outlook, trials
from workbook.data.periods import Period, period_of
from workbook.data.settings import Occasion

DAY = dt.date.fromisoformat


def said(totals: list[float], calendar: tuple[Occasion, ...] = ()) -> dict[str, float]:
    """What each rule says of the month after these, the first of them January 2023."""
    tried = trials(as_record(np.array(totals)), calendar)
    return dict(zip(RULES, tried.said[:, -1], strict=True))


def test_rules_foretell_what_they_say() -> None:
    """January to April at 310, 280, 310, 600: 10 a day for three months, then 20; May has 31 days."""
    told = said([310.0, 280.0, 310.0, 600.0])
    assert told["last_period"] == pytest.approx(20 * 31)
    assert told["recent_mean"] == pytest.approx((280 + 310 + 600) / 89 * 31)
    assert told["drift"] == pytest.approx((20 + 10 / 3) * 31)
    assert np.isnan([told["year_ago"], told["aligned_trend"], told["combined"]]).all()


def test_a_shop_that_doubles_within_the_year_is_expected_to_double_in_the_next_month_too() -> None:
    """A day brings as much as the month's number in the first year, and twice that in the second."""
    months = [period_of(f"{year}-{month:02d}") for year in (2023, 2024) for month in range(1, 13)][:16]
    each = [float(month.start.month * (month.start.year - 2022)) for month in months]
    told = said([each[i] * month.days for i, month in enumerate(months)])
    assert told["aligned_trend"] == pytest.approx(2 * 5 * 31, rel=0.02)  # May 2024: 10 a day
    assert told["year_ago"] == pytest.approx(5 * 31, rel=0.02)


def test_a_feast_ahead_is_foretold_on_its_new_day() -> None:
    """One day of 2023 brings 1,000; in 2024 the feast lies in February, and February of last year knew of none."""
    by_day = pd.DataFrame({"ordered_on": pd.date_range("2023-01-01", "2024-01-31")})
    feast = by_day["ordered_on"] == "2023-01-22"
    by_day["net_revenue"] = np.where(feast, 1000.0, 10.0)
    calendar = (Occasion(name="Feast", start=DAY("2023-01-22")), Occasion(name="Feast", start=DAY("2024-02-10")))
    shop = record(by_day, period_of("2024-01"))
    tried = trials(shop, calendar)
    assert tried.said[RULES.index("year_ago"), -1] == pytest.approx(1000 + 28 * 10)
    assert trials(shop, ()).said[RULES.index("year_ago"), -1] == pytest.approx(29 * 10)


def test_a_short_record_and_a_period_without_sales_foretell_nothing() -> None:
    short = foretell(trials(as_record(np.array([100.0] * 6)), ()), 6)
    assert (short.value, short.reason) == (None, "too_short")
    assert foretell(trials(as_record(np.array([100.0] * 7)), ()), 7).reason == ""
    assert foretell(trials(as_record(np.array([100.0] * 9 + [0.0])), ()), 10).reason == "no_sales"


def test_a_shop_that_nobody_could_foretell_is_not_foretold() -> None:
    """Sales that jump tenfold at random: any honest range would reach further than anybody could plan by."""
    jumps = 10 ** np.random.default_rng(1).integers(0, 3, 24).astype(float)
    wild = foretell(trials(as_record(jumps), ()), 24)
    assert (wild.value, wild.low, wild.reason) == (None, None, "too_wide")


def test_a_period_that_is_not_over_foretells_nothing() -> None:
    half = Period(DAY("2024-01-01"), DAY("2024-01-20"), "month")
    told = outlook(as_record(np.array([100.0] * 12)), (), period=half)
    assert told.ahead.reason == told.last.reason == "partial" and not len(told.past)


def test_what_was_said_does_not_depend_on_what_came_later() -> None:
    rng = np.random.default_rng(4)
    totals = MADE["seasonal"](rng, 30)
    changed = np.r_[totals[:20], totals[20:] * 7]
    long, other, short = (trials(as_record(series), ()) for series in (totals, changed, totals[:20]))
    assert foretell(long, 20) == foretell(other, 20) == foretell(short, 20)


def test_the_range_holds_nineteen_times_in_twenty_and_beats_the_naive_rival_where_there_is_a_season() -> None:
    """100 series a kind: fewer than 88 held ranges would come by chance once in two hundred times.

    Where last period is the best there is (a random walk), choosing among rules costs a tenth of the error.
    """
    for kind in ("steady", "seasonal", "wandering"):
        held, _width, better = forecasts(MADE[kind], 100, seed=8)
        assert held >= 0.88, kind
        assert better < (0.6 if kind == "seasonal" else 1.25), kind


def test_each_period_counts_as_it_looked_on_its_own_last_day(con: Any, make_table: Callable[..., Any]) -> None:
    """A return within the month of its order counts, one of the month after does not."""
    orders = make_table(con, {
        "order_id": ["1", "2", "3"], "ordered_on": [DAY("2026-05-10"), DAY("2026-05-20"), DAY("2026-06-02")],
        "net_amount": [60.0, 10.0, 30.0],
    })  # fmt: skip
    returns = make_table(con, {"order_id": ["1", "2"], "returned_on": [DAY("2026-05-30"), DAY("2026-06-05")],
                               "amount": [40.0, 25.0]})  # fmt: skip
    rows = net_by_day(orders, returns, grain="month", until=DAY("2026-06-30")).order_by("ordered_on")
    assert [row["net_revenue"] for row in rows.to_pyarrow().to_pylist()] == [60.0, 35.0, 30.0]


def test_a_record_that_begins_in_the_middle_of_a_month_leaves_that_month_out() -> None:
    daily = pd.DataFrame({"ordered_on": pd.date_range("2025-03-12", "2025-05-31"), "net_revenue": 1.0})
    shop = record(daily, period_of("2025-05"))
    assert [period.label for period in shop.periods] == ["2025-04", "2025-05"]
    assert shop.total_of([DAY("2025-03-20")]) is None and shop.total_of([DAY("2025-04-20")]) == 1.0


def test_cdnow_after_the_winning_of_customers_ended(public_data: Callable[[str], Path]) -> None:
    """Sales fell by two thirds in April 1997, when nobody new was followed: the forecast of then was far off, later
    ones were not. A year later the range holds what came."""
    frame = pd.read_csv(public_data("cdnow/CDNOW_master.txt"), sep=r"\s+", header=0,
                        names=["customer", "day", "units", "amount"])  # fmt: skip
    frame["ordered_on"] = pd.to_datetime(frame["day"].astype(str), format="%Y%m%d")
    daily = frame.groupby("ordered_on", as_index=False)["amount"].sum().rename(columns={"amount": "net_revenue"})
    past = looking_back(trials(record(daily, period_of("1998-06")), ())).set_index("period")
    assert past.loc[DAY("1997-04-01"), "came"] < 0.4 * past.loc[DAY("1997-03-01"), "came"]
    told = past.dropna(subset=["said"])
    assert len(told) == 10 and told["held"].astype(bool).sum() >= 9
