"""Amounts of several currencies in the reporting currency, at the rates that the shop declares."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from workbook.collection.evidence import Evidence
from workbook.data.parsing import MONEY, Parsed
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
    named = pc.utf8_upper(columns["currency"]) if "currency" in columns else None
    out, reasons = dict(columns), {}
    for our in [name for name in columns if table.by_name.get(name) and table.by_name[name].unit == "currency"]:
        codes = [code for code in (signs.get(our), named) if code is not None]
        code = pc.coalesce(*codes) if codes else None
        if code is None or not set(pc.unique(code.drop_null()).to_pylist()) - {settings.currency}:
            continue
        out[our], why = _converted(columns[our], code, columns.get(table.local_date), settings)
        if why.null_count < len(why):
            reasons["currency" if named is not None else our] = why
    return out, reasons


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
        unrated = pc.and_(pc.and_(there, pc.invert(rated)), pc.is_valid(amounts))
        why = pc.coalesce(why, pc.if_else(unrated, "currency_without_rate", none))
        amounts = worth
    return amounts, why


def _times_rate(amounts: pa.Array, rate: Decimal) -> pa.Array:
    product = pc.multiply(amounts, pa.scalar(rate.quantize(Decimal("1e-8")), pa.decimal128(18, 8)))
    return pc.cast(pc.round(product, 4), MONEY)
