"""Which customers are meant: the call list, a segment, a cluster, a list of risks, a saved filter, or a sentence.

Whatever it is called, a list is a filter on a table with one row a customer, so that the account book can say by which
rule somebody was chosen, and the same rule can be asked again.
"""

from __future__ import annotations

from typing import NamedTuple

import ibis.expr.types as ir

from workbook import segments
from workbook.data.engine import few_rows
from workbook.data.errors import WorkbookError, nearest
from workbook.data.run import Run

KINDS = ("churn", "segment", "cluster", "risk", "saved", "where")
HOMES = {"churn": "churn", "segment": "rfm", "cluster": "clusters", "risk": "risk", "saved": "rfm", "where": "rfm"}
# Facts of other chapters that a sentence may name beside those of 04.
_BESIDE = {"clusters": ("cluster",), "clv": ("clv", "p_alive", "tenth"), "churn": ("probability", "value_at_risk"),
           "profile/customers": ("lifecycle", "region", "city", "acquisition_channel")}


class Rule(NamedTuple):
    """A list as it was asked for."""

    name: str  # segment:at_risk
    kind: str
    table: str  # the table that the sentence is about
    sentence: str


def rule(run: Run, name: str) -> Rule:
    """The rule behind a name.

    Raises:
        WorkbookError: a list, segment, cluster, reason or saved filter that is not there.
    """
    kind, _, rest = name.strip().partition(":")
    rest = rest.strip()
    if kind not in KINDS or (kind == "churn" and rest) or (kind not in ("churn", "risk") and not rest):
        raise WorkbookError(
            f"{name!r} is no list.", why=f"Of lists: {nearest(kind, KINDS)}",
            way_out="Write churn, segment:at_risk, cluster:a, risk, risk:late_payer, saved:NAME or "
                    "where:\"recency_days > 90\".")
    return Rule(name.strip(), kind, HOMES[kind], _sentence(run, kind, rest))


def _sentence(run: Run, kind: str, rest: str) -> str:
    if kind == "churn":
        return "listed = true"
    if kind == "where":
        return rest[1:-1].strip() if len(rest) > 1 and rest[0] == rest[-1] and rest[0] in "\"'" else rest
    if kind == "saved":
        known = segments.saved(run)
        _refuse_unknown(rest, known, "saved filter", "Save it in the explorer of 04, or use where:\"…\".")
        return known[rest]
    if kind == "risk" and not rest:
        return 'reasons != ""'
    column = {"segment": "segment", "cluster": "cluster", "risk": "reasons"}[kind]
    rows = few_rows(run.table(HOMES[kind]).select(column).distinct())
    there = {word for row in rows for word in (row[column] or "").split()}
    _refuse_unknown(rest, there, kind, "")
    return f'{column} {"contains" if kind == "risk" else "="} "{rest}"'


def _refuse_unknown(name: str, known: object, what: str, way_out: str) -> None:
    if name not in known:
        raise WorkbookError(f"There is no {what} {name!r}: {nearest(name, known) if known else 'none is known'}.",
                            way_out=way_out or "Name one that the report has.")


def people(run: Run, asked: Rule) -> ir.Table:
    """One row a customer on the list: customer_id, and probability (of leaving) and value (currency) for `churn`."""
    found = segments.members(home(run, asked), segments.parse(asked.sentence))
    kept = [name for name in ("probability", "value") if asked.kind == "churn"]
    return found.select("customer_id", *kept)


def home(run: Run, asked: Rule) -> ir.Table:
    """The table that the list's sentence filters; that of 04 with facts of other chapters beside it."""
    table = run.table(asked.table)
    if asked.kind not in ("saved", "where"):
        return table
    for name, columns in _BESIDE.items():
        if run.has(name):
            other = run.table(name)
            other = other.select("customer_id", *[column for column in columns
                                                  if column in other.columns and column not in table.columns])
            table = table.left_join(other, "customer_id").drop("customer_id_right")
    return table
