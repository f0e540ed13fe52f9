"""`workbook approve`, and what `workbook render --from … --to …` shows while it works and at its end."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer
from tqdm import tqdm

from workbook.cli.parts import PartName
from workbook.cli.root import SettingsFile, app
from workbook.data.parts import settings_of
from workbook.data.settings import load_settings

if TYPE_CHECKING:
    from workbook.output.delivery.notify import Delivery
    from workbook.output.report.backfill import Filled, Plan
    from workbook.output.report.work import Tell


@app.command()
def approve(
    period: Annotated[str, typer.Argument(help="the rendered period, such as 2026-06")],
    by: Annotated[str, typer.Option(help="who approves it")] = "",
    comment: Annotated[str, typer.Option(help="what there is to say about it")] = "",
    part: PartName = "",
    settings: SettingsFile = "workbook.yaml",
) -> None:
    """Approve a rendered report: its figures are kept, and a later change is told as a restatement."""
    from workbook.output.report import restatements  # papermill takes two seconds to import

    declared = settings_of(load_settings(settings), part)
    place = restatements.approve(declared, period, by=by, comment=comment)
    which = f"{period} of {part}" if part else period
    typer.echo(f"Approved: {which}, by {by.strip()}" + (f" ({place} approvals by now)." if place > 1 else "."))


class Progress:
    """The bar over the periods; chapters are told above it."""

    def __init__(self) -> None:
        self.bar: tqdm | None = None
        self.began = time.perf_counter()

    def planned(self, plan: Plan) -> None:
        if plan.left_out is not None:
            tqdm.write(f"{plan.left_out.label} is not over by the newest order on record and is left out; "
                       f"ask for it by its last day, such as --to {plan.newest}.", file=sys.stderr)
        self.bar = tqdm(total=len(plan.periods), unit="period", desc=plan.periods[0].label, file=sys.stderr)

    def ended(self, filled: Filled) -> None:
        tqdm.write(f"{filled.label} {filled.state} in {filled.seconds:.0f} s"
                   + (f": {filled.reason}" if filled.reason else ""), file=sys.stderr)
        if self.bar is not None:
            self.bar.total = max(self.bar.total, self.bar.n + 1)
            self.bar.set_description(filled.period.next().label, refresh=False)
            self.bar.update()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.set_description("periods")
            self.bar.close()


def back_fill(settings: str, delivery: Delivery, *, first: str, last: str, lang: str, force: bool, tell: Tell) -> None:
    """Fill the periods and end on a table of what became of each; exit code 1 where one failed."""
    from workbook.output.report import backfill

    progress = Progress()
    try:
        filled = backfill.back_fill(settings, first=first, last=last, lang=lang, force=force, tell=tell,
                                    planned=progress.planned, ended=progress.ended)
    finally:
        progress.close()
    delivery.filled = filled
    typer.echo(table(filled))
    states = [one.state for one in filled]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    number = "1 period" if len(filled) == 1 else f"{len(filled)} periods"
    typer.echo(f"{number} in {time.perf_counter() - progress.began:.0f} s: {counts}.")
    if "failed" in states:
        raise typer.Exit(1)


def table(filled: list[Filled]) -> str:
    """Period, state, seconds and reason, a line a period."""
    rows = [("period", "state", "seconds", "reason"),
            *((one.label + ("" if one.period.is_whole else " (partial)"), one.state, f"{one.seconds:.1f}", one.reason)
              for one in filled)]
    widths = [max(len(row[place]) for row in rows) for place in range(3)]
    return "\n".join(
        f"{period:<{widths[0]}}  {state:<{widths[1]}}  {seconds:>{widths[2]}}  {reason}".rstrip()
        for period, state, seconds, reason in rows)
