"""Is this machine ready? Python, packages, folders, and the parts that only some shops need.

Codes and values only; `output.words.start_here` says them in the reader's language.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, NamedTuple

from packaging.requirements import Requirement

from workbook.data import known
from workbook.data.schema import TABLES
from workbook.data.settings import Settings, Source

DISTRIBUTION = "customer-workbook"
PYTHON = (3, 11)
FREE_GIGABYTES = 2.0  # a year of a million customers, measured, and its report
State = Literal["ready", "missing", "optional"]


class Check(NamedTuple):
    """One thing looked at."""

    code: str  # python, packages, settings, sources, folder, disk, key, postgres, spark, glyphs
    state: State  # missing: must be mended; optional: missing, and only some shops need it
    found: str  # what is there, as a version, a path or a number; empty where nothing is
    wanted: str = ""  # what is needed


class Arrival(NamedTuple):
    """One declared source and what lies there now."""

    name: str
    table: str  # canonical table; empty where the headers decide
    place: str  # path as declared, or the kind of database
    files: int | None  # files found; None for a database, which is asked by `workbook check`
    megabytes: float | None


def check(settings: Settings, *, fonts: Sequence[str]) -> list[Check]:
    """Everything looked at, in the order in which to mend it; `fonts` are the families that charts draw with."""
    looks: list[Callable[[Settings], Check]] = [
        _python, _packages, _sources, _folder, _disk, _key, _postgres, _spark,
    ]  # fmt: skip
    return [*(look(settings) for look in looks), _glyphs(fonts)]


def arrivals(settings: Settings) -> list[Arrival]:
    """Each declared source and the files that lie there now."""
    return [_arrival(settings, source) for source in settings.sources]


def absent_tables(settings: Settings) -> dict[str, str]:
    """Canonical tables that no source brings → what each would switch on."""
    brought = {table for source in settings.sources for table in known.tables_of(source)}
    if brought & {"orders", "order_lines"}:
        brought |= {"orders", "order_lines"}  # either is derived from the other
    return {name: table.switches_on for name, table in TABLES.items() if name not in brought and table.switches_on}


def _arrival(settings: Settings, source: Source) -> Arrival:
    if source.url is not None:
        kind = source.url.get_secret_value().partition(":")[0]
        return Arrival(source.label, source.table, kind, None, None)
    files = list(_files(settings, source))
    size = sum(file.stat().st_size for file in files) / 1e6
    return Arrival(source.label, source.table, source.path, len(files), size)


def _files(settings: Settings, source: Source) -> Iterator[Path]:
    place = Path(settings.path_of(source))
    fixed = place.parent
    while re.search(r"[*?\[]", str(fixed)):
        fixed = fixed.parent
    return (file for file in fixed.glob(str(place.relative_to(fixed))) if file.is_file())


def _python(settings: Settings) -> Check:
    found = ".".join(map(str, sys.version_info[:3]))
    wanted = ".".join(map(str, PYTHON))
    return Check("python", "ready" if sys.version_info >= PYTHON else "missing", found, wanted)


def _packages(settings: Settings) -> Check:
    """Every package that the workbook declares, at a version that fits."""
    declared = [Requirement(text) for text in requires(DISTRIBUTION) or []]
    needed = [package for package in declared if package.marker is None or package.marker.evaluate({"extra": ""})]
    wrong = [str(package) for package in needed if not _fits(package)]
    fit = f"{len(needed) - len(wrong)}/{len(needed)}"
    return Check("packages", "missing" if wrong else "ready", fit, ", ".join(wrong))


def _fits(package: Requirement) -> bool:
    try:
        return package.specifier.contains(version(package.name), prereleases=True)
    except PackageNotFoundError:
        return False


def _sources(settings: Settings) -> Check:
    lie = arrivals(settings)
    empty = [arrival.name for arrival in lie if arrival.files == 0]
    return Check("sources", "missing" if empty else "ready", f"{len(lie) - len(empty)}/{len(lie)}", ", ".join(empty))


def _folder(settings: Settings) -> Check:
    writable = os.access(settings.folder, os.W_OK)
    return Check("folder", "ready" if writable else "missing", str(settings.folder))


def _disk(settings: Settings) -> Check:
    free = shutil.disk_usage(settings.folder).free / 1e9
    return Check("disk", "ready" if free >= FREE_GIGABYTES else "missing", f"{free:.1f}", f"{FREE_GIGABYTES:.0f}")


def _glyphs(fonts: Sequence[str]) -> Check:
    """Whether Chinese can be drawn: matplotlib's own face cannot."""
    chinese = [family for family in fonts if family != "DejaVu Sans"]
    return Check("glyphs", "ready" if chinese else "missing", ", ".join(chinese))


def _key(settings: Settings) -> Check:
    """The key that pseudonyms are made with: needed as soon as a source brings a personal column."""
    declared = settings.privacy.key.get_secret_value()
    unset = [name for name in re.findall(r"\$\{(\w+)\}", declared) if not os.environ.get(name)]
    if not unset:
        return Check("key", "ready", settings.privacy.key_id)
    personal = [source.label for source in settings.sources if _brings_person(source)]
    return Check("key", "missing" if personal else "optional", "", ", ".join(personal))


def _brings_person(source: Source) -> bool:
    columns = source.columns if isinstance(source.columns, list) else list(source.columns.values())
    table = TABLES.get(source.table)
    return table is not None and any(column.name in columns for column in table.personal if column.becomes)


def _postgres(settings: Settings) -> Check:
    asked = any(source.url and source.url.get_secret_value().startswith("postgres") for source in settings.sources)
    if find_spec("psycopg"):
        return Check("postgres", "ready", version("psycopg"))
    return Check("postgres", "missing" if asked else "optional", "")


def _spark(settings: Settings) -> Check:
    asked = settings.engine.url.startswith("spark")
    if find_spec("pyspark") and (shutil.which("java") or "JAVA_HOME" in os.environ):
        return Check("spark", "ready", version("pyspark"))
    return Check("spark", "missing" if asked else "optional", "java" if shutil.which("java") else "")
