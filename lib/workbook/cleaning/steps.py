"""The steps of cleaning in their order, from a run's raw tables to its clean ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import ibis
import ibis.expr.types as ir
import pandas as pd

from workbook.cleaning import (
    customers,
    gates,
    identities,
    ledger,
    orders,
    quality,
    records,
    returns,
    rules,
    sales,
    synonyms,
)
from workbook.cleaning.gates import Gate, gate
from workbook.data.engine import few_rows
from workbook.data.errors import WorkbookError
from workbook.data.run import Run
from workbook.data.schema import TABLES

_MARKED = "clean/marked_lines"
_KEPT = {"lines": "order_lines", "orders": "orders", "customers": "customers", "returns": "returns",
         "unmatched": "unmatched_returns", "identities": "identities"}  # of `Cleaned` → its table
_OWN_WAY = ("orders", "order_lines", "customers", "returns")  # tables that are more than cut and tidied


@dataclass
class Cleaned:
    """What one run of cleaning made."""

    lines: ir.Table
    orders: ir.Table
    customers: ir.Table
    returns: ir.Table
    unmatched: ir.Table
    identities: ir.Table
    ledger: list[ledger.Line] = field(default_factory=list)
    gates: list[Gate] = field(default_factory=list)
    quality: pd.DataFrame = field(default_factory=pd.DataFrame)
    spellings: dict[str, dict[str, str]] = field(default_factory=dict)  # column → spelling → what it became

    def step(self, rule: str) -> ledger.Line:
        """The ledger's line of that rule, of the table that holds the sales."""
        return next(line for line in self.ledger if line.rule == rule)


def clean(run: Run) -> Cleaned:
    """Make every clean table of the run.

    Raises:
        WorkbookError: when no order arrived, none is left, or a gate fails.
    """
    told = run.once("cleaned", lambda: _cleaned(run))
    tables = {name: run.table(f"clean/{table}") for name, table in _KEPT.items()}
    return Cleaned(**tables, ledger=told.ledger, gates=told.gates, quality=told.quality, spellings=told.spellings)


class _Told(NamedTuple):
    """What is known of a cleaning beside its tables."""

    ledger: list[ledger.Line]
    gates: list[Gate]
    quality: pd.DataFrame
    spellings: dict[str, dict[str, str]]


def _cleaned(run: Run) -> _Told:
    """Keep every clean table, and tell what was done."""
    work = Work(run)
    people, made = _sales(work)
    entries = [*work.entries, *_later_entries(work, people, made), *work.others(people.merged)]
    run.keep("clean/ledger", ledger.table_of(entries))
    met = _gates(work, made)
    run.keep("clean/gates", gates.table_of(met))
    measured = work.quality(entries)
    run.keep("clean/quality", measured)
    gates.refuse(met)
    return _Told(entries, met, measured, work.spellings)


def keep_tables(run: Run) -> None:
    """Keep the clean tables alone, without ledger and gates."""
    work = Work(run)
    people, _made = _sales(work)
    work.others(people.merged)


def _sales(work: Work) -> tuple[_People, Cleaned]:
    """People, and what they bought and brought back."""
    kept = work.kept()
    people = work.people(kept)
    kept = identities.resolve(kept.mutate(raw_customer_id=kept.customer_id), people.merged)
    netted = returns.net(kept, work.returns(), age_days=work.run.settings.cleaning.return_age_days)
    if work.does("returns"):
        lines = netted.lines
    else:
        netted, lines = returns.net(kept.filter(kept.amount > 0), None, age_days=0), returns.unnetted(kept)
    return people, _keep(work, people, lines, netted)


@dataclass(frozen=True)
class _People:
    every: ir.Table  # clean/identities
    merged: ir.Table  # only ids that belong to another one


class Work:
    """The raw side of one run, and what has been noted so far."""

    def __init__(self, run: Run) -> None:
        self.run, self.declared = run, run.settings.cleaning
        self.actions = rules.actions(self.declared.rules)
        self.entries: list[ledger.Line] = []
        self.spellings: dict[str, dict[str, str]] = {}

    def does(self, rule: str) -> bool:
        """Whether a rule that changes values, rather than removes rows, is at work."""
        return self.actions[rule] != "keep"

    def raw(self, name: str) -> ir.Table | None:
        return self.run.table(f"raw/{name}") if self.run.has(f"raw/{name}") else None

    def known(self, name: str) -> ir.Table | None:
        """A raw table as it was known at the report date."""
        table = self.raw(name)
        return None if table is None else records.known(
            table, name, as_of=self.run.as_of, zone=self.run.settings.zone)

    def replaced(self, *loads: str) -> set[str]:
        """Names of the sources whose newest arrival wins."""
        return {source.label for source in self.run.settings.sources if source.load in loads}

    @property
    def sales_table(self) -> str:
        return "order_lines" if self.raw("order_lines") is not None else "orders"

    @cached_property
    def marked(self) -> ir.Table:
        """Every line that arrived, with what each rule says of it."""
        if self.raw("orders") is None and self.raw("order_lines") is None:
            raise WorkbookError(
                "No orders have been collected.",
                why="Every chapter starts from orders: customer, time, amount.",
                way_out="Declare a source of table `orders` or `order_lines`, then: workbook render --only 01",
            )
        arrived = sales.with_products(sales.lines(self.raw), self.known("products"))
        checked = sales.with_verdicts(arrived, upserted=self.replaced("upsert"))
        seen = arrived.filter(arrived.ordered_on.isnull() | (arrived.ordered_on <= self.run.as_of))
        facts = rules.Known(self.declared, self.run.as_of, rules.fence(seen))
        return self.run.keep(_MARKED, rules.mark(checked, facts, self.actions))

    def kept(self) -> ir.Table:
        """Lines that no rule dropped, spelled alike; notes the ledger of the rules."""
        steps = [rule.name for rule in rules.RULES]
        self.entries = ledger.of_rules(self.marked, steps, self.actions, table=self.sales_table)
        if self.entries[-1].rows_after == 0:
            self.run.keep("clean/ledger", ledger.table_of(self.entries))
            raise nothing_left(self.run, self.entries)
        self.run.keep("clean/removed", _removed(self.marked))
        kept = self.marked.filter(self.marked.removed_by.isnull())
        state, changed = self._last_state, 0
        if self.does("synonym"):
            unified, self.spellings = synonyms.unify(kept.select(*kept.columns), self.declared.synonyms)
            changed = _count(kept.filter(synonyms.changed(kept, self.spellings))) if self.spellings else 0
            kept = unified
        self.entries.append(
            ledger.line("synonym", self.actions["synonym"], self.sales_table, state, state, flagged=changed))
        return kept.select(
            "row_id", *sales.LINE, *sales.LINEAGE_COLUMNS, is_product=~kept.rule_non_product,
            is_duplicate=kept.rule_exact_duplicate | kept.rule_conflicting_key, is_outlier=kept.rule_outlier)

    @property
    def _last_state(self) -> ledger.State:
        last = self.entries[-1]
        return ledger.State(last.rows_after, last.customers_after or 0, last.revenue_after or ledger.NOTHING)

    def people(self, kept: ir.Table) -> _People:
        """Who is behind the ids of customers and sales."""
        every = self.run.keep("clean/identities", identities.table_of(*self.persons(kept)), key=("raw_customer_id",))
        return _People(every, every.filter(every.raw_customer_id != every.customer_id))

    def persons(self, kept: ir.Table) -> tuple[pd.DataFrame, ir.Table]:
        """The person of each id that shares a mark, as `identities.persons` returns it; and every id.

        Args:
            kept: sales, under the ids that they came with.
        """
        customers_known = self.known("customers")
        bought = kept.filter(kept.customer_id.notnull()).group_by(raw_customer_id="customer_id").aggregate(
            first_seen_on=kept.ordered_on.min())
        ids = bought.select("raw_customer_id")
        if customers_known is not None:
            registered = customers_known.filter(customers_known.customer_id.notnull())
            ids = ibis.union(ids, registered.select(raw_customer_id="customer_id"), distinct=True)
        shared = identities.links(customers_known, self.known("identities")) if self.does("identity") else None
        if shared is None:
            found = identities.clusters(pd.DataFrame(), largest=1)
        else:
            found = identities.clusters(self.run.frame(shared), largest=self.declared.largest_identity)
        seen = pd.DataFrame() if found.empty else self.run.frame(bought.semi_join(shared, "raw_customer_id"))
        return identities.persons(found, seen), ids

    def returns(self) -> ir.Table | None:
        """Raw returns known at the report date, without repeats."""
        table = self.known("returns")
        if table is None or not records.has_key(table, "returns"):
            return table
        return records.tidy(self._verdicts(table, "returns"), drop_repeats=self.actions["repeated_key"] == "drop",
                            merged=None)

    def _verdicts(self, table: ir.Table, name: str) -> ir.Table:
        return records.marked(table, name, replaced=self.replaced("upsert", "snapshot"))

    def others(self, merged: ir.Table) -> list[ledger.Line]:
        """Keep every other table; their lines of the ledger."""
        entries = []
        for name in TABLES:
            table = self.raw(name)
            if table is None or name == self.sales_table:
                continue
            known = self.known(name)
            arrived, left = _count(table), _count(known)
            entries.append(_entry("later", "cut", name, arrived, left))
            keyed = records.has_key(known, name)
            marked = self._verdicts(known, name) if keyed else known
            if keyed:
                entries += self._repeats(name, marked, left)
            if name not in _OWN_WAY:
                drop = self.actions["repeated_key"] == "drop"
                clean_table = records.tidy(marked, drop_repeats=drop, merged=merged) if keyed else (
                    records.with_people(known, merged))
                self.run.keep(f"clean/{name}", clean_table)
        return entries

    def _repeats(self, name: str, marked: ir.Table, rows: int) -> list[ledger.Line]:
        seen = few_rows(marked.aggregate(
            superseded=marked.is_superseded.sum(), conflicts=marked.is_conflicting_key.sum(),
            repeats=(marked.is_repeated_key & ~marked.is_superseded).sum()))[0]
        after, action = rows - (seen["superseded"] or 0), self.actions["repeated_key"]
        repeats = seen["repeats"] or 0
        return [
            _entry("superseded", "drop", name, rows, after, flagged=seen["superseded"] or 0),
            _entry("repeated_key", action, name, after, after - repeats * (action == "drop"), flagged=repeats),
            _entry("conflicting_key", "flag", name, after - repeats * (action == "drop"),
                   after - repeats * (action == "drop"), flagged=seen["conflicts"] or 0),
        ]

    def quality(self, entries: list[ledger.Line]) -> pd.DataFrame:
        """One row per raw table."""
        quarantined: dict[str, int] = {}
        if self.run.has("quarantine/rows"):
            waiting = self.run.table("quarantine/rows")
            waiting = waiting.select("table", "source_file", "source_row").distinct()
            quarantined = {r["table"]: r["rows"] for r in few_rows(
                waiting.group_by("table").aggregate(rows=waiting.count()))}
        rows = []
        for name in TABLES:
            table = self.raw(name)
            if table is not None:
                repeats = sum(e.rows_flagged for e in entries if e.table == name and e.rule in _REPEATS)
                rows.append(quality.measure(
                    table, name, customers=self.raw("customers"), quarantined=quarantined.get(name, 0),
                    repeats=repeats, as_of=self.run.as_of, period_days=self.run.period.whole.days,
                    first_possible=self.declared.first_possible_date))
        return quality.frame(rows)


_REPEATS = ("superseded", "repeated_key", "exact_duplicate")


def _keep(work: Work, people: _People, lines: ir.Table, netted: returns.Netted) -> Cleaned:
    run, declared = work.run, work.declared
    lines = run.keep("clean/order_lines", lines.drop(*sales.LINEAGE_COLUMNS), key=("row_id",))
    told = run.keep("clean/returns", netted.returns)
    unmatched = run.keep("clean/unmatched_returns", identities.resolve(netted.unmatched, people.merged))
    made = run.keep("clean/orders", orders.from_lines(lines, work.known("orders")), key=("order_id",))
    persons = customers.people(
        made, work.known("customers"), merged=people.merged, test_customers=declared.test_customers, as_of=run.as_of,
        youngest=declared.youngest, oldest=declared.oldest, blank_ages=work.actions["impossible_age"] == "drop")
    if work.does("synonym"):
        persons, spellings = synonyms.unify(persons, declared.synonyms)
        work.spellings = {name: work.spellings.get(name, {}) | spellings.get(name, {})
                          for name in {*work.spellings, *spellings}}
    kept = run.keep("clean/customers", persons, key=("customer_id",))
    return Cleaned(lines, made, kept, told, unmatched, people.every)


def _later_entries(work: Work, people: _People, made: Cleaned) -> list[ledger.Line]:
    """Identities merged, returns netted, ages blanked."""
    before = work._last_state
    seen = few_rows(made.lines.aggregate(
        rows=made.lines.count(), revenue=made.lines.net_amount.sum(), documents=made.lines.is_return.sum()))[0]
    persons = few_rows(made.lines.aggregate(n=made.lines.customer_id.nunique()))[0]["n"]
    merged = _count(people.merged)
    after = ledger.State(before.rows, persons, before.revenue)
    net = ledger.State(seen["rows"], persons, seen["revenue"].quantize(ledger.MONEY))
    table = work.sales_table
    entries = [
        ledger.line("identity", "merge", table, before, after, flagged=merged),
        ledger.line("returns", "net", table, after, net, flagged=_count(made.returns)),
    ]
    known = work.known("customers")
    if known is not None:
        wrong = customers.impossible_age(known.birth_year, as_of=work.run.as_of, youngest=work.declared.youngest,
                                         oldest=work.declared.oldest)
        rows = _count(known)
        entries.append(_entry("impossible_age", work.actions["impossible_age"], "customers", rows, rows,
                              flagged=_count(known.filter(wrong))))
    return entries


def _gates(work: Work, made: Cleaned) -> list[Gate]:
    """Both sides of every gate, counted apart."""
    run, table = work.run, work.sales_table
    lines = few_rows(made.lines.aggregate(
        rows=made.lines.count(), amount=made.lines.amount.sum(), net=made.lines.net_amount.sum(),
        kept_returns=made.lines.is_return.sum()))[0]
    totals = few_rows(made.orders.aggregate(
        lines=made.orders.lines.sum(), amount=made.orders.amount.sum(), net=made.orders.net_amount.sum()))[0]
    arrived = few_rows(work.marked.aggregate(
        rows=work.marked.count(), kept=work.marked.amount.sum(where=work.marked.removed_by.isnull())))[0]
    own = made.returns.filter(made.returns.origin == "order_lines")
    used_up = _count(own.select(row_id="undoing_id").distinct().anti_join(made.lines, "row_id"))
    apart = made.returns.filter(made.returns.origin == "returns")
    rounding = 0.01 + 0.001 * _count(made.returns)
    refunds = few_rows(apart.aggregate(n=apart.count(), amount=apart.amount.sum()))[0]
    unknown = made.orders.filter(made.orders.customer_id.notnull()).anti_join(made.customers, "customer_id")
    raw_rows = _raw_sales_rows(work)
    found = [
        gate("rows_accounted", table, raw_rows, lines["rows"] + used_up + _count(run.table("clean/removed"))),
        gate("no_row_multiplied", table, arrived["rows"], raw_rows),
        gate("order_lines_counted", "orders", totals["lines"], lines["rows"]),
        gate("order_totals", "orders", totals["amount"], lines["amount"]),
        gate("net_of_returns", table, lines["net"], (arrived["kept"] or 0) - (refunds["amount"] or 0),
             tolerance=rounding),
        gate("customers_known", "customers", _count(unknown), 0),
    ]
    if table == "order_lines" and work.raw("orders") is not None:
        found.append(_documents_gate(work))
    found += gates.control(run.settings.control_totals, lambda rule, name: _table_for_control(work, rule, name),
                           as_of=run.period, grain=run.settings.period)
    return found


def _raw_sales_rows(work: Work) -> int:
    """Rows of the sales tables as they lie in the store."""
    if work.sales_table == "orders" or work.raw("orders") is None:
        return _count(work.raw(work.sales_table))
    order_lines, documents = work.raw("order_lines"), work.raw("orders")
    return _count(order_lines) + _count(documents.anti_join(order_lines, "order_id"))


def _documents_gate(work: Work) -> Gate:
    """Order documents against their lines, up to half a percent: a rounding is no loss, a missing file is."""
    documents = sales.complete(work.known("orders"), "orders")
    one = sales.newest(documents.filter(documents.order_id.notnull()), "order_id")
    rows = work.marked.filter((work.marked.origin == "order_lines") & ~work.marked.is_repeated_key
                              & ~work.marked.is_superseded)
    by_order = rows.group_by("order_id").aggregate(lines_amount=rows.amount.sum())
    both = one.inner_join(by_order, "order_id")
    seen = few_rows(both.aggregate(documents=both.amount.sum(), lines=both.lines_amount.sum()))[0]
    size = abs(seen["documents"] or 0)
    return gate("documents_match_lines", "orders", seen["documents"], seen["lines"], tolerance=float(size) * 0.005)


def _table_for_control(work: Work, rule: str, name: str) -> ir.Table | None:
    if rule == "clean":
        return work.run.table(f"clean/{name}") if work.run.has(f"clean/{name}") else None
    if name in ("orders", "order_lines") and (name == work.sales_table or work.raw(name) is None):
        return work.marked
    return work.raw(name)


def _removed(marked: ir.Table) -> ir.Table:
    """The rows that a rule dropped, with the rule and where they lie in their file."""
    gone = marked.filter(marked.removed_by.notnull())
    return gone.select(
        "row_id", "source_name", "source_file", "source_row", rule="removed_by", order_id="order_id",
        customer_id="customer_id", ordered_on="ordered_on", amount="amount")


def _entry(rule: str, action: str, table: str, before: int, after: int, *, flagged: int = 0) -> ledger.Line:
    """A line of a table that has no revenue of its own."""
    return ledger.Line(rule, action, table, before, after, flagged or before - after, None, None, None, None)


def _count(table: ir.Table) -> int:
    return few_rows(table.aggregate(rows=table.count()))[0]["rows"]


def nothing_left(run: Run, entries: list[ledger.Line]) -> WorkbookError:
    """What is said where no row survives the rules."""
    taken = ", ".join(f"{entry.rule}: {entry.rows_removed:,}" for entry in entries if entry.rows_removed)
    return WorkbookError(
        f"No order is left up to {run.as_of} of {entries[0].rows_before:,} rows that arrived ({taken}).",
        why="A report on nothing would only look like one.",
        way_out="Check the date of the report (--as-of), the order of day and month in the sources, "
                "and the rules set to drop in cleaning.rules.",
    )

