"""A report a part of the shop, by region, channel, brand …, beside that of the whole.

A part is a shop of its own: its clean tables are cut out of those of the whole, and the chapters from 03 on run on
them. Rules that were fitted and are kept (scores, groups) are those of the whole, so that parts can be compared. Its
reports lie in `reports/by/<dimension>/<value>/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatch
from typing import NamedTuple

from workbook.cleaning import part as cutting
from workbook.data.errors import WorkbookError, nearest
from workbook.data.notebooks import Notebook
from workbook.data.periods import Period
from workbook.data.run import Run, published
from workbook.data.settings import Part, Settings
from workbook.data.store import Store

OF_THE_WHOLE = ("raw/*", "clean/*")  # who makes these reads the records of all parts


class Chosen(NamedTuple):
    """The parts to be reported on, and those that are too small."""

    parts: list[Part]
    small: list[Part]


def of_part(notebooks: Sequence[Notebook]) -> list[Notebook]:
    """The notebooks that a part has a report of: those that read clean tables."""
    return [notebook for notebook in notebooks if notebook.needs and not _of_the_whole(notebook)]


def _of_the_whole(notebook: Notebook) -> bool:
    return any(fnmatch(made, pattern) for made in notebook.makes for pattern in OF_THE_WHOLE)


def check_dimension(by: str) -> None:
    """Refuse what no shop can be divided by, before an hour of rendering.

    Raises:
        WorkbookError: no such dimension, with the nearest; or no value behind the sign of equality.
    """
    dimension, equals, wanted = by.partition("=")
    if dimension not in cutting.DIMENSIONS:
        way_out = nearest(dimension, cutting.DIMENSIONS)
        raise WorkbookError(f"A shop cannot be divided by {dimension!r}.", way_out=way_out)
    if equals and not wanted:
        raise WorkbookError(f"--by {by} names no {dimension}.", way_out=f"Write --by {dimension}, or a value.")


def choose(settings: Settings, by: str, period: Period) -> Chosen:
    """What `--by region` or `--by region=East` means for the records of a period.

    Raises:
        WorkbookError: no such dimension, or no such value.
    """
    dimension, _, wanted = by.partition("=")
    found = cutting.values(_whole(settings, period), dimension)
    parts = {row["value"]: Part(dimension, row["value"]) for row in found}
    if wanted and wanted not in parts:
        raise WorkbookError(f"There is no {dimension} {wanted!r} in the orders.",
                            way_out=nearest(wanted, [value for value in parts if value]))
    large = [row["value"] for row in found if row["customers"] >= settings.privacy.smallest_cell]
    chosen = [wanted] if wanted else large
    return Chosen([parts[value] for value in chosen], [parts[value] for value in parts if value not in large])


def cut(settings: Settings, part: Part, period: Period) -> Settings:
    """Write a part's clean tables of a period; the settings under which its notebooks run."""
    own = settings.of_part(part)
    cutting.keep_part(_whole(settings, period), part, published(own))
    return own


def _whole(settings: Settings, period: Period) -> Run:
    return Run(cutting.MADE_BY, settings, Store(settings.store_folder), as_of=period.end.isoformat(), lang="en")
