"""Why a period differs from what was said of it: split so that the parts add up.

The orders of a period are kept as they were when its figures were told (`snapshot`). Rendered again, each order that
came out differently has a cause (`causes`), and the figures change cause by cause (`split`):

| cause | an order … |
|---|---|
| erased | was there; its records are gone from the sources, or fewer |
| late | arrived afterwards, or its records were corrected at the source |
| returns | had the same records, and other returns are known to belong to it; or is itself a return that arrived |
| identities | belongs to another customer, or to one with another past, since ids turned out to be one person |
| rules | has the same records, and what is declared about reading and cleaning has changed |
| code | has the same records and declarations, and the library has changed |
| other | has the same records, declarations and code: other records decide about it |

Money and orders add up whatever the order of the causes. A customer may have orders with several: counts of customers
are taken after each cause in the order above, and a part is what it adds to those before it. What a figure moved beyond
its orders, because its definition is another, is a part of `code`.
"""

from workbook.restatement.causes import CAUSES, Changed, compared
from workbook.restatement.snapshot import fits, take
from workbook.restatement.split import MEASURES, Cause, Measure, Restatement, restated

__all__ = ["CAUSES", "MEASURES", "Cause", "Changed", "Measure", "Restatement", "compared", "fits", "restated", "take"]
