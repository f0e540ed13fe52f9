"""The sample's report in a real browser: nothing asked of the network, nothing broken, both languages, two widths.

And searched, as files, for every personal value of the sample's records. One render serves all of it.
"""

import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from python_calamine import CalamineWorkbook

from workbook.output import i18n, report
from workbook.output.report import Rendered

ROOT = Path(__file__).resolve().parents[1]
LANGS = ["en", "zh"]
MOST_BYTES = 1_000_000
CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rendered]:
    """The committed sample, rendered in both languages."""
    shop = tmp_path_factory.mktemp("shop")
    given = os.environ.get("WORKBOOK_TEST_REPORT")  # a report rendered before, to look at without waiting
    if given:
        folder = Path(given)
        yield Rendered(folder, folder / "index.html", [], None)
        return
    shutil.copy(ROOT / "workbook.yaml", shop)
    (shop / "data").symlink_to(ROOT / "data")
    made = report.render(shop / "workbook.yaml")
    assert made.ok, [outcome.error for outcome in made.outcomes if outcome.error]
    yield made
    i18n.use("en", "")


def pages(rendered: Rendered, lang: str = "*") -> list[Path]:
    found = sorted(rendered.folder.glob(f"{lang}/*.html"))
    assert len(found) >= 6
    return found


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("lang", LANGS)
def test_every_page_opens_without_a_request_or_an_error(
    browser: Any, rendered: Rendered, lang: str, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, offline=True)
    view = context.new_page()
    told: list[str] = []
    view.on("console", lambda message: told.append(message.text) if message.type in ("error", "warning") else None)
    view.on("pageerror", lambda error: told.append(str(error)))
    view.on("request", lambda sent: None if sent.url.startswith(("file:", "data:")) else told.append(sent.url))
    for path in pages(rendered, lang):
        view.goto(path.as_uri())
        assert view.evaluate("document.documentElement.scrollWidth") <= width, f"{path.name} is wider than the screen"
        broken = view.evaluate(
            "Promise.all([...document.images].map(i => i.decode().then(() => 0, () => 1))).then(all => all.indexOf(1))")
        assert broken == -1, f"{path.name}: picture {broken + 1} does not show"
        assert view.locator("h1").count() == 1
    assert told == []
    context.close()


def test_a_reader_finds_the_way(browser: Any, rendered: Rendered) -> None:
    view = browser.new_page()
    view.goto(rendered.index.as_uri())
    view.wait_for_url("**/en/index.html")
    view.get_by_role("link", name="中文").click()
    view.wait_for_url("**/zh/index.html")
    view.locator("ol.chapters a").last.click()
    view.wait_for_url("**/zh/04_rfm.html")
    view.locator("nav.contents a").first.click()
    view.get_by_role("link", name="English").click()
    view.wait_for_url("**/en/04_rfm.html")
    view.locator("a.shop").click()
    view.wait_for_url("**/en/index.html")
    definition = view.locator("details.wb-definition").first
    assert not definition.locator("p").first.is_visible()
    definition.locator("summary").click()
    assert definition.locator("p").first.is_visible()


def test_pages_stand_alone_and_are_small(rendered: Rendered) -> None:
    for path in [rendered.index, *pages(rendered)]:
        text = path.read_text(encoding="utf-8")
        assert len(text.encode()) < MOST_BYTES, f"{path.name} has {len(text.encode())} bytes"
        soup = BeautifulSoup(text, "html.parser")
        assert not soup.find_all(["script", "iframe", "link"])
        for tag in soup.find_all(src=True):
            assert tag["src"].startswith("data:")
        assert "@import" not in text and "url(" not in text


def test_pictures_say_in_words_what_they_show(rendered: Rendered) -> None:
    for lang in LANGS:
        for path in pages(rendered, lang):
            for picture in BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").find_all("img"):
                text = picture.get("alt", "")
                assert len(text) > 10, f"{path.name}: a picture without a text alternative"
                assert bool(CHINESE.search(text)) or lang == "en", f"{path.name}: {text}"


def test_code_and_exercises_are_hidden(rendered: Rendered) -> None:
    for path in pages(rendered):
        text = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser").get_text()
        for hidden in ("open_run(", "import pandas", "Traceback", "## Exercises", "<Axes"):
            assert hidden not in text, f"{path.name} shows {hidden}"


def test_chinese_pages_speak_chinese(rendered: Rendered) -> None:
    """No sentence of the English report is left in the Chinese one."""
    for english in pages(rendered, "en"):
        sentences = _sentences(english)
        left = sentences & _sentences(rendered.folder / "zh" / english.name)
        assert not left, f"{english.name}: {sorted(left)[:5]}"


def _sentences(path: Path) -> set[str]:
    """Texts of several English words, as readers see them, without names of tables and files."""
    soup = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
    for tag in soup.find_all(["code", "style", "pre", "title"]):
        tag.decompose()
    texts = (" ".join(tag.get_text(" ", strip=True).split()) for tag in soup.find_all(["p", "li", "th", "dt", "h2", "h3",
                                                                                    "caption", "summary"]))
    return {text for text in texts if len(re.findall(r"\b[a-z]{2,}\b", text)) >= 4 and not CHINESE.search(text)}


def test_both_languages_show_the_same_figures(rendered: Rendered) -> None:
    """Card by card: the same digits."""
    def digits(lang: str) -> list[str]:
        soup = BeautifulSoup((rendered.folder / lang / "index.html").read_text(encoding="utf-8"), "html.parser")
        return [re.sub(r"[^\d.]", "", tag.get_text()) for tag in soup.select(".wb-value")]

    assert digits("en") == digits("zh")
    assert len(digits("en")) >= 4


def test_every_finding_has_a_definition_of_its_unit(rendered: Rendered) -> None:
    from workbook.data.metrics import METRICS

    found = json.loads((rendered.folder / "findings.json").read_text(encoding="utf-8"))
    for chapter, findings in found.items():
        for name, finding in findings.items():
            assert METRICS[f"{chapter}.{name}"].unit == finding["unit"]


def test_every_headline_has_its_definition_behind_it(rendered: Rendered) -> None:
    soup = BeautifulSoup((rendered.folder / "en" / "index.html").read_text(encoding="utf-8"), "html.parser")
    cards = soup.select(".wb-figure")
    assert cards and all(card.select_one("details.wb-definition p").get_text(strip=True) for card in cards)


def personal_values() -> set[str]:
    """Every name, telephone number, mail address, postal address and birth date of the sample's records."""
    rows = CalamineWorkbook.from_path(str(ROOT / "data/sample/customers.xlsx")).get_sheet_by_name("客户").to_python()
    at = [rows[0].index(name) for name in ("姓名", "手机号", "邮箱", "地址", "出生日期")]
    values = {str(row[i]).strip() for row in rows[1:] for i in at}
    return {value for value in values if len(value) >= 2}


def told(texts: Iterable[str], secrets: set[str]) -> set[str]:
    """The secrets that stand in the texts; each is looked for by its first eight characters, then whole."""
    by_start: dict[str, list[str]] = {}
    for secret in secrets:
        by_start.setdefault(secret[:8], []).append(secret)
    lengths = sorted({len(start) for start in by_start})
    found = set()
    for text in texts:
        for length in lengths:
            for place in range(len(text) - length + 1):
                for secret in by_start.get(text[place : place + length], ()):
                    if text.startswith(secret, place):
                        found.add(secret)
    return found


def plain_text(path: Path) -> str:
    """A file's text without its pictures and with its escapes undone."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".ipynb":
        text = json.dumps(json.loads(text), ensure_ascii=False)
    return re.sub(r"[A-Za-z0-9+/=\\]{300,}", " ", unescape(text))


def test_a_planted_personal_value_is_found(rendered: Rendered, tmp_path: Path) -> None:
    secrets = personal_values()
    assert len(secrets) > 9_000
    for kind in (r"1\d{10}", r"\S+@\S+", r"[\u4e00-\u9fff]{2,3}", r"(19|20)\d\d-\d\d-\d\d"):
        secret = next(value for value in sorted(secrets) if re.fullmatch(kind, value))
        planted = tmp_path / "planted.html"
        page = pages(rendered, "zh")[1].read_text(encoding="utf-8")
        planted.write_text(page.replace("</article>", f"<p>看{secret}，</p></article>"), encoding="utf-8")
        assert secret in told([plain_text(planted)], secrets)


def test_no_personal_value_stands_in_the_report(rendered: Rendered) -> None:
    files = [path for path in rendered.folder.rglob("*") if path.suffix in (".html", ".json", ".csv", ".ipynb")]
    assert len(files) > 20
    assert told(map(plain_text, files), personal_values()) == set()
