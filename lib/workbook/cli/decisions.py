"""`workbook export`, `decisions`, `cancel`, `reveal`: lists that leave the workbook, and the account of them."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from workbook.cli.root import SettingsFile, app
from workbook.data.errors import WorkbookError
from workbook.data.settings import load_settings

CrmName = Annotated[str, typer.Option("--crm", help="salesforce, hubspot, zoho, fxiaoke or plain")]
To = Annotated[str, typer.Option(help="the file with names and numbers, outside reports and store")]
By = Annotated[str, typer.Option(help="who looks at names and numbers; privacy: reveal in the settings names them")]
Campaign = Annotated[str, typer.Option(help="the CRM's own number of the campaign; the decision's id when left out")]


@app.command()
def export(
    list_name: Annotated[str, typer.Argument(
        metavar="LIST", help="churn, segment:at_risk, cluster:a, risk, risk:late_payer, saved:NAME or "
                             "where:\"recency_days > 90\"")],
    action: Annotated[str, typer.Option(help="what will be done")],
    owner: Annotated[str, typer.Option(help="who decides")],
    cost: Annotated[float, typer.Option(help="cost of the action for each customer")],
    as_of: Annotated[str, typer.Option(help="the period of the list; the last complete one when left out")] = "",
    offer: Annotated[str, typer.Option(help="what is offered; a price is flagged")] = "",
    code: Annotated[str, typer.Option(help="the code that customers enter for the offer; tells who used it")] = "",
    channel: Annotated[str, typer.Option(help="mail, sms, app, call or post")] = "mail",
    crm_name: CrmName = "plain",
    campaign: Campaign = "",
    control_share: Annotated[float, typer.Option(help="share held out, 0.1 to 0.5; 0: chosen for power")] = 0.0,
    horizon_days: Annotated[int, typer.Option(help="days in which orders count")] = 90,
    effect: Annotated[str, typer.Option(help="expected a customer: 3.5, 3.5..8, 10% or 5%..15%")] = "",
    recent_days: Annotated[int, typer.Option(help="who had a message within them is left in peace")] = 14,
    starts_on: Annotated[str, typer.Option(help="first day of the action; else the day after the period")] = "",
    salt: Annotated[str, typer.Option(help="another one draws another control")] = "1",
    again: Annotated[bool, typer.Option("--again", help="also where this list was exported before")] = False,
    anyway: Annotated[bool, typer.Option("--anyway", help="also where nothing can be learnt from the list")] = False,
    reveal_people: Annotated[bool, typer.Option("--reveal", help="names and numbers too: --by and --to")] = False,
    by: By = "",
    to: To = "",
    settings: SettingsFile = "workbook.yaml",
) -> None:
    """Take a list out as a decision: whom to contact, a random control, a forecast; registered and later settled."""
    from workbook import decisions
    from workbook.data.lock import locked
    from workbook.output import export as files
    from workbook.output import i18n
    from workbook.output import reveal as revealing
    from workbook.output.words import decisions as words

    declared = load_settings(settings)
    i18n.use("en", declared.currency)
    request = decisions.Request(
        list_name=list_name, action=action, owner=owner, cost_per_person=cost, channel=channel, offer=offer, code=code,
        effect=effect, horizon_days=horizon_days, control_share=control_share or None, recent_days=recent_days,
        starts_on=_day(starts_on), salt=salt, again=again, anyway=anyway)
    beside = files.beside(declared, crm_name, campaign=campaign)
    if reveal_people:
        revealing.refuse(declared, by=by, decision_id=list_name, to=to, crm_name=crm_name)
    with locked(declared.store_folder, "workbook export"):
        decision = decisions.export(declared, request, as_of=as_of, beside=beside)
    for sentence in words.told(decision):
        typer.echo(sentence.replace("**", ""))
    folder = decisions.folder_of(declared, decision.id)
    typer.echo(f"Registered: {decision.id}")
    typer.echo(f"To contact: {folder / files.file_name(decision, crm_name)} ({decision.treated} customers)")
    typer.echo(f"Not to contact, by anybody: {folder / files.SUPPRESSED} ({decision.control} customers)")
    for remark in files.crm(crm_name).remarks:
        typer.echo(f"  {files.crm(crm_name).platform}: {remark}")
    if reveal_people:
        _reveal(declared, decision.id, by=by, to=to, crm_name=crm_name, campaign=campaign)


@app.command("decisions")
def list_decisions(
    decision_id: Annotated[str, typer.Argument(metavar="[ID]", help="one decision in full")] = "",
    settings: SettingsFile = "workbook.yaml",
) -> None:
    """List the account book, or tell one decision in full."""
    from workbook import decisions
    from workbook.decisions import audit
    from workbook.output import i18n
    from workbook.output.words import decisions as words

    declared = load_settings(settings)
    i18n.use("en", declared.currency)
    if decision_id:
        one = decisions.find(declared, decision_id)
        typer.echo("\n".join(sentence.replace("**", "") for sentence in words.told(one)))
        if one.cancelled:
            typer.echo(f"Cancelled by {one.cancelled_by} at {one.cancelled}: {one.cancelled_why}")
        return
    book = decisions.registered(declared)
    typer.echo(words.rows(book).to_string(index=False, formatters={"expected": i18n.money}) if book
               else "No decision is registered yet.")
    if (line := audit.broken_at(declared)) is not None:
        typer.echo(f"The audit log {audit.audit_file(declared)} was changed at or before line {line}.", err=True)
        raise typer.Exit(1)


@app.command()
def cancel(
    decision_id: Annotated[str, typer.Argument(metavar="ID", help="the decision")],
    by: Annotated[str, typer.Option(help="who says so")],
    why: Annotated[str, typer.Option(help="why the list was not used")],
    settings: SettingsFile = "workbook.yaml",
) -> None:
    """Record that an exported list was not used; nothing is deleted."""
    from workbook import decisions

    cancelled = decisions.cancel(load_settings(settings), decision_id, by=by, why=why)
    typer.echo(f"Cancelled: {cancelled.id}. It stays in the account book and will not be settled.")


@app.command()
def reveal(
    decision_id: Annotated[str, typer.Argument(metavar="ID", help="the decision")],
    by: By,
    to: To,
    crm_name: CrmName = "plain",
    campaign: Campaign = "",
    settings: SettingsFile = "workbook.yaml",
) -> None:
    """Write a registered list with names and numbers, read again from the sources; it is recorded who did."""
    from workbook import decisions
    from workbook.output import reveal as revealing

    declared = load_settings(settings)
    decision = decisions.find(declared, decision_id)
    revealing.refuse(declared, by=by, decision_id=decision.id, to=to, crm_name=crm_name)
    _reveal(declared, decision.id, by=by, to=to, crm_name=crm_name, campaign=campaign)


def _reveal(declared: object, decision_id: str, *, by: str, to: str, crm_name: str, campaign: str) -> None:
    from workbook.output import reveal as revealing

    done = revealing.reveal(declared, decision_id, by=by, to=Path(to).expanduser(), crm_name=crm_name,
                            campaign=campaign)
    typer.echo(f"Revealed to {by}: {done.found} of {done.asked} customers, in {done.path} (readable by you alone). "
               "The audit log says so.")


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise WorkbookError(f"{text!r} is no day.", way_out="Write it as 2026-07-01.") from error
