"""Cleaning: from what arrived to what the chapters work with, with every change accounted for.

`clean(run)` reads `raw/*`, cuts it at the report date, applies the named rules and keeps `clean/*`. The parts:
`sales` makes uniform order lines, `duplicates` and `rules` mark them, `identities` finds people behind several ids,
`returns` nets what came back, `orders` and `customers` sum up, `records` treats every other table, `ledger`,
`quality` and `gates` say what was done and whether it can be trusted. `base` sees to what frozen rules are fitted on.
"""

from workbook.cleaning.base import clean
from workbook.cleaning.steps import Cleaned

__all__ = ["Cleaned", "clean"]
