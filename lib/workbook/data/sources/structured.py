"""JSON lines and Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from workbook.data.errors import WorkbookError
from workbook.data.settings import Source
from workbook.data.sources.piece import ROW, ROWS_AT_A_TIME, Piece, Reading, Rejected, broken, empty, row_batches
from workbook.data.sources.streams import decoded, find_encoding


def read_json_lines(piece: Piece, source: Source, choose: Callable[[list[str]], list[str]]) -> Reading:
    encoding = source.encoding or find_encoding(piece)
    names: dict[str, None] = {}
    unread: list[Rejected] = []
    head = [record for _, record in _records(piece, encoding, unread, stop=1000)]
    for record in head:
        names.update(dict.fromkeys(record))
    if len(unread) > len(head):
        raise WorkbookError(
            f"{piece.name} is not JSON lines: line {unread[0].row} alone is {unread[0].detail}.",
            why="One object a line is read; a list of objects over many lines is not.",
            way_out="Export it as JSON lines, or turn it into them: jq -c '.[]' FILE > FILE.jsonl",
        )
    if not names:
        raise empty(piece)
    found = list(names)
    chosen = choose(found)
    reading = Reading(found, iter(()), encoding, "json")
    rows = (
        (line, [record.get(name) for name in chosen]) for line, record in _records(piece, encoding, reading.rejected)
    )
    reading.batches = row_batches(rows, chosen, chosen)
    return reading


def _records(piece: Piece, encoding: str, rejected: list[Rejected], *, stop: int = 0) -> Iterator[tuple[int, dict]]:
    """Flat records with their line; numbers stay the text that was written."""
    decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
    for line, text in enumerate(_lines(decoded(piece, encoding)), start=1):
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


def read_parquet(piece: Piece, choose: Callable[[list[str]], list[str]]) -> Reading:
    try:
        file = pq.ParquetFile(piece.path)
    except pa.ArrowInvalid as error:
        raise broken(piece.name, error) from error
    names = file.schema_arrow.names
    chosen = choose(names)
    return Reading(names, _parquet_batches(file, chosen), "parquet", "")


def _parquet_batches(file: pq.ParquetFile, chosen: list[str]) -> Iterator[pa.RecordBatch]:
    row = 1
    for batch in file.iter_batches(batch_size=5 * ROWS_AT_A_TIME, columns=chosen):
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
