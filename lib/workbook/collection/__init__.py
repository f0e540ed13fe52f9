"""From the declared sources to the raw tables: what arrived, from where, and what could not be read.

Each source is read piece by piece (`data.sources`), its columns renamed to the canonical ones, its
texts typed (`data.parsing`), personal values taken out (`data.privacy`), and written as one Parquet
file per piece. `raw/<table>` is the list of those files. A row with a value that cannot be read goes
to `quarantine/rows` instead; past a declared share of a source the run stops.

A piece whose size and time, or else whose SHA-256, did not change is not read again. What happens to
pieces that overlap, change or disappear is the source's `load`:

============  ============================================  ======================  ===================
load          rows of two pieces with the same key          a changed piece         a piece that is gone
============  ============================================  ======================  ===================
append        all kept (02 flags duplicates)                replaces its own rows   its rows stay
replace_file  all kept (02 flags duplicates)                replaces its own rows   its rows leave
snapshot      only the last piece by name counts            is the new state        the one before counts
upsert        the later piece, then the later row, wins     wins by its new rows    its rows stay
============  ============================================  ======================  ===================

A piece that is byte for byte a copy of another one of its source is read once.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import NamedTuple

import duckdb
from tqdm.auto import tqdm

from workbook.collection.mapping import canonical
from workbook.collection.parts import commit, disk_refuses
from workbook.collection.pieces import collect_source
from workbook.collection.records import FILES, LIVE, QUARANTINE, READ, UNCHANGED, FileRecord, known_files
from workbook.collection.work import Work
from workbook.data import sources
from workbook.data.privacy import Pseudonymiser
from workbook.data.settings import Settings
from workbook.data.store import Store

COLLECTED = "WORKBOOK_COLLECTED"

__all__ = ["COLLECTED", "FILES", "QUARANTINE", "Collected", "FileRecord", "collect"]


class Collected(NamedTuple):
    """What one collection did."""

    files: list[FileRecord]  # every piece that is or was there
    tables: tuple[str, ...]  # raw tables, by their canonical name
    read: int  # pieces read, because they are new or changed
    unchanged: int  # pieces not read again

    @property
    def rows_read(self) -> int:
        """Data rows in the pieces that count, those in quarantine included."""
        return sum(file.rows_read for file in self.files if file.status in LIVE)


def collect(settings: Settings, store: Store, *, arrived: datetime | None = None, progress: bool = True) -> Collected:
    """Bring every declared source into the raw tables.

    Args:
        store: where `raw/*`, `quarantine/rows` and `collection/files` are written.
        arrived: the time of arrival of what is read now (UTC); the clock's when left out.
        progress: show a bar of the bytes read.

    With `WORKBOOK_COLLECTED=1` nothing is read that was collected before: many periods are filled from one collection.

    Raises:
        WorkbookError: a source that cannot be read, or too many rows that cannot; the tables stay as they were.
    """
    before = known_files(store)
    if before and os.environ.get(COLLECTED) == "1":
        return _collected(before)
    with tqdm(total=0, unit="B", unit_scale=True, desc=settings.name, disable=not progress, leave=False) as bar:
        work = Work(settings, store, arrived or sources.time_of_reading(), Pseudonymiser.of(settings), bar)
        try:
            declared = [part for source in settings.sources for part in canonical(source, settings)]
            work.tables = frozenset(source.table for source in declared)
            records = [record for source in declared for record in collect_source(source, before, work)]
            commit(records, before, work)
        except (OSError, duckdb.IOException) as error:
            raise disk_refuses(error) from error
        finally:
            work.forget_drafts()
    return _collected(records)


def _collected(records: list[FileRecord]) -> Collected:
    return Collected(
        records,
        tuple(sorted({record.table for record in records})),
        sum(record.status == READ for record in records),
        sum(record.status == UNCHANGED for record in records),
    )
