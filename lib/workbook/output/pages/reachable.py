"""Parts of a page that scroll sideways on a narrow screen: everybody reaches them, and can tell them apart."""

from __future__ import annotations

from collections import Counter

from bs4 import BeautifulSoup

from workbook.output.i18n import _

PICTURE = "output_png"  # pictures and texts scroll; tables bring their own box


def make_reachable(soup: BeautifulSoup) -> None:
    """Boxes that scroll take the keyboard's focus; no two regions bear one name; a heading says something.

    >>> page = BeautifulSoup("<pre>x</pre><table><tr><th></th><th>n</th></tr></table>", "html.parser")
    >>> make_reachable(page)
    >>> str(page)
    '<pre tabindex="0">x</pre><table><tr><td></td><th>n</th></tr></table>'
    """
    seen: Counter[str] = Counter()
    for tag in soup.find_all(True):  # once for all: a CSS selector asks every tag of the page again
        is_picture = PICTURE in tag.get("class", ())
        if is_picture or tag.name == "pre":
            tag["tabindex"] = "0"
        if is_picture:
            tag["role"], tag["aria-label"] = "group", _("Picture")
        elif tag.get("role") == "region" and "aria-label" in tag.attrs:
            label = str(tag["aria-label"])
            seen[label] += 1
            if seen[label] > 1:
                tag["aria-label"] = f"{label} {seen[label]}"
        elif tag.name == "th" and not tag.get_text(strip=True):
            tag.name = "td"
            del tag["scope"]
