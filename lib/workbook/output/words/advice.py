"""What page one says of next steps, of what decisions earned, and of the period to come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbook.data.findings import Finding
from workbook.output import i18n
from workbook.output.i18n import _, ngettext
from workbook.output.words.rfm import segment_name

NAMED = 3  # segments named in one line


def _gap() -> str:
    """What stands between two sentences: nothing in Chinese."""
    return "" if i18n.lang() == "zh" else " "


def together(sentences: Sequence[str]) -> str:
    return _gap().join(sentences)


def _amount(finding: Finding) -> str:
    """A value with its interval, where it has one."""
    value = _short(finding.value, finding.unit)
    if finding.low is None or finding.high is None:
        return value
    low, high = _short(finding.low, finding.unit), _short(finding.high, finding.unit)
    return _("{value} ({low} to {high})").format(value=value, low=low, high=high)


def _short(x: float, unit: str = "money") -> str:
    """A value without decimals from a hundred on."""
    return i18n.money(x, 0 if abs(x) >= 100 else 2) if unit == "money" else i18n.quantity(x, unit)


def contact(listed: Finding) -> str:
    return ngettext("Contact the {n} customer who is likely to leave and worth keeping",
                    "Contact the {n} customers who are likely to leave and worth keeping", int(listed.value)).format(
                        n=i18n.number(listed.value))


def expected(profit: Finding) -> str:
    return _("expected profit {amount}").format(amount=_amount(profit))


def write(codes: Sequence[str], reached: float) -> str:
    """Segments for which a letter pays, the surest first."""
    comma = ", " if i18n.lang() == "en" else "、"
    names = comma.join(segment_name(code) for code in codes[:NAMED])
    text = _("Write to {segments}").format(segments=names)
    if len(codes) > NAMED:
        more = len(codes) - NAMED
        text = ngettext("Write to {segments} and {more} more segment", "Write to {segments} and {more} more segments",
                        more).format(segments=names, more=i18n.number(more))
    return text + (_(" ({n} customers)").format(n=i18n.number(reached)) if reached else "")


def responds(code: str, response: Finding, least: Finding) -> str:
    return _("{segment}: {share} bought again; a letter pays from {least}").format(
        segment=segment_name(code), share=i18n.percent(response.value, 0), least=i18n.percent(least.value))


def keep(shipped: Finding) -> str:
    return ngettext("Keep the {n} change that its experiment confirmed",
                    "Keep the {n} changes that their experiments confirmed", int(shipped.value)).format(
                        n=i18n.number(shipped.value))


def a_year(worth: Finding) -> str:
    return _("{amount} a year").format(amount=_amount(worth))


def collect(overdue: Finding) -> str:
    n = int(overdue.n or 0)
    return ngettext("Ask {n} customer for an overdue invoice", "Ask {n} customers for overdue invoices", n).format(
        n=i18n.number(n))


def overdue(finding: Finding) -> str:
    return _("{amount} overdue").format(amount=_amount(finding))


def call(listed: Finding) -> str:
    return ngettext("Call the {n} prospect most likely to buy", "Call the {n} prospects most likely to buy",
                    int(listed.value)).format(n=i18n.number(listed.value))


def not_measured() -> str:
    return _("worth not measured yet")


def nothing_to_do() -> str:
    return _("Not measured yet: what to do next. The chapters on segments, experiments and churn add it.")


def none_registered() -> str:
    return _("No decision is registered yet. `workbook export LIST --action … --owner … --cost …` sets a random "
             "control apart, and each later report says here what the action earned.")


def decided_for_all(n: int) -> str:
    """On the page of a part: where the decisions that touch it are told."""
    if not n:
        return _("No decision of the shop has customers of this part on its list.")
    return ngettext("{n} decision of the shop touches this part; what it earned stands in the report of the whole.",
                    "{n} decisions of the shop touch this part; what they earned stands in the report of the whole.",
                    n).format(n=i18n.number(n))


def none_settled(found: Mapping[str, Finding]) -> str:
    """Decisions are registered, and none of them is settled: what became of them."""
    names = {"decisions_running": _running, "decisions_unjudged": _unjudged, "decisions_cancelled": _cancelled}
    counts = {name: int(found[name].value or 0) for name in names if name in found}
    parts = [names[name](n) for name, n in counts.items() if n]
    comma = ", " if i18n.lang() == "en" else "，"
    return _("No decision is settled yet: {parts}.").format(parts=comma.join(parts) or _("all were registered lately"))


def _running(n: int) -> str:
    return ngettext("{n} is running", "{n} are running", n).format(n=i18n.number(n))


def _unjudged(n: int) -> str:
    return ngettext("{n} is over and cannot be judged", "{n} are over and cannot be judged", n).format(
        n=i18n.number(n))


def _cancelled(n: int) -> str:
    return ngettext("{n} was cancelled", "{n} were cancelled", n).format(n=i18n.number(n))


def earned(name: str, finding: Finding, found: Mapping[str, Finding]) -> str:
    """What was earned against the controls: by what settled in this period, or by the programme so far."""
    amount = _amount(finding)
    settled = found.get("decisions_settled" if name == "programme_earned" else "decisions_settled_now")
    n = int((settled.value if settled is not None else None) or finding.n or 0)
    if name == "programme_earned":
        return ngettext("To date: {n} settled decision, {amount} after cost.",
                        "To date: {n} settled decisions, {amount} after cost.", n).format(
                            amount=amount, n=i18n.number(n))
    return ngettext("This period: {n} decision settled, {amount} after cost.",
                    "This period: {n} decisions settled, {amount} after cost.", n).format(
                        amount=amount, n=i18n.number(n))


def calibration(inside: Finding) -> str:
    return _("{share} of {n} outcomes lay within their forecast.").format(
        share=i18n.percent(inside.value, 0), n=i18n.number(inside.n or 0))


def contaminated(contacted: Finding) -> str:
    n = int(contacted.value)
    return ngettext("{n} customer of a control was contacted all the same.",
                    "{n} customers of a control were contacted all the same.",
                    n).format(n=i18n.number(n))


def forecast(period: str, ahead: Finding) -> str:
    if ahead.low is None or ahead.high is None:
        return _("{period}: {value} expected.").format(period=period, value=_short(ahead.value))
    low, high, value = (_short(x) for x in (ahead.low, ahead.high, ahead.value))
    return _("{period}: {value} expected, between {low} and {high}.").format(
        period=period, value=value, low=low, high=high)


def no_forecast(why: str, how: str) -> str:
    return _("Not measured yet: what the next period will take; {why} {how}").format(why=why, how=how)


def last_forecast(period: str, said: Finding, came: Finding, coverage: Finding | None) -> str:
    """What was said of this period a period ago, and whether it held."""
    value = _short(came.value)
    if said.low is None or said.high is None:
        return _("Forecast for {period}: {said}; it came to {value}.").format(
            period=period, said=_short(said.value), value=value)
    low, high = _short(said.low), _short(said.high)
    held = said.low <= came.value <= said.high
    text = (_("The forecast for {period} was {low} to {high}; it came to {value}: inside.") if held else
            _("The forecast for {period} was {low} to {high}; it came to {value}: outside.")).format(
                period=period, low=low, high=high, value=value)
    if coverage is None or coverage.value is None:
        return text
    return text + _gap() + _("{share} of {n} forecasts held.").format(
        share=i18n.percent(coverage.value, 0), n=i18n.number(coverage.n or 0))
