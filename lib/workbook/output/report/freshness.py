"""Whether a report would come out the same: a hash of everything that it is made from.

Code, notebooks, catalogs, settings, what was asked for, and the files of the sources by size and time. A database
cannot be asked whether it changed, so a shop with one is rendered each time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from glob import glob
from pathlib import Path

from workbook.data.notebooks import notebooks_folder
from workbook.data.settings import Settings

LIBRARY = Path(__file__).resolve().parents[2]
READ = {".py", ".po", ".yaml", ".css", ".html", ".ipynb"}
KEY = "WORKBOOK_KEY"


def fingerprint(settings: Settings, *asked: str) -> str:
    """A hash of all that the report is made from; "" where that cannot be told."""
    if any(source.url for source in settings.sources):
        return ""
    digest = hashlib.sha256(repr(asked).encode())
    digest.update(hashlib.sha256(os.environ.get(KEY, "").encode()).digest())
    digest.update(settings.file.read_bytes())
    for path in (*_files(LIBRARY), *_files(notebooks_folder())):
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    for source in settings.sources:
        for name in sorted(glob(settings.path_of(source), recursive=True)):
            for path in (Path(name), *sorted(Path(name).rglob("*"))):
                state = path.stat()
                digest.update(f"{path}|{state.st_size}|{state.st_mtime_ns}".encode())
    return digest.hexdigest()


def same_report(settings: Settings, digest: str) -> Path | None:
    """The folder of a report that was made from the same."""
    for file in sorted(settings.reports_folder.glob("*/run.json")) if digest else ():
        if json.loads(file.read_text(encoding="utf-8")).get("fingerprint") == digest:
            return file.parent
    return None


def _files(folder: Path) -> Iterator[Path]:
    found = (path for path in sorted(folder.rglob("*")) if ".ipynb_checkpoints" not in path.parts)
    return (path for path in found if path.suffix in READ)
