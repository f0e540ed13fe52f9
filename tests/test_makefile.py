"""The commands of the first ten minutes: what make says and refuses, and what git leaves out."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TARGETS = re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)[1].split()

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
needs_clone = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone: there is no .git")


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, env=environment)


@needs_make
def test_help_lists_every_target() -> None:
    listed = re.findall(r"^  make ([a-z]+) +\S+", make("help").stdout, flags=re.MULTILINE)
    assert sorted(listed) == sorted(TARGETS)


@needs_make
def test_an_old_python_is_refused_before_anything_is_installed(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo "Python 3.9.2" || exit 1\n')
    old.chmod(0o755)
    run = make("setup", f"PYTHON={old}", f"VENV={tmp_path / 'venv'}")
    assert run.returncode != 0
    assert "needs Python 3.11 or newer" in run.stderr and "Python 3.9.2" in run.stderr
    assert not (tmp_path / "venv").exists()


@needs_make
def test_report_passes_its_options_on() -> None:
    told = make("--dry-run", "report", "lang=zh", "as_of=2026-05", "only=04", "settings=shop/workbook.yaml").stdout
    assert "workbook render --settings shop/workbook.yaml --as-of 2026-05 --only 04 --lang zh" in told


@needs_clone
@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("lib/workbook/data/run.py", False),
        ("lib/workbook/locale/zh/common.po", False),
        ("data/sample/crm.db", False),
        ("reports/README.md", False),
        ("reports/gallery/index.png", False),
        ("reports/2026-06/findings.json", True),
        (".workbook/raw/orders/part.parquet", True),
        ("shop/.workbook/manifest.json", True),
        ("shop/reports/2026-06/findings.json", True),
        (".venv/bin/python", True),
        ("notebooks/zh/04_rfm.ipynb", True),
        ("notebooks/.ipynb_checkpoints/04_rfm-checkpoint.ipynb", True),
    ],
)
def test_git_leaves_out_what_is_made(path: str, ignored: bool) -> None:
    run = subprocess.run(["git", "check-ignore", "--quiet", "--no-index", path], cwd=ROOT)
    assert run.returncode == (0 if ignored else 1)
