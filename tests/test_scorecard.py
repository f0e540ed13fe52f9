"""The segmentation scorecard: by hand, with a known answer, and blind to what comes after the cut-off."""

import datetime as dt

import ibis
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from evidence import scoring as evidence
from workbook import rfm
from workbook.scoring import groupings, scorecard
from workbook.scoring.groupings import Grouping, equal_parts, revenue_tree, unaided
from workbook.scoring.scorecard import Period, Scorecard, compare


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def by_column(column: str) -> Grouping:
    """Groups that are written in a column."""
    return unaided(lambda n_groups, draw: lambda frame: lambda others: others[column].to_numpy())


def value(card: Scorecard, measure: str, grouping: str, column: str = "value") -> float:
    found = card.table.set_index(["measure", "grouping"])
    return found.loc[(measure, grouping), column]


def forty(moved: int = 0) -> tuple[Period, Period]:
    """Twenty customers of A, who brought 2 before and 3 after, twenty of B: 1 and 1. Some were in the other before."""
    people = pd.DataFrame({"customer_id": [f"{i:02}" for i in range(40)], "kind": [0] * 20 + [1] * 20, "same": 1.0})
    was = people.assign(kind=[1] * moved + [0] * (20 - moved) + [1] * 20)
    return Period(was, np.array([2.0] * 20 + [1.0] * 20)), Period(people, np.array([3.0] * 20 + [1.0] * 20))


def test_forty_customers_by_hand():
    before, now = forty()
    card = compare(
        {"kind": by_column("kind")}, {"lots": "same"}, before=before, now=now, n_groups=2, rules_from=["kind"],
        rng=rng(), list_share=0.25, refits=3, repeats=50,
    )  # fmt: skip
    assert (card.n, card.buyers, card.n_groups, card.naive, card.code) == (40, 40, 2, "lots", "")
    assert value(card, "gini", "kind") == pytest.approx(1)
    # Means 2 and 1 make 60, 80 came: scaled 8/3 and 4/3, missed by 1/3 each: 40/9; around the mean of 2: 40.
    assert value(card, "explained", "kind") == pytest.approx(1 - (40 / 9) / 40)
    assert value(card, "captured", "kind") == pytest.approx(30 / 80)
    assert value(card, "over_naive", "kind") == pytest.approx(30 / 80 - 0.25)
    assert (value(card, "fidelity", "kind"), value(card, "refitted", "kind"), value(card, "kept", "kind")) == (1, 1, 1)
    assert card.groups.to_dict("records") == [
        {"grouping": "kind", "groups": 2, "largest_share": 0.5, "conditions": 1, "aimed": False}]  # fmt: skip


def test_who_changed_groups_is_not_kept_and_the_past_means_follow():
    before, now = forty(moved=10)
    card = compare(
        {"kind": by_column("kind")}, {"lots": "same"}, before=before, now=now, n_groups=2, rules_from=["kind"],
        rng=rng(), refits=2, repeats=20,
    )  # fmt: skip
    assert value(card, "kept", "kind") == pytest.approx(30 / 40)
    # Group 0 was ten customers who brought 2; group 1 thirty who brought 40 together: order kept, nearer together.
    assert value(card, "gini", "kind") == pytest.approx(1)


def test_new_customers_count_neither_as_kept_nor_as_moved():
    before, now = forty(moved=10)
    known = Period(before.customers.iloc[:32].reset_index(drop=True), before.came[:32])
    card = compare(
        {"kind": by_column("kind")}, {"lots": "same"}, before=known, now=now, n_groups=1, rules_from=["kind"],
        rng=rng(), refits=2, repeats=20,
    )  # fmt: skip
    assert value(card, "kept", "kind") == pytest.approx(22 / 32)


def _shop(draw: np.random.Generator, n: int = 1_500) -> tuple[Period, Period]:
    """Customers with a rate of buying that shows in what they spent; `noise` says nothing."""
    rate = draw.gamma(0.8, 1.5, n)

    def seen() -> Period:
        spent = draw.poisson(4 * rate) * 20.0
        people = pd.DataFrame({"customer_id": np.arange(n).astype(str), "spent": spent, "noise": draw.normal(size=n)})
        return Period(people, draw.poisson(rate) * 20.0)

    return seen(), seen()


def quantiles(column: str) -> Grouping:
    def fitter(n_groups, _draw):
        def fit(frame):
            cuts = np.quantile(frame[column], np.arange(1, n_groups) / n_groups)
            return lambda others: np.searchsorted(cuts, others[column])

        return fit

    return unaided(fitter)


def test_the_informative_way_leads_where_it_should_and_the_random_one_does_not():
    before, now = _shop(rng())
    card = compare(
        {"random": quantiles("noise"), "spent": quantiles("spent"), "tree": revenue_tree(["spent", "noise"])},
        {"spent": "spent", "least": "-spent"}, before=before, now=now, n_groups=6, rules_from=["spent", "noise"],
        rng=rng(),
    )  # fmt: skip
    for question in ("accuracy", "benefit"):
        assert "spent" in card.level(question) and "random" not in card.level(question)
    assert value(card, "gini", "random", "low") < 0 < value(card, "gini", "random", "high"), "no better than by lot"
    assert value(card, "explained", "spent", "low") > 0.1
    assert value(card, "explained", "random") < 0.02
    assert card.naive == "spent"
    assert value(card, "over_naive", "random", "high") < -0.1
    assert value(card, "over_naive", "spent", "low") < 0 < value(card, "over_naive", "spent", "high") + 0.02
    # Random groups come back and are easily said: two questions that do not ask what they are good for.
    assert "random" in card.level("stability") and "random" in card.level("interpretability")
    assert value(card, "kept", "random", "low") < 1 / 6 + 0.03, "as many stay as chance keeps"
    assert value(card, "kept", "spent", "low") > value(card, "kept", "random", "high")
    assert card.groups.set_index("grouping")["aimed"].tolist() == [False, False, True]


def test_two_names_for_the_same_groups_are_level_on_every_question():
    before, now = _shop(rng(), 600)
    card = compare(
        {"one": quantiles("spent"), "other": quantiles("spent")}, {"spent": "spent"}, before=before, now=now,
        n_groups=4, rules_from=["spent"], rng=rng(), refits=4, repeats=60,
    )  # fmt: skip
    for question in scorecard.QUESTIONS:
        assert card.level(question) == ["one", "other"], question


def test_ways_that_are_equally_good_are_seldom_set_apart():
    apart = evidence.set_apart(20, 400, {"a": 0.5, "b": 0.5}, rng())
    assert max(apart["accuracy"], apart["benefit"]) <= evidence.slack(20, 0.05)


def test_nothing_after_the_cut_off_reaches_a_fit():
    """Other revenue in the test period: the same fits, the same groups; only what is compared moves."""
    before, now = _shop(rng(), 600)
    seen: list[tuple[pd.DataFrame, np.ndarray | None]] = []

    def spy(way: Grouping) -> Grouping:
        def fit(customers, came, n_groups, draw):
            seen.append((customers, came))
            return way.fit(customers, came, n_groups, draw)

        return way._replace(fit=fit)

    ways = {"spent": spy(quantiles("spent")), "tree": spy(revenue_tree(["spent"]))}
    options = dict(before=before, n_groups=4, rules_from=["spent"], refits=3, repeats=20)
    first = compare(ways, {"s": "spent"}, now=now, rng=rng(), **options)
    fits = seen.copy()
    seen.clear()
    turned = Period(now.customers, now.came[::-1] * 7)
    second = compare(ways, {"s": "spent"}, now=turned, rng=rng(), **options)
    assert len(fits) == len(seen) == 2 * (1 + 3)
    for (one, came), (other, came_other) in zip(fits, seen, strict=True):
        assert one.equals(other)
        assert (came is None and came_other is None) or np.array_equal(came, came_other)
    blind = ["fidelity", "refitted", "kept"]
    one, other = (card.table[card.table["measure"].isin(blind)][["grouping", "value"]] for card in (first, second))
    assert len(one) == 6 and one.equals(other) and first.groups.equals(second.groups)
    assert value(first, "gini", "spent") != value(second, "gini", "spent")


def test_likeness_of_refits_is_the_adjusted_rand_index():
    before, now = _shop(rng(), 300)
    draws = iter([np.arange(300) % 2, np.arange(300) % 3])
    flips = Grouping(lambda customers, came, n_groups, draw: (lambda found: lambda others: found)(next(draws)))
    card = compare(
        {"flips": flips}, {"s": "spent"}, before=before, now=now, n_groups=2, rules_from=["spent"], rng=rng(), refits=1,
        repeats=20,
    )  # fmt: skip
    alike = adjusted_rand_score(np.arange(300) % 2, np.arange(300) % 3)
    assert value(card, "refitted", "flips") == pytest.approx(alike)


def test_a_way_with_its_own_number_gives_it_to_all_others():
    before, now = _shop(rng(), 300)
    three = unaided(lambda n_groups, draw: lambda frame: lambda others: np.arange(len(others)) % 3, printed_rule=True)
    card = compare(
        {"three": three, "spent": quantiles("noise")}, {"s": "spent"}, before=before, now=now, rules_from=["spent"],
        n_groups=9, rng=rng(), refits=2, repeats=20,
    )  # fmt: skip
    assert card.n_groups == 3 and card.groups["groups"].tolist() == [3, 3]


def test_a_way_that_cannot_be_fitted_is_left_out():
    before, now = _shop(rng(), 300)
    card = compare(
        {"value": equal_parts(lambda customers: None), "spent": quantiles("spent")}, {"s": "spent"}, before=before,
        now=now, n_groups=3, rules_from=["spent", "not there"], rng=rng(), refits=2, repeats=20,
    )  # fmt: skip
    assert set(card.table["grouping"]) == {"spent"}


def test_too_few_customers_get_no_card():
    before, now = _shop(rng(), 79)
    ways, lists = {"spent": quantiles("spent")}, {"s": "spent"}
    card = compare(ways, lists, before=before, now=now, n_groups=4, rules_from=["spent"], rng=rng())
    assert card.code == "too_few" and card.table.empty and card.groups.empty and card.level("benefit") == []


def test_of_many_customers_so_many_are_drawn(monkeypatch):
    monkeypatch.setattr(scorecard, "LARGEST", 200)
    before, now = _shop(rng(), 400)
    card = compare(
        {"spent": quantiles("spent")}, {"s": "spent"}, before=before, now=now, n_groups=3, rules_from=["spent"],
        rng=rng(), refits=2, repeats=20,
    )  # fmt: skip
    assert card.n == 200 and value(card, "kept", "spent") > 0


def test_equal_parts_are_equal_and_keep_their_cuts():
    people = pd.DataFrame({"worth": np.arange(100.0)})
    label = equal_parts(lambda frame: lambda others: others["worth"].to_numpy()).fit(people, None, 4, rng())
    assert np.bincount(label(people)).tolist() == [0, 25, 25, 25, 25]
    assert label(pd.DataFrame({"worth": [-5.0, 24, 25, 500]})).tolist() == [4, 4, 3, 1]


def test_parts_by_a_growing_number_are_those_of_their_day():
    """Everybody's number doubles: by cuts of today nobody was in the first part, by those of then half were."""
    before, now = forty()
    numbered = Period(before.customers.assign(worth=np.arange(40.0)[::-1]), before.came)
    doubled = Period(now.customers.assign(worth=2 * np.arange(40.0)[::-1]), now.came)
    card = compare(
        {"parts": equal_parts(lambda frame: lambda others: others["worth"].to_numpy())}, {"lots": "same"},
        before=numbered, now=doubled, n_groups=2, rules_from=["worth"], rng=rng(), refits=2, repeats=20,
    )  # fmt: skip
    assert value(card, "kept", "parts") == 1
    assert value(card, "gini", "parts") == pytest.approx(1)


def test_a_tree_has_a_leaf_for_each_group_and_reads_blanks():
    before, _now = _shop(rng(), 500)
    people = before.customers.assign(spent=before.customers["spent"].where(before.customers["spent"] > 0), none=np.nan)
    label = revenue_tree(["spent", "none", "absent"]).fit(people, before.came, 5, rng())
    assert 2 <= len(set(label(people))) <= 5
    assert groupings.known(people, ["spent", "none", "absent"]) == ["spent"]


def test_the_record_is_parted_in_equal_periods():
    assert scorecard.parted(dt.date(2024, 12, 31), pd.Series([dt.date(2023, 1, 1)]), 13) == (
        dt.date(2024, 7, 2), dt.date(2024, 10, 1), dt.date(2024, 12, 31), 13)  # fmt: skip
    short = scorecard.parted(dt.date(2024, 1, 10), pd.Series([dt.date(2024, 1, 1)]), 52)
    assert (short.cut_off - short.earlier, short.end - short.cut_off) == (dt.timedelta(3), dt.timedelta(3))
    assert scorecard.parted(dt.date(2024, 1, 10), pd.Series([], dtype="datetime64[us]"), 52).weeks == 1 / 7


def test_rfm_groups_are_the_segments_of_the_engine(make_table):
    """The way used for refits names every customer as chapter 04 does."""
    draw = rng()
    n = 400
    days = draw.geometric(0.5, n)
    frame = pd.DataFrame(
        {
            "customer_id": np.arange(n).astype(str), "recency_days": draw.integers(0, 400, n), "frequency": days,
            "purchase_days": days, "monetary": draw.gamma(1, 50, n).round(2),
        }
    )  # fmt: skip
    table = make_table(ibis.duckdb.connect(), frame)
    edges = rfm.thresholds(table, first_time_apart=True)
    wanted = rfm.assign(rfm.score(table, edges), edges).order_by("customer_id").to_pandas()["segment"]
    found = rfm.group_fitter(10, rng())(frame)(frame)
    assert pd.Series(found, index=frame["customer_id"]).sort_index().tolist() == wanted.tolist()
