"""A segment of one's own: from a filter to its size and value, saved by name, looked at, or written as a list."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
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
from workbook.output.explore.selection import Observable, Watching
from workbook.output.i18n import _
from workbook.output.words import decisions
from workbook.output.words import rfm as words

OPERATORS = ("=", "!=", "<", "<=", ">", ">=", "contains", "is empty", "is not empty")


def builder(run: Run, people: ir.Table, *, selection: Watching | None = None) -> Any:
    """A filter → its size, value, overlap → saved by name → a list; in a report, the saved segments.

    Args:
        people: one row per customer, with whatever is known beside (`rfm.with_attributes`).
        selection: customers among whom the segment is built; the segment becomes the selection at a button.
    """
    people = people.cache()
    return Builder(run, people, selection).widget if page.interactive() else saved_table(run, people)


class Builder:
    """The controls of a segment, and what it holds."""

    def __init__(self, run: Run, people: ir.Table, selection: Watching | None) -> None:
        self.run, self.people, self.selection = run, people, selection
        self.saved = Observable(segments.saved(run)) if selection is None else selection.saved
        wide = {"style": WIDE, "layout": ipywidgets.Layout(width="46em")}
        self.sentence = ipywidgets.Textarea(
            value="segment in (at_risk, slowing)", description=_("Filter"), continuous_update=False, **wide)
        self.sentence.add_class("wb-built")
        self.name = ipywidgets.Text(description=_("Name"), placeholder=_("such as: Win back in July"), **wide)
        self.name.add_class("wb-name")
        self.told = ipywidgets.Output()
        acts = {_("Save under this name"): self.save, _("Write the list"): self.write}
        acts |= {} if selection is None else {_("Look at these customers"): self.choose}
        buttons = ipywidgets.HBox([self._button(text, act) for text, act in acts.items()])
        beside = [_condition_row(people, self.sentence), self.name, buttons, self.told]
        self.widget = panel(self.draw, {"sentence": self.sentence}, height=620, beside=beside, selection=selection,
                            watched={"saved": self.saved})  # fmt: skip

    def draw(self, sentence: str, saved: Mapping[str, str]) -> list[Any]:
        """What the filter holds, of everybody or of the selection."""
        if self.selection is None or not self.selection.narrows:
            return filtered(self.run, self.people, sentence, saved)
        whole = segments.size(self.people, segments.parse(sentence)).customers
        among = _("Counted inside the selection “{name}”; of all customers the filter holds {n}. What is saved, "
                  "written and looked at is `{built}`.").format(
            name=self.selection.value.called, n=i18n.number(whole), built=self.built)  # fmt: skip
        said, *below = filtered(self.run, self.selection.of(self.people), sentence, saved)
        return [said, page.say(among), *below]

    @property
    def built(self) -> str:
        """The filter that is saved, written and looked at: within the selection where there is one."""
        own = self.sentence.value.strip()
        if self.selection is None or not self.selection.narrows or self.selection.value.sentence == own:
            return own
        return f"({self.selection.value.sentence}) and ({own})"

    def save(self) -> str:
        """Keep the filter under its name; it can be chosen at once."""
        name = segments.save(self.run, self.name.value, self.built, table=self.people)
        self.saved.tell(segments.saved(self.run))
        return _("Saved as **{name}**. Next month it will hold next month's customers.").format(name=name)

    def write(self) -> str:
        """Write its customers into a file."""
        path, rows = write_list(self.run, self.people, self.name.value, self.built)
        return _("{n} customers were written to `{file}`.").format(n=i18n.number(rows), file=path)

    def choose(self) -> str:
        """Look at its customers in every view; this one goes on showing everybody."""
        built = self.built
        self.selection.choose(built, self.name.value.strip())
        self.sentence.value = built
        return _("All views show these customers now: {name}.").format(name=self.selection.value.called)

    def _button(self, text: str, act: Callable[[], str]) -> ipywidgets.Button:
        button = ipywidgets.Button(description=text, layout=ipywidgets.Layout(width="auto"))
        button.on_click(lambda _button: self._tell(act))
        return button

    def _tell(self, act: Callable[[], str]) -> None:
        self.told.clear_output(wait=True)
        with self.told:
            try:
                display(page.say(act()))
            except WorkbookError as error:
                display(page.warning(str(error)))


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


def filtered(run: Run, people: ir.Table, sentence: str, saved: Mapping[str, str]) -> list[Any]:
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
    return [page.say(said), overlaps(people, wanted, saved), chart]


def overlaps(people: ir.Table, wanted: segments.Filter, saved: Mapping[str, str]) -> page.Fragment:
    """How the filter overlaps with each saved segment."""
    kept = {name: text for name, text in saved.items() if not isinstance(_size(people, text), str)}
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
