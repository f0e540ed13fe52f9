"""The reader's language: translated text, and numbers, money and dates as that language writes them.

English text is the key of every translation. The Chinese of it lies in `locale/zh/*.po`, one file a chapter, read at
first use and merged. A text without a translation stays English and is remembered in `untranslated`.

    use("zh", currency="CNY")
    _("{n} customers").format(n=number(4338))        # '4,338 位客户'
"""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.pofile import read_po
from babel.numbers import (
    format_compact_currency,
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
    get_currency_symbol,
)

if TYPE_CHECKING:
    from workbook.data.periods import Period

LOCALES = {"en": "en", "zh": "zh_CN"}
HTML_LANGUAGE = {"en": "en", "zh": "zh-CN"}
OWN_NAME = {"en": "English", "zh": "中文"}
CATALOGS = Path(__file__).parent.parent / "locale"
NOTHING = "–"

Number = int | float | Decimal

untranslated: set[str] = set()
_speaking: dict[str, str] = {"lang": "en", "currency": ""}


def use(lang: str, currency: str | None = None) -> None:
    """Speak this language from now on, and write money in this currency (ISO code)."""
    if lang not in LOCALES:
        raise ValueError(f"unknown language {lang!r}: the workbook speaks {', '.join(LOCALES)}")
    _speaking["lang"] = lang
    if currency is not None:
        _speaking["currency"] = "" if currency == "XXX" else currency  # ISO 4217's own "no currency"


def lang() -> str:
    """The language in use: "en" or "zh"."""
    return _speaking["lang"]


def currency() -> str:
    """The currency in use, an ISO code, or "" when none was set."""
    return _speaking["currency"]


@cache
def catalog(language: str) -> dict[str, str | tuple[str, ...]]:
    """English text → translation, from all catalogs of a language."""
    found: dict[str, str | tuple[str, ...]] = {}
    for path in sorted((CATALOGS / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=LOCALES[language]):
                if message.id and message.string:
                    key = message.id[0] if isinstance(message.id, tuple | list) else message.id
                    text = message.string
                    found[key] = tuple(text.values()) if isinstance(text, dict) else (
                        tuple(text) if isinstance(text, tuple | list) else text)
    return found


def _(text: str) -> str:
    """The text in the reader's language."""
    if _speaking["lang"] == "en" or not text:
        return text
    found = catalog(_speaking["lang"]).get(text)
    if found is None:
        untranslated.add(text)
        return text
    return found if isinstance(found, str) else found[0]


def ngettext(one: str, many: str, n: int) -> str:
    """`one` or `many`, as the number asks for, in the reader's language (Chinese has one form)."""
    if _speaking["lang"] == "en":
        return one if n == 1 else many
    found = catalog(_speaking["lang"]).get(one)
    if found is None:
        untranslated.add(one)
        return one if n == 1 else many
    return found if isinstance(found, str) else found[0]


def locale() -> Locale:
    """Babel's locale of the language in use."""
    return _locale(_speaking["lang"])


@cache
def _locale(language: str) -> Locale:
    return Locale.parse(LOCALES[language])


def is_nothing(x: Any) -> bool:
    """Whether a value is missing: None, not a number, not a time."""
    return x is None or (isinstance(x, float) and math.isnan(x)) or (not isinstance(x, str) and x != x)


def number(x: Number | None, digits: int | None = None) -> str:
    """A number with thousands separated. Without `digits`: whole numbers whole, others to three figures or one decimal.

    >>> number(541909), number(0.1234), number(12.345), number(3.14159, 2), number(None)
    ('541,909', '0.123', '12.3', '3.14', '–')
    """
    if is_nothing(x):
        return NOTHING
    if digits is None:
        size = abs(float(x))
        digits = 0 if float(x).is_integer() or size >= 1000 else 1 if size >= 1 else 3
        return _signs(format_decimal(x, "#,##0." + "#" * digits if digits else "#,##0", locale=locale()))
    return _signs(format_decimal(x, "#,##0." + "0" * digits if digits else "#,##0", locale=locale()))


def _signs(text: str) -> str:
    """A real minus; and ¥ alone, as a report has one currency and says which."""
    return text.replace("-", "−").replace("CN¥", "¥")


def money(x: Number | None, digits: int | None = None) -> str:
    """An amount in the currency in use. Without `digits`: two decimals below a thousand, none from there on."""
    if is_nothing(x):
        return NOTHING
    if digits is None:
        digits = 0 if abs(float(x)) >= 1000 else 2
    pattern = "¤#,##0." + "0" * digits if digits else "¤#,##0"
    if not _speaking["currency"]:
        return number(x, digits)
    pattern = f"{pattern};-{pattern}"
    return _signs(format_currency(x, _speaking["currency"], pattern, locale=locale(), currency_digits=False))


def percent(x: Number | None, digits: int = 1) -> str:
    """A share (0.123) as per cent (12.3%)."""
    if is_nothing(x):
        return NOTHING
    return _signs(format_percent(x, "#,##0." + "0" * digits + "%" if digits else "#,##0%", locale=locale()))


def change(x: Number | None, digits: int = 1) -> str:
    """A relative change with its sign: 0.032 → +3.2%.

    >>> change(0.032), change(-0.5), change(0)
    ('+3.2%', '−50.0%', '0.0%')
    """
    if is_nothing(x):
        return NOTHING
    text = percent(abs(x), digits)
    return text if float(x) == 0 else ("+" if x > 0 else "−") + text


def compact(x: Number | None, unit: str = "number", extra: int = 0) -> str:
    """A number short enough for an axis: 1.2M, 120万; money with its sign, shares as per cent.

    Args:
        extra: decimals beyond the usual, where neighbours would look the same.
    """
    if is_nothing(x):
        return NOTHING
    if unit in {"share", "percent"}:
        return percent(x, extra if abs(round(float(x) * 100) - float(x) * 100) < 0.05 else 1 + extra)
    size = abs(float(x))
    digits = extra + (0 if size >= 100 or float(x).is_integer() else 1 if size >= 1 else 2)
    if unit == "money" and _speaking["currency"]:
        if size < 10_000:
            return money(x, digits)
        return _signs(format_compact_currency(x, _speaking["currency"], locale=locale(), fraction_digits=1 + extra))
    if size < 10_000:
        return number(x, digits)
    return _signs(format_compact_decimal(x, locale=locale(), fraction_digits=1 + extra))


def currency_sign() -> str:
    """How the currency in use is written: £, ¥, CN¥."""
    return _signs(get_currency_symbol(_speaking["currency"], locale=locale())) if _speaking["currency"] else ""


def date(day: dt.date | dt.datetime | None) -> str:
    """A day: 30 Jun 2026, 2026年6月30日."""
    if is_nothing(day):
        return NOTHING
    return format_date(day, "d MMM y" if lang() == "en" else "y年M月d日", locale=locale())


def moment(time: dt.datetime | None) -> str:
    """A day and a time of day, to the minute."""
    if is_nothing(time):
        return NOTHING
    return format_datetime(time, "d MMM y, HH:mm" if lang() == "en" else "y年M月d日 HH:mm", locale=locale())


def month(day: dt.date | None, short: bool = False) -> str:
    """A month: June 2026, 2026年6月; short for axes: Jun 26, 26年6月."""
    if is_nothing(day):
        return NOTHING
    if lang() == "en":
        return format_date(day, "MMM yy" if short else "MMMM y", locale=locale())
    return format_date(day, "yy年M月" if short else "y年M月", locale=locale())


def weekday(n: int) -> str:
    """The name of a weekday, short; 0 is Monday."""
    return locale().days["format"]["abbreviated"][n]


def period(p: Period) -> str:
    """A period for a heading: June 2026, Week 5 of 2026, Q1 2026; a part of one as its days."""
    if not p.is_whole:
        return _("{start} to {end}").format(start=date(p.start), end=date(p.end))
    if p.grain == "month":
        return month(p.start)
    year, week, _day = p.start.isocalendar()
    if p.grain == "week":
        return _("Week {week} of {year}").format(week=week, year=year)
    if p.grain == "quarter":
        return _("Q{quarter} {year}").format(quarter=(p.start.month + 2) // 3, year=p.start.year)
    return date(p.end)


def quantity(x: Any, unit: str = "number") -> str:
    """A value as its unit asks for, without the unit's name: money, share, days, date, rows…

    >>> quantity(0.5, "share"), quantity(4338, "customers"), quantity(None, "rows")
    ('50.0%', '4,338', '–')
    """
    if is_nothing(x):
        return NOTHING
    if isinstance(x, bool):
        return _("yes") if x else _("no")
    if isinstance(x, dt.datetime):
        return moment(x)
    if isinstance(x, dt.date):
        return date(x)
    if isinstance(x, str):
        return date(dt.date.fromisoformat(x[:10])) if unit == "date" else x
    if unit in {"share", "percent"}:
        return percent(x)
    if unit == "money":
        return money(x)
    return number(x)


def unit_name(unit: str, n: Number | None = None) -> str:
    """The word for a unit, to stand behind a number or on an axis; "" where the number says it already."""
    if unit == "money":
        return currency_sign()
    words = {
        "rows": lambda: ngettext("row", "rows", _count(n)), "customers": lambda: ngettext(
            "customer", "customers", _count(n)),
        "orders": lambda: ngettext("order", "orders", _count(n)), "days": lambda: ngettext("day", "days", _count(n)),
        "lines": lambda: ngettext("order line", "order lines", _count(n)),
        "files": lambda: ngettext("file", "files", _count(n)),
        "units": lambda: ngettext("unit", "units", _count(n)), "hours": lambda: ngettext("hour", "hours", _count(n)),
        "products": lambda: ngettext("product", "products", _count(n)),
        "months": lambda: ngettext("month", "months", _count(n)),
        "returns": lambda: ngettext("return", "returns", _count(n)),
        "sources": lambda: ngettext("source", "sources", _count(n)),
        "gates": lambda: ngettext("check", "checks", _count(n)),
        "visits": lambda: ngettext("visit", "visits", _count(n)),
        "segments": lambda: ngettext("segment", "segments", _count(n)),
    }
    return words[unit]() if unit in words else ""


def _count(n: Number | None) -> int:
    return 2 if n is None or n != 1 else 1
