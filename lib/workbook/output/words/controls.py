"""What 07_ab_testing says of the controls of decisions: what breaks them, and what a sceptical reader asks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from workbook.ab_testing import Settlement
from workbook.output import i18n
from workbook.output.i18n import _
from workbook.output.words.ab_testing import gap
from workbook.output.words.settlement import is_shown, names


def integrity(settlements: Sequence[Settlement]) -> list[str]:
    """What breaks the controls, decision by decision; one sentence where nothing does."""
    called = names(settlements)
    told = [text for one in settlements for text in _broken(one, called[one.decision.id])]
    begun = [one for one in settlements if one.integrity is not None]
    silent = [f"**{called[one.decision.id]}**" for one in begun if one.integrity and not one.integrity.is_recorded]
    if silent:
        told.append(_("No message is on record of {decisions}, so that nobody can check who got it.").format(
            decisions=_(", ").join(silent)))
    coded = [one for one in begun if one.integrity and one.integrity.control_coded is not None]
    if begun and not told:
        told.append(_("Nothing on record breaks a control: nobody in it had a message of the decision, and nobody is "
                      "missing in one arm only."))
        told += [_("Nor did anybody in a control order with the code of an offer.")] if coded else []
    blind = [f"**{called[one.decision.id]}**" for one in begun if one.decision.code and one not in coded]
    if blind:
        told.append(_("No order with any code is on record since {decisions} began, so that nobody can tell who used "
                      "its code.").format(decisions=_(", ").join(blind)))
    told += [text for one in begun for text in _to_know(one, called[one.decision.id])]
    return told + [_at_home(one, called[one.decision.id]) for one in begun if one.decision.has_households]


def _to_know(one: Settlement, name: str) -> list[str]:
    """What a sceptical reader asks of a decision whose control is sound."""
    told, made = [], one.decision
    if made.cancelled:
        told.append(_("**{decision}** was cancelled ({why}), and messages of it are on record: it is settled all the "
                      "same.").format(decision=name, why=made.cancelled_why))
    if made.decided_at[:10] > made.ends_on.isoformat():
        told.append(_("**{decision}** was registered on {day}, when its window had ended: whoever draws a control "
                      "after the outcome is known can choose it.").format(
            decision=name, day=i18n.date(date.fromisoformat(made.decided_at[:10]))))
    treated, control = one.elsewhere
    if treated or control:
        told.append(_("**{decision}**: another action reached {treated} of its treated and {control} of its control "
                      "within its window. What that did to the one and not to the other is in this effect too, and the "
                      "account may count it twice.").format(
            decision=name, treated=i18n.number(treated), control=i18n.number(control)))
    return told


def _at_home(one: Settlement, name: str) -> str:
    """That households were drawn whole, and what counting customers one by one would have claimed."""
    text = _("**{decision}**: whoever shares an account, a number or an address was drawn together, {people} people in "
             "{households} households; the interval counts households.").format(
        decision=name, people=i18n.number(one.treated + one.control), households=i18n.number(one.households))
    if one.plain is None or one.main is None or not is_shown(one) or not one.plain.std_error > 0:
        return text
    return text + gap() + _("Counting customers one by one would have said {low} to {high} instead of {true_low} to "
                            "{true_high} a treated customer.").format(
        low=i18n.money(one.plain.low), high=i18n.money(one.plain.high), true_low=i18n.money(one.main.low),
        true_high=i18n.money(one.main.high))


def _broken(one: Settlement, name: str) -> list[str]:
    found = one.integrity
    if found is None:
        return []
    counts: list[tuple[int | None, str]] = [
        (found.control_contacted, _("**{decision}**: {n} people of the control had the message all the same and placed "
                                    "{orders} orders; everybody still counts where they were drawn, so that the "
                                    "effect is understated.")),
        (found.not_contacted, _("**{decision}**: {n} of the treated have no message on record; they count as treated, "
                                "so that the effect is that of deciding, not of reading.")),
        (found.both_arms, _("**{decision}**: {n} people turned out to be in both arms under two ids; they are left "
                            "out.")),
        (found.shared, _("**{decision}**: {n} people of the control share an account with somebody treated.")),
        (found.gone, _("**{decision}**: {n} ids of the list are no longer known; they are left out.")),
    ]  # fmt: skip
    told = [text.format(decision=name, n=i18n.number(n), orders=i18n.number(found.breaking_orders or 0))
            for n, text in counts if n]
    told += [_coded(one, name)] if found.control_coded else []
    if found.split.broken:
        told.append(_("**{decision}**: the arms no longer have the sizes that were drawn; it is not judged.").format(
            decision=name))
    return told


def _coded(one: Settlement, name: str) -> str:
    """Who of the control ordered with the code, and what that does to the effect."""
    found = one.integrity
    assert found is not None  # whoever is counted was looked at
    return _("**{decision}**: {n} people of the control ordered with the code {code}: orders: {orders}, {money} in all "
             "(of the treated, {treated} people did). They got an offer that was not sent to them; everybody still "
             "counts where they were drawn, so that the effect is understated.").format(
        decision=name, n=i18n.number(found.control_coded), code=one.decision.code,
        orders=i18n.number(found.coded_orders), money=i18n.money(found.coded_revenue),
        treated=i18n.number(found.treated_coded))
