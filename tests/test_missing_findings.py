"""Chapters may find only some of their figures: each page says so in a sentence, whichever figure is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbook.data.findings import Finding
from workbook.data.metrics import METRICS
from workbook.data.periods import period_of
from workbook.data.settings import Settings, load_settings
from workbook.output import i18n
from workbook.output.pages import advice, bridge, verdict
from workbook.output.pages.headlines import Reading, headline_cards
from workbook.output.pages.key_figures import key_figures
from workbook.output.pages.summaries import summary
from workbook.output.words import report as words

JUNE = period_of("2026-06")
RECORD = {"rendered_at": "2026-07-01T06:00:00+00:00", "version": "1", "engine": "duckdb"}
TEXTS = {"next_net_revenue_rule": "combined", "value_measured": "clv", "churn_horizon_source": "record",
         "newest_sale": "2026-06-30"}  # fmt: skip
EVERY = {key: Finding(TEXTS.get(key.split(".")[1], "x"), metric.unit) if metric.unit in ("text", "date")
         else Finding(3.0, metric.unit, 2.0, 4.0, 40) for key, metric in METRICS.items()}  # fmt: skip
CHAPTERS = sorted({key.split(".")[0] for key in EVERY})


def reading(shop: Settings, without: str = "") -> Reading:
    found: dict[str, dict[str, Finding]] = {chapter: {} for chapter in CHAPTERS}
    for key, finding in EVERY.items():
        if key != without:
            chapter, name = key.split(".")
            found[chapter][name] = finding
    return Reading(found, found, dict.fromkeys(CHAPTERS, "done"), shop, True)


def pages(here: Reading, chapters: list[str]) -> dict[str, str]:
    """What page one and the heads of some chapters say: place → text."""
    found = here.findings["03_profiling"]
    bridges = [one for one in (bridge.revenue(found, "May", "June"), bridge.margin(found, "May", "June")) if one]
    told = {chapter: summary(chapter, here) for chapter in chapters}
    told |= {f"cards of {chapter}": str(key_figures(here, chapter)) for chapter in chapters}
    return told | {
        "verdict": verdict.sentence(here, JUNE), "cards": str(headline_cards(here)),
        "bridges": str(bridges), "no bridge": str(bridge.not_there(bridges, here)),
        "steps": str(advice.next_steps(here)), "earned": str(advice.earned(here)),
        "outlook": str(advice.outlook(here, "July", "June")),
        "trust": str(words.trust(here.findings, RECORD, here.settings, JUNE))}


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    text = "name: Shop\ncurrency: EUR\nsources: [{table: orders, path: o.csv}]\n"
    (tmp_path / "workbook.yaml").write_text(text, encoding="utf-8")
    i18n.use("en", "EUR")
    return load_settings(tmp_path / "workbook.yaml")


def test_each_finding_may_be_missing(shop: Settings) -> None:
    whole = pages(reading(shop), CHAPTERS)
    assert all(whole[chapter] for chapter in CHAPTERS)
    gaps = {}
    for key in EVERY:
        chapter = key.split(".")[0]
        told = pages(reading(shop, without=key), [chapter])
        assert told[chapter] and told["verdict"] and told["outlook"]
        gaps |= {key: told[chapter]} if "“" in told[chapter] and told[chapter] != whole[chapter] else {}
    assert {"01_collection.rows_read", "02_cleaning.gates_passed", "03_profiling.active_customers",
            "08_churn.churn_horizon_days"} <= gaps.keys()


@pytest.mark.parametrize(("lang", "said"), [
    ("en", "Its figure “Rows kept” was not found in this run; the others are on its page."),
    ("zh", "本次运行没有得出其中的数字“保留行数”；其余数字见该章页面。")])
def test_the_sentence_names_the_figure_that_was_not_found(shop: Settings, lang: str, said: str) -> None:
    i18n.use(lang, "EUR")
    assert summary("02_cleaning", reading(shop, without="02_cleaning.rows_kept")) == said
