"""The sample, rendered once in both languages: what its readers see, and what they must never see.

WORKBOOK_RENDERED may name a report of the sample that was rendered before, to save time while pages are written.
"""

import io
import json
import os
import re
import shutil
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from bs4 import BeautifulSoup, NavigableString, Tag
from PIL import Image
from python_calamine import CalamineWorkbook

from workbook.data.findings import read_findings
from workbook.data.metrics import METRICS
from workbook.data.notebooks import read_notebooks
from workbook.data.settings import load_settings
from workbook.output import report
from workbook.output.pages.headlines import HEADLINES
from workbook.output.pages.key_figures import KEY_FIGURES

REPOSITORY = Path(__file__).resolve().parents[1]
LANGUAGES = {"en": "en", "zh": "zh-CN"}
REMARK = "We mailed them on the 12th <script>document.title = 'owned'</script>"
LARGEST_PAGE = 1_000_000  # bytes
# 0.17000000000000004 is no telephone number.
LONG_FRACTION = re.compile(r"(?<![\d.])-?\d+\.\d{9,}(?:e[+-]?\d+)?(?![\d.])")
DATA_PICTURE = re.compile(r"data:image/[a-z+]+;base64,[A-Za-z0-9+/=]+")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the sample's report, with a remark that tries to run a script."""
    shop = tmp_path_factory.mktemp("sample")
    shutil.copy2(REPOSITORY / "workbook.yaml", shop)
    (shop / "data").symlink_to(REPOSITORY / "data")
    made = os.environ.get("WORKBOOK_RENDERED")
    if made:
        folder = shop / "reports" / Path(made).name
        shutil.copytree(made, folder)
    else:
        result = report.render(shop / "workbook.yaml")
        assert result.ok, [outcome for outcome in result.outcomes if outcome.state != "done"]
        folder = result.folder
    report.comment(load_settings(shop / "workbook.yaml"), folder.name, "04", REMARK, by="Ming")
    return folder


class Page(NamedTuple):
    """One page of the report."""

    path: Path
    lang: str
    html: str

    @property
    def name(self) -> str:
        return f"{self.lang}/{self.path.name}"

    @property
    def soup(self) -> BeautifulSoup:
        return BeautifulSoup(self.html, "html.parser")


@pytest.fixture(scope="module")
def pages(rendered: Path) -> list[Page]:
    paths = [(path, lang) for lang in LANGUAGES for path in sorted((rendered / lang).glob("*.html"))]
    found = [Page(path, lang, path.read_text(encoding="utf-8")) for path, lang in paths]
    assert len(found) == len(LANGUAGES) * (len(read_notebooks()) + 1)
    return found


def test_every_chapter_is_there_in_both_languages(rendered: Path) -> None:
    record = json.loads((rendered / "run.json").read_text(encoding="utf-8"))
    assert {outcome["state"] for outcome in record["outcomes"]} == {"done"}
    for lang in LANGUAGES:
        for outcome in record["outcomes"]:
            assert (rendered / lang / f"{outcome['chapter']}.html").exists()
            assert (rendered / lang / "notebooks" / f"{outcome['chapter']}.ipynb").exists()


def test_every_finding_is_defined_with_its_unit(rendered: Path) -> None:
    findings = read_findings(rendered / "findings.json")
    found = {f"{chapter}.{name}": finding for chapter, named in findings.items() for name, finding in named.items()}
    assert sorted(found.keys() - METRICS.keys()) == []
    assert [key for key, finding in found.items() if finding.unit != METRICS[key].unit] == []
    assert all(METRICS[key].owner and METRICS[key].definition for key in found)
    assert [headline.key for headline in HEADLINES if headline.key not in found] == ["10_satisfaction.satisfaction"]


def test_headlines_stand_beside_the_period_before(rendered: Path) -> None:
    for lang, before, noise in (("en", "Before", r"noise"), ("zh", "较上期", "波动")):
        soup = BeautifulSoup((rendered / lang / "index.html").read_text(encoding="utf-8"), "html.parser")
        cards = soup.select(".wb-figure:not(.wb-absent)")
        lines = [card.select_one(".wb-beside > div").get_text(" ", strip=True) for card in cards]
        assert len(lines) == len(HEADLINES) - 1, "all but satisfaction, which no chapter measures"
        assert all(text.startswith(before) and re.search(r"[▲▼＝]", text) for text in lines), lines
        assert all(re.search(noise, text) for text in lines[:4]), lines


def test_headlines_stand_beside_last_year_and_the_target(rendered: Path) -> None:
    soup = BeautifulSoup((rendered / "en" / "index.html").read_text(encoding="utf-8"), "html.parser")
    first = soup.select_one(".wb-figure")
    _before, year, target = (row.get_text(" ", strip=True) for row in first.select(".wb-beside > div"))
    assert re.fullmatch(r"Last year [▲▼] [+−][\d.]+% ¥[\d,]+ (more than|within) noise", year), year
    assert target == "Target ✓ met ¥95,000"
    assert "Margin" in first.select_one(".wb-aside").get_text()


def test_every_chapter_with_key_figures_shows_them_beside_the_period_before(pages: list[Page]) -> None:
    for page in pages:
        if page.path.stem in {"03_profiling", *KEY_FIGURES}:
            rows = [card.select_one(".wb-beside > div") for card in page.soup.select(".wb-figure")]
            assert len(rows) >= 2 and all(row.get_text(strip=True) for row in rows), page.name


def test_page_one_shows_what_moved_revenue_and_what_to_do(rendered: Path) -> None:
    for lang in LANGUAGES:
        soup = BeautifulSoup((rendered / lang / "index.html").read_text(encoding="utf-8"), "html.parser")
        assert len(soup.select(".bridge tbody tr")) >= 6
        assert all(len(bridge["aria-label"]) > 60 for bridge in soup.select(".bridge table"))
        assert len(soup.select(".steps ol li .wb-grade")) >= 3
        assert soup.select_one('[data-figure="03_profiling.next_net_revenue"]').get_text(strip=True)


def test_the_list_of_periods_leads_to_the_report_and_back(rendered: Path) -> None:
    for lang in LANGUAGES:
        soup = BeautifulSoup((rendered.parent / f"{lang}.html").read_text(encoding="utf-8"), "html.parser")
        links = [link["href"] for link in soup.select("tbody th a")]
        assert f"{rendered.name}/{lang}/index.html" in links
        assert all((rendered.parent / link).exists() for link in links)
        assert len(soup.select(".trend svg[aria-label]")) == len(HEADLINES) - 1
        back = BeautifulSoup((rendered / lang / "index.html").read_text(encoding="utf-8"), "html.parser")
        assert f"../../{lang}.html" in [link["href"] for link in back.select("nav.languages a")]


def test_pages_are_small_and_need_nothing_from_elsewhere(pages: list[Page]) -> None:
    assert [page.name for page in pages if len(page.html.encode()) >= LARGEST_PAGE] == []
    assert [fault for page in pages for fault in fetched(page.html)] == []


def fetched(html: str) -> list[str]:
    """What a browser would load for a page, and scripts; links that a reader may follow are not among it."""
    soup = BeautifulSoup(html, "html.parser")
    faults = [str(tag)[:80] for tag in soup.find_all(["script", "link", "iframe", "object", "embed", "base", "form"])]
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            loads = name in ("src", "srcset", "data", "poster", "background") or (name == "href" and tag.name != "a")
            if name.startswith("on") or (loads and not str(value).startswith(("data:image/", "#"))):
                faults.append(f"{tag.name} {name}={str(value)[:60]}")
    style = "".join(tag.get_text() for tag in soup.find_all("style")) + " ".join(
        str(tag["style"]) for tag in soup.find_all(style=True))
    return faults + re.findall(r"@import[^;]*|url\((?!['\"]?data:)[^)]*\)", style)


@pytest.mark.parametrize("html", [
    '<script src="x.js"></script>', '<link rel="icon" href="i.png">', '<img src="https://e.org/a.png">',
    '<a onclick="x()">', "<style>@import 'a.css';</style>", '<p style="background: url(http://e.org/b.png)">',
])  # fmt: skip
def test_what_a_page_loads_is_found(html: str) -> None:
    assert fetched(html)
    harmless = '<a href="https://e.org">x</a><img src="data:image/png;base64,AA=="><style>a { color: red }</style>'
    assert not fetched(harmless)


def figure_pages(pages: list[Page]) -> list[Page]:
    """The pages behind the figures, which chapters and cards lead to."""
    folders = {page.lang: page.path.parent / "figures" for page in pages}
    return [Page(path, lang, path.read_text(encoding="utf-8"))
            for lang, folder in folders.items() for path in sorted(folder.glob("*.html"))]


def test_links_lead_somewhere(pages: list[Page]) -> None:
    broken = []
    ids = {page.path: {tag["id"] for tag in page.soup.find_all(id=True)} for page in [*pages, *figure_pages(pages)]}
    for page in [*pages, *figure_pages(pages)]:
        for link in page.soup.find_all("a", href=True):
            target, _hash, place = link["href"].partition("#")
            if re.match(r"https?://", link["href"]):
                continue
            path = (page.path.parent / target).resolve() if target else page.path
            if not path.exists() or (place and place not in ids.get(path, ())):
                broken.append(f"{page.name}: {link['href']}")
    assert broken == []


def test_pages_are_built_for_every_reader(pages: list[Page]) -> None:
    faults = []
    for page in pages:
        soup = page.soup
        levels = [int(heading.name[1]) for heading in soup.find_all(re.compile(r"^h[1-6]$"))]
        ids = [tag["id"] for tag in soup.find_all(id=True)]
        checks = {
            "language": soup.html["lang"] == LANGUAGES[page.lang],
            "title": bool(soup.title.get_text(strip=True)),
            "one h1": levels.count(1) == 1,
            "order of headings": all(after <= before + 1 for before, after in pairwise(levels)),
            "alternatives of pictures": all(len(image.get("alt", "")) > 20 for image in soup.find_all("img")),
            "ids once": len(ids) == len(set(ids)),
            "tables with headings": all(table.find("th") for table in soup.find_all("table")),
            "contents": page.path.stem == "index" or len(soup.select("nav.contents li a")) > 5,
            "no code": not soup.select(".input, .input_area, .jp-InputArea, .highlight"),
            "no traceback": "Traceback" not in page.html,
            "no warning": "Warning: " not in page.html,
            "nothing unformatted": not re.search(r"\bnan\b|\bNaN\b|\bNone\b|\bNaT\b|&lt;Axes|dtype:", prose(soup)),
        }
        faults += [f"{page.name}: {name}" for name, fine in checks.items() if not fine]
    assert faults == []


def test_pictures_are_not_empty(pages: list[Page]) -> None:
    import base64

    pictures = [image for page in pages for image in page.soup.find_all("img")]
    assert len(pictures) > 20
    for image in pictures:
        with Image.open(io.BytesIO(base64.b64decode(image["src"].split(",", 1)[1]))) as picture:
            assert len(set(picture.convert("L").resize((200, 200)).tobytes())) > 10, image["alt"]


SOURCES = ("Sources", "资料来源")


def prose(soup: BeautifulSoup) -> str:
    """The words of a page, a line a text: no code, cells of tables or sources; alternatives and labels too."""
    return "\n".join(texts(soup))


def texts(soup: BeautifulSoup) -> Iterator[str]:
    sources = [heading for heading in soup.find_all("h2") if heading.get_text(strip=True) in SOURCES]
    skipped = {id(tag) for heading in sources for tag in _until_next_heading(heading)}
    for node in soup.find_all(string=True):
        around = [node, *node.parents]
        if any(isinstance(tag, Tag) and tag.name in ("script", "style", "code", "pre", "td") for tag in around):
            continue
        if type(node) is NavigableString and node.strip() and not any(id(tag) in skipped for tag in around):
            yield " ".join(node.split())
    for tag in soup.find_all(True):
        yield from (str(tag[name]) for name in ("alt", "title", "aria-label", "placeholder") if tag.get(name))


def _until_next_heading(heading: Tag) -> Iterator[Any]:
    for sibling in heading.next_siblings:
        if isinstance(sibling, Tag) and sibling.name in ("h1", "h2"):
            return
        yield sibling


ENGLISH = re.compile(r"(?:\b[A-Za-z][a-z’'-]*[ ,;:]+){4,}[A-Za-z][a-z’'-]+")
CHINESE = re.compile(r"[\u3400-\u9fff，。；：、（）]{4,}")


def foreign(page: Page, allowed: Iterable[str] = ()) -> list[str]:
    """Runs of words in the language that is not the page's; `allowed` are names that stay as they are."""
    words = prose(page.soup)
    for name in allowed:
        words = words.replace(name, "")
    return [found.group() for found in (ENGLISH if page.lang == "zh" else CHINESE).finditer(words)]


def test_each_page_speaks_one_language(pages: list[Page]) -> None:
    shop = load_settings(REPOSITORY / "workbook.yaml").name
    left = {page.name: found for page in pages if (found := foreign(page, allowed=[shop, REMARK]))}
    assert left == {}


def test_a_sentence_in_another_language_is_found() -> None:
    english = Page(Path("a.html"), "zh", "<p>销售额</p><p>Half of all customers came back.</p><td>a b c d e f</td>")
    assert foreign(english) == ["Half of all customers came back"]
    chinese = Page(Path("a.html"), "en", '<p>Revenue</p><img alt="各期有购买的客户">')
    assert foreign(chinese) == ["各期有购买的客户"]


# --- nothing personal ------------------------------------------------------------------------------


class People:
    """Every personal value of the sample, each kind as a search needs it."""

    def __init__(self) -> None:
        with (REPOSITORY / "data" / "sample" / "customers.xlsx").open("rb") as file:
            head, *rows = CalamineWorkbook.from_filelike(file).get_sheet_by_name("客户").to_python()
        columns = {name: [str(row[place]).strip() for row in rows] for place, name in enumerate(head)}
        self.names = {name for name in columns["姓名"] if len(name) > 1}
        self.phones = {_digits(phone)[-11:] for phone in columns["手机号"] if phone}
        self.mails = {mail.lower() for mail in columns["邮箱"] if mail}
        self.addresses = {address for address in columns["地址"] if address}
        self.births = {_day(day) for day in columns["出生日期"] if day}

    def found_in(self, text: str) -> list[str]:
        """Personal values in a text, in whatever spelling."""
        text = unicodedata.normalize("NFKC", LONG_FRACTION.sub("", DATA_PICTURE.sub("", text)))
        joined = re.sub(r"(?<=\d)[ .()\-\u2010-\u2013\u00a0\u202f/]{1,2}(?=\d)", "", text)
        phones = {run[i : i + 11] for run in re.findall(r"\d{11,19}", joined) for i in range(len(run) - 10)}
        mails = {mail.lower() for mail in re.findall(r"[\w.+-]+@[\w-]+\.[a-zA-Z]{2,}", text)}
        closed = re.sub(r"(?<=[\u4e00-\u9fff\d])\s+(?=[\u4e00-\u9fff\d])", "", text)
        streets = re.findall(r"[\u4e00-\u9fff]{4,}\d+号", closed)
        addresses = {street[i:] for street in streets for i in range(len(street))}
        births = {_day(day) for day in re.findall(r"(?:19|20)\d\d[-/年]\d\d?[-/月]\d\d?", text)}
        # A name of two characters may stand inside a word: only what stands alone between other signs is one.
        names = set(re.findall(r"(?<![\u4e00-\u9fff])[\u4e00-\u9fff]{2,4}(?![\u4e00-\u9fff])", text))
        hits = (phones & self.phones, mails & self.mails, addresses & self.addresses, births & self.births,
                names & self.names)  # fmt: skip
        return sorted(set().union(*hits))


def _digits(text: str) -> str:
    return re.sub(r"\D", "", unicodedata.normalize("NFKC", text))


def _day(text: str) -> str:
    return "-".join(part.zfill(2) for part in re.findall(r"\d+", text)[:3])


@pytest.fixture(scope="module")
def people() -> People:
    known = People()
    assert len(known.names) > 500 and len(known.phones) > 2500 and len(known.mails) > 2000
    assert len(known.addresses) > 2000 and len(known.births) > 2000
    return known


def test_the_databases_hold_no_further_personal_columns() -> None:
    """What the search must know of: nothing but the sheet of customers names people."""
    with sqlite3.connect(f"file:{REPOSITORY / 'data' / 'sample' / 'crm.db'}?mode=ro", uri=True) as database:
        tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        columns = {row[1] for table in tables for row in database.execute(f"pragma table_info({table})")}
    assert tables and not columns & {"name", "phone", "mail", "email", "address", "birth_date", "ip_address"}


@pytest.mark.parametrize("planted", [
    "<td>{name}</td>", "{phone}", "+86 {phone}", "0086{phone}", "{phone_spaced}", "{phone_dashed}", "{phone_wide}",
    "{mail}", "{mail_upper}", "<li>{address}</li>", "{address_spaced}", "{birth}", "{birth_chinese}", '["{name}", 3]',
])  # fmt: skip
def test_a_planted_value_is_found(planted: str, people: People, pages: list[Page]) -> None:
    name, phone, mail = sorted(people.names)[0], sorted(people.phones)[5], sorted(people.mails)[0]
    address, birth = sorted(people.addresses)[0], "1981-05-20"
    year, month, day = birth.split("-")
    assert birth in people.births
    text = planted.format(
        name=name, phone=phone, phone_spaced=f"{phone[:3]} {phone[3:7]} {phone[7:]}",
        phone_dashed=f"{phone[:3]}-{phone[3:7]}-{phone[7:]}", phone_wide="".join(chr(ord(c) + 0xFEE0) for c in phone),
        mail=mail, mail_upper=mail.upper(), address=address, address_spaced=f"{address[:3]} {address[3:]}",
        birth=birth, birth_chinese=f"{year}年{int(month)}月{int(day)}日",
    )
    html = pages[0].html
    assert people.found_in(html) == []
    middle = html.index("</h1>")
    assert len(people.found_in(f"{html[:middle]} {text} {html[middle:]}")) == 1


def test_nothing_personal_is_in_the_report(rendered: Path, people: People) -> None:
    files = [path for path in rendered.rglob("*") if path.is_file()]
    assert {".html", ".ipynb", ".json", ".csv"} <= {path.suffix for path in files}
    leaks = {str(path.relative_to(rendered)): found for path in files
             if (found := people.found_in(path.read_text(encoding="utf-8")))}  # fmt: skip
    assert leaks == {}


# --- in a browser ---------------------------------------------------------------------------------


TOO_WIDE = """[...document.querySelectorAll("body *")].filter(e => !e.closest(".wb-table, pre, .skip, .output_png")
    && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 80))"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("lang", LANGUAGES)
def test_pages_open_without_a_network_and_fit(lang: str, width: int, browser: Any, pages: list[Page]) -> None:
    faults: list[str] = []
    opened = browser.new_page(viewport={"width": width, "height": 900})
    opened.route("**/*", lambda route: route.continue_() if route.request.url.startswith("file:") else route.abort())
    opened.on("console", lambda message: faults.append(f"console: {message.text}"))
    opened.on("pageerror", lambda error: faults.append(f"error: {error}"))
    opened.on("request", lambda request: faults.extend(_from_elsewhere(request.url)))
    opened.on("requestfailed", lambda request: faults.append(f"failed: {request.url[:80]}"))
    for page in (page for page in pages if page.lang == lang):
        opened.goto(page.path.as_uri())
        scrolls = opened.evaluate("document.documentElement.scrollWidth - innerWidth")
        wide = opened.evaluate(TOO_WIDE)
        faults += [f"{page.name}: {scrolls} px too wide, {wide[:3]}"] if scrolls > 0 or wide else []
        broken = opened.evaluate("[...document.images].filter(i => i.complete && !i.naturalWidth).length")
        faults += [f"{page.name}: {broken} pictures do not show"] if broken else []
    assert faults == []


def _from_elsewhere(url: str) -> list[str]:
    return [] if url.startswith(("file:", "data:")) else [f"asked for {url[:80]}"]


def test_a_remark_is_text(browser: Any, rendered: Path) -> None:
    opened = browser.new_page()
    opened.goto((rendered / "en" / "04_rfm.html").as_uri())
    assert REMARK in opened.inner_text("blockquote.comment")
    assert opened.title() != "owned"


def test_the_entrance_leads_to_the_first_language(browser: Any, rendered: Path) -> None:
    opened = browser.new_page()
    opened.goto((rendered / "index.html").as_uri())
    opened.wait_for_url("**/en/index.html")
    opened.click("nav.languages a[lang]")
    assert opened.evaluate("document.documentElement.lang") == "zh-CN"
