"""Printing with WeasyPrint, where there is no browser; it fills in the page numbers of the contents by itself."""

from __future__ import annotations

import logging
from pathlib import Path

from workbook.data.errors import WorkbookError
from workbook.output.forms.book import Book

# WeasyPrint 70 stops at a grid of items that may not break and meets the end of a page: a run card may break between.
OWN = """
.wb-card, .wb-card > div { break-inside: auto; }
.book-contents a::after { content: target-counter(attr(href), page); }
"""


def print_book(book: Book, file: Path) -> None:
    """Print a book.

    Raises:
        WorkbookError: the system's Pango is missing.
    """
    logging.getLogger("weasyprint").setLevel(logging.ERROR)  # it tells of each property that only browsers know
    try:
        from weasyprint import CSS, HTML
    except OSError as error:
        raise WorkbookError(f"WeasyPrint cannot draw: {str(error).splitlines()[0]}",
                            way_out="Install Pango (Debian: libpango-1.0-0 libpangoft2-1.0-0), or Chromium.") from error
    HTML(string=book.html(), base_url=str(file.parent)).write_pdf(file, stylesheets=[CSS(string=OWN)], pdf_tags=True)
