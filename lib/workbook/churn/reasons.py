"""Why the model says so, and who stands on the early-warning list.

Overall: how much of the AUC is lost when one feature is shuffled among the customers of the test window. Features that
tell the same share their importance, so each alone may look small.

Per customer: the features with the largest exact contributions towards leaving (`models`). A reason is a code and the
side on which the customer's value lies of the typical one; it goes with leaving, and changing it need not change
anything ("associated with", never "because").

Source: L. Breiman, Random forests, 2001 (permutation importance).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbook.churn.models import Model
from workbook.scoring import area_under


def importance(
    model: Model,
    frame: pd.DataFrame,
    happened: np.ndarray,
    *,
    rng: np.random.Generator,
    repeats: int = 5,
    largest: int = 2_000,
) -> pd.DataFrame:
    """What shuffling each feature costs, on customers the model was not fitted on.

    Returns:
        feature, drop_auc, low, high (2 standard errors over the shuffles); most first.
    """
    step = -(-len(frame) // largest)
    seen, outcome = frame.iloc[::step].reset_index(drop=True), np.asarray(happened, float)[::step]
    whole = area_under(model.predict(seen), outcome)
    rows = []
    for name in model.names:
        drops = []
        for _ in range(repeats):
            mixed = seen.assign(**{name: rng.permutation(seen[name].to_numpy())})
            drops.append(whole - area_under(model.predict(mixed), outcome))
        mean, error = float(np.mean(drops)), float(np.std(drops, ddof=1) / np.sqrt(repeats))
        rows.append((name, mean, mean - 2 * error, mean + 2 * error))
    found = pd.DataFrame(rows, columns=["feature", "drop_auc", "low", "high"])
    return found.sort_values(["drop_auc", "feature"], ascending=[False, True], ignore_index=True)


def reasons(model: Model, frame: pd.DataFrame, *, typical: pd.DataFrame, most: int = 3) -> pd.DataFrame:
    """The features that speak most for leaving, customer by customer.

    Args:
        typical: customers whose medians are the typical values (the window the model was fitted on).

    Returns:
        as many rows as `frame`, with its index; for each place 1 … `most`: reason_1 (feature), direction_1 (more,
        less, equal, or unknown where the customer's value is blank), value_1, contribution_1 (to the score, above 0).
        Blank where fewer speak for leaving, and everywhere for a model without exact contributions.
    """
    parts = model.contributions(frame)
    middle = typical[list(model.names)].median().to_numpy()
    values = frame[list(model.names)].to_numpy(float)
    shares = np.zeros(values.shape) if parts is None else parts.to_numpy()
    order = np.argsort(-shares, axis=1, kind="stable")[:, :most]
    names, rows, told = np.array(model.names, dtype=object), np.arange(len(frame)), {}
    for place in range(order.shape[1]):
        column = order[:, place]
        speaks, value = shares[rows, column] > 0, values[rows, column]
        told[f"reason_{place + 1}"] = _codes(np.where(speaks, names[column], None), frame)
        told[f"direction_{place + 1}"] = _codes(np.where(speaks, _side(value, middle[column]), None), frame)
        told[f"value_{place + 1}"] = np.where(speaks, value, np.nan)
        told[f"contribution_{place + 1}"] = np.where(speaks, shares[rows, column], np.nan)
    return pd.DataFrame(told, index=frame.index)


def _codes(codes: np.ndarray, frame: pd.DataFrame) -> pd.Series:
    """Codes where there are any, else None: of type object, also where all are blank."""
    return pd.Series(codes, index=frame.index, dtype=object)


def _side(value: np.ndarray, middle: np.ndarray) -> np.ndarray:
    sides = [np.isnan(value), value > middle, value < middle]
    return np.select(sides, ["unknown", "more", "less"], "equal").astype(object)


def early_warning(
    frame: pd.DataFrame,
    probabilities: np.ndarray,
    *,
    told: pd.DataFrame,
    value: pd.Series | None = None,
    threshold: float | None = None,
    ranking: np.ndarray | None = None,
) -> pd.DataFrame:
    """Who is at risk today, the most value at risk first.

    Args:
        told: `reasons` of the same rows.
        value: customer_id → currency at stake, such as CLV; without it the spending of twelve months. A customer who
            is missing there has no value at stake that we know of: 0.
        threshold: from `best_threshold`; None: nobody is worth contacting, and the list is empty.
        ranking: what the threshold was chosen on, where that is not the probability.

    Returns:
        customer_id, probability, value, value_at_risk (probability × value, currency), and the columns of `told`.
    """
    stake = frame["spend_12m"] if value is None else frame["customer_id"].map(value)
    listed = frame[["customer_id"]].assign(probability=probabilities, value=stake.fillna(0.0).clip(lower=0.0))
    listed["value_at_risk"] = listed["probability"] * listed["value"]
    listed = listed.join(told)
    ranked = np.asarray(probabilities if ranking is None else ranking, float)
    kept = listed[ranked >= (np.inf if threshold is None else threshold)]
    return kept.sort_values(
        ["value_at_risk", "probability", "customer_id"], ascending=[False, False, True], ignore_index=True
    )
