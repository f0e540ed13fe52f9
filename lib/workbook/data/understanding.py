"""What the columns of one source mean: by its header, by the values under it, or by the user's word.

A header is compared with `vocabulary`, a known export with `known`; the values then speak: a time must read as times,
an amount as numbers. What stays in doubt is said, as codes and values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from workbook.data import known, looks
from workbook.data.errors import WorkbookError, nearest
from workbook.data.looks import Look, Nature
from workbook.data.privacy import mask
from workbook.data.schema import TABLES, Column
from workbook.data.settings import Source
from workbook.data.vocabulary import may_name_a_person, meanings, word_lists

SALES = ("orders", "order_lines")
PATTERN = 0.8  # confidence where a pattern of the header's words says it
_NAMED = 1.0  # where the header does
_VALUES = 0.5  # where only the values do
_REDUCTIONS = ("discount", "coupon", "tax", "platform_subsidy")

Reason = Literal["no_meaning", "name_left_out", "key_not_set", "taken"]


class Mapped(NamedTuple):
    """One of their columns, and what it was taken for."""

    theirs: str
    ours: str
    confidence: float
    because: Literal["header", "pattern", "values", "declared", "known_export", "key"]
    samples: tuple[str, ...]  # masked where personal


class Unmapped(NamedTuple):
    """One of their columns that is not used."""

    theirs: str
    reason: Reason
    ours: str  # what it would have been; "" where that is not known
    samples: tuple[str, ...]


class Doubt(NamedTuple):
    """Something that the user should know or decide."""

    code: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """A proposed source."""

    source: Source
    look: Look
    mapped: tuple[Mapped, ...]
    unmapped: tuple[Unmapped, ...]
    doubts: tuple[Doubt, ...] = ()

    @property
    def ours(self) -> set[str]:
        return {column.ours for column in self.mapped}


class NeedsColumns(WorkbookError):
    """A file whose columns have no names, or not the needed ones: shown numbered, to be named by the user."""

    def __init__(self, what: str, *, look: Look, table: str, missing: Sequence[str]) -> None:
        self.look, self.table, self.missing = look, table, tuple(missing)
        example = _example_columns(look, table)
        super().__init__(
            what,
            why="Guessing what a column means would give plausible wrong figures.",
            way_out=f"Name every column in its order, - for one to leave out: --columns {example}",
        )


def of_look(look: Look, table: str, columns: Sequence[str], with_key: bool) -> Found:
    export = known.recognise(look.columns)
    if export is not None:
        return of_known(look, export, with_key)
    if not look.has_header:
        raise NeedsColumns(f"{look.pieces[0].name} has no header.", look=look, table=table, missing=())
    found = mapped_as(look, _sales_table(look, table), with_key)
    lacking = lacking_columns(found)
    if lacking:
        raise NeedsColumns(
            f"{look.pieces[0].name}: no column was understood as {', '.join(lacking)} of {found.source.table}.",
            look=look, table=table, missing=lacking)
    return found


def of_known(look: Look, export: known.Known, with_key: bool) -> Found:
    expanded = export.expand(look.source, look.columns)
    mapped, left_out = {}, {}
    for part in expanded:
        for theirs, ours in part.columns.items():
            personal = TABLES[part.table].by_name[ours].personal
            samples = _shown(look, theirs, personal or ("id" if ours == "customer_id" else ""))
            if personal in ("phone", "mail") and not with_key:
                left_out[theirs] = Unmapped(theirs, "key_not_set", ours, samples)
            else:
                mapped.setdefault(theirs, Mapped(theirs, ours, _NAMED, "known_export", samples))
    rest = [Unmapped(name, "no_meaning", "", _shown(look, name, "unknown")) for name in look.columns
            if name not in mapped and name not in left_out]
    table = export.parts[0]["table"] if len(export.parts) == 1 else ""
    source = look.source.model_copy(update={
        "known": export.name, "table": table, "name": export.name, "columns": dict.fromkeys(left_out, "-")})
    doubts = tuple(Doubt("not_verified", {"export": export.platform, "what": what}) for what in export.not_verified)
    return Found(source, look, tuple(mapped.values()), (*left_out.values(), *rest), doubts)


def with_columns(declared: Source, table: str, columns: Sequence[str], folder: Path) -> Found:
    """The columns as the user named them."""
    table = "order_lines" if set(columns) & {"product_id", "product_name", "unit_price"} else table
    known_names = TABLES[table].by_name
    wrong = [name for name in columns if name != "-" and name not in known_names]
    if wrong:
        raise WorkbookError(f"--columns: {wrong[0]!r} is no column of {table}: {nearest(wrong[0], known_names)}.",
                            way_out=f"The columns of {table} are: {', '.join(known_names)}.")
    look = looks.look(declared, folder)
    if len(columns) != len(look.columns):
        raise NeedsColumns(
            f"{look.pieces[0].name} has {len(look.columns)} columns; --columns names {len(columns)}.",
            look=look, table=table, missing=())
    source = declared.model_copy(update={"table": table, "columns": list(columns)})
    pairs = list(zip(look.columns, columns, strict=True))
    mapped = tuple(Mapped(theirs, ours, _NAMED, "declared", _shown(look, theirs, known_names[ours].personal))
                   for theirs, ours in pairs if ours != "-")
    found = Found(source, look, mapped, tuple(
        Unmapped(theirs, "no_meaning", "", _shown(look, theirs, "unknown")) for theirs, ours in pairs if ours == "-"))
    lacking = lacking_columns(found)
    if lacking:
        raise NeedsColumns(f"--columns names no {', '.join(lacking)}.", look=look, table=table, missing=lacking)
    return _with_manner(found)


def _sales_table(look: Look, table: str) -> str:
    """Order lines where a product is named or an order takes several rows; else what was asked for."""
    if table != "orders":
        return table
    as_lines = {column.ours: column for column in mapped_as(look, "order_lines", with_key=True).mapped}
    names_product = as_lines.keys() & {"product_id", "product_name"} and as_lines.keys() & {"quantity", "unit_price"}
    order = as_lines.get("order_id")
    repeats = order is not None and look.natures[order.theirs].distinct_share < 0.9
    return "order_lines" if names_product or repeats else "orders"


def mapped_as(look: Look, table: str, with_key: bool, *, foreign: Sequence[tuple[str, str, str]] = ()) -> Found:
    """Their columns as columns of a table: by header and values; by keys or values alone where something is missing."""
    guesses = sorted(_guesses(look, table), key=lambda guess: -guess[0])
    chosen: dict[str, Mapped] = {}
    taken: dict[str, str] = {}
    for score, theirs, ours, because in guesses:
        if theirs in chosen or ours in taken:
            continue
        personal = TABLES[table].by_name[ours].personal
        confidence = _NAMED if because == "header" else PATTERN if because == "pattern" else _VALUES
        chosen[theirs] = Mapped(theirs, ours, min(confidence, score), because, _shown(look, theirs, personal or (
            "id" if ours == "customer_id" else "")))
        taken[ours] = theirs
    for theirs, ours in _by_keys(look, table, foreign, taken):
        chosen[theirs] = Mapped(theirs, ours, PATTERN, "key", tuple(look.samples(theirs)))
        taken[ours] = theirs
    for theirs, ours in _by_values(look, table, chosen, taken):
        chosen[theirs] = Mapped(theirs, ours, _VALUES, "values", tuple(look.samples(theirs)))
        taken[ours] = theirs
    kept, left_out = _without_persons(chosen, table, look, with_key)
    wanted = {theirs: ours for _, theirs, ours, _ in reversed(guesses)}
    rest = [Unmapped(name, _why_not(wanted.get(name, ""), table, taken), wanted.get(name, ""),
                     _shown(look, name, "unknown")) for name in look.columns if name not in chosen]
    ordered = tuple(kept[name] for name in look.columns if name in kept)
    source = look.source.model_copy(update={
        "table": table, "columns": {column.theirs: column.ours for column in ordered}})
    return _with_manner(Found(source, look, ordered, (*left_out, *rest)))


def _why_not(ours: str, table: str, taken: Mapping[str, str]) -> Reason:
    if ours not in taken:
        return "no_meaning"
    return "name_left_out" if TABLES[table].by_name[ours].personal == "name" else "taken"


def _guesses(look: Look, table: str) -> list[tuple[float, str, str, str]]:
    """(score, theirs, ours, because) where a header says it and the values do not deny it.

    The earlier a name stands in the list of synonyms, the better it is.
    """
    found = []
    for theirs in look.columns:
        for ours, because, rank in meanings(theirs, table):
            if _values_allow(look.natures[theirs], TABLES[table].by_name[ours]):
                found.append((1.5 - rank if because == "header" else 0.8 - rank, theirs, ours, because))
    return found


def _values_allow(nature: Nature, column: Column) -> bool:
    """Whether the texts could be such values; an empty column could be anything."""
    if not nature.filled:
        return True
    if column.name in _REDUCTIONS and 0 < nature.largest <= 1:
        return False  # a rate, which is no amount of money
    match column.type:
        case "timestamp" | "date":
            # Excel's serial days and epochs are plain numbers: the header alone must say that they are times.
            return nature.date_share > 0.8 or (nature.whole_share > 0.95 and column.name.endswith(("_at", "_on")))
        case "decimal" | "float" | "int":
            return nature.number_share > 0.8 and nature.date_share < 0.5
        case "bool":
            return nature.distinct_share * nature.filled <= 4
    if column.personal == "mail":
        return nature.mail_share > 0.3
    if column.personal == "birth_date":
        return nature.date_share > 0.5 or nature.longest == 4
    if column.name in ("region", "country", "status", "gender", "channel", "shop", "payment_method", "currency"):
        return nature.number_share < 0.9 or column.name in ("status", "gender")
    return nature.date_share < 0.5 or column.personal != ""


def _by_keys(
    look: Look, table: str, foreign: Sequence[tuple[str, str, str]], taken: Mapping[str, str]
) -> list[tuple[str, str]]:
    """What a database's own keys tell: the product of a line, the number of a product."""
    free = [column for column, _, _ in foreign if column not in taken.values()]
    if table == "order_lines" and "product_id" not in taken and free:
        return [(free[0], "product_id")]
    own = look.columns[0]
    if table in ("products", "customers") and f"{table[:-1]}_id" not in taken and own not in taken.values():
        unique = look.natures[own].distinct_share == 1.0
        return [(own, f"{table[:-1]}_id")] if unique else []
    return []


def _by_values(
    look: Look, table: str, chosen: Mapping[str, Mapped], taken: Mapping[str, str]
) -> list[tuple[str, str]]:
    """A needed time or amount that no header tells, where only one column can be it."""
    free = {name: look.natures[name] for name in look.columns if name not in chosen}
    found = []
    times = [name for name, nature in free.items() if nature.date_share > 0.95]
    if table in SALES and not taken.keys() & {"ordered_at", "ordered_on"} and len(times) == 1:
        found.append((times[0], "ordered_at"))
    money = [name for name, nature in free.items()
             if nature.number_share > 0.95 and nature.whole_share < 0.5 and nature.date_share < 0.5]
    priced = taken.keys() & {"amount", "unit_price"}
    if table in SALES and "amount" not in taken and not priced and len(money) == 1:
        found.append((money[0], "amount"))
    return found


def _without_persons(
    chosen: Mapping[str, Mapped], table: str, look: Look, with_key: bool
) -> tuple[dict[str, Mapped], list[Unmapped]]:
    """Names are never read; phones and mails only where a key can hash them."""
    kept, left_out = {}, []
    for theirs, column in chosen.items():
        personal = TABLES[table].by_name[column.ours].personal
        if personal == "name":
            left_out.append(Unmapped(theirs, "name_left_out", column.ours, column.samples))
        elif personal in ("phone", "mail") and not with_key:
            left_out.append(Unmapped(theirs, "key_not_set", column.ours, column.samples))
        else:
            kept[theirs] = column
    return kept, left_out


def _with_manner(found: Found) -> Found:
    """How its values are to be read: a decimal comma, genders in words, ids that are phones or mails."""
    natures, updates, doubts = found.look.natures, {}, list(found.doubts)
    numbers = [column for column in found.mapped
               if TABLES[found.source.table].by_name[column.ours].type in ("decimal", "float")]
    if any(natures[column.theirs].decimal_comma for column in numbers):
        updates["decimal_comma"] = True
        commas = [column.theirs for column in numbers if natures[column.theirs].decimal_comma]
        doubts.append(Doubt("decimal_comma", {"columns": commas}))
    for column in found.mapped:
        if column.ours == "gender":
            updates["values"] = {"gender": _genders(found.look, column.theirs)}
        if column.ours == "customer_id" and is_contact(natures[column.theirs]):
            doubts.append(Doubt("id_is_contact", {"column": column.theirs}))
        if column.because == "values":
            doubts.append(Doubt("by_values", {"column": column.theirs, "ours": column.ours}))
    if found.look.other_headers:
        doubts.append(Doubt("headers_differ", {"file": found.look.other_headers[0]}))
    updates = {name: value for name, value in updates.items() if value}
    return replace(found, source=found.source.model_copy(update=updates), doubts=tuple(doubts))


def _genders(look: Look, theirs: str) -> dict[str, str]:
    words = word_lists()["genders"]
    return {text: words[text.lower()] for text in look.samples(theirs, 50)
            if text.lower() in words and text != words[text.lower()]}


def lacking_columns(found: Found) -> list[str]:
    """Needed columns that were not found."""
    have, table = found.ours | set(found.source.constants), found.source.table
    needs = [(name,) for name in TABLES[table].required]
    if table == "orders":
        needs = [("ordered_at", "ordered_on"), ("amount",)]
    if table == "order_lines":
        needs = [("amount", "unit_price"), ("order_id", "ordered_at", "ordered_on")]
    return [" or ".join(names) for names in needs if not have & set(names)]


def dated(found: Found, folder: Path, dates: str) -> Found:
    """The order of day and month, where the files need one.

    Raises:
        WorkbookError: when they need one and nothing tells it.
    """
    table = TABLES.get(found.source.table) if found.source.table else None
    times = [column.theirs for column in found.mapped if column.ours.endswith(("_at", "_on", "_date"))
             or (table is not None and table.by_name[column.ours].type in ("timestamp", "date"))]
    times = [name for name in times if {"either", "dmy", "mdy", "two-digit year"} & found.look.natures[name].date_words]
    if not times:
        return found
    if dates:
        return replace(found, source=found.source.model_copy(update={"dates": dates}))
    order, against = looks.date_order(found.look, times, folder)
    if against:
        sample = next(iter(found.look.samples(times[0])), "")
        raise WorkbookError(
            f"{found.look.pieces[0].name}: {', '.join(times)} is written like {sample}, and "
            + {"date_undecidable": "no day above the 12th tells which part is the month.",
               "date_order_mixed": "some dates are day first, others month first.",
               "two_digit_year": "years of two digits can be read in several ways."}[against],
            why="Guessing would move orders by up to eleven months.",
            way_out="Add --dates dmy (day first) or --dates mdy (month first); --dates ymd for 26-03-05.",
        )
    if not order:
        return found
    doubt = Doubt("date_order", {"columns": times, "order": order})
    return replace(found, source=found.source.model_copy(update={"dates": order}), doubts=(*found.doubts, doubt))


def is_contact(nature: Nature) -> bool:
    return nature.mail_share > 0.5 or nature.phone_share > 0.8


def _shown(look: Look, theirs: str, personal: str) -> tuple[str, ...]:
    """Samples; shapes only where they may be personal, free text with its personal parts masked."""
    nature = look.natures[theirs]
    hidden = personal not in ("", "id", "unknown") or is_contact(nature) or (
        personal == "unknown" and may_name_a_person(theirs))
    texts = look.samples(theirs)
    if hidden:
        return tuple(mask(text, "value") for text in texts)
    return tuple(texts) if nature.number_share > 0.8 or nature.date_share > 0.8 else tuple(mask(t, "") for t in texts)


def _example_columns(look: Look, table: str) -> str:
    """A line for --columns to start from: what the values suggest, - for the rest."""
    names = ["-"] * len(look.columns)
    natures = [look.natures[name] for name in look.columns]
    used: set[str] = set()

    def put(place: int | None, ours: str) -> None:
        if place is not None and names[place] == "-" and ours not in used:
            names[place] = ours
            used.add(ours)

    put(next((i for i, n in enumerate(natures) if n.date_share > 0.9), None), "ordered_at")
    put(next((i for i in reversed(range(len(natures))) if natures[i].number_share > 0.9
              and natures[i].whole_share < 0.5), None), "amount")
    if table in SALES:
        put(next((i for i, n in enumerate(natures) if names[i] == "-" and 0.001 < n.distinct_share < 0.9
                  and n.filled * n.distinct_share > 20), None), "customer_id")
        put(next((i for i, n in enumerate(natures) if names[i] == "-" and n.whole_share > 0.95
                  and n.longest <= 3), None), "quantity")
    return ",".join(names)
