"""The explorer of 07_ab_testing: what its sliders change, what a report shows, and shops too small to plan."""

import ipywidgets
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from workbook.output import i18n
from workbook.output.explore import ab_testing as explore

TRAFFIC = pd.DataFrame({"day": range(1, 92), "customers": np.arange(1, 92) * 400})
BASELINES = pd.DataFrame([
    ("bought", "rate", 0.10, 0.09, 5000, 0.3, 28), ("orders", "mean", 0.30, 0.60, 5000, 0.4, 28),
    ("revenue", "mean", 50.0, 90_000.0, 5000, 0.2, 28),
], columns=["metric", "kind", "mean", "variance", "customers", "correlation", "days"])  # fmt: skip


@pytest.fixture(params=["en", "zh"])
def language(request):
    i18n.use(request.param, "EUR")
    i18n.untranslated.clear()
    yield request.param
    assert not i18n.untranslated


def plan(**changes):
    """Base line, traffic, effect, power, share, days, level: as the sliders give them."""
    metric = changes.pop("metric", "bought")
    facts = {"relative": 0.2, "power": 0.8, "share": 1.0, "days": 28, "alpha": 0.05} | changes
    return explore.plannable(BASELINES)[metric], TRAFFIC, *facts.values()


def controls_of(widget):
    """Every control of a panel by its description."""
    if isinstance(widget, ipywidgets.Box):
        return {name: found for child in widget.children for name, found in controls_of(child).items()}
    return {widget.description: widget} if hasattr(widget, "description") else {}


def test_the_published_size_stands_in_the_table():
    """.10 → .12, level .05, power .8: 3,834.60 customers per arm (arcsine; statsmodels)."""
    text = repr(explore.sizes(*plan()))
    row = next(line for line in text.splitlines() if line.startswith("+20.0%"))
    assert row.split(" | ")[1] == "3,835"
    assert row.split(" | ")[2] == "20", "400 a day, half in each arm: 3,835 an arm after 20 days"
    assert row.split(" | ")[3] == "48", "and the window of 28 days"


@pytest.mark.parametrize(("name", "value"), [
    ("relative", 0.3), ("power", 0.9), ("share", 0.5), ("days", 60), ("metric", "orders"),
])  # fmt: skip
def test_every_slider_moves_the_figures(name, value):
    before, after = (explore.sentence(*plan(**changes)) + repr(explore.sizes(*plan(**changes)))
                     for changes in ({}, {name: value}))  # fmt: skip
    assert before != after


def test_the_picture_answers_to_effect_days_and_metric(language):
    def curve(**changes):
        ax = explore.picture(*plan(**changes))
        assert isinstance(ax, Axes) and ax.workbook_alt
        return ax.lines[0].get_xydata().tolist()

    first = curve()
    assert all(curve(**{name: value}) != first for name, value in
               (("relative", 0.3), ("days", 60), ("share", 0.5), ("metric", "orders")))
    powers = [y for _x, y in first]
    assert powers == sorted(powers) and powers[-1] > 0.95


def test_sliders_in_a_notebook_a_picture_in_a_report(monkeypatch, language):
    monkeypatch.delenv("WORKBOOK_REPORT", raising=False)
    controls = controls_of(explore.planning(BASELINES, TRAFFIC))
    sliders = [control for control in controls.values() if isinstance(control, ipywidgets.FloatSlider)]
    assert len(sliders) == 3 and not any(slider.continuous_update for slider in sliders)
    monkeypatch.setenv("WORKBOOK_REPORT", "1")
    assert isinstance(explore.planning(BASELINES, TRAFFIC), Axes)


def test_nothing_to_plan_with_is_said(monkeypatch, language):
    monkeypatch.delenv("WORKBOOK_REPORT", raising=False)
    few = BASELINES.assign(customers=5)
    for baselines in (few, BASELINES.assign(variance=0.0), BASELINES.head(0)):
        assert "30" in repr(explore.planning(baselines, TRAFFIC))
