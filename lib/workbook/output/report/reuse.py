"""Whether a chapter must run again: what it was made from, part by part, beside what it would be made from now.

| part | what is compared |
|---|---|
| notebook | its cells, in the language of the page |
| parameters | the period, the language's name, its options |
| settings | everything that is declared about the shop, but the options of other chapters |
| library | the modules that its cells import, and what those import, out of this library |
| catalog | the texts of the language: the chapter's own and the common ones |
| versions | Python, the locked packages, the engine |
| period_before | what was first published of the period before, for the chapters that compare with it |
| documents | segments of their own that people have saved, for the chapters that show them |
| decisions | the account book up to the period's end, for the chapters that settle it |
| frozen | the rules that this chapter has fitted and keeps |
| table … | the content of a table that it reads, whatever its order of rows |
| sources | for the notebook that collects: the files, by size and time; a database cannot be asked |

A chapter whose parts are all the same is taken from the report that is there: it would come out the same.
"""

from __future__ import annotations

import ast
import hashlib
import json
import platform
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import nbformat

from workbook.data.notebooks import Notebook
from workbook.data.periods import Period, period_of
from workbook.data.publications import first_published
from workbook.data.settings import Settings
from workbook.data.store import Store
from workbook.decisions import fingerprint as decided
from workbook.output.report.execution import in_language
from workbook.output.report.freshness import LIBRARY, documents, sources_state

Parts = dict[str, str]
COLLECTS = "raw/*"  # what the notebook makes that reads the sources
COMPARING = ("page.figures(", "run.previous(")  # calls that look at what was told of the period before
DECISIONS = LIBRARY / "decisions" / "register.py"  # who reaches it settles what was decided
_one_at_a_time = threading.Lock()
SEGMENTS = LIBRARY / "segments.py"  # who reaches it shows what people have saved


def parts(
    notebook: Notebook, lang: str, parameters: Mapping[str, Any], *, settings: Settings, store: Store,
    period: Period | None,
) -> Parts | None:
    """What one chapter in one language is made from now: part → hash. None where that cannot be told."""
    if COLLECTS in notebook.makes:
        sources = sources_state(settings)
        if not sources:
            return None
        read = {"sources": sources}
    else:
        read = {f"table {name}": content for name, content in _tables(notebook, store, period)}
    cells = in_language(nbformat.read(notebook.path, as_version=4), lang).cells
    files = reached(notebook.path)
    declared = settings.model_dump_json(exclude={"chapters", "notify"})  # who is told changes no figure
    return {
        "notebook": _hash(cell.source for cell in cells),
        "parameters": _hash([json.dumps(parameters, sort_keys=True, default=str)]),
        "settings": _hash([declared]),
        "library": _library(notebook, files),
        "catalog": _catalog(notebook.name, lang),
        "versions": _hash([platform.python_version(), _lock(), duckdb.__version__]),
        "period_before": _before(notebook, settings, period),
        "frozen": frozen(notebook, store),
        **({"decisions": decided(settings, as_of=period and period.end)} if DECISIONS in files else {}),
        **({"documents": documents(store.below or store)} if SEGMENTS in files else {}),
        **read,
    }


def frozen(notebook: Notebook, store: Store) -> str:
    """The rules that a chapter keeps; asked again after it ran, since it may have fitted them just then."""
    kept = {name: store.document(name) for name in store.document_names("frozen")}
    return _hash([json.dumps({name: rule for name, rule in kept.items() if rule.get("made_by") == notebook.name},
                             sort_keys=True)])


def changed(before: Parts | None, now: Parts | None) -> tuple[str, ...]:
    """The parts that differ, in order; `sources` where it cannot be told, `first` where there is nothing before."""
    if now is None:
        return ("sources",)
    if before is None:
        return ("first",)
    return tuple(name for name in dict.fromkeys([*now, *before]) if now.get(name) != before.get(name))


def _tables(notebook: Notebook, store: Store, period: Period | None) -> Iterator[tuple[str, str]]:
    """The tables that a notebook reads and that are there, with the hash of their content."""
    prefix = f"{period.end.isoformat()}/" if period else ""
    wanted = (*notebook.needs, *notebook.optional)
    for full in store.names():
        name = full.removeprefix(prefix)
        if any(fnmatch(name, pattern) for pattern in wanted):
            entry = store.entry(full)
            yield name, f"{entry.content} {entry.rows} {sorted(entry.schema.items())}"


def _hash(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]


def _library(notebook: Notebook, files: set[Path]) -> str:
    own = LIBRARY / "data" / "metrics" / f"{notebook.name}.yaml"
    told = (*sorted(files), *([own] if own.exists() else []))
    return _hash(path.read_text(encoding="utf-8") for path in told)


def reached(notebook: Path) -> set[Path]:
    """The files of this library that a notebook's cells import, and that those import."""
    cells = nbformat.read(notebook, as_version=4).cells
    lines = (line for cell in cells if cell.cell_type == "code" for line in cell.source.splitlines())
    code = "\n".join(line for line in lines if not line.startswith(("%", "!")))
    return _reached(_modules(_parsed(code)))


def look_ahead(notebooks: Iterable[Notebook]) -> None:
    """Read the library's modules that notebooks reach, while others run: each is read once."""
    for notebook in notebooks:
        reached(notebook.path)


def _reached(names: Iterable[str]) -> set[Path]:
    """The files of this library's modules of that name, and of all that they import."""
    waiting, seen = list(names), set()
    while waiting:
        path = _file(waiting.pop())
        if path is not None and path not in seen:
            seen.add(path)
            waiting += _imports(path, path.stat().st_mtime_ns)
    return seen


def _file(module: str) -> Path | None:
    """The file of a module; of `package.name` where name is no module, that of the package."""
    parts = module.split(".")[1:]
    for place in (LIBRARY.joinpath(*parts), LIBRARY.joinpath(*parts[:-1])):
        for path in (place / "__init__.py", place.with_suffix(".py")):
            if path.exists():
                return path
    return None


@cache
def _imports(path: Path, _changed_at: int) -> tuple[str, ...]:
    package = ".".join(("workbook", *path.relative_to(LIBRARY).parts[:-1]))
    return (package, *_modules(_parsed(path.read_text(encoding="utf-8"))))


def _parsed(code: str) -> ast.AST:
    """One at a time: Python 3.11 counts the depth of a tree for all threads together, and fails when they mix."""
    with _one_at_a_time:
        return ast.parse(code)


def _modules(tree: ast.AST) -> Iterator[str]:
    """What a syntax tree imports out of this library; `from a import b` may name a module or something in one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] == "workbook")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "workbook":
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _catalog(chapter: str, lang: str) -> str:
    files = [path for path in sorted((LIBRARY / "locale" / lang).glob("*.po"))
             if path.stem == chapter or not path.stem[:2].isdigit()]
    return _hash(path.read_text(encoding="utf-8") for path in files)


def _lock() -> str:
    lock = LIBRARY.parents[1] / "requirements.lock"
    return lock.read_text(encoding="utf-8") if lock.exists() else ""


def _before(notebook: Notebook, settings: Settings, period: Period | None) -> str:
    """What was first told of the period before, where a cell of the chapter compares with it."""
    found = first_published(settings, period.previous().label) if period and _compares(notebook) else {}
    own = {name: asdict(finding) for name, finding in found.get(notebook.name, {}).items()}
    return _hash([json.dumps(own, sort_keys=True)])


def _compares(notebook: Notebook) -> bool:
    cells = nbformat.read(notebook.path, as_version=4).cells
    return any(call in cell.source for cell in cells if cell.cell_type == "code" for call in COMPARING)


def compared_with(settings: Settings, period: Period) -> str:
    """A hash of all that was first published of the period before: the first page compares with that."""
    found = first_published(settings, period.previous().label)
    told = {chapter: {name: asdict(one) for name, one in own.items()} for chapter, own in found.items()}
    return _hash([json.dumps(told, sort_keys=True)])


def is_behind(settings: Settings, folder: Path) -> bool:
    """Whether a report is there, and compares with a period before of which less was published then than now."""
    file = folder / "run.json"
    if not file.exists():
        return False
    record = json.loads(file.read_text(encoding="utf-8"))
    period = period_of(record["period"], settings.period)
    return record.get("compared_with") != compared_with(settings, period)
