"""The canonical tables: one definition a column, personal data gone before the store."""

import re

import pyarrow as pa
import pytest

from workbook.data.schema import ARROW, LINEAGE, TABLES, Table

NAMED_BY_THE_WORKBOOK = {
    "customers", "customer_attributes", "identities", "orders", "order_lines", "returns", "payments", "products",
    "subscriptions", "events", "contacts", "campaigns", "channel_costs", "referrals", "assignments", "outcomes",
    "survey_invitations", "survey_answers", "tickets", "mentions", "loyalty", "consents", "competitors", "panel",
    "opportunities",
}  # fmt: skip
ALL = pytest.mark.parametrize("table", TABLES.values(), ids=lambda table: table.name)


def test_every_table_is_there_under_its_own_name() -> None:
    assert set(TABLES) == NAMED_BY_THE_WORKBOOK
    assert all(name == table.name for name, table in TABLES.items())


@ALL
def test_columns_are_defined_once_and_fully(table: Table) -> None:
    names = [column.name for column in table.columns]
    assert len(names) == len(set(names)) and not set(names) & {column.name for column in LINEAGE}
    for column in table.columns:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)
        assert column.type in ARROW and column.meaning
        assert not column.meaning.endswith(".")
    assert table.row and table.switches_on


@ALL
def test_names_keep_their_promise(table: Table) -> None:
    """…_at is a moment, …_on a day, is_… a truth value, …_id text."""
    for column in table.columns:
        if column.name.endswith("_at"):
            assert column.type == "timestamp", column.name
        if column.name.endswith("_on"):
            assert column.type == "date", column.name
        if column.name.startswith("is_"):
            assert column.type == "bool", column.name
        if column.name.endswith("_id"):
            assert column.type == "string", column.name
        if column.unit == "currency":
            assert column.type == "decimal", column.name


@ALL
def test_personal_columns_are_text_and_never_stored(table: Table) -> None:
    stored = {column.name for column in table.stored}
    for column in table.personal:
        assert column.type == "string" and column.name not in stored
        assert set(column.becomes) <= stored, f"{column.name} becomes a column that is not stored"
        assert not column.required and not column.key


@ALL
def test_time_names_a_column_and_brings_a_local_date(table: Table) -> None:
    if not table.time:
        assert table.local_date == ""
        return
    assert table.time in table.by_name
    stored = {column.name: column.type for column in table.stored}
    assert stored[table.local_date] == "date"


@ALL
def test_arrow_schema_is_the_stored_columns_in_order(table: Table) -> None:
    assert table.arrow.names == [column.name for column in table.stored]
    assert table.arrow.names[-4:] == ["source_name", "source_file", "source_row", "arrived_at"]
    for column in table.stored:
        assert table.arrow.field(column.name).type == ARROW[column.type]


def test_money_has_four_decimals_and_times_no_zone() -> None:
    assert ARROW["decimal"] == pa.decimal128(18, 4)
    assert ARROW["timestamp"] == pa.timestamp("us")


def test_smallest_input_is_customer_time_amount() -> None:
    assert set(TABLES["orders"].required) == {"ordered_at", "amount"}
    assert "customer_id" not in TABLES["orders"].required, "a blank customer is an anonymous sale"
    assert TABLES["order_lines"].required == ()


def test_local_date_of_orders() -> None:
    assert TABLES["orders"].local_date == "ordered_on" and TABLES["contacts"].local_date == "sent_on"
    assert TABLES["products"].local_date == "valid_from"


def test_keys() -> None:
    assert TABLES["orders"].key == ("order_id",) and TABLES["order_lines"].key == ("order_id", "line_no")
    assert TABLES["customer_attributes"].key == ("customer_id", "attribute", "valid_from")


def test_every_class_of_personal_data_has_a_treatment() -> None:
    classes = {column.personal for table in TABLES.values() for column in table.personal}
    assert classes == {"name", "phone", "mail", "address", "birth_date", "text", "network"}
