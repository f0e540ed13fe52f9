"""Explorers of 04_rfm: bins, weights and cuts by slider; and a segment of one's own, from a filter to a list."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import ibis.expr.types as ir
import ipywidgets
from IPython.display import display

from workbook import segments
from workbook.data.errors import WorkbookError
from workbook.data.run import Run
from workbook.data.store import write_whole
from workbook.output import charts, i18n, page
from workbook.output.explore.panel import WIDE, panel
from workbook.output.explore.selection import Watching
from workbook.output.i18n import _
from workbook.output.words import decisions
from workbook.output.words import rfm as words
from workbook.rfm import Thresholds, WhatIf, what_if

OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "contains", "is empty", "is not empty")


def scores(
    run: Run, people: ir.Table, *, edges: Thresholds, list_share: float = 0.2, selection: Watching | None = None
) -> Any:
    """Sliders for bins, weights and cuts over segments and a list; in a report, the picture of the rule in force.

    Args:
        people: the kept table `rfm`; people without a purchase are left out.
        edges: the cuts in force, where the sliders of own cuts begin.
        selection: customers to show alone, scored by the cuts of everybody.
    """
    buyers = people.filter(people.purchase_days > 0).cache()
    if not page.interactive():
        return picture(what_if(buyers, list_share=list_share))

    def draw(
        n_bins: int, weight_r: float, weight_f: float, weight_m: float, share: float, own: bool,
        recency_days: tuple[float, float], frequency: tuple[float, float], monetary: tuple[float, float],
    ) -> list[Any]:  # fmt: skip
        cuts = {"recency_days": recency_days, "frequency": frequency, "monetary": monetary} if own else None
        shown = buyers if selection is None else selection.of(buyers)
        tried = what_if(shown, n_bins=n_bins, cuts=cuts, weights=(weight_r, weight_f, weight_m), list_share=share,
                        cut_by=buyers)  # fmt: skip
        return [page.say(sentence(tried, share)), sizes(tried), picture(tried)]

    return panel(draw, _controls(edges, list_share), height=900, selection=selection)


def _controls(edges: Thresholds, list_share: float) -> dict[str, Any]:
    """The sliders by the name of the argument that they move."""
    shared = {"continuous_update": False, "style": WIDE, "layout": ipywidgets.Layout(width="34em")}
    weights = {
        f"weight_{score}": ipywidgets.FloatSlider(
            value=1, min=0, max=5, step=0.5, readout_format=".1f",
            description=_("Weight of {measure}").format(measure=words.measure_name(measure)), **shared)
        for measure, score in (("recency_days", "r"), ("frequency", "f"), ("monetary", "m"))
    }  # fmt: skip
    cuts = {
        measure: ipywidgets.FloatRangeSlider(
            value=(values[0], max(values[-1], values[0] + 1)), min=0, max=max(2 * values[-1], values[0] + 2),
            step=1, readout_format=".0f",
            description=_("Cuts: {measure}").format(measure=words.measure_name(measure)), **shared)
        for measure, values in edges._asdict().items()
    }  # fmt: skip
    return {
        "n_bins": ipywidgets.IntSlider(value=5, min=2, max=10, description=_("Bins per measure"), **shared),
        **weights,
        "share": ipywidgets.FloatSlider(
            value=list_share, min=0.05, max=0.5, step=0.05, readout_format=".0%", description=_("Length of the list"),
            **shared,
        ),
        "own": ipywidgets.Checkbox(value=False, description=_("Use the cuts below instead of bins"), indent=False),
        **cuts,
    }


def sentence(tried: WhatIf, share: float) -> str:
    """What the list of the moment holds."""
    if not tried.listed:
        return _("Nobody has bought yet: there is nothing to score.")
    return _("The first {share} by score are **{customers} customers**; they brought **{revenue}** of the net revenue "
             "of twelve months.").format(share=i18n.percent(share, 0), customers=i18n.number(round(tried.listed)),
                                         revenue=i18n.percent(tried.listed_revenue_share))


def sizes(tried: WhatIf) -> page.Fragment:
    """The segments by the rule of the moment."""
    rows = tried.segments.assign(name=[words.segment_name(code) for code in tried.segments["segment"]])
    return page.table(rows, columns={
        "name": _("Segment"), "customers": (_("Customers"), "number"),
        "customer_share": (_("Share of customers"), "percent"), "revenue_share": (_("Share of revenue"), "percent"),
        "listed": (_("On the list"), "number"),
    })  # fmt: skip


def picture(tried: WhatIf) -> Any:
    """Customers by recency and frequency score, by the rule of the moment; hatched: nobody."""
    return charts.heat(tried.grid, unit="customers", title=_("Customers by recency score and frequency score"),
                       xlabel=_("frequency score"), ylabel=_("recency score"))


def builder(run: Run, people: ir.Table) -> Any:
    """A filter → its size, value, overlap → saved by name → a list; in a report, the saved segments.

    Args:
        people: one row per customer, with whatever is known beside (`rfm.with_attributes`).
    """
    people = people.cache()
    if not page.interactive():
        return saved_table(run, people)
    wide = {"style": WIDE, "layout": ipywidgets.Layout(width="46em")}
    sentence_box = ipywidgets.Textarea(
        value="segment in (at_risk, slowing)", description=_("Filter"), continuous_update=False, **wide)
    name_box = ipywidgets.Text(description=_("Name"), placeholder=_("such as: Win back in July"), **wide)
    told = ipywidgets.Output()

    def draw(sentence: str) -> list[Any]:
        return filtered(run, people, sentence)

    def on_save(_button: Any) -> None:
        _tell(told, lambda: _saved(segments.save(run, name_box.value, sentence_box.value, table=people)))

    def on_list(_button: Any) -> None:
        _tell(told, lambda: _listed(*write_list(run, people, name_box.value, sentence_box.value)))

    as_wide_as_its_text = ipywidgets.Layout(width="auto")
    save_button = ipywidgets.Button(description=_("Save under this name"), layout=as_wide_as_its_text)
    list_button = ipywidgets.Button(description=_("Write the list"), layout=as_wide_as_its_text)
    save_button.on_click(on_save)
    list_button.on_click(on_list)
    beside = [_condition_row(people, sentence_box), name_box, ipywidgets.HBox([save_button, list_button]), told]
    return panel(draw, {"sentence": sentence_box}, height=620, beside=beside)


def _condition_row(people: ir.Table, sentence_box: Any) -> Any:
    """Column, comparison and value by choice, added to the sentence by a button."""
    column = ipywidgets.Dropdown(
        options=list(people.columns), value="recency_days", description=_("Column"), style=WIDE)
    operator = ipywidgets.Dropdown(options=OPERATORS, layout=ipywidgets.Layout(width="8em"))
    value = ipywidgets.Text(placeholder=_("value"), layout=ipywidgets.Layout(width="12em"))
    add = ipywidgets.Button(description=_("Add to the filter"), layout=ipywidgets.Layout(width="auto"))

    def on_add(_button: Any) -> None:
        written = "" if operator.value.endswith("empty") else f" {_quoted(value.value)}"
        before = f"{sentence_box.value.strip()} and " if sentence_box.value.strip() else ""
        sentence_box.value = f"{before}{column.value} {operator.value}{written}"

    add.on_click(on_add)
    return ipywidgets.HBox([column, operator, value, add])


def _quoted(value: str) -> str:
    """A value as a filter writes it: in quotes where it has spaces."""
    return f'"{value.strip()}"' if " " in value.strip() else value.strip()


def _tell(told: Any, act: Any) -> None:
    told.clear_output(wait=True)
    with told:
        try:
            display(page.say(act()))
        except WorkbookError as error:
            display(page.warning(str(error)))


def _saved(name: str) -> str:
    return _("Saved as **{name}**. Next month it will hold next month's customers.").format(name=name)


def _listed(path: Path, rows: int) -> str:
    return _("{n} customers were written to `{file}`.").format(n=i18n.number(rows), file=path)


def filtered(run: Run, people: ir.Table, sentence: str) -> list[Any]:
    """What a filter holds: size and value in a sentence, overlap with saved segments, RFM segments as a picture."""
    wanted = segments.parse(sentence)
    size = segments.size(people, wanted)
    said = _("**{customers} customers** ({share}); net amount of twelve months **{spend}** ({spend_share}).").format(
        customers=i18n.number(size.customers), share=i18n.percent(size.share), spend=i18n.money(size.spend_12m),
        spend_share=i18n.percent(size.spend_share))
    inside = segments.members(people, wanted)
    counts = run.frame(inside.group_by("segment").aggregate(customers=inside.count()))
    rows = counts.sort_values("customers", ascending=False, ignore_index=True)
    rows = rows.assign(name=[words.segment_name(code) for code in rows["segment"]])
    chart = charts.bars(rows, label="name", value="customers", unit="customers",
                        title=_("RFM segments of the customers whom the filter holds"), xlabel=_("customers"))
    return [page.say(said), overlaps(run, people, wanted), chart]


def overlaps(run: Run, people: ir.Table, wanted: segments.Filter) -> page.Fragment:
    """How the filter overlaps with each saved segment."""
    kept = {name: text for name, text in segments.saved(run).items() if not isinstance(_size(people, text), str)}
    if not kept:
        return page.say(_("Once a segment is saved, its overlap with the filter stands here."))
    found = {name: segments.overlap(people, wanted, segments.parse(text)) for name, text in kept.items()}
    return page.table(words.overlap_rows(found), columns={
        "name": _("Saved segment"), "only_first": (_("Only in the filter"), "number"), "both": (_("In both"), "number"),
        "only_second": (_("Only in the saved one"), "number"),
    }, caption=_("Overlap with saved segments"))  # fmt: skip


def saved_table(run: Run, people: ir.Table) -> page.Fragment:
    """The saved segments as they are this period."""
    sentences = segments.saved(run)
    if not sentences:
        return page.say(_("No segment of your own is saved yet: open this notebook in JupyterLab to build one."))
    found = {name: _size(people, text) for name, text in sentences.items()}
    return page.table(words.saved_rows(found, sentences), columns={
        "name": _("Segment"), "filter": _("Filter"), "customers": (_("Customers"), "number"),
        "share": (_("Share of customers"), "percent"), "spend": (_("Net amount of twelve months"), "money"),
    }, caption=_("Saved segments"))  # fmt: skip


def _size(people: ir.Table, sentence: str) -> segments.Size | str:
    """What a saved filter holds; where it no longer fits the customers' columns, why."""
    try:
        return segments.size(people, segments.parse(sentence))
    except WorkbookError as error:
        return error.what


def write_list(run: Run, people: ir.Table, name: str, sentence: str) -> tuple[Path, int]:
    """The customers of a segment as a CSV file to look at, and what it is: reports/lists/<name>-<day>.csv and .txt."""
    name = segments.checked_name(name)
    rows = run.frame(segments.listed(people, sentence, columns=["segment", "value_class", "spend_12m"]))
    path = run.settings.reports_folder / "lists" / f"{name}-{run.as_of.isoformat()}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows.to_csv(path, index=False, encoding="utf-8-sig", quoting=csv.QUOTE_NONNUMERIC)
    write_whole(path.with_suffix(".txt"), decisions.plain_list(name, sentence, run.period, len(rows)))
    return path, len(rows)
