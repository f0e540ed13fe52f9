"""The explorer of 08_churn: what its sliders change. A real browser moves them in test_lab."""

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from workbook import churn
from workbook.output import page
from workbook.output.explore import churn as explore

TERMS = churn.Terms(1.0, 10.0, 0.15)


@pytest.fixture
def money(monkeypatch):
    """A trial of 400 customers whose probabilities are right and whose values differ widely."""
    monkeypatch.delenv("WORKBOOK_REPORT", raising=False)
    rng = np.random.default_rng(7)
    chance, value = rng.uniform(0.1, 0.9, 400), rng.gamma(1.0, 200.0, 400)
    happened = (rng.random(400) < chance).astype(float)
    curves = [churn.profit_curve(ranking, happened, value, TERMS) for ranking in (chance * value, chance)]
    return churn.Money(TERMS, None, None, *curves, chance * value, chance, happened, value)


def controls_of(widget):
    """Every control of a panel by its description."""
    if isinstance(widget, ipywidgets.Box):
        return {name: found for child in widget.children for name, found in controls_of(child).items()}
    return {widget.description: widget} if hasattr(widget, "description") else {}


def test_lists_by_hand():
    """Four customers; at ≥ 30 at risk two are listed, one of them left."""
    curve = churn.profit_curve(
        np.array([40.0, 30.0, 20.0, 10.0]), np.array([1, 0, 0, 1]), np.array([100.0, 100, 100, 100]),
        churn.Terms(contact_cost=1, offer_cost=10, save_rate=0.5))
    rows = explore.lists(curve, np.array([50.0, 35, 30, 5]), 0.5)
    own, best = rows.iloc[0], rows.iloc[1]
    assert (own["share"], own["threshold"], own["today"], own["precision"]) == (0.5, 30, 3, 0.5)
    assert own["profit"] == 44 - 11 and best["profit"] == max(44, 33, 22, 66)


def test_every_control_is_wired_and_moves_the_figures(money):
    widget = explore.profit(money, money.stake)
    controls = controls_of(widget)
    assert set(controls) == {"Cost of a contact", "Cost of an offer taken", "Share of leavers saved",
                             "Length of the list"}
    assert not any(control.continuous_update for control in controls.values())
    controls["Share of leavers saved"].value = 0.4
    assert plt.get_fignums() == [] and widget.children[-1].layout.height.endswith("px")


def test_dearer_contacts_earn_less_and_make_the_best_list_shorter(money):
    earned = []
    for cost in (0.0, 5.0, 20.0):
        curve = churn.profit_curve(money.stake, money.happened, money.value, TERMS._replace(contact_cost=cost))
        earned.append(explore.lists(curve, money.stake, 0.2).iloc[1])
    assert earned[0]["profit"] > earned[1]["profit"] > earned[2]["profit"]
    assert earned[0]["share"] > earned[1]["share"] > earned[2]["share"]


def test_where_nothing_pays_it_is_said(money):
    curve = churn.profit_curve(money.stake, money.happened, money.value, TERMS._replace(contact_cost=9_999.0))
    rows = explore.lists(curve, money.stake, 0.2)
    assert "no list earns anything" in explore.sentence(rows)
    assert rows.iloc[1]["today"] == 0


def test_value_at_risk_beats_risk_alone(money):
    """Where values differ more than risks do, the order by risk alone leaves money on the table."""
    shortest = [curve[curve["share"] <= 0.3]["profit"].max() for curve in (money.curve, money.by_risk)]
    assert shortest[0] > 1.5 * shortest[1]


def test_a_report_shows_a_picture(money, monkeypatch):
    monkeypatch.setenv("WORKBOOK_REPORT", "1")
    assert not page.interactive()
    ax = explore.profit(money, money.stake)
    assert "most value at risk first" in [text.get_text() for text in ax.get_legend().get_texts()]
    empty = money._replace(curve=money.curve.head(0), by_risk=money.curve.head(0), happened=np.zeros(0))
    assert "Nothing to draw" in explore.profit(empty, np.zeros(0)).texts[0].get_text()


def test_the_table_has_a_row_for_each_list(money):
    rows = explore.lists(money.curve, money.stake, 0.2)
    shown = explore.table(rows)
    assert isinstance(shown, page.Fragment) and shown.text.count("\n") == 2
    assert isinstance(rows, pd.DataFrame) and len(rows) == 2
