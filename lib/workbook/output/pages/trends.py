"""The list of all periods: state, verdict and headline figures of each report, and the figures over time.

It lies beside the reports (`en.html`, `zh.html`, and `index.html` that leads to the first of them) and is written
whenever a report is. Figures are as first published; a period that is not over is drawn apart.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from workbook.data import periods
from workbook.data.errors import WorkbookError
from workbook.data.findings import Finding, read_findings
from workbook.data.periods import Period
from workbook.data.publications import approvals, first_published
from workbook.data.settings import Settings
from workbook.data.store import write_whole
from workbook.output import cards, i18n
from workbook.output.pages import verdict
from workbook.output.pages.body import typeset
from workbook.output.pages.frame import templates
from workbook.output.pages.headlines import HEADLINES, Found, Headline, Reading
from workbook.output.words import trends as words
from workbook.output.words import verdict as verdict_words

FAILED = ".failed"  # the ending of the folder of an attempt that took no good report's place
RULES = {  # the finding that says when a frozen rule was fitted, and the one that says that it may still move
    "rfm": ("04_rfm", "cuts_from", "cuts_provisional"),
    "clusters": ("05_clustering", "rule_from", "rule_provisional"),
    "lifetime": ("06_clv", "model_chosen_on", "model_provisional"),
}
PAD = 6.0  # per cent of a picture's height above and below its line


class Entry(NamedTuple):
    """One rendered period."""

    period: Period
    folder: Path
    languages: tuple[str, ...]
    states: dict[str, str]  # chapter → state
    found: Found  # as its report says now
    published: Found  # as first published
    marks: tuple[str, ...]  # draft or approved; restated, failed, failed_since, partial
    refits: tuple[str, ...]  # rules fitted anew since the period before in the list


class Point(NamedTuple):
    """One period in a picture: where it lies in per cent, and whether it is over."""

    x: float
    y: float
    whole: bool
    text: str


class Line(NamedTuple):
    """A stretch between two points; `sure` only between neighbours that are over."""

    start: Point
    end: Point
    sure: bool


class Trend(NamedTuple):
    """One headline figure over all periods."""

    key: str
    name: str
    latest: str
    points: tuple[Point, ...]
    lines: tuple[Line, ...]
    marks: tuple[tuple[float, str], ...]  # where a rule was fitted anew, and which
    told: str  # the picture in words
    axis: str = ""  # the range of the axis
    ends: tuple[str, str] = ("", "")  # the first and the last period; the latter empty where there is one only


def write_list(settings: Settings) -> Path | None:
    """Write the list in each language that a report speaks; returns the page to open, None without any report."""
    entries = list(_entries(settings))
    languages = [lang for lang in ("en", "zh") if any(lang in entry.languages for entry in entries)]
    if not languages:
        return None
    made = templates()
    measured = [one for one in HEADLINES if any(_number(entry, one) for entry in entries)]  # a column each
    for lang in languages:
        i18n.use(lang, settings.currency)
        html = made.get_template("periods.html").render(
            shop=settings.name, count=words.count(len(entries)), lang=lang, html_language=i18n.HTML_LANGUAGE[lang],
            others=[other for other in languages if other != lang],
            trends=[_trend(headline, entries, settings) for headline in HEADLINES],
            rows=[_row(entry, measured, lang, settings) for entry in reversed(entries)],
            headings=[words.heading(one.chapter, one.name) for one in measured],
            refitted=any(entry.refits for entry in entries), partial=any("partial" in e.marks for e in entries))
        write_whole(settings.reports_folder / f"{lang}.html", typeset(html, lang))
    first = next((lang for lang in settings.languages if lang in languages), languages[0])
    entrance = made.get_template("entrance.html").render(
        record={"shop": settings.name, "languages": [first, *(lang for lang in languages if lang != first)]},
        names=i18n.OWN_NAME, period=words.all_periods(), page="{}.html")
    write_whole(settings.reports_folder / "index.html", entrance)
    return settings.reports_folder / "index.html"


def _entries(settings: Settings) -> Iterator[Entry]:
    """Every rendered period, oldest first."""
    folders = {path.parent.name: path.parent for path in settings.reports_folder.glob("[0-9]*/run.json")}
    labels = {name.removesuffix(FAILED) for name in folders if not name.startswith(".")}
    known = sorted((period, label) for label in labels if (period := _period(label, settings)) is not None)
    rules: dict[str, Any] = {}
    for period, label in known:
        folder = folders.get(label) or folders[label + FAILED]
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
        states = {outcome["chapter"]: outcome["state"] for outcome in record["outcomes"]}
        found = read_findings(folder / "findings.json")
        fitted = _fitted(found)
        refits = tuple(rule for rule, day in fitted.items() if rule in rules and rules[rule] != day)
        rules |= fitted
        yield Entry(period, folder, tuple(record["languages"]), states, found,
                    first_published(settings, label) or found,
                    tuple(_marks(settings, folder, period, states, both=label + FAILED in folders)), refits)


def _period(label: str, settings: Settings) -> Period | None:
    """The period of a folder's name; None where the folder is no report of this shop's kind of periods."""
    try:
        return periods.period_of(label, settings.period)
    except WorkbookError:
        return None


def _fitted(found: Found) -> dict[str, Any]:
    """Rule → the day up to which it was fitted, of those that are kept."""
    return {
        rule: found[chapter][day].value
        for rule, (chapter, day, provisional) in RULES.items()
        if day in found.get(chapter, {}) and not _value(found, chapter, provisional)}


def _value(found: Found, chapter: str, name: str) -> Any:
    finding = found.get(chapter, {}).get(name)
    return finding.value if finding else None


def _marks(
    settings: Settings, folder: Path, period: Period, states: dict[str, str], *, both: bool
) -> Iterator[str]:
    bad = bool({"failed", "skipped"} & set(states.values()))
    if bad:
        yield "failed"
    else:
        yield "approved" if approvals(settings, period.label) else "draft"
    if not period.is_whole:
        yield "partial"
    if (folder / "restatement.json").exists():
        yield "restated"
    if both and not bad:
        yield "failed_since"


def _row(entry: Entry, measured: Sequence[Headline], lang: str, settings: Settings) -> dict[str, Any]:
    """A period in the table."""
    before = first_published(settings, entry.period.previous().label)
    reading = Reading(entry.found, before, entry.states, settings, entry.period.is_whole)
    own = lang if lang in entry.languages else entry.languages[0]
    files = {form: entry.folder / own / f"report.{form}" for form in ("pdf", "xlsx")}
    return {
        "name": i18n.period(entry.period), "href": f"{entry.folder.name}/{own}/index.html",
        "marks": [(mark, words.mark(mark)) for mark in entry.marks],
        "verdict": verdict_words.short(verdict.verdict_of(reading)),
        "values": [_shown(entry.published, headline) for headline in measured],
        "refits": [words.refit(rule) for rule in entry.refits],
        "files": [(words.form(form), path.relative_to(settings.reports_folder).as_posix())
                  for form, path in files.items() if path.exists()],
    }


def _shown(found: Found, headline: Headline) -> tuple[str, str, str]:
    """Key, heading and value of one cell; a dash where it was not measured."""
    finding = found.get(headline.chapter, {}).get(headline.name)
    value = i18n.NOTHING if finding is None or finding.value is None else i18n.quantity(finding.value, finding.unit)
    return headline.key, words.heading(headline.chapter, headline.name), value


def _trend(headline: Headline, entries: Sequence[Entry], settings: Settings) -> Trend:
    seen = [(entry, finding) for entry in entries if (finding := _number(entry, headline)) is not None]
    name = words.heading(headline.chapter, headline.name)
    if not seen:
        return Trend(headline.key, name, "", (), (), (), words.never(name))
    values = [float(finding.value) for _entry, finding in seen]
    unit = seen[0][1].unit
    first, last = min(values), max(values)
    place = _places([entry.period.end for entry, _finding in seen])
    points = tuple(
        Point(place[entry.period.end], _height(value, first, last), entry.period.is_whole,
              f"{i18n.period(entry.period)}: {i18n.quantity(value, unit)}")
        for (entry, _finding), value in zip(seen, values, strict=True))
    lines = tuple(
        Line(start, end, end.whole and start.whole and a.period.next() == b.period)
        for (start, end), ((a, _), (b, _)) in zip(pairwise(points), pairwise(seen), strict=True))
    marks = tuple((place[entry.period.end], words.refit(rule)) for entry, _finding in seen for rule in entry.refits)
    latest = i18n.quantity(values[-1], unit)
    axis = words.axis(i18n.quantity(first, unit), i18n.quantity(last, unit)) if len(values) > 1 else words.one()
    ends = (i18n.period(seen[0][0].period), i18n.period(seen[-1][0].period) if len(seen) > 1 else "")
    told = words.told(name, *ends, [i18n.quantity(value, unit) for value in (values[0], values[-1], first, last)])
    return Trend(headline.key, name, latest, points, lines, marks, told, axis, ends)


def _number(entry: Entry, headline: Headline) -> Finding | None:
    finding = entry.published.get(headline.chapter, {}).get(headline.name)
    return finding if finding is not None and cards.is_number(finding.value) else None


def _places(days: Iterable[date]) -> dict[date, float]:
    """Where each day lies between the first and the last, in per cent; one alone in the middle."""
    numbers = {day: day.toordinal() for day in days}
    first, last = min(numbers.values()), max(numbers.values())
    return {day: 2 + 96 * (n - first) / (last - first) if last > first else 50.0 for day, n in numbers.items()}


def _height(value: float, low: float, high: float) -> float:
    return 100 - PAD - (100 - 2 * PAD) * ((value - low) / (high - low) if high > low else 0.5)
