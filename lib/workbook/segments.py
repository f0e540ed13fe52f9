"""Segments of one's own: any filter on a table of customers → its size, value and overlap → saved by name → a list.

A filter is a sentence over the table's columns; nothing of it is ever run as code:

    segment in (at_risk, slowing) and monetary >= 500
    value_class = potential and not (recency_days < 30 or visits = 0)
    first_ordered_on >= 2026-01-01 and region is not empty
    region contains "East"

In: a table with one row per customer (customer_id, and for the value spend_12m). Out: filters checked against its
columns and types, and what they hold. Saved filters are documents `segments/<name>` of the workspace's store; they
keep the sentence, not the people: next month's list is made of next month's customers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import ibis
import ibis.expr.types as ir

from workbook.data.engine import few_rows
from workbook.data.errors import WorkbookError, nearest
from workbook.data.run import Run
from workbook.data.store import Store

FOLDER = "segments"
_TOKEN = re.compile(
    r"""\s*(?: (?P<text>"[^"]*"|'[^']*') | (?P<date>\d{4}-\d{2}-\d{2})(?!\w) | (?P<number>[+-]?\d+(?:\.\d+)?)(?!\w)
    | (?P<op><=|>=|!=|<>|==|=|<|>|≤|≥|≠) | (?P<mark>[(),，（）]) | (?P<word>[^\W\d][\w.-]*) )""",
    re.VERBOSE,
)
_SAME = {"==": "=", "<>": "!=", "≠": "!=", "≤": "<=", "≥": ">=", "，": ",", "（": "(", "）": ")"}
_NAME = re.compile(r"[\w][\w \-]{0,59}")

Value = str | float | int | bool | date


@dataclass(frozen=True)
class Condition:
    """One column compared with one value, or with several (`in`), or with nothing (`empty`)."""

    column: str
    op: str  # = != < <= > >= in contains empty
    value: Value | tuple[Value, ...] = ""


@dataclass(frozen=True)
class Not:
    """The opposite of a filter. Who has no value in a column is on neither side, unless `is empty` asks for them."""

    part: Filter


@dataclass(frozen=True)
class Both:
    """All parts hold (`and`), or at least one (`or`)."""

    joined_by: str
    parts: tuple[Filter, ...]


Filter = Condition | Not | Both


class Size(NamedTuple):
    """What a filter holds."""

    customers: int
    share: float | None  # of the table's customers
    spend_12m: float  # currency
    spend_share: float | None  # of the table's spending of twelve months


class Overlap(NamedTuple):
    """How two filters lie to each other, in customers."""

    only_first: int
    both: int
    only_second: int


def parse(sentence: str) -> Filter:
    """A filter from its sentence.

    Raises:
        WorkbookError: says at which word it stopped being understood.

    >>> parse("recency_days <= 30 and segment in (new, loyal)").parts[1]
    Condition(column='segment', op='in', value=('new', 'loyal'))
    """
    reader = _Reader(sentence)
    found = reader.any_of()
    if reader.peek() is not None:
        raise reader.lost("and, or, or the end")
    return found


class _Reader:
    """Reads a sentence from left to right: `or` of `and` of conditions, `not` and brackets."""

    def __init__(self, sentence: str) -> None:
        self.sentence, self.tokens, self.at = sentence, list(_tokens(sentence)), 0

    def peek(self) -> str | None:
        return str(self.tokens[self.at][1]) if self.at < len(self.tokens) else None

    def any_of(self) -> Filter:
        return self._joined("or", lambda: self._joined("and", self._one))

    def _joined(self, word: str, part: Any) -> Filter:
        parts = [part()]
        while self._skip(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Both(word, tuple(parts))

    def _one(self) -> Filter:
        if self._skip("not"):
            return Not(self._one())
        if self._skip("("):
            inner = self.any_of()
            self._expect(")")
            return inner
        return self._condition()

    def _condition(self) -> Filter:
        column = self._next("word", "the name of a column")
        if self._skip("is"):
            opposite = self._skip("not")
            self._expect("empty")
            return Not(Condition(column, "empty")) if opposite else Condition(column, "empty")
        opposite = self._skip("not")
        if self._skip("in"):
            self._expect("(")
            values = [self._value()]
            while self._skip(","):
                values.append(self._value())
            self._expect(")")
            found = Condition(column, "in", tuple(values))
            return Not(found) if opposite else found
        if self._skip("contains"):
            found = Condition(column, "contains", str(self._value()))
            return Not(found) if opposite else found
        if opposite:
            raise self.lost("in or contains")
        return Condition(column, self._next("op", "= != < <= > >= in contains is"), self._value())

    def _value(self) -> Value:
        if self.at >= len(self.tokens) or self.tokens[self.at][0] not in ("text", "number", "date", "word"):
            raise self.lost("a value")
        self.at += 1
        return self.tokens[self.at - 1][1]

    def _next(self, kind: str, wanted: str) -> str:
        if self.at >= len(self.tokens) or self.tokens[self.at][0] != kind:
            raise self.lost(wanted)
        self.at += 1
        return str(self.tokens[self.at - 1][1])

    def _skip(self, word: str) -> bool:
        here = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        if here[0] in ("word", "mark") and str(here[1]).lower() == word:
            self.at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._skip(word):
            raise self.lost(word)

    def lost(self, wanted: str) -> WorkbookError:
        found = self.peek()
        return WorkbookError(
            f"The filter {self.sentence!r} is not understood at {found!r}." if found
            else f"The filter {self.sentence!r} ends too early.",
            why=f"Expected there: {wanted}.",
            way_out='Write conditions such as  recency_days <= 30 and segment in (new, loyal)  with "quotes" round '
            "values of several words.",
        )


def _tokens(sentence: str) -> Iterator[tuple[str, Value]]:
    at = 0
    while sentence[at:].strip():
        found = _TOKEN.match(sentence, at)
        if found is None:
            raise WorkbookError(
                f"The filter {sentence!r} is not understood at {sentence[at:].strip()[:20]!r}.",
                way_out='Write conditions such as  recency_days <= 30 and region = "East"  .',
            )
        at, kind = found.end(), str(found.lastgroup)
        yield kind, _read(kind, found[kind])


def _read(kind: str, written: str) -> Value:
    if kind == "text":
        return written[1:-1]
    if kind == "number":
        if re.match(r"0\d", written):
            return written  # an id: its leading zeros are part of it
        return float(written) if "." in written else int(written)
    if kind == "date":
        try:
            return date.fromisoformat(written)
        except ValueError as error:
            raise WorkbookError(f"{written} is no date.", way_out="Write it as 2026-06-30.") from error
    return _SAME.get(written, written)


def holds(table: ir.Table, wanted: Filter) -> ir.BooleanValue:
    """For each customer whether the filter holds; false where a column is empty.

    Raises:
        WorkbookError: unknown column, or a value that its type cannot hold.
    """
    return _holds(table, wanted).coalesce(False)


def _holds(table: ir.Table, wanted: Filter) -> ir.BooleanValue:
    if isinstance(wanted, Not):
        return ~_holds(table, wanted.part)
    if isinstance(wanted, Both):
        parts = [_holds(table, part) for part in wanted.parts]
        return ibis.and_(*parts) if wanted.joined_by == "and" else ibis.or_(*parts)
    if wanted.column not in table.columns:
        raise WorkbookError(
            f"The filter names the column {wanted.column!r}, which the customers do not have.",
            way_out=nearest(wanted.column, table.columns),
        )
    column = table[wanted.column]
    if wanted.op == "empty":
        return column.isnull()
    if wanted.op == "in":
        return column.isin([_fitting(column, value) for value in wanted.value])
    if wanted.op == "contains":
        if not column.type().is_string():
            raise _wrong(column, wanted.value, "contains looks into text")
        return column.contains(str(wanted.value))
    return _compare(column, wanted.op, _fitting(column, wanted.value))


def _compare(column: ir.Value, op: str, value: ir.Value) -> ir.BooleanValue:
    if op not in ("=", "!=") and (column.type().is_string() or column.type().is_boolean()):
        raise _wrong(column, op, "only numbers and dates have a more and a less")
    return {
        "=": column.__eq__, "!=": column.__ne__, "<": column.__lt__, "<=": column.__le__, ">": column.__gt__,
        ">=": column.__ge__,
    }[op](value)  # fmt: skip


def _fitting(column: ir.Value, value: Value) -> Any:
    """The value as the column's type holds it."""
    kind = column.type()
    if kind.is_string():
        return str(value)
    if kind.is_numeric() and isinstance(value, int | float) and not isinstance(value, bool):
        return ibis.literal(str(value)).cast(kind) if kind.is_decimal() else value
    if kind.is_boolean() and str(value).lower() in ("true", "false", "yes", "no"):
        return str(value).lower() in ("true", "yes")
    if (kind.is_date() or kind.is_timestamp()) and isinstance(value, date):
        return ibis.literal(value)
    held = "yes or no" if kind.is_boolean() else "numbers" if kind.is_numeric() else "dates"
    raise _wrong(column, value, f"the column holds {held}")


def _wrong(column: ir.Value, value: Any, why: str) -> WorkbookError:
    return WorkbookError(
        f"The filter compares {column.get_name()} with {value!r}.",
        why=f"That does not go: {why}.",
        way_out="Compare numbers with numbers (30), dates with dates (2026-06-30), text with text.",
    )


def members(table: ir.Table, wanted: Filter) -> ir.Table:
    """The customers for whom the filter holds."""
    return table.filter(holds(table, wanted))


def size(table: ir.Table, wanted: Filter) -> Size:
    """Customers and spending that a filter holds, and their shares of the whole table."""
    inside = holds(table, wanted)
    spend = table.spend_12m.cast("float64")
    row = _row(table.aggregate(
        customers=inside.cast("int64").sum().coalesce(0), everyone=table.count(),
        spend=spend.sum(where=inside).coalesce(0.0), all_spend=spend.sum().coalesce(0.0),
    ))  # fmt: skip
    return Size(
        row["customers"],
        row["customers"] / row["everyone"] if row["everyone"] else None,
        row["spend"],
        row["spend"] / row["all_spend"] if row["all_spend"] > 0 else None,
    )


def overlap(table: ir.Table, first: Filter, second: Filter) -> Overlap:
    """How many customers two filters share."""
    a, b = holds(table, first), holds(table, second)
    row = _row(table.aggregate(
        only_first=(a & ~b).cast("int64").sum().coalesce(0), both=(a & b).cast("int64").sum().coalesce(0),
        only_second=(~a & b).cast("int64").sum().coalesce(0),
    ))  # fmt: skip
    return Overlap(**row)


def _row(aggregated: ir.Table) -> Mapping[str, Any]:
    return few_rows(aggregated)[0]


def save(run: Run, name: str, sentence: str, *, table: ir.Table) -> str:
    """Keep a filter under a name in the workspace, where a rendered report finds it too; returns the name.

    Raises:
        WorkbookError: a name that no file can have, or a filter that does not fit the table.
    """
    name = checked_name(name)
    holds(table, parse(sentence))
    _workspace(run).keep_document(f"{FOLDER}/{name}", {"filter": sentence.strip(), "saved_for": run.as_of.isoformat()})
    return name


def checked_name(name: str) -> str:
    """The name without spaces around it; refused where no file could have it."""
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise WorkbookError(
            f"A segment cannot be called {name!r}.",
            way_out="Use letters, digits, spaces and hyphens, at most 60, beginning with a letter or digit.",
        )
    return name


def saved(run: Run) -> dict[str, str]:
    """Saved filters: name → sentence."""
    store = _workspace(run)
    documents = {name.removeprefix(f"{FOLDER}/"): store.document(name) for name in store.document_names(FOLDER)}
    return {name: document["filter"] for name, document in documents.items()}


def forget(run: Run, name: str) -> None:
    """Remove a saved filter."""
    _workspace(run).forget_document(f"{FOLDER}/{checked_name(name)}")


def listed(table: ir.Table, sentence: str, *, columns: Sequence[str] = ()) -> ir.Table:
    """The list to hand on: customer_id and the named columns, who spent most first."""
    found = members(table, parse(sentence))
    ordered = found.order_by(found.spend_12m.desc(), found.customer_id)
    return ordered.select("customer_id", *[column for column in columns if column != "customer_id"])


def _workspace(run: Run) -> Store:
    """The store below the overlay: a saved filter is the user's own word, and outlives a forgotten scratch."""
    return run.store.below or run.store
