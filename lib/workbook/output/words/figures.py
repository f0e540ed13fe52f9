"""What the page behind a chapter's figures says."""

from __future__ import annotations

from collections.abc import Sequence

from workbook.cleaning.gates import Gate
from workbook.cleaning.ledger import Line
from workbook.data.findings import Finding
from workbook.data.metrics import METRICS
from workbook.output import i18n
from workbook.output.cards import shown
from workbook.output.i18n import _
from workbook.output.words.cleaning import gate_name


def facts(chapter: str, name: str) -> str:
    """Key, version and owner of a figure."""
    metric = METRICS.get(f"{chapter}.{name}")
    if metric is None:
        return f"{chapter}.{name}"
    return _("{chapter}, version {version}, kept by {owner}").format(
        chapter=metric.key, version=metric.version, owner=_(metric.owner))


def rests(finding: Finding) -> str:
    """The interval and the number of cases."""
    told = []
    if finding.low is not None and finding.high is not None:
        told.append(_("95 % interval: {low} to {high}").format(
            low=i18n.quantity(finding.low, finding.unit), high=i18n.quantity(finding.high, finding.unit)))
    if finding.n is not None:
        told.append(_("rests on {n}").format(n=i18n.number(finding.n)))
    return " · ".join(told)


def value(finding: Finding) -> str:
    """The value, exact where the card rounds it, or why there is none."""
    if isinstance(finding.value, float) and finding.unit == "money":
        return i18n.money(finding.value, 2)
    return shown(finding)


def control(name: str, gates: Sequence[Gate], label: str) -> str:
    """The total that finance declared for a figure of a period, and whether it is met; "" where none was declared."""
    own = [gate for gate in gates if gate.gate == f"control_{name}" and gate.period == label]
    return "; ".join(
        _("{gate}: {left} beside {right}, {met}").format(
            gate=gate_name(gate), left=i18n.number(gate.left, 2), right=i18n.number(gate.right, 2),
            met=_("met") if gate.passed else _("not met"))
        for gate in own)


def ledger(lines: Sequence[Line]) -> str:
    """What the records went through before any chapter saw them."""
    sales = [line for line in lines if line.table in ("order_lines", "orders") and line.revenue_before is not None]
    if not sales:
        return ""
    first, last = sales[0], sales[-1]
    return _("{before} rows worth {worth} arrived, {after} rows worth {left} are left after {n} rules.").format(
        before=i18n.number(first.rows_before), worth=i18n.money(first.revenue_before, 2),
        after=i18n.number(last.rows_after), left=i18n.money(last.revenue_after, 2), n=i18n.number(len(sales)))
