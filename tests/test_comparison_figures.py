"""What page one reads: earlier periods, chance, the margin in money, what a new customer cost, what was at risk."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from math import hypot, sqrt
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workbook.churn.earlier import reach_of_loss
from workbook.clv.winning import winning_figures
from workbook.data.periods import Period, period_of
from workbook.data.settings import Occasion
from workbook.output.words import clv as words
from workbook.profiling import activity, change
from workbook.scoring import Z

MONEY = pa.decimal128(18, 4)
DAY = dt.date.fromisoformat


def shop(con: Any, make_table: Callable[..., Any], rows: list[tuple[str, str | None, str, int, int | None]]) -> Any:
    """Orders from (id, customer, day, amount, cost); nothing came back."""
    money = [pa.array([None if row[at] is None else Decimal(row[at]) for row in rows], MONEY) for at in (3, 4)]
    none = pa.array([None] * len(rows), MONEY)
    return make_table(con, {
        "order_id": [row[0] for row in rows], "customer_id": [row[1] for row in rows],
        "ordered_on": [DAY(row[2]) for row in rows], "is_return": [False] * len(rows), "amount": money[0],
        "net_amount": money[0], "returned_amount": none, "discount": none, "tax": none, "cost": money[1],
        "units": pa.array([Decimal(1)] * len(rows), MONEY),
    })  # fmt: skip


def told(orders: Any, period: Period, calendar: tuple[Occasion, ...] = (), smallest: int = 1) -> dict[str, Any]:
    beside = change.sides(orders, None, period, activity.compared_with(period), SimpleNamespace(calendar=calendar))
    return {figure.name: figure for figure in change.of_sides(beside, smallest_sample=smallest)}


ROWS = [
    ("1", "a", "2025-01-02", 100, 60), ("2", "b", "2025-06-10", 40, 30), ("3", "a", "2026-05-03", 100, 50),
    ("4", "b", "2026-05-20", 50, 40), ("5", "a", "2026-06-05", 80, 40), ("6", "c", "2026-06-09", 120, 90),
]  # fmt: skip


def test_each_figure_stands_beside_the_period_before_and_the_year_before(con: Any, make_table: Any) -> None:
    found = told(shop(con, make_table, ROWS), period_of("2026-06"))
    assert float(found["net_revenue_before"].value) == 150 and float(found["net_revenue_year_ago"].value) == 40
    assert found["active_customers_year_ago"].value == 1 and found["new_customers_year_ago"].value == 1
    assert found["net_revenue_noise"].value == pytest.approx(Z * sqrt(20**2 + 50**2 + 120**2))
    assert found["net_revenue_year_noise"].value == pytest.approx(Z * sqrt(80**2 + 120**2 + 40**2))
    assert found["new_customers_noise"].value == pytest.approx(Z)
    assert found["occasions_aligned"].reason == "no_calendar"


def test_the_margin_in_money_changes_by_revenue_and_by_rate_and_they_add_up(con: Any, make_table: Any) -> None:
    """May: 60 of 150 (40 %). June: 70 of 200 (35 %). Revenue: 50 × 37.5 %; rate: −5 points of 175."""
    found = told(shop(con, make_table, ROWS), period_of("2026-06"))
    assert (found["margin_amount_before"].value, found["margin_amount"].value) == (60, 70)
    assert found["margin_change_revenue"].value == pytest.approx(18.75)
    assert found["margin_change_rate"].value == pytest.approx(-8.75)


def test_what_the_record_does_not_reach_has_a_reason_and_no_number(con: Any, make_table: Any) -> None:
    found = told(shop(con, make_table, ROWS), period_of("2025-06"))
    assert found["net_revenue_year_ago"].reason == "no_year_ago" and found["net_revenue_year_ago"].value is None
    assert found["net_revenue_plain_year_ago"].reason == found["orders_year_noise"].reason == "no_year_ago"
    few = told(shop(con, make_table, ROWS), period_of("2026-06"), smallest=30)
    assert (few["orders_noise"].value, few["orders_noise"].reason) == (None, "too_few")
    costless = [(*row[:4], None) for row in ROWS]
    assert told(shop(con, make_table, costless), period_of("2026-06"))["margin_amount"].reason == "no_cost"


def test_a_year_before_is_read_on_the_days_of_the_feast(con: Any, make_table: Any) -> None:
    rows = [("1", "a", "2025-01-01", 5, None), ("2", "a", "2025-01-29", 70, None), ("3", "b", "2025-02-24", 9, None),
            ("4", "a", "2026-02-17", 80, None)]  # fmt: skip
    feasts = tuple(Occasion(name="Spring", start=DAY(day)) for day in ("2025-01-29", "2026-02-17"))
    found = told(shop(con, make_table, rows), period_of("2026-02"), feasts)
    assert float(found["net_revenue_year_ago"].value) == 79 and found["occasions_aligned"].value == "Spring"
    assert float(found["net_revenue_plain_year_ago"].value) == 9


def spending(con: Any, make_table: Any, rows: list[tuple[str, int]]) -> Any:
    cost = pa.array([Decimal(cost) for _day, cost in rows], MONEY)
    return make_table(con, {"channel": ["web"] * len(rows), "spent_on": [DAY(day) for day, _cost in rows],
                            "cost": cost})  # fmt: skip


def test_a_new_customer_costs_what_was_spent_over_those_who_came(con: Any, make_table: Any) -> None:
    """June: 320 for 16; May: 400 for 25. The money is known, the numbers are Poisson."""
    rows = [(f"{month}{i}", f"{month}{i}", f"2026-{month}-10", 10, None)
            for month, n in (("05", 25), ("06", 16)) for i in range(n)]  # fmt: skip
    orders, costs = shop(con, make_table, rows), spending(con, make_table, [("2026-05-01", 400), ("2026-06-01", 320)])
    found = {figure.name.removeprefix("acquisition_cost_per_customer"): figure
             for figure in winning_figures(orders, costs, period_of("2026-06"))}  # fmt: skip
    assert (found[""].value, found["_before"].value) == (20, 16)
    assert found["_noise"].value == pytest.approx(Z * hypot(20 / 4, 16 / 5))
    assert found["_year_ago"].reason == found["_year_basis"].reason == "no_costs"
    assert found["_year_noise"].value is None


FEASTS = tuple(Occasion(name="Spring", start=DAY(day)) for day in ("2025-01-29", "2026-02-17"))


@pytest.mark.parametrize(("days", "basis", "cost"), [
    (("2025-01-29", "2025-02-10"), "aligned_days", (60 + 40) / (3 + 2 + 2)),
    (("2025-01-01", "2025-02-01"), "same_dates", 40 / (2 + 2 + 2)),  # money of a month: February's, over February's
])
def test_a_new_customer_of_a_year_before_is_one_of_the_comparable_days(
    con: Any, make_table: Any, days: tuple[str, str], basis: str, cost: float
) -> None:
    """February 2026 has the feast that January 2025 had: its day is compared with 29 January, when three came.

    Of February 2025 two came on the 2nd and two on the 10th, days like those of now, and two on the 18th, which is 52
    weeks before the feast and like no day of now.
    """
    came = [("2024-12-01", 1), ("2025-01-29", 3), ("2025-02-10", 2), ("2025-02-02", 2), ("2025-02-18", 2),
            ("2026-02-17", 5)]
    rows = [(f"{day}{i}", f"{day}{i}", day, 10, None) for day, n in came for i in range(n)]
    costs = spending(con, make_table, [(days[0], 60), (days[1], 40), ("2026-02-01", 50)])
    found_all = list(winning_figures(shop(con, make_table, rows), costs, period_of("2026-02"), FEASTS))
    found = {figure.name.removeprefix("acquisition_cost_per_customer"): figure for figure in found_all}
    assert (found["_year_basis"].value, found["_year_ago"].value) == (basis, cost)
    assert (basis == "same_dates") == ("cannot be cut into days" in words.cost_in_period(found_all))


def test_first_time_buyers_of_a_year_before_are_those_of_the_comparable_days(con: Any, make_table: Any) -> None:
    """The cohort of 11 May 2026, 11 February 2025 to 10 February 2026, has no feast: those of 29 January 2025 stay out.

    By the calendar, 11 February 2024 to 10 February 2025, they would be in: 3 of 5.
    """
    firsts = {"2026-02-17": (2, 1), "2025-01-29": (3, 2), "2025-02-18": (4, 0), "2025-06-04": (2, 2),
              "2024-06-05": (2, 1), "2023-12-01": (1, 0)}
    rows = []
    for day, (customers, again) in firsts.items():
        for i in range(customers):
            rows.append((f"{day}{i}", f"{day}{i}", day, 10, None))
            if i < again:
                later = (DAY(day) + dt.timedelta(days=90)).isoformat()
                rows.append((f"{day}{i}-2", f"{day}{i}", later, 10, None))
    found = {figure.name: figure for figure in change.of_second_purchases_then(
        shop(con, make_table, rows), as_of=DAY("2026-05-11"), before=DAY("2026-04-30"), calendar=FEASTS,
        smallest_sample=1)}
    now, then = found["second_purchase_rate_90d"], found["second_purchase_rate_90d_year_ago"]
    assert (now.value, now.n) == (2 / 6, 6), "18 February and June 2025"
    assert (then.value, then.n) == (1 / 2, 2), "June 2024"
    assert found["second_purchase_rate_90d_year_noise"].value > 0
    short = {figure.name: figure for figure in change.of_second_purchases_then(
        shop(con, make_table, rows[:-1]), as_of=DAY("2026-05-11"), before=DAY("2026-04-30"), calendar=FEASTS,
        smallest_sample=1)}
    assert short["second_purchase_rate_90d_year_ago"].reason == "short_record"
    assert short["second_purchase_rate_90d_year_noise"].reason == "short_record"


def test_money_told_by_the_month_is_not_cut_into_days(con: Any, make_table: Any) -> None:
    orders, costs = shop(con, make_table, ROWS), spending(con, make_table, [("2026-06-01", 320)])
    half = Period(DAY("2026-06-01"), DAY("2026-06-15"), "month")
    assert next(winning_figures(orders, costs, half)).reason == "partial"
    assert next(winning_figures(orders, None, half)).reason == "no_costs"
    daily = spending(con, make_table, [("2026-06-02", 300)])
    assert next(winning_figures(orders, daily, half)).value == 300


def test_the_range_of_a_loss_holds_what_independent_customers_take_along() -> None:
    rng = np.random.default_rng(2)
    listed = pd.DataFrame({"probability": rng.uniform(0.1, 0.9, 200), "value": rng.gamma(2, 50, 200)})
    low, high = reach_of_loss(listed)
    left = rng.random((2000, 200)) < listed["probability"].to_numpy()
    taken = left @ listed["value"].to_numpy()
    assert ((low <= taken) & (taken <= high)).mean() == pytest.approx(0.95, abs=0.02)
