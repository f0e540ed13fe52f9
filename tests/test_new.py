"""`workbook new` and `workbook check`: a settings file that works as written, and every problem at once."""

import io
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from workbook.cleaning.steps import clean
from workbook.cli import app
from workbook.collection import collect
from workbook.data import discover
from workbook.data.checking import check
from workbook.data.errors import WorkbookError
from workbook.data.run import open_run
from workbook.data.settings import load_settings
from workbook.data.store import Store
from workbook.output import i18n
from workbook.output.console import check_settings, new
from workbook.output.settings_file import settings_text
from workbook.output.words import new as words

SALES = """Invoice No,Stock Code,Description,Qty,Invoice Date,Unit Price,Customer ID,Country,Remark
536365,85123A,HEART: "HOLDER",6,2010-12-01 08:26,2.55,17850.0,United Kingdom,x
536366,22633,HAND WARMER,2,2010-12-02 08:28,1.85,,France,
"""
PEOPLE = """ID,Full Name,Mobile,E-mail,DOB,City
1,Ann Other,13812345678,ann@example.com,1990-05-17,杭州
2,Bob Roe,13912345678,bob@example.com,1985-12-31,北京
"""


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("WORKBOOK_KEY", raising=False)
    i18n.use("en")
    yield
    i18n.use("en")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "my shop"
    folder.mkdir()
    (folder / "sales.csv").write_text(SALES, encoding="utf-8")
    (folder / "people.csv").write_text(PEOPLE, encoding="utf-8")
    return folder


def terminal() -> Console:
    return Console(file=io.StringIO(), width=200, force_terminal=False)


def said(console: Console) -> str:
    return console.file.getvalue()


def make(shop: Path, console: Console | None = None, **how) -> Path:
    given = {"orders": [str(shop / "sales.csv")], "customers": [str(shop / "people.csv")]}
    return new(shop, how.pop("given", given), console=console or terminal(), **how)


# --- the file ----------------------------------------------------------------------------------


def test_written_file_is_read_back_and_collects(shop: Path) -> None:
    settings = load_settings(make(shop, currency="gbp", time_zone="Europe/London", name="Gifts & more: no. 1"))
    assert (settings.name, settings.currency, settings.time_zone) == ("Gifts & more: no. 1", "GBP", "Europe/London")
    assert [source.path for source in settings.sources] == ["sales.csv", "people.csv"]
    collected = collect(settings, Store(settings.store_folder), progress=False)
    assert set(collected.tables) == {"order_lines", "customers"} and collected.rows_read == 4


def test_file_is_commented(shop: Path) -> None:
    text = make(shop).read_text(encoding="utf-8")
    assert "currency: XXX   # not said in the files" in text
    assert "# Not used: Remark" in text
    assert "#  Mobile: phone" in text and "#  E-mail: mail" in text
    assert "table: events" in text and "visits, clicks" in text
    assert "Ann" not in text and "13812345678" not in text


def test_personal_columns_work_once_the_marks_are_taken_away(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = make(shop)
    file.write_text(file.read_text("utf-8").replace("    #  ", "      "), encoding="utf-8")
    assert load_settings(file).sources[1].columns["Mobile"] == "phone"


def test_with_a_key_personal_columns_are_mapped(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_KEY", "a key of thirty-two characters!!")
    settings = load_settings(make(shop))
    assert settings.sources[1].columns["E-mail"] == "mail" and settings.phone_country == "CN"
    assert [problem.code for problem in check(settings).problems] == ["currency_not_said"]


def test_file_outside_the_workspace_is_named_whole(shop: Path, tmp_path: Path) -> None:
    settings = load_settings(new(tmp_path / "other", {"orders": [str(shop / "sales.csv")]}, console=terminal()))
    assert settings.sources[0].path == str(shop / "sales.csv")


def test_columns_by_hand_are_written_as_a_list(shop: Path) -> None:
    (shop / "sample.txt").write_text("".join(f" 0000{n} 199701{n + 10}  2   {n}.33\n" for n in range(9)))
    named = "customer_id,ordered_at, - ,amount"
    file = new(shop, {"orders": [str(shop / "sample.txt")]}, columns=named, console=terminal())
    assert load_settings(file).sources[0].columns == ["customer_id", "ordered_at", "-", "amount"]


def test_existing_file_is_kept_without_force(shop: Path) -> None:
    file = make(shop)
    file.write_text("name: mine\n")
    with pytest.raises(WorkbookError, match="is there already") as error:
        make(shop)
    assert "--force" in error.value.way_out and file.read_text() == "name: mine\n"
    make(shop, force=True)
    assert load_settings(file).name == "my shop"


def test_nothing_is_written_when_a_file_is_not_understood(shop: Path) -> None:
    (shop / "odd.csv").write_text("a,b\nx,y\nz,w\n")
    console = terminal()
    with pytest.raises(WorkbookError):
        new(shop, {"orders": [str(shop / "odd.csv")]}, console=console)
    assert not (shop / "workbook.yaml").exists() and not (shop / "workbook.yaml.new").exists()
    assert "Columns of odd.csv" in said(console)


def test_no_file_named(shop: Path) -> None:
    with pytest.raises(WorkbookError, match="No file was named"):
        new(shop, {"orders": []}, console=terminal())


def test_unknown_zone_is_refused_before_the_file_appears(shop: Path) -> None:
    with pytest.raises(WorkbookError, match="unknown time zone 'Europe/Londn'"):
        make(shop, time_zone="Europe/Londn")
    assert not (shop / "workbook.yaml").exists()


def test_known_export_is_written_by_name_and_works(shop: Path) -> None:
    (shop / "hubspot.csv").write_text(
        "Record ID,First Name,Last Name,Email,Phone Number,Create Date\n"
        "7,Ann,Other,a@b.cn,+1 212 555 0123,2024-03-12 09:14\n")
    given = {"orders": [str(shop / "sales.csv")], "customers": [str(shop / "hubspot.csv")]}
    settings = load_settings(make(shop, given=given))
    assert settings.sources[1].known == "hubspot_contacts"
    assert settings.sources[1].columns == {"Email": "-", "Phone Number": "-"}
    collect(settings, Store(settings.store_folder), progress=False)
    assert check(settings).errors == ()


def test_names_and_texts_that_yaml_would_misread(shop: Path) -> None:
    (shop / "odd: name #1.csv").write_text("no,'yes': #x,on,null\n1,a,2026-01-05,2.5\n2,b,2026-01-06,3.5\n")
    (found,) = discover.discover({"orders": [str(shop / "odd: name #1.csv")]}, shop).found
    text = settings_text(discover.discover({"orders": [str(shop / "odd: name #1.csv")]}, shop), name="yes", folder=shop)
    written = yaml.safe_load(text)
    assert written["name"] == "yes" and written["sources"][0]["path"] == "odd: name #1.csv"
    assert written["sources"][0]["columns"] == found.source.columns


# --- what it says ------------------------------------------------------------------------------


def test_it_says_what_it_understood_and_what_not(shop: Path) -> None:
    console = terminal()
    make(shop, console)
    text = said(console)
    assert "sales.csv → order_lines" in text and "Customer ID" in text and "17850.0" in text
    assert "its meaning is not known" in text and "Remark" in text
    assert "personal: needs WORKBOOK_KEY" in text and "99999999999" in text
    assert "survey_answers" in text and "satisfaction" in text
    assert "do not say their currency" in text
    assert "workbook render --settings" in text
    for personal in ("Ann", "13812345678", "ann@example.com", "1990-05-17"):
        assert personal not in text


def test_it_speaks_chinese(shop: Path) -> None:
    i18n.untranslated.clear()
    console = terminal()
    make(shop, console, lang="zh")
    text = said(console)
    assert "未使用" in text and "会启用" in text and "含义不明" in text
    assert not i18n.untranslated
    assert load_settings(shop).languages == ("zh",)


def test_every_sentence_of_the_check_is_translated() -> None:
    i18n.use("zh")
    i18n.untranslated.clear()
    for what, way_out in words._problems().values():
        assert what and way_out
    assert not i18n.untranslated


# --- check -------------------------------------------------------------------------------------


def settings_of(shop: Path, **declared) -> Path:
    sales = {"path": "sales.csv", "table": "order_lines", "columns": {
        "Invoice No": "order_id", "Stock Code": "product_id", "Qty": "quantity", "Invoice Date": "ordered_at",
        "Unit Price": "unit_price", "Customer ID": "customer_id"}}
    file = shop / "workbook.yaml"
    said = {"name": "x", "currency": "GBP", "sources": [sales], **declared}
    file.write_text(yaml.safe_dump(said, allow_unicode=True), encoding="utf-8")
    return file


def codes(file: Path, **how) -> dict[str, dict]:
    return {problem.code: dict(problem.values) for problem in check(load_settings(file), **how).problems}


def test_clean_settings_have_no_problem(shop: Path) -> None:
    assert codes(settings_of(shop), rules=["zero_amount"], chapters=["04_rfm"]) == {}


def test_every_problem_is_told_at_once(shop: Path) -> None:
    (shop / "dates.csv").write_text("who,when,total\na,03/04/2026,1.5\nb,05/06/2026,x\n")
    file = settings_of(
        shop, currency="GPB", base_period="2026-13",
        cleaning={"rules": {"zero_amout": "drop"}}, chapters={"04_rmf": {}},
        control_totals=[{"period": "June", "measure": "revenue", "value": 1, "table": "order"}],
        calendar=[{"name": "Sale", "start": "2026-06-18", "end": "2026-06-01"}],
        sources=[
            {"path": "gone.csv", "table": "orders", "name": "gone"},
            {"path": "dates.csv", "table": "orders", "name": "dates",
             "columns": {"who": "customer_id", "when": "ordered_at", "total": "amount"}},
            {"path": "people.csv", "table": "customers", "name": "people",
             "columns": {"Id": "customer_id", "Mobile": "phone", "Nmae": "city"}},
            {"path": "sales.csv", "table": "order_lines", "name": "sales", "columns": {"Qty": "quantity"}},
        ])  # fmt: skip
    found = codes(file, rules=["zero_amount"], chapters=["04_rfm"])
    assert set(found) == {
        "unknown_currency", "base_period", "unknown_rule", "unknown_chapter", "control_total_table",
        "control_total_period", "occasion_ends_before", "unreadable_source", "date_undecidable", "values_unreadable",
        "column_missing", "key_not_set", "phone_without_country", "required_missing"}
    assert found["unknown_rule"]["near"] == "zero_amount" and found["unknown_chapter"]["near"] == "04_rfm"
    assert found["column_missing"]["column"] == "Nmae"
    assert found["required_missing"]["columns"] == ("amount", "unit_price")
    assert found["values_unreadable"]["example"] == "x" and found["key_not_set"]["variable"] == "WORKBOOK_KEY"


def test_check_prints_each_problem_with_its_way_out(shop: Path) -> None:
    console = terminal()
    file = settings_of(shop, currency="GPB", control_totals=[{"period": "June", "measure": "revenue", "value": 1}])
    assert check_settings(file, console=console) == 2
    text = said(console)
    assert "GPB is no currency" in text and "'June'" in text and "2 things are to be mended" in text


def test_check_says_that_all_is_well(shop: Path) -> None:
    console = terminal()
    assert check_settings(settings_of(shop), console=console) == 0
    assert "nothing is to be mended" in said(console)


def test_settings_without_a_currency_are_told_of_it_and_hold_nothing_up(shop: Path) -> None:
    checked = check(load_settings(settings_of(shop, currency="XXX")))
    assert [problem.code for problem in checked.problems] == ["currency_not_said"] and checked.errors == ()


def test_no_orders_is_a_problem(shop: Path) -> None:
    people = {"path": "people.csv", "table": "customers", "columns": {"ID": "customer_id"}}
    assert set(codes(settings_of(shop, sources=[people]))) == {"no_sales"}


def test_missing_customer_is_a_warning_only(shop: Path) -> None:
    source = {"path": "sales.csv", "table": "order_lines", "columns": {
        "Invoice Date": "ordered_at", "Unit Price": "unit_price"}}
    checked = check(load_settings(settings_of(shop, sources=[source])))
    assert [problem.code for problem in checked.problems] == ["no_customer"] and checked.errors == ()


def test_file_with_another_header_is_a_warning(shop: Path) -> None:
    (shop / "day-1.csv").write_text("who,when,total\na,2026-01-05,1.5\n")
    (shop / "day-2.csv").write_text("when,total,who,more\n2026-01-06,1.5,b,x\n")
    columns = {"who": "customer_id", "when": "ordered_at", "total": "amount"}
    file = settings_of(shop, sources=[{"path": "day-*.csv", "table": "orders", "columns": columns}])
    assert codes(file) == {}, "another order of columns is no other header"
    (shop / "day-3.csv").write_text("buyer,when,total\nb,2026-01-06,1.5\n")
    assert codes(file) == {"headers_differ": {"file": "day-3.csv"}}


def test_wrong_encoding_and_unset_secret_are_told(shop: Path) -> None:
    (shop / "gb.csv").write_text("客户,日期,金额\n张,2026-01-05,1.5\n", encoding="gb18030")
    file = settings_of(shop, sources=[
        {"path": "gb.csv", "table": "orders", "name": "gb", "encoding": "utf-8",
         "columns": {"客户": "customer_id", "日期": "ordered_at", "金额": "amount"}},
        {"url": "postgresql://me:${NO_SUCH_VARIABLE}@localhost/x", "from_table": "t", "table": "orders", "name": "pg"}])
    whats = {problem.source: problem.error.what for problem in check(load_settings(file)).problems if problem.error}
    assert "gb.csv is not utf-8" in whats["gb"] and "NO_SUCH_VARIABLE is not set" in whats["pg"]


def test_empty_and_cut_off_files_are_told_together(shop: Path) -> None:
    (shop / "empty.csv").write_text("")
    (shop / "cut.csv.gz").write_bytes(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03cut off")
    file = settings_of(shop, sources=[
        {"path": name, "table": "orders", "name": name} for name in ("empty.csv", "cut.csv.gz")])
    found = [problem.source for problem in check(load_settings(file)).problems if problem.code == "unreadable_source"]
    assert found == ["empty.csv", "cut.csv.gz"]


# --- the commands ------------------------------------------------------------------------------


def command(*words: str) -> tuple[int, str]:
    """Exit status and what was said; an error that the user can mend as its text."""
    result = CliRunner().invoke(app, list(words), terminal_width=200)
    return result.exit_code, result.output + str(result.exception or "")


def test_commands_new_and_check_work_together(shop: Path) -> None:
    (shop / "mails.csv").write_text("customer_id,sent_at,channel\n1,2026-01-05 10:00,mail\n2,2026-01-06 10:00,mail\n")
    sales, people, mails = (str(shop / name) for name in ("sales.csv", "people.csv", "mails.csv"))
    status, text = command("new", str(shop), "--orders", sales, "--customers", people, "--source", f"contacts={mails}",
                           "--currency", "GBP", "--name", "Gifts")
    assert status == 0 and "Written:" in text
    settings = load_settings(shop)
    assert [source.table for source in settings.sources] == ["order_lines", "customers", "contacts"]
    status, text = command("check", "--settings", str(shop))
    assert status == 0 and "All 3 sources can be read" in text
    assert "全部 3 个数据源都能读取" in command("check", "--settings", str(shop), "--lang", "zh")[1]


def test_command_check_fails_where_something_is_to_be_mended(shop: Path) -> None:
    status, text = command("check", "--settings", str(settings_of(shop, cleaning={"rules": {"zero_amonut": "drop"}})))
    assert status == 1 and "zero_amonut" in text and "Did you mean" in text


def test_commands_refuse_what_they_do_not_know(shop: Path) -> None:
    assert "did you mean 'contacts'" in command("new", str(shop), "--source", "contact=x.csv")[1]
    assert "names no file" in command("new", str(shop), "--source", "contacts")[1]
    assert "'de' is no language" in command("check", "--settings", str(shop), "--lang", "de")[1]
    assert command("new", str(shop), "--orders", str(shop / "sales.csv"), "--curency", "GBP")[0] == 2
    assert not (shop / "workbook.yaml").exists()


# --- public data, from new to raw tables -------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "columns", "rows"),
    [
        ("online_retail/by_day.zip", "", {"order_lines": 541_909}),
        ("cdnow/CDNOW_master.txt", "", {"orders": 69_659}),
        ("cdnow/CDNOW_sample.txt", "-,customer_id,ordered_at,quantity,amount", {"orders": 6_919}),
        ("chinook/Chinook_Sqlite.sqlite", "", {
            "orders": 412, "order_lines": 2_240, "customers": 59, "products": 3_503}),
    ],
)  # fmt: skip
def test_public_data_goes_from_new_to_raw_tables(
    public_data: Callable[[str], Path], tmp_path: Path, file: str, columns: str, rows: dict[str, int]
) -> None:
    settings = load_settings(new(tmp_path, {"orders": [str(public_data(file))]}, columns=columns, console=terminal()))
    assert check(settings).errors == ()
    store = Store(settings.store_folder)
    collect(settings, store, progress=False)
    assert {table: store.entry(f"raw/{table}").rows for table in rows} == rows


@pytest.mark.parametrize(
    ("file", "columns", "as_of", "orders", "customers", "revenue"),
    [
        ("cdnow/CDNOW_sample.txt", "-,customer_id,ordered_at,quantity,amount", "1998-06", 6_919, 2_357, None),
        ("chinook/Chinook_Sqlite.sqlite", "", "2025-12-31", 412, 59, 2328.60),
    ],
)
def test_public_data_goes_from_new_to_clean_tables(
    public_data: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, columns: str,
    as_of: str, orders: int, customers: int, revenue: float | None,
) -> None:
    monkeypatch.delenv("WORKBOOK_STAGE", raising=False)
    written = new(tmp_path, {"orders": [str(public_data(file))]}, columns=columns, console=terminal())
    run = open_run("02_cleaning", settings=str(written), as_of=as_of)
    collect(run.settings, run.store, progress=False)
    clean(run)
    made = run.table("clean/orders")
    assert made.count().to_pyarrow().as_py() == orders
    assert run.table("clean/customers").count().to_pyarrow().as_py() == customers
    if revenue is not None:
        assert float(made.amount.sum().to_pyarrow().as_py()) == revenue


def test_chinook_total(public_data: Callable[[str], Path], tmp_path: Path) -> None:
    path = public_data("chinook/Chinook_Sqlite.sqlite")
    settings = load_settings(new(tmp_path, {"orders": [str(path)]}, console=terminal()))
    store = Store(settings.store_folder)
    collect(settings, store, progress=False)
    orders = duckdb.read_parquet([str(file) for file in store.files("raw/orders")])
    (total,) = orders.aggregate("sum(amount)").fetchone()
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as con:
        (expected,) = con.execute("SELECT round(sum(Total), 2) FROM Invoice").fetchone()
    assert float(total) == expected == 2328.60


def test_database_server_goes_from_new_to_raw_tables(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres_url, autocommit=True) as con:
        con.execute("DROP TABLE IF EXISTS web_orders")
        con.execute("CREATE TABLE web_orders (order_no text, buyer text, placed_at timestamp, total numeric)")
        con.execute("INSERT INTO web_orders VALUES ('1', 'a', '2026-01-05 10:00', 1.5), ('2', 'b', '2026-01-06', 2.5)")
    server, _, database = postgres_url.rpartition("/")
    monkeypatch.setenv("SHOP_DATABASE", database)
    file = new(tmp_path, {"orders": [f"{server}/${{SHOP_DATABASE}}#web_orders"]}, columns="", console=terminal())
    settings = load_settings(file)
    assert "${SHOP_DATABASE}" in file.read_text("utf-8") and settings.sources[0].from_table == "web_orders"
    assert settings.sources[0].columns == {
        "order_no": "order_id", "buyer": "customer_id", "placed_at": "ordered_at", "total": "amount"}
    assert check(settings).errors == ()
    store = Store(settings.store_folder)
    collect(settings, store, progress=False)
    assert store.entry("raw/orders").rows == 2
