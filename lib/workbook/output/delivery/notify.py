"""Whoever the settings name is told after a run. That it could not be told is told, and changes nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import NamedTuple

from workbook.data.errors import WorkbookError
from workbook.data.lock import Busy
from workbook.data.secrecy import told
from workbook.data.settings import Mail, Settings, Webhook
from workbook.output.delivery import mail as letters
from workbook.output.delivery import webhook as hooks
from workbook.output.delivery.log import RunLog
from workbook.output.delivery.summary import Summary, of_periods, of_refusal, of_report
from workbook.output.report import Rendered
from workbook.output.report.backfill import Filled

ATTEMPTS = 2  # when the other side could not be reached; a refusal is final
PAUSE = 1.0  # seconds between them
Say = Callable[[str], None]


class Sent(NamedTuple):
    """How one notification went."""

    channel: str  # webhook slack, mail …; never an address
    state: str  # sent or failed
    error: str
    seconds: float


class Delivery:
    """What is to be told of a run; filled while it goes on."""

    def __init__(self) -> None:
        self.rendered: Rendered | None = None
        self.filled: list[Filled] = []  # periods, where there were many

    def summary(self, settings: Settings, seconds: float) -> Summary | None:
        """What came of it so far."""
        if self.filled:
            return of_periods(settings, self.filled, seconds)
        return of_report(settings, self.rendered, seconds) if self.rendered is not None else None


@contextmanager
def delivered(settings: Settings, say: Say, *, wanted: bool = True) -> Iterator[Delivery]:
    """Tell of the run inside, how ever it ends; that another run was at work is no failure and is not told.

    Args:
        say: told of each notification that failed.
        wanted: whether to tell anybody.
    """
    delivery, began = Delivery(), time.perf_counter()
    try:
        yield delivery
    except Busy:
        raise
    except Exception as error:
        if wanted:
            seconds = _since(began)
            send(settings, delivery.summary(settings, seconds) or of_refusal(settings, error, seconds), say)
        raise
    summary = delivery.summary(settings, _since(began)) if wanted else None
    if summary is not None:
        send(settings, summary, say)


def send(settings: Settings, summary: Summary, say: Say) -> list[Sent]:
    """Tell everybody who is to be told; logs each, and never raises for one that could not be told."""
    if not _is_worth_telling(settings, summary):
        return []
    log = RunLog(settings)
    sent = []
    for channel, deliver in _channels(settings, summary):
        one = _tried(settings, channel, deliver)
        log.write("notified", channel=one.channel, state=one.state, error=one.error, seconds=one.seconds)
        if one.error:
            say(f"The notification by {one.channel} failed: {one.error}")
        sent.append(one)
    return sent


def _is_worth_telling(settings: Settings, summary: Summary) -> bool:
    worth = {"always": True, "changed": summary.state != "unchanged",
             "failed": summary.state in ("failed", "refused")}
    return worth[settings.notify.when]


def _channels(settings: Settings, summary: Summary) -> Iterator[tuple[str, Callable[[], None]]]:
    notify = settings.notify
    for one in (*notify.webhooks, *notify.mail):
        lang = one.lang or settings.languages[0]
        name = f"webhook ({one.format})" if isinstance(one, Webhook) else f"mail ({one.server})"
        yield name, partial(_deliver, one, summary, *summary.told_in(lang, settings), notify.timeout_seconds)


def _deliver(one: Webhook | Mail, summary: Summary, subject: str, text: str, timeout: float) -> None:
    if isinstance(one, Webhook):
        hooks.post(one, text, summary.facts(), timeout=timeout)
    else:
        letters.send(one, subject, text, timeout=timeout)


def _tried(settings: Settings, channel: str, deliver: Callable[[], None]) -> Sent:
    began = time.perf_counter()
    for attempt in range(1, ATTEMPTS + 1):
        error = _within(2 * settings.notify.timeout_seconds, deliver)
        if error is None:
            return Sent(channel, "sent", "", _since(began))
        if not isinstance(error, OSError) or isinstance(error, TimeoutError) or attempt == ATTEMPTS:
            break
        time.sleep(PAUSE)
    what = error.what if isinstance(error, WorkbookError) else f"{type(error).__name__}: {error}"
    return Sent(channel, "failed", told(what, settings), _since(began))


def _within(seconds: float, deliver: Callable[[], None]) -> Exception | None:
    """Do it, and no longer than that: a server that sends a byte now and then would hold a socket's own limit off."""
    ended: list[Exception | None] = []

    def attempt() -> None:
        try:
            deliver()
            ended.append(None)
        except Exception as error:
            ended.append(error)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(seconds)
    return ended[0] if ended else TimeoutError(f"no answer within {seconds:g} seconds")


def _since(began: float) -> float:
    return round(time.perf_counter() - began, 2)
