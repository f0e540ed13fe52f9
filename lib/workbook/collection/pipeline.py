"""Reading ahead and writing behind: the next block is parsed while this one is typed and the last one is written.

Arrow works outside Python's lock, so that two threads keep two processors busy. At most a few blocks are in memory.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

_DEPTH = 1  # blocks that wait at most
_ROW_GROUP = 122_880  # rows written at a time: DuckDB reads row groups of this size at its best


def ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same batches, drawn by a thread of their own; an error is raised where they are consumed."""
    waiting: queue.Queue[pa.RecordBatch | Exception | None] = queue.Queue(_DEPTH)
    stop = threading.Event()

    def put(item: pa.RecordBatch | Exception | None) -> None:
        while not stop.is_set():
            try:
                return waiting.put(item, timeout=0.1)
            except queue.Full:
                continue

    def draw() -> None:
        try:
            for batch in batches:
                put(batch)
                if stop.is_set():
                    return
            put(None)
        except Exception as error:
            put(error)

    thread = threading.Thread(target=draw, daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, Exception):
                raise item
            yield item
    finally:
        stop.set()
        thread.join()


class Behind:
    """Writes to a Parquet file in a thread of its own, one row group at a time; leaving it waits for the last one."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer, self._pool = writer, ThreadPoolExecutor(1)
        self._last: Future[None] | None = None
        self._gathered: list[pa.Table] = []

    def write(self, table: pa.Table) -> None:
        self._gathered.append(table)
        if sum(map(len, self._gathered)) >= _ROW_GROUP:
            self._hand_over()

    def _hand_over(self) -> None:
        self._wait()
        rows, self._gathered = pa.concat_tables(self._gathered), []
        self._last = self._pool.submit(self._writer.write_table, rows)

    def _wait(self) -> None:
        if self._last is not None:
            last, self._last = self._last, None
            last.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        try:
            if error is None:
                if self._gathered:
                    self._hand_over()
                self._wait()
        finally:
            self._pool.shutdown(wait=True)
            self._writer.close()
