"""The command itself, and what its subcommands share."""

from __future__ import annotations

from typing import Annotated

import typer

app = typer.Typer(
    help="From a shop's raw records to a monthly judgement of its customers.", no_args_is_help=True,
    pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]})

SettingsFile = Annotated[str, typer.Option("--settings", help="the settings file, or its folder")]
