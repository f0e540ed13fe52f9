"""Did the control stay a control? What is counted before a settlement is believed.

In: what the people of one decision did (see `members`), and the decision. Out: counts of what breaks the comparison.
The main figure stays that of everybody as they were drawn (intention to treat): whoever is put aside for what happened
*after* the draw takes chance out of the comparison. What breaks it is told, and past a limit forbids to read it.

Source: R. Kohavi, D. Tang & Y. Xu, Trustworthy Online Controlled Experiments, 2020, chapters 3 and 22 (leakage).
"""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from workbook.ab_testing.members import CONTROL, TREATED
from workbook.ab_testing.split import SampleRatio, sample_ratio_of
from workbook.decisions import Decision

LEAKED = 0.1  # of a control who got message or offer: the difference then hides a tenth of the effect and more


class Integrity(NamedTuple):
    """Counts of one decision; None where nothing is on record that could tell."""

    control_contacted: int | None  # of the control, who had a message of the decision in the window
    breaking_orders: int | None  # orders that they placed in the window
    breaking_revenue: float | None  # currency
    not_contacted: int | None  # treated customers without any message of the decision
    both_arms: int  # people whose merged ids were in both arms: left out
    shared: int  # of the control, who share an account with somebody treated
    gone: int  # ids of the list that nobody has any more
    split: SampleRatio  # households that are left, beside those that were drawn
    leaked: int = 0  # of the control, who were contacted or ordered with the code
    control_coded: int | None = None  # of the control, who ordered with the offer's code; None: none, or not recorded
    coded_orders: int | None = None  # orders that they placed with it
    coded_revenue: float | None = None  # currency
    treated_coded: int | None = None  # of the treated, who ordered with it

    @property
    def is_recorded(self) -> bool:
        """Whether the messages of the decision are on record at all."""
        return self.control_contacted is not None


def integrity(decision: Decision, people: pd.DataFrame, *, contacts_known: bool) -> Integrity:
    """What is counted of one decision.

    Args:
        people: rows of `members.behaviour` of this decision.
        contacts_known: whether contacts are recorded in this shop.
    """
    both, compared = people["arms"] > 1, people[people["arms"] == 1]
    control = compared[compared["arm"] == CONTROL]
    treated = compared[compared["arm"] == TREATED]
    told = contacts_known and bool(people["contacted"].any())
    coded = bool(people["code_known"].any())
    leaked = control[control["contacted"].astype(bool)]
    using = control[control["coded_orders"] > 0]
    whole = decision.treated_households > 0
    counts = {arm: int(some["household"].nunique()) if whole else len(some)
              for arm, some in ((TREATED, treated), (CONTROL, control))}
    drawn = {TREATED: float(decision.treated_households if whole else decision.treated),
             CONTROL: float(decision.control_households if whole else decision.control)}
    return Integrity(
        control_contacted=len(leaked) if told else None,
        breaking_orders=int(leaked["orders"].sum()) if told else None,
        breaking_revenue=float(leaked["revenue"].sum()) if told else None,
        control_coded=len(using) if coded else None, coded_orders=int(using["coded_orders"].sum()) if coded else None,
        coded_revenue=float(using["coded_revenue"].sum()) if coded else None,
        treated_coded=int((treated["coded_orders"] > 0).sum()) if coded else None,
        leaked=len(set(leaked["customer_id"]) | set(using["customer_id"])),
        not_contacted=int((~treated["contacted"].astype(bool)).sum()) if told else None,
        both_arms=int(both.sum()), shared=int(control["shared"].astype(bool).sum()),
        gone=max(decision.treated + decision.control - len(compared) - 2 * int(both.sum()), 0),
        split=sample_ratio_of(counts, drawn),
    )


def broken(found: Integrity, decision: Decision) -> tuple[str, ...]:
    """Codes of what forbids to read the settlement: control_contacted, control_used_code, split_broken."""
    most = LEAKED * max(decision.control, 1)
    leak = "control_contacted" if (found.control_contacted or 0) > most else "control_used_code"
    return (*([leak] if found.leaked > most else []), *(["split_broken"] if found.split.broken else []))
