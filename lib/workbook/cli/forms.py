"""`workbook pdf`, `excel`: a rendered report in other forms."""

from __future__ import annotations

from typing import Annotated

import typer

from workbook.cli.root import SettingsFile, app
from workbook.data.settings import load_settings

Rendered = Annotated[str, typer.Argument(help="the rendered period, such as 2026-06; the last one when left out")]


@app.command()
def pdf(period: Rendered = "", settings: SettingsFile = "workbook.yaml") -> None:
    """Write a rendered report as one PDF a language; `forms: [pdf, excel]` in the settings does it at each render."""
    _make("pdf", period, settings)


@app.command()
def excel(period: Rendered = "", settings: SettingsFile = "workbook.yaml") -> None:
    """Write a rendered report as one Excel workbook a language."""
    _make("excel", period, settings)


def _make(form: str, period: str, settings: str) -> None:
    from workbook.output import forms

    declared = load_settings(settings)
    if tell(forms.add(forms.find_report(declared, period), declared, [form])):
        raise typer.Exit(1)


def tell(attempts: list) -> bool:
    """Say what was made and what was not; returns whether something was not."""
    for attempt in attempts:
        if attempt.ok:
            typer.echo(f"Written: {attempt.file}")
        else:
            typer.echo(f"No {attempt.file.name} in {attempt.lang}: {attempt.error}", err=True)
    return any(not attempt.ok for attempt in attempts)
