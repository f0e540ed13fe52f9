"""The explorer of 06_clv and what its sliders move; the trial, which must not see the future; the kept table."""

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from workbook import clv
from workbook.clv.fits import too_few
from workbook.clv.trial import naive
from workbook.data.engine import connect
from workbook.data.errors import WorkbookError
from workbook.data.periods import period_of
from workbook.data.run import Frozen
from workbook.data.settings import Engine
from workbook.output.explore import clv as explore
from workbook.output.words import clv as words

AS_OF, CUT_OFF = date(2026, 6, 28), date(2025, 12, 28)
MONEY = pa.decimal128(18, 4)
ENGINE = connect(Engine(url="duckdb", memory="500MB", threads=1))
READ = ENGINE.to_pandas  # tests may bring rows out of the engine


def simulated(customers=400, seed=3):
    """Customer, day, amount of a shop where BG/NBD holds: gamma rates, a chance to leave after each repeat purchase."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(customers):
        first = date(2025, 1, 1) + timedelta(days=int(rng.integers(0, 200)))
        rate, leaves, mean = rng.gamma(0.8, 1 / 7), rng.beta(1, 4), 30 * rng.gamma(4, 0.25)
        day, amounts = 0.0, [mean * rng.gamma(4, 0.25)]
        days = [first]
        while len(days) == 1 or rng.random() > leaves:
            day += 7 * rng.exponential(1 / rate)
            if first + timedelta(days=day) > AS_OF:
                break
            days.append(first + timedelta(days=day))
            amounts.append(mean * rng.gamma(4, 0.25))
        rows += [(f"c{i:04d}", d, round(a, 2)) for d, a in zip(days, amounts, strict=True)]
    return rows


def orders_of(rows, name):
    names, days, amounts = zip(*rows, strict=True)
    money = pa.array([Decimal(str(amount)) for amount in amounts], pa.decimal128(38, 4)).cast(MONEY)
    return ENGINE.create_table(name, pa.table({
        "order_id": [f"o{i}" for i in range(len(rows))], "customer_id": names, "ordered_on": pa.array(days),
        "amount": money, "net_amount": money, "cost": pa.nulls(len(rows), MONEY), "is_return": [False] * len(rows),
    }), overwrite=True)  # fmt: skip


@pytest.fixture(scope="module")
def shop():
    """Orders, counts and both fits."""
    orders = orders_of(simulated(), "shop")
    history = READ(clv.customer_table(orders, as_of=AS_OF).order_by("customer_id"))
    return orders, history, clv.fit_purchases(history, "bg_nbd"), clv.fit_value(history)


@pytest.fixture
def interactive(monkeypatch):
    monkeypatch.delenv("WORKBOOK_REPORT", raising=False)


def controls_of(widget):
    """Every control of a panel by its description."""
    if isinstance(widget, ipywidgets.Box):
        return {name: found for child in widget.children for name, found in controls_of(child).items()}
    return {widget.description: widget} if hasattr(widget, "description") else {}


PAGE = {"margin": 0.5, "yearly_discount": 0.1, "horizon_months": 12}
TERMS = PAGE | {"budget": 1000.0, "cost_each": 20.0}


class TestWhatIf:
    def test_value_grows_with_margin_and_horizon_and_falls_with_the_discount(self, shop):
        _orders, history, fit, value_fit = shop
        base = clv.what_if(fit, value_fit, history, **TERMS)
        whole = clv.what_if(fit, value_fit, history, **TERMS | {"margin": 1.0})
        assert whole.to_come == pytest.approx(2 * base.to_come)
        longer = clv.what_if(fit, value_fit, history, **TERMS | {"horizon_months": 24})
        dearer = clv.what_if(fit, value_fit, history, **TERMS | {"yearly_discount": 0.3})
        assert dearer.to_come < base.to_come < longer.to_come
        assert dearer.new_customer < base.new_customer < longer.new_customer

    def test_a_budget_wins_whole_customers(self, shop):
        _orders, history, fit, value_fit = shop
        assert clv.what_if(fit, value_fit, history, **TERMS | {"budget": 99.0}).won == 4
        assert clv.what_if(fit, value_fit, history, **TERMS | {"cost_each": 0.0}).won == 0

    def test_a_new_customer_is_worth_the_first_purchase_and_the_ones_to_come(self, shop):
        """Without discount: margin × (mean first value + E[X(t)] × mean value of a purchase)."""
        _orders, history, fit, value_fit = shop
        found = clv.what_if(fit, value_fit, history, **TERMS | {"yearly_discount": 0.0})
        again = float(clv.expected_total(fit, clv.weeks(12)))
        p, q, v = value_fit.values
        assert found.new_customer == pytest.approx(0.5 * (history["first_value"].mean() + again * p * v / (q - 1)))

    def test_tenths_hold_everybody(self, shop):
        _orders, history, fit, value_fit = shop
        found = clv.what_if(fit, value_fit, history, **TERMS)
        assert found.tenths["customers"].sum() == len(history)
        assert found.tenths["share"].sum() == pytest.approx(1)
        assert found.tenths["each"].is_monotonic_decreasing

    def test_nothing_is_made_up_where_nothing_was_fitted(self, shop):
        _orders, history, _fit, value_fit = shop
        blank = too_few("bg_nbd", ("r", "alpha", "a", "b"), ("", "weeks", "", ""), customers=3, unit_days=7)
        found = clv.what_if(blank, value_fit, history, **TERMS)
        assert found.to_come is None and found.new_customer is None and not len(found.tenths)


class TestExplorer:
    def test_every_control_is_wired_and_no_figure_stays_open(self, shop, interactive):
        _orders, history, fit, value_fit = shop
        widget = explore.worth(fit, value_fit, history, **PAGE, cost_each=20.0)
        controls = controls_of(widget)
        assert list(controls)[:5] == ["Margin", "Discount a year", "Horizon, months", "Budget for new customers",
                                      "Cost of one new customer"]  # fmt: skip
        assert not any(getattr(control, "continuous_update", False) for control in controls.values())
        controls["Margin"].value = 0.6
        assert plt.get_fignums() == []

    def test_no_figure_is_open_while_it_is_shown(self, shop, interactive, monkeypatch):
        """Jupyter draws what is open, from another thread and into the same canvas: the picture came out torn."""
        _orders, history, fit, value_fit = shop
        shown = []

        def record(part):
            shown.append((type(part).__name__, plt.get_fignums()))

        monkeypatch.setattr("workbook.output.explore.panel.display", record)
        explore.worth(fit, value_fit, history, **PAGE, cost_each=20.0)
        assert shown == [("Fragment", []), ("Fragment", []), ("Figure", [])]

    def test_the_first_slider_moves_table_and_picture(self, shop):
        _orders, history, fit, value_fit = shop
        before, after = (clv.what_if(fit, value_fit, history, **TERMS | {"margin": margin}) for margin in (0.5, 0.51))
        assert explore.table(before).html != explore.table(after).html
        heights = [[bar.get_height() for bar in explore.picture(tried).patches] for tried in (before, after)]
        assert heights[0] != heights[1]
        plt.close("all")

    def test_a_report_gets_a_picture(self, shop, monkeypatch):
        monkeypatch.setenv("WORKBOOK_REPORT", "1")
        _orders, history, fit, value_fit = shop
        drawn = explore.worth(fit, value_fit, history, **PAGE, cost_each=0.0)
        assert "tenth" in drawn.get_xlabel()
        plt.close("all")

    def test_the_budget_offered_is_a_round_sum(self, shop):
        _orders, history, _fit, _value_fit = shop
        budget = explore.default_budget(history)
        assert 0.5 < budget / (100 * history["first_value"].mean()) < 2 and budget == float(f"{budget:.1g}")
        assert explore.default_budget(history.head(0)) > 0


class TestTrial:
    def trial(self, orders):
        split = clv.Split(CUT_OFF, AS_OF, 26.0)
        return clv.trial(orders, None, split, model="bg_nbd", read=READ, rng=np.random.default_rng(1))

    def test_no_value_after_the_cut_off_enters_a_forecast(self, shop):
        """Everything after the cut-off is altered: what came changes, and no forecast does."""
        orders, _history, _fit, _value_fit = shop
        rows = simulated()
        altered = orders_of([row if row[1] <= CUT_OFF else (row[0], row[1], round(10 * row[2], 2)) for row in rows]
                            + [(row[0], AS_OF, 5.0) for row in rows[::3]], "altered")  # fmt: skip
        before, after = self.trial(orders), self.trial(altered)
        assert before.fit.values.tolist() == after.fit.values.tolist()
        for outcome in ("purchases", "spend"):
            one, other = getattr(before, outcome), getattr(after, outcome)
            assert one["total"].tolist() == other["total"].tolist()
            assert one["actual_total"].iat[0] < other["actual_total"].iat[0]
        assert before.by_frequency["expected"].tolist() == after.by_frequency["expected"].tolist()

    def test_where_the_model_holds_its_sum_is_right_and_it_beats_doing_nothing(self, shop):
        found = self.trial(shop[0])
        row = found.purchases.iloc[0]
        assert row["bias_low"] - 0.1 < 0 < row["bias_high"] + 0.1
        zero = found.purchases.set_index("forecast").loc["zero"]
        assert zero["lead_rmse_low"] > 0
        assert {"model", "boosting", "past_rate", "last_year", "arithmetic"} <= set(found.purchases["forecast"])
        assert "boosting" not in set(naive(found.purchases)["forecast"])

    def test_a_short_history_is_not_tested(self, shop):
        orders, history, _fit, _value_fit = shop
        split = clv.newest_split(history.head(0), as_of=AS_OF, horizon_weeks=52)
        assert split.weeks == 0
        found = clv.trial(orders, None, split, model="bg_nbd", read=READ, rng=np.random.default_rng(1))
        assert not len(found.tracking) and not len(found.purchases)


class TestChoice:
    def run(self, base):
        """A run whose base period ends on that day."""
        period = period_of(base.isoformat(), "month")
        return SimpleNamespace(
            as_of=AS_OF, frame=READ, as_cleaned=lambda _day, _name, now: now,
            freeze=lambda _name, fit: Frozen(fit(period.end), period, provisional=False))

    def test_the_model_is_chosen_on_what_the_base_day_knew(self, shop):
        orders, history, _fit, _value_fit = shop
        fits = clv.fit_all(history)
        found = clv.model_in_force(self.run(CUT_OFF), orders, None, fits)
        then = clv.fit_all(READ(clv.customer_table(orders.filter(orders.ordered_on <= CUT_OFF), as_of=CUT_OFF)))
        assert (found.model, found.chosen_on, found.reason) == (clv.best(then), CUT_OFF, "best")

    def test_a_declared_model_wins_and_an_unknown_one_is_refused(self, shop):
        orders, _history, fit, _value_fit = shop
        found = clv.model_in_force(self.run(AS_OF), orders, None, {"bg_nbd": fit}, asked="pareto_nbd")
        assert (found.model, found.reason) == ("pareto_nbd", "declared")
        with pytest.raises(WorkbookError, match="pareto"):
            clv.model_in_force(self.run(AS_OF), orders, None, {"bg_nbd": fit}, asked="pareto")

    def test_with_nothing_to_choose_by_the_plain_model_stands(self, shop):
        blank = too_few("mbg_nbd", ("r", "alpha", "a", "b"), ("", "weeks", "", ""), customers=3, unit_days=7)
        found = clv.model_in_force(self.run(AS_OF), shop[0], None, {"mbg_nbd": blank})
        assert (found.model, found.reason) == ("bg_nbd", "too_few")


class TestContracts:
    def subscriptions(self):
        return ENGINE.create_table("subscriptions", pa.table({
            "started_on": pa.array([date(2026, 1, 1), date(2026, 3, 1), date(2026, 8, 1), date(2026, 2, 1)]),
            "ended_on": pa.array([date(2026, 3, 31), None, None, None], pa.date32()),
            "price": pa.array([Decimal(30), Decimal(50), Decimal(999), Decimal(120)], MONEY),
            "billing_months": pa.array([None, 1, 1, 12], pa.int64()),
        }), overwrite=True)  # fmt: skip

    def test_the_price_of_a_month_and_the_months_begun(self):
        assert clv.monthly_price(self.subscriptions(), as_of=AS_OF) == pytest.approx((30 + 50) / 2)
        found = clv.tenures_of(self.subscriptions(), as_of=AS_OF)
        assert found[["churned", "customers"]].to_numpy().tolist() == [[1, 1], [0, 1]], "who begins later is not there"

    def test_who_pays_for_a_year_could_not_leave_in_between(self):
        assert clv.billed_otherwise(self.subscriptions(), as_of=AS_OF) == 1
        assert clv.billed_otherwise(None, as_of=AS_OF) == 0
        told = words.survived(clv.fit_sbg(clv.tenures_of(None, as_of=AS_OF)), 0.0, 12, None, others=1)
        assert "1 subscription is not billed by the month" in told

    def test_without_a_source_there_is_nothing(self):
        assert clv.monthly_price(None, as_of=AS_OF) is None
        nobody = clv.tenures_of(None, as_of=AS_OF)
        assert not len(nobody) and not clv.fit_sbg(nobody).usable
        assert not len(clv.survival_curves(clv.fit_sbg(nobody), nobody))


class TestTable:
    def brought(self, history):
        return pd.DataFrame({
            "customer_id": history["customer_id"], "channel": np.where(np.arange(len(history)) % 2, "web", None),
            "cohort": pd.Timestamp("2025-01-01"), "revenue_to_date": 1.0, "value_to_date": 2.0,
        })  # fmt: skip

    def test_kept_customers_stand_in_their_order_with_forecast_and_tenth(self, shop):
        _orders, history, fit, value_fit = shop
        known = clv.labelled(history, self.brought(history))
        assert known["customer_id"].tolist() == history["customer_id"].tolist()
        ahead = clv.look_ahead(fit, value_fit, known, horizon_weeks=26, yearly_discount=0.1, margin=0.5,
                               rng=np.random.default_rng(1), widening=clv.widen(pd.DataFrame({"log_ratio": []}),
                                                                                horizon_weeks=26))  # fmt: skip
        table = clv.kept(known, ahead.customers)
        assert table["p_alive"].isna().sum() == (history["x"] == 0).sum(), "BG/NBD knows none for one purchase"
        assert table["tenth"].min() == 1 and table.loc[table["clv"].idxmax(), "tenth"] == 1
        by_channel = ahead.totals[ahead.totals["by"] == "channel"]
        assert by_channel["group"].tolist() == ["web"], "whose channel nobody knows is in no channel"
        life = clv.first_months(fit, value_fit, known.assign(came=0.0), months=6, margin=0.5)
        old = history["T"] > clv.weeks(6) + 1
        assert (life.loc[old, "rest"] == 0).all() and (life.loc[~old, "rest"] > 0).all()

    def test_without_a_usable_fit_forecasts_are_blank(self, shop):
        _orders, history, _fit, value_fit = shop
        blank = too_few("bg_nbd", ("r", "alpha", "a", "b"), ("", "weeks", "", ""), customers=3, unit_days=7)
        known = clv.labelled(history, self.brought(history))
        ahead = clv.look_ahead(blank, value_fit, known, horizon_weeks=26, yearly_discount=0.1, margin=0.5,
                               rng=np.random.default_rng(1), widening=None)  # fmt: skip
        table = clv.kept(known, ahead.customers)
        assert table["clv"].isna().all() and table["tenth"].isna().all() and not len(ahead.totals)
