"""What a decision earned, by hand: six people, what breaks a control, a window that is not over, and the account."""

import math
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import ibis
import pandas as pd
import pyarrow as pa
import pytest

from workbook import ab_testing as ab
from workbook.ab_testing.record import RECORD
from workbook.data.metrics import METRICS
from workbook.decisions import Decision, Forecast, Power
from workbook.output import i18n
from workbook.output.words import controls as words

MONEY = pa.decimal128(18, 4)
AS_OF, END = date(2026, 3, 31), date(2026, 4, 30)  # the list's last day; the window's
TREATED, CONTROL = ("a", "b", "c"), ("d", "e", "f")


def decision(**changes) -> Decision:
    """A decision on six people with a window of 30 days, at 2 a person, forecast to bring 10 (5 to 15)."""
    made = Decision(
        id="2026-03-quiet-1a2b3c", owner="Wang", decided_at="2026-04-01T01:00:00+00:00", action="call", offer="tea",
        channel="call", cost_per_person=2.0, list_name="quiet", list_kind="where", table="rfm", rule="",
        period="2026-03", as_of=AS_OF, starts_on=date(2026, 4, 1), horizon_days=30, metric="margin", asked=6,
        removed={}, overlaps={}, not_checked=(), treated=3, control=3, control_share=0.5, salt="1", strata=1,
        forecast=Forecast(10.0, 5.0, 15.0, None, None, None, "assumed", "given"),
        power=Power(None, None, 0, None, None, None, None, False), price=None, warnings=(), code_version="",
        list_hash="", key=(1, "", ""), request="")  # fmt: skip
    return replace(made, **changes)


def listed(treated=TREATED, control=CONTROL, before=0.0) -> pd.DataFrame:
    return pd.DataFrame({"customer_id": [*treated, *control], "before": before,
                         "arm": ["treated"] * len(treated) + ["control"] * len(control)})


# customer, day, amount, net of returns, cost of goods
ORDERS = [
    ("a", "2026-04-01", 60, 60, 30),  # first day of the window: margin 30
    ("a", "2026-04-30", 40, 40, 20),  # last day: margin 20
    ("b", "2026-04-10", 100, 50, 60),  # half came back by the report: margin 50 − 30
    ("b", "2026-05-01", 500, 500, 0),  # after the window
    ("c", "2026-03-20", 80, 80, 40),  # in the window before
    ("d", "2026-04-05", 20, 20, 10),  # margin 10
    ("e", "2026-04-06", 40, 40, 20),  # margin 20
    ("z", "2026-03-01", 10, 10, 5),  # on no list, a customer before the decision
    ("z", "2026-04-02", 30, 30, 15),  # margin 15
    ("y", "2026-04-02", 900, 900, 0),  # on no list, new since: nobody to compare with
]


@pytest.fixture(scope="module")
def shop(make_table):
    return shop_of(ibis.duckdb.connect(), make_table)


def shop_of(con, make_table):
    """The engine, orders, and the ids by which people are known."""
    orders = make_table(con, pd.DataFrame({
        "order_id": [f"o{number}" for number in range(len(ORDERS))], "customer_id": [row[0] for row in ORDERS],
        "ordered_on": [date.fromisoformat(row[1]) for row in ORDERS],
        **{name: [Decimal(row[place]) for row in ORDERS] for place, name in ((2, "amount"), (3, "net_amount"),
                                                                            (4, "cost"))},
        "is_return": False}), {name: MONEY for name in ("amount", "net_amount", "cost")})  # fmt: skip
    everybody = (*TREATED, *CONTROL, "z", "y")
    known = make_table(con, pd.DataFrame({"raw_customer_id": everybody, "customer_id": everybody}))
    return con, orders, known


def settled(shop, made, people=None, *, as_of=END, **tables):
    _con, orders, known = shop
    rows = listed() if people is None else people
    (found,) = ab.settle([made], lambda name: {made.id: rows}[name], tables.pop("orders", orders), as_of=as_of,
                         **{"identities": known, "frame": ibis.Table.to_pandas} | tables)
    return found


class TestByHand:
    """Treated: margins 50, 20, 0 (mean 70/3); control: 10, 20, 0 (mean 10); difference 40/3; cost 2 × 3."""

    def test_margin_revenue_and_what_was_earned(self, shop):
        found = settled(shop, decision())
        assert found.margin.difference == pytest.approx(40 / 3) and found.margin.control == pytest.approx(10.0)
        assert found.revenue.difference == pytest.approx(150 / 3 - 60 / 3)
        # variance of a mean: ((80/3)² + (10/3)² + (70/3)²) / 2 / 3 = 1900/9 treated, (0 + 100 + 100) / 2 / 3 control
        assert found.margin.std_error == pytest.approx(math.sqrt(1900 / 9 + 100 / 3))
        assert (found.cost, found.treated, found.control, found.days) == (6.0, 3, 3, 30)
        assert found.earned[0] == pytest.approx(3 * 40 / 3 - 6)
        assert found.earned[1] == pytest.approx(3 * found.margin.low - 6)

    def test_three_people_an_arm_have_a_figure_and_no_verdict(self, shop):
        found = settled(shop, decision())
        assert (found.verdict, found.reasons, found.status) == ("cannot_be_judged", ("too_few",), "refused")

    def test_the_naive_comparisons(self, shop):
        """Before: only c, margin 40. Everybody else: z alone was a customer then, margin 15."""
        found = settled(shop, decision()).naive
        assert found.before_after == pytest.approx(70 / 3 - 40 / 3)
        assert found.everybody_else == pytest.approx(70 / 3 - 15)

    def test_without_costs_of_goods_revenue_counts(self, shop):
        _con, orders, _known = shop
        found = settled(shop, decision(), orders=orders.drop("cost"))
        assert found.margin is None and found.main is found.revenue and found.main.metric == "revenue"

    def test_what_came_back_after_the_report_is_not_known_yet(self, shop, make_table):
        con, _orders, _known = shop
        returns = make_table(con, pd.DataFrame({"order_id": ["o2"], "returned_on": [date(2026, 5, 20)],
                                                "amount": [Decimal(50)]}), {"amount": MONEY})
        early, late = (settled(shop, decision(), as_of=day, returns=returns) for day in (END, date(2026, 5, 31)))
        assert early.revenue.treatment == pytest.approx(200 / 3)
        assert late.revenue.treatment == pytest.approx(150 / 3)

    def test_the_chance_that_it_paid_is_that_of_an_effect_above_its_cost(self, shop):
        found = settled(shop, decision())
        assert 0.5 < found.chance_paid < 1
        dear = settled(shop, decision(cost_per_person=40 / 3))
        assert dear.chance_paid == pytest.approx(0.5) and dear.earned[0] == pytest.approx(0.0)


class TestWindow:
    def test_half_way_only_the_days_so_far_count_and_there_is_no_verdict(self, shop):
        found = settled(shop, decision(), as_of=date(2026, 4, 7))
        assert (found.verdict, found.status, found.days) == ("not_over", "running", 7)
        assert found.margin.difference == pytest.approx((30 + 0 + 0) / 3 - (10 + 20 + 0) / 3)

    def test_before_it_begins_there_is_nothing(self, shop):
        found = settled(shop, decision(), as_of=AS_OF)
        assert (found.verdict, found.days, found.main, found.integrity) == ("not_over", 0, None, None)

    def test_a_cancelled_decision_is_listed_and_costs_nothing(self, shop):
        found = settled(shop, decision(cancelled="2026-04-02T00:00:00+00:00"))
        assert (found.verdict, found.cost, found.main) == ("cancelled", 0.0, None)

    def test_a_later_decision_does_not_change_an_earlier_report(self, shop):
        later = decision(id="later", starts_on=date(2026, 6, 1), as_of=date(2026, 5, 31))
        one = settled(shop, decision())
        both = ab.settle([decision(), later], lambda name: listed(), shop[1], as_of=END, identities=shop[2],
                         frame=ibis.Table.to_pandas)
        assert both[0].margin == one.margin and both[1].status == "running"


@pytest.fixture(scope="module")
def contacts(shop, make_table):
    return contacts_of(shop[0], make_table)


def contacts_of(con, make_table):
    rows = [
        ("a", "2026-03-quiet-1a2b3c", "call", "tea", "2026-04-01"),
        ("d", "2026-03-quiet-1a2b3c", "call", "tea", "2026-04-03"),  # control, by the campaign
        ("e", "", "call", "tea", "2026-04-03"),  # control, by channel and offer
        ("f", "", "mail", "news", "2026-04-03"),  # another message
        ("b", "2026-03-quiet-1a2b3c", "call", "tea", "2026-06-01"),  # after the window
    ]  # fmt: skip
    return make_table(con, pd.DataFrame(
        [(*row[:4], date.fromisoformat(row[4])) for row in rows],
        columns=["customer_id", "campaign_id", "channel", "offer", "sent_on"]))  # fmt: skip


class TestIntegrity:
    def test_contacted_controls_and_forgotten_treated_are_counted(self, shop, contacts):
        found = settled(shop, decision(), contacts=contacts)
        told = found.integrity
        assert (told.control_contacted, told.breaking_orders, told.breaking_revenue) == (2, 2, 60.0)
        assert told.not_contacted == 2 and "control_contacted" in found.reasons
        assert found.margin.difference == pytest.approx(40 / 3), "everybody counts where they were drawn"

    def test_without_any_message_on_record_nobody_can_tell(self, shop, contacts):
        silent = settled(shop, decision(id="another", offer=""), contacts=contacts).integrity
        assert silent.control_contacted is None and silent.not_contacted is None and not silent.is_recorded

    def test_who_turned_out_to_be_in_both_arms_is_left_out(self, shop, make_table):
        """a and d became one person, who bought as a."""
        everybody = (*TREATED, *CONTROL)
        merged = make_table(shop[0], pd.DataFrame({
            "raw_customer_id": everybody, "customer_id": ["a" if name == "d" else name for name in everybody]}))
        found = settled(shop, decision(), identities=merged)
        assert (found.integrity.both_arms, found.treated, found.control, found.integrity.gone) == (1, 2, 2, 0)
        assert found.margin.difference == pytest.approx((20 + 0) / 2 - (20 + 0) / 2)

    def test_whoever_is_no_longer_known_is_counted(self, shop, make_table):
        left = [name for name in (*TREATED, *CONTROL) if name != "f"]
        known = make_table(shop[0], pd.DataFrame({"raw_customer_id": left, "customer_id": left}))
        found = settled(shop, decision(), identities=known)
        assert (found.integrity.gone, found.control) == (1, 2)

    def test_an_account_in_both_arms_is_told(self, shop, make_table):
        customers = make_table(shop[0], pd.DataFrame({
            "customer_id": ["a", "e", "d", "f"], "account_id": ["home", "home", "office", None]}),
            {"account_id": pa.string()})  # fmt: skip
        assert settled(shop, decision(), customers=customers).integrity.shared == 1

    def test_people_missing_in_one_arm_only_forbid_to_read_it(self, shop, make_table):
        """Of 40 and 40 drawn 40 treated and 10 of the control are left."""
        treated, control = ([f"{arm}{number}" for number in range(40)] for arm in "tk")
        left = [*treated, *control[:10]]
        known = make_table(shop[0], pd.DataFrame({"raw_customer_id": left, "customer_id": left}))
        found = settled(shop, decision(treated=40, control=40), listed(treated, control), identities=known)
        assert found.integrity.split.broken and "split_broken" in found.reasons

    def test_no_control_cannot_be_judged(self, shop):
        found = settled(shop, decision(control=0), listed(control=()))
        assert (found.verdict, found.reasons, found.main) == ("cannot_be_judged", ("no_control",), None)


def of_effect(difference: float, half: float, *, forecast=None, cost=0.0, ends_on=END, n=100, action="call"):
    """A settled decision with this effect on each of n treated customers."""
    horizon = 30
    made = decision(id=f"{action}-{difference}-{ends_on}", starts_on=ends_on - timedelta(days=horizon - 1), treated=n,
                    cost_per_person=cost, action=action,
                    forecast=Forecast(forecast, forecast and forecast - 1, forecast and forecast + 1, None, None, None,
                                      "", ""))
    found = ab.Effect("margin", "treated", "welch", n, n, 0.0, difference, difference, difference - half,
                      difference + half, half / 1.96, 0.5, *[math.nan] * 4, 0.05, 198.0)
    low, high = (difference - half) * n - cost * n, (difference + half) * n - cost * n
    verdict = "earned" if low > 0 else "lost" if high < 0 else "not_distinguishable"
    return ab.Settlement(made, verdict, (), horizon, n, n, found._replace(metric="revenue"), found, cost * n, 0.5,
                         None, ab.Naive(0.0, 0.0))


class TestProgramme:
    def test_half_widths_add_as_squares(self):
        """300 ± 300 and 500 ± 400, less a cost of 100 each: 600 ± 500."""
        found = ab.programme([of_effect(3, 3, cost=1), of_effect(5, 4, cost=1)], period_start=date(2026, 4, 1))
        assert found.earned[:3] == pytest.approx((600.0, 100.0, 1100.0)) and found.cost == 200.0
        assert found.margin[:3] == pytest.approx((800.0, 300.0, 1300.0)) and found.earned.n == 200

    def test_what_ended_in_this_period_is_told_apart(self):
        old = of_effect(3, 3, ends_on=date(2026, 3, 31))
        found = ab.programme([old, of_effect(5, 4)], period_start=date(2026, 4, 1))
        assert len(found.settled) == 2 and len(found.now) == 1 and found.earned_now.value == pytest.approx(500.0)

    def test_what_cannot_be_judged_is_in_no_sum(self):
        lost = of_effect(9, 1, cost=2)._replace(verdict="cannot_be_judged", reasons=("control_contacted",))
        found = ab.programme([of_effect(3, 3), lost], period_start=date(2026, 4, 1))
        assert found.earned.value == pytest.approx(300.0) and len(found.unjudged) == 1

    def test_forecast_and_outcome_agree_within_both_intervals(self):
        """Apart by 4; the intervals together allow √(1² + 3²) = 3.16, or √(1² + 4²) = 4.12."""
        assert ab.agrees(of_effect(10, 3, forecast=6.0)) is False
        assert ab.agrees(of_effect(10, 4, forecast=6.0)) is True
        assert ab.agrees(of_effect(10, 4, forecast=14.5)) is False
        assert ab.agrees(of_effect(10, 4)) is None

    def test_too_few_forecasts_say_so(self):
        found = ab.programme([of_effect(3, 1, forecast=3.0)], period_start=AS_OF).calibration
        assert (found.code, found.forecasts, found.inside) == ("too_few", 1, 1)

    def test_bias_is_outcome_beside_forecast(self):
        """Five of 10 where 20 each was forecast: half, and none agrees."""
        found = ab.programme([of_effect(10, 2, forecast=20.0)] * 5, period_start=AS_OF).calibration
        assert (found.code, found.inside, found.ratio) == ("ok", 0, pytest.approx(0.5))
        assert found.ratio_high == pytest.approx(0.5 + math.sqrt(5) * 200 / (5 * 2000))

    def test_the_account_by_quarter_and_action(self):
        rows = ab.account([of_effect(3, 3), of_effect(5, 4, ends_on=date(2026, 7, 1)),
                           of_effect(1, 1, action="mail")])
        assert rows[["quarter", "action", "earned"]].to_numpy().tolist() == [
            ["2026-Q2", "call", 300.0], ["2026-Q2", "mail", 100.0], ["2026-Q3", "call", 500.0]]


class TestKept:
    def test_figures_have_definitions_and_units_with_and_without_decisions(self, shop):
        found = [settled(shop, decision()), of_effect(3, 1, cost=1, forecast=3.0), of_effect(1, 4)]
        full, empty = (ab.programme_figures(ab.programme(some, period_start=AS_OF), some) for some in (found, []))
        assert [figure.name for figure in full] == [figure.name for figure in empty]
        for figure in (*full, *empty):
            assert METRICS[f"07_ab_testing.{figure.name}"].unit == figure.unit
            assert figure.value is not None or figure.reason
        values = {figure.name: figure.value for figure in full}
        assert (values["decisions_settled"], values["decisions_unjudged"], values["decisions_earned"]) == (2, 1, 1)
        assert values["programme_cost_unjudged"] == 6.0

    def test_one_row_a_decision_with_the_types_of_the_store(self, shop):
        table = ab.settlements_table([settled(shop, decision()), of_effect(3, 1, cost=1, forecast=3.0)])
        assert table["status"].to_pylist() == ["refused", "settled"] and table["inside"].to_pylist() == [None, True]
        assert table["total"].to_pylist()[1] == pytest.approx(200.0)
        assert ab.settlements_table([]).schema == table.schema

    def test_settled_decisions_stand_beside_the_experiments(self, shop):
        rows = ab.beside(pd.DataFrame(columns=RECORD), [of_effect(3, 1), settled(shop, decision())])
        assert rows["verdict"].tolist() == ["earned", "earned", "refuse", "refuse"]
        assert set(rows["evidence"]) == {"randomised"} and ab.kept(rows, []).num_rows == 4

    def test_what_was_imported_of_a_decision_counts_once(self, make_table):
        rows = make_table(ibis.duckdb.connect(), pd.DataFrame({"experiment_id": [decision().id, "other", None]}))
        left = ab.of_others(rows, "experiment_id", [decision()]).to_pandas()["experiment_id"]
        assert left.isin(["other"]).sum() == 1 and left.isna().sum() == 1 and len(left) == 2
        assert ab.of_others(rows, "experiment_id", []) is rows


def test_on_either_engine_the_same(con, make_table):
    found = settled(shop_of(con, make_table), decision(), contacts=contacts_of(con, make_table), frame=as_pandas)
    assert found.margin.difference == pytest.approx(40 / 3) and found.naive.everybody_else == pytest.approx(70 / 3 - 15)
    assert (found.integrity.control_contacted, found.integrity.not_contacted) == (2, 2)


def as_pandas(table: ibis.Table) -> pd.DataFrame:
    return table.to_pyarrow().to_pandas()


class TestHardCases:
    def test_a_cancelled_decision_of_which_messages_are_on_record_is_settled_all_the_same(self, shop, contacts):
        late = decision(cancelled="2026-05-20T00:00:00+00:00", cancelled_by="Wang", cancelled_why="it went badly")
        found = settled(shop, late, contacts=contacts)
        assert (found.status, found.cost) == ("refused", 6.0) and found.margin.difference == pytest.approx(40 / 3)
        i18n.use("en", "EUR")
        assert any("was cancelled (it went badly), and messages of it are on record" in text
                   for text in words.integrity([found]))

    def test_the_same_offer_sent_by_the_decision_that_took_its_place_does_not_bring_it_back(self, shop, contacts):
        """e had the same offer by the same channel, of another campaign."""
        found = settled(shop, decision(id="called-off", cancelled="2026-04-01T00:00:00+00:00"), contacts=contacts)
        assert (found.verdict, found.cost, found.main) == ("cancelled", 0.0, None)

    def test_people_whom_another_action_reached_in_the_window_are_told_by_arm(self, shop):
        other = decision(id="other", starts_on=date(2026, 4, 20), treated=2, control=1, action="mail")
        lists = {decision().id: listed(), "other": listed(treated=("a", "b", "d"), control=("c",))}
        first, second = ab.settle([decision(), other], lists.__getitem__, shop[1], as_of=END, identities=shop[2],
                                  frame=ibis.Table.to_pandas)
        assert (first.elsewhere, second.elsewhere) == ((2, 1), (2, 1)), "a and b; d. And a and b; c"
        i18n.use("en", "EUR")
        assert any("another action reached 2 of its treated and 1 of its control" in text
                   for text in words.integrity([first]))
        apart = replace(other, starts_on=date(2026, 5, 1))
        alone, _after = ab.settle([decision(), apart], lists.__getitem__, shop[1], as_of=date(2026, 6, 30),
                                  identities=shop[2], frame=ibis.Table.to_pandas)
        assert alone.elsewhere == (0, 0)

    def test_a_control_that_was_drawn_when_the_outcome_was_known_is_told(self, shop):
        i18n.use("en", "EUR")
        late = settled(shop, decision(decided_at="2026-05-02T08:00:00+00:00"))
        assert any("can choose it" in text for text in words.integrity([late]))
        assert not any("can choose it" in text for text in words.integrity([settled(shop, decision())]))
