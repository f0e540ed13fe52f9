"""Weeks, months and quarters of the shop's calendar, and how people write them."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbook.data.errors import WorkbookError
from workbook.data.periods import Period, containing, last_complete, period_of, up_to

DAYS = st.dates(date(1990, 1, 8), date(2100, 1, 1))
GRAINS = st.sampled_from(["week", "month", "quarter"])


@pytest.mark.parametrize(
    ("text", "grain", "start", "end", "label"),
    [
        ("2011-12", "month", "2011-12-01", "2011-12-31", "2011-12"),
        ("2012-02", "month", "2012-02-01", "2012-02-29", "2012-02"),
        ("2011-12-09", "month", "2011-12-01", "2011-12-09", "2011-12-09"),
        ("1997-09-30", "month", "1997-09-01", "1997-09-30", "1997-09"),
        ("2011-W49", "week", "2011-12-05", "2011-12-11", "2011-W49"),
        ("2020-W53", "week", "2020-12-28", "2021-01-03", "2020-W53"),
        ("2011-Q4", "quarter", "2011-10-01", "2011-12-31", "2011-Q4"),
        ("2011-12-09", "quarter", "2011-10-01", "2011-12-09", "2011-12-09"),
        ("2011-12-09", "week", "2011-12-05", "2011-12-09", "2011-12-09"),
        ("2011-11", "quarter", "2011-10-01", "2011-11-30", "2011-11-30"),
        (" 2011-6 ", "month", "2011-06-01", "2011-06-30", "2011-06"),
    ],
)
def test_period_as_people_write_it(text: str, grain: str, start: str, end: str, label: str) -> None:
    period = period_of(text, grain)
    assert (period.start.isoformat(), period.end.isoformat(), period.label) == (start, end, label)


@pytest.mark.parametrize(
    "text",
    ["", "2011", "2011-13", "2011-02-30", "2011-W54", "2011-W00", "2011-Q5", "June", "11-06", "2011-6-1", "2011/06"],
)
def test_what_is_no_period_is_refused_with_examples(text: str) -> None:
    with pytest.raises(WorkbookError, match="is no period") as error:
        period_of(text)
    assert "2026-W23" in error.value.way_out


def test_month_that_is_not_over_is_not_reported() -> None:
    assert last_complete(date(2011, 12, 9)).label == "2011-11"
    assert last_complete(date(2011, 11, 30)).label == "2011-11"
    assert last_complete(date(2011, 12, 9), "week").label == "2011-W48"
    assert last_complete(date(2011, 12, 9), "quarter").label == "2011-Q3"


def test_year_ago_is_the_same_month_quarter_or_52_weeks() -> None:
    assert period_of("2012-02-29").year_ago().label == "2011-02"
    assert period_of("2011-Q4", "quarter").year_ago().label == "2010-Q4"
    assert period_of("2011-W49", "week").year_ago().label == "2010-W49"


def test_previous_of_a_period_cut_short_is_whole() -> None:
    assert period_of("2011-12-09").previous().label == "2011-11"
    assert period_of("2011-01").previous().label == "2010-12"
    assert period_of("2011-12-09").next().label == "2012-01"


@given(DAYS, GRAINS)
def test_periods_tile_the_calendar(day: date, grain: str) -> None:
    period = containing(day, grain)
    assert period.start <= day <= period.end and period.is_whole
    assert period.previous().end + timedelta(days=1) == period.start
    assert period.next().start == period.end + timedelta(days=1)
    assert period.previous().next() == period == period.next().previous()


@given(DAYS, GRAINS)
def test_label_reads_back_as_the_same_period(day: date, grain: str) -> None:
    for period in (containing(day, grain), up_to(day, grain)):
        assert period_of(period.label, grain) == period


@given(DAYS, GRAINS)
def test_period_up_to_a_day_lies_in_its_whole(day: date, grain: str) -> None:
    cut = up_to(day, grain)
    assert cut.end == day and cut.whole == containing(day, grain) and cut.days <= cut.whole.days
    assert cut.is_whole == (day == cut.whole.end)


@given(DAYS, GRAINS)
def test_last_complete_period_is_over(newest: date, grain: str) -> None:
    last = last_complete(newest, grain)
    assert last.end <= newest < last.next().end + timedelta(days=1) and last.is_whole


def test_lengths() -> None:
    assert {containing(date(2011, 5, 4), grain).days for grain in ("week", "month", "quarter")} == {7, 31, 91}
    assert Period(date(2011, 1, 1), date(2011, 1, 1), "month").days == 1
