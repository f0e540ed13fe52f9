"""`workbook pdf`, `excel`: a rendered report in other forms."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbook.cli.root import SettingsFile, app
from workbook.data.settings import load_settings

if TYPE_CHECKING:
    from workbook.output.forms import Attempt

Rendered = Annotated[str, typer.Argument(help="the rendered period, such as 2026-06; the last one when left out")]


@app.command()
def pdf(period: Rendered = "", settings: SettingsFile = "workbook.yaml") -> None:
    """Write a rendered report as one PDF a language; `forms` in the settings does it at each render."""
    _make("pdf", period, settings)


@app.command()
def excel(period: Rendered = "", settings: SettingsFile = "workbook.yaml") -> None:
    """Write a rendered report as one Excel workbook a language."""
    _make("excel", period, settings)


def _make(form: str, period: str, settings: str) -> None:
    from workbook.output import forms

    declared = load_settings(settings)
    folder = forms.find_report(declared, period)
    if told(forms.add(folder, declared, [form]), folder):
        raise typer.Exit(1)


def told(attempts: Iterable[Attempt], folder: Path) -> bool:
    """Say what was made for a report and what was not; returns whether something was not."""
    lost = False
    for attempt in attempts:
        file = folder / attempt.lang / attempt.file.name
        lost = lost or not attempt.ok
        if attempt.ok:
            typer.echo(f"Written: {file}")
        else:
            typer.echo(f"Not written: {file}\n{attempt.error}\nThe report itself is whole.", err=True)
    return lost
