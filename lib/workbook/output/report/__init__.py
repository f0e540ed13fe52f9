"""From the notebooks to `reports/<period>/`: findings, tables, and a page a chapter in each language.

One render is one attempt: its tables lie in a stage, its pages in a draft folder. Only when both are whole do they
take the place of what was there. A render in which a chapter failed takes no good report's place: where there is one,
the attempt is put beside it as `<period>.failed`.
"""

from workbook.output.pages.report import comment
from workbook.output.report.asked import unfinished
from workbook.output.report.backfill import behind
from workbook.output.report.render import Rendered, render

__all__ = ["Rendered", "behind", "comment", "render", "unfinished"]
