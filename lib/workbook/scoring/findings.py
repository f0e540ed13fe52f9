"""What the segmentation scorecard finds, under names that every shop has."""

from __future__ import annotations

import math
from collections.abc import Iterator

from workbook.data.findings import Figure
from workbook.scoring.scorecard import QUESTIONS, Scorecard

WAYS = ("rfm", "clusters", "tree", "clv")
UNITS = {"captured": "share", "fidelity": "share", "over_naive": "share"}


def scorecard_figures(card: Scorecard) -> Iterator[Figure]:
    """Groups, the main measure of each question for each way, the lead over the naive list, and who leads where."""
    reason = card.code or "not_fitted"
    known = card.table.set_index(["measure", "grouping"])
    yield Figure("scorecard_groups", None if card.code else card.n_groups, "number", n=card.n, reason=card.code)
    for way in WAYS:
        for measure in (*QUESTIONS.values(), "over_naive"):
            name, unit = f"scorecard_{way}_{measure}", UNITS.get(measure, "number")
            if (measure, way) not in known.index or not math.isfinite(known.loc[(measure, way), "value"]):
                yield Figure(name, None, unit, n=card.n, reason=reason, evidence="observed")
                continue
            row = known.loc[(measure, way)]
            yield Figure(name, float(row["value"]), unit, float(row["low"]), float(row["high"]), card.n, "", "observed")
    for question in QUESTIONS:
        leaders = ", ".join(card.level(question))
        yield Figure(f"scorecard_leads_{question}", leaders or None, "text", n=card.n, reason="" if leaders else reason,
                     evidence="observed")  # fmt: skip
