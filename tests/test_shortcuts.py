"""The usual shortcuts of 01, 02 and 07, and what is said of them: tables worked by hand."""

from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from workbook.cleaning import shortcuts
from workbook.cleaning.gates import gate
from workbook.cleaning.shortcuts import Booked, Buyers, Step
from workbook.collection.overview import SourceState
from workbook.collection.shortcuts import complete
from workbook.data.engine import few_rows
from workbook.data.findings import Finding
from workbook.data.periods import period_of
from workbook.output import i18n
from workbook.output.words import ab_testing, cleaning, collection

JUNE = period_of("2026-06", "month")


@pytest.fixture(autouse=True)
def pounds() -> Iterator[None]:
    i18n.use("en", "GBP")
    yield
    i18n.use("en", "")


def state(
    name: str, rows: int, first: date | None = None, last: date | None = None, load: str = "append"
) -> SourceState:
    return SourceState(name, "orders", load, 1, 0, 0, ("utf-8",), rows, rows, 0, 0, first, last)


def by_month(rows: dict[str, list[int | None]], *, until: str) -> pd.DataFrame:
    """source_name, month, rows, newest of months that end with `until`; None: no row."""
    last = pd.Timestamp(until)
    told = []
    for name, counts in rows.items():
        months = pd.date_range(end=last.replace(day=1), periods=len(counts), freq="MS")
        told += [{"source_name": name, "month": month, "rows": n, "newest": min(month + pd.offsets.MonthEnd(0), last)}
                 for month, n in zip(months, counts, strict=True) if n is not None]
    return pd.DataFrame(told)


# --- reading --------------------------------------------------------------------------------------


def test_only_rows_without_a_blank_survive_dropna(con: Any, make_table: Callable[..., Any]) -> None:
    rows = make_table(con, {"customer_id": ["a", None, "b", "c"], "campaign_id": ["x", "x", None, "y"],
                            "amount": [10.0, 20.0, 30.0, 40.0]})
    [found] = few_rows(complete(rows, ["customer_id", "campaign_id"]))
    assert (found["rows"], found["complete"], found["revenue"], found["complete_revenue"]) == (4, 2, 100.0, 50.0)
    filled = [{"column": "customer_id", "share": 0.75}, {"column": "campaign_id", "share": 0.5}]
    told = collection.only_complete(found, filled)
    assert "**2** (50.0%), worth £50.00 of £100.00" in told and "`campaign_id`, is filled in 50.0%" in told
    back = few_rows(complete(rows.mutate(amount=-rows.amount), ["campaign_id"]))[0] | {"revenue": 100.0}
    assert "mostly returns: −£70.00 of £100.00" in collection.only_complete(back, filled)
    [whole] = few_rows(complete(rows, ["amount"]))
    assert "has a blank" in collection.only_complete(whole, filled)


def test_small_sources_hardly_show_in_the_sum() -> None:
    told = collection.carried([state("sales", 970), state("returns", 10), state("tickets", 20)])
    assert told.startswith("The smallest source brings 1.0% of all rows")
    assert collection.carried([state("sales", 970)]).startswith("There is one source")


def test_loads_are_told_once_with_their_sources() -> None:
    rows = collection.load_rows([state("a", 1), state("b", 1), state("c", 1, load="snapshot")])
    assert rows["sources"].tolist() == ["a, b", "c"] and rows["encodings"].tolist() == ["utf-8", "utf-8"]


def test_a_wrong_date_makes_the_span_as_written() -> None:
    rows = by_month({"sales": [5, 5, 5]}, until="2026-06-30")
    wrong = [state("sales", 15, date(1970, 1, 1), date(2062, 10, 13))]
    assert "from 1 Jan 1970 to **13 Oct 2062**. Without" in collection.dates_as_written(wrong, rows)
    right = [state("sales", 15, date(2026, 4, 2), date(2026, 6, 30))]
    assert "all of these dates can be true" in collection.dates_as_written(right, rows)


def test_a_fresh_source_does_not_hide_a_stale_one() -> None:
    rows = by_month({"sales": [5, 5, 5, 5], "returns": [2, 2, None, None]}, until="2026-06-30")
    told = collection.behind(rows, as_of=JUNE.end)
    assert "returns (30 Apr 2026)" in told and "sales" not in told
    assert "Each of the 2 sources" in collection.behind(rows, as_of=date(2026, 5, 31))


def test_a_month_that_arrived_by_half_is_noticed_in_its_own_source() -> None:
    year = [100, 120, 110, 90, 95, 105, 130, 99, 101, 103, 107, 98]
    half = by_month({"sales": [*year, 50], "visits": [*year, 91]}, until="2026-06-30")
    told = collection.low_months(half, as_of=JUNE.end)
    assert "June 2026" in told and ": sales." in told and "Of 2 sources" in told and "0.2" in told
    # What goes on after the report date is not judged: of June nothing but the first days has come.
    open_ = by_month({"sales": [*year, 100, 5]}, until="2026-06-10")
    told = collection.low_months(open_, as_of=date(2026, 5, 31))
    assert "May 2026" in told and "no fewer" in told
    gone = by_month({"sales": [*year, 100], "visits": [*year, None]}, until="2026-06-30")
    assert ": visits." in collection.low_months(gone, as_of=JUNE.end), "a month without any row is the lowest there is"
    short = by_month({"sales": [5, 5]}, until="2026-06-30")
    assert "cannot be told" in collection.low_months(short, as_of=JUNE.end)
    assert collection.low_months(short, as_of=date(2026, 4, 30)) == "There is no whole month yet."


def test_what_comes_in_spikes_is_not_drawn_as_a_line() -> None:
    rows = by_month({"sales": [5, 5, None, 5, 5], "arms": [900, None, None, None, 900]}, until="2026-06-30")
    assert list(collection.monthly_lines(rows)[1]) == ["sales"], "one month missing is a hole to be seen, not a spike"
    assert list(collection.monthly_lines(rows[rows["source_name"] == "arms"])[1]) == ["arms"]


def test_rows_set_aside_are_worth_what_the_others_are() -> None:
    assert "**£200.00** is missing from revenue (2.00%)" in collection.at_stake(2, 100, Decimal(10000))
    assert "no money is missing" in collection.at_stake(0, 100, Decimal(10000))


@pytest.mark.parametrize("code", ["number", "decimal_comma", "date_undecidable", "id_ruined_by_excel", "phone"])
def test_each_reason_has_a_remedy(code: str) -> None:
    assert collection.remedy(code) and collection.reason(code) != collection.remedy(code)


# --- cleaning -------------------------------------------------------------------------------------


def test_the_recipe_line_by_line(con: Any, make_table: Callable[..., Any]) -> None:
    marked = make_table(con, {
        "ordered_on": [date(2026, 6, 1)] * 6 + [date(2026, 7, 1)],
        "customer_id": ["a", "a", None, "b", "b", "c", "d"],
        "amount": [100.0, -30.0, 50.0, 20.0, 20.0, -5.0, 900.0],
        "is_exact_duplicate": [False, False, False, False, True, False, False],
        "is_repeated_key": [False] * 7,
    })
    assert shortcuts.recipe(marked, as_of=date(2026, 6, 30)) == [
        Step("arrived", 6, 3, 155.0), Step("positive", 4, 2, 190.0), Step("named", 3, 2, 140.0),
        Step("different", 2, 2, 120.0)]


def test_a_recipe_may_end_right_by_accident() -> None:
    found = {name: Finding(value, unit) for name, value, unit in (
        ("rows_kept", 4, "rows"), ("customers_kept", 2, "customers"), ("net_revenue", Decimal(125), "money"))}
    steps = [Step("arrived", 6, 3, 155.0), Step("positive", 4, 2, 190.0), Step("different", 2, 2, 120.0)]
    told = cleaning.recipe(steps, found)
    assert "£5.00 apart" in told and "move £105.00 up and down" in told
    same = [Step("arrived", 4, 2, 125.0), Step("different", 4, 2, 125.0)]
    assert "both end with **£125.00**" in cleaning.recipe(same, found)
    assert cleaning.recipe_rows(steps, found)["revenue"].tolist() == [155.0, 190.0, 120.0, Decimal(125)]


def test_what_came_back_was_partly_bought_before(con: Any, make_table: Callable[..., Any]) -> None:
    returns = make_table(con, {
        "returned_on": [date(2026, 6, 2), date(2026, 6, 20), date(2026, 5, 30)],
        "purchased_on": [date(2026, 5, 20), date(2026, 6, 3), date(2026, 5, 1)], "amount": [30.0, 10.0, 99.0]})
    seen = shortcuts.booked(returns, start=JUNE.start, end=JUNE.end)
    assert seen == Booked(40.0, 30.0)
    assert "£40.00 came back; **75.0%**" in cleaning.charged(seen, JUNE)
    assert cleaning.charged(Booked(40.0, 0.0), JUNE).endswith("all of it bought in the same period.")
    assert "nothing came back" in cleaning.charged(Booked(0.0, 0.0), JUNE)


def test_one_person_with_two_ids_is_one_buyer_who_came_back(con: Any, make_table: Callable[..., Any]) -> None:
    lines = make_table(con, {
        "raw_customer_id": ["a", "b", "c", None, "d"], "customer_id": ["a", "a", "c", None, "d"],
        "ordered_on": [date(2026, 6, 1), date(2026, 6, 9), date(2026, 6, 1), date(2026, 6, 1), date(2026, 6, 1)],
        "is_return": [False, False, False, False, True]})
    ids, people = shortcuts.by_id_and_person(lines)
    assert (ids, people) == (Buyers(3, 0), Buyers(2, 1))
    told = cleaning.ids_or_people(ids, people)
    assert "**3** buyers, of whom 0.0%" in told and "**2**, of whom 50.0% did" in told
    assert "nobody has several ids" in cleaning.ids_or_people(people, people)


def test_a_match_by_the_return_s_own_order_is_sure() -> None:
    rows = pd.DataFrame({"how": ["line", "order", "same quantity"], "amount": [60.0, 20.0, 20.0]})
    assert "**80.0%** of the matched money" in cleaning.surely_matched(rows)
    assert "No return" in cleaning.surely_matched(rows.head(0))


def test_the_latest_period_is_young() -> None:
    periods = pd.DataFrame({"period": ["2026-05", "2026-06"], "returned_share": [0.034, 0.018],
                            "share_expected": [0.035, 0.032]})
    assert "So far 1.8% of what was sold in 2026-06 came back; in the end it will be about **3.2%**" \
        in cleaning.youth(periods)
    assert "Too few" in cleaning.youth(periods.assign(share_expected=float("nan")))


def test_spellings_and_scores_are_counted() -> None:
    regions = {"北京": "Beijing", "beijing": "Beijing", "上海": "Shanghai"}
    told = cleaning.as_written({"region": regions, "category": {}})
    assert "`region`: 3 ways of writing for 2 things" in told and "category" not in told
    scores = pd.DataFrame({"table": ["a", "b"], "score": [0.8, 1.0]})
    assert "**90.0%**" in cleaning.quality_mean(scores) and "20.0 points" in cleaning.quality_mean(scores)
    assert cleaning.quality_mean(scores.head(1)) == "There is one table, with a score of **80.0%**."


def test_the_widest_gap_is_relative() -> None:
    gates = [gate("order_totals", "orders", 1_000_000, 1_000_100, tolerance=500),
             gate("control_orders", "orders", 99, 100, tolerance=5, period="2026-06")]
    told = cleaning.widest_gap(gates)
    assert "(2026-06), −1 (1.00%); allowed were 5" in told
    assert cleaning.widest_gap([gate("order_totals", "orders", 5, 5)]) == "No two sides differ at all."


# --- planning -------------------------------------------------------------------------------------


def test_four_weeks_are_often_too_short() -> None:
    told = ab_testing.four_weeks({"orders": 0.12, "bought": 0.3}, 190.5, relative=0.1, power=0.8)
    assert "190 customers an arm" in told and "**12% to 30%**" in told and "still miss 70%" in told
    enough = ab_testing.four_weeks({"orders": 0.85, "revenue": float("nan")}, 9000, relative=0.1, power=0.8)
    assert "that is enough" in enough
    assert ab_testing.four_weeks({}, 3, relative=0.1, power=0.8).startswith("Too little is on record")
