"""Named tables: written whole or not at all, a manifest entry each, one store over another."""

import json
import os
from pathlib import Path

import duckdb
import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbook.data import store as module
from workbook.data.engine import connect
from workbook.data.errors import WorkbookError
from workbook.data.settings import Engine
from workbook.data.store import Store, write_whole

ROWS = pa.table({"customer_id": ["a", "b", "c"], "amount": [1.5, 2.5, 3.5]})


@pytest.fixture
def engine() -> ibis.BaseBackend:
    return connect(Engine(memory="1GB", threads=2))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def files(store: Store) -> list[Path]:
    return sorted((store.root / "tables").rglob("*.parquet"))


# --- writing and reading -----------------------------------------------------------------------


def test_written_table_reads_back(store: Store, engine: ibis.BaseBackend) -> None:
    entry = store.write("rfm", ROWS, made_by="04_rfm", key=("customer_id",), parameters={"as_of": "2026-06-30"})
    assert store.read("rfm", engine).order_by("customer_id").to_pyarrow().to_pydict() == ROWS.to_pydict()
    assert (entry.rows, entry.made_by, entry.key) == (3, "04_rfm", ("customer_id",))
    assert entry.parameters == {"as_of": "2026-06-30"}
    assert entry.schema == {"customer_id": "VARCHAR", "amount": "DOUBLE"}
    assert entry.code_version and store.has("rfm") and store.names() == ["rfm"]


def kinds(con: ibis.BaseBackend) -> dict[str, object]:
    return {
        "expression": con.create_table("written", ROWS),
        "pandas": ROWS.to_pandas(),
        "arrow": ROWS,
        "reader": pa.RecordBatchReader.from_batches(ROWS.schema, ROWS.to_batches(max_chunksize=2)),
    }


@pytest.mark.parametrize("kind", ["expression", "pandas", "arrow", "reader"])
def test_every_kind_of_table_gives_the_same_content(store: Store, engine: ibis.BaseBackend, kind: str) -> None:
    expected = Store(store.root.parent / "other").write("t", ROWS, made_by="x").content
    assert store.write("t", kinds(engine)[kind], con=engine, made_by="x").content == expected


def test_reads_on_both_engines(con: ibis.BaseBackend, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.write("t", ROWS, made_by="x")
    store.commit("two", [*store.files("t"), _more(store)], made_by="x")
    assert store.read("t", con).count().to_pyarrow().as_py() == 3
    assert store.read("two", con).count().to_pyarrow().as_py() == 4


def test_expression_of_either_engine_is_kept(con: ibis.BaseBackend, make_table, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    table = make_table(con, ROWS)
    entry = store.write("t", table.mutate(double=table.amount * 2), con=con, made_by="x", key=("customer_id",))
    assert entry.rows == 3
    assert store.read("t", con).order_by("customer_id").to_pyarrow()["double"].to_pylist() == [3.0, 5.0, 7.0]
    store.write("t", table.filter(table.amount > 2), con=con, made_by="x")
    assert store.entry("t").rows == 2 and len(list((store.root / "tables" / "t").iterdir())) == 1


def _more(store: Store) -> Path:
    path = store.new_file("two")
    pq.write_table(pa.table({"customer_id": ["d"], "amount": [9.0]}), path)
    return path


def test_content_does_not_depend_on_the_order_of_rows(store: Store) -> None:
    one = store.write("t", ROWS, made_by="x").content
    assert store.write("t", ROWS.take([2, 0, 1]), made_by="x").content == one
    assert store.write("t", ROWS.slice(1), made_by="x").content != one
    assert store.write("t", pa.concat_tables([ROWS, ROWS.slice(0, 1)]), made_by="x").content != one


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text(max_size=4), st.integers(-5, 5)), min_size=1, max_size=8), st.randoms())
def test_content_of_shuffled_rows_is_equal(tmp_path: Path, rows: list[tuple[str, int]], rng) -> None:
    store = Store(tmp_path / "store")
    mixed = rows.copy()
    rng.shuffle(mixed)
    entries = [store.write("t", pd.DataFrame(each, columns=["a", "b"]), made_by="x") for each in (rows, mixed)]
    assert entries[0].content == entries[1].content and entries[0].rows == len(rows)


def test_new_version_replaces_the_files_of_the_old(store: Store) -> None:
    store.write("t", ROWS, made_by="x")
    (old,) = files(store)
    store.write("t", ROWS.slice(1), made_by="x")
    assert len(files(store)) == 1 and not old.exists()
    assert store.entry("t").rows == 2


def test_missing_table_names_the_command_that_makes_it(store: Store) -> None:
    for name, command in (("raw/orders", "--only 01"), ("2026-06-30/clean/orders", "--only 02"), ("rfm", "render (")):
        with pytest.raises(WorkbookError, match=f"The table {name} has not been made yet") as error:
            store.files(name)
        assert command in error.value.way_out


def test_key_must_be_unique_and_the_old_table_stays(store: Store, engine: ibis.BaseBackend) -> None:
    store.write("t", ROWS, made_by="x", key=("customer_id",))
    twice = pa.table({"customer_id": ["a", "a"], "amount": [1.0, 2.0]})
    with pytest.raises(WorkbookError, match=r"The table t has 2 rows with .*'customer_id': 'a'") as error:
        store.write("t", twice, made_by="x", key=("customer_id",))
    assert "a join on it would count" in error.value.why
    assert store.read("t", engine).count().to_pyarrow().as_py() == 3 and len(files(store)) == 1


# --- killed, full, foreign ---------------------------------------------------------------------


def test_write_that_fails_half_way_leaves_the_old_table(store: Store, engine: ibis.BaseBackend) -> None:
    store.write("t", ROWS, made_by="x")

    def breaks_off():
        yield ROWS.to_batches()[0]
        raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        store.write("t", pa.RecordBatchReader.from_batches(ROWS.schema, breaks_off()), made_by="x")
    assert store.read("t", engine).count().to_pyarrow().as_py() == 3 and len(files(store)) == 1


def test_full_disk_is_told_and_the_old_table_stays(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.write("t", ROWS, made_by="x")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.pq, "write_table", full)
    with pytest.raises(WorkbookError, match=r"t could not be written: .*No space left") as error:
        store.write("t", ROWS, made_by="x")
    assert "still whole" in error.value.why and store.entry("t").rows == 3


def test_file_of_a_killed_run_is_swept_by_the_next_write(store: Store) -> None:
    store.write("t", ROWS, made_by="x")
    pq.write_table(ROWS, store.new_file("t"))
    assert len(files(store)) == 2
    store.write("t", ROWS, made_by="x")
    assert len(files(store)) == 1


def test_store_of_another_format_is_refused(store: Store) -> None:
    (store.root / "FORMAT").write_text("0")
    with pytest.raises(WorkbookError, match=r"was written in store format 0; this version reads 1") as error:
        Store(store.root)
    assert "rebuilt" in error.value.way_out


def test_write_whole_leaves_no_draft(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "deep" / "x.json"
    write_whole(file, "old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_whole(file, "new")
    assert file.read_text() == "old" and os.listdir(file.parent) == ["x.json"]


# --- one store over another --------------------------------------------------------------------


@pytest.fixture
def overlay(store: Store) -> Store:
    return Store(store.root / "scratch", store)


def test_overlay_reads_through_and_writes_to_itself(store: Store, overlay: Store, engine: ibis.BaseBackend) -> None:
    store.write("t", ROWS, made_by="x")
    assert overlay.has("t") and overlay.read("t", engine).count().to_pyarrow().as_py() == 3
    overlay.write("t", ROWS.slice(1), made_by="y")
    overlay.write("u", ROWS, made_by="y")
    assert overlay.entry("t").rows == 2 and store.entry("t").rows == 3
    assert overlay.names() == ["t", "u"] and store.names() == ["t"]


def test_newer_table_below_wins_over_older_scratch(store: Store, overlay: Store) -> None:
    overlay.write("t", ROWS.slice(2), made_by="scratch")
    store.write("t", ROWS, made_by="render")
    assert overlay.entry("t").made_by == "render"


def test_publish_moves_tables_and_documents_down(store: Store, overlay: Store, engine: ibis.BaseBackend) -> None:
    store.write("t", ROWS, made_by="x")
    overlay.write("t", ROWS.slice(1), made_by="y")
    overlay.write("deep/u", ROWS, made_by="y")
    overlay.keep_document("frozen/cuts", {"rule": {"r": [1, 2]}})
    assert overlay.publish() == ["deep/u", "t"]
    assert store.entry("t").rows == 2 and store.read("deep/u", engine).count().to_pyarrow().as_py() == 3
    assert store.document("frozen/cuts") == {"rule": {"r": [1, 2]}} and not overlay.root.exists()
    assert len(files(store)) == 2


def test_table_made_of_files_below_and_above_publishes_whole(
    store: Store, overlay: Store, engine: ibis.BaseBackend
) -> None:
    """Collection keeps the parts of unchanged files and adds new ones beside them."""
    store.write("raw/orders", ROWS, made_by="01")
    new = overlay.new_file("raw/orders")
    pq.write_table(pa.table({"customer_id": ["d"], "amount": [9.0]}), new)
    overlay.commit("raw/orders", [*store.files("raw/orders"), new], made_by="01")
    assert overlay.read("raw/orders", engine).count().to_pyarrow().as_py() == 4
    assert store.read("raw/orders", engine).count().to_pyarrow().as_py() == 3
    overlay.publish()
    assert store.read("raw/orders", engine).count().to_pyarrow().as_py() == 4


def test_only_an_overlay_publishes(store: Store) -> None:
    with pytest.raises(ValueError, match="lies over no other"):
        store.publish()


def test_file_of_a_foreign_folder_is_no_part_of_a_table(store: Store, tmp_path: Path) -> None:
    pq.write_table(ROWS, tmp_path / "foreign.parquet")
    with pytest.raises(ValueError, match="lies in no folder of this store"):
        store.commit("t", [tmp_path / "foreign.parquet"], made_by="x")


def test_documents_are_listed_through_the_overlay(store: Store, overlay: Store) -> None:
    store.keep_document("segments/loyal", {"where": "f > 3"})
    overlay.keep_document("segments/new", {"where": "f = 1"})
    assert overlay.document_names("segments") == ["segments/loyal", "segments/new"]
    assert overlay.document("segments/loyal") == {"where": "f > 3"} and overlay.document("segments/none") is None


def test_dropped_table_is_gone_here_and_kept_below(store: Store, overlay: Store) -> None:
    store.write("t", ROWS, made_by="x")
    overlay.write("t", ROWS.slice(1), made_by="y")
    overlay.drop("t")
    assert overlay.entry("t").rows == 3
    store.drop("t")
    assert not overlay.has("t") and files(store) == []


def test_empty_table_keeps_its_columns(store: Store, engine: ibis.BaseBackend) -> None:
    store.write("t", ROWS.slice(0, 0), made_by="x")
    assert store.entry("t").rows == 0
    assert store.read("t", engine).columns == ("customer_id", "amount")


def test_manifest_is_readable_json(store: Store) -> None:
    store.write("clean/orders", ROWS, made_by="02_cleaning")
    manifest = json.loads((store.root / "manifest" / "clean" / "orders.json").read_text("utf-8"))
    assert manifest["name"] == "clean/orders" and manifest["rows"] == 3
    assert duckdb.read_parquet(str(store.root / manifest["files"][0])).fetchall()[0][0] == "a"
