"""The sentence that the index says of a chapter: the chapter's own words, or which of its figures were not found."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from workbook.data.findings import Finding
from workbook.output import cards
from workbook.output.pages.headlines import Reading
from workbook.output.words import report as words


class _NotFoundError(Exception):
    """A chapter's sentence needs a figure that this run did not find."""


class _Known(dict[str, Finding]):
    """A chapter's findings; asked for one that was not found, they say which."""

    def __missing__(self, name: str) -> Finding:
        raise _NotFoundError(name)


def speaker(chapter: str) -> ModuleType | None:
    """The chapter's own words; importing them imports what it computes with."""
    name = f"workbook.output.words.{chapter.split('_', 1)[1]}"
    return import_module(name) if find_spec(name) else None


def summary(chapter: str, reading: Reading) -> str:
    """The chapter's own sentence; none where it has no words of its own, or found nothing."""
    found = reading.findings.get(chapter, {})
    before = reading.published.get(chapter, {}) if reading.whole else {}  # one that is not over is not compared
    own = speaker(chapter) if found else None
    try:
        return own.summary(_Known(found), before) if own else ""
    except _NotFoundError as missing:
        return words.not_found(cards.metric_name(chapter, str(missing)))
