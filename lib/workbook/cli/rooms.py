"""`workbook lab`: where people explore."""

from __future__ import annotations

import subprocess
import sys
from typing import Annotated

import typer

from workbook.cli.root import app
from workbook.data.notebooks import notebooks_folder


@app.command()
def lab(lang: Annotated[str, typer.Option(help="zh opens Chinese copies, made anew when a notebook changed")] = "en",
        ) -> None:
    """Open JupyterLab on the notebooks."""
    folder = notebooks_folder()
    if lang != "en":
        from workbook.output.report.execution import copies_in

        folder = copies_in(lang)
    raise typer.Exit(subprocess.run([sys.executable, "-m", "jupyterlab", str(folder)]).returncode)
