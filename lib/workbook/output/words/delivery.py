"""The message after a run: what a manager reads on a phone before, or instead of, opening the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbook.data.metrics import METRICS
from workbook.output import i18n
from workbook.output.i18n import _, ngettext

if TYPE_CHECKING:
    from workbook.output.delivery.summary import Figure, Summary


def subject(summary: Summary) -> str:
    """One line: shop, period, and whether it went well."""
    name = {"shop": summary.shop, "period": summary.period}
    match summary.state:
        case "done":
            return _("{shop}: the report of {period} is ready").format(**name)
        case "unchanged":
            return _("{shop}: the report of {period} is as it was").format(**name)
        case "failed" if summary.many:
            told = ngettext("{shop}: {n} report of {period} failed", "{shop}: {n} reports of {period} failed",
                            len(summary.failed))
            return told.format(n=len(summary.failed), **name)
        case "failed":
            told = ngettext("{shop}: {n} chapter of {period} failed", "{shop}: {n} chapters of {period} failed",
                            len(summary.failed))
            return told.format(n=len(summary.failed), **name)
        case _:
            return _("{shop}: no report was made").format(**name)


def text(summary: Summary, verdict: str, restated: str = "") -> str:
    """The whole message, in lines; `restated` says how the period differs from what was told of it before."""
    parts = [
        [subject(summary)],
        [verdict] if verdict else [],
        [_figure(figure) for figure in summary.figures],
        _failures(summary),
        [line for line in (restated, *_restated(summary)) if line],
        _places(summary),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _figure(figure: Figure) -> str:
    name, value = _(METRICS[figure.key].name), i18n.quantity(figure.value.value, figure.value.unit)
    then, now = figure.before and figure.before.value, figure.value.value
    if not _is_number(then) or not _is_number(now) or not then:
        return _("{name}: {value}").format(name=name, value=value)
    return _("{name}: {value} ({change} against the period before)").format(
        name=name, value=value, change=i18n.change((float(now) - float(then)) / abs(float(then))))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _failures(summary: Summary) -> list[str]:
    lines = [_("{chapter} failed: {error}").format(chapter=chapter, error=error) for chapter, error in summary.failed]
    if summary.skipped:
        lines.append(_("Not run because of that: {chapters}").format(chapters=", ".join(summary.skipped)))
    if summary.error:
        lines.append(_("It broke off: {error}").format(error=summary.error))
    return lines


def _restated(summary: Summary) -> list[str]:
    n = len(summary.restated)
    told = ngettext("{n} figure differs from what was published before: the report says why.",
                    "{n} figures differ from what was published before: the report says why.", n)
    return [told.format(n=n)] if n else []


def _places(summary: Summary) -> list[str]:
    lines = []
    if summary.link:
        incomplete = summary.state == "failed"
        told = _("The incomplete report: {link}") if incomplete else _("The report: {link}")
        lines.append(told.format(link=summary.link))
    if summary.good:
        lines.append(_("The last good report is still there: {link}").format(link=summary.good))
    return lines
