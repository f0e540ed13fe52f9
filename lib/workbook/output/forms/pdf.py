"""The whole report as one PDF: with a Chromium when there is one, else with WeasyPrint."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from workbook.data.errors import WorkbookError
from workbook.data.settings import Settings
from workbook.output.forms import chromium
from workbook.output.forms.book import Book, bind

Printer = Callable[[Book, Path], None]


def write_pdf(folder: Path, settings: Settings, lang: str, file: Path, *, printer: Printer | None = None) -> None:
    """Print the report of a language.

    Args:
        printer: what prints; found when left out.

    Raises:
        WorkbookError: nothing here can print, or it failed.
    """
    printer = printer or find_printer()
    draft = file.with_name(f".{file.name}")
    try:
        printer(bind(folder, settings, lang), draft)
        os.replace(draft, file)
    finally:
        draft.unlink(missing_ok=True)


def find_printer() -> Printer:
    """Chromium, or WeasyPrint."""
    program = chromium.find()
    if program is not None:
        return lambda book, file: chromium.print_book(book, file, program)
    if find_spec("weasyprint") is not None:
        from workbook.output.forms.weasyprint import print_book

        return print_book
    raise WorkbookError(
        "Nothing here can print a PDF.",
        why=f"There is neither a Chromium of version {chromium.OLDEST} or newer nor WeasyPrint.",
        way_out=f"Install Chromium or Chrome ({chromium.NAMED} names one that is not on the path), "
                "or `pip install 'customer-workbook[pdf]'` for WeasyPrint.")
