"""`workbook serve` in a real browser: the door, one selection for all views, the pivot, its rows, one customer."""

import base64
import csv
import io
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
LONGEST = 180_000  # milliseconds that a busy machine may take for what takes a second
LOADED = "Unsatisfied version|No satisfying version"  # what Voila says of JupyterLab's own libraries

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, workbook: Callable[..., str]) -> Path:
    """The settings of a small shop of the sample's kind, rendered once in English."""
    folder = tmp_path_factory.mktemp("served")
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


class Opened:
    """A page with what went wrong on it and where it asked."""

    def __init__(self, browser: Any, server: Server, width: int = 1280) -> None:
        self.page = browser.new_page(viewport={"width": width, "height": 1000})
        self.faults: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._asked)
        begun = time.monotonic()
        self.page.goto(server.address, timeout=LONGEST)
        self.page.locator(".wb-tabs button").first.wait_for(timeout=LONGEST)
        self.page.locator(".wb-heat").wait_for(timeout=LONGEST)
        self.seconds = time.monotonic() - begun
        self.slowest = 0.0

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning") and not re.search(LOADED, message.text):
            self.faults.append(message.text)

    def _asked(self, request: Any) -> None:
        if not re.match(r"(http|ws)://127\.0\.0\.1:|data:|blob:", request.url):
            self.foreign.append(request.url)

    def text(self, place: str) -> str:
        return str(self.page.locator(place).first.inner_text())

    def after(self, act: Callable[[], Any], place: str) -> str:
        """The text of a place once an act has changed it; the time that took is remembered."""
        before, begun = self.text(place), time.monotonic()
        act()
        self.page.wait_for_function("([place, text]) => {const e = document.querySelector(place);"
                                    " return e && e.innerText.trim() && e.innerText !== text}",
                                    arg=[place, before], timeout=LONGEST)  # fmt: skip
        self.slowest = max(self.slowest, time.monotonic() - begun)
        return self.text(place)

    def open(self, tab: str, code: str) -> None:
        self.page.locator(".wb-tabs button", has_text=re.compile(f"^{tab}$")).click()
        self.page.locator(f".wb-at-{code} .wb-explored").first.wait_for(timeout=LONGEST)

    def look_at(self, name: str) -> None:
        self.page.locator(".wb-named select").select_option(label=name)

    @property
    def kernel(self) -> str:
        return str(json.loads(self.page.locator("#jupyter-config-data").inner_text())["kernelId"])


def test_without_the_token_nothing_is_served(server: Server, browser: Any) -> None:
    opened = Opened(browser, server)
    kernel = f"api/kernels/{opened.kernel}"
    for place in ("", "?token=wrong", "voila/static/voila.js", "voila/templates/lab/static/index.css", "login",
                  "voila/files/explore.ipynb", kernel, f"{kernel}/channels", "nothing/here"):  # fmt: skip
        assert answer(server.root + place) == 403, place
    assert handshake(server.root, f"{kernel}/channels") == 403
    [cookie] = [held for held in opened.page.context.cookies() if held["name"].startswith("workbook-")]
    shown = f"{cookie['name']}={cookie['value']}"
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert answer(server.root + "voila/static/voila.js", Cookie=shown) == 200
    assert handshake(server.root, f"{kernel}/channels", Cookie=shown, Origin=server.root.rstrip("/")) == 101
    assert handshake(server.root, f"{kernel}/channels", Cookie=shown, Origin="http://evil.example") == 403
    assert answer(server.address, Host="evil.example") == 403  # a name that was made to point here
    token = server.address.partition("token=")[2]
    assert server.log.read_text().count(token) == 1  # in the address that was printed, and in no log line
    opened.page.close()


def test_a_kernel_ends_with_its_page(server: Server, browser: Any) -> None:
    opened = Opened(browser, server)
    address = f"{server.root}api/kernels/{opened.kernel}{'?' + server.address.partition('?')[2]}"
    assert answer(address) == 200
    opened.page.goto("about:blank")
    until = time.monotonic() + 30
    while answer(address) != 404 and time.monotonic() < until:
        time.sleep(0.2)
    assert answer(address) == 404


def test_a_segment_chosen_once_filters_every_view(server: Server, browser: Any) -> None:
    opened = Opened(browser, server)
    print(f"page with its first table: {opened.seconds:.1f} s")
    said = ".wb-explored .wb-say"
    everybody = opened.text(said)
    picked = opened.after(lambda: opened.look_at("Segment: Champions"), said)
    assert picked != everybody
    state = re.search(r"Champions: (\d+) of [\d,]+ customers", opened.text(".wb-state"))
    assert state
    opened.open("RFM", "rfm")
    listed = ".wb-section .wb-explored .wb-table"
    opened.page.locator(listed).wait_for(timeout=LONGEST)
    numbers = opened.page.locator(f"{listed} tbody td:nth-child(2)").all_inner_texts()
    assert sum(map(int, numbers)) == int(state[1])  # the segment alone
    clear = opened.page.locator("button.wb-clear")
    table = opened.after(clear.click, listed)
    assert len(table.split("\n")) > 5
    assert opened.text(".wb-state").startswith("All ")
    assert clear.is_disabled()
    opened.open("Pivot", "pivot")
    opened.page.get_by_text(re.compile(re.escape(everybody))).first.wait_for(timeout=LONGEST)  # it has caught up
    sentence = opened.page.locator(".wb-sentence input")
    wrong = opened.after(lambda: (sentence.fill("recencydays < 30"), sentence.press("Enter")), ".wb-state")
    assert "recency_days" in wrong
    opened.after(lambda: (sentence.fill("recency_days <= 90"), sentence.press("Enter")), said)
    assert "recency_days <= 90" in opened.text(".wb-state")
    print(f"slowest answer: {opened.slowest:.1f} s")
    assert (opened.faults, opened.foreign) == ([], [])
    assert opened.page.locator(".jp-InputArea-editor, .jp-Cell-inputWrapper .highlight").count() == 0
    assert "asked_for" not in opened.page.content()  # no code of the page is in it
    opened.page.close()


def test_rows_are_shown_and_a_customer_among_them_looked_up(server: Server, browser: Any) -> None:
    opened = Opened(browser, server)
    opened.page.locator("button.wb-drill").click()
    rows = opened.page.locator(".wb-rows tbody tr")
    rows.first.wait_for(timeout=LONGEST)
    assert 1 < rows.count() <= 200
    ids = [cell for cell in opened.page.locator(".wb-rows tbody td:nth-child(3)").all_inner_texts() if len(cell) > 3]
    with opened.page.expect_download() as download:
        opened.page.locator("a.wb-file").click()
    assert Path(download.value.path()).read_bytes().startswith(b"\xef\xbb\xbf")
    opened.open("One customer", "customer")
    asked, shown = opened.page.locator(".wb-id input"), ".wb-section .wb-explored"
    opened.after(lambda: (asked.fill(ids[0]), asked.press("Enter")), shown)
    opened.page.get_by_text("What to do next").wait_for(timeout=LONGEST)
    told = opened.text(shown)
    for part in (f"Customer {ids[0]}", "RFM segment", "Last purchase", "What happened", "What to do next"):
        assert part in told
    alternative = opened.page.locator(f"{shown} img").first.get_attribute("alt")
    assert "Purchases made" in alternative
    unknown = opened.after(lambda: (asked.fill(ids[0] + "9"), asked.press("Enter")), shown)
    assert "No customer has the id" in unknown
    assert ids[0] in unknown  # among the nearest
    assert (opened.faults, opened.foreign) == ([], [])
    opened.page.close()


def test_the_chinese_page_fits_a_telephone(settings: Path, browser: Any) -> None:
    with serving(settings, "zh") as server:
        opened = Opened(browser, server, width=390)
        assert opened.page.locator("html").get_attribute("lang") == "zh-CN"
        assert "数据透视" in opened.text(".wb-tabs")
        widest = opened.page.evaluate(
            "() => Math.max(...[...document.querySelectorAll('.wb-chooser, .wb-choices *, .wb-tabs, .wb-controls *')]"
            ".map(e => e.getBoundingClientRect().right))")  # fmt: skip
        assert widest <= 390
        written = opened.page.locator(".wb-room").inner_text()
        assert not re.search(r"\b(the|and|of|customers|months)\b", written)
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
