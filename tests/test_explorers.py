"""The explorers of 04_rfm and the segment builder: what they draw and what they write. A real browser: test_lab."""

from datetime import date, timedelta
from decimal import Decimal

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workbook import rfm, segments
from workbook.data.run import open_run
from workbook.output.explore import builder as built
from workbook.output.explore import rfm as explore
from workbook.output.explore.panel import panel
from workbook.output.explore.selection import Selection, Watched

AS_OF = date(2026, 6, 30)
MONEY = pa.decimal128(18, 4)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A workspace with the clean tables of a small made-up shop."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "orders.csv").write_text("customer,day,amount\n")
    (folder / "workbook.yaml").write_text(
        "name: A shop\ncurrency: EUR\nsources:\n  - {table: orders, path: orders.csv}\n"
    )
    rng = np.random.default_rng(11)
    rows = [
        (f"c{i:03d}", AS_OF - timedelta(days=int(back)), Decimal(int(rng.integers(500, 9000))) / 100)
        for i, rate in enumerate(rng.gamma(0.8, 0.012, 160))
        for back in {int(rng.integers(0, 500)), *np.flatnonzero(rng.random(500) < rate).tolist()}
    ]
    names, days, amounts = zip(*rows, strict=True)
    run = open_run("04_rfm", settings=str(folder / "workbook.yaml"), as_of="2026-06")
    run.keep(
        "clean/orders",
        pa.table({
            "order_id": [f"o{i}" for i in range(len(rows))], "customer_id": names, "ordered_on": pa.array(days),
            "ordered_at": pa.array([pd.Timestamp(day) for day in days], pa.timestamp("us")),
            "amount": pa.array(amounts, MONEY), "net_amount": pa.array(amounts, MONEY),
            "is_return": [False] * len(rows),
        }),
    )  # fmt: skip
    people = [*sorted(set(names)), "visitor"]
    run.keep(
        "clean/customers",
        pa.table({"customer_id": people, "is_test": [False] * len(people),
                  "region": [["East", "West"][i % 2] for i in range(len(people))]}),
    )  # fmt: skip
    return folder


@pytest.fixture
def opened(shop, monkeypatch):
    """A run, the customer table and the cuts, in a fresh state of the report switch."""
    monkeypatch.delenv("WORKBOOK_REPORT", raising=False)
    run = open_run("04_rfm", settings=str(shop / "workbook.yaml"), as_of="2026-06")
    orders, customers = run.table("clean/orders"), run.table("clean/customers")
    cuts = rfm.cuts_in_force(run, orders, None)
    buyers = rfm.customer_table(orders, as_of=run.as_of)
    scored = rfm.assign(rfm.weighted(rfm.score(buyers, cuts.edges), cuts.edges), cuts.edges)
    everyone = rfm.classify(rfm.everyone(scored, customers), None, rfm.value_cuts(buyers, None))
    people = rfm.with_attributes(everyone, customers)
    return run, people, cuts.edges


def controls_of(widget):
    """Every control of a panel by its description."""
    if isinstance(widget, ipywidgets.Box):
        return {name: found for child in widget.children for name, found in controls_of(child).items()}
    return {widget.description: widget} if hasattr(widget, "description") else {}


class TestWhatIf:
    def test_weights_change_the_list_and_bins_the_segments(self, opened):
        _run, people, edges = opened
        buyers = people.filter(people.purchase_days > 0)
        even, recent = rfm.what_if(buyers), rfm.what_if(buyers, weights=(1, 0, 0))
        assert even.segments["customers"].tolist() == recent.segments["customers"].tolist()
        assert even.segments["listed"].tolist() != recent.segments["listed"].tolist()
        assert even.listed == pytest.approx(0.2 * even.segments["customers"].sum())
        assert rfm.what_if(buyers, n_bins=2).grid.shape == (2, 2)
        assert rfm.what_if(buyers, cuts={"recency_days": (30, 90)}).edges.recency_days == (30, 90)
        assert edges.bins == {"r": 5, "f": 5, "m": 5}

    def test_nobody(self, opened):
        _run, people, _edges = opened
        found = rfm.what_if(people.filter(people.customer_id == "visitor").filter(people.purchase_days > 0))
        assert len(found.segments) == 0 and found.listed == 0
        assert "Nobody" in explore.sentence(found, 0.2)


class TestPanel:
    def test_every_control_is_wired_and_no_figure_stays_open(self, opened):
        run, people, edges = opened
        widget = explore.scores(run, people, edges=edges)
        controls = controls_of(widget)
        assert {"Bins per measure", "Weight of Recency", "Cuts: Monetary value", "Length of the list"} <= set(controls)
        assert not any(getattr(control, "continuous_update", False) for control in controls.values())
        controls["Bins per measure"].value = 3
        assert plt.get_fignums() == []
        assert widget.children[-1].layout.height.endswith("px")

    def test_an_error_is_a_sentence_not_a_traceback(self):
        def draw(n):
            raise segments.WorkbookError("Too many.", way_out="Fewer.")

        shown = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("workbook.output.explore.panel.display", shown.append)
            panel(draw, {"n": ipywidgets.IntSlider(description="n")}, height=100)
        assert "Too many." in repr(shown[0]) and "Fewer." in repr(shown[0])

    def test_a_report_gets_a_picture(self, opened, monkeypatch):
        monkeypatch.setenv("WORKBOOK_REPORT", "1")
        run, people, edges = opened
        assert explore.scores(run, people, edges=edges).get_xlabel() == "frequency score"
        assert "No segment of your own" in repr(built.builder(run, people))
        plt.close("all")


class TestBuilder:
    def test_a_saved_segment_stands_in_the_report(self, opened, monkeypatch):
        run, people, _edges = opened
        widget = built.builder(run, people)
        controls = controls_of(widget)
        controls["Filter"].value = "segment in (champions, loyal) and region = East"
        controls["Name"].value = "Best in the East"
        controls["Save under this name"].click()
        assert segments.saved(run) == {"Best in the East": "segment in (champions, loyal) and region = East"}
        monkeypatch.setenv("WORKBOOK_REPORT", "1")
        count = segments.size(people, segments.parse(segments.saved(run)["Best in the East"])).customers
        assert f"| {count} |" in repr(built.builder(run, people))
        segments.forget(run, "Best in the East")
        assert segments.saved(run) == {}

    def test_a_saved_segment_that_no_longer_fits_says_so(self, opened, monkeypatch):
        run, people, _edges = opened
        segments.save(run, "By region", "region = East", table=people)
        monkeypatch.setenv("WORKBOOK_REPORT", "1")
        assert "region" in repr(built.builder(run, people.drop("region")))
        segments.forget(run, "By region")

    def test_conditions_are_put_together_with_buttons(self, opened):
        run, people, _edges = opened
        controls = controls_of(built.builder(run, people))
        controls["Filter"].value = ""
        controls["Column"].value = "region"
        controls["Add to the filter"].click()
        assert controls["Filter"].value.startswith("region =")

    def test_the_list_is_a_file_for_excel(self, opened):
        run, people, _edges = opened
        path, rows = built.write_list(run, people, "East", "region = East and purchase_days > 0")
        assert path.read_bytes().startswith(b"\xef\xbb\xbf"), "Excel needs the mark to read Chinese"
        frame = pd.read_csv(path, dtype={"customer_id": "str"})
        wanted = segments.parse("region = East and purchase_days > 0")
        assert len(frame) == rows == segments.size(people, wanted).customers > 0
        assert frame["spend_12m"].is_monotonic_decreasing
        about = path.with_suffix(".txt").read_text(encoding="utf-8")
        assert all(part in about for part in (f"{rows} customers", "2026", "region = East and purchase_days > 0"))


class TestSelection:
    """A page's choice of customers, made in one view and followed by the others."""

    def test_the_builder_counts_saves_and_writes_inside_the_selection(self, opened, monkeypatch):
        run, people, _edges = opened
        shown = []
        monkeypatch.setattr("workbook.output.explore.panel.display", shown.append)
        selection = Selection(run, people)
        widget = built.builder(run, people, selection=Watched(selection, "builder"))
        controls = controls_of(widget)
        controls["Filter"].value = "purchase_days > 1"
        whole = segments.size(people, segments.parse("purchase_days > 1")).customers
        assert f"{whole} customers" in repr(shown[-3])
        shown.clear()
        selection.choose("region = East", "The East")
        part = segments.size(people, segments.parse("region = East and purchase_days > 1")).customers
        assert 0 < part < whole
        said, among = repr(shown[0]), repr(shown[1])
        assert f"{part} customers" in said
        assert "The East" in among and f"holds {whole}" in among
        controls["Name"].value = "Eastern regulars"
        controls["Save under this name"].click()
        assert segments.saved(run) == {"Eastern regulars": "(region = East) and (purchase_days > 1)"}
        assert selection.saved.value == segments.saved(run), "the chooser is told at once"
        assert "Eastern regulars" in repr(shown[-2]), "and so is the table of overlaps"
        controls["Look at these customers"].click()
        assert selection.value.customers == part
        assert selection.value.name == "Eastern regulars"
        segments.forget(run, "Eastern regulars")

    def test_a_cell_of_the_scores_chooses_its_customers_for_the_other_views(self, opened, monkeypatch):
        run, people, edges = opened
        shown = []
        monkeypatch.setattr("workbook.output.explore.panel.display", shown.append)
        selection = Selection(run, people)
        own, other = Watched(selection, "rfm"), Watched(selection, "pivot")
        widget = explore.scores(run, people, edges=edges, selection=own)
        picked = next(child for child in widget.children[0].children if child.layout.display == "none")
        buyers = people.filter(people.purchase_days > 0)
        for place, (r, f) in {"0,4": (5, 5), "4,0": (1, 1), "2,1": (3, 2)}.items():
            tried = rfm.what_if(buyers, n_bins=5)
            picked.value = place
            wanted = tried.grid.loc[r, f]
            assert selection.value.customers == (0 if wanted != wanted else wanted), place
            assert picked.value == "", "the same cell can be picked again"
        assert other.narrows and not own.narrows
        assert own.of(people).count().to_pandas() == people.count().to_pandas()
        picked.value = "9,9"  # of a table that is gone
        assert selection.value.name == "recency score 3, frequency score 2"
