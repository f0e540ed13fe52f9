"""Rendering with small notebooks of our own: order, failures, comments, options, and what is published when."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from typer.testing import CliRunner

from workbook.cli import app
from workbook.data.errors import WorkbookError
from workbook.data.findings import Finding, read_findings
from workbook.data.notebooks import notebooks_folder, read_notebooks
from workbook.data.periods import period_of
from workbook.data.settings import load_settings
from workbook.output import i18n, report
from workbook.output.report import work
from workbook.output.report.execution import check_options, in_language
from workbook.output.words import report as words

SCRIPT = "<script>alert(1)</script>"
SETTINGS = """
name: {name}
currency: EUR
languages: {languages}
sources: [{{table: orders, path: orders.csv, columns: {{a: order_id, b: amount, c: ordered_at}}}}]
"""

Book = Callable[..., None]  # the fixture `book`


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The settings file of a shop."""
    file = tmp_path / "shop" / "workbook.yaml"
    file.parent.mkdir()
    file.write_text(SETTINGS.format(name="Corner shop", languages="[en, zh]"), encoding="utf-8")
    return file


def findings_of(folder: Path) -> dict[str, dict[str, Finding]]:
    return read_findings(folder / "findings.json")


def test_chapters_run_after_what_they_need_in_both_languages(book: Book, shop: Path) -> None:
    book("11_second", "run.find('rows', run.table('first').count().execute(), unit='rows')", needs=["first"])
    book("12_first", "run.keep('first', pa.table({'n': [1, 2]}))\nrun.find('x', 8911407.904, unit='money', low=1, n=3)",
         makes=["first"])
    told: list[str] = []
    rendered = report.render(shop, as_of="2026-06", tell=lambda step, outcome: told.append(step) if outcome else None)
    assert rendered.ok
    assert sorted(told) == ["en/11_second", "en/12_first", "zh/11_second", "zh/12_first"]
    assert all(told.index("en/12_first") < told.index(other) for other in ("en/11_second", "zh/12_first"))
    assert told.index("en/11_second") < told.index("zh/11_second")
    assert rendered.folder == shop.parent / "reports" / "2026-06"
    assert findings_of(rendered.folder) == {
        "11_second": {"rows": Finding(2, "rows")}, "12_first": {"x": Finding(8911407.904, "money", 1, None, 3)}}
    for lang, code in (("en", "en"), ("zh", "zh-CN")):
        for name in ("index.html", "11_second.html", "12_first.html"):
            page = (rendered.folder / lang / name).read_text(encoding="utf-8")
            assert f'<html lang="{code}">' in page
            assert "open_run" not in page, "pages hide code"
            assert "training only" not in page, "exercises are for newcomers"
        assert (rendered.folder / lang / "notebooks" / "12_first.ipynb").exists()
    assert "../zh/12_first.html" in (rendered.folder / "en" / "12_first.html").read_text(encoding="utf-8")
    assert (rendered.folder / "tables" / "first.csv").read_bytes() == b"\xef\xbb\xbfn\n1\n2\n"


def test_a_failure_is_told_and_what_needs_it_is_skipped(book: Book, shop: Path) -> None:
    book("11_broken", "raise ValueError('the column amount is empty')", makes=["broken"])
    book("12_after", needs=["broken"])
    book("13_else")
    result = CliRunner().invoke(app, ["render", "--as-of", "2026-06", "--lang", "en", "--settings", str(shop)])
    assert result.exit_code == 1
    assert "11_broken failed: cell [5]: ValueError: the column amount is empty" in result.output
    folder = shop.parent / "reports" / "2026-06"
    index = (folder / "en" / "index.html").read_text(encoding="utf-8")
    assert "ValueError: the column amount is empty" in index
    assert 'class="failed"' in index and 'class="skipped"' in index and 'class="done"' in index
    assert "Not run, because 11_broken failed." in index
    assert set(findings_of(folder)) == {"13_else"}
    assert "ValueError" in (folder / "en" / "notebooks" / "11_broken.ipynb").read_text(encoding="utf-8")


def test_the_last_good_report_stays_until_a_new_one_is_whole(book: Book, shop: Path) -> None:
    book("11_one", "run.find('x', 1)")
    good = report.render(shop, as_of="2026-06", lang="en")
    book("11_one", "1 / 0")
    bad = report.render(shop, as_of="2026-06", lang="en")
    assert not bad.ok and bad.kept == good.folder and bad.folder.name == "2026-06.failed"
    assert findings_of(good.folder)["11_one"]["x"].value == 1
    assert "ZeroDivisionError" in bad.folder.joinpath("en", "index.html").read_text(encoding="utf-8")
    book("11_one", "run.find('x', 2)")
    again = report.render(shop, as_of="2026-06", lang="en")
    assert again.ok and again.folder == good.folder and findings_of(again.folder)["11_one"]["x"].value == 2
    left = {path.name for path in again.folder.parent.iterdir()} - {"en.html", "index.html", "published"}
    assert left == {"2026-06"}, "no draft or failure is left, beside the list of periods"


def test_a_failed_render_publishes_no_table(book: Book, shop: Path) -> None:
    book("11_one", "run.keep('one', pa.table({'n': [1]}))", makes=["one"])
    book("12_two", "1 / 0")
    report.render(shop, as_of="2026-06", lang="en")
    assert not list((shop.parent / ".workbook").rglob("*.parquet"))


def test_only_one_chapter_and_what_it_lacks(book: Book, shop: Path) -> None:
    book("11_one", "run.keep('one', pa.table({'n': [1]}))\nrun.find('x', 1)", makes=["one"])
    book("12_two", "run.find('y', 1)", needs=["one"])
    book("13_three")
    first = report.render(shop, as_of="2026-06", lang="en", only="12")
    assert [outcome.chapter for outcome in first.outcomes] == ["11_one", "12_two"]
    assert "Not part of this run." in (first.folder / "en" / "index.html").read_text(encoding="utf-8")
    book("12_two", "run.find('y', 2)", needs=["one"])
    second = report.render(shop, as_of="2026-06", lang="en", only="12_two")
    assert [outcome.chapter for outcome in second.outcomes] == ["12_two"], "the table of 11 is there"
    assert {name: found for chapter in findings_of(second.folder).values() for name, found in chapter.items()} == {
        "x": Finding(1), "y": Finding(2)}


def test_the_page_of_a_period_compares_with_the_one_before(book: Book, shop: Path) -> None:
    book("11_one", "previous = run.previous('x')\nrun.find('x', 1 if previous is None else previous.value + 1)")
    assert findings_of(report.render(shop, as_of="2026-05", lang="en").folder)["11_one"]["x"].value == 1
    assert findings_of(report.render(shop, as_of="2026-06", lang="en").folder)["11_one"]["x"].value == 2


def test_a_comment_survives_a_new_render_and_is_only_text(book: Book, shop: Path) -> None:
    book("11_one")
    report.render(shop, as_of="2026-06", lang="en")
    settings = load_settings(shop)
    report.comment(settings, "2026-06", "11", f"We know why. {SCRIPT}", by="Ming")
    report.render(shop, as_of="2026-06", lang="en")
    report.comment(settings, "2026-06", "11_one", "Second remark", by="Ann")
    for page in ("index.html", "11_one.html"):
        html = (shop.parent / "reports" / "2026-06" / "en" / page).read_text(encoding="utf-8")
        assert "We know why. &lt;script&gt;" in html and SCRIPT not in html
        assert html.index("We know why") < html.index("Second remark")


@pytest.mark.parametrize(("period", "chapter", "text", "said"), [
    ("2026-07", "11", "x", "no report of 2026-07"), ("2026-06", "12", "x", "no chapter '12'"),
    ("2026-06", "11", " ", "empty")])
def test_a_comment_needs_a_place_and_words(
    book: Book, shop: Path, period: str, chapter: str, text: str, said: str
) -> None:
    reports = shop.parent / "reports" / "2026-06"
    reports.mkdir(parents=True)
    (reports / "run.json").write_text(json.dumps({"outcomes": [{"chapter": "11_one"}]}))
    with pytest.raises(WorkbookError, match=said):
        report.comment(load_settings(shop), period, chapter, text)


def test_text_from_data_is_never_run(book: Book, shop: Path) -> None:
    shop.write_text(SETTINGS.format(name=f"'{SCRIPT}'", languages="[en]"), encoding="utf-8")
    book("11_one", f"from workbook.output import page\nimport pandas as pd\n"
                   f"page.table(pd.DataFrame({{'product': ['{SCRIPT}']}}), caption='{SCRIPT}')")
    rendered = report.render(shop, as_of="2026-06")
    pages = [path.read_text(encoding="utf-8") for path in rendered.folder.rglob("*.html")]
    assert not [html for html in pages if SCRIPT in html]
    assert sum("&lt;script&gt;alert(1)" in html for html in pages) == len(pages)


def test_nothing_is_made_twice(book: Book, shop: Path) -> None:
    book("11_one")
    orders = shop.parent / "orders.csv"
    orders.write_text("a,b,c\n", encoding="utf-8")
    assert not report.render(shop, as_of="2026-06", lang="en").unchanged
    again = report.render(shop, as_of="2026-06", lang="en")
    assert again.unchanged and again.ok and again.index.exists()
    assert not report.render(shop, as_of="2026-06", lang="en", force=True).unchanged
    assert not report.render(shop, as_of="2026-05", lang="en").unchanged, "another period"
    orders.write_text("a,b,c\n1,2,2026-06-01\n", encoding="utf-8")
    assert not report.render(shop, as_of="2026-06", lang="en").unchanged, "a source changed"
    book("11_one", "run.find('x', 2)")
    assert not report.render(shop, as_of="2026-06", lang="en").unchanged, "a notebook changed"


def test_a_failed_report_is_made_again(book: Book, shop: Path) -> None:
    book("11_one", "1 / 0")
    assert not report.render(shop, as_of="2026-06", lang="en").ok
    assert not report.render(shop, as_of="2026-06", lang="en").unchanged


def test_languages_must_find_the_same(book: Book, shop: Path) -> None:
    book("11_one", "run.find('x', 1 if lang == 'en' else 2)")
    with pytest.raises(WorkbookError, match=r"others in zh than in en: 11_one\.x"):
        report.render(shop, as_of="2026-06")
    assert not list((shop.parent / "reports").iterdir()), "nothing is published, no draft is left"


def test_options_are_passed_on_and_unknown_ones_refused(book: Book, shop: Path) -> None:
    book("11_one", "run.find('bins', n_bins)", options='n_bins: int = 5  # bins')
    text = shop.read_text(encoding="utf-8")
    shop.write_text(text + "chapters: {11_one: {n_bins: 3}}\n", encoding="utf-8")
    assert findings_of(report.render(shop, as_of="2026-06", lang="en").folder)["11_one"]["bins"].value == 3
    notebooks = read_notebooks()
    for wrong, said in (({"11_one": {"n_bin": 3}}, "did you mean 'n_bins'"), ({"11_on": {}}, "did you mean '11_one'"),
                        ({"11_one": {"n_bins": "three"}}, "'three' is no int"),
                        ({"11_one": {"n_bins": True}}, "True is no int"),
                        ({"11_one": {"lang": "zh"}}, "no such option")):
        with pytest.raises(WorkbookError) as refused:
            check_options(notebooks, wrong)
        assert said in str(refused.value)


@pytest.mark.parametrize(("arguments", "said"), [
    (["--as-of", "junk"], "'junk' is no period"), (["--as-of", "2026-13"], "'2026-13' is no period"),
    (["--as-of", "2026-06", "--only", "99"], "no chapter '99'"), (["--lang", "de"], "'de' is no language"),
    (["--asof", "2026-06"], "No such option")])
def test_a_mistyped_call_is_refused(book: Book, shop: Path, arguments: list[str], said: str) -> None:
    book("11_one")
    result = CliRunner().invoke(app, ["render", "--settings", str(shop), *arguments])
    assert result.exit_code != 0
    assert said in result.output + str(result.exception)


def test_without_a_date_the_last_complete_period_is_told_by_what_arrived(book: Book, shop: Path) -> None:
    days = "[date(2026, 5, 30), date(2026, 7, 2)]"
    book("01_collection", "from datetime import date, datetime\n"
         "rows = {'ordered_on': " + days + ", 'arrived_at': [datetime(2026, 7, 3)] * 2}\n"
         "table = pa.table(rows)\n_ = run.keep('raw/orders', table)\nrun.find('rows_quarantined', 0)", makes=["raw/*"])
    book("11_one", "run.find('day', str(run.as_of))", needs=["raw/*"])
    # the sentence of 01 is the real chapter's: it asks for figures that this small one does not have
    source = notebooks_folder()
    (source / "01_collection.ipynb").rename(source / "01_arrivals.ipynb")
    rendered = report.render(shop, lang="en")
    assert rendered.folder.name == "2026-06"
    assert findings_of(rendered.folder)["11_one"]["day"].value == "2026-06-30"


def test_only_markdown_changes_with_the_language() -> None:
    known = next(text for text, found in i18n.catalog("zh").items() if isinstance(found, str) and text.startswith("# "))
    notebook = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_markdown_cell(known), nbformat.v4.new_markdown_cell("A cell nobody translated."),
        nbformat.v4.new_code_cell("x = 1")])
    copy = in_language(notebook, "zh")
    assert [cell.source for cell in copy.cells] == [i18n.catalog("zh")[known], "A cell nobody translated.", "x = 1"]
    assert notebook.cells[0].source == known, "the notebook itself stays as it is"


def test_the_trust_strip_doubts_a_period_that_outlasts_the_records(shop: Path) -> None:
    settings, record = load_settings(shop), {"rendered_at": "2026-07-02T10:00:00+00:00", "version": "1", "engine": "x"}
    i18n.use("en", "EUR")
    for newest, state in (("2026-06-09", "doubtful"), ("2026-06-30", "plain")):
        found = {"01_collection": {"newest_sale": Finding(newest, "date"), "rows_quarantined": Finding(0, "rows")}}
        strip = {item.name: item.state for item in words.trust(found, record, settings, period_of("2026-06"))}
        assert strip["Newest sale"] == state
        assert strip["Could not be read"] == "good"


def test_the_last_bit_of_a_sum_is_no_difference_between_languages(book: Book, shop: Path) -> None:
    """An engine with several threads adds floats in another order each time; a page shows none of it."""
    book("11_one", "run.find('x', 0.1 + 0.2 if lang == 'en' else 0.3)")
    assert report.render(shop, as_of="2026-06").ok


def test_one_chapter_of_a_new_workspace_collects_first(book: Book, shop: Path) -> None:
    """Nothing is there yet, not even the day up to which orders go: what the chapter needs is run before it."""
    book("11_collect", "from datetime import date, datetime\nrun.keep('raw/orders', pa.table({'order_id': ['a'], "
         "'ordered_on': [date(2026, 6, 30)], 'arrived_at': [datetime(2026, 7, 2)]}))", makes=["raw/*"])
    book("12_count", "run.find('day', run.as_of.isoformat(), unit='date')", needs=["raw/orders"])
    book("13_else")
    rendered = report.render(shop, only="12", lang="en")
    assert [outcome.chapter for outcome in rendered.outcomes] == ["11_collect", "12_count"]
    assert findings_of(rendered.folder)["12_count"]["day"].value == "2026-06-30"


def test_a_render_leaves_the_process_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with work._staying():
        os.chdir("/")  # as notebooks that run side by side may leave it
    assert Path.cwd() == tmp_path
