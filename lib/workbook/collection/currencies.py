"""Amounts of several currencies in the reporting currency, at the rates that the shop declares."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from workbook.collection.evidence import Evidence
from workbook.data.parsing import Parsed, as_money
from workbook.data.schema import Table
from workbook.data.settings import Settings


def in_reporting_currency(
    columns: dict[str, pa.Array], parsed: Mapping[str, tuple[pa.Array, Parsed]], table: Table, seen: Evidence,
    settings: Settings,
) -> tuple[dict[str, pa.Array], dict[str, pa.Array]]:
    """Foreign amounts at their declared rate; a row in a currency without one has a reason.

    A shop that has not said its currency may have one sign in a column; `seen` takes note of each.
    """
    signs = {our: one.currency for our, (_, one) in parsed.items() if one.currency is not None}
    if settings.currency == "XXX":
        for our in [*signs, *(["currency"] if "currency" in columns else [])]:
            words = seen.setdefault(our, set())
            words.add("unnamed shop currency")
            if our == "currency":
                words.update(f"currency {code}" for code in pc.unique(columns[our].drop_null()).to_pylist())
        return columns, {}
    code = _currency_of_rows(columns, signs)
    if code is None or not set(pc.unique(code.drop_null()).to_pylist()) - {settings.currency}:
        return columns, {}
    out, why = dict(columns), pa.nulls(len(code), pa.string())
    for our in [name for name in columns if table.by_name.get(name) and table.by_name[name].unit == "currency"]:
        out[our], reasons = _converted(columns[our], code, columns.get(table.local_date), settings)
        why = pc.coalesce(why, reasons)
    where = "currency" if "currency" in columns else next(iter(signs))
    return out, {where: why} if why.null_count < len(why) else {}


def _currency_of_rows(columns: Mapping[str, pa.Array], signs: Mapping[str, pa.Array]) -> pa.Array | None:
    """The currency of each row: the sign beside one of its numbers, else its currency column; null is the shop's."""
    named = [pc.utf8_upper(columns["currency"])] if "currency" in columns else []
    codes = [*signs.values(), *named]
    return pc.coalesce(*codes) if codes else None


def _converted(amounts: pa.Array, codes: pa.Array, days: pa.Array | None,
               settings: Settings) -> tuple[pa.Array, pa.Array]:
    none = pa.scalar(None, pa.string())
    why = pa.nulls(len(amounts), pa.string())
    for code in sorted(set(pc.unique(codes.drop_null()).to_pylist()) - {settings.currency}):
        there = pc.fill_null(pc.equal(codes, code), False)
        rated = pa.array([False] * len(amounts))
        worth = amounts
        for rate in sorted((r for r in settings.rates if r.currency == code), key=lambda r: r.valid_from):
            held = there if days is None or rate.valid_from <= date(1900, 1, 1) else pc.and_(
                there, pc.fill_null(pc.greater_equal(days, pa.scalar(rate.valid_from)), False))
            worth = pc.if_else(held, _times_rate(amounts, rate.rate), worth)
            rated = pc.or_(rated, held)
        there = pc.and_(there, pc.is_valid(amounts))
        why = pc.coalesce(why, pc.if_else(pc.and_(there, pc.invert(rated)), "currency_without_rate", none))
        why = pc.coalesce(why, pc.if_else(pc.and_(there, pc.is_null(worth)), "number_too_large", none))
        amounts = worth
    return amounts, why


def _times_rate(amounts: pa.Array, rate: Decimal) -> pa.Array:
    return as_money(pc.multiply(amounts, pa.scalar(rate.quantize(Decimal("1e-8")), pa.decimal128(18, 8))))[0]
