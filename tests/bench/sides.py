"""One side of a comparison, run in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def measure(script: str, folder: Path) -> dict[str, Any]:
    """Run a script on a folder; what it printed last.

    Args:
        script: prints a line of JSON at its end: its seconds, its peak memory, what it came to.
    """
    run = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False)
    if run.returncode:
        raise SystemExit(run.stderr)
    return json.loads(run.stdout.splitlines()[-1])
