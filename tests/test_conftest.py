"""The switch that turns a skip into a failure, and the parts that tests share."""

import os
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

SKIPPING = """
import pytest

def test_skips():
    pytest.skip("Mars is not reachable")

def test_needs_data(public_data):
    public_data("no such file")

@pytest.mark.xfail(strict=True)
def test_known_to_fail():
    assert False

def test_passes():
    assert True
"""


@pytest.mark.parametrize(
    ("required", "told"), [("0", "1 passed, 2 skipped, 1 xfailed"), ("1", "2 failed, 1 passed, 1 xfailed")]
)
def test_a_skip_is_a_failure_where_everything_is_required(tmp_path: Path, required: str, told: str) -> None:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    needs_public_data: x\n    needs_java: x\n")
    environment = {**os.environ, "WORKBOOK_REQUIRE_ALL": required, "WORKBOOK_DATA": str(tmp_path)}
    command = [sys.executable, "-m", "pytest", "-q", "-rfs", "-p", "no:cacheprovider", "--rootdir=."]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert told in run.stdout, run.stdout + run.stderr
    assert "Mars is not reachable" in run.stdout
    assert run.returncode == int(required)


def test_both_engines_keep_types(con: Any, make_table: Any) -> None:
    data = pd.DataFrame(
        {
            "customer": ["a", "b", None],
            "orders": [1, 2, 3],
            "ordered_at": pd.to_datetime(["2026-01-01 10:00", "2026-01-02 00:00", None]),
            "amount": [Decimal("1.5"), Decimal("2.25"), None],
        }
    )
    table = make_table(con, data, types={"amount": pa.decimal128(18, 4)})
    kinds = {name: str(kind).split("(")[0] for name, kind in table.schema().items()}
    assert kinds == {"customer": "string", "orders": "int64", "ordered_at": "timestamp", "amount": "decimal"}
    totals = table.aggregate(amount=table.amount.sum(), newest=table.ordered_at.max()).to_pyarrow().to_pylist()
    assert totals == [{"amount": Decimal("3.7500"), "newest": pd.Timestamp("2026-01-02").to_pydatetime()}]


def test_the_database_answers(postgres_url: str) -> None:
    import psycopg

    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("select 6 * 7").fetchone() == (42,)


def test_the_browser_shows_chinese(browser: Any) -> None:
    page = browser.new_page()
    page.set_content("<h1>客户</h1>")
    assert page.inner_text("h1") == "客户"
