"""Named results of a chapter: a value with its unit, its interval and the number it rests on."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np

from workbook.data.store import write_whole

Value = int | float | str | bool | None
# What a claim about cause or future rests on, strongest first: a random draw; a comparison group made alike afterwards,
# or the same people before and after beside such a group; what was seen, without a control; what somebody declared.
Evidence = Literal["randomised", "matched", "observed", "assumed"]
GRADES: tuple[Evidence, ...] = get_args(Evidence)


@dataclass(frozen=True)
class Finding:
    """One figure under a documented name, free of language."""

    value: Value
    unit: str = ""
    low: float | None = None  # lower end of the 95 % interval, where there is one
    high: float | None = None
    n: int | None = None  # customers, orders or rows it rests on
    reason: str = ""  # code that says why there is no value
    evidence: str = ""  # one of GRADES, where the figure claims a cause or a future

    def __post_init__(self) -> None:
        if self.evidence and self.evidence not in GRADES:
            raise ValueError(f"{self.evidence!r} is no grade of evidence: {', '.join(GRADES)}")


class Figure(NamedTuple):
    """A result ready to be named by `run.find`: its arguments, in their order."""

    name: str
    value: Any
    unit: str
    low: float | None = None
    high: float | None = None
    n: int | None = None
    reason: str = ""
    evidence: str = ""


def known(
    name: str, value: Any, unit: str, *, low: float | None = None, high: float | None = None, n: int | None = None,
    reason: str = "too_few", evidence: Evidence | str = "",
) -> Figure:
    """The figure; of a number that is none (None, NaN, infinite) the reason alone, and no end that is not known.

    >>> known("share", math.nan, "share", low=0.1, n=3)
    Figure(name='share', value=None, unit='share', low=None, high=None, n=3, reason='too_few', evidence='')
    """
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return Figure(name, None, unit, n=n, reason=reason)
    ends = [None if end is None or not math.isfinite(end) else float(end) for end in (low, high)]
    return Figure(name, value, unit, *ends, n=n, evidence=evidence)


def plain(value: Any) -> Value:
    """A number, text or truth value that JSON can hold; NaN is refused.

    >>> plain(Decimal("8911407.904"))
    8911407.904
    """
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and value.as_tuple().exponent >= 0 else float(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no finding: say None and a reason")
    if isinstance(value, float):
        return float(f"{value:.12g}") + 0.0  # beyond that it tells in which order was added; no minus before a zero
    if value is None or isinstance(value, int | str | bool):
        return value
    raise TypeError(f"{type(value).__name__} is no value of a finding")


def write_findings(path: Path, findings: dict[str, Finding]) -> None:
    """Write one chapter's findings; what is empty is left out."""
    records = {
        name: {key: item for key, item in asdict(finding).items() if key in ("value", "unit") or item not in (None, "")}
        for name, finding in findings.items()
    }
    write_whole(path, json.dumps(records, ensure_ascii=False, indent=1, allow_nan=False))


def earlier(
    name: str, found: Mapping[str, Finding], published: Mapping[str, Finding], *, whole: bool = True
) -> Finding | None:
    """The figure of the period before: as first published; else as this run found it, under `<name>_before`.

    Of a period that is not over, as many days of the one before, which no report has published.
    """
    ways = [published.get(name), found.get(f"{name}_before")]
    return next((finding for finding in (ways if whole else reversed(ways)) if finding is not None), None)


def read_findings(path: Path) -> dict[str, dict[str, Finding]]:
    """All chapters' findings of a rendered period: chapter → name → finding. Empty where nothing was rendered."""
    if not path.exists():
        return {}
    chapters = json.loads(path.read_text(encoding="utf-8"))
    return {
        chapter: {name: Finding(**record) for name, record in findings.items()}
        for chapter, findings in chapters.items()
    }
