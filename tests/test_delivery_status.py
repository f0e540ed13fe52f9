"""The state of a workspace as `workbook status` tells it, and the log that it reads."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workbook.cli import app
from workbook.data.lock import locked
from workbook.data.secrecy import names, told
from workbook.data.settings import Settings, load_settings
from workbook.output.delivery import log as module
from workbook.output.delivery.log import RunLog, lines
from workbook.output.delivery.status import status

SETTINGS = """
name: Corner shop
sources:
  - {{name: shop, table: orders, path: orders.csv}}
  - {{name: crm, table: customers, url: "postgresql://reader:${{CRM_PASSWORD}}@db.example/crm", from_table: people}}
privacy: {{key: written-where-it-should-not-be}}
{more}
"""


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    (tmp_path / "workbook.yaml").write_text(SETTINGS.format(more=""))
    return load_settings(tmp_path)


def report(settings: Settings, label: str, *outcomes: tuple[str, str, float, str]) -> None:
    """A rendered period with these chapters: name, state, seconds, error."""
    folder = settings.reports_folder / label
    folder.mkdir(parents=True)
    chapters = [{"chapter": name, "state": state, "seconds": seconds, "error": error, "because": [], "changed": []}
                for name, state, seconds, error in outcomes]
    record = {"period": label.removesuffix(".failed"), "rendered_at": "2026-07-01T06:05:00+00:00",
              "languages": ["en"], "outcomes": chapters, "version": "0.1.0"}
    (folder / "run.json").write_text(json.dumps(record))


def test_periods_chapters_times_and_failures_are_told(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    report(shop, "2026-05", ("03_profiling", "done", 3.2, ""), ("04_rfm", "done", 5.1, ""))
    report(shop, "2026-06.failed", ("03_profiling", "done", 3.2, ""), ("04_rfm", "failed", 1.0, "cell [5]: [KeyError]"),
           ("05_clustering", "skipped", 0.0, ""), ("06_clv", "absent", 0.0, ""))
    found = status(shop)
    assert [(one["period"], one["state"], one["seconds"]) for one in found["periods"]] == [
        ("2026-05", "draft", 8.3), ("2026-06", "failed", 4.2)]
    assert len(found["periods"][1]["chapters"]) == 3 and found["running"] is None
    monkeypatch.setenv("COLUMNS", "160")
    printed = CliRunner().invoke(app, ["status", "--settings", str(shop.file)]).output
    assert "04_rfm 5.1" in printed, "the slowest chapter"
    assert "2 of 2" in printed and "1 of 3" in printed
    assert "2026-06, 04_rfm failed: cell [5]: [KeyError]" in printed, "and no bracket is taken for a colour"
    assert json.loads(CliRunner().invoke(app, ["status", "--json", "--settings", str(shop.file)]).output) == found


def test_runs_are_told_by_how_they_ended(shop: Settings) -> None:
    for run, ending in (("a", ("run_finished", {"state": "done", "period": "2026-05", "seconds": 9.5})),
                        ("b", ("run_failed", {"error": "x", "seconds": 1.0})), ("c", None), ("d", None)):
        log = RunLog(shop, run)
        log.begin(command=f"render {run}")
        if ending:
            log.write(ending[0], **ending[1])
    with locked(shop.store_folder, "render d"):  # by this process, which began c and d
        assert [run["state"] for run in status(shop)["runs"]] == ["done", "broken off", "killed", "running"]
        assert status(shop)["running"]["pid"] == os.getpid()
    assert [run["state"] for run in status(shop)["runs"]][2:] == ["killed", "killed"]


def test_what_a_killed_run_left_is_told(shop: Settings) -> None:
    (shop.store_folder / "stage-4711").mkdir(parents=True)
    (shop.reports_folder / ".draft-4711").mkdir(parents=True)
    assert status(shop)["unfinished"] == [".workbook/stage-4711", "reports/.draft-4711"]
    assert "goes on where it stopped" in CliRunner().invoke(app, ["status", "--settings", str(shop.file)]).output


def test_the_log_does_not_grow_for_ever(shop: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 2000)
    for n in range(50):
        log = RunLog(shop, str(n))
        log.begin(command="render")
        log.write("run_finished", state="done", period="2026-06")
    folder = shop.store_folder / "log"
    assert sorted(path.name for path in folder.iterdir()) == ["runs.1.jsonl", "runs.jsonl"]
    assert sum(path.stat().st_size for path in folder.iterdir()) < 2 * 2000 + 1000
    assert list(lines(shop))[-1]["run"] == "49"


def test_a_line_that_a_killed_run_left_unfinished_is_passed_over(shop: Settings) -> None:
    RunLog(shop, "a").begin(command="render")
    with (shop.store_folder / "log" / "runs.jsonl").open("a") as stream:
        stream.write('{"at": "2026')
    RunLog(shop, "b").begin(command="render")
    assert [line["run"] for line in lines(shop)] == ["a", "b"]


@pytest.mark.parametrize(("text", "kept"), [
    ("no answer for 138-1234-5678 or li@example.com", "no answer for [phone] or [mail]"),
    ("password s3cret-of-the-crm is wrong", "password [secret] is wrong"),
    ("could not connect to postgresql://reader:other-password@db.example/crm",
     "could not connect to postgresql://[secret] at db.example/crm"),
    ("key written-where-it-should-not-be", "key [secret]"),
    ("order 536365 of 2026-03-05 has 3 lines", "order 536365 of 2026-03-05 has 3 lines"),
])
def test_secrets_and_personal_values_are_masked_wherever_an_error_is_told(
    shop: Settings, monkeypatch: pytest.MonkeyPatch, text: str, kept: str
) -> None:
    monkeypatch.setenv("CRM_PASSWORD", "s3cret-of-the-crm")
    assert told(text, shop) == kept
    RunLog(shop).write("run_failed", error=text)
    assert list(lines(shop))[-1]["error"] == kept


def test_the_names_of_the_secrets_are_found_wherever_they_are_declared(tmp_path: Path) -> None:
    more = "notify: {webhooks: [{url: '${HOOK}', format: feishu, secret: '${SIGN}'}]}"
    (tmp_path / "workbook.yaml").write_text(SETTINGS.format(more=more))
    assert names(load_settings(tmp_path)) == ["CRM_PASSWORD", "HOOK", "SIGN"]


def test_a_chapters_peak_memory_is_that_of_its_kernel(book: Callable[..., None], tmp_path: Path) -> None:
    """A chapter that fills 300 MB beside one that does not: told in the log and the state."""
    (tmp_path / "workbook.yaml").write_text(
        "name: S\nsources: [{table: orders, path: o.csv, columns: {a: order_id, b: amount, c: ordered_at}}]\n")
    book("11_small")
    book("12_large", "import numpy as np\nlarge = np.ones(300 * 2**20 // 8)\nrun.find('x', float(large.sum()))")
    ran = CliRunner().invoke(app, ["render", "--as-of", "2026-06", "--settings", str(tmp_path)])
    assert ran.exit_code == 0, ran.output
    (period,) = status(load_settings(tmp_path))["periods"]
    peaks = {chapter["chapter"]: chapter["peak_mb"] for chapter in period["chapters"]}
    assert 250 < peaks["12_large"] - peaks["11_small"] < 400
    logged = {line["chapter"]: line["peak_mb"] for line in lines(load_settings(tmp_path)) if "peak_mb" in line}
    assert logged == peaks
