"""What the README says of the command is what the command is."""

import re
from pathlib import Path

import click
import pytest
import typer.main

from workbook.cli import app

GROUP = typer.main.get_command(app)
CALL = re.compile(r"(?:[.\\\w]*[/\\])?workbook ([a-z]+)(.*)")
FENCED, SPAN = re.compile(r"^```\w+\n(.*?)^```", re.S | re.M), re.compile(r"`(?:workbook )?([a-z]+)( [^`\n]*)?`")


def calls(text: str) -> list[tuple[str, str]]:
    """The calls of the command that a page shows, without what is said beside them: its name and what follows."""
    lines = [line for block in FENCED.findall(text) for line in block.splitlines()]
    found = [CALL.fullmatch(part.strip()) for line in lines for part in line.split("  #")[0].split("&&")]
    return [(one[1], one[2]) for one in found if one] + SPAN.findall(FENCED.sub("", text))


def test_the_table_of_commands_names_every_command_with_what_it_cannot_do_without(repository: Path) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    rows = " ".join(re.findall(r"^\| (`.*?`) \|", text, flags=re.M))
    for name, command in GROUP.commands.items():
        needed = [option.opts[0] for option in command.params if isinstance(option, click.Option) and option.required]
        [row] = re.findall(rf"`{name}\b[^`]*`", rows)[:1] or [""]
        assert row, f"{name} is not in the table"
        assert all(option in row for option in needed), (name, needed, row)


@pytest.mark.parametrize("page", ["README.md", "reports/README.md"])
def test_every_call_that_a_page_shows_has_options_that_there_are(repository: Path, page: str) -> None:
    shown = [call for call in calls((repository / page).read_text(encoding="utf-8")) if call[0] in GROUP.commands]
    asked = [(name, option) for name, rest in shown for option in re.findall(r"(?<![\w-])--[a-z-]+", rest)]
    assert len(asked) > 1
    there = {name: {option for param in command.params for option in param.opts}
             for name, command in GROUP.commands.items()}
    assert [call for call in asked if call[1] not in there[call[0]]] == []
