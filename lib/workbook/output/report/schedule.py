"""Work that depends on other work, as much of it side by side as there are cores for."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from typing import TypeVar

Task = TypeVar("Task", bound=Hashable)
Made = TypeVar("Made")


def side_by_side(
    after: Mapping[Task, set[Task]], work: Callable[[Task, int], Made], *, at_once: int
) -> dict[Task, Made]:
    """Do every task when those it comes after are done.

    Args:
        after: task → tasks that come before it; ready tasks are begun in the order of the mapping.
        work: takes a task and how many run at the same time, itself included: what the cores are shared by.
        at_once: how many may run side by side.

    Returns:
        what each task made, in the order in which they ended. The first exception ends it, when what runs has ended.
    """
    sorter: TopologicalSorter[Task] = TopologicalSorter(after)
    sorter.prepare()
    place = {task: n for n, task in enumerate(after)}
    waiting: list[Task] = []
    running: dict[Future[Made], Task] = {}
    made: dict[Task, Made] = {}
    with ThreadPoolExecutor(at_once) as pool:
        while sorter.is_active():
            waiting = sorted([*waiting, *sorter.get_ready()], key=place.__getitem__)
            share = min(at_once, len(waiting) + len(running))
            while waiting and len(running) < at_once:
                task = waiting.pop(0)
                running[pool.submit(work, task, share)] = task
            ended, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in ended:
                task = running.pop(future)
                made[task] = future.result()
                sorter.done(task)
    return made
