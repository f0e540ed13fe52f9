"""The page of `workbook serve`: whom one looks at above, the explorers below, one section in sight at a time.

Sections are made when they are opened. All watch one selection; those out of sight catch up when they are shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets
from IPython.display import display

from workbook.data.errors import WorkbookError
from workbook.data.run import Run
from workbook.data.settings import load_settings
from workbook.data.store import Store
from workbook.output import i18n, page
from workbook.output.explore.selection import Selection, Watched
from workbook.output.i18n import _
from workbook.output.serve import sections
from workbook.output.serve.chooser import Chooser
from workbook.output.serve.sources import Shop

ASKED = ("WORKBOOK_SERVE_SETTINGS", "WORKBOOK_SERVE_AS_OF", "WORKBOOK_SERVE_LANG")  # how the command tells the page


def asked_for() -> Run:
    """The run that the command named: the published tables of its period, never an analyst's scratch."""
    settings, as_of, lang = (os.environ.get(name, "") for name in ASKED)
    declared = load_settings(settings or "workbook.yaml")
    i18n.use(lang or "en", declared.currency)
    return Run("explore", declared, Store(declared.store_folder), as_of=as_of, lang=lang or "en")


def page_of(run: Run) -> ipywidgets.Widget:
    """The whole page; where there is nothing to show, why."""
    try:
        return Room(Shop(run)).widget
    except WorkbookError as error:
        return ipywidgets.HTML(f'<main class="in">{page.warning(str(error)).html}</main>')


class Room:
    """The page: head, chooser, tabs, and the section in sight."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.selection = shop, Selection(shop.run, shop.people)
        self.made: dict[str, tuple[ipywidgets.Widget, Watched]] = {}
        self.makers: dict[str, tuple[str, str, Callable[[Shop, Watched], Any]]] = sections.all_of()
        self.tabs = ipywidgets.ToggleButtons(
            options=[(name, code) for code, (name, _told, _make) in self.makers.items()], value="pivot")
        self.tabs.add_class("wb-tabs")
        self.tabs.observe(lambda change: self.open(change["new"]), "value")
        self.told = ipywidgets.HTML()
        self.place = ipywidgets.VBox([])
        self.place.add_class("wb-section")
        chooser = Chooser(self.selection, shop)
        body = ipywidgets.VBox([chooser.widget, self.tabs, self.told, self.place])
        body.add_class("in")
        self.widget = ipywidgets.VBox([ipywidgets.HTML(head(shop.run)), body])
        self.widget.add_class("wb-room")
        self.open("pivot")

    def open(self, code: str) -> None:
        """Show one section; made when it is opened for the first time."""
        name, told, make = self.makers[code]
        self.told.value = f"<h2>{escape(name)}</h2><p>{escape(told)}</p>"
        for other, (_widget, watched) in self.made.items():
            if other != code:
                watched.show(False)
        if code not in self.made:
            self.place.children = (ipywidgets.HTML(f'<p role="status">{escape(_("One moment …"))}</p>'),)
            watched = Watched(self.selection, code)
            self.made[code] = made(make, self.shop, watched), watched
        self.made[code][1].show(True)
        self.place.children = (self.made[code][0],)
        for other in self.makers:
            self.place.remove_class(f"wb-at-{other}")
        self.place.add_class(f"wb-at-{code}")  # by which one sees that the section is there


def made(make: Callable[[Shop, Watched], Any], shop: Shop, watched: Watched) -> ipywidgets.Widget:
    """A section as a widget; a sentence where it has none to show."""
    try:
        found = make(shop, watched)
    except WorkbookError as error:
        found = page.warning(str(error))
    if isinstance(found, ipywidgets.Widget):
        return found
    shown = ipywidgets.Output()
    with shown:
        display(found)
    return shown


def head(run: Run) -> str:
    """Whose page this is, and of which day."""
    return (
        f'<header class="top"><div class="in"><span class="shop">{escape(run.settings.name)}</span>'
        f'<span class="when">{escape(i18n.period(run.period))}</span>'
        f'<span class="when">{escape(_("as of {day}").format(day=i18n.date(run.as_of)))}</span></div></header>'
        f'<div class="in"><h1>{escape(_("Explore"))}</h1></div>'
    )
