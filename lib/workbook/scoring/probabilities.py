"""How predicted probabilities are judged: are customers in the right order, and do ten of ten per cent make one?

In: for each prediction a number per customer, and whether it happened (1 or 0), in the same order of customers. The
prediction on trial comes first; its naive rivals follow. A rival may be no probability (days of silence): it is then
ranked only, and its Brier score and log loss stay blank.

    auc                 chance that one to whom it happened stands before one to whom it did not
    average_precision   mean precision of the lists that end at each event: fits rare events
    top_lift            share of events in the prediction's first tenth, over the share in all customers
    brier               mean squared distance of the probability from what happened
    log_loss            mean of -log(probability given to what happened)

Equal numbers count as drawn by lot.

Sources: T. Fawcett, An introduction to ROC analysis, 2006; G. W. Brier, Verification of forecasts expressed
in terms of probability, 1950; intervals: see `intervals`. Values equal scikit-learn's (a test).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from workbook.scoring.forecasts import checked, grouped, told
from workbook.scoring.intervals import Weighing, bootstrap, ratio, wilson
from workbook.scoring.lists import Ranking, top_shares

TOP = 0.1  # the first tenth
MEASURES = ("auc", "average_precision", "brier", "log_loss", "top_lift")
LEADS = {"auc": 1, "average_precision": 1, "brier": -1, "log_loss": -1, "top_lift": 1}  # 1: more is better


def judge_probabilities(
    predictions: Mapping[str, np.ndarray], happened: np.ndarray, *, rng: np.random.Generator, repeats: int = 200
) -> pd.DataFrame:
    """Every prediction beside the others; the first one is on trial.

    Args:
        predictions: name → a number per customer, higher = likelier, made without anything of `happened`.
        happened: 1 or 0 per customer.
        repeats: bootstrap draws.

    Returns:
        prediction, n, events; auc, average_precision, brier, log_loss, top_lift, each with _low and _high; the same
        after `lead_`: how much better the first prediction is than this one. Blank where it happened to all or none.
    """
    numbers, events = checked(predictions, happened)
    measured = bootstrap(lambda rows: _weighing(numbers[:, rows], events[rows]), len(events), rng=rng, repeats=repeats)
    facts = {"prediction": list(predictions), "n": len(events), "events": int(events.sum())}
    return pd.DataFrame({**facts, **told(measured, MEASURES, LEADS)})


def area_under(prediction: np.ndarray, happened: np.ndarray) -> float:
    """The AUC of one prediction, without an interval; NaN where it happened to all or none."""
    ranking, events = Ranking(prediction), np.asarray(happened, float)[:, None]
    return float(_auc(ranking.sums(np.ones_like(events)), ranking.sums(events))[0])


def _weighing(numbers: np.ndarray, events: np.ndarray) -> Weighing:
    rankings = [Ranking(row) for row in numbers]
    probable = ((numbers >= 0) & (numbers <= 1)).all(axis=1)[:, None]
    squares, losses = (numbers - events) ** 2, _losses(np.clip(numbers, 0, 1), events)

    def measures(weights: np.ndarray) -> np.ndarray:
        happening, n = weights * events[:, None], weights.sum(axis=0)
        ranked = [(ranking.sums(weights), ranking.sums(happening)) for ranking in rankings]
        brier, log_loss = (np.where(probable, ratio(each @ weights, n), np.nan) for each in (squares, losses))
        return np.stack(
            [
                [_auc(heads, hits) for heads, hits in ranked],
                [_average_precision(heads, hits) for heads, hits in ranked],
                brier,
                log_loss,
                [top_shares(heads, hits, TOP) / TOP for heads, hits in ranked],
            ],
            axis=1,
        )

    return measures


def _losses(probabilities: np.ndarray, events: np.ndarray) -> np.ndarray:
    """Of each customer; a probability of 0 or 1 is taken as the nearest number that has a logarithm."""
    given = np.where(events > 0, probabilities, 1 - probabilities)
    return -np.log(np.maximum(given, np.finfo(float).eps))


def _auc(heads: np.ndarray, hits: np.ndarray) -> np.ndarray:
    """From weights and weighted events of groups of equal numbers, highest first."""
    misses = heads - hits
    before = np.cumsum(misses, axis=0) - misses / 2  # those without an event who stand before, ties by half
    total = misses.sum(axis=0)
    return 1 - ratio((hits * before).sum(axis=0), hits.sum(axis=0) * total)


def _average_precision(heads: np.ndarray, hits: np.ndarray) -> np.ndarray:
    seen = np.cumsum(heads, axis=0)
    precision = np.cumsum(hits, axis=0) / np.where(seen > 0, seen, 1)
    return ratio((hits * precision).sum(axis=0), hits.sum(axis=0))


def reliability(probabilities: np.ndarray, happened: np.ndarray, *, groups: int = 10) -> pd.DataFrame:
    """Predicted and actual shares of equal groups of customers, the highest probabilities first.

    Equal probabilities stand in one group, so that there may be fewer groups than asked for.

    Returns:
        group (1 = highest), n, forecast_mean, share (to whom it happened), low, high (Wilson).
    """
    numbers, events = checked({"probabilities": probabilities}, happened)
    frame = pd.DataFrame({"group": grouped(numbers[0], groups), "forecast": numbers[0], "events": events})
    found = frame.groupby("group").agg(
        n=("events", "size"), forecast_mean=("forecast", "mean"), events=("events", "sum")
    ).reset_index()  # fmt: skip
    shares = [wilson(int(row.events), int(row.n)) for row in found.itertuples()]
    return found.drop(columns="events").assign(
        share=[s.value for s in shares], low=[s.low for s in shares], high=[s.high for s in shares]
    )
