"""Segment builder: what a filter means, what it refuses, and how it is kept."""

from datetime import date
from decimal import Decimal

import pyarrow as pa
import pytest

from workbook import segments
from workbook.data.errors import WorkbookError
from workbook.data.run import forget_scratch, open_run
from workbook.segments import Both, Condition, Not, Overlap, holds, listed, members, overlap, parse, save, saved, size


@pytest.fixture
def customers(con, make_table):
    return make_table(
        con,
        pa.table({
            "customer_id": ["a", "b", "c", "007"],
            "recency_days": pa.array([5, 40, 400, None], pa.int64()),
            "spend_12m": pa.array([Decimal(60), Decimal("39.5"), Decimal("0.5"), Decimal(0)], pa.decimal128(18, 4)),
            "segment": ["new", "loyal", "at_risk", "not_yet"],
            "last_ordered_on": pa.array([date(2026, 6, 25), date(2026, 5, 21), date(2025, 5, 26), None], pa.date32()),
            "region": ["East", "North East", None, "北京"],
            "is_vip": [True, False, False, True],
        }),
    )  # fmt: skip


def who(table, sentence):
    return sorted(members(table, parse(sentence)).to_pyarrow()["customer_id"].to_pylist())


@pytest.mark.parametrize(("sentence", "wanted"), [
    ("recency_days <= 40", ["a", "b"]),
    ("not recency_days <= 40", ["c"]),
    ("recency_days is empty", ["007"]),
    ("recency_days is not empty and spend_12m < 1", ["c"]),
    ("segment in (new, at_risk)", ["a", "c"]),
    ("segment not in (new, at_risk)", ["007", "b"]),
    ("segment = new or segment = loyal and recency_days > 100", ["a"]),
    ("(segment = new or segment = loyal) and recency_days < 100", ["a", "b"]),
    ("not (segment = new or is_vip = true)", ["b", "c"]),
    ("spend_12m >= 39.5", ["a", "b"]),
    ("last_ordered_on > 2026-05-21", ["a"]),
    ('region = "North East"', ["b"]),
    ("region contains East", ["a", "b"]),
    ("region = 北京", ["007"]),
    ("customer_id = 007", ["007"]),
    ("IS_VIP = yes".lower(), ["007", "a"]),
    ("recency_days ≥ 5 AND recency_days ≤ 40", ["a", "b"]),
    ("segment in （new，loyal）", ["a", "b"]),
    ("region != East", ["007", "b"]),
])  # fmt: skip
def test_who_is_meant(customers, sentence, wanted):
    assert who(customers, sentence) == wanted


def test_and_binds_closer_than_or():
    found = parse("a = 1 or b = 2 and not c = 3")
    assert found == Both("or", (Condition("a", "=", 1),
                                Both("and", (Condition("b", "=", 2), Not(Condition("c", "=", 3))))))


@pytest.mark.parametrize(("sentence", "complaint"), [
    ("recency_dais < 3", "did you mean 'recency_days'"),
    ("recency_days < many", "holds numbers"),
    ("last_ordered_on > 3", "holds dates"),
    ("last_ordered_on > 2026-13-45", "no date"),
    ("segment > new", "a more and a less"),
    ("recency_days contains 3", "looks into text"),
    ("is_vip = 3", "holds yes or no"),
    ("recency_days <", "ends too early"),
    ("recency_days < 3 segment = new", "not understood at 'segment'"),
    ("segment in new", "not understood at 'new'"),
    ("", "ends too early"),
    ("__import__('os').system('true')", "not understood"),
    ("recency_days < 3; drop", "not understood"),
    ('region = "East', "not understood"),
])  # fmt: skip
def test_what_is_refused(customers, sentence, complaint):
    with pytest.raises(WorkbookError, match=complaint):
        holds(customers, parse(sentence))


def test_quotes_in_a_value_are_only_text(customers):
    assert who(customers, """region = "x' OR '1'='1" """) == []


def test_size_and_overlap(customers):
    found = size(customers, parse("recency_days <= 40"))
    assert (found.customers, found.share, found.spend_12m, found.spend_share) == (2, 0.5, 99.5, 0.995)
    assert overlap(customers, parse("recency_days <= 40"), parse("is_vip = true")) == Overlap(1, 1, 1)
    empty = customers.filter(customers.customer_id == "nobody")
    assert size(empty, parse("recency_days <= 40")) == (0, None, 0, None)


def test_the_list_begins_with_who_spent_most(customers):
    found = listed(customers, "recency_days is not empty", columns=["segment"]).to_pyarrow()
    assert found.column_names == ["customer_id", "segment"]
    assert found["customer_id"].to_pylist() == ["a", "b", "c"]


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "orders.csv").write_text("customer,day,amount\n")
    (tmp_path / "workbook.yaml").write_text("name: A shop\nsources:\n  - {table: orders, path: orders.csv}\n")
    return str(tmp_path / "workbook.yaml")


def test_a_saved_segment_outlives_the_scratch_and_the_month(shop, customers):
    run = open_run("04_rfm", settings=shop, as_of="2026-06")
    assert save(run, " Lapsed 沉睡客户 ", "recency_days > 180", table=customers) == "Lapsed 沉睡客户"
    forget_scratch(run.settings)
    assert saved(open_run("04_rfm", settings=shop, as_of="2026-07")) == {"Lapsed 沉睡客户": "recency_days > 180"}


@pytest.mark.parametrize("name", ["", "../../secrets", "a/b", ".hidden", "x" * 61, "a\nb"])
def test_names_that_no_file_should_have(shop, customers, name):
    with pytest.raises(WorkbookError, match="cannot be called"):
        save(open_run("04_rfm", settings=shop, as_of="2026-06"), name, "recency_days > 180", table=customers)


def test_a_filter_that_does_not_fit_is_not_saved(shop, customers):
    run = open_run("04_rfm", settings=shop, as_of="2026-06")
    with pytest.raises(WorkbookError, match="did you mean"):
        save(run, "typo", "recency_day > 180", table=customers)
    assert saved(run) == {}


def test_the_module_runs_nothing():
    with open(segments.__file__, encoding="utf-8") as file:
        source = file.read()
    assert "eval(" not in source and "exec(" not in source and "raw_sql" not in source
