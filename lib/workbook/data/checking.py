"""Everything that is wrong with a shop's settings and the heads of its sources, all at once.

Nothing is collected. Codes and values come back; `output.words.new` says them. A problem that `sources` already tells
in full (nothing there, damaged, unreachable) comes back as that error.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal

from babel.numbers import list_currencies

from workbook.data import known, looks
from workbook.data.errors import WorkbookError
from workbook.data.looks import Look
from workbook.data.parsing import Manner, parse
from workbook.data.periods import period_of
from workbook.data.privacy import SHORTEST_KEY, Pseudonymiser, mask, normal_phone
from workbook.data.schema import TABLES
from workbook.data.settings import Settings, Source, secret
from workbook.data.sources import tidy_name

_SALES = ("orders", "order_lines")
_ENV = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong, or that should be known."""

    code: str
    source: str = ""  # label of the source; "" for the settings themselves
    values: Mapping[str, Any] = field(default_factory=dict)
    severity: Literal["error", "warning"] = "error"
    error: WorkbookError | None = None  # where a lower floor said it already


@dataclass(frozen=True)
class Checked:
    """What a check found."""

    problems: tuple[Problem, ...]
    looks: Mapping[str, Look]  # source → its head, where it could be read

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(problem for problem in self.problems if problem.severity == "error")


def check(
    settings: Settings, *, rules: Collection[str] = (), chapters: Collection[str] = ()
) -> Checked:
    """Look at the settings and at the head of every source.

    Args:
        rules: names of the cleaning rules that there are; not checked when left out.
        chapters: names of the chapters that there are; not checked when left out.
    """
    problems = list(_of_settings(settings, rules, chapters))
    heads: dict[str, Look] = {}
    plain: list[Source] = []
    for source in settings.sources:
        try:
            heads[source.label] = look = looks.look(source, settings.folder)
            parts = known.expand(source, look.columns)
        except WorkbookError as error:
            problems.append(Problem("unreadable_source", source.label, error=error))
            plain.append(source)
            continue
        plain += parts
        for part in parts:
            problems += _of_source(part, look, settings, others=settings.sources)
    problems += _of_sources_together(plain)
    return Checked(tuple(problems), heads)


# --- settings ----------------------------------------------------------------------------------


def _of_settings(settings: Settings, rules: Collection[str], chapters: Collection[str]) -> Iterator[Problem]:
    if settings.currency == "XXX":
        yield Problem("currency_not_said", severity="warning")
    elif settings.currency not in list_currencies():
        yield Problem("unknown_currency", values={"currency": settings.currency})
    for rate in settings.rates:
        if rate.currency not in list_currencies():
            yield Problem("unknown_currency", values={"currency": rate.currency})
    yield from _unknown("unknown_rule", settings.cleaning.rules, rules)
    yield from _unknown("unknown_chapter", settings.chapters, chapters)
    for total in settings.control_totals:
        if total.table not in TABLES:
            yield Problem("control_total_table", values={"table": total.table, "near": _near(total.table, TABLES)})
        if total.period != "all":
            yield from _period("control_total_period", total.period, settings)
    if settings.base_period:
        yield from _period("base_period", settings.base_period, settings)
    for occasion in settings.calendar:
        if occasion.end is not None and occasion.end < occasion.start:
            yield Problem("occasion_ends_before", values={
                "name": occasion.name, "start": occasion.start, "end": occasion.end})
    try:
        Pseudonymiser("", settings.phone_country)
    except WorkbookError as error:
        yield Problem("phone_country", error=error)


def _unknown(code: str, names: Mapping[str, Any], there_are: Collection[str]) -> Iterator[Problem]:
    for name in names:
        if there_are and name not in there_are:
            yield Problem(code, values={"name": name, "near": _near(name, there_are)})


def _period(code: str, text: str, settings: Settings) -> Iterator[Problem]:
    try:
        period_of(text, settings.period)
    except WorkbookError:
        yield Problem(code, values={"period": text})


def _near(name: str, names: Collection[str]) -> str:
    return next(iter(get_close_matches(name, list(names), n=1)), "")


# --- one source --------------------------------------------------------------------------------


def _of_source(source: Source, look: Look, settings: Settings, *, others: Collection[Source]) -> Iterator[Problem]:
    spelt = {tidy_name(name): name for name in reversed(look.columns)}
    mapping = _mapping(source, look)
    there = {theirs: ours for theirs, ours in mapping.items() if tidy_name(theirs) in spelt}
    for theirs in mapping.keys() - there.keys():
        yield Problem("column_missing", source.label, {
            "column": theirs, "file": look.pieces[0].name, "near": _near(theirs, look.columns)})
    have = set(there.values()) | set(source.constants)
    for names in _needed(source.table, others):
        if not have & set(names):
            yield Problem("required_missing", source.label, {
                "columns": names, "table": source.table, "file": look.pieces[0].name, "theirs": look.columns})
    if look.other_headers:
        yield Problem("headers_differ", source.label, {"file": look.other_headers[0]}, "warning")
    if source.table in _SALES and "customer_id" not in have and not any(
            other.table in _SALES and other is not source and "customer_id" in _ours(other) for other in others):
        yield Problem("no_customer", source.label, {}, "warning")
    columns = {spelt[tidy_name(theirs)]: ours for theirs, ours in there.items()}
    yield from _values(source, look, columns, settings)
    yield from _dates(source, look, columns, settings)
    yield from _persons(source, look, columns, settings)


def _mapping(source: Source, look: Look) -> dict[str, str]:
    """theirs → ours, as collection will have it; columns named like ours where none is declared."""
    if isinstance(source.columns, list):
        return {theirs: ours for theirs, ours in zip(look.columns, source.columns, strict=False) if ours != "-"}
    if source.columns:
        return {theirs: ours for theirs, ours in source.columns.items() if ours != "-"}
    names = {tidy_name(name): name for name in TABLES[source.table].by_name}
    return {theirs: names[tidy_name(theirs)] for theirs in look.columns if tidy_name(theirs) in names}


def _ours(source: Source) -> set[str]:
    return set(source.columns if isinstance(source.columns, list) else source.columns.values())


def _needed(table: str, others: Collection[Source]) -> list[tuple[str, ...]]:
    needs = [(name,) for name in TABLES[table].required if name != "ordered_at"]
    if table == "orders":
        needs.append(("ordered_at", "ordered_on"))
    if table == "order_lines":
        needs.append(("amount", "unit_price"))
        if not any(other.table == "orders" or other.known for other in others):
            needs.append(("ordered_at", "ordered_on"))
    return needs


def _values(source: Source, look: Look, columns: Mapping[str, str], settings: Settings) -> Iterator[Problem]:
    """Columns of which more of the head cannot be read than the source allows."""
    for theirs, ours in columns.items():
        column = TABLES[source.table].by_name[ours]
        if column.personal or column.type in ("string", "date", "timestamp"):
            continue
        manner = Manner(settings.time_zone, source.dates, source.decimal_comma, settings.currency)
        parsed = parse(look.texts[theirs], column, manner)
        bad = [(text, why) for text, why in zip(look.texts[theirs].to_pylist(), parsed.reasons.to_pylist(), strict=True)
               if why]
        if len(bad) > source.max_rejected_share * len(look.texts[theirs]):
            yield Problem("values_unreadable", source.label, {
                "column": theirs, "ours": ours, "n": len(bad), "of": len(look.texts[theirs]),
                "example": mask(bad[0][0], ""), "reason": bad[0][1]})


def _dates(source: Source, look: Look, columns: Mapping[str, str], settings: Settings) -> Iterator[Problem]:
    kinds = TABLES[source.table].by_name
    times = [theirs for theirs, ours in columns.items() if kinds[ours].type in ("date", "timestamp")]
    open_ones = [name for name in times if {"either", "two-digit year", "dmy", "mdy"} & look.natures[name].date_words]
    if open_ones and not source.dates:
        _, against = looks.date_order(look, open_ones, settings.folder)
        if against:
            yield Problem(against, source.label, {
                "columns": open_ones, "example": look.samples(open_ones[0], 1)[0], "file": look.pieces[0].name})
            return
    order = source.dates or (looks.date_order(look, open_ones, settings.folder)[0] if open_ones else "")
    for theirs in times:
        texts = look.texts[theirs]
        parsed = parse(texts, kinds[columns[theirs]], Manner(settings.time_zone, order))
        bad = len(texts) - parsed.reasons.null_count
        if bad > source.max_rejected_share * len(texts):
            first = next(text for text, why in zip(texts.to_pylist(), parsed.reasons.to_pylist(), strict=True) if why)
            yield Problem("values_unreadable", source.label, {
                "column": theirs, "ours": columns[theirs], "n": bad, "of": len(texts), "example": mask(first, ""),
                "reason": next(why for why in parsed.reasons.to_pylist() if why)})


def _persons(source: Source, look: Look, columns: Mapping[str, str], settings: Settings) -> Iterator[Problem]:
    """The key where something will be hashed, and the country where phones have none."""
    kinds = TABLES[source.table].by_name
    phones = [theirs for theirs, ours in columns.items() if kinds[ours].personal == "phone"]
    hashed = phones + [theirs for theirs, ours in columns.items() if kinds[ours].personal == "mail"]
    hashed += [theirs for theirs, ours in columns.items() if ours == "customer_id" and (
        look.natures[theirs].mail_share > 0.01 or look.natures[theirs].phone_share > 0.5)]
    if hashed:
        yield from _key(settings, source, hashed)
    if not settings.phone_country:
        for theirs in phones:
            samples = look.samples(theirs, 50)
            without = [text for text in samples if normal_phone(text, "")[1] == "phone_without_country"]
            if without:
                yield Problem("phone_without_country", source.label, {
                    "column": theirs, "example": mask(without[0], "phone")})


def _key(settings: Settings, source: Source, columns: list[str]) -> Iterator[Problem]:
    declared = settings.privacy.key
    try:
        key = secret(declared)
    except WorkbookError:
        unset = _ENV.findall(declared.get_secret_value())
        yield Problem("key_not_set", source.label, {"variable": unset[0], "columns": columns})
        return
    if len(key) < SHORTEST_KEY:
        yield Problem("key_too_short", source.label, {"shortest": SHORTEST_KEY, "columns": columns})


def _of_sources_together(sources: Collection[Source]) -> Iterator[Problem]:
    if not {source.table for source in sources} & set(_SALES):
        yield Problem("no_sales")
