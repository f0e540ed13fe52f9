"""What the printed report and the Excel workbook say beyond the pages they are made of."""

from __future__ import annotations

from workbook.data.findings import Finding
from workbook.data.periods import Period
from workbook.output import i18n
from workbook.output.i18n import _, ngettext


def title(shop: str, period: Period) -> str:
    """The name of the document, which stands on every page."""
    return f"{shop} · {i18n.period(period)}"


def contents() -> str:
    return _("Contents")


def made_by() -> str:
    return _("Made with the customer workbook")


def front() -> str:
    return _("Report")


def trend() -> str:
    return _("Over time")


def trend_about(n: int) -> str:
    return ngettext("{n} period, as published", "{n} periods, as published", n).format(n=i18n.number(n))


def back() -> str:
    return _("Back to the front sheet")


def charts_below(n: int) -> str:
    return ngettext("{n} chart below the table", "{n} charts below the table", n).format(n=i18n.number(n))


def headlines() -> str:
    return _("Headline figures")


def headline_columns() -> tuple[str, ...]:
    return (_("Figure"), _("Value"), _("Period before"), _("Change"), _("A year ago"), _("Change over a year"),
            _("Target"), _("Range"))


def finding_columns() -> tuple[str, ...]:
    return (_("Figure"), _("Value"), _("Unit"), _("Lower end (95 %)"), _("Upper end (95 %)"), _("Rests on"),
            _("Evidence"), _("Definition"), _("Key"))


def interval(finding: Finding) -> str:
    """The range of a figure, where it has one."""
    if finding.low is None or finding.high is None:
        return ""
    return _("between {low} and {high}").format(
        low=i18n.quantity(finding.low, finding.unit), high=i18n.quantity(finding.high, finding.unit))


def points_of() -> str:
    """How a change of a share is said: {points} stands where the number does."""
    return _("{points} points")


def trust() -> str:
    return _("Can it be trusted?")


def sheets() -> str:
    return _("The sheets")


def period() -> str:
    return _("Period")


def now() -> str:
    return _("This period")


def before() -> str:
    return _("Period before")


def unit(name: str) -> str:
    """A unit as a word of its own; shares are seen in the number."""
    if name == "money":
        return i18n.currency() or _("money")
    words = {"share": _("share"), "date": _("date"), "text": "", "flag": "", "number": "", "weeks": _("weeks"),
             "minutes": _("minutes"), "visitors": _("visitors")}
    return words.get(name, "") or i18n.unit_name(name)


def grade(evidence: str) -> str:
    """What a claim rests on."""
    return {"randomised": _("Randomised"), "matched": _("Matched"), "observed": _("Observed"),
            "assumed": _("Assumed")}.get(evidence, "")


def table_about(rows: int, cut: bool) -> str:
    """What the list of sheets says of a table."""
    said = ngettext("table of {n} row", "table of {n} rows", rows).format(n=i18n.number(rows))
    return _("{table}; the first of them").format(table=said) if cut else said


def table_note(file: str, shown: int, rows: int) -> str:
    """Where the rows of a sheet come from, and whether all are there."""
    if shown < rows:
        return _("The first {shown} of {rows} rows; all of them lie in tables/{file}.").format(
            shown=i18n.number(shown), rows=i18n.number(rows), file=file)
    return _("All {rows} rows of tables/{file}.").format(rows=i18n.number(rows), file=file)
