"""Every kind of source gives the same text with the right line; what is damaged, empty or misdeclared is told."""

import gzip
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from workbook.data import sources
from workbook.data.errors import WorkbookError
from workbook.data.settings import Source
from workbook.data.sources import Reading, Rejected

ROWS = [{"order": "1", "amount": "2.50"}, {"order": "2", "amount": "3"}]


def open_one(folder: Path, path: str = "", **declared) -> Reading:
    source = Source(name="test", **({"path": path} if path else {}), **declared)
    (piece,) = sources.find(source, folder)
    return sources.read(piece, source)


def rows_of(reading: Reading) -> list[dict]:
    return [row for batch in reading.batches for row in batch.to_pylist()]


def written(folder: Path, name: str, content: bytes | str) -> str:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return name


def read_text(folder: Path, content: bytes | str, **declared) -> tuple[list[dict], Reading]:
    reading = open_one(folder, written(folder, "file.csv", content), **declared)
    return rows_of(reading), reading


# --- delimiter, header, lines ------------------------------------------------------------------


@pytest.mark.parametrize(("delimiter", "told"), [(",", ","), (";", ";"), ("\t", "\t"), ("|", "|"), ("   ", "blanks")])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str, told: str) -> None:
    content = "\n".join(delimiter.join(line) for line in [("order", "amount"), ("1", "2.50"), ("2", "3")])
    rows, reading = read_text(tmp_path, content)
    assert reading.delimiter == told
    assert rows == [{**row, "source_row": line} for line, row in enumerate(ROWS, start=2)]


def test_a_comma_inside_quotes_is_no_delimiter(tmp_path: Path) -> None:
    rows, reading = read_text(tmp_path, 'name;note\n"a;b";1,5\n"c";2,5\n')
    assert (reading.delimiter, [row["name"] for row in rows]) == (";", ["a;b", "c"])


def test_aligned_columns_with_and_without_a_header(tmp_path: Path) -> None:
    rows, _ = read_text(tmp_path, " id   day  cds \r\n 00001 19970101  1\r\n 00002 19970112  12\r\n")
    assert rows[1] == {"id": "00002", "day": "19970112", "cds": "12", "source_row": 3}
    names = ["customer_id", "-", "amount"]
    rows, _ = read_text(tmp_path, " 00001 19970101  1\r\n 00002 19970112  12\r\n", columns=names)
    assert rows[0] == {"customer_id": "00001", "column_2": "19970101", "amount": "1", "source_row": 1}


def test_a_header_is_told_from_values(tmp_path: Path) -> None:
    _, reading = read_text(tmp_path, "7,2026-03-05\n8,2026-03-06\n")
    assert reading.columns == ["column_1", "column_2"]
    _, reading = read_text(tmp_path, "a,b\n7,2026-03-05\n")
    assert reading.columns == ["a", "b"]
    rows, reading = read_text(tmp_path, "a,b\nc,d\n", header=False)
    assert (reading.columns, len(rows)) == (["column_1", "column_2"], 2)


def test_a_sparse_first_row_is_no_title_where_there_is_no_header(tmp_path: Path) -> None:
    rows, _ = read_text(tmp_path, "7,,\n8,a,2026-03-06\n9,b,2026-03-07\n")
    assert [row["column_1"] for row in rows] == ["7", "8", "9"]


def test_titles_above_the_header_are_passed_over(tmp_path: Path) -> None:
    rows, reading = read_text(tmp_path, "Orders of March\n\norder,amount\n1,2.50\n2,3\n")
    assert reading.columns == ["order", "amount"]
    assert [row["source_row"] for row in rows] == [4, 5]


def test_lines_are_counted_as_an_editor_does(tmp_path: Path) -> None:
    content = 'a,b\n1,2\n\n3,4,5\n"x\ny",6\n7\n8,9\n,\n10,11\n'
    rows, reading = read_text(tmp_path, content)
    lines = content.split("\n")
    assert [row["source_row"] for row in rows] == [2, 5, 8, 10]
    assert [lines[row["source_row"] - 1].split(",")[0].strip('"') for row in rows] == ["1", "x", "8", "10"]
    assert reading.rejected == [
        Rejected(4, "fields_count", "3 of 2 fields"),
        Rejected(7, "fields_count", "1 of 2 fields"),
    ]


def test_lines_stay_right_over_many_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbook.data.sources.delimited._BLOCK", 4096)
    lines = ["n,text"]
    for n in range(5000):
        lines.append(f'{n},"two\nlines"' if n % 7 == 0 else f"{n},one" if n % 11 else f"{n},too,many")
    rows, reading = read_text(tmp_path, "\n".join(lines) + "\n")
    physical = "\n".join(lines).split("\n")
    assert len(rows) + len(reading.rejected) == 5000
    assert all(physical[row["source_row"] - 1].startswith(f"{row['n']},") for row in rows)
    assert all(physical[line.row - 1].endswith("too,many") for line in reading.rejected)


def test_a_quote_that_never_closes_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match=r"cannot be taken apart.*line 2"):
        read_text(tmp_path, 'a,b\n1,"oops\n' + "2,3\n" * 500)


def test_a_repeated_name_is_told_apart(tmp_path: Path) -> None:
    _, reading = read_text(tmp_path, "a,amount,amount\n1,2,3\n")
    assert reading.columns == ["a", "amount", "amount (2)"]
    assert reading.repeated == ("amount",)


def test_only_the_wanted_columns_are_handed_on(tmp_path: Path) -> None:
    source = Source(name="test", path=written(tmp_path, "file.csv", "a,b,c\n1,2,3\n"))
    (piece,) = sources.find(source, tmp_path)
    assert rows_of(sources.read(piece, source, wanted=lambda names: ["c"])) == [{"c": "3", "source_row": 2}]


# --- encodings ---------------------------------------------------------------------------------

CHINESE = "订单号,客户,金额\n1,张三,5\n2,李四，先生,6\n".replace("，", "")


@pytest.mark.parametrize(
    ("encoding", "told"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("utf-16", "utf-16"),
     ("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be")],
)  # fmt: skip
def test_chinese_in_every_encoding(tmp_path: Path, encoding: str, told: str) -> None:
    rows, reading = read_text(tmp_path, CHINESE.encode(encoding))
    assert reading.encoding == told
    assert reading.columns == ["订单号", "客户", "金额"]
    assert rows[0] == {"订单号": "1", "客户": "张三", "金额": "5", "source_row": 2}


@pytest.mark.parametrize("text", ["Käufer;Größe\nMüller;5\nJürgensen;6\n", "Cliente;Ciudad\nPeña;Málaga\nNuñez;León\n"])
def test_western_letters_are_not_taken_for_chinese(tmp_path: Path, text: str) -> None:
    rows, reading = read_text(tmp_path, text.encode("cp1252"))
    assert reading.encoding == "cp1252"
    assert next(iter(rows[0].values())) == text.splitlines()[1].split(";")[0]


def test_a_late_byte_decides_the_encoding(tmp_path: Path) -> None:
    body = "n,name\n" + "".join(f"{n},plain\n" for n in range(200_000)) + "7,"
    _, reading = read_text(tmp_path, body.encode() + "Müller\n".encode("cp1252"))
    assert reading.encoding == "cp1252"


def test_files_of_one_folder_may_differ(tmp_path: Path) -> None:
    written(tmp_path, "1.csv", CHINESE.encode("gb18030"))
    written(tmp_path, "2.csv", CHINESE.encode("utf-8"))
    source = Source(name="test", path="*.csv")
    read = [rows_of(sources.read(piece, source)) for piece in sources.find(source, tmp_path)]
    assert read[0] == read[1]


def test_a_wrongly_declared_encoding_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="is not utf-8") as told:
        read_text(tmp_path, CHINESE.encode("gb18030"), encoding="utf-8")
    assert "Leave `encoding` out" in told.value.way_out


# --- files, archives, what is broken -----------------------------------------------------------


def test_a_glob_is_read_in_natural_order(tmp_path: Path) -> None:
    for n in (10, 9, 1):
        written(tmp_path, f"day{n}.csv", f"a\n{n}\n")
    names = [piece.name for piece in sources.find(Source(name="test", path="day*.csv"), tmp_path)]
    assert names == ["day1.csv", "day9.csv", "day10.csv"]


def test_a_missing_file_names_the_nearest(tmp_path: Path) -> None:
    written(tmp_path, "orders.csv", "a\n1\n")
    with pytest.raises(WorkbookError, match=r"Did you mean orders\.csv"):
        sources.find(Source(name="test", path="order.csv"), tmp_path)


def test_a_path_may_name_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_EXPORTS", str(tmp_path))
    written(tmp_path, "orders.csv", "a\n1\n")
    (piece,) = sources.find(Source(name="test", path="${SHOP_EXPORTS}/orders.csv"), Path("/"))
    assert piece.path == tmp_path / "orders.csv"


def test_files_outside_of_the_workspace_are_called_without_the_machines_folders(tmp_path: Path) -> None:
    written(tmp_path, "orders.csv", "a\n1\n")
    (tmp_path / "2026").mkdir()
    written(tmp_path, "2026/03.csv", "a\n1\n")
    shop = tmp_path / "shop"
    shop.mkdir()
    for path, name in [("orders.csv", "orders.csv"), ("*.csv", "orders.csv"), ("*/*.csv", "2026/03.csv")]:
        (piece,) = sources.find(Source(name="test", path=f"{tmp_path}/{path}"), shop)
        assert piece.name == name
    (piece,) = sources.find(Source(name="test", path="../orders.csv"), shop)
    assert not piece.name.startswith("/")


def test_packed_files_and_members(tmp_path: Path) -> None:
    text = b"order,amount\n1,2.50\n2,3\n"
    written(tmp_path, "a.csv.gz", gzip.compress(text))
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("in/1.csv", text)
        archive.writestr("in/2.csv", text)
        archive.writestr("readme.md", "no data")
    expected = [{**row, "source_row": line} for line, row in enumerate(ROWS, start=2)]
    assert rows_of(open_one(tmp_path, "a.csv.gz")) == expected
    source = Source(name="test", path="b.zip", member="in/*.csv")
    pieces = sources.find(source, tmp_path)
    assert [piece.name for piece in pieces] == ["b.zip!in/1.csv", "b.zip!in/2.csv"]
    assert all(rows_of(sources.read(piece, source)) == expected for piece in pieces)
    assert sources.fingerprint(pieces[0]) == sources.fingerprint(pieces[1])


@pytest.mark.parametrize("content", [b"", b"\n\n  \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_told(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(WorkbookError, match=r"file\.csv is empty"):
        read_text(tmp_path, content)


def test_a_truncated_gzip_is_told_and_nothing_of_it_is_taken(tmp_path: Path) -> None:
    whole = gzip.compress(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(100_000)))
    with pytest.raises(WorkbookError, match="damaged or was cut off"):
        rows_of(open_one(tmp_path, written(tmp_path, "cut.csv.gz", whole[: len(whole) // 2])))


def test_a_damaged_zip_is_told(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="damaged or was cut off"):
        open_one(tmp_path, written(tmp_path, "bad.zip", b"PK\x03\x04 but no more"))


def test_a_list_of_the_wrong_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="has 3 columns; `columns` of source 'test' lists 2"):
        read_text(tmp_path, "1,2,3\n", columns=["customer_id", "amount"])


# --- Excel -------------------------------------------------------------------------------------


def excel(folder: Path, fill: Callable[[xlsxwriter.Workbook], None], name: str = "book.xlsx") -> str:
    with xlsxwriter.Workbook(folder / name) as book:
        fill(book)
    return name


def test_cells_of_excel_become_the_text_that_was_meant(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("March")
        day = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        sheet.write_row(0, 0, ["order", "code", "at", "price", "paid", "long"])
        sheet.write_row(1, 0, [536365, "00417"])
        sheet.write_datetime(1, 2, datetime(2026, 3, 5, 14, 5), day)
        sheet.write_row(1, 3, [2.55, True, 123456789012345678])

    rows = rows_of(open_one(tmp_path, excel(tmp_path, fill)))
    assert rows == [{"order": "536365", "code": "00417", "at": "2026-03-05 14:05:00", "price": "2.55", "paid": "true",
                     "long": "1.23E+17", "source_row": 2}]  # fmt: skip


def test_sheets_are_chosen_by_name_or_pattern(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        for name in ("March", "April", "Notes"):
            book.add_worksheet(name).write_column(0, 0, ["order", name])

    name = excel(tmp_path, fill)
    first = [piece.name for piece in sources.find(Source(name="test", path=name), tmp_path)]
    some = [piece.name for piece in sources.find(Source(name="test", path=name, sheet="[MA]*"), tmp_path)]
    assert (first, some) == ([f"{name}#March"], [f"{name}#March", f"{name}#April"])
    with pytest.raises(WorkbookError, match="it has March, April, Notes"):
        sources.find(Source(name="test", path=name, sheet="May"), tmp_path)


def test_merged_cells_belong_to_every_row_and_titles_are_passed_over(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.merge_range("A1:C1", "Orders of March")
        sheet.write_row("A3", ["order", "pro-\nduct", "amount"])
        sheet.merge_range("A4:A6", "00417")
        sheet.write_column("B4", ["tea", "cup", "pot"])
        sheet.write_column("C4", [1, 2, 3])
        sheet.write_row("A7", ["00418", "tea", 1])

    rows = rows_of(open_one(tmp_path, excel(tmp_path, fill)))
    assert [(row["order"], row["pro- duct"], row["source_row"]) for row in rows] == [
        ("00417", "tea", 4), ("00417", "cup", 5), ("00417", "pot", 6), ("00418", "tea", 7)]  # fmt: skip


# --- JSON lines and Parquet --------------------------------------------------------------------


def test_json_lines_keep_numbers_as_written_and_flatten_objects(tmp_path: Path) -> None:
    lines = ['{"order": 123456789012345678, "amount": 2.50, "who": {"id": "007", "vip": true}}', "", "{broken",
             '{"order": 2, "tags": ["a", "b"]}', "[1]"]  # fmt: skip
    reading = open_one(tmp_path, written(tmp_path, "a.jsonl.gz", gzip.compress("\n".join(lines).encode())))
    rows = rows_of(reading)
    assert rows[0] == {"order": "123456789012345678", "amount": "2.50", "who.id": "007", "who.vip": "true",
                       "tags": None, "source_row": 1}  # fmt: skip
    assert (rows[1]["source_row"], json.loads(rows[1]["tags"])) == (4, ["a", "b"])
    assert [(line.row, line.reason) for line in reading.rejected] == [(3, "json"), (5, "json")]


def test_a_list_of_objects_is_no_json_lines(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="is not JSON lines: line 1 alone"):
        open_one(tmp_path, written(tmp_path, "a.json", '[\n{"order": 1},\n{"order": 2}\n]\n'))


def test_parquet_becomes_text(tmp_path: Path) -> None:
    table = pa.table({
        "order": pa.array([1, 2]), "price": pa.array([2.5, None]), "on": pa.array([date(2026, 3, 5), None]),
        "at": pa.array([datetime(2026, 3, 5, 12), None], pa.timestamp("ns", "Asia/Shanghai")),
        "kind": pa.array(["a", "b"]).dictionary_encode(),
    })  # fmt: skip
    pq.write_table(table, tmp_path / "a.parquet")
    rows = rows_of(open_one(tmp_path, "a.parquet"))
    assert rows[0] == {"order": "1", "price": "2.5", "on": "2026-03-05", "at": "2026-03-05 12:00:00.000000Z",
                       "kind": "a", "source_row": 1}  # fmt: skip
    assert rows[1]["at"] is None


# --- databases ---------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "shop.db") as con:
        con.execute('CREATE TABLE "my orders" (id INTEGER, total NUMERIC(10,2), who TEXT)')
        con.executemany('INSERT INTO "my orders" VALUES (?, ?, ?)', [(1, 1.98, "a"), (2, 5, None), (3, 0.1, "b")])
    return tmp_path


def test_a_table_and_a_query_of_sqlite(shop: Path) -> None:
    reading = open_one(shop, url="sqlite:///shop.db", from_table="my orders", where="total > 1")
    assert rows_of(reading) == [{"id": "1", "total": "1.98", "who": "a", "source_row": 1},
                                {"id": "2", "total": "5", "who": None, "source_row": 2}]  # fmt: skip
    query = 'SELECT who, sum(total) AS spent FROM "my orders" GROUP BY who ORDER BY who'
    rows = rows_of(open_one(shop, "shop.db", query=query))
    assert [row["spent"] for row in rows] == ["5", "1.98", "0.1"]


def test_a_database_is_opened_for_reading_only(shop: Path) -> None:
    with pytest.raises(WorkbookError, match="the database says"):
        open_one(shop, url="sqlite:///shop.db", query='DELETE FROM "my orders"')
    assert len(rows_of(open_one(shop, url="sqlite:///shop.db", from_table="my orders"))) == 3


def test_an_unknown_table_names_the_known_ones(shop: Path) -> None:
    with pytest.raises(WorkbookError, match="its tables are my orders"):
        open_one(shop, url="sqlite:///shop.db", from_table="orders")


def test_postgres_is_streamed_with_its_filter(postgres_url: str, tmp_path: Path) -> None:
    import psycopg

    with psycopg.connect(postgres_url) as con:
        con.execute("CREATE TABLE IF NOT EXISTS sold (id int, at timestamptz, total numeric(10,2), note text)")
        con.execute("TRUNCATE sold")
        con.execute("INSERT INTO sold SELECT n, timestamptz '2026-03-05 12:00+08' + n * interval '1 hour', n / 4.0, "
                    "'line' || chr(10) || n FROM generate_series(1, 50000) n")  # fmt: skip
    reading = open_one(tmp_path, url=postgres_url, from_table="sold", where="id > 10")
    rows = rows_of(reading)
    assert len(rows) == 49_990
    assert rows[0] == {"id": "11", "at": "2026-03-05 15:00:00+00", "total": "2.75", "note": "line\n11", "source_row": 1}
    assert rows[-1]["source_row"] == 49_990


def test_postgres_refuses_to_write(postgres_url: str, tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="the database says"):
        open_one(tmp_path, url=postgres_url, query="SELECT 1 FROM sold; DROP TABLE sold")


def test_a_database_that_is_down_is_told_without_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", "verysecret")
    with pytest.raises(WorkbookError, match="does not answer") as told:
        open_one(tmp_path, url="postgresql://reader:${SHOP_PASSWORD}@127.0.0.1:1/shop", from_table="orders")
    assert "verysecret" not in str(told.value)


# --- public data -------------------------------------------------------------------------------


def test_cdnow_master_and_sample(public_data: Callable[[str], Path]) -> None:
    """Fader and Hardie's files: the master has a header line, the sample has none and one column more."""
    master = open_one(Path("/"), str(public_data("cdnow/CDNOW_master.txt")))
    assert (sum(map(len, master.batches)), len(master.columns)) == (69_659, 4)
    sample = open_one(Path("/"), str(public_data("cdnow/CDNOW_sample.txt")))
    assert (sum(map(len, sample.batches)), len(sample.columns), sample.rejected) == (6_919, 5, [])


def test_stream_of_a_reading_is_bounded(tmp_path: Path) -> None:
    """However long the file, a batch holds a block of it."""
    body = io.StringIO()
    body.write("n,text\n")
    for n in range(400_000):
        body.write(f"{n},some text to make the line longer than a few bytes {n}\n")
    reading = open_one(tmp_path, written(tmp_path, "long.csv", body.getvalue()))
    sizes = [len(batch) for batch in reading.batches]
    assert sum(sizes) == 400_000
    assert max(sizes) < 200_000
