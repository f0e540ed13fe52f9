"""One customer by id: what happened, where they stand, what they are worth, what threatens, what to do next.

Only ids are known here, those of the shop or pseudonyms: names, numbers and addresses were left at the door.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import ibis.expr.types as ir
import ipywidgets

from workbook.data.run import Run
from workbook.output import charts, page
from workbook.output.explore.panel import panel
from workbook.output.explore.selection import Watching
from workbook.output.explore.steps import Now, Steps
from workbook.output.i18n import _
from workbook.output.words import look_up as words
from workbook.pivot import person

MOST_EVENTS = 1000
TABLES = ("orders", "returns", "contacts", "tickets", "events")


def explorer(
    run: Run, people: ir.Table, *, groups: Mapping[str, str] | None = None, selection: Watching | None = None
) -> ipywidgets.Widget:
    """Type an id, or step through the customers one by one; everything known of that customer follows.

    Args:
        people: one row a customer, with what chapters keep of them (segment, clv, leaving_probability …).
        groups: code of a group of customers → its name.
        selection: customers to step through; of another one it is said that they are not among them.
    """
    tables = {name: run.table(f"clean/{name}") for name in (*TABLES, "identities", "consents")
              if run.has(f"clean/{name}")}  # fmt: skip
    steps = Steps(run, people, selection)

    def draw(now: Now) -> list[Any]:
        if not now.customer_id:
            return [page.say(words.nobody_chosen(now.customers))]
        found = run.peek(person.known_as(people, tables.get("identities"), now.customer_id), 1)
        if not len(found):
            return [page.warning(_unknown(run, people, now.customer_id))]
        known = str(found["customer_id"].iloc[0])
        told = [page.say(words.merged(now.customer_id, known))] if known != now.customer_id else []
        if steps.place(known) < 0:
            told.append(page.warning(words.outside(known, now.called, now.customers)))
        return [*told, *of(run, people, tables, known, groups or {})]

    return panel(draw, {}, height=900, beside=steps.widgets, watched={"now": steps.now})


def _unknown(run: Run, people: ir.Table, asked: str) -> str:
    """Nobody has this id, and who has one like it."""
    near = run.peek(person.nearest_ids(people, asked), 5)["customer_id"].tolist()
    return " ".join([words.unknown(asked), *([words.nearest(near)] if near else [])])


def of(
    run: Run, people: ir.Table, tables: Mapping[str, ir.Table], customer_id: str, groups: Mapping[str, str]
) -> list[Any]:
    """All that is shown of one customer."""
    row = run.peek(people.filter(people.customer_id == customer_id), 1).to_dict("records")[0]
    row["on_churn_list"] = row.get("on_churn_list") == True  # noqa: E712 - of numpy or blank
    happened = run.peek(person.happened(tables, customer_id, as_of=run.as_of), MOST_EVENTS)
    complaints, withdrawn = 0, []
    if "tickets" in tables:
        complaints = int(run.peek(person.open_complaints(tables["tickets"], customer_id), 1)["complaints"].iloc[0])
    if "consents" in tables:
        withdrawn = run.peek(person.withdrawn(tables["consents"], customer_id), 20)["purpose"].tolist()
    order = {kind: place for place, kind in enumerate(person.KINDS)}
    happened = happened.assign(lane=[words.kind(code) for code in happened["kind"]],
                               place=happened["kind"].map(order)).sort_values(["place", "day"])  # fmt: skip
    steps = words.next_step(row, complaints=complaints, withdrawn=withdrawn)
    risks = [text for text in (words.why(row), words.other_risks(row)) if text]
    return [
        cards(customer_id, row, groups), _heading(_("What happened")),
        charts.moments(happened, day="day", lane="lane", amount="amount", until=run.as_of,
                       title=_("Customer {id}").format(id=customer_id)),
        _heading(_("What threatens")), page.points(risks), page.evidence("observed"),
        _heading(_("What to do next")), page.points(steps),
    ]  # fmt: skip


def cards(customer_id: str, row: Mapping[str, Any], groups: Mapping[str, str]) -> page.Fragment:
    """What is known of the customer, a card each."""
    group = groups.get(row.get("cluster") or "", "")
    told = list(words.facts(row, group))
    html = "".join(
        f'<div class="wb-figure"><h3>{escape(name)}</h3><div class="wb-value">{escape(value)}</div>'
        f'<div class="wb-interval">{escape(remark)}</div></div>' for name, value, remark in told)  # fmt: skip
    text = "\n".join(f"{name}: {value} {remark}".rstrip() for name, value, remark in told)
    title = _("Customer {id}").format(id=customer_id)
    return page.Fragment(f'<h2>{escape(title)}</h2><div class="wb-figures">{html}</div>', f"{title}\n{text}")


def _heading(text: str) -> page.Fragment:
    return page.Fragment(f"<h3>{escape(text)}</h3>", text)
