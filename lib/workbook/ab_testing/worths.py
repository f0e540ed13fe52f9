"""What the experiments to keep are worth in a year, together with what shrinks their effects.

`review.Reviewed` and the money of one order go in; one `Worth` an experiment to keep comes out. Where revenue or margin
was measured its effect counts, with CUPED where that is sound: that more orders came does not say that more money did.
Else effects on orders are multiplied by what an order comes to. Other metrics have no money, and no worth.
The prior is the shop's own, once five experiments were read; until then an assumed one (see `verdict`).
"""

from __future__ import annotations

from collections.abc import Sequence

from workbook.ab_testing.effects import Effect
from workbook.ab_testing.review import Reviewed
from workbook.ab_testing.verdict import Worth, own_prior, worth_a_year

IN_MONEY = ("margin", "revenue")  # best first
IN_ORDERS = ("orders", "bought")


def worths(
    reviewed: Sequence[Reviewed], *, order_value: float, margin_share: float = 1.0, decay_a_year: float = 0.5
) -> dict[str, Worth]:
    """Experiment → its worth, for those whose verdict is to keep it.

    Args:
        order_value: net amount of an order, in currency; nan where it is not known.
        margin_share: of a net amount, what stays after the cost of the goods.
        decay_a_year: share of an effect that is lost within a year: assumed.
    """
    readable = [one for one in reviewed if one.main and one.verdict.code != "refuse"]
    prior = own_prior([one.main for one in readable])
    found = {}
    for one in readable:
        effect = _in_money(one)
        if one.verdict.code == "ship" and effect is not None:
            found[one.experiment_id] = worth_a_year(
                effect, customers=one.customers, days=one.days,
                unit_value=order_value if effect.metric in IN_ORDERS else 1.0,
                margin_share=1.0 if effect.metric == "margin" else margin_share, prior_relative_sd=prior,
                decay_a_year=decay_a_year)
    return found


def _in_money(one: Reviewed) -> Effect | None:
    """The effect that says most of money, on the arm of the verdict."""
    for metric in IN_MONEY + IN_ORDERS:
        sound = metric in one.health and one.health[metric].code in ("ok", "weak")
        choice = one.cuped.get(metric, ()) if sound else one.effects
        for effect in choice:
            if effect.metric == metric and effect.arm == one.verdict.arm:
                return effect
    return None
