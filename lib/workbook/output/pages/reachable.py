"""Parts of a page that scroll sideways on a narrow screen: everybody reaches them, and can tell them apart."""

from __future__ import annotations

from collections import Counter

from bs4 import BeautifulSoup

from workbook.output.i18n import _

SCROLLING = ".output_png, pre"  # tables bring their own box


def make_reachable(soup: BeautifulSoup) -> None:
    """Boxes that scroll take the keyboard's focus; no two regions bear one name; a heading says something.

    >>> page = BeautifulSoup("<pre>x</pre><table><tr><th></th><th>n</th></tr></table>", "html.parser")
    >>> make_reachable(page)
    >>> str(page)
    '<pre tabindex="0">x</pre><table><tr><td></td><th>n</th></tr></table>'
    """
    for box in soup.select(SCROLLING):
        box["tabindex"] = "0"
    for picture in soup.select(".output_png"):
        picture["role"] = "group"
        picture["aria-label"] = _("Picture")
    seen: Counter[str] = Counter()
    for region in soup.select("[role=region][aria-label]"):
        label = str(region["aria-label"])
        seen[label] += 1
        if seen[label] > 1:
            region["aria-label"] = f"{label} {seen[label]}"
    for heading in soup.find_all("th"):
        if not heading.get_text(strip=True):
            heading.name = "td"
            del heading["scope"]
