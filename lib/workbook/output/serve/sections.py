"""The sections of the served page: name, what one does there, and how it is made.

What only one section needs is imported when it is opened, so that the page is there soon.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbook.data.engine import few_rows
from workbook.output import page
from workbook.output.explore import look_up, pivot
from workbook.output.explore.selection import Watched
from workbook.output.i18n import _
from workbook.output.serve.sources import Shop, parameters, values_at_risk

Section = tuple[str, str, Callable[[Shop, Watched], Any]]


def all_of() -> dict[str, Section]:
    """Code → name, sentence, maker, in the order of the page."""
    return {
        "pivot": (_("Pivot"), _("Any two dimensions and a measure, then the rows behind a cell."), pivoted),
        "customer": (_("One customer"), _("What is known of one customer, by id or one after another."), one_customer),
        "builder": (_("Build a segment"), _("A filter, its size and value, and the list to hand on."), builder),
        "profile": (_("Profile"), _("Two attributes of customers against each other."), profile),
        "rfm": (_("RFM"), _("Bins, weights and cuts of the scores, and the list that they make."), scores),
        "groups": (_("Clusters"), _("Groups among the chosen customers, tried and not kept."), groups),
        "value": (_("Lifetime value"), _("What the chosen customers are still worth, and what a budget wins."), worth),
        "risk": (_("Risk of leaving"), _("What contacting those at risk costs and brings."), risk),
        "plan": (_("Experiment"), _("How many customers and days an experiment on the chosen needs."), plan),
    }  # fmt: skip


def pivoted(shop: Shop, watched: Watched) -> Any:
    """The free pivot."""
    return pivot.explorer(shop.run, shop.sources, groups=shop.groups, selection=watched)


def one_customer(shop: Shop, watched: Watched) -> Any:
    """The look-up; it begins with the first of the chosen customers, by net amount of twelve months."""
    return look_up.explorer(shop.run, shop.people, groups=shop.groups, selection=watched)


def builder(shop: Shop, watched: Watched) -> Any:
    """The segment builder."""
    from workbook.output.explore.builder import builder as build

    return build(shop.run, shop.people, selection=watched)


def profile(shop: Shop, watched: Watched) -> Any:
    """Two attributes against each other."""
    from workbook.output.explore import profiling
    from workbook.profiling import customers

    buyers = shop.run.table("profile/customers")
    buyers = buyers.filter(buyers.orders > 0)
    [counts] = few_rows(customers.stated(buyers))
    known = customers.telling(counts, least=shop.run.settings.privacy.smallest_cell)
    if len(known) < 2:
        return page.say(_("Too few attributes of customers are known."))
    rows = "age_band" if "age_band" in known else known[0]
    columns = next(name for name in ("category", *known) if name in known and name != rows)
    return profiling.explorer(shop.run, buyers, known, rows=rows, columns=columns, selection=watched)


def scores(shop: Shop, watched: Watched) -> Any:
    """Bins, weights and cuts of RFM."""
    from workbook.output.explore import rfm

    share = parameters(shop.run, "04_rfm")["list_share"]
    return rfm.scores(shop.run, shop.run.table("rfm"), edges=shop.edges, list_share=share, selection=watched)


def groups(shop: Shop, watched: Watched) -> Any:
    """Groups of customers by other measures or another number."""
    from workbook.output.explore import clustering

    return clustering.groups(*shop.grouping, selection=watched)


def worth(shop: Shop, watched: Watched) -> Any:
    """Value still to come."""
    from workbook.output.explore import clv

    found, asked = shop.lifetimes, parameters(shop.run, "06_clv")
    return clv.worth(
        found.fit, found.value_fit, found.customers, margin=found.margin, yearly_discount=asked["yearly_discount"],
        horizon_months=asked["horizon_months"], cost_each=found.cost_each, selection=watched)  # fmt: skip


def risk(shop: Shop, watched: Watched) -> Any:
    """What contacting those at risk brings."""
    from workbook.output.explore import churn

    found = shop.leaving
    if found is None:
        return page.say(_("The record is too short, or too few customers left, to foretell who will."))
    return churn.profit(
        found.money, values_at_risk(found.today), judged_ids=found.judged_ids, today_ids=found.today["customer_id"],
        selection=watched)  # fmt: skip


def plan(shop: Shop, watched: Watched) -> Any:
    """The plan of an experiment."""
    from workbook.output.explore import ab_testing

    asked, orders = parameters(shop.run, "07_ab_testing"), shop.run.table("clean/orders")
    baselines, traffic = shop.plan_of(orders)
    return ab_testing.planning(
        baselines, traffic, relative=asked["expected_lift"], power=asked["power"], alpha=asked["alpha"],
        metric=asked["first_metric"], selection=watched, among=lambda: shop.plan_of(watched.of(orders)))  # fmt: skip
