"""Exports of well-known systems: recognised by their headers, mapped without asking."""

from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from workbook.collection import collect
from workbook.data import known
from workbook.data.errors import WorkbookError
from workbook.data.schema import TABLES
from workbook.data.settings import Source, load_settings
from workbook.data.store import Store

HEADERS: dict[str, str] = yaml.safe_load((Path(__file__).parent / "exports" / "headers.yaml").read_text("utf-8"))


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_export_is_recognised_by_its_header(name: str) -> None:
    export = known.recognise(HEADERS[name].split(","))
    assert export is not None and export.name == name


def test_every_export_has_a_header_here() -> None:
    assert {export.name for export in known.all_known()} == set(HEADERS)


@pytest.mark.parametrize("export", known.all_known(), ids=lambda export: export.name)
def test_mapping_names_its_origin_and_maps_what_its_tables_need(export: known.Known) -> None:
    assert export.origin and export.not_verified
    for source in export.expand(Source(path="x.csv"), HEADERS[export.name].split(",")):
        have = set(source.columns.values()) | set(source.constants)
        needed = set(TABLES[source.table].required)
        assert needed <= have, f"{export.name} lacks {needed - have}"
        assert set(source.values) <= have


@given(st.sampled_from(sorted(HEADERS)), st.randoms(use_true_random=False))
def test_order_case_and_width_of_the_header_do_not_matter(name: str, rng) -> None:
    headers = HEADERS[name].split(",")
    rng.shuffle(headers)
    wide = [header.replace("(", "（").replace(")", "）").swapcase() + " " for header in headers]
    export = known.recognise(wide)
    assert export is not None and export.name == name


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_a_header_without_one_telling_column_is_not_that_export(name: str) -> None:
    export = known.known(name)
    for missing in export.recognised_by:
        rest = [header for header in HEADERS[name].split(",") if header != missing]
        assert not export.fits(rest)


def test_unknown_headers_are_no_export() -> None:
    assert known.recognise(["InvoiceNo", "StockCode", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID"]) is None
    assert known.recognise([]) is None


def test_source_without_table_and_unknown_header_is_refused() -> None:
    with pytest.raises(WorkbookError, match=r"'o\.csv' names no `table`.*a, b") as error:
        known.expand(Source(path="o.csv"), ["a", "b"])
    assert "workbook new" in error.value.way_out


def test_declared_export_with_another_header_says_what_it_lacks() -> None:
    with pytest.raises(WorkbookError, match="lacks Financial Status"):
        known.expand(Source(path="o.csv", known="shopify_orders"),
                     [h for h in HEADERS["shopify_orders"].split(",") if h != "Financial Status"])


def test_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(WorkbookError, match="did you mean 'shopify_orders'"):
        known.expand(Source(path="o.csv", known="shopify_order"), ["a"])


def test_tables_of_a_source_are_known_before_it_is_read() -> None:
    assert known.tables_of(Source(path="o.csv", known="shopify_orders")) == {"orders", "order_lines"}
    assert known.tables_of(Source(path="o.csv", table="orders", known="shopify_orders")) == {"orders"}
    assert known.tables_of(Source(path="o.csv")) == frozenset()


def test_plain_source_stays_as_it_is() -> None:
    source = Source(path="o.csv", table="orders", columns={"When": "ordered_at"})
    assert known.expand(source, ["When"]) == (source,)


def test_what_is_declared_beside_wins() -> None:
    source = Source(path="c.csv", known="hubspot_contacts", table="customers", dates="mdy",
                    columns={"Email": "-", "Lead Status": "status"}, constants={"kind": "account"})
    (plain,) = known.expand(source, HEADERS["hubspot_contacts"].split(","))
    assert "Email" not in {theirs for theirs, ours in plain.columns.items() if ours != "-"}
    assert plain.columns["Lead Status"] == "status" and plain.constants["kind"] == "account" and plain.dates == "mdy"


# --- an order whose totals stand on its first line only ----------------------------------------

SHOPIFY = """Name,Email,Financial Status,Paid at,Subtotal,Shipping,Taxes,Currency,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku
#1001,Ann@Example.com,paid,2026-03-01 10:00:00 +0100,100.90,4.95,8.33,EUR,2026-03-01 09:59:00 +0100,1,Tea 100 g,62.95,T-100
#1001,,,,,,,,,1,Tea 50 g,37.95,T-50
#1002,bob@example.com,voided,,20.00,0.00,1.65,EUR,2026-03-02 12:00:00 +0100,2,Cup,10.00,C-1
"""  # noqa: E501


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKBOOK_KEY", "a key of thirty-two characters!!")


def collected(folder: Path, text: str) -> Store:
    (folder / "orders.csv").write_text(text, encoding="utf-8")
    (folder / "workbook.yaml").write_text("name: tea\ncurrency: EUR\nsources:\n  - path: orders.csv\n")
    settings = load_settings(folder)
    store = Store(settings.store_folder)
    collect(settings, store, progress=False)
    return store


@pytest.fixture
def shopify(tmp_path: Path) -> Store:
    return collected(tmp_path, SHOPIFY)


def rows(store: Store, name: str) -> list[dict]:
    return pa.concat_tables([pq.read_table(path) for path in store.files(name)]).to_pylist()


def test_shopify_orders_land_once_and_lines_all(shopify: Store) -> None:
    orders, lines = rows(shopify, "raw/orders"), rows(shopify, "raw/order_lines")
    assert [(row["order_id"], float(row["amount"]), row["status"]) for row in orders] == [
        ("#1001", 100.90, "paid"), ("#1002", 20.0, "cancelled")]
    assert [(row["order_id"], row["product_id"], float(row["amount"])) for row in lines] == [
        ("#1001", "T-100", 62.95), ("#1001", "T-50", 37.95), ("#1002", "C-1", 20.0)]


def test_discount_of_the_whole_order_is_shared_out_over_its_lines(tmp_path: Path) -> None:
    """A line of 60 and one of 40, 10 off the order: the lines add up to the subtotal."""
    text = SHOPIFY.replace(",100.90,", ",90.00,").replace(",62.95,", ",60.00,").replace(",37.95,", ",40.00,")
    store = collected(tmp_path, text)
    lines = rows(store, "raw/order_lines")
    assert [float(row["amount"]) for row in lines] == [54.0, 36.0, 20.0]
    assert sum(row["amount"] for row in lines) == sum(row["amount"] for row in rows(store, "raw/orders"))


def share(names: list[str], totals: list[str], prices: list[str], sizes: list[int]) -> list[str]:
    columns = {"Name": "order_id", "Price": "amount", "Qty": "quantity"}
    source = Source(path="x", table="order_lines", columns=columns, share_out="Total")
    whole = pa.table({"Name": names, "Total": totals, "Price": prices, "Qty": ["2"] * len(names)})
    return [text for batch in known.shaped(cut(whole, sizes), source) for text in batch.column("Price").to_pylist()]


def test_shares_add_up_to_the_cent_and_unreadable_lines_stay() -> None:
    assert share(["1", "1", "1"], ["10.00", "", ""], ["5", "5", "5"], []) == ["3.33", "3.33", "3.34"]
    assert share(["1", "1"], ["10.00", ""], ["5", "x"], []) == ["10.0000", "x"]
    assert share(["1", "1"], ["", ""], ["5", "1"], []) == ["10.0000", "2.0000"]
    assert share(["1", "1"], ["0.00", ""], ["0", "0"], []) == ["0.00", "0.00"]


@given(
    st.lists(st.tuples(st.integers(0, 4), st.decimals(0, 500, places=2)), min_size=1, max_size=15),
    st.lists(st.integers(1, 4), max_size=8),
    st.decimals(0, 999, places=2),
)
def test_shares_add_up_wherever_batches_are_cut(lines: list, sizes: list[int], total: Decimal) -> None:
    lines = sorted(lines, key=lambda line: line[0])
    names, prices = [str(name) for name, _ in lines], [str(price) for _, price in lines]
    totals = [str(total) if name not in names[:place] else "" for place, name in enumerate(names)]
    shares = share(names, totals, prices, sizes)
    assert shares == share(names, totals, prices, [])
    for name in set(names):
        assert sum(Decimal(text) for text, own in zip(shares, names, strict=True) if own == name) == total


def test_shopify_lines_repeat_customer_time_and_state_of_their_order(shopify: Store) -> None:
    first, second, third = rows(shopify, "raw/order_lines")
    assert first["customer_id"] == second["customer_id"] != third["customer_id"]
    assert first["ordered_at"] == second["ordered_at"] and second["status"] == "paid"
    assert "@" not in first["customer_id"]


def cut(table: pa.Table, sizes: list[int]) -> list[pa.RecordBatch]:
    batches, start = [], 0
    for size in [*sizes, len(table)]:
        batches += table.slice(start, size).combine_chunks().to_batches() if start < len(table) else []
        start += size
    return batches


def shape(names: list[str], mails: list[str | None], sizes: list[int]) -> list[str | None]:
    """The mail column after `repeat`, the rows cut into batches of these sizes."""
    columns = {"Name": "order_id", "Email": "customer_id"}
    source = Source(path="x", table="order_lines", columns=columns, repeat=("Email",))
    whole = pa.table({"Name": names, "Email": pa.array(mails, pa.string())})
    return [mail for batch in known.shaped(cut(whole, sizes), source) for mail in batch.column("Email").to_pylist()]


def test_blank_cells_take_the_value_above_within_their_order_only() -> None:
    assert shape(["1", "1", "2", "2", "3"], ["a", "", None, "b", ""], []) == ["a", "a", None, "b", None]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["", "a", "b", None])), min_size=1, max_size=20),
    st.lists(st.integers(1, 5), max_size=6),
)
def test_where_batches_are_cut_does_not_matter(cells: list[tuple[int, str | None]], sizes: list[int]) -> None:
    cells = sorted(cells, key=lambda cell: cell[0])
    names, mails = [str(name) for name, _ in cells], [mail for _, mail in cells]
    assert shape(names, mails, sizes) == shape(names, mails, [])
