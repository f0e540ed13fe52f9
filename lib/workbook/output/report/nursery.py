"""The process in which kernels are born: it has imported what the notebooks import, and forks.

Started by `kernels.Nursery`, which speaks with it by lines of JSON: a request on stdin, an answer on stdout, one at a
time. It opens no connection and starts no thread of its own before a fork. When its stdin closes, whoever started it
has gone: it ends its children and itself.

    {"imports": [statements]}                     → {"imported": n}
    {"argv": [...], "env": {...}, "cwd": "..."}   → {"pid": n}
    {"poll": pid}                                 → {"code": null, or how it ended}
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Any

LAUNCHER = ["-m", "ipykernel_launcher"]  # what a Python kernel's command begins with, after the interpreter


def serve() -> None:
    """Answer requests until stdin closes."""
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


def _answer(request: Mapping[str, Any], running: set[int]) -> dict[str, Any]:
    if "imports" in request:
        for statement in request["imports"]:
            exec(statement, {})  # an import out of a notebook, which its kernel will run again
        return {"imported": len(request["imports"])}
    if "poll" in request:
        return {"code": _code(request["poll"], running)}
    pid = os.fork()
    if pid == 0:
        _become_kernel(request["argv"], request["env"], request["cwd"])
    running.add(pid)
    return {"pid": pid}


def _code(pid: int, running: set[int]) -> int | None:
    """None while the child runs; then its exit code, below 0 for a signal."""
    if pid not in running:
        return 0
    ended, status = os.waitpid(pid, os.WNOHANG)
    if ended == 0:
        return None
    running.discard(pid)
    return os.waitstatus_to_exitcode(status)


def _become_kernel(argv: Sequence[str], env: Mapping[str, str], cwd: str | None) -> None:
    """In the child: the notebook's kernel, until it is told to stop; never returns."""
    code = 1
    try:
        os.setsid()
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
