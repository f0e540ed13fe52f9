"""What somebody asks for when a list is to leave: the list, the action, and how it will be judged."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import date

from workbook.data.errors import WorkbookError, nearest
from workbook.decisions.record import CHANNELS

SHARE = (0.1, 0.5)  # of the list, that may be held out


@dataclass(frozen=True)
class Request:
    """What somebody asks for."""

    list_name: str  # churn, segment:at_risk, cluster:a, risk, saved:NAME, where:SENTENCE
    action: str
    owner: str
    cost_per_person: float  # currency
    channel: str = "mail"
    offer: str = ""
    code: str = ""  # that customers enter for the offer; by it orders of the control that use the offer are known
    effect: str = ""  # expected, a customer treated: 3.5, 3.5..8, 10%, 5%..15%; empty: from the record
    horizon_days: int = 90
    control_share: float | None = None  # None: chosen for power
    recent_days: int = 14  # who had a message within them is left in peace
    starts_on: date | None = None  # first day of the action; None: the day after the list's last
    salt: str = "1"
    again: bool = False  # also where the same list was exported before
    anyway: bool = False  # also where nothing can be learnt


def refuse_nonsense(request: Request) -> None:
    """Stop what nobody can have meant.

    Raises:
        WorkbookError: says which part of the request, and how to write it.
    """
    for name, text in (("action", request.action), ("owner", request.owner)):
        if not text.strip():
            raise WorkbookError(f"The decision has no {name}.", way_out=f'Write --{name} "…".')
    if request.channel not in CHANNELS:
        raise WorkbookError(f"{request.channel!r} is no channel: {nearest(request.channel, CHANNELS)}.",
                            way_out=f"Write one of {', '.join(CHANNELS)}.")
    if not math.isfinite(request.cost_per_person) or request.cost_per_person < 0:
        raise WorkbookError("The cost of a decision is money a customer, 0 or more.", way_out="Write --cost 2.50")
    if request.control_share is not None and not SHARE[0] <= request.control_share <= SHARE[1]:
        raise WorkbookError(f"A control of {request.control_share:.0%} was asked for.",
                            why="Below 10 % next to nothing can be seen; above one half it only costs.",
                            way_out="Write --control-share 0.2, or leave it out: it is chosen for power.")
    if re.search(r"[\s,;|]", request.code.strip()):
        raise WorkbookError(f"{request.code!r} is more than one code.",
                            why="An order may carry several; commas and blanks stand between them.",
                            way_out="Write the one that belongs to this list alone: --code TEA-JULY")
    if request.horizon_days < 1 or request.recent_days < 0:
        raise WorkbookError("Days are whole numbers, the horizon at least 1.", way_out="Write --horizon-days 90")
