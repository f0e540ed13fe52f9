"""A first look at a source: its columns, a sample of their texts, and what the texts are like.

Only the head of the first piece and a little of the last one are read. What a sample cannot tell, such as whether
03/04/2026 is in March or in April, is looked for in further pieces until it is told.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from workbook.data import sources
from workbook.data.parsing import Manner, contradicts, parse
from workbook.data.schema import Column
from workbook.data.settings import Source
from workbook.data.sources import ROW, Piece

_ROWS = 2000  # rows of a sample
_LONG_LOOK = 2_000_000  # rows searched for a date that tells day from month
_TIME, _NUMBER = Column("time", "timestamp", ""), Column("number", "decimal", "")


class Nature(NamedTuple):
    """What the texts of one column are like; shares are of the filled cells."""

    filled: int
    distinct_share: float
    number_share: float
    whole_share: float
    negative_share: float
    date_share: float
    mail_share: float
    phone_share: float
    longest: int
    largest: float  # the largest number; 0 where there is none
    date_words: frozenset[str]  # evidence on the order of day and month
    decimal_comma: bool
    signs: frozenset[str]  # currency signs seen


@dataclass(frozen=True)
class Look:
    """The head of one source."""

    source: Source
    pieces: tuple[Piece, ...]
    columns: tuple[str, ...]
    texts: dict[str, pa.Array] = field(repr=False)
    encoding: str
    delimiter: str
    other_headers: tuple[str, ...] = ()  # pieces whose header lacks columns of the first one

    @property
    def has_header(self) -> bool:
        return not all(re.fullmatch(r"column_\d+", name) for name in self.columns)

    @cached_property
    def natures(self) -> dict[str, Nature]:
        return {name: nature(self.texts[name]) for name in self.columns}

    def samples(self, column: str, n: int = 3) -> list[str]:
        """A few different filled texts of a column."""
        return [text for text in pc.unique(_filled(self.texts[column]))[:n].to_pylist()]


def look(source: Source, folder: Path) -> Look:
    """Read the head of a source.

    Raises:
        WorkbookError: what `sources` raises: nothing there, empty, damaged, unreachable.
    """
    pieces = sources.find(source, folder)
    first = sources.read(pieces[0], source)
    texts = _head(first.batches, first.columns)
    others = []
    if len(pieces) > 1:
        last = sources.read(pieces[-1], source)
        lacking = set(first.columns) - set(last.columns)
        if lacking and pieces[-1].kind != "jsonl":  # records leave out what they do not know
            others.append(pieces[-1].name)
        if not lacking:
            more = _head(last.batches, last.columns)
            texts = {name: pa.concat_arrays([texts[name], more[name]]) for name in first.columns}
    return Look(source, tuple(pieces), tuple(first.columns), texts, first.encoding, first.delimiter, tuple(others))


def _head(batches: Iterable[pa.RecordBatch], columns: list[str]) -> dict[str, pa.Array]:
    taken: list[pa.RecordBatch] = []
    for batch in batches:
        taken.append(batch.slice(0, _ROWS - sum(map(len, taken))))
        if sum(map(len, taken)) >= _ROWS:
            break
    empty = pa.array([], pa.string())
    return {name: pa.concat_arrays([pc.cast(batch.column(name), pa.string()) for batch in taken]) if taken else empty
            for name in columns if name != ROW}


def nature(texts: pa.Array) -> Nature:
    """What the texts of one column are like."""
    filled = _filled(texts)
    if not len(filled):
        return Nature(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, frozenset(), False, frozenset())
    once = pc.unique(filled)
    numbers = parse(filled, _NUMBER, Manner())
    commas = parse(filled, _NUMBER, Manner(decimal_comma=True))
    comma = _share_read(commas.values, filled) > _share_read(numbers.values, filled)
    best = commas if comma else numbers
    times, words = _times(filled)
    # A plain number is a date only where it is written 20260305: ids and quantities look like Excel's serials.
    serial = pc.match_substring_regex(filled, r"^\d+(\.\d+)?$")
    compact = pc.match_substring_regex(filled, r"^(19|20)\d{2}(0[1-9]|1[0-2])[0-3]\d$")
    dates = pc.and_(pc.is_valid(times), pc.or_(pc.invert(serial), compact))
    return Nature(
        len(filled),
        len(once) / len(filled),
        _share_read(best.values, filled),
        _share(pc.match_substring_regex(filled, r"^-?\d+(\.0+)?$")),
        _share(pc.fill_null(pc.less(best.values, 0), False)),
        _share(dates),
        _share(pc.match_substring_regex(filled, r"^[^@\s]+@[^@\s]+\.[^@\s]+$")),
        _share(pc.match_substring_regex(filled, r"^\+\d[\d ().\-]{7,18}$|^(86)?1[3-9]\d{9}$|^[(0]\d[\d ().\-]{7,16}$")),
        pc.max(pc.utf8_length(filled)).as_py(),
        float(pc.max(best.values).as_py() or 0),
        words,
        comma,
        frozenset(word.removeprefix("sign ") for word in best.evidence if word.startswith("sign ")),
    )


def date_order(found: Look, columns: Iterable[str], folder: Path) -> tuple[str, str]:
    """(order of day and month, code of what stands against one) for the date columns of a source.

    The sample is asked first, then all pieces until one date tells.
    """
    columns = list(columns)
    words = set().union(*(found.natures[name].date_words for name in columns)) if columns else set()
    if contradicts(words) == "date_undecidable":
        words |= _long_look(found, columns)
    against = contradicts(words)
    return Manner().after(words).order if not against else "", against


def _long_look(found: Look, columns: list[str]) -> set[str]:
    words: set[str] = set()
    rows = 0
    for piece in found.pieces:
        for batch in sources.read(piece, found.source, wanted=lambda names: [n for n in names if n in columns]).batches:
            for name in set(columns) & set(batch.schema.names):
                words |= _times(_filled(batch.column(name)))[1]
            rows += len(batch)
            if {"dmy", "mdy"} & words or rows > _LONG_LOOK:
                return words
    return words


def tables_of(path: Path) -> dict[str, list[tuple[str, str, str]]]:
    """Tables of a SQLite file → its foreign keys (column, other table, other column)."""
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as con:
        names = [name for (name,) in con.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")]
        listed = 'SELECT "from", "table", "to" FROM pragma_foreign_key_list(?)'
        keys = {name: con.execute(listed, (name,)).fetchall() for name in names}
    return {name: [(column, other, to or column) for column, other, to in keys[name]] for name in names}


def is_sqlite(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(15) == b"SQLite format 3"


def _filled(texts: pa.Array) -> pa.Array:
    plain = pc.utf8_trim_whitespace(pc.cast(texts, pa.string())).drop_null()
    return plain.filter(pc.not_equal(plain, ""))


def _times(texts: pa.Array) -> tuple[pa.Array, frozenset[str]]:
    """Times, read under either order of day and month, and the evidence on that order."""
    plain = parse(texts, _TIME, Manner())
    if not {"either", "dmy", "mdy", "two-digit year"} & plain.evidence:
        return plain.values, plain.evidence
    return pc.coalesce(*(parse(texts, _TIME, Manner(order=o)).values for o in ("dmy", "mdy"))), plain.evidence


def _share(flags: pa.Array) -> float:
    return pc.mean(pc.cast(flags, pa.float64())).as_py() or 0.0


def _share_read(values: pa.Array, of: pa.Array) -> float:
    return 1 - values.null_count / len(of)
