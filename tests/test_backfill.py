"""Many periods in one call, in whatever order; what was first published stays, and a changed period says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbook.cli import app
from workbook.data.errors import WorkbookError
from workbook.data.findings import Finding, read_findings
from workbook.data.periods import period_of
from workbook.data.publications import approvals, first_edition, first_published
from workbook.data.settings import load_settings
from workbook.data.store import Store
from workbook.output import report
from workbook.output.report import restatements
from workbook.output.report.backfill import Filled, Plan, back_fill

SETTINGS = """
name: Corner shop
currency: EUR
languages: [en]
sources:
  - {table: orders, path: "orders-*.csv", columns: {nr: order_id, who: customer_id, day: ordered_at, paid: amount},
     load: append}
  - {table: returns, path: "returns*.csv", dates: ymd}
"""
COLLECT = "from workbook.collection import collect\ncollect(run.settings, run.store, progress=False)"
CLEAN = "from workbook import cleaning\ncleaning.clean(run)"
PROFILE = """from workbook.data.engine import few_rows
from workbook.profiling import activity, figures
orders = run.table("clean/orders")
[row] = few_rows(activity.totals(activity.within(orders, run.period)))
[new] = few_rows(activity.newcomers(orders, run.period))
for figure in figures.of_activity(row, new_customers=new["customers"]):
    run.find(**figure._asdict())
run.find("revenue_change", None, unit="money", reason="no_previous")
last = run.previous("net_revenue")
run.find("told_before", last and last.value, unit="money", reason="" if last else "no_previous")
run.keep("profile/customers", run.table("clean/customers"))
"""
JANUARY = ("1,ann,2026-01-05,100", "2,bob,2026-01-20,50.5", "3,cid,2026-01-31,20")
FEBRUARY = ("4,ann,2026-02-03,40", "5,dan,2026-02-28,60.25")
MARCH = ("6,bob,2026-03-02,9",)


def shop_in(folder: Path, **files: tuple[str, ...]) -> Path:
    """A shop's settings file, and files of its orders."""
    folder.mkdir()
    settings = folder / "workbook.yaml"
    settings.write_text(SETTINGS, encoding="utf-8")
    (folder / "returns.csv").write_text("return_id,order_id,returned_at,amount\nr0,none,2026-01-02,0\n")
    for name, rows in files.items():
        arrives(folder, name, *rows)
    return settings


def arrives(folder: Path, name: str, *rows: str) -> None:
    (folder / f"orders-{name}.csv").write_text("\n".join(["nr,who,day,paid", *rows]) + "\n")


@pytest.fixture
def chapters(book: Callable[..., None]) -> None:
    """The first chapters without their words: collect, clean, count."""
    book("01_collection", COLLECT, makes=["raw/*"])
    book("02_cleaning", CLEAN, needs=["raw/*"], makes=["clean/*"])
    book("03_profiling", PROFILE, needs=["clean/orders", "clean/customers"], makes=["profile/customers"])


def found(settings: Path, label: str) -> dict[str, Finding]:
    return read_findings(settings.parent / "reports" / label / "findings.json")["03_profiling"]


def content(settings: Path, label: str) -> dict[str, str]:
    """The tables of a period: name → hash of their rows; without those that count what was cut since it came later."""
    store = Store(load_settings(settings).store_folder)
    names = {name.removeprefix(f"{period_of(label).end}/"): name for name in store.names()}
    kept = {"clean/orders", "clean/order_lines", "clean/customers", "clean/returns", "clean/identities",
            "profile/customers"} & names.keys()
    assert len(kept) == 6
    return {name: store.entry(names[name]).content for name in sorted(kept)}


def page(settings: Path, label: str) -> str:
    """The first page, without the signs that keep a line together."""
    return (settings.parent / "reports" / label / "en" / "index.html").read_text(encoding="utf-8").replace("\u2060", "")


# --- the real chapters' work, on a shop of six orders -----------------------------------------------


def test_the_order_of_filling_changes_nothing_and_later_data_neither(tmp_path: Path, chapters: None) -> None:
    forward = shop_in(tmp_path / "forward", one=JANUARY, two=FEBRUARY)
    assert states(back_fill(forward, first="2026-01", last="2026-02")) == {"2026-01": "rendered", "2026-02": "rendered"}
    backward = shop_in(tmp_path / "backward", one=JANUARY, two=FEBRUARY, three=MARCH)
    assert report.render(backward, as_of="2026-02").ok
    alone = found(backward, "2026-02")
    assert not report.behind(load_settings(backward), backward.parent / "reports" / "2026-02")
    filled = back_fill(backward, first="2026-01", last="2026-01")
    assert [(one.label, one.state, one.reason) for one in filled] == [
        ("2026-01", "rendered", ""), ("2026-02", "rendered", "it compares with 2026-01")]
    for label in ("2026-01", "2026-02"):
        told = found(forward, label), content(forward, label)
        assert (found(backward, label), content(backward, label)) == told, "filled from the last to the first"
    arrives(forward.parent, "three", *MARCH)
    before = found(forward, "2026-02"), content(forward, "2026-02")
    assert report.render(forward, as_of="2026-02", force=True).ok
    assert (found(forward, "2026-02"), content(forward, "2026-02")) == before, "March is not seen from February"
    assert "Why these figures differ" not in page(forward, "2026-02")
    assert alone | {"told_before": found(forward, "2026-02")["told_before"]} == found(forward, "2026-02")
    assert found(forward, "2026-02")["told_before"].value == 170.5


def test_late_data_and_returns_are_told_against_what_was_published_then_approved(
    tmp_path: Path, chapters: None
) -> None:
    settings = shop_in(tmp_path / "shop", one=JANUARY, two=FEBRUARY)
    report.render(settings, as_of="2026-01")
    arrives(settings.parent, "late", "7,eve,2026-01-09,30")
    report.render(settings, as_of="2026-01")
    told = page(settings, "2026-01")
    assert "Net revenue was published as €170.50 and is now €200.50: +€30.00." in told and "<code>7</code>" in told
    assert "Late or corrected data" in told and "Draft" in told
    declared = load_settings(settings)
    assert first_published(declared, "2026-01")["03_profiling"]["net_revenue"].value == 170.5, "the first stays"
    run = CliRunner().invoke(app, ["approve", "2026-01", "--by", "Li", "--comment", "as agreed", "--settings",
                                   str(settings)])  # fmt: skip
    assert run.exit_code == 0, run.output
    assert "Approved by Li on" in page(settings, "2026-01") and "as agreed" in page(settings, "2026-01")
    assert "Why these figures differ" not in page(settings, "2026-01"), "what was approved is what is shown"
    (settings.parent / "returns.csv").write_text("return_id,order_id,returned_at,amount\nr1,1,2026-01-30,12.5\n")
    report.render(settings, as_of="2026-01")
    told = page(settings, "2026-01")
    assert "Net revenue was approved as €200.50 and is now €188.00: −€12.50." in told
    assert "Changed since Li approved it on" in told
    record = json.loads((settings.parent / "reports" / "2026-01" / "restatement.json").read_text(encoding="utf-8"))
    money = record["split"]["measures"][0]
    assert (money["parts"], record["against"]["kind"]) == ({"returns": "-12.5000"}, "approved")
    restatements.approve(declared, "2026-01", by="Mo")
    assert [(one.by, one.findings["03_profiling"]["net_revenue"].value) for one in approvals(declared, "2026-01")] == [
        ("Li", 200.5), ("Mo", 188.0)]


# --- the loop over the periods, with chapters that do nothing ---------------------------------------


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return shop_in(tmp_path / "shop")


def states(filled: list[Filled]) -> dict[str, str]:
    return {one.label: one.state for one in filled}


def test_it_resumes_where_it_stopped_and_one_failed_period_does_not_stop_the_rest(book, shop) -> None:
    book("11_first", "assert run.period.label != '2026-02', 'February is broken'\nrun.find('x', 1, unit='rows')")
    command = ["render", "--from", "2026-01", "--to", "2026-03", "--settings", str(shop)]
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == 1
    assert "11_first: cell [5]: AssertionError: February is broken" in ran.output
    assert "3 periods in" in ran.output and "2 rendered, 1 failed" in ran.output
    book("11_first")
    assert states(back_fill(shop, first="2026-01", last="2026-04")) == {
        "2026-01": "rendered", "2026-02": "rendered", "2026-03": "rendered", "2026-04": "rendered"}
    again = back_fill(shop, first="2026-02", last="2026-04")
    assert {one.reason for one in again} == {"nothing it is made from has changed"}
    assert set(states(again).values()) == {"unchanged"}


def test_quarters_and_weeks_too_and_nonsense_is_refused(book, shop) -> None:
    book("11_first")
    shop.write_text(SETTINGS + "period: quarter\n", encoding="utf-8")
    assert [one.label for one in back_fill(shop, first="2025-Q3", last="2025-Q4")] == ["2025-Q3", "2025-Q4"]
    for first, last, told in (("2026-Q2", "2026-Q1", "lies before"), ("2026-Q1", "", "cannot be told"),
                              ("soon", "2026-Q1", "is no period")):  # fmt: skip
        with pytest.raises(WorkbookError, match=told):
            back_fill(shop, first=first, last=last)
    ran = CliRunner().invoke(app, ["render", "--from", "2026-01", "--only", "11", "--settings", str(shop)])
    assert isinstance(ran.exception, WorkbookError) and "--from and --to" in str(ran.exception)


def test_a_period_that_is_not_over_is_filled_only_by_its_last_day(book, tmp_path: Path) -> None:
    book("01_collection", COLLECT, makes=["raw/*"])
    shop = shop_in(tmp_path / "shop", one=JANUARY, two=FEBRUARY[:1])
    plans: list[Plan] = []
    filled = back_fill(shop, planned=plans.append)
    assert [one.label for one in filled] == ["2026-01"], "from the first on record to the last that is over"
    assert states(back_fill(shop, first="2026-01", last="2026-02", planned=plans.append)) == {"2026-01": "unchanged"}
    assert [plan.left_out and plan.left_out.label for plan in plans] == [None, "2026-02"]
    assert states(back_fill(shop, last="2026-02-03")) == {"2026-01": "unchanged", "2026-02-03": "rendered"}
    assert "partial period" in page(shop, "2026-02-03")


def test_a_figure_counts_from_when_it_first_appeared(book, shop) -> None:
    book("11_first", "run.find('x', 1, unit='rows')")
    report.render(shop, as_of="2026-01")
    book("11_first", "run.find('x', 2, unit='rows')\nrun.find('y', 5, unit='rows')")
    report.render(shop, as_of="2026-01")
    declared = load_settings(shop)
    assert {name: one.value for name, one in first_published(declared, "2026-01")["11_first"].items()} == {
        "x": 1, "y": 5}  # fmt: skip
    edition = first_edition(declared, "2026-01")
    assert edition is not None and edition.made_from["11_first"]
    told = json.loads((shop.parent / "reports" / "2026-01" / "restatement.json").read_text(encoding="utf-8"))
    assert told["figures"] == [{"chapter": "11_first", "name": "x", "unit": "rows", "then": 1, "now": 2}]
    assert told["code_changed"], "the notebook itself is another"


def test_an_approval_needs_a_report_and_a_name(book, shop) -> None:
    book("11_first")
    with pytest.raises(WorkbookError, match="no whole report of 2026-01"):
        restatements.approve(load_settings(shop), "2026-01", by="Li")
    report.render(shop, as_of="2026-01")
    with pytest.raises(WorkbookError, match="needs a name"):
        restatements.approve(load_settings(shop), "2026-01", by=" ")
