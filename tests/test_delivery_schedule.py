"""Schedules: what cron, systemd and a CI service are given means the day after a period ends, by the shop's clock."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml
from typer.testing import CliRunner

from workbook.cli import app
from workbook.data import periods
from workbook.data.settings import Settings, load_settings
from workbook.output.delivery import schedule
from workbook.output.delivery.schedule import cron, meets, next_runs, program, systemd, times_utc, workflow

ZONES = ("Europe/Berlin", "Asia/Shanghai", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Kiritimati",
         "Pacific/Pago_Pago", "Australia/Lord_Howe")
GRAINS = ("week", "month", "quarter")


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., Settings]:
    """`shop("month", "Europe/Berlin")`: its settings; their folder has a space in its name."""

    def make(grain: str, zone: str, more: str = "") -> Settings:
        folder = tmp_path / "my shop"
        folder.mkdir(exist_ok=True)
        (folder / "workbook.yaml").write_text(
            f"name: 50% off\nperiod: {grain}\ntime_zone: {zone}\nprivacy: {{key: just-for-tests-here}}\n"
            f"sources: [{{table: orders, path: o.csv}}]\n{more}")
        return load_settings(folder)

    return make


def hours(year: int) -> Iterator[datetime]:
    """Every minute 5 of a year in UTC, and of the days around it."""
    moment = datetime(year - 1, 12, 31, 0, 5, tzinfo=UTC)
    while moment < datetime(year + 1, 1, 2, tzinfo=UTC):
        yield moment
        moment += timedelta(hours=1)


def ends(grain: str, year: int) -> set[date]:
    """The days after each period that ends on or before them, in a year: from the calendar of the library."""
    days = (date(year, 1, 1) + timedelta(days=n) for n in range(365 + (year % 4 == 0)))
    return {day for day in days if periods.containing(day - timedelta(days=1), grain).end == day - timedelta(days=1)}


def as_cron_does(line: str, moment: datetime, zone: str) -> bool:
    """Whether cron would run the command: its fields in UTC, then the line's own look at the shop's clock."""
    minute, *rest, command = line.split(" ", 5)
    assert rest == ["*"] * 4
    if int(minute) != moment.minute:
        return False
    asked = command.split("date +")[1].split(")")[0].replace("\\%", "%")
    wanted = command.split(" in ")[1].split(")")[0].split("|")
    return moment.astimezone(ZoneInfo(zone)).strftime(asked) in wanted


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Los_Angeles", "Asia/Shanghai"])
def test_the_cron_line_runs_once_on_the_day_after_each_period(
    shop: Callable[..., Settings], grain: str, zone: str
) -> None:
    line = next(line for line in cron(shop(grain, zone), 6, 5).splitlines() if not line.startswith("#"))
    ran = [moment.astimezone(ZoneInfo(zone)) for moment in hours(2026) if as_cron_does(line, moment, zone)]
    ran = [moment for moment in ran if moment.year == 2026]
    assert {moment.date() for moment in ran} == ends(grain, 2026)
    assert len(ran) == len(ends(grain, 2026)), "once a day, also where the clocks change"
    assert {(moment.hour, moment.minute) for moment in ran} == {(6, 5)}


def test_the_cron_line_is_what_a_shell_runs(shop: Callable[..., Settings], tmp_path: Path) -> None:
    """The line itself in a shell, with a program in the command's place, on the hour that it means and on another."""
    settings = shop("month", "Europe/Berlin", "notify: {webhooks: [{url: '${HOOK}'}]}")
    (settings.folder / "workbook.env").write_text("HOOK='https://example.com/a b'\n")
    fake = tmp_path / "fake workbook"
    fake.write_text('#!/bin/sh\necho "$HOOK" "$@"\n')
    fake.chmod(0o755)
    line = next(line for line in cron(settings, 6, 5).splitlines() if not line.startswith("#"))
    assert "example.com" not in line, "a secret is named, never written"
    command = line.split(" ", 5)[5].replace(r"\%", "%").replace(f"{program()}", f"'{fake}'")
    clock = tmp_path / "bin" / "date"
    clock.parent.mkdir()
    clock.write_text('#!/bin/sh\n[ "$TZ" = Europe/Berlin ] && echo "$NOW"\n')
    clock.chmod(0o755)
    log = schedule.log_file(settings)
    for now, ran in (("0206", False), ("0107", False), ("0106", True)):
        subprocess.run(["/bin/sh", "-c", command], check=True,
                       env={"PATH": f"{clock.parent}:/usr/bin:/bin", "NOW": now})
        assert log.exists() is ran
    told = log.read_text()
    assert told == f"https://example.com/a b render --settings {settings.file} --wait\n"


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("hour", [0, 6, 22])
def test_by_utc_it_runs_once_on_that_day_in_every_zone_and_season(
    shop: Callable[..., Settings], grain: str, zone: str, hour: int
) -> None:
    settings = shop(grain, zone)
    at = times_utc(settings, hour, 5)
    ran = [moment.astimezone(settings.zone) for moment in _minutes(at) if meets(at, moment)]
    wanted = ends(grain, 2026)
    assert {moment.date() for moment in ran} <= wanted | ends(grain, 2025) | ends(grain, 2027)
    assert {moment.date() for moment in ran if moment.year == 2026} >= {day for day in wanted if day.year == 2026} - {
        date(2026, 1, 1)}
    assert all((moment.hour, moment.minute) >= (hour, 5) for moment in ran), "not before the asked hour"


def _minutes(at: schedule.Times) -> Iterator[datetime]:
    day = datetime(2026, 1, 1, at.hour, at.minute, tzinfo=UTC)
    yield from (day + timedelta(days=n) for n in range(366))


@pytest.mark.parametrize("grain", GRAINS)
def test_the_workflow_is_yaml_that_names_the_secrets_and_no_value(
    shop: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, grain: str
) -> None:
    monkeypatch.setenv("HOOK", "the-value")
    settings = shop(grain, "Europe/Berlin", "notify: {webhooks: [{url: '${HOOK}'}]}")
    text = workflow(settings, 6, 5)
    declared = yaml.safe_load(text)
    fields = declared[True]["schedule"][0]["cron"].split()  # YAML 1.1 reads `on` as true
    assert len(fields) == 5 and fields[:2] == ["5", "5"], "06:05 in winter, 07:05 in summer"
    first = declared["jobs"]["report"]["steps"][0]
    assert first["env"] == {"HOOK": "${{ secrets.HOOK }}"}
    assert first["run"] == f"{program()} render --settings '{settings.file}' --wait"
    assert declared["permissions"] == {} and "the-value" not in text


def test_the_programs_and_files_that_are_named_are_there(shop: Callable[..., Settings]) -> None:
    settings = shop("month", "UTC")
    assert program().is_absolute() and program().exists()
    service = systemd(settings, 6, 5)["workbook-my-shop.service"]
    assert f'ExecStart={program()} render --settings "{settings.file}" --wait' in service
    assert "Description=Report of each month: 50%% off" in service


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/Los_Angeles"])
def test_systemd_itself_takes_the_timer_and_means_the_same_days(
    shop: Callable[..., Settings], tmp_path: Path, grain: str, zone: str
) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    settings = shop(grain, zone)
    for name, text in systemd(settings, 6, 5).items():
        (tmp_path / name).write_text(text)
    verified = subprocess.run(["systemd-analyze", "verify", *sorted(map(str, tmp_path.glob("workbook-*")))],
                              capture_output=True, text=True)
    ours = [line for line in verified.stderr.splitlines() if "workbook-my-shop" in line]
    assert not ours, ours
    when = next(line for line in text.splitlines() if line.startswith("OnCalendar=")).removeprefix("OnCalendar=")
    told = subprocess.run(["systemd-analyze", "calendar", "--iterations=8", when], capture_output=True, text=True,
                          check=True, env={"TZ": "UTC", "LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout
    found = [line.split()[-3:-1] for line in told.splitlines() if line.strip().endswith("UTC")]
    moments = [datetime.fromisoformat(f"{day}T{time}+00:00") for day, time in found]
    assert moments == next_runs(settings, 6, 5, datetime.now(UTC), len(moments)) and len(moments) == 8


def test_the_command_prints_all_three_and_refuses_what_is_no_time(shop: Callable[..., Settings]) -> None:
    settings = shop("month", "Asia/Shanghai")
    told = CliRunner().invoke(app, ["schedule", "--settings", str(settings.file), "--at", "23:30"])
    assert told.exit_code == 0, told.output
    for part in ("crontab -e", "30 * * * * case", "OnCalendar=*-*-01 23:30:00 Asia/Shanghai", "jobs:"):
        assert part in told.output
    assert "Next: " in told.output and "23:30 CST" in told.output
    only = CliRunner().invoke(app, ["schedule", "--for", "cron", "--settings", str(settings.file)])
    assert "jobs:" not in only.output and "OnCalendar" not in only.output
    assert "no time of day" in str(CliRunner().invoke(
        app, ["schedule", "--at", "25:00", "--settings", str(settings.file)]).exception)
