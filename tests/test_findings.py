"""Named results: plain values with their unit, written whole, read back the same."""

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbook.data.findings import Finding, earlier, plain, read_findings, write_findings


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (Decimal("8911407.904"), 8911407.904),
        (Decimal("3"), 3),
        (Decimal("3.00"), 3.0),
        (np.int64(4338), 4338),
        (np.float64(0.5), 0.5),
        (np.bool_(True), True),
        ("champions", "champions"),
        (None, None),
    ],
)
def test_value_becomes_what_json_can_hold(value: object, kept: object) -> None:
    assert plain(value) == kept and type(plain(value)) is type(kept)
    json.dumps(plain(value))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float64("nan")])
def test_no_number_is_no_finding(value: float) -> None:
    with pytest.raises(ValueError, match="None and a reason"):
        plain(value)


@pytest.mark.parametrize("value", [[1], {"a": 1}, object()])
def test_table_or_list_is_no_finding(value: object) -> None:
    with pytest.raises(TypeError, match="no value of a finding"):
        plain(value)


def test_empty_parts_are_left_out_but_a_missing_value_is_said(tmp_path: Path) -> None:
    write_findings(tmp_path / "04_rfm.json", {
        "customers": Finding(4338, "customers"),
        "lift": Finding(0.7, "share", low=-0.03, high=1.4, n=6868),
        "churn": Finding(None, reason="too_few"),
        "none_left": Finding(0, "customers", n=0),
    })  # fmt: skip
    assert json.loads((tmp_path / "04_rfm.json").read_text("utf-8")) == {
        "customers": {"value": 4338, "unit": "customers"},
        "lift": {"value": 0.7, "unit": "share", "low": -0.03, "high": 1.4, "n": 6868},
        "churn": {"value": None, "unit": "", "reason": "too_few"},
        "none_left": {"value": 0, "unit": "customers", "n": 0},
    }


def test_findings_of_a_period_read_back(tmp_path: Path) -> None:
    file = tmp_path / "findings.json"
    file.write_text(json.dumps({"04_rfm": {"customers": {"value": 3, "unit": "customers"}}}))
    assert read_findings(file) == {"04_rfm": {"customers": Finding(3, "customers")}}
    assert read_findings(tmp_path / "absent.json") == {}


def test_money_keeps_its_last_decimal(tmp_path: Path) -> None:
    write_findings(tmp_path / "f.json", {"revenue": Finding(plain(Decimal("8911407.904")), "currency")})
    assert "8911407.904" in (tmp_path / "f.json").read_text()


VALUES = st.one_of(
    st.none(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(), st.booleans())
BOUNDS = st.none() | st.floats(-1e9, 1e9)
WORDS = st.text(max_size=9)
FINDINGS = st.builds(Finding, VALUES, WORDS, BOUNDS, BOUNDS, st.none() | st.integers(0), WORDS)


@given(st.dictionaries(st.text(min_size=1), FINDINGS, max_size=5))
def test_whatever_is_written_reads_back(tmp_path_factory: pytest.TempPathFactory, findings: dict[str, Finding]) -> None:
    folder = tmp_path_factory.mktemp("findings")
    write_findings(folder / "chapter.json", findings)
    whole = {"chapter": json.loads((folder / "chapter.json").read_text("utf-8"))}
    (folder / "findings.json").write_text(json.dumps(whole), encoding="utf-8")
    assert read_findings(folder / "findings.json") == {"chapter": findings}


def test_the_figure_before_is_the_published_one_else_what_this_run_found() -> None:
    published, found = {"n": Finding(5)}, {"n": Finding(7), "n_before": Finding(6)}
    assert earlier("n", found, published) == Finding(5)
    assert earlier("n", found, {}) == Finding(6)
    assert earlier("n", found, published, whole=False) == Finding(6)
    assert earlier("n", {"n": Finding(7)}, {}) is None


def test_a_grade_of_evidence_is_one_of_four_and_kept(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="randomised, matched, observed, assumed"):
        Finding(0.1, "share", evidence="proven")
    write_findings(tmp_path / "one.json", {"lift": Finding(0.1, "share", evidence="matched"), "n": Finding(3)})
    kept = json.loads((tmp_path / "one.json").read_text(encoding="utf-8"))
    assert kept["lift"]["evidence"] == "matched" and "evidence" not in kept["n"]
