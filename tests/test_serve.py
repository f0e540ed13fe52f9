"""`workbook serve` in a real browser: the door, one selection for all views, the pivot, its rows, one customer.

What is served is the workspace of the report that WORKBOOK_RENDERED names, or of a small shop rendered here. One page
is opened for all tests but the Chinese one, and what opening and each answer took is told at the end.
"""

import base64
import csv
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import pytest
import yaml
from matplotlib.axes import Axes

from workbook import pivot
from workbook.data.errors import WorkbookError
from workbook.data.findings import read_findings
from workbook.data.run import Run
from workbook.data.settings import load_settings
from workbook.data.simulate import write
from workbook.data.store import Store
from workbook.output import i18n
from workbook.output.explore import look_up
from workbook.output.explore import pivot as explore
from workbook.output.explore.selection import Selection, Watched
from workbook.output.serve.sources import Shop
from workbook.output.words import rfm as words

REPOSITORY = Path(__file__).resolve().parents[1]
ONCE = 90_000
LONGEST = 180_000  # milliseconds that a busy machine may take for what takes a second
SETTLED = 150  # milliseconds without a further part
LOADED = "Unsatisfied version|No satisfying version"  # what Voila says of JupyterLab's own libraries

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, workbook: Callable[..., str]) -> Path:
    """The settings of a rendered workspace of our own."""
    folder = tmp_path_factory.mktemp("served")
    made = os.environ.get("WORKBOOK_RENDERED")
    return copied(Path(made), folder) if made else rendered(folder, workbook)


def copied(report: Path, folder: Path) -> Path:
    """The workspace of a rendered report, without its pages."""
    workspace = report.parents[1]
    shutil.copytree(workspace / ".workbook", folder / ".workbook")
    shutil.copy2(workspace / "workbook.yaml", folder)
    (folder / "data").symlink_to(workspace / "data")
    (folder / "reports" / report.name).mkdir(parents=True)
    shutil.copy2(report / "findings.json", folder / "reports" / report.name)
    return folder / "workbook.yaml"


def rendered(folder: Path, workbook: Callable[..., str]) -> Path:
    """A small shop of the sample's kind, rendered in English."""
    write(folder / "data" / "sample", 600, 18, seed=3, progress=False)
    declared = yaml.safe_load((REPOSITORY / "workbook.yaml").read_text(encoding="utf-8"))
    del declared["control_totals"]  # those of the sample
    file = folder / "workbook.yaml"
    file.write_text(yaml.safe_dump(declared, allow_unicode=True), encoding="utf-8")
    workbook("render", "--lang", "en", folder=folder)
    return file


@pytest.fixture(scope="module")
def shop(settings: Path) -> Shop:
    declared = load_settings(settings)
    return Shop(Run("explore", declared, Store(declared.store_folder), as_of="", lang="en"))


class Server(NamedTuple):
    """A running server."""

    address: str  # with the token
    root: str  # without
    log: Path


@contextmanager
def serving(settings: Path, lang: str) -> Iterator[Server]:
    log = settings.parent / f"serve-{lang}.log"
    command = [str(Path(sys.executable).with_name("workbook")), "serve", "--no-browser", "--lang", lang]
    with log.open("wb") as written:
        process = subprocess.Popen(command, cwd=settings.parent, stdout=written, stderr=written)
    try:
        until = time.monotonic() + 90
        while not (found := re.search(r"http://127\.0\.0\.1:\d+/\?token=\S+", log.read_text())):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"the server did not start:\n{log.read_text()}")
            time.sleep(0.1)
        root = found[0].partition("?")[0]
        _listening(root)
        yield Server(found[0], root, log)
    finally:
        process.terminate()
        process.wait(timeout=30)


def _listening(root: str) -> None:
    port = int(root.rstrip("/").rpartition(":")[2])
    for _again in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("nobody listens")


@pytest.fixture(scope="module")
def server(settings: Path) -> Iterator[Server]:
    with serving(settings, "en") as running:
        yield running


def answer(address: str, **headers: str) -> int:
    """The status that a request is answered with."""
    try:
        with urllib.request.urlopen(urllib.request.Request(address, headers=headers), timeout=60) as got:
            return got.status
    except urllib.error.HTTPError as error:
        return error.code


def handshake(root: str, place: str, **headers: str) -> int:
    """The status that a websocket is answered with: 101 where it is opened."""
    host = root.removeprefix("http://").rstrip("/")
    name, _colon, port = host.partition(":")
    asked = {"Host": host, "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": base64.b64encode(b"0123456789abcdef").decode(), **headers}  # fmt: skip
    lines = [f"GET /{place} HTTP/1.1", *(f"{key}: {value}" for key, value in asked.items()), "", ""]
    with socket.create_connection((name, int(port)), timeout=60) as line:
        line.sendall("\r\n".join(lines).encode())
        return int(line.recv(64).split()[1])


CONTENT = (  # what stands in the first of a place: words, and pictures whole
    "place => {const e = document.querySelector(place);"
    " return e ? e.innerText.trim() + [...e.querySelectorAll('img')].map(i => i.src).join() : ''}"
)
CHANGED = f"([place, was]) => {{const now = ({CONTENT})(place); return now && now !== was}}"
RIGHTMOST = (  # pixel that a control reaches to
    "() => Math.max(...[...document.querySelectorAll('.wb-chooser, .wb-choices *, .wb-tabs, .wb-controls *')]"
    ".map(e => e.closest('option, .wb-rows') ? 0 : e.getBoundingClientRect().right))"
)
EXPLORED = ".wb-section .wb-explored"
VIEWS = {"pivot": "Pivot", "customer": "One customer", "builder": "Build a segment", "profile": "Profile", "rfm": "RFM",
         "groups": "Clusters", "value": "Lifetime value", "risk": "Risk of leaving", "plan": "Experiment"}  # fmt: skip


class Opened:
    """A page with what went wrong on it, where it asked, and what each answer took."""

    def __init__(self, browser: Any, server: Server, width: int = 1280) -> None:
        self.page = browser.new_page(viewport={"width": width, "height": 1000})
        self.faults: list[str] = []
        self.foreign: list[str] = []
        self.seconds: dict[str, float] = {}
        self.recorded: dict[str, float] = {}
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._asked)
        from playwright.sync_api import TimeoutError as NeverCame

        try:
            self._come_to(server.address, ONCE)
        except NeverCame:  # told among the times: on a busy machine a kernel's answer was seen to be lost by the server
            self.seconds["page that never came, and was opened again"] = ONCE / 1000
            self._come_to(server.address, LONGEST)

    def _come_to(self, address: str, patience: int) -> None:
        with self.timed("page with its first table"):
            self.page.goto(address, timeout=patience)
            self.page.locator(".wb-heat").wait_for(timeout=patience)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.seconds[what] = time.monotonic() - begun

    def told(self) -> str:
        """What took how long, and how busy the machine was."""
        rows = "".join(f"\n  {seconds:6.2f} s  {what}" for what, seconds in self.seconds.items())
        return f"Seconds, with {os.getloadavg()[0]:.1f} processes waiting on {os.cpu_count()} cores:{rows}"

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning") and not re.search(LOADED, message.text):
            self.faults.append(message.text)

    def _asked(self, request: Any) -> None:
        if not re.match(r"(http|ws)://127\.0\.0\.1:|data:|blob:", request.url):
            self.foreign.append(request.url)

    def text(self, place: str) -> str:
        return str(self.page.locator(place).first.inner_text())

    def content(self, place: str = EXPLORED) -> str:
        return str(self.page.evaluate(CONTENT, place))

    def after(self, act: Callable[[], Any], place: str, what: str = "") -> str:
        """The content of a place once an act has changed it."""
        was = self.content(place)
        with self.timed(what) if what else nullcontext():
            act()
            self._unlike(was, place)
        return self.settled(place)

    def _unlike(self, was: str, place: str) -> None:
        self.page.wait_for_function(CHANGED, arg=[place, was], timeout=LONGEST)

    def settled(self, place: str) -> str:
        """The content of a place once its last part is drawn."""
        found = self.content(place)
        while True:
            self.page.wait_for_timeout(SETTLED)
            last, found = found, self.content(place)
            if last == found:
                return found

    def open(self, code: str, what: str = "") -> str:
        """Show a section; what stands in it."""
        with self.timed(f"{VIEWS[code]}{what}"):
            self.page.locator(".wb-tabs button", has_text=re.compile(f"^{VIEWS[code]}$")).click()
            self.page.locator(f".wb-at-{code} .wb-explored").first.wait_for(timeout=LONGEST)
            self._unlike("", EXPLORED)
        return self.settled(EXPLORED)

    def look_at(self, name: str) -> None:
        self.page.locator(".wb-named select").select_option(label=name)

    def everybody(self) -> None:
        """No selection, whatever was chosen before."""
        clear = self.page.locator("button.wb-clear")
        if clear.is_enabled():
            self.after(clear.click, ".wb-state")
        assert self.text(".wb-state").startswith("All ")

    def type(self, place: str, text: str) -> None:
        field = self.page.locator(place)
        field.fill(text)
        field.press("Tab")

    @property
    def kernel(self) -> str:
        return str(json.loads(self.page.locator("#jupyter-config-data").inner_text())["kernelId"])


@pytest.fixture(scope="module")
def opened(server: Server, same_browser: Any) -> Iterator[Opened]:
    """The English page; each test begins with everybody, and leaves no fault behind."""
    page = Opened(same_browser, server)
    yield page
    print(f"\n{page.told()}")


@pytest.fixture
def at(opened: Opened, record_property: Callable[[str, object], None]) -> Iterator[Opened]:
    """The English page with everybody on it; what a test's answers took goes into its record."""
    opened.everybody()
    yield opened
    for what in [what for what, seconds in opened.seconds.items() if opened.recorded.get(what) != seconds]:
        opened.recorded[what] = opened.seconds[what]
        record_property(f"seconds: {what}", round(opened.seconds[what], 2))
    assert (opened.faults, opened.foreign) == ([], [])


def test_without_the_token_nothing_is_served(server: Server, at: Opened) -> None:
    kernel = f"api/kernels/{at.kernel}"
    for place in ("", "?token=wrong", "voila/static/voila.js", "voila/templates/lab/static/index.css", "login",
                  "voila/files/explore.ipynb", kernel, f"{kernel}/channels", "nothing/here"):  # fmt: skip
        assert answer(server.root + place) == 403, place
    assert handshake(server.root, f"{kernel}/channels") == 403
    [cookie] = [held for held in at.page.context.cookies() if held["name"].startswith("workbook-")]
    shown = f"{cookie['name']}={cookie['value']}"
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert answer(server.root + "voila/static/voila.js", Cookie=shown) == 200
    assert handshake(server.root, f"{kernel}/channels", Cookie=shown, Origin=server.root.rstrip("/")) == 101
    assert handshake(server.root, f"{kernel}/channels", Cookie=shown, Origin="http://evil.example") == 403
    assert answer(server.address, Host="evil.example") == 403  # a name that was made to point here
    token = server.address.partition("token=")[2]
    assert server.log.read_text().count(token) == 1  # in the address that was printed, and in no log line
    assert at.page.locator(".jp-InputArea-editor, .jp-Cell-inputWrapper .highlight").count() == 0
    assert "asked_for" not in at.page.content()  # no code of the page is in it


def test_a_segment_chosen_once_filters_every_view(at: Opened) -> None:
    whole = {code: at.open(code, ", opened for the first time") for code in (*list(VIEWS)[1:], "pivot")}
    at.after(lambda: at.look_at("Segment: Loyal"), EXPLORED, "Pivot, after a segment was chosen")
    state = re.search(r"Loyal: (\d+) of [\d,]+ customers", at.text(".wb-state"))
    assert state
    chosen = {code: at.open(code, ", of the segment") for code in VIEWS}
    assert [code for code in VIEWS if chosen[code] == whole[code]] == []
    assert re.search(r"RFM segment\s+Loyal", chosen["customer"])
    assert "inside the selection “Loyal”" in chosen["builder"]
    at.open("customer")
    assert f"Customer 1 of {state[1]}," in at.text(".wb-place")
    at.open("rfm")
    numbers = at.page.locator(f"{EXPLORED} .wb-table:not(.wb-heat) tbody td:nth-child(2)").all_inner_texts()
    assert sum(map(number, numbers)) == int(state[1])  # the segment alone
    at.after(at.page.locator("button.wb-clear").click, EXPLORED, "RFM, after the choice was cleared")
    for code in ("rfm", "pivot", "builder"):  # out of sight or not, all are back where they were
        assert at.open(code) == whole[code], code


def test_a_filter_of_ones_own_is_followed_and_a_wrong_one_told(at: Opened) -> None:
    at.open("pivot")
    wrong = at.after(lambda: at.type(".wb-sentence input", "recencydays < 30"), ".wb-state")
    assert "recency_days" in wrong
    at.after(lambda: at.type(".wb-sentence input", "recency_days <= 90"), EXPLORED, "Pivot, after a filter was typed")
    assert at.text(".wb-state").startswith("recency_days <= 90: ")


def test_what_is_chosen_in_a_view_filters_the_others(at: Opened) -> None:
    whole, scores = at.open("pivot"), at.open("rfm")
    cell = at.page.locator(f"{EXPLORED} .wb-heat tbody tr").nth(1).locator("td button").last
    wanted = cell.inner_text()
    at.after(cell.click, ".wb-state", "RFM, a cell chosen")
    assert re.match(rf"recency score 4, frequency score 5: {wanted} of ", at.text(".wb-state"))
    assert at.content() == scores  # one can choose another cell there
    assert cell.get_attribute("aria-pressed") == "true"
    assert at.open("pivot") != whole
    at.page.locator(".wb-controls select").first.select_option(label="RFM segment")
    first = at.page.locator(".wb-heat tbody tr", has_text="Champions").locator("th button")
    first.wait_for(timeout=LONGEST)
    first.click()
    at.after(at.page.locator("button.wb-look").click, ".wb-state", "Pivot, a row chosen")
    assert at.text(".wb-state").startswith("Champions: ")
    at.page.locator(".wb-controls select").first.select_option(label="Region of delivery")


def test_a_filter_that_is_saved_can_be_chosen_at_once(at: Opened) -> None:
    at.open("builder")
    at.after(lambda: at.type(".wb-built textarea", "purchase_days >= 2"), EXPLORED, "Builder, another filter")
    held = re.match(r"([\d,]+) customers", at.text(EXPLORED))
    assert held
    at.type(".wb-name input", "Came back")
    at.page.get_by_role("button", name="Save under this name").click()
    option = at.page.locator(".wb-named option", has_text="Saved: Came back")
    option.wait_for(state="attached", timeout=LONGEST)
    at.after(lambda: at.look_at("Saved: Came back"), ".wb-state")
    assert at.text(".wb-state").startswith(f"Came back: {held[1]} of ")


def test_a_click_or_a_key_on_a_cell_shows_its_rows(at: Opened) -> None:
    at.open("pivot")
    rows, cells = at.page.locator(".wb-rows tbody tr"), at.page.locator(".wb-heat tbody tr").first.locator("td button")
    amount, month = cells.first.inner_text(), at.page.locator(".wb-heat thead th").first.inner_text()
    with at.timed("Pivot, the rows behind a cell"):
        cells.first.click()
        rows.first.wait_for(timeout=LONGEST)
    assert at.text(".wb-rows caption").endswith(f", {month}")
    net = [number(text) for text in at.page.locator(".wb-rows tbody td:last-child").all_inner_texts()]
    assert len(net) < 200
    assert sum(net) == pytest.approx(number(amount), abs=0.5 * len(net))  # each is shown to the next whole one
    assert at.page.locator(".wb-heat td.wb-hidden").count() > 0
    assert at.page.locator(".wb-heat td.wb-hidden button").count() == 0
    cells.nth(1).focus()
    other = at.after(lambda: at.page.keyboard.press("Enter"), ".wb-rows", "Pivot, the rows, by a key")
    assert f", {at.page.locator('.wb-heat thead th').nth(1).inner_text()}\n" in other
    refused = at.after(lambda: forge(at, hidden_cell(at)), ".wb-rows")
    assert "These rows are not shown" in refused
    for side, everything in ((4, "all rows"), (5, "all columns")):  # the two lists, below the pivot's own four
        at.page.locator(".wb-controls select").nth(side).select_option(label=everything)
    assert "Rows behind all rows, all columns" in at.after(at.page.locator("button.wb-drill").click, ".wb-rows")
    with at.page.expect_download() as download:
        at.page.locator("a.wb-file").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\xef\xbb\xbf")


def hidden_cell(at: Opened) -> str:
    """The place of the first hidden cell."""
    return str(at.page.evaluate(
        "() => {const td = document.querySelector('.wb-heat td.wb-hidden'), tr = td.parentElement;"
        " return (tr.rowIndex - 1) + ',' + (td.cellIndex - 1)}"))  # fmt: skip


def forge(at: Opened, place: str) -> None:
    """A place told to the kernel that no button of the table tells."""
    at.page.evaluate("place => {const i = document.querySelector('[class*=wb-picked-] input'); i.value = place;"
                     " i.dispatchEvent(new Event('change', {bubbles: true}))}", place)  # fmt: skip


def number(text: str) -> float:
    return float(re.sub(r"[^\d.−-]", "", text).replace("−", "-"))


def test_a_customer_is_looked_up_by_id_and_stepped_to(at: Opened) -> None:
    at.open("customer")
    at.after(lambda: at.look_at("Segment: At risk"), EXPLORED, "One customer, after a segment was chosen")
    first = looked_up(at)
    assert at.text(".wb-place").startswith("Customer 1 of ")
    at.after(at.page.locator("button.wb-next").click, EXPLORED, "One customer, the next")
    second = looked_up(at)
    assert second != first
    assert at.text(".wb-place").startswith("Customer 2 of ")
    told = at.text(EXPLORED)
    assert all(part in told for part in ("Last purchase", "What happened", "What threatens"))
    assert re.search(r"RFM segment\s+At risk", told)
    assert "Purchases made" in at.page.locator(f"{EXPLORED} img").first.get_attribute("alt")
    unknown = at.after(lambda: at.type(".wb-id input", second + "9"), EXPLORED)
    assert "No customer has the id" in unknown
    assert second in unknown  # among the nearest
    at.after(lambda: at.type(".wb-id input", second), EXPLORED, "One customer, by id")
    assert looked_up(at) == second
    at.after(lambda: at.look_at("Segment: Champions"), EXPLORED)
    assert looked_up(at) == second  # who was asked for by name stays, and is no champion
    assert f"Customer {second} is not in the selection “Champions”" in at.text(EXPLORED)
    at.after(at.page.locator("button.wb-next").click, EXPLORED)
    assert looked_up(at) not in (first, second)
    assert at.text(".wb-place").startswith("Customer 1 of ")
    assert re.search(r"RFM segment\s+Champions", at.text(EXPLORED))


def looked_up(at: Opened) -> str:
    """The id of the customer in the field, once all of them is shown."""
    asked = at.page.locator(".wb-id input").input_value()
    shown = at.page.locator(EXPLORED).filter(has_text=f"Customer {asked}").filter(has_text="What to do next")
    shown.wait_for(timeout=LONGEST)
    return str(asked)


def test_the_chinese_page_fits_a_telephone_and_its_kernel_ends_with_it(settings: Path, same_browser: Any) -> None:
    with serving(settings, "zh") as server:
        opened = Opened(same_browser, server, width=390)
        assert opened.page.locator("html").get_attribute("lang") == "zh-CN"
        assert "数据透视" in opened.text(".wb-tabs")
        for tab, drawn in (("数据透视", ".wb-heat"), ("单个客户", ".wb-place p"), ("构建分群", ".wb-built")):
            opened.page.locator(".wb-tabs button", has_text=tab).click()
            opened.page.locator(f".wb-section {drawn}").wait_for(timeout=LONGEST)
            opened.settled(".wb-room")
            assert opened.page.evaluate(RIGHTMOST) <= 390, tab
            written = opened.text(".wb-room")
            assert not re.search(r"\b(the|and|of|customers|months)\b", written), tab
        kernel = f"{server.root}api/kernels/{opened.kernel}{'?' + server.address.partition('?')[2]}"
        assert answer(kernel) == 200
        opened.page.goto("about:blank")
        until = time.monotonic() + 60
        while answer(kernel) != 404 and time.monotonic() < until:
            time.sleep(0.2)
        assert answer(kernel) == 404
        assert (opened.faults, opened.foreign) == ([], [])
        opened.page.close()


def test_the_pivot_of_a_period_meets_its_report(shop: Shop, settings: Path) -> None:
    run = shop.run
    found = read_findings(settings.parent / "reports" / run.period.label / "findings.json")["03_profiling"]
    for measure, name in (("net_revenue", "net_revenue"), ("orders", "orders"), ("customers", "active_customers"),
                          ("average_order_value", "average_order_value"), ("margin", "margin")):  # fmt: skip
        for rows, columns in (("region", "channel"), ("segment", "weekday")):
            counted = pivot.facts(shop.sources, rows, columns, window=run.period)
            total = pivot.pivot(counted, rows=rows, columns=columns, measure=measure, smallest_cell=1).total
            assert total == pytest.approx(float(found[name].value)), (measure, rows)


def test_a_selection_is_shared_and_waits_out_of_sight(shop: Shop) -> None:
    selection = Selection(shop.run, shop.people)
    near, far = Watched(selection), Watched(selection)
    told: list[str] = []
    near.observe(lambda change: told.append(f"near {change['new'].customers}"))
    far.observe(lambda change: told.append(f"far {change['new'].customers}"))
    far.show(False)
    selection.choose("segment = champions", "Champions")
    size = selection.value.customers
    assert 0 < size < selection.value.of
    assert told == [f"near {size}"]
    far.show(True)
    assert told == [f"near {size}", f"far {size}"]
    orders = shop.run.table("clean/orders")
    assert far.of(orders).customer_id.nunique().to_pandas() == size
    with pytest.raises(WorkbookError, match="recency_days"):
        selection.choose("recencydays < 3")
    assert selection.value.customers == size  # a wrong filter changes nothing
    selection.choose("")
    assert selection.value == selection.everyone


def test_cells_of_the_file_are_harmless(shop: Shop) -> None:
    i18n.use("en", "CNY")
    counted = pivot.facts(shop.sources, "cluster", "channel")
    found = pivot.pivot(counted, rows="cluster", columns="channel", measure="customers", smallest_cell=5)
    text = explore.csv_text(found, {"a": "=cmd|' /C calc'!A0", "b": "@SUM(A1)", "c": "plain"})
    rows = list(csv.reader(io.StringIO(text)))
    assert [row[0] for row in rows if "cmd" in row[0]] == ["'=cmd|' /C calc'!A0"]
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]
    assert float(rows[-1][-1]) == found.total


def test_every_kind_of_customer_can_be_looked_up(shop: Shop) -> None:
    """One of each segment, whatever is blank of them."""
    i18n.use("en", "CNY")
    run, people = shop.run, shop.people
    some = run.frame(people.group_by("segment").aggregate(customer_id=people.customer_id.min()))
    tables = {name: run.table(f"clean/{name}") for name in (*look_up.TABLES, "consents") if run.has(f"clean/{name}")}
    for customer in some.itertuples():
        parts = look_up.of(run, people, tables, customer.customer_id, shop.groups)
        told = "\n".join(str(part) for part in parts if not isinstance(part, Axes))
        assert words.segment_name(customer.segment) in told
        assert not re.search(r"\b(nan|None|NaT)\b", told)
        plt.close("all")


def test_what_is_not_rendered_and_a_taken_port_are_said(settings: Path, tmp_path: Path) -> None:
    declared = load_settings(settings)
    with pytest.raises(WorkbookError, match="workbook render --as-of 2024-08"):
        Shop(Run("explore", declared, Store(declared.store_folder), as_of="2024-08", lang="en"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        command = [str(Path(sys.executable).with_name("workbook")), "serve", "--no-browser",
                   f"--port={taken.getsockname()[1]}"]  # fmt: skip
        ran = subprocess.run(command, cwd=settings.parent, capture_output=True, text=True, env=os.environ | {
            "COLUMNS": "200"}, timeout=60)  # fmt: skip
    assert ran.returncode == 2
    assert "taken" in ran.stderr
