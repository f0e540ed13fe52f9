"""The command `workbook`: render, collect, comment, new, check, simulate, lab."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from workbook.data.errors import WorkbookError
from workbook.data.settings import load_settings

app = typer.Typer(
    help="From a shop's raw records to a monthly judgement of its customers.", no_args_is_help=True,
    pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]})

SettingsFile = Annotated[str, typer.Option("--settings", help="the settings file, or its folder")]


@app.command()
def render(
    as_of: Annotated[str, typer.Option(
        help="2026-06, 2026-06-30, 2026-W23 or 2026-Q2; the last complete period when left out")] = "",
    only: Annotated[str, typer.Option(help="one chapter, such as 04, and what it needs")] = "",
    lang: Annotated[str, typer.Option(help="en or zh; all that the settings name when left out")] = "",
    settings: SettingsFile = "workbook.yaml",
    force: Annotated[bool, typer.Option("--force", help="also when nothing has changed since")] = False,
) -> None:
    """Run the notebooks and write reports/PERIOD/."""
    from workbook.output import report  # papermill takes two seconds to import

    if lang not in ("", "en", "zh"):
        raise WorkbookError(f"{lang!r} is no language of the workbook.", way_out="Write --lang en or --lang zh.")
    rendered = report.render(settings, as_of=as_of, only=only, lang=lang, force=force, tell=_tell)
    for outcome in rendered.outcomes:
        if outcome.state == "failed":
            typer.echo(f"{outcome.chapter} failed: {outcome.error}", err=True)
    if rendered.unchanged:
        typer.echo("Nothing it is made from has changed (--force renders it all the same).")
    if rendered.kept:
        typer.echo(f"The last good report is still {rendered.kept / 'index.html'}")
    typer.echo(f"{'The report' if rendered.ok else 'The incomplete report'}: {rendered.index}")
    if not rendered.ok:
        raise typer.Exit(1)


def _tell(step: str, outcome: object) -> None:
    if outcome is None:
        tqdm.write(f"{step} …", file=sys.stderr)
    else:
        seconds = f" in {outcome.seconds:.1f} s" if outcome.seconds else ""
        told = "kept: nothing it is made from has changed" if outcome.kept else f"{outcome.state}{seconds}"
        why = f" (because of: {', '.join(outcome.changed)})" if outcome.changed not in ((), ("first",)) else ""
        tqdm.write(f"{step} {told}{why}", file=sys.stderr)


@app.command()
def collect(settings: SettingsFile = "workbook.yaml") -> None:
    """Read the sources that are new or changed, with a progress bar; render does it too."""
    from workbook.collection import collect as bring_in
    from workbook.data.store import Store

    declared = load_settings(settings)
    collected = bring_in(declared, Store(declared.store_folder))
    typer.echo(f"{collected.rows_read:,} rows in {', '.join(collected.tables)}; "
               f"{collected.read} files read, {collected.unchanged} unchanged.")


@app.command()
def comment(
    period: Annotated[str, typer.Argument(help="the rendered period, such as 2026-06")],
    chapter: Annotated[str, typer.Argument(help="the chapter, such as 04")],
    text: Annotated[str, typer.Argument(help="the comment")],
    by: Annotated[str, typer.Option(help="who says so")] = "",
    settings: SettingsFile = "workbook.yaml",
) -> None:
    """Add a comment to a chapter of a rendered report; it survives a new render."""
    from workbook.output import report

    typer.echo(f"Noted: {report.comment(load_settings(settings), period, chapter, text, by=by)}")


@app.command()
def new(
    folder: Annotated[Path, typer.Argument(help="the new workspace")],
    orders: Annotated[list[str] | None, typer.Option(help="orders: file, glob, archive, folder or database")] = None,
    lines: Annotated[list[str] | None, typer.Option(help="order lines")] = None,
    customers: Annotated[list[str] | None, typer.Option(help="customers")] = None,
    products: Annotated[list[str] | None, typer.Option(help="products")] = None,
    source: Annotated[list[str] | None, typer.Option(
        help="any other table, as TABLE=FILE: contacts=mails.csv")] = None,
    columns: Annotated[str, typer.Option(
        help="names of the columns of a file without a header, in order; - for one that is not wanted")] = "",
    dates: Annotated[str, typer.Option(help="order of day and month where a date leaves it open: ymd, dmy, mdy")] = "",
    currency: Annotated[str, typer.Option(help="ISO 4217, such as EUR")] = "",
    time_zone: Annotated[str, typer.Option(help="such as Europe/London")] = "",
    phone_country: Annotated[str, typer.Option(help="such as CN")] = "",
    name: Annotated[str, typer.Option(help="the shop's name")] = "",
    lang: Annotated[str, typer.Option(help="language of what is said and written: en or zh")] = "en",
    force: Annotated[bool, typer.Option("--force", help="write over a workbook.yaml that is there")] = False,
) -> None:
    """Look at a shop's files and write a commented workbook.yaml."""
    from workbook.output import console

    given = {"orders": orders or [], "order_lines": lines or [], "customers": customers or [],
             "products": products or []}
    console.new(folder, console.with_sources(given, source or []), columns=columns, dates=dates, currency=currency,
                time_zone=time_zone, phone_country=phone_country, name=name, lang=lang, force=force)


@app.command()
def check(
    settings: SettingsFile = "workbook.yaml",
    lang: Annotated[str, typer.Option(help="language of what is said: en or zh")] = "en",
) -> None:
    """Read the head of every source and report every problem at once."""
    from workbook.cleaning import rules
    from workbook.data.notebooks import read_notebooks
    from workbook.output import console

    names = [rule.name for rule in rules.RULES]
    chapters = [notebook.name for notebook in read_notebooks()]
    if console.check_settings(settings, rules=names, chapters=chapters, lang=lang):
        raise typer.Exit(1)


@app.command()
def simulate(
    out: Annotated[Path, typer.Option(help="the folder to write")],
    customers: Annotated[int, typer.Option(min=1, help="customers")] = 3000,
    months: Annotated[int, typer.Option(min=1, help="months")] = 30,
    seed: Annotated[int, typer.Option(help="same seed, same bytes")] = 1,
    form: Annotated[str, typer.Option("--format", help="records, as a shop exports them, or parquet")] = "records",
) -> None:
    """Write a shop whose truth is known, and the truth beside it."""
    from workbook.data import simulate as simulation

    simulation.write(out, customers, months, seed, form=form, progress=True)
    typer.echo(f"Written: {out}")


@app.command()
def lab(lang: Annotated[str, typer.Option(help="zh opens Chinese copies, made anew when a notebook changed")] = "en",
        ) -> None:
    """Open JupyterLab on the notebooks."""
    from workbook.data.notebooks import notebooks_folder

    folder = notebooks_folder()
    if lang != "en":
        from workbook.output.report.execution import copies_in

        folder = copies_in(lang)
    raise typer.Exit(subprocess.run([sys.executable, "-m", "jupyterlab", str(folder)]).returncode)


def main() -> None:
    """Run the command; an error that the user can mend is said without a traceback."""
    try:
        app()
    except WorkbookError as error:
        typer.echo(str(error), err=True)
        sys.exit(2)
