"""What the index of a report says: the trust strip, and why a chapter is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple

from workbook.data.environment import absent_tables
from workbook.data.findings import Finding
from workbook.data.periods import Period
from workbook.data.settings import Settings
from workbook.output import i18n
from workbook.output.i18n import _, ngettext

Found = Mapping[str, Mapping[str, Finding]]


class Trust(NamedTuple):
    """One item of the trust strip. `state` is good, doubtful or plain."""

    name: str
    value: str
    note: str
    state: str


def trust(findings: Found, record: Mapping[str, str], settings: Settings, period: Period) -> list[Trust]:
    """Why the page may be believed, and where not: identified share, freshness, gates, what is missing, sources."""
    collected, cleaned = findings.get("01_collection", {}), findings.get("02_cleaning", {})
    items = [
        _identified(cleaned), _fresh(collected, period), _gates(cleaned), _quarantine(collected), _missing(settings)]
    made = Trust(
        _("Made from"),
        ngettext("{n} source", "{n} sources", len(settings.sources)).format(n=len(settings.sources)),
        _("{time} UTC, workbook {version}, engine {engine}").format(
            time=i18n.moment(datetime.fromisoformat(record["rendered_at"])), version=record["version"],
            engine=record["engine"]),
        "plain")
    return [*(item for item in items if item), made]


def _identified(cleaned: Mapping[str, Finding]) -> Trust | None:
    share = cleaned.get("identified_revenue_share")
    if share is None or share.value is None:
        return None
    state = "good" if share.value >= 0.9 else "doubtful"
    return Trust(_("Identified"), i18n.percent(share.value), _("of the revenue belongs to a known customer"), state)


def _fresh(collected: Mapping[str, Finding], period: Period) -> Trust | None:
    newest = collected.get("newest_sale")
    if newest is None or newest.value is None:
        return None
    if date.fromisoformat(str(newest.value)[:10]) < period.end:
        note = _("the period ends on {day}: its last days are missing, or nobody bought").format(
            day=i18n.date(period.end))
        return Trust(_("Newest sale"), i18n.quantity(newest.value, "date"), note, "doubtful")
    return Trust(_("Newest sale"), i18n.quantity(newest.value, "date"), _("on record when this was made"), "plain")


def _gates(cleaned: Mapping[str, Finding]) -> Trust | None:
    if not {"gates_passed", "gates_total"} <= cleaned.keys():
        return None
    passed, total = cleaned["gates_passed"].value, cleaned["gates_total"].value
    value = _("{passed} of {total}").format(passed=i18n.number(passed), total=i18n.number(total))
    return Trust(_("Checks passed"), value, _("totals that must agree"), "good" if passed == total else "doubtful")


def _quarantine(collected: Mapping[str, Finding]) -> Trust | None:
    rows = collected.get("rows_quarantined")
    if rows is None:
        return None
    state = "good" if not rows.value else "doubtful"
    return Trust(_("Could not be read"), i18n.quantity(rows.value, "rows"), _("rows wait in quarantine"), state)


def _missing(settings: Settings) -> Trust:
    absent = absent_tables(settings)
    return Trust(
        _("Not supplied"), ngettext("{n} table", "{n} tables", len(absent)).format(n=len(absent)),
        _("what each would add: chapter 01"), "plain")


def not_found(figure: str) -> str:
    """What stands in place of a chapter's sentence without one of the figures that it is made of."""
    return _("Its figure “{figure}” was not found in this run; the others are on its page.").format(figure=figure)


def why_not(state: str, error: str, because: Iterable[str]) -> str:
    """Why a chapter has no sentence of its own."""
    if state == "failed":
        return _("This chapter failed: {error}").format(error=error)
    if state == "skipped":
        return _("Not run, because {chapters} failed.").format(chapters=", ".join(because))
    return _("Not part of this run.")
