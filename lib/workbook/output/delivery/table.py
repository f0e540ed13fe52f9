"""The state of a workspace as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

STYLE = {"approved": "green", "changed": "yellow", "done": "green", "failed": "red", "killed": "red",
         "broken off": "red", "running": "cyan"}


def show(found: Mapping[str, Any], console: Console | None = None) -> None:
    """Print what `status` found."""
    out = console or Console(highlight=False)
    out.print(f"[bold]{escape(found['shop'])}[/bold]  {escape(found['workspace'])}", soft_wrap=True)
    out.print(_running(found), soft_wrap=True)
    if found["periods"]:
        out.print(_periods(found["periods"]))
    else:
        out.print("No period has been rendered yet: workbook render")
    failed = [(period, chapter) for period in found["periods"] for chapter in period["chapters"] if chapter["error"]]
    for period, chapter in failed:
        where = f"{period['period']}, {chapter['chapter']}"
        out.print(f"[red]{escape(where)} failed:[/red] {escape(chapter['error'])}", soft_wrap=True)
    if found["parts"]:
        out.print(_parts(found["parts"]))
    if found["runs"]:
        out.print(_runs(found["runs"]))
    told = found["notified"]
    if told:
        error = f": {told['error']}" if told.get("error") else ""
        out.print(f"Last notification: {told['at'][:16]} by {escape(told['channel'])}, {told['state']}{escape(error)}",
                  soft_wrap=True)


def _running(found: Mapping[str, Any]) -> str:
    who = found["running"]
    if who:
        return (f"[cyan]Running now:[/cyan] {escape(who['command'])} (process {who['pid']} on {escape(who['host'])} "
                f"since {who['since']})")
    if found["unfinished"]:
        return ("Nothing runs now; a run was killed, and the next one goes on where it stopped "
                f"({escape(', '.join(found['unfinished']))}).")
    return "Nothing runs now."


def _periods(periods: list[Mapping[str, Any]]) -> Table:
    table = Table("period", "state", "rendered (UTC)", "languages", "chapters", "seconds", "slowest")
    for period in periods:
        chapters = period["chapters"]
        done = sum(chapter["state"] == "done" for chapter in chapters)
        slowest = max(chapters, key=lambda chapter: chapter["seconds"], default=None)
        names = {"changed": "approved, and changed since"}
        state = names.get(period["state"], period["state"])
        state += f" by {period['approved_by']}" if period["approved_by"] and period["state"] == "approved" else ""
        state += ", restated" if period["restated"] else ""
        state += " attempt; the good report stays" if period["attempt"] else ""
        table.add_row(
            period["period"], _styled(period["state"], state), period["rendered_at"][:16].replace("T", " "),
            " ".join(period["languages"]), f"{done} of {len(chapters)}", f"{period['seconds']:.1f}",
            f"{slowest['chapter']} {slowest['seconds']:.1f}" if slowest and slowest["seconds"] else "–")
    return table


def _parts(parts: list[Mapping[str, Any]]) -> Table:
    table = Table("part", "newest", "state", "rendered (UTC)", "periods", "approved")
    for one in parts:
        newest, names = one["newest"], {"changed": "approved, and changed since"}
        state = names.get(newest["state"], newest["state"])
        state += f" by {newest['approved_by']}" if newest["state"] == "approved" else ""
        state += f": {', '.join(one['failed'])}" if one["failed"] else ""
        table.add_row(escape(one["part"]), newest["period"], _styled(newest["state"], state),
                      newest["rendered_at"][:16].replace("T", " "), str(one["periods"]), str(one["approved"]))
    return table


def _runs(runs: list[Mapping[str, Any]]) -> Table:
    table = Table("last runs (UTC)", "state", "period", "seconds", "what")
    for run in runs:
        what = run.get("error") or ", ".join(run.get("failed", ())) or run["command"]
        table.add_row(run["at"][:16].replace("T", " "), _styled(run["state"], run["state"]), run.get("period", ""),
                      f"{run['seconds']:.1f}" if "seconds" in run else "–", escape(what))
    return table


def _styled(state: str, text: str) -> str:
    style = STYLE.get(state, "")
    return f"[{style}]{escape(text)}[/{style}]" if style else escape(text)
