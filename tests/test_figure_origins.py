"""Behind a figure: the lines that made it and no others, the queries they asked, the ledger, what it was before."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import ibis
import nbformat
import pytest
from bs4 import BeautifulSoup

from workbook.cleaning.ledger import Line
from workbook.data.provenance import KIND, Provenance
from workbook.output.pages import ledgers, origins, slices


def notebook(*sources: str, provenance: dict[str, object] | None = None) -> nbformat.NotebookNode:
    cells = [nbformat.v4.new_code_cell(source, execution_count=n) for n, source in enumerate(sources, start=1)]
    if provenance:
        cells[-1].outputs = [nbformat.v4.new_output("display_data", data={KIND: provenance})]
    return nbformat.v4.new_notebook(cells=cells)


def lines_behind(found: nbformat.NotebookNode, cell: int, line: int) -> list[str]:
    every = slices.statements(found)
    return [every[place].code for place in slices.behind(every, slices.at(every, cell, line))]


# --- the lines ---------------------------------------------------------------------------------------------------


def test_only_what_a_figure_uses_is_behind_it() -> None:
    found = notebook("import math\na = 2\nb = 3", "c = math.sqrt(a)\nd = b + 1", "find('c', c)\nfind('d', d)")
    assert lines_behind(found, 3, 1) == ["a = 2", "c = math.sqrt(a)", "find('c', c)"]
    assert lines_behind(found, 3, 2) == ["b = 3", "d = b + 1", "find('d', d)"]


def test_of_a_name_made_twice_only_the_last_making_counts() -> None:
    found = notebook("a = 1", "a = 5", "find(a)", "a = 9")
    assert lines_behind(found, 3, 1) == ["a = 5", "find(a)"]


def test_what_changes_a_name_in_place_belongs_to_it() -> None:
    found = notebook("rows = []", "rows.append(1)", "rows = rows + [2]", "show(rows)", "find(rows)")
    assert lines_behind(found, 5, 1) == ["rows = []", "rows.append(1)", "rows = rows + [2]", "find(rows)"]
    attribute = notebook("t = make()", "t['x'] = 1", "other['x'] = 2", "find(t)")
    assert lines_behind(attribute, 4, 1) == ["t = make()", "t['x'] = 1", "find(t)"]


def test_a_line_within_a_long_statement_stands_for_the_whole_of_it() -> None:
    found = notebook("n = 3", "for figure in [\n    one(n),\n    two(n),\n]:\n    find(figure)")
    assert len(lines_behind(found, 2, 5)) == 2
    assert "two(n)" in lines_behind(found, 2, 5)[1]


def test_the_path_of_the_settings_is_not_told() -> None:
    found = notebook("settings = '/home/li/shop/workbook.yaml'\nk = 3", "run = open_run(settings, k)", "find(run.x)")
    assert lines_behind(found, 3, 1) == ["k = 3", "run = open_run(settings, k)", "find(run.x)"]


# --- the queries -------------------------------------------------------------------------------------------------


def test_queries_carry_the_names_of_the_store_and_belong_to_the_cell_that_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ibis.options, "verbose", False)
    monkeypatch.setattr(ibis.options, "verbose_log", None)
    shell = SimpleNamespace(user_ns={"_ih": ["", "first"]})
    monkeypatch.setattr("builtins.get_ipython", lambda: shell, raising=False)
    con = ibis.duckdb.connect()
    con.raw_sql(f"COPY (SELECT 7 AS amount) TO '{tmp_path / 'o.parquet'}' (FORMAT parquet)")
    noted = Provenance()
    noted.listen()
    orders = noted.reads(con.read_parquet(tmp_path / "o.parquet"), "clean/orders")
    assert orders.amount.sum().to_pyarrow().as_py() == 7
    shell.user_ns["_ih"].append("second")
    orders.count().to_pyarrow()
    noted.finds("rows")
    told = noted.told()
    assert told["found"]["rows"][0] == 2
    by_cell = {cell: [told["queries"][n] for n in asked] for cell, asked in told["cells"].items()}
    assert len(by_cell["1"]) == 1 and 'SUM("t0"."amount")' in by_cell["1"][0]
    assert 'FROM "clean/orders"' in by_cell["1"][0] and "read_parquet" not in json.dumps(told)
    assert "COUNT(*)" in by_cell["2"][0]


def test_the_language_that_asked_most_is_believed(tmp_path: Path) -> None:
    told = {"found": {"n": (2, 1)}, "cells": {"1": [0], "2": [1]},
            "queries": ["SELECT COUNT(*) FROM t WHERE a = 'FROM here'", "SELECT 1"]}
    recalled = {"found": {"n": (2, 1)}, "cells": {"2": [0]}, "queries": ["SELECT 1"]}
    for name, provenance in (("zh", recalled), ("en", told)):
        nbformat.write(notebook("a = count()", "find('n', a)", provenance=provenance), tmp_path / f"{name}.ipynb")
    made = origins.origins([tmp_path / "zh.ipynb", tmp_path / "en.ipynb", tmp_path / "absent.ipynb"])
    assert made.ways == (origins.Way(0, ((1, "a = count()"), (2, "find('n', a)")), (0, 1)),)
    assert made.way_of == {"n": 0}
    assert made.queries[0].startswith("SELECT COUNT(*)\nFROM t\nWHERE")


def test_without_provenance_there_is_no_way(tmp_path: Path) -> None:
    nbformat.write(notebook("find('n', 1)"), tmp_path / "a.ipynb")
    assert origins.origins([tmp_path / "a.ipynb"]) == origins.NOTHING


# --- the ledger --------------------------------------------------------------------------------------------------


def test_ledger_is_read_back_as_cleaning_wrote_it(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "clean_ledger.csv").write_text(
        "step,rule,action,table,rows_before,rows_after,rows_flagged,customers_before,customers_after,revenue_before,"
        "revenue_after\n0,no_date,drop,order_lines,12,11,1,5,5,20.5000,19.2500\n1,cut,cut,returns,3,3,0,,,,\n")
    dropped, cut = ledgers.ledger(tmp_path)
    assert (dropped.rows_before, dropped.rows_after, str(dropped.revenue_after)) == (12, 11, "19.2500")
    assert cut == Line("cut", "cut", "returns", 3, 3, 0, None, None, None, None)
    assert ledgers.gates(tmp_path) == []


# --- a report ----------------------------------------------------------------------------------------------------


def test_a_card_leads_to_the_lines_that_made_its_figure(
    book: Callable[..., None], tmp_path: Path, command: Callable[..., str]
) -> None:
    code = ("from workbook.output import page\npage.card(run)\nunused = 5\nn = len('four')\n"
            "run.find('orders_read', n, unit='orders')\nrun.find('rows_read', 9, unit='rows')\n"
            "run.find('files_read', 1)\nrun.find('rows_quarantined', 0)\nrun.find('revenue_identified_share', 1.0)\n"
            "page.figures(run, ['orders_read'])")
    book("01_collection", code, options='least: int = 2  # orders\n')
    (tmp_path / "workbook.yaml").write_text(
        "name: shop\nsources: [{table: orders, path: o.csv}]\nlanguages: [en, zh]\n")
    (tmp_path / "o.csv").write_text("customer_id,ordered_at,amount\nA,2026-05-04,3\n")
    command("render", "--as-of", "2026-05", folder=tmp_path)
    report = tmp_path / "reports" / "2026-05"
    for lang in ("en", "zh"):
        chapter = BeautifulSoup((report / lang / "01_collection.html").read_text(), "html.parser")
        links = chapter.select('[data-figure="01_collection.orders_read"] a[href^="figures/"]')
        assert len({link["href"] for link in links}) == 1 and links[0].parent["class"] == ["wb-value"]
        file, _, anchor = str(links[0]["href"]).partition("#")
        behind = BeautifulSoup((report / lang / file).read_text(), "html.parser")
        entry = behind.find(id=anchor)
        way = behind.find(id=str(entry.select_one('a[href^="#way"]')["href"]).removeprefix("#"))
        code_shown = way.get_text()
        assert "n = len('four')" in code_shown and "run.find('orders_read', n, unit='orders')" in code_shown
        assert "unused" not in code_shown and str(tmp_path) not in behind.get_text()
    assert "数字的由来" in (report / "zh" / "figures" / "01_collection.html").read_text()
