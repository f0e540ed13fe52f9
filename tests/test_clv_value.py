"""What customers have brought, at equal age and by channel: small tables worked by hand, and a simulated truth."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workbook.clv import acquisition, equal_age, value
from workbook.clv.table import outlook
from workbook.data.engine import connect
from workbook.data.settings import Engine

MONEY = pa.decimal128(18, 4)
AS_OF = date(2026, 6, 30)
ENGINE = connect(Engine(url="duckdb", memory="500MB", threads=1))
REVENUE = value.Basis("revenue", 1.0, 0.0)


def orders_frame(rows):
    """(customer, ISO day, amount, net amount, cost or None) → columns of clean/orders."""
    def money(values):
        return pa.array([None if x is None else Decimal(str(x)) for x in values], pa.decimal128(38, 4)).cast(MONEY)

    return pa.table(
        {
            "customer_id": pa.array([row[0] for row in rows], pa.string()),
            "ordered_on": pa.array([date.fromisoformat(row[1]) for row in rows], pa.date32()),
            "amount": money([row[2] for row in rows]), "net_amount": money([row[3] for row in rows]),
            "cost": money([row[4] for row in rows]), "is_return": [row[2] < 0 for row in rows],
        }
    )  # fmt: skip


# a: two orders, half of the second came back. b: a gift, and a return of unknown purchase. c: wholly returned.
HAND = [
    ("a", "2026-01-10", 100, 100, 60), ("a", "2026-03-10", 80, 40, 40), ("b", "2026-02-01", 0, 0, 7),
    ("b", "2026-04-01", 50, 50, 30), ("b", "2026-05-01", -10, -10, -6), ("c", "2026-05-01", 20, 0, 9),
    (None, "2026-05-02", 500, 500, 1),
]  # fmt: skip


def rows_of(table, key="customer_id"):
    return {row[key]: row for row in table.to_pyarrow().to_pylist()}


class TestValue:
    def test_margin_to_date_by_hand(self, con, make_table):
        orders = make_table(con, orders_frame(HAND))
        rule = value.basis(orders, as_of=AS_OF)
        # kept: a 40 + (40 - 20), b 50 - 30 (gift and return document are no sale), c 0 of 190 net
        assert (rule.code, rule.known_share) == ("margin", 1.0)
        assert rule.share == pytest.approx(80 / 190)
        found = rows_of(value.value_to_date(orders, as_of=AS_OF, rule=rule))
        assert {c: (r["purchase_days"], float(r["revenue_to_date"]), float(r["value_to_date"]))
                for c, r in found.items()} == {"a": (2, 140, 60), "b": (2, 40, 20 - 7 - 10 + 6)}  # fmt: skip

    def test_what_lies_later_is_not_seen(self):
        orders = ENGINE.create_table("later", orders_frame(HAND), overwrite=True)
        found = rows_of(value.value_to_date(orders, as_of=date(2026, 1, 31), rule=REVENUE))
        assert list(found) == ["a"] and found["a"]["value_to_date"] == 100

    def test_too_few_costs_make_value_revenue_or_the_declared_share(self):
        rows = [(*row[:4], row[4] if row[0] == "b" else None) for row in HAND]
        orders = ENGINE.create_table("few_costs", orders_frame(rows), overwrite=True)
        assert value.basis(orders, as_of=AS_OF) == value.Basis("revenue", 1.0, 0.2)
        assert value.basis(orders, as_of=AS_OF, declared=0.3) == value.Basis("assumed", 0.3, 0.2)

    def test_a_single_unknown_cost_takes_the_mean_share(self):
        rows = [("a", "2026-01-10", 90, 90, 45), ("b", "2026-01-11", 10, 10, None)]
        orders = ENGINE.create_table("one_unknown", orders_frame(rows), overwrite=True)
        rule = value.basis(orders, as_of=AS_OF)
        assert rule == value.Basis("margin", 0.5, 0.9)
        assert rows_of(value.value_to_date(orders, as_of=AS_OF, rule=rule))["b"]["value_to_date"] == 5

    def test_the_arithmetic_sees_only_who_bought_lately(self):
        rows = [("a", "2026-01-10", 30, 30, None), ("a", "2026-02-10", 50, 50, None), ("b", "2026-03-10", 10, 10, None),
                ("gone", "2024-03-10", 10, 10, None), ("lost", "2024-03-10", 10, 10, None)]  # fmt: skip
        orders = ENGINE.create_table("napkin", orders_frame(rows), overwrite=True)
        found = value.arithmetic(orders, as_of=AS_OF, years=3)
        assert (found.customers, found.everyone, found.mean_order, found.orders_a_year) == (2, 4, 30, 1.5)
        assert (found.value, found.typical) == (135, 10)

    def test_nobody_lately_has_no_arithmetic(self):
        orders = ENGINE.create_table("quiet", orders_frame(HAND), overwrite=True)
        assert value.arithmetic(orders, as_of=date(2029, 1, 1), years=3).value is None
        assert value.arithmetic(orders, as_of=date(2020, 1, 1), years=3).everyone == 0

    def test_equal_values_share_a_tenth(self):
        frame = pd.DataFrame({"clv": [1.0] * 5 + [2.0] * 4 + [3.0]})
        assert value.tenths(frame, "clv").tolist() == [6] * 5 + [2] * 4 + [1]
        assert value.tenths(pd.DataFrame({"clv": []}), "clv").tolist() == []


def quarters(*rows):
    return pd.DataFrame(rows, columns=["channel", "cohort", "customers", "cost"])


class TestAcquisition:
    def people(self, con, make_table, orders):
        customers = make_table(con, pa.table({
            "customer_id": ["a", "b", "c", "d"], "acquisition_channel": ["web", "web", "shop", None],
            "acquisition_cost": pa.array([None, None, Decimal(7), None], MONEY),
        }))  # fmt: skip
        return acquisition.people(value.value_to_date(orders, as_of=AS_OF, rule=REVENUE), customers)

    def test_costs_are_shared_by_the_customers_of_the_quarter(self, con, make_table):
        rows = [("a", "2026-01-10", 10, 10, None), ("b", "2026-04-02", 10, 10, None), ("c", "2026-04-02", 9, 9, None)]
        orders = make_table(con, orders_frame(rows))
        spending = make_table(con, pa.table({
            "channel": ["web", "web", "web", "post"],
            "spent_on": pa.array([date(2026, 1, 1), date(2026, 3, 1), date(2026, 7, 1), date(2026, 4, 1)]),
            "cost": pa.array([Decimal(30), Decimal(12), Decimal(99), Decimal(5)], MONEY),
        }))  # fmt: skip
        found = acquisition.costs(self.people(con, make_table, orders), spending, as_of=AS_OF)
        assert found.to_dict("list") == {
            "channel": ["post", "shop", "web", "web"],
            "cohort": [date(2026, 4, 1), date(2026, 4, 1), date(2026, 1, 1), date(2026, 4, 1)],
            "customers": [0, 1, 1, 1], "cost": [5, 7, 42, 0],
        }, "spending after the day is not seen; the shop's own records stand in for a channel without any"  # fmt: skip

    def test_at_equal_age_only_those_stand_who_have_reached_it(self, con, make_table):
        first = AS_OF - timedelta(days=400)
        rows = [(f"o{i}", first.isoformat(), 10, 10, None) for i in range(30)]
        rows += [(f"o{i}", (first + timedelta(days=100)).isoformat(), 30, 30, None) for i in range(15)]
        rows += [(f"y{i}", (AS_OF - timedelta(days=40)).isoformat(), 99, 99, None) for i in range(30)]
        orders = make_table(con, orders_frame(rows))
        everyone = value.value_to_date(orders, as_of=AS_OF, rule=REVENUE)
        everyone = everyone.mutate(group=everyone.customer_id.substr(0, 1))
        found = acquisition.by_age(orders, everyone, as_of=AS_OF, rule=REVENUE, by="group", ages=(0, 1, 3, 4, 12))
        means = {(row.group, row.age_months): (row.customers, row.value) for row in found.itertuples()}
        assert means == {("o", 0): (30, 10), ("o", 1): (30, 10), ("o", 3): (30, 10), ("o", 4): (30, 25),
                         ("o", 12): (30, 25), ("y", 0): (30, 99), ("y", 1): (30, 99)}  # fmt: skip
        late = found[found["age_months"] == 4].iloc[0]
        half = 1.959964 * 15 * np.sqrt(30 / 29) / np.sqrt(30)  # ± 15 around 25, half of them each
        assert (late["low"], late["high"]) == pytest.approx((25 - half, 25 + half))

    def test_the_cost_has_come_back_when_the_mean_covers_it(self):
        ages = pd.DataFrame({
            "group": ["web"] * 3 + ["shop"] * 3, "age_months": [0, 1, 2] * 2, "customers": [50] * 6,
            "value": [5.0, 10, 15, 1, 2, 3], "low": [4.0, 8, 12, 0, 1, 2], "high": [6.0, 12, 18, 2, 3, 4],
        })  # fmt: skip
        costs = quarters(("web", date(2026, 1, 1), 40, 400.0), ("shop", date(2026, 1, 1), 40, 360.0),
                         ("post", date(2026, 1, 1), 0, 5.0), ("free", date(2026, 1, 1), 40, None))  # fmt: skip
        found = acquisition.payback(ages, costs).set_index("group")
        assert found.loc["web", ["months", "months_low", "months_high"]].tolist() == [1, 1, 2]
        assert np.isnan(found.loc["shop", "months"]) and found.loc["shop", "oldest"] == 2
        assert sorted(found.index) == ["shop", "web"]

    def test_referred_people_count_once_and_apart(self, con, make_table):
        orders = make_table(con, orders_frame([("b", "2026-01-10", 10, 10, None), ("c", "2026-01-10", 5, 5, None)]))
        referrals = make_table(con, pa.table({
            "referrer_id": ["a", "a", "z", "z"], "referred_id": ["b", "x", "c", "late"],
            "referred_on": pa.array([date(2026, 1, 1), None, date(2026, 1, 1), date(2027, 1, 1)]),
            "reward": pa.array([Decimal(2), None, Decimal(3), Decimal(9)], MONEY),
        }))  # fmt: skip
        values = value.value_to_date(orders, as_of=AS_OF, rule=REVENUE)
        found = acquisition.brought(referrals, values, as_of=AS_OF)
        assert rows_of(found)["a"] == {
            "customer_id": "a", "referred": 2, "referred_buyers": 1, "value_brought": 10, "reward": 2}
        assert acquisition.referral_totals(found) == acquisition.Referrals(2, 3, 2, 15.0, 5.0)

    def test_what_is_still_to_come_stands_beside_what_came(self):
        customers = pd.DataFrame({"segment": ["new"] * 40 + ["lost"] * 40, "value_to_date": [5.0] * 40 + [1.0] * 40})
        totals = pd.DataFrame({
            "by": ["segment", "segment", "segment", "all"], "group": ["new", "lost", "few", "all"],
            "customers": [40, 40, 5, 85], "clv": [120.0, 360.0, 20.0, 500.0], "clv_low": [80.0, 320.0, 1.0, 400.0],
            "clv_high": [160.0, 400.0, 90.0, 560.0],
        })  # fmt: skip
        found = outlook(customers, totals, by="segment").set_index("group")
        assert found.index.tolist() == ["lost", "new"], "five customers are no group"
        assert found.loc["new", ["value_to_date", "to_come", "to_come_low", "share"]].tolist() == [5, 3, 2, 0.24]


class TestEqualAge:
    def test_what_came_up_to_an_age(self, con, make_table):
        rows = [("a", "2025-01-01", 10, 10, None), ("a", "2025-12-31", 5, 5, None), ("a", "2026-01-03", 7, 7, None)]
        orders = make_table(con, orders_frame(rows))
        everyone = value.value_to_date(orders, as_of=AS_OF, rule=REVENUE)
        found = equal_age.to_age(orders, everyone, as_of=AS_OF, rule=REVENUE, months=12)
        assert rows_of(found)["a"]["came"] == 15, "day 365 is the last of twelve months of 30.4375 days"

    def test_groups_are_set_beside_their_cost_at_equal_age(self):
        life = pd.DataFrame({"channel": ["web"] * 40 + ["shop"] * 40, "came": [10.0, 20.0] * 20 + [6.0] * 40,
                             "rest": [5.0] * 40 + [2.0] * 40})  # fmt: skip
        totals = pd.DataFrame({
            "by": ["channel"] * 2, "group": ["web", "shop"], "customers": [40, 40], "clv": [300.0, 100.0],
            "clv_low": [250.0, 80.0], "clv_high": [360.0, 120.0],
        })  # fmt: skip
        costs = quarters(("web", date(2026, 1, 1), 40, 160.0), ("shop", date(2026, 1, 1), 10, None))
        found = equal_age.at_equal_age(life, totals, by="channel", costs=costs).set_index("group")
        assert found.loc["web", ["came", "rest", "whole", "cost", "times", "share"]].tolist() == [15, 5, 20, 4, 5, 0.75]
        of_people, of_parameters = 1.959964 * 5 * np.sqrt(40 / 39) / np.sqrt(40), 5 * 0.2
        assert found.loc["web", "high"] - 20 == pytest.approx(np.hypot(of_people, of_parameters))
        assert found.loc["shop", "high"] - 8 == pytest.approx(2 * 0.2), "all alike: only the parameters are unsure"
        assert np.isnan(found.loc["shop", "times"])
