"""The lifetime models: published figures, agreement with other formulas, recovery of a simulated truth, and judgement.

Figures of CDNOW: Fader, Hardie & Lee 2005 (BG/NBD); Fader & Hardie 2013 (Gamma-Gamma); the others recomputed by two
independent codings.
"""

import itertools
from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.special import betaln, gammaln, hyp2f1
from scipy.stats import nbinom

from evidence import clv as evidence
from workbook import clv
from workbook.clv import gamma_gamma, sbg
from workbook.clv.bgnbd import beta_rule
from workbook.clv.fits import MODELS
from workbook.clv.maximum import maximise
from workbook.data.errors import WorkbookError
from workbook.data.simulate import Parameters, simulate


def customers_of(*rows):
    return pd.DataFrame(rows, columns=["x", "t_x", "T"], dtype=float)


@pytest.fixture(scope="module")
def cdnow():
    return clv.customer_table(evidence.cdnow_orders(evidence.engine()), as_of=evidence.CDNOW_AS_OF).to_pandas()


@pytest.fixture(scope="module")
def fits(cdnow):
    return clv.fit_all(cdnow)


class TestPublished:
    def test_bg_nbd_on_cdnow(self, fits):
        fit = fits["bg_nbd"]
        assert fit.values == pytest.approx([0.24259, 4.41360, 0.79292, 2.42591], abs=1e-3)
        assert fit.log_likelihood == pytest.approx(-9582.429, abs=0.01)
        assert fit.codes == ("converged",)
        assert fit.units == ("", "weeks", "", "")

    def test_in_days_only_alpha_and_the_likelihood_change(self, cdnow, fits):
        in_days = cdnow.assign(t_x=cdnow["t_x"] * 7, T=cdnow["T"] * 7)
        fit = clv.fit_purchases(in_days, unit_days=1)
        assert fit.values == pytest.approx(fits["bg_nbd"].values * [1, 7, 1, 1], rel=1e-4)
        assert fit.log_likelihood == pytest.approx(-14363.530, abs=0.01)
        shift = fits["bg_nbd"].log_likelihood - fit.log_likelihood
        assert shift == pytest.approx(cdnow["x"].sum() * np.log(7), abs=1e-3)
        assert clv.expected_total(fit, 78.0) == pytest.approx(clv.expected_total(fits["bg_nbd"], 78.0), rel=1e-4)

    def test_pareto_nbd_on_cdnow(self, fits):
        fit = fits["pareto_nbd"]
        assert fit.values[:3] == pytest.approx([0.5533, 10.578, 0.6062], abs=1e-2)
        assert fit.value("beta") == pytest.approx(11.669, abs=0.05)
        assert fit.log_likelihood == pytest.approx(-9594.976, abs=0.01)

    def test_mbg_nbd_on_cdnow(self, fits):
        assert fits["mbg_nbd"].log_likelihood == pytest.approx(-9582.136, abs=0.01)
        assert clv.best(fits) == "mbg_nbd"

    def test_gamma_gamma_on_cdnow(self, cdnow):
        fit = clv.fit_value(cdnow)
        assert fit.values == pytest.approx([6.2496, 3.7442, 15.4435], abs=1e-2)
        assert fit.log_likelihood == pytest.approx(-4055.9177, abs=0.01)
        assert (fit.customers, fit.units[2]) == (946, "currency")

    def test_single_customers(self):
        each = clv.log_likelihood_each("bg_nbd", [0.25, 4, 0.8, 2.5], customers_of((0, 0, 40), (200, 38, 40)))
        assert each == pytest.approx([-0.59947382, 100.7957], abs=1e-5)

    def test_expected_purchases_of_a_new_customer(self, fits):
        times = np.array([0.1429, 1, 3, 31.8571, 32, 78])
        expected = [0.0078, 0.0532, 0.1506, 1.0405, 1.0437, 1.8576]
        assert clv.expected_total(fits["bg_nbd"], times) == pytest.approx(expected, abs=1e-3)

    def test_expected_purchases_of_a_known_customer(self, fits):
        known = customers_of((2, 30.43, 38.86))
        assert clv.expected_purchases(fits["bg_nbd"], known, 39) == pytest.approx([1.226], abs=1e-3)

    def test_p_alive_is_not_comparable_between_models(self, cdnow, fits):
        own = clv.alive(fits["bg_nbd"], cdnow)
        assert np.isnan(own[cdnow["x"] == 0]).all()  # it would say 1 to everyone who bought once
        assert np.where(np.isnan(own), 1.0, own).mean() == pytest.approx(0.813, abs=1e-3)
        assert clv.alive(fits["pareto_nbd"], cdnow).mean() == pytest.approx(0.446, abs=1e-3)

    def test_frequency_and_value_are_nearly_independent_on_cdnow(self, cdnow):
        found = clv.independence(cdnow)
        assert found.correlation == pytest.approx(0.1139, abs=1e-3)  # Fader, Hardie & Lee 2005 report 0.11
        assert found.low < found.correlation < found.high < 0.2
        assert found.code == "holds"

    def test_shifted_beta_geometric_on_regular_subscribers(self):
        left = np.array([1000, 631, 468, 382, 326, 289, 262, 241])
        table = pd.DataFrame(
            {"tenure_months": [*range(1, 8), 8], "churned": [1] * 7 + [0], "customers": [*-np.diff(left), 241]}
        )
        fit = clv.fit_sbg(table)
        assert fit.values == pytest.approx([0.7041, 1.1820], abs=1e-3)
        assert fit.log_likelihood == pytest.approx(-1680.265, abs=1e-3)
        assert clv.survival(fit, np.array([12])) == pytest.approx([0.1700], abs=1e-3)
        assert clv.observed_survival(table)["survival"].to_numpy() == pytest.approx(left[1:] / 1000)


class TestFormulas:
    """The code against formulas that it does not use."""

    HARD = customers_of((0, 0, 38.86), (1, 3, 38.86), (25, 30, 39), (300, 38, 39), (1000, 20.5, 39))

    @pytest.mark.parametrize("name", MODELS)
    def test_slopes_are_those_of_the_log_likelihood(self, name):
        model, values = MODELS[name], np.array([0.5, 6.0, 0.9, 2.0])
        data = [self.HARD[column].to_numpy() for column in ("x", "t_x", "T")]
        slopes = model.log_likelihood(values, *data)[1]
        for i in range(4):
            ends = [model.log_likelihood(values * np.exp(step * np.eye(4)[i]), *data)[0] for step in (1e-6, -1e-6)]
            assert slopes[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-5)

    def test_gamma_gamma_slopes(self):
        values, x, mean = np.array([6.0, 4.0, 15.0]), np.array([1.0, 40.0, 1000.0]), np.array([3.0, 30.0, 300.0])
        slopes = gamma_gamma.log_likelihood(values, x, mean)[1]
        for i in range(3):
            ends = [gamma_gamma.log_likelihood(values * np.exp(s * np.eye(3)[i]), x, mean)[0] for s in (1e-6, -1e-6)]
            assert slopes[i] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-5)

    @pytest.mark.parametrize("name", MODELS)
    def test_a_thousand_purchases_are_safe(self, name):
        model, values = MODELS[name], np.array([0.5, 6.0, 0.9, 2.0])
        data = [self.HARD[column].to_numpy() for column in ("x", "t_x", "T")]
        each, slopes = model.log_likelihood(values, *data)
        assert np.isfinite(each).all() and np.isfinite(slopes).all()
        alive, ahead = model.alive(values, *data), model.expected(values, *data, 39.0)
        assert ((alive >= 0) & (alive <= 1)).all() and (np.isfinite(ahead) & (ahead >= 0)).all()
        assert alive[-1] < 1e-20  # 1,000 purchases, then silence for as long again: gone
        recent = model.expected(values, np.array([1000.0]), np.array([39.0]), np.array([39.0]), 1.0)
        assert 10 < recent[0] < 1000 / 39 * 1.2

    def test_pareto_likelihood_is_that_of_the_published_2f1_form(self):
        def a0(r, alpha, s, beta, x, t_x, T):
            high, low, c = (alpha, beta, s + 1) if alpha >= beta else (beta, alpha, r + x)
            part = [
                hyp2f1(r + s + x, c, r + s + x + 1, (high - low) / (high + t)) / (high + t) ** (r + s + x)
                for t in (t_x, T)
            ]
            return part[0] - part[1]

        for values, x, t_x, T in itertools.product(
            [(0.5533, 10.578, 0.6062, 11.669), (1.5, 3.0, 2.0, 30.0), (0.3, 20.0, 0.2, 2.0)], [0, 1, 7], [0.5, 25], [39]
        ):
            r, alpha, s, beta = values
            t_x = t_x if x else 0.0
            both = (alpha + T) ** -(r + x) * (beta + T) ** -s + s / (r + s + x) * a0(*values, x, t_x, T)
            formula = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta) + np.log(both)
            found = clv.log_likelihood_each("pareto_nbd", values, customers_of((x, t_x, T)))
            assert found == pytest.approx([formula], abs=1e-9)

    def test_pareto_likelihood_is_that_of_adaptive_quadrature_where_2f1_fails(self):
        rng = np.random.default_rng(0)
        for _ in range(150):
            r, alpha, s, beta = values = np.exp(rng.normal(0, 2, 4))
            x, T = rng.choice([0, 1, 20, 1000]), np.exp(rng.normal(2, 1))
            t_x = T * rng.random() if x else 0.0
            top = -(r + x) * np.log(alpha + t_x) - (s + 1) * np.log(beta + t_x)
            scale = 1 / ((r + x) / (alpha + t_x) + (s + 1) / (beta + t_x))
            cuts = np.unique(np.clip(t_x + scale * np.array([0, 1, 2, 4, 8, 16, 32, 64, 256, 1e12]), t_x, T))

            def height(t, r=r, alpha=alpha, s=s, beta=beta, x=x, top=top):
                return np.exp(-(r + x) * np.log(alpha + t) - (s + 1) * np.log(beta + t) - top)

            whole = sum(quad(height, *ends, epsabs=0, epsrel=1e-9)[0] for ends in itertools.pairwise(cuts))
            stayed = -(r + x) * np.log(alpha + T) - s * np.log(beta + T)
            start = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
            formula = start + np.logaddexp(stayed, np.log(s) + top + np.log(whole))
            found = clv.log_likelihood_each("pareto_nbd", values, customers_of((x, t_x, T)))
            assert found == pytest.approx([formula], abs=1e-6)

    @pytest.mark.parametrize("values", [(0.24, 4.4, 0.79, 2.4), (0.5, 1, 3, 40), (2, 10, 0.05, 0.3), (0.3, 2, 1.0, 2)])
    @pytest.mark.parametrize("name", ["bg_nbd", "mbg_nbd"])
    def test_expected_purchases_are_the_sum_of_the_chances_of_each_further_one(self, name, values):
        model, (r, alpha, a, b) = MODELS[name], values
        for x, t_x, T, t in ((0, 0, 38, 39), (2, 30, 39, 39), (200, 38, 39, 39)):
            data = [np.array([float(value)]) for value in (x, t_x, T)]
            y = np.arange(1, 20_000)
            late = b + x + model.extra
            staying = np.exp(betaln(a, late + y - 1) - betaln(a, late))
            chances = nbinom.sf(y - 1, r + x, (alpha + T) / (alpha + T + t)) * staying
            alive = model.alive(np.array(values, float), *data)
            assert model.expected(np.array(values, float), *data, t) == pytest.approx(alive * chances.sum(), rel=1e-6)

    def test_expected_total_of_bg_nbd_is_the_published_2f1_form(self, fits):
        r, alpha, a, b = fits["bg_nbd"].values
        t = np.array([1.0, 39.0, 78.0])
        formula = (a + b - 1) / (a - 1) * (1 - (alpha / (alpha + t)) ** r * hyp2f1(r, b, a + b - 1, t / (alpha + t)))
        assert clv.expected_total(fits["bg_nbd"], t) == pytest.approx(formula, rel=1e-9)

    def test_a_beta_rule_has_the_means_of_the_distribution(self):
        nodes, weights = beta_rule(0.3, 7.0)
        for power in range(1, 20):
            mean = np.exp(betaln(0.3 + power, 7.0) - betaln(0.3, 7.0))
            assert weights @ nodes**power == pytest.approx(mean, rel=1e-9)

    @pytest.mark.parametrize("name", MODELS)
    def test_drawn_purchases_have_the_expected_mean(self, name, fits):
        model, fit, rng = MODELS[name], fits[name], np.random.default_rng(5)
        for x, t_x, T in ((0, 0, 30), (3, 20, 39), (30, 38, 39)):
            data = [np.full(40_000, float(value)) for value in (x, t_x, T)]
            drawn = model.draw(fit.values, *data, 39.0, rng)
            expected = model.expected(fit.values, *(column[:1] for column in data), 39.0)[0]
            assert abs(drawn.mean() - expected) < 4 * drawn.std() / 200

    def test_drawn_spend_has_the_expected_mean(self):
        values, rng = np.array([6.0, 4.0, 15.0]), np.random.default_rng(6)
        x, mean, bought = np.full(100_000, 2.0), np.full(100_000, 50.0), np.full(100_000, 3)
        drawn = gamma_gamma.draw_spend(values, x, mean, bought, rng)
        expected = 3 * gamma_gamma.mean_value(values, x[:1], mean[:1])[0]
        assert abs(drawn.mean() - expected) < 4 * drawn.std() / 316


class TestRecovery:
    @pytest.mark.parametrize("model", MODELS)
    def test_parameters_of_simulated_shops_lie_within_their_intervals(self, model):
        """12 shops; of 95 % intervals a binomial number holds: below the bound with a chance of 1 in 1,000."""
        n, held, truth = 12, [], np.array(evidence.TRUTH[model])
        rng = np.random.default_rng(21)
        for _ in range(n):
            made = evidence.make_shop(rng, model, customers=2000, acquired_weeks=52, weeks=104)
            fit = clv.fit_purchases(evidence.counts_of(made, 104, by_day=False), model)
            held.append((fit.low <= truth) & (truth <= fit.high))
        assert (np.sum(held, axis=0) >= evidence.bounds(n)[0]).all()

    @pytest.mark.parametrize(("leaves", "model"), [(False, "bg_nbd"), (True, "mbg_nbd")])
    def test_the_plain_shop_of_the_simulator_is_found_again(self, leaves, model):
        shop = simulate(1500, 24, seed=4, parameters=Parameters.plain(leaves_after_first=leaves))
        orders = shop.tables["orders"].select(["customer_id", "ordered_on"]).to_pandas().drop_duplicates()
        as_of = pd.to_datetime(orders["ordered_on"]).max()
        day = pd.to_datetime(orders["ordered_on"]).groupby(orders["customer_id"])
        counts = pd.DataFrame(
            {"x": day.size() - 1, "t_x": (day.max() - day.min()).dt.days / 7, "T": (as_of - day.min()).dt.days / 7}
        )
        fit = clv.fit_purchases(counts, model)
        true = shop.facts["parameters"]
        truth = np.array([true["rate_r"], true["rate_alpha"], true["dropout_a"], true["dropout_b"]])
        wide = 1.4 * (np.log(fit.high) - np.log(fit.values))  # 99.4 %
        assert (np.abs(np.log(fit.values / truth)) < wide).all()
        other = clv.fit_purchases(counts, "mbg_nbd" if model == "bg_nbd" else "bg_nbd")
        assert fit.log_likelihood > other.log_likelihood  # the story that made the shop explains it better

    def test_gamma_gamma_is_found_again(self):
        rng, (p, q, v) = np.random.default_rng(8), (6.0, 4.0, 16.0)
        x = rng.poisson(3, 4000) + 1
        spending = rng.gamma(q, 1 / v, 4000)
        mean = rng.gamma(p * x) / spending / x
        fit = clv.fit_value(pd.DataFrame({"x": x, "mean_repeat_value": mean}))
        assert ((fit.low < (p, q, v)) & ((p, q, v) < fit.high)).all()
        assert clv.independence(pd.DataFrame({"x": x, "mean_repeat_value": mean})).code == "holds"

    def test_dependence_of_value_on_frequency_is_doubtful(self):
        rng = np.random.default_rng(9)
        x = rng.poisson(3, 500) + 1
        found = clv.independence(pd.DataFrame({"x": x, "mean_repeat_value": x * rng.gamma(9, 1, 500)}))
        assert found.code == "doubtful" and found.correlation > 0.5

    def test_subscriptions_are_found_again(self, make_table):
        rng = np.random.default_rng(10)
        start = np.datetime64("2022-01-01") + rng.integers(0, 900, 3000)
        months = rng.geometric(np.clip(rng.beta(1.0, 6.0, 3000), 1e-6, 1))
        end = start + np.round(months * 30.44).astype(int) - 3
        known = end <= np.datetime64("2024-12-31")
        frame = pd.DataFrame(
            {"started_on": [d.astype(object) for d in start], "ended_on": [d.astype(object) for d in end]}
        )
        frame["ended_on"] = frame["ended_on"].where(known, None)
        table = make_table(evidence.engine(), frame)
        tenures = clv.tenures(table, as_of=date(2024, 12, 31)).to_pandas()
        assert tenures["customers"].sum() == 3000
        fit = clv.fit_sbg(tenures)
        assert ((fit.low < (1.0, 6.0)) & (fit.high > (1.0, 6.0))).all()


class TestJudgement:
    def test_too_few_customers_are_not_fitted(self):
        fit = clv.fit_purchases(customers_of(*[(1, 3, 9)] * 29))
        assert fit.codes == ("too_few",) and not fit.usable and np.isnan(fit.values).all()
        assert clv.fit_value(pd.DataFrame({"x": [1, 0], "mean_repeat_value": [3.0, np.nan]})).codes == ("too_few",)

    def test_an_unknown_model_is_refused(self):
        with pytest.raises(WorkbookError, match="bg_nbd"):
            clv.fit_purchases(customers_of((1, 3, 9)), "bgnbd")

    def test_customers_all_alike_leave_the_likelihood_flat_and_it_is_told(self):
        """Everyone buys at one rate and nobody leaves: only r / alpha is known."""
        rng = np.random.default_rng(1)
        x = rng.poisson(6, 500).astype(float)
        t_x = np.where(x > 0, 60 * rng.random(500) ** (1 / np.maximum(x, 1)), 0)
        fit = clv.fit_purchases(pd.DataFrame({"x": x, "t_x": t_x, "T": 60.0}))
        assert "flat" in fit.codes and "converged" in fit.codes
        assert fit.value("r") / fit.value("alpha") == pytest.approx(0.1, rel=0.1)
        assert np.isinf(fit.high[fit.names.index("r")])  # no likelihood falls as r and alpha grow together
        assert fit.low[fit.names.index("r")] > 5  # but a small r is ruled out

    def test_the_profile_is_highest_at_the_estimate_and_falls_by_1_92_at_its_ends(self, cdnow, fits):
        found = clv.profile(fits["bg_nbd"], cdnow, "a", points=13)
        assert found["log_likelihood_drop"].iloc[6] == pytest.approx(0, abs=1e-3)
        assert (np.diff(found["log_likelihood_drop"].iloc[6:]) > 0).all()
        inside = found.loc[found["inside"], "value"]
        assert inside.min() == pytest.approx(fits["bg_nbd"].low[2], rel=0.25)
        assert inside.max() == pytest.approx(fits["bg_nbd"].high[2], rel=0.25)

    def test_standard_errors_are_the_spread_of_estimates(self):
        rng, logs, stated = np.random.default_rng(2), [], []
        for _ in range(40):
            made = evidence.make_shop(rng, "bg_nbd", customers=1500, acquired_weeks=30, weeks=60)
            fit = clv.fit_purchases(evidence.counts_of(made, 60))
            logs.append(np.log(fit.values))
            stated.append(np.sqrt(np.diag(fit.covariance)))
        ratio = np.mean(stated, axis=0) / np.std(logs, axis=0, ddof=1)
        assert (np.abs(np.log(ratio)) < 3 / np.sqrt(2 * 39)).all()  # three standard errors of a standard deviation

    def test_starts_that_end_elsewhere_are_told(self):
        def two_hills(place):
            x = place[0]
            near, far = np.exp(-((x + 2) ** 2)), 2 * np.exp(-((x - 2) ** 2))
            return 0.5 * (near + far), 0.5 * np.array([-2 * (x + 2) * near - 2 * (x - 2) * far])

        both = maximise(two_hills, [np.array([-2.1]), np.array([1.9])])
        assert "disagreeing_starts" in both.codes and both.log_values[0] == pytest.approx(2.0, abs=1e-3)
        assert "disagreeing_starts" not in maximise(two_hills, [np.array([1.5]), np.array([2.4])]).codes

    def test_a_sample_of_the_rows_stands_for_all(self, cdnow, fits):
        fit = clv.fit_purchases(cdnow, largest=400)
        assert fit.distinct == fits["bg_nbd"].distinct > 400
        assert fit.customers == 2357
        apart = np.log(fit.values / fits["bg_nbd"].values)
        deviation = np.sqrt(np.diag(fit.covariance) - np.diag(fits["bg_nbd"].covariance))
        assert (np.abs(apart) < 3.3 * deviation).all()  # a part of the customers: less sure, and no further off
        assert fit.log_likelihood == pytest.approx(fits["bg_nbd"].log_likelihood, rel=0.1)


class TestSubscriptions:
    def test_months_begun_are_counted_by_hand(self, con, make_table):
        frame = pd.DataFrame(
            {
                "started_on": [date(2024, *day) for day in ((1, 1), (1, 15), (1, 31), (3, 1), (5, 1))],
                "ended_on": [date(2024, 1, 31), date(2024, 2, 15), None, date(2024, 4, 30), None],
            }
        )
        found = sbg.tenures(make_table(con, frame), as_of=date(2024, 4, 15)).to_pandas()
        assert [tuple(row) for row in found.to_numpy().tolist()] == [(1, 1, 1), (2, 0, 1), (2, 1, 1), (3, 0, 1)]

    def test_expected_months_by_hand(self):
        fit = clv.fit_sbg(
            pd.DataFrame({"tenure_months": [1, 2, 3], "churned": [1, 1, 0], "customers": [100, 50, 100]})
        )
        alive = clv.survival(fit, np.array([0, 1, 2, 3]))
        assert clv.expected_months(fit, months=3) == pytest.approx(alive[:3].sum())
        assert clv.expected_months(fit, tenure=2, months=2) == pytest.approx((alive[2] + alive[3]) / alive[1])
        discounted = clv.expected_months(fit, months=3, yearly_discount=0.2)
        assert discounted == pytest.approx(alive[:3] @ 1.2 ** (-np.arange(3) / 12))
