"""The house keeps its floors, and rows of events stay in the engine."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import nbformat
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "lib" / "workbook"
UPPER_FLOORS = [path for path in sorted(LIBRARY.rglob("*.py")) if path.relative_to(LIBRARY).parts[0] != "data"]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
# Calls that bring rows out of the engine. Chapters, notebooks and output go through run.peek and run.frame.
ROWS_OUT = {"to_pandas", "execute", "to_pyarrow", "to_pyarrow_batches", "to_polars", "fetchall", "fetchdf"}
VAGUE = {"utils", "util", "helpers", "helper", "misc", "common", "tools"}


def rows_out(source: str, name: str) -> Iterator[str]:
    """Each call in a source text that brings rows out of the engine, with its place."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ROWS_OUT:
            yield f"{name}:{node.lineno} .{node.func.attr}("


def test_imports_run_downward_only() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache", "--config", "pyproject.toml"], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_search_finds_a_planted_call() -> None:
    source = "orders = run.table('clean/orders')\norders.count().to_pandas()"
    assert list(rows_out(source, "planted")) == ["planted:2 .to_pandas("]


@pytest.mark.parametrize("path", UPPER_FLOORS, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_only_the_data_floor_brings_rows_out_of_the_engine(path: Path) -> None:
    assert not list(rows_out(path.read_text(encoding="utf-8"), path.name)), "use run.peek or run.frame"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_notebook_brings_rows_out_of_the_engine(path: Path) -> None:
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert not list(rows_out("\n".join(cells), path.name)), "use run.peek or run.frame"


def test_modules_are_called_by_a_noun() -> None:
    assert not [path for path in LIBRARY.rglob("*.py") if path.stem in VAGUE]


def imported() -> set[str]:
    """Top-level names that the library imports."""
    names: set[str] = set()
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names


def test_what_the_library_imports_is_declared() -> None:
    """A package that only comes along with another one may leave with it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    declared = {
        canonicalize_name(Requirement(text).name)
        for text in [*project["dependencies"], *extras["spark"], *extras["postgres"], *extras["pdf"]]
    }
    brought = packages_distributions()
    foreign = imported() - set(sys.stdlib_module_names) - {"workbook"}
    undeclared = {
        name for name in foreign if not {canonicalize_name(package) for package in brought.get(name, [name])} & declared
    }
    assert not undeclared


def test_no_chapter_asks_for_the_time_of_day() -> None:
    """`as_of` is an argument: a chapter that asks the clock renders a past period differently tomorrow."""
    clocks = re.compile(r"\b(date|datetime|dt|pd\.Timestamp|ibis|time)\.(today|now|utcnow|time)\(")
    for path in LIBRARY.rglob("*.py"):
        # Runs, logs, manifests and what people did (decisions, their audit) say when.
        if path.relative_to(LIBRARY).parts[0] in ("cli", "output", "data", "decisions"):
            continue
        found = clocks.search(path.read_text(encoding="utf-8"))
        assert found is None, f"{path.name} asks {found[0]}"


def test_the_command_starts_light() -> None:
    """Whoever asks for help waits for no analysis library; a render imports them while its kernels' process does."""
    asked = "import sys, workbook.cli, workbook.output.kernels; print(*sys.modules)"
    there = subprocess.run([sys.executable, "-c", asked], check=True, capture_output=True, text=True).stdout.split()
    assert not {"pandas", "ibis", "sklearn", "matplotlib", "papermill", "nbformat"} & set(there)
