"""A shop's own files: which table each holds, what each column means, and what stays in doubt."""

import csv
import gzip
import sqlite3
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbook.data.discover import Proposal, discover
from workbook.data.errors import WorkbookError
from workbook.data.understanding import Found, NeedsColumns

SALES = [
    ["Invoice No", "Stock Code", "Description", "Qty", "Invoice Date", "Unit Price", "Customer ID", "Country"],
    ["536365", "85123A", "HEART HOLDER", "6", "2010-12-01 08:26", "2.55", "17850.0", "United Kingdom"],
    ["536365", "71053", "LANTERN", "6", "2010-12-01 08:26", "3.39", "17850.0", "United Kingdom"],
    ["536366", "22633", "HAND WARMER", "-2", "2010-12-02 08:28", "1.85", "", "France"],
]
CHINESE = [
    ["订单号", "下单时间", "会员编号", "手机号", "商品编码", "商品名称", "数量", "单价", "实付金额",
     "收货省份", "备注"],
    ["A001", "2026-03-05 10:11:12", "M1", "13812345678", "S1", "红茶", "2", "30.00", "60.00", "浙江", "尽快"],
    ["A002", "2026-03-06 10:11:12", "M2", "13912345678", "S2", "绿茶", "1", "40.00", "40.00", "广东", ""],
]


def write(path: Path, rows: Sequence[Sequence[str]], **how) -> Path:
    with path.open("w", encoding=how.pop("encoding", "utf-8"), newline="") as stream:
        csv.writer(stream, **how).writerows(rows)
    return path


def look(tmp_path: Path, rows: Sequence[Sequence[str]], table: str = "orders", **how) -> Found:
    path = write(tmp_path / "file.csv", rows)
    (found,) = discover({table: [str(path)]}, tmp_path, key_is_set=how.pop("key", False), **how).found
    return found


def test_english_export_of_lines(tmp_path: Path) -> None:
    found = look(tmp_path, SALES)
    assert found.source.table == "order_lines"
    assert found.source.columns == {
        "Invoice No": "order_id", "Stock Code": "product_id", "Description": "product_name", "Qty": "quantity",
        "Invoice Date": "ordered_at", "Unit Price": "unit_price", "Customer ID": "customer_id", "Country": "country"}
    assert found.unmapped == ()


def test_chinese_export_of_lines(tmp_path: Path) -> None:
    found = look(tmp_path, CHINESE)
    assert found.source.table == "order_lines"
    assert found.source.columns == {
        "订单号": "order_id", "下单时间": "ordered_at", "会员编号": "customer_id", "商品编码": "product_id",
        "商品名称": "product_name", "数量": "quantity", "单价": "unit_price", "实付金额": "amount",
        "收货省份": "region"}
    assert {column.theirs for column in found.unmapped} == {"手机号", "备注"}


def test_three_columns_are_orders(tmp_path: Path) -> None:
    rows = [["customer", "date", "spent"], ["a", "2026-01-05", "10.50"], ["b", "2026-01-06", "3.20"]]
    found = look(tmp_path, rows)
    assert found.source.table == "orders"
    assert found.source.columns == {"customer": "customer_id", "date": "ordered_at", "spent": "amount"}


def test_order_that_takes_several_rows_is_lines(tmp_path: Path) -> None:
    rows = [["order id", "client", "order date", "total"]] + [
        [str(1 + n // 3), "c", "2026-01-05", f"{n}.50"] for n in range(30)]
    assert look(tmp_path, rows).source.table == "order_lines"


def test_values_deny_what_a_header_says(tmp_path: Path) -> None:
    """A column named date that holds words is no time, and another one is found by its values."""
    rows = [["client", "date", "when", "sum"], ["a", "early", "2026-01-05", "10.50"]]
    found = look(tmp_path, rows)
    by_ours = {column.ours: column for column in found.mapped}
    assert by_ours["ordered_at"].theirs == "when" and by_ours["ordered_at"].because == "values"
    assert {doubt.code for doubt in found.doubts} >= {"by_values"}


def test_ids_that_look_like_excel_days_are_no_time(tmp_path: Path) -> None:
    rows = [["buyer", "account day", "day", "value"]] + [
        [str(40000 + n), str(41000 + n), f"2026-01-{n:02}", f"{n}.5"] for n in range(1, 20)]
    found = look(tmp_path, rows)
    assert found.source.columns["day"] == "ordered_at" and found.source.columns["buyer"] == "customer_id"


def test_no_header_shows_columns_and_a_line_to_start_from(tmp_path: Path) -> None:
    path = tmp_path / "sample.txt"
    lines = [f" 0000{n % 30} {n % 30:04} 199701{n % 28 + 1:02}  {n % 4 + 1}   {n}.33\n" for n in range(90)]
    path.write_text("".join(lines))
    with pytest.raises(NeedsColumns, match="has no header") as error:
        discover({"orders": [str(path)]}, tmp_path)
    assert len(error.value.look.columns) == 5
    assert error.value.way_out.endswith("--columns customer_id,-,ordered_at,quantity,amount")


def test_columns_named_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "sample.txt"
    path.write_text("".join(f" 0000{n} 199701{n + 10}  2   {n}.33\n" for n in range(9)))
    (found,) = discover({"orders": [str(path)]}, tmp_path, columns=["customer_id", "ordered_at", "-", "amount"]).found
    assert found.source.columns == ["customer_id", "ordered_at", "-", "amount"] and found.source.table == "orders"


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        (["customer_id", "ordered_at", "amount"], "has 4 columns; --columns names 3"),
        (["customer_id", "ordered_on", "quantity", "-"], "names no amount"),
        (["customer_id", "orderd_at", "-", "amount"], "did you mean 'ordered_at'"),
    ],
)
def test_wrong_columns_by_hand_are_refused(tmp_path: Path, columns: list[str], says: str) -> None:
    path = tmp_path / "sample.txt"
    path.write_text("".join(f" 0000{n} 199701{n + 10}  2   {n}.33\n" for n in range(9)))
    with pytest.raises(WorkbookError, match=says):
        discover({"orders": [str(path)]}, tmp_path, columns=columns)


def test_file_without_what_orders_need_asks_for_columns(tmp_path: Path) -> None:
    with pytest.raises(NeedsColumns, match=r"file\.csv: no column was understood as ordered_at or ordered_on, amount"):
        look(tmp_path, [["colour", "size"], ["red", "tall"], ["blue", "short"]])


# --- dates, numbers, currency ------------------------------------------------------------------


def dated(dates: Sequence[str]) -> list[list[str]]:
    return [["customer", "date", "amount"], *[["a", day, "1.50"] for day in dates]]


def test_order_of_day_and_month_is_found_in_the_dates(tmp_path: Path) -> None:
    assert look(tmp_path, dated(["03/04/2026", "25/04/2026"])).source.dates == "dmy"
    assert look(tmp_path, dated(["03/04/2026", "04/25/2026"])).source.dates == "mdy"
    assert look(tmp_path, dated(["2026-04-03", "2026-04-25"])).source.dates == ""


def test_order_of_day_and_month_is_looked_for_past_the_sample(tmp_path: Path) -> None:
    assert look(tmp_path, dated(["03/04/2026"] * 2500 + ["25/04/2026"])).source.dates == "dmy"


def test_undecidable_dates_ask_for_the_order(tmp_path: Path) -> None:
    says = r"file\.csv: date is written like 03/04/2026, and no day above the 12th"
    with pytest.raises(WorkbookError, match=says) as error:
        look(tmp_path, dated(["03/04/2026", "05/06/2026"]))
    assert "--dates dmy" in error.value.way_out
    assert look(tmp_path, dated(["03/04/2026", "05/06/2026"]), dates="mdy").source.dates == "mdy"


def test_dates_of_both_orders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="some dates are day first, others month first"):
        look(tmp_path, dated(["25/04/2026", "04/25/2026"]))


def test_decimal_comma_is_seen(tmp_path: Path) -> None:
    rows = [["customer", "date", "amount"], ["a", "2026-01-05", "1.234,50"], ["b", "2026-01-06", "3,20"]]
    assert look(tmp_path, rows).source.decimal_comma


@pytest.mark.parametrize(
    ("values", "currency"),
    [(["£10.50", "£3.20"], "GBP"), (["10.50", "3.20"], "XXX"), (["€5.50", "£3.20"], "XXX")],
)
def test_currency_is_told_by_signs_or_not_at_all(tmp_path: Path, values: list[str], currency: str) -> None:
    rows = [["customer", "date", "amount"], *[["a", "2026-01-05", value] for value in values]]
    path = write(tmp_path / "file.csv", rows)
    assert discover({"orders": [str(path)]}, tmp_path).currency == currency


def test_currency_is_told_by_the_heading_of_amounts(tmp_path: Path) -> None:
    for heading, currency in (("Amount (USD)", "USD"), ("Sales in CHF", "CHF"), ("Amount", "XXX")):
        rows = [["customer", "date", heading], *[["a", "2026-01-05", f"{n}.50"] for n in range(9)]]
        path = write(tmp_path / "file.csv", rows)
        assert discover({"orders": [str(path)]}, tmp_path).currency == currency, heading


def test_yuan_sign_and_unit_in_the_header_of_a_chinese_export(tmp_path: Path) -> None:
    rows = [["买家", "下单时间", "实付金额(元)"], ["a", "2026年3月5日 10:00", "¥60.00"]]
    proposal = discover({"orders": [str(write(tmp_path / "f.csv", rows))]}, tmp_path)
    assert proposal.currency == "CNY" and proposal.found[0].source.columns["实付金额(元)"] == "amount"


def test_rate_of_discount_is_no_amount(tmp_path: Path) -> None:
    rows = [["customer", "date", "sales", "discount"], ["a", "2026-01-05", "261.96", "0.2"]]
    assert "discount" not in look(tmp_path, rows).source.columns
    rows[1][3] = "20"
    assert look(tmp_path, rows).source.columns["discount"] == "discount"


def test_currency_column_tells_it(tmp_path: Path) -> None:
    rows = [["customer", "date", "amount", "currency"], ["a", "2026-01-05", "1.5", "eur"]]
    assert discover({"orders": [str(write(tmp_path / "f.csv", rows))]}, tmp_path).currency == "EUR"


# --- persons -----------------------------------------------------------------------------------

PEOPLE = [
    ["ID", "Full Name", "Mobile", "E-mail", "DOB", "Sex", "City"],
    ["1", "Ann Other", "13812345678", "ann@example.com", "1990-05-17", "F", "杭州"],
    ["2", "Bob Roe", "13912345678", "bob@example.com", "1985-12-31", "M", "北京"],
]


def test_phones_and_mails_wait_for_a_key(tmp_path: Path) -> None:
    found = look(tmp_path, PEOPLE, "customers")
    assert found.source.columns == {"ID": "customer_id", "DOB": "birth_date", "Sex": "gender", "City": "city"}
    assert {(column.theirs, column.reason) for column in found.unmapped} == {
        ("Full Name", "name_left_out"), ("Mobile", "key_not_set"), ("E-mail", "key_not_set")}
    with_key = look(tmp_path, PEOPLE, "customers", key=True)
    assert with_key.source.columns["Mobile"] == "phone" and with_key.source.columns["E-mail"] == "mail"


def test_no_personal_value_is_shown(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", PEOPLE)
    proposal = discover({"customers": [str(path)]}, tmp_path, key_is_set=True)
    shown = str([(found.mapped, found.unmapped, found.doubts) for found in proposal.found])
    for value in ("Ann", "Roe", "13812345678", "bob@example.com", "1990-05-17"):
        assert value not in shown


def test_genders_are_unified(tmp_path: Path) -> None:
    assert look(tmp_path, PEOPLE, "customers").source.values == {"gender": {"F": "female", "M": "male"}}


def test_chinese_mobiles_tell_the_country(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", PEOPLE)
    assert discover({"customers": [str(path)]}, tmp_path).phone_country == "CN"


def test_customer_id_that_is_a_mail_is_told(tmp_path: Path) -> None:
    rows = [["customer", "date", "amount"], ["a@b.cn", "2026-01-05", "1.5"], ["c@d.cn", "2026-01-06", "2.5"]]
    found = look(tmp_path, rows)
    assert [doubt.code for doubt in found.doubts] == ["id_is_contact"]
    assert discover({"orders": [str(tmp_path / "file.csv")]}, tmp_path).needs_key


def test_customers_alone_are_not_enough(tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", PEOPLE)
    assert [doubt.code for doubt in discover({"customers": [str(path)]}, tmp_path).doubts] == ["no_sales"]


def test_sales_without_customers_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "sales.csv", [["date", "amount"], ["2026-01-05", "1.5"], ["2026-01-06", "2.5"]])
    assert [doubt.code for doubt in discover({"orders": [str(path)]}, tmp_path).doubts] == ["no_customer"]


# --- kinds of files ----------------------------------------------------------------------------


def as_gzip(folder: Path) -> str:
    plain = write(folder / "sales.csv", SALES)
    with gzip.open(folder / "sales.csv.gz", "wb") as stream:
        stream.write(plain.read_bytes())
    plain.unlink()
    return "sales.csv.gz"


def as_zip(folder: Path) -> str:
    with zipfile.ZipFile(folder / "days.zip", "w") as archive:
        for day in (1, 2):
            archive.write(write(folder / f"{day}.csv", [SALES[0], *SALES[day:]]), f"days/{day}.csv")
    return "days.zip"


def as_glob(folder: Path) -> str:
    for day in (1, 2):
        write(folder / f"day-{day}.csv", [SALES[0], *SALES[day:]])
    return "day-*.csv"


def as_gb18030(folder: Path) -> str:
    write(folder / "销售.csv", SALES, encoding="gb18030", delimiter="\t")
    return "销售.csv"


def as_excel(folder: Path) -> str:
    with xlsxwriter.Workbook(folder / "book.xlsx") as book:
        for name, rows in (("Notes", [["read me"]]), ("Order lines", SALES), ("Customers", PEOPLE)):
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return "book.xlsx"


@pytest.mark.parametrize("make", [as_gzip, as_zip, as_glob, as_gb18030])
def test_every_kind_of_file_is_understood(
    tmp_path: Path, make: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (found,) = discover({"orders": [make(tmp_path)]}, tmp_path).found
    assert found.source.table == "order_lines" and len(found.source.columns) == 8


def test_sheets_of_a_workbook_are_told_apart(tmp_path: Path) -> None:
    proposal = discover({"orders": [str(tmp_path / as_excel(tmp_path))]}, tmp_path)
    assert {found.source.table: found.source.sheet for found in proposal.found} == {
        "order_lines": "Order lines", "customers": "Customers"}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "shop.sqlite"
    with sqlite3.connect(path) as con:
        con.executescript("""
            CREATE TABLE Genre (GenreId INTEGER PRIMARY KEY, Name TEXT);
            CREATE TABLE MediaType (MediaTypeId INTEGER PRIMARY KEY, Name TEXT);
            CREATE TABLE Track (TrackId INTEGER PRIMARY KEY, Name TEXT, MediaTypeId INTEGER REFERENCES MediaType,
                GenreId INTEGER REFERENCES Genre(GenreId), UnitPrice NUMERIC);
            CREATE TABLE Customer (CustomerId INTEGER PRIMARY KEY, FirstName TEXT, Email TEXT, Country TEXT);
            CREATE TABLE Invoice (InvoiceId INTEGER PRIMARY KEY, CustomerId INTEGER REFERENCES Customer(CustomerId),
                InvoiceDate TEXT, Total NUMERIC);
            CREATE TABLE InvoiceLine (InvoiceLineId INTEGER PRIMARY KEY,
                InvoiceId INTEGER REFERENCES Invoice(InvoiceId),
                TrackId INTEGER REFERENCES Track(TrackId), UnitPrice NUMERIC, Quantity INTEGER);
            CREATE TABLE Playlist (PlaylistId INTEGER PRIMARY KEY, Name TEXT);
            INSERT INTO Genre VALUES (1, 'Rock'), (2, 'Jazz');
            INSERT INTO MediaType VALUES (1, 'MPEG');
            INSERT INTO Track VALUES (10, 'One', 1, 1, 0.99), (11, 'Two', 1, 2, 1.99);
            INSERT INTO Customer VALUES (1, 'Ann', 'ann@example.com', 'Brazil');
            INSERT INTO Customer VALUES (2, 'Bob', 'bob@example.com', 'Norway');
            INSERT INTO Invoice VALUES (1, 1, '2021-01-01 00:00:00', 2.98), (2, 2, '2021-01-02 00:00:00', 0.99);
            INSERT INTO InvoiceLine VALUES (1, 1, 10, 0.99, 1), (2, 1, 11, 1.99, 1), (3, 2, 10, 0.99, 1);
        """)
    con.close()
    return path


def test_tables_of_a_database_are_found_without_being_named(tmp_path: Path, database: Path) -> None:
    proposal = discover({"orders": [str(database)]}, tmp_path)
    tables = {found.source.table: found.source for found in proposal.found}
    assert {name: source.from_table for name, source in tables.items() if name != "products"} == {
        "orders": "Invoice", "order_lines": "InvoiceLine", "customers": "Customer"}
    assert tables["order_lines"].columns["TrackId"] == "product_id"
    assert 'LEFT JOIN "Genre"' in tables["products"].query and tables["products"].columns["Genre Name"] == "category"
    assert proposal.doubts == ()


def test_database_named_for_several_tables_counts_once(tmp_path: Path, database: Path) -> None:
    once = discover({"orders": [str(database)]}, tmp_path)
    twice = discover({"orders": [str(database)], "customers": [str(database)]}, tmp_path)
    assert [found.source for found in once.found] == [found.source for found in twice.found]


def test_one_table_of_a_database_by_name(tmp_path: Path, database: Path) -> None:
    (found,) = discover({"orders": [f"{database}#Invoice"]}, tmp_path).found
    assert found.source.from_table == "Invoice" and found.source.table == "orders"


def test_database_without_orders_lists_its_tables(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    with sqlite3.connect(path) as con:
        con.executescript("CREATE TABLE Colour (Name TEXT); INSERT INTO Colour VALUES ('red');")
    con.close()
    with pytest.raises(WorkbookError, match=r"x\.sqlite has no table that looks like orders: Colour"):
        discover({"orders": [str(path)]}, tmp_path)


def test_password_in_a_url_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="holds a password") as error:
        discover({"orders": ["postgresql://me:hunter2@localhost/shop#orders"]}, tmp_path)
    assert "hunter2" not in str(error.value)


def test_missing_file_says_the_nearest(tmp_path: Path) -> None:
    write(tmp_path / "sales.csv", SALES)
    with pytest.raises(WorkbookError, match=r"there is no file .*sale\.csv") as error:
        discover({"orders": [str(tmp_path / "sale.csv")]}, tmp_path)
    assert "sales.csv" in error.value.way_out


def test_two_files_of_one_table_get_names_of_their_own(tmp_path: Path) -> None:
    paths = [str(write(tmp_path / name, SALES)) for name in ("web.csv", "store.csv")]
    names = [found.source.name for found in discover({"orders": paths}, tmp_path).found]
    assert names == ["web", "store"]


def test_known_export_is_recognised(tmp_path: Path) -> None:
    rows = [["订单编号", "买家会员名", "买家应付货款", "订单状态", "订单创建时间", "联系手机"],
            ["1", "tb_1", "20.00", "交易成功", "2026-03-05 10:00:00", "138****1234"]]
    proposal = discover({"orders": [str(write(tmp_path / "f.csv", rows))]}, tmp_path)
    assert proposal.found[0].source.known == "taobao_orders" and proposal.tables == {"orders"}
    assert (proposal.currency, proposal.time_zone, proposal.phone_country) == ("CNY", "Asia/Shanghai", "CN")


# --- properties --------------------------------------------------------------------------------

WORDS = st.sampled_from(
    ["id", "date", "amount", "customer", "qty", "price", "订单号", "数量", "x", "name", "phone", "total"])
CELLS = st.one_of(
    st.sampled_from(["1", "2.50", "2026-01-05", "03/04/2026", "a@b.cn", "13812345678", "£5", "红茶", "-"]),
    st.text(alphabet="abc 0123456789./-:", max_size=12),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_small_table_is_understood_or_refused_with_a_way_out(tmp_path: Path, data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 5))
    rows = [data.draw(st.lists(WORDS, min_size=width, max_size=width))]
    rows += data.draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6))
    path = write(tmp_path / "any.csv", rows)
    for table in ("orders", "customers"):
        try:
            proposal: Proposal = discover({table: [str(path)]}, tmp_path, key_is_set=True)
        except WorkbookError as error:
            assert error.way_out
        else:
            (found,) = proposal.found
            used = [column.ours for column in found.mapped]
            assert len(used) == len(set(used))
            assert {column.theirs for column in (*found.mapped, *found.unmapped)} == set(found.look.columns)


# --- public data -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "tables", "columns"),
    [
        ("online_retail/online_retail_all.csv.gz", {"order_lines"}, 8),
        ("online_retail/by_day.zip", {"order_lines"}, 8),
        ("cdnow/CDNOW_master.txt", {"orders"}, 4),
        ("chinook/Chinook_Sqlite.sqlite", {"orders", "order_lines", "customers", "products"}, 6),
    ],
)
def test_public_data_is_understood(
    public_data: Callable[[str], Path], tmp_path: Path, file: str, tables: set[str], columns: int
) -> None:
    proposal = discover({"orders": [str(public_data(file))]}, tmp_path)
    assert proposal.tables == tables and proposal.doubts == ()
    assert len(proposal.found[0].source.columns) == columns


@pytest.mark.parametrize(
    ("file", "ours"),
    [
        ("telco_churn/Telco-Customer-Churn.csv", {"customer_id", "gender"}),
        ("marketing_campaign/marketing_campaign.csv", {"customer_id", "birth_year", "education", "registered_at"}),
    ],
)
def test_public_customer_tables_are_understood_in_part(
    public_data: Callable[[str], Path], tmp_path: Path, file: str, ours: set[str]
) -> None:
    (found,) = discover({"customers": [str(public_data(file))]}, tmp_path).found
    assert found.ours == ours
