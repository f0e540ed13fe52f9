"""What a card says beside its value: against what it is compared, whether that is more than noise, why it is not."""

from __future__ import annotations

from workbook.output.i18n import _


def before() -> str:
    return _("Before")


def last_year() -> str:
    return _("Last year")


def target() -> str:
    return _("Target")


def not_over() -> str:
    """A period that is not over is not compared."""
    return _("The period is not over: not compared.")


def not_rendered() -> str:
    return _("the period before has not been rendered")


def no_year() -> str:
    return _("no report of a year ago")


def no_target() -> str:
    return _("none set")


def met(is_met: bool) -> str:
    """Whether a target is met, with a sign."""
    return _("✓ met") if is_met else _("✗ missed")


def noise(exceeded: bool) -> str:
    """Whether a change is more than chance alone moves."""
    return _("more than noise") if exceeded else _("within noise")


def not_tested() -> str:
    return _("noise not tested")


def no_comparison(reason: str) -> str:
    """Why there is nothing to compare with, for a finding's reason."""
    known = {
        "no_previous": _("no earlier period to compare with"),
        "no_year_ago": _("no records of a year ago"),
        "short_record": _("records begin too late for it"),
        "no_cost": _("costs were not known then"),
        "no_costs": _("costs were not known then"),
        "no_new_customers": _("nobody bought for the first time then"),
        "too_few": _("too few to compare with"),
        "partial": _("the period is not over"),
    }
    return known.get(reason, _("not known"))


def grade(code: str) -> str:
    """A grade of evidence."""
    return {
        "randomised": _("Randomised"), "matched": _("Matched"), "observed": _("Observed"), "assumed": _("Assumed"),
    }[code]
