"""From the text that arrived to typed values: dates, numbers, yes and no, ids.

A column of text goes in, the typed column comes out with a reason code beside every value that
could not be read: nothing is guessed and nothing is dropped here. The work is done on the distinct
texts of a batch, in Arrow and NumPy, never cell by cell.

Some texts can only be judged with the rest of their column: whether 03/04/2026 is in March or in
April, whether 17850.0 is the id 17850. Each parse therefore also returns its `evidence`, a set of
short words; `Manner.after` turns the evidence of a whole source into the manner of reading it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbook.data.schema import ARROW, Column

MONEY = pa.decimal128(18, 4)
_FINE = pa.decimal128(38, 18)
# What other programs write for "nothing"; in free text only the database exports' own mark counts.
_BLANK = ("", "\\N", "NULL", "null", "Null", "NaN", "nan", "None", "N/A", "n/a", "#N/A", "NaT", "-", "--")
_BLANK_TEXT = ("", "\\N")
_TRUE = ("true", "t", "yes", "y", "1", "1.0", "on", "是", "真", "有", "已")
_FALSE = ("false", "f", "no", "n", "0", "0.0", "off", "否", "假", "无", "未")
_WIDE = str.maketrans({**{chr(0xFF01 + i): chr(0x21 + i) for i in range(94)}, "　": " ", "\u00a0": " ",
                       "\u202f": " ", "\u2009": " ", "\u2212": "-", "\ufeff": "", "\uffe5": "¥", "\uffe1": "£"})
# Signs and the currencies they may stand for; the first one is meant where none is the shop's own.
_SIGNS = {
    "¥": ("CNY", "JPY"), "元": ("CNY",), "RMB": ("CNY",), "$": ("USD", "AUD", "CAD", "NZD", "SGD", "HKD", "MXN", "TWD"),
    "US$": ("USD",), "HK$": ("HKD",), "NT$": ("TWD",), "€": ("EUR",), "£": ("GBP",), "₹": ("INR",), "₩": ("KRW",),
    "kr": ("SEK", "NOK", "DKK"), "Fr.": ("CHF",), "R$": ("BRL",), "zł": ("PLN",), "円": ("JPY",),
}
_CURRENCIES = ("CNY", "JPY", "USD", "AUD", "CAD", "NZD", "SGD", "HKD", "MXN", "TWD", "EUR", "GBP", "INR", "KRW", "SEK",
               "NOK", "DKK", "CHF", "BRL", "PLN", "CZK", "THB", "MYR", "IDR", "PHP", "VND", "AED", "ZAR", "TRY", "ILS")
_DATE = (
    r"^(?P<a>\d{1,4})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{1,4})"
    r"(?:[T ,]+(?P<before>[AaPp]\.?[Mm]\.? ?)?(?P<h>\d{1,2}):(?P<mi>\d{1,2})(?::(?P<s>\d{1,2})(?:[.,](?P<f>\d{1,9}))?)?"
    r" ?(?P<after>[AaPp]\.?[Mm]\.?)? ?(?P<zone>Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?$"
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_EXCEL_DAY_0 = np.datetime64("1899-12-30", "us")  # Excel's day 0, after its 29 February 1900 that never was
_MICROSECONDS_A_DAY = 86_400_000_000


class Parsed(NamedTuple):
    """One column, read."""

    values: pa.Array  # of the column's type; null where blank or not readable
    reasons: pa.Array  # string: why a value was not readable; null where it was
    rounded: pa.Array | None = None  # bool: the value had more than 4 decimals
    currency: pa.Array | None = None  # string: the foreign currency whose sign stood beside the number
    evidence: frozenset[str] = frozenset()  # what the texts say about their column


@dataclass(frozen=True)
class Manner:
    """How the texts of one column are to be read."""

    zone: str = "UTC"  # times without a zone are the shop's
    order: str = ""  # ymd, dmy, mdy: which comes first where a date leaves it open
    decimal_comma: bool = False
    currency: str = "XXX"  # the shop's; XXX: not said
    whole_ids: bool = True  # 17850.0 is 17850

    def after(self, evidence: Iterable[str], *, declared: str = "") -> Manner:
        """The manner that the evidence of the whole column calls for; a declared order is kept."""
        seen = set(evidence)
        found = "dmy" if "dmy" in seen else "mdy" if "mdy" in seen else ""
        return replace(self, order=declared or found, whole_ids="other id" not in seen)


def contradicts(evidence: Iterable[str], *, declared: str = "") -> str:
    """The code of what makes a column impossible to read as a whole, or "".

    >>> contradicts({"dmy", "mdy"}), contradicts({"either"}), contradicts({"either"}, declared="dmy")
    ('date_order_mixed', 'date_undecidable', '')
    """
    seen = set(evidence)
    if declared in ("dmy", "mdy"):
        return ""
    if {"dmy", "mdy"} <= seen:
        return "date_order_mixed"
    if "either" in seen and not {"dmy", "mdy"} & seen:
        return "date_undecidable"
    return "two_digit_year" if "two-digit year" in seen and not declared else ""


def is_id(column: Column) -> bool:
    return column.type == "string" and column.name.endswith("_id")


def parse(texts: pa.Array | pa.ChunkedArray, column: Column, manner: Manner) -> Parsed:
    """Read the texts of one canonical column.

    >>> from workbook.data.schema import TABLES
    >>> column = TABLES["orders"].by_name["amount"]
    >>> parsed = parse(pa.array(["1,234.50", "(3)", "x"]), column, Manner())
    >>> parsed.values.to_pylist(), parsed.reasons.to_pylist()
    ([Decimal('1234.5000'), Decimal('-3.0000'), None], [None, None, 'number'])
    """
    whole = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    return _on_distinct(whole, lambda distinct: _rule(column, manner)(distinct))


def _rule(column: Column, manner: Manner) -> Callable[[pa.Array], Parsed]:
    match column.type:
        case "timestamp" | "date":
            return lambda texts: _times(texts, manner, as_date=column.type == "date")
        case "decimal" | "float" | "int":
            return lambda texts: _numbers(texts, column.type, manner)
        case "bool":
            return _booleans
        case _:
            return (lambda texts: _ids(texts, manner)) if is_id(column) else _texts


def _on_distinct(texts: pa.Array, rule: Callable[[pa.Array], Parsed]) -> Parsed:
    coded = texts.dictionary_encode()
    once = rule(coded.dictionary)
    return Parsed(
        once.values.take(coded.indices),
        _take(once.reasons, coded.indices),
        None if once.rounded is None else once.rounded.take(coded.indices),
        None if once.currency is None else once.currency.take(coded.indices),
        once.evidence,
    )


def _take(reasons: pa.Array, indices: pa.Array) -> pa.Array:
    if reasons.null_count == len(reasons):
        return pa.nulls(len(indices), pa.string())
    return reasons.take(indices)


def _no_reasons(values: pa.Array) -> pa.Array:
    return pa.nulls(len(values), pa.string())


def _reasons(bad: pa.Array, code: str) -> pa.Array:
    return pc.if_else(pc.fill_null(bad, False), pa.scalar(code), pa.scalar(None, pa.string()))


def _tidy(texts: pa.Array, *, blank: tuple[str, ...] = _BLANK) -> pa.Array:
    """Trimmed, full-width characters as plain ones (not in free text), blank as null."""
    if blank is _BLANK and not pc.all(pc.string_is_ascii(texts)).as_py():
        texts = pa.array([None if text is None else text.translate(_WIDE) for text in texts.to_pylist()], pa.string())
    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.is_in(trimmed, pa.array(blank)), pa.scalar(None, pa.string()), trimmed)


def _texts(texts: pa.Array) -> Parsed:
    values = _tidy(texts, blank=_BLANK_TEXT)
    return Parsed(values, _no_reasons(values))


def _booleans(texts: pa.Array) -> Parsed:
    words = pc.utf8_lower(_tidy(texts))
    true, false = pc.is_in(words, pa.array(_TRUE)), pc.is_in(words, pa.array(_FALSE))
    values = pc.if_else(true, True, pc.if_else(false, False, pa.scalar(None, pa.bool_())))
    return Parsed(values, _reasons(pc.and_(pc.is_valid(words), pc.is_null(values)), "boolean"))


# --- ids ---------------------------------------------------------------------------------------


def _ids(texts: pa.Array, manner: Manner) -> Parsed:
    """Ids stay text. Excel's guards (`="0123"`, a leading apostrophe) are taken off."""
    ids = _tidy(texts)
    ids = pc.replace_substring_regex(ids, r'^="?([^"]*)"?$', r"\1")
    ids = pc.utf8_trim_whitespace(pc.utf8_ltrim(ids, "'"))
    ruined = pc.match_substring_regex(ids, r"^\d(?:[.,]\d+)?[eE]\+\d{2,}$")
    with_zero = pc.match_substring_regex(ids, r"^\d+\.0+$")
    other = pc.invert(pc.or_(pc.match_substring_regex(ids, r"^\d+$"), pc.or_(with_zero, ruined)))
    evidence = {word for word, seen in (("id.0", with_zero), ("other id", other)) if pc.any(seen).as_py()}
    if manner.whole_ids and "id.0" in evidence:
        ids = pc.replace_substring_regex(ids, r"^(\d+)\.0+$", r"\1")
    values = pc.if_else(ruined, pa.scalar(None, pa.string()), ids)
    return Parsed(values, _reasons(ruined, "id_ruined_by_excel"), evidence=frozenset(evidence))


# --- numbers -----------------------------------------------------------------------------------


def _numbers(texts: pa.Array, kind: str, manner: Manner) -> Parsed:
    plain = _tidy(texts)
    if kind == "decimal" and not manner.decimal_comma:
        try:
            values = pc.cast(plain, MONEY)
            return Parsed(values, _no_reasons(values))
        except pa.ArrowInvalid:
            return _numbers_as_written(plain, kind, manner)
    return _numbers_as_written(plain, kind, manner)


def _numbers_as_written(texts: pa.Array, kind: str, manner: Manner) -> Parsed:
    bare, currency, evidence = _without_sign(texts, manner)
    bare = pc.replace_substring_regex(bare, r"^\((.*)\)$", r"-\1")
    bare = pc.replace_substring_regex(bare, r"^([^-+].*)-$", r"-\1")
    point, group = (",", r"[. ']") if manner.decimal_comma else (r"\.", r"[, ']")
    plain = pc.match_substring_regex(bare, rf"^[-+]? ?\d*(?:{point}\d*)?(?:[eE][-+]?\d{{1,2}})?$")
    grouped = pc.match_substring_regex(bare, rf"^[-+]? ?\d{{1,3}}(?:{group}\d{{3}})+(?:{point}\d*)?$")
    digits = pc.match_substring_regex(bare, r"^[^eE]*\d")
    readable = pc.and_(digits, pc.or_(plain, grouped))
    comma = pc.match_substring_regex(bare, r"^[-+]? ?\d+,\d{1,2}$|^[-+]? ?\d{1,3}(?:\.\d{3})+,\d+$")
    numbers = pc.replace_substring_regex(bare, rf"{group}| ", "")
    numbers = pc.replace_substring_regex(numbers, ",", ".") if manner.decimal_comma else numbers
    numbers = _without_exponent(numbers)
    # Arrow's decimals hold 18 decimals here: longer tails of binary noise are cut before rounding.
    numbers = pc.replace_substring_regex(numbers, r"^([-+]?\d*\.\d{18})\d+", r"\1")
    numbers = pc.replace_substring_regex(numbers, r"^\+", "")
    too_large = pc.and_(readable, pc.match_substring_regex(numbers, r"^-?0*[1-9]\d{14,}|[eE]\+?(?:1[4-9]|[2-9]\d)$"))
    numbers = pc.if_else(pc.and_(readable, pc.invert(too_large)), numbers, pa.scalar(None, pa.string()))
    code = "number" if manner.decimal_comma else pc.if_else(comma, "decimal_comma", "number")
    none = pa.scalar(None, pa.string())
    reasons = pc.if_else(pc.fill_null(too_large, False), "number_too_large",
                         pc.if_else(pc.fill_null(pc.invert(readable), False), code, none))
    return _typed_number(numbers, reasons, kind)._replace(currency=currency, evidence=evidence)


def _without_exponent(numbers: pa.Array) -> pa.Array:
    """1.5E+3 → 1500; what is smaller than 18 decimals can hold is 0."""
    exponential = pc.fill_null(pc.match_substring_regex(numbers, r"^[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d{1,2}$"), False)
    if not pc.any(exponential).as_py():
        return numbers
    plain = [f"{Decimal(text):.18f}" for text in numbers.filter(exponential).to_pylist()]
    return pc.replace_with_mask(numbers, exponential, pa.array(plain, pa.string()))


def as_money(values: pa.Array) -> tuple[pa.Array, int]:
    """Decimals rounded to four places, null where they are too large for 18 digits; and how many were rounded."""
    rounded = pc.round(values, 4, round_mode="half_towards_infinity")
    too_large = pc.greater_equal(pc.abs(rounded), pa.scalar(Decimal(10) ** 14, pa.decimal128(19, 0)))
    fitting = pc.if_else(too_large, pa.scalar(None, rounded.type), rounded)
    return pc.cast(fitting, MONEY), pc.sum(pc.not_equal(rounded, values)).as_py() or 0


def _typed_number(numbers: pa.Array, reasons: pa.Array, kind: str) -> Parsed:
    if kind == "float":
        return Parsed(pc.cast(numbers, pa.float64()), reasons)
    fine = pc.cast(numbers, _FINE)
    if kind == "int":
        whole = pc.round(fine, 0)
        broken = pc.fill_null(pc.not_equal(whole, fine), False)
        values = pc.cast(pc.if_else(broken, pa.scalar(None, whole.type), whole), pa.int64())
        return Parsed(values, pc.if_else(broken, "not_whole", reasons))
    rounded = pc.round(fine, 4, round_mode="half_towards_infinity")
    return Parsed(pc.cast(rounded, MONEY), reasons, rounded=pc.fill_null(pc.not_equal(rounded, fine), False))


def _without_sign(texts: pa.Array, manner: Manner) -> tuple[pa.Array, pa.Array | None, frozenset[str]]:
    """Numbers without their currency sign, and which foreign currency the sign meant."""
    names = sorted([*_SIGNS, *_CURRENCIES], key=len, reverse=True)
    any_sign = "|".join(re.escape(name) for name in names)
    lead, trail = rf"^([-+(]?) ?(?P<sign>{any_sign}) ?", rf" ?(?P<sign>{any_sign})(\)?)$"
    found = pc.coalesce(
        pc.struct_field(pc.extract_regex(texts, rf"^[-+(]? ?(?P<sign>{any_sign})"), "sign"),
        pc.struct_field(pc.extract_regex(texts, rf"(?P<sign>{any_sign})\)?$"), "sign"),
    )
    if found.null_count == len(found):
        return texts, None, frozenset()
    meant = {sign: _meant(sign, manner.currency) for sign in pc.unique(found.drop_null()).to_pylist()}
    bare = pc.replace_substring_regex(texts, lead.replace("?P<sign>", "?:"), r"\1")
    bare = pc.replace_substring_regex(bare, trail.replace("?P<sign>", "?:"), r"\1")
    currency = pa.array([None if sign is None else meant[sign] for sign in found.to_pylist()], pa.string())
    return bare, currency, frozenset(f"sign {sign}" for sign in meant)


def _meant(sign: str, own: str) -> str | None:
    """The foreign currency of a sign; None where it may be the shop's own."""
    stands_for = _SIGNS.get(sign, (sign,))
    return None if own in (*stands_for, "XXX") else stands_for[0]


# --- dates and times ---------------------------------------------------------------------------


def _times(texts: pa.Array, manner: Manner, *, as_date: bool) -> Parsed:
    plain = _tidy(texts)
    try:
        local = pc.cast(plain, pa.timestamp("us"))
        return _placed(local, None, _no_reasons(local), frozenset(), manner, as_date=as_date)
    except pa.ArrowInvalid:
        return _times_as_written(plain, manner, as_date=as_date)


def _times_as_written(texts: pa.Array, manner: Manner, *, as_date: bool) -> Parsed:
    written = _to_separated(texts)
    parts = pc.extract_regex(written, _DATE)
    a, b, c = (_numbers_of(parts, name) for name in "abc")
    long_year_first = _lengths(parts, "a") == 4
    long_year_last = _lengths(parts, "c") == 4
    short = ~long_year_first & ~long_year_last & (a >= 0)
    first_is_day = (a > 12) & (b <= 12) & long_year_last
    second_is_day = (b > 12) & (a <= 12) & long_year_last
    either = (a <= 12) & (b <= 12) & (a != b) & long_year_last & (a >= 0)
    order = manner.order
    year_first = long_year_first | (short & (order == "ymd"))
    day_first = (long_year_last & (first_is_day | ((order == "dmy") & ~second_is_day))) | (short & (order == "dmy"))
    year = np.where(year_first, a, c)
    year = np.where(short, np.where(year < 69, 2000, 1900) + year, year)  # POSIX: 69–99 are 19xx
    month = np.where(year_first, b, np.where(day_first, b, a))
    day = np.where(year_first, c, np.where(day_first, a, b))
    local = _assembled(year, month, day, parts)
    against = (first_is_day & (order == "mdy")) | (second_is_day & (order == "dmy"))
    undecided = (either & (order not in ("dmy", "mdy"))) | (short & (order == ""))
    local = _put(local, against | undecided, np.datetime64("NaT"))
    offset = _offset_minutes(parts)
    serial, epoch = _excel_serials(texts), _epochs(texts)
    local = np.where(np.isnat(local), serial, local)
    local = np.where(np.isnat(local), epoch, local)
    offset = np.where(~np.isnat(epoch), 0.0, offset)
    bad = np.isnat(local) & pc.is_valid(texts).to_numpy(zero_copy_only=False)
    reasons = np.where(against, "date_order", np.where(undecided, "date_undecidable", "date"))
    words = {"dmy": first_is_day, "mdy": second_is_day, "either": either, "two-digit year": short}
    return _placed(
        pa.array(local.astype("datetime64[us]"), pa.timestamp("us")),
        offset if np.isfinite(offset).any() else None,
        pa.array(np.where(bad, reasons, None), pa.string()),
        frozenset(word for word, seen in words.items() if seen.any()),
        manner, as_date=as_date,
    )


def _placed(
    local: pa.Array, offset: np.ndarray | None, reasons: pa.Array, evidence: frozenset[str], manner: Manner, *,
    as_date: bool,
) -> Parsed:
    """Local times as UTC (`as_date`: times with a zone as the shop's date)."""
    first, last = pa.scalar(np.datetime64("1900-01-01", "us")), pa.scalar(np.datetime64("2200-01-01", "us"))
    far = pc.fill_null(pc.or_(pc.less(local, first), pc.greater_equal(local, last)), False)
    if pc.any(far).as_py():
        local = pc.if_else(far, pa.scalar(None, local.type), local)
        reasons = pc.if_else(far, "date_out_of_range", reasons)
    if as_date and offset is None:
        return Parsed(pc.cast(local, pa.date32(), safe=False), reasons, evidence=evidence)
    utc = _to_utc(local, manner.zone)
    if offset is not None:
        shifts = (np.nan_to_num(offset) * 60_000_000).astype("timedelta64[us]")
        shifted = pa.array(local.to_numpy(zero_copy_only=False) - shifts, pa.timestamp("us"))
        utc = pc.if_else(pa.array(np.isfinite(offset)), shifted, utc)
    values = local_dates(utc, manner.zone) if as_date else utc
    return Parsed(values, reasons, evidence=evidence)


def _to_utc(local: pa.Array, zone: str) -> pa.Array:
    """The earlier reading where clocks were put back; the hour after where they skipped one."""
    if zone == "UTC":
        return local
    placed = pc.assume_timezone(local, zone, ambiguous="earliest", nonexistent="latest")
    return pc.cast(pc.cast(placed, pa.timestamp("us", "UTC")), pa.timestamp("us"), safe=False)


def local_dates(utc: pa.Array, zone: str) -> pa.Array:
    """The shop's local date of UTC times without zone."""
    there = pc.local_timestamp(pc.cast(pc.assume_timezone(utc, "UTC"), pa.timestamp("us", zone)))
    return pc.cast(there, pa.date32(), safe=False)


def _to_separated(texts: pa.Array) -> pa.Array:
    """20260305, 2026年3月5日 15时5分, 5 Mar 2026 → digits with separators."""
    said = texts
    if not pc.all(pc.string_is_ascii(said)).as_py():
        for old, new in (("年", "-"), ("月", "-"), ("[日号] *", " "), ("[时点]", ":"), ("分", ":"), ("秒", ""),
                         ("上午|早上|凌晨", "AM "), ("下午|晚上|中午", "PM ")):
            said = pc.replace_substring_regex(said, old, new)
        said = pc.replace_substring_regex(said, r":(?: *)$", ":00")
        said = pc.utf8_trim_whitespace(pc.replace_substring_regex(said, r" +", " "))
    compact = r"^((?:19|20)\d{2})(0[1-9]|1[0-2])([0-3]\d)(?:\.0)?$"
    said = pc.replace_substring_regex(said, compact, r"\1-\2-\3")
    compact_time = r"^((?:19|20)\d{2})(0[1-9]|1[0-2])([0-3]\d)[T ]?([0-2]\d):?([0-5]\d):?([0-5]\d)?(Z?)$"
    said = pc.replace_substring_regex(said, compact_time, r"\1-\2-\3 \4:\5:\6\7")
    said = pc.replace_substring_regex(said, r":(Z?)$", r":00\1")
    if pc.any(pc.match_substring_regex(said, r"[A-Za-z]{3}")).as_py():
        for number, name in enumerate(_MONTHS, start=1):
            said = pc.replace_substring_regex(
                said, rf"(?i)^(\d{{1,2}})[- ]{name}[a-z]*\.?[- ,]+(\d{{4}})", rf"\2-{number:02d}-\1")
            said = pc.replace_substring_regex(
                said, rf"(?i)^{name}[a-z]*\.? +(\d{{1,2}}),? +(\d{{4}})", rf"\2-{number:02d}-\1")
    return said


def _numbers_of(parts: pa.StructArray, name: str) -> np.ndarray:
    """A captured number; -1 where there was none."""
    text = pc.struct_field(parts, name)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    return pc.fill_null(pc.cast(text, pa.int64()), -1).to_numpy(zero_copy_only=False)


def _lengths(parts: pa.StructArray, name: str) -> np.ndarray:
    return pc.fill_null(pc.utf8_length(pc.struct_field(parts, name)), 0).to_numpy(zero_copy_only=False)


def _assembled(year: np.ndarray, month: np.ndarray, day: np.ndarray, parts: pa.StructArray) -> np.ndarray:
    """Microsecond times; NaT where there is no such day or hour."""
    hour, minute, second = (_numbers_of(parts, name) for name in ("h", "mi", "s"))
    half = pc.fill_null(pc.utf8_lower(pc.coalesce(_filled(parts, "before"), _filled(parts, "after"))), "")
    half = pc.utf8_slice_codeunits(half, 0, 1).to_numpy(zero_copy_only=False)
    hour = np.where((half == "p") & (hour < 12) & (hour >= 0), hour + 12, hour)
    hour = np.where((half == "a") & (hour == 12), 0, hour)
    fraction = pc.fill_null(pc.utf8_slice_codeunits(pc.utf8_rpad(_filled(parts, "f"), 6, "0"), 0, 6), "0")
    years = (np.clip(year, 1, 9999) - 1970).astype("datetime64[Y]")
    months = years.astype("datetime64[M]") + (np.clip(month, 1, 12) - 1)
    days = months.astype("datetime64[D]") + (np.clip(day, 1, 31) - 1)
    real = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    real &= (days.astype("datetime64[M]") == months) & (hour < 24) & (minute < 60) & (second < 60)
    seconds = np.maximum(hour, 0) * 3600 + np.maximum(minute, 0) * 60 + np.maximum(second, 0)
    microseconds = seconds * 1_000_000 + pc.cast(fraction, pa.int64()).to_numpy(zero_copy_only=False)
    return _put(days.astype("datetime64[us]") + microseconds.astype("timedelta64[us]"), ~real, np.datetime64("NaT"))


def _filled(parts: pa.StructArray, name: str) -> pa.Array:
    text = pc.struct_field(parts, name)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)


def _offset_minutes(parts: pa.StructArray) -> np.ndarray:
    """Minutes east of Greenwich; nan where the text names no zone."""
    zone = _filled(parts, "zone")
    signed = pc.extract_regex(zone, r"^(?P<sign>[+-])(?P<h>\d{2}):?(?P<m>\d{2})?$")
    minutes = np.maximum(_numbers_of(signed, "h"), 0) * 60 + np.maximum(_numbers_of(signed, "m"), 0)
    west = pc.fill_null(pc.equal(pc.struct_field(signed, "sign"), "-"), False).to_numpy(zero_copy_only=False)
    named = pc.is_valid(zone).to_numpy(zero_copy_only=False)
    return np.where(named, np.where(west, -minutes, minutes).astype(float), np.nan)


def _excel_serials(texts: pa.Array) -> np.ndarray:
    """Days since Excel's day 0, for serials of 1950 to 2100, to the nearest millisecond."""
    serial = pc.match_substring_regex(texts, r"^(?:1[89]|[2-6]\d|7[0-3])\d{3}(?:\.\d+)?$")
    days = _floats(texts, serial)
    milliseconds = np.round(np.nan_to_num(days) * 86_400_000).astype("int64")
    return _put(_EXCEL_DAY_0 + milliseconds.astype("timedelta64[ms]").astype("timedelta64[us]"),
                np.isnan(days), np.datetime64("NaT"))


def _epochs(texts: pa.Array) -> np.ndarray:
    """Seconds (10 digits), milliseconds (13) or microseconds (16) since 1970, in UTC."""
    numeric = _floats(texts, pc.match_substring_regex(texts, r"^\d{10}(?:\.\d+)?$|^\d{13}$|^\d{16}$"))
    known = np.nan_to_num(numeric)
    scale = np.where(known >= 1e15, 1, np.where(known >= 1e12, 1_000, 1_000_000))
    return _put(np.round(known * scale).astype("int64").astype("datetime64[us]"), np.isnan(numeric),
                np.datetime64("NaT"))


def _floats(texts: pa.Array, mask: pa.Array) -> np.ndarray:
    chosen = pc.if_else(pc.fill_null(mask, False), texts, pa.scalar(None, pa.string()))
    return pc.fill_null(pc.cast(chosen, pa.float64()), np.nan).to_numpy(zero_copy_only=False)


def _put(values: np.ndarray, where: np.ndarray, value: object) -> np.ndarray:
    return np.where(where, value, values)


__all__ = ["ARROW", "MONEY", "Manner", "Parsed", "as_money", "contradicts", "is_id", "local_dates", "parse"]
