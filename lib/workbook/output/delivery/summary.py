"""What is told of a run: the verdict, the headline figures, where the report is, what failed and what was restated.

No personal value gets in: it is made from findings, which are figures of the shop, and from errors as `secrecy` leaves
them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from workbook.data import periods, publications
from workbook.data.errors import WorkbookError
from workbook.data.findings import Finding, read_findings
from workbook.data.metrics import METRICS
from workbook.data.secrecy import told
from workbook.data.settings import Settings
from workbook.output import i18n
from workbook.output.pages.headlines import HEADLINES, Reading
from workbook.output.pages.restated import FILE, restated
from workbook.output.pages.verdict import sentence
from workbook.output.report import Rendered
from workbook.output.report.backfill import Filled
from workbook.output.words import delivery as words


class Figure(NamedTuple):
    """A headline figure of the period, beside the one before as first published."""

    key: str
    value: Finding
    before: Finding | None


@dataclass(frozen=True)
class Summary:
    """The facts of one run, free of language but for the sentences of `verdict` and `restated`."""

    shop: str
    period: str
    state: str  # done, unchanged, failed: a chapter did; refused: nothing was run, or it broke off
    link: str = ""
    good: str = ""  # the last good report, where a failed one did not replace it
    seconds: float = 0.0
    failed: tuple[tuple[str, str], ...] = ()  # chapter, or period of many, and error
    many: bool = False  # whether it is of many periods
    skipped: tuple[str, ...] = ()
    error: str = ""  # of a run that broke off
    figures: tuple[Figure, ...] = ()
    reading: Reading | None = None
    restated: tuple[str, ...] = ()  # figures that differ from what was told before
    report: Path | None = None  # its folder

    def facts(self) -> dict[str, Any]:
        """For a program: no sentences."""
        return {
            "shop": self.shop, "period": self.period, "state": self.state, "link": self.link,
            "seconds": self.seconds, "error": self.error, "skipped": list(self.skipped),
            "failed": [{"chapter": chapter, "error": error} for chapter, error in self.failed],
            "figures": {figure.key: {
                "value": figure.value.value, "unit": figure.value.unit,
                "before": figure.before.value if figure.before else None} for figure in self.figures},
            "restated": list(self.restated),
        }

    def told_in(self, lang: str, settings: Settings) -> tuple[str, str]:
        """Subject and text in a language."""
        spoken = i18n.lang(), i18n.currency()
        i18n.use(lang, settings.currency)
        try:
            verdict = ""
            if self.reading is not None:
                verdict = sentence(self.reading, periods.period_of(self.period, settings.period))
            differs = restated(self.report) if self.report else None
            return words.subject(self), words.text(self, verdict, differs.lead if differs else "")
        finally:
            i18n.use(*spoken)


def of_report(settings: Settings, rendered: Rendered, seconds: float) -> Summary:
    """Of a run that made a report, whole or not."""
    record = json.loads((rendered.folder / "run.json").read_text(encoding="utf-8"))
    findings = read_findings(rendered.folder / "findings.json")
    period = periods.period_of(record["period"], settings.period)
    before = publications.first_published(settings, period.previous().label)
    states = {outcome["chapter"]: outcome["state"] for outcome in record["outcomes"]}
    return Summary(
        shop=settings.name, period=record["period"], state=rendered.state, link=_link(settings, rendered),
        good=str(rendered.kept / "index.html") if rendered.kept else "", seconds=seconds,
        failed=tuple((o["chapter"], told(o["error"], settings)) for o in record["outcomes"] if o["state"] == "failed"),
        skipped=tuple(o["chapter"] for o in record["outcomes"] if o["state"] == "skipped"),
        figures=_figures(findings, before),
        reading=Reading(findings, before, states, settings, period.is_whole),
        restated=_restated(rendered.folder), report=rendered.folder)


def of_periods(settings: Settings, filled: Sequence[Filled], seconds: float) -> Summary:
    """Of a run that filled many periods; in the place of chapters the periods that failed."""
    failed = tuple((one.label, told(one.reason, settings)) for one in filled if one.state == "failed")
    changed = any(one.state != "unchanged" for one in filled)
    return Summary(
        shop=settings.name, period=" – ".join(dict.fromkeys([filled[0].label, filled[-1].label])),
        state="failed" if failed else "done" if changed else "unchanged", failed=failed, seconds=seconds,
        many=True, link=str(settings.reports_folder / "index.html"))


def of_refusal(settings: Settings, error: BaseException, seconds: float) -> Summary:
    """Of a run that broke off."""
    what = error.what if isinstance(error, WorkbookError) else f"{type(error).__name__}: {error}"
    return Summary(shop=settings.name, period="", state="refused", error=told(what, settings), seconds=seconds)


def _figures(findings: dict[str, dict[str, Finding]], before: dict[str, dict[str, Finding]]) -> tuple[Figure, ...]:
    figures = []
    for headline in HEADLINES:
        now = findings.get(headline.chapter, {}).get(headline.name)
        if now is not None and now.value is not None and headline.key in METRICS:
            then = before.get(headline.chapter, {}).get(headline.name)
            then = then or findings[headline.chapter].get(f"{headline.name}_before")
            figures.append(Figure(headline.key, now, then if then is not None and then.value is not None else None))
    return tuple(figures)


def _link(settings: Settings, rendered: Rendered) -> str:
    if settings.notify.link and rendered.kept is None:
        return settings.notify.link.replace("{period}", rendered.folder.name)
    return str(rendered.index)


def _restated(folder: Path) -> tuple[str, ...]:
    """The figures that a report tells otherwise than it was told before."""
    file = folder / FILE
    record = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"figures": []}
    return tuple(f"{one['chapter']}.{one['name']}" for one in record["figures"])
