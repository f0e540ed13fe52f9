"""workbook.yaml: every key typed and known, secrets read from the environment and shown nowhere."""

import logging
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from workbook.data import settings as module
from workbook.data.errors import WorkbookError, nearest
from workbook.data.settings import Settings, Source, find_settings, load_settings, secret

ORDERS = {"table": "orders", "path": "o.csv"}
SECRET = "hunter2-and-more"


def write(folder: Path, **declared: Any) -> Path:
    file = folder / "workbook.yaml"
    file.write_text(yaml.safe_dump({"name": "shop", "sources": [ORDERS], **declared}, allow_unicode=True), "utf-8")
    return file


def load(folder: Path, **declared: Any) -> Settings:
    return load_settings(write(folder, **declared))


def refusal(folder: Path, **declared: Any) -> str:
    with pytest.raises(WorkbookError) as error:
        load(folder, **declared)
    assert str(folder / "workbook.yaml") in str(error.value)
    return str(error.value)


# --- defaults and values -----------------------------------------------------------------------


def test_two_lines_are_enough(tmp_path: Path) -> None:
    shop = load(tmp_path)
    assert (shop.currency, shop.time_zone, shop.period, shop.languages) == ("XXX", "UTC", "month", ("en",))
    assert shop.folder == tmp_path and shop.store_folder == tmp_path / ".workbook"
    assert shop.reports_folder == tmp_path / "reports"
    assert shop.sources[0].load == "replace_file" and shop.sources[0].max_rejected_share == 0.01
    assert shop.cleaning.return_age_days == 30 and shop.privacy.smallest_cell == 5 and shop.engine.url == "duckdb"


def test_everything_that_can_be_declared(tmp_path: Path) -> None:
    shop = load(
        tmp_path, currency="CNY", rates=[{"currency": "USD", "rate": "7.1", "valid_from": date(2026, 1, 1)}],
        time_zone="Asia/Shanghai", phone_country="CN", period="quarter", base_period="2026-Q1",
        languages=["en", "zh"], calendar=[{"name": "双十一", "start": date(2026, 11, 11), "kind": "promotion"}],
        targets={"revenue": "1e6"},
        control_totals=[{"period": "2026-06", "measure": "revenue", "value": 100, "tolerance": 0.01}],
        cleaning={"rules": {"zero_amount": "keep"}, "non_products": ["POST"],
                  "synonyms": {"region": {"北京市": "北京"}}},
        chapters={"04_rfm": {"n_bins": 4}}, engine={"url": "spark", "memory": "8GB", "threads": 2},
        privacy={"key_id": "2", "smallest_cell": 10},
    )  # fmt: skip
    assert shop.rates[0].rate == Decimal("7.1") and shop.targets["revenue"] == Decimal("1e6")
    assert shop.calendar[0].end is None and shop.control_totals[0].table == "orders"
    assert shop.zone.key == "Asia/Shanghai" and shop.chapters["04_rfm"] == {"n_bins": 4}


def test_money_keeps_its_digits(tmp_path: Path) -> None:
    total = load(tmp_path, control_totals=[{"period": "all", "measure": "revenue", "value": "8911407.904"}])
    assert total.control_totals[0].value == Decimal("8911407.904")


# --- refusals ----------------------------------------------------------------------------------

PLACES: dict[str, tuple[type[BaseModel], Any]] = {
    "": (Settings, lambda extra: extra),
    "sources": (Source, lambda extra: {"sources": [{**ORDERS, **extra}]}),
    "rates": (module.Rate, lambda extra: {"rates": [{"currency": "USD", "rate": 1, **extra}]}),
    "calendar": (module.Occasion, lambda extra: {"calendar": [{"name": "x", "start": "2026-01-01", **extra}]}),
    "control_totals": (module.ControlTotal, lambda extra: {
        "control_totals": [{"period": "all", "measure": "rows", "value": 1, **extra}]}),
    "cleaning": (module.Cleaning, lambda extra: {"cleaning": extra}),
    "privacy": (module.Privacy, lambda extra: {"privacy": extra}),
    "engine": (module.Engine, lambda extra: {"engine": extra}),
    "notify": (module.Notify, lambda extra: {"notify": extra}),
    "notify.webhooks": (module.Webhook, lambda extra: {"notify": {"webhooks": [{"url": "https://x", **extra}]}}),
    "notify.mail": (module.Mail, lambda extra: {
        "notify": {"mail": {"server": "x", "sender": "a@b", "to": ["c@d"], **extra}}}),
}  # fmt: skip
KEYS = [(place, key) for place, (model, _) in PLACES.items()
        for key in model.model_fields if key not in ("folder", "file", "part")]


@pytest.mark.parametrize(("place", "key"), KEYS)
def test_misspelt_key_is_refused_with_the_nearest(tmp_path: Path, place: str, key: str) -> None:
    _, declare = PLACES[place]
    wrong = key[:-1] + "qq" if len(key) < 5 else key[:-2] + key[-1] + key[-2] + "q"
    said = refusal(tmp_path, **declare({wrong: 1}))
    assert f"{wrong}: unknown key" in said and key in said.split("unknown key", 1)[1]


@pytest.mark.parametrize("key", ["file", "folder"])
def test_workspace_paths_are_not_keys(tmp_path: Path, key: str) -> None:
    """They follow from where the file lies; a declared one would be passed over in silence."""
    file = write(tmp_path, **{key[:-1]: "x"})
    with pytest.raises(WorkbookError, match=f"{key[:-1]}: unknown key, (?!.*{key!r})"):
        load_settings(file)
    file.write_text(file.read_text("utf-8") + f"\n{key}: /elsewhere\n", "utf-8")
    with pytest.raises(WorkbookError, match=f"{key}: unknown key"):
        load_settings(file)


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"time_zone": "Europe/Lundon"}, "unknown time zone 'Europe/Lundon': did you mean 'Europe/London'"),
        ({"currency": "pounds"}, "'pounds' is no ISO 4217 code"),
        ({"period": "year"}, "'week', 'month' or 'quarter'"),
        ({"languages": ["de"]}, "'en' or 'zh'"),
        ({"sources": [{"table": "order", "path": "o.csv"}]}, "unknown table 'order': did you mean 'orders'"),
        ({"sources": [{"table": "orders"}]}, "either `path` or `url`"),
        ({"sources": [{"table": "orders", "path": "a", "url": "sqlite:///b"}]}, "either `path` or `url`"),
        ({"sources": [{**ORDERS, "columns": {"Sum": "amonut"}}]}, "column 'amonut' of orders: did you mean 'amount'"),
        ({"sources": [{**ORDERS, "columns": ["-", "ordered_ta"]}]}, "unknown column 'ordered_ta'"),
        ({"sources": [{**ORDERS, "values": {"stat": {"a": "b"}}}]}, "unknown column 'stat'"),
        ({"sources": [{**ORDERS, "constants": {"chanel": "web"}}]}, "did you mean 'channel'"),
        ({"sources": [{**ORDERS, "dates": "dym"}]}, "'dmy'"),
        ({"sources": [{**ORDERS, "load": "merge"}]}, "'append', 'replace_file', 'snapshot' or 'upsert'"),
        ({"sources": [{**ORDERS, "max_rejected_share": 2}]}, "less than or equal to 1"),
        ({"sources": [ORDERS, ORDERS]}, "two sources are called 'orders'"),
        ({"cleaning": {"rules": {"zero_amount": "delete"}}}, "'keep', 'flag' or 'drop'"),
        ({"control_totals": [{"period": "all", "measure": "profit", "value": 1}]}, "'revenue'"),
        ({"privacy": {"smallest_cell": 0}}, "greater than or equal to 1"),
        ({"rates": [{"currency": "USD", "rate": "seven"}]}, "rates.0.rate"),
    ],
)  # fmt: skip
def test_wrong_value_is_refused_with_its_place(tmp_path: Path, declared: dict[str, Any], says: str) -> None:
    assert says in refusal(tmp_path, **declared)


def test_all_wrong_entries_are_told_at_once(tmp_path: Path) -> None:
    said = refusal(tmp_path, curency="EUR", period="year", engine={"thread": 2})
    assert "has 3 wrong entries" in said
    assert "did you mean 'currency'" in said and "engine.thread: unknown key, did you mean 'threads'" in said


def test_broken_and_empty_files_are_told(tmp_path: Path) -> None:
    file = tmp_path / "workbook.yaml"
    file.write_text("name: [unclosed\n")
    with pytest.raises(WorkbookError, match="is not valid YAML"):
        load_settings(file)
    file.write_text("")
    with pytest.raises(WorkbookError, match="is empty"):
        load_settings(file)
    file.write_bytes("name: 商店".encode("gb18030"))
    with pytest.raises(WorkbookError, match="is no text in UTF-8"):
        load_settings(file)


def test_settings_cannot_be_changed_afterwards(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(tmp_path).currency = "EUR"


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3), max_leaves=8))
def test_whatever_yaml_holds_is_settings_or_a_refusal(tmp_path: Path, content: Any) -> None:
    file = tmp_path / "workbook.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(WorkbookError):
        load_settings(file)


# --- finding the file --------------------------------------------------------------------------


def test_file_is_found_from_the_folders_below(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path)
    below = tmp_path / "notebooks" / "deep"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert find_settings("workbook.yaml") == file
    assert find_settings(tmp_path) == file


def test_missing_file_names_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkbookError, match=r"no settings file 'shop\.yaml'") as error:
        find_settings("shop.yaml")
    assert "workbook new" in error.value.way_out


# --- secrets -----------------------------------------------------------------------------------


def test_secret_is_read_from_the_environment() -> None:
    value = SecretStr("postgresql://me:${DB_PASSWORD}@host/${DB}")
    assert secret(value, environment={"DB_PASSWORD": SECRET, "DB": "shop"}) == f"postgresql://me:{SECRET}@host/shop"
    with pytest.raises(WorkbookError, match="environment variable DB is not set"):
        secret(value, environment={"DB_PASSWORD": SECRET})


def test_secret_is_shown_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("DB_PASSWORD", SECRET)
    monkeypatch.setenv("WORKBOOK_KEY", SECRET)
    source = {"table": "orders", "url": "postgresql://me:${DB_PASSWORD}@host/shop", "from_table": "orders"}
    shop = load(tmp_path, sources=[source], privacy={"key": "plain " + SECRET})
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("any").warning("%s %r %s", shop, shop, shop.sources[0])
        secret(shop.sources[0].url)
    for text in (repr(shop), str(shop), shop.model_dump_json(), str(shop.model_dump()), caplog.text):
        assert SECRET not in text


def test_wrong_entry_beside_a_secret_does_not_show_it(tmp_path: Path) -> None:
    said = refusal(tmp_path, privacy={"key": SECRET, "keyid": "1"}, sources=[
        {"table": "orders", "url": f"postgresql://me:{SECRET}@host/x", "path": "also"}])
    assert SECRET not in said


def test_path_may_name_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATA", "/data/in")
    shop = load(tmp_path, sources=[{"table": "orders", "path": "${DATA}/o.csv"}])
    assert shop.path_of(shop.sources[0]) == "/data/in/o.csv"
    assert load(tmp_path).path_of(load(tmp_path).sources[0]) == str(tmp_path / "o.csv")


def test_label_falls_back_from_name_to_table_to_path() -> None:
    assert Source(table="orders", path="o.csv", name="web").label == "web"
    assert Source(table="orders", path="o.csv").label == "orders"
    assert Source(path="o.csv", known="shopify_orders").label == "shopify_orders"
    assert Source(path="o.csv").label == "o.csv"


def test_nearest_lists_all_where_nothing_is_near() -> None:
    assert nearest("zzz", ["b", "a"]) == "known: a, b"
