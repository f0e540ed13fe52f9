"""Pictures: every kind draws in both languages without a missing glyph, bounded, with a text alternative."""

import io
import warnings
from collections.abc import Callable, Iterator

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib import font_manager
from matplotlib.axes import Axes
from PIL import Image

from workbook.output import charts, i18n

NAMES = {"en": ["Champions", "Loyal", "About to leave"], "zh": ["冠军客户", "忠诚客户", "即将流失"]}
LANGS = ["en", "zh"]


@pytest.fixture(autouse=True)
def tidy() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a missing glyph is one of them
        yield
    plt.close("all")
    i18n.use("en", "")


def people(lang: str) -> pd.DataFrame:
    return pd.DataFrame({
        "name": NAMES[lang], "n": [800.0, 500.0, 90.0], "low": [750.0, 450.0, 60.0], "high": [850.0, 550.0, 120.0],
        "share": [0.6, 0.3, 0.1], "kind": ["total", "change", "change"]})  # fmt: skip


def months() -> pd.DataFrame:
    values = np.linspace(400_000, 900_000, 14)
    return pd.DataFrame({"m": pd.date_range("2025-05-01", periods=14, freq="MS"), "v": values, "w": values / 2,
                         "low": values * 0.9, "high": values * 1.1})


def waning(lang: str) -> pd.DataFrame:
    days = np.arange(0, 30.0)
    return pd.concat([
        pd.DataFrame({"name": name, "day": days, "share": 0.98 ** (days * k), "low": 0.97 ** (days * k),
                      "high": 0.99 ** (days * k)}) for k, name in enumerate(NAMES[lang], 1)])  # fmt: skip


def windows(lang: str) -> pd.DataFrame:
    days = pd.to_datetime(["2025-01-01", "2025-04-01", "2025-02-01", "2025-05-01"])
    return pd.DataFrame({"name": [NAMES[lang][0]] * 2 + [NAMES[lang][1]] * 2, "from": days,
                         "to": days + pd.Timedelta(days=60), "kind": [NAMES[lang][1], NAMES[lang][2]] * 2})


def members(lang: str) -> pd.DataFrame:
    at = np.linspace(-1, 1, 30)
    return pd.DataFrame({"name": np.repeat(NAMES[lang], 10), "x": at, "y": np.tile(np.linspace(0.8, -0.1, 10), 3)})


KINDS: dict[str, Callable[[str], Axes]] = {
    "bars": lambda lang: charts.bars(
        people(lang), label="name", value="n", low="low", high="high", unit="customers", title=NAMES[lang][0]),
    "columns": lambda lang: charts.columns(
        months(), x="m", value="v", unit="money", partial=True, title=NAMES[lang][1]),
    "lines": lambda lang: charts.lines(
        months(), x="m", y={"v": NAMES[lang][0], "w": NAMES[lang][1]}, unit="money", partial=True,
        marks={months().m[3]: NAMES[lang][2]}),
    "band": lambda lang: charts.lines(months(), x="m", y="v", low="low", high="high", unit="money"),
    "waterfall": lambda lang: charts.waterfall(people(lang), label="name", value="n", unit="rows"),
    "histogram": lambda lang: charts.histogram(
        pd.DataFrame({"left": [0, 10], "right": [10, 20], "count": [5, 2]}), unit="days", marks={NAMES[lang][0]: 8}),
    "heat": lambda lang: charts.heat(
        pd.DataFrame([[1.0, -2.0], [np.nan, 3.0]], index=NAMES[lang][:2], columns=NAMES[lang][1:]), centre=0),
    "lorenz": lambda lang: charts.lorenz(
        pd.DataFrame({"x": [0, 0.5, 1], "y": [0, 0.2, 1]}), x="x", y="y", mark=(0.5, 0.2), note=NAMES[lang][0]),
    "dots": lambda lang: charts.dots(
        people(lang), label="name", value="n", low="low", high="high", reference=400, reference_name=NAMES[lang][0]),
    "scatter": lambda lang: charts.scatter(people(lang), x="n", y="share", unit="share", size="n", label="name"),
    "stacked": lambda lang: charts.stacked(
        people(lang), label="name", parts={"share": NAMES[lang][0], "low": NAMES[lang][1]}, unit="number"),
    "bands": lambda lang: charts.bands(
        waning(lang), x="day", y="share", group="name", low="low", high="high", steps=True, title=NAMES[lang][0],
        reference=0.5, reference_name=NAMES[lang][1], marks={10: NAMES[lang][2]}, diagonal=True),
    "spans": lambda lang: charts.spans(
        windows(lang), label="name", start="from", end="to", kind="kind", title=NAMES[lang][0]),
    "cloud": lambda lang: charts.cloud(
        members(lang), x="x", y="y", group="name", mark="name", title=NAMES[lang][0],
        arrows=pd.DataFrame({"name": NAMES[lang][:2], "x": [1.0, -0.5], "y": [0.2, 0.7]})),
    "snake": lambda lang: charts.snake(
        people(lang), label="name", series={"share": NAMES[lang][0], "low": NAMES[lang][1]}, title=NAMES[lang][2]),
    "panels": lambda lang: charts.panels(
        pd.concat([people(lang).assign(question=name) for name in NAMES[lang]]), panel="question", label="name",
        value="n", low="low", high="high", unit="customers", title=NAMES[lang][2]),
    "silhouettes": lambda lang: charts.silhouettes(members(lang), group="name", value="y", title=NAMES[lang][1]),
}


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_draws_without_a_missing_glyph(kind: str, lang: str) -> None:
    i18n.use(lang, "CNY")
    ax = KINDS[kind](lang)
    picture, metadata = charts.png(ax.figure)
    with Image.open(io.BytesIO(picture)) as image:
        assert image.width <= 1200 and image.height <= 1500
        assert len(np.unique(np.asarray(image.convert("L")))) > 10, "the picture is not empty"
    assert len(picture) < 80_000
    assert len(metadata["alt"]) > 10


def test_a_missing_glyph_is_noticed() -> None:
    """The Ge'ez letter ሀ and the like stand in no Chinese or Latin face: the check above can fail."""
    ax = charts.bars(pd.DataFrame({"n": ["\U00010330"], "v": [1]}), label="n", value="v")
    with pytest.warns(UserWarning, match="Glyph"):
        charts.png(ax.figure)


def test_without_a_system_font_the_packaged_one_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    latin = [font for font in font_manager.fontManager.ttflist if font.name.startswith("DejaVu")]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", latin)
    charts.fonts.cache_clear()
    try:
        assert "Noto Sans SC" in charts.fonts()
        charts.png(KINDS["bars"]("zh").figure)
    finally:
        charts.fonts.cache_clear()


def test_the_text_alternative_tells_the_data() -> None:
    ax = KINDS["bars"]("en")
    assert charts.alt_text(ax.figure) == "Champions: Bar chart. Champions 800; Loyal 500; About to leave 90."


@pytest.mark.parametrize("kind", ["bars", "columns", "lines", "waterfall", "histogram", "dots", "scatter"])
def test_no_rows_is_said(kind: str) -> None:
    empty = people("en").head(0).assign(left=[], right=[], count=[])
    by_name = {"label": "name", "value": "n"}
    names = {"bars": by_name, "columns": {"x": "name", "value": "n"}, "lines": {"x": "n", "y": "n"},
             "waterfall": by_name, "histogram": {}, "dots": by_name, "scatter": {"x": "n", "y": "share"}}[kind]
    ax = getattr(charts, kind)(empty, **names)
    assert [text.get_text() for text in ax.texts] == ["Nothing to draw: no rows."]


def test_axes_carry_their_unit() -> None:
    i18n.use("en", "GBP")
    ax = charts.columns(months(), x="m", value="v", unit="money", ylabel="Net revenue")
    assert ax.get_ylabel() == "Net revenue (£)"
    ax.figure.canvas.draw()
    assert ax.get_yticklabels()[1].get_text().startswith("£")


def test_an_incomplete_period_is_marked() -> None:
    ax = charts.columns(months(), x="m", value="v", partial=True)
    assert ax.get_xticklabels()[-1].get_text().endswith("incomplete")
    assert ax.patches[-1].get_hatch() == "////"


def test_a_waterfall_stands_where_the_last_step_ended() -> None:
    table = pd.DataFrame({"l": list("abcd"), "v": [100.0, -30, 10, 80], "kind": ["total", "change", "change", "total"]})
    ax = charts.waterfall(table, label="l", value="v")
    drawn = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches]
    assert drawn == [(0, 100), (100, 70), (70, 80), (0, 80)]


def test_a_cut_axis_is_told() -> None:
    table = pd.DataFrame({"l": list("abc"), "v": [1000.0, -30, 970], "kind": ["total", "change", "total"]})
    ax = charts.waterfall(table, label="l", value="v")
    assert ax.get_xlim()[0] > 0
    assert any(text.get_text().startswith("The axis begins at") for text in ax.texts)


def test_a_dollar_in_a_name_starts_no_formula() -> None:
    ax = charts.bars(pd.DataFrame({"n": ["$5 $\\frac{$"], "v": [1]}), label="n", value="v")
    charts.png(ax.figure)


def test_end_labels_do_not_overlap() -> None:
    table = pd.DataFrame({"x": [1, 2], **{f"y{i}": [1.0, 1.0 + i / 1000] for i in range(4)}})
    ax = charts.lines(table, x="x", y={f"y{i}": f"line {i}" for i in range(4)})
    heights = sorted(text.xy[1] for text in ax.texts)
    bottom, top = ax.get_ylim()
    assert min(np.diff(heights)) >= 0.07 * (top - bottom)


def test_names_are_dark_enough_to_read() -> None:
    from matplotlib.colors import to_rgb

    assert all(charts.contrast(np.array(to_rgb(charts.dark(colour)))) >= 4.45 for colour in charts.PALETTE)


def test_long_names_break_by_the_width_they_take() -> None:
    assert charts.wrap("需要重点关注的高价值客户群体", 16) == "需要重点关注的高\n价值客户群体"
    assert charts.wrap("short", 16) == "short"


def test_neighbouring_ticks_never_look_the_same() -> None:
    i18n.use("en", "CNY")
    ticks = charts.UnitFormatter("money").format_ticks([1_900_000, 1_950_000, 2_000_000, 2_050_000])
    assert ticks == ["¥1.9M", "¥1.95M", "¥2M", "¥2.05M"]
    assert charts.UnitFormatter("share").format_ticks([0.02, 0.025]) == ["2.0%", "2.5%"]


def test_steps_of_a_waterfall_add_up_as_they_are_written() -> None:
    kinds = ["total", "change", "total"]
    table = pd.DataFrame({"l": list("abc"), "v": [2_057_143.0, -72_721, 1_984_422], "kind": kinds})
    ax = charts.waterfall(table, label="l", value="v", unit="rows")
    assert [text.get_text() for text in ax.texts[:3]] == ["2,057,143", "−72,721", "1,984,422"]


def test_panels_share_one_scale_and_each_names_its_question() -> None:
    table = pd.concat([people("en").assign(question="First"), people("en").assign(question="Second", n=20.0)])
    figure = charts.panels(table, panel="question", label="name", value="n", low="low", high="high").figure
    first, second = figure.axes
    assert [ax.get_title(loc="left") for ax in (first, second)] == ["First", "Second"]
    assert first.get_xlim() == second.get_xlim()
    assert charts.alt_text(figure).startswith("First: Dot chart. Champions 800; Loyal 500; About to leave 90.")
    empty = charts.panels(table.head(0), panel="question", label="name", value="n", low="low", high="high")
    assert [text.get_text() for text in empty.texts] == ["Nothing to draw: no rows."]


def test_a_numeric_axis_in_a_unit_ends_where_its_lines_do():
    table = pd.DataFrame({"share": [0.0, 0.5, 1.0], "gain": [0, 1, 2]})
    ax = charts.lines(table, x="share", y="gain", x_unit="share", xlabel="of all")
    assert ax.get_xlim() == (0, 1)
    ax.figure.canvas.draw()
    labels = [label.get_text() for label in ax.get_xticklabels()]
    assert labels[0] == "0%" and labels[-1] == "100%"
    free = charts.lines(table, x="share", y="gain")
    assert free.get_xlim()[1] > 1


def test_a_line_without_any_value_is_drawn_without_a_warning() -> None:
    table = pd.DataFrame({"x": [1, 2], "y": [np.nan, np.nan], "z": [1.0, 3.0]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ax = charts.lines(table, x="x", y={"y": "blank", "z": "known"}, title="One is blank")
    assert ax.get_ylim()[0] <= 1
