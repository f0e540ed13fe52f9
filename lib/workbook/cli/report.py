"""`workbook render`, `comment`: the report of a period."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer
from tqdm import tqdm

from workbook.cli.forms import told
from workbook.cli.parts import PartName, render_by
from workbook.cli.periods import back_fill
from workbook.cli.root import SettingsFile, app
from workbook.data.errors import WorkbookError
from workbook.data.notebooks import read_notebooks
from workbook.data.parts import settings_of
from workbook.data.settings import load_settings


@app.command()
def render(
    as_of: Annotated[str, typer.Option(
        help="2026-06, 2026-06-30, 2026-W23 or 2026-Q2; the last complete period when left out")] = "",
    only: Annotated[str, typer.Option(help="one chapter, such as 04, and what it needs")] = "",
    lang: Annotated[str, typer.Option(help="en or zh; all that the settings name when left out")] = "",
    settings: SettingsFile = "workbook.yaml",
    force: Annotated[bool, typer.Option("--force", help="also when nothing has changed since")] = False,
    first: Annotated[str, typer.Option("--from", help="back-fill every whole period from this one on")] = "",
    last: Annotated[str, typer.Option(
        "--to", help="up to this one; a period that is not over by its last day, such as 2011-12-09")] = "",
    by: Annotated[str, typer.Option(
        help="also a report of each region, channel, category, brand …; region=East for one of them")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="wait while another run works in the workspace")] = False,
    notify: Annotated[bool, typer.Option(help="tell those whom the settings name")] = True,
) -> None:
    """Run the notebooks and write reports/PERIOD/, or those of many periods.

    Exit codes: 0 done, 1 a chapter failed, 2 refused, 75 another run works in the workspace: try again later.
    """
    if lang not in ("", "en", "zh"):
        raise WorkbookError(f"{lang!r} is no language of the workbook.", way_out="Write --lang en or --lang zh.")
    if (first or last) and (as_of or only):
        raise WorkbookError("--from and --to name the periods, and fill them whole.",
                            way_out="Leave --as-of and --only out, or --from and --to.")
    if by and (first or last or only):
        raise WorkbookError("--by makes the reports of one period, whole.",
                            way_out="Name it with --as-of, and leave --from, --to and --only out.")
    from workbook.output.kernels import warm_kernels

    declared = load_settings(settings)
    with warm_kernels(read_notebooks()):  # it imports what they need while this process does
        gc.disable()  # what is imported stays: searching it for garbage takes a fifth of the time
        import nbformat  # noqa: F401 - from here: where the stack is deeper, the grammar it compiles may take 3 s, not .7

        from workbook.data.journal import alone
        from workbook.output import report
        from workbook.output.delivery.notify import delivered

        gc.enable()
        with (
            alone(declared.store_folder, " ".join(["workbook", *sys.argv[1:]]), wait=wait, tell=_say),
            delivered(declared, _say, wanted=notify) as delivery,
        ):
            if first or last:
                return back_fill(settings, delivery, first=first, last=last, lang=lang, force=force, tell=_tell)
            if by:
                return render_by(settings, by, delivery, as_of=as_of, lang=lang, force=force, tell=_tell)
            rendered = report.render(settings, as_of=as_of, only=only, lang=lang, force=force, tell=_tell)
            delivery.rendered = rendered
    for outcome in rendered.outcomes:
        if outcome.state == "failed":
            typer.echo(f"{outcome.chapter} failed: {outcome.error}", err=True)
    if rendered.unchanged:
        typer.echo("Nothing it is made from has changed (--force renders it all the same).")
    if rendered.kept:
        typer.echo(f"The last good report is still {rendered.kept / 'index.html'}")
    typer.echo(f"{'The report' if rendered.ok else 'The incomplete report'}: {rendered.index}")
    if rendered.ok and (newest := report.unfinished(rendered.folder.name, load_settings(settings))):
        typer.echo(f"{rendered.folder.name} is not over by the newest order on record: its figures will grow. "
                   f"--as-of {newest} marks it as not over, and compares nothing with it.")
    if rendered.ok and (after := report.behind(load_settings(settings), rendered.folder)):
        typer.echo(f"The report of {after} compares with this one and is behind: workbook render --as-of {after}")
    if told(rendered.forms, rendered.folder) or not rendered.ok:
        raise typer.Exit(1)


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)


def _tell(step: str, outcome: object) -> None:
    if outcome is None:
        tqdm.write(f"{step} …", file=sys.stderr)
    else:
        seconds = f" in {outcome.seconds:.1f} s" if outcome.seconds else ""
        told = "kept: nothing it is made from has changed" if outcome.kept else f"{outcome.state}{seconds}"
        told = "was done by the run that was killed" if outcome.resumed and not outcome.kept else told
        why = f" (because of: {', '.join(outcome.changed)})" if outcome.changed not in ((), ("first",)) else ""
        tqdm.write(f"{step} {told}{why}", file=sys.stderr)


@app.command()
def comment(
    period: Annotated[str, typer.Argument(help="the rendered period, such as 2026-06")],
    chapter: Annotated[str, typer.Argument(help="the chapter, such as 04")],
    text: Annotated[str, typer.Argument(help="the comment")],
    by: Annotated[str, typer.Option(help="who says so")] = "",
    part: PartName = "",
    settings: SettingsFile = "workbook.yaml",
) -> None:
    """Add a comment to a chapter of a rendered report; it survives a new render."""
    from workbook.output import report

    declared = settings_of(load_settings(settings), part)
    typer.echo(f"Noted: {report.comment(declared, period, chapter, text, by=by)}")
