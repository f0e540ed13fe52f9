"""Decisions in the report of a part: which touch it, where they are settled, and that nothing is settled twice."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import ibis
import pandas as pd
import papermill
import pytest

from shops import many, run_of, write_shop
from test_decisions_register import CALL
from test_settlement import decision, listed
from workbook import ab_testing as ab
from workbook import decisions
from workbook.cleaning.part import keep_part
from workbook.data.notebooks import notebooks_folder
from workbook.data.run import PART, published
from workbook.data.settings import Part, Settings
from workbook.output import i18n
from workbook.output.words import advice
from workbook.output.words import touched as words

EAST = Part("region", "East")


@pytest.fixture
def divided(tmp_path: Path) -> tuple[Settings, decisions.Decision]:
    """400 customers, a quarter of them in East; a decision on all of them."""
    tables = many(400)
    for row in tables["clean/orders"]:
        row["region"] = "East" if int(row["customer_id"][1:]) < 100 else "West"
        row |= {"status": "paid", "channel": "web"}
    tables["clean/order_lines"] = [
        {name: row.get(name) for name in ("order_id", "customer_id", "ordered_on", "ordered_at", "amount", "region")}
        for row in tables["clean/orders"]]
    shop = write_shop(tmp_path, tables)
    return shop, decisions.export(shop, CALL, as_of="2026-06")


def test_a_decision_touches_a_part_by_the_customers_on_its_list(make_table) -> None:
    customers = make_table(ibis.duckdb.connect(), pd.DataFrame({"customer_id": ["a", "b", "d", "x"]}))
    made, other = decision(), decision(id="other")
    lists = {made.id: listed(), other.id: listed(treated=("p",), control=("q",))}
    found = ab.touching([made, other], lists.__getitem__, customers, frame=ibis.Table.to_pandas)
    assert [(one.decision.id, one.treated, one.control) for one in found] == [(made.id, 2, 1)]
    assert ab.touching([], lists.__getitem__, customers, frame=ibis.Table.to_pandas) == []


def test_a_part_reads_the_account_book_of_the_whole_shop(divided: tuple[Settings, decisions.Decision]) -> None:
    shop, made = divided
    own = shop.of_part(EAST)
    assert decisions.registered(own) == (made,) and decisions.fingerprint(own) == decisions.fingerprint(shop)
    assert decisions.folder_of(own, made.id).parent == shop.reports_folder / "decisions"


def test_no_figure_of_the_account_is_told_of_a_part_but_how_many_touch_it() -> None:
    touched = [ab.Touched(decision(), 2, 1)]
    figures = {one.name: one for one in ab.part_figures(touched)}
    whole = ab.programme_figures(ab.programme([], period_start=date(2026, 4, 1)), [])
    assert list(figures) == [one.name for one in whole]
    assert figures.pop("decisions_registered").value == 1
    assert {(one.value, one.reason) for one in figures.values()} == {(None, "of_the_whole")}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_parts_page_says_who_is_of_it_and_where_the_settlement_stands(lang: str) -> None:
    i18n.use(lang, "EUR")
    made = decision(treated=300, control=100)
    over = ab.Touched(made, 40, 3)
    told = words.in_part([over, ab.Touched(replace(made, id="b", cancelled="x"), 30, 10)], date(2026, 4, 30), fewest=5)
    sentences = [words.counted_in_part([]), words.counted_in_part([over]), *words.in_part([], made.as_of, fewest=5),
                 *told, *words.in_part([over], made.as_of, fewest=5), advice.decided_for_all(0),
                 advice.decided_for_all(2)]
    if lang == "zh":
        assert not [text for text in sentences if re.search(r"[A-Za-z]{3,}", text.replace("call", ""))]
        return
    assert "of 300 treated customers, 40 are of this part, of 100 held out fewer than 5; its window ended" in told[1]
    assert "cancelled" in told[0] and "this chapter of the report of the whole shop" in told[2]
    assert words.counted_in_part([over]).startswith("**1 decision** of the shop") and "2 decisions" in sentences[-1]


def test_the_chapter_of_a_part_settles_nothing_and_says_where_it_is_settled(
    divided: tuple[Settings, decisions.Decision], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, made = divided
    keep_part(run_of(shop), EAST, published(shop.of_part(EAST)))
    monkeypatch.setenv(PART, json.dumps(EAST))
    done = papermill.execute_notebook(
        str(notebooks_folder() / "07_ab_testing.ipynb"), str(tmp_path / "07.ipynb"),
        {"settings": str(shop.file), "as_of": "2026-06", "lang": "en"}, progress_bar=False)
    said = "\n".join("".join(output["data"]["text/plain"]) for cell in done.cells if cell.cell_type == "code"
                     for output in cell.outputs if "text/plain" in output.get("data", {}))
    people = decisions.members(shop, made.id)
    here = people[people["customer_id"] < "c0100"]["arm"].value_counts()
    assert f"{here['treated']} are of this part" in said and f"held out {here['control']}; its window ends" in said
    assert "No decision is in the account book" not in said and "1 decision" in said
    [file] = shop.of_part(EAST).store_folder.rglob("findings/07_ab_testing.json")
    found = json.loads(file.read_text())
    assert found["decisions_registered"]["value"] == 1 and found["programme_earned"]["reason"] == "of_the_whole"
