"""Churn against a known truth: is the ranking as good as it can be, are the probabilities right, is H found again?

    PYTHONPATH=tests python -m evidence.churn

The simulated shop tells what nobody can see: each customer's rate of ordering, chance of leaving after an order, and
the day they left. Bounds follow for "no purchase in the next H days":

    state    who has left is known, and the rate of who has not: exp(-rate × H), or 1. No record can reach it.
    record   the traits are known, the state must be guessed from the silence since the last order, by Bayes:
             P(alive) = (1-p) exp(-rate × silence) / (p + (1-p) exp(-rate × silence)).
    spread   only how the traits are spread over customers is known; each one's follow from their orders, by Bayes
             (MBG/NBD with the true r, alpha, a, b). The best that a record of orders alone allows; plain shop only.
             Visits and opened messages follow the rate too, so that a model that reads them can do better.
"""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
from sklearn.model_selection import StratifiedKFold

from workbook import churn, scoring
from workbook.churn import rivals
from workbook.data.engine import connect
from workbook.data.settings import Engine
from workbook.data.simulate import Parameters, Shop, simulate

OPENED = date(2024, 1, 1)
LOCAL = "+ INTERVAL 8 HOUR"  # the simulated shop's clock is UTC + 8


class Size(NamedTuple):
    """How long the simulations run."""

    customers: int
    months: int
    repeats: int


TRUTHS = {"state": "truth: state known", "record": "truth: traits known", "spread": "truth: spread known"}
SIZES = {"small": Size(1_500, 24, 60), "full": Size(20_000, 30, 400)}
TELCO = "telco_churn/Telco-Customer-Churn.csv"
SETTINGS = {
    "logistic": {"C": 0.3}, "tree": {"leaves": 16}, "svm_linear": {"C": 0.003},
    "gradient_boosting": {"rate": 0.05, "trees": 80, "leaves": 8}, "hiatus": {},
}  # fmt: skip


def record_of(shop: Shop, con: ibis.BaseBackend) -> churn.Record:
    """The shop's records as the clean tables: returns taken off, local dates beside the times."""
    for name, table in shop.tables.items():
        con.create_table(f"raw_{name}", table, overwrite=True)
    sql = {
        "orders": """SELECT o.*, o.quantity AS units, FALSE AS is_return,
            CAST(o.amount - COALESCE(r.back, 0) AS DECIMAL(18, 4)) AS net_amount FROM raw_orders o LEFT JOIN
            (SELECT order_id, SUM(amount) AS back FROM raw_returns GROUP BY order_id) r USING (order_id)""",
        "order_lines": "SELECT *, FALSE AS is_return FROM raw_order_lines",
        "returns": f"""SELECT r.*, o.customer_id, CAST(r.returned_at {LOCAL} AS DATE) AS returned_on
            FROM raw_returns r JOIN raw_orders o USING (order_id)""",
        "events": f"SELECT *, CAST(occurred_at {LOCAL} AS DATE) AS occurred_on FROM raw_events",
        "contacts": f"SELECT *, CAST(sent_at {LOCAL} AS DATE) AS sent_on FROM raw_contacts",
        "tickets": f"SELECT *, CAST(opened_at {LOCAL} AS DATE) AS opened_on FROM raw_tickets",
        "payments": "SELECT * FROM raw_payments",
        "subscriptions": "SELECT * FROM raw_subscriptions",
    }
    for name, text in sql.items():
        con.raw_sql(f"CREATE OR REPLACE TABLE clean_{name} AS {text}")
    return churn.Record(**{name: con.table(f"clean_{name}") for name in sql})


def engine() -> ibis.BaseBackend:
    return connect(Engine(url="duckdb", memory="1GB", threads=1))


def frame_of(table: ibis.Table) -> pd.DataFrame:
    """In pandas, decimals as floats."""
    arrow = table.to_pyarrow()
    kept = [pa.field(f.name, pa.float64()) if pa.types.is_decimal(f.type) else f for f in arrow.schema]
    return arrow.cast(pa.schema(kept)).to_pandas()


def last_day(months: int) -> date:
    """The last day of that many whole months."""
    year, month = divmod(OPENED.month - 1 + months, 12)
    return date(OPENED.year + year, month + 1, 1) - timedelta(days=1)


def bounds(shop: Shop, customers: pd.Series, silence: np.ndarray, *, day: date, days: int) -> dict[str, np.ndarray]:
    """Probability of no purchase in the next `days` days by the known truth: `state` and `record`."""
    truth = shop.truth["customers"].to_pandas().set_index("customer_id").loc[customers]
    rate, leaves = truth["rate_per_week"].to_numpy() / 7.0, truth["dropout_probability"].to_numpy()
    gone = (truth["left_at"] < pd.Timestamp(day) + pd.Timedelta(days=1)).to_numpy()
    stays_silent = np.exp(-rate * days)
    here = (1 - leaves) * np.exp(-rate * silence)
    alive = here / (leaves + here)
    return {"state": np.where(gone, 1.0, stays_silent), "record": 1 - alive * (1 - stays_silent)}


def spread_bound(parameters: Parameters, test: pd.DataFrame, *, days: int) -> np.ndarray:
    """Probability of no purchase by MBG/NBD with the true spread of the traits (Batislam, Denizel & Filiztekin 2007).

    With x repeat purchases, the last at t_x, watched until T, weights in proportion to
    gone: a / (b + x) / (alpha + t_x)^(r + x); here: 1 / (alpha + T)^(r + x); here and silent for `days` more: the same
    with T + days.
    """
    r, alpha = parameters.rate_r, parameters.rate_alpha * 7.0
    x, until = test["purchase_days"].to_numpy() - 1, test["tenure_days"].to_numpy()
    last = until - test["recency_days"].to_numpy()
    gone = parameters.dropout_a / (parameters.dropout_b + x)
    here = ((alpha + last) / (alpha + until)) ** (r + x)
    silent = ((alpha + last) / (alpha + until + days)) ** (r + x)
    return (gone + silent) / (gone + here)


class Trial(NamedTuple):
    """One shop, its rivals and the bounds, on the test window."""

    horizon_days: int
    fitted: churn.Fitted
    judged: pd.DataFrame  # of scoring.judge_probabilities, bounds included


def shop_trial(size: Size, parameters: Parameters, *, seed: int, orders_alone: bool = False) -> Trial:
    """The road of the notebook: horizon, windows, rivals; beside them what the truth allows.

    orders_alone: no other table is read, as in a shop that has nothing else.
    """
    shop, con, as_of = simulate(size.customers, size.months, seed, parameters), engine(), last_day(size.months)
    record, rng = record_of(shop, con), np.random.default_rng(seed)
    record = churn.Record(record.orders, returns=record.returns) if orders_alone else record
    span = churn.record_span(record, as_of=as_of)
    counts = frame_of(churn.gap_counts(churn.gaps(record.purchases(as_of), as_of=as_of)))
    longest = churn.longest_horizon(first_on=span.first_on, as_of=as_of)
    days = churn.horizon(counts, longest=longest, rng=rng).days
    windows = churn.windows(first_on=span.first_on, as_of=as_of, horizon_days=days)
    frames = [frame_of(churn.snapshot(record, window, active_days=days)) for window in windows]
    fitted = churn.fit_all(churn.Snapshots(*frames))
    test = fitted.test_frame
    known = bounds(shop, test["customer_id"], test["recency_days"].to_numpy(), day=windows[2].scored_on, days=days)
    if not parameters.season:
        known["spread"] = spread_bound(parameters, test, days=days)
    judged = scoring.judge_probabilities(fitted.predictions | known, fitted.happened, rng=rng)
    return Trial(days, fitted, judged.set_index("prediction"))


def same_rhythm(gap_days: float) -> Parameters:
    """A shop in which everybody orders at one rate and may leave after any order."""
    weeks = gap_days / 7.0
    return Parameters.plain(leaves_after_first=True, rate_r=1e6, rate_alpha=1e6 * weeks)


def horizon_trial(size: Size, *, gap_days: float, seed: int, share: float = 0.8) -> churn.Horizon:
    """H where the truth is known: gaps are exponential, so that `share` have returned by -gap × ln(1 - share)."""
    shop, con = simulate(size.customers, size.months, seed, same_rhythm(gap_days)), engine()
    as_of = last_day(size.months)
    record = record_of(shop, con)
    counts = frame_of(churn.gap_counts(churn.gaps(record.purchases(as_of), as_of=as_of)))
    return churn.horizon(counts, share=share, rng=np.random.default_rng(seed))


def proportional_alarms(repeats: int, *, changing: bool, n: int = 400, seed: int = 5) -> int:
    """In how many Cox models on simulated lifetimes the assumption is told to break.

    changing: the covariate's effect turns round at the median, so that it should be told; else it holds.
    """
    rng, alarms = np.random.default_rng(seed), 0
    for _ in range(repeats):
        x, z = rng.normal(size=n), rng.normal(size=n)
        days = rng.exponential(1.0, n) * np.exp(-0.5 * x)
        if changing:
            early = rng.exponential(1.0, n) * np.exp(-1.0 * x)
            days = np.where(early < 0.7, early, 0.7 + rng.exponential(1.0, n) * np.exp(1.0 * x))
        cut = rng.uniform(0.5, 4.0, n)
        frame = pd.DataFrame({"days": np.minimum(days, cut), "ended": (days <= cut).astype(int), "x": x, "z": z})
        found = churn.cox(frame, days="days", ended="ended", covariates=["x", "z"])
        alarms += not found.table.set_index("covariate").loc["x", "proportional"]
    return alarms


def curve_covers(repeats: int, *, n: int = 150, seed: int = 6) -> int:
    """How often the Kaplan–Meier interval at day 1 holds the true exp(-1), with a third censored."""
    rng, covered = np.random.default_rng(seed), 0
    for _ in range(repeats):
        days, cut = rng.exponential(1.0, n), rng.exponential(2.0, n)
        found = churn.survival_at(churn.kaplan_meier(np.minimum(days, cut), (days <= cut).astype(int)), 1.0)
        covered += found.low <= np.exp(-1) <= found.high
    return covered


def calibration_misses(trial: Trial) -> tuple[int, int]:
    """Tenths of the chosen model whose Wilson interval misses the foretold mean, and tenths in all."""
    table = scoring.reliability(trial.fitted.predictions[trial.fitted.chosen], trial.fitted.happened)
    inside = table["forecast_mean"].between(table["low"], table["high"])
    return int((~inside).sum()), len(table)


def telephone_customers(path: Path) -> pd.DataFrame:
    """The public telephone customers as numbers: tenure, charges, and 0/1 columns of the rest.

    Eleven customers without a total charge stay in: all have tenure 0, and a blank is a value of its own. For the
    hiatus rule, which has no silence here, the shortest tenure stands first.
    """
    raw = pd.read_csv(path)
    numbers = pd.DataFrame({
        "tenure": raw["tenure"].astype(float), "monthly": raw["MonthlyCharges"],
        "total": pd.to_numeric(raw["TotalCharges"].str.strip(), errors="coerce"),
    })  # fmt: skip
    words = raw.drop(columns=["customerID", "tenure", "MonthlyCharges", "TotalCharges", "Churn"]).astype(str)
    flags = pd.get_dummies(words, dtype=float)
    return numbers.join(flags).assign(
        recency_days=-raw["tenure"].astype(float), churned=(raw["Churn"] == "Yes").astype(int)
    )


def cross_validated(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Probabilities from five folds: each customer is foretold by models that have not seen them."""
    names = tuple(name for name in frame.columns if name not in ("churned", "recency_days"))
    found = {kind: np.zeros(len(frame)) for kind in SETTINGS}
    folds = StratifiedKFold(5, shuffle=True, random_state=1)
    for train, test in folds.split(frame, frame["churned"]):
        for kind, setting in SETTINGS.items():
            model = rivals.KINDS[kind].fit(frame.iloc[train], names, setting, 0)
            found[kind][test] = model.predict(frame.iloc[test])
    return found


def main(size: str = "full") -> None:
    chosen = SIZES[size]
    plain = Parameters.plain(leaves_after_first=True)
    for name, parameters, orders_alone in (
        ("plain shop (MBG/NBD), orders alone", plain, True),
        ("plain shop (MBG/NBD), every table", plain, False),
        ("shop with season and crisis, every table", Parameters(), False),
    ):
        _print_trial(name, shop_trial(chosen, parameters, seed=17, orders_alone=orders_alone), chosen)
    print("\nH where gaps are exponential with mean 60 days: 80 % have returned by 96.6 days")
    found = horizon_trial(chosen, gap_days=60, seed=3)
    print(f"  rule {found.rule_days} [{found.low:.0f}, {found.high:.0f}], completed gaps only {found.naive_days:.0f}; "
          f"{found.gaps:,} gaps, {found.returns:,} completed; span {found.span_days} days")  # fmt: skip
    runs = chosen.repeats
    print(f"\nKaplan–Meier interval of 95 %: held the truth in {curve_covers(runs)} of {runs} samples")
    print(f"Cox assumption told to break where it holds: {proportional_alarms(runs, changing=False)} of {runs}; "
          f"where the effect turns round: {proportional_alarms(runs, changing=True)} of {runs}")  # fmt: skip
    path = Path(os.environ.get("WORKBOOK_DATA", "")) / TELCO
    if not path.exists():
        print(f"\n{TELCO} is not there: WORKBOOK_DATA names the folder of the public data sets")
        return
    frame = telephone_customers(path)
    judged = scoring.judge_probabilities(
        cross_validated(frame), frame["churned"].to_numpy(), rng=np.random.default_rng(1), repeats=100
    )
    print(f"\n{len(frame):,} telephone customers, {frame['churned'].sum():,} left; five folds")
    for row in judged.itertuples():
        name = "tenure alone" if row.prediction == "hiatus" else row.prediction
        print(f"  {name:20} AUC {row.auc:.3f} [{row.auc_low:.3f}, {row.auc_high:.3f}], Brier {row.brier:.4f}")


def _print_trial(name: str, trial: Trial, size: Size) -> None:
    fitted, judged = trial.fitted, trial.judged
    n, left = fitted.events["test"]
    print(f"\n{name}: {size.customers:,} customers, {size.months} months; H = {trial.horizon_days} days; "
          f"test window {n:,} customers, {left:,} left; chosen on validation: {fitted.chosen}")  # fmt: skip
    print(f"  {'':20}     AUC [95 %]            log loss  Brier")
    for row in judged.itertuples():
        label = TRUTHS.get(row.Index, row.Index)
        area = f"{row.auc:7.3f} [{row.auc_low:.3f}, {row.auc_high:.3f}]"
        print(f"  {label:20} {area} {row.log_loss:9.4f} {row.brier:7.4f}")
    best = "spread" if "spread" in judged.index else "record"
    reach = (judged.loc[fitted.chosen, "auc"] - 0.5) / (judged.loc[best, "auc"] - 0.5)
    print(f"  of the AUC above 0.5 by \"{TRUTHS[best]}\" the model reaches {reach:.1%}")
    missed, tenths = calibration_misses(trial)
    print(f"  calibration: {missed} of {tenths} tenths lie outside their interval; foretold "
          f"{fitted.predictions[fitted.chosen].mean():.4f}, left {fitted.happened.mean():.4f}")  # fmt: skip


if __name__ == "__main__":
    main()
