"""The simulated shop as a whole: what belongs to no single customer, and the stated facts."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from workbook.data.simulation import catalog, encounters
from workbook.data.simulation.clock import Clock, month_start
from workbook.data.simulation.encounter_tables import campaign_ids
from workbook.data.simulation.parameters import Parameters
from workbook.data.simulation.sales_tables import unit_cost_cents
from workbook.data.simulation.tables import Words, plain, table


@dataclass(frozen=True)
class Shop:
    """A simulated shop: canonical tables, the truth of each customer, and the stated facts."""

    tables: dict[str, pa.Table]
    truth: dict[str, pa.Table]
    facts: dict[str, Any]  # parameters, calendar, totals by month


def shop_tables(parameters: Parameters, clock: Clock, totals: dict[str, np.ndarray]) -> dict[str, pa.Table]:
    """Tables that belong to the shop as a whole: products, campaigns, what the channels cost."""
    shelf, start = catalog.goods(), clock.start
    tea = np.flatnonzero(shelf.category == 0)
    which = np.concatenate([np.arange(len(shelf.ids)), tea])
    risen = np.arange(len(which)) >= len(shelf.ids)
    price = np.rint(shelf.price[which] * np.where(risen, catalog.PRICE_RISE_FACTOR, 1.0) * 100.0).astype(np.int64)
    since = np.where(risen, clock.day(catalog.PRICE_RISE), 0)
    products = table("products", {
        "product_id": Words(which, shelf.ids), "product_name": Words(which, shelf.names),
        "category": Words(shelf.category[which], catalog.CATEGORIES), "cost": unit_cost_cents(shelf, which, risen),
        "list_price": price, "valid_from": since, "is_product": np.ones(len(which), bool)}, start)
    month = np.arange(clock.months)
    first = np.array([clock.first_of_month(int(m)) for m in month])
    campaigns = table("campaigns", {
        "campaign_id": Words(month, campaign_ids(clock)),
        "campaign_name": Words(month, [f"{month_start(start, int(m)):%Y-%m} newsletter" for m in month]),
        "channel": Words((month % 3 == 2).astype(int), encounters.CONTACT_CHANNELS),
        "offer": Words(month % len(encounters.OFFERS), encounters.OFFERS), "started_on": first + 9,
        "ended_on": first + 16, "cost": np.full(len(month), 30_000)}, start)
    if parameters.actions:
        campaigns = pa.concat_tables([plain(campaigns), plain(action_campaigns(parameters, clock))])
    names = [channel.name for channel in parameters.channels]
    each = np.array([channel.cost for channel in parameters.channels]) * 100.0
    won = totals["won"].reshape(-1, len(names))[:clock.months]
    channel_costs = table("channel_costs", {
        "channel": Words(np.tile(np.arange(len(names)), clock.months), names),
        "spent_on": np.repeat(first, len(names)), "cost": np.rint(won * each).astype(np.int64).ravel(),
        "clicks": won.ravel() * 25}, start)
    return {"products": plain(products), "campaigns": plain(campaigns), "channel_costs": plain(channel_costs)}


def action_campaigns(parameters: Parameters, clock: Clock) -> pa.Table:
    """One campaign an action."""
    place, actions = np.arange(len(parameters.actions)), parameters.actions
    begun = np.array([clock.day(action.day) for action in actions])
    return table("campaigns", {
        "campaign_id": Words(place, [action.name for action in actions]),
        "campaign_name": Words(place, [action.name for action in actions]),
        "channel": Words(place, [action.channel for action in actions]),
        "offer": Words(place, [action.offer for action in actions]), "started_on": begun, "ended_on": begun,
        "cost": 0 * place}, clock.start)


def facts(
    parameters: Parameters, clock: Clock, seed: int, customers: int, totals: dict[str, np.ndarray]
) -> dict[str, Any]:
    """What truth.json says: the parameters, the calendar and the shop's totals by month, in CNY."""
    labels = [f"{month_start(clock.start, month):%Y-%m}" for month in range(clock.months + 1)]
    stated = asdict(parameters)
    if not parameters.actions:
        del stated["actions"]
    return {
        "customers": customers, "months": clock.months, "seed": seed, "parameters": stated,
        "crisis": [str(date.fromordinal(clock.start.toordinal() + day)) for day in clock.crisis],
        "calendar": [asdict(occasion) for occasion in clock.occasions],
        "totals": {name: dict(zip(labels, (totals[name] / per).tolist(), strict=True)) for name, per in (
            ("orders", 1), ("cents", 100), ("shipping_cents", 100), ("returned_cents", 100))},
    }


def write_facts(folder: Path, found: dict[str, Any]) -> None:
    """Write truth/truth.json."""
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, ensure_ascii=False, indent=1, default=str)
    (folder / "truth" / "truth.json").write_text(text + "\n", encoding="utf-8")
