"""What the pivot says: names of dimensions, levels and measures, and what is hidden."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from workbook.data.periods import Period
from workbook.output import i18n
from workbook.output.i18n import _, ngettext
from workbook.output.words import rfm
from workbook.output.words.levels import known, stage
from workbook.pivot import NOT_STATED, OTHERS, Pivot

UNITS = {"net_revenue": "money", "orders": "orders", "customers": "customers", "average_order_value": "money",
         "margin": "share", "units": "number", "return_share": "share"}  # fmt: skip
KINDS = {"money": "money", "share": "percent"}  # of a column of `page.table`


def dimension(name: str) -> str:
    """What people call a dimension."""
    return {
        "channel": _("Channel"), "payment_method": _("Payment method"), "region": _("Region of delivery"),
        "country": _("Country of delivery"), "category": _("Category"), "product": _("Product"), "year": _("Year"),
        "quarter": _("Quarter"), "month": _("Month"), "weekday": _("Weekday"), "segment": _("RFM segment"),
        "value_class": _("Value class"), "cluster": _("Group of customers"), "lifecycle": _("Stage"),
        "acquisition_channel": _("Won through"), "age_band": _("Age"), "gender": _("Gender"),
        "education": _("Education"), "occupation": _("Occupation"), "income_band": _("Yearly income"),
    }[name]  # fmt: skip


def measure(name: str) -> str:
    """What people call a measure."""
    return {
        "net_revenue": _("Net revenue"), "orders": _("Orders"), "customers": _("Customers"),
        "average_order_value": _("Average order value"), "margin": _("Margin"), "units": _("Units"),
        "return_share": _("Share returned"),
    }[name]  # fmt: skip


def level(name: str, code: str, groups: Mapping[str, str] | None = None) -> str:
    """What people call a level of a dimension.

    Args:
        groups: code of a group of customers → its name.
    """
    if code in (NOT_STATED, OTHERS):
        return _("not stated") if code == NOT_STATED else _("all others")
    if name == "month":
        return i18n.month(date(int(code[:4]), int(code[5:]), 1), short=True)
    if name == "weekday":
        return i18n.weekday(int(code))
    if name == "segment":
        return rfm.segment_name(code)
    if name == "value_class":
        return rfm.class_name(code)
    if name == "cluster":
        return (groups or {}).get(code, code.upper())
    if name == "lifecycle":
        return stage(code)
    if name == "age_band":
        low, _dash, high = code.partition("-")
        return (f"{low}–{high}" if low and high else _("{age} and over").format(age=low) if low
                else _("under {age}").format(age=int(high) + 1))  # fmt: skip
    return code if name in ("year", "quarter", "product") else known().get(code, code)


def title(found: Pivot) -> str:
    """What the table shows."""
    return _("{measure} by {rows} and {columns}").format(
        measure=measure(found.measure), rows=_lower(dimension(found.rows)), columns=_lower(dimension(found.columns)))


def _lower(name: str) -> str:
    return name if name.startswith("RFM") else name[:1].lower() + name[1:]


def whole(found: Pivot, window: Period | None) -> str:
    """The total, and of which days."""
    days = _("the whole record") if window is None else _("{first} to {last}").format(
        first=i18n.date(window.start), last=i18n.date(window.end))  # fmt: skip
    if found.total != found.total:
        return _("In {days} there is too little to show.").format(days=days)
    return _("{measure} of {days}: **{total}**.").format(
        measure=measure(found.measure), days=days, total=i18n.quantity(found.total, UNITS[found.measure]))


def hidden(found: Pivot, smallest: int) -> str:
    """How many cells are hidden, and by which rule; nothing where none is."""
    cells = int(found.hidden.to_numpy().sum()) + found.hidden_totals
    if not cells:
        return ""
    return ngettext(
        "{n} hatched cell is hidden: fewer than {smallest} people stand behind it, or it would give away one of those.",
        "{n} hatched cells are hidden: fewer than {smallest} people stand behind each, or it would give away one of "
        "those.", cells).format(n=i18n.number(cells), smallest=i18n.number(smallest))  # fmt: skip


def how_counted(found: Pivot) -> str:
    """What a total is, where it is no sum."""
    return {
        "customers": _("A customer in several cells counts once in each, and once in a total: totals are no sums."),
        "orders": _("An order with goods in several cells counts once in each, and once in a total."),
        "average_order_value": _("Net revenue divided by orders; in a total, of all orders together."),
        "margin": _("Of the sales whose cost is known, without tax; in a total, of all of them together."),
        "return_share": _("Money given back, of the money paid; in a total, of all of it together."),
    }.get(found.measure, "")
