"""The published figures of CDNOW by the road that a user takes: `workbook new` on the file, `workbook render`.

Fader, Hardie & Lee 2005 (BG/NBD), Fader & Hardie 2013 (gamma-gamma): calibration up to 1997-09-30, time in weeks. The
file is the copy inside the package `lifetimes`.
"""

import json
import re
from collections.abc import Callable
from importlib.metadata import files
from pathlib import Path

import pytest

PUBLISHED = {  # finding: value, tolerance to which it is known
    "bgnbd_r": (0.24259, 1e-3), "bgnbd_alpha": (4.41360, 1e-3), "bgnbd_a": (0.79292, 1e-3),
    "bgnbd_b": (2.42591, 1e-3), "bgnbd_log_likelihood": (-9582.429, 0.01), "mbgnbd_log_likelihood": (-9582.136, 0.01),
    "paretonbd_log_likelihood": (-9594.976, 0.01), "gamma_gamma_p": (6.2496, 1e-2), "gamma_gamma_q": (3.7442, 1e-2),
    "gamma_gamma_v": (15.4435, 1e-2), "gamma_gamma_log_likelihood": (-4055.9177, 0.01),
}  # fmt: skip


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory, command: Callable[..., str]) -> Path:
    """The folder of the report of September 1997."""
    folder = tmp_path_factory.mktemp("cdnow")
    (sample,) = (file for file in files("lifetimes") or [] if file.name == "CDNOW_sample.txt")
    command("new", "shop", "--orders", str(sample.locate()), "--columns", "-,customer_id,ordered_at,quantity,amount",
            folder=folder)  # fmt: skip
    command("render", "--settings", "shop/workbook.yaml", "--as-of", "1997-09-30", "--only", "06", "--lang", "en",
            folder=folder)  # fmt: skip
    (found,) = (folder / "shop" / "reports").glob("1997-09*/findings.json")
    return found.parent


@pytest.fixture(scope="module")
def findings(report: Path) -> dict[str, dict]:
    return json.loads((report / "findings.json").read_text(encoding="utf-8"))["06_clv"]


@pytest.mark.slow
def test_the_published_figures_are_found_by_the_users_road(findings: dict[str, dict]) -> None:
    found = {name: findings[name]["value"] for name in PUBLISHED}
    assert found == {name: pytest.approx(value, abs=tolerance) for name, (value, tolerance) in PUBLISHED.items()}
    assert findings["bgnbd_alpha"]["unit"] == "weeks"
    assert (findings["customers"]["value"], findings["repeat_purchases"]["value"]) == (2357, 2457)
    assert findings["gamma_gamma_p"]["n"] == 946


@pytest.mark.slow
def test_the_interval_for_what_is_really_bought_is_the_wider_one(findings: dict[str, dict]) -> None:
    for measure in ("purchases", "spend"):
        real, expectation = findings[f"expected_{measure}"], findings[f"mean_{measure}"]
        assert real["value"] == expectation["value"]
        assert real["low"] < expectation["low"] < real["value"] < expectation["high"] < real["high"]
        assert real["evidence"] == expectation["evidence"] == "observed"


@pytest.mark.slow
def test_without_costs_the_page_says_that_value_is_revenue(report: Path, findings: dict[str, dict]) -> None:
    assert findings["value_basis"]["value"] == "revenue"
    assert findings["acquisition_cost"] == {"value": None, "unit": "money", "n": 0, "reason": "no_costs"}
    page = re.sub("<[^>]+>", "", (report / "en" / "06_clv.html").read_text(encoding="utf-8"))
    assert "On this page value means revenue" in page
    assert "declare a source for channel_costs" in page
