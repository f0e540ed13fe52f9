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
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import yaml

from workbook.data.errors import WorkbookError, nearest
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
    return tuple(dict.fromkeys([*([source.only_with] if source.only_with else []), *source.repeat]))


def shaped(batches: Iterable[pa.RecordBatch], source: Source) -> Iterator[pa.RecordBatch]:
    """Batches of text in which an order's lines repeat what stands on its first line, without the rows passed over.

    `repeat`: a blank cell takes the value above it while the order stays the same, also across batches.
    `only_with`: rows in which that column is blank are left out.
    """
    order_column = _order_column(source)
    above: dict[str, str | None] = {}
    for batch in batches:
        if source.repeat and order_column:
            batch, above = _repeated(batch, source.repeat, order_column, above)
        if source.only_with:
            texts = batch.column(source.only_with)
            batch = batch.filter(pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(texts), ""), False))
        yield batch


def _order_column(source: Source) -> str:
    columns = source.columns if isinstance(source.columns, dict) else {}
    return next((theirs for theirs, ours in columns.items() if ours == "order_id"), "")


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
