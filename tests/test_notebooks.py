"""The notebooks: built alike, and every one runs on the sample shop."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import nbformat
import papermill
import pytest

from workbook.data.errors import WorkbookError
from workbook.data.metrics import METRICS
from workbook.data.notebooks import in_order, question, read_notebook, read_notebooks, title
from workbook.output import i18n
from workbook.output.contents import refreshed

ROOT = Path(__file__).resolve().parents[1]
PATHS = sorted((ROOT / "notebooks").glob("*.ipynb"))
CHECKED = "nbval-check-output"
CLOSING = ["Key ideas", "What this does not tell us", "Exercises", "Sources", "Up next"]
FIRST_PARAMETERS = {"settings": "workbook.yaml", "as_of": "", "lang": "en"}
SENTENCES = ("page.say(", "page.points(", "page.pending(", "page.warning(")
MOST_LINES = 20  # of a code cell: a screenful, read at a glance

each_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def tags(cell: Any) -> list[str]:
    return cell.metadata.get("tags", [])


def code_cells(path: Path) -> list[Any]:
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def lines(cell: Any) -> int:
    return sum(bool(line.strip()) for line in cell.source.splitlines())


def test_there_are_notebooks() -> None:
    assert [path.stem for path in PATHS][:1] == ["00_start_here"]
    assert all(re.fullmatch(r"\d\d_[a-z_]+", path.stem) for path in PATHS)
    assert len({path.stem[:2] for path in PATHS}) == len(PATHS), "two notebooks share a number"


@each_notebook
def test_file_is_plain(path: Path) -> None:
    notebook = read(path)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    assert "../" not in path.read_text(encoding="utf-8")


@each_notebook
def test_only_checked_cells_keep_an_output(path: Path) -> None:
    """A checked cell without output or count would pass without comparing anything."""
    for cell in code_cells(path):
        if CHECKED in tags(cell):
            assert cell.outputs and cell.execution_count, f"cell {cell.id}: run it, and keep its output and count"
        else:
            assert not cell.outputs and cell.execution_count is None, f"cell {cell.id}: make format takes outputs out"


@each_notebook
def test_opening_states_title_question_needs_and_product(path: Path) -> None:
    opening = read(path).cells[0]
    assert opening.cell_type == "markdown"
    assert title(opening.source), "the first line is `# Title`"
    assert question(opening.source), "the first cell asks a question"
    assert 60 <= len(re.findall(r"\w+", opening.source)) <= 190
    for word in ("can", "needs", "produces"):
        assert re.search(rf"\b{word}\b", opening.source, flags=re.IGNORECASE), f"the first cell does not say {word!r}"


@each_notebook
def test_second_cell_alone_holds_the_parameters(path: Path) -> None:
    cells = read(path).cells
    assert [position for position, cell in enumerate(cells) if "parameters" in tags(cell)] == [1]
    known = papermill.inspect_notebook(str(path))
    assert {name: ast.literal_eval(known[name]["default"]) for name in list(known)[:3]} == FIRST_PARAMETERS
    for name, parameter in known.items():
        assert parameter["inferred_type_name"] not in ("", "None"), f"{name} has no type"
        assert parameter["help"].strip(), f"{name} has no comment"
    for statement in ast.parse(cells[1].source).body:
        assert isinstance(statement, ast.AnnAssign), "only `name: type = value  # meaning`"
        ast.literal_eval(statement.value)


@each_notebook
def test_imports_then_the_run(path: Path) -> None:
    _parameters, imports, opening, *_ = code_cells(path)
    assert all(isinstance(statement, ast.Import | ast.ImportFrom) for statement in ast.parse(imports.source).body)
    assert f'open_run("{path.stem}", settings=settings, as_of=as_of, lang=lang' in opening.source
    if path.stem != "00_start_here":  # which opens before there are any tables to show on a card
        assert "page.card(run)" in opening.source


@each_notebook
def test_code_cells_are_short_and_define_nothing(path: Path) -> None:
    cells = code_cells(path)
    for cell in cells:
        assert lines(cell) <= MOST_LINES, f"cell {cell.id} has {lines(cell)} lines"
        kinds = {type(node) for node in ast.walk(ast.parse(cell.source))}
        assert not kinds & {ast.FunctionDef, ast.ClassDef}, f"cell {cell.id}: definitions live in the library"
        assert cell is cells[1] or not kinds & {ast.Import, ast.ImportFrom}, f"cell {cell.id}: import in the third cell"
    assert median(lines(cell) for cell in cells) <= 8


FITS = re.compile(
    r"\w+\.(fit_(?!figures|rows|summary_rows)\w+|fitted_on|structure|two_components|trial|backtests|compare|what_matters|learn"
    r"|cox|targeting|judge_campaigns|model_in_force|settle)|forecast\.outlook")


def fitting_calls(tree: ast.AST, *, once: bool = False) -> list[tuple[str, bool]]:
    """Calls of functions that fit, and whether each stands inside `run.once(…)`."""
    found = []
    for node in ast.iter_child_nodes(tree):
        inside = once
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
            inside = once or (owner == "run" and node.func.attr == "once")
            if owner not in ("run", "words", "page", "charts") and FITS.fullmatch(f"{owner}.{node.func.attr}"):
                found.append((f"{owner}.{node.func.attr}", once))
        found += fitting_calls(node, once=inside)
    return found


def test_what_is_fitted_is_fitted_once_a_report_whatever_its_languages() -> None:
    found = {
        (path.stem, call, once) for path in PATHS for cell in code_cells(path)
        for call, once in fitting_calls(ast.parse(re.sub(r"(?m)^[%!].*$", "", cell.source)))}
    assert not sorted(f"{name}: {call}" for name, call, once in found if not once)
    fitting = {name for name, _call, _once in found}
    assert {"03_profiling", "05_clustering", "06_clv", "07_ab_testing", "08_churn"} <= fitting


@each_notebook
def test_prose_stands_beside_the_code(path: Path) -> None:
    """A cell that only says a generated sentence is prose that survives new data."""
    cells = read(path).cells
    code = [cell for cell in cells if cell.cell_type == "code" and not cell.source.startswith(SENTENCES)]
    assert (len(cells) - len(code)) / len(code) >= 0.8
    kinds = [cell.cell_type == "code" for cell in cells]
    assert not any(all(kinds[start : start + 5]) for start in range(4, len(kinds) - 4)), "five code cells in a row"


@each_notebook
def test_closing(path: Path) -> None:
    cells = read(path).cells
    last = max(position for position, cell in enumerate(cells) if cell.cell_type == "code")
    assert "run.close()" in cells[last].source
    headings = re.findall(r"^## (.+)$", "\n".join(cell.source for cell in cells[last + 1 :]), flags=re.MULTILINE)
    assert headings == CLOSING
    exercises = [cell for cell in cells[last + 1 :] if "## Exercises" in cell.source]
    assert all("training" in tags(cell) and "## Sources" not in cell.source for cell in exercises)


@each_notebook
def test_metadata_names_tables(path: Path) -> None:
    tables = read(path).metadata.get("workbook", {})
    assert set(tables) == {"needs", "optional", "makes"}
    assert all(isinstance(names, list) for names in tables.values())
    assert not set(tables["needs"]) & set(tables["optional"])
    assert not {*tables["needs"], *tables["optional"]} & set(tables["makes"])


def test_every_needed_table_is_made_by_one_notebook() -> None:
    books = read_notebooks()
    makers: dict[str, list[str]] = {}
    for book in books:
        for table in book.makes:
            makers.setdefault(table, []).append(book.name)
    assert not {table: names for table, names in makers.items() if len(names) > 1}
    for book in books:
        for table in book.needs:
            known = table in makers or f"{table.partition('/')[0]}/*" in makers
            assert known, f"{book.name} needs {table}: who makes it?"


def test_what_needs_comes_after_what_makes() -> None:
    books = read_notebooks()
    order = [book.name for book in in_order(books)]
    assert order == sorted(order), "the numbers are the order in which the notebooks build on each other"


def test_readme_shows_the_notebooks_as_they_are() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert refreshed(readme, read_notebooks()) == readme, "make readme"
    assert all(f"[{path.stem}](notebooks/{path.name})" in readme for path in PATHS)


def test_a_circle_is_told(tmp_path: Path) -> None:
    for name, needs, makes in (("01_a", "y", "x"), ("02_b", "x", "y")):
        notebook = nbformat.v4.new_notebook(metadata={"workbook": {"needs": [needs], "makes": [makes]}})
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
    with pytest.raises(WorkbookError, match="01_a"):
        in_order(read_notebooks(tmp_path))


@pytest.mark.parametrize("text", ["<<<<<<< HEAD", '{"cells": [', "[]", '{"worksheets": []}'])
def test_a_file_that_is_no_notebook_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "01_torn.ipynb").write_text(text)
    with pytest.raises(WorkbookError, match=r"01_torn\.ipynb is no notebook of version 4"):
        read_notebooks(tmp_path)


@each_notebook
def test_chinese_has_every_markdown_cell(path: Path) -> None:
    known = i18n.catalog("zh")
    assert not [cell.id for cell in read(path).cells if cell.cell_type == "markdown" and cell.source not in known]


def unclosed(text: str) -> list[str]:
    """Bold phrases that CommonMark would show with their stars."""
    pairs = re.finditer(r"\*\*(.+?)\*\*(?=(.?))", text)  # pairs within a line, one after the other
    return [pair[0] for pair in pairs if pair[1][-1] in "：，。、；！？）”》」" and re.match(r"[^\s\W]", pair[2])]


def test_chinese_emphasis_closes() -> None:
    """`**词：**字` shows its stars: CommonMark closes bold after punctuation only before a space or punctuation."""
    assert unclosed("**需要：**一个") and not unclosed("**需要**：一个**文件**，") and not unclosed("**好。** 一个")
    known = i18n.catalog("zh")
    cells = [known.get(cell.source, "") for path in PATHS for cell in read(path).cells if cell.cell_type == "markdown"]
    assert not [phrase for text in cells for phrase in unclosed(text)]


@pytest.fixture(scope="session")
def run_notebooks(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, list[str]]]:
    """All notebooks, run by nbval on the sample in a workspace of their own: the folder, and failures by notebook."""
    shop = tmp_path_factory.mktemp("shop")
    shutil.copy(ROOT / "workbook.yaml", shop)
    (shop / "data").symlink_to(ROOT / "data")
    shutil.copytree(ROOT / "notebooks", shop / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints", "zh"))
    names = [f"notebooks/{book.name}.ipynb" for book in in_order(read_notebooks())]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env", "--nbval-cell-timeout=600", "-q",
         "-p", "no:cacheprovider", "--rootdir=.", "--junitxml=junit.xml", *names],
        cwd=shop, capture_output=True, text=True, env=os.environ | {"WORKBOOK_KEY": "a key for tests only"},
    )  # fmt: skip
    assert (shop / "junit.xml").exists(), run.stdout + run.stderr
    failures: dict[str, list[str]] = {}
    for case in ElementTree.parse(shop / "junit.xml").iter("testcase"):
        name = case.get("classname", "").removesuffix(".ipynb").rpartition(".")[2]
        told = failures.setdefault(name, [])
        told += [f"{case.get('name')}:\n{_end(item.text)}" for item in (*case.iter("failure"), *case.iter("error"))]
    return shop, failures


def _end(text: str | None, most: int = 15) -> str:
    """The last lines of a cell's failure, without the terminal's colours."""
    return "\n".join(re.sub(r"(\x1b|#x1B)\[[0-9;]*m", "", text or "").strip().splitlines()[-most:])


@each_notebook
def test_runs_on_the_sample(path: Path, run_notebooks: tuple[Path, dict[str, list[str]]]) -> None:
    _shop, failures = run_notebooks
    assert not failures[path.stem], f"{len(failures[path.stem])} cells failed, first {failures[path.stem][0]}"


@each_notebook
def test_named_results_are_documented(path: Path, run_notebooks: tuple[Path, dict[str, list[str]]]) -> None:
    """Readers see a definition of every figure; the next period finds it under the same name and unit."""
    shop, _failures = run_notebooks
    file = shop / ".workbook" / "scratch" / "findings" / f"{path.stem}.json"
    findings = json.loads(file.read_text(encoding="utf-8"))
    assert findings
    for name, finding in findings.items():
        metric = METRICS[f"{path.stem}.{name}"]
        assert finding["unit"] == metric.unit, f"{name} is found in {finding['unit']!r}, defined in {metric.unit!r}"


def test_the_structure_tests_can_fail(tmp_path: Path) -> None:
    """A notebook with one fault of each kind is caught."""
    notebook = read(PATHS[0])
    notebook.cells[1].metadata["tags"] = []
    notebook.cells[2].source = "import os\nos.getcwd()"
    notebook.cells[4].source = "def f():\n    pass"
    notebook.cells[4].outputs = [nbformat.v4.new_output("stream", text="x")]
    broken = tmp_path / "00_broken.ipynb"
    nbformat.write(notebook, broken)
    tests: list[Callable[[Path], None]] = [
        test_only_checked_cells_keep_an_output,
        test_second_cell_alone_holds_the_parameters,
        test_imports_then_the_run,
        test_code_cells_are_short_and_define_nothing,
    ]
    for test in tests:
        with pytest.raises(AssertionError):
            test(broken)
    assert read_notebook(broken).makes == ()
