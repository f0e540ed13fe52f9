"""How the served page looks: the report's own style sheet, and what controls need beside it."""

from __future__ import annotations

from pathlib import Path

from workbook.output import pages

OF_CONTROLS = Path(__file__).with_name("template") / "serve.css"
OF_REPORTS = Path(pages.__file__).parent / "templates" / "style.css"


def page_style() -> str:
    """The style sheet of the page."""
    return OF_REPORTS.read_text(encoding="utf-8") + OF_CONTROLS.read_text(encoding="utf-8")
