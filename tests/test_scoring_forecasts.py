"""Forecasts of amounts judged: by hand, as published, and intervals that hold their promise."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import hyp2f1

from evidence import scoring as evidence
from workbook import scoring
from workbook.data.errors import WorkbookError
from workbook.scoring import calibration, intervals, judge_forecasts, normalised_gini, verdict

CAME = np.array([8.0, 0.0, 2.0, 0.0])


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def trial(forecasts: dict[str, np.ndarray], came: np.ndarray = CAME, **options: float) -> pd.DataFrame:
    return judge_forecasts(forecasts, came, rng=rng(), **options).set_index("forecast")


def test_four_customers_by_hand():
    found = trial({"model": np.array([6, 1, 2, 2]), "zero": np.zeros(4)}, top=0.25)
    assert found.loc["model", ["n", "buyers", "total", "actual_total"]].tolist() == [4, 2, 11, 10]
    assert found.loc["model", "bias"] == pytest.approx(0.1)
    assert found.loc["model", "rmse"] == pytest.approx(np.sqrt((4 + 1 + 0 + 4) / 4))
    assert found.loc["model", "top_share"] == pytest.approx(0.8)
    # Gini along the truth: 1 - 2 (8 × .5 + 2 × 1.5) / (4 × 10) = .65; along the model (2 tied) 1 - 2 (4 + 2 × 2) / 40
    assert found.loc["model", "gini"] == pytest.approx(0.6 / 0.65)
    assert found.loc["zero", ["bias", "gini", "top_share"]].tolist() == pytest.approx([-1, 0, 0.25])
    assert found.loc["zero", "lead_rmse"] == pytest.approx(np.sqrt(68 / 4) - 1.5)
    assert found.loc["zero", "lead_top_share"] == pytest.approx(0.55)


def test_gini_knows_right_wrong_and_no_order():
    assert normalised_gini(CAME, CAME) == 1
    assert normalised_gini(-CAME, CAME) == -1
    assert normalised_gini(np.ones(4), CAME) == 0
    assert np.isnan(normalised_gini(CAME, np.zeros(4)))
    assert np.isnan(normalised_gini(CAME, np.ones(4)))


def test_gini_of_zeros_and_ones_is_twice_the_auc_minus_one():
    """Known identity: for an outcome of 0 and 1 the normalised Gini is 2 AUC - 1."""
    from sklearn.metrics import roc_auc_score

    scores, happened = rng().integers(0, 6, 200), rng().integers(0, 2, 200)
    assert normalised_gini(scores, happened) == pytest.approx(2 * roc_auc_score(happened, scores) - 1)


def test_the_order_of_rows_decides_nothing():
    draw = rng()
    forecast, came = draw.integers(0, 4, 60).astype(float), draw.poisson(1, 60).astype(float)
    turned = draw.permutation(60)
    first, second = trial({"m": forecast}, came), trial({"m": forecast[turned]}, came[turned])
    for measure in ("bias", "rmse", "gini", "top_share"):
        assert first.loc["m", measure] == pytest.approx(second.loc["m", measure]), measure


def test_a_customer_without_forecast_is_refused():
    with pytest.raises(WorkbookError, match="'m' has 4 numbers for 4 customers, 1 unusable"):
        trial({"m": np.array([1, 2, np.nan, 0])})


def test_nothing_came():
    found = trial({"m": np.ones(4), "zero": np.zeros(4)}, np.zeros(4))
    assert found[["bias", "bias_low", "gini", "top_share", "lead_gini_high"]].isna().all(axis=None)
    assert found["rmse"].tolist() == [1, 0]
    assert verdict(found.reset_index(), measure="rmse").code == "too_few"


def _shop(draw: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray]:
    rate = draw.gamma(0.8, 2, n)
    return rate, draw.poisson(rate).astype(float)


def test_intervals_hold_the_truth():
    """Bias 0 and the Gini of a very large sample lie in about 95 % of the intervals of small ones."""
    draw = np.random.default_rng(11)
    gini = normalised_gini(*_shop(draw, 400_000))
    hits = np.zeros(2)
    for _ in range(150):
        rate, came = _shop(draw, 400)
        found = judge_forecasts({"truth": rate}, came, rng=draw, repeats=150).iloc[0]
        hits += [found["bias_low"] <= 0 <= found["bias_high"], found["gini_low"] <= gini <= found["gini_high"]]
    assert (hits >= 134).all() and (hits < 150).all(), hits  # 142.5 ± three standard errors of a binomial


def test_above_the_stated_size_a_sample_is_drawn_and_intervals_keep_their_width(monkeypatch):
    rate, came = _shop(rng(), 8_000)
    forecasts = {"truth": rate, "noise": rate + rng().normal(size=8_000)}
    whole = trial(forecasts, came)
    monkeypatch.setattr(intervals, "LARGEST", 2_000)
    sampled = trial(forecasts, came)
    for measure in ("bias", "rmse", "gini", "top_share"):
        assert sampled[measure].tolist() == whole[measure].tolist(), "values come from everybody"
    for measure in ("bias", "rmse", "gini", "lead_gini"):
        widths = [found.loc["noise", f"{measure}_high"] - found.loc["noise", f"{measure}_low"]
                  for found in (whole, sampled)]  # fmt: skip
        assert widths[1] == pytest.approx(widths[0], rel=0.35), measure


def test_calibration_by_hand():
    found = calibration(np.array([5, 5, 1, 1.0]), np.array([4, 8, 0, 0.0]), groups=2)
    assert found[["group", "n", "forecast_mean", "actual_mean"]].to_numpy().tolist() == [[1, 2, 5, 6], [2, 2, 1, 0]]
    # mean 6, standard error 2, Student's t with one degree of freedom: 12.706
    assert found.loc[0, ["low", "high"]].tolist() == pytest.approx([6 - 2 * 12.7062, 6 + 2 * 12.7062], rel=1e-4)
    assert found.loc[1, ["low", "high"]].isna().all(), "two equal customers do not tell a spread"


def test_equal_forecasts_are_never_parted():
    found = calibration(np.repeat([3.0, 0.0], [10, 90]), np.arange(100.0))
    assert found["n"].tolist() == [10, 90]


@pytest.mark.parametrize(
    ("forecasts", "code", "rival"),
    [
        ({"m": lambda rate, noise: rate, "lots": lambda rate, noise: noise, "same": lambda rate, noise: 0 * rate},
         "earns", ("lots", "same")),
        ({"m": lambda rate, noise: noise, "rate": lambda rate, noise: rate, "same": lambda rate, noise: 0 * rate},
         "loses", ("rate",)),
        ({"m": lambda rate, noise: rate, "double": lambda rate, noise: 2 * rate}, "ties", ("double",)),
    ],
)  # fmt: skip
def test_a_model_earns_its_place_against_the_best_rival_only(forecasts, code, rival):
    rate, came = _shop(rng(), 500)
    noise = rng().normal(size=500)
    found = verdict(
        judge_forecasts({name: make(rate, noise) for name, make in forecasts.items()}, came, rng=rng()), measure="gini"
    )
    assert (found.code, found.rival in rival) == (code, True)


def test_a_model_as_good_as_its_rivals_seldom_earns_its_place():
    """By chance in at most 2.5 %; the more rivals, the seldomer, as the best of them is the one to beat."""
    equal = {"model": 0.5, "a": 0.5, "b": 0.5}
    assert evidence.verdicts(60, 400, equal, rng())["earns"] <= evidence.slack(60, 0.025)
    assert evidence.verdicts(20, 400, {"model": 0.2, "a": 0.9}, rng())["earns"] >= 15


def test_by_rmse_less_is_better():
    rate, came = _shop(rng(), 500)
    judged = judge_forecasts({"m": rate, "zero": 0 * rate, "mean": 0 * rate + came.mean()}, came, rng=rng())
    found = verdict(judged, measure="rmse")
    assert (found.code, found.rival) == ("earns", "mean")
    assert found.lead == pytest.approx(judged["rmse"][2] - judged["rmse"][0])


def test_a_rivals_lead_is_judged_on_the_same_draws():
    """Two forecasts that order customers alike: their Ginis are uncertain, the lead between them is not."""
    rate, came = _shop(rng(), 300)
    found = trial({"m": rate, "double": 2 * rate}, came)
    assert found.loc["m", "gini_high"] - found.loc["m", "gini_low"] > 0.05
    assert found.loc["double", ["lead_gini_low", "lead_gini_high"]].tolist() == pytest.approx([0, 0], abs=1e-12)


def test_few_buyers_get_no_verdict():
    came = np.zeros(200)
    came[:29] = 5
    judged = judge_forecasts({"m": came, "zero": 0 * came}, came, rng=rng())
    assert verdict(judged, measure="gini").code == "too_few"
    assert verdict(judged, measure="gini", fewest=29).code == "earns"
    assert verdict(judged.head(1), measure="gini", fewest=29).code == "too_few", "a model without rivals proves nothing"


def cdnow() -> pd.DataFrame:
    """x, t_x, T (weeks up to 30 September 1997) and the purchase days of the 39 weeks after it."""
    path = Path(find_spec("lifetimes").submodule_search_locations[0]) / "datasets" / "CDNOW_sample.txt"
    rows = pd.read_csv(path, sep=r"\s+", header=None, names=["id", "customer", "day", "cds", "value"])
    days = rows.assign(day=pd.to_datetime(rows["day"].astype(str)))[["customer", "day"]].drop_duplicates()
    end, until = pd.Timestamp("1997-09-30"), pd.Timestamp("1998-06-30")
    seen = days[days["day"] <= end].groupby("customer")["day"].agg(["min", "max", "size"])
    after = days[(days["day"] > end) & (days["day"] <= until)].groupby("customer").size()
    return pd.DataFrame(
        {
            "x": seen["size"] - 1,
            "t_x": (seen["max"] - seen["min"]).dt.days / 7,
            "T": (end - seen["min"]).dt.days / 7,
            "came": after.reindex(seen.index).fillna(0),
        }
    )


def bg_nbd(people: pd.DataFrame, weeks: float) -> np.ndarray:
    """Fader, Hardie & Lee 2005, equation 10, at their published parameters."""
    r, alpha, a, b = 0.24259, 4.41360, 0.79292, 2.42591
    x, t_x, age = (people[name].to_numpy(float) for name in ("x", "t_x", "T"))
    grown = hyp2f1(r + x, b + x, a + b + x - 1, weeks / (alpha + age + weeks))
    most = (a + b + x - 1) / (a - 1) * (1 - ((alpha + age) / (alpha + age + weeks)) ** (r + x) * grown)
    last = np.where(x > 0, a / (b + np.maximum(x, 1) - 1) * ((alpha + age) / (alpha + t_x)) ** (r + x), 0)
    return most / (1 + last)


def test_the_absolute_error_cannot_tell_a_model_from_nothing_and_is_not_offered():
    """CDNOW: MAE .785 for BG/NBD, .798 for "nobody buys"; total 1,653.4 against 1,882 (−12 %)."""
    people = cdnow()
    forecast, came = bg_nbd(people, 39), people["came"].to_numpy()
    assert np.abs(forecast - came).mean() == pytest.approx(0.785, abs=1e-3)
    assert np.abs(came).mean() == pytest.approx(0.798, abs=1e-3)
    rivals = {"nobody": 0 * came, "rate": 39 * (people["x"] / people["T"]).to_numpy()}
    judged = judge_forecasts({"bg_nbd": forecast, **rivals}, came, rng=rng())
    assert "mae" not in judged
    told = judged.set_index("forecast")
    assert told.loc["bg_nbd", "total"] == pytest.approx(1653.4, abs=1)
    assert told.loc["bg_nbd", "actual_total"] == 1882
    assert told.loc["bg_nbd", "bias"] == pytest.approx(-0.12, abs=5e-3)
    assert told.loc["nobody", "bias"] == -1
    assert told.loc["nobody", "lead_gini_low"] > 0.3, "what the absolute error hides, the order of customers shows"
    assert told.loc["rate", "lead_rmse_low"] > 0


def test_what_notebooks_import_is_there():
    assert set(scoring.__all__) >= {"judge", "judge_forecasts", "judge_probabilities", "verdict", "Estimate", "Z"}
