"""What the served page is made from: the rendered tables, and what the notebooks set up before their explorers.

A notebook's own parameters hold, with what the settings put in their place. Models are fitted when their section is
opened, once, and the chapters that fit them are imported then.
"""

from __future__ import annotations

import ast
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import ibis.expr.types as ir
import nbformat
import numpy as np
import pandas as pd

from workbook import pivot, rfm
from workbook.data.errors import WorkbookError
from workbook.data.notebooks import notebooks_folder
from workbook.data.run import Run
from workbook.profiling import activity

if TYPE_CHECKING:
    from workbook import churn, clustering, clv
    from workbook.clustering.rule import Rule

NEEDED = ("clean/orders", "clean/customers", "rfm", "profile/customers")
OF_PEOPLE = {  # kept table → its columns, and what they are called beside those of other tables
    "rfm": {name: name for name in ("first_ordered_on", "last_ordered_on", "recency_days", "frequency",
                                    "purchase_days", "orders", "monetary", "spend_12m", "r", "f", "m", "score",
                                    "segment", "segment_before", "value_class")},
    "clusters": {"cluster": "cluster"},
    "clv": {name: name for name in ("clv", "clv_low", "clv_high", "p_alive", "expected_purchases")},
    "churn": {"probability": "leaving_probability", "value_at_risk": "value_at_risk", "listed": "on_churn_list",
              "reasons": "reasons"},
    "risk": {"reasons": "risk_reasons", "open_amount": "open_amount", "returned_share": "returned_share"},
    "profile/customers": {name: name for name in ("lifecycle", "age_band", "gender", "education", "occupation",
                                                  "income_band", "region", "acquisition_channel", "visits")},
}  # fmt: skip


class Lifetimes(NamedTuple):
    """What the explorer of 06 moves."""

    fit: clv.Fit
    value_fit: clv.Fit
    customers: pd.DataFrame
    margin: float
    cost_each: float


class Leaving(NamedTuple):
    """What the explorer of 08 moves."""

    money: churn.Money
    judged_ids: pd.Series
    today: pd.DataFrame  # customer_id, value_at_risk


class Shop:
    """The tables of one rendered day."""

    def __init__(self, run: Run) -> None:
        """Raises WorkbookError where the period has not been rendered."""
        self.run = run
        missing = [name for name in NEEDED if not run.has(name)]
        if missing:
            raise WorkbookError(
                f"There is nothing to explore for {run.period.label} yet: {', '.join(missing)} is missing.",
                why="The explorers show what a render has made.",
                way_out=f"workbook render --as-of {run.period.label}",
            )

    def clean(self, name: str) -> ir.Table | None:
        """A clean table, or None where no source brings it."""
        return self.run.table(f"clean/{name}") if self.run.has(f"clean/{name}") else None

    @cached_property
    def people(self) -> ir.Table:
        """One row a customer with all that chapters keep of them; test accounts are left out."""
        customers = self.run.table("clean/customers")
        known = customers.filter(~customers.is_test.coalesce(False)).select("customer_id")
        everyone = known.union(self.run.table("rfm").select("customer_id"), distinct=True)
        tables = {}
        for name, columns in OF_PEOPLE.items():
            if self.run.has(name):
                table = self.run.table(name)
                there = {new: old for old, new in columns.items() if old in table.columns}
                tables[name] = table.select("customer_id", **there), list(there)
        found = pivot.joined(tables, everyone)
        return found.mutate(spend_12m=found.spend_12m.coalesce(0)).cache()

    @cached_property
    def sources(self) -> pivot.Sources:
        """What the pivot counts."""
        orders, lines = self.run.table("clean/orders"), self.clean("order_lines")
        if lines is None:
            return pivot.Sources(orders, None, self.people)
        return pivot.Sources(
            activity.with_believable_lines(orders, lines).cache(), activity.believable(lines).cache(), self.people)

    @cached_property
    def groups(self) -> dict[str, str]:
        """Code of a group of customers → its name; empty where no rule was fitted."""
        from workbook.clustering.rule import Rule
        from workbook.output.words import clustering as words

        kept = self.run.store.document(f"frozen/{self._options.code}")
        return words.group_names(Rule.of_rule(kept["rule"])) if kept else {}

    @cached_property
    def edges(self) -> rfm.Thresholds:
        """The cuts of today's buyers."""
        people = self.run.table("rfm")
        return rfm.thresholds(people.filter(people.purchase_days > 0), first_time_apart=True)

    @cached_property
    def grouping(self) -> tuple[clustering.Fitted, Rule]:
        """Today's fit of 05, and the rule in force."""
        from workbook import clustering

        orders, returns, lines = self.run.table("clean/orders"), self.clean("returns"), self.clean("order_lines")
        today = clustering.fitted_on(self.run, orders, returns, lines, day=self.run.as_of, options=self._options)
        return today, clustering.rule_in_force(self.run, today, orders, returns, lines, options=self._options).rule

    @cached_property
    def lifetimes(self) -> Lifetimes:
        """The fits of 06."""
        from workbook import clv

        run, asked = self.run, parameters(self.run, "06_clv")
        orders, returns = run.table("clean/orders"), self.clean("returns")
        history = run.frame(clv.customer_table(orders, as_of=run.as_of).order_by("customer_id"))
        fits = clv.fit_all(history)
        chosen = clv.model_in_force(run, orders, returns, fits, asked=asked["model"])
        rule = clv.basis(orders, as_of=run.as_of, declared=asked["margin_share"])
        values = clv.people(clv.value_to_date(orders, as_of=run.as_of, rule=rule), run.table("clean/customers"))
        costs = clv.costs(values.cache(), self.clean("channel_costs"), as_of=run.as_of)
        spent = costs.dropna(subset=["cost"])
        each = float(spent["cost"].sum() / max(spent["customers"].sum(), 1))
        return Lifetimes(fits[chosen.model], clv.fit_value(history), history, rule.share, each)

    @cached_property
    def leaving(self) -> Leaving | None:
        """The trial of 08; None where nothing can be foretold."""
        from workbook import churn

        run, asked = self.run, parameters(self.run, "08_churn")
        record = churn.Record(*(self.clean(name) for name in churn.Record._fields))
        span = churn.record_span(record, as_of=run.as_of)
        gaps = churn.gaps(record.purchases(run.as_of), as_of=run.as_of).cache()
        longest = churn.longest_horizon(first_on=span.first_on or run.as_of, as_of=run.as_of)
        horizon = churn.horizon(run.frame(churn.gap_counts(gaps)), share=asked["returned_share"], longest=longest,
                                declared=asked["horizon_days"] or None, rng=run.rng)  # fmt: skip
        if not horizon.days:
            return None
        windows = churn.windows(first_on=span.first_on, as_of=run.as_of, horizon_days=horizon.days)
        kind = churn.means(record, as_of=run.as_of).code
        frames = [run.frame(churn.snapshot(record, window, active_days=horizon.days, kind=kind)) for window in windows]
        trial = churn.fit_all(churn.Snapshots(*frames), windows=windows) if windows else None
        terms = churn.terms(contact_cost=asked["contact_cost"], offer_cost=asked["offer_cost"],
                            assumed=asked["save_rate"], saved=None)  # fmt: skip
        money = churn.money(trial, terms, margin_share=asked["margin_share"], rng=run.rng)
        if not len(money.happened):
            return None
        today = run.frame(run.table("churn")) if run.has("churn") else pd.DataFrame(
            {"customer_id": [], "value_at_risk": []})  # fmt: skip
        return Leaving(money, trial.test_frame["customer_id"], today)

    def plan_of(self, orders: ir.Table) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Baselines and traffic of 07, of these orders."""
        from workbook import ab_testing

        asked, as_of = parameters(self.run, "07_ab_testing"), self.run.as_of
        baselines = ab_testing.baselines(orders, days=asked["outcome_days"], as_of=as_of, returns=self.clean("returns"))
        return baselines, ab_testing.traffic(orders, as_of=as_of)

    @cached_property
    def _options(self) -> clustering.Options:
        from workbook import clustering

        asked = parameters(self.run, "05_clustering")
        return clustering.checked(clustering.Options(**{
            name: tuple(asked[name]) if isinstance(asked[name], list) else asked[name]
            for name in clustering.Options._fields}))  # fmt: skip


def parameters(run: Run, chapter: str) -> dict[str, Any]:
    """The values of a notebook's parameters cell, and those that the settings put in their place."""
    notebook = nbformat.read(notebooks_folder() / f"{chapter}.ipynb", as_version=4)
    [cell] = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    stated = {line.target.id: ast.literal_eval(line.value) for line in ast.parse(cell.source).body
              if isinstance(line, ast.AnnAssign)}  # fmt: skip
    return stated | run.settings.chapters.get(chapter, {})


def values_at_risk(today: pd.DataFrame) -> np.ndarray:
    """Of today's customers, for the size of a list."""
    return today["value_at_risk"].to_numpy(float)
