"""JupyterLab in a real browser, as an analyst works: every notebook in its order, Run All, then a control is moved."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from workbook.data.simulate import write

REPOSITORY = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
ERROR = "[data-mime-type='application/vnd.jupyter.stderr'] .ansi-red-fg"  # warnings have no colour
LOOKS = 250  # milliseconds between two looks at the page; at every frame, Chromium would draw all of it for each
LEAST = 0.4  # of the bytes of the picture before: an empty one has a tenth
EXPLORED = {path.name for path in NOTEBOOKS if "explore." in path.read_text(encoding="utf-8")}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A smaller shop of the sample's kind, with copies of the notebooks beside its settings; nothing is rendered."""
    folder = tmp_path_factory.mktemp("shop")
    write(folder / "data" / "sample", 700, 24, seed=3, progress=False)
    settings = yaml.safe_load((REPOSITORY / "workbook.yaml").read_text(encoding="utf-8"))
    del settings["control_totals"]  # those of the sample
    (folder / "workbook.yaml").write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    for path in NOTEBOOKS:
        shutil.copy2(path, folder)
    return folder


@pytest.fixture(scope="module")
def lab(shop: Path) -> Iterator[str]:
    """The address of JupyterLab on the shop's folder."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = shop / "home"
    wishes = {
        "notebook-extension/tracker": '{"windowingMode": "none"}',  # else cells out of sight are not drawn
        "apputils-extension/notification": '{"fetchNews": "false"}',
    }
    for name, wish in wishes.items():
        file = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(wish)
    environment = {key: value for key, value in os.environ.items() if key != "WORKBOOK_REPORT"} | {
        "JUPYTER_CONFIG_DIR": str(home / "config"), "JUPYTER_DATA_DIR": str(home / "data"),
        "IPYTHONDIR": str(home / "ipython"), "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
    }  # fmt: skip
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}",
        "--ServerApp.disable_check_xsrf=True", "--ServerApp.port_retries=0", "--ServerApp.ip=127.0.0.1",
        "--IdentityProvider.token=",
        f"--ServerApp.root_dir={shop}", "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    with (shop / "lab.log").open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
    try:
        _wait_for(f"http://127.0.0.1:{port}/api", server, shop / "lab.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=30)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"JupyterLab did not start:\n{log.read_text(errors='replace')}") from None
            time.sleep(0.2)


@pytest.fixture
def context(browser: Any) -> Any:
    """One window for every notebook: what it has loaded of JupyterLab is there for the next."""
    return browser.new_context(viewport={"width": 1400, "height": 1000})


def test_every_notebook_runs_and_its_controls_answer(lab: str, context: Any) -> None:
    """One after another, since each reads what those before it made: 01 collects, 02 cleans, and so on."""
    assert len(EXPLORED) > 1
    faults = {path.name: fault for path in NOTEBOOKS if (fault := _worked_with(lab, context, path.name))}
    assert faults == {}


def test_a_notebook_that_fails_is_found(lab: str, context: Any, shop: Path) -> None:
    cells = [nbformat.v4.new_code_cell(source) for source in ("1 + 1", "1 / 0", "2")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), shop / "planted.ipynb")
    assert "division by zero" in _worked_with(lab, context, "planted.ipynb")


def _worked_with(lab: str, context: Any, name: str) -> str:
    """Run All on one notebook, then one step on the first control of its explorer; what went wrong, or nothing."""
    page = context.new_page()
    page.goto(f"{lab}/lab/tree/{name}?reset")
    page.locator(".jp-Notebook").wait_for(timeout=60_000)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    page.get_by_text("Run", exact=True).first.click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()
    page.wait_for_function(
        "() => [...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].every(e => /\\d/.test(e.innerText))"
        f" || document.querySelector({ERROR!r})",
        polling=LOOKS, timeout=180_000,
    )
    errors = page.locator(ERROR)
    fault = errors.first.locator("xpath=..").inner_text()[-300:] if errors.count() else ""
    if not fault and name in EXPLORED:
        fault = _moved(page)
    if not fault and page.locator(".wb-heat").count():  # the pivot: a click on a cell shows what stands behind it
        page.locator(".wb-heat td button").first.click()
        page.locator(".wb-rows tbody tr").first.wait_for(timeout=60_000)
    _shut_down(lab)
    page.close()
    return fault


def _moved(page: Any) -> str:
    """One step on the first control: picture and figures must change, and the picture be drawn once."""
    explored = page.locator(".wb-explored").first
    explored.locator("img").wait_for(timeout=60_000)
    explored.scroll_into_view_if_needed()
    words, picture = explored.inner_text(), explored.locator("img").first.get_attribute("src")
    pictures = explored.locator("img").count()
    _step(page)
    try:
        page.wait_for_function(
            "([words, src]) => {const e = document.querySelector('.wb-explored');"
            " const i = e && e.querySelector('img'); return i && i.src !== src && e.innerText !== words}",
            arg=[words, picture], polling=LOOKS, timeout=30_000,
        )  # fmt: skip
    except Exception as error:  # Playwright's own class is not importable where it is not installed
        if type(error).__name__ != "TimeoutError":
            raise
        return "a step on the first control changed not both picture and figures"
    if explored.locator("img").count() != pictures:
        return "a picture is drawn twice"
    drawn = explored.locator("img").first.get_attribute("src")
    return "" if len(drawn) > LEAST * len(picture) else "the picture came out torn or empty"


def _step(page: Any) -> None:
    """The first slider one step to the right; without a slider, another choice in the first list."""
    handle = page.locator(".jp-OutputArea .noUi-handle")
    if handle.count():
        handle.first.focus()
        handle.first.press("ArrowRight")
        return
    lists = page.locator(".jp-OutputArea .widget-dropdown select")
    chosen = {lists.nth(i).input_value() for i in range(lists.count())}
    lists.first.select_option(next(o for o in lists.first.locator("option").all_inner_texts() if o not in chosen))


def _shut_down(lab: str) -> None:
    """End the notebook's kernel, so that eight of them do not stay in memory."""
    for kernel in json.loads(urllib.request.urlopen(f"{lab}/api/kernels", timeout=10).read()):
        request = urllib.request.Request(f"{lab}/api/kernels/{kernel['id']}", method="DELETE")
        urllib.request.urlopen(request, timeout=30).close()
