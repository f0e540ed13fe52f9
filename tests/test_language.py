"""Both languages: every text has its Chinese, none is left over, and numbers look as each language writes them."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import pytest

from workbook.data.periods import period_of
from workbook.output import i18n, messages
from workbook.output.messages import Text, Translation


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    i18n.use("en", "")


def test_everything_is_translated_and_nothing_else() -> None:
    used, known = list(messages.texts()), list(messages.translations())
    assert len(used) > 500
    assert messages.problems(used, known) == []
    assert messages.stale(used, known, messages.every_literal()) == []


def test_each_kind_of_problem_is_found() -> None:
    used = [Text("One", "a.py"), Text("Two {n}", "a.py"), Text("Three", "b.py"), Text("Four", "b.py")]
    known = [
        Translation("Two {n}", "Two {n}", "两个", "a.po"),
        Translation("Three", "Three", "", "b.po"),
        Translation("Four", "Four", "四", "b.po"),
        Translation("Four", "Four", "肆", "c.po"),
        Translation("Five", "Five", "五", "c.po"),
    ]
    told = messages.problems(used, known)
    assert [line.split(":")[0] for line in told] == [
        "not translated, a.py", "a.po changes placeholders", "b.po leaves empty", "b.po and c.po translate differently"]
    assert messages.stale(used, known) == ["c.po translates what stands nowhere: 'Five'"]
    assert messages.stale(used, known, ["Five"]) == []


def test_texts_are_found_in_code() -> None:
    source = '%matplotlib inline\nx = _("a") + i18n._("b") + _("c" if x else "d")\nngettext("e", "es", n)\nother("f")'
    assert sorted(messages.in_code(source)) == ["a", "b", "c", "d", "e"]


def test_plural_may_name_what_the_singular_does_not() -> None:
    used = [Text("One file", "a.py")]
    assert messages.problems(used, [Translation("One file", "{n} files", "{n} 个文件", "a.po")]) == []
    assert messages.problems(used, [Translation("One file", "{n} files", "几个文件", "a.po")]) != []


@pytest.mark.parametrize(
    ("lang", "currency", "expected"),
    [
        ("en", "GBP", ["8,911,408", "£8,911,408", "−£12.50", "12.3%", "+3.2%", "30 Jun 2026", "June 2026", "£1.2M"]),
        ("zh", "CNY",
         ["8,911,408", "¥8,911,408", "−¥12.50", "12.3%", "+3.2%", "2026年6月30日", "2026年6月", "¥123.5万"]),
        ("en", "XXX", ["8,911,408", "8,911,408", "−12.50", "12.3%", "+3.2%", "30 Jun 2026", "June 2026", "1.2M"]),
    ],
)
def test_numbers_money_and_dates(lang: str, currency: str, expected: list[str]) -> None:
    i18n.use(lang, currency)
    day = dt.date(2026, 6, 30)
    assert [
        i18n.number(8911407.904, 0), i18n.money(Decimal("8911407.904")), i18n.money(Decimal("-12.5")),
        i18n.percent(0.123), i18n.change(0.032), i18n.date(day), i18n.month(day), i18n.compact(1234567, "money"),
    ] == expected  # fmt: skip


@pytest.mark.parametrize(
    ("written", "grain", "english", "chinese"),
    [
        ("2026-06", "month", "June 2026", "2026年6月"),
        ("2026-W05", "week", "Week 5 of 2026", "2026年第5周"),
        ("2026-Q1", "quarter", "Q1 2026", "2026年第1季度"),
        ("2011-12-09", "month", "1 Dec 2011 to 9 Dec 2011", "2011年12月1日至2011年12月9日"),
    ],
)
def test_periods(written: str, grain: str, english: str, chinese: str) -> None:
    period = period_of(written, grain)
    assert i18n.period(period) == english
    i18n.use("zh")
    assert i18n.period(period) == chinese


def test_nothing_is_a_dash_not_nan() -> None:
    for write in (i18n.number, i18n.money, i18n.percent, i18n.change, i18n.date, i18n.month, i18n.compact):
        assert write(None) == i18n.NOTHING
    assert i18n.number(float("nan")) == i18n.NOTHING


def test_a_text_without_translation_stays_english_and_is_remembered() -> None:
    i18n.use("zh")
    assert i18n._("never translated, as only this test says it") == "never translated, as only this test says it"
    assert "never translated, as only this test says it" in i18n.untranslated
    i18n.untranslated.clear()


def test_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="fr"):
        i18n.use("fr")
