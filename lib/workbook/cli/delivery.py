"""`workbook status`, `schedule`: how the reports stand, and when the next is made."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer

from workbook.cli.parts import PartName
from workbook.cli.root import SettingsFile, app
from workbook.data.errors import WorkbookError
from workbook.data.settings import load_settings


class Scheduler(StrEnum):
    """Whose words a schedule is printed in."""

    all = "all"
    cron = "cron"
    systemd = "systemd"
    ci = "ci"


@app.command()
def status(
    settings: SettingsFile = "workbook.yaml",
    part: PartName = "",
    as_json: Annotated[bool, typer.Option("--json", help="for a program")] = False,
) -> None:
    """Tell of the periods, their chapters and failures, of what runs now, and of who was told last."""
    from workbook.output.delivery import status as module

    found = module.status(load_settings(settings), part)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=1))
        return
    from workbook.output.delivery.table import show

    show(found)


@app.command()
def schedule(
    settings: SettingsFile = "workbook.yaml",
    by: Annotated[Scheduler, typer.Option("--for", help="the scheduler")] = Scheduler.all,
    at: Annotated[str, typer.Option(help="the time of day in the shop's time zone")] = "06:05",
) -> None:
    """Print a cron line, a systemd timer and a CI workflow that make each report the day after its period ends."""
    from workbook.output.delivery import schedule as module

    declared, (hour, minute) = load_settings(settings), _time(at)
    printed = []
    if by in (Scheduler.all, Scheduler.cron):
        printed += [("crontab -e", module.cron(declared, hour, minute))]
    if by in (Scheduler.all, Scheduler.systemd):
        printed += [(f"/etc/systemd/system/{name}", text)
                    for name, text in module.systemd(declared, hour, minute).items()]
    if by in (Scheduler.all, Scheduler.ci):
        printed += [(f".github/workflows/{module.unit(declared)}.yml", module.workflow(declared, hour, minute))]
    for place, text in printed:
        typer.echo(f"# --- {place}\n{text}")
    moments = module.next_runs(declared, hour, minute, datetime.now(UTC))
    typer.echo("Next: " + ", ".join(f"{moment:%a %Y-%m-%d %H:%M %Z}" for moment in moments), err=True)


def _time(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", text)
    if found is None:
        raise WorkbookError(f"{text!r} is no time of day.", way_out="Write it as --at 06:05.")
    return int(found[1]), int(found[2])
