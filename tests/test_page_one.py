"""Page one and the list of periods: what each card says in each state, one screen, trends, one language a page.

Findings are small dictionaries made here; what notebooks find is tested with their chapters.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup, Tag

from workbook.data import publications
from workbook.data.findings import Finding, write_findings
from workbook.data.metrics import METRICS
from workbook.data.notebooks import read_notebooks
from workbook.data.periods import containing, period_of
from workbook.data.settings import Settings, load_settings
from workbook.output import cards, i18n
from workbook.output.pages import advice, bridge, trends, verdict
from workbook.output.pages.body import body_of, read_ahead
from workbook.output.pages.headlines import HEADLINES, Reading, headline_cards
from workbook.output.pages.key_figures import KEY_FIGURES, key_figures
from workbook.output.pages.report import write_pages

SETTINGS = """
name: Corner shop
currency: EUR
languages: [en, zh]
targets: {net_revenue: 900, active_customers: 50, value_at_risk: 400}
sources: [{table: orders, path: orders.csv, columns: {a: order_id, b: amount, c: ordered_at}}]
"""
Found = dict[str, dict[str, Finding]]
PROFILE = {
    "net_revenue": Finding(1000.0, "money"), "net_revenue_before": Finding(800.0, "money"),
    "net_revenue_noise": Finding(150.0, "money"), "net_revenue_year_ago": Finding(950.0, "money"),
    "net_revenue_year_noise": Finding(160.0, "money"), "margin": Finding(0.30, "share"),
    "margin_before": Finding(0.32, "share"), "margin_noise": Finding(0.03, "share"),
    "active_customers": Finding(40, "customers"), "active_customers_before": Finding(41, "customers"),
    "active_customers_year_ago": Finding(None, "customers", reason="no_year_ago"),
    "new_customers": Finding(7, "customers"), "new_customers_before": Finding(None, "customers", reason="no_previous"),
    "second_purchase_rate_90d": Finding(0.4, "share", 0.3, 0.5, 120),
    "revenue_change": Finding(200.0, "money"),
    "change_customers": Finding(-50.0, "money"), "change_orders_per_customer": Finding(150.0, "money"),
    "change_basket": Finding(90.0, "money"), "change_units": Finding(100.0, "money"),
    "change_discount": Finding(-10.0, "money"), "change_anonymous": Finding(10.0, "money"),
}  # fmt: skip


@pytest.fixture
def shop(tmp_path: Path) -> Settings:
    file = tmp_path / "workbook.yaml"
    file.write_text(SETTINGS, encoding="utf-8")
    i18n.use("en", "EUR")
    return load_settings(file)


def reading(shop: Settings, found: Found, published: Found | None = None, *, whole: bool = True) -> Reading:
    return Reading(found, published or {}, {"03_profiling": "done", "08_churn": "done"}, shop, whole)


def profiled(**changes: Finding) -> Found:
    return {"03_profiling": PROFILE | changes}


def lines(card: str) -> dict[str, str]:
    """The lines of a card: against what → what is said."""
    soup = BeautifulSoup(card, "html.parser")
    return {str(row.dt.get_text()): row.dd.get_text(" ", strip=True) for row in soup.select("dl.wb-beside > div")}


def card_of(name: str, reading: Reading) -> str:
    place = next(i for i, headline in enumerate(HEADLINES) if headline.name == name)
    return str(headline_cards(reading)[place])


# --- cards ----------------------------------------------------------------------------------------


def test_a_card_says_before_last_year_target_and_noise(shop: Settings) -> None:
    told = lines(card_of("net_revenue", reading(shop, profiled())))
    assert told == {
        "Before": "▲ +25.0% €800.00 more than noise", "Last year": "▲ +5.3% €950.00 within noise",
        "Target": "✓ met €900.00"}


def test_a_change_is_more_than_noise_only_beyond_it() -> None:
    now, noise = Finding(110.0, "money"), Finding(10.0, "money")
    assert cards.exceeds(now, Finding(100.0, "money"), noise) is False, "at the edge chance still reaches"
    assert cards.exceeds(now, Finding(99.9, "money"), noise) is True
    assert cards.exceeds(Finding(90.0, "money"), Finding(101.0, "money"), noise) is True, "downwards too"
    assert cards.exceeds(now, Finding(99.9, "money"), Finding(None, "money", reason="too_few")) is None
    assert cards.exceeds(now, Finding(99.9, "money"), None) is None


def test_what_was_first_published_goes_before_what_is_found_today(shop: Settings) -> None:
    published = {"03_profiling": {"net_revenue": Finding(500.0, "money")}}
    assert lines(card_of("net_revenue", reading(shop, profiled(), published)))["Before"].startswith("▲ +100.0% €500")


@pytest.mark.parametrize(("name", "line", "said"), [
    ("active_customers", "Target", "✗ missed 50"), ("active_customers", "Last year", "no records of a year ago"),
    ("active_customers", "Before", "▼ −2.4% 41 noise not tested"),
    ("new_customers", "Before", "no earlier period to compare with"), ("new_customers", "Target", "none set"),
    ("new_customers", "Last year", "no report of a year ago"),
    ("second_purchase_rate_90d", "Before", "the period before has not been rendered"),
])  # fmt: skip
def test_what_cannot_be_compared_is_said_in_words(shop: Settings, name: str, line: str, said: str) -> None:
    assert lines(card_of(name, reading(shop, profiled())))[line] == said


def test_less_at_risk_meets_the_target(shop: Settings) -> None:
    for value, said in ((399.0, "✓ met"), (401.0, "✗ missed")):
        found = {"08_churn": {"value_at_risk": Finding(value, "money", evidence="assumed")}}
        card = card_of("value_at_risk", reading(shop, found))
        assert lines(card)["Target"].startswith(said) and "Assumed" in card


def test_a_target_means_the_shop_unless_it_names_a_chapter(shop: Settings) -> None:
    targets = {"active_customers": Decimal(50), "08_churn.active_customers": Decimal(9)}
    asked = [cards.company(chapter, "active_customers", {}, {}, targets).target for chapter in (
        "03_profiling", "08_churn", "04_rfm")]
    assert asked == [50.0, 9.0, None]


def test_a_period_that_is_not_over_is_not_compared(shop: Settings) -> None:
    open_period = reading(shop, profiled(), whole=False)
    for name in ("net_revenue", "active_customers"):
        card = card_of(name, open_period)
        assert lines(card) == {"": "The period is not over: not compared."}
        assert not re.search(r"[▲▼]|noise|met|missed", card)
    assert verdict.sentence(open_period, period_of("2026-06-20")).endswith("is not over, so that it is not compared.")
    assert bridge.not_there([], open_period) == ["The period is not over: what moved it is told when it is."]


def test_the_margin_stands_in_the_card_of_revenue(shop: Settings) -> None:
    aside = BeautifulSoup(card_of("net_revenue", reading(shop, profiled())), "html.parser").select_one(".wb-aside")
    assert isinstance(aside, Tag) and aside["data-figure"] == "03_profiling.margin"
    assert aside.get_text(" ", strip=True) == "Margin 30.0% ▼ −2.0 points, within noise"


@pytest.mark.parametrize(("chapter", "finding", "why"), [
    ("08_churn", {}, "chapter 08 did not find it"),
    ("08_churn", {"value_at_risk": Finding(None, "money", reason="too_few")}, "too few customers or purchases"),
    ("08_churn", {"value_at_risk": Finding(None, "money", reason="of_another_kind")}, "the records do not allow it"),
])  # fmt: skip
def test_what_has_no_value_is_a_sentence_in_its_place(
    shop: Settings, chapter: str, finding: dict[str, Finding], why: str
) -> None:
    card = card_of("value_at_risk", reading(shop, {chapter: finding}))
    text = BeautifulSoup(card, "html.parser").get_text(" ", strip=True)
    assert "Not measured yet:" in text and why in text
    assert "says what it needs" in text or "add it" in text
    assert "wb-value" not in card


def test_costs_that_are_not_known_are_asked_for(shop: Settings) -> None:
    found = profiled() | {"06_clv": {"acquisition_cost_per_customer": Finding(None, "money", reason="no_costs")}}
    card = card_of("new_customers", reading(shop, found))
    assert "Not measured yet:" in card and "<code>channel_costs</code>" in card


def test_satisfaction_waits_for_its_chapter_and_shows_when_it_is_there(shop: Settings) -> None:
    assert "no chapter reads them so far" in card_of("satisfaction", reading(shop, {}))
    found = {"10_satisfaction": {"satisfaction": Finding(0.81, "share", 0.78, 0.84, 640)}}
    card = card_of("satisfaction", reading(shop, found))
    assert "81.0%" in card and "78.0% to 84.0% · n = 640" in card


def test_every_card_can_be_linked_to(shop: Settings) -> None:
    soup = BeautifulSoup("".join(headline_cards(reading(shop, profiled()))), "html.parser")
    keys = [card["data-figure"] for card in soup.select(".wb-figure")]
    assert keys == [headline.key for headline in HEADLINES] == [card["id"] for card in soup.select(".wb-figure")]
    assert len(soup.select(".wb-figure")) == 6


# --- verdict and bridge -----------------------------------------------------------------------------


def test_the_verdict_is_one_sentence_with_both_comparisons(shop: Settings) -> None:
    found = profiled(occasions_aligned=Finding("618", "text", n=20))
    assert verdict.sentence(reading(shop, found), period_of("2026-06")) == (
        "The shop took €1,000 net of returns in June 2026: +25.0% against the period before, more than chance moves; "
        "+5.3% against the year before, feasts and promotions aligned, no more than chance moves; the target of "
        "€900.00 is met.")
    first = {"03_profiling": {"net_revenue": Finding(700.0, "money")}}
    assert verdict.sentence(reading(shop, first), period_of("2026-06")) == (
        "The shop took €700.00 net of returns in June 2026: there is no year before to compare with; the target of "
        "€900.00 is missed by €200.00.")


def test_the_bridge_adds_up_and_opens_the_worth_of_an_order_once(shop: Settings) -> None:
    made = bridge.revenue(PROFILE, "May", "June")
    assert made is not None
    assert [(step.label, step.amount) for step in made.steps] == [
        ("May", "€800"), ("Number of customers", "−€50.00"), ("Orders per customer", "+€150"),
        ("Units per order", "+€100"), ("Discounts", "−€10.00"), ("Anonymous sales", "+€10.00"), ("June", "€1,000")]
    ends = [(step.left, step.right) for step in made.steps]
    assert ends[-1][1] == pytest.approx(ends[-2][1]), "the last step ends where the new total ends"
    assert ends[1][1] == pytest.approx(ends[0][1]) and ends[1][0] < ends[0][1], "a loss goes back from the old total"
    assert all(0 <= left <= right <= 1 for left, right in ends)
    assert made.told.startswith("What moved net revenue: May €800; Number of customers −€50.00")


def test_small_steps_between_large_totals_are_seen_and_the_cut_axis_is_said(shop: Settings) -> None:
    found = {"net_revenue_before": Finding(1000.0, "money"), "net_revenue": Finding(1010.0, "money"),
             "change_customers": Finding(30.0, "money"), "change_basket": Finding(-20.0, "money")}
    made = bridge.revenue(found, "May", "June")
    assert made is not None and made.begins == "Bars begin at €980.00."
    assert made.steps[1].right - made.steps[1].left > 0.3


def test_a_bridge_without_parts_is_a_sentence(shop: Settings) -> None:
    found = {"03_profiling": {"net_revenue": Finding(1.0, "money")}}
    assert bridge.revenue(found["03_profiling"], "May", "June") is None
    told = bridge.not_there([], reading(shop, found))
    assert len(told) == 2 and all(text.startswith("Not measured yet:") for text in told)


# --- what comes next --------------------------------------------------------------------------------


def test_next_steps_carry_their_worth_and_grade(shop: Settings) -> None:
    found = {
        "04_rfm": {"break_even_rate": Finding(0.02, "share"), "response_loyal": Finding(0.2, "share", 0.1, 0.3, 90),
                   "response_new": Finding(0.03, "share", 0.01, 0.06, 90),
                   "segment_loyal_customers": Finding(120, "customers")},
        "07_ab_testing": {"experiments_shipped": Finding(1, "number"),
                          "worth_a_year": Finding(5000.0, "money", 1000.0, 9000.0, evidence="randomised")},
        "08_churn": {"listed_customers": Finding(12, "customers"),
                     "profit_expected": Finding(340.4, "money", 90.0, 600.0, evidence="assumed")},
    }  # fmt: skip
    told = [(step.text, step.worth, BeautifulSoup(step.badge, "html.parser").get_text()) for step in
            advice.next_steps(reading(shop, found))]
    assert told == [
        ("Contact the 12 customers who are likely to leave and worth keeping",
         "expected profit €340 (€90.00 to €600)", "Assumed"),
        ("Write to Loyal (120 customers)", "Loyal: 20% bought again; a letter pays from 2.0%", "Observed"),
        ("Keep the 1 change that its experiment confirmed", "€5,000 (€1,000 to €9,000) a year", "Randomised")]
    assert advice.next_steps(reading(shop, {})) == []


def test_decisions_without_any_say_how_to_register_one(shop: Settings) -> None:
    for found in ({}, {"07_ab_testing": {"decisions_registered": Finding(0, "number")}}):
        [told] = advice.earned(reading(shop, found))
        assert "`workbook export LIST" in told.text


def test_what_decisions_earned_is_told_with_interval_and_grade(shop: Settings) -> None:
    registered = {"decisions_registered": Finding(3, "number"), "decisions_running": Finding(2, "number"),
                  "decisions_unjudged": Finding(1, "number"), "decisions_cancelled": Finding(0, "number"),
                  "programme_earned": Finding(None, "money", reason="not_over")}
    running = advice.earned(reading(shop, {"07_ab_testing": registered}))
    assert [told.text for told in running] == [
        "No decision is settled yet: 2 are running, 1 is over and cannot be judged."]
    settled = registered | {
        "decisions_settled": Finding(2, "number"), "control_contacted": Finding(1, "customers"),
        "programme_earned": Finding(250.0, "money", -40.0, 540.0, evidence="randomised")}
    told = advice.earned(reading(shop, {"07_ab_testing": settled}))
    assert [one.text for one in told] == [
        "To date: 2 settled decisions, €250 (−€40.00 to €540) after cost.",
        "1 customer of a control was contacted all the same."]
    assert "Randomised" in told[0].badge


@pytest.mark.parametrize(("came", "said"), [(1000.0, "inside"), (1300.0, "outside")])
def test_the_last_forecast_is_held_against_what_came(shop: Settings, came: float, said: str) -> None:
    found = profiled(
        net_revenue=Finding(came, "money"), last_forecast_net_revenue=Finding(900.0, "money", 700.0, 1200.0),
        next_net_revenue=Finding(1100.0, "money", 800.0, 1400.0, 9, evidence="observed"),
        forecast_coverage=Finding(0.9, "share", n=10))
    ahead, last = advice.outlook(reading(shop, found), "July 2026", "June 2026")
    assert ahead.text == "July 2026: €1,100 expected, between €800 and €1,400." and "Observed" in ahead.badge
    assert f": {said}. 90% of 10 forecasts held." in last.text


def test_without_a_forecast_the_reason_is_said(shop: Settings) -> None:
    found = profiled(next_net_revenue=Finding(None, "money", reason="too_short"))
    [told] = advice.outlook(reading(shop, found), "July 2026", "June 2026")
    assert "the record is too short. More periods on record add it." in told.text


# --- the pages, and the list of periods -------------------------------------------------------------


def report_of(shop: Settings, label: str, found: Found, *, state: str = "done", folder: str = "") -> Path:
    """A rendered period with these findings, without notebooks."""
    place = shop.reports_folder / (folder or label)
    (place / "en").mkdir(parents=True)
    period = period_of(label, shop.period)
    outcome = {"chapter": "03_profiling", "state": state, "seconds": 1.0, "error": "ValueError: x", "because": []}
    record = {"shop": shop.name, "period": label, "as_of": period.end.isoformat(), "version": "1", "engine": "duckdb",
              "rendered_at": "2026-07-02T10:00:00+00:00", "languages": ["en", "zh"], "outcomes": [outcome]}
    (place / "run.json").write_text(json.dumps(record), encoding="utf-8")
    for chapter, named in found.items():
        write_findings(place / f"{chapter}.json", named)
    parts = {chapter: json.loads((place / f"{chapter}.json").read_text("utf-8")) for chapter in found}
    (place / "findings.json").write_text(json.dumps(parts), encoding="utf-8")
    return place


def periods_page(shop: Settings, lang: str = "en") -> BeautifulSoup:
    trends.write_list(shop)
    return BeautifulSoup((shop.reports_folder / f"{lang}.html").read_text(encoding="utf-8"), "html.parser")


def test_one_period_is_a_point_and_says_that_a_line_needs_two(shop: Settings) -> None:
    report_of(shop, "2026-06", profiled())
    soup = periods_page(shop)
    picture = soup.select_one('[data-figure="03_profiling.net_revenue"] svg')
    assert isinstance(picture, Tag) and len(picture.select("circle")) == 1 and not picture.select("line")
    assert picture["aria-label"] == "Net revenue, June 2026: €1,000."
    assert "One period so far: a line needs two." in soup.get_text()
    assert [row.a["href"] for row in soup.select("tbody th")] == ["2026-06/en/index.html"]


def test_forty_periods_are_a_line_each_and_a_row_each_newest_first(shop: Settings) -> None:
    period, values = containing(period_of("2023-01").start), [100.0 + 5 * (i % 7) for i in range(40)]
    for value in values:
        report_of(shop, period.label, profiled(net_revenue=Finding(value, "money")))
        period = period.next()
    soup = periods_page(shop)
    picture = soup.select_one('[data-figure="03_profiling.net_revenue"] svg')
    assert isinstance(picture, Tag) and len(picture.select("line")) == 39 and len(picture.select("circle")) == 1
    assert not picture.select("line[stroke-dasharray]"), "every period is over, and none is missing"
    heights = [float(line["y1"].rstrip("%")) for line in picture.select("line")]
    assert max(heights) == heights[0] and min(heights) == heights[6], "the lowest value lies lowest"
    assert "Axis from €100.00 to €130.00" in soup.get_text()
    assert picture["aria-label"].endswith("€100.00 at first, €120.00 at last, between €100.00 and €130.00.")
    names = [row.a.get_text() for row in soup.select("tbody th")]
    assert len(names) == 40 and names[0] == "April 2026" and names[-1] == "January 2023"


def test_gaps_and_periods_that_are_not_over_are_drawn_apart(shop: Settings) -> None:
    for label in ("2026-02", "2026-03", "2026-05", "2026-06-20"):
        report_of(shop, label, profiled())
    soup = periods_page(shop)
    picture = soup.select_one('[data-figure="03_profiling.net_revenue"] svg')
    assert isinstance(picture, Tag)
    assert [line.has_attr("stroke-dasharray") for line in picture.select("line")] == [False, True, True]
    assert [circle["fill"] for circle in picture.select("circle")] == ["#fff"]
    first = soup.select_one("tbody tr")
    assert isinstance(first, Tag) and "partial period" in first.get_text() and "not over: not compared" in first.text


def test_a_refit_of_a_frozen_rule_is_marked_once(shop: Settings) -> None:
    days = {"2026-03": "2025-06-30", "2026-04": "2025-06-30", "2026-05": "2025-12-31", "2026-06": "2025-12-31"}
    for label, day in days.items():
        report_of(shop, label, profiled() | {"04_rfm": {
            "cuts_from": Finding(day, "date"), "cuts_provisional": Finding(False, "flag")}})
    soup = periods_page(shop)
    marks = soup.select('[data-figure="03_profiling.net_revenue"] svg line title')
    assert [mark.get_text() for mark in marks] == ["RFM cuts fitted anew"]
    assert [row.th.a.get_text() for row in soup.select("tbody tr") if row.select(".refit")] == ["May 2026"]


def test_rules_that_still_move_are_no_refit(shop: Settings) -> None:
    for label, day in {"2026-05": "2026-05-31", "2026-06": "2026-06-30"}.items():
        report_of(shop, label, profiled() | {"04_rfm": {
            "cuts_from": Finding(day, "date"), "cuts_provisional": Finding(True, "flag")}})
    assert not periods_page(shop).select(".refit")


def test_states_and_files_of_each_report_are_listed(shop: Settings) -> None:
    report_of(shop, "2026-04", {}, state="failed")
    (report_of(shop, "2026-05", profiled()) / "restatement.json").write_text("{}")
    report_of(shop, "2026-05", {}, state="failed", folder="2026-05.failed")
    (report_of(shop, "2026-06", profiled()) / "en" / "report.pdf").write_text("x")
    soup = periods_page(shop)
    marks = [[mark.get_text() for mark in row.select(".state")] for row in soup.select("tbody tr")]
    assert marks == [["draft"], ["draft", "restated", "a later attempt failed"], ["failed"]]
    assert [(link.get_text(), link["href"]) for link in soup.select(".files a")] == [("PDF", "2026-06/en/report.pdf")]
    for link in soup.find_all("a", href=True):
        target = link["href"].split("#")[0]
        assert not target or target.startswith("2026-04") or (
            shop.reports_folder / target.replace("/en/index.html", "")).exists()


def test_the_list_shows_what_was_first_published_and_who_approved(shop: Settings) -> None:
    folder = report_of(shop, "2026-06", profiled())
    first = json.loads((folder / "findings.json").read_text(encoding="utf-8"))
    publications.keep_first(shop, publications.Made("2026-06", "1", first, {}))
    changed = {"03_profiling": first["03_profiling"] | {"net_revenue": {"value": 1234.0, "unit": "money"}}}
    (folder / "findings.json").write_text(json.dumps(changed), encoding="utf-8")
    publications.keep_approval(shop, publications.Made("2026-06", "1", changed, {}), by="Ming", comment="")
    row = periods_page(shop).select_one("tbody tr")
    assert isinstance(row, Tag) and [mark.get_text() for mark in row.select(".state")] == ["approved"]
    revenue = row.select_one('td[data-figure="03_profiling.net_revenue"]')
    assert isinstance(revenue, Tag) and revenue.get_text() == "€1,000"


def test_a_folder_that_is_no_period_is_left_out(shop: Settings) -> None:
    report_of(shop, "2026-06", profiled())
    (shop.reports_folder / "notes").mkdir()
    (shop.reports_folder / "notes" / "run.json").write_text("{}")
    assert len(periods_page(shop).select("tbody tr")) == 1


def test_an_empty_workspace_has_no_list(shop: Settings) -> None:
    shop.reports_folder.mkdir(exist_ok=True)
    assert trends.write_list(shop) is None and not list(shop.reports_folder.iterdir())


def test_cards_of_a_chapter_are_made_anew_and_can_be_linked_to(shop: Settings, tmp_path: Path) -> None:
    """What a card is compared with may be found after it was shown, or published after the notebook ran."""
    shown = cards.figure_card("03_profiling", "net_revenue", Finding(1000.0, "money"))
    assert "more than noise" not in shown
    output = nbformat.v4.new_output("display_data", {"text/html": f"<div>{shown}{shown}</div>", "text/plain": "x"})
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("figures()", outputs=[output])])
    nbformat.write(book, tmp_path / "book.ipynb")
    here = reading(shop, profiled())
    body = body_of(tmp_path / "book.ipynb", lambda chapter, name: cards.figure_card(
        chapter, name, PROFILE[name], here.company(chapter, name)))
    assert body.html.count("more than noise") == 2 and body.anchors == ("03_profiling.net_revenue",)
    assert body.html.count('id="03_profiling.net_revenue"') == 1
    kept = body_of(tmp_path / "book.ipynb", lambda _chapter, _name: None)
    assert kept.html.count("has not been rendered") == 2, "without a finding the notebook's own card stays"


def test_a_notebook_read_ahead_makes_the_same_page_and_one_that_ran_again_is_read_again(tmp_path: Path) -> None:
    def write(said: str) -> Path:
        output = nbformat.v4.new_output("stream", text=said)
        book = nbformat.v4.new_notebook(cells=[
            nbformat.v4.new_markdown_cell("## Found"), nbformat.v4.new_code_cell("say()", outputs=[output])])
        nbformat.write(book, tmp_path / "book.ipynb")
        return tmp_path / "book.ipynb"

    at_once = body_of(write("first"), lambda _chapter, _name: None)
    read_ahead(tmp_path / "book.ipynb")
    assert body_of(tmp_path / "book.ipynb", lambda _chapter, _name: None) == at_once
    assert at_once.contents == [("section-1", "Found")] and "first" in at_once.html
    read_ahead(tmp_path / "book.ipynb")
    assert "second" in body_of(write("second"), lambda _chapter, _name: None).html


def test_a_figure_without_an_aligned_year_is_seen_beside_last_year_s_report(shop: Settings) -> None:
    found = {"08_churn": {"value_at_risk": Finding(500.0, "money"), "listed_customers": Finding(None, reason="x")}}
    here = reading(shop, found)._replace(year={"08_churn": {"value_at_risk": Finding(400.0, "money")}})
    [(key, card)] = key_figures(here, "08_churn").items()
    assert key == "08_churn.value_at_risk" and lines(card)["Last year"] == "▲ +25.0% €400.00"
    aligned = reading(shop, profiled())._replace(year={"03_profiling": {"net_revenue": Finding(1.0, "money")}})
    assert lines(card_of("net_revenue", aligned))["Last year"].startswith("▲ +5.3% €950"), "what was aligned goes first"


def test_key_figures_are_figures_that_chapters_define() -> None:
    assert {f"{chapter}.{name}" for chapter, names in KEY_FIGURES.items() for name in names} - METRICS.keys() == set()


# --- looked at in a browser, and read for its language ----------------------------------------------


def everything() -> Found:
    """What a shop with all chapters finds, with long numbers."""
    shift = {"customers": 175064, "orders_per_customer": 59736, "basket": 1, "units": -3006, "price": 1688,
             "mix": 34003, "discount": -73383, "returns": -2522, "anonymous": 18519}
    margin = {"volume": 62800, "price": -1200, "mix": -8000, "discount": -59000, "returns": -2100, "cost": -2500}
    profile: dict[str, Finding] = {
        name: Finding(float(value), "money") for name, value in {
            "net_revenue": 1092996, "net_revenue_before": 882897, "net_revenue_year_ago": 972005,
            "net_revenue_noise": 142000, "revenue_change": 210099, "net_revenue_year_noise": 151000,
            "margin_amount_before": 264000, "margin_amount": 254000}.items()}
    profile |= {f"change_{name}": Finding(float(value), "money") for name, value in shift.items()}
    profile |= {f"margin_change_{name}": Finding(float(value), "money") for name, value in margin.items()}
    for name, values in {"active_customers": (3740, 3100, 3520, 310), "new_customers": (730, 720, 810, 165)}.items():
        for ending, value in zip(("", "_before", "_year_ago", "_noise"), values, strict=True):
            profile[name + ending] = Finding(value, "customers")
        profile[f"{name}_year_noise"] = Finding(values[3], "customers")
    for name in ("margin", "second_purchase_rate_90d"):
        for ending, value in {"": 0.4663, "_before": 0.4573, "_year_ago": 0.4412, "_noise": 0.02}.items():
            profile[name + ending] = Finding(value, "share")
        profile[f"{name}_year_noise"] = Finding(0.02, "share")
    profile["second_purchase_rate_90d"] = Finding(0.4663, "share", 0.4341, 0.4989, 9070)
    profile["occasions_aligned"] = Finding("618", "text", n=20)
    profile["next_net_revenue"] = Finding(982000.0, "money", 813000.0, 1174000.0, 14, evidence="observed")
    profile["last_forecast_net_revenue"] = Finding(1012000.0, "money", 841000.0, 1219000.0)
    profile["forecast_coverage"] = Finding(0.929, "share", n=14)
    decided = {name: Finding(n, "number") for name, n in (
        ("decisions_registered", 4), ("decisions_running", 2), ("decisions_settled", 2), ("decisions_settled_now", 1))}
    earned = {name: Finding(24100.0, "money", -3100.0, 45100.0, evidence="randomised") for name in (
        "programme_earned", "programme_earned_now")}
    segments = ("champions", "loyal", "promising", "slowing", "new", "occasional", "one_time_gone")
    return {
        "01_collection": {"newest_sale": Finding("2026-07-07", "date"), "rows_quarantined": Finding(29, "rows")},
        "02_cleaning": {"identified_revenue_share": Finding(0.951, "share"), "gates_passed": Finding(10, "gates"),
                        "gates_total": Finding(10, "gates")},
        "03_profiling": profile,
        "04_rfm": {"break_even_rate": Finding(0.0195, "share")} | {
            f"response_{code}": Finding(0.6, "share", 0.55, 0.65, 346) for code in segments} | {
            f"segment_{code}_customers": Finding(3320, "customers") for code in segments},
        "06_clv": {f"acquisition_cost_per_customer{ending}": Finding(value, "money") for ending, value in {
            "": 48.2, "_before": 41.9, "_noise": 9.4}.items()},
        "07_ab_testing": decided | earned | {
            "experiments_shipped": Finding(2, "number"), "decisions_forecast_inside": Finding(0.5, "share", n=2),
            "control_contacted": Finding(3, "customers"),
            "worth_a_year": Finding(77820.0, "money", -272156.0, 427797.0, evidence="randomised")},
        "08_churn": {
            "value_at_risk": Finding(499977.0, "money", 403670.0, 596290.0, 4870, evidence="assumed"),
            "value_at_risk_before": Finding(461000.0, "money"), "value_at_risk_noise": Finding(52000.0, "money"),
            "listed_customers": Finding(4870, "customers"), "exposure_overdue": Finding(57234.0, "money", n=120),
            "profit_expected": Finding(28075.0, "money", 17338.0, 39846.0, evidence="assumed")},
    }  # fmt: skip


def without_costs() -> Found:
    unknown = {"acquisition_cost_per_customer": Finding(None, "money", reason="no_costs")}
    return everything() | {"06_clv": unknown}


@pytest.mark.parametrize("found", [everything(), without_costs(), {}], ids=["everything", "no_costs", "nothing"])
def test_page_one_fits_one_screen(shop: Settings, browser: Any, found: Found) -> None:
    """Down to the trust strip, at 1280 by 900, in both languages; and a single column on a telephone."""
    folder = report_of(shop, "2026-06", found)
    write_pages(folder, shop)
    for lang in ("en", "zh"):
        opened = browser.new_page(viewport={"width": 1280, "height": 900})
        opened.goto((folder / lang / "index.html").as_uri())
        bottom = opened.evaluate("document.querySelector('.trust').getBoundingClientRect().bottom")
        assert 300 < bottom <= 900, f"{lang}: the trust strip ends at {bottom} px"
        assert opened.evaluate(OVERLAPS) == []
        opened.set_viewport_size({"width": 390, "height": 844})
        assert opened.evaluate("document.documentElement.scrollWidth") <= 390
        assert opened.evaluate(OVERLAPS) == []
        columns = opened.evaluate("new Set([...document.querySelectorAll('.wb-figure')].map(e => e.offsetLeft)).size")
        assert columns == 1
        opened.close()


# Words of a card that lie upon each other, or beyond its edge.
OVERLAPS = """[...document.querySelectorAll('.wb-figure')].flatMap(card => {
    const edge = card.getBoundingClientRect();
    const parts = [...card.querySelectorAll('h3 a, .wb-value, .wb-rests, .wb-aside, .wb-beside dt, .wb-beside span')]
        .filter(e => e.textContent.trim()).map(e => {
            const range = document.createRange(); range.selectNodeContents(e);
            return [e, range.getBoundingClientRect()]; });
    const out = parts.filter(([e, r]) => r.right > edge.right || r.bottom > edge.bottom).map(([e]) => e.outerHTML);
    const pairs = parts.flatMap(([a, p], i) => parts.slice(i + 1).filter(([b, q]) => !a.contains(b) && !b.contains(a)
        && p.left < q.right - 1 && q.left < p.right - 1 && p.top < q.bottom - 3 && q.top < p.bottom - 3)
        .map(([b]) => a.textContent + ' / ' + b.textContent));
    return [...out, ...pairs]; })"""

ENGLISH = re.compile(r"(?:\b[A-Za-z][a-z’'-]*[ ,;:]+){2,}[A-Za-z][a-z’'-]+")
CHINESE = re.compile(r"[\u3400-\u9fff，。；：、（）]{2,}")
NAMES = re.compile(r"workbook export LIST --action … --owner … --cost …|workbook render|Corner shop|中文|English")


@pytest.mark.parametrize("found", [everything(), {}, profiled()], ids=["everything", "nothing", "some"])
def test_each_page_speaks_one_language(shop: Settings, found: Found) -> None:
    folder = report_of(shop, "2026-06", found)
    report_of(shop, "2026-05-20", found)
    write_pages(folder, shop)
    trends.write_list(shop)
    for lang, foreign in (("en", CHINESE), ("zh", ENGLISH)):
        for page in (folder / lang / "index.html", shop.reports_folder / f"{lang}.html"):
            soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
            for unread in soup(["style", "code"]):
                unread.decompose()
            labels = [str(tag[name]) for tag in soup.find_all(True) for name in ("aria-label", "title", "alt")
                      if tag.get(name)]
            texts = NAMES.sub("", "\n".join([*soup.stripped_strings, *labels]))
            assert foreign.findall(texts) == [], page
    assert not {text for text in i18n.untranslated if "{" in text or " " in text}


def test_sentences_for_every_reason_have_their_chinese(shop: Settings) -> None:
    """Also those that no finding of these tests carries."""
    from workbook.output.words import cards as card_words
    from workbook.output.words import headlines as headline_words

    i18n.use("zh", "EUR")
    i18n.untranslated.clear()
    for reason in ("no_previous", "no_year_ago", "no_cost", "too_few", "partial", "no_new_customers", "else"):
        assert not ENGLISH.search(card_words.no_comparison(reason))
        absence = headline_words.absence("03_profiling", "net_revenue", "done", reason)
        assert not re.search(r"[a-z]{4,} [a-z]{3,}", absence.why + absence.how)
    assert i18n.untranslated == set()


def test_the_headlines_name_figures_that_chapters_define() -> None:
    chapters = {notebook.name for notebook in read_notebooks()}
    missing = {headline.key for headline in HEADLINES if headline.chapter in chapters} - METRICS.keys()
    assert missing == set()
