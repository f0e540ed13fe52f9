"""Prospects: facts as of a day, a future that cannot enter, and a model that finds who will buy where that shows."""

from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from evidence.churn import engine
from workbook import churn, scoring
from workbook.data.engine import few_rows

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 3, 31)
MONEY = pa.decimal128(18, 4)


def customers(rows):
    """customer, first trace."""
    who, since = zip(*rows, strict=True)
    return pa.table({"customer_id": who, "first_seen_on": pa.array(since, pa.date32()), "is_test": [False] * len(rows)})


def orders(rows):
    """customer, day, amount, net amount."""
    who, on, amount, net = zip(*rows, strict=True)
    return pa.table({
        "order_id": [f"o{i}" for i in range(len(rows))], "customer_id": who, "ordered_on": pa.array(on, pa.date32()),
        "amount": pa.array([Decimal(x) for x in amount], MONEY),
        "net_amount": pa.array([Decimal(x) for x in net], MONEY),
        "is_return": [False] * len(rows),
    })  # fmt: skip


def events(rows):
    """customer, day, event, session."""
    who, on, what, session = zip(*rows, strict=True)
    return pa.table({"customer_id": who, "occurred_on": pa.array(on, pa.date32()), "event": what,
                     "session_id": session})


def contacts(rows):
    """customer, sent, opened, clicked: UTC."""
    names = ("customer_id", "sent_at", "opened_at", "clicked_at")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    moments = {name: pa.array([None if x is None else pd.Timestamp(x) for x in columns[name]], pa.timestamp("us"))
               for name in names[1:]}
    return pa.table({"customer_id": columns["customer_id"], **moments})


PEOPLE = [("asks", date(2026, 1, 1)), ("buys", date(2026, 2, 1)), ("bought", date(2025, 1, 1)),
          ("later", date(2026, 4, 2)), ("undone", date(2026, 3, 1))]
BOUGHT = [("buys", date(2026, 4, 10), 10, 10), ("bought", date(2025, 2, 1), 5, 5), ("undone", date(2026, 3, 5), 9, 0)]
SEEN = [("asks", date(2026, 3, 30), "visit", "s1"), ("asks", date(2026, 3, 30), "view", "s1"),
        ("asks", date(2026, 2, 15), "visit", "s2"), ("asks", date(2026, 2, 15), "cart", "s2"),
        ("asks", date(2026, 4, 1), "visit", "s3"), ("asks", date(2025, 11, 1), "visit", "s0")]
SENT = [("asks", "2026-03-10 02:00", "2026-03-10 03:00", None),
        ("asks", "2026-03-31 15:00", "2026-03-31 16:30", "2026-03-31 16:31")]  # opened on 1 April in Shanghai


def sources(con, make_table, **changes):
    tables = {"customers": customers(PEOPLE), "orders": orders(BOUGHT), "events": events(SEEN),
              "contacts": contacts(SENT)} | changes
    made = {name: None if table is None else make_table(con, table) for name, table in tables.items()}
    return churn.Sources(made["customers"], made["orders"], None, made["events"], made["contacts"], SHANGHAI)


def told(found, day=DAY, horizon=90):
    rows = pd.DataFrame(few_rows(churn.prospects_on(found, day=day, horizon_days=horizon)))
    return rows.set_index("customer_id")


def test_facts_by_hand(con, make_table):
    rows = told(sources(con, make_table))
    assert set(rows.index) == {"asks", "buys", "undone"}, "not who has bought, and not who is unknown yet"
    asks = rows.loc["asks"].to_dict()
    assert asks == {"registered_days": 89, "visits_30": 1, "visits_90": 2, "views_90": 1, "carts_90": 1,
                    "quiet_days": 1, "opened_90": 1, "clicked_90": 0, "bought": 0}
    assert rows.loc["buys", ["visits_90", "quiet_days", "bought"]].tolist() == [0, 999, 1]


def test_nothing_that_came_later_moves_a_fact(make_table):
    con = engine()
    plain = told(sources(con, make_table))
    after = DAY + timedelta(days=1)
    altered = told(sources(
        con, make_table,
        orders=orders([*BOUGHT, ("asks", after, 99, 99)]),
        events=events([*SEEN, *[("buys", after, "view", f"x{i}") for i in range(5)]]),
        contacts=contacts([*SENT, ("buys", "2026-03-31 17:00", "2026-03-31 17:10", "2026-03-31 17:11")]),
        customers=customers([*PEOPLE, ("new", after)]),
    ))  # fmt: skip
    facts = list(churn.FACTS)
    pd.testing.assert_frame_equal(plain[facts], altered[facts])
    assert altered.loc["asks", "bought"] == 1, "only the outcome does"


def test_without_visits_and_messages_the_day_of_registration_is_left(make_table):
    rows = told(sources(engine(), make_table, events=None, contacts=None))
    assert rows["registered_days"].to_dict() == {"asks": 89, "buys": 58, "undone": 30}
    assert (rows["visits_90"] == 0).all() and (rows["quiet_days"] == 999).all()


def drawn(rng, n, *, signal=1.0, outcome=True):
    """Prospects whose purchase follows carts, not visits."""
    visits, carts = rng.poisson(4, n), rng.poisson(1, n)
    rows = pd.DataFrame({
        "customer_id": [f"p{i:05d}" for i in range(n)], "registered_days": rng.integers(1, 300, n),
        "visits_30": rng.binomial(visits, 0.4), "visits_90": visits, "views_90": rng.poisson(6, n), "carts_90": carts,
        "quiet_days": rng.integers(0, 90, n), "opened_90": rng.poisson(1, n), "clicked_90": 0,
    }).astype({name: float for name in churn.FACTS})  # fmt: skip
    rows["chance"] = 1 / (1 + np.exp(3.0 - signal * 1.2 * carts))
    return rows.assign(bought=(rng.random(n) < rows["chance"]).astype(int)) if outcome else rows


def test_the_model_finds_who_will_buy_and_beats_most_visits():
    rng = np.random.default_rng(1)
    windows = churn.ProspectWindows(drawn(rng, 3_000), drawn(rng, 3_000), drawn(rng, 3_000, outcome=False))
    found = churn.learn(windows)
    judged = scoring.judge_probabilities(found.rivals, found.happened, rng=rng)
    assert scoring.verdict(judged, measure="auc").code == "earns"
    best = judged["auc"].iat[0]
    truth = scoring.judge_probabilities({"truth": windows.test["chance"].to_numpy()}, found.happened, rng=rng)
    assert best == pytest.approx(truth["auc"].iat[0], abs=0.02), "as good as the truth allows"
    assert found.today["probability"].is_monotonic_decreasing
    near = np.abs(found.today["probability"] - found.today["chance"]).mean()
    assert near < 0.03, "probabilities mean what they say"


def test_a_model_without_a_signal_earns_no_place():
    rng = np.random.default_rng(2)
    found = churn.learn(churn.ProspectWindows(*(drawn(rng, 2_000, signal=0.0) for _window in range(3))))
    judged = scoring.judge_probabilities(found.rivals, found.happened, rng=rng)
    assert scoring.verdict(judged, measure="auc").code in ("ties", "loses")


def test_too_few_buyers_give_the_naive_list():
    rng = np.random.default_rng(3)
    windows = churn.ProspectWindows(*(drawn(rng, 60) for _window in range(3)))
    windows.today.loc[5, "visits_90"] = 99
    windows.today.loc[6, "visits_90"] = 0
    found = churn.learn(windows)
    assert found.code == "too_few" and not found.rivals
    wanted = churn.prospect_list(found, most=50)
    assert wanted["customer_id"].iat[0] == "p00005" and "p00006" not in set(wanted["customer_id"])
    assert wanted["probability"].isna().all()


def test_nobody_is_no_error():
    empty = drawn(np.random.default_rng(4), 0)
    found = churn.learn(churn.ProspectWindows(empty, empty, empty))
    assert found.code == "too_few" and not len(churn.prospect_list(found, most=5))
