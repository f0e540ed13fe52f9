"""What a chapter comes down to: a few of its figures beside earlier periods, at the head of its page.

A chapter whose notebook shows cards of its own needs none.
"""

from __future__ import annotations

from markupsafe import Markup

from workbook.output import cards
from workbook.output.pages.headlines import Reading

KEY_FIGURES = {
    "01_collection": ("rows_kept", "rows_quarantined", "revenue_identified_share"),
    "02_cleaning": ("rows_removed", "identified_revenue_share", "returned_share", "unmatched_returns_amount"),
    "04_rfm": ("segment_champions_customers", "segment_at_risk_customers", "moved_share"),
    "05_clustering": ("groups", "explained_share", "stability"),
    "06_clv": ("lifetime_value", "expected_spend", "acquisition_cost_per_customer"),
    "07_ab_testing": ("experiments_judged", "worth_a_year", "programme_earned"),
    "08_churn": ("value_at_risk", "listed_customers", "churn_rate"),
}


def key_figures(reading: Reading, chapter: str) -> dict[str, Markup]:
    """Figure (chapter.finding) → its card, of those that the chapter found a value for."""
    found = reading.findings.get(chapter, {})
    names = [name for name in KEY_FIGURES.get(chapter, ()) if name in found and found[name].value is not None]
    return {
        f"{chapter}.{name}": Markup(cards.figure_card(
            chapter, name, found[name], reading.company(chapter, name), behind=True, anchor=True))
        for name in names}
