"""Actions of the simulator: the shop is the same without them, but for the treated and from their day on."""

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from workbook.data.simulate import Action, Parameters, Shop, simulate, write

DAY = date(2025, 3, 1)
CUSTOMERS, MONTHS, SEED = 1200, 18, 3
TREATED = tuple(f"{number:08d}" for number in range(1, CUSTOMERS + 1, 3))
ACTIONS = {
    "none": Action("NOTHING", DAY, TREATED),
    "more": Action("MORE", DAY, TREATED, rate=2.0, basket=1.2, comes_back=0.1),
    "less": Action("LESS", DAY, TREATED, rate=0.4),
}


@cache
def with_action(*actions: Action) -> Shop:
    """The shop with these actions, simulated once."""
    return simulate(CUSTOMERS, MONTHS, SEED, Parameters(actions=actions))


@pytest.fixture(scope="module")
def base() -> Shop:
    return simulate(CUSTOMERS, MONTHS, SEED)


def owned(shop: Shop, name: str) -> pd.DataFrame:
    """A table of orders with who really placed each, also the anonymous ones."""
    truth = shop.truth["orders"].to_pandas()[["order_id", "customer_id"]].rename(columns={"customer_id": "owner"})
    return shop.tables[name].to_pandas().merge(truth, on="order_id", how="left")


@pytest.mark.parametrize("name", ACTIONS)
def test_who_is_not_treated_does_the_same_with_and_without_the_action(base: Shop, name: str) -> None:
    shop = with_action(ACTIONS[name])
    for table in ("orders", "order_lines", "returns", "tickets", "payments"):
        before, after = (owned(one, table) for one in (base, shop))
        others = [frame[~frame["owner"].isin(TREATED)].reset_index(drop=True) for frame in (before, after)]
        assert len(others[0]) > 50
        pd.testing.assert_frame_equal(*others)
    for table in ("survey_invitations", "survey_answers", "customer_attributes", "assignments"):
        others = [frame[~frame["customer_id"].isin(TREATED)].reset_index(drop=True)
                  for frame in (one.tables[table].to_pandas() for one in (base, shop))]
        pd.testing.assert_frame_equal(*others)


@pytest.mark.parametrize("name", ACTIONS)
def test_up_to_its_day_an_action_has_changed_nobody(base: Shop, name: str) -> None:
    shop = with_action(ACTIONS[name])
    for table in ("orders", "order_lines"):
        earlier = [frame[frame["ordered_on"] < DAY].reset_index(drop=True)
                   for frame in (one.tables[table].to_pandas() for one in (base, shop))]
        pd.testing.assert_frame_equal(*earlier)


def orders_of(shop: Shop, customers: Any = TREATED, days: int = 60) -> pd.DataFrame:
    orders = owned(shop, "orders")
    until = DAY + timedelta(days)
    return orders[orders["owner"].isin(customers) & (orders["ordered_on"] >= DAY) & (orders["ordered_on"] < until)]


def test_the_effect_is_the_one_that_was_stated(base: Shop) -> None:
    without = orders_of(base)
    assert orders_of(with_action(ACTIONS["none"])).reset_index(drop=True).equals(without.reset_index(drop=True))
    before, doubled = (len(orders_of(one)) for one in (base, with_action(Action("TWICE", DAY, TREATED, rate=2.0))))
    assert doubled - before == pytest.approx(before, abs=4 * np.sqrt(before) + 0.1 * before)
    fewer = len(orders_of(with_action(ACTIONS["less"])))
    assert fewer == pytest.approx(0.4 * before, abs=4 * np.sqrt(0.24 * before))
    bigger = orders_of(with_action(Action("BIGGER", DAY, TREATED, basket=1.5)))
    assert len(bigger) == before
    ratio = float(bigger["amount"].sum()) / float(without["amount"].sum())
    assert ratio == pytest.approx(1.5, abs=0.12)  # prices are rounded to whole units and never above the list


def test_customers_who_had_left_come_back_as_often_as_was_said(base: Shop) -> None:
    truth = base.truth["customers"].to_pandas()
    left = truth[(truth["left_at"] < pd.Timestamp(DAY)) & truth["customer_id"].isin(TREATED)]["customer_id"]
    shop = with_action(Action("BACK", DAY, TREATED, comes_back=0.3))
    assert len(orders_of(base, set(left))) == 0
    share = orders_of(shop, set(left))["owner"].nunique() / len(left)
    assert share == pytest.approx(0.3, abs=3 * np.sqrt(0.21 / len(left)))


def test_the_tables_of_a_shop_with_actions_still_fit_together() -> None:
    shop = with_action(ACTIONS["more"], Action("LESS", DAY + timedelta(40), TREATED[:200], rate=0.3))
    orders, lines = (shop.tables[name].to_pandas() for name in ("orders", "order_lines"))
    assert orders["order_id"].is_unique and set(lines["order_id"]) == set(orders["order_id"])
    assert (lines.groupby("order_id")["amount"].sum().reindex(orders["order_id"]).astype(float).to_numpy()
            == orders["amount"].astype(float).to_numpy()).all()
    for name, column in (("returns", "order_id"), ("tickets", "order_id"), ("survey_invitations", "order_id"),
                         ("payments", "order_id")):
        named = shop.tables[name].to_pandas()[column].dropna()
        assert named.isin(orders["order_id"]).all(), name
    answers, invitations = (shop.tables[f"survey_{name}"].to_pandas() for name in ("answers", "invitations"))
    assert answers["invitation_id"].isin(invitations["invitation_id"]).all()
    events = shop.tables["events"].to_pandas()
    assert events["event_id"].is_unique


def test_the_treated_and_nobody_else_have_a_message_of_the_campaign() -> None:
    shop = with_action(ACTIONS["more"])
    contacts = shop.tables["contacts"].to_pandas()
    mine = contacts[contacts["campaign_id"] == "MORE"]
    assert set(mine["customer_id"]) == set(TREATED) and contacts["contact_id"].is_unique
    assert "MORE" in shop.tables["campaigns"].to_pandas()["campaign_id"].to_list()
    added = shop.truth["orders"].to_pandas()
    assert set(added[added["added_by"] == "MORE"]["customer_id"]) <= set(TREATED)


def test_an_action_outside_the_history_changes_nothing(base: Shop) -> None:
    shop = with_action(Action("LATE", date(2031, 1, 1), TREATED, rate=3.0))
    assert shop.tables["orders"].equals(base.tables["orders"])


def test_whoever_got_the_offer_orders_with_its_code_and_only_the_treated_have_a_message() -> None:
    friends = TREATED[1::2]
    offer = replace(ACTIONS["more"], customers=TREATED[::2], code="TEA", passed_to=friends)
    shop = with_action(offer)
    orders = owned(shop, "orders")
    end = DAY + timedelta(days=offer.days)
    during = (orders["ordered_on"] >= DAY) & (orders["ordered_on"] < end)
    expected = during & orders["owner"].isin(TREATED)
    assert (orders["discount_code"].notna() == expected).all() and expected.sum() > 100
    assert set(orders["discount_code"].dropna()) == {"TEA"}
    contacts = shop.tables["contacts"].to_pandas()
    assert set(contacts.loc[contacts["campaign_id"] == "MORE", "customer_id"]) == set(TREATED[::2])
    everybody = replace(offer, customers=TREATED, passed_to=(), code="")
    pd.testing.assert_frame_equal(orders.drop(columns="discount_code"), owned(with_action(everybody), "orders"))


def test_the_shops_own_export_has_a_column_of_codes_where_an_offer_had_one(tmp_path: Path) -> None:
    offer = replace(ACTIONS["more"], customers=TREATED[:20], code="TEA")
    write(tmp_path, 60, 18, SEED, progress=False, parameters=Parameters(actions=(offer,)))
    lines = pd.concat(pd.read_csv(path, encoding="gb18030", dtype=str)
                      for path in sorted((tmp_path / "orders").glob("*.csv")))
    assert set(lines["优惠码"].dropna()) == {"TEA"}
