"""The process in which kernels are born: it has imported what the notebooks import, and forks.

Started by `forked.Nursery`, which speaks with it by lines of JSON: a request on stdin, an answer on stdout, one at a
time. It opens no connection and starts no thread of its own before a fork. When its stdin closes, whoever started it
has gone: it ends its children and itself.

    {"imports": [statements]}                     → {"imported": n}
    {"argv": [...], "env": {...}, "cwd": "..."}   → {"pid": n}
    {"poll": pid}                                 → {"code": null, or how it ended, "peak_mb": most memory in use}
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Never

MAXRSS_OF_ONE_MB = 1024**2 if sys.platform == "darwin" else 1024  # bytes there, elsewhere KiB
PR_SET_PDEATHSIG = 1
LAUNCHER = ["-m", "ipykernel_launcher"]  # what a Python kernel's command begins with, after the interpreter


def serve() -> Never:
    """Answer requests until stdin closes; then end the process."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever an import prints must not be read as an answer
    running: set[int] = set()
    for line in sys.stdin:
        answer = _answer(json.loads(line), running)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    for pid in running:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    sys.stderr.flush()
    os._exit(0)  # whoever started it waits; taking all libraries down in good order takes most of a second


def _answer(request: Mapping[str, Any], running: set[int]) -> dict[str, Any]:
    if "imports" in request:
        gc.disable()  # there is nothing to collect: what is imported stays
        for statement in request["imports"]:
            exec(statement, {})  # an import out of a notebook, which its kernel will run again
        gc.freeze()  # nor will its kernels look through it again, and copy its pages by doing so
        return {"imported": len(request["imports"])}
    if "poll" in request:
        return _ended(request["poll"], running)
    pid = os.fork()
    if pid == 0:
        _become_kernel(request["argv"], request["env"], request["cwd"])
    running.add(pid)
    return {"pid": pid}


def _ended(pid: int, running: set[int]) -> dict[str, Any]:
    """Code None while the child runs; then its exit code, below 0 for a signal, and the most memory it had in use."""
    if pid not in running:
        return {"code": 0, "peak_mb": 0}
    ended, status, used = os.wait4(pid, os.WNOHANG)
    if ended == 0:
        return {"code": None, "peak_mb": 0}
    running.discard(pid)
    return {"code": os.waitstatus_to_exitcode(status), "peak_mb": round(used.ru_maxrss / MAXRSS_OF_ONE_MB)}


def _end_with_parent() -> None:
    """Where the system offers it, have the kernel killed in the same moment as the nursery, however busy it is.

    Elsewhere it looks for its parent once a second, which long work in a library may put off.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _become_kernel(argv: Sequence[str], env: Mapping[str, str], cwd: str | None) -> None:
    """In the child: the notebook's kernel, until it is told to stop; never returns."""
    code = 1
    try:
        gc.enable()
        os.setsid()
        _end_with_parent()
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.environ.clear()
        os.environ.update(env)
        os.chdir(cwd or os.getcwd())
        sys.argv = [LAUNCHER[-1], *argv]
        _share_threads()
        from ipykernel.kernelapp import IPKernelApp

        app = IPKernelApp.instance(parent_handle=os.getppid())  # it ends when the nursery does
        app.initialize(list(argv))
        app.start()
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def _share_threads() -> None:
    """Libraries that were loaded before the fork took all cores: give them this kernel's share."""
    from threadpoolctl import threadpool_limits

    share = os.environ.get("OMP_NUM_THREADS", "")
    if share.isdigit():
        threadpool_limits(int(share))
