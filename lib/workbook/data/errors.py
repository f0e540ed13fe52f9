"""What a user is told when the workbook refuses to go on."""

from collections.abc import Iterable
from difflib import get_close_matches


class WorkbookError(Exception):
    """Says what is wrong (file, column, value), why it matters, and the way out."""

    exit_code = 2  # of the command that it ends

    def __init__(self, what: str, *, why: str = "", way_out: str = "") -> None:
        self.what, self.why, self.way_out = what, why, way_out
        parts = [what, why, f"Way out: {way_out}" if way_out else ""]
        super().__init__("\n".join(part for part in parts if part))


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that points at the nearest known name, or lists the known ones.

    >>> nearest("curency", ["currency", "sources"])
    "did you mean 'currency'?"
    """
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"known: {', '.join(names)}"
