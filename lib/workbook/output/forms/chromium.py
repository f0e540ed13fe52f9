"""Printing with a Chromium that is installed: its own command line, and a reader of where headings came to lie.

Chromium cannot write the page number of a link's target, so that a book is printed twice: once to see on which page
each heading falls, and once with these numbers in the contents.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from workbook.data.errors import WorkbookError
from workbook.output.forms.book import Book

NAMED = "WORKBOOK_CHROMIUM"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
MAC = tuple(f"/Applications/{name}.app/Contents/MacOS/{name}" for name in ("Google Chrome", "Chromium"))
OLDEST = 131  # the first to write page numbers where a style sheet asks for them
MOST_PRINTS = 4
PATIENCE = 300  # seconds
FLAGS = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-extensions", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--disable-quic",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # a report needs nothing from elsewhere
    "--allow-file-access-from-files",  # the packaged font
    "--no-pdf-header-footer", "--generate-pdf-document-outline", "--export-tagged-pdf",
)


def find() -> Path | None:
    """A Chromium of this machine that is new enough: the one that WORKBOOK_CHROMIUM names, or the first on the path."""
    named = os.environ.get(NAMED)
    places = [named] if named else [*map(shutil.which, PROGRAMS), *MAC]
    found = next((Path(place) for place in places if place and Path(place).exists()), None)
    if found is None or _version(found) < OLDEST:
        return None
    return found


def _version(program: Path) -> int:
    told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60).stdout
    number = re.search(r"(\d+)\.\d+", told)
    return int(number[1]) if number else 0


def print_book(book: Book, file: Path, program: Path) -> None:
    """Print until the numbers in the contents are those of the pages.

    Raises:
        WorkbookError: Chromium prints nothing, or the pages do not come to rest.
    """
    numbers = {entry.place: 0 for entry in book.contents}
    with tempfile.TemporaryDirectory(prefix="workbook-print-") as folder:
        for _attempt in range(MOST_PRINTS):
            printed = _print(book.html(numbers), Path(folder), program)
            pages = pages_of(printed.read_bytes())
            fallen = {place: pages.get(place, 0) for place in numbers}
            if fallen == numbers:
                shutil.copyfile(printed, file)
                return
            numbers = fallen
    raise WorkbookError("The page numbers of the printed report do not come to rest.",
                        way_out="Install WeasyPrint (`pip install customer-workbook[pdf]`) and name no Chromium.")


def _print(html: str, folder: Path, program: Path) -> Path:
    source, printed = folder / "book.html", folder / "book.pdf"
    source.write_text(html, encoding="utf-8")
    printed.unlink(missing_ok=True)
    as_root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []  # Chromium refuses otherwise
    command = [program, *FLAGS, *as_root, f"--user-data-dir={folder / 'profile'}", f"--print-to-pdf={printed}",
               source.as_uri()]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=PATIENCE)
    except subprocess.TimeoutExpired as error:
        raise WorkbookError(f"Chromium did not print the report within {PATIENCE} seconds.",
                            way_out=f"{program} may hang on this machine: name another with {NAMED}.") from error
    if not printed.exists() or not printed.stat().st_size:
        last = ran.stderr.strip().splitlines()[-1:] or [f"exit code {ran.returncode}"]
        raise WorkbookError(f"Chromium printed nothing: {last[0][:300]}",
                            way_out=f"Name another browser with {NAMED}, or install WeasyPrint.")
    return printed


def pages_of(pdf: bytes) -> dict[str, int]:
    """The page, from 1, that each place of a PDF printed by Chromium lies on.

    Chromium writes its tree of pages and its named places as plain text: places are `/name [page 0 R /XYZ …]`, and a
    node of the tree lists its children in order.
    """
    objects = {int(number): body for number, body in re.findall(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", pdf, re.DOTALL)}
    catalog = next(body for body in objects.values() if re.search(rb"/Type\s*/Catalog", body))
    places = re.search(rb"/Dests (\d+) 0 R", catalog)
    root = re.search(rb"/Pages (\d+) 0 R", catalog)
    if places is None or root is None:
        return {}
    order = {page: number for number, page in enumerate(_leaves(int(root[1]), objects), start=1)}
    named = re.findall(rb"/([^\s/\[]+) \[(\d+) 0 R /XYZ", objects[int(places[1])])
    return {_name(name): order[int(page)] for name, page in named}


def _leaves(node: int, objects: dict[int, bytes]) -> list[int]:
    children = re.search(rb"/Kids\s*\[(.*?)\]", objects[node], re.DOTALL)
    if children is None or not re.search(rb"/Type\s*/Pages", objects[node]):
        return [node]
    return [leaf for child in re.findall(rb"(\d+) 0 R", children[1]) for leaf in _leaves(int(child), objects)]


def _name(name: bytes) -> str:
    """A PDF name: `#2D` stands for a hyphen."""
    return re.sub(rb"#([0-9A-Fa-f]{2})", lambda code: bytes.fromhex(code[1].decode()), name).decode("utf-8", "replace")
