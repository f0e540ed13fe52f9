"""How the workspace stands: its periods and chapters, what runs now, what failed, what was told last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from workbook.data import lock, parts, publications
from workbook.data.settings import Settings
from workbook.data.store import JOURNAL
from workbook.output.delivery.log import lines
from workbook.output.pages.restated import FILE, approval

FAILED = ".failed"
RUNS = 5  # the newest that are told


def status(settings: Settings, part: str = "") -> dict[str, Any]:
    """Everything that `workbook status` tells, as JSON can hold it.

    Args:
        part: whose periods are told, such as region=East; empty: those of the whole shop, and of each part the newest.
    """
    own = parts.settings_of(settings, part)
    holder = lock.holder(settings.store_folder)
    log = list(lines(settings))
    return {
        "shop": own.name,
        "part": part,
        "workspace": str(settings.folder),
        "running": holder._asdict() if holder else None,
        "unfinished": _unfinished(settings) if holder is None else [],
        "periods": [_period(own, file.parent) for file in _reports(own)],
        "parts": [_newest(settings.of_part(one)) for one in parts.rendered_parts(own)],
        "runs": _runs(log, holder)[-RUNS:],
        "notified": next((line for line in reversed(log) if line["event"] == "notified"), None),
    }


def _reports(settings: Settings) -> list[Path]:
    return sorted(settings.reports_folder.glob("[0-9]*/run.json"))


def _newest(settings: Settings) -> dict[str, Any]:
    """One part: its name, how many periods were rendered, how many of them are approved, and how the newest stands."""
    periods = [_period(settings, file.parent) for file in _reports(settings)]
    facts = {name: periods[-1][name] for name in ("period", "state", "rendered_at", "seconds", "approved_by")}
    failed = [chapter["chapter"] for chapter in periods[-1]["chapters"] if chapter["state"] == "failed"]
    return {"part": parts.told(settings.part), "periods": len(periods), "failed": failed,
            "approved": sum(one["state"] == "approved" for one in periods), "newest": facts}


def _period(settings: Settings, folder: Path) -> dict[str, Any]:
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    outcomes = [outcome for outcome in record["outcomes"] if outcome["state"] != "absent"]
    failed = [outcome for outcome in outcomes if outcome["state"] == "failed"]
    label = folder.name.removesuffix(FAILED)
    approved = publications.approvals(settings, label)
    standing = "failed" if failed else approval(settings, label, folder).state
    return {
        "period": label,
        "state": standing,  # failed, draft, approved, or changed since it was approved
        "attempt": folder.name.endswith(FAILED),  # a failed one, beside the last good report
        "rendered_at": record["rendered_at"],
        "languages": record["languages"],
        "seconds": round(sum(outcome["seconds"] for outcome in outcomes), 1),
        "approved_by": approved[-1].by if approved else "",
        "approved_at": approved[-1].at if approved else "",
        "restated": (folder / FILE).exists(),
        "chapters": [
            {"chapter": outcome["chapter"], "state": outcome["state"], "seconds": round(outcome["seconds"], 1),
             "kept": outcome.get("kept", False), "error": outcome["error"], "peak_mb": outcome.get("peak_mb", 0)}
            for outcome in outcomes],
    }


def _runs(log: list[dict[str, Any]], holder: lock.Holder | None) -> list[dict[str, Any]]:
    """The runs of the log, oldest first; one that neither ended nor runs was killed."""
    runs: dict[str, dict[str, Any]] = {}
    running = ""
    for line in log:
        if line["event"] == "run_started":
            if holder is not None and (line.get("pid"), line.get("host")) == (holder.pid, holder.host):
                running = line["run"]  # a process that fills many periods begins many, one after the other
            runs[line["run"]] = {"run": line["run"], "at": line["at"], "command": line.get("command", ""),
                                 "state": "killed"}
        elif line["event"] in ("run_finished", "run_failed") and line["run"] in runs:
            facts = {name: line[name] for name in ("period", "seconds", "error", "failed") if name in line}
            runs[line["run"]] |= {"state": line.get("state", "broken off")} | facts
    if running and runs[running]["state"] == "killed":
        runs[running]["state"] = "running"
    return list(runs.values())


def _unfinished(settings: Settings) -> list[str]:
    """What a killed run left, for the next one to finish or take up."""
    store, reports = settings.store_folder, settings.reports_folder
    left = [*store.glob(JOURNAL), *store.glob("stage-*"), *reports.glob(".draft-*"), *reports.glob(".old-*")]
    return sorted(str(path.relative_to(settings.folder)) for path in left)
