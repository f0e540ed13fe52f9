"""Who is behind a pseudonym: the sources read again, and of them only the listed people kept, in memory.

The same reading and the same pseudonymising as at the door: a row belongs to a listed customer when its id, hashed
where ids are personal, is one of theirs. Nothing is written. One block of a file is in memory at a time, and the
personal values of the listed people.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from workbook.collection.evidence import Evidence, joined
from workbook.collection.mapping import canonical, open_piece
from workbook.collection.records import known_files
from workbook.collection.rows import parsed_columns
from workbook.data import sources
from workbook.data.errors import WorkbookError
from workbook.data.privacy import Pseudonymiser
from workbook.data.schema import TABLES
from workbook.data.settings import Settings, Source
from workbook.data.store import Store

PERSONAL = ("name", "mail", "phone")
HASHES = {"mail": "mail_hash", "phone": "phone_hash"}


class Revealed(NamedTuple):
    """What the sources say of the listed people."""

    people: dict[str, dict[str, str]]  # customer_id → name, mail, phone, as written
    hashes: set[str]  # of the mails and phones that were met: what the key of today makes of them


def reveal(settings: Settings, store: Store, ids: Mapping[str, str]) -> Revealed:
    """Names, mails and phones of the listed people, from the sources.

    Args:
        ids: the id in a source → the customer it belongs to (they differ where accounts were merged); a customer's
            own id wins over those that were merged into it.

    Raises:
        WorkbookError: the key is missing, or a source cannot be read.
    """
    pseudonymiser = Pseudonymiser.of(settings)
    kept: dict[str, dict[str, str]] = {}
    hashes: set[str] = set()
    records, wanted = known_files(store), pa.array(list(ids), pa.string())
    tables = frozenset(one.table for source in settings.sources for one in canonical(source, settings))
    for source in (one for declared in settings.sources for one in canonical(declared, settings)):
        if not any(column.name in PERSONAL for column in TABLES[source.table].personal):
            continue
        evidence = joined(one for one in records if (one.source_name, one.table) == (source.label, source.table))
        for block in _blocks(source, settings, tables, evidence):
            found = _listed(block, source, wanted, pseudonymiser)
            hashes |= found.hashes
            for name, values in found.people.items():
                kept.setdefault(name, {}).update(values)
    return Revealed(_of_customers(kept, ids), hashes)


def _blocks(
    source: Source, settings: Settings, tables: frozenset[str], evidence: Evidence
) -> Iterator[dict[str, pa.Array]]:
    """The customer ids and personal columns of a source, as text, block by block; the newest piece of a snapshot."""
    pieces = sources.find(source, settings.folder)
    for piece in pieces[-1:] if source.load == "snapshot" else pieces:
        reading, plan = open_piece(piece, source, tables)
        if not set(plan.theirs) & set(PERSONAL):
            continue
        for batch in reading.batches:
            parsed = parsed_columns(batch, plan, evidence, source, settings)
            yield {"customer_id": parsed["customer_id"][1].values} | {
                name: parsed[name][0] for name in PERSONAL if name in parsed}


def _listed(
    block: dict[str, pa.Array], source: Source, wanted: pa.Array, pseudonymiser: Pseudonymiser
) -> Revealed:
    """Of one block the listed people, by the id that the source gives them."""
    table = TABLES[source.table]
    names = pseudonymiser.batch(pa.table({"customer_id": block["customer_id"]}), table)["customer_id"].combine_chunks()
    rows = pa.table({**block, "customer_id": names}).filter(pc.is_in(names, value_set=wanted))
    if not len(rows):
        return Revealed({}, set())
    sealed = pseudonymiser.batch(rows.select([name for name in rows.column_names if name != "name"]), table)
    hashes = {value for column in HASHES.values() if column in sealed.column_names
              for value in sealed[column].to_pylist() if value}
    people: dict[str, dict[str, str]] = {}
    for row in rows.to_pylist():
        told = {name: row[name].strip() for name in PERSONAL if (row.get(name) or "").strip()}
        people.setdefault(row["customer_id"], {}).update(told)
    return Revealed(people, hashes)


def _of_customers(kept: Mapping[str, dict[str, str]], ids: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """By customer: their own account last, so that it wins."""
    people: dict[str, dict[str, str]] = {}
    for name in sorted(kept, key=lambda name: (name == ids[name], name)):
        people.setdefault(ids[name], {}).update(kept[name])
    return people


def refuse_other_key(hashes: set[str], stored: set[str]) -> None:
    """Stop where none of the hashes that today's key makes is among those in the store.

    Raises:
        WorkbookError: the store was filled under another key.
    """
    if hashes and stored and not hashes & stored:
        raise other_key()


def other_key() -> WorkbookError:
    """The list was made under another key than the one at hand."""
    return WorkbookError(
        "The key of the hashes is not the one that this list was made with.",
        why="Under another key the pseudonyms are other ones: the wrong people could be revealed, or none.",
        way_out="Set WORKBOOK_KEY to the key of that time (key_id says which), or collect again and export a new list.")
