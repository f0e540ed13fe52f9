"""Which columns of a piece become which canonical ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from workbook.data import known, sources
from workbook.data.errors import WorkbookError, nearest
from workbook.data.schema import TABLES, Table
from workbook.data.settings import Settings, Source
from workbook.data.sources import Piece, Reading


class Plan(NamedTuple):
    """How the columns of one piece become canonical ones."""

    table: Table
    theirs: dict[str, tuple[str, ...]]  # our column → their columns, joined by a blank
    missing: tuple[str, ...]  # declared, but not in this piece
    constants: tuple[str, ...] = ()  # ours, with one value for every row

    @property
    def ours(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.theirs, *self.constants)))


def canonical(source: Source, settings: Settings) -> tuple[Source, ...]:
    """The source as one for each canonical table: a known export is recognised by the header of its first piece."""
    if source.table and not source.known:
        return (source,)
    first = sources.find(source, settings.folder)[0]
    return known.expand(source, sources.read(first, source).columns)


def open_piece(
    piece: Piece, source: Source, tables: frozenset[str], *, tick: Callable[[int], object] = int
) -> tuple[Reading, Plan]:
    """A piece being read, of which only the columns that are mapped are taken."""
    plans: list[Plan] = []

    def wanted(names: list[str]) -> list[str]:
        plans.append(plan_of(source, names, piece, tables))
        mapped = [name for theirs in plans[0].theirs.values() for name in theirs]
        return list(dict.fromkeys([*mapped, *known.needed_columns(source)]))

    reading = sources.read(piece, source, wanted=wanted, tick=tick)
    _refuse_repeated(reading, plans[0], piece)
    if known.needed_columns(source):
        reading.batches = known.shaped(reading.batches, source)
    return reading, plans[0]


def plan_of(source: Source, names: list[str], piece: Piece, tables: frozenset[str]) -> Plan:
    table = TABLES[source.table]
    by_tidy = {sources.tidy_name(name): name for name in reversed(names)}
    theirs: dict[str, list[str]] = {}
    missing = []
    declared = source.columns if isinstance(source.columns, dict) else {n: n for n in source.columns if n != "-"}
    if not declared:
        declared = {name: column for name in names for column in table.by_name
                    if sources.tidy_name(name) == sources.tidy_name(column)}
    for their, our in declared.items():
        found = their if their in names else by_tidy.get(sources.tidy_name(their))
        if our == "-":
            continue
        if found:
            theirs.setdefault(our, []).append(found)
        else:
            missing.append(their)
    plan = Plan(table, {our: tuple(columns) for our, columns in theirs.items()}, tuple(missing),
                tuple(source.constants))
    _refuse_missing(plan, source, names, piece, tables)
    return plan


def _refuse_missing(plan: Plan, source: Source, names: list[str], piece: Piece, tables: frozenset[str]) -> None:
    have = {*plan.theirs, *source.constants}
    needs = [(column,) for column in plan.table.required]
    if plan.table.name == "order_lines":
        needs.append(("amount", "unit_price"))
        if "orders" not in tables:
            needs.append(("ordered_at", "ordered_on"))
    if "ordered_on" in have:
        have.add("ordered_at")
    _refuse_upsert_without_key(plan, source)
    lacking = [" or ".join(choices) for choices in needs if not have & set(choices)]
    if not lacking:
        return
    near = f" Of the declared ones it does not have {', '.join(map(repr, plan.missing))}: " + "; ".join(
        nearest(name, names) for name in plan.missing[:3]) + "." if plan.missing else ""
    cut = " It came as one single column: is the `delimiter` right?" if len(names) == 1 else ""
    raise WorkbookError(
        f"{piece.name} has no column for {', '.join(lacking)} of {plan.table.name}.{near}{cut}",
        why=f"Its columns are: {', '.join(names[:30])}.",
        way_out=f"Name the column in `columns` of source {source.label!r} (theirs: ours).",
    )


def _refuse_repeated(reading: Reading, plan: Plan, piece: Piece) -> None:
    used = {name for theirs in plan.theirs.values() for name in theirs}
    twice = [name for name in reading.repeated if name in used]
    if twice:
        raise WorkbookError(
            f"{piece.name} has the column {twice[0]!r} more than once.",
            why="Which of them is meant cannot be told.",
            way_out=f'Rename one in the file, or map "{twice[0]} (2)" for the second one.',
        )


def _refuse_upsert_without_key(plan: Plan, source: Source) -> None:
    """Only a date may be left out of the key: `valid_from`, where the newest state is all there is."""
    columns = plan.table.by_name
    lacking = [name for name in plan.table.key if name not in plan.ours and columns[name].type != "date"]
    if source.load == "upsert" and (lacking or not plan.table.key):
        raise WorkbookError(
            f"Source {source.label!r} is an upsert, but has no {', '.join(lacking) or 'key'} of {plan.table.name}.",
            why="Without the whole key, different rows would replace each other.",
            way_out="Map that column, or declare `load: replace_file` or `load: append`.",
        )
