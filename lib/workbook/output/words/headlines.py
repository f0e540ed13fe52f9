"""What page one says in place of a figure that was not measured: why, and how to add it."""

from __future__ import annotations

from typing import NamedTuple

from workbook.data.metrics import METRICS
from workbook.output import i18n
from workbook.output.i18n import _


class Absence(NamedTuple):
    """A figure that is not there."""

    name: str
    why: str
    how: str


def gap() -> str:
    """What stands between two sentences: nothing in Chinese."""
    return "" if i18n.lang() == "zh" else " "


def colon() -> str:
    return "：" if i18n.lang() == "zh" else ": "


def not_measured() -> str:
    return _("Not measured yet:")


def moved(change: str, noise: str) -> str:
    """A change and whether it is more than noise, in one line."""
    comma = ", " if i18n.lang() == "en" else "，"
    return comma.join(text for text in (change, noise) if text)


def short_name(chapter: str, name: str) -> str:
    """A figure's name where there is little room."""
    known = {
        "03_profiling.margin": _("Margin"),
        "06_clv.acquisition_cost_per_customer": _("Acquisition cost"),
        "10_satisfaction.satisfaction": _("Satisfaction"),
    }
    metric = METRICS.get(f"{chapter}.{name}")
    return known.get(f"{chapter}.{name}") or (_(metric.name) if metric else name.replace("_", " "))


def absence(chapter: str, name: str, state: str, reason: str) -> Absence:
    """Why a figure was not measured, and how to add it.

    Args:
        state: of its chapter: done, failed, skipped, absent, or unknown where there is no such chapter.
        reason: of the finding that has no value; empty where there is no finding.
    """
    why, how = _of_reason(reason) if reason else _of_state(chapter, state)
    return Absence(short_name(chapter, name), why, how)


def _of_state(chapter: str, state: str) -> tuple[str, str]:
    number = chapter[:2]
    if chapter.startswith("10_") and state == "unknown":
        return (_("how satisfied customers are. Survey answers are kept, but no chapter reads them so far."),
                _("A notebook 10_satisfaction that finds `satisfaction` adds it."))
    if state in ("failed", "skipped"):
        return (_("chapter {number} failed in this run.").format(number=number), _("Its error stands below."))
    if state in ("absent", "unknown"):
        return (_("chapter {number} was not part of this run.").format(number=number),
                _("`workbook render` without --only adds it."))
    return (_("chapter {number} did not find it in this period.").format(number=number),
            _("Its page says what it needs."))


def _of_reason(reason: str) -> tuple[str, str]:
    known = {
        "too_few": (_("too few customers or purchases to tell."), _("More periods on record add it.")),
        "no_orders": (_("nobody bought in the period."), _("Orders of the period add it.")),
        "no_customers": (_("no order names its customer."), _("A customer column in the orders adds it.")),
        "no_cost": (_("what the goods cost is not known."), _("A `cost` column of the table `products` adds it.")),
        "no_costs": (_("channel costs are not known."), _("A source for `channel_costs` adds them.")),
        "no_new_customers": (_("nobody bought for the first time."), _("A period with first purchases adds it.")),
        "partial": (_("the period is not over."), _("The report of the whole period adds it.")),
        "too_short": (_("the record is too short."), _("More periods on record add it.")),
        "no_sales": (_("there are no sales to continue."), _("Orders of earlier periods add it.")),
    }
    return known.get(reason, (_("the records do not allow it in this period."), _("Its chapter says what it needs.")))
