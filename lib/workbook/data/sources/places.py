"""Where the pieces of a source lie: files, members of a zip, sheets, tables of a database."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import SecretStr

from workbook.data.errors import WorkbookError
from workbook.data.settings import Source, secret
from workbook.data.sources.excel import sheets_of
from workbook.data.sources.piece import Kind, Piece, broken

_EXCEL = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


def find(source: Source, folder: Path) -> list[Piece]:
    """The pieces of a source, in the order of their names.

    Raises:
        WorkbookError: when nothing is there, with the nearest names that are.
    """
    if source.url is not None:
        return [_database(source, folder)]
    paths = _paths(source, folder)
    pieces = [piece for path in paths for piece in _pieces_of(path, source, folder)]
    if not pieces:
        raise WorkbookError(
            f"Source {source.label!r}: {source.path} has no member that matches {source.member!r}.",
            way_out="Correct `member`, or leave it out to read every member.",
        )
    return pieces


def _paths(source: Source, folder: Path) -> list[Path]:
    written = secret(SecretStr(source.path))  # fills in ${ENV_NAME}
    given = Path(written).expanduser()
    base, pattern = (
        (Path(given.anchor), str(given.relative_to(given.anchor))) if given.is_absolute() else (folder, written)
    )
    if (base / pattern).is_dir():
        pattern = pattern.rstrip("/") + "/*"
    exact = base / pattern
    found = (
        [exact]
        if exact.is_file()
        else sorted(
            (path for path in base.glob(pattern) if path.is_file() and not path.name.startswith((".", "~$"))),
            key=lambda path: natural(str(path)),
        )
    )
    if found:
        return found
    near = get_close_matches(exact.name, [path.name for path in exact.parent.glob("*")], n=1, cutoff=0.4)
    raise WorkbookError(
        f"Source {source.label!r}: there is no file {source.path}.",
        why=f"Looked in {exact.parent}.",
        way_out=f"Did you mean {near[0]}?" if near else "Correct `path`: relative to the folder of workbook.yaml.",
    )


def natural(text: str) -> list[tuple[int, int | str]]:
    """Sort key in which 2 comes before 10."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", text) if part]


def _shown(path: Path, folder: Path, source: Source) -> str:
    """How reports call a file: its place in the workspace; outside of it, its place in the folder that is declared."""
    if path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    fixed = Path(secret(SecretStr(source.path))).expanduser() if source.path else path
    while fixed != fixed.parent and (re.search(r"[*?\[]", str(fixed)) or not path.is_relative_to(fixed)):
        fixed = fixed.parent
    return path.relative_to(fixed if fixed.is_dir() else fixed.parent).as_posix()


def _pieces_of(path: Path, source: Source, folder: Path) -> Iterator[Piece]:
    stat, name = path.stat(), _shown(path, folder, source)
    modified = datetime.fromtimestamp(stat.st_mtime, UTC).replace(tzinfo=None)
    kind = _kind(path, source)
    if kind == "zip":
        yield from _members(path, source, name, modified)
    elif kind == "excel":
        for sheet in sheets_of(path, source):
            yield Piece(f"{name}#{sheet}", "excel", path, sheet=sheet, size=stat.st_size, modified=modified)
    elif kind == "sqlite":
        yield _sqlite_piece(path, source, folder)
    else:
        yield Piece(name, kind, path, size=stat.st_size, modified=modified)


def _kind(path: Path, source: Source) -> Literal[Kind, "zip"]:
    with path.open("rb") as stream:
        magic = stream.read(16)
    if magic[:4] == b"PK\x03\x04" and path.suffix.lower() not in _EXCEL:
        return "zip"
    if source.format != "auto":
        return "text" if source.format in ("csv", "aligned") else source.format
    if path.suffix.lower() in _EXCEL:
        return "excel"
    if magic.startswith(b"PAR1"):
        return "parquet"
    if magic.startswith(b"SQLite format 3"):
        return "sqlite"
    return _text_kind(path.name)


def _text_kind(name: str) -> Kind:
    plain = name.lower().removesuffix(".gz")
    return "jsonl" if plain.endswith((".jsonl", ".ndjson", ".json")) else "text"


def _members(path: Path, source: Source, name: str, modified: datetime) -> Iterator[Piece]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = sorted(archive.infolist(), key=lambda member: natural(member.filename))
    except zipfile.BadZipFile as error:
        raise broken(name, error) from error
    for member in members:
        ignored = member.is_dir() or member.filename.startswith("__MACOSX") or Path(member.filename).name[0] == "."
        if ignored or (source.member and not fnmatch(member.filename, source.member)):
            continue
        kind = "jsonl" if source.format == "jsonl" else _text_kind(member.filename)
        yield Piece(
            f"{name}!{member.filename}", kind, path, member=member.filename, size=member.file_size, modified=modified
        )


def _database(source: Source, folder: Path) -> Piece:
    url = secret(source.url)
    scheme, rest = url.split(":", 1)
    if scheme == "sqlite":
        path = Path(rest.removeprefix("///"))
        path = path if path.is_absolute() else folder / path
        if not path.is_file():
            raise WorkbookError(
                f"Source {source.label!r}: there is no SQLite file {_shown(path, folder, source)}.",
                way_out="Correct `url`: sqlite:///FILE, relative to the folder of workbook.yaml.",
            )
        return _sqlite_piece(path, source, folder)
    if scheme in ("postgres", "postgresql"):
        parts = urlsplit(url)
        return Piece(f"postgresql://{parts.hostname or ''}{parts.path}#{_what(source)}", "postgres")
    raise WorkbookError(
        f"Source {source.label!r}: {scheme} is no database that can be read.",
        way_out="Write sqlite:///FILE or postgresql://USER:${PASSWORD}@HOST/DATABASE.",
    )


def _sqlite_piece(path: Path, source: Source, folder: Path) -> Piece:
    # Unfinished changes lie in the write-ahead log, and only its time tells.
    parts = [part for part in (path, path.with_name(path.name + "-wal")) if part.exists()]
    newest = max(part.stat().st_mtime for part in parts)
    return Piece(
        f"{_shown(path, folder, source)}#{_what(source)}",
        "sqlite",
        path,
        size=sum(p.stat().st_size for p in parts),
        modified=datetime.fromtimestamp(newest, UTC).replace(tzinfo=None),
    )


def _what(source: Source) -> str:
    if not (source.query or source.from_table):
        raise WorkbookError(
            f"Source {source.label!r} is a database, but says neither table nor query.",
            way_out="Add `from_table: NAME` or `query: SELECT …`.",
        )
    return source.from_table or "query " + hashlib.sha256(source.query.encode()).hexdigest()[:8]
