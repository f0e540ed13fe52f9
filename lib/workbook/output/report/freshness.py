"""Whether a report would come out the same: a hash of everything that it is made from.

Code, notebooks, catalogs, settings, the account of decisions, what was asked for, and the files of the sources by size
and time (also those of SQLite). A database server cannot be asked whether it changed, so a shop with one is rendered
each time.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from glob import glob
from pathlib import Path

from workbook.data.notebooks import notebooks_folder
from workbook.data.run import published
from workbook.data.settings import Settings, secret
from workbook.data.store import Store
from workbook.decisions import fingerprint as decided

LIBRARY = Path(__file__).resolve().parents[2]
READ = {".py", ".po", ".yaml", ".css", ".html", ".ipynb"}
KEY = "WORKBOOK_KEY"
SQLITE = "sqlite:///"


def fingerprint(settings: Settings, *asked: str) -> str:
    """A hash of all that the report is made from; "" where that cannot be told."""
    sources = sources_state(settings)
    if not sources:
        return ""
    digest = hashlib.sha256(repr(asked).encode() + sources.encode())
    digest.update(settings.file.read_bytes() + documents(published(settings)).encode())
    digest.update(decided(settings).encode())
    for path in (*_files(LIBRARY), *_files(notebooks_folder())):
        digest.update(path.name.encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def documents(store: Store) -> str:
    """A hash of what people have saved in the workspace; rules that chapters fitted and keep are not among it."""
    folder = store.root / "documents"
    digest = hashlib.sha256(documents(store.below).encode() if store.below else b"")
    for path in sorted(folder.rglob("*.json")):
        if path.relative_to(folder).parts[0] != "frozen":
            digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def sources_state(settings: Settings) -> str:
    """A hash of the files of the sources, by size and time, and of the key of the pseudonyms; "" with a server."""
    digest = hashlib.sha256(hashlib.sha256(os.environ.get(KEY, "").encode()).digest())
    for source in settings.sources:
        url = secret(source.url) if source.url else ""
        if url and not url.startswith(SQLITE):
            return ""
        place = str(settings.folder / url.removeprefix(SQLITE)) if url else settings.path_of(source)
        for name in sorted(glob(place, recursive=True)):
            for path in (Path(name), *sorted(Path(name).rglob("*"))):
                state = path.stat()
                digest.update(f"{path}|{state.st_size}|{state.st_mtime_ns}".encode())
    return digest.hexdigest()


def same_report(settings: Settings, digest: str) -> Path | None:
    """The folder of a report that was made from the same."""
    for file in sorted(settings.reports_folder.glob("[0-9]*/run.json")) if digest else ():
        if json.loads(file.read_text(encoding="utf-8")).get("fingerprint") == digest:
            return file.parent
    return None


def _files(folder: Path) -> Iterator[Path]:
    found = (path for path in sorted(folder.rglob("*")) if ".ipynb_checkpoints" not in path.parts)
    return (path for path in found if path.suffix in READ)
