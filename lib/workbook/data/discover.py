"""From a shop's own files to proposed sources: which table each holds, and what the shop's currency and country are.

Files, globs, archives, workbooks and databases are looked at (`looks`), their columns understood (`understanding`).
Codes and values come back; `output.words.new` puts them into sentences.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr

from workbook.data import known, looks, sources
from workbook.data.errors import WorkbookError
from workbook.data.looks import Look
from workbook.data.schema import TABLES
from workbook.data.settings import Source
from workbook.data.understanding import (
    PATTERN,
    SALES,
    Doubt,
    Found,
    Mapped,
    NeedsColumns,
    dated,
    is_contact,
    lacking_columns,
    mapped_as,
    of_known,
    of_look,
    with_columns,
)
from workbook.data.vocabulary import plain, word_lists

_IN_HEADING = re.compile(  # codes that are no words of a heading, as ALL, TOP or TRY may be
    "(?<![A-Za-z])(AUD|BRL|CAD|CHF|CNY|CZK|DKK|EUR|GBP|HKD|INR|JPY|KRW|NOK|NZD|PLN|RMB|SEK|SGD|TWD|USD)(?![A-Za-z])")
_SAID = {"RMB": "CNY"}
_CURRENCY_OF_SIGN = {"£": "GBP", "€": "EUR", "₹": "INR", "₩": "KRW", "元": "CNY", "RMB": "CNY", "US$": "USD",
                     "HK$": "HKD", "NT$": "TWD", "R$": "BRL", "zł": "PLN", "円": "JPY"}


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
        return {table for one in self.found for table in known.tables_of(one.source)}

    @property
    def needs_key(self) -> bool:
        """Whether a column will be hashed: a phone or mail, or an id of a customer that is one."""
        return any(
            TABLES[one.source.table].by_name[column.ours].personal in ("phone", "mail")
            or (column.ours == "customer_id" and is_contact(one.look.natures[column.theirs]))
            for one in self.found if one.source.table for column in one.mapped
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
            found += _of_place(place, table, folder, columns if table in SALES else (), with_key)
    found = _named([dated(one, folder, dates) for one in _once(found)])
    return Proposal(tuple(found), _doubts(found), _currency(found), *_shop(found))


def _doubts(found: Sequence[Found]) -> tuple[Doubt, ...]:
    """What is missing in the files taken together."""
    sales = [one for one in found if known.tables_of(one.source) & set(SALES)]
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
        return [of_look(looks.look(declared, folder), table, columns, with_key)]
    path = Path(declared.path)
    if path.is_file() and looks.is_sqlite(path):
        return _of_database(declared, path, with_key)
    if columns:
        return [with_columns(declared, table, columns, folder)]
    if path.is_file() and path.suffix.lower() in (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"):
        return _of_sheets(declared, table, folder, with_key)
    return [of_look(looks.look(declared, folder), table, (), with_key)]


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
        return [of_look(looks.look(declared, folder), table, (), with_key)]
    found = []
    for piece in pieces:
        declared_sheet = declared.model_copy(update={"sheet": piece.sheet})
        try:
            found.append(_classified(looks.look(declared_sheet, folder), piece.sheet, with_key))
        except NeedsColumns:
            continue
    usable = _best_of_each(one for one in found if one is not None)
    return usable or [of_look(looks.look(declared, folder), table, (), with_key)]


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
    if not by_table.keys() & set(SALES):
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
    for word in word_lists()["hints"]["category"]:
        for column, other, to in keys[own]:
            if word not in other.lower():
                continue
            there = looks.look(one.source.model_copy(update={"from_table": other}), path.parent)
            name = next((c for c in there.columns if plain(c) in ("name", "title", "名称", plain(other))), None)
            if name:
                return _joined(one, own, column, other, to, name, path)
    return one


def _joined(one: Found, own: str, column: str, other: str, to: str, name: str, path: Path) -> Found:
    query = (f'SELECT p.*, c."{name}" AS "{other} {name}" FROM "{own}" AS p '
             f'LEFT JOIN "{other}" AS c ON p."{column}" = c."{to}"')
    columns = {**one.source.columns, f"{other} {name}": "category"}
    source = one.source.model_copy(update={"query": query, "from_table": "", "columns": columns})
    look = looks.look(source, path.parent)
    joined = Mapped(f"{other} {name}", "category", PATTERN, "key", tuple(look.samples(f"{other} {name}")))
    rest = tuple(unused for unused in one.unmapped if unused.theirs != column)
    return replace(one, source=source, look=look, mapped=(*one.mapped, joined), unmapped=rest)


def _classified(
    look: Look, name: str, with_key: bool, *, foreign: Sequence[tuple[str, str, str]] = ()
) -> Found | None:
    """The table or sheet as the canonical table that it fits best; None where it fits none."""
    export = known.recognise(look.columns)
    if export is not None:
        return of_known(look, export, with_key)
    hints = word_lists()["hints"]
    fits: list[tuple[float, Found]] = []
    for table in ("order_lines", "orders", "customers", "products"):
        if re.search(hints[table], name, re.IGNORECASE) is None:
            continue
        one = mapped_as(look, table, with_key, foreign=foreign)
        if not lacking_columns(one):
            fits.append((sum(column.confidence for column in one.mapped), one))
            break
    return max(fits, key=lambda fit: fit[0])[1] if fits else None


def _best_of_each(found: Iterable[Found]) -> list[Found]:
    best: dict[str, Found] = {}
    for one in found:
        kept = best.get(one.source.table or one.source.known)
        if kept is None or len(one.mapped) > len(kept.mapped):
            best[one.source.table or one.source.known] = one
    order = [*SALES, "customers", "products"]
    return sorted(best.values(), key=lambda one: order.index(one.source.table) if one.source.table in order else 9)


def _once(found: Iterable[Found]) -> list[Found]:
    """A file that was named twice (a database for orders and for customers) counts once."""
    seen: dict[tuple[str, ...], Found] = {}
    for one in found:
        place = (one.source.path, one.source.from_table, one.source.sheet, one.source.query, one.source.table)
        seen.setdefault(place, one)
    return list(seen.values())


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
                told |= {_SAID.get(code, code) for code in _IN_HEADING.findall(column.theirs)}
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
