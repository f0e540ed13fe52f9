"""The parts of a shop that have reports of their own: which there are, and how a command names one.

A part is named as `workbook render --by` names it: `region=East`; `region=?` is that of the orders that say nothing of
their region. Its reports lie in `reports/by/<dimension>/<value>/<period>/` (see `settings.Part`).
"""

from __future__ import annotations

import json
from pathlib import Path

from workbook.data.errors import WorkbookError, nearest
from workbook.data.settings import Part, Settings


def rendered_parts(settings: Settings) -> list[Part]:
    """Every part of which a report was rendered, by dimension and name."""
    folders = sorted((settings.reports_folder / "by").glob("*/*")) if settings.part is None else []
    return [part for folder in folders if (part := _part_of(folder)) is not None]


def told(part: Part) -> str:
    """A part as a command names it.

    >>> told(Part("region", None))
    'region=?'
    """
    return f"{part.dimension}={part.name}"


def settings_of(settings: Settings, text: str) -> Settings:
    """The settings under which a part's reports are read; those of the whole shop where `text` is empty.

    Raises:
        WorkbookError: it is not written as `region=East`, or no report of such a part was rendered.
    """
    if not text:
        return settings
    known = {told(part): part for part in rendered_parts(settings)}
    if text not in known:
        dimension, _equals, value = text.partition("=")
        if not (dimension and value):
            raise WorkbookError(f"{text!r} names no part of the shop.", way_out="Write --part region=East.")
        raise WorkbookError(f"No report of the part {text} was rendered.",
                            way_out=nearest(text, list(known)) if known else f"workbook render --by {text}")
    return settings.of_part(known[text])


def _part_of(folder: Path) -> Part | None:
    """The part whose reports lie there; its name is the end of the shop's name in any of them."""
    for file in sorted(folder.glob("[0-9]*/run.json"), reverse=True):
        name = json.loads(file.read_text(encoding="utf-8"))["shop"].rpartition(" · ")[2]
        for value in (name, None):
            part = Part(folder.parent.name, value)
            if part.name == name and part.folder == f"by/{folder.parent.name}/{folder.name}":
                return part
    return None
