"""What the list of all periods says."""

from __future__ import annotations

from collections.abc import Sequence

from workbook.output import i18n
from workbook.output.i18n import _, ngettext
from workbook.output.words.headlines import short_name


def all_periods() -> str:
    return _("All periods")


def heading(chapter: str, name: str) -> str:
    """A figure's name for a column."""
    return _("90-day second purchase") if name == "second_purchase_rate_90d" else short_name(chapter, name)


def mark(code: str) -> str:
    """The state of a report."""
    return {
        "draft": _("draft"), "approved": _("approved"), "partial": _("partial period"), "restated": _("restated"),
        "failed": _("failed"), "failed_since": _("a later attempt failed"),
    }[code]


def form(code: str) -> str:
    return {"pdf": "PDF", "xlsx": "Excel"}[code]


def refit(rule: str) -> str:
    """A frozen rule that was fitted anew."""
    return {
        "rfm": _("RFM cuts fitted anew"), "clusters": _("Groups fitted anew"),
        "lifetime": _("Lifetime model chosen anew"),
    }[rule]


def axis(low: str, high: str) -> str:
    return _("Axis from {low} to {high}").format(low=low, high=high)


def one() -> str:
    return _("One period so far: a line needs two.")


def never(name: str) -> str:
    return _("Not measured yet: {name}. Each report says how to add it.").format(name=name)


def told(name: str, first: str, last: str, values: Sequence[str]) -> str:
    """A trend in words.

    Args:
        last: the last period, empty where there is one only.
        values: the first, the last, the lowest and the highest value.
    """
    start, end, low, high = values
    if not last:
        return _("{name}, {period}: {value}.").format(name=name, period=first, value=start)
    return _("{name} from {first} to {last}: {start} at first, {end} at last, between {low} and {high}.").format(
        name=name, first=first, last=last, start=start, end=end, low=low, high=high)


def count(n: int) -> str:
    return ngettext("{n} period", "{n} periods", n).format(n=i18n.number(n))
