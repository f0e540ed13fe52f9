"""The committed sample is what the simulator writes, is small, is safe, and is declared as it is."""

import gzip
import json
import re
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pandas as pd
import phonenumbers
import pytest

from workbook.cleaning.synonyms import province
from workbook.data.dictionary import dictionary, with_dictionary
from workbook.data.errors import WorkbookError
from workbook.data.settings import Settings, load_settings
from workbook.data.simulate import write
from workbook.data.simulation import dirt, records
from workbook.data.simulation.catalog import REGIONS

COMMAND = re.compile(
    r"^workbook simulate --customers (\d+) --months (\d+) --seed (\d+) --out \S+ --format records$", re.M)


@pytest.fixture(scope="module")
def sample(repository: Path) -> Path:
    return repository / "data" / "sample"


@pytest.fixture(scope="module")
def settings(repository: Path) -> Settings:
    return load_settings(repository / "workbook.yaml")


@pytest.fixture(scope="module")
def again(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample, written by the command that its README states."""
    stated = COMMAND.search((sample / "README.md").read_text(encoding="utf-8"))
    assert stated is not None
    customers, months, seed = map(int, stated.groups())
    return write(tmp_path_factory.mktemp("again"), customers, months, seed, "records", progress=False)


def files(folder: Path) -> list[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name != "README.md" and not name.startswith("truth/"))


def content(path: Path) -> object:
    """What a file holds. Packed files are unpacked: how tightly they are packed is the library's affair."""
    match path.suffix:
        case ".gz":
            return gzip.decompress(path.read_bytes())
        case ".xlsx":
            with zipfile.ZipFile(path) as archive:
                return {name: archive.read(name) for name in archive.namelist()}
        case ".db":
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
                return list(connection.iterdump())
        case _:
            return path.read_bytes()


def test_the_stated_command_writes_the_sample(sample: Path, again: Path) -> None:
    assert files(sample) == files(again)
    for name in files(sample):
        assert content(sample / name) == content(again / name), name


def test_the_sample_is_small(sample: Path) -> None:
    assert sum(path.stat().st_size for path in sample.rglob("*") if path.is_file()) < 6_000_000


def test_the_readme_has_the_dictionary_of_the_schema(sample: Path) -> None:
    text = (sample / "README.md").read_text(encoding="utf-8")
    assert dictionary() in text and with_dictionary(text) == text
    assert "| `returned_at` | timestamp, UTC | When they came back | required |" in text
    with pytest.raises(WorkbookError, match="no place"):
        with_dictionary("nothing here")


def test_every_file_is_declared_and_every_declaration_has_its_file(sample: Path, settings: Settings) -> None:
    declared: set[str] = set()
    for source in settings.sources:
        place = source.path or source.url.get_secret_value().removeprefix("sqlite:///")
        found = {path.relative_to(sample).as_posix() for path in settings.folder.glob(place)}
        assert found, source.label
        declared |= found
    assert declared == set(files(sample))
    with closing(sqlite3.connect(f"file:{sample / 'crm.db'}?mode=ro", uri=True)) as connection:
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert there == {source.from_table for source in settings.sources if source.from_table}


def test_settings_name_every_header_and_word_of_the_records(settings: Settings) -> None:
    sources = {source.label: source for source in settings.sources}
    for label, headers in (("shop orders", records.LINE_HEADERS), ("customers", records.CUSTOMER_HEADERS),
                           ("products", records.PRODUCT_HEADERS), ("campaigns", records.CAMPAIGN_HEADERS),
                           ("channel costs", records.COST_HEADERS), ("web site", records.EVENT_KEYS)):
        assert sources[label].columns == {theirs: ours for ours, theirs in headers.items()}, label
    for label in ("shop orders", "customers"):
        for column, words in sources[label].values.items():
            assert words == {theirs: ours for ours, theirs in records.WORDS[column].items() if theirs in words}
            assert len(words) >= len(records.WORDS[column]) - (column == "occupation"), column


def test_settings_know_every_form_of_a_region_and_category(sample: Path, settings: Settings) -> None:
    lines = pd.concat(pd.read_csv(path, encoding="gb18030", dtype=str) for path in sorted(sample.glob("orders/*.csv")))
    customers = pd.read_excel(sample / "customers.xlsx", sheet_name="客户", dtype=str, engine="calamine")
    regions = {province(text) for text in {*lines["收货省份"], *customers["省份"].dropna()}}
    assert regions == {region[0] for region in REGIONS}
    categories = settings.cleaning.synonyms["category"]
    assert set(lines["类目"]) <= set(categories) | set(categories.values())


def test_settings_name_what_is_not_goods_and_who_is_no_customer(settings: Settings) -> None:
    assert settings.cleaning.non_products == (records.POSTAGE[0], records.PRICE_DIFFERENCE[0])
    assert settings.cleaning.test_customers == dirt.TEST_CUSTOMERS
    assert settings.cleaning.largest_identity < dirt.SHARED_PHONE_CUSTOMERS


def test_control_totals_are_those_of_the_books(again: Path, settings: Settings) -> None:
    books = json.loads((again / "truth" / "truth.json").read_text(encoding="utf-8"))["books"]
    assert settings.control_totals
    for control in settings.control_totals:
        booked = books["sales" if control.measure == "revenue" else "orders"][control.period]
        assert float(control.value) == pytest.approx(booked), control.period


def test_nobody_in_the_sample_can_be_called_or_written_to(sample: Path) -> None:
    customers = pd.read_excel(sample / "customers.xlsx", sheet_name="客户", dtype=str, keep_default_na=False,
                              engine="calamine")
    mails = customers.loc[customers["邮箱"] != "", "邮箱"].str.strip().str.lower()
    assert len(mails) > 2_000 and mails.str.fullmatch(r"[a-z]+\d+@example\.com").all()
    phones = customers.loc[customers["手机号"] != "", "手机号"]
    assert len(phones) > 2_000
    for phone in phones:
        parsed = phonenumbers.parse(phone, "CN")
        assert phonenumbers.is_valid_number(parsed)
        assert str(parsed.national_number) == dirt.SHARED_PHONE or str(parsed.national_number).startswith("1990000")


def test_the_sample_holds_no_markup(sample: Path) -> None:
    for path in sample.glob("orders/*.csv"):
        assert "<" not in path.read_bytes().decode("gb18030")
