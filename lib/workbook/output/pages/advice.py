"""What to do next, what decisions earned, and what comes: the part of page one that looks ahead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from markupsafe import Markup

from workbook.data.findings import Finding
from workbook.output import cards
from workbook.output.pages.headlines import Reading
from workbook.output.words import advice as words

MOST = 4  # that fit on one screen


class Step(NamedTuple):
    """One thing to do: what, what it is worth, and what that rests on."""

    key: str  # the figure behind it: chapter.finding
    text: str
    worth: str
    badge: Markup

    @property
    def href(self) -> str:
        return f"{self.key.split('.')[0]}.html"


def next_steps(reading: Reading) -> list[Step]:
    """Whom to contact, whom to write to, which change to keep, whom to ask for money: what was found of these."""
    ways = (_contact, _write, _keep, _collect, _call)
    return [step for way in ways for step in way(reading)][:MOST]


def _contact(reading: Reading) -> Iterator[Step]:
    listed, profit = reading.of("08_churn", "listed_customers"), reading.of("08_churn", "profit_expected")
    if _some(listed) and _some(profit):
        yield _step("08_churn.profit_expected", words.contact(listed), words.expected(profit), profit)


def _write(reading: Reading) -> Iterator[Step]:
    """Segments whose response pays for a letter even at the lower end of its interval."""
    found = reading.findings.get("04_rfm", {})
    least = found.get("break_even_rate")
    if not _some(least):
        return
    responses = {name.removeprefix("response_"): one for name, one in found.items() if name.startswith("response_")}
    sure = {code: one for code, one in responses.items() if one.low is not None and one.low > least.value}
    if sure:
        best = sorted(sure, key=lambda code: -sure[code].value)
        reached = sum(found[f"segment_{code}_customers"].value or 0 for code in best
                      if f"segment_{code}_customers" in found)
        worth = words.responds(best[0], sure[best[0]], least)
        yield Step("04_rfm.break_even_rate", words.write(best, reached), worth, _badge("observed"))


def _keep(reading: Reading) -> Iterator[Step]:
    shipped, worth = reading.of("07_ab_testing", "experiments_shipped"), reading.of("07_ab_testing", "worth_a_year")
    if _some(shipped) and worth is not None and worth.value is not None:
        yield _step("07_ab_testing.worth_a_year", words.keep(shipped), words.a_year(worth), worth)


def _collect(reading: Reading) -> Iterator[Step]:
    overdue = reading.of("08_churn", "exposure_overdue")
    if _some(overdue):
        yield Step("08_churn.exposure_overdue", words.collect(overdue), words.overdue(overdue), _badge("observed"))


def _call(reading: Reading) -> Iterator[Step]:
    listed = reading.of("08_churn", "prospects_listed")
    if _some(listed):
        yield _step("08_churn.prospects_listed", words.call(listed), words.not_measured(), listed)


def _step(key: str, text: str, worth: str, finding: Finding) -> Step:
    return Step(key, text, worth, _badge(finding.evidence))


def _badge(grade: str) -> Markup:
    return Markup(cards.badge(grade)) if grade else Markup("")


def _some(finding: Finding | None) -> bool:
    return finding is not None and bool(finding.value)


class Told(NamedTuple):
    """Sentences of one block, each with the figure it is about and its grade."""

    key: str
    text: str
    badge: Markup = Markup("")


def earned(reading: Reading) -> list[Told]:
    """What the decisions registered so far brought; how to register one where there is none."""
    found = reading.findings.get("07_ab_testing", {})
    registered = found.get("decisions_registered")
    if reading.settings.part and registered is not None:  # what is decided for all is settled for all
        return [Told("07_ab_testing.decisions_registered", words.decided_for_all(int(registered.value or 0)))]
    if not _some(registered):
        return [Told("07_ab_testing.decisions_registered", words.none_registered())]
    told = []
    for name in ("programme_earned_now", "programme_earned"):
        finding = found.get(name)
        if finding is not None and finding.value is not None:
            told.append(Told(f"07_ab_testing.{name}", words.earned(name, finding, found), _badge(finding.evidence)))
    if not told:
        told.append(Told("07_ab_testing.decisions_running", words.none_settled(found)))
    return [*told, *_held(found)]


def _held(found: Mapping[str, Finding]) -> Iterator[Told]:
    """Whether forecasts of decisions held, and whether their controls did."""
    inside, contacted = found.get("decisions_forecast_inside"), found.get("control_contacted")
    texts = [words.calibration(inside)] if inside is not None and inside.value is not None else []
    texts += [words.contaminated(contacted)] if _some(contacted) else []
    if texts:
        yield Told("07_ab_testing.decisions_forecast_inside", words.together(texts))


def outlook(reading: Reading, following: str, now: str) -> list[Told]:
    """The forecast of the next period, and how the last one did."""
    found = reading.findings.get("03_profiling", {})
    ahead, last, came = (found.get(name) for name in ("next_net_revenue", "last_forecast_net_revenue", "net_revenue"))
    key = "03_profiling.next_net_revenue"
    if ahead is None or ahead.value is None:
        absence = reading.why_not("03_profiling", "next_net_revenue")
        told = [Told(key, words.no_forecast(absence.why, absence.how))]
    else:
        told = [Told(key, words.forecast(following, ahead), _badge(ahead.evidence))]
    if last is not None and last.value is not None and came is not None and came.value is not None:
        text = words.last_forecast(now, last, came, found.get("forecast_coverage"))
        told.append(Told("03_profiling.last_forecast_net_revenue", text))
    return told
