"""Whom one looks at: a segment, a group, a saved filter or a sentence of one's own; what that is; one click back."""

from __future__ import annotations

import re
from html import escape

import ipywidgets

from workbook import segments
from workbook.data.errors import WorkbookError
from workbook.output import i18n, page
from workbook.output.explore.selection import Selection
from workbook.output.i18n import _
from workbook.output.serve.sources import Shop
from workbook.output.words import rfm as words

FULL = ipywidgets.Layout(width="auto")
AS_WIDE = {"description_width": "initial"}  # as its text


class Chooser:
    """The controls of a selection."""

    def __init__(self, selection: Selection, shop: Shop) -> None:
        self.selection, self.shop = selection, shop
        self.named = ipywidgets.Dropdown(options=self._options(), value="", description=_("Look at"), layout=FULL,
                                          style=AS_WIDE)
        self.named.add_class("wb-named")
        self.sentence = ipywidgets.Text(
            description=_("or a filter"), placeholder="recency_days <= 90 and spend_12m >= 500",
            continuous_update=False, layout=FULL, style=AS_WIDE)  # fmt: skip
        self.sentence.add_class("wb-sentence")
        self.clear = ipywidgets.Button(description=_("Clear"), layout=FULL, disabled=True)
        self.clear.add_class("wb-clear")
        self.state = ipywidgets.HTML()
        self.state.add_class("wb-state")
        self.named.observe(lambda change: self._chosen(change["new"]), "value")
        self.sentence.observe(lambda change: self._written(change["new"]), "value")
        self.clear.on_click(lambda _button: self._everyone())
        selection.observe(lambda _change: self._tell())
        row = ipywidgets.HBox([self.named, self.sentence, self.clear])
        row.add_class("wb-choices")
        self.widget = ipywidgets.VBox([row, self.state])
        self.widget.add_class("wb-chooser")
        self._tell()

    def _options(self) -> list[tuple[str, str]]:
        """Name for people → sentence: segments, value classes and groups that somebody is in, and saved filters."""
        run, people = self.shop.run, self.shop.people
        found = [(_("All customers"), "")]
        for column, heading, name in (
            ("segment", _("Segment: {name}"), words.segment_name),
            ("value_class", _("Value: {name}"), words.class_name),
            ("cluster", _("Group: {name}"), lambda code: self.shop.groups.get(code, code.upper())),
        ):
            if column in people.columns:
                known = run.frame(people.select(column).distinct().filter(people[column].notnull()).order_by(column))
                found += [(heading.format(name=name(code)), f"{column} = {code}") for code in known[column]]
        return found + [(_("Saved: {name}").format(name=name), text) for name, text in segments.saved(run).items()]

    def _chosen(self, sentence: str) -> None:
        if sentence or not self.sentence.value:
            self.sentence.value = ""
            name = next(name for name, text in self.named.options if text == sentence)
            self._try(sentence, re.split(": |：", name, maxsplit=1)[-1])

    def _written(self, sentence: str) -> None:
        if sentence.strip():
            self.named.value = ""
            self._try(sentence, "")
        elif not self.named.value:
            self._try("", "")

    def _everyone(self) -> None:
        self.sentence.value, self.named.value = "", ""
        self._try("", "")

    def _try(self, sentence: str, name: str) -> None:
        try:
            self.selection.choose(sentence, name)
            self._tell()
        except WorkbookError as error:
            self.state.value = page.warning(str(error)).html

    def _tell(self) -> None:
        """Who is chosen, and of how many."""
        chosen = self.selection.value
        self.clear.disabled = not chosen.sentence
        if not chosen.sentence:
            text = _("All {of} customers.").format(of=i18n.number(chosen.of))
            self.state.value = f'<p role="status">{escape(text)}</p>'
            return
        text = _("{n} of {of} customers").format(n=i18n.number(chosen.customers), of=i18n.number(chosen.of))
        colon = "：" if i18n.lang() == "zh" else ": "
        self.state.value = (f'<p role="status"><strong>{escape(chosen.name or chosen.sentence)}</strong>{colon}'
                            f"{escape(text)}</p>")  # fmt: skip
