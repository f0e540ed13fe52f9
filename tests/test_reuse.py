"""What has not changed is not run again: each kind of change, and what it makes run."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from workbook.data.findings import read_findings
from workbook.data.notebooks import read_notebooks
from workbook.output import report
from workbook.output.report import reuse
from workbook.output.report.execution import Outcome

SETTINGS = """
name: Corner shop
currency: EUR
languages: [en, zh]
sources: [{table: orders, path: orders.csv, columns: {a: order_id, b: amount, c: ordered_at}}]
"""
KEEP = "run.keep('{name}', pa.table({{'n': {rows}}}))\nrun.find('rows', {n}, unit='rows')"
READ = "run.find('rows', len(run.peek(run.table('first'))), unit='rows')"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop" / "workbook.yaml"
    file.parent.mkdir()
    file.write_text(SETTINGS, encoding="utf-8")
    return file


@pytest.fixture
def chapters(book: Callable[..., None], shop: Path) -> Callable[..., dict[str, Outcome]]:
    """Three notebooks: 11 makes a table, 12 reads it, 13 stands alone. `chapters()` renders; what became of each."""
    book("11_first", KEEP.format(name="first", rows=[1, 2], n=2), makes=["first"])
    book("12_second", READ, needs=["first"])
    book("13_alone", options="bins: int = 3  # number\n")

    def render(**options: object) -> dict[str, Outcome]:
        done = report.render(shop, as_of="2026-06", **options)
        assert done.ok, done.outcomes
        return {outcome.chapter: outcome for outcome in done.outcomes}

    return render


def ran(outcomes: dict[str, Outcome]) -> dict[str, tuple[str, ...]]:
    """The chapters that were run, and for what."""
    return {name: outcome.changed for name, outcome in outcomes.items() if not outcome.kept}


def test_a_changed_notebook_runs_and_what_reads_its_table_only_if_that_changed(book, chapters, shop) -> None:
    assert ran(chapters()) == dict.fromkeys(("11_first", "12_second", "13_alone"), ("first",))
    book("11_first", "2 + 2\n" + KEEP.format(name="first", rows=[2, 1], n=2), makes=["first"])
    assert ran(chapters()) == {"11_first": ("notebook",)}, "the same rows in another order are the same table"
    book("11_first", KEEP.format(name="first", rows=[1, 2, 3], n=3), makes=["first"])
    assert ran(chapters()) == {"11_first": ("notebook",), "12_second": ("table first",)}
    found = read_findings(shop.parent / "reports" / "2026-06" / "findings.json")
    assert {name: found[name]["rows"].value for name in ("11_first", "12_second")} == {"11_first": 3, "12_second": 3}
    for lang in ("en", "zh"):
        page = shop.parent / "reports" / "2026-06" / lang / "13_alone.html"
        assert "How to read it" in page.read_text(encoding="utf-8"), "what was kept is on its page"


def test_a_rule_that_is_refitted_and_a_segment_that_is_saved_run_their_chapters(book, chapters, shop) -> None:
    book("13_alone", "run.freeze('cuts', lambda day: {'cut': 1})")
    book("14_shows", "from workbook import segments\nsegments.saved(run)")
    chapters()
    rules = shop.parent / ".workbook" / "documents" / "frozen"
    rule = json.loads((rules / "cuts.json").read_text(encoding="utf-8"))
    (rules / "cuts.json").write_text(json.dumps(rule | {"rule": {"cut": 2}}), encoding="utf-8")
    saved = rules.parent / "segments" / "Best.json"
    saved.parent.mkdir()
    saved.write_text('{"filter": "r = 5"}', encoding="utf-8")
    assert ran(chapters()) == {"13_alone": ("frozen",), "14_shows": ("documents",)}


def test_force_runs_everything(chapters) -> None:
    chapters()
    assert set(ran(chapters(force=True))) == {"11_first", "12_second", "13_alone"}


def test_an_option_runs_its_own_chapter(chapters, shop) -> None:
    chapters()
    shop.write_text(SETTINGS + "chapters: {13_alone: {bins: 5}}\n", encoding="utf-8")
    assert ran(chapters()) == {"13_alone": ("parameters",)}
    shop.write_text(SETTINGS.replace("Corner shop", "Other shop"), encoding="utf-8")
    assert ran(chapters())["11_first"] == ("settings",), "the shop's name stands on every page"


def test_a_chapter_that_compares_runs_again_when_the_period_before_appears(book, chapters, shop) -> None:
    book("12_second", READ + "\nrun.previous('rows')", needs=["first"])
    chapters()
    earlier = shop.parent / "reports" / "2026-05" / "findings.json"
    earlier.parent.mkdir()
    published = {name: {"rows": {"value": 1, "unit": "rows"}} for name in ("11_first", "12_second")}
    earlier.write_text(json.dumps(published), encoding="utf-8")
    assert ran(chapters()) == {"12_second": ("period_before",)}


def test_what_is_gone_is_made_again(chapters, shop, book) -> None:
    chapters()
    shutil.rmtree(shop.parent / ".workbook")
    (shop.parent / "orders.csv").write_text("a,b,c\n")
    assert set(ran(chapters())) == {"11_first"}, "its table is not there; made again, it is the one that 12 read"
    (shop.parent / "reports" / "2026-06" / "zh" / "notebooks" / "13_alone.ipynb").unlink()
    book("12_second", READ + "\n3 + 3", needs=["first"])
    assert set(ran(chapters())) == {"12_second", "13_alone"}


def test_a_failed_chapter_is_tried_again(book, chapters, shop) -> None:
    chapters()
    book("12_second", "1 / 0", needs=["first"])
    assert not report.render(shop, as_of="2026-06").ok
    book("12_second", READ, needs=["first"])
    assert ran(chapters()) == {}, "as it was: the good report still holds it"


def test_every_module_that_a_notebook_reaches_counts() -> None:
    by_name = {notebook.name: notebook for notebook in read_notebooks()}
    reached = {path.relative_to(reuse.LIBRARY).as_posix()
               for path in reuse.reached(by_name["04_rfm"].path)}  # fmt: skip
    assert {"rfm/groups.py", "scoring/lists.py", "data/run.py", "output/words/rfm.py", "history.py",
            "data/store.py", "output/charts/curves.py"} <= reached
    assert not {"profiling/bridge.py", "output/words/profiling.py", "cli/report.py", "cleaning/steps.py"} & reached


def test_parts_that_differ_are_named_in_order() -> None:
    now = {"notebook": "a", "settings": "b", "table x": "c"}
    assert reuse.changed(dict(now), now) == ()
    assert reuse.changed({"notebook": "a", "settings": "z", "table y": "c"}, now) == ("settings", "table x", "table y")
    assert reuse.changed(None, now) == ("first",) and reuse.changed(now, None) == ("sources",)
