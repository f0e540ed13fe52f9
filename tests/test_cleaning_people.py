"""People behind ids, and one spelling a thing: by hand, reversible, and never too much."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbook.cleaning import customers, identities, synonyms
from workbook.data.engine import few_rows
from workbook.data.schema import TABLES

Make = Callable[..., ibis.Table]
on_duckdb = pytest.mark.parametrize("con", ["duckdb"], indirect=True)


NEVER_SEEN = pd.DataFrame({"raw_customer_id": [], "first_seen_on": []}).astype(
    {"raw_customer_id": str, "first_seen_on": "datetime64[us]"}
)


def raw(con: Any, make_table: Make, name: str, rows: list[dict[str, Any]]) -> ibis.Table:
    lineage = {"source_name": name, "source_file": "f", "arrived_at": datetime(2026, 1, 1)}
    records = [lineage | {"source_row": number} | row for number, row in enumerate(rows, start=2)]
    return make_table(con, pa.Table.from_pylist(records, schema=TABLES[name].arrow))


def person_of(found: pd.DataFrame) -> dict[str, str]:
    return dict(zip(found["raw_customer_id"], found["customer_id"], strict=True))


def test_shared_phone_and_mail_link_ids_in_a_chain(con: Any, make_table: Make) -> None:
    table = raw(con, make_table, "customers", [
        {"customer_id": "3", "phone_hash": "t1", "mail_hash": "m1"},
        {"customer_id": "1", "phone_hash": "t1"},
        {"customer_id": "2", "mail_hash": "m1"},
        {"customer_id": "9", "phone_hash": "t9"},
        {"customer_id": "9", "phone_hash": "t9"},  # the same id twice shares with nobody
        *({"customer_id": f"v{i}", "phone_hash": "virtual"} for i in range(4)),
    ])  # fmt: skip
    shared = pd.DataFrame(few_rows(identities.links(table, None)))
    found = identities.clusters(shared, largest=3)
    seen = pd.DataFrame({"raw_customer_id": ["1", "2", "3"], "first_seen_on": pd.to_datetime(
        ["2026-02-01", "2026-01-01", "2026-03-01"])})  # fmt: skip
    told = identities.persons(found, seen)
    assert person_of(told) == {"1": "2", "2": "2", "3": "2", "v0": "v0", "v1": "v1", "v2": "v2", "v3": "v3"}
    status = told.set_index("raw_customer_id")[["status", "reason", "ids"]].T.to_dict("list")
    assert (status["3"], status["v0"]) == (["merged", "mail+phone", 3], ["refused", "phone", 4])


def test_a_chain_of_small_groups_is_refused_when_it_grows_too_long() -> None:
    """Each mark is shared by two ids only, but six in a row are no person."""
    shared = pd.DataFrame([{"raw_customer_id": str(i + j), "kind": "phone", "mark": f"m{i}", "ids": 2}
                           for i in range(5) for j in (0, 1)])  # fmt: skip
    assert set(identities.clusters(shared, largest=5)["status"]) == {"refused"}
    assert set(identities.clusters(shared, largest=6)["status"]) == {"merged"}


def test_a_declared_id_links_but_never_takes_over_an_id_of_the_shop(con: Any, make_table: Make) -> None:
    shop = raw(con, make_table, "customers", [{"customer_id": "1"}, {"customer_id": "2"}])
    table = raw(con, make_table, "identities", [
        {"customer_id": "1", "system": "web", "external_id": "w-1"},
        {"customer_id": "1", "system": "crm", "external_id": "2"},
    ])  # fmt: skip
    ids = {row["raw_customer_id"] for row in few_rows(identities.links(shop, table))}
    assert ids == {"1", "w-1"}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5)), max_size=20), st.integers(1, 6))
def test_merging_is_reversible_and_repeats_itself(edges: list[tuple[int, int]], largest: int) -> None:
    table = pd.DataFrame(sorted(set(edges)), columns=["raw_customer_id", "mark"]).astype(str).assign(kind="phone")
    table["ids"] = table.groupby("mark")["raw_customer_id"].transform("nunique")
    found = identities.clusters(table[table["ids"] > 1], largest=largest)
    told = identities.persons(found, NEVER_SEEN)
    people = person_of(told)
    assert len(people) == len(told), "every id has one person, so that the way back is open"
    assert all(people[person] == person for person in people.values()), "a person is a person's own id"
    assert not len(told) or told[told["status"] == "merged"].groupby("customer_id").size().le(largest).all()
    shuffled = identities.clusters(table[table["ids"] > 1].sample(frac=1, random_state=1), largest=largest)
    again = identities.persons(shuffled, NEVER_SEEN)
    assert person_of(again) == people, "the order of rows does not matter"


def test_resolving_keeps_every_row(con: Any, make_table: Make) -> None:
    table = make_table(con, {"customer_id": ["1", "2", None, "7"], "amount": [1, 2, 3, 4]})
    merged = make_table(con, {"raw_customer_id": ["2"], "customer_id": ["1"]})
    rows = few_rows(identities.resolve(table, merged).order_by("amount"))
    assert [row["customer_id"] for row in rows] == ["1", "1", None, "7"]


def test_customers_hold_everyone_who_ordered_and_the_newest_record(con: Any, make_table: Make) -> None:
    orders = make_table(con, pa.table({
        "customer_id": ["1", "1", "ghost", None],
        "ordered_on": [date(2026, 3, 1), date(2026, 2, 1), date(2026, 5, 1), date(2026, 1, 1)]}))  # fmt: skip
    records = raw(con, make_table, "customers", [
        {"customer_id": "1", "city": "old", "registered_at": datetime(2026, 2, 20)},
        {"customer_id": "1", "city": None, "birth_year": 1890, "arrived_at": datetime(2026, 2, 1)},
        {"customer_id": "2", "city": "Xi'an", "birth_year": 2000},  # the same person as 1
        {"customer_id": "3", "birth_year": 1980},
    ])  # fmt: skip
    merged = make_table(con, {"raw_customer_id": ["2"], "customer_id": ["1"]})
    found = {row["customer_id"]: row for row in few_rows(customers.people(
        orders, records, merged=merged, test_customers=["3"], as_of=date(2026, 6, 30), youngest=10, oldest=110))}
    assert set(found) == {"1", "3", "ghost"}
    assert (found["1"]["city"], found["1"]["birth_year"]) == ("Xi'an", None), "what is open comes from the other id"
    assert (found["1"]["first_seen_on"], found["ghost"]["first_seen_on"]) == (date(2026, 2, 1), date(2026, 5, 1))
    assert [found[c]["is_test"] for c in ("1", "3")] == [False, True]


# --- spellings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["Beijing", "beijing", "北京", "北京市", " ＢＥＩＪＩＮＧ ", "Beijing City", "Peking"])
def test_one_province_under_all_its_names(text: str) -> None:
    assert synonyms.province(text) == "Beijing"


def test_all_provinces_are_known_with_and_without_suffix() -> None:
    assert len(set(synonyms.provinces().values())) == 34
    for text, name in {"内蒙古自治区": "Inner Mongolia", "新疆维吾尔自治区": "Xinjiang", "香港特别行政区": "Hong Kong",
                       "陕西省": "Shaanxi", "山西省": "Shanxi", "广西壮族自治区": "Guangxi"}.items():  # fmt: skip
        assert synonyms.province(text) == name


def test_the_same_letters_mean_another_place_elsewhere() -> None:
    assert synonyms.changes({"SC": 5, "CA": 9, "NY": 9}, "region", {}) == {}
    assert synonyms.changes({"SC": 5, "北京": 9}, "region", {}) == {"SC": "Sichuan", "北京": "Beijing"}


def test_declared_first_then_the_most_frequent_spelling() -> None:
    counts = {"Tea": 5, "tea ": 9, "茶": 1, "Gifts": 2}
    assert synonyms.changes(counts, "category", {"茶": "Tea"}) == {"tea ": "Tea", "茶": "Tea"}
    assert synonyms.changes({"web": 9, "WEB": 2, "Web": 2}, "channel", {}) == {"WEB": "web", "Web": "web"}


def test_spellings_are_unified_in_the_engine(con: Any, make_table: Make) -> None:
    table = make_table(con, {"region": ["北京市", "Beijing", None, "上海"], "note": ["北京市", "a", "b", "c"]})
    unified, done = synonyms.unify(table, {})
    rows = few_rows(unified)
    assert sorted(str(row["region"]) for row in rows) == ["Beijing", "Beijing", "None", "Shanghai"]
    assert "北京市" in [row["note"] for row in rows], "free text is left alone"
    assert done == {"region": {"北京市": "Beijing", "上海": "Shanghai"}}
    changed = table.filter(synonyms.changed(table, done))
    assert few_rows(changed.aggregate(n=changed.count())) == [{"n": 2}]
