"""The comparable days of a year before: feasts that move, promotions that do not, and days that nothing marks."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from workbook.comparison.alignment import align, comparable_orders
from workbook.data.engine import few_rows
from workbook.data.periods import Period, period_of
from workbook.data.settings import Occasion, load_settings

DAY = dt.date.fromisoformat
YEAR_OF_FEASTS = [
    Occasion(name="Lunar New Year 春节", start=DAY("2025-01-28"), end=DAY("2025-02-04"), kind="feast"),
    Occasion(name="Lunar New Year 春节", start=DAY("2026-02-16"), end=DAY("2026-02-23"), kind="feast"),
    Occasion(name="618", start=DAY("2025-06-01"), end=DAY("2025-06-18"), kind="promotion"),
    Occasion(name="618", start=DAY("2026-06-01"), end=DAY("2026-06-20"), kind="promotion"),
]


def test_a_feast_that_moved_is_compared_with_itself_and_its_week_before_with_the_week_before_it() -> None:
    found = align(period_of("2026-02"), YEAR_OF_FEASTS)
    assert found.days[DAY("2026-02-16")] == DAY("2025-01-28") and found.days[DAY("2026-02-23")] == DAY("2025-02-04")
    assert found.days[DAY("2026-02-09")] == DAY("2025-01-21") and found.days[DAY("2026-02-15")] == DAY("2025-01-27")
    assert found.occasions == ("Lunar New Year 春节",) and found.days_aligned == 8 + 7


def test_ordinary_days_keep_their_weekday_and_avoid_the_feast_of_the_other_month() -> None:
    """2 and 3 February 2026 lie 52 weeks after the last days of the feast of 2025: they go to the nearest free week."""
    feast = {DAY("2025-01-21") + dt.timedelta(days=n) for n in range(15)}
    days = align(period_of("2026-02"), YEAR_OF_FEASTS).days
    ordinary = {day: then for day, then in days.items() if not DAY("2026-02-09") <= day <= DAY("2026-02-23")}
    assert not feast & set(ordinary.values())
    assert all(day.weekday() == then.weekday() for day, then in ordinary.items())
    assert days[DAY("2026-02-05")] == DAY("2025-02-06") and days[DAY("2026-02-02")] == DAY("2025-02-10")


def test_every_day_has_a_counterpart_of_its_own() -> None:
    for month in range(1, 13):
        days = align(period_of(f"2026-{month:02d}"), YEAR_OF_FEASTS).days
        assert len(set(days.values())) == len(days) and max(days.values()) < DAY(f"2026-{month:02d}-01")


def test_the_last_days_of_a_longer_promotion_are_compared_with_ordinary_days() -> None:
    days = align(period_of("2026-06"), YEAR_OF_FEASTS).days
    assert days[DAY("2026-06-18")] == DAY("2025-06-18")
    assert days[DAY("2026-06-19")] == DAY("2025-06-20")  # a Friday, and no day of the promotion then


@pytest.mark.parametrize(("now", "then"), [("Easter 2026", "Easter 2025"), ("618 大促", "618 大促"), ("x ", "X")])
def test_occasions_are_the_same_by_name_whatever_the_year_in_it(now: str, then: str) -> None:
    calendar = [Occasion(name=then, start=DAY("2025-04-20")), Occasion(name=now, start=DAY("2026-04-05"))]
    assert align(period_of("2026-04"), calendar).days[DAY("2026-04-05")] == DAY("2025-04-20")


def test_feasts_told_in_one_are_found_by_a_word_and_days_of_other_names_are_not() -> None:
    calendar = [
        Occasion(name="National Day and Mid-Autumn", start=DAY("2025-10-01"), end=DAY("2025-10-08")),
        Occasion(name="Mid-Autumn", start=DAY("2026-09-25"), end=DAY("2026-09-27")),
        Occasion(name="Women's Day", start=DAY("2026-10-10")),
    ]
    assert align(period_of("2026-09"), calendar).days[DAY("2026-09-25")] == DAY("2025-10-01")
    october = align(period_of("2026-10"), calendar)
    assert october.days[DAY("2026-10-10")] == DAY("2025-10-11") and october.reason == "no_occasion"


def test_without_a_calendar_all_days_go_back_52_weeks() -> None:
    found = align(period_of("2011-11"), [])
    assert {day - then for day, then in found.days.items()} == {dt.timedelta(weeks=52)}
    assert (found.reason, found.occasions, found.days_aligned) == ("no_calendar", (), 0)


def test_the_sample_shop_compares_february_of_2026_with_january_of_2025(repository: Path) -> None:
    found = align(period_of("2026-02"), load_settings(repository / "workbook.yaml").calendar)
    assert found.occasions[:2] == ("New Year shopping 年货节", "Lunar New Year 春节")
    assert sum(then.month == 1 for then in found.days.values()) >= 17


def test_comparable_orders_are_seen_as_long_after_as_those_of_the_period(
    con: Any, make_table: Callable[..., Any]
) -> None:
    """Two orders of the feast day in January 2025; one came back after nine days, the other after forty.

    On 28 February 2026 the feast day of 2026 lies 12 days back; so of 2025 only the first return counts.
    """
    money = pa.decimal128(18, 4)

    def of(*values: int) -> pa.Array:
        return pa.array([Decimal(value) for value in values], money)
    orders = make_table(con, {
        "order_id": ["early", "late", "other"], "customer_id": ["a", "b", "c"],
        "ordered_on": [DAY("2025-01-28"), DAY("2025-01-28"), DAY("2025-03-20")], "amount": of(100, 50, 9),
        "net_amount": of(60, 10, 9),
    })  # fmt: skip
    returns = make_table(con, {"order_id": ["early", "late"], "returned_on": [DAY("2025-02-06"), DAY("2025-03-09")],
                               "amount": of(40, 40)})  # fmt: skip
    aligned = align(period_of("2026-02"), YEAR_OF_FEASTS)
    seen = comparable_orders(orders, returns, aligned, end=DAY("2026-02-28"))
    assert {row["order_id"]: row["net_amount"] for row in few_rows(seen)} == {"early": 60, "late": 50}


def test_a_period_that_is_not_over_is_compared_with_as_many_days() -> None:
    days = align(Period(DAY("2026-02-01"), DAY("2026-02-18"), "month"), YEAR_OF_FEASTS).days
    assert len(days) == 18 and days[DAY("2026-02-18")] == DAY("2025-01-30")
