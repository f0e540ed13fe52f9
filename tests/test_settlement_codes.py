"""Orders that a control placed with the offer's code: carried through, registered, counted, told; on a simulated shop
whose contamination is known, told exactly."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import ibis
import pandas as pd
import pytest

from evidence import decisions as evidence
from raw_tables import cleaning_of
from shops import AS_OF, many, order, run_of, write_shop
from test_settlement import END, decision, listed
from workbook import ab_testing as ab
from workbook import cleaning, decisions
from workbook.data.errors import WorkbookError
from workbook.data.simulate import Action, simulate
from workbook.decisions import Request
from workbook.output import i18n
from workbook.output.words import controls as words
from workbook.output.words import decisions as decision_words

CODE = "TEA-JULY"
# customer, day, amount, what was entered
ORDERS = [
    ("a", "2026-04-02", 100, CODE), ("b", "2026-04-03", 50, ""),
    ("d", "2026-04-05", 20, "tea-july"),  # control: capitals do not matter
    ("d", "2026-04-06", 30, "WELCOME, TEA-JULY"),  # control: one of two
    ("d", "2026-04-07", 10, "TEA-JULY-2"),  # another code
    ("e", "2026-05-02", 99, CODE),  # after the window
    ("f", "2026-03-30", 77, CODE),  # before it
    ("z", "2026-04-09", 40, CODE),  # on no list
]


@pytest.fixture(scope="module")
def orders(make_table):
    return orders_of(make_table, ORDERS)


def orders_of(make_table, rows):
    return make_table(ibis.duckdb.connect(), pd.DataFrame({
        "order_id": [str(number) for number in range(len(rows))], "customer_id": [row[0] for row in rows],
        "ordered_on": [date.fromisoformat(row[1]) for row in rows], "amount": [float(row[2]) for row in rows],
        "net_amount": [float(row[2]) for row in rows], "is_return": False,
        "discount_code": [row[3] or None for row in rows]}))


def settled(orders: ibis.Table, **changes) -> ab.Settlement:
    made = decision(**{"code": CODE, "metric": "revenue"} | changes)
    (found,) = ab.settle([made], {made.id: listed()}.__getitem__, orders, as_of=END, frame=ibis.Table.to_pandas)
    return found


class TestByHand:
    def test_people_orders_and_money_of_the_control_are_counted_and_the_effect_stays(self, orders) -> None:
        found = settled(orders)
        told = found.integrity
        assert (told.control_coded, told.coded_orders, told.coded_revenue, told.treated_coded) == (1, 2, 50.0, 1)
        assert found.main.difference == pytest.approx((150 - 60) / 3), "everybody counts where they were drawn"
        assert told.leaked == 1 and "control_used_code" in found.reasons, "one of three is more than a tenth"

    def test_a_decision_without_a_code_counts_nothing(self, orders) -> None:
        told = settled(orders, code="").integrity
        assert (told.control_coded, told.coded_orders, told.coded_revenue, told.leaked) == (None, None, None, 0)

    def test_without_a_code_on_any_order_since_it_began_nobody_can_tell(self, orders, make_table) -> None:
        late = orders_of(make_table, [row for row in ORDERS if row[1] < "2026-04-01" or not row[3]])
        for table in (late, orders.drop("discount_code")):
            found = settled(table)
            assert found.integrity.control_coded is None
            i18n.use("en", "EUR")
            assert any("nobody can tell who used its code" in text for text in words.integrity([found]))

    def test_the_page_tells_how_many_how_much_and_that_the_effect_is_understated(self, orders) -> None:
        i18n.use("en", "EUR")
        (told,) = [text for text in words.integrity([settled(orders)]) if CODE in text]
        assert "1 people of the control ordered with the code TEA-JULY: orders: 2, €50.00 in all" in told
        assert "the effect is understated" in told

    def test_it_is_kept_in_the_table_and_in_the_named_results(self, orders) -> None:
        found = settled(orders)
        row = ab.settlements_table([found]).to_pylist()[0]
        assert (row["coded"], row["coded_orders"], row["coded_revenue"]) == (1, 2, 50.0)
        figures = {one.name: one for one in ab.programme_figures(ab.programme([found], period_start=AS_OF), [found])}
        assert (figures["control_used_code"].value, figures["control_code_revenue"].value) == (1, 50.0)
        silent = settled(orders, code="")
        figures = {one.name: one for one in ab.programme_figures(ab.programme([silent], period_start=AS_OF), [silent])}
        assert (figures["control_used_code"].value, figures["control_used_code"].reason) == (None, "not_recorded")


def test_cleaning_carries_the_code_from_orders_and_from_flat_lines(tmp_path: Path) -> None:
    """Order 1 is told by its document, 2 has none, 3 by one of its own lines."""
    at = datetime(2026, 6, 3, 9)
    documents = [{"order_id": "1", "customer_id": "a", "ordered_at": at, "amount": 30, "discount_code": CODE},
                 {"order_id": "2", "customer_id": "b", "ordered_at": at, "amount": 5}]
    lines = [{"order_id": "1", "line_no": line, "amount": 15} for line in (1, 2)]
    lines += [{"order_id": "3", "line_no": line, "customer_id": "c", "ordered_at": at, "amount": 7,
               "discount_code": ("", "TEN")[line - 1] or None} for line in (1, 2)]
    run = cleaning_of(tmp_path, {"orders": documents, "order_lines": lines})
    kept = run.frame(cleaning.clean(run).orders.select("order_id", "discount_code", "amount")).set_index("order_id")
    assert kept["discount_code"].fillna("").to_dict() == {"1": CODE, "2": "", "3": "TEN"}
    assert kept["amount"].to_dict() == {"1": Decimal(30), "2": Decimal(5), "3": Decimal(14)}


class TestRegistered:
    CALL = Request("segment:loyal", "call", "Ana", 2.0, effect="4", offer="tea", code=" TEA-JULY ")

    def test_the_code_is_in_the_book(self, tmp_path: Path) -> None:
        shop = write_shop(tmp_path, many(400))
        made = decisions.export(shop, self.CALL, as_of="2026-06")
        (kept,) = decisions.registered(shop)
        assert kept == made and kept.code == CODE and "code_in_use" not in made.warnings
        i18n.use("en", "EUR")
        assert any("Orders with the code TEA-JULY will tell" in text for text in decision_words.told(made))

    def test_a_code_that_was_used_before_is_flagged(self, tmp_path: Path) -> None:
        tables = many(400)
        tables["clean/orders"].append(order("c0001", "2026-05-05", 3) | {"discount_code": "tea-july"})
        made = decisions.export(write_shop(tmp_path, tables), self.CALL, as_of="2026-06")
        assert "code_in_use" in made.warnings
        i18n.use("en", "EUR")
        assert any("was used before" in text for text in decision_words.told(made))

    def test_tables_of_before_codes_were_known_have_used_none(self, tmp_path: Path) -> None:
        shop = write_shop(tmp_path, many(400))
        run = run_of(shop)
        old = run.table("clean/orders").drop("discount_code").to_pyarrow()
        run.store.write(f"{AS_OF}/clean/orders", old, made_by="tests")
        assert "code_in_use" not in decisions.export(shop, self.CALL, as_of="2026-06").warnings

    def test_one_list_has_one_code(self, tmp_path: Path) -> None:
        with pytest.raises(WorkbookError, match="more than one code"):
            decisions.export(write_shop(tmp_path, many(4)), replace(self.CALL, code="TEA, JULY"), as_of="2026-06")

    def test_an_offer_without_a_code_says_what_stays_unknown(self, tmp_path: Path) -> None:
        made = decisions.export(write_shop(tmp_path, many(400)), replace(self.CALL, code=""), as_of="2026-06")
        i18n.use("en", "EUR")
        assert any("(--code)" in text for text in decision_words.told(made))


class TestSimulated:
    """The best customers get a code; every twentieth of their control got hold of it too, and orders twice as often."""

    def test_known_contamination_is_told_exactly_and_makes_the_effect_smaller(self) -> None:
        base = evidence.recorded(simulate(600, 18, 4, evidence.parameters()))
        people = evidence.drawn(base["orders"], "best", salt="1")
        made = replace(evidence.registered(people, "best", "offer"), code="tea-july")
        arms = {arm: tuple(found["customer_id"]) for arm, found in people.groupby("arm")}
        passed_to = arms["control"][::20]
        offer = Action(made.id, made.starts_on, arms["treated"], rate=2.0, days=evidence.DAYS, code=CODE)
        kept, leaked = (settle(made, people, replace(offer, passed_to=names)) for names in ((), passed_to))
        assert (kept[0].integrity.control_coded, kept[0].integrity.coded_orders) == (0, 0)
        orders = leaked[1]
        mine = orders[orders["customer_id"].isin(passed_to) & (orders["ordered_on"] > pd.Timestamp(evidence.AS_OF))
                      & (orders["ordered_on"] <= pd.Timestamp(evidence.SEEN_ON)) & (orders["net_amount"] > 0)]
        told = leaked[0].integrity
        assert 0 < told.control_coded == mine["customer_id"].nunique() <= len(passed_to)
        assert (told.coded_orders, told.coded_revenue) == (len(mine), pytest.approx(mine["net_amount"].sum()))
        assert told.control_contacted == 0, "no message is on record: only the code tells"
        assert leaked[0].main.difference < kept[0].main.difference, "understated, and still as drawn"
        assert (leaked[0].treated, leaked[0].control) == (kept[0].treated, kept[0].control)


def settle(made: decisions.Decision, people: pd.DataFrame, action: Action) -> tuple[ab.Settlement, pd.DataFrame]:
    shop = evidence.recorded(simulate(600, 18, 4, evidence.parameters(action)))
    con = ibis.duckdb.connect(threads=1)
    tables = {name: con.create_table(name, frame) for name, frame in shop.items()}
    (found,) = ab.settle([made], {made.id: people}.__getitem__, tables["orders"], as_of=evidence.SEEN_ON,
                         returns=tables["returns"], contacts=tables["contacts"], frame=ibis.Table.to_pandas)
    return found, shop["orders"]
