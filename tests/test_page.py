"""What a notebook shows: data is text, columns line up, what is missing is said."""

import datetime as dt
from collections.abc import Iterator
from types import SimpleNamespace

import pandas as pd
import pytest

from workbook.data.findings import Finding
from workbook.output import i18n, page
from workbook.output.cards import Company

EVIL = '<script>alert("x")</script>'


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    i18n.use("en", "GBP")
    yield
    i18n.use("en", "")


def test_a_table_formats_each_column_by_its_kind() -> None:
    frame = pd.DataFrame({"name": ["Tea", "Cup"], "revenue": [1234.5, 2.0], "share": [0.5, None], "n": [3, 4],
                          "day": [dt.date(2026, 6, 30)] * 2, "left_out": [1, 2]})
    columns = {"name": "Product", "revenue": ("Revenue", "money"), "share": ("Share", "percent"), "n": "Orders",
               "day": ("Day", "date")}
    shown = page.table(frame, columns=columns, caption="Best")
    assert repr(shown).splitlines() == [
        "Best", "Product | Revenue | Share | Orders | Day", "Tea | £1,234 | 50.0% | 3 | 30 Jun 2026",
        "Cup | £2 | – | 4 | 30 Jun 2026"]
    assert "left_out" not in shown.html


def test_a_column_of_money_has_one_number_of_decimals() -> None:
    shown = page.table(pd.DataFrame({"m": [999.994, 2.5]}), columns={"m": ("Money", "money")})
    assert repr(shown).splitlines()[1:] == ["£999.99", "£2.50"]


@pytest.mark.parametrize("show", [
    lambda: page.table(pd.DataFrame({EVIL: [EVIL]}), caption=EVIL, note=EVIL), lambda: page.say(f"**bold** {EVIL}"),
    lambda: page.points([EVIL]), lambda: page.pending(EVIL, EVIL), lambda: page.warning(EVIL),
    lambda: page.Fragment(page.figure_card(EVIL, EVIL, Finding(EVIL), Company(Finding(EVIL))), ""),
])  # fmt: skip
def test_script_is_shown_as_text(show: object) -> None:
    html = show().html  # type: ignore[operator]
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_say_knows_bold_emphasis_and_code_only() -> None:
    assert page.say("**a** *b* `c` [d](javascript:e) 2 * 3 * 4").html == (
        '<p class="wb-say"><strong>a</strong> <em>b</em> <code>c</code> [d](javascript:e) 2 * 3 * 4</p>')
    assert "<strong>5</strong> of <strong>9</strong>" in page.say("**5** of **9**").html, "one character is bold too"


def test_long_tables_say_what_they_leave_out() -> None:
    shown = page.table(pd.DataFrame({"n": range(1000)}), most=10)
    assert "990 more rows are not shown." in shown.html
    assert shown.html.count("<tr>") == 11


def test_an_empty_table_says_so() -> None:
    assert "There is nothing to show here." in page.table(pd.DataFrame({"n": []})).html


def test_an_unknown_kind_of_column_is_refused() -> None:
    with pytest.raises(ValueError, match="monye"):
        page.table(pd.DataFrame({"n": [1]}), columns={"n": ("N", "monye")})


def test_a_card_compares_with_the_period_before() -> None:
    card = page.figure_card("02_cleaning", "rows_kept", Finding(110, "rows"), Company(Finding(100, "rows")))
    assert "▲ +10.0%" in card
    assert "<dt>Before</dt>" in card and ">100<" in card
    assert "<details" in card and "Rows" in card


def test_a_share_changes_by_points() -> None:
    card = page.figure_card("x", "y", Finding(0.25, "share"), Company(Finding(0.30, "share")))
    assert "▼ −5.0 points" in card


def test_a_first_period_has_nothing_to_compare_with() -> None:
    first = Finding(None, "rows", reason="no_previous")
    assert "no earlier period" in page.figure_card("x", "y", Finding(1, "rows"), Company(first))


def test_a_period_before_that_was_never_rendered_is_said() -> None:
    assert "has not been rendered" in page.figure_card("x", "y", Finding(1, "rows"))


def test_too_few_is_said_in_words() -> None:
    assert page.shown(Finding(None, "share", reason="too_few")) == "too few to tell"


def test_a_report_is_not_interactive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBOOK_REPORT", raising=False)
    assert page.interactive()
    monkeypatch.setenv("WORKBOOK_REPORT", "1")
    assert not page.interactive()


def test_named_results_are_shown_to_the_last() -> None:
    run = SimpleNamespace(chapter="x", findings={f"figure_{i}": Finding(i, "rows") for i in range(100)})
    shown = page.results(run)  # type: ignore[arg-type]
    assert "figure_99" in shown.html


def test_a_claim_says_what_it_rests_on() -> None:
    card = page.figure_card("07_ab_testing", "lift", Finding(0.1, "share", 0.05, 0.15, evidence="randomised"))
    assert "Randomised" in card and "5.0%" in card
    assert "wb-grade" not in page.figure_card("07_ab_testing", "lift", Finding(0.1, "share"))
    told = page.evidence("matched", "assumed")
    assert repr(told).splitlines()[1].startswith("Assumed: rests on a value")
    assert told.html.count("<p>") == 2
