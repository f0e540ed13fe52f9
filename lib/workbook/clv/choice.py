"""Which model of repeat purchases speaks: chosen once, at the base period, and kept, so that a trend is no change of
model."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

import ibis.expr.types as ir

from workbook.clv.counts import customer_table
from workbook.clv.fits import MODELS, Fit, best, fit_all
from workbook.data.errors import WorkbookError, nearest
from workbook.data.run import Run
from workbook.history import known_on

PLAIN = "bg_nbd"  # where the base period has too little to choose by


class Chosen(NamedTuple):
    """The model in force."""

    model: str  # one of MODELS
    chosen_on: date
    reason: str  # "declared", "best" (highest likelihood on that day), or "too_few"
    provisional: bool  # chosen for this page only, as the base period lies later


def model_in_force(
    run: Run, orders: ir.Table, returns: ir.Table | None, fits: Mapping[str, Fit], *, asked: str = "best"
) -> Chosen:
    """The declared model, or the one that fitted best at the base period, on what was known then.

    Args:
        fits: today's, for the case that the base period is today's.
    """
    if asked in MODELS:
        return Chosen(asked, run.as_of, "declared", False)
    if asked != "best":
        raise WorkbookError(f"There is no model {asked!r}.", way_out=nearest(asked, (*MODELS, "best")))

    def choose(day: date) -> dict[str, str]:
        then = fits if day == run.as_of else _fits_on(run, orders, returns, day)
        usable = {name: fit for name, fit in then.items() if fit.usable}
        return {"model": best(usable), "reason": "best"} if usable else {"model": PLAIN, "reason": "too_few"}

    kept = run.freeze("clv_model", choose)
    return Chosen(kept.rule["model"], kept.base.end, kept.rule["reason"], kept.provisional)


def _fits_on(run: Run, orders: ir.Table, returns: ir.Table | None, day: date) -> Mapping[str, Fit]:
    then = run.as_cleaned(day, "clean/orders", orders), run.as_cleaned(day, "clean/returns", returns)
    return fit_all(run.frame(customer_table(known_on(*then, day=day), as_of=day)))
