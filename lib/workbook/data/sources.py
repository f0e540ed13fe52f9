"""Any declared source as record batches of text, with the row of the file that each came from.

A declared source falls into pieces: a file, a member of a zip, a sheet, a database table. A piece
is read as a stream; at no time is more than a few blocks of it in memory. Every value arrives as
the text that was written (`parsing` types it), beside `source_row`: the line that an editor or a
spreadsheet shows (a header is line 1), for databases the row of the result. A line that does not
fit its file (too many or too few fields) is not fatal: it is listed in `Reading.rejected`.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import json
import re
import sqlite3
import statistics
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple
from urllib.parse import quote, urlsplit

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from pydantic import SecretStr

from workbook.data.errors import WorkbookError
from workbook.data.settings import Source, secret

Kind = Literal["text", "excel", "jsonl", "parquet", "sqlite", "postgres"]
ROW = "source_row"
_BLOCK = 8 << 20  # bytes of text parsed at a time
_ROWS = 20_000  # rows handed on at a time where there are no blocks
_HEAD = 256 << 10  # bytes looked at to find delimiter and header
_DELIMITERS = (",", ";", "\t", "|", "^", "\x01")
_EXCEL = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_LONGEST_VALUE_LINES = 200  # a value over more lines is a quote that was never closed


class Rejected(NamedTuple):
    """A line that could not be taken apart."""

    row: int
    reason: str
    detail: str  # holds no value of the line


@dataclass(frozen=True)
class Piece:
    """What is read as one: a file, a member of a zip, a sheet, a table."""

    name: str  # as reports call it: orders.csv.gz, days.zip!2011-01-16.csv, book.xlsx#March
    kind: Kind
    path: Path | None = None
    member: str = ""
    sheet: str = ""
    size: int = 0  # bytes
    modified: datetime | None = None  # UTC; None where nothing tells


@dataclass
class Reading:
    """A piece being read."""

    columns: list[str]  # the names found; `column_1` … where there was no header
    batches: Iterator[pa.RecordBatch]  # text columns, and source_row
    encoding: str = ""
    delimiter: str = ""
    rejected: list[Rejected] = field(default_factory=list)  # grows while the batches are drawn
    repeated: tuple[str, ...] = ()  # names that the header has more than once


# --- finding the pieces ------------------------------------------------------------------------


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
    base, pattern = (Path(given.anchor), str(given.relative_to(given.anchor))) if given.is_absolute() else (
        folder, written)
    if (base / pattern).is_dir():
        pattern = pattern.rstrip("/") + "/*"
    exact = base / pattern
    found = [exact] if exact.is_file() else sorted(
        (path for path in base.glob(pattern) if path.is_file() and not path.name.startswith((".", "~$"))),
        key=lambda path: _natural(str(path)))
    if found:
        return found
    near = get_close_matches(exact.name, [path.name for path in exact.parent.glob("*")], n=1, cutoff=0.4)
    raise WorkbookError(
        f"Source {source.label!r}: there is no file {source.path}.",
        why=f"Looked in {exact.parent}.",
        way_out=f"Did you mean {near[0]}?" if near else "Correct `path`: relative to the folder of workbook.yaml.",
    )


def _natural(text: str) -> list[tuple[int, int | str]]:
    """Sort key in which 2 comes before 10."""
    return [(0, int(part)) if part.isdigit() else (1, part) for part in re.split(r"(\d+)", text) if part]


def _shown(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()


def _pieces_of(path: Path, source: Source, folder: Path) -> Iterator[Piece]:
    stat, name = path.stat(), _shown(path, folder)
    modified = datetime.fromtimestamp(stat.st_mtime, UTC).replace(tzinfo=None)
    kind = _kind(path, source)
    if kind == "zip":
        yield from _members(path, source, name, modified)
    elif kind == "excel":
        for sheet in _sheets(path, source):
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
            members = sorted(archive.infolist(), key=lambda member: _natural(member.filename))
    except zipfile.BadZipFile as error:
        raise _broken(name, error) from error
    for member in members:
        ignored = member.is_dir() or member.filename.startswith("__MACOSX") or Path(member.filename).name[0] == "."
        if ignored or (source.member and not fnmatch(member.filename, source.member)):
            continue
        kind = "jsonl" if source.format == "jsonl" else _text_kind(member.filename)
        yield Piece(f"{name}!{member.filename}", kind, path, member=member.filename, size=member.file_size,
                    modified=modified)


def _database(source: Source, folder: Path) -> Piece:
    url = secret(source.url)
    scheme, rest = url.split(":", 1)
    if scheme == "sqlite":
        path = Path(rest.removeprefix("///"))
        path = path if path.is_absolute() else folder / path
        if not path.is_file():
            raise WorkbookError(f"Source {source.label!r}: there is no SQLite file {_shown(path, folder)}.",
                                way_out="Correct `url`: sqlite:///FILE, relative to the folder of workbook.yaml.")
        return _sqlite_piece(path, source, folder)
    if scheme in ("postgres", "postgresql"):
        parts = urlsplit(url)
        return Piece(f"postgresql://{parts.hostname or ''}{parts.path}#{_what(source)}", "postgres")
    raise WorkbookError(f"Source {source.label!r}: {scheme} is no database that can be read.",
                        way_out="Write sqlite:///FILE or postgresql://USER:${PASSWORD}@HOST/DATABASE.")


def _sqlite_piece(path: Path, source: Source, folder: Path) -> Piece:
    # Unfinished changes lie in the write-ahead log, and only its time tells.
    parts = [part for part in (path, path.with_name(path.name + "-wal")) if part.exists()]
    newest = max(part.stat().st_mtime for part in parts)
    return Piece(f"{_shown(path, folder)}#{_what(source)}", "sqlite", path, size=sum(p.stat().st_size for p in parts),
                 modified=datetime.fromtimestamp(newest, UTC).replace(tzinfo=None))


def _what(source: Source) -> str:
    if not (source.query or source.from_table):
        raise WorkbookError(f"Source {source.label!r} is a database, but says neither table nor query.",
                            way_out="Add `from_table: NAME` or `query: SELECT …`.")
    return source.from_table or "query " + hashlib.sha256(source.query.encode()).hexdigest()[:8]


def fingerprint(piece: Piece) -> str:
    """SHA-256 of the bytes of a piece; "" for a database server, which has none."""
    if piece.path is None:
        return ""
    digest = hashlib.sha256()
    try:
        with _raw(piece) as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise _broken(piece.name, error) from error
    return digest.hexdigest()


def _raw(piece: Piece) -> IO[bytes]:
    return zipfile.ZipFile(piece.path).open(piece.member) if piece.member else piece.path.open("rb")


def _broken(name: str, error: Exception) -> WorkbookError:
    return WorkbookError(
        f"{name} is damaged or was cut off: {error}.",
        why="Reading only its first part would look like a month with few sales.",
        way_out="Copy or download the file again; nothing of it was taken.",
    )


# --- reading -----------------------------------------------------------------------------------


def read(
    piece: Piece,
    source: Source,
    *,
    wanted: Callable[[list[str]], list[str]] | None = None,
    tick: Callable[[int], object] = int,
) -> Reading:
    """Open a piece.

    Args:
        wanted: takes the names found and returns those to read; all of them when left out.
        tick: told how many bytes of a text piece were taken, as they are.

    Raises:
        WorkbookError: an empty, damaged, misdeclared or unreachable piece.
    """
    choose = wanted or list
    match piece.kind:
        case "text":
            return _read_text(piece, source, choose, tick)
        case "excel":
            return _read_excel(piece, source, choose)
        case "jsonl":
            return _read_json_lines(piece, source, choose)
        case "parquet":
            return _read_parquet(piece, choose)
        case "sqlite":
            return _read_sqlite(piece, source, choose)
        case _:
            return _read_postgres(piece, source, choose)


class _Stream(io.RawIOBase):
    """Blocks of bytes as a file."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks, self._rest = blocks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._rest:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._rest = block
        taken = self._rest[: len(buffer)]
        buffer[: len(taken)] = taken
        self._rest = self._rest[len(taken):]
        return len(taken)


def _file(blocks: Iterator[bytes]) -> io.BufferedReader:
    return io.BufferedReader(_Stream(blocks), 1 << 20)


def _unpacked(piece: Piece, tick: Callable[[int], object] = int) -> Iterator[bytes]:
    """The bytes of a text piece, unpacked; a damaged archive is told as such."""
    try:
        with _raw(piece) as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            told = 0
            with (gzip.open(raw) if packed else raw) as stream:
                while block := stream.read(1 << 20):
                    tick(raw.tell() - told)
                    told = raw.tell()
                    yield block
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
        raise _broken(piece.name, error) from error


def _decoded(piece: Piece, encoding: str, tick: Callable[[int], object] = int) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    try:
        for block in _unpacked(piece, tick):
            yield decoder.decode(block)
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise WorkbookError(
            f"{piece.name} is not {encoding}: byte 0x{error.object[error.start]:02x} does not fit.",
            why="Reading it anyway would spoil names and categories without a word.",
            way_out="Leave `encoding` out and it is found for each file, or name the right one (gb18030, cp1252, …).",
        ) from None


def find_encoding(piece: Piece) -> str:
    """The encoding of a text piece, by decisive tests on the whole of it.

    A byte order mark decides; so do zero bytes (UTF-16 without mark); what is valid UTF-8 to the
    last byte is UTF-8; what is valid GB18030 and is mostly everyday Chinese characters is GB18030;
    anything else is Windows' Latin-1.
    """
    head = next(_unpacked(piece), b"")
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    zeros = np.frombuffer(head[:_HEAD], dtype=np.uint8) == 0
    if zeros.mean() > 0.2 if len(zeros) else False:
        return "utf-16-le" if zeros[1::2].mean() > zeros[0::2].mean() else "utf-16-be"
    if _fits(piece, "utf-8"):
        return "utf-8"
    if _fits(piece, "gb18030") and _is_everyday_chinese(piece):
        return "gb18030"
    return "cp1252" if _fits(piece, "cp1252") else "latin-1"


def _fits(piece: Piece, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    try:
        for block in _unpacked(piece):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _is_everyday_chinese(piece: Piece) -> bool:
    """Whether most bytes beyond ASCII are pairs of GB 2312, where accented Latin letters stand alone."""
    pairs = beyond = 0
    for block in _unpacked(piece):
        high = re.findall(rb"[\x80-\xff]+[\x30-\x7e]?", block)
        beyond += sum(len(run.rstrip(bytes(range(0x80)))) for run in high)
        pairs += sum(2 * len(re.findall(rb"[\xa1-\xa9\xb0-\xf7][\xa1-\xfe]", run)) for run in high)
        if beyond > 1 << 16:
            break
    return pairs >= 0.8 * beyond


def _read_text(
    piece: Piece, source: Source, choose: Callable[[list[str]], list[str]], tick: Callable[[int], object]
) -> Reading:
    encoding = source.encoding or find_encoding(piece)
    head = _head(piece, encoding)
    if not head.strip():
        raise _empty(piece)
    aligned = source.format == "aligned" or (not source.delimiter and source.format == "auto" and _is_aligned(head))
    delimiter = "\t" if aligned else source.delimiter or find_delimiter(head)
    if len(delimiter) != 1:
        raise WorkbookError(f"Source {source.label!r}: the delimiter {delimiter!r} is not one character.",
                            way_out="Write one character, or `format: aligned` for columns aligned by blanks.")
    rows = _rows(_aligned_text(head) if aligned else head, delimiter)
    layout = _layout(rows, source, piece)
    blocks = _unpacked(piece, tick) if encoding in ("utf-8", "utf-8-sig") else (
        text.encode() for text in _decoded(piece, encoding, tick))
    stream = _file(_aligned_blocks(blocks) if aligned else blocks)
    reading = Reading(layout.names, iter(()), encoding, "blanks" if aligned else delimiter, repeated=layout.repeated)
    reading.batches = _csv_batches(stream, reading, delimiter, layout, choose(layout.names), piece)
    return reading


def _head(piece: Piece, encoding: str) -> str:
    """The first whole lines."""
    text = ""
    for part in _decoded(piece, encoding):
        text += part
        if len(text) >= _HEAD:
            break
    text = text.removeprefix("\ufeff")
    return text if len(text) < _HEAD else text[: text.rfind("\n", 0, _HEAD) + 1] or text[:_HEAD]


def find_delimiter(head: str) -> str:
    """The delimiter that cuts the first lines into the most even rows."""
    def evenness(delimiter: str) -> tuple[float, int]:
        counts = [len(row) for row in _rows(head, delimiter)[:200] if row]
        usual = statistics.mode(counts) if counts else 0
        return (counts.count(usual) / len(counts) if usual > 1 else 0.0, usual)

    best = max(_DELIMITERS, key=lambda delimiter: (round(evenness(delimiter)[0], 1), evenness(delimiter)[1]))
    return best if evenness(best)[1] > 1 else ","


def _rows(head: str, delimiter: str) -> list[list[str]]:
    csv.field_size_limit(max(csv.field_size_limit(), 2 * _HEAD))
    return list(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter))


def _is_aligned(head: str) -> bool:
    """No delimiter, and blanks cut every line into the same number of fields."""
    lines = [line for line in head.splitlines()[:200] if line.strip()]
    if not lines or any(delimiter in head for delimiter in (",", ";", "\t", "|")):
        return False
    counts = {len(line.split()) for line in lines}
    return len(counts) == 1 and counts.pop() > 1 and any("  " in line.rstrip() for line in lines)


def _aligned_text(text: str) -> str:
    return "\n".join("\t".join(line.split()) for line in text.splitlines())


def _aligned_blocks(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Runs of blanks as one tab, line by line."""
    rest = b""
    for block in blocks:
        lines, _, rest = (rest + block).rpartition(b"\n")
        yield _one_tab(lines) + b"\n" if lines else b""
    yield _one_tab(rest)


def _one_tab(lines: bytes) -> bytes:
    bare = re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", lines)
    return re.sub(rb"[ \t]+", b"\t", bare)


class _Layout(NamedTuple):
    names: list[str]
    repeated: tuple[str, ...]
    first_line: int  # lines before the first data row


def _layout(rows: Sequence[Sequence[str]], source: Source, piece: Piece) -> _Layout:
    """Names of the columns, and how many lines stand before the data.

    Titles above a header are passed over: the header is the first row that is as wide as most.
    """
    filled = [len(row) for row in rows if any(cell.strip() for cell in row)]
    if not filled:
        raise _empty(piece)
    width = statistics.mode(filled)
    top = next(i for i, row in enumerate(rows) if len(row) >= width and any(cell.strip() for cell in row))
    wanted = {tidy_name(name) for name in source.columns} if isinstance(source.columns, dict) else set()
    named = next((i for i, row in enumerate(rows[:50]) if wanted & {tidy_name(cell) for cell in row}), None)
    top = named if named is not None else top
    lines = sum(1 + sum(cell.count("\n") for cell in row) for row in rows[:top])
    has_header = source.header if source.header is not None else (named is not None or _is_header(rows[top:]))
    if isinstance(source.columns, list):
        names = _listed_names(source, len(rows[top]), piece)
        return _Layout(names, (), lines + (1 if has_header else 0))
    if not has_header:
        return _Layout([f"column_{i}" for i in range(1, len(rows[top]) + 1)], (), lines)
    names, repeated = _unique_names(rows[top])
    own_lines = 1 + sum(cell.count("\n") for cell in rows[top])
    return _Layout(names, repeated, lines + own_lines)


def _listed_names(source: Source, width: int, piece: Piece) -> list[str]:
    if len(source.columns) != width:
        raise WorkbookError(
            f"{piece.name} has {width} columns; `columns` of source {source.label!r} lists {len(source.columns)}.",
            why="Counting columns wrongly would put every value into the wrong place.",
            way_out='List one name per column, "-" for one to leave out.',
        )
    return [name if name != "-" else f"column_{i}" for i, name in enumerate(source.columns, start=1)]


def _unique_names(cells: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """Header cells as names of their own: the second `amount` is `amount (2)`."""
    names: list[str] = []
    repeated = []
    for i, cell in enumerate(cells, start=1):
        plain = re.sub(r"\s+", " ", cell.removeprefix("\ufeff")).strip() or f"column_{i}"
        times = sum(re.fullmatch(re.escape(plain) + r"(?: \(\d+\))?", name) is not None for name in names)
        repeated += [plain] if times else []
        names.append(f"{plain} ({times + 1})" if times else plain)
    return names, tuple(dict.fromkeys(repeated))


def tidy_name(name: str) -> str:
    """A header as it is compared: without blanks, case and full-width forms.

    >>> tidy_name(" Customer ID ") == tidy_name("customer_id")
    True
    """
    narrow = name.translate({0xFF08: "(", 0xFF09: ")", 0x3000: " ", 0xFEFF: None})
    return re.sub(r"[\s_\-]+", "", narrow).casefold()


def _is_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first row is words over columns that hold something else."""
    first = [cell.strip() for cell in rows[0]]
    if any(_is_value(cell) for cell in first):
        return False
    below = [row for row in rows[1:100] if len(row) == len(first)]
    if not below or any(_is_value(cell.strip()) for row in below for cell in row):
        return True
    return all(first[i] not in {row[i].strip() for row in below} for i in range(len(first)))


def _is_value(cell: str) -> bool:
    return not cell or re.fullmatch(r"[-+(]?[¥$€£]?[\d.,:/\- )TZ]*\d[\d.,:/\- )TZ]*", cell) is not None


def _empty(piece: Piece) -> WorkbookError:
    return WorkbookError(
        f"{piece.name} is empty.",
        why="An empty file is more often a failed export than a period without records.",
        way_out="Export it again, or take it out of the folder that `path` names.",
    )


def _csv_batches(
    stream: IO[bytes], reading: Reading, delimiter: str, layout: _Layout, chosen: list[str], piece: Piece
) -> Iterator[pa.RecordBatch]:
    """Blocks of a CSV stream as text, rows that do not fit set aside, line numbers kept."""
    misfits: list[pa_csv.InvalidRow] = []

    def set_aside(row: pa_csv.InvalidRow) -> str:
        misfits.append(row)
        return "skip"

    try:
        reader = pa_csv.open_csv(
            stream,
            # One thread: only then does the reader tell the numbers of the rows that it skips.
            pa_csv.ReadOptions(use_threads=False, block_size=_BLOCK, skip_rows=layout.first_line,
                               column_names=layout.names),
            pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False,
                                invalid_row_handler=set_aside),
            pa_csv.ConvertOptions(column_types=dict.fromkeys(layout.names, pa.string()), strings_can_be_null=False,
                                  include_columns=layout.names),
        )
        yield from _numbered(reader, misfits, reading, layout, chosen)
    except StopIteration:
        return
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error) or "no rows" in str(error).lower():
            return
        raise _unclosed(piece, str(error)) from error


def _numbered(
    reader: Iterable[pa.RecordBatch], misfits: list[pa_csv.InvalidRow], reading: Reading, layout: _Layout,
    chosen: list[str],
) -> Iterator[pa.RecordBatch]:
    line, seen = layout.first_line + 1, 0  # next line of the file; misfits already placed
    row = 0  # rows of the file so far, misfits included
    for batch in reader:
        numbers, extra = _places(batch, misfits[seen:], row, layout.first_line)
        # `number` counts rows as the parser does; lines inside quotes come on top.
        breaks = _line_breaks(batch)
        lines = numbers + (line - row - 1)
        if breaks is not None:
            lines = lines + np.concatenate(([0], np.cumsum(breaks)[:-1]))
            if breaks.max(initial=0) > _LONGEST_VALUE_LINES:
                raise _unclosed_at(int(lines[int(breaks.argmax())]))
        for place, misfit in extra:
            before = int(breaks[numbers < place].sum()) if breaks is not None else 0
            _reject(reading, misfit, place + line - row - 1 + before)
        seen += len(extra)
        taken = len(batch) + len(extra)
        line += taken + (int(breaks.sum()) if breaks is not None else 0)
        row += taken
        yield _chosen(batch, chosen, lines)
    for misfit in misfits[seen:]:
        _reject(reading, misfit, misfit.number - layout.first_line + line - row - 1)


def _places(
    batch: pa.RecordBatch, misfits: list[pa_csv.InvalidRow], row: int, first_line: int
) -> tuple[np.ndarray, list[tuple[int, pa_csv.InvalidRow]]]:
    """Row numbers (1-based, of the data) of a batch, and the misfits that stood among its rows."""
    numbers = np.arange(row + 1, row + 1 + len(batch))
    among = []
    for misfit in misfits:
        place = misfit.number - first_line
        if place > (numbers[-1] if len(numbers) else row):
            break
        numbers = np.where(numbers >= place, numbers + 1, numbers)
        among.append((place, misfit))
    return numbers, among


def _reject(reading: Reading, misfit: pa_csv.InvalidRow, line: int) -> None:
    detail = f"{misfit.actual_columns} of {misfit.expected_columns} fields"
    reading.rejected.append(Rejected(line, "fields_count", detail))


def _chosen(batch: pa.RecordBatch, names: list[str], lines: np.ndarray) -> pa.RecordBatch:
    """The wanted columns with their line; lines that hold nothing at all are left out."""
    nothing = None
    last = batch.column(batch.num_columns - 1)
    if pc.any(pc.equal(last, "")).as_py():
        nothing = pc.and_kleene(pc.equal(last, ""), pc.equal(batch.column(0), ""))
        for column in batch.columns[1:-1] if pc.any(nothing).as_py() else ():
            nothing = pc.and_kleene(nothing, pc.equal(column, ""))
    columns = [batch.column(name) for name in names]
    out = pa.RecordBatch.from_arrays([*columns, pa.array(lines, pa.int64())], names=[*names, ROW])
    return out if nothing is None or not pc.any(nothing).as_py() else out.filter(pc.invert(nothing))


def _line_breaks(batch: pa.RecordBatch) -> np.ndarray | None:
    """Line breaks inside the values of each row; None where there are none at all."""
    total = None
    for column in batch.columns:
        data = column.buffers()[2]
        if data is None or not (np.frombuffer(data, dtype=np.uint8) == 10).any():
            continue
        breaks = pc.fill_null(pc.count_substring(column, "\n"), 0).to_numpy(zero_copy_only=False)
        total = breaks if total is None else total + breaks
    return total if total is not None and total.any() else None


def _unclosed(piece: Piece, detail: str) -> WorkbookError:
    return WorkbookError(
        f"{piece.name} cannot be taken apart into rows: {detail}",
        why="A quotation mark that opens and never closes swallows every row after it.",
        way_out="Look for a lone \" at the start of a value; double it or take it out, or export the file again.",
    )


def _unclosed_at(line: int) -> pa.ArrowInvalid:
    return pa.ArrowInvalid(f"a value that begins in line {line} runs over more than {_LONGEST_VALUE_LINES} lines")


# --- other formats -----------------------------------------------------------------------------


def _sheets(path: Path, source: Source) -> list[str]:
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        names = CalamineWorkbook.from_path(str(path)).sheet_names
    except CalamineError as error:
        raise _broken(path.name, error) from error
    if not source.sheet:
        return names[:1]
    chosen = [name for name in names if fnmatch(name, source.sheet)]
    if not chosen:
        raise WorkbookError(f"{path.name} has no sheet {source.sheet!r}; it has {', '.join(names)}.",
                            way_out='Correct `sheet`; "*" reads every sheet.')
    return chosen


def _read_excel(piece: Piece, source: Source, choose: Callable[[list[str]], list[str]]) -> Reading:
    from python_calamine import CalamineWorkbook

    sheet = CalamineWorkbook.from_path(str(piece.path)).get_sheet_by_name(piece.sheet)
    start = sheet.start or (0, 0)
    rows = [[_cell_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=True)]
    _fill_merged(rows, sheet.merged_cell_ranges or (), start)
    layout = _layout(rows[:100], source, piece)
    reading = Reading(layout.names, iter(()), "excel", "", repeated=layout.repeated)
    body = ((start[0] + i + 1, row) for i, row in enumerate(rows) if i >= layout.first_line)
    reading.batches = _row_batches(body, layout.names, choose(layout.names))
    return reading


def _cell_text(cell: Any) -> str:
    """A cell as text: whole numbers without .0; past 15 digits as Excel itself shows them."""
    match cell:
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case float() if abs(cell) >= 1e15:
            return f"{cell:.2E}"
        case datetime():
            return cell.isoformat(" ")
        case date() | time() | timedelta():
            return str(cell)
        case bool():
            return "true" if cell else "false"
        case _:
            return str(cell)


def _fill_merged(rows: list[list[str]], merged: Iterable[tuple[tuple[int, int], tuple[int, int]]],
                 start: tuple[int, int]) -> None:
    """A value merged over several rows belongs to each of them; one merged over columns stays where it stands."""
    for (top, left), (bottom, right) in merged:
        if left != right or bottom == top:
            continue
        column, first, last = left - start[1], top - start[0], min(bottom - start[0], len(rows) - 1)
        for row in rows[first + 1: last + 1]:
            row[column] = row[column] or rows[first][column]


def _row_batches(rows: Iterable[tuple[int, Sequence[str | None]]], names: list[str],
                 chosen: list[str]) -> Iterator[pa.RecordBatch]:
    """Numbered rows of text as batches; rows that hold nothing are left out."""
    places = [names.index(name) for name in chosen]
    numbers: list[int] = []
    kept: list[Sequence[str | None]] = []

    def batch() -> pa.RecordBatch:
        columns = [pa.array([row[place] if place < len(row) else None for row in kept], pa.string())
                   for place in places]
        return pa.RecordBatch.from_arrays([*columns, pa.array(numbers, pa.int64())], names=[*chosen, ROW])

    for number, row in rows:
        if not any(row):
            continue
        numbers.append(number)
        kept.append(row)
        if len(kept) == _ROWS:
            yield batch()
            numbers, kept = [], []
    if kept:
        yield batch()


def _read_json_lines(piece: Piece, source: Source, choose: Callable[[list[str]], list[str]]) -> Reading:
    encoding = source.encoding or find_encoding(piece)
    names: dict[str, None] = {}
    for _, record in _records(piece, encoding, [], stop=1000):
        names.update(dict.fromkeys(record))
    if not names:
        raise _empty(piece)
    found = list(names)
    chosen = choose(found)
    reading = Reading(found, iter(()), encoding, "json")
    rows = ((line, [record.get(name) for name in chosen])
            for line, record in _records(piece, encoding, reading.rejected))
    reading.batches = _row_batches(rows, chosen, chosen)
    return reading


def _records(piece: Piece, encoding: str, rejected: list[Rejected], *, stop: int = 0) -> Iterator[tuple[int, dict]]:
    """Flat records with their line; numbers stay the text that was written."""
    decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
    for line, text in enumerate(_lines(_decoded(piece, encoding)), start=1):
        if stop and line > stop:
            return
        if not text.strip():
            continue
        try:
            record = decoder.decode(text)
        except json.JSONDecodeError as error:
            rejected.append(Rejected(line, "json", error.msg))
            continue
        if isinstance(record, dict):
            yield line, _flat(record)
        else:
            rejected.append(Rejected(line, "json", "not an object"))


def _lines(texts: Iterable[str]) -> Iterator[str]:
    rest = ""
    for text in texts:
        *lines, rest = (rest + text).split("\n")
        yield from lines
    if rest:
        yield rest


def _flat(record: dict[str, Any], before: str = "") -> dict[str, str | None]:
    """{"customer": {"id": "7"}} → {"customer.id": "7"}; lists stay JSON."""
    flat: dict[str, str | None] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{name}.")
        elif isinstance(value, bool):
            flat[before + name] = "true" if value else "false"
        elif value is None or isinstance(value, str):
            flat[before + name] = value
        else:
            flat[before + name] = json.dumps(value, ensure_ascii=False)
    return flat


def _read_parquet(piece: Piece, choose: Callable[[list[str]], list[str]]) -> Reading:
    try:
        file = pq.ParquetFile(piece.path)
    except pa.ArrowInvalid as error:
        raise _broken(piece.name, error) from error
    names = file.schema_arrow.names
    chosen = choose(names)
    return Reading(names, _parquet_batches(file, chosen), "parquet", "")


def _parquet_batches(file: pq.ParquetFile, chosen: list[str]) -> Iterator[pa.RecordBatch]:
    row = 1
    for batch in file.iter_batches(batch_size=5 * _ROWS, columns=chosen):
        numbers = pa.array(np.arange(row, row + len(batch)), pa.int64())
        texts = [_as_text(batch.column(name)) for name in chosen]
        yield pa.RecordBatch.from_arrays([*texts, numbers], names=[*chosen, ROW])
        row += len(batch)


def _as_text(values: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_timestamp(values.type) and values.type.tz:
        naive = pc.cast(pc.cast(values, pa.timestamp("us", "UTC")), pa.timestamp("us"))
        return pc.binary_join_element_wise(pc.cast(naive, pa.string()), "Z", "")
    return pc.cast(values, pa.string())


# --- databases ---------------------------------------------------------------------------------


def _select(source: Source, names: Sequence[str] | None, *, as_text: bool) -> str:
    """The query with its columns and filter, so that the database sends no more than is needed."""
    inner = f"({source.query.rstrip().rstrip(';')}) AS q" if source.query else _quoted_table(source.from_table)
    columns = "*" if names is None else ", ".join(
        f"CAST({_quoted(name)} AS TEXT) AS {_quoted(name)}" if as_text else _quoted(name) for name in names)
    return f"SELECT {columns} FROM {inner}" + (f" WHERE {source.where}" if source.where else "")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted_table(name: str) -> str:
    return ".".join(_quoted(part) for part in name.split("."))


def _read_sqlite(piece: Piece, source: Source, choose: Callable[[list[str]], list[str]]) -> Reading:
    def connect() -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(piece.path))}?mode=ro", uri=True)

    try:
        with closing(connect()) as con:
            head = con.execute(_select(source, None, as_text=False) + " LIMIT 0")
            names = [column[0] for column in head.description]
            tables = []
    except sqlite3.Error as error:
        with closing(connect()) as con:
            tables = [name for (name,) in con.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")]
        raise _query_refused(piece, error, tables) from error
    chosen = choose(names)
    return Reading(names, _sqlite_batches(connect, _select(source, chosen, as_text=True), chosen, piece), "", "sql")


def _sqlite_batches(connect: Callable[[], sqlite3.Connection], query: str, chosen: list[str],
                    piece: Piece) -> Iterator[pa.RecordBatch]:
    row = 1
    try:
        with closing(connect()) as con:
            cursor = con.execute(query)
            while rows := cursor.fetchmany(_ROWS):
                columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
                numbers = pa.array(np.arange(row, row + len(rows)), pa.int64())
                yield pa.RecordBatch.from_arrays([*columns, numbers], names=[*chosen, ROW])
                row += len(rows)
    except sqlite3.Error as error:
        raise _query_refused(piece, error, []) from error


def _query_refused(piece: Piece, error: Exception, tables: list[str]) -> WorkbookError:
    return WorkbookError(f"{piece.name}: the database says: {str(error).strip()}",
                         way_out=f"Correct the query; its tables are {', '.join(tables)}." if tables else
                         "Correct `query`, `from_table` or `where`, and check that the file is whole.")


def _read_postgres(piece: Piece, source: Source, choose: Callable[[list[str]], list[str]]) -> Reading:
    con = _postgres(piece, source)
    try:
        head = con.execute(_select(source, None, as_text=False) + " LIMIT 0")
        names = [column.name for column in head.description]
    except _postgres_error() as error:
        con.close()
        raise _query_refused(piece, error, []) from error
    chosen = choose(names)
    reading = Reading(names, iter(()), "utf-8", "sql")
    query = _select(source, chosen, as_text=False)
    stream = _file(_copied(con, f"COPY ({query}) TO STDOUT WITH (FORMAT csv)", piece))
    reading.batches = _csv_batches(stream, reading, ",", _Layout(chosen, (), 0), chosen, piece)
    return reading


def _postgres_error() -> type[Exception]:
    import psycopg

    return psycopg.Error


def _postgres(piece: Piece, source: Source) -> Any:
    try:
        import psycopg  # an extra: absent from a plain install
    except ImportError as error:
        raise WorkbookError(f"Source {source.label!r} is PostgreSQL, but psycopg is not installed.",
                            way_out="pip install 'customer-workbook[postgres]'") from error
    try:
        con = psycopg.connect(secret(source.url), connect_timeout=10, options="-c datestyle=ISO -c timezone=UTC")
    except psycopg.OperationalError as error:
        reason = re.sub(r"password=\S+", "password=…", str(error).strip().splitlines()[0])
        raise WorkbookError(
            f"Source {source.label!r}: {piece.name.partition('#')[0]} does not answer: {reason}",
            why="Nothing was read from it; what was collected before is kept as it is.",
            way_out="Check that the server runs, the address and the password's environment variable, and try again.",
        ) from None
    con.read_only = True
    return con


def _copied(con: Any, query: str, piece: Piece) -> Iterator[bytes]:
    """The result as CSV, streamed by the server."""
    try:
        with con, con.cursor() as cursor, cursor.copy(query) as copy:
            for block in copy:
                yield bytes(block)
    except _postgres_error() as error:
        raise _query_refused(piece, error, []) from error


def time_of_reading() -> datetime:
    """Now, in UTC: the one clock of the collection."""
    return datetime.now(UTC).replace(tzinfo=None)
