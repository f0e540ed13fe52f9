"""What stands beside the bars of a bridge."""

from __future__ import annotations

from collections.abc import Iterable

from workbook.output import i18n
from workbook.output.i18n import _
from workbook.output.words import profiling
from workbook.profiling.figures import PARTS


def revenue() -> str:
    return _("What moved net revenue")


def margin() -> str:
    return _("What moved the margin")


def part(name: str) -> str:
    """A part of the change, by its finding."""
    code = name.removeprefix("margin_").removeprefix("change_")
    if code in PARTS:
        return profiling.part(code)
    return {
        "volume": _("Volume"),
        "revenue": _("Net revenue"),
        "rate": _("Share of margin"),
        "cost": _("Cost of goods"),
        "unknown_cost": _("Goods of unknown cost"),
    }.get(code, code.replace("_", " "))


def amount(value: float, *, total: bool) -> str:
    """Money; a change with its sign."""
    text = i18n.money(abs(value), 0 if abs(value) >= 100 else None)
    sign = "−" if value < 0 else "" if total or not value else "+"
    return sign + text


def begins(floor: str) -> str:
    return _("Bars begin at {value}.").format(value=floor)


def told(title: str, steps: Iterable[tuple[str, str]]) -> str:
    """The whole picture as one sentence."""
    colon, semicolon = (": ", "; ") if i18n.lang() == "en" else ("：", "；")
    return title + colon + semicolon.join(f"{label} {value}" for label, value in steps)


def not_split(moved: str) -> str:
    """The margin where nothing found what moved it."""
    if moved:
        return _("Margin {moved} against the period before; not split yet into volume, prices, mix and costs.").format(
            moved=moved)
    return _("Not measured yet: what moved the margin. The cost of goods in both periods adds it.")


def nothing() -> str:
    return _("Not measured yet: what moved net revenue. Two periods in a row with orders add it.")


def not_over() -> str:
    return _("The period is not over: what moved it is told when it is.")
