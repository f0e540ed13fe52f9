"""The named results of cleaning: values ready to be found, with units, intervals, and reasons where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from workbook.cleaning.returning import ToCome
from workbook.cleaning.steps import Cleaned
from workbook.data.engine import few_rows
from workbook.data.findings import Figure


def of(cleaned: Cleaned, come: ToCome | None) -> Iterator[Figure]:
    """All named results of one run of cleaning."""
    yield from _of_ledger(cleaned)
    yield from _of_sales(cleaned)
    yield from _of_returns(cleaned, come)
    yield from _of_identities(cleaned)
    yield Figure("gates_passed", sum(gate.passed for gate in cleaned.gates), "gates", n=len(cleaned.gates))
    yield Figure("gates_total", len(cleaned.gates), "gates")
    for row in cleaned.quality.itertuples():
        known = row.score == row.score
        yield Figure(f"quality_{row.table}", row.score if known else None, "share", n=row.rows,
                     reason="" if known else "no_rows")


def _of_ledger(cleaned: Cleaned) -> Iterator[Figure]:
    arrived, kept = cleaned.step("no_date"), cleaned.step("synonym")
    yield Figure("rows_read", arrived.rows_before, "rows")
    yield Figure("rows_kept", kept.rows_after, "rows", n=arrived.rows_before)
    yield Figure("rows_removed", arrived.rows_before - kept.rows_after, "rows", n=arrived.rows_before)
    yield Figure("ids_kept", kept.customers_after, "customers")
    yield Figure("revenue_raw", arrived.revenue_before, "money", n=arrived.rows_before)
    yield Figure("revenue_kept", kept.revenue_after, "money", n=kept.rows_after)
    for name, rule in (("duplicates_flagged", "exact_duplicate"), ("repeats_removed", "repeated_key"),
                       ("outliers_flagged", "outlier"), ("non_products_flagged", "non_product")):  # fmt: skip
        yield Figure(name, cleaned.step(rule).rows_flagged, "rows", n=arrived.rows_before)


def _of_sales(cleaned: Cleaned) -> Iterator[Figure]:
    orders, lines = cleaned.orders, cleaned.lines
    sums = few_rows(orders.aggregate(
        orders=(~orders.is_return).sum(), net=orders.net_amount.sum(),
        identified=orders.net_amount.sum(where=orders.customer_id.notnull())))[0]
    people = few_rows(lines.aggregate(customers=lines.customer_id.nunique()))[0]["customers"]
    yield Figure("orders_kept", sums["orders"] or 0, "orders")
    yield Figure("customers_kept", people, "customers")
    yield Figure("net_revenue", sums["net"], "money", n=sums["orders"])
    yield _share("identified_revenue_share", sums["identified"], sums["net"], n=sums["orders"], reason="no_revenue")


def _of_returns(cleaned: Cleaned, come: ToCome | None) -> Iterator[Figure]:
    sold = cleaned.lines.filter(~cleaned.lines.is_return)
    seen = few_rows(sold.aggregate(
        lines=sold.count(), amount=sold.amount.sum(), back=sold.returned_amount.sum()))[0]
    open_ = few_rows(cleaned.unmatched.aggregate(
        rows=cleaned.unmatched.count(), amount=cleaned.unmatched.amount.sum()))[0]
    negative = cleaned.lines.filter(cleaned.lines.is_return)
    lines = few_rows(negative.aggregate(rows=negative.count(), amount=negative.amount.sum()))[0]
    yield _share("returned_share", seen["back"], seen["amount"], n=seen["lines"], reason="no_revenue")
    yield Figure("returned_amount", seen["back"] or Decimal(0), "money", n=seen["lines"])
    yield Figure("unmatched_returns", open_["rows"], "rows")
    yield Figure("unmatched_returns_amount", open_["amount"] or Decimal(0), "money", n=open_["rows"])
    yield Figure("unmatched_lines_amount", -(lines["amount"] or Decimal(0)), "money", n=lines["rows"])
    if come is None:
        yield Figure("returns_to_come", None, "money", reason="too_few")
        yield Figure("returned_share_expected", None, "share", reason="too_few")
    else:
        yield Figure("returns_to_come", come.expected, "money", low=come.low, high=come.high, n=come.returns)
        yield Figure("returned_share_expected", come.rate, "share", n=come.returns)


def _of_identities(cleaned: Cleaned) -> Iterator[Figure]:
    found = cleaned.identities
    counts = {r["status"]: r for r in few_rows(found.group_by("status").aggregate(
        ids=found.count(), people=found.customer_id.nunique()))}
    merged, refused = counts.get("merged"), counts.get("refused")
    ids = sum(row["ids"] for row in counts.values())
    yield Figure("merged_ids", merged["ids"] - merged["people"] if merged else 0, "customers", n=ids)
    yield Figure("refused_ids", refused["ids"] if refused else 0, "customers", n=ids)


def _share(name: str, part: Any, whole: Any, *, n: int, reason: str) -> Figure:
    if not whole:
        return Figure(name, None, "share", reason=reason)
    return Figure(name, float(part or 0) / float(whole), "share", n=n)
