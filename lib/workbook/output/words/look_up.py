"""What the look-up says of one customer: what happened, why they are at risk, what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workbook.output import i18n
from workbook.output.i18n import _, ngettext
from workbook.output.words import churn, rfm
from workbook.output.words.levels import known


def kind(code: str) -> str:
    """What people call a kind of thing that happened."""
    return {
        "order": _("Purchases made"), "return": _("Came back"), "message": _("Messages"), "visit": _("Visited"),
        "ticket": _("Tickets"), "complaint": _("Complaints"),
    }[code]  # fmt: skip


def unknown(asked: str) -> str:
    """Nobody has that id."""
    return _("No customer has the id {id}.").format(id=f"`{asked}`")


def nearest(ids: list[str]) -> str:
    """Ids that look like the one that was asked for."""
    return _("Nearest to it: {ids}.").format(ids=", ".join(f"`{one}`" for one in ids))


def nobody_chosen(customers: int) -> str:
    """No id is given."""
    if not customers:
        return _("Nobody is in the selection: choose others above, or clear it.")
    return _("Type the id of a customer, as it stands in a list or in the rows behind a cell.")


def outside(customer_id: str, called: str, customers: int) -> str:
    """A customer who is not among those chosen above."""
    return ngettext(
        "Customer {id} is not in the selection “{name}” of {n} customer.",
        "Customer {id} is not in the selection “{name}” of {n} customers.", customers).format(
        id=f"`{customer_id}`", name=called, n=i18n.number(customers))  # fmt: skip


def place(at: int, customers: int) -> str:
    """Where a customer stands among those who are looked at; -1: nowhere."""
    of = i18n.number(customers)
    if at < 0:
        return ngettext("{of} customer to step to", "{of} customers to step through", customers).format(of=of)
    return _("Customer {n} of {of}, by net amount of twelve months").format(n=i18n.number(at + 1), of=of)


def offered(customer_id: str, segment: str | None, spend: float) -> str:
    """A customer as a choice."""
    parts = customer_id, rfm.segment_name(segment) if segment else "", i18n.money(spend, 0)
    return " · ".join(part for part in parts if part)


def merged(asked: str, into: str) -> str:
    """An id that was found to belong to somebody."""
    return _("{id} was merged into {other}: both are the same person.").format(id=f"`{asked}`", other=f"`{into}`")


def facts(row: Mapping[str, Any], group: str) -> Iterator[tuple[str, str, str]]:
    """Name, value and remark of what is known: who they are, what they bought, what they are worth, how sure it is."""
    if _there(row, "segment"):
        score = "-".join(str(int(row[part])) for part in "rfm") if all(_there(row, part) for part in "rfm") else ""
        remark = _("scores {score} of recency, frequency, value").format(score=score) if score else ""
        yield _("RFM segment"), rfm.segment_name(row["segment"]), remark
    if group:
        letter, _dot, traits = group.partition(" · ")
        yield _("Group of customers"), letter, traits
    if _there(row, "monetary"):
        yield _("Net revenue so far"), i18n.money(row["monetary"], 0), _("{n} orders").format(
            n=i18n.number(int(row["orders"] or 0)))
    if _there(row, "recency_days"):
        yield _("Last purchase"), _("{n} days ago").format(n=i18n.number(int(row["recency_days"]))), i18n.date(
            row["last_ordered_on"])
    if _there(row, "clv"):
        yield _("Value still to come"), i18n.money(row["clv"], 0), _between(row, "clv_low", "clv_high")
    if _there(row, "p_alive"):
        yield _("Still a customer"), i18n.percent(row["p_alive"], 0), _("chance, by the lifetime model")
    if _there(row, "leaving_probability"):
        at_risk = i18n.money(row["value_at_risk"], 0)
        yield _("Leaves"), i18n.percent(row["leaving_probability"], 0), _("chance; {value} at risk").format(
            value=at_risk)
    for name, heading in (("region", _("Region")), ("acquisition_channel", _("Won through"))):
        if _there(row, name):
            yield heading, known().get(row[name], row[name]), ""


def _there(row: Mapping[str, Any], name: str) -> bool:
    value = row.get(name)
    return value is not None and value == value


def _codes(row: Mapping[str, Any], name: str) -> list[str]:
    return str(row[name]).split() if _there(row, name) else []


def _between(row: Mapping[str, Any], low: str, high: str) -> str:
    if not (_there(row, low) and _there(row, high)):
        return ""
    return _("between {low} and {high}").format(
        low=i18n.money(row[low], 0), high=i18n.money(row[high], 0))


def why(row: Mapping[str, Any]) -> str:
    """Why the model thinks that they leave; associated with leaving, no cause."""
    if not _there(row, "leaving_probability"):
        return _("No forecast: only customers who bought lately are looked at.")
    codes = [code.partition(":") for code in _codes(row, "reasons")]
    said = [churn.reason(name, side) for name, _colon, side in codes if side and side != "equal"]
    if not said:
        return _("Nothing stands out: the chance is that of the average customer, or near it.")
    return _("What goes with leaving: {reasons}.").format(reasons=_("; ").join(said))


def other_risks(row: Mapping[str, Any]) -> str:
    """Risks beside leaving; nothing where there are none."""
    said = [churn.risk_reason(code) for code in _codes(row, "risk_reasons")]
    return _("Other risks: {reasons}.").format(reasons=_("; ").join(said)) if said else ""


def next_step(row: Mapping[str, Any], *, complaints: int, withdrawn: list[str]) -> list[str]:
    """What to do next: what must be settled first, then the advice of their list or segment."""
    steps = []
    if complaints:
        steps.append(_("**Settle the open complaint first**; offer nothing before."))
    if "long_overdue" in _codes(row, "risk_reasons"):
        steps.append(_("An invoice is long overdue: ask for it before the next delivery on account."))
    if row.get("on_churn_list") is True:
        steps.append(_("**Contact soon**: on the early-warning list, where contacting is expected to pay."))
    if _there(row, "segment"):
        steps.append(_("As for the segment “{segment}”: {advice}.").format(
            segment=rfm.segment_name(row["segment"]), advice=rfm.advice(row["segment"])))
    if withdrawn:
        steps.append(_("Not through {channels}: consent is withdrawn.").format(
            channels=", ".join(known().get(name, name) for name in withdrawn)))
    return steps
