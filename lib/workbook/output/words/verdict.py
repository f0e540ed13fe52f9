"""The period in one sentence: what the shop took, beside the period before, the year before and the target."""

from __future__ import annotations

from typing import NamedTuple

from workbook.data.periods import Period
from workbook.output import i18n
from workbook.output.i18n import _


class Change(NamedTuple):
    """How net revenue moved against something."""

    share: float
    beyond_noise: bool | None  # None: not tested


class Verdict(NamedTuple):
    """What the sentence is made of."""

    value: float | None  # net revenue of the period
    before: Change | None
    year: Change | None
    aligned: bool  # whether days of last year were aligned to feasts and promotions
    target: float | None
    whole: bool


def no_revenue() -> str:
    return _("No revenue figure was made in this run: see the chapters below.")


def on_record(value: float, period: Period) -> str:
    """Where only the cleaned records are known."""
    return _("Net revenue on record up to {day}: {value}.").format(day=i18n.date(period.end), value=i18n.money(value))


def sentence(verdict: Verdict, period: Period) -> str:
    """What the shop took, how that compares, and whether the target is met."""
    if verdict.value is None:
        return no_revenue()
    value = i18n.money(verdict.value)
    if not verdict.whole:
        return _("The shop took {value} net of returns in {period}; the period is not over, so that it is not compared."
                 ).format(value=value, period=i18n.period(period))
    clauses = [clause for clause in (_before(verdict.before), _year(verdict), _target(verdict)) if clause]
    if not clauses:
        return _("The shop took {value} net of returns in {period}.").format(value=value, period=i18n.period(period))
    semicolon = "; " if i18n.lang() == "en" else "；"
    return _("The shop took {value} net of returns in {period}: {comparison}.").format(
        value=value, period=i18n.period(period), comparison=semicolon.join(clauses))


def _before(change: Change | None) -> str:
    return _("{change} against the period before{noise}").format(
        change=i18n.change(change.share), noise=_noise(change)) if change else ""


def _year(verdict: Verdict) -> str:
    if verdict.year is None:
        return _("there is no year before to compare with")
    told = (_("{change} against the year before, feasts and promotions aligned{noise}") if verdict.aligned else
            _("{change} against the year before{noise}"))
    return told.format(change=i18n.change(verdict.year.share), noise=_noise(verdict.year))


def _noise(change: Change) -> str:
    if change.beyond_noise is None:
        return ""
    return _(", more than chance moves") if change.beyond_noise else _(", no more than chance moves")


def _target(verdict: Verdict) -> str:
    if verdict.target is None or verdict.value is None:
        return ""
    target = i18n.money(verdict.target)
    if verdict.value >= verdict.target:
        return _("the target of {target} is met").format(target=target)
    short = i18n.money(verdict.target - verdict.value)
    return _("the target of {target} is missed by {short}").format(target=target, short=short)


def short(verdict: Verdict) -> str:
    """The verdict in a line of a table: both changes, and the target."""
    if verdict.value is None:
        return _("no revenue figure")
    if not verdict.whole:
        return _("not over: not compared")
    told = []
    if verdict.before:
        told.append(_("{change} on the period before{noise}").format(
            change=i18n.change(verdict.before.share), noise=_in_brackets(verdict.before)))
    if verdict.year:
        told.append(_("{change} on the year before{noise}").format(
            change=i18n.change(verdict.year.share), noise=_in_brackets(verdict.year)))
    if verdict.target is not None:
        told.append(_("target met") if verdict.value >= verdict.target else _("target missed"))
    return ("; " if i18n.lang() == "en" else "；").join(told) or _("nothing to compare with")


def _in_brackets(change: Change) -> str:
    if change.beyond_noise is None:
        return ""
    return _(" (more than noise)") if change.beyond_noise else _(" (within noise)")
