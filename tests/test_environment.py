"""What notebook 00 looks at, one thing after the other, and how it says it."""

import sys
from collections import namedtuple
from pathlib import Path

import pytest
import yaml

from workbook.data import environment
from workbook.data.environment import Check
from workbook.data.settings import Settings, load_settings
from workbook.output import i18n
from workbook.output.words import start_here

STATES = ("ready", "missing", "optional")
CODES = ("python", "packages", "sources", "folder", "disk", "key", "postgres", "spark", "glyphs")


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    """Two sources: three monthly files of orders that lie there, and customers that do not."""
    for month in (1, 2, 3):
        (tmp_path / f"orders_2026-0{month}.csv").write_bytes(b"x" * 1000)
    return declare(
        tmp_path,
        sources=[
            {"table": "orders", "path": "orders_*.csv", "columns": {"who": "customer_id"}},
            {"table": "customers", "path": "customers.csv", "columns": {"tel": "phone", "no": "customer_id"}},
        ],
    )


def declare(folder: Path, **declared: object) -> Settings:
    file = folder / "workbook.yaml"
    file.write_text(yaml.safe_dump({"name": "Test shop", **declared}), encoding="utf-8")
    return load_settings(file)


def look(settings: Settings, code: str) -> Check:
    (found,) = [check for check in environment.check(settings, fonts=["DejaVu Sans"]) if check.code == code]
    return found


def test_everything_is_looked_at_once(shop: Settings) -> None:
    assert tuple(check.code for check in environment.check(shop, fonts=["Noto Sans SC"])) == CODES


def test_sources_are_counted_where_they_lie(shop: Settings) -> None:
    orders, customers = environment.arrivals(shop)
    assert (orders.files, orders.megabytes, orders.table) == (3, pytest.approx(0.003), "orders")
    assert (customers.files, customers.megabytes) == (0, 0)
    assert look(shop, "sources") == Check("sources", "missing", "1/2", "customers")


def test_patterns_may_hold_folders(tmp_path: Path) -> None:
    (tmp_path / "in" / "a").mkdir(parents=True)
    (tmp_path / "in" / "a" / "x.csv").write_text("1")
    settings = declare(tmp_path, sources=[{"table": "orders", "path": "in/*/*.csv"}])
    assert [arrival.files for arrival in environment.arrivals(settings)] == [1]


def test_a_database_is_named_by_its_kind_and_not_asked(tmp_path: Path) -> None:
    url = "postgresql://reader:${NO_SUCH_PASSWORD}@nowhere/shop"
    settings = declare(tmp_path, sources=[{"table": "orders", "url": url, "from_table": "orders"}])
    (arrival,) = environment.arrivals(settings)
    assert (arrival.place, arrival.files) == ("postgresql", None)
    assert look(settings, "sources").state == "ready"


def test_the_key_is_asked_for_with_the_first_personal_column(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKBOOK_KEY", raising=False)
    assert look(shop, "key") == Check("key", "missing", "", "customers")
    without = declare(shop.folder, sources=[{"table": "orders", "path": "orders_*.csv"}])
    assert look(without, "key").state == "optional"
    monkeypatch.setenv("WORKBOOK_KEY", "secret")
    assert look(shop, "key").state == "ready"
    assert "secret" not in repr(environment.check(shop, fonts=[]))


def test_a_package_of_another_version_is_named(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert look(shop, "packages").state == "ready"
    monkeypatch.setattr(environment, "requires", lambda _name: ["pandas>=3", "pandas<2", "no-such-package"])
    assert look(shop, "packages") == Check("packages", "missing", "1/3", "pandas<2, no-such-package")


def test_an_old_python_and_a_full_disk_are_told(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(environment.shutil, "disk_usage", lambda _folder: usage(9, 9, 10**9))
    assert look(shop, "disk") == Check("disk", "missing", "1.0", "2")
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    assert look(shop, "python") == Check("python", "missing", "3.10.4", "3.11")


def test_a_font_for_chinese(shop: Settings) -> None:
    assert look(shop, "glyphs").state == "missing"
    (*_rest, glyphs) = environment.check(shop, fonts=["Noto Sans SC", "DejaVu Sans"])
    assert glyphs == Check("glyphs", "ready", "Noto Sans SC")


def test_tables_that_would_switch_something_on(shop: Settings) -> None:
    absent = environment.absent_tables(shop)
    assert "products" in absent and "customers" not in absent
    assert "order_lines" not in absent, "lines and orders are derived from each other"


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("state", STATES)
def test_every_check_is_said_in_both_languages(lang: str, code: str, state: str) -> None:
    i18n.use(lang)
    try:
        before = set(i18n.untranslated)
        (row,) = start_here.check_rows([Check(code, state, "1/2", "x")]).to_dict("records")
        assert i18n.untranslated == before
        assert row["mark"] == start_here.MARKS[state] and row["what"]
        assert bool(row["mend"]) == (state != "ready")
        assert "{" not in row["mend"] + row["found"]
    finally:
        i18n.use("en")


def test_the_verdict_counts() -> None:
    ready, missing = Check("disk", "ready", "9"), Check("disk", "missing", "1", "2")
    assert start_here.verdict([ready, Check("spark", "optional", "")]).startswith("**This machine is ready.**")
    assert start_here.verdict([ready, missing]).startswith("**One thing")
    assert start_here.verdict([missing, missing]).startswith("**2 things")
