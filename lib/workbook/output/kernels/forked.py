"""Forking a kernel: from a process that has imported everything, as jupyter_client's kernel provisioner.

Starting a kernel and importing what a notebook needs takes seconds a notebook; a fork takes none of them. Where forking
is not possible (Windows), or the nursery fails, kernels start in the ordinary way.
"""

from __future__ import annotations

import ast
import contextvars
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import entry_points
from typing import Any

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from workbook.data.notebooks import Notebook, code_cells
from workbook.output.kernels.nursery import LAUNCHER

NAME = "workbook-forked"  # as registered in pyproject.toml
# Before the nursery imports pyplot: a kernel that found another backend there would show no chart.
BACKEND = "module://matplotlib_inline.backend_inline"
OF_EVERY_KERNEL = (
    "import ipykernel.kernelapp, ipykernel.ipkernel, ipykernel.zmqshell",
    "import ibis.backends.duckdb",
)
ASKED_WITHIN = 120  # seconds for an answer of the nursery: its imports are the longest


# What the environment of the next kernel says beside our own: kernels of several threads differ in it.
_peaks: contextvars.ContextVar[list[int]] = contextvars.ContextVar("peaks")
_own_environment: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("environment")


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Kernels started inside, in this thread, have these environment variables."""
    token = _own_environment.set({**_own_environment.get({}), **values})
    try:
        yield
    finally:
        _own_environment.reset(token)


@contextmanager
def measured() -> Iterator[list[int]]:
    """The most memory that kernels started inside had in use, in MB, once they have ended; of forked ones alone."""
    peaks: list[int] = []
    token = _peaks.set(peaks)
    try:
        yield peaks
    finally:
        _peaks.reset(token)


class NurseryFailed(RuntimeError):
    """The nursery is not there or gave no answer."""


class Nursery:
    """The process that forks kernels; one request at a time, the first of which, its imports, goes with its start."""

    current: Nursery | None = None

    def __init__(self, imports: Iterable[str] = ()) -> None:
        environment = os.environ | {"MPLBACKEND": BACKEND}
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from workbook.output.kernels.nursery import serve; serve()"], env=environment,
            text=True, encoding="utf-8", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._one_at_a_time = threading.Lock()
        self._importing = True
        self._send(imports=list(imports))

    def ask(self, **request: Any) -> dict[str, Any]:
        """A request and its answer, once its imports are done.

        Raises:
            NurseryFailed: it has ended, an import failed, or it did not answer in time.
        """
        with self._one_at_a_time:
            watch = threading.Timer(ASKED_WITHIN, self.process.kill)
            watch.start()
            try:
                if self._importing:
                    self._answer()
                    self._importing = False
                self._send(**request)
                return self._answer()
            except OSError as error:
                raise NurseryFailed(str(error)) from error
            finally:
                watch.cancel()

    def _send(self, **request: Any) -> None:
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def _answer(self) -> dict[str, Any]:
        line = self.process.stdout.readline()
        if not line:
            raise NurseryFailed(f"it ended with {self.process.wait()}")
        return json.loads(line)

    def close(self) -> None:
        if self._importing:  # nobody was born there
            self.process.kill()
        with suppress(BrokenPipeError):  # it has died: nobody reads what was left to send
            self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@contextmanager
def warm_kernels(notebooks: Iterable[Notebook]) -> Iterator[bool]:
    """Kernels started inside are forked from a process that imports what these notebooks import.

    Inside another such block its process is shared, and stays.

    Yields:
        whether they are to be forked; False where kernels start in the ordinary way, as all do when an import fails.
    """
    if Nursery.current is not None:
        yield True
        return
    if not entry_points(group="jupyter_client.kernel_provisioners", name=NAME):  # the library lies there uninstalled
        yield False
        return
    factory = KernelProvisionerFactory.instance()
    before = factory.default_provisioner_name
    factory.default_provisioner_name = NAME
    nursery = Nursery([*OF_EVERY_KERNEL, *imports(notebooks)]) if hasattr(os, "fork") else None
    Nursery.current = nursery
    try:
        yield nursery is not None
    finally:
        factory.default_provisioner_name = before
        Nursery.current = None
        if nursery is not None:
            nursery.close()


def give_up_forking() -> bool:
    """Kernels from here on start in the ordinary way; whether they did not before."""
    forked, Nursery.current = Nursery.current is not None, None
    return forked


def imports(notebooks: Iterable[Notebook]) -> list[str]:
    """The import statements of the notebooks' cells, once each."""
    found: dict[str, None] = {}
    for notebook in notebooks:
        for source in code_cells(notebook.path):
            if "import " in source:
                found |= dict.fromkeys(_statements(source))
    return list(found)


def _statements(source: str) -> Iterator[str]:
    plain = "\n".join(line for line in source.splitlines() if not line.startswith(("%", "!")))
    yield from (ast.unparse(node) for node in ast.parse(plain).body if isinstance(node, ast.Import | ast.ImportFrom))


class ForkedKernel:
    """A child of the nursery, spoken to as if it were our own process."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, nursery: Nursery) -> None:
        self.pid, self.nursery, self.returncode = pid, nursery, None
        self.peaks = _peaks.get([])  # of whoever started it

    def poll(self) -> int | None:
        if self.returncode is None:
            try:
                ended = self.nursery.ask(poll=self.pid)
                self.returncode = ended["code"]
                self.peaks.append(ended["peak_mb"])
            except NurseryFailed:
                self.returncode = -signal.SIGKILL  # children end with the nursery
        return self.returncode

    def wait(self) -> int | None:
        while self.poll() is None:
            threading.Event().wait(0.02)
        return self.returncode

    def send_signal(self, signum: int) -> None:
        os.kill(self.pid, signum)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class ForkedProvisioner(LocalProvisioner):
    """Forks this Python's kernels; every other kernel, and all when the nursery fails, start in the ordinary way."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        nursery = Nursery.current
        ours = cmd[1:3] == LAUNCHER and os.path.samefile(cmd[0], sys.executable)
        kwargs["env"] = {**(kwargs.get("env") or os.environ), **_own_environment.get({})}
        if nursery is None or not ours:
            return await super().launch_kernel(cmd, **kwargs)
        try:
            born = nursery.ask(argv=cmd[3:], env=kwargs["env"], cwd=kwargs.get("cwd"))
        except NurseryFailed:
            Nursery.current = None
            return await super().launch_kernel(cmd, **kwargs)
        self.process = ForkedKernel(born["pid"], nursery)
        self.pid = self.pgid = born["pid"]
        self.cwd = kwargs.get("cwd")
        return self.connection_info
