"""What a report says of a period that came out differently than it was told, and of its approval."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from workbook.output import i18n
from workbook.output.i18n import _, ngettext


def title() -> str:
    return _("Why these figures differ from those told before")


def draft() -> str:
    return _("Draft")


def approved(by: str, at: str) -> str:
    return _("Approved by {name} on {day}").format(name=by, day=_day(at))


def approval_of_others(by: str, at: str) -> str:
    """The state of a report whose figures are no longer those that were approved."""
    return _("Changed since {name} approved it on {day}").format(name=by, day=_day(at))


def since(against: Mapping[str, str]) -> str:
    """What the figures are compared with."""
    if against["kind"] == "approved":
        return _("Compared with the figures that {name} approved on {day}, made with workbook {version}.").format(
            name=against["by"], day=_day(against["at"]), version=against["version"])
    return _("Compared with the figures first published on {day}, made with workbook {version}.").format(
        day=_day(against["at"]), version=against["version"])


def lead(against: Mapping[str, str], then: Decimal, now: Decimal) -> str:
    """The change of net revenue in one sentence."""
    if then == now:
        return _("Net revenue is as told before; other figures of the period are not.")
    said = _("approved") if against["kind"] == "approved" else _("published")
    return _("Net revenue was {said} as {then} and is now {now}: {change}.").format(
        said=said, then=exact(then, "money"), now=exact(now, "money"), change=part(now - then, "money"))


def only_figures(*, code_changed: bool) -> str:
    """Where no order differs, and figures do."""
    if code_changed:
        return _("No order of the period has changed. The workbook itself has: a rule or model was made anew, and the "
                 "figures below come out differently.")
    return _("No order of the period has changed; figures that rest on something else come out differently.")


def no_orders() -> str:
    return _("The orders of the period as they were then have not been kept: the change cannot be split.")


def cause(code: str) -> str:
    return {
        "erased": _("Deleted or erased"),
        "late": _("Late or corrected data"),
        "returns": _("Returns"),
        "identities": _("Merged identities"),
        "rules": _("Changed rules"),
        "code": _("New workbook version"),
        "other": _("Other records"),
    }[code]


def meaning(code: str) -> str:
    """What a cause stands for."""
    return {
        "erased": _("records that the sources no longer hold"),
        "late": _("records that arrived afterwards, or were corrected at the source"),
        "returns": _("what is now known to have come back, or no longer counts as come back"),
        "identities": _("several ids have turned out to be one person, or no longer are"),
        "rules": _("what is declared about reading and cleaning has changed"),
        "code": _("the same records and rules, worked on by a changed library"),
        "other": _("the same records of the order, judged beside other records: products, repeats, far-out amounts"),
    }[code]


def exact(value: Decimal, unit: str) -> str:
    """A value with all that is needed to add it up by eye."""
    return i18n.money(value, 2) if unit == "money" else i18n.number(int(value))


def part(value: Decimal, unit: str) -> str:
    """A change, with its sign; a dash where there is none."""
    sign = "+" if value > 0 else "−"
    return sign + exact(abs(value), unit) if value else i18n.NOTHING


def then_row(against: Mapping[str, str]) -> str:
    return _("As approved") if against["kind"] == "approved" else _("As first published")


def now_row() -> str:
    return _("Now")


def told(code: str, orders: int, shown: int) -> str:
    """A cause, what it stands for, and how many orders it changed: what their numbers follow upon."""
    colon, semicolon = (": ", "; ") if i18n.lang() == "en" else ("：", "；")
    said = cause(code) + colon + meaning(code)
    if not orders:
        return said
    number = ngettext("{n} order", "{n} orders", orders).format(n=i18n.number(orders))
    most = _(", those that move the most money") if shown < orders else ""
    return said + semicolon + number + most + colon


def other_figures(n: int) -> str:
    return ngettext("{n} other figure differs", "{n} other figures differ", n).format(n=i18n.number(n))


def moved(then: Any, now: Any, unit: str) -> tuple[str, str]:
    """Both values of a figure, with as many decimals as tell them apart."""
    pairs = [(i18n.quantity(then, unit), i18n.quantity(now, unit))]
    if isinstance(then, int | float) and isinstance(now, int | float):
        shown = i18n.percent if unit == "share" else i18n.money if unit == "money" else i18n.number
        pairs += [(shown(then, digits), shown(now, digits)) for digits in range(1, 9)]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])


def _day(at: str) -> str:
    return i18n.date(datetime.fromisoformat(at).date())
