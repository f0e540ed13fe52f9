"""The templates of all pages, with the house style in them: a page needs nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from workbook.output import i18n, page


def templates() -> Environment:
    """The templates; texts in them are in the language in use when a page is made."""
    found = Environment(
        loader=PackageLoader("workbook.output.pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True)
    style = (Path(__file__).parent / "templates" / "style.css").read_text(encoding="utf-8")
    found.filters["inline"] = lambda text: Markup(page.inline(text))
    found.globals.update(_=i18n._, i18n=i18n, style=Markup(style))
    return found
