"""What a notebook opens: tables of one date, named results, rules fitted once and kept."""

import json
import math
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workbook.data.errors import WorkbookError
from workbook.data.findings import Finding
from workbook.data.run import RECALL, STAGE, Run, forget_scratch, last_complete_period, open_run, open_store
from workbook.data.settings import load_settings
from workbook.data.store import Store

ORDERS = pa.table({
    "order_id": ["1", "2", "3"],
    "amount": pa.array([Decimal("1.5"), Decimal("2.25"), Decimal("4")], pa.decimal128(18, 4)),
    "ordered_on": pa.array([date(2026, 5, 30), date(2026, 6, 30), date(2026, 7, 9)]),
    "arrived_at": pa.array([datetime(2026, 7, 10)] * 3, pa.timestamp("us")),
})  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv(STAGE, raising=False)
    declare(tmp_path)
    return tmp_path


def declare(folder: Path, **more: str) -> None:
    lines = ["name: shop", "sources: [{table: orders, path: o.csv}]"]
    lines += [f"{key}: {value}" for key, value in more.items()]
    (folder / "workbook.yaml").write_text("\n".join(lines))


def opened(shop: Path, as_of: str = "2026-06", chapter: str = "04_rfm") -> Run:
    return open_run(chapter, settings=str(shop / "workbook.yaml"), as_of=as_of)


# --- which date --------------------------------------------------------------------------------


def test_end_of_the_month_is_seen(shop: Path) -> None:
    run = opened(shop, "2026-06")
    assert (run.as_of, run.period.label) == (date(2026, 6, 30), "2026-06")
    assert opened(shop, "2026-06-15").period.label == "2026-06-15"


def test_default_is_the_last_complete_period_before_the_newest_order(shop: Path) -> None:
    run = opened(shop, "")
    run.store.write("raw/orders", ORDERS, made_by="01_collection")
    assert run.period.label == "2026-06"


def test_order_dated_after_its_arrival_does_not_move_the_report(shop: Path) -> None:
    future = ORDERS.set_column(2, "ordered_on", pa.array([date(2026, 5, 30), date(2099, 1, 1), None]))
    store = Store(shop / "store")
    store.write("raw/orders", future, made_by="01")
    assert last_complete_period(store, load_settings(shop)).label == "2026-04"


def test_lines_tell_the_newest_day_too(shop: Path) -> None:
    store = Store(shop / "store")
    store.write("raw/orders", ORDERS.slice(0, 1), made_by="01")
    store.write("raw/order_lines", ORDERS, made_by="01")
    assert last_complete_period(store, load_settings(shop)).label == "2026-06"


def test_no_order_at_all_names_the_way_out(shop: Path) -> None:
    with pytest.raises(WorkbookError, match="No order with a possible date") as error:
        opened(shop, "").as_of  # noqa: B018
    assert "--as-of" in error.value.way_out


# --- tables ------------------------------------------------------------------------------------


def test_tables_belong_to_their_date(shop: Path) -> None:
    june, may = opened(shop, "2026-06"), opened(shop, "2026-05")
    june.keep("clean/orders", ORDERS, key=("order_id",))
    assert june.has("clean/orders") and not may.has("clean/orders")
    with pytest.raises(WorkbookError, match=r"The table 2026-05-31/clean/orders has not been made yet"):
        may.table("clean/orders")
    june.store.write("raw/orders", ORDERS, made_by="01")
    assert may.has("raw/orders"), "raw tables know no date"


def test_kept_table_is_read_back_from_the_store(shop: Path) -> None:
    run = opened(shop)
    table = run.keep("rfm", pd.DataFrame({"customer_id": ["a", "b"], "r": [5, 1]}), key=("customer_id",))
    assert table.count().to_pyarrow().as_py() == 2
    assert run.store.entry("2026-06-30/rfm").parameters == {"as_of": "2026-06-30"}
    assert run.keep("rfm", table.filter(table.r > 1)).count().to_pyarrow().as_py() == 1


def test_key_that_is_not_unique_is_refused(shop: Path) -> None:
    with pytest.raises(WorkbookError, match="has 2 rows with"):
        opened(shop).keep("rfm", pd.DataFrame({"customer_id": ["a", "a"]}), key=("customer_id",))


def test_decimals_come_to_pandas_as_floats(shop: Path) -> None:
    run = opened(shop)
    frame = run.frame(run.keep("t", ORDERS))
    assert frame["amount"].dtype == "float64" and frame["amount"].sum() == 7.75
    assert str(frame["ordered_on"].dtype).startswith("datetime64")


def test_more_rows_than_memory_should_hold_are_refused(shop: Path) -> None:
    run = opened(shop)
    table = run.keep("t", ORDERS)
    assert len(run.frame(table, limit=3)) == 3
    with pytest.raises(WorkbookError, match=r"More than 2 rows were asked into memory by 04_rfm"):
        run.frame(table, limit=2)


def test_peek_is_a_few_rows(shop: Path) -> None:
    run = opened(shop)
    table = run.keep("many", pd.DataFrame({"n": range(5000)}))
    assert len(run.peek(table)) == 10 and len(run.peek(table, 10**6)) == 1000


# --- scratch, stage, publish -------------------------------------------------------------------


def test_interactive_run_writes_to_scratch_only(shop: Path) -> None:
    opened(shop).keep("rfm", ORDERS)
    below = Store(shop / ".workbook")
    assert not below.has("2026-06-30/rfm") and opened(shop).has("rfm")
    forget_scratch(load_settings(shop))
    assert not opened(shop).has("rfm")


def test_render_publishes_what_its_stage_holds(shop: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv(STAGE, str(tmp_path / "stage"))
    opened(shop).keep("rfm", ORDERS)
    open_store(load_settings(shop)).publish()
    monkeypatch.delenv(STAGE)
    assert Store(shop / ".workbook").has("2026-06-30/rfm")


# --- findings ----------------------------------------------------------------------------------


def test_findings_are_named_once_and_written_on_closing(shop: Path) -> None:
    run = opened(shop)
    run.find("revenue", Decimal("8911407.904"), unit="currency", n=4338)
    run.find("lift", 0.7, unit="share", low=Decimal("-0.1"), high=1.5)
    run.find("churn", None, reason="too_few")
    with pytest.raises(ValueError, match="found 'revenue' twice"):
        run.find("revenue", 1)
    with pytest.raises(ValueError, match="no value and no reason"):
        run.find("median", None)
    frame = run.close()
    assert list(frame.index) == ["revenue", "lift", "churn"]
    written = json.loads((run.store.root / "findings" / "04_rfm.json").read_text("utf-8"))
    assert written["revenue"] == {"value": 8911407.904, "unit": "currency", "n": 4338}
    assert written["lift"]["low"] == -0.1 and written["churn"]["reason"] == "too_few"


@pytest.mark.parametrize("value", [None, math.nan, math.inf, np.float64("nan")])
def test_a_number_that_is_none_is_named_with_its_reason_alone(shop: Path, value: float | None) -> None:
    run = opened(shop)
    told = run.find_known("share", value, "share", low=0.1, high=0.2, n=7)
    assert told == Finding(None, "share", n=7, reason="too_few")
    other = run.find_known("other", value, "share", reason="no_events", evidence="observed")
    assert other == Finding(None, "share", reason="no_events"), "what is not known claims nothing"


def test_a_known_number_keeps_the_ends_that_are_known(shop: Path) -> None:
    found = opened(shop).find_known("share", 0.5, "share", low=math.nan, high=0.75, n=7, evidence="observed")
    assert found == Finding(0.5, "share", None, 0.75, 7, "", "observed")


def test_previous_finding_is_as_first_published(shop: Path) -> None:
    folder = shop / "reports" / "2026-05"
    folder.mkdir(parents=True)
    (folder / "findings.json").write_text(json.dumps({"04_rfm": {"customers": {"value": 3, "unit": "customers"}}}))
    run = opened(shop, "2026-06")
    assert run.previous("customers") == Finding(3, "customers")
    assert run.previous("customers", "02_cleaning") is None and run.previous("revenue") is None
    assert opened(shop, "2026-07").previous("customers") is None


def test_random_numbers_are_the_same_for_a_chapter(shop: Path) -> None:
    draws = [opened(shop, chapter=chapter).rng.random() for chapter in ("04_rfm", "04_rfm", "05_clustering")]
    assert draws[0] == draws[1] != draws[2]


# --- rules fitted once -------------------------------------------------------------------------


def fitting(calls: list[date]) -> Callable[[date], dict[str, object]]:
    def fit(last_day: date) -> dict[str, object]:
        calls.append(last_day)
        return {"cut": last_day.isoformat()}

    return fit


def test_second_language_reads_what_the_first_one_made_and_draws_on_from_there(
    shop: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(STAGE, str(tmp_path / "stage"))
    first = opened(shop)
    made = first.once("draws", lambda: first.rng.normal(size=3).tolist())
    drawn_next = first.rng.normal()

    monkeypatch.setenv(RECALL, "1")
    second = opened(shop)
    assert second.once("draws", lambda: pytest.fail("made a second time")) == made
    assert second.rng.normal() == drawn_next
    assert second.once("only here", lambda: 7) == 7  # what the first did not make is made


def test_without_a_report_nothing_is_laid_by(shop: Path) -> None:
    run = opened(shop)
    assert [run.once("n", lambda: 1), run.once("n", lambda: 2)] == [1, 2]
    assert not (run.store.root / "once").exists()


def test_rule_is_fitted_at_the_first_period_and_kept(shop: Path) -> None:
    calls: list[date] = []
    first = opened(shop, "2026-05").freeze("cuts", fitting(calls))
    later = opened(shop, "2026-06").freeze("cuts", fitting(calls))
    assert first.rule == later.rule == {"cut": "2026-05-31"} and calls == [date(2026, 5, 31)]
    assert later.base.label == "2026-05" and not later.provisional


def test_rule_is_fitted_on_what_was_known_at_the_declared_base(shop: Path) -> None:
    declare(shop, base_period="2026-03")
    frozen = opened(shop, "2026-06").freeze("cuts", fitting([]))
    assert frozen.rule == {"cut": "2026-03-31"} and frozen.base.label == "2026-03"


def test_period_before_the_base_sees_nothing_later(shop: Path) -> None:
    declare(shop, base_period="2026-05")
    early = opened(shop, "2026-02").freeze("cuts", fitting([]))
    assert early.rule == {"cut": "2026-02-28"} and early.provisional


def test_order_of_back_filling_changes_nothing(shop: Path) -> None:
    declare(shop, base_period="2026-05")
    rules = []
    for months in (("2026-02", "2026-06"), ("2026-06", "2026-02")):
        forget_scratch(load_settings(shop))
        rules.append({month: opened(shop, month).freeze("cuts", fitting([])).rule for month in months})
    assert rules[0] == rules[1] == {"2026-02": {"cut": "2026-02-28"}, "2026-06": {"cut": "2026-05-31"}}


def test_another_declared_base_is_a_refit(shop: Path) -> None:
    declare(shop, base_period="2026-03")
    opened(shop, "2026-06").freeze("cuts", fitting([]))
    declare(shop, base_period="2026-05")
    frozen = opened(shop, "2026-06").freeze("cuts", fitting([]))
    assert frozen.rule == {"cut": "2026-05-31"} and frozen.base.label == "2026-05"
    assert opened(shop, "2026-06").store.document("frozen/cuts")["base"] == "2026-05"
