"""The command `workbook`; its subcommands lie in the files of this folder, by what they are about."""

from __future__ import annotations

import sys

import typer

from workbook.cli import decisions, delivery, forms, report, rooms, shop  # noqa: F401 - each adds its subcommands
from workbook.cli.root import app
from workbook.data.errors import WorkbookError


def main() -> None:
    """Run the command; an error that the user can mend is said without a traceback."""
    try:
        app()
    except WorkbookError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
