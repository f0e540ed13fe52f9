"""When a report is to be made, in the words of three schedulers: cron, systemd, and a CI service.

A report of a period is made on the day after it ends, by the shop's own clock: on Monday, on the first of a month, on
the first of January, April, July or October. The three know time zones differently:

| scheduler | how the shop's time is met |
|---|---|
| cron | most know the machine's zone alone, so the line looks at the shop's clock once an hour |
| systemd | `OnCalendar` names the zone; a run that fell into the machine's sleep is caught up (`Persistent`) |
| CI (GitHub Actions) | UTC alone: at the asked hour or the next in the other season; where that would be \
the day before in UTC, at its midnight, which is later in the shop's day |
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from workbook.data.secrecy import names
from workbook.data.settings import Grain, Settings

FIRST_MONTHS = (1, 4, 7, 10)
DAY = 24 * 60  # minutes


class Times(NamedTuple):
    """The five fields of a cron line."""

    minute: int
    hour: int
    day: str
    month: str
    weekday: str

    def __str__(self) -> str:
        return f"{self.minute} {self.hour} {self.day} {self.month} {self.weekday}"


def times(grain: Grain, hour: int, minute: int) -> Times:
    """The day after each period ends, by the shop's own clock."""
    match grain:
        case "week":
            return Times(minute, hour, "*", "*", "1")
        case "month":
            return Times(minute, hour, "1", "*", "*")
        case _:
            return Times(minute, hour, "1", ",".join(map(str, FIRST_MONTHS)), "*")


def times_utc(settings: Settings, hour: int, minute: int) -> Times:
    """For a scheduler that knows UTC alone: not before the asked hour in any season, and on the day that is meant."""
    local = times(settings.period, hour, minute)
    later = max(_minutes(settings, month, hour, minute) for month in range(1, 13))
    if later < 0:
        return local._replace(hour=0)
    if later < DAY:
        return local._replace(hour=later // 60, minute=later % 60)
    weekday = "*" if local.weekday == "*" else str((int(local.weekday) + 1) % 7)
    day = "*" if local.day == "*" else str(int(local.day) + 1)
    return Times(later % 60, later % DAY // 60, day, local.month, weekday)


def command(settings: Settings, program: Path) -> list[str]:
    """What is run."""
    return [str(program), "render", "--settings", str(settings.file), "--wait"]


def program() -> Path:
    """The command of this installation."""
    return Path(sys.executable).with_name("workbook")


def unit(settings: Settings) -> str:
    """The name under which it is planned: one a workspace."""
    return "workbook-" + (re.sub(r"[^a-z0-9]+", "-", settings.folder.name.lower()).strip("-") or "report")


def log_file(settings: Settings) -> Path:
    """Where what a scheduled run prints is put, beside the log of runs."""
    return settings.store_folder / "log" / "scheduled.txt"


def environment_file(settings: Settings) -> Path:
    return settings.folder / "workbook.env"


def cron(settings: Settings, hour: int, minute: int) -> str:
    """Lines for `crontab -e`."""
    log = log_file(settings)
    run = " ".join(map(shlex.quote, command(settings, program())))
    secrets = shlex.quote(str(environment_file(settings)))
    source = f"set -a; [ ! -r {secrets} ] || . {secrets}; set +a; " if names(settings) else ""
    asks, moments = _asked(settings.period, hour)
    line = (f'case "$(TZ={settings.time_zone} date +{asks})" in {"|".join(moments)}) '
            f"mkdir -p {shlex.quote(str(log.parent))}; {source}{run} >> {shlex.quote(str(log))} 2>&1;; esac")
    return "\n".join([
        f"# {settings.name}: the report of each {settings.period}, the day after it ends, {hour:02d}:{minute:02d} in "
        f"{settings.time_zone}.",
        *_secrets_told(settings),
        "{minute} * * * * {line}".format(minute=minute, line=line.replace("%", r"\%")),
        "",
    ])


def _asked(grain: Grain, hour: int) -> tuple[str, list[str]]:
    """What `date` is asked for, and the answers at which it is time."""
    match grain:
        case "week":
            return "%u%H", [f"1{hour:02d}"]
        case "month":
            return "%d%H", [f"01{hour:02d}"]
        case _:
            return "%m%d%H", [f"{month:02d}01{hour:02d}" for month in FIRST_MONTHS]


def systemd(settings: Settings, hour: int, minute: int) -> dict[str, str]:
    """File name → its text: a service and the timer that starts it."""
    when = {
        "week": "Mon *-*-*", "month": "*-*-01", "quarter": f"*-{','.join(f'{m:02d}' for m in FIRST_MONTHS)}-01",
    }[settings.period]
    run = " ".join(map(_systemd_word, command(settings, program())))
    reads = f"EnvironmentFile=-{_systemd_text(str(environment_file(settings)))}\n" if names(settings) else ""
    service = (
        "[Unit]\n"
        f"Description=Report of each {settings.period}: {_systemd_text(settings.name)}\n"
        "Wants=network-online.target\nAfter=network-online.target\n\n"
        "[Service]\nType=oneshot\n" + "".join(f"{line}\n" for line in _secrets_told(settings)) + reads +
        f"WorkingDirectory={_systemd_text(str(settings.folder))}\nExecStart={run}\n"
        f"# What it prints: journalctl -u {unit(settings)}\n")
    timer = (
        "[Unit]\n"
        f"Description=The day after each {settings.period}, by the clock of {settings.time_zone}\n\n"
        f"[Timer]\nOnCalendar={when} {hour:02d}:{minute:02d}:00 {settings.time_zone}\n"
        "Persistent=true\n\n[Install]\nWantedBy=timers.target\n")
    return {f"{unit(settings)}.service": service, f"{unit(settings)}.timer": timer}


def workflow(settings: Settings, hour: int, minute: int) -> str:
    """A workflow in the form of GitHub Actions, run where this workspace lies: its records leave no machine."""
    env = "".join(f"          {name}: ${{{{ secrets.{name} }}}}\n" for name in names(settings))
    run = " ".join(map(shlex.quote, command(settings, program())))
    return (
        f"# The report of each {settings.period}, the day after it ends, by UTC, which knows no summer time: not\n"
        f"# before {hour:02d}:{minute:02d} in {settings.time_zone}. It runs on a runner of your own on this machine,\n"
        "# where the workspace stays: customers' records, and what was published, belong into no cache of a service.\n"
        f"name: {unit(settings)}\n"
        f"on:\n  schedule:\n    - cron: \"{times_utc(settings, hour, minute)}\"\n  workflow_dispatch:\n"
        "permissions: {}\n"
        f"concurrency:\n  group: {unit(settings)}\n  cancel-in-progress: false\n"
        "jobs:\n  report:\n    runs-on: self-hosted\n    timeout-minutes: 180\n    steps:\n      - name: Report\n"
        + (f"        env:\n{env}" if env else "") +
        f"        run: {_yaml_text(run)}\n"
        "      - name: How it went\n        if: always()\n"
        f"        run: {_yaml_text(shlex.join([str(program()), 'status', '--settings', str(settings.file)]))}\n")


def next_runs(settings: Settings, hour: int, minute: int, after: datetime, n: int = 3) -> list[datetime]:
    """The next times, by the shop's clock."""
    at = times(settings.period, hour, minute)
    day, found = after.astimezone(settings.zone).date(), []
    while len(found) < n:
        moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=settings.zone)
        if meets(at, moment) and moment > after:
            found.append(moment)
        day += timedelta(days=1)
    return found


def meets(at: Times, moment: datetime) -> bool:
    """Whether a moment is one of those that a cron line means.

    >>> meets(Times(30, 6, "1", "1,4,7,10", "*"), datetime(2026, 7, 1, 6, 30))
    True
    """
    fields = ((at.day, moment.day), (at.month, moment.month), (at.weekday, moment.isoweekday() % 7))
    return (moment.minute, moment.hour) == (at.minute, at.hour) and all(
        field == "*" or str(value) in field.split(",") for field, value in fields)


def _minutes(settings: Settings, month: int, hour: int, minute: int) -> int:
    """Minutes from the midnight of a first day in UTC to the asked hour of that day in the shop."""
    year = datetime.now(UTC).year
    local = datetime(year, month, 1, hour, minute, tzinfo=settings.zone)
    return round((local - datetime(year, month, 1, tzinfo=UTC)).total_seconds() / 60)


def _secrets_told(settings: Settings) -> list[str]:
    secrets = names(settings)
    if not secrets:
        return []
    return [f"# Its secrets are read from {environment_file(settings)} (chmod 600), a line NAME='value' for each of:",
            f"# {' '.join(secrets)}"]


def _yaml_text(text: str) -> str:
    """One line of text that YAML reads as it stands."""
    return json.dumps(text, ensure_ascii=False)


def _systemd_text(text: str) -> str:
    return text.replace("%", "%%")


def _systemd_word(word: str) -> str:
    """One argument of a command: quoted where systemd would part it, and no variable or specifier read in it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$").replace("%", "%%")
    return f'"{escaped}"' if any(sign in word for sign in " \t'\";") else escaped
