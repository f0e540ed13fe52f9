"""What the page of a shop's parts says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbook.data.findings import Finding
from workbook.output import i18n
from workbook.output.cards import metric_name, shown
from workbook.output.i18n import _


def dimension(name: str) -> str:
    """What a shop is divided by."""
    known = {
        "region": _("region"), "channel": _("sales channel"), "country": _("country"), "category": _("category"),
        "brand": _("brand"), "payment_method": _("way of paying"), "kind": _("kind of customer"),
        "acquisition_channel": _("acquisition channel"), "campaign_id": _("campaign"), "city": _("city"),
        "gender": _("gender"), "industry": _("industry"), "owner": _("account owner"), "product_id": _("product"),
        "shop": _("shop")}
    return known.get(name, name)


def part(name: str) -> str:
    """A part's name; orders that say nothing of it are a part too."""
    return _("not said") if name == "?" else name


def headings(chapter: str, names: Sequence[str]) -> list[str]:
    return [metric_name(chapter, name) for name in names]


def figures(found: Mapping[str, Finding], names: Sequence[str]) -> tuple[str, ...]:
    """A part's figures, in the order of the headings."""
    return tuple(shown(found[name]) if name in found else i18n.NOTHING for name in names)


def adds_up(parts: Sequence[Mapping[str, Finding]], whole: Mapping[str, Finding]) -> str:
    """Whether the parts' revenue is all of it, and what is in no part shown."""
    told = [found["net_revenue"].value for found in parts if "net_revenue" in found]
    total = whole["net_revenue"].value if "net_revenue" in whole else None
    if total is None or any(value is None for value in told):
        return _("Net revenue is not known of every part: no sum is shown.")
    rest = float(total) - sum(float(value) for value in told)
    if abs(rest) < 0.01:
        return _("The parts' net revenue adds up to that of the whole shop. A customer may buy in several parts: "
                 "customers do not add up, and new means new in the part.")
    return _("{rest} of the net revenue lies in parts that are too small to be shown, or not rendered. A customer may "
             "buy in several parts: customers do not add up, and new means new in the part."
             ).format(rest=i18n.money(rest))
