"""One household lies wholly in one arm: who belongs together, how they are drawn; intervals count households."""

from __future__ import annotations

import json
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from shops import many, write_shop
from test_decisions_register import CALL
from test_settlement import AS_OF, END, decision
from workbook import ab_testing as ab
from workbook import decisions
from workbook.ab_testing.settlement import compare
from workbook.data.settings import Settings
from workbook.decisions import power
from workbook.decisions.households import MOST_BEHIND_ONE, together
from workbook.output import i18n
from workbook.output.words import controls as words
from workbook.output.words import decisions as decision_words


def families(folder: Path) -> Settings:
    """400 customers: the first 120 in accounts of three, two more share a number, twenty a made-up one."""
    tables = many(400)
    for place, row in enumerate(tables["clean/customers"]):
        row["account_id"] = f"home{place // 3}" if place < 120 else None
        row["phone_hash"] = "one" if place in (200, 201) else "virtual" if place >= 380 else None
        row["mail_hash"] = "other" if place in (201, 202) else None
    return write_shop(folder, tables)


def test_an_account_a_number_and_an_address_tie_together_and_a_made_up_number_nobody(tmp_path: Path) -> None:
    shop = families(tmp_path)
    made = decisions.export(shop, CALL, as_of="2026-06")
    homes = decisions.members(shop, made.id).set_index("customer_id")["household"]
    sizes = homes.value_counts()
    homes_of_three = {f"c{first:04}": 3 for first in range(0, 120, 3)}
    assert sizes[sizes > 1].to_dict() == homes_of_three | {"c0200": 2}, "200 and 201 by a number"
    assert made.removed == {"duplicate": 1}, "202 has the address of 201, and would get the same mail twice"
    assert MOST_BEHIND_ONE < 20 and homes["c0390"] == "c0390"
    assert made.treated_households + made.control_households == len(sizes) == 399 - 2 * 40 - 1


def test_a_household_lies_wholly_in_one_arm(tmp_path: Path) -> None:
    shop = families(tmp_path)
    made = decisions.export(shop, CALL, as_of="2026-06")
    people = decisions.members(shop, made.id)
    assert people.groupby("household")["arm"].nunique().max() == 1
    assert people.groupby("household")["stratum"].nunique().max() == 1
    homes = people.groupby("arm")["household"].nunique()
    assert homes.to_dict() == {"treated": made.treated_households, "control": made.control_households}
    assert homes["control"] == pytest.approx(0.1 * homes.sum(), abs=1), "the share is of households"
    i18n.use("en", "EUR")
    assert "399 people in 318 households" in decision_words.control(made)


def test_drawing_customers_alone_is_what_it_was_before_households_were_known() -> None:
    ids = [f"c{number}" for number in range(200)]
    alone = decisions.draw(ids, decision_id="d", salt="1", share=0.3)
    assert (decisions.draw(ids, decision_id="d", salt="1", share=0.3, households=ids) == alone).all()
    pairs = [f"c{number // 2 * 2}" for number in range(200)]
    held = decisions.draw(ids, decision_id="d", salt="1", share=0.3, households=pairs)
    assert (held[::2] == held[1::2]).all() and held.sum() == 60


def test_a_chain_of_things_shared_is_one_household() -> None:
    marks = pd.DataFrame([("b", "x"), ("c", "x"), ("c", "y"), ("a", "y"), ("e", "z")], columns=["customer_id", "mark"])
    assert together(np.array(["e", "d", "c", "b", "a"], dtype=object), marks).tolist() == ["e", "d", "a", "a", "a"]


def test_drawing_pairs_who_buy_alike_shows_as_little_as_half_as_many_customers() -> None:
    alike = np.repeat(np.random.default_rng(1).normal(50, 20, 500), 2)[:, None]
    pairs = np.repeat([f"h{number}" for number in range(500)], 2)
    assert power.design_effect(alike, pairs) == pytest.approx(2.0)
    assert power.design_effect(alike, np.arange(1000).astype(str)) == 1.0
    known = power.past(alike)
    whole = power.judge(known._replace(design_effect=2.0), treated=600, control=400, effect=1.0)
    half = power.judge(known, treated=300, control=200, effect=1.0)
    assert whole.smallest_effect == pytest.approx(half.smallest_effect, rel=0.01) and whole.sd == half.sd
    few = power.judge(known, treated=600, control=400, effect=1e9, smallest=29)
    assert not few.judgeable, "fewer than 30 households in an arm"


def test_a_list_of_before_households_were_known_is_read_as_drawn_one_by_one(tmp_path: Path) -> None:
    shop = write_shop(tmp_path, many(400))
    made = decisions.export(shop, CALL, as_of="2026-06")
    folder = decisions.folder_of(shop, made.id)
    record = json.loads((folder / "decision.json").read_text())
    for name in ("code", "treated_households", "control_households"):
        del record[name]
    del record["power"]["design_effect"]
    (folder / "decision.json").write_text(json.dumps(record | {"format": 1}))
    people = pd.read_parquet(folder / "list.parquet").drop(columns="household")
    people.to_parquet(folder / "list.parquet", index=False)
    (old,) = decisions.registered(shop)
    assert (old.code, old.has_households, old.format, old.treated) == ("", False, 1, made.treated)
    kept = decisions.members(shop, made.id)
    assert (kept["household"] == kept["customer_id"]).all()


# --- settlement -----------------------------------------------------------------------------------


def lived(rng: np.random.Generator, *, homes: int, effect: float) -> pd.DataFrame:
    """Households of one to five, whose people spend alike (80 % of the variance lies between them); two in five held
    out. The treated spend `effect` more."""
    size = rng.integers(1, 6, homes)
    home = np.repeat(np.arange(homes), size)
    control = rng.permutation(homes) < homes * 2 // 5
    spent = 50 + rng.normal(0, 20, homes)[home] + rng.normal(0, 10, len(home)) + effect * ~control[home]
    return pd.DataFrame({"customer_id": [f"c{number:05}" for number in range(len(home))],
                         "household": [f"h{number:04}" for number in home], "before": 0.0, "margin": spent,
                         "arm": np.where(control[home], "control", "treated")})


def test_intervals_of_households_hold_the_truth_as_often_as_stated_and_those_of_customers_do_not() -> None:
    """400 draws: 95 % ± what chance allows in 99.9 %; the plain interval misses twice to four times as often."""
    rng, effect, draws = np.random.default_rng(7), 6.0, 400
    right = {"households": 0, "customers": 0}
    for _draw in range(draws):
        people = lived(rng, homes=150, effect=effect)
        for name, asked in (("households", people), ("customers", people.assign(household=people["customer_id"]))):
            found = compare(asked, "margin")
            right[name] += found.low <= effect <= found.high
    low, high = stats.binom.ppf([0.0005, 0.9995], draws, 0.95)
    assert low <= right["households"] <= high, right
    assert right["customers"] < 0.85 * draws, right


def test_the_interval_of_households_by_hand() -> None:
    """Control: homes (1, 3) and (5): sums 4 and 5, sizes 2 and 1, mean 3, residuals −2 and 2. Treated the same + 10."""
    people = pd.DataFrame({"customer_id": list("abcdef"), "household": ["h", "h", "i", "j", "j", "k"], "before": 0.0,
                           "arm": ["control"] * 3 + ["treated"] * 3, "margin": [1.0, 3, 5, 11, 13, 15]})
    found = compare(people, "margin")
    assert (found.difference, found.n, found.n_control) == (10.0, 3, 3)
    assert found.std_error**2 == pytest.approx(2 * (8 / (1.5**2) / 2)), "variance 8, mean size 1.5, 2 households, twice"
    alone = compare(people.assign(household=people["customer_id"]), "margin")
    assert alone.std_error**2 == pytest.approx(2 * (4 / 3)), "Welch: variance 4 of 3 people, twice"


def test_a_settlement_counts_households_and_keeps_the_plain_interval_beside_it() -> None:
    people = lived(np.random.default_rng(3), homes=150, effect=0.0)
    con = ibis.duckdb.connect()
    orders = con.create_table("orders", pd.DataFrame({
        "customer_id": people["customer_id"], "ordered_on": AS_OF + pd.Timedelta(days=5), "amount": people["margin"],
        "net_amount": people["margin"], "is_return": False}))
    homes = people.groupby("arm")["household"].nunique()
    arms = people["arm"].value_counts()
    made = decision(metric="revenue", treated=int(arms["treated"]), control=int(arms["control"]),
                    treated_households=int(homes["treated"]), control_households=int(homes["control"]))
    (found,) = ab.settle([made], lambda _id: people, orders, as_of=END, frame=ibis.Table.to_pandas)
    assert found.households == 150 and not found.integrity.split.broken
    assert found.main.high - found.main.low > 1.3 * (found.plain.high - found.plain.low)
    row = ab.settlements_table([found]).to_pylist()[0]
    assert (row["households"], row["plain_low"]) == (150, pytest.approx(found.plain.low))
    i18n.use("en", "EUR")
    (told,) = [text for text in words.integrity([found]) if "households" in text]
    assert "in 150 households" in told and "one by one would have said" in told


def test_fewer_than_thirty_households_in_an_arm_are_too_few_however_many_people() -> None:
    people = lived(np.random.default_rng(3), homes=60, effect=0.0)
    assert (people["arm"] == "control").sum() > 30 > people.loc[people["arm"] == "control", "household"].nunique()
    orders = ibis.duckdb.connect().create_table("orders", pd.DataFrame({
        "customer_id": people["customer_id"], "ordered_on": AS_OF + pd.Timedelta(days=5), "amount": people["margin"],
        "net_amount": people["margin"], "is_return": False}))
    (found,) = ab.settle([decision(metric="revenue")], lambda _id: people, orders, as_of=END,
                         frame=ibis.Table.to_pandas)
    assert "too_few" in found.reasons
