"""Whether leaving can be foretold here, what that is worth, and whom it names today: the steps of the page, in order.

Each step takes what `fit_all` returned. Where the record is too short or too few customers left, that is None or
`TooFew`, and each step answers with empty tables, so that a page says why and goes on.

The threshold is chosen on the validation window by models that had seen the training window only, and what it earns is
told on the test window. The value at stake in these trials is the margin of the twelve months before the scoring day:
what was known then. Of today's customers it is their lifetime value, where chapter 06 has made that table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from workbook.churn.judging import lift_and_gain, pr_curve, roc_curve
from workbook.churn.profit import Earned, Optimum, Terms, best_threshold, earned, profit_curve
from workbook.churn.reasons import early_warning, importance, reasons
from workbook.churn.renewals import Saved
from workbook.churn.rivals import NAIVE, Fitted, TooFew, predict_batches
from workbook.churn.stability import by_segment, drift, over_time, score_psi
from workbook.churn.windows import Window
from workbook.scoring import Verdict, judge_probabilities, reliability, verdict

Trial = Fitted | TooFew | None
Foretold = Callable[[Window], pd.Series]
LARGEST_JUDGED = 20_000  # customers of the test window on whom intervals are drawn; of more every n-th


def lifetime_rivals(tables: Mapping[str, pd.DataFrame]) -> dict[str, Foretold]:
    """The lifetime model of chapter 06 as two rivals: 1 − P(alive), and e^(−purchases expected in the horizon).

    The second is the chance of no purchase if these were Poisson; both are brought to scale by `fit_all`.

    Args:
        tables: window → customer_id, p_alive, expected_purchases, as known on its scoring day.
    """
    if not tables or any(not table["expected_purchases"].notna().any() for table in tables.values()):
        return {}
    known = {name: table.set_index("customer_id") for name, table in tables.items()}
    return {
        "p_alive": lambda window: 1 - known[window.name]["p_alive"],
        "expected_purchases": lambda window: np.exp(-known[window.name]["expected_purchases"]),
    }


def judged(trial: Trial, *, rng: np.random.Generator, repeats: int = 200) -> pd.DataFrame:
    """Every rival on the test window, the chosen first: the columns of `judge_probabilities`; no rows if too few."""
    if not isinstance(trial, Fitted):
        return pd.DataFrame(columns=["prediction", "n", "events"])
    step = -(-len(trial.happened) // LARGEST_JUDGED)
    seen = {name: numbers[::step] for name, numbers in trial.predictions.items()}
    return judge_probabilities(seen, trial.happened[::step], rng=rng, repeats=repeats)


def naive_verdict(rows: pd.DataFrame, others: Sequence[str], measure: str = "auc") -> Verdict | None:
    """The chosen model against the best rival that needs no training on many features; None where nothing is judged.

    Args:
        rows: of `judged`.
        others: rivals from outside, such as P(alive).
    """
    if not len(rows):
        return None
    simple = rows["prediction"].isin([*NAIVE, *others])
    simple.iloc[0] = False
    return verdict(pd.concat([rows.iloc[:1], rows[simple]]), measure=measure)


def rival_curves(trial: Trial, names: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Precision and recall, and ROC, of these rivals in long form: rival and the columns of `pr_curve`, `roc_curve`."""
    columns = (["rival", "recall", "precision"], ["rival", "false_positive_rate", "true_positive_rate"])
    if not isinstance(trial, Fitted):
        return tuple(pd.DataFrame(columns=names) for names in columns)
    shown = [name for name in names if name in trial.predictions]
    found = [
        pd.concat([draw(trial.predictions[name], trial.happened).assign(rival=name) for name in shown])
        for draw in (pr_curve, roc_curve)
    ]
    return found[0], found[1]


def gain(trial: Trial, names: Sequence[str]) -> pd.DataFrame:
    """rival, list_share, caught_share, lift: what lists of growing length hold of those who left."""
    if not isinstance(trial, Fitted):
        return pd.DataFrame(columns=["rival", "list_share", "caught_share", "lift"])
    shown = [name for name in names if name in trial.predictions]
    return pd.concat([
        lift_and_gain(trial.predictions[name], trial.happened).assign(rival=name) for name in shown
    ], ignore_index=True)  # fmt: skip


def calibration(trial: Trial) -> pd.DataFrame:
    """Foretold and actual share of tenths of the test window: the columns of `reliability`."""
    if not isinstance(trial, Fitted):
        return pd.DataFrame(columns=["group", "n", "forecast_mean", "share", "low", "high"])
    return reliability(trial.predictions[trial.chosen], trial.happened)


def terms(*, contact_cost: float, offer_cost: float, assumed: float, saved: Saved | None) -> Terms:
    """What contacting costs and saves: measured where an experiment tells it, and never below 0; else assumed."""
    if saved is None or np.isnan(saved.rate.value):
        return Terms(contact_cost, offer_cost, assumed, "assumed")
    return Terms(contact_cost, offer_cost, max(saved.rate.value, 0.0), "randomised")


class Money(NamedTuple):
    """What lists earn. All None or empty where nothing could be foretold.

    Lists are in the order of the value at risk: probability × value. In the order of the probability alone they are
    led by those who are surely gone and worth little.
    """

    terms: Terms
    optimum: Optimum | None  # chosen on the validation window; its threshold is a value at risk, in currency
    earned: Earned | None  # by that threshold on the test window
    curve: pd.DataFrame  # of the test window: threshold, customers, share, profit, leavers
    by_risk: pd.DataFrame  # the same for lists in the order of the probability
    stake: np.ndarray  # value at risk, of the test window
    probabilities: np.ndarray  # of leaving, there
    happened: np.ndarray
    value: np.ndarray  # currency, as known on the scoring day


def money(trial: Trial, terms: Terms, *, margin_share: float, rng: np.random.Generator) -> Money:
    """The value at risk from which contacting earns most, and what that would have earned later."""
    none = np.zeros(0)
    if not isinstance(trial, Fitted):
        empty = pd.DataFrame(columns=["threshold", "customers", "share", "profit", "leavers"])
        return Money(terms, None, None, empty, empty, none, none, none, none)
    before, frame = trial.validation_frame, trial.test_frame
    then, value = (margin_of_a_year(rows, margin_share) for rows in (before, frame))
    stake_then = trial.validation_predictions[trial.chosen] * then
    best = best_threshold(stake_then, before["churned"].to_numpy(float), then, terms, rng=rng)
    told, happened = trial.predictions[trial.chosen], trial.happened.astype(float)
    later = earned(best.threshold, told * value, happened, value, terms, rng=rng)
    drawn = [profit_curve(ranking, happened, value, terms) for ranking in (told * value, told)]
    return Money(terms, best, later, drawn[0], drawn[1], told * value, told, happened, value)


def margin_of_a_year(frame: pd.DataFrame, margin_share: float) -> np.ndarray:
    """What a customer would bring in a year more like the last."""
    return margin_share * frame["spend_12m"].fillna(0).clip(lower=0).to_numpy(float)


def what_matters(trial: Trial, *, rng: np.random.Generator) -> pd.DataFrame:
    """feature, drop_auc, low, high: what the model loses without each."""
    if not isinstance(trial, Fitted):
        return pd.DataFrame(columns=["feature", "drop_auc", "low", "high"])
    return importance(trial.models[trial.chosen], trial.test_frame, trial.happened, rng=rng)


class Warned(NamedTuple):
    """Today's active customers, the most value at risk first, and which of them are worth contacting."""

    everyone: pd.DataFrame  # customer_id, probability, value, value_at_risk, reason_1 …, listed (bool)
    listed: pd.DataFrame  # those of them at or above the threshold
    measured: str  # what the value is: clv, or margin of twelve months


def warned(
    trial: Trial, today: pd.DataFrame | None, found: Money, *, margin_share: float,
    lifetime_values: pd.Series | None = None,
) -> Warned:
    """Who is at risk today.

    Args:
        today: the snapshot of the report date.
        lifetime_values: customer_id → currency still to come, of chapter 06; without it a year's margin.
    """
    if not isinstance(trial, Fitted) or today is None:
        columns = ["customer_id", "probability", "value", "value_at_risk", "listed"]
        empty = pd.DataFrame(columns=columns)
        return Warned(empty, empty, "margin")
    chances = predict_batches(trial.final, today)
    told = reasons(trial.final, today, typical=trial.test_frame)
    margin = pd.Series(margin_of_a_year(today, margin_share), index=today["customer_id"])
    value = margin if lifetime_values is None else lifetime_values
    rows = early_warning(today, chances, told=told, value=value, threshold=0.0)
    threshold = found.optimum.threshold if found.optimum else None
    rows = rows.assign(listed=rows["value_at_risk"] >= (np.inf if threshold is None else threshold))
    measured = "margin" if lifetime_values is None else "clv"
    return Warned(rows, rows[rows["listed"]].reset_index(drop=True), measured)


def lifetime_values(rows: pd.DataFrame | None) -> pd.Series | None:
    """customer_id → value still to come, from `clv`: customer_id, clv; None where that says nothing of anybody.

    It already holds the chance that the customer has left, so that what is at risk is told with caution.
    """
    if rows is None or not rows["clv"].notna().any():
        return None
    return rows.set_index("customer_id")["clv"].astype(float).clip(lower=0)


def kept(found: Warned) -> pd.DataFrame:
    """The table `churn`: customer_id, probability, value, value_at_risk (currency), reasons (codes), listed."""
    rows = found.everyone
    told = rows[["customer_id"]].astype("string").assign(
        **{name: rows[name].astype(float) for name in ("probability", "value", "value_at_risk")},
        reasons=reason_codes(rows).astype("string"), listed=rows["listed"].astype(bool),
    )
    return told.sort_values("customer_id", ignore_index=True)


def segments_of(people: pd.DataFrame) -> dict[str, str]:
    """customer_id → the channel that brought them, or else the region; whichever is known."""
    for name in ("acquisition_channel", "region"):
        if people[name].notna().mean() >= 0.5:
            known = people.dropna(subset=[name])
            return dict(zip(known["customer_id"], known[name], strict=True))
    return {}


def reason_codes(rows: pd.DataFrame) -> pd.Series:
    """The reasons of each row in one column: `recency_days:more spend_90:less`."""
    places = [(f"reason_{i}", f"direction_{i}") for i in (1, 2, 3) if f"reason_{i}" in rows]
    told = [
        " ".join(f"{row[reason]}:{row[side]}" for reason, side in places if isinstance(row[reason], str))
        for row in rows.to_dict("records")
    ]
    return pd.Series(told, index=rows.index, dtype=object)


class Steadiness(NamedTuple):
    """Whether the model holds over time, and for everybody."""

    windows: pd.DataFrame  # window, n, churned, auc, low, high, forecast_mean, share
    psi: float | None  # of the scores, between the window that judged and today
    drift: pd.DataFrame  # feature, psi, code


def steadiness(trial: Trial, today: pd.DataFrame | None, *, rng: np.random.Generator) -> Steadiness:
    """The chosen model on two windows that it had not seen, and how far today's customers are from the last."""
    if not isinstance(trial, Fitted) or today is None:
        return Steadiness(pd.DataFrame(columns=["window", "n", "auc", "low", "high"]), None,
                          pd.DataFrame(columns=["feature", "psi", "code"]))
    seen = {
        "validation": (trial.validation_predictions[trial.chosen],
                       trial.validation_frame["churned"].to_numpy(int)),
        "test": (trial.predictions[trial.chosen], trial.happened),
    }
    model = trial.models[trial.chosen]
    now = score_psi(trial.predictions[trial.chosen], predict_batches(model, today))
    return Steadiness(over_time(seen, rng=rng), now, drift(trial.test_frame, today, trial.names))


def fairness(trial: Trial, found: Money, segment_of: Mapping[str, str]) -> pd.DataFrame:
    """The test window by segment: forecast and outcome, and whom the list holds.

    Args:
        segment_of: customer_id → segment. Used to look at the model, never in it.

    Returns:
        the columns of `by_segment`; flagged_share (on the list) and recall (of those who left, on the list) of the list
        by value at risk.
    """
    if not isinstance(trial, Fitted):
        return pd.DataFrame(columns=["segment", "n", "churned", "code", "forecast_mean", "share"])
    segments = trial.test_frame["customer_id"].map(segment_of)
    rows = by_segment(trial.predictions[trial.chosen], trial.happened, segments, threshold=None)
    threshold = found.optimum.threshold if found.optimum else None
    listed = pd.Series(found.stake >= (np.inf if threshold is None else threshold), index=segments.index)
    left = pd.Series(trial.happened > 0, index=segments.index)
    shares, caught = listed.groupby(segments).mean(), listed[left].groupby(segments[left]).mean()
    return rows.assign(flagged_share=rows["segment"].map(shares), recall=rows["segment"].map(caught))
