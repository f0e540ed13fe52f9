"""From a shop's own files to proposed sources: which table each holds, and which column means what.

Headers are compared with `synonyms.yaml` (English and Chinese), known exports with `known`; the values then speak:
a time must read as times, an amount as numbers, an id of a product must not be a date. What stays in doubt is said, as
codes and values; `output.words.new` puts them into sentences.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import yaml
from pydantic import SecretStr

from workbook.data import known, looks, sources
from workbook.data.errors import WorkbookError, nearest
from workbook.data.looks import Look, Nature
from workbook.data.privacy import mask
from workbook.data.schema import TABLES, Column
from workbook.data.settings import Source

_SYNONYMS = Path(__file__).parent / "synonyms.yaml"
_SALES = ("orders", "order_lines")
_CURRENCY_OF_SIGN = {"£": "GBP", "€": "EUR", "₹": "INR", "₩": "KRW", "元": "CNY", "RMB": "CNY", "US$": "USD",
                     "HK$": "HKD", "NT$": "TWD", "R$": "BRL", "zł": "PLN", "円": "JPY"}
_REDUCTIONS = ("discount", "coupon", "tax", "platform_subsidy")
_NAMED = 1.0  # confidence where the header says it
_PATTERN = 0.8  # where a pattern of its words does
_VALUES = 0.5  # where only the values do

Reason = Literal["no_meaning", "name_left_out", "key_not_set", "taken", "values_differ"]


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


@dataclass(frozen=True)
class Proposal:
    """What `workbook new` proposes for a shop."""

    found: tuple[Found, ...]
    doubts: tuple[Doubt, ...]  # about the files taken together
    currency: str  # XXX: not said anywhere
    time_zone: str
    phone_country: str

    @property
    def tables(self) -> set[str]:
        return {table for one in self.found for table in _tables_of(one.source)}

    @property
    def needs_key(self) -> bool:
        """Whether a column will be hashed: a phone or mail, or an id of a customer that is one."""
        return any(
            TABLES[one.source.table].by_name[column.ours].personal in ("phone", "mail")
            or (column.ours == "customer_id" and _is_contact(one.look.natures[column.theirs]))
            for one in self.found if one.source.table for column in one.mapped
        )


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


def discover(
    given: Mapping[str, Sequence[str]],
    folder: Path,
    *,
    columns: Sequence[str] = (),
    dates: str = "",
    key_is_set: bool | None = None,
) -> Proposal:
    """Look at the given files and propose sources.

    Args:
        given: canonical table → files, globs or `file#table` of a database or workbook.
        folder: the workspace to be; relative paths of `given` are of the current folder.
        columns: names for the columns of the sales file, in its order, "-" for one to leave out.
        dates: dmy or mdy, where the files leave the order of day and month open.
        key_is_set: whether phones and mails can be hashed; looked up in the environment when left out.

    Raises:
        NeedsColumns: a file without usable headers.
        WorkbookError: a file that cannot be read, or dates whose order nothing tells.
    """
    with_key = bool(os.environ.get("WORKBOOK_KEY")) if key_is_set is None else key_is_set
    found: list[Found] = []
    for table, places in given.items():
        for place in places:
            found += _of_place(place, table, folder, columns if table in _SALES else (), with_key)
    found = _named([_dated(one, folder, dates) for one in _once(found)])
    return Proposal(tuple(found), _doubts(found), _currency(found), *_shop(found))


def _doubts(found: Sequence[Found]) -> tuple[Doubt, ...]:
    """What is missing in the files taken together."""
    sales = [one for one in found if _tables_of(one.source) & set(_SALES)]
    if not sales:
        return (Doubt("no_sales", {}),)
    return () if any("customer_id" in one.ours for one in sales) else (Doubt("no_customer", {}),)


def _named(found: Sequence[Found]) -> list[Found]:
    """Each source under a name of its own: its table's, or its file's where two bring the same table."""
    labels = [one.source.label for one in found]
    names = []
    for one in found:
        name = one.source.name
        if labels.count(one.source.label) > 1:
            name = re.sub(r"\W+", "_", Path(one.source.path).stem or one.source.label).strip("_") or one.source.label
        while name and name in names:
            name += "_2"
        names.append(name)
    return [replace(one, source=one.source.model_copy(update={"name": name}) if name else one.source)
            for one, name in zip(found, names, strict=True)]


# --- places ------------------------------------------------------------------------------------


def _of_place(place: str, table: str, folder: Path, columns: Sequence[str], with_key: bool) -> list[Found]:
    declared = _declared(place, folder)
    if declared.url is not None or declared.from_table or declared.sheet:
        return [_of_look(looks.look(declared, folder), table, columns, with_key)]
    path = Path(declared.path)
    if path.is_file() and looks.is_sqlite(path):
        return _of_database(declared, path, with_key)
    if columns:
        return [_with_columns(declared, table, columns, folder)]
    if path.is_file() and path.suffix.lower() in (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"):
        return _of_sheets(declared, table, folder, with_key)
    return [_of_look(looks.look(declared, folder), table, (), with_key)]


def _declared(place: str, folder: Path) -> Source:
    """A place as the command line gives it: FILE, GLOB, FILE#TABLE, sqlite:///FILE#TABLE, postgresql://…#TABLE."""
    spot, _, part = (place, "", "") if Path(place).expanduser().exists() else place.partition("#")
    if re.match(r"^(sqlite|postgres(ql)?)://", spot):
        if re.search(r"://[^:/@]+:(?!\$\{)[^@]+@", spot):
            raise WorkbookError("The database URL holds a password.", why="workbook.yaml must not hold secrets.",
                                way_out="Write postgresql://USER:${DB_PASSWORD}@HOST/DATABASE#TABLE, in single quotes.")
        return Source(url=SecretStr(spot), from_table=part)
    path = Path(spot).expanduser()
    absolute = path if path.is_absolute() else Path(os.path.normpath(Path.cwd() / path))
    if absolute.is_dir():
        absolute = absolute / "*"
    if not part:
        return Source(path=str(absolute))
    is_database = absolute.is_file() and looks.is_sqlite(absolute)
    return Source(path=str(absolute), **({"from_table": part} if is_database else {"sheet": part}))


def _of_sheets(declared: Source, table: str, folder: Path, with_key: bool) -> list[Found]:
    """Each sheet that can be told apart; the first one for the table that was asked for."""
    pieces = sources.find(declared.model_copy(update={"sheet": "*"}), folder)
    if len(pieces) == 1:
        return [_of_look(looks.look(declared, folder), table, (), with_key)]
    found = []
    for piece in pieces:
        declared_sheet = declared.model_copy(update={"sheet": piece.sheet})
        try:
            found.append(_classified(looks.look(declared_sheet, folder), piece.sheet, with_key))
        except NeedsColumns:
            continue
    usable = _best_of_each(one for one in found if one is not None)
    return usable or [_of_look(looks.look(declared, folder), table, (), with_key)]


def _of_database(declared: Source, path: Path, with_key: bool) -> list[Found]:
    """The tables of a SQLite file that are orders, their lines, customers and products."""
    keys = looks.tables_of(path)
    found = []
    for name, foreign in keys.items():
        try:
            look = looks.look(declared.model_copy(update={"from_table": name}), path.parent)
        except WorkbookError:
            continue  # an empty table has nothing to tell
        one = _classified(look, name, with_key, foreign=foreign)
        if one is not None:
            found.append(one)
    best = _best_of_each(found)
    by_table = {one.source.table: one for one in best}
    if not by_table.keys() & set(_SALES):
        raise WorkbookError(
            f"{path.name} has no table that looks like orders: {', '.join(keys)}.",
            way_out=f"Name it: --orders '{path}#TABLE', and write its columns into workbook.yaml.")
    lines = by_table.get("order_lines")
    if lines is not None:
        named = {other for column, other, _ in keys[lines.source.from_table] if column in
                 {m.theirs for m in lines.mapped if m.ours == "product_id"}}
        best = [_with_category(one, path, keys) if one.source.table == "products" else one for one in best
                if one.source.table != "products" or not named or one.source.from_table in named]
    return best


def _with_category(one: Found, path: Path, keys: Mapping[str, list[tuple[str, str, str]]]) -> Found:
    """A category that the product names only by number is joined in from its own table."""
    if "category" in one.ours:
        return one
    own = one.source.from_table
    for word in _synonyms()["hints"]["category"]:
        for column, other, to in keys[own]:
            if word not in other.lower():
                continue
            there = looks.look(one.source.model_copy(update={"from_table": other}), path.parent)
            name = next((c for c in there.columns if _plain(c) in ("name", "title", "名称", _plain(other))), None)
            if name:
                return _joined(one, own, column, other, to, name, path)
    return one


def _joined(one: Found, own: str, column: str, other: str, to: str, name: str, path: Path) -> Found:
    query = (f'SELECT p.*, c."{name}" AS "{other} {name}" FROM "{own}" AS p '
             f'LEFT JOIN "{other}" AS c ON p."{column}" = c."{to}"')
    columns = {**one.source.columns, f"{other} {name}": "category"}
    source = one.source.model_copy(update={"query": query, "from_table": "", "columns": columns})
    look = looks.look(source, path.parent)
    joined = Mapped(f"{other} {name}", "category", _PATTERN, "key", tuple(look.samples(f"{other} {name}")))
    rest = tuple(unused for unused in one.unmapped if unused.theirs != column)
    return replace(one, source=source, look=look, mapped=(*one.mapped, joined), unmapped=rest)


def _classified(
    look: Look, name: str, with_key: bool, *, foreign: Sequence[tuple[str, str, str]] = ()
) -> Found | None:
    """The table or sheet as the canonical table that it fits best; None where it fits none."""
    export = known.recognise(look.columns)
    if export is not None:
        return _of_known(look, export, with_key)
    hints = _synonyms()["hints"]
    fits: list[tuple[float, Found]] = []
    for table in ("order_lines", "orders", "customers", "products"):
        if re.search(hints[table], name, re.IGNORECASE) is None:
            continue
        one = _mapped(look, table, with_key, foreign=foreign)
        if not _lacking(one):
            fits.append((sum(column.confidence for column in one.mapped), one))
            break
    return max(fits, key=lambda fit: fit[0])[1] if fits else None


def _best_of_each(found: Iterable[Found]) -> list[Found]:
    best: dict[str, Found] = {}
    for one in found:
        kept = best.get(one.source.table or one.source.known)
        if kept is None or len(one.mapped) > len(kept.mapped):
            best[one.source.table or one.source.known] = one
    order = [*_SALES, "customers", "products"]
    return sorted(best.values(), key=lambda one: order.index(one.source.table) if one.source.table in order else 9)


def _once(found: Iterable[Found]) -> list[Found]:
    """A file that was named twice (a database for orders and for customers) counts once."""
    seen: dict[tuple[str, ...], Found] = {}
    for one in found:
        place = (one.source.path, one.source.from_table, one.source.sheet, one.source.query, one.source.table)
        seen.setdefault(place, one)
    return list(seen.values())


# --- one table ---------------------------------------------------------------------------------


def _of_look(look: Look, table: str, columns: Sequence[str], with_key: bool) -> Found:
    export = known.recognise(look.columns)
    if export is not None:
        return _of_known(look, export, with_key)
    if not look.has_header:
        raise NeedsColumns(f"{look.pieces[0].name} has no header.", look=look, table=table, missing=())
    found = _mapped(look, _sales_table(look, table), with_key)
    lacking = _lacking(found)
    if lacking:
        raise NeedsColumns(
            f"{look.pieces[0].name}: no column was understood as {', '.join(lacking)} of {found.source.table}.",
            look=look, table=table, missing=lacking)
    return found


def _of_known(look: Look, export: known.Known, with_key: bool) -> Found:
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


def _with_columns(declared: Source, table: str, columns: Sequence[str], folder: Path) -> Found:
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
    lacking = _lacking(found)
    if lacking:
        raise NeedsColumns(f"--columns names no {', '.join(lacking)}.", look=look, table=table, missing=lacking)
    return _with_manner(found)


def _sales_table(look: Look, table: str) -> str:
    """Order lines where a product is named or an order takes several rows; else what was asked for."""
    if table != "orders":
        return table
    as_lines = {column.ours: column for column in _mapped(look, "order_lines", with_key=True).mapped}
    names_product = as_lines.keys() & {"product_id", "product_name"} and as_lines.keys() & {"quantity", "unit_price"}
    order = as_lines.get("order_id")
    repeats = order is not None and look.natures[order.theirs].distinct_share < 0.9
    return "order_lines" if names_product or repeats else "orders"


def _mapped(look: Look, table: str, with_key: bool, *, foreign: Sequence[tuple[str, str, str]] = ()) -> Found:
    """Their columns as columns of a table: by header and values; by keys or values alone where something is missing."""
    guesses = sorted(_guesses(look, table), key=lambda guess: -guess[0])
    chosen: dict[str, Mapped] = {}
    taken: dict[str, str] = {}
    for score, theirs, ours, because in guesses:
        if theirs in chosen or ours in taken:
            continue
        personal = TABLES[table].by_name[ours].personal
        confidence = _NAMED if because == "header" else _PATTERN if because == "pattern" else _VALUES
        chosen[theirs] = Mapped(theirs, ours, min(confidence, score), because, _shown(look, theirs, personal or (
            "id" if ours == "customer_id" else "")))
        taken[ours] = theirs
    for theirs, ours in _by_keys(look, table, foreign, taken):
        chosen[theirs] = Mapped(theirs, ours, _PATTERN, "key", tuple(look.samples(theirs)))
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
        for ours, because, rank in _meanings(theirs, table):
            if _values_allow(look.natures[theirs], TABLES[table].by_name[ours]):
                found.append((1.5 - rank if because == "header" else 0.8 - rank, theirs, ours, because))
    return found


def _meanings(theirs: str, table: str) -> list[tuple[str, str, float]]:
    """(our column, header or pattern, place in the list) that a header may mean."""
    exact, patterns = _vocabulary(table)
    bare = re.sub(r"[(（\[].*?[)）\]]", "", theirs) or theirs  # 实付金额(元), Total (GBP)
    words = _words(bare)
    found = [(ours, "header", rank) for ours, rank in exact.get(_plain(theirs)) or exact.get(_plain(bare), ())]
    found += [(ours, "pattern", rank) for pattern, ours, rank in patterns if re.search(pattern, words)]
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
    if column.name in ("region", "country", "status", "gender", "channel", "payment_method", "currency"):
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
    if table in _SALES and not taken.keys() & {"ordered_at", "ordered_on"} and len(times) == 1:
        found.append((times[0], "ordered_at"))
    money = [name for name, nature in free.items()
             if nature.number_share > 0.95 and nature.whole_share < 0.5 and nature.date_share < 0.5]
    priced = taken.keys() & {"amount", "unit_price"}
    if table in _SALES and "amount" not in taken and not priced and len(money) == 1:
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
        if column.ours == "customer_id" and _is_contact(natures[column.theirs]):
            doubts.append(Doubt("id_is_contact", {"column": column.theirs}))
        if column.because == "values":
            doubts.append(Doubt("by_values", {"column": column.theirs, "ours": column.ours}))
    if found.look.other_headers:
        doubts.append(Doubt("headers_differ", {"file": found.look.other_headers[0]}))
    updates = {name: value for name, value in updates.items() if value}
    return replace(found, source=found.source.model_copy(update=updates), doubts=tuple(doubts))


def _genders(look: Look, theirs: str) -> dict[str, str]:
    words = _synonyms()["genders"]
    return {text: words[text.lower()] for text in look.samples(theirs, 50)
            if text.lower() in words and text != words[text.lower()]}


def _lacking(found: Found) -> list[str]:
    """Needed columns that were not found."""
    have, table = found.ours | set(found.source.constants), found.source.table
    needs = [(name,) for name in TABLES[table].required]
    if table == "orders":
        needs = [("ordered_at", "ordered_on"), ("amount",)]
    if table == "order_lines":
        needs = [("amount", "unit_price"), ("order_id", "ordered_at", "ordered_on")]
    return [" or ".join(names) for names in needs if not have & set(names)]


def _dated(found: Found, folder: Path, dates: str) -> Found:
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


# --- the shop ----------------------------------------------------------------------------------


def _currency(found: Sequence[Found]) -> str:
    """The one currency that a column, a sign or a known export tells; XXX where nothing or more than one does."""
    told: set[str] = set()
    for one in found:
        for column in one.mapped:
            if column.ours == "currency":
                told |= {text.upper() for text in one.look.samples(column.theirs, 9)}
            nature = one.look.natures.get(column.theirs)
            if nature and nature.number_share > 0.8:
                told |= {_currency_of(sign, one.look) for sign in nature.signs}
        if one.source.known and not told:
            told |= {known.known(one.source.known).settings.get("currency", "")} - {""}
    return told.pop() if len(told) == 1 else "XXX"


def _currency_of(sign: str, look: Look) -> str:
    """What a sign means; ¥ is the yuan under Chinese headers, $ could be many dollars."""
    if sign == "¥" and re.search(r"[\u4e00-\u9fff]", "".join(look.columns)):
        return "CNY"
    return _CURRENCY_OF_SIGN.get(sign, sign if len(sign) == 3 else "XXX")


def _shop(found: Sequence[Found]) -> tuple[str, str]:
    """Time zone and country of phones, where a known export or Chinese mobile numbers tell."""
    exports = [known.known(one.source.known).settings for one in found if one.source.known]
    zone = next((export["time_zone"] for export in exports if "time_zone" in export), "UTC")
    country = next((export["phone_country"] for export in exports if "phone_country" in export), "")
    if not country and any(_chinese_mobiles(one) for one in found):
        country = "CN"
    return zone, country


def _chinese_mobiles(found: Found) -> bool:
    """Whether one of its columns of phones, or of ids that are phones, holds Chinese mobile numbers."""
    columns = {column.theirs for column in (*found.mapped, *found.unmapped) if column.ours in ("phone", "customer_id")}
    for name in columns & set(found.look.columns):
        texts = found.look.samples(name, 50)
        mobiles = [text for text in texts if re.fullmatch(r"(\+?86)?[ -]?1[3-9]\d[ -]?\d{4}[ -]?\d{4}", text)]
        if texts and len(mobiles) > 0.8 * len(texts):
            return True
    return False


def _is_contact(nature: Nature) -> bool:
    return nature.mail_share > 0.5 or nature.phone_share > 0.8


def _tables_of(source: Source) -> set[str]:
    if source.table:
        return {source.table}
    return {part["table"] for part in known.known(source.known).parts}


# --- vocabulary --------------------------------------------------------------------------------


@cache
def _synonyms() -> dict[str, Any]:
    return yaml.safe_load(_SYNONYMS.read_text(encoding="utf-8"))


@cache
def _vocabulary(table: str) -> tuple[dict[str, list[tuple[str, float]]], list[tuple[re.Pattern[str], str, float]]]:
    """Plain header → (our column, rank), and patterns. A table's own names come before those for any table."""
    exact: dict[str, list[tuple[str, float]]] = {}
    patterns = []
    columns = TABLES[table].by_name
    for level, part in enumerate((_synonyms().get(table, {}), _synonyms()["any"])):
        for ours, names in part.items():
            if ours not in columns:
                continue
            for place, name in enumerate(names):
                rank = min(0.2 * level + place * 0.005, 0.45)
                if str(name).startswith("~"):
                    patterns.append((re.compile(name[1:]), ours, rank))
                else:
                    exact.setdefault(_plain(str(name)), []).append((ours, rank))
    for name in columns:  # our own names always hold
        exact.setdefault(_plain(name), []).append((name, -0.1))
    return exact, patterns


def _words(header: str) -> str:
    """InvoiceNo, invoice_no and "Invoice No." as `invoice no`."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", unicodedata.normalize("NFKC", header))
    return " ".join(re.findall(r"\w+", spaced.replace("_", " "))).lower()


def _plain(header: str) -> str:
    return _words(header).replace(" ", "")


def _shown(look: Look, theirs: str, personal: str) -> tuple[str, ...]:
    """Samples; shapes only where they may be personal, free text with its personal parts masked."""
    nature = look.natures[theirs]
    hidden = personal not in ("", "id", "unknown") or _is_contact(nature) or (
        personal == "unknown" and _may_name_a_person(theirs))
    texts = look.samples(theirs)
    if hidden:
        return tuple(mask(text, "value") for text in texts)
    return tuple(texts) if nature.number_share > 0.8 or nature.date_share > 0.8 else tuple(mask(t, "") for t in texts)


def _may_name_a_person(theirs: str) -> bool:
    told = any(TABLES["customers"].by_name[ours].personal for ours, _, _ in _meanings(theirs, "customers"))
    return told or re.search(_synonyms()["hints"]["personal"], _words(theirs)) is not None


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
    if table in _SALES:
        put(next((i for i, n in enumerate(natures) if names[i] == "-" and 0.001 < n.distinct_share < 0.9
                  and n.filled * n.distinct_share > 20), None), "customer_id")
        put(next((i for i, n in enumerate(natures) if names[i] == "-" and n.whole_share > 0.95
                  and n.longest <= 3), None), "quantity")
    return ",".join(names)
