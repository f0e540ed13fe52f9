"""A shop whose truth is known: its records, and beside them what they were made from.

An online shop for tea, teaware, gifts and things for the home in China. What it is made of stands in
`Parameters`, with units; chapters are tested by finding those numbers again.

    shop = simulate(2_000, 24, seed=7)         # a small shop in memory
    shop.tables["orders"], shop.truth["customers"], shop.facts["parameters"]
    write("big", 1_000_000, 30, seed=7, form="parquet")      # a large one, in bounded memory
    write("sample", 3_000, 30, seed=7, form="records")       # as records really arrive, with every fault listed

`write` makes OUT/… and OUT/truth/…; the truth is `truth.json` and one Parquet file a table.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.progress import Progress

from workbook.data.errors import WorkbookError
from workbook.data.simulation.arrival import LARGEST_BOOK, write_records
from workbook.data.simulation.cell import CELL, Cell, make_cell
from workbook.data.simulation.clock import Clock, make_clock
from workbook.data.simulation.parameters import Action, Experiment, Parameters, Persona
from workbook.data.simulation.shop import Shop, facts, shop_tables, write_facts
from workbook.data.simulation.tables import plain

__all__ = ["CELL", "Action", "Experiment", "Parameters", "Persona", "Shop", "simulate", "write"]

MOST_CUSTOMERS = 9_999_999
ROW_GROUP = 200_000  # rows; fixed, so that the bytes do not depend on how many cells are made at a time


def simulate(customers: int, months: int, seed: int, parameters: Parameters | None = None) -> Shop:
    """A shop in memory, without faults: for tests and lessons.

    >>> shop = simulate(50, 6, seed=1)
    >>> shop.tables["customers"].num_rows
    50
    """
    parameters = parameters or Parameters()
    clock = _checked_clock(parameters, customers, months)
    cells = list(_cells(parameters, clock, seed, customers, workers=1))
    tables = {name: pa.concat_tables([plain(cell.tables[name]) for cell in cells]) for name in cells[0].tables}
    truth = {name: pa.concat_tables([plain(cell.truth[name]) for cell in cells]) for name in cells[0].truth}
    totals = _added([cell.totals for cell in cells])
    tables.update(shop_tables(parameters, clock, totals))
    return Shop(tables, truth, facts(parameters, clock, seed, customers, totals))


def write(out: str | Path, customers: int, months: int, seed: int, form: Literal["records", "parquet"] = "records",
          progress: bool = True, *, parameters: Parameters | None = None, workers: int = 2) -> Path:
    """Write a simulated shop and its truth into the folder `out`.

    Args:
        form: `parquet`, one file a canonical table, without faults, memory bounded; or `records`, the files that a
            shop really has, with the faults that `truth/faults.parquet` lists.
        workers: processes that draw customers; changes the time, not a byte.

    Raises:
        WorkbookError: when a number makes no shop, or the folder holds something else.
    """
    parameters, folder = parameters or Parameters(), Path(out)
    clock = _checked_clock(parameters, customers, months)
    if form == "records":
        if customers > LARGEST_BOOK:
            raise WorkbookError(f"More than {LARGEST_BOOK:,} customers do not fit into a workbook.",
                                way_out="Use --format parquet for a large shop.")
        shop = simulate(customers, months, seed, parameters)
        if shop.tables["orders"].num_rows == 0:
            raise WorkbookError(f"None of the {customers} customers has ordered: there are no records to write.",
                                way_out="Give --customers a larger number.")
        return write_records(folder, shop, seed)
    if form != "parquet":
        raise WorkbookError(f"Unknown form {form!r} of a simulated shop.", way_out="Use records or parquet.")
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    totals: list[dict[str, np.ndarray]] = []
    with _Writers(folder) as writers, Progress(disable=not progress) as bar:
        task = bar.add_task("Customers", total=customers)
        for number, cell in enumerate(_cells(parameters, clock, seed, customers, workers)):
            for name, found in cell.tables.items():
                writers.add(f"{name}.parquet", found)
            for name, found in cell.truth.items():
                writers.add(f"truth/{name}.parquet", found)
            totals.append(cell.totals)
            bar.update(task, advance=min(CELL, customers - number * CELL))
        for name, found in shop_tables(parameters, clock, _added(totals)).items():
            writers.add(f"{name}.parquet", found)
    write_facts(folder, facts(parameters, clock, seed, customers, _added(totals)))
    return folder


def _checked_clock(parameters: Parameters, customers: int, months: int) -> Clock:
    for name, value in (("customers", customers), ("months", months)):
        if value < 1:
            raise WorkbookError(f"A shop cannot have {value} {name}.", way_out=f"Give --{name} a number above 0.")
    if customers > MOST_CUSTOMERS:
        raise WorkbookError(f"{customers:,} customers are more than the simulator can number.",
                            why="Order and telephone numbers would no longer be unique.",
                            way_out=f"Make at most {MOST_CUSTOMERS:,}, or several shops with other seeds.")
    return make_clock(parameters, months)


def _cells(parameters: Parameters, clock: Clock, seed: int, customers: int, workers: int) -> Iterator[Cell]:
    """The cells in order, drawn by several processes when there is more than one cell."""
    numbers = range(-(-customers // CELL))
    if workers <= 1 or len(numbers) <= 1:
        for number in numbers:
            yield make_cell(parameters, clock, seed, number, customers)
        return
    waiting = iter(numbers)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        ahead = [pool.submit(make_cell, parameters, clock, seed, n, customers) for n in islice(waiting, workers + 1)]
        while ahead:
            cell = ahead.pop(0).result()
            ahead += [pool.submit(make_cell, parameters, clock, seed, n, customers) for n in islice(waiting, 1)]
            yield cell


class _Writers:
    """One Parquet file a table, written in row groups of a fixed size."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.waiting, self.files = folder, {}, {}

    def __enter__(self) -> _Writers:
        return self

    def __exit__(self, *failure: object) -> None:
        for name, parts in self.waiting.items():
            if failure[0] is None:
                self._write(name, pa.concat_tables(parts))
            self.files[name].close()

    def add(self, name: str, found: pa.Table) -> None:
        parts = self.waiting.setdefault(name, [])
        parts.append(found)
        if name not in self.files:
            schema = plain(found.slice(0, 0)).schema
            self.files[name] = pq.ParquetWriter(
                self.folder / name, schema, compression="snappy", store_schema=False, store_decimal_as_integer=True)
        if sum(part.num_rows for part in parts) >= ROW_GROUP:
            whole = pa.concat_tables(parts)
            full = whole.num_rows // ROW_GROUP * ROW_GROUP
            self._write(name, whole.slice(0, full))
            self.waiting[name] = [whole.slice(full)]

    def _write(self, name: str, rows: pa.Table) -> None:
        self.files[name].write_table(plain(rows), row_group_size=ROW_GROUP)


def _added(totals: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.sum([part[name] for part in totals], axis=0) for name in totals[0]}
