"""From files to raw tables: what is kept, what waits in quarantine, what is read again, and what stops the run."""

import os
import sqlite3
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
import yaml

from workbook.collection import Collected, collect, overview
from workbook.data.engine import connect
from workbook.data.errors import WorkbookError
from workbook.data.settings import Engine, load_settings
from workbook.data.store import Store

FIRST, LATER = datetime(2026, 4, 1, 8), datetime(2026, 5, 1, 8)
COLUMNS = {"order": "order_id", "customer": "customer_id", "at": "ordered_at", "amount": "amount"}
KEY = "a key that is long enough"


class Shop:
    """A workspace of small files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = Store(folder / ".workbook")
        self.declared: dict[str, Any] = {"name": "Test", "currency": "EUR", "time_zone": "UTC", "sources": []}

    def write(self, name: str, content: str | bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)

    def source(self, path: str = "*.csv", table: str = "orders", **declared: Any) -> None:
        place = {} if "url" in declared else {"path": path}
        self.declared["sources"].append({"table": table, "columns": COLUMNS, **place, **declared})

    def collect(self, arrived: datetime = FIRST) -> Collected:
        (self.folder / "workbook.yaml").write_text(yaml.safe_dump(self.declared), encoding="utf-8")
        settings = load_settings(self.folder / "workbook.yaml")
        return collect(settings, self.store, arrived=arrived, progress=False)

    def rows(self, name: str) -> list[dict[str, Any]]:
        rows = [row for path in self.store.files(name) for row in pq.read_table(path).to_pylist()]
        return sorted(rows, key=lambda row: (row["source_file"], row["source_row"]))

    def orders(self) -> dict[str, Decimal]:
        return {row["order_id"]: row["amount"] for row in self.rows("raw/orders")}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def orders(*rows: str) -> str:
    return "\n".join(["order,customer,at,amount", *rows]) + "\n"


def many(n: int, *, first: int = 1) -> list[str]:
    return [f"{i},c{i % 7},2026-03-{1 + i % 28:02d} 10:00,{i}.50" for i in range(first, first + n)]


# --- one file ----------------------------------------------------------------------------------


def test_a_file_becomes_a_raw_table_with_its_lineage(shop: Shop) -> None:
    shop.declared["time_zone"] = "Asia/Shanghai"
    shop.write("a.csv", orders("007,17850.0,2026-03-05 01:30:00,2.50", "008,,2026-03-06 12:00,3"))
    shop.source()
    assert shop.collect().rows_read == 2
    first, second = shop.rows("raw/orders")
    assert first == {
        **dict.fromkeys(first),
        "order_id": "007",
        "customer_id": "17850",
        "ordered_at": datetime(2026, 3, 4, 17, 30),
        "ordered_on": date(2026, 3, 5),
        "amount": Decimal("2.5000"),
        "source_name": "orders",
        "source_file": "a.csv",
        "source_row": 2,
        "arrived_at": FIRST,
    }
    assert second["customer_id"] is None  # an anonymous sale
    (state,) = overview.by_source(shop.collect().files)
    assert (state.first_on, state.last_on) == (date(2026, 3, 5), date(2026, 3, 6))  # the shop's days
    assert shop.rows("quarantine/rows") == []


def test_a_value_that_cannot_be_read_waits_with_its_place_and_reason(shop: Shop) -> None:
    bad = ["1001,c1,2026-03-05,12.5O", "1002,c1,31/02/2026,7", "1003,c1", "1004,c1,,7"]
    shop.write("a.csv", orders(*many(1000), *bad))
    shop.source()
    collected = shop.collect()
    (record,) = collected.files
    assert (record.rows_read, record.rows_kept, record.rows_quarantined) == (1004, 1000, 4)
    found = [(row["source_row"], row["column"], row["reason"], row["value_masked"])
             for row in shop.rows("quarantine/rows")]  # fmt: skip
    assert found == [
        (1002, "amount", "number", "12.5O"),
        (1003, "ordered_at", "date", "31/02/2026"),
        (1004, "", "fields_count", "2 of 4 fields"),
        (1005, "ordered_at", "required_missing", ""),
    ]


def test_past_the_declared_share_the_run_stops_with_the_reasons_counted(shop: Shop) -> None:
    shop.write("a.csv", orders(*many(50)))
    shop.source(max_rejected_share=0.05)
    shop.collect()
    shop.write("b.csv", orders(*many(8, first=100), "7,c1,2026-03-05,x", "8,c1,2026-03-05,y", "9,c1,yesterday,1"))
    shop.collect(LATER)  # 3 of 61: below
    shop.write("c.csv", orders("10,c1,2026-03-05,z"))
    with pytest.raises(WorkbookError, match=r"4 of 62 rows \(6.5%\)") as told:
        shop.collect(LATER)
    assert "3 × amount: number, first in b.csv row 10 (x)" in str(told.value)
    assert "1 × ordered_at: date" in str(told.value)
    assert len(shop.rows("raw/orders")) == 58


def test_ids_ruined_by_excel_are_refused_with_file_and_row(shop: Shop) -> None:
    shop.write("a.csv", orders(*many(300), "1.23E+17,c1,2026-03-05,7"))
    shop.source()
    shop.collect()
    (line,) = shop.rows("quarantine/rows")
    assert (line["source_file"], line["source_row"], line["column"], line["reason"]) == (
        "a.csv", 302, "order_id", "id_ruined_by_excel")  # fmt: skip


def test_amount_of_a_line_from_quantity_and_price(shop: Shop) -> None:
    shop.write("a.csv", "order,product,n,price,at\n1,tea,3,2.105,2026-03-05\n1,cup,-2,4,2026-03-05\n")
    columns = {"order": "order_id", "product": "product_id", "n": "quantity", "price": "unit_price", "at": "ordered_at"}
    shop.source(table="order_lines", columns=columns)
    shop.collect()
    assert [row["amount"] for row in shop.rows("raw/order_lines")] == [Decimal("6.3150"), Decimal("-8.0000")]


def test_more_than_four_decimals_are_counted(shop: Shop) -> None:
    shop.write("a.csv", orders("1,c,2026-03-05,1.23456", "2,c,2026-03-05,3.3899999999999997"))
    shop.source()
    (record,) = shop.collect().files
    assert (record.values_rounded, shop.orders()["2"]) == (2, Decimal("3.3900"))


def test_values_constants_and_columns_that_belong_together(shop: Shop) -> None:
    shop.write("a.csv", "no;day;time;sum;where\n1;05.03.2026;14:05;1.234,50;网店\n2;25.03.2026;09:00;2;store\n")
    columns = {"no": "order_id", "day": "ordered_at", "time": "ordered_at", "sum": "amount", "where": "channel"}
    shop.source(columns=columns, values={"channel": {"网店": "web"}}, constants={"country": "DE"}, decimal_comma=True)
    shop.collect()
    first, second = shop.rows("raw/orders")
    assert (first["ordered_at"], first["amount"]) == (datetime(2026, 3, 5, 14, 5), Decimal("1234.5000"))
    assert (first["channel"], second["channel"], second["country"]) == ("web", "store", "DE")


def test_foreign_currency_needs_a_rate(shop: Shop) -> None:
    shop.declared["rates"] = [
        {"currency": "USD", "rate": "0.90"},
        {"currency": "USD", "rate": "0.80", "valid_from": "2026-03-10"},
    ]
    rows = ["1,2026-03-09,10,USD", "2,2026-03-10,10,usd", "3,2026-03-10,10,", "4,2026-03-10,10,GBP"]
    shop.write("a.csv", "\n".join(["order,at,amount,cur", *rows]))
    shop.source(columns={**COLUMNS, "customer": "-", "cur": "currency"}, max_rejected_share=0.5)
    shop.collect()
    assert shop.orders() == {"1": Decimal("9"), "2": Decimal("8"), "3": Decimal("10")}
    (line,) = shop.rows("quarantine/rows")
    assert (line["source_row"], line["reason"], line["value_masked"]) == (5, "currency_without_rate", "GBP")


def test_a_foreign_sign_beside_the_number_needs_a_rate_too(shop: Shop) -> None:
    shop.write("a.csv", orders("1,c,2026-03-05,€5", "2,c,2026-03-05,$5"))
    shop.source(max_rejected_share=0.5)
    shop.collect()
    assert shop.orders() == {"1": Decimal("5")}


def test_a_foreign_price_makes_a_foreign_amount(shop: Shop) -> None:
    shop.declared["rates"] = [{"currency": "USD", "rate": "0.5"}]
    shop.write("a.csv", "order,n,price,at\n1,3,$2,2026-03-05\n2,3,2,2026-03-05\n3,3,x,2026-03-05\n4,3,£2,2026-03-05\n")
    columns = {"order": "order_id", "n": "quantity", "price": "unit_price", "at": "ordered_at"}
    shop.source(table="order_lines", columns=columns, max_rejected_share=0.5)
    shop.collect()
    assert [row["amount"] for row in shop.rows("raw/order_lines")] == [Decimal(3), Decimal(6)]
    prices = [row for row in shop.rows("quarantine/rows") if row["column"] == "unit_price"]
    assert {row["source_row"]: row["reason"] for row in prices} == {4: "number", 5: "currency_without_rate"}


def test_a_product_too_large_for_money_waits_in_quarantine(shop: Shop) -> None:
    shop.write("a.csv", "order,n,price,at\n1,99999999999,99999,2026-03-05\n2,1,0.00015,2026-03-05\n")
    columns = {"order": "order_id", "n": "quantity", "price": "unit_price", "at": "ordered_at"}
    shop.source(table="order_lines", columns=columns, max_rejected_share=0.5)
    (record,) = shop.collect().files
    assert [row["column"] for row in shop.rows("quarantine/rows")] == ["amount"]
    assert record.values_rounded == 1


def test_words_in_place_of_a_number_are_shown_by_their_shape(shop: Shop) -> None:
    shop.write("a.csv", orders("1,c,2026-03-05,Anna Schmidt", "2,c,2026-03-05,张三", "3,c,2026-03-05,1x"))
    shop.source(max_rejected_share=1)
    shop.collect()
    assert [row["value_masked"] for row in shop.rows("quarantine/rows")] == ["xxxx xxxxxxx", "文文", "1x"]


def test_several_currencies_in_a_shop_that_names_none_are_refused(shop: Shop) -> None:
    shop.declared["currency"] = "XXX"
    shop.write("a.csv", orders("1,c,2026-03-05,€5", "2,c,2026-03-05,$5"))
    shop.source()
    with pytest.raises(WorkbookError, match="several currencies"):
        shop.collect()


# --- what only the whole column can tell --------------------------------------------------------


def test_a_later_day_above_the_twelfth_decides_earlier_dates(shop: Shop) -> None:
    shop.write("1.csv", orders("1,c,03/04/2026,1"))
    shop.write("2.csv", orders("2,c,25/04/2026,1"))
    shop.source()
    shop.collect()
    assert [row["ordered_on"] for row in shop.rows("raw/orders")] == [date(2026, 4, 3), date(2026, 4, 25)]


def test_undecidable_dates_are_refused_with_the_way_out(shop: Shop) -> None:
    shop.write("1.csv", orders("1,c,03/04/2026,1", "2,c,05/06/2026,1"))
    shop.source()
    with pytest.raises(WorkbookError, match="ordered_at has dates such as 03/04/2026") as told:
        shop.collect()
    assert "dates: dmy" in told.value.way_out
    shop.declared["sources"][0]["dates"] = "mdy"
    shop.collect()
    assert shop.rows("raw/orders")[0]["ordered_on"] == date(2026, 3, 4)


def test_dates_of_both_orders_are_refused(shop: Shop) -> None:
    shop.write("1.csv", orders("1,c,25/04/2026,1", "2,c,04/25/2026,1"))
    shop.source()
    with pytest.raises(WorkbookError, match="day first and dates written month first"):
        shop.collect()


def test_a_file_that_shows_ids_are_text_has_the_others_read_again(shop: Shop) -> None:
    shop.write("1.csv", orders("1,17850.0,2026-03-05,1"))
    shop.source()
    shop.collect()
    assert shop.rows("raw/orders")[0]["customer_id"] == "17850"
    shop.write("2.csv", orders("2,17850.5,2026-03-05,1"))
    shop.collect(LATER)
    assert [row["customer_id"] for row in shop.rows("raw/orders")] == ["17850.0", "17850.5"]


# --- personal values ---------------------------------------------------------------------------


def test_personal_values_are_stored_nowhere(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_KEY", KEY)
    shop.declared["phone_country"] = "CN"
    people = [f"{n},Person{n},139001380{n:02d},p{n}@example.com,1990-01-{n:02d},2026-01-01" for n in range(1, 29)]
    shifted = "99,Wang Xiaoming,12,wang@example.com,1980-02-03,Wang Xiaoming"
    shop.write("people.csv", "\n".join(["id,name,phone,mail,born,since", *people, shifted]))
    shop.source("people.csv", "customers", max_rejected_share=0.5, columns={
        "id": "customer_id", "name": "name", "phone": "phone", "mail": "mail", "born": "birth_date",
        "since": "registered_at"})  # fmt: skip
    shop.collect()
    stored = b"".join(path.read_bytes() for path in sorted((shop.folder / ".workbook").rglob("*.parquet")))
    rows = str(shop.rows("raw/customers")) + str(shop.rows("quarantine/rows"))
    for personal in ("Person1", "13900138001", "p1@example.com", "1990-01-01", "Xiaoming", "wang@example.com"):
        assert personal not in rows
        assert personal.encode() not in stored
    first = shop.rows("raw/customers")[0]
    assert (first["birth_year"], first["birth_month_day"], len(first["phone_hash"])) == (1990, "01-01", 32)
    kept = {row["column"]: (row["reason"], row["row_kept"]) for row in shop.rows("quarantine/rows")}
    assert kept["registered_at"] == ("date", False)
    assert kept["phone"] == ("phone", True)


def test_no_personal_column_needs_no_key(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBOOK_KEY", raising=False)
    shop.write("a.csv", orders(*many(3)))
    shop.source()
    assert shop.collect().read == 1


# --- reading again -----------------------------------------------------------------------------


def test_unchanged_files_are_not_read_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in (1, 2):
        shop.write(f"{n}.csv", orders(*many(5, first=10 * n)))
    shop.source()
    assert shop.collect().read == 2
    before = {name: shop.store.entry(name) for name in ("raw/orders", "quarantine/rows", "collection/files")}
    os.utime(shop.folder / "1.csv", (1, 1))  # touched, the same bytes
    again = shop.collect(LATER)
    assert (again.read, again.unchanged) == (0, 2)
    assert shop.store.entry("raw/orders") == before["raw/orders"]
    shop.collect(LATER)
    opened = []
    monkeypatch.setattr("workbook.data.sources.fingerprint", lambda piece: opened.append(piece) or "")
    assert (shop.collect(LATER).read, opened) == (0, [])


def test_a_changed_file_alone_is_read_and_old_rows_keep_their_arrival(shop: Shop) -> None:
    shop.write("1.csv", orders(*many(5)))
    shop.write("2.csv", orders(*many(5, first=10)))
    shop.source()
    shop.collect()
    shop.write("2.csv", orders("99,c9,2026-03-30,9", *many(5, first=10)))
    collected = shop.collect(LATER)
    assert (collected.read, collected.unchanged) == (1, 1)
    arrived = {row["order_id"]: row["arrived_at"] for row in shop.rows("raw/orders")}
    assert arrived == {**{str(n): FIRST for n in (*range(1, 6), *range(10, 15))}, "99": LATER}


def test_a_changed_declaration_reads_again_and_keeps_the_arrival(shop: Shop) -> None:
    shop.write("1.csv", orders(*many(5)))
    shop.source()
    shop.collect()
    shop.declared["sources"][0]["constants"] = {"channel": "web"}
    assert shop.collect(LATER).read == 1
    assert {(row["channel"], row["arrived_at"]) for row in shop.rows("raw/orders")} == {("web", FIRST)}


@pytest.mark.parametrize(("load", "left"), [("replace_file", {"2"}), ("append", {"1", "2"})])
def test_a_file_that_is_gone(shop: Shop, load: str, left: set[str]) -> None:
    shop.write("1.csv", orders("1,c,2026-03-05,1"))
    shop.write("2.csv", orders("2,c,2026-03-05,1"))
    shop.source(load=load)
    shop.collect()
    (shop.folder / "1.csv").unlink()
    statuses = {record.file: record.status for record in shop.collect(LATER).files}
    assert set(shop.orders()) == left
    assert statuses["1.csv"] == ("gone" if load == "replace_file" else "gone_kept")
    assert shop.collect(LATER).rows_read == len(left)


def test_of_snapshots_the_last_one_counts(shop: Shop) -> None:
    shop.write("2026-03.csv", orders("1,c,2026-03-05,1", "2,c,2026-03-05,2"))
    shop.source(load="snapshot")
    shop.collect()
    shop.write("2026-04.csv", orders("2,c,2026-03-05,2", "3,c,2026-03-05,3"))
    statuses = {record.file: record.status for record in shop.collect(LATER).files}
    assert statuses == {"2026-03.csv": "superseded", "2026-04.csv": "read"}
    arrived = {row["order_id"]: row["arrived_at"] for row in shop.rows("raw/orders")}
    assert arrived == {"2": FIRST, "3": LATER}


def test_upserts_replace_by_key(shop: Shop) -> None:
    shop.write("1.csv", orders("1,c,2026-03-05,1", "2,c,2026-03-05,2", ",c,2026-03-05,7", ",c,2026-03-05,7"))
    shop.source(load="upsert")
    shop.collect()
    shop.write("2.csv", orders("2,c,2026-03-05,20", "1,c,2026-03-05,1", "3,c,2026-03-05,3", "3,c,2026-03-05,33"))
    shop.collect(LATER)
    rows = [(row["order_id"], row["amount"], row["arrived_at"]) for row in shop.rows("raw/orders") if row["order_id"]]
    assert sorted(rows) == [("1", Decimal(1), FIRST), ("2", Decimal(20), LATER), ("3", Decimal(33), LATER)]
    assert sum(row["order_id"] is None for row in shop.rows("raw/orders")) == 2  # rows without a key are kept
    content = shop.store.entry("raw/orders")
    assert shop.collect(LATER).read == 0
    assert shop.store.entry("raw/orders") == content


def test_an_upsert_without_its_key_is_refused(shop: Shop) -> None:
    shop.write("1.csv", orders(*many(3)))
    shop.source(load="upsert", columns={"customer": "customer_id", "at": "ordered_at", "amount": "amount"})
    with pytest.raises(WorkbookError, match="has no order_id of orders"):
        shop.collect()


def test_a_copy_is_counted_once(shop: Shop) -> None:
    shop.write("orders (1).csv", orders(*many(5)))
    shop.write("orders.csv", orders(*many(5)))
    shop.source()
    collected = shop.collect()
    assert sorted(record.status for record in collected.files) == ["copy", "read"]
    assert collected.rows_read == len(shop.rows("raw/orders")) == 5


def test_a_source_that_is_no_longer_declared_leaves_an_empty_table(shop: Shop) -> None:
    shop.write("a.csv", orders(*many(5)))
    shop.write("b.txt", "id,since\n1,2026-01-01\n")
    shop.source()
    shop.source("b.txt", "customers", columns={"id": "customer_id", "since": "registered_at"})
    shop.collect()
    shop.declared["sources"].pop()
    assert shop.collect(LATER).tables == ("orders",)
    assert shop.rows("raw/customers") == []


# --- bad input ---------------------------------------------------------------------------------


def test_a_file_with_a_header_and_no_rows(shop: Shop) -> None:
    shop.write("a.csv", "order,customer,at,amount\n")
    shop.source()
    with pytest.raises(WorkbookError, match="has a header and no rows"):
        shop.collect()


def test_the_wrong_delimiter_is_guessed_at(shop: Shop) -> None:
    shop.write("a.csv", orders(*many(3)).replace(",", ";"))
    shop.source(delimiter=",")
    with pytest.raises(WorkbookError, match=r"one single column: is the `delimiter` right\?"):
        shop.collect()


def test_a_missing_required_column_names_the_nearest(shop: Shop) -> None:
    shop.write("a.csv", "order,customer,at,amuont\n1,c,2026-03-05,7\n")
    shop.source()
    with pytest.raises(WorkbookError, match=r"has no column for amount of orders.*did you mean 'amuont'"):
        shop.collect()


def test_a_misspelt_column_is_not_just_empty(shop: Shop) -> None:
    shop.write("a.csv", "order,custmer,at,amount\n1,c,2026-03-05,7\n")
    shop.source()
    with pytest.raises(WorkbookError, match="no file has the declared column 'customer'"):
        shop.collect()


def test_a_column_may_come_later(shop: Shop) -> None:
    shop.write("1.csv", "order,at,amount\n1,2026-03-05,7\n")
    shop.write("2.csv", orders("2,c,2026-04-05,7"))
    shop.source()
    first, _ = shop.collect().files
    assert first.missing_columns == "customer"
    assert [row["customer_id"] for row in shop.rows("raw/orders")] == [None, "c"]


def test_a_repeated_header_is_refused_only_where_it_is_used(shop: Shop) -> None:
    shop.write("a.csv", "order,at,amount,note,note\n1,2026-03-05,7,a,b\n")
    shop.source(columns={"order": "order_id", "at": "ordered_at", "amount": "amount"})
    shop.collect()
    shop.write("a.csv", "order,at,amount,amount\n1,2026-03-05,7,8\n")
    with pytest.raises(WorkbookError, match="has the column 'amount' more than once"):
        shop.collect()


def test_mixed_encodings_in_one_folder(shop: Shop) -> None:
    text = "order,customer,at,amount\n1,张三,2026-03-05,7\n"
    shop.write("1.csv", text.encode("gb18030"))
    shop.write("2.csv", text.replace("1,", "2,", 1).encode("utf-16"))
    shop.source()
    assert [record.encoding for record in shop.collect().files] == ["gb18030", "utf-16"]
    assert {row["customer_id"] for row in shop.rows("raw/orders")} == {"张三"}


def test_merged_cells_of_excel(shop: Shop) -> None:
    with xlsxwriter.Workbook(shop.folder / "book.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.merge_range("A1:D1", "Sales")
        sheet.write_row("A2", ["order", "customer", "at", "amount"])
        sheet.merge_range("A3:A4", "00417")
        sheet.merge_range("B3:B4", "c1")
        sheet.write_column("C3", ["2026-03-05", "2026-03-05"])
        sheet.write_column("D3", [1, 2])
    shop.source("book.xlsx", "order_lines")
    shop.collect()
    names = ("order_id", "customer_id", "amount", "source_row")
    rows = [tuple(row[name] for name in names) for row in shop.rows("raw/order_lines")]
    assert rows == [("00417", "c1", Decimal(1), 3), ("00417", "c1", Decimal(2), 4)]


def test_a_truncated_file_leaves_the_tables_as_they_were(shop: Shop) -> None:
    import gzip

    shop.write("1.csv", orders(*many(5)))
    shop.source("*.csv*")
    shop.collect()
    before = shop.store.entry("raw/orders")
    shop.write("2.csv.gz", gzip.compress(orders(*many(50_000)).encode())[:5000])
    with pytest.raises(WorkbookError, match="damaged or was cut off"):
        shop.collect(LATER)
    assert shop.store.entry("raw/orders") == before
    assert parquet_files(shop) == listed_files(shop)


def test_a_database_that_is_down_leaves_the_tables_as_they_were(shop: Shop) -> None:
    shop.write("1.csv", orders(*many(5)))
    shop.source()
    shop.collect()
    shop.source(url="postgresql://nobody@127.0.0.1:1/shop", from_table="orders", name="server")
    with pytest.raises(WorkbookError, match="does not answer"):
        shop.collect(LATER)
    assert len(shop.rows("raw/orders")) == 5


def parquet_files(shop: Shop) -> set[str]:
    root = shop.folder / ".workbook"
    return {str(path.relative_to(root)) for path in root.rglob("*.parquet")}


def listed_files(shop: Shop) -> set[str]:
    return {file for name in shop.store.names() for file in shop.store.entry(name).files}


def test_a_full_disk_leaves_the_old_state_whole(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.write("1.csv", orders(*many(5)))
    shop.source()
    shop.collect()
    before, rows = listed_files(shop), shop.rows("raw/orders")
    shop.write("2.csv", orders(*many(5, first=10)))

    class FullWriter(pq.ParquetWriter):
        def write_table(self, table: pa.Table, *more: Any) -> None:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(pq, "ParquetWriter", FullWriter)
        with pytest.raises(WorkbookError, match="No space left on device") as told:
            shop.collect(LATER)
    assert "still whole" in str(told.value)
    assert (listed_files(shop), shop.rows("raw/orders"), parquet_files(shop)) == (before, rows, before)
    assert shop.collect(LATER).read == 1


def test_all_dates_in_the_future_are_kept_and_counted(shop: Shop, con: Any) -> None:
    shop.write("a.csv", orders("1,c,2027-03-05,1", "2,c,2027-03-06,1"))
    shop.source()
    shop.collect()
    sales = overview.sales({"orders": shop.store.read("raw/orders", con)})
    assert (sales.orders, sales.in_future, sales.last_on) == (2, 2, None)


def test_one_customer_only(shop: Shop, con: Any) -> None:
    shop.write("a.csv", "amount,who,at\n1,c,2026-03-05\n2,c,2026-03-05\n")
    shop.source(columns={"amount": "amount", "who": "customer_id", "at": "ordered_at"})
    shop.collect()
    sales = overview.sales({"orders": shop.store.read("raw/orders", con)})
    assert (sales.orders, sales.customers, sales.revenue) == (2, 1, Decimal(3))


# --- what arrived ------------------------------------------------------------------------------


def test_overview_by_hand(shop: Shop, con: Any) -> None:
    shop.write("a.csv", orders("1,a,2026-01-31,10", "1,a,2026-02-01,5", "2,,2026-02-03,5", ",b,2026-02-03,-4"))
    shop.source()
    collected = shop.collect()
    table = shop.store.read("raw/orders", con)
    sales = overview.sales({"orders": table})
    assert sales == overview.Sales(3, 2, 0, Decimal(16), Decimal(11), date(2026, 1, 31), date(2026, 2, 3), 0)
    assert sales.identified_share == pytest.approx(11 / 16)
    months = overview.rows_by_month({"orders": table}, first=date(2026, 1, 1)).to_pandas()
    assert sorted(months["rows"]) == [1, 3]
    late = overview.rows_by_month({"orders": table}, first=date(2026, 2, 1)).to_pandas()
    assert list(late["rows"]) == [3]
    filled = {row["column"]: row["share"] for row in overview.filled("orders", table)}
    assert filled == {"order_id": 0.75, "customer_id": 0.75, "ordered_at": 1, "ordered_on": 1, "amount": 1}
    (state,) = overview.by_source(collected.files)  # local days
    assert (state.files, state.rows_read, state.first_on, state.last_on) == (1, 4, date(2026, 1, 31), date(2026, 2, 3))


RETAIL = {"InvoiceNo": "order_id", "StockCode": "product_id", "Description": "product_name", "Quantity": "quantity",
          "InvoiceDate": "ordered_at", "UnitPrice": "unit_price", "CustomerID": "customer_id", "Country": "country"}


@pytest.mark.parametrize("file", ["online_retail_all.csv.gz", "by_day.zip"])
def test_online_retail_whole_and_by_day(shop: Shop, public_data: Callable[[str], Path], file: str) -> None:
    """Chen, Sain and Guo 2012, UCI: 541,909 rows, 25,900 invoices, 4,372 customers, 4,070 stock codes."""
    path = str(public_data(f"online_retail/{file}"))
    shop.declared |= {"currency": "GBP", "time_zone": "Europe/London"}
    shop.source(path, "order_lines", columns=RETAIL)
    collected = shop.collect()
    sales = overview.sales({"order_lines": shop.store.read("raw/order_lines", connect(Engine()))})
    assert (collected.rows_read, collected.read) == (541_909, 305 if file == "by_day.zip" else 1)
    assert (sales.orders, sales.customers, sales.products) == (25_900, 4_372, 4_070)
    assert sales.revenue == Decimal("9747747.934")
    assert (sales.first_on, sales.last_on) == (date(2010, 12, 1), date(2011, 12, 9))
    assert shop.rows("quarantine/rows") == []


def test_cdnow_master(shop: Shop, public_data: Callable[[str], Path]) -> None:
    """Fader and Hardie: 23,570 customers, 69,659 transactions, 167,881 CDs, 2,500,315.63 dollars."""
    columns = {"customer_id": "customer_id", "date": "ordered_at"}
    columns |= {"number_of_cds": "quantity", "dollar_value": "amount"}
    shop.source(str(public_data("cdnow/CDNOW_master.txt")), columns=columns)
    shop.collect()
    rows = shop.rows("raw/orders")
    assert len(rows) == 69_659
    assert len({row["customer_id"] for row in rows}) == 23_570
    assert sum(row["quantity"] for row in rows) == 167_881
    assert sum(row["amount"] for row in rows) == Decimal("2500315.63")


def test_chinook_by_url(shop: Shop, public_data: Callable[[str], Path]) -> None:
    path = public_data("chinook/Chinook_Sqlite.sqlite")
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as con:
        (total,) = con.execute("SELECT count(*) FROM Invoice WHERE InvoiceDate >= '2023-01-01'").fetchone()
    columns = {"InvoiceId": "order_id", "CustomerId": "customer_id", "InvoiceDate": "ordered_at", "Total": "amount"}
    shop.source(url=f"sqlite:///{path}", from_table="Invoice", columns=columns)
    shop.collect()
    assert sum(shop.orders().values()) == Decimal("2328.60")
    shop.declared["sources"][0]["where"] = "InvoiceDate >= '2023-01-01'"
    shop.collect()
    assert len(shop.orders()) == total
