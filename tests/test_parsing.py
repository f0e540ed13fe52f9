"""Texts become values, and what cannot be read has a reason: every shape by hand, some by Python's own reading."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbook.data.parsing import Manner, Parsed, contradicts, parse
from workbook.data.schema import TABLES

ORDERS, LINES = TABLES["orders"].by_name, TABLES["order_lines"].by_name
TIME, DAY, MONEY, ID = ORDERS["ordered_at"], ORDERS["ordered_on"], ORDERS["amount"], ORDERS["customer_id"]


def read(column, *texts: str | None, **manner) -> Parsed:
    return parse(pa.array(texts, pa.string()), column, Manner(**manner))


def one(column, text: str, **manner):
    """The value of one text, or its reason."""
    parsed = read(column, text, **manner)
    reason = parsed.reasons[0].as_py()
    return parsed.values[0].as_py() if reason is None else reason


# --- dates and times ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2026-03-05", datetime(2026, 3, 5)),
        ("2026-03-05 14:05:06", datetime(2026, 3, 5, 14, 5, 6)),
        ("2026-03-05T14:05", datetime(2026, 3, 5, 14, 5)),
        ("2026-03-05 14:05:06.25", datetime(2026, 3, 5, 14, 5, 6, 250_000)),
        ("2026/3/5 4:05", datetime(2026, 3, 5, 4, 5)),
        ("2026.03.05", datetime(2026, 3, 5)),
        ("20260305", datetime(2026, 3, 5)),
        ("20260305140506", datetime(2026, 3, 5, 14, 5, 6)),
        ("2026年3月5日", datetime(2026, 3, 5)),
        ("2026年03月05日 14:05", datetime(2026, 3, 5, 14, 5)),
        ("2026年3月5日下午2:05", datetime(2026, 3, 5, 14, 5)),
        ("2026年3月5日14时5分6秒", datetime(2026, 3, 5, 14, 5, 6)),
        ("２０２６－０３－０５", datetime(2026, 3, 5)),
        ("13/03/2026", datetime(2026, 3, 13)),
        ("03/13/2026 2:05 PM", datetime(2026, 3, 13, 14, 5)),
        ("05/11/2016 12:00:00 AM", "date_undecidable"),
        ("5 Mar 2026", datetime(2026, 3, 5)),
        ("Mar 5, 2026 2:05 PM", datetime(2026, 3, 5, 14, 5)),
        ("40513.3517361111", datetime(2010, 12, 1, 8, 26, 30)),  # Excel shows 2010-12-01 08:26:30
        ("40513", datetime(2010, 12, 1)),
        ("1291191990", datetime(2010, 12, 1, 8, 26, 30)),
        ("1291191990000", datetime(2010, 12, 1, 8, 26, 30)),
        ("1291191990.5", datetime(2010, 12, 1, 8, 26, 30, 500_000)),
        ("5/5/2026", datetime(2026, 5, 5)),  # the same either way
        ("3/4/2026", "date_undecidable"),
        ("31/02/2026", "date"),
        ("2026-02-30", "date"),
        ("2026-13-01", "date"),
        ("25:00", "date"),
        ("2026-03-05 25:00", "date"),
        ("yesterday", "date"),
        ("2026", "date"),
        ("0001-01-01", "date_out_of_range"),
        ("9999-12-31", "date_out_of_range"),
    ],
)
def test_times_in_every_shape(text: str, meant: datetime | str) -> None:
    found = one(TIME, text)
    if isinstance(meant, datetime) and isinstance(found, datetime):
        assert abs(found - meant) < timedelta(milliseconds=10)
    else:
        assert found == meant


def test_declared_order_decides() -> None:
    assert one(TIME, "3/4/2026", order="dmy") == datetime(2026, 4, 3)
    assert one(TIME, "3/4/2026", order="mdy") == datetime(2026, 3, 4)
    assert one(TIME, "3/4/26", order="dmy") == datetime(2026, 4, 3)
    assert one(TIME, "26/4/3", order="ymd") == datetime(2026, 4, 3)
    assert one(TIME, "3/4/99", order="mdy") == datetime(1999, 3, 4)


def test_a_date_against_the_declared_order_has_a_reason() -> None:
    assert one(TIME, "13/03/2026", order="mdy") == "date_order"
    assert one(TIME, "03/13/2026", order="dmy") == "date_order"


def test_one_day_above_the_twelfth_decides_its_column() -> None:
    column = pa.array(["03/04/2026", "13/04/2026"])
    first = parse(column, TIME, Manner())
    assert first.reasons.to_pylist() == ["date_undecidable", None]
    assert contradicts(first.evidence) == ""
    again = parse(column, TIME, Manner().after(first.evidence))
    assert again.values.to_pylist() == [datetime(2026, 4, 3), datetime(2026, 4, 13)]


def test_evidence_that_contradicts_itself_or_is_absent_is_told() -> None:
    assert contradicts(read(TIME, "13/04/2026", "04/13/2026").evidence) == "date_order_mixed"
    assert contradicts(read(TIME, "03/04/2026", "2026-03-04").evidence) == "date_undecidable"
    assert contradicts(read(TIME, "03/04/26").evidence) == "two_digit_year"
    assert contradicts(read(TIME, "03/04/2026").evidence, declared="dmy") == ""
    assert contradicts(read(TIME, "2026-03-04", "20260304").evidence) == ""


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-03-05 12:00:00", datetime(2026, 3, 5, 4)),  # no zone: the shop's
        ("2026-03-05T12:00:00Z", datetime(2026, 3, 5, 12)),
        ("2026-03-05 12:00:00+00:00", datetime(2026, 3, 5, 12)),
        ("2026-03-05 12:00:00-0530", datetime(2026, 3, 5, 17, 30)),
        ("2026-03-05 12:00:00+08", datetime(2026, 3, 5, 4)),
        ("1772712000", datetime(2026, 3, 5, 12)),  # epochs are UTC
    ],
)
def test_times_become_utc(text: str, utc: datetime) -> None:
    assert one(TIME, text, zone="Asia/Shanghai") == utc
    assert read(TIME, text, "2020-01-01", zone="Asia/Shanghai").values[0].as_py() == utc  # also among other shapes


def test_local_date_of_a_time_with_a_zone() -> None:
    assert one(DAY, "2026-03-05T23:00:00Z", zone="Asia/Shanghai") == date(2026, 3, 6)
    assert one(DAY, "2026-03-05", zone="Asia/Shanghai") == date(2026, 3, 5)
    assert one(DAY, "2026-03-05 23:59", zone="America/New_York") == date(2026, 3, 5)


def test_hours_that_clocks_repeat_or_skip() -> None:
    assert one(TIME, "2026-10-25 01:30:00", zone="Europe/London") == datetime(2026, 10, 25, 0, 30)  # the first of two
    assert one(TIME, "2026-03-29 01:30:00", zone="Europe/London") == datetime(2026, 3, 29, 1, 0)  # there was none


@given(st.datetimes(datetime(1950, 1, 2), datetime(2090, 1, 1)), st.sampled_from(["dmy", "mdy", "iso", "cn"]))
def test_what_python_writes_is_read_back(moment: datetime, shape: str) -> None:
    moment = moment.replace(microsecond=0)
    text = moment.strftime({"dmy": "%d/%m/%Y %H:%M:%S", "mdy": "%m/%d/%Y %H:%M:%S", "iso": "%Y-%m-%dT%H:%M:%S",
                            "cn": "%Y年%m月%d日 %H时%M分%S秒"}[shape])
    zone = ZoneInfo("Asia/Shanghai")
    if moment.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        return  # an hour that clocks skipped
    found = one(TIME, text, zone="Asia/Shanghai", order=shape if shape in ("dmy", "mdy") else "")
    assert found == moment.replace(tzinfo=zone).astimezone(UTC).replace(tzinfo=None)


# --- numbers -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2.55", "2.55"), ("-2.55", "-2.55"), ("+3", "3"), (".5", "0.5"), ("5.", "5"), (" 7 ", "7"),
        ("1,234.50", "1234.50"), ("1,234,567", "1234567"), ("1 234.5", "1234.5"), ("1\u00a0234.5", "1234.5"),
        ("1'234.50", "1234.50"), ("(3)", "-3"), ("(1,234.50)", "-1234.50"), ("12-", "-12"), ("\u221212", "-12"),
        ("¥12.5", "12.5"), ("￥１２.50", "12.50"), ("12.5元", "12.5"), ("CNY 3", "3"), ("-¥5.20", "-5.20"),
        ("(¥5)", "-5"), ("１２３", "123"), ("1.5E+3", "1500"), ("99999999999999", "99999999999999"),
    ],
)  # fmt: skip
def test_numbers_in_every_shape(text: str, meant: str) -> None:
    assert one(MONEY, text, currency="CNY") == Decimal(meant)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x", "number"), ("12.5O", "number"), ("1,23,4", "number"), ("--5", "number"), (".", "number"),
        ("1.2.3", "number"), ("12,34", "decimal_comma"), ("1.234,50", "decimal_comma"),
        ("123456789012345", "number_too_large"), ("1E+20", "number_too_large"),
    ],
)  # fmt: skip
def test_what_is_no_number_has_a_reason(text: str, reason: str) -> None:
    assert one(MONEY, text) == reason


def test_decimal_comma_by_declaration() -> None:
    texts = ["12,5", "1.234,50", "1 234,5", "1.234", "-0,005"]
    values = read(MONEY, *texts, decimal_comma=True).values.to_pylist()
    assert values == [Decimal(text) for text in ("12.5", "1234.50", "1234.5", "1234", "-0.005")]
    assert one(MONEY, "12.5", decimal_comma=True) == "number"


def test_more_than_four_decimals_are_rounded_and_counted() -> None:
    parsed = read(MONEY, "1.23455", "1.2345", "-1.23455", "3.38999999999999968026", "0.00004")
    assert parsed.values.to_pylist() == [
        Decimal(text) for text in ("1.2346", "1.2345", "-1.2346", "3.3900", "0.0000")]
    assert parsed.rounded.to_pylist() == [True, False, True, True, True]


def test_a_foreign_sign_is_told() -> None:
    parsed = read(MONEY, "$5", "¥5", "5", "€1.5", "HK$2", currency="CNY")
    assert parsed.currency.to_pylist() == ["USD", None, None, "EUR", "HKD"]
    assert read(MONEY, "$5", currency="AUD").currency.to_pylist() == [None]  # may be the shop's own


def test_blank_is_nothing_and_no_error() -> None:
    for column in (TIME, DAY, MONEY, ID, LINES["line_no"], TABLES["products"].by_name["is_product"]):
        parsed = read(column, "", "  ", None, "NULL", "NaN", "\\N")
        assert parsed.values.null_count == 6
        assert parsed.reasons.null_count == 6


def test_free_text_keeps_words_that_look_like_nothing() -> None:
    assert read(LINES["product_name"], " Nan bread ", "null", "", "－").values.to_pylist() == [
        "Nan bread", "null", None, "－"]


def test_whole_numbers_and_truth_values() -> None:
    assert read(LINES["line_no"], "1", "2.0", "1,000").values.to_pylist() == [1, 2, 1000]
    assert one(LINES["line_no"], "2.5") == "not_whole"
    flags = read(TABLES["products"].by_name["is_product"], "是", "No", "TRUE", "0", "maybe")
    assert flags.values.to_pylist() == [True, False, True, False, None]
    assert flags.reasons.to_pylist() == [None, None, None, None, "boolean"]
    assert read(TABLES["events"].by_name["dwell_seconds"], "1,000.25").values.to_pylist() == [1000.25]


@given(st.decimals(min_value=-(10**13), max_value=10**13, places=4), st.booleans(), st.booleans())
def test_money_that_python_writes_is_read_back(amount: Decimal, grouped: bool, comma: bool) -> None:
    text = f"{amount:,f}" if grouped else f"{amount:f}"
    if comma:
        text = text.translate(str.maketrans(",.", ".,"))
    assert one(MONEY, text, decimal_comma=comma) == amount


@given(
    st.lists(st.text("0123456789.,-+eE/: ()TZ年月日¥$AaPpMm'\u00a0１", max_size=24) | st.text(max_size=9), max_size=12),
    st.sampled_from([TIME, DAY, MONEY, ID, LINES["line_no"], TABLES["events"].by_name["dwell_seconds"],
                     TABLES["products"].by_name["is_product"]]),
    st.sampled_from(["", "ymd", "dmy", "mdy"]), st.booleans(),
)  # fmt: skip
def test_no_text_breaks_a_column(texts: list[str], column, order: str, comma: bool) -> None:
    """Whatever arrives, each text has a value, or a reason, or is blank; its neighbours do not matter."""
    parsed = read(column, *texts, order=order, decimal_comma=comma)
    assert len(parsed.values) == len(parsed.reasons) == len(texts)
    for text, value, reason in zip(texts, parsed.values.to_pylist(), parsed.reasons.to_pylist(), strict=True):
        assert value is None or reason is None
        alone = read(column, text, order=order, decimal_comma=comma)
        assert (alone.values[0].as_py(), alone.reasons[0].as_py()) == (value, reason)


# --- ids ---------------------------------------------------------------------------------------


def test_ids_stay_text() -> None:
    assert read(ID, "00123", "A-7", '="0045"', "'0077", "\t88 ").values.to_pylist() == [
        "00123", "A-7", "0045", "0077", "88"]


def test_decimal_zero_leaves_only_where_the_whole_column_is_whole() -> None:
    whole = read(ID, "17850.0", "17851", "")
    assert "other id" not in whole.evidence
    assert whole.values.to_pylist() == ["17850", "17851", None]
    mixed = read(ID, "17850.0", "A1")
    again = read(ID, "17850.0", "A1", whole_ids=Manner().after(mixed.evidence).whole_ids)
    assert again.values.to_pylist() == ["17850.0", "A1"]


def test_an_id_ruined_by_excel_is_refused() -> None:
    parsed = read(ID, "1.23E+17", "4E+11", "12E4", "5E3X")
    assert parsed.reasons.to_pylist() == ["id_ruined_by_excel", "id_ruined_by_excel", None, None]
    assert parsed.values.to_pylist()[:2] == [None, None]
