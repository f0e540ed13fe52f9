"""The verdict of a period, from its findings: numbers for the sentence that words.verdict makes."""

from __future__ import annotations

from workbook.data.findings import Finding
from workbook.data.periods import Period
from workbook.output import cards
from workbook.output.pages.headlines import Reading
from workbook.output.words import verdict as words

CHAPTER, NAME = "03_profiling", "net_revenue"


def verdict_of(reading: Reading) -> words.Verdict:
    """Net revenue of the period beside the one before, the year before and the target."""
    now, beside = reading.of(CHAPTER, NAME), reading.company(CHAPTER, NAME)
    if now is None or now.value is None:
        return words.Verdict(None, None, None, False, None, reading.whole)
    occasions = reading.of(CHAPTER, "occasions_aligned")
    return words.Verdict(
        float(now.value), _change(now, beside.before, beside.noise), _change(now, beside.year_ago, beside.year_noise),
        occasions is not None and bool(occasions.value), beside.target, reading.whole)


def sentence(reading: Reading, period: Period) -> str:
    """One sentence; of a run without chapter 03, what the cleaned records say."""
    cleaned = reading.of("02_cleaning", NAME)
    if reading.of(CHAPTER, NAME) is None and cleaned is not None and cleaned.value is not None:
        return words.on_record(float(cleaned.value), period)
    return words.sentence(verdict_of(reading), period)


def _change(now: Finding, then: Finding | None, noise: Finding | None) -> words.Change | None:
    if then is None or not cards.is_number(then.value) or not then.value:
        return None
    share = (float(now.value or 0) - float(then.value)) / abs(float(then.value))
    return words.Change(share, cards.exceeds(now, then, noise))
