"""What the commands `new` and `check` do and print: tables and sentences on the terminal."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from workbook.data.checking import check
from workbook.data.discover import Proposal, discover
from workbook.data.errors import WorkbookError, nearest
from workbook.data.privacy import Pseudonymiser
from workbook.data.schema import TABLES
from workbook.data.settings import load_settings
from workbook.data.store import write_whole
from workbook.data.understanding import NeedsColumns
from workbook.output import i18n
from workbook.output.settings_file import settings_text
from workbook.output.words import new as words


def new(
    folder: Path,
    given: Mapping[str, Sequence[str]],
    *,
    columns: str = "",
    dates: str = "",
    currency: str = "",
    time_zone: str = "",
    phone_country: str = "",
    name: str = "",
    lang: str = "en",
    force: bool = False,
    console: Console | None = None,
) -> Path:
    """Look at a shop's files, write the workbook.yaml of a new workspace, and say what was understood.

    Raises:
        WorkbookError: a settings file is there already, nothing was given, or a file cannot be understood.
    """
    out = console or Console()
    _speak(lang)
    folder = Path(folder).expanduser().resolve()
    file = folder / "workbook.yaml"
    if file.exists() and not force:
        raise WorkbookError(f"{file} is there already.", why="It may hold what you declared by hand.",
                            way_out="Choose another folder, or add --force to write it anew.")
    if not any(given.values()):
        raise WorkbookError("No file was named.", way_out=f"workbook new {shlex.quote(folder.name)} --orders FILE")
    Pseudonymiser("", phone_country)  # refuses a country that it does not know
    listed = [column.strip() for column in columns.split(",")] if columns else []
    try:
        proposal = discover(given, folder, columns=listed, dates=dates)
    except NeedsColumns as error:
        show(words.numbered_columns(error), out)
        raise
    proposal = replace(proposal, **{key: value for key, value in (
        ("currency", currency.upper()), ("time_zone", time_zone), ("phone_country", phone_country.upper())) if value})
    text = settings_text(proposal, name=name or folder.name, folder=folder, lang=lang)
    _write(file, text)
    _tell(proposal, file, out)
    return file


def with_sources(given: Mapping[str, Sequence[str]], others: Sequence[str]) -> dict[str, list[str]]:
    """The given files with those of further tables, each as TABLE=FILE.

    Raises:
        WorkbookError: a table that there is not, with the nearest one.
    """
    files = {table: list(places) for table, places in given.items()}
    for other in others:
        table, _, place = other.partition("=")
        if table not in TABLES or not place:
            raise WorkbookError(f"--source {other}: {table!r} is no table, {nearest(table, TABLES)}."
                                if table not in TABLES else f"--source {other} names no file.",
                                way_out="Write --source TABLE=FILE, such as --source contacts=mails.csv.")
        files.setdefault(table, []).append(place)
    return files


def check_settings(
    settings: str | Path,
    *,
    rules: Collection[str] = (),
    chapters: Collection[str] = (),
    lang: str = "en",
    console: Console | None = None,
) -> int:
    """Say every problem of the settings and of the heads of the sources; returns how many are to be mended."""
    out = console or Console()
    _speak(lang)
    declared = load_settings(settings)
    checked = check(declared, rules=rules, chapters=chapters)
    if checked.problems:
        show(words.problem_rows(checked.problems), out)
    out.print(escape(words.verdict(checked, len(declared.sources))))
    return len(checked.errors)


def show(grid: words.Grid, console: Console) -> None:
    """A small table on the terminal."""
    if not grid.rows:
        return
    table = Table(title=escape(grid.title), title_justify="left", show_edge=False, pad_edge=False)
    for heading in grid.headings:
        table.add_column(escape(heading), overflow="fold")
    for row in grid.rows:
        table.add_row(*map(escape, row))
    console.print(table)
    console.print()


def _speak(lang: str) -> None:
    if lang not in i18n.LOCALES:
        raise WorkbookError(f"{lang!r} is no language of the workbook.", way_out="Write --lang en or --lang zh.")
    i18n.use(lang)


def _tell(proposal: Proposal, file: Path, console: Console) -> None:
    for found in proposal.found:
        show(words.understood(found), console)
    show(words.not_understood(proposal.found), console)
    show(words.missing_sources(proposal), console)
    for sentence in words.notes(proposal):
        console.print(f"• {escape(sentence)}")
    console.print()
    console.print(escape(words.next_steps(shlex.quote(str(file)))), soft_wrap=True)


def _write(file: Path, text: str) -> None:
    """The file, whole, and only when it reads back as settings."""
    draft = file.with_name("workbook.yaml.new")
    write_whole(draft, text)
    try:
        load_settings(draft)
        draft.replace(file)
    except WorkbookError as error:
        wrong = "\n".join(error.what.splitlines()[1:])
        raise WorkbookError(f"What was given makes no settings:\n{wrong}",
                            way_out="Correct the option; nothing was written.") from error
    finally:
        draft.unlink(missing_ok=True)
