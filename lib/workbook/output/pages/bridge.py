"""The bridge of page one: how a total of the period before became that of this one, as rows with small bars.

The parts are findings of chapter 03 (`change_…` for net revenue, `margin_change_…` for margin) and add up to the
change. Every bar has its amount in words beside it, so that the picture needs no second telling.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from workbook.data.findings import Finding
from workbook.output import cards, i18n
from workbook.output.pages.headlines import Reading
from workbook.output.words import bridge as words

CHAPTER = "03_profiling"
BLOCKS = {"change_basket": {  # a block and what it is opened into
    "change_units", "change_price", "change_mix", "change_price_and_mix", "change_basket_size", "change_discount",
    "change_returns"}}
SMALL = 0.25  # of the highest bar: below it the axis begins above zero, so that the steps can be seen


class Step(NamedTuple):
    """One row: where its bar begins and ends, as shares of the width."""

    key: str  # the finding
    label: str
    amount: str
    kind: str  # total, more, less, none
    left: float
    right: float


class Bridge(NamedTuple):
    """The picture of one total."""

    title: str
    steps: tuple[Step, ...]
    begins: str  # where the axis begins, in words; empty at zero
    told: str  # all of it in one sentence


def revenue(found: Mapping[str, Finding], before: str, now: str) -> Bridge | None:
    """From the net revenue of the period before, as it looked on its own last day, to that of this one."""
    parts = {name: finding for name, finding in found.items() if name.startswith("change_")}
    for block, inside in BLOCKS.items():
        if inside & parts.keys():
            parts.pop(block, None)
    return _bridge(words.revenue(), found, ("net_revenue_before", "net_revenue"), parts, before, now)


def margin(found: Mapping[str, Finding], before: str, now: str) -> Bridge | None:
    """The same for the margin in money."""
    parts = {name: finding for name, finding in found.items() if name.startswith("margin_change_")}
    return _bridge(words.margin(), found, ("margin_amount_before", "margin_amount"), parts, before, now)


def not_there(bridges: Sequence[Bridge], reading: Reading) -> list[str]:
    """A sentence for each picture that is missing."""
    if not reading.whole:
        return [words.not_over()]
    titles = {one.title for one in bridges}
    told = [] if words.revenue() in titles else [words.nothing()]
    if words.margin() not in titles:
        now, then = reading.of(CHAPTER, "margin"), reading.company(CHAPTER, "margin").before
        known = now is not None and then is not None and cards.is_number(now.value) and cards.is_number(then.value)
        told.append(words.not_split(cards.moved(now, then) if known else ""))
    return told


def _bridge(
    title: str, found: Mapping[str, Finding], ends: tuple[str, str], parts: Mapping[str, Finding], before: str, now: str
) -> Bridge | None:
    values = {name: float(part.value) for name, part in parts.items() if part.value}
    first, last = (found.get(name) for name in ends)
    if not values or first is None or last is None or first.value is None or last.value is None:
        return None
    keys = [ends[0], *values, ends[1]]
    amounts = [float(first.value), *values.values(), float(last.value)]
    return drawn(title, keys, [before, *(words.part(name) for name in values), now], amounts)


def drawn(title: str, keys: Sequence[str], labels: Sequence[str], amounts: Sequence[float]) -> Bridge:
    """From a first total by changes to a last one: of each its key, what it is called, and how much it is."""
    starts, stops = _running(amounts)
    floor, top = _floor([*starts[1:-1], *stops]), max(*starts, *stops)
    width = (top - floor) or 1.0
    steps = tuple(
        Step(key, label, words.amount(amount, total=i in (0, len(keys) - 1)), _kind(amount, i in (0, len(keys) - 1)),
             (max(min(starts[i], stops[i]), floor) - floor) / width, (max(starts[i], stops[i]) - floor) / width)
        for i, (key, label, amount) in enumerate(zip(keys, labels, amounts, strict=True)))
    return Bridge(title, steps, words.begins(i18n.money(floor)) if floor else "",
                  words.told(title, [(step.label, step.amount) for step in steps]))


def _running(amounts: Sequence[float]) -> tuple[list[float], list[float]]:
    """Where each bar begins and ends: totals stand at zero, changes where the last one ended."""
    starts, stops, here = [], [], 0.0
    for i, amount in enumerate(amounts):
        total = i in (0, len(amounts) - 1)
        starts.append(0.0 if total else here)
        here = amount if total else here + amount
        stops.append(here)
    return starts, stops


def _floor(values: Sequence[float]) -> float:
    low, high = min(values), max(values)
    if low <= 0 or high - low > SMALL * high:
        return min(0.0, low)
    step = 10 ** math.floor(math.log10((high - low) or high))
    return max(0.0, math.floor((low - 0.6 * (high - low)) / step) * step)


def _kind(amount: float, total: bool) -> str:
    return "total" if total else "more" if amount > 0 else "less"
