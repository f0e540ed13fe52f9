"""Exports of well-known systems, recognised by their headers and mapped without asking.

Each system has a file in `mappings/`, which names where its list of columns comes from and what of it could not be
verified. An export becomes one source for each canonical table that it holds: Shopify's orders export has both orders
and their lines, with the totals of an order on its first line only.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from workbook.data.errors import WorkbookError, nearest
from workbook.data.parsing import Manner, parse
from workbook.data.schema import TABLES
from workbook.data.settings import Source

MAPPINGS = Path(__file__).parent / "mappings"


@dataclass(frozen=True)
class Known:
    """One export of one system."""

    name: str  # as `known` in workbook.yaml
    platform: str
    recognised_by: tuple[str, ...]  # headers that are all there
    parts: tuple[Mapping[str, Any], ...]  # one a canonical table; `columns` ours → theirs, in order of preference
    settings: Mapping[str, str]  # what the system tells about the shop: currency, time_zone, phone_country
    origin: tuple[str, ...]  # where the list of columns comes from
    not_verified: tuple[str, ...]

    @property
    def headers(self) -> set[str]:
        """Every header that the mapping knows."""
        return {theirs for part in self.parts for names in part["columns"].values() for theirs in _listed(names)}

    def fits(self, headers: Iterable[str]) -> bool:
        return {_plain(name) for name in self.recognised_by} <= {_plain(header) for header in headers}

    def expand(self, source: Source, headers: Sequence[str]) -> tuple[Source, ...]:
        """The source as plain ones, one a table, each with its columns as this file spells them.

        What is declared beside wins: columns ("-" leaves one out), values, constants, dates.
        """
        spelt = {_plain(header): header for header in headers}
        declared = source.columns if isinstance(source.columns, dict) else {}
        return tuple(self._part(part, source, spelt, declared) for part in self.parts
                     if not source.table or part["table"] == source.table)

    def _part(
        self, part: Mapping[str, Any], source: Source, spelt: Mapping[str, str], declared: Mapping[str, str]
    ) -> Source:
        own = {theirs: ours for theirs, ours in declared.items() if ours in TABLES[part["table"]].by_name}
        columns: dict[str, str] = {}
        for ours, names in part["columns"].items():
            theirs = next((spelt[_plain(name)] for name in _listed(names) if _plain(name) in spelt), None)
            if theirs is not None and theirs not in (*columns, *declared) and ours not in own.values():
                columns[theirs] = ours
        return Source.model_validate({
            **source.model_dump(exclude_unset=True),
            "url": source.url,
            "table": part["table"],
            "name": source.name or (self.name if len(self.parts) == 1 else f"{self.name}:{part['table']}"),
            "known": self.name,
            "columns": columns | own,
            "values": {**part.get("values", {}), **source.values},
            "constants": {**part.get("constants", {}), **source.constants},
            "only_with": spelt.get(_plain(part.get("only_with", "")), ""),
            "share_out": spelt.get(_plain(part.get("share_out", "")), ""),
            "repeat": tuple(spelt[_plain(name)] for name in part.get("repeat", ()) if _plain(name) in spelt),
        })


def all_known() -> tuple[Known, ...]:
    """Every export in `mappings/`."""
    return tuple(_read_all().values())


def known(name: str) -> Known:
    """The export of that name.

    Raises:
        WorkbookError: an unknown name, with the nearest known one.
    """
    if name not in _read_all():
        raise WorkbookError(f"There is no known export {name!r}: {nearest(name, _read_all())}.",
                            way_out="Correct `known`, or leave it out and map the columns with `columns`.")
    return _read_all()[name]


def recognise(headers: Sequence[str]) -> Known | None:
    """The export that has these headers: the one with the most telling ones where several fit."""
    fitting = [export for export in all_known() if export.fits(headers)]
    plain = {_plain(header) for header in headers}
    return max(
        fitting,
        key=lambda export: (len(export.recognised_by), len({_plain(name) for name in export.headers} & plain)),
        default=None,
    )


def tables_of(source: Source) -> frozenset[str]:
    """The canonical tables that a source brings; empty where only its header will tell."""
    if source.table:
        return frozenset({source.table})
    return frozenset(part["table"] for part in known(source.known).parts) if source.known else frozenset()


def expand(source: Source, headers: Sequence[str]) -> tuple[Source, ...]:
    """The source itself, or the plain sources that it stands for when it is a known export.

    Raises:
        WorkbookError: when it names no table and its headers are those of no known export, or of another one.
    """
    if source.known:
        export = known(source.known)
        if not export.fits(headers):
            missing = [name for name in export.recognised_by if _plain(name) not in {_plain(h) for h in headers}]
            raise WorkbookError(
                f"Source {source.label!r} is declared as {source.known}, but its header lacks {', '.join(missing)}.",
                why="Another export of the same system, or its columns were renamed.",
                way_out="Export it again with these columns, or leave `known` out and map `columns` yourself.",
            )
        return export.expand(source, headers)
    if source.table:
        return (source,)
    export = recognise(headers)
    if export is None:
        raise WorkbookError(
            f"Source {source.label!r} names no `table`, and its header is that of no known export: "
            f"{', '.join(headers[:12])}{' …' if len(headers) > 12 else ''}.",
            way_out="Add `table` and `columns`; `workbook new` proposes both.",
        )
    return export.expand(source, headers)


# --- rows --------------------------------------------------------------------------------------


def needed_columns(source: Source) -> tuple[str, ...]:
    """Their columns that `shaped` needs beside the mapped ones."""
    return tuple(dict.fromkeys(name for name in (source.only_with, source.share_out, *source.repeat) if name))


def shaped(batches: Iterable[pa.RecordBatch], source: Source) -> Iterator[pa.RecordBatch]:
    """Batches of text in which an order's lines have what stands on its first line, without the rows passed over.

    `repeat`: a blank cell takes the value above it while the order stays the same, also across batches.
    `share_out`: the column mapped to `amount` holds a price; it becomes the line's share of its order's total.
    `only_with`: rows in which that column is blank are left out.
    """
    order_column = _theirs(source, "order_id")
    if source.repeat and order_column:
        batches = _all_repeated(batches, source.repeat, order_column)
    if source.share_out and order_column:
        batches = (_shared_out(orders, source, order_column) for orders in _whole_orders(batches, order_column))
    for batch in batches:
        if source.only_with:
            texts = batch.column(source.only_with)
            batch = batch.filter(pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(texts), ""), False))
        yield batch


def _theirs(source: Source, our: str) -> str:
    columns = source.columns if isinstance(source.columns, dict) else {}
    return next((theirs for theirs, ours in columns.items() if ours == our), "")


def _whole_orders(batches: Iterable[pa.RecordBatch], order_column: str) -> Iterator[pa.RecordBatch]:
    """The same rows, cut between orders only: the last order of a batch waits for the next one."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        if not len(batch):
            continue
        orders = batch.column(order_column)
        change = pc.index(pc.equal(orders, orders[-1]), True).as_py()
        first_waits = waiting and waiting[-1].column(order_column)[-1] == orders[-1]
        if change == 0 and first_waits:
            waiting.append(batch)
            continue
        ready = [*waiting, batch.slice(0, change)]
        waiting = [batch.slice(change)]
        yield pa.concat_batches(ready)
    if waiting:
        yield pa.concat_batches(waiting)


def _shared_out(batch: pa.RecordBatch, source: Source, order_column: str) -> pa.RecordBatch:
    """Each order's total cut into the shares of its lines, to the cent; the last line takes what rounding leaves."""
    price_column = _theirs(source, "amount")
    prices, totals = _decimals(batch.column(price_column)), _decimals(batch.column(source.share_out))
    quantity_column = _theirs(source, "quantity")
    quantities = _decimals(batch.column(quantity_column)) if quantity_column else [Decimal(1)] * len(batch)
    rows_of: dict[str | None, list[int]] = {}
    for row, order in enumerate(batch.column(order_column).to_pylist()):
        rows_of.setdefault(order, []).append(row)
    texts = batch.column(price_column).to_pylist()
    for rows in rows_of.values():
        total = next((totals[row] for row in rows if totals[row] is not None), None)
        worth = [None if None in (prices[row], quantities[row]) else _product(prices[row], quantities[row])
                 for row in rows]
        # Without a total there is nothing to share out; a line that cannot be read is told when it is typed.
        shares = worth if total is None or None in worth else _shares(total, worth)
        for row, share in zip(rows, shares, strict=True):
            texts[row] = texts[row] if share is None else f"{share:f}"
    place = batch.schema.get_field_index(price_column)
    return batch.set_column(place, price_column, pa.array(texts, pa.string()))


def _shares(total: Decimal, worth: Sequence[Decimal]) -> list[Decimal]:
    """
    >>> _shares(Decimal("90.00"), [Decimal(60), Decimal(40), Decimal(1)])
    [Decimal('53.47'), Decimal('35.64'), Decimal('0.89')]
    """
    whole = sum(worth)
    step = Decimal("0.01") if total == round(total, 2) else Decimal("0.0001")
    shares = [(total * each / whole if whole else Decimal(0)).quantize(step) for each in worth]
    return [*shares[:-1], (total - sum(shares[:-1])).quantize(step)]


def _product(price: Decimal, quantity: Decimal) -> Decimal:
    return (price * quantity).quantize(Decimal("0.0001"))


def _decimals(texts: pa.Array) -> list[Decimal | None]:
    return parse(texts, TABLES["orders"].by_name["amount"], Manner()).values.to_pylist()


def _all_repeated(
    batches: Iterable[pa.RecordBatch], names: Sequence[str], order_column: str
) -> Iterator[pa.RecordBatch]:
    above: dict[str, str | None] = {}
    for batch in batches:
        batch, above = _repeated(batch, names, order_column, above)
        yield batch


def _repeated(
    batch: pa.RecordBatch, names: Sequence[str], order_column: str, above: Mapping[str, str | None]
) -> tuple[pa.RecordBatch, dict[str, str | None]]:
    """Arrow fills forward a whole column; a value that comes from another order is taken back."""
    orders = batch.column(order_column)
    if not len(batch):
        return batch, dict(above)
    carried = {order_column: orders[-1].as_py()}
    before = pa.array([above.get(order_column)], pa.string())
    all_orders = pa.concat_arrays([before, pc.cast(orders, pa.string())])
    for name in names:
        if name not in batch.schema.names:
            continue
        texts = batch.column(name)
        own = pc.if_else(pc.equal(pc.utf8_trim_whitespace(texts), ""), pa.scalar(None, pa.string()), texts)
        own = pa.concat_arrays([pa.array([above.get(name)], pa.string()), own])
        owner = pc.if_else(pc.is_valid(own), all_orders, pa.scalar(None, pa.string()))
        same = pc.fill_null(pc.equal(pc.fill_null_forward(owner), all_orders), False)
        filled = pc.if_else(same, pc.fill_null_forward(own), own)
        batch = batch.set_column(batch.schema.get_field_index(name), name, filled[1:])
        carried[name] = filled[-1].as_py()
    return batch, carried


# --- reading the mapping files -----------------------------------------------------------------


@cache
def _read_all() -> dict[str, Known]:
    found: dict[str, Known] = {}
    for path in sorted(MAPPINGS.glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, export in content["exports"].items():
            found[name] = Known(
                name, content["platform"], tuple(export["recognised_by"]), tuple(export["sources"]),
                content.get("settings", {}), tuple(content["from"]), tuple(content.get("not_verified", ())),
            )
    return found


def _plain(header: str) -> str:
    """Headers are compared without regard to case, width of characters, blanks and Excel's guards."""
    return re.sub(r"[\s'\"=\ufeff]", "", unicodedata.normalize("NFKC", header)).lower()


def _listed(names: str | Sequence[str]) -> Sequence[str]:
    return (names,) if isinstance(names, str) else names
