"""The clean tables of the base period, where today's would not do: rules that keep are fitted on what was known then.

Today's tables, cut at the end of the base period, are those of then but for two things. Ids that turned out later to
be one person were two customers then. And a return that names no order is matched by customer, product and price: one
that comes later and fits a purchase better may push an earlier one to another purchase. So where the base period has no
clean tables, and either has happened since, they are made for the rules' sake. Then it does not matter which period is
filled first.
"""

from __future__ import annotations

from workbook.cleaning import identities, steps
from workbook.data.engine import few_rows
from workbook.data.periods import Period
from workbook.data.run import Run

BY_CUSTOMER = ("same quantity", "same price")  # how a return is matched that names no order


def clean(run: Run) -> steps.Cleaned:
    """Make every clean table of the run, and those of its base period where a rule needs them.

    Raises:
        WorkbookError: when no order arrived, none is left, or a gate fails.
    """
    cleaned = steps.clean(run)
    run.once("base", lambda: _keep_base(run))
    return cleaned


def _keep_base(run: Run) -> bool:
    """Whether the base period was cleaned, for its own sake."""
    base = run.base_period
    if base.end >= run.as_of or run.store.has(f"{base.end}/clean/orders"):
        return False
    then = at(run, base)
    if not (paired_since(run, then) or merged_since(run, then)):
        return False
    steps.keep_tables(then)
    return True


def at(run: Run, period: Period) -> Run:
    """The same run at the end of another period, on the same connection, so that tables of both can be joined."""
    then = Run(run.chapter, run.settings, run.store, as_of=period.label, lang=run.lang)
    then.con = run.con
    return then


def paired_since(run: Run, then: Run) -> int:
    """How many later returns that name no order were matched to purchases of then."""
    back = run.table("clean/returns")
    later = back.filter(back.how.isin(BY_CUSTOMER), back.returned_on > then.as_of, back.purchased_on <= then.as_of)
    return few_rows(later.aggregate(returns=later.count()))[0]["returns"]


def merged_since(run: Run, then: Run) -> int:
    """How many ids that had bought by then belong to another person now.

    Args:
        run: with its clean tables.
        then: the same shop on an earlier day.
    """
    lines, now = run.table("clean/order_lines"), run.table("clean/identities")
    bought = lines.filter(lines.ordered_on <= then.as_of).mutate(customer_id=lines.raw_customer_id)
    found, ids = steps.Work(then).persons(bought)
    before = identities.table_of(found, ids).select("raw_customer_id", person="customer_id")
    both = now.inner_join(before, "raw_customer_id")
    moved = both.filter(both.customer_id != both.person).semi_join(
        bought.select(raw_customer_id="customer_id").distinct(), "raw_customer_id")
    return few_rows(moved.aggregate(ids=moved.count()))[0]["ids"]
