"""`workbook export` and `reveal` on a small shop with real names in its files, rendered by the command."""

from __future__ import annotations

import csv
import json
import random
import stat
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
import yaml
from typer.testing import CliRunner

from workbook import decisions
from workbook.cli import app
from workbook.data.errors import WorkbookError
from workbook.data.settings import load_settings
from workbook.decisions import audit
from workbook.output import export

KEY, OTHER_KEY = "a key for this shop alone, long enough", "another key, as long as the first"
YAML = f"""
name: Small shop
currency: CNY
time_zone: Asia/Shanghai
phone_country: CN
sources:
  - {{ table: orders, path: orders.csv }}
  - {{ table: customers, path: customers.csv }}
  - {{ table: consents, path: consents.csv }}
privacy:
  key: ${{WORKBOOK_KEY}}
  reveal: {{ Ana: {audit.account()}, Bob: nobody-of-that-name }}
"""
NAMES = {"k000": "=HYPERLINK(\"http://x\")", "k001": "@home", "k002": "-Dash", "k003": "张伟"}
WANTED = ["where:frequency >= 1", "--action", "call", "--owner", "Ana", "--cost", "2", "--effect", "300", "--anyway",
          "--as-of", "2026-06"]


class Shop(NamedTuple):
    """A rendered workspace, and what its files say of each customer."""

    folder: Path
    people: dict[str, tuple[str, str, str]]  # id → name, phone, mail


def write_sources(folder: Path) -> dict[str, tuple[str, str, str]]:
    """120 customers; the last one is the first one's second account (same phone); one in four gives no consent."""
    draw = random.Random(1)
    ids = [f"k{number:03}" for number in range(120)]
    people = {one: (NAMES.get(one, f"Person{one}"), f"+86138{number:04}{5678 - number:04}", f"{one}@private.example")
              for number, one in enumerate(ids)}
    people["k119"] = ("Second Account", people["k000"][1], "second@private.example")
    days = [date(2026, 6, 29) - timedelta(days=7 * week) for week in range(60)]
    orders = [(f"o{number}", draw.choice(ids), draw.choice(days), draw.randint(20, 200)) for number in range(900)]
    orders += [(f"p{number}", one, date(2026, 6, 29), 50) for number, one in enumerate(ids)]
    tables = {
        "orders": [("order_id", "customer_id", "ordered_at", "amount"), *orders],
        "customers": [("customer_id", "name", "phone", "mail"), *((one, *facts) for one, facts in people.items())],
        "consents": [("customer_id", "purpose", "granted", "changed_at"),
                     *((one, "mail", str(number % 4 > 0).lower(), "2026-01-01") for number, one in enumerate(ids))],
    }
    for name, rows in tables.items():
        with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows(rows)
    (folder / "workbook.yaml").write_text(YAML, encoding="utf-8")
    return people


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory, command: Callable[..., str]) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("small-shop")
    people = write_sources(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORKBOOK_KEY", KEY)
        command("render", "--only", "04", "--lang", "en", "--as-of", "2026-06", folder=folder)
        yield Shop(folder, people)


@pytest.fixture
def shop(rendered: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The shop with an empty account book."""
    monkeypatch.setenv("WORKBOOK_KEY", KEY)
    monkeypatch.chdir(rendered.folder)
    book = decisions.folder_of(load_settings(rendered.folder))
    yield rendered
    if book.exists():
        book.rename(book.with_name(f"decisions-of-{len(list(book.parent.iterdir()))}"))


def run(*arguments: str) -> str:
    """What the command prints; its error is raised."""
    ran = CliRunner().invoke(app, [*arguments, "--settings", "workbook.yaml"], catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return ran.output


def exported(shop: Shop, *options: str) -> decisions.Decision:
    run("export", *WANTED, *options)
    return decisions.registered(load_settings(shop.folder))[-1]


def rows_of(path: Path) -> list[list[str]]:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf"), "no BOM: Excel would read the Chinese wrongly"
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def test_the_command_says_and_registers_whom_to_contact(shop: Shop) -> None:
    told = run("export", *WANTED, "--offer", "10% off", "--code", "JULY")
    (one,) = decisions.registered(load_settings(shop.folder))
    # 119 people (k119 is k000 again); k000, k004, … gave no consent: 30 of them.
    assert (one.asked, one.removed) == (119, {"no_consent": 30}) and one.eligible == 89
    assert "Taken out: 30 (no consent to this channel 30)." in told and "a leaflet in every parcel" in told
    assert one.code == "JULY" and "Orders with the code JULY will tell who used the offer" in told
    assert "Prices between customers" in told and f"Registered: {one.id}" in told
    assert {"where:frequency >= 1", "2026-06", "rfm: frequency >= 1"} <= {
        one.list_name, one.period, f"{one.table}: {one.rule}"}
    about = (decisions.folder_of(load_settings(shop.folder), one.id) / "about-en.txt").read_text(encoding="utf-8")
    assert about.startswith(one.id) and "of 2026-06 (rfm: frequency >= 1), 119 customers." in about
    assert one.id in run("decisions") and "frequency >= 1" in run("decisions", one.id)
    with pytest.raises(WorkbookError, match=one.id):
        run("export", *WANTED, "--offer", "10% off")
    run("cancel", one.id, "--by", "Ana", "--why", "no stamps")
    assert "no stamps" in run("decisions", one.id) and "cancelled" in run("decisions")


@pytest.mark.parametrize("crm", export.crms())
def test_a_crm_gets_the_treated_under_its_own_headings_and_the_control_lies_apart(shop: Shop, crm: str) -> None:
    headings = {
        "salesforce": ["CampaignId", "ContactId", "Status"], "hubspot": ["Record ID"], "zoho": ["Record Id", "Tag"],
        "fxiaoke": ["客户名称", "备注"],
        "plain": ["customer_id", "campaign", "period", "channel", "action", "offer", "code"],
    }
    one = exported(shop, "--crm", crm, "--campaign", "701A")
    folder = decisions.folder_of(load_settings(shop.folder), one.id)
    first, *rows = rows_of(folder / f"{one.id}-{crm}.csv")
    people = decisions.members(load_settings(shop.folder), one.id).set_index("customer_id")["arm"]
    at = first.index({"salesforce": "ContactId", "hubspot": "Record ID", "zoho": "Record Id", "fxiaoke": "客户名称",
                      "plain": "customer_id"}[crm])
    assert first == headings[crm]
    assert {row[at] for row in rows} == set(people.index[people == "treated"]) and len(rows) == one.treated
    assert crm == "hubspot" or all("701A" in row for row in rows)
    assert {row[0] for row in rows_of(folder / "control-suppress.csv")[1:]} == set(people.index[people == "control"])


@pytest.mark.parametrize("crm", [name for name in export.crms() if name != "plain"])
def test_the_headings_of_a_crm_are_those_of_its_exports_and_their_source_is_named(crm: str, repository: Path) -> None:
    headers = yaml.safe_load((repository / "tests/exports/headers.yaml").read_text(encoding="utf-8"))
    known = {name.strip() for system, line in headers.items() if system.startswith(crm) for name in line.split(",")}
    told = export.crm(crm)
    # Columns of an import that no export has, each told of in the CRM's file.
    only_imported = {"CampaignId", "ContactId", "Tag", "备注", "姓名"}
    assert set(told.headings(revealed=True)) - only_imported - {"Status"} <= known
    declared = yaml.safe_load((repository / f"lib/workbook/output/crm/{crm}.yaml").read_text(encoding="utf-8"))
    assert declared["from"] and declared["not_verified"]


def test_cells_that_look_like_formulas_are_text() -> None:
    for cell in ("=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", " =1", "＝1", "=1\r\n=2"):
        made = export.harmless(cell)
        assert made[0] == "'" and "\n" not in made and "\r" not in made
    assert [export.harmless(cell) for cell in ("+86 138-1234", "138", "a=b", "", "'t Hart")] == [
        "0086 138-1234", "138", "a=b", "", "'t Hart"]


def test_who_may_see_them_gets_exactly_the_listed_people_and_the_log_says_so(shop: Shop, tmp_path: Path) -> None:
    one = exported(shop)
    told = run("reveal", one.id, "--by", "Ana", "--to", str(tmp_path / "names.csv"))
    first, *rows = rows_of(tmp_path / "names.csv")
    people = decisions.members(load_settings(shop.folder), one.id).query("arm == 'treated'")["customer_id"]
    assert f"{one.treated} of {one.treated}" in told and first[-3:] == ["name", "mail", "phone"]
    assert stat.S_IMODE((tmp_path / "names.csv").stat().st_mode) == 0o600
    assert {row[0]: (row[-3], row[-2]) for row in rows} == {
        name: (export.harmless(shop.people[name][0]), shop.people[name][2]) for name in people}
    assert all(row[-1] == shop.people[row[0]][1].replace("+", "00") for row in rows)
    assert not any(cell.startswith(tuple("=+-@")) for row in rows for cell in row)
    settings = load_settings(shop.folder)
    lines = [json.loads(line) for line in audit.audit_file(settings).read_text(encoding="utf-8").splitlines()]
    assert [(line["event"], line["customers"]) for line in lines] == [("asked", one.treated), ("revealed", one.treated)]
    assert {(line["by"], line["account"], line["decision"]) for line in lines} == {("Ana", audit.account(), one.id)}
    assert audit.broken_at(settings) is None


def test_an_account_that_was_merged_is_revealed_as_the_person(shop: Shop, tmp_path: Path) -> None:
    one = exported(shop, "--channel", "call")  # no consents for calls are on record, so that k000 is on it
    run("reveal", one.id, "--by", "Ana", "--to", str(tmp_path / "names.csv"))
    rows = {row[0]: row for row in rows_of(tmp_path / "names.csv")[1:]}
    arms = decisions.members(load_settings(shop.folder), one.id).set_index("customer_id")["arm"]
    assert "k119" not in arms.index and ("k000" in rows) == (arms["k000"] == "treated")
    assert "second@private.example" not in {cell for row in rows.values() for cell in row}


@pytest.mark.parametrize(("by", "what"), [("Eve", "has no right"), ("Bob", "is not who is logged in"), ("", "--by")])
def test_nobody_else_sees_them_and_the_attempt_is_on_record(shop: Shop, tmp_path: Path, by: str, what: str) -> None:
    one = exported(shop)
    with pytest.raises(WorkbookError, match=what):
        run("reveal", one.id, "--by", by, "--to", str(tmp_path / "names.csv"))
    assert not (tmp_path / "names.csv").exists()
    log = audit.audit_file(load_settings(shop.folder))
    told = [json.loads(line)["event"] for line in log.read_text("utf-8").splitlines()] if log.exists() else []
    assert told == (["refused"] if by else [])


def test_whoever_calls_themselves_somebody_else_is_not(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = exported(shop)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "nobody-of-that-name")
    with pytest.raises(WorkbookError, match="is not who is logged in"):
        run("reveal", one.id, "--by", "Bob", "--to", str(tmp_path / "names.csv"))


@pytest.mark.parametrize(("key", "what"), [(OTHER_KEY, "not the one"), ("", "WORKBOOK_KEY"), ("short", "shorter")])
def test_another_key_reveals_nobody(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, what: str
) -> None:
    one = exported(shop)
    monkeypatch.setenv("WORKBOOK_KEY", key) if key else monkeypatch.delenv("WORKBOOK_KEY")
    with pytest.raises(WorkbookError, match=what):
        run("reveal", one.id, "--by", "Ana", "--to", str(tmp_path / "names.csv"))
    assert not (tmp_path / "names.csv").exists()
    log = audit.audit_file(load_settings(shop.folder)).read_text("utf-8").splitlines()
    assert [json.loads(line)["event"] for line in log] == ["asked", "failed"]


def test_another_key_is_noticed_by_the_hashes_where_the_list_was_made_without_one(
    shop: Shop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WORKBOOK_KEY")
    one = exported(shop)
    assert one.key[2] == ""
    monkeypatch.setenv("WORKBOOK_KEY", OTHER_KEY)
    with pytest.raises(WorkbookError, match="not the one"):
        run("reveal", one.id, "--by", "Ana", "--to", str(tmp_path / "names.csv"))
    monkeypatch.setenv("WORKBOOK_KEY", KEY)
    run("reveal", one.id, "--by", "Ana", "--to", str(tmp_path / "names.csv"))


def test_names_are_written_neither_where_reports_lie_nor_over_a_file(shop: Shop, tmp_path: Path) -> None:
    one = exported(shop)
    (tmp_path / "there.csv").write_text("mine")
    for place in (shop.folder / "reports" / "x.csv", shop.folder / ".workbook" / "x.csv", tmp_path / "there.csv",
                  tmp_path / "nowhere" / "x.csv"):
        with pytest.raises(WorkbookError):
            run("reveal", one.id, "--by", "Ana", "--to", str(place))
    assert (tmp_path / "there.csv").read_text() == "mine"


def test_export_with_reveal_does_both_and_nothing_personal_stays_in_the_workspace(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="has no right"):
        run("export", *WANTED, "--reveal", "--by", "Eve", "--to", str(tmp_path / "names.csv"))
    assert decisions.registered(load_settings(shop.folder)) == ()
    run("export", *WANTED, "--crm", "hubspot", "--reveal", "--by", "Ana", "--to", str(tmp_path / "names.csv"))
    assert rows_of(tmp_path / "names.csv")[0] == ["Record ID", "Last Name", "Email", "Phone Number"]
    held = "\n".join(_text(path) for folder in (".workbook", "reports") for path in (shop.folder / folder).rglob("*")
                     if path.is_file())
    assert "k003" in held, "the ids themselves are the shop's own"
    for name, phone, mail in shop.people.values():
        for value in (name, phone, phone[3:], mail):
            assert value not in held


def _text(path: Path) -> str:
    """Everything that a file says; Parquet is unpacked."""
    if path.suffix != ".parquet":
        return path.read_bytes().decode("utf-8", errors="replace")
    with duckdb.connect() as con:
        return "\n".join(map(str, con.read_parquet(str(path)).fetchall()))


def test_a_line_that_was_changed_later_is_seen(shop: Shop, tmp_path: Path) -> None:
    one = exported(shop)
    for number in range(2):
        run("reveal", one.id, "--by", "Ana", "--to", str(tmp_path / f"{number}.csv"))
    settings = load_settings(shop.folder)
    log = audit.audit_file(settings)
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    log.write_text("".join([lines[0], lines[1].replace("Ana", "Eve"), *lines[2:]]), encoding="utf-8")
    assert audit.broken_at(settings) == 3
    log.write_text("".join(lines[:1] + lines[2:]), encoding="utf-8")
    assert audit.broken_at(settings) == 2
    assert CliRunner().invoke(app, ["decisions", "--settings", "workbook.yaml"]).exit_code == 1
