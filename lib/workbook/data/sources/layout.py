"""How a table of text is laid out: its delimiter, where its header stands, what its columns are called."""

from __future__ import annotations

import csv
import io
import re
import statistics
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from workbook.data.errors import WorkbookError
from workbook.data.settings import Source
from workbook.data.sources.piece import Piece, empty
from workbook.data.sources.streams import HEAD

_LOOKED_AT = 200  # rows
_DELIMITERS = (",", ";", "\t", "|", "^", "\x01")


def find_delimiter(head: str) -> str:
    """The delimiter that cuts the first lines into the most even rows; a comma where none does."""
    lines = "".join(head.splitlines(keepends=True)[:_LOOKED_AT])
    evenness = {delimiter: _evenness(split_rows(lines, delimiter)) for delimiter in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda delimiter: (round(evenness[delimiter][0], 1), evenness[delimiter][1]))
    return best if evenness[best][1] > 1 else ","


def _evenness(rows: Sequence[Sequence[str]]) -> tuple[float, int]:
    """Share of the rows that have the usual number of fields, and that number."""
    counts = [len(row) for row in rows if row]
    usual = statistics.mode(counts) if counts else 0
    return (counts.count(usual) / len(counts) if usual > 1 else 0.0, usual)


def split_rows(head: str, delimiter: str) -> list[list[str]]:
    """The first rows of a text."""
    csv.field_size_limit(max(csv.field_size_limit(), 2 * HEAD))
    return list(islice(csv.reader(io.StringIO(head, newline=""), delimiter=delimiter), _LOOKED_AT))


def is_aligned(head: str) -> bool:
    """No delimiter, and blanks cut every line into the same number of fields."""
    lines = [line for line in head.splitlines()[:200] if line.strip()]
    if not lines or any(delimiter in head for delimiter in (",", ";", "\t", "|")):
        return False
    counts = {len(line.split()) for line in lines}
    return len(counts) == 1 and counts.pop() > 1 and any("  " in line.rstrip() for line in lines)


def aligned_text(text: str) -> str:
    return "\n".join("\t".join(line.split()) for line in text.splitlines())


def aligned_blocks(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """Runs of blanks as one tab, line by line."""
    rest = b""
    for block in blocks:
        lines, _, rest = (rest + block).rpartition(b"\n")
        yield _one_tab(lines) + b"\n" if lines else b""
    yield _one_tab(rest)


def _one_tab(lines: bytes) -> bytes:
    bare = re.sub(rb"(?m)^[ \t]+|[ \t]+(?=\r?$)", b"", lines)
    return re.sub(rb"[ \t]+", b"\t", bare)


class Layout(NamedTuple):
    names: list[str]
    repeated: tuple[str, ...]
    first_line: int  # lines before the first data row
    first_row: int  # rows before it: a cell of the header may run over several lines


def layout_of(rows: Sequence[Sequence[str]], source: Source, piece: Piece) -> Layout:
    """Names of the columns, and how many lines stand before the data.

    Titles above a header are passed over: the header is the first row that is as wide as most.
    """
    filled = [i for i, row in enumerate(rows) if any(cell.strip() for cell in row)]
    if not filled:
        raise empty(piece)
    width = statistics.mode(len(rows[i]) for i in filled)
    wanted = {tidy_name(name) for name in source.columns} if isinstance(source.columns, dict) else set()
    named = next((i for i, row in enumerate(rows[:50]) if wanted & {tidy_name(cell) for cell in row}), None)
    top = next((i for i in filled if len(rows[i]) >= width and _is_filled(rows[i])), filled[0])
    top = named if named is not None else top
    has_header = source.header if source.header is not None else (named is not None or _is_header(rows[top:]))
    first = top + 1 if has_header else filled[0]
    lines = sum(1 + sum(cell.count("\n") for cell in row) for row in rows[:first])
    if isinstance(source.columns, list):
        return Layout(_listed_names(source, len(rows[top]), piece), (), lines, first)
    if not has_header:
        return Layout([f"column_{i}" for i in range(1, len(rows[top]) + 1)], (), lines, first)
    names, repeated = _unique_names(rows[top])
    return Layout(names, repeated, lines, first)


def _is_filled(row: Sequence[str]) -> bool:
    """Whether a row may be a header: a title that stands over several columns fills one of them."""
    return sum(bool(cell.strip()) for cell in row) >= max(1, len(row) / 2)


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
