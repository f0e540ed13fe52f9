"""The sample's whole report against plain papermill and nbconvert, one notebook after another.

    python tests/bench/render.py

Both make what the manager reads: every notebook in every language, as HTML. The rival runs each notebook in a kernel of
its own, then nbconvert's lab template on each. Lines:

    ratio cold_wall          a report from nothing, ours / theirs
    ratio overhead           wall time in which no cell of any notebook ran, ours / theirs
    ratio unchanged_wall     the same report again with nothing changed / ours from nothing
    ratio one_chapter_wall   after a change of one chapter's module / ours from nothing
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import nbformat
import papermill
from nbconvert import HTMLExporter

from workbook.data.notebooks import in_order, read_notebooks
from workbook.data.run import STAGE
from workbook.data.settings import load_settings
from workbook.output.report.execution import KERNEL_ARGUMENTS, in_language

ROOT = Path(__file__).resolve().parents[2]
PERIOD = "2026-06"
WORKBOOK = str(Path(sys.executable).with_name("workbook"))


def workspace(folder: Path) -> Path:
    """The sample's settings beside its data."""
    folder.mkdir(parents=True)
    shutil.copy2(ROOT / "workbook.yaml", folder)
    (folder / "data").symlink_to(ROOT / "data")
    return folder / "workbook.yaml"


def ours(settings: Path, *options: str) -> tuple[float, list[str]]:
    """Seconds of `workbook render` as a command, its own start included, and what it said."""
    began = time.perf_counter()
    command = [WORKBOOK, "render", "--settings", str(settings), "--as-of", PERIOD, *options]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    return time.perf_counter() - began, ran.stderr.splitlines()


def in_cells(folder: Path) -> float:
    """Seconds in which a cell of an executed notebook ran; those of notebooks side by side are counted once."""
    cells = [cell for path in folder.rglob("*.ipynb") for cell in nbformat.read(path, as_version=4).cells]
    ran = sorted(
        (_seconds(cell.metadata.papermill.start_time), _seconds(cell.metadata.papermill.end_time))
        for cell in cells if cell.metadata.get("papermill", {}).get("end_time"))
    together, until = 0.0, 0.0
    for start, end in ran:
        together += max(end - max(start, until), 0.0)
        until = max(until, end)
    return together


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def theirs(settings: Path) -> tuple[float, float]:
    """Seconds of papermill and nbconvert over every notebook, and those of the cells alone."""
    declared = load_settings(settings)
    out = settings.parent / "plain"
    os.environ[STAGE] = str(settings.parent / "stage")
    os.environ["WORKBOOK_REPORT"] = "1"
    began = time.perf_counter()
    for lang in declared.languages:
        for notebook in in_order(read_notebooks()):
            folder = out / lang
            folder.mkdir(parents=True, exist_ok=True)
            source, target = folder / f".{notebook.name}.ipynb", folder / f"{notebook.name}.ipynb"
            nbformat.write(in_language(nbformat.read(notebook.path, as_version=4), lang), source)
            parameters = {"settings": str(settings), "as_of": PERIOD, "lang": lang}
            parameters |= declared.chapters.get(notebook.name, {})
            done = papermill.execute_notebook(
                str(source), str(target), parameters=parameters, progress_bar=False, cwd=str(notebook.path.parent),
                kernel_name="python3", extra_arguments=KERNEL_ARGUMENTS)
            html, _ = HTMLExporter(template_name="lab").from_notebook_node(done)
            target.with_suffix(".html").write_text(html, encoding="utf-8")
    del os.environ[STAGE], os.environ["WORKBOOK_REPORT"]
    return time.perf_counter() - began, in_cells(out)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        settings = workspace(Path(scratch) / "ours")
        cold, told = ours(settings)
        ours_in_cells = in_cells(settings.parent / "reports" / PERIOD)
        unchanged, _ = ours(settings)
        module = ROOT / "lib" / "workbook" / "rfm" / "groups.py"
        text = module.read_text(encoding="utf-8")
        try:
            module.write_text(f"{text}# changed\n", encoding="utf-8")
            one, _ = ours(settings)
        finally:
            module.write_text(text, encoding="utf-8")
        plain, own = theirs(workspace(Path(scratch) / "theirs"))
        print("\n".join(line for line in told if " in " in line))
        print(f"ours {cold:.1f} s, of which {ours_in_cells:.1f} s in cells")
        print(f"again with nothing changed {unchanged:.1f} s, with one chapter changed {one:.1f} s")
        print(f"papermill and nbconvert {plain:.1f} s, of which {own:.1f} s in cells")
        print(f"ratio cold_wall {cold / plain:.3f}")
        print(f"ratio overhead {(cold - ours_in_cells) / (plain - own):.3f}")
        print(f"ratio unchanged_wall {unchanged / cold:.3f}")
        print(f"ratio one_chapter_wall {one / cold:.3f}")


if __name__ == "__main__":
    main()
