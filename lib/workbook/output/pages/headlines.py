"""The six figures of page one, each as a card; what was not measured is a sentence in its card's place."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from markupsafe import Markup, escape

from workbook.data.findings import Finding
from workbook.data.settings import Settings
from workbook.output import cards, i18n, page
from workbook.output.words import headlines as words

Found = Mapping[str, Mapping[str, Finding]]


class Headline(NamedTuple):
    """One of the six, and the figure that is told with it."""

    chapter: str
    name: str
    aside: tuple[str, str] = ("", "")  # chapter, finding

    @property
    def key(self) -> str:
        return f"{self.chapter}.{self.name}"


HEADLINES = (
    Headline("03_profiling", "net_revenue", ("03_profiling", "margin")),
    Headline("03_profiling", "active_customers"),
    Headline("03_profiling", "new_customers", ("06_clv", "acquisition_cost_per_customer")),
    Headline("03_profiling", "second_purchase_rate_90d"),
    Headline("08_churn", "value_at_risk"),
    Headline("10_satisfaction", "satisfaction"),
)


class Reading(NamedTuple):
    """What the page of one period is made from."""

    findings: Found
    published: Found  # of the period before, as first published
    states: Mapping[str, str]  # chapter → done, failed, skipped, absent; a chapter that does not exist is not in it
    settings: Settings
    whole: bool  # whether the period is over
    year: Found = MappingProxyType({})  # of the same period last year, as first published
    anchors: frozenset[str] = frozenset()  # chapter.finding of each card that a chapter's page has

    def of(self, chapter: str, name: str) -> Finding | None:
        return self.findings.get(chapter, {}).get(name)

    def company(self, chapter: str, name: str) -> cards.Company:
        return cards.company(chapter, name, self.findings.get(chapter, {}), self.published.get(chapter, {}),
                             self.settings.targets, year=self.year.get(chapter, {}), whole=self.whole)

    def why_not(self, chapter: str, name: str) -> words.Absence:
        """Why a figure is not there, and how to add it."""
        finding = self.of(chapter, name)
        return words.absence(chapter, name, self.states.get(chapter, "unknown"), finding.reason if finding else "")


def headline_cards(reading: Reading) -> list[Markup]:
    """The six cards, in their order."""
    return [Markup(_card(reading, headline)) for headline in HEADLINES]


def _card(reading: Reading, headline: Headline) -> str:
    finding = reading.of(headline.chapter, headline.name)
    if finding is None or finding.value is None:
        return _absent(headline, reading.why_not(headline.chapter, headline.name))
    aside = _aside(reading, *headline.aside) if headline.aside[0] else ""
    return cards.figure_card(
        headline.chapter, headline.name, finding, reading.company(headline.chapter, headline.name),
        href=f"{headline.chapter}.html{f'#{headline.key}' if headline.key in reading.anchors else ''}", full=True,
        aside=aside)


def _absent(headline: Headline, absence: words.Absence) -> str:
    key = escape(headline.key)
    return (
        f'<div class="wb-figure wb-absent" id="{key}" data-figure="{key}"><h3>{escape(absence.name)}</h3>'
        f'<p>{_told(absence)}</p></div>')


def _told(absence: words.Absence) -> str:
    gap = words.gap()
    return (f'<strong>{escape(words.not_measured())}</strong>{gap}{page.inline(absence.why)}{gap}'
            f'<span class="wb-how">{page.inline(absence.how)}</span>')


def _aside(reading: Reading, chapter: str, name: str) -> str:
    """A second figure in a corner of the card: its value, and how it moved."""
    finding, key = reading.of(chapter, name), escape(f"{chapter}.{name}")
    title = escape(words.short_name(chapter, name))
    if finding is None or finding.value is None:
        told = _told(reading.why_not(chapter, name))
        return f'<p class="wb-aside wb-absent" id="{key}" data-figure="{key}">{title}{words.colon()}{told}</p>'
    value = escape(i18n.quantity(finding.value, finding.unit))
    lines = f'<p class="wb-aside" id="{key}" data-figure="{key}"><span>{title} <strong>{value}</strong></span>'
    if reading.whole:
        before = cards.rows(name, finding, reading.company(chapter, name)._replace(target=None, year_ago=None))[0]
        lines += f"<span>{escape(words.moved(before.moved, before.noise))}</span>" if before.was else ""
    return f"{lines}</p>"
