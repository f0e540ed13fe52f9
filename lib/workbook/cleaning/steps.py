"""The steps of cleaning in their order, from a run's raw tables to its clean ones."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from workbook.cleaning import customers, duplicates, ledger, orders, rules, sales
from workbook.cleaning.sales import MONEY
from workbook.data.errors import WorkbookError
from workbook.data.run import Run

_MARKED = "clean/marked_lines"


@dataclass(frozen=True)
class Cleaned:
    """What one run of cleaning made."""

    lines: ir.Table
    orders: ir.Table
    customers: ir.Table
    ledger: list[ledger.Line]


def clean(run: Run) -> Cleaned:
    """Make every clean table of the run.

    Raises:
        WorkbookError: when no order arrived, none is left, or a gate fails.
    """
    chosen = rules.actions(run.settings.cleaning.rules)
    marked = _marked_lines(run, chosen)
    steps = [rule.name for rule in rules.RULES]
    main = "order_lines" if run.has("raw/order_lines") else "orders"
    entries = ledger.of_rules(marked, steps, chosen, table=main)
    if entries[-1].rows_after == 0:
        raise _nothing_left(run, entries)
    run.keep("clean/removed", _removed(marked))
    kept = marked.filter(marked.removed_by.isnull())
    lines = run.keep("clean/order_lines", _final(kept), key=("row_id",))
    run.keep("clean/ledger", ledger.table_of(entries))
    made = run.keep("clean/orders", orders.from_lines(lines, sales.of_table(run)("orders")), key=("order_id",))
    declared = run.settings.cleaning
    people = run.keep("clean/customers", customers.people(
        made, sales.of_table(run)("customers"), test_customers=declared.test_customers, as_of=run.as_of,
        youngest=declared.youngest, oldest=declared.oldest, blank_ages=chosen["impossible_age"] == "drop",
    ), key=("customer_id",))
    return Cleaned(lines, made, people, entries)


def _marked_lines(run: Run, chosen: dict[str, str]) -> ir.Table:
    raw = sales.of_table(run)
    if raw("orders") is None and raw("order_lines") is None:
        raise WorkbookError(
            "No orders have been collected.",
            why="Every chapter starts from orders: customer, time, amount.",
            way_out="Declare a source of table `orders` or `order_lines`, then: workbook render --only 01",
        )
    arrived = sales.with_products(sales.lines(raw), raw("products"))
    upserted = {source.label for source in run.settings.sources if source.load == "upsert"}
    checked = duplicates.mark(
        arrived, row="row_id", key=("order_id", "line_no"), columns=sales.GIVEN, upserted=upserted,
        arrived=arrived.given_order_id.notnull() & ((arrived.origin == "orders") | arrived.given_line_no.notnull()),
    )
    known = rules.Known(run.settings.cleaning, run.as_of, rules.fence(checked))
    return run.keep(_MARKED, rules.mark(checked, known, chosen))


def _removed(marked: ir.Table) -> ir.Table:
    """The rows that a rule dropped, with the rule and where they lie in their file."""
    gone = marked.filter(marked.removed_by.notnull())
    return gone.select(
        "row_id", "source_name", "source_file", "source_row", rule="removed_by", order_id="order_id",
        customer_id="customer_id", ordered_on="ordered_on", amount="amount")


def _final(kept: ir.Table) -> ir.Table:
    zero = ibis.literal(Decimal(0)).cast(MONEY)
    return kept.select(
        "row_id", *sales.LINE,
        is_product=~kept.rule_non_product, is_duplicate=kept.rule_exact_duplicate | kept.rule_conflicting_key,
        is_outlier=kept.rule_outlier, is_return=kept.amount < 0, returned_quantity=zero, returned_amount=zero,
        returned_amount_30d=zero, net_amount=kept.amount,
    )


def _nothing_left(run: Run, entries: list[ledger.Line]) -> WorkbookError:
    taken = ", ".join(f"{entry.rule}: {entry.rows_removed:,}" for entry in entries if entry.rows_removed)
    return WorkbookError(
        f"No order is left up to {run.as_of} of {entries[0].rows_before:,} rows that arrived ({taken}).",
        why="A report on nothing would only look like one.",
        way_out="Check the date of the report (--as-of), the order of day and month in the sources, "
                "and the rules set to drop in cleaning.rules.",
    )
