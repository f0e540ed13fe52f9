"""What 00_start_here says: ticks and crosses with how to mend each, the sources, the tour."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from workbook.data.environment import Arrival, Check
from workbook.data.findings import Finding
from workbook.data.notebooks import Notebook, question
from workbook.output import i18n
from workbook.output.i18n import _, ngettext

MARKS = {"ready": "✓", "missing": "✗", "optional": "–"}


def summary(found: Mapping[str, Finding], before: Mapping[str, Finding]) -> str:
    """One sentence for the index: how much of what is declared lies there."""
    declared, arrived = found["sources_declared"].value, found["sources_found"].value
    if arrived == declared:
        return ngettext("The one declared source was found.", "All {n} declared sources were found.", declared).format(
            n=i18n.number(declared)
        )
    return _("{found} of {declared} declared sources were found.").format(
        found=i18n.number(arrived), declared=i18n.number(declared)
    )


def verdict(checks: Iterable[Check]) -> str:
    """One sentence: ready, or how much there is to mend."""
    missing = sum(check.state == "missing" for check in checks)
    if not missing:
        return _("**This machine is ready.** What is marked with a dash is needed by some shops only.")
    return ngettext(
        "**One thing is to be mended first**: the line marked ✗ says how.",
        "**{n} things are to be mended first**: the lines marked ✗ say how.",
        missing,
    ).format(n=i18n.number(missing))


def check_rows(checks: Iterable[Check]) -> pd.DataFrame:
    """One row a check: mark, what was looked at, what was found, how to mend it."""
    return pd.DataFrame(
        [
            {"mark": MARKS[check.state], "what": _name(check), "found": _found(check), "mend": _mend(check)}
            for check in checks
        ],
        columns=["mark", "what", "found", "mend"],
    )


def _name(check: Check) -> str:
    return {
        "python": _("Python"),
        "packages": _("Packages of the lock file"),
        "sources": _("Files of the declared sources"),
        "folder": _("The shop's folder can be written"),
        "disk": _("Free space on the disk"),
        "key": _("Key for pseudonyms"),
        "postgres": _("PostgreSQL as a source"),
        "spark": _("Spark, for data that outgrows one machine"),
        "glyphs": _("A font for Chinese"),
    }[check.code]


def _found(check: Check) -> str:
    if check.code == "disk":
        return _("{n} GB").format(n=check.found)
    if check.code in {"packages", "sources"}:
        found, _slash, declared = check.found.partition("/")
        return _("{found} of {declared}").format(found=found, declared=declared)
    return check.found or i18n.NOTHING


def _mend(check: Check) -> str:
    """How to mend what is missing, or how to get what is optional; nothing where all is well."""
    if check.state == "ready":
        return ""
    return {
        "python": _("Install Python {wanted} or newer, then: make clean setup"),
        "packages": _("make setup (not right now: {wanted})"),
        "sources": _("No file lies where workbook.yaml looks for: {wanted}"),
        "folder": _("Move the shop's folder to a place where you may write"),
        "disk": _("Make room: {wanted} GB are needed"),
        "key": _key(check),
        "postgres": _("pip install 'psycopg[binary]'"),
        "spark": _("Install Java 17, then: make spark"),
        "glyphs": _("make setup brings one; or install Noto Sans CJK"),
    }[check.code].format(wanted=check.wanted)


def _key(check: Check) -> str:
    if check.state == "optional":
        return _("Only needed once a source brings telephone numbers or mail addresses")
    return _("Put a long random secret into the variable WORKBOOK_KEY; personal columns come with: {wanted}")


def arrival_rows(arrivals: Iterable[Arrival]) -> pd.DataFrame:
    """One row a source: its name, what it brings, where it lies, how much lies there."""
    return pd.DataFrame(
        [
            {
                "name": arrival.name,
                "table": arrival.table or _("as its headers say"),
                "place": arrival.place,
                "files": arrival.files,
                "megabytes": arrival.megabytes,
            }
            for arrival in arrivals
        ],
        columns=["name", "table", "place", "files", "megabytes"],
    )


def absent_rows(absent: Mapping[str, str]) -> pd.DataFrame:
    """One row a table that no source brings: what it would switch on."""
    return pd.DataFrame(
        [{"table": table, "switches_on": _(what)} for table, what in absent.items()], columns=["table", "switches_on"]
    )


def tour_rows(notebooks: Iterable[Notebook]) -> pd.DataFrame:
    """One row a notebook: its name, its question, and the tables that it makes."""
    return pd.DataFrame(
        [
            {"name": book.name, "question": question(_(book.opening)), "makes": ", ".join(book.makes) or i18n.NOTHING}
            for book in notebooks
        ],
        columns=["name", "question", "makes"],
    )
