"""Notebooks side by side: never before what they come after, never more at once than there are cores."""

import threading
import time

import pytest

from workbook.output.report.schedule import side_by_side


class Watch:
    """Work that takes a moment and remembers when it ran."""

    def __init__(self) -> None:
        self.began: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self.shares: dict[str, int] = {}
        self.at_once, self.most, self._lock = 0, 0, threading.Lock()

    def __call__(self, task: str, sharing: int) -> str:
        with self._lock:
            self.began[task], self.shares[task] = time.monotonic(), sharing
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(0.05)
        with self._lock:
            self.ended[task] = time.monotonic()
            self.at_once -= 1
        return task.upper()


AFTER = {"clean": {"collect"}, "collect": set(), "rfm": {"clean"}, "clv": {"rfm", "clean"}, "profile": {"clean"}}


def test_nothing_begins_before_what_it_comes_after_has_ended() -> None:
    watch = Watch()
    made = side_by_side(AFTER, watch, at_once=2)
    assert made == {task: task.upper() for task in AFTER}
    assert all(watch.began[task] >= watch.ended[before] for task, befores in AFTER.items() for before in befores)


def test_as_many_run_at_once_as_allowed_and_share_the_cores() -> None:
    watch = Watch()
    side_by_side({name: set() for name in "abcde"}, watch, at_once=2)
    assert watch.most == 2 and watch.shares["a"] == watch.shares["b"] == 2
    alone = Watch()
    side_by_side(AFTER, alone, at_once=2)
    assert alone.shares["collect"] == alone.shares["clean"] == 1, "who runs alone has all cores"
    assert alone.shares["rfm"] == alone.shares["profile"] == 2


def test_a_failure_is_raised_and_nothing_further_begins() -> None:
    begun = []

    def work(task: str, _sharing: int) -> None:
        begun.append(task)
        if task == "clean":
            raise RuntimeError("no orders")

    with pytest.raises(RuntimeError, match="no orders"):
        side_by_side(AFTER, work, at_once=1)
    assert begun == ["collect", "clean"]
