"""The account of decisions: what was done with a list, to whom, and against whom it will be judged.

A list goes in (`lists`); out come those who may be contacted (`audience`), a random control (`draws`), sized for what
it can show (`power`), a forecast with what it rests on (`forecasts`), and an entry in the account book (`register`),
which later reports settle. All amounts are in the reporting currency, of margin where costs are known, else revenue.
"""

from workbook.decisions.audience import PURPOSES, Audience, sort_out
from workbook.decisions.draws import draw, layers
from workbook.decisions.forecasts import plain, pooled
from workbook.decisions.lists import KINDS
from workbook.decisions.making import export
from workbook.decisions.power import ALPHA, POWER, Past, needed, past, smallest_effect
from workbook.decisions.record import CHANNELS, REASONS, Decision, Forecast, Power, Price, as_json, from_json
from workbook.decisions.register import (
    CONTROL,
    TREATED,
    cancel,
    find,
    fingerprint,
    folder_of,
    list_hash,
    members,
    registered,
    write,
)
from workbook.decisions.request import Request

__all__ = [
    "ALPHA",
    "CHANNELS",
    "CONTROL",
    "KINDS",
    "POWER",
    "PURPOSES",
    "REASONS",
    "TREATED",
    "Audience",
    "Decision",
    "Forecast",
    "Past",
    "Power",
    "Price",
    "Request",
    "as_json",
    "cancel",
    "draw",
    "export",
    "find",
    "fingerprint",
    "folder_of",
    "from_json",
    "layers",
    "list_hash",
    "members",
    "needed",
    "past",
    "plain",
    "pooled",
    "registered",
    "smallest_effect",
    "sort_out",
    "write",
]
