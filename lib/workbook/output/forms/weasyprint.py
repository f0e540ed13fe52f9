"""Printing with WeasyPrint, where there is no browser; it fills in the page numbers of the contents by itself."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from workbook.data.errors import WorkbookError
from workbook.output.forms.book import Book

# What a browser lays out and WeasyPrint 70 does not: numbers of targets in a flexible box are 0, and a grid of items
# that may not break fails at the end of a page. Facts stand in rows instead, each with its name in front.
OWN = """
.book-contents a { display: block; border: 0; }
.book-contents a::after { content: leader(dotted) target-counter(attr(href), page); }
.wb-card { display: block; columns: 3; column-gap: 6mm; break-inside: avoid; }
.wb-card > div { display: block; break-inside: avoid; }
.trust, .book-first.index .trust { display: table; width: auto; border-spacing: 0 3pt; break-inside: avoid; }
.trust > div { display: table-row; }
.trust dt, .trust dd { display: table-cell; padding: 0 2em 0 0; vertical-align: top; }
.trust dd strong, .trust dd span { display: inline; margin-right: 1em; }
.book-first .ahead { display: block; } .book-first .ahead .bridges { float: left; width: 44%; }
.book-first .ahead .steps { margin-left: 48%; } .book-first .trusted { clear: both; }
.wb-beside, .book-first.index .wb-beside { display: block; }
.wb-beside > div, .book-first.index .wb-beside > div, .book-first.index .wb-beside > div.wb-unknown { display: block; }
.wb-beside dt, .wb-beside dd, .book-first.index .wb-beside dd { display: inline; margin: 0 .5em 0 0; }
"""
WITHOUT_GRIDS = """
.wb-figures, .index .wb-figures, .chapters > li { display: block !important; }
.wb-figure { margin-bottom: 6pt; }
"""


def print_book(book: Book, file: Path) -> None:
    """Print a book.

    Raises:
        WorkbookError: the system's Pango is missing.
    """
    logging.getLogger("weasyprint").setLevel(logging.ERROR)  # it tells of each property that only browsers know
    try:
        from weasyprint import HTML
    except OSError as error:
        raise WorkbookError(f"WeasyPrint cannot draw: {str(error).splitlines()[0]}",
                            way_out="Install Pango (Debian: libpango-1.0-0 libpangoft2-1.0-0), or Chromium.") from error
    def draw(own: str) -> None:
        html = replace(book, style=book.style + own).html()
        HTML(string=html, base_url=str(file.parent)).write_pdf(file, pdf_tags=True)

    try:
        draw(OWN)
    except AssertionError:
        draw(OWN + WITHOUT_GRIDS)
