"""Any two dimensions against each other, with one measure in the cells: which of them hold what, and who stands behind.

Clean orders, lines and tables of customers go in; a table of levels × levels comes out (`pivot`), and the rows behind a
cell (`rows_behind`), or a filter that holds its customers (`whom`). Dimensions and what is counted: `facts`; measures
and totals: `counting`; small cells: `suppression`; one single customer: `person`.
"""

from workbook.pivot.counting import MEASURES, Pivot, pivot, rows_behind
from workbook.pivot.facts import NOT_STATED, OF_LINES, OF_PEOPLE, OTHERS, Sources, dimensions, facts, joined
from workbook.pivot.suppression import suppressed, with_totals
from workbook.pivot.whom import whom

__all__ = [
    "MEASURES",
    "NOT_STATED",
    "OF_LINES",
    "OF_PEOPLE",
    "OTHERS",
    "Pivot",
    "Sources",
    "dimensions",
    "facts",
    "joined",
    "pivot",
    "rows_behind",
    "suppressed",
    "whom",
    "with_totals",
]
