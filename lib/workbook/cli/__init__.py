"""The command `workbook`; its subcommands lie in the files of this folder, by what they are about."""

from __future__ import annotations

import errno
import gc
import sys

import typer

from workbook.cli import decisions, delivery, forms, report, rooms, shop  # noqa: F401 - each adds its subcommands
from workbook.cli.root import app
from workbook.data.errors import WorkbookError

WAYS_OUT = {  # what a disk refuses, and what whoever owns it can do
    errno.EACCES: "Let the user who runs this write there, or name another folder.",
    errno.EPERM: "Let the user who runs this write there, or name another folder.",
    errno.EROFS: "Name a folder on a disk that can be written.",
    errno.EEXIST: "A file lies where a folder is to be: name another.",
    errno.ENOTDIR: "A file lies where a folder is to be: name another.",
    errno.EISDIR: "A folder lies where a file is to be: name another.",
    errno.ENAMETOOLONG: "Write a shorter name.",
    errno.ENOSPC: "Make room and ask for the same again: what was published before is whole.",
    errno.EDQUOT: "Make room and ask for the same again: what was published before is whole.",
}


def main() -> None:
    """Run the command; an error that the user can mend is said without a traceback."""
    try:
        app()
    except WorkbookError as error:
        typer.echo(str(error), err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno not in WAYS_OUT:
            raise
        said = WorkbookError(f"{error.filename or 'A file'}: {error.strerror}.", way_out=WAYS_OUT[error.errno])
        typer.echo(str(said), err=True)
        sys.exit(said.exit_code)
    finally:
        gc.freeze()  # what is there ends with the process: looking through it for garbage took half a second
