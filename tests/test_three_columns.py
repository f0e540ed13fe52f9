"""The smallest shop: one file with customer, day and amount, from `workbook new` to a report of every chapter."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

# The hand table of the lifetime models (day units, seen until 2015-02-07): customer, day, amount.
ROWS = """customer,date,amount
1,2015-01-01,1
1,2015-02-06,2
2,2015-01-01,2
3,2015-01-01,3
3,2015-01-02,1
3,2015-01-05,5
4,2015-01-16,6
4,2015-02-02,3
4,2015-02-05,3
5,2015-01-16,3
5,2015-01-17,1
5,2015-01-18,8
6,2015-02-02,5
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, workbook: Callable[..., str]) -> Path:
    """Every chapter of the smallest shop, in English."""
    folder = tmp_path_factory.mktemp("smallest")
    (folder / "sales.csv").write_text(ROWS)
    workbook("new", "shop", "--orders", "sales.csv", folder=folder)
    workbook("render", "--settings", "shop/workbook.yaml", "--as-of", "2015-02-07", "--lang", "en", folder=folder)
    (made,) = (folder / "shop" / "reports").glob("2015-02*")
    return made


@pytest.mark.slow
def test_a_three_column_file_is_a_shop(report: Path) -> None:
    found = json.loads((report / "findings.json").read_text(encoding="utf-8"))["04_rfm"]
    value = {name: finding["value"] for name, finding in found.items()}
    assert (value["customers"], value["repeat_purchase_days"], value["repeaters"]) == (6, 7, 4)
    assert value["mean_repeat_value"] == pytest.approx((2 + 3 + 3 + 4.5) / 4)
    assert value["capture_rfm_buyers"] is None and found["capture_rfm_buyers"]["reason"] == "too_few"
    assert sum(v for name, v in value.items() if name.startswith("segment_") and name.endswith("_customers")) == 6


@pytest.mark.slow
def test_too_little_to_tell_is_said_and_no_number(report: Path) -> None:
    outcomes = json.loads((report / "run.json").read_text(encoding="utf-8"))["outcomes"]
    assert {outcome["chapter"]: outcome["error"] for outcome in outcomes if outcome["state"] != "done"} == {}
    chapters = json.loads((report / "findings.json").read_text(encoding="utf-8"))
    claims = {
        f"{chapter}.{name}": finding for chapter, findings in chapters.items() for name, finding in findings.items()
        if finding.get("evidence") in ("randomised", "matched") or "low" in finding}
    assert claims == {}, "six customers bear no interval and no effect"
    pages = {page.name: BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").get_text(" ")
             for page in (report / "en").glob("*.html")}
    assert {name for name, text in pages.items() if re.search(r"\b(nan|NaN|NaT|inf)\b|Warning:", text)} == set()
