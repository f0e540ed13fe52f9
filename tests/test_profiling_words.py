"""What 03_profiling says and shows: names in both languages, sentences that agree with their numbers."""

from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from workbook.data.findings import Finding
from workbook.data.periods import period_of
from workbook.output import i18n
from workbook.output.explore import profiling as explore
from workbook.output.words import levels
from workbook.output.words import profiling as words
from workbook.profiling import concentration, cross, customers, figures
from workbook.profiling.bridge import Split

JUNE, MAY = period_of("2026-06"), period_of("2026-05")
SPLIT = Split(Decimal(100), Decimal(130), {"customers": Decimal(50), "units": Decimal(-15), "mix": Decimal(0),
                                           "returns": Decimal(-5), "anonymous": Decimal(0)})  # fmt: skip


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    i18n.use("en", "EUR")
    yield
    i18n.use("en", "")
    plt.close("all")


def crossed() -> cross.Cross:
    counts = {("18-24", "tea"): 30, ("18-24", "pots"): 90, ("25-34", "tea"): 95, ("25-34", "pots"): 30,
              ("35-", "tea"): 3, ("35-", "pots"): 40}  # fmt: skip
    rows = [(*pair, n, 2.0 * n) for pair, n in counts.items()]
    return cross.crosstab(pd.DataFrame(rows, columns=["row", "column", "customers", "revenue"]), smallest_cell=5)


def test_everything_has_a_name_in_both_languages() -> None:
    for lang in ("en", "zh"):
        i18n.use(lang, "EUR")
        before = set(i18n.untranslated)
        for name in customers.ATTRIBUTES:
            assert words.attribute(name)
        for name in customers.PLACES:
            assert words.sold_by(name)
        for name in figures.PARTS:
            assert words.part(name)
        assert levels.known()
        assert words.level("age_band", "-17") and words.level("age_band", "65-")
        assert i18n.untranslated == before
    assert words.level("age_band", "18-24") == "18–24"
    assert words.level("category", "a name of the shop's own") == "a name of the shop's own"


def test_waterfall_starts_and_ends_at_the_totals() -> None:
    steps = words.steps(SPLIT, JUNE, MAY)
    assert steps["kind"].tolist() == ["total", "change", "change", "change", "total"], "nothing is said of nothing"
    assert steps["value"].iloc[0] + steps["value"].iloc[1:-1].sum() == steps["value"].iloc[-1]


def test_the_sentence_names_the_largest_parts() -> None:
    told = words.bridge(SPLIT, MAY)
    assert "+€30.00** (+30.0%)" in told
    assert "up most: Number of customers, +€50.00" in told
    assert "down most: Units per order, −€15.00" in told
    assert "as a whole: −€20.00" in told
    assert "up most" not in words.bridge(Split(Decimal(9), Decimal(8), {"customers": Decimal(-1)}), MAY)


def test_summary_with_and_without_a_period_before() -> None:
    found = {figure.name: Finding(figure.value, figure.unit) for figure in figures.of_change(SPLIT)}
    found["active_customers"] = Finding(12)
    assert words.summary(found, {}) == (
        "12 customers bought. Net revenue changed by +€30.00; the largest part of it: Number of customers, +€50.00."
    )
    nothing = {"active_customers": Finding(0), "revenue_change": Finding(None, reason="no_previous")}
    assert "no period before" in words.summary(nothing, {})


def test_unusual_cells_are_told_with_what_was_expected() -> None:
    told = words.unusual(crossed(), "age_band", "category", most=2)
    assert "**25–34 and tea** go together: 95 customers, where 56 would be expected." in told
    assert "**25–34 and pots** avoid each other: 30 customers, where 69 would be expected." in told
    nothing = crossed()._replace(unusual=crossed().unusual & False)
    assert words.unusual(nothing, "age_band", "category")[0].startswith("No cell is unusual")


@pytest.mark.parametrize("measure", explore.MEASURES)
def test_no_picture_shows_a_hidden_cell(measure: str) -> None:
    table = crossed()
    assert table.hidden == 4, "the three customers, and three cells from which they could be worked out"
    ax = explore.heat(table, "age_band", "category", measure=measure)
    assert len(ax.texts) == table.customers.size - table.hidden
    assert not any(text.get_text().split()[0] == "3" for text in ax.texts)


def test_explorer_draws_what_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The widgets ask for the two attributes chosen, and never for small cells."""
    asked: list[tuple[str, str]] = []

    def cells(_profile: object, rows: str, columns: str) -> pd.DataFrame:
        asked.append((rows, columns))
        return pd.DataFrame({"row": ["f", "f", "m", "m"], "column": ["x", "y", "x", "y"], "customers": [9, 8, 7, 6],
                             "revenue": [1.0] * 4})  # fmt: skip

    monkeypatch.setattr(cross, "cells", cells)
    run = SimpleNamespace(frame=lambda table: table, settings=SimpleNamespace(privacy=SimpleNamespace(smallest_cell=5)))
    box = explore.explorer(run, None, ["gender", "region", "channel"], rows="gender", columns="region")
    chosen = [widget for widget in _inside(box) if hasattr(widget, "options")]
    chosen[1].value = "channel"
    assert asked == [("gender", "region"), ("gender", "channel")]


def _inside(widget: object) -> Iterator[object]:
    for child in getattr(widget, "children", ()):
        yield child
        yield from _inside(child)


def test_tails_and_debts_are_told() -> None:
    told = words.tail(concentration.spread(np.array([-5.0, 1.0, 1.0, 103.0])))
    assert "mean is **€25.00**, the median **€1.00**: only 25%" in told and "For 1 customer" in told


def test_too_few_is_a_reason_not_a_number() -> None:
    found = {f.name: f for f in figures.of_values(np.ones(29), rng=np.random.default_rng(0), smallest_sample=30)}
    assert found["gini"].value is None and found["gini"].reason == "too_few" and found["gini"].n == 29
    assert "29 customers" in words.concentration(found)
    enough = {f.name: f for f in figures.of_values(np.ones(30), rng=np.random.default_rng(0), smallest_sample=30)}
    assert (enough["gini"].value, enough["top20_share"].value) == (pytest.approx(0), pytest.approx(0.2))


def test_panels_put_the_rest_last_and_ages_in_order() -> None:
    ages = pd.DataFrame({"level": [cross.NOT_STATED, "25-34", "-24"], "share": [0.5, 0.3, 0.2]})
    assert words.panels({"age_band": ages})["age_band"]["label"].tolist() == ["under 25", "25–34", "not stated"]
    sold = pd.DataFrame({"level": [cross.OTHERS, "a", "b"], "revenue": [9.0, 1.0, 2.0]})
    assert words.panels({"region": sold}, "revenue")["region"]["label"].tolist() == ["b", "a", "all others"]


def test_hours_show_every_weekday() -> None:
    hours = pd.DataFrame({"weekday": [0, 5], "hour": [9, 11], "orders": [3, 7]})
    matrix = words.weekday_by_hour(hours)
    assert matrix.shape == (7, 3) and matrix.to_numpy().sum() == 10
    assert words.busiest(hours) == "Most orders are placed on Saturday (70%) and between 11:00 and 12:00 (70%)."
