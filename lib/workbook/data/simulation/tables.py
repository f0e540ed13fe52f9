"""From the simulation's plain arrays to Arrow tables with the canonical columns of `schema`.

Times come as days since the shop opened (local, nan when missing), money as whole cents, words as
an index into a list (−1 when missing), ids as a number and its width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from workbook.data.schema import ARROW, TABLES

UTC_OFFSET_DAYS = 8.0 / 24.0  # China has had no daylight saving since 1991
_EPOCH = date(1970, 1, 1)


class Words(NamedTuple):
    """Words by their index in a list."""

    index: np.ndarray  # −1: missing
    words: Sequence[str]


class Number(NamedTuple):
    """An id made of a prefix and a number with leading zeros."""

    number: np.ndarray
    width: int = 0
    prefix: str = ""
    missing: np.ndarray | None = None


Values = np.ndarray | pa.Array | Words | Number


def strings(values: Values) -> pa.Array:
    """Words, ids or ready strings as an Arrow array; words stay dictionary encoded."""
    if isinstance(values, Words):
        index = pa.array(values.index.astype(np.int32), mask=values.index < 0)
        return pa.DictionaryArray.from_arrays(index, pa.array(values.words, pa.string()))
    if isinstance(values, Number):
        text = pc.cast(pa.array(values.number.astype(np.int64), mask=values.missing), pa.string())
        if values.width:
            text = pc.utf8_lpad(text, values.width, "0")
        return pc.binary_join_element_wise(values.prefix, text, "") if values.prefix else text
    return values if isinstance(values, pa.Array) else pa.array(values, pa.string())


def decimals(cents: np.ndarray) -> pa.Array:
    """Whole cents as decimal(18, 4); nan is missing."""
    missing = np.isnan(cents) if cents.dtype.kind == "f" else None
    whole = (np.nan_to_num(cents) if missing is not None else cents).astype(np.int64) * 100
    pairs = np.empty((len(whole), 2), dtype="<i8")
    pairs[:, 0], pairs[:, 1] = whole, whole >> 63
    array = pa.Array.from_buffers(ARROW["decimal"], len(whole), [None, pa.py_buffer(pairs)])
    return array if missing is None else pc.if_else(pa.array(~missing), array, pa.scalar(None, ARROW["decimal"]))


def timestamps(days: np.ndarray, start: date) -> pa.Array:
    """Local days since `start` as UTC, to the second."""
    missing = np.isnan(days)
    seconds = np.rint((np.nan_to_num(days) + (start - _EPOCH).days - UTC_OFFSET_DAYS) * 86_400.0).astype(np.int64)
    return pa.array(seconds * 1_000_000, mask=missing).view(ARROW["timestamp"])


def dates(days: np.ndarray, start: date) -> pa.Array:
    """Local days since `start` as local dates."""
    missing = np.isnan(days) if days.dtype.kind == "f" else None
    whole = np.nan_to_num(days) if missing is not None else days
    return pa.array((np.floor(whole) + (start - _EPOCH).days).astype(np.int32), mask=missing).view(pa.date32())


def table(name: str, columns: Mapping[str, Values], start: date) -> pa.Table:
    """One canonical table of these columns, in the order of the schema."""
    known = TABLES[name].by_name
    arrays = {}
    for column in (column for column in known if column in columns):
        values, kind = columns[column], known[column].type
        if kind == "string":
            arrays[column] = strings(values)
        elif isinstance(values, pa.Array):
            arrays[column] = values
        elif kind == "timestamp":
            arrays[column] = timestamps(np.asarray(values, float), start)
        elif kind == "date":
            arrays[column] = dates(values, start)
        elif kind == "decimal":
            arrays[column] = decimals(values)
        else:
            arrays[column] = pa.array(values).cast(ARROW[kind])
    unknown = set(columns) - set(known)
    if unknown:
        raise KeyError(f"{name} has no column {sorted(unknown)}")
    return pa.table(arrays)


def running(group: np.ndarray) -> np.ndarray:
    """The running number of each entry within its group, in the order of the entries.

    >>> running(np.array([7, 7, 3, 7])).tolist()
    [0, 1, 0, 2]
    """
    order = np.argsort(group, kind="stable")
    numbers = np.empty(len(group), dtype=np.int64)
    numbers[order] = np.arange(len(group)) - np.searchsorted(group[order], group[order])
    return numbers


def plain(found: pa.Table) -> pa.Table:
    """The table with its words written out: no dictionaries."""
    return pa.table({
        field.name: column.cast(pa.string()) if pa.types.is_dictionary(field.type) else column
        for field, column in zip(found.schema, found.columns, strict=True)})
