"""Delimited and aligned text, block by block: rows that do not fit set aside, lines counted as an editor does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from workbook.data.errors import WorkbookError
from workbook.data.settings import Source
from workbook.data.sources.layout import (
    Layout,
    aligned_blocks,
    aligned_text,
    find_delimiter,
    is_aligned,
    layout_of,
    split_rows,
)
from workbook.data.sources.piece import ROW, Piece, Reading, Rejected, empty
from workbook.data.sources.streams import HEAD, decoded, file_of, find_encoding, unpacked

_BLOCK = 2 << 20  # bytes of text parsed at a time: larger blocks are no faster and take memory in proportion
_LONGEST_VALUE_LINES = 200  # a value over more lines is a quote that was never closed


def read_text(
    piece: Piece, source: Source, choose: Callable[[list[str]], list[str]], tick: Callable[[int], object]
) -> Reading:
    encoding = source.encoding or find_encoding(piece)
    head = _head(piece, encoding)
    if not head.strip():
        raise empty(piece)
    aligned = source.format == "aligned" or (not source.delimiter and source.format == "auto" and is_aligned(head))
    delimiter = "\t" if aligned else source.delimiter or find_delimiter(head)
    if len(delimiter) != 1:
        raise WorkbookError(
            f"Source {source.label!r}: the delimiter {delimiter!r} is not one character.",
            way_out="Write one character, or `format: aligned` for columns aligned by blanks.",
        )
    rows = split_rows(aligned_text(head) if aligned else head, delimiter)
    layout = layout_of(rows, source, piece)
    blocks = (
        unpacked(piece, tick)
        if encoding in ("utf-8", "utf-8-sig")
        else (text.encode() for text in decoded(piece, encoding, tick))
    )
    stream = file_of(aligned_blocks(blocks) if aligned else blocks)
    reading = Reading(layout.names, iter(()), encoding, "blanks" if aligned else delimiter, repeated=layout.repeated)
    reading.batches = csv_batches(stream, reading, delimiter, layout, choose(layout.names), piece)
    return reading


def _head(piece: Piece, encoding: str) -> str:
    """The first whole lines."""
    text = ""
    for part in decoded(piece, encoding):
        text += part
        if len(text) >= HEAD:
            break
    text = text.removeprefix("\ufeff")
    return text if len(text) < HEAD else text[: text.rfind("\n", 0, HEAD) + 1] or text[:HEAD]


def csv_batches(
    stream: IO[bytes], reading: Reading, delimiter: str, layout: Layout, chosen: list[str], piece: Piece
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
            pa_csv.ReadOptions(
                use_threads=False, block_size=_BLOCK, skip_rows=layout.first_line, column_names=layout.names
            ),
            pa_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=set_aside
            ),
            pa_csv.ConvertOptions(
                column_types=dict.fromkeys(layout.names, pa.string()),
                strings_can_be_null=False,
                include_columns=layout.names,
            ),
        )
        yield from _numbered(reader, misfits, reading, layout, chosen)
    except StopIteration:
        return
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error) or "no rows" in str(error).lower():
            return
        raise _unclosed(piece, str(error)) from error


def _numbered(
    reader: Iterable[pa.RecordBatch],
    misfits: list[pa_csv.InvalidRow],
    reading: Reading,
    layout: Layout,
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
        way_out='Look for a lone " at the start of a value; double it or take it out, or export the file again.',
    )


def _unclosed_at(line: int) -> pa.ArrowInvalid:
    return pa.ArrowInvalid(f"a value that begins in line {line} runs over more than {_LONGEST_VALUE_LINES} lines")
