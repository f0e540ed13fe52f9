"""Whom one looks at: a segment, a group, a saved filter or a sentence of one's own; what that is; one click back."""

from __future__ import annotations

import re
from functools import cached_property
from html import escape

import ipywidgets

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
        self.quiet = False
        self.named.observe(lambda change: self._asked(change["new"], self._name(change["new"])), "value")
        self.sentence.observe(lambda change: self._written(change["new"].strip()), "value")
        self.clear.on_click(lambda _button: self._asked(""))
        selection.observe(lambda _change: self._tell())
        selection.saved.observe(lambda _change: self._tell())
        row = ipywidgets.HBox([self.named, self.sentence, self.clear])
        row.add_class("wb-choices")
        self.widget = ipywidgets.VBox([row, self.state])
        self.widget.add_class("wb-chooser")
        self._tell()

    def _options(self) -> list[tuple[str, str]]:
        """Name for people → sentence: segments, value classes and groups that somebody is in, and saved filters."""
        saved = [(_("Saved: {name}").format(name=name), text) for name, text in self.selection.saved.value.items()]
        return [(_("All customers"), ""), *self._levels, *saved]

    @cached_property
    def _levels(self) -> list[tuple[str, str]]:
        run, people = self.shop.run, self.shop.people
        found = []
        for column, heading, name in (
            ("segment", _("Segment: {name}"), words.segment_name),
            ("value_class", _("Value: {name}"), words.class_name),
            ("cluster", _("Group: {name}"), lambda code: self.shop.groups.get(code, code.upper())),
        ):
            if column in people.columns:
                known = run.frame(people.select(column).distinct().filter(people[column].notnull()).order_by(column))
                found += [(heading.format(name=name(code)), f"{column} = {code}") for code in known[column]]
        return found

    def _name(self, sentence: str) -> str:
        """What the options call a filter, without its kind; empty where it is none of them, or everybody."""
        named = next((name for name, text in self.named.options if text == sentence), "") if sentence else ""
        return re.split(": |：", named, maxsplit=1)[-1]

    def _written(self, sentence: str) -> None:
        """A filter of one's own; when it is taken away, what is chosen beside it holds."""
        self._asked(sentence or self.named.value, "" if sentence else self._name(self.named.value))

    def _asked(self, sentence: str, name: str = "") -> None:
        """Look at these customers, unless a control only follows."""
        if self.quiet:
            return
        try:
            self.selection.choose(sentence, name)
            self._tell()
        except WorkbookError as error:
            self.state.value = page.warning(str(error)).html

    def _follow(self) -> None:
        """The controls say what is chosen, wherever that was done."""
        options, sentence = self._options(), self.selection.value.sentence
        offered = sentence in [text for _name, text in options]
        self.quiet = True
        if tuple(options) != tuple(self.named.options):
            self.named.options = options
        self.named.value = sentence if offered else ""
        self.sentence.value = "" if offered else sentence
        self.quiet = False

    def _tell(self) -> None:
        """Who is chosen, and of how many."""
        self._follow()
        chosen = self.selection.value
        self.clear.disabled = not chosen.sentence
        if not chosen.sentence:
            text = _("All {of} customers.").format(of=i18n.number(chosen.of))
            self.state.value = f'<p role="status">{escape(text)}</p>'
            return
        text = _("{n} of {of} customers").format(n=i18n.number(chosen.customers), of=i18n.number(chosen.of))
        colon = "：" if i18n.lang() == "zh" else ": "
        self.state.value = (f'<p role="status"><strong>{escape(chosen.called)}</strong>{colon}'
                            f"{escape(text)}</p>")  # fmt: skip
