"""Kernels forked from a process that has imported everything: they work, share nothing, and leave nobody behind."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from queue import Empty

import nbformat
import papermill
import pytest
from jupyter_client.channels import AsyncZMQSocketChannel

from workbook.data import engine
from workbook.data.notebooks import read_notebook
from workbook.output import kernels
from workbook.output.kernels import Nursery, environment, warm_kernels
from workbook.output.kernels.client import LookingChannel, PromptClient, PromptManager
from workbook.output.report.execution import execute

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


@pytest.fixture
def written(tmp_path: Path):
    """`written("name", "1 + 1", …)` writes a notebook of these cells."""

    def write(name: str, *sources: str):
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        cells = [nbformat.v4.new_code_cell(source) for source in sources]
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), tmp_path / f"{name}.ipynb")
        return read_notebook(tmp_path / f"{name}.ipynb")

    return write


def outputs(notebook) -> list[str]:
    done = papermill.execute_notebook(str(notebook.path), None, progress_bar=False, kernel_name="python3")
    return [output.data["text/plain"] for cell in done.cells for output in cell.get("outputs", ()) if "data" in output]


def test_a_kernel_is_born_with_its_imports_and_without_the_variables_of_others(written) -> None:
    first = written("01_first", "import os, sys, wave\nleft = 1", "'wave' in sys.modules, os.getppid()")
    second = written("02_second", "import os\n'left' in globals(), os.getppid()")
    with warm_kernels([first, second]) as warm:
        assert warm
        nursery = Nursery.current.process.pid
        assert outputs(first) == [f"(True, {nursery})"]
        assert outputs(second) == [f"(False, {nursery})"]
    assert outputs(second) != [f"(False, {nursery})"], "afterwards kernels start in the ordinary way"


def test_charts_are_shown(written) -> None:
    drawn = written("01_drawn", "import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    with warm_kernels([drawn]) as warm:
        assert warm
        done = papermill.execute_notebook(str(drawn.path), None, progress_bar=False, kernel_name="python3")
    assert any("image/png" in output.get("data", {}) for output in done.cells[-1].outputs)


def test_a_kernel_has_its_own_environment(written) -> None:
    asked = written("01_asked", "import os\nos.environ.get('SHARE')")
    with warm_kernels([asked]):
        with environment(SHARE="two"):
            assert outputs(asked) == ["'two'"]
        assert outputs(asked) == []
    assert "SHARE" not in os.environ


def test_where_imports_fail_kernels_start_in_the_ordinary_way(written) -> None:
    broken = written("01_broken", "import no_such_module")
    fine = written("02_fine", "1 + 1")
    with warm_kernels([broken, fine]) as warm:
        assert warm, "it has only begun"
        assert outputs(fine) == ["2"]
        assert Nursery.current is None


def test_a_nursery_that_dies_costs_nothing_but_time(written) -> None:
    fine = written("01_fine", "1 + 1")
    with warm_kernels([fine]) as warm:
        assert warm
        Nursery.current.process.kill()
        Nursery.current.process.wait()
        assert outputs(fine) == ["2"]


def test_a_kernel_that_dies_is_told(written) -> None:
    dying = written("01_dying", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    with warm_kernels([dying]), pytest.raises(RuntimeError, match="died"):
        outputs(dying)


def test_the_first_cell_of_a_kernel_that_has_just_begun_is_heard(written, tmp_path: Path) -> None:
    first = written("01_first", "print('lang' in globals(), end='!')", "1 + 1")
    with warm_kernels([first]):
        done = execute(first, tmp_path / "done" / "01_first.ipynb", {"lang": "en"})
    assert done.state == "done", done.error
    said = nbformat.read(tmp_path / "done" / "01_first.ipynb", as_version=4)
    assert next(cell.outputs[0] for cell in said.cells if cell.get("outputs")).text == "True!"


def test_a_kernel_that_ended_before_it_answered_is_told_at_once() -> None:
    async def ask() -> None:
        manager = PromptManager(kernel_name="python3")
        await manager.start_kernel()
        client = manager.client()
        assert type(client) is PromptClient
        client.start_channels()
        await manager.shutdown_kernel(now=True)
        try:
            await client.wait_for_ready(timeout=60)
        finally:
            client.stop_channels()

    with pytest.raises(RuntimeError, match="died before replying"):
        asyncio.run(ask())


def test_a_message_that_nobody_was_woken_for_is_found_by_looking_again(monkeypatch: pytest.MonkeyPatch) -> None:
    lying = [Empty(), Empty(), {"msg_type": "execute_reply"}]

    async def get_msg(_self: object, timeout: float | None = None) -> dict[str, str]:
        assert timeout is not None, "it would wait for ever"
        found = lying.pop(0)
        if isinstance(found, Empty):
            raise found
        return found

    monkeypatch.setattr(AsyncZMQSocketChannel, "get_msg", get_msg)
    channel = object.__new__(LookingChannel)
    assert asyncio.run(channel.get_msg()) == {"msg_type": "execute_reply"}
    lying.append(Empty())
    with pytest.raises(Empty):
        asyncio.run(channel.get_msg(timeout=1))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_nobody_is_left_behind_when_the_launcher_is_killed(how: int, tmp_path: Path) -> None:
    """The launcher starts a sleeping kernel and is killed: kernel and nursery end too."""
    script = tmp_path / "launcher.py"
    script.write_text(
        "import time\nfrom workbook.output.kernels import Nursery\nnursery = Nursery()\n"
        "import json, os, tempfile\nfrom jupyter_client.connect import write_connection_file\n"
        f"file, _ = write_connection_file({str(tmp_path / 'kernel.json')!r})\n"
        "born = nursery.ask(argv=['-f', file], env=dict(os.environ), cwd=None)\n"
        "print(nursery.process.pid, born['pid'], flush=True)\ntime.sleep(600)\n"
    )
    launcher = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in launcher.stdout.readline().split()]
    assert len(pids) == 2 and all(alive(pid) for pid in pids)
    launcher.send_signal(how)
    launcher.wait(timeout=30)
    until = time.monotonic() + 30
    while any(alive(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.1)
    launcher.stdout.close()
    assert [pid for pid in pids if alive(pid)] == []


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and waits to be fetched does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text() if Path("/proc").exists() else ""
        os.kill(pid, 0)
    except (ProcessLookupError, FileNotFoundError):
        return False
    return ") Z " not in state


def test_imports_are_read_from_the_cells_alone(written) -> None:
    notebook = written("01_read", "%matplotlib inline\nimport json\nfrom pathlib import Path", "'import no'", "x = 1")
    assert kernels.imports([notebook]) == ["import json", "from pathlib import Path"]


def test_cores_and_memory_are_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    assert (engine.cores(), engine.share_of("4GB")) == (4, "4GB")
    monkeypatch.setenv(engine.SIDE_BY_SIDE, "2")
    assert (engine.cores(), engine.share_of("4GB"), engine.share_of("500 MB")) == (2, "2GB", "250MB")


def test_a_chapter_whose_forked_kernel_dies_is_tried_in_the_ordinary_way(written, tmp_path: Path) -> None:
    tender = written(
        "01_tender", "# parameters\nlang = 'en'",
        "import os, signal\nparent = open(f'/proc/{os.getppid()}/cmdline').read()\n"
        "os.kill(os.getpid(), signal.SIGKILL) if 'nursery' in parent else None")
    with warm_kernels([tender]) as warm:
        assert warm
        outcome = execute(tender, tmp_path / "out.ipynb", {"lang": "en"})
    assert outcome.state == "done"
