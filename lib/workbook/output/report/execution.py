"""One notebook run by papermill, with parameters that it knows, in the reader's language."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from papermill.exceptions import PapermillExecutionError

from workbook.data.errors import WorkbookError, nearest
from workbook.data.notebooks import Notebook, notebooks_folder
from workbook.data.secrecy import masked
from workbook.data.settings import Settings
from workbook.output import i18n
from workbook.output.kernels import give_up_forking

OF_EVERY_NOTEBOOK = ("settings", "as_of", "lang")
# A kernel on this machine's loopback tells at every start that its channel is not encrypted.
KERNEL_ARGUMENTS = ["--IPKernelApp.log_level=40"]
PROMPT = "workbook.output.kernels.client.PromptManager"
_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,), "float": (int, float), "str": (str,), "bool": (bool,), "list": (list,), "dict": (dict,)}


@dataclass
class Outcome:
    """How one chapter went. `state` is done, failed, skipped or absent."""

    chapter: str
    state: str
    seconds: float = 0.0
    error: str = ""  # cell and error of a failure
    because: tuple[str, ...] = ()  # chapters whose failure made this one be skipped
    changed: tuple[str, ...] = ()  # parts it is made from for whose change it ran: see `reuse`
    kept: bool = False  # taken from the report that was there, since nothing had changed
    resumed: bool = False  # done by a run that was killed, and taken up by this one
    peak_mb: int = 0  # the most memory its kernel had in use, in MB; 0 where that cannot be told


def check_options(notebooks: list[Notebook], chapters: Mapping[str, Mapping[str, Any]]) -> None:
    """Refuse options that no notebook has, all at once.

    Raises:
        WorkbookError: names each unknown chapter, unknown option and value of another type, with the nearest name.
    """
    by_name = {notebook.name: notebook for notebook in notebooks}
    wrong = []
    for chapter, options in chapters.items():
        if chapter not in by_name:
            wrong.append(f"chapters.{chapter}: no such chapter, {nearest(chapter, by_name)}")
            continue
        known = papermill.inspect_notebook(str(by_name[chapter].path))
        for name, value in options.items():
            if name not in known or name in OF_EVERY_NOTEBOOK:
                own = [option for option in known if option not in OF_EVERY_NOTEBOOK]
                hint = nearest(name, own) if own else "this chapter has no options"
                wrong.append(f"chapters.{chapter}.{name}: no such option, {hint}")
            elif not _is_of(value, known[name]["inferred_type_name"]):
                wanted = known[name]["inferred_type_name"]
                wrong.append(f"chapters.{chapter}.{name}: {value!r} is no {wanted} ({known[name]['help']})")
    if wrong:
        raise WorkbookError("These chapter options are not known:\n  " + "\n  ".join(wrong),
                            why="A mistyped option would be passed over and the default used in silence.",
                            way_out="Mend them in workbook.yaml, under chapters.")


def _is_of(value: Any, declared: str) -> bool:
    allowed = [kind for part in re.split(r"\s*\|\s*", declared) for kind in _TYPES.get(part.split("[")[0], ())]
    if isinstance(value, bool) and bool not in allowed:
        return not allowed
    return not allowed or isinstance(value, tuple(allowed))


def execute(
    notebook: Notebook, target: Path, parameters: Mapping[str, Any], *, attempts: int = 2
) -> Outcome:
    """Run a notebook; what was executed is kept at `target`, also when a cell fails; not when its kernel dies."""
    target.parent.mkdir(parents=True, exist_ok=True)
    source = target.with_name(f".{target.name}")
    nbformat.write(in_language(nbformat.read(notebook.path, as_version=4), parameters["lang"]), source)
    began = time.perf_counter()
    logging.getLogger("papermill").setLevel(logging.ERROR)  # it narrates each cell; failures are raised anyway
    try:
        papermill.execute_notebook(
            str(source), str(target), parameters=dict(parameters), progress_bar=False, cwd=str(notebook.path.parent),
            kernel_name="python3", extra_arguments=KERNEL_ARGUMENTS, kernel_manager_class=PROMPT,
            shutdown_kernel="immediate",  # nothing is left to do; asked first, some complain of being interrupted
            request_save_on_cell_execute=False)  # else it writes the whole notebook twice a cell: a second of each
    except PapermillExecutionError as error:
        return Outcome(notebook.name, "failed", time.perf_counter() - began, _told(error))
    except RuntimeError as error:  # the kernel died: its port was taken, memory ran out, or it did not bear the fork
        give_up_forking()
        if attempts > 1:
            return execute(notebook, target, parameters, attempts=attempts - 1)
        return Outcome(notebook.name, "failed", time.perf_counter() - began, f"{type(error).__name__}: {error}")
    finally:
        source.unlink(missing_ok=True)
    return Outcome(notebook.name, "done", time.perf_counter() - began)


def mask_errors(executed: Path, settings: Settings) -> None:
    """Take secrets and personal values out of the tracebacks of an executed notebook: it lies among the reports."""
    notebook = nbformat.read(executed, as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.output_type == "error":
                output.evalue = masked(output.evalue, settings)
                output.traceback = [masked(line, settings) for line in output.traceback]
    nbformat.write(notebook, executed)


def _told(error: PapermillExecutionError) -> str:
    """Cell and error, without the traceback."""
    message = re.sub(r"\x1b\[[0-9;]*m", "", error.evalue)
    return f"cell [{error.exec_count}]: {error.ename}: {message}"


def in_language(notebook: nbformat.NotebookNode, lang: str) -> nbformat.NotebookNode:
    """A copy whose markdown cells are in that language; a cell without a translation stays English."""
    copy = nbformat.from_dict(notebook)
    if lang == "en":
        return copy
    texts = i18n.catalog(lang)
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            found = texts.get(cell.source)
            cell.source = found if isinstance(found, str) else cell.source
    return copy


def copies_in(lang: str) -> Path:
    """A folder of the notebooks in that language, beside the originals; a copy is made when its original is newer."""
    originals = notebooks_folder()
    folder = originals.parent / "build" / f"notebooks-{lang}"
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(originals.glob("*.ipynb")):
        copy = folder / path.name
        if not copy.exists() or copy.stat().st_mtime < path.stat().st_mtime:
            notebook = in_language(nbformat.read(path, as_version=4), lang)
            for cell in notebook.cells:
                if "parameters" in cell.metadata.get("tags", ()):
                    cell.source = cell.source.replace('lang: str = "en"', f'lang: str = "{lang}"')
            nbformat.write(notebook, copy)
    return folder
