"""Value at risk on an earlier day: today's rule, what was known of the customers then, and what chance alone moves."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from workbook import churn
from workbook.output import i18n
from workbook.output.words import churn as words
from workbook.scoring import Z

TERMS = churn.Terms(1.0, 10.0, 0.3, "assumed")


def customers(seed: int, n: int = 600) -> pd.DataFrame:
    """Who has been silent for long leaves."""
    rng = np.random.default_rng(seed)
    silence = rng.uniform(0, 100, n)
    return pd.DataFrame({
        "customer_id": [f"c{i:04d}" for i in range(n)], "recency_days": silence,
        "tenure_days": rng.uniform(100, 900, n), "spend_12m": rng.gamma(1.0, 400.0, n),
        "churned": (rng.random(n) < 1 / (1 + np.exp(2.0 - 0.04 * silence))).astype(int)})  # fmt: skip


@pytest.fixture(scope="module")
def rule():
    """A model, its terms, and whom it lists today."""
    frames = [customers(seed) for seed in range(4)]
    trial = churn.fit_all(churn.Snapshots(*frames), kinds=("logistic", "hiatus", "base_rate"))
    money = churn.money(trial, TERMS, margin_share=0.3, rng=np.random.default_rng(2))
    return trial, frames[3], money, churn.warned(trial, frames[3], money, margin_share=0.3)


def earlier(rule, then: pd.DataFrame) -> churn.Earlier:
    trial, today, money, warned = rule
    return churn.at_risk_earlier(trial, today, then, money, warned, margin_share=0.3)


def test_the_same_customers_have_the_same_at_risk(rule) -> None:
    _trial, today, _money, warned = rule
    same = earlier(rule, today)
    assert same.value == pytest.approx(warned.listed["value_at_risk"].sum()) and same.noise == 0
    assert same.customers == len(warned.listed)


def test_each_customer_who_was_not_there_then_is_part_of_the_difference(rule) -> None:
    """Without the three most at risk: less by just theirs, and chance reaches 1.96 roots of their squares."""
    _trial, today, _money, warned = rule
    three = warned.listed.head(3)
    then = earlier(rule, today[~today["customer_id"].isin(three["customer_id"])])
    assert warned.listed["value_at_risk"].sum() - then.value == pytest.approx(three["value_at_risk"].sum())
    assert then.noise == pytest.approx(Z * np.sqrt((three["value_at_risk"] ** 2).sum()))


def test_lifetime_values_of_today_are_carried_back_in_the_ratio_of_margins(rule) -> None:
    trial, today, money, _warned = rule
    twice = pd.Series(2 * 0.3 * today["spend_12m"].to_numpy(), index=today["customer_id"])
    told = churn.warned(trial, today, money, margin_share=0.3, lifetime_values=twice)
    then = churn.at_risk_earlier(trial, today, today, money, told, margin_share=0.3)
    assert then.value == pytest.approx(told.listed["value_at_risk"].sum())


def test_a_year_ago_needs_twelve_months_before_it_and_says_so() -> None:
    assert churn.year_ago(date(2026, 6, 30), first_on=date(2024, 6, 30)) == date(2025, 6, 30)
    assert churn.year_ago(date(2026, 6, 30), first_on=date(2024, 7, 1)) is None
    assert churn.year_ago(date(2024, 2, 29), first_on=date(2020, 1, 1)) == date(2023, 2, 28)
    assert "less than twelve months before that day" in words.at_risk_a_year_ago(None, churn.NO_YEAR, None)


def test_the_page_says_whether_it_is_more_than_chance_and_why_no_feast_is_aligned() -> None:
    i18n.use("en", "EUR")
    found = SimpleNamespace(listed=pd.DataFrame({"value_at_risk": [60.0, 40.0]}))
    for then, judged in ((70.0, "more than chance"), (90.0, "no more than chance")):
        told = words.at_risk_a_year_ago(found, churn.Earlier(then, 20.0, 2), date(2025, 6, 30))
        assert f"€{then:.2f} was at risk on 30 Jun 2025, a year before; today it is **€100.00**: {judged}" in told
        assert "no feast can be aligned" in told
