"""A shop divided by region, channel, category …: each part's records, their sum, and a report of each."""

import json
import shutil
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from bs4 import BeautifulSoup
from typer.testing import CliRunner

from workbook import cleaning
from workbook.cleaning import part as cutting
from workbook.cli import app
from workbook.data import publications
from workbook.data.engine import few_rows
from workbook.data.errors import WorkbookError
from workbook.data.parts import rendered_parts, settings_of
from workbook.data.run import Run, open_run, published
from workbook.data.schema import TABLES
from workbook.data.settings import Part, load_settings
from workbook.data.store import Store
from workbook.output.delivery.status import status

LINES = [  # order, line, customer, day, product, category, amount, region
    ("1", 1, "ann", 1, "tea", "Tea", "10", "East"), ("1", 2, "ann", 1, "cup", "Ware", "20", "East"),
    ("2", 1, "bob", 2, "tea", "Tea", "10", "West"), ("3", 1, "ann", 3, "cup", "Ware", "20", "West"),
    ("4", 1, "cy", 4, "tea", "Tea", "15", None), ("5", 1, "dee", 5, "cup", "Ware", "25", "East"),
]  # fmt: skip


def raw(name: str, rows: list[dict[str, Any]]) -> pa.Table:
    table = TABLES[name]
    lineage = {"source_name": "s", "source_file": f"{name}.csv", "arrived_at": datetime(2026, 7, 1)}
    return pa.Table.from_pylist([lineage | {"source_row": n} | row for n, row in enumerate(rows, 2)],
                                schema=table.arrow)


@pytest.fixture
def whole(cleaned: Path, tmp_path: Path) -> Run:
    """The cleaned shop, for one test."""
    shutil.copytree(cleaned, tmp_path, dirs_exist_ok=True)
    return open_run("02_cleaning", settings=str(tmp_path / "workbook.yaml"), as_of="2026-06")


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cleaned")
    (folder / "workbook.yaml").write_text("name: shop\nsources: [{table: order_lines, path: o.csv}]\n")
    where = {"settings": str(folder / "workbook.yaml"), "as_of": "2026-06"}
    run = open_run("01_collection", **where)
    run.keep("raw/order_lines", raw("order_lines", [
        {"order_id": o, "line_no": n, "customer_id": c, "ordered_at": datetime(2026, 6, d, 9),
         "ordered_on": date(2026, 6, d), "product_id": p, "category": k, "quantity": Decimal(1),
         "unit_price": Decimal(a), "amount": Decimal(a), "region": r}
        for o, n, c, d, p, k, a, r in LINES]))  # fmt: skip
    run.keep("raw/customers", raw("customers", [
        {"customer_id": c, "region": r, "kind": k} for c, r, k in
        [("ann", "West", "person"), ("bob", "West", "account"), ("eve", "East", "person")]]))
    run.keep("raw/products", raw("products", [
        {"product_id": "tea", "brand": "Cloud"}, {"product_id": "cup", "brand": "Hill"}]))
    run.keep("raw/returns", raw("returns", [
        {"return_id": "r1", "order_id": "1", "line_no": 2, "amount": Decimal("5"), "quantity": Decimal(0),
         "returned_at": datetime(2026, 6, 9, 9), "returned_on": date(2026, 6, 9)}]))
    run.keep("raw/tickets", raw("tickets", [
        {"ticket_id": t, "customer_id": c, "opened_at": datetime(2026, 6, 10), "opened_on": date(2026, 6, 10)}
        for t, c in (("t1", "ann"), ("t2", "bob"))]))
    cleaning.clean(open_run("02_cleaning", **where))
    return folder


def of(whole: Run, dimension: str, value: str | None) -> Run:
    """A run on that part of the shop."""
    part = Part(dimension, value)
    own = whole.settings.of_part(part)
    cutting.keep_part(whole, part, published(own))
    return Run("03_profiling", own, published(own), as_of="2026-06", lang="en")


def figures(run: Run) -> dict[str, Any]:
    orders = run.table("clean/orders")
    [row] = few_rows(orders.aggregate(
        orders=orders.count(), net=orders.net_amount.sum(), customers=orders.customer_id.nunique()))
    return row


def ids(run: Run, name: str, column: str) -> list[str]:
    return sorted(row[column] for row in few_rows(run.table(f"clean/{name}").select(column)))


def test_a_region_is_its_orders_their_lines_and_returns(whole: Run) -> None:
    east = of(whole, "region", "East")
    assert figures(east) == {"orders": 2, "net": Decimal("50.0000"), "customers": 2}  # 10 + 20 − 5 + 25
    assert ids(east, "order_lines", "order_id") == ["1", "1", "5"]
    assert ids(east, "returns", "document_id") == ["r1"]
    assert ids(of(whole, "region", "West"), "returns", "document_id") == []


def test_customers_of_a_part_bought_in_it_or_are_on_record_there(whole: Run) -> None:
    assert ids(of(whole, "region", "East"), "customers", "customer_id") == ["ann", "dee", "eve"]
    assert ids(of(whole, "region", "West"), "customers", "customer_id") == ["ann", "bob"]
    assert ids(of(whole, "region", "West"), "tickets", "ticket_id") == ["t1", "t2"]
    assert ids(of(whole, "region", "East"), "tickets", "ticket_id") == ["t1"]


@pytest.mark.parametrize(("dimension", "parts"), [
    ("region", {"East": "50", "West": "30", None: "15"}), ("category", {"Tea": "35", "Ware": "60"}),
    ("brand", {"Cloud": "35", "Hill": "60"}), ("kind", {"person": "45", "account": "10", None: "40"})])  # fmt: skip
def test_the_parts_add_up_to_the_whole(whole: Run, dimension: str, parts: dict[str | None, str]) -> None:
    known = {row["value"]: row["net_amount"] for row in cutting.values(whole, dimension)}
    assert known == {value: Decimal(net) for value, net in parts.items()}
    assert {value: figures(of(whole, dimension, value))["net"] for value in parts} == known
    assert sum(known.values()) == figures(whole)["net"] == Decimal("95")


def test_an_order_of_a_category_is_what_it_has_of_it(whole: Run) -> None:
    tea = of(whole, "category", "Tea")
    assert figures(tea)["orders"] == 3
    orders = tea.table("clean/orders")
    [order] = few_rows(orders.filter(orders.order_id == "1"))
    assert (order["amount"], order["lines"], order["returned_amount"]) == (Decimal(10), 1, Decimal(0))


def test_a_part_sees_what_was_collected_for_all_and_no_chapter_of_the_whole(whole: Run) -> None:
    store = Store(whole.settings.store_folder)
    store.write("2026-06-30/rfm", pa.table({"customer_id": ["ann"]}), made_by="04_rfm")
    store.keep_document("frozen/rfm", {"rule": {}, "base": "2026-06"})
    east = of(whole, "region", "East")
    assert not east.has("rfm") and not east.has("clean/ledger")
    assert "2026-06-30/rfm" not in east.store.names()
    assert east.store.document("frozen/rfm")["base"] == "2026-06"


def test_two_values_never_share_a_folder() -> None:
    names = ["North/East", "North_East", "North East", "?", None, "东部", "a" * 10]
    folders = [Part("region", name).folder for name in names]
    assert len(set(folders)) == len(names)
    assert folders[5] == "by/region/东部" and all("/" not in folder.split("/", 2)[2] for folder in folders)


def test_what_cannot_be_divided_by_is_refused_with_the_way_out(whole: Run) -> None:
    with pytest.raises(WorkbookError, match=r"chanel[^$]*channel"):
        cutting.values(whole, "chanel")
    with pytest.raises(WorkbookError, match="No order says anything of country"):
        cutting.values(whole, "country")


def test_settings_may_not_declare_a_part(tmp_path: Path) -> None:
    (tmp_path / "workbook.yaml").write_text("name: s\nsources: []\npart: [region, East]\n")
    with pytest.raises(WorkbookError, match="part: unknown key"):
        load_settings(tmp_path / "workbook.yaml")


def test_each_part_has_its_report_and_the_whole_lists_them(
    book: Callable[..., None], tmp_path: Path, command: Callable[..., str]
) -> None:
    rows = [f"o{n},c{n % 12},2026-0{1 + n % 6}-1{n % 9},{10 + n}.5,{'East' if n % 3 else 'West'}" for n in range(60)]
    (tmp_path / "o.csv").write_text("\n".join(
        ["order_id,customer_id,ordered_at,amount,region", *rows, "o99,c99,2026-06-11,7,Island"]))
    (tmp_path / "workbook.yaml").write_text(
        "name: shop\nsources: [{table: orders, path: o.csv}]\nlanguages: [en, zh]\nprivacy: {smallest_cell: 3}\n")
    said = "".join(f"run.find('{name}', 0)\n" for name in ("rows_read", "files_read", "rows_quarantined"))
    book("01_collection", "from workbook import collection\n"
         "collection.collect(run.settings, run.store, progress=False)\n"
         f"{said}run.find('revenue_identified_share', 1.0)",
         makes=["raw/*"])
    book("02_cleaning", "from workbook import cleaning\ncleaning.clean(run)", needs=["raw/*"], makes=["clean/*"])
    book("21_own", "from workbook.data.engine import few_rows\no = run.table('clean/orders')\n"
         "run.find('net', few_rows(o.aggregate(n=o.net_amount.sum()))[0]['n'], unit='money')", needs=["clean/orders"])
    told = command("render", "--as-of", "2026-06", "--by", "region", folder=tmp_path)
    assert "1 parts are too small" in told and "Island" in told
    reports = tmp_path / "reports"
    net = {}
    for value in ("East", "West"):
        folder = reports / "by" / "region" / value / "2026-06"
        net[value] = json.loads((folder / "findings.json").read_text())["21_own"]["net"]["value"]
        assert [o["chapter"] for o in json.loads((folder / "run.json").read_text())["outcomes"]] == ["21_own"]
        page = BeautifulSoup((folder / "zh" / "index.html").read_text(), "html.parser")
        assert f"shop · {value}" in page.title.get_text()
        back = page.find("a", string="全店")
        assert (folder / "zh" / str(back["href"])).resolve() == reports / "2026-06" / "zh" / "index.html"
    whole = json.loads((reports / "2026-06" / "findings.json").read_text())["21_own"]["net"]["value"]
    assert net["East"] + net["West"] + 7 == pytest.approx(whole, abs=1e-9)
    index = BeautifulSoup((reports / "2026-06" / "en" / "index.html").read_text(), "html.parser")
    listed = reports / "2026-06" / "en" / str(index.find("a", string="By region")["href"])
    links = [a for a in BeautifulSoup(listed.read_text(), "html.parser").select("tbody a")]
    assert [a.get_text() for a in links] == ["East", "West"]
    assert all((listed.parent / str(a["href"])).resolve().exists() for a in links)
    again = command("render", "--as-of", "2026-06", "--by", "region=West", folder=tmp_path)
    assert "West" in again and "East" not in again
    a_part_is_approved_commented_and_told_by_its_name(tmp_path, net["East"])


def a_part_is_approved_commented_and_told_by_its_name(folder: Path, net: float) -> None:
    """On the rendered parts: what is said of East is said of East alone."""
    def run(*words: str) -> str:
        ran = CliRunner().invoke(app, [*words, "--settings", str(folder)], env={"COLUMNS": "200"})
        if ran.exception is not None:
            raise ran.exception
        return ran.output

    east = ("--part", "region=East")
    assert "Approved: 2026-06 of region=East, by Ana." in run("approve", "2026-06", "--by", "Ana", *east)
    run("comment", "2026-06", "21", "the fair was in East", "--by", "Bea", *east)
    settings = load_settings(folder)
    [edition] = publications.approvals(settings.of_part(Part("region", "East")), "2026-06")
    assert edition.findings["21_own"]["net"].value == net and edition.by == "Ana"
    assert publications.approvals(settings, "2026-06") == []
    reports = folder / "reports"
    pages = {value: (reports / "by" / "region" / value / "2026-06" / "en" / "21_own.html").read_text()
             for value in ("East", "West")}
    whole = (reports / "2026-06" / "en" / "21_own.html").read_text()
    assert [("the fair was in East" in page) for page in (pages["East"], pages["West"], whole)] == [True, False, False]
    found = status(settings)
    assert [(one["part"], one["newest"]["state"], one["approved"]) for one in found["parts"]] == [
        ("region=East", "approved", 1), ("region=West", "draft", 0)]
    assert [one["state"] for one in found["periods"]] == ["draft"]
    printed = run("status")
    assert "region=East" in printed and "approved by Ana" in printed
    own = json.loads(run("status", "--json", *east))
    assert (own["shop"], own["part"], own["parts"]) == ("shop · East", "region=East", [])
    assert [(one["period"], one["state"]) for one in own["periods"]] == [("2026-06", "approved")]
    assert [one["chapter"] for one in own["periods"][0]["chapters"]] == ["21_own"]
    for wrong, way_out in (("region=Eats", "did you mean 'region=East'"), ("East", "--part region=East")):
        with pytest.raises(WorkbookError) as error:
            run("approve", "2026-06", "--by", "Ana", "--part", wrong)
        assert way_out in error.value.way_out


def test_a_part_is_known_by_its_reports_also_the_one_that_nothing_is_said_of(tmp_path: Path) -> None:
    (tmp_path / "workbook.yaml").write_text("name: a · b\nsources: []\n")
    settings = load_settings(tmp_path / "workbook.yaml")
    wanted = [Part("brand", "North/East"), Part("region", None), Part("region", "?"), Part("region", "东部")]
    for part in wanted:
        folder = settings.of_part(part).reports_folder / "2026-06"
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"shop": settings.of_part(part).name}))
    assert set(rendered_parts(settings)) == set(wanted)
    assert settings_of(settings, "brand=North/East").part == wanted[0] and settings_of(settings, "").part is None
    with pytest.raises(WorkbookError) as error:
        settings_of(load_settings(write_other(tmp_path / "other")), "region=East")
    assert error.value.way_out == "workbook render --by region=East"


def write_other(folder: Path) -> Path:
    folder.mkdir()
    (folder / "workbook.yaml").write_text("name: other\nsources: []\n")
    return folder / "workbook.yaml"
