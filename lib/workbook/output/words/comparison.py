"""What is said of a period beside others: which days were compared, what is more than chance, and what comes next."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from workbook.data.findings import Finding
from workbook.data.metrics import METRICS
from workbook.data.periods import Period
from workbook.output import i18n
from workbook.output.i18n import _, ngettext

CHAPTER = "03_profiling"
COMPARED = ("net_revenue", "margin", "active_customers", "new_customers", "orders", "average_order_value",
            "second_purchase_rate_90d")  # fmt: skip
Found = Mapping[str, Finding]


def aligned(found: Found, period: Period) -> str:
    """Which days of the year before the period is compared with."""
    occasions = found["occasions_aligned"]
    if occasions.reason == "no_calendar":
        return _(
            "The settings declare no feasts or promotions (`calendar`): each day is compared with the same weekday 52 "
            "weeks back, so that a feast that moved is compared with ordinary days."
        )
    if occasions.value is None:
        return _(
            "No declared feast or promotion lies both in {period} and in the year before: each day is compared with "
            "the same weekday 52 weeks back, or with the nearest one that no feast or promotion had."
        ).format(period=i18n.period(period))
    n = occasions.n or 0
    return ngettext(
        "{n} day of {period} is compared with the same day of {names} a year before, counted from its beginning; the "
        "others with the same weekday 52 weeks back, or the nearest one that no feast or promotion had.",
        "{n} days of {period} are compared with the same days of {names} a year before, counted from its beginning; "
        "the others with the same weekday 52 weeks back, or the nearest one that no feast or promotion had.",
        n,
    ).format(n=i18n.number(n), period=i18n.period(period), names=_listed(occasion_names(str(occasions.value))))


def occasion_names(joined: str) -> list[str]:
    """The shop's own names of its occasions; of "Double 11 双十一" the part that the reader's language writes.

    >>> i18n.use("en", "EUR")
    >>> occasion_names("618 · Double 11 双十一")
    ['618', 'Double 11']
    """
    parts = []
    for name in joined.split(" · "):
        chinese = " ".join(re.findall(r"[\u4e00-\u9fff]+\w*", name))
        other = " ".join(re.sub(r"[\u4e00-\u9fff]+", " ", name).split())
        parts.append((chinese if i18n.lang() == "zh" else other) or name)
    return parts


def naive(found: Found, period: Period) -> str:
    """What the same month a year before says, and what the comparable days say."""
    plain, like = found["net_revenue_plain_year_ago"].value, found["net_revenue_year_ago"].value
    now = found["net_revenue"].value
    if not plain or not like or plain <= 0 or like <= 0:
        return _("The record does not reach back to the year before: there is nothing to compare a year with.")
    return _(
        "Net revenue against {then} by the calendar: {plain}. Against the comparable days: **{like}**."
    ).format(then=i18n.period(period.year_ago()), plain=i18n.change(now / plain - 1), like=i18n.change(now / like - 1))


def rows(found: Found) -> pd.DataFrame:
    """The headline figures beside both earlier periods: figure, now, before, noise, year_ago, year_noise, as texts."""
    table = []
    for name in COMPARED:
        texts = [_shown(found[key]) for key in (name, f"{name}_before", f"{name}_year_ago")]
        reach = [_reach(found[f"{name}_{suffix}"]) for suffix in ("noise", "year_noise")]
        table.append((_name(name), texts[0], texts[1], reach[0], texts[2], reach[1]))
    return pd.DataFrame(table, columns=["figure", "now", "before", "noise", "year_ago", "year_noise"])


def beyond_chance(found: Found) -> list[str]:
    """Which figures moved by more than chance, against each of the earlier periods."""
    against = {
        "before": (_("Against the period before, more than chance alone would do: {figures}."),
                   _("Against the period before, nothing moved by more than chance alone would do."), "noise"),
        "year_ago": (_("Against the comparable days a year before, more than chance alone would do: {figures}."),
                     _("Against the comparable days a year before, nothing moved by more than chance alone would do."),
                     "year_noise"),
    }  # fmt: skip
    told = []
    for suffix, (some, none, noise) in against.items():
        judged = [name for name in COMPARED if found[f"{name}_{noise}"].value is not None]
        moved = [name for name in judged if abs(_difference(found, name, suffix)) > found[f"{name}_{noise}"].value]
        figures = _listed([f"{_name(name)} **{_moved(found, name, suffix)}**" for name in moved])
        if judged:
            told.append(some.format(figures=figures) if moved else none)
        else:
            told.append(_why_not(suffix))
    return told


def _why_not(suffix: str) -> str:
    if suffix == "before":
        return _("Whether anything moved by more than chance since the period before cannot be said: too few "
                 "customers, or no period before.")  # fmt: skip
    return _("Whether anything moved by more than chance within a year cannot be said: too few customers, or no record "
             "of the year before.")  # fmt: skip


def _difference(found: Found, name: str, suffix: str) -> float:
    return float(found[name].value) - float(found[f"{name}_{suffix}"].value)


def _moved(found: Found, name: str, suffix: str) -> str:
    by, then = _difference(found, name, suffix), float(found[f"{name}_{suffix}"].value)
    if found[name].unit == "share" or then <= 0:
        return ("+" if by > 0 else "−") + _amount(abs(by), found[name].unit)
    return i18n.change(by / then)


def _name(name: str) -> str:
    return _(METRICS[f"{CHAPTER}.{name}"].name)


def _shown(finding: Finding) -> str:
    return i18n.quantity(finding.value, finding.unit)


def _reach(finding: Finding) -> str:
    return i18n.NOTHING if finding.value is None else f"±\u00a0{_amount(finding.value, finding.unit)}"


def _amount(value: float, unit: str) -> str:
    """A difference in the unit's own words; of shares, in points."""
    if unit == "share":
        return _("{points} points").format(points=i18n.number(100 * value, 1))
    return i18n.money(value) if unit == "money" else i18n.number(value, 0)


def _listed(names: Sequence[str]) -> str:
    return (_(", ")).join(names)


def rule(code: str) -> str:
    """What people call a rule of forecasting."""
    return {
        "last_period": _("as the last period, day for day"),
        "recent_mean": _("as the mean of the last three periods"),
        "drift": _("as the last period, moved on by the usual step"),
        "year_ago": _("as the comparable days a year before"),
        "aligned_trend": _("as the comparable days a year before, times the recent trend"),
        "combined": _("halfway between the last three periods and the comparable days a year before"),
    }[code]


def forecast(found: Found, ahead: Period) -> str:
    """What the next period brings."""
    told = found["next_net_revenue"]
    if told.value is None:
        return no_forecast(told.reason)
    return _(
        "**{period}: {value}** net revenue expected, between {low} and {high}; the rule: {rule}."
    ).format(
        period=i18n.period(ahead), value=i18n.money(_round(told.value)), low=i18n.money(_round(told.low)),
        high=i18n.money(_round(told.high)), rule=rule(str(found["next_net_revenue_rule"].value)),
    )  # fmt: skip


def no_forecast(reason: str) -> str:
    """Why nothing is foretold."""
    return {
        "partial": _("The period is not over: what comes next is foretold from whole periods."),
        "no_sales": _("The last period brought no net revenue: the rules have nothing to go on from."),
        "too_wide": _("Past forecasts were so far off that a range would reach from less than a third to more than "
                      "three times the forecast: nothing is foretold."),
        "too_short": _("The record is too short for a forecast: fewer than six periods could be foretold and checked."),
    }[reason]


def against_naive(found: Found) -> str:
    """How far the rule and the naive rival were off."""
    told, error, naive_error = (found[name].value for name in ("next_net_revenue", "forecast_error",
                                                               "forecast_error_naive"))  # fmt: skip
    if told is None:
        return ""
    n = found["next_net_revenue"].n
    if found["next_net_revenue_rule"].value == "last_period":
        return _(
            "Over the last {n} forecasts no rule was clearly better than the naive one, “as the last period, day for "
            "day”; it was off by {error} on average."
        ).format(n=i18n.number(n), error=i18n.percent(error, 0))
    return _(
        "Over the last {n} forecasts it was off by {error} on average, the naive rival (as the last period, day for "
        "day) by {naive}."
    ).format(n=i18n.number(n), error=i18n.percent(error, 0), naive=i18n.percent(naive_error, 0))


def came_in(found: Found, period: Period) -> str:
    """How the last forecast did."""
    told, came = found["last_forecast_net_revenue"], found["net_revenue"].value
    if told.value is None:
        return ""
    inside = told.low <= came <= told.high
    text = _("Of {period} the same rules said {value} ({low} to {high}) a period ago; it came in at **{came}**, "
             "inside.")  # fmt: skip
    if not inside:
        text = _("Of {period} the same rules said {value} ({low} to {high}) a period ago; it came in at **{came}**, "
                 "outside.")  # fmt: skip
    return text.format(
        period=i18n.period(period), value=i18n.money(_round(told.value)), low=i18n.money(_round(told.low)),
        high=i18n.money(_round(told.high)), came=i18n.money(came))


def held(found: Found) -> str:
    """How often the intervals of the past held."""
    share = found["forecast_coverage"]
    if share.value is None:
        return ""
    return ngettext(
        "Of {n} past forecast that could be checked so, {held} lay in its interval, which is meant to hold 95 times "
        "in 100.",
        "Of {n} past forecasts that could be checked so, {held} lay in their intervals, which are meant to hold 95 "
        "times in 100.", share.n).format(n=i18n.number(share.n), held=i18n.number(round(share.value * share.n)))


def _round(amount: float) -> float:
    """To three figures: a forecast is not known to the cent.

    >>> _round(98765.4), _round(12.345)
    (98800.0, 12.3)
    """
    return float(f"{amount:.3g}")
