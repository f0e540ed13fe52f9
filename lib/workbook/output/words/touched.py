"""What the report of a part says of decisions: which of the shop's touch it, and where they are settled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from workbook.ab_testing import Touched
from workbook.output import i18n
from workbook.output.i18n import _, ngettext

MOST_TOLD = 8  # decisions, the newest


def counted_in_part(touched: Sequence[Touched]) -> str:
    """How many decisions of the whole shop touch this part, and where they are settled."""
    if not touched:
        return _("No decision of the shop has customers of this part on its list.")
    return ngettext(
        "**{n} decision** of the shop has customers of this part on its list; it is settled in the report of the whole "
        "shop.",
        "**{n} decisions** of the shop have customers of this part on their lists; they are settled in the report of "
        "the whole shop.", len(touched)).format(n=i18n.number(len(touched)))


def in_part(touched: Sequence[Touched], as_of: date, *, fewest: int) -> list[str]:
    """What touches a part: decision by decision, newest first, and why it is not settled here.

    Args:
        fewest: customers, below which a group is not counted.
    """
    if not touched:
        return [counted_in_part(touched)]
    why = _("A control is drawn for a whole list. Whoever buys in a part because of the action becomes its customer; "
            "their like in the control does not, so that a comparison within the part would not be fair. What each "
            "decision did stands in this chapter of the report of the whole shop.")
    return [*[_touches(one, as_of, fewest=fewest) for one in list(reversed(touched))[:MOST_TOLD]], why]


def _touches(one: Touched, as_of: date, *, fewest: int) -> str:
    made = one.decision
    state = (_("cancelled") if made.cancelled else _("its window ended on {day}") if made.ripe_on(as_of)
             else _("its window ends on {day}")).format(day=i18n.date(made.ends_on))
    treated, control = (_("fewer than {n}").format(n=i18n.number(fewest)) if count < fewest else i18n.number(count)
                        for count in (one.treated, one.control))
    return _("**{action} ({period})**: of {all_treated} treated customers, {treated} are of this part, of "
             "{all_control} held out {control}; {state}.").format(
        action=made.action.strip(), period=made.period, all_treated=i18n.number(made.treated), treated=treated,
        all_control=i18n.number(made.control), control=control, state=state)
