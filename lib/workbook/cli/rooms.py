"""`workbook lab`, `serve`: where people explore."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import Annotated

import typer

from workbook.cli.root import SettingsFile, app
from workbook.data.errors import WorkbookError
from workbook.data.notebooks import notebooks_folder


@app.command()
def lab(lang: Annotated[str, typer.Option(help="zh opens Chinese copies, made anew when a notebook changed")] = "en",
        ) -> None:
    """Open JupyterLab on the notebooks."""
    if lang not in ("en", "zh"):
        raise WorkbookError(f"{lang!r} is no language of the workbook.", way_out="Write --lang en or --lang zh.")
    folder = notebooks_folder()
    if lang != "en":
        from workbook.output.report.execution import copies_in

        folder = copies_in(lang)
    raise typer.Exit(subprocess.run([sys.executable, "-m", "jupyterlab", str(folder)]).returncode)


@app.command()
def serve(
    settings: SettingsFile = "workbook.yaml",
    as_of: Annotated[str, typer.Option(help="a rendered period; the last complete one when left out")] = "",
    lang: Annotated[str, typer.Option(help="language of the page: en or zh")] = "en",
    port: Annotated[int, typer.Option(min=0, max=65535, help="port on this machine; 0: any free one")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="print the address only")] = False,
) -> None:
    """Show the explorers, the pivot and the look-up of a customer as a web page, on this machine alone."""
    from workbook.data.settings import load_settings

    if lang not in ("en", "zh"):
        raise WorkbookError(f"The page speaks en or zh, not {lang!r}.", way_out="--lang en or --lang zh")
    declared = load_settings(settings)
    if as_of:  # refused here, not behind the token in a page
        from workbook.data.periods import period_of
        from workbook.output.forms import find_report

        find_report(declared, period_of(as_of, declared.period).label)
    told = {"WORKBOOK_SERVE_SETTINGS": str(declared.file), "WORKBOOK_SERVE_AS_OF": as_of, "WORKBOOK_SERVE_LANG": lang}
    command = [sys.executable, "-m", "workbook.output.serve.server", f"--port={_free(port)}", f"--lang={lang}"]
    command += [] if no_browser else ["--browser"]
    if os.name == "posix":  # the server in the place of this process: whoever ends one ends the other
        os.execve(command[0], command, os.environ | told)
    raise typer.Exit(subprocess.run(command, env=os.environ | told).returncode)


def _free(port: int) -> int:
    """The port asked for, if nobody listens there; for 0 any free one."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            way_out = "Name another with --port, or leave it out."
            raise WorkbookError(f"Port {port} is taken.", way_out=way_out) from error
        return probe.getsockname()[1]
